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
            Event::Deleted(message) => {
                self.step(|| format!("{name}: deleted {}\n", listed(message)))
            }
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
        let ended = totals.ended.len() as u64;
        if ended == totals.accounts {
            // Nobody has looked, so nobody knows whether there is anything new.
            let (accounts, names) = (count(totals.accounts, "account"), names(&totals.ended));
            return self.wrapped(&format!("0 of {accounts} fetched; failed: {names}\n"));
        }
        let mut parts = vec![new_messages(totals.fetched, totals.octets)];
        if totals.skipped > 0 {
            parts.push(format!("{} skipped", totals.skipped));
        }
        if totals.failed > 0 {
            parts.push(format!("{} failed", totals.failed));
        }
        let worked = totals.accounts - ended;
        let accounts = match ended {
            0 => count(worked, "account"),
            _ => format!("{worked} of {}", count(totals.accounts, "account")),
        };
        let mut text = format!("{accounts}: {}", parts.join(", "));
        if ended > 0 {
            text.push_str(&format!("; failed: {}", names(&totals.ended)));
        }
        self.wrapped(&(text + "\n"))
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
            Some(failure) => self.ended_early(name, outcome, failure),
            None if self.quiet => String::new(),
            None => format!("{name}: {}\n", summary(outcome, account)),
        }
    }

    fn ended_early(&self, name: &str, outcome: &Outcome, failure: &Failure) -> String {
        if failure.routine && self.quiet {
            return String::new();
        }
        let mut text = escape_up_to(&failure.message, ERROR_LIMIT);
        if outcome.fetched > 0 {
            let messages = count(outcome.fetched, "message");
            text = format!(
                "{messages} fetched ({}), then: {text}",
                size(outcome.octets)
            );
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

fn summary(outcome: &Outcome, account: &Account) -> String {
    let mut first = new_messages(outcome.fetched, outcome.octets);
    if let Some(made) = account.made.as_ref().filter(|_| outcome.fetched > 0) {
        first.push_str(&format!(" in {}", escape_str(made)));
    }
    let mut parts = vec![first];
    let seen = account.planned.map_or(0, |planned| planned.seen);
    if outcome.fetched > 0 && seen > 0 {
        parts.push(format!("{seen} seen"));
    }
    if outcome.known > 0 {
        parts.push(format!("{} here already", outcome.known));
    }
    if outcome.deleted > 0 {
        parts.push(format!("{} deleted", outcome.deleted));
    }
    if outcome.skipped > 0 {
        let reasons: Vec<String> = account.reasons.iter().map(|r| escape_str(r)).collect();
        let mut part = format!("{} skipped", outcome.skipped);
        if !reasons.is_empty() {
            part = format!("{part} ({})", reasons.join("; "));
        }
        parts.push(part);
    }
    if outcome.failed > 0 {
        parts.push(format!("{} failed", outcome.failed));
    }
    if outcome.doubtful > 0 {
        parts.push(format!("{} perhaps not whole", outcome.doubtful));
    }
    parts.join(", ")
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
mod tests {
    use super::super::Planned;
    use super::super::testing::{listed, message};
    use super::*;

    const NORMAL: Text = Text {
        paint: Paint::PLAIN,
        quiet: false,
        verbose: false,
        columns: None,
    };
    const QUIET: Text = Text {
        quiet: true,
        ..NORMAL
    };
    const VERBOSE: Text = Text {
        verbose: true,
        ..NORMAL
    };

    fn say(text: Text, event: &Event<'_>) -> String {
        text.lines("work", event, &Account::default())
    }

    fn outcome(fetched: u64) -> Outcome {
        Outcome {
            fetched,
            octets: fetched * 300_000,
            ..Outcome::default()
        }
    }

    fn failure(status: Status, hint: Option<&str>) -> Option<Failure> {
        Some(Failure {
            status,
            message: "the server refused the sign-in: \"[AUTH] no\x1b[m\"".into(),
            hint: hint.map(str::to_owned),
            routine: false,
        })
    }

    #[test]
    fn nothing_new_is_one_short_line_and_nothing_when_quiet() {
        let outcome = outcome(0);
        let event = Event::Finished(&outcome);
        assert_eq!(say(NORMAL, &event), "work: nothing new\n");
        assert_eq!(say(QUIET, &event), "");
    }

    #[test]
    fn the_summary_names_what_there_is() {
        let mut account = Account::default();
        account.add(&Event::Planned(Planned {
            seen: 340,
            ..Planned::default()
        }));
        let skipped = Event::Skipped {
            message: listed(),
            reason: "larger than 25 MB",
        };
        account.add(&skipped);
        account.add(&skipped);
        let outcome = Outcome {
            skipped: 2,
            deleted: 3,
            failed: 1,
            ..outcome(12)
        };
        assert_eq!(
            NORMAL.lines("work", &Event::Finished(&outcome), &account),
            "work: 12 new messages (3.6 MB), 340 seen, 3 deleted, \
             2 skipped (larger than 25 MB), 1 failed\n"
        );
    }

    #[test]
    fn one_message_is_singular() {
        let outcome = outcome(1);
        assert_eq!(
            say(NORMAL, &Event::Finished(&outcome)),
            "work: 1 new message (300 KB)\n"
        );
    }

    #[test]
    fn a_failure_is_an_escaped_error_with_its_hint_even_when_quiet() {
        let outcome = Outcome {
            failure: failure(Status::NoPermission, Some("set a new password")),
            ..Outcome::default()
        };
        for text in [NORMAL, QUIET, VERBOSE] {
            assert_eq!(
                say(text, &Event::Finished(&outcome)),
                "error: work: the server refused the sign-in: \"[AUTH] no\\x1b[m\"\n\
                 hint: set a new password\n"
            );
        }
    }

    #[test]
    fn what_was_fetched_before_a_failure_is_said() {
        let outcome = Outcome {
            failure: failure(Status::Temporary, None),
            ..outcome(5)
        };
        let text = say(NORMAL, &Event::Finished(&outcome));
        assert!(
            text.starts_with("error: work: 5 messages fetched (1.5 MB), then: the server"),
            "{text}"
        );
    }

    #[test]
    fn being_stopped_is_no_error() {
        let outcome = Outcome {
            failure: failure(Status::Interrupted, None),
            ..outcome(5)
        };
        assert!(say(NORMAL, &Event::Finished(&outcome)).starts_with("work: 5 messages fetched"));
        assert_eq!(say(QUIET, &Event::Finished(&outcome)), "");
    }

    #[test]
    fn each_message_has_a_line_when_verbose() {
        let message = message();
        let event = Event::Message(&message);
        assert_eq!(
            say(VERBOSE, &event),
            "work: fetched Ada <ada@example.com> — Hello (12 KB)\n"
        );
        assert_eq!(say(NORMAL, &event), "");
    }

    #[test]
    fn a_hostile_subject_stays_on_its_line() {
        let mut message = message();
        message.header = b"Subject: =?utf-8?q?a=0D=0Aerror:_b=1B]0;c=07=E2=80=AE?=\r\n\r\n";
        let line = say(VERBOSE, &Event::Message(&message));
        assert_eq!(
            line.matches(['\n', '\r', '\x1b', '\x07', '\u{202e}'])
                .count(),
            1,
            "{line:?}"
        );
    }

    #[test]
    fn warnings_pierce_quiet_and_notices_do_not() {
        assert_eq!(say(NORMAL, &Event::Notice("hm")), "work: hm\n");
        assert_eq!(say(QUIET, &Event::Notice("hm")), "");
        assert_eq!(
            say(QUIET, &Event::Warning("h\nm")),
            "warning: work: h\\nm\n"
        );
    }

    #[test]
    fn a_failed_message_is_named_and_when_quiet_not_in_each_run() {
        let event = Event::Failed {
            message: listed(),
            reason: "no such message",
        };
        assert_eq!(
            say(NORMAL, &event),
            "error: work: message 7 (uid-7, 12 KB): no such message\n"
        );
        assert_eq!(say(QUIET, &event), "");
    }

    #[test]
    fn several_accounts_have_a_total() {
        let mut totals = Totals::default();
        totals.add("home", &outcome(1));
        assert_eq!(NORMAL.total(&totals), "");
        totals.add(
            "home",
            &Outcome {
                failure: failure(Status::Temporary, None),
                ..outcome(2)
            },
        );
        assert_eq!(
            NORMAL.total(&totals),
            "1 of 2 accounts: 3 new messages (900 KB); failed: home\n"
        );
        assert_eq!(QUIET.total(&totals), "");
    }

    #[test]
    fn what_was_not_looked_at_is_not_said_to_have_nothing_new() {
        let mut totals = Totals::default();
        for name in ["home", "work\x1b"] {
            let failure = failure(Status::Temporary, None);
            let outcome = Outcome {
                failure,
                ..Outcome::default()
            };
            totals.add(name, &outcome);
        }
        assert_eq!(
            NORMAL.total(&totals),
            "0 of 2 accounts fetched; failed: home, work\\x1b\n"
        );
        totals.add("third", &outcome(0));
        let total = NORMAL.total(&totals);
        assert_eq!(
            total,
            "1 of 3 accounts: nothing new; failed: home, work\\x1b\n"
        );
    }

    #[test]
    fn the_result_names_the_maildir_that_was_made() {
        let account = Account {
            made: Some("~/Mail/work".into()),
            ..Account::default()
        };
        let (some, none) = (outcome(2), outcome(0));
        let say = |outcome| NORMAL.lines("work", &Event::Finished(outcome), &account);
        assert_eq!(say(&some), "work: 2 new messages (600 KB) in ~/Mail/work\n");
        assert_eq!(say(&none), "work: nothing new\n");
    }
}
