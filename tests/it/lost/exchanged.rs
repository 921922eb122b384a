use super::{Scene, statuses};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::message::Message;
use crate::support::series::mixed;

/// A message that a server has stamped, so that it is known under any name.
fn stamped(id: &str, size: usize) -> Message {
    let head =
        format!("Received: from a by b; {id}\nMessage-ID: <{id}@example.com>\nSubject: {id}\n\n");
    Message::from_lf(id, format!("{head}{}\n", "x".repeat(size)))
}

fn answer(message: &Message) -> Vec<u8> {
    let octets = message.octets();
    let status = format!("+OK {} octets\r\n", octets.len());
    [status.as_bytes(), &octets, b".\r\n"].concat()
}

/// A server, or a proxy before it, in which a small message overtakes a large one, once: each of two
/// RETRs is answered with the other's message.
#[test]
fn a4_two_answers_that_are_exchanged_lose_nothing_and_bring_nothing_twice() {
    let sizes = [[100, 3000], [3000, 100], [500, 600], [500, 540]];
    let before = [0_usize, 1, 4];
    for [size, other, keep, way] in mixed([sizes.len(), before.len(), 2, 2], 24) {
        let (sizes, others) = (sizes[size], before[other]);
        let (keep, pipelining) = (["always", "never"][keep], ["auto", "off"][way]);
        let mut messages: Vec<Message> = (0..others)
            .map(|n| stamped(&format!("o-{n}"), 700 + 10 * n))
            .collect();
        for (n, size) in sizes.into_iter().enumerate() {
            messages.push(stamped(&format!("e-{n}"), size));
        }
        let mut behaviour = Behaviour::new();
        for (n, other) in [(others + 1, others + 1), (others + 2, others)] {
            let reply = Reply::Raw(answer(&messages[other]));
            behaviour = behaviour.on_occurrences(&format!("RETR {n}"), 0..1, reply);
        }
        let keys = format!("keep = {keep:?}\npipelining = {pipelining:?}\n");
        let scene = Scene::new(messages.clone(), behaviour, &keys);
        let outputs = scene.settle(&["fetch"]);
        let what = format!("{sizes:?}, {others} before, {keys}: {outputs:#?}");
        scene.assert_here_once(&messages, &what);
        assert_eq!(scene.files().len(), messages.len(), "{what}");
        let kept = if keep == "never" { 0 } else { messages.len() };
        assert_eq!(scene.server.maildrop().count(), kept, "{what}");
        // Of a server that is asked for one thing at a time nobody expects it.
        let told = if pipelining == "off" { 76 } else { 0 };
        let statuses = statuses(&outputs);
        assert!(statuses.iter().all(|it| [0, told].contains(it)), "{what}");
    }
}

#[test]
fn a4_without_unique_ids_two_answers_that_are_exchanged_bring_nothing_twice_either() {
    let sizes = [900, 700, 900];
    let messages: Vec<Message> = (0..3)
        .map(|n| stamped(&format!("n-{n}"), sizes[n]))
        .collect();
    for (first, second) in [(0, 1), (1, 2)] {
        let plain = || Behaviour::new().without("UIDL");
        let scene = Scene::new(messages.clone(), plain(), "");
        scene.run(&["fetch"]);
        let mut exchanging = plain();
        for (number, other) in [(first, second), (second, first)] {
            let reply = Reply::Raw(answer(&messages[other]));
            let command = format!("RETR {}", number + 1);
            exchanging = exchanging.on_occurrences(&command, 0..1, reply);
        }
        scene.server.behave(exchanging);
        let output = scene.home.popfetch(["fetch"]).expect(0);
        scene.home.popfetch(["fetch"]).expect(0);
        let what = format!("{first} and {second}: {output:#?}");
        scene.assert_here_once(&messages, &what);
        assert_eq!(scene.files().len(), messages.len(), "{what}");
    }
}
