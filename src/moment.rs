//! When something happens.

use jiff::tz::TimeZone;
use std::fs;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

/// When and in which boot of the machine something happens.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Moment {
    /// Seconds since 1970.
    pub now: i64,
    /// Names the machine's boot, so that after a crash it is known whether the power went with it;
    /// empty where nobody can tell.
    pub boot: Arc<str>,
}

impl Moment {
    /// A time (seconds since 1970) as the clock on the wall shows it.
    pub fn on_the_wall(time: i64) -> String {
        let time = jiff::Timestamp::from_second(time).unwrap_or_default();
        let time = time.to_zoned(Self::zone().clone());
        time.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// The same in UTC, as C's asctime writes it and mbox files have it.
    pub fn as_asctime(time: i64) -> String {
        let time = jiff::Timestamp::from_second(time).unwrap_or_default();
        time.strftime("%a %b %e %H:%M:%S %Y").to_string()
    }

    /// The zone of the clock on the wall, read once: a confined thread could not read it.
    fn zone() -> &'static TimeZone {
        static ZONE: OnceLock<TimeZone> = OnceLock::new();
        ZONE.get_or_init(TimeZone::system)
    }

    /// This one, by the system's clock.
    pub fn now() -> Self {
        Self::zone();
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = since.unwrap_or_default().as_secs();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self {
            now: i64::try_from(seconds).unwrap_or(i64::MAX),
            boot: boot.trim().into(),
        }
    }
}
