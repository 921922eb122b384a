use super::super::{Claim, Moment, open_directory};
use super::*;
use crate::durable::Disk;
use crate::durable::line::{escape, seal};
use crate::maildir::Site;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

const ACCOUNT: &str = "ada@example.com:995";

/// A Maildir and a journal with so many messages, a line of the first version each.
fn stored(home: &Path, count: u32) -> (Store, Vec<Same>) {
    let disk = Disk::new();
    let (state, maildir) = (home.join("state"), home.join("Mail"));
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(maildir.join(part)).unwrap();
    }
    let directory = open_directory(&disk, &state).unwrap();
    let stamp = crate::maildir::Stamp {
        account: crate::maildir::AccountTag::new(ACCOUNT),
        journal: crate::maildir::JournalId::default(),
    };
    let mut text = Vec::new();
    seal(format!("popfetch-state\t1\t{ACCOUNT}\t1"), &mut text);
    let path = escape(maildir.as_os_str().as_bytes());
    seal(format!("B\t1700000000\tboot\t{path}"), &mut text);
    let mut same = Vec::new();
    for id in 0..count {
        let unique_id = format!("{id:08x}65f0c2d1");
        let identity = crate::maildrop::Identity::new(ACCOUNT, unique_id.as_bytes());
        let name = crate::maildir::UniqueName::new(stamp, Some(identity));
        let hash = "0".repeat(64);
        seal(
            format!(
                "I\t{id}\t1700000000\t{unique_id}\t5\t0\t4\t{hash}\t-\t{}",
                name.as_str()
            ),
            &mut text,
        );
        let (part, flags) = match id % 2 {
            0 => ("new", ""),
            _ => ("cur", ":2,S"),
        };
        let file = format!("{}{flags}", name.as_str());
        fs::write(maildir.join(part).join(file), "mail").unwrap();
        same.push(Same {
            id,
            message: Message {
                number: MessageNumber::new(id + 1).unwrap(),
                unique_id: Some(unique_id.into_bytes().into()),
                octets: Some(5),
                turn: 0,
                identity: Some(identity),
                folder: None,
            },
        });
    }
    seal(format!("S\t0\t{}", count - 1), &mut text);
    fs::write(state.join(format!("{ACCOUNT}.journal")), text).unwrap();
    let claim = Claim::take(directory, ACCOUNT, "a", &Moment::now()).unwrap();
    let site = Site::look(&disk, &maildir).unwrap();
    let (store, ..) = claim.settle(&site).unwrap();
    (store, same)
}

#[test]
fn e14_a_file_that_is_there_and_as_long_vouches_for_its_message() {
    let home = tempfile::tempdir().unwrap();
    let (mut store, same) = stored(home.path(), 100);
    let Vouched {
        recorded, withheld, ..
    } = store.vouch(same, |_, _| true).unwrap();
    assert_eq!((recorded.len(), withheld.len()), (100, 0));
}
