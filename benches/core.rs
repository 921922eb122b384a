//! Micro-benchmarks of the core: what a fetch costs where neither line nor disk is in its way.
//!
//! Each one holds its result against what must come out before it is timed, so that nothing wrong
//! is ever measured. CONTRIBUTING.md says what each is for.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

/// An account, its maildrop and what a fetch leaves of it.
#[path = "core/account.rs"]
mod account;

use account::ACCOUNT;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

use popfetch::delivery::Target;
use popfetch::durable::Disk;
use popfetch::maildir::{AccountTag, Search, UniqueName};
use popfetch::maildrop::{Identity, Joiner, Maildrop};
use popfetch::message::{Attributes, Size};
use popfetch::plan::{Policy, decide};
use popfetch::pop3::listing::{scan_line, unique_id_line};
use popfetch::pop3::{Command, Connection, Event, MessageNumber};
use std::cell::RefCell;

use popfetch::state::{Known, MarkedBy, Store, View};

/// What one read brings over TLS (RFC 8446 section 5.1).
const TLS_RECORD: usize = 16 * 1024;

const MIB: usize = 1 << 20;

fn main() {
    divan::main();
}

/// A body of eight MiB: its lines, and how many octets each read brings.
struct Shape {
    name: &'static str,
    line: &'static [u8],
    read: usize,
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// As base64 has them.
const ORDINARY: &[u8] = &[b'x'; 76];

/// The longest that SMTP lets through.
const LONG: &[u8] = &[b'x'; 998];

/// Every one is byte-stuffed: no real message comes near it.
const DOTS: &[u8] = b".x";

const SHAPES: [Shape; 5] = [
    shape("lines of 76", ORDINARY, TLS_RECORD),
    shape("lines of 998", LONG, TLS_RECORD),
    shape("lines of .x", DOTS, TLS_RECORD),
    shape("lines of 76, reads of 1400", ORDINARY, 1400),
    shape("lines of 76, reads of 64 KiB", ORDINARY, 64 * 1024),
];

const fn shape(name: &'static str, line: &'static [u8], read: usize) -> Shape {
    Shape { name, line, read }
}

/// Taking the byte-stuffing out of a message, and finding its end.
#[divan::bench(args = &SHAPES)]
fn decode_body(bencher: Bencher<'_, '_>, shape: &Shape) {
    let lines = 8 * MIB / (shape.line.len() + 2);
    let message = [shape.line, b"\r\n"].concat().repeat(lines);
    let stuffing: &[u8] = match shape.line.starts_with(b".") {
        true => b".",
        false => b"",
    };
    let stuffed = [stuffing, shape.line, b"\r\n"].concat().repeat(lines);
    let wire = [b"+OK\r\n+OK\r\n", stuffed.as_slice(), b".\r\n"].concat();

    let mut content = Vec::new();
    receive(&wire, shape.read, |octets| {
        content.extend_from_slice(octets)
    });
    assert!(content == message, "not what was sent");
    bencher.counter(BytesCount::of_slice(&message)).bench(|| {
        let mut octets = 0;
        receive(black_box(&wire), shape.read, |chunk| octets += chunk.len());
        octets
    });
}

fn receive(wire: &[u8], read: usize, mut each: impl FnMut(&[u8])) {
    let mut connection = Connection::new();
    let octets = u64::try_from(wire.len()).unwrap();
    let number = MessageNumber::new(1).unwrap();
    connection.send(Command::Retr(number, octets)).unwrap();
    converse(&mut connection, wire, read, |event| {
        if let Event::Body(octets) = event {
            each(octets);
        }
    });
}

/// Hands over a server's octets in pieces of `read` octets.
fn converse(
    connection: &mut Connection,
    mut wire: &[u8],
    read: usize,
    mut each: impl FnMut(Event<'_>),
) {
    loop {
        match connection.next_event().unwrap() {
            Event::NeedInput if wire.is_empty() => break,
            Event::NeedInput => {
                let space = connection.space();
                let size = read.min(space.len()).min(wire.len());
                let (now, later) = wire.split_at(size);
                space[..size].copy_from_slice(now);
                connection.filled(size);
                wire = later;
            }
            event => each(event),
        }
    }
    assert_eq!(connection.pending(), 0, "not all was answered");
}

/// UIDL and LIST of a large maildrop, from the wire to the maildrop.
#[divan::bench(args = [100_000])]
fn list(bencher: Bencher<'_, '_>, messages: u32) {
    let line = |number| format!("{number} {}\r\n", account::unique_id(number - 1));
    let unique_ids: String = (1..=messages).map(line).collect();
    let line = |number| format!("{number} {}\r\n", account::octets(number - 1));
    let scan: String = (1..=messages).map(line).collect();
    let wire = format!("+OK\r\n+OK\r\n{unique_ids}.\r\n+OK\r\n{scan}.\r\n");

    let expected = account::maildrop(messages);
    let listed = read_listings(wire.as_bytes());
    assert!(identities(&listed).eq(identities(&expected)));
    bencher
        .counter(ItemsCount::new(messages))
        .bench(|| read_listings(black_box(wire.as_bytes())));
}

fn identities(maildrop: &Maildrop) -> impl Iterator<Item = Option<Identity>> + '_ {
    (0..maildrop.len()).map(|place| maildrop.identity(place))
}

fn read_listings(wire: &[u8]) -> Maildrop {
    let mut connection = Connection::new();
    connection.send(Command::Uidl).unwrap();
    connection.send(Command::List).unwrap();
    let (mut joiner, mut ended) = (Joiner::default(), 0);
    converse(&mut connection, wire, TLS_RECORD, |event| match event {
        Event::Line(line) if ended == 0 => {
            let (number, unique_id) = unique_id_line(line).unwrap();
            joiner.unique_id(number, unique_id).unwrap();
        }
        Event::Line(line) => {
            let (number, octets) = scan_line(line).unwrap();
            joiner.scan(number, octets).unwrap();
        }
        Event::End => ended += 1,
        _ => {}
    });
    joiner.finish(ACCOUNT, true)
}

/// Recognising what is listed, where all of it is known.
#[divan::bench(args = [100_000])]
fn recognise(bencher: Bencher<'_, '_>, messages: u32) {
    let home = account::home();
    account::write_journal(home.path(), messages);
    let mut view = View::read(home.path(), ACCOUNT).unwrap();
    let maildrop = account::maildrop(messages);
    assert!(
        view.recognise(&maildrop)
            .all(|known| matches!(known, Known::Stored { .. }))
    );
    bencher
        .counter(ItemsCount::new(messages))
        .bench_local(|| view.recognise(black_box(&maildrop)).count());
}

/// Deciding about what is listed, where all of it is known.
#[divan::bench(args = [100_000])]
fn plan(bencher: Bencher<'_, '_>, messages: u32) {
    let known = Known::Stored {
        since: 0,
        futile: 0,
        held: false,
    };
    let maildrop = account::maildrop(messages);
    let policy = Policy::default();
    let plan = || {
        let listed = maildrop.octets().map(|octets| (octets, black_box(known)));
        let plan = decide(listed, policy, false, 1_795_000_000);
        let order = plan.fetch_order(policy.order);
        (plan, order)
    };
    let (decided, order) = plan();
    assert!(decided.unseen().next().is_none() && order.is_empty());
    assert_eq!(decided.known(), maildrop.len());
    bencher.counter(ItemsCount::new(messages)).bench(plan);
}

/// Reading a journal, with which every run begins.
#[divan::bench(args = [1_000, 100_000, 1_000_000], sample_count = 10)]
fn load_journal(bencher: Bencher<'_, '_>, messages: u32) {
    let home = account::home();
    account::write_journal(home.path(), messages);
    let load = || View::read(home.path(), ACCOUNT).unwrap();
    let few = account::maildrop(1000);
    assert!(
        load()
            .recognise(&few)
            .all(|known| matches!(known, Known::Stored { .. }))
    );
    bencher.counter(ItemsCount::new(messages)).bench(load);
}

/// Where a journal lies, and so what a sync costs.
const PLACES: [&str; 2] = ["in memory, syncs cost nothing", "on disk, synced"];

/// Messages that are committed together.
const BATCH: u32 = 32;

/// The look for their files before messages of earlier sessions are deleted (E14): a run looks at so
/// many headers that it asks for no more than 1,000, but those of the first version have none.
#[divan::bench(args = [1_000, 100_000], sample_count = 10)]
fn look_before_deletion(bencher: Bencher<'_, '_>, messages: u32) {
    const STORED: u32 = 100_000;
    let home = account::home();
    account::write_mail(home.path(), STORED);
    let (mut store, _) = account::open(home.path());
    assert_eq!(
        store.recognise(&account::maildrop(STORED)).count(),
        STORED as usize
    );
    let store = RefCell::new(store);
    let same = |place| {
        let mut store = store.borrow_mut();
        let judged = store.judge_listing(&account::message(place), true);
        judged.unwrap().unwrap()
    };
    bencher
        .counter(ItemsCount::new(messages))
        .with_inputs(|| (STORED - messages..STORED).map(same).collect::<Vec<_>>())
        .bench_local_values(|same| {
            let vouched = store.borrow_mut().vouch(same, |_, _| true).unwrap();
            assert_eq!(vouched.recorded.len(), messages as usize);
        });
}

/// Appending lines, and forcing them to the disk.
#[divan::bench(args = PLACES)]
fn append_to_journal(bencher: Bencher<'_, '_>, place: &str) {
    let home = account::home_in(place == PLACES[1]);
    let (mut store, _) = account::open(home.path());
    let (mut next, mut batches) = (0, 0);
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        let messages: Vec<_> = (next..next + BATCH).map(account::message).collect();
        (next, batches) = (next + BATCH, batches + 1);
        store.settle_first(&messages, MarkedBy::Request).unwrap();
    });
    let path = store.path();
    drop(store);
    let length = std::fs::read_to_string(path).unwrap().lines().count();
    // The header and the run's beginning come before them, and a baseline behind each batch.
    assert_eq!(length, next as usize + batches + 2);
}

