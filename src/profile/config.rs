//! Loading the config file and choosing the accounts to work with.

use crate::handover::Recipient;
use crate::paths;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{self, Read};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use zeroize::Zeroizing;

use super::address::without_password;
use super::diagnose::ConfigError;
use super::file::Account;
use super::mailbox::HandingOn;
use super::overrides::Overrides;
use super::problem::{Problem, Source, Within};
use super::salvage::Fault;
use super::shape::{self, Shape};
use super::tables::File;
use super::{PasswordSource, Profile, Server, Typed, resolve, url};
use crate::term::quoted;
use crate::{named, private};

/// Ten thousand accounts take two or three MiB; what is larger than this is another file.
const SIZE_LIMIT: u64 = 16 << 20;

/// A loaded config file, or an empty one. Its syntax is right; whether an account makes sense is
/// told by [`Config::profile`], so that one bad account leaves the others alone.
#[derive(Debug)]
pub struct Config {
    pub(super) source: Option<Arc<Source>>,
    pub(super) file: File,
    /// It was named with `--config`.
    pub(super) is_named: bool,
    /// Found out once it is asked for.
    pub(super) handing_on: OnceLock<HandingOn>,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// It cannot be read, is larger than 16 MiB, is no TOML or has unknown tables or defaults; or it
    /// holds a password that others can get at.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let read_error = |source| ConfigError::Read {
            path: path.to_owned(),
            source,
        };
        let absolute = std::path::absolute(path).map_err(read_error)?;
        let mut open = named::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ConfigError::Missing(path.to_owned()),
            _ => read_error(error),
        })?;
        let metadata = open.metadata().map_err(read_error)?;
        let text = read(&mut open).map_err(read_error)?;

        let config = Self::from_text(&absolute, text)?;
        // Whoever may change it decides what is run, and whom a password is sent to.
        let open = match (config.file.holds_password, config.file.runs_commands) {
            (true, _) => 0o077,
            (false, true) => 0o022,
            (false, false) => 0o002,
        };
        refuse_exposed(&absolute, &metadata, open)?;
        Ok(config)
    }

    /// What a file of this absolute path and text would mean. Neither the file nor who may read it
    /// is looked at, so this is for text that comes from elsewhere, as in tests.
    ///
    /// # Errors
    ///
    /// It is no TOML or has unknown tables or defaults.
    pub fn from_text(path: &Path, text: Zeroizing<String>) -> Result<Self, ConfigError> {
        let source = Arc::new(Source {
            path: path.to_owned(),
            text,
        });
        let problem = |within, error: &_| Problem::from_toml(source.clone(), within, error);
        let file = File::parse(&source.text);
        let mistakes = file.mistakes.iter();
        let mistakes = mistakes.map(|it| Problem::of_syntax(source.clone(), it));
        let of_file = file
            .faults
            .iter()
            .map(|it| problem(Within::File, &it.error));
        let defaults = file.defaults.faults.iter();
        let of_defaults = defaults.map(|it| problem(Within::Defaults, &it.error));
        let wrong: Vec<_> = mistakes.chain(of_file).chain(of_defaults).collect();
        let config = Self {
            source: Some(source),
            file,
            ..Self::empty()
        };
        match ConfigError::of(config.with_what_accounts_have(wrong)) {
            Some(error) => Err(error),
            None => Ok(config),
        }
    }

    /// Where the file cannot be used, all that is wrong in it, so that it is mended in one go.
    fn with_what_accounts_have(&self, mut wrong: Vec<Problem>) -> Vec<Problem> {
        if wrong.is_empty() {
            return wrong;
        }
        let torn = &self.file.torn;
        let is_clear = |name: &&str| !self.is_disabled(name) && torn.spares(name);
        for name in self.accounts().filter(is_clear) {
            for problem in self.wrong_in(name) {
                let is_told = |it: &Problem| it.is_same(&problem) && it.within == problem.within;
                if !wrong.iter().any(is_told) {
                    wrong.push(problem);
                }
            }
        }
        wrong
    }

    /// What is wrong in an account. Where the defaults could not be read, or a table that may be theirs, these
    /// are keys and values by themselves: what goes with them may stand there.
    fn wrong_in(&self, name: &str) -> Vec<Problem> {
        if self.file.torn.knows_defaults() {
            let error = self.profile(name, &Overrides::default()).err();
            let problems = error.iter().flat_map(ConfigError::problems);
            return problems.cloned().collect();
        }
        let faults = self.file.accounts.get(name).map(|it| it.faults.iter());
        let problem = |fault: &Fault| {
            let within = Within::Account(name.to_owned());
            let source = self.source.clone()?;
            Some(Problem::from_toml(source, within, &fault.error))
        };
        faults.into_iter().flatten().filter_map(problem).collect()
    }

    /// A config without accounts, for those given as URLs.
    pub fn empty() -> Self {
        Self {
            source: None,
            file: File::default(),
            is_named: false,
            handing_on: OnceLock::new(),
        }
    }

    /// What a command needs: the file named with `--config`; or else the usual one, which may be
    /// missing where `accounts`, as given on the command line, are all URLs.
    ///
    /// # Errors
    ///
    /// As [`Config::load`]; [`ConfigError::NoAccounts`] if neither a file nor a URL says what to
    /// do.
    pub fn find(path: Option<&Path>, accounts: &[String]) -> Result<Self, ConfigError> {
        if !accounts.is_empty() && accounts.iter().all(|name| url::is_url(name)) {
            return path.map_or_else(|| Ok(Self::empty()), Self::load);
        }
        match path {
            Some(path) => Ok(Self {
                is_named: true,
                ..Self::load_with_accounts(path)?
            }),
            None => Self::usual(&paths::config_file()?),
        }
    }

    /// A config that another process of ours has read, checked, and written to a file in memory; `path` is
    /// what it was named by, if it was.
    ///
    /// # Errors
    ///
    /// As [`Config::from_text`], and where it cannot be read.
    pub fn read_before(path: Option<&Path>, file: BorrowedFd<'_>) -> Result<Self, ConfigError> {
        let usual = match path {
            Some(path) => path.to_owned(),
            None => paths::config_file()?,
        };
        let text = file.try_clone_to_owned().and_then(|file| {
            // The place in the file is shared with others who read it.
            let file = fs::File::from(file);
            let mut octets = Zeroizing::new(Vec::new());
            let mut file = ReadAt(&file, 0).take(SIZE_LIMIT + 1);
            file.read_to_end(&mut octets)?;
            text_of(octets)
        });
        let text = text.map_err(|source| ConfigError::Read {
            path: usual.clone(),
            source,
        })?;
        Ok(Self {
            is_named: path.is_some(),
            ..Self::from_text(&usual, text)?
        })
    }

    /// The usual file, which a newcomer does not have yet.
    fn usual(path: &Path) -> Result<Self, ConfigError> {
        match Self::load_with_accounts(path) {
            Err(ConfigError::Missing(path)) => Err(ConfigError::NoAccounts {
                path,
                exists: false,
            }),
            other => other,
        }
    }

    fn load_with_accounts(path: &Path) -> Result<Self, ConfigError> {
        let config = Self::load(path)?;
        if config.file.accounts.is_empty() {
            return Err(ConfigError::NoAccounts {
                path: path.to_owned(),
                exists: true,
            });
        }
        Ok(config)
    }

    /// The file's text; empty for an empty config.
    pub fn text(&self) -> &str {
        self.source
            .as_ref()
            .map_or("", |source| source.text.as_str())
    }

    /// The file's absolute path; none for an empty config.
    pub fn path(&self) -> Option<&Path> {
        self.source.as_ref().map(|source| source.path.as_path())
    }

    /// The names of all accounts, disabled ones too, in the order of the file.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        let mut names: Vec<_> = self.file.accounts.keys().collect();
        names.sort_by_key(|name| name.span().start);
        names.into_iter().map(|name| name.get_ref().as_str())
    }

    /// How it is written, where that is not as an account is.
    fn shape_of(&self, name: &str) -> Option<Shape> {
        self.file.shapes.get(name).copied()
    }

    /// The other accounts that are written as one.
    fn written_but<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let others = self.accounts().filter(move |it| *it != name);
        others.filter(|it| self.shape_of(it).is_none())
    }

    /// Whether the account has `disabled = true`, so that it is only used when named.
    pub fn is_disabled(&self, name: &str) -> bool {
        let disabled = |account: &Account| account.disabled.as_ref().map(|d| *d.get_ref());
        let account = self.file.accounts.get(name);
        let own = account.and_then(|account| disabled(&account.value));
        own.or_else(|| disabled(&self.file.defaults.value))
            .unwrap_or(false)
            || self.file.disabled.contains(name)
    }

    /// Whether an account's Maildir is named by a relative path and lies beside the file, where such
    /// paths were taken from once.
    pub fn is_beside(&self, profile: &Profile) -> bool {
        let account = self.file.accounts.get(profile.name.as_str());
        let own = account.and_then(|account| account.value.maildir.as_ref());
        let named = own.or(self.file.defaults.value.maildir.as_ref());
        let relative = named.is_some_and(|it| !it.get_ref().starts_with(['/', '~']));
        let directory = self.path().and_then(Path::parent);
        relative && directory.is_some_and(|directory| profile.maildir.starts_with(directory))
    }

    /// The validated profile of an account: what its table says, what `[defaults]` says for the
    /// rest, and the command line over both.
    ///
    /// # Errors
    ///
    /// There is no such account, or it does not make sense.
    pub fn profile(&self, name: &str, overrides: &Overrides) -> Result<Profile, ConfigError> {
        match (&self.source, self.file.accounts.get_key_value(name)) {
            (Some(source), Some((name, account))) => {
                let shape = self.shape_of(name.get_ref());
                shape::is_a_table(shape, source, name)?;
                let profile =
                    resolve::profile(source, name, account, &self.file.defaults, overrides);
                let profile = profile.map_err(|error| {
                    shape::or_of_another(shape, self.written_but(name.get_ref()), name, error)
                })?;
                let named = self.path().filter(|_| self.is_named);
                let addressee = self.addressee(&profile)?;
                Ok(Profile {
                    typed: Typed::account(named, overrides),
                    addressee,
                    ..profile
                })
            }
            _ => Err(ConfigError::UnknownAccount {
                name: name.to_owned(),
                known: self.accounts().map(str::to_owned).collect(),
            }),
        }
    }
}

