//! From TRANSACTION to UPDATE: DELE and QUIT (RFC 1939 sections 5 and 6).

use super::{Error, Phase, Session, Transaction};
use crate::net;
use crate::pop3::{Command, Violation};
use crate::source::{self, Marked, Update};
use crate::state::Recorded;
use std::cmp::Reverse;
use std::time::Duration;

/// DELEs under way at once, as for RETR.
const WINDOW_COMMANDS: usize = 1000;

/// How long the reply to QUIT may take. Nothing here depends on it (E8): a server that says
/// nothing is asked again with the next listing.
const QUIT_TIMEOUT: Duration = Duration::from_secs(10);

impl Session<Transaction> {
    /// Marks messages as deleted. Takes nothing but what is stored and recorded (E4).
    ///
    /// The highest number goes first: there are servers that give new numbers to those behind a
    /// message as soon as it is marked, and what a number stood for must still stand there when it
    /// is sent (fault A6).
    ///
    /// # Errors
    /// With the message that it was about, as far as that shows.
    pub(in crate::source) fn delete(
        &mut self,
        mut recorded: Vec<Recorded>,
    ) -> Result<Marked, (Error, Option<Recorded>)> {
        recorded.sort_unstable_by_key(|message| Reverse(message.number()));
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
                let sent = self.wire.send(Command::Dele(message.number()));
                sent.map_err(|error| (error, None))?;
            }
            for message in flight {
                let answer = match self.wire.answer(Phase::Deleting(message.number())) {
                    Ok(answer) => answer,
                    Err(error) => {
                        let answered = !marked.messages.is_empty();
                        let blamed = window == 1 && is_about_the_last(&error, answered);
                        return Err((error, blamed.then_some(message)));
                    }
                };
                if answer.ok {
                    marked.messages.push(message);
                } else {
                    marked.refused.push(message);
                    marked.refusal.get_or_insert(answer);
                }
            }
        }
    }

    /// Ends the session. Everything fetched must be durable: some servers hide or delete what was
    /// retrieved from here on, marked or not (E10).
    pub(in crate::source) fn quit(mut self, marked: Marked) -> Update {
        self.wire.link.limit_timeout(QUIT_TIMEOUT);
        let sent = self.wire.send(Command::Quit);
        let mut answer = sent.and_then(|()| self.wire.answer(Phase::Quit));
        let mut is_orderly = true;
        if let (Ok(first), false) = (&mut answer, marked.is_empty()) {
            // It may be the answer to a DELE that came once more, and later than the next command.
            let parting = self.wire.read_to_end();
            is_orderly = parting.is_orderly;
            match parting.last {
                Some(last) if self.options.lenient => *first = last,
                Some(_) => {
                    answer = Err(Error::violation(Phase::Quit, Violation::Idle));
                }
                None => {}
            }
        }
        self.wire.link.close();
        match answer {
            Ok(answer) if !answer.ok => Update {
                refused: Some((marked.messages, answer)),
                ..Update::default()
            },
            Ok(_) if is_orderly => Update {
                removed: marked.messages,
                is_confirmed: true,
                ..Update::default()
            },
            answer => Update {
                unknown: marked.messages,
                disorder: answer
                    .err()
                    .filter(|error| matches!(error, Error::Violation { .. })),
                ..Update::default()
            },
        }
    }
}

/// Whether it was the DELE at hand that the server stumbled over: it has answered others, and there is
/// no sign that it answers earlier commands.
fn is_about_the_last(error: &Error, answered: bool) -> bool {
    match error {
        // Not a signal, say.
        Error::Net { source, .. } => matches!(
            source,
            net::Error::Closed | net::Error::Io(_) | net::Error::TimedOut(_)
        ),
        Error::Violation { violation, .. } => {
            answered && matches!(violation, source::Violation::Pop(Violation::NoStatus(_)))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::session;
    use super::*;

    fn quit(reply: &'static str) -> Update {
        let (session, _) = session(true, |_| reply.into());
        session.quit(Marked::default())
    }

    #[test]
    fn a4_garbage_in_place_of_the_reply_to_quit_is_told_apart_from_none() {
        assert!(quit("+OK bye\r\n").is_confirmed);
        assert!(quit("-ERR no\r\n").refused.is_some());
        for lost in ["", "+O", "garbage"] {
            let update = quit(lost);
            assert!(!update.is_confirmed, "{lost:?}");
            assert!(update.refused.is_none() && update.disorder.is_none());
        }
        for garbage in ["garbage\r\n", "\r\n", "1 300\r\n", "+OKAY\r\n+OK\r\n"] {
            let update = quit(garbage);
            assert!(update.disorder.is_some(), "{garbage:?}");
        }
    }

    #[test]
    fn a4_what_waits_before_quit_is_asked_answers_nothing() {
        let (mut session, _) = session(true, |command| match command {
            "NOOP" => b"+OK\r\nSubject: left over\r\n".to_vec(),
            _ => b"+OK bye\r\n".to_vec(),
        });
        assert!(!session.is_in_step().unwrap());
        let update = session.quit(Marked::default());
        assert!(update.disorder.is_some(), "{update:?}");
    }
}
