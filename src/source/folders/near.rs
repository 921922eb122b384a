//! Which folder a person may have meant by a word that names none.

use super::{Named, Word, fits};
use crate::term::nearest;

/// What people and servers call the folders that are for something, in small letters.
const USUAL: [(&str, &[&str]); 6] = [
    ("\\All", &["all mail"]),
    ("\\Archive", &["archive", "archives"]),
    ("\\Drafts", &["draft", "drafts"]),
    (
        "\\Junk",
        &["junk", "junk e-mail", "junk mail", "spam", "bulk mail"],
    ),
    (
        "\\Sent",
        &["sent", "sent items", "sent mail", "sent messages"],
    ),
    (
        "\\Trash",
        &["trash", "bin", "deleted items", "deleted messages"],
    ),
];

/// More folders are not compared: people have some hundreds, and a server may list any number.
const COMPARED: usize = 2000;

/// Nor are longer names, in octets.
const LONGEST: usize = 200;

impl Word {
    /// The name of the folder that is most likely meant, of those that there are.
    pub fn near<'a>(&self, there: &[Named<'a>]) -> Option<&'a str> {
        let there = there.iter().filter(|it| it.slashed.len() <= LONGEST);
        let there: Vec<Named<'a>> = there.take(COMPARED).copied().collect();
        let small = |folder: &Named<'a>| folder.slashed.to_lowercase();
        let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        let found = match self {
            Self::Inbox => None,
            Self::Pattern(pattern) => {
                let pattern = pattern.to_lowercase();
                there.iter().find(|it| {
                    fits(&pattern, &small(it)) || fits(&pattern, &it.plain.to_lowercase())
                })
            }
            Self::Use(word) => {
                let usual = USUAL.iter().find(|(of, _)| of == word);
                let names = usual.map_or(&[][..], |(_, names)| names);
                there.iter().find(|it| names.contains(&&*last(&small(it))))
            }
            Self::Name(name) => {
                let name = name.to_lowercase();
                let is_it = |it: &&Named<'a>| small(it) == name || it.plain.to_lowercase() == name;
                let same = there.iter().find(is_it);
                same.or_else(|| there.iter().find(|it| last(&small(it)) == last(&name)))
                    .or_else(|| {
                        let known: Vec<String> = there.iter().map(small).collect();
                        let near = nearest(&name, &known)?;
                        there.iter().find(|it| small(it) == near)
                    })
            }
        };
        found.map(|it| it.plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_mistyped_or_is_called_otherwise_there_is_found() {
        let there = [
            ("INBOX", "INBOX"),
            ("INBOX.Sent", "INBOX/Sent"),
            ("Archive.2024", "Archive/2024"),
            ("Deleted Items", "Deleted Items"),
            ("Entwürfe", "Entwürfe"),
        ];
        let there = there.map(|(plain, slashed)| Named {
            plain,
            slashed,
            uses: &[],
        });
        for (word, near) in [
            ("archive/2024", Some("Archive.2024")),
            ("Archiv.2024", Some("Archive.2024")),
            ("Sent", Some("INBOX.Sent")),
            ("\\Trash", Some("Deleted Items")),
            ("\\Sent", Some("INBOX.Sent")),
            ("\\Junk", None),
            ("archive/*", Some("Archive.2024")),
            ("entwürfe", Some("Entwürfe")),
            ("Work", None),
            ("Work/*", None),
        ] {
            assert_eq!(word.parse::<Word>().unwrap().near(&there), near, "{word}");
        }
    }
}
