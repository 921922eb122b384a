//! Transcripts, lines and config files that a generator makes up of what matters and of noise.

use crate::entry::story::Version;
use crate::entry::{body, config, connection, imap, journal, listing};
use crate::sessions::ALL;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A few of these words, end to end.
fn words(words: &'static [&'static [u8]], most: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(select(words), 0..most).prop_map(|words| words.concat())
}

/// Octets with some places overwritten, cut out or doubled.
fn mutated(octets: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let change = (
        any::<Index>(),
        0..4u8,
        select(b".\r\n +-\0\xffA0".to_vec()),
        0..20usize,
    );
    vec(change, 1..6).prop_map(move |changes| {
        let mut octets = octets.clone();
        for (place, kind, octet, length) in changes {
            if octets.is_empty() {
                break;
            }
            let at = place.index(octets.len());
            let end = (at + length).min(octets.len());
            match kind {
                0 => octets[at] = octet,
                1 => octets.insert(at, octet),
                2 => drop(octets.drain(at..end)),
                _ => {
                    let doubled = octets[at..end].to_vec();
                    octets.splice(at..at, doubled);
                }
            }
        }
        octets
    })
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(1..80usize, 1..6)
}

const WIRE: &[&[u8]] = &[
    b"+OK\r\n",
    b"+OK ",
    b"-ERR ",
    b"-ERR [IN-USE] x\r\n",
    b"+ \r\n",
    b"+ Zm9v\r\n",
    b"+OKAY\r\n",
    b"1 a\r\n",
    b"2 20\r\n",
    b".\r\n",
    b".\n",
    b"..\r\n",
    b"\r\n",
    b"\r",
    b"\n",
    b".",
    b"x",
    b"\xff",
    b"\0",
    b"Subject: y\r\n",
];

const BODY: &[&[u8]] = &[
    b".", b"..", b"\r\n", b"\r", b"\n", b"a", b"\0", b"\xe9", b".\r\n", b"\n.\n",
];

