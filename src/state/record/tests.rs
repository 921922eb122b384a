use super::*;
use crate::durable::line::{escape, seal, unescape};
use crate::maildir::{AccountTag, Stamp};
use crate::message::{Fields, Size};
use proptest::prelude::*;

fn listing(unique_id: Option<&[u8]>, octets: Option<u64>) -> Listing {
    Listing {
        unique_id: unique_id.map(Box::from),
        octets,
        turn: 2,
    }
}

fn stored(content: u8) -> Stored {
    Stored {
        octets: 7,
        digests: Digests {
            stored: [1; 32],
            content: [content; 32],
        },
        name: UniqueName::new(stamp(), None),
        evidence: (content == 1).then(|| Evidence {
            fields: Fields::read(b"Message-ID: <1@a>\nReceived: by a\n").0,
            body: [3; 16],
            lines: 12,
            size: Size::Exact,
        }),
    }
}

fn stamp() -> Stamp {
    Stamp {
        account: AccountTag::new("a@b:1"),
        journal: JournalId([9; 8]),
    }
}

fn every_kind() -> Vec<Entry> {
    let time = 1_795_395_922;
    vec![
        Entry::Absent {
            id: 1,
            time,
            count: 2,
        },
        Entry::Alias {
            id: 1,
            time,
            listing: listing(Some(b"x"), None),
        },
        Entry::Baseline { time },
        Entry::Began {
            time,
            boot: "b-1".into(),
            maildir: "/a b/%\n".into(),
            maildir_id: None,
            generation: 0,
            turn: None,
        },
        Entry::Began {
            time,
            boot: String::new(),
            maildir: "/a".into(),
            maildir_id: Some(MaildirId([4; 8])),
            generation: 17,
            turn: Some(Turn([7; 4])),
        },
        Entry::Again { id: 3 },
        Entry::Asked { id: 3, time },
        Entry::Disorder { first: 3, last: 4 },
        Entry::Doubtful { id: 3 },
        Entry::Evidence {
            id: 2,
            stored: stored(1),
        },
        Entry::Former {
            account: "a b@c:1".into(),
            journal: JournalId([5; 8]),
        },
        Entry::Generation {
            generation: 8,
            turns: Turns::default(),
        },
        Entry::Generation {
            generation: 8,
            turns: Turns::parse("2:00ff00ff 8:0a1b2c3d").unwrap(),
        },
        Entry::Home {
            maildir: "/a b".into(),
            maildir_id: MaildirId([6; 8]),
            standing: Standing::Accepted,
        },
        Entry::Import(Origin {
            time,
            tool: "getmail".into(),
            left: true,
            dashes: true,
        }),
        Entry::Marked {
            id: 8,
            time: 0,
            listing: listing(Some(b"a-b"), None),
            by: MarkedBy::Import { may_delete: false },
        },
        Entry::Marked {
            id: 9,
            time,
            listing: listing(Some(b"-"), Some(3)),
            by: MarkedBy::Import { may_delete: true },
        },
        Entry::Sizes(Sizes::default()),
        Entry::Back { id: 3 },
        Entry::Told { time },
        Entry::Undeletable { id: 1, time },
        Entry::Unlisted { id: 1, time },
        Entry::Deleted {
            id: 4_000_000_000,
            time: -1,
        },
        Entry::Dropped { id: 0 },
        Entry::Failed {
            time,
            listing: listing(Some(b"-"), Some(1)),
            kind: FailureKind::Refused,
            count: 3,
        },
        Entry::Forgotten { id: 1 },
        Entry::Found {
            id: 5,
            time,
            stored: stored(2),
        },
        Entry::Gone { id: 6, time },
        Entry::Intent {
            id: 6,
            time,
            listing: listing(None, None),
            stored: stored(1),
        },
        Entry::Marked {
            id: 7,
            time,
            listing: listing(Some(b"\xff\t\n %"), Some(u64::MAX)),
            by: MarkedBy::Latest,
        },
        Entry::Reported { before: 8 },
        Entry::Seen { first: 1, last: 9 },
        Entry::Unpipelined { time },
    ]
}

fn written(entry: &Entry) -> Vec<u8> {
    let mut line = Vec::new();
    entry.write(&mut line);
    assert_eq!(line.pop(), Some(b'\n'));
    line
}

#[test]
fn every_kind_of_line_is_read_as_it_was_written() {
    for entry in every_kind() {
        let line = written(&entry);
        assert!(!line.contains(&b'\n') && line.len() < LINE_LIMIT);
        assert_eq!(
            Entry::read(&line).as_ref(),
            Some(&entry),
            "{}",
            line.escape_ascii()
        );
    }
}

#[test]
fn c1_lines_of_the_first_version_are_read_for_ever() {
    let line = |fields: &str| {
        let mut line = Vec::new();
        seal(fields.replace(' ', "\t"), &mut line);
        line.pop();
        Entry::read(&line)
    };
    let name = "1795395922.M1P2Q3_pf0123456789abcdef0123456789abcdef0123456789.host";
    let sha = "01".repeat(32);
    let began = line("B 7 boot /mail");
    assert!(matches!(
        began,
        Some(Entry::Began {
            maildir_id: None,
            generation: 0,
            ..
        })
    ));
    let marked = line("M 0 7 a 10 0");
    assert!(matches!(
        marked,
        Some(Entry::Marked {
            by: MarkedBy::Request,
            ..
        })
    ));
    for stored in [
        line(&format!("I 0 7 a 10 0 9 {sha} - {name}")),
        line(&format!("R 0 7 9 {sha} - {name}")),
    ] {
        let stored = stored.and_then(Entry::into_stored).unwrap();
        assert_eq!((stored.octets, stored.evidence), (9, None));
    }
}

#[test]
fn d32_no_flipped_bit_and_no_missing_octet_goes_unnoticed() {
    for entry in every_kind() {
        let line = written(&entry);
        for at in 0..line.len() {
            assert_eq!(Entry::read(&line[..at]), None);
            for bit in 0..8 {
                let mut flipped = line.clone();
                flipped[at] ^= 1 << bit;
                assert_eq!(Entry::read(&flipped), None, "{}", flipped.escape_ascii());
            }
        }
    }
}

#[test]
fn d36_a_line_of_zeros_is_no_line() {
    for length in [0, 1, 8, 9, 100] {
        assert_eq!(Entry::read(&vec![0; length]), None);
    }
}

proptest! {
    #[test]
    fn any_unique_id_survives(octets in prop::collection::vec(any::<u8>(), 1..80)) {
        let text = escape(&octets);
        prop_assert!(text.bytes().all(|c| c.is_ascii_graphic()) && text != "-");
        prop_assert_eq!(unescape(&text), Some(octets));
    }

    #[test]
    fn no_line_makes_the_reader_panic(line in prop::collection::vec(any::<u8>(), 0..200)) {
        Entry::read(&line);
        let mut sealed = Vec::new();
        seal(String::from_utf8_lossy(&line).into_owned(), &mut sealed);
        sealed.pop();
        Entry::read(&sealed);
    }
}
