//! What becomes of each line.

use super::sections::Entry;
use crate::import::files::Surroundings;
use crate::import::model::{Draft, Fate, Word};
use crate::import::{argv, common};
use crate::profile::units;
use std::time::Duration;

/// Debian's file of all authorities, which many name.
const SYSTEM: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What becomes of a line of whichever section.
pub(super) fn of(entry: &Entry, around: &Surroundings) -> Fate {
    let mut draft = Draft::default();
    let first = entry.arguments.first().map_or("", String::as_str);
    match entry.keyword.as_str() {
        "Host" => draft.text("host", first),
        "Port" => match first.parse() {
            Ok(port) => draft.set("port", Word::Number(port)),
            Err(_) => Fate::nothing("it is no port"),
        },
        "User" => draft.text("user", first),
        "UserCmd" => Fate::nothing("a user's name that a command says is not asked for"),
        "Pass" => Fate::Changed(
            "moved out of the config".into(),
            "see the account below".into(),
        ),
        "PassCmd" => {
            let command = first.strip_prefix('+').unwrap_or(first);
            draft.set("password-command", Word::List(argv::of_shell(command)))
        }
        "UseKeychain" => Fate::nothing("the keyring is `password-keyring = true`"),
        "Tunnel" => draft.set("proxy-command", Word::List(argv::of_shell(first))),
        "AuthMechs" => {
            let named: Vec<&str> = entry.arguments.iter().map(String::as_str).collect();
            match auth(&named) {
                Some(auth) => draft.text("auth", auth),
                None => Fate::Changed(
                    "auth = \"auto\"".into(),
                    "the safest way that the server offers".into(),
                ),
            }
        }
        "RequireCRAM" if is_true(first) => draft.text("auth", "cram-md5"),
        "RequireCRAM" => Fate::taken("auth = \"auto\""),
        "SSLType" | "TLSType" => match first.to_lowercase().as_str() {
            "imaps" => Fate::taken("TLS from the first octet"),
            "none" => Fate::taken("tls = \"none\""),
            _ => draft.text("tls", "starttls"),
        },
        "CertificateFile" => draft.text("tls-roots", roots(first, around)),
        "SystemCertificates" => Fate::Changed(
            "see `tls-roots`".into(),
            "the authorities are either the system's, popfetch's own, or those in a file".into(),
        ),
        "ClientCertificate" => draft.text("tls-client-cert", around.rewritten(first)),
        "ClientKey" => draft.text("tls-client-key", around.rewritten(first)),
        "SSLVersion" | "SSLVersions" | "TLSVersions" | "CipherString" => {
            Fate::nothing("TLS 1.2 and 1.3 with safe ciphers alone; see `tls-min-version`")
        }
        "Timeout" => match first.parse() {
            Ok(number @ 1..) => draft.text("timeout", seconds(number)),
            _ => Fate::Changed(
                "timeout = \"60 s\"".into(),
                "a server that is silent for ever holds up everything".into(),
            ),
        },
        "PipelineDepth" if first == "1" => draft.text("pipelining", "off"),
        "PipelineDepth" => Fate::taken("popfetch asks for many messages at once"),
        "Account" => Fate::taken("the account's settings are in each account below"),
        "Path" | "PathDelimiter" | "Flatten" => Fate::taken("where the folders are"),
        "Inbox" => draft.text("maildir", around.rewritten(first)),
        "SubFolders" => Fate::taken("popfetch keeps folders as Maildir++ does"),
        "Far" | "Near" => Fate::taken("which folder goes where"),
        "Patterns" => Fate::taken("folders and exclude"),
        "MaxSize" => match size(first) {
            Some(octets) => draft.text("max-size", units::octets(octets)),
            None => Fate::taken("no max-size"),
        },
        "Sync" => Fate::Changed(
            "new mail comes from the server".into(),
            "popfetch goes one way".into(),
        ),
        "Expunge" | "Remove" | "Trash" | "TrashNewOnly" | "TrashRemoteNew" | "ExpireUnread"
        | "MaxMessages" => Fate::nothing(
            "popfetch deletes nothing in the Maildir; `keep` says what becomes of mail on the server",
        ),
        "Create" => Fate::taken("folders of the Maildir are made as mail comes"),
        "CopyArrivalDate" if first.eq_ignore_ascii_case("yes") => {
            draft.text("file-time", "received")
        }
        "CopyArrivalDate" => draft.text("file-time", "arrival"),
        "SyncState" | "FieldDelimiter" => Fate::taken("where what was fetched is read from"),
        "SubscribedOnly" => Fate::nothing("all folders that `folders` names are fetched"),
        "FSync" => Fate::taken("every file is synced"),
        "Channel" | "Channels" => {
            Fate::taken("popfetch fetches all accounts, or those that you name")
        }
        "InfoDelimiter" | "AltMap" | "UseNamespace" | "MapInbox" | "BufferLimit"
        | "DisableExtension" | "DisableExtensions" => {
            Fate::nothing("there is nothing like it here")
        }
        _ => Fate::nothing("this is no keyword that popfetch knows of mbsync's"),
    }
}

