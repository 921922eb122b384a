//! Signing in and listing in one flight, with a server that is known to take it.
//!
//! The first session with a server asks for its capabilities, signs in, and then asks for the
//! listings: three round trips. One that has pipelined both before and after the sign-in, and has
//! taken the credentials in one message, can be sent all of it at once the next time. Nothing of
//! RFC 2449 section 6.8 speaks against that: AUTH with an initial response, USER and PASS are
//! commands like others. After STLS nothing that was known counts (RFC 2595 section 4).

use super::{Auth, Credentials, Method};
use crate::sasl::{Mechanism, Secret};

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
        // What is beyond ASCII may take UTF8, of which nothing is known yet.
        let Secret::Password(password) = credentials.secret else {
            return false;
        };
        allowed && password.is_ascii() && credentials.user.is_ascii()
    }
}
