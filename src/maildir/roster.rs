//! The Maildir's own word on who delivers to it (E13): a small text file in its root.
//!
//! A directory that is empty may be a Maildir whose owner has removed everything, or the place where
//! a disk is not mounted; a journal cannot tell which. This file can: it comes and goes, and is
//! restored from a backup, with the mail.
//!
//! ```text
//! popfetch-maildir  1  maildir-id                                          crc
//! account  account-id  journal-id  generation  journal's path  former-ids  [nonces  [imports]]  crc
//! ```
//! Fields have tabs between them, and the CRC-32 of all before it at their end. Former account ids
//! are escaped and have spaces between them; `-` stands for none. The nonces say which deliveries are
//! behind the generation ([`Nonces`]), as words like `12:0a1b2c3d`; lines had none at first. The imports are
//! a time and a tool each, as `1700000000:mpop`, with spaces between them: names came from it then, which
//! are in no file here. A line that is not understood is kept as it is: it may be a newer version's.

use super::nonces::{GENERATIONS, Nonces, random};
use super::unique_name::JournalId;
use crate::durable::line::{escape, seal, unescape, unseal};
use crate::durable::{Dir, File};
use crate::term::{hex, unhex};
use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// Its name: without a leading dot, so that whoever copies a Maildir copies it too.
pub const NAME: &str = "popfetch-maildir";

const DRAFT: &str = "popfetch-maildir.new";

/// A thousand accounts with long paths and long histories have half of this.
const LIMIT: u64 = 4 * 1024 * 1024;

/// Whoever rewrites the file holds it for some milliseconds; after so many tries something is stuck.
const TRIES: u32 = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// A Maildir, told from every other one whatever its path: eight octets at random.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct MaildirId(pub [u8; 8]);

impl fmt::Display for MaildirId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl MaildirId {
    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(unhex(text.as_bytes())?))
    }
}

/// What stands in the file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Roster {
    /// `None` where there is no file, or none that can be understood.
    pub id: Option<MaildirId>,
    lines: Vec<Line>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Line {
    Account(Deliverer),
    Other(Vec<u8>),
}

/// An account that delivers here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Deliverer {
    /// Its id ([`crate::profile::Server::id`]).
    pub account: String,
    /// Ids that it had earlier.
    pub former: Vec<String>,
    /// The journal that answers for its messages.
    pub journal: JournalId,
    /// Where that is.
    pub path: PathBuf,
    /// Raised before the first delivery of a run, and again after the last: while it is odd, a run
    /// is at work or was killed.
    pub generation: u64,
    /// What is behind it.
    pub nonces: Nonces,
    /// The journal has names of messages that are not here: the last import of each tool.
    pub brought: Vec<Brought>,
}

/// Names of an account's messages came from another tool: they stand in the journal alone, so that a
/// journal that is made again from the Maildir lacks them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Brought {
    /// When the last of them came, in seconds since 1970.
    pub time: i64,
    /// The tool, as the command line calls it.
    pub tool: String,
}

impl Brought {
    /// Tools that are noted of an account at most; there are not so many.
    const MOST: usize = 16;

    fn parse_all(text: &str) -> Option<Vec<Self>> {
        text.split(' ').take(Self::MOST).map(Self::parse).collect()
    }

    fn parse(text: &str) -> Option<Self> {
        let (time, tool) = text.split_once(':')?;
        let is_word = !tool.is_empty() && tool.bytes().all(|octet| octet.is_ascii_alphanumeric());
        Some(Self {
            time: time.parse().ok()?,
            tool: is_word.then(|| tool.to_owned())?,
        })
    }
}

impl Roster {
    /// Reads the file in the root of a Maildir.
    pub(super) fn read(root: &Dir) -> io::Result<Self> {
        let mut octets = Vec::new();
        match root.read(OsStr::new(NAME)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => {
                opened?.take(LIMIT).read_to_end(&mut octets)?;
            }
        }
        Ok(Self::parse(&octets))
    }

    fn parse(octets: &[u8]) -> Self {
        let mut lines = octets.split_inclusive(|octet| *octet == b'\n');
        let Some(id) = lines.next().and_then(parse_header) else {
            return Self::default();
        };
        let line = |line: &[u8]| match Deliverer::parse(line) {
            Some(deliverer) => Line::Account(deliverer),
            None => Line::Other(line.to_vec()),
        };
        Self {
            id: Some(id),
            lines: lines.map(line).collect(),
        }
    }

    /// The accounts that deliver here.
    pub fn deliverers(&self) -> impl Iterator<Item = &Deliverer> {
        self.lines.iter().filter_map(|line| match line {
            Line::Account(deliverer) => Some(deliverer),
            Line::Other(_) => None,
        })
    }

    /// Whether each line is an account's, and there is one: any other may have been the line of an account that
    /// seems to have none.
    pub fn is_understood(&self) -> bool {
        let is_account = |line: &Line| matches!(line, Line::Account(_));
        !self.lines.is_empty() && self.lines.iter().all(is_account)
    }

