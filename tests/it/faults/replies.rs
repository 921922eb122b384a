use crate::given::{assert_said, letter, mail, plainly, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::tree;
use crate::support::wire::Ending;

#[test]
fn f17_a_refusal_for_good_is_not_tried_again() {
    let refused = || Reply::raw("-ERR [SYS/PERM] not any more\r\n");
    for behaviour in [
        Behaviour::new().greeting("-ERR [SYS/PERM] not any more\r\n"),
        Behaviour::new().on("AUTH", refused()),
        Behaviour::new().without("SASL").on("PASS", refused()),
        Behaviour::new().on("STAT", refused()),
        Behaviour::new().on("UIDL", refused()),
        Behaviour::new().on("LIST", refused()),
    ] {
        let (server, home) = plainly(2, behaviour);
        let output = run(&home, &[], 69);
        assert_said(&output, &["error: a: ", "not any more", "hint: "]);
        let sessions = server.sessions();
        assert_eq!(sessions.len(), 1, "{sessions:#?}");
        assert!(sessions[0].count("AUTH") + sessions[0].count("PASS") <= 1);
        assert_eq!(sessions[0].count("RETR"), 0);
    }
}

#[test]
fn f18_what_a_server_need_not_know_is_done_without() {
    let refused = || Reply::raw("-ERR unknown command\r\n");
    for command in ["CAPA", "TOP", "NOOP"] {
        let (_server, home) = plainly(3, Behaviour::new().on(command, refused()));
        let waiting = run(&home, &["check", "--headers"], 0).stdout;
        assert!(waiting.contains('3'), "{command}: {waiting}");
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(3));
    }
}

#[test]
fn f18_a_listing_that_is_refused_is_a_passing_fault_and_nothing_is_forgotten() {
    for command in ["STAT", "LIST"] {
        let (server, home) = plainly(3, Behaviour::new());
        run(&home, &[], 0);
        let refused = Reply::raw("-ERR not now\r\n");
        server.behave(Behaviour::new().on(command, refused));
        let output = run(&home, &["fetch", "--delete"], 75);
        let words = format!("error: a: the server refused {command}");
        assert_said(&output, &[&words, "not now", "hint: "]);
        let session = server.last_session();
        assert_eq!((session.count("RETR"), session.count("DELE")), (0, 0));
        server.behave(Behaviour::new());
        assert_said(&run(&home, &[], 0), &["nothing new"]);
        tree::assert_holds(&home.maildir("a"), &mail(3));
    }
}

#[test]
fn f19_d2b_a_count_that_differs_from_the_listing_is_only_a_count() {
    for claim in [
        "0 0",
        "3 100",
        "9 100",
        "20 99999999",
        "18446744073709551615 1",
        "x",
    ] {
        let (server, home) = plainly(10, Behaviour::new());
        run(&home, &[], 0);
        let claims = Reply::raw(format!("+OK {claim}\r\n"));
        server.maildrop().add([letter(11)]);
        server.behave(Behaviour::new().on("STAT", claims));
        // What is counted and not listed is told: it may be mail that nobody would miss.
        let (status, words) = match claim {
            "20 99999999" => (1, "counts 9 messages more than it lists"),
            _ => (0, "1 new"),
        };
        assert_said(&run(&home, &[], status), &["1 new", words]);
        server.behave(Behaviour::new());
        assert_said(&run(&home, &[], 0), &["nothing new"]);
        assert_eq!(server.last_session().count("RETR"), 0, "{claim}");
        tree::assert_holds(&home.maildir("a"), &mail(11));
    }
}

#[test]
fn f22_a_message_of_another_size_than_listed_is_delivered_and_deleted() {
    let (server, home) = plainly(0, Behaviour::new());
    let listed = mail(4).into_iter().zip([0, 1, 1024, 1 << 40]);
    let messages: Vec<_> = listed.map(|(m, octets)| m.listed_as(octets)).collect();
    server.maildrop().replace(messages.clone());
    run(&home, &["fetch", "--delete"], 0);
    tree::assert_holds(&home.maildir("a"), &messages);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn f25_a_quit_that_is_refused_is_no_failure_and_deleted_is_what_is_gone() {
    let refused = "-ERR some deleted messages not removed\r\n";
    let refuses = Behaviour::new().on("QUIT", Reply::raw(refused));
    let (server, home) = plainly(3, refuses);
    let output = run(&home, &["fetch", "--delete", "-q"], 0);
    let said = [
        "warning: a: ",
        "did not delete all of 3 messages",
        "not removed",
    ];
    assert_said(&output, &said);
    assert!(!output.stderr.contains(" deleted,"), "{output:#?}");
    // It had removed one of them.
    server.maildrop().replace(mail(3).split_off(1));
    server.behave(Behaviour::new());
    let output = run(&home, &["fetch", "--delete"], 0);
    assert_said(&output, &["nothing new", "2 deleted"]);
    assert_eq!(server.last_session().count("RETR"), 0);
    assert_eq!(server.maildrop().count(), 0);
    tree::assert_holds(&home.maildir("a"), &mail(3));
}

#[test]
fn f26_a_server_that_closes_after_the_last_dele_loses_and_doubles_nothing() {
    for (dele, ending, status) in [
        ("DELE 1", Ending::Close, 0),
        ("DELE 1", Ending::Cut, 0),
        ("DELE 1", Ending::Reset, 0),
        // Here it has not answered all that it was asked.
        ("DELE 2", Ending::Close, 75),
    ] {
        for keys in ["", "pipelining = \"off\"\n"] {
            let gone = Behaviour::new().on(dele, Reply::AnswerThenEnd(ending));
            let (server, home) = plainly(3, gone);
            home.one_account(&server.account(), keys);
            let output = home.popfetch(["fetch", "--delete"]).run();
            assert_eq!(
                output.status,
                Some(status),
                "{dele}, {ending:?}: {output:#?}"
            );
            assert_eq!(server.maildrop().count(), 3);
            server.behave(Behaviour::new());
            run(&home, &["fetch", "--delete"], 0);
            assert_eq!(server.last_session().count("RETR"), 0);
            assert_eq!(server.maildrop().count(), 0);
            tree::assert_holds(&home.maildir("a"), &mail(3));
        }
    }
}

#[test]
fn f28_a_message_that_vanishes_after_the_listing_is_passed_over_and_then_forgotten() {
    let gone = Behaviour::new().on("RETR 3", Reply::raw("-ERR no such message\r\n"));
    let (server, home) = plainly(5, gone);
    let output = run(&home, &["fetch", "--delete"], 1);
    assert_said(&output, &["message 3 ", "4 new", "1 failed"]);
    let mut others = mail(5);
    others.remove(2);
    tree::assert_holds(&home.maildir("a"), &others);
    // Somebody else has taken it.
    server.maildrop().replace([]);
    server.behave(Behaviour::new());
    let output = run(&home, &["fetch", "--delete"], 0);
    assert_said(&output, &["nothing new"]);
    assert!(!output.stderr.contains("message 3"), "{output:#?}");
    tree::assert_holds(&home.maildir("a"), &others);
}
