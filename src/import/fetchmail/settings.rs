//! What becomes of each keyword, in the line that has it and in the account.

use super::Config;
use super::grammar::Setting;
use crate::import::files::Surroundings;
use crate::import::model::{Draft, Fate, Secret, Word};
use crate::import::{argv, common, mda};
use crate::profile::units;
use crate::secrets::Password;
use std::time::Duration;

const AS_THEY_ARE: &str = "messages are stored octet for octet";
const NOT_SORTED: &str = "mail is not sorted by its recipients";
const NO_ERROR_MAIL: &str = "popfetch sends no mail to anybody";

pub(super) fn is_auto(protocol: &str) -> bool {
    protocol.eq_ignore_ascii_case("auto")
}

pub(super) fn is_pop(protocol: &str) -> bool {
    let known = ["pop3", "apop", "sdps"];
    known.iter().any(|word| protocol.eq_ignore_ascii_case(word))
}

/// A port by its number, or by the names that POP3's have.
pub(super) fn port(service: &str) -> Option<u64> {
    match service {
        "pop3" | "pop-3" => Some(110),
        "pop3s" => Some(995),
        "imap" | "imap2" => Some(143),
        "imaps" => Some(993),
        _ => service
            .parse()
            .ok()
            .filter(|port| (1..=65535).contains(port)),
    }
}

