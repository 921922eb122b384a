//! How someone signs in: which method is tried, and what a server can do about it.

use base64::prelude::{BASE64_STANDARD, Engine};

use crate::given::mail;
use crate::support::behaviour::Behaviour;
use crate::support::certificate::{Authority, Wanted};
use crate::support::maildrop::Maildrop;
use crate::support::run::{Home, Output};
use crate::support::server::{Server, SessionLog};

mod detours;
mod dovecot;
mod hostile;
mod methods;
mod tokens;

/// A TLS server with two small messages that announces these mechanisms.
fn offering(mechanisms: &str) -> Behaviour {
    let sasl = format!("SASL {mechanisms}");
    Behaviour::new().capabilities(&["TOP", "UIDL", "USER", "RESP-CODES", "AUTH-RESP-CODE", &sasl])
}

fn serving(behaviour: Behaviour, auth: &str) -> (Server, Home) {
    let server = Server::builder(&Maildrop::new(mail(2)))
        .behaviour(behaviour)
        .start();
    let home = Home::new();
    home.one_account(&server.account(), &auth_key(&home, auth));
    (server, home)
}

/// The key that asks for a method, and what it cannot do without.
fn auth_key(home: &Home, auth: &str) -> String {
    match auth {
        "" => String::new(),
        "external" => {
            let ada = Wanted::default().names(&["ada"]).common_name("ada");
            let (certificate, key) = Authority::new().issue(&ada).pem();
            let file = home.private_file("ada.pem", &format!("{certificate}{key}"));
            format!("auth = \"external\"\ntls-client-cert = {file:?}\n")
        }
        word => format!("auth = {word:?}\n"),
    }
}

/// The account with another password than the server's.
fn with_wrong_password(server: &Server, home: &Home, auth: &str) {
    let mut account = server.account();
    account.password = "not the secret".into();
    home.one_account(&account, &auth_key(home, auth));
}

/// The command lines of the sign-in: those between the first CAPA and whatever follows +OK.
fn sign_in(session: &SessionLog) -> Vec<String> {
    let after = session.commands.iter().skip(1);
    let end = ["CAPA", "STAT", "QUIT"];
    let lines = after.take_while(|line| !end.contains(&line.as_str()));
    lines.cloned().collect()
}

/// How often each method was asked for.
fn attempts(session: &SessionLog) -> usize {
    ["AUTH", "APOP", "USER", "PASS"]
        .iter()
        .map(|keyword| session.count(keyword))
        .sum()
}

/// Fails if the secret, or anything that was said to prove it, is told anywhere.
#[track_caller]
fn assert_tells_no_secret(output: &Output, said: &[String], secret: &str) {
    let encoded = BASE64_STANDARD.encode(secret);
    let mut secrets = vec![secret.to_owned(), encoded.trim_end_matches('=').to_owned()];
    for line in said {
        let argument = line.rsplit(' ').next().unwrap();
        let is_name = ["AUTH", "USER"].iter().any(|k| line.starts_with(k));
        // The user's name, in LOGIN, is none.
        let is_user = BASE64_STANDARD.encode("ada") == argument;
        let is_mechanism = is_name && line.split(' ').count() == 2;
        if argument.len() > 4 && !is_user && !is_mechanism {
            secrets.push(argument.trim_end_matches('=').to_owned());
        }
    }
    for secret in secrets {
        for stream in [&output.stdout, &output.stderr] {
            assert!(!stream.contains(&secret), "{secret:?} is in {output:#?}");
        }
    }
}