/// Accounts under the names they are reported by: each with its profile, or why it has none.
pub type Selected = Vec<(String, Result<Profile, ConfigError>)>;

/// The profiles of the accounts named on the command line (names or URLs), in that order, each
/// once; of all that are not disabled where none is named. An account that cannot be used is an
/// error beside the others.
///
/// Of these, the ones that are in the shard, where the overrides name one.
///
/// The list is empty only if none is named and all are disabled, or where none is in the shard.
///
/// # Errors
///
/// Standard input is to be the password of more than one account, or a table belongs to no account.
pub fn select(
    config: &Config,
    accounts: &[String],
    overrides: &Overrides,
) -> Result<Selected, ConfigError> {
    shape::refuse_strays(&config.file.shapes, |name| {
        config.profile(name, &Overrides::default()).map(drop)
    })?;
    let mut named = HashSet::new();
    let names: Vec<&str> = if accounts.is_empty() {
        let enabled = |name: &&str| !config.is_disabled(name);
        config.accounts().filter(enabled).collect()
    } else {
        let names = accounts.iter().map(String::as_str);
        names.filter(|name| named.insert(*name)).collect()
    };
    if overrides.password == Some(PasswordSource::Stdin) && names.len() > 1 {
        return Err(ConfigError::CommandLine {
            message: "standard input has one password, but there are several accounts".into(),
            hint: "name one account with --password-stdin".into(),
        });
    }

    let in_shard = |name: &str| overrides.shard.is_none_or(|shard| shard.has(name));
    let mut taken: HashMap<Server, String> = HashMap::new();
    let mut resolve = |name: &str| {
        let profile = if url::is_url(name) {
            url::profile(name, overrides)
        } else {
            config.profile(name, overrides)
        }?;
        if let Some(first) = taken.get(&profile.server) {
            return Err(ConfigError::SameMaildrop {
                name: profile.name,
                first: first.clone(),
            });
        }
        taken.insert(profile.server.clone(), profile.name.clone());
        Ok(profile)
    };
    let mut selected: Selected = names
        .into_iter()
        .map(|name| {
            let profile = resolve(name);
            // A URL is reported under its profile's name, which has no password in it.
            let name = match &profile {
                Ok(profile) => profile.name.clone(),
                Err(_) => without_password(name),
            };
            (name, profile)
        })
        .filter(|(name, _)| in_shard(name))
        .collect();
    note_sharers(config, &mut selected);
    Ok(selected)
}

