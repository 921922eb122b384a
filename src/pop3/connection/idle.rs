//! Lines that say nothing: blank ones, and answers that come once more.

use super::{Connection, Violation};
use crate::pop3::line::STATUS_LIMIT;
use crate::pop3::status::Reply;
use crate::pop3::{Command, quirks};
use std::ops::Range;

/// What has come behind an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Behind {
    /// Nothing that is still there.
    Nothing,
    /// The beginning of a line that may say nothing.
    Begun,
    /// Lines that say nothing, from a server that has not shown yet that it sends them.
    Idle,
    /// Something that answers no command.
    Something,
}

impl Connection {
    /// From here on lines that say nothing may stand before any answer, and behind any: blank ones, and
    /// `+OK` once more. The server has shown that it sends them.
    pub fn pass_idle_lines(&mut self) {
        self.lenient = true;
    }

    /// Whether a line that says nothing, which was a violation, has an answer behind it; `None`
    /// before more octets have come.
    pub fn is_idle_before_answer(&mut self) -> Option<bool> {
        loop {
            let (range, _) = self.take_line()?;
            let text = self.input.lent(range);
            let text = quirks::without_blanks(text);
            if !text.is_empty() {
                return Some(Reply::parse(text).is_some());
            }
        }
    }

    /// What has come behind the last answer, of which what says nothing is thrown away where that may
    /// stand there.
    pub fn look_behind(&mut self) -> Behind {
        let (mark, idle) = (self.input.mark(), self.idle);
        if !self.lenient {
            // None is passed over: a whole flight may have been answered twice.
            self.idle = usize::MAX;
        }
        self.skip_idle_lines();
        let waiting = self.input.waiting();
        let rest = quirks::without_blanks(waiting);
        let has_come = self.input.mark().is_behind(mark) || !waiting.is_empty();
        let is_line = memchr::memchr(b'\n', rest).is_some();
        let behind = match rest.is_empty() {
            _ if waiting.len() > STATUS_LIMIT => Behind::Something,
            true if has_come && !self.lenient => Behind::Idle,
            true => Behind::Nothing,
            false if !is_line && may_be_ok(rest) => Behind::Begun,
            false => Behind::Something,
        };
        if !self.lenient {
            self.input.back_to(mark);
            self.idle = idle;
        }
        behind
    }

    /// The next line that is an answer, whatever was asked; other lines are thrown away.
    pub fn take_reply(&mut self) -> Option<Reply<'_>> {
        loop {
            let (range, _) = self.take_line()?;
            let range = self.without_blanks(&range);
            let text = self.input.lent(range.clone());
            if Reply::parse(text).is_some() {
                return Reply::parse(self.input.lent(range));
            }
        }
    }

    /// Throws away what waits before a command is sent, as far as it says nothing and may stand there.
    /// Anything else came before the question, so that it cannot be the answer.
    pub(super) fn look_before(&mut self, command: Command<'_>, may_repeat: bool) {
        // A connection that is to be secured has nothing in it but what was asked for.
        let secures = command == Command::Stls;
        let before = self.input.mark();
        if !secures {
            self.skip_idle_lines();
        }
        let is_next_lines = may_repeat && quirks::without_blanks(self.input.waiting()).is_empty();
        if self.is_drained() || is_next_lines {
            return;
        }
        // Of so many lines some must mean something.
        let is_first = !self.input.mark().is_behind(before);
        let is_idle = !secures && is_first && self.look_behind() == Behind::Idle;
        self.violation.get_or_insert(match is_idle {
            true => Violation::Idle,
            false => Violation::Unsolicited,
        });
    }

    /// Throws away what came behind the last answer, as far as it says nothing new: blank lines, and
    /// `+OK`.
    fn skip_idle_lines(&mut self) {
        while self.idle > 0 {
            let before = self.input.mark();
            let Some((range, _)) = self.take_line() else {
                return;
            };
            let text = quirks::without_blanks(self.input.lent(range));
            if !text.is_empty() && !Reply::parse(text).is_some_and(|reply| reply.ok) {
                self.input.back_to(before);
                return;
            }
            self.idle -= 1;
        }
    }

    /// Where a line stands without what [`quirks::without_blanks`] takes away.
    pub(super) fn without_blanks(&self, range: &Range<usize>) -> Range<usize> {
        let text = self.input.lent(range.clone());
        range.end - quirks::without_blanks(text).len()..range.end
    }
}

/// Whether this is the beginning of a line that may be `+OK`.
fn may_be_ok(octets: &[u8]) -> bool {
    match Reply::parse(octets) {
        Some(reply) => reply.ok,
        None => b"+OK".starts_with(&octets.to_ascii_uppercase()),
    }
}
