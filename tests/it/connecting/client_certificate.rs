use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use rustls::version::{TLS12, TLS13};

use crate::given::{assert_no_credentials, assert_said, mail, run};
use crate::support::account::Security;
use crate::support::certificate::{Authority, Identity, Wanted};
use crate::support::dovecot::Dovecot;
use crate::support::maildrop::Maildrop;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

fn ada(authority: &Authority) -> Identity {
    authority.issue(&Wanted::default().names(&["ada"]).common_name("ada"))
}

/// A server that lets nobody in without a certificate of `clients`'.
fn requiring(authority: &Authority, clients: &Authority) -> Server {
    let identity = authority.localhost();
    Server::builder(&Maildrop::new(mail(1)))
        .security(Security::Custom {
            config: identity.server_config_requiring(clients, rustls::ALL_VERSIONS),
            roots: authority.pem_file(),
        })
        .start()
}

fn files(home: &Home, identity: &Identity) -> (PathBuf, PathBuf) {
    let (certificate, key) = identity.pem();
    (
        home.private_file("ada.crt", &certificate),
        home.private_file("ada.key", &key),
    )
}

#[test]
fn a_server_that_asks_is_shown_our_certificate() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = requiring(&authority, &clients);
    let home = Home::new();
    let (certificate, key) = files(&home, &ada(&clients));
    let keys = format!("tls-client-cert = {certificate:?}\ntls-client-key = {key:?}\n");
    home.one_account(&server.account(), &keys);
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(1));
    let shown = run(&home, &["account", "show", "a"], 0);
    assert!(shown.stdout.contains("ada.key"), "{shown:#?}");
    // Both in one file, named once.
    let (certificate, key) = ada(&clients).pem();
    let both = home.private_file("ada.pem", &format!("{certificate}{key}"));
    home.one_account(&server.account(), &format!("tls-client-cert = {both:?}\n"));
    run(&home, &["check"], 0);
}

#[test]
fn without_the_certificate_that_a_server_asks_for_the_sign_in_is_refused() {
    for version in [&TLS13, &TLS12] {
        let (authority, clients) = (Authority::new(), Authority::new());
        let config = authority
            .localhost()
            .server_config_requiring(&clients, &[version]);
        let (server, home) = Server::builder(&Maildrop::new(mail(1)))
            .security(Security::Custom {
                config,
                roots: authority.pem_file(),
            })
            .with_home("");
        let output = run(&home, &[], 77);
        assert_said(
            &output,
            &[
                "refused the client certificate, or the lack of one",
                "tls-client-cert",
            ],
        );
        let (certificate, key) = files(&home, &Identity::self_signed(&Wanted::default()));
        let keys = format!("tls-client-cert = {certificate:?}\ntls-client-key = {key:?}\n");
        home.one_account(&server.account(), &keys);
        let output = run(&home, &[], 77);
        assert_said(&output, &["refused the client certificate"]);
        for session in server.sessions() {
            assert_no_credentials(&session);
        }
    }
}

#[test]
fn s50_a_key_that_others_can_read_is_refused_before_connecting() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = requiring(&authority, &clients);
    let home = Home::new();
    let (certificate, key) = files(&home, &ada(&clients));
    let keys = format!("tls-client-cert = {certificate:?}\ntls-client-key = {key:?}\n");
    home.one_account(&server.account(), &keys);
    for mode in [0o644, 0o640, 0o602] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let output = run(&home, &[], 78);
        assert_said(&output, &["can be read by others", "chmod 600", "ada.key"]);
    }
    assert!(server.sessions().is_empty());
    fs::set_permissions(&key, fs::Permissions::from_mode(0o400)).unwrap();
    run(&home, &["check"], 0);
}

