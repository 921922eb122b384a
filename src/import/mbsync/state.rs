//! What mbsync has fetched: a file a mailbox, with UIDVALIDITY and a pair of UIDs for each message (mbsync 1.4,
//! `sync_state.c`).

use super::TOOL;
use super::channel::Channel;
use crate::imap::Scope;
use crate::import::Error;
use crate::import::files::{self, Surroundings};
use crate::import::model::Draft;
use crate::state::Name;
use std::path::{Path, PathBuf};

/// The name of it in a mailbox.
const IN_MAILBOX: &str = ".mbsyncstate";

/// Finds what was fetched of each mailbox.
pub(super) fn take(
    draft: &mut Draft,
    channel: &Channel<'_>,
    given: Option<&Path>,
    around: &Surroundings,
) -> Result<(), Error> {
    let given = given.map(Path::to_owned);
    let mut mailboxes = vec![(channel.near_mailbox().to_owned(), given)];
    if channel.has_patterns() {
        let others = channel.store().mailboxes(around).into_iter();
        mailboxes.extend(others.map(|it| (it, None)));
    }
    for (near, given) in mailboxes {
        let path = given.unwrap_or_else(|| state_of(channel, &near, around));
        let Some(octets) = files::seen(TOOL, &path)? else {
            continue;
        };
        let mut journal = path.clone().into_os_string();
        journal.push(".journal");
        if Path::new(&journal).exists() {
            let what = "mbsync was stopped in the middle, and has yet to take in its .journal";
            return Err(Error::seen(TOOL, &path, 1, what));
        }
        let read = read(&path, &octets)?;
        let Some(far) = channel.far_name(&near) else {
            draft.differs.push(format!(
                "what mbsync has fetched of {near} is not taken over, and comes again: only the server knows what \
                 stands between the parts of that name there. Write `PathDelimiter .` or `PathDelimiter /` into \
                 its IMAPStore, as the server has it, and import again"
            ));
            continue;
        };
        let scope = Scope::new(&far, read.uid_validity);
        let names = read.uids.into_iter().map(|uid| Name {
            unique_id: scope.unique_id(uid).into_bytes().into(),
            first_seen: None,
        });
        draft.names.extend(names);
        draft.seen_file.get_or_insert(path);
    }
    Ok(())
}

/// Where the state of a mailbox is.
fn state_of(channel: &Channel<'_>, near: &str, around: &Surroundings) -> PathBuf {
    let (state, is_global) = channel.sync_state();
    // A `/` in it is a directory's, which a file's name cannot have.
    let flat = near.replace('/', "!");
    match (state, is_global) {
        ("*", _) => channel.store().directory(near, around).join(IN_MAILBOX),
        (start, false) => around.path(&format!("{start}{flat}")),
        (start, true) => {
            let (far_store, near_store) = channel.stores();
            let between = channel.field_delimiter();
            around.path(&format!(
                "{start}{between}{far_store}{between}{flat}_{between}{near_store}{between}{flat}"
            ))
        }
    }
}

/// What a state file says.
#[derive(Debug, Default, Eq, PartialEq)]
struct Read {
    uid_validity: u32,
    uids: Vec<u32>,
}

fn read(path: &Path, octets: &[u8]) -> Result<Read, Error> {
    let wrong = |line: usize, what: &str| Error::seen(TOOL, path, line, what);
    let body = files::whole_lines(TOOL, path, octets)?;
    let text = std::str::from_utf8(body).map_err(|_| wrong(1, "this is no text"))?;
    let mut read = Read::default();
    let mut in_head = true;
    for (number, line) in (1..).zip(text.lines()) {
        let mut words = line.split_ascii_whitespace();
        let (Some(first), Some(second)) = (words.next(), words.next()) else {
            in_head = false;
            match line.trim().is_empty() {
                true => continue,
                false => return Err(wrong(number, "this is no line of mbsync's state")),
            }
        };
        if in_head && first.starts_with(|c: char| c.is_ascii_alphabetic()) {
            if ["FarUidValidity", "MasterUidValidity"].contains(&first) {
                let value = second.parse().ok().filter(|value| *value > 0);
                read.uid_validity = value.ok_or_else(|| wrong(number, "this is no UIDVALIDITY"))?;
            }
            continue;
        }
        in_head = false;
        let (Ok(far), Ok(near)) = (first.parse::<i64>(), second.parse::<i64>()) else {
            return Err(wrong(number, "this is no pair of UIDs of mbsync's"));
        };
        // Before version 1.3 -1 and -2 stood for messages that were left or not there.
        let uid = |number: i64| u32::try_from(number).ok().filter(|it| *it < u32::MAX - 1);
        let (far, near) = match (uid(far), uid(near)) {
            (Some(far), near) => (far, near.unwrap_or_default()),
            (None, _) if (-2..=i64::from(u32::MAX)).contains(&far) => continue,
            (None, _) => return Err(wrong(number, "this is no pair of UIDs of mbsync's")),
        };
        if far > 0 && is_here(near, words.next().unwrap_or_default()) {
            read.uids.push(far);
        }
    }
    match read.uid_validity {
        0 if !read.uids.is_empty() => Err(wrong(1, "there is no FarUidValidity in it")),
        _ => Ok(read),
    }
}

/// Whether the message was fetched: it is, or was until it was old enough to go (`~`). One that is too large is
/// not (`^`), nor what stands in its place (`>`).
fn is_here(near: u32, flags: &str) -> bool {
    // `X` is what `~` was called before version 1.3.
    (near > 0 || flags.contains(['~', 'X'])) && !flags.contains(['^', '>'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_fetched_is_known_and_what_was_too_large_is_not() {
        let text = "FarUidValidity 1700000000\nNearUidValidity 1\nMaxPulledUid 9\n\n\
                    1 1 S\n2 2 \n3 0 ^\n4 0 ~S\n0 5 \n6 6 >S\n7 0 \n8 7 FS\n9 0 X\n10 -1 \n11 4294967295 \n";
        let read = read(Path::new("f"), text.as_bytes()).unwrap();
        assert_eq!(read.uid_validity, 1_700_000_000);
        assert_eq!(read.uids, [1, 2, 4, 8, 9]);
    }

    #[test]
    fn what_is_not_mbsyncs_is_told_with_its_line() {
        for (text, line) in [
            (&b"FarUidValidity 0\n"[..], 1),
            (b"FarUidValidity 7\n\n1 x\n", 3),
            (b"FarUidValidity 7\n\n1\n", 3),
            (b"FarUidValidity 7\n\n99999999999 1\n", 3),
            (b"1 1\n", 1),
            (b"FarUidValidity 7\n\n1 1 ", 3),
            (b"\xff\n", 1),
        ] {
            let error = read(Path::new("f"), text).unwrap_err();
            assert!(
                matches!(error, Error::Seen { line: at, .. } if at == line),
                "{error}"
            );
        }
    }
}
