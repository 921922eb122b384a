//! Access tokens: always in two steps, of any length.

use std::time::Duration;

use popfetch::exit::{Diagnose, Status};
use popfetch::net::proxy::Way;
use popfetch::net::tls::{Roots, TlsPolicy};
use popfetch::net::{Protection, Route, Target};
use popfetch::source::pop::Session;
use popfetch::source::{Auth, Credentials, Error, Options, Secret};
use popfetch::stop::Stop;

use super::{attempts, auth_key, offering, serving, sign_in, with_wrong_password};
use crate::given::{assert_said, mail, run};
use crate::support::maildrop::Maildrop;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

#[test]
fn r30_a_token_is_sent_in_a_second_step_and_may_be_of_any_length() {
    for (auth, command) in [
        ("oauthbearer", "AUTH OAUTHBEARER"),
        ("xoauth2", "AUTH XOAUTH2"),
    ] {
        for length in [1, 60, 255, 4096, 20_000] {
            let token = "t".repeat(length);
            let server = Server::builder(&Maildrop::new(mail(2)))
                .behaviour(offering("XOAUTH2 OAUTHBEARER"))
                .credentials("ada", &token)
                .start();
            let home = Home::new();
            home.one_account(&server.account(), &auth_key(&home, auth));
            run(&home, &[], 0);
            let said = sign_in(&server.last_session());
            assert_eq!((said.len(), said[0].as_str()), (2, command));
            tree::assert_holds(&home.maildir("a"), &mail(2));
        }
    }
}

#[test]
fn s25_a_refused_token_is_answered_as_its_mechanism_wants_it_and_told() {
    for (auth, answer) in [("oauthbearer", "AQ=="), ("xoauth2", "")] {
        let (server, home) = serving(offering("XOAUTH2 OAUTHBEARER"), auth);
        with_wrong_password(&server, &home, auth);
        let output = run(&home, &[], 77);
        let said = sign_in(&server.last_session());
        assert_eq!((said.len(), said[2].as_str()), (3, answer));
        assert_eq!(attempts(&server.last_session()), 1);
        assert_said(
            &output,
            &[
                "refused the access token (status \"invalid_token\")",
                "hint: ",
                "token",
            ],
        );
    }
}

#[test]
fn a_persons_own_helper_gives_the_token() {
    let server = Server::builder(&Maildrop::new(mail(2)))
        .credentials("ada", "ya29.token")
        .start();
    let home = Home::new();
    let text = home.account_config("a", &server.account());
    let lines = text.lines().filter(|line| !line.starts_with("password"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let helper = "password-command = [\"echo\", \"ya29.token\"]";
    home.config(&format!("{text}\nauth = \"xoauth2\"\n{helper}\n"));
    run(&home, &[], 0);
    assert_eq!(sign_in(&server.last_session())[0], "AUTH XOAUTH2");
}

/// A session with a token and no word on the method, as nothing of the config file asks for yet.
fn with_token(server: &Server, token: &str) -> Result<(), Error> {
    let account = server.account();
    let policy = TlsPolicy {
        roots: Roots::File(account.roots.clone().unwrap()),
        ..TlsPolicy::default()
    };
    let timeout = Duration::from_secs(10);
    let target = Target {
        host: &account.host,
        port: account.port,
        protection: Protection::Implicit(&policy),
        way: &Way::default(),
        timeout,
    };
    let route = Route::find(
        &target,
        &popfetch::stop::Stop::never().unwrap(),
        std::sync::Arc::new(|_: &str| ()),
    )
    .unwrap();
    let channel = route.connect(&Stop::never().unwrap()).unwrap();
    let options = Options {
        ahead: false,
        shortcut: None,
        lists_in_parts: false,
        detour: None,
        timeout,
        patience: Duration::from_secs(60),
        pipelining: false,
        start_tls: false,
        capabilities: true,
        utf8: false,
        lenient: false,
        folders: popfetch::source::folders::Folders::default(),
        transcript: None,
    };
    let credentials = Credentials {
        auth: Auth::Auto,
        user: &account.user,
        secret: Secret::Token(token),
        host: &account.host,
        port: account.port,
    };
    Session::open(channel, options, &credentials)?
        .sign_in(credentials)
        .map(drop)
}

#[test]
fn s23_a_token_without_a_method_goes_to_the_best_bearer_and_to_nothing_else() {
    for (offered, commands, status) in [
        ("PLAIN XOAUTH2 OAUTHBEARER", &["AUTH OAUTHBEARER"][..], None),
        ("PLAIN XOAUTH2", &["AUTH XOAUTH2"], None),
        ("PLAIN LOGIN SCRAM-SHA-256", &[], Some(Status::Unavailable)),
    ] {
        let (server, _) = serving(offering(offered), "");
        let result = with_token(&server, "secret");
        assert_eq!(result.err().map(|error| error.status()), status);
        let said = sign_in(&server.last_session());
        let said: Vec<&str> = said.iter().take(1).map(String::as_str).collect();
        assert_eq!(said, commands);
    }
    let (server, _) = serving(offering("XOAUTH2 OAUTHBEARER"), "");
    let refused = with_token(&server, "another").unwrap_err();
    assert_eq!(refused.status(), Status::NoPermission);
    assert_eq!(attempts(&server.last_session()), 1);
}
