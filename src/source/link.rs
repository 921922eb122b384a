//! The channel under a session: waiting, and not too long; what is told of it, and what is kept secret.
//!
//! What the octets mean is for each protocol's own wire, which stands on this.

use super::given::Given;
use super::pace::Pace;
use super::secrets::Secrets;
use super::{Error, Options, Phase, UnderWay};
use crate::net::{self, Channel, Moved};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is sent behind a sign-in is told apart from what was lost there after so long: no mailbox is
/// needed to answer what a server can.
const AHEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Which way a line of the transcript went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// From us to the server.
    Sent,
    /// From the server to us.
    Received,
}

/// Gets the lines that go over the wire, without secrets; what the server sends is as it came.
pub type Transcript = Arc<dyn Fn(Direction, &[u8]) + Send + Sync>;

/// What comes next in a step, as far as time is concerned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Progress {
    /// A step is over; whether it was an answer, for which the server has had something to think about.
    Step {
        /// See above.
        answered: bool,
    },
    /// More of the same is to come; whether it was of a message.
    Flow {
        /// See above.
        of_message: bool,
    },
    /// So many octets have said nothing of what is waited for.
    Aside(usize),
}

pub(super) struct Link {
    channel: Box<dyn Channel>,
    timeout: Duration,
    /// How long instead where the server may have to read the mailbox first.
    patience: Duration,
    /// The first message has begun to arrive, or a later one.
    serving: bool,
    may_be_lost: bool,
    transcript: Option<Transcript>,
    /// What nobody gets to see, not even where a server repeats it.
    secrets: Arc<Secrets>,
    pace: Pace,
    /// Commands sent so far.
    sent: usize,
    /// The last of them that went out while another was under way.
    accompanied: usize,
    given: Given,
}

impl Link {
    /// Nothing that the server says will be told with one of `secrets` in it.
    pub(super) fn new(channel: Box<dyn Channel>, options: &Options, secrets: Secrets) -> Self {
        Self {
            channel,
            timeout: options.timeout,
            patience: options.patience,
            serving: false,
            may_be_lost: false,
            transcript: options.transcript.clone(),
            secrets: Arc::new(secrets),
            pace: Pace::new(),
            sent: 0,
            accompanied: 0,
            given: Given::default(),
        }
    }

    /// A command was put on its way; with it, so many are not completely answered.
    pub(super) fn sends(&mut self, pending: usize) {
        self.sent += 1;
        if pending > 1 {
            self.accompanied = self.sent;
        }
    }

    /// Commands sent so far.
    pub(super) fn sent(&self) -> usize {
        self.sent
    }

    /// Waits for octets, sending what there is to send, while so many commands are not answered.
    pub(super) fn wait(
        &mut self,
        phase: Phase,
        pending: usize,
        (output, input): (&[u8], &mut [u8]),
    ) -> Result<Moved, Error> {
        let timeout = self.timeout_in(phase);
        let moved = self.wait_for(phase, timeout, output, input);
        moved.map_err(|source| self.failed(phase, source, pending))
    }

