//! Rules about messages that have not been fetched: applied to the plan before the download, with the
//! headers that they need asked for in one flight; and to what was downloaded, for its folder.

use super::ages::Ageless;
use super::doubts::HEADER_LIMIT;
use super::filter::FilterRun;
use super::header_trouble::Trust;
use super::{Account, Error};
use crate::delivery::Complete;
use crate::maildrop::{Maildrop, Message, MessageNumber};
use crate::plan::{self, Plan};
use crate::report::Event;
use crate::rules::{Fingerprint, Gist, Hit, Knowledge, Listed, Rules, Ruling};
use crate::source::Source;
use crate::state::{Recorded, Store, View};
use crate::term::count;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Where it is remembered what headers have told.
pub(super) trait Memory {
    fn gist(&mut self, message: &Message, asked: Fingerprint) -> Option<Gist>;
    fn note_gist(&mut self, message: &Message, gist: Gist);
}

impl Memory for Store {
    fn gist(&mut self, message: &Message, asked: Fingerprint) -> Option<Gist> {
        Store::gist(self, message, asked)
    }

    fn note_gist(&mut self, message: &Message, gist: Gist) {
        Store::note_gist(self, message, gist);
    }
}

/// For whoever only looks.
impl Memory for View {
    fn gist(&mut self, message: &Message, asked: Fingerprint) -> Option<Gist> {
        View::gist(self, message, asked)
    }

    fn note_gist(&mut self, _: &Message, _: Gist) {}
}

/// Headers that are asked for before what they have told is noted: where a session breaks over them
/// again and again, each goes so much further.
const FLIGHT: usize = 1000;

/// What a header has told once.
struct Heard {
    place: usize,
    listed: Listed,
    message: Message,
    gist: Gist,
    hash: [u8; 32],
}

