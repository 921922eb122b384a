//! Proves, with a client of a few lines, that the support does what the other tests rely on.

/// Messages, and what a Maildir must hold of them.
mod mail;
/// The script server, Dovecot, the keyring, and the home that the binary runs in.
mod peers;
/// The embedded server, well behaved and not.
mod server;
