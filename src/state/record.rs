//! One line of the journal: its grammar and its checksum.
//!
//! A line is fields with tabs between, then a tab and the CRC-32 of all before it in hexadecimal:
//!
//! ```text
//! B  time  boot-id  maildir                                  a run began
//! L  time                                                    the first listing has been settled
//! I  id  time  unique-id  listed  turn  octets  sha256  content  name     intent (E1)
//! R  id  time  octets  sha256  content  name                 found in the Maildir, unique-id lost
//! M  id  time  unique-id  listed  turn                       seen on request, never fetched
//! S  first  last                                             these intents were carried out (E4)
//! X  id                                                      this intent came to nothing
//! K  id  time  unique-id  listed  turn                       the same message, listed otherwise
//! D  id  time                                                QUIT confirmed its deletion
//! V  id  time  count                                         absent from so many listings (E5)
//! G  id                                                      forgotten
//! F  time  unique-id  listed  turn  kind  count              could not be fetched
//! N  time                                                    pipelining failed
//! O  id  time                                                its owner says it was removed on purpose
//! ```
//! I, R and M lines are numbered from 0 in the order they stand in, and the others say which of
//! them they are about. Times are seconds since 1970. A unique-id has each octet outside `!` to `~`, and `%`,
//! written as `%XX`; `-` stands for none. `content` is `-` where it equals `sha256`.

use crate::delivery::{Digests, UniqueName};
use crate::maildrop::{Identity, Message};
use crate::term::{hex, unhex};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A line longer than this was not written by us: a unique-id has at most 1024 octets, a path
/// 4096, each written as three at worst.
pub(super) const LINE_LIMIT: usize = 16 * 1024;

/// The number of an I, R or M line.
pub(super) type Id = u32;

/// What tells a listed message apart (E11), without its number in the session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Listing {
    pub(super) unique_id: Option<Box<[u8]>>,
    pub(super) octets: Option<u64>,
    pub(super) turn: u32,
}

impl Listing {
    pub(super) fn of(message: &Message) -> Self {
        Self {
            unique_id: message.unique_id.clone(),
            octets: message.octets,
            turn: message.turn,
        }
    }

    pub(super) fn identity(&self, account: &str) -> Option<Identity> {
        let unique_id = self.unique_id.as_ref()?;
        Some(Identity::new(account, unique_id, self.octets, self.turn))
    }
}

/// A file in the Maildir.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Stored {
    pub(super) octets: u64,
    pub(super) digests: Digests,
    pub(super) name: UniqueName,
}

/// How a message could not be fetched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FailureKind {
    /// The server answered -ERR to RETR.
    Refused,
    /// The connection was lost while it was being sent.
    Dropped,
}

/// A line of the journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Entry {
    Absent {
        id: Id,
        time: i64,
        count: u8,
    },
    Alias {
        id: Id,
        time: i64,
        listing: Listing,
    },
    Baseline {
        time: i64,
    },
    Began {
        time: i64,
        boot: String,
        maildir: PathBuf,
    },
    Deleted {
        id: Id,
        time: i64,
    },
    Dropped {
        id: Id,
    },
    Failed {
        time: i64,
        listing: Listing,
        kind: FailureKind,
        count: u32,
    },
    Forgotten {
        id: Id,
    },
    Found {
        id: Id,
        time: i64,
        stored: Stored,
    },
    Gone {
        id: Id,
        time: i64,
    },
    Intent {
        id: Id,
        time: i64,
        listing: Listing,
        stored: Stored,
    },
    Marked {
        id: Id,
        time: i64,
        listing: Listing,
    },
    Seen {
        first: Id,
        last: Id,
    },
    Unpipelined {
        time: i64,
    },
}

