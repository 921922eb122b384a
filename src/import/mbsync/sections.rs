//! The grammar of mbsync's config: a keyword and its arguments a line, a section from its first line to an empty
//! one (mbsync 1.4, `config.c`; its manual, CONFIGURATION).

use crate::import::Error;
use std::path::Path;

/// A line has no more arguments.
const ARGUMENTS: usize = 1000;

/// What begins a section.
const KINDS: [&str; 5] = [
    "IMAPAccount",
    "IMAPStore",
    "MaildirStore",
    "Channel",
    "Group",
];

/// A config, whose first section is what stands before any.
pub(super) struct Sections(Vec<Section>);

/// A section.
#[derive(Debug, Default)]
pub(super) struct Section {
    /// One of [`KINDS`]; nothing of what stands before any.
    pub(super) kind: &'static str,
    pub(super) name: String,
    line: usize,
    text: String,
    pub(super) entries: Vec<Entry>,
}

/// A line in a section.
#[derive(Debug)]
pub(super) struct Entry {
    /// In its usual spelling.
    pub(super) keyword: String,
    pub(super) arguments: Vec<String>,
    pub(super) line: usize,
    /// As it stands there.
    pub(super) text: String,
}

impl Sections {
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let mut sections = vec![Section::default()];
        // Behind an empty line keywords are global again.
        let mut is_open = true;
        for (line, text) in (1..).zip(text.lines()) {
            let words = words(text).map_err(|what| Error::syntax(path, line, what))?;
            let mut words = words.into_iter();
            let Some(keyword) = words.next() else {
                is_open &= !text.trim().is_empty();
                continue;
            };
            let arguments: Vec<String> = words.collect();
            let text = text.trim().to_owned();
            // In a group it names those that belong to it.
            let is_in_group = is_open
                && keyword.eq_ignore_ascii_case("Channel")
                && sections.last().is_some_and(|last| last.kind == "Group");
            let kind = KINDS.iter().find(|it| it.eq_ignore_ascii_case(&keyword));
            let kind = kind.filter(|_| !is_in_group);
            if let Some(kind) = kind {
                let mut arguments = arguments.into_iter();
                let Some(name) = arguments.next() else {
                    let what = format!("`{kind}` needs a name");
                    return Err(Error::syntax(path, line, what));
                };
                is_open = true;
                sections.push(Section {
                    kind,
                    name,
                    line,
                    text,
                    entries: Vec::new(),
                });
                continue;
            }
            let entry = Entry {
                keyword: usual(&keyword),
                arguments,
                line,
                text,
            };
            let last = sections.len() - 1;
            let place = if is_open { last } else { 0 };
            if let Some(section) = sections.get_mut(place) {
                section.entries.push(entry);
            }
        }
        Ok(Self(sections))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Section> {
        self.0.iter()
    }

    pub(super) fn of(&self, kind: &'static str) -> impl Iterator<Item = &Section> {
        self.all().filter(move |it| it.kind == kind)
    }

    /// The section of this kind and name.
    pub(super) fn find(&self, kind: &'static str, name: &str) -> Option<&Section> {
        self.of(kind).find(|it| it.name == name)
    }

    /// What stands before any section, or behind the end of one, for all channels.
    pub(super) fn global(&self) -> Option<&Section> {
        self.0.first()
    }
}

impl Section {
    /// Its first line, if it has one.
    pub(super) fn head(&self) -> Option<(usize, &str)> {
        (!self.kind.is_empty()).then_some((self.line, self.text.as_str()))
    }

    /// All arguments of a keyword, of each of its lines.
    pub(super) fn all(&self, keyword: &str) -> Vec<&str> {
        let of = self.entries.iter().filter(|it| it.keyword == keyword);
        of.flat_map(|it| &it.arguments)
            .map(String::as_str)
            .collect()
    }

