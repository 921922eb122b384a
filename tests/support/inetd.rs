//! TLS in front of a real server that speaks POP3 on its standard input and output, as inetd starts
//! them: one child a connection.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustls::ServerConfig;

use super::account::Account;
use super::certificate::Authority;
use super::listener::Listener;
use super::process::{Daemon, within};
use super::wire::{Ending, Wire};

/// POP3S on a free port of 127.0.0.1, and a child of its own for each connection. All of them end
/// with it.
pub struct Inetd {
    listener: Listener,
    shared: Arc<Shared>,
    authority: Authority,
    user: String,
}

/// Who says whether the client may come in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Door {
    /// The server itself.
    Servers,
    /// We do, with USER and PASS: the server is started only for those who are in, and begins with
    /// the reply to PASS.
    Ours,
}

/// What went over a connection, decrypted.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    /// What the client sent.
    pub client: String,
    /// What it was sent.
    pub server: String,
    /// Whether the child has ended, by itself.
    ended: bool,
}

struct Shared {
    tls: Arc<ServerConfig>,
    door: Door,
    user: String,
    child: Box<dyn Fn() -> Command + Send + Sync>,
    transcripts: Mutex<Vec<Transcript>>,
    ended: Condvar,
}

/// What Courier announces before the sign-in, which is the server that needs a door of ours.
const CAPABILITIES: &str = "+OK Here's what I can do:\r\nTOP\r\nUSER\r\nLOGIN-DELAY 10\r\n\
    PIPELINING\r\nUIDL\r\nUTF8 USER\r\nIMPLEMENTATION Courier Mail Server\r\n.\r\n";

const PASSWORD: &str = "secret";

/// How long a child may take to end after its client is gone, and a test may wait for that.
const LIMIT: Duration = Duration::from_secs(30);

impl Inetd {
    /// Starts `child` for each connection of `user`, whose password is "secret".
    pub fn start(
        user: &str,
        door: Door,
        child: impl Fn() -> Command + Send + Sync + 'static,
    ) -> Self {
        let authority = Authority::new();
        let shared = Arc::new(Shared {
            tls: authority.localhost().server_config(),
            door,
            user: user.into(),
            child: Box::new(child),
            transcripts: Mutex::default(),
            ended: Condvar::new(),
        });
        let serving = Arc::clone(&shared);
        Self {
            listener: Listener::start(move |index, socket| serving.serve(index, socket)),
            shared,
            authority,
            user: user.into(),
        }
    }

    /// What a client needs to know to sign in.
    pub fn account(&self) -> Account {
        Account {
            host: "localhost".into(),
            port: self.listener.port(),
            user: self.user.clone(),
            password: PASSWORD.into(),
            roots: Some(self.authority.pem_file()),
        }
    }

    /// All connections, once none of them has a child any more: what a server does at the end of a
    /// session is done only then.
    pub fn sessions(&self) -> Vec<Transcript> {
        let deadline = Instant::now() + LIMIT + LIMIT;
        let mut transcripts = self.shared.transcripts.lock().unwrap();
        while transcripts.iter().any(|it| !it.ended) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "a session does not end: {transcripts:#?}");
            transcripts = self.shared.ended.wait_timeout(transcripts, left).unwrap().0;
        }
        transcripts.clone()
    }
}

impl Transcript {
    /// The lines of the reply to the first LIST or UIDL, if nothing but short replies and listings
    /// came before.
    pub fn listing(&self, command: &str) -> Vec<&str> {
        let mut lines = self.server.split("\r\n").skip(1);
        for sent in self.client.split("\r\n") {
            let reply = lines.next().unwrap_or_default();
            let mut listing = Vec::new();
            if ["CAPA", "LIST", "UIDL"].contains(&sent) && reply.starts_with("+OK") {
                listing.extend(lines.by_ref().take_while(|line| *line != "."));
            }
            if sent == command {
                return listing;
            }
        }
        Vec::new()
    }
}

impl Shared {
    fn serve(&self, index: usize, socket: Arc<TcpStream>) {
        let _ended = Ended(self, index);
        self.log(index, |_| ());
        let Ok(mut wire) = Wire::accept(Arc::clone(&socket), Some(&self.tls)) else {
            return;
        };
        // An error means that the client is gone.
        let _gone = self.let_in_and_relay(index, &socket, &mut wire);
        drop(socket);
        wire.end(Ending::Close);
    }

