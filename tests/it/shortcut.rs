//! Signing in and listing in one flight, with a server that has shown that it takes it.

use std::time::Duration;

use crate::given::{self, assert_said, mail, plainly, run};
use crate::manners::{pass, remembered};
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::dovecot::Dovecot;
use crate::support::maildrop::Maildrop;
use crate::support::run::Home;
use crate::support::server::{Server, SessionLog};
use crate::support::tree;

const DAYS: i64 = 24 * 60 * 60;

/// A line so long that every round trip is counted.
fn long(behaviour: Behaviour) -> Behaviour {
    behaviour.latency(Duration::from_millis(20))
}

/// The commands of a session that begins with a shortcut.
const SHORT: [&str; 6] = ["AUTH", "CAPA", "STAT", "UIDL", "LIST", "QUIT"];

/// Those of one that asks first.
const CAREFUL: [&str; 7] = ["CAPA", "AUTH", "CAPA", "STAT", "UIDL", "LIST", "QUIT"];

/// The keywords of a session's commands.
fn keywords(session: &SessionLog) -> Vec<&str> {
    let lines = session.commands.iter();
    lines.filter_map(|line| line.split(' ').next()).collect()
}

/// A server and a home that has fetched its two messages once.
fn fetched_once(behaviour: Behaviour) -> (Server, Home) {
    let (server, home) = plainly(2, behaviour);
    run(&home, &[], 0);
    (server, home)
}

#[test]
fn with_nothing_new_the_second_run_takes_three_round_trips_after_the_connection() {
    let (server, home) = fetched_once(long(Behaviour::new()));
    run(&home, &[], 0);
    let session = server.last_session();
    assert_eq!(keywords(&session), SHORT);
    // The greeting, all the rest, and QUIT, whose own is not counted.
    assert_eq!(session.flights, 2, "{session:#?}");
}

#[test]
fn the_first_run_asks_for_capabilities_and_then_for_all_the_rest() {
    let (server, home) = plainly(2, long(Behaviour::new()));
    run(&home, &[], 0);
    let session = server.last_session();
    let wanted = [&CAREFUL[..6], &["RETR", "RETR", "QUIT"]].concat();
    assert_eq!(keywords(&session), wanted);
    // The greeting, CAPA, sign-in and listings, the messages, and QUIT, whose own is not counted.
    assert_eq!(session.flights, 4, "{session:#?}");
}

#[test]
fn r27_a_password_that_does_not_fit_into_the_line_goes_behind_a_challenge() {
    let (server, home) = Server::builder(&Maildrop::new(mail(2)))
        .security(Security::Plain)
        .credentials("ada", &"x".repeat(176))
        .with_home("");
    run(&home, &[], 0);
    run(&home, &[], 0);
    let session = server.last_session();
    assert_eq!(
        session.commands[..2],
        ["CAPA", "AUTH PLAIN"],
        "{session:#?}"
    );
    assert_eq!(server.sessions().len(), 2);
}

#[test]
fn a_server_that_loses_what_follows_the_first_sign_in_gives_its_mail_in_the_same_run() {
    let (server, home) = plainly(2, Behaviour::new().loses_what_follows_sign_in());
    home.one_account(&server.account(), "timeout = \"2s\"\n");
    assert_said(&run(&home, &[], 0), &["connecting once more"]);
    tree::assert_holds(&home.maildir("a"), &mail(2));
    run(&home, &[], 0);
    assert_eq!(server.sessions().len(), 3, "it is not tried again");
}

#[test]
fn user_and_pass_go_in_one_flight_as_well() {
    let (server, home) = fetched_once(long(Behaviour::new().without("SASL")));
    run(&home, &[], 0);
    let session = server.last_session();
    let wanted = [&["USER", "PASS"], &SHORT[1..]].concat();
    assert_eq!(keywords(&session), wanted);
    assert_eq!(session.flights, 2, "{session:#?}");
}

#[test]
fn new_mail_arrives_by_the_shortcut_too() {
    let (server, home) = fetched_once(Behaviour::new());
    server.maildrop().add([given::letter(3)]);
    run(&home, &[], 0);
    assert_eq!(server.last_session().count("RETR"), 1);
    tree::assert_holds(&home.maildir("a"), &mail(3));
}

#[test]
fn dovecot_takes_the_shortcut() {
    let Some(mut dovecot) = Dovecot::start(&mail(2)) else {
        return;
    };
    let home = Home::of(&dovecot.account(), "");
    run(&home, &[], 0);
    dovecot.deliver(&[given::letter(3)]);
    let output = run(&home, &["-vv"], 0);
    let sent: Vec<&str> = output.stderr.lines().collect();
    let place = |words: &str| {
        let found = sent.iter().position(|line| line.contains(words));
        found.unwrap_or_else(|| panic!("no {words:?} in {output:#?}"))
    };
    assert_eq!(place("CAPA"), place("AUTH PLAIN ****") + 1);
    assert!(place("LIST") < place("+OK Logged in"), "{output:#?}");
    tree::assert_holds(&home.maildir("a"), &mail(3));
}

#[test]
fn r21_a_server_that_does_not_pipeline_is_asked_one_thing_after_the_other_in_each_run() {
    let old = ["TOP", "UIDL", "USER", "SASL PLAIN"];
    let modern = ["TOP", "UIDL", "PIPELINING", "USER"];
    for behaviour in [
        Behaviour::new().capabilities(&old),
        // Before the sign-in it may be another program that answers.
        Behaviour::new()
            .capabilities_before(&old)
            .capabilities_after(&modern),
        Behaviour::new()
            .capabilities_before(&modern)
            .capabilities_after(&old),
    ] {
        let (server, home) = fetched_once(behaviour);
        run(&home, &[], 0);
        let session = server.last_session();
        assert_eq!(session.commands[0], "CAPA", "{session:#?}");
        assert!(remembered(&home).is_none());
    }
}

