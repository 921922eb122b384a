//! What becomes of each key.

use super::{Account, expanded, is_true, maildir, seconds};
use crate::import::common;
use crate::import::files::Surroundings;
use crate::import::ini::{self, Entry, Section};
use crate::import::model::{Draft, Fate, Word};
use crate::profile::units;

impl Account {
    pub(super) fn fate(&self, section: &Section, entry: &Entry, around: &Surroundings) -> Fate {
        let value = entry.value.as_str();
        match section.name.as_str() {
            "retriever" if !self.is_pop() && !self.is_imap() => {
                Fate::nothing("this is no account of POP3 or IMAP, and is left out")
            }
            "retriever" => self.retriever(&entry.key, value, around),
            "destination" => match (entry.key.as_str(), self.get("destination", "type")) {
                ("type", Some("Maildir")) => Fate::taken("maildir"),
                ("path", Some("Maildir")) => {
                    Fate::key("maildir", &Word::Text(maildir(value, around)))
                }
                (_, Some("Maildir")) => Fate::Changed(
                    "files that only their owner can read".into(),
                    "mail is stored as you, with mode 0600".into(),
                ),
                ("type" | "path" | "arguments" | "unixfrom", Some("MDA_external")) => {
                    self.program(&mut Draft::default())
                }
                ("type" | "path", Some("Mboxrd")) => self.mbox(&mut Draft::default(), around),
                ("type" | "host" | "port" | "override", Some("MDA_lmtp")) => {
                    self.lmtp(&mut Draft::default())
                }
                ("fallback", Some("MDA_lmtp")) => Fate::nothing(
                    "a message that the server refuses is named, and handed on again once a day",
                ),
                ("type", Some(kind)) => common::no_target(kind),
                (_, _) => Fate::nothing("it belongs to the destination's type"),
            },
            "options" | "DEFAULT" => self.option(&entry.key, value),
            name if name.starts_with("filter") => Fate::nothing(
                "no filter is run: rules about headers may take its place (popfetch.toml(5), RULES)",
            ),
            _ => Fate::nothing("a section that only another section's destination names"),
        }
    }

    fn retriever(&self, key: &str, value: &str, around: &Surroundings) -> Fate {
        let path = |key: &str| Fate::key(key, &Word::Text(expanded(value, around)));
        match key {
            "type" if self.kind().starts_with("Multidrop") => Fate::Changed(
                "one mailbox for one Maildir".into(),
                "mail is not sorted by its recipients".into(),
            ),
            "type" if self.kind().starts_with("SDPS") => Fate::Changed(
                "one mailbox for one Maildir".into(),
                "SDPS is not spoken".into(),
            ),
            "type" if self.has_no_unique_ids() => Fate::Changed(
                "POP3".into(),
                "where there are no unique-ids, messages are told apart by what is in them".into(),
            ),
            "type" if self.is_tls() => Fate::taken("TLS from the first octet"),
            "type" => Fate::taken("tls = \"none\""),
            "server" => Fate::key("host", &Word::Text(value.into())),
            "port" => match value.parse() {
                Ok(port) => Fate::key("port", &Word::Number(port)),
                Err(_) => Fate::nothing("this is no number"),
            },
            "username" => Fate::key("user", &Word::Text(value.into())),
            "password" => Fate::Changed(
                "moved out of the config".into(),
                "see the account below".into(),
            ),
            "password_command" => match ini::tuple(value) {
                Some(command) => Fate::key("password-command", &Word::List(command)),
                None => Fate::nothing("this is no tuple of texts"),
            },
            "use_apop" if is_true(value) && !self.is_tls() => Fate::Changed(
                "auth = \"auto\"".into(),
                "APOP is for connections with TLS alone".into(),
            ),
            "use_apop" if is_true(value) => Fate::key("auth", &Word::Text("apop".into())),
            "use_apop" => Fate::taken("auth = \"auto\""),
            "use_xoauth2" | "use_cram_md5" if is_true(value) && self.is_imap() => {
                match self.auth() {
                    Some(auth) if key == "use_xoauth2" && auth != "xoauth2" => {
                        Fate::taken("nothing: use_cram_md5 comes first")
                    }
                    Some("cram-md5") if !self.is_tls() => Fate::Changed(
                        "auth = \"auto\"".into(),
                        "CRAM-MD5 is for connections with TLS alone".into(),
                    ),
                    auth => Fate::key("auth", &Word::Text(auth.unwrap_or("auto").into())),
                }
            }
            "use_xoauth2" | "use_cram_md5" | "use_kerberos"
                if self.is_imap() && !is_true(value) =>
            {
                Fate::taken("auth = \"auto\"")
            }
            "use_kerberos" if self.is_imap() => {
                Fate::nothing("popfetch signs in with a password or a token alone")
            }
            "use_xoauth2" if is_true(value) => Fate::nothing(
                "tokens: give the account a table `oauth` with `token-command`, or see `popfetch \
                 login`",
            ),
            "use_xoauth2" => Fate::taken("no oauth"),
            "timeout" => match value.parse() {
                Ok(0) | Err(_) => Fate::Changed(
                    "timeout = \"60 s\"".into(),
                    "a server that is silent for ever holds up everything".into(),
                ),
                Ok(number) => Fate::key("timeout", &Word::Text(seconds(number))),
            },
            "ca_certs" => path("tls-roots"),
            "certfile" => path("tls-client-cert"),
            "keyfile" => path("tls-client-key"),
            "ssl_cert_hostname" => Fate::key("tls-server-name", &Word::Text(value.into())),
            "ssl_fingerprints" => Fate::nothing(
                "these are hashes of certificates, and `tls-pin` that of a key, which stays when \
                 certificates change: `popfetch account test` shows it",
            ),
            "ssl_version" | "ssl_ciphers" => {
                Fate::nothing("TLS 1.2 and 1.3 with safe ciphers alone; see `tls-min-version`")
            }
            "delete_dup_msgids" if is_true(value) => {
                Fate::nothing("nothing is deleted that was not fetched")
            }
            "delete_dup_msgids" => Fate::taken("nothing is deleted that was not fetched"),
            "mailboxes" if self.is_imap() => Fate::taken("folders"),
            "use_peek" if self.is_imap() => Fate::taken("messages stay unread on the server"),
            "record_mailbox" if self.is_imap() => Fate::nothing("no line is added to any message"),
            "envelope_recipient" => Fate::nothing("mail is not sorted by its recipients"),
            _ if self.is_imap() => self.fate_of_instead(key, value).unwrap_or_else(unknown),
            _ => unknown(),
        }
    }

