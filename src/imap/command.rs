//! Commands and their encoding (RFC 3501 sections 4.3 and 6, RFC 2177, 4315, 4959, 7888).

use super::append::{Append, Search};
use super::uid_set::UidSet;
use std::fmt;
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// A user's name or a password is no longer than this: servers take lines of 8,000 octets (RFC 7162
/// section 4), and none takes passwords that are nearly as long.
pub const ARGUMENT_LIMIT: usize = 4096;

/// A command as it is sent, without its tag. Its `Display` and `Debug` are safe to log: secrets are left out.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Command<'a> {
    /// APPEND: its octets follow by [`super::Connection::push`], once the server has said "go on" or at
    /// once.
    Append(Append<'a>),
    /// AUTHENTICATE with a SASL mechanism and, where the server takes it, an initial response in base64.
    Authenticate {
        /// The mechanism's registered name.
        mechanism: &'a str,
        /// The initial response in base64; `=` is one of no octets.
        initial_response: Option<&'a str>,
    },
    /// CAPABILITY
    Capability,
    /// CREATE: makes a mailbox.
    Create(&'a str),
    /// EXAMINE: opens a mailbox to be read alone.
    Examine(&'a str),
    /// UID EXPUNGE: removes what is named and marked, and nothing else (RFC 4315).
    Expunge(&'a UidSet),
    /// The size of every message in the mailbox.
    FetchAll,
    /// All of a message, which stays unseen, with its flags and the time when the server got it.
    FetchBody(NonZeroU32),
    /// A message's header, likewise.
    FetchHeader(NonZeroU32),
    /// The time when the server got each message in the mailbox.
    FetchDates,
    /// The UID of the last message in the mailbox.
    FetchLast,
    /// How many octets one has.
    FetchSize(NonZeroU32),
    /// The same of each from this one on, and of the last one.
    FetchSizesFrom(NonZeroU32),
    /// Which of these there are.
    FetchThese(&'a UidSet),
    /// ID with the program's name (RFC 2971).
    Id,
    /// IDLE: the server says what changes until it is sent DONE (RFC 2177).
    Idle,
    /// LIST: all mailboxes, with what each is for where `uses` asks for that (RFC 6154 section 5.3).
    List {
        /// Only of a server with SPECIAL-USE.
        uses: bool,
    },
    /// LOGIN
    Login(&'a str, &'a str),
    /// LOGOUT
    Logout,
    /// UID SEARCH: which messages of the open mailbox may be a certain one.
    Search(Search<'a>),
    /// SELECT: opens a mailbox to be changed.
    Select(&'a str),
    /// STARTTLS
    StartTls,
    /// Marks messages as deleted.
    StoreDeleted(&'a UidSet),
}

/// An argument that cannot be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unsendable {
    /// It holds CR, LF or NUL, with which it might smuggle in another command.
    #[error("it holds a line break or a NUL")]
    LineBreak,
    /// It is longer than [`ARGUMENT_LIMIT`].
    #[error("it is longer than {ARGUMENT_LIMIT} bytes")]
    TooLong,
}

/// What is sent of a command at once, and what each time that the server says "go on".
pub(super) type Parts = Vec<Zeroizing<Vec<u8>>>;

impl Command<'_> {
    /// The command with its tag and its CRLF. `plus`: a literal need not wait (LITERAL+).
    pub(super) fn encode(&self, tag: &str, plus: bool) -> Result<Parts, Unsendable> {
        let mut line = Line::new(plus);
        line.push(tag);
        line.push(" ");
        match self {
            Self::Authenticate {
                mechanism,
                initial_response,
            } => {
                line.push("AUTHENTICATE ");
                line.push(mechanism);
                if let Some(response) = initial_response {
                    line.push(" ");
                    line.push(response);
                }
            }
            Self::Login(user, password) => {
                line.push("LOGIN ");
                line.string(user)?;
                line.push(" ");
                line.string(password)?;
            }
            Self::Append(append) => {
                line.push("APPEND ");
                line.string(append.mailbox)?;
                line.push(&append.behind_mailbox());
            }
            Self::Search(search) => {
                line.push("UID SEARCH ");
                match search.message_id {
                    Some(id) => {
                        line.push("HEADER Message-ID ");
                        line.string(id)?;
                    }
                    None => line.push(&search.without_id()),
                }
            }
            Self::Create(mailbox) | Self::Examine(mailbox) | Self::Select(mailbox) => {
                line.push(match self {
                    Self::Create(_) => "CREATE ",
                    Self::Examine(_) => "EXAMINE ",
                    _ => "SELECT ",
                });
                line.string(mailbox)?;
            }
            plain => line.push(&plain.to_string()),
        }
        line.push("\r\n");
        Ok(line.parts)
    }

    /// Whether a challenge may come before its answer, or that it may go on.
    pub(super) fn is_dialogue(&self) -> bool {
        matches!(
            self,
            Self::Authenticate { .. } | Self::Append(_) | Self::Idle
        )
    }
}

impl fmt::Display for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Append(append) => {
                write!(f, "APPEND {}{}", append.mailbox, append.behind_mailbox())
            }
            Self::Authenticate {
                mechanism,
                initial_response: Some(_),
            } => write!(f, "AUTHENTICATE {mechanism} ****"),
            Self::Authenticate { mechanism, .. } => write!(f, "AUTHENTICATE {mechanism}"),
            Self::Capability => f.write_str("CAPABILITY"),
            Self::Create(mailbox) => write!(f, "CREATE {mailbox}"),
            Self::Examine(mailbox) => write!(f, "EXAMINE {mailbox}"),
            Self::Expunge(set) => write!(f, "UID EXPUNGE {set}"),
            Self::FetchAll => f.write_str("UID FETCH 1:* (UID RFC822.SIZE)"),
            Self::FetchBody(uid) => {
                write!(f, "UID FETCH {uid} (UID FLAGS INTERNALDATE BODY.PEEK[])")
            }
            Self::FetchDates => f.write_str("UID FETCH 1:* (UID INTERNALDATE)"),
            Self::FetchLast => f.write_str("UID FETCH * (UID)"),
            Self::FetchHeader(uid) => write!(f, "UID FETCH {uid} (UID BODY.PEEK[HEADER])"),
            Self::FetchSize(uid) => write!(f, "UID FETCH {uid} (UID RFC822.SIZE)"),
            Self::FetchSizesFrom(uid) => write!(f, "UID FETCH {uid}:* (UID RFC822.SIZE)"),
            Self::FetchThese(set) => write!(f, "UID FETCH {set} (UID)"),
            Self::Id => f.write_str("ID (\"name\" \"popfetch\")"),
            Self::Idle => f.write_str("IDLE"),
            Self::List { uses: false } => f.write_str("LIST \"\" \"*\""),
            Self::List { uses: true } => f.write_str("LIST \"\" \"*\" RETURN (SPECIAL-USE)"),
            Self::Login(user, _) => write!(f, "LOGIN {user} ****"),
            Self::Logout => f.write_str("LOGOUT"),
            Self::Search(search) => match search.message_id {
                Some(id) => write!(f, "UID SEARCH HEADER Message-ID {id}"),
                None => write!(f, "UID SEARCH {}", search.without_id()),
            },
            Self::Select(mailbox) => write!(f, "SELECT {mailbox}"),
            Self::StartTls => f.write_str("STARTTLS"),
            Self::StoreDeleted(set) => write!(f, "UID STORE {set} +FLAGS.SILENT (\\Deleted)"),
        }
    }
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A command in the making.
struct Line {
    parts: Parts,
    plus: bool,
}

impl Line {
    fn new(plus: bool) -> Self {
        let parts = vec![Zeroizing::default()];
        Self { parts, plus }
    }

    fn push(&mut self, text: &str) {
        if let Some(part) = self.parts.last_mut() {
            part.extend(text.as_bytes());
        }
    }

    /// A string, quoted where it can be, and else a literal.
    fn string(&mut self, text: &str) -> Result<(), Unsendable> {
        if text.bytes().any(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
            return Err(Unsendable::LineBreak);
        }
        if text.len() > ARGUMENT_LIMIT {
            return Err(Unsendable::TooLong);
        }
        let can_be_quoted = text.bytes().all(|octet| matches!(octet, b' '..=b'~'));
        if can_be_quoted {
            self.push("\"");
            for c in text.chars() {
                if matches!(c, '"' | '\\') {
                    self.push("\\");
                }
                self.push(c.encode_utf8(&mut [0; 4]));
            }
            self.push("\"");
            return Ok(());
        }
        let plus = if self.plus { "+" } else { "" };
        self.push(&format!("{{{}{plus}}}\r\n", text.len()));
        if !self.plus {
            self.parts.push(Zeroizing::default());
        }
        self.push(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(command: Command<'_>, plus: bool) -> Vec<String> {
        let parts = command.encode("a1", plus).unwrap();
        let text = |part: &Zeroizing<Vec<u8>>| String::from_utf8(part.to_vec()).unwrap();
        parts.iter().map(text).collect()
    }

    #[test]
    fn s47_secrets_are_sent_and_never_shown() {
        let login = Command::Login("ada", "two  \"words\\");
        assert_eq!(
            encoded(login, false),
            ["a1 LOGIN \"ada\" \"two  \\\"words\\\\\"\r\n"]
        );
        assert_eq!(
            format!("{login} {login:?}"),
            "LOGIN ada **** LOGIN ada ****"
        );
        let plain = Command::Authenticate {
            mechanism: "PLAIN",
            initial_response: Some("AGFkYQBz"),
        };
        assert_eq!(
            encoded(plain, false),
            ["a1 AUTHENTICATE PLAIN AGFkYQBz\r\n"]
        );
        assert_eq!(format!("{plain}"), "AUTHENTICATE PLAIN ****");
    }

    #[test]
    fn what_is_beyond_ascii_is_a_literal_which_waits_unless_the_server_takes_it_at_once() {
        let login = Command::Login("ada", "pässword");
        assert_eq!(
            encoded(login, false),
            ["a1 LOGIN \"ada\" {9}\r\n", "pässword\r\n"]
        );
        assert_eq!(
            encoded(login, true),
            ["a1 LOGIN \"ada\" {9+}\r\npässword\r\n"]
        );
        let both = Command::Login("ä", "ö");
        assert_eq!(
            encoded(both, false),
            ["a1 LOGIN {2}\r\n", "ä {2}\r\n", "ö\r\n"]
        );
    }

    #[test]
    fn s26_an_argument_with_a_line_break_is_not_sent() {
        for (user, password) in [("a\r\nb LOGOUT", "x"), ("a", "\n"), ("a", "b\0")] {
            let refused = Command::Login(user, password).encode("a1", true);
            assert_eq!(refused, Err(Unsendable::LineBreak));
        }
        let long = "x".repeat(ARGUMENT_LIMIT + 1);
        let refused = Command::Login("a", &long).encode("a1", true);
        assert_eq!(refused, Err(Unsendable::TooLong));
    }

    #[test]
    fn nothing_that_is_fetched_is_marked_as_seen() {
        let uid = NonZeroU32::MIN;
        for command in [
            Command::FetchAll,
            Command::FetchBody(uid),
            Command::FetchDates,
            Command::FetchHeader(uid),
            Command::FetchSize(uid),
            Command::FetchSizesFrom(uid),
        ] {
            let text = command.to_string();
            assert!(
                !text.contains("BODY[") && !text.contains("RFC822.TEXT"),
                "{text}"
            );
        }
    }
}
