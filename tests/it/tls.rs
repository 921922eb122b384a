//! S11 and its neighbours: who is at the other end of the line is settled before anything is said.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use rustls::version::{TLS12, TLS13};

use crate::given::{assert_no_credentials, assert_said, letter, mail, run};
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::certificate::{Authority, Identity, Wanted};
use crate::support::maildrop::Maildrop;
use crate::support::run::{Home, Output};
use crate::support::script::{Scene, Script};
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;

fn serving(security: Security) -> Server {
    let maildrop = Maildrop::new(mail(2));
    Server::builder(&maildrop).security(security).start()
}

fn pin(identity: &Identity) -> String {
    let hex: Vec<_> = identity
        .spki_sha256
        .iter()
        .map(|o| format!("{o:02x}"))
        .collect();
    format!("sha256:{}", hex.concat())
}

/// Fails unless the server is refused before a single command, with these words.
#[track_caller]
fn refused(server: &Server, keys: &str, words: &[&str]) -> Output {
    let home = Home::of(&server.account(), keys);
    let output = run(&home, &[], 69);
    assert_said(&output, &["error: a: ", "is not trusted", "hint: "]);
    assert_said(&output, words);
    let session = server.last_session();
    assert_eq!(session.commands, Vec::<String>::new());
    assert_eq!(server.sessions().len(), 1, "one attempt");
    output
}

#[track_caller]
fn accepted(server: &Server, keys: &str) {
    let home = Home::of(&server.account(), keys);
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &server.maildrop().messages());
}

#[test]
fn s11_a_certificate_is_refused_for_what_is_wrong_with_it() {
    let authority = Authority::new();
    let wanted = Wanted::default;
    let from = |issuer: &Authority, wanted: Wanted| issuer.issue(&wanted);
    for (identity, words) in [
        (
            from(&authority, wanted().expired()),
            "it expired on 2001-01-01",
        ),
        (
            from(&authority, wanted().not_yet_valid()),
            "it is valid only from 2098-01-01",
        ),
        (
            from(&authority, wanted().names(&["pop.other.example"])),
            "it is for pop.other.example",
        ),
        (from(&authority, wanted().names(&[])), "no name at all"),
        (Identity::self_signed(&wanted()), "no authority"),
        (Authority::new().localhost(), "no authority"),
    ] {
        let server = serving(Security::identity(&identity, &authority));
        refused(&server, "", &["certificate of localhost", words]);
    }
}

#[test]
fn s11_wildcards_cover_one_label_and_no_bare_name() {
    let authority = Authority::new();
    for names in [
        &["*"][..],
        &["*.com"],
        &["l*"],
        &["*.localhost"],
        &["127.0.0.1"],
    ] {
        let identity = authority.issue(&Wanted::default().names(names));
        let server = serving(Security::identity(&identity, &authority));
        refused(&server, "", &[]);
    }
}

#[test]
fn s11_an_address_needs_a_certificate_for_the_address() {
    let authority = Authority::new();
    for (names, status) in [
        (&["localhost"], 69),
        (&["127.0.0.2"], 69),
        (&["127.0.0.1"], 0),
    ] {
        let identity = authority.issue(&Wanted::default().names(names));
        let server = serving(Security::identity(&identity, &authority));
        let mut account = server.account();
        account.host = "127.0.0.1".into();
        let output = run(&Home::of(&account, ""), &[], status);
        if status == 69 {
            assert_said(&output, &[&format!("it is for {};", names[0])]);
        }
    }
}

#[test]
fn s11_the_systems_authorities_do_not_vouch_for_ours() {
    for roots in ["system", "bundled"] {
        let server = serving(Security::Tls);
        let mut account = server.account();
        account.roots = Some(roots.into());
        let output = run(&Home::of(&account, ""), &[], 69);
        assert_said(&output, &["no authority that this machine trusts"]);
        assert_no_credentials(&server.last_session());
    }
}

