//! A server of a profile, and what it becomes.

use super::TOOL;
use super::popstate::{Known, Place};
use super::prefs::{Prefs, Value};
use crate::import::model::{Draft, Fate, MAILDIR, Secret, Word};
use crate::import::{Error, common, files};
use crate::profile::units;
use crate::term::{count, quoted};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Thunderbird's numbers for methods.
pub(super) const ENCRYPTED: i64 = 4;
pub(super) const OAUTH: i64 = 10;

/// Encrypted password, Kerberos, NTLM, and what was once called secure.
const HIDING: [i64; 4] = [ENCRYPTED, 5, 6, 8];

/// Folders that are left out where all are fetched.
const NOT_FETCHED: &[&str] = &["\\All", "\\Flagged", "\\Important", "\\Junk", "\\Trash"];

/// What a filter does that leaves a message on the server, in small letters.
const LEAVES: &[u8] = b"action=\"leave on pop3 server\"";

/// See the [module](self).
pub(super) struct Server<'a> {
    /// As in `mail.server.KEY.hostname`.
    pub(super) key: &'a str,
    prefs: &'a Prefs,
}

impl<'a> Server<'a> {
    pub(super) fn new(key: &'a str, prefs: &'a Prefs) -> Self {
        Self { key, prefs }
    }

