use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use popfetch::durable::Disk;
use popfetch::state::{self, Claim, Moment};
use rustix::fs::{FlockOperation, flock};

use crate::support::account::{Account, Security};
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::process::{PATIENCE, within};
use crate::support::run::{Home, Output};
use crate::support::server::{CommandSeen, Server, SessionLog};

/// `count` small messages with the unique-ids "uid-1", "uid-2" and so on.
pub fn mail(count: usize) -> Vec<Message> {
    (1..=count).map(letter).collect()
}

/// The `n`th of them. Each has another size, so that no listing can take one for another.
pub fn letter(n: usize) -> Message {
    let text = format!(
        "Received: from mail.example.com by mx.example.org with ESMTPS id {n:06};\n\
         \tMon, 23 Nov 2026 10:00:01 +0000\n\
         Message-ID: <{n}@mail.example.com>\nFrom: Ada <ada@example.com>\n\
         Date: Mon, 23 Nov 2026 10:00:00 +0000\n\
         Subject: Letter {n}\n\nThis is letter {n}.\n{}\n",
        "x".repeat(n)
    );
    Message::from_lf(format!("uid-{n}"), text)
}

/// A server with `count` small messages, and a home with the one account "a" on it.
pub fn server(count: usize) -> (Server, Home) {
    behaving(count, Behaviour::new())
}

/// The same with a behaviour.
pub fn behaving(count: usize, behaviour: Behaviour) -> (Server, Home) {
    Server::builder(&Maildrop::new(mail(count)))
        .behaviour(behaviour)
        .with_home("")
}

/// The same without TLS, for tests of many runs whose point is another.
pub fn plainly(count: usize, behaviour: Behaviour) -> (Server, Home) {
    serving(mail(count), behaviour)
}

/// The same with messages of one's own.
pub fn serving(messages: Vec<Message>, behaviour: Behaviour) -> (Server, Home) {
    Server::builder(&Maildrop::new(messages))
        .security(Security::Plain)
        .behaviour(behaviour)
        .with_home("")
}

/// Runs it and fails unless it exits with `status`.
pub fn run(home: &Home, arguments: &[&str], status: i32) -> Output {
    home.popfetch(arguments).expect(status)
}

/// Fails unless standard error holds each of `words`.
#[track_caller]
pub fn assert_said(output: &Output, words: &[&str]) {
    for word in words {
        assert!(output.stderr.contains(word), "no {word:?} in {output:#?}");
    }
}

/// Fails unless the client never said who it is in this session.
#[track_caller]
pub fn assert_no_credentials(session: &SessionLog) {
    for keyword in ["AUTH", "USER", "PASS", "APOP"] {
        assert_eq!(session.count(keyword), 0, "{session:#?}");
    }
}

/// The program in the surroundings of `home`, for tests that need a standard output of their own.
pub fn command(home: &Home, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_popfetch"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command.current_dir(home.path()).env("HOME", home.path());
    for (name, directory) in [("XDG_CONFIG_HOME", "config"), ("XDG_STATE_HOME", "state")] {
        command.env(name, home.path().join(directory));
    }
    command
}

/// A command of a server's first session that goes on only when the test says so.
pub struct Gate {
    arrived: Receiver<()>,
    release: Sender<()>,
}

/// The gate for the command line `command`, and the hook that the server has to be given for it.
pub fn gate(command: &str) -> (Gate, impl Fn(&CommandSeen) + Send + Sync + 'static) {
    let command = command.to_owned();
    gate_for(move |line| line == command)
}

/// The same for the first command whose line is such a one.
pub fn gate_for(
    is_held: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> (Gate, impl Fn(&CommandSeen) + Send + Sync + 'static) {
    let (arrive, arrived) = channel();
    let (release, released) = channel();
    // Receivers cannot be shared between threads without a lock.
    let held = Mutex::new((arrive, released));
    let hook = move |seen: &CommandSeen| {
        if seen.session == 0 && is_held(&seen.line) {
            let (arrive, released) = &*held.lock().unwrap();
            // An error means that the test is over.
            let _over = arrive.send(());
            let _over = released.recv();
        }
    };
    (Gate { arrived, release }, hook)
}

impl Gate {
    /// Waits until the command is at the gate; `what` tells tests in a loop apart.
    #[track_caller]
    pub fn wait(&self, what: &str) {
        if self.arrived.recv_timeout(PATIENCE).is_err() {
            panic!("the command never came: {what}");
        }
    }

    /// Lets it through.
    pub fn open(&self) {
        // An error means that the session is over.
        let _over = self.release.send(());
    }
}

/// The journals in the state directory, by name.
pub fn journals(home: &Home) -> Vec<PathBuf> {
    let entries = fs::read_dir(home.state()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut journals: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "journal"))
        .collect();
    journals.sort();
    journals
}

/// An account's id, as the state has it.
pub fn id_of(server: &Server) -> String {
    let account = server.account();
    format!("{}@{}:{}", account.user, account.host, account.port)
}

/// The journal of "a" is written afresh, as it is once most of its lines are superseded.
pub fn compact(server: &Server, home: &Home) {
    // Whatever another test starts has a copy of a lock from here, for a moment.
    let claim = within(PATIENCE, || {
        let directory = state::open_directory(&Disk::new(), &home.state()).unwrap();
        Claim::take(directory, &id_of(server), "a", &Moment::now()).ok()
    });
    let store = claim.expect("its lock is held").without_maildir().unwrap();
    store.compact().unwrap();
    wait_for_locks(home);
}

/// Waits until nobody holds a lock in the state directory, such copies of it included.
fn wait_for_locks(home: &Home) {
    let entries = fs::read_dir(home.state()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    for path in paths.filter(|path| path.extension().is_some_and(|end| end == "lock")) {
        let lock = fs::File::open(&path).unwrap();
        let taken = || flock(&lock, FlockOperation::NonBlockingLockExclusive).ok();
        within(PATIENCE, taken).expect("the lock is still held");
        flock(&lock, FlockOperation::Unlock).unwrap();
    }
}

/// The one journal.
#[track_caller]
pub fn journal(home: &Home) -> PathBuf {
    let [path] = &journals(home)[..] else {
        panic!("{:?}", journals(home));
    };
    path.clone()
}

/// fdm's config with these accounts, each with a Maildir of its own.
pub fn fdm_config<'a>(
    home: &Home,
    accounts: impl IntoIterator<Item = (&'a str, &'a Account)>,
) -> String {
    let mut text = String::from("set verify-certificates\n");
    for (name, account) in accounts {
        text.push_str(&format!(
            "account \"{name}\" pop3s server \"{}\" port {}\n\tuser \"{}\" pass \"{}\"\n\tkeep\n\
             match account \"{name}\" action maildir \"{}\"\n",
            account.host,
            account.port,
            account.user,
            account.password,
            home.maildir(name).display(),
        ));
    }
    text
}
