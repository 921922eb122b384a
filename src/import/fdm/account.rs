//! `account NAME ...`: what is said of each part of it, and what of it a draft is made of.

use super::lex::Kind;
use super::parser::{Parser, Words};
use super::values::{Tags, Value};
use super::{Error, Fate};
use std::path::PathBuf;
use std::sync::Arc;

/// An account that mail is fetched from by POP3.
#[derive(Default)]
pub(super) struct Account {
    pub(super) name: String,
    /// Where it stands.
    pub(super) file: Arc<PathBuf>,
    pub(super) line: usize,
    pub(super) disabled: bool,
    pub(super) tls: Tls,
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) user: Option<String>,
    pub(super) pass: Option<Value>,
    /// `new-only` or `old-only`.
    pub(super) remembers: bool,
    pub(super) cache: Option<PathBuf>,
    pub(super) keep: bool,
    /// `no-verify`.
    pub(super) unverified: bool,
    pub(super) no_uidl: bool,
    /// It is no account of POP3, or what it needs is said by a command.
    pub(super) left_out: bool,
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

/// What other accounts may have.
const OTHERS: &[&str] = &[
    "server",
    "port",
    "user",
    "pass",
    "folder",
    "folders",
    "group",
    "groups",
    "cache",
    "new-only",
    "old-only",
    "no-apop",
    "no-verify",
    "no-uidl",
    "no-cram-md5",
    "no-login",
    "no-tls1",
    "starttls",
    "insecure",
    "pipe",
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
            "pop3" | "pop3s" => self.pop(words, &mut account)?,
            "imap" | "imaps" | "nntp" | "nntps" => self.other(words, &mut account, first)?,
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

    fn pop(&mut self, words: &mut Words, account: &mut Account) -> Result<(), Error> {
        let at = self.lines.len();
        self.clause(words, |_, words| {
            let is_tls = words.next().is_some_and(|token| token.is("pop3s"));
            account.tls = match is_tls {
                true => Tls::Implicit,
                false => Tls::None,
            };
            Ok(Some(Fate::taken(match is_tls {
                true => "TLS from the first octet",
                false => "tls = \"none\"",
            })))
        })?;
        while self.clause(words, |parser, words| parser.pop_clause(words, account))? {}
        if let (Tls::Start, Some(line)) = (account.tls, self.lines.get_mut(at)) {
            line.fate = Fate::taken("POP3, see starttls");
        }
        match (&account.host, account.left_out) {
            (None, false) => Err(words.wrong("the account has no server")),
            _ => Ok(()),
        }
    }

    fn pop_clause(
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
                        let what = "a port is a number up to 65535, or pop3, pop3s";
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
            "new-only" | "old-only" => {
                words.next();
                account.remembers = true;
                match word.as_str() {
                    "new-only" => Fate::taken("what is new is fetched"),
                    _ => Fate::Changed(
                        "what is new is fetched".into(),
                        "nothing is fetched twice".into(),
                    ),
                }
            }
            "cache" if account.remembers && account.cache.is_none() => {
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
            "no-apop" => {
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
            "no-uidl" => {
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

    /// An account of another protocol.
    fn other(
        &mut self,
        words: &mut Words,
        account: &mut Account,
        first: usize,
    ) -> Result<(), Error> {
        let start = words.at();
        words.next();
        while words.skip_any(OTHERS) {
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
            "popfetch import takes POP3 accounts of fdm's alone; this one is left out",
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
        _ => text.parse().ok().filter(|port| *port != 0),
    }
}
