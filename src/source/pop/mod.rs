//! A POP3 session, driven over a channel: the states of RFC 1939 section 3 as types.
//!
//! ```text
//! Session::open -> Session<Authorization> --sign_in--> Session<Transaction> --quit--> Update
//! ```
//! A command in the wrong state does not compile, and `Session::delete` takes nothing but
//! [`Recorded`](crate::state::Recorded). A session that is dropped without
//! `quit` never enters the UPDATE state: the server keeps everything.

mod headers;
mod maildrop;
mod retrieve;
mod shortcut;
mod sign_in;
mod step;
#[cfg(test)]
mod testing;
mod update;
mod utf8;
mod wire;

pub use shortcut::Shortcut;

use super::secrets::Secrets;
use super::window::Window;
use super::{
    Answer, Auth, Credentials, Detour, Error, Given, Meaning, Method, Options, Phase, Traits,
    Upgrade,
};
use crate::net::{self, Channel};
use crate::pop3::{Capabilities, Command};
use crate::sasl::md5;
use wire::Wire;

/// The state in which a client signs in.
pub struct Authorization {
    /// The greeting's timestamp, for APOP.
    timestamp: Option<String>,
    /// The server has taken UTF8.
    utf8: bool,
    /// The one that is taken.
    shortcut: Option<Shortcut>,
    /// The method at hand has got so far that what the server says is about more than the method.
    judged: bool,
}

/// The state in which a client reads the maildrop.
pub struct Transaction {
    /// CAPA has been sent again since the sign-in: it may announce more now (Gmail does).
    asked_again: bool,
    /// The listings were asked for with the sign-in.
    listing: bool,
    /// How many lines of a body TOP is asked for, once the server has shown what it takes.
    top_lines: Option<u8>,
    /// The one that the sign-in took or has shown.
    shortcut: Option<Shortcut>,
    /// The one that the sign-in took.
    detour: Option<Detour>,
    /// How it was signed in.
    method: Method,
}

/// See the [module](self).
pub struct Session<S> {
    wire: Wire,
    options: Options,
    capabilities: Capabilities,
    state: S,
}

impl Session<Authorization> {
    /// Reads the greeting, sets up TLS where that is still to be done, and asks for capabilities
    /// unless there is a shortcut.
    ///
    /// The credentials are not sent yet, but kept out of what is told of the server's words: it may
    /// know them from an earlier session.
    pub fn open(
        channel: Box<dyn Channel>,
        options: Options,
        credentials: &Credentials<'_>,
    ) -> Result<Self, Error> {
        let secrets = Secrets::new(credentials.user, credentials.secret);
        let mut wire = Wire::new(channel, &options, secrets);
        let timestamp = |greeting: &[u8]| md5::timestamp(greeting).map(str::to_owned);
        let (answer, timestamp) = match wire.answer_and(Phase::Greeting, timestamp) {
            Err(Error::Net {
                source: net::Error::TimedOut(seconds),
                ..
            }) if options.start_tls => return Err(Error::Silent(seconds, Upgrade::Stls)),
            answer => answer?,
        };
        if !answer.ok {
            return Err(Error::Turned(answer));
        }
        let may_be_short = options.capabilities && !options.start_tls && !options.utf8;
        let shortcut = options.shortcut.filter(|_| may_be_short);
        let shortcut = shortcut.filter(|shortcut| shortcut.fits(credentials));
        let mut session = Self {
            wire,
            options,
            capabilities: Capabilities::default(),
            state: Authorization {
                timestamp,
                utf8: false,
                shortcut,
                judged: false,
            },
        };
        if session.options.start_tls {
            session.start_tls()?;
        }
        if session.options.lenient {
            session.wire.pass_idle_lines();
        }
        if session.options.capabilities && shortcut.is_none() {
            session.wire.send(Command::Capa)?;
            match session.wire.capabilities()? {
                Some(capabilities) => session.capabilities = capabilities,
                // A server that knows no CAPA now will know none after the sign-in.
                None => session.options.capabilities = false,
            }
        }
        Ok(session)
    }

    /// From a connection in clear to one with TLS. All that the server said before, its greeting
    /// and its capabilities, may have been someone else's: nothing of it is kept.
    fn start_tls(&mut self) -> Result<(), Error> {
        self.wire.send(Command::Capa)?;
        let announced = self.wire.capabilities_in(Phase::StartTls)?;
        if !announced.is_some_and(|announced| announced.stls) {
            return Err(Error::NoStartTls(Upgrade::Stls));
        }
        self.wire.send(Command::Stls)?;
        let answer = self.wire.answer(Phase::StartTls)?;
        if !answer.ok {
            return Err(Error::StartTlsRefused {
                command: Upgrade::Stls,
                answer,
            });
        }
        self.state.timestamp = None;
        self.wire.start_tls()
    }
}

impl<S> Session<S> {
    /// What the server says it can do, as far as it has said so by now.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The same in the server's own words, without secrets; otherwise hostile.
    pub fn announced(&self) -> Vec<String> {
        let lines = self.capabilities.announced.iter();
        let hidden = lines.map(|line| self.wire.link.hidden(&String::from_utf8_lossy(line)));
        hidden.collect()
    }

    /// What the server has given so far.
    pub(super) fn given(&self) -> Given {
        self.wire.link.given()
    }

    /// What the connection is.
    pub fn connection(&self) -> net::Facts {
        self.wire.link.connection()
    }

    /// Whether commands are sent ahead of the replies to earlier ones.
    pub(super) fn may_pipeline(&self) -> bool {
        self.options.pipelining && self.capabilities.pipelining
    }
}

impl Session<Transaction> {
    /// What it is like.
    pub(super) fn traits(&self) -> Traits {
        Traits {
            lists_in_parts: self.options.lists_in_parts || self.capabilities.google,
            pipelines: self.may_pipeline(),
            went_ahead: self.state.listing,
            asked_for_utf8: self.options.utf8,
            has_options: true,
            adds_to_headers: true,
            repeats_status: true,
            login_delay: self.capabilities.login_delay,
            expire: self.capabilities.expire,
        }
    }
}
