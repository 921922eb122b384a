use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use crate::given::{assert_said, mail, run};
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::process::PATIENCE;
use crate::support::run::Home;
use crate::support::script::{Scene, Script};
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;

/// Twice what would do, for machines that are in no hurry either.
const TIMEOUT: &str = "timeout = \"2s\"\n";

fn silent_on(command: &str, said: &str) -> Behaviour {
    let reply = Reply::RawThenEnd(said.into(), Ending::Stall);
    Behaviour::new().on(command, reply)
}

fn impatient(behaviour: Behaviour) -> (Server, Home) {
    let server = Server::builder(&Maildrop::new(mail(3))).behaviour(behaviour);
    server.security(Security::Plain).with_home(TIMEOUT)
}

#[test]
fn f5_silence_ends_the_run_and_the_state_is_named() {
    let states = [
        ("CAPA", "", "asking for the server's capabilities"),
        (
            "CAPA",
            "+OK\r\nUIDL\r\n",
            "asking for the server's capabilities",
        ),
        ("AUTH", "", "signing in"),
        ("STAT", "", "listing the mailbox"),
        ("UIDL", "+OK\r\n1 uid-1\r\n2 u", "listing the mailbox"),
        ("LIST", "+OK\r\n1 1", "listing the mailbox"),
        ("RETR 2", "", "fetching message 2"),
        (
            "RETR 2",
            "+OK\r\nSubject: x\r\n\r\nhal",
            "fetching message 2",
        ),
        ("DELE 1", "", "as deleted"),
    ];
    let began = Instant::now();
    // Side by side, because each takes as long as the timeout.
    let runs = states.map(|(command, said, state)| {
        let (server, home) = impatient(silent_on(command, said));
        let running = home.popfetch(["fetch", "--delete"]).start();
        (running, state, server, home)
    });
    for (running, state, server, home) in runs {
        let output = running.wait();
        assert_eq!(output.status, Some(75), "{state}: {output:#?}");
        assert!(began.elapsed() < Duration::from_secs(30), "{state}");
        let words = ["error: a: ", "no answer for 2 seconds", state, "hint: "];
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
    let home = Home::of(&script.account(), TIMEOUT);
    let output = run(&home, &[], 75);
    assert_said(&output, &["no answer for 2 seconds", "greeting"]);
}

#[test]
fn f5_silence_in_any_step_of_a_sign_in_ends_the_run() {
    let old = ["UIDL", "USER"];
    // The password is so long that the response has to wait for the server's challenge.
    let long = "x".repeat(300);
    let steps = [
        ("USER", "", &old[..], "secret"),
        ("PASS", "", &old, "secret"),
        ("AUTH", "", &["UIDL", "SASL PLAIN"], "secret"),
        ("AUTH", "+ \r\n", &["UIDL", "SASL PLAIN"], &long),
    ];
    let runs = steps.map(|(command, said, capabilities, password)| {
        let silent = silent_on(command, said).capabilities(capabilities);
        let (server, home) = impatient(silent);
        let mut account = server.account();
        account.password = password.into();
        home.one_account(&account, TIMEOUT);
        (home.popfetch(["fetch"]).start(), server, home)
    });
    for (running, _server, _home) in runs {
        let output = running.wait();
        assert_eq!(output.status, Some(75), "{output:#?}");
        let words = ["error: a: ", "no answer for 2 seconds", "signing in"];
        assert_said(&output, &words);
    }
}

#[test]
fn f2_f5_a_host_that_does_not_answer_ends_the_run() {
    // One connection waits to be accepted, and there is no room for a second one.
    let listener = full_listener();
    let address = rustix::net::getsockname(&listener).unwrap();
    let port = SocketAddr::try_from(address).unwrap().port();
    let _first = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let (server, home) = impatient(Behaviour::new());
    let mut account = server.account();
    (account.host, account.port) = ("127.0.0.1".into(), port);
    home.one_account(&account, TIMEOUT);
    let began = Instant::now();
    let output = run(&home, &[], 75);
    assert!(began.elapsed() < Duration::from_secs(12), "{output:#?}");
    let place = format!("error: a: cannot connect to 127.0.0.1:{port}");
    assert_said(&output, &[&place, "hint: "]);
}

fn full_listener() -> OwnedFd {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with};
    let (family, ours) = (AddressFamily::INET, SocketFlags::CLOEXEC);
    let listener = socket_with(family, SocketType::STREAM, ours, None).unwrap();
    bind(&listener, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    listen(&listener, 0).unwrap();
    listener
}

#[test]
fn f5_s16_silence_in_the_tls_handshake_ends_the_run() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let home = Home::new();
    let mut account = Server::start(&Maildrop::new([])).account();
    account.roots = Some("bundled".into());
    account.port = listener.local_addr().unwrap().port();
    home.one_account(&account, TIMEOUT);
    let began = Instant::now();
    let output = run(&home, &[], 75);
    assert!(began.elapsed() < Duration::from_secs(12), "{output:#?}");
    let words = ["error: a: ", "no answer for 2 seconds", "TLS handshake"];
    assert_said(&output, &words);
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
    let scene = at_retr(5000).send("+OK\r\n");
    let scene = scene.drip([b'x'; 5000], Duration::from_millis(500));
    let script = Script::tls(scene);
    let home = Home::of(&script.account(), TIMEOUT);
    let began = Instant::now();
    let output = run(&home, &[], 75);
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
    assert_said(&output, &["too slow", "fetching message 1"]);
    tree::assert_holds(&home.maildir("a"), &[]);
}

