//! Writing and reading a line of the journal.

use super::super::chain::without_link;
use super::super::lasting::Lasting;
use super::super::sizes::Sizes;
use super::fields::{Fields, either, escape_path, unescape_path};
use super::gist::{gist_fields, read_gist};
use super::{
    Entry, FailureKind, HandingEnd, Listing, MarkedBy, NotTaken, Origin, Repeat, Stored, Taken,
};
use crate::durable::line::{escape, unescape, unseal_octets};
use crate::handover::Extent;
use crate::maildir::{JournalId, MaildirId, Nonce, Nonces};
use crate::term::{hex, unhex};
use std::fmt::Write as _;

impl Entry {
    /// The line, without its link, its checksum and its ending.
    pub(in crate::state) fn fields(&self) -> String {
        let mut line = String::new();
        // Writing to a String cannot fail.
        let _ = match self {
            Self::Absent { id, time, count } => write!(line, "V\t{id}\t{time}\t{count}"),
            Self::Alias { id, time, listing } => {
                write!(line, "K\t{id}\t{time}\t{}", Fields(listing))
            }
            Self::Baseline { time } => write!(line, "L\t{time}"),
            Self::Unread {
                time,
                folder,
                is_listed,
            } => {
                let word = if *is_listed { "listed" } else { "missing" };
                write!(line, "u\t{time}\t{}\t{word}", escape(folder.as_bytes()))
            }
            Self::Again { id } => write!(line, "A\t{id}"),
            Self::Asked { id, time, beside } => match beside {
                0 => write!(line, "Q\t{id}\t{time}"),
                _ => write!(line, "Q\t{id}\t{time}\t{beside}"),
            },
            Self::Began {
                time,
                boot,
                maildir,
                maildir_id,
                generation,
                nonce,
            } => {
                let (boot, maildir) = (escape(boot.as_bytes()), escape_path(maildir));
                let id = maildir_id.map_or_else(|| "-".to_owned(), |id| id.to_string());
                let _ = write!(line, "B\t{time}\t{boot}\t{maildir}\t{id}\t{generation}");
                nonce.map_or(Ok(()), |nonce| write!(line, "\t{nonce}"))
            }
            Self::Deleted { id, time } => write!(line, "D\t{id}\t{time}"),
            Self::Disorder { first, last } => write!(line, "Y\t{first}\t{last}"),
            Self::Doubtful { id } => write!(line, "U\t{id}"),
            Self::Dropped { id } => write!(line, "X\t{id}"),
            Self::Due { first, last } => write!(line, "w\t{first}\t{last}"),
            Self::Evidence { id, stored } => write!(line, "E\t{id}\t{}", Fields(stored)),
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
            Self::Former { account, journal } => {
                write!(line, "J\t{}\t{journal}", escape(account.as_bytes()))
            }
            Self::Generation { generation, nonces } => match nonces.is_empty() {
                true => write!(line, "W\t{generation}"),
                false => write!(line, "W\t{generation}\t{nonces}"),
            },
            Self::Gone { id, time } => write!(line, "O\t{id}\t{time}"),
            Self::Handed {
                id,
                time,
                removed,
                end,
            } => {
                let word = if *removed { "removed" } else { "kept" };
                let end = match end {
                    HandingEnd::Taken(Some(located)) => format!("\t{located}"),
                    HandingEnd::Taken(None) => "\t-".to_owned(),
                    HandingEnd::Before => "\tbefore".to_owned(),
                    HandingEnd::Copy => "\tcopy".to_owned(),
                    HandingEnd::GivenUp => "\tgiven-up".to_owned(),
                    HandingEnd::Untold => String::new(),
                };
                write!(line, "d\t{id}\t{time}\t{word}{end}")
            }
            Self::Handing {
                id,
                time,
                length,
                fetched,
                from,
                repeat,
            } => {
                let or_dash = |it: Option<String>| it.unwrap_or_else(|| "-".to_owned());
                let length = or_dash(length.map(|it| it.to_string()));
                let mut fields = vec![
                    fetched.map(|it| it.to_string()),
                    from.map(|it| it.to_string()),
                    match repeat {
                        Repeat::First => None,
                        Repeat::Again => Some("again".to_owned()),
                        Repeat::Unclear => Some("unclear".to_owned()),
                    },
                ];
                // As earlier versions have written what they knew.
                while fields.pop_if(|it| it.is_none()).is_some() {}
                let fields = fields.into_iter().map(|it| format!("\t{}", or_dash(it)));
                let fields: String = fields.collect();
                write!(line, "g\t{id}\t{time}\t{length}{fields}")
            }
            Self::Extent(Extent { octets, tail }) => write!(line, "m\t{octets}\t{}", hex(tail)),
            Self::NotTaken {
                id,
                time,
                how,
                count,
            } => {
                let how = match how {
                    NotTaken::Later => "later",
                    NotTaken::Unclear => "unclear",
                    NotTaken::Refused => "refused",
                };
                write!(line, "k\t{id}\t{time}\t{how}\t{count}")
            }
            Self::Header {
                time,
                listing,
                gist,
            } => write!(
                line,
                "h\t{time}\t{}\t{}",
                Fields(listing),
                gist_fields(gist)
            ),
            Self::Home {
                maildir,
                maildir_id,
                taken,
            } => {
                let taken = match taken {
                    Taken::Adopted => "adopted",
                    Taken::Accepted => "accepted",
                };
                let maildir = escape_path(maildir);
                write!(line, "H\t{maildir}\t{maildir_id}\t{taken}")
            }
            Self::Import(Origin {
                time,
                tool,
                left,
                dashes,
            }) => {
                let left = if *left { "left" } else { "deleted" };
                let spelling = if *dashes { "dashes" } else { "exact" };
                let tool = escape(tool.as_bytes());
                write!(line, "i\t{time}\t{tool}\t{left}\t{spelling}")
            }
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
            Self::Marked {
                id,
                time,
                listing,
                by,
            } => {
                let by = match by {
                    MarkedBy::Latest => "latest",
                    MarkedBy::Request => "request",
                    MarkedBy::Import { may_delete: false } => "imported",
                    MarkedBy::Import { may_delete: true } => "released",
                    MarkedBy::Rule(rule) => &format!("rule\t{}", escape(rule.as_bytes())),
                };
                write!(line, "M\t{id}\t{time}\t{}\t{by}", Fields(listing))
            }
            Self::Reported { before } => write!(line, "r\t{before}"),
            Self::Returned { id } => write!(line, "t\t{id}"),
            Self::Granted { id } => write!(line, "y\t{id}"),
            Self::Seen { first, last } => write!(line, "S\t{first}\t{last}"),
            Self::Sizes(sizes) => write!(line, "C\t{}", sizes.fields()),
            Self::Back { id } => write!(line, "a\t{id}"),
            Self::Told { time, what } => {
                let word = what.map_or(String::new(), |it| format!("\t{}", it.word()));
                write!(line, "T\t{time}{word}")
            }
            Self::Undeletable { id, time } => write!(line, "P\t{id}\t{time}"),
            Self::Unlisted { id, time } => write!(line, "Z\t{id}\t{time}"),
            Self::Unpipelined { time } => write!(line, "N\t{time}"),
        };
        line
    }

