//! Handing messages on, once they are stored, to what its owner wants them to go to.
//!
//! A message that is to be handed on is stored first, as any other is: in the account's Maildir, or,
//! where it has none, in a Maildir of its own beside the state. What takes it gets a file that is whole
//! and on the disk, however often that is tried, and the server is out of it by then.
//!
//! What is here starts programs, opens files anywhere and connects to servers of its owner's, so it runs in
//! a thread that has nothing to do with the server that mail comes from ([`crate::sandbox`]): that thread
//! is asked for one message after another. `state` writes down before each what is about to be done, and
//! what came of it.

mod envelope;
mod lmtp;
mod mbox;
mod post;
mod program;
mod quote;
mod spot;
mod stdout;
mod words;

pub use lmtp::{Lmtp, Place};
pub use mbox::{Appended, Before, Extent, Ledger, Mbox, Times, Unfinished};
pub use post::{Comparison, LONGEST_HEADER, Likeness, Post};
pub use program::Program;
pub use spot::{Located, Spot};
pub use words::{Words, unknown_word};

use crate::durable::Disk;
use crate::exit::Status;
use crate::message::{Evidence, examine};
use crate::stop::Stop;
use rustix::fs::{Mode, OFlags, open};
use std::fmt;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// What takes an account's messages.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Recipient {
    /// A program, which reads each from its standard input.
    Program(Program),
    /// A file, which they are appended to.
    Mbox(Mbox),
    /// A mail server, which each is sent to by LMTP.
    Lmtp(Lmtp),
    /// A folder of another account of the config file, which they are appended to.
    Folder(Folder),
    /// Standard output.
    Stdout,
}

impl Recipient {
    /// Whether it is there, as far as that shows here.
    ///
    /// # Errors
    /// It is a program that is nowhere, or may not be run.
    pub fn find(&self) -> Result<(), Unable> {
        match self {
            Self::Program(program) => program.find().map(drop),
            Self::Mbox(_) | Self::Lmtp(_) | Self::Folder(_) | Self::Stdout => Ok(()),
        }
    }
}

/// A folder of another account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Folder {
    /// The account's name.
    pub account: String,
    /// The folder's, as people write it.
    pub folder: String,
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of account {}", self.folder, self.account)
    }
}

/// Who gives messages to another account's server, signing in there with what is asked first.
pub trait Append: Send {
    /// Tells where the next message will be ([`Answer::Ready`]); `is_newer` than what was told before, as messages
    /// have been fetched since.
    fn approach(&mut self, is_newer: bool) -> Answer;

    /// Looks for a message that may be there, as it was tried before ([`Answer::Put`], [`Answer::NotFound`]).
    fn look(&mut self, post: Post, letter: &Letter, earlier: Earlier) -> Answer;

    /// Whether the message is one that is there, or there are more like it than anybody has put there
    /// ([`Answer::Compared`]).
    fn compare(&mut self, post: Post, letter: &Letter) -> Answer;

    /// Gives it a message.
    fn append(&mut self, post: Post) -> Answer;
}

/// What is known of earlier tries with a message that may have been taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Earlier {
    /// Where it is at least, if it was taken; what is there before that, or somewhere else, need not be it.
    pub from: Option<Located>,
    /// It was tried just now, and what takes it may still be storing it.
    pub is_recent: bool,
}

/// How what takes messages stands before one is handed on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It is a file that is so long.
    File(u64),
    /// It is a folder whose next message will be there at least, where that is known.
    Folder(Option<Located>),
}

/// Whether the Maildir that messages are stored in is one that somebody reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Archive {
    /// It is: what is handed on stays there.
    Kept,
    /// It is a place beside the state, which each message leaves when it has been handed on.
    Passed,
}

const UNREACHED: &str = "nobody can reach its account";

/// Whose messages they are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Owner {
    /// The account's name.
    pub account: String,
    /// The user's name at the server.
    pub user: String,
    /// The server's.
    pub host: String,
}

/// A message that is to be handed on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Letter {
    /// Its file, which ends its lines with LF.
    pub path: PathBuf,
    /// The octets of it.
    pub octets: u64,
    /// Their SHA-256: a file that says anything else is not what was fetched.
    pub sha256: [u8; 32],
    /// What the server calls it, where that is known.
    pub unique_id: Option<Box<[u8]>>,
    /// When it was fetched, in seconds since 1970.
    pub time: i64,
    /// Who may have changed the file since.
    pub keeping: Keeping,
}

/// Who keeps a message's file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Keeping {
    /// Nobody but popfetch has any business with it: it is what was fetched, or damaged.
    Ours,
    /// Its owner: what their programs add to its header is meant to be there. What it is known again by,
    /// where that is known.
    Owner(Option<Evidence>),
    /// Its owner says that it is fine as it stands.
    Accepted,
}