/// The one method that is named, if popfetch knows it and there is but one, or if all of them are for tokens.
/// LOGIN is the command of this name, as mbsync has it, and no mechanism of SASL; `*` is any.
pub(super) fn auth(named: &[&str]) -> Option<&'static str> {
    const NO_MECHANISMS: [&str; 3] = ["auto", "apop", "user-pass"];
    let method = |name: &str| match name.to_ascii_lowercase().as_str() {
        "login" => Some("user-pass"),
        word if NO_MECHANISMS.contains(&word) => None,
        word => common::auth(word),
    };
    let first = method(named.first()?)?;
    let others = named.iter().map(|name| method(name));
    let mut others = others.filter(|it| *it != Some(first));
    let is_for_tokens = |it: Option<&str>| it.is_some_and(|it| TOKENS.contains(&it));
    let is_sure = others.all(|it| is_for_tokens(Some(first)) && is_for_tokens(it));
    is_sure.then_some(first)
}

/// The methods whose secret is no password.
pub(super) const TOKENS: [&str; 2] = ["xoauth2", "oauthbearer"];

/// mbsync's words for yes.
pub(super) fn is_true(word: &str) -> bool {
    ["yes", "true", "on", "1"].contains(&word.to_lowercase().as_str())
}

/// The authorities in a file.
pub(super) fn roots(path: &str, around: &Surroundings) -> String {
    match path {
        SYSTEM => "system".to_owned(),
        _ => around.rewritten(path),
    }
}

pub(super) fn seconds(seconds: u64) -> String {
    units::duration(Duration::from_secs(seconds))
}

/// A number with `k` or `m` behind it, and perhaps a `b`; none where there is no limit.
pub(super) fn size(text: &str) -> Option<u64> {
    let text = text.to_lowercase();
    let text = text.strip_suffix('b').unwrap_or(&text);
    let (digits, unit) = match text.strip_suffix('k') {
        Some(digits) => (digits, 1 << 10),
        None => text.strip_suffix('m').map_or((text, 1), |it| (it, 1 << 20)),
    };
    let number: u64 = digits.parse().ok()?;
    number.checked_mul(unit).filter(|octets| *octets > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_taken_where_mbsync_has_no_other() {
        for (named, ours) in [
            (&["LOGIN"][..], Some("user-pass")),
            (&["login", "LOGIN"], Some("user-pass")),
            (&["PLAIN"], Some("plain")),
            (&["CRAM-MD5"], Some("cram-md5")),
            (&["SCRAM-SHA-256"], Some("scram-sha-256")),
            (&["EXTERNAL"], Some("external")),
            (&["XOAUTH2"], Some("xoauth2")),
            (&["OAUTHBEARER", "XOAUTH2"], Some("oauthbearer")),
            (&["XOAUTH2", "PLAIN"], None),
            (&["LOGIN", "PLAIN"], None),
            (&["PLAIN", "LOGIN"], None),
            (&["PLAIN", "GSSAPI"], None),
            (&["GSSAPI"], None),
            (&["*"], None),
            (&["LOGIN", "*"], None),
            (&["APOP"], None),
            (&["auto"], None),
            (&[], None),
        ] {
            assert_eq!(auth(named), ours, "{named:?}");
        }
    }
}
