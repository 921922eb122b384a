//! Many messages under way at once, each by a command of its own.

use super::wire::Step;
use super::{Answer, Error, Phase, Session, SignedIn, Tally, Window};
use crate::imap::{Command, Section, Violation};
use crate::message::Ending;
use crate::source::Arrival;

/// Commands under way at once: some 11 KB of them, which fit into any socket's buffers (fact Q22).
pub(super) const WINDOW_COMMANDS: usize = 250;

/// How a message began to come.
enum Beginning {
    Begun,
    Refused(Answer),
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
            return match self.goes_on(phase)? {
                None => {
                    let octets = self.wire.octets();
                    self.state.arriving.add(octets);
                    Ok(Some(Arrival::Octets(octets)))
                }
                Some(ending) => {
                    window.arriving = None;
                    Ok(Some(Arrival::Ends(ending)))
                }
            };
        }
        let commands = self.options.pipelining.then_some(WINDOW_COMMANDS);
        window.refill(commands, |message| {
            self.wire.send(Command::FetchBody(message.number.into()))
        })?;
        let Some(message) = window.take_asked() else {
            return Ok(None);
        };
        let phase = Phase::Message(message.number);
        match self.begins(phase, message.number.value()) {
            Ok(Beginning::Begun) => {
                window.arriving = Some(phase);
                self.state.arriving = Tally::default();
                Ok(Some(Arrival::Begins(message)))
            }
            Ok(Beginning::Refused(answer)) => Ok(Some(Arrival::Refused(message, answer))),
            Err(error) => {
                window.give_back(message);
                Err(error)
            }
        }
    }

    /// Waits for the octets of a message that was asked for.
    fn begins(&mut self, phase: Phase, uid: u32) -> Result<Beginning, Error> {
        let mut refusal = "no such message";
        loop {
            match self.wire.next(phase)? {
                Step::Begins(Section::Whole, told) if told.is_none_or(|told| told == uid) => {
                    return Ok(Beginning::Begun);
                }
                Step::Begins(..) | Step::Octets => {
                    return Err(Error::violation(phase, Violation::OtherMessage));
                }
                Step::Fetched(fetched) if fetched.section.is_some() => {
                    if fetched.uid.is_some_and(|told| told != uid) {
                        return Err(Error::violation(phase, Violation::OtherMessage));
                    }
                    refusal = "NIL";
                }
                Step::Done(answer) if answer.ok => {
                    return Ok(Beginning::Refused(Answer::said(refusal)));
                }
                Step::Done(answer) => return Ok(Beginning::Refused(answer)),
                _ => {}
            }
        }
    }

    /// Waits for more of a message, or for its end: that is where the server has answered the command,
    /// and said which message it was.
    fn goes_on(&mut self, phase: Phase) -> Result<Option<Ending>, Error> {
        let Phase::Message(number) = phase else {
            return Err(Error::violation(phase, Violation::OtherMessage));
        };
        loop {
            match self.wire.next(phase)? {
                Step::Octets => return Ok(None),
                Step::Fetched(fetched) if fetched.is_of_another(number.value()) => {
                    return Err(Error::violation(phase, Violation::OtherMessage));
                }
                Step::Begins(..) => return Err(Error::violation(phase, Violation::TwoBodies)),
                Step::Done(answer) => {
                    return Ok(Some(Ending {
                        // It has sent a message and says that it could not.
                        clean: answer.ok,
                        ..self.state.arriving.ending()
                    }));
                }
                _ => {}
            }
        }
    }
}
