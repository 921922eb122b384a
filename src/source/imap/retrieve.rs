//! Many messages under way at once, each by a command of its own.
//!
//! Messages come in the order in which they were asked for, and so do the answers to the commands. But
//! between the two there is no order: Dovecot sends many messages, and then all answers (fact Q24). So a
//! message is known by its UID. The command that opens another mailbox stands between those for the messages
//! of the one and of the other, and so do their answers. A message's end counts once its command is answered, or the next message begins.

use super::mailboxes::{Opened, Opening, Place};
use super::wire::Step;
use super::{Answer, Error, Phase, Session, SignedIn, Window};
use crate::imap::{Command, Fetched, Section, Violation};
use crate::maildrop::Message;
use crate::message::{Attributes, Ending, Tally};
use crate::source::Arrival;
use std::collections::VecDeque;

/// Commands under way at once: some 60 KB of them. Where that does not fit into the buffers on the way, it
/// waits here, and answers are read meanwhile: who blocked in writing would wait for ever (fact Q22).
pub(super) const WINDOW_COMMANDS: usize = 1000;

/// What the server was asked for, and has not answered completely.
#[derive(Default)]
pub(super) struct UnderWay {
    /// A command each, in their order.
    commands: VecDeque<Asked>,
    /// The message that is arriving.
    arriving: Option<Arriving>,
    /// The next one has begun already; its UID, where that was told.
    begun: Option<Option<u32>>,
    /// Messages that have not come although their commands are answered.
    missing: VecDeque<Arrival<'static>>,
    /// What was told of the mailbox that is being opened.
    opened: Opened,
    /// The one whose messages were asked for last could not be opened: whatever is answered of them.
    refusal: Option<Answer>,
}

/// A command that asks for a message, or opens a mailbox.
#[derive(Default)]
struct Asked {
    /// Until it begins to arrive.
    message: Option<Message>,
    uid: u32,
    /// There is nothing of it (NIL).
    is_nil: bool,
    /// Something of it was told, so that it is there, whether its octets come or not.
    is_there: bool,
    /// The mailbox that it opens.
    opens: Option<usize>,
}

/// A message that is arriving, as far as it has come.
struct Arriving {
    uid: u32,
    tally: Tally,
    attributes: Attributes,
    /// All of it is there.
    is_whole: bool,
}

impl Arriving {
    /// Takes in what was told of it beside its octets, whether behind them or by itself.
    fn note(&mut self, fetched: Fetched) {
        self.is_whole |= fetched.section.is_some();
        let known = &mut self.attributes;
        known.flags = fetched.flags.unwrap_or(known.flags);
        known.received = fetched.internal_date.or(known.received);
    }
}

/// What comes next of the message that is arriving.
enum More {
    Octets,
    End(Ending, Attributes),
}

