//! Rules about messages that have not been fetched: applied to the plan before the download, with the
//! headers that they need asked for in one flight; and to what was downloaded, for its folder.

use super::ages::{Ageless, Ages};
use super::doubts::HEADER_LIMIT;
use super::filter::FilterRun;
use super::gists::Memory;
use super::header_trouble::Trust;
use super::{Account, Error};
use crate::delivery::Complete;
use crate::maildrop::{Maildrop, Message, MessageNumber};
use crate::plan::{self, Plan};
use crate::report::Event;
use crate::rules::{Gist, Hit, Knowledge, Listed, Rules, Ruling};
use crate::source::Source;
use crate::state::{Lasting, Recorded, Store};
use crate::term::count;
use sha2::{Digest, Sha256};
use std::cmp::Reverse;
use std::collections::HashMap;

/// Headers that are asked for before what they have told is noted: where a session breaks over them
/// again and again, each goes so much further.
const FLIGHT: usize = 1000;

/// What a header has told once.
struct Heard {
    open: Open,
    gist: Gist,
    hash: [u8; 32],
}

/// What rules have come to, beside what the plan says.
pub(super) struct Rulings<'a> {
    /// To be deleted unread.
    pub(super) hits: Vec<(Message, Hit<'a>)>,
    /// Messages whose headers could not be had, or are in doubt.
    unknown: u64,
    /// What ages are counted to, where rules ask for ages.
    pub(super) ages: Ages,
}

/// A message that rules may decide about.
struct Open {
    place: usize,
    is_fetched_otherwise: bool,
    message: Message,
}

fn open_to_rules(plan: &Plan, maildrop: &Maildrop) -> Vec<Open> {
    let open = plan.open_to_rules();
    let open = open.filter_map(|(place, is_fetched_otherwise)| {
        Some(Open {
            place,
            is_fetched_otherwise,
            message: maildrop.message(place)?,
        })
    });
    open.collect()
}

/// What is remembered of a header by which rules can judge.
fn remembered(memory: &mut impl Memory, message: &Message, rules: &Rules) -> Option<Gist> {
    let gist = memory.gist(message, rules.fingerprint());
    gist.filter(|gist| !gist.is_of_arrival())
}

/// Rules at work on what a session lists.
struct Inquiry<'a, 'p, M> {
    rules: &'p Rules,
    memory: &'a mut M,
    filter: Option<&'a mut FilterRun>,
    plan: &'a mut Plan,
    trust: Trust<'a>,
    /// Messages whose headers are asked for.
    asked: HashMap<MessageNumber, Open>,
    ruled: Rulings<'p>,
}

impl<'p, M: Memory> Inquiry<'_, 'p, M> {
    fn listed(&self, open: &Open) -> Listed {
        Listed {
            octets: open.message.octets,
            now: self.ruled.ages.time().and_then(Result::ok),
            is_fetched_otherwise: open.is_fetched_otherwise,
        }
    }

    fn gist(&mut self, open: &Open) -> Option<Gist> {
        remembered(self.memory, &open.message, self.rules)
    }

    /// Judges by what is known. Gives the messages whose headers have to be asked for.
    fn judge(&mut self, all: Vec<Open>) -> Vec<MessageNumber> {
        let mut numbers = Vec::new();
        for open in all {
            let gist = self.gist(&open);
            let header = gist
                .as_ref()
                .map_or(Knowledge::Unasked, Knowledge::Remembered);
            let ruling = self.rules.judge(self.listed(&open), header);
            self.plan.apply(open.place, ruling);
            match ruling {
                Ruling::NeedsHeader if self.trust.asks_for(&open.message) => {
                    numbers.push(open.message.number);
                    self.asked.insert(open.message.number, open);
                }
                Ruling::NeedsHeader => self.do_without(&open),
                Ruling::Delete(hit) => self.ruled.hits.push((open.message, hit)),
                _ => {}
            }
        }
        numbers
    }

    /// Judges a message whose header is not to be had.
    fn do_without(&mut self, open: &Open) {
        self.ruled.unknown += 1;
        let ruling = self.rules.judge(self.listed(open), Knowledge::Unknown);
        self.plan.apply(open.place, ruling);
    }

    /// Judges a message by its header. Gives it back where it would be left or deleted on the word of that.
    fn hear(&mut self, number: MessageNumber, octets: &[u8]) -> Option<Heard> {
        let open = self.asked.remove(&number)?;
        let Some(mut gist) = self.rules.read(octets) else {
            self.do_without(&open);
            return None;
        };
        let listed = self.listed(&open);
        let mut ruling = self.rules.judge(listed, Knowledge::Read(&gist));
        if let (Ruling::AskFilter, Some(filter)) = (ruling, self.filter.as_deref_mut()) {
            gist = gist.with_verdict(filter.ask(octets, open.is_fetched_otherwise));
            ruling = self.rules.judge(listed, Knowledge::Read(&gist));
        }
        if ruling.leaves() {
            let hash = Sha256::digest(octets).into();
            return Some(Heard { open, gist, hash });
        }
        self.memory.note_gist(&open.message, gist);
        self.plan.apply(open.place, ruling);
        None
    }

    /// Judges a message whose header has come twice.
    fn hear_again(&mut self, is_same: bool, Heard { open, gist, .. }: Heard) {
        if !is_same {
            self.ruled.ages.doubt(open.message.number);
            return self.do_without(&open);
        }
        let ruling = self.rules.judge(self.listed(&open), Knowledge::Read(&gist));
        self.plan.apply(open.place, ruling);
        self.memory.note_gist(&open.message, gist);
        if let Ruling::Delete(hit) = ruling {
            self.ruled.hits.push((open.message, hit));
        }
    }
}

