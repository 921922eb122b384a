/// How old messages are, and when nobody knows.
mod ages;
/// What is deleted unread, and what never is.
mod deletes;
/// A program that decides.
mod filter;
/// What a crash, a clock and a restored state leave of folders.
mod folders;
/// Headers: asked for where they are needed, once, in one flight.
mod headers;
/// Another message under a unique-id that was fetched.
mod reused;
/// Addresses, however they are written.
mod spelling;
/// What is told of rules: dry runs, `account show`, errors.
mod told;

use crate::given::run;
use crate::support::account::Security;
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::{Server, SessionLog};

/// The `n`th message from a list, from a boss or from a shop.
pub fn from(who: &str, n: usize) -> Message {
    let text = format!(
        "Received: from mail.example.com by mx.example.org with ESMTPS id {n:06};\n\
         \tMon, 23 Nov 2026 10:00:01 +0000\n\
         Message-ID: <{n}@mail.example.com>\nFrom: Somebody <x@{who}.example>\n\
         Date: Mon, 23 Nov 2026 10:00:00 +0000\n\
         Subject: Letter {n}\n\nThis is letter {n}.\n{}\n",
        "x".repeat(n)
    );
    Message::from_lf(format!("uid-{n}"), text)
}

/// One of each: 1 from a list, 2 from a shop, 3 from a boss.
pub fn three() -> Vec<Message> {
    vec![from("lists", 1), from("shop", 2), from("boss", 3)]
}

/// A server, and a home whose account "a" has these rules and keys.
pub fn ruled(
    messages: Vec<Message>,
    keys: &str,
    rules: &str,
    behaviour: Behaviour,
) -> (Server, Home) {
    let server = Server::builder(&Maildrop::new(messages))
        .security(Security::Plain)
        .behaviour(behaviour)
        .start();
    let home = Home::new();
    set_rules(&server, &home, keys, rules);
    (server, home)
}

/// Other rules from now on.
pub fn set_rules(server: &Server, home: &Home, keys: &str, rules: &str) {
    home.one_account(&server.account(), &format!("{keys}{}", tables(rules)));
}

/// Each line is a rule, its keys parted by `;`.
fn tables(rules: &str) -> String {
    let table = |rule: &str| format!("[[accounts.a.rules]]\n{}\n", rule.replace("; ", "\n"));
    rules.lines().map(table).collect()
}

/// The same with a run of popfetch.
pub fn fetched(messages: Vec<Message>, rules: &str) -> (Server, Home) {
    let (server, home) = ruled(messages, "", rules, Behaviour::new());
    run(&home, &[], 0);
    (server, home)
}

/// The commands of a session behind the listings, but for QUIT.
pub fn work(session: &SessionLog) -> Vec<String> {
    let words = ["TOP", "RETR", "DELE", "NOOP"];
    let commands = session.commands.iter();
    let work = commands.filter(|line| words.iter().any(|word| line.starts_with(word)));
    work.cloned().collect()
}