impl Session<SignedIn> {
    /// What arrives next of what the window was opened on; `None` once everything has.
    ///
    /// # Errors
    /// The connection is of no more use then; what has not ended has not arrived.
    pub(in crate::source) fn next_arrival(
        &mut self,
        window: &mut Window,
    ) -> Result<Option<Arrival<'_>>, Error> {
        if let Some(phase) = window.arriving {
            return match self.more(phase)? {
                More::Octets => {
                    let octets = self.wire.octets();
                    if let Some(arriving) = &mut self.state.under_way.arriving {
                        arriving.tally.add(octets);
                    }
                    Ok(Some(Arrival::Octets(octets)))
                }
                More::End(ending, attributes) => {
                    window.arriving = None;
                    self.state.under_way.arriving = None;
                    Ok(Some(Arrival::Ends(ending, attributes)))
                }
            };
        }
        loop {
            if let Some(missing) = self.state.under_way.missing.pop_front() {
                if let Arrival::Gone(message, _) | Arrival::Refused(message, _) = &missing {
                    window.take_asked_for(message.number);
                }
                return Ok(Some(missing));
            }
            let commands = self.options.pipelining.then_some(WINDOW_COMMANDS);
            window.refill(commands, |message| self.ask_for(message))?;
            if !self.state.under_way.missing.is_empty() {
                continue;
            }
            let Some(phase) = self.state.under_way.phase() else {
                return Ok(None);
            };
            let told = match self.state.under_way.begun.take() {
                Some(told) => told,
                None => match self.next_beginning(phase)? {
                    Some(told) => told,
                    None => continue,
                },
            };
            let message = self.state.under_way.begins(told, phase)?;
            window.take_asked_for(message.number);
            window.arriving = Some(Phase::Message(message.number));
            return Ok(Some(Arrival::Begins(message)));
        }
    }

    /// Sends the command for a message, behind the one that opens its mailbox where another is open.
    fn ask_for(&mut self, message: &Message) -> Result<(), Error> {
        let phase = Phase::Message(message.number);
        let Place { mailbox, uid } = self.place_of(message.number, phase)?;
        match self.open_to_read(mailbox, phase)? {
            Opening::Open => {}
            Opening::Asked => self.state.under_way.opens(mailbox),
            Opening::Refused(answer) => {
                self.state.under_way.is_missing(message.clone(), answer);
                return Ok(());
            }
        }
        self.wire.send(Command::FetchBody(uid))?;
        self.state.under_way.asks_for(message, uid.get());
        Ok(())
    }

    /// Takes in the answer to the oldest command.
    fn take_answer(&mut self, answer: Answer, phase: Phase) -> Result<(), Error> {
        let under_way = &mut self.state.under_way;
        let Some(mailbox) = under_way.commands.front().and_then(|it| it.opens) else {
            return under_way.answered(answer, phase);
        };
        under_way.commands.pop_front();
        let opened = std::mem::take(&mut under_way.opened);
        self.state.under_way.refusal = self.reopened(mailbox, answer, opened, phase)?;
        Ok(())
    }

    /// Waits for the beginning of a message, or for an answer; none where it was one.
    fn next_beginning(&mut self, phase: Phase) -> Result<Option<Option<u32>>, Error> {
        loop {
            match self.wire.next(phase)? {
                Step::Begins(Section::Whole, told) => return Ok(Some(told)),
                Step::Begins(..) | Step::Octets => {
                    return Err(Error::violation(phase, Violation::OtherMessage));
                }
                Step::Fetched(fetched) if fetched.section.is_some() => {
                    self.state.under_way.is_nothing(fetched.uid, phase)?;
                }
                Step::Fetched(fetched) => self.state.under_way.is_told(fetched),
                Step::Done(answer) => {
                    self.take_answer(answer, phase)?;
                    return Ok(None);
                }
                Step::UidValidity(value) => {
                    self.state.under_way.opened.uid_validity = Some(value);
                }
                _ => {}
            }
        }
    }

    /// Waits for more of the message that is arriving, or for its end.
    fn more(&mut self, phase: Phase) -> Result<More, Error> {
        let wrong = |violation| Error::violation(phase, violation);
        loop {
            let step = self.wire.next(phase)?;
            let under_way = &mut self.state.under_way;
            let Some(arriving) = &mut under_way.arriving else {
                return Err(wrong(Violation::OtherMessage));
            };
            match step {
                Step::Octets if arriving.is_whole => return Err(wrong(Violation::OtherMessage)),
                Step::Octets => return Ok(More::Octets),
                Step::Fetched(fetched) if fetched.section.is_some() && arriving.is_whole => {
                    under_way.is_nothing(fetched.uid, phase)?;
                }
                Step::Fetched(fetched) if fetched.is_of_another(arriving.uid) => {
                    return Err(wrong(Violation::OtherMessage));
                }
                Step::Fetched(fetched)
                    if fetched.section.is_some() || fetched.uid == Some(arriving.uid) =>
                {
                    arriving.note(fetched);
                }
                Step::Fetched(fetched) => under_way.is_told(fetched),
                Step::Begins(Section::Whole, told) if arriving.is_whole => {
                    if told == Some(arriving.uid) {
                        return Err(wrong(Violation::TwoBodies));
                    }
                    let end = More::End(arriving.tally.ending(), arriving.attributes);
                    under_way.begun = Some(told);
                    return Ok(end);
                }
                Step::Begins(..) => return Err(wrong(Violation::OtherMessage)),
                Step::Done(answer) => {
                    let first = under_way.commands.front();
                    let is_its_own =
                        first.is_some_and(|it| it.opens.is_none() && it.uid == arriving.uid);
                    if is_its_own {
                        under_way.commands.pop_front();
                        let ending = Ending {
                            // It has sent a message and says that it could not.
                            clean: answer.ok,
                            ..arriving.tally.ending()
                        };
                        return Ok(More::End(ending, arriving.attributes));
                    }
                    self.take_answer(answer, phase)?;
                }
                Step::UidValidity(value) => under_way.opened.uid_validity = Some(value),
                _ => {}
            }
        }
    }
}

