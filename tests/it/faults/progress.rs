use std::sync::Mutex;

use crate::given::{assert_said, mail, plainly, run};
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::maildrop::Maildrop;
use crate::support::message::generate;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;

#[test]
fn f31_a_large_maildrop_arrives_over_a_line_that_drops_again_and_again() {
    const MESSAGES: usize = 2000;
    const BETWEEN_DROPS: usize = 300;
    let messages = generate(MESSAGES, 250);
    let maildrop = Maildrop::new(messages.clone());
    let server = Server::builder(&maildrop).security(Security::Plain).start();

    // What a run costs in which nothing is dropped, and one in which there is nothing to do.
    let other = Home::new();
    other.one_account(&server.account(), "");
    run(&other, &[], 0);
    let whole = server.last_session().octets_sent;
    run(&other, &[], 0);
    let listing = server.last_session().octets_sent;
    let mail_itself = whole - listing;

    // Each drop is in the middle of a message.
    let limit = listing + mail_itself * BETWEEN_DROPS as u64 / MESSAGES as u64 + 100;
    server.behave(Behaviour::new().cut_after(limit, Ending::Close));
    let before = server.sessions().len();
    let home = Home::of(&server.account(), "");
    let mut arrived = vec![0];
    loop {
        let output = home.popfetch(["fetch"]).run();
        arrived.push(tree::count(&home.maildir("a")));
        let [.., last, now] = arrived[..] else {
            unreachable!("there were two")
        };
        if output.status == Some(0) || arrived.len() > 9 {
            break;
        }
        assert_eq!(output.status, Some(75), "{output:#?}");
        // All that came whole is kept, and no run needs a QUIT for that.
        assert!(now >= last + BETWEEN_DROPS - 2, "{arrived:?}: {output:#?}");
    }
    let sessions = &server.sessions()[before..];
    assert!(sessions.len() > 2, "it was no test: {arrived:?}");
    tree::assert_holds(&home.maildir("a"), &messages);
    let sent: u64 = sessions
        .iter()
        .map(|session| session.octets_sent - listing)
        .sum();
    eprintln!(
        "{} sessions, of messages {sent} octets instead of {mail_itself}; arrived: {arrived:?}",
        sessions.len()
    );
    assert!(sent * 100 <= mail_itself * 101, "{sent} of {mail_itself}");
}

#[test]
fn f34_b3_a_fault_of_a_connection_costs_another_connection_for_each_way_that_is_left() {
    // A server closes on CAPA that does not know it, on listings and deletions that it was asked for
    // several at once, and over a message that it cannot read: these are tried once more in each of
    // the other ways. A sign-in never is.
    for (command, connections) in [
        ("CAPA", 2),
        ("AUTH", 1),
        ("USER", 1),
        ("PASS", 1),
        ("STAT", 3),
        ("UIDL", 3),
        ("LIST", 3),
        ("RETR", 4),
        ("DELE", 2),
        ("QUIT", 1),
    ] {
        let (password_only, any) = (Behaviour::new().without("SASL"), Behaviour::new());
        let behaviour = match command {
            "USER" | "PASS" => password_only,
            _ => any,
        };
        for ending in [Ending::Close, Ending::Reset] {
            let failing = behaviour.clone().on(command, Reply::End(ending));
            let (server, home) = plainly(3, failing);
            for round in 1..=2 {
                home.popfetch(["fetch", "--delete", "--now"]).run();
                let made = server.sessions().len();
                assert!(made <= round * connections, "{command}: {made} in {round}");
                let tried = server.count("AUTH") + server.count("PASS");
                assert!(
                    tried <= made,
                    "{command}: {tried} sign-ins in {made} sessions"
                );
            }
            server.behave(Behaviour::new());
            run(&home, &["fetch", "--delete", "--now"], 0);
            tree::assert_holds(&home.maildir("a"), &mail(3));
            assert_eq!(server.maildrop().count(), 0);
        }
    }
}

