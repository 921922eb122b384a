//! TRANSACTION: whether replies and commands are still in step (NOOP, RFC 1939 section 5).

use super::{Error, Phase, Session, Transaction};
use crate::pop3::{Command, Violation};

impl Session<Transaction> {
    /// Whether the server has answered what it was asked, and no more: NOOP gets a status line, and
    /// nothing has come before or behind it.
    ///
    /// A body that was cut, or that ended early because the server does not byte-stuff, leaves
    /// something over, as does a server that answers twice. What was read so far can then not be
    /// trusted, and the session is of no more use.
    ///
    /// # Errors
    /// Where the connection fails, or the server says nothing.
    pub(in crate::source) fn is_in_step(&mut self) -> Result<bool, Error> {
        if self.wire.pending() > 0 || self.wire.has_unread(Phase::Step)? {
            return Ok(false);
        }
        self.wire.send(Command::Noop)?;
        match self.wire.answer(Phase::Step) {
            Ok(_) => Ok(!self.wire.has_unread(Phase::Step)?),
            // Which it says by itself, once that is known of it.
            Err(
                error @ Error::Violation {
                    violation: Violation::Idle,
                    ..
                },
            ) => Err(error),
            Err(Error::Violation { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::session;
    use super::*;
    use crate::net;
    use crate::pop3::MessageNumber;
    use crate::source::pop::UnderWay;

    /// What a server's answers to TOP and NOOP come to.
    fn in_step(top: &'static str, noop: &'static str) -> Result<bool, Error> {
        let (mut session, _) = session(true, move |command| match command {
            "NOOP" => noop.into(),
            _ => top.into(),
        });
        session.headers(MessageNumber::new(1), 100, |_, _| ())?;
        session.is_in_step()
    }

    const HEADER: &str = "+OK\r\nSubject: a\r\n\r\n.\r\n";

    #[test]
    fn e12_a_server_that_answers_noop_is_in_step_whatever_it_says() {
        for noop in [
            "+OK\r\n",
            "+OK nothing done\r\n",
            "-ERR unknown command\r\n",
        ] {
            assert!(in_step(HEADER, noop).unwrap(), "{noop:?}");
        }
    }

    #[test]
    fn e12_a_server_that_sent_too_much_is_out_of_step() {
        for left_over in ["+OK\r\n", "rest of it\r\n.\r\n", "\r\n", "x"] {
            let top = [HEADER, left_over].concat();
            assert!(!in_step(top.leak(), "+OK\r\n").unwrap(), "{left_over:?}");
            let noop = ["+OK\r\n", left_over].concat();
            assert!(!in_step(HEADER, noop.leak()).unwrap(), "{left_over:?}");
        }
    }

    #[test]
    fn e12_a_server_that_answers_noop_with_something_else_is_out_of_step() {
        for noop in ["\r\n", "garbage\r\n", "1 300\r\n+OK\r\n", "+OKAY\r\n"] {
            assert!(!in_step(HEADER, noop).unwrap(), "{noop:?}");
        }
    }

    #[test]
    fn e12_a_session_whose_replies_are_under_way_is_out_of_step() {
        let (mut session, heard) = session(true, |_| HEADER.into());
        session.wire.send(Command::Stat).unwrap();
        assert!(!session.is_in_step().unwrap());
        assert!(!heard.lock().unwrap().contains(&"NOOP".to_owned()));
    }

    #[test]
    fn e12_a_server_that_is_gone_is_neither() {
        let closed = in_step(HEADER, "").unwrap_err();
        let source = net::Error::Closed;
        assert_eq!(
            closed.to_string(),
            Error::Net {
                phase: Phase::Step,
                source,
                under_way: UnderWay::One,
                message: None,
            }
            .to_string()
        );
    }
}
