//! Threads where the system may have none left to give.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, Scope, ScopedJoinHandle};

/// Starts `work` in a thread of its own, or gives it back where there is none to be had: a limit on
/// processes is no reason to fail, only to do fewer things at a time.
pub fn start<'scope, T: Send + 'scope, F: FnOnce() -> T + Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: F,
) -> Result<ScopedJoinHandle<'scope, Option<T>>, Option<F>> {
    // A closure is lost with a thread that does not come to be.
    let work = Arc::new(Mutex::new(Some(work)));
    let taken = Arc::clone(&work);
    let take = |it: &Mutex<Option<F>>| it.lock().unwrap_or_else(PoisonError::into_inner).take();
    let started = Builder::new().spawn_scoped(scope, move || {
        let work = taken.lock().unwrap_or_else(PoisonError::into_inner).take();
        work.map(|work| work())
    });
    started.map_err(|_| take(&work))
}
