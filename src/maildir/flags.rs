//! What mail readers note behind a file's name: `:2,` and a letter for each flag, in the order of ASCII
//! (cr.yp.to/proto/maildir.html).

use crate::message::{Flag, Flags};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What stands before the flags; the last two are for file systems that cannot have the first.
const MARKS: [&[u8]; 3] = [b":2,", b";2,", b"!2,"];

/// Where a name ends and what others add to it begins: Dovecot adds `,S=` and `,W=`, mbsync `,U=`,
/// and every reader flags behind `:2,` (some file systems want `;2,` or `!2,` instead).
pub(super) fn is_addition(octet: u8) -> bool {
    matches!(octet, b',' | b':' | b';' | b'!')
}

/// The flags of a file of this name.
pub fn flags_of(name: &OsStr) -> Flags {
    let Some((_, letters)) = split(name.as_bytes()) else {
        return Flags::default();
    };
    let set = Flag::ALL.into_iter();
    set.filter(|flag| letters.contains(&letter(*flag)))
        .collect()
}

/// What stands behind the name of a file that is placed with these flags; nothing where there are none.
pub(super) fn info(flags: Flags) -> String {
    let letters = flags.iter().map(|flag| char::from(letter(flag)));
    match flags.is_empty() {
        true => String::new(),
        false => ":2,".chars().chain(letters).collect(),
    }
}

fn letter(flag: Flag) -> u8 {
    match flag {
        Flag::Draft => b'D',
        Flag::Flagged => b'F',
        Flag::Passed => b'P',
        Flag::Replied => b'R',
        Flag::Seen => b'S',
        Flag::Trashed => b'T',
    }
}

/// The name in cur/ of a message that is seen from now on, with every flag and whatever else its name
/// has now. `None` where it is seen already, or says something of another kind behind its colon.
pub fn seen_name(name: &OsStr) -> Option<OsString> {
    let octets = name.as_bytes();
    let Some((base, letters)) = split(octets) else {
        let other = MARKS.iter().filter_map(|mark| mark.first());
        // ":1," is somebody's experiment, and not ours to change.
        let has_info = other.into_iter().any(|mark| octets.contains(mark));
        return (!has_info).then(|| OsString::from_vec([octets, b":2,S"].concat()));
    };
    if letters.contains(&b'S') {
        return None;
    }
    let mut letters = letters.to_vec();
    let place = letters.iter().position(|letter| *letter > b'S');
    letters.insert(place.unwrap_or(letters.len()), b'S');
    Some(OsString::from_vec([base, &letters].concat()))
}

/// A name without what readers add to it: the same for as long as it is the same message.
pub fn base_of(name: &OsStr) -> &OsStr {
    let octets = name.as_bytes();
    let end = octets.iter().position(|octet| is_addition(*octet));
    OsStr::from_bytes(
        octets
            .get(..end.unwrap_or(octets.len()))
            .unwrap_or_default(),
    )
}

/// When it was delivered, in seconds since 1970, as names begin by custom.
pub fn delivered(name: &OsStr) -> Option<i64> {
    let text = std::str::from_utf8(name.as_bytes()).ok()?;
    let (seconds, _) = text.split_once('.')?;
    seconds.parse().ok().filter(|seconds| *seconds > 0)
}

/// A name up to its flags, mark included, and these.
fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = MARKS.iter().find_map(|mark| {
        let at = memchr::memmem::rfind(name, mark)?;
        Some(at + mark.len())
    });
    name.split_at_checked(at?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_of_a_name_are_read_whatever_stands_before_them() {
        let flags = flags_of(OsStr::new("1.a.host,S=12:2,FS"));
        assert!(flags.is_seen());
        assert_eq!(
            flags.iter().collect::<Vec<_>>(),
            [Flag::Flagged, Flag::Seen]
        );
        assert_eq!(info(flags), ":2,FS");
        assert_eq!(flags_of(OsStr::new("1.a.S")), Flags::default());
        assert!(flags_of(OsStr::new("1.a!2,abS")).is_seen());
    }

    #[test]
    fn flags_are_written_as_they_are_read_in_the_order_of_ascii() {
        for bits in 0..64u8 {
            let set = (0..)
                .zip(Flag::ALL)
                .filter(|(place, _)| bits & 1 << place != 0);
            let flags: Flags = set.map(|(_, flag)| flag).collect();
            let letters = info(flags);
            assert_eq!(flags_of(OsStr::new(&format!("1.a.host{letters}"))), flags);
            assert!(letters.bytes().skip(3).is_sorted(), "{letters}");
        }
    }

    #[test]
    fn a_message_becomes_seen_without_losing_a_flag() {
        let seen = |name: &str| seen_name(OsStr::new(name)).map(|it| it.into_string().unwrap());
        for (before, after) in [
            ("1.a.host", "1.a.host:2,S"),
            ("1.a.host,S=12", "1.a.host,S=12:2,S"),
            ("1.a.host:2,", "1.a.host:2,S"),
            ("1.a.host:2,FR", "1.a.host:2,FRS"),
            ("1.a.host:2,FTab", "1.a.host:2,FSTab"),
            ("1.a.host;2,D", "1.a.host;2,DS"),
        ] {
            assert_eq!(seen(before).as_deref(), Some(after));
        }
        assert_eq!(seen("1.a.host:2,S"), None);
        assert_eq!(seen("1.a.host:1,x"), None);
    }

    #[test]
    fn a_name_stays_the_same_under_all_flags() {
        for name in ["1.a.host", "1.a.host:2,S", "1.a.host,S=1,U=2:2,"] {
            assert_eq!(base_of(OsStr::new(name)), "1.a.host");
        }
        assert_eq!(delivered(OsStr::new("1795.M1.host")), Some(1795));
        assert_eq!(delivered(OsStr::new("msg.1")), None);
    }
}
