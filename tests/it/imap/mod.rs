//! IMAP: what POP3 promises, by another protocol.

use crate::support::imap::ImapServer;
use crate::support::message::Message;
use crate::support::run::{Home, Output};

/// What the server has noted of messages: their flags, and when it got them.
mod attributes;
/// Every command, with an account of IMAP.
mod commands;
/// Real Dovecot.
mod dovecot;
/// What loses, holds up or doubles mail elsewhere.
mod faults;
/// Other folders than the inbox.
mod folders;
/// A folder in trouble is that folder's trouble alone.
mod folders_in_trouble;
/// Servers that break the protocol, and what becomes of it.
mod hostile;
/// Kills.
mod killed;
/// Size costs no memory, neither that of a message nor that of a mailbox.
mod memory;
/// From POP3 to IMAP.
mod moved;
/// A server that says by itself when mail comes.
mod news;
/// The faults of the README's table, with the same results.
mod nineteen;
/// What others remove, and what the server does not send or does not remove.
mod removed;
/// Mail that no server has stamped, as sent mail.
mod sent;
/// TLS that comes later, and a server that knows us.
mod starttls;
/// What goes over the wire.
mod wire;

/// What makes an account one of IMAP.
const IMAP: &str = "protocol = \"imap\"\n";

/// A server with these messages, and a home with the one account "a" on it.
pub fn serving(messages: &[Message], keys: &str) -> (ImapServer, Home) {
    let server = ImapServer::start(messages);
    let home = Home::new();
    home.one_account(&server.account(), &(IMAP.to_owned() + keys));
    (server, home)
}

/// How many messages a run has fetched, which must succeed.
#[track_caller]
fn fetched(home: &Home) -> usize {
    fetched_with(home, &[]).stdout.lines().count()
}

fn fetched_with(home: &Home, options: &[&str]) -> Output {
    let mut arguments = vec!["fetch", "--now", "--format", "paths"];
    arguments.extend(options);
    let output = home.popfetch(arguments).expect(0);
    // Nor had it to be tried in another manner.
    assert!(!output.stderr.contains("going on"), "{output:#?}");
    output
}
