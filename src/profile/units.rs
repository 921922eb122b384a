//! Durations and sizes as people write them: "14 days", "60s", "25 MB", "8 MiB".

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::fmt::friendly::{Designator, Spacing, SpanParser, SpanPrinter};
use jiff::{SpanRelativeTo, Unit};
use serde::Deserialize;
use thiserror::Error;

/// A length of time that is neither zero nor negative. A day has 24 hours, a week 7 days.
///
/// Read from "14 days", "60s", "10 min", "2 weeks", "1d12h"; shown as "14 days", "1 min 30 s".
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Written")]
pub struct Period(Duration);

impl Period {
    /// The length, never zero.
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Period {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let text = text.trim();
        if !text.contains(|c: char| c.is_alphabetic()) {
            return Err(UnitError::NoUnit);
        }
        let span = SpanParser::new()
            .parse_span(text)
            .map_err(|_| not_a_duration(text))?;
        if span.get_years() != 0 || span.get_months() != 0 {
            return Err(UnitError::Calendar);
        }
        let signed = span
            .to_duration(SpanRelativeTo::days_are_24_hours())
            .map_err(|_| UnitError::Endless)?;
        match Duration::try_from(signed) {
            Ok(Duration::ZERO) | Err(_) => Err(UnitError::NotPositive),
            Ok(duration) => Ok(Self(duration)),
        }
    }
}

/// Why the parser does not take it: with smaller numbers it may be a duration.
fn not_a_duration(text: &str) -> UnitError {
    let digit = |c: char| c.is_ascii_digit();
    let small: String = text
        .replace(digit, "1")
        .chars()
        .fold(String::new(), |mut text, c| {
            if !(c == '1' && text.ends_with('1')) {
                text.push(c);
            }
            text
        });
    match SpanParser::new().parse_span(small) {
        Ok(_) => UnitError::Endless,
        Err(_) => UnitError::NotADuration,
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&duration(self.0))
    }
}

/// A number of octets, more than zero.
///
/// Read from "25 MB" (1000-based), "8 MiB" (1024-based), "500k" or "800 bytes"; shown exactly, in the
/// largest unit that divides it. Whoever writes a number alone means megabytes as often as bytes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Written")]
pub struct Octets(u64);

impl Octets {
    /// The number, never zero.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for Octets {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let text = text.trim();
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        if number.is_empty() {
            return Err(UnitError::NotASize);
        }
        let has_unit = !unit.trim().is_empty();
        let unit = octets_per(unit.trim()).ok_or(UnitError::NotASize)?;
        match scaled(number, unit)? {
            0 => Err(UnitError::NotPositive),
            _ if !has_unit => Err(UnitError::NoSizeUnit),
            octets => Ok(Self(octets)),
        }
    }
}

impl fmt::Display for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&octets(self.0))
    }
}

/// Why a text is no duration or size.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum UnitError {
    /// Months and years have no fixed length.
    #[error("months and years differ in length; write days or weeks, as in \"90 days\"")]
    Calendar,
    /// A number alone says nothing about time.
    #[error("a duration needs a unit, as in \"60 s\", \"10 min\" or \"14 days\"")]
    NoUnit,
    /// Not understood as a duration.
    #[error("not a duration; write it as in \"60 s\", \"10 min\", \"14 days\" or \"1d12h\"")]
    NotADuration,
    /// More than the calendar has.
    #[error("too long; a duration is at most 7304484 days")]
    Endless,
    /// A number alone says too little about a size.
    #[error("a size needs a unit, as in \"25 MB\", \"500 kB\" or \"800 bytes\"")]
    NoSizeUnit,
    /// Not understood as a size.
    #[error("not a size; write it as in \"25 MB\", \"8 MiB\", \"500k\" or \"800 bytes\"")]
    NotASize,
    /// Zero or negative.
    #[error("must be more than zero")]
    NotPositive,
    /// More than can be counted.
    #[error("too large")]
    TooLong,
}

