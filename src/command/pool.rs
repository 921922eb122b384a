//! Several accounts at once.

use crate::threads;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::{self, Scope, ScopedJoinHandle};
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

/// How many may be prepared while others work. All of a person's accounts are; of ten thousand no more
/// are threads at a time.
const BESIDE: usize = 64;

/// Calls `prepare` with each item, all at the same time as long as they are few, then `work`, up to `jobs` at
/// a time, each in a thread of its own as far as there are any. `meanwhile` is called in this thread
/// while they are at work. The results are in the order of the items; `None` where the work panicked,
/// which harms no other.
pub(super) fn in_parallel<T: Sync, R: Send>(
    jobs: usize,
    items: &[T],
    prepare: impl Fn(&T) + Sync,
    work: impl Fn(&T, Place) -> R + Sync,
    meanwhile: impl FnOnce(),
) -> Vec<Option<R>> {
    let slots = Slots::new(jobs.max(1));
    let crowd = Slots::new(jobs.max(1) + BESIDE);
    let in_a_slot = |item| {
        prepare(item);
        let _slot = slots.take();
        work(item, Place::Alone)
    };
    let here = |item| {
        prepare(item);
        work(item, Place::Shared)
    };
    let (in_a_slot, here, crowd) = (&in_a_slot, &here, &crowd);
    thread::scope(|scope| {
        // A thread that waits for a place cannot do anything `meanwhile`.
        let are_few = items.len() <= jobs.max(1) + BESIDE;
        let bounded = || begin(scope, items, Some(crowd), in_a_slot, here).finish();
        if !are_few && let Ok(all) = threads::start(scope, bounded) {
            meanwhile();
            let results = all.join().ok().flatten();
            return results.unwrap_or_else(|| items.iter().map(|_| None).collect());
        }
        let begun = begin(scope, items, None, in_a_slot, here);
        meanwhile();
        begun.finish()
    })
}

/// Begins all; where there is a crowd, each once there is a place in it.
fn begin<'scope, 'env: 'scope, T: Sync, R: Send + 'scope>(
    scope: &'scope Scope<'scope, 'env>,
    items: &'env [T],
    crowd: Option<&'env Slots>,
    in_a_slot: &'env (impl Fn(&'env T) -> R + Sync),
    here: &'env (impl Fn(&'env T) -> R + Sync),
) -> Begun<'scope, R> {
    let mut begun = Begun {
        results: Vec::with_capacity(items.len()),
        at_work: Vec::new(),
    };
    for (index, item) in items.iter().enumerate() {
        begun.results.push(None);
        let place = crowd.map(Slots::take);
        // What has ended keeps its stack until somebody has asked for its result.
        begun.collect(|thread| thread.is_finished());
        let until = Instant::now() + PATIENCE;
        let mut work = move || {
            let _place = place;
            in_a_slot(item)
        };
        loop {
            match threads::start(scope, work) {
                Ok(thread) => {
                    begun.at_work.push((index, thread));
                    break;
                }
                Err(Some(back)) if Instant::now() < until && begun.goes_on() => {
                    work = back;
                    thread::sleep(LOOK);
                }
                Err(_) => {
                    let result = catch_unwind(AssertUnwindSafe(|| here(item)));
                    begun.note(index, result.ok());
                    break;
                }
            }
        }
    }
    begun
}

/// What has been begun.
struct Begun<'scope, R> {
    /// In the order of the items, of those that have ended.
    results: Vec<Option<R>>,
    at_work: Vec<(usize, ScopedJoinHandle<'scope, Option<R>>)>,
}

impl<R> Begun<'_, R> {
    fn goes_on(&self) -> bool {
        self.at_work.iter().any(|(_, thread)| !thread.is_finished())
    }

    fn collect(&mut self, which: impl Fn(&ScopedJoinHandle<'_, Option<R>>) -> bool) {
        for (index, thread) in self.at_work.extract_if(.., |(_, thread)| which(thread)) {
            if let Some(result) = self.results.get_mut(index) {
                *result = thread.join().ok().flatten();
            }
        }
    }

    fn note(&mut self, index: usize, result: Option<R>) {
        if let Some(place) = self.results.get_mut(index) {
            *place = result;
        }
    }

    fn finish(mut self) -> Vec<Option<R>> {
        self.collect(|_| true);
        self.results
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
    fn of_thousands_no_more_than_a_crowd_are_threads_at_a_time() {
        let (there, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let items: Vec<usize> = (0..2000).collect();
        let results = in_parallel(
            4,
            &items,
            |_| {
                most.fetch_max(there.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            },
            |item, _| {
                thread::yield_now();
                there.fetch_sub(1, Ordering::SeqCst);
                item * 10
            },
            || (),
        );
        let results: Vec<usize> = results.into_iter().map(Option::unwrap).collect();
        let wanted: Vec<usize> = items.iter().map(|item| item * 10).collect();
        assert_eq!(results, wanted);
        assert!(most.load(Ordering::SeqCst) <= 4 + BESIDE);
    }

    #[test]
    fn a_crowd_that_waits_for_what_is_done_meanwhile_gets_it() {
        let items = [0; 200];
        let (ask, questions) = std::sync::mpsc::channel::<std::sync::mpsc::Sender<()>>();
        let ask = Mutex::new(Some(ask));
        let askers: Vec<_> = items.iter().map(|_| Mutex::new(lock_clone(&ask))).collect();
        ask.lock().unwrap().take();
        let results = in_parallel(
            100,
            &askers,
            |_| (),
            |asker, _| {
                let (answer, wanted) = std::sync::mpsc::channel();
                asker.lock().unwrap().take().unwrap().send(answer).unwrap();
                wanted.recv().unwrap();
            },
            || questions.iter().for_each(|answer| answer.send(()).unwrap()),
        );
        assert!(results.iter().all(Option::is_some));
    }

    fn lock_clone<T: Clone>(it: &Mutex<Option<T>>) -> Option<T> {
        it.lock().unwrap().clone()
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
