//! What an import would write: checked as a whole before anything is.

use super::super::fail::Failure;
use crate::exit::Status;
use crate::import::{self, Draft, Found, Line, MAILDIR, Secret, Tool};
use crate::profile::draft::shown;
use crate::profile::{Config, ConfigError, Overrides, Profile, Proxy, edit};
use crate::secrets::keyring;
use crate::source::folders::{Folders, Named, Word};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// See the [module](self).
pub(super) struct Plan {
    pub(super) tool: Tool,
    pub(super) lines: Vec<Line>,
    pub(super) accounts: Vec<Planned>,
    /// The config file, and its text as it is.
    pub(super) config: PathBuf,
    pub(super) text: String,
}

/// An account that makes sense.
pub(super) struct Planned {
    pub(super) draft: Draft,
    /// Its keys in the config file; a password that has yet to be moved is in the keyring.
    pub(super) keys: Vec<(&'static str, import::Word)>,
    pub(super) profile: Profile,
    pub(super) novelty: Novelty,
    /// A password that moves goes into a file.
    pub(super) has_no_keyring: bool,
    /// Folders that the tool fetches, and the account in the config does not.
    pub(super) unfetched: Vec<String>,
    /// It has the address of another account, but is reached in another way: nothing is taken of it.
    pub(super) is_apart: bool,
}

/// Whether an account is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Novelty {
    /// It is.
    New,
    /// The config has this maildrop already, under this name.
    Here(String),
    /// The source has it already, under this name.
    Twice(String),
}

impl Planned {
    /// Whether its state is written to.
    pub(super) fn brings_state(&self) -> bool {
        let second = matches!(self.novelty, Novelty::Twice(_));
        let awaits = self.draft.left && self.novelty == Novelty::New;
        let has = !self.draft.names.is_empty() || self.draft.kept.messages > 0;
        !second && (awaits || has)
    }
}

impl Plan {
    pub(super) fn new(tool: Tool, found: Found, config: PathBuf) -> Result<Self, Failure> {
        let (text, known) = existing(&config)?;
        let defaults = edit::default_keys(&text);
        let mut accounts: Vec<Planned> = Vec::new();
        let moves = |draft: &Draft| matches!(draft.secret, Secret::Inline(_));
        let has_no_keyring = found.drafts.iter().any(moves) && keyring::is_absent();
        for mut draft in found.drafts {
            draft.name = unused(&draft, &accounts);
            let of = |draft: &Draft| {
                let file = has_no_keyring.then(|| edit::password_file(&config, &draft.name));
                let keys = keys(draft, &defaults, file.as_deref());
                // The names of others do not matter to what this one means.
                let alone = edit::with_account(&defaults.text, &draft.name, edit::keyed(&keys))?;
                let parsed = Config::from_text(&config, Zeroizing::new(alone))?;
                let profile = parsed
                    .profile(&draft.name, &Overrides::default())
                    .map_err(|error| makes_no_sense(tool, &draft.name, &error))?;
                Ok::<_, Failure>((keys, profile))
            };
            let (keys, profile) = of(&draft)?;
            let is_first = |other: &&mut Planned| {
                other.profile.server == profile.server
                    && !matches!(other.novelty, Novelty::Twice(_))
            };
            let here = known
                .iter()
                .find(|it| it.server.as_ref() == Some(&profile.server.id()));
            let mut is_apart = false;
            let novelty = if let Some(first) = accounts.iter_mut().find(is_first) {
                is_apart = !first.draft.is_reached_like(&draft);
                if !is_apart {
                    first.draft.take_in(&draft, &draft.name)?;
                    (first.keys, first.profile) = of(&first.draft)?;
                }
                Novelty::Twice(match &first.novelty {
                    Novelty::New => first.draft.name.clone(),
                    Novelty::Here(name) | Novelty::Twice(name) => name.clone(),
                })
            } else if let Some(it) = here {
                let (own, theirs) = (&profile.way.proxy, &it.proxy);
                let is_command = |it: &Option<Proxy>| matches!(it, Some(Proxy::Command(_)));
                is_apart = is_command(own) && is_command(theirs) && own != theirs;
                match is_apart {
                    true => Novelty::Twice(it.name.clone()),
                    false => Novelty::Here(it.name.clone()),
                }
            } else if known.iter().any(|it| it.name == draft.name) {
                return Err(name_taken(&config, &draft.name));
            } else {
                Novelty::New
            };
            accounts.push(Planned {
                draft,
                keys,
                profile,
                novelty,
                has_no_keyring,
                unfetched: Vec::new(),
                is_apart,
            });
        }
        for planned in &mut accounts {
            let maildir = shown(&planned.profile.maildir);
            for remark in &mut planned.draft.differs {
                *remark = remark.replace(MAILDIR, &maildir);
            }
            if let Novelty::Here(name) = &planned.novelty {
                let it = known.iter().find(|it| it.name == *name);
                let folders = it.and_then(|it| it.folders.as_ref());
                planned.unfetched = folders
                    .map(|it| unfetched(&planned.draft, it))
                    .unwrap_or_default();
            }
        }
        Ok(Self {
            tool,
            lines: found.lines,
            accounts,
            config,
            text,
        })
    }
}

