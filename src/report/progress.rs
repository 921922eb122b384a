//! Progress bars: one line an account, below the lines of text.

use super::{Event, Planned};
use crate::term::{escape_str, fit, size};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Columns for an account's name.
const NAME: usize = 20;

/// How often a bar is drawn although nothing arrives, so that a stalled line shows as such.
const TICK: Duration = Duration::from_millis(500);

/// The bars of all accounts that are at work.
pub(super) struct Progress {
    bars: MultiProgress,
    accounts: Mutex<HashMap<String, Account>>,
}

struct Account {
    bar: ProgressBar,
    messages: u64,
    done: u64,
}

impl Progress {
    pub(super) fn new(target: ProgressDrawTarget) -> Self {
        Self {
            bars: MultiProgress::with_draw_target(target),
            accounts: Mutex::default(),
        }
    }

    /// Moves the bars.
    pub(super) fn event(&self, name: &str, event: &Event<'_>) {
        let mut accounts = self.accounts();
        if matches!(event, Event::Connecting { .. } | Event::Verifying { .. }) {
            let account = accounts.entry(name.to_owned());
            account.or_insert_with(|| self.account(name));
        }
        if matches!(event, Event::Finished(_)) {
            if let Some(account) = accounts.remove(name) {
                self.remove(&account.bar);
            }
            return;
        }
        let Some(account) = accounts.get_mut(name) else {
            return;
        };
        match event {
            Event::Connecting { host, .. } => {
                let host = escape_str(host);
                account.bar.set_message(format!("connecting to {host}"));
            }
            Event::Verifying { octets, .. } => account.verify(*octets),
            Event::Planned(planned) => account.start(planned),
            Event::Received { octets } => account.bar.inc(*octets),
            Event::Message(_) | Event::Failed { .. } => account.message_done(),
            _ => {}
        }
    }

    /// Takes the bars off the screen while `write` writes to it.
    pub(super) fn suspend<R>(&self, write: impl FnOnce() -> R) -> R {
        self.bars.suspend(write)
    }

    /// Takes the bars off the screen for good.
    pub(super) fn clear(&self) {
        for (_, account) in self.accounts().drain() {
            self.remove(&account.bar);
        }
    }

    fn remove(&self, bar: &ProgressBar) {
        bar.finish_and_clear();
        self.bars.remove(bar);
    }

    fn account(&self, name: &str) -> Account {
        let bar = self.bars.add(ProgressBar::no_length());
        bar.set_style(style("{prefix} {spinner} {wide_msg}"));
        bar.set_prefix(fit(&escape_str(name), NAME));
        bar.enable_steady_tick(TICK);
        Account {
            bar,
            messages: 0,
            done: 0,
        }
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<String, Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    fn start(&mut self, planned: &Planned) {
        self.messages = planned.fetch;
        self.done = 0;
        if planned.fetch == 0 {
            self.bar.set_message("nothing new");
            return;
        }
        self.show_messages();
        self.measure(planned.octets);
    }

    fn verify(&self, octets: u64) {
        self.bar.set_message("reading");
        self.measure(octets);
    }

    fn measure(&self, octets: u64) {
        self.bar.set_style(style(
            "{prefix} {msg} [{wide_bar:.cyan}] {octets} of {total}, {rate}/s, {eta} left",
        ));
        self.bar.set_position(0);
        self.bar.set_length(octets);
        // The time it took to connect says nothing about the rate.
        self.bar.reset_elapsed();
        self.bar.reset_eta();
    }

    fn message_done(&mut self) {
        self.done += 1;
        self.show_messages();
    }

    fn show_messages(&self) {
        self.bar
            .set_message(format!("{}/{}", self.done, self.messages));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
        // The sizes look as they do in the lines of text.
        .with_key("octets", |state: &ProgressState, out: &mut dyn Write| {
            _ = out.write_str(&size(state.pos()));
        })
        .with_key("total", |state: &ProgressState, out: &mut dyn Write| {
            _ = out.write_str(&size(state.len().unwrap_or(0)));
        })
        .with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
            // `as` saturates; a rate has no sign and needs no fraction.
            _ = out.write_str(&size(state.per_sec() as u64));
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Outcome;
    use crate::report::testing::{Screen, message};

    fn progress(screen: &Screen) -> Progress {
        // Each change is drawn: 0 would be no limit, so as fast as u8 goes.
        Progress::new(ProgressDrawTarget::term_like_with_hz(
            Box::new(screen.clone()),
            u8::MAX,
        ))
    }

    fn connect(progress: &Progress) {
        progress.event(
            "work\x1b",
            &Event::Connecting {
                host: "pop.example.com",
                port: 995,
            },
        );
    }

    #[test]
    fn an_account_shows_its_messages_and_octets() {
        let screen = Screen::default();
        let progress = progress(&screen);
        connect(&progress);
        progress.event(
            "work\x1b",
            &Event::Planned(Planned {
                fetch: 3,
                octets: 30_000,
                ..Planned::default()
            }),
        );
        progress.event("work\x1b", &Event::Received { octets: 12_000 });
        progress.event("work\x1b", &Event::Message(&message()));
        for account in progress.accounts().values() {
            account.bar.force_draw();
        }
        let text = screen.text();
        assert!(text.contains("work\\x1b"), "{text}");
        assert!(text.contains("connecting to pop.example.com"), "{text}");
        assert!(text.contains("1/3 ["), "{text}");
        assert!(text.contains("12 KB of 30 KB"), "{text}");
        progress.clear();
    }

    #[test]
    fn a_finished_account_leaves_nothing_behind() {
        let screen = Screen::default();
        let progress = progress(&screen);
        connect(&progress);
        progress.event("work\x1b", &Event::Finished(&Outcome::default()));
        assert!(progress.accounts().is_empty());
        screen.forget();
        progress.suspend(|| ());
        progress.clear();
        assert!(!screen.text().contains("work"), "{}", screen.text());
    }

    #[test]
    fn events_of_an_account_without_a_bar_are_ignored() {
        let progress = progress(&Screen::default());
        progress.event("home", &Event::Received { octets: 5 });
        progress.event("home", &Event::Finished(&Outcome::default()));
        progress.clear();
    }
}
