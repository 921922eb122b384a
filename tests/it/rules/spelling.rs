use super::{ruled, set_rules, work};
use crate::given::{journal, run};
use crate::support::behaviour::Behaviour;
use crate::support::message::Message;
use crate::support::tree;
use std::fs;

/// An address in the forms that mail readers take for it, or may.
const FORMS: [&str; 21] = [
    "\"The Boss <boss@example.com>",
    "boss @ example.com",
    "<<boss@example.com>>",
    "<mailto:boss@example.com>",
    "\"boss\"@example.com",
    "boss(x)@example.com",
    "=?utf-8?q?The_Boss?= <boss@example.com>",
    "(unclosed boss@example.com",
    "<MAILTO:boss@example.com>",
    "boss%40example.com",
    "boss@example.com.",
    "boss@[192.0.2.1]",
    "bo\"s\"s@example.com",
    "<@relay.example:boss@example.com>",
    "boss@ex\u{e4}mple.com",
    "boss@xn--exmple-cua.com",
    "=?utf-8?q?boss?=@example.com",
    "=?utf-8?q?boss=40example.com?=",
    "Bosses: boss@example.com;",
    "bo\n ss@example.com",
    "x@shop.example\nFrom: y@shop.example",
];

fn all() -> Vec<Message> {
    let forms = FORMS.iter().enumerate();
    forms.map(|(n, form)| letter(n, form)).collect()
}

fn letter(n: usize, from: &str) -> Message {
    let date = "Date: Mon, 23 Nov 2026 10:00:00 +0000";
    let text = format!("From: {from}\n{date}\nSubject: s{n}\n\n{n}\n");
    Message::from_lf(format!("uid-{n}"), text)
}

#[test]
fn a_rule_that_saves_messages_saves_those_whose_address_is_written_in_any_odd_form() {
    for saves in ["\"fetch\"", "{ folder = \".Boss\" }", "\"skip\""] {
        for leaves in ["delete", "skip"] {
            let rules = format!(
                "from = \"boss@example.com\"; then = {saves}\nsubject = \"s*\"; then = \"{leaves}\""
            );
            let mut messages = all();
            messages.push(letter(99, "Shop <x@shop.example>"));
            let (server, home) = ruled(messages, "", &rules, Behaviour::new());
            for _ in 0..2 {
                run(&home, &[], 0);
                let there = server.maildrop().unique_ids();
                let is_there = |n: usize| there.contains(&format!("uid-{n}"));
                assert!((0..FORMS.len()).all(is_there), "{rules}: {there:?}");
                assert_eq!(is_there(99), leaves == "skip", "{rules}");
            }
            // What might have been meant to be left is fetched where it would be deleted otherwise.
            let here = tree::count(&home.maildir("a"))
                + match home.maildir("a").join(".Boss").exists() {
                    true => tree::count(&home.maildir("a").join(".Boss")),
                    false => 0,
                };
            match (saves, leaves) {
                // Plainly the boss, by the first rule: nothing else.
                ("\"skip\"", "delete") => assert!((1..FORMS.len()).contains(&here), "{here}"),
                ("\"skip\"", _) => assert_eq!(here, 0),
                _ => assert_eq!(here, FORMS.len(), "{rules}"),
            }
        }
    }
}

#[test]
fn what_was_written_in_an_odd_form_is_remembered_as_that_and_not_asked_about_again() {
    let rules = "from = \"boss@example.com\"; then = \"skip\"\n\
                 size = \">1 B\"; then = \"skip\"";
    let (server, home) = ruled(all(), "", rules, Behaviour::new());
    run(&home, &[], 0);
    let text = fs::read_to_string(journal(&home)).unwrap();
    let unknown = |line: &&str| line.starts_with("h\t") && line.contains("\t?1");
    assert!(text.lines().filter(unknown).count() > 10, "{text}");
    run(&home, &[], 0);
    assert!(work(&server.last_session()).is_empty());
    assert_eq!(server.maildrop().count(), FORMS.len());
}

#[test]
fn a_rule_that_has_messages_come_from_now_on_is_not_judged_by_what_it_was_told_when_it_left_them() {
    let rules = |then: &str| {
        format!("from = \"boss@example.com\"; then = \"{then}\"\nsubject = \"s*\"; then = \"skip\"")
    };
    // In quotes: another address stands behind it, plainly.
    let quoted = letter(1, "\"boss@example.com\" <x@list.example>");
    let (server, home) = ruled(vec![quoted], "", &rules("skip"), Behaviour::new());
    run(&home, &[], 0);
    assert_eq!(tree::count(&home.maildir("a")), 0);
    set_rules(&server, &home, "", &rules("fetch"));
    run(&home, &[], 0);
    assert_eq!(tree::count(&home.maildir("a")), 1);
}

