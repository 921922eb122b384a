//! How long lines may be (RFC 1939 section 3).

/// The longest status line, greeting included. RFC 2449 section 4 says 512 octets; twice the
/// size of any real one, and small enough that an endless one costs nothing.
pub const STATUS_LIMIT: usize = 8 * 1024;

/// The longest line of a listing that is read. A longer one is bad, alone: the listing goes on.
pub const LISTING_LINE_LIMIT: usize = 2 * 1024;

/// A listing line that has not ended after this many octets never will.
pub const ENDLESS_LINE: u64 = 1024 * 1024;
