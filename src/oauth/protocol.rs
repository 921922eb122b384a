//! The messages: what is asked, what is answered. No network, no clock, no files.

use super::{Client, Error};
use crate::term::{Veil, percent, unpercent};
use crate::web::Answer;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

/// The most of a provider's words that is worth telling.
const WORDS: usize = 200;

/// An access token that says nothing of its end is good for so long (seconds).
const USUAL_LIFE: i64 = 3600;

/// What a person's sign-in is worth: kept from run to run.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct Grant {
    /// Chosen at random at the sign-in: another one means that a person has signed in anew.
    pub login: String,
    /// What access tokens are got with.
    pub refresh_token: Zeroizing<String>,
    /// The newest one.
    pub access_token: Zeroizing<String>,
    /// Until when that one is good, in seconds since 1970.
    pub expires: i64,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grant({}, until {})", self.login, self.expires)
    }
}

/// What a person is told who signs in with another device (RFC 8628 section 3.2).
#[derive(Clone, Deserialize)]
pub struct DevicePrompt {
    pub(super) device_code: Zeroizing<String>,
    /// What to type there; hostile.
    pub user_code: String,
    /// Where; hostile.
    #[serde(alias = "verification_url")]
    pub verification_uri: String,
    #[serde(default = "ten_minutes")]
    pub(super) expires_in: u64,
    #[serde(default = "five_seconds")]
    pub(super) interval: u64,
}

fn ten_minutes() -> u64 {
    600
}

fn five_seconds() -> u64 {
    5
}

#[derive(Deserialize)]
struct Tokens {
    access_token: Zeroizing<String>,
    #[serde(default)]
    refresh_token: Option<Zeroizing<String>>,
    #[serde(default)]
    token_type: Option<String>,
    #[serde(default)]
    expires_in: Option<i64>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// The fields of a request that prove something.
const SECRET_FIELDS: &[&str] = &[
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "refresh_token",
];

/// Covers the secrets of a request.
pub(super) fn veil_of(form: &str) -> Veil {
    let mut veil = Veil::default();
    for secret in SECRET_FIELDS.iter().filter_map(|name| field(form, name)) {
        veil.cover(&Zeroizing::new(secret));
    }
    veil
}

/// What a poll of the device flow has brought (RFC 8628 section 3.5).
pub(super) enum Polled {
    Done(Grant),
    Pending,
    SlowDown,
}

/// The secret that ties the redirect to whoever asks for the token (RFC 7636), and its hash.
pub(super) struct Pkce {
    pub(super) verifier: Zeroizing<String>,
    pub(super) challenge: String,
}

impl Pkce {
    pub(super) fn new(random: &[u8; 32]) -> Self {
        let verifier = Zeroizing::new(BASE64.encode(random));
        let challenge = BASE64.encode(Sha256::digest(verifier.as_bytes()));
        Self {
            verifier,
            challenge,
        }
    }
}

/// Random octets as a word.
pub(super) fn word(random: &[u8; 32]) -> String {
    BASE64.encode(random)
}

/// Where the browser goes (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
pub(super) fn authorization_url(
    client: &Client,
    user: &str,
    redirect: &str,
    state: &str,
    challenge: &str,
) -> Option<String> {
    let endpoint = client.authorization.as_ref()?.url();
    let mut fields = vec![
        ("response_type", "code"),
        ("client_id", client.id.as_str()),
        ("redirect_uri", redirect),
        ("scope", &client.scope),
        ("state", state),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
        ("login_hint", user),
    ];
    fields.extend(client.extra);
    let joint = if endpoint.contains('?') { '&' } else { '?' };
    Some(format!("{endpoint}{joint}{}", form(&fields).as_str()))
}

/// The body of a request to the token endpoint: `fields`, and who asks.
pub(super) fn request(client: &Client, fields: &[(&str, &str)]) -> Zeroizing<String> {
    let mut all = fields.to_vec();
    all.push(("client_id", &client.id));
    if let Some(secret) = &client.secret {
        all.push(("client_secret", &secret.0));
    }
    form(&all)
}

/// `application/x-www-form-urlencoded`.
pub(super) fn form(fields: &[(&str, &str)]) -> Zeroizing<String> {
    // Enough for it not to move: what it moved from would not be wiped.
    let longest = fields.iter().map(|(n, v)| n.len() + 3 * v.len() + 2).sum();
    let mut form = Zeroizing::new(String::with_capacity(longest));
    for (name, value) in fields {
        if !form.is_empty() {
            form.push('&');
        }
        form.push_str(name);
        form.push('=');
        percent(&mut form, value.as_bytes(), |octet| {
            octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)
        });
    }
    form
}

