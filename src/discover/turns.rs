//! Who is next at a host: a server may admit one connection at a time, and then a probe that it does
//! not understand must not be in front of the one that it does.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a probe has its host to itself before the next one goes beside it, as RFC 8305 section 5
/// has it for addresses: longer than a handshake takes on most lines, and short enough where a port
/// swallows what is sent to it.
const HEAD_START: Duration = Duration::from_millis(500);

/// How often who waits looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(50);

/// The turns of a search.
#[derive(Debug, Default)]
pub(super) struct Turns {
    hosts: Mutex<HashMap<String, Host>>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Host {
    /// The tickets of those who wait, the next one first.
    waiting: VecDeque<u64>,
    drawn: u64,
    at_work: usize,
    /// When the last one began.
    last: Option<Instant>,
}

/// Whether anybody still wants an answer; clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted(Arc<AtomicBool>);

impl Wanted {
    /// From now on nobody does.
    pub(super) fn end(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A place in the queue before a host; once it was one's turn, the turn lasts until this is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    turns: Arc<Turns>,
    host: String,
    number: u64,
    head_start: Duration,
    is_at_work: bool,
}

impl Turns {
    /// Takes a place in the queue: who draws first is first.
    pub(super) fn draw(self: &Arc<Self>, host: &str) -> Ticket {
        self.draw_with(host, HEAD_START)
    }

    fn draw_with(self: &Arc<Self>, host: &str, head_start: Duration) -> Ticket {
        let mut hosts = self.hosts();
        let queue = hosts.entry(host.to_owned()).or_default();
        queue.drawn += 1;
        queue.waiting.push_back(queue.drawn);
        Ticket {
            turns: Arc::clone(self),
            host: host.to_owned(),
            number: queue.drawn,
            head_start,
            is_at_work: false,
        }
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Waits for the turn: until who was before has ended, or has had its head start. Whether there is
    /// one; none comes once one of these is over.
    pub(super) fn wait(&mut self, wanted: &[&Wanted]) -> bool {
        let turns = Arc::clone(&self.turns);
        let mut hosts = turns.hosts();
        loop {
            if wanted.iter().any(|it| it.is_over()) {
                return false;
            }
            let queue = hosts.entry(self.host.clone()).or_default();
            let began = queue.last.filter(|_| queue.at_work > 0);
            let is_free = began.is_none_or(|last| last.elapsed() >= self.head_start);
            if is_free && queue.waiting.front() == Some(&self.number) {
                queue.waiting.pop_front();
                queue.at_work += 1;
                queue.last = Some(Instant::now());
                self.is_at_work = true;
                return true;
            }
            let waited = turns.changed.wait_timeout(hosts, LOOK);
            hosts = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(queue) = self.turns.hosts().get_mut(&self.host) {
            match self.is_at_work {
                true => queue.at_work -= 1,
                false => queue.waiting.retain(|it| *it != self.number),
            }
        }
        self.turns.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;

    const NEVER: Duration = Duration::from_secs(1 << 30);

    /// Waits for its turn in a thread; tells that it has it, and gives it up at the end.
    fn takes(mut ticket: Ticket, wanted: &Wanted) -> (mpsc::Receiver<bool>, mpsc::Sender<()>) {
        let (tell, told) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let wanted = wanted.clone();
        thread::spawn(move || {
            let _ = tell.send(ticket.wait(&[&wanted]));
            let _ = ended.recv();
        });
        (told, end)
    }

    #[test]
    fn who_drew_later_waits_for_who_drew_before_even_where_it_asks_first() {
        let (turns, wanted) = (Arc::new(Turns::default()), Wanted::default());
        let first = turns.draw_with("pop.example.com", NEVER);
        let second = turns.draw_with("pop.example.com", NEVER);
        let (second_told, _second) = takes(second, &wanted);
        let (first_told, first) = takes(first, &wanted);
        assert!(first_told.recv().unwrap());
        assert!(second_told.try_recv().is_err(), "beside the first");
        drop(first);
        assert!(second_told.recv().unwrap());
    }

    #[test]
    fn who_hangs_keeps_the_next_one_for_its_head_start_alone() {
        let (turns, wanted) = (Arc::new(Turns::default()), Wanted::default());
        let first = turns.draw_with("pop.example.com", NEVER);
        let (told, _hangs) = takes(first, &wanted);
        assert!(told.recv().unwrap());
        let second = turns.draw_with("pop.example.com", Duration::from_millis(1));
        assert!(takes(second, &wanted).0.recv().unwrap());
    }

    #[test]
    fn one_host_keeps_nobody_from_another() {
        let (turns, wanted) = (Arc::new(Turns::default()), Wanted::default());
        for host in ["pop.example.com", "mail.example.com"] {
            let mut ticket = turns.draw_with(host, NEVER);
            assert!(ticket.wait(&[&wanted]));
            std::mem::forget(ticket);
        }
    }

    #[test]
    fn who_gives_up_its_place_lets_the_next_one_in() {
        let (turns, wanted) = (Arc::new(Turns::default()), Wanted::default());
        let first = turns.draw_with("pop.example.com", NEVER);
        let mut second = turns.draw_with("pop.example.com", NEVER);
        drop(first);
        assert!(second.wait(&[&wanted]));
    }

    #[test]
    fn nobody_begins_once_the_search_is_over() {
        let (turns, wanted) = (Arc::new(Turns::default()), Wanted::default());
        let (told, _hangs) = takes(turns.draw_with("pop.example.com", NEVER), &wanted);
        assert!(told.recv().unwrap());
        let (second, _end) = takes(turns.draw_with("pop.example.com", NEVER), &wanted);
        wanted.end();
        assert!(!second.recv().unwrap());
        assert!(!turns.draw("mail.example.com").wait(&[&wanted]));
    }
}