impl Config<'_> {
    /// Takes a setting into a draft, and says what it became.
    pub(super) fn take(&self, it: &Setting, draft: &mut Draft, around: &Surroundings) -> Fate {
        let value = it.values.first().map_or("", |value| value.as_str());
        let file = |value: &str| match value.starts_with("~/") {
            true => around.rewritten(value),
            false => around.shown(&self.beside(value)),
        };
        match it.key {
            "via" => draft.text("host", value),
            "service" => match port(value) {
                Some(port) => draft.set("port", Word::Number(port)),
                None => Fate::nothing("popfetch knows ports by their numbers: write it as `port`"),
            },
            "protocol" => protocol(value, draft),
            "auth" => auth(value, draft),
            "timeout" => match number(value) {
                Some(seconds) => {
                    let text = units::duration(Duration::from_secs(seconds));
                    draft.text("timeout", text)
                }
                None => Fate::Changed(
                    "timeout = \"60 s\"".into(),
                    "a server that is silent for ever holds up everything".into(),
                ),
            },
            "interval" => Fate::nothing(
                "each run fetches all accounts; one of them can have a timer of its own",
            ),
            "plugin" => draft.set("proxy-command", Word::List(plugin(value))),
            "interface" | "monitor" => {
                Fate::nothing("popfetch does not look at interfaces before it connects")
            }
            "uidl" if it.no => Fate::Changed(
                "unique-ids tell messages apart".into(),
                "a message's number changes".into(),
            ),
            "uidl" => Fate::taken("unique-ids tell messages apart"),
            "tracepolls" if it.no => Fate::taken("no line is added to any message"),
            "tracepolls" => {
                Fate::Changed("no line is added to any message".into(), AS_THEY_ARE.into())
            }
            "bad-header" if value == "accept" => Fate::taken(AS_THEY_ARE),
            "bad-header" => Fate::Changed(
                "every message is stored".into(),
                "what is odd in a header is its reader's to judge".into(),
            ),
            "retrieve-error" if value == "abort" => Fate::Changed(
                "the other messages are fetched".into(),
                "one that cannot be had holds none of them up, and is tried again".into(),
            ),
            "retrieve-error" if value == "markseen" => Fate::Changed(
                "it is tried again in later runs".into(),
                "what was not fetched is never taken for fetched".into(),
            ),
            "retrieve-error" => Fate::taken("the other messages are fetched"),
            "pwmd_file" | "pwmd_socket" | "pwmd_socket_args" | "pinentry_timeout" => Fate::nothing(
                "the password stays in pwmd: write a command that asks it as `password-command`",
            ),
            "principal" => Fate::nothing("popfetch has no Kerberos"),
            "folder" => Fate::taken("folders, by IMAP"),
            "idle" | "forceidle" => {
                Fate::taken("`popfetch watch` waits for news by itself, by IMAP")
            }
            "idletimeout" => Fate::nothing("it is renewed in good time"),
            "dns" | "checkalias" | "envelope" if it.no => Fate::taken(NOT_SORTED),
            "aka" | "localdomains" | "envelope" | "qvirtual" | "dns" | "checkalias" => {
                Fate::nothing(NOT_SORTED)
            }
            "smtphost" => Fate::nothing(
                "popfetch speaks no SMTP; where this server takes LMTP, name it and whose mail it is, as in \
                 deliver = { lmtp = \"localhost:24\", recipient = \"ada\" }",
            ),
            "plugout" | "esmtpname" | "esmtppassword" | "smtpaddress" | "smtpname"
            | "fetchdomains" => Fate::nothing("popfetch speaks no SMTP"),
            "antispam" => Fate::nothing("there is no mail server that could refuse mail"),
            "lmtp" => common::lmtp_target(),
            "bsmtp" => common::no_target("a file of BSMTP"),
            "mda" => match maildir(value) {
                Some(path) => draft.text("maildir", around.rewritten(path)),
                None => mda::of_line(draft, value),
            },
            "user" | "is" | "to" if it.there => draft.text("user", value),
            "user" | "is" | "to" if it.values.len() > 1 || value == "*" => {
                Fate::Changed("one mailbox for one Maildir".into(), NOT_SORTED.into())
            }
            "user" | "is" | "to" => Fate::Changed(
                "what is fetched belongs to who runs popfetch".into(),
                "it delivers as no other user".into(),
            ),
            "password" if value.is_empty() => Fate::taken("no password"),
            "password" => {
                draft.secret = Secret::Inline(Password::new(value.to_owned()));
                Fate::Changed(
                    "moved out of the config".into(),
                    "see the account below".into(),
                )
            }
            "passwordfile" => {
                let word = Word::Text(file(value));
                let fate = Fate::key("password-file", &word);
                draft.secret = Secret::Key("password-file", word);
                fate
            }
            "passwordeval" => {
                let word = Word::List(argv::of_shell(value));
                let fate = Fate::key("password-command", &word);
                draft.secret = Secret::Key("password-command", word);
                fate
            }
            "passwordfd" => Fate::nothing("`popfetch --password-stdin` reads it from there"),
            "preconnect" | "postconnect" => {
                Fate::nothing("no command is run before or after: run both from a script")
            }
            "properties" => Fate::nothing("it is for other programs"),
            "daemon" => Fate::nothing(
                "popfetch watch fetches each account at its `every`, or a timer starts popfetch: see popfetch man, EXAMPLES",
            ),
            "logfile" => {
                Fate::nothing("no log file: `popfetch -v --format json` can be kept in one")
            }
            "syslog" if it.no => Fate::taken("no log of its own"),
            "syslog" => {
                Fate::nothing("no log of its own: what it prints can be sent on by `logger`")
            }
            "idfile" => Fate::taken("where the unique-ids are read from"),
            "pidfile" => Fate::taken("each account has a lock of its own"),
            "postmaster" => Fate::nothing(NO_ERROR_MAIL),
            "bouncemail" | "spambounce" | "softbounce" if it.no => Fate::taken(NO_ERROR_MAIL),
            "bouncemail" | "spambounce" | "softbounce" => Fate::nothing(NO_ERROR_MAIL),
            "invisible" if it.no => {
                Fate::Changed("no line is added to any message".into(), AS_THEY_ARE.into())
            }
            "invisible" => Fate::taken("no line is added to any message"),
            "showdots" => Fate::taken("progress is shown on a terminal"),
            "keep" => draft.text("keep", if it.no { "never" } else { "always" }),
            "fetchall" if it.no => Fate::taken("what is new is fetched"),
            "fetchall" => Fate::Changed(
                "what is new is fetched".into(),
                "nothing is fetched twice".into(),
            ),
            "flush" | "limitflush" if it.no => {
                Fate::taken("nothing is deleted that was not fetched")
            }
            "flush" | "limitflush" => Fate::nothing("nothing is deleted that was not fetched"),
            "limit" => match number(value) {
                Some(octets) => draft.text("max-size", units::octets(octets)),
                None => Fate::taken("no max-size"),
            },
            "warnings" => Fate::nothing("no mail is sent about what `max-size` leaves out"),
            "fetchlimit" if number(value).is_none() => Fate::taken("a run takes all there is"),
            "fetchlimit" => Fate::nothing("a run takes all there is; --max-time ends one early"),
            "fetchsizelimit" => Fate::taken("all sizes are asked for at once"),
            "fastuidl" => Fate::taken("all unique-ids are asked for at once"),
            "batchlimit" => Fate::nothing("there is no mail server that mail is handed to"),
            "expunge" if number(value).is_none() => Fate::taken("one session, ended once"),
            "expunge" => Fate::nothing("a session ends once, with all that it deletes"),
            "rewrite" | "forcecr" | "stripcr" | "pass8bits" | "dropstatus" | "dropdelivered"
            | "mimedecode" => match it.no {
                true => Fate::taken(AS_THEY_ARE),
                false => Fate::Changed(AS_THEY_ARE.into(), "no tool should have to guess".into()),
            },
            "ssl" if it.no => Fate::taken("no TLS from the first octet"),
            "ssl" => Fate::taken("TLS from the first octet"),
            "sslproto" => version(value, draft),
            "sslmode" => match value.to_ascii_lowercase().as_str() {
                "wrapped" => Fate::taken("TLS from the first octet"),
                "none" => Fate::taken("tls = \"none\""),
                "starttls=must" => Fate::taken("tls = \"starttls\""),
                "starttls=may" => Fate::Changed(
                    "tls = \"starttls\"".into(),
                    "who can change what the server says could take TLS away".into(),
                ),
                _ => Fate::Changed("tls = \"starttls\"".into(), "there is no such mode".into()),
            },
            "sslcertck" if it.no => Fate::Changed(
                "certificates are verified".into(),
                "a server that anybody can play may get the password; for one with a certificate \
                 of its own there are `tls-roots` and `tls-pin`"
                    .into(),
            ),
            "sslcertck" => Fate::taken("certificates are always verified"),
            "sslcertfile" => draft.text("tls-roots", file(value)),
            "sslcertpath" => Fate::nothing(
                "popfetch reads authorities from one file: `tls-roots`, or the system's",
            ),
            "sslcommonname" => draft.text("tls-server-name", value),
            "sslfingerprint" => Fate::nothing(
                "this is the hash of a certificate, and `tls-pin` that of a key, which stays when \
                 certificates change: `popfetch account test` shows it",
            ),
            "sslcert" => draft.text("tls-client-cert", file(value)),
            "sslkey" => draft.text("tls-client-key", file(value)),
            _ => Fate::nothing("fetchmail has no such keyword"),
        }
    }
}

