//! From TRANSACTION to UPDATE: DELE and QUIT (RFC 1939 sections 5 and 6).

use super::{Answer, Error, Phase, Session, Transaction};
use crate::pop3::Command;
use crate::state::Recorded;
use std::time::Duration;

/// DELEs under way at once, as for RETR.
const WINDOW_COMMANDS: usize = 1000;

/// How long the reply to QUIT may take. Nothing here depends on it (E8): a server that says
/// nothing is asked again with the next listing.
const QUIT_TIMEOUT: Duration = Duration::from_secs(10);

/// Messages that the server has marked as deleted; it deletes them in the UPDATE state, if it ever
/// comes to that.
#[derive(Debug, Default)]
pub struct Marked {
    messages: Vec<Recorded>,
    /// Messages that the server refused to mark. They stay.
    pub refused: u64,
}

/// What is known about the UPDATE state.
#[derive(Debug)]
pub enum Update {
    /// The server entered it and removed these.
    Confirmed(Vec<Recorded>),
    /// The server answered QUIT with -ERR: some of these are not removed, and none but these are
    /// (RFC 1939 section 6). The next listing tells.
    Refused(Vec<Recorded>, Answer),
    /// The connection ended before its reply to QUIT: some, all or none of these are removed. The
    /// next listing tells.
    Unknown(Vec<Recorded>),
}

impl Session<Transaction> {
    /// Marks messages as deleted. Takes nothing but what is stored and recorded (E4).
    pub fn delete(&mut self, recorded: Vec<Recorded>) -> Result<Marked, Error> {
        let window = if self.may_pipeline() {
            WINDOW_COMMANDS
        } else {
            1
        };
        let mut marked = Marked::default();
        let mut waiting = recorded.into_iter();
        loop {
            let flight: Vec<Recorded> = waiting.by_ref().take(window).collect();
            if flight.is_empty() {
                return Ok(marked);
            }
            for message in &flight {
                self.wire.send(Command::Dele(message.number()))?;
            }
            for message in flight {
                if self.wire.answer(Phase::Deleting)?.ok {
                    marked.messages.push(message);
                } else {
                    marked.refused += 1;
                }
            }
        }
    }

    /// Ends the session. Everything fetched must be durable: some servers hide or delete what was
    /// retrieved from here on, marked or not (E10).
    pub fn quit(mut self, marked: Marked) -> Update {
        self.wire.limit_timeout(QUIT_TIMEOUT);
        let sent = self.wire.send(Command::Quit);
        let answer = sent.and_then(|()| self.wire.answer(Phase::Quit));
        self.wire.close();
        match answer {
            Ok(answer) if answer.ok => Update::Confirmed(marked.messages),
            Ok(answer) => Update::Refused(marked.messages, answer),
            Err(_) => Update::Unknown(marked.messages),
        }
    }
}
