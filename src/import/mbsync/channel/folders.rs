//! Which mailboxes a channel joins, and which folders of the server they are.

use super::Channel;
use crate::import::mbsync::store::Layout;
use crate::import::model::{Draft, Word};

impl<'a> Channel<'a> {
    /// A folder of the server by its name in the Maildir's store; `None` where it is no folder of this channel,
    /// or where nobody has said what stands between the parts of its name there.
    pub(in crate::import::mbsync) fn far_name(&self, near: &str) -> Option<String> {
        let name = match self.has_patterns() {
            // It is outside of all paths.
            true if near == "INBOX" => return Some(near.to_owned()),
            true => format!(
                "{}{}",
                self.far_mailbox,
                near.strip_prefix(self.near_mailbox)?
            ),
            false if ["", "INBOX"].contains(&self.far_mailbox) => return Some("INBOX".to_owned()),
            false => self.far_mailbox.to_owned(),
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
    pub(in crate::import::mbsync) fn has_patterns(&self) -> bool {
        !self.patterns().is_empty()
    }

    /// The mailbox of the Maildir's store, where there is but one.
    pub(in crate::import::mbsync) fn near_mailbox(&self) -> &'a str {
        match self.near_mailbox {
            "" => "INBOX",
            named => named,
        }
    }

    /// `folders` and `exclude`, where it is not the inbox alone.
    pub(in crate::import::mbsync) fn set_folders(&self, draft: &mut Draft) {
        if !self.has_patterns() {
            match self.far_mailbox {
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
        let prefix = format!("{}{}", self.prefix(), self.far_mailbox);
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
        if wanted.iter().any(|it| it != "INBOX") && self.store.layout() != Layout::Maildir {
            draft.differs.push(format!(
                "mbsync keeps other folders in {}, popfetch in the Maildir itself, as .Archive.2026: what mbsync \
                 fetched stays where it is, what comes now goes there",
                self.store.path().unwrap_or("directories of their own")
            ));
        }
        // The inbox fits wildcards of both, unless the store has a path, which is before them here as well.
        if wanted != ["INBOX"] || excluded.iter().any(|it| it != "INBOX") {
            draft.set("folders", Word::List(wanted));
            if !excluded.is_empty() {
                draft.set("exclude", Word::List(excluded));
            }
        }
    }
}
