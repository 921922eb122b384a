//! A channel with the stores that it joins.

mod folders;
mod patterns;

pub(super) use folders::Far;

use super::fate;
use super::sections::{Section, Sections};
use super::store::MaildirStore;

/// A channel from an IMAP store into a Maildir.
pub(super) struct Channel<'a> {
    section: &'a Section,
    global: Option<&'a Section>,
    /// The IMAP store, and the account that it names.
    server: &'a Section,
    account: Option<&'a Section>,
    store: MaildirStore<'a>,
    /// The mailbox behind the stores' names.
    far_mailbox: &'a str,
    near_mailbox: &'a str,
}

impl<'a> Channel<'a> {
    /// `None` for whatever else a section is.
    pub(super) fn of(section: &'a Section, sections: &'a Sections) -> Option<Self> {
        if section.kind != "Channel" {
            return None;
        }
        let store = |keyword| section.get(keyword)?.strip_prefix(':')?.split_once(':');
        let (far, near) = (store("Far")?, store("Near")?);
        let server = sections.find("IMAPStore", far.0)?;
        let account = server.get("Account");
        Some(Self {
            section,
            global: sections.global(),
            server,
            account: account.and_then(|name| sections.find("IMAPAccount", name)),
            store: MaildirStore(sections.find("MaildirStore", near.0)?),
            far_mailbox: far.1,
            near_mailbox: near.1,
        })
    }

    pub(super) fn name(&self) -> &'a str {
        &self.section.name
    }

    pub(super) fn line(&self) -> usize {
        self.section.head().map_or(1, |(line, _)| line)
    }

    /// A setting of the account, which may stand in the store itself.
    pub(super) fn of_account(&self, keyword: &str) -> Option<&'a str> {
        let of_account = self.account.and_then(|account| account.get(keyword));
        of_account.or_else(|| self.server.get(keyword))
    }

    /// The one method to sign in with, if there is but one that popfetch knows.
    pub(super) fn auth(&self) -> Option<&'static str> {
        if self.of_account("RequireCRAM").is_some_and(fate::is_true) {
            return fate::auth(&["CRAM-MD5"]);
        }
        let of_account = self.account.map(|it| it.all("AuthMechs"));
        let own = || self.server.all("AuthMechs");
        fate::auth(&of_account.filter(|it| !it.is_empty()).unwrap_or_else(own))
    }

    /// A setting of the channel, or else of all.
    fn of_channel(&self, keyword: &str) -> Option<&'a str> {
        let global = || self.global.and_then(|global| global.get(keyword));
        self.section.get(keyword).or_else(global)
    }

    /// Where its mail is.
    pub(super) fn store(&self) -> MaildirStore<'a> {
        self.store
    }

    /// What stands between the parts of state files' names.
    pub(super) fn field_delimiter(&self) -> &'a str {
        let said = self.global.and_then(|global| global.get("FieldDelimiter"));
        said.unwrap_or(":")
    }

    /// Where its state is: `*`, or the beginning of a path, with whether that is for all channels.
    pub(super) fn sync_state(&self) -> (&'a str, bool) {
        match self.section.get("SyncState") {
            Some(own) => (own, false),
            None => (self.of_channel("SyncState").unwrap_or("~/.mbsync/"), true),
        }
    }

    /// The names of both stores, as they stand in the names of state files.
    pub(super) fn stores(&self) -> (&'a str, &'a str) {
        (&self.server.name, self.store.name())
    }

    /// Whether it lets go of messages when there are too many.
    pub(super) fn expires(&self) -> bool {
        self.of_channel("MaxMessages").is_some_and(|it| it != "0")
    }

    pub(super) fn max_size(&self) -> Option<u64> {
        let said = [self.section.get("MaxSize"), self.store.max_size()];
        said.into_iter().flatten().find_map(fate::size)
    }

    /// Whether nothing is said of the other direction.
    pub(super) fn only_pulls(&self) -> bool {
        let own = self.section.all("Sync");
        let words = match own.is_empty() {
            true => self
                .global
                .map(|global| global.all("Sync"))
                .unwrap_or_default(),
            false => own,
        };
        let is_pull = |word: &&str| word.to_lowercase().starts_with("pull");
        let pulls = words.iter().any(is_pull);
        pulls
            && !words
                .iter()
                .any(|word| word.to_lowercase().starts_with("push"))
    }
}
