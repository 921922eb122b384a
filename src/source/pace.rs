//! How fast the server is expected to be at least.

use super::Phase;
use crate::net;
use std::time::{Duration, Instant};

/// A step of the session that is answered by a single line may take so long altogether, or as long
/// as the server may be silent, however lively it drips.
const STEP_TIMEOUT: Duration = Duration::from_secs(120);

/// Fewer octets than this in [`super::Options::timeout`] are no progress (fact F6): with the
/// default of 60 seconds even a line of 300 bit/s is fast enough.
const PROGRESS: u64 = 1024;

/// Octets a second that must come in the long run. A modem of 2400 bit/s carries more, and a line
/// that carries less brings no day's mail in a day; a server that keeps below it holds the account.
const LEAST_RATE: u64 = 200;

/// Over so long that rate is measured: a line may stand still for minutes, in a tunnel say.
const RATE_OVER: Duration = Duration::from_secs(5 * 60);

/// What an answer counts for, whatever its length: ten seconds of thinking about each message are
/// no slowness of the line.
const ANSWER: u64 = 10 * LEAST_RATE;

/// How fast the server is in a single step, and in the long run.
pub(super) struct Pace {
    /// When the step at hand began.
    step: Instant,
    /// Since when `octets` are counted.
    since: Instant,
    octets: u64,
    /// When the last of them came.
    last: Instant,
    /// The step consists of more than a line.
    pub(super) flowing: bool,
    /// Since when nobody waits for the server.
    left: Instant,
    flow: Flow,
}

/// What has come of bodies and listings, and how long it was waited for; over many steps.
#[derive(Clone, Copy, Default)]
struct Flow {
    waited: Duration,
    octets: u64,
}

impl Pace {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            step: now,
            since: now,
            octets: 0,
            last: now,
            flowing: false,
            left: now,
            flow: Flow::default(),
        }
    }

    /// A step is over, and the next begins. `answered`: the server has had something to think about.
    pub(super) fn begin_step(&mut self, answered: bool) {
        let mut flow = self.flow;
        if answered {
            flow.octets += ANSWER;
        }
        *self = Self {
            flow,
            ..Self::new()
        };
    }

    /// The server is waited for again. What has passed meanwhile was not its time: the disk may be
    /// slow, and what it has sent lie here since long.
    pub(super) fn resume(&mut self) {
        let away = self.left.elapsed();
        for begun in [&mut self.step, &mut self.since, &mut self.last] {
            *begun += away;
        }
    }

    pub(super) fn received(&mut self, octets: usize) {
        self.octets += octets as u64;
        self.flow.octets += octets as u64;
        self.last = Instant::now();
        self.left = self.last;
    }

    /// So many of the octets were not what is waited for: a server that says for ever that it is still
    /// there gets no further.
    pub(super) fn pass_over(&mut self, octets: usize) {
        let octets = octets as u64;
        self.octets = self.octets.saturating_sub(octets);
        self.flow.octets = self.flow.octets.saturating_sub(octets);
    }

    /// It was waited for octets. `serving`: a message has begun to arrive, so that the mailbox has
    /// been read.
    pub(super) fn waited(&mut self, time: Duration, phase: Phase, serving: bool) {
        let among_messages = serving && matches!(phase, Phase::Message(_) | Phase::Header(_));
        if self.flowing || among_messages {
            self.flow.waited += time;
        }
    }

    /// Fails where so little has come in minutes that the server holds the account rather than
    /// serves it. One that may be silent for long by the account's `timeout` is given twice that.
    pub(super) fn check_rate(&mut self, timeout: Duration) -> Result<(), net::Error> {
        let over = rate_over().unwrap_or(RATE_OVER.max(timeout.saturating_mul(2)));
        let Flow { waited, octets } = self.flow;
        if waited < over {
            return Ok(());
        }
        self.flow = Flow::default();
        match octets < LEAST_RATE.saturating_mul(waited.as_secs()) {
            true => Err(net::Error::Dripping(waited.as_secs())),
            false => Ok(()),
        }
    }

    /// Until when to wait for the next octets; an error if it has been too long already.
    pub(super) fn deadline(&mut self, timeout: Duration) -> Result<Instant, net::Error> {
        let now = Instant::now();
        let step = STEP_TIMEOUT.max(timeout);
        if !self.flowing && now >= self.step + step {
            return Err(net::Error::TimedOut(step.as_secs()));
        }
        if now >= self.since + timeout {
            if now >= self.last + timeout {
                return Err(net::Error::TimedOut(timeout.as_secs()));
            }
            if self.octets < PROGRESS {
                return Err(net::Error::TooSlow(timeout.as_secs()));
            }
            (self.since, self.octets) = (self.last, 0);
        }
        let deadline = self.since + timeout;
        Ok(match self.flowing {
            true => deadline,
            false => deadline.min(self.step + step),
        })
    }
}

