//! What an account's settings are, for people and for programs: the one list that `account list` and
//! `account show` write.

use super::{
    Deliver, Destination, Folders, Keep, MinVersion, OnNew, PasswordSource, Profile, Proxy, Tls,
    units,
};
use crate::handover::Recipient;
use crate::maildir::FileTime;
use crate::rules::{FilterCommand, Rule, Rules};
use crate::secrets::{OAuth, Store};
use crate::source::folders::Word;
use serde::Serialize;
use serde_json::{Value, json};

/// A setting, under the config file's own key.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The key.
    pub key: &'static str,
    /// What people read; none where there is nothing to say.
    pub text: Option<String>,
    /// The name of its field for programs.
    pub field: String,
    /// What programs read: sizes in octets, times in seconds.
    pub value: Value,
}

impl Setting {
    /// A setting that is the same for both.
    fn new(key: &'static str, value: impl Serialize) -> Self {
        let value = json!(value);
        Self {
            key,
            text: match &value {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            },
            field: key.replace('-', "_"),
            value,
        }
    }

    fn text(self, text: Option<String>) -> Self {
        Self { text, ..self }
    }

    fn field(self, name: &str) -> Self {
        let field = name.to_owned();
        Self { field, ..self }
    }
}

impl Profile {
    /// All of its settings, without any password.
    pub fn settings(&self) -> Vec<Setting> {
        let (server, policy) = (&self.server, &self.policy);
        let tls = self.tls.policy();
        let client = tls.and_then(|tls| tls.client.as_ref());
        let pins = tls.map(|tls| tls.pins.iter().map(ToString::to_string));
        let pins = Setting::new("tls-pin", pins.map(Iterator::collect::<Vec<_>>));
        let has_pins = tls.is_some_and(|tls| !tls.pins.is_empty());
        let version = Setting::new("tls-min-version", tls.map(|tls| tls.min_version));
        let asks_for_version = tls.is_some_and(|tls| tls.min_version != MinVersion::default());
        let (proxy, command) = match &self.way.proxy {
            Some(Proxy::Server(server)) => (Some(server.to_string()), None),
            Some(Proxy::Command(argv)) => (None, Some(argv)),
            None => (None, None),
        };
        let on_new = self.on_new.as_ref();
        let (source, secret) = described(&self.password);
        // A URL has no Maildir of its own.
        let maildir = Some(&self.maildir).filter(|path| !path.as_os_str().is_empty());
        let maildir = maildir.filter(|_| self.has_maildir());
        let filing = &self.filing;
        let time = Setting::new("file-time", filing.time);
        let has_folders = self.folders != Folders::default() || self.into != Destination::default();
        let period = match policy.keep {
            Keep::For(period) => json!(period.as_secs()),
            keep => json!(keep.to_string()),
        };
        vec![
            Setting::new("account", &self.name),
            Setting::new("host", &server.host),
            Setting::new("protocol", server.protocol.word()),
            Setting::new("port", server.port),
            Setting::new("user", &server.user),
            Setting::new("tls", self.tls.word()),
            Setting::new("tls-roots", tls.map(|tls| tls.roots.to_string())),
            Setting {
                text: pins.text.clone().filter(|_| has_pins),
                ..pins.field("tls_pins")
            },
            Setting::new(
                "tls-server-name",
                tls.and_then(|tls| tls.server_name.as_ref()),
            ),
            Setting {
                text: version.text.clone().filter(|_| asks_for_version),
                ..version
            },
            Setting::new(
                "tls-client-cert",
                client.map(|client| client.certificate.display().to_string()),
            ),
            Setting::new(
                "tls-client-key",
                client.map(|client| client.key.display().to_string()),
            ),
            Setting::new("source-address", self.way.source_address),
            Setting::new("proxy", proxy),
            Setting::new("proxy-command", command).text(command.map(|argv| argv.join(" "))),
            Setting::new("auth", self.auth.word()),
            Setting::new("password", source)
                .field("password_from")
                .text(Some(secret)),
            Setting::new("maildir", maildir.map(|path| path.display().to_string())),
            Setting::new("file-mode", filing.mode.map(|mode| mode.to_string())),
            Setting::new("file-group", filing.group.as_ref().map(ToString::to_string)),
            Setting {
                text: time
                    .text
                    .clone()
                    .filter(|_| filing.time != FileTime::default()),
                ..time
            },
            Setting::new("size-in-name", filing.sized)
                .text(filing.sized.then(|| "true".to_owned())),
            Setting::new("flags", filing.flagged)
                .text((!filing.flagged && self.has_maildir()).then(|| "false".to_owned())),
            Setting::new("deliver", self.deliver.as_ref().map(shown_deliver))
                .text(self.deliver.as_ref().map(deliver_in_words)),
            Setting::new("folders", words(self.folders.wanted()))
                .text(has_folders.then(|| in_words(self.folders.wanted()))),
            Setting::new("exclude", words(self.folders.excluded())).text(
                (!self.folders.excluded().is_empty()).then(|| in_words(self.folders.excluded())),
            ),
            Setting::new("into", self.into.to_string())
                .text(has_folders.then(|| self.into.to_string())),
            Setting::new("keep", period).text(Some(policy.keep.to_string())),
            Setting::new("max-size", policy.max_size).text(policy.max_size.map(units::octets)),
            Setting::new("latest", policy.latest),
            Setting::new("order", policy.order),
            Setting::new(
                "filter-command",
                self.rules.filter().map(FilterCommand::argv),
            )
            .text(self.rules.filter().map(|filter| filter.argv().join(" "))),
            Setting::new("rules", rules_as_json(&self.rules)).text(rules_in_words(&self.rules)),
            Setting::new("pipelining", self.pipelining),
            Setting::new("timeout", self.timeout.as_secs())
                .field("timeout_seconds")
                .text(Some(units::duration(self.timeout))),
            Setting::new("every", self.every.as_secs())
                .field("every_seconds")
                .text(Some(units::duration(self.every))),
            Setting::new("on-new", on_new.map(|it| &it.argv))
                .text(on_new.map(|it| it.argv.join(" "))),
            Setting::new("on-new-paths", on_new.map(|it| it.paths)),
            Setting::new("on-new-timeout", on_new.map(OnNew::seconds))
                .field("on_new_timeout_seconds")
                .text(on_new.map(|it| units::duration(it.limit))),
        ]
    }
}