#[test]
fn f34_faults_that_come_together_cost_a_connection_each_and_no_more() {
    // It closes on CAPA, or answers out of turn, and then closes over each message.
    let garbage = Reply::Prefix(b"hello there\r\n".into());
    let first = [
        ("CAPA", Reply::End(Ending::Close)),
        ("UIDL", garbage.clone()),
    ];
    for (command, reply) in first {
        let failing = Behaviour::new().on_occurrences(command, 0..1, reply);
        let failing = failing.on("RETR", Reply::End(Ending::Close));
        let (server, home) = plainly(3, failing);
        run(&home, &["fetch", "--delete"], 75);
        assert!(server.sessions().len() <= 5, "{command}");
    }

    for command in ["STAT", "UIDL", "LIST", "RETR", "DELE"] {
        let failing = Behaviour::new().on(command, garbage.clone());
        let (server, home) = plainly(3, failing);
        run(&home, &["fetch", "--delete"], 76);
        assert!(server.sessions().len() <= 2, "{command}");
        assert_eq!(server.maildrop().count(), 3, "{command}");
    }
}

#[test]
fn f34_a_refused_sign_in_is_not_tried_again_in_any_way() {
    for answer in [
        "-ERR [AUTH] wrong\r\n",
        "-ERR [IN-USE] locked\r\n",
        "-ERR [LOGIN-DELAY] too soon\r\n",
        "-ERR [SYS/TEMP] later\r\n",
        "-ERR no\r\n",
    ] {
        for command in ["AUTH", "PASS"] {
            let refuses = Behaviour::new().on(command, Reply::raw(answer));
            let (server, home) = match command {
                "PASS" => plainly(1, refuses.without("SASL")),
                _ => plainly(1, refuses),
            };
            let output = home.popfetch(["fetch"]).run();
            assert!(matches!(output.status, Some(75 | 77)), "{output:#?}");
            let sessions = server.sessions();
            assert_eq!(sessions.len(), 1, "{sessions:#?}");
            let tried = sessions[0].count("AUTH") + sessions[0].count("PASS");
            assert_eq!(tried, 1, "{sessions:#?}");
        }
    }
}

/// A server that closes over the fourth of ten messages, and that holds the maildrop for this session
/// until that many more have asked for it.
fn slow_to_notice(more: usize) -> (Server, Home) {
    let maildrop = Maildrop::new(mail(10));
    let (held, lock) = (Mutex::new(None), maildrop.clone());
    Server::builder(&maildrop)
        .security(Security::Plain)
        .behaviour(Behaviour::new().on("RETR 4", Reply::End(Ending::Close)))
        .on_command(move |seen| match (seen.session, seen.index) {
            (1, 0) => *held.lock().unwrap() = lock.try_lock(),
            (session, 0) if session == 1 + more => *held.lock().unwrap() = None,
            _ => (),
        })
        .with_home("keep = \"never\"\n")
}

#[test]
fn f34_a_server_that_has_not_noticed_yet_that_it_was_left_is_given_a_moment() {
    let (server, home) = slow_to_notice(1);
    run(&home, &[], 75);
    assert_eq!(server.sessions().len(), 4);
    let mut messages = mail(10);
    messages.remove(3);
    tree::assert_holds(&home.maildir("a"), &messages);
    assert_eq!(server.maildrop().unique_ids(), ["uid-4"]);
    // For somebody else's session nobody waits.
    let _other_client = server.maildrop().try_lock().unwrap();
    run(&home, &["fetch", "--now"], 75);
    assert_eq!(server.sessions().len(), 5);
}

#[test]
fn f34_a_server_that_never_notices_is_asked_three_times() {
    let (server, home) = slow_to_notice(usize::MAX / 2);
    let output = run(&home, &[], 75);
    assert_said(&output, &["3 messages fetched", "maildrop is locked"]);
    assert_eq!(server.sessions().len(), 4);
    tree::assert_holds(&home.maildir("a"), &mail(3));
}
