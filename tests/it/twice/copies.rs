//! Copies that stood in one listing are messages of their own, whatever becomes of one of them.

use super::{letter, named};
use crate::given::{compact, run, serving};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;

fn later() -> Reply {
    Reply::raw("-ERR [SYS/TEMP] try again later\r\n")
}

/// Two copies and another message, with unique-ids or without.
fn two_copies(behaviour: Behaviour) -> (Server, Home) {
    let messages = [letter(1), named(letter(1), "copy"), letter(2)];
    let (server, home) = serving(messages.to_vec(), behaviour);
    home.one_account(&server.account(), "keep = \"never\"\n");
    (server, home)
}

fn assert_both_are_here(server: &Server, home: &Home, what: &str) {
    for _ in 0..2 {
        home.popfetch(["fetch", "--now"]).run();
    }
    let copies = [letter(1), letter(1), letter(2)];
    assert_eq!(tree::count(&home.maildir("a")), 3, "{what}");
    tree::assert_holds(&home.maildir("a"), &copies);
    assert_eq!(server.maildrop().count(), 0, "{what}");
}

#[test]
fn e11_a_copy_that_could_not_be_fetched_with_the_other_one_is_fetched_once_that_is_deleted() {
    for has_names in [true, false] {
        for refused in [1, 2] {
            for reply in [
                later(),
                Reply::raw("-ERR no such message\r\n"),
                Reply::End(Ending::Close),
            ] {
                let what = format!("{has_names}, {refused}: {reply:?}");
                let usual = || match has_names {
                    true => Behaviour::new(),
                    false => Behaviour::new().without("UIDL"),
                };
                let (server, home) = two_copies(usual().on(&format!("RETR {refused}"), reply));
                home.popfetch(["fetch"]).run();
                server.behave(usual());
                assert_both_are_here(&server, &home, &what);
            }
        }
    }
}

#[test]
fn e11_a_copy_is_fetched_also_where_the_answer_to_the_deletion_of_the_other_one_was_lost() {
    for has_names in [true, false] {
        for is_deleted in [true, false] {
            let usual = || match has_names {
                true => Behaviour::new(),
                false => Behaviour::new().without("UIDL"),
            };
            let lost = match is_deleted {
                true => Reply::EffectThenEnd(Ending::Close),
                false => Reply::End(Ending::Close),
            };
            let (server, home) = two_copies(usual().on("RETR 1", later()).on("QUIT", lost));
            home.popfetch(["fetch"]).run();
            server.behave(usual());
            assert_both_are_here(&server, &home, &format!("{has_names}, {is_deleted}"));
        }
    }
}

#[test]
fn e11_a_copy_is_fetched_that_a_later_session_of_the_run_is_the_first_to_bring() {
    let (server, home) = two_copies(Behaviour::new().gives(1, later()));
    home.popfetch(["fetch"]).run();
    server.behave(Behaviour::new());
    assert_both_are_here(&server, &home, "one each session");
}

#[test]
fn e11_both_copies_are_known_under_new_names_once_both_were_fetched() {
    let (server, home) = two_copies(Behaviour::new().on("RETR 1", later()));
    home.popfetch(["fetch"]).run();
    server.behave(Behaviour::new());
    assert_both_are_here(&server, &home, "refused once");
    // The server is restored from a backup.
    let again = [named(letter(1), "a"), named(letter(2), "b")];
    server.maildrop().replace(again);
    run(&home, &["fetch", "--now"], 0);
    assert_eq!(tree::count(&home.maildir("a")), 3);
}

#[test]
fn e11_it_is_remembered_in_a_journal_that_is_written_afresh() {
    let (server, home) = two_copies(Behaviour::new().on("RETR 1", later()));
    home.popfetch(["fetch"]).run();
    server.sessions();
    compact(&server, &home);
    compact(&server, &home);
    server.behave(Behaviour::new());
    assert_both_are_here(&server, &home, "written afresh");
}

/// All of one size.
fn alike(text: char) -> Message {
    let text = format!(
        "Received: from a by b; Mon, 23 Nov 2026 10:00:00 +0000\nMessage-ID: <{text}@example.net>\n\
         From: ada@example.com\nSubject: {text}\n\n{text}\n"
    );
    Message::from_lf("one-for-all", text)
}

#[test]
fn e11_another_message_under_the_name_of_two_copies_is_fetched_wherever_it_is_listed() {
    let (a, n) = (alike('a'), alike('n'));
    for place in 0..3 {
        let (server, home) = serving(vec![a.clone(), a.clone()], Behaviour::new());
        run(&home, &[], 0);
        let mut messages = vec![a.clone(), a.clone()];
        messages.insert(place, n.clone());
        server.maildrop().replace(messages.clone());
        for _ in 0..3 {
            run(&home, &["fetch", "--now"], 0);
        }
        assert_eq!(tree::count(&home.maildir("a")), 3, "{place}");
        tree::assert_holds(&home.maildir("a"), &messages);
    }
}
