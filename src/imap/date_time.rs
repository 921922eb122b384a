//! When a server got a message: `date-time` of RFC 3501 section 9, as in `17-Jul-1996 02:44:25 -0700`.

use jiff::{civil, tz::Offset};

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// Seconds since 1970 of what stands between quotation marks. `None` where it is no date, or one before
/// 1970, which no server has got mail at. A day of one digit may stand with or without the space that makes
/// two characters of it.
pub(super) fn parse(text: &[u8]) -> Option<i64> {
    let mut words = text.trim_ascii().split(|octet| *octet == b' ');
    let (date, time, zone) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() {
        return None;
    }
    let mut parts = date.split(|octet| *octet == b'-');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let named = |name: &&[u8; 3]| month.eq_ignore_ascii_case(*name);
    let month = (1..).zip(&MONTHS).find(|(_, name)| named(name))?.0;
    let year = digits(year, 4..=4)?;
    let mut clock = time.split(|octet| *octet == b':');
    let mut next = || digits(clock.next()?, 2..=2).and_then(|it| i8::try_from(it).ok());
    let (hour, minute, second) = (next()?, next()?, next()?);
    if parts.next().is_some() || clock.next().is_some() || second > 60 {
        return None;
    }
    let day = i8::try_from(digits(day, 1..=2)?).ok()?;
    // A leap second is shown by no clock here.
    let local = civil::DateTime::new(year, month, day, hour, minute, second.min(59), 0).ok()?;
    let time = offset(zone)?.to_timestamp(local).ok()?.as_second();
    (time >= 0).then_some(time)
}

/// The same for a command, in UTC.
pub(super) fn written(time: i64) -> Option<String> {
    let at = jiff::Timestamp::from_second(time).ok()?;
    let at = Offset::UTC.to_datetime(at);
    Some(format!(
        "{:2}-{}-{:04} {:02}:{:02}:{:02} +0000",
        at.day(),
        month_of(at.month()),
        at.year(),
        at.hour(),
        at.minute(),
        at.second()
    ))
}

/// The day so many days from a time, as SEARCH takes it (`date` of RFC 3501 section 9).
pub(super) fn day(time: i64, days: i64) -> Option<String> {
    let time = time.checked_add(days.checked_mul(24 * 60 * 60)?)?;
    let at = Offset::UTC.to_datetime(jiff::Timestamp::from_second(time).ok()?);
    Some(format!(
        "{}-{}-{:04}",
        at.day(),
        month_of(at.month()),
        at.year()
    ))
}

fn month_of(month: i8) -> &'static str {
    let index = usize::try_from(month).unwrap_or(1).saturating_sub(1);
    let name = MONTHS.get(index).copied().unwrap_or(b"Jan");
    std::str::from_utf8(name).unwrap_or("Jan")
}

fn offset(zone: &[u8]) -> Option<Offset> {
    let (sign, hours_and_minutes) = match zone.split_first()? {
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let number = i32::from(digits(hours_and_minutes, 4..=4)?);
    let (hours, minutes) = (number / 100, number % 100);
    if minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

fn digits(text: &[u8], lengths: std::ops::RangeInclusive<usize>) -> Option<i16> {
    if !lengths.contains(&text.len()) || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;

    #[test]
    fn a_date_says_when_whatever_its_zone() {
        for (text, time) in [
            ("17-Jul-1996 02:44:25 -0700", 837_596_665),
            (" 1-Jan-1970 00:00:00 +0000", 0),
            ("1-jan-1970 00:00:00 +0000", 0),
            ("01-JAN-1970 00:00:00 -0030", 1800),
            ("29-Feb-2024 23:59:60 +0000", 1_709_251_199),
            ("31-Dec-9000 23:59:59 +1400", 221_876_877_599),
        ] {
            assert_eq!(parse(text.as_bytes()), Some(time), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            " ",
            "17-Jul-1996",
            "17-Jul-1996 02:44:25",
            "17-Jul-1996 02:44:25 GMT",
            "17-Jul-1996 02:44:25 -07:00",
            "17-Jul-1996 02:44:25 -0760",
            "17-Jul-1996 02:44:25 -9900",
            "17-Jul-1996  02:44:25 -0700",
            "17-Jul-1996 02:44:25 -0700 x",
            "17-Jul-96 02:44:25 -0700",
            "31-Feb-2024 02:44:25 -0700",
            "0-Jul-1996 02:44:25 -0700",
            "17-Xxx-1996 02:44:25 -0700",
            "17-Jul-1996 24:44:25 -0700",
            "17-Jul-1996 02:44:61 -0700",
            "17-Jul-1996 2:44:25 -0700",
            "17-Jul-1996-1 02:44:25 -0700",
            "+7-Jul-1996 02:44:25 -0700",
            "31-Dec-1969 23:59:59 +0000",
            "01-Jan-1970 00:00:00 +0001",
            "Wed, 17 Jul 1996 02:44:25 -0700",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_date_is_written_as_it_is_read() {
        assert_eq!(written(837_596_665).unwrap(), "17-Jul-1996 09:44:25 +0000");
        assert_eq!(written(0).unwrap(), " 1-Jan-1970 00:00:00 +0000");
        assert_eq!(written(i64::MAX), None);
        assert_eq!(day(837_596_665, 0).unwrap(), "17-Jul-1996");
        assert_eq!(day(837_596_665, -17).unwrap(), "30-Jun-1996");
        assert_eq!(day(i64::MAX, 1), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(time in 0i64..253_400_000_000) {
            prop_assert_eq!(parse(written(time).unwrap().as_bytes()), Some(time));
        }

        #[test]
        fn each_time_is_read_as_it_is_written(
            time in 0i64..253_400_000_000,
            minutes in -720i32..=840,
        ) {
            let offset = Offset::from_seconds(minutes * 60).unwrap();
            let local = offset.to_datetime(Timestamp::from_second(time).unwrap());
            let month = MONTHS[usize::try_from(local.month() - 1).unwrap()];
            let sign = if minutes < 0 { '-' } else { '+' };
            let text = format!(
                "{:2}-{}-{:04} {:02}:{:02}:{:02} {sign}{:02}{:02}",
                local.day(),
                std::str::from_utf8(month).unwrap(),
                local.year(),
                local.hour(),
                local.minute(),
                local.second(),
                minutes.abs() / 60,
                minutes.abs() % 60,
            );
            prop_assert_eq!(parse(text.as_bytes()), Some(time), "{}", text);
        }

        #[test]
        fn any_octets_are_a_date_or_none(octets in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(time) = parse(&octets) {
                prop_assert!(time >= 0);
            }
        }
    }
}
