//! Accounts of one mailbox become one: a tool may have several, each with folders of its own, where here a
//! mailbox has one.

use super::Error;
use super::model::{Draft, Secret, Word};
use super::wildcards::{covers, overlap};
use std::collections::HashSet;

/// Where mail goes.
const TARGET: &[&str] = &["maildir", "deliver"];

/// Keys that are not simply those of the first account.
const UNITED: &[&str] = &[
    "protocol", "host", "port", "user", "folders", "exclude", "into", "maildir", "deliver", "keep",
    "max-size", "disabled",
];

impl Draft {
    /// Takes in another account of the same mailbox, which is called `name`: all folders of both are fetched, and
    /// what either has fetched is known. Where they differ in what is fetched, or deleted, that counts by which
    /// no mail is lost.
    ///
    /// # Errors
    /// What the tool has stored cannot be counted.
    pub fn take_in(&mut self, other: &Draft, name: &str) -> Result<(), Error> {
        let known: HashSet<&[u8]> = self.names.iter().map(|it| &*it.unique_id).collect();
        let more = other.names.iter();
        let more = more.filter(|it| !known.contains(&*it.unique_id));
        let more: Vec<_> = more.cloned().collect();
        self.names.extend(more);
        self.kept.unite(&other.kept)?;
        self.left |= other.left;
        self.dashes |= other.dashes;
        self.seen_more += other.seen_more;
        for word in &other.held {
            if !self.held.contains(word) {
                self.held.push(word.clone());
            }
        }
        if let Some(file) = &other.seen_file {
            if self.seen_file.as_ref().is_some_and(|first| first != file) {
                let file = file.display();
                let remark = format!("what `{name}` has fetched is known too, from {file}");
                self.differs.push(remark);
            }
            self.seen_file.get_or_insert_with(|| file.clone());
        }
        if matches!(self.secret, Secret::Nowhere) {
            self.secret = other.secret.clone();
        }
        for remark in &other.differs {
            if !self.differs.contains(remark) {
                self.differs.push(remark.clone());
            }
        }
        self.unite_folders(other, name);
        self.unite_keeping(other, name);
        let theirs = other.keys.iter().filter(|(key, _)| !UNITED.contains(key));
        let differing = theirs.filter(|(key, word)| self.word(key) != Some(word));
        let differing: Vec<String> = differing.map(|(key, _)| format!("`{key}`")).collect();
        if !differing.is_empty() {
            self.differs.push(format!(
                "`{name}` is the same mailbox, and what it says otherwise is left out: {}",
                differing.join(", ")
            ));
        }
        Ok(())
    }

    /// Whether both are reached in the same way: by another command it is another server that has the same name, as
    /// `localhost` is one by each tunnel.
    pub fn is_reached_like(&self, other: &Draft) -> bool {
        self.word("proxy-command") == other.word("proxy-command")
    }

    fn word(&self, key: &str) -> Option<&Word> {
        let found = self.keys.iter().find(|(known, _)| *known == key);
        found.map(|(_, word)| word)
    }

    fn list(&self, key: &str) -> Vec<String> {
        match self.word(key) {
            Some(Word::List(list)) => list.clone(),
            _ => Vec::new(),
        }
    }

    /// The words that say which folders are fetched; the inbox alone of an account of POP3.
    pub fn folders(&self) -> Vec<String> {
        match self.list("folders") {
            list if list.is_empty() => vec!["INBOX".to_owned()],
            list => list,
        }
    }

    fn has_inbox(&self) -> bool {
        self.folders().iter().any(|it| covers(it, "INBOX"))
    }

    /// The keys that say where its mail goes.
    fn target(&self) -> Vec<(&'static str, Word)> {
        let keys = self.keys.iter().filter(|(key, _)| TARGET.contains(key));
        keys.cloned().collect()
    }

