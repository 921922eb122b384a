//! The embedded POP3 server: well behaved by default, with a log of all it saw.

use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustls::ServerConfig;

use super::account::{Account, Security};
use super::behaviour::Behaviour;
use super::certificate::Authority;
use super::listener::Listener;
use super::maildrop::Maildrop;
use super::run::Home;
use super::session;
use super::wire::{Ending, Wire};

/// A POP3 server in this process, on a free port of 127.0.0.1. All its threads end with it.
pub struct Server {
    listener: Listener,
    shared: Arc<Shared>,
    roots: Option<PathBuf>,
    /// Owns the directory of the PEM file.
    _authority: Option<Authority>,
}

/// How a [`Server`] is to be; start it with [`ServerBuilder::start`].
pub struct ServerBuilder {
    maildrop: Maildrop,
    behaviour: Behaviour,
    sessions: Vec<(usize, Behaviour)>,
    user: String,
    password: String,
    security: Security,
    hook: Option<Hook>,
}

pub(super) type Hook = Arc<dyn Fn(&CommandSeen) + Send + Sync>;

/// What a hook is told, before the command is answered or has any effect.
#[derive(Clone, Debug)]
pub struct CommandSeen {
    /// Which session, counted from 0.
    pub session: usize,
    /// How many command lines came before it in this session.
    pub index: usize,
    /// The command line without its line end.
    pub line: String,
}

/// One session as the server saw it.
#[derive(Clone, Debug, Default)]
pub struct SessionLog {
    /// Each command line without its line end, in order.
    pub commands: Vec<String>,
    /// Octets sent to the client before encryption, greeting included.
    pub octets_sent: u64,
    /// How many times the server had sent something and had to wait for the client: the number of
    /// round trips, the one for the greeting included and that of QUIT's answer not.
    pub flights: u64,
    /// How it ended.
    pub ended: How,
}

/// How a session ended.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum How {
    /// The server ended it as its behaviour said.
    Cut(Ending),
    /// An I/O or TLS error, such as a refused certificate.
    Failed(String),
    /// The client closed without QUIT.
    Left,
    /// QUIT, answered; the UPDATE state was entered if the client had signed in.
    Quit,
    /// Not ended yet.
    #[default]
    Running,
}

pub(super) struct Shared {
    pub(super) maildrop: Maildrop,
    pub(super) user: String,
    pub(super) password: String,
    pub(super) hook: Option<Hook>,
    behaviour: Mutex<Behaviour>,
    sessions: Vec<(usize, Behaviour)>,
    tls: Option<Arc<ServerConfig>>,
    /// TLS only after STLS.
    pub(super) starts_in_clear: bool,
    logs: Mutex<Vec<SessionLog>>,
    ended: Condvar,
}

impl Server {
    /// A good POP3S server for `maildrop`, user "ada", password "secret", whose certificate is for
    /// localhost and from an authority of its own.
    pub fn start(maildrop: &Maildrop) -> Self {
        Self::builder(maildrop).start()
    }

    /// The same, to be changed before it starts.
    pub fn builder(maildrop: &Maildrop) -> ServerBuilder {
        ServerBuilder {
            maildrop: maildrop.clone(),
            behaviour: Behaviour::default(),
            sessions: Vec::new(),
            user: "ada".into(),
            password: "secret".into(),
            security: Security::default(),
            hook: None,
        }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.listener.port()
    }

    /// What a client needs to know to sign in.
    pub fn account(&self) -> Account {
        Account {
            host: "localhost".into(),
            port: self.port(),
            user: self.shared.user.clone(),
            password: self.shared.password.clone(),
            roots: self.roots.clone(),
        }
    }

    /// The maildrop it serves.
    pub fn maildrop(&self) -> &Maildrop {
        &self.shared.maildrop
    }

    /// Behaves otherwise from the next session on.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap() = behaviour;
    }

    /// All sessions, once none of them is running any more.
    ///
    /// Panics if one still is after half a minute, which a stalled session does until its client
    /// gives up.
    pub fn sessions(&self) -> Vec<SessionLog> {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut logs = self.shared.logs.lock().unwrap();
        while logs.iter().any(|log| log.ended == How::Running) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "a session does not end: {logs:#?}");
            logs = self.shared.ended.wait_timeout(logs, left).unwrap().0;
        }
        logs.clone()
    }

    /// All sessions as they are now, those that are running included.
    pub fn sessions_so_far(&self) -> Vec<SessionLog> {
        self.shared.logs.lock().unwrap().clone()
    }

    /// How many commands with this keyword came in all sessions.
    pub fn count(&self, keyword: &str) -> usize {
        self.sessions().iter().map(|log| log.count(keyword)).sum()
    }

    /// The newest session, once none is running any more.
    pub fn last_session(&self) -> SessionLog {
        self.sessions().pop().expect("no session yet")
    }
}

