//! An LMTP server at a socket that says what a test wants it to say, and keeps what it takes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::process::{PATIENCE, within};
pub use super::scripted::Act;
use super::scripted::Scripted;

/// A server. It ends with this value.
pub struct Lmtp {
    path: PathBuf,
    port: u16,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    scripted: Arc<Scripted>,
    /// The lines behind the first one of the reply to LHLO.
    abilities: Mutex<Vec<String>>,
    taken: Mutex<Vec<Vec<u8>>>,
}

impl Lmtp {
    /// At this socket, which is made, and at a port of 127.0.0.1.
    pub fn at(path: &Path) -> Self {
        let shared = Arc::new(Shared::default());
        *shared.abilities.lock().unwrap() = ["PIPELINING", "8BITMIME", "SIZE"]
            .map(str::to_owned)
            .to_vec();
        let socket = UnixListener::bind(path).unwrap();
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = tcp.local_addr().unwrap().port();
        let accepting = {
            let shared = Arc::clone(&shared);
            move || {
                while let Ok((stream, _)) = socket.accept()
                    && attend(&shared, stream)
                {}
            }
        };
        let accepting_tcp = {
            let shared = Arc::clone(&shared);
            move || {
                while let Ok((stream, _)) = tcp.accept()
                    && attend(&shared, stream)
                {}
            }
        };
        Self {
            path: path.to_owned(),
            port,
            shared,
            threads: vec![thread::spawn(accepting), thread::spawn(accepting_tcp)],
        }
    }

    /// From now on it does that at this step, and what is good at the others. Steps are `greeting`, the
    /// commands, `again` for MAIL behind a message, `midst` behind the first line of a message, `end` behind a
    /// message.
    pub fn behave(&self, step: &'static str, act: Act) {
        self.shared.scripted.behave(step, act, usize::MAX);
    }

    /// From now on all goes well.
    pub fn behave_well(&self) {
        self.shared.scripted.behave_well();
    }

    /// It announces these and nothing else.
    pub fn announce(&self, abilities: &[&str]) {
        let abilities = abilities.iter().map(|&it| it.to_owned());
        *self.shared.abilities.lock().unwrap() = abilities.collect();
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it has taken, lines ending with LF, once nobody is connected any more.
    pub fn taken(&self) -> Vec<Vec<u8>> {
        self.shared.scripted.settle();
        self.shared.taken.lock().unwrap().clone()
    }

    /// Waits until it has a whole message, answered or not.
    pub fn wait_for_a_message(&self) {
        let has_one = || (!self.shared.taken.lock().unwrap().is_empty()).then_some(());
        assert!(within(PATIENCE, has_one).is_some(), "no message comes");
    }

    /// Waits until somebody is connected.
    pub fn wait_for_a_client(&self) {
        let has_one = || (self.shared.scripted.at_work() > 0).then_some(());
        assert!(within(PATIENCE, has_one).is_some(), "nobody comes");
    }

    /// The commands of each session, once nobody is connected any more.
    pub fn sessions(&self) -> Vec<Vec<String>> {
        self.shared.scripted.sessions()
    }
}

impl Drop for Lmtp {
    fn drop(&mut self) {
        self.shared.scripted.end();
        drop(UnixStream::connect(&self.path));
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Serves a client in a thread of its own; whether others are wanted.
fn attend(shared: &Arc<Shared>, stream: impl Read + Write + Send + 'static) -> bool {
    let serving = Arc::clone(shared);
    let serve =
        move |commands: &mut Vec<String>| serve(&serving, &mut BufReader::new(stream), commands);
    shared.scripted.attend(serve)
}

fn serve<S: Read + Write>(
    shared: &Shared,
    stream: &mut BufReader<S>,
    commands: &mut Vec<String>,
) -> std::io::Result<()> {
    if !answer(shared, stream, "greeting", "220 test LMTP ready\r\n")? {
        return Ok(());
    }
    let mut is_first = true;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_owned();
        let word = line.split([' ', ':']).next().unwrap_or_default().to_owned();
        commands.push(line);
        let go_on = match word.as_str() {
            "LHLO" => {
                let mut lines = vec!["test".to_owned()];
                lines.extend(shared.abilities.lock().unwrap().clone());
                let last = lines.len() - 1;
                let lines = lines.iter().enumerate().map(|(at, line)| {
                    let mark = if at == last { ' ' } else { '-' };
                    format!("250{mark}{line}\r\n")
                });
                answer(shared, stream, "LHLO", &lines.collect::<String>())?
            }
            "MAIL" => {
                let step = if is_first { "MAIL" } else { "again" };
                answer(shared, stream, step, "250 2.1.0 fine\r\n")?
            }
            "RCPT" => answer(shared, stream, "RCPT", "250 2.1.5 fine\r\n")?,
            "DATA" => {
                let scripted = &shared.scripted;
                let (act, midst) = (scripted.has("DATA"), scripted.has("midst"));
                let go_on = answer(shared, stream, "DATA", "354 go on\r\n")?;
                is_first = false;
                match act {
                    true => go_on,
                    false if midst => {
                        stream.read_line(&mut String::new())?;
                        answer(shared, stream, "midst", "")?
                    }
                    false => {
                        let message = read_message(stream)?;
                        shared.taken.lock().unwrap().push(message);
                        answer(shared, stream, "end", "250 2.0.0 taken\r\n")?
                    }
                }
            }
            "QUIT" => {
                let _ = stream.get_mut().write_all(b"221 bye\r\n");
                false
            }
            _ => answer(shared, stream, "other", "500 what?\r\n")?,
        };
        if !go_on {
            return Ok(());
        }
    }
}

/// What is said at a step; whether the session goes on.
fn answer<S: Read + Write>(
    shared: &Shared,
    stream: &mut BufReader<S>,
    step: &'static str,
    good: &str,
) -> std::io::Result<bool> {
    shared.scripted.answer(stream, (step, ""), good)
}

/// Up to the end, without what the transfer adds.
fn read_message(stream: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(message);
        }
        let line = line.strip_prefix(b".").unwrap_or(&line);
        let text = line.strip_suffix(b"\r\n").expect("a line ends with CRLF");
        message.extend_from_slice(text);
        message.push(b'\n');
    }
}
