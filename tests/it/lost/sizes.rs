use super::{Scene, statuses};
use crate::given::{assert_said, letter};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::message::Message;

/// Messages of which each is listed with so many octets more than it has.
fn listed_with(count: usize, more: impl Fn(usize) -> i64) -> Vec<Message> {
    let listed = |n: usize| {
        let letter = letter(n);
        let size = letter.size().saturating_add_signed(more(n));
        letter.listed_as(size)
    };
    (1..=count).map(listed).collect()
}

/// All that is said to a person who wants to hear of nothing but trouble.
const UNENCRYPTED: &str = "warning: a: the connection is not encrypted: tls = \"none\"\n";

/// Exchange lists what it guesses, some octets more or less than it sends.
#[test]
fn a4_where_all_sizes_are_off_all_is_fetched_once_and_deleted_without_a_word() {
    type Way = fn(usize) -> i64;
    let ways: [(usize, Way); 4] = [
        (1, |_| 5),
        (30, |n| 3 + (n % 7) as i64),
        (30, |n| -4 - (n % 5) as i64),
        // One in two as it is.
        (30, |n| [0, 8][n % 2]),
    ];
    for (count, more) in ways {
        for keep in ["always", "never"] {
            for pipelining in ["auto", "off"] {
                let keys = format!("keep = {keep:?}\npipelining = {pipelining:?}\n");
                let messages = listed_with(count, more);
                let scene = Scene::new(messages, Behaviour::new(), &keys);
                let outputs = scene.settle(&["fetch", "-q"]);
                assert_eq!(statuses(&outputs), [0], "{outputs:#?}");
                assert_eq!(outputs[0].stderr, UNENCRYPTED, "{keys}");
                scene.assert_all_are_here();
                assert_eq!(scene.server.count("RETR"), count);
                let kept = if keep == "never" { 0 } else { count };
                assert_eq!(scene.server.maildrop().count(), kept);
                // More of them, later.
                let more = Message::generated("later", 3000, 1).listed_as(3021);
                scene.server.maildrop().add([more]);
                let outputs = scene.settle(&["fetch", "-q"]);
                assert_eq!(outputs[0].stderr, UNENCRYPTED, "{keys}");
                assert_eq!(scene.files().len(), count + 1);
            }
        }
    }
}

/// Blocks on a disk, say, or what somebody made up: more than is there as well as less.
#[test]
fn a4_where_sizes_are_no_counting_none_is_a_reason_to_keep_a_message() {
    let listed = |n: usize, octets| letter(n).listed_as(octets);
    let messages = vec![listed(1, 1), listed(2, 4096), listed(3, 1 << 40)];
    for pipelining in ["auto", "off"] {
        let keys = format!("pipelining = {pipelining:?}\nkeep = \"never\"\n");
        let scene = Scene::new(messages.clone(), Behaviour::new(), &keys);
        let outputs = scene.settle(&["fetch", "-q"]);
        assert_eq!(statuses(&outputs), [0], "{outputs:#?}");
        scene.assert_all_are_here();
        assert_eq!(scene.server.maildrop().count(), 0);
        // It is remembered.
        scene.server.maildrop().add([listed(4, 4096)]);
        let outputs = scene.settle(&["fetch", "-q"]);
        assert_eq!(outputs[0].stderr, UNENCRYPTED, "{keys}");
        assert_eq!(scene.server.maildrop().count(), 0);
        assert_eq!(scene.copies(&letter(4)), 1);
    }
}

