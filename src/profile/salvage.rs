//! Reads as much of a table as can be read, so that what is wrong in it is told in one run.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use super::words::{expected_words, meant_by, nearest};

/// No person mends more than so many at once, and each costs another look at the table.
const LIMIT: usize = 100;

/// What could be read of a table, and what is wrong with the rest.
#[derive(Debug, Default)]
pub(super) struct Salvaged<T> {
    /// Without all that is wrong.
    pub value: T,
    /// In no order.
    pub faults: Vec<Fault>,
}

/// A value or a key that cannot be read.
#[derive(Debug)]
pub(super) struct Fault {
    /// Why.
    pub error: Error,
    /// What is lacking for it; nothing where it cannot be told.
    pub unread: Option<Unread>,
}

/// A key that is written, but whose value is not known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Unread {
    /// The key, or the one that is meant by it; those above it come first.
    pub path: Vec<String>,
    /// Of a table that stands in a list, where that is.
    pub table: Option<Range<usize>>,
}

/// Reads a table, and whatever can be read of one that has something wrong in it.
pub(super) fn read<T: DeserializeOwned + Default>(written: &Spanned<DeValue<'_>>) -> Salvaged<T> {
    let mut written = Cow::Borrowed(written);
    let mut faults = Vec::new();
    while faults.len() < LIMIT {
        let error = match T::deserialize(Spanned::clone(&written).into_deserializer()) {
            Ok(value) => return Salvaged { value, faults },
            Err(error) => error,
        };
        let place = error.span().zip(table_in(written.to_mut().get_mut()));
        let taken = place.and_then(|(place, table)| take_out(table, &place));
        let is_last = taken.is_none();
        let unread = taken.map(|taken| as_meant(taken, error.message()));
        faults.push(Fault { error, unread });
        if is_last {
            break;
        }
    }
    Salvaged {
        value: T::default(),
        faults,
    }
}

/// The table that it is, if it is one.
pub(super) fn table_in<'v, 'a>(value: &'v mut DeValue<'a>) -> Option<&'v mut DeTable<'a>> {
    match value {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

/// Takes out the key that is at this place of the file, or whose value is: the innermost.
fn take_out(table: &mut DeTable<'_>, place: &Range<usize>) -> Option<Unread> {
    let found = table.iter_mut().find_map(|(key, value)| {
        let is_here = key.span() == *place || value.span() == *place;
        let within = match value.get_mut() {
            DeValue::Table(table) => take_out(table, place),
            DeValue::Array(list) => list.iter_mut().find_map(|it| {
                let table = it.span();
                let taken = take_out(table_in(it.get_mut())?, place)?;
                Some(Unread {
                    table: Some(table),
                    ..taken
                })
            }),
            _ => None,
        };
        let has = |it: &Spanned<DeValue<'_>>| it.span() == *place;
        let is_in_list = || {
            value
                .get_ref()
                .as_array()
                .is_some_and(|list| list.iter().any(has))
        };
        (within.is_some() || is_here || is_in_list()).then(|| (key.clone(), within))
    });
    let (key, within) = found?;
    let name = key.get_ref().to_string();
    let Some(mut within) = within else {
        table.remove(name.as_str());
        let path = vec![name];
        return Some(Unread { path, table: None });
    };
    within.path.insert(0, name);
    Some(within)
}

/// A misspelt key, or one of another tool's, stands for the one that is meant by it.
fn as_meant(mut unread: Unread, message: &str) -> Unread {
    let known = expected_words(message);
    if let Some(key) = unread
        .path
        .last_mut()
        .filter(|_| message.starts_with("unknown field"))
        && let Some(ours) = meant_by(key, &known).or_else(|| nearest(key, &known))
    {
        *key = ours.to_owned();
    }
    unread
}
