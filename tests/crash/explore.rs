//! Puts the disk into every state that a crash could leave, and sees what the next run makes of it.

use super::image::{Image, Octets, Taken};
use super::server::{Maildrop, Server};
use popfetch::durable::{Disk, Step, Witness};
use popfetch::exit::Status;
use popfetch::fetch::{Account, Environment};
use popfetch::profile::secret::Password;
use popfetch::profile::{Auth, Keep, Order, PasswordSource, Pipelining, Profile, Tls};
use popfetch::report::{Event, Outcome, Report};
use popfetch::state::Moment;
use popfetch::stop::Stop;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// From how many of the first crash's states a second one is tried. A prime, so that no kind of
/// state is passed over every time.
const SECOND_CRASH_EVERY: u64 = 211;

/// What the profile says of stored messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    Keep,
    Delete,
}

/// What a run did: its steps, and after which of them the server deleted what.
#[derive(Default)]
struct Recording {
    steps: Vec<Taken>,
    updates: Vec<(usize, BTreeSet<usize>)>,
}

struct Recorder {
    root: PathBuf,
    recording: Mutex<Recording>,
}

impl Witness for Recorder {
    fn step(&self, step: &Step<'_>) -> io::Result<()> {
        let step = Taken::new(step, &self.root);
        self.recording.lock().unwrap().steps.push(step);
        Ok(())
    }
}

struct Silent;

impl Report for Silent {
    fn report(&self, _: &str, _: Event<'_>) {}
}

pub struct Explorer {
    mode: Mode,
    messages: usize,
    temp: TempDir,
    stop: Stop,
    /// States that were looked at.
    pub states: u64,
    /// Every run is in another boot of the machine: the power went.
    boots: u64,
}

impl Explorer {
    pub fn new(mode: Mode, messages: usize) -> Self {
        // In memory where the system has that: tens of thousands of small directories are made.
        let memory = Path::new("/dev/shm");
        let temp = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        Self {
            mode,
            messages,
            temp: temp.unwrap(),
            stop: Stop::never().unwrap(),
            states: 0,
            boots: 0,
        }
    }

    /// A crash at every step of a first fetch.
    pub fn explore_fetch(&mut self) {
        let empty = BTreeSet::new();
        let (before, recording) = self.record(&empty);
        self.replay(&before, &recording, &empty, |explorer, deleted, what| {
            explorer.check(deleted, what);
        });
    }

    /// A crash at every step of a fetch, and another at every step of the run after it.
    pub fn explore_recovery(&mut self) {
        let empty = BTreeSet::new();
        let (before, recording) = self.record(&empty);
        self.replay(&before, &recording, &empty, |explorer, deleted, what| {
            // A second crash is tried from some states only: neighbours are much alike.
            if explorer.states % SECOND_CRASH_EVERY != 0 {
                return;
            }
            let first = explorer.root();
            let saved = explorer.temp.path().join("saved");
            copy(&first, &saved);
            let (before, recording) = explorer.record_in_place(deleted);
            let deleted = deleted.clone();
            explorer.replay(&before, &recording, &deleted, |explorer, deleted, again| {
                explorer.check(deleted, &format!("{what}, then {again}"));
            });
        });
    }

    pub fn root(&self) -> PathBuf {
        self.temp.path().join("root")
    }

    fn record(&mut self, deleted: &BTreeSet<usize>) -> (Image, Recording) {
        let root = self.root();
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        self.record_in_place(deleted)
    }

    fn record_in_place(&mut self, deleted: &BTreeSet<usize>) -> (Image, Recording) {
        let before = Image::read(&self.root());
        let recorder = Arc::new(Recorder {
            root: self.root(),
            recording: Mutex::default(),
        });
        let witness = Arc::clone(&recorder);
        let mut maildrop = Maildrop::new(self.messages);
        maildrop.deleted.clone_from(deleted);
        maildrop.on_update = Some(Box::new(move |deleted| {
            let mut recording = witness.recording.lock().unwrap();
            let at = recording.steps.len();
            recording.updates.push((at, deleted.clone()));
        }));
        let server = Server(Arc::new(Mutex::new(maildrop)));
        let outcome = self.run(&server, Disk::watched(recorder.clone()));
        assert_eq!(outcome.status(), Status::Ok, "{outcome:?}");
        drop(server);
        let recording = std::mem::take(&mut *recorder.recording.lock().unwrap());
        (before, recording)
    }

    /// Goes through the steps of a run, and through the states that a crash before each could
    /// leave.
    fn replay(
        &mut self,
        before: &Image,
        recording: &Recording,
        deleted: &BTreeSet<usize>,
        mut then: impl FnMut(&mut Self, &BTreeSet<usize>, &str),
    ) {
        let mut image = before.clone();
        for at in 0..=recording.steps.len() {
            let mut deleted = deleted.clone();
            let updates = recording.updates.iter().filter(|(after, _)| *after <= at);
            updates.for_each(|(_, more)| deleted.extend(more));
            for (names, octets) in variants(&image) {
                image.write(&self.root(), |place| names.contains(&place), octets);
                self.states += 1;
                let step = recording.steps.get(at);
                let what =
                    format!("crash before step {at} {step:?}, names {names:?}, octets {octets:?}");
                then(self, &deleted, &what);
            }
            if let Some(step) = recording.steps.get(at) {
                image.take(step);
            }
        }
    }

