//! An account with all that options and rules say about it becomes a draft.

use super::account::{Account, Tls};
use super::parser::Parser;
use super::target::{Taker, Target};
use super::values::Tags;
use super::{Error, Fate, Line, Surroundings, TOOL, argv, common, files};
use crate::imap::mailbox_list::from_utf7;
use crate::import::kept::Kept;
use crate::import::mda;
use crate::import::model::{Draft, MAILDIR, Secret, Word};
use crate::secrets::Password;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;

/// What a config comes to; each draft with the file that its unique-ids are in.
pub(super) struct Drafts {
    pub(super) files: Vec<PathBuf>,
    pub(super) drafts: Vec<(Draft, Option<PathBuf>)>,
    pub(super) lines: Vec<Line>,
}

/// What accounts have made of lines: a key for all that name it, or more than one.
type Meanings = BTreeMap<usize, BTreeSet<String>>;

/// What one account has made of lines, in order.
type Said = BTreeMap<usize, Vec<String>>;

fn say(said: &mut Said, lines: &[Range<usize>], key: &str) {
    for line in lines.iter().cloned().flatten() {
        let keys = said.entry(line).or_default();
        if !keys.iter().any(|known| known == key) {
            keys.push(key.to_owned());
        }
    }
}

impl Parser<'_> {
    pub(super) fn found(mut self) -> Result<Drafts, Error> {
        let mut drafts = Vec::new();
        let mut meanings = Meanings::new();
        for account in self.accounts.iter().filter(|account| !account.left_out) {
            let target = self.target(account);
            let mut draft = self.draft(account, &target, &mut meanings)?;
            if account.by_imap {
                self.take_kept(account, &mut draft);
            }
            let cache = account.cache.clone().filter(|_| !account.no_uidl);
            drafts.push((draft, cache));
        }
        for (line, keys) in meanings {
            if let Some(line) = self.lines.get_mut(line) {
                let keys: Vec<String> = keys.into_iter().collect();
                line.fate = Fate::taken(match &keys[..] {
                    [key] => key.clone(),
                    _ => "as each account below has it".to_owned(),
                });
            }
        }
        self.hide_secrets();
        Ok(Drafts {
            files: self.files,
            drafts,
            lines: self.lines,
        })
    }

    fn draft(
        &self,
        account: &Account,
        target: &Target,
        meanings: &mut Meanings,
    ) -> Result<Draft, Error> {
        let mut draft = Draft {
            name: account.name.clone(),
            ..Draft::default()
        };
        if account.by_imap {
            draft.text("protocol", "imap");
        }
        let host = account.host.as_deref().unwrap_or_default();
        draft.text("host", host);
        if let Some(port) = account.port {
            draft.set("port", Word::Number(port.into()));
        }
        let user = match &account.user {
            Some(user) => user.clone(),
            None => login(host, self.around).ok_or_else(|| {
                let what = "there is no `user`, and ~/.netrc names none for this server";
                Error::syntax(&account.file, account.line, what)
            })?,
        };
        draft.text("user", user);
        match account.tls {
            Tls::Implicit => {}
            Tls::Start => {
                draft.text("tls", "starttls");
            }
            Tls::None => {
                common::without_tls(&mut draft);
                draft.differs.push(common::plain(match account.by_imap {
                    true => 993,
                    false => 995,
                }));
            }
        }
        if account.tls != Tls::None && !self.options.verifies && !account.unverified {
            draft.differs.push(
                "fdm verified no certificate here, as there is no verify-certificates; popfetch \
                 verifies each"
                    .into(),
            );
        }
        draft.secret = self.secret(account, host);
        match &self.options.timeout {
            Some(timeout) => {
                draft.text("timeout", timeout);
            }
            None => common::note_timeout(&mut draft, TOOL, 900),
        }
        if let Some(proxy) = &self.options.proxy {
            draft.text("proxy", proxy);
        }
        let mut said = Said::new();
        self.place(&mut draft, target, &mut said);
        set_folders(&mut draft, account);
        hand_on(&mut draft, target, &mut said);
        keep(&mut draft, account, target, &mut said);
        for (line, keys) in said {
            meanings.entry(line).or_default().insert(keys.join(", "));
        }
        match &self.options.max_size {
            Some(size) => {
                draft.text("max-size", size);
            }
            None => draft.differs.push(
                "fdm ends at a message of more than 32 MiB, popfetch takes it: see `max-size`"
                    .into(),
            ),
        }
        if account.disabled {
            draft.set("disabled", Word::Flag(true));
        }
        Ok(draft)
    }

    /// By IMAP fdm keeps no list of what it has fetched, but rules put it into Maildirs.
    fn take_kept(&self, account: &Account, draft: &mut Draft) {
        draft.left = false;
        if draft.get("keep") == Some("never") {
            // What it has fetched is not on the server any more.
            return;
        }
        let (maildirs, is_unknown) = self.maildirs(account);
        draft.kept = Kept::new(maildirs, is_added);
        if is_unknown {
            draft.differs.push(
                "what fdm has put into Maildirs whose paths are not always the same, as with a date in them, is \
                 not known, and comes again"
                    .into(),
            );
        }
    }

    fn secret(&self, account: &Account, host: &str) -> Secret {
        let tags = Tags::new(self.around);
        let Some(pass) = &account.pass else {
            return common::netrc(host, self.around);
        };
        match (pass.said(&tags), &pass.command) {
            (Some(password), _) => Secret::Inline(Password::new(password)),
            (None, Some(command)) => Secret::Key(
                "password-command",
                Word::List(argv::of_shell(command.trim())),
            ),
            (None, None) => Secret::Nowhere,
        }
    }

    fn place(&self, draft: &mut Draft, target: &Target, said: &mut Said) {
        match &target.maildirs[..] {
            [] => {}
            [place] => {
                let word = Word::Text(place.path.clone());
                say(said, &place.lines, &format!("maildir = {word}"));
                draft.set("maildir", word);
            }
            _ => draft.differs.push(format!(
                "fdm stored all mail in several Maildirs, popfetch stores it once, in {MAILDIR}: see \
                 `maildir`"
            )),
        }
    }
}

