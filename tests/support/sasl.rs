//! The server's side of the sign-in methods, for the embedded server.

use base64::prelude::{BASE64_STANDARD, Engine};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};

use super::scram::{Begun, Proof, Scram};

/// A sign-in that is under way.
pub(super) struct Dialogue {
    mechanism: String,
    scram: Scram,
    step: Step,
}

enum Step {
    First,
    /// LOGIN: the user is known.
    Password(String),
    /// SCRAM: the client has yet to prove that it knows the password.
    Prove(Begun),
    /// SCRAM: all is said.
    Over(String),
    /// A token was refused, and why.
    Refused,
}

/// What the server says next.
pub(super) enum Turn {
    /// `+` and this.
    Ask(String),
    /// The password is right.
    Accept,
    /// It is not.
    Refuse,
}

/// The challenge of CRAM-MD5.
const CHALLENGE: &str = "<1896.697170952@example.com>";

impl Dialogue {
    /// Begins one, if there is such a mechanism. `binding` is the keying material of the TLS
    /// connection.
    pub(super) fn begin(mechanism: &str, scram: &Scram, binding: Option<[u8; 32]>) -> Option<Self> {
        let known = [
            "PLAIN",
            "LOGIN",
            "EXTERNAL",
            "CRAM-MD5",
            "OAUTHBEARER",
            "XOAUTH2",
            "SCRAM-SHA-1",
            "SCRAM-SHA-256",
            "SCRAM-SHA-1-PLUS",
            "SCRAM-SHA-256-PLUS",
        ];
        if !known.contains(&mechanism) {
            return None;
        }
        let mut scram = scram.clone();
        scram.sha256 = mechanism.starts_with("SCRAM-SHA-256");
        if mechanism.ends_with("-PLUS") {
            let key = binding.expect("-PLUS needs TLS 1.3");
            let header = b"p=tls-exporter,,".as_slice();
            let bound = BASE64_STANDARD.encode([header, &key].concat());
            scram.binding.get_or_insert(bound);
        }
        Some(Self {
            mechanism: mechanism.into(),
            scram,
            step: Step::First,
        })
    }

    /// Whether an initial response is taken. Microsoft's servers close over one with a token.
    pub(super) fn takes_initial_response(&self) -> bool {
        !self.is_bearer()
    }

    /// What asks for the first message.
    pub(super) fn prompt(&self) -> String {
        match self.mechanism.as_str() {
            "LOGIN" => "Username:".into(),
            "CRAM-MD5" => CHALLENGE.into(),
            _ => String::new(),
        }
    }

    /// Takes a message of the client's.
    pub(super) fn answer(&mut self, message: &str, user: &str, password: &str) -> Turn {
        let turn = |right: bool| match right {
            true => Turn::Accept,
            false => Turn::Refuse,
        };
        let step = std::mem::replace(&mut self.step, Step::Refused);
        match (self.mechanism.as_str(), step) {
            ("PLAIN", Step::First) => {
                let parts: Vec<&str> = message.split('\0').collect();
                turn(parts.len() == 3 && parts[1..] == [user, password])
            }
            ("LOGIN", Step::First) => {
                self.step = Step::Password(message.into());
                Turn::Ask("Password:".into())
            }
            ("LOGIN", Step::Password(name)) => turn(name == user && message == password),
            ("EXTERNAL", Step::First) => turn(message == user),
            ("CRAM-MD5", Step::First) => turn(message == format!("{user} {}", cram(password))),
            ("XOAUTH2", Step::First) => {
                judge(message == format!("user={user}\x01auth=Bearer {password}\x01\x01"))
            }
            ("OAUTHBEARER", Step::First) => {
                let begin = format!("n,a={user},\x01host=localhost\x01port=");
                let end = format!("\x01auth=Bearer {password}\x01\x01");
                judge(message.starts_with(&begin) && message.ends_with(&end))
            }
            (_, Step::First) => {
                self.scram.password = password.into();
                match self.scram.begin(message) {
                    Some(begun) => {
                        let ask = Turn::Ask(begun.message.clone());
                        self.step = Step::Prove(begun);
                        ask
                    }
                    None => Turn::Refuse,
                }
            }
            (_, Step::Prove(begun)) => match self.scram.finish(&begun, message) {
                Some(_) if self.scram.proof == Proof::None => turn(begun.user == user),
                Some(proof) => {
                    self.step = Step::Over(begun.user);
                    Turn::Ask(proof)
                }
                None => Turn::Refuse,
            },
            (_, Step::Over(name)) => turn(message.is_empty() && name == user),
            _ => Turn::Refuse,
        }
    }

    fn is_bearer(&self) -> bool {
        matches!(self.mechanism.as_str(), "OAUTHBEARER" | "XOAUTH2")
    }
}

/// A token that is refused is so with a reason, which the client has to answer.
fn judge(right: bool) -> Turn {
    match right {
        true => Turn::Accept,
        false => Turn::Ask(r#"{"status":"invalid_token","scope":"mail"}"#.into()),
    }
}

/// The digest of RFC 2195.
fn cram(password: &str) -> String {
    let mac = Hmac::<Md5>::new_from_slice(password.as_bytes()).unwrap();
    hexadecimal(&mac.chain_update(CHALLENGE).finalize().into_bytes())
}

/// The digest of APOP (RFC 1939 section 7) for the timestamp in this greeting.
pub(super) fn apop(greeting: &[u8], password: &str) -> Option<String> {
    let greeting = std::str::from_utf8(greeting).ok()?;
    let (start, end) = (greeting.find('<')?, greeting.find('>')?);
    let stamp = &greeting[start..=end];
    let digest = Md5::new().chain_update(stamp).chain_update(password);
    Some(hexadecimal(&digest.finalize()))
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
