//! The header of a message by itself: where it ends.

/// A header of more octets than this has no end. What a server sends beyond the header, where a server
/// sends more than it should, counts as well.
pub(super) const ENDLESS_HEADER: usize = 64 * 1024 * 1024;

/// Octets up to and with the first empty line: some servers send the whole message for TOP.
pub(super) fn header_length(octets: &[u8]) -> usize {
    let mut start = 0;
    for newline in memchr::memchr_iter(b'\n', octets) {
        if matches!(octets.get(start..newline), Some(b"" | b"\r")) {
            return newline + 1;
        }
        start = newline + 1;
    }
    octets.len()
}
