//! Commands and their encoding (RFC 1939 sections 5 to 7; RFC 2449 section 4; RFC 5034 section 4).

use super::listing::MessageNumber;
use super::status::Shape;
use std::fmt;

/// The longest command line, CRLF included (RFC 2449 section 4).
pub const COMMAND_LIMIT: usize = 255;

/// A command as it is sent. Its `Display` and `Debug` are safe to log: secrets are left out.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Command<'a> {
    /// APOP with the user's name and the digest
    Apop(&'a str, &'a str),
    /// AUTH with a SASL mechanism and, where it fits, an initial response in base64.
    Auth {
        /// The mechanism's registered name.
        mechanism: &'a str,
        /// The initial response in base64.
        initial_response: Option<&'a str>,
    },
    /// CAPA
    Capa,
    /// DELE n
    Dele(MessageNumber),
    /// LIST of the whole maildrop
    List,
    /// NOOP
    Noop,
    /// PASS; the password goes as it is, spaces included
    Pass(&'a str),
    /// QUIT
    Quit,
    /// RETR n, and how many octets the scan listing promised (0 where unknown)
    Retr(MessageNumber, u64),
    /// RSET
    Rset,
    /// STAT
    Stat,
    /// STLS (RFC 2595 section 4)
    Stls,
    /// TOP n m: the header, the blank line and m lines of the body
    Top(MessageNumber, u8),
    /// UIDL of the whole maildrop
    Uidl,
    /// USER
    User(&'a str),
    /// UTF8 (RFC 6856 section 2)
    Utf8,
}

/// An argument that cannot be sent: it would end the line early or exceed [`COMMAND_LIMIT`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unsendable {
    /// It holds CR, LF or NUL and would smuggle in a second command.
    #[error("it holds a line break or a NUL")]
    LineBreak,
    /// The line would be too long for RFC 2449.
    #[error("the command line would be longer than 255 bytes")]
    TooLong,
}

impl Command<'_> {
    /// Appends the command line with its CRLF to `line`.
    pub(super) fn encode(&self, line: &mut Vec<u8>) -> Result<(), Unsendable> {
        let start = line.len();
        let mut push = |parts: &[&str]| parts.iter().for_each(|p| line.extend(p.as_bytes()));
        match self {
            Self::Auth {
                mechanism,
                initial_response,
            } => match initial_response {
                Some(response) => push(&["AUTH ", mechanism, " ", response]),
                None => push(&["AUTH ", mechanism]),
            },
            Self::Apop(name, digest) => push(&["APOP ", name, " ", digest]),
            Self::Pass(password) => push(&["PASS ", password]),
            Self::User(name) => push(&["USER ", name]),
            plain => push(&[&plain.to_string()]),
        }
        let sent = line.get(start..).unwrap_or_default();
        let fault = if sent.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
            Some(Unsendable::LineBreak)
        } else if sent.len() + 2 > COMMAND_LIMIT && !self.may_be_long() {
            Some(Unsendable::TooLong)
        } else {
            None
        };
        if let Some(fault) = fault {
            line.truncate(start);
            return Err(fault);
        }
        line.extend(b"\r\n");
        Ok(())
    }

    /// A password longer than the RFC allows for is the person's own choice: the server decides.
    fn may_be_long(&self) -> bool {
        matches!(self, Self::Pass(_))
    }

    /// What the reply to this command looks like.
    pub(super) fn shape(&self) -> Shape {
        match self {
            Self::Auth { .. } => Shape::Sasl,
            Self::Capa | Self::List | Self::Uidl => Shape::Lines,
            Self::Retr(_, octets) => Shape::Body { octets: *octets },
            Self::Top(..) => Shape::Body { octets: 0 },
            _ => Shape::Single,
        }
    }
}

impl fmt::Display for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apop(name, _) => write!(f, "APOP {name} ****"),
            Self::Auth {
                mechanism,
                initial_response: Some(_),
            } => write!(f, "AUTH {mechanism} ****"),
            Self::Auth { mechanism, .. } => write!(f, "AUTH {mechanism}"),
            Self::Capa => f.write_str("CAPA"),
            Self::Dele(number) => write!(f, "DELE {number}"),
            Self::List => f.write_str("LIST"),
            Self::Noop => f.write_str("NOOP"),
            Self::Pass(_) => f.write_str("PASS ****"),
            Self::Quit => f.write_str("QUIT"),
            Self::Retr(number, _) => write!(f, "RETR {number}"),
            Self::Rset => f.write_str("RSET"),
            Self::Stat => f.write_str("STAT"),
            Self::Stls => f.write_str("STLS"),
            Self::Top(number, lines) => write!(f, "TOP {number} {lines}"),
            Self::Uidl => f.write_str("UIDL"),
            Self::User(name) => write!(f, "USER {name}"),
            Self::Utf8 => f.write_str("UTF8"),
        }
    }
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(command: Command<'_>) -> String {
        let mut line = Vec::new();
        command.encode(&mut line).unwrap();
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn s47_s49_a_password_is_sent_as_it_is_and_never_shown() {
        let command = Command::Pass(" two  spaces ");
        assert_eq!(encoded(command), "PASS  two  spaces \r\n");
        assert_eq!(command.to_string(), "PASS ****");
        assert_eq!(format!("{command:?}"), "PASS ****");
    }

    #[test]
    fn s47_s49_an_initial_response_is_never_shown() {
        let command = Command::Auth {
            mechanism: "PLAIN",
            initial_response: Some("AGFkYQBzZWNyZXQ="),
        };
        assert_eq!(encoded(command), "AUTH PLAIN AGFkYQBzZWNyZXQ=\r\n");
        assert_eq!(command.to_string(), "AUTH PLAIN ****");
        assert_eq!(format!("{command:?}"), "AUTH PLAIN ****");
    }

    #[test]
    fn s47_s49_a_digest_is_never_shown() {
        let command = Command::Apop("ada", "c4c9334bac560ecc979e58001b3e22fb");
        assert_eq!(
            encoded(command),
            "APOP ada c4c9334bac560ecc979e58001b3e22fb\r\n"
        );
        assert_eq!(
            format!("{command} {command:?}"),
            "APOP ada **** APOP ada ****"
        );
    }

    #[test]
    fn s26_an_argument_with_a_line_break_is_not_sent() {
        for name in ["ada\r\nDELE 1", "ada\n", "a\0da"] {
            let mut line = b"kept".to_vec();
            let refused = Command::User(name).encode(&mut line);
            assert_eq!(refused, Err(Unsendable::LineBreak));
            assert_eq!(line, b"kept");
        }
    }

    #[test]
    fn r15_a_line_of_more_than_255_octets_is_not_sent() {
        let longest = "u".repeat(COMMAND_LIMIT - "USER \r\n".len());
        assert_eq!(encoded(Command::User(&longest)).len(), COMMAND_LIMIT);
        let mut line = Vec::new();
        let refused = Command::User(&format!("{longest}u")).encode(&mut line);
        assert_eq!(refused, Err(Unsendable::TooLong));
    }
}
