//! Adding an account to a config file without touching anything else in it.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use toml_edit::{Array, DocumentMut, Item, Table, TomlError, Value};

use super::visible::visible;
use crate::durable::{Dir, Disk};
use crate::exit::{Diagnose, Status};

/// A value of the config file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Word {
    /// `true` or `false`.
    Flag(bool),
    /// A number.
    Number(u64),
    /// Text in quotes.
    Text(String),
    /// A list of texts.
    List(Vec<String>),
}

impl Word {
    fn value(&self) -> Value {
        match self {
            Self::Flag(flag) => Value::from(*flag),
            Self::Number(number) => Value::from(i64::try_from(*number).unwrap_or(i64::MAX)),
            Self::Text(text) => Value::from(text.as_str()),
            Self::List(list) => Value::Array(Array::from_iter(list.iter().map(String::as_str))),
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.value().to_string().trim())
    }
}

/// What `[defaults]` of a config file says.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// The file's text without its accounts.
    pub text: String,
    /// The keys that are set.
    pub keys: Vec<String>,
}

/// Reads `[defaults]`; nothing where there is none.
pub fn default_keys(text: &str) -> Defaults {
    let Ok(mut document) = text.parse::<DocumentMut>() else {
        return Defaults::default();
    };
    document.remove("accounts");
    let defaults = document.get("defaults").and_then(Item::as_table_like);
    let keys = defaults.map(|table| table.iter().map(|(key, _)| key.to_owned()).collect());
    Defaults {
        keys: keys.unwrap_or_default(),
        text: document.to_string(),
    }
}

/// An account's table as it stands in the file, its heading included.
pub fn table(name: &str, keys: &[(&str, Word)]) -> String {
    let mut document = DocumentMut::new();
    document.insert("accounts", Item::Table(implicit()));
    let account = keyed(keys);
    if let Some(accounts) = document.get_mut("accounts").and_then(Item::as_table_mut) {
        accounts.insert(name, Item::Table(account));
    }
    document.to_string()
}

/// The file's text with one account more. What was there stands where it stood; the account comes
/// behind it.
///
/// # Errors
///
/// The text is no TOML, or has an account of this name.
pub fn with_account(text: &str, name: &str, keys: &[(&str, Word)]) -> Result<String, EditError> {
    let mut document: DocumentMut = text.parse().map_err(|_: TomlError| EditError::NoToml)?;
    let accounts = document.get("accounts").and_then(Item::as_table_like);
    if accounts.is_some_and(|accounts| accounts.contains_key(name)) {
        return Err(EditError::Taken(name.to_owned()));
    }
    let gap = match text {
        "" => "",
        _ if text.ends_with("\n\n") => "",
        _ if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    let longer = format!("{text}{gap}{}", table(name, keys));
    if longer.parse::<DocumentMut>().is_ok() {
        return Ok(longer);
    }
    // `accounts = { ... }` is closed, and takes another one only within.
    let accounts = document
        .entry("accounts")
        .or_insert_with(|| Item::Table(implicit()));
    let accounts = accounts.as_table_like_mut().ok_or(EditError::NoToml)?;
    accounts.insert(
        name,
        Item::Value(Value::InlineTable(keyed(keys).into_inline_table())),
    );
    Ok(document.to_string())
}

fn implicit() -> Table {
    let mut accounts = Table::new();
    accounts.set_implicit(true);
    accounts
}

fn keyed(keys: &[(&str, Word)]) -> Table {
    let mut table = Table::new();
    for (key, word) in keys {
        table.insert(key, Item::Value(word.value()));
    }
    table
}

/// Puts a text in the place of a file, at once or not at all, readable by its owner alone. Where the
/// file is a link, what it leads to is replaced.
///
/// # Errors
///
/// The directory cannot be written to, or others can.
pub fn replace_file(disk: &Disk, path: &Path, text: &str) -> Result<(), EditError> {
    let write = || -> io::Result<()> {
        let path = match fs::canonicalize(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => std::path::absolute(path)?,
            path => path?,
        };
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::Error::from(io::ErrorKind::InvalidFilename));
        };
        disk.create_directory(parent)?;
        let dir = Dir::open_linked(disk, parent)?;
        let mut draft = OsString::from(".");
        draft.push(name);
        draft.push(".new");
        dir.remove(&draft)?;
        let mut file = dir.create(&draft)?;
        file.append(text.as_bytes())?;
        file.sync()?;
        dir.replace(&draft, name)?;
        dir.sync()
    };
    write().map_err(|source| EditError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Why a config file is not changed.
#[derive(Debug, Error)]
pub enum EditError {
    /// What is there cannot be added to.
    #[error("the config file is no TOML that an account can be added to")]
    NoToml,
    /// There is an account of this name.
    #[error("there is an account `{}` already", visible(.0))]
    Taken(String),
    /// The disk refuses.
    #[error("cannot write {}", visible(&path.display().to_string()))]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Diagnose for EditError {
    fn status(&self) -> Status {
        match self {
            Self::NoToml | Self::Taken(_) => Status::Config,
            Self::Write { .. } => Status::Io,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoToml => "`accounts` must be a table of tables".into(),
            Self::Taken(_) => "give one of the two another name".into(),
            Self::Write { .. } => "run it again once the file can be written".into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Vec<(&'static str, Word)> {
        vec![
            ("host", Word::Text("pop.example.net".into())),
            ("port", Word::Number(1995)),
            (
                "password-command",
                Word::List(vec!["pass".into(), "a \"b\"".into()]),
            ),
        ]
    }

    const TABLE: &str = "[accounts.jane]\nhost = \"pop.example.net\"\nport = 1995\n\
                         password-command = [\"pass\", 'a \"b\"']\n";

    #[test]
    fn an_account_comes_behind_what_is_there_and_nothing_else_changes() {
        for text in [
            "",
            "# mine\n[accounts.\"a b\"]   # odd\nhost='x'\n\n",
            "[defaults]\nkeep = \"always\" # no newline",
            "[accounts]\nwork.host = 'x'\n",
            "[[accounts.work.rules]]\nx = 1\n\n# the end\n",
        ] {
            let longer = with_account(text, "jane", &keys()).unwrap();
            assert!(longer.starts_with(text), "{longer}");
            assert!(longer.ends_with(TABLE), "{longer}");
        }
    }

    #[test]
    fn a_closed_table_takes_it_within() {
        let text = "# a\naccounts = { work = { host = 'x' } } # b\n";
        let longer = with_account(text, "jane", &keys()).unwrap();
        assert!(
            longer.starts_with("# a\naccounts = { work = { host = 'x' }"),
            "{longer}"
        );
        assert!(
            longer.ends_with(" # b\n") && longer.contains("port = 1995"),
            "{longer}"
        );
        let document: DocumentMut = longer.parse().unwrap();
        assert_eq!(
            document["accounts"]["jane"]["port"].as_integer(),
            Some(1995)
        );
    }

    #[test]
    fn names_need_quotes_or_not_and_a_taken_one_is_refused() {
        let text = table("jane@pop.example.net", &keys());
        assert!(
            text.starts_with("[accounts.\"jane@pop.example.net\"]\n"),
            "{text}"
        );
        assert!(matches!(
            with_account(TABLE, "jane", &keys()),
            Err(EditError::Taken(_))
        ));
        assert!(matches!(
            with_account("a =", "x", &[]),
            Err(EditError::NoToml)
        ));
    }
}
