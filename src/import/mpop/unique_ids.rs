//! Files of unique-ids: lists of them, one an account, or in old versions one for all.

use super::{Account, TOOL};
use crate::import::Error;
use crate::import::files::{self, Surroundings};
use crate::import::model::Draft;
use crate::state::Name;
use std::path::{Path, PathBuf};

/// Finds the unique-ids of an account.
pub(super) fn take(
    draft: &mut Draft,
    account: &Account,
    given: Option<&Path>,
    around: &Surroundings,
) -> Result<(), Error> {
    let (user, host) = (
        account.values.get("user").map_or("", String::as_str),
        account.values.get("host").map_or("", String::as_str),
    );
    let path = match (given, account.values.get("uidls_file")) {
        (Some(path), _) => path.to_owned(),
        (None, file) => {
            let file = file.map_or("~/.mpop_uidls/%U_at_%H", String::as_str);
            uidls_path(file, user, host, around)
        }
    };
    let old = around.home.join(".mpop_uidls");
    let is_usual = given.is_none() && !account.values.contains_key("uidls_file");
    // Until version 1.0.1 there was one file for all.
    let candidates: Vec<PathBuf> = match is_usual && old.is_file() {
        true => vec![old],
        false => vec![path],
    };
    for path in candidates {
        if let Some(octets) = files::seen(TOOL, &path)? {
            draft.names = names(&path, &octets, user, host)?;
            draft.seen_file = Some(path);
            return Ok(());
        }
    }
    Ok(())
}

/// `%U` and `%H` stand for user and host, whose `/` would lead elsewhere.
fn uidls_path(file: &str, user: &str, host: &str, around: &Surroundings) -> PathBuf {
    let safe = |text: &str| text.replace('/', "_");
    let mut path = String::new();
    let mut chars = file.chars();
    while let Some(c) = chars.next() {
        match (c, chars.as_str().chars().next()) {
            ('%', Some('U')) => {
                path.push_str(&safe(user));
                chars.next();
            }
            ('%', Some('H')) => {
                path.push_str(&safe(host));
                chars.next();
            }
            _ => path.push(c),
        }
    }
    around.path(&path)
}

/// The unique-ids of one account: lists, each behind ` COUNT HOST USER`.
fn names(path: &Path, octets: &[u8], user: &str, host: &str) -> Result<Vec<Name>, Error> {
    let wrong = |line: usize, what: &str| Error::seen(TOOL, path, line, what);
    let body = files::whole_lines(TOOL, path, octets)?;
    let mut lines = (1..).zip(body.split(|octet| *octet == b'\n'));
    let mut names = Vec::new();
    let mut any = false;
    while let Some((number, line)) = lines.next() {
        let Some(header) = line.strip_prefix(b" ") else {
            if !any && (line.is_empty() || line.starts_with(b"#")) {
                continue;
            }
            return Err(wrong(number, "this is no list of mpop's unique-ids"));
        };
        any = true;
        let header = std::str::from_utf8(header).ok();
        let fields = header.and_then(|header| {
            let (count, rest) = header.split_once(' ')?;
            let (list_host, list_user) = rest.split_once(' ')?;
            Some((count.parse::<u64>().ok()?, list_host, list_user))
        });
        let Some((count, list_host, list_user)) = fields else {
            return Err(wrong(number, "this is no heading of a list of unique-ids"));
        };
        let ours = list_host.eq_ignore_ascii_case(host) && list_user == user;
        for read in 0..count {
            let Some((number, line)) = lines.next() else {
                let what = format!("the list ends after {read} of {count} unique-ids");
                return Err(wrong(number, &what));
            };
            if line.starts_with(b" ") || line.is_empty() {
                return Err(wrong(number, "this is no unique-id"));
            }
            if ours {
                names.push(name(line));
            }
        }
    }
    if !any && !body.is_empty() && !octets.starts_with(b"#") {
        return Err(wrong(1, "this is no list of mpop's unique-ids"));
    }
    Ok(names)
}

/// Since 1.4.23 a time stands behind the unique-id.
fn name(line: &[u8]) -> Name {
    let split = line.iter().rposition(|octet| *octet == b' ');
    let timed = split.and_then(|at| {
        let digits = line.get(at + 1..)?;
        let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        let time: i64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
        (all && at > 0).then_some((line.get(..at)?, time))
    });
    match timed {
        Some((unique_id, time)) => Name {
            unique_id: unique_id.into(),
            first_seen: Some(time),
        },
        None => Name {
            unique_id: line.into(),
            first_seen: None,
        },
    }
}

#[cfg(test)]
mod tests;
