//! Accounts that are not written as one: their keys stand below no name, they are a list, or there is nothing
//! of them but what belongs to another one.

use super::diagnose::ConfigError;
use super::file::Account;
use super::problem::{Problem, Source, Within};
use super::syntax::Mistake;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// How an account is written that is not written as one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    /// `[[accounts.NAME]]`.
    List,
    /// `NAME = "..."` below `[accounts]`.
    Value,
    /// `[[accounts.NAME.rules]]`, say, and no key of its own.
    Below,
}

/// Takes keys of an account out of a table of accounts. They are no accounts, and told once.
pub(super) fn take_nameless(accounts: &mut DeTable<'_>) -> Option<Mistake> {
    let keys = Account::keys();
    let is_nameless = |(name, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
        let is_key = keys.iter().any(|key| *key == **name.get_ref());
        (is_key && !is_of_tables(value.get_ref()))
            .then(|| (name.get_ref().to_string(), name.span()))
    };
    let nameless: Vec<(String, Range<usize>)> =
        (&*accounts).into_iter().filter_map(is_nameless).collect();
    for (name, _) in &nameless {
        accounts.remove(name.as_str());
    }
    let first = nameless.into_iter().map(|(_, span)| span);
    let span = first.min_by_key(|span| span.start)?;
    Some(Mistake {
        message:
            "the keys of an account stand below a heading with its name, as in [accounts.home]"
                .to_owned(),
        span,
    })
}

/// Those of the accounts that are written otherwise than accounts are.
pub(super) fn shapes(accounts: Option<&DeTable<'_>>) -> BTreeMap<String, Shape> {
    let shape = |value: &DeValue<'_>| match value {
        DeValue::Array(_) if is_of_tables(value) => Some(Shape::List),
        DeValue::Table(table) if !table.is_empty() => {
            let mut values = table.values();
            let is_below = values.all(|value| is_of_tables(value.get_ref()));
            is_below.then_some(Shape::Below)
        }
        DeValue::Table(_) => None,
        _ => Some(Shape::Value),
    };
    let accounts = accounts.into_iter().flatten();
    let shapes = accounts
        .filter_map(|(name, value)| Some((name.get_ref().to_string(), shape(value.get_ref())?)));
    shapes.collect()
}

/// A table, or a list of them.
fn is_of_tables(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Table(_) => true,
        DeValue::Array(list) => !list.is_empty() && list.iter().all(|it| it.get_ref().is_table()),
        _ => false,
    }
}

/// What is wrong with an account that is no table, and so has nothing that could be read.
pub(super) fn is_a_table(
    shape: Option<Shape>,
    source: &Arc<Source>,
    name: &Spanned<String>,
) -> Result<(), ConfigError> {
    let message = match shape {
        Some(Shape::List) => "an account has a heading in single brackets",
        Some(Shape::Value) => "an account has a heading of its own, with its keys below",
        Some(Shape::Below) | None => return Ok(()),
    };
    let help = format!("write [accounts.{}]", as_key(name.get_ref()));
    Err(ConfigError::Invalid(Box::new(Problem {
        source: source.clone(),
        span: name.span(),
        message: message.to_owned(),
        help: Some(help),
        unknown_key: false,
        within: Within::Account(name.get_ref().clone()),
        lacks: &[],
    })))
}

/// The error, or, where all that there is of the account may be that of one of the others, that there is none.
pub(super) fn or_of_another<'a>(
    shape: Option<Shape>,
    others: impl Iterator<Item = &'a str>,
    name: &Spanned<String>,
    error: ConfigError,
) -> ConfigError {
    if shape != Some(Shape::Below) {
        return error;
    }
    let lacks = |key| move |it: &&Problem| it.lacks == [key];
    let problems = error.problems();
    let (host, user) = (
        problems.iter().find(lacks("host")),
        problems.iter().find(lacks("user")),
    );
    let others: Vec<String> = others.map(as_key).collect();
    let (Some(host), Some(_), false) = (host, user, others.is_empty()) else {
        return error;
    };
    let own = as_key(name.get_ref());
    let which = match others.as_slice() {
        [only] => format!("if this is `{only}`'s, write `{only}` in the place of `{own}`"),
        several => format!(
            "if this is another account's, write its name in the place of `{own}`: `{}`",
            several.join("`, `")
        ),
    };
    let none = Problem {
        message: format!("there is no account `{}`", name.get_ref()),
        help: Some(format!(
            "{which}; if it is an account, put [accounts.{own}] above this, with `host` and `user`"
        )),
        ..host.clone()
    };
    let rest = problems.iter();
    let rest = rest.filter(|it| it.lacks != ["host"] && it.lacks != ["user"]);
    let told = rest.cloned().chain([none]).collect();
    ConfigError::of(told).unwrap_or(error)
}

/// Rules, or another table, below a name that no account has may be meant for any of them, which would fetch,
/// file or delete without what its owner wrote: so none is used.
pub(super) fn refuse_strays(
    shapes: &BTreeMap<String, Shape>,
    understood: impl Fn(&str) -> Result<(), ConfigError>,
) -> Result<(), ConfigError> {
    let mut strays = shapes.iter().filter(|(_, shape)| **shape == Shape::Below);
    strays.try_for_each(|(name, _)| understood(name))
}

/// A name as it stands in a heading.
fn as_key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match !name.is_empty() && name.chars().all(is_bare) {
        true => name.to_owned(),
        false => format!("{name:?}"),
    }
}