/// A session that has come to the first RETR.
fn at_retr(octets: usize) -> Scene {
    let scene = Scene::signed_in();
    let scene = scene.expect("STAT").send(format!("+OK 1 {octets}\r\n"));
    let scene = scene.expect("UIDL").send("+OK\r\n1 a\r\n.\r\n");
    let scene = scene.expect("LIST");
    let scene = scene.send(format!("+OK\r\n1 {octets}\r\n.\r\n"));
    scene.expect("RETR")
}

#[test]
fn f6_one_octet_now_and_then_is_no_progress_in_any_state() {
    let greeted = || Scene::new().send("+OK ready\r\n").expect("CAPA");
    let listing = || Scene::signed_in().expect("STAT").send("+OK 1 9\r\n");
    let states = [
        (Scene::new(), "greeting"),
        (greeted(), "capabilities"),
        (greeted().send("-ERR\r\n").expect("USER"), "signing in"),
        (Scene::signed_in().expect("STAT"), "listing the mailbox"),
        (
            listing().expect("UIDL").send("+OK\r\n"),
            "listing the mailbox",
        ),
        (at_retr(5000), "fetching message 1"),
        (
            at_retr(5000).send("+OK\r\nSubject: x\r\n\r\n"),
            "fetching message 1",
        ),
    ];
    // Side by side, because each takes as long as the timeout.
    let runs = states.map(|(scene, state)| {
        let drips = scene.drip([b'x'; 100], Duration::from_millis(300));
        let script = Script::plain(drips);
        let home = Home::of(&script.account(), TIMEOUT);
        let running = home.popfetch(["fetch"]).limit(PATIENCE);
        (running.start(), state, script, home)
    });
    for (running, state, _script, home) in runs {
        let output = running.wait();
        assert_eq!(output.status, Some(75), "{state}: {output:#?}");
        assert_said(&output, &["error: a: ", "too slow", state, "hint: "]);
        assert!(output.peak_memory < 64 << 20, "{output:#?}");
        tree::assert_holds(&home.maildir("a"), &[]);
    }
}

#[test]
fn f6_a_slow_line_that_carries_something_is_waited_for() {
    // Some 4 KiB a second: slower as a whole than the timeout, and faster than nothing. Each piece
    // is more than has to come within the timeout, so that one that is late is no failure.
    let message = Message::from_lf("a", "Subject: slow\n\n".to_owned() + &"x\n".repeat(4000));
    let mut body = message.octets();
    body.extend(b".\r\n");
    let mut scene = at_retr(body.len() - 3).send("+OK\r\n");
    for piece in body.chunks(2000) {
        scene = scene.pause(Duration::from_millis(450)).send(piece);
    }
    let script = Script::plain(scene.expect("QUIT").send("+OK\r\n"));
    let home = Home::of(&script.account(), TIMEOUT);
    let began = Instant::now();
    run(&home, &[], 0);
    assert!(began.elapsed() > Duration::from_secs(2), "it was no test");
    script.assert_followed();
    tree::assert_holds(&home.maildir("a"), &[message]);
}

#[test]
fn a_slow_server_that_keeps_at_it_is_waited_for() {
    // Slower as a whole than the timeout, but never silent for so long.
    let (_server, home) = impatient(Behaviour::new().delay(Duration::from_millis(300)));
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(3));
}

#[test]
fn b9_the_hint_about_silence_names_the_key_and_the_option_and_both_work() {
    // A server that needs longer than the account gives it, before it lists the maildrop.
    let slow = || {
        let server = Server::builder(&Maildrop::new(mail(2)));
        server
            .security(Security::Plain)
            .behaviour(Behaviour::new().delay(Duration::from_millis(1500)))
            .start()
    };
    let (server, home) = (slow(), Home::new());
    home.one_account(&server.account(), "timeout = \"1 s\"\n");
    let output = run(&home, &[], 75);
    let words = ["hint: ", "timeout = \"5 min\" in its account", "--timeout"];
    assert_said(&output, &words);
    run(&home, &["fetch", "--now", "--timeout", "5 min"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(2));
    home.one_account(&server.account(), "timeout = \"5 min\"\n");
    run(&home, &["check"], 0);
}
