//! What recovery makes of an intent without a record, by where the file is then.

use super::account::{listing, try_open};
use super::explore::{Explorer, Mode, NOW};
use super::server::{Maildrop, Server};
use popfetch::delivery::Target;
use popfetch::delivery::sync_all;
use popfetch::durable::Disk;
use popfetch::exit::Status;
use popfetch::maildir::{AccountTag, Stamp};
use popfetch::message::{Attributes, Flag, Size};
use popfetch::state::MarkedBy;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// Where the one message of the account is after the crash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    Tmp,
    TmpCutShort,
    TmpOverwritten,
    New,
    Cur,
    TmpAndNew,
    TmpAndCur,
    Nowhere,
}

/// What is to come of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The next run finds it stored, in this part of the Maildir, and asks the server for nothing.
    Stored(&'static str),
    /// The next run fetches it: whatever took the file, a copy too many is the safe side.
    Fetched,
}

/// `flagged`: the message was answered and seen on the server.
pub fn recover(place: Place, same_boot: bool, flagged: bool, outcome: Outcome) {
    let what = format!("{place:?}, same boot: {same_boot}, flags: {flagged}");
    let mut explorer = Explorer::new(Mode::Keep, 1);
    explorer.same_boot = same_boot;
    explorer.clear();
    let server = Server(Arc::new(Mutex::new(Maildrop::new(1))));
    explorer.filing.flagged = flagged;
    let name = intend(&mut explorer, &server);
    let path = |part: &str| explorer.root().join("mail").join(part).join(&name);
    put(place, path);
    let seen = format!("{name}:2,RS");

    let done = explorer.run(&server, Disk::new());
    assert_eq!(done.status(), Status::Ok, "{what}: {done:?}");
    let parts = ["tmp", "new", "cur"].map(|part| {
        let files = fs::read_dir(explorer.root().join("mail").join(part)).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.collect::<Vec<_>>()
    });
    let retrieved = server.0.lock().unwrap().retrieved.len();
    match outcome {
        Outcome::Stored(part) => {
            assert_eq!(retrieved, 0, "{what}");
            let there = |wanted, name: &String| match part == wanted {
                true => vec![name.clone()],
                false => Vec::new(),
            };
            assert_eq!(
                parts,
                [vec![], there("new", &name), there("cur", &seen)],
                "{what}"
            );
        }
        Outcome::Fetched => {
            assert_eq!(retrieved, 1, "{what}");
            assert_eq!(parts.map(|names| names.len()), [0, 1, 0], "{what}");
        }
    }
    let stored = server.0.lock().unwrap().stored(0);
    assert_eq!(explorer.stored(), [stored], "{what}");
    let again = explorer.run(&server, Disk::new());
    assert_eq!((again.status(), again.fetched), (Status::Ok, 0), "{what}");
    assert_eq!(
        server.0.lock().unwrap().retrieved.len(),
        retrieved,
        "{what}"
    );
}

/// A process that is killed right after an intent is durable. Gives the file's name.
fn intend(explorer: &mut Explorer, server: &Server) -> String {
    let (mut store, maildir, _) = try_open(explorer, &Disk::new(), NOW).unwrap();
    store
        .settle_first(&[], &MarkedBy::Request, &BTreeSet::new())
        .unwrap();
    let message = listing(explorer, server).message(0).unwrap();
    let stamp = Stamp {
        account: AccountTag::new(&explorer.profile().server.id()),
        journal: store.journal_id(),
    };
    let mut incoming = Target::maildir(maildir)
        .spool()
        .receive(stamp, message, false)
        .unwrap();
    let body = server.0.lock().unwrap().messages[0].1.clone();
    incoming.write(&body).unwrap();
    let attributes = Attributes {
        flags: [Flag::Seen, Flag::Replied].into_iter().collect(),
        received: None,
    };
    let complete = incoming.finish(Size::Exact, attributes).unwrap();
    let (synced, failed) = sync_all(vec![complete]);
    assert!(failed.is_empty());
    let (intended, _) = store.intend(synced).unwrap();
    intended[0].0.name().as_str().to_owned()
}

fn put(place: Place, path: impl Fn(&str) -> PathBuf) {
    let (tmp, new, mut cur) = (path("tmp"), path("new"), path("cur"));
    cur.as_mut_os_string().push(":2,RS");
    let octets = fs::read(&tmp).unwrap();
    match place {
        Place::Tmp => {}
        Place::TmpCutShort => fs::write(tmp, &octets[..octets.len() / 2]).unwrap(),
        Place::TmpOverwritten => fs::write(tmp, vec![0; octets.len()]).unwrap(),
        Place::New => fs::rename(tmp, new).unwrap(),
        Place::Cur => fs::rename(tmp, cur).unwrap(),
        Place::TmpAndNew => fs::hard_link(tmp, new).unwrap(),
        Place::TmpAndCur => fs::hard_link(tmp, cur).unwrap(),
        Place::Nowhere => fs::remove_file(tmp).unwrap(),
    }
}
