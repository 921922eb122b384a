//! How a watch is, for whoever asks from outside: a file beside the states that is locked as long as the
//! watch runs, and written anew with every beat.
//!
//! ```text
//! popfetch-watch  pid  since  beat  accounts  running  failing  names...  (way  names...)...  crc
//! ```
//! Times are seconds since the machine has started, which no clock that is set changes. The lock goes
//! with the process, whatever ends it; so nothing has to be removed, and nothing is believed that a
//! dead process has left.

use super::Which;
use super::ways::{MOST_WAYS, NAMED, Way};
use crate::cli::Watch;
use crate::durable::line::{seal, unseal};
use crate::durable::{Dir, Disk, File};
use crate::profile::units;
use crate::term::{count, escape_str, hex};
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How often a watch says that it is well.
pub(super) const BEAT: Duration = Duration::from_secs(60);

/// One that has not said so for this long hangs.
const SILENT: Duration = Duration::from_secs(3 * 60);

/// How long someone may look at the file, which takes the lock for a moment, or write to it.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often to look again.
const LOOK: Duration = Duration::from_millis(10);

/// The file of a watch that runs.
pub(super) struct Health {
    file: File,
    since: u64,
}

/// What is said of a watch.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct State {
    pub(super) accounts: usize,
    pub(super) running: usize,
    pub(super) failing: usize,
    /// The first of these.
    pub(super) names: Vec<String>,
    /// How it hears of mail.
    pub(super) ways: Vec<Way>,
}

/// What has become of a watch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Found {
    /// None runs.
    Nothing,
    /// It runs and says nothing more.
    Silent {
        pid: u32,
        /// For how long.
        silent: Duration,
    },
    /// It is well, whatever its accounts are.
    Well(State),
}

impl Health {
    /// For a watch that begins; the other one's process id where one of the same accounts runs.
    pub(super) fn take(
        dir: &Dir,
        which: &Which<'_>,
        now: Duration,
    ) -> io::Result<Result<Self, Option<u32>>> {
        let name = file_name(which);
        let file = dir.open_or_create(&name)?;
        let deadline = Instant::now() + PATIENCE;
        while !file.try_lock()? {
            if Instant::now() >= deadline {
                let pid = read(dir.read(&name)?).map(|told| told.pid);
                return Ok(Err(pid));
            }
            thread::sleep(LOOK);
        }
        file.check_sole_name()?;
        let since = now.as_secs();
        Ok(Ok(Self { file, since }))
    }

    /// It is well. Not synced: it means nothing after a crash.
    pub(super) fn beat(&mut self, state: &State, now: Duration) -> io::Result<()> {
        let mut line = format!(
            "popfetch-watch\t{}\t{}\t{}\t{}\t{}\t{}",
            std::process::id(),
            self.since,
            now.as_secs(),
            state.accounts,
            state.running,
            state.failing
        );
        let field = |text: &str| format!("\t{}", text.replace(['\t', '\n'], " "));
        line.extend(state.names.iter().take(NAMED).map(|name| field(name)));
        for way in state.ways.iter().take(MOST_WAYS) {
            line.push_str(&field(&way.word()));
            line.extend(way.names.iter().take(NAMED).map(|name| field(name)));
        }
        let mut sealed = Vec::new();
        seal(line, &mut sealed);
        self.file.truncate(0)?;
        self.file.append(&sealed)
    }
}

