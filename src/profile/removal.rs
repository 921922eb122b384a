//! Taking an account out of a config file without touching anything else in it.

use super::edit::EditError;
use std::ops::Range;
use toml_edit::{Document, DocumentMut, Item, Table, TomlError};

/// The file's text without an account: its tables, and the comment right above each of them. What
/// others say, comments and empty lines included, stands as it stood.
///
/// # Errors
///
/// The text is no TOML, or has no account of this name.
pub fn without_account(text: &str, name: &str) -> Result<String, EditError> {
    let no_toml = |error: TomlError| EditError::NoToml(error.message().to_owned());
    let document = Document::parse(text).map_err(no_toml)?;
    let accounts = document.get("accounts").and_then(Item::as_table_like);
    let Some(account) = accounts.and_then(|accounts| accounts.get(name)) else {
        return Err(EditError::NoAccount(name.to_owned()));
    };
    let mut edited: DocumentMut = text.parse().map_err(no_toml)?;
    let accounts = edited.get_mut("accounts").and_then(Item::as_table_like_mut);
    if let Some(accounts) = accounts {
        accounts.remove(name);
    }
    let edited = edited.to_string();
    let mut places = Vec::new();
    // An account that has no table of its own stands among others, on lines that are its own or not.
    if !gather(account, text, &mut places) {
        return Ok(edited);
    }
    let shorter = cut(text, places);
    // Lines that only look like a table's, within a text in three quotes, are told by what is left.
    match same(&shorter, &edited) {
        true => Ok(shorter),
        false => Ok(edited),
    }
}

/// The places of all tables of an account; `false` where it has none.
fn gather(item: &Item, text: &str, places: &mut Vec<Range<usize>>) -> bool {
    match item {
        Item::Table(table) if table.is_dotted() => false,
        Item::Table(table) => {
            gather_table(table, text, places);
            !places.is_empty()
        }
        _ => false,
    }
}

fn gather_table(table: &Table, text: &str, places: &mut Vec<Range<usize>>) {
    if let Some(heading) = table.span().filter(|_| !table.is_implicit()) {
        let end = heading.end.max(end_of_values(table));
        places.push(with_comment(text, heading.start..end));
    }
    gather_below(table, text, places);
}

/// Where the last of a table's own lines ends.
fn end_of_values(table: &Table) -> usize {
    let end = |item: &Item| match item {
        Item::Table(below) if below.is_dotted() => end_of_values(below),
        Item::Value(value) => value.span().map_or(0, |span| span.end),
        _ => 0,
    };
    table.iter().map(|(_, item)| end(item)).max().unwrap_or(0)
}

fn gather_below(table: &Table, text: &str, places: &mut Vec<Range<usize>>) {
    for (_, item) in table.iter() {
        match item {
            Item::Table(table) if table.is_dotted() => {}
            Item::Table(table) => gather_table(table, text, places),
            Item::ArrayOfTables(tables) => {
                for table in tables {
                    gather_table(table, text, places);
                }
            }
            Item::None | Item::Value(_) => {}
        }
    }
}

/// A table's place from the comment right above it to the end of its last line, and the empty line that
/// parts it from the next.
fn with_comment(text: &str, span: Range<usize>) -> Range<usize> {
    let mut start = line_start(text, span.start);
    while let Some(before) = start.checked_sub(1) {
        let above = line_start(text, before);
        let line = text.get(above..start).unwrap_or_default();
        if !line.trim_start().starts_with('#') {
            break;
        }
        start = above;
    }
    let rest = |from: usize| text.get(from..).unwrap_or_default();
    let line_end = |from: usize| {
        let length = rest(from).find('\n').map(|at| at + 1);
        from + length.unwrap_or_else(|| rest(from).len())
    };
    let end = line_end(span.end);
    let next = line_end(end);
    let is_empty = text
        .get(end..next)
        .is_some_and(|line| line.trim().is_empty());
    let end = if is_empty { next } else { end };
    start..end
}

