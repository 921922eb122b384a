//! The terminal as it was, whatever ends a question for a password.
//!
//! While such a question is asked the terminal shows nothing of what is typed. A signal that ended the
//! process then would leave it so, and the person without a sight of the next command.

use super::HEARD;
use crate::system;
use rustix::fs::{Mode, OFlags, open};
use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr,
    tcgetpgrp, tcsetattr,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

/// How the terminal was before the question at hand.
static BEFORE: Mutex<Option<(File, Termios)>> = Mutex::new(None);

/// What is done before a signal ends the process.
static LAST_WORK: Mutex<Option<fn()>> = Mutex::new(None);

/// What is told whoever presses Ctrl-C.
static LAST_WORDS: Mutex<Option<&'static str>> = Mutex::new(None);

/// Whether the last line of the screen shows how far some work is, rather than a question.
static AT_WORK: AtomicBool = AtomicBool::new(false);

/// Asks a question whose answer is not to be seen, at the terminal that is given: none where it cannot
/// be silenced here.
///
/// The echo is off before the question stands there, as people type as soon as they have read it, and
/// on again after the answer or a signal.
pub fn hidden<R>(ask: impl FnOnce(Option<File>) -> R) -> R {
    let terminal = terminal().filter(|it| silence(it, LocalModes::ECHONL).is_ok());
    let answer = ask(terminal);
    restore(&mut lock());
    answer
}

/// Does some work at which a person waits: what is typed meanwhile is not shown, and answers no
/// question that is asked only afterwards.
pub fn deaf<R>(work: impl FnOnce() -> R) -> R {
    let terminal = terminal().filter(|it| silence(it, LocalModes::empty()).is_ok());
    let done = at_work(work);
    if let Some(terminal) = &terminal {
        // What stays would be taken for an answer, which a person sees and can mend.
        let _ = tcflush(terminal, QueueSelector::IFlush);
    }
    restore(&mut lock());
    done
}

/// Does some work that shows how far it is in the last line of the screen, which goes with it where
/// Ctrl-C ends the process.
pub fn at_work<R>(work: impl FnOnce() -> R) -> R {
    is_watched();
    AT_WORK.store(true, Ordering::Relaxed);
    let done = work();
    AT_WORK.store(false, Ordering::Relaxed);
    done
}

/// From now on, whoever ends the process by Ctrl-C is told this; or nothing any more.
pub fn last_words(words: Option<&'static str>) {
    *LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner) = words;
    is_watched();
}

/// From now on a signal that ends the process has this done first: a program that a person waits for
/// would go on without it.
pub fn last_work(work: fn()) {
    *LAST_WORK.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
    is_watched();
}

/// The terminal, where a signal would put it right.
fn terminal() -> Option<File> {
    let terminal = open("/dev/tty", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
    let terminal = terminal.ok().map(File::from);
    terminal.filter(|it| is_in_front(it) && is_watched())
}

/// Whether the terminal is this process's at the moment: one in the background that touches its modes is
/// stopped (SIGTTOU), and stays so for ever where nobody brings it back, as behind timeout(1).
fn is_in_front(terminal: &File) -> bool {
    tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp())
}

/// Whether signals are watched. Where there is no thread to be had, a signal ends the process as
/// always.
fn is_watched() -> bool {
    static WATCHED: OnceLock<bool> = OnceLock::new();
    *WATCHED.get_or_init(|| watch().is_ok())
}

/// Lines are read as always, but not shown; but for `also`.
fn silence(terminal: &File, also: LocalModes) -> io::Result<()> {
    let before = tcgetattr(terminal)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    silent.local_modes.insert(also);
    // A shell that is brought back by Ctrl-Z would have no echo either.
    silent.special_codes[SpecialCodeIndex::VSUSP] = 0;
    let mut kept = lock();
    *kept = Some((terminal.try_clone()?, before));
    Ok(tcsetattr(terminal, OptionalActions::Now, &silent)?)
}

/// From now on a signal that would end the process puts the terminal right first.
fn watch() -> io::Result<()> {
    let (mut wake, waker) = UnixStream::pair()?;
    let signal = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&signal);
    thread::Builder::new().spawn(move || {
        while let Ok(1) = wake.read(&mut [0]) {
            let signal = i32::try_from(seen.load(Ordering::Relaxed)).unwrap_or(SIGTERM);
            // What a run makes of these is its own; no question is asked any more.
            let is_heard = HEARD.load(Ordering::Relaxed);
            if !(is_heard && matches!(signal, SIGINT | SIGTERM)) {
                // Held until the end: nobody may turn it off once more.
                let mut kept = lock();
                restore(&mut kept);
                let work = *LAST_WORK.lock().unwrap_or_else(PoisonError::into_inner);
                work.into_iter().for_each(|work| work());
                if signal == SIGINT {
                    say_last_words(AT_WORK.load(Ordering::Relaxed));
                }
                signal_hook::low_level::exit(128 + signal);
            }
        }
    })?;
    for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
        if !system::is_ignored(number) {
            let value = usize::try_from(number).unwrap_or_default();
            signal_hook::flag::register_usize(number, Arc::clone(&signal), value)?;
            signal_hook::low_level::pipe::register(number, waker.try_clone()?)?;
        }
    }
    Ok(())
}

/// Below a question, or in the place of the bar that shows how far some work is. Whoever waits for an
/// answer may hold stderr, so what is written goes past the lock.
fn say_last_words(at_work: bool) {
    let words = *LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    let Ok(stderr) = io::stderr().as_fd().try_clone_to_owned() else {
        return;
    };
    let before = match (stderr.is_terminal(), at_work) {
        (true, true) => WIPED,
        (false, _) if words.is_none() => return,
        _ => "\n",
    };
    let words = words.map_or_else(String::new, |words| format!("{words}\n"));
    // At once, so that no bar comes in between. Nobody is left who could be told that it failed.
    let _ = File::from(stderr).write_all(format!("{before}{words}").as_bytes());
}

/// The line of the cursor, empty and from its beginning (ECMA-48, EL).
const WIPED: &str = "\r\u{1b}[2K";

/// Puts the terminal right, once.
fn restore(kept: &mut Option<(File, Termios)>) {
    if let Some((terminal, modes)) = kept.take()
        && is_in_front(&terminal)
    {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(terminal, OptionalActions::Now, &modes);
    }
}

fn lock() -> std::sync::MutexGuard<'static, Option<(File, Termios)>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}
