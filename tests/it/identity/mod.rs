//! Which message is which: nothing is lost and nothing comes twice, whatever a server does to its
//! unique-ids and whatever happens to the state file.

/// Listings without end, and numbers without bounds.
mod disorder;
mod endless;
/// Unique-ids that are missing, shared, reused or changed.
mod listings;
/// State files that are lost or damaged.
mod state_file;