    /// The line of an account, or the one that it had under an earlier id with the journal of then:
    /// another account may be known by that id now.
    pub fn of(&self, account: &str, former: &[(String, JournalId)]) -> Option<&Deliverer> {
        let own = self.deliverers().find(|it| it.account == account);
        own.or_else(|| self.deliverers().find(|it| it.is_former(former)))
    }

    /// Rewrites the file with this line instead of those of the same account; durable on return.
    /// Nobody else writes meanwhile. Gives the Maildir's id, which is `wanted` or a new one where
    /// it had none.
    pub(super) fn rewrite(
        root: &Dir,
        deliverer: &Deliverer,
        former: &[(String, JournalId)],
        wanted: Option<MaildirId>,
    ) -> io::Result<MaildirId> {
        let _lock = lock(root)?;
        let mut roster = Self::read(root)?;
        let id = match (roster.id, wanted) {
            (Some(id), _) | (None, Some(id)) => id,
            (None, None) => MaildirId(random()?),
        };
        roster.lines.retain(|line| match line {
            Line::Account(other) => other.account != deliverer.account && !other.is_former(former),
            Line::Other(_) => true,
        });
        roster.id = Some(id);
        roster.lines.push(Line::Account(deliverer.clone()));
        let draft = OsStr::new(DRAFT);
        root.remove(draft)?;
        let mut file = root.create(draft)?;
        file.append(&roster.text(id))?;
        file.sync()?;
        root.replace(draft, OsStr::new(NAME))?;
        root.sync()?;
        Ok(id)
    }

    fn text(&self, id: MaildirId) -> Vec<u8> {
        let mut text = Vec::new();
        seal(format!("{NAME}\t1\t{id}"), &mut text);
        for line in &self.lines {
            match line {
                Line::Account(deliverer) => seal(deliverer.to_string(), &mut text),
                Line::Other(octets) => {
                    text.extend(octets.strip_suffix(b"\n").unwrap_or(octets));
                    text.push(b'\n');
                }
            }
        }
        text
    }
}

impl Deliverer {
    fn is_former(&self, former: &[(String, JournalId)]) -> bool {
        let mut former = former.iter();
        former.any(|(account, journal)| *account == self.account && *journal == self.journal)
    }

    fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = unseal(line.strip_suffix(b"\n")?)?.split('\t');
        let mut next = || fields.next();
        if next()? != "account" {
            return None;
        }
        let text = |escaped: &str| String::from_utf8(unescape(escaped)?).ok();
        let account = text(next()?)?;
        let journal = JournalId(unhex(next()?.as_bytes())?);
        let generation = next()?.parse().ok().filter(|it| *it < GENERATIONS)?;
        let path = Path::new(OsStr::from_bytes(&unescape(next()?)?)).to_owned();
        let former = match next()? {
            "-" => Vec::new(),
            ids => ids.split(' ').map(text).collect::<Option<_>>()?,
        };
        // What cannot be read is a newer version's, and the numbers still hold.
        let nonces = next().and_then(Nonces::parse).unwrap_or_default();
        let brought = next().and_then(Brought::parse_all).unwrap_or_default();
        Some(Self {
            account,
            former,
            journal,
            path,
            generation,
            nonces,
            brought,
        })
    }
}

impl fmt::Display for Deliverer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let former: Vec<String> = self.former.iter().map(|id| escape(id.as_bytes())).collect();
        write!(
            f,
            "account\t{}\t{}\t{}\t{}\t{}",
            escape(self.account.as_bytes()),
            self.journal,
            self.generation,
            escape(self.path.as_os_str().as_bytes()),
            match former.is_empty() {
                true => "-".to_owned(),
                false => former.join(" "),
            }
        )?;
        match (self.nonces.is_empty(), self.brought.is_empty()) {
            (true, true) => return Ok(()),
            (true, false) => f.write_str("\t-")?,
            (false, _) => write!(f, "\t{}", self.nonces)?,
        }
        let mut before = '\t';
        for Brought { time, tool } in &self.brought {
            write!(f, "{before}{time}:{tool}")?;
            before = ' ';
        }
        Ok(())
    }
}

/// The lock is the kernel's, on the file itself. Whoever has waited for one that was replaced
/// meanwhile has the lock of a file that nobody looks at any more, and begins again.
fn lock(root: &Dir) -> io::Result<File> {
    let name = OsStr::new(NAME);
    for _ in 0..TRIES {
        let file = root.open_or_create(name)?;
        let locked = match file.try_lock() {
            // A file system without locks: of two accounts that begin at the very same moment one
            // may take the other's line away, which then stops and asks. Without the file both
            // would be worse off.
            Err(error) if has_no_locks(&error) => true,
            locked => locked?,
        };
        if locked && root.is_still(name, &file)? {
            return Ok(file);
        }
        thread::sleep(PAUSE);
    }
    Err(io::ErrorKind::TimedOut.into())
}

