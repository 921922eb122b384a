//! getmail 4 to 6: an INI file an account, and beside it the unique-ids in a file named after the
//! server.

use super::files::{self, Surroundings};
use super::ini::{self, Section};
use super::model::{Draft, Fate, Found, Line, Secret, Word};
use super::{Error, Wanted, common};
use crate::profile::units;
use crate::secrets::Password;
use crate::term::quoted;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

mod destination;
mod keep;
mod lines;
mod mailboxes;
mod seen;

const TOOL: &str = "getmail";

/// Config files that are read of a directory at most: each is an account.
const MOST_FILES: usize = 1000;

pub(super) fn read(wanted: Wanted<'_>) -> Result<Found, Error> {
    let Wanted { path, around, .. } = wanted;
    let usual = [
        around.config_home().join("getmail"),
        around.home.join(".getmail"),
    ];
    let path = files::first(TOOL, path, &usual)?;
    let (directory, configs) = match path.is_dir() {
        true => (path.clone(), configs_in(&path)),
        false => {
            let parent = path.parent().unwrap_or(Path::new("/"));
            (parent.to_owned(), vec![path.clone()])
        }
    };
    let mut found = Found {
        files: configs.clone(),
        ..Found::default()
    };
    let mut accounts = Vec::new();
    for config in configs.iter().take(MOST_FILES) {
        let text = files::config(TOOL, config)?;
        let account = Account::parse(config, &text)?;
        account.lines(around, &mut found.lines);
        if account.is_pop() || account.is_imap() {
            found.drafts.push(account.draft(around)?);
            accounts.push(account);
        }
    }
    seen::take(&mut found.drafts, &accounts, &directory, wanted)?;
    if let (Some(draft), true) = (found.drafts.first_mut(), path.is_dir()) {
        draft.differs.extend(left_beside(&path, &configs));
    }
    match configs.is_empty() {
        true => Err(Error::Missing {
            tool: TOOL,
            looked: vec![path.join("getmailrc")],
        }),
        false => Ok(found),
    }
}

/// `getmailrc`, or else all that does not look like something else.
fn configs_in(directory: &Path) -> Vec<PathBuf> {
    let usual = directory.join("getmailrc");
    match usual.is_file() {
        true => vec![usual],
        false => all_in(directory),
    }
}

/// What to say of the accounts in a directory that are not among those that are read.
fn left_beside(directory: &Path, read: &[PathBuf]) -> Option<String> {
    let is_account = |path: &PathBuf| {
        let text = files::config(TOOL, path).ok();
        text.is_some_and(|text| Account::parse(path, &text).is_ok())
    };
    let others = all_in(directory).into_iter().take(MOST_FILES);
    let others = others.filter(|path| !read.contains(path) && is_account(path));
    let commands: Vec<String> = others
        .map(|path| {
            format!(
                "popfetch import getmail {}",
                quoted(&path.display().to_string())
            )
        })
        .collect();
    (!commands.is_empty()).then(|| {
        format!(
            "without --rcfile getmail reads getmailrc alone, and so does this; the files beside it are taken by: {}",
            commands.join("; ")
        )
    })
}

/// All that does not look like something else.
fn all_in(directory: &Path) -> Vec<PathBuf> {
    let is_config = |name: &String| {
        let other = name.starts_with("oldmail-") || name.starts_with(['.', '#']);
        let ends = [".json", "~", "#", ".swp", ".bak"];
        !other && !ends.iter().any(|end| name.ends_with(end))
    };
    let names = files::names(directory).into_iter().filter(is_config);
    let paths = names.map(|name| directory.join(name));
    paths.filter(|path| path.is_file()).collect()
}

/// A config file, which is an account.
struct Account {
    path: Arc<PathBuf>,
    sections: Vec<Section>,
}

