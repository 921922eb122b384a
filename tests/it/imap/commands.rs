use std::fs;

use super::{IMAP, fetched, fetched_with, serving};
use crate::given::{assert_said, letter, mail, run};
use crate::support::account::Account;
use crate::support::imap::{ImapServer, Twist};
use crate::support::run::Home;
use crate::support::script::{Scene, Script};
use crate::support::tree;

#[test]
fn every_command_works_as_with_pop3() {
    let (server, home) = serving(&mail(6), "");
    let output = home.popfetch(["check"]).expect(0);
    assert!(output.stdout.contains('6'), "{output:#?}");
    let output = home.popfetch(["fetch", "--dry-run"]).expect(0);
    assert!(
        output.stdout.contains("INBOX/1700000000/3") || output.stdout.contains('6'),
        "{output:#?}"
    );
    let output = home.popfetch(["check", "--headers"]).expect(0);
    assert!(output.stdout.contains("Letter 4"), "{output:#?}");
    assert_eq!(tree::count(&home.maildir("a")), 0);
    let output = home.popfetch(["account", "test"]).expect(0);
    for word in ["POP3", "uidl", "login-delay", "expire "] {
        assert!(!output.stdout.contains(word), "{output:#?}");
    }
    let output = home.popfetch(["account", "show", "a"]).expect(0);
    assert!(output.stdout.contains("imap"), "{output:#?}");
    let output = home
        .popfetch(["--format", "json", "account", "show", "a"])
        .expect(0);
    assert!(
        output.stdout.contains("\"protocol\":\"imap\""),
        "{output:#?}"
    );
    assert_eq!(fetched(&home), 6);
    let output = home.popfetch(["state", "show", "a"]).expect(0);
    assert!(output.stdout.contains('6'), "{output:#?}");
    run(&home, &["verify"], 0);
    let output = home.popfetch(["list"]).expect(0);
    assert!(output.stdout.contains("Letter 6"), "{output:#?}");
    // Nothing was changed by any of them, but what a deletion is for.
    assert!(
        server
            .sessions()
            .iter()
            .all(|session| session.count("SELECT") == 0)
    );
    run(&home, &["fetch", "--now", "--delete"], 0);
    assert_eq!(server.uids().len(), 0);
    let journals: Vec<_> = fs::read_dir(home.state())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".journal"))
        .collect();
    let port = server.account().port;
    assert_eq!(journals, [format!("ada@localhost:{port}+imap.journal")]);
}

#[test]
fn latest_max_size_rules_and_order_decide_as_they_do_for_pop3() {
    let (server, home) = serving(&mail(20), "latest = 5\norder = \"newest-first\"\n");
    assert_eq!(fetched(&home), 5);
    tree::assert_holds(&home.maildir("a"), &mail(20)[15..]);
    assert_eq!(server.last_session().count("UID FETCH 20 "), 1);
    let (server, home) = serving(&mail(4), "max-size = \"10 kB\"\n");
    server.mailbox(|it| it.messages[1].message.listed = Some(20_000));
    assert_eq!(fetched(&home), 3);
    assert_eq!(server.last_session().count("UID FETCH 2 "), 0);
    let rules = "rules = [{ subject = \"Letter 2\", then = \"skip\" }]\n";
    let (server, home) = serving(&mail(4), rules);
    assert_eq!(fetched(&home), 3);
    let session = server.last_session();
    assert!(
        session.count("UID FETCH 2 (UID BODY.PEEK[HEADER])") > 0,
        "{session:#?}"
    );
    assert_eq!(
        session.count("UID FETCH 2 (UID FLAGS INTERNALDATE BODY.PEEK[])"),
        0
    );
}

#[test]
fn an_account_can_be_a_url() {
    let (server, home) = serving(&mail(3), "");
    let account = server.account();
    let url = format!("imaps://ada@localhost:{}", account.port);
    let maildir = home.maildir("a");
    let roots = account.roots.unwrap();
    let arguments = [
        "fetch",
        &url,
        "--password-stdin",
        "--tls-roots",
        roots.to_str().unwrap(),
        "--maildir",
        maildir.to_str().unwrap(),
    ];
    let output = home.popfetch(arguments).stdin("secret\n").expect(0);
    tree::assert_holds(&maildir, &mail(3));
    assert_said(&output, &["3"]);
    let in_clear = url.replace("imaps:", "imap:");
    let output = run(&home, &["check", &in_clear, "--password-stdin"], 64);
    let ways = ["use imaps://", "tls = \"starttls\"", "tls = \"none\""];
    assert_said(&output, &ways);
}

