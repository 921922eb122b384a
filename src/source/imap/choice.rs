//! Which of the server's mailboxes are read (RFC 3501 section 6.3.8, RFC 6154).

use super::mailboxes::Mailbox;
use super::wire::Step;
use super::{Error, Phase, Session, SignedIn};
use crate::imap::mailbox_list::from_utf7;
use crate::imap::{Command, ListedMailbox, Violation};
use crate::maildrop::{RemoteFolder, Shortfall};
use crate::source::folders::{Folders, INBOX, Named, Word};
use std::collections::HashSet;

/// A server does not list more mailboxes than this: people have some hundreds.
const MAILBOXES_LIMIT: usize = 100_000;

/// Nor do their names have more octets together.
const NAMES_LIMIT: usize = 16 * 1024 * 1024;

/// So many mailboxes are named where one is missing.
const NAMED: usize = 20;

/// What is read.
pub(super) struct Choice {
    pub(super) mailboxes: Vec<Mailbox>,
    /// What was asked for, and is not among them.
    pub(super) shortfalls: Vec<Shortfall>,
    /// Some were asked for, and each of them is to be left out.
    leaves_all_out: bool,
}

/// A mailbox that can be opened, as far as its attributes say.
struct Candidate {
    /// `None` where no command can name it.
    name: Option<Box<str>>,
    folder: RemoteFolder,
    /// Its name with `/` between its parts.
    slashed: String,
    attributes: Vec<Box<str>>,
}

impl Choice {
    /// The inbox, which every server has.
    pub(super) fn inbox() -> Self {
        Self {
            mailboxes: vec![Candidate::inbox().into_mailbox(INBOX)],
            shortfalls: Vec::new(),
            leaves_all_out: false,
        }
    }

    fn of(folders: &Folders, candidates: Vec<Candidate>) -> Self {
        let mut shortfalls = Vec::new();
        let all: Vec<Named<'_>> = candidates.iter().map(Candidate::named).collect();
        let names_one = |word: &Word| all.iter().any(|it| word.names(*it));
        for word in folders.wanted().iter().filter(|word| !names_one(word)) {
            let there = all.iter().map(|it| it.plain.into());
            shortfalls.push(Shortfall::Unmatched {
                word: word.to_string(),
                is_pattern: word.is_pattern(),
                there: there.take(NAMED + 1).collect(),
                near: word.near(&all).map(Into::into),
            });
        }
        let is_asked_for = |it: Named<'_>| folders.wanted().iter().any(|word| word.names(it));
        let asked_for = all.iter().copied().filter(|it| is_asked_for(*it));
        let (left_out, read): (Vec<_>, Vec<_>) = asked_for.partition(|it| folders.leaves_out(*it));
        // What a pattern or a use stands for need not be there; of a name somebody was sure, and what was mistyped
        // is fetched all the same.
        for word in folders.excluded().iter().filter(|word| !names_one(word)) {
            let near: Option<Box<str>> = word.near(&read).map(Into::into);
            if near.is_some() || matches!(word, Word::Name(_)) {
                shortfalls.push(Shortfall::NotLeftOut {
                    word: word.to_string(),
                    near,
                    there: all
                        .iter()
                        .map(|it| it.plain.into())
                        .take(NAMED + 1)
                        .collect(),
                });
            }
        }
        let leaves_all_out = read.is_empty() && !left_out.is_empty();
        let is_wanted =
            |it: &Candidate| is_asked_for(it.named()) && !folders.leaves_out(it.named());
        let mut mailboxes = Vec::new();
        for mut candidate in candidates.into_iter().filter(is_wanted) {
            match candidate.name.take() {
                Some(name) => mailboxes.push(candidate.into_mailbox(&name)),
                None => shortfalls.push(Shortfall::Unread {
                    folder: candidate.folder.name,
                    reason: "its name is too long, or has characters that popfetch does not send"
                        .into(),
                }),
            }
        }
        Self {
            mailboxes,
            shortfalls,
            leaves_all_out,
        }
    }
}

impl Candidate {
    fn inbox() -> Self {
        Self {
            name: Some(INBOX.into()),
            folder: RemoteFolder {
                name: INBOX.into(),
                parts: Vec::new(),
            },
            slashed: INBOX.into(),
            attributes: Vec::new(),
        }
    }

    /// `None` of what is no mailbox, but a name that others begin with.
    fn of(listed: ListedMailbox) -> Option<Self> {
        if listed.name.is_empty() || !listed.can_be_opened() {
            return None;
        }
        if listed.name.eq_ignore_ascii_case(INBOX.as_bytes()) {
            return Some(Self {
                attributes: listed.attributes,
                ..Self::inbox()
            });
        }
        let raw = String::from_utf8_lossy(&listed.name);
        let parts: Vec<&str> = match listed.delimiter {
            Some(delimiter) => raw.trim_end_matches(delimiter).split(delimiter).collect(),
            None => vec![&raw],
        };
        let letters = |text: &str| from_utf7(text).unwrap_or_else(|| text.to_owned());
        let slashed: Vec<String> = parts.iter().map(|part| letters(part)).collect();
        // What servers show below the inbox is beside it everywhere else.
        let is_inbox = |part: &&&str| part.eq_ignore_ascii_case(INBOX) && parts.len() > 1;
        let below = usize::from(parts.first().filter(is_inbox).is_some());
        Some(Self {
            folder: RemoteFolder {
                name: letters(&raw).into(),
                parts: parts
                    .iter()
                    .skip(below)
                    .map(|part| Box::from(*part))
                    .collect(),
            },
            name: listed.argument().map(Into::into),
            slashed: slashed.join("/"),
            attributes: listed.attributes,
        })
    }

