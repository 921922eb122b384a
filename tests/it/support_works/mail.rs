use std::io::Read;

use sha2::{Digest, Sha256};

use crate::support::client::Client;
use crate::support::maildrop::Maildrop;
use crate::support::message::{Message, generate, stored};
use crate::support::server::Server;
use crate::support::{samples, tree};

#[test]
fn what_must_be_stored_is_what_was_sent_with_crlf_as_lf() {
    for (sent, expected) in [
        ("", ""),
        ("a\r\n", "a\n"),
        ("a", "a\n"),
        ("a\nb\rc\r\r\n", "a\nb\rc\r\n"),
        ("a\r", "a\r\n"),
        ("a\n", "a\n\n"),
        (".\r\n\0\r\n", ".\n\0\n"),
    ] {
        assert_eq!(stored(sent.as_bytes()), expected.as_bytes(), "{sent:?}");
        let server = Server::start(&Maildrop::new([Message::new("a", sent)]));
        let received = Client::sign_in(&server.account()).retrieve(1);
        assert_eq!(received, expected.as_bytes(), "{sent:?}");
    }
}

#[test]
fn generated_messages_have_their_size_and_are_distinct() {
    for size in (2..600).chain([1 << 16, 100_001]) {
        let [a, b] = [1, 2].map(|seed| Message::generated("x", size, seed));
        let octets = a.octets();
        assert_eq!(octets.len() as u64, size);
        assert_eq!(octets, a.octets());
        assert!(octets.ends_with(b"\r\n"), "{size}");
        assert_eq!(
            octets.iter().filter(|o| **o == b'\r').count(),
            octets.iter().filter(|o| **o == b'\n').count()
        );
        assert!(size < 200 || octets != b.octets());
        assert_eq!(
            a.stored_sha256(),
            <[u8; 32]>::from(Sha256::digest(a.stored())),
            "{size}"
        );
    }
    assert_eq!(generate(3, 500)[2].unique_id, b"uid-000003");
}

#[test]
fn a_huge_message_is_read_without_being_held() {
    let mut source = Message::generated("huge", 1 << 30, 1).read();
    let mut piece = [0; 4096];
    source.read_exact(&mut piece).unwrap();
    assert!(piece.starts_with(b"From: Ada"));
}

#[test]
fn a_hundred_thousand_messages_are_listed() {
    let messages = (0..100_000).map(|n| Message::new(format!("{n}"), "x\r\n"));
    let server = Server::start(&Maildrop::new(messages));
    let mut client = Client::sign_in(&server.account());
    assert_eq!(
        client.body("UIDL").iter().filter(|o| **o == b'\n').count(),
        100_000
    );
}

#[test]
fn the_server_gives_the_samples_back_unchanged() {
    let Some(messages) = samples::load() else {
        return;
    };
    assert_eq!(messages.len(), 120);
    let server = Server::start(&Maildrop::new(messages.clone()));
    let mut client = Client::sign_in(&server.account());
    for (index, message) in messages.iter().enumerate() {
        let name = String::from_utf8_lossy(&message.unique_id);
        assert!(client.retrieve(index + 1) == message.stored(), "{name}");
    }
}

#[test]
fn a_maildir_is_compared_as_a_multiset() {
    let directory = crate::support::scratch::directory();
    let twice = Message::from_lf("twice", "x\n");
    let messages = [twice.clone(), Message::from_lf("once", "y\n"), twice];
    for (index, part) in ["new", "new", "cur"].into_iter().enumerate() {
        std::fs::create_dir_all(directory.path().join(part)).unwrap();
        let file = directory.path().join(part).join(index.to_string());
        std::fs::write(file, messages[index].stored()).unwrap();
    }
    tree::assert_holds(directory.path(), &messages);
    let failure = std::panic::catch_unwind(|| tree::assert_holds(directory.path(), &messages[..2]));
    let failure = failure.unwrap_err().downcast::<String>().unwrap();
    assert!(failure.contains("twice: expected 1, found 2"), "{failure}");
}
