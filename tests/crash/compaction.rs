//! A crash at every step of a compaction, or of a rebuilding that loses no line, and of the run
//! after it: whichever journal is there then, everything that was known is known.

use super::account::{listing, messages, open, remembered, try_open};
use super::explore::{Explorer, JOURNAL, Mode, NOW, Recorder, assert_same};
use super::faults::{Failing, Fault};
use super::image::{Image, Octets, Taken};
use super::server::{Maildrop, Server};
use popfetch::durable::Disk;
use popfetch::exit::Status;
use popfetch::state::{Known, MarkedBy, Store, View};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

const MESSAGES: usize = 8;

/// What the messages 1 to 7 have gone through; 0 was stored, and removed here by its owner.
const REFUSED: usize = 1;
const RENAMED: usize = 2;
const DELETED_AND_STILL_LISTED: usize = 3;
const FORGOTTEN: usize = 4;
const TWICE_ABSENT: usize = 5;
const ABSENT_LATER: usize = 6;
const MARKED: usize = 7;

const TWO_YEARS: i64 = 2 * 365 * 24 * 60 * 60;
const DAY: i64 = 24 * 60 * 60;

/// From how many of the first crash's states a second one is tried.
const SECOND_CRASH_EVERY: u64 = 149;

/// An account with a past, and all that its journal says.
struct Past {
    explorer: Explorer,
    server: Server,
    known: Knowledge,
}

/// Everything that can be asked of the state.
#[derive(Debug, PartialEq)]
struct Knowledge {
    listed: Vec<Known>,
    remembered: Vec<String>,
    unpipelined: Option<i64>,
    has_unique_ids: bool,
    is_first: bool,
}

/// A disk that fails at any step of a compaction. Gives the number of compactions.
pub fn fail_at_every_step(fault: Fault) -> usize {
    let Past {
        mut explorer,
        server,
        known,
    } = Past::new();
    explorer.same_boot = true;
    let before = Image::read(&explorer.root());
    for at in 0.. {
        before.write(&explorer.root(), |_| true, Octets::Kept);
        let failing = Failing::at(fault, at);
        let what = format!("a compaction with {fault:?} at step {at}");
        let opened = try_open(&mut explorer, &Disk::watched(failing.clone()), NOW);
        let compacted = opened.and_then(|(store, ..)| store.compact());
        assert_eq!(Knowledge::read(&explorer, &server), known, "{what}");
        go_on(&mut explorer, &server, &what, false);
        if !failing.is_reached() {
            assert!(compacted.is_ok(), "{what}: {:?}", compacted.err());
            return at;
        }
    }
    0
}

/// How a journal comes to be written afresh.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rewriting {
    Compaction,
    /// Because a line that is no line stands in it.
    Rebuilding,
}

impl Rewriting {
    fn carry_out(self, explorer: &mut Explorer, recorder: &Arc<Recorder>) {
        let store = open(explorer, &Disk::watched(recorder.clone()), NOW);
        match self {
            Self::Compaction => store.compact().unwrap(),
            Self::Rebuilding => store.close().unwrap(),
        }
    }
}

/// A crash at every step of it, and of it and the run after it. Gives the number of states.
pub fn explore(rewriting: Rewriting) -> u64 {
    let past = Past::new();
    if rewriting == Rewriting::Rebuilding {
        past.damage_line();
    }
    let Past {
        mut explorer,
        server,
        known,
    } = past;
    let none = BTreeSet::new();
    let (before, rewritten) = explorer.record(|explorer, recorder| {
        rewriting.carry_out(explorer, recorder);
    });
    let moves = |step: &&Taken| matches!(step, Taken::Rename(..));
    assert_eq!(rewritten.steps.iter().filter(moves).count(), 1);
    let octets = |image: &Image| image.octets_of(JOURNAL);
    let (old, new) = (octets(&before), octets(&Image::read(&explorer.root())));
    match rewriting {
        Rewriting::Compaction => assert!(new < old, "from {old} to {new} octets"),
        // The damaged line has gone, and one that says when and where what was found began has come.
        Rewriting::Rebuilding => assert_ne!(new, old),
    }
    assert_eq!(Knowledge::read(&explorer, &server), known);
    explorer.replay(&before, &rewritten, &none, |explorer, _, what| {
        assert_eq!(Knowledge::read(explorer, &server), known, "{what}");
        if explorer.states % SECOND_CRASH_EVERY == 0 {
            let (before, after) = explorer.record(|explorer, recorder| {
                run_after(explorer, &server, recorder);
            });
            explorer.replay(&before, &after, &BTreeSet::new(), |explorer, _, again| {
                let what = format!("{what}, then {again}");
                go_on(explorer, &server, &what, true);
            });
        } else {
            go_on(explorer, &server, what, false);
        }
    });
    // What is done with the new journal must not be lost with its name.
    before.write(&explorer.root(), |_| true, Octets::Kept);
    let (before, both) = explorer.record(|explorer, recorder| {
        rewriting.carry_out(explorer, recorder);
        run_after(explorer, &server, recorder);
    });
    explorer.replay(&before, &both, &none, |explorer, _, what| {
        go_on(
            explorer,
            &server,
            &format!("with the run after, {what}"),
            true,
        );
    });
    explorer.states
}

