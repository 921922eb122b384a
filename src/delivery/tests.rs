use super::*;
use crate::durable::{Disk, Step, Witness};
use crate::maildir::{AccountTag, Filing, Folder, JournalId, Site, Stamp};
use crate::maildrop::{Message, MessageNumber};
use crate::message::{Attributes, Flag, Size};
use sha2::{Digest, Sha256};
use std::fs;
use std::io;
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
    incoming
        .finish(Size::Unknown, Attributes::default())
        .unwrap()
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

/// A message with these flags, in a folder if any, which the target has open.
fn flagged(target: &Target, flags: &[Flag], folder: Option<&Folder>) -> Complete {
    let mut incoming = target.spool().receive(stamp(), message(), false).unwrap();
    incoming.write(b"Subject: x\r\n").unwrap();
    let attributes = Attributes {
        flags: flags.iter().copied().collect(),
        ..Attributes::default()
    };
    let complete = incoming.finish(Size::Unknown, attributes).unwrap();
    complete.for_folder(folder.cloned())
}

fn filing(flagged: bool) -> Filing {
    Filing {
        flagged,
        ..Filing::default()
    }
}

#[test]
fn a_message_with_flags_is_placed_where_readers_look_for_them() {
    let folder = Folder::parse(".Lists").unwrap();
    for (asked, part, end) in [(true, "cur", ":2,FRS"), (false, "new", "")] {
        let temp = tempfile::tempdir().unwrap();
        let disk = Disk::new();
        let site = Site::look(&disk, &temp.path().join("mail")).unwrap();
        let maildir = site.filed(&filing(asked)).settle(&disk, false).unwrap();
        maildir.open_folders([&folder]).unwrap();
        let target = Target::maildir(Arc::new(maildir));
        let all = [Flag::Seen, Flag::Replied, Flag::Flagged];
        for folder in [None, Some(&folder)] {
            let batch = vec![
                flagged(&target, &all, folder),
                flagged(&target, &[], folder),
            ];
            let (synced, _) = sync_all(batch);
            let (delivered, failed) = target.place(synced.into_iter().map(|s| (s, ())).collect());
            assert!(failed.is_empty());
            let root = folder.map_or_else(
                || target.path().to_owned(),
                |folder| target.path().join(folder.as_str()),
            );
            let name = |at: usize| {
                let end = if at == 0 { end } else { "" };
                format!("{}{end}", delivered[at].synced().name().as_str())
            };
            assert_eq!(delivered[0].path(), root.join(part).join(name(0)));
            assert_eq!(delivered[1].path(), root.join("new").join(name(1)));
            assert!(delivered.iter().all(|it| it.path().is_file()));
        }
    }
}

/// Says no to what comes into cur/.
struct NoColons {
    error: io::ErrorKind,
    /// Only to its sync.
    at_sync: bool,
}

impl Witness for NoColons {
    fn step(&self, step: &Step<'_>) -> io::Result<()> {
        let is_it = match step {
            Step::Rename(_, to) => !self.at_sync && to.parent().unwrap().ends_with("cur"),
            Step::SyncDirectory(path) => self.at_sync && path.ends_with("cur"),
            _ => false,
        };
        match is_it {
            true => Err(self.error.into()),
            false => Ok(()),
        }
    }
}

fn placed_over(
    no: NoColons,
) -> (
    tempfile::TempDir,
    Target,
    Vec<Delivered<()>>,
    Vec<Unplaced<()>>,
) {
    let temp = tempfile::tempdir().unwrap();
    let disk = Disk::watched(Arc::new(no));
    let site = Site::look(&disk, &temp.path().join("mail")).unwrap();
    let maildir = site.filed(&filing(true)).settle(&disk, false).unwrap();
    let target = Target::maildir(Arc::new(maildir));
    let batch = vec![
        flagged(&target, &[Flag::Seen], None),
        flagged(&target, &[], None),
    ];
    let (mut synced, _) = sync_all(batch);
    synced.iter_mut().for_each(Synced::entrust);
    let (delivered, failed) = target.place(synced.into_iter().map(|s| (s, ())).collect());
    (temp, target, delivered, failed)
}

#[test]
fn where_a_name_with_flags_cannot_be_the_message_is_placed_without_them() {
    for error in [io::ErrorKind::InvalidInput, io::ErrorKind::CrossesDevices] {
        let at_sync = false;
        let (_temp, target, delivered, failed) = placed_over(NoColons { error, at_sync });
        assert_eq!((delivered.len(), failed.len()), (2, 0));
        assert!(delivered.iter().all(|it| it.path().is_file()));
        assert_eq!(names(&target, "new"), 2);
    }
    // What is wrong with the disk is no matter of flags.
    let no = NoColons {
        error: io::ErrorKind::StorageFull,
        at_sync: false,
    };
    let (_temp, target, delivered, failed) = placed_over(no);
    assert_eq!((delivered.len(), failed.len()), (1, 1));
    assert!(target.discard(&failed[0]));
    assert_eq!((names(&target, "tmp"), names(&target, "new")), (0, 1));
}

#[test]
fn e9_a_name_in_cur_whose_directory_was_not_synced_counts_as_not_stored() {
    let no = NoColons {
        error: io::ErrorKind::Other,
        at_sync: true,
    };
    let (_temp, target, delivered, failed) = placed_over(no);
    assert_eq!((delivered.len(), failed.len()), (1, 1));
    assert_eq!(names(&target, "cur"), 1);
    assert!(!target.discard(&failed[0]), "a power cut may bring it back");
    assert_eq!((names(&target, "cur"), names(&target, "new")), (0, 1));
}
