//! What the events of a run add up to.

use super::place::{Folders, Place};
use super::{Event, Outcome, Planned};
use crate::exit::Status;

/// Distinct reasons for skipping that are kept for the summary. They may quote a server, which
/// could think of a new one for each message.
const REASONS: usize = 3;

/// What is known of one account before its [`Outcome`].
#[derive(Debug, Default)]
pub(super) struct Account {
    /// The plan, once the maildrop is listed.
    pub(super) planned: Option<Planned>,
    /// Why messages were skipped, each reason once.
    pub(super) reasons: Vec<String>,
    /// The Maildir, for a person who looks for the mail.
    pub(super) place: Option<Place>,
    /// Which of its folders new messages have come into.
    pub(super) folders: Folders,
}

impl Account {
    /// Where its mail is, where that is to be said: with the first of it, or where the Maildir is new.
    pub(super) fn place(&self, outcome: &Outcome) -> Option<&Place> {
        let says = |it: &&Place| outcome.fetched > 0 && (outcome.is_first_mail || it.is_made);
        self.place.as_ref().filter(says)
    }

    pub(super) fn add(&mut self, event: &Event<'_>) {
        match event {
            Event::Planned(planned) => self.planned = Some(*planned),
            Event::Message(message) if !message.recovered => {
                if let Some(place) = &self.place {
                    self.folders.add(place, message);
                }
            }
            Event::Skipped { reason, .. }
                if self.reasons.len() < REASONS && !self.reasons.iter().any(|r| r == reason) =>
            {
                self.reasons.push((*reason).to_owned());
            }
            _ => {}
        }
    }
}

/// The sums over all accounts that are done.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    pub(super) accounts: u64,
    /// Accounts that did not end with status 0.
    pub(super) accounts_failed: u64,
    pub(super) fetched: u64,
    pub(super) octets: u64,
    pub(super) deleted: u64,
    pub(super) deleted_by_rules: u64,
    pub(super) skipped: u64,
    pub(super) failed: u64,
    pub(super) doubtful: u64,
    pub(super) known: u64,
    /// The names of those that ended early.
    pub(super) ended: Vec<String>,
    /// And of those that somebody has stopped.
    pub(super) stopped: Vec<String>,
    pub(super) recovered: u64,
    pub(super) handed: u64,
    pub(super) there: u64,
    pub(super) waiting: u64,
}

impl Totals {
    pub(super) fn add(&mut self, name: &str, outcome: &Outcome) {
        self.accounts += 1;
        match outcome.failure.as_ref().map(|failure| failure.status) {
            None => {}
            Some(Status::Interrupted | Status::Terminated) => self.stopped.push(name.to_owned()),
            Some(_) => self.ended.push(name.to_owned()),
        }
        self.accounts_failed += u64::from(outcome.status() != Status::Ok);
        for (sum, amount) in [
            (&mut self.fetched, outcome.fetched),
            (&mut self.octets, outcome.octets),
            (&mut self.deleted, outcome.deleted),
            (&mut self.deleted_by_rules, outcome.deleted_by_rules),
            (&mut self.skipped, outcome.skipped),
            (&mut self.failed, outcome.failed),
            (&mut self.doubtful, outcome.doubtful),
            (&mut self.known, outcome.known),
            (&mut self.recovered, outcome.recovered),
            (&mut self.handed, outcome.handed),
            (&mut self.there, outcome.there),
            (&mut self.waiting, outcome.waiting),
        ] {
            *sum = sum.saturating_add(amount);
        }
    }
}
