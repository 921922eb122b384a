use super::{fetched, serving};
use crate::given::run;
use crate::support::imap::Twist;
use crate::support::message::generate;
use crate::support::tracer::{self, End};
use crate::support::tree;

const MESSAGES: usize = 10;

/// Of the kills at some hundred calls.
const FEW: usize = 16;

fn kill_at_every_call(keep: &str, pipelining: &str) {
    let messages = generate(MESSAGES, 600);
    let keys = format!("keep = {keep:?}\npipelining = {pipelining:?}\n");
    let calls = tracer::at_every_call(FEW, |number| {
        let (server, home) = serving(&messages, &keys);
        let (end, calls) = tracer::kill_at(&mut tracer::fetch(&home), number)?;
        let what = format!("{keys}call {number}: {end:?}");
        assert!(matches!(end, End::Killed(_) | End::Exited(0)), "{what}");
        server.sessions();
        run(&home, &["fetch"], 0);
        tree::assert_holds(&home.maildir("a"), &messages);
        assert_eq!(fetched(&home), 0, "{what}");
        let left = if keep == "never" { 0 } else { MESSAGES };
        assert_eq!(server.uids().len(), left, "{what}");
        Some(calls)
    });
    assert!(calls.is_none_or(|calls| calls > 60), "{calls:?}");
}

#[test]
fn a_kill_at_every_system_call_loses_and_doubles_nothing() {
    kill_at_every_call("always", "auto");
    kill_at_every_call("always", "off");
}

#[test]
fn a_kill_at_every_system_call_loses_and_doubles_nothing_while_mail_is_deleted() {
    kill_at_every_call("never", "auto");
    kill_at_every_call("never", "off");
}

#[test]
fn a_connection_that_ends_anywhere_loses_and_doubles_nothing() {
    let messages = generate(MESSAGES, 600);
    for (command, octets) in [
        ("AUTHENTICATE", 1),
        ("EXAMINE", 20),
        ("UID FETCH 1:*", 100),
        ("UID FETCH 5 ", 1),
        ("UID FETCH 5 ", 300),
        ("UID FETCH 5 ", 640),
        ("SELECT", 10),
        ("UID STORE", 1),
        ("UID EXPUNGE", 1),
        ("UID EXPUNGE", 40),
        ("LOGOUT", 3),
    ] {
        for twist in [Twist::Close, Twist::Cut(octets)] {
            let (server, home) = serving(&messages, "keep = \"never\"\n");
            server.twist(command, 1, twist);
            home.popfetch(["fetch"]).run();
            server.mailbox(|it| it.twists.clear());
            for _ in 0..2 {
                run(&home, &["fetch", "--now"], 0);
            }
            tree::assert_holds(&home.maildir("a"), &messages);
            assert_eq!(server.uids().len(), 0, "{command} {octets}");
        }
    }
}