/// Notes which accounts append to the file of another. All of the config file are looked at once, and only where one
/// of these appends to any.
fn note_sharers(config: &Config, selected: &mut Selected) {
    let mut profiles = selected.iter().filter_map(|(_, it)| it.as_ref().ok());
    if !profiles.any(|it| shared(it).is_some()) {
        return;
    }
    let mut sharers: HashMap<String, Vec<String>> = HashMap::new();
    for name in config.accounts() {
        if let Ok(profile) = config.profile(name, &Overrides::default())
            && let Some(place) = shared(&profile)
        {
            sharers.entry(place).or_default().push(profile.server.id());
        }
    }
    for profile in selected.iter_mut().filter_map(|(_, it)| it.as_mut().ok()) {
        let id = profile.server.id();
        let sharers = shared(profile).and_then(|place| sharers.get(&place));
        if let (Some(deliver), Some(sharers)) = (&mut profile.deliver, sharers) {
            let others = sharers.iter().filter(|other| **other != id);
            deliver.beside = others.cloned().collect();
        }
    }
}

/// What others may append to as well.
fn shared(profile: &Profile) -> Option<String> {
    let to = &profile.deliver.as_ref()?.to;
    match to {
        Recipient::Mbox(_) => Some(to.to_string()),
        Recipient::Program(_) | Recipient::Lmtp(_) | Recipient::Folder(_) | Recipient::Stdout => {
            None
        }
    }
}

