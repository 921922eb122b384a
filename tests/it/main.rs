//! All integration tests, in one binary because linking takes longer than running them.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unreachable_pub
)]

#[path = "../support/mod.rs"]
mod support;

/// Proves that the support does what the other tests rely on.
mod support_works;

/// Done when: the samples arrive octet for octet, once.
mod samples;

/// Done when: nothing is deleted before it is durable, and QUIT may fail.
mod order;

/// Done when: `kill -9` at any moment loses and doubles nothing.
mod kill;

/// Done when: a connection cut anywhere loses and doubles nothing.
mod cut;

/// Done when: runs and accounts at the same time do not disturb each other.
mod parallel;

/// Done when: neither a huge message nor a huge maildrop takes much memory.
mod memory;