    fn unite_folders(&mut self, other: &Draft, name: &str) {
        let (own, more) = (self.folders(), other.folders());
        let is_flat =
            |draft: &Draft| draft.get("into") == Some("inbox") || draft.folders() == ["INBOX"];
        let (here, there) = (self.target(), other.target());
        let is_one = here == there && is_flat(self) && is_flat(other);
        // Where the inbox is, the others go.
        let (goes, left) = match !self.has_inbox() && other.has_inbox() {
            true => (there, here),
            false => (here, there),
        };
        if goes != left {
            let left = left.iter().map(|(key, word)| format!("{key} = {word}"));
            let left: Vec<String> = left.collect();
            self.differs.push(format!(
                "`{name}` is the same mailbox, and all mail of it goes to one place{}: {}",
                match own == more {
                    true => "",
                    false => ", into folders of their names there",
                },
                match left.is_empty() {
                    true => "see `maildir` and `deliver`".to_owned(),
                    false => format!(
                        "{} is left out, and what is there stays there",
                        left.join(" and ")
                    ),
                }
            ));
        }
        if self.target() != goes {
            self.keys.retain(|(key, _)| !TARGET.contains(key));
            self.keys.extend(goes);
        }
        if own == more && self.list("exclude") == other.list("exclude") {
            return;
        }
        let (mut exclude, mut unsaid) = self.excluded(other);
        let theirs = other.excluded(self);
        for (list, more) in [(&mut exclude, theirs.0), (&mut unsaid, theirs.1)] {
            for word in more {
                if !list.contains(&word) {
                    list.push(word);
                }
            }
        }
        for pattern in unsaid {
            self.differs.push(format!(
                "what `{pattern}` leaves out in one of the accounts of this mailbox is fetched, as `exclude` would \
                 leave out what another fetches: `popfetch account test` says which folders there are"
            ));
        }
        let new = more.into_iter().filter(|it| !own.contains(it));
        let folders: Vec<String> = own.iter().cloned().chain(new).collect();
        self.keys
            .retain(|(key, _)| !["exclude", "into"].contains(key));
        self.set("folders", Word::List(folders));
        if !exclude.is_empty() {
            self.set("exclude", Word::List(exclude));
        }
        if is_one {
            self.text("into", "inbox");
        }
        // As they stand where an account has folders of its own.
        let (last, first): (Vec<_>, Vec<_>) = self
            .keys
            .drain(..)
            .partition(|(key, _)| ["keep", "max-size"].contains(key));
        self.keys = first.into_iter().chain(last).collect();
    }

    /// What it leaves out and another does not fetch; and what would have to be left out but for what the other
    /// fetches of it.
    fn excluded(&self, other: &Draft) -> (Vec<String>, Vec<String>) {
        let (wanted, by_both) = (other.folders(), other.list("exclude"));
        // A name takes back what a pattern leaves out.
        let is_open = |word: &String| word.contains('*');
        let takes =
            |word: &String, it: &String| overlap(word, it) && (is_open(word) || !is_open(it));
        let is_left =
            |it: &String| by_both.contains(it) || !wanted.iter().any(|word| takes(word, it));
        let (left, lost): (Vec<_>, Vec<_>) = self.list("exclude").into_iter().partition(is_left);
        let is_felt = |it: &String| !wanted.iter().any(|word| covers(word, it));
        (left, lost.into_iter().filter(is_felt).collect())
    }

    fn unite_keeping(&mut self, other: &Draft, name: &str) {
        let keep = |draft: &Draft| draft.get("keep").unwrap_or("always").to_owned();
        if keep(self) != keep(other) {
            self.text("keep", "always");
            self.differs.push(format!(
                "`{name}` is the same mailbox, and has another `keep`: keep = \"always\" is written"
            ));
        }
        for key in ["max-size", "disabled"] {
            if self.word(key).is_some() && self.word(key) != other.word(key) {
                self.keys.retain(|(known, _)| *known != key);
                self.differs.push(format!(
                    "`{name}` is the same mailbox, and has no such `{key}`: it is left out"
                ));
            }
        }
    }
}
