//! One exchange: what we say, what we take from the server, and whether its `+OK` may count.

use super::credentials::{Binding, Credentials};
use super::error::Error;
use super::mechanism::Mechanism;
use super::scram::Scram;
use super::{bearer, md5};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::collections::VecDeque;
use zeroize::Zeroizing;

/// More challenges than this are no sign-in. SCRAM has three.
const ROUNDS: usize = 8;

/// More octets of challenges than this are no sign-in either.
const CHALLENGES: usize = 64 * 1024;

/// What goes to the server, in base64; wiped when dropped.
pub type Response = Zeroizing<String>;

/// See the [module](super).
pub struct Exchange {
    mechanism: Mechanism,
    /// What can be said before anything was asked, until it is said.
    first: Option<Response>,
    /// It went with the command; a server may ask for it all the same, once.
    sent: Option<Response>,
    dialogue: Dialogue,
    rounds: usize,
    octets: usize,
    refused: Option<String>,
    /// It went wrong: nothing that follows can make it right.
    failed: bool,
}

/// What is still to be said.
enum Dialogue {
    /// These, one for each challenge, whatever it says.
    Messages(VecDeque<Response>),
    /// Nothing, unless the token is refused.
    Bearer {
        refused: bool,
    },
    /// The answer to one challenge, while there is a secret to make it with.
    CramMd5(Option<(String, Zeroizing<String>)>),
    Scram(Box<Scram>),
}

impl Exchange {
    /// Prepares an exchange; nothing is said yet.
    ///
    /// # Errors
    /// [`Error::Unbindable`] for a -PLUS mechanism without [`Binding::TlsExporter`].
    pub fn begin(
        mechanism: Mechanism,
        credentials: &Credentials<'_>,
        binding: Binding,
    ) -> Result<Self, Error> {
        let (user, secret) = (credentials.user, credentials.secret.reveal());
        let just = |messages: &[&str]| {
            let mut messages: VecDeque<_> = messages.iter().map(|text| encode(text)).collect();
            (messages.pop_front(), Dialogue::Messages(messages))
        };
        let (first, dialogue) = match mechanism {
            Mechanism::Plain => just(&[&plain(user, secret)]),
            Mechanism::Login => just(&[user, secret]),
            // The user as the authorization identity, so that we get the maildrop that is meant.
            Mechanism::External => just(&[user]),
            Mechanism::OAuthBearer => (
                Some(encode(&bearer::oauthbearer(credentials, secret))),
                Dialogue::Bearer { refused: false },
            ),
            Mechanism::XOAuth2 => (
                Some(encode(&bearer::xoauth2(user, secret))),
                Dialogue::Bearer { refused: false },
            ),
            Mechanism::CramMd5 => {
                let secret = Zeroizing::new(secret.to_owned());
                (None, Dialogue::CramMd5(Some((user.to_owned(), secret))))
            }
            Mechanism::ScramSha256Plus
            | Mechanism::ScramSha1Plus
            | Mechanism::ScramSha256
            | Mechanism::ScramSha1 => {
                let (scram, first) = Scram::begin(mechanism, user, secret, binding)?;
                (
                    Some(encode_octets(&first)),
                    Dialogue::Scram(Box::new(scram)),
                )
            }
        };
        Ok(Self {
            mechanism,
            first,
            sent: None,
            dialogue,
            rounds: 0,
            octets: 0,
            refused: None,
            failed: false,
        })
    }

    /// What goes with the command, if the mechanism has it and it needs no more than `room` octets.
    pub fn initial_response(&mut self, room: usize) -> Option<Response> {
        if self.mechanism.waits() {
            return None;
        }
        let first = self.first.take_if(|first| first.len() <= room)?;
        self.sent = Some(first.clone());
        Some(match first.as_str() {
            // RFC 5034 section 4: an empty one must be told from none.
            "" => Zeroizing::new("=".to_owned()),
            _ => first,
        })
    }

