//! Slow, silent and clumsy servers, and people who do not want to wait for them.

/// Servers that never stop, and never get anywhere.
mod dripping;
/// A run that has a time to be done in.
mod max_time;
/// One command at a time, and many.
mod pipelining;
/// SIGINT and SIGTERM.
mod signals;
/// Silence, and nearly silence.
mod silence;
