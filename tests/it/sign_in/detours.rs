//! A refusal of the way to sign in has judged no password: another way is taken, and remembered.

use super::{attempts, offering, serving, sign_in, with_wrong_password};
use crate::given::{assert_said, mail, plainly, run};
use crate::manners::pass;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;

const DAYS: i64 = 24 * 60 * 60;

/// What Cyrus says of a binding by tls-exporter, which it does not know.
const NO_BINDING: &str = "-ERR [AUTH] authenticating: bad protocol / cancel\r\n";

/// Ways in which servers refuse AUTH as a command: solid-pop3d, hMailServer, and others.
const REFUSALS: [&str; 4] = [
    "-ERR Syntax error: too many arguments\r\n",
    "-ERR Invalid command in current state\r\n",
    "-ERR unknown command\r\n",
    "-ERR [SYS/PERM] x\r\n",
];

const BOUND_OR_NOT: &str = "PLAIN SCRAM-SHA-1 SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-256-PLUS";

/// Cyrus 3.6 over TLS 1.3: it announces bindings, and knows none that there is.
fn cyrus() -> Behaviour {
    offering(BOUND_OR_NOT).other_binding(NO_BINDING)
}

/// A server that says so as soon as it hears of a binding.
fn refusing_bindings(refusal: Reply) -> Behaviour {
    let server = offering(BOUND_OR_NOT).on("AUTH SCRAM-SHA-256-PLUS", refusal.clone());
    server.on("AUTH SCRAM-SHA-1-PLUS", refusal)
}

/// The commands of the last session's sign-in, without what hides a secret.
fn ways(server: &Server) -> Vec<String> {
    let lines = sign_in(&server.last_session());
    let commands = lines.iter().filter(|line| {
        let keyword = line.split(' ').next();
        matches!(keyword, Some("AUTH" | "USER" | "PASS"))
    });
    let words = |line: &String| {
        let mut words = line.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("AUTH"), Some(mechanism), Some(_)) => format!("AUTH {mechanism} ..."),
            (Some("AUTH"), Some(mechanism), None) => format!("AUTH {mechanism}"),
            (keyword, ..) => keyword.unwrap().to_owned(),
        }
    };
    commands.map(words).collect()
}

/// What the first message of the last SCRAM begins with.
fn flag(server: &Server) -> String {
    let lines = sign_in(&server.last_session());
    let scram = lines.iter().rfind(|line| line.starts_with("AUTH SCRAM-"));
    super::methods::flag(scram.unwrap())
}

#[test]
fn b8_where_the_binding_is_refused_scram_goes_without_and_that_is_remembered() {
    for (auth, hash) in [("", "256"), ("scram-sha-256", "256"), ("scram-sha-1", "1")] {
        for (behaviour, closes) in [
            (cyrus(), false),
            (refusing_bindings(Reply::raw(NO_BINDING)), false),
            (
                refusing_bindings(Reply::RawThenEnd(NO_BINDING.into(), Ending::Close)),
                true,
            ),
        ] {
            let (server, home) = serving(behaviour, auth);
            let output = run(&home, &[], 0);
            assert_said(&output, &["tls-exporter", "scram-sha-256-unbound"]);
            let both = [
                format!("AUTH SCRAM-SHA-{hash}-PLUS ..."),
                format!("AUTH SCRAM-SHA-{hash} ..."),
            ];
            let last = if closes { &both[1..] } else { &both[..] };
            assert_eq!(ways(&server), last, "{auth}");
            assert_eq!(flag(&server), "n");
            assert_eq!(server.sessions().len(), 1 + usize::from(closes));
            tree::assert_holds(&home.maildir("a"), &mail(2));
            let output = run(&home, &[], 0);
            assert_eq!(ways(&server), both[1..]);
            assert!(!output.stderr.contains("tls-exporter"), "{output:#?}");
            // After a month the server may have learnt it.
            pass(&home, 31 * DAYS);
            run(&home, &[], 0);
            assert_eq!(ways(&server), last);
        }
    }
}

#[test]
fn b8_a_binding_that_was_asked_for_is_not_given_up_and_the_hint_leads_on() {
    for hash in ["256", "1"] {
        let asked = format!("scram-sha-{hash}-plus");
        let (server, home) = serving(cyrus(), &asked);
        let output = run(&home, &[], 77);
        let unbound = format!("scram-sha-{hash}-unbound");
        let key = format!("auth = {unbound:?}");
        assert_said(&output, &["hint: ", "tls-exporter", &key]);
        assert!(!output.stderr.contains("check user"), "{output:#?}");
        assert_eq!(attempts(&server.last_session()), 1);
        home.one_account(&server.account(), &format!("{key}\n"));
        run(&home, &[], 0);
        assert_eq!(flag(&server), "n");
        tree::assert_holds(&home.maildir("a"), &mail(2));
    }
}

