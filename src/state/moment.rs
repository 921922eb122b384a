//! When something happens.

use std::fs;
use std::sync::Arc;
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
        let time = time.to_zoned(jiff::tz::TimeZone::system());
        time.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// This one, by the system's clock.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = since.unwrap_or_default().as_secs();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self {
            now: i64::try_from(seconds).unwrap_or(i64::MAX),
            boot: boot.trim().into(),
        }
    }
}
