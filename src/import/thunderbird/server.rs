//! A server of a profile: what it becomes, and what becomes of each of its settings.

use super::popstate::{Known, Place};
use super::prefs::{Prefs, Value};
use crate::import::model::{Draft, Fate, MAILDIR, Secret, Word};
use crate::import::{Error, common};
use crate::profile::units;
use crate::term::{count, quoted};
use std::path::{Path, PathBuf};
use std::time::Duration;

const NO_TIMER: &str = "popfetch watch fetches each account at its `every`, or a timer starts popfetch: see popfetch man, EXAMPLES";
const NO_SPACE: &str = "a popfetch account keeps to itself: its mail is in a Maildir of its own";

/// Thunderbird's numbers for methods.
const ENCRYPTED: i64 = 4;
const OAUTH: i64 = 10;

/// Encrypted password, Kerberos, NTLM, and what was once called secure.
const HIDING: [i64; 4] = [ENCRYPTED, 5, 6, 8];

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

    fn get(&self, setting: &str) -> Option<&'a Value> {
        let own = self
            .prefs
            .get(&format!("mail.server.{}.{setting}", self.key));
        own.or_else(|| self.prefs.get(&format!("mail.server.default.{setting}")))
    }

    fn text(&self, setting: &str) -> Option<&'a str> {
        match self.get(setting)? {
            Value::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    fn number(&self, setting: &str) -> Option<i64> {
        match self.get(setting)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    fn is_on(&self, setting: &str) -> bool {
        self.get(setting) == Some(&Value::Flag(true))
    }

    fn kind(&self) -> &str {
        self.text("type").unwrap_or_default()
    }

    pub(super) fn is_pop(&self) -> bool {
        self.kind() == "pop3"
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

    fn is_wrapped(&self) -> bool {
        match self.number("socketType") {
            Some(kind) => kind == 3,
            None => self.is_on("isSecure"),
        }
    }

    fn port(&self) -> Option<u64> {
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

    fn keep(&self) -> String {
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

    fn max_size(&self) -> Option<String> {
        let limit = self.number("max_size").unwrap_or(50);
        let limit = u64::try_from(limit).ok().filter(|limit| *limit > 0)?;
        let octets = limit.checked_mul(1024)?;
        self.is_on("limit_offline_message_size")
            .then(|| units::octets(octets))
    }

    fn is_deferred(&self) -> bool {
        self.text("deferred_to_account").is_some()
    }

    pub(super) fn draft(&self, file: &Path) -> Result<Draft, Error> {
        let wrong = |what: &str| {
            let what = format!("the POP3 account `{}` has no {what}", self.key);
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
            left: self.is_on("leave_on_server"),
            ..Draft::default()
        };
        draft.text("host", host);
        if let Some(port) = self.port() {
            draft.set("port", Word::Number(port));
        }
        draft.text("user", user);
        self.encrypt(&mut draft);
        self.sign_in(&mut draft);
        draft.text("keep", self.keep());
        if !self.is_on("leave_on_server") {
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
        if let Some(size) = self.max_size() {
            draft.text("max-size", size);
        }
        proxy(self.prefs, &mut draft);
        timeout(self.prefs, &mut draft);
        if draft.get("timeout").is_none() {
            common::note_timeout(&mut draft, "Thunderbird", 100);
        }
        draft.differs.push(format!(
            "Thunderbird's folders stay as they are, and nothing is added to them: new mail comes \
             into a Maildir, here {MAILDIR}; switch off its own check for new messages in this \
             account, or both fetch"
        ));
        common::check_auth(&mut draft);
        Ok(draft)
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
                draft.differs.push(common::plain(995));
            }
        }
    }

    fn method(&self) -> Option<i64> {
        let old = self.is_on("useSecAuth").then_some(ENCRYPTED);
        self.number("authMethod").or(old)
    }

    /// A method that shows the password to nobody on the way.
    fn hides_password(&self) -> bool {
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

    /// What becomes of one of its settings.
    pub(super) fn fate(&self, setting: &str) -> Fate {
        match self.kind() {
            "pop3" => self.fate_of_pop(setting),
            "imap" => Fate::nothing(
                "not yet: popfetch import takes POP3 accounts of Thunderbird's alone; this one is left out",
            ),
            "none" => Fate::nothing("local folders are nothing to fetch"),
            "" => Fate::nothing("the server has no type, and so Thunderbird has no such account"),
            _ => Fate::nothing(
                "popfetch import takes POP3 accounts of Thunderbird's alone; this one is left out",
            ),
        }
    }

    fn fate_of_pop(&self, setting: &str) -> Fate {
        let text = |key: &str, text: &str| Fate::key(key, &Word::Text(text.to_owned()));
        let on = self.is_on(setting);
        match setting {
            "type" => Fate::taken("POP3"),
            "hostname" | "realhostname" => match self.hosts().first() {
                Some(_) if setting == "hostname" && self.text("realhostname").is_some() => {
                    Fate::nothing("`realhostname` stands for it")
                }
                Some(host) => text("host", host),
                None => Fate::nothing("there is nothing in it"),
            },
            "userName" | "realuserName" => match self.users().first() {
                Some(_) if setting == "userName" && self.text("realuserName").is_some() => {
                    Fate::nothing("`realuserName` stands for it")
                }
                Some(user) => text("user", user),
                None => Fate::nothing("there is nothing in it"),
            },
            "port" => match self.port() {
                Some(port) => Fate::key("port", &Word::Number(port)),
                None => Fate::taken("the usual port"),
            },
            "socketType" | "isSecure" => self.fate_of_tls(setting),
            "authMethod" | "useSecAuth" => self.fate_of_auth(setting),
            "leave_on_server" => text("keep", &self.keep()),
            "delete_by_age_from_server" | "num_days_to_leave_on_server" => {
                let keep = self.keep();
                match &*keep {
                    "never" => Fate::nothing("`leave_on_server` is off"),
                    "always" => Fate::taken("nothing is deleted by age"),
                    _ => text("keep", &keep),
                }
            }
            "delete_mail_left_on_server" if on => Fate::nothing(
                "popfetch deletes from the server by age, never because a file is gone here",
            ),
            "delete_mail_left_on_server" => Fate::taken("what is deleted here stays on the server"),
            "headers_only" if on => Fate::Changed(
                "messages are fetched whole".into(),
                "a header alone cannot be read offline".into(),
            ),
            "headers_only" => Fate::taken("messages are fetched whole"),
            "limit_offline_message_size" | "max_size" => match self.max_size() {
                Some(size) => Fate::Changed(
                    format!("max-size = \"{size}\""),
                    "a larger message stays on the server, and no part of it is fetched".into(),
                ),
                None => Fate::taken("no max-size"),
            },
            "deferred_to_account" if self.is_deferred() => Fate::Changed(
                "a Maildir of its own".into(),
                "accounts that share one have the same `maildir`".into(),
            ),
            "deferred_to_account" | "defer_get_new_mail" => Fate::taken(NO_SPACE),
            "directory" | "directory-rel" => Fate::taken("where popstate.dat is read from"),
            "check_new_mail" | "check_time" | "login_at_startup" | "download_on_biff" => {
                Fate::nothing(NO_TIMER)
            }
            "name" => Fate::taken("the account's name, where it is no address"),
            "storeContractID" => Fate::Changed(
                "a Maildir".into(),
                "Thunderbird's own folders are only Thunderbird's to write to".into(),
            ),
            "dot_fix" | "handle_delete_from_server" | "pop3CapabilityFlags" => {
                Fate::taken("popfetch finds out what the server can")
            }
            _ if is_secret(setting) => Fate::nothing("passwords are not read"),
            _ => Fate::nothing("it is for folders, windows or junk mail"),
        }
    }

    fn fate_of_tls(&self, setting: &str) -> Fate {
        let superseded = setting == "isSecure" && self.number("socketType").is_some();
        match self.number("socketType") {
            _ if superseded => Fate::nothing("`socketType` stands for it"),
            _ if self.is_wrapped() => Fate::taken("TLS from the first octet"),
            Some(1) => Fate::Changed(
                "tls = \"starttls\"".into(),
                "who can change what the server says could take TLS away".into(),
            ),
            Some(2) => Fate::taken("tls = \"starttls\""),
            _ if self.hides_password() => Fate::Changed(
                "tls = \"starttls\"".into(),
                "without TLS the password could be read on the way".into(),
            ),
            _ => Fate::taken("tls = \"none\""),
        }
    }

    fn fate_of_auth(&self, setting: &str) -> Fate {
        if setting == "useSecAuth" && self.number("authMethod").is_some() {
            return Fate::nothing("`authMethod` stands for it");
        }
        match self.method() {
            None => Fate::taken("auth = \"auto\""),
            Some(3) => Fate::taken("auth = \"auto\": the best that the server offers"),
            Some(ENCRYPTED) => Fate::Changed(
                "auth = \"auto\": the best that the server offers".into(),
                "TLS hides any of them".into(),
            ),
            Some(OAUTH) => Fate::Changed(
                "OAuth 2.0, by `popfetch login`".into(),
                "Thunderbird's sign-in is its own".into(),
            ),
            Some(5) => Fate::nothing("popfetch has no Kerberos"),
            Some(6) => Fate::nothing("popfetch has no NTLM"),
            Some(7) => Fate::nothing(
                "name the certificate by `tls-client-cert` and `tls-client-key`, and write \
                 auth = \"external\"",
            ),
            Some(_) => Fate::Changed(
                "auth = \"auto\": the best that the server offers".into(),
                "there is no such method any more".into(),
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

/// Whether a setting of `mail.server.default` changes an account.
pub(super) fn is_known(setting: &str) -> bool {
    [
        "leave_on_server",
        "delete_by_age_from_server",
        "num_days_to_leave_on_server",
        "delete_mail_left_on_server",
        "limit_offline_message_size",
        "max_size",
        "socketType",
        "authMethod",
        "port",
    ]
    .contains(&setting)
}

/// Whether a setting could hold a password; in profiles of long ago some did.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("password") || name.contains("token")
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
