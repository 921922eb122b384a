use crate::given::{assert_said, plainly, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::wire::Ending;

#[test]
fn d2_an_empty_line_as_the_reply_to_one_dele_keeps_no_other_message_from_being_deleted() {
    for reply in [Reply::raw("\r\n"), Reply::End(Ending::Close)] {
        let (server, home) = plainly(6, Behaviour::new());
        run(&home, &[], 0);
        server.behave(Behaviour::new().on("DELE 3", reply.clone()));
        let mut runs = 0;
        while server.maildrop().count() > 1 {
            runs += 1;
            assert!(runs <= 6, "{reply:?}: {:?}", server.maildrop().unique_ids());
            home.popfetch(["fetch", "--delete", "--now"]).run();
        }
        assert_eq!(server.maildrop().unique_ids(), ["uid-3"]);
        run(&home, &["fetch", "--delete"], 0);
    }
}

#[test]
fn d2_a_dele_that_is_always_refused_is_told_once_a_day_and_asked_five_times() {
    let stubborn = Behaviour::new().on("DELE", Reply::raw("-ERR read-only mailbox\r\n"));
    let (server, home) = plainly(2, stubborn);
    let output = run(&home, &["fetch", "-q", "--delete"], 0);
    assert_said(&output, &["warning: a: ", "read-only mailbox"]);
    for _ in 0..4 {
        let output = run(&home, &["fetch", "-q", "--delete"], 0);
        assert!(!output.stderr.contains("read-only"), "{output:#?}");
    }
    assert_eq!(server.count("DELE"), 10);
    run(&home, &["fetch", "-q", "--delete"], 0);
    assert_eq!(server.count("DELE"), 10);
}

#[test]
fn d2_a_dele_that_is_refused_for_now_is_asked_for_ever() {
    let busy = Behaviour::new().on("DELE", Reply::raw("-ERR [SYS/TEMP] locked\r\n"));
    let (server, home) = plainly(2, busy);
    for _ in 0..7 {
        run(&home, &["fetch", "--delete", "--now"], 0);
    }
    server.behave(Behaviour::new());
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn d3_what_the_server_will_not_delete_is_seen_and_not_new() {
    let stubborn = Behaviour::new().on("DELE", Reply::raw("-ERR no\r\n"));
    let (server, home) = plainly(2, stubborn);
    home.one_account(&server.account(), "keep = \"never\"\n");
    for _ in 0..6 {
        run(&home, &["-q"], 0);
    }
    run(&home, &["check", "-q"], 1);
    let output = run(&home, &["check"], 0);
    assert!(!output.stdout.contains("2 new"), "{output:#?}");
}
