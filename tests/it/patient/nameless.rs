use crate::given::{assert_said, letter, mail, plainly, run, serving};
use crate::support::behaviour::{Behaviour, Limit, Reply};
use crate::support::message::Message;
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

/// Three copies to the octet of one message, and another message.
fn copies() -> Vec<Message> {
    [1, 1, 1, 2].map(letter).into()
}

#[test]
fn b7_of_copies_without_unique_ids_each_comes_where_the_connection_breaks_between_them() {
    let without = Reply::Remade(|_| b"+OK\r\n.\r\n".to_vec());
    for behaviour in [without_unique_ids(), Behaviour::new().on("UIDL", without)] {
        for keep in ["\"never\"", "\"always\"", "\"1 s\""] {
            for order in ["oldest-first", "newest-first"] {
                // Each session ends behind so many messages, or in one.
                let limits =
                    [1, 2].map(|most| behaviour.clone().gives(most, Reply::End(Ending::Close)));
                let octets = [1000, 1400, 1800].map(|most| {
                    let enough = Limit::Octets(most);
                    behaviour
                        .clone()
                        .has_enough(enough, Reply::End(Ending::Close))
                });
                for breaks in limits.into_iter().chain(octets) {
                    let (server, home) = serving(copies(), breaks);
                    let keys = format!("keep = {keep}\norder = \"{order}\"\n");
                    home.one_account(&server.account(), &keys);
                    for _ in 0..3 {
                        home.popfetch(["-q"]).run();
                    }
                    let here = tree::count(&home.maildir("a"));
                    let there = server.maildrop().count();
                    assert!(
                        here + there >= 4,
                        "{keep} {order}: {here} here, {there} there"
                    );
                    server.behave(behaviour.clone());
                    run(&home, &[], 0);
                    tree::assert_holds(&home.maildir("a"), &copies());
                }
            }
        }
    }
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
