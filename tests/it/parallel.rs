//! Several runs at once, and several accounts at once.

use std::sync::{Arc, Condvar, Mutex};

use rustix::process::Signal;

use crate::given::{Gate, gate};
use crate::support::listener::ClosedPort;
use crate::support::maildrop::Maildrop;
use crate::support::message::{Message, generate};
use crate::support::process::PATIENCE;
use crate::support::run::Home;
use crate::support::server::{CommandSeen, Server};
use crate::support::tree;

/// A server whose first session waits at its first RETR until it is told to go on.
fn held_server(messages: &[Message]) -> (Server, Gate) {
    let (gate, hook) = gate("RETR 1");
    let maildrop = Maildrop::new(messages.iter().cloned());
    let server = Server::builder(&maildrop).on_command(hook).start();
    (server, gate)
}

#[test]
fn d1_d29_a_second_run_of_an_account_exits_75_and_names_the_process_that_holds_it() {
    let messages = generate(20, 500);
    let (server, gate) = held_server(&messages);
    let home = Home::of(&server.account(), "");
    let mut first = home.popfetch(["fetch"]).start();
    gate.wait("RETR 1");

    let second = home.popfetch(["fetch"]).expect(75);
    let holder = first.id().to_string();
    assert!(second.stderr.contains(&holder), "{holder}: {second:#?}");
    // It did not even connect: the server would have had to wait for both.
    assert_eq!(server.sessions_so_far().len(), 1);

    gate.open();
    assert_eq!(first.wait().status, Some(0));
    tree::assert_holds(&home.maildir("a"), &messages);
    home.popfetch(["fetch"]).expect(0);
    assert_eq!(server.last_session().count("RETR"), 0);
}

#[test]
fn d1_d29_the_lock_goes_at_once_with_a_killed_process() {
    let messages = generate(20, 500);
    let (server, gate) = held_server(&messages);
    let home = Home::of(&server.account(), "");
    let mut first = home.popfetch(["fetch"]).start();
    gate.wait("RETR 1");
    home.popfetch(["fetch"]).expect(75);

    first.signal(Signal::KILL);
    assert_eq!(first.wait().status, None);
    // The server's own lock on the maildrop goes when it notices.
    gate.open();
    server.sessions();
    home.popfetch(["fetch"]).expect(0);
    tree::assert_holds(&home.maildir("a"), &messages);
}

/// Three runs that start together; how many worked. The others gave way, and at least one worked.
fn three_at_once(home: &Home) -> usize {
    let runs = [0; 3].map(|_| home.popfetch(["fetch"]).start());
    let outputs = runs.map(|run| run.wait());
    for output in &outputs {
        assert!(matches!(output.status, Some(0 | 75)), "{output:#?}");
    }
    let worked = outputs.iter().filter(|output| output.status == Some(0));
    let worked = worked.count();
    assert!(worked > 0, "{outputs:#?}");
    worked
}

#[test]
fn d29_runs_that_start_at_the_same_time_never_lose_or_double_a_message() {
    const ROUNDS: usize = 40;
    let maildrop = Maildrop::new([]);
    let (_server, home) = Server::builder(&maildrop).with_home("");
    let messages = generate(ROUNDS, 400);
    let mut worked = 0;
    for message in &messages {
        maildrop.add([message.clone()]);
        worked += three_at_once(&home);
    }
    tree::assert_holds(&home.maildir("a"), &messages);
    eprintln!("of {} runs {worked} worked", 3 * ROUNDS);
}

#[test]
fn d29_runs_that_start_at_the_same_time_may_be_the_first_ones_of_all() {
    let messages = generate(3, 400);
    let server = Server::start(&Maildrop::new(messages.clone()));
    for _ in 0..20 {
        // Nothing is there yet: no state, no lock, no Maildir.
        let home = Home::of(&server.account(), "");
        three_at_once(&home);
        tree::assert_holds(&home.maildir("a"), &messages);
    }
}

/// Two accounts, "a" and "b", that deliver to the Maildir of "a".
fn shared_config(home: &Home, servers: [&Server; 2]) {
    let a = home.account_config("a", &servers[0].account());
    let b = home.account_config("b", &servers[1].account());
    let (own, shared) = (home.maildir("b"), home.maildir("a"));
    let b = b.replace(&format!("{own:?}"), &format!("{shared:?}"));
    home.config(&(a + &b));
}

