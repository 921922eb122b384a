//! More than something, less than something, or both.

/// Between which numbers one must lie; the bounds themselves are outside.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Bounds {
    /// It must be more than this.
    pub over: Option<u64>,
    /// It must be less than this.
    pub under: Option<u64>,
}

impl Bounds {
    /// Whether there are any.
    pub fn are_none(self) -> bool {
        self == Self::default()
    }

    /// Whether a number is between them.
    pub(super) fn hold(self, number: u64) -> bool {
        self.over.is_none_or(|over| number > over) && self.under.is_none_or(|under| number < under)
    }

    /// Whether no number is between them.
    pub(super) fn contradict(self) -> bool {
        match (self.over, self.under) {
            (Some(over), Some(under)) => over.saturating_add(1) >= under,
            (None, Some(under)) => under == 0,
            (_, None) => false,
        }
    }

    /// Whether every number between these is between the others.
    pub(super) fn imply(self, others: Self) -> bool {
        let over = others.over.is_none_or(|over| self.over >= Some(over));
        let under = others
            .under
            .is_none_or(|under| self.under.is_some_and(|own| own <= under));
        over && under
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(over: impl Into<Option<u64>>, under: impl Into<Option<u64>>) -> Bounds {
        Bounds {
            over: over.into(),
            under: under.into(),
        }
    }

    #[test]
    fn bounds_are_outside_of_what_they_bound() {
        assert!(!bounds(5, None).hold(5) && bounds(5, None).hold(6));
        assert!(!bounds(None, 5).hold(5) && bounds(None, 5).hold(4));
        assert!(bounds(None, None).hold(0));
        for (over, under) in [(5, 5), (5, 6), (6, 5), (u64::MAX, u64::MAX)] {
            assert!(bounds(over, under).contradict(), "{over} {under}");
        }
        assert!(!bounds(5, 7).contradict());
    }

    #[test]
    fn the_narrower_bounds_imply_the_wider_ones() {
        assert!(bounds(7, None).imply(bounds(5, None)));
        assert!(bounds(5, 9).imply(bounds(5, None)));
        assert!(!bounds(5, None).imply(bounds(7, None)));
        assert!(!bounds(None, None).imply(bounds(0, None)));
        assert!(!bounds(5, None).imply(bounds(5, 9)));
        assert!(bounds(None, 4).imply(bounds(None, 5)));
    }
}
