//! When which account is due: pure, without clock or process.
//!
//! Times are those of a clock that starts with the machine, goes on while it sleeps, and that nobody
//! sets: so a clock that is put right changes nothing, and an account that has slept through many turns is
//! due once.

use crate::exit::Status;
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two fetches there is so much time, whatever a server says: a list that sends a message each second
/// is fetched a few at a time.
const PAUSE: Duration = Duration::from_secs(2);

/// The accounts that are watched.
#[derive(Default)]
pub(super) struct Schedule {
    accounts: BTreeMap<String, Watched>,
}

struct Watched {
    /// From the end of one fetch to the next one's beginning.
    every: Duration,
    /// When it is due, since the machine has started.
    due: Duration,
    is_running: bool,
    /// It is wanted once more, so long after its end: what is running may have listed its mail already.
    again: Option<Duration>,
    /// When the last fetch ended.
    ended: Duration,
    /// Forgotten when it ends.
    is_gone: bool,
    /// The exit status of the last fetch.
    status: Option<i32>,
}

impl Schedule {
    /// These accounts are watched from now on, each with its interval. New ones are due at once; the
    /// others keep their turns, sooner where the interval has become shorter.
    pub(super) fn watch(
        &mut self,
        wanted: impl IntoIterator<Item = (String, Duration)>,
        now: Duration,
    ) {
        let mut earlier = std::mem::take(&mut self.accounts);
        for (name, every) in wanted {
            let watched = match earlier.remove(&name) {
                Some(watched) => Watched {
                    due: watched.due.min(now + every),
                    every,
                    is_gone: false,
                    ..watched
                },
                None => Watched {
                    every,
                    due: now,
                    is_running: false,
                    again: None,
                    ended: Duration::ZERO,
                    is_gone: false,
                    status: None,
                },
            };
            self.accounts.insert(name, watched);
        }
        let running = earlier
            .into_iter()
            .filter(|(_, watched)| watched.is_running);
        let gone = running.map(|(name, watched)| {
            let is_gone = true;
            (name, Watched { is_gone, ..watched })
        });
        self.accounts.extend(gone);
    }

    /// The account that has been due for longest, if any is; it counts as running.
    pub(super) fn start(&mut self, now: Duration) -> Option<String> {
        let due = self.waiting().filter(|(_, watched)| watched.due <= now);
        let (name, _) = due.min_by_key(|(_, watched)| watched.due)?;
        let name = name.clone();
        self.accounts.get_mut(&name)?.is_running = true;
        Some(name)
    }

    /// An account's fetch has ended; `spread`, from 0 to 1, says how much later than its interval the next
    /// one begins, of a tenth: accounts that began together part.
    pub(super) fn ended(&mut self, name: &str, status: Option<i32>, now: Duration, spread: f64) {
        let Some(watched) = self.accounts.get_mut(name) else {
            return;
        };
        if watched.is_gone {
            self.accounts.remove(name);
            return;
        }
        let later = watched.every.mul_f64(spread.clamp(0.0, 1.0) / 10.0);
        watched.due = match watched.again.take() {
            Some(pause) => now.saturating_add(pause),
            None => now.saturating_add(watched.every).saturating_add(later),
        };
        watched.ended = now;
        watched.is_running = false;
        watched.status = status;
    }

    /// All are due.
    pub(super) fn all_now(&mut self, now: Duration) {
        for watched in self.accounts.values_mut() {
            watched.due = watched.due.min(now);
            watched.again = watched.is_running.then_some(Duration::ZERO);
        }
    }

    /// A server has said that an account has mail.
    pub(super) fn has_mail(&mut self, name: &str, now: Duration) {
        let Some(watched) = self.accounts.get_mut(name) else {
            return;
        };
        let soonest = watched.ended.saturating_add(PAUSE);
        watched.due = watched.due.min(now.max(soonest));
        if watched.is_running {
            watched.again = watched.again.or(Some(PAUSE));
        }
    }

    /// Whether the last fetch of an account got through to its server, whatever became of single messages.
    pub(super) fn gets_through(&self, name: &str) -> bool {
        let watched = self.accounts.get(name).filter(|it| !it.is_gone);
        let partial = i32::from(Status::Partial.code());
        watched.is_some_and(|it| it.status.is_some_and(|it| it == 0 || it == partial))
    }

    /// When the next account is due that does not run.
    pub(super) fn next(&self) -> Option<Duration> {
        self.waiting().map(|(_, watched)| watched.due).min()
    }

    /// How many accounts are watched.
    pub(super) fn len(&self) -> usize {
        self.accounts.values().filter(|it| !it.is_gone).count()
    }

    /// Each of them, and how often it has its turn.
    pub(super) fn intervals(&self) -> impl Iterator<Item = (&str, Duration)> {
        let there = self.accounts.iter().filter(|(_, it)| !it.is_gone);
        there.map(|(name, it)| (name.as_str(), it.every))
    }

    /// How many are fetched just now.
    pub(super) fn running(&self) -> usize {
        self.accounts.values().filter(|it| it.is_running).count()
    }

    /// Those whose last fetch did not end well.
    pub(super) fn failing(&self) -> impl Iterator<Item = &str> {
        let failing =
            |watched: &Watched| watched.status.is_some_and(|it| it != 0) && !watched.is_gone;
        let accounts = self.accounts.iter().filter(move |(_, it)| failing(it));
        accounts.map(|(name, _)| name.as_str())
    }

