//! An IMAP session, driven over a channel: the states of RFC 3501 section 3 as types.
//!
//! ```text
//! Session::open -> Session<Greeted> --sign_in--> Session<SignedIn> --end--> Update
//! ```
//! It reads the mailboxes that the account asks for, all as one maildrop: a message's number is its place in
//! the listing of all of them, and stands for a mailbox and a UID there. A mailbox is opened by EXAMINE, in
//! which nothing can be changed; SELECT takes its place for as long as messages are deleted. No message is
//! marked as seen.

mod append;
mod arrivals;
mod choice;
mod find;
mod headers;
mod listing;
mod mailboxes;
mod news;
mod retrieve;
mod sign_in;
mod standing;
mod step;
mod update;
mod wire;

use super::link::Link;
use super::secrets::Secrets;
use super::window::Window;
use super::{
    Answer, Credentials, Detour, Error, Given, Meaning, Method, Options, Phase, Traits, Upgrade,
};
use crate::imap::{Capabilities, Command, Condition};
use crate::net::{self, Channel};
use mailboxes::Mailboxes;
use retrieve::UnderWay;
pub(super) use standing::spot_of;
use wire::Wire;

/// The state in which a client signs in.
pub struct Greeted {
    /// The server knows who we are without being told (PREAUTH).
    knows_us: bool,
    /// The method at hand has got so far that what the server says is about more than the method.
    judged: bool,
}

/// The state in which a client reads mailboxes.
pub struct SignedIn {
    /// What the server can do was told with the sign-in, or behind it.
    knows_capabilities: bool,
    /// The one that the sign-in took.
    detour: Option<Detour>,
    /// How it was signed in.
    method: Method,
    /// The mailboxes that are read, as they were listed.
    mailboxes: Mailboxes,
    /// Messages that it was asked for.
    under_way: UnderWay,
    /// It has taken a message that was appended.
    has_appended: bool,
    /// It was told what we are.
    knows_what_we_are: bool,
}

/// See the [module](self).
pub struct Session<S> {
    wire: Wire,
    options: Options,
    capabilities: Capabilities,
    state: S,
}

impl Session<Greeted> {
    /// Reads the greeting, sets up TLS where that is still to be done, and asks for capabilities unless
    /// the greeting has them.
    ///
    /// The credentials are not sent yet, but kept out of what is told of the server's words: it may
    /// know them from an earlier session.
    pub(super) fn open(
        channel: Box<dyn Channel>,
        options: Options,
        credentials: &Credentials<'_>,
    ) -> Result<Self, Error> {
        let secrets = Secrets::new(credentials.user, credentials.secret);
        let mut wire = Wire::new(channel, &options, secrets);
        let greeting = match wire.greeting() {
            Err(Error::Net {
                source: net::Error::TimedOut(seconds),
                ..
            }) if options.start_tls => return Err(Error::Silent(seconds, Upgrade::StartTls)),
            greeting => greeting?,
        };
        let mut session = Self {
            wire,
            options,
            capabilities: Capabilities::default(),
            state: Greeted {
                knows_us: greeting == Condition::PreAuth,
                judged: false,
            },
        };
        if session.options.start_tls {
            session.start_tls()?;
        }
        session.learn_capabilities(Phase::Capabilities)?;
        Ok(session)
    }

    /// From a connection in clear to one with TLS. All that the server said before, its greeting
    /// and its capabilities, may have been someone else's: nothing of it is kept. Who is greeted as
    /// somebody already (PREAUTH) cannot go on to TLS, and must not go on without.
    fn start_tls(&mut self) -> Result<(), Error> {
        self.learn_capabilities(Phase::StartTls)?;
        if self.state.knows_us {
            return Err(Error::KnownInClear);
        }
        if !self.capabilities.start_tls {
            return Err(Error::NoStartTls(Upgrade::StartTls));
        }
        self.wire.send(Command::StartTls)?;
        let answer = self.wire.answer(Phase::StartTls)?;
        if !answer.ok {
            return Err(Error::StartTlsRefused {
                command: Upgrade::StartTls,
                answer,
            });
        }
        self.capabilities = Capabilities::default();
        self.wire.start_tls()
    }

    /// Takes what the server has said of itself, and asks it where it has not.
    fn learn_capabilities(&mut self, phase: Phase) -> Result<(), Error> {
        let mut told = self.wire.take_capabilities();
        if told.is_none() {
            self.wire.send(Command::Capability)?;
            self.wire.answer(phase)?;
            told = self.wire.take_capabilities();
        }
        self.capabilities = told.unwrap_or_default();
        self.wire.takes_literals = self.capabilities.literal_plus;
        Ok(())
    }
}

impl<S> Session<S> {
    /// What the server says it can do, in its own words, without secrets; otherwise hostile.
    pub(super) fn announced(&self) -> Vec<String> {
        let words = self.capabilities.announced.iter();
        let link: &Link = &self.wire.link;
        let hidden = words.map(|word| link.hidden(&String::from_utf8_lossy(word)));
        hidden.collect()
    }

    /// What the connection is.
    pub(super) fn connection(&self) -> net::Facts {
        self.wire.link.connection()
    }

    /// What the server has given so far.
    pub(super) fn given(&self) -> Given {
        self.wire.link.given()
    }
}

impl Session<SignedIn> {
    /// What it is like.
    pub(super) fn traits(&self) -> Traits {
        Traits {
            lists_in_parts: false,
            pipelines: self.options.pipelining,
            went_ahead: false,
            asked_for_utf8: false,
            has_options: false,
            adds_to_headers: false,
            repeats_status: false,
            login_delay: 0,
            expire: None,
        }
    }

    /// How it was signed in.
    pub(super) fn method(&self) -> Method {
        self.state.method
    }

    /// What was done otherwise than the server announces, to be let in.
    pub(super) fn detour(&self) -> Option<Detour> {
        self.state.detour
    }
}
