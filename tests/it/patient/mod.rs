//! Server trouble is the session's, and a message's fault only where that is shown.

/// What becomes of DELE.
/// Servers that say something behind their answers.
mod behind;
mod deletions;
/// Messages that the disk has no room for.
pub mod disk;
/// Servers that send lines that say nothing.
mod idle;
mod limits;
/// Maildrops of which not all is listed.
mod listings;
/// Servers without unique-ids.
mod nameless;
/// Servers that announce PIPELINING and cannot do it.
mod pipelining;
/// Servers that refuse to send messages, or no more than so many.
mod refusals;
/// Servers that say too much.
mod repeated;
