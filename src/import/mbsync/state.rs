//! What mbsync has fetched: a file a mailbox, with UIDVALIDITY and a pair of UIDs for each message (mbsync 1.4,
//! `sync_state.c`).

use super::TOOL;
use super::channel::{Channel, Far};
use super::store::Place;
use crate::imap::Scope;
use crate::import::files;
use crate::import::model::Draft;
use crate::import::{Error, Wanted};
use crate::state::Name;
use std::path::{Path, PathBuf};

/// The name of it in a mailbox.
const IN_MAILBOX: &str = ".mbsyncstate";

/// A mailbox that a channel may have fetched into, and where that is written down.
struct State<'a> {
    /// Which of the drafts it is for.
    account: usize,
    channel: &'a Channel<'a>,
    near: String,
    path: PathBuf,
}

/// Finds what was fetched of each mailbox of the accounts that are meant.
pub(super) fn take(
    drafts: &mut [Draft],
    channels: &[Channel<'_>],
    wanted: Wanted<'_>,
) -> Result<(), Error> {
    let all = || drafts.iter().zip(channels).enumerate();
    let meant = || all().filter(|(_, (draft, _))| wanted.means(draft));
    let place = Place::new(wanted.around);
    let states = match wanted.seen {
        None => states(meant().map(|(at, (_, it))| (at, it)), channels, &place),
        Some(directory) if directory.is_dir() => {
            let stores = meant().map(|(_, (_, channel))| channel);
            let stores = stores.filter(|it| it.sync_state().0 == "*");
            let copy = place.copied(directory, stores.map(Channel::store));
            states(meant().map(|(at, (_, it))| (at, it)), channels, &copy)
        }
        Some(file) => {
            let known = states(all().map(|(at, (_, it))| (at, it)), channels, &place);
            vec![whose(file, known, drafts, wanted)?]
        }
    };
    let mut any = false;
    for state in &states {
        if let Some(draft) = drafts.get_mut(state.account) {
            any |= take_one(draft, state)?;
        }
    }
    match wanted.seen {
        Some(directory) if !any && directory.is_dir() => Err(Error::NoneThere {
            path: directory.to_owned(),
            looked: states.into_iter().map(|state| state.path).collect(),
            tool: TOOL,
        }),
        _ => Ok(()),
    }
}

fn states<'a>(
    meant: impl Iterator<Item = (usize, &'a Channel<'a>)>,
    channels: &[Channel<'_>],
    place: &Place<'_>,
) -> Vec<State<'a>> {
    let states = meant.flat_map(|(account, channel)| {
        let mailboxes = channel.mailboxes(channels, place).into_iter();
        mailboxes.map(move |near| State {
            account,
            channel,
            path: state_of(channel, &near, place),
            near,
        })
    });
    states.collect()
}

/// The mailbox that a given file is of: by its place or its name, which are mbsync's, or since there is no other.
fn whose<'a>(
    file: &Path,
    mut known: Vec<State<'a>>,
    drafts: &[Draft],
    wanted: Wanted<'_>,
) -> Result<State<'a>, Error> {
    let another = |whose: String| Error::Another {
        path: file.to_owned(),
        whose,
        tool: TOOL,
    };
    let is_meant = |state: &State<'_>| {
        let draft = drafts.get(state.account);
        draft.is_some_and(|draft| wanted.means(draft))
    };
    let is_here = |path: &Path| is_same(path, file);
    let name = file.file_name().filter(|name| *name != IN_MAILBOX);
    let is_called = |path: &Path| name.is_some() && path.file_name() == name;
    let is_told = match known.iter().any(|it| is_here(&it.path)) {
        true => {
            known.retain(|it| is_here(&it.path));
            true
        }
        false if known.iter().any(|it| is_called(&it.path)) => {
            known.retain(|it| is_called(&it.path));
            true
        }
        false => false,
    };
    let stranger = known.iter().find(|_| is_told).map(|it| it.near.clone());
    known.retain(is_meant);
    if let (Some(stranger), true) = (stranger, known.is_empty()) {
        return Err(another(stranger));
    }
    let accounts = known.iter().filter_map(|it| drafts.get(it.account));
    Error::check_whose(TOOL, file, accounts)?;
    let account = known.first().map_or("", |it| it.channel.name()).to_owned();
    let is_open = !is_told && !known.iter().all(|it| it.channel.is_listed());
    match (known.pop(), known.is_empty()) {
        (Some(state), true) if !is_open => {
            if let (false, Some(whose)) = (is_told, of_other(file, &state, wanted)) {
                return Err(another(whose));
            }
            Ok(State {
                path: file.to_owned(),
                ..state
            })
        }
        _ => Err(Error::WhichFolder {
            path: file.to_owned(),
            account,
            tool: TOOL,
        }),
    }
}