    pub(super) fn get(&self, setting: &str) -> Option<&'a Value> {
        let own = self
            .prefs
            .get(&format!("mail.server.{}.{setting}", self.key));
        own.or_else(|| self.prefs.get(&format!("mail.server.default.{setting}")))
    }

    pub(super) fn text(&self, setting: &str) -> Option<&'a str> {
        match self.get(setting)? {
            Value::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    pub(super) fn number(&self, setting: &str) -> Option<i64> {
        match self.get(setting)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn is_on(&self, setting: &str) -> bool {
        self.get(setting) == Some(&Value::Flag(true))
    }

    pub(super) fn kind(&self) -> &str {
        self.text("type").unwrap_or_default()
    }

    pub(super) fn is_pop(&self) -> bool {
        self.kind() == "pop3"
    }

    pub(super) fn is_imap(&self) -> bool {
        self.kind() == "imap"
    }

    /// Thunderbird keeps copies of an IMAP account's folders, as it does unless it is told otherwise.
    pub(super) fn has_copies(&self) -> bool {
        self.get("offline_download") != Some(&Value::Flag(false))
    }

    /// The names that the server has or had. One with the port behind it is as old as the settings
    /// that end in `real`.
    pub(super) fn hosts(&self) -> Vec<&'a str> {
        let names = ["realhostname", "hostname"].map(|setting| self.text(setting));
        let bare = |name: &'a str| match name.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') && port.parse::<u16>().is_ok() => host,
            _ => name,
        };
        names.into_iter().flatten().map(bare).collect()
    }

    pub(super) fn users(&self) -> Vec<&'a str> {
        let names = ["realuserName", "userName"].map(|setting| self.text(setting));
        names.into_iter().flatten().collect()
    }

    /// Where it may keep what it has fetched. A directory with a host's name is of the first account
    /// there.
    pub(super) fn states(&self, profile: &Path) -> Vec<(PathBuf, Place)> {
        let relative = self
            .text("directory-rel")
            .and_then(|it| it.strip_prefix("[ProfD]"));
        let absolute = self.text("directory").map(PathBuf::from);
        let usual = self
            .hosts()
            .into_iter()
            .map(|host| (profile.join("Mail").join(host), Place::Guessed));
        let own = relative.map(|path| profile.join(path)).into_iter();
        let own = own.chain(absolute).map(|path| (path, Place::Own));
        own.chain(usual)
            .map(|(path, place)| (path.join("popstate.dat"), place))
            .collect()
    }

    /// Whether a filter leaves some of what is fetched on the server, or may do so, as its file cannot be read.
    fn filters_leave_some(&self, profile: &Path) -> bool {
        let states = self.states(profile).into_iter();
        let mut files = states.map(|(path, _)| path.with_file_name("msgFilterRules.dat"));
        files.any(|path| match files::seen(TOOL, &path) {
            Ok(None) => false,
            Ok(Some(rules)) => {
                let rules = rules.to_ascii_lowercase();
                rules.windows(LEAVES.len()).any(|part| part == LEAVES)
            }
            Err(_) => true,
        })
    }

    /// Leaves all on the server where filters leave some.
    pub(super) fn heed_filters(&self, profile: &Path, draft: &mut Draft) {
        if draft.get("keep") != Some("always") && self.filters_leave_some(profile) {
            draft.text("keep", "always");
            draft.differs.push(
                "a filter of Thunderbird's leaves mail on the server that popfetch would delete: keep = \"always\" is \
                 written"
                    .into(),
            );
        }
    }

    pub(super) fn is_wrapped(&self) -> bool {
        match self.number("socketType") {
            Some(kind) => kind == 3,
            None => self.is_on("isSecure"),
        }
    }

    pub(super) fn port(&self) -> Option<u64> {
        let beside = self.text("realhostname").or_else(|| self.text("hostname"));
        let beside = beside.and_then(|name| {
            let (host, port) = name.rsplit_once(':')?;
            port.parse().ok().filter(|_| !host.contains(':'))
        });
        let own = self
            .number("port")
            .filter(|port| (1..=65535).contains(port));
        own.and_then(|port| u64::try_from(port).ok()).or(beside)
    }

    /// Of messages of which Thunderbird fetches the header alone the rest stays on the server.
    pub(super) fn leaves_bodies(&self) -> bool {
        self.is_on("headers_only")
    }

    /// What `keep` is, but for what filters leave there.
    pub(super) fn keep(&self) -> String {
        if self.leaves_bodies() {
            return "always".into();
        }
        let days = self.number("num_days_to_leave_on_server").unwrap_or(7);
        let by_age = self.is_on("delete_by_age_from_server");
        match (self.is_on("leave_on_server"), by_age, u64::try_from(days)) {
            (false, _, _) => "never".into(),
            (true, true, Ok(days @ 1..=36500)) => {
                units::duration(Duration::from_secs(days * 24 * 60 * 60))
            }
            (true, _, _) => "always".into(),
        }
    }

    pub(super) fn max_size(&self) -> Option<String> {
        let limit = self.number("max_size").unwrap_or(50);
        let limit = u64::try_from(limit).ok().filter(|limit| *limit > 0)?;
        let octets = limit.checked_mul(1024)?;
        self.is_on("limit_offline_message_size")
            .then(|| units::octets(octets))
    }

    pub(super) fn is_deferred(&self) -> bool {
        self.text("deferred_to_account").is_some()
    }

    pub(super) fn draft(&self, file: &Path) -> Result<Draft, Error> {
        let wrong = |what: &str| {
            let protocol = if self.is_imap() { "IMAP" } else { "POP3" };
            let what = format!("the {protocol} account `{}` has no {what}", self.key);
            Error::syntax(file, self.line("type"), what)
        };
        let host = self
            .hosts()
            .first()
            .copied()
            .ok_or_else(|| wrong("host name"))?;
        let user = self
            .users()
            .first()
            .copied()
            .ok_or_else(|| wrong("user name"))?;
        let local = user.split_once('@').map_or(user, |(local, _)| local);
        let title = self.text("name").filter(|name| !name.contains('@'));
        let mut draft = Draft {
            name: title.map_or_else(|| local.to_owned(), short),
            left: self.is_pop() && self.is_on("leave_on_server"),
            ..Draft::default()
        };
        if self.is_imap() {
            draft.text("protocol", "imap");
        }
        draft.text("host", host);
        if let Some(port) = self.port() {
            draft.set("port", Word::Number(port));
        }
        draft.text("user", user);
        self.encrypt(&mut draft);
        self.sign_in(&mut draft);
        match self.is_imap() {
            true => self.set_folders(&mut draft),
            false => self.set_keep(&mut draft),
        }
        if let Some(size) = self.max_size() {
            draft.text("max-size", size);
        }
        proxy(self.prefs, &mut draft);
        timeout(self.prefs, &mut draft);
        if draft.get("timeout").is_none() {
            common::note_timeout(&mut draft, "Thunderbird", 100);
        }
        draft.differs.push(match self.is_imap() {
            true => format!(
                "what Thunderbird has of this account stays as it is and is not read: popfetch fetches all once \
                 more, into a Maildir, here {MAILDIR}; both may go on, as neither takes anything away from the \
                 other"
            ),
            false => format!(
                "Thunderbird's folders stay as they are, and nothing is added to them: new mail comes \
                 into a Maildir, here {MAILDIR}; switch off its own check for new messages in this \
                 account, or both fetch"
            ),
        });
        common::check_auth(&mut draft);
        Ok(draft)
    }

    fn set_keep(&self, draft: &mut Draft) {
        draft.text("keep", self.keep());
        if self.leaves_bodies() {
            draft.differs.push(
                "Thunderbird fetches headers alone here, and leaves the rest on the server; popfetch would fetch and \
                 delete all of it: keep = \"always\" is written"
                    .into(),
            );
        } else if !self.is_on("leave_on_server") {
            draft.differs.push(
                "this account deletes what it has fetched from the server, and so says \
                 keep = \"never\"; popfetch itself would leave it there"
                    .into(),
            );
        }
        if self.is_on("leave_on_server") && self.is_on("delete_mail_left_on_server") {
            draft.differs.push(
                "what you delete here stays on the server: popfetch deletes by age alone".into(),
            );
        }
    }

    /// Thunderbird keeps copies of all folders. Of what stands in several of them one copy is enough.
    fn set_folders(&self, draft: &mut Draft) {
        if self.has_copies() {
            let words =
                |words: &[&str]| Word::List(words.iter().map(ToString::to_string).collect());
            draft.set("folders", words(&["*"]));
            draft.set("exclude", words(NOT_FETCHED));
            draft.differs.push(
                "all folders are fetched, also those that you have not subscribed to, but for junk, trash, and \
                 those that show other folders' messages once more: see `folders` and `exclude`; at Gmail, what is \
                 archived is in All Mail alone, which folders = ['\\All'] fetches, without an `exclude`"
                    .into(),
            );
        } else {
            draft.differs.push(
                "the inbox alone is fetched, as Thunderbird keeps no copies of this account's mail: see \
                 `folders`"
                    .into(),
            );
        }
        draft.text("keep", "always");
    }

    fn line(&self, setting: &str) -> usize {
        let name = format!("mail.server.{}.{setting}", self.key);
        let pref = self.prefs.all.iter().find(|pref| pref.name == name);
        pref.map_or(1, |pref| pref.line)
    }

    fn encrypt(&self, draft: &mut Draft) {
        if self.is_wrapped() {
            return;
        }
        match self.number("socketType") {
            Some(kind @ (1 | 2)) => {
                draft.text("tls", "starttls");
                if kind == 1 {
                    draft.differs.push(
                        "Thunderbird went on without TLS where the server had none; popfetch ends \
                         there"
                            .into(),
                    );
                }
            }
            _ if self.hides_password() => {
                draft.text("tls", "starttls");
                draft.differs.push(
                    "Thunderbird hides the password on a connection without TLS, which popfetch does \
                     within TLS alone: tls = \"starttls\" is written"
                        .into(),
                );
            }
            _ => {
                common::without_tls(draft);
                draft
                    .differs
                    .push(common::plain(if self.is_imap() { 993 } else { 995 }));
            }
        }
    }

    pub(super) fn method(&self) -> Option<i64> {
        let old = self.is_on("useSecAuth").then_some(ENCRYPTED);
        self.number("authMethod").or(old)
    }

    /// A method that shows the password to nobody on the way.
    pub(super) fn hides_password(&self) -> bool {
        self.method().is_some_and(|method| HIDING.contains(&method))
    }

    fn sign_in(&self, draft: &mut Draft) {
        match self.method() {
            Some(OAUTH) => draft.secret = Secret::Login,
            _ => draft.differs.push(
                "Thunderbird keeps its passwords encrypted, and they are not read: look this one up \
                 in its settings, under Privacy & Security, Saved Passwords"
                    .into(),
            ),
        }
    }
}

