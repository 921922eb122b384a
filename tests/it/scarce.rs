//! Where the system has few files or threads to give: fewer things are done at a time, and no more.

use crate::given::letter;
use crate::support::account::Security;
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

const MESSAGES: usize = 150;

/// Others in each account, or they would be taken for one maildrop.
fn mail_of(account: usize) -> Vec<Message> {
    let first = account * MESSAGES;
    (first..first + MESSAGES).map(letter).collect()
}

fn accounts(count: usize) -> (Vec<Server>, Home) {
    let home = Home::new();
    let start = |n| {
        let maildrop = Maildrop::new(mail_of(n));
        Server::builder(&maildrop).security(Security::Plain).start()
    };
    let servers: Vec<Server> = (0..count).map(start).collect();
    let configs = servers
        .iter()
        .enumerate()
        .map(|(n, server)| home.account_config(&format!("a{n}"), &server.account()));
    home.config(&configs.collect::<String>());
    (servers, home)
}

fn assert_all_is_here(home: &Home, count: usize) {
    for n in 0..count {
        tree::assert_holds(&home.maildir(&format!("a{n}")), &mail_of(n));
    }
}

#[test]
fn e_6_with_few_files_fewer_are_open_at_a_time_and_all_the_mail_arrives() {
    for files in ["56", "100", "256"] {
        let (_servers, home) = accounts(8);
        let script = format!("ulimit -n {files}; exec \"$@\"");
        let run = home.popfetch_under("sh", &["-c", &script, "sh"], &["fetch"]);
        run.expect(0);
        assert_all_is_here(&home, 8);
    }
}

#[test]
fn e_6_without_any_thread_to_be_had_one_thing_is_done_after_the_other() {
    let (_servers, home) = accounts(3);
    // No machine has so much room for a thread's stack.
    let run = home
        .popfetch(["fetch"])
        .env("RUST_MIN_STACK", "70368744177664");
    let output = run.expect(0);
    assert!(!output.stderr.contains("panicked"), "{output:#?}");
    assert_all_is_here(&home, 3);
}

#[test]
fn e_6_with_few_threads_the_accounts_take_turns() {
    let (_servers, home) = accounts(8);
    // Fewer than the threads that help with the syncs of one account alone.
    let script = "ulimit -v 40000000; exec \"$@\"";
    let run = home.popfetch_under("sh", &["-c", script, "sh"], &["fetch", "--jobs", "1"]);
    let output = run.env("RUST_MIN_STACK", "2147483648").expect(0);
    assert!(!output.stderr.contains("panicked"), "{output:#?}");
    assert_all_is_here(&home, 8);
}

#[test]
fn e_6_with_fewer_files_than_signals_need_the_limit_is_named_and_nothing_is_a_bug() {
    let (_servers, home) = accounts(1);
    let script = "ulimit -n 6; exec \"$@\"";
    let run = home.popfetch_under("sh", &["-c", script, "sh"], &["fetch"]);
    let output = run.expect(75);
    assert!(output.stderr.contains("ulimit -n"), "{output:#?}");
}
