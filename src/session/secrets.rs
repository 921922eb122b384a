//! Keeps passwords and tokens out of whatever a server repeats.

use crate::sasl::{Secret, exchange};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use memchr::memmem;
use std::borrow::Cow;
use zeroize::Zeroizing;

/// What stands where a secret stood.
const HIDDEN: &[u8] = b"****";

/// Shorter pieces of base64 would hide innocent words as well, and tell little.
const SHORTEST_PIECE: usize = 4;

/// A message of SASL that is shorter holds no secret that is not hidden anyway.
const SHORTEST_MESSAGE: usize = 8;

/// What must not be shown: the password or token, and the forms in which SASL mechanisms send it.
#[derive(Default)]
pub(super) struct Secrets(Vec<Zeroizing<Vec<u8>>>);

impl Secrets {
    pub(super) fn new(user: &str, secret: Secret<'_>) -> Self {
        let text = secret.reveal();
        if text.is_empty() {
            return Self::default();
        }
        let mut secrets = Self(vec![Zeroizing::new(text.as_bytes().to_vec())]);
        secrets
            .0
            .extend((0..3).flat_map(|offset| pieces(text, offset)));
        secrets.add(&exchange::encode(&exchange::plain(user, text)));
        secrets
    }

    /// One more message in base64, with or without its padding, or another digest.
    pub(super) fn add(&mut self, message: &str) {
        if message.len() >= SHORTEST_MESSAGE {
            let bare = message.trim_end_matches('=');
            let forms = [message, bare].map(|form| Zeroizing::new(form.as_bytes().to_vec()));
            self.0.extend(forms);
        }
        // The whole goes before its parts.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// The octets without any secret.
    pub(super) fn hide<'a>(&self, octets: &'a [u8]) -> Cow<'a, [u8]> {
        let hide = |shown: Cow<'a, [u8]>, secret: &Zeroizing<Vec<u8>>| {
            if memmem::find(&shown, secret).is_none() {
                return shown;
            }
            let (mut hidden, mut rest) = (Vec::new(), 0);
            for at in memmem::find_iter(&shown, secret.as_slice()) {
                hidden.extend(shown.get(rest..at).unwrap_or_default());
                hidden.extend(HIDDEN);
                rest = at + secret.len();
            }
            hidden.extend(shown.get(rest..).unwrap_or_default());
            Cow::Owned(hidden)
        };
        self.0.iter().fold(Cow::Borrowed(octets), hide)
    }

    /// [`Secrets::hide`] for text.
    pub(super) fn hide_in(&self, text: String) -> String {
        match self.hide(text.as_bytes()) {
            Cow::Borrowed(_) => text,
            Cow::Owned(hidden) => String::from_utf8_lossy(&hidden).into_owned(),
        }
    }
}

/// The password in base64 behind `offset` octets of something else, as in any SASL message that
/// holds it: the digits that depend on the password alone, and those at its end that hold some
/// bits of it.
fn pieces(password: &str, offset: usize) -> Vec<Zeroizing<Vec<u8>>> {
    let octets = Zeroizing::new([&vec![0; offset], password.as_bytes()].concat());
    let digits = Zeroizing::new(BASE64_STANDARD_NO_PAD.encode(octets.as_slice()));
    let first = (offset * 8).div_ceil(6);
    let whole = octets.len() * 8 / 6;
    [first..digits.len(), first..whole]
        .into_iter()
        .filter_map(|range| digits.as_bytes().get(range))
        .filter(|piece| piece.len() >= SHORTEST_PIECE)
        .map(|piece| Zeroizing::new(piece.to_vec()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::prelude::BASE64_STANDARD;

    const PASSWORD: &str = "tr0ub4dor&3";

    fn hidden(text: &str) -> String {
        Secrets::new("ada", Secret::Password(PASSWORD)).hide_in(text.to_owned())
    }

    #[test]
    fn s47_a_password_is_hidden_wherever_it_stands() {
        let text = format!("{PASSWORD} is <{PASSWORD}{PASSWORD}>, not tr0ub4dor");
        assert_eq!(hidden(&text), "**** is <********>, not tr0ub4dor");
        assert_eq!(hidden("nothing of it"), "nothing of it");
    }

    #[test]
    fn s47_a_password_is_hidden_in_base64_whatever_is_around_it() {
        for before in ["", "a", "ab", "abc", "\0ada\0", "user=ada\x01auth=Bearer "] {
            for after in ["", "b", "bc", "\x01\x01"] {
                let base64 = BASE64_STANDARD.encode(format!("{before}{PASSWORD}{after}"));
                for base64 in [base64.as_str(), base64.trim_end_matches('=')] {
                    let hidden = hidden(base64);
                    assert!(hidden.contains("****"), "{before:?} {after:?}: {hidden}");
                    let left = hidden.replace("****", "").len();
                    assert!(
                        left <= before.len() * 8 / 6 + after.len() * 8 / 6 + 7,
                        "{hidden}"
                    );
                }
            }
        }
    }

    #[test]
    fn octets_that_are_no_text_stay_as_they_are_around_it() {
        let octets = [b"\xff\x9b".as_slice(), PASSWORD.as_bytes(), b"\xe9"].concat();
        let secrets = Secrets::new("ada", Secret::Token(PASSWORD));
        assert_eq!(secrets.hide(&octets).as_ref(), b"\xff\x9b****\xe9");
    }

    #[test]
    fn without_a_password_there_is_nothing_to_hide() {
        for nothing in [Secret::None, Secret::Password("")] {
            assert_eq!(Secrets::new("ada", nothing).hide_in("+OK".into()), "+OK");
        }
    }

    #[test]
    fn s47_what_was_said_in_an_exchange_is_hidden_too() {
        let mut secrets = Secrets::default();
        secrets.add("dXNlciBkaWdlc3Q=");
        secrets.add("AQ==");
        let text = "you said dXNlciBkaWdlc3Q= dXNlciBkaWdlc3Q AQ==";
        assert_eq!(secrets.hide_in(text.into()), "you said **** **** AQ==");
    }
}
