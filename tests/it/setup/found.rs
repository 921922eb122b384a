//! Each way in which a server is found, with real Dovecot, from an empty home to mail on the disk.

use super::{at_a_document, at_a_record, at_the_usual_name, enter_to_the_end, home_in, served};
use crate::given::mail;
use crate::support::dns::{Manner, NameServer, Record};
use crate::support::dovecot::Dovecot;
use crate::support::listener::Listener;
use crate::support::maildrop::Maildrop;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::terminal::Terminal;
use crate::support::tree;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Answers only address and password.
fn from_nothing_to_mail(home: &Home, found: &str) -> String {
    let began = Instant::now();
    let mut terminal = Terminal::start(home, 80, &["setup"]);
    terminal.answer("Your mail address:", "ada@example.test");
    terminal.wait_for(found);
    terminal.answer("Password for ", "secret");
    terminal.wait_for("Signed in. 3 messages");
    enter_to_the_end(&mut terminal);
    let (status, screen) = terminal.end();
    assert_eq!(status, 0, "{screen}");
    let fetched = home.popfetch::<&str>([]).expect(0);
    assert!(fetched.stderr.contains("3 new messages"), "{fetched:?}");
    assert_eq!(
        tree::count(&home.path().join("Mail/example")),
        3,
        "{screen}"
    );
    let took = began.elapsed();
    println!(
        "{found}: from an address to mail in {} ms",
        took.as_millis()
    );
    assert!(took < Duration::from_secs(10), "{took:?}");
    screen
}

#[test]
fn from_an_address_to_mail_by_an_srv_record() {
    let Some((_dovecot, _dns, home)) = at_a_record() else {
        return;
    };
    from_nothing_to_mail(&home, "named by the domain's SRV records");
}

#[test]
fn from_an_address_to_mail_by_a_usual_name() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let screen = from_nothing_to_mail(&home, "found by trying usual names");
    assert!(
        screen.contains("Found pop.example.test, port 995, with TLS"),
        "{screen}"
    );
}

#[test]
fn from_an_address_to_mail_by_an_autoconfig_document() {
    let Some(dovecot) = Dovecot::start(&mail(3)) else {
        return;
    };
    let port = dovecot.stls_account().port;
    let (_web, _dns, home) = at_a_document(&dovecot, "pop3", port);
    let screen = from_nothing_to_mail(&home, "autoconfig document.");
    assert!(screen.contains("with TLS after STLS"), "{screen}");
    let config = std::fs::read_to_string(home.config_file()).unwrap();
    assert!(config.contains("user = \"ada\"\n"), "{config}");
    assert!(config.contains("tls = \"starttls\"\n"), "{config}");
}

#[test]
fn from_an_address_to_mail_by_the_shared_database() {
    let Some(dovecot) = Dovecot::start(&mail(3)) else {
        return;
    };
    let port = dovecot.account().port;
    let document = format!(
        "<clientConfig version=\"1.1\"><emailProvider id=\"example.test\">\
         <incomingServer type=\"pop3\"><hostname>in.example.test</hostname><port>{port}</port>\
         <socketType>SSL</socketType></incomingServer></emailProvider></clientConfig>"
    );
    let (host, place) = ("autoconfig.thunderbird.net", "v1.1/example.test");
    let (web, _dns, home) = served(&dovecot, (host, place), document, port);
    from_nothing_to_mail(&home, "named by Thunderbird's database");
    // The database is told the domain, and not whose address it is.
    assert_eq!(web.asked(), [format!("{host}/{place}")]);
}

#[test]
fn a_name_server_that_hangs_keeps_nothing_else_from_being_found() {
    let Some(dovecot) = Dovecot::start(&mail(3)) else {
        return;
    };
    let dns = NameServer::start_that(Manner::Hangs, &[]);
    let names = [("mail.example.test:995".to_owned(), dovecot.account().port)];
    let home = home_in(&names, &dns, dovecot.authority().pem_file());
    from_nothing_to_mail(&home, "found by trying usual names");
}

#[test]
fn a_domain_whose_mail_exchanger_is_a_providers_is_known_by_it() {
    let dns = NameServer::start(&[
        ("example.test", Record::Mx(10, "mail.protonmail.ch")),
        ("example.test", Record::Mx(5, "mx.example.test")),
    ]);
    let home = home_in(&[], &dns, "/etc/ssl/certs/ca-certificates.crt".into());
    let output = home
        .popfetch(["setup", "ada@example.test", "--print"])
        .expect(69);
    assert!(
        output.stderr.contains("Proton Mail has no POP3"),
        "{output:?}"
    );
    assert!(output.stderr.contains("Bridge"), "{output:?}");
    assert_eq!(output.stdout, "");
}

#[test]
fn who_has_no_pop3_is_told_so_before_anybody_is_asked() {
    let dns = NameServer::start(&[]);
    let home = home_in(&[], &dns, "/etc/ssl/certs/ca-certificates.crt".into());
    for (address, protocol, wrong, line) in [
        (
            "ada@icloud.com",
            "pop3",
            "iCloud Mail has no POP3",
            "setup ada@icloud.com --yes --protocol imap\n",
        ),
        (
            "ada@proton.me",
            "imap",
            "Proton Mail has no IMAP",
            "setup ada@proton.me --yes --host 127.0.0.1:1143 --protocol imap\n",
        ),
        ("ada@tuta.com", "imap", "Tuta has no IMAP", "own apps alone"),
    ] {
        let output = home
            .popfetch(["setup", address, "--yes", "--protocol", protocol])
            .expect(69);
        assert!(output.stderr.contains(wrong), "{output:?}");
        assert!(output.stderr.contains(line), "{output:?}");
    }
    assert_eq!(dns.asked(), [""; 0]);
}

/// In front of a server that speaks TLS alone; admits one connection at a time, and notes of each that
/// came in whether its client began with TLS.
fn one_at_a_time(server: u16) -> (Listener, Arc<Mutex<Vec<bool>>>) {
    let began: Arc<Mutex<Vec<bool>>> = Arc::default();
    let (noted, room) = (Arc::clone(&began), Mutex::new(()));
    let listener = Listener::start(move |_, client| {
        let _alone = room.lock().unwrap();
        let mut first = [0];
        let came = client.peek(&mut first);
        noted
            .lock()
            .unwrap()
            .push(matches!(came, Ok(1)) && first == [0x16]);
        let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
        thread::scope(|scope| {
            let back = || {
                let _gone = std::io::copy(&mut &server, &mut &*client);
                let _gone = client.shutdown(Shutdown::Both);
            };
            scope.spawn(back);
            let _gone = std::io::copy(&mut &*client, &mut &server);
            let _gone = server.shutdown(Shutdown::Both);
        });
    });
    (listener, began)
}

#[test]
fn a_server_with_room_for_one_connection_is_asked_for_tls_before_anything_else() {
    let server = Server::start(&Maildrop::new(mail(3)));
    let dns = NameServer::start(&[]);
    let home = home_in(&[], &dns, server.account().roots.unwrap());
    for _ in 0..3 {
        let (narrow, began) = one_at_a_time(server.port());
        let host = format!("localhost:{}", narrow.port());
        let output = home
            .popfetch(["setup", "ada@example.test", "--print", "--host", &host])
            .expect(0);
        assert!(!output.stdout.contains("tls ="), "{output:?}");
        assert_eq!(began.lock().unwrap().first(), Some(&true), "{output:?}");
    }
}
