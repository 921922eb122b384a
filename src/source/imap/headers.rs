//! The headers of many messages, in a window that slides as that of whole messages does.

use super::retrieve::WINDOW_COMMANDS;
use super::wire::Step;
use super::{Error, Meaning, Phase, Session, SignedIn};
use crate::imap::{Command, Section, Violation};
use crate::maildrop::MessageNumber;
use crate::source::header::{ENDLESS_HEADER, header_length};
use std::collections::VecDeque;

impl Session<SignedIn> {
    /// Reads the headers of messages and hands each over once, in this order: up to and with its
    /// first empty line, and at most `limit` octets. `None` where the server refuses; once it does so
    /// for trouble of its own, it is asked for no more of them.
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
        let window = match self.options.pipelining {
            true => WINDOW_COMMANDS,
            false => 1,
        };
        let mut asked = VecDeque::new();
        let mut in_trouble = false;
        loop {
            // Many commands share a packet.
            if !in_trouble && asked.len() <= window / 4 * 3 {
                let room = (window - asked.len()).min(waiting.len());
                for number in waiting.drain(..room) {
                    self.wire.send(Command::FetchHeader(number.into()))?;
                    asked.push_back(number);
                }
            }
            let Some(number) = asked.pop_front() else {
                waiting.drain(..).for_each(|number| each(number, None));
                return Ok(());
            };
            let header = self.read_header(number, limit)?;
            in_trouble |= header
                .as_ref()
                .is_err_and(|meaning| meaning.is_the_sessions());
            each(number, header.ok());
        }
    }

    fn read_header(
        &mut self,
        number: MessageNumber,
        limit: usize,
    ) -> Result<Result<Vec<u8>, Meaning>, Error> {
        let phase = Phase::Header(number);
        let wrong = |violation| Error::violation(phase, violation);
        let mut header: Option<Vec<u8>> = None;
        let mut count = 0usize;
        loop {
            match self.wire.next(phase)? {
                Step::Begins(..) if header.is_some() => return Err(wrong(Violation::TwoBodies)),
                Step::Begins(Section::Header, _) => header = Some(Vec::new()),
                Step::Begins(..) => return Err(wrong(Violation::OtherMessage)),
                Step::Octets => {
                    let octets = self.wire.octets();
                    count = count.saturating_add(octets.len());
                    if count > ENDLESS_HEADER {
                        return Err(wrong(Violation::EndlessHeader));
                    }
                    if let Some(header) = &mut header {
                        let room = limit.saturating_sub(header.len());
                        header.extend(octets.get(..room).unwrap_or(octets));
                    }
                }
                Step::Fetched(fetched) if fetched.is_of_another(number.value()) => {
                    return Err(wrong(Violation::OtherMessage));
                }
                Step::Done(answer) => {
                    let whole = header.filter(|_| answer.ok);
                    return Ok(match whole {
                        Some(mut header) => {
                            header.truncate(header_length(&header));
                            Ok(header)
                        }
                        None if answer.ok => Err(Meaning::Message),
                        None => Err(Meaning::of(phase, &answer)),
                    });
                }
                _ => {}
            }
        }
    }
}
