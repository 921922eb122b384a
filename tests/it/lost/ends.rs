use super::{Scene, statuses};
use crate::given::{assert_said, letter};
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use std::collections::HashSet;
use std::sync::Mutex;

/// Four messages, and one more at a place among them.
fn among(place: usize, bad: &Message) -> Vec<Message> {
    let mut messages: Vec<Message> = (1..=4).map(letter).collect();
    messages.insert(place, bad.clone());
    messages
}

/// 203 octets, of which 147 stand before a line that is only a dot.
fn with_a_dot() -> Message {
    let head = "From: Ada <ada@example.com>\r\nMessage-ID: <dot@example.com>\r\n\
                Subject: A dot\r\n\r\nThis is the beginning of it, before the dot";
    let beginning = format!("{head:.<145}\r\n");
    let message = Message::new("dot", format!("{beginning}.\r\n{:x<51}\r\n", "The rest. "));
    assert_eq!((beginning.len(), message.size()), (147, 203));
    message
}

/// No byte-stuffing, as whoever writes a server in an afternoon does it.
fn without_stuffing(octets: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(octets).unwrap();
    text.replace("\r\n..", "\r\n.").into_bytes()
}

/// One bad message among good ones, at each place and alone, kept and deleted, pipelined and not:
/// the good ones arrive and are deleted, the bad one is delivered as far as it comes, named, and
/// stays until a person says that it may go.
fn hold_on(bad: &Message, behaviour: impl Fn() -> Behaviour, reading: &str) {
    let id = String::from_utf8_lossy(&bad.unique_id).into_owned();
    for messages in [
        among(0, bad),
        among(2, bad),
        among(4, bad),
        vec![bad.clone()],
    ] {
        for keep in ["always", "never"] {
            for pipelining in ["auto", "off"] {
                let keys = format!("keep = {keep:?}\npipelining = {pipelining:?}\n");
                let scene = Scene::new(messages.clone(), behaviour(), &keys).broken(&id);
                let what = format!("{keys}{:?}", scene.server.maildrop().unique_ids());
                let outputs = scene.settle(&["fetch"]);
                scene.assert_all_are_here();
                let here = scene.files().iter().filter(|it| *it == reading).count();
                assert_eq!(here, 1, "{what}: {:#?}", scene.files());
                assert_eq!(statuses(&outputs)[0], 1, "{what}: {outputs:#?}");
                assert!(outputs[1..].iter().all(|it| it.status == Some(0)), "{what}");
                assert_said(
                    &outputs[0],
                    &[
                        "it may not be whole",
                        &format!("({id}, "),
                        &format!("popfetch state accept a {id}"),
                    ],
                );
                // Where it is, for who wants to see whether it is whole.
                let (_, told) = outputs[0].stderr.split_once("as it came, as ").unwrap();
                let (path, _) = told.split_once(", and never").unwrap();
                assert_eq!(std::fs::read_to_string(path).unwrap(), reading, "{what}");
                let left = scene.server.maildrop().count();
                let kept = if keep == "never" { 1 } else { messages.len() };
                assert_eq!(left, kept, "{what}: {outputs:#?}");
                scene.home.popfetch(["state", "accept", "a", &id]).expect(0);
                let last = scene.home.popfetch(["fetch", "--delete"]).expect(0);
                assert_eq!(scene.server.maildrop().count(), 0, "{what}: {last:#?}");
            }
        }
    }
}

#[test]
fn a4_a_message_that_ends_at_a_line_with_a_dot_is_kept_on_the_server() {
    let bad = with_a_dot();
    let reading = String::from_utf8(bad.stored()).unwrap();
    let (reading, _) = reading.split_once("\n.\n").unwrap();
    let behaviour = || Behaviour::new().on("RETR", Reply::Remade(without_stuffing));
    hold_on(&bad, behaviour, &format!("{reading}\n"));
}

/// Some 13,000 octets.
fn long() -> Message {
    Message::generated("long", 13_000, 7)
}

/// The first 300 octets of what is larger than that by far, properly ended.
fn cut(octets: Vec<u8>) -> Vec<u8> {
    let status = octets.iter().position(|octet| *octet == b'\n').unwrap() + 1;
    match octets.len() > 10_000 {
        true => [&octets[..status + 300], b"\r\n.\r\n"].concat(),
        false => octets,
    }
}