#[test]
fn s13_a_pin_must_be_the_servers_key_or_one_of_several() {
    let authority = Authority::new();
    let identity = authority.localhost();
    let server = || serving(Security::identity(&identity, &authority));
    let (right, wrong) = (pin(&identity), pin(&authority.localhost()));
    accepted(&server(), &format!("tls-pin = {right:?}\n"));
    accepted(&server(), &format!("tls-pin = [{wrong:?}, {right:?}]\n"));
    let keys = format!("tls-pin = {wrong:?}\n");
    refused(&server(), &keys, &["tls-pin", &right]);
}

#[test]
fn s13_a_pin_does_not_replace_the_other_checks() {
    let authority = Authority::new();
    let identity = authority.issue(&Wanted::default().expired());
    let server = serving(Security::identity(&identity, &authority));
    let keys = format!("tls-pin = {:?}\n", pin(&identity));
    refused(&server, &keys, &["it expired on"]);
}

#[test]
fn s13_a_pin_of_the_wrong_length_is_a_config_error() {
    let server = serving(Security::Tls);
    let home = Home::of(&server.account(), "tls-pin = \"sha256:abcd\"\n");
    assert_said(&run(&home, &[], 78), &["tls-pin"]);
    assert!(server.sessions().is_empty());
}

#[test]
fn s12_the_configured_name_is_the_one_that_counts() {
    let authority = Authority::new();
    let identity = authority.issue(&Wanted::default().names(&["pop.example.com"]));
    let server = || serving(Security::identity(&identity, &authority));
    accepted(&server(), "tls-server-name = \"pop.example.com\"\n");
    accepted(&server(), "tls-server-name = \"POP.Example.com\"\n");
    let other = "tls-server-name = \"imap.example.com\"\n";
    refused(&server(), other, &["certificate of imap.example.com"]);
    refused(&server(), "", &["certificate of localhost"]);
}

#[test]
fn roots_that_are_missing_or_hold_no_certificate_are_a_config_error() {
    let server = serving(Security::Tls);
    let home = Home::new();
    let empty = home.private_file("empty.pem", "nothing here\n");
    for roots in ["/nonexistent/ca.pem".into(), empty] {
        let mut account = server.account();
        account.roots = Some(roots.clone());
        home.one_account(&account, "");
        let output = run(&home, &[], 78);
        assert_said(
            &output,
            &["error: a: ", &roots.display().to_string(), "hint: "],
        );
    }
    for session in server.sessions() {
        assert_no_credentials(&session);
    }
}

#[test]
fn s14_certificate_options_without_tls_are_a_config_error() {
    let server = serving(Security::Plain);
    let keys = format!("tls-pin = \"sha256:{}\"\n", "0".repeat(64));
    let output = run(&Home::of(&server.account(), &keys), &[], 78);
    assert_said(&output, &["`tls-pin`", "tls = \"none\""]);
    assert!(server.sessions().is_empty());
}

#[test]
fn s19_a_connection_without_tls_is_warned_of_in_each_run() {
    let server = serving(Security::Plain);
    let home = Home::of(&server.account(), "");
    for _ in 0..2 {
        let output = run(&home, &["-q"], 0);
        assert_said(&output, &["warning: a: ", "not encrypted"]);
    }
    tree::assert_holds(&home.maildir("a"), &mail(2));
}

#[test]
fn s9_a_server_without_tls_is_told_nothing() {
    let server = serving(Security::Plain);
    let mut account = server.account();
    account.roots = Some("bundled".into());
    let home = Home::of(&account, "");
    let began = Instant::now();
    let output = run(&home, &[], 69);
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_said(
        &output,
        &["error: a: ", "does not speak TLS", "hint: ", "995"],
    );
    // What it saw was no command but the beginning of a TLS handshake.
    assert_no_credentials(&server.last_session());
    assert_eq!(server.sessions().len(), 1, "never falls back");
}

#[test]
fn s10_a_tls_server_where_plain_text_is_expected_is_given_up() {
    let server = serving(Security::Tls);
    let mut account = server.account();
    account.roots = None;
    let home = Home::of(&account, "timeout = \"2s\"\n");
    let output = run(&home, &[], 75);
    assert_said(&output, &["error: a: ", "greeting"]);
    assert_no_credentials(&server.last_session());
}

