//! Progress bars: one line an account, below the lines of text.

use super::{Event, Planned};
use crate::term::{columns, escape_str, fit, size, width};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Columns for an account's name.
const NAME: usize = 20;

/// Columns for how many messages have come of how many, or for "signing in" in their place.
const MESSAGES: usize = 10;

/// What is shown until it is known how much there is.
const WITHOUT_BAR: &str = "{prefix} {spinner} {wide_msg}";

/// How often a bar is drawn although nothing arrives, so that a stalled line shows as such.
const TICK: Duration = Duration::from_millis(500);

/// What is left is not guessed from less than this.
const FIRST_GUESS: Duration = Duration::from_secs(2);

/// The bars of all accounts that are at work.
pub(super) struct Progress {
    bars: MultiProgress,
    accounts: Mutex<HashMap<String, Account>>,
    /// None is drawn any more.
    is_over: AtomicBool,
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
            is_over: AtomicBool::new(false),
        }
    }

    /// Moves the bars.
    pub(super) fn event(&self, name: &str, event: &Event<'_>) {
        let mut accounts = self.accounts();
        if self.is_over.load(Ordering::Relaxed) {
            return;
        }
        if matches!(event, Event::Connecting { .. } | Event::Verifying { .. }) {
            let account = accounts.entry(name.to_owned());
            account.or_insert_with(|| self.account());
            align(&accounts);
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
            Event::Opened { .. } => account.say("signing in"),
            Event::SignedIn { .. } => account.say("listing"),
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

    /// Takes the bars of all accounts off the screen.
    pub(super) fn clear(&self) {
        self.clear_all(&mut self.accounts());
    }

    /// The same, and draws none any more.
    pub(super) fn end(&self) {
        let mut accounts = self.accounts();
        self.is_over.store(true, Ordering::Relaxed);
        self.clear_all(&mut accounts);
    }

    fn clear_all(&self, accounts: &mut HashMap<String, Account>) {
        for (_, account) in accounts.drain() {
            self.remove(&account.bar);
        }
    }

    fn remove(&self, bar: &ProgressBar) {
        bar.finish_and_clear();
        self.bars.remove(bar);
    }

    fn account(&self) -> Account {
        let bar = self.bars.add(ProgressBar::no_length());
        bar.set_style(style(WITHOUT_BAR));
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

/// Gives all names the width of the longest.
fn align(accounts: &HashMap<String, Account>) {
    let shown = |name: &String| fit(&escape_str(name), NAME);
    let widest = accounts.keys().map(|name| width(&shown(name))).max();
    for (name, account) in accounts {
        let name = shown(name);
        let padding = widest.unwrap_or_default().saturating_sub(width(&name));
        account.bar.set_prefix(name + &" ".repeat(padding));
    }
}

impl Account {
    fn start(&mut self, planned: &Planned) {
        self.messages = planned.fetch;
        self.done = 0;
        if planned.fetch == 0 {
            self.bar.set_style(style(WITHOUT_BAR));
            self.bar.set_message("nothing new");
            return;
        }
        self.show_messages();
        self.measure(planned.octets);
    }

    fn verify(&mut self, octets: u64) {
        self.say("reading");
        self.measure(octets);
    }

    /// What is done before messages come, in the first session or in one that goes on.
    fn say(&self, what: &'static str) {
        match self.bar.length() {
            Some(_) => self.bar.set_message(format!("{what:>MESSAGES$}")),
            None => self.bar.set_message(what),
        }
    }

    fn measure(&self, octets: u64) {
        // The time it took to connect says nothing about the rate, and is not to be seen as one.
        self.bar.reset_elapsed();
        self.bar.set_position(0);
        self.bar.reset_eta();
        self.bar.set_length(octets);
        self.bar
            .set_style(style(template(columns(std::io::stderr()))));
    }

    fn message_done(&mut self) {
        self.done += 1;
        self.show_messages();
    }

    fn show_messages(&self) {
        self.bar.set_message(format!(
            "{:>MESSAGES$}",
            format!("{}/{}", self.done, self.messages)
        ));
    }
}

/// What there is room for: the rate goes first, then the time, and the bar stays.
fn template(columns: Option<usize>) -> &'static str {
    match columns {
        Some(0..50) => "{prefix} {msg} [{wide_bar:.cyan}]",
        Some(50..66) => "{prefix} {msg} [{wide_bar:.cyan}] {octets} of {total}",
        Some(66..80) => "{prefix} {msg} [{wide_bar:.cyan}] {octets} of {total}{eta}",
        _ => "{prefix} {msg} [{wide_bar:.cyan}] {octets} of {total}{rate}{eta}",
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
        // The sizes look as they do in the lines of text.
        .with_key("octets", |state: &ProgressState, out: &mut dyn Write| {
            _ = write!(out, "{:>6}", size(state.pos()));
        })
        .with_key("total", |state: &ProgressState, out: &mut dyn Write| {
            _ = write!(out, "{:>6}", size(state.len().unwrap_or(0)));
        })
        .with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
            // `as` saturates; a rate has no sign and needs no fraction.
            let rate = format!(", {:>6}/s", size(state.per_sec() as u64));
            _ = out.write_str(&once_known(state, rate));
        })
        .with_key("eta", |state: &ProgressState, out: &mut dyn Write| {
            let left = format!(", {:>3} left", time(state.eta().as_secs()));
            _ = out.write_str(&once_known(state, left));
        })
}

/// An estimate, or as many spaces while it would be one of nothing.
fn once_known(state: &ProgressState, estimate: String) -> String {
    match is_known(state.elapsed(), state.pos()) {
        true => estimate,
        false => " ".repeat(estimate.len()),
    }
}

/// Before the first octet nothing is known, however long that takes.
fn is_known(elapsed: Duration, octets: u64) -> bool {
    octets > 0 && elapsed >= FIRST_GUESS
}

/// A time in three or four columns.
fn time(seconds: u64) -> String {
    match seconds {
        0..100 => format!("{seconds}s"),
        100..6000 => format!("{}m", seconds / 60),
        _ => format!("{}h", seconds / 3600),
    }
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

    fn planned() -> Planned {
        Planned {
            fetch: 3,
            octets: 30_000,
            ..Planned::default()
        }
    }

    #[test]
    fn an_account_shows_its_messages_and_octets() {
        let screen = Screen::default();
        let progress = progress(&screen);
        connect(&progress);
        progress.event("work\x1b", &Event::Planned(planned()));
        progress.event("work\x1b", &Event::Received { octets: 12_000 });
        progress.event("work\x1b", &Event::Message(&message()));
        for account in progress.accounts().values() {
            account.bar.force_draw();
        }
        let text = screen.text();
        assert!(text.contains("work\\x1b"), "{text}");
        assert!(text.contains("connecting to pop.example.com"), "{text}");
        assert!(text.contains("1/3 ["), "{text}");
        assert!(text.contains("12 KB of  30 KB"), "{text}");
        progress.clear();
    }

    #[test]
    fn the_rate_goes_before_the_time_and_both_before_the_bar() {
        for columns in [20, 49, 60, 70, 80, 200] {
            let template = template(Some(columns));
            assert!(template.contains("[{wide_bar"), "{columns}");
            assert!(!template.contains("{rate}") || template.contains("{eta}"));
        }
        assert!(!template(Some(79)).contains("{rate}"));
        assert!(!template(Some(60)).contains("{eta}"));
    }

    #[test]
    fn nothing_is_guessed_in_the_first_moments() {
        let screen = Screen::default();
        let progress = progress(&screen);
        connect(&progress);
        progress.event("work\x1b", &Event::Planned(planned()));
        progress.event("work\x1b", &Event::Received { octets: 12_000 });
        for account in progress.accounts().values() {
            account.bar.force_draw();
        }
        let text = screen.text();
        assert!(text.contains("12 KB of  30 KB"), "{text}");
        assert!(!text.contains("left") && !text.contains("/s"), "{text}");
        progress.clear();
    }

    #[test]
    fn nothing_is_guessed_before_the_first_octet() {
        assert!(!is_known(Duration::from_secs(60), 0));
        assert!(is_known(Duration::from_secs(60), 1));
        assert!(!is_known(Duration::ZERO, 1));
    }

    #[test]
    fn who_signs_in_once_more_leaves_the_columns_where_they_are() {
        let screen = Screen::default();
        let progress = progress(&screen);
        connect(&progress);
        let drawn = |event: &Event<'_>| {
            screen.forget();
            progress.event("work\x1b", event);
            for account in progress.accounts().values() {
                account.bar.force_draw();
            }
            screen.text()
        };
        let column = |text: &str| {
            let line = text.rsplit("work").next()?;
            line.find('[')
        };
        let text = drawn(&Event::Planned(planned()));
        let before = column(&text);
        assert!(before.is_some(), "{text}");
        for (event, word) in [
            (
                Event::Opened {
                    connection: &crate::net::Facts::default,
                    announced: &Vec::new,
                    expire: None,
                },
                "signing in [",
            ),
            (Event::SignedIn { method: &"PLAIN" }, "listing ["),
        ] {
            let text = drawn(&event);
            assert!(text.contains(word), "{text}");
            assert_eq!(column(&text), before, "{text}");
        }
        // And what has nothing more to fetch then has no bar.
        screen.forget();
        progress.event("work\x1b", &Event::Planned(Planned::default()));
        let text = screen.text();
        assert!(
            text.contains("nothing new") && !text.contains('['),
            "{text}"
        );
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
    fn once_they_have_ended_no_bar_is_drawn() {
        let screen = Screen::default();
        let progress = progress(&screen);
        connect(&progress);
        progress.end();
        screen.forget();
        connect(&progress);
        progress.event("work\x1b", &Event::Planned(planned()));
        assert_eq!(screen.text(), "");
    }

    #[test]
    fn events_of_an_account_without_a_bar_are_ignored() {
        let progress = progress(&Screen::default());
        progress.event("home", &Event::Received { octets: 5 });
        progress.event("home", &Event::Finished(&Outcome::default()));
        progress.clear();
    }
}
