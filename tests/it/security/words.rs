use std::process::Output;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;

use crate::given::{assert_said, command, run, serving};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::message::Message;
use crate::support::series::mixed;

/// Octets that do something to a terminal or to a reader's eye, in pieces short enough to be
/// shown whole. LF is none of them, because it ends a line of the protocol.
fn nasty() -> Vec<Vec<u8>> {
    let raw = (0u8..=0x1f).filter(|octet| *octet != b'\n');
    let c0: Vec<u8> = raw.chain([0x7f]).flat_map(|octet| [octet, b'.']).collect();
    let c1: Vec<u8> = (0x80..=0x9f).flat_map(|octet| [octet, b'.']).collect();
    let text = |characters: &[char]| -> Vec<u8> {
        let dotted = characters.iter().map(|c| format!("{c}."));
        dotted.collect::<String>().into_bytes()
    };
    let c1_as_utf8: Vec<char> = ('\u{80}'..='\u{9f}').collect();
    let reordering: Vec<char> = ('\u{202a}'..='\u{202e}')
        .chain('\u{2066}'..='\u{2069}')
        .chain(['\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}'])
        .collect();
    let invisible: Vec<char> = ('\u{200b}'..='\u{200d}')
        .chain([
            '\u{2060}', '\u{feff}', '\u{ad}', '\u{180e}', '\u{115f}', '\u{3164}',
        ])
        .chain(['\u{e0001}', '\u{e0041}', '\u{e007f}'])
        .collect();
    vec![
        c0,
        c1,
        text(&c1_as_utf8),
        text(&reordering),
        text(&invisible),
        b"\x1b]8;;http://example.com\x1b\\click\x1b]8;;\x1b\\ \x1b]52;c;aGk=\x07 \x1b[2J\x1b[1;1H"
            .to_vec(),
        b"all is well\rerror: \x08\x08\x08 \x9b2J \x9d0;title\x9c".to_vec(),
        b"\xff\xfe \xc3\x28 \xf0\x9f\x92 \xed\xa0\x80 \xc0\x80 \xf8\x88\x80\x80\x80".to_vec(),
        b"%s%n%x%d ${HOME} `id` $(id) \\ \" '".to_vec(),
    ]
}

/// Whether a character must never be printed. A list of its own, not the program's.
fn is_bad(c: char) -> bool {
    let code = u32::from(c);
    (c.is_control() && c != '\n')
        || (0x202a..=0x202e).contains(&code)
        || (0x2060..=0x206f).contains(&code)
        || (0x200b..=0x200f).contains(&code)
        || (0xe0000..=0xe0fff).contains(&code)
        || [0xad, 0x61c, 0x115f, 0x180e, 0x2028, 0x2029, 0x3164, 0xfeff].contains(&code)
}

