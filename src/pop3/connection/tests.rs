//! Transcripts for the connection, each fed whole and split at every octet.

use super::*;
use crate::pop3::listing::MessageNumber;
use proptest::prelude::*;

fn retr(number: u32, octets: u64) -> Command<'static> {
    Command::Retr(MessageNumber::new(number).unwrap(), octets)
}

/// The first line of these octets and whether it ended in CRLF, and how many octets are left.
fn first_line(octets: &[u8]) -> (Option<(Vec<u8>, bool)>, usize) {
    let mut connection = Connection::new();
    connection.space()[..octets.len()].copy_from_slice(octets);
    connection.filled(octets.len());
    let line = connection.take_line();
    let line = line.map(|(range, crlf)| (connection.input.lent(range).to_vec(), crlf));
    (line, connection.input.waiting().len())
}

#[test]
fn a_line_ends_in_crlf_or_in_a_bare_lf() {
    let line = |crlf| Some((b"+OK".to_vec(), crlf));
    assert_eq!(first_line(b"+OK\r\nx"), (line(true), 1));
    assert_eq!(first_line(b"+OK\nx"), (line(false), 1));
}

#[test]
fn a_carriage_return_alone_ends_nothing() {
    assert_eq!(first_line(b"+OK\r"), (None, 4));
    assert_eq!(first_line(b"a\rb\r\n").0.unwrap().0, b"a\rb");
}

