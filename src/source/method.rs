//! Which way to sign in: what the profile allows, what the server announces, what the line can do.

use super::Error;
use crate::sasl::{Mechanism, Secret};
use std::fmt;

/// How to sign in, as the profile says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Auth {
    /// The strongest method that the server announces.
    #[default]
    Auto,
    /// APOP (RFC 1939 section 7).
    Apop,
    /// SASL CRAM-MD5.
    CramMd5,
    /// SASL EXTERNAL: the client's certificate says who it is.
    External,
    /// SASL LOGIN.
    Login,
    /// SASL OAUTHBEARER; the secret is an access token.
    OAuthBearer,
    /// SASL PLAIN.
    Plain,
    /// SASL SCRAM-SHA-1, bound to the TLS connection where both sides can.
    ScramSha1,
    /// The same, bound or not at all.
    ScramSha1Plus,
    /// The same, never bound.
    ScramSha1Unbound,
    /// SASL SCRAM-SHA-256, bound to the TLS connection where both sides can.
    ScramSha256,
    /// The same, bound or not at all.
    ScramSha256Plus,
    /// The same, never bound.
    ScramSha256Unbound,
    /// USER and PASS (RFC 1939 section 7), or the LOGIN command of IMAP.
    UserPass,
    /// SASL XOAUTH2; the secret is an access token.
    XOAuth2,
}

impl Auth {
    /// All of them by the words of the config file.
    pub const ALL: [(&'static str, Self); 15] = [
        ("auto", Self::Auto),
        ("plain", Self::Plain),
        ("login", Self::Login),
        ("user-pass", Self::UserPass),
        ("scram-sha-256", Self::ScramSha256),
        ("scram-sha-256-plus", Self::ScramSha256Plus),
        ("scram-sha-256-unbound", Self::ScramSha256Unbound),
        ("scram-sha-1", Self::ScramSha1),
        ("scram-sha-1-plus", Self::ScramSha1Plus),
        ("scram-sha-1-unbound", Self::ScramSha1Unbound),
        ("external", Self::External),
        ("oauthbearer", Self::OAuthBearer),
        ("xoauth2", Self::XOAuth2),
        ("cram-md5", Self::CramMd5),
        ("apop", Self::Apop),
    ];

    /// Its word in the config file.
    pub fn word(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, auth)| *auth == self);
        found.map_or("auto", |(word, _)| word)
    }

    /// The method of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == word);
        found.map(|(_, auth)| *auth)
    }

    /// What `text`, the account's secret, is for this method.
    pub fn secret(self, text: &str) -> Secret<'_> {
        match self {
            Self::External => Secret::None,
            Self::OAuthBearer | Self::XOAuth2 => Secret::Token(text),
            _ => Secret::Password(text),
        }
    }

    /// The server is not told that we could bind the sign-in to the connection.
    pub(super) fn is_unbound(self) -> bool {
        matches!(self, Self::ScramSha1Unbound | Self::ScramSha256Unbound)
    }

    /// It means nothing, or protects nothing, outside of TLS.
    pub fn needs_tls(self) -> bool {
        matches!(
            self,
            Self::Apop
                | Self::CramMd5
                | Self::External
                | Self::ScramSha1Plus
                | Self::ScramSha256Plus
        )
    }
}

/// The one method that is tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// APOP.
    Apop,
    /// The LOGIN command of IMAP.
    Login,
    /// None: the server has greeted us as somebody (PREAUTH of IMAP).
    Known,
    /// AUTH, or AUTHENTICATE, with this mechanism.
    Sasl(Mechanism),
    /// USER and PASS.
    UserPass,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Apop => "APOP",
            Self::Login => "the LOGIN command",
            Self::Known => "the connection itself (PREAUTH)",
            Self::Sasl(mechanism) => mechanism.name(),
            Self::UserPass => "USER and PASS",
        })
    }
}

/// Chooses the method. A method that the profile names is tried even where the server does not
/// announce it: some announce their mechanisms only after the sign-in.
pub(super) fn choose(
    auth: Auth,
    secret: Secret<'_>,
    announces: impl Fn(Mechanism) -> bool,
    can_bind: bool,
) -> Result<Method, Error> {
    let offered =
        |mechanism: &Mechanism| announces(*mechanism) && (can_bind || !mechanism.is_bound());
    let strongest = |mechanisms: &[Mechanism]| mechanisms.iter().copied().find(offered);
    let bound_if_offered = |bound, otherwise| match offered(&bound) {
        true => bound,
        false => otherwise,
    };
    let mechanism = match auth {
        Auth::Auto => {
            return match secret {
                Secret::Password(_) => {
                    Ok(strongest(&Mechanism::FOR_PASSWORDS).map_or(Method::UserPass, Method::Sasl))
                }
                Secret::Token(_) => strongest(&Mechanism::FOR_TOKENS)
                    .map(Method::Sasl)
                    .ok_or(Error::NoMethod),
                Secret::None => Ok(Method::Sasl(Mechanism::External)),
            };
        }
        Auth::Apop => return Ok(Method::Apop),
        Auth::UserPass => return Ok(Method::UserPass),
        Auth::CramMd5 => Mechanism::CramMd5,
        Auth::External => Mechanism::External,
        Auth::Login => Mechanism::Login,
        Auth::OAuthBearer => Mechanism::OAuthBearer,
        Auth::Plain => Mechanism::Plain,
        Auth::ScramSha1 => bound_if_offered(Mechanism::ScramSha1Plus, Mechanism::ScramSha1),
        Auth::ScramSha256 => bound_if_offered(Mechanism::ScramSha256Plus, Mechanism::ScramSha256),
        Auth::ScramSha1Plus => Mechanism::ScramSha1Plus,
        Auth::ScramSha1Unbound => Mechanism::ScramSha1,
        Auth::ScramSha256Unbound => Mechanism::ScramSha256,
        Auth::ScramSha256Plus => Mechanism::ScramSha256Plus,
        Auth::XOAuth2 => Mechanism::XOAuth2,
    };
    Ok(Method::Sasl(mechanism))
}

