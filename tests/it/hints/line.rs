use std::fs;

use super::{Named, Scene, command_in, shell};
use crate::given::{assert_said, mail, run, server};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::certificate::Authority;
use crate::support::maildrop::Maildrop;
use crate::support::server::Server;
use crate::support::tree;

#[test]
fn hint_auth_names_the_method_for_accounts_that_are_given_as_urls() {
    // A server that refuses AUTH PLAIN as a command after it has announced it, and the two-step form.
    for (method, sent) in [
        ("user-pass", "USER"),
        ("plain", "AUTH PLAIN"),
        ("login", "AUTH LOGIN"),
    ] {
        let scene = Scene::new(Server::start(&Maildrop::new(mail(2))), Named::Url);
        let roots = scene.server.account().roots.unwrap();
        let url = scene.url();
        let arguments = [
            "fetch",
            &url,
            "--maildir",
            scene.maildir.to_str().unwrap(),
            "--password-stdin",
            "--tls-roots",
            roots.to_str().unwrap(),
            "--auth",
            method,
        ];
        scene.home.popfetch(arguments).stdin("secret\n").expect(0);
        assert_eq!(tree::count(&scene.maildir), 2);
        let session = scene.server.last_session();
        assert!(
            session.commands.iter().any(|it| it.starts_with(sent)),
            "{session:#?}"
        );
    }
}

#[test]
fn hint_auth_goes_before_the_config_file_and_is_refused_where_it_can_do_nothing() {
    let (server, home) = server(1);
    home.one_account(&server.account(), "auth = \"apop\"\n");
    run(&home, &["check", "--auth", "user-pass"], 0);
    assert!(
        server
            .last_session()
            .commands
            .iter()
            .any(|it| it.starts_with("USER"))
    );
    let output = run(&home, &["fetch", "--auth", "external"], 64);
    assert_said(
        &output,
        &["no certificate to sign in with", "tls-client-cert"],
    );
    let output = run(&home, &["fetch", "--auth", "kerberos"], 64);
    assert_said(&output, &["--auth", "scram-sha-256"]);
    let output = run(
        &home,
        &["fetch", "pops://ada;AUTH=PLAIN@localhost", "--maildir", "M"],
        64,
    );
    assert_said(&output, &["`;AUTH=`", "--auth"]);
}

#[test]
fn hint_what_a_hint_has_typed_signs_in_as_the_account_was_signed_in_to() {
    // The method and the roots go along into the command that a hint names.
    let maildrop = Maildrop::new(mail(12));
    let former = Scene::new(Server::start(&maildrop), Named::Usual);
    former.fetch(0);
    let server = Server::start(&maildrop);
    let (account, url) = (
        server.account(),
        format!("pops://ada@localhost:{}", server.port()),
    );
    let arguments = [
        "fetch",
        &url,
        "--maildir",
        "the other",
        "--password-stdin",
        "--tls-roots",
        account.roots.as_ref().unwrap().to_str().unwrap(),
        "--auth",
        "user-pass",
    ];
    let home = &former.home;
    let told = home.popfetch(arguments).stdin("secret\n").expect(78);
    let command = command_in(&told.stderr, "popfetch fetch --as-new");
    shell(home, &command).stdin("secret\n").expect(0);
    assert!(
        server
            .last_session()
            .commands
            .iter()
            .any(|it| it.starts_with("USER"))
    );
    assert_eq!(tree::count(&home.path().join("the other")), 12);
}

#[test]
fn hint_certificates_in_der_are_told_with_what_makes_pem_of_them() {
    let (server, home) = server(1);
    let account = server.account();
    let pem = fs::read_to_string(account.roots.as_ref().unwrap()).unwrap();
    let der = home.path().join("ca.der");
    let body: String = pem
        .lines()
        .filter(|line| !line.starts_with("---"))
        .collect();
    use base64::prelude::{BASE64_STANDARD, Engine};
    fs::write(&der, BASE64_STANDARD.decode(body).unwrap()).unwrap();
    let output = run(&home, &["fetch", "--tls-roots", der.to_str().unwrap()], 78);
    assert_said(
        &output,
        &["there is no certificate in it", "openssl x509 -inform der"],
    );
    let output = run(&home, &["fetch", "--tls-roots", "/no/such/ca.pem"], 78);
    assert_said(&output, &["/no/such/ca.pem", "No such file"]);
}

#[test]
fn hint_a_client_certificate_that_cannot_be_used_is_told_with_what_would_do() {
    let authority = Authority::new();
    let (ours, theirs) = (authority.localhost().pem(), authority.localhost().pem());
    let (server, home) = server(1);
    let certificate = home.private_file("our.crt", &ours.0);
    let other = home.private_file("their.key", &theirs.1);
    let locked =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let locked = home.private_file("locked.key", locked);
    for (key, said) in [
        (
            other,
            "the key must be the one that the certificate was made for",
        ),
        (locked, "openssl pkey -in"),
        (home.path().join("none.key"), "PEM files that you can read"),
    ] {
        let keys = format!("tls-client-cert = {certificate:?}\ntls-client-key = {key:?}\n");
        home.one_account(&server.account(), &keys);
        let output = run(&home, &[], 78);
        assert_said(&output, &["cannot use the client certificate", said]);
    }
}

#[test]
fn hint_a_proxy_command_that_is_not_there_is_told_with_its_key() {
    let (server, home) = server(1);
    home.one_account(&server.account(), "proxy-command = [\"no-such-relay\"]\n");
    let output = run(&home, &[], 78);
    assert_said(
        &output,
        &[
            "cannot run the proxy command",
            "`proxy-command`",
            "command -v",
        ],
    );
}

#[test]
fn hint_a_violation_asks_whether_it_is_pop3_only_where_nothing_else_was_seen() {
    // One that says nothing a POP3 server says, and one that stumbles over the listing.
    for (behaviour, said) in [
        (
            Behaviour::new().greeting("hello\r\n"),
            "is this a POP3 server?",
        ),
        (
            Behaviour::new()
                .without("PIPELINING")
                .on("STAT", Reply::raw("what?\r\n"))
                .on("LIST", Reply::raw("what?\r\n"))
                .on("UIDL", Reply::raw("what?\r\n")),
            "this session has deleted nothing",
        ),
    ] {
        let (_server, home) = Server::builder(&Maildrop::new(mail(1)))
            .behaviour(behaviour)
            .with_home("");
        let output = run(&home, &[], 76);
        assert_said(&output, &[said, "-vv"]);
        assert_eq!(
            output.stderr.contains("is this a POP3"),
            said.contains("POP3")
        );
    }
}