/// A file from a place of its own on.
struct ReadAt<'a>(&'a fs::File, u64);

impl Read for ReadAt<'_> {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read_at(octets, self.1)?;
        self.1 += count as u64;
        Ok(count)
    }
}

/// The text of a file that may be a config file.
pub(super) fn read(file: &mut fs::File) -> io::Result<Zeroizing<String>> {
    text_of(named::read(file, SIZE_LIMIT)?)
}

fn text_of(octets: Zeroizing<Vec<u8>>) -> io::Result<Zeroizing<String>> {
    if octets.len() as u64 > SIZE_LIMIT {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is larger than 16 MiB, so it is hardly a config file",
        ));
    }
    match std::str::from_utf8(&octets) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(error) => {
            let good = octets.get(..error.valid_up_to()).unwrap_or_default();
            let line = good.iter().filter(|octet| **octet == b'\n').count() + 1;
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("line {line} is not UTF-8 text"),
            ))
        }
    }
}

/// Fails where the file has one of these bits in its mode, or others can put another in its place.
fn refuse_exposed(path: &Path, metadata: &fs::Metadata, open: u32) -> Result<(), ConfigError> {
    let exposed = |reason, hint| {
        Err(ConfigError::Exposed {
            path: path.to_owned(),
            holds_password: open == 0o077,
            reason,
            hint,
        })
    };
    let shown = quoted(&path.display().to_string());
    let is_ours = metadata.uid() == rustix::process::geteuid().as_raw();
    let run = |command: &str| match is_ours {
        true => format!("run: {command} {shown}"),
        false => format!(
            "make a copy of {shown} that is your own, of mode 600, and name it with --config"
        ),
    };
    if !private::is_trusted(metadata.uid()) {
        return exposed("it belongs to someone else", run(""));
    }
    match metadata.mode() & open {
        0 => {}
        // A device or a pipe that was named; what it says is not kept anywhere.
        _ if !metadata.is_file() => return Ok(()),
        bits if bits & 0o022 == 0 => return exposed("others can read it", run("chmod 600")),
        _ if open == 0o077 => return exposed("others can change it", run("chmod 600")),
        _ => return exposed("others can change it", run("chmod go-w")),
    }
    let Some(directory) = private::replaceable_by(path) else {
        return Ok(());
    };
    let owner = fs::metadata(&directory).map_or(0, |it| it.uid());
    let shown = quoted(&directory.display().to_string());
    match private::is_trusted(owner) {
        true => exposed(
            "anyone may replace the file in its directory, or a directory above it",
            match owner == rustix::process::geteuid().as_raw() {
                true => format!("take the right to write from others: chmod o-w {shown}"),
                false => format!("take the right to write from others: sudo chmod o-w {shown}"),
            },
        ),
        false => exposed(
            "the owner of a directory above it may replace it",
            format!("keep it in a directory of your own; {shown} belongs to someone else"),
        ),
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
