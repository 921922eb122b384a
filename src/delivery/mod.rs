//! Storing messages, in steps that are types.
//!
//! ```text
//! Incoming --finish--> Complete --sync_all--> Synced --(intent)--> Target::place --> Delivered
//!  spool file,          termination   octets on          E1, by     rename to new/,     name on
//!  growing             octet seen    the disk (E2)      `state`    sync of new/ (E3)   the disk
//! ```
//! A file that does not reach the next step is removed from spool when its value is dropped, so a
//! body that was cut short or could not be synced leaves nothing behind. Each step's type can only
//! be made by the step before it; what `state` records, and what a session may then delete, starts
//! from a [`Delivered`].

mod room;
mod settle;
mod spool;
mod target;

pub use crate::maildir::Error;
pub use room::Room;
pub use settle::{Fate, Interrupted, Surveyed, settle, survey, sweep};
pub use spool::{Complete, Incoming, Spool, Synced, sync_all};
pub use target::{Delivered, Target, Unplaced};

#[cfg(test)]
mod tests;
