//! Adding an account to a config file without touching anything else in it.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TomlError, Value, value};

use super::config;
use crate::durable::{Dir, Disk};
use crate::exit::{Diagnose, Status};
use crate::named;
use crate::term::visible;

/// Characters of an account's name that go into a file's name; a name may have 255 octets.
const LONGEST_NAME: usize = 100;

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
    /// A table within one line.
    Table(Vec<(&'static str, Word)>),
}

impl Word {
    fn value(&self) -> Value {
        match self {
            Self::Flag(flag) => Value::from(*flag),
            Self::Number(number) => Value::from(i64::try_from(*number).unwrap_or(i64::MAX)),
            Self::Text(text) => Value::from(text.as_str()),
            Self::Table(keys) => {
                let keys = keys.iter().map(|(key, word)| (*key, word.value()));
                Value::InlineTable(InlineTable::from_iter(keys))
            }
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
pub fn table(name: &str, account: Table) -> String {
    let mut document = DocumentMut::new();
    document.insert("accounts", Item::Table(implicit()));
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
pub fn with_account(text: &str, name: &str, account: Table) -> Result<String, EditError> {
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: TomlError| EditError::NoToml(error.message().to_owned()))?;
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
    let longer = format!("{text}{gap}{}", table(name, account.clone()));
    if longer.parse::<DocumentMut>().is_ok() {
        return Ok(longer);
    }
    // `accounts = { ... }` is closed, and takes another one only within.
    let accounts = document
        .entry("accounts")
        .or_insert_with(|| Item::Table(implicit()));
    let Some(accounts) = accounts.as_table_like_mut() else {
        return Err(EditError::NoToml("`accounts` is no table".to_owned()));
    };
    accounts.insert(name, value(account.into_inline_table()));
    Ok(document.to_string())
}

fn implicit() -> Table {
    let mut accounts = Table::new();
    accounts.set_implicit(true);
    accounts
}

/// An account's keys.
pub fn keyed(keys: &[(&str, Word)]) -> Table {
    let mut table = Table::new();
    for (key, word) in keys {
        table.insert(key, Item::Value(word.value()));
    }
    table
}

/// Puts octets in the place of a file, at once or not at all, readable by its owner alone. `check` is
/// asked right before.
///
/// # Errors
///
/// The directory cannot be written to, or others can; or `check` forbids it.
pub fn replace_file<E: From<Unwritten>>(
    path: &Path,
    octets: &[u8],
    check: impl FnOnce() -> Result<(), E>,
) -> Result<(), E> {
    let failed = |source| Unwritten {
        path: path.to_owned(),
        source,
    };
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(failed(io::ErrorKind::InvalidFilename.into()).into());
    };
    let mut draft = OsString::from(".");
    draft.push(name);
    draft.push(format!(".{}.new", std::process::id()));
    let disk = Disk::new();
    let prepared = disk.create_directory(directory).and_then(|()| {
        let dir = Dir::open_linked(&disk, directory)?;
        dir.remove(&draft)?;
        let mut file = dir.create(&draft)?;
        file.append(octets).and_then(|()| file.sync())?;
        Ok(dir)
    });
    let dir = prepared.map_err(failed)?;
    let replaced = check().and_then(|()| {
        let replaced = dir.replace(&draft, name).and_then(|()| dir.sync());
        Ok(replaced.map_err(failed)?)
    });
    if replaced.is_err() {
        // What is left of it is no more than a file that nobody reads.
        let _ = dir.remove(&draft);
    }
    replaced
}

/// What a config file says; nothing where there is none.
///
/// # Errors
///
/// It cannot be read.
pub fn read(path: &Path) -> Result<String, Unwritten> {
    let text = named::open(path).and_then(|mut file| config::read(&mut file));
    match text {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        text => text
            .map(|text| text.as_str().to_owned())
            .map_err(|source| Unwritten {
                path: path.to_owned(),
                source,
            }),
    }
}

/// Puts `text` in the place of a config file that says `before`. Where it is a link, what it leads to
/// is replaced.
///
/// # Errors
///
/// As [`replace_file`]; and where somebody else has changed it meanwhile.
pub fn rewrite(path: &Path, before: &str, text: &str) -> Result<(), EditError> {
    let real = fs::canonicalize(path).or_else(|_| std::path::absolute(path));
    let path = real.unwrap_or_else(|_| path.to_owned());
    replace_file(&path, text.as_bytes(), || match read(&path)? == before {
        true => Ok(()),
        false => Err(EditError::Changed(path.clone())),
    })
}

/// A file for an account's password beside the config file, of a name that nothing has yet.
pub fn password_file(config: &Path, name: &str) -> PathBuf {
    let is_safe = |c: char| c.is_alphanumeric() || "@.-_+".contains(c);
    let safe = name.chars().map(|c| if is_safe(c) { c } else { '_' });
    let safe: String = safe.take(LONGEST_NAME).collect();
    let path = |number: u32| match number {
        1 => config.with_file_name(format!("{safe}.password")),
        _ => config.with_file_name(format!("{safe}-{number}.password")),
    };
    let mut paths = (1..100).map(path);
    paths.find(|path| !path.exists()).unwrap_or_else(|| path(1))
}

/// A file that cannot be written.
#[derive(Debug)]
pub struct Unwritten {
    /// Which file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Why a config file is not changed.
#[derive(Debug, Error)]
pub enum EditError {
    /// What is there cannot be added to; why.
    #[error("the config file is no TOML that an account can be added to")]
    NoToml(String),
    /// Somebody else has changed it.
    #[error("{} has been changed meanwhile, and is left as it is", .0.display())]
    Changed(PathBuf),
    /// There is an account of this name.
    #[error("there is an account `{}` already", visible(.0))]
    Taken(String),
    /// There is no account of this name.
    #[error("there is no account `{}`", visible(.0))]
    NoAccount(String),
    /// The disk refuses.
    #[error("cannot write {}", visible(&path.display().to_string()))]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl From<Unwritten> for EditError {
    fn from(Unwritten { path, source }: Unwritten) -> Self {
        Self::Write { path, source }
    }
}

impl Diagnose for EditError {
    fn status(&self) -> Status {
        match self {
            Self::NoAccount(_) | Self::NoToml(_) | Self::Taken(_) => Status::Config,
            Self::Changed(_) => Status::Temporary,
            Self::Write { .. } => Status::Io,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoAccount(_) => "popfetch account list shows the accounts".into(),
            Self::NoToml(_) => "`accounts` must be a table of tables".into(),
            Self::Changed(_) => "run the same command again".into(),
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
            let longer = with_account(text, "jane", keyed(&keys())).unwrap();
            assert!(longer.starts_with(text), "{longer}");
            assert!(longer.ends_with(TABLE), "{longer}");
        }
    }

    #[test]
    fn a_closed_table_takes_it_within() {
        let text = "# a\naccounts = { work = { host = 'x' } } # b\n";
        let longer = with_account(text, "jane", keyed(&keys())).unwrap();
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
        let text = table("jane@pop.example.net", keyed(&keys()));
        assert!(
            text.starts_with("[accounts.\"jane@pop.example.net\"]\n"),
            "{text}"
        );
        assert!(matches!(
            with_account(TABLE, "jane", keyed(&keys())),
            Err(EditError::Taken(_))
        ));
        assert!(matches!(
            with_account("a =", "x", Table::new()),
            Err(EditError::NoToml(_))
        ));
    }

    #[test]
    fn a_password_file_is_beside_the_config_file_and_takes_no_others_place() {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join("config.toml");
        let path = password_file(&config, "a/b");
        assert_eq!(path, home.path().join("a_b.password"));
        std::fs::write(&path, "x").unwrap();
        assert_eq!(
            password_file(&config, "a/b"),
            home.path().join("a_b-2.password")
        );
    }

    #[test]
    fn a_config_file_that_says_something_else_by_now_is_left_as_it_is() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config.toml");
        rewrite(&path, "", "# mine\r\n").unwrap();
        let late = rewrite(&path, "", "# another's\n");
        assert!(matches!(late, Err(EditError::Changed(_))), "{late:?}");
        assert_eq!(read(&path).unwrap(), "# mine\r\n");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }
}