impl Tls {
    /// Its word in the config file.
    fn word(&self) -> &'static str {
        match self {
            Self::Implicit(_) => "implicit",
            Self::StartTls(_) => "starttls",
            Self::None => "none",
        }
    }
}

/// Words for folders, for programs.
fn words(words: &[Word]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

/// The same for people.
fn in_words(all: &[Word]) -> String {
    words(all).join(", ")
}

/// What takes messages, for programs.
fn shown_deliver(deliver: &Deliver) -> Value {
    match &deliver.to {
        Recipient::Program(program) => json!({
            "command": program.argv,
            "from_line": program.from_line,
            "deadline_seconds": program.deadline.as_secs(),
        }),
        Recipient::Mbox(mbox) => json!({ "mbox": mbox.path.display().to_string() }),
        Recipient::Lmtp(lmtp) => json!({
            "lmtp": lmtp.place.to_string(),
            "recipient": lmtp.recipient,
            "deadline_seconds": lmtp.deadline.as_secs(),
        }),
        Recipient::Folder(folder) => json!({
            "account": folder.account,
            "folder": folder.folder,
        }),
        Recipient::Stdout => json!({ "mbox": "-" }),
    }
}

/// The same for people.
fn deliver_in_words(deliver: &Deliver) -> String {
    match &deliver.to {
        Recipient::Program(program) => format!("the program `{program}`"),
        Recipient::Mbox(mbox) => format!("the mbox file {mbox}"),
        Recipient::Lmtp(lmtp) => format!("the LMTP server {lmtp}"),
        Recipient::Folder(folder) => format!("the folder {folder}"),
        Recipient::Stdout => "standard output".to_owned(),
    }
}

fn rules_as_json(rules: &Rules) -> Vec<Value> {
    let object = |rule: &Rule| {
        let folder = rule.action.folder().map(ToString::to_string);
        json!({ "when": rule.text, "then": rule.action.word(), "folder": folder })
    };
    rules.iter().map(object).collect()
}

fn rules_in_words(rules: &Rules) -> Option<String> {
    let line = |(rule, number): (&Rule, usize)| {
        let then = match rule.action.folder() {
            Some(folder) => folder.to_string(),
            None => rule.action.word().to_owned(),
        };
        format!("{number}. {}: {then}", rule.text)
    };
    let lines: Vec<String> = rules.iter().zip(1..).map(line).collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}

/// Where the secret comes from, in a word for programs and in words for people.
fn described(source: &PasswordSource) -> (&'static str, String) {
    match source {
        PasswordSource::Command(argv) => ("command", format!("the output of `{}`", argv.join(" "))),
        PasswordSource::Credential(name) => {
            ("credential", format!("in the systemd credential `{name}`"))
        }
        PasswordSource::File(path) => ("file", format!("in the file {}", path.display())),
        PasswordSource::Inline(_) => ("config", "in the config file".to_owned()),
        PasswordSource::Keyring => ("keyring", "in the system keyring".to_owned()),
        PasswordSource::OAuth(OAuth::Command(argv)) => (
            "token-command",
            format!("an access token, the output of `{}`", argv.join(" ")),
        ),
        PasswordSource::OAuth(OAuth::Login { client, store }) => (
            "oauth",
            format!(
                "an access token from {}; the sign-in is kept in {}",
                client.token.url(),
                match store {
                    Store::Keyring => "the system keyring",
                    Store::File => "a file for you alone",
                }
            ),
        ),
        PasswordSource::Netrc(path) => ("netrc", format!("in the netrc file {}", path.display())),
        PasswordSource::Prompt => ("prompt", "asked for on the terminal".to_owned()),
        PasswordSource::PromptOrKeyring => (
            "prompt",
            "asked for on the terminal, or else in the system keyring".to_owned(),
        ),
        PasswordSource::Stdin => ("stdin", "on standard input".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Protocol, Server, file};

    const PAGE: &str = include_str!("../../man/popfetch.1.in");

    fn settings() -> Vec<Setting> {
        let server = Server {
            protocol: Protocol::Pop,
            host: "pop.example.com".to_owned(),
            port: 995,
            user: "ada".to_owned(),
        };
        Profile::new("ada".to_owned(), server).settings()
    }

    #[test]
    fn each_key_of_the_config_file_is_shown() {
        let shown: Vec<_> = settings().iter().map(|setting| setting.key).collect();
        for key in file::Account::keys() {
            let part_of = |whole: &str| key.starts_with(whole) && shown.contains(&whole);
            let otherwise = ["allow-insecure", "disabled", "oauth"].contains(&key.as_str());
            assert!(
                shown.contains(&key.as_str()) || part_of("password") || otherwise,
                "`account show` does not say `{key}`"
            );
        }
    }

    #[test]
    fn the_manual_page_names_the_fields_that_are_called_otherwise() {
        let (_, fields) = PAGE
            .split_once("\\fBprofile\\fR with its settings")
            .unwrap();
        let (fields, _) = fields.split_once(".SH").unwrap();
        for setting in settings() {
            let otherwise = setting.field != setting.key.replace('-', "_");
            let named = fields.contains(&format!("\\fB{}\\fR", setting.field));
            assert!(named || !otherwise, "{}", setting.field);
        }
    }
}
