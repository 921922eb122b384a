use super::*;
use crate::durable::Disk;
use crate::maildir::{AccountTag, JournalId, Site, Stamp};
use crate::maildrop::{Message, MessageNumber};
use crate::message::Size;
use sha2::{Digest, Sha256};
use std::fs;
use std::sync::Arc;

fn target() -> (tempfile::TempDir, Target) {
    let temp = tempfile::tempdir().unwrap();
    let disk = Disk::new();
    let site = Site::look(&disk, &temp.path().join("mail")).unwrap();
    let maildir = site.settle(&disk, false).unwrap();
    (temp, Target::maildir(Arc::new(maildir)))
}

fn message() -> Message {
    Message {
        number: MessageNumber::new(1).unwrap(),
        unique_id: None,
        octets: None,
        turn: 0,
        identity: None,
            folder: None,
    }
}

fn stamp() -> Stamp {
    Stamp {
        account: AccountTag::new("ada@host:995"),
        journal: JournalId([1; 8]),
    }
}

fn receive(target: &Target, body: &[u8], piece: usize) -> Complete {
    let mut incoming = target.spool().receive(stamp(), message(), true).unwrap();
    body.chunks(piece)
        .for_each(|octets| incoming.write(octets).unwrap());
    incoming.finish(Size::Unknown).unwrap()
}

fn names(target: &Target, part: &str) -> usize {
    fs::read_dir(target.path().join(part)).unwrap().count()
}

#[test]
fn each_crlf_is_stored_as_lf_and_nothing_else_is_changed() {
    let (_temp, target) = target();
    let body = b"a\r\nb\r\r\nc\rd\ne\0\xff\r\n\r\n\r";
    for piece in [1, 2, 3, 100] {
        let complete = receive(&target, body, piece);
        let (synced, _) = sync_all(vec![complete]);
        let (delivered, _) = target.place(synced.into_iter().map(|s| (s, ())).collect());
        let stored = fs::read(delivered[0].path()).unwrap();
        assert_eq!(stored, b"a\nb\r\nc\rd\ne\0\xff\n\n\r");
        let digest: [u8; 32] = Sha256::digest(&stored).into();
        assert_eq!(delivered[0].synced().digests().stored, digest);
        assert_eq!(delivered[0].synced().octets(), stored.len() as u64);
    }
}

#[test]
fn d5_e2_a_body_that_was_cut_short_leaves_nothing_behind() {
    let (_temp, target) = target();
    let mut incoming = target.spool().receive(stamp(), message(), false).unwrap();
    incoming.write(b"half of it").unwrap();
    assert_eq!(names(&target, "tmp"), 1);
    drop(incoming);
    assert_eq!((names(&target, "tmp"), names(&target, "new")), (0, 0));
}

#[test]
fn a_message_whose_intent_is_about_to_be_written_outlives_its_value() {
    let (_temp, target) = target();
    let (mut synced, _) = sync_all(vec![receive(&target, b"x", 1)]);
    synced[0].entrust();
    drop(synced);
    assert_eq!(names(&target, "tmp"), 1);
}
