//! A response as it is put together: lines, and literals between them, with limits.

use crate::imap::violation::{LITERAL_LIMIT, RESPONSE_LIMIT, Violation};
use std::ops::Range;

/// So many literals may be in a response.
const LITERALS: usize = 64;

/// The response at hand, as far as it has come, or what is left of it behind a message.
#[derive(Default)]
pub(super) struct Response {
    text: Vec<u8>,
    /// It was told, and the next one begins.
    is_told: bool,
    /// Literals in it.
    literals: usize,
}

impl Response {
    /// All of it.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn part(&self, range: Range<usize>) -> &[u8] {
        self.text.get(range).unwrap_or_default()
    }

    /// Whether so many octets more are within the limit; those of a response that was told are let go.
    pub(super) fn takes(&mut self, octets: usize) -> Result<(), Violation> {
        if std::mem::take(&mut self.is_told) {
            self.text.clear();
            self.literals = 0;
        }
        match self.text.len() + octets > RESPONSE_LIMIT {
            true => Err(Violation::EndlessResponse),
            false => Ok(()),
        }
    }

    pub(super) fn push(&mut self, octets: &[u8]) {
        self.text.extend(octets);
    }

    /// Only this is left of it.
    pub(super) fn keep(&mut self, rest: Vec<u8>) {
        self.text = rest;
    }

    /// It is complete.
    pub(super) fn tell(&mut self) {
        self.is_told = true;
    }

    /// A literal of so many octets is next: the same, where it is within the limits.
    pub(super) fn announce(&mut self, octets: u64) -> Result<usize, Violation> {
        self.literals += 1;
        let length = usize::try_from(octets).ok();
        let length = length.filter(|_| octets <= LITERAL_LIMIT && self.literals <= LITERALS);
        length.ok_or(Violation::LongLiteral(octets))
    }
}
