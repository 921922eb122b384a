//! Which folders an account of IMAP fetches: the key `mailboxes`.

use super::Account;
use crate::import::model::{Draft, Word};
use crate::import::{Error, ini};

/// Which folders an account of IMAP fetches.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Mailboxes {
    /// All that the server has.
    All,
    Named(Vec<String>),
}

impl Default for Mailboxes {
    fn default() -> Self {
        Self::Named(vec!["INBOX".to_owned()])
    }
}

impl Mailboxes {
    /// A tuple of texts, or ALL: as it is, in quotes, or alone in a tuple. Python wants no parentheses around a tuple.
    fn read(value: &str) -> Option<Self> {
        let value = value.trim();
        let inner = value.strip_prefix('(').and_then(|it| it.strip_suffix(')'));
        let only = inner.map_or(value, |it| it.trim().trim_end_matches(',').trim());
        if ["ALL", "'ALL'", "\"ALL\""].contains(&only) {
            return Some(Self::All);
        }
        let named = match inner {
            Some(_) => ini::tuple(value),
            None => ini::tuple(&format!("({value})")),
        };
        named.map(|names| match names.is_empty() {
            true => Self::default(),
            false => Self::Named(names),
        })
    }
}

impl Account {
    /// The folders of an account of IMAP.
    pub(super) fn mailboxes(&self) -> Result<Mailboxes, Error> {
        let Some(value) = self.get("retriever", "mailboxes") else {
            return Ok(Mailboxes::default());
        };
        Mailboxes::read(value).ok_or_else(|| {
            let line = self.line_of("retriever", "mailboxes");
            let what =
                "`mailboxes` is neither ALL nor a tuple of texts, as in (\"INBOX\", \"Archive\")";
            Error::syntax(&self.path, line, what)
        })
    }

    /// getmail stores all folders' messages in one Maildir.
    pub(super) fn set_folders(&self, draft: &mut Draft) -> Result<(), Error> {
        let words = match self.mailboxes()? {
            Mailboxes::All => vec!["*".to_owned()],
            Mailboxes::Named(names) if names == ["INBOX"] => return Ok(()),
            Mailboxes::Named(names) => names,
        };
        draft.set("folders", Word::List(words));
        draft.text("into", "inbox");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_are_read_as_getmail_does() {
        let named = |names: &[&str]| {
            let names = names.iter().map(|it| (*it).to_owned());
            Some(Mailboxes::Named(names.collect()))
        };
        for all in [
            "ALL",
            " 'ALL' ",
            "\"ALL\"",
            "('ALL',)",
            "(ALL,)",
            "( \"ALL\" , )",
        ] {
            assert_eq!(Mailboxes::read(all), Some(Mailboxes::All), "{all}");
        }
        for (value, names) in [
            ("('INBOX',)", &["INBOX"][..]),
            ("(\"a\", 'b')", &["a", "b"]),
            ("'a', 'b'", &["a", "b"]),
            ("'a',", &["a"]),
            ("('ALL', 'b')", &["ALL", "b"]),
            ("(u'a',\n'Entw\u{fc}rfe'\n,)", &["a", "Entw\u{fc}rfe"]),
            ("()", &["INBOX"]),
        ] {
            assert_eq!(Mailboxes::read(value), named(names), "{value}");
        }
        for wrong in [
            "INBOX",
            "all",
            "['INBOX']",
            "('INBOX'",
            "(INBOX,)",
            "(ALL, 'b')",
            "'a' 'b'",
        ] {
            assert_eq!(Mailboxes::read(wrong), None, "{wrong}");
        }
    }
}
