//! When a message was sent, or came to the server, for the time of its file.

use super::Header;
use std::time::{SystemTime, UNIX_EPOCH};

/// No mail is older than the form of its dates (RFC 822, August 1982), in seconds since 1970: what says
/// otherwise was written by a program without a clock.
const EARLIEST: i64 = 397_699_200;

/// So far ahead of ours another machine's clock may be, in seconds. What is sent from farther in the
/// future would stand at the top of a list that goes by time until then.
const AHEAD: i64 = 24 * 60 * 60;

/// When the message with this header was sent, in seconds since 1970: by its Date, or by the newest of its
/// Received fields where the Date is missing, cannot be read, or cannot be. `None` where that is no better.
pub fn time_of(header: &[u8]) -> Option<i64> {
    time_until(header, now())
}

/// When the server got a message, as it says; `None` where that cannot be.
pub fn credible(received: i64) -> Option<i64> {
    is_credible(received, now()).then_some(received)
}

/// When the server that has the message got it, by the first of its Received fields, or else when it was
/// sent, in seconds since 1970; `None` where neither can be.
pub fn arrival_of(header: &[u8]) -> Option<i64> {
    let received = Header::read(header)?.received();
    received.and_then(credible).or_else(|| time_of(header))
}

fn now() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

fn time_until(header: &[u8], now: i64) -> Option<i64> {
    let header = Header::read(header)?;
    let by_date = header.date().filter(|time| is_credible(*time, now));
    by_date.or_else(|| header.received().filter(|time| is_credible(*time, now)))
}

fn is_credible(time: i64, now: i64) -> bool {
    (EARLIEST..=now.saturating_add(AHEAD)).contains(&time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_as_old_as_its_date_or_else_its_newest_received_field_says() {
        const NOW: i64 = 1_795_500_000;
        const GOOD: &str = "Date: Mon, 23 Nov 2026 09:10:11 +0200\n";
        const RECEIVED: &str = "Received: by a; Mon, 23 Nov 2026 09:10:12 +0200\nReceived: by b; Mon, 23 \
                                Nov 2020 09:10:11 +0200\n";
        let time = |header: String| time_until(header.as_bytes(), NOW);
        let (date, received) = (1_795_417_811, 1_795_417_812);
        assert_eq!(time(format!("{RECEIVED}{GOOD}\nbody")), Some(date));
        assert_eq!(time(format!("{GOOD}\n")), Some(date));
        for absurd in [
            "",
            "Date: soon\n",
            "Date:\n",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000\n",
            "Date: Mon, 23 Nov 1970 09:10:11 +0000\n",
            "Date: Fri, 23 Nov 2096 09:10:11 +0000\n",
            "Date: Mon, 23 Nov 2026 09:10:11 +0200\nDate: Mon, 23 Nov 2020 09:10:11 +0200\n",
        ] {
            assert_eq!(
                time(format!("{RECEIVED}{absurd}\n")),
                Some(received),
                "{absurd}"
            );
            assert_eq!(time(format!("Subject: x\n{absurd}\n")), None, "{absurd}");
        }
        assert_eq!(time(String::new()), None);
    }
}
