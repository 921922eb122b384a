use super::*;
use crate::net::Moved;
use std::collections::VecDeque;
use std::thread;

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
    let options = Options {
        timeout: TIMEOUT,
        pipelining: false,
        start_tls: false,
        capabilities: false,
        utf8: false,
        ahead: false,
        shortcut: None,
        detour: None,
        transcript: None,
    };
    let server = Ready([&b"+OK ready\r\n"[..], b"+OK\r\n1 a\r\n", b"2 b\r\n.\r\n"].into());
    let mut wire = Wire::new(Box::new(server), &options, Secrets::default());
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
