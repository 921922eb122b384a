use super::*;
use crate::durable::line::{escape, seal, unescape};
use crate::maildir::{AccountTag, Stamp};
use crate::message::{Fields, Flag, Flags, Size};
use crate::rules::{Arrival, Fingerprint, Gist, Verdict};
use proptest::prelude::*;

fn listing(unique_id: Option<&[u8]>, octets: Option<u64>) -> Listing {
    Listing {
        unique_id: unique_id.map(Box::from),
        octets,
        turn: 2,
    }
}

fn located(number: u32) -> Located {
    let (folder, validity) = (0xd8_1f, 1_700_000_000);
    let spot = crate::handover::Spot { validity, number };
    Located { folder, spot }
}

fn stored(content: u8) -> Stored {
    Stored {
        octets: 7,
        digests: Digests {
            stored: [1; 32],
            content: [content; 32],
        },
        name: UniqueName::new(stamp(), None),
        sized: content == 2,
        flags: match content {
            2 => [Flag::Seen, Flag::Replied].into_iter().collect(),
            _ => Flags::default(),
        },
        evidence: (content == 1).then(|| Evidence {
            fields: Fields::read(b"Message-ID: <1@a>\nReceived: by a\n").0,
            body: [3; 16],
            lines: 12,
            size: Size::Exact,
        }),
        folder: (content == 2).then(|| Folder::parse(".Lists.a b").unwrap()),
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
    let handing = |from, repeat| Entry::Handing {
        id: 6,
        time,
        length: None,
        fetched: None,
        from,
        repeat,
    };
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
        Entry::Unread {
            time,
            folder: "Été\t/ %x".into(),
            is_listed: false,
        },
        Entry::Unread {
            time,
            folder: "x".into(),
            is_listed: true,
        },
        Entry::Header {
            time,
            listing: listing(Some(b"x"), Some(3)),
            gist: Gist::new(Fingerprint::default(), Some(-1), u64::MAX),
        },
        Entry::Header {
            time,
            listing: listing(Some(b"x"), Some(3)),
            gist: Gist::new(Fingerprint::default(), None, 0).with_arrival(Arrival::Unsaid),
        },
        Entry::Header {
            time,
            listing: listing(Some(b"x"), Some(3)),
            gist: Gist::new(Fingerprint::default(), None, 0).with_verdict(Some(Verdict::Skip)),
        },
        Entry::Header {
            time,
            listing: listing(Some(b"x"), Some(3)),
            gist: Gist::new(Fingerprint::default(), None, 1).with_unknown(6),
        },
        Entry::Header {
            time,
            listing: listing(Some(b"x"), Some(3)),
            gist: Gist::new(Fingerprint::default(), None, 1)
                .with_arrival(Arrival::At(-1))
                .with_unknown(u64::MAX - 1)
                .with_verdict(Some(Verdict::Fetch)),
        },
        Entry::Marked {
            id: 4,
            time,
            listing: listing(None, None),
            by: MarkedBy::Rule("rule 1 (from = \"a\tb\")".into()),
        },
        Entry::Began {
            time,
            boot: "b-1".into(),
            maildir: "/a b/%\n".into(),
            maildir_id: None,
            generation: 0,
            nonce: None,
        },
        Entry::Began {
            time,
            boot: String::new(),
            maildir: "/a".into(),
            maildir_id: Some(MaildirId([4; 8])),
            generation: 17,
            nonce: Some(Nonce([7; 4])),
        },
        Entry::Again { id: 3 },
        Entry::Asked {
            id: 3,
            time,
            beside: 0,
        },
        Entry::Asked {
            id: 3,
            time,
            beside: 2,
        },
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
            nonces: Nonces::default(),
        },
        Entry::Generation {
            generation: 8,
            nonces: Nonces::parse("2:00ff00ff 8:0a1b2c3d").unwrap(),
        },
        Entry::Home {
            maildir: "/a b".into(),
            maildir_id: MaildirId([6; 8]),
            taken: Taken::Accepted,
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
        Entry::Told { time, what: None },
        Entry::Told {
            time,
            what: Some(Lasting::Refused),
        },
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
        Entry::Handed {
            id: 6,
            time,
            removed: true,
            end: HandingEnd::Taken(None),
        },
        Entry::Handed {
            id: 6,
            time,
            removed: true,
            end: HandingEnd::Copy,
        },
        Entry::Handed {
            id: 6,
            time,
            removed: false,
            end: HandingEnd::Before,
        },
        Entry::Handed {
            id: 6,
            time,
            removed: false,
            end: HandingEnd::GivenUp,
        },
        Entry::Handed {
            id: 6,
            time,
            removed: true,
            end: HandingEnd::Untold,
        },
        Entry::Handed {
            id: 6,
            time,
            removed: false,
            end: HandingEnd::Taken(Some(located(u32::MAX))),
        },
        handing(None, Repeat::First),
        handing(Some(located(9)), Repeat::First),
        handing(None, Repeat::Unclear),
        Entry::Handing {
            id: 7,
            time,
            length: Some(12),
            fetched: Some(-1),
            from: Some(located(1)),
            repeat: Repeat::Again,
        },
        Entry::Intent {
            id: 6,
            time,
            listing: listing(None, None),
            stored: stored(1),
        },
        Entry::Intent {
            id: 7,
            time,
            listing: listing(Some(b"x"), Some(9)),
            stored: Stored {
                folder: Some(Folder::parse(".Lists").unwrap()),
                ..stored(1)
            },
        },
        Entry::Marked {
            id: 7,
            time,
            listing: listing(Some(b"\xff\t\n %"), Some(u64::MAX)),
            by: MarkedBy::Latest,
        },
        Entry::Reported { before: 8 },
        Entry::Returned { id: 3 },
        Entry::Granted { id: 3 },
        Entry::Seen { first: 1, last: 9 },
        Entry::Unpipelined { time },
    ]
}

