//! Sets of UIDs, as commands name them: `3:7,9`.

use std::fmt;
use std::num::NonZeroU32;

/// A command names at most so many ranges: servers take lines of 8,000 octets (RFC 7162 section 4),
/// and these have 22 each at most.
const RANGES: usize = 300;

/// UIDs in ranges, each with its first and its last.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UidSet(Vec<(u32, u32)>);

impl UidSet {
    /// All of these, in sets that a command can name. In whatever order they come; doubles are one.
    pub fn of(uids: impl IntoIterator<Item = NonZeroU32>) -> Vec<Self> {
        let mut uids: Vec<u32> = uids.into_iter().map(NonZeroU32::get).collect();
        uids.sort_unstable();
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for uid in uids {
            match ranges.last_mut() {
                Some((_, last)) if uid <= last.saturating_add(1) => *last = uid,
                _ => ranges.push((uid, uid)),
            }
        }
        let parts = ranges.chunks(RANGES);
        parts.map(|part| Self(part.to_vec())).collect()
    }

    /// Whether it is one of these.
    pub fn contains(&self, uid: u32) -> bool {
        let place = self.0.partition_point(|(_, last)| *last < uid);
        self.0.get(place).is_some_and(|(first, _)| *first <= uid)
    }

    /// The highest of them; 0 of none.
    pub fn last(&self) -> u32 {
        self.0.last().map_or(0, |(_, last)| *last)
    }
}

impl fmt::Display for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (first, last)) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(",")?;
            }
            match first == last {
                true => write!(f, "{first}")?,
                false => write!(f, "{first}:{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(uids: &[u32]) -> Vec<String> {
        let uids = uids.iter().copied().filter_map(NonZeroU32::new);
        UidSet::of(uids).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_set_names_each_uid_once_and_in_ranges() {
        assert_eq!(written(&[7, 3, 4, 5, 9, 5]), ["3:5,7,9"]);
        assert_eq!(
            written(&[u32::MAX, u32::MAX - 1]),
            ["4294967294:4294967295"]
        );
        assert!(written(&[]).is_empty());
        let set = &UidSet::of([3, 4, 9].into_iter().filter_map(NonZeroU32::new))[0];
        let found: Vec<u32> = (0..12).filter(|uid| set.contains(*uid)).collect();
        assert_eq!(found, [3, 4, 9]);
        assert_eq!((set.last(), UidSet::default().last()), (9, 0));
    }

    #[test]
    fn what_would_be_too_long_for_a_line_is_several_sets() {
        let scattered: Vec<u32> = (1..=1000).map(|n| 4_294_000_000 + 3 * n).collect();
        let sets = written(&scattered);
        assert_eq!(sets.len(), 4);
        assert!(sets.iter().all(|set| set.len() < 8000));
        let named: usize = sets.iter().map(|set| set.split(',').count()).sum();
        assert_eq!(named, scattered.len());
    }
}