    fn waiting(&self) -> impl Iterator<Item = (&String, &Watched)> {
        let waits = |watched: &Watched| !watched.is_running && !watched.is_gone;
        self.accounts.iter().filter(move |(_, it)| waits(it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: Duration = Duration::from_secs(60);
    const NOW: Duration = Duration::from_secs(1000);

    fn of(accounts: &[(&str, u32)]) -> Vec<(String, Duration)> {
        let accounts = accounts.iter();
        accounts
            .map(|(name, every)| ((*name).to_owned(), MIN * *every))
            .collect()
    }

    fn started(schedule: &mut Schedule, now: Duration) -> Vec<String> {
        std::iter::from_fn(|| schedule.start(now)).collect()
    }

    #[test]
    fn each_account_is_due_at_once_and_then_when_its_own_interval_is_over() {
        let mut schedule = Schedule::default();
        schedule.watch(of(&[("a", 10), ("b", 1)]), NOW);
        assert_eq!(started(&mut schedule, NOW), ["a", "b"]);
        assert_eq!((schedule.next(), schedule.running()), (None, 2));
        schedule.ended("a", Some(0), NOW + MIN, 0.0);
        schedule.ended("b", Some(0), NOW + MIN, 1.0);
        assert_eq!(schedule.next(), Some(NOW + MIN * 2 + MIN / 10));
        assert!(started(&mut schedule, NOW + MIN * 2).is_empty());
        assert_eq!(started(&mut schedule, NOW + MIN * 3), ["b"]);
        assert_eq!(started(&mut schedule, NOW + MIN * 11), ["a"]);
    }

    #[test]
    fn an_account_that_slept_through_many_turns_is_due_once() {
        let mut schedule = Schedule::default();
        schedule.watch(of(&[("a", 10)]), NOW);
        assert_eq!(started(&mut schedule, NOW), ["a"]);
        schedule.ended("a", Some(0), NOW, 0.5);
        let awake = NOW + MIN * 60 * 24 * 7;
        assert_eq!(started(&mut schedule, awake), ["a"]);
        schedule.ended("a", Some(0), awake, 0.5);
        assert!(started(&mut schedule, awake + MIN * 9).is_empty());
    }

    #[test]
    fn the_one_that_has_waited_longest_is_first() {
        let mut schedule = Schedule::default();
        schedule.watch(of(&[("a", 10)]), NOW);
        schedule.watch(of(&[("a", 10), ("b", 10), ("c", 10)]), NOW - MIN);
        assert_eq!(started(&mut schedule, NOW), ["b", "c", "a"]);
    }

    #[test]
    fn who_is_asked_for_while_it_runs_runs_once_more() {
        let mut schedule = Schedule::default();
        schedule.watch(of(&[("a", 10), ("b", 10)]), NOW);
        assert_eq!(started(&mut schedule, NOW), ["a", "b"]);
        schedule.ended("b", Some(0), NOW, 0.0);
        schedule.all_now(NOW + MIN);
        assert_eq!(started(&mut schedule, NOW + MIN), ["b"]);
        schedule.ended("a", Some(0), NOW + MIN, 0.0);
        assert_eq!(started(&mut schedule, NOW + MIN), ["a"]);
        schedule.ended("a", Some(0), NOW + MIN, 0.0);
        assert!(started(&mut schedule, NOW + MIN).is_empty());
    }

    #[test]
    fn mail_is_fetched_at_once_and_a_server_that_never_stops_saying_so_is_asked_every_other_second()
    {
        let mut schedule = Schedule::default();
        schedule.watch(of(&[("a", 10)]), NOW);
        assert!(!schedule.gets_through("a"), "nobody has tried");
        assert_eq!(started(&mut schedule, NOW), ["a"]);
        schedule.ended("a", Some(0), NOW, 0.0);
        assert!(schedule.gets_through("a") && !schedule.gets_through("b"));
        schedule.has_mail("a", NOW + MIN);
        schedule.has_mail("b", NOW + MIN);
        assert_eq!(started(&mut schedule, NOW + MIN), ["a"]);
        // While it runs, and right behind its end.
        schedule.has_mail("a", NOW + MIN);
        schedule.ended("a", Some(77), NOW + MIN, 0.0);
        assert!(!schedule.gets_through("a"));
        schedule.has_mail("a", NOW + MIN);
        assert!(started(&mut schedule, NOW + MIN).is_empty());
        assert_eq!(started(&mut schedule, NOW + MIN + PAUSE), ["a"]);
        schedule.ended("a", Some(0), NOW + MIN, 0.0);
        assert_eq!(schedule.next(), Some(NOW + MIN * 11), "then its own turn");
    }

    #[test]
    fn another_config_adds_and_takes_away_and_leaves_the_others_their_turns() {
        let mut schedule = Schedule::default();
        schedule.watch(of(&[("a", 10), ("b", 10), ("c", 10)]), NOW);
        assert_eq!(started(&mut schedule, NOW), ["a", "b", "c"]);
        for name in ["a", "b"] {
            schedule.ended(name, Some(0), NOW, 0.0);
        }
        schedule.ended("b", Some(77), NOW, 0.0);
        // c is taken away while it runs, and is forgotten once it ends.
        schedule.watch(of(&[("a", 10), ("b", 2), ("d", 10)]), NOW + MIN);
        assert_eq!((schedule.len(), schedule.running()), (3, 1));
        assert_eq!(schedule.failing().collect::<Vec<_>>(), ["b"]);
        schedule.ended("c", Some(77), NOW + MIN, 0.0);
        assert_eq!(started(&mut schedule, NOW + MIN), ["d"]);
        assert_eq!(started(&mut schedule, NOW + MIN * 3), ["b"]);
        assert_eq!(started(&mut schedule, NOW + MIN * 10), ["a"]);
        assert_eq!(schedule.len(), 3);
    }
}
