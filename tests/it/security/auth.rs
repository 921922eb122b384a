use std::time::{Duration, Instant};

use serde_json::Value;

use crate::given::{assert_no_credentials, assert_said, mail, run};
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::maildrop::Maildrop;
use crate::support::run::{Home, Output};
use crate::support::script::{Scene, Script};
use crate::support::server::{Server, SessionLog};
use crate::support::tree;

fn behaving(security: Security, behaviour: Behaviour) -> (Server, Home) {
    Server::builder(&Maildrop::new(mail(2)))
        .security(security)
        .behaviour(behaviour)
        .with_home("")
}

fn keywords(session: &SessionLog) -> Vec<String> {
    let word = |line: &String| line.split(' ').next().unwrap_or_default().to_owned();
    session.commands.iter().map(word).collect()
}

#[test]
fn s1_where_nothing_is_said_about_tls_it_is_verified_tls_on_port_995() {
    let home = Home::new();
    home.config("[accounts.a]\nhost = \"pop.example.com\"\nuser = \"ada\"\n");
    for account in ["a", "pops://ada@pop.example.com"] {
        let output = run(&home, &["account", "show", account, "--format", "json"], 0);
        let shown: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(shown["port"], 995, "{shown}");
        assert_eq!(shown["tls"], "implicit", "{shown}");
        assert_eq!(shown["tls_roots"], "system", "{shown}");
    }
}

#[test]
fn s1_a_server_without_tls_is_never_spoken_to_in_the_clear_instead() {
    let (server, home) = behaving(Security::Plain, Behaviour::new());
    let text = home.account_config("a", &server.account());
    let silent = |line: &&str| !line.starts_with("tls") && !line.starts_with("allow-insecure");
    let lines: Vec<&str> = text.lines().filter(silent).collect();
    // The permission alone changes nothing: it is `tls = "none"` that asks for no TLS.
    for keys in ["", "allow-insecure = true\n", "allow-insecure = false\n"] {
        home.config(&format!("{}\n{keys}", lines.join("\n")));
        run(&home, &["-vv"], 69);
        assert_no_credentials(&server.last_session());
    }
    assert_eq!(server.sessions().len(), 3, "one attempt in each run");
}

#[test]
fn s1_stls_is_never_sent_unasked() {
    let offering = Behaviour::new().capabilities(&["STLS", "UIDL", "USER"]);
    let (server, home) = behaving(Security::Plain, offering);
    let url = format!("pop://ada@localhost:{}", server.port());
    let output = run(&home, &["check", &url, "--password-stdin"], 64);
    assert_said(&output, &["unprotected", "pops://"]);
    assert!(server.sessions().is_empty(), "{:#?}", server.sessions());
    // Without TLS on request, the offer is not taken up half-way either.
    run(&home, &[], 0);
    assert_eq!(server.count("STLS"), 0);
}

#[test]
fn s20_no_tls_takes_two_keys_for_any_host() {
    for host in ["localhost", "127.0.0.1", "pop.example.com"] {
        for keys in ["", "allow-insecure = false\n"] {
            let (server, home) = behaving(Security::Plain, Behaviour::new());
            let text = home.account_config("a", &server.account());
            let text = text.replace("localhost", host);
            home.config(&text.replace("allow-insecure = true\n", keys));
            let output = run(&home, &[], 78);
            assert_said(&output, &["without TLS", "allow-insecure = true"]);
            assert!(server.sessions().is_empty(), "{host}");
        }
    }
}

#[test]
fn s19_s20_the_permission_to_do_without_tls_is_each_accounts_own() {
    let (server, home) = behaving(Security::Plain, Behaviour::new());
    let text = home.account_config("a", &server.account());
    let text = text.replace("tls = \"none\"\nallow-insecure = true\n", "");
    let defaults = "[defaults]\ntls = \"none\"\nallow-insecure = true\n";
    home.config(&format!("{defaults}{text}"));
    let output = run(&home, &[], 78);
    assert_said(
        &output,
        &["without TLS", "allow-insecure = true", "account"],
    );
    assert!(server.sessions().is_empty());
    home.config(&format!("{defaults}{text}allow-insecure = true\n"));
    let output = run(&home, &["-q"], 0);
    assert_said(&output, &["warning: a: ", "not encrypted"]);
}

#[test]
fn s22_mechanisms_that_are_not_built_or_not_asked_for_are_never_sent_whatever_is_offered() {
    let only = ["SASL CRAM-MD5 DIGEST-MD5 NTLM GSSAPI EXTERNAL XOAUTH2 OAUTHBEARER"];
    let apop = Behaviour::new()
        .greeting("+OK ready <1896.697170952@example.com>\r\n")
        .capabilities(&only);
    let (server, home) = behaving(Security::Tls, apop.clone());
    run(&home, &[], 0);
    let session = server.last_session();
    assert_eq!(
        keywords(&session)[..3],
        ["CAPA", "USER", "PASS"],
        "{session:#?}"
    );
    assert_eq!(session.count("APOP") + session.count("AUTH"), 0);
    tree::assert_holds(&home.maildir("a"), &mail(2));
    // A server that wants nothing but these is told to its face.
    let (server, home) = behaving(
        Security::Tls,
        apop.on("USER", Reply::raw("-ERR use SASL\r\n")),
    );
    let output = run(&home, &[], 77);
    assert_said(&output, &["refused the sign-in", "use SASL", "hint: "]);
    assert_eq!(keywords(&server.last_session()), ["CAPA", "USER"]);
}

