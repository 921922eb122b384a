//! The fetches that a watch has started: this program anew for each, in a process and a confinement of its
//! own, with the config as the watch has it.

use super::service::SURROUNDINGS;
use crate::cli::Global;
use crate::process::{Group, Running};
use crate::system;
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long fetches have to end that were asked to: two seconds for what is under way, and some for
/// the disk.
pub(super) const PARTING: Duration = Duration::from_secs(15);

/// See the [module](self).
pub(super) struct Rounds {
    program: PathBuf,
    /// What holds for every fetch.
    options: Vec<String>,
    running: BTreeMap<String, Running>,
}

/// The config that fetches get: a file in memory, which stays as it was read.
pub(super) struct Text(File);

impl Text {
    pub(super) fn of(text: &str) -> io::Result<Self> {
        let mut file = system::file_in_memory("popfetch-config")?;
        file.write_all(text.as_bytes())?;
        Ok(Self(file))
    }
}

impl Rounds {
    /// # Errors
    ///
    /// The system does not say where this program is.
    pub(super) fn new(global: &Global) -> io::Result<Self> {
        let mut options = vec!["--config-on-stdin".to_owned(), "--no-progress".to_owned()];
        match global.verbose {
            0 => options.push("--quiet".to_owned()),
            more => options.extend((0..more).map(|_| "--verbose".to_owned())),
        }
        options.push(format!("--color={}", global.color.word()));
        Ok(Self {
            program: std::env::current_exe()?,
            options,
            running: BTreeMap::new(),
        })
    }

    /// How many run.
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    /// Starts an account's fetch, with this config, which was named so.
    pub(super) fn start(
        &mut self,
        name: &str,
        text: &Text,
        config: Option<&PathBuf>,
    ) -> io::Result<()> {
        let mut command = self.command(text, config)?;
        command.args(["fetch", "--jobs=1", "--", name]);
        command.stdout(Stdio::null());
        // Of its own: Ctrl-C is for the watch, which asks each to end, once.
        let running = Running::start(&mut command, Group::Own)?;
        self.running.insert(name.to_owned(), running);
        Ok(())
    }

    /// The program anew, with what holds for every command.
    pub(super) fn command(&self, text: &Text, config: Option<&PathBuf>) -> io::Result<Command> {
        let mut command = Command::new(&self.program);
        command.args(&self.options);
        if let Some(config) = config {
            command.arg("--config").arg(config);
        }
        SURROUNDINGS.iter().for_each(|name| {
            command.env_remove(name);
        });
        command.stdin(text.0.try_clone()?);
        Ok(command)
    }

    /// Whether what its programs say in private is wanted.
    pub(super) fn is_verbose(&self) -> bool {
        self.options.iter().any(|it| it == "--verbose")
    }

    /// Those that have ended, each with its exit status; `None` for one that a signal has ended.
    pub(super) fn ended(&mut self) -> Vec<(String, Option<i32>)> {
        let ended = self
            .running
            .extract_if(.., |_, it| !matches!(it.status(), Ok(None)));
        let ended = ended.map(|(name, mut it)| {
            let status = it.status().ok().flatten();
            (name, status.and_then(|status| status.code()))
        });
        ended.collect()
    }

    /// Asks all to end, and waits for them; one that does not is killed, which loses nothing.
    pub(super) fn end(mut self) {
        for running in self.running.values() {
            running.ask(Signal::TERM);
        }
        let deadline = Instant::now() + PARTING;
        for running in self.running.values_mut() {
            running.ends_within(deadline.saturating_duration_since(Instant::now()));
        }
    }
}
