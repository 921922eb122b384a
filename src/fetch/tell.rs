//! What a fetch tells the report, and in which words.

use super::{Account, Missed, Run};
use crate::exit::{Diagnose, in_words};
use crate::maildrop::{Maildrop, Message};
use crate::plan::{self, Decision, Plan, Reason};
use crate::profile::units;
use crate::report::{Event, Failure, Listed, Outcome, Planned};
use crate::source::{Direction, Transcript};
use crate::state::{
    Early, FailureKind, Failures, Lasting, Moment, Recorded, RefusalKind, Store, Why,
};
use crate::term::{count, escape, quoted, unique_id, without_numbers};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

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

    /// Ages come from the clock, and a clock may be wrong by years.
    pub(super) fn tell_undated(&self, plan: &Plan) {
        let due = count(plan.undated() as u64, "message");
        self.tell(Event::Warning(&format!(
            "the clock is more than a week ahead of the last run: {due} would be old enough to be \
             deleted from the server, and a clock that is wrong would say the same. Nothing is deleted \
             for its age before a run at least a day later; it is {} by this clock",
            Moment::on_the_wall(self.environment.moment.now)
        )));
    }

    /// What will be done, and what is left on the server, and why.
    pub(super) fn tell_plan(
        &self,
        plan: &Plan,
        maildrop: &Maildrop,
        fetch: &[Message],
        run: &mut Run<'_>,
        outcome: &mut Outcome,
    ) {
        let octets = fetch.iter().filter_map(|message| message.octets);
        self.tell(Event::Planned(Planned {
            listed: plan.listed() as u64,
            fetch: fetch.len() as u64,
            octets: octets.fold(0, u64::saturating_add),
            seen: plan.known() as u64,
        }));
        for (place, decision) in plan.unseen() {
            if let (Decision::Skip(reason), Some(message)) = (decision, maildrop.message(place)) {
                outcome.skipped += 1;
                let reason = match (reason, &message.unique_id) {
                    // The summary tells the reasons alone, and this one is about one message.
                    (Reason::Failed(_), Some(_)) => {
                        let missed = Missed::of(&message, &reason.to_string());
                        outcome.held_up += 1;
                        run.holds.push(missed.clone());
                        missed.text
                    }
                    _ => self.why_skipped(plan, place, reason),
                };
                self.tell(Event::Skipped {
                    message: listed(&message),
                    reason: &reason,
                });
            }
        }
    }

    /// What has no unique-id is read in each run: of all messages that is said once, and of some once a day.
    pub(super) fn tell_nameless(&self, store: &mut Store, maildrop: &Maildrop) {
        if !maildrop.has_unique_ids && !maildrop.is_empty() && store.is_first() {
            self.tell(Event::Notice(
                "the server gives messages no unique-ids: each run reads all of them, and recognises \
                 those that are here by their content",
            ));
        }
        let nameless = maildrop.nameless();
        if maildrop.has_unique_ids && nameless > 0 && store.may_tell(Lasting::Nameless) {
            let is_one = nameless == 1;
            self.tell(Event::Notice(&format!(
                "the server gives {} no unique-id of {own}, or one that more than a thousand have: each \
                 run reads {them}, and recognises by {its} content what is here",
                count(nameless as u64, "message"),
                own = if is_one { "its own" } else { "their own" },
                them = if is_one { "it" } else { "them" },
                its = if is_one { "its" } else { "their" },
            )));
        }
    }

    /// So many messages cannot be marked as seen.
    pub(super) fn tell_unmarked(&self, nameless: usize) {
        if nameless > 0 {
            self.tell(Event::Warning(&format!(
                "the server gives {} no unique-id, by which {} could be passed over: the next fetch brings {}",
                count(nameless as u64, "message"),
                if nameless == 1 { "it" } else { "they" },
                if nameless == 1 { "it" } else { "them" },
            )));
        }
    }

    /// More messages are counted than listed: that is told, as nobody would miss them.
    pub(super) fn tell_unlisted(
        &self,
        maildrop: &Maildrop,
        in_parts: bool,
        run: &mut Run<'_>,
        outcome: &mut Outcome,
    ) {
        let Some(unlisted) = maildrop.unlisted().filter(|_| !in_parts) else {
            return;
        };
        let text = format!(
            "the server counts {} more than it lists, and {} cannot be fetched",
            count(unlisted, "message"),
            if unlisted == 1 { "it" } else { "they" }
        );
        if !self.environment.quiet {
            self.tell(Event::Warning(&text));
        }
        outcome.held_up += 1;
        let name = "not listed".to_owned();
        run.holds.push(Missed { name, text });
    }

    /// The server has confirmed a deletion that it had confirmed before: nobody knows whether it means
    /// it now. `in_vain`: how often it was asked before about the one that it was asked about most.
    pub(super) fn tell_asked_again(&self, again: usize, in_vain: u8) {
        if again > 0 {
            let again = count(again as u64, "message");
            let times = in_vain.saturating_add(1);
            let most = plan::DELETIONS;
            self.tell(Event::Notice(&format!(
                "the server had confirmed the deletion of {again}, and lists again what it confirmed: \
                 it has been asked {times} times now, and is asked {most} times at most"
            )));
        }
    }

    /// What the server does not delete is told: more may be behind it.
    pub(super) fn tell_undeletable(&self, given_up: usize) {
        if given_up > 0 && !self.environment.quiet {
            self.tell(Event::Warning(&format!(
                "the server does not delete {} although it was asked five times: if it lists only so \
                 many at a time, what is behind them does not show. See whether it has a setting of \
                 its own, as Gmail has, or remove them there; `keep = \"always\"` asks for no deletion",
                count(given_up as u64, "message")
            )));
        }
    }

    /// The same of messages that rules would have deleted: `keep` has no say there.
    pub(super) fn tell_undeletable_by_rules(&self, given_up: usize) {
        if given_up > 0 && !self.environment.quiet {
            let them = if given_up == 1 { "it" } else { "them" };
            self.tell(Event::Warning(&format!(
                "the server does not delete {} that a rule has deleted there, although it was asked five \
                 times. See whether it has a setting of its own, as Gmail has, or remove {them} there; a rule with then = \"skip\" asks for no deletion",
                count(given_up as u64, "message")
            )));
        }
    }

    pub(super) fn tell_deleted(&self, maildrop: &Maildrop, deleted: &[Recorded]) {
        let mut deleted: Vec<&Recorded> = deleted.iter().collect();
        deleted.sort_unstable_by_key(|recorded| recorded.number());
        for (number, place) in maildrop.numbers().zip(0..) {
            let found = deleted.binary_search_by_key(&number, |recorded| recorded.number());
            let recorded = found.ok().and_then(|at| deleted.get(at));
            if let (Some(recorded), Some(message)) = (recorded, maildrop.message(place)) {
                self.tell(Event::Deleted {
                    message: listed(&message),
                    rule: recorded.rule(),
                });
            }
        }
    }
}

