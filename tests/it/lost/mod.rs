use std::collections::{HashMap, HashSet};

use crate::given::serving;
use crate::support::behaviour::Behaviour;
use crate::support::message::Message;
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use crate::support::tree;

/// An answer too many, and one too few.
mod doubled;
/// Servers that end a message where it does not end.
mod ends;
/// Answers to other commands.
mod exchanged;
/// Messages made to do harm.
mod forged;
/// Killed before a message has its name.
mod killed;
/// Numbers that change with each DELE.
mod renumbered;
/// Maildirs restored from a backup, and files that are not what was stored.
pub mod restored;
/// Other messages under unique-ids that are known.
mod reused;
/// Sizes that are off.
mod sizes;
/// Something else where the Maildir was.
mod unmounted;
/// An answer in another.
mod woven;

/// What each of the tests here holds the program to: a message is on the server, or whole in the
/// Maildir, after each run; it is there once; and the runs come to an end.
pub struct Scene {
    pub server: Server,
    pub home: Home,
    pub messages: Vec<Message>,
    /// That of a message of which the server never sends the whole.
    pub broken: Option<String>,
}

/// Sessions that a run may take. Eight messages at most are left out of one, each of which has another
/// one for itself; one more goes wrong because commands are sent ahead, and one ends well.
const MOST_SESSIONS: usize = 20;

/// Runs until there is nothing to do.
const MOST_RUNS: usize = 4;

impl Scene {
    /// A server without TLS, and a home whose account "a" has these keys beside the usual ones.
    pub fn new(messages: Vec<Message>, behaviour: Behaviour, keys: &str) -> Self {
        let (server, home) = serving(messages.clone(), behaviour);
        home.one_account(&server.account(), keys);
        Self {
            server,
            home,
            messages,
            broken: None,
        }
    }

    /// The message with this unique-id never comes whole.
    pub fn broken(mut self, unique_id: &str) -> Self {
        self.broken = Some(unique_id.to_owned());
        self
    }

    /// A run, after which no message may be lost.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Output {
        // A server notices that its client is gone before it lets the next one in.
        let before = self.server.sessions().len();
        let output = self.home.popfetch(arguments).run();
        let sessions = self.server.sessions().len() - before;
        assert!(
            sessions <= MOST_SESSIONS,
            "{sessions} sessions: {output:#?}"
        );
        self.assert_none_is_lost(&output);
        output
    }

    /// Runs until one has nothing to do, and says so; gives all but that one.
    #[track_caller]
    pub fn settle(&self, arguments: &[&str]) -> Vec<Output> {
        let mut outputs = Vec::new();
        loop {
            let before = (self.server.count("RETR"), self.server.count("DELE"));
            let output = self.run(arguments);
            if (self.server.count("RETR"), self.server.count("DELE")) == before {
                assert_eq!(output.status, Some(0), "{output:#?} after {outputs:#?}");
                return outputs;
            }
            outputs.push(output);
            assert!(outputs.len() <= MOST_RUNS, "it goes on: {outputs:#?}");
        }
    }

    #[track_caller]
    pub fn assert_none_is_lost(&self, output: &Output) {
        let left: HashSet<_> = self.server.maildrop().unique_ids().into_iter().collect();
        let here = self.tally();
        for message in &self.messages {
            let id = String::from_utf8_lossy(&message.unique_id).into_owned();
            assert!(
                left.contains(&id) || here.contains_key(&message.stored()),
                "{id} is lost: {output:#?}"
            );
        }
    }

    /// Each of these is here, once.
    #[track_caller]
    pub fn assert_here_once(&self, messages: &[Message], what: &str) {
        let here = self.tally();
        for message in messages {
            assert_eq!(here.get(&message.stored()), Some(&1), "{message:?}: {what}");
        }
    }

    /// All have arrived, once; the broken one as far as it came.
    #[track_caller]
    pub fn assert_all_are_here(&self) {
        let whole = self
            .messages
            .iter()
            .filter(|message| !self.is_broken(message));
        // One reading for all of them: one for each would cost the square of their number.
        let here = self.tally();
        for message in whole {
            let copies = here.get(&message.stored());
            assert_eq!(copies, Some(&1), "{message:?}: {:#?}", self.files());
        }
        let files = self.files();
        assert_eq!(files.len(), self.messages.len(), "{files:#?}");
        tree::assert_tmp_is_empty(&self.home.maildir("a"));
    }

    /// How often the Maildir has it, whole.
    pub fn copies(&self, message: &Message) -> usize {
        self.tally().get(&message.stored()).copied().unwrap_or(0)
    }

    /// How often the Maildir has each of what its messages hold.
    pub fn tally(&self) -> HashMap<Vec<u8>, usize> {
        let mut tally = HashMap::new();
        for octets in self.delivered() {
            *tally.entry(octets).or_default() += 1;
        }
        tally
    }

    /// What the messages in the Maildir hold.
    pub fn files(&self) -> Vec<String> {
        let delivered = self.delivered();
        let texts = delivered.map(|octets| String::from_utf8_lossy(&octets).into_owned());
        texts.collect()
    }

    fn delivered(&self) -> impl Iterator<Item = Vec<u8>> {
        let files = tree::read(&self.home.maildir("a")).into_iter();
        let delivered = files.filter(|file| file.subdirectory != "tmp");
        delivered.map(|file| file.octets)
    }

    fn is_broken(&self, message: &Message) -> bool {
        self.broken
            .as_ref()
            .is_some_and(|id| id.as_bytes() == message.unique_id)
    }
}

/// The exit statuses of runs.
pub fn statuses(outputs: &[Output]) -> Vec<i32> {
    outputs.iter().map(|it| it.status.unwrap()).collect()
}
