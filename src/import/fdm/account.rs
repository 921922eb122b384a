//! `account NAME ...`: what is said of each part of it, and what of it a draft is made of.

use super::lex::Kind;
use super::parser::{Parser, Words};
use super::values::{Tags, Value};
use super::{Error, Fate};
use std::path::PathBuf;
use std::sync::Arc;

/// An account that mail is fetched from by POP3 or IMAP.
#[derive(Default)]
pub(super) struct Account {
    pub(super) name: String,
    /// Where it stands.
    pub(super) file: Arc<PathBuf>,
    pub(super) line: usize,
    pub(super) disabled: bool,
    pub(super) by_imap: bool,
    pub(super) tls: Tls,
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) user: Option<String>,
    pub(super) pass: Option<Value>,
    /// As the server calls them; the inbox alone where none is named.
    pub(super) folders: Vec<String>,
    /// `new-only` or `old-only`: by POP3 it keeps a list of what it has fetched, by IMAP it goes by what
    /// has been read.
    pub(super) remembers: bool,
    /// `old-only`: what is new stays on the server, unfetched.
    pub(super) leaves_new: bool,
    pub(super) cache: Option<PathBuf>,
    pub(super) keep: bool,
    /// `no-verify`.
    pub(super) unverified: bool,
    pub(super) no_uidl: bool,
    /// It is no account of POP3 or IMAP, or what it needs is said by a command.
    pub(super) left_out: bool,
}

impl Account {
    /// The folders that mail comes from, as the server calls them.
    pub(super) fn all_folders(&self) -> Vec<&str> {
        match self.folders.is_empty() {
            true => vec!["INBOX"],
            false => self.folders.iter().map(String::as_str).collect(),
        }
    }