/// What rules have come to, beside what the plan says.
#[derive(Default)]
pub(super) struct Rulings<'a> {
    /// To be deleted unread.
    pub(super) hits: Vec<(Message, Hit<'a>)>,
    /// Messages whose headers could not be had, or are in doubt.
    unknown: u64,
    /// Why no age is known, where rules ask for ages.
    pub(super) ageless: Option<Ageless>,
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
        (memory, mut filter): (&mut impl Memory, Option<&mut FilterRun>),
        maildrop: &Maildrop,
        plan: &mut Plan,
        trust: Trust<'_>,
    ) -> Result<Rulings<'p>, Error> {
        let rules: &'p Rules = &self.profile.rules;
        let mut ruled = Rulings::default();
        if rules.are_none() {
            return Ok(ruled);
        }
        let open: Vec<(usize, bool)> = plan.open_to_rules().collect();
        let mut now = None;
        if rules.ask_ages() && !open.is_empty() {
            match self.time_of_mail(session, maildrop, trust)? {
                Ok(time) => now = Some(time),
                Err(reason) => ruled.ageless = Some(reason),
            }
        }
        let listed = |message: &Message, is_fetched_otherwise| Listed {
            octets: message.octets,
            now,
            is_fetched_otherwise,
        };
        let (mut numbers, mut asked) = (Vec::new(), HashMap::new());
        for (place, otherwise) in open {
            let Some(message) = maildrop.message(place) else {
                continue;
            };
            let gist = memory.gist(&message, rules.fingerprint());
            let header = gist
                .as_ref()
                .map_or(Knowledge::Unasked, Knowledge::Remembered);
            let ruling = rules.judge(listed(&message, otherwise), header);
            plan.apply(place, ruling);
            match ruling {
                Ruling::NeedsHeader if trust.asks_for(&message) => {
                    numbers.push(message.number);
                    asked.insert(message.number, (place, otherwise, message));
                }
                Ruling::NeedsHeader => {
                    ruled.unknown += 1;
                    let listed = listed(&message, otherwise);
                    plan.apply(place, rules.judge(listed, Knowledge::Unknown));
                }
                Ruling::Delete(hit) => ruled.hits.push((message, hit)),
                _ => {}
            }
        }
        for numbers in numbers.chunks(FLIGHT) {
            // What would be left or deleted on the word of its header.
            let mut doubtful: HashMap<MessageNumber, Heard> = HashMap::new();
            session.headers(numbers.iter().copied(), HEADER_LIMIT, |number, header| {
                let Some((place, otherwise, message)) = asked.remove(&number) else {
                    return;
                };
                let octets = header.unwrap_or_default();
                let listed = listed(&message, otherwise);
                let Some(mut gist) = rules.read(&octets) else {
                    ruled.unknown += 1;
                    return plan.apply(place, rules.judge(listed, Knowledge::Unknown));
                };
                let mut ruling = rules.judge(listed, Knowledge::Read(&gist));
                if let (Ruling::AskFilter, Some(filter)) = (ruling, filter.as_deref_mut()) {
                    gist = gist.with_verdict(filter.ask(&octets));
                    ruling = rules.judge(listed, Knowledge::Read(&gist));
                }
                if !ruling.leaves() {
                    memory.note_gist(&message, gist);
                    return plan.apply(place, ruling);
                }
                let hash = Sha256::digest(&octets).into();
                let heard = Heard {
                    place,
                    listed,
                    message,
                    gist,
                    hash,
                };
                doubtful.insert(number, heard);
            })?;
            for (is_same, heard) in self.hear_again(session, doubtful)? {
                let header = match is_same {
                    true => Knowledge::Read(&heard.gist),
                    false => Knowledge::Unknown,
                };
                let ruling = rules.judge(heard.listed, header);
                plan.apply(heard.place, ruling);
                match is_same {
                    true => memory.note_gist(&heard.message, heard.gist),
                    false => ruled.unknown += 1,
                }
                if let Ruling::Delete(hit) = ruling {
                    ruled.hits.push((heard.message, hit));
                }
            }
        }
        Ok(ruled)
    }

    /// Leaves in the plan what these rules would leave by what is known already: its listed size, and what an
    /// earlier fetch was told by its header. For whoever asks for no header.
    pub(super) fn apply_remembered(
        &self,
        memory: &mut impl Memory,
        maildrop: &Maildrop,
        plan: &mut Plan,
    ) {
        let rules = &self.profile.rules;
        if rules.are_none() {
            return;
        }
        let open: Vec<(usize, bool)> = plan.open_to_rules().collect();
        for (place, is_fetched_otherwise) in open {
            let Some(message) = maildrop.message(place) else {
                continue;
            };
            let gist = memory.gist(&message, rules.fingerprint());
            let header = gist
                .as_ref()
                .map_or(Knowledge::Unasked, Knowledge::Remembered);
            let listed = Listed {
                octets: message.octets,
                // The time is asked of the server by other messages' headers.
                now: None,
                is_fetched_otherwise,
            };
            let ruling = rules.judge(listed, header);
            if ruling.leaves() {
                plan.apply(place, ruling);
            }
        }
    }

    /// Asks once more for headers that would have messages left or deleted, and tells which are the same. A
    /// header has no size that could tell whether it is whole, or whose it is: where answers were exchanged,
    /// or one came twice and another not at all, the second time they come in another order.
    fn hear_again(
        &self,
        session: &mut Source,
        mut doubtful: HashMap<MessageNumber, Heard>,
    ) -> Result<Vec<(bool, Heard)>, Error> {
        if doubtful.is_empty() {
            return Ok(Vec::new());
        }
        let mut numbers: Vec<MessageNumber> = doubtful.keys().copied().collect();
        numbers.sort_unstable();
        numbers.reverse();
        let mut heard_again = Vec::with_capacity(numbers.len());
        session.headers(numbers, HEADER_LIMIT, |number, header| {
            let hash: [u8; 32] = Sha256::digest(header.unwrap_or_default()).into();
            if let Some(heard) = doubtful.remove(&number) {
                heard_again.push((hash == heard.hash, heard));
            }
        })?;
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
        if let Some(filter) = filter.filter(|filter| filter.unheard > 0) {
            let messages = count(std::mem::take(&mut filter.unheard), "message");
            let reason = filter.reason.take().unwrap_or_default();
            self.tell(Event::Warning(&format!(
                "the filter command has said nothing about {messages}, fetched therefore: {reason}"
            )));
        }
        if ruled.unknown > 0 && store.may_tell() {
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

    /// Sends a message that was fetched to the folder that the rules say.
    pub(super) fn sorted(&self, complete: Complete, doubts_clock: bool) -> Complete {
        let rules = &self.profile.rules;
        if !self.sorts() {
            return complete;
        }
        let listed = Listed {
            octets: complete.message().octets,
            now: (!doubts_clock).then_some(self.environment.moment.now),
            is_fetched_otherwise: true,
        };
        let decisive = rules.folder_of(listed, complete.header());
        let folder = decisive.and_then(|it| it.rule.action.folder()).cloned();
        complete.for_folder(folder)
    }

    /// Whether the first octets of each message that arrives are kept.
    pub(super) fn wants_header(&self) -> bool {
        self.sorts() || self.environment.report.wants_header()
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
