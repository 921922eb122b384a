//! A server that knows no POP3 at all: it plays what a test wrote down, octet by octet.

use std::io;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustls::ServerConfig;

use super::account::{Account, Security};
use super::certificate::Authority;
use super::listener::Listener;
use super::wire::{Ending, Lines, Wire};

/// What happens in one session, step by step.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Drip(Vec<u8>, Duration),
    End(Ending),
    Expect(String),
    ExpectAny,
    ExpectClose,
    Pause(Duration),
    Send(Vec<u8>),
    SendForever(Vec<u8>),
    SendTimes(Vec<u8>, usize),
    StartTls,
}

/// A running script; its sessions play the scenes in their order, and any session after the last
/// is closed at once.
pub struct Script {
    listener: Listener,
    stage: Arc<Stage>,
    roots: Option<PathBuf>,
    _authority: Option<Authority>,
}

/// What became of a scene.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// Each line that the client sent, without its line end.
    pub received: Vec<String>,
    /// Where the client did not follow the script.
    pub mismatch: Option<String>,
    /// Whether it is over.
    pub over: bool,
}

#[derive(Default)]
struct Stage {
    played: Mutex<Vec<Played>>,
    ended: Condvar,
}

impl Scene {
    /// A scene with no steps: the connection is closed at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// A scene that begins with a greeting, CAPA refused, and USER and PASS, for scripts that are
    /// about what follows. Any user and password will do.
    pub fn signed_in() -> Self {
        let scene = Self::new().send("+OK ready\r\n");
        let scene = scene.expect("CAPA").send("-ERR unknown\r\n");
        let scene = scene.expect("USER").send("+OK\r\n");
        scene.expect("PASS").send("+OK\r\n")
    }

    /// Sends octets.
    pub fn send(self, octets: impl AsRef<[u8]>) -> Self {
        self.step(Step::Send(octets.as_ref().into()))
    }

    /// Sends octets over and over until the client gives up.
    pub fn send_forever(self, octets: impl AsRef<[u8]>) -> Self {
        self.step(Step::SendForever(octets.as_ref().into()))
    }

    /// Sends octets so many times.
    pub fn send_times(self, octets: impl AsRef<[u8]>, times: usize) -> Self {
        self.step(Step::SendTimes(octets.as_ref().into(), times))
    }

    /// Sends octets one by one, this long apart, as slow-loris attacks do.
    pub fn drip(self, octets: impl AsRef<[u8]>, interval: Duration) -> Self {
        self.step(Step::Drip(octets.as_ref().into(), interval))
    }

    /// Does nothing for a while.
    pub fn pause(self, time: Duration) -> Self {
        self.step(Step::Pause(time))
    }

    /// Waits for a line that is `line`, or begins with it and a space.
    pub fn expect(self, line: &str) -> Self {
        self.step(Step::Expect(line.into()))
    }

    /// Waits for a line, whatever it is.
    pub fn expect_any(self) -> Self {
        self.step(Step::ExpectAny)
    }

    /// Waits for the client to close without another line.
    pub fn expect_close(self) -> Self {
        self.step(Step::ExpectClose)
    }

    /// Shakes hands; what follows is with TLS. For [`Security::StartTls`].
    pub fn start_tls(self) -> Self {
        self.step(Step::StartTls)
    }

    /// Says nothing more until the client gives up.
    pub fn stall(self) -> Self {
        self.step(Step::End(Ending::Stall))
    }

    /// Closes as it should be done, which is also what the end of the script does.
    pub fn close(self) -> Self {
        self.step(Step::End(Ending::Close))
    }

    /// Closes without TLS close_notify.
    pub fn cut(self) -> Self {
        self.step(Step::End(Ending::Cut))
    }

