//! `popstate.dat`: `*HOST USER`, and behind it a line for each message that the server had at the last
//! check: `STATUS UNIQUE-ID TIME`.
//!
//! Versions of before 2021 write a block an account, and earliest ones no time; since then there is one
//! block, whose heading nobody reads, and no line end at the end of the file.

use super::{Error, TOOL};
use crate::state::Name;
use std::collections::BTreeMap;
use std::path::Path;

/// What Thunderbird knows of an account.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Known {
    /// All of it is in Thunderbird's own folders.
    pub(super) seen: Vec<Name>,
    /// Of these, what it would have deleted at the next check.
    pub(super) pending: u64,
    /// Only the header, or the beginning, was fetched.
    pub(super) partial: u64,
}

#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Status {
    Partial,
    Kept,
    Pending,
}

/// The messages of an account, with when each was first seen.
type Block<'a> = BTreeMap<&'a [u8], (Status, Option<i64>)>;

/// Reads what a file says of an account. A file that lies in the account's own directory, and has one
/// block, is its own whatever the heading says, as for Thunderbird: `own` says so.
pub(super) fn read(
    path: &Path,
    octets: &[u8],
    owner: (&[&str], &[&str]),
    own: bool,
) -> Result<Known, Error> {
    let wrong = |line: usize, what: &str| Error::seen(TOOL, path, line, what);
    let ends_well = octets.is_empty() || octets.ends_with(b"\n");
    let lines = octets.split(|octet| *octet == b'\n');
    let mut blocks: Vec<(bool, Block<'_>)> = Vec::new();
    let mut timed = false;
    let mut last = (0, true);
    for (number, line) in (1..).zip(lines) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if let Some(heading) = line.strip_prefix(b"*") {
            last = (number, true);
            blocks.push((is_of(heading, owner), BTreeMap::new()));
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
        timed |= time.is_some();
        last = (number, time.is_some());
        // Some versions wrote `undefined`; the message is known all the same.
        let time = time.and_then(|time| std::str::from_utf8(time).ok()?.parse().ok());
        let time = time.filter(|time| *time > 0);
        let known = block.entry(unique_id).or_insert((status, time));
        *known = (status.max(known.0), known.1.or(time));
    }
    if blocks.is_empty() && !octets.iter().all(u8::is_ascii_whitespace) && !octets.starts_with(b"#")
    {
        return Err(wrong(1, "this is no popstate.dat"));
    }
    if !ends_well && timed && !last.1 {
        return Err(wrong(last.0, "the file ends in the middle of a line"));
    }
    let alone = own && blocks.len() == 1;
    let mut known = Known::default();
    for (unique_id, (status, time)) in blocks
        .into_iter()
        .filter(|(is_ours, _)| *is_ours || alone)
        .flat_map(|(_, block)| block)
    {
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

/// Hosts are the same in capitals.
fn is_of(heading: &[u8], (hosts, users): (&[&str], &[&str])) -> bool {
    let heading = String::from_utf8_lossy(heading);
    let Some((host, user)) = heading.trim().split_once(' ') else {
        return false;
    };
    let host = hosts.iter().any(|it| it.eq_ignore_ascii_case(host));
    host && users.contains(&user.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: (&[&str], &[&str]) = (&["pop.example.net"], &["jane"]);

    type Read = (Vec<(String, Option<i64>)>, u64, u64);

    fn of(octets: &[u8], own: bool) -> Result<Read, Error> {
        let known = read(Path::new("popstate.dat"), octets, OWNER, own)?;
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
        assert_eq!(of(text, false).unwrap(), (expected.clone(), 1, 2));
        let windows = String::from_utf8_lossy(text).replace('\n', "\r\n");
        assert_eq!(of(windows.as_bytes(), true).unwrap(), (expected, 1, 2));
    }

    #[test]
    fn of_several_blocks_that_of_the_account_counts_and_one_alone_is_its_own() {
        let several =
            b"*pop.example.net bob\nk a\n*pop.example.net jane\nk b\nb b\n*other jane\nk c\n";
        assert_eq!(of(several, true).unwrap().0, [("b".to_owned(), None)]);
        let other = b"*old.example.net jane\nk a 7\n";
        assert_eq!(of(other, true).unwrap().0, [("a".to_owned(), Some(7))]);
        assert!(of(other, false).unwrap().0.is_empty());
        assert!(of(b"", true).unwrap().0.is_empty());
        assert!(of(b"# POP3 State File\n", true).unwrap().0.is_empty());
    }

    #[test]
    fn what_is_damaged_is_told_with_its_line() {
        for (text, line) in [
            (&b"*h u\nk a 17\nk b"[..], 3),
            (b"k a 17\n", 1),
            (b"*h u\nx a 17\n", 2),
            (b"*h u\nk\n", 2),
            (b"\x00\x01binary\n", 1),
            (b" 1 localhost ada\nx\n", 1),
        ] {
            let error = of(text, true).unwrap_err();
            assert!(
                matches!(error, Error::Seen { line: at, .. } if at == line),
                "{text:?}: {error}"
            );
        }
    }
}