/// A batch on its way from tmp/ to a durable name in new/ and a durable line in the journal.
#[divan::bench(args = PLACES)]
fn commit_batch(bencher: Bencher<'_, '_>, place: &str) {
    let home = account::home_in(place == PLACES[1]);
    let (mut store, target) = account::open(home.path());
    let mut next = 0;
    bencher
        .counter(ItemsCount::new(BATCH))
        .with_inputs(|| {
            let batch = (next..next + BATCH).map(|id| account::synced(&target, id));
            next += BATCH;
            batch.collect::<Vec<_>>()
        })
        .bench_local_values(|batch| commit(&mut store, &target, batch));
    let stored = std::fs::read_dir(home.path().join("Mail/new")).unwrap();
    assert_eq!(stored.count(), next as usize);
}

fn commit(store: &mut Store, target: &Target, batch: Vec<popfetch::delivery::Synced>) {
    let (intended, _) = store.intend(batch).unwrap();
    let (delivered, unplaced) = target.place(intended);
    assert!(unplaced.is_empty());
    store.record(delivered).unwrap();
    assert_eq!(store.settle().unwrap().len(), BATCH as usize);
}

/// A message's line ends, its digest and its file: all that is done with its octets, but for the
/// disk.
#[divan::bench]
fn store_message(bencher: Bencher<'_, '_>) {
    let home = account::home();
    let (_, target) = account::open(home.path());
    let wire = [ORDINARY, b"\r\n"]
        .concat()
        .repeat(8 * MIB / (ORDINARY.len() + 2));
    let store = || {
        let mut incoming = account::receive(&target, 0);
        for octets in black_box(&wire).chunks(TLS_RECORD) {
            incoming.write(octets).unwrap();
        }
        incoming.finish(Size::Exact, Attributes::default()).unwrap()
    };
    let lines = wire.iter().filter(|octet| **octet == b'\n').count();
    assert_eq!(store().octets(), (wire.len() - lines) as u64);
    bencher
        .counter(BytesCount::of_slice(&wire))
        .bench_local(store);
}

