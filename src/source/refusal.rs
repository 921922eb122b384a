//! A sign-in that was refused, and what may be told of it.

use super::answer::{Answer, Meaning};
use super::link::Link;
use super::{Error, Method};
use crate::sasl::{self, Denial};

/// The most of a server's `status` for a token that is worth telling.
const TOKEN_STATUS: usize = 64;

/// What a server has said to a sign-in.
pub(super) struct Refusal {
    /// How it was tried.
    pub(super) method: Method,
    /// Its answer.
    pub(super) answer: Answer,
    /// See [`Error::SignIn`].
    pub(super) would_say_auth: bool,
}

impl Refusal {
    /// With the `status` that the server gives for refusing a token.
    pub(super) fn into_error(self, token_status: Option<&str>, link: &Link) -> Error {
        let token_status = token_status.and_then(|status| {
            // Again, for what was apart may have come together.
            let status = harmless(&link.hidden(status));
            cut(link.hidden(&status))
        });
        Error::SignIn {
            method: self.method,
            answer: self.answer,
            judged: None,
            token_status,
            would_say_auth: self.would_say_auth,
        }
    }
}

/// What the mechanism's own refusal means.
pub(super) fn judgement(reason: sasl::Error) -> Option<Meaning> {
    match reason {
        sasl::Error::Refused(Denial::Credentials) => Some(Meaning::Credentials),
        sasl::Error::Refused(Denial::Binding) => Some(Meaning::Command),
        sasl::Error::Refused(Denial::Passing) => Some(Meaning::Passing),
        _ => None,
    }
}

/// A token's status without anything that could disturb a terminal.
fn harmless(status: &str) -> String {
    let harmless = |c: &char| c.is_ascii_graphic() && *c != '"' || *c == ' ';
    status.chars().filter(harmless).collect()
}

/// What is told of it; `None` where nothing is left.
fn cut(status: String) -> Option<String> {
    let status: String = status.chars().take(TOKEN_STATUS).collect();
    (!status.is_empty()).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s25_only_what_is_harmless_is_told_of_a_tokens_status() {
        let told = |status: &str| cut(harmless(status));
        assert_eq!(told("401").as_deref(), Some("401"));
        let hostile = told("in\u{1b}]52;va\u{9b}lid\u{202e}\"x");
        assert_eq!(hostile.as_deref(), Some("in]52;validx"));
        assert_eq!(told(&"x".repeat(4000)).unwrap().len(), TOKEN_STATUS);
        assert_eq!(told("\u{202e}"), None);
    }
}
