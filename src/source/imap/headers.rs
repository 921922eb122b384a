//! The headers of many messages, in a window that slides as that of whole messages does.

use super::mailboxes::{Opened, Opening, Place};
use super::retrieve::WINDOW_COMMANDS;
use super::wire::Step;
use super::{Error, Meaning, Phase, Session, SignedIn};
use crate::imap::{Command, Section, Violation};
use crate::maildrop::MessageNumber;
use crate::source::header::{ENDLESS_HEADER, header_length};
use std::collections::VecDeque;

/// A header that was asked for, or a mailbox that is opened for those behind it.
struct Asked {
    number: MessageNumber,
    uid: u32,
    /// The mailbox.
    opens: Option<usize>,
    /// As far as it has come.
    header: Option<Vec<u8>>,
    /// Octets of it, those that are not kept included.
    count: usize,
}

/// What was asked for, and has not been answered.
#[derive(Default)]
struct UnderWay {
    asked: VecDeque<Asked>,
    /// What was told of the mailbox that is being opened.
    opened: Opened,
    /// The mailbox could not be opened.
    is_shut: bool,
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
        let mut under_way = UnderWay::default();
        let mut in_trouble = false;
        loop {
            // Many commands share a packet.
            let asked = under_way.asked.len();
            if !in_trouble && asked <= window / 4 * 3 {
                let room = (window - asked).min(waiting.len());
                for number in waiting.drain(..room) {
                    if !self.ask_for_header(number, &mut under_way)? {
                        each(number, None);
                    }
                }
            }
            if under_way.asked.is_empty() {
                if !in_trouble && !waiting.is_empty() {
                    continue;
                }
                waiting.drain(..).for_each(|number| each(number, None));
                return Ok(());
            }
            if let Some((number, header)) = self.read_header(&mut under_way, limit)? {
                in_trouble |= header
                    .as_ref()
                    .is_err_and(|meaning| meaning.is_the_sessions());
                each(number, header.ok());
            }
        }
    }

    /// Sends the command for a header, behind the one that opens its mailbox where another is open. Whether
    /// it could be.
    fn ask_for_header(
        &mut self,
        number: MessageNumber,
        under_way: &mut UnderWay,
    ) -> Result<bool, Error> {
        let phase = Phase::Header(number);
        let Place { mailbox, uid } = self.place_of(number, phase)?;
        let mut asks = |opens| {
            under_way.asked.push_back(Asked {
                number,
                uid: uid.get(),
                opens,
                header: None,
                count: 0,
            });
        };
        match self.open_to_read(mailbox, phase)? {
            Opening::Open => {}
            Opening::Asked => asks(Some(mailbox)),
            Opening::Refused(_) => return Ok(false),
        }
        asks(None);
        self.wire.send(Command::FetchHeader(uid))?;
        Ok(true)
    }

    /// Reads on until a command is answered; whose header that is, or why there is none. Headers may come
    /// before the answers to earlier commands, as messages may.
    fn read_header(
        &mut self,
        UnderWay {
            asked,
            opened,
            is_shut,
        }: &mut UnderWay,
        limit: usize,
    ) -> Result<Option<Answered>, Error> {
        let first = asked.front().map(|it| it.number);
        let phase = first.map_or(Phase::Step, Phase::Header);
        let wrong = |violation| Error::violation(phase, violation);
        let mut arriving = None;
        loop {
            match self.wire.next(phase)? {
                // The mailbox could not be opened: this is of another, which the server has not closed.
                Step::Begins(..) if *is_shut => return Err(wrong(Violation::OtherMessage)),
                Step::Begins(Section::Header, told) => {
                    let is_it = |it: &&mut Asked| {
                        it.header.is_none() && told.is_none_or(|told| told == it.uid)
                    };
                    let mut of_open_mailbox = asked.iter_mut().take_while(|it| it.opens.is_none());
                    let found = of_open_mailbox.find(is_it);
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
                    let begun = arriving.take().map(|it: &mut Asked| it.uid);
                    if begun.is_some_and(|uid| fetched.is_of_another(uid)) {
                        return Err(wrong(Violation::OtherMessage));
                    }
                }
                Step::Done(answer) => {
                    let Some(Asked {
                        number,
                        header,
                        opens,
                        ..
                    }) = asked.pop_front()
                    else {
                        return Ok(None);
                    };
                    if let Some(mailbox) = opens {
                        let opened = std::mem::take(opened);
                        *is_shut = self.reopened(mailbox, answer, opened, phase)?.is_some();
                        return Ok(None);
                    }
                    let header = match header.filter(|_| answer.ok) {
                        Some(mut header) => {
                            header.truncate(header_length(&header));
                            Ok(header)
                        }
                        None if answer.ok || *is_shut => Err(Meaning::Message),
                        None => Err(Meaning::of(phase, &answer)),
                    };
                    return Ok(Some((number, header)));
                }
                Step::UidValidity(value) => opened.uid_validity = Some(value),
                _ => {}
            }
        }
    }
}