#[test]
fn s16_a_handshake_that_hangs_can_be_interrupted_and_is_not_mistaken_for_anything() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut account = serving(Security::Tls).account();
    account.port = listener.local_addr().unwrap().port();
    account.roots = Some("bundled".into());
    let home = Home::of(&account, "");
    let mut running = home.popfetch(["fetch"]).start();
    let (_silent, _) = listener.accept().unwrap();
    running.signal(rustix::process::Signal::TERM);
    let output = running.wait();
    assert_eq!(output.status, Some(143), "{output:#?}");
}

#[test]
fn s15_tls_1_2_and_1_3_work_each_by_itself() {
    for version in [&TLS12, &TLS13] {
        let authority = Authority::new();
        let config = authority.localhost().server_config_for(&[version]);
        let roots = authority.pem_file();
        accepted(&serving(Security::Custom { config, roots }), "");
    }
}

#[test]
fn s17_a_cut_without_close_notify_is_never_a_complete_message() {
    let (head, tail) = (
        &b"+OK\r\nSubject: cut\r\n\r\nhalf"[..],
        &b"+OK\r\nx\r\n.\r"[..],
    );
    for ending in [Ending::Cut, Ending::Close, Ending::Reset] {
        for part in [head, tail, b"+OK\r\n", b"+O"] {
            let server = serving(Security::Tls);
            let reply = Reply::RawThenEnd(part.into(), ending);
            server.behave(Behaviour::new().on("RETR 2", reply));
            let home = Home::of(&server.account(), "keep = \"never\"\n");
            let output = run(&home, &[], 75);
            assert_said(&output, &["error: a: ", "while fetching message", "hint: "]);
            if ending != Ending::Reset {
                tree::assert_holds(&home.maildir("a"), &[letter(1)]);
            }
            tree::assert_tmp_is_empty(&home.maildir("a"));
            // The other one may be here and deleted there; this one is whole nowhere but there.
            let left = server.maildrop().unique_ids();
            assert!(left.contains(&"uid-2".to_owned()), "{left:?}");
            server.behave(Behaviour::new());
            run(&home, &[], 0);
            tree::assert_holds(&home.maildir("a"), &mail(2));
            assert_eq!(server.maildrop().count(), 0);
        }
    }
}

#[test]
fn f10_a_cut_after_the_reply_to_quit_is_fine() {
    for ending in [Ending::Cut, Ending::Reset] {
        let server = serving(Security::Tls);
        let reply = Reply::AnswerThenEnd(ending);
        server.behave(Behaviour::new().on("QUIT", reply));
        let home = Home::of(&server.account(), "keep = \"never\"\n");
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(2));
        assert_eq!(server.maildrop().count(), 0);
    }
}

#[test]
fn f9_one_octet_a_record_changes_nothing() {
    let server = serving(Security::Tls);
    server.behave(Behaviour::new().chunk(1));
    accepted(&server, "");
}

#[test]
fn a_connection_that_closes_within_the_handshake_is_temporary() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut account = serving(Security::Tls).account();
    account.port = listener.local_addr().unwrap().port();
    account.roots = Some("bundled".into());
    let home = Home::of(&account, "");
    let running = home.popfetch(["fetch"]).start();
    let (mut socket, _) = listener.accept().unwrap();
    // What it says first is read, so that this is a FIN and no reset.
    let _hello = std::io::Read::read(&mut socket, &mut [0; 4096]).unwrap();
    drop(socket);
    let output = running.wait();
    assert_eq!(output.status, Some(75), "{output:#?}");
    assert_said(&output, &["error: a: ", "hint: "]);
}

#[test]
fn a_scripted_session_over_tls_gets_what_it_should() {
    let scene = Scene::signed_in();
    let scene = scene.expect("STAT").send("+OK 0 0\r\n");
    let scene = scene.expect("UIDL").send("+OK\r\n.\r\n");
    let scene = scene.expect("LIST").send("+OK\r\n.\r\n");
    let scene = scene.expect("QUIT").send("+OK\r\n").expect_close();
    let script = Script::tls(scene);
    let home = Home::of(&script.account(), "");
    run(&home, &[], 0);
    script.assert_followed();
    fs::metadata(home.maildir("a").join("new")).unwrap();
}