impl Found {
    /// How the watch of these accounts is.
    pub(super) fn look(directory: &Path, which: &Which<'_>, now: Duration) -> io::Result<Self> {
        let absent = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        let dir = match Dir::open(&Disk::new(), directory) {
            Err(error) if absent(&error) => return Ok(Self::Nothing),
            dir => dir?,
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let file = match dir.read(&file_name(which)) {
                Err(error) if absent(&error) => return Ok(Self::Nothing),
                file => file?,
            };
            match file.try_lock_shared() {
                Ok(()) => return Ok(Self::Nothing),
                Err(fs::TryLockError::WouldBlock) => {}
                Err(fs::TryLockError::Error(error)) => return Err(error),
            }
            match read(file) {
                Some(told) => return Ok(told.at(now)),
                // It is being written, or begins.
                None if Instant::now() < deadline => thread::sleep(LOOK),
                None => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    /// Lines for people.
    pub(super) fn lines(&self) -> Vec<String> {
        let ways: &[Way] = match self {
            Self::Well(state) => &state.ways,
            Self::Nothing | Self::Silent { .. } => &[],
        };
        let ways = ways.iter().map(Way::line);
        std::iter::once(self.line()).chain(ways).collect()
    }

    fn line(&self) -> String {
        match self {
            Self::Nothing => "no popfetch watch of these accounts is running".to_owned(),
            Self::Silent { pid, silent } => format!(
                "the watch (process {pid}) has hung for {}",
                units::duration(Duration::from_secs(silent.as_secs()))
            ),
            Self::Well(state) => state.line(),
        }
    }
}

impl State {
    /// A line for people.
    pub(super) fn line(&self) -> String {
        let mut line = format!("watching {}", count(self.accounts as u64, "account"));
        if self.running > 0 {
            line.push_str(&format!(", {} being fetched", self.running));
        }
        if self.failing > 0 {
            let names: Vec<_> = self.names.iter().map(|name| escape_str(name)).collect();
            let more = if self.failing > names.len() {
                ", ..."
            } else {
                ""
            };
            let failing = self.failing;
            line.push_str(&format!("; {failing} failing: {}{more}", names.join(", ")));
        }
        line
    }
}

struct Told {
    pid: u32,
    beat: u64,
    state: State,
}

impl Told {
    fn at(self, now: Duration) -> Found {
        let silent = now.saturating_sub(Duration::from_secs(self.beat));
        match silent > SILENT {
            true => Found::Silent {
                pid: self.pid,
                silent,
            },
            false => Found::Well(self.state),
        }
    }
}

fn read(file: impl Read) -> Option<Told> {
    // Names are as long as their owner likes; the file is our own.
    const LONGEST: u64 = 64 * 1024;
    let mut line = Vec::new();
    file.take(LONGEST).read_to_end(&mut line).ok()?;
    let text = unseal(line.strip_suffix(b"\n")?)?;
    let mut fields = text.strip_prefix("popfetch-watch\t")?.split('\t');
    let mut next = || fields.next();
    let (pid, _since) = (next()?.parse().ok()?, next()?.parse::<u64>().ok()?);
    let beat = next()?.parse().ok()?;
    let (accounts, running) = (next()?.parse().ok()?, next()?.parse().ok()?);
    let failing: usize = next()?.parse().ok()?;
    let mut names = |count: usize| -> Vec<String> {
        let names = fields.by_ref().take(count.min(NAMED));
        names.map(str::to_owned).collect()
    };
    let state = State {
        accounts,
        running,
        failing,
        names: names(failing),
        ways: Way::read(&mut names),
    };
    Some(Told { pid, beat, state })
}

/// The same for the same words of the command line, so that several watches have their own.
fn file_name(which: &Which<'_>) -> OsString {
    let Which { config, arguments } = which;
    let Watch {
        accounts, shard, ..
    } = arguments;
    if accounts.is_empty() && shard.is_none() && config.is_none() {
        return "watch.status".into();
    }
    let mut names: Vec<_> = accounts.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let shard = shard.map(|shard| shard.to_string()).unwrap_or_default();
    let mut hash = Sha256::new();
    hash.update(
        config
            .as_ref()
            .map_or(&b""[..], |it| it.as_os_str().as_encoded_bytes()),
    );
    for part in [shard.as_str()].into_iter().chain(names) {
        // No name has a NUL in it.
        hash.update([0]);
        hash.update(part);
    }
    let hash = hash.finalize();
    format!("watch-{}.status", hex(hash.get(..8).unwrap_or_default())).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;
    use std::collections::BTreeSet;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn watch(words: &[&str]) -> Watch {
        let cli = Cli::try_parse_from(["popfetch", "watch"].iter().chain(words)).unwrap();
        match cli.command {
            Some(Command::Watch(watch)) => watch,
            _ => panic!("{words:?}"),
        }
    }

    #[test]
    fn a_watch_is_well_as_long_as_it_says_so_and_is_nothing_once_it_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let dir = Dir::open(&Disk::new(), directory.path()).unwrap();
        let arguments = watch(&[]);
        let which = Which {
            config: None,
            arguments: &arguments,
        };
        let look = |now| Found::look(directory.path(), &which, at(now)).unwrap();
        assert_eq!(look(1000), Found::Nothing);
        let mut health = Health::take(&dir, &which, at(1000)).unwrap().ok().unwrap();
        let state = State {
            accounts: 3,
            running: 1,
            failing: 7,
            // As many as there would be.
            names: ["a", "b c", "d", "e", "f"].map(str::to_owned).to_vec(),
            ways: Way::of([("a", at(600))].into_iter(), &BTreeSet::new()),
        };
        health.beat(&state, at(2000)).unwrap();
        // A process does not lock itself out: the lock is that of the file as it was opened.
        assert_eq!(look(2180), Found::Well(state.clone()));
        let wanted = "watching 3 accounts, 1 being fetched; 7 failing: a, b c, d, e, f, ...";
        assert_eq!(look(2180).line(), wanted);
        let pid = std::process::id();
        let silent = at(181);
        assert_eq!(look(2181), Found::Silent { pid, silent });
        let line = look(2181).line();
        assert!(line.ends_with("has hung for 3 min 1 s"), "{line}");
        health.beat(&State::default(), at(2200)).unwrap();
        assert_eq!(look(2200), Found::Well(State::default()));
        drop(health);
        assert_eq!(look(2200), Found::Nothing);
    }

    #[test]
    fn the_same_words_name_the_same_watch_and_others_another() {
        let name = |words: &[&str], config: Option<&str>| {
            file_name(&Which {
                config: config.map(Into::into),
                arguments: &watch(words),
            })
        };
        assert_eq!(name(&[], None), "watch.status");
        assert_eq!(name(&["--jobs", "3", "--status"], None), "watch.status");
        assert_eq!(name(&["a", "b"], None), name(&["b", "a", "b"], None));
        let names = [
            name(&[], None),
            name(&[], Some("/c")),
            name(&["a"], None),
            name(&["a", "b"], None),
            name(&["--shard", "0/2"], None),
            name(&["--shard", "1/2"], None),
            name(&["--shard", "1/2", "a"], None),
        ];
        let different: std::collections::HashSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
    }
}