/// A message that a virus scanner has shortened, say, on a server that counts.
#[test]
fn a4_one_size_that_is_off_among_exact_ones_is_told_once_and_waits_for_a_word() {
    let odd = || letter(12).listed_as(letter(12).size() + 9);
    for earlier in [true, false] {
        for pipelining in ["auto", "off"] {
            let keys = format!("pipelining = {pipelining:?}\nkeep = \"never\"\n");
            let mut messages: Vec<Message> = (1..=11).map(letter).collect();
            if !earlier {
                messages.push(odd());
            }
            let scene = Scene::new(messages, Behaviour::new(), &keys);
            if earlier {
                scene.settle(&["fetch"]);
                scene.server.maildrop().add([odd()]);
            }
            let before = scene.server.count("RETR");
            let outputs = scene.settle(&["fetch"]);
            assert_eq!(statuses(&outputs), [1], "{outputs:#?}");
            assert_said(
                &outputs[0],
                &[
                    "(uid-12, ",
                    ": the server lists",
                    "popfetch state accept a uid-12",
                ],
            );
            let fresh = if earlier { 1 } else { 12 };
            assert_eq!(scene.server.count("RETR") - before, fresh + 1);
            assert_eq!(scene.files().len(), 12);
            assert_eq!(scene.copies(&letter(12)), 1);
            assert_eq!(scene.server.maildrop().unique_ids(), ["uid-12"]);
            // Others come and go, it stays.
            scene.server.maildrop().add([letter(13)]);
            let outputs = scene.settle(&["fetch", "--delete", "-q"]);
            assert_eq!(statuses(&outputs), [0]);
            assert_eq!(scene.server.maildrop().unique_ids(), ["uid-12"]);
            let accept = ["state", "accept", "a", "uid-12"];
            scene.home.popfetch(accept).expect(0);
            scene.settle(&["fetch", "--delete"]);
            assert_eq!(scene.server.maildrop().count(), 0);
            assert_eq!(scene.files().len(), 13);
        }
    }
}

/// One message said to be faulty says nothing about the next.
#[test]
fn a4_a_second_message_that_is_off_is_told_as_well() {
    let odd = |n: usize| letter(n).listed_as(letter(n).size() + 9);
    let scene = Scene::new((1..=10).map(letter).collect(), Behaviour::new(), "");
    scene.settle(&["fetch"]);
    for n in [11, 12] {
        scene.server.maildrop().add([odd(n)]);
        let outputs = scene.settle(&["fetch"]);
        assert_eq!(statuses(&outputs), [1], "{outputs:#?}");
        assert_said(&outputs[0], &[&format!("(uid-{n}, "), ": the server lists"]);
    }
    scene.settle(&["fetch", "--delete"]);
    assert_eq!(scene.server.maildrop().unique_ids(), ["uid-11", "uid-12"]);
}

/// Hundreds of them: neither as many open files, nor all of it twice.
#[test]
fn a4_hundreds_of_sizes_that_are_off_behind_exact_ones_end_in_one_run() {
    let mut messages: Vec<Message> = (1..=20).map(letter).collect();
    messages.extend((21..=700).map(|n| letter(n).listed_as(letter(n).size() + 3)));
    for pipelining in ["auto", "off"] {
        let keys = format!("pipelining = {pipelining:?}\nkeep = \"never\"\n");
        let scene = Scene::new(messages.clone(), Behaviour::new(), &keys);
        let output = scene.run(&["fetch"]);
        assert_eq!(output.status, Some(1), "{output:#?}");
        scene.assert_all_are_here();
        assert!(scene.server.count("RETR") <= 750);
        scene.settle(&["fetch"]);
        assert_eq!(scene.server.maildrop().count(), 680);
    }
}

/// A server that has fallen over, or another program at its port.
#[test]
fn a4_garbage_in_place_of_the_reply_to_quit_is_told_and_looked_into() {
    for keep in ["always", "never"] {
        for garbage in ["garbage\r\n", "\r\n", "Subject: left over\r\n\r\n.\r\n"] {
            for reply in [Reply::raw(garbage), Reply::Prefix(garbage.into())] {
                let behaviour = Behaviour::new().on_occurrences("QUIT", 0..1, reply);
                let keys = format!("keep = {keep:?}\n");
                let scene = Scene::new((1..=5).map(letter).collect(), behaviour, &keys);
                let first = scene.run(&["fetch"]);
                assert_eq!(first.status, Some(0), "{first:#?}");
                // An empty line with the answer behind it is passed over in another session of the run.
                let is_passed_over = garbage == "\r\n" && scene.server.sessions().len() > 1;
                let told = match is_passed_over {
                    true => "lines that say nothing",
                    false => "looked at again in the next",
                };
                assert_said(&first, &["warning: a: ", told]);
                let seen = match is_passed_over {
                    true => 1,
                    false => scene.server.sessions().len(),
                };
                let left = scene.server.maildrop().count();
                scene.settle(&["fetch"]);
                let next = &scene.server.sessions()[seen];
                let looks = next.count("TOP") + next.count("RETR");
                assert!(looks >= left, "{next:#?}");
                scene.assert_all_are_here();
                let kept = if keep == "never" { 0 } else { 5 };
                assert_eq!(scene.server.maildrop().count(), kept);
            }
        }
    }
}
