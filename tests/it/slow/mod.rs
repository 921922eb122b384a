//! Slow, silent and clumsy servers, and people who do not want to wait for them.

/// One command at a time, and many.
mod pipelining;
/// SIGINT and SIGTERM.
mod signals;
/// Silence, and nearly silence.
mod silence;