    /// Resets the connection.
    pub fn reset(self) -> Self {
        self.step(Step::End(Ending::Reset))
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl Script {
    /// Starts listening.
    pub fn start(security: Security, scenes: impl IntoIterator<Item = Scene>) -> Self {
        let starts_in_clear = security.starts_in_clear();
        let (authority, roots, tls) = security.prepare();
        let scenes: Vec<Scene> = scenes.into_iter().collect();
        let stage = Arc::new(Stage::default());
        let on_stage = Arc::clone(&stage);
        let listener = Listener::start(move |index, socket: Arc<TcpStream>| {
            let scene = scenes.get(index).cloned().unwrap_or_default();
            on_stage.note(index, |_| ());
            let at_once = tls.as_ref().filter(|_| !starts_in_clear);
            let result = Wire::accept(socket, at_once)
                .and_then(|wire| on_stage.play(index, scene, wire, tls.as_ref()));
            on_stage.note(index, |played| {
                played.over = true;
                if let (Err(error), None) = (result, &played.mismatch) {
                    played.mismatch = Some(error.to_string());
                }
            });
            on_stage.ended.notify_all();
        });
        Self {
            listener,
            stage,
            roots,
            _authority: authority,
        }
    }

    /// One scene over TLS with a good certificate.
    pub fn tls(scene: Scene) -> Self {
        Self::start(Security::default(), [scene])
    }

    /// One scene without TLS.
    pub fn plain(scene: Scene) -> Self {
        Self::start(Security::Plain, [scene])
    }

    /// What a client needs to know; the script decides whether it is signed in.
    pub fn account(&self) -> Account {
        Account::of_ada(self.listener.port(), self.roots.clone())
    }

    /// What became of the scenes, once all that began are over. Panics if one is not over within
    /// half a minute.
    pub fn played(&self) -> Vec<Played> {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut played = self.stage.played.lock().unwrap();
        while played.iter().any(|scene| !scene.over) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "a scene does not end: {played:#?}");
            played = self.stage.ended.wait_timeout(played, left).unwrap().0;
        }
        played.clone()
    }

    /// Fails if a client did not follow the script; returns the lines of the first scene.
    pub fn assert_followed(&self) -> Vec<String> {
        let played = self.played();
        for (index, scene) in played.iter().enumerate() {
            let Some(mismatch) = &scene.mismatch else {
                continue;
            };
            panic!("scene {index}: {mismatch}; received {:#?}", scene.received);
        }
        let first = played.into_iter().next();
        first.expect("nobody connected").received
    }
}

impl Stage {
    fn note(&self, index: usize, change: impl FnOnce(&mut Played)) {
        let mut played = self.played.lock().unwrap();
        if played.len() <= index {
            played.resize_with(index + 1, Played::default);
        }
        change(&mut played[index]);
    }

    fn play(
        &self,
        index: usize,
        scene: Scene,
        mut wire: Wire,
        tls: Option<&Arc<ServerConfig>>,
    ) -> io::Result<()> {
        let mut lines = Lines::default();
        for step in scene.steps {
            let wrong = match step {
                Step::Drip(octets, interval) => {
                    for octet in octets.chunks(1) {
                        if wire.write(octet).is_err() {
                            return Ok(()); // The client gave up, as it should.
                        }
                        thread::sleep(interval);
                    }
                    None
                }
                Step::End(ending) => {
                    wire.end(ending);
                    return Ok(());
                }
                Step::Expect(wanted) => match self.line(index, &mut lines, &mut wire)? {
                    Some(line) if follows(&line, &wanted) => None,
                    other => Some(format!("expected {wanted:?}, received {other:?}")),
                },
                Step::ExpectAny => match self.line(index, &mut lines, &mut wire)? {
                    Some(_) => None,
                    None => Some("expected a line, but the client closed".into()),
                },
                Step::ExpectClose => self
                    .line(index, &mut lines, &mut wire)?
                    .map(|line| format!("expected a close, received {line:?}")),
                Step::Pause(time) => {
                    thread::sleep(time);
                    None
                }
                Step::Send(octets) => {
                    wire.write(&octets)?;
                    None
                }
                Step::SendTimes(octets, times) => {
                    for _ in 0..times {
                        wire.write(&octets)?;
                    }
                    None
                }
                Step::StartTls => {
                    wire.start_tls(tls.expect("no certificate"))?;
                    None
                }
                Step::SendForever(octets) => {
                    while wire.write(&octets).is_ok() {}
                    return Ok(());
                }
            };
            if wrong.is_some() {
                self.note(index, |played| played.mismatch = wrong);
                break;
            }
        }
        wire.end(Ending::Close);
        Ok(())
    }

    fn line(&self, index: usize, lines: &mut Lines, wire: &mut Wire) -> io::Result<Option<String>> {
        loop {
            if let Some(line) = lines.next() {
                let line = String::from_utf8_lossy(&line).trim_end().to_string();
                self.note(index, |played| played.received.push(line.clone()));
                return Ok(Some(line));
            }
            match lines.fill(wire) {
                Ok(true) => (),
                Ok(false) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }
}

fn follows(line: &str, wanted: &str) -> bool {
    line.strip_prefix(wanted)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}
