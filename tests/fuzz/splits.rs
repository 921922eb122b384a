use crate::entry::body;
use crate::entry::connection::{Asked, Broken, Told, asked, check, conversation, told};
use crate::sessions::{ALL, BROKEN, Session};
use popfetch::pop3::line::{ENDLESS_LINE, LISTING_LINE_LIMIT, STATUS_LIMIT};

/// The story of a transcript, which is the reference's, glued together and split anywhere: at one
/// place, after every octet, and into pieces of some sizes.
#[track_caller]
fn story(asked: &[Asked], wire: &[u8], name: &str) -> Vec<Told> {
    let story = check(asked, wire, &[2, 3, 7]);
    for first in 1..wire.len() {
        let split = told(asked, wire, &[first, wire.len()]);
        assert_eq!(split.story, story, "{name}, cut at {first}");
    }
    story
}

fn bodies(story: &[Told]) -> Vec<&[u8]> {
    let mut bodies = Vec::new();
    for told in story {
        if let Told::Body(octets) = told {
            bodies.push(octets.as_slice());
        }
    }
    bodies
}

#[test]
fn s39_f9_every_session_is_understood_alike_however_it_is_split() {
    for session in ALL {
        let told = story(&session.asked(), &session.wire(), session.name);
        assert_eq!(bodies(&told), session.messages, "{}", session.name);
        let violated = told.iter().any(|told| matches!(told, Told::Violation(_)));
        assert!(!violated, "{}: {told:?}", session.name);
    }
}

#[test]
fn s39_f9_a_session_is_the_same_one_command_at_a_time_and_all_at_once() {
    for session in ALL {
        let Session {
            greeting,
            exchanges,
            ..
        } = session;
        let at_once = told(&session.asked(), &session.wire(), &[usize::MAX]).story;
        let longest = session.wire().len();
        for first in 1..longest.min(200) {
            let told = conversation(greeting, exchanges, &[first, longest]);
            assert_eq!(told, at_once, "{}, in pieces of {first}", session.name);
        }
    }
}

#[test]
fn s41_f9_a_broken_session_is_broken_at_the_same_place_however_it_is_split() {
    for (letters, wire) in BROKEN {
        let asked = asked(letters);
        story(&asked, wire, &wire.escape_ascii().to_string());
        for (first, second) in (0..wire.len()).flat_map(|a| (a..wire.len()).map(move |b| (a, b))) {
            let sizes = [first, second - first, wire.len()];
            check(&asked, wire, &sizes);
        }
    }
}

#[test]
fn s41_after_a_line_that_is_no_status_nothing_more_is_told() {
    let heard = told(&asked(b"SS"), b"+OK\r\n+OKAY\r\n+OK 1 2\r\n+OK\r\n", &[99]);
    let ok = Told::Reply(true, Vec::new());
    assert_eq!(heard.story, [ok, Told::Violation(Broken::NoStatus)]);
}

/// All strings of up to `length` of the octets that matter, and one that does not.
fn strings(length: usize) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = vec![Vec::new()];
    let mut from = 0;
    for _ in 0..length {
        let to = all.len();
        for at in from..to {
            for octet in b".\r\na" {
                all.push([&all[at][..], &[*octet]].concat());
            }
        }
        from = to;
    }
    all
}

#[test]
fn s39_every_short_message_is_decoded_bit_for_bit_whatever_the_split() {
    let strings = strings(5);
    assert_eq!(strings.len(), 1365);
    for string in strings {
        let wire = [&string[..], b"\r\n.\r\n"].concat();
        for (listed, crlf) in [(0, true), (4, true), (1000, true), (0, false)] {
            let expected = body::decoded(&wire, listed, crlf);
            assert!(expected.complete);
            for first in 1..=wire.len() {
                let status = if crlf { 10 } else { 8 };
                let received = body::received(listed, crlf, &wire, &[status + first, 99]);
                let wire = wire.escape_ascii();
                assert_eq!(received, expected, "{wire} of {listed}, cut at {first}");
            }
        }
    }
}

#[test]
fn s39_a_message_comes_out_as_it_went_in() {
    for message in strings(5) {
        // What the sender does: a dot before each line that begins with one.
        let mut wire = Vec::new();
        for line in message.split_inclusive(|octet| *octet == b'\n') {
            if line.starts_with(b".") {
                wire.push(b'.');
            }
            wire.extend(line);
        }
        let mut expected = message.clone();
        if !message.is_empty() && !message.ends_with(b"\r\n") {
            expected.extend(b"\r\n");
            wire.extend(b"\r\n");
        }
        wire.extend(b".\r\n");
        let received = body::received(expected.len() as u64, true, &wire, &[1]);
        let name = message.escape_ascii();
        assert_eq!(received.content, expected, "{name}");
        assert!(received.complete, "{name}");
    }
}

#[test]
fn s30_the_longest_status_line_is_the_same_however_it_is_split() {
    for longer in 0..4 {
        let line = [b"+OK ".as_slice(), &[b'x'; STATUS_LIMIT - 6]].concat();
        let line = [&line[..], &b"xxxx"[..longer], b"\r\n+OK\r\n"].concat();
        for split in [
            line.len() - 8,
            line.len() - 7,
            line.len() - 6,
            line.len() - 5,
        ] {
            let told = check(&asked(b"N"), &line, &[split, 1]);
            let endless = told == [Told::Violation(Broken::EndlessLine)];
            assert_eq!(endless, longer > 1, "{longer} longer, cut at {split}");
        }
    }
}

#[test]
fn s31_the_longest_line_of_a_listing_is_the_same_however_it_is_split() {
    for (longer, end) in [(0, "\r\n"), (1, "\r\n"), (0, "\n"), (1, "\n"), (2, "\n")] {
        let line = [b"1 ".as_slice(), &[b'x'; LISTING_LINE_LIMIT - 2]].concat();
        let line = [&line[..], &b"xx"[..longer], end.as_bytes()].concat();
        let wire = [b"+OK\r\n+OK\r\n".as_slice(), &line, b"2 b\r\n.\r\n"].concat();
        let around = 10 + LISTING_LINE_LIMIT;
        for first in around - 3..around + 5 {
            let told = check(&asked(b"U"), &wire, &[first, 1, wire.len()]);
            assert_eq!(told[2] == Told::OverlongLine, longer > 0, "cut at {first}");
            assert_eq!(told[3..], [Told::Line(b"2 b".to_vec()), Told::End]);
        }
    }
}

#[test]
fn s31_a_listing_line_is_endless_at_the_same_length_however_it_is_split() {
    let endless = usize::try_from(ENDLESS_LINE).unwrap();
    for longer in 0..2 {
        let line = vec![b'x'; endless + longer];
        let wire = [b"+OK\r\n+OK\r\n".as_slice(), &line, b"\n2 b\r\n.\r\n"].concat();
        for sizes in [&[usize::MAX][..], &[60_000, 7], &[1000]] {
            let told = told(&asked(b"U"), &wire, sizes).story;
            let violated = told[2] == Told::Violation(Broken::EndlessLine);
            assert_eq!(violated, longer > 0, "in {sizes:?}");
            assert_eq!(told.len(), if violated { 3 } else { 5 });
        }
    }
}