fn has_no_locks(error: &io::Error) -> bool {
    let none = [rustix::io::Errno::NOLCK, rustix::io::Errno::OPNOTSUPP];
    let none = none.map(|errno| errno.raw_os_error());
    error
        .raw_os_error()
        .is_some_and(|errno| none.contains(&errno))
}

fn parse_header(line: &[u8]) -> Option<MaildirId> {
    let mut fields = unseal(line.strip_suffix(b"\n")?)?.split('\t');
    let known = fields.next()? == NAME && fields.next()? == "1";
    known.then_some(MaildirId::parse(fields.next()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable::Disk;

    fn deliverer(account: &str, generation: u64) -> Deliverer {
        Deliverer {
            account: account.to_owned(),
            former: vec!["ada@old:995".to_owned(), "with space@old:995".to_owned()],
            journal: JournalId([1; 8]),
            path: PathBuf::from("/home/ada/a b\n"),
            generation,
            nonces: Nonces::parse("2:00ff00ff 4:0a1b2c3d").unwrap(),
            brought: Vec::new(),
        }
    }

    fn root() -> (tempfile::TempDir, Dir) {
        let temp = tempfile::tempdir().unwrap();
        let root = Dir::open(&Disk::new(), temp.path()).unwrap();
        (temp, root)
    }

    #[test]
    fn a2_what_is_written_is_read_and_others_lines_are_kept() {
        let (temp, root) = root();
        assert_eq!(Roster::read(&root).unwrap(), Roster::default());
        let id = Roster::rewrite(&root, &deliverer("ada@host:995", 1), &[], None).unwrap();
        assert_eq!(
            Roster::rewrite(&root, &deliverer("bob@host:995", 7), &[], None).unwrap(),
            id
        );
        let path = temp.path().join(NAME);
        let newer = [std::fs::read(&path).unwrap(), b"newer\tx\n".to_vec()].concat();
        std::fs::write(&path, newer).unwrap();
        Roster::rewrite(&root, &deliverer("ada@host:995", 2), &[], None).unwrap();
        let roster = Roster::read(&root).unwrap();
        assert_eq!(roster.id, Some(id));
        assert_eq!(
            roster.of("ada@host:995", &[]),
            Some(&deliverer("ada@host:995", 2))
        );
        assert_eq!(
            roster.of("bob@host:995", &[]),
            Some(&deliverer("bob@host:995", 7))
        );
        assert_eq!(roster.of("eve@host:995", &[]), None);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("newer\tx\n"), "{text}");
    }

    #[test]
    fn an_import_is_written_with_turns_and_without_and_a_line_that_had_none_has_none() {
        for nonces in ["", "2:00ff00ff"] {
            let brought = ["fetchmail", "mpop"].map(|tool| Brought {
                time: 1_700_000_000,
                tool: tool.to_owned(),
            });
            let brought = brought.to_vec();
            let ada = Deliverer {
                nonces: Nonces::parse(nonces).unwrap_or_default(),
                brought,
                ..deliverer("ada@host:995", 1)
            };
            let (_temp, root) = root();
            Roster::rewrite(&root, &ada, &[], None).unwrap();
            let bob = deliverer("bob@host:995", 2);
            Roster::rewrite(&root, &bob, &[], None).unwrap();
            let roster = Roster::read(&root).unwrap();
            assert_eq!(roster.of("ada@host:995", &[]), Some(&ada));
            assert_eq!(roster.of("bob@host:995", &[]), Some(&bob));
        }
    }

    #[test]
    fn a2_a_file_whose_first_line_is_damaged_says_nothing() {
        let (temp, root) = root();
        Roster::rewrite(&root, &deliverer("ada@host:995", 1), &[], None).unwrap();
        let path = temp.path().join(NAME);
        let mut octets = std::fs::read(&path).unwrap();
        octets[20] ^= 1;
        std::fs::write(&path, octets).unwrap();
        assert_eq!(Roster::read(&root).unwrap(), Roster::default());
    }

    #[test]
    fn c6_two_that_write_at_once_both_have_their_line() {
        let (_temp, root) = root();
        let names: Vec<String> = (0..8).map(|n| format!("user{n}@host:995")).collect();
        thread::scope(|scope| {
            for name in &names {
                let root = &root;
                scope.spawn(move || {
                    for generation in 0..10 {
                        Roster::rewrite(root, &deliverer_alone(name, generation), &[], None)
                            .unwrap();
                    }
                });
            }
        });
        let roster = Roster::read(&root).unwrap();
        for name in &names {
            assert_eq!(roster.of(name, &[]), Some(&deliverer_alone(name, 9)));
        }
    }

    fn deliverer_alone(account: &str, generation: u64) -> Deliverer {
        Deliverer {
            former: Vec::new(),
            nonces: Nonces::default(),
            ..deliverer(account, generation)
        }
    }
}
