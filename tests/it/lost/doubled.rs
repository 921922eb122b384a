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
