//! No one is let in: what a server, a network or another user of the machine may try, and what
//! comes of it. The tests' names carry the numbers of facts S1 to S73.

/// Signing in: what is sent, to whom, how often, and what never is.
mod auth;
/// A server or a clock that tries to make us destroy mail.
mod deletion;
/// Whose files are touched, and with which rights.
mod filesystem;
/// Certificates and handshakes beyond those of `tls`.
mod handshake;
/// Octets that are meant to exhaust or confuse.
mod hostile;
/// What the program is built from.
mod parts;
/// Diagnoses quote no secret.
mod quoted;
/// Passwords are nowhere but on their way to the server.
mod secrets;
/// The environment and the working directory have no say.
mod surroundings;
/// What others wrote is never shown raw, nor as if it were ours.
mod words;

use crate::support::skip::needs_root;

/// Whether files can be given to other users; otherwise the test is skipped.
#[track_caller]
fn can_give_files() -> bool {
    needs_root("files cannot be given to other users")
}
