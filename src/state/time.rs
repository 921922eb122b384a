//! Times and sizes in few octets: an account may remember a million messages, with two of each.

/// Seconds since 1970, in six octets that are as good at any place in a record. They reach four
/// million years either way; a time beyond that is the last one within.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Time([u8; 6]);

const LAST: i64 = (1 << 47) - 1;

impl Time {
    pub(super) fn new(seconds: i64) -> Self {
        let [octets @ .., _, _] = seconds.clamp(-LAST, LAST).to_le_bytes();
        Self(octets)
    }

    pub(super) fn seconds(self) -> i64 {
        let [a, b, c, d, e, f] = self.0;
        // From the upper end, for the sign.
        i64::from_le_bytes([0, 0, a, b, c, d, e, f]) >> 16
    }
}

/// A number of octets in six octets, or none. One that is out of reach is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Octets([u8; 6]);

const NONE: u64 = (1 << 48) - 1;

impl Default for Octets {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Octets {
    pub(super) fn new(octets: Option<u64>) -> Self {
        let [octets @ .., _, _] = octets.unwrap_or(NONE).min(NONE).to_le_bytes();
        Self(octets)
    }

    pub(super) fn value(self) -> Option<u64> {
        let [a, b, c, d, e, f] = self.0;
        let octets = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
        (octets != NONE).then_some(octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_it_was_kept() {
        for seconds in [0, 1, -1, 1_795_395_922, -1_795_395_922, LAST, -LAST] {
            assert_eq!(Time::new(seconds).seconds(), seconds);
        }
    }

    #[test]
    fn a_time_out_of_reach_stays_before_or_after_all_others() {
        assert_eq!(Time::new(i64::MAX).seconds(), LAST);
        assert_eq!(Time::new(i64::MIN).seconds(), -LAST);
    }

    #[test]
    fn a_size_is_read_as_it_was_kept() {
        for octets in [None, Some(0), Some(1), Some(1 << 40)] {
            assert_eq!(Octets::new(octets).value(), octets);
        }
        assert_eq!(Octets::new(Some(u64::MAX)).value(), None);
    }

    #[test]
    fn a_record_of_a_message_takes_no_more_than_60_octets() {
        assert_eq!(size_of::<super::super::remembered::Record>(), 60);
    }
}