/// Shows a duration, as in "14 days", "1 day 12 h", "1 min 30 s". Under a millisecond is dropped.
pub fn duration(duration: Duration) -> String {
    let days = duration.as_secs() / 86_400;
    let rest = duration - Duration::from_secs(days * 86_400);
    let days = match days {
        0 => None,
        1 => Some("1 day".to_owned()),
        n => Some(format!("{n} days")),
    };
    if days.is_some() && rest.is_zero() {
        return days.unwrap_or_default();
    }
    let rest = SpanPrinter::new()
        .designator(Designator::Short)
        .spacing(Spacing::BetweenUnitsAndDesignators)
        .zero_unit(Unit::Second)
        .unsigned_duration_to_string(&Duration::from_millis(
            u64::try_from(rest.as_millis()).unwrap_or(u64::MAX),
        ))
        .replace("secs", "s")
        .replace("sec", "s")
        .replace("mins", "min")
        .replace("hrs", "h")
        .replace("hr", "h");
    match days {
        Some(days) => format!("{days} {rest}"),
        None => rest,
    }
}

/// Shows a number of octets exactly, as in "25 MB", "8 MiB", "1234567 bytes".
pub fn octets(octets: u64) -> String {
    const UNITS: [(u64, &str); 8] = [
        (1 << 40, "TiB"),
        (1_000_000_000_000, "TB"),
        (1 << 30, "GiB"),
        (1_000_000_000, "GB"),
        (1 << 20, "MiB"),
        (1_000_000, "MB"),
        (1 << 10, "KiB"),
        (1_000, "kB"),
    ];
    // The largest unit is not always the first: 10^12 octets are also a whole number of KiB.
    UNITS
        .iter()
        .filter(|(unit, _)| octets > 0 && octets.is_multiple_of(*unit))
        .map(|(unit, name)| (octets / unit, name))
        .min_by_key(|(count, _)| *count)
        .map_or_else(
            || format!("{octets} bytes"),
            |(count, name)| format!("{count} {name}"),
        )
}

/// Octets in one of the named unit; upper and lower case are the same.
fn octets_per(unit: &str) -> Option<u64> {
    let unit = unit.to_ascii_lowercase();
    Some(match unit.as_str() {
        "" | "b" | "byte" | "bytes" | "octet" | "octets" => 1,
        "k" | "kb" => 1_000,
        "ki" | "kib" => 1 << 10,
        "m" | "mb" => 1_000_000,
        "mi" | "mib" => 1 << 20,
        "g" | "gb" => 1_000_000_000,
        "gi" | "gib" => 1 << 30,
        "t" | "tb" => 1_000_000_000_000,
        "ti" | "tib" => 1 << 40,
        _ => return None,
    })
}

/// `number` (digits with at most one point) times `unit`, rounded down; exact in integers.
fn scaled(number: &str, unit: u64) -> Result<u64, UnitError> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    // More digits than this cannot matter, and fewer keep the arithmetic inside 128 bits.
    if fraction.is_empty() || fraction.contains('.') || fraction.len() > 12 || whole.is_empty() {
        return Err(UnitError::NotASize);
    }
    let whole: u64 = whole.parse().map_err(|_| UnitError::TooLong)?;
    let digits = u32::try_from(fraction.len()).map_err(|_| UnitError::NotASize)?;
    let fraction: u128 = fraction.parse().map_err(|_| UnitError::NotASize)?;
    let part = fraction * u128::from(unit) / 10_u128.pow(digits);
    u64::try_from(u128::from(whole) * u128::from(unit) + part).map_err(|_| UnitError::TooLong)
}

/// A value of the config file before it is understood: text, or a bare number.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a text in quotes, as in \"14 days\" or \"25 MB\""
)]
enum Written {
    Number(i64),
    Text(String),
}

impl TryFrom<Written> for Period {
    type Error = UnitError;

    fn try_from(written: Written) -> Result<Self, UnitError> {
        match written {
            Written::Number(_) => Err(UnitError::NoUnit),
            Written::Text(text) => text.parse(),
        }
    }
}

impl TryFrom<Written> for Octets {
    type Error = UnitError;

    fn try_from(written: Written) -> Result<Self, UnitError> {
        match written {
            Written::Number(number) => match u64::try_from(number) {
                Ok(0) | Err(_) => Err(UnitError::NotPositive),
                Ok(_) => Err(UnitError::NoSizeUnit),
            },
            Written::Text(text) => text.parse(),
        }
    }
}

/// A number of messages as the command line has it.
///
/// # Errors
///
/// Anything but digits, or too many of them.
pub fn whole_number(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| "this is not a whole number such as 100".to_owned())
}

