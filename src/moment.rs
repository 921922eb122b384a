//! When something happens.

use crate::system;
use jiff::tz::TimeZone;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs};

/// What stands for a time from the year 10000 on: clocks and certificates may have one, and calendars
/// end before it.
const BEYOND: &str = "a day beyond the calendar";

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
    /// Whether what was noted at `noted`, for `lasts` seconds, counts `now`. A clock that was set back
    /// makes it lie in the future, and then it means nothing.
    pub fn counts(noted: i64, lasts: i64, now: i64) -> bool {
        (noted..noted.saturating_add(lasts)).contains(&now)
    }

    /// A time (seconds since 1970) as the clock on the wall shows it.
    pub fn on_the_wall(time: i64) -> String {
        let Ok(time) = jiff::Timestamp::from_second(time) else {
            return BEYOND.to_owned();
        };
        let time = time.to_zoned(Self::zone().clone());
        time.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// The year and the month of a time (seconds since 1970) as the clock on the wall shows it.
    pub fn month_on_the_wall(time: i64) -> (i16, i8) {
        let time = jiff::Timestamp::from_second(time).unwrap_or_default();
        let time = time.to_zoned(Self::zone().clone());
        (time.year(), time.month())
    }

    /// A time in UTC, as C's asctime writes it and mbox files have it.
    pub fn as_asctime(time: i64) -> String {
        let time = jiff::Timestamp::from_second(time).unwrap_or_default();
        time.strftime("%a %b %e %H:%M:%S %Y").to_string()
    }

    /// The day of a time (seconds since 1970), in UTC.
    pub fn day(time: i64) -> String {
        Self::in_utc(time, "%Y-%m-%d")
    }

    /// A time (seconds since 1970) to the minute, in UTC.
    pub fn minute(time: i64) -> String {
        Self::in_utc(time, "%Y-%m-%d %H:%M UTC")
    }

    fn in_utc(time: i64, format: &str) -> String {
        match jiff::Timestamp::from_second(time) {
            Ok(time) => time.strftime(format).to_string(),
            Err(_) => BEYOND.to_owned(),
        }
    }

    /// The zone of the clock on the wall, read once: a confined thread could not read it.
    fn zone() -> &'static TimeZone {
        static ZONE: OnceLock<TimeZone> = OnceLock::new();
        ZONE.get_or_init(|| Self::named_by_nobody().unwrap_or_else(TimeZone::system))
    }

    /// The system's zone without its name, for which nobody asks here; where `TZ` names no other. For
    /// the name jiff would go through a directory of two thousand files in each run.
    fn named_by_nobody() -> Option<TimeZone> {
        if env::var_os("TZ").is_some() {
            return None;
        }
        let rules = fs::read("/etc/localtime").ok()?;
        TimeZone::tzif("local", &rules).ok()
    }

    /// What the system's clock says, in seconds since 1970.
    pub fn clock() -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = since.unwrap_or_default().as_secs();
        i64::try_from(seconds).unwrap_or(i64::MAX)
    }

    /// This one, by the system's clock.
    pub fn now() -> Self {
        Self::zone();
        Self {
            now: Self::clock(),
            boot: system::boot().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_no_calendar_has_is_named_and_is_no_other_one() {
        const YEAR_10000: i64 = 253_402_300_800;
        assert_eq!(Moment::day(0), "1970-01-01");
        assert_eq!(Moment::minute(60), "1970-01-01 00:01 UTC");
        for time in [YEAR_10000 + 86_400, i64::MAX, i64::MIN] {
            for shown in [
                Moment::day(time),
                Moment::minute(time),
                Moment::on_the_wall(time),
            ] {
                assert_eq!(shown, BEYOND);
            }
        }
    }
}
