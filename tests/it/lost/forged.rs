use super::{Scene, statuses};
use crate::given::{assert_said, letter};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::message::Message;
use crate::support::series::mixed;

/// A server that hands out files as they are: byte-stuffing behind CRLF alone, and sizes with an LF
/// for each line end, where the lines of the file have other ends.
fn stuffs_behind_crlf_alone(octets: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(octets).unwrap();
    // The tests' server stuffs behind each LF. A mark keeps those behind CRLF apart.
    let text = text.replace("\r\n..", "\r\n\0").replace("\n..", "\n.");
    text.replace('\0', "..").into_bytes()
}

/// What somebody writes who wants another message to disappear: behind the octets that the server
/// lists of it stand the end of a message and an answer, for what is asked for next.
fn forging(lines: usize, listed_less: u64) -> Message {
    let head = "From: Mallory <mallory@example.com>\r\nMessage-ID: <m@example.com>\r\n\
                Subject: Nothing to see\r\n\r\n";
    let body = "A line.\r\n".repeat(lines);
    let forged = "From: Ada <ada@example.com>\r\nMessage-ID: <f@example.com>\r\n\
                  Subject: All is well\r\n\r\nForged.\r\n";
    let shown = format!("{head}{body}The last line\n");
    let text = format!("{shown}.\n+OK\r\n{forged}");
    let message = Message::new("forging", text);
    message.listed_as(shown.len() as u64 - listed_less)
}

#[test]
fn a4_a_sender_cannot_make_another_message_disappear() {
    let behaviour = || Behaviour::new().on("RETR", Reply::Remade(stuffs_behind_crlf_alone));
    for [less, place, keep, way] in mixed([3, 3, 2, 2], 18) {
        let (less, place) = ([0, 1, 8][less], [0, 2, 4][place]);
        let (keep, pipelining) = (["always", "never"][keep], ["auto", "off"][way]);
        let keys = format!("keep = {keep:?}\npipelining = {pipelining:?}\n");
        let mut messages: Vec<Message> = (1..=4).map(letter).collect();
        messages.insert(place, forging(8, less));
        let scene = Scene::new(messages.clone(), behaviour(), &keys).broken("forging");
        let outputs = scene.settle(&["fetch"]);
        let what = format!("{less} {place} {keys}: {outputs:#?}");
        let letters: Vec<Message> = (1..=4).map(letter).collect();
        scene.assert_here_once(&letters, &what);
        let ada = |it: &&String| it.contains("This is letter");
        assert_eq!(scene.files().iter().filter(ada).count(), 4, "{what}");
        scene.assert_all_are_here();
        assert_eq!(statuses(&outputs)[0], 1, "{what}");
        assert_said(&outputs[0], &["popfetch state accept a forging"]);
        let left = scene.server.maildrop().count();
        let kept = if keep == "never" { 1 } else { 5 };
        assert_eq!(left, kept, "{what}");
    }
}
