//! What is doubtful in a listing, and what may be deleted of what was stored before: looked at in
//! this session, by headers in one flight and by whole messages where those cannot tell (E11).

use super::tell::{NAMED, argument, name_of, some_of};
use super::{Account, Error};
use crate::maildrop::{Maildrop, Message, MessageNumber};
use crate::plan::{self, Decision, Plan, Policy};
use crate::report::Event;
use crate::source::Source;
use crate::state::{Lasting, Recorded, Same, Store, Vouched, Withheld};
use crate::term::count;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

/// Headers that a run asks for at most to settle doubts, and whole messages. What is not looked at
/// counts as the same for now, and is not deleted.
const HEADERS: usize = 1000;
const BODIES: usize = 50;

/// Whole messages, out of several that bear one unique-id, that a run looks at where nothing is doubtful but that
/// one may have taken another's place.
const NAMESAKES: usize = 10;

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

/// A message that is looked at.
struct Doubted {
    cause: Cause,
    place: usize,
    message: Message,
}

/// Why a message is looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Cause {
    /// It may be another one than what is stored; perhaps the profile wants it gone.
    Doubt { due: bool },
    /// Nothing is doubtful but that others have its name.
    Namesake,
    /// The profile wants it gone.
    Due,
}

/// What looking has come to.
#[derive(Default)]
pub(super) struct Verdicts {
    /// The same as what was stored.
    pub(super) same: Vec<Same>,
    /// Of these only the whole message can tell.
    pub(super) fetch: Vec<Message>,
    /// How many could not be looked at, and may be others.
    pub(super) later: usize,
    /// How many could not be looked at, and are deleted once they are.
    pub(super) later_deleted: usize,
}

/// How soon a message is looked at of which only the whole of it can tell: the likeliest to be another comes
/// first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Turn {
    /// Its header says that it is another one.
    Denied,
    /// It may be.
    Doubted,
    /// It is only to be deleted.
    Due,
    /// Others have its name, and nothing else is doubtful.
    Namesake,
}

impl Cause {
    fn turn(self) -> Turn {
        match self {
            Self::Doubt { .. } => Turn::Doubted,
            Self::Namesake => Turn::Namesake,
            Self::Due => Turn::Due,
        }
    }
}

/// Of messages with one unique-id all are deleted, or none is. One that went alone would leave its name
/// to the others, and nothing would tell the next run that these were never fetched.
pub(super) fn spare_namesakes(maildrop: &Maildrop, delete: &mut Vec<Recorded>) {
    let namesakes = maildrop.namesakes();
    if namesakes.is_empty() {
        return;
    }
    let going: HashSet<MessageNumber> = delete.iter().map(Recorded::number).collect();
    let mut spared: HashSet<MessageNumber> = HashSet::new();
    for places in namesakes {
        let numbers = places.iter().filter_map(|place| maildrop.message(*place));
        let numbers: Vec<MessageNumber> = numbers.map(|message| message.number).collect();
        if !numbers.iter().all(|number| going.contains(number)) {
            spared.extend(numbers);
        }
    }
    delete.retain(|recorded| !spared.contains(&recorded.number()));
}

