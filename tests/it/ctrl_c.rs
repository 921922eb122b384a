//! Whoever presses Ctrl-C hears of it at once, and gets a screen back that a shell can go on with.

use std::io::Read;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::given::{Gate, behaving, gate_for, journals, mail, run};
use crate::support::account::Account;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::listener::Listener;
use crate::support::maildrop::Maildrop;
use crate::support::process::{PATIENCE, within};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::terminal::{Terminal, everything};
use crate::support::tree;
use crate::support::wire::Ending;

const HEARD: &str = "stopping within 2 seconds; Ctrl-C again: at once";

/// An account of three messages whose server keeps this command waiting.
fn held_at(command: &str) -> (Server, Home, Gate) {
    let wanted = command.to_owned();
    let (gate, hook) = gate_for(move |line| line.starts_with(&wanted));
    let server = Server::builder(&Maildrop::new(mail(3)))
        .on_command(hook)
        .start();
    let home = Home::new();
    home.one_account(&server.account(), "pipelining = \"off\"\n");
    // The gate goes first, so that the server's threads end.
    (server, home, gate)
}

/// Presses Ctrl-C once this is shown; what is seen in the end.
fn interrupted(mut terminal: Terminal, shown: &str) -> String {
    terminal.wait_for(shown).press("\u{3}").wait_for(HEARD);
    let (status, seen) = terminal.see_a_clean_end();
    assert_eq!(status, 130, "{seen}");
    seen
}

#[test]
fn during_a_fetch_it_is_heard_at_once_and_leaves_the_screen_clean_and_nothing_half_written() {
    for (command, shown, end) in [
        ("AUTH", "signing in", "a: interrupted"),
        ("UIDL", "listing", "a: interrupted"),
        (
            "RETR 2",
            "1/3 [",
            "a: 1 message fetched (244 B) in ~/Mail/a, then: interrupted while",
        ),
    ] {
        let (server, home, gate) = held_at(command);
        let terminal = Terminal::start(&home, 80, &["fetch"]);
        gate.wait(command);
        let seen = interrupted(terminal, shown);
        let (first, rest) = seen.split_once('\n').unwrap();
        assert_eq!(first, HEARD, "{command}:\n{seen}");
        assert!(rest.starts_with(end), "{command}:\n{seen}");
        gate.open();
        if command == "RETR 2" {
            tree::assert_tmp_is_empty(&home.maildir("a"));
        } else {
            assert!(journals(&home).is_empty(), "{command}");
            assert!(!home.path().join("Mail").exists(), "{command}");
        }
        server.sessions();
        run(&home, &["fetch", "--now"], 0);
        tree::assert_holds(&home.maildir("a"), &mail(3));
    }
}

/// A server that takes connections and says nothing.
fn silent() -> Listener {
    Listener::start(|_, socket| while let Ok(1..) = (&*socket).read(&mut [0; 4096]) {})
}

#[test]
fn during_a_look_up_and_a_handshake_without_end_it_is_heard_as_well() {
    let silent = silent();
    let account = |host: &str, port| Account {
        host: host.into(),
        port,
        user: "ada".into(),
        password: "secret".into(),
        roots: Some("bundled".into()),
    };
    for (host, port) in [("pop.example.test", 995), ("localhost", silent.port())] {
        let mut home = Home::new();
        home.env("POPFETCH_TEST_NAMES", "pop.example.test:995=nobody");
        home.one_account(&account(host, port), "");
        for arguments in [
            &["fetch"][..],
            &["fetch", "-n"],
            &["check"],
            &["account", "test", "a"],
            &["fetch", "--no-progress"],
        ] {
            let mut terminal = Terminal::start(&home, 80, arguments);
            if arguments.contains(&"--no-progress") {
                let tried = || (home.state().exists() && home.maildir("a").exists()).then_some(());
                within(PATIENCE, tried).expect("it does not begin");
            } else {
                terminal.wait_for("connecting to");
            }
            // What ends at once need not say first that it will.
            terminal.press("\u{3}");
            let (status, seen) = terminal.see_a_clean_end();
            assert_eq!(status, 130, "{arguments:?}:\n{seen}");
            assert!(seen.contains("interrupted"), "{arguments:?}:\n{seen}");
            assert!(!seen.contains("connecting to"), "{arguments:?}:\n{seen}");
            // Without bars the account may have its say before popfetch has.
            let bars = !arguments.contains(&"--no-progress");
            assert!(!(bars && seen.contains("^C")), "{arguments:?}:\n{seen}");
            assert!(journals(&home).is_empty(), "{arguments:?}");
            assert!(!home.path().join("Mail").exists(), "{arguments:?}");
        }
    }
}

