//! What is stored is handed on: to programs, into mbox files, and to mail servers.

mod changed;
mod config;
mod copies;
mod counted;
mod crashes;
mod doubts;
mod evidence;
mod folder;
mod halves;
mod lmtp;
mod lost_answers;
mod mbox;
mod older;
mod programs;
mod real;
mod records;
mod returned;
mod stdout;
mod together;
mod twins;

use crate::given::mail;
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// Takes a message: a file for each, named after it, that appears whole.
const TAKE: &str = "umask 077; cat > taking.$$ && mv taking.$$ taken/$POPFETCH_UNIQUE_ID.$$";

/// A server with so many messages, and a home with the account "a" and these keys, and no Maildir.
fn account(count: usize, keys: &str) -> (Server, Home) {
    serving(mail(count), Behaviour::new(), keys)
}

fn serving(messages: Vec<Message>, behaviour: Behaviour, keys: &str) -> (Server, Home) {
    let server = Server::builder(&Maildrop::new(messages));
    let server = server.behaviour(behaviour).start();
    let home = Home::new();
    write_config(&server, &home, keys);
    fs::create_dir(home.path().join("taken")).unwrap();
    (server, home)
}

/// The account "a" without `maildir` of its own.
fn write_config(server: &Server, home: &Home, keys: &str) {
    let config = home.account_config("a", &server.account());
    let lines = config.lines().filter(|line| !line.starts_with("maildir"));
    let lines: Vec<&str> = lines.collect();
    home.config(&format!("{}\n{keys}\n", lines.join("\n")));
}

/// `deliver` with a script of the shell.
fn by_shell(script: &str) -> String {
    format!("deliver = {{ command = [\"sh\", \"-c\", {script:?}] }}")
}

/// What was taken, by unique-id, each as often as it was.
fn taken(home: &Home) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut taken: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for entry in fs::read_dir(home.path().join("taken")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        taken
            .entry(name)
            .or_default()
            .push(fs::read(&path).unwrap());
    }
    taken
}

/// Each message was taken once, octet for octet with LF line ends.
fn assert_taken_once(home: &Home, messages: &[Message]) {
    let taken = taken(home);
    assert_eq!(taken.len(), messages.len(), "{:?}", taken.keys());
    for message in messages {
        let name = String::from_utf8(message.unique_id.clone()).unwrap();
        assert_eq!(taken[&name], [message.stored()], "{name}");
    }
}

/// Where messages of "a" are stored until they are handed on.
fn spool(home: &Home) -> PathBuf {
    let spools = home.state().join("spool");
    let mut entries = fs::read_dir(spools).unwrap();
    entries.next().unwrap().unwrap().path()
}
