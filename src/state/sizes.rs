//! Whether the sizes that a server lists say anything about its messages.

use crate::message::Size;

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
    far_off: u64,
    doubts: u8,
    are_estimates: bool,
}

/// What is to be known of them where a message's end is judged (E12).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SizesSoFar {
    /// Messages that had exactly the listed octets.
    pub exact: u64,
    /// Messages that had others.
    pub off: u64,
    /// One had more than twice as many, so that no size is too large to be wrong.
    pub are_far_off: bool,
}

/// Where one of so many sizes is off, or fewer, it is the message that is not whole.
const FEW: u64 = 10;

impl SizesSoFar {
    /// Whether sizes that are off are this server's way. One that was, long ago, does not make them
    /// so.
    pub fn are_off(&self) -> bool {
        self.off > 0 && self.off.saturating_mul(FEW) >= self.exact
    }

    /// A message was retrieved, of so many octets as it is stored.
    pub fn note(&mut self, size: Size, listed: Option<u64>, octets: u64) {
        self.exact += u64::from(size == Size::Exact);
        self.off += u64::from(size == Size::Off);
        self.are_far_off |= is_far_off(size, listed, octets);
    }
}

/// No fault makes a size smaller than it is, so the server's counting is to blame. A size of 0 is
/// none.
fn is_far_off(size: Size, listed: Option<u64>, octets: u64) -> bool {
    size == Size::Off && listed.is_some_and(|listed| listed > 0 && listed < octets / 2)
}

impl Sizes {
    /// A message was retrieved, of so many octets as it is stored.
    pub(super) fn retrieved(&mut self, size: Size, listed: Option<u64>, octets: u64) {
        self.far_off += u64::from(is_far_off(size, listed, octets));
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

    /// The message that was retrieved just now may not be whole.
    pub(super) fn was_doubtful(&mut self, size: Size, listed: Option<u64>, octets: u64) {
        let far_off = u64::from(is_far_off(size, listed, octets));
        self.far_off = self.far_off.saturating_sub(far_off);
        self.off = self.off.saturating_sub(u64::from(size == Size::Off));
    }

    /// A person says of such a message that it is: so the size was wrong, and that is the server's
    /// way.
    pub(super) fn was_whole(&mut self) {
        self.off += 1 + self.exact / FEW;
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
            far_off,
            doubts,
            are_estimates,
        } = self;
        let estimates = u8::from(*are_estimates);
        format!("{exact}\t{exact_in_a_row}\t{off}\t{doubts}\t{estimates}\t{far_off}")
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
            // Lines that were written before this was counted end here.
            far_off: next().map_or(Some(0), |field| field.parse().ok())?,
        })
    }

    pub(super) fn so_far(&self) -> SizesSoFar {
        SizesSoFar {
            exact: self.exact,
            off: self.off,
            are_far_off: self.far_off > 0,
        }
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
        (0..9).for_each(|_| retrieved(&mut sizes, Size::Exact));
        retrieved(&mut sizes, Size::Off);
        (0..9).for_each(|_| retrieved(&mut sizes, Size::Exact));
        assert!(sizes.are_estimates());
        retrieved(&mut sizes, Size::Exact);
        assert!(!sizes.are_estimates());
    }

    #[test]
    fn a4_it_is_remembered_that_a_size_was_off() {
        let mut sizes = Sizes::default();
        (0..9).for_each(|_| retrieved(&mut sizes, Size::Exact));
        assert_eq!(so_far(&sizes), (9, false));
        retrieved(&mut sizes, Size::Off);
        assert_eq!(so_far(&sizes), (9, true));
    }

    #[test]
    fn a4_a_message_that_may_not_be_whole_says_nothing_of_sizes_until_a_person_does() {
        let mut sizes = Sizes::default();
        (0..9).for_each(|_| retrieved(&mut sizes, Size::Exact));
        for size in [Size::Off, Size::Exact] {
            retrieved(&mut sizes, size);
            sizes.was_doubtful(size, LISTED, OCTETS);
        }
        assert_eq!(so_far(&sizes), (10, false));
        sizes.was_whole();
        assert_eq!(so_far(&sizes), (10, true));
    }

    #[test]
    fn a4_only_a_message_that_is_whole_and_far_larger_than_listed_shows_that_sizes_are_far_off() {
        for (listed, octets, far) in [
            (Some(1), 240, true),
            (Some(119), 240, true),
            (Some(120), 240, false),
            (Some(13_000), 300, false),
            (Some(0), 240, false),
            (None, 240, false),
        ] {
            let mut sizes = Sizes::default();
            sizes.retrieved(Size::Off, listed, octets);
            assert_eq!(sizes.so_far().are_far_off, far, "{listed:?} {octets}");
            let mut run = SizesSoFar::default();
            run.note(Size::Off, listed, octets);
            assert_eq!(run, sizes.so_far());
            sizes.was_doubtful(Size::Off, listed, octets);
            assert_eq!(sizes.so_far(), SizesSoFar::default());
        }
    }

    const LISTED: Option<u64> = Some(250);
    const OCTETS: u64 = 240;

    fn retrieved(sizes: &mut Sizes, size: Size) {
        sizes.retrieved(size, LISTED, OCTETS);
    }

    fn so_far(sizes: &Sizes) -> (u64, bool) {
        let so_far = sizes.so_far();
        (so_far.exact, so_far.are_off())
    }
}
