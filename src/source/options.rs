//! How a session is to be held.

use super::folders::Folders;
use super::{Detour, Shortcut, Transcript};
use std::time::Duration;

/// How a session is to be held.
#[derive(Clone)]
pub struct Options {
    /// How long the server may be silent, or need for 1 KiB.
    pub timeout: Duration,
    /// How long it may be silent where it may have to read the mailbox first: in a sign-in, before
    /// the first line of each listing, and before the first message.
    pub patience: Duration,
    /// Send commands ahead where the server announces PIPELINING.
    pub pipelining: bool,
    /// Set up TLS by STLS (RFC 2595 section 4) before anything else, or give up.
    pub start_tls: bool,
    /// Ask for capabilities. Some old servers close the connection when asked.
    pub capabilities: bool,
    /// Begin with the UTF8 command, announced or not: the server has asked for it.
    pub utf8: bool,
    /// Sign in and list in one flight where the server pipelines and takes the credentials in one
    /// message.
    pub ahead: bool,
    /// An earlier session has shown how that is done: do not ask for capabilities first.
    pub shortcut: Option<Shortcut>,
    /// The provider is known to list a maildrop in parts.
    pub lists_in_parts: bool,
    /// An earlier session has shown that the server does not do all that it announces.
    pub detour: Option<Detour>,
    /// An earlier session has shown that the server sends lines that say nothing between its answers.
    pub lenient: bool,
    /// Which folders are read, where the protocol has any.
    pub folders: Folders,
    /// Gets every line that goes over the wire, without secrets.
    pub transcript: Option<Transcript>,
}
