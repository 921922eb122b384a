//! TRANSACTION: the headers of many messages by TOP, in a window that slides as that of RETR does.

use super::{Error, Meaning, Phase, Session, Transaction};
use crate::pop3::{Command, MessageNumber};
use crate::source::header::{ENDLESS_HEADER, header_length};
use std::collections::VecDeque;

/// TOPs under way at once, as for RETR.
const WINDOW_COMMANDS: usize = 1000;

impl Session<Transaction> {
    /// Reads the headers of messages and hands each over once, in this order: up to and with its
    /// first empty line, and at most `limit` octets. `None` where the server refuses; once it does so
    /// for trouble of its own, it is asked for no more of them.
    ///
    /// A server that has not taken TOP with no lines yet is asked once for one line instead: some
    /// refuse `TOP n 0`.
    ///
    /// # Errors
    /// The connection is of no more use then.
    pub(in crate::source) fn headers(
        &mut self,
        numbers: impl IntoIterator<Item = MessageNumber>,
        limit: usize,
        mut each: impl FnMut(MessageNumber, Option<Vec<u8>>),
    ) -> Result<(), Error> {
        let mut waiting: VecDeque<_> = numbers.into_iter().collect();
        loop {
            let mut refused = self.read_headers(&mut waiting, limit, &mut each)?;
            let Some(first) = refused.pop_front() else {
                return Ok(());
            };
            self.wire.send(Command::Top(first, 1))?;
            let header = self.read_header(first, limit)?.ok();
            let works = header.is_some();
            self.state.top_lines = Some(u8::from(works));
            each(first, header);
            if works {
                refused.append(&mut waiting);
                waiting = refused;
            } else {
                refused.into_iter().for_each(|number| each(number, None));
            }
        }
    }

    /// The same with one kind of TOP. Ends early, with those that were refused, where nothing but
    /// refusals has come and the other kind is still to be tried.
    fn read_headers(
        &mut self,
        waiting: &mut VecDeque<MessageNumber>,
        limit: usize,
        each: &mut impl FnMut(MessageNumber, Option<Vec<u8>>),
    ) -> Result<VecDeque<MessageNumber>, Error> {
        let window = match self.may_pipeline() {
            true => WINDOW_COMMANDS,
            false => 1,
        };
        let lines = self.state.top_lines.unwrap_or(0);
        let mut asked = VecDeque::new();
        let mut refused = VecDeque::new();
        let mut in_trouble = false;
        loop {
            // Many commands share a packet, as for RETR.
            if refused.is_empty() && !in_trouble && asked.len() <= window / 4 * 3 {
                let room = (window - asked.len()).min(waiting.len());
                for number in waiting.drain(..room) {
                    self.wire.send(Command::Top(number, lines))?;
                    asked.push_back(number);
                }
            }
            let Some(number) = asked.pop_front() else {
                if in_trouble {
                    waiting.drain(..).for_each(|number| each(number, None));
                }
                return Ok(refused);
            };
            let header = match self.read_header(number, limit)? {
                Ok(header) => {
                    self.state.top_lines = Some(lines);
                    Some(header)
                }
                Err(meaning) => {
                    in_trouble |= meaning.is_the_sessions();
                    if !in_trouble && self.state.top_lines.is_none() {
                        refused.push_back(number);
                        continue;
                    }
                    None
                }
            };
            refused.drain(..).for_each(|number| each(number, None));
            each(number, header);
        }
    }

    fn read_header(
        &mut self,
        number: MessageNumber,
        limit: usize,
    ) -> Result<Result<Vec<u8>, Meaning>, Error> {
        let phase = Phase::Header(number);
        let answer = self.wire.answer(phase)?;
        if !answer.ok {
            return Ok(Err(Meaning::of(phase, &answer)));
        }
        let mut header = Vec::new();
        self.wire.header(phase, ENDLESS_HEADER, |octets| {
            let room = limit.saturating_sub(header.len());
            header.extend(octets.get(..room).unwrap_or(octets));
        })?;
        header.truncate(header_length(&header));
        Ok(Ok(header))
    }
}

#[cfg(test)]
mod tests;
