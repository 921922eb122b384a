//! The real program under a kernel that kills it, or that refuses it a system call: what the tests
//! in tests/crash prove step by step with a recorded disk, seen from outside.

use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

mod errors;
mod kill;
mod power;
mod refused;
mod together;

const MESSAGES: usize = 10;

/// Every message is on the server, or whole in the Maildir.
fn assert_none_is_lost(messages: &[Message], server: &Server, home: &Home, what: &str) {
    let left = server.maildrop().unique_ids();
    let here = tree::read(&home.maildir("a"));
    for message in messages {
        let id = String::from_utf8_lossy(&message.unique_id).into_owned();
        let octets = message.stored();
        let mut delivered = here.iter().filter(|file| file.subdirectory != "tmp");
        let stored = delivered.any(|file| file.octets == octets);
        assert!(stored || left.contains(&id), "{what}: {id} is lost");
    }
}

/// A good run brings home what is missing, and another one finds nothing to do.
fn finish(messages: &[Message], server: &Server, home: &Home, what: &str) {
    let good = home.popfetch(["fetch"]).run();
    assert_eq!(good.status, Some(0), "{what}: {good:#?}");
    let maildir = home.maildir("a");
    tree::assert_tmp_is_empty(&maildir);
    assert_eq!(tree::count(&maildir), messages.len(), "{what}");
    tree::assert_holds(&maildir, messages);
    let again = home.popfetch(["fetch"]).run();
    assert_eq!(again.status, Some(0), "{what}: {again:#?}");
    assert_eq!(server.last_session().count("RETR"), 0, "{what}");
}
