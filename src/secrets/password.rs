//! A password, kept out of sight, and whether a person can be asked for one.

use super::error::SecretError;
use std::fmt;
use std::io::{self, IsTerminal};
use zeroize::Zeroizing;

/// No password is longer than this; what is, is another file or a program gone wild.
pub(crate) use crate::named::LIMIT;

/// A password in memory: wiped when dropped, and never shown by `Debug`.
#[derive(Clone, Eq, PartialEq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes the secret as it is, spaces included.
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The secret itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is a password that POP3 can carry: not empty, no line break, no NUL.
    pub fn can_be_sent(&self) -> bool {
        !self.0.is_empty() && !self.0.contains(['\r', '\n', '\0'])
    }

    /// The first line of `octets`, without its line break.
    pub(crate) fn first_line(octets: &[u8]) -> Result<Self, SecretError> {
        // Editors of some systems put it there; nobody has typed it.
        let octets = octets.strip_prefix(BYTE_ORDER_MARK).unwrap_or(octets);
        let line = octets.split(|b| *b == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = std::str::from_utf8(line).map_err(|_| SecretError::NotText)?;
        Self::new(line.to_owned()).checked()
    }

    pub(super) fn checked(self) -> Result<Self, SecretError> {
        if self.0.is_empty() {
            Err(SecretError::Empty)
        } else if self.can_be_sent() {
            Ok(self)
        } else {
            Err(SecretError::LineBreak)
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// What may stand before the text of a file.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether a person sits at the terminal who could be asked for a password.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}
