//! Lines that say nothing, and answers that come more than once.

use super::{Answer, Error, Phase, Wire};
use crate::net;
use crate::pop3::{Behind, Reply, quirks};
use std::time::{Duration, Instant};

/// How long is waited for an answer behind a line that says nothing: servers that send one send both at
/// once. And for the end of a connection, or an answer that comes late, behind the one to QUIT: a server
/// closes at once, and what stands between it and us is not far away.
const ANSWER_BEHIND: Duration = Duration::from_secs(2);

/// How a connection has ended behind an answer.
#[derive(Default)]
pub(in crate::source::pop) struct Parting {
    /// The last answer that came.
    pub(in crate::source::pop) last: Option<Answer>,
    /// The server has closed, and nothing was lost before that.
    pub(in crate::source::pop) is_orderly: bool,
}

impl Wire {
    /// See [`Connection::pass_idle_lines`].
    pub(in crate::source::pop) fn pass_idle_lines(&mut self) {
        self.connection.pass_idle_lines();
    }

    /// What has come behind the last answer, without waiting for more than the rest of a line.
    pub(in crate::source::pop) fn look_behind(&mut self, phase: Phase) -> Result<Behind, Error> {
        loop {
            let behind = self.connection.look_behind();
            let deadline = match behind {
                Behind::Nothing => Instant::now(),
                Behind::Begun => Instant::now() + ANSWER_BEHIND,
                Behind::Idle | Behind::Something => return Ok(behind),
            };
            let (output, input) = self.connection.buffers();
            match self.link.exchange((output, input), deadline) {
                Ok(moved) => self.note(moved),
                Err(net::Error::TimedOut(_)) => return Ok(behind),
                Err(source) => return Err(self.failed(phase, source)),
            }
        }
    }

    /// Whether an answer stands behind what does not begin as one.
    pub(super) fn is_before_answer(&mut self, line: &[u8]) -> bool {
        match quirks::without_blanks(line) {
            [] => self.is_answered_behind(),
            word => word.len() < line.len() && Reply::parse(word).is_some(),
        }
    }

    /// Whether an answer comes behind a blank line that stood in its place.
    fn is_answered_behind(&mut self) -> bool {
        let deadline = Instant::now() + ANSWER_BEHIND;
        while Instant::now() < deadline {
            if let Some(is_answer) = self.connection.is_idle_before_answer() {
                return is_answer;
            }
            let (_, input) = self.connection.buffers();
            match self.link.exchange((&[], input), deadline) {
                Ok(moved) => self.connection.filled(moved.received),
                Err(_) => break,
            }
        }
        false
    }

    /// What the server says up to the end of the connection, behind an answer. Where there is one more
    /// than was asked for, the connection must not be closed over the one that counts: the server may
    /// lose the command with it.
    pub(in crate::source::pop) fn read_to_end(&mut self) -> Parting {
        let mut parting = Parting::default();
        let mut deadline = Instant::now() + ANSWER_BEHIND;
        // Twice as many answers as there were commands are those of a server that answers twice.
        let mut most = self.link.sent();
        while Instant::now() < deadline && most > 0 {
            while let Some(reply) = self.connection.take_reply() {
                parting.last = Some(Answer::from(reply));
                most = most.saturating_sub(1);
                deadline = Instant::now() + self.link.timeout();
            }
            let (output, input) = self.connection.buffers();
            if input.is_empty() {
                break;
            }
            match self.link.exchange((output, input), deadline) {
                Ok(moved) => self.note(moved),
                Err(error) => {
                    parting.is_orderly = matches!(error, net::Error::Closed);
                    break;
                }
            }
        }
        let last = parting.last.map(|answer| self.without_secrets(answer));
        Parting { last, ..parting }
    }
}