    fn let_in_and_relay(
        &self,
        index: usize,
        socket: &TcpStream,
        wire: &mut Wire,
    ) -> io::Result<()> {
        let ahead = match self.door {
            Door::Servers => Vec::new(),
            Door::Ours => match self.let_in(index, wire)? {
                Some(ahead) => ahead,
                None => return Ok(()),
            },
        };
        let mut command = (self.child)();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut daemon = Daemon::start(&mut command);
        let relayed = self.relay(index, socket, wire, &mut daemon, &ahead);
        // Without input it ends, by its own way out, whether the client said QUIT or not. It is
        // killed only where it does not, or when the client of a blocked one is gone.
        drop(daemon.child().stdin.take());
        if relayed.is_err() {
            drop(daemon.child().stdout.take());
        }
        let ended = within(LIMIT, || daemon.has_ended().then_some(()));
        assert!(ended.is_some(), "{command:?} does not end");
        relayed
    }

    fn relay(
        &self,
        index: usize,
        socket: &TcpStream,
        wire: &mut Wire,
        daemon: &mut Daemon,
        ahead: &[u8],
    ) -> io::Result<()> {
        let child = daemon.child();
        let mut input = child.stdin.take().unwrap();
        let output = child.stdout.as_mut().unwrap();
        input.write_all(ahead)?;
        let mut input = Some(input);
        let mut piece = [0; 1 << 14];
        loop {
            let mut ready = [
                PollFd::new(&*output, PollFlags::IN),
                PollFd::new(socket, PollFlags::IN),
            ];
            // What TLS has decrypted already wakes nobody up.
            if !(input.is_some() && wire.has_input(Duration::ZERO)?) {
                let watched = if input.is_some() { 2 } else { 1 };
                poll(&mut ready[..watched], None)?;
            }
            if !ready[0].revents().is_empty() {
                match output.read(&mut piece)? {
                    0 => return Ok(()),
                    n => {
                        self.log(index, |it| it.server += &latin1(&piece[..n]));
                        wire.write(&piece[..n])?;
                    }
                }
            }
            if let Some(pipe) = input.as_mut()
                && wire.has_input(Duration::ZERO)?
            {
                match wire.read(&mut piece)? {
                    0 => input = None,
                    n => {
                        self.log(index, |it| it.client += &latin1(&piece[..n]));
                        pipe.write_all(&piece[..n])?;
                    }
                }
            }
        }
    }

    /// Answers up to the right PASS; what the client has sent behind it, or None if it leaves.
    fn let_in(&self, index: usize, wire: &mut Wire) -> io::Result<Option<Vec<u8>>> {
        let say = |wire: &mut Wire, text: &str| {
            self.log(index, |it| it.server += text);
            wire.write(text.as_bytes())
        };
        say(wire, "+OK Hello there.\r\n")?;
        let (mut input, mut piece) = (Vec::new(), [0; 1 << 12]);
        let mut user = String::new();
        loop {
            let Some(end) = input.iter().position(|octet| *octet == b'\n') else {
                match wire.read(&mut piece)? {
                    0 => return Ok(None),
                    n => {
                        self.log(index, |it| it.client += &latin1(&piece[..n]));
                        input.extend_from_slice(&piece[..n]);
                    }
                }
                continue;
            };
            let line: Vec<u8> = input.drain(..=end).collect();
            let line = latin1(&line);
            match line.trim_end().split_once(' ') {
                Some(("USER", name)) => {
                    user = name.into();
                    say(wire, "+OK Password required.\r\n")?;
                }
                Some(("PASS", PASSWORD)) if user == self.user => return Ok(Some(input)),
                _ => match line.trim_end() {
                    "QUIT" => {
                        say(wire, "+OK Better luck next time.\r\n")?;
                        return Ok(None);
                    }
                    "CAPA" => say(wire, CAPABILITIES)?,
                    _ => say(wire, "-ERR Login failed.\r\n")?,
                },
            }
        }
    }

    fn log(&self, index: usize, change: impl FnOnce(&mut Transcript)) {
        let mut transcripts = self.transcripts.lock().unwrap();
        if transcripts.len() <= index {
            transcripts.resize_with(index + 1, Transcript::default);
        }
        change(&mut transcripts[index]);
    }
}

/// An octet a character, so that nothing of it is lost.
fn latin1(octets: &[u8]) -> String {
    octets.iter().map(|octet| char::from(*octet)).collect()
}

struct Ended<'a>(&'a Shared, usize);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.log(self.1, |it| it.ended = true);
        self.0.ended.notify_all();
    }
}