impl Entry {
    /// Appends the line, its ending included.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut line = String::new();
        // Writing to a String cannot fail.
        let _ = match self {
            Self::Absent { id, time, count } => write!(line, "V\t{id}\t{time}\t{count}"),
            Self::Alias { id, time, listing } => {
                write!(line, "K\t{id}\t{time}\t{}", Fields(listing))
            }
            Self::Baseline { time } => write!(line, "L\t{time}"),
            Self::Began {
                time,
                boot,
                maildir,
            } => {
                let maildir = escape(maildir.as_os_str().as_bytes());
                write!(line, "B\t{time}\t{}\t{maildir}", escape(boot.as_bytes()))
            }
            Self::Deleted { id, time } => write!(line, "D\t{id}\t{time}"),
            Self::Dropped { id } => write!(line, "X\t{id}"),
            Self::Failed {
                time,
                listing,
                kind,
                count,
            } => {
                let kind = match kind {
                    FailureKind::Refused => "refused",
                    FailureKind::Dropped => "dropped",
                };
                write!(line, "F\t{time}\t{}\t{kind}\t{count}", Fields(listing))
            }
            Self::Forgotten { id } => write!(line, "G\t{id}"),
            Self::Found { id, time, stored } => {
                write!(line, "R\t{id}\t{time}\t{}", Fields(stored))
            }
            Self::Gone { id, time } => write!(line, "O\t{id}\t{time}"),
            Self::Intent {
                id,
                time,
                listing,
                stored,
            } => {
                write!(
                    line,
                    "I\t{id}\t{time}\t{}\t{}",
                    Fields(listing),
                    Fields(stored)
                )
            }
            Self::Marked { id, time, listing } => {
                write!(line, "M\t{id}\t{time}\t{}", Fields(listing))
            }
            Self::Seen { first, last } => write!(line, "S\t{first}\t{last}"),
            Self::Unpipelined { time } => write!(line, "N\t{time}"),
        };
        seal(line, out);
    }

    /// Reads a line without its LF. `None` if its checksum or its grammar is wrong.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let mut fields = unseal(line)?.split('\t');
        let mut next = || fields.next();
        let entry = match next()? {
            "B" => Self::Began {
                time: next()?.parse().ok()?,
                boot: String::from_utf8(unescape(next()?)?).ok()?,
                maildir: Path::new(OsStr::from_bytes(&unescape(next()?)?)).to_owned(),
            },
            "D" => Self::Deleted {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
            },
            "F" => Self::Failed {
                time: next()?.parse().ok()?,
                listing: Listing::read(&mut next)?,
                kind: match next()? {
                    "refused" => FailureKind::Refused,
                    "dropped" => FailureKind::Dropped,
                    _ => return None,
                },
                count: next()?.parse().ok()?,
            },
            "G" => Self::Forgotten {
                id: next()?.parse().ok()?,
            },
            "I" => Self::Intent {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
                listing: Listing::read(&mut next)?,
                stored: Stored::read(&mut next)?,
            },
            "K" => Self::Alias {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
                listing: Listing::read(&mut next)?,
            },
            "L" => Self::Baseline {
                time: next()?.parse().ok()?,
            },
            "M" => Self::Marked {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
                listing: Listing::read(&mut next)?,
            },
            "N" => Self::Unpipelined {
                time: next()?.parse().ok()?,
            },
            "O" => Self::Gone {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
            },
            "R" => Self::Found {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
                stored: Stored::read(&mut next)?,
            },
            "S" => Self::Seen {
                first: next()?.parse().ok()?,
                last: next()?.parse().ok()?,
            },
            "V" => Self::Absent {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
                count: next()?.parse().ok()?,
            },
            "X" => Self::Dropped {
                id: next()?.parse().ok()?,
            },
            _ => return None,
        };
        fields.next().is_none().then_some(entry)
    }
}

impl Listing {
    fn read<'a>(next: &mut impl FnMut() -> Option<&'a str>) -> Option<Self> {
        let unique_id = match next()? {
            "-" => None,
            escaped => Some(unescape(escaped)?.into_boxed_slice()),
        };
        let octets = match next()? {
            "-" => None,
            digits => Some(digits.parse().ok()?),
        };
        let turn = next()?.parse().ok()?;
        Some(Self {
            unique_id,
            octets,
            turn,
        })
    }
}

impl Stored {
    fn read<'a>(next: &mut impl FnMut() -> Option<&'a str>) -> Option<Self> {
        let octets = next()?.parse().ok()?;
        let stored = unhex(next()?.as_bytes())?;
        let content = match next()? {
            "-" => stored,
            hex => unhex(hex.as_bytes())?,
        };
        let name = UniqueName::parse(OsStr::new(next()?))?;
        let digests = Digests { stored, content };
        Some(Self {
            octets,
            digests,
            name,
        })
    }
}

/// Writes the fields of a part of a line.
struct Fields<'a, T>(&'a T);

impl std::fmt::Display for Fields<'_, Listing> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0.unique_id {
            Some(unique_id) => f.write_str(&escape(unique_id))?,
            None => f.write_char('-')?,
        }
        match self.0.octets {
            Some(octets) => write!(f, "\t{octets}\t{}", self.0.turn),
            None => write!(f, "\t-\t{}", self.0.turn),
        }
    }
}

impl std::fmt::Display for Fields<'_, Stored> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Stored {
            octets,
            digests,
            name,
        } = self.0;
        write!(f, "{octets}\t{}\t", hex(&digests.stored))?;
        if digests.content == digests.stored {
            f.write_char('-')?;
        } else {
            f.write_str(&hex(&digests.content))?;
        }
        write!(f, "\t{}", name.as_str())
    }
}

/// Appends a line with its checksum and its ending.
pub(super) fn seal(mut line: String, out: &mut Vec<u8>) {
    line.push('\t');
    let crc = crc32fast::hash(line.as_bytes());
    let _ = writeln!(line, "{crc:08x}");
    out.extend(line.as_bytes());
}

/// The fields of a line whose checksum is right.
pub(super) fn unseal(line: &[u8]) -> Option<&str> {
    let (fields, crc) = line.split_at_checked(line.len().checked_sub(8)?)?;
    let crc = std::str::from_utf8(crc).ok()?;
    // from_str_radix takes "+" and upper case, too: a line reads in one way only.
    let canonical = crc.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    let right = canonical && u32::from_str_radix(crc, 16) == Ok(crc32fast::hash(fields));
    right.then_some(std::str::from_utf8(fields).ok()?.strip_suffix('\t')?)
}

/// Writes octets so that they hold no space, tab or line end, and are never just "-".
pub(super) fn escape(octets: &[u8]) -> String {
    if octets == b"-" {
        return "%2D".to_owned();
    }
    let mut text = String::with_capacity(octets.len());
    for octet in octets {
        match octet {
            b'%' | ..=b' ' | 0x7f.. => {
                let _ = write!(text, "%{octet:02X}");
            }
            plain => text.push(char::from(*plain)),
        }
    }
    text
}

/// The octets that [`escape`] wrote.
pub(super) fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'%' => {
                let [octet] = unhex(&[rest.next()?, rest.next()?])?;
                octet
            }
            plain => plain,
        });
    }
    Some(octets)
}

#[cfg(test)]
mod tests;
