//! What is fetched, what is deleted, and what is told: by profile, by option, and by looking first.

/// Dry runs, `check`, `account` and `state`.
mod look;
/// keep, max-size, latest, order.
mod policy;
/// JSON, paths, and silence.
mod report;
