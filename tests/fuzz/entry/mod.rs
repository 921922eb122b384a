//! One function a parser: it takes any octets, and panics where the parser breaks a promise.
//!
//! The fuzz targets in fuzz/ call these functions, and so do the tests beside this directory, so
//! that whatever a fuzzer finds can be kept as a test in one line. Nothing here knows a private
//! item of popfetch; the parsers are met as the rest of the program meets them.

pub mod body;
pub mod config;
pub mod connection;
pub mod imap;
pub mod journal;
pub mod listing;
mod reference;
pub mod sealed;
pub mod story;
pub mod told;

/// Takes `octets` apart: the first line, without its end, and the rest.
fn first_line(octets: &[u8]) -> (&[u8], &[u8]) {
    match octets.iter().position(|octet| *octet == b'\n') {
        Some(end) => (&octets[..end], &octets[end + 1..]),
        None => (octets, b""),
    }
}
