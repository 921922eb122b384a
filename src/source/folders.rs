//! Which folders of a server are read, as its owner names them.

mod near;

use std::fmt;
use std::str::FromStr;

/// A name or a pattern is no longer than this, in octets: servers take no longer names.
const WORD_LIMIT: usize = 1000;

/// The one folder that every server has.
pub const INBOX: &str = "INBOX";

/// What a folder may be for (RFC 6154 section 2, RFC 8457), and its word there.
const USES: [&str; 8] = [
    "\\All",
    "\\Archive",
    "\\Drafts",
    "\\Flagged",
    "\\Important",
    "\\Junk",
    "\\Sent",
    "\\Trash",
];

/// Which folders are read: those that a word names and no word excludes. What is named by its name is left out by no
/// pattern.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Folders {
    wanted: Vec<Word>,
    excluded: Vec<Word>,
}

/// A word that names folders.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Word {
    /// The inbox, which has this name in any case.
    Inbox,
    /// The folder of this name.
    Name(Box<str>),
    /// All folders whose names fit, where `*` stands for anything.
    Pattern(Box<str>),
    /// The folder that the server marks as being for this.
    Use(&'static str),
}

/// What words are compared with.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// Its name with the server's own hierarchy delimiter.
    pub plain: &'a str,
    /// Its name with `/` between its parts, whatever the server has there.
    pub slashed: &'a str,
    /// What the server says that it is for, as in `\Sent`.
    pub uses: &'a [Box<str>],
}

impl Default for Folders {
    /// The inbox.
    fn default() -> Self {
        Self::new(vec![Word::Inbox], Vec::new())
    }
}

impl Folders {
    /// All that `wanted` names, but for what `excluded` does.
    pub fn new(wanted: Vec<Word>, excluded: Vec<Word>) -> Self {
        Self { wanted, excluded }
    }

    /// Whether nothing but the inbox is named, for which no server need be asked what it has.
    pub fn is_inbox_alone(&self) -> bool {
        self.wanted.iter().all(|word| *word == Word::Inbox) && self.excluded.is_empty()
    }

    /// Whether the inbox is among them.
    pub fn have_inbox(&self) -> bool {
        let inbox = Named {
            plain: INBOX,
            slashed: INBOX,
            uses: &[],
        };
        self.wanted.iter().any(|word| word.names(inbox)) && !self.leaves_out(inbox)
    }

    /// Whether any word is about what a folder is for.
    pub fn ask_uses(&self) -> bool {
        let mut words = self.wanted.iter().chain(&self.excluded);
        words.any(|word| matches!(word, Word::Use(_)))
    }

    /// The words that name what is read.
    pub fn wanted(&self) -> &[Word] {
        &self.wanted
    }

    /// The words that name what is left out of it.
    pub fn excluded(&self) -> &[Word] {
        &self.excluded
    }

    /// Whether a folder is left out.
    pub fn leaves_out(&self, folder: Named<'_>) -> bool {
        let is_meant =
            |word: &Word| matches!(word, Word::Inbox | Word::Name(_)) && word.names(folder);
        let is_named = self.wanted.iter().any(is_meant);
        let mut excluded = self.excluded.iter();
        excluded.any(|word| word.names(folder) && !(is_named && word.is_pattern()))
    }
}

impl Word {
    /// Whether it names this folder.
    pub fn names(&self, folder: Named<'_>) -> bool {
        let by = |fits: &dyn Fn(&str) -> bool| fits(folder.plain) || fits(folder.slashed);
        match self {
            Self::Inbox => folder.plain == INBOX,
            Self::Name(name) => by(&|it| it == &**name),
            Self::Pattern(pattern) => by(&|it| fits(pattern, it)),
            Self::Use(of) => folder.uses.iter().any(|it| it.eq_ignore_ascii_case(of)),
        }
    }

    /// Whether it may well name nothing: of a name somebody is sure that there is such a folder.
    pub fn is_pattern(&self) -> bool {
        matches!(self, Self::Pattern(_))
    }
}

impl FromStr for Word {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a folder's name is missing here".into());
        }
        if text.chars().any(char::is_control) {
            return Err(
                "a folder's name cannot have control characters; a backslash is written twice in double \
                 quotes, as in \"\\\\Trash\""
                    .into(),
            );
        }
        if text.len() > WORD_LIMIT {
            return Err(format!("a folder's name has at most {WORD_LIMIT} bytes"));
        }
        if text.starts_with('\\') {
            let known = USES.iter().find(|it| it.eq_ignore_ascii_case(text));
            return known
                .copied()
                .map(Self::Use)
                .ok_or_else(|| format!("`{text}` is not known here; there are {}", listed()));
        }
        Ok(match text {
            inbox if inbox.eq_ignore_ascii_case(INBOX) => Self::Inbox,
            pattern if pattern.contains('*') => Self::Pattern(pattern.into()),
            name => Self::Name(name.into()),
        })
    }
}