/// What came of handing a message on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// It can be appended, as what takes it stands so.
    Ready(Standing),
    /// It has been taken; what was said for people, if anything.
    Taken(Option<String>),
    /// It is in a file, on the disk.
    Appended(Appended),
    /// It is in a folder.
    Put {
        /// Where, as far as that is known.
        located: Option<Located>,
        /// It was there already, as an earlier try has put it there.
        is_earlier: bool,
        /// The folder was made for it.
        made: bool,
    },
    /// It was looked for, and not found.
    NotFound {
        /// There is something that may be it, or what cannot be looked through.
        may_be_there: bool,
    },
    /// It was compared with what is there.
    Compared(Resemblance),
    /// It has not, and may be in a while: why, in words that may quote foreign ones.
    Later(String),
    /// It has not, as what takes it has not come to an end in time: why, likewise.
    Hangs(String),
    /// Nobody knows whether it has been taken, as the answer was lost: why, likewise.
    Unclear {
        /// See above.
        why: String,
        /// What takes it has not come to an end in time.
        is_slow: bool,
    },
    /// It is refused for its own sake: why, likewise.
    Refused(String),
    /// Its file is not what was fetched: how it differs. That is for its owner to decide about, where
    /// they keep it.
    Damaged(String),
    /// Nothing can be handed on now.
    Unable(Unable),
}

/// What a message is that looks like one that was handed on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Resemblance {
    /// A copy, and what it is handed on to is the mailbox that it comes from: it is there, or there are more like it
    /// than were put there.
    Copy,
    /// Perhaps: some like it are not where they were put.
    Unclear,
    /// Another message, as far as anything shows.
    Other,
}

/// Why nothing can be handed on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unable {
    /// What the matter is.
    pub what: String,
    /// What a person can do.
    pub hint: String,
    /// What that means for the run.
    pub status: Status,
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program(program) => program.fmt(f),
            Self::Mbox(mbox) => mbox.fmt(f),
            Self::Lmtp(lmtp) => lmtp.fmt(f),
            Self::Folder(folder) => folder.fmt(f),
            Self::Stdout => f.write_str("standard output"),
        }
    }
}

impl Recipient {
    /// Whether it is a file that messages are appended to: how long it is is asked for before each, and
    /// what came of one that nobody knows of can be found out.
    pub fn is_appended_to(&self) -> bool {
        matches!(self, Self::Mbox(_))
    }

    /// Whether it can be asked what came of one that nobody knows of: a message that may have been taken
    /// is looked for before it is handed on again.
    pub fn can_be_asked(&self) -> bool {
        matches!(self, Self::Folder(_))
    }
}

/// What a [`Porter`] is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Errand {
    /// To make ready the file that a message is appended to ([`Answer::Ready`]).
    Prepare(Letter, Before),
    /// To see where the next message of a folder will be ([`Append::approach`]).
    Approach {
        /// Messages have been fetched since that was asked before.
        is_newer: bool,
    },
    /// To look for a message that may have been taken.
    Look(Letter, Earlier),
    /// To look whether there is another one like it ([`Append::compare`]).
    Compare(Letter),
    /// To hand a message on.
    Carry(Letter),
}

/// Hands messages on, one after another.
pub struct Porter {
    recipient: Recipient,
    owner: Owner,
    /// Files are taken from below these alone: whoever asks talks to a server.
    roots: Vec<PathBuf>,
    disk: Disk,
    stop: Stop,
    /// What the next message is appended to.
    open: Option<mbox::Open>,
    /// The connection that the next message is sent over.
    line: lmtp::Line,
    ledger: Ledger,
    /// Who knows how to reach another account.
    appender: Option<Box<dyn Append>>,
}

impl Porter {
    /// For messages in the Maildirs `roots`.
    pub fn new(
        recipient: Recipient,
        owner: Owner,
        roots: Vec<PathBuf>,
        ledger: Ledger,
        (disk, stop): (Disk, Stop),
    ) -> Self {
        Self {
            recipient,
            owner,
            roots,
            disk,
            stop,
            ledger,
            open: None,
            line: lmtp::Line::default(),
            appender: None,
        }
    }

    /// The same with somebody who reaches another account.
    pub fn by(mut self, appender: Option<Box<dyn Append>>) -> Self {
        self.appender = appender;
        self
    }