    fn option(&self, key: &str, value: &str) -> Fate {
        let number = value.parse::<u64>().unwrap_or_default();
        match key {
            "verbose" => match number {
                0 => Fate::nothing("`popfetch -q` says little"),
                1 => Fate::taken("what popfetch says anyway"),
                _ => Fate::nothing("`popfetch -v` says more"),
            },
            "read_all" if is_true(value) => Fate::Changed(
                "what is new is fetched".into(),
                "nothing is fetched twice".into(),
            ),
            "read_all" => Fate::taken("what is new is fetched"),
            "max_message_size" if number == 0 => Fate::taken("no max-size"),
            "max_message_size" => Fate::key("max-size", &Word::Text(units::octets(number))),
            "max_messages_per_session" | "max_bytes_per_session" if number == 0 => {
                Fate::taken("a run takes all there is")
            }
            "max_messages_per_session" | "max_bytes_per_session" => {
                Fate::nothing("a run takes all there is; --max-time ends one early")
            }
            "delivered_to" | "received" if is_true(value) => Fate::Changed(
                "no line is added to any message".into(),
                "messages are stored octet for octet".into(),
            ),
            "delivered_to" | "received" => Fate::taken("no line is added to any message"),
            "message_log" | "logfile" => {
                Fate::nothing("no log file: `popfetch -v --format json` can be kept in one")
            }
            "message_log_syslog" | "message_log_verbose" if is_true(value) => {
                Fate::nothing("no log of its own: what it prints can be sent on by `logger`")
            }
            "message_log_syslog" | "message_log_verbose" => Fate::taken("no log of its own"),
            "to_oldmail_on_each_mail" => {
                Fate::taken("each message is recorded as soon as it is stored")
            }
            "only_oldmail_file" if is_true(value) => {
                Fate::nothing("`popfetch state mark-seen` does so once")
            }
            "only_oldmail_file" => Fate::taken("mail is fetched"),
            "use_netrc" if is_true(value) => Fate::taken("password-netrc"),
            "use_netrc" => Fate::taken("no netrc file"),
            "netrc_file" if !self.flag("use_netrc", false) => {
                Fate::taken("no netrc file: use_netrc is off")
            }
            "netrc_file" => Fate::taken("the file in password-netrc"),
            "fingerprint" => Fate::nothing("`popfetch account test` shows a server's key"),
            "mark_read" if is_true(value) => {
                Fate::nothing("messages stay unread on the server: popfetch marks none")
            }
            "skip_imap_fetch_size" | "mark_read" | "cache_uid" => Fate::taken("it is so"),
            _ => self.fate_of_keep(key, value).unwrap_or_else(unknown),
        }
    }
}

/// Of a key that getmail does not know.
pub(super) fn unknown() -> Fate {
    Fate::nothing("getmail has no such key for POP3")
}
