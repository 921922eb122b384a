//! Whether a Maildir holds what was in the maildrop, octet for octet.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use memchr::memmem;
use sha2::{Digest, Sha256};

use crate::support::message::Message;

/// How every message of the benchmark begins.
const FIRST_LINE: &[u8] = b"From: Ada <ada@example.com>\n";

type Hash = [u8; 32];

/// What must be in a Maildir, each message as often as it was in the maildrop.
#[derive(Clone)]
pub struct Expected(Arc<HashMap<Hash, usize>>);

/// How a program kept what it fetched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kept {
    /// Octet for octet.
    Whole,
    /// With header lines of its own, and everything else octet for octet.
    WithHeaders,
}

impl Expected {
    pub fn of(messages: &[Message]) -> Self {
        let mut tally = HashMap::new();
        for message in messages {
            *tally.entry(message.stored_sha256()).or_default() += 1;
        }
        Self(Arc::new(tally))
    }

    /// Whether `maildir` holds exactly this in new/ and cur/, and nothing in tmp/.
    pub fn check(&self, maildir: &Path) -> Result<Kept> {
        let mut left = (*self.0).clone();
        let mut kept = Kept::Whole;
        for directory in ["new", "cur"] {
            for entry in fs::read_dir(maildir.join(directory))? {
                let path = entry?.path();
                let octets = fs::read(&path)?;
                let found = match take(&mut left, &octets) {
                    true => true,
                    false => {
                        kept = Kept::WithHeaders;
                        let octets = without_tuid(octets);
                        let first = memmem::find(&octets, FIRST_LINE);
                        let own = first.and_then(|at| octets.get(at..));
                        own.is_some_and(|own| take(&mut left, own))
                    }
                };
                ensure!(found, "{} is no message of the maildrop", path.display());
            }
        }
        let missing: usize = left.values().sum();
        ensure!(missing == 0, "{missing} messages have not been fetched");
        let unfinished = fs::read_dir(maildir.join("tmp")).context("tmp/")?.count();
        ensure!(unfinished == 0, "{unfinished} files are left in tmp/");
        Ok(kept)
    }
}

/// Without the line that mbsync adds.
fn without_tuid(octets: Vec<u8>) -> Vec<u8> {
    let Some(at) = memmem::find(&octets, b"\nX-TUID: ") else {
        return octets;
    };
    let (before, rest) = octets.split_at(at);
    let end = rest.iter().skip(1).position(|octet| *octet == b'\n');
    let behind = end.and_then(|end| rest.get(end + 1..)).unwrap_or_default();
    [before, behind].concat()
}

fn take(left: &mut HashMap<Hash, usize>, octets: &[u8]) -> bool {
    let hash: Hash = Sha256::digest(octets).into();
    match left.get_mut(&hash) {
        Some(times) if *times > 0 => {
            *times -= 1;
            true
        }
        _ => false,
    }
}
