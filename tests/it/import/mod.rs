//! `popfetch import`.

/// Each config that there may be, and what is shown of it.
mod corpus;
/// fetchmail's, with the tests' own server.
mod fetchmail;
/// Anybody may have written the files.
mod hostile;
/// The tools themselves, with Dovecot.
mod real;
/// What is left behind, and what is not.
mod taken;