#[test]
fn a4_a_message_that_is_cut_short_every_time_is_kept_on_the_server() {
    // A disk error in the server's file, hidden by a web of proxies.
    let reading = String::from_utf8(long().octets()[..300].to_vec()).unwrap();
    let reading = reading.replace("\r\n", "\n") + "\n";
    let behaviour = || Behaviour::new().on("RETR", Reply::Remade(cut));
    hold_on(&long(), behaviour, &reading);
}

/// Sizes that are estimates are not made up.
#[test]
fn a4_one_that_is_cut_short_is_kept_where_the_other_sizes_are_off_by_a_little() {
    let letters = (1..=12).map(|n| letter(n).listed_as(letter(n).size() + 9));
    let messages: Vec<Message> = letters.chain([long()]).collect();
    for pipelining in ["auto", "off"] {
        let behaviour = Behaviour::new().on("RETR", Reply::Remade(cut));
        let keys = format!("pipelining = {pipelining:?}\nkeep = \"never\"\n");
        let scene = Scene::new(messages.clone(), behaviour, &keys).broken("long");
        let outputs = scene.settle(&["fetch"]);
        assert_eq!(statuses(&outputs), [1], "{outputs:#?}");
        assert_said(&outputs[0], &["popfetch state accept a long"]);
        scene.assert_all_are_here();
        assert_eq!(scene.server.maildrop().unique_ids(), ["long"]);
    }
}

#[test]
fn a4_a_message_that_is_cut_short_once_arrives_whole() {
    for messages in [
        among(0, &long()),
        among(2, &long()),
        among(4, &long()),
        vec![long()],
    ] {
        for keep in ["always", "never"] {
            for pipelining in ["auto", "off"] {
                let number = 1 + messages
                    .iter()
                    .position(|it| it.unique_id == b"long")
                    .unwrap();
                let retr = format!("RETR {number}");
                let behaviour = Behaviour::new().on_occurrences(&retr, 0..1, Reply::Remade(cut));
                let keys = format!("keep = {keep:?}\npipelining = {pipelining:?}\n");
                let scene = Scene::new(messages.clone(), behaviour, &keys);
                let outputs = scene.settle(&["fetch"]);
                scene.assert_all_are_here();
                assert!(statuses(&outputs).iter().all(|it| *it == 0), "{outputs:#?}");
                let left = scene.server.maildrop().count();
                let kept = if keep == "never" { 0 } else { messages.len() };
                assert_eq!(left, kept, "{keys}: {outputs:#?}");
            }
        }
    }
}

/// Answers twice, as a proxy does that sends a request again.
fn twice(octets: Vec<u8>) -> Vec<u8> {
    octets.repeat(2)
}

#[test]
fn a4_a_server_that_answers_retr_twice_once_shifts_nothing() {
    for number in [1, 3, 5] {
        for keep in ["always", "never"] {
            for pipelining in ["auto", "off"] {
                let retr = format!("RETR {number}");
                let behaviour = Behaviour::new().on_occurrences(&retr, 0..1, Reply::Remade(twice));
                let keys = format!("keep = {keep:?}\npipelining = {pipelining:?}\n");
                let scene = Scene::new((1..=5).map(letter).collect(), behaviour, &keys);
                let outputs = scene.settle(&["fetch"]);
                scene.assert_all_are_here();
                let left = scene.server.maildrop().count();
                let kept = if keep == "never" { 0 } else { 5 };
                assert_eq!(left, kept, "{keys}{number}: {outputs:#?}");
            }
        }
    }
}

#[test]
fn a4_from_a_server_that_always_answers_retr_twice_nothing_is_deleted_that_is_not_here() {
    for keep in ["always", "never"] {
        for pipelining in ["auto", "off"] {
            let behaviour = Behaviour::new().on("RETR", Reply::Remade(twice));
            let keys = format!("keep = {keep:?}\npipelining = {pipelining:?}\n");
            let scene = Scene::new((1..=5).map(letter).collect(), behaviour, &keys);
            let outputs: Vec<_> = (0..4).map(|_| scene.run(&["fetch"])).collect();
            eprintln!(
                "{keys} {outputs:#?} {:#?}",
                scene.server.maildrop().unique_ids()
            );
            scene.assert_all_are_here();
        }
    }
}