impl UnderWay {
    fn asks_for(&mut self, message: &Message, uid: u32) {
        self.commands.push_back(Asked {
            uid,
            message: Some(message.clone()),
            ..Asked::default()
        });
    }

    fn opens(&mut self, mailbox: usize) {
        self.commands.push_back(Asked {
            opens: Some(mailbox),
            ..Asked::default()
        });
    }

    /// A message does not come, for what the server has answered.
    fn is_missing(&mut self, message: Message, answer: Answer) {
        self.missing.push_back(match answer.tells_of_removal() {
            true => Arrival::Gone(message, answer),
            false => Arrival::Refused(message, answer),
        });
    }

    /// The commands that are about the mailbox which is open by what was answered so far.
    fn of_open_mailbox(&self) -> impl Iterator<Item = &Asked> {
        self.commands.iter().take_while(|it| it.opens.is_none())
    }

    /// What is waited for: the first message that has not come, or else an answer.
    fn phase(&self) -> Option<Phase> {
        let waiting = self.commands.iter().find_map(|it| it.message.as_ref());
        match (waiting, self.commands.is_empty()) {
            (Some(message), _) => Some(Phase::Message(message.number)),
            (None, false) => Some(Phase::Step),
            (None, true) => None,
        }
    }

    /// The place of a message that has not come: the one that is told, or else the first.
    fn find(&self, told: Option<u32>, phase: Phase) -> Result<usize, Error> {
        let is_it = |it: &Asked| it.message.is_some() && told.is_none_or(|told| told == it.uid);
        let found = self.of_open_mailbox().position(is_it);
        found.ok_or_else(|| {
            let again = told.is_some_and(|told| self.of_open_mailbox().any(|it| it.uid == told));
            Error::violation(
                phase,
                match again {
                    true => Violation::TwoBodies,
                    false => Violation::OtherMessage,
                },
            )
        })
    }

    fn begins(&mut self, told: Option<u32>, phase: Phase) -> Result<Message, Error> {
        if self.refusal.is_some() {
            // The mailbox could not be opened: this is of another, which the server has not closed.
            return Err(Error::violation(phase, Violation::OtherMessage));
        }
        let place = self.find(told, phase)?;
        let asked = self.commands.get_mut(place);
        let asked = asked.and_then(|asked| Some((asked.message.take()?, asked.uid)));
        let (message, uid) =
            asked.ok_or_else(|| Error::violation(phase, Violation::OtherMessage))?;
        self.arriving = Some(Arriving {
            uid,
            tally: Tally::default(),
            attributes: Attributes::default(),
            is_whole: false,
        });
        Ok(message)
    }

    /// The server has told something of a message that nobody is told unasked.
    fn is_told(&mut self, fetched: Fetched) {
        let asked = self.commands.iter_mut().take_while(|it| it.opens.is_none());
        let mut asked = asked.filter(|it| Some(it.uid) == fetched.uid && it.message.is_some());
        if let Some(asked) = asked.next().filter(|_| fetched.internal_date.is_some()) {
            asked.is_there = true;
        }
    }

    /// The server says that there is nothing of a message (NIL).
    fn is_nothing(&mut self, told: Option<u32>, phase: Phase) -> Result<(), Error> {
        let place = self.find(told, phase)?;
        if let Some(asked) = self.commands.get_mut(place) {
            asked.is_nil = true;
        }
        Ok(())
    }

    /// The oldest command is answered. What has not come by then does not come any more; what has come
    /// should not be taken back.
    fn answered(&mut self, answer: Answer, phase: Phase) -> Result<(), Error> {
        let Some(asked) = self.commands.pop_front() else {
            return Err(Error::violation(phase, Violation::Unsolicited));
        };
        match asked.message {
            Some(message) if let Some(refusal) = self.refusal.clone() => {
                self.is_missing(message, refusal);
            }
            Some(message) if answer.ok && asked.is_nil => {
                let answer = Answer::said("NIL");
                self.missing.push_back(Arrival::Refused(message, answer));
            }
            Some(message) if answer.ok && asked.is_there => {
                let answer = Answer::said("OK, and nothing of what was asked for");
                self.missing.push_back(Arrival::Refused(message, answer));
            }
            // RFC 3501 section 6.4.8: a UID that is not there any more is no error.
            Some(message) if answer.ok => {
                let answer = Answer::said("no such message");
                self.missing.push_back(Arrival::Gone(message, answer));
            }
            Some(message) => self.is_missing(message, answer),
            None if answer.ok => {}
            None => return Err(Error::violation(phase, Violation::TakenBack)),
        }
        Ok(())
    }
}