/// The same of things in memory.
///
/// # Errors
///
/// It is none, or larger than any memory.
pub fn whole_size(text: &str) -> Result<usize, String> {
    usize::try_from(whole_number(text)?).map_err(|_| "this is too large a number".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Result<u64, UnitError> {
        text.parse::<Period>().map(|p| p.duration().as_secs())
    }

    fn size(text: &str) -> Result<u64, UnitError> {
        text.parse::<Octets>().map(Octets::get)
    }

    #[test]
    fn durations_read_as_people_write_them() {
        assert_eq!(seconds("14 days"), Ok(14 * 86_400));
        assert_eq!(seconds("60s"), Ok(60));
        assert_eq!(seconds(" 10 min "), Ok(600));
        assert_eq!(seconds("2 weeks"), Ok(14 * 86_400));
        assert_eq!(seconds("1d12h"), Ok(36 * 3_600));
        assert_eq!(seconds("1 day, 12 hours"), Ok(36 * 3_600));
    }

    #[test]
    fn what_is_no_duration_is_refused_with_the_reason() {
        assert_eq!(seconds("14"), Err(UnitError::NoUnit));
        assert_eq!(seconds("0 days"), Err(UnitError::NotPositive));
        assert_eq!(seconds("-3 days"), Err(UnitError::NotPositive));
        assert_eq!(seconds("3 days ago"), Err(UnitError::NotPositive));
        assert_eq!(seconds("1 month"), Err(UnitError::Calendar));
        assert_eq!(seconds("soon"), Err(UnitError::NotADuration));
        assert_eq!(seconds(""), Err(UnitError::NoUnit));
        for endless in ["99999999999999999999 days", "9999999 days", "9999999d 3 h"] {
            assert_eq!(seconds(endless), Err(UnitError::Endless), "{endless}");
        }
        assert_eq!(seconds("7304484 days"), Ok(7_304_484 * 86_400));
    }

    #[test]
    fn sizes_read_as_people_write_them() {
        assert_eq!(size("25 MB"), Ok(25_000_000));
        assert_eq!(size("8 MiB"), Ok(8 << 20));
        assert_eq!(size("500k"), Ok(500_000));
        assert_eq!(size("123 B"), Ok(123));
        assert_eq!(size("1.5 GB"), Ok(1_500_000_000));
        assert_eq!(size("2g"), Ok(2_000_000_000));
        assert_eq!(size("7 octets"), Ok(7));
    }

    #[test]
    fn what_is_no_size_is_refused_with_the_reason() {
        assert_eq!(size("0"), Err(UnitError::NotPositive));
        assert_eq!(size("-1 MB"), Err(UnitError::NotASize));
        assert_eq!(size("20000000000 GB"), Err(UnitError::TooLong));
        assert_eq!(size("99999999999999999999999"), Err(UnitError::TooLong));
        for text in ["25", "1.5", " 26214400 "] {
            assert_eq!(size(text), Err(UnitError::NoSizeUnit), "{text:?}");
        }
        for text in ["", "MB", "1.2.3 MB", "1. MB", "5 parsecs", "٣ MB", "0x10"] {
            assert_eq!(size(text), Err(UnitError::NotASize), "{text:?}");
        }
    }

    #[test]
    fn what_is_shown_reads_back_as_the_same() {
        for secs in [1, 60, 90, 3_600, 86_400, 129_600, 14 * 86_400, 90_061] {
            let shown = duration(Duration::from_secs(secs));
            assert_eq!(seconds(&shown), Ok(secs), "{shown}");
        }
        for octets_ in [1, 999, 1_000, 1 << 20, 25_000_000, 8 << 20, 1_234_567] {
            let shown = octets(octets_);
            assert_eq!(size(&shown), Ok(octets_), "{shown}");
        }
        assert_eq!(duration(Duration::from_secs(14 * 86_400)), "14 days");
        assert_eq!(duration(Duration::from_secs(90)), "1 min 30 s");
        assert_eq!(duration(Duration::from_secs(129_600)), "1 day 12 h");
        assert_eq!(octets(25_000_000), "25 MB");
        assert_eq!(octets(8 << 20), "8 MiB");
        assert_eq!(octets(1_234_567), "1234567 bytes");
    }
}
