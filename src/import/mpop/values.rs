//! Numbers, durations and sizes as mpop writes them.

use crate::profile::units;
use std::time::Duration;

pub(super) fn number(text: &str, most: u64) -> Result<u64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| "this is no number that could stand here".to_owned())
}

pub(super) fn seconds(seconds: u64) -> String {
    units::duration(Duration::from_secs(seconds))
}

/// `30d12h`, in mpop's letters.
pub(super) fn period(text: &str) -> Result<String, String> {
    let wrong = || "`keep` is on, off or a duration such as 30d".to_owned();
    let mut rest = text;
    let mut sum: u64 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (digits, more) = rest.split_at(end);
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        let mut chars = more.chars();
        let unit = match chars.next() {
            Some('d') => 86400,
            Some('h') => 3600,
            Some('m') => 60,
            Some('s') => 1,
            _ => return Err(wrong()),
        };
        let part = number.checked_mul(unit).ok_or_else(wrong)?;
        sum = sum.checked_add(part).ok_or_else(wrong)?;
        rest = chars.as_str();
    }
    match sum {
        0 => Err(wrong()),
        _ => Ok(seconds(sum)),
    }
}

/// `off`, or octets with k or m behind them.
pub(super) fn size(text: &str) -> Result<Option<u64>, String> {
    if text == "off" {
        return Ok(None);
    }
    let wrong = || "a size is off, or a number with k or m behind it".to_owned();
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (text.get(..at), 1 << 10),
        Some((at, 'm' | 'M')) => (text.get(..at), 1 << 20),
        _ => (Some(text), 1),
    };
    let number: u64 = digits
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(wrong)?;
    number.checked_mul(unit).map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_those_of_mpop() {
        assert_eq!(period("30d12h").unwrap(), "30 days 12 h");
        for wrong in ["", "d", "3", "0d", "99999999999999999999d", "1w"] {
            assert!(period(wrong).is_err(), "{wrong}");
        }
        assert_eq!(size("3k"), Ok(Some(3072)));
        assert_eq!(size("off"), Ok(None));
        assert!(size("é").is_err() && size("k").is_err());
    }
}
