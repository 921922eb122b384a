//! SCRAM (RFC 5802, RFC 7677), with and without binding to the TLS connection, by rsasl.
//!
//! rsasl computes and compares. What it leaves open is decided here before it sees a message: that
//! every attribute has a name and a value (it would panic over a shorter one), that none is an
//! extension that must be understood, and how many rounds of hashing the server may ask for.

use super::credentials::Binding;
use super::error::{Denial, Error};
use super::mechanism::Mechanism;
use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::config::SASLConfig;
use rsasl::mechanisms::scram::properties::Iterations;
use rsasl::mechanisms::scram::{SCRAM_SHA1, SCRAM_SHA1_PLUS, SCRAM_SHA256, SCRAM_SHA256_PLUS};
use rsasl::prelude::{
    ChannelBindingCallback, Mechname, Registry, SASLClient, Session, SessionError,
};
use rsasl::property::{AuthId, Password};
use rsasl::validate::NoValidation;
use std::ops::RangeInclusive;
use zeroize::Zeroizing;

/// Fewer rounds make a recorded exchange cheap to guess from (RFC 7677 section 4); more are an
/// attack on the processor.
const ITERATIONS: RangeInclusive<u32> = 4096..=1_000_000;

/// Room for any message, so that none is left behind in memory when it grows.
const MESSAGE: usize = 16 * 1024;

static MECHANISMS: [rsasl::prelude::Mechanism; 4] =
    [SCRAM_SHA256_PLUS, SCRAM_SHA1_PLUS, SCRAM_SHA256, SCRAM_SHA1];

/// The client's side of an exchange.
pub(super) struct Scram {
    /// `None` once it is over, well or not: rsasl must not be asked again then.
    session: Option<Session<NoValidation, Exporter>>,
    over: bool,
}

type Message = Zeroizing<Vec<u8>>;

impl Scram {
    /// Begins; gives the client's first message.
    pub(super) fn begin(
        mechanism: Mechanism,
        user: &str,
        password: &str,
        binding: Binding,
    ) -> Result<(Self, Message), Error> {
        let key = match binding {
            Binding::TlsExporter(key) if mechanism.is_bound() => Some(key),
            _ if mechanism.is_bound() => return Err(Error::Unbindable),
            _ => None,
        };
        let account = Account {
            user: prepared(user),
            password: prepared(password),
            // What rsasl makes the flag "y" of for a mechanism without -PLUS.
            could_bind: binding != Binding::Impossible,
        };
        let library = |error: &dyn std::fmt::Display| Error::Scram(error.to_string());
        let config = SASLConfig::builder()
            .with_registry(Registry::with_mechanisms(&MECHANISMS))
            .with_callback(account)
            .map_err(|error| library(&error))?;
        let name = Mechname::parse(mechanism.name().as_bytes()).map_err(|error| library(&error))?;
        let session = SASLClient::with_cb(config, Exporter(key))
            .start_suggested(&[name])
            .map_err(|error| library(&error))?;
        let mut scram = Self {
            session: Some(session),
            over: false,
        };
        let first = scram.step(None)?;
        Ok((scram, first))
    }

    /// The answer to a message of the server's.
    pub(super) fn respond(&mut self, message: &[u8]) -> Result<Message, Error> {
        if self.session.is_none() {
            return Err(Error::Unexpected);
        }
        let checked = check(message).and_then(|()| self.step(Some(message)));
        if checked.is_err() {
            self.session = None;
        }
        checked
    }

    /// Whether the server has proved that it knows the account.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    fn step(&mut self, message: Option<&[u8]>) -> Result<Message, Error> {
        let session = self.session.as_mut().ok_or(Error::Unexpected)?;
        let mut output = Zeroizing::new(Vec::with_capacity(MESSAGE));
        let state = session
            .step(message, &mut *output)
            .map_err(|error| match error {
                SessionError::MutualAuthenticationFailed => Error::Signature,
                SessionError::Boxed(ours) => match ours.downcast::<Error>() {
                    Ok(ours) => *ours,
                    Err(other) => Error::Scram(other.to_string()),
                },
                SessionError::MechanismError(error) => Error::Scram(error.to_string()),
                other => Error::Scram(other.to_string()),
            })?;
        if state.is_finished() {
            self.over = true;
            self.session = None;
        }
        Ok(output)
    }
}

/// Whether `message` is a list of attributes that rsasl can be shown.
fn check(message: &[u8]) -> Result<(), Error> {
    let attributes = || message.split(|octet| *octet == b',');
    let well_formed =
        |attribute: &[u8]| matches!(attribute, [name, b'=', ..] if name.is_ascii_alphabetic());
    if !attributes().all(well_formed) {
        return Err(Error::Scram("an attribute has no name or value".into()));
    }
    if attributes().any(|attribute| attribute.starts_with(b"m=")) {
        return Err(Error::Scram("it demands an extension".into()));
    }
    // The server's own refusal (RFC 5802 section 7); its -ERR has the words for people.
    if let Some(reason) = message.strip_prefix(b"e=") {
        return Err(match reason {
            b"invalid-proof" | b"unknown-user" | b"invalid-username-encoding" => {
                Error::Refused(Denial::Credentials)
            }
            b"channel-binding-not-supported" | b"unsupported-channel-binding-type" => {
                Error::Refused(Denial::Binding)
            }
            b"channel-bindings-dont-match" => Error::Mismatch,
            b"server-does-support-channel-binding" => Error::Downgraded,
            b"no-resources" => Error::Refused(Denial::Passing),
            _ => Error::Unexpected,
        });
    }
    Ok(())
}

/// Prepared as RFC 5802 section 5.1 asks for; as it is where SASLprep knows no way, as with
/// characters that are younger than it.
fn prepared(text: &str) -> Zeroizing<String> {
    Zeroizing::new(match stringprep::saslprep(text) {
        Ok(prepared) => prepared.into_owned(),
        Err(_) => text.to_owned(),
    })
}

struct Account {
    user: Zeroizing<String>,
    password: Zeroizing<String>,
    could_bind: bool,
}

impl SessionCallback for Account {
    fn callback(
        &self,
        _: &SessionData,
        context: &Context<'_>,
        request: &mut Request<'_>,
    ) -> Result<(), SessionError> {
        if request.is::<Password>() {
            // rsasl hashes as soon as it has the password.
            let iterations = context.get_ref::<Iterations>().copied().unwrap_or_default();
            if !ITERATIONS.contains(&iterations) {
                return Err(SessionError::Boxed(Box::new(Error::Iterations(iterations))));
            }
        }
        request
            .satisfy::<AuthId>(self.user.as_str())?
            .satisfy::<Password>(self.password.as_bytes())?;
        Ok(())
    }

    fn enable_channel_binding(&self) -> bool {
        self.could_bind
    }
}

/// Gives rsasl the keying material under the name of RFC 9266.
struct Exporter(Option<[u8; 32]>);

impl ChannelBindingCallback for Exporter {
    fn get_cb_data(&self, name: &str) -> Option<&[u8]> {
        self.0
            .as_ref()
            .filter(|_| name == "tls-exporter")
            .map(<[u8; 32]>::as_slice)
    }
}
