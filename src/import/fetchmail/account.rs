//! A user of a server, and what is said of it.

use super::settings;
use super::{Setting, Settings};
use crate::import::files::Surroundings;
use crate::import::mda;
use crate::import::model::{Draft, Fate};
use crate::profile::Protocol;

/// A user of a server.
pub(super) struct Account<'a> {
    /// What the server is called in the config.
    pub(super) poll: &'a str,
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) skip: bool,
    pub(super) settings: Settings<'a>,
    /// Others on this server.
    pub(super) alone: bool,
}

/// What says where mail is sent by LMTP, and whose it is.
pub(super) const LMTP: [&str; 5] = ["lmtp", "smtphost", "is", "smtpaddress", "smtpname"];

impl Account<'_> {
    /// The LMTP server that takes the mail, where one does, and whose mail that is.
    pub(super) fn lmtp(&self, draft: &mut Draft, around: &Surroundings) -> Option<Fate> {
        if !self.is_on("lmtp") || self.settings.contains_key("mda") {
            return None;
        }
        // For LMTP it has no port of its own.
        let server = self.value("smtphost")?;
        let (host, port) = match server.starts_with('/') {
            true => (server, 0),
            false => {
                let (host, port) = server.split_once('/')?;
                (host, port.parse().ok()?)
            }
        };
        let mut names = ["is", "to"].iter().filter_map(|key| self.settings.get(key));
        let named = names.next();
        // Mail that is sorted by its recipients has no one that it is for.
        let is_sorted =
            |it: &&Setting| it.values.len() != 1 || it.values.iter().any(|name| **name == "*");
        if names.next().is_some() || named.is_some_and(is_sorted) {
            return None;
        }
        let domain = match self.value("smtpaddress") {
            Some(domain) => domain,
            None if host.starts_with('/') => "localhost",
            None => host,
        };
        let named = named.and_then(|it| it.values.first());
        let login = || around.variable("FETCHMAILUSER").unwrap_or(&around.user);
        let name = named.map_or_else(login, |name| name.as_str());
        if name.is_empty() {
            return None;
        }
        let recipient = match self.value("smtpname") {
            Some(address) => address.to_owned(),
            None if name.contains('@') => name.to_owned(),
            None => format!("{name}@{domain}"),
        };
        let fate = mda::lmtp(draft, host, port, &recipient);
        matches!(fate, Fate::Taken(_)).then_some(fate)
    }

    pub(super) fn value(&self, key: &str) -> Option<&str> {
        let setting = self.settings.get(key)?;
        setting.values.first().map(|value| value.as_str())
    }

    pub(super) fn is_on(&self, key: &str) -> bool {
        self.settings.get(key).is_some_and(|setting| !setting.no)
    }

    pub(super) fn host(&self) -> &str {
        self.value("via").unwrap_or(self.poll)
    }

    pub(super) fn user(&self, around: &Surroundings) -> String {
        let login = || around.variable("FETCHMAILUSER").unwrap_or(&around.user);
        self.value("user").unwrap_or_else(login).to_owned()
    }

    /// What it is fetched by, if popfetch speaks that.
    pub(super) fn protocol(&self) -> Option<Protocol> {
        let of_imap = |service| matches!(service, "143" | "993" | "imap" | "imaps" | "imap2");
        match self.value("protocol") {
            Some(word) if settings::is_pop(word) => Some(Protocol::Pop),
            Some(word) if word.eq_ignore_ascii_case("imap") => Some(Protocol::Imap),
            Some(word) if !settings::is_auto(word) => None,
            _ if self.value("service").is_some_and(of_imap) => Some(Protocol::Imap),
            _ => Some(Protocol::Pop),
        }
    }
}
