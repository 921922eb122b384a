//! What a message is known by: its heading, the header fields that make its identity, its hashes. And
//! what a person reads of it: its fields, its text, its parts.

mod attributes;
pub mod dating;
mod digest;
mod ending;
mod fields;
mod glance;
mod header;
mod heading;
mod html;
mod legible;
mod letter;
mod split;
mod structure;
mod worked_around;

pub use attributes::{Attributes, Flag, Flags};
pub use digest::{Digests, Examined, Hasher, examine};
pub(crate) use ending::count_line_ends;
pub use ending::{Ending, Tally};
pub use fields::{Evidence, Fields, Size, Trail};
pub use glance::{Glance, bare_id};
pub use header::Header;
pub use heading::Heading;
pub use letter::{Letter, as_text};
pub use structure::{Part, Wrapping};

/// How much of a message is kept in memory, or read again, for those who want to show its header,
/// in octets.
pub const HEADER_KEPT: usize = 64 * 1024;