/// Another mailbox of the same stores that a file is of by its place or its name.
fn of_other(file: &Path, state: &State<'_>, wanted: Wanted<'_>) -> Option<String> {
    let channel = state.channel;
    let place = Place::new(wanted.around);
    let mut mailboxes = channel.store().mailboxes(&place);
    mailboxes.push("INBOX".to_owned());
    let there = mailboxes
        .into_iter()
        .find(|near| is_same(&state_of(channel, near, &place), file));
    let (between, (far_store, _)) = (channel.field_delimiter(), channel.stores());
    let start = format!("{between}{far_store}{between}");
    let name = file.file_name().and_then(|name| name.to_str());
    let called = || Some(name?.strip_prefix(&start)?.split_once('_')?.0.to_owned());
    there.or_else(called)
}

/// Whether both are one file.
fn is_same(one: &Path, other: &Path) -> bool {
    let (one, other) = (one.canonicalize(), other.canonicalize());
    one.is_ok_and(|one| other.is_ok_and(|other| one == other))
}

/// Takes what a file says; `false` where there is none.
fn take_one(draft: &mut Draft, state: &State<'_>) -> Result<bool, Error> {
    let (near, path) = (&state.near, &state.path);
    let far = state.channel.far_name(near);
    if far == Far::Elsewhere {
        return Ok(false);
    }
    let Some(octets) = files::seen(TOOL, path)? else {
        return Ok(false);
    };
    let Far::Named(far) = far else {
        if read(path, &octets)?.uids.is_empty() {
            return Ok(false);
        }
        let word = state.channel.far_word(near);
        draft.differs.push(format!(
            "what mbsync has fetched of {near} is not known here, as only the server knows what stands between the \
             parts of that name there: `exclude` leaves `{word}` out, so that none of it comes twice. Write \
             `PathDelimiter /` or `PathDelimiter .` into its IMAPStore, as the server has it, before you import; or \
             take it out of `exclude`, and all of it is fetched once more"
        ));
        draft.held.push(word);
        return Ok(false);
    };
    let mut journal = path.clone().into_os_string();
    journal.push(".journal");
    if Path::new(&journal).exists() {
        let what = "mbsync was stopped in the middle, and has yet to take in its .journal";
        return Err(Error::seen(TOOL, path, 1, what));
    }
    let read = read(path, &octets)?;
    let scope = Scope::new(&far, read.uid_validity);
    let names = read.uids.into_iter().map(|uid| Name {
        unique_id: scope.unique_id(uid).into_bytes().into(),
        first_seen: None,
    });
    draft.names.extend(names);
    draft.note_seen_file(path);
    Ok(true)
}

/// Where the state of a mailbox is.
fn state_of(channel: &Channel<'_>, near: &str, place: &Place<'_>) -> PathBuf {
    let (state, is_global) = channel.sync_state();
    // A `/` in it is a directory's, which a file's name cannot have.
    let flat = channel.store().flattened(near).replace('/', "!");
    match (state, is_global) {
        ("*", _) => channel.store().directory(near, place).join(IN_MAILBOX),
        (start, false) => place.beside(&format!("{start}{flat}")),
        (start, true) => {
            let (far_store, near_store) = channel.stores();
            let between = channel.field_delimiter();
            place.beside(&format!(
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
        let far = match far {
            -2..=0 => continue,
            far => match uid(far) {
                Some(far) => far,
                None if far <= i64::from(u32::MAX) => continue,
                None => return Err(wrong(number, "this is no pair of UIDs of mbsync's")),
            },
        };
        if was_fetched(uid(near), words.next().unwrap_or_default()) {
            read.uids.push(far);
        }
    }
    match read.uid_validity {
        0 if !read.uids.is_empty() => Err(wrong(1, "there is no FarUidValidity in it")),
        _ => Ok(read),
    }
}

/// A UID, or 0. Before version 1.3 -1 stood for a message that was too large, and -2 for one that was yet to come.
fn uid(number: i64) -> Option<u32> {
    u32::try_from(number).ok().filter(|it| *it < u32::MAX - 1)
}

/// Whether the message was fetched, and so is not by mbsync again. It has no UID here (0) once it was deleted here
/// and not there, or was old enough to go (`~`, before version 1.3 `X`). A message that was too large was not
/// (`^`), nor was what stands in its place (`>`).
fn was_fetched(near: Option<u32>, flags: &str) -> bool {
    match flags.chars().next() {
        Some('^' | '>') => false,
        Some('~' | 'X') => true,
        _ => near.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_fetched_is_known_and_what_was_too_large_is_not() {
        let text = "FarUidValidity 1700000000\nNearUidValidity 1\nMaxPulledUid 9\n\n\
                    1 1 S\n2 2 \n3 0 ^\n4 0 ~S\n0 5 \n6 6 >S\n7 0 \n8 7 FS\n9 0 X\n10 -1 \n11 4294967295 \n\
                    12 -2 \n13 0 DFPRST\n14 8 <S\n15 0 >^\n16 0 >~S\n17 0 ^S\n18 9 ~\n-1 10 \n4294967295 11 \n";
        let read = read(Path::new("f"), text.as_bytes()).unwrap();
        assert_eq!(read.uid_validity, 1_700_000_000);
        assert_eq!(read.uids, [1, 2, 4, 7, 8, 9, 13, 14, 18]);
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
