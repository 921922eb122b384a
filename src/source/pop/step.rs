//! TRANSACTION: whether replies and commands are still in step (NOOP, RFC 1939 section 5).

use super::{Error, Phase, Session, Transaction};
use crate::pop3::{Behind, Command, Violation};

impl Session<Transaction> {
    /// Whether the server has answered what it was asked, and no more: NOOP gets a status line, and
    /// nothing that says anything has come before or behind it.
    ///
    /// A body that was cut, or that ended early because the server does not byte-stuff, leaves
    /// something over, as does a server that sends a whole message twice. What was read so far can then
    /// not be trusted, and the session is of no more use.
    ///
    /// # Errors
    /// Where the connection fails, or the server says nothing; [`Violation::Idle`] where it sends lines
    /// that say nothing, and that is not known of it.
    pub(in crate::source) fn is_in_step(&mut self) -> Result<bool, Error> {
        if self.wire.pending() > 0 || !self.is_silent()? {
            return Ok(false);
        }
        self.wire.send(Command::Noop)?;
        match self.wire.answer(Phase::Step) {
            Ok(_) => self.is_silent(),
            Err(error) if error.is_over_idle_lines() => Err(error),
            Err(Error::Violation { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether nothing is there that says anything.
    fn is_silent(&mut self) -> Result<bool, Error> {
        match self.wire.look_behind(Phase::Step)? {
            Behind::Nothing => Ok(true),
            Behind::Begun | Behind::Something => Ok(false),
            Behind::Idle => Err(Error::violation(Phase::Step, Violation::Idle)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::session;
    use super::*;
    use crate::net;
    use crate::pop3::MessageNumber;
    use crate::source::UnderWay;

    /// What a server's answers to TOP and NOOP come to.
    fn in_step(lenient: bool, top: &'static str, noop: &'static str) -> Result<bool, Error> {
        let (mut session, _) = session(true, move |command| match command {
            "NOOP" => noop.into(),
            _ => top.into(),
        });
        if lenient {
            session.wire.pass_idle_lines();
        }
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
            assert!(in_step(false, HEADER, noop).unwrap(), "{noop:?}");
        }
    }

    #[test]
    fn e12_a_server_that_sent_too_much_is_out_of_step() {
        for left_over in [
            "-ERR\r\n",
            "rest of it\r\n.\r\n",
            "+OK 30 octets\r\nSubject: a\r\n\r\n.\r\n",
            "\r\nx\r\n",
            "\r\n.\r\n",
            "x",
            "+OKAY\r\n",
        ] {
            for lenient in [false, true] {
                let top = [HEADER, left_over].concat();
                let behind_top = in_step(lenient, top.leak(), "+OK\r\n");
                assert!(!behind_top.unwrap(), "{left_over:?}");
                let noop = ["+OK\r\n", left_over].concat();
                let behind_noop = in_step(lenient, HEADER, noop.leak());
                assert!(!behind_noop.unwrap(), "{left_over:?}");
            }
        }
    }

    #[test]
    fn d2_lines_that_say_nothing_are_told_of_a_server_and_passed_over_once_that_is_known() {
        for idle in [
            "\r\n",
            "\r\n\r\n",
            "\r",
            " \r\n",
            "+OK\r\n",
            "\r\n+OK hello\r\n",
        ] {
            let (top, noop) = ([HEADER, idle].concat(), ["+OK\r\n", idle].concat());
            let (top, noop) = (&*top.leak(), &*noop.leak());
            for (top, noop) in [(top, "+OK\r\n"), (HEADER, noop), (top, noop)] {
                let error = in_step(false, top, noop).unwrap_err();
                assert!(error.is_over_idle_lines(), "{idle:?} {error}");
                assert!(in_step(true, top, noop).unwrap(), "{idle:?}");
            }
        }
        // A few of them.
        let many = [HEADER, &"\r\n".repeat(5)].concat();
        assert!(!in_step(true, many.leak(), "+OK\r\n").unwrap());
    }

    #[test]
    fn e12_a_server_that_answers_noop_with_something_else_is_out_of_step() {
        for noop in ["\r\n", "garbage\r\n", "1 300\r\n+OK\r\n", "+OKAY\r\n"] {
            assert!(!in_step(false, HEADER, noop).unwrap(), "{noop:?}");
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
        let closed = in_step(false, HEADER, "").unwrap_err();
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
