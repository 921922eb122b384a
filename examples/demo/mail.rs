//! The sample maildrop: hand-written mails, and a few larger ones that are made while they are sent.

use crate::support::message::Message;

/// Author, subject and text of each hand-written mail.
const MAILS: &[(&str, &str, &str)] = &[
    (
        "Ada <ada@example.com>",
        "Lunch on Thursday?",
        "Shall we meet at the usual place, at noon?",
    ),
    (
        "Example Books <orders@books.example.org>",
        "Your order 40-1815 has been sent",
        "One parcel, two books. It should arrive on Friday.",
    ),
    (
        "Charles <charles@example.org>",
        "Re: The second drawing",
        "Thank you, this one is much clearer.\n.\nThe line above is a single dot, as it should be.",
    ),
    (
        "=?utf-8?q?M=C3=A1ria_Nov=C3=A1k?= <maria@example.com>",
        "=?utf-8?q?Gr=C3=BC=C3=9Fe_aus_Wien?=",
        "It rains, and the coffee is excellent.",
    ),
    (
        "Library <desk@library.example.org>",
        "Two books are due on Monday",
        "You can extend both of them once more.",
    ),
    (
        "Grace <grace@example.com>",
        "Minutes of the meeting",
        "They are short this time: we agreed.",
    ),
    (
        "Bank <statements@bank.example.com>",
        "Your statement for October is ready",
        "Sign in as you always do; we never send links.",
    ),
    (
        "Linus <linus@example.org>",
        "[PATCH 1/2] Close the file before it is renamed",
        "From the field: see the log below.",
    ),
    (
        "Linus <linus@example.org>",
        "[PATCH 2/2] Sync the directory too",
        "Otherwise the first patch is of little use.",
    ),
    (
        "Post office <noreply@post.example.com>",
        "A parcel waits for you",
        "Please bring your identity card.",
    ),
    (
        "Choir <choir@example.org>",
        "No rehearsal this week",
        "The hall is being painted.",
    ),
    (
        "Ada <ada@example.com>",
        "Re: Lunch on Thursday?",
        "Half past twelve is fine as well.",
    ),
];

/// Larger mails: how many, and the octets of the first; each is somewhat larger than the last.
const LARGE: u64 = 24;
const LARGE_OCTETS: u64 = 150_000;

/// All messages, those written by hand first.
pub(crate) fn sample() -> Vec<Message> {
    let written = MAILS.iter().enumerate().map(|(index, mail)| {
        let (from, subject, text) = mail;
        let day = index + 1;
        let octets = format!(
            "From: {from}\nTo: You <you@example.com>\nSubject: {subject}\n\
             Date: {day:02} Nov 2026 09:30:00 +0000\nMessage-ID: <demo-{day}@example.com>\n\n{text}\n"
        );
        Message::from_lf(format!("demo-{day:02}"), octets)
    });
    let large = (1..=LARGE)
        .map(|n| Message::generated(format!("large-{n:02}"), LARGE_OCTETS + n * 20_000, n));
    written.chain(large).collect()
}
