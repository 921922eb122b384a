//! Which mailboxes a channel joins, and which folders of the server they are.

use super::{Channel, patterns};
use crate::imap::mailbox_list::from_utf7;
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
        let name = match self.server.get("Flatten") {
            Some(flat) => name.replace('/', flat),
            None => name,
        };
        let name = match (name.contains('/'), self.delimiter()) {
            (true, delimiter) => name.replace('/', delimiter?),
            (false, _) => name,
        };
        Some(format!("{}{name}", self.prefix()))
    }

    /// What the server's names begin with.
    fn prefix(&self) -> &'a str {
        self.server.get("Path").unwrap_or_default()
    }

    /// What stands between the parts of the server's names, as far as the config says it.
    fn delimiter(&self) -> Option<&'a str> {
        let said = self.server.get("PathDelimiter");
        said.or_else(|| {
            ["/", "."]
                .into_iter()
                .find(|it| self.prefix().ends_with(it))
        })
    }

    /// A folder, or a pattern of folders, as `folders` has it.
    fn word(&self, far: &str) -> String {
        let name = match (self.server.get("Flatten"), self.delimiter()) {
            (Some(flat), _) => far.replace('/', flat),
            // Names are compared with both delimiters, yet not with a mixture of them.
            (None, Some(delimiter)) if !self.prefix().is_empty() => far.replace('/', delimiter),
            (None, _) => far.to_owned(),
        };
        let name = format!("{}{name}", self.prefix());
        from_utf7(&name).unwrap_or(name)
    }

    /// Whether mbsync looks for the inbox where a wildcard is all that means it: it is outside of `Path`, and is
    /// met on one side or the other.
    fn lists_inbox(&self) -> bool {
        let begins = |text: &str, with: &str| {
            let start = text.get(..with.len());
            start.is_some_and(|it| it.eq_ignore_ascii_case(with))
        };
        let is_below = || {
            let path = self.store.path();
            path.is_some_and(|path| self.store.inbox().starts_with(path))
        };
        self.prefix().is_empty()
            || begins(self.prefix(), "INBOX")
            || self.patterns().iter().any(|it| it.starts_with("INBOX"))
            || self.store.layout() == Layout::Maildir
            || is_below()
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
                    draft.set("folders", Word::List(vec![self.word(one)]));
                    draft.text("into", "inbox");
                }
            }
            return;
        }
        let words = patterns::words(&self.patterns());
        let of = |list: Vec<String>| -> Vec<String> {
            let words = list.into_iter().map(|word| match word.as_str() {
                "INBOX" => word,
                _ => self.word(&format!("{}{word}", self.far_mailbox)),
            });
            words.collect()
        };
        let (mut wanted, excluded) = (of(words.wanted), of(words.excluded));
        // Behind a path wildcards do not mean it here.
        let is_alone = self.far_mailbox.is_empty() && !self.prefix().is_empty();
        let is_named = wanted.iter().any(|it| it == "INBOX");
        if words.has_inbox && is_alone && !is_named && self.lists_inbox() {
            wanted.insert(0, "INBOX".to_owned());
        }
        for pattern in words.unsaid {
            draft.differs.push(format!(
                "what `!{pattern}` leaves out in mbsync's patterns is fetched, as `exclude` would leave out more: \
                 `popfetch check` says which folders there are"
            ));
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
        if wanted != ["INBOX"] || excluded.iter().any(|it| it != "INBOX") {
            draft.set("folders", Word::List(wanted));
            if !excluded.is_empty() {
                draft.set("exclude", Word::List(excluded));
            }
        }
    }
}
