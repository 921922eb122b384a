use base64::prelude::{BASE64_STANDARD, Engine};
use rustls::version::TLS12;
use serde_json::Value;

use super::{
    assert_tells_no_secret, attempts, auth_key, offering, serving, sign_in, with_wrong_password,
};
use crate::given::{assert_said, mail, run};
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::certificate::Authority;
use crate::support::maildrop::Maildrop;
use crate::support::run::Home;
use crate::support::scram::Scram;
use crate::support::server::Server;
use crate::support::tree;

const STAMP: &str = "+OK ready <1896.697170952@example.com>\r\n";

/// Each word of `auth`, with the command that it means.
const METHODS: [(&str, &str); 12] = [
    ("plain", "AUTH PLAIN"),
    ("login", "AUTH LOGIN"),
    ("user-pass", "USER ada"),
    ("scram-sha-256", "AUTH SCRAM-SHA-256"),
    ("scram-sha-256-plus", "AUTH SCRAM-SHA-256-PLUS"),
    ("scram-sha-1", "AUTH SCRAM-SHA-1"),
    ("scram-sha-1-plus", "AUTH SCRAM-SHA-1-PLUS"),
    ("external", "AUTH EXTERNAL"),
    ("oauthbearer", "AUTH OAUTHBEARER"),
    ("xoauth2", "AUTH XOAUTH2"),
    ("cram-md5", "AUTH CRAM-MD5"),
    ("apop", "APOP ada"),
];

