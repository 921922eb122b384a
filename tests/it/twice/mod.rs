//! Nothing is delivered twice, whatever the server, the disk or the person changed in between.

/// Fault E11: copies, one of which does not come with the other.
mod copies;
/// Faults C1, C2: what the first version left.
mod first_version;
/// What a person names is what is meant.
mod forgotten;
/// Fault C7: what others do in the Maildir.
mod moved;
/// Fault C3: a maildrop under another name.
mod names;
/// Faults C4, C5: messages under other unique-ids.
mod renewed;
/// Fault C2: earlier Maildirs and restored states.
mod restored;
/// Faults C6, C8: several states and one Maildir.
mod shared;
/// Fault C1: sizes that change.
mod sizes;
/// Fault E11: what the server does not delete although it says so.
mod undeleted;

use std::fs;
use std::path::Path;

use crate::support::account::Security;
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::{Home, Output};
use crate::support::server::Server;

/// A message as it comes by way of other servers, each of another size.
pub fn letter(n: usize) -> Message {
    let text = format!(
        "Received: from a.example.net by mx.example.com; Mon, 23 Nov 2026 10:00:{:02} +0000\n\
         Received: from b.example.net by a.example.net id {n}; Mon, 23 Nov 2026 09:59:00 +0000\n\
         Message-ID: <{n}@example.net>\nFrom: Ada <ada@example.com>\n\
         Date: Mon, 23 Nov 2026 09:58:00 +0000\nSubject: Letter {n}\n\nThis is letter {n}.\n{}\n",
        n % 60,
        "x".repeat(n)
    );
    Message::from_lf(format!("uid-{n}"), text)
}

/// The first `count` of them.
pub fn mail(count: usize) -> Vec<Message> {
    (1..=count).map(letter).collect()
}

/// The same message with another unique-id.
pub fn named(message: Message, unique_id: impl AsRef<[u8]>) -> Message {
    Message {
        unique_id: unique_id.as_ref().into(),
        ..message
    }
}

/// The same messages, with new unique-ids for all.
pub fn renamed(messages: &[Message], prefix: &str) -> Vec<Message> {
    let messages = messages.iter().enumerate();
    messages
        .map(|(n, message)| named(message.clone(), format!("{prefix}-{n}")))
        .collect()
}

/// The message with more lines (with LF) above its header.
pub fn with_lines_above(message: &Message, lines: &str) -> Message {
    let text = [lines.replace('\n', "\r\n").into_bytes(), message.octets()].concat();
    Message::new(&message.unique_id, text)
}

/// A server in clear, for accounts that reach it by several names, with this maildrop.
pub fn serving(maildrop: &Maildrop, user: &str, behaviour: Behaviour) -> Server {
    Server::builder(maildrop)
        .credentials(user, "secret")
        .security(Security::Plain)
        .behaviour(behaviour)
        .start()
}

/// How many messages the newest session retrieved.
pub fn retrieved(server: &Server) -> usize {
    server.last_session().count("RETR")
}

/// All files of a directory of files, to be put back later.
pub fn saved(directory: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(directory).unwrap();
    let files = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file());
    files
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// Puts a directory's files back as they were, and removes those that came since.
pub fn restore(directory: &Path, saved: &[(std::path::PathBuf, Vec<u8>)]) {
    for (path, _) in self::saved(directory) {
        fs::remove_file(path).unwrap();
    }
    for (path, octets) in saved {
        fs::write(path, octets).unwrap();
    }
}

/// The home's config has the account "a" with its Maildir at Mail/`maildir`, and more keys.
pub fn configure(home: &Home, server: &Server, maildir: &str, keys: &str) {
    let text = home.account_config("a", &server.account());
    let there = format!("maildir = {:?}\n", home.maildir("a"));
    let here = format!("maildir = {:?}\n", home.maildir(maildir));
    assert!(text.contains(&there));
    home.config(&(text.replace(&there, &here) + keys));
}

/// What a run said beside that its line is in clear.
pub fn told(output: &Output) -> Vec<&str> {
    let lines = output.stderr.lines();
    lines
        .filter(|line| !line.contains("is not encrypted"))
        .collect()
}
