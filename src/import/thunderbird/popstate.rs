//! `popstate.dat`: `*HOST USER`, and behind it a line for each message that the server had at the last
//! check: `STATUS UNIQUE-ID TIME`.
//!
//! Versions of before 2021 write a block an account, and earliest ones no time; since then there is one
//! block, whose heading nobody reads, and no line end at the end of the file.

use super::{Error, TOOL};
use crate::state::Name;
use std::collections::BTreeMap;
use std::path::Path;

/// No Thunderbird is older than this (September 2001), in seconds since 1970; what is left of a time that was cut has
/// fewer digits.
const EARLIEST: i64 = 1_000_000_000;

/// What Thunderbird knows of an account.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Known {
    /// All of it is in Thunderbird's own folders.
    pub(super) seen: Vec<Name>,
    /// Of these, what it would have deleted at the next check.
    pub(super) pending: u64,
    /// Only the header, or the beginning, was fetched.
    pub(super) partial: u64,
    /// Nothing was taken, since the file says that it is this user's at this host.
    pub(super) stranger: Option<(String, String)>,
}

/// Whose a file may be.
#[derive(Clone, Copy)]
pub(super) struct Owner<'a> {
    /// The names that the account has or had.
    pub(super) hosts: &'a [&'a str],
    pub(super) users: &'a [&'a str],
    /// Hosts and users of the profile's other accounts.
    pub(super) others: &'a [(Vec<&'a str>, Vec<&'a str>)],
    pub(super) place: Place,
}

/// Where a file was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// Its owner says that it is this account's.
    Said,
    /// In the directory that the settings name for the account.
    Own,
    /// Where an account of the host may keep it.
    Guessed,
}

#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Status {
    Partial,
    Kept,
    Pending,
}

/// The messages of an account, with when each was first seen.
type Block<'a> = BTreeMap<&'a [u8], (Status, Option<i64>)>;

/// Reads what a file says of an account. For Thunderbird the one block of a file in an account's own
/// directory is the account's whatever its heading says; here a server may have been renamed since, but
/// another user's block is another account's: its mail would never be fetched.
pub(super) fn read(path: &Path, octets: &[u8], owner: Owner<'_>) -> Result<Known, Error> {
    let wrong = |line: usize, what: &str| Error::seen(TOOL, path, line, what);
    let ends_well = octets.is_empty() || octets.ends_with(b"\n");
    let lines = octets.split(|octet| *octet == b'\n');
    let mut blocks: Vec<(&[u8], Block<'_>)> = Vec::new();
    let mut last = (0, true);
    for (number, line) in (1..).zip(lines) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if let Some(heading) = line.strip_prefix(b"*") {
            last = (number, true);
            blocks.push((heading, BTreeMap::new()));
            continue;
        }
        let mut fields = line
            .split(|octet| matches!(octet, b' ' | b'\t'))
            .filter(|it| !it.is_empty());
        let Some((_, block)) = blocks.last_mut() else {
            return Err(wrong(
                number,
                "this is no popstate.dat: there is no `*HOST USER` before it",
            ));
        };
        let (status, unique_id, time) = (fields.next(), fields.next(), fields.next());
        let status = match status {
            Some(b"k") => Some(Status::Kept),
            Some(b"d") => Some(Status::Pending),
            Some(b"b" | b"f") => Some(Status::Partial),
            _ => None,
        };
        let (Some(status), Some(unique_id)) = (status, unique_id) else {
            return Err(wrong(
                number,
                "this is no status and unique-id of Thunderbird's",
            ));
        };
        last = (number, time.is_some());
        // Some versions wrote `undefined`; the message is known all the same.
        let time = time.and_then(|time| std::str::from_utf8(time).ok()?.parse().ok());
        // Behind the last line without an end the time may be cut.
        let is_cut = !ends_well && octets.ends_with(line);
        let time = time.filter(|time| *time > if is_cut { EARLIEST } else { 0 });
        let known = block.entry(unique_id).or_insert((status, time));
        *known = (status.max(known.0), known.1.or(time));
    }
    if blocks.is_empty() && !octets.iter().all(u8::is_ascii_whitespace) && !octets.starts_with(b"#")
    {
        return Err(wrong(1, "this is no popstate.dat"));
    }
    // What ends without a line end was written with times: a line that has none is cut.
    if !ends_well && !last.1 {
        return Err(wrong(last.0, "the file ends in the middle of a line"));
    }
    let alone = blocks.len() == 1;
    let (ours, strangers): (Vec<_>, Vec<_>) = blocks
        .into_iter()
        .partition(|(heading, _)| owner.has(heading, alone));
    let stranger = strangers.first().filter(|_| ours.is_empty());
    let mut known = Known {
        stranger: stranger.map(|(heading, _)| named(heading).unwrap_or_default()),
        ..Known::default()
    };
    for (unique_id, (status, time)) in ours.into_iter().flat_map(|(_, block)| block) {
        match status {
            Status::Partial => known.partial += 1,
            Status::Kept | Status::Pending => {
                known.pending += u64::from(status == Status::Pending);
                known.seen.push(Name {
                    unique_id: unique_id.into(),
                    first_seen: time,
                });
            }
        }
    }
    Ok(known)
}

