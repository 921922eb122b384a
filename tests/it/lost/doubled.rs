use super::{Scene, statuses};
use crate::given::letter;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::message::Message;

/// A server that sends one answer twice and another one not at all, the first time: as many come as
/// were asked for.
fn one_for_another(doubled: usize, dropped: usize) -> Behaviour {
    Behaviour::new()
        .on_occurrences(
            &format!("RETR {doubled}"),
            0..1,
            Reply::Remade(|octets| octets.repeat(2)),
        )
        .on_occurrences(
            &format!("RETR {dropped}"),
            0..1,
            Reply::Remade(|_| Vec::new()),
        )
}

fn hold_on(messages: &[Message]) {
    for (doubled, dropped) in [(1, 5), (3, 4), (6, 1), (7, 8), (8, 7), (2, 1), (1, 2)] {
        for keep in ["always", "never"] {
            let behaviour = one_for_another(doubled, dropped);
            let scene = Scene::new(messages.to_vec(), behaviour, &format!("keep = {keep:?}\n"));
            let outputs = scene.settle(&["fetch"]);
            let what = format!("{doubled} for {dropped}, {keep}: {outputs:#?}");
            scene.assert_here_once(messages, &what);
            assert_eq!(scene.files().len(), messages.len(), "{what}");
            let kept = if keep == "never" { 0 } else { messages.len() };
            assert_eq!(scene.server.maildrop().count(), kept, "{what}");
            assert!(statuses(&outputs).iter().all(|it| *it == 0), "{what}");
        }
    }
}

#[test]
fn a4_an_answer_that_comes_twice_for_another_that_does_not_come_loses_nothing() {
    let alike: Vec<Message> = (1..=8).map(letter).collect();
    hold_on(&alike);
    let different: Vec<Message> = (1..=8)
        .map(|n| Message::generated(format!("d-{n}"), 1000 + 10 * n, n))
        .collect();
    hold_on(&different);
}

/// Copies that a maildrop really has are not for the server's being out of step.
#[test]
fn a4_copies_under_two_unique_ids_are_fetched_once_more_and_stay_two() {
    let mut messages: Vec<Message> = (1..=8).map(letter).collect();
    let copy = |of: &Message, id: &str| Message::new(id, of.octets());
    messages.push(copy(&messages[7], "copy-1"));
    messages.push(copy(&messages[2], "copy-2"));
    for keep in ["always", "never"] {
        let scene = Scene::new(
            messages.clone(),
            Behaviour::new(),
            &format!("keep = {keep:?}\n"),
        );
        let outputs = scene.settle(&["fetch"]);
        assert_eq!(statuses(&outputs), [0], "{outputs:#?}");
        assert_eq!(scene.files().len(), messages.len());
        assert_eq!(scene.copies(&messages[7]), 2);
        assert_eq!(scene.copies(&messages[2]), 2);
        assert_eq!(scene.server.sessions().len(), 2);
    }
}

#[test]
fn a4_an_answer_that_comes_twice_leaves_no_message_twice() {
    let messages: Vec<Message> = (1..=8).map(letter).collect();
    for doubled in [1, 4, 8] {
        for pipelining in ["auto", "off"] {
            for keep in ["always", "never"] {
                let behaviour = Behaviour::new().on_occurrences(
                    &format!("RETR {doubled}"),
                    0..1,
                    Reply::Remade(|octets| octets.repeat(2)),
                );
                let keys = format!("keep = {keep:?}\npipelining = {pipelining:?}\n");
                let scene = Scene::new(messages.clone(), behaviour, &keys);
                let outputs = scene.settle(&["fetch"]);
                let what = format!("{doubled}, {keys}: {outputs:#?}");
                scene.assert_here_once(&messages, &what);
                assert_eq!(scene.files().len(), messages.len(), "{what}");
                let kept = if keep == "never" { 0 } else { messages.len() };
                assert_eq!(scene.server.maildrop().count(), kept, "{what}");
            }
        }
    }
}

/// All of one size, each with what tells it from any other.
fn stamped(n: u64) -> Message {
    let text = format!(
        "Received: from a.example by mx.example.org with ESMTPS id {n:02};\n\tTue, 1 Jan 2019 10:00:00 \
         +0000\nMessage-ID: <{n:02}@a.example>\nFrom: a@a.example\n\ntext {n:02}\n"
    );
    Message::from_lf(format!("s-{n:02}"), text)
}

fn answer_of(message: &Message) -> Reply {
    Reply::raw([b"+OK\r\n", &message.octets()[..], b".\r\n"].concat())
}

#[test]
fn a4_one_message_in_the_place_of_another_far_from_it_is_asked_for_once_more() {
    let messages: Vec<Message> = (1..=15).map(stamped).collect();
    for pipelining in ["auto", "off"] {
        for keep in ["always", "never"] {
            let behaviour =
                Behaviour::new().on_occurrences("RETR 2", 0..1, answer_of(&messages[8]));
            let keys = format!("keep = {keep:?}\npipelining = {pipelining:?}\n");
            let scene = Scene::new(messages.clone(), behaviour, &keys);
            let outputs = scene.settle(&["fetch"]);
            let what = format!("{keys}: {outputs:#?}");
            scene.assert_here_once(&messages, &what);
            assert_eq!(scene.files().len(), messages.len(), "{what}");
            let kept = if keep == "never" { 0 } else { messages.len() };
            assert_eq!(scene.server.maildrop().count(), kept, "{what}");
        }
    }
}

#[test]
fn a4_so_is_one_that_comes_in_the_place_of_a_new_one_and_is_stored_since_an_earlier_run() {
    let messages: Vec<Message> = (1..=15).map(stamped).collect();
    for earlier in [2, 14] {
        for how in [&["fetch"][..], &["fetch", "--delete"]] {
            let scene = Scene::new(messages.clone(), Behaviour::new(), "");
            scene.settle(&["fetch"]);
            let mut all = messages.clone();
            all.push(stamped(16));
            scene.server.maildrop().add([stamped(16)]);
            let answer = answer_of(&messages[earlier]);
            let behaviour = Behaviour::new().on_occurrences("RETR 16", 0..1, answer);
            scene.server.behave(behaviour);
            let outputs = scene.settle(how);
            let what = format!("{earlier}, {how:?}: {outputs:#?}");
            scene.assert_here_once(&all, &what);
            assert_eq!(scene.files().len(), all.len(), "{what}");
            let kept = if how.len() > 1 { 0 } else { all.len() };
            assert_eq!(scene.server.maildrop().count(), kept, "{what}");
        }
    }
}
