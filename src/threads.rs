//! Threads where the system may have none left to give.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle, Scope, ScopedJoinHandle};

/// Starts `work` in a thread of its own, or gives it back where there is none to be had: a limit on
/// processes is no reason to fail, only to do fewer things at a time.
pub fn start<'scope, T: Send + 'scope, F: FnOnce() -> T + Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: F,
) -> Result<ScopedJoinHandle<'scope, Option<T>>, Option<F>> {
    let (once, left) = once(work);
    let started = Builder::new().spawn_scoped(scope, once);
    started.map_err(|_| left())
}

/// The same for work that may outlive whoever wants it done.
pub fn detach<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(
    work: F,
) -> Result<JoinHandle<Option<T>>, Option<F>> {
    let (once, left) = once(work);
    let started = Builder::new().spawn(once);
    started.map_err(|_| left())
}

/// Does all of these, side by side as far as there are threads; what they give, in their order. One
/// that panics has all of it panic, as nobody could tell any more what is whose.
pub fn all<T: Send, F: FnOnce() -> T + Send>(works: Vec<F>) -> Vec<T> {
    std::thread::scope(|scope| {
        let started: Vec<_> = works.into_iter().map(|work| start(scope, work)).collect();
        let done = started.into_iter().filter_map(|work| match work {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(work) => work.map(|work| work()),
        });
        done.collect()
    })
}

/// A closure is lost with a thread that does not come to be: this one can be had back.
fn once<T, F: FnOnce() -> T>(work: F) -> (impl FnOnce() -> Option<T>, impl FnOnce() -> Option<F>) {
    let work = Arc::new(Mutex::new(Some(work)));
    let left = Arc::clone(&work);
    let take = |it: &Mutex<Option<F>>| it.lock().unwrap_or_else(PoisonError::into_inner).take();
    (move || take(&work).map(|work| work()), move || take(&left))
}