const LINE: &[&[u8]] = &[
    b"1 abc",
    b"2 abc",
    b"3 ",
    b"99999999999999999999",
    b"1",
    b"2",
    b"3",
    b"0",
    b"-",
    b"+OK ",
    b" ",
    b"  ",
    b"\t",
    b"4294967295",
    b"4294967296",
    b"18446744073709551615",
    b"18446744073709551616",
    b"00000000000000000000000000001",
    b"abc",
    b"\xff\xfe",
    b"\xd9\xa3",
    b"\0",
    b"\x1b[2J",
    b"/../",
    b"1e3",
    b"0x10",
    b"SASL",
    b"PIPELINING",
    b"IMPLEMENTATION",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn s39_f9_a_mutated_session_is_understood_alike_however_it_is_split(
        (session, wire) in (0..ALL.len()).prop_flat_map(|n| (Just(n), mutated(ALL[n].wire()))),
        sizes in sizes(),
    ) {
        connection::check(&ALL[session].asked(), &wire, &sizes);
    }

    #[test]
    fn s39_f9_any_transcript_is_understood_alike_however_it_is_split(
        letters in vec(select(b"ACDLNQR5STU".to_vec()), 0..10),
        wire in words(WIRE, 40),
        sizes in sizes(),
    ) {
        connection::check(&connection::asked(&letters), &wire, &sizes);
    }

    #[test]
    fn s39_any_body_is_decoded_bit_for_bit_whatever_the_split(
        wire in words(BODY, 40), listed in 0..60u64, crlf: bool, sizes in sizes(),
    ) {
        body::check(listed, crlf, &wire, &sizes);
    }

    #[test]
    fn s32_s33_s34_s43_any_lines_make_the_maildrop_that_they_should(
        scan in vec(words(LINE, 5), 0..12),
        unique_ids in vec(words(LINE, 5), 0..12),
    ) {
        let lines = |lines: &[Vec<u8>]| -> Vec<Vec<u8>> {
            lines.iter().map(|line| [line, &b"\n"[..]].concat()).collect()
        };
        let octets: Vec<u8> = [b"2 320\n".to_vec()]
            .into_iter()
            .chain(lines(&scan).into_iter().map(|line| [b"L", &line[..]].concat()))
            .chain(lines(&unique_ids).into_iter().flat_map(|line| {
                [[b"U", &line[..]].concat(), [b"C", &line[..]].concat()]
            }))
            .collect::<Vec<_>>()
            .concat();
        listing::run(&octets);
    }

    #[test]
    fn s43_any_octets_are_a_transcript_a_body_listings_and_a_config_without_a_panic(
        octets in vec(any::<u8>(), 0..300),
    ) {
        connection::run(&octets);
        body::run(&octets);
        listing::run(&octets);
        config::run(&octets);
        imap::run(&octets);
        imap::run(&[b"EABHPUQ\n\x01\x07\n* OK\r\n", &octets[..]].concat());
        journal::check_octets(&octets);
    }

    #[test]
    fn s43_what_a_server_of_imap_may_say_means_the_same_in_any_pieces(
        words in vec(select(IMAP), 0..60),
        sizes in vec(1usize..40, 1..6),
    ) {
        let wire = ["* OK ready\r\n", &words.concat()].concat();
        imap::check(b"EABHPUQ", wire.as_bytes(), &sizes);
    }

    #[test]
    fn s43_a_config_of_any_text_is_an_error_that_can_be_shown_or_fit_for_use(
        begin in select(BEGIN),
        lines in vec(select(CONFIG), 0..6),
        noise in vec((any::<Index>(), select(&["\"", "\0", "'", "\u{9b}", "\\u0000", "é", "=", "\n", "]"][..])), 0..3),
    ) {
        let mut text = begin.to_owned() + &lines.join("\n");
        for (place, noise) in noise {
            let places: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            text.insert_str(places[place.index(places.len())], noise);
        }
        config::check_file(&text);
    }

    #[test]
    fn s43_an_account_of_any_text_is_an_error_that_can_be_shown_or_fit_for_use(
        words in vec(select(URL), 0..8),
    ) {
        config::check_account(&words.concat());
        config::check_account(&format!("pops://{}", words.concat()));
    }

    #[test]
    fn a_password_on_a_line_of_its_own_is_in_no_error_whatever_else_is_wrong(
        before in vec(select(CONFIG), 0..8),
        after in vec(select(CONFIG), 0..8),
        key in select(&["password", "Password", "pasword", "passwd", "pass-word"][..]),
    ) {
        let password = format!("{key} = \"hunter2\"");
        let text = [before.join("\n"), password, after.join("\n")].join("\n");
        for error in config::check_file(&text) {
            prop_assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn d32_d36_any_journal_tells_what_was_written_in_full_and_no_more(
        steps in vec(any::<u8>(), 0..12), place: u8, todays: bool,
    ) {
        let version = if todays { Version::Todays } else { Version::First };
        journal::check_story(version, &steps, usize::from(place));
    }

    #[test]
    fn d32_lines_with_good_checksums_may_say_anything(
        lines in vec((select(b"ABCDEFGHIJKLMNOPQRSTUVWXYZa".to_vec()), vec(select(FIELD), 0..9)), 0..10),
    ) {
        let line = |(kind, fields): &(u8, Vec<&str>)| {
            let fields = fields.iter().map(|field| format!("\t{field}"));
            format!("{}{}\n", char::from(*kind), fields.collect::<String>())
        };
        journal::check_lines(lines.iter().map(line).collect::<String>().as_bytes());
    }
}

const BEGIN: &[&str] = &[
    "",
    "[accounts.old]\nhost = 'pop.example.org'\n",
    "[accounts.old]\nhost = 'pop.example.org'\nuser = 'ada'\n",
];

const CONFIG: &[&str] = &[
    "[accounts.work]",
    "[accounts.home]",
    "[accounts.\"a\\u0007b\"]",
    "[accounts.'-']",
    "[accounts]",
    "[defaults]",
    "[[accounts.work]]",
    "[other]",
    "host = 'pop.example.com'",
    "host = \"a\\r\\nQUIT\"",
    "host = '::1'",
    "host = ''",
    "host = 'ho st'",
    "user = 'ada'",
    "user = \"ada\\nDELE 1\"",
    "user = 'a/b'",
    "port = 0",
    "port = 995",
    "port = 70000",
    "tls = 'none'",
    "allow-insecure = true",
    "tls-pin = []",
    "tls-pin = 'sha256:00'",
    "tls-roots = 'ca.pem'",
    "tls-roots = \"\\u0000\"",
    "tls-server-name = 'x..y'",
    "password-command = []",
    "password-command = ['pass', \"\\u0000\"]",
    "password-command = ['']",
    "password-file = '~/secret'",
    "password-file = \"a\\u0000b\"",
    "password-keyring = true",
    "maildir = '~/Mail/{user}'",
    "maildir = \"M\\u0000\"",
    "maildir = '~else/x'",
    "maildir = ''",
    "maildir = '{host}{account}'",
    "keep = '14 days'",
    "keep = '99999999999999 weeks'",
    "keep = 'never'",
    "timeout = '1 ms'",
    "timeout = '19000 years'",
    "timeout = '30000 weeks'",
    "timeout = '175307616 hours'",
    "max-size = '0'",
    "max-size = '99999999 TiB'",
    "latest = -1",
    "latest = 18446744073709551615",
    "order = 'random'",
    "auth = 'plain'",
    "disabled = true",
    "usr = 'ada'",
    "x = \u{202e}",
    "",
    "# comment \u{9b}31m",
    "a = \"\"\"",
    "accounts = 5",
    "defaults = []",
];

const URL: &[&str] = &[
    "pops", "pop", "://", "ada", "@", ":", "hunter2", "%0d", "%0a", "%00", "%4", "%c3%a9", "é",
    "[::1]", "[", "]", "host", ".", "..", "995", "0", "99999", "/", ";AUTH=*", "\u{202e}", "\n",
    "\0", " ",
];

const FIELD: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "-1",
    "999999",
    "1000001",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "-",
    "%2D",
    "%",
    "%zz",
    "a",
    "%FF",
    "refused",
    "dropped",
    "255",
    "256",
    "0000000000000000000000000000000000000000000000000000000000000001",
    "1795395922.M1P2Q3_pf0123456789000000000000000000000000000000000000000a.host",
    "1795395922.M1P2Q3X0123456789abcdef_pf0123456789000000000000000000000000000000000000000a.host",
    "0123456789abcdef",
    "=3:000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    "adopted",
    "accepted",
    "latest",
    "request",
    "boot",
    "/home/ada/Mail",
];

/// What a server of IMAP puts its responses together from.
const IMAP: &[&str] = &[
    "* ",
    "* OK ",
    "* 1 FETCH (",
    "* 12 EXISTS\r\n",
    "* BYE\r\n",
    "+ \r\n",
    "+ AbC=\r\n",
    "a1 OK\r\n",
    "a2 NO [X] no\r\n",
    "a3 BAD\r\n",
    "a4 OK done\r\n",
    "UID 1 ",
    "UID 2",
    "RFC822.SIZE 3 ",
    "BODY[] ",
    "BODY[] NIL ",
    "BODY[HEADER] ",
    "BODY[HEADER.FIELDS (DATE)] ",
    "{0}\r\n",
    "{1}\r\n",
    "{5}\r\n",
    "{300}\r\n",
    "~{2}\r\n",
    "{2+}\r\n",
    "{9999}\r\n",
    "\"a \\\" b\"",
    "\"",
    "(",
    ")",
    ")\r\n",
    "FLAGS (\\Seen) ",
    "X ",
    "NIL ",
    " ",
    "\r\n",
    "\n",
    "\r",
    "\0",
    "\u{e9}",
    "[UIDVALIDITY 7] ",
    "[",
    "]",
    "{",
    "}",
    "* CAPABILITY ID\r\n",
];
