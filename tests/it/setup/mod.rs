//! `popfetch setup` as a person meets it, at a terminal: a domain example.test, of which only the
//! test's own name server, web server and mail servers know anything.

mod answers;
mod first;
mod found;
mod hostile;
mod imap;
mod trust;
mod unattended;

use crate::given::mail;
use crate::support::certificate::Wanted;
use crate::support::dns::{NameServer, Record};
use crate::support::documents::{Document, Documents};
use crate::support::dovecot::Dovecot;
use crate::support::run::Home;
use crate::support::terminal::{Terminal, everything};
use std::path::PathBuf;

/// A home whose only world is this test's.
fn home_in(names: &[(String, u16)], dns: &NameServer, roots: PathBuf) -> Home {
    let mut home = Home::new();
    let names: Vec<String> = names
        .iter()
        .map(|(name, port)| format!("{name}=127.0.0.1:{port}"))
        .collect();
    home.env("POPFETCH_TEST_NAMES", &names.join(" "));
    home.env("POPFETCH_TEST_DNS", &dns.address());
    home.env("SSL_CERT_FILE", roots.to_str().unwrap());
    home
}

/// Dovecot, which a home finds at pop.example.test by the usual name and port.
fn at_the_usual_name() -> Option<(Dovecot, NameServer, Home)> {
    let dovecot = Dovecot::start(&mail(3))?;
    let dns = NameServer::start(&[]);
    let names = [("pop.example.test:995".to_owned(), dovecot.account().port)];
    let home = home_in(&names, &dns, dovecot.authority().pem_file());
    Some((dovecot, dns, home))
}

/// Dovecot, to which the domain's SRV record leads.
fn at_a_record() -> Option<(Dovecot, NameServer, Home)> {
    let dovecot = Dovecot::start(&mail(3))?;
    let port = dovecot.account().port;
    let record = Record::Srv(0, 1, port, "mx7.example.test");
    let dns = NameServer::start(&[("_pop3s._tcp.example.test", record)]);
    let names = [(format!("mx7.example.test:{port}"), port)];
    let home = home_in(&names, &dns, dovecot.authority().pem_file());
    Some((dovecot, dns, home))
}

/// The domain's autoconfig document, which names a server of Dovecot's where TLS comes later.
fn at_a_document(dovecot: &Dovecot, protocol: &str, port: u16) -> (Documents, NameServer, Home) {
    let document = format!(
        "<clientConfig version=\"1.1\"><emailProvider id=\"example.test\">\
         <incomingServer type=\"{protocol}\"><hostname>in.example.test</hostname><port>{port}</port>\
         <socketType>STARTTLS</socketType><username>%EMAILLOCALPART%</username></incomingServer>\
         </emailProvider></clientConfig>"
    );
    let host = "autoconfig.example.test";
    let place = "mail/config-v1.1.xml?emailaddress=ada@example.test";
    served(dovecot, (host, place), document, port)
}

/// A document at a place of a host, and the server that it names.
fn served(
    dovecot: &Dovecot,
    (host, place): (&str, &str),
    document: String,
    port: u16,
) -> (Documents, NameServer, Home) {
    let wanted = Wanted::default().names(&["*.example.test", host]);
    let identity = dovecot.authority().issue(&wanted);
    let place = format!("{host}/{place}");
    let web = Documents::start(
        identity.server_config(),
        &[(&place, Document::Text(document))],
    );
    let dns = NameServer::start(&[]);
    let names = [
        (format!("{host}:443"), web.port()),
        (format!("in.example.test:{port}"), port),
    ];
    let home = home_in(&names, &dns, dovecot.authority().pem_file());
    (web, dns, home)
}

/// What is in the home that a run has made: the coverage of tests is nobody's business.
fn made(home: &Home) -> Vec<String> {
    let found = everything(home.path());
    found.into_iter().map(|(name, _)| name).collect()
}

/// What comes behind the sign-in, question by question.
const QUESTIONS: [&str; 6] = [
    "What is to be fetched first?",
    "What becomes of mail on the server",
    "What shall the account be called?",
    "Where does the mail go (a Maildir)?",
    "Where is the password to be kept?",
    "Write it? (Y/n):",
];

/// Answers these by Enter.
fn enter(terminal: &mut Terminal, questions: &[&str]) {
    for question in questions {
        terminal.answer(question, "");
    }
}

/// Answers all that comes behind the sign-in by Enter.
fn enter_to_the_end(terminal: &mut Terminal) {
    terminal.answer("What is to be fetched first?", "");
    terminal.answer("What becomes of mail on the server", "");
    terminal.answer("What shall the account be called? [example]:", "");
    terminal.answer("Where does the mail go (a Maildir)? [~/Mail/example]:", "");
    terminal.answer("Where is the password to be kept?", "");
    terminal.answer("Write it? (Y/n):", "");
}
