//! The values of `file-mode` and `file-group`, as they are written.

use crate::maildir::{FileMode, Group};
use serde::de::{self, Deserialize, Deserializer};
use std::str::FromStr;

/// The value of `file-mode`: octal digits in quotes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ModeWord(pub FileMode);

/// The value of `file-group`: a name, or a number with or without quotes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupWord(pub Group);

impl<'de> Deserialize<'de> for ModeWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => read(&text).map(Self),
            // TOML's own numbers are decimal: 640 would be another mode than it looks.
            _ => read("").map(Self),
        }
    }
}

impl<'de> Deserialize<'de> for GroupWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => read(&text).map(Self),
            toml::Value::Integer(number) => read(&number.to_string()).map(Self),
            _ => read("").map(Self),
        }
    }
}

fn read<T: FromStr<Err = &'static str>, E: de::Error>(text: &str) -> Result<T, E> {
    text.parse().map_err(E::custom)
}
