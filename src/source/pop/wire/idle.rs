//! Lines that say nothing, and answers that come more than once.

use super::{Answer, Wire};
use std::time::{Duration, Instant};

/// How long is waited for an answer behind an empty line: servers that send one send both at once.
const ANSWER_BEHIND: Duration = Duration::from_secs(2);

impl Wire {
    /// See [`Connection::pass_idle_lines`].
    pub(in crate::source::pop) fn pass_idle_lines(&mut self) {
        self.connection.pass_idle_lines();
    }

    /// Whether an answer comes behind an empty line that stood in its place.
    pub(super) fn is_answered_behind(&mut self) -> bool {
        let deadline = Instant::now() + ANSWER_BEHIND;
        while Instant::now() < deadline {
            if let Some(is_answer) = self.connection.is_idle_before_answer() {
                return is_answer;
            }
            let (_, input) = self.connection.buffers();
            match self.channel.exchange(&[], input, deadline) {
                Ok(moved) => self.connection.filled(moved.received),
                Err(_) => break,
            }
        }
        false
    }

    /// What the server says up to the end of the connection: the last answer of it. Where there may
    /// be one more than was asked for, the connection must not be closed over the one that counts:
    /// the server may lose the command with it.
    pub(in crate::source::pop) fn last_answer(&mut self, timeout: Duration) -> Option<Answer> {
        let deadline = Instant::now() + timeout;
        let mut last = None;
        while Instant::now() < deadline {
            while let Some(reply) = self.connection.take_reply() {
                last = Some(Answer::from(reply));
            }
            let (output, input) = self.connection.buffers();
            if input.is_empty() {
                break;
            }
            match self.channel.exchange(output, input, deadline) {
                Ok(moved) => {
                    self.connection.sent(moved.sent);
                    self.connection.filled(moved.received);
                }
                Err(_) => break,
            }
        }
        last.map(|answer| self.without_secrets(answer))
    }
}
