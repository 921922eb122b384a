//! The picture in README.md: from an address to reading, as a terminal shows it.

use jiff::{Timestamp, ToSpan};

use super::setup::{screens, world};
use crate::support::message::Message;

/// A day as Date fields have it (RFC 5322 section 3.3).
const IN_HEADER: &str = "%a, %d %b %Y";

/// And the list, before the minute.
const IN_LIST: &str = "%b %e 10:";

/// What waits for somebody who sets popfetch up.
fn waiting(day: &Timestamp) -> Vec<Message> {
    let letters = [
        (
            "Ada Lovelace <ada@example.org>",
            "Notes on the engine",
            "Please read note G first.",
        ),
        (
            "Post office <post@example.net>",
            "A parcel waits for you",
            "Bring your card.",
        ),
        (
            "Grace Hopper <grace@example.org>",
            "Lunch on Thursday?",
            "At noon, at the usual place?",
        ),
    ];
    let numbered = letters.into_iter().enumerate();
    let messages = numbered.map(|(place, (from, subject, text))| {
        let octets = format!(
            "Message-ID: <{place}@example.org>\nFrom: {from}\nTo: you@example.com\n\
             Date: {} 10:0{place}:00 +0000\nSubject: {subject}\n\n{text}\n",
            day.strftime(IN_HEADER)
        );
        Message::from_lf(format!("uid-{place}"), octets)
    });
    messages.collect()
}

#[test]
fn the_picture_of_the_readme_is_what_a_terminal_shows() {
    // Of this year, so that it need not be said, and shown as of another day.
    let day = Timestamp::now() - 24.hours();
    let messages = waiting(&day);
    let (_authority, _dns, _server, home) = world("pop.example.com", "you@example.com", messages);
    screens(&home, 80)
        .with(day.strftime(IN_HEADER), "Mon, 23 Nov 2026")
        .with(day.strftime(IN_LIST), "Nov 23 10:")
        .with("~/config/", "~/.config/")
        .talk(&["setup", "you@example.com", "--yes"], 0, |terminal| {
            terminal.answer("Password for ", "secret");
        })
        .run(&[], 0)
        .run(&["list"], 0)
        .run(&["show", "1"], 0)
        .run(&[], 0)
        .hold_drawn("examples/popfetch.svg");
}