#[test]
fn two_accounts_in_parallel_share_a_maildir_and_nothing_is_lost_or_doubled() {
    // The same unique-ids on both servers, and different octets.
    let first = generate(150, 500);
    let second = generate(150, 501);
    let servers = [&first, &second].map(|all| Server::start(&Maildrop::new(all.clone())));
    let home = Home::new();
    shared_config(&home, [&servers[0], &servers[1]]);
    home.popfetch(["fetch", "--jobs", "2"]).expect(0);
    tree::assert_holds(&home.maildir("a"), &[first, second].concat());
    let again = home.popfetch(["--format", "paths"]).expect(0);
    assert_eq!(again.stdout, "");
    assert_eq!(servers.map(|server| server.count("RETR")), [150, 150]);
}

#[test]
fn d29_two_processes_for_two_accounts_share_a_maildir_at_the_same_time() {
    let first = generate(150, 500);
    let second = generate(150, 501);
    let servers = [&first, &second].map(|all| Server::start(&Maildrop::new(all.clone())));
    let home = Home::new();
    shared_config(&home, [&servers[0], &servers[1]]);
    let runs = ["a", "b"].map(|account| home.popfetch(["fetch", account]).start());
    for run in runs {
        let output = run.wait();
        assert_eq!(output.status, Some(0), "{output:#?}");
    }
    tree::assert_holds(&home.maildir("a"), &[first, second].concat());
}

/// Who is between sign-in and QUIT, over several servers.
#[derive(Default)]
struct Floor {
    state: Mutex<(usize, usize)>,
    changed: Condvar,
}

impl Floor {
    fn server(self: &Arc<Self>, wait_for: usize) -> Server {
        let floor = Arc::clone(self);
        let hook = move |seen: &CommandSeen| floor.see(&seen.line, wait_for);
        let maildrop = Maildrop::new(generate(3, 400));
        Server::builder(&maildrop).on_command(hook).start()
    }

    /// Counts in at the first RETR, where it waits for `wait_for` to be here, and out at QUIT.
    fn see(&self, line: &str, wait_for: usize) {
        let mut state = self.state.lock().unwrap();
        match line {
            "RETR 1" => {
                state.0 += 1;
                state.1 = state.1.max(state.0);
                self.changed.notify_all();
                let waited = self
                    .changed
                    .wait_timeout_while(state, PATIENCE, |(_, most)| *most < wait_for);
                assert!(!waited.unwrap().1.timed_out(), "the others never came");
            }
            "QUIT" => state.0 -= 1,
            _ => (),
        }
    }
}

fn most_at_once(jobs: &str, wait_for: usize) -> usize {
    let floor = Arc::new(Floor::default());
    let servers = [0; 3].map(|_| floor.server(wait_for));
    let home = Home::new();
    let names = ["a", "b", "c"];
    let configs = names
        .iter()
        .zip(&servers)
        .map(|(name, server)| home.account_config(name, &server.account()));
    home.config(&configs.collect::<String>());
    home.popfetch(["fetch", "--jobs", jobs]).expect(0);
    drop(servers);
    for name in names {
        tree::assert_holds(&home.maildir(name), &generate(3, 400));
    }
    floor.state.lock().unwrap().1
}

#[test]
fn jobs_bounds_how_many_accounts_are_fetched_at_once() {
    assert_eq!(most_at_once("1", 1), 1);
    assert_eq!(most_at_once("2", 2), 2);
    assert_eq!(most_at_once("3", 3), 3);
}

#[test]
fn an_account_that_fails_does_not_stop_the_others_and_the_worst_status_wins() {
    let good = Server::start(&Maildrop::new(generate(5, 400)));
    let bad = Server::start(&Maildrop::new(generate(5, 400)));
    let (closed, mut gone) = (ClosedPort::new(), good.account());
    gone.port = closed.port();
    for jobs in ["1", "3"] {
        let home = Home::new();
        let mut wrong = bad.account();
        wrong.password = "wrong".into();
        let text = home.account_config("bad", &wrong)
            + &home.account_config("gone", &gone)
            + &home.account_config("good", &good.account());
        home.config(&text);
        let output = home
            .popfetch(["fetch", "--jobs", jobs, "--format", "json"])
            .expect(77);
        tree::assert_holds(&home.maildir("good"), &generate(5, 400));
        assert_eq!(tree::count(&home.maildir("bad")), 0);
        let statuses: Vec<(String, i64)> = output
            .stdout
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .filter(|event| event["event"] == "account")
            .map(|event| {
                let name = event["account"].as_str().unwrap().to_string();
                (name, event["status"].as_i64().unwrap())
            })
            .collect();
        let status = |name: &str| statuses.iter().find(|(found, _)| found == name).unwrap().1;
        let found = ["bad", "gone", "good"].map(status);
        assert_eq!(found, [77, 75, 0], "{}", output.stdout);
        assert!(output.stderr.contains("bad"), "{}", output.stderr);
    }
}
