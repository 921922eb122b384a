//! A session with a server that is a function, for tests of what goes over the wire.

use super::wire::Wire;
use super::{Method, Options, Phase, Secrets, Session, Transaction};
use crate::net::{self, Channel, Moved};
use crate::pop3::Capabilities;
use crate::source::folders::Folders;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What a server was sent, command by command.
pub(super) type Heard = Arc<Mutex<Vec<String>>>;

/// Answers each command as soon as it has come, and closes where it is waited for in vain.
struct Answering<F> {
    answer: F,
    unsent: Vec<u8>,
    heard: Heard,
}

impl<F: FnMut(&str) -> Vec<u8> + Send> Channel for Answering<F> {
    fn exchange(
        &mut self,
        output: &[u8],
        input: &mut [u8],
        deadline: Instant,
    ) -> Result<Moved, net::Error> {
        for line in std::str::from_utf8(output).unwrap().lines() {
            self.heard.lock().unwrap().push(line.to_owned());
            self.unsent.extend((self.answer)(line));
        }
        let received = input.len().min(self.unsent.len());
        for (place, octet) in input.iter_mut().zip(self.unsent.drain(..received)) {
            *place = octet;
        }
        match received {
            0 if deadline <= Instant::now() => Err(net::Error::TimedOut(0)),
            0 => Err(net::Error::Closed),
            _ => Ok(Moved {
                sent: output.len(),
                received,
            }),
        }
    }
}

/// One command at a time, with a server that is silent for so long at most.
pub(super) fn plain(timeout: Duration) -> Options {
    Options {
        timeout,
        patience: timeout,
        pipelining: false,
        start_tls: false,
        capabilities: false,
        utf8: false,
        ahead: false,
        shortcut: None,
        lists_in_parts: false,
        detour: None,
        lenient: false,
        folders: Folders::default(),
        transcript: None,
    }
}

/// A session in which somebody has signed in.
pub(super) fn session(
    pipelining: bool,
    answer: impl FnMut(&str) -> Vec<u8> + Send + 'static,
) -> (Session<Transaction>, Heard) {
    let options = Options {
        pipelining,
        ..plain(Duration::from_secs(60))
    };
    let heard = Heard::default();
    let channel = Answering {
        answer,
        unsent: b"+OK ready\r\n".to_vec(),
        heard: Arc::clone(&heard),
    };
    let mut wire = Wire::new(Box::new(channel), &options, Secrets::default());
    assert!(wire.answer(Phase::Greeting).unwrap().ok);
    let capabilities = Capabilities {
        pipelining,
        ..Capabilities::default()
    };
    let session = Session {
        wire,
        options,
        capabilities,
        state: Transaction {
            asked_again: false,
            listing: false,
            shortcut: None,
            detour: None,
            method: Method::UserPass,
            top_lines: None,
        },
    };
    (session, heard)
}
