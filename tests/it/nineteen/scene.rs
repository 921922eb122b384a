use std::fmt;

use crate::given::mail;
use crate::imap;
use crate::support::account::Security;
use crate::support::behaviour::Behaviour;
use crate::support::imap::{ImapServer, Kept};
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::{Home, Output};
use crate::support::server::{Server, ServerBuilder};
use crate::support::tree;

/// The keys of an account whose mail is deleted once it is stored.
pub const DELETE: &str = "keep = \"never\"\n";

/// A server with ten messages, and a home that has fetched none of them.
pub struct Scene<S> {
    pub messages: Vec<Message>,
    pub server: S,
    pub home: Home,
}

/// A server of either protocol, as far as the faults go.
pub trait Protocol {
    /// Waits until it has noticed that its clients are gone.
    fn settles(&self);

    /// Puts these in the place of what it has.
    fn holds(&self, messages: &[Message]);

    /// How many messages it has.
    fn left(&self) -> usize;

    /// Commands for a whole message in the last session.
    fn asked_for(&self) -> usize;

    /// Commands to delete something in the last session.
    fn asked_to_delete(&self) -> usize;

    /// Whether the last session ended with a farewell.
    fn was_taken_leave_of(&self) -> bool;
}

impl Protocol for Server {
    fn settles(&self) {
        self.sessions();
    }

    fn holds(&self, messages: &[Message]) {
        self.maildrop().replace(messages.to_vec());
    }

    fn left(&self) -> usize {
        self.maildrop().count()
    }

    fn asked_for(&self) -> usize {
        self.last_session().count("RETR")
    }

    fn asked_to_delete(&self) -> usize {
        self.last_session().count("DELE")
    }

    fn was_taken_leave_of(&self) -> bool {
        self.last_session().count("QUIT") > 0
    }
}

impl Protocol for ImapServer {
    fn settles(&self) {
        self.sessions();
    }

    /// Their UIDs begin with 1.
    fn holds(&self, messages: &[Message]) {
        self.mailbox(|it| it.messages = Kept::all(messages));
    }

    fn left(&self) -> usize {
        self.uids().len()
    }

    fn asked_for(&self) -> usize {
        let session = self.last_session();
        let commands = session.commands.iter();
        commands.filter(|it| it.contains("BODY.PEEK[]")).count()
    }

    fn asked_to_delete(&self) -> usize {
        self.last_session().count("UID STORE")
    }

    fn was_taken_leave_of(&self) -> bool {
        self.last_session().count("LOGOUT") > 0
    }
}

impl Scene<Server> {
    /// By POP3. `keys` are the account's beside the usual ones.
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
}

impl Scene<ImapServer> {
    /// By IMAP.
    pub fn imap(keys: &str) -> Self {
        let messages = mail(10);
        let (server, home) = imap::serving(&messages, keys);
        Self {
            messages,
            server,
            home,
        }
    }
}

impl<S: Protocol> Scene<S> {
    pub fn fetch(&self) -> Output {
        // A server notices that its client is gone before it lets the next one in.
        self.server.settles();
        self.home.popfetch(["fetch"]).run()
    }

    /// A run that has to end well.
    pub fn fetch_well(&self) -> Output {
        let output = self.fetch();
        assert_eq!(output.status, Some(0), "{output:#?}");
        output
    }

    /// What the Maildir holds of the messages, and beside them.
    pub fn tally(&self) -> Tally {
        Tally::of(&self.home, &self.messages)
    }

    /// Fails unless the server has so many messages.
    #[track_caller]
    pub fn assert_left(&self, count: usize) {
        assert_eq!(self.server.left(), count, "left on the server");
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
    fn of(home: &Home, messages: &[Message]) -> Self {
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