/// A number that is not fetchmail's word for none.
fn number(value: &str) -> Option<u64> {
    value.parse().ok().filter(|number| *number > 0)
}

fn protocol(value: &str, draft: &mut Draft) -> Fate {
    match value.to_ascii_lowercase().as_str() {
        "pop3" => Fate::taken("POP3"),
        "imap" => Fate::taken("protocol = \"imap\""),
        "apop" => {
            draft.text("auth", "apop");
            Fate::taken("auth = \"apop\", where there is TLS")
        }
        "sdps" => Fate::Changed("POP3".into(), "SDPS is not spoken".into()),
        "auto" => Fate::Changed(
            "POP3, or IMAP where the port says so".into(),
            "popfetch tries no other protocol".into(),
        ),
        _ => Fate::nothing("popfetch speaks POP3 and IMAP; accounts with this are left out"),
    }
}

fn auth(value: &str, draft: &mut Draft) -> Fate {
    match value {
        "any" | "password" => Fate::taken("auth = \"auto\""),
        "cram" | "cram-md5" => draft.text("auth", "cram-md5"),
        "external" => Fate::nothing(
            "name the certificate as `tls-client-cert`, and write auth = \"external\"",
        ),
        "oauthbearer" | "xoauth2" => Fate::nothing(
            "tokens: give the account a table `oauth` with `token-command`, or see `popfetch login`",
        ),
        _ => Fate::nothing("popfetch has no such method; it takes the best that the server offers"),
    }
}

fn version(value: &str, draft: &mut Draft) -> Fate {
    match value.to_ascii_lowercase().as_str() {
        "" => Fate::taken("tls = \"none\", where there is no ssl"),
        "auto" | "ssl23" | "tls1.2" | "tls1.2+" => Fate::taken("TLS 1.2 or 1.3"),
        "tls1.3" | "tls1.3+" => draft.text("tls-min-version", "1.3"),
        "ssl2" | "ssl3" | "ssl3+" | "tls1" | "tls1+" | "tls1.0" | "tls1.0+" | "tls1.1"
        | "tls1.1+" => Fate::Changed("TLS 1.2 or 1.3".into(), "older ones are not safe".into()),
        _ => Fate::Changed("TLS 1.2 or 1.3".into(), "there is no such version".into()),
    }
}

/// `%h` and `%p` stand for host and port only where they are words, and nothing is for a shell.
fn plugin(value: &str) -> Vec<String> {
    let words = value.split_ascii_whitespace().map(|word| match word {
        "%h" | "%p" => word.to_owned(),
        _ => word.replace('%', "%%"),
    });
    words.collect()
}

/// getmail's own program that stores a message in a Maildir.
fn maildir(command: &str) -> Option<&str> {
    let mut words = command.split_ascii_whitespace();
    let (program, path) = (words.next()?, words.next()?);
    let name = program.rsplit('/').next();
    let bare = path.strip_prefix("~/").unwrap_or(path);
    let is_plain = argv::of_shell(bare) == [bare] && words.next().is_none();
    (name == Some("getmail_maildir") && is_plain).then_some(path)
}
