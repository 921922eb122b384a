//! Access tokens: always in two steps, of any length.

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
            let home = Home::in_memory();
            home.one_account(&server.account(), &auth_key(auth));
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
    let home = Home::in_memory();
    let text = home.account_config("a", &server.account());
    let lines = text.lines().filter(|line| !line.starts_with("password"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let helper = "password-command = [\"echo\", \"ya29.token\"]";
    home.config(&format!("{text}\nauth = \"xoauth2\"\n{helper}\n"));
    run(&home, &[], 0);
    assert_eq!(sign_in(&server.last_session())[0], "AUTH XOAUTH2");
}
