//! fetchmail 6 and 7: `~/.fetchmailrc`, and one file of unique-ids for all accounts.

use super::files::{self, Surroundings};
use super::model::{Draft, Fate, Found, Line, Secret, Word};
use super::{Error, Wanted, common};
use crate::profile::Protocol;
use account::{Account, LMTP};
use grammar::{Says, Setting, Statement};
use keywords::Place;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod account;
mod grammar;
mod keywords;
mod settings;
mod tokens;
mod unique_ids;

const TOOL: &str = "fetchmail";

/// Accounts that are read at most: a config has some, and each is held against all others.
const MOST: usize = 1000;

/// Debian's service has its own files.
const SYSTEM: &str = "/etc/fetchmailrc";

pub(super) fn read(wanted: Wanted<'_>) -> Result<Found, Error> {
    let Wanted {
        path, seen, around, ..
    } = wanted;
    let home = home(around);
    let (directory, name) = match around.variable("FETCHMAILHOME") {
        Some(directory) => (PathBuf::from(directory), "fetchmailrc"),
        None => (home, ".fetchmailrc"),
    };
    let path = files::first(TOOL, path, &[directory.join(name)])?;
    let path = match path.is_dir() {
        true => path.join(name),
        false => path,
    };
    let text = files::config_of_words(TOOL, &path)?;
    let statements = grammar::statements(&path, &tokens::tokens(&path, &text)?)?;
    let config = Config::new(&path, &statements)?;
    let mut found = Found {
        files: vec![path.clone()],
        lines: config.lines(around),
        ..Found::default()
    };
    let ids = match (seen, &config.idfile) {
        (Some(path), _) => vec![path.to_owned()],
        (None, Some(file)) => vec![config.beside(file)],
        (None, None) if path == Path::new(SYSTEM) => vec![
            PathBuf::from("/var/lib/fetchmail/.fetchids"),
            PathBuf::from("/var/lib/fetchmail/.fetchmail-UIDL-cache"),
        ],
        (None, None) => vec![directory.join(".fetchids")],
    };
    let ids = unique_ids::UniqueIds::read(&ids)?;
    for account in config.accounts.iter().filter(|it| it.protocol().is_some()) {
        let mut draft = config.draft(account, around)?;
        if account.protocol() == Some(Protocol::Imap) {
            // It keeps no record of its own there.
            draft.left = false;
        } else if let Some(ids) = &ids {
            draft.names = ids.of(&account.user(around), account.host());
            draft.seen_file = Some(ids.path.clone());
        }
        found.drafts.push(draft);
    }
    common::note_shared(&mut found.drafts, TOOL);
    Ok(found)
}

/// Folders, and what is new in them.
fn set_imap(account: &Account<'_>, draft: &mut Draft) {
    draft.text("protocol", "imap");
    let named = account.settings.get("folder").into_iter();
    let named = named.flat_map(|it| &it.values);
    let folders: Vec<String> = named.map(|name| name.to_string()).collect();
    if !folders.is_empty() && folders != ["INBOX"] {
        draft.set("folders", Word::List(folders));
        draft.text("into", "inbox");
    }
    draft.differs.push(
        "fetchmail takes what is unread on the server for what is new, and keeps no list: popfetch fetches all \
         that is there once, and then what it has not fetched; `popfetch state mark-seen` before the first \
         fetch leaves all of it there"
            .into(),
    );
}

/// Where fetchmail looks for files of its user.
fn home(around: &Surroundings) -> PathBuf {
    match around.variable("HOME_ETC") {
        Some(path) => PathBuf::from(path),
        None => around.home.clone(),
    }
}

/// The keywords that are set, with what is behind them; of one that has a `no` before it, nothing is.
type Settings<'a> = BTreeMap<&'static str, &'a Setting>;

/// A config, every statement in its place.
struct Config<'a> {
    path: Arc<PathBuf>,
    statements: &'a [Statement],
    accounts: Vec<Account<'a>>,
    /// Statements of entries that are left out.
    left_out: Vec<std::ops::Range<usize>>,
    /// `set idfile`.
    idfile: Option<String>,
}

