//! Whether the sizes that a server lists say anything about its messages.

use crate::delivery::Size;

/// After so many doubts in a row that were none, an account's sizes are estimates (E11.3).
const DOUBTS: u8 = 5;

/// After so many messages in a row that had exactly the listed octets they are not.
const EXACT: u32 = 10;

/// What the sizes of an account have been worth so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Sizes {
    /// Messages in a row that had exactly the listed octets.
    exact_in_a_row: u32,
    exact: u64,
    off: u64,
    doubts: u8,
    are_estimates: bool,
}

impl Sizes {
    /// A message was retrieved.
    pub(super) fn retrieved(&mut self, size: Size) {
        match size {
            Size::Exact => {
                self.exact += 1;
                self.exact_in_a_row = self.exact_in_a_row.saturating_add(1);
                if self.exact_in_a_row >= EXACT && self.are_estimates {
                    (self.are_estimates, self.doubts) = (false, 0);
                }
            }
            Size::Off => {
                self.off += 1;
                self.exact_in_a_row = 0;
            }
            Size::Unknown => {}
        }
    }

    /// The message of this size that was retrieved just now may not be whole.
    pub(super) fn was_doubtful(&mut self, size: Option<Size>) {
        if size == Some(Size::Off) {
            self.off = self.off.saturating_sub(1);
        }
    }

    /// A person says of such a message that it is: so the size was wrong.
    pub(super) fn was_whole(&mut self) {
        self.off += 1;
    }

    /// A message turned out to be the same although its size had changed, and not for the first
    /// time.
    pub(super) fn was_the_same(&mut self) {
        self.doubts = self.doubts.saturating_add(1);
        if self.doubts >= DOUBTS && !self.are_estimates {
            (self.are_estimates, self.exact_in_a_row) = (true, 0);
        }
    }

    /// A message turned out to be another one.
    pub(super) fn was_another(&mut self) {
        (self.are_estimates, self.doubts) = (false, 0);
    }

    /// Whether they are no evidence.
    pub(super) fn are_estimates(&self) -> bool {
        self.are_estimates
    }

    /// As the fields of a line.
    pub(super) fn fields(&self) -> String {
        let Self {
            exact_in_a_row,
            exact,
            off,
            doubts,
            are_estimates,
        } = self;
        let estimates = u8::from(*are_estimates);
        format!("{exact}\t{exact_in_a_row}\t{off}\t{doubts}\t{estimates}")
    }

    /// Reads what [`Sizes::fields`] wrote.
    pub(super) fn read<'a>(next: &mut impl FnMut() -> Option<&'a str>) -> Option<Self> {
        Some(Self {
            exact: next()?.parse().ok()?,
            exact_in_a_row: next()?.parse().ok()?,
            off: next()?.parse().ok()?,
            doubts: next()?.parse().ok()?,
            are_estimates: match next()? {
                "0" => false,
                "1" => true,
                _ => return None,
            },
        })
    }

    /// How many were exact, and whether any was off.
    pub(super) fn so_far(&self) -> (u64, bool) {
        (self.exact, self.off > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c1_five_doubts_in_a_row_that_were_none_make_sizes_estimates() {
        let mut sizes = Sizes::default();
        (0..4).for_each(|_| sizes.was_the_same());
        sizes.was_another();
        (0..4).for_each(|_| sizes.was_the_same());
        assert!(!sizes.are_estimates());
        sizes.was_the_same();
        assert!(sizes.are_estimates());
        (0..9).for_each(|_| sizes.retrieved(Size::Exact));
        sizes.retrieved(Size::Off);
        (0..9).for_each(|_| sizes.retrieved(Size::Exact));
        assert!(sizes.are_estimates());
        sizes.retrieved(Size::Exact);
        assert!(!sizes.are_estimates());
    }

    #[test]
    fn a4_it_is_remembered_that_a_size_was_off() {
        let mut sizes = Sizes::default();
        (0..9).for_each(|_| sizes.retrieved(Size::Exact));
        assert_eq!(sizes.so_far(), (9, false));
        sizes.retrieved(Size::Off);
        assert_eq!(sizes.so_far(), (9, true));
    }

    #[test]
    fn a4_a_message_that_may_not_be_whole_says_nothing_of_sizes_until_a_person_does() {
        let mut sizes = Sizes::default();
        (0..9).for_each(|_| sizes.retrieved(Size::Exact));
        for size in [Size::Off, Size::Exact] {
            sizes.retrieved(size);
            sizes.was_doubtful(Some(size));
        }
        assert_eq!(sizes.so_far(), (10, false));
        sizes.was_whole();
        assert_eq!(sizes.so_far(), (10, true));
    }
}