    /// Two runs after the crash: the first brings everything home, the second finds nothing to do.
    fn check(&mut self, deleted: &BTreeSet<usize>, what: &str) {
        let mut maildrop = Maildrop::new(self.messages);
        maildrop.deleted.clone_from(deleted);
        self.finish(&Server(Arc::new(Mutex::new(maildrop))), what);
    }

    /// A run with a good disk brings everything home, and another finds nothing to do.
    pub fn finish(&mut self, server: &Server, what: &str) {
        let expected = server.0.lock().unwrap().expected();
        let outcome = self.run(server, Disk::new());
        assert_eq!(outcome.status(), Status::Ok, "{what}: {outcome:?}");
        assert_same(&self.stored(), &expected, what);
        assert_eq!(
            fs::read_dir(self.root().join("mail/tmp")).unwrap().count(),
            0,
            "{what}"
        );
        server.0.lock().unwrap().retrieved = 0;
        let outcome = self.run(server, Disk::new());
        assert_eq!(outcome.fetched, 0, "the second run after {what}");
        let maildrop = server.0.lock().unwrap();
        assert_eq!(maildrop.retrieved, 0, "the second run after {what}");
        if self.mode == Mode::Delete {
            assert_eq!(maildrop.deleted.len(), self.messages, "{what}");
        }
    }

    /// The messages in new/, sorted; lengths would do, but octets say more.
    pub fn stored(&self) -> Vec<Vec<u8>> {
        let Ok(new) = fs::read_dir(self.root().join("mail/new")) else {
            return Vec::new();
        };
        let mut all: Vec<_> = new
            .map(|entry| fs::read(entry.unwrap().path()).unwrap())
            .collect();
        all.sort();
        all
    }

    pub fn run(&mut self, server: &Server, disk: Disk) -> Outcome {
        self.boots += 1;
        let profile = self.profile();
        let environment = Environment {
            state: self.root().join("state").into(),
            disk,
            stop: self.stop.clone(),
            report: Arc::new(Silent),
            connect: Arc::new(server.clone()),
            confined: false,
            transcript: false,
            moment: Moment {
                now: 1_795_395_922,
                boot: self.boots.to_string().into(),
            },
        };
        Account {
            profile: &profile,
            password: &Password::new("secret".to_owned()),
            environment: &environment,
        }
        .fetch()
    }

    fn profile(&self) -> Profile {
        Profile {
            name: "ada".to_owned(),
            server: popfetch::profile::Server {
                host: "localhost".to_owned(),
                port: 995,
                user: "ada".to_owned(),
            },
            tls: Tls::None,
            auth: Auth::Auto,
            password: PasswordSource::Stdin,
            maildir: self.root().join("mail"),
            keep: match self.mode {
                Mode::Keep => Keep::Always,
                Mode::Delete => Keep::Never,
            },
            max_size: None,
            latest: None,
            order: Order::OldestFirst,
            pipelining: Pipelining::Auto,
            timeout: Duration::from_secs(5),
        }
    }
}

fn assert_same(stored: &[Vec<u8>], expected: &[Vec<u8>], what: &str) {
    if stored != expected {
        let lines = |all: &[Vec<u8>]| -> Vec<String> {
            let text = all.iter().map(|octets| String::from_utf8_lossy(octets));
            text.map(|text| text.chars().take(20).collect()).collect()
        };
        let (stored, expected) = (lines(stored), lines(expected));
        panic!("after {what}:\nthere is {stored:?}\ninstead of {expected:?}");
    }
}

/// Which of the names that are not synced survive, and what becomes of octets that are not: all,
/// none, each one alone, all but each one; and some of the many mixtures.
fn variants(image: &Image) -> Vec<(BTreeSet<usize>, Octets)> {
    let count = image.unsynced_names();
    let all: BTreeSet<usize> = (0..count).collect();
    let mut names = vec![all.clone(), BTreeSet::new()];
    for place in 0..count {
        names.push(BTreeSet::from([place]));
        names.push(
            all.iter()
                .copied()
                .filter(|other| *other != place)
                .collect(),
        );
    }
    for seed in 1..4u64 {
        let mixed =
            |place: &usize| (*place as u64 + 1).wrapping_mul(seed * 0x9e37_79b9) >> 7 & 1 == 1;
        names.push(all.iter().copied().filter(mixed).collect());
    }
    names.sort();
    names.dedup();
    let octets: &[Octets] = match image.has_unsynced_octets() {
        true => &[
            Octets::Kept,
            Octets::Dropped,
            Octets::Halved,
            Octets::Zeroed,
        ],
        false => &[Octets::Kept],
    };
    let mut variants = Vec::new();
    for names in names {
        variants.extend(octets.iter().map(|octets| (names.clone(), *octets)));
    }
    variants
}

fn copy(from: &Path, to: &Path) {
    let image = Image::read(from);
    image.write(to, |_| true, Octets::Kept);
}
