//! A table of `rules` as it is written.

use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer};
use toml::Spanned;

use super::units::{Octets, Period};
use crate::maildir::Folder;
use crate::rules::{Bounds, Pattern};

/// A table `[[accounts.NAME.rules]]`.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RuleTable {
    /// `size`: the message's size, as in `">25 MB"`.
    pub size: Option<Spanned<SizeBounds>>,
    /// `age`: the time since its Date, as in `">30 days"`.
    pub age: Option<Spanned<AgeBounds>>,
    /// `from`: an address or the whole of From.
    pub from: Option<Spanned<Text>>,
    /// `to`: an address or the whole of To or Cc.
    pub to: Option<Spanned<Text>>,
    /// `subject`: Subject.
    pub subject: Option<Spanned<Text>>,
    /// `list-id`: the id in List-Id, or the whole of it.
    pub list_id: Option<Spanned<Text>>,
    /// `header`: any other field, or several.
    pub header: Option<Spanned<Headers>>,
    /// `then`: what is done. Required.
    pub then: Option<Spanned<Then>>,
}

/// The value of `size`, in octets.
#[derive(Clone, Copy, Debug)]
pub struct SizeBounds(pub Bounds);

/// The value of `age`, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct AgeBounds(pub Bounds);

/// What a text must be like.
#[derive(Clone, Debug)]
pub struct Text(pub Pattern);

/// The value of `header`: fields by their names in small letters.
#[derive(Clone, Debug)]
pub struct Headers(pub Vec<(String, Option<Pattern>)>);

/// The values of `then`.
#[derive(Clone, Debug)]
pub enum Then {
    /// `"fetch"`
    Fetch,
    /// `"skip"`
    Skip,
    /// `"delete"`
    Delete,
    /// `{ folder = ".Lists" }`
    Folder(Folder),
}

impl<'de> Deserialize<'de> for SizeBounds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const SHAPE: &str = "`size` is written as in \">25 MB\" or \"<10 kB\", or both in a list";
        let octets = |text: &str| text.parse().map(Octets::get).map_err(|it| it.to_string());
        bounds(deserializer, SHAPE, octets).map(Self)
    }
}

impl<'de> Deserialize<'de> for AgeBounds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const SHAPE: &str = "`age` is written as in \">30 days\" or \"<2 h\", or both in a list";
        let seconds = |text: &str| {
            let period = text.parse::<Period>().map(Period::duration);
            period
                .map(|it: Duration| it.as_secs())
                .map_err(|it| it.to_string())
        };
        bounds(deserializer, SHAPE, seconds).map(Self)
    }
}

/// What `read` makes of a value, or of each value of a list.
fn one_or_several<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: impl Fn(toml::Value) -> Result<T, D::Error>,
) -> Result<Vec<T>, D::Error> {
    match toml::Value::deserialize(deserializer)? {
        toml::Value::Array(list) => list.into_iter().map(read).collect(),
        one => read(one).map(|it| vec![it]),
    }
}

/// `">1 MB"`, or a list of such.
fn bounds<'de, D: Deserializer<'de>>(
    deserializer: D,
    shape: &str,
    number: impl Fn(&str) -> Result<u64, String>,
) -> Result<Bounds, D::Error> {
    let written = one_or_several(deserializer, |it| match it {
        toml::Value::String(text) => Ok(text),
        _ => Err(de::Error::custom(shape)),
    })?;
    let mut bounds = Bounds::default();
    for text in &written {
        let text = text.trim();
        let (bound, rest) = match (text.strip_prefix('>'), text.strip_prefix('<')) {
            (Some(rest), _) => (&mut bounds.over, rest),
            (_, Some(rest)) => (&mut bounds.under, rest),
            _ => return Err(de::Error::custom(shape)),
        };
        let number = number(rest.trim());
        let number = number.map_err(|why| de::Error::custom(format!("{shape}: {why}")))?;
        if bound.replace(number).is_some() {
            return Err(de::Error::custom(shape));
        }
    }
    match bounds.are_none() {
        true => Err(de::Error::custom(shape)),
        false => Ok(bounds),
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pattern = match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => glob(&text),
            toml::Value::Table(table) => pattern(&table),
            _ => Err(SHAPE.to_owned()),
        };
        pattern.map(Self).map_err(de::Error::custom)
    }
}

const SHAPE: &str = "a pattern is a text in quotes in which `*` stands for any characters, or \
                     { contains = \"...\" } or { regex = \"...\" }";

fn glob(text: &str) -> Result<Pattern, String> {
    Pattern::glob(text).map_err(|error| error.to_string())
}

/// One of the three words.
fn pattern(table: &toml::Table) -> Result<Pattern, String> {
    let mut words = table.iter();
    let (Some((word, toml::Value::String(text))), None) = (words.next(), words.next()) else {
        return Err(SHAPE.to_owned());
    };
    let pattern = match word.as_str() {
        "glob" => Pattern::glob(text),
        "contains" => Pattern::contains(text),
        "regex" => Pattern::regex(text),
        _ => return Err(SHAPE.to_owned()),
    };
    pattern.map_err(|error| error.to_string())
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const SHAPE: &str = "`header` is a table as in { name = \"X-Spam-Flag\", glob = \"YES\" }, or \
                             a list of such; without a text it asks whether the field is there";
        let tables: Vec<_> = one_or_several(deserializer, |it| match it {
            toml::Value::Table(table) => Ok(table),
            _ => Err(de::Error::custom(SHAPE)),
        })?;
        let read = |mut table: toml::Table| {
            let name = match table.remove("name") {
                Some(toml::Value::String(name)) if is_field_name(&name) => name,
                _ => return Err(SHAPE.to_owned()),
            };
            let pattern = match table.is_empty() {
                true => None,
                false => Some(pattern(&table)?),
            };
            Ok((name.to_ascii_lowercase(), pattern))
        };
        let fields: Result<Vec<_>, String> = tables.into_iter().map(read).collect();
        match fields.map_err(de::Error::custom)? {
            fields if fields.is_empty() => Err(de::Error::custom(SHAPE)),
            fields => Ok(Self(fields)),
        }
    }
}

/// RFC 5322 section 3.6.8.
fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic() && c != ':')
}

impl<'de> Deserialize<'de> for Then {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const WORDS: &[&str] = &["fetch", "skip", "delete", "{ folder = \".Lists\" }"];
        const SHAPE: &str = "`then` is \"fetch\", \"skip\", \"delete\" or { folder = \".Lists\" }";
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => match text.as_str() {
                "fetch" => Ok(Self::Fetch),
                "skip" => Ok(Self::Skip),
                "delete" => Ok(Self::Delete),
                _ => Err(de::Error::unknown_variant(&text, WORDS)),
            },
            toml::Value::Table(table) => {
                let mut words = table.iter();
                match (words.next(), words.next()) {
                    (Some((word, toml::Value::String(name))), None) if word == "folder" => {
                        Folder::parse(name)
                            .map(Self::Folder)
                            .map_err(de::Error::custom)
                    }
                    _ => Err(de::Error::custom(SHAPE)),
                }
            }
            _ => Err(de::Error::custom(SHAPE)),
        }
    }
}
