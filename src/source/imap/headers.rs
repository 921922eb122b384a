//! The headers of many messages, in a window that slides as that of whole messages does.

use super::retrieve::WINDOW_COMMANDS;
use super::wire::Step;
use super::{Error, Meaning, Phase, Session, SignedIn};
use crate::imap::{Command, Section, Violation};
use crate::maildrop::MessageNumber;
use crate::source::header::{ENDLESS_HEADER, header_length};
use std::collections::VecDeque;

/// A header that was asked for.
struct Asked {
    number: MessageNumber,
    /// As far as it has come.
    header: Option<Vec<u8>>,
    /// Octets of it, those that are not kept included.
    count: usize,
}

/// Whose header was asked for, and the header, or why there is none.
type Answered = (MessageNumber, Result<Vec<u8>, Meaning>);

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
        let mut asked: VecDeque<Asked> = VecDeque::new();
        let mut in_trouble = false;
        loop {
            // Many commands share a packet.
            if !in_trouble && asked.len() <= window / 4 * 3 {
                let room = (window - asked.len()).min(waiting.len());
                for number in waiting.drain(..room) {
                    self.wire.send(Command::FetchHeader(number.into()))?;
                    asked.push_back(Asked {
                        number,
                        header: None,
                        count: 0,
                    });
                }
            }
            if asked.is_empty() {
                waiting.drain(..).for_each(|number| each(number, None));
                return Ok(());
            }
            if let Some((number, header)) = self.read_header(&mut asked, limit)? {
                in_trouble |= header
                    .as_ref()
                    .is_err_and(|meaning| meaning.is_the_sessions());
                each(number, header.ok());
            }
        }
    }

    /// Reads on until a command is answered; whose header that is, or why there is none. Headers may come
    /// before the answers to earlier commands, as messages may.
    fn read_header(
        &mut self,
        asked: &mut VecDeque<Asked>,
        limit: usize,
    ) -> Result<Option<Answered>, Error> {
        let first = asked.front().map(|it| it.number);
        let phase = first.map_or(Phase::Step, Phase::Header);
        let wrong = |violation| Error::violation(phase, violation);
        let mut arriving = None;
        loop {
            match self.wire.next(phase)? {
                Step::Begins(Section::Header, told) => {
                    let is_it = |it: &&mut Asked| {
                        it.header.is_none() && told.is_none_or(|told| told == it.number.value())
                    };
                    let found = asked.iter_mut().find(is_it);
                    let found = found.ok_or_else(|| wrong(Violation::OtherMessage))?;
                    found.header = Some(Vec::new());
                    arriving = Some(found);
                }
                Step::Begins(..) => return Err(wrong(Violation::OtherMessage)),
                Step::Octets => {
                    let octets = self.wire.octets();
                    let Some(asked) = &mut arriving else {
                        continue;
                    };
                    asked.count = asked.count.saturating_add(octets.len());
                    if asked.count > ENDLESS_HEADER {
                        return Err(wrong(Violation::EndlessHeader));
                    }
                    if let Some(header) = &mut asked.header {
                        let room = limit.saturating_sub(header.len());
                        header.extend(octets.get(..room).unwrap_or(octets));
                    }
                }
                Step::Fetched(fetched) if fetched.section.is_some() => {
                    // One that is not there was not begun.
                    let begun = arriving.take().map(|it| it.number.value());
                    if begun.is_some_and(|uid| fetched.is_of_another(uid)) {
                        return Err(wrong(Violation::OtherMessage));
                    }
                }
                Step::Done(answer) => {
                    let Some(Asked { number, header, .. }) = asked.pop_front() else {
                        return Ok(None);
                    };
                    let header = match header.filter(|_| answer.ok) {
                        Some(mut header) => {
                            header.truncate(header_length(&header));
                            Ok(header)
                        }
                        None if answer.ok => Err(Meaning::Message),
                        None => Err(Meaning::of(phase, &answer)),
                    };
                    return Ok(Some((number, header)));
                }
                _ => {}
            }
        }
    }
}
