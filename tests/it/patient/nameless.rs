use crate::given::{assert_said, mail, plainly, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::tree;
use crate::support::wire::Ending;

fn without_unique_ids() -> Behaviour {
    Behaviour::new().without("UIDL")
}

#[test]
fn b7_a_message_over_which_a_server_without_unique_ids_closes_keeps_no_other_from_arriving() {
    let behaviour = without_unique_ids().on("RETR 3", Reply::End(Ending::Close));
    let (_server, home) = plainly(10, behaviour);
    run(&home, &[], 75);
    let mut expected = mail(10);
    expected.remove(2);
    tree::assert_holds(&home.maildir("a"), &expected);
    // Nor in the next run, and none comes twice.
    home.popfetch(["-q"]).run();
    tree::assert_holds(&home.maildir("a"), &expected);
}

#[test]
fn b7_a_session_that_ends_after_five_messages_is_followed_by_one_for_the_next_five() {
    let behaviour = without_unique_ids().gives(5, Reply::End(Ending::Close));
    let (_server, home) = plainly(23, behaviour);
    home.popfetch(["-q"]).run();
    tree::assert_holds(&home.maildir("a"), &mail(23));
    home.popfetch(["-q"]).run();
    tree::assert_holds(&home.maildir("a"), &mail(23));
}

#[test]
fn b7_keep_for_a_while_deletes_what_is_known_by_its_content() {
    let (server, home) = plainly(5, without_unique_ids());
    home.one_account(&server.account(), "keep = \"1 s\"\n");
    run(&home, &[], 0);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    let output = run(&home, &[], 0);
    assert_said(&output, &["5 deleted"]);
    assert_eq!(server.maildrop().count(), 0);
    tree::assert_holds(&home.maildir("a"), &mail(5));
}

#[test]
fn b7_latest_and_mark_seen_are_refused_where_nothing_can_be_remembered() {
    let (server, home) = plainly(6, without_unique_ids());
    home.one_account(&server.account(), "latest = 2\n");
    let output = run(&home, &[], 78);
    assert_said(&output, &["error: a: ", "unique-ids", "latest"]);
    assert_eq!(server.count("RETR"), 0);
    home.one_account(&server.account(), "");
    let output = run(&home, &["state", "mark-seen", "a"], 78);
    assert_said(&output, &["error: a: ", "unique-ids"]);
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(6));
}
