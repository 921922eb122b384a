//! Whether the clock can be believed. Ages are measured by it, and one that is wrong by weeks would
//! have messages deleted that are hardly there.

/// Nobody who runs the program often enough to have mail deleted for its age leaves so many seconds
/// between two runs, unless for a holiday: a week.
const GAP: i64 = 7 * 24 * 60 * 60;

/// No version of popfetch ran before 2025: a clock that shows less is one that nobody has set.
pub(super) const EARLIEST: i64 = 1_735_689_600;

/// A person, or the time servers, put a wrong clock right within so many seconds, a day.
const QUARANTINE: i64 = 24 * 60 * 60;

/// Since when the clock has been in doubt, if it is in this run: it went on by more than a week since
/// the last one, or had done so less than a day ago; or it shows a time that cannot be.
pub(super) fn doubted_since(last_run: Option<i64>, doubted: Option<i64>, now: i64) -> Option<i64> {
    let leapt = last_run.is_some_and(|last| now.saturating_sub(last) > GAP);
    match doubted {
        _ if leapt || now < EARLIEST => Some(now),
        // It was set back meanwhile: who knows which of the two was right.
        Some(since) if now < since => Some(now),
        Some(since) if now.saturating_sub(since) < QUARANTINE => Some(since),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = QUARANTINE;

    /// The runs, in days, in which the clock is in doubt.
    fn doubted(runs: &[f64]) -> Vec<f64> {
        let (mut last, mut doubt) = (None, None);
        let mut in_doubt = Vec::new();
        for run in runs {
            let now = EARLIEST + (run * DAY as f64) as i64;
            doubt = doubted_since(last, doubt, now);
            last = Some(now);
            in_doubt.extend(doubt.map(|_| *run));
        }
        in_doubt
    }

    #[test]
    fn e_9_after_a_gap_of_more_than_a_week_the_clock_is_in_doubt_until_a_run_a_day_later() {
        assert_eq!(doubted(&[0.0, 6.9, 13.8]), [0.0; 0]);
        let runs = [0.0, 20.0, 20.1, 20.9, 21.0, 22.0];
        assert_eq!(doubted(&runs), [20.0, 20.1, 20.9]);
        assert_eq!(doubted(&[0.0, 400.0, 400.01, 401.5]), [400.0, 400.01]);
    }

    #[test]
    fn e_9_a_clock_that_nobody_has_set_is_in_doubt() {
        assert_eq!(doubted_since(None, None, 0), Some(0));
        assert_eq!(doubted_since(Some(0), Some(0), DAY), Some(DAY));
        assert_eq!(
            doubted_since(Some(0), Some(0), EARLIEST + DAY),
            Some(EARLIEST + DAY)
        );
        assert_eq!(doubted_since(None, None, EARLIEST), None);
    }

    #[test]
    fn e_9_a_gap_of_exactly_a_week_is_none_and_a_second_more_is() {
        assert_eq!(doubted(&[0.0, 7.0]), [0.0; 0]);
        let week = EARLIEST + GAP;
        assert_eq!(doubted_since(Some(EARLIEST), None, week), None);
        let later = doubted_since(Some(EARLIEST), None, week + 1);
        assert_eq!(later, Some(week + 1));
        // Nor is it believed a second before its day is over.
        let day = week + 1 + QUARANTINE;
        assert_eq!(doubted_since(Some(week), later, day - 1), later);
        assert_eq!(doubted_since(Some(week), later, day), None);
    }

    #[test]
    fn e_9_a_clock_that_leaps_again_or_is_set_back_is_in_doubt_anew() {
        let runs = [0.0, 20.0, 400.0, 401.0, 402.0];
        assert_eq!(doubted(&runs), [20.0, 400.0]);
        // Set a little back by a time server, and all the way by a person.
        assert_eq!(
            doubted(&[0.0, 20.0, 19.99, 20.5, 21.0]),
            [20.0, 19.99, 20.5]
        );
        assert_eq!(
            doubted(&[10.0, 410.0, 10.1, 10.2, 11.2]),
            [410.0, 10.1, 10.2]
        );
        assert_eq!(doubted(&[10.0, 0.0, 10.1, 11.2]), [10.1]);
    }
}