/// Reads `x-www-form-urlencoded` text; the value of `name`.
pub(super) fn field(query: &str, name: &str) -> Option<String> {
    let value = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(field, _)| *field == name)?
        .1;
    String::from_utf8(unpercent(&value.replace('+', " "))?).ok()
}

/// The tokens of an answer, as a grant that goes on from `earlier`.
pub(super) fn grant(
    answer: &Answer,
    login: &str,
    earlier: Option<&Grant>,
    now: i64,
) -> Result<Grant, Error> {
    let tokens: Tokens = read(answer)?;
    let unusable = |reason| Error::Answer {
        host: answer.host.clone(),
        reason,
    };
    let bearer = tokens.token_type.as_deref().unwrap_or("bearer");
    if !bearer.eq_ignore_ascii_case("bearer") {
        return Err(unusable("its token is no bearer token"));
    }
    // What a mail server is sent stands between two ^A, and on a line.
    let sound = |token: &str| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    if !sound(&tokens.access_token) {
        return Err(unusable("its access token is none"));
    }
    let refresh_token = tokens
        .refresh_token
        .filter(|token| !token.is_empty())
        .or_else(|| earlier.map(|grant| grant.refresh_token.clone()))
        .ok_or_else(|| Error::NoRefreshToken(answer.host.clone()))?;
    let life = tokens.expires_in.filter(|life| *life >= 0);
    Ok(Grant {
        login: login.to_owned(),
        refresh_token,
        access_token: tokens.access_token,
        expires: now.saturating_add(life.unwrap_or(USUAL_LIFE)),
    })
}

/// What a poll of the device flow has brought.
pub(super) fn polled(answer: &Answer, login: &str, now: i64) -> Result<Polled, Error> {
    match grant(answer, login, None, now) {
        Ok(grant) => Ok(Polled::Done(grant)),
        Err(Error::Refused { error, .. }) if error == "authorization_pending" => {
            Ok(Polled::Pending)
        }
        Err(Error::Refused { error, .. }) if error == "slow_down" => Ok(Polled::SlowDown),
        Err(Error::Refused { error, .. }) if error == "access_denied" => Err(Error::Declined),
        Err(error) => Err(error),
    }
}

/// How long a device code may be asked for, and how often.
pub(super) fn pace(prompt: &DevicePrompt, longest: Duration) -> (Duration, Duration) {
    let life = Duration::from_secs(prompt.expires_in).min(longest);
    (life, Duration::from_secs(prompt.interval.min(60)))
}

/// The JSON of a good answer, or the refusal that it is.
pub(super) fn read<T: for<'a> Deserialize<'a>>(answer: &Answer) -> Result<T, Error> {
    let host = answer.host.clone();
    match answer.code {
        200..=299 => serde_json::from_slice(&answer.body).map_err(|_| Error::Answer {
            host,
            reason: "it is not the JSON that was expected",
        }),
        code @ (429 | 500..=599) => Err(Error::Busy { host, code }),
        _ => match serde_json::from_slice::<Refusal>(&answer.body) {
            Ok(refusal) => Err(Error::Refused {
                host,
                error: {
                    // Again, for what was apart may have come together.
                    let error = harmless(&answer.veil.hide_in(refusal.error));
                    word_of(&answer.veil.hide_in(error))
                },
                description: {
                    let described = answer.veil.hide_in(refusal.error_description);
                    described.chars().take(WORDS).collect()
                },
            }),
            Err(_) => Err(Error::Answer {
                host,
                reason: "it is neither a token nor a refusal",
            }),
        },
    }
}