#[test]
fn s23_a_refused_method_is_followed_by_no_other() {
    for answer in [
        "-ERR [AUTH] no\r\n",
        "-ERR [SYS/TEMP] not now\r\n",
        "-ERR [SYS/PERM] never\r\n",
        "-ERR whatever\r\n",
    ] {
        let refusing = Behaviour::new().on("AUTH", Reply::raw(answer));
        let (server, home) = behaving(Security::Tls, refusing);
        let output = home.popfetch(["fetch"]).run();
        assert!(matches!(output.status, Some(69 | 75 | 77)), "{output:#?}");
        assert_only(&server.last_session(), &["AUTH"]);
        assert_eq!(server.sessions().len(), 1);
    }
    let no_user = Behaviour::new().on("USER", Reply::raw("-ERR no such user\r\n"));
    let (server, home) = behaving(Security::Tls, no_user);
    home.one_account(&server.account(), "auth = \"user-pass\"\n");
    home.popfetch(["fetch"]).run();
    assert_only(&server.last_session(), &["USER", "PASS"]);
    assert_eq!(server.sessions().len(), 1);
}

/// Fails unless this is how someone signed in, and all that was sent beside it is what goes with it
/// in one flight.
#[track_caller]
fn assert_only(session: &SessionLog, method: &[&str]) {
    let ahead = ["CAPA", "STAT", "UIDL", "LIST"];
    let wanted = [&["CAPA"], method, &ahead[..]].concat();
    assert_eq!(keywords(session), wanted);
}

/// Ends soon and with little memory, whatever the server goes on to say after AUTH.
#[track_caller]
fn ends_soon(script: &Script, status: i32) -> Output {
    let home = Home::of(&script.account(), "");
    let began = Instant::now();
    let output = run(&home, &[], status);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(output.peak_memory < 64 << 20, "{output:#?}");
    assert_said(&output, &["error: a: ", "signing in", "hint: "]);
    output
}

fn before_auth() -> Scene {
    let scene = Scene::new().send("+OK ready\r\n").expect("CAPA");
    scene.send("+OK\r\nSASL PLAIN\r\n.\r\n").expect("AUTH")
}

#[test]
fn s24_challenges_without_end_are_given_up() {
    let script = Script::plain(before_auth().send_forever("+ bW9yZQ==\r\n"));
    assert_said(&ends_soon(&script, 76), &["challenge"]);
    // One at a time, each after our answer.
    let mut scene = before_auth();
    for _ in 0..20 {
        scene = scene.send("+ bW9yZQ==\r\n").expect_any();
    }
    let script = Script::plain(scene);
    ends_soon(&script, 76);
    let received = script.played()[0].received.clone();
    assert_eq!(received[2..], ["*"], "cancelled once: {received:#?}");
}

#[test]
fn s24_a_challenge_of_a_megabyte_is_given_up() {
    let long = [b"+ ".as_slice(), &vec![b'A'; 1 << 20], b"\r\n"].concat();
    let script = Script::plain(before_auth().send(long));
    ends_soon(&script, 76);
}

#[test]
fn s24_a_challenge_that_is_no_base64_is_cancelled() {
    let scene = before_auth().send("+ \x1b]52;c;aGk=\x07 not base64 %%\r\n");
    let scene = scene.expect("*").send("-ERR cancelled\r\n");
    let script = Script::plain(scene.expect_close());
    let home = Home::of(&script.account(), "");
    let output = run(&home, &["-vv"], 77);
    assert_said(&output, &["refused the sign-in", "cancelled"]);
    assert!(!output.stderr.contains('\x1b'), "{output:#?}");
    script.assert_followed();
}

#[test]
fn s28_no_word_of_a_server_leads_the_password_elsewhere() {
    let (elsewhere, _) = behaving(Security::Plain, Behaviour::new());
    let there = format!("localhost:{}", elsewhere.port());
    let moved = format!("[SYS/PERM] moved to pop://ada@{there}/ and pops://{there}");
    let err = format!("-ERR {moved}\r\n");
    let referring = |behaviour: Behaviour| behaviour.greeting(format!("+OK {moved}\r\n"));
    let capabilities = format!("IMPLEMENTATION {moved}");
    for behaviour in [
        Behaviour::new().greeting(&err),
        referring(Behaviour::new()).on("AUTH", Reply::raw(&err)),
        referring(Behaviour::new()).on("STAT", Reply::raw(&err)),
        referring(Behaviour::new()).capabilities(&["SASL PLAIN", &capabilities, "LOGIN-REFERRALS"]),
    ] {
        let (server, home) = behaving(Security::Tls, behaviour);
        home.popfetch(["-vv"]).run();
        assert_eq!(server.sessions().len(), 1);
        assert!(
            elsewhere.sessions().is_empty(),
            "{:#?}",
            elsewhere.sessions()
        );
    }
}