#[test]
fn b8_unbound_scram_says_so_whatever_the_server_offers() {
    for offered in ["SCRAM-SHA-256", "SCRAM-SHA-256 SCRAM-SHA-256-PLUS"] {
        let (server, home) = serving(offering(offered), "scram-sha-256-unbound");
        run(&home, &[], 0);
        assert_eq!(ways(&server), ["AUTH SCRAM-SHA-256 ..."]);
        assert_eq!(flag(&server), "n");
    }
}

#[test]
fn b8_s23_words_about_the_password_end_it_and_nothing_weaker_is_tried() {
    for refusal in [
        "-ERR [AUTH] authenticating: authentication failure\r\n",
        "-ERR [AUTH] authenticating: user not found\r\n",
        "-ERR invalid password\r\n",
        "-ERR [AUTH] channel bindings do not match\r\n",
        "-ERR [SYS/TEMP] not now\r\n",
    ] {
        for behaviour in [
            refusing_bindings(Reply::raw(refusal)),
            offering(BOUND_OR_NOT).other_binding(refusal),
        ] {
            let (server, home) = serving(behaviour, "");
            let output = home.popfetch(["fetch"]).run();
            assert!(matches!(output.status, Some(69 | 75 | 77)), "{output:#?}");
            assert_eq!(ways(&server), ["AUTH SCRAM-SHA-256-PLUS ..."], "{refusal}");
        }
    }
    // Neither is the other SCRAM followed by a password in clear.
    let refused = cyrus().on(
        "AUTH SCRAM-SHA-256",
        Reply::raw("-ERR unknown mechanism\r\n"),
    );
    let (server, home) = serving(refused, "");
    let output = run(&home, &[], 77);
    assert_said(&output, &["auth = \"plain\""]);
    let tried = ["AUTH SCRAM-SHA-256-PLUS ...", "AUTH SCRAM-SHA-256 ..."];
    assert_eq!(ways(&server), tried);
}

#[test]
fn b8_a_server_that_asks_for_what_came_with_auth_gets_it_again() {
    for prompt in ["+ \r\n", "+\r\n"] {
        let server = Behaviour::new().ignores_initial_responses().prompt(prompt);
        let (server, home) = plainly(2, server);
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(2));
        assert_eq!(ways(&server), ["AUTH PLAIN ..."]);
        // What was sent ahead was taken for the answer: a second connection, and no more of them.
        assert_eq!(server.sessions().len(), 2);
        run(&home, &[], 0);
        assert_eq!(server.sessions().len(), 3);
    }
    for auth in ["plain", "scram-sha-256", "scram-sha-1", "external"] {
        let all = "PLAIN EXTERNAL SCRAM-SHA-256 SCRAM-SHA-1";
        let server = offering(all).ignores_initial_responses().prompt("+ \r\n");
        let (server, home) = serving(server, auth);
        run(&home, &[], 0);
        assert_eq!(server.sessions().len(), 1);
        tree::assert_holds(&home.maildir("a"), &mail(2));
    }
}

/// A server without the pipelining that sends listings along.
fn refusing(refusal: &str) -> Behaviour {
    let announced = Behaviour::new().capabilities(&["UIDL", "USER", "SASL PLAIN"]);
    announced.on("AUTH", Reply::raw(refusal))
}

#[test]
fn b8_where_auth_is_no_command_user_and_pass_sign_in_and_that_is_remembered() {
    for refusal in &REFUSALS[..3] {
        let (server, home) = plainly(2, refusing(refusal));
        let output = run(&home, &[], 0);
        assert_said(&output, &["auth = \"user-pass\""]);
        let all = ["AUTH PLAIN ...", "AUTH PLAIN", "USER", "PASS"];
        assert_eq!(ways(&server), all, "{refusal}");
        assert_eq!(server.sessions().len(), 1);
        tree::assert_holds(&home.maildir("a"), &mail(2));
        assert!(!run(&home, &[], 0).stderr.contains("AUTH"));
        assert_eq!(ways(&server), ["USER", "PASS"]);
        pass(&home, 31 * DAYS);
        run(&home, &["check"], 0);
        assert_eq!(ways(&server), all);
    }
}