    /// Does what it is asked for.
    pub fn run(&mut self, errand: &Errand) -> Answer {
        let open = self.open.take();
        let (letter, before) = match errand {
            Errand::Prepare(letter, before) => (letter, Some(before)),
            Errand::Approach { is_newer } => {
                return match &mut self.appender {
                    Some(appender) => appender.approach(*is_newer),
                    None => Answer::Later(UNREACHED.to_owned()),
                };
            }
            Errand::Look(letter, _) | Errand::Compare(letter) | Errand::Carry(letter) => {
                (letter, None)
            }
        };
        let unreadable = |error: io::Error| {
            let path = letter.path.display();
            Answer::Later(format!("{path} cannot be read: {error}"))
        };
        let mut file = match self.read(letter) {
            Ok(file) => file,
            Err(error) => return unreadable(error),
        };
        let mut letter = letter.clone();
        // What is appended to an mbox file was looked at when that was made ready.
        if before.is_some() || open.is_none() {
            match difference(&letter, &mut file) {
                Ok(Fit::As(octets)) => letter.octets = octets,
                Ok(Fit::Not(how)) => return Answer::Damaged(how),
                Err(error) => return unreadable(error),
            }
        }
        let letter = &letter;
        match (&self.recipient, before, open) {
            (Recipient::Program(program), None, _) => {
                let words = Words::new(&self.owner, letter);
                program.hand(&words, letter, file, &self.stop)
            }
            (Recipient::Mbox(mbox), Some(before), open) => {
                drop(open);
                let message = (letter, &mut file);
                match mbox.open(&self.disk, message, before, &mut self.ledger, &self.stop) {
                    Ok((open, length)) => {
                        self.open = Some(open);
                        Answer::Ready(Standing::File(length))
                    }
                    Err(answer) => answer,
                }
            }
            (Recipient::Mbox(mbox), None, Some(open)) => {
                mbox.append(open, letter, &mut file, &mut self.ledger)
            }
            (Recipient::Lmtp(lmtp), None, _) => {
                let words = Words::new(&self.owner, letter);
                lmtp.hand(&mut self.line, &words, file, &self.stop)
            }
            (Recipient::Folder(_), None, _) => {
                let post = match Post::measure(file, letter.time) {
                    Ok(post) => post,
                    Err(error) => return unreadable(error),
                };
                match (&mut self.appender, errand) {
                    (Some(it), Errand::Look(_, earlier)) => it.look(post, letter, *earlier),
                    (Some(it), Errand::Compare(_)) => it.compare(post, letter),
                    (Some(it), _) => it.append(post),
                    (None, _) => Answer::Later(UNREACHED.to_owned()),
                }
            }
            (Recipient::Stdout, None, _) => stdout::hand(letter, &mut file, &self.stop),
            (Recipient::Mbox(_), None, None)
            | (
                Recipient::Program(_)
                | Recipient::Lmtp(_)
                | Recipient::Folder(_)
                | Recipient::Stdout,
                Some(_),
                _,
            ) => Answer::Later("it was not made ready".to_owned()),
        }
    }

    fn read(&self, letter: &Letter) -> io::Result<File> {
        let is_plain = |path: &Path| {
            let mut parts = path.components();
            parts.all(|part| matches!(part, std::path::Component::Normal(_)))
        };
        let below = |root: &PathBuf| letter.path.strip_prefix(root).is_ok_and(is_plain);
        if !self.roots.iter().any(below) {
            return Err(io::Error::other("it is not in the Maildir"));
        }
        open_message(&letter.path)
    }
}

/// Opens a message's file: no link is followed, and nothing else that bears its name is waited for.
fn open_message(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::from(open(path, flags, Mode::empty())?);
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is no file")),
    }
}

/// Whether a file may be handed on.
enum Fit {
    /// It may, with so many octets.
    As(u64),
    /// It may not: how it differs from what was fetched.
    Not(String),
}

/// How the file differs from what was fetched. A file that was cut short or overwritten must not be handed
/// on: what takes it cannot tell, and the server's copy would be deleted for it. The file is left at its
/// beginning.
fn difference(letter: &Letter, file: &mut File) -> io::Result<Fit> {
    let (octets, wanted) = (file.metadata()?.len(), letter.octets);
    let other_size = || Fit::Not(format!("it has {octets} octets instead of {wanted}"));
    let evidence = match letter.keeping {
        Keeping::Accepted => return Ok(Fit::As(octets)),
        Keeping::Ours if octets != wanted => return Ok(other_size()),
        Keeping::Ours => None,
        Keeping::Owner(evidence) => evidence,
    };
    let examined = examine(&*file)?;
    file.seek(SeekFrom::Start(0))?;
    let has_more_fields =
        octets > wanted && evidence.is_some_and(|evidence| evidence.agrees(&examined.evidence));
    Ok(match examined.digests.stored == letter.sha256 {
        true => Fit::As(octets),
        false if has_more_fields => Fit::As(octets),
        false if octets != wanted => other_size(),
        false => Fit::Not("it has other octets than when it was stored".to_owned()),
    })
}
