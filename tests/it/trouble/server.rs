use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine};

use crate::given::{assert_no_credentials, assert_said, behaving, mail, run, server};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::listener::ClosedPort;
use crate::support::maildrop::Maildrop;
use crate::support::process::{PATIENCE, within};
use crate::support::run::Home;
use crate::support::script::{Scene, Script};
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;

const WRONG: &str = "correct horse battery";

/// The password as it is, and in the forms in which SASL PLAIN sends it.
fn forms(password: &str) -> [String; 3] {
    [
        password.into(),
        BASE64_STANDARD.encode(format!("\0ada\0{password}")),
        BASE64_STANDARD.encode(password),
    ]
}

fn with_wrong_password(behaviour: Behaviour) -> (Server, Home) {
    let (server, home) = behaving(2, behaviour);
    let mut account = server.account();
    account.password = WRONG.into();
    home.one_account(&account, "");
    (server, home)
}

#[test]
fn s27_a_refused_password_is_sent_once_and_never_shown() {
    let user_pass = Behaviour::new().without("SASL");
    let echoing = |command, repeated: String| {
        let reply = format!("-ERR [AUTH] you sent {repeated}\r\n");
        Behaviour::new().on(command, Reply::raw(reply))
    };
    let [plain, response, _] = forms(WRONG);
    for (behaviour, command) in [
        (Behaviour::new(), "AUTH"),
        (user_pass.clone(), "PASS"),
        (echoing("AUTH", response), "AUTH"),
        (echoing("AUTH", plain.clone()), "AUTH"),
        (echoing("PASS", plain).without("SASL"), "PASS"),
    ] {
        let (server, home) = with_wrong_password(behaviour);
        let output = run(&home, &["-vv"], 77);
        assert_said(&output, &["error: a: ", "refused the sign-in", "hint: "]);
        assert_said(&output, &["a: C: ", "a: S: +OK ready"]);
        for form in forms(WRONG) {
            assert!(!output.stderr.contains(&form), "{form}: {output:#?}");
        }
        assert_eq!(output.stdout, "");
        let sessions = server.sessions();
        assert_eq!(sessions.len(), 1, "{sessions:#?}");
        assert_eq!(sessions[0].count(command), 1, "{sessions:#?}");
        assert_eq!(sessions[0].count("AUTH") + sessions[0].count("PASS"), 1);
        assert_eq!(tree::count(&home.maildir("a")), 0);
    }
}

#[test]
fn an_accepted_password_is_not_shown_either() {
    for behaviour in [Behaviour::new(), Behaviour::new().without("SASL")] {
        let maildrop = Maildrop::new(mail(1));
        let server = Server::builder(&maildrop).credentials("ada", WRONG);
        let (_server, home) = server.behaviour(behaviour).with_home("");
        let output = run(&home, &["-vv", "--format", "json"], 0);
        for form in forms(WRONG) {
            assert!(!output.stderr.contains(&form), "{form}: {output:#?}");
            assert!(!output.stdout.contains(&form), "{form}: {output:#?}");
        }
        assert_said(&output, &["****"]);
    }
}

#[test]
fn f14_a_locked_maildrop_is_a_matter_of_time() {
    let (server, home) = server(2);
    let other_client = server.maildrop().try_lock().unwrap();
    let output = run(&home, &[], 75);
    assert_said(
        &output,
        &["error: a: ", "maildrop is locked", "another program"],
    );
    drop(other_client);
    run(&home, &["fetch", "--now"], 0);
    tree::assert_holds(&home.maildir("a"), &server.maildrop().messages());
}

#[test]
fn what_the_server_says_at_sign_in_decides_the_status() {
    for (answer, status) in [
        ("-ERR [SYS/TEMP] back in a minute\r\n", 75),
        ("-ERR [LOGIN-DELAY] not so often\r\n", 75),
        ("-ERR [SYS/PERM] your account is closed\r\n", 69),
        ("-ERR [AUTH] no such user\r\n", 77),
        // It announces AUTH-RESP-CODE, so this is not about the credentials (RFC 3206).
        ("-ERR something is odd\r\n", 75),
    ] {
        let (server, home) = behaving(1, Behaviour::new().on("AUTH", Reply::raw(answer)));
        let output = run(&home, &[], status);
        let words = answer.trim_end().rsplit("] ").next().unwrap();
        let words = words.strip_prefix("-ERR ").unwrap_or(words);
        assert_said(&output, &["error: a: ", words, "hint: "]);
        assert_eq!(server.count("AUTH"), 1);
    }
}

#[test]
fn a_refusal_without_any_code_is_about_the_credentials_or_sounds_temporary() {
    for (answer, status) in [
        ("-ERR go away\r\n", 77),
        ("-ERR mailbox is locked by another session\r\n", 75),
    ] {
        let old = Behaviour::new().capabilities(&["UIDL", "USER"]);
        let old = old.on("PASS", Reply::raw(answer));
        run(&behaving(1, old).1, &[], status);
    }
}

#[test]
fn f13_a_greeting_of_err_turns_us_away() {
    for (greeting, status) in [
        ("-ERR too many connections\r\n", 75),
        ("-ERR [SYS/TEMP] restarting\r\n", 75),
        ("-ERR [IN-USE] one of you is enough\r\n", 75),
        ("-ERR\r\n", 75),
        ("-ERR [SYS/PERM] not from your network\r\n", 69),
    ] {
        let (server, home) = behaving(1, Behaviour::new().greeting(greeting));
        let output = run(&home, &[], status);
        assert_said(&output, &["error: a: ", "turned us away", "hint: "]);
        assert_no_credentials(&server.last_session());
    }
}