fn begins_with(line: &str, command: &str) -> bool {
    line.strip_prefix(command)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

#[test]
fn s47_each_method_signs_in_and_tells_no_secret_of_it() {
    for (auth, command) in METHODS {
        let (server, home) = serving(offering("").greeting(STAMP), auth);
        let output = run(&home, &["-vv"], 0);
        let session = server.last_session();
        let said = sign_in(&session);
        assert!(begins_with(&said[0], command), "{auth}: {session:#?}");
        tree::assert_holds(&home.maildir("a"), &mail(2));
        assert_tells_no_secret(&output, &said, "secret");
        assert_said(&output, &[&format!("a: C: {command}")]);
        let shown = run(&home, &["account", "show", "a", "--format", "json"], 0);
        let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
        assert_eq!(shown["auth"], auth);
    }
}

#[test]
fn s23_s27_each_method_that_is_refused_is_tried_once_and_followed_by_no_other() {
    for (auth, command) in METHODS.into_iter().filter(|(auth, _)| *auth != "external") {
        let all = "PLAIN LOGIN SCRAM-SHA-1 SCRAM-SHA-256 CRAM-MD5 OAUTHBEARER XOAUTH2";
        let (server, home) = serving(offering(all).greeting(STAMP), auth);
        with_wrong_password(&server, &home, auth);
        let output = run(&home, &["-vv"], 77);
        let session = server.last_session();
        let said = sign_in(&session);
        assert!(begins_with(&said[0], command), "{auth}: {session:#?}");
        let commands = if auth == "user-pass" { 2 } else { 1 };
        assert_eq!(attempts(&session), commands, "{auth}: {session:#?}");
        assert_eq!(server.sessions().len(), 1);
        assert_said(
            &output,
            &["refused the", "wrong user or password", "hint: "],
        );
        assert_tells_no_secret(&output, &said, "not the secret");
    }
}

#[test]
fn s23_auto_takes_the_strongest_that_is_announced() {
    let mut announced = String::new();
    for (mechanism, command) in [
        (
            "CRAM-MD5 NTLM DIGEST-MD5 GSSAPI OAUTHBEARER XOAUTH2 EXTERNAL",
            "USER ada",
        ),
        ("LOGIN", "AUTH LOGIN"),
        ("PLAIN", "AUTH PLAIN"),
        ("SCRAM-SHA-1", "AUTH SCRAM-SHA-1"),
        ("SCRAM-SHA-256", "AUTH SCRAM-SHA-256"),
        ("SCRAM-SHA-1-PLUS", "AUTH SCRAM-SHA-1-PLUS"),
        ("SCRAM-SHA-256-PLUS", "AUTH SCRAM-SHA-256-PLUS"),
    ] {
        announced = format!("{announced} {mechanism}");
        let (server, home) = serving(offering(announced.trim()).greeting(STAMP), "");
        run(&home, &[], 0);
        let session = server.last_session();
        assert!(begins_with(&sign_in(&session)[0], command), "{session:#?}");
        tree::assert_holds(&home.maildir("a"), &mail(2));
    }
}

#[test]
fn s23_a_refused_scram_is_not_followed_by_plain_but_the_person_is_told_of_it() {
    for auth in ["", "scram-sha-256"] {
        for answer in ["-ERR [AUTH] no\r\n", "-ERR no such mechanism\r\n"] {
            let behaviour = Behaviour::new()
                .capabilities(&["USER", "SASL PLAIN LOGIN SCRAM-SHA-256"])
                .on("AUTH SCRAM-SHA-256", Reply::raw(answer));
            let (server, home) = serving(behaviour, auth);
            let output = run(&home, &[], 77);
            assert_eq!(attempts(&server.last_session()), 1);
            assert_said(&output, &["hint: ", "auth = \"plain\""]);
        }
    }
}

#[test]
fn capabilities_that_come_only_after_the_sign_in_mean_user_and_pass() {
    let behaviour = Behaviour::new()
        .capabilities_before(&["USER", "IMPLEMENTATION test"])
        .capabilities_after(&["UIDL", "SASL PLAIN SCRAM-SHA-256"]);
    let (server, home) = serving(behaviour, "");
    run(&home, &[], 0);
    assert_eq!(sign_in(&server.last_session()), ["USER ada", "PASS secret"]);
    let (server, home) = serving(Behaviour::new().without("CAPA"), "");
    run(&home, &[], 0);
    assert_eq!(sign_in(&server.last_session()), ["USER ada", "PASS secret"]);
}

/// The GS2 flag of the SCRAM message that was sent.
pub(super) fn flag(line: &str) -> String {
    let message = BASE64_STANDARD
        .decode(line.rsplit(' ').next().unwrap())
        .unwrap();
    let message = String::from_utf8(message).unwrap();
    message.split(',').next().unwrap().to_owned()
}

#[test]
fn r31_the_server_learns_that_we_could_have_bound_where_it_offers_no_binding() {
    let both = "SCRAM-SHA-256 SCRAM-SHA-256-PLUS";
    for (offered, auth, flag_sent) in [
        ("SCRAM-SHA-256", "", "y"),
        ("SCRAM-SHA-256", "scram-sha-1", "y"),
        // It offers to bind, but not what was asked for.
        (both, "scram-sha-1", "n"),
        (both, "scram-sha-256", "p=tls-exporter"),
    ] {
        let (server, home) = serving(offering(offered), auth);
        run(&home, &[], 0);
        let line = sign_in(&server.last_session())[0].clone();
        assert_eq!(flag(&line), flag_sent, "{offered}, {auth}");
    }
}

#[test]
fn r31_s23_a_binding_to_another_connection_is_refused_and_followed_by_nothing_weaker() {
    // What a server sees whose connection is somebody's in between.
    let header = b"p=tls-exporter,,".as_slice();
    let bound = BASE64_STANDARD.encode([header, &[7; 32]].concat());
    let scram = Scram {
        binding: Some(bound),
        ..Scram::default()
    };
    let all = "PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS";
    let (server, home) = serving(offering(all).scram(scram), "");
    run(&home, &[], 77);
    let session = server.last_session();
    assert_eq!(attempts(&session), 1, "{session:#?}");
    assert!(sign_in(&session)[0].starts_with("AUTH SCRAM-SHA-256-PLUS "));
}

#[test]
fn r31_without_tls_1_3_there_is_no_binding() {
    let authority = Authority::new();
    let config = authority.localhost().server_config_for(&[&TLS12]);
    let roots = authority.pem_file();
    let behaviour = offering("PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS");
    let (server, home) = Server::builder(&Maildrop::new(mail(2)))
        .security(Security::Custom { config, roots })
        .behaviour(behaviour)
        .with_home("");
    run(&home, &[], 0);
    let line = sign_in(&server.last_session())[0].clone();
    assert!(line.starts_with("AUTH SCRAM-SHA-256 "), "{line}");
    assert_eq!(flag(&line), "n");
    home.one_account(&server.account(), &auth_key(&home, "scram-sha-256-plus"));
    let output = run(&home, &[], 69);
    assert_said(
        &output,
        &["cannot be bound", "SCRAM-SHA-256-PLUS", "TLS 1.3"],
    );
    assert_eq!(sign_in(&server.last_session()), [""; 0]);
}

#[test]
fn r31_a_scram_is_bound_to_the_tls_that_stls_began_as_well() {
    let authority = Authority::new();
    let behaviour = Behaviour::new().capabilities(&[
        "TOP",
        "UIDL",
        "STLS",
        "SASL PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS",
    ]);
    let (server, home) = Server::builder(&Maildrop::new(mail(2)))
        .security(Security::stls(&authority.localhost(), &authority))
        .behaviour(behaviour)
        .with_home("tls = \"starttls\"\n");
    run(&home, &[], 0);
    let session = server.last_session();
    assert_eq!(session.commands[..3], ["CAPA", "STLS", "CAPA"]);
    let line = &session.commands[3];
    assert!(line.starts_with("AUTH SCRAM-SHA-256-PLUS "), "{line}");
    assert_eq!(flag(line), "p=tls-exporter");
    tree::assert_holds(&home.maildir("a"), &mail(2));
}

#[test]
fn s22_apop_needs_a_timestamp_that_could_not_be_an_attack() {
    for greeting in [
        "+OK ready\r\n",
        "+OK <1896.697170952>\r\n",
        "+OK <a\u{7f}b@example.com>\r\n",
        "+OK <a\u{e9}@example.com>\r\n",
        "+OK <a@b@c>\r\n",
    ] {
        let (server, home) = serving(offering("PLAIN").greeting(greeting), "apop");
        let output = run(&home, &[], 69);
        assert_said(&output, &["no timestamp", "APOP", "hint: "]);
        assert_eq!(attempts(&server.last_session()), 0);
    }
}

#[test]
fn s22_what_is_only_safe_inside_tls_is_not_to_be_had_without() {
    for auth in [
        "cram-md5",
        "apop",
        "external",
        "scram-sha-256-plus",
        "scram-sha-1-plus",
    ] {
        let (server, home) = Server::builder(&Maildrop::new(mail(1)))
            .security(Security::Plain)
            .with_home(&format!("auth = {auth:?}\n"));
        let output = run(&home, &[], 78);
        let value = format!("auth = {auth:?}");
        assert_said(&output, &["with TLS alone", &value, "^^^", "hint: "]);
        assert!(server.sessions().is_empty());
    }
}

#[test]
fn a_word_that_names_no_method_is_shown_with_its_place() {
    let home = Home::new();
    home.config("[accounts.a]\nhost = \"h\"\nuser = \"ada\"\nauth = \"scram-sha256\"\n");
    let output = run(&home, &[], 78);
    assert_said(
        &output,
        &["`scram-sha256`", "^^^", "did you mean `scram-sha-256`"],
    );
}

#[test]
fn external_without_a_certificate_is_a_config_error() {
    let home = Home::new();
    home.config("[accounts.a]\nhost = \"h\"\nuser = \"ada\"\nauth = \"external\"\n");
    let output = run(&home, &[], 78);
    assert_said(&output, &["certificate of yours", "^^^", "tls-client-cert"]);
}

#[test]
fn external_asks_nobody_for_a_password() {
    let server = Server::builder(&Maildrop::new(mail(2))).start();
    let home = Home::new();
    let text = home.account_config("a", &server.account());
    let lines = text.lines().filter(|line| !line.starts_with("password"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let keys = auth_key(&home, "external");
    home.config(&format!("{text}\n{keys}"));
    run(&home, &[], 0);
    assert_eq!(sign_in(&server.last_session()), ["AUTH EXTERNAL YWRh"]);
}

#[test]
fn r27_a_response_that_would_make_the_command_too_long_waits_to_be_asked_for() {
    let password = "p".repeat(300);
    for auth in ["plain", "login", "cram-md5", "scram-sha-256"] {
        let server = Server::builder(&Maildrop::new(mail(2)))
            .credentials("ada", &password)
            .start();
        let home = Home::new();
        home.one_account(&server.account(), &auth_key(&home, auth));
        run(&home, &[], 0);
        let said = sign_in(&server.last_session());
        assert!(said[0].len() <= 253, "{said:#?}");
        let waits = auth != "scram-sha-256";
        assert_eq!(said[0].split(' ').count() == 2, waits, "{said:#?}");
    }
}

#[test]
fn q14_a_prompt_that_is_no_challenge_is_taken_for_one_where_nothing_depends_on_it() {
    for (prompt, status) in [
        ("+OK\r\n", 76),
        ("+\r\n", 76),
        ("+ Ready for additional text\r\n", 76),
    ] {
        for auth in ["login", "oauthbearer", "xoauth2"] {
            let (server, home) = serving(offering("").prompt(prompt), auth);
            run(&home, &[], 0);
            assert_eq!(attempts(&server.last_session()), 1);
        }
        // Here the challenge is what the answer is made of.
        let (server, home) = serving(offering("").prompt(prompt), "cram-md5");
        run(&home, &[], status);
        assert_eq!(attempts(&server.last_session()), 1);
        let said = &sign_in(&server.last_session())[1..];
        assert!(said.iter().all(|line| line == "*"), "{said:?}");
    }
}
