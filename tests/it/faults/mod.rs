//! Networks and servers that fail, state by state. Silence and slowness are in `slow`, a single
//! message that cannot be had in `poison`, cuts at every octet in `cut` and `tests/crash`.

/// How many connections a fault may cost, and how much is fetched in spite of it.
mod progress;
/// Well-formed answers that say something is wrong.
mod replies;
/// Resets, a server that does not read, and answers in odd pieces.
mod transport;
