//! What is remembered of an I line, read without making anything else of it: every run begins with
//! reading all of them.

use super::{Id, Listing, Stored};
use crate::durable::line::unseal_octets;
use crate::maildir::{Folder, UniqueName};
use crate::maildrop::Identity;
use crate::message::{Evidence, Size};
use crate::state::chain::without_link;
use crate::state::remembered::{Key, key_of};
use crate::term::is_hex;

/// See the module.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::state) struct Glance {
    pub(in crate::state) id: Id,
    pub(in crate::state) time: i64,
    pub(in crate::state) is_recognisable: bool,
    pub(in crate::state) identity: Identity,
    /// The listed octets.
    pub(in crate::state) listed: Option<u64>,
    pub(in crate::state) turn: u32,
    /// Those that are stored.
    pub(in crate::state) octets: u64,
    pub(in crate::state) key: Key,
    /// What the listed octets were worth; `None` in a line without evidence.
    pub(in crate::state) size: Option<Size>,
}

impl Glance {
    /// Of a line that was read in full.
    pub(in crate::state) fn of(
        id: Id,
        time: i64,
        identity: Identity,
        listing: &Listing,
        stored: &Stored,
    ) -> Self {
        Self {
            id,
            time,
            is_recognisable: listing.is_recognisable(),
            identity,
            listed: listing.octets,
            turn: listing.turn,
            octets: stored.octets,
            key: key_of(stored.evidence.as_ref(), &stored.digests),
            size: stored.evidence.map(|evidence| evidence.size),
        }
    }

    /// Reads an I line of today's form, without its LF, whose identity stands in the file's name.
    /// `None` for any other, which is to be read in full: nothing that [`super::Entry::read`] would
    /// not take is taken.
    pub(in crate::state) fn read(line: &[u8]) -> Option<Self> {
        if !line.starts_with(b"I\t") {
            return None;
        }
        let line = without_link(unseal_octets(line)?);
        let mut begin = 2;
        let ends = memchr::memchr_iter(b'\t', line).skip(1);
        let mut fields = ends.chain([line.len()]).map(|end| {
            let field = line.get(begin..end).unwrap_or_default();
            begin = end + 1;
            field
        });
        let mut next = || fields.next();
        let id = u32::try_from(number(next()?)?).ok()?;
        let time = i64::try_from(number(next()?)?).ok()?;
        let unique_id = next()?;
        if !unique_id
            .iter()
            .all(|octet| octet.is_ascii_graphic() && *octet != b'%')
        {
            return None;
        }
        let listed = number(next()?)?;
        let turn = u32::try_from(number(next()?)?).ok()?;
        let octets = number(next()?)?;
        let (stored, content) = (next()?, next()?);
        let is_hash = |field: &[u8]| field.len() == 64 && is_hex(field);
        if !is_hash(stored) || !(content == b"-" || is_hash(content)) {
            return None;
        }
        let identity = UniqueName::identity_in(next()?)?;
        let (size, key) = Evidence::glance(next()?)?;
        if let Some(folder) = next() {
            Folder::read(std::str::from_utf8(folder).ok()?)?;
        }
        let glance = Self {
            id,
            time,
            is_recognisable: unique_id != b"-",
            identity,
            listed: Some(listed),
            turn,
            octets,
            key,
            size: Some(size),
        };
        fields.next().is_none().then_some(glance)
    }
}

/// A number as we write it, of not so many digits that it could be too large.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0, |number: u64, digit| {
        let value = digit.wrapping_sub(b'0');
        (value < 10).then_some(number * 10 + u64::from(value))
    })
}