#[test]
fn a_certificate_that_cannot_be_used_is_a_config_error_that_names_the_file() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = requiring(&authority, &clients);
    let home = Home::new();
    let (certificate, key) = files(&home, &ada(&clients));
    let (_, other) = ada(&clients).pem();
    let other = home.private_file("other.key", &other);
    let empty = home.private_file("empty.pem", "nothing here\n");
    let nowhere = home.path().join("nowhere.pem");
    for (certificate, key, named) in [
        (&certificate, &other, &other),
        (&certificate, &empty, &empty),
        (&certificate, &nowhere, &nowhere),
        (&certificate, &certificate, &certificate),
        (&empty, &key, &empty),
        (&nowhere, &key, &nowhere),
    ] {
        let keys = format!("tls-client-cert = {certificate:?}\ntls-client-key = {key:?}\n");
        home.one_account(&server.account(), &keys);
        let output = run(&home, &[], 78);
        assert_said(
            &output,
            &["client certificate", &named.display().to_string(), "hint: "],
        );
    }
    home.one_account(&server.account(), &format!("tls-client-key = {key:?}\n"));
    let output = run(&home, &[], 78);
    assert_said(&output, &["without `tls-client-cert`", "^"]);
    assert!(server.sessions().is_empty());
}

#[test]
fn s14_a_client_certificate_without_tls_is_a_config_error() {
    let server = Server::builder(&Maildrop::new(mail(1)))
        .security(Security::Plain)
        .start();
    for key in [
        "tls-client-cert = \"a.pem\"\n",
        "tls-client-key = \"a.pem\"\n",
        "tls-min-version = \"1.3\"\n",
    ] {
        let home = Home::of(&server.account(), key);
        assert_said(
            &run(&home, &[], 78),
            &["has no meaning with `tls = \"none\"`", "^"],
        );
    }
    assert!(server.sessions().is_empty());
}

#[test]
fn dovecot_asks_for_a_certificate_and_is_content_with_ours() {
    let asking = "ssl_ca = <{at}/ca.pem\nssl_require_crl = no\nssl_verify_client_cert = yes\n\
                  auth_ssl_require_client_cert = yes\nauth_ssl_username_from_cert = yes\n";
    let Some(dovecot) = Dovecot::start_with(&mail(2), asking) else {
        return;
    };
    let home = Home::new();
    let (certificate, key) = files(&home, &ada(dovecot.authority()));
    let keys = format!("tls-client-cert = {certificate:?}\ntls-client-key = {key:?}\n");
    for (account, more) in [
        (dovecot.account(), ""),
        (dovecot.stls_account(), "tls = \"starttls\"\n"),
    ] {
        home.one_account(&account, &format!("{keys}{more}"));
        let output = home.popfetch(["check"]).run();
        assert_eq!(output.status, Some(0), "{output:#?}\n{}", dovecot.log());
        home.one_account(&account, more);
        let output = home.popfetch(["check"]).run();
        assert_eq!(output.status, Some(77), "{output:#?}\n{}", dovecot.log());
    }
}

#[test]
fn dovecot_lets_in_whom_the_certificate_names_by_sasl_external() {
    let who = "passdb {\n  driver = static\n  args = nopassword=yes\n}\n\
               auth_mechanisms = external\nssl_ca = <{at}/ca.pem\nssl_require_crl = no\n\
               ssl_verify_client_cert = yes\nauth_ssl_username_from_cert = yes\n";
    let Some(dovecot) = Dovecot::start_letting_in(&mail(2), who, &[]) else {
        return;
    };
    let home = Home::new();
    let (certificate, key) = files(&home, &ada(dovecot.authority()));
    let keys = format!(
        "auth = \"external\"\ntls-client-cert = {certificate:?}\ntls-client-key = {key:?}\n"
    );
    for (mut account, more) in [
        (dovecot.account(), ""),
        (dovecot.stls_account(), "tls = \"starttls\"\n"),
    ] {
        home.one_account(&account, &format!("{keys}{more}"));
        let output = home.popfetch(["check", "-vv"]).run();
        assert_eq!(output.status, Some(0), "{output:#?}\n{}", dovecot.log());
        assert_said(&output, &["C: AUTH EXTERNAL"]);
        // Nobody signs in as someone else with it.
        account.user = "eve".into();
        home.one_account(&account, &format!("{keys}{more}"));
        run(&home, &["check", "--now"], 77);
    }
}