#[test]
fn a_port_of_the_other_protocol_is_told_as_such() {
    let script = Script::tls(Scene::new().send("+OK ready\r\n").expect_close());
    let home = Home::of(&script.account(), IMAP);
    let output = run(&home, &[], 76);
    let is_pop3 = "this is a POP3 server, and `protocol` says \"imap\"";
    assert_said(&output, &[is_pop3, "protocol = \"pop3\"", "993, or 143"]);
    assert!(!output.stderr.contains("without TLS"), "{output:#?}");
    let server = ImapServer::start(&mail(1));
    let output = run(&Home::of(&server.account(), ""), &[], 76);
    let is_imap = "this is an IMAP server: an account of IMAP has protocol = \"imap\"";
    assert_said(&output, &[is_imap, "POP3 is 995"]);
}

#[test]
fn what_a_provider_wants_in_place_of_a_password_is_told_for_imap_as_well() {
    let server = ImapServer::start(&mail(1));
    let account = Account {
        host: "imap.gmail.com".into(),
        port: 993,
        password: "wrong".into(),
        ..server.account()
    };
    let mut home = Home::new();
    let place = format!("imap.gmail.com:993=127.0.0.1:{}", server.account().port);
    home.env("POPFETCH_TEST_NAMES", &place);
    home.one_account(
        &account,
        &format!("{IMAP}tls-server-name = \"localhost\"\n"),
    );
    let output = run(&home, &[], 77);
    assert_said(&output, &["Gmail takes OAuth 2.0 or an app password"]);
    assert!(!output.stderr.contains("POP"), "{output:#?}");
}

#[test]
fn keys_that_mean_nothing_are_refused_clearly() {
    for (keys, words) in [
        ("auth = \"apop\"\n", "is a method of POP3"),
        ("protocol = \"imaps\"\n", "protocol"),
        ("protocol = \"pop3\"\nfolders = [\"INBOX\"]\n", "folders"),
        ("folders = []\n", "fetches nothing"),
        ("folders = [\"\\\\Snet\"]\n", "\\Sent"),
        ("exclude = [\"Junk\"]\n", "folders"),
        ("into = \"Work\"\n", "`into`"),
    ] {
        let home = Home::new();
        let protocol = if keys.starts_with("protocol") {
            ""
        } else {
            IMAP
        };
        home.config(&format!(
            "[accounts.a]\nhost = \"h\"\nuser = \"u\"\n{protocol}{keys}"
        ));
        let output = run(&home, &["account", "show", "a"], 78);
        assert_said(&output, &[words]);
    }
}

#[test]
fn a_message_that_has_changed_under_its_name_is_looked_at() {
    // Another size under a known UID: it is read again, and known again.
    let (server, home) = serving(&mail(5), "");
    assert_eq!(fetched(&home), 5);
    server.mailbox(|it| it.messages[2].message.listed = Some(9_999));
    assert_eq!(fetched(&home), 0);
    let session = server.last_session();
    assert!(session.count("UID FETCH 3 ") > 0, "{session:#?}");
    server.mailbox(|it| it.messages[2].message = letter(77));
    assert_eq!(fetched(&home), 1);
}

#[test]
fn the_transcript_shows_what_is_said_and_no_secret() {
    let (server, home) = serving(&mail(2), "");
    server.twist(
        "UID FETCH 2 ",
        1,
        Twist::Before("* OK secret AGFkYQBzZWNyZXQ=\r\n".into()),
    );
    let output = fetched_with(&home, &["-vv"]);
    assert_said(
        &output,
        &["C: AUTHENTICATE PLAIN ****", "C: EXAMINE INBOX", "S: * OK"],
    );
    for secret in ["AGFkYQBzZWNyZXQ", "OK secret"] {
        assert!(!output.stderr.contains(secret), "{output:#?}");
    }
}