    /// Reads a line without its LF. `None` if its checksum or its grammar is wrong.
    pub(in crate::state) fn read(line: &[u8]) -> Option<Self> {
        let fields = without_link(unseal_octets(line)?);
        let mut fields = std::str::from_utf8(fields).ok()?.split('\t');
        let mut next = || fields.next();
        let entry = match next()? {
            "A" => Self::Again {
                id: next()?.parse().ok()?,
            },
            "B" => {
                let time = next()?.parse().ok()?;
                let boot = String::from_utf8(unescape(next()?)?).ok()?;
                let maildir = unescape_path(next()?)?;
                let (maildir_id, generation) = match next() {
                    None => (None, 0),
                    Some("-") => (None, next()?.parse().ok()?),
                    Some(id) => (Some(MaildirId::parse(id)?), next()?.parse().ok()?),
                };
                let nonce = match next() {
                    None => None,
                    Some(nonce) => Some(Nonce::parse(nonce)?),
                };
                Self::Began {
                    time,
                    boot,
                    maildir,
                    maildir_id,
                    generation,
                    nonce,
                }
            }
            "C" => Self::Sizes(Sizes::read(&mut next)?),
            "D" => Self::Deleted {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
            },
            "E" => Self::Evidence {
                id: next()?.parse().ok()?,
                stored: Stored::read(&mut next)?,
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
            "H" => Self::Home {
                maildir: unescape_path(next()?)?,
                maildir_id: MaildirId::parse(next()?)?,
                taken: match next()? {
                    "adopted" => Taken::Adopted,
                    "accepted" => Taken::Accepted,
                    _ => return None,
                },
            },
            "I" => Self::Intent {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
                listing: Listing::read(&mut next)?,
                stored: Stored::read(&mut next)?,
            },
            "J" => Self::Former {
                account: String::from_utf8(unescape(next()?)?).ok()?,
                journal: JournalId(unhex(next()?.as_bytes())?),
            },
            "K" => Self::Alias {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
                listing: Listing::read(&mut next)?,
            },
            "L" => Self::Baseline {
                time: next()?.parse().ok()?,
            },
            "u" => Self::Unread {
                time: next()?.parse().ok()?,
                folder: String::from_utf8(unescape(next()?)?).ok()?.into(),
                is_listed: either(next()?, "listed", "missing")?,
            },
            "M" => Self::Marked {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
                listing: Listing::read(&mut next)?,
                by: match next() {
                    Some("latest") => MarkedBy::Latest,
                    None | Some("request") => MarkedBy::Request,
                    Some("imported") => MarkedBy::Import { may_delete: false },
                    Some("released") => MarkedBy::Import { may_delete: true },
                    Some("rule") => {
                        let rule = String::from_utf8(unescape(next()?)?).ok()?;
                        MarkedBy::Rule(rule.into())
                    }
                    _ => return None,
                },
            },
            "N" => Self::Unpipelined {
                time: next()?.parse().ok()?,
            },
            "O" => Self::Gone {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
            },
            "P" => Self::Undeletable {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
            },
            "Q" => Self::Asked {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
                beside: match next() {
                    None => 0,
                    Some(beside) => beside.parse().ok()?,
                },
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
            "T" => Self::Told {
                time: next()?.parse().ok()?,
                what: match next() {
                    Some(word) => Some(Lasting::of(word)?),
                    None => None,
                },
            },
            "U" => Self::Doubtful {
                id: next()?.parse().ok()?,
            },
            "V" => Self::Absent {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
                count: next()?.parse().ok()?,
            },
            "W" => Self::Generation {
                generation: next()?.parse().ok()?,
                nonces: match next() {
                    None => Nonces::default(),
                    Some(nonces) => Nonces::parse(nonces)?,
                },
            },
            "X" => Self::Dropped {
                id: next()?.parse().ok()?,
            },
            "Y" => Self::Disorder {
                first: next()?.parse().ok()?,
                last: next()?.parse().ok()?,
            },
            "r" => Self::Reported {
                before: next()?.parse().ok()?,
            },
            "t" => Self::Returned {
                id: next()?.parse().ok()?,
            },
            "y" => Self::Granted {
                id: next()?.parse().ok()?,
            },
            "a" => Self::Back {
                id: next()?.parse().ok()?,
            },
            "d" => Self::Handed {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
                removed: either(next()?, "removed", "kept")?,
                end: match next() {
                    None => HandingEnd::Untold,
                    Some("-") => HandingEnd::Taken(None),
                    Some("before") => HandingEnd::Before,
                    Some("copy") => HandingEnd::Copy,
                    Some("given-up") => HandingEnd::GivenUp,
                    Some(located) => HandingEnd::Taken(Some(located.parse().ok()?)),
                },
            },
            "g" => Self::Handing {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
                length: match next()? {
                    "-" => None,
                    digits => Some(digits.parse().ok()?),
                },
                fetched: match next() {
                    None | Some("-") => None,
                    Some(fetched) => Some(fetched.parse().ok()?),
                },
                from: match next() {
                    None | Some("-") => None,
                    Some(from) => Some(from.parse().ok()?),
                },
                repeat: match next() {
                    None => Repeat::First,
                    Some("again") => Repeat::Again,
                    Some("unclear") => Repeat::Unclear,
                    Some(_) => return None,
                },
            },
            "m" => Self::Extent(Extent {
                octets: next()?.parse().ok()?,
                tail: unhex(next()?.as_bytes())?,
            }),
            "k" => Self::NotTaken {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
                how: match next()? {
                    "later" => NotTaken::Later,
                    "unclear" => NotTaken::Unclear,
                    "refused" => NotTaken::Refused,
                    _ => return None,
                },
                count: next()?.parse().ok()?,
            },
            "h" => Self::Header {
                time: next()?.parse().ok()?,
                listing: Listing::read(&mut next)?,
                gist: read_gist(&mut next)?,
            },
            "i" => Self::Import(Origin {
                time: next()?.parse().ok()?,
                tool: String::from_utf8(unescape(next()?)?).ok()?,
                left: either(next()?, "left", "deleted")?,
                dashes: either(next()?, "dashes", "exact")?,
            }),
            "w" => Self::Due {
                first: next()?.parse().ok()?,
                last: next()?.parse().ok()?,
            },
            "Z" => Self::Unlisted {
                id: next()?.parse().ok()?,
                time: next()?.parse().ok()?,
            },
            _ => return None,
        };
        fields.next().is_none().then_some(entry)
    }
}