/// As it is written in the config file.
impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inbox => INBOX,
            Self::Name(text) | Self::Pattern(text) => text,
            Self::Use(word) => word,
        })
    }
}

fn listed() -> String {
    match USES.split_last() {
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Whether a name fits a pattern. What `*` stands for grows only as far as the next part of the pattern
/// asks for, so that no pattern takes longer than its length times the name's.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some((_, behind)) = rest.split_once(part) else {
            return false;
        };
        rest = behind;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(word: &str, plain: &str, slashed: &str, uses: &[&str]) -> bool {
        let uses: Vec<Box<str>> = uses.iter().map(|it| Box::from(*it)).collect();
        let word: Word = word.parse().unwrap();
        word.names(Named {
            plain,
            slashed,
            uses: &uses,
        })
    }

    #[test]
    fn a_word_is_a_name_a_pattern_or_what_a_folder_is_for() {
        for (word, plain, slashed, yes) in [
            ("inbox", "INBOX", "INBOX", true),
            ("Archive", "Archive", "Archive", true),
            ("Archive", "archive", "archive", false),
            ("Archive/2024", "Archive.2024", "Archive/2024", true),
            ("Archive.2024", "Archive.2024", "Archive/2024", true),
            ("Archive/*", "Archive.2024.May", "Archive/2024/May", true),
            ("Archive/*", "Archive", "Archive", false),
            ("*", "Entwürfe", "Entwürfe", true),
            ("*/2024*", "Work/2024/May", "Work/2024/May", true),
            ("a*b*b", "ab", "ab", false),
            ("a**b", "ab", "ab", true),
        ] {
            assert_eq!(names(word, plain, slashed, &[]), yes, "{word} {plain}");
        }
        assert!(names("\\sent", "Gesendet", "Gesendet", &["\\Sent"]));
        assert!(!names("\\Sent", "Sent", "Sent", &["\\HasNoChildren"]));
    }

    #[test]
    fn the_inbox_is_among_them_where_a_word_names_it_and_none_leaves_it_out() {
        let words = |words: &[&str]| words.iter().map(|it| it.parse().unwrap()).collect();
        for (wanted, excluded, yes) in [
            (&["inbox"][..], &[][..], true),
            (&["Archive", "*"], &[], true),
            (&["*"], &["IN*"], false),
            (&["*", "INBOX"], &["IN*"], true),
            (&["*", "INBOX"], &["IN*", "INBOX"], false),
            (&["Archive", "\\Sent"], &[], false),
        ] {
            let folders = Folders::new(words(wanted), words(excluded));
            assert_eq!(folders.have_inbox(), yes, "{wanted:?}");
        }
        assert!(Folders::default().have_inbox());
    }

    #[test]
    fn a_folder_that_is_named_is_left_out_by_its_name_or_use_and_by_no_pattern() {
        let words = |words: &[&str]| words.iter().map(|it| it.parse().unwrap()).collect();
        let uses = [Box::from("\\Sent")];
        let sent = Named {
            plain: "Mail.Sent",
            slashed: "Mail/Sent",
            uses: &uses,
        };
        for (wanted, excluded, left_out) in [
            (&["*"][..], &["Mail*"][..], true),
            (&["*", "Mail/Sent"], &["Mail*"], false),
            (&["*", "Mail.Sent"], &["Mail*", "*/*"], false),
            (&["*", "Mail/S*"], &["Mail*"], true),
            (&["*", "Mail/Sent"], &["Mail/Sent"], true),
            (&["*", "Mail/Sent"], &["\\Sent"], true),
            (&["*", "\\Sent"], &["Mail*"], true),
        ] {
            let folders = Folders::new(words(wanted), words(excluded));
            assert_eq!(
                folders.leaves_out(sent),
                left_out,
                "{wanted:?} {excluded:?}"
            );
        }
    }

    #[test]
    fn what_names_no_folder_is_refused_and_the_rest_is_written_as_it_was() {
        let long = "a".repeat(WORD_LIMIT + 1);
        for wrong in ["", "a\n", "\\Snet", "\\", &long] {
            assert!(wrong.parse::<Word>().is_err(), "{wrong:?}");
        }
        for word in ["INBOX", "Archive/*", "\\Sent", "Entwürfe"] {
            assert_eq!(word.parse::<Word>().unwrap().to_string(), word);
        }
    }

    #[test]
    fn a_pattern_made_to_take_long_does_not() {
        let pattern = "a*".repeat(400) + "b";
        assert!(!fits(&pattern, &"a".repeat(100_000)));
    }
}