/// Fields in which a person reads what the rule says, or may.
const SPELLINGS: [(&str, &str, &[&[u8]]); 4] = [
    (
        "list-id = \"a.b.example\"",
        "List-Id",
        &[
            b"< a.b.example >",
            b"words <a.b.example\n >",
            b"<\n a.b.example>",
            b"<a.b.example.>",
            b"<a.b.example> (words)",
            b"a.b.example.",
            b"<a..b.example>",
            b"<\xef\xbb\xbfa.b.example>",
        ],
    ),
    (
        "subject = { contains = \"geb\u{fc}hr urgent\" }",
        "Subject",
        &[
            "Die Gebu\u{308}hr urgent!".as_bytes(),
            "Geb\u{fc}hr\u{a0}urgent".as_bytes(),
            "Geb\u{fc}hr \u{2003} urgent".as_bytes(),
            "Ge\u{ad}b\u{fc}hr ur\u{200b}gent".as_bytes(),
            "GEB\u{dc}HR \u{ff35}rgent".as_bytes(),
            b"=?utf-8?q?Gebu=CC=88hr_urgent?=",
            b"=?utf-8?q?Geb=C3=BChr=C2=A0urgent?=",
            "Geb\u{fc}hr\rurgent".as_bytes(),
            "Geb\u{fc}\0hr urgent".as_bytes(),
            b"Geb\xfchr urgent",
            b"=?us-ascii?q?Geb=FChr_urgent?=",
            b"=?us-ascii?q?Geb=C3=BChr_urgent?=",
            b"=?x-nobody-knows?q?Geb=FChr_urgent?=",
        ],
    ),
    (
        "header = { name = \"X-Tag\", glob = \"keep stra\u{df}e*\" }",
        "X-Tag",
        &[
            "keep\u{a0}stra\u{df}e 1".as_bytes(),
            b"KEEP STRASSE",
            b"keep\x07 stra\xc3\x9fe",
        ],
    ),
    (
        "header = { name = \"X-Note\", regex = \"^keep (stra\u{df}e|[\u{ff21}-\u{ff23}]\u{fc}r)\" }",
        "X-Note",
        &[
            "Keep Stra\u{df}e 1".as_bytes(),
            b"=?utf-8?q?keep_STRA=C3=9FE?=",
            b"KEEP STRASSE",
            "keep\u{2003}stra\u{ad}sse".as_bytes(),
            "keep Bu\u{308}r".as_bytes(),
        ],
    ),
];

#[test]
fn a_rule_that_saves_messages_saves_those_whose_fields_are_written_with_other_characters() {
    for (when, name, values) in SPELLINGS {
        for saves in ["fetch", "skip"] {
            let rules = format!("{when}; then = \"{saves}\"\nsize = \">1 B\"; then = \"delete\"");
            let with = |(n, value): (usize, &[u8])| {
                let date = "Date: Mon, 23 Nov 2026 10:00:00 +0000";
                let head = format!("From: x@shop.example\n{date}\n{name}: ");
                let text = [head.as_bytes(), value, b"\n\ntext\n"].concat();
                Message::from_lf(format!("uid-{n}"), text)
            };
            let values = values.iter().copied().chain([&b"other.example"[..]]);
            let messages: Vec<_> = values.enumerate().map(with).collect();
            let count = messages.len();
            let (server, home) = ruled(messages, "", &rules, Behaviour::new());
            run(&home, &[], 0);
            let there = server.maildrop().unique_ids();
            let wanted: Vec<_> = (0..count - 1).map(|n| format!("uid-{n}")).collect();
            assert_eq!(there, wanted, "{rules}");
        }
    }
}

#[test]
fn a_rule_that_deletes_takes_the_same_text_for_the_same_and_nothing_that_only_looks_like_it() {
    let rules = "subject = { contains = \"geb\u{fc}hr\" }; then = \"delete\"";
    let subjects = [
        "Gebu\u{308}hr",
        "Geb\u{fc}hr",
        "Ge\u{ad}b\u{fc}hr",
        "Gebuhr",
    ];
    let subjects = subjects.iter().enumerate();
    let messages = subjects.map(|(n, subject)| {
        let text = format!(
            "From: x@shop.example\nDate: Mon, 23 Nov 2026 10:00:00 +0000\nSubject: {subject}\n\n{n}\n"
        );
        Message::from_lf(format!("uid-{n}"), text)
    });
    let (server, home) = ruled(messages.collect(), "", rules, Behaviour::new());
    run(&home, &[], 0);
    assert_eq!(server.maildrop().unique_ids(), ["uid-2", "uid-3"]);
    assert_eq!(tree::count(&home.maildir("a")), 2);
}