#[test]
fn what_only_looks_ends_at_once_with_the_signal_s_status_and_blames_no_network() {
    for (arguments, signal, status) in [
        (&["account", "test", "a"][..], Signal::TERM, 143),
        (&["account", "test", "a"], Signal::INT, 130),
        (&["check"], Signal::TERM, 143),
        (&["fetch", "-n"], Signal::TERM, 143),
    ] {
        let (_server, home, gate) = held_at("UIDL");
        let mut running = home.popfetch(arguments.iter().copied()).start();
        gate.wait("UIDL");
        let since = Instant::now();
        running.signal(signal);
        let output = running.wait();
        assert_eq!(output.status, Some(status), "{arguments:?}: {output:#?}");
        // A fetch would give what is under way two seconds.
        assert!(
            since.elapsed() < Duration::from_millis(1800),
            "{arguments:?}"
        );
        let said = output.stdout + &output.stderr;
        assert!(!said.contains("check the network"), "{arguments:?}: {said}");
        gate.open();
    }
}

#[test]
fn a_second_one_ends_it_at_once_and_no_bar_is_left() {
    let (server, home, gate) = held_at("RETR 2");
    let mut terminal = Terminal::start(&home, 80, &["fetch"]);
    gate.wait("RETR 2");
    terminal.wait_for("1/3 [").press("\u{3}").wait_for(HEARD);
    terminal.wait_for("\n").press("\u{3}");
    let (status, seen) = terminal.see_the_end();
    // Nothing more is said, as what was under way has not come to its end.
    assert_eq!(
        (status, seen.as_str()),
        (130, format!("{HEARD}\n^C").as_str())
    );
    gate.open();
    server.sessions();
    run(&home, &["fetch"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(3));
}

#[test]
fn while_setup_looks_for_a_server_or_signs_in_it_says_that_nothing_is_written() {
    let silent = Behaviour::new().on("AUTH", Reply::End(Ending::Stall));
    let (server, mut home) = behaving(1, silent);
    let roots = server.account().roots.unwrap();
    home.env("SSL_CERT_FILE", roots.to_str().unwrap());
    home.env("POPFETCH_TEST_DNS", "127.0.0.1:9");
    home.env(
        "POPFETCH_TEST_NAMES",
        "pop.example.test:995=nobody mail.example.test:995=nobody",
    );
    std::fs::remove_dir_all(home.path().join("config")).unwrap();
    std::fs::remove_file(home.path().join("a.password")).unwrap();

    let mut terminal = Terminal::start(&home, 80, &["setup", "ada@example.test"]);
    terminal.wait_for("Looking for the mail server of example.test ...\n");
    let is_deaf = within(PATIENCE, || (!terminal.echoes()).then_some(()));
    is_deaf.expect("what is typed is shown");
    terminal.press("\u{3}");
    let (status, seen) = terminal.see_a_clean_end();
    assert_eq!(
        (status, seen.as_str()),
        (
            130,
            "Looking for the mail server of example.test ...\nNothing has been written."
        )
    );

    let host = format!("localhost:{}", server.port());
    let arguments = ["setup", "ada@example.test", "--host", &host];
    let mut terminal = Terminal::start(&home, 80, &arguments);
    terminal.answer("Password for ", "secret");
    terminal.wait_for("signing in").press("\u{3}");
    let (status, seen) = terminal.see_a_clean_end();
    assert_eq!(status, 130, "{seen}");
    assert!(seen.ends_with(":\nNothing has been written."), "{seen}");
    assert_eq!(everything(home.path()), [], "{seen}");
}
