//! Trouble: each is told with the account's name, what happened and what to do about it, in the
//! exit status too, and none loses or doubles a message.

/// The config file and the Maildir it names.
mod config;
/// The disk and standard output.
mod disk;
/// Files that a person names, and that are none.
mod named;
/// What is said once, and where it is of use.
mod once;
/// Servers that cannot be reached, turn us away, or talk nonsense.
mod server;