impl<'p> Account<'p> {
    /// Changes the plan as the rules say. Asks for headers only where they could change what is done,
    /// and only for those that are not remembered.
    ///
    /// # Errors
    /// Also where a message is to be deleted by its header, and the server is out of step: the header
    /// may be another message's.
    pub(super) fn apply_rules(
        &self,
        session: &mut Source,
        (memory, filter): (&mut impl Memory, Option<&mut FilterRun>),
        maildrop: &Maildrop,
        plan: &mut Plan,
        trust: Trust<'_>,
    ) -> Result<Rulings<'p>, Error> {
        let rules: &'p Rules = &self.profile.rules;
        let clock = self.environment.moment.now;
        let open = match rules.are_none() {
            true => Vec::new(),
            false => open_to_rules(plan, maildrop),
        };
        let ages = Ages::remembered(rules, memory, maildrop, trust, clock);
        let mut inquiry = Inquiry {
            rules,
            memory,
            filter,
            plan,
            trust,
            asked: HashMap::new(),
            ruled: Rulings {
                hits: Vec::new(),
                unknown: 0,
                ages,
            },
        };
        // What is remembered is judged by the time. Where that is not known yet it comes in one flight with the
        // headers that are asked for in any case.
        let (mut first, mut behind) = (open, Vec::new());
        if !inquiry.ruled.ages.are_settled() {
            (behind, first) = first
                .into_iter()
                .partition(|open| inquiry.gist(open).is_some());
        }
        let mut numbers = inquiry.judge(first);
        if !numbers.is_empty() || !behind.is_empty() {
            let ends: Vec<MessageNumber> = inquiry.ruled.ages.asked().collect();
            numbers.retain(|number| !ends.contains(number));
            numbers.splice(..0, ends);
        }
        self.ask(session, &mut inquiry, &numbers)?;
        let numbers = inquiry.judge(behind);
        self.ask(session, &mut inquiry, &numbers)?;
        Ok(inquiry.ruled)
    }

    /// Asks for headers and judges by them, as soon as the time is known that ages are counted to.
    fn ask<M: Memory>(
        &self,
        session: &mut Source,
        inquiry: &mut Inquiry<'_, 'p, M>,
        numbers: &[MessageNumber],
    ) -> Result<(), Error> {
        for numbers in numbers.chunks(FLIGHT) {
            let mut doubtful: HashMap<MessageNumber, Heard> = HashMap::new();
            // The first and the last message come first.
            let mut held = Vec::new();
            session.headers(numbers.iter().copied(), HEADER_LIMIT, |number, header| {
                let octets = header.unwrap_or_default();
                inquiry.ruled.ages.hear(number, &octets, inquiry.rules);
                held.push((number, octets));
                if inquiry.ruled.ages.are_settled() {
                    for (number, octets) in held.drain(..) {
                        let heard = inquiry.hear(number, &octets);
                        doubtful.extend(heard.map(|heard| (number, heard)));
                    }
                }
            })?;
            for (is_same, heard) in self.hear_again(session, doubtful)? {
                inquiry.hear_again(is_same, heard);
            }
        }
        Ok(())
    }

    /// Leaves in the plan what these rules would leave by what is known already: its listed size, and what an
    /// earlier fetch was told by its header. For whoever asks for no header.
    pub(super) fn apply_remembered(
        &self,
        memory: &mut impl Memory,
        maildrop: &Maildrop,
        plan: &mut Plan,
        doubts_ages: bool,
    ) {
        let rules = &self.profile.rules;
        if rules.are_none() {
            return;
        }
        let trust = Trust {
            doubts_ages,
            asks_headers: true,
            without: None,
        };
        let clock = self.environment.moment.now;
        let ages = Ages::remembered(rules, memory, maildrop, trust, clock);
        // Where a message is new that would say it, the time is not known before its header has come.
        let now = ages.time().and_then(Result::ok);
        let open: Vec<(usize, bool)> = plan.open_to_rules().collect();
        for (place, is_fetched_otherwise) in open {
            let Some(message) = maildrop.message(place) else {
                continue;
            };
            let gist = remembered(memory, &message, rules);
            let header = gist
                .as_ref()
                .map_or(Knowledge::Unasked, Knowledge::Remembered);
            let listed = Listed {
                octets: message.octets,
                now,
                is_fetched_otherwise,
            };
            let ruling = rules.judge(listed, header);
            if ruling.leaves() {
                plan.apply(place, ruling);
            }
        }
    }

    /// Asks once more for headers that would have messages left or deleted, and tells which are the same. A
    /// header has no size that could tell whether it is whole, or whose it is: where answers are exchanged, or
    /// one comes twice and another not at all, the second time each has other neighbours, or none.
    fn hear_again(
        &self,
        session: &mut Source,
        mut doubtful: HashMap<MessageNumber, Heard>,
    ) -> Result<Vec<(bool, Heard)>, Error> {
        if doubtful.is_empty() {
            return Ok(Vec::new());
        }
        let heard = doubtful.iter().map(|(number, heard)| (*number, heard.hash));
        let flights = flights_to_hear_again(heard.collect());
        let mut heard_again = Vec::with_capacity(doubtful.len());
        for flight in flights {
            session.headers(flight, HEADER_LIMIT, |number, header| {
                let hash: [u8; 32] = Sha256::digest(header.unwrap_or_default()).into();
                if let Some(heard) = doubtful.remove(&number) {
                    heard_again.push((hash == heard.hash, heard));
                }
            })?;
        }
        if !session.is_in_step()? {
            return Err(Error::NotInStep);
        }
        Ok(heard_again)
    }

    /// A way to ask the program that decides where no rule does, if there is one.
    pub(super) fn filter(&self) -> Result<Option<FilterRun>, Error> {
        let filter = self.profile.rules.filter();
        let stop = &self.environment.stop;
        filter
            .map(|filter| FilterRun::start(filter, stop))
            .transpose()
    }

    /// Says that rules could not do all that they should: once, and then daily.
    pub(super) fn tell_unruled(
        &self,
        store: &mut Store,
        ruled: &Rulings<'_>,
        filter: Option<&mut FilterRun>,
    ) {
        if let Some(text) = filter.and_then(|filter| filter.take_unheard().told()) {
            self.tell(Event::Warning(&text));
        }
        match ruled.ages.time() {
            Some(Err(Ageless::Clock)) => self.tell_ageless(Ageless::Clock),
            // This may last.
            Some(Err(reason)) if store.may_tell(Lasting::Ageless) => self.tell_ageless(reason),
            _ => {}
        }
        if ruled.unknown > 0 && store.may_tell(Lasting::Unruled) {
            let messages = count(ruled.unknown, "message");
            self.tell(Event::Warning(&format!(
                "the server does not give the {} of {messages} apart from {} (TOP), or none that can be \
                 relied on: rules about headers leave nothing there and delete nothing there without \
                 {}; what they would have left or deleted is fetched",
                if ruled.unknown == 1 { "header" } else { "headers" },
                if ruled.unknown == 1 { "it" } else { "them" },
                if ruled.unknown == 1 { "it" } else { "them" },
            )));
        }
    }

    /// The proofs for what rules have deleted, once that is recorded; and how many the server does not
    /// delete.
    pub(super) fn rule_out(
        &self,
        store: &mut Store,
        ruled: Rulings<'_>,
    ) -> Result<(Vec<Recorded>, usize), Error> {
        if ruled.hits.is_empty() {
            return Ok((Vec::new(), 0));
        }
        let (ruled, given_up) = store.rule_out(ruled.hits, plan::DELETIONS)?;
        Ok((ruled.into_iter().map(Recorded::from).collect(), given_up))
    }

    /// Sends a message that was fetched to the folder that the rules say, or else where those of its folder
    /// go.
    pub(super) fn sorted(&self, complete: Complete, doubts_clock: bool) -> Complete {
        let rules = &self.profile.rules;
        let home = self.profile.home_of(complete.message().folder.as_deref());
        if !self.sorts() {
            return complete.for_folder(home);
        }
        let listed = Listed {
            octets: complete.message().octets,
            now: (!doubts_clock).then_some(self.environment.moment.now),
            is_fetched_otherwise: true,
        };
        let decisive = rules.folder_of(listed, complete.header());
        let folder = decisive.and_then(|it| it.rule.action.folder()).cloned();
        complete.for_folder(folder.or(home))
    }

    /// Whether the first octets of each message that arrives are kept.
    pub(super) fn wants_header(&self) -> bool {
        !self.profile.rules.are_none() || self.environment.report.wants_header()
    }

    /// Whether messages go to folders, so that each header is looked at once it is here.
    fn sorts(&self) -> bool {
        !self.profile.rules.folders().is_empty()
    }

    /// The reason why a message is left, with the rule where one says so.
    pub(super) fn why_skipped(&self, plan: &Plan, place: usize, reason: plan::Reason) -> String {
        let rule = plan.rule_at(place);
        match rule.and_then(|number| self.profile.rules.numbered(number)) {
            Some(decisive) if reason == plan::Reason::Rule => decisive.to_string(),
            _ => reason.to_string(),
        }
    }
}