impl Account<'_> {
    /// Looks into what is doubtful. What turns out to be another message than the one that is stored is a new
    /// one in the plan.
    pub(super) fn look_into(
        &self,
        session: &mut Source,
        store: &mut Store,
        maildrop: &Maildrop,
        plan: &mut Plan,
        budget: &mut Budget,
    ) -> Result<Verdicts, Error> {
        // Doubts before messages that are only to be deleted.
        let mut messages: Vec<Doubted> = plan
            .unseen()
            .filter_map(|(place, decision)| {
                let message = maildrop.message(place)?;
                let cause = match decision {
                    Decision::Doubt { due: false } if store.is_namesake(&message) => {
                        Cause::Namesake
                    }
                    Decision::Doubt { due } => Cause::Doubt { due },
                    Decision::Delete => Cause::Due,
                    _ => return None,
                };
                Some(Doubted {
                    cause,
                    place,
                    message,
                })
            })
            .collect();
        messages.sort_by_key(|doubted| doubted.cause.turn());
        // Not the same ones in each run.
        let first = messages.partition_point(|doubted| doubted.cause != Cause::Namesake);
        let namesakes = messages.get_mut(first..).unwrap_or_default();
        namesakes.rotate_left(store.draw_below(namesakes.len()));
        let mut verdicts = Verdicts::default();
        if messages.is_empty() {
            return Ok(verdicts);
        }
        let adds_to_headers = session.traits().adds_to_headers;
        // Of old records that have none, those of a run's worth of messages.
        let some = messages.iter().take(budget.headers + budget.bodies);
        store.gather_evidence(some.map(|doubted| &doubted.message))?;
        let (mut waiting, mut undecided) = (VecDeque::new(), Vec::new());
        let most = self.profile.policy.max_size;
        let is_too_large = |message: &Message| most.is_some() && message.octets > most;
        for doubted in &messages {
            let message = &doubted.message;
            let due = !matches!(doubted.cause, Cause::Doubt { due: false } | Cause::Namesake);
            if let Some(same) = store.judge_listing(message, due)? {
                verdicts.same.push(same);
            } else if store.header_can_tell(message, adds_to_headers)?
                || (!adds_to_headers && store.header_can_deny(message)?)
            {
                waiting.push_back(doubted);
            } else if is_too_large(message) && store.size_denies(message)? {
                // Nobody wants to know more.
                self.is_new(store, plan, doubted);
            } else if store.body_can_tell(message)? {
                undecided.push((doubted.cause.turn(), message));
            }
        }
        // What turns out to be another message costs nothing of what a run may spend: it has to come.
        loop {
            let asked = waiting.drain(..waiting.len().min(budget.headers));
            let asked: Vec<&Doubted> = asked.collect();
            if asked.is_empty() {
                break;
            }
            budget.headers -= asked.len();
            let others = self.ask_headers(session, store, &asked, &mut verdicts, &mut undecided)?;
            budget.headers += others.len();
            for doubted in others {
                self.is_new(store, plan, doubted);
            }
        }
        for doubted in waiting {
            if store.body_can_tell(&doubted.message)? {
                undecided.push((doubted.cause.turn(), &doubted.message));
            }
        }
        undecided.sort_by_key(|(turn, message)| {
            let is_namesake = *turn == Turn::Namesake;
            (*turn, (!is_namesake).then_some(message.number))
        });
        let firm = undecided.partition_point(|(turn, _)| *turn != Turn::Namesake);
        undecided.truncate(firm + NAMESAKES);
        let bodies = budget.take_bodies(undecided.len());
        let later = || undecided.iter().skip(bodies);
        // What is only to be deleted was there all the time, and is what it was.
        let is_doubted = |turn: &Turn| matches!(turn, Turn::Denied | Turn::Doubted);
        verdicts.later = later().filter(|(turn, _)| is_doubted(turn)).count();
        verdicts.later_deleted = later().filter(|(turn, _)| *turn == Turn::Due).count();
        let now = undecided.into_iter().take(bodies);
        verdicts.fetch.extend(now.map(|(_, it)| it.clone()));
        Ok(verdicts)
    }

    /// The message is another one than what is stored under its name.
    fn is_new(&self, store: &mut Store, plan: &mut Plan, doubted: &Doubted) {
        let failures = store.is_another(&doubted.message);
        let policy = Policy {
            insist: self.environment.at_once,
            ..self.profile.policy.with_clock(store.doubts_clock())
        };
        let now = self.environment.moment.now;
        let octets = doubted.message.octets;
        plan.is_new(doubted.place, octets, failures, policy, now);
    }

    /// Looks at headers. Gives those that have shown that a message is another one than what is stored.
    fn ask_headers<'a>(
        &self,
        session: &mut Source,
        store: &mut Store,
        asked: &[&'a Doubted],
        verdicts: &mut Verdicts,
        undecided: &mut Vec<(Turn, &'a Message)>,
    ) -> Result<Vec<&'a Doubted>, Error> {
        let adds_to_headers = session.traits().adds_to_headers;
        let numbered = asked.iter().map(|it| (it.message.number, *it));
        let numbered: HashMap<MessageNumber, &Doubted> = numbered.collect();
        let mut failed = Ok(());
        let mut others = Vec::new();
        let judge = |number: MessageNumber, header: Option<Vec<u8>>| {
            let (Some(doubted), true) = (numbered.get(&number), failed.is_ok()) else {
                return;
            };
            let message = &doubted.message;
            let header = header.unwrap_or_default();
            match store.judge_header(message, &header, adds_to_headers) {
                Ok(Some(same)) => verdicts.same.push(same),
                Ok(None) if header.is_empty() => {
                    let turn = match doubted.cause {
                        Cause::Namesake => Turn::Namesake,
                        Cause::Doubt { .. } | Cause::Due => Turn::Doubted,
                    };
                    undecided.push((turn, message));
                }
                Ok(None) => match store.header_denies(message, &header) {
                    // What the server may have rewritten proves nothing.
                    Ok(true) if !adds_to_headers => others.push(*doubted),
                    // A header that says otherwise is the likeliest to be another message.
                    Ok(_) => undecided.push((Turn::Denied, message)),
                    Err(error) => failed = Err(error),
                },
                Err(error) => failed = Err(error),
            }
        };
        let numbers = asked.iter().map(|it| it.message.number);
        session.headers(numbers, HEADER_LIMIT, judge)?;
        failed?;
        // A header has no size that could tell whether it is whole: nothing is deleted on the word of
        // a server that is out of step.
        if !session.is_in_step()? {
            return Err(Error::NotInStep);
        }
        Ok(others)
    }

    /// What could not be looked at in this run is told: another message may wait there, and what is to be
    /// deleted stays.
    pub(super) fn tell_later(&self, later: usize, deleted: usize) {
        if deleted > 0 {
            self.tell(Event::Notice(&format!(
                "{} to be deleted: of each the next runs look first whether it is the one that is stored",
                match deleted {
                    1 => "1 more message is".to_owned(),
                    several => format!("{} are", count(several as u64, "more message")),
                }
            )));
        }
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
        let is_due = |since, futile| plan::is_to_be_deleted(since, futile, policy, now);
        same.retain(|same| {
            store.standing_of(same).is_some_and(|(since, futile)| {
                given_up += usize::from(plan::is_given_up(since, futile, policy, now));
                is_due(since, futile)
            })
        });
        let Vouched {
            recorded,
            withheld,
            returned_before,
        } = store.vouch(same, is_due)?;
        let told = self.why_withheld(&withheld, returned_before);
        if !told.is_empty() && store.may_tell(Lasting::Withheld) {
            told.iter().for_each(|text| self.tell(Event::Warning(text)));
        }
        Ok((recorded, given_up))
    }

    /// What is told of messages that are not deleted: a text for each thing that a person can do about it.
    fn why_withheld(&self, withheld: &[(Message, Withheld)], returned_before: u64) -> Vec<String> {
        let mut parted: BTreeMap<WayOut, Vec<&(Message, Withheld)>> = BTreeMap::new();
        // In a run that hands on, copies are told of as such (`copies`).
        let hands_on = self.profile.deliver.is_some();
        let is_told = |it: &&(Message, Withheld)| it.1 == Withheld::Copy && hands_on;
        for it in withheld.iter().filter(|it| !is_told(it)) {
            parted.entry(way_out(it.1)).or_default().push(it);
        }
        if returned_before > 0 {
            parted.entry(WayOut::Returned).or_default();
        }
        let texts = parted.into_iter().map(|(way_out, messages)| {
            let before = match way_out {
                WayOut::Returned => returned_before,
                WayOut::Accept | WayOut::Copy | WayOut::Wait => 0,
            };
            self.why_these_are(&messages, before, way_out)
        });
        texts.collect()
    }

    fn why_these_are(
        &self,
        messages: &[&(Message, Withheld)],
        before: u64,
        way_out: WayOut,
    ) -> String {
        let count_of_all = messages.len() as u64 + before;
        let mut reasons: Vec<&str> = Vec::new();
        for (_, why) in messages {
            let reason = reason(*why, count_of_all);
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        if reasons.is_empty() {
            reasons.push(reason(Withheld::Returned, count_of_all));
        }
        let is_all_missing = messages.iter().all(|(_, why)| *why == Withheld::Missing);
        let word = self.profile.word_with_maildir();
        let arguments = messages.iter().take(NAMED);
        let arguments = arguments.filter_map(|(it, _)| it.unique_id.as_deref().map(argument));
        let is_right = "If that is as it should be";
        let todo = match way_out {
            WayOut::Wait => String::new(),
            WayOut::Returned => {
                format!(
                    ". If all that came back so may go: popfetch state accept {word} --came-back"
                )
            }
            WayOut::Copy => {
                let arguments = arguments.collect::<String>();
                let them = if count_of_all == 1 { "it" } else { "them" };
                format!(
                    ". To have {them} fetched: popfetch state forget {word}{arguments}; once you have seen another \
                     one elsewhere, to let {them} go: popfetch state accept {word}{arguments}"
                )
            }
            WayOut::Accept if messages.len() > NAMED && is_all_missing => {
                format!(". {is_right}: popfetch verify --accept {word}")
            }
            WayOut::Accept => {
                let arguments = arguments.collect::<String>();
                format!(". {is_right}: popfetch state accept {word}{arguments}")
            }
        };
        let names = match messages.is_empty() {
            true => String::new(),
            false => format!(" ({})", some_of(messages, |(message, _)| name_of(message))),
        };
        format!(
            "{} not deleted from the server: {}{names}{todo}",
            count(count_of_all, "message"),
            reasons.join(", or "),
        )
    }
}

