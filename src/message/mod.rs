//! What a message is known by: its heading, the header fields that make its identity, its hashes.

mod digest;
mod fields;
mod header;
mod heading;
mod worked_around;

pub use digest::{Digests, Examined, Hasher, examine};
pub use fields::{Evidence, Fields, Size, Trail};
pub use header::Header;
pub use heading::Heading;

/// How much of a message is kept in memory, or read again, for those who want to show its header,
/// in octets.
pub const HEADER_KEPT: usize = 64 * 1024;
