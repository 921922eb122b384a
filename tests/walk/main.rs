//! The promise, from outside: a message is never lost and never delivered twice, whatever servers,
//! readers, backups, disks and lines do, within the limits that the manual page states
//! ([`limits`]).
//!
//! A [`world`] is a person's Maildir and state on a real disk, and a server in memory; each run is
//! judged ([`runs`]). [`wander`] lets anything happen in any order, [`every`] goes through all short
//! stories of two messages, [`behaviours`] plays one kind of server after the other.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub
)]

mod behaviours;
mod content;
mod disk;
mod every;
#[allow(dead_code)]
#[path = "../crash/image.rs"]
mod image;
mod limits;
mod random;
mod runs;
#[allow(dead_code)]
#[path = "../support/scratch.rs"]
mod scratch;
mod server;
mod tree;
mod wander;
mod world;
