//! Signing in and listing in one flight, with a server that is known to take it.
//!
//! Capabilities, sign-in, listings: that is three round trips one by one. A server that announces
//! PIPELINING before the sign-in and takes the credentials in one message gets sign-in and listings
//! in one flight, and one that has shown it before is not asked for its capabilities first. Nothing
//! of RFC 2449 section 6.6 speaks against that: AUTH with an initial response, USER and PASS are
//! commands like others. After STLS nothing that was known counts (RFC 2595 section 4).

use super::{Auth, Credentials, Method};
use crate::sasl::{Mechanism, Secret};

/// Octets of user name and password that AUTH PLAIN can carry in one line of 255 octets
/// (RFC 2449 section 4), in base64 and with their two NULs.
const ONE_LINE: usize = 178;

/// How a server was signed in to that may be sent the listings' commands in the same flight.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shortcut {
    way: Way,
    /// It announces AUTH-RESP-CODE, which tells how to take a refusal.
    pub(super) auth_resp_code: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    Plain,
    UserPass,
}

impl Shortcut {
    const ALL: [(&'static str, Self); 4] = [
        ("plain", Self::new(Way::Plain, false)),
        ("plain+", Self::new(Way::Plain, true)),
        ("user-pass", Self::new(Way::UserPass, false)),
        ("user-pass+", Self::new(Way::UserPass, true)),
    ];

    const fn new(way: Way, auth_resp_code: bool) -> Self {
        Self {
            way,
            auth_resp_code,
        }
    }

    /// The word by which it is remembered.
    pub fn word(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, shortcut)| *shortcut == self);
        found.map_or("", |(word, _)| word)
    }

    /// What a word says.
    pub fn of_word(word: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == word);
        found.map(|(_, shortcut)| *shortcut)
    }

    /// The one that a session leads to in which the server took `method` in one message.
    pub(super) fn after(method: Method, auth_resp_code: bool) -> Option<Self> {
        let way = match method {
            Method::Sasl(Mechanism::Plain) => Way::Plain,
            Method::UserPass => Way::UserPass,
            _ => return None,
        };
        Some(Self::new(way, auth_resp_code))
    }

    pub(super) fn method(self) -> Method {
        match self.way {
            Way::Plain => Method::Sasl(Mechanism::Plain),
            Way::UserPass => Method::UserPass,
        }
    }

    /// Whether it is a way for these credentials: the profile may have changed since.
    pub(super) fn fits(self, credentials: &Credentials<'_>) -> bool {
        let allowed = match credentials.auth {
            Auth::Auto => true,
            Auth::Plain => self.way == Way::Plain,
            Auth::UserPass => self.way == Way::UserPass,
            _ => false,
        };
        let Secret::Password(password) = credentials.secret else {
            return false;
        };
        let user = credentials.user;
        // What is beyond ASCII may take UTF8 first.
        let plain = password.is_ascii() && user.is_ascii();
        allowed && plain && user.len() + password.len() <= ONE_LINE
    }
}
