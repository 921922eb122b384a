//! Several accounts at once.

use std::sync::{Mutex, PoisonError};
use std::thread;

/// Calls `work` with each item, up to `jobs` at a time, each in its own thread. The results are in
/// the order of the items; `None` where the work panicked, which harms no other.
pub(super) fn in_parallel<T: Sync, R: Send>(
    jobs: usize,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<Option<R>> {
    let waiting = Mutex::new(items.iter().enumerate());
    let take = || {
        waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next()
    };
    let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
    let done = Mutex::new(&mut results);
    thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                while let Some((place, item)) = take() {
                    let panic_safe = std::panic::AssertUnwindSafe(|| work(item));
                    let result = std::panic::catch_unwind(panic_safe).ok();
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(slot) = done.get_mut(place) {
                        *slot = result;
                    }
                }
            });
        }
    });
    results
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn results_are_in_the_order_of_the_items_and_jobs_are_bounded() {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let results = in_parallel(3, &[1, 2, 3, 4, 5, 6, 7], |item| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
            item * 10
        });
        let results: Vec<i32> = results.into_iter().map(Option::unwrap).collect();
        assert_eq!(results, [10, 20, 30, 40, 50, 60, 70]);
        assert!(most.load(Ordering::SeqCst) <= 3);
    }

    #[test]
    fn f32_one_that_panics_harms_no_other() {
        let results = in_parallel(1, &[1, 2, 3], |item| {
            assert_ne!(*item, 2, "this panic is part of the test");
            *item
        });
        assert_eq!(results, [Some(1), None, Some(3)]);
    }
}