/// An entry: a server, and its users.
#[derive(Default)]
struct Entry<'a> {
    from: usize,
    poll: Option<(&'a str, bool)>,
    line: usize,
    server: Settings<'a>,
    users: Vec<Settings<'a>>,
    /// Options stand there without a user before them.
    nameless: bool,
}

const OTHER_PROTOCOL: &str = "this is no account of POP3 or IMAP, and is left out";

impl<'a> Config<'a> {
    fn new(path: &Path, statements: &'a [Statement]) -> Result<Self, Error> {
        let mut config = Self {
            path: Arc::new(path.to_owned()),
            statements,
            accounts: Vec::new(),
            left_out: Vec::new(),
            idfile: None,
        };
        let mut defaults = Settings::new();
        let mut entry: Option<Entry<'a>> = None;
        let mut any = false;
        for (index, statement) in statements.iter().enumerate() {
            let wrong = |what: &str| Err(Error::syntax(path, statement.line, what));
            match &statement.says {
                Says::Defaults | Says::Poll { .. } => {
                    config.end(entry.take(), index, &mut defaults, &mut any)?;
                    entry = Some(Entry {
                        from: index,
                        line: statement.line,
                        poll: match &statement.says {
                            Says::Poll { name, skip } => Some((name, *skip)),
                            _ => None,
                        },
                        ..Entry::default()
                    });
                }
                Says::Option(setting) if setting.place == Place::Global => {
                    config.end(entry.take(), index, &mut defaults, &mut any)?;
                    if setting.key == "idfile" {
                        config.idfile = setting.values.first().map(|file| file.to_string());
                    }
                }
                Says::Option(setting) => {
                    let Some(entry) = &mut entry else {
                        return wrong("this stands before any `poll`");
                    };
                    match (setting.place, setting.key) {
                        (Place::Server, _) if !entry.users.is_empty() => {
                            return wrong("a server's option stands behind those of a user");
                        }
                        (Place::Server, _) => {
                            entry.server.insert(setting.key, setting);
                            continue;
                        }
                        (_, "user") if entry.nameless => {
                            return wrong("a user's options stand before the first `user`");
                        }
                        (_, "user") => entry.users.push(Settings::new()),
                        (_, _) if entry.users.is_empty() => {
                            entry.users.push(Settings::new());
                            entry.nameless = true;
                        }
                        _ => {}
                    }
                    let named = matches!(setting.key, "user" | "is" | "to");
                    let key = match (named, setting.there) {
                        (true, true) => "user",
                        (true, false) => "is",
                        _ => setting.key,
                    };
                    if let Some(user) = entry.users.last_mut() {
                        user.insert(key, setting);
                    }
                }
            }
        }
        config.end(entry, statements.len(), &mut defaults, &mut any)?;
        Ok(config)
    }

    /// An entry is over: its users are accounts, with what they do not say from the defaults.
    fn end(
        &mut self,
        entry: Option<Entry<'a>>,
        to: usize,
        defaults: &mut Settings<'a>,
        any: &mut bool,
    ) -> Result<(), Error> {
        let Some(mut entry) = entry else {
            return Ok(());
        };
        if entry.users.is_empty() {
            entry.users.push(Settings::new());
        }
        let is_first = !std::mem::replace(any, true);
        let Some((poll, skip)) = entry.poll else {
            if !is_first {
                let what = "`defaults` stands behind a server, or twice";
                return Err(Error::syntax(&self.path, entry.line, what));
            }
            defaults.extend(entry.server);
            defaults.extend(entry.users.into_iter().flatten());
            return Ok(());
        };
        let alone = entry.users.len() == 1;
        for user in entry.users {
            let mut settings = defaults.clone();
            settings.extend(entry.server.clone());
            settings.extend(user);
            self.accounts.push(Account {
                poll,
                line: entry.line,
                skip,
                settings,
                alone,
            });
        }
        if self
            .accounts
            .last()
            .is_some_and(|last| last.protocol().is_none())
        {
            self.left_out.push(entry.from..to);
        }
        match self.accounts.len() > MOST {
            true => Err(Error::syntax(
                &self.path,
                entry.line,
                "this has too many accounts for a config",
            )),
            false => Ok(()),
        }
    }

