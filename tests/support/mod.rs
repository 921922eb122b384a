//! What the tests, the benchmarks and the demo are built on: an embedded POP3S server that can
//! misbehave in every way, a scripted one that knows no POP3, real Dovecot, a private keyring, a
//! temporary home for the real binary, and a look into Maildirs.
//!
//! Everything listens on 127.0.0.1 only and ends with the value that stands for it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unreachable_pub
)]

pub mod account;
pub mod behaviour;
pub mod certificate;
pub mod client;
pub mod cyrus;
pub mod depot;
pub mod dns;
pub mod documents;
pub mod dovecot;
/// Proxies.
pub mod gate;
pub mod imap;
pub mod inetd;
pub mod journal;
pub mod keyring;
pub mod listener;
pub mod lmtp;
pub mod maildrop;
pub mod message;
pub mod mounted;
mod outbox;
pub mod process;
pub mod provider;
pub mod readme;
pub mod real_servers;
pub mod run;
pub mod samples;
mod sasl;
pub mod scram;
pub mod scratch;
pub mod script;
/// What scripted servers of both kinds share.
mod scripted;
pub mod series;
pub mod server;
mod session;
pub mod skip;
pub mod snapshot;
pub mod strace;
pub mod terminal;
pub mod token_endpoint;
pub mod tracer;
pub mod tree;
pub mod wire;
