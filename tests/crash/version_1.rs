//! A Maildir and a journal as the first version left them.

use super::explore::{Explorer, NOW};
use super::server::Server;
use popfetch::maildir::{AccountTag, JournalId, Stamp, UniqueName};
use popfetch::maildrop::Identity;
use sha2::{Digest, Sha256};
use std::fs;
use std::os::unix::fs::DirBuilderExt;

/// What a crash of the first version left of the last message, whose intent has no seen line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Left {
    /// There was no crash.
    Nothing,
    InTmp,
    InNew,
    Nowhere,
}

pub const ALL: [Left; 4] = [Left::Nothing, Left::InTmp, Left::InNew, Left::Nowhere];

/// Makes the account's Maildir and its state with these messages.
pub fn make(explorer: &Explorer, server: &Server, stored: &[usize], left: Left) {
    let (mail, state) = (explorer.root().join("mail"), explorer.root().join("state"));
    let mut builder = fs::DirBuilder::new();
    builder.mode(0o700).recursive(true).create(&state).unwrap();
    for part in ["tmp", "new", "cur"] {
        builder.create(mail.join(part)).unwrap();
    }
    let account = explorer.profile().server.id();
    let maildrop = server.0.lock().unwrap();
    let mut journal = sealed(&format!("popfetch-state\t1\t{account}\t1"));
    journal += &sealed(&format!("B\t{NOW}\told-boot\t{}", mail.display()));
    journal += &sealed(&format!("L\t{NOW}"));
    let last = *stored.last().unwrap();
    for (id, message) in stored.iter().enumerate() {
        let (unique_id, listed) = &maildrop.messages[*message];
        let (octets, listed) = (maildrop.stored(*message), listed.len());
        let name = name(&account, unique_id, listed as u64);
        journal += &sealed(&format!(
            "I\t{id}\t{NOW}\t{unique_id}\t{listed}\t0\t{}\t{}\t-\t{name}",
            octets.len(),
            hex(&Sha256::digest(&octets)),
        ));
        let part = match left {
            Left::InTmp if *message == last => "tmp",
            Left::Nowhere if *message == last => continue,
            // A reader has seen the first one.
            _ if id == 0 => "cur",
            _ => "new",
        };
        let flags = if part == "cur" { ":2,S" } else { "" };
        fs::write(mail.join(part).join(format!("{name}{flags}")), octets).unwrap();
        if left == Left::Nothing || *message != last {
            journal += &sealed(&format!("S\t{id}\t{id}"));
        }
    }
    let length = journal.len();
    fs::write(state.join(format!("{account}.journal")), journal).unwrap();
    // A run that was killed has not noted how long the journal is.
    let length = if left == Left::Nothing { length } else { 0 };
    let lock = sealed(&format!("popfetch-lock\t1\t{NOW}\t1\t{length}"));
    fs::write(state.join(format!("{account}.lock")), lock).unwrap();
}

/// The listed octets were part of what a message was called, and no journal stood in its name.
fn name(account: &str, unique_id: &str, listed: u64) -> String {
    let identity = Identity::of_version_1(account, unique_id.as_bytes(), Some(listed), 0);
    let stamp = Stamp {
        account: AccountTag::new(account),
        journal: JournalId::default(),
    };
    let today = UniqueName::new(stamp, Some(identity));
    let (before, token) = today.as_str().split_once("_pf").unwrap();
    let (before, _) = before.split_once('X').unwrap();
    format!("{before}_pf{token}")
}

/// A line with its checksum.
fn sealed(fields: &str) -> String {
    let crc = crc32fast::hash(format!("{fields}\t").as_bytes());
    format!("{fields}\t{crc:08x}\n")
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
