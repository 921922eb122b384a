//! popfetch brings mail home.
#![cfg_attr(
    test,
    allow(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
        clippy::expect_used
    )
)]

pub mod cli;
pub mod exit;
pub mod profile;
pub mod report;