/// Tests do not wait for minutes; programs that are built for use do.
fn rate_over() -> Option<Duration> {
    #[cfg(debug_assertions)]
    return net::stage::rate_over();
    #[cfg(not(debug_assertions))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maildrop::MessageNumber;

    const TIMEOUT: Duration = Duration::from_secs(60);

    /// Minutes until a server is given up that sends each message after so many seconds of silence,
    /// and so many octets of it after so many more; none if it is not within an hour.
    fn given_up(silent: u64, octets: usize, seconds: u64) -> Option<u64> {
        let mut pace = Pace::new();
        let phase = Phase::Message(MessageNumber::new(1).unwrap());
        let mut waited = 0;
        while waited < 60 * 60 {
            for (time, received) in [(silent, 5), (seconds, octets)] {
                if pace.check_rate(TIMEOUT).is_err() {
                    return Some(waited / 60);
                }
                pace.waited(Duration::from_secs(time), phase, true);
                pace.received(received);
                pace.begin_step(received == 5);
                waited += time;
            }
        }
        None
    }

    #[test]
    fn b5_a_server_is_given_up_that_lets_each_of_many_small_messages_wait() {
        assert_eq!(given_up(0, 1100, 59), Some(5));
        assert_eq!(given_up(30, 500, 0), Some(5));
        assert_eq!(given_up(3, 500, 57), Some(5));
    }

    #[test]
    fn b5_one_that_thinks_about_each_message_or_has_a_slow_line_is_not() {
        assert_eq!(given_up(8, 500, 0), None);
        assert_eq!(given_up(0, 300 * 20, 20), None);
        assert_eq!(given_up(1, 10_000, 30), None);
    }

    #[test]
    fn b5_who_is_asked_to_be_patient_is_patient_for_longer() {
        let mut pace = Pace::new();
        pace.flowing = true;
        let long = Duration::from_secs(20 * 60);
        pace.waited(Duration::from_secs(19 * 60), Phase::Listing, true);
        assert!(pace.check_rate(long).is_ok());
        assert!(pace.check_rate(TIMEOUT).is_err());
    }

    #[test]
    fn what_is_said_beside_what_is_waited_for_is_no_progress() {
        let mut pace = Pace::new();
        pace.flowing = true;
        for _ in 0..10 {
            pace.received(500);
            pace.pass_over(480);
        }
        pace.since -= Duration::from_secs(61);
        let slow = pace.deadline(TIMEOUT);
        assert!(matches!(slow, Err(net::Error::TooSlow(60))), "{slow:?}");
        pace.waited(Duration::from_secs(300), Phase::Listing, true);
        assert!(pace.check_rate(TIMEOUT).is_err());
    }

    #[test]
    fn b9_a_timeout_above_the_cap_of_a_step_holds_there() {
        let mut pace = Pace::new();
        let now = Instant::now();
        let (long, short) = (Duration::from_secs(300), Duration::from_secs(60));
        let left = |pace: &mut Pace, timeout| pace.deadline(timeout).unwrap() - now;
        assert!(left(&mut pace, long) > Duration::from_secs(290));
        assert!(left(&mut pace, short) < Duration::from_secs(65));
        pace.step -= Duration::from_secs(200);
        pace.since -= Duration::from_secs(200);
        pace.last -= Duration::from_secs(200);
        assert!(left(&mut pace, long) > Duration::from_secs(90));
        assert!(pace.deadline(short).is_err());
    }
}
