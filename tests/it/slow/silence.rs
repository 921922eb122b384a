use std::time::{Duration, Instant};

use crate::given::{assert_said, mail, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::maildrop::Maildrop;
use crate::support::run::Home;
use crate::support::script::{Scene, Script};
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;

const TIMEOUT: &str = "timeout = \"1s\"\n";

fn silent_on(command: &str, said: &str) -> Behaviour {
    let reply = Reply::RawThenEnd(said.into(), Ending::Stall);
    Behaviour::new().on(command, reply)
}

fn impatient(behaviour: Behaviour) -> (Server, Home) {
    let server = Server::builder(&Maildrop::new(mail(3))).behaviour(behaviour);
    let server = server.start();
    let home = Home::new();
    home.one_account(&server.account(), TIMEOUT);
    (server, home)
}

#[test]
fn f5_silence_ends_the_run_and_the_state_is_named() {
    for (command, said, state) in [
        ("CAPA", "", "asking for the server's capabilities"),
        (
            "CAPA",
            "+OK\r\nUIDL\r\n",
            "asking for the server's capabilities",
        ),
        ("AUTH", "", "signing in"),
        ("STAT", "", "listing the maildrop"),
        ("UIDL", "+OK\r\n1 uid-1\r\n2 u", "listing the maildrop"),
        ("LIST", "+OK\r\n1 1", "listing the maildrop"),
        ("RETR 2", "", "fetching message 2"),
        (
            "RETR 2",
            "+OK\r\nSubject: x\r\n\r\nhal",
            "fetching message 2",
        ),
        ("DELE 1", "", "marking messages as deleted"),
    ] {
        let (server, home) = impatient(silent_on(command, said));
        let began = Instant::now();
        let output = run(&home, &["fetch", "--delete"], 75);
        assert!(began.elapsed() < Duration::from_secs(8), "{command}");
        let words = ["error: a: ", "no answer for 1 seconds", state, "hint: "];
        assert_said(&output, &words);
        tree::assert_tmp_is_empty(&home.maildir("a"));
        assert_eq!(server.last_session().count("QUIT"), 0);
        assert_eq!(server.maildrop().count(), 3);
        server.behave(Behaviour::new());
        run(&home, &["fetch", "--delete"], 0);
        tree::assert_holds(&home.maildir("a"), &mail(3));
    }
}

#[test]
fn f5_silence_instead_of_a_greeting_ends_the_run() {
    let script = Script::tls(Scene::new().stall());
    let home = Home::new();
    home.one_account(&script.account(), TIMEOUT);
    let output = run(&home, &[], 75);
    assert_said(&output, &["no answer for 1 seconds", "greeting"]);
}

#[test]
fn f24_silence_after_quit_is_no_failure() {
    let (server, home) = impatient(silent_on("QUIT", ""));
    run(&home, &["fetch", "--delete"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(3));
    // It was not confirmed, so the next run asks again, and brings nothing twice.
    assert_eq!(server.maildrop().count(), 3);
    server.behave(Behaviour::new());
    let output = run(&home, &["fetch", "--delete"], 0);
    assert_said(&output, &["nothing new", "3 deleted"]);
    assert_eq!(server.last_session().count("RETR"), 0);
    assert_eq!(server.maildrop().count(), 0);
    tree::assert_holds(&home.maildir("a"), &mail(3));
}

#[test]
fn t14_one_octet_now_and_then_is_no_progress() {
    let scene = Scene::signed_in();
    let scene = scene.expect("STAT").send("+OK 1 5000\r\n");
    let scene = scene.expect("UIDL").send("+OK\r\n1 a\r\n.\r\n");
    let scene = scene.expect("LIST").send("+OK\r\n1 5000\r\n.\r\n");
    let scene = scene.expect("RETR").send("+OK\r\n");
    let scene = scene.drip([b'x'; 5000], Duration::from_millis(900));
    let script = Script::tls(scene);
    let home = Home::new();
    home.one_account(&script.account(), TIMEOUT);
    let began = Instant::now();
    let output = run(&home, &[], 75);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    assert_said(&output, &["too slow", "fetching message 1"]);
    tree::assert_holds(&home.maildir("a"), &[]);
}

#[test]
fn a_slow_server_that_keeps_at_it_is_waited_for() {
    // Slower as a whole than the timeout, but never silent for so long.
    let (_server, home) = impatient(Behaviour::new().delay(Duration::from_millis(300)));
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(3));
}
