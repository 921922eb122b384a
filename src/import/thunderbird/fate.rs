//! What becomes of each of a server's settings.

use super::server::{ENCRYPTED, OAUTH, Server};
use crate::import::model::{Fate, Word};

const NO_TIMER: &str = "popfetch watch fetches each account at its `every`, or a timer starts popfetch: see popfetch man, EXAMPLES";
const NO_SPACE: &str = "a popfetch account keeps to itself: its mail is in a Maildir of its own";

impl Server<'_> {
    /// What becomes of one of its settings.
    pub(super) fn fate(&self, setting: &str) -> Fate {
        match self.kind() {
            "pop3" => self.fate_of_pop(setting),
            "imap" => self.fate_of_imap(setting),
            "none" => Fate::nothing("local folders are nothing to fetch"),
            "" => Fate::nothing("the server has no type, and so Thunderbird has no such account"),
            _ => Fate::nothing(
                "popfetch import takes POP3 and IMAP accounts of Thunderbird's alone; this one is left out",
            ),
        }
    }

    fn fate_of_pop(&self, setting: &str) -> Fate {
        let text = |key: &str, text: &str| Fate::key(key, &Word::Text(text.to_owned()));
        let on = self.is_on(setting);
        match setting {
            "type" => Fate::taken("POP3"),
            "leave_on_server" if self.leaves_bodies() && !on => {
                Fate::Changed("keep = \"always\"".into(), "see headers_only".into())
            }
            "leave_on_server" => text("keep", &self.keep()),
            "delete_by_age_from_server" | "num_days_to_leave_on_server" => {
                let keep = self.keep();
                match &*keep {
                    "never" => Fate::nothing("`leave_on_server` is off"),
                    "always" if self.leaves_bodies() => Fate::nothing("see headers_only"),
                    "always" => Fate::taken("nothing is deleted by age"),
                    _ => text("keep", &keep),
                }
            }
            "delete_mail_left_on_server" if on => Fate::nothing(
                "popfetch deletes from the server by age, never because a file is gone here",
            ),
            "delete_mail_left_on_server" => Fate::taken("what is deleted here stays on the server"),
            "headers_only" if on => Fate::Changed(
                "messages are fetched whole, keep = \"always\"".into(),
                "a header alone cannot be read offline, and what was left there stays there".into(),
            ),
            "headers_only" => Fate::taken("messages are fetched whole"),
            "deferred_to_account" if self.is_deferred() => Fate::Changed(
                "a Maildir of its own".into(),
                "accounts that share one have the same `maildir`".into(),
            ),
            "deferred_to_account" | "defer_get_new_mail" => Fate::taken(NO_SPACE),
            "directory" | "directory-rel" => Fate::taken("where popstate.dat is read from"),
            "dot_fix" | "handle_delete_from_server" | "pop3CapabilityFlags" => {
                Fate::taken("popfetch finds out what the server can")
            }
            _ => self.fate_of_both(setting),
        }
    }

    fn fate_of_imap(&self, setting: &str) -> Fate {
        match setting {
            "type" => Fate::taken("protocol = \"imap\""),
            "offline_download" if self.has_copies() => Fate::taken("folders and exclude"),
            "offline_download" => Fate::Changed(
                "the inbox alone".into(),
                "Thunderbird keeps no copies here; see `folders`".into(),
            ),
            "directory" | "directory-rel" => Fate::nothing(
                "Thunderbird's copies of what the server has: they stay as they are, and are not read",
            ),
            "using_subscription" => Fate::nothing("`folders` and `exclude` say which are fetched"),
            "server_sub_directory" => Fate::nothing("folders are called as the server calls them"),
            "autosync_max_age_days" if self.number(setting).is_some_and(|days| days > 0) => {
                Fate::nothing(
                    "messages of any age are fetched; `latest` leaves out old ones at first",
                )
            }
            "autosync_max_age_days" => Fate::taken("messages of any age are fetched"),
            "check_all_folders_for_new" => Fate::taken("each fetch looks into all of `folders`"),
            "use_idle" => Fate::taken("`popfetch watch` waits for news by itself"),
            "timeout" => {
                Fate::nothing("how long a connection may be idle: it is closed after each fetch")
            }
            "max_cached_connections" => Fate::taken("one connection, with many commands at once"),
            "delete_model"
            | "trash_folder_name"
            | "empty_trash_on_exit"
            | "cleanup_inbox_on_exit" => Fate::nothing("popfetch moves nothing on the server"),
            "capability" | "is_gmail" | "force_select" | "serverIDResponse" => {
                Fate::taken("popfetch finds out what the server can")
            }
            _ if setting.starts_with("cacheCapa.") => {
                Fate::taken("popfetch finds out what the server can")
            }
            _ => self.fate_of_both(setting),
        }
    }

    /// Of a setting that accounts of both protocols have.
    fn fate_of_both(&self, setting: &str) -> Fate {
        let text = |key: &str, text: &str| Fate::key(key, &Word::Text(text.to_owned()));
        match setting {
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
            "limit_offline_message_size" | "max_size" => match self.max_size() {
                Some(size) => Fate::Changed(
                    format!("max-size = \"{size}\""),
                    "a larger message stays on the server, and no part of it is fetched".into(),
                ),
                None => Fate::taken("no max-size"),
            },
            "check_new_mail" | "check_time" | "login_at_startup" | "download_on_biff" => {
                Fate::nothing(NO_TIMER)
            }
            "name" => Fate::taken("the account's name, where it is no address"),
            "storeContractID" => Fate::Changed(
                "a Maildir".into(),
                "Thunderbird's own folders are only Thunderbird's to write to".into(),
            ),
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

/// Whether a setting of `mail.server.default` changes an account.
pub(super) fn is_known(setting: &str) -> bool {
    [
        "leave_on_server",
        "delete_by_age_from_server",
        "num_days_to_leave_on_server",
        "delete_mail_left_on_server",
        "limit_offline_message_size",
        "max_size",
        "offline_download",
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