/// More of them than a run leaves out: what it has read is not thrown away.
#[test]
fn a4_many_messages_behind_which_a_server_is_out_of_step_arrive_in_a_few_runs() {
    let behaviour = Behaviour::new().on("RETR", Reply::Remade(twice));
    let scene = Scene::new((1..=20).map(letter).collect(), behaviour, "");
    let outputs: Vec<_> = (0..4).map(|_| scene.run(&["fetch"])).collect();
    scene.assert_all_are_here();
    assert_eq!(outputs[3].status, Some(0), "{outputs:#?}");
    assert!(
        outputs[0].stderr.contains("popfetch state accept a"),
        "{outputs:#?}"
    );
}

/// A disk error that is there again after months in which all was well.
#[test]
fn a4_one_that_came_cut_long_ago_is_no_reason_to_believe_another() {
    for pipelining in ["auto", "off"] {
        let behaviour = Behaviour::new().on("RETR", Reply::Remade(cut));
        let keys = format!("pipelining = {pipelining:?}\nkeep = \"never\"\n");
        // The first message ever is listed otherwise than it is, and delivered as it came.
        let mut messages = vec![letter(1).listed_as(letter(1).size() + 9)];
        let scene = Scene::new(messages.clone(), behaviour, &keys).broken("long");
        scene.settle(&["fetch"]);
        messages.extend((2..=40).map(letter));
        scene.server.maildrop().add((2..=40).map(letter));
        scene.settle(&["fetch"]);
        scene.server.maildrop().add([long()]);
        let outputs = scene.settle(&["fetch"]);
        assert_eq!(statuses(&outputs), [1], "{outputs:#?}");
        assert_said(&outputs[0], &["popfetch state accept a long"]);
        assert_eq!(scene.server.maildrop().unique_ids(), ["long"]);
        // Once a person has said that sizes are off here, that is so.
        scene
            .home
            .popfetch(["state", "accept", "a", "long"])
            .expect(0);
        let last = scene.home.popfetch(["fetch"]).expect(0);
        assert_eq!(scene.server.maildrop().count(), 0, "{last:#?}");
    }
}

/// Another client deletes it, or a provider's filter moves it, while it is asked for again: what came
/// of it is all that there is.
#[test]
fn a4_a_message_that_is_gone_when_it_is_asked_for_again_arrives_as_it_came() {
    for keep in ["always", "never"] {
        // A session in which it is asked for with others shows nothing of it.
        for (pipelining, asked) in [("auto", 2), ("off", 1)] {
            let bad = with_a_dot();
            let messages = among(2, &bad);
            let maildrop = Maildrop::new(messages.clone());
            let (shared, sessions) = (maildrop.clone(), Mutex::new(HashSet::new()));
            let server = Server::builder(&maildrop)
                .security(Security::Plain)
                .behaviour(Behaviour::new().on("RETR", Reply::Remade(without_stuffing)))
                // It is gone once so many sessions have asked for it.
                .on_command(move |seen| {
                    let mut sessions = sessions.lock().unwrap();
                    if seen.line == "RETR 3" {
                        sessions.insert(seen.session);
                    }
                    let is_new = !sessions.contains(&seen.session);
                    if seen.line == "CAPA" && is_new && sessions.len() == asked {
                        let ids = shared.unique_ids();
                        let place = ids.iter().position(|id| id == "dot");
                        shared.remove(&shared.contents(), place);
                    }
                })
                .start();
            let home = Home::new();
            let keys = format!("keep = {keep:?}\npipelining = {pipelining:?}\n");
            home.one_account(&server.account(), &keys);
            let output = home.popfetch(["fetch"]).run();
            let scene = Scene {
                server,
                home,
                messages,
                broken: Some("dot".into()),
            };
            let reading = String::from_utf8(bad.stored()).unwrap();
            let (reading, _) = reading.split_once("\n.\n").unwrap();
            let here = scene.files();
            let readings = here.iter().filter(|it| **it == format!("{reading}\n"));
            assert_eq!(readings.count(), 1, "{keys} {here:#?} {output:#?}");
            assert_said(&output, &["it may not be whole", "(dot, "]);
            assert_eq!(here.len(), 5, "{keys} {here:#?} {output:#?}");
        }
    }
}