impl Account {
    fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let sections = ini::parse(path, text)?;
        if !sections.iter().any(|section| section.name == "retriever") {
            return Err(Error::syntax(path, 1, "there is no section [retriever]"));
        }
        Ok(Self {
            path: Arc::new(path.to_owned()),
            sections,
        })
    }

    fn get(&self, section: &str, key: &str) -> Option<&str> {
        let of = |name: &str| {
            let section = self.sections.iter().find(|it| it.name == name);
            section.and_then(|section| section.get(key))
        };
        // getmail clears the defaults once it has read its options.
        let default = || (section == "options").then(|| of("DEFAULT")).flatten();
        of(section)
            .or_else(default)
            .filter(|value| !value.is_empty())
    }

    fn line_of(&self, section: &str, key: &str) -> usize {
        let section = self.sections.iter().find(|it| it.name == section);
        let entry = section.and_then(|it| it.entries.iter().find(|entry| entry.key == key));
        entry.map_or(1, |entry| entry.line)
    }

    fn flag(&self, key: &str, usual: bool) -> bool {
        self.get("options", key).map_or(usual, is_true)
    }

    fn number(&self, key: &str) -> u64 {
        let number = self.get("options", key).and_then(|it| it.parse().ok());
        number.unwrap_or_default()
    }

    fn kind(&self) -> &str {
        self.get("retriever", "type").unwrap_or_default()
    }

    fn is_pop(&self) -> bool {
        self.kind().contains("POP3") || self.kind().contains("SDPS")
    }

    fn is_imap(&self) -> bool {
        self.kind().contains("IMAP")
    }

    fn is_tls(&self) -> bool {
        self.kind().contains("SSL")
    }

    /// Numbers stand for messages where there are no unique-ids.
    fn has_no_unique_ids(&self) -> bool {
        self.kind().starts_with("BrokenUIDL")
    }

    fn lines(&self, around: &Surroundings, lines: &mut Vec<Line>) {
        for section in &self.sections {
            for entry in &section.entries {
                let fate = self.fate(section, entry, around);
                let value = match entry.key.as_str() {
                    "password" => "***".to_owned(),
                    // A misspelt `password`, perhaps.
                    _ if fate == lines::unknown() => "***".to_owned(),
                    _ => entry.value.replace('\n', " "),
                };
                lines.push(Line {
                    file: Arc::clone(&self.path),
                    number: entry.line,
                    text: format!("{} = {value}", entry.key),
                    fate,
                });
            }
            if section.entries.is_empty() {
                lines.push(Line {
                    file: Arc::clone(&self.path),
                    number: section.line,
                    text: format!("[{}]", section.name),
                    fate: Fate::taken("nothing is in it"),
                });
            }
        }
    }

    fn draft(&self, around: &Surroundings) -> Result<Draft, Error> {
        let wrong = |what: &str| Error::syntax(&self.path, 1, what);
        let get = |key: &str| self.get("retriever", key);
        let host = get("server").ok_or_else(|| wrong("there is no `server`"))?;
        let user = get("username").ok_or_else(|| wrong("there is no `username`"))?;
        let file = self.path.file_name().map(|name| name.to_string_lossy());
        let mut draft = Draft {
            name: match file.as_deref() {
                None | Some("getmailrc") => user
                    .split_once('@')
                    .map_or(user, |(local, _)| local)
                    .to_owned(),
                Some(name) => name.to_owned(),
            },
            dashes: true,
            ..Draft::default()
        };
        if self.is_imap() {
            draft.text("protocol", "imap");
            draft.dashes = false;
        }
        draft.text("host", host);
        if let Some(port) = get("port") {
            let port = port.parse().ok().filter(|port| *port <= 65535);
            draft.set(
                "port",
                Word::Number(port.ok_or_else(|| wrong("`port` is no port"))?),
            );
        }
        draft.text("user", user);
        if !self.is_tls() {
            common::without_tls(&mut draft);
            draft.differs.push(common::plain(self.tls_port()));
        }
        draft.secret = self.secret(host, around)?;
        if let Some(auth) = self.auth() {
            draft.text("auth", auth);
        }
        match get("timeout").map(str::parse) {
            Some(Ok(number @ 1..)) => {
                draft.text("timeout", seconds(number));
            }
            Some(_) => {}
            None => common::note_timeout(&mut draft, TOOL, 180),
        }
        for (theirs, ours) in [
            ("ca_certs", "tls-roots"),
            ("certfile", "tls-client-cert"),
            ("keyfile", "tls-client-key"),
        ] {
            if let Some(path) = get(theirs) {
                draft.text(ours, expanded(path, around));
            }
        }
        if let Some(name) = get("ssl_cert_hostname") {
            draft.text("tls-server-name", name);
        }
        if self.is_tls() && get("ca_certs").is_none() {
            draft.differs.push(
                "getmail verified no certificate here, as there is no ca_certs; popfetch verifies \
                 each"
                    .into(),
            );
        }
        if let (Some("Maildir"), Some(path)) = (
            self.get("destination", "type"),
            self.get("destination", "path"),
        ) {
            draft.text("maildir", maildir(path, around));
        }
        match self.get("destination", "type") {
            Some("MDA_external") => drop(self.program(&mut draft)),
            Some("Mboxrd") => drop(self.mbox(&mut draft, around)),
            Some("MDA_lmtp") => drop(self.lmtp(&mut draft)),
            _ => {}
        }
        if self.is_imap() {
            self.set_folders(&mut draft)?;
        }
        self.set_keep(&mut draft);
        if let octets @ 1.. = self.number("max_message_size") {
            draft.text("max-size", units::octets(octets));
        }
        if self.get("options", "read_all").is_none() {
            draft.differs.push(
                "getmail fetches all mail in each run unless told otherwise (read_all), popfetch \
                 what is new"
                    .into(),
            );
        }
        common::check_auth(&mut draft);
        Ok(draft)
    }

    fn secret(&self, host: &str, around: &Surroundings) -> Result<Secret, Error> {
        if let Some(password) = self.get("retriever", "password") {
            return Ok(Secret::Inline(Password::new(password.to_owned())));
        }
        if let Some(command) = self.get("retriever", "password_command") {
            let argv = ini::tuple(command).filter(|argv| !argv.is_empty());
            let mut argv = argv.ok_or_else(|| {
                let line = self.line_of("retriever", "password_command");
                Error::syntax(&self.path, line, "`password_command` is no tuple of texts")
            })?;
            if let Some(program) = argv.first_mut().filter(|word| word.contains('/')) {
                *program = absolute(program, around);
            }
            return Ok(Secret::Key("password-command", Word::List(argv)));
        }
        if self.flag("use_netrc", false) {
            let word = match self.get("options", "netrc_file") {
                Some(path) => Word::Text(expanded(path, around)),
                None => Word::Flag(true),
            };
            return Ok(Secret::Key("password-netrc", word));
        }
        Ok(match self.auth() {
            Some("xoauth2") => Secret::Login,
            _ => common::netrc(host, around),
        })
    }

    /// The method to sign in with, where one is named.
    fn auth(&self) -> Option<&'static str> {
        let is = |key: &str| self.get("retriever", key).is_some_and(is_true);
        match self.is_imap() {
            true if is("use_cram_md5") => Some("cram-md5"),
            true if is("use_xoauth2") => Some("xoauth2"),
            true => None,
            false => is("use_apop").then_some("apop"),
        }
    }
}