/// In which flights headers are asked for the second time, that had these hashes the first time. What came as the
/// header of several messages may do so again, beside whichever of them, so that each of these is alone.
fn flights_to_hear_again(mut heard: Vec<(MessageNumber, [u8; 32])>) -> Vec<Vec<MessageNumber>> {
    heard.sort_unstable_by_key(|(number, _)| Reverse(*number));
    let mut times: HashMap<[u8; 32], usize> = HashMap::new();
    for (_, hash) in &heard {
        *times.entry(*hash).or_default() += 1;
    }
    let (single, alike): (Vec<_>, Vec<_>) = heard
        .into_iter()
        .partition(|(_, hash)| times.get(hash) == Some(&1));
    let mut flights = flights_of_strangers(single.into_iter().map(|(number, _)| number).collect());
    flights.extend(alike.into_iter().map(|(number, _)| vec![number]));
    flights
}

/// The same numbers in flights in which none stands beside one that it stood beside: of three no order is such a
/// one, so that each is alone then.
fn flights_of_strangers(numbers: Vec<MessageNumber>) -> Vec<Vec<MessageNumber>> {
    if numbers.len() < 4 {
        return numbers.into_iter().map(|number| vec![number]).collect();
    }
    let every_other = |from| numbers.iter().copied().skip(from).step_by(2);
    vec![every_other(1).chain(every_other(0)).collect()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_came_for_several_messages_are_each_asked_for_alone_the_second_time() {
        let number = |n| MessageNumber::new(n).unwrap();
        let heard = |alike: &[u32]| {
            let hash = |n: u32| if alike.contains(&n) { 0 } else { n as u8 };
            let all = (1..=9).map(|n| (number(n), [hash(n); 32]));
            flights_to_hear_again(all.collect())
        };
        for (alike, others) in [
            (&[3, 4, 8][..], 6),
            (&[1, 2, 3, 4, 5, 6, 7, 8, 9], 0),
            (&[], 9),
        ] {
            let (alone, together): (Vec<_>, Vec<_>) = heard(alike)
                .into_iter()
                .partition(|flight| flight.len() == 1);
            let mut alone: Vec<u32> = alone.concat().iter().map(|it| it.value()).collect();
            alone.sort_unstable();
            assert_eq!(alone, alike);
            assert_eq!(together.concat().len(), others);
        }
    }

    #[test]
    fn headers_that_are_asked_for_again_have_no_neighbour_twice() {
        for count in 1..20 {
            let number = |n| MessageNumber::new(n).unwrap();
            let flights = flights_of_strangers((1..=count).map(number).collect());
            let neighbours = flights.iter().flat_map(|it| it.windows(2));
            for pair in neighbours {
                assert_ne!(pair[0].value().abs_diff(pair[1].value()), 1, "{flights:?}");
            }
            let mut all: Vec<_> = flights.concat();
            all.sort_unstable();
            assert_eq!(all.len(), count as usize);
        }
    }
}