/// The run after the crash fetches what it ought to, and nothing else; the one after it nothing.
/// Two years later only what had been absent often enough is forgotten.
fn go_on(explorer: &mut Explorer, server: &Server, what: &str, crashed_twice: bool) {
    let expected = expected(server);
    let mut retrieved = retrieve(explorer, server, Disk::new(), what);
    // Of what was deleted and is still listed the header says that it is the same.
    let due = [REFUSED, FORGOTTEN];
    if crashed_twice {
        assert!(
            retrieved.iter().all(|message| due.contains(message)),
            "{what}"
        );
    } else {
        retrieved.sort_unstable();
        assert_eq!(retrieved, due, "{what}");
    }
    assert_same(&explorer.stored(), &expected, what);
    explorer.assert_swept(what);
    let again = retrieve(explorer, server, Disk::new(), what);
    assert!(again.is_empty(), "{what}: {again:?}");
    assert_same(&explorer.stored(), &expected, what);
    // A run that came to no listing cannot tell what is absent.
    open(explorer, &Disk::new(), NOW + TWO_YEARS)
        .compact()
        .unwrap();
    assert_eq!(remembered(explorer).len(), MESSAGES, "{what}");
    // After a gap like this the clock is in doubt for a day (fault E-9).
    let mut store = open(explorer, &Disk::new(), NOW + TWO_YEARS + DAY);
    store.recognise(&listing(explorer, server));
    store.note_absences().unwrap();
    store.compact().unwrap();
    let left = remembered(explorer);
    let is_left = |id: &str| left.iter().any(|line| line.contains(id));
    let stay = ["id-0", "id-1", "renamed", "id-3", "id-4", "id-7"];
    assert!(stay.into_iter().all(is_left), "{what}: {left:#?}");
    assert!(!is_left("id-5"), "{what}: {left:#?}");
    // It was absent from the listings of both runs and from this one.
    assert!(!is_left("id-6"), "{what}: {left:#?}");
}

fn run_after(explorer: &mut Explorer, server: &Server, recorder: &Arc<Recorder>) {
    retrieve(
        explorer,
        server,
        Disk::watched(recorder.clone()),
        "the run after",
    );
}

/// What a run retrieves.
fn retrieve(explorer: &mut Explorer, server: &Server, disk: Disk, what: &str) -> Vec<usize> {
    server.0.lock().unwrap().retrieved.clear();
    let outcome = explorer.run(server, disk);
    assert_eq!(outcome.status(), Status::Ok, "{what}: {outcome:?}");
    std::mem::take(&mut server.0.lock().unwrap().retrieved)
}

/// All but the one that was marked as seen.
fn expected(server: &Server) -> Vec<Vec<u8>> {
    let maildrop = server.0.lock().unwrap();
    let mut expected: Vec<_> = (0..MARKED).map(|i| maildrop.stored(i)).collect();
    expected.sort();
    expected
}

