//! Puts the disk into every state that a crash could leave, and sees what the next run makes of it.

use super::image::{Image, Octets, Taken};
use super::scratch;
use super::series::{self, SEED};
use super::server::{Maildrop, Server};
use super::variants::variants;
use popfetch::durable::{Disk, Step, Witness};
use popfetch::exit::Status;
use popfetch::fetch::{Account, Environment};
use popfetch::maildir::{Filing, Folder, ROSTER};
use popfetch::profile::{Keep, PasswordSource, Policy, Profile, Protocol, Tls};
use popfetch::report::{Event, Outcome, Report};
use popfetch::rules::{Action, Conditions, Field, Pattern, Rule, Rules, Test};
use popfetch::secrets::{Credential, Password};
use popfetch::state::Moment;
use popfetch::stop::Stop;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// From how many of the first crash's states that are looked at a second one is tried. A prime, so
/// that no kind of state is passed over every time.
const SECOND_CRASH_EVERY: u64 = 499;

/// Of how many states of a step one is looked at beside the first and the last. A prime as well.
const SAMPLE: u64 = 5;

/// Where the account's journal is.
pub const JOURNAL: &str = "state/ada@localhost:995.journal";

/// Where a rule sends messages.
pub const FOLDER: &str = ".Lists";

/// When runs happen if nothing else is said.
pub const NOW: i64 = 1_795_395_922;

/// What the profile says of stored messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    Keep,
    Delete,
    DeleteAfter14Days,
}

/// What a run did: its steps, and after which of them the server deleted what.
#[derive(Default)]
pub struct Recording {
    pub steps: Vec<Taken>,
    pub updates: Vec<(usize, BTreeSet<usize>)>,
}

impl Recording {
    /// How often the Maildir's own file was written: a draft that is synced takes its name, and the
    /// name is synced (E13).
    pub fn rosters(&self) -> usize {
        let draft = Path::new("mail").join(format!("{ROSTER}.new"));
        let renamed = |step: &Taken| matches!(step, Taken::Rename(from, _) if *from == draft);
        let places = (0..self.steps.len()).filter(|at| renamed(&self.steps[*at]));
        let synced = |at: usize| {
            matches!(&self.steps[at - 1], Taken::SyncFile(path) if *path == draft)
                && matches!(&self.steps[at + 1], Taken::SyncDirectory(path) if path == "mail")
        };
        places.inspect(|at| assert!(synced(*at))).count()
    }
}

/// Writes the steps down.
pub struct Recorder {
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
    pub mode: Mode,
    messages: usize,
    temp: TempDir,
    stop: Stop,
    /// States that a crash could have left.
    pub states: u64,
    /// Those that were looked at.
    looked_at: u64,
    whole: bool,
    /// Which of the states of a step are looked at in this run.
    drawn: u64,
    /// Every run is in another boot of the machine, for the power went. If it is the same, a
    /// process was killed: nothing that it had done is undone.
    pub same_boot: bool,
    boots: u64,
    /// Nobody can say any more which journal wrote the files in tmp/: another one may be writing
    /// them, and they stay.
    pub lost_id: bool,
    /// What the server speaks.
    pub protocol: Protocol,
    /// How the server is called.
    pub host: &'static str,
    /// When the runs to come happen, in seconds since 1970.
    pub now: i64,
    /// A rule sends all messages that have a From to the folder [`FOLDER`].
    pub sorts: bool,
    /// How the files are made.
    pub filing: Filing,
}

impl Explorer {
    pub fn new(mode: Mode, messages: usize) -> Self {
        Self {
            mode,
            messages,
            temp: scratch::directory(),
            stop: Stop::never().unwrap(),
            states: 0,
            looked_at: 0,
            whole: series::is_whole(),
            drawn: series::seed() % SAMPLE,
            same_boot: false,
            boots: 0,
            lost_id: false,
            protocol: Protocol::Pop,
            host: "localhost",
            now: NOW,
            sorts: false,
            filing: Filing::default(),
        }
    }