#[test]
fn b8_the_same_with_a_server_that_pipelines_or_closes() {
    let closing = |refusal: &str| {
        let announced = Behaviour::new().capabilities(&["UIDL", "USER", "SASL PLAIN"]);
        announced.on("AUTH", Reply::RawThenEnd(refusal.into(), Ending::Close))
    };
    for refusal in &REFUSALS[..3] {
        let pipelining = Behaviour::new().on("AUTH", Reply::raw(refusal));
        for (behaviour, sessions) in [(pipelining, 2), (closing(refusal), 3)] {
            let (server, home) = plainly(2, behaviour);
            run(&home, &[], 0);
            assert_eq!(server.sessions().len(), sessions, "{refusal}");
            tree::assert_holds(&home.maildir("a"), &mail(2));
            run(&home, &[], 0);
            assert_eq!(server.sessions().len(), sessions + 1, "{refusal}");
            assert_eq!(ways(&server), ["USER", "PASS"]);
        }
    }
}

#[test]
fn b8_the_two_steps_are_remembered_as_well() {
    for refusal in &REFUSALS[..3] {
        let announced = Behaviour::new().capabilities(&["UIDL", "USER", "SASL PLAIN"]);
        let once = announced.on_occurrences("AUTH", 0..1, Reply::raw(refusal));
        let (server, home) = plainly(2, once);
        run(&home, &[], 0);
        assert_eq!(ways(&server), ["AUTH PLAIN ...", "AUTH PLAIN"]);
        run(&home, &[], 0);
        assert_eq!(ways(&server), ["AUTH PLAIN"]);
        tree::assert_holds(&home.maildir("a"), &mail(2));
    }
}

#[test]
fn b8_s27_a_wrong_password_is_shown_once_to_be_judged_and_ends_it() {
    for refusal in &REFUSALS[..3] {
        let (server, home) = serving(refusing(refusal), "");
        with_wrong_password(&server, &home, "");
        let output = run(&home, &[], 77);
        assert_said(
            &output,
            &["wrong user or password", "check user and password"],
        );
        assert_eq!(server.count("PASS"), 1);
        assert_eq!(server.sessions().len(), 1);
        run(&home, &[], 77);
        assert_eq!(server.sessions().len(), 1, "it is left alone");
    }
}

#[test]
fn b8_a_method_that_is_named_is_the_only_one_and_the_hint_names_the_next() {
    let (server, home) = serving(refusing(REFUSALS[0]), "plain");
    let output = run(&home, &[], 77);
    assert_said(
        &output,
        &["hint: ", "nothing about the password", "\"user-pass\""],
    );
    assert_eq!(ways(&server), ["AUTH PLAIN ...", "AUTH PLAIN"]);
    home.one_account(&server.account(), "auth = \"user-pass\"\n");
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(2));
}

#[test]
fn b8_f17_a_refusal_for_good_is_no_refusal_of_the_way() {
    let (server, home) = plainly(2, refusing(REFUSALS[3]));
    run(&home, &[], 69);
    assert_eq!(ways(&server), ["AUTH PLAIN ..."]);
}

#[test]
fn b8_cyrus_gets_nothing_behind_auth() {
    // It throws away what has come with AUTH, and says who it is.
    let capabilities = [
        "UIDL",
        "TOP",
        "PIPELINING",
        "USER",
        "SASL PLAIN",
        "IMPLEMENTATION Cyrus POP3 3.6.1-Debian",
    ];
    let cyrus = Behaviour::new().capabilities(&capabilities);
    let (server, home) = plainly(2, cyrus.loses_what_follows_sign_in());
    for messages in [2, 2] {
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(messages));
        let commands = &server.last_session().commands;
        assert!(commands[1].starts_with("AUTH PLAIN "), "{commands:?}");
    }
    assert_eq!(server.sessions().len(), 2, "one a run, and none stalls");
}

/// `check` and `account test` take the same ways.
#[test]
fn b8_a_look_goes_the_same_ways() {
    for arguments in [["check"].as_slice(), &["account", "test", "a"]] {
        let (server, home): (Server, Home) = plainly(2, refusing(REFUSALS[1]));
        run(&home, arguments, 0);
        assert_eq!(
            ways(&server),
            ["AUTH PLAIN ...", "AUTH PLAIN", "USER", "PASS"]
        );
    }
}
