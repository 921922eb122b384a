//! Ways around what a server announces, and then does not do.
//!
//! A refusal of the way to sign in has judged no password, so one way more is tried, and no weaker
//! one: SCRAM without the binding, the first message of PLAIN behind the server's prompt, and then
//! USER and PASS, which show the server no more than PLAIN does. Each once.

use super::{Auth, Error, Method};
use crate::sasl::Mechanism;

/// What is done otherwise than the server's capabilities suggest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Detour {
    /// SCRAM is not bound to the connection.
    Unbound,
    /// PLAIN waits for the server's prompt.
    TwoSteps,
    /// USER and PASS instead of AUTH.
    UserPass,
}

impl Detour {
    const ALL: [(&'static str, Self); 3] = [
        ("unbound", Self::Unbound),
        ("two-steps", Self::TwoSteps),
        ("user-pass", Self::UserPass),
    ];

    /// The word by which it is remembered.
    pub fn word(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, detour)| *detour == self);
        found.map_or("", |(word, _)| word)
    }

    /// What a word says.
    pub fn of_word(word: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == word);
        found.map(|(_, detour)| *detour)
    }

    /// What a person may want to know of it.
    pub fn remark(self) -> Option<&'static str> {
        match self {
            Self::Unbound => Some(
                "the server announces that it binds a sign-in to the TLS connection, but not by \
                 tls-exporter: signed in by SCRAM without binding, as auth = \
                 \"scram-sha-256-unbound\" does",
            ),
            Self::TwoSteps => None,
            Self::UserPass => Some(
                "the server announces AUTH, but refuses it: signed in by USER and PASS, as auth = \
                 \"user-pass\" does",
            ),
        }
    }

    /// Signs in by `attempt`, and where that gives a way around with its error, once more that way, until it
    /// gives none. It is told the way, and whether another one was refused on this connection before.
    ///
    /// # Errors
    /// The last one; or [`Error::Detour`] where the server has closed over a way around.
    pub(super) fn sign_in<S>(
        first: Option<Self>,
        mut attempt: impl FnMut(Option<Self>, bool) -> Result<S, (Error, Option<Self>)>,
    ) -> Result<(S, Option<Self>), Error> {
        let mut detour = first;
        let mut refusal = None;
        loop {
            let (error, next) = match attempt(detour, refusal.is_some()) {
                Ok(signed_in) => return Ok((signed_in, detour)),
                Err(failed) => failed,
            };
            if error.is_closed()
                && let (Some(detour), Some(source)) = (detour, refusal)
            {
                return Err(Error::Detour { detour, source });
            }
            if next.is_none() {
                return Err(error);
            }
            detour = next;
            refusal = Some(Box::new(error));
        }
    }

    /// The method instead of the one that was chosen.
    pub(super) fn method(self, chosen: Method, auth: Auth) -> Method {
        match chosen {
            Method::Sasl(Mechanism::Plain | Mechanism::Login)
                if self == Self::UserPass && auth == Auth::Auto =>
            {
                Method::UserPass
            }
            chosen => chosen,
        }
    }

    /// What is left to be tried behind a refusal of `method`, which was done by `earlier`.
    pub(super) fn around(
        method: Method,
        earlier: Option<Self>,
        auth: Auth,
        announces: impl Fn(Mechanism) -> bool,
    ) -> Option<Self> {
        match method {
            Method::Sasl(Mechanism::ScramSha256Plus | Mechanism::ScramSha1Plus) => match auth {
                Auth::Auto => [Mechanism::ScramSha256, Mechanism::ScramSha1]
                    .iter()
                    .any(|mechanism| announces(*mechanism))
                    .then_some(Self::Unbound),
                Auth::ScramSha256 | Auth::ScramSha1 => Some(Self::Unbound),
                _ => None,
            },
            Method::Sasl(Mechanism::Plain) if earlier != Some(Self::TwoSteps) => {
                Some(Self::TwoSteps)
            }
            Method::Sasl(Mechanism::Plain | Mechanism::Login) if auth == Auth::Auto => {
                Some(Self::UserPass)
            }
            _ => None,
        }
    }
}