/// Reading a stored message and its digest, as `verify` does.
#[divan::bench]
fn examine_message(bencher: Bencher<'_, '_>) {
    let home = account::home();
    let _ = account::open(home.path());
    let name = UniqueName::new(account::stamp(), None);
    let message = [ORDINARY, b"\n"]
        .concat()
        .repeat(8 * MIB / (ORDINARY.len() + 1));
    let mail = home.path().join("Mail");
    std::fs::write(mail.join("new").join(name.as_os_str()), &message).unwrap();
    let mut search = Search::new(vec![AccountTag::new(ACCOUNT)]);
    search.add(&Disk::new(), &mail).unwrap();
    search.look(|_| true).unwrap();
    let examine = || search.examine(&name).unwrap();
    let examined = examine();
    assert_eq!(examined.octets, message.len() as u64);
    assert_eq!(examined.digests.stored, examined.digests.content);
    bencher
        .counter(BytesCount::of_slice(&message))
        .bench_local(examine);
}

/// Making a name for the Maildir.
#[divan::bench]
fn make_name(bencher: Bencher<'_, '_>) {
    let stamp = account::stamp();
    let identity = Identity::new(ACCOUNT, b"unique");
    let make = || UniqueName::new(black_box(stamp), Some(black_box(identity)));
    assert_eq!(make().identity(), Some(identity));
    bencher.bench(make);
}

/// Reading a name from a Maildir, where a mail reader has put flags behind it.
#[divan::bench]
fn read_name(bencher: Bencher<'_, '_>) {
    let identity = Identity::new(ACCOUNT, b"unique");
    let name = UniqueName::new(account::stamp(), Some(identity));
    let flagged = std::ffi::OsString::from(format!("{}:2,FS", name.as_str()));
    let read = || UniqueName::parse(black_box(&flagged));
    assert_eq!(read().as_ref(), Some(&name));
    bencher.bench(read);
}
