//! What a fetch tells the report, and in which words.

use super::Account;
use crate::exit::Diagnose;
use crate::maildrop::{Maildrop, Message};
use crate::plan::Reason;
use crate::profile::units;
use crate::report::{Event, Failure, Listed};
use crate::session::{Direction, Transcript};
use crate::state::{self, FailureKind, Failures, Recorded};
use crate::term::count;
use std::fmt;
use std::sync::Arc;

impl Account<'_> {
    pub(super) fn transcript(&self) -> Option<Transcript> {
        if !self.environment.transcript {
            return None;
        }
        let (report, account) = (
            Arc::clone(&self.environment.report),
            self.profile.name.clone(),
        );
        Some(Arc::new(move |direction, line: &[u8]| {
            let sent = direction == Direction::Sent;
            report.report(&account, Event::Wire { sent, line });
        }))
    }

    pub(super) fn tell(&self, event: Event<'_>) {
        self.environment.report.report(&self.profile.name, event);
    }

    pub(super) fn tell_opened(&self, opened: &state::Opened) {
        if let Some((aside, found)) = &opened.rebuilt {
            let damaged = match aside {
                Some(path) => format!(
                    "the state file was damaged and is kept as {}",
                    path.display()
                ),
                None => "the state file was lost, or lacked its end".to_owned(),
            };
            self.tell(Event::Warning(&format!(
                "{damaged}; it was made again from the Maildir, and {} there that it did not know \
                 counts as fetched",
                count(*found, "message")
            )));
        }
        if opened.recovered > 0 {
            let recovered = count(opened.recovered, "message");
            let text = format!("{recovered} that a crash had interrupted: delivered");
            self.tell(Event::Notice(&text));
        }
    }

    pub(super) fn tell_taken_in(&self, found: u64) {
        let found = count(found, "message");
        self.tell(Event::Warning(&format!(
            "the state is older than the mail: {found} in the Maildir that it did not know counts \
             as fetched"
        )));
    }

    pub(super) fn tell_deleted(&self, maildrop: &Maildrop, deleted: &[Recorded]) {
        let mut numbers: Vec<_> = deleted.iter().map(Recorded::number).collect();
        numbers.sort_unstable();
        for (number, place) in maildrop.numbers().zip(0..) {
            let deleted = numbers.binary_search(&number).is_ok();
            if let (true, Some(message)) = (deleted, maildrop.message(place)) {
                self.tell(Event::Deleted(listed(&message)));
            }
        }
    }
}

/// A message as the report has it.
pub(super) fn listed(message: &Message) -> Listed<'_> {
    Listed {
        number: message.number.value(),
        unique_id: message.unique_id.as_deref(),
        octets: message.octets,
    }
}

/// An error as the report has it.
pub fn failure(error: &dyn Diagnose) -> Failure {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        // Some errors repeat their source in their own text.
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        source = cause.source();
    }
    Failure {
        status: error.status(),
        message,
        hint: error.hint(),
        routine: error.is_routine(),
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(most) => {
                write!(f, "larger than {}", units::octets(*most))
            }
            Self::Failed(Failures { kind, count, .. }) => {
                let how = match kind {
                    FailureKind::Refused => "refused by the server",
                    FailureKind::Dropped => "the connection broke over it",
                };
                write!(f, "{how} {count} times; tried once a day")
            }
            Self::Undeletable => f.write_str("the server confirms its deletion but keeps it: has it a setting of its own, as Gmail has?"),
        }
    }
}
