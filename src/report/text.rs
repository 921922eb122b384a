//! The report for people: lines of text for stderr.
//!
//! Pure: an event in, text out. Nothing that a server or a message says goes into it unescaped.

use super::tally::{Account, Totals};
use super::{Event, Failure, Listed, Message, Outcome};
use crate::exit::Status;
use crate::message::Heading;
use crate::term::{Paint, count, escape, escape_str, escape_up_to, size, wrap};

/// The longest error or hint, in characters: our own words around a quoted reply.
const ERROR_LIMIT: usize = 1000;

/// How the lines look, and which are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    pub(super) paint: Paint,
    /// Problems only.
    pub(super) quiet: bool,
    /// A line for each message, and each step.
    pub(super) verbose: bool,
    /// How wide the terminal is; `None` where there is none.
    pub(super) columns: Option<usize>,
}

impl Text {
    /// The lines for an event, each with its LF; empty where there is nothing to say.
    pub(super) fn lines(&self, name: &str, event: &Event<'_>, account: &Account) -> String {
        let text = self.unwrapped(name, event, account);
        match event {
            // What went over the line is shown as it was.
            Event::Wire { .. } => text,
            _ => self.wrapped(&text),
        }
    }

    /// Lines that end with LF, broken where the terminal ends.
    fn wrapped(&self, text: &str) -> String {
        let lines = text.lines().map(|line| wrap("", line, self.columns) + "\n");
        lines.collect()
    }

    fn unwrapped(&self, name: &str, event: &Event<'_>, account: &Account) -> String {
        let name = escape_str(name);
        match event {
            Event::Connecting { host, port } => {
                self.step(|| format!("{name}: connecting to {}:{port}\n", escape_str(host)))
            }
            Event::Planned(plan) => self.step(|| {
                format!(
                    "{name}: {} on the server, {} to fetch ({})\n",
                    count(plan.listed, "message"),
                    plan.fetch,
                    size(plan.octets)
                )
            }),
            Event::Opened { .. }
            | Event::Received { .. }
            | Event::SignedIn { .. }
            | Event::Verifying { .. } => String::new(),
            Event::Message(message) => self.step(|| format!("{name}: {}\n", fetched(message))),
            Event::Handed(message) => {
                self.step(|| format!("{name}: handed on {}\n", listed(message)))
            }
            Event::Deleted { message, rule } => self.step(|| {
                let rule = rule.map_or_else(String::new, |it| format!(": {}", escape_str(it)));
                format!("{name}: deleted {}{rule}\n", listed(message))
            }),
            Event::Skipped { message, reason } => self.step(|| {
                format!(
                    "{name}: skipped {}: {}\n",
                    listed(message),
                    escape_str(reason)
                )
            }),
            // That comes with the end, once for many runs.
            Event::Failed { .. } if self.quiet => String::new(),
            Event::Failed { message, reason } => {
                let text = format!("{}: {}", listed(message), escape_up_to(reason, ERROR_LIMIT));
                self.error(&name, &text)
            }
            Event::Recovered(text) => format!("{name}: {}\n", escape_up_to(text, ERROR_LIMIT)),
            Event::Notice(text) if !self.quiet => {
                format!("{name}: {}\n", escape_up_to(text, ERROR_LIMIT))
            }
            Event::Notice(_) => String::new(),
            Event::Warning(text) => {
                let label = self.paint.warning("warning:");
                format!("{label} {name}: {}\n", escape_up_to(text, ERROR_LIMIT))
            }
            Event::Wire { sent, line } => {
                let who = if *sent { "C" } else { "S" };
                format!("{name}: {who}: {}\n", escape(line))
            }
            Event::Finished(outcome) => self.finished(&name, outcome, account),
        }
    }

    /// The line below those of several accounts.
    pub(super) fn total(&self, totals: &Totals) -> String {
        if self.quiet || totals.accounts < 2 {
            return String::new();
        }
        let ended = (totals.ended.len() + totals.stopped.len()) as u64;
        let mut others = String::new();
        for (word, which) in [("failed", &totals.ended), ("stopped", &totals.stopped)] {
            if !which.is_empty() {
                others.push_str(&format!("; {word}: {}", names(which)));
            }
        }
        if ended == totals.accounts {
            // Nobody has looked, so nobody knows whether there is anything new.
            let accounts = count(totals.accounts, "account");
            return self.wrapped(&format!("0 of {accounts} fetched{others}\n"));
        }
        let mut parts = vec![new_messages(totals.fetched, totals.octets)];
        parts.extend(sums_in_words(totals, &[]));
        let worked = totals.accounts - ended;
        let accounts = match ended {
            0 => count(worked, "account"),
            _ => format!("{worked} of {}", count(totals.accounts, "account")),
        };
        self.wrapped(&format!("{accounts}: {}{others}\n", parts.join(", ")))
    }

    /// An error that concerns no account.
    pub(super) fn problem(&self, text: &str, hint: &str) -> String {
        let error = self.paint.error("error:");
        self.wrapped(&format!("{error} {text}\n{}", self.hint(Some(hint))))
    }

    fn step(&self, line: impl FnOnce() -> String) -> String {
        if self.verbose && !self.quiet {
            line()
        } else {
            String::new()
        }
    }

    fn error(&self, name: &str, text: &str) -> String {
        format!("{} {name}: {text}\n", self.paint.error("error:"))
    }

    fn hint(&self, hint: Option<&str>) -> String {
        hint.map_or_else(String::new, |hint| {
            let hint = escape_up_to(hint, ERROR_LIMIT);
            format!("{} {hint}\n", self.paint.hint("hint:"))
        })
    }

