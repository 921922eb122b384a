//! Servers that say more than one line where one is asked for.

use crate::given::{mail, plainly, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::series::mixed;
use crate::support::tree;

const ONCE_MORE: [&str; 3] = ["+OK\r\n", "+OK hello\r\n", "\r\n"];

/// A server with five messages that says this before each answer to these commands.
fn saying(before: &str, commands: &[&str], keys: &str, case: &str) -> usize {
    let mut behaviour = Behaviour::new();
    if commands.contains(&"USER") || commands.contains(&"PASS") {
        behaviour = behaviour.without("SASL");
    }
    for command in commands {
        behaviour = behaviour.on(command, Reply::Prefix(before.into()));
    }
    let (server, home) = plainly(5, behaviour);
    let keys = format!("timeout = \"3 s\"\n{keys}");
    home.one_account(&server.account(), &keys);
    for _ in 0..2 {
        let output = run(&home, &["fetch", "--now"], 0);
        assert!(!output.stderr.contains("may not be whole"), "{case}");
    }
    tree::assert_holds(&home.maildir("a"), &mail(5));
    server.maildrop().count()
}

#[test]
fn b1_mail_arrives_from_servers_that_say_more_than_one_line_before_a_message_is_asked_for() {
    // FTGate, which says +OK twice; proxies that answer themselves and pass on the answer as well, or
    // that write a line end too many.
    let some: [&[&str]; 10] = [
        &["CAPA"],
        &["AUTH"],
        &["USER"],
        &["PASS"],
        &["STAT"],
        &["UIDL"],
        &["LIST"],
        &["STAT", "UIDL", "LIST"],
        &["CAPA", "AUTH", "STAT", "UIDL", "LIST"],
        &["CAPA", "USER", "PASS", "STAT", "UIDL", "LIST"],
    ];
    for [before, commands, way, keep] in mixed([ONCE_MORE.len(), some.len(), 2, 2], 40) {
        let (before, commands) = (ONCE_MORE[before], some[commands]);
        let pipelining = ["auto", "off"][way];
        let (keep, left) = [("always", 5), ("never", 0)][keep];
        let keys = format!("keep = {keep:?}\npipelining = {pipelining:?}\n");
        let case = format!("{before:?} {commands:?} {keys}");
        assert_eq!(saying(before, commands, &keys, &case), left, "{case}");
    }
}

#[test]
fn b1_a_second_status_line_before_a_message_is_none_of_the_message() {
    for before in ["+OK\r\n", "+OK hello\r\n", "+OK\r\n+OK\r\n"] {
        for pipelining in ["auto", "off"] {
            for (keep, left) in [("always", 5), ("never", 0)] {
                let keys = format!("keep = {keep:?}\npipelining = {pipelining:?}\n");
                let case = format!("{before:?} {keys}");
                assert_eq!(saying(before, &["RETR"], &keys, &case), left, "{case}");
            }
        }
    }
}

#[test]
fn b1_where_the_size_does_not_say_that_a_line_is_none_of_the_message_it_is_never_deleted() {
    // It says +OK twice, and lists sizes of its own.
    let messages = mail(3).into_iter().map(|message| {
        let size = message.size();
        message.listed_as(size + 7)
    });
    let behaviour = Behaviour::new().on("RETR", Reply::Prefix(b"+OK\r\n".into()));
    let (server, home) = crate::given::serving(messages.collect(), behaviour);
    home.one_account(&server.account(), "keep = \"never\"\n");
    run(&home, &[], 1);
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(3));
    assert_eq!(server.maildrop().count(), 3);
}
