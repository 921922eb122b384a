//! Which mailboxes a channel joins, and which folders of the server they are.

use super::{Channel, patterns};
use crate::imap::mailbox_list::from_utf7;
use crate::import::files::Surroundings;
use crate::import::mbsync::store::{Layout, Place};
use crate::import::model::{Draft, Word};

/// Servers of which everybody knows what stands there: as many have these as say nothing of it.
const GMAIL: [&str; 2] = ["imap.gmail.com", "imap.googlemail.com"];

/// A folder of the server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::import::mbsync) enum Far {
    Named(String),
    /// Nobody has said what stands between the parts of its name there.
    Unknown,
    /// It is none of this channel.
    Elsewhere,
}

impl<'a> Channel<'a> {
    /// A folder of the server by its name in the Maildir's store.
    pub(in crate::import::mbsync) fn far_name(&self, near: &str) -> Far {
        let name = match self.has_patterns() {
            // It is outside of all paths.
            true if near == "INBOX" && self.near_mailbox.is_empty() => {
                return Far::Named(near.to_owned());
            }
            true => match near.strip_prefix(self.near_mailbox) {
                Some(name) => format!("{}{name}", self.far_mailbox),
                None => return Far::Elsewhere,
            },
            false if ["", "INBOX"].contains(&self.far_mailbox) => {
                return Far::Named("INBOX".to_owned());
            }
            false => self.far_mailbox.to_owned(),
        };
        let name = match self.server.get("Flatten") {
            Some(flat) => name.replace('/', flat),
            None => name,
        };
        let name = match (name.contains('/'), self.delimiter()) {
            (true, Some(delimiter)) => name.replace('/', delimiter),
            (true, None) => return Far::Unknown,
            (false, _) => name,
        };
        Far::Named(format!("{}{name}", self.prefix()))
    }

    /// The word for the folder of the server that has this name in the Maildir's store, with `/` between its parts
    /// where nobody has said what stands there.
    pub(in crate::import::mbsync) fn far_word(&self, near: &str) -> String {
        match self.has_patterns() {
            true => {
                let name = near.strip_prefix(self.near_mailbox).unwrap_or(near);
                self.word(&format!("{}{name}", self.far_mailbox))
            }
            false => self.word(self.far_mailbox),
        }
    }

    /// Whether a mailbox of the Maildir's store is one that it joins.
    fn joins(&self, near: &str) -> bool {
        match self.has_patterns() {
            false => near == self.near_mailbox(),
            true => near
                .strip_prefix(self.near_mailbox)
                .is_some_and(|name| patterns::mean(&self.patterns(), name)),
        }
    }

    /// Whether what it joins is said by names alone.
    pub(in crate::import::mbsync) fn is_listed(&self) -> bool {
        !self.patterns().iter().any(|it| it.contains(['*', '%']))
    }

    /// The mailboxes of the Maildir's store that may be of this channel: those that it joins, and those that it
    /// may have joined before and none of the others does.
    pub(in crate::import::mbsync) fn mailboxes(
        &self,
        others: &[Channel<'_>],
        place: &Place<'_>,
    ) -> Vec<String> {
        if !self.has_patterns() {
            return vec![self.near_mailbox().to_owned()];
        }
        if self.is_listed() {
            let named = self.patterns().into_iter();
            let named = named.map(|name| format!("{}{name}", self.near_mailbox));
            let mut named: Vec<String> = named.filter(|near| self.joins(near)).collect();
            named.sort_unstable();
            named.dedup();
            return named;
        }
        let inbox = self.near_mailbox.is_empty().then(|| "INBOX".to_owned());
        let found = self.store.mailboxes(place).into_iter();
        let is_elsewhere = |near: &str| {
            let same = |it: &&Channel<'_>| it.store.name() == self.store.name();
            !self.joins(near) && others.iter().filter(same).any(|other| other.joins(near))
        };
        let found = found.filter(|near| !is_elsewhere(near));
        inbox.into_iter().chain(found).collect()
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
        .or_else(|| {
            let host = self.of_account("Host")?.to_ascii_lowercase();
            GMAIL.contains(&host.as_str()).then_some("/")
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
    pub(in crate::import::mbsync) fn set_folders(&self, draft: &mut Draft, around: &Surroundings) {
        let inbox = match self.has_patterns() {
            true => format!("{}INBOX", self.near_mailbox),
            false => self.near_mailbox().to_owned(),
        };
        let directory = self.store.directory(&inbox, &Place::new(around));
        draft.text(
            "maildir",
            around.rewritten(&directory.display().to_string()),
        );
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
                 `popfetch account test` says which folders there are"
            ));
        }
        if words.is_deeper {
            draft.differs.push(
                "`%` stands for one level of folders in mbsync's patterns, `*` in `folders` for any number of \
                 them: `popfetch account test` says which there are, and `exclude` leaves out some"
                    .into(),
            );
        }
        if wanted.iter().any(|it| it != "INBOX") && self.store.layout() != Layout::Maildir {
            // One that is there, where one is named.
            let is_one = |word: &&String| *word != "INBOX" && !word.contains(['*', '\\']);
            let example = wanted.iter().find(is_one);
            let example = example.map_or_else(String::new, |word| {
                format!(", as .{}", word.replace('/', "."))
            });
            draft.differs.push(format!(
                "mbsync keeps other folders in {}, popfetch in the Maildir itself, in directories that begin with a \
                 dot{example}: what mbsync fetched stays where it is, what comes now goes there",
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
