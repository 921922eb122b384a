//! What becomes of mail on the server once it is fetched. getmail's `delete` need not delete: by IMAP it may move
//! mail, or flag it, and may leave what it does not look for.

use super::{Account, days, is_true};
use crate::import::model::{Draft, Fate, Word};

/// What `delete` and `delete_after` come to in place of a deletion.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Instead {
    /// `move_on_delete`: the message is in another folder then.
    Moved,
    /// `imap_on_delete` without `\Deleted`: it gets other flags.
    Flagged,
    /// `imap_search`: what is not found is neither fetched nor deleted.
    SomeAlone,
}

impl Instead {
    fn why(self) -> &'static str {
        match self {
            Self::Moved => {
                "getmail moves mail on the server to another folder, popfetch moves none, and would delete it"
            }
            Self::Flagged => "getmail flags mail on the server, popfetch would delete it",
            Self::SomeAlone => {
                "getmail deletes what its search finds, popfetch would fetch and delete all that is there"
            }
        }
    }
}

impl Account {
    fn instead(&self) -> Option<Instead> {
        let get = |key: &str| self.get("retriever", key).filter(|_| self.is_imap());
        let flags = get("imap_on_delete").map(str::to_ascii_lowercase);
        match get("move_on_delete") {
            Some(_) => Some(Instead::Moved),
            None if flags.is_some_and(|flags| !flags.contains("\\deleted")) => {
                Some(Instead::Flagged)
            }
            None => get("imap_search")
                .is_some_and(|search| !is_all(search))
                .then_some(Instead::SomeAlone),
        }
    }

    fn deletes(&self) -> bool {
        self.flag("delete", false)
    }

    pub(super) fn set_keep(&self, draft: &mut Draft) {
        let after = self.number("delete_after");
        let theirs = match (self.deletes(), after) {
            (true, _) => "never".to_owned(),
            (false, 0) => "always".to_owned(),
            (false, after) => days(after),
        };
        let instead = self.instead().filter(|_| theirs != "always");
        draft.left = !self.deletes() || instead == Some(Instead::Flagged);
        match instead {
            Some(instead) => {
                draft.text("keep", "always");
                draft.differs.push(format!(
                    "{}: keep = \"always\" is written, see `keep`",
                    instead.why()
                ));
            }
            None => drop(draft.text("keep", theirs)),
        }
        if self.searches() {
            draft.differs.push(
                "getmail fetches what the server finds by imap_search, popfetch all that is there once, and then \
                 what it has not fetched; `popfetch state mark-seen` before the first fetch leaves all of it there"
                    .into(),
            );
        }
    }

    /// Whether it looks for some of the mail alone.
    fn searches(&self) -> bool {
        let search = self.get("retriever", "imap_search");
        self.is_imap() && search.is_some_and(|search| !is_all(search))
    }

    /// Of a line that says when mail is deleted; `None` for another.
    pub(super) fn fate_of_keep(&self, key: &str, value: &str) -> Option<Fate> {
        let number = value.parse::<u64>().unwrap_or_default();
        let keep = |word: String| match self.instead() {
            Some(instead) => Fate::Changed("keep = \"always\"".into(), instead.why().into()),
            None => Fate::key("keep", &Word::Text(word)),
        };
        Some(match key {
            "delete" if is_true(value) => keep("never".into()),
            "delete" if self.number("delete_after") > 0 => Fate::taken("see delete_after"),
            "delete" => Fate::key("keep", &Word::Text("always".into())),
            "delete_after" if self.deletes() => Fate::taken("nothing: delete comes first"),
            "delete_after" if number == 0 => Fate::taken("no age at which mail is deleted"),
            "delete_after" => keep(days(number)),
            "delete_bigger_than" if number == 0 => Fate::taken("size does not matter to keep"),
            "delete_bigger_than" => Fate::nothing("`keep` is the same for messages of every size"),
            _ => return None,
        })
    }

    /// The same of the retriever's lines, by IMAP.
    pub(super) fn fate_of_instead(&self, key: &str, value: &str) -> Option<Fate> {
        Some(match key {
            "move_on_delete" => Fate::nothing(
                "popfetch moves nothing on the server, and deletes nothing in its place",
            ),
            "imap_on_delete" if value.to_ascii_lowercase().contains("\\deleted") => {
                Fate::taken("what is deleted, `keep` says")
            }
            "imap_on_delete" => Fate::nothing(
                "popfetch flags nothing on the server, and deletes nothing in its place",
            ),
            "imap_search" if is_all(value) => Fate::taken("what is new is fetched"),
            "imap_search" => Fate::Changed(
                "what popfetch has not fetched is fetched".into(),
                "it goes by its own list, not by what the server finds".into(),
            ),
            _ => return None,
        })
    }
}

/// Whether a search finds all: as it is, or in parentheses.
fn is_all(search: &str) -> bool {
    let words = search.trim().trim_start_matches('(').trim_end_matches(')');
    words.trim().eq_ignore_ascii_case("ALL")
}
