//! Whether a header meets what a rule asks of it: yes, no, or nobody can tell. A sender decides how an
//! address is written, and mail readers make an address of nearly anything; so a "no" stands only where
//! each field that was looked at is written as nearly all mail writes it.

use super::rule::{Field, Test};
use super::spelling;
use crate::message::Header;

/// Octets of the fields of one name that are looked at. A header with more of them is in doubt: a
/// pattern may match behind them.
pub(super) const LOOKED_AT: usize = 64 * 1024;

/// What a header says to what a rule asks. The greater one is the answer of several that must all hold.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Fit {
    /// It meets it.
    Yes,
    /// It may, and a mail reader might say so.
    Unknown,
    /// It does not.
    No,
}

impl Fit {
    /// Of all that a rule asks. `in_any_form`: what looks like a match is one, however it is written.
    pub(super) fn of(header: &Header<'_>, tests: &[Test], in_any_form: bool) -> Self {
        let answers = tests.iter().map(|test| one(header, test, in_any_form));
        answers.max().unwrap_or(Self::Yes)
    }
}

fn one(header: &Header<'_>, test: &Test, in_any_form: bool) -> Fit {
    let how = match in_any_form {
        true => Manner::AnyForm,
        false => Manner::AsWritten,
    };
    if fits(header, test, how) {
        return Fit::Yes;
    }
    let is_odd = header.has_strange_lines() || is_odd(header, &test.field);
    match is_odd || fits(header, test, Manner::Alike) {
        true => Fit::Unknown,
        false => Fit::No,
    }
}

/// What counts as a match.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Manner {
    /// What is written, whichever way Unicode has of writing it.
    AsWritten,
    /// What looks the same as well.
    Alike,
    /// That, and what may be an address where it is written in no proper form.
    AnyForm,
}

/// Whether a field may say something else to whoever reads it in another manner.
fn is_odd(header: &Header<'_>, field: &Field) -> bool {
    let names = field.names();
    let mut values = names.iter().flat_map(|name| header.raw(name));
    let mut texts = names.iter().flat_map(|name| header.texts(name));
    if names.iter().any(|name| !header.is_legible(name))
        || texts.any(|text| !spelling::is_decoded(&text))
    {
        return true;
    }
    match field {
        // Each message has one, and one only (RFC 5322 section 3.6).
        Field::From => header.raw("from").len() != 1 || !values.all(spelling::is_clean_addresses),
        Field::To => !values.all(spelling::is_clean_addresses),
        Field::ListId => !values.all(spelling::is_clean_list_id),
        Field::Subject | Field::Named(_) => false,
    }
}

fn fits(header: &Header<'_>, test: &Test, how: Manner) -> bool {
    let names = test.field.names();
    let Some(pattern) = &test.pattern else {
        return names.iter().any(|name| header.has(name));
    };
    let matches = |text: &str| {
        // As much of it as is looked at; only a message that was fetched may have more.
        let end = text.floor_char_boundary(LOOKED_AT);
        let text = text.get(..end).unwrap_or_default();
        pattern.matches(text) || how != Manner::AsWritten && pattern.seems_to_match(text)
    };
    names.iter().any(|name| match test.field {
        Field::From | Field::To => {
            let mut addresses = header.addresses(name).into_iter();
            addresses.any(|address| matches(&address))
                || header.texts(name).iter().any(|it| matches(it))
                || how == Manner::AnyForm
                    && header
                        .texts(name)
                        .iter()
                        .flat_map(|it| spelling::parts(it))
                        .any(|it| matches(&it))
        }
        Field::ListId => header.texts(name).iter().any(|text| {
            let id = text.rsplit_once('<').map(|(_, rest)| rest);
            let id = id.and_then(|rest| rest.split_once('>')).map(|(id, _)| id);
            let id = id.map_or(text.as_str(), str::trim);
            let rooted = id.strip_suffix('.');
            let rooted = rooted.filter(|_| how != Manner::AsWritten);
            let also = [Some(id), rooted];
            matches(text) || also.into_iter().flatten().any(matches)
        }),
        Field::Subject | Field::Named(_) => header.texts(name).iter().any(|it| matches(it)),
    })
}

impl Field {
    /// The fields of a header, in small letters.
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::To => vec!["to", "cc"],
            other => vec![other.word()],
        }
    }
}