    fn finished(&self, name: &str, outcome: &Outcome, account: &Account) -> String {
        match &outcome.failure {
            Some(failure) => self.ended_early(name, outcome, failure, account),
            None if self.quiet => String::new(),
            None => {
                let seen = how_to_see(outcome, account);
                let seen = seen.map_or_else(String::new, |how| format!("{name}: {how}\n"));
                format!("{name}: {}\n{seen}", summary(outcome, account))
            }
        }
    }

    fn ended_early(
        &self,
        name: &str,
        outcome: &Outcome,
        failure: &Failure,
        account: &Account,
    ) -> String {
        if failure.routine && self.quiet {
            return String::new();
        }
        let mut text = escape_up_to(&failure.message, ERROR_LIMIT);
        let done = done_before(outcome, account);
        if !done.is_empty() {
            text = format!("{}, then: {text}", done.join(", "));
        }
        let hint = self.hint(failure.hint.as_deref());
        match failure.status {
            // What was asked for is no error.
            Status::Interrupted | Status::Terminated if self.quiet => String::new(),
            Status::Interrupted | Status::Terminated => format!("{name}: {text}\n{hint}"),
            _ => self.error(name, &text) + &hint,
        }
    }
}

fn names(accounts: &[String]) -> String {
    let names: Vec<_> = accounts.iter().map(|name| escape_str(name)).collect();
    names.join(", ")
}

fn new_messages(fetched: u64, octets: u64) -> String {
    match fetched {
        0 => "nothing new".to_owned(),
        _ => format!("{} ({})", count(fetched, "new message"), size(octets)),
    }
}

/// What a run had done that ended early.
fn done_before(outcome: &Outcome, account: &Account) -> Vec<String> {
    let mut done = Vec::new();
    if outcome.fetched > 0 {
        let messages = format!("{} fetched", count(outcome.fetched, "message"));
        done.push(with_place(&messages, outcome, account));
    }
    let deeds = Outcome {
        handed: outcome.handed,
        deleted: outcome.deleted,
        deleted_by_rules: outcome.deleted_by_rules,
        ..Outcome::default()
    };
    let mut sums = Totals::default();
    sums.add("", &deeds);
    done.extend(sums_in_words(&sums, &[]));
    done
}

/// `messages`, how many octets they have, which folders they are in, and where these are.
fn with_place(messages: &str, outcome: &Outcome, account: &Account) -> String {
    let size = size(outcome.octets);
    let folders = match account.folders.is_empty() {
        true => String::new(),
        false => format!("; {}", account.folders.in_words()),
    };
    let place = account.place(outcome);
    let place = place.map_or_else(String::new, |it| format!(" in {}", escape_str(&it.shown)));
    format!("{messages} ({size}{folders}){place}")
}

/// What shows the first mail, where some of it is in folders.
fn how_to_see(outcome: &Outcome, account: &Account) -> Option<String> {
    let place = account.place(outcome);
    let place = place.filter(|_| !account.folders.is_empty())?;
    let list = escape_str(&place.list);
    Some(format!("to see what is in folders, too: {list}"))
}

fn summary(outcome: &Outcome, account: &Account) -> String {
    let mut parts = vec![match outcome.fetched {
        0 => new_messages(0, 0),
        fetched => with_place(&count(fetched, "new message"), outcome, account),
    }];
    let seen = account.planned.map_or(0, |planned| planned.seen);
    if outcome.fetched > 0 && seen > 0 {
        parts.push(format!("{seen} seen"));
    }
    let mut sums = Totals::default();
    sums.add("", outcome);
    parts.extend(sums_in_words(&sums, &account.reasons));
    parts.join(", ")
}

/// What became of messages, beside those that are new; the same for an account and for all of them.
fn sums_in_words(sums: &Totals, reasons: &[String]) -> Vec<String> {
    let reasons: Vec<String> = reasons.iter().map(|r| escape_str(r)).collect();
    let skipped = match reasons.is_empty() {
        true => "skipped".to_owned(),
        false => format!("skipped ({})", reasons.join("; ")),
    };
    let sums = [
        (sums.known, "here already"),
        (sums.handed, "handed on"),
        (sums.there, "in the file already"),
        (sums.waiting, "not handed on yet"),
        (sums.deleted, "deleted"),
        (sums.deleted_by_rules, "deleted by rules"),
        (sums.skipped, &skipped),
        (sums.failed, "failed"),
        (sums.doubtful, "perhaps not whole"),
    ];
    let some = sums.into_iter().filter(|(number, _)| *number > 0);
    some.map(|(number, words)| format!("{number} {words}"))
        .collect()
}

fn fetched(message: &Message<'_>) -> String {
    let heading = Heading::parse(message.header);
    let from = heading
        .from
        .as_deref()
        .map_or("(no sender)".into(), escape_str);
    let subject = heading
        .subject
        .as_deref()
        .map_or("(no subject)".into(), escape_str);
    let how = match message.recovered {
        true => "recovered",
        false => "fetched",
    };
    format!("{how} {from} — {subject} ({})", size(message.octets))
}

/// The number is the server's for this session only; the unique-id is what `state show` prints.
pub fn listed(message: &Listed<'_>) -> String {
    let number = message.number.map(|number| format!(" {number}"));
    let number = number.unwrap_or_default();
    match known(message).as_str() {
        "" => format!("message{number}"),
        known => format!("message{number} ({known})"),
    }
}

/// What is known of a message beside its number.
pub fn known(message: &Listed<'_>) -> String {
    let unique_id = message.unique_id.map(escape);
    let parts: Vec<String> = unique_id
        .into_iter()
        .chain(message.octets.map(size))
        .collect();
    parts.join(", ")
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
