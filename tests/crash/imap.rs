//! The server of this test, by IMAP, with one mailbox in which nothing moves; and what a crash may leave of
//! a fetch from it.

use super::explore::{Explorer, Mode};
use super::server::{Dialogue, Maildrop};
use popfetch::profile::Protocol;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// A session. A message's UID is its number from 1 on.
pub struct Imap {
    maildrop: Arc<Mutex<Maildrop>>,
    marked: BTreeSet<usize>,
}

impl Imap {
    pub fn new(maildrop: Arc<Mutex<Maildrop>>) -> Self {
        Self {
            maildrop,
            marked: BTreeSet::new(),
        }
    }
}

impl Dialogue for Imap {
    fn greeting(&self) -> &'static str {
        "* OK [CAPABILITY IMAP4rev1 SASL-IR UIDPLUS AUTH=PLAIN] hello\r\n"
    }

    fn answer(&mut self, line: &str) -> (String, bool) {
        let mut maildrop = self.maildrop.lock().unwrap();
        let (tag, command) = line.split_once(' ').unwrap();
        let words: Vec<&str> = command.split(' ').collect();
        let named = |set| -> Vec<usize> {
            let listed = maildrop.listed();
            listed.filter(|i| contains(set, i + 1)).collect()
        };
        let mut answer = String::new();
        let mut done = "OK done";
        match words.as_slice() {
            ["CAPABILITY"] => answer = "* CAPABILITY IMAP4rev1 UIDPLUS\r\n".to_owned(),
            ["LIST", ..] => answer = "* LIST () \"/\" INBOX\r\n".to_owned(),
            ["EXAMINE" | "SELECT", _] => {
                let count = maildrop.listed().count();
                answer = format!("* {count} EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n");
            }
            ["UID", "FETCH", set, items @ ..] => {
                let items = items.join(" ");
                for i in named(set) {
                    let text = String::from_utf8(maildrop.messages[i].1.clone()).unwrap();
                    if items.contains("BODY.PEEK[]") {
                        if maildrop.refused.contains(&i) {
                            done = "NO not now";
                            continue;
                        }
                        maildrop.retrieved.push(i);
                    }
                    answer += &fetched(i, &text, &items);
                }
            }
            ["UID", "STORE", set, ..] => self.marked.extend(named(set)),
            ["UID", "EXPUNGE", set] => {
                let named: BTreeSet<usize> = named(set).into_iter().collect();
                let gone: BTreeSet<usize> = self.marked.intersection(&named).copied().collect();
                maildrop.delete(&gone);
            }
            _ => {}
        }
        let is_last = command == "LOGOUT";
        if is_last {
            answer = "* BYE bye\r\n".to_owned();
        }
        (format!("{answer}{tag} {done}\r\n"), is_last)
    }
}

/// What is answered to FETCH of one message.
fn fetched(i: usize, text: &str, items: &str) -> String {
    let mut parts = vec![format!("UID {}", i + 1)];
    if items.contains("RFC822.SIZE") {
        parts.push(format!("RFC822.SIZE {}", text.len()));
    }
    if items.contains("FLAGS") {
        parts.push("FLAGS (\\Seen)".to_owned());
    }
    if items.contains("INTERNALDATE") {
        parts.push("INTERNALDATE \" 1-Sep-2026 10:00:00 +0000\"".to_owned());
    }
    let header = text.find("\r\n\r\n").unwrap() + 4;
    for (name, octets) in [("BODY[]", text), ("BODY[HEADER]", &text[..header])] {
        if items.contains(&name.replace("BODY[", "BODY.PEEK[")) {
            parts.push(format!("{name} {{{}}}\r\n{octets}", octets.len()));
        }
    }
    format!("* {} FETCH ({})\r\n", i + 1, parts.join(" "))
}

/// Whether a set like `1:3,7` or `1:*` has this UID.
fn contains(set: &str, uid: usize) -> bool {
    set.split(',').any(|range| {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        let last = last.parse().unwrap_or(usize::MAX);
        (first.parse().unwrap()..=last).contains(&uid)
    })
}

fn by_imap(mode: Mode, messages: usize) -> Explorer {
    let mut explorer = Explorer::new(mode, messages);
    explorer.protocol = Protocol::Imap;
    explorer
}

#[test]
fn a_crash_at_any_step_of_a_fetch_by_imap_loses_and_doubles_nothing() {
    for mode in [Mode::Keep, Mode::Delete] {
        let mut explorer = by_imap(mode, 3);
        explorer.explore_fetch();
        assert!(explorer.states > 50, "{} states", explorer.states);
    }
}

#[test]
fn nor_does_a_second_crash_in_the_run_after_it() {
    by_imap(Mode::Delete, 2).explore_recovery();
}

#[test]
fn nor_does_a_kill_that_leaves_all_that_was_done() {
    for mode in [Mode::Keep, Mode::Delete] {
        let mut explorer = by_imap(mode, 3);
        explorer.same_boot = true;
        explorer.explore_fetch();
    }
}