impl SessionLog {
    /// How many of the commands are this one: a keyword ("RETR"), or one with its arguments
    /// ("RETR 4").
    pub fn count(&self, command: &str) -> usize {
        let is = |line: &&String| {
            let keyword = line.split(' ').next().unwrap_or_default();
            [keyword, line.as_str()]
                .iter()
                .any(|part| part.eq_ignore_ascii_case(command))
        };
        self.commands.iter().filter(is).count()
    }
}

impl ServerBuilder {
    /// What it does in each session that has no behaviour of its own.
    pub fn behaviour(mut self, behaviour: Behaviour) -> Self {
        self.behaviour = behaviour;
        self
    }

    /// What it does in session `index`, counted from 0.
    pub fn session(mut self, index: usize, behaviour: Behaviour) -> Self {
        self.sessions.push((index, behaviour));
        self
    }

    /// Who may sign in.
    pub fn credentials(mut self, user: &str, password: &str) -> Self {
        (self.user, self.password) = (user.into(), password.into());
        self
    }

    /// No TLS, or another certificate than a good one.
    pub fn security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// Calls `hook` for each command line before it is answered or has any effect, so that a test
    /// can look at the Maildir at the very moment a DELE or QUIT arrives. If it panics, so does
    /// the drop of the server.
    pub fn on_command(mut self, hook: impl Fn(&CommandSeen) + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    /// Starts, and makes a home with the one account "a" on it, which has these keys as well.
    pub fn with_home(self, keys: &str) -> (Server, Home) {
        let server = self.start();
        let home = Home::of(&server.account(), keys);
        (server, home)
    }

    /// Starts listening.
    pub fn start(self) -> Server {
        let starts_in_clear = self.security.starts_in_clear();
        let (authority, roots, tls) = self.security.prepare();
        let shared = Arc::new(Shared {
            maildrop: self.maildrop,
            user: self.user,
            password: self.password,
            hook: self.hook,
            behaviour: Mutex::new(self.behaviour),
            sessions: self.sessions,
            tls,
            starts_in_clear,
            logs: Mutex::default(),
            ended: Condvar::new(),
        });
        let serving = Arc::clone(&shared);
        Server {
            listener: Listener::start(move |index, socket| serving.serve(index, socket)),
            shared,
            roots,
            _authority: authority,
        }
    }
}

impl Shared {
    fn serve(&self, index: usize, socket: Arc<TcpStream>) {
        // Whatever happens below, a panic included, the log gets its end.
        let mut ended = Ended(self, index, How::Failed("panicked".into()));
        self.log(index, |_| ());
        let behaviour = self.behaviour_of(index);
        let tls = self.tls.as_ref().filter(|_| !self.starts_in_clear);
        let how = match Wire::accept(socket, tls) {
            Ok(wire) => session::serve(self, index, behaviour, wire),
            Err(error) => How::Failed(error.to_string()),
        };
        ended.2 = how;
    }

    /// What STLS leads to, where it is known.
    pub(super) fn after_stls(&self) -> Option<&Arc<ServerConfig>> {
        self.tls.as_ref().filter(|_| self.starts_in_clear)
    }

    fn behaviour_of(&self, index: usize) -> Behaviour {
        let own = self.sessions.iter().find(|(session, _)| *session == index);
        own.map_or_else(
            || self.behaviour.lock().unwrap().clone(),
            |(_, behaviour)| behaviour.clone(),
        )
    }

    /// Changes the log of session `index`.
    pub(super) fn log(&self, index: usize, change: impl FnOnce(&mut SessionLog)) {
        let mut logs = self.logs.lock().unwrap();
        if logs.len() <= index {
            logs.resize_with(index + 1, SessionLog::default);
        }
        change(&mut logs[index]);
    }
}

struct Ended<'a>(&'a Shared, usize, How);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let how = std::mem::take(&mut self.2);
        self.0.log(self.1, |log| log.ended = how);
        self.0.ended.notify_all();
    }
}