/// Folders other than the inbox. fdm has no Maildir of its own for each, unless its path says so.
fn set_folders(draft: &mut Draft, account: &Account) {
    let named = account.all_folders();
    if named.iter().all(|name| name.eq_ignore_ascii_case("INBOX")) {
        return;
    }
    let letters = |name: &&str| from_utf7(name).unwrap_or_else(|| (*name).to_owned());
    draft.set("folders", Word::List(named.iter().map(letters).collect()));
    if draft.get("maildir").is_some() {
        draft.text("into", "inbox");
    }
}

/// What takes all mail, in place of a Maildir or beside one.
fn hand_on(draft: &mut Draft, target: &Target, said: &mut Said) {
    if target.is_more {
        draft.differs.push(
            "fdm handed all mail to a file or a program that popfetch has no words for: see `deliver`"
                .into(),
        );
    }
    let [(taker, place)] = &target.takers[..] else {
        if !target.takers.is_empty() {
            draft.differs.push(
                "fdm handed all mail to several files and programs, popfetch hands it to one: see \
                 `deliver`"
                    .into(),
            );
        }
        return;
    };
    let fate = match taker {
        Taker::Mbox => mda::mbox(draft, place.path.clone()),
        Taker::Pipe => mda::of_words(draft, argv::of_shell(place.path.trim())),
    };
    match fate {
        Fate::Taken(key) => say(said, &place.lines, &key),
        _ => draft.differs.push(
            "the program that fdm handed all mail to is left out, as its words mean something else \
             here: write it as `deliver`"
                .into(),
        ),
    }
}

/// Whether fetched mail stays on the server, and whether it did.
fn keep(draft: &mut Draft, account: &Account, target: &Target, said: &mut Said) {
    let by_rule = !target.kept.is_empty();
    let by_what_was_read = account.by_imap && account.remembers;
    if by_what_was_read {
        draft.differs.push(
            "fdm goes by what has been read on the server, and keeps no list: popfetch fetches all that is there \
             once, and then what it has not fetched; `popfetch state mark-seen` before the first fetch leaves all \
             of it there"
                .into(),
        );
    }
    if account.keep || by_rule {
        draft.text("keep", "always");
        draft.left = true;
        say(said, &target.kept, "keep = \"always\"");
        if !account.remembers {
            draft.differs.push(
                "fdm fetched all that the server had in each run, as there is no new-only; popfetch \
                 fetches what is new"
                    .into(),
            );
        }
    } else if target.unsure {
        draft.text("keep", "always");
        draft.left = account.remembers;
        draft.differs.push(
            "what fdm left on the server was up to its rules, popfetch leaves all: keep = \"always\" \
             is written"
                .into(),
        );
    } else if by_what_was_read {
        draft.text("keep", "always");
        draft.differs.push(
            "fdm deletes what it has fetched, which is not all that is there; popfetch would fetch and delete \
             all, and keep = \"always\" is written: see `keep`"
                .into(),
        );
    } else if account.leaves_new {
        draft.text("keep", "always");
        draft.left = true;
        draft.differs.push(
            "fdm leaves what is new on the server (old-only), popfetch would fetch and delete it: keep = \"always\" is \
             written"
                .into(),
        );
    } else {
        draft.text("keep", "never");
        draft.differs.push(
            "fdm deletes what it has fetched unless told otherwise, popfetch does not: keep = \
             \"never\" is written"
                .into(),
        );
    }
    if account.no_uidl {
        draft.left = false;
        draft
            .differs
            .push("what fdm has fetched is not known: it asked for no unique-ids".into());
    }
}

/// The Received field that fdm puts before the others, unless it is told otherwise (no-received).
fn is_added(field: &[u8]) -> bool {
    let is_fdms = field.windows(5).any(|part| part == b"(fdm ");
    is_fdms
        && field
            .get(..13)
            .is_some_and(|start| start == b"Received: by ")
}

/// The user that ~/.netrc has for a server, or else for any.
fn login(host: &str, around: &Surroundings) -> Option<String> {
    let text = files::config("netrc", &around.home.join(".netrc")).ok()?;
    let mut words = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(str::split_ascii_whitespace)
        .map(|word| word.trim_matches('"'));
    let (mut of_host, mut of_any) = (None, None);
    let mut machine: Option<&str> = None;
    let mut begun = false;
    while let Some(word) = words.next() {
        match word {
            "machine" => (machine, begun) = (words.next(), true),
            "default" => (machine, begun) = (None, true),
            "login" | "user" if begun => {
                let login = words.next().map(str::to_owned);
                match machine {
                    Some(name) if name.eq_ignore_ascii_case(host) => of_host = of_host.or(login),
                    Some(_) => {}
                    None => of_any = of_any.or(login),
                }
            }
            "password" | "passwd" | "account" => {
                words.next();
            }
            _ => {}
        }
    }
    of_host.or(of_any)
}
