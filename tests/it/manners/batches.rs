use crate::given::{assert_said, mail, plainly, run};
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::maildrop::Maildrop;
use crate::support::server::{How, Server};
use crate::support::tree;

const PART: usize = 120;

/// Lists no more than [`PART`] messages, and hides what was retrieved in a session that ended with
/// QUIT.
fn gmail() -> Behaviour {
    let capabilities = [
        "UIDL",
        "SASL PLAIN",
        "EXPIRE 0",
        "LOGIN-DELAY 300",
        "X-GOOGLE-RICO",
    ];
    let gmail = Behaviour::new().capabilities(&capabilities);
    gmail.lists(PART).deletes_retrieved()
}

#[test]
fn q1_f30_a_maildrop_that_is_listed_in_parts_is_fetched_in_one_run() {
    let (server, home) = plainly(2 * PART + 30, gmail());
    let output = run(&home, &[], 0);
    assert_said(&output, &["a: 270 new messages"]);
    tree::assert_holds(&home.maildir("a"), &mail(2 * PART + 30));
    let sessions = server.sessions();
    let retrieved: Vec<_> = sessions
        .iter()
        .map(|session| session.count("RETR"))
        .collect();
    assert_eq!(retrieved, [PART, PART, 30]);
    assert!(sessions.iter().all(|session| session.ended == How::Quit));
    // Between runs the server's delay counts, within a run Gmail does not mind.
    run(&home, &[], 75);
    assert_eq!(server.sessions().len(), 3);
}

#[test]
fn f30_it_ends_when_a_listing_brings_nothing_new() {
    // As with "recent:", where what was retrieved is listed again.
    let recent = Behaviour::new().capabilities(&["UIDL", "SASL PLAIN", "X-GOOGLE-RICO"]);
    let (server, home) = plainly(PART, recent);
    run(&home, &[], 0);
    assert_eq!(server.sessions().len(), 2);
    run(&home, &[], 0);
    assert_eq!(server.sessions().len(), 3);
    tree::assert_holds(&home.maildir("a"), &mail(PART));
}

#[test]
fn f30_no_other_server_is_signed_in_to_twice() {
    let (server, home) = plainly(PART, Behaviour::new().lists(PART));
    run(&home, &[], 0);
    assert_eq!(server.sessions().len(), 1);
    // Nor is Gmail for a few messages.
    let (server, home) = plainly(5, gmail());
    run(&home, &[], 0);
    assert_eq!(server.sessions().len(), 1);
}

#[test]
fn f30_a_server_that_has_had_enough_ends_the_run_and_loses_nothing() {
    let delay = Reply::raw("-ERR [LOGIN-DELAY] not so often\r\n");
    let (server, home) = plainly(2 * PART, gmail().on_occurrences("AUTH", 1..2, delay));
    let output = run(&home, &[], 0);
    assert_said(
        &output,
        &[
            "a: 120 new messages",
            "not so often",
            "the next run goes on",
        ],
    );
    run(&home, &[], 75);
    assert_eq!(server.sessions().len(), 2);
    run(&home, &["fetch", "--now"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(2 * PART));
}

#[test]
fn q2_the_user_name_recent_is_sent_as_it_is() {
    const USER: &str = "recent:ada@gmail.com";
    let server = Server::builder(&Maildrop::new(mail(1))).credentials(USER, "secret");
    let (server, home) = server
        .security(Security::Plain)
        .with_home("auth = \"user-pass\"\n");
    run(&home, &[], 0);
    assert_eq!(server.count(&format!("USER {USER}")), 1);
    tree::assert_holds(&home.maildir("a"), &mail(1));
}
