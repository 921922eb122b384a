//! A server that has greeted us, and has not let us in yet.

use super::{Credentials, Detour, Error, Method, Options, Source, imap, pop};
use crate::net::{self, Channel};
use crate::server::Protocol;

/// A server that has greeted us, by one of the protocols.
pub enum Door {
    /// By POP3, in the AUTHORIZATION state.
    Pop(pop::Session<pop::Authorization>),
    /// By IMAP, before the sign-in.
    Imap(imap::Session<imap::Greeted>),
}

/// How a server has let us in.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// By which method.
    pub method: Method,
    /// What was done otherwise than it announces.
    pub detour: Option<Detour>,
}

impl Door {
    /// Waits for the server's greeting, sets up TLS where that is still to be done, and asks what the
    /// server can do, unless that is known.
    ///
    /// The credentials are not sent yet, but kept out of what is told of the server's words: it may
    /// know them from an earlier session.
    ///
    /// # Errors
    /// Where the connection fails, the server turns us away, or there is no TLS to be had.
    pub fn reach(
        protocol: Protocol,
        channel: Box<dyn Channel>,
        options: Options,
        credentials: &Credentials<'_>,
    ) -> Result<Self, Error> {
        Ok(match protocol {
            Protocol::Pop => Self::Pop(pop::Session::open(channel, options, credentials)?),
            Protocol::Imap => Self::Imap(imap::Session::open(channel, options, credentials)?),
        })
    }

    /// What the connection is.
    pub fn connection(&self) -> net::Facts {
        match self {
            Self::Pop(session) => session.connection(),
            Self::Imap(session) => session.connection(),
        }
    }

    /// What the server says it can do, in its own words, without secrets; otherwise hostile.
    pub fn announced(&self) -> Vec<String> {
        match self {
            Self::Pop(session) => session.announced(),
            Self::Imap(session) => session.announced(),
        }
    }

    /// How many seconds it wants between two sign-ins; 0 where it does not say.
    pub fn login_delay(&self) -> u32 {
        match self {
            Self::Pop(session) => session.capabilities().login_delay,
            Self::Imap(_) => 0,
        }
    }

    /// After how many days it deletes what is left there, where it says so.
    pub fn expire(&self) -> Option<u32> {
        match self {
            Self::Pop(session) => session.capabilities().expire,
            Self::Imap(_) => None,
        }
    }

    /// Signs in, once, with one method: a refused password is never tried again.
    ///
    /// # Errors
    /// Where the server refuses, or breaks the method's rules.
    pub fn sign_in(self, credentials: Credentials<'_>) -> Result<(Source, Entry), Error> {
        Ok(match self {
            Self::Pop(session) => {
                let session = session.sign_in(credentials)?;
                let (method, detour) = (session.method(), session.detour());
                (Source::Pop(Box::new(session)), Entry { method, detour })
            }
            Self::Imap(session) => {
                let session = session.sign_in(credentials)?;
                let (method, detour) = (session.method(), session.detour());
                (Source::Imap(Box::new(session)), Entry { method, detour })
            }
        })
    }
}