impl Owner<'_> {
    /// Whether a block, which may be the only one, is the account's.
    fn has(&self, heading: &[u8], alone: bool) -> bool {
        let named = named(heading);
        let is_named = |hosts: &[&str], users: &[&str]| {
            named.as_ref().is_some_and(|(host, user)| {
                // Hosts are the same in capitals.
                hosts.iter().any(|it| it.eq_ignore_ascii_case(host))
                    && users.contains(&user.as_str())
            })
        };
        if is_named(self.hosts, self.users) {
            return true;
        }
        match self.place {
            Place::Said => alone,
            Place::Own => {
                let user = named.as_ref().map(|(_, user)| user.as_str());
                let is_anothers = self
                    .others
                    .iter()
                    .any(|(hosts, users)| is_named(hosts, users));
                alone && !is_anothers && user.is_none_or(|user| self.users.contains(&user))
            }
            Place::Guessed => false,
        }
    }
}

/// The host and the user of a heading.
fn named(heading: &[u8]) -> Option<(String, String)> {
    let heading = String::from_utf8_lossy(heading);
    let (host, user) = heading.trim().split_once(' ')?;
    Some((host.to_owned(), user.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = (Vec<(String, Option<i64>)>, u64, u64);

    fn known(octets: &[u8], place: Place) -> Result<Known, Error> {
        let owner = Owner {
            hosts: &["pop.example.net"],
            users: &["jane"],
            others: &[(vec!["twin.example.net"], vec!["jane"])],
            place,
        };
        read(Path::new("popstate.dat"), octets, owner)
    }

    fn of(octets: &[u8], place: Place) -> Result<Read, Error> {
        let known = known(octets, place)?;
        let seen = known.seen.into_iter();
        let seen = seen.map(|name| {
            (
                String::from_utf8_lossy(&name.unique_id).into_owned(),
                name.first_seen,
            )
        });
        Ok((seen.collect(), known.pending, known.partial))
    }

    #[test]
    fn what_is_kept_or_waits_for_its_deletion_is_seen_and_what_is_fetched_in_part_is_not() {
        let text = b"# POP3 State File\n# This is a generated file!  Do not edit.\n\n*POP.example.net jane\n\
                     k a@1 1465888909\nd b 1465888910\nb c 1465888911\nf d 1465888912\nk e undefined\nk f 0";
        let seen = ["a@1", "b", "e", "f"].map(str::to_owned);
        let times = [Some(1_465_888_909), Some(1_465_888_910), None, None];
        let expected: Vec<_> = seen.into_iter().zip(times).collect();
        assert_eq!(of(text, Place::Guessed).unwrap(), (expected.clone(), 1, 2));
        let windows = String::from_utf8_lossy(text).replace('\n', "\r\n");
        assert_eq!(
            of(windows.as_bytes(), Place::Own).unwrap(),
            (expected, 1, 2)
        );
    }

    #[test]
    fn of_several_blocks_that_of_the_account_counts_and_one_alone_is_its_own() {
        let several =
            b"*pop.example.net bob\nk a\n*pop.example.net jane\nk b\nb b\n*other jane\nk c\n";
        let renamed = b"*old.example.net jane\nk a 7\n";
        for place in [Place::Said, Place::Own] {
            assert_eq!(of(several, place).unwrap().0, [("b".to_owned(), None)]);
            assert_eq!(of(renamed, place).unwrap().0, [("a".to_owned(), Some(7))]);
            assert!(of(b"", place).unwrap().0.is_empty());
            assert!(of(b"# POP3 State File\n", place).unwrap().0.is_empty());
        }
        assert!(of(renamed, Place::Guessed).unwrap().0.is_empty());
    }

    #[test]
    fn a_time_that_may_be_cut_counts_as_none() {
        for (end, time) in [
            ("", None),
            ("5", Some(1_465_888_915)),
            ("\n", Some(146_588_891)),
        ] {
            let text = format!("*pop.example.net jane\nk a 146588891{end}");
            let known = of(text.as_bytes(), Place::Guessed).unwrap().0;
            assert_eq!(known, [("a".to_owned(), time)], "{text}");
        }
    }

    #[test]
    fn a_block_of_another_user_or_another_account_is_taken_on_its_owners_word_alone() {
        for text in [
            &b"*pop.example.net bob\nk a 7\n"[..],
            b"*twin.example.net jane\nk a 7",
        ] {
            for place in [Place::Own, Place::Guessed] {
                let known = known(text, place).unwrap();
                assert!(known.seen.is_empty() && known.stranger.is_some());
            }
            let said = known(text, Place::Said).unwrap();
            assert!(said.seen.len() == 1 && said.stranger.is_none());
        }
    }

    #[test]
    fn what_is_damaged_is_told_with_its_line() {
        for (text, line) in [
            (&b"*h u\nk a 17\nk b"[..], 3),
            (b"*h u\nk 11\nk 1", 3),
            (b"*h u\nk 1", 2),
            (b"k a 17\n", 1),
            (b"*h u\nx a 17\n", 2),
            (b"*h u\nk\n", 2),
            (b"\x00\x01binary\n", 1),
            (b" 1 localhost ada\nx\n", 1),
        ] {
            let error = of(text, Place::Own).unwrap_err();
            assert!(
                matches!(error, Error::Seen { line: at, .. } if at == line),
                "{text:?}: {error}"
            );
        }
    }
}