#[test]
fn s23_within_a_week_the_server_is_asked_whether_it_has_a_stronger_method() {
    let (server, home) = fetched_once(Behaviour::new());
    pass(&home, 6 * DAYS);
    run(&home, &[], 0);
    assert_eq!(keywords(&server.last_session()), SHORT);
    pass(&home, DAYS);
    let stronger = ["UIDL", "PIPELINING", "SASL SCRAM-SHA-256 PLAIN"];
    server.behave(Behaviour::new().capabilities(&stronger));
    run(&home, &[], 0);
    let session = server.last_session();
    assert_eq!(session.commands[0], "CAPA");
    assert!(
        session.commands[1].starts_with("AUTH SCRAM-SHA-256"),
        "{session:#?}"
    );
    // Which takes more than a message.
    run(&home, &[], 0);
    assert_eq!(server.last_session().commands[0], "CAPA");
}

#[test]
fn a_method_that_the_profile_names_is_not_passed_over() {
    let (server, home) = fetched_once(Behaviour::new());
    home.one_account(&server.account(), "auth = \"user-pass\"\n");
    run(&home, &[], 0);
    let session = server.last_session();
    assert_eq!(keywords(&session)[..3], ["CAPA", "USER", "PASS"]);
}

#[test]
fn s27_a_refused_password_is_tried_once_and_the_next_run_asks_first() {
    let (server, home) = fetched_once(Behaviour::new());
    let mut account = server.account();
    account.password = "another".into();
    home.one_account(&account, "");
    run(&home, &[], 77);
    assert_eq!(server.sessions().len(), 2);
    let session = server.last_session();
    assert_eq!(session.count("AUTH"), 1, "{session:#?}");
    home.one_account(&server.account(), "");
    // One changed password in sixteen looks like the old one.
    run(&home, &["fetch", "--now"], 0);
    assert_eq!(keywords(&server.last_session()), CAREFUL);
}

#[test]
fn a_refusal_without_a_code_means_the_same_with_the_shortcut() {
    // Who announces AUTH-RESP-CODE would have said [AUTH] (RFC 3206 section 6).
    for (announced, status) in [("AUTH-RESP-CODE", 75), ("TOP", 77)] {
        let tags = ["UIDL", "PIPELINING", "USER", "SASL PLAIN", announced];
        let server = Behaviour::new().capabilities(&tags);
        let (server, home) = fetched_once(server);
        server.behave(Behaviour::new().on("AUTH", Reply::raw("-ERR no\r\n")));
        run(&home, &[], status);
        assert_eq!(server.sessions().len(), 2);
    }
}

/// Ways in which a server that took it no longer takes it, after it has let us in or before it has
/// looked at the password.
fn changed() -> [Behaviour; 5] {
    let once = |command, reply| Behaviour::new().on_occurrences(command, 0..1, reply);
    [
        Behaviour::new().loses_what_follows_sign_in(),
        once("CAPA", Reply::raw("-ERR not now\r\n")),
        once("STAT", Reply::raw("-ERR not signed in\r\n")),
        once("LIST", Reply::End(crate::support::wire::Ending::Close)),
        once("AUTH", Reply::raw("+ \r\n")),
    ]
}

#[test]
fn a_server_that_does_not_follow_is_asked_one_thing_after_the_other_in_the_same_run_and_later() {
    for behaviour in changed() {
        let (server, home) = plainly(2, Behaviour::new());
        home.one_account(&server.account(), "timeout = \"2s\"\n");
        run(&home, &[], 0);
        server.behave(behaviour);
        server.maildrop().add([given::letter(3)]);
        let output = run(&home, &[], 0);
        assert_said(&output, &["connecting once more"]);
        assert_eq!(server.sessions().len(), 3);
        let session = server.last_session();
        assert_eq!(keywords(&session)[..6], CAREFUL[..6], "{session:#?}");
        // In one flight, which is no shortcut.
        assert_eq!(session.count("RETR"), 1);
        tree::assert_holds(&home.maildir("a"), &mail(3));
        for days in [1, 20] {
            pass(&home, days * DAYS);
            run(&home, &[], 0);
            assert_eq!(keywords(&server.last_session()), CAREFUL);
        }
        // After a month it may have learnt it.
        pass(&home, 10 * DAYS);
        server.behave(Behaviour::new());
        run(&home, &[], 0);
        run(&home, &[], 0);
        assert_eq!(keywords(&server.last_session()), SHORT);
    }
}

#[test]
fn f14_what_the_server_says_by_a_code_is_not_asked_again_in_another_way() {
    for code in ["[IN-USE]", "[LOGIN-DELAY]", "[SYS/TEMP]"] {
        let (server, home) = fetched_once(Behaviour::new());
        let answer = format!("-ERR {code} later\r\n");
        server.behave(Behaviour::new().on("STAT", Reply::raw(answer)));
        run(&home, &[], 75);
        assert_eq!(server.sessions().len(), 2);
    }
}

#[test]
fn a_server_that_closes_without_a_word_about_the_sign_in_is_asked_first_the_next_time() {
    let (server, home) = fetched_once(Behaviour::new());
    let closing = Reply::End(crate::support::wire::Ending::Close);
    server.behave(Behaviour::new().on_occurrences("AUTH", 0..1, closing));
    run(&home, &[], 75);
    assert_eq!(server.sessions().len(), 2);
    run(&home, &["fetch", "--now"], 0);
    assert_eq!(keywords(&server.last_session()), CAREFUL);
}
