use super::super::testing::plain;
use super::*;
use crate::net::Moved;
use std::collections::VecDeque;
use std::thread;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_millis(50);

/// A server each of whose answers has come by the time that somebody looks for it, and that is
/// silent in the end.
struct Ready(VecDeque<&'static [u8]>);

impl Channel for Ready {
    fn exchange(
        &mut self,
        output: &[u8],
        input: &mut [u8],
        deadline: Instant,
    ) -> Result<Moved, net::Error> {
        let Some(answer) = self.0.pop_front() else {
            thread::sleep(deadline.saturating_duration_since(Instant::now()));
            return Err(net::Error::TimedOut(0));
        };
        input[..answer.len()].copy_from_slice(answer);
        Ok(Moved {
            sent: output.len(),
            received: answer.len(),
        })
    }
}

#[test]
fn f5_what_has_come_while_the_disk_took_its_time_is_no_silence() {
    let server = Ready([&b"+OK ready\r\n"[..], b"+OK\r\n1 a\r\n", b"2 b\r\n.\r\n"].into());
    let mut wire = Wire::new(Box::new(server), &plain(TIMEOUT), Secrets::default());
    assert!(wire.answer(Phase::Greeting).unwrap().ok);
    wire.send(Command::Uidl).unwrap();
    // Between two answers, and in the middle of one.
    thread::sleep(3 * TIMEOUT);
    assert!(wire.answer(Phase::Listing).unwrap().ok);
    let mut lines = 0;
    let read = wire.lines(Phase::Listing, 10, |_| {
        lines += 1;
        thread::sleep(3 * TIMEOUT);
        Ok::<(), Error>(())
    });
    read.unwrap();
    assert_eq!(lines, 2);
    // Silence itself is noticed all the same.
    wire.send(Command::Noop).unwrap();
    thread::sleep(3 * TIMEOUT);
    let began = Instant::now();
    let silence = wire.answer(Phase::Listing).unwrap_err();
    assert!(matches!(
        silence,
        Error::Net {
            source: net::Error::TimedOut(_),
            ..
        }
    ));
    assert!(began.elapsed() >= TIMEOUT);
}

/// A server that takes so long before each of these.
struct Slow(Duration, VecDeque<&'static [u8]>);

impl Channel for Slow {
    fn exchange(
        &mut self,
        output: &[u8],
        input: &mut [u8],
        deadline: Instant,
    ) -> Result<Moved, net::Error> {
        let left = deadline.saturating_duration_since(Instant::now());
        thread::sleep(left.min(self.0));
        let answer = self.1.front().filter(|_| left > self.0);
        let Some(answer) = answer else {
            return Err(net::Error::TimedOut(0));
        };
        input[..answer.len()].copy_from_slice(answer);
        let received = answer.len();
        self.1.pop_front();
        Ok(Moved {
            sent: output.len(),
            received,
        })
    }
}

/// A connection to one that has greeted us, with a patience of so many times the timeout.
fn slow(delay: Duration, patience: Duration, answers: &[&'static [u8]]) -> Wire {
    let options = Options {
        patience,
        ..plain(TIMEOUT)
    };
    let answers = answers.iter().copied().collect();
    let mut wire = Wire::new(
        Box::new(Slow(Duration::ZERO, [&b"+OK ready\r\n"[..]].into())),
        &options,
        Secrets::default(),
    );
    assert!(wire.answer(Phase::Greeting).unwrap().ok);
    wire.link.go_over_to(Box::new(Slow(delay, answers)));
    wire
}

const SLOW: Duration = Duration::from_millis(150);
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn b9_a_server_may_think_before_the_sign_in_the_listings_and_the_first_message() {
    let retr = |number| Command::Retr(number, 10);
    let number = crate::pop3::MessageNumber::new(1).unwrap();
    let message = Phase::Message(number);
    for (phase, command, answers) in [
        (Phase::SignIn, Command::Pass("x"), &[&b"+OK\r\n"[..]][..]),
        (Phase::Listing, Command::Stat, &[b"+OK 1 10\r\n"]),
        (message, retr(number), &[b"+OK\r\n"]),
    ] {
        let mut wire = slow(SLOW, PATIENCE, answers);
        wire.send(command).unwrap();
        assert!(wire.answer(phase).unwrap().ok, "{phase}");
        // And where nobody asked for that.
        let mut wire = slow(SLOW, TIMEOUT, answers);
        wire.send(command).unwrap();
        assert!(wire.answer(phase).is_err(), "{phase}");
    }
    // Behind the status line as well, but not among the lines.
    let mut wire = slow(SLOW, PATIENCE, &[b"+OK\r\n", b"1 10\r\n", b".\r\n"]);
    wire.send(Command::List).unwrap();
    assert!(wire.answer(Phase::Listing).unwrap().ok);
    assert!(matches!(wire.next(Phase::Listing).unwrap(), Event::Line(_)));
    assert!(wire.next(Phase::Listing).is_err());
    let mut wire = slow(SLOW, PATIENCE, &[b"+OK\r\n", b"x\r\n.\r\n", b"+OK\r\n"]);
    wire.send(retr(number)).unwrap();
    assert!(wire.answer(message).unwrap().ok);
    while !matches!(wire.next(message).unwrap(), Event::MessageEnd(_)) {}
    // The second message has no mailbox to wait for.
    wire.send(retr(number)).unwrap();
    assert!(wire.answer(message).is_err());
    for phase in [
        Phase::Capabilities,
        Phase::Step,
        Phase::Deleting(crate::pop3::MessageNumber::new(1).unwrap()),
    ] {
        let mut wire = slow(SLOW, PATIENCE, &[b"+OK\r\n"]);
        wire.send(Command::Noop).unwrap();
        assert!(wire.answer(phase).is_err(), "{phase}");
    }
}

#[test]
fn b8_what_was_sent_behind_a_sign_in_is_not_waited_for_like_a_mailbox() {
    let mut wire = slow(SLOW, PATIENCE, &[b"+OK\r\n"]);
    wire.send(Command::Capa).unwrap();
    wire.link.expect_loss(true);
    assert!(wire.answer(Phase::Listing).is_err());
}