/// A unique-id behind what is to be typed before it.
pub(super) fn argument(id: &[u8]) -> String {
    let text = quoted(&unique_id(id));
    match text.starts_with('-') {
        // It is no option.
        true => format!(" -- {text}"),
        false => format!(" {text}"),
    }
}

/// Messages that a line for people names.
pub(super) const NAMED: usize = 3;

/// What a line for people calls a message.
pub(super) fn name_of(message: &Message) -> String {
    match &message.unique_id {
        Some(unique_id) => escape(unique_id),
        None => format!("message {}", message.number),
    }
}

/// The first of many, in words.
pub(super) fn some_of<T>(all: &[T], word: impl Fn(&T) -> String) -> String {
    let some: Vec<String> = all.iter().take(NAMED).map(word).collect();
    let more = match all.len() > NAMED {
        true => ", ...",
        false => "",
    };
    format!("{}{more}", some.join(", "))
}

/// A message as the report has it.
pub(super) fn listed(message: &Message) -> Listed<'_> {
    Listed {
        number: Some(message.number.value()),
        unique_id: message.unique_id.as_deref(),
        octets: message.octets,
        folder: message.folder.as_ref().map(|it| &*it.name),
    }
}

/// An error as the report has it.
pub fn failure(error: &dyn Diagnose) -> Failure {
    Failure {
        status: error.status(),
        message: without_numbers(&in_words(error)),
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
                write!(f, "{how} {count} times; tried once a day, and at once with popfetch --now")
            }
            Self::Rule => f.write_str("a rule leaves it"),
            Self::Undeletable => f.write_str(
                "asked five times, and not deleted by the server: has it a setting of its own, as Gmail has?",
            ),
        }
    }
}

/// Why a server is not asked now.
pub(super) fn too_early(early: &Early) -> String {
    let seconds = |seconds: i64| Duration::from_secs(seconds.unsigned_abs());
    let left = units::duration(seconds(early.left));
    match early.why {
        Why::LoginDelay(delay) => format!(
            "the server wants {} between two sign-ins: next poll allowed in {} s",
            units::duration(seconds(delay)),
            early.left
        ),
        Why::Refused(kind, time) => {
            let what = match kind {
                RefusalKind::Passing => "the server was busy, or had trouble of its own,",
                RefusalKind::InUse => "another session had the mailbox",
                RefusalKind::Withheld => "the server let us in, and sent no messages,",
                RefusalKind::Limit => {
                    "the server said that it was asked too often, or for too much,"
                }
                RefusalKind::Closed => "the server closed the connection over the sign-in",
                RefusalKind::Unexplained => "the server did not let us in",
                RefusalKind::Credentials => "the server refused the sign-in",
                RefusalKind::Permanent => "the server refused us for good",
            };
            let time = Moment::on_the_wall(time);
            format!("not tried: {what} at {time}; the next try is due in {left}")
        }
    }
}
