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
pub mod command;
pub mod delivery;
pub mod durable;
pub mod exit;
pub mod fetch;
pub mod maildrop;
pub mod net;
pub mod plan;
pub mod pop3;
pub mod profile;
pub mod report;
pub mod sasl;
pub mod session;
pub mod state;
pub mod stop;
pub mod term;
