//! To which time ages are counted. A clock that is wrong by months would have rules delete mail that has
//! just come, and two runs by the same wrong clock agree with each other; so the mail itself has to
//! bear the clock out: no message is older than the time between it and the newest one, and that is
//! what counts where the clock says more.
//!
//! Servers number messages as they come, from either end: the first and the last one say when mail came
//! last. What they have said is remembered, as all that headers tell the rules.

use super::Account;
use super::gists::Memory;
use super::header_trouble::Trust;
use crate::maildrop::{Maildrop, Message, MessageNumber};
use crate::message::Header;
use crate::report::Event;
use crate::rules::{Arrival, Gist, Rules, SKEW};

/// Why no age is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ageless {
    /// The first run, or a clock that has leapt.
    Clock,
    /// No message says when the server has received it.
    Undated,
    /// The server has received mail later than the clock says it is.
    Behind,
}

/// What is known of the time that ages are counted to: that of this machine's clock, or the time at which
/// the newest message came, where that is earlier.
pub(super) enum Ages {
    /// No rule asks for any.
    Unwanted,
    /// The clock is in doubt.
    Doubted,
    /// As these messages say.
    ByMail {
        /// The first and the last one of each folder.
        ends: Vec<End>,
        /// What the clock says, in seconds since 1970.
        clock: i64,
    },
}

/// The first or the last message.
pub(super) struct End {
    message: Message,
    /// What of its header is to be remembered.
    gist: Option<Gist>,
    /// When the server received it; [`Arrival::Unnoted`] until its header has come.
    arrival: Arrival,
}

impl Ages {
    /// As far as that is remembered.
    pub(super) fn remembered(
        rules: &Rules,
        memory: &mut impl Memory,
        maildrop: &Maildrop,
        trust: Trust<'_>,
        clock: i64,
    ) -> Self {
        if !rules.ask_ages() {
            return Self::Unwanted;
        }
        let ends = maildrop.ends().filter_map(|place| maildrop.message(place));
        let mut ends: Vec<_> = ends.collect();
        ends.retain(|message| trust.asks_for(message));
        ends.dedup_by_key(|message| message.number);
        // Also where the clock is in doubt: what nobody looks for is forgotten.
        let ends = ends.into_iter().map(|message| {
            let gist = memory.gist(&message, rules.fingerprint());
            let arrival = gist.map(|gist| gist.arrival()).unwrap_or_default();
            End {
                message,
                gist,
                arrival,
            }
        });
        let ends = ends.collect();
        match trust.doubts_ages {
            true => Self::Doubted,
            false => Self::ByMail { ends, clock },
        }
    }

    fn ends(&self) -> &[End] {
        match self {
            Self::Unwanted | Self::Doubted => &[],
            Self::ByMail { ends, .. } => ends,
        }
    }

    /// The messages whose headers have to say it.
    pub(super) fn asked(&self) -> impl Iterator<Item = MessageNumber> {
        let missing = |end: &&End| end.arrival == Arrival::Unnoted;
        self.ends()
            .iter()
            .filter(missing)
            .map(|end| end.message.number)
    }

    /// Whether nobody has to be asked any more.
    pub(super) fn are_settled(&self) -> bool {
        self.asked().next().is_none()
    }

    /// A header has come; it is empty where it was refused.
    pub(super) fn hear(&mut self, number: MessageNumber, octets: &[u8], rules: &Rules) {
        let Self::ByMail { ends, .. } = self else {
            return;
        };
        for end in ends.iter_mut().filter(|it| it.message.number == number) {
            let received = Header::read(octets).and_then(|header| header.received());
            end.arrival = received.map_or(Arrival::Unsaid, Arrival::At);
            // A header in doubt may be cut.
            let is_plain = rules.read(octets).is_some();
            end.gist = is_plain.then(|| Gist::of_arrival(rules.fingerprint(), end.arrival));
        }
    }

    /// The header of this message is in doubt.
    pub(super) fn doubt(&mut self, number: MessageNumber) {
        if let Self::ByMail { ends, .. } = self {
            let of_it = ends.iter_mut().filter(|it| it.message.number == number);
            of_it.for_each(|end| end.gist = None);
        }
    }

    /// The time, or why there is none; `None` where that was not asked for.
    pub(super) fn time(&self) -> Option<Result<i64, Ageless>> {
        let (ends, now) = match self {
            Self::Unwanted => return None,
            Self::Doubted => return Some(Err(Ageless::Clock)),
            Self::ByMail { .. } if !self.are_settled() => return None,
            Self::ByMail { ends, clock } => (ends, *clock),
        };
        let arrivals = ends.iter().map(|end| match end.arrival {
            Arrival::At(time) => Some(time),
            Arrival::Unnoted | Arrival::Unsaid => None,
        });
        Some(match arrivals.max().flatten() {
            None => Err(Ageless::Undated),
            Some(newest) if newest > now.saturating_add(SKEW) => Err(Ageless::Behind),
            Some(newest) => Ok(newest.min(now)),
        })
    }

    /// Notes what the first and the last message have said, where it is not noted: what a header has told is
    /// of no more use once its message is stored, but for this.
    pub(super) fn note(&self, memory: &mut impl Memory) {
        for end in self.ends() {
            // Nothing else: what rules asked is remembered of what was not fetched alone.
            let gist = end
                .gist
                .map(|gist| Gist::of_arrival(gist.fingerprint(), gist.arrival()));
            if let Some(gist) = gist
                && memory.gist(&end.message, gist.fingerprint()).is_none()
            {
                memory.note_gist(&end.message, gist);
            }
        }
    }
}

impl Account<'_> {
    /// Says why rules about ages decide nothing.
    pub(super) fn tell_ageless(&self, reason: Ageless) {
        let reason = match reason {
            Ageless::Clock => {
                "it is the first run of the account, or the clock has leapt since the last one, and \
                 nothing shows yet that it is right"
            }
            Ageless::Undated => {
                "neither the first nor the last message says when the server has received it"
            }
            Ageless::Behind => {
                "the server has received mail later than it is by this machine's clock"
            }
        };
        self.tell(Event::Notice(&format!(
            "rules about ages decide nothing now: {reason}"
        )));
    }
}