#[test]
fn s8_a_greeting_that_is_no_pop3_ends_the_session_before_the_credentials() {
    let binary: Vec<u8> = (0..=255).cycle().take(3000).chain(*b"\r\n").collect();
    for greeting in [
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec(),
        b"220 mail.example.com ESMTP\r\n".to_vec(),
        b"* PREAUTH welcome\r\n".to_vec(),
        b"\r\n".to_vec(),
        binary,
    ] {
        let (server, home) = behaving(1, Behaviour::new().greeting(greeting));
        let output = run(&home, &[], 76);
        assert_said(&output, &["error: a: ", "greeting", "hint: ", "POP3"]);
        assert_no_credentials(&server.last_session());
        let controls = output
            .stderr
            .chars()
            .filter(|c| c.is_control() && *c != '\n');
        assert_eq!(controls.count(), 0, "{output:#?}");
    }
}

#[test]
fn s41_an_unsolicited_line_ends_the_session_without_quit() {
    for command in ["STAT", "UIDL", "RETR 2", "DELE"] {
        let chatty = Reply::Prefix(b"* by the way\r\n".into());
        let (server, home) = behaving(3, Behaviour::new().on(command, chatty));
        let output = run(&home, &["fetch", "--delete"], 76);
        assert_said(&output, &["error: a: ", "hint: "]);
        assert_eq!(server.count("QUIT"), 0, "{command}");
        assert_eq!(server.maildrop().count(), 3);
        // What was complete is stored, and stays single once the server has come to its senses.
        server.behave(Behaviour::new());
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(3));
    }
}

#[test]
fn t13_what_a_server_says_is_shown_without_its_control_characters() {
    let nasty = b"-ERR [AUTH] \x1b[2J\x9b31m\xe2\x80\xae\xe2\x80\x8b no\x07\r\n";
    let (_server, home) = behaving(1, Behaviour::new().on("AUTH", Reply::raw(nasty)));
    for arguments in [&[][..], &["-vv"], &["--format", "json"]] {
        let output = run(&home, arguments, 77);
        for text in [&output.stderr, &output.stdout] {
            let bad = |c: char| {
                (c.is_control() && c != '\n') || ['\u{202e}', '\u{200b}', '\u{9b}'].contains(&c)
            };
            assert!(!text.contains(bad), "{output:#?}");
        }
    }
}

#[test]
fn f2_a_refused_connection_is_temporary() {
    let closed = ClosedPort::new();
    let port = closed.port();
    let (server, home) = server(0);
    let mut account = server.account();
    account.port = port;
    home.one_account(&account, "");
    let output = run(&home, &[], 75);
    let place = format!("cannot connect to localhost:{port}");
    assert_said(&output, &["error: a: ", &place, "refused", "hint: "]);
}

#[test]
fn f1_an_unknown_host_is_named() {
    let (server, home) = server(0);
    let mut account = server.account();
    account.host = "does-not-exist.invalid".into();
    home.one_account(&account, "");
    let output = home.popfetch(["fetch"]).run();
    // Temporary where the resolver cannot tell, as without a network.
    assert!(matches!(output.status, Some(69 | 75)), "{output:#?}");
    assert_said(&output, &["error: a: ", "does-not-exist.invalid", "hint: "]);
}

#[test]
fn s30_a_greeting_without_end_is_given_up() {
    let script = Script::tls(Scene::new().send_forever(vec![b'a'; 4096]));
    let home = Home::of(&script.account(), "");
    let began = Instant::now();
    let output = run(&home, &[], 76);
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(output.peak_memory < 64 << 20, "{output:#?}");
}

#[test]
fn a_server_that_hangs_up_is_temporary_wherever_it_does() {
    for (command, left) in [
        ("AUTH", 3),
        ("STAT", 3),
        ("LIST", 3),
        // The other two come, and go, in a second session.
        ("RETR 2", 1),
        ("DELE 1", 3),
    ] {
        let gone = Behaviour::new().on(command, Reply::End(Ending::Close));
        let (server, home) = behaving(3, gone);
        let output = run(&home, &["fetch", "--delete"], 75);
        assert_said(&output, &["error: a: ", "closed the connection", "hint: "]);
        assert_eq!(server.maildrop().count(), left, "{command}");
        server.behave(Behaviour::new());
        run(&home, &["fetch", "--delete", "--now"], 0);
        tree::assert_holds(&home.maildir("a"), &mail(3));
        assert_eq!(server.maildrop().count(), 0);
    }
}

#[test]
fn f33_a_second_run_at_the_same_time_ends_and_harms_nothing() {
    let slow = Behaviour::new().delay(Duration::from_millis(20));
    let (server, home) = behaving(20, slow);
    let first = home.popfetch(["fetch"]).start();
    within(PATIENCE, || {
        let sessions = server.sessions_so_far();
        sessions.iter().any(|s| s.count("RETR") > 0).then_some(())
    })
    .unwrap();
    let output = run(&home, &[], 75);
    assert_said(
        &output,
        &["error: a: another popfetch holds this account", "hint: "],
    );
    assert_eq!(first.wait().status, Some(0));
    assert_eq!(server.sessions().len(), 1);
    tree::assert_holds(&home.maildir("a"), &mail(20));
}

#[test]
fn f33_with_quiet_it_does_not_even_mail_anybody() {
    let (server, home) = behaving(20, Behaviour::new().delay(Duration::from_millis(20)));
    let first = home.popfetch(["fetch"]).start();
    within(PATIENCE, || {
        let sessions = server.sessions_so_far();
        sessions.iter().any(|s| s.count("RETR") > 0).then_some(())
    })
    .unwrap();
    let output = run(&home, &["-q"], 75);
    assert_eq!((&output.stdout[..], &output.stderr[..]), ("", ""));
    assert_eq!(first.wait().status, Some(0));
}