    /// The one that all mail comes from, by IMAP.
    pub(super) fn only_folder(&self) -> Option<&str> {
        match self.all_folders()[..] {
            [only] if self.by_imap => Some(only),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Tls {
    #[default]
    None,
    Start,
    Implicit,
}

/// Of what no profile has.
const BY_COMMAND: &str = "a command says it, which is not run: the account is left out";

/// What accounts of newsgroups may have.
const OF_NEWS: &[&str] = &[
    "server",
    "port",
    "user",
    "pass",
    "group",
    "groups",
    "cache",
    "no-verify",
    "insecure",
    "keep",
];

impl Parser<'_> {
    pub(super) fn account(&mut self, words: &mut Words) -> Result<(), Error> {
        let start = words.at();
        let line = words.peek().map_or(1, |token| token.line);
        words.next();
        let name = self.value(words, "account has no name")?;
        let name = name.said(&Tags::new(self.around));
        let name = name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| words.wrong("the account's name is not known"))?;
        if self.accounts.iter().any(|other| other.name == name) {
            return Err(words.wrong("an account of this name stands further up"));
        }
        let named = start..words.at();
        let first = self.lines.len();
        let mut account = Account {
            file: Arc::clone(&words.file),
            line,
            ..Account::default()
        };
        self.tell(words, named, &Fate::taken(format!("account {name}")));
        account.name = name;
        self.clause(words, |parser, words| {
            account.disabled = words.skip("disabled");
            Ok(match account.disabled {
                true => Some(parser.key("disabled", "true")),
                false => None,
            })
        })?;
        self.clause(words, |parser, words| {
            if !words.skip_any(&["user", "users"]) {
                return Ok(None);
            }
            parser.values(words, "a user is missing")?;
            Ok(Some(Fate::nothing(
                "mail is stored as you, whoever starts popfetch",
            )))
        })?;
        let kind = words.peek().map(|token| token.kind.clone());
        let Some(Kind::Word(kind)) = kind else {
            return Err(words.wrong("the account's type is missing"));
        };
        match kind.as_str() {
            "pop3" | "pop3s" | "imap" | "imaps" => self.mailbox(words, &mut account)?,
            "nntp" | "nntps" => self.news(words, &mut account, first)?,
            "stdin" | "maildir" | "maildirs" | "mbox" | "mboxes" => {
                self.local(words, &mut account, first)?;
            }
            _ => return Err(words.wrong("fdm has no such type of account")),
        }
        if account.left_out {
            let lines = self.lines.get_mut(first..).unwrap_or_default();
            for line in lines
                .iter_mut()
                .filter(|line| !matches!(line.fate, Fate::Nothing(_)))
            {
                line.fate = Fate::nothing("this account is left out");
            }
        }
        self.accounts.push(account);
        Ok(())
    }

    /// A part of a statement with a fate of its own; nothing where it is not there.
    fn clause(
        &mut self,
        words: &mut Words,
        read: impl FnOnce(&mut Self, &mut Words) -> Result<Option<Fate>, Error>,
    ) -> Result<bool, Error> {
        let start = words.at();
        let fate = read(self, words)?;
        if let Some(fate) = &fate {
            self.tell(words, start..words.at(), fate);
        }
        Ok(fate.is_some())
    }

    /// An account of a mailbox on a server.
    fn mailbox(&mut self, words: &mut Words, account: &mut Account) -> Result<(), Error> {
        let at = self.lines.len();
        self.clause(words, |_, words| {
            let is = |kinds: [&str; 2]| {
                let kind = words.peek();
                kind.is_some_and(|token| kinds.iter().any(|kind| token.is(kind)))
            };
            account.by_imap = is(["imap", "imaps"]);
            account.tls = match is(["pop3s", "imaps"]) {
                true => Tls::Implicit,
                false => Tls::None,
            };
            words.next();
            Ok(Some(Fate::taken(match (account.by_imap, account.tls) {
                (true, Tls::Implicit) => "protocol = \"imap\", TLS from the first octet",
                (true, _) => "protocol = \"imap\", tls = \"none\"",
                (false, Tls::Implicit) => "TLS from the first octet",
                (false, _) => "tls = \"none\"",
            })))
        })?;
        while self.clause(words, |parser, words| {
            parser.clause_of_mailbox(words, account)
        })? {}
        if let (Tls::Start, Some(line)) = (account.tls, self.lines.get_mut(at)) {
            line.fate = Fate::taken(match account.by_imap {
                true => "protocol = \"imap\", see starttls",
                false => "POP3, see starttls",
            });
        }
        match (&account.host, account.left_out) {
            (None, false) => Err(words.wrong("the account has no server")),
            _ => Ok(()),
        }
    }

    fn clause_of_mailbox(
        &mut self,
        words: &mut Words,
        account: &mut Account,
    ) -> Result<Option<Fate>, Error> {
        let Some(Kind::Word(word)) = words.peek().map(|token| token.kind.clone()) else {
            return Ok(None);
        };
        let tags = Tags::new(self.around);
        let mut said = |parser: &Self, words: &mut Words, missing: &str| {
            words.next();
            let said = parser.value(words, missing)?.said(&tags);
            account.left_out |= said.is_none();
            match said {
                Some(text) if text.is_empty() => Err(words.wrong(missing)),
                said => Ok(said),
            }
        };
        let fate = match word.as_str() {
            "server" => {
                account.host = said(self, words, "the server has no name")?;
                self.key_or(account.host.as_deref(), "host")
            }
            "port" => {
                let port = said(self, words, "the port is missing")?;
                account.port = match port.as_deref().map(port_number) {
                    Some(None) => {
                        let what = "a port is a number up to 65535, or pop3, pop3s, imap, imaps";
                        return Err(words.wrong(what));
                    }
                    port => port.flatten(),
                };
                match account.port {
                    Some(port) => Fate::taken(format!("port = {port}")),
                    None => Fate::nothing(BY_COMMAND),
                }
            }
            "user" => {
                account.user = said(self, words, "the user has no name")?;
                self.key_or(account.user.as_deref(), "user")
            }
            "pass" => {
                words.next();
                let value = self.value(words, "the password is missing")?;
                self.secrets.extend(value.macros.iter().cloned());
                let fate = match (value.said(&tags), &value.command) {
                    (Some(_), _) => Fate::Changed(
                        "moved out of the config".into(),
                        "see the account below".into(),
                    ),
                    (None, Some(_)) => Fate::taken("password-command"),
                    (None, None) => Fate::Changed(
                        "the password is asked for".into(),
                        "it is a text and what a command prints, which have no key together".into(),
                    ),
                };
                account.pass = Some(value);
                fate
            }
            "pipe" => {
                words.next();
                self.value(words, "the command is missing")?;
                account.left_out = true;
                Fate::nothing(
                    "it names no server, which an account here has: give it a host and a \
                     proxy-command; the account is left out",
                )
            }
            "folder" | "folders" if account.by_imap => {
                words.next();
                let values = self.values(words, "the folder has no name")?;
                let said = values.iter().map(|value| value.said(&tags));
                let folders = said.collect::<Option<Vec<_>>>();
                account.left_out |= folders.is_none();
                match folders {
                    Some(folders) => {
                        account.folders = folders;
                        Fate::taken("folders")
                    }
                    None => Fate::nothing(BY_COMMAND),
                }
            }
            "new-only" | "old-only" if account.by_imap => {
                words.next();
                account.remembers = true;
                Fate::Changed(
                    "what popfetch has not fetched is fetched".into(),
                    "fdm goes by what has been read".into(),
                )
            }
            "no-cram-md5" | "no-login" if account.by_imap => {
                words.next();
                Fate::Changed(
                    "auth = \"auto\"".into(),
                    "the safest way that the server offers".into(),
                )
            }
            "new-only" | "old-only" => {
                words.next();
                account.remembers = true;
                account.leaves_new = word == "old-only";
                match word.as_str() {
                    "new-only" => Fate::taken("what is new is fetched"),
                    _ => Fate::Changed(
                        "what is new is fetched".into(),
                        "nothing is fetched twice".into(),
                    ),
                }
            }
            "cache" if !account.by_imap && account.remembers && account.cache.is_none() => {
                words.next();
                let path = self.value(words, "the cache has no path")?.said(&tags);
                account.cache = path.map(|path| self.around.path(&path));
                match account.cache {
                    Some(_) => Fate::taken("where the unique-ids are read from"),
                    None => {
                        Fate::nothing("what a command prints is not asked for: name it by --seen")
                    }
                }
            }
            "no-apop" if !account.by_imap => {
                words.next();
                Fate::taken("auth = \"auto\", which never takes APOP")
            }
            "no-verify" => {
                words.next();
                account.unverified = true;
                Fate::Changed(
                    "certificates are verified".into(),
                    "a server that anybody can play may get the password; for one with a \
                     certificate of its own there are `tls-roots` and `tls-pin`"
                        .into(),
                )
            }
            "no-uidl" if !account.by_imap => {
                words.next();
                account.no_uidl = true;
                Fate::Changed(
                    "UIDL is used where the server has it".into(),
                    "without unique-ids, messages are told apart by what is in them".into(),
                )
            }
            "starttls" => {
                words.next();
                account.tls = Tls::Start;
                Fate::taken("tls = \"starttls\"")
            }
            "insecure" | "no-tls1" => {
                words.next();
                Fate::nothing("TLS 1.2 and 1.3 with safe ciphers alone; see `tls-min-version`")
            }
            "keep" => {
                words.next();
                account.keep = true;
                self.key("keep", "\"always\"")
            }
            _ => return Ok(None),
        };
        Ok(Some(fate))
    }

    pub(super) fn key(&self, key: &str, value: &str) -> Fate {
        Fate::taken(format!("{key} = {value}"))
    }

    fn key_or(&self, text: Option<&str>, key: &str) -> Fate {
        match text {
            Some(text) => Fate::key(key, &super::super::Word::Text(text.to_owned())),
            None => Fate::nothing(BY_COMMAND),
        }
    }

    /// An account of newsgroups.
    fn news(
        &mut self,
        words: &mut Words,
        account: &mut Account,
        first: usize,
    ) -> Result<(), Error> {
        let start = words.at();
        words.next();
        while words.skip_any(OF_NEWS) {
            if words.peek().is_some_and(|token| token.is_symbol('{'))
                || Self::is_value_next(words) && !Self::is_definition_next(words)
            {
                self.values(words, "a value is missing")?;
            }
        }
        self.leave_out(words, start, account, first);
        Ok(())
    }

    /// An account on this machine.
    fn local(
        &mut self,
        words: &mut Words,
        account: &mut Account,
        first: usize,
    ) -> Result<(), Error> {
        let start = words.at();
        let is_stdin = words.next().is_some_and(|token| token.is("stdin"));
        if !is_stdin {
            self.values(words, "a path is missing")?;
        }
        words.skip("keep");
        self.leave_out(words, start, account, first);
        Ok(())
    }

    fn leave_out(&mut self, words: &Words, start: usize, account: &mut Account, first: usize) {
        let fate = Fate::nothing(
            "popfetch import takes POP3 and IMAP accounts of fdm's alone; this one is left out",
        );
        self.tell(words, start..words.at(), &fate);
        for line in self.lines.get_mut(first..).unwrap_or_default() {
            line.fate = fate.clone();
        }
        account.left_out = true;
    }
}

/// A port by its number or its name.
fn port_number(text: &str) -> Option<u16> {
    match text {
        "pop3" | "pop-3" => Some(110),
        "pop3s" => Some(995),
        "imap" | "imap2" => Some(143),
        "imaps" => Some(993),
        _ => text.parse().ok().filter(|port| *port != 0),
    }
}