/// Whether the server offers to bind a SCRAM sign-in to the connection.
pub(super) fn offers_binding(announces: impl Fn(Mechanism) -> bool) -> bool {
    let mut bound = Mechanism::FOR_PASSWORDS.iter().filter(|m| m.is_bound());
    bound.any(|mechanism| announces(*mechanism))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: Secret<'_> = Secret::Password("secret");
    const TOKEN: Secret<'_> = Secret::Token("token");

    fn announcing(mechanisms: &str) -> impl Fn(Mechanism) -> bool {
        let announced: Vec<String> = mechanisms.split(' ').map(str::to_owned).collect();
        move |mechanism| announced.iter().any(|name| name == mechanism.name())
    }

    fn chosen(auth: Auth, secret: Secret<'_>, mechanisms: &str, can_bind: bool) -> String {
        match choose(auth, secret, announcing(mechanisms), can_bind) {
            Ok(method) => method.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn s23_auto_takes_the_strongest_that_is_announced() {
        let mut left = vec![
            "LOGIN",
            "PLAIN",
            "SCRAM-SHA-1",
            "SCRAM-SHA-256",
            "SCRAM-SHA-1-PLUS",
            "SCRAM-SHA-256-PLUS",
        ];
        while let Some(best) = left.last() {
            // In whatever order it is announced, and beside what must be asked for.
            for all in [
                left.join(" "),
                left.iter().rev().copied().collect::<Vec<_>>().join(" "),
            ] {
                let all = format!("CRAM-MD5 EXTERNAL XOAUTH2 {all} ANONYMOUS");
                assert_eq!(chosen(Auth::Auto, PASSWORD, &all, true), *best);
            }
            left.pop();
        }
        for none in [
            "",
            "CRAM-MD5 DIGEST-MD5 NTLM GSSAPI XOAUTH2 OAUTHBEARER EXTERNAL",
        ] {
            assert_eq!(chosen(Auth::Auto, PASSWORD, none, true), "USER and PASS");
        }
        let none = choose(Auth::Auto, PASSWORD, |_| false, true);
        assert_eq!(none.unwrap(), Method::UserPass);
    }

    #[test]
    fn s23_auto_takes_a_bearer_for_a_token_and_nothing_else() {
        for (mechanisms, best) in [
            ("PLAIN XOAUTH2 OAUTHBEARER", "OAUTHBEARER"),
            ("PLAIN XOAUTH2", "XOAUTH2"),
        ] {
            assert_eq!(chosen(Auth::Auto, TOKEN, mechanisms, true), best);
        }
        let none = choose(Auth::Auto, TOKEN, announcing("PLAIN LOGIN"), true);
        assert!(matches!(none, Err(Error::NoMethod)));
    }

    #[test]
    fn r31_without_the_means_for_it_no_plus_kind_is_taken() {
        let all = "SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1";
        for (auth, can_bind, method) in [
            (Auth::Auto, false, "SCRAM-SHA-256"),
            (Auth::ScramSha256, true, "SCRAM-SHA-256-PLUS"),
            (Auth::ScramSha256, false, "SCRAM-SHA-256"),
            (Auth::ScramSha1, true, "SCRAM-SHA-1-PLUS"),
            (Auth::ScramSha1, false, "SCRAM-SHA-1"),
        ] {
            assert_eq!(chosen(auth, PASSWORD, all, can_bind), method);
        }
        assert!(offers_binding(announcing(all)));
        assert!(!offers_binding(announcing("SCRAM-SHA-256 PLAIN")));
    }

    #[test]
    fn a_method_that_is_named_is_taken_whatever_is_announced() {
        for (word, auth) in Auth::ALL {
            assert_eq!(auth.word(), word);
            if auth == Auth::Auto {
                continue;
            }
            let method = chosen(auth, auth.secret("s"), "PLAIN XOAUTH2", false);
            let written = method.to_ascii_lowercase().replace(" and ", "-");
            assert_eq!(written, word.trim_end_matches("-unbound"));
        }
    }
}