/// What came of a transcript, one line an event; adjoining body chunks are joined.
fn told(commands: &[Command<'_>], wire: &[u8], sizes: &[usize]) -> Vec<String> {
    let mut connection = Connection::new();
    for command in commands {
        connection.send(*command).unwrap();
    }
    let mut story: Vec<String> = Vec::new();
    let mut body: Option<Vec<u8>> = None;
    let mut rest = wire;
    let mut sizes = sizes.iter().copied().cycle();
    loop {
        let event = match connection.next_event() {
            Ok(event) => event,
            Err(violation) => {
                story.push(format!("violation: {violation}"));
                return story;
            }
        };
        if let Event::Body(octets) = event {
            body.get_or_insert_default().extend(octets);
            continue;
        }
        let line = match event {
            Event::Reply(reply) => {
                format!(
                    "{} {}",
                    if reply.ok { "ok" } else { "err" },
                    reply.text.escape_ascii()
                )
            }
            Event::Challenge(text) => format!("challenge {}", text.escape_ascii()),
            Event::Line(line) => format!("line {}", line.escape_ascii()),
            Event::OverlongLine => "overlong".into(),
            Event::End | Event::MessageEnd(_) => "end".into(),
            Event::NeedInput if rest.is_empty() => return story,
            Event::NeedInput => {
                let size = sizes.next().unwrap().min(rest.len());
                let space = connection.space();
                let size = size.min(space.len());
                space[..size].copy_from_slice(&rest[..size]);
                connection.filled(size);
                rest = &rest[size..];
                continue;
            }
            Event::Body(_) => unreachable!(),
        };
        if let Some(body) = body.take() {
            story.push(format!("body {}", body.escape_ascii()));
        }
        story.push(line);
    }
}

/// The story, which must be the same whatever the split.
fn story(commands: &[Command<'_>], wire: &[u8]) -> Vec<String> {
    let whole = told(commands, wire, &[wire.len().max(1)]);
    for size in [1, 2, 3, 7] {
        assert_eq!(told(commands, wire, &[size]), whole, "in pieces of {size}");
    }
    for first in 1..wire.len().min(400) {
        assert_eq!(
            told(commands, wire, &[first, wire.len()]),
            whole,
            "cut at {first}"
        );
    }
    whole
}

#[test]
fn pipelined_replies_are_told_in_the_order_of_the_commands() {
    let commands = [
        Command::Stat,
        Command::Uidl,
        retr(1, 9),
        retr(2, 0),
        retr(3, 3),
    ];
    let wire = b"+OK hello\r\n+OK 3 320\r\n+OK\r\n1 a\r\n..2 b\r\n.\r\n\
        +OK 9 octets\r\nSubject: \xff\r\n..\r\n.\r\n-ERR gone\r\n+OK\r\n\r\n.\r\n";
    assert_eq!(
        story(&commands, wire),
        [
            "ok hello",
            "ok 3 320",
            "ok ",
            "line 1 a",
            "line .2 b",
            "end",
            "ok 9 octets",
            "body Subject: \\xff\\r\\n.\\r\\n",
            "end",
            "err gone",
            "ok ",
            "body \\r\\n",
            "end",
        ]
    );
}

#[test]
fn s42_an_err_line_inside_a_message_is_the_messages_own() {
    let told = story(&[retr(1, 5)], b"+OK\r\n+OK\r\nfirst\r\n-ERR disk\r\n.\r\n");
    assert_eq!(
        told,
        ["ok ", "ok ", "body first\\r\\n-ERR disk\\r\\n", "end"]
    );
}

#[test]
fn s41_a_line_that_answers_nothing_is_a_violation() {
    let told = story(&[Command::Noop], b"+OK\r\n+OK\r\n+OK twice\r\n");
    let violation = "violation: the server sent something that answers no command";
    assert_eq!(told, ["ok ", "ok ", violation]);
}

#[test]
fn s41_an_answer_that_came_before_the_question_is_a_violation() {
    let mut connection = Connection::new();
    let early = b"+OK hello\r\n-ERR early\r\n";
    connection.space()[..early.len()].copy_from_slice(early);
    connection.filled(early.len());
    assert!(matches!(connection.next_event(), Ok(Event::Reply(_))));
    connection.send(Command::Capa).unwrap();
    assert_eq!(connection.next_event(), Err(Violation::Unsolicited));
    assert_eq!(
        connection.next_event(),
        Err(Violation::Unsolicited),
        "and stays one"
    );
}

#[test]
fn s41_only_what_says_nothing_may_stand_between_the_answers_before_messages() {
    for (between, next, told) in [
        ("+OK\r\n", Command::Stat, Ok(Event::NeedInput)),
        ("\r\n+OK hello\r\n", Command::Stat, Ok(Event::NeedInput)),
        ("-ERR\r\n", Command::Stat, Err(Violation::Unsolicited)),
        ("1 300\r\n", Command::Stat, Err(Violation::Unsolicited)),
        ("+OK", Command::Stat, Err(Violation::Unsolicited)),
        ("+OK\r\n", Command::Stls, Err(Violation::Unsolicited)),
        ("\r\n", Command::Stls, Err(Violation::Unsolicited)),
        ("+OK\r\n", Command::Quit, Ok(Event::NeedInput)),
        ("+OK\r\n", retr(1, 0), Ok(Event::NeedInput)),
        ("\r", retr(1, 0), Err(Violation::Idle)),
        ("\r", Command::Stat, Ok(Event::NeedInput)),
        (" \r\n\r\r\n", Command::Stat, Ok(Event::NeedInput)),
        ("\r\n.\r\n", retr(1, 0), Err(Violation::Unsolicited)),
        (
            &"\r\n".repeat(5),
            Command::Stat,
            Err(Violation::Unsolicited),
        ),
    ] {
        let mut connection = Connection::continued();
        connection.send(Command::Pass("secret")).unwrap();
        let came = format!("+OK\r\n{between}");
        connection.space()[..came.len()].copy_from_slice(came.as_bytes());
        connection.filled(came.len());
        assert!(matches!(connection.next_event(), Ok(Event::Reply(_))));
        connection.send(next).unwrap();
        assert_eq!(connection.next_event(), told, "{between:?} {next:?}");
    }
}

#[test]
fn s8_a_greeting_that_is_not_pop3_is_a_violation_with_its_text_escaped() {
    let told = story(&[], b"220 smtp \x1b[2J\r\n");
    let violation = r#"violation: the server sent "220 smtp \x1b[2J" where +OK or -ERR must stand"#;
    assert_eq!(told, [violation]);
}

#[test]
fn s30_a_status_line_without_end_is_given_up_early() {
    let endless = vec![b'+'; 2 * STATUS_LIMIT];
    let told = told(&[], &endless, &[1000]);
    assert_eq!(
        told,
        ["violation: the server sent a line of more than 8192 bytes"]
    );
}

#[test]
fn s31_one_overlong_line_of_a_listing_spoils_itself_alone() {
    let long = [b"2 ".as_slice(), &vec![b'x'; 200_000], b"\r\n"].concat();
    let wire = [b"+OK\r\n+OK\r\n1 a\r\n", long.as_slice(), b"3 c\r\n.\r\n"].concat();
    for size in [1000, wire.len()] {
        let told = told(&[Command::Uidl], &wire, &[size]);
        assert_eq!(
            told,
            ["ok ", "ok ", "line 1 a", "overlong", "line 3 c", "end"]
        );
    }
}

#[test]
fn s31_a_listing_line_without_end_is_given_up() {
    let wire = [b"+OK\r\n+OK\r\n1 ".as_slice(), &vec![b'x'; 3 << 20]].concat();
    let told = told(&[Command::Uidl], &wire, &[60_000]);
    assert_eq!(
        told.last().unwrap(),
        "violation: the server sent a line of more than 1048576 bytes"
    );
}

#[test]
fn r27_challenges_are_told_apart_from_the_final_reply() {
    let auth = Command::Auth {
        mechanism: "PLAIN",
        initial_response: None,
    };
    let wire = b"+OK hello\r\n+ \r\n+\r\n+ Zm9v\r\n+OK in\r\n";
    assert_eq!(
        story(&[auth], wire),
        [
            "ok hello",
            "challenge ",
            "challenge ",
            "challenge Zm9v",
            "ok in"
        ]
    );
}

#[test]
fn q11_a_server_that_ends_lines_with_bare_lf_is_understood() {
    let told = story(
        &[Command::Uidl, retr(1, 99)],
        b"+OK\n+OK\n1 a\n.\n+OK\nHi\n\n..x\n.\n",
    );
    assert_eq!(
        told,
        [
            "ok ",
            "ok ",
            "line 1 a",
            "end",
            "ok ",
            "body Hi\\n\\n.x\\n",
            "end"
        ]
    );
}

#[test]
fn what_was_sent_leaves_the_output() {
    let mut connection = Connection::new();
    connection.send(Command::User("ada")).unwrap();
    connection.send(Command::Quit).unwrap();
    assert_eq!(connection.buffers().0, b"USER ada\r\nQUIT\r\n");
    connection.sent(10);
    assert_eq!(connection.buffers().0, b"QUIT\r\n");
    assert_eq!(connection.pending(), 3);
}

/// Pieces of what servers say, so that chance gets beyond the first line, among any octets at all.
fn anything() -> impl Strategy<Value = Vec<u8>> {
    const WORDS: &[&str] = &[
        "+OK",
        "-ERR",
        "+ ",
        " ",
        "\r\n",
        "\n",
        "\r",
        ".",
        "..",
        "\r\n.\r\n",
        "[AUTH]",
        "[",
        "1 2",
        "4294967296",
        "\0",
        "\u{202e}",
        "AAAA",
    ];
    let piece = prop_oneof![
        4 => proptest::sample::select(WORDS).prop_map(|word| word.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn s43_no_octets_and_no_split_of_them_make_it_fail_or_tell_another_story(
        wire in anything(),
        sizes in proptest::collection::vec(1_usize..30, 1..5),
    ) {
        let auth = Command::Auth { mechanism: "PLAIN", initial_response: None };
        for commands in [
            &[Command::Capa][..],
            &[Command::Uidl, Command::List, Command::Stat],
            &[retr(1, 10), retr(2, 0), Command::Top(MessageNumber::new(3).unwrap(), 0)],
            &[auth, Command::Quit],
        ] {
            let whole = told(commands, &wire, &[usize::MAX]);
            prop_assert_eq!(&told(commands, &wire, &sizes), &whole);
        }
    }
}

#[test]
fn r24_a_connection_after_stls_waits_for_no_greeting_and_has_nothing_left() {
    let mut connection = Connection::new();
    let feed = |connection: &mut Connection, octets: &[u8]| {
        connection.space()[..octets.len()].copy_from_slice(octets);
        connection.filled(octets.len());
    };
    feed(&mut connection, b"+OK\r\nmore");
    assert!(matches!(connection.next_event(), Ok(Event::Reply(_))));
    assert!(!connection.is_drained());
    let mut connection = Connection::continued();
    assert!(connection.is_drained());
    assert_eq!(connection.pending(), 0);
    connection.send(Command::Stat).unwrap();
    feed(&mut connection, b"+OK 0 0\r\n");
    assert!(matches!(connection.next_event(), Ok(Event::Reply(reply)) if reply.ok));
    assert!(connection.is_drained());
}