    /// A file whose name is relative to the config's directory.
    fn beside(&self, file: &str) -> PathBuf {
        let directory = self.path.parent().unwrap_or(Path::new("/"));
        directory.join(file.strip_prefix("./").unwrap_or(file))
    }

    fn lines(&self, around: &Surroundings) -> Vec<Line> {
        let line = |(index, statement): (usize, &Statement)| {
            let is_left_out = self.left_out.iter().any(|of| of.contains(&index));
            let fate = match (&statement.says, is_left_out) {
                (_, true) => Fate::nothing(OTHER_PROTOCOL),
                (Says::Defaults, _) => Fate::taken("what follows is in each account below"),
                (Says::Poll { name, skip }, _) => self.server(index, name, *skip),
                (Says::Option(setting), _) => match self.lmtp_by(setting, around) {
                    Some(fate) => fate,
                    None => self.take(setting, &mut Draft::default(), around),
                },
            };
            Line {
                file: Arc::clone(&self.path),
                number: statement.line,
                text: statement.text.clone(),
                fate,
            }
        };
        self.statements.iter().enumerate().map(line).collect()
    }

    /// What becomes of a setting that says where an account's mail is sent by LMTP.
    fn lmtp_by(&self, setting: &Setting, around: &Surroundings) -> Option<Fate> {
        if !LMTP.contains(&setting.key) {
            return None;
        }
        let is_in = |account: &&Account<'_>| {
            let own = account.settings.get(setting.key);
            own.is_some_and(|own| std::ptr::eq(*own, setting))
        };
        let mut accounts = self.accounts.iter().filter(is_in);
        let fate = accounts.next()?.lmtp(&mut Draft::default(), around)?;
        match accounts.next() {
            None => Some(fate),
            Some(_) => Some(Fate::taken("deliver, as each account below has it")),
        }
    }

    /// What becomes of a server's name, which is its address where there is no `via`.
    fn server(&self, index: usize, name: &str, skip: bool) -> Fate {
        let behind = self.statements.get(index + 1..).unwrap_or_default();
        let mut behind = behind.iter().map_while(|statement| match &statement.says {
            Says::Option(setting) if setting.place == Place::Server => Some(setting.key),
            _ => None,
        });
        let host = match behind.any(|key| key == "via") {
            true => "a name for what follows".to_owned(),
            false => format!("host = {}", Word::Text(name.to_owned())),
        };
        Fate::taken(match skip {
            true => format!("{host}, disabled = true"),
            false => host,
        })
    }

    fn draft(&self, account: &Account<'_>, around: &Surroundings) -> Result<Draft, Error> {
        let user = account.user(around);
        if user.is_empty() {
            let what = "there is no user, and no login name that fetchmail would take for one";
            return Err(Error::syntax(&self.path, account.line, what));
        }
        let local = user.split_once('@').map_or(&*user, |(local, _)| local);
        let has_label = account.alone && account.settings.contains_key("via");
        let mut draft = Draft {
            name: match has_label {
                true => account.poll.to_owned(),
                false => local.to_owned(),
            },
            left: account.is_on("keep"),
            ..Draft::default()
        };
        let by_imap = account.protocol() == Some(Protocol::Imap);
        if by_imap {
            set_imap(account, &mut draft);
        }
        draft.text("host", account.host());
        if let Some(port) = account.value("service").and_then(settings::port) {
            draft.set("port", Word::Number(port));
        }
        draft.text("user", &user);
        self.encrypt(account, &mut draft);
        for (key, setting) in &account.settings {
            if !matches!(*key, "via" | "service" | "user" | "is") {
                self.take(setting, &mut draft, around);
            }
        }
        if account.lmtp(&mut draft, around).is_some() {
            let hunted = account.settings.get("smtphost");
            if hunted.is_some_and(|hosts| hosts.values.len() > 1) {
                draft.differs.push(
                    "fetchmail tries several servers to hand mail to; popfetch waits for the first"
                        .into(),
                );
            }
        }
        if by_imap && draft.get("keep") != Some("always") {
            draft.text("keep", "always");
            draft.differs.push(
                "fetchmail deletes what it has fetched, which is what was unread; popfetch would fetch and delete \
                 all that is there, and keep = \"always\" is written: see `keep`"
                    .into(),
            );
        } else if draft.get("keep").is_none() {
            draft.text("keep", "never");
            draft.differs.push(
                "fetchmail deletes what it has fetched unless told otherwise, popfetch does not: \
                 keep = \"never\" is written"
                    .into(),
            );
        }
        if account.skip {
            draft.set("disabled", Word::Flag(true));
        }
        self.sign_in(account, &mut draft, around);
        if draft.get("timeout").is_none() {
            common::note_timeout(&mut draft, TOOL, 300);
        }
        common::note_maildir(&mut draft, "fetchmail hands mail to a mail server");
        if !by_imap && account.value("protocol").is_none_or(settings::is_auto) {
            draft.differs.push(
                "fetchmail tries other protocols before POP3 unless told which it is; popfetch \
                 has POP3"
                    .into(),
            );
        }
        common::check_auth(&mut draft);
        Ok(draft)
    }

    /// TLS, and whether it begins at once.
    fn encrypt(&self, account: &Account<'_>, draft: &mut Draft) {
        let tls_port = match account.protocol() {
            Some(Protocol::Imap) => 993,
            _ => 995,
        };
        let version = account.value("sslproto");
        let mode = account.value("sslmode");
        let wrapped = match mode {
            Some(mode) => mode.eq_ignore_ascii_case("wrapped"),
            None => account.is_on("ssl"),
        };
        let none = match mode {
            Some(mode) => mode.eq_ignore_ascii_case("none"),
            None => version == Some(""),
        };
        if wrapped {
            return;
        }
        if none {
            common::without_tls(draft);
            draft.differs.push(common::plain(tls_port));
            return;
        }
        draft.text("tls", "starttls");
        let may_lack = match mode {
            Some(mode) => mode.eq_ignore_ascii_case("starttls=may"),
            None => version.is_none() && !account.is_on("sslcertck"),
        };
        if account.value("service").and_then(settings::port) == Some(u64::from(tls_port)) {
            draft.differs.push(format!(
                "on port {tls_port} TLS begins with the first octet on most servers: leave out `tls` then"
            ));
        } else if may_lack {
            draft.differs.push(
                "fetchmail may go on without TLS where the server has none; popfetch ends there"
                    .into(),
            );
        }
    }

    /// Where the password is, which fetchmail looks for in the netrc file under the server's name
    /// first.
    fn sign_in(&self, account: &Account<'_>, draft: &mut Draft, around: &Surroundings) {
        if !matches!(draft.secret, Secret::Nowhere) {
            return;
        }
        let etc = Surroundings {
            home: home(around),
            ..Surroundings::default()
        };
        match (
            common::netrc(account.host(), &etc),
            common::netrc(account.poll, &etc),
        ) {
            (Secret::Nowhere, Secret::Key(..)) => draft.differs.push(format!(
                ".netrc has the password under `{}`; popfetch looks for the host: copy it to \
                 `machine {}` and write password-netrc = true",
                account.poll,
                account.host()
            )),
            (Secret::Key(key, _), _) if etc.home != around.home => {
                let path = around.shown(&etc.home.join(".netrc"));
                draft.secret = Secret::Key(key, Word::Text(path));
            }
            (secret, _) => draft.secret = secret,
        }
    }
}
