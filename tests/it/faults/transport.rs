use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use popfetch::net::{self, Channel, Socket};
use popfetch::stop::Stop;

use crate::given::{assert_said, mail, run};
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::maildrop::Maildrop;
use crate::support::message::{Message, generate};
use crate::support::run::Home;
use crate::support::script::{Scene, Script};
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;

const DELETE: &str = "keep = \"never\"\n";

fn serving(security: Security, behaviour: Behaviour) -> (Server, Home) {
    let server = Server::builder(&Maildrop::new(mail(3)));
    server
        .security(security)
        .behaviour(behaviour)
        .with_home(DELETE)
}

/// What is not in the Maildir is still on the server, and the next run brings it.
fn assert_mended(server: &Server, home: &Home, messages: &[Message], what: &str) {
    tree::assert_tmp_is_empty(&home.maildir("a"));
    let stored = tree::count(&home.maildir("a"));
    let left = server.maildrop().count();
    let all = messages.len();
    assert!(stored + left >= all, "{what}: {stored} here, {left} there");
    server.behave(Behaviour::new());
    run(home, &[], 0);
    tree::assert_holds(&home.maildir("a"), messages);
    assert_eq!(server.maildrop().count(), 0, "{what}");
}

#[test]
fn f4_a_reset_in_any_state_ends_the_run_well() {
    for (command, said, status) in [
        ("CAPA", "+OK\r\nUI", 75),
        ("AUTH", "", 75),
        ("AUTH", "+O", 75),
        ("STAT", "", 75),
        ("UIDL", "+OK\r\n1 uid-1\r\n2 ui", 75),
        ("LIST", "+OK\r\n1 1", 75),
        ("RETR 2", "", 75),
        ("RETR 2", "+OK\r\nSubject: x\r\n\r\nhal", 75),
        ("DELE 2", "", 75),
        ("QUIT", "", 0),
        ("QUIT", "+O", 0),
    ] {
        for security in [Security::Plain, Security::Tls] {
            let what = format!("{command}, {said:?}, {security:?}");
            let reset = Reply::RawThenEnd(said.into(), Ending::Reset);
            let (server, home) = serving(security, Behaviour::new().on(command, reset));
            let output = home.popfetch(["fetch"]).run();
            assert_eq!(output.status, Some(status), "{what}: {output:#?}");
            if status != 0 {
                assert_said(&output, &["error: a: ", " while ", "hint: "]);
            }
            assert_mended(&server, &home, &mail(3), &what);
        }
    }
}

#[test]
fn f4_a_reset_instead_of_a_greeting_ends_the_run() {
    for security in [Security::Plain, Security::Tls] {
        let script = Script::start(security, [Scene::new().reset()]);
        let home = Home::of(&script.account(), "");
        let output = run(&home, &[], 75);
        assert_said(&output, &["error: a: ", "hint: "]);
        // A reset that is quick enough is one of the connection itself.
        let states = ["greeting", "cannot connect", "TLS handshake"];
        assert!(
            states.iter().any(|state| output.stderr.contains(state)),
            "{output:#?}"
        );
    }
}

#[test]
fn f4_a_reset_while_commands_are_on_their_way_ends_the_run() {
    // A thousand commands leave at once, and the server has read one of them: of deletions the one
    // with the highest number. The next run looks at as many headers before it deletes.
    for command in ["RETR 1", "DELE 1000"] {
        let messages = generate(1000, 200);
        let reset = Behaviour::new().on(command, Reply::End(Ending::Reset));
        let server = Server::builder(&Maildrop::new(messages.clone()));
        let (server, home) = server
            .security(Security::Plain)
            .behaviour(reset)
            .with_home(DELETE);
        let output = run(&home, &[], 75);
        assert_said(&output, &["error: a: ", "hint: "]);
        assert_mended(&server, &home, &messages, command);
    }
}

#[test]
fn f8_a_server_that_reads_no_more_commands_ends_the_run() {
    for (command, state) in [
        ("RETR 1", "fetching message 1"),
        ("DELE 1", "marking message 1 as deleted"),
    ] {
        for security in [Security::Plain, Security::Tls] {
            let messages = generate(1200, 200);
            let deaf = Behaviour::new().on(command, Reply::End(Ending::Deaf));
            let server = Server::builder(&Maildrop::new(messages));
            let (server, home) = server
                .security(security)
                .behaviour(deaf)
                .with_home(&format!("{DELETE}timeout = \"2s\"\n"));
            let began = Instant::now();
            let output = run(&home, &[], 75);
            assert!(began.elapsed() < Duration::from_secs(30), "{output:#?}");
            assert!(output.peak_memory < 64 << 20, "{output:#?}");
            assert_said(&output, &["error: a: ", "no answer for 2 seconds", state]);
            assert_eq!(server.maildrop().count(), 1200);
        }
    }
}

/// Commands never fill a socket's buffers: at most a thousand are under way. Should they do so all
/// the same, the deadline holds, and what the server says is read meanwhile.
#[test]
fn f8_a_window_that_closes_is_waited_for_no_longer_than_silence() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    let mut socket = Socket::plain(stream, Stop::never().unwrap());
    let (output, mut input) = (vec![0; 32 << 20], [0; 16]);
    let began = Instant::now();
    let deadline = began + Duration::from_millis(300);
    let result = socket.exchange(&output, &mut input, deadline);
    assert!(matches!(result, Err(net::Error::TimedOut(_))), "{result:?}");
    assert!((300..10_000).contains(&began.elapsed().as_millis()));

    peer.write_all(b"+OK\r\n").unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    let moved = socket.exchange(&output, &mut input, deadline).unwrap();
    assert!(moved.sent < output.len(), "the window was never closed");
    assert_eq!(&input[..moved.received], b"+OK\r\n");
}

/// A server may not let go of the maildrop before it notices that its client has gone: whoever
/// connects again at once is told that it is in use.
#[test]
fn f29_f34_a_connection_that_is_given_up_is_over_for_the_server_too() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let connected = || {
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.set_nonblocking(true).unwrap();
        let socket = Socket::plain(stream, Stop::never().unwrap());
        (socket, listener.accept().unwrap().0)
    };
    let (socket, mut peer) = connected();
    let let_go = Arc::new(AtomicBool::new(false));
    let lock = Arc::clone(&let_go);
    let server = thread::spawn(move || {
        peer.write_all(b"* what is not read any more\r\n").unwrap();
        assert_eq!(peer.read(&mut [0; 16]).unwrap(), 0);
        thread::sleep(Duration::from_millis(100));
        lock.store(true, Ordering::SeqCst);
    });
    drop(socket);
    assert!(let_go.load(Ordering::SeqCst));
    server.join().unwrap();

    // One that does not notice at all is not waited for.
    let (socket, _deaf) = connected();
    let began = Instant::now();
    drop(socket);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn f9_answers_in_pieces_of_any_size_or_all_at_once_are_the_same_answers() {
    // A pause before each flight is answered glues all its answers together.
    let glued = Behaviour::new().latency(Duration::from_millis(20));
    let pieces = [1, 2, 3, 5, 64, 16 << 10].map(|size| Behaviour::new().chunk(size));
    for behaviour in pieces.into_iter().chain([glued]) {
        for security in [Security::Plain, Security::Tls] {
            let (server, home) = serving(security, behaviour.clone());
            let output = run(&home, &[], 0);
            assert!(output.peak_memory < 64 << 20, "{output:#?}");
            tree::assert_holds(&home.maildir("a"), &mail(3));
            assert_eq!(server.maildrop().count(), 0);
            assert_eq!(server.sessions().len(), 1);
        }
    }
}
