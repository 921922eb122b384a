//! Servers, documents and name servers that mean no good, or are broken.

use super::{enter_to_the_end, home_in, made};
use crate::given::mail;
use crate::support::certificate::{Authority, Wanted};
use crate::support::dns::{Manner, NameServer, Record};
use crate::support::documents::{Document, Documents};
use crate::support::dovecot::Dovecot;
use crate::support::listener::Listener;
use crate::support::run::{Home, Output};
use crate::support::terminal::Terminal;
use std::io::Write;
use std::time::{Duration, Instant};

/// What setup says of example.test where only this document is to be had.
fn with_document(place: &str, document: Document) -> (Output, Vec<String>) {
    let authority = Authority::new();
    let identity = authority.issue(&Wanted::default().names(&["*.example.test", "example.test"]));
    let web = Documents::start(identity.server_config(), &[(place, document)]);
    let dns = NameServer::start(&[]);
    let names = [
        "autoconfig.example.test:443",
        "example.test:443",
        "evil.test:443",
        "evil.test:80",
    ];
    let names = names.map(|name| (name.to_owned(), web.port()));
    let home = home_in(&names, &dns, authority.pem_file());
    let began = Instant::now();
    let output = home
        .popfetch(["setup", "ada@example.test", "--print"])
        .expect(69);
    assert!(began.elapsed() < Duration::from_secs(15));
    assert_eq!(made(&home), [""; 0]);
    (output, web.asked())
}

const BOMB: &str = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\">\
    <!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c SYSTEM \"file:///etc/passwd\">]>\
    <clientConfig><incomingServer type=\"pop3\"><hostname>pop.example.test</hostname>\
    <port>995</port><socketType>SSL</socketType><username>&b;&c;</username></incomingServer>\
    </clientConfig>";

#[test]
fn s63_a_document_with_entities_or_without_end_names_nobody() {
    for document in [
        Document::Text(BOMB.into()),
        Document::Endless,
        Document::Silence,
    ] {
        let (output, asked) = with_document("autoconfig.example.test", document);
        assert!(
            output.stderr.contains("No POP3 server was found")
                || output.stderr.contains("no POP3 server was found"),
            "{output:?}"
        );
        assert!(!asked.is_empty());
    }
}

#[test]
fn s63_a_document_is_not_followed_to_clear_text_or_to_another_domain() {
    for url in [
        "http://autoconfig.example.test/x",
        "https://evil.test/x",
        "https://example.test.evil.test/x",
        "file:///etc/passwd",
        "/relative",
    ] {
        let (_, asked) = with_document("autoconfig.example.test", Document::Elsewhere(url.into()));
        let elsewhere = |place: &String| place.contains("evil") || place.ends_with("/x");
        assert!(!asked.iter().any(elsewhere), "{url}: {asked:?}");
    }
    // Round and round, within the domain.
    let round = Document::Elsewhere("https://example.test/x".into());
    let (_, asked) = with_document("example.test", round);
    let rounds = asked
        .iter()
        .filter(|place| *place == "example.test/x")
        .count();
    assert!((1..10).contains(&rounds), "{asked:?}");
}

/// Dovecot at mail.example.test, and this in front of it: each name leads to `decoy`.
fn beside(decoy: u16, names: &[&str]) -> Option<(Dovecot, NameServer, Home)> {
    let dovecot = Dovecot::start(&mail(3))?;
    let dns = NameServer::start(&[]);
    let mut all: Vec<_> = names
        .iter()
        .map(|name| ((*name).to_owned(), decoy))
        .collect();
    all.insert(
        0,
        ("mail.example.test:995".to_owned(), dovecot.account().port),
    );
    let home = home_in(&all, &dns, dovecot.authority().pem_file());
    Some((dovecot, dns, home))
}

fn sets_up(home: &Home) -> String {
    let began = Instant::now();
    let mut terminal = Terminal::start(home, 80, &["setup", "ada@example.test"]);
    terminal.wait_for("Found mail.example.test, port 995, with TLS");
    terminal.answer("Password for ", "secret");
    terminal.wait_for("Signed in.");
    enter_to_the_end(&mut terminal);
    let (status, screen) = terminal.end();
    assert_eq!(status, 0, "{screen}");
    assert!(began.elapsed() < Duration::from_secs(15));
    screen
}

#[test]
fn hosts_that_are_silent_garbled_or_of_another_certificate_end_no_search() {
    let silent = Listener::start(|_, socket| {
        let mut octet = [0];
        let _ended = std::io::Read::read(&mut &*socket, &mut octet);
    });
    let garbled = Listener::start(|_, socket| {
        let _gone = (&*socket).write_all(&[0xff; 5000]);
    });
    let authority = Authority::new();
    let identity = authority.issue(&Wanted::default().names(&["other.test"]));
    let wildcard = Documents::start(identity.server_config(), &[]);
    for port in [silent.port(), garbled.port(), wildcard.port()] {
        let names = ["*:995", "*:110", "*:443"];
        let Some((_dovecot, _dns, home)) = beside(port, &names) else {
            return;
        };
        sets_up(&home);
    }
}

#[test]
fn name_servers_that_garble_or_forge_end_no_search() {
    for manner in [Manner::Garbles, Manner::Forges] {
        let Some(dovecot) = Dovecot::start(&mail(3)) else {
            return;
        };
        let record = Record::Srv(0, 1, 995, "pop.evil.test");
        let dns = NameServer::start_that(manner, &[("_pop3s._tcp.example.test", record)]);
        let port = dovecot.account().port;
        let names = ["mail.example.test:995", "pop.evil.test:995"];
        let names = names.map(|name| (name.to_owned(), port));
        let home = home_in(&names, &dns, dovecot.authority().pem_file());
        sets_up(&home);
    }
}

/// A server in clear that knows no STLS.
fn in_clear() -> Listener {
    Listener::start(|_, socket| {
        let mut socket = &*socket;
        let _gone = socket.write_all(b"+OK hello\r\n");
        let mut octets = [0; 200];
        while let Ok(1..) = std::io::Read::read(&mut socket, &mut octets) {
            let sent = String::from_utf8_lossy(&octets).to_ascii_uppercase();
            assert!(!sent.contains("USER") && !sent.contains("PASS"), "{sent}");
            let _gone = socket.write_all(b"-ERR no\r\n");
        }
    })
}

#[test]
fn clear_text_is_never_taken_and_asked_for_twice() {
    let server = in_clear();
    let dns = NameServer::start(&[]);
    let names = [("old.example.test:110".to_owned(), server.port())];
    let home = home_in(&names, &dns, "/etc/ssl/certs/ca-certificates.crt".into());
    let line = [
        "setup",
        "ada@example.test",
        "--yes",
        "--password-stdin",
        "--host",
        "old.example.test",
    ];
    let output = home.popfetch(line).stdin("secret\n").expect(69);
    assert!(
        output.stderr.contains("It offers no encryption"),
        "{output:?}"
    );

    let line = ["setup", "ada@example.test", "--host", "old.example.test"];
    let mut terminal = Terminal::start(&home, 80, &line);
    terminal.answer("Use it all the same? (y/N):", "y");
    terminal.answer(
        "Send the password without encryption: are you sure? (y/N):",
        "",
    );
    terminal
        .wait_for("The server's name, if you know it")
        .press("\u{3}");
    terminal.end();
    assert_eq!(made(&home), [""; 0]);
}