    /// The first argument of a keyword; the last line counts.
    pub(super) fn get(&self, keyword: &str) -> Option<&str> {
        let last = self.entries.iter().rfind(|it| it.keyword == keyword)?;
        last.arguments.first().map(String::as_str)
    }
}

/// Each keyword in one spelling, those that were renamed in the newer one but for `SSL...`.
fn usual(keyword: &str) -> String {
    const SPELLINGS: &[(&str, &str)] = &[
        ("master", "Far"),
        ("slave", "Near"),
        ("pattern", "Patterns"),
        ("patterns", "Patterns"),
        ("authmech", "AuthMechs"),
        ("authmechs", "AuthMechs"),
        ("requirecram", "RequireCRAM"),
        ("flatten", "Flatten"),
        ("user", "User"),
        ("pass", "Pass"),
        ("passcmd", "PassCmd"),
        ("usercmd", "UserCmd"),
        ("host", "Host"),
        ("port", "Port"),
        ("timeout", "Timeout"),
        ("tunnel", "Tunnel"),
        ("ssltype", "SSLType"),
        ("tlstype", "TLSType"),
        ("certificatefile", "CertificateFile"),
        ("clientcertificate", "ClientCertificate"),
        ("clientkey", "ClientKey"),
        ("account", "Account"),
        ("channel", "Channel"),
        ("channels", "Channels"),
        ("path", "Path"),
        ("pathdelimiter", "PathDelimiter"),
        ("inbox", "Inbox"),
        ("subfolders", "SubFolders"),
        ("far", "Far"),
        ("near", "Near"),
        ("maxsize", "MaxSize"),
        ("maxmessages", "MaxMessages"),
        ("fielddelimiter", "FieldDelimiter"),
        ("sync", "Sync"),
        ("syncstate", "SyncState"),
    ];
    let lower = keyword.to_lowercase();
    let known = SPELLINGS.iter().find(|(it, _)| *it == lower);
    known.map_or_else(|| keyword.to_owned(), |(_, usual)| (*usual).to_owned())
}

/// The words of a line: quotes keep spaces together, a backslash takes what follows as it is.
fn words(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut in_quotes = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                in_quotes = !in_quotes;
                word.get_or_insert_default();
            }
            '\\' => match chars.next() {
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err("a backslash stands at the end of the line"),
            },
            '#' if !in_quotes && word.is_none() => break,
            c if c.is_ascii_whitespace() && !in_quotes => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
        if words.len() > ARGUMENTS {
            return Err("there are too many words in this line");
        }
    }
    if in_quotes {
        return Err("a quotation mark is not closed");
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart_as_mbsync_does() {
        let read = |line| words(line).unwrap();
        assert_eq!(
            read(r#"PassCmd "pass show \"a b\"" # x"#),
            ["PassCmd", "pass show \"a b\""]
        );
        assert_eq!(read(r"Patterns a\ b !c#d"), ["Patterns", "a b", "!c#d"]);
        assert_eq!(read("   # nothing"), [""; 0]);
        assert_eq!(read(r#"Pass """#), ["Pass", ""]);
        assert!(words("Pass \"open").is_err() && words("Pass \\").is_err());
    }

    #[test]
    fn a_section_ends_at_an_empty_line_and_not_at_a_comment() {
        let text = "Sync Pull\n\nChannel a\n# comment\nFar :x:\n\nExpunge Near\nchannel b\nNear :y:\n\nGroup g\nchannel a\nChannels a b\n";
        let read = Sections::parse(Path::new("f"), text).unwrap();
        let shown: Vec<(&str, Vec<&str>)> = read
            .all()
            .map(|it| {
                let keywords = it.entries.iter().map(|it| it.keyword.as_str());
                (it.name.as_str(), keywords.collect())
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("", vec!["Sync", "Expunge"]),
                ("a", vec!["Far"]),
                ("b", vec!["Near"]),
                ("g", vec!["Channel", "Channels"])
            ]
        );
    }
}
