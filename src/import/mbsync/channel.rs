//! A channel with the stores that it joins, and what it says of folders.

use super::fate;
use super::sections::{Section, Sections};
use crate::import::model::{Draft, Word};

/// A channel from an IMAP store into a Maildir.
pub(super) struct Channel<'a> {
    section: &'a Section,
    global: Option<&'a Section>,
    /// The IMAP store, and the account that it names.
    server: &'a Section,
    account: Option<&'a Section>,
    maildir: &'a Section,
    /// The mailbox behind the stores' names.
    far_box: &'a str,
    near_box: &'a str,
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
            maildir: sections.find("MaildirStore", near.0)?,
            far_box: far.1,
            near_box: near.1,
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

    /// A setting of the channel, or else of all.
    fn of_channel(&self, keyword: &str) -> Option<&'a str> {
        let global = || self.global.and_then(|global| global.get(keyword));
        self.section.get(keyword).or_else(global)
    }

    /// Where the inbox's messages are.
    pub(super) fn inbox(&self) -> &'a str {
        self.maildir.get("Inbox").unwrap_or("~/Maildir")
    }

    /// Where those of other folders are.
    pub(super) fn path(&self) -> Option<&'a str> {
        self.maildir.get("Path")
    }

    /// How their directories are called.
    pub(super) fn sub_folders(&self) -> Option<&'a str> {
        self.maildir.get("SubFolders")
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
        (&self.server.name, &self.maildir.name)
    }

    /// A folder of the server by its name in the Maildir's store; `None` where it is no folder of this channel,
    /// or where nobody has said what stands between the parts of its name there.
    pub(super) fn far_name(&self, near: &str) -> Option<String> {
        let name = match self.has_patterns() {
            // It is outside of all paths.
            true if near == "INBOX" => return Some(near.to_owned()),
            true => format!("{}{}", self.far_box, near.strip_prefix(self.near_box)?),
            false if ["", "INBOX"].contains(&self.far_box) => return Some("INBOX".to_owned()),
            false => self.far_box.to_owned(),
        };
        let name = match (name.contains('/'), self.server.get("PathDelimiter")) {
            (true, delimiter) => name.replace('/', delimiter?),
            (false, _) => name,
        };
        Some(format!("{}{name}", self.prefix()))
    }

    /// What the server's names begin with.
    fn prefix(&self) -> &'a str {
        self.server.get("Path").unwrap_or_default()
    }

    fn patterns(&self) -> Vec<&'a str> {
        self.section.all("Patterns")
    }

    /// Whether more than one mailbox may be meant.
    pub(super) fn has_patterns(&self) -> bool {
        !self.patterns().is_empty()
    }

    /// The mailbox of the Maildir's store, where there is but one.
    pub(super) fn near_box(&self) -> &'a str {
        match self.near_box {
            "" => "INBOX",
            named => named,
        }
    }

    /// Whether it lets go of messages when there are too many.
    pub(super) fn expires(&self) -> bool {
        self.of_channel("MaxMessages").is_some_and(|it| it != "0")
    }

    pub(super) fn max_size(&self) -> Option<u64> {
        let said = [self.section.get("MaxSize"), self.maildir.get("MaxSize")];
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

    /// `folders` and `exclude`, where it is not the inbox alone.
    pub(super) fn set_folders(&self, draft: &mut Draft) {
        if !self.has_patterns() {
            match self.far_box {
                "" | "INBOX" => {}
                one => {
                    let name = self.far_name(one);
                    let name = name.unwrap_or_else(|| format!("{}{one}", self.prefix()));
                    draft.set("folders", Word::List(vec![name]));
                    draft.text("into", "inbox");
                }
            }
            return;
        }
        let prefix = format!("{}{}", self.prefix(), self.far_box);
        let (mut wanted, mut excluded) = (Vec::new(), Vec::new());
        for pattern in self.patterns() {
            let (list, pattern) = match pattern.strip_prefix('!') {
                Some(pattern) => (&mut excluded, pattern),
                None => (&mut wanted, pattern),
            };
            let word = match pattern {
                "INBOX" => pattern.to_owned(),
                // Up to the next delimiter there; what lies below is named apart.
                _ => format!("{prefix}{}", pattern.replace('%', "*")),
            };
            if !list.contains(&word) {
                list.push(word);
            }
        }
        if self.patterns().iter().any(|it| it.contains('%')) {
            draft.differs.push(
                "`%` stands for one level of folders in mbsync's patterns, `*` in `folders` for any number of \
                 them: `popfetch check` says which there are, and `exclude` leaves out some"
                    .into(),
            );
        }
        // The inbox fits wildcards of both, unless the store has a path, which is before them here as well.
        let is_maildir = self
            .sub_folders()
            .is_some_and(|it| it.eq_ignore_ascii_case("maildir++"));
        if wanted.iter().any(|it| it != "INBOX") && !is_maildir {
            draft.differs.push(format!(
                "mbsync keeps other folders in {}, popfetch in the Maildir itself, as .Archive.2026: what mbsync \
                 fetched stays where it is, what comes now goes there",
                self.path().unwrap_or("directories of their own")
            ));
        }
        if wanted != ["INBOX"] || excluded.iter().any(|it| it != "INBOX") {
            draft.set("folders", Word::List(wanted));
            if !excluded.is_empty() {
                draft.set("exclude", Word::List(excluded));
            }
        }
    }
}
