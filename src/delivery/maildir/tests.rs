use super::*;
use crate::delivery::{Complete, JournalId, Size, sync_all};
use crate::pop3::MessageNumber;
use sha2::{Digest, Sha256};
use std::os::unix::fs::symlink;

fn maildir() -> (tempfile::TempDir, Arc<Maildir>) {
    let temp = tempfile::tempdir().unwrap();
    let maildir = settled(&temp.path().join("mail"), false).unwrap();
    (temp, Arc::new(maildir))
}

fn message() -> Message {
    Message {
        number: MessageNumber::new(1).unwrap(),
        unique_id: None,
        octets: None,
        turn: 0,
        identity: None,
    }
}

fn stamp() -> Stamp {
    Stamp {
        account: AccountTag::new("ada@host:995"),
        journal: JournalId([1; 8]),
    }
}

/// The Maildir at a path, made as far as that is allowed.
fn settled(path: &Path, is_known: bool) -> Result<Maildir, Error> {
    let disk = Disk::new();
    Site::look(&disk, path)?.settle(&disk, is_known)
}

fn receive(maildir: &Arc<Maildir>, body: &[u8], piece: usize) -> Complete {
    let mut incoming = maildir.receive(stamp(), message(), true).unwrap();
    body.chunks(piece)
        .for_each(|octets| incoming.write(octets).unwrap());
    incoming.finish(Size::Unknown).unwrap()
}

fn names(maildir: &Maildir, part: &str) -> usize {
    fs::read_dir(maildir.path().join(part)).unwrap().count()
}

#[test]
fn each_crlf_is_stored_as_lf_and_nothing_else_is_changed() {
    let (_temp, maildir) = maildir();
    let body = b"a\r\nb\r\r\nc\rd\ne\0\xff\r\n\r\n\r";
    for piece in [1, 2, 3, 100] {
        let complete = receive(&maildir, body, piece);
        let (synced, _) = sync_all(vec![complete]);
        let (delivered, _) = maildir.publish(synced.into_iter().map(|s| (s, ())).collect());
        let stored = fs::read(delivered[0].path()).unwrap();
        assert_eq!(stored, b"a\nb\r\nc\rd\ne\0\xff\n\n\r");
        let digest: [u8; 32] = Sha256::digest(&stored).into();
        assert_eq!(delivered[0].synced().digests().stored, digest);
        assert_eq!(delivered[0].synced().octets(), stored.len() as u64);
    }
}

#[test]
fn d5_e2_a_body_that_was_cut_short_leaves_nothing_behind() {
    let (_temp, maildir) = maildir();
    let mut incoming = maildir.receive(stamp(), message(), false).unwrap();
    incoming.write(b"half of it").unwrap();
    assert_eq!(names(&maildir, "tmp"), 1);
    drop(incoming);
    assert_eq!((names(&maildir, "tmp"), names(&maildir, "new")), (0, 0));
}

#[test]
fn a_message_whose_intent_is_about_to_be_written_outlives_its_value() {
    let (_temp, maildir) = maildir();
    let (mut synced, _) = sync_all(vec![receive(&maildir, b"x", 1)]);
    synced[0].entrust();
    drop(synced);
    assert_eq!(names(&maildir, "tmp"), 1);
}

#[test]
fn s57_a2_a_directory_with_other_things_in_it_is_not_made_a_maildir() {
    for other in ["letter.txt", "lost+found", ".profile"] {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join(other), "").unwrap();
        let refused = settled(temp.path(), false);
        assert!(matches!(refused, Err(Error::NotAMaildir { .. })), "{other}");
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
    }
}

#[test]
fn a2_a_home_directory_that_has_a_tmp_is_not_made_a_maildir() {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir(temp.path().join("tmp")).unwrap();
    fs::write(temp.path().join("letter.txt"), "").unwrap();
    let refused = settled(temp.path(), false);
    assert!(matches!(refused, Err(Error::NotAMaildir { .. })));
    // Where it was one before, its owner may have removed a part of it.
    settled(temp.path(), true).unwrap();
}

#[test]
fn c18_a_maildir_that_a_crash_left_half_made_is_completed() {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir(temp.path().join("tmp")).unwrap();
    settled(temp.path(), false).unwrap();
    assert!(temp.path().join("cur").is_dir());
}

#[test]
fn s53_a_part_of_the_maildir_that_is_a_link_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir(temp.path().join("elsewhere")).unwrap();
    let path = temp.path().join("mail");
    settled(&path, false).unwrap();
    fs::remove_dir(path.join("new")).unwrap();
    symlink("../elsewhere", path.join("new")).unwrap();
    assert!(matches!(settled(&path, true), Err(Error::Unusable { .. })));
}

#[test]
fn s56_a_maildir_that_has_gone_is_not_made_by_opening_it() {
    let temp = tempfile::tempdir().unwrap();
    let gone = Maildir::open(&Disk::new(), &temp.path().join("mail"));
    assert!(matches!(gone, Err(Error::Gone { .. })));
    assert!(!temp.path().join("mail").exists());
}
