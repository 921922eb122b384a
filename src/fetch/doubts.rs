//! What is doubtful in a listing, and what may be deleted of what was stored before: looked at in
//! this session, by headers in one flight and by whole messages where those cannot tell (E11).

use super::tell::{NAMED, argument, name_of, some_of};
use super::{Account, Error};
use crate::maildrop::{Maildrop, Message, MessageNumber};
use crate::plan::{self, Decision, Plan};
use crate::report::Event;
use crate::source::Source;
use crate::state::{Recorded, Same, Store, Vouched, Withheld};
use crate::term::count;
use std::collections::{HashMap, HashSet, VecDeque};

/// Headers that a run asks for at most to settle doubts, and whole messages. What is not looked at
/// counts as the same for now, and is not deleted.
const HEADERS: usize = 1000;
const BODIES: usize = 50;

/// As much of a header as is looked at when a message is stored, and a CR for each line.
pub(super) const HEADER_LIMIT: usize = 512 * 1024;

/// What a run may still spend.
pub(super) struct Budget {
    headers: usize,
    bodies: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            headers: HEADERS,
            bodies: BODIES,
        }
    }
}

impl Budget {
    /// The server has ended a session behind so many headers. With half of them there is room for what
    /// comes behind them, new mail above all.
    pub(super) fn shrink(&mut self, headers: u64) {
        let half = usize::try_from(headers / 2).unwrap_or(usize::MAX);
        (self.headers, self.bodies) = (self.headers.min(half), self.bodies.min(half));
    }

    /// As many of so many whole messages as are left.
    pub(super) fn take_bodies(&mut self, wanted: usize) -> usize {
        let taken = wanted.min(self.bodies);
        self.bodies -= taken;
        taken
    }
}

/// Why a message is looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Cause {
    /// It may be another one than what is stored; perhaps the profile wants it gone.
    Doubt { due: bool },
    /// The profile wants it gone.
    Due,
}

/// What looking has come to.
#[derive(Default)]
pub(super) struct Verdicts {
    /// The same as what was stored.
    pub(super) same: Vec<Same>,
    /// Others than what was stored, and those of which only the whole message can tell.
    pub(super) fetch: Vec<Message>,
    /// How many of these are others.
    pub(super) others: usize,
    /// How many could not be looked at, and may be others, too.
    pub(super) later: usize,
}

impl Cause {
    /// Doubts come before messages that are only to be deleted.
    fn rank(self) -> usize {
        usize::from(self == Self::Due)
    }
}

/// Of messages with one unique-id all are deleted, or none is. One that went alone would leave its name
/// to the others, and nothing would tell the next run that these were never fetched.
pub(super) fn spare_namesakes(maildrop: &Maildrop, delete: &mut Vec<Recorded>) {
    let mut bearers: HashMap<_, Vec<MessageNumber>> = HashMap::new();
    for place in maildrop.shared() {
        if let Some(message) = maildrop.message(place) {
            bearers
                .entry(message.unique_id)
                .or_default()
                .push(message.number);
        }
    }
    if bearers.is_empty() {
        return;
    }
    let going: HashSet<MessageNumber> = delete.iter().map(Recorded::number).collect();
    bearers.retain(|_, numbers| !numbers.iter().all(|number| going.contains(number)));
    let spared: HashSet<MessageNumber> = bearers.into_values().flatten().collect();
    delete.retain(|recorded| !spared.contains(&recorded.number()));
}