    fn wait_for(
        &mut self,
        phase: Phase,
        timeout: Duration,
        output: &[u8],
        input: &mut [u8],
    ) -> Result<Moved, net::Error> {
        // Only now, as what has come may have ended a message.
        self.pace.check_rate(timeout)?;
        self.pace.resume();
        loop {
            let deadline = self.pace.deadline(timeout)?;
            let began = Instant::now();
            let exchanged = self.channel.exchange(output, input, deadline);
            self.pace.waited(began.elapsed(), phase, self.serving);
            match exchanged {
                Ok(moved) => {
                    self.given.received(moved.received);
                    self.pace.received(moved.received);
                    return Ok(moved);
                }
                // The pace decides whether that was too long; it may begin to count anew.
                Err(net::Error::TimedOut(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends octets of a message and takes in what comes meanwhile, while so many commands are not answered.
    pub(super) fn push(
        &mut self,
        phase: Phase,
        pending: usize,
        (output, input): (&[u8], &mut [u8]),
    ) -> Result<Moved, Error> {
        let deadline = Instant::now() + self.timeout;
        let moved = self.channel.push(output, input, deadline);
        let moved = moved.map_err(|source| match source {
            net::Error::TimedOut(_) => net::Error::TimedOut(self.timeout.as_secs()),
            source => source,
        });
        let moved = moved.map_err(|source| self.failed(phase, source, pending))?;
        self.given.received(moved.received);
        self.pace.begin_step(false);
        Ok(moved)
    }

    /// Octets that come until then, beside what is waited for.
    pub(super) fn exchange(
        &mut self,
        (output, input): (&[u8], &mut [u8]),
        deadline: Instant,
    ) -> Result<Moved, net::Error> {
        let moved = self.channel.exchange(output, input, deadline)?;
        self.given.received(moved.received);
        Ok(moved)
    }

    /// How long the server may be silent at this point.
    fn timeout_in(&self, phase: Phase) -> Duration {
        let begins = match phase {
            Phase::SignIn | Phase::Listing => true,
            Phase::Message(_) | Phase::Header(_) => !self.serving,
            _ => false,
        };
        match begins && !self.pace.flowing {
            _ if self.may_be_lost => self.timeout.min(AHEAD_TIMEOUT),
            true => self.patience,
            false => self.timeout,
        }
    }

    /// So far the server has got.
    pub(super) fn progresses(&mut self, progress: Progress) {
        match progress {
            Progress::Step { answered } => self.pace.begin_step(answered),
            Progress::Flow { of_message } => {
                self.pace.flowing = true;
                self.serving |= of_message;
            }
            Progress::Aside(octets) => self.pace.pass_over(octets),
        }
    }

    /// Whether what is waited for now was sent behind a sign-in, and may be lost.
    pub(super) fn expect_loss(&mut self, may_be_lost: bool) {
        self.may_be_lost = may_be_lost;
    }

    /// How long the server may be silent where it has nothing to read first.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// From here on waits at most so long for the server to say anything.
    pub(super) fn limit_timeout(&mut self, timeout: Duration) {
        self.timeout = self.timeout.min(timeout);
        self.patience = self.timeout;
    }

    /// Another channel from here on.
    #[cfg(test)]
    pub(super) fn go_over_to(&mut self, channel: Box<dyn Channel>) {
        self.channel = channel;
    }

    /// TLS from here on.
    pub(super) fn start_tls(&mut self) -> Result<(), net::Error> {
        self.channel.start_tls()?;
        self.pace = Pace::new();
        Ok(())
    }

    pub(super) fn close(&mut self) {
        self.channel.close();
    }

    /// The keying material of the TLS connection for channel binding (RFC 9266).
    pub(super) fn tls_exporter(&self) -> Option<[u8; 32]> {
        self.channel.tls_exporter()
    }

    /// What the connection is, without secrets: a certificate may say anything.
    pub(super) fn connection(&self) -> net::Facts {
        let mut facts = self.channel.facts();
        for certificate in facts.tls.iter_mut().flat_map(|tls| &mut tls.chain) {
            for text in certificate.words_mut() {
                *text = self.hidden(text);
            }
        }
        facts
    }

    /// Keeps this out of what is told as well, from here on.
    pub(super) fn hide(&mut self, secret: &str) {
        // Nobody else holds them while someone signs in.
        if let Some(secrets) = Arc::get_mut(&mut self.secrets) {
            secrets.add(secret);
        }
    }

    /// The same text, to be shown.
    pub(super) fn hidden(&self, text: &str) -> String {
        self.secrets.hide_in(text.to_owned())
    }

    /// The same octets, to be shown.
    pub(super) fn hidden_octets<'a>(&self, octets: &'a [u8]) -> Cow<'a, [u8]> {
        self.secrets.hide(octets)
    }

    /// See [`Given`].
    pub(super) fn given(&self) -> Given {
        self.given
    }

    /// The same, to be added to.
    pub(super) fn given_mut(&mut self) -> &mut Given {
        &mut self.given
    }

    /// Tells a line of the transcript, where there is one.
    pub(super) fn log(&self, direction: Direction, line: &[u8]) {
        if let Some(transcript) = &self.transcript {
            transcript(direction, &self.secrets.hide(line));
        }
    }

    /// The same for a line whose beginning holds no secret.
    pub(super) fn log_parts(&self, direction: Direction, start: &[u8], rest: &[u8]) {
        if let Some(transcript) = &self.transcript {
            transcript(direction, &[start, &self.secrets.hide(rest)].concat());
        }
    }

    /// Tells that a challenge is answered, and not by what: but an empty line and a cancellation hide nothing.
    pub(super) fn log_response(&self, base64: &str) {
        let shown = if matches!(base64, "" | "*") {
            base64
        } else {
            "****"
        };
        self.log(Direction::Sent, shown.as_bytes());
    }

    /// The same as [`Link::log`], for while the link is in use.
    pub(super) fn logger(&self) -> impl Fn(Direction, &[u8]) + use<> {
        let (transcript, secrets) = (self.transcript.clone(), Arc::clone(&self.secrets));
        move |direction, line| {
            if let Some(transcript) = &transcript {
                transcript(direction, &secrets.hide(line));
            }
        }
    }

    /// How the connection failed, with so many commands that are not answered.
    pub(super) fn failed(&self, phase: Phase, source: net::Error, pending: usize) -> Error {
        Error::Net {
            phase,
            source,
            under_way: self.under_way(pending),
            message: None,
        }
    }

    /// What is under way, with so many commands that are not answered.
    pub(super) fn under_way(&self, pending: usize) -> UnderWay {
        let oldest = (self.sent + 1).saturating_sub(pending);
        let is_accompanied = self.accompanied > 0 && pending > 0 && oldest <= self.accompanied;
        match is_accompanied {
            true => UnderWay::Several {
                begun: self.pace.flowing,
            },
            false => UnderWay::One,
        }
    }
}
