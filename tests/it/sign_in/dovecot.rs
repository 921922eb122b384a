//! The same methods with real Dovecot, which knows SCRAM and CRAM-MD5 by code of its own.

use super::auth_key;
use crate::given::{assert_said, mail, run};
use crate::support::account::Account;
use crate::support::dovecot::{Dovecot, stored};
use crate::support::run::{Home, Output};
use crate::support::token_endpoint::{Token, TokenEndpoint};
use crate::support::tree;

const MECHANISMS: &str = "auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256
passdb {
  driver = passwd-file
  args = {at}/users
}
";

fn home_for(account: &Account, auth: &str) -> Home {
    let home = Home::new();
    home.one_account(account, &auth_key(&home, auth));
    home
}

/// The first command line of the sign-in, as the transcript tells it.
fn went_over_the_wire(output: &Output) -> String {
    let sent = output
        .stderr
        .lines()
        .filter_map(|line| line.split_once("C: "));
    let mut lines = sent.map(|(_, command)| command.trim().to_owned());
    let command = lines.find(|line| line != "CAPA").expect("no sign-in");
    command.trim_end_matches(" ****").to_owned()
}

#[test]
fn dovecot_lets_us_in_by_each_method_with_the_right_password_alone() {
    let users = [("users", "ada:{PLAIN}secret\n")];
    let Some(dovecot) = Dovecot::start_letting_in(&mail(2), MECHANISMS, &users) else {
        return;
    };
    for (auth, command) in [
        ("", "AUTH SCRAM-SHA-256"),
        ("scram-sha-256", "AUTH SCRAM-SHA-256"),
        ("scram-sha-1", "AUTH SCRAM-SHA-1"),
        ("plain", "AUTH PLAIN"),
        ("login", "AUTH LOGIN"),
        ("cram-md5", "AUTH CRAM-MD5"),
        ("user-pass", "USER ada"),
    ] {
        let home = home_for(&dovecot.account(), auth);
        let output = run(&home, &["-vv"], 0);
        assert_eq!(went_over_the_wire(&output), command, "{}", dovecot.log());
        let stored: Vec<_> = mail(2).iter().map(stored).collect();
        assert_eq!(tree::count(&home.maildir("a")), stored.len());
        let mut account = dovecot.account();
        account.password = "not the secret".into();
        let home = home_for(&account, auth);
        let output = run(&home, &["-vv"], 77);
        assert_eq!(went_over_the_wire(&output), command, "{}", dovecot.log());
        assert_said(&output, &["refused the sign-in", "hint: "]);
        assert!(!output.stderr.contains("not the secret"), "{output:#?}");
    }
}

#[test]
fn dovecot_lets_us_in_by_scram_with_a_user_and_a_password_full_of_surprises() {
    let users = [("users", "a=d,a:{PLAIN}p,=s\u{e9}cr\u{e8}t \u{1f511}\n")];
    let who = format!("{MECHANISMS}auth_username_chars =\n");
    let Some(dovecot) = Dovecot::start_letting_in(&mail(2), &who, &users) else {
        return;
    };
    for auth in ["scram-sha-256", "scram-sha-1", "plain", "login", "cram-md5"] {
        let mut account = dovecot.account();
        account.user = "a=d,a".into();
        account.password = "p,=s\u{e9}cr\u{e8}t \u{1f511}".into();
        let home = home_for(&account, auth);
        let output = home.popfetch(["fetch"]).run();
        assert_eq!(output.status, Some(0), "{output:#?}\n{}", dovecot.log());
    }
}

fn token(token: &str, user: &str, active: bool) -> Token {
    Token {
        token: token.into(),
        user: user.into(),
        active,
    }
}

#[test]
fn s25_dovecot_takes_a_token_that_its_endpoint_knows_and_no_other() {
    let long = format!("long-{}", "t".repeat(5000));
    let endpoint = TokenEndpoint::start(vec![
        token("good-token", "ada", true),
        token(&long, "ada", true),
        token("expired-token", "ada", false),
        token("token-of-another", "eve", true),
    ]);
    let Some(dovecot) = Dovecot::start_taking_tokens(&mail(2), &endpoint) else {
        return;
    };
    for (auth, command) in [
        ("oauthbearer", "AUTH OAUTHBEARER"),
        ("xoauth2", "AUTH XOAUTH2"),
    ] {
        for (token, status) in [
            ("good-token", 0),
            (long.as_str(), 0),
            ("expired-token", 77),
            ("token-of-another", 77),
            ("unknown-token", 77),
        ] {
            let mut account = dovecot.account();
            account.password = token.into();
            let home = home_for(&account, auth);
            let output = home.popfetch(["-vv"]).run();
            assert_eq!(
                output.status,
                Some(status),
                "{output:#?}\n{}",
                dovecot.log()
            );
            assert_eq!(went_over_the_wire(&output), command);
            assert!(!output.stderr.contains(token), "{output:#?}");
            let count = if status == 0 { 2 } else { 0 };
            assert_eq!(tree::count(&home.maildir("a")), count);
            if status != 0 {
                assert_said(&output, &["refused the access token (status \"", "hint: "]);
            }
        }
    }
    let asked = endpoint.asked();
    assert!(
        asked.iter().any(|token| token == "expired-token"),
        "{asked:?}"
    );
}
