//! A time in few octets: an account may remember a million messages, with two times each.

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
    fn a_record_of_a_message_takes_no_more_than_49_octets() {
        assert_eq!(size_of::<super::super::memory::Record>(), 49);
    }
}
