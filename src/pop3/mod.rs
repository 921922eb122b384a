//! The POP3 protocol core (RFC 1939, 2449, 3206), without any input or output of its own.
//!
//! Octets go in, events come out, and commands become octets to be sent. Nothing here opens a
//! socket, reads a clock or knows what a file is; `source` drives it over a channel. A test
//! holds this module to that.
//!
//! | concept | file | source |
//! |---|---|---|
//! | commands and their encoding | [`command`] | RFC 1939 sections 5 to 7, RFC 2449 sections 4 and 5, RFC 5034 section 4 |
//! | how long lines may be | [`line`](mod@line) | RFC 1939 section 3 |
//! | byte-stuffing and the termination octet | [`body`] | RFC 1939 section 3 |
//! | status indicators, extended response codes | [`status`] | RFC 1939 section 3, RFC 2449 section 8, RFC 3206 |
//! | STAT, LIST and UIDL | [`listing`] | RFC 1939 sections 5 and 7 |
//! | capabilities | [`capability`] | RFC 2449 sections 5 and 6 |
//! | the connection: what is pending, what came | [`connection`] | RFC 1939 section 3, RFC 2449 section 6.6 |
//! | what real servers do otherwise | [`quirks`] | observed |
//!
//! ```text
//!            greeting            +OK to PASS or AUTH            QUIT
//!  connect ------------> AUTHORIZATION ------------> TRANSACTION -----> UPDATE
//! ```
//! The states are not kept here but as types in `source::pop`, where a command in the wrong state
//! does not compile.

pub mod body;
pub mod capability;
pub mod command;
pub mod connection;
pub mod line;
pub mod listing;
pub mod quirks;
pub mod status;

pub use capability::Capabilities;
pub use command::Command;
pub use connection::{Behind, Connection, Event, Violation};
pub use listing::{DropListing, MessageNumber};
pub use status::{Reply, ResponseCode};
