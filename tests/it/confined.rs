//! Once the program talks to a server, it can reach nothing but the account's Maildir and state.

use std::fs;

use crate::given::{assert_said, mail};
use crate::oauth;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::maildrop::Maildrop;
use crate::support::process::installed;
use crate::support::provider::Provider;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::strace::{self, Call, calls};
use crate::support::tree;
use crate::support::wire::Ending;

/// Calls with a file's name, and those that tell where they stand in the session.
const CALLS: &str = "%file,landlock_restrict_self,connect,sendto";

fn traced(home: &Home, arguments: &[&str], status: i32) -> Vec<Call> {
    let trace = home.path().join("trace");
    strace::traced(home, &trace, CALLS, arguments).expect(status);
    calls(&fs::read_to_string(trace).unwrap())
}

/// The kernel's refusal is tried in src/sandbox.rs; this is about who asks for it, and when.
fn assert_confined(home: &Home, calls: &[Call], wants: &[&str]) {
    let connects = calls.iter().filter(|call| call.text.contains("AF_INET"));
    let talks: Vec<&Call> = connects.collect();
    assert!(!talks.is_empty());
    for talk in &talks {
        let confined = calls.iter().any(|call| {
            let asks = call.name == "landlock_restrict_self" && call.succeeded();
            asks && call.thread == talk.thread && call.ended < talk.began
        });
        assert!(confined, "it connects before it is confined: {}", talk.text);
    }
    let first = talks.iter().map(|talk| talk.began).min().unwrap();
    let (mail, state) = (home.path().join("Mail"), home.state());
    let ours = [mail.to_str().unwrap(), state.to_str().unwrap()];
    let mut reached = Vec::new();
    for call in calls
        .iter()
        .filter(|call| call.began > first && call.succeeded())
    {
        if ["connect", "sendto", "landlock_restrict_self", "prctl"].contains(&call.name.as_str()) {
            continue;
        }
        let inside = ours.iter().any(|path| call.text.contains(path));
        assert!(inside, "after it had connected: {}", call.text);
        reached.push(call.name.as_str());
    }
    for name in wants {
        assert!(reached.contains(name), "{name}: {reached:?}");
    }
}

#[test]
fn s73_after_it_has_connected_a_fetch_reaches_nothing_but_its_maildir_and_state() {
    if !installed("strace") {
        return;
    }
    let (server, home) = Server::builder(&Maildrop::new(mail(5))).with_home("keep = \"never\"\n");
    // The second session of the run is confined as well, and can do its work.
    server.behave(Behaviour::new().on_occurrences("RETR 3", 0..1, Reply::End(Ending::Close)));
    let calls = traced(&home, &["fetch"], 0);
    assert_confined(&home, &calls, &["openat", "renameat2"]);
    assert_eq!(server.sessions().len(), 2);
    tree::assert_holds(&home.maildir("a"), &mail(5));
}

#[test]
fn f1_the_thread_that_talks_to_a_server_is_left_no_state_but_to_read_its_own_journal() {
    if !installed("strace") {
        return;
    }
    let (_server, home) = Server::builder(&Maildrop::new(mail(3))).with_home("keep = \"never\"\n");
    let state = home.state();
    let state = state.to_str().unwrap();
    for arguments in [&["fetch"][..], &["check"], &["state", "mark-seen", "a"]] {
        let trace = home.path().join("trace");
        let which = "landlock_add_rule,landlock_restrict_self";
        strace::traced(&home, &trace, which, arguments).expect(0);
        let calls = calls(&fs::read_to_string(trace).unwrap());
        assert!(
            calls
                .iter()
                .any(|call| call.name == "landlock_restrict_self" && call.succeeded()),
            "it is never confined"
        );
        let rules = calls.iter().filter(|call| call.name == "landlock_add_rule");
        for rule in rules.filter(|rule| rule.text.contains(state)) {
            let (access, journal) = ("allowed_access=LANDLOCK_ACCESS_FS_READ_FILE,", ".journal>");
            assert!(
                rule.text.contains(access) && rule.text.contains(journal),
                "{}",
                rule.text
            );
        }
    }
    tree::assert_holds(&home.maildir("a"), &mail(3));
}

#[test]
fn s73_looking_at_a_maildrop_reaches_no_file_at_all() {
    if !installed("strace") {
        return;
    }
    let (_server, home) = Server::builder(&Maildrop::new(mail(5))).with_home("");
    for arguments in [
        &["check", "--headers"][..],
        &["fetch", "--dry-run"],
        &["account", "test"],
    ] {
        let calls = traced(&home, arguments, 0);
        assert_confined(&home, &calls, &[]);
    }
}

#[test]
fn s73_f16_a_token_is_renewed_by_a_thread_that_has_nothing_to_do_with_the_mail_server() {
    if !installed("strace") {
        return;
    }
    let (server, provider) = (oauth::server(2), Provider::start(3600, true));
    let home = Home::new();
    oauth::configure(&home, &server.account(), &provider.table());
    traced(&home, &["login", "a", "--device"], 0);
    let calls = traced(&home, &["fetch"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(2));
    assert_eq!((server.sessions().len(), provider.forms().len()), (2, 2));
    let connects = |port: u16| -> Vec<&Call> {
        let port = format!("sin_port=htons({port})");
        let calls = calls.iter();
        calls
            .filter(|c| c.name == "connect" && c.text.contains(&port))
            .collect()
    };
    let (mail, tokens) = (connects(server.port()), connects(provider.port()));
    assert!(!mail.is_empty() && !tokens.is_empty());
    let confined = |thread: &str| {
        let mut asks = calls.iter().filter(|call| {
            call.name == "landlock_restrict_self" && call.succeeded() && call.thread == thread
        });
        asks.next().expect("it is never confined").ended
    };
    for call in &mail {
        assert!(confined(&call.thread) < call.began, "{}", call.text);
        assert!(tokens.iter().all(|other| other.thread != call.thread));
        let mut after = calls.iter().filter(|other| {
            other.thread == call.thread && other.began > call.began && other.succeeded()
        });
        assert!(after.all(|other| !other.text.contains("/logins")));
    }
    // Who renews it gives up the files, too, once nobody can ask for another.
    for call in &tokens {
        assert!(confined(&call.thread) > call.ended, "{}", call.text);
    }
    let kept = calls.iter().filter(|call| call.name.starts_with("rename"));
    let kept: Vec<_> = kept.filter(|call| call.text.contains("/logins")).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].thread, tokens[0].thread);
}

#[test]
fn what_needs_files_besides_still_works_where_it_is_confined() {
    let (server, home) = Server::builder(&Maildrop::new(mail(3))).with_home("");
    home.popfetch(["state", "mark-seen", "a"]).expect(0);
    let output = home.popfetch(["check"]).expect(0);
    assert_said(&output, &[]);
    assert!(output.stdout.contains('3'), "{output:#?}");
    server.maildrop().add([crate::given::letter(4)]);
    home.popfetch(["fetch"]).expect(0);
    assert_eq!(tree::count(&home.maildir("a")), 1);
}