impl Account<'_> {
    pub(super) fn look_into(
        &self,
        session: &mut Source,
        store: &mut Store,
        maildrop: &Maildrop,
        plan: &Plan,
        budget: &mut Budget,
    ) -> Result<Verdicts, Error> {
        // Doubts before messages that are only to be deleted.
        let mut messages: Vec<(Cause, Message)> = plan
            .unseen()
            .filter_map(|(place, decision)| {
                let cause = match decision {
                    Decision::Doubt { due } => Cause::Doubt { due },
                    Decision::Delete => Cause::Due,
                    _ => return None,
                };
                Some((cause, maildrop.message(place)?))
            })
            .collect();
        messages.sort_by_key(|(cause, _)| cause.rank());
        let mut verdicts = Verdicts::default();
        if messages.is_empty() {
            return Ok(verdicts);
        }
        let adds_to_headers = session.traits().adds_to_headers;
        // Of old records that have none, those of a run's worth of messages.
        let some = messages.iter().take(budget.headers + budget.bodies);
        store.gather_evidence(some.map(|(_, message)| message))?;
        let (mut waiting, mut undecided) = (VecDeque::new(), Vec::new());
        for (cause, message) in &messages {
            let due = *cause != Cause::Doubt { due: false };
            if let Some(same) = store.judge_listing(message, due)? {
                verdicts.same.push(same);
            } else if store.header_can_tell(message, adds_to_headers)?
                || (!adds_to_headers && store.header_can_deny(message)?)
            {
                waiting.push_back((*cause, message));
            } else if store.body_can_tell(message)? {
                undecided.push((2 * cause.rank() + 1, message));
            }
        }
        // What turns out to be another message costs nothing of what a run may spend: it has to come.
        loop {
            let asked = waiting.drain(..waiting.len().min(budget.headers));
            let asked: Vec<(Cause, &Message)> = asked.collect();
            if asked.is_empty() {
                break;
            }
            budget.headers -= asked.len();
            let others = self.ask_headers(session, store, &asked, &mut verdicts, &mut undecided)?;
            budget.headers += others;
        }
        for (cause, message) in waiting {
            if store.body_can_tell(message)? {
                undecided.push((2 * cause.rank() + 1, message));
            }
        }
        undecided.sort_unstable_by_key(|(rank, message)| (*rank, message.number));
        let bodies = budget.take_bodies(undecided.len());
        let later = undecided.iter().skip(bodies);
        // What is only to be deleted was there all the time, and is what it was.
        verdicts.later = later.filter(|(rank, _)| *rank < 2).count();
        let now = undecided.into_iter().take(bodies);
        verdicts.fetch.extend(now.map(|(_, it)| it.clone()));
        Ok(verdicts)
    }

    /// Looks at headers. How many have shown that a message is another one than what is stored: these are
    /// among those to be fetched.
    fn ask_headers<'a>(
        &self,
        session: &mut Source,
        store: &mut Store,
        asked: &[(Cause, &'a Message)],
        verdicts: &mut Verdicts,
        undecided: &mut Vec<(usize, &'a Message)>,
    ) -> Result<usize, Error> {
        let adds_to_headers = session.traits().adds_to_headers;
        let messages = asked.iter().map(|(_, message)| (message.number, *message));
        let messages: HashMap<MessageNumber, &Message> = messages.collect();
        let mut failed = Ok(());
        let mut others = Vec::new();
        let judge = |number: MessageNumber, header: Option<Vec<u8>>| {
            let (Some(message), true) = (messages.get(&number), failed.is_ok()) else {
                return;
            };
            let header = header.unwrap_or_default();
            match store.judge_header(message, &header, adds_to_headers) {
                Ok(Some(same)) => verdicts.same.push(same),
                Ok(None) if header.is_empty() => undecided.push((1, *message)),
                Ok(None) => match store.header_denies(message, &header) {
                    // What the server may have rewritten proves nothing.
                    Ok(true) if !adds_to_headers => others.push((*message).clone()),
                    // A header that says otherwise is the likeliest to be another message.
                    Ok(_) => undecided.push((0, *message)),
                    Err(error) => failed = Err(error),
                },
                Err(error) => failed = Err(error),
            }
        };
        let numbers = asked.iter().map(|(_, message)| message.number);
        session.headers(numbers, HEADER_LIMIT, judge)?;
        failed?;
        // A header has no size that could tell whether it is whole: nothing is deleted on the word of
        // a server that is out of step.
        if !session.is_in_step()? {
            return Err(Error::NotInStep);
        }
        let count = others.len();
        verdicts.others += count;
        verdicts.fetch.extend(others);
        Ok(count)
    }

    /// What could not be looked at in this run is told: another message may wait there.
    pub(super) fn tell_later(&self, later: usize) {
        if later > 0 {
            self.tell(Event::Notice(&format!(
                "{} may be others than those that were fetched under their names: the next runs see to it, \
                 {BODIES} at a time",
                count(later as u64, "message")
            )));
        }
    }

    /// What is to be deleted of what earlier sessions stored: what the profile wants gone, and whose
    /// file is where it should be (E14). And how many stay because the server does not delete them.
    pub(super) fn vouch_for(
        &self,
        store: &mut Store,
        mut same: Vec<Same>,
    ) -> Result<(Vec<Recorded>, usize), Error> {
        let policy = self.profile.policy.with_clock(store.doubts_clock());
        let now = self.environment.moment.now;
        // One may have been looked at twice.
        same.sort_unstable_by_key(Same::number);
        same.dedup_by_key(|same| same.number());
        let mut given_up = 0;
        same.retain(|same| {
            store.standing_of(same).is_some_and(|(since, futile)| {
                given_up += usize::from(plan::is_given_up(since, futile, policy, now));
                plan::is_to_be_deleted(since, futile, policy, now)
            })
        });
        let Vouched { recorded, withheld } = store.vouch(same)?;
        if !withheld.is_empty() && store.may_tell() {
            self.tell(Event::Warning(&self.why_withheld(&withheld)));
        }
        Ok((recorded, given_up))
    }

    fn why_withheld(&self, withheld: &[(Message, Withheld)]) -> String {
        let names = some_of(withheld, |(message, _)| name_of(message));
        let mut reasons = Vec::new();
        for (why, text) in [
            (Withheld::Missing, "the file is nowhere to be found"),
            (
                Withheld::Changed,
                "the file is not as long as what was stored",
            ),
            (
                Withheld::Doubtful,
                "its end was doubtful, `verify` has found its file changed, or it came back under another \
                 name after it was handed on",
            ),
        ] {
            if withheld.iter().any(|(_, other)| *other == why) {
                reasons.push(text);
            }
        }
        let is_all_missing = withheld.iter().all(|(_, why)| *why == Withheld::Missing);
        let word = self.profile.word_with_maildir();
        let arguments = withheld.iter().take(NAMED);
        let arguments = arguments.filter_map(|(it, _)| it.unique_id.as_deref().map(argument));
        let command = match withheld.len() > NAMED && is_all_missing {
            true => format!("popfetch verify --accept {word}"),
            false => format!(
                "popfetch state accept {word}{}",
                arguments.collect::<String>()
            ),
        };
        format!(
            "{} not deleted from the server: {} ({names}). If that is as it should be: {command}",
            count(withheld.len() as u64, "message"),
            reasons.join(", or "),
        )
    }
}
