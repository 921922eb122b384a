//! `popfetch import`.

/// Each config that there may be, and what is shown of it.
mod corpus;
/// fetchmail's, with the tests' own server.
mod fetchmail;
/// What a tool keeps a file for each folder of.
mod folders;
/// Anybody may have written the files.
mod hostile;
/// What another tool leaves on the server.
mod keep;
/// What a tool keeps no list of.
mod kept;
/// Imported names, later.
mod lasting;
/// The tools themselves, with Dovecot.
mod real;
/// What is the same for all tools.
mod shared;
/// What is left behind, and what is not.
pub mod taken;
/// Thunderbird's profiles, with the tests' own server.
mod thunderbird;
