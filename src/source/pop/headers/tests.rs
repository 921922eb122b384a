use super::*;
use crate::source::pop::testing::session;

type Read = Vec<(u32, Option<String>)>;

fn numbers(last: u32) -> impl Iterator<Item = MessageNumber> {
    (1..=last).filter_map(MessageNumber::new)
}

/// The headers of so many messages, read twice over, and all commands that this took.
fn read(pipelining: bool, last: u32, answer: fn(&str) -> Vec<u8>) -> (Read, Vec<String>) {
    let (mut session, heard) = session(pipelining, answer);
    let mut read = Vec::new();
    for _ in 0..2 {
        read.clear();
        let each = |number: MessageNumber, header: Option<Vec<u8>>| {
            let header = header.map(|header| String::from_utf8(header).unwrap());
            read.push((number.value(), header));
        };
        session.headers(numbers(last), 100, each).unwrap();
    }
    let heard = heard.lock().unwrap().clone();
    (read, heard)
}

fn header_of(command: &str) -> Vec<u8> {
    let number = command.split(' ').nth(1).unwrap();
    format!("+OK\r\nSubject: {number}\r\n\r\n.\r\n").into()
}

fn all(last: u32) -> Read {
    let header = |n| (n, Some(format!("Subject: {n}\r\n\r\n")));
    (1..=last).map(header).collect()
}

#[test]
fn e_5_headers_come_in_their_order_however_many_they_are() {
    for pipelining in [true, false] {
        let (headers, heard) = read(pipelining, 2500, header_of);
        assert_eq!(headers, all(2500));
        assert_eq!(heard.len(), 5000);
    }
}

#[test]
fn a_server_that_takes_no_top_of_0_lines_is_asked_for_1_from_there_on() {
    fn answer(command: &str) -> Vec<u8> {
        match command.ends_with(" 0") {
            true => b"-ERR how many?\r\n".to_vec(),
            false => header_of(command),
        }
    }
    for (pipelining, refused) in [(true, 5), (false, 1)] {
        let (headers, heard) = read(pipelining, 5, answer);
        assert_eq!(headers, all(5));
        let of_none = heard.iter().filter(|command| command.ends_with(" 0"));
        assert_eq!(of_none.count(), refused, "{heard:?}");
    }
}

#[test]
fn a_message_that_is_refused_costs_no_other_its_header() {
    fn answer(command: &str) -> Vec<u8> {
        match command {
            "TOP 1 0" | "TOP 1 1" | "TOP 3 0" => b"-ERR no\r\n".to_vec(),
            _ => header_of(command),
        }
    }
    for pipelining in [true, false] {
        let (headers, heard) = read(pipelining, 4, answer);
        let mut expected = all(4);
        expected[0].1 = None;
        expected[2].1 = None;
        assert_eq!(headers, expected);
        assert!(!heard.contains(&"TOP 3 1".to_owned()), "{heard:?}");
    }
}

#[test]
fn a_server_without_top_is_asked_in_the_other_way_once() {
    for pipelining in [true, false] {
        let (headers, heard) = read(pipelining, 3, |_| b"-ERR what?\r\n".to_vec());
        assert_eq!(headers, [(1, None), (2, None), (3, None)]);
        let other = heard.iter().filter(|command| command.ends_with(" 1"));
        assert_eq!(other.count(), 1, "{heard:?}");
    }
}

#[test]
fn of_a_server_that_sends_the_whole_message_the_header_is_kept() {
    fn answer(_: &str) -> Vec<u8> {
        let body = "a line of the body\r\n".repeat(10_000);
        format!("+OK\r\nSubject: x\r\n\r\n{body}.\r\n").into()
    }
    let (headers, _) = read(true, 2, answer);
    assert_eq!(headers[1], (2, Some("Subject: x\r\n\r\n".into())));
}

#[test]
fn a_header_is_kept_up_to_the_limit() {
    let (headers, _) = read(true, 1, |_| {
        format!("+OK\r\nSubject: {}\r\n\r\n.\r\n", "x".repeat(500)).into()
    });
    assert_eq!(headers[0].1.as_ref().unwrap().len(), 100);
}

#[test]
fn a_header_ends_at_its_first_empty_line() {
    for (message, header) in [
        ("a: b\r\n\r\nbody\r\n", "a: b\r\n\r\n"),
        ("a: b\n\nbody\n\n", "a: b\n\n"),
        ("\r\nbody\r\n\r\n", "\r\n"),
        ("a: b\r\n c\r\n", "a: b\r\n c\r\n"),
        ("", ""),
    ] {
        assert_eq!(header_length(message.as_bytes()), header.len());
    }
}

#[test]
fn b2_a_server_in_trouble_is_asked_for_no_more_headers() {
    fn answer(command: &str) -> Vec<u8> {
        match command {
            "TOP 3 0" => b"-ERR [SYS/TEMP] later\r\n".to_vec(),
            _ => header_of(command),
        }
    }
    let (mut session, heard) = session(false, answer);
    let mut read = Vec::new();
    let each = |number: MessageNumber, header: Option<Vec<u8>>| {
        read.push((number.value(), header.is_some()));
    };
    session.headers(numbers(5), 100, each).unwrap();
    let wanted = [(1, true), (2, true), (3, false), (4, false), (5, false)];
    assert_eq!(read, wanted);
    let last = heard.lock().unwrap().last().cloned();
    assert_eq!(last.as_deref(), Some("TOP 3 0"));
}

#[test]
fn b2_trouble_says_nothing_of_what_top_takes() {
    // Refused at first, whatever it is asked for.
    let mut refusals = 1;
    let answer = move |command: &str| match command {
        "TOP 1 0" if refusals > 0 => {
            refusals -= 1;
            b"-ERR server busy\r\n".to_vec()
        }
        _ => header_of(command),
    };
    let (mut session, heard) = session(false, answer);
    session.headers(numbers(2), 100, |_, _| ()).unwrap();
    let mut read = 0;
    let each = |_, header: Option<Vec<u8>>| read += u32::from(header.is_some());
    session.headers(numbers(2), 100, each).unwrap();
    assert_eq!(read, 2);
    assert!(!heard.lock().unwrap().contains(&"TOP 1 1".to_owned()));
}
