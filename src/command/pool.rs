//! Several accounts at once.

use crate::threads;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// How long one who finds no thread left waits for one of those that are at work to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it looks.
const LOOK: Duration = Duration::from_millis(20);

/// Where an item is worked on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// In a thread that does nothing else before or after.
    Alone,
    /// In the thread that waits for the others, as there is no other to be had.
    Shared,
}

/// Calls `prepare` with each item, all at the same time, then `work`, up to `jobs` at a time, each in a thread of its own as far as there
/// are any. `meanwhile` is called in this thread once all of them exist. The results are in the
/// order of the items; `None` where the work panicked, which harms no other.
pub(super) fn in_parallel<T: Sync, R: Send>(
    jobs: usize,
    items: &[T],
    prepare: impl Fn(&T) + Sync,
    work: impl Fn(&T, Place) -> R + Sync,
    meanwhile: impl FnOnce(),
) -> Vec<Option<R>> {
    let slots = Slots::new(jobs.max(1));
    thread::scope(|scope| {
        let in_a_slot = |item| {
            prepare(item);
            let _slot = slots.take();
            work(item, Place::Alone)
        };
        let mut begun: Vec<Work<'_, R>> = Vec::with_capacity(items.len());
        for item in items {
            let until = Instant::now() + PATIENCE;
            let started = loop {
                match threads::start(scope, move || in_a_slot(item)) {
                    Ok(thread) => break Work::Begun(thread),
                    Err(_) if Instant::now() < until && begun.iter().any(Work::goes_on) => {
                        thread::sleep(LOOK);
                    }
                    Err(_) => {
                        let work = AssertUnwindSafe(|| {
                            prepare(item);
                            work(item, Place::Shared)
                        });
                        break Work::Done(catch_unwind(work).ok());
                    }
                }
            };
            begun.push(started);
        }
        meanwhile();
        begun.into_iter().map(Work::result).collect()
    })
}

enum Work<'scope, R> {
    Begun(ScopedJoinHandle<'scope, Option<R>>),
    Done(Option<R>),
}

impl<R> Work<'_, R> {
    fn goes_on(&self) -> bool {
        matches!(self, Self::Begun(thread) if !thread.is_finished())
    }

    fn result(self) -> Option<R> {
        match self {
            Self::Begun(thread) => thread.join().ok().flatten(),
            Self::Done(result) => result,
        }
    }
}

/// So many may work at the same time.
struct Slots {
    free: Mutex<usize>,
    given_back: Condvar,
}

/// Given back when it is dropped, after a panic too.
struct Slot<'a>(&'a Slots);

impl Slots {
    fn new(count: usize) -> Self {
        Self {
            free: Mutex::new(count),
            given_back: Condvar::new(),
        }
    }

    fn take(&self) -> Slot<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.given_back.wait_while(free, |free| *free == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
        Slot(self)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn results_are_in_the_order_of_the_items_and_jobs_are_bounded() {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let results = in_parallel(
            3,
            &[1, 2, 3, 4, 5, 6, 7],
            |_| (),
            |item, _| {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::yield_now();
                running.fetch_sub(1, Ordering::SeqCst);
                item * 10
            },
            || (),
        );
        let results: Vec<i32> = results.into_iter().map(Option::unwrap).collect();
        assert_eq!(results, [10, 20, 30, 40, 50, 60, 70]);
        assert!(most.load(Ordering::SeqCst) <= 3);
    }

    #[test]
    fn f32_one_that_panics_harms_no_other() {
        let results = in_parallel(
            1,
            &[1, 2, 3],
            |_| (),
            |item, _| {
                assert_ne!(*item, 2, "this panic is part of the test");
                *item
            },
            || (),
        );
        assert_eq!(results, [Some(1), None, Some(3)]);
    }
}
