use std::fmt;

use crate::given::mail;
use crate::support::account::Security;
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::{Home, Output};
use crate::support::server::{Server, ServerBuilder};
use crate::support::tree;

/// A server with ten messages, and a home that has fetched none of them.
pub struct Scene {
    pub messages: Vec<Message>,
    pub server: Server,
    pub home: Home,
}

impl Scene {
    /// `keys` are the account's beside the usual ones.
    pub fn new(keys: &str, prepare: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let messages = mail(10);
        let builder = Server::builder(&Maildrop::new(messages.clone()));
        let (server, home) = prepare(builder.security(Security::Plain)).with_home(keys);
        Self {
            messages,
            server,
            home,
        }
    }

    /// With a server that behaves so in its first session, and well after it.
    pub fn faulty_once(keys: &str, behaviour: Behaviour) -> Self {
        Self::new(keys, |server| server.session(0, behaviour))
    }

    pub fn fetch(&self) -> Output {
        // A server notices that its client is gone before it lets the next one in.
        self.server.sessions();
        self.home.popfetch(["fetch"]).run()
    }

    /// A run that has to end well.
    pub fn fetch_well(&self) -> Output {
        // A server notices that its client is gone before it lets the next one in.
        self.server.sessions();
        let output = self.fetch();
        assert_eq!(output.status, Some(0), "{output:#?}");
        output
    }

    /// What the Maildir holds of the messages, and beside them.
    pub fn tally(&self) -> Tally {
        Tally::of(&self.home, &self.messages)
    }
}

/// What became of the messages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// How many there are.
    pub all: usize,
    /// How many of them were delivered.
    pub delivered: usize,
    /// Further copies of them.
    pub twice: usize,
    /// Files in new/ or cur/ that are none of them: cut short, as likely as not.
    pub foreign: usize,
    /// Files left in tmp/.
    pub in_tmp: usize,
}

impl Tally {
    /// What the Maildir of "a" holds of these.
    pub fn of(home: &Home, messages: &[Message]) -> Self {
        let mut left: Vec<Vec<u8>> = messages.iter().map(Message::stored).collect();
        let known = left.clone();
        let mut tally = Self {
            all: messages.len(),
            ..Self::default()
        };
        for file in tree::read(&home.maildir("a")) {
            if file.subdirectory == "tmp" {
                tally.in_tmp += 1;
            } else if let Some(place) = left.iter().position(|octets| *octets == file.octets) {
                left.swap_remove(place);
                tally.delivered += 1;
            } else if known.contains(&file.octets) {
                tally.twice += 1;
            } else {
                tally.foreign += 1;
            }
        }
        tally
    }

    /// How many were not delivered, where all should have been by now.
    pub fn lost(&self) -> usize {
        self.all - self.delivered
    }
}

/// In the words of the table, as far as all its rows share them.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} duplicates, {} lost", self.twice, self.lost())?;
        if self.foreign > 0 {
            write!(f, ", {} cut short", self.foreign)?;
        }
        if self.in_tmp > 0 {
            write!(f, ", {} left in tmp/", self.in_tmp)?;
        }
        Ok(())
    }
}

/// The exit status in the words of the table.
pub fn exit(output: &Output) -> String {
    match output.status {
        Some(status) => format!("exit {status}"),
        None => "killed".into(),
    }
}

/// Fails unless this is what the table ought to say of popfetch, and the README says so.
#[track_caller]
pub fn row(name: &str, measured: &str, target: &str) {
    assert_eq!(measured, target, "{name}");
    crate::support::readme::hold(name, measured);
}
