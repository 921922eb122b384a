use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use crate::given::{assert_no_credentials, assert_said, mail, run};
use crate::support::account::{Account, Security};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::certificate::{Authority, Wanted};
use crate::support::dovecot::Dovecot;
use crate::support::maildrop::Maildrop;
use crate::support::run::Home;
use crate::support::script::{Scene, Script};
use crate::support::server::{How, Server};
use crate::support::tree;
use crate::support::wire::Ending;

const STLS: &str = "tls = \"starttls\"\n";

fn home_of(account: &Account, keys: &str) -> Home {
    Home::of(account, &format!("{STLS}{keys}"))
}

fn serving(authority: &Authority, behaviour: Behaviour) -> Server {
    Server::builder(&Maildrop::new(mail(2)))
        .security(Security::stls(&authority.localhost(), authority))
        .behaviour(behaviour)
        .start()
}

/// Where nothing is ever encrypted, and what a client does there.
fn in_clear(scene: Scene) -> (Script, Home) {
    let authority = Authority::new();
    let script = Script::start(Security::stls(&authority.localhost(), &authority), [scene]);
    let home = home_of(&script.account(), "timeout = \"2s\"\n");
    // The file is read before anything else; it need not live longer than this run.
    let roots = home.private_file(
        "ca.pem",
        &std::fs::read_to_string(authority.pem_file()).unwrap(),
    );
    let account = Account {
        roots: Some(roots),
        ..script.account()
    };
    home.one_account(&account, &format!("{STLS}timeout = \"2s\"\n"));
    (script, home)
}

#[test]
fn s6_stls_comes_before_all_else_and_nothing_is_sent_behind_it() {
    let authority = Authority::new();
    let server = serving(&authority, Behaviour::new());
    let home = home_of(&server.account(), "keep = \"never\"\n");
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(2));
    let session = server.last_session();
    assert_eq!(session.ended, How::Quit, "{session:#?}");
    assert_eq!(session.commands[..3], ["CAPA", "STLS", "CAPA"]);
    assert_eq!(session.count("STLS"), 1);
    assert_eq!(server.maildrop().count(), 0);
    let output = run(&home, &["check", "-vv"], 0);
    assert_said(&output, &["STLS"]);
}

#[test]
fn s2_a_server_without_stls_is_told_nothing_but_capa() {
    let server = Server::builder(&Maildrop::new(mail(1)))
        .security(Security::Plain)
        .behaviour(Behaviour::new().capabilities(&["USER", "SASL PLAIN", "UIDL"]))
        .start();
    let account = Account {
        roots: Some("bundled".into()),
        ..server.account()
    };
    let output = run(&home_of(&account, ""), &[], 69);
    assert_said(
        &output,
        &["error: a: ", "offers no STLS", "hint: ", "implicit"],
    );
    assert_eq!(server.last_session().commands, ["CAPA"]);
    assert_eq!(server.sessions().len(), 1, "one attempt");
}

#[test]
fn s3_a_capa_that_fails_ends_it_before_stls() {
    let garbage = "* CAPABILITY IMAP4rev1 STARTTLS\r\n";
    for (reply, status) in [
        (Reply::raw("-ERR unknown\r\n"), 69),
        (Reply::raw("-ERR [SYS/TEMP] later\r\n"), 69),
        (Reply::raw("+OK\r\n.\r\n"), 69),
        (Reply::raw(garbage), 76),
        (Reply::raw("STLS\r\n.\r\n"), 76),
        (Reply::End(Ending::Close), 75),
        (Reply::End(Ending::Reset), 75),
        (
            Reply::RawThenEnd(b"+OK\r\nSTLS\r\n".to_vec(), Ending::Close),
            75,
        ),
    ] {
        let authority = Authority::new();
        let server = serving(&authority, Behaviour::new().on("CAPA", reply));
        let output = run(&home_of(&server.account(), ""), &[], status);
        assert_said(&output, &["error: a: "]);
        assert_eq!(server.last_session().commands, ["CAPA"], "{output:#?}");
        assert_eq!(server.sessions().len(), 1, "one attempt: {output:#?}");
    }
}

