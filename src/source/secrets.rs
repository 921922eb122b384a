//! Keeps passwords and tokens out of whatever a server repeats.

use crate::sasl::{Secret, exchange};
use crate::term::Veil;
use std::borrow::Cow;

/// A message of SASL that is shorter holds no secret that is not hidden anyway.
const SHORTEST_MESSAGE: usize = 8;

/// What must not be shown: the password or token, and the forms in which SASL mechanisms send it.
#[derive(Default)]
pub(super) struct Secrets(Veil);

impl Secrets {
    pub(super) fn new(user: &str, secret: Secret<'_>) -> Self {
        let text = secret.reveal();
        let mut secrets = Self::default();
        if !text.is_empty() {
            secrets.0.cover(text);
            secrets.add(&exchange::encode(&exchange::plain(user, text)));
        }
        secrets
    }

    /// One more message in base64, with or without its padding, or another digest.
    pub(super) fn add(&mut self, message: &str) {
        if message.len() >= SHORTEST_MESSAGE {
            self.0.cover_message(message);
        }
    }

    /// The octets without any secret.
    pub(super) fn hide<'a>(&self, octets: &'a [u8]) -> Cow<'a, [u8]> {
        self.0.hide(octets)
    }

    /// [`Secrets::hide`] for text.
    pub(super) fn hide_in(&self, text: String) -> String {
        self.0.hide_in(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s47_what_was_said_in_an_exchange_is_hidden_too() {
        let mut secrets = Secrets::default();
        secrets.add("dXNlciBkaWdlc3Q=");
        secrets.add("AQ==");
        let text = "you said dXNlciBkaWdlc3Q= dXNlciBkaWdlc3Q AQ==";
        assert_eq!(secrets.hide_in(text.into()), "you said **** **** AQ==");
    }

    #[test]
    fn s47_user_and_password_are_hidden_as_plain_sends_them() {
        let secrets = Secrets::new("ada", Secret::Password("tr0ub4dor&3"));
        let sent = exchange::encode(&exchange::plain("ada", "tr0ub4dor&3"));
        let text = format!("bad line: AUTH PLAIN {}", sent.as_str());
        assert_eq!(secrets.hide_in(text), "bad line: AUTH PLAIN ****");
    }
}