/// Fails unless both streams are text that does nothing to a terminal, and JSON where it is said
/// to be.
#[track_caller]
fn assert_harmless(output: &Output, json: bool, status: &[i32]) {
    for octets in [&output.stdout, &output.stderr] {
        let text = std::str::from_utf8(octets);
        let text = text.unwrap_or_else(|e| panic!("{e}: {}", octets.escape_ascii()));
        let bad = text.chars().find(|c| is_bad(*c));
        assert_eq!(bad, None, "{text:?}");
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
    let code = output.status.code().unwrap();
    assert!(status.contains(&code), "{code}: {stderr}");
    if json {
        let stdout = std::str::from_utf8(&output.stdout).unwrap();
        for line in stdout.lines() {
            let object: Value = serde_json::from_str(line).unwrap();
            assert!(object["event"].is_string(), "{line}");
        }
    }
}

const WAYS: [&[&str]; 5] = [
    &["-v"],
    &["-vv"],
    &["-q"],
    &["-v", "--format", "json"],
    &["-vv", "--format", "json"],
];

fn said(status: &str, words: &[u8]) -> Reply {
    Reply::raw([status.as_bytes(), b" ", words, b"\r\n"].concat())
}

#[test]
fn s43_s45_what_a_refusing_server_says_is_never_printed_raw() {
    type Place = fn(&[u8]) -> Behaviour;
    const PLACES: [Place; 7] = [
        |words| Behaviour::new().greeting([b"-ERR ", words, b"\r\n"].concat()),
        |words| Behaviour::new().greeting([words, b"\r\n"].concat()),
        |words| Behaviour::new().on("AUTH", said("-ERR", words)),
        |words| Behaviour::new().on("AUTH", said("+", words)),
        |words| Behaviour::new().on("STAT", said("-ERR", words)),
        |words| Behaviour::new().on("LIST", said("-ERR", words)),
        |words| Behaviour::new().on("LIST", said("", words)),
    ];
    let nasty = nasty();
    for [words, place, way] in mixed([nasty.len(), PLACES.len(), WAYS.len()], 63) {
        let (behaviour, way) = (PLACES[place](&nasty[words]), WAYS[way]);
        let (_server, home) = serving(vec![Message::from_lf("u", "a: b\n")], behaviour);
        let output = command(&home, way).output().unwrap();
        assert_harmless(&output, way.contains(&"json"), &[75, 76, 77]);
    }
}

/// A message whose header holds the words raw and encoded, and whose unique-id holds them, too.
fn bearing(words: &[u8]) -> Message {
    let base64 = BASE64_STANDARD.encode(words);
    let quoted: String = words.iter().map(|octet| format!("={octet:02X}")).collect();
    let header = [
        b"From: \"".as_slice(),
        words,
        b"\" <ada@example.com>\r\nSubject: ",
        words,
        format!(" =?utf-8?b?{base64}?= =?iso-8859-1?q?{quoted}?=\r\n").as_bytes(),
        format!("Message-ID: <../../{base64}@example.com>\r\n").as_bytes(),
        b"Date: ",
        words,
        b"\r\n\r\nbody\r\n",
    ]
    .concat();
    // The listing's words may neither begin with a space nor hold an LF.
    Message::new([b"u".as_slice(), words].concat(), header)
}

#[test]
fn s43_s45_s59_what_messages_and_listings_say_is_never_printed_raw() {
    let nasty = nasty();
    for [words, way] in mixed([nasty.len(), WAYS.len()], 18) {
        let (words, way) = (nasty[words].clone(), WAYS[way]);
        let tag = [b"IMPLEMENTATION ".as_slice(), &words].concat();
        let capabilities = [
            b"+OK ".as_slice(),
            &words,
            b"\r\nUIDL\r\nTOP\r\n",
            &tag,
            b"\r\n.\r\n",
        ];
        let greeting = [b"+OK ".as_slice(), &words, b"\r\n"].concat();
        let behaviour = Behaviour::new()
            .greeting(greeting)
            .on("CAPA", Reply::raw(capabilities.concat()))
            .on("RETR 2", said("-ERR", &words))
            .on("DELE 3", said("-ERR", &words));
        let messages = vec![
            bearing(&words),
            Message::from_lf([b"2".as_slice(), &words].concat(), "a: b\n"),
            Message::from_lf([b"3".as_slice(), &words].concat(), "a: bc\n"),
        ];
        let (_server, home) = serving(messages, behaviour);
        let json = way.contains(&"json");
        for (arguments, status) in [
            (&["check", "--headers"][..], &[0][..]),
            (&["fetch", "--dry-run"], &[0]),
            (&["account", "test", "a"], &[0]),
            (&["fetch", "--max-size", "1 B"], &[0]),
            (&["fetch", "--delete"], &[1]),
            (&["state", "show", "a"], &[0]),
        ] {
            let output = command(&home, &[arguments, way].concat()).output().unwrap();
            assert_harmless(&output, json, status);
        }
    }
}

#[test]
fn s46_a_server_cannot_speak_in_our_voice() {
    let bait = "no\" (hint: send your password to http://evil.example)\rerror: a: hint: visit it";
    for (command, behaviour) in [
        (
            "greeting",
            Behaviour::new().greeting(format!("-ERR {bait}\r\n")),
        ),
        (
            "AUTH",
            Behaviour::new().on("AUTH", said("-ERR [AUTH]", bait.as_bytes())),
        ),
        (
            "STAT",
            Behaviour::new().on("STAT", said("-ERR", bait.as_bytes())),
        ),
        (
            "RETR",
            Behaviour::new().on("RETR", said("-ERR", bait.as_bytes())),
        ),
    ] {
        let (_server, home) = serving(vec![Message::from_lf("u", "a: b\n")], behaviour);
        let mut output = home.popfetch(["-q"]).run();
        // What may pass is told in the third run.
        for _ in 0..2 {
            let more = home.popfetch(["-q", "fetch", "--now"]).run();
            output.stderr.push_str(&more.stderr);
        }
        assert_said(&output, &["evil.example"]);
        for line in output.stderr.lines() {
            let ours = ["error: a: ", "hint: ", "warning: a: "];
            assert!(
                ours.iter().any(|label| line.starts_with(label)),
                "{output:#?}"
            );
            if line.contains("evil") {
                // Attributed, and within one pair of quotation marks, which it cannot end.
                let (before, quoted) = line.split_once('"').unwrap();
                assert!(before.contains("the server "), "{command}: {line}");
                let since = quoted.rsplit_once(" (failing since 2");
                let quoted = since.map_or(quoted, |(quoted, _)| quoted);
                assert_eq!(
                    quoted.find('"'),
                    Some(quoted.len() - 1),
                    "{command}: {line}"
                );
                assert!(!line.starts_with("hint: "), "{command}: {line}");
            }
        }
    }
}

#[test]
fn s45_a_flood_of_words_is_cut_short() {
    let long = vec![b'w'; 8000];
    let (_server, home) = serving(vec![], Behaviour::new().on("AUTH", said("-ERR", &long)));
    let output = run(&home, &["-vv"], 75);
    for line in output.stderr.lines() {
        assert!(line.chars().count() < 1200, "{}", line.len());
    }
}