    /// A first fetch, and the disk before it.
    pub fn record_first(&mut self) -> (Image, Recording) {
        self.clear();
        self.record_run(self.maildrop(&BTreeSet::new()))
    }

    /// A run after a crash: what is stored then, and what should be, both sorted.
    pub fn recover(&mut self, deleted: &BTreeSet<usize>) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let maildrop = self.maildrop(deleted);
        let expected = maildrop.expected();
        let outcome = self.run(&Server(Arc::new(Mutex::new(maildrop))), Disk::new());
        assert_eq!(outcome.status(), Status::Ok, "{outcome:?}");
        (self.stored(), expected)
    }

    /// A crash at every step of a first fetch.
    pub fn explore_fetch(&mut self) {
        let empty = BTreeSet::new();
        let (before, recording) = self.record_first();
        // Before the first delivery and after the last.
        assert_eq!(recording.rosters(), 2);
        self.replay(&before, &recording, &empty, |explorer, deleted, what| {
            explorer.check(deleted, what);
        });
    }

    /// A crash at every step of a fetch, and another at every step of the run after it.
    pub fn explore_recovery(&mut self) {
        let empty = BTreeSet::new();
        let (before, recording) = self.record_first();
        self.replay(&before, &recording, &empty, |explorer, deleted, what| {
            // A second crash is tried from some states only: neighbours are much alike.
            let every = match explorer.whole {
                true => SECOND_CRASH_EVERY,
                false => SECOND_CRASH_EVERY / SAMPLE,
            };
            if explorer.looked_at % every != 0 {
                return;
            }
            let (before, recording) = explorer.record_run(explorer.maildrop(deleted));
            let deleted = deleted.clone();
            explorer.replay(&before, &recording, &deleted, |explorer, deleted, again| {
                explorer.check(deleted, &format!("{what}, then {again}"));
            });
        });
    }

    pub fn root(&self) -> PathBuf {
        self.temp.path().join("root")
    }

    /// Goes through the states that a crash in a run with this server could leave. The run itself
    /// must write the Maildir's own file so often.
    pub fn explore_run(
        &mut self,
        maildrop: Maildrop,
        rosters: usize,
        mut then: impl FnMut(&mut Self, &BTreeSet<usize>, &str),
    ) {
        let (before, recording) = self.record_run(maildrop);
        assert_eq!(recording.rosters(), rosters);
        let empty = BTreeSet::new();
        self.replay(&before, &recording, &empty, &mut then);
    }

    /// Begins with an empty disk.
    pub fn clear(&self) {
        let _ = fs::remove_dir_all(self.root());
        fs::create_dir_all(self.root()).unwrap();
    }

    fn maildrop(&self, deleted: &BTreeSet<usize>) -> Maildrop {
        let mut maildrop = Maildrop::new(self.messages);
        maildrop.deleted.clone_from(deleted);
        maildrop.protocol = self.protocol;
        maildrop
    }

    /// Records a run that comes to a good end.
    pub fn record_run(&mut self, mut maildrop: Maildrop) -> (Image, Recording) {
        self.record(|explorer, recorder| {
            let witness = Arc::clone(recorder);
            maildrop.on_update = Some(Box::new(move |deleted| {
                let mut recording = witness.recording.lock().unwrap();
                let at = recording.steps.len();
                recording.updates.push((at, deleted.clone()));
            }));
            let server = Server(Arc::new(Mutex::new(maildrop)));
            let outcome = explorer.run(&server, Disk::watched(recorder.clone()));
            assert_eq!(outcome.status(), Status::Ok, "{outcome:?}");
        })
    }

    /// Records what `act` does to the disk; gives the disk as it was before, too.
    pub fn record(&mut self, act: impl FnOnce(&mut Self, &Arc<Recorder>)) -> (Image, Recording) {
        let before = Image::read(&self.root());
        let recorder = Arc::new(Recorder {
            root: self.root(),
            recording: Mutex::default(),
        });
        act(self, &recorder);
        let recording = std::mem::take(&mut *recorder.recording.lock().unwrap());
        (before, recording)
    }

    /// Goes through the steps of a run, and through the states that a crash before each could
    /// leave.
    pub fn replay(
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
            let states = match self.same_boot {
                true => vec![((0..image.unsynced_names()).collect(), Octets::Kept)],
                false => variants(&image, at),
            };
            let last = states.len() - 1;
            for (place, (names, octets)) in states.into_iter().enumerate() {
                self.states += 1;
                // Each step is, and of many states that are much alike some.
                let is_edge = place == 0 || place == last;
                if !self.whole && !is_edge && self.states % SAMPLE != self.drawn {
                    continue;
                }
                self.looked_at += 1;
                image.write(&self.root(), |place| names.contains(&place), octets);
                let step = recording.steps.get(at);
                let what = format!(
                    "{SEED}={}, crash before step {at} {step:?}, names {names:?}, octets {octets:?}",
                    series::seed()
                );
                then(self, &deleted, &what);
            }
            if let Some(step) = recording.steps.get(at) {
                image.take(step);
            }
        }
    }

    /// Two runs after the crash: the first brings everything home, the second finds nothing to do.
    fn check(&mut self, deleted: &BTreeSet<usize>, what: &str) {
        let maildrop = self.maildrop(deleted);
        self.finish(&Server(Arc::new(Mutex::new(maildrop))), what);
    }

    /// A run with a good disk brings everything home, and another finds nothing to do.
    pub fn finish(&mut self, server: &Server, what: &str) {
        let expected = server.0.lock().unwrap().expected();
        let outcome = self.run(server, Disk::new());
        assert_eq!(outcome.status(), Status::Ok, "{what}: {outcome:?}");
        assert_same(&self.stored(), &expected, what);
        self.assert_sorted(what);
        self.assert_filed(what);
        self.assert_swept(what);
        server.0.lock().unwrap().retrieved.clear();
        let outcome = self.run(server, Disk::new());
        assert_eq!(outcome.fetched, 0, "the second run after {what}");
        let maildrop = server.0.lock().unwrap();
        let again = &maildrop.retrieved;
        assert!(again.is_empty(), "the second run after {what}: {again:?}");
        if self.mode == Mode::Delete {
            assert_eq!(maildrop.deleted.len(), self.messages, "{what}");
        }
    }

    /// Nothing of the account's is left in tmp/.
    pub fn assert_swept(&self, what: &str) {
        let tmp = fs::read_dir(self.root().join("mail/tmp")).unwrap();
        let names = tmp.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut left: Vec<String> = names.collect();
        if self.lost_id {
            let ours = format!("X{}", self.journal_id());
            left.retain(|name| name.contains(&ours));
        }
        assert!(left.is_empty(), "{what}: left in tmp/: {left:?}");
    }

    /// The id of the journal, from its first line.
    pub fn journal_id(&self) -> String {
        let journal = fs::read_to_string(self.root().join(JOURNAL)).unwrap();
        journal.split(['\t', '\n']).nth(4).unwrap().to_owned()
    }

    /// The messages in new/ and cur/ of the Maildir and its folder, sorted; lengths would do, but octets
    /// say more.
    pub fn stored(&self) -> Vec<Vec<u8>> {
        let mut all = self.stored_in("mail");
        all.extend(self.stored_in(&format!("mail/{FOLDER}")));
        all.sort();
        all
    }

    fn stored_in(&self, maildir: &str) -> Vec<Vec<u8>> {
        let parts = ["new", "cur"].map(|part| self.root().join(maildir).join(part));
        let files = parts.into_iter().flat_map(fs::read_dir).flatten();
        files
            .map(|entry| fs::read(entry.unwrap().path()).unwrap())
            .collect()
    }

    /// Each message is where the rule sends it, whatever has come between.
    fn assert_sorted(&self, what: &str) {
        let has_from = |octets: &Vec<u8>| octets.windows(7).any(|it| it == b"\nFrom: ");
        if self.sorts {
            assert!(!self.stored_in("mail").iter().any(has_from), "{what}");
        }
        let folder = self.stored_in(&format!("mail/{FOLDER}"));
        assert!(folder.iter().all(has_from), "{what}");
    }

    /// Each file's name tells its size where that is asked for, whatever has come between.
    fn assert_filed(&self, what: &str) {
        for new in ["mail/new", &format!("mail/{FOLDER}/new")] {
            for entry in fs::read_dir(self.root().join(new)).into_iter().flatten() {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                let size = format!(",S={}", entry.metadata().unwrap().len());
                let is_told = name.ends_with(&size);
                assert!(is_told || !self.filing.sized, "{what}: {name}");
            }
        }
    }

    pub fn run(&mut self, server: &Server, disk: Disk) -> Outcome {
        let profile = self.profile();
        let environment = Environment {
            state: self.root().join("state").into(),
            disk,
            stop: self.stop.clone(),
            report: Arc::new(Silent),
            connect: Arc::new(server.clone()),
            confined: true,
            at_once: true,
            as_new: false,
            quiet: false,
            room: 256,
            transcript: false,
            moment: self.moment(self.now),
        };
        Account {
            profile: &profile,
            credential: Credential::Password(std::borrow::Cow::Owned(Password::new(
                "secret".to_owned(),
            ))),
            addressee: None,
            environment: &environment,
        }
        .fetch()
    }

    /// A time, in another boot of the machine than all before.
    pub fn moment(&mut self, now: i64) -> Moment {
        self.boots += u64::from(!self.same_boot);
        Moment {
            now,
            boot: self.boots.to_string().into(),
        }
    }

    pub fn profile(&self) -> Profile {
        let server = popfetch::profile::Server {
            protocol: self.protocol,
            host: self.host.to_owned(),
            port: 995,
            user: "ada".to_owned(),
        };
        Profile {
            tls: Tls::None,
            password: PasswordSource::Stdin,
            maildir: self.root().join("mail"),
            filing: self.filing.clone(),
            policy: Policy {
                keep: match self.mode {
                    Mode::Keep => Keep::Always,
                    Mode::Delete => Keep::Never,
                    Mode::DeleteAfter14Days => Keep::For(Duration::from_secs(14 * 24 * 60 * 60)),
                },
                ..Policy::default()
            },
            rules: if self.sorts {
                sorting()
            } else {
                Rules::default()
            },
            timeout: Duration::from_secs(5),
            ..Profile::new("ada".to_owned(), server)
        }
    }
}

fn sorting() -> Rules {
    let test = Test {
        field: Field::From,
        pattern: Some(Pattern::glob("*@a.example").unwrap()),
    };
    let rule = Rule {
        conditions: Conditions {
            header: vec![test],
            ..Conditions::default()
        },
        action: Action::Folder(Folder::parse(FOLDER).unwrap()),
        text: String::new(),
    };
    Rules::new(vec![rule]).unwrap()
}

pub fn assert_same(stored: &[Vec<u8>], expected: &[Vec<u8>], what: &str) {
    if stored != expected {
        let lines = |all: &[Vec<u8>]| -> Vec<String> {
            let text = all.iter().map(|octets| String::from_utf8_lossy(octets));
            let subject = |text: &str| text.find("Subject: ").map_or(0, |at| at + 9);
            text.map(|text| text.chars().skip(subject(&text)).take(12).collect())
                .collect()
        };
        let (stored, expected) = (lines(stored), lines(expected));
        panic!("after {what}:\nthere is {stored:?}\ninstead of {expected:?}");
    }
}
