//! INI as Python's RawConfigParser reads it: sections, `key = value` or `key: value`, values that go
//! on in lines that are indented further. `%(x)s` stands for itself.

use super::Error;
use std::path::Path;

/// `[name]` and what follows.
pub(super) struct Section {
    pub(super) name: String,
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) entries: Vec<Entry>,
}

/// A key and its value.
pub(super) struct Entry {
    /// In lower case.
    pub(super) key: String,
    /// Its lines with LF between.
    pub(super) value: String,
    pub(super) line: usize,
}

impl Section {
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(&entry.value)
    }
}

pub(super) fn parse(path: &Path, text: &str) -> Result<Vec<Section>, Error> {
    let wrong = |line: usize, what: &str| Error::syntax(path, line, what);
    let mut sections: Vec<Section> = Vec::new();
    // How far the line of the key at hand is indented.
    let mut indent = None;
    for (line, whole) in (1..).zip(text.lines()) {
        let stripped = whole.trim();
        if stripped.starts_with(['#', ';']) {
            continue;
        }
        let here = whole.len() - whole.trim_start().len();
        let entry = sections
            .last_mut()
            .and_then(|section| section.entries.last_mut());
        if let (Some(entry), Some(of_key)) = (entry, indent) {
            if stripped.is_empty() {
                entry.value.push('\n');
                continue;
            }
            if here > of_key {
                entry.value.push('\n');
                entry.value.push_str(stripped);
                continue;
            }
        }
        if stripped.is_empty() {
            continue;
        }
        if let Some(rest) = stripped.strip_prefix('[') {
            let Some((name, _)) = rest.split_once(']') else {
                return Err(wrong(line, "a section's name has no end"));
            };
            if sections.iter().any(|section| section.name == name) {
                return Err(wrong(line, "this section stands further up already"));
            }
            sections.push(Section {
                name: name.to_owned(),
                line,
                entries: Vec::new(),
            });
            indent = None;
            continue;
        }
        let Some(section) = sections.last_mut() else {
            return Err(wrong(line, "this stands before any section"));
        };
        let Some((key, value)) = stripped.split_once(['=', ':']) else {
            return Err(wrong(line, "this is neither `key = value` nor a section"));
        };
        let key = key.trim().to_lowercase();
        if key.is_empty() {
            return Err(wrong(line, "there is no key before the value"));
        }
        if section.get(&key).is_some() {
            return Err(wrong(line, "this key stands further up already"));
        }
        section.entries.push(Entry {
            key,
            value: value.trim().to_owned(),
            line,
        });
        indent = Some(here);
    }
    for entry in sections.iter_mut().flat_map(|section| &mut section.entries) {
        entry.value.truncate(entry.value.trim_end().len());
    }
    Ok(sections)
}

/// A tuple of texts as Python writes it: `("a", 'b')`.
pub(super) fn tuple(text: &str) -> Option<Vec<String>> {
    let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
    let mut items = Vec::new();
    let mut chars = inner.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        // Python 2 wanted it for what is not ASCII.
        let _ = chars.next_if(|c| matches!(c, 'u' | 'U'));
        let Some(quote) = chars.next() else {
            return Some(items);
        };
        if quote != '"' && quote != '\'' {
            return None;
        }
        let mut item = String::new();
        loop {
            match chars.next()? {
                c if c == quote => break,
                '\\' => match chars.next()? {
                    'n' => item.push('\n'),
                    't' => item.push('\t'),
                    c @ ('\\' | '"' | '\'') => item.push(c),
                    // Other sequences are rare enough to be left to people.
                    _ => return None,
                },
                c => item.push(c),
            }
        }
        items.push(item);
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        match chars.next() {
            None => return Some(items),
            Some(',') => {}
            Some(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_on_and_percent_signs_stand_for_themselves() {
        let text = "# c\n[a]\nKey = 1\n  2\n\n  3\n; c\nother: 50%(x)s ; no comment\n[b]\n";
        let sections = parse(Path::new("f"), text).unwrap();
        assert_eq!(sections[0].get("key"), Some("1\n2\n\n3"));
        assert_eq!(sections[0].get("other"), Some("50%(x)s ; no comment"));
        assert_eq!((sections[1].name.as_str(), sections[1].line), ("b", 9));
    }

    #[test]
    fn what_python_refuses_is_refused_with_its_line() {
        for (text, line) in [
            ("a = 1\n", 1),
            ("[a]\nx\n", 2),
            ("[a\n", 1),
            ("[a]\nx=1\nX=2\n", 3),
            ("[a]\n[a]\n", 2),
            ("[a]\n= 1\n", 2),
        ] {
            let error = parse(Path::new("f"), text).err().unwrap();
            assert!(
                matches!(error, Error::Syntax { line: at, .. } if at == line),
                "{error}"
            );
        }
    }

    #[test]
    fn tuples_are_those_of_python() {
        assert_eq!(tuple("('a', \"b'c\",)").unwrap(), ["a", "b'c"]);
        assert_eq!(tuple("()").unwrap(), Vec::<String>::new());
        assert_eq!(tuple("(\n u'a',\n 'b' ,\n)").unwrap(), ["a", "b"]);
        for wrong in [
            "",
            "a",
            "('a'",
            "(a)",
            "('a' 'b')",
            "('a)",
            "(__import__('os'))",
        ] {
            assert!(tuple(wrong).is_none(), "{wrong}");
        }
    }
}
