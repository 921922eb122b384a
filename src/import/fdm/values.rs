//! Strings and numbers as fdm makes them of macros, commands and tags, and sizes and times.

use super::lex::{Kind, Piece, Token};
use crate::import::files::Surroundings;
use std::collections::{BTreeMap, BTreeSet};

/// What macros stand for, by their names with `$` or `%`.
pub(super) type Macros = BTreeMap<String, Value>;

/// A string or a number.
#[derive(Clone, Debug, Default)]
pub(super) struct Value {
    /// What it says; `None` where a command says it.
    pub(super) text: Option<String>,
    /// What a shell is to run, where that is all of it.
    pub(super) command: Option<String>,
    /// The macros that it is made of, and those that they are made of.
    pub(super) macros: BTreeSet<String>,
}

impl Value {
    fn plain(text: String) -> Self {
        Self {
            text: Some(text),
            ..Self::default()
        }
    }

    /// The value of a word; `None` where it is none, or a macro that nobody has defined.
    pub(super) fn of(token: &Token, macros: &Macros) -> Option<Self> {
        match &token.kind {
            Kind::Number(number) => Some(Self::plain(number.to_string())),
            Kind::Text(pieces) => Some(Self::joined(pieces, macros)),
            Kind::Macro(name) => {
                let mut value = macros.get(name)?.clone();
                value.macros.insert(name.clone());
                Some(value)
            }
            Kind::Command(pieces) => {
                let joined = Self::joined(pieces, macros);
                Some(Self {
                    command: joined.text,
                    text: None,
                    macros: joined.macros,
                })
            }
            Kind::Word(_) | Kind::Symbol(_) => None,
        }
    }

    /// The pieces of a string; a macro that nobody has defined is nothing.
    fn joined(pieces: &[Piece], macros: &Macros) -> Self {
        let mut joined = Self::plain(String::new());
        for piece in pieces {
            let value = match piece {
                Piece::Plain(text) => Self::plain(text.clone()),
                Piece::Macro(name) => {
                    let mut value = match macros.get(name) {
                        Some(value) => value.clone(),
                        None => Self::plain(String::new()),
                    };
                    value.macros.insert(name.clone());
                    value
                }
            };
            joined = joined.and(value);
        }
        joined
    }

    /// Both, one behind the other. What is longer than anybody needs is not known, as a command's.
    pub(super) fn and(mut self, other: Self) -> Self {
        const LONGEST: usize = 1 << 16;
        self.macros.extend(other.macros);
        self.text = match (self.text, other.text) {
            (Some(mut text), Some(more)) if text.len() + more.len() <= LONGEST => {
                text.push_str(&more);
                Some(text)
            }
            _ => None,
        };
        self.command = None;
        self
    }

    /// What it says, with its tags; `None` where that is not the same each time.
    pub(super) fn said(&self, tags: &Tags<'_>) -> Option<String> {
        tags.replaced(self.text.as_deref()?)
    }
}

/// What `%h`, `%[home]` and their like stand for.
#[derive(Clone, Copy)]
pub(super) struct Tags<'a> {
    pub(super) around: &'a Surroundings,
    /// Of mail that is delivered: the account's name.
    pub(super) account: Option<&'a str>,
    /// And that of its action.
    pub(super) action: Option<&'a str>,
    /// And that of the folder that it comes from, by IMAP.
    pub(super) folder: Option<&'a str>,
}

impl<'a> Tags<'a> {
    /// Those of a config that is read.
    pub(super) fn new(around: &'a Surroundings) -> Self {
        Self {
            around,
            account: None,
            action: None,
            folder: None,
        }
    }

    /// A string with each tag replaced. What a tag says of mail or of the day is not known.
    pub(super) fn replaced(&self, text: &str) -> Option<String> {
        let mut replaced = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            replaced.push_str(before);
            if let Some((name, behind)) = after.strip_prefix('[').and_then(|it| it.split_once(']'))
            {
                replaced.push_str(&self.value(name)?);
                rest = behind;
                continue;
            }
            let mut chars = after.chars();
            match chars.next() {
                Some('%') => replaced.push('%'),
                Some('[') => {
                    replaced.push_str("%[");
                }
                Some('h') => replaced.push_str(&self.value("home")?),
                Some('a') => replaced.push_str(&self.value("account")?),
                Some('t') => replaced.push_str(&self.value("action")?),
                Some('u') => replaced.push_str(&self.value("user")?),
                Some('n' | 'H' | 'M' | 'S' | 'd' | 'm' | 'y' | 'W' | 'Y' | 'Q' | '0'..='9') => {
                    return None;
                }
                // fdm drops what is no tag.
                Some(_) | None => {}
            }
            rest = chars.as_str();
        }
        replaced.push_str(rest);
        Some(replaced)
    }

    fn value(&self, name: &str) -> Option<String> {
        match name {
            "home" => Some(self.around.home.display().to_string()),
            "account" => self.account.map(str::to_owned),
            "action" => self.action.map(str::to_owned),
            "folder" => self.folder.map(str::to_owned),
            "user" => self.account.map(|_| self.around.user.clone()),
            _ => None,
        }
    }
}

/// Octets to a unit of sizes.
pub(super) fn octets(unit: &str) -> Option<u64> {
    Some(match unit {
        "B" | "b" | "byte" | "bytes" => 1,
        "K" | "KB" | "k" | "kb" | "kilobyte" | "kilobytes" => 1 << 10,
        "M" | "MB" | "m" | "mb" | "megabyte" | "megabytes" => 1 << 20,
        "G" | "GB" | "g" | "gb" | "gigabyte" | "gigabytes" => 1 << 30,
        _ => return None,
    })
}

/// Seconds to a unit of times; a month has four weeks there.
pub(super) fn seconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "second" | "seconds" => 1,
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3600,
        "day" | "days" => 86_400,
        "week" | "weeks" => 7 * 86_400,
        "month" | "months" => 28 * 86_400,
        "year" | "years" => 365 * 86_400,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_replaced_as_fdm_does_and_what_varies_is_not_known() {
        let around = Surroundings {
            home: "/h/jane".into(),
            user: "jane".into(),
            ..Surroundings::default()
        };
        let config = Tags::new(&around);
        assert_eq!(config.replaced("%h/%%/x%!y%").unwrap(), "/h/jane/%/xy");
        assert_eq!(config.replaced("%[home]%[x").unwrap(), "/h/jane%[x");
        assert_eq!(config.replaced("a%d"), None);
        assert_eq!(config.replaced("%a"), None);
        let mail = Tags {
            account: Some("work"),
            action: Some("in"),
            ..config
        };
        assert_eq!(
            mail.replaced("%h/%a/%t/%u").unwrap(),
            "/h/jane/work/in/jane"
        );
        assert_eq!(mail.replaced("%[mail_year]"), None);
    }
}