fn line_start(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.rfind('\n').map_or(0, |newline| newline + 1)
}

fn cut(text: &str, mut places: Vec<Range<usize>>) -> String {
    places.sort_unstable_by_key(|place| place.start);
    let (mut shorter, mut from) = (String::new(), 0);
    for place in places {
        shorter.push_str(text.get(from..place.start).unwrap_or_default());
        from = from.max(place.end);
    }
    shorter + text.get(from..).unwrap_or_default()
}

/// Whether two texts say the same.
fn same(one: &str, other: &str) -> bool {
    let read = |text: &str| {
        let mut read = text.parse::<toml::Table>().ok()?;
        // Empty is as good as not there.
        if read
            .get("accounts")
            .and_then(toml::Value::as_table)
            .is_some_and(toml::Table::is_empty)
        {
            read.remove("accounts");
        }
        Some(read)
    };
    read(one).is_some_and(|one| read(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(text: &str) -> String {
        without_account(text, "work").unwrap()
    }

    #[test]
    fn i13_an_account_goes_with_its_own_comment_and_nothing_else_changes() {
        let before = "# my accounts\n\n[defaults]\nkeep = \"always\" # for ever\n\n";
        let behind = "# at home\n[accounts.home]   # odd\nhost='x'\n\n# the end\n";
        for own in [
            "[accounts.work]\nhost = 'y'\n\n",
            "# at work\n# all day\n[accounts.work] # here\nhost = 'y' # there\n# and so\nuser = 'z'\n\n",
            "[accounts.work]\nhost = 'y'\n\n[[accounts.work.rules]]\nfrom = 'a'\n\n[[accounts.work.rules]]\nfrom = 'b'\n\n",
            "[accounts.\"work\"]\nhost = 'y'\n[accounts.work.oauth]\nclient-id = '1'\n\n",
        ] {
            assert_eq!(
                without(&format!("{before}{own}{behind}")),
                format!("{before}{behind}")
            );
        }
    }

    #[test]
    fn i13_a_comment_that_stands_apart_is_the_files_own() {
        let text = "# mine\n\n[accounts.work]\nhost = 'y'\n\n# a word to all\n\n[accounts.home]\nhost = 'x'\n";
        assert_eq!(
            without(text),
            "# mine\n\n# a word to all\n\n[accounts.home]\nhost = 'x'\n"
        );
        assert_eq!(without("[accounts.work]\nhost = 'y'\n# last\n"), "# last\n");
        assert_eq!(without("[accounts.work]\nhost = 'y'"), "");
    }

    #[test]
    fn i13_other_ways_to_write_an_account_are_known_as_well() {
        for text in [
            "accounts = { work = { host = 'y' }, home = { host = 'x' } } # b\n",
            "[accounts]\nwork.host = 'y'\nwork.user = 'z'\nhome.host = 'x' # b\n",
            "accounts.work.host = 'y'\naccounts.home.host = 'x' # b\n",
            "[accounts]\nwork = { host = 'y' }\nhome = { host = 'x' } # b\n",
            "[accounts.home]\nhost = 'x' # b\n[accounts.work]\nhost = \"\"\"\n[accounts.home]\n\"\"\"\n",
        ] {
            let shorter = without(text);
            let read: toml::Table = shorter.parse().unwrap();
            let accounts = read["accounts"].as_table().unwrap();
            assert_eq!(accounts.keys().collect::<Vec<_>>(), ["home"], "{shorter}");
            assert_eq!(accounts["home"]["host"].as_str(), Some("x"));
            assert!(shorter.contains("# b"), "{shorter}");
        }
    }

    #[test]
    fn i13_an_account_that_is_not_there_and_a_text_that_is_no_toml_are_refused() {
        let missing = without_account("[accounts.home]\nhost = 'x'\n", "work");
        assert!(matches!(missing, Err(EditError::NoAccount(_))));
        assert!(matches!(
            without_account("a =", "work"),
            Err(EditError::NoToml(_))
        ));
    }
}