/// Python's words for yes.
fn is_true(value: &str) -> bool {
    ["1", "yes", "true", "on"].contains(&value.to_lowercase().as_str())
}

fn seconds(seconds: u64) -> String {
    units::duration(Duration::from_secs(seconds))
}

fn days(days: u64) -> String {
    match days {
        1 => "1 day".to_owned(),
        _ => format!("{days} days"),
    }
}

/// `~` and variables, as getmail expands them.
fn expanded(text: &str, around: &Surroundings) -> String {
    around.rewritten(&with_variables(text, around))
}

/// A Maildir's path ends with `/` there.
fn maildir(text: &str, around: &Surroundings) -> String {
    expanded(text, around)
}

fn absolute(text: &str, around: &Surroundings) -> String {
    let path = around.path(&with_variables(text, around));
    path.display().to_string()
}

/// `$NAME` and `${NAME}`, where they are set.
fn with_variables(text: &str, around: &Surroundings) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        let (name, behind) = match after.strip_prefix('{').and_then(|it| it.split_once('}')) {
            Some(split) => split,
            None => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                after.split_at(end.unwrap_or(after.len()))
            }
        };
        let home = || (name == "HOME").then(|| around.home.display().to_string());
        match around.variables.get(name).cloned().or_else(home) {
            Some(value) => {
                expanded.push_str(&value);
                rest = behind;
            }
            None => {
                expanded.push('$');
                rest = after;
            }
        }
    }
    expanded + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_those_of_getmail() {
        let mut around = Surroundings {
            home: "/home/jane".into(),
            ..Surroundings::default()
        };
        around.variables.insert("X".into(), "y".into());
        assert_eq!(with_variables("$X/${X}z/$NO$", &around), "y/yz/$NO$");
        assert_eq!(expanded("$HOME/Mail/", &around), "~/Mail");
    }
}
