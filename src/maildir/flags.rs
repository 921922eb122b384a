//! What mail readers note behind a file's name: `:2,` and a letter for each flag, in the order of ASCII
//! (cr.yp.to/proto/maildir.html).

use super::unique_name::is_addition;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What stands before the flags; the last two are for file systems that cannot have the first.
const MARKS: [&[u8]; 3] = [b":2,", b";2,", b"!2,"];

/// The flags of a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Flags(u8);

/// Letters and words, in the order of ASCII.
const KNOWN: [(u8, &str); 6] = [
    (b'D', "draft"),
    (b'F', "flagged"),
    (b'P', "passed"),
    (b'R', "replied"),
    (b'S', "seen"),
    (b'T', "trashed"),
];

impl Flags {
    /// Those of a file of this name.
    pub fn of(name: &OsStr) -> Self {
        let Some((_, letters)) = split(name.as_bytes()) else {
            return Self::default();
        };
        let set = KNOWN.iter().enumerate();
        let set = set.filter(|(_, (letter, _))| letters.contains(letter));
        Self(set.fold(0, |flags, (place, _)| flags | 1 << place))
    }

    /// Whether it was read.
    pub fn is_seen(self) -> bool {
        self.has(b'S')
    }

    /// Whether this letter is among them.
    pub fn has(self, letter: u8) -> bool {
        let place = KNOWN.iter().position(|(known, _)| *known == letter);
        place.is_some_and(|place| self.0 & 1 << place != 0)
    }

    /// Their words: draft, flagged, passed (resent), replied, seen, trashed.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let known = KNOWN.iter().filter(move |(letter, _)| self.has(*letter));
        known.map(|(_, word)| *word)
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
        let flags = Flags::of(OsStr::new("1.a.host,S=12:2,FS"));
        assert!(flags.is_seen() && flags.has(b'F') && !flags.has(b'T'));
        assert_eq!(flags.words().collect::<Vec<_>>(), ["flagged", "seen"]);
        assert_eq!(Flags::of(OsStr::new("1.a.S")), Flags::default());
        assert!(Flags::of(OsStr::new("1.a!2,abS")).is_seen());
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
