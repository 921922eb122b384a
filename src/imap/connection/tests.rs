use super::*;
use crate::imap::violation::LITERAL_LIMIT;
use crate::message::Flag;
use std::num::NonZeroU32;

/// Everything that a server's octets mean, in words, where they come in pieces of so many.
fn told(commands: &[Command<'_>], wire: &[u8], piece: usize) -> Vec<String> {
    let mut connection = Connection::new();
    let mut told = Vec::new();
    for command in commands {
        connection.send(*command, false).unwrap();
    }
    let mut pieces = wire.chunks(piece);
    loop {
        let event = match connection.next_event() {
            Ok(event) => event,
            Err(violation) => {
                told.push(format!("error: {violation}"));
                return told;
            }
        };
        if event != Event::NeedInput {
            let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
            let words = match event {
                Event::Octets(octets) => match told.last_mut() {
                    Some(last) if last.starts_with("octets ") => {
                        last.push_str(&text(octets));
                        continue;
                    }
                    _ => format!("octets {}", text(octets)),
                },
                Event::Status(Status { condition, text: t }) => {
                    format!("status {condition:?} {}", text(t))
                }
                Event::Done(Status { condition, text: t }) => {
                    format!("done {condition:?} {}", text(t))
                }
                Event::Challenge(challenge) => format!("challenge {}", text(challenge)),
                other => format!("{other:?}"),
            };
            told.push(words);
            continue;
        }
        let Some(piece) = pieces.next() else {
            return told;
        };
        let (_, space) = connection.buffers();
        space[..piece.len()].copy_from_slice(piece);
        connection.filled(piece.len());
    }
}

const SESSION: &[u8] = b"* OK [CAPABILITY IMAP4rev1] ready {5}\r\n\
* 3 EXISTS\r\n* OK [UIDVALIDITY 17] valid\r\n* LIST () {1}\r\n/ {5}\r\nIN\r\nX\r\n\
a1 OK [READ-ONLY] done\r\n\
* 1 FETCH (UID 5 RFC822.SIZE 12)\r\na2 OK\r\n\
* 1 FETCH (FLAGS (\\Seen) UID 5 BODY[] {12}\r\na2 OK\r\n* )\r\n X ({1}\r\na))\r\n\
* 2 FETCH (BODY[] \"a\\\"b\" UID 6)\r\na3 NO [UNAVAILABLE] later\r\n\
* BYE so long\r\n";

const EXAMINE: Command<'_> = Command::Examine("INBOX");
const FETCH: Command<'_> = Command::FetchBody(NonZeroU32::MIN);

#[test]
fn a_session_means_the_same_in_whatever_pieces_it_comes() {
    let commands = [EXAMINE, Command::FetchAll, FETCH];
    let whole = told(&commands, SESSION, 1 << 15);
    let begins =
        |octets, uid: &str| format!("Begins {{ section: Whole, octets: {octets}, uid: {uid} }}");
    let fetched = |uid, size, section, flags: Option<&[Flag]>| {
        let fetched = Fetched {
            uid: Some(uid),
            size,
            section,
            flags: flags.map(|flags| flags.iter().copied().collect()),
            ..Fetched::default()
        };
        format!("{:?}", Event::Fetched(fetched))
    };
    let whole_one = Some(Section::Whole);
    assert_eq!(
        whole,
        [
            "status Ok [CAPABILITY IMAP4rev1] ready {5}".to_owned(),
            "Data(Exists(3))".to_owned(),
            "status Ok [UIDVALIDITY 17] valid".to_owned(),
            format!(
                "{:?}",
                Event::Data(Data::List(b" () {1}\r\n/ {5}\r\nIN\r\nX"))
            ),
            "done Ok [READ-ONLY] done".to_owned(),
            fetched(5, Some(12), None, None),
            "done Ok ".to_owned(),
            begins(12, "Some(5)"),
            "octets a2 OK\r\n* )\r\n".to_owned(),
            fetched(5, None, whole_one, Some(&[Flag::Seen])),
            begins(3, "None"),
            "octets a\"b".to_owned(),
            fetched(6, None, whole_one, None),
            "done No [UNAVAILABLE] later".to_owned(),
            "status Bye so long".to_owned(),
        ]
    );
    for piece in 1..64 {
        assert_eq!(told(&commands, SESSION, piece), whole, "{piece}");
    }
}

fn error(commands: &[Command<'_>], wire: &[u8]) -> String {
    let words = told(commands, &[b"* OK\r\n", wire].concat(), 1000);
    words.last().cloned().unwrap_or_default()
}

#[test]
fn what_answers_nothing_is_an_error() {
    for (commands, wire, wrong) in [
        (&[][..], &b"a1 OK\r\n"[..], "another command"),
        (&[FETCH], b"a2 OK\r\n", "another command"),
        (&[FETCH, FETCH], b"a2 OK\r\n", "another command"),
        (&[FETCH], b"A1 OK\r\n", "another command"),
        (&[FETCH], b"a01 OK\r\n", "another command"),
        (&[FETCH], b"a1\r\n", "no response"),
        (&[FETCH], b"a1 BYE\r\n", "no response"),
        (&[FETCH], b"a1 FETCH\r\n", "no response"),
        (&[FETCH], b"\r\n", "no response"),
        (&[FETCH], b"+OK\r\n", "more of a command"),
        (&[FETCH], b"+ go on\r\n", "more of a command"),
        (
            &[FETCH],
            b"* 1 FETCH (UID 1 BODY[] {3}\r\nabcd)\r\n",
            "no response",
        ),
        (
            &[FETCH],
            b"* 1 FETCH (BODY[] {1}\r\na BODY[] {1}\r\nb)\r\n",
            "twice",
        ),
    ] {
        let found = error(commands, wire);
        assert!(
            found.starts_with("error: ") && found.contains(wrong),
            "{found}"
        );
    }
    for greeting in [
        &b"+OK ready\r\n"[..],
        b"* NO\r\n",
        b"* 1 EXISTS\r\n",
        b"a1 OK\r\n",
        b"\r\n",
    ] {
        let found = told(&[], greeting, 100);
        assert!(found[0].contains("greeting"), "{found:?}");
    }
}

#[test]
fn what_has_no_end_is_cut_short() {
    let endless = "x".repeat(200_000);
    for wire in [
        format!("* OK {endless}"),
        format!("a1 OK {endless}\r\n"),
        format!("* 1 FETCH (X ({endless}"),
        format!("* 1 FETCH (X {{{LITERAL_LIMIT}}}\r\n").repeat(10) + &endless,
    ] {
        let found = error(&[FETCH], wire.as_bytes());
        assert!(
            found.starts_with("error: "),
            "{}",
            &found[..60.min(found.len())]
        );
    }
    for announced in [
        "* 1 FETCH (X {8193}\r\n",
        "* LIST () {99999999}\r\n",
        "* 1 FETCH (BODY[] {18446744073709551615}\r\n",
    ] {
        let found = error(&[FETCH], announced.as_bytes());
        assert!(found.contains("none may be so long"), "{found}");
    }
    let nested = format!("* 1 FETCH (X {}\r\n", "(".repeat(1000));
    assert!(error(&[FETCH], nested.as_bytes()).contains("too deeply"));
    let literals = "* 1 FETCH (X (".to_owned() + &"{0}\r\n ".repeat(1000);
    assert!(error(&[FETCH], literals.as_bytes()).contains("none may be so long"));
    let answers = "* 1 EXISTS\r\n".repeat(RESPONSES_LIMIT + 1);
    assert!(error(&[FETCH], answers.as_bytes()).contains("without end"));
}

#[test]
fn a_literal_of_ours_waits_for_the_servers_word_and_is_kept_where_it_refuses() {
    let login = Command::Login("ada", "pässword");
    for (answer, sent) in [
        ("+ go on\r\n", "pässword\r\n"),
        ("a1 NO not here\r\n", ""),
        ("* OK hm\r\n", ""),
    ] {
        let mut connection = Connection::continued();
        connection.send(login, false).unwrap();
        let (output, space) = connection.buffers();
        assert_eq!(output, b"a1 LOGIN \"ada\" {9}\r\n");
        let length = output.len();
        space[..answer.len()].copy_from_slice(answer.as_bytes());
        connection.sent(length);
        connection.filled(answer.len());
        while connection.next_event().unwrap() != Event::NeedInput {}
        assert_eq!(connection.buffers().0, sent.as_bytes());
    }
}

#[test]
fn a_challenge_is_one_only_to_a_dialogue() {
    let authenticate = Command::Authenticate {
        mechanism: "PLAIN",
        initial_response: None,
    };
    for (wire, challenge) in [
        ("+ \r\n", ""),
        ("+\r\n", ""),
        ("+ AbC=\r\n", "AbC="),
        ("+AbC=\r\n", "AbC="),
    ] {
        let found = error(&[authenticate], wire.as_bytes());
        assert_eq!(found, format!("challenge {challenge}"));
    }
}
