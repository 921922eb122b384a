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
