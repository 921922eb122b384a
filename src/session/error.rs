//! What can go wrong in a session, and in which state it did.

use super::wire::Answer;
use crate::exit::{Diagnose, Status};
use crate::maildrop::TooLarge;
use crate::net;
use crate::pop3::command::Unsendable;
use crate::pop3::{MessageNumber, ResponseCode, Violation, quirks};
use std::fmt;

/// What the session was about, in words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// Waiting for the greeting.
    Greeting,
    /// CAPA in clear, STLS and the handshake.
    StartTls,
    /// CAPA.
    Capabilities,
    /// USER, PASS, AUTH.
    SignIn,
    /// STAT, LIST, UIDL.
    Listing,
    /// RETR.
    Message(MessageNumber),
    /// TOP.
    Header(MessageNumber),
    /// DELE.
    Deleting,
    /// QUIT.
    Quit,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Greeting => f.write_str("waiting for the server's greeting"),
            Self::StartTls => f.write_str("setting up TLS by STLS"),
            Self::Capabilities => f.write_str("asking for the server's capabilities"),
            Self::SignIn => f.write_str("signing in"),
            Self::Listing => f.write_str("listing the maildrop"),
            Self::Message(number) => write!(f, "fetching message {number}"),
            Self::Header(number) => write!(f, "reading the header of message {number}"),
            Self::Deleting => f.write_str("marking messages as deleted"),
            Self::Quit => f.write_str("ending the session"),
        }
    }
}

/// Why a session ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection failed.
    #[error("{} while {phase}", .source)]
    Net {
        /// What the session was about.
        phase: Phase,
        /// How it failed.
        source: net::Error,
    },
    /// The server broke the protocol.
    #[error("{violation} while {phase}")]
    Violation {
        /// What the session was about.
        phase: Phase,
        /// How it broke it.
        violation: Violation,
    },
    /// The server goes on asking after the mechanism was cancelled.
    #[error("the server sent one challenge after the other while signing in")]
    Challenges,
    /// No greeting in clear, where STLS was to follow.
    #[error("no answer for {0} seconds while waiting for the server's greeting")]
    Silent(u64),
    /// The server announces no STLS. Nothing but CAPA was sent.
    #[error("the server offers no STLS, which `tls = \"starttls\"` asks for")]
    NoStls,
    /// STLS was refused. No credentials were sent.
    #[error("the server refused STLS: {0}")]
    StlsRefused(Answer),
    /// The greeting was -ERR.
    #[error("the server turned us away: {0}")]
    Turned(Answer),
    /// The sign-in was refused.
    #[error("the server refused the sign-in: {answer}")]
    SignIn {
        /// What it said.
        answer: Answer,
        /// It announces AUTH-RESP-CODE, so wrong credentials would have been told by `[AUTH]`
        /// (RFC 3206 section 6).
        would_say_auth: bool,
    },
    /// The server announces no way to sign in that the profile allows.
    #[error("the server offers no way to sign in that `auth` allows")]
    NoMethod,
    /// A command that must work was refused.
    #[error("the server refused {command}: {answer}")]
    Refused {
        /// The command.
        command: &'static str,
        /// What it said.
        answer: Answer,
    },
    /// User name or password cannot be sent.
    #[error("the {what} cannot be sent: {source}")]
    Unsendable {
        /// Which one.
        what: &'static str,
        /// Why.
        source: Unsendable,
    },
    /// The maildrop is too large.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

impl Diagnose for Error {
    fn status(&self) -> Status {
        match self {
            Self::Net { source, .. } => source.status(),
            Self::Violation { .. } | Self::Challenges | Self::TooLarge(_) => Status::Protocol,
            Self::NoStls | Self::StlsRefused(_) => Status::Unavailable,
            Self::Silent(_) => Status::Temporary,
            Self::Turned(answer) | Self::Refused { answer, .. } => match answer.code {
                Some(ResponseCode::SysPermanent) => Status::Unavailable,
                _ => Status::Temporary,
            },
            Self::SignIn {
                answer,
                would_say_auth,
            } => match answer.code {
                Some(ResponseCode::Auth) => Status::NoPermission,
                Some(ResponseCode::SysPermanent) => Status::Unavailable,
                Some(_) => Status::Temporary,
                None if *would_say_auth => Status::Temporary,
                None if quirks::sounds_temporary(answer.text.as_bytes()) => Status::Temporary,
                None => Status::NoPermission,
            },
            Self::NoMethod => Status::Unavailable,
            Self::Unsendable { .. } => Status::Config,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Net { source, .. } => return source.hint(),
            Self::Silent(_) => {
                "if the server expects TLS from the first octet, as on port 995, set tls = \
                 \"implicit\"; otherwise the next run takes up where this one ended"
            }
            Self::NoStls | Self::StlsRefused(_) => {
                "nothing was sent in clear; set tls = \"implicit\" and port 995 if the server has \
                 that, or someone may be between you and it"
            }
            Self::Violation { .. } | Self::Challenges => {
                "is this a POP3 server? Run with -vv to see what it says; nothing was deleted"
            }
            Self::SignIn { .. } if self.status() == Status::NoPermission => {
                "check user and password; some providers want POP switched on, or an app password"
            }
            Self::SignIn { answer, .. } | Self::Turned(answer) => match answer.code {
                Some(ResponseCode::InUse) => "another program is reading this maildrop; try later",
                Some(ResponseCode::LoginDelay) => "the last sign-in was too recent; try later",
                Some(ResponseCode::SysPermanent) => "ask the provider",
                _ => "try later",
            },
            Self::NoMethod => "leave `auth` out of the profile, or set it to \"user-pass\"",
            Self::Refused { .. } => "try later; nothing was deleted",
            Self::TooLarge(_) => "is this the right server?",
            Self::Unsendable { .. } => "check the profile",
        };
        Some(hint.to_owned())
    }
}