    /// The answer to a challenge.
    ///
    /// # Errors
    /// The exchange is over; the server is to be told so with `*` (RFC 5034 section 4).
    pub fn respond(&mut self, challenge: &[u8]) -> Result<Response, Error> {
        if self.failed {
            return Err(Error::Unexpected);
        }
        let answer = self.answer(challenge);
        self.failed = answer.is_err();
        answer
    }

    fn answer(&mut self, challenge: &[u8]) -> Result<Response, Error> {
        self.rounds += 1;
        self.octets = self.octets.saturating_add(challenge.len());
        if self.rounds > ROUNDS || self.octets > CHALLENGES {
            return Err(Error::Endless);
        }
        if let Some(first) = self.first.take() {
            let asked = challenge.trim_ascii().is_empty() || self.mechanism.takes_any_prompt();
            return asked.then_some(first).ok_or(Error::Unexpected);
        }
        let empty = challenge.trim_ascii().is_empty();
        if let Some(sent) = self.sent.take()
            && empty
        {
            return Ok(sent);
        }
        let decoded = BASE64_STANDARD.decode(challenge);
        match &mut self.dialogue {
            Dialogue::Messages(messages) => {
                let next = messages.pop_front().ok_or(Error::Unexpected)?;
                decoded.map(|_| next).map_err(|_| Error::NotBase64)
            }
            Dialogue::Bearer { refused: true } => Err(Error::Unexpected),
            Dialogue::Bearer { refused } => {
                *refused = true;
                self.refused = decoded.ok().and_then(|json| bearer::status(&json));
                Ok(Zeroizing::new(match self.mechanism {
                    // The dummy of RFC 7628 section 3.2.3: a lone ^A.
                    Mechanism::OAuthBearer => "AQ==".to_owned(),
                    _ => String::new(),
                }))
            }
            Dialogue::CramMd5(secret) => {
                let (user, password) = secret.take().ok_or(Error::Unexpected)?;
                let challenge = decoded.map_err(|_| Error::NotBase64)?;
                if challenge.is_empty() {
                    return Err(Error::Empty);
                }
                Ok(encode(&md5::cram(&user, &password, &challenge)))
            }
            Dialogue::Scram(scram) => {
                let challenge = decoded.map_err(|_| Error::NotBase64)?;
                Ok(encode_octets(&scram.respond(&challenge)?))
            }
        }
    }

    /// Whether a `+OK` can be nothing but a badly written first challenge: nothing that could be
    /// accepted has been said yet (fact Q14).
    pub fn is_prompted_by_ok(&self) -> bool {
        self.first.is_some() && self.mechanism.takes_any_prompt()
    }

    /// Whether `+OK` may count.
    ///
    /// # Errors
    /// [`Error::Unfinished`] where the server lets us in before all was said, or before it has
    /// proved who it is.
    pub fn accepted(&self) -> Result<(), Error> {
        let over = match &self.dialogue {
            Dialogue::Messages(messages) => messages.is_empty(),
            Dialogue::Bearer { refused } => !refused,
            Dialogue::CramMd5(secret) => secret.is_none(),
            Dialogue::Scram(scram) => scram.is_over(),
        };
        if over && self.first.is_none() && !self.failed {
            Ok(())
        } else {
            Err(Error::Unfinished)
        }
    }

    /// What the server said about the token that it refuses (RFC 7628 section 3.2.2), made
    /// harmless.
    pub fn token_status(&self) -> Option<&str> {
        self.refused.as_deref()
    }
}

/// The message of PLAIN (RFC 4616): no authorization identity, then user and password.
pub fn plain(user: &str, password: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("\0{user}\0{password}"))
}

/// Text in base64.
pub fn encode(text: &str) -> Response {
    encode_octets(text.as_bytes())
}

fn encode_octets(octets: &[u8]) -> Response {
    Zeroizing::new(BASE64_STANDARD.encode(octets))
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod tests;
