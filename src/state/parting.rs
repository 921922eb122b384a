//! Which of a Maildir and a journal has gone on from the other, or where the two have parted (E13).

use crate::maildir::Nonces;

/// How far a Maildir can be believed about what a journal recorded as delivered to it. What was
/// recorded at a later generation than these and is missing there was not removed by its owner.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Parting {
    /// The Maildir may hold what the journal does not know.
    pub(super) ahead: bool,
    /// What was recorded since is lost, if it is missing.
    pub(super) lost: u64,
    /// Of what was recorded since, and is missing, nobody can tell; never after `lost`.
    pub(super) unsure: u64,
}

impl Parting {
    /// They agree, or there is nothing to compare.
    pub(super) const NONE: Self = Self {
        ahead: false,
        lost: u64::MAX,
        unsure: u64::MAX,
    };

    /// Compares the generation and nonces that stand in the Maildir with those of the journal.
    pub(super) fn between(maildir: (u64, &Nonces), journal: (u64, &Nonces)) -> Self {
        let ((theirs, their_nonces), (ours, our_nonces)) = (maildir, journal);
        let is_older = Self {
            ahead: false,
            lost: theirs,
            unsure: theirs,
        };
        let is_newer = Self {
            ahead: true,
            ..Self::NONE
        };
        let (Some(their_newest), Some(our_newest)) = (their_nonces.newest(), our_nonces.newest())
        else {
            // Where there were no nonces yet, the numbers are all there is.
            return match theirs.cmp(&ours) {
                std::cmp::Ordering::Less => is_older,
                std::cmp::Ordering::Equal => Self::NONE,
                std::cmp::Ordering::Greater => is_newer,
            };
        };
        match (our_nonces.has(their_newest), their_nonces.has(our_newest)) {
            (true, true) if theirs < ours => return is_older,
            (true, true) if theirs > ours => return is_newer,
            (true, true) => return Self::NONE,
            (true, false) => return is_older,
            (false, true) => return is_newer,
            (false, false) => {}
        }
        let common = their_nonces.last_common(our_nonces);
        let is_longer = their_newest.0 >= our_newest.0;
        // The newer one may have left the other's nonce out, being long.
        let have_parted = match is_longer {
            true => their_nonces.are_all_from(our_newest.0),
            false => our_nonces.are_all_from(their_newest.0),
        };
        let first = |nonces: &Nonces| nonces.oldest().map_or(0, |(generation, _)| generation);
        let first = first(their_nonces).min(first(our_nonces));
        let before_nonces = first.saturating_sub(2);
        Self {
            ahead: true,
            lost: match (have_parted, is_longer) {
                (true, _) => common.unwrap_or(before_nonces),
                (false, true) => u64::MAX,
                (false, false) => theirs,
            },
            unsure: common.unwrap_or(0),
        }
    }

    /// Whether anything that is missing may not have been removed by its owner.
    pub(super) fn is_behind(self) -> bool {
        self.since() < u64::MAX
    }

    /// What was recorded up to here and is missing was removed by its owner.
    pub(super) fn since(self) -> u64 {
        self.lost.min(self.unsure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maildir::Nonce;

    /// A history of runs, each named by an octet; the generation that they left behind.
    fn history(runs: impl IntoIterator<Item = u8>) -> (u64, Nonces) {
        let mut nonces = Nonces::default();
        let mut generation = 0;
        for run in runs {
            nonces.add(generation + 1, Nonce([run; 4]));
            generation += 2;
        }
        (generation, nonces)
    }

    fn between(maildir: &(u64, Nonces), journal: &(u64, Nonces)) -> Parting {
        Parting::between((maildir.0, &maildir.1), (journal.0, &journal.1))
    }

    fn parted(lost: u64, unsure: u64) -> Parting {
        Parting {
            ahead: true,
            lost,
            unsure,
        }
    }

    #[test]
    fn a1_histories_of_the_same_length_have_parted_where_their_nonces_differ() {
        let (one, other) = (history([1, 2, 3, 4]), history([1, 2, 8, 9]));
        assert_eq!(between(&one, &one), Parting::NONE);
        assert_eq!(between(&one, &other), parted(4, 4));
        assert_eq!(between(&one, &history([1, 2, 8])), parted(4, 4));
        assert_eq!(between(&history([1, 2, 8]), &one), parted(4, 4));
    }

    #[test]
    fn a1_a_history_that_is_a_part_of_the_other_is_older_however_long_the_other_is() {
        let (short, long) = (history(1..=3), history(1..=250));
        assert!(between(&long, &short).ahead);
        let older = between(&short, &long);
        assert_eq!((older.ahead, older.lost), (false, 6));
        // What stands in the Maildir is thinned, and may lack the nonce: nobody can tell then.
        let thinned = (long.0, long.1.thinned());
        let (early, odd) = (history(1..=100), history((1..=99).chain([255])));
        let unsure = between(&thinned, &early);
        assert_eq!(unsure, between(&thinned, &odd));
        assert!(unsure.ahead && unsure.lost == u64::MAX && unsure.unsure < 200);
    }

    #[test]
    fn a1_histories_without_nonces_go_by_their_numbers() {
        let (old, new) = ((4, Nonces::default()), history([1, 2, 3]));
        assert_eq!(between(&old, &old), Parting::NONE);
        assert_eq!(between(&old, &new).lost, 4);
        assert!(between(&new, &old).ahead);
    }

    #[test]
    fn a1_histories_with_no_nonce_in_common_lose_nothing_and_doubt_what_was_before_there_were_any()
    {
        let mut late = [Nonces::default(), Nonces::default()];
        for (nonces, run) in late.iter_mut().zip([1, 2]) {
            nonces.add(101, Nonce([run; 4]));
        }
        let [one, other] = late;
        assert_eq!(Parting::between((102, &one), (102, &other)), parted(100, 0));
    }
}