/// An account of the config.
struct Known {
    name: String,
    /// The maildrop that it stands for.
    server: Option<String>,
    folders: Option<Folders>,
    proxy: Option<Proxy>,
}

/// The config's text, and its accounts.
fn existing(path: &Path) -> Result<(String, Vec<Known>), Failure> {
    let config = match Config::load(path) {
        Err(ConfigError::Missing(_)) => return Ok((String::new(), Vec::new())),
        config => config?,
    };
    let known = config.accounts().map(|name| {
        let profile = config.profile(name, &Overrides::default()).ok();
        Known {
            name: name.to_owned(),
            server: profile.as_ref().map(|profile| profile.server.id()),
            folders: profile.as_ref().map(|profile| profile.folders.clone()),
            proxy: profile.and_then(|profile| profile.way.proxy),
        }
    });
    let known = known.collect();
    Ok((config.text().to_owned(), known))
}

/// What a draft names that these folders do not mean.
fn unfetched(draft: &Draft, folders: &Folders) -> Vec<String> {
    let is_meant = |text: &String| {
        let Ok(word) = text.parse::<Word>() else {
            return false;
        };
        let named = Named {
            plain: text,
            slashed: text,
            uses: &[],
        };
        folders
            .wanted()
            .iter()
            .any(|it| *it == word || it.names(named))
    };
    draft
        .folders()
        .into_iter()
        .filter(|it| !is_meant(it))
        .collect()
}

/// The keys of a draft, those included that `[defaults]` would make something else of. `file`: where its
/// password moves to where there is no keyring.
fn keys(
    draft: &Draft,
    defaults: &edit::Defaults,
    file: Option<&Path>,
) -> Vec<(&'static str, import::Word)> {
    let mut keys = draft.keys.clone();
    hold(draft, &mut keys);
    match &draft.secret {
        Secret::Nowhere | Secret::Login => {}
        Secret::Inline(_) => keys.push(match file {
            Some(file) => (
                "password-file",
                import::Word::Text(file.display().to_string()),
            ),
            None => ("password-keyring", import::Word::Flag(true)),
        }),
        Secret::Key(key, word) => keys.push((*key, word.clone())),
    }
    let text = |word: &str| import::Word::Text(word.to_owned());
    let port = match (draft.get("protocol"), draft.get("tls")) {
        (Some("imap"), Some(_)) => 143,
        (Some("imap"), None) => 993,
        (_, Some(_)) => 110,
        (_, None) => 995,
    };
    for (key, usual) in [
        ("tls", text("implicit")),
        ("port", import::Word::Number(port)),
        ("auth", text("auto")),
        ("maildir", text("~/Mail/{account}")),
        ("keep", text("always")),
        ("timeout", text("60 s")),
        ("tls-roots", text("system")),
        ("pipelining", text("auto")),
    ] {
        let lacks = keys.iter().all(|(known, _)| *known != key);
        if lacks && defaults.keys.iter().any(|known| known == key) {
            keys.push((key, usual));
        }
    }
    keys
}

/// Leaves out what would come again.
fn hold(draft: &Draft, keys: &mut Vec<(&'static str, import::Word)>) {
    if draft.held.is_empty() {
        return;
    }
    if let Some((_, import::Word::List(excluded))) =
        keys.iter_mut().find(|(key, _)| *key == "exclude")
    {
        let new = draft.held.iter().filter(|it| !excluded.contains(it));
        let new: Vec<String> = new.cloned().collect();
        excluded.extend(new);
        return;
    }
    let behind = keys.iter().position(|(key, _)| *key == "folders");
    if let Some(at) = behind {
        keys.insert(at + 1, ("exclude", import::Word::List(draft.held.clone())));
    }
}

/// A name that no account before has, unless it is the same.
fn unused(draft: &Draft, accounts: &[Planned]) -> String {
    let name = safe(&draft.name);
    let taken = |name: &str| accounts.iter().any(|other| other.draft.name == name);
    if !taken(&name) {
        return name;
    }
    let host = safe(draft.get("host").unwrap_or_default());
    let candidates = (2..).map(|number| format!("{name}-{number}"));
    let mut candidates = std::iter::once(format!("{name}@{host}")).chain(candidates);
    candidates.find(|name| !taken(name)).unwrap_or(name)
}

/// A name that an account may have.
fn safe(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|c| if c == '/' || c.is_control() { '_' } else { c })
        .take(100)
        .collect();
    match name.trim_start_matches('-') {
        "" | "." | ".." => "account".to_owned(),
        name => name.to_owned(),
    }
}

fn makes_no_sense(tool: Tool, name: &str, error: &ConfigError) -> Failure {
    // The place that it names is in no file yet.
    let what = error.bare_reason();
    Failure::new(
        Status::Config,
        format!("{}: account `{name}`: {what}", tool.word()),
        "mend it there, or import a copy in which it is right; nothing was changed",
    )
}

fn name_taken(config: &Path, name: &str) -> Failure {
    Failure::new(
        Status::Config,
        format!(
            "{} has an account `{name}` already, which is another mailbox",
            config.display()
        ),
        "give that one another name (what it has fetched stays known; write out its `maildir` if \
         that comes from its name), and import again; nothing was changed",
    )
}