/// A title as a name that needs no quotes on a command line.
fn short(title: &str) -> String {
    let words = title.split_whitespace().map(|word| {
        let is_plain = |c: &char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
        word.chars().filter(is_plain).collect::<String>()
    });
    let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}

/// What else its owner has to know of what was fetched.
pub(super) fn tell(known: &Known, draft: &mut Draft) {
    if known.partial > 0 {
        let partial = count(known.partial, "message");
        draft.differs.push(format!(
            "{partial} of which Thunderbird has only the header or the beginning: fetched whole"
        ));
    }
    if known.pending > 0 {
        let pending = count(known.pending, "message");
        draft.differs.push(format!(
            "{pending} that Thunderbird would have deleted from the server at its next check: left \
             there, or with --may-delete deleted as `keep` says"
        ));
    }
}

/// A file where the account's should be is another one's.
pub(super) fn tell_stranger(path: &Path, (host, user): &(String, String), draft: &mut Draft) {
    let (own_user, own_host) = (draft.get("user"), draft.get("host"));
    let (own_user, own_host) = (own_user.unwrap_or_default(), own_host.unwrap_or_default());
    let path = path.display().to_string();
    let address = quoted(&format!("{own_user}@{own_host}"));
    // Long remarks are cut off where they are shown, and a command is of no use without its end.
    let command = format!(
        "if that is this account, which was renamed: `popfetch import thunderbird --account {address} \
         --seen {}`",
        quoted(&path)
    );
    let whose = format!("{path} says that it is of `{user}` at {host}, and is not taken");
    draft.differs.extend([whose, command]);
}

/// How long a silent server is waited for.
pub(super) fn timeout(prefs: &Prefs, draft: &mut Draft) -> Fate {
    let seconds = prefs.number("mailnews.tcptimeout");
    match seconds.and_then(|seconds| u64::try_from(seconds).ok()) {
        Some(seconds @ 1..=86400) => {
            draft.text("timeout", units::duration(Duration::from_secs(seconds)))
        }
        _ => Fate::Changed(
            "timeout = \"60 s\"".into(),
            "a server that is silent for ever holds up everything".into(),
        ),
    }
}

/// Of the proxies in the settings, SOCKS alone is for mail.
pub(super) fn proxy(prefs: &Prefs, draft: &mut Draft) -> Fate {
    let kind = prefs.number("network.proxy.type").unwrap_or(5);
    let host = prefs.text("network.proxy.socks");
    let version = prefs.number("network.proxy.socks_version").unwrap_or(5);
    match (kind, host) {
        (1, Some(_)) if version != 5 => Fate::nothing("popfetch has no SOCKS 4"),
        (1, Some(host)) => {
            let port = prefs.number("network.proxy.socks_port");
            let port = port
                .filter(|port| (1..=65535).contains(port))
                .unwrap_or(1080);
            common::socks(draft, host, &port.to_string())
        }
        (2 | 4, _) => Fate::nothing("a script for proxies is not asked for: see `proxy`"),
        _ => Fate::taken("no proxy"),
    }
}
