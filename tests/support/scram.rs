//! The server's side of SCRAM (RFC 5802, RFC 7677), by another library than the client's, and
//! wrong in whatever way a test wants.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::prelude::{BASE64_STANDARD, Engine};

/// A server's idea of SCRAM; by default nothing is wrong with it.
#[derive(Clone, Debug)]
pub(crate) struct Scram {
    /// SHA-256 rather than SHA-1.
    pub(crate) sha256: bool,
    pub(crate) password: String,
    pub(crate) nonce: String,
    pub(crate) salt: Vec<u8>,
    /// As it stands in the message, which a test may want to be nonsense.
    pub(crate) iterations: String,
    /// What the client must have bound to: the whole of its `c=`, in base64. None takes anything.
    pub(crate) binding: Option<String>,
    pub(crate) proof: Proof,
}

/// What the server shows to prove that it knows the account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Proof {
    /// The signature.
    Right,
    /// The signature of one who does not know the account's key.
    Impostor,
    /// Nothing at all.
    None,
}

/// What is known after the first message.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    /// The client's message without its GS2 header, and the server's.
    messages: String,
    /// "n", "y" or "p=tls-exporter".
    pub(crate) flag: String,
    pub(crate) user: String,
    /// The server's message.
    pub(crate) message: String,
}

impl Default for Scram {
    fn default() -> Self {
        Self {
            sha256: true,
            password: "secret".into(),
            nonce: "ServerNonce".into(),
            salt: b"salt of the tests".into(),
            iterations: "4096".into(),
            binding: None,
            proof: Proof::Right,
        }
    }
}

impl Scram {
    /// The answer to the client's first message.
    pub(crate) fn begin(&self, first: &str) -> Option<Begun> {
        let (header, bare) = first.split_once(",,")?;
        let (user, nonce) = bare.strip_prefix("n=")?.split_once(",r=")?;
        let message = format!(
            "r={nonce}{},s={},i={}",
            self.nonce,
            BASE64_STANDARD.encode(&self.salt),
            self.iterations
        );
        Some(Begun {
            messages: format!("{bare},{message}"),
            flag: header.into(),
            user: user.into(),
            message,
        })
    }

    /// The answer to the client's final message, if its proof is right.
    pub(crate) fn finish(&self, begun: &Begun, last: &str) -> Option<String> {
        let (without_proof, proof) = last.split_once(",p=")?;
        let binding = without_proof.strip_prefix("c=")?.split(',').next()?;
        if self
            .binding
            .as_ref()
            .is_some_and(|wanted| wanted != binding)
        {
            return None;
        }
        let salted = self.salted();
        let message = format!("{},{without_proof}", begun.messages);
        let client_key = self.hmac(&salted, b"Client Key");
        let hash = if self.sha256 {
            &digest::SHA256
        } else {
            &digest::SHA1_FOR_LEGACY_USE_ONLY
        };
        let stored_key = digest::digest(hash, &client_key);
        let signature = self.hmac(stored_key.as_ref(), message.as_bytes());
        let expected: Vec<u8> = client_key
            .iter()
            .zip(&signature)
            .map(|(a, b)| a ^ b)
            .collect();
        if BASE64_STANDARD.encode(expected) != proof {
            return None;
        }
        let server_key = match self.proof {
            Proof::None => return Some(String::new()),
            Proof::Impostor => self.hmac(b"something else", b"Server Key"),
            _ => self.hmac(&salted, b"Server Key"),
        };
        let signature = self.hmac(&server_key, message.as_bytes());
        Some(format!("v={}", BASE64_STANDARD.encode(signature)))
    }

    fn salted(&self) -> Vec<u8> {
        let (algorithm, length) = match self.sha256 {
            true => (pbkdf2::PBKDF2_HMAC_SHA256, 32),
            false => (pbkdf2::PBKDF2_HMAC_SHA1, 20),
        };
        let iterations = NonZeroU32::new(self.iterations.parse().unwrap()).unwrap();
        let mut salted = vec![0; length];
        pbkdf2::derive(
            algorithm,
            iterations,
            &self.salt,
            self.password.as_bytes(),
            &mut salted,
        );
        salted
    }

    fn hmac(&self, key: &[u8], data: &[u8]) -> Vec<u8> {
        let algorithm = match self.sha256 {
            true => hmac::HMAC_SHA256,
            false => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        };
        hmac::sign(&hmac::Key::new(algorithm, key), data)
            .as_ref()
            .into()
    }
}