/// What a person can do about messages that are not deleted.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum WayOut {
    /// To say of each that it may go.
    Accept,
    /// To say so of all that have come back.
    Returned,
    /// To say so of a copy, once one has seen what it is a copy of.
    Copy,
    /// Nothing: it comes to an end by itself.
    Wait,
}

fn way_out(why: Withheld) -> WayOut {
    match why {
        Withheld::Missing | Withheld::Changed | Withheld::Doubtful => WayOut::Accept,
        Withheld::Returned => WayOut::Returned,
        Withheld::Copy => WayOut::Copy,
        Withheld::Waiting => WayOut::Wait,
    }
}

fn reason(why: Withheld, count: u64) -> &'static str {
    let [one, several] = match why {
        Withheld::Missing => [
            "the file is nowhere to be found",
            "the files are nowhere to be found",
        ],
        Withheld::Changed => [
            "the file is not as long as what was stored",
            "the files are not as long as what was stored",
        ],
        Withheld::Doubtful => [
            "its end was doubtful, or `verify` has found its file changed",
            "their ends were doubtful, or `verify` has found their files changed",
        ],
        Withheld::Returned => [
            "it came back, or may have (it was gone or to be deleted before, or it has another unique-id now), \
             and no file of it is here, so that it may be the last copy",
            "they came back, or may have (they were gone or to be deleted before, or they have other unique-ids \
             now), and no files of them are here, so that they may be the last copies",
        ],
        Withheld::Copy => [
            "it was not handed on, as it looks like a copy of what was, and no file of it is here, so that it may be \
             the last one, as where it went into the very same mailbox",
            "they were not handed on, as they look like copies of what was, and no files of them are here, so that they \
             may be the last ones, as where it went into the very same mailbox",
        ],
        Withheld::Waiting => ["it waits to be handed on", "they wait to be handed on"],
    };
    if count == 1 { one } else { several }
}