#[test]
fn s4_a_refused_stls_is_the_end_of_it_whatever_the_code() {
    for refusal in [
        "-ERR\r\n",
        "-ERR TLS is not available\r\n",
        "-ERR [SYS/TEMP] later\r\n",
        "-ERR [IN-USE] busy\r\n",
        "-ERR [AUTH] no\r\n",
    ] {
        let authority = Authority::new();
        let behaviour = Behaviour::new().on("STLS", Reply::raw(refusal));
        let server = serving(&authority, behaviour);
        let output = run(&home_of(&server.account(), ""), &[], 69);
        assert_said(&output, &["error: a: the server refused STLS", "hint: "]);
        assert_eq!(server.last_session().commands, ["CAPA", "STLS"]);
        assert_eq!(server.sessions().len(), 1, "no second try: {output:#?}");
    }
}

#[test]
fn s5_octets_in_clear_behind_the_consent_to_stls_end_it_before_the_handshake() {
    for extra in [
        "\n",
        "x",
        "+OK\r\n",
        "+OK\r\nSASL PLAIN\r\n.\r\n+OK signed in\r\n",
        "-ERR no\r\n",
        "\x16\x03\x03",
    ] {
        let scene = Scene::new().send("+OK ready\r\n");
        let scene = scene.expect("CAPA").send("+OK\r\nSTLS\r\n.\r\n");
        let scene = scene.expect("STLS").send(format!("+OK begin\r\n{extra}"));
        let (script, home) = in_clear(scene.expect_close());
        let output = run(&home, &[], 76);
        assert_said(
            &output,
            &[
                "error: a: ",
                "in clear behind the server's consent to TLS",
                "hint: ",
            ],
        );
        assert_eq!(script.assert_followed(), ["CAPA", "STLS"], "{extra:?}");
    }
}

#[test]
fn s5_octets_in_clear_that_come_with_the_handshake_are_no_part_of_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut buffer = [0; 4096];
        socket.write_all(b"+OK ready\r\n").unwrap();
        for (command, reply) in [
            ("CAPA\r\n", "+OK\r\nSTLS\r\n.\r\n"),
            ("STLS\r\n", "+OK\r\n"),
        ] {
            let read = socket.read(&mut buffer).unwrap();
            assert_eq!(&buffer[..read], command.as_bytes());
            socket.write_all(reply.as_bytes()).unwrap();
        }
        // The beginning of a handshake is here before anything follows the consent.
        let read = socket.read(&mut buffer).unwrap();
        assert_eq!(buffer[..2], [0x16, 3], "{:?}", &buffer[..read]);
        socket.write_all(b"+OK\r\n+OK\r\n+OK\r\n").unwrap();
        let mut rest = Vec::new();
        let _reset = socket.read_to_end(&mut rest);
        assert!(rest.len() < 100, "an alert at most: {rest:?}");
    });
    let account = Account::of_ada(port, Some("bundled".into()));
    let output = run(&home_of(&account, ""), &[], 69);
    assert_said(&output, &["does not speak TLS", "setting up TLS"]);
    serving.join().unwrap();
}

#[test]
fn s7_what_was_said_before_tls_is_forgotten() {
    let authority = Authority::new();
    let scene = Scene::new().send("+OK ready <1896.697170952@example.com>\r\n");
    let scene = scene.expect("CAPA");
    let scene = scene.send("+OK\r\nSTLS\r\nSASL PLAIN\r\nPIPELINING\r\nUIDL\r\nTOP\r\n.\r\n");
    let scene = scene.expect("STLS").send("+OK\r\n").start_tls();
    let scene = scene.expect("CAPA").send("+OK\r\nUSER\r\nUIDL\r\n.\r\n");
    // Not AUTH PLAIN, and not both at once: neither is announced any more.
    let scene = scene.expect("USER ada").send("+OK\r\n");
    let scene = scene.expect("PASS secret").send("+OK\r\n");
    let scene = scene.expect("CAPA").send("+OK\r\nUSER\r\nUIDL\r\n.\r\n");
    let scene = scene.expect("STAT").send("+OK 0 0\r\n");
    let scene = scene.expect("UIDL").send("+OK\r\n.\r\n");
    let scene = scene.expect("LIST").send("+OK\r\n.\r\n");
    let scene = scene.expect("QUIT").send("+OK\r\n").expect_close();
    let security = Security::stls(&authority.localhost(), &authority);
    let script = Script::start(security, [scene]);
    let output = home_of(&script.account(), "").popfetch([""; 0]).run();
    script.assert_followed();
    assert_eq!(output.status, Some(0), "{output:#?}");
}

