//! To which time ages are counted. A clock that is wrong by months would have rules delete mail that has
//! just come, and two runs by the same wrong clock agree with each other; so the mail itself has to
//! bear the clock out: no message is older than the time between it and the newest one, and that is
//! what counts where the clock says more.

use super::doubts::HEADER_LIMIT;
use super::header_trouble::Trust;
use super::{Account, Error};
use crate::maildrop::Maildrop;
use crate::message::Header;
use crate::report::Event;
use crate::source::Source;

/// By so many seconds clocks differ that are right.
const SKEW: i64 = 24 * 60 * 60;

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

impl Account<'_> {
    /// The time that ages are counted to: that of this machine's clock, or the time at which the newest
    /// message came, where that is earlier. Servers number messages as they come, from either end.
    ///
    /// # Errors
    /// Those of the connection, which is of no more use then.
    pub(super) fn time_of_mail(
        &self,
        session: &mut Source,
        maildrop: &Maildrop,
        trust: Trust<'_>,
    ) -> Result<Result<i64, Ageless>, Error> {
        if trust.doubts_ages {
            return Ok(Err(Ageless::Clock));
        }
        let ends = [Some(0), maildrop.len().checked_sub(1)];
        let ends = ends.into_iter().flatten();
        let mut ends: Vec<_> = ends.filter_map(|place| maildrop.message(place)).collect();
        ends.retain(|message| trust.asks_for(message));
        ends.dedup_by_key(|message| message.number);
        let mut newest = None;
        let numbers = ends.iter().map(|message| message.number);
        session.headers(numbers, HEADER_LIMIT, |_, octets| {
            let octets = octets.unwrap_or_default();
            let time = Header::read(&octets).and_then(|header| header.received());
            newest = newest.max(time);
        })?;
        let now = self.environment.moment.now;
        Ok(match newest {
            None => Err(Ageless::Undated),
            Some(newest) if newest > now.saturating_add(SKEW) => Err(Ageless::Behind),
            Some(newest) => Ok(newest.min(now)),
        })
    }

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