/// An error's name, as RFC 6749 section 5.2 allows it, and no more of it than fits on a line.
pub(super) fn word_of(error: &str) -> String {
    harmless(error).chars().take(64).collect()
}

fn harmless(error: &str) -> String {
    let harmless = |c: &char| c.is_ascii_graphic() && *c != '"';
    error.chars().filter(harmless).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: u16, body: &str) -> Answer {
        Answer {
            host: "id.example.com".into(),
            code,
            location: None,
            body: Zeroizing::new(body.into()),
            veil: veil_of(""),
        }
    }

    /// RFC 7636 appendix B.
    #[test]
    fn the_challenge_is_the_hash_of_the_verifier() {
        let octets = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212,
            37, 77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let pkce = Pkce::new(&octets);
        assert_eq!(
            pkce.verifier.as_str(),
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        );
        assert_eq!(
            pkce.challenge,
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn a_form_says_exactly_what_went_in() {
        let text = "a b&c=d+%\u{e9}/~";
        let encoded = form(&[("x", "1"), ("y", text)]);
        assert_eq!(encoded.as_str(), "x=1&y=a%20b%26c%3Dd%2B%25%C3%A9%2F~");
        assert_eq!(field(&encoded, "y").unwrap(), text);
        assert_eq!(field("y=a+b", "y").unwrap(), "a b");
        for broken in ["y=%", "y=%4", "y=%zz", "y=%ff", "z=1", ""] {
            assert_eq!(field(broken, "y"), None, "{broken}");
        }
    }

    #[test]
    fn a_refresh_token_stays_until_another_one_comes() {
        let first = r#"{"access_token":"a1","refresh_token":"r1","token_type":"Bearer",
                        "expires_in":3599}"#;
        let first = grant(&answer(200, first), "l", None, 1000).unwrap();
        assert_eq!((first.refresh_token.as_str(), first.expires), ("r1", 4599));
        let same = r#"{"access_token":"a2"}"#;
        let same = grant(&answer(200, same), "l", Some(&first), 5000).unwrap();
        assert_eq!((same.refresh_token.as_str(), same.expires), ("r1", 8600));
        let other = r#"{"access_token":"a3","refresh_token":"r2"}"#;
        let other = grant(&answer(200, other), "l", Some(&same), 0).unwrap();
        assert_eq!(other.refresh_token.as_str(), "r2");
    }

    #[test]
    fn what_is_no_token_is_an_error_without_a_word_of_it() {
        for body in [
            "",
            "[]",
            "<html>tr0ub4dor</html>",
            r#"{"access_token":3,"x":"tr0ub4dor"}"#,
            r#"{"access_token":"tr0ub4dor\u0001","refresh_token":"r"}"#,
            r#"{"access_token":"tr0ub4dor","refresh_token":"r","token_type":"mac"}"#,
        ] {
            let error = grant(&answer(200, body), "l", None, 0).unwrap_err();
            assert!(matches!(error, Error::Answer { .. }), "{body}");
            assert!(!error.to_string().contains("tr0ub4dor"), "{body}");
        }
    }

    #[test]
    fn a_token_that_cannot_be_renewed_is_no_sign_in() {
        let body = r#"{"access_token":"tr0ub4dor"}"#;
        let error = grant(&answer(200, body), "l", None, 0).unwrap_err();
        assert!(matches!(error, Error::NoRefreshToken(_)));
        assert!(!error.to_string().contains("tr0ub4dor"), "{error}");
    }

    #[test]
    fn a_refusal_is_told_in_harmless_words() {
        let body =
            "{\"error\":\"invalid_grant\\u001b[31m\",\"error_description\":\"no\\u009b\\n\"}";
        let error = grant(&answer(400, body), "l", None, 0).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("id.example.com refuses: invalid_grant[31m (\"no"));
        assert!(!text.contains(char::is_control), "{text:?}");
        for code in [429, 500, 503] {
            let error = grant(&answer(code, "{}"), "l", None, 0).unwrap_err();
            assert!(matches!(error, Error::Busy { .. }));
        }
    }
}