fn written(entry: &Entry) -> Vec<u8> {
    let mut line = Vec::new();
    seal(entry.fields(), &mut line);
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

/// What a glance must come to.
fn in_full(line: &[u8]) -> Option<Glance> {
    match Entry::read(line)? {
        Entry::Intent {
            id,
            time,
            listing,
            stored,
        } => {
            let identity = stored.name.identity()?;
            Some(Glance::of(id, time, identity, &listing, &stored))
        }
        _ => None,
    }
}

fn intent(unique_id: &[u8], octets: u64, content: [u8; 32], size: Size) -> Entry {
    let mut stored = stored(1);
    stored.digests.content = content;
    let evidence = stored.evidence.unwrap();
    stored.evidence = Some(Evidence { size, ..evidence });
    stored.octets = octets;
    Entry::Intent {
        id: 17,
        time: 1_795_395_922,
        listing: listing(Some(unique_id), Some(octets)),
        stored,
    }
}

#[test]
fn h1_lines_as_they_usually_are_take_a_glance() {
    for size in [Size::Exact, Size::Off, Size::Unknown] {
        for content in [[1; 32], [2; 32]] {
            let line = line_of(&intent(b"00000abc5f0e2d4c", 2580, content, size));
            let glance = Glance::read(&line);
            assert!(glance.is_some());
            assert_eq!(glance, in_full(&line));
        }
    }
}

#[test]
fn h1_no_other_line_takes_a_glance() {
    for entry in every_kind() {
        let line = line_of(&entry);
        let glance = Glance::read(&line);
        assert!(glance.is_none() || glance == in_full(&line), "{entry:?}");
    }
}

fn line_of(entry: &Entry) -> Vec<u8> {
    let mut line = Vec::new();
    seal(entry.fields(), &mut line);
    line.pop();
    line
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Octets put in, taken out or changed anywhere, below a checksum that is right.
    #[test]
    fn h1_what_a_glance_takes_is_what_is_read_in_full(
        unique_id in proptest::collection::vec(any::<u8>(), 1..20),
        octets in any::<u32>(),
        changes in proptest::collection::vec(
            (any::<proptest::sample::Index>(), 0..3, prop_oneof![
                any::<u8>(),
                Just(b'\t'), Just(b'-'), Just(b'+'), Just(b'0'), Just(b'.'), Just(b'_'), Just(b'F'),
            ]),
            0..4,
        ),
    ) {
        let entry = intent(&unique_id, octets.into(), [1; 32], Size::Exact);
        let mut fields = line_of(&entry);
        fields.truncate(fields.len() - 9);
        for (place, how, octet) in changes {
            let place = place.index(fields.len());
            match how {
                0 => fields[place] = octet,
                1 => fields.insert(place, octet),
                _ => _ = fields.remove(place),
            }
        }
        fields.push(b'\t');
        let crc = format!("{:08x}", crc32fast::hash(&fields));
        let line = [&fields, crc.as_bytes()].concat();
        if let Some(glance) = Glance::read(&line) {
            prop_assert_eq!(Some(glance), in_full(&line));
        }
    }
}
