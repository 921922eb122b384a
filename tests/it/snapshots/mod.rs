//! Whole screens, as they are checked in at `tests/fixtures/screens`: what a person reads, in the width in
//! which it is read. `UPDATE=1 cargo test --test it snapshots::` writes them anew.

mod fetching;
mod first;
mod looking;
mod picture;
mod setup;

use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::snapshot::directory;

/// Widths in which people read: a usual terminal, one beside another, and a telephone.
const WIDTHS: [u16; 3] = [80, 60, 40];

/// Three letters, of which one has a long subject.
fn letters() -> Vec<Message> {
    [
        ("Ada", "Hello", 900),
        (
            "The Committee for Long Names",
            "The minutes of the meeting of the committee, and what follows from them",
            20_000,
        ),
        ("Bob", "Re: Hello", 1_200_000),
    ]
    .into_iter()
    .enumerate()
    .map(|(place, (from, subject, octets))| {
        let text = format!(
            "Message-ID: <{place}@example.com>\nFrom: {from} <{place}@example.com>\n\
             Date: Mon, 23 Nov 2026 10:0{place}:00 +0000\nSubject: {subject}\n\n{}\n",
            format!("{}\n", "x".repeat(70)).repeat(octets / 71)
        );
        Message::from_lf(format!("uid-{place}"), text)
    })
    .collect()
}

/// A server with them, and a home with an account `work` on it.
fn at_work() -> (Server, Home) {
    let server = Server::start(&Maildrop::new(letters()));
    let home = Home::short();
    home.config(&home.account_config("work", &server.account()));
    (server, home)
}

#[test]
fn each_screen_that_is_kept_is_some_test_s() {
    let sources = [
        include_str!("fetching.rs"),
        include_str!("first.rs"),
        include_str!("looking.rs"),
        include_str!("setup.rs"),
    ];
    for entry in std::fs::read_dir(directory()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.split('.').next().unwrap();
        let quoted = format!("\"{stem}\"");
        assert!(sources.iter().any(|it| it.contains(&quoted)), "{name}");
    }
}
