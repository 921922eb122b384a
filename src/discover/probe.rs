//! Whether a server answers, as what, and how its connection can be protected.
//!
//! Nothing of the person is told to it: no name, no password.

use super::Means;
use super::candidate::Candidate;
use crate::net::{Channel, Distrust, Error, Protection, Route, Target, proxy::Way};
use crate::profile::draft::Security;
use crate::server::Protocol;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a server may take to connect and greet.
const TIMEOUT: Duration = Duration::from_secs(4);

/// A greeting is a line; what is longer is none.
const LONGEST: usize = 1024;

/// No server has more to say than this before it answers a command.
const UNTAGGED: usize = 8;

/// What a server is that does not do.
#[derive(Clone, Debug)]
pub enum Dead {
    /// It cannot be reached, or not be trusted.
    Net(Arc<Error>),
    /// It was said to take STLS or STARTTLS, and does not.
    NoStartTls,
    /// It speaks something else than was asked for.
    OtherSpeech,
}

impl Dead {
    /// Why its certificate is not trusted, where that is so.
    pub fn distrust(&self) -> Option<&Distrust> {
        match self {
            Self::Net(error) => match error.as_ref() {
                Error::Certificate { distrust, .. } => Some(distrust),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether there is a server that cannot be used as it is; the rest may be nobody at all.
    pub(super) fn is_about_trust(&self) -> bool {
        match self {
            Self::Net(error) => {
                matches!(
                    error.as_ref(),
                    Error::Certificate { .. } | Error::OldTls { .. }
                )
            }
            Self::NoStartTls => true,
            Self::OtherSpeech => false,
        }
    }

    /// What says more about a port comes first.
    pub(super) fn rank(&self) -> u8 {
        match self {
            it if it.is_about_trust() => 0,
            Self::Net(error) => match error.as_ref() {
                Error::NotTls { .. } => 1,
                Error::Handshake(_) => 3,
                _ => 4,
            },
            _ => 2,
        }
    }
}

/// Tries a server; what it is worth then, which may be better protected than it was said to be.
pub(super) fn server(candidate: Candidate, means: &Means) -> Result<Candidate, (Candidate, Dead)> {
    let tried = match candidate.security {
        Security::Implicit => implicit(&candidate, means).map(|()| Security::Implicit),
        Security::StartTls | Security::Clear => start_tls(&candidate, means),
    };
    match tried {
        // Whoever says that there is STLS is not to be talked out of it by the one in between.
        Ok(Security::Clear) if candidate.security == Security::StartTls => {
            Err((candidate, Dead::NoStartTls))
        }
        Ok(security) => Ok(Candidate {
            security,
            ..candidate
        }),
        Err(dead) => Err((candidate, dead)),
    }
}

/// Whether IMAP over TLS answers there.
pub(super) fn imap(host: &str, means: &Means) -> bool {
    let opened = open(host, 993, Protection::Implicit(&means.policy), means);
    let greeting = opened.and_then(|mut channel| line(channel.as_mut(), b""));
    greeting.is_ok_and(|line| line.starts_with(b"* OK"))
}

fn implicit(candidate: &Candidate, means: &Means) -> Result<(), Dead> {
    let protection = Protection::Implicit(&means.policy);
    let mut channel = open(&candidate.host, candidate.port, protection, means)?;
    let greeting = line(channel.as_mut(), b"")?;
    channel.close();
    greets(candidate.protocol, &greeting)
}

fn start_tls(candidate: &Candidate, means: &Means) -> Result<Security, Dead> {
    let protection = Protection::StartTls(&means.policy);
    let mut channel = open(&candidate.host, candidate.port, protection, means)?;
    greets(candidate.protocol, &line(channel.as_mut(), b"")?)?;
    let agreed = agrees(candidate.protocol, channel.as_mut())?;
    if !agreed {
        channel.close();
        return Ok(Security::Clear);
    }
    channel.start_tls().map_err(dead)?;
    channel.close();
    Ok(Security::StartTls)
}

/// Whether the server takes a sign-in (RFC 1939 section 4, RFC 3501 section 7.1). One of IMAP that has
/// signed somebody in already is none of the person's.
fn greets(protocol: Protocol, line: &[u8]) -> Result<(), Dead> {
    let greeting: &[u8] = match protocol {
        Protocol::Pop => b"+OK",
        Protocol::Imap => b"* OK",
    };
    match starts_with(line, greeting) {
        true => Ok(()),
        false => Err(Dead::OtherSpeech),
    }
}

/// Asks for TLS: STLS (RFC 2595 section 4), STARTTLS (section 3).
fn agrees(protocol: Protocol, channel: &mut dyn Channel) -> Result<bool, Dead> {
    let mut answer = match protocol {
        Protocol::Pop => return Ok(starts_with(&line(channel, b"STLS\r\n")?, b"+OK")),
        Protocol::Imap => line(channel, b"a STARTTLS\r\n")?,
    };
    for _ in 0..UNTAGGED {
        if !answer.starts_with(b"* ") {
            break;
        }
        answer = line(channel, b"")?;
    }
    Ok(starts_with(&answer, b"a OK"))
}

fn starts_with(line: &[u8], word: &[u8]) -> bool {
    line.get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn open(
    host: &str,
    port: u16,
    protection: Protection<'_>,
    means: &Means,
) -> Result<Box<dyn Channel>, Dead> {
    let way = Way::default();
    let target = Target {
        host,
        port,
        protection,
        way: &way,
        timeout: TIMEOUT,
    };
    let route = Route::find(&target, &means.stop, Arc::new(|_: &str| ()));
    route
        .and_then(|route| route.connect(&means.stop))
        .map_err(dead)
}

/// Sends `output`, and takes one line.
fn line(channel: &mut dyn Channel, output: &[u8]) -> Result<Vec<u8>, Dead> {
    let deadline = Instant::now() + TIMEOUT;
    let (mut unsent, mut line, mut octets) = (output, Vec::new(), [0; LONGEST]);
    loop {
        let moved = channel
            .exchange(unsent, &mut octets, deadline)
            .map_err(dead)?;
        unsent = unsent.get(moved.sent..).unwrap_or_default();
        line.extend_from_slice(octets.get(..moved.received).unwrap_or_default());
        if let Some(end) = line.iter().position(|octet| *octet == b'\n') {
            line.truncate(end);
            return Ok(line);
        }
        if line.len() >= LONGEST || Instant::now() > deadline {
            return Err(Dead::OtherSpeech);
        }
    }
}

fn dead(error: Error) -> Dead {
    Dead::Net(Arc::new(error))
}