    fn named(&self) -> Named<'_> {
        Named {
            plain: &self.folder.name,
            slashed: &self.slashed,
            uses: &self.attributes,
        }
    }

    fn into_mailbox(self, name: &str) -> Mailbox {
        Mailbox::new(name, self.folder)
    }
}

impl Session<SignedIn> {
    /// Asks what mailboxes there are, and chooses among them.
    ///
    /// # Errors
    /// Where there is none that is asked for, too.
    pub(super) fn choose(&mut self) -> Result<Choice, Error> {
        let folders = self.options.folders.clone();
        let uses = folders.ask_uses();
        if uses {
            self.settle_capabilities()?;
        }
        self.wire.send(Command::List {
            uses: uses && self.capabilities.special_use,
        })?;
        self.settle_capabilities()?;
        let candidates = self.read_list()?;
        let choice = Choice::of(&folders, candidates);
        if choice.leaves_all_out {
            return Err(Error::NoFolderLeft);
        }
        if choice.mailboxes.is_empty()
            && let Some(Shortfall::Unmatched { there, .. }) = choice.shortfalls.first()
        {
            let near = choice.shortfalls.iter().find_map(|it| match it {
                Shortfall::Unmatched { near, .. } => near.clone(),
                _ => None,
            });
            let words: Vec<_> = folders.wanted().iter().map(ToString::to_string).collect();
            let more = if there.len() > NAMED { ", ..." } else { "" };
            let there: Vec<&str> = there.iter().take(NAMED).map(AsRef::as_ref).collect();
            return Err(Error::NoFolder {
                words: words.join(", "),
                there: there.join(", ") + more,
                near,
            });
        }
        Ok(choice)
    }

    /// The inbox first, and the others by their names.
    fn read_list(&mut self) -> Result<Vec<Candidate>, Error> {
        let (mut count, mut octets) = (0, 0);
        let mut known = HashSet::new();
        let mut found = vec![Candidate::inbox()];
        let answer = loop {
            match self.wire.next(Phase::Listing)? {
                Step::Listed(listed) => {
                    count += 1;
                    octets += listed.name.len();
                    if count > MAILBOXES_LIMIT || octets > NAMES_LIMIT {
                        return Err(Error::violation(Phase::Listing, Violation::EndlessList));
                    }
                    let is_inbox = listed.name.eq_ignore_ascii_case(INBOX.as_bytes());
                    let name = match is_inbox {
                        true => INBOX.as_bytes().to_vec(),
                        false => listed.name.clone(),
                    };
                    found.extend(Candidate::of(listed).filter(|_| known.insert(name)));
                }
                Step::Octets => {
                    self.wire.octets();
                }
                Step::Done(answer) => break answer,
                _ => {}
            }
        };
        if !answer.ok {
            return Err(Error::Refused {
                command: "LIST",
                answer,
            });
        }
        // It is there whether it is listed or not.
        if known.contains(INBOX.as_bytes()) {
            found.swap_remove(0);
        }
        let is_other = |it: &Candidate| &*it.folder.name != INBOX;
        found.sort_by_cached_key(|it| (is_other(it), it.slashed.clone()));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(wanted: &[&str], excluded: &[&str], listed: &[&str]) -> (Vec<String>, usize) {
        let words = |words: &[&str]| words.iter().map(|it| it.parse().unwrap()).collect();
        let folders = Folders::new(words(wanted), words(excluded));
        let listed = listed.iter().map(|line| line.as_bytes());
        let listed = listed.filter_map(ListedMailbox::parse);
        let choice = Choice::of(&folders, listed.filter_map(Candidate::of).collect());
        let names = choice.mailboxes.iter().map(|it| {
            let parts: Vec<&str> = it.folder.parts.iter().map(AsRef::as_ref).collect();
            format!("{} {}", it.name, parts.join("|"))
        });
        (names.collect(), choice.shortfalls.len())
    }

    const SERVER: &[&str] = &[
        "(\\HasChildren) \".\" inbox",
        "(\\Sent) \".\" \"INBOX.Sent Items\"",
        "(\\Noselect) \".\" Archive",
        "() \".\" Archive.2024",
        "() \".\" Archive.Entw&APw-rfe",
        "(\\NonExistent) \".\" Gone",
        "() NIL \"a.b\"",
        "() \".\" {4}\r\n\u{fc}\u{e9}",
    ];

    #[test]
    fn names_patterns_and_uses_choose_among_what_can_be_opened() {
        for (wanted, excluded, names, short) in [
            (&["INBOX"][..], &[][..], &["INBOX "][..], 0),
            (
                &["Archive/*"],
                &[],
                &[
                    "Archive.2024 Archive|2024",
                    "Archive.Entw&APw-rfe Archive|Entw&APw-rfe",
                ],
                0,
            ),
            (
                &["Archive.Entwürfe"],
                &[],
                &["Archive.Entw&APw-rfe Archive|Entw&APw-rfe"],
                0,
            ),
            (
                &["\\Sent", "INBOX/Sent Items"],
                &[],
                &["INBOX.Sent Items Sent Items"],
                0,
            ),
            (&["a.b"], &[], &["a.b a.b"], 0),
            (&["Archive", "Gone", "\\Junk"], &[], &[], 3),
            (&["*"], &["Archive/*", "\\Sent", "a*"], &["INBOX "], 1),
        ] {
            let found = chosen(wanted, excluded, SERVER);
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            assert_eq!(found, (names, short), "{wanted:?}");
        }
    }
}
