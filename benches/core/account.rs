//! An account with any number of messages, each of them made of its place alone.

use popfetch::delivery::Target;
use popfetch::delivery::{Incoming, Synced, sync_all};
use popfetch::durable::Disk;
use popfetch::maildir::{AccountTag, JournalId, Site, Stamp, UniqueName};
use popfetch::maildrop::{Identity, Joiner, Maildrop, Message};
use popfetch::message::{Attributes, Size};
use popfetch::pop3::MessageNumber;
use popfetch::state::{Claim, Moment, Store, open_directory};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

pub(crate) const ACCOUNT: &str = "ada@pop.example.com:995";

const JOURNAL: JournalId = JournalId([7; 8]);

/// When it was all fetched.
const TIME: i64 = 1_790_000_000;

/// How many messages are recorded as seen together.
const BATCH: u32 = 32;

/// A directory that lies in memory, where there is such a thing.
pub(crate) fn home() -> TempDir {
    home_in(false)
}

/// A directory on the disk or in memory.
pub(crate) fn home_in(disk: bool) -> TempDir {
    let memory = Path::new("/dev/shm");
    match memory.is_dir() && !disk {
        true => tempfile::tempdir_in(memory).unwrap(),
        false => tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
    }
}

/// The account's state and its Maildir in this directory.
pub(crate) fn open(home: &Path) -> (Store, Target) {
    let disk = Disk::new();
    let site = Site::look(&disk, &home.join("Mail")).unwrap();
    let directory = open_directory(&disk, home).unwrap();
    let moment = Moment {
        now: TIME,
        boot: Arc::from("a-boot"),
    };
    let claim = Claim::take(directory, ACCOUNT, "ada", &moment).unwrap();
    let (store, maildir, _) = claim.settle(&site).unwrap();
    (store, Target::maildir(maildir))
}

/// Who delivers.
pub(crate) fn stamp() -> Stamp {
    Stamp {
        account: AccountTag::new(ACCOUNT),
        journal: JOURNAL,
    }
}

/// A unique-id as Dovecot makes them.
pub(crate) fn unique_id(place: u32) -> String {
    format!("{:08x}5f0e2d4c", place + 1)
}

pub(crate) fn octets(place: u32) -> u64 {
    2000 + u64::from(place % 5000)
}

fn identity(place: u32) -> Identity {
    Identity::new(ACCOUNT, unique_id(place).as_bytes())
}

pub(crate) fn message(place: u32) -> Message {
    Message {
        number: MessageNumber::new(place + 1).unwrap(),
        unique_id: Some(unique_id(place).into_bytes().into()),
        octets: Some(octets(place)),
        turn: 0,
        identity: Some(identity(place)),
        folder: None,
    }
}

/// The first messages, as a session lists them.
pub(crate) fn maildrop(messages: u32) -> Maildrop {
    let mut joiner = Joiner::default();
    for place in 0..messages {
        let number = MessageNumber::new(place + 1).unwrap();
        joiner
            .unique_id(number, unique_id(place).as_bytes())
            .unwrap();
        joiner.scan(number, octets(place)).unwrap();
    }
    joiner.finish(ACCOUNT, true)
}

/// A message that begins to arrive.
pub(crate) fn receive(target: &Target, place: u32) -> Incoming {
    target
        .spool()
        .receive(stamp(), message(place), false)
        .unwrap()
}

/// A message that has arrived.
pub(crate) fn synced(target: &Target, place: u32) -> Synced {
    let mut incoming = receive(target, place);
    let text = format!("Subject: {place}\r\n\r\nhello\r\n");
    incoming.write(text.as_bytes()).unwrap();
    let (mut synced, failed) = sync_all(vec![
        incoming.finish(Size::Exact, Attributes::default()).unwrap(),
    ]);
    assert!(failed.is_empty());
    synced.remove(0)
}

/// Writes the journal of an account that has fetched so many messages, in the directory of states.
pub(crate) fn write_journal(directory: &Path, messages: u32) {
    let mut lines = String::new();
    seal(
        &mut lines,
        &format!("popfetch-state\t2\t{ACCOUNT}\t1\t{JOURNAL}"),
    );
    seal(
        &mut lines,
        &format!("B\t{TIME}\ta-boot\t/home/ada/Mail\t{JOURNAL}\t1"),
    );
    seal(&mut lines, &format!("L\t{TIME}"));
    for first in (0..messages).step_by(BATCH as usize) {
        let last = (first + BATCH).min(messages) - 1;
        for id in first..=last {
            let name = UniqueName::new(stamp(), Some(identity(id)));
            let (unique_id, octets) = (unique_id(id), octets(id));
            let digest = u128::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            let intent = format!(
                "I\t{id}\t{TIME}\t{unique_id}\t{octets}\t0\t{octets}\t{digest:032x}{digest:032x}\t-\t{}\t={}:{digest:0114x}",
                name.as_str(),
                octets / 70
            );
            seal(&mut lines, &intent);
        }
        seal(&mut lines, &format!("S\t{first}\t{last}"));
    }
    fs::write(directory.join(format!("{ACCOUNT}.journal")), lines).unwrap();
}

/// The same as the first version wrote it, and a file of each message, half of them read.
pub(crate) fn write_mail(home: &Path, messages: u32) {
    let mail = home.join("Mail");
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(mail.join(part)).unwrap();
    }
    let mut lines = String::new();
    seal(&mut lines, &format!("popfetch-state\t1\t{ACCOUNT}\t1"));
    seal(
        &mut lines,
        &format!("B\t{TIME}\ta-boot\t{}", mail.display()),
    );
    let hash = "0".repeat(64);
    for id in 0..messages {
        let name = UniqueName::new(stamp(), Some(identity(id)));
        let (unique_id, octets) = (unique_id(id), octets(id));
        let name = name.as_str();
        seal(
            &mut lines,
            &format!("I\t{id}\t{TIME}\t{unique_id}\t{octets}\t0\t4\t{hash}\t-\t{name}"),
        );
        let file = match id % 2 {
            0 => mail.join("new").join(name),
            _ => mail.join("cur").join(format!("{name}:2,S")),
        };
        fs::write(file, "mail").unwrap();
    }
    seal(&mut lines, &format!("S\t0\t{}", messages - 1));
    fs::write(home.join(format!("{ACCOUNT}.journal")), lines).unwrap();
}

/// Adds a line with its checksum.
fn seal(lines: &mut String, fields: &str) {
    let crc = crc32fast::hash(format!("{fields}\t").as_bytes());
    writeln!(lines, "{fields}\t{crc:08x}").unwrap();
}
