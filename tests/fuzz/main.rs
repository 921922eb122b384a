//! What a server, a disk or a hand can put before a parser: recorded sessions split everywhere,
//! damaged journals, and texts that a generator makes up. The checks themselves are in [`entry`],
//! where the fuzz targets in fuzz/ find them, too.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub
)]

mod entry;

/// What the fuzzers found, and what they begin with.
mod found;
/// Journals, cut and damaged.
mod journals;
/// Texts that a generator makes up.
mod made_up;
/// Sessions with servers of many kinds.
mod sessions;
#[allow(dead_code)]
#[path = "../support/skip.rs"]
mod skip;
/// The sessions, split everywhere.
mod splits;