#[test]
fn s8_a_greeting_that_is_none_ends_it_before_a_single_command() {
    for (greeting, status) in [
        ("-ERR go away\r\n", 75),
        ("* PREAUTH IMAP4rev1 ready\r\n", 76),
        ("220 smtp.example.com ESMTP\r\n", 76),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", 76),
        ("\r\n", 76),
        ("", 75),
    ] {
        let scene = Scene::new().send(greeting);
        let scene = match greeting {
            "" => scene.close(),
            _ => scene.expect_close(),
        };
        let (script, home) = in_clear(scene);
        run(&home, &[], status);
        assert_eq!(script.assert_followed(), [""; 0], "{greeting:?}");
    }
}

#[test]
fn s10_a_server_that_expects_tls_at_once_is_given_up_with_a_word_about_it() {
    let server = Server::start(&Maildrop::new(mail(1)));
    let home = home_of(&server.account(), "timeout = \"2s\"\n");
    let output = run(&home, &[], 75);
    assert_said(&output, &["error: a: ", "greeting", "hint: ", "implicit"]);
    assert_no_credentials(&server.last_session());
}

#[test]
fn s11_after_stls_a_certificate_counts_as_it_does_before() {
    let authority = Authority::new();
    let wanted = Wanted::default;
    for (identity, words) in [
        (authority.issue(&wanted().expired()), "it expired on 2001"),
        (
            authority.issue(&wanted().names(&["pop.other.example"])),
            "pop.other.example",
        ),
        (Authority::new().localhost(), "no authority"),
    ] {
        let server = Server::builder(&Maildrop::new(mail(1)))
            .security(Security::stls(&identity, &authority))
            .start();
        let output = run(&home_of(&server.account(), ""), &[], 69);
        assert_said(&output, &["certificate of localhost is not trusted", words]);
        assert_eq!(server.last_session().commands, ["CAPA", "STLS"]);
    }
}

#[test]
fn a_handshake_after_stls_that_hangs_or_closes_is_temporary() {
    for stalls in [true, false] {
        let scene = Scene::new().send("+OK ready\r\n");
        let scene = scene.expect("CAPA").send("+OK\r\nSTLS\r\n.\r\n");
        let scene = scene.expect("STLS").send("+OK\r\n");
        let scene = if stalls { scene.stall() } else { scene.close() };
        let (_script, home) = in_clear(scene);
        let output = run(&home, &[], 75);
        assert_said(
            &output,
            &["error: a: ", "TLS handshake", "setting up TLS", "hint: "],
        );
    }
}

#[test]
fn the_port_of_stls_is_110() {
    let home = Home::new();
    home.config(&format!(
        "[accounts.a]\nhost = \"pop.example.com\"\nuser = \"ada\"\n{STLS}"
    ));
    let output = run(&home, &["account", "show", "a", "--format", "json"], 0);
    let shown: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        (&shown["port"], &shown["tls"]),
        (&110.into(), &"starttls".into())
    );
}

#[test]
fn dovecot_is_reached_by_stls() {
    let Some(dovecot) = Dovecot::start(&mail(3)) else {
        return;
    };
    let home = home_of(&dovecot.stls_account(), "keep = \"never\"\n");
    let output = home.popfetch(["-vv"]).run();
    assert_eq!(output.status, Some(0), "{output:#?}\n{}", dovecot.log());
    assert_said(&output, &["STLS"]);
    assert_eq!(tree::count(&home.maildir("a")), 3);
    assert_eq!(dovecot.count(), 0);
}