impl Past {
    fn new() -> Self {
        let mut explorer = Explorer::new(Mode::Keep, MESSAGES);
        explorer.clear();
        let server = Server(Arc::new(Mutex::new(Maildrop::new(MESSAGES))));
        let edit = |change: fn(&mut Maildrop)| change(&mut server.0.lock().unwrap());

        let mut store = open(&mut explorer, &Disk::new(), NOW);
        let marked = listing(&explorer, &server).message(MARKED).unwrap();
        store.settle_first(&[marked], MarkedBy::Request).unwrap();
        store.close().unwrap();

        edit(|maildrop| maildrop.refused.extend([REFUSED]));
        let outcome = explorer.run(&server, Disk::new());
        assert_eq!((outcome.fetched, outcome.failed), (6, 1), "{outcome:?}");
        edit(|maildrop| {
            maildrop.refused.clear();
            maildrop.messages[RENAMED].0 = "renamed".to_owned();
            maildrop.deleted.extend([REFUSED, TWICE_ABSENT]);
        });
        for known_already in [1, 0] {
            let outcome = explorer.run(&server, Disk::new());
            assert_eq!((outcome.fetched, outcome.known), (0, known_already));
        }
        let mut store = open(&mut explorer, &Disk::new(), NOW);
        let listing = listing(&explorer, &server);
        store.recognise(&listing);
        let vouch = |store: &mut Store, place: usize| {
            let (id, text) = server.0.lock().unwrap().messages[place].clone();
            let mut listed = (0..listing.len()).filter_map(|place| listing.message(place));
            let message = listed.find(|it| it.unique_id.as_deref() == Some(id.as_bytes()));
            let same = store.judge_header(&message.unwrap(), &text, true).unwrap();
            let vouched = store.vouch(vec![same.unwrap()], |_, _| true).unwrap();
            assert_eq!((vouched.recorded.len(), vouched.withheld.len()), (1, 0));
            vouched.recorded
        };
        let deleted = vouch(&mut store, DELETED_AND_STILL_LISTED);
        store.deleted(&deleted);
        let kept = vouch(&mut store, RENAMED);
        store.refused_to_delete(&kept);
        store.asked_to_delete(&kept);
        store.failed_pipelining();
        let all = messages(&explorer);
        let gone = all
            .iter()
            .filter(|shown| shown.unique_ids[0][..] == *b"id-0")
            .map(|shown| shown.id());
        // Its owner has it elsewhere for the moment.
        let accepted = server.0.lock().unwrap().stored(0);
        remove(&explorer.root().join("mail/new"), &accepted);
        store.note_gone(gone).unwrap();
        let name = all.iter().find_map(|shown| {
            let is_it = shown.unique_ids[0][..] == *b"id-0";
            shown
                .stored
                .as_ref()
                .filter(|_| is_it)
                .map(|it| it.0.as_str().to_owned())
        });
        let back = explorer.root().join("mail/new").join(name.unwrap());
        fs::write(back, &accepted).unwrap();
        assert_eq!(
            store
                .forget(|unique_id| unique_id == b"id-4")
                .unwrap()
                .messages,
            1
        );
        store.close().unwrap();
        let forgotten = server.0.lock().unwrap().stored(FORGOTTEN);
        remove(&explorer.root().join("mail/new"), &forgotten);

        // From here on the server lists these.
        edit(|maildrop| maildrop.deleted = BTreeSet::from([TWICE_ABSENT, ABSENT_LATER]));
        let known = Knowledge::read(&explorer, &server);
        let stored = |futile: u8| Known::Stored {
            since: NOW,
            futile,
            held: false,
        };
        let is_new = |known: Known, failed: bool| {
            assert!(matches!(known, Known::New(failures) if failures.is_some() == failed));
        };
        // Of 0 to 4, and 7.
        assert_eq!(known.listed[0], stored(0));
        is_new(known.listed[1], true);
        assert_eq!(known.listed[2], stored(1));
        assert_eq!(known.listed[3], Known::Doubtful { since: NOW });
        is_new(known.listed[4], false);
        assert_eq!(known.listed[5], Known::Marked);
        assert_eq!((known.unpipelined, known.is_first), (Some(NOW), false));
        let asked = |line: &&String| line.contains("renamed") && line.contains("Asked");
        assert_eq!(known.remembered.iter().filter(asked).count(), 1);
        let gone = |line: &&String| line.contains("id-0") && line.ends_with("true false true");
        assert_eq!(
            known.remembered.iter().filter(gone).count(),
            1,
            "{known:#?}"
        );
        Self {
            explorer,
            server,
            known,
        }
    }

    fn damage_line(&self) {
        let path = self.explorer.root().join(JOURNAL);
        let text = fs::read_to_string(&path).unwrap();
        let (first, rest) = text.split_at(text.len() / 2);
        let (before, line) = first.rsplit_once('\n').unwrap();
        fs::write(path, format!("{before}\nno line\n{line}{rest}")).unwrap();
    }
}

impl Knowledge {
    fn read(explorer: &Explorer, server: &Server) -> Self {
        let account = explorer.profile().server.id();
        let mut view = View::read(&explorer.root().join("state"), &account).unwrap();
        Self {
            listed: view.recognise(&listing(explorer, server)).collect(),
            remembered: remembered(explorer),
            unpipelined: view.unpipelined(),
            has_unique_ids: view.has_unique_ids(),
            is_first: view.is_first(),
        }
    }
}

fn remove(directory: &Path, octets: &[u8]) {
    let mut files = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let file = files.find(|file| fs::read(file).unwrap() == octets);
    fs::remove_file(file.unwrap()).unwrap();
}
