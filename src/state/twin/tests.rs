use super::*;
use crate::durable::line::seal;
use crate::maildrop::{Joiner, MessageNumber, RemoteFolder};
use crate::state::remembered::Absence;
use std::sync::Arc;

const POP: &str = "ada@example.com:995";
const IMAP: &str = "ada@example.com:993+imap";

/// Messages by what the server calls them, and their sizes.
type Mail = Vec<(String, u64)>;

/// So many, of sizes without order.
fn mail(prefix: &str, count: u64) -> Mail {
    (0..count)
        .map(|n| (format!("{prefix}{n}"), 1000 + n * 7919 % 3001))
        .collect()
}

/// What an account remembers that has fetched these.
fn memory(account: &str, fetched: &Mail) -> Memory {
    let stamp = crate::maildir::Stamp {
        account: crate::maildir::AccountTag::new(account),
        journal: crate::maildir::JournalId::default(),
    };
    let mut text = Vec::new();
    seal(format!("popfetch-state\t1\t{account}\t1"), &mut text);
    seal("B\t1700000000\tboot\t/mail".to_owned(), &mut text);
    for (id, (unique_id, octets)) in fetched.iter().enumerate() {
        let identity = Identity::new(account, unique_id.as_bytes());
        let name = crate::maildir::UniqueName::new(stamp, Some(identity));
        let (name, hash) = (name.as_str(), "0".repeat(64));
        let line =
            format!("I\t{id}\t1700000000\t{unique_id}\t{octets}\t0\t{octets}\t{hash}\t-\t{name}");
        seal(line, &mut text);
    }
    seal(format!("S\t0\t{}", fetched.len() - 1), &mut text);
    let mut memory = Memory::new(account);
    memory.load(text.as_slice()).unwrap();
    assert_eq!(memory.living().count(), fetched.len());
    memory
}

/// The folders of a mailbox, each with its messages.
fn listed(account: &str, folders: &[(&str, &Mail)]) -> Maildrop {
    let mut joiner = Joiner::default();
    let mut numbers = (1..).filter_map(MessageNumber::new);
    for (name, messages) in folders {
        let parts = match *name {
            "INBOX" => Vec::new(),
            _ => vec![Box::from(*name)],
        };
        let name = Box::from(*name);
        joiner.begin_folder(Arc::new(RemoteFolder { name, parts }));
        for (unique_id, octets) in *messages {
            let number = numbers.next().unwrap();
            joiner.scan(number, *octets).unwrap();
            joiner.unique_id(number, unique_id.as_bytes()).unwrap();
        }
    }
    joiner.finish(account, true)
}

/// How many messages of a mailbox that this account lists for the first time the other one knows.
fn found(other: Memory, account: &str, folders: &[(&str, &Mail)]) -> Option<usize> {
    assert!(is_akin(&other.account, account));
    let twins = Twins {
        account: account.into(),
        memories: vec![other],
    };
    twins.of(&listed(account, folders)).map(|twin| twin.known)
}

/// The same messages as another protocol calls them.
fn renamed(messages: &[(String, u64)]) -> Mail {
    let new = |(id, octets): &(String, u64)| (format!("INBOX.{id}"), *octets);
    messages.iter().map(new).collect()
}

#[test]
fn c3_an_inbox_that_was_fetched_is_known_among_whatever_folders_come_with_it() {
    let (inbox, archive) = (mail("i", 12), mail("a", 500)[12..].to_vec());
    let folders = [("INBOX", &renamed(&inbox)), ("Archive", &archive)];
    assert_eq!(found(memory(POP, &inbox), IMAP, &folders), Some(12));
    // By another name of the host.
    let other = memory("ada@imap.example.com:143+imap", &inbox);
    let folders = [("INBOX", &inbox), ("Archive", &archive)];
    assert_eq!(found(other, IMAP, &folders), Some(12));
    // The other way round.
    let both = [inbox.clone(), archive.clone()].concat();
    let folders = [("INBOX", &renamed(&inbox))];
    assert_eq!(found(memory(IMAP, &both), POP, &folders), Some(12));
    // Fewer prove nothing.
    let few = inbox[..9].to_vec();
    let folders = [("INBOX", &renamed(&few)), ("Archive", &archive)];
    assert_eq!(found(memory(POP, &few), IMAP, &folders), None);
}

#[test]
fn c3_many_small_folders_are_known_together() {
    let all = mail("m", 40);
    let folders: Vec<Mail> = all.chunks(4).map(<[_]>::to_vec).collect();
    let folders: Vec<(&str, &Mail)> = folders.iter().map(|it| ("Folder", it)).collect();
    let other = memory("ada@imap.example.com:993+imap", &all);
    assert_eq!(found(other, IMAP, &folders), Some(40));
}

#[test]
fn c3_what_came_and_went_since_and_the_order_of_a_fetch_hide_no_mailbox() {
    let fetched = mail("i", 60);
    let mut listed = renamed(&mail("i", 90)[20..]);
    listed.remove(10);
    listed.remove(20);
    let folders = [("INBOX", &listed)];
    assert_eq!(found(memory(POP, &fetched), IMAP, &folders), Some(38));
    let newest_first = fetched.iter().rev().cloned().collect();
    assert_eq!(found(memory(POP, &newest_first), IMAP, &folders), Some(38));
    // Every second one is gone, and the other account has seen that.
    let mut seen = memory(POP, &fetched);
    seen.records
        .iter_mut()
        .step_by(2)
        .for_each(|it| it.absence = Absence::Before);
    let left: Mail = renamed(&fetched).into_iter().skip(1).step_by(2).collect();
    assert_eq!(found(seen, IMAP, &[("INBOX", &left)]), Some(30));
}

#[test]
fn c3_sizes_that_agree_by_chance_make_no_mailbox_the_same() {
    // It has every size there is.
    let large = memory(POP, &mail("i", 3001));
    let small = (0..19).map(|n| (format!("x{n}"), 1000 + n * n * 83 % 3001));
    let small = small.collect();
    let elsewhere = "ada@example.net:993+imap";
    assert_eq!(found(large, elsewhere, &[("INBOX", &small)]), None);
    // Two people of one office.
    assert!(!is_akin("bob@example.com:995", IMAP));
    assert!(is_akin("bob@example.com:995", POP));
    assert!(is_akin("bob@example.com:993+imap", IMAP));
    assert!(is_akin("ada@example.com@pop.example.net:995", IMAP));
}

#[test]
fn c3_of_another_user_only_the_inbox_says_that_it_is_the_same_mailbox() {
    let (inbox, shared) = (mail("i", 12), mail("s", 500));
    let bob = |mail: &Mail| memory("bob@example.com:993+imap", mail);
    let theirs = [mail("b", 30), shared.clone()].concat();
    let folders = [("INBOX", &inbox), ("Shared", &shared)];
    assert_eq!(found(bob(&theirs), IMAP, &folders), None);
    assert_eq!(found(bob(&inbox), IMAP, &folders), Some(12));
    let (few, all) = (inbox[..3].to_vec(), [inbox, shared.clone()].concat());
    let folders = [("INBOX", &few), ("Archive", &shared)];
    assert_eq!(found(bob(&all), IMAP, &folders), Some(503));
}
