//! A connection that ends or pauses after any octet: nothing lost, nothing doubled, no message cut
//! short. `tests/it/cut.rs` tries the real program at some of them.
//!
//! These tests are not in that binary because it starts programs: a lock (flock) that this process
//! gives back stays taken as long as a child that was forked meanwhile has not begun its program.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use popfetch::durable::Disk;
use popfetch::exit::Status;
use popfetch::fetch::{Account, Connect, Environment, Route};
use popfetch::net::program::Tell;
use popfetch::net::{self, Channel, Moved};
use popfetch::profile::{Keep, PasswordSource, Policy, Profile, Tls};
use popfetch::report::{Event, Outcome, Report};
use popfetch::secrets::{Credential, Password};
use popfetch::state::Moment;
use popfetch::stop::Stop;
use tempfile::TempDir;

use super::scratch;
use super::series::drawn;
use super::server::{Maildrop, Server};

const MESSAGES: usize = 10;

/// In an ordinary run: some places of each reply and each command, of many that are alike.
const FEW: usize = 400;

/// Octets that still may pass, from the server and to it, over all connections of a run.
#[derive(Clone, Copy)]
struct Budget {
    from_server: usize,
    to_server: usize,
    /// After so many octets from the server the rest comes in another piece.
    piece: usize,
}

const UNLIMITED: Budget = Budget {
    from_server: usize::MAX,
    to_server: usize::MAX,
    piece: usize::MAX,
};

/// Connections that end for good when the budget is used up.
#[derive(Clone)]
struct Limited {
    server: Server,
    left: Arc<Mutex<Budget>>,
}

struct LimitedChannel {
    inner: Box<dyn Channel>,
    left: Arc<Mutex<Budget>>,
}

impl Connect for Limited {
    fn route(&self, _: &Profile, _: &Stop, _: Tell) -> Result<Box<dyn Route>, net::Error> {
        Ok(Box::new(self.clone()))
    }
}

impl Route for Limited {
    fn connect(&self, stop: &Stop) -> Result<Box<dyn Channel>, net::Error> {
        Ok(Box::new(LimitedChannel {
            inner: self.server.connect(stop)?,
            left: Arc::clone(&self.left),
        }))
    }
}

impl Channel for LimitedChannel {
    fn exchange(
        &mut self,
        output: &[u8],
        input: &mut [u8],
        deadline: Instant,
    ) -> Result<Moved, net::Error> {
        let mut left = self.left.lock().unwrap();
        let to_server = output.len().min(left.to_server);
        if left.piece == 0 {
            left.piece = usize::MAX;
        }
        let from_server = input.len().min(left.from_server).min(left.piece);
        left.to_server -= to_server;
        // The server carries out what reaches it, whether or not its answer comes back.
        let input = &mut input[..from_server];
        match self.inner.exchange(&output[..to_server], input, deadline) {
            Ok(moved) => {
                left.from_server -= moved.received;
                left.piece -= moved.received;
                Ok(Moved {
                    sent: output.len(),
                    ..moved
                })
            }
            // It waits for the rest of a command, or we for the rest of an answer.
            Err(_) if left.to_server == 0 || left.from_server == 0 => Err(net::Error::Closed),
            Err(error) => Err(error),
        }
    }
}

struct Silent;

impl Report for Silent {
    fn report(&self, _: &str, _: Event<'_>) {}
}

/// A home for the library.
struct Bench {
    root: PathBuf,
    keep: Keep,
    stop: Stop,
}

impl Bench {
    fn run(&self, server: &Server, budget: Budget) -> (Outcome, Budget) {
        let left = Arc::new(Mutex::new(budget));
        let environment = Environment {
            state: self.root.join("state").into(),
            disk: Disk::new(),
            stop: self.stop.clone(),
            report: Arc::new(Silent),
            connect: Arc::new(Limited {
                server: server.clone(),
                left: Arc::clone(&left),
            }),
            confined: true,
            at_once: true,
            as_new: false,
            quiet: false,
            room: 256,
            transcript: false,
            moment: Moment {
                now: 1_795_395_922,
                boot: "boot".into(),
            },
        };
        let outcome = Account {
            profile: &self.profile(),
            credential: Credential::Password(std::borrow::Cow::Owned(Password::new(
                "secret".to_owned(),
            ))),
            addressee: None,
            environment: &environment,
        }
        .fetch();
        let left = *left.lock().unwrap();
        (outcome, left)
    }

    fn profile(&self) -> Profile {
        let server = popfetch::profile::Server {
            protocol: popfetch::profile::Protocol::Pop,
            host: "localhost".to_owned(),
            port: 995,
            user: "ada".to_owned(),
        };
        Profile {
            tls: Tls::None,
            password: PasswordSource::Stdin,
            maildir: self.root.join("mail"),
            policy: Policy {
                keep: self.keep,
                ..Policy::default()
            },
            timeout: Duration::from_secs(5),
            ..Profile::new("ada".to_owned(), server)
        }
    }

    /// A run that is cut, one that is not, and one that finds nothing to do.
    fn cut_and_mend(&self, budget: Budget, what: &str) -> Outcome {
        let _fresh = fs::remove_dir_all(&self.root);
        fs::create_dir_all(&self.root).unwrap();
        let server = Server(Arc::new(Mutex::new(Maildrop::new(MESSAGES))));
        let (cut, _) = self.run(&server, budget);
        let all = server.0.lock().unwrap().expected();
        let partly = self.stored("new");
        assert!(partly.iter().all(|mail| all.contains(mail)), "{what}");
        assert!(self.stored("tmp").is_empty(), "{what}: left over in tmp/");
        assert!(
            server.0.lock().unwrap().deleted.len() <= partly.len(),
            "{what}: more is deleted than stored"
        );
        let (mended, _) = self.run(&server, UNLIMITED);
        assert_eq!(mended.status(), Status::Ok, "{what}: {mended:?}");
        assert_eq!(mended.fetched as usize, MESSAGES - partly.len(), "{what}");
        assert_eq!(self.stored("new"), all, "{what}");
        assert!(self.stored("tmp").is_empty(), "{what}");
        let retrieved = server.0.lock().unwrap().retrieved.len();
        let (third, _) = self.run(&server, UNLIMITED);
        assert_eq!(third.status(), Status::Ok, "{what}: {third:?}");
        assert_eq!(third.fetched, 0, "{what}");
        let maildrop = server.0.lock().unwrap();
        assert_eq!(maildrop.retrieved.len(), retrieved, "{what}");
        let gone = if self.keep == Keep::Never {
            MESSAGES
        } else {
            0
        };
        assert_eq!(maildrop.deleted.len(), gone, "{what}");
        cut
    }

    fn stored(&self, part: &str) -> Vec<Vec<u8>> {
        let Ok(files) = fs::read_dir(self.root.join("mail").join(part)) else {
            return Vec::new();
        };
        let read = |entry: std::io::Result<fs::DirEntry>| fs::read(entry.unwrap().path()).unwrap();
        let mut all: Vec<_> = files.map(read).collect();
        all.sort();
        all
    }
}

/// A bench, and the directory that it has as long as it needs it.
fn bench(keep: Keep) -> (Bench, TempDir) {
    let temporary = scratch::directory();
    let bench = Bench {
        root: temporary.path().join("home"),
        keep,
        stop: Stop::never().unwrap(),
    };
    (bench, temporary)
}

fn cut_at_every_octet(keep: Keep) {
    let (bench, _temporary) = bench(keep);
    let server = Server(Arc::new(Mutex::new(Maildrop::new(MESSAGES))));
    let (whole, left) = bench.run(&server, UNLIMITED);
    assert_eq!(whole.status(), Status::Ok, "{whole:?}");
    let from_server = usize::MAX - left.from_server;
    let to_server = usize::MAX - left.to_server;
    let started = Instant::now();
    let quit = b"QUIT\r\n".len();
    let quits = b"+OK\r\n".len();
    for octets in drawn(from_server, FEW) {
        let what = format!("cut after {octets} of {from_server} octets from the server");
        let budget = Budget {
            from_server: octets,
            ..UNLIMITED
        };
        let cut = bench.cut_and_mend(budget, &what);
        // Without the reply to QUIT all is safe nevertheless (E8).
        let expected = match octets >= from_server - quits {
            true => Status::Ok,
            false => Status::Temporary,
        };
        assert_eq!(cut.status(), expected, "{what}: {cut:?}");
    }
    for octets in drawn(to_server, FEW) {
        let what = format!("cut after {octets} of {to_server} octets to the server");
        let budget = Budget {
            to_server: octets,
            ..UNLIMITED
        };
        let cut = bench.cut_and_mend(budget, &what);
        let expected = match octets >= to_server - quit {
            true => Status::Ok,
            false => Status::Temporary,
        };
        assert_eq!(cut.status(), expected, "{what}: {cut:?}");
    }
    eprintln!(
        "{keep:?}: cut in {from_server} octets from the server and {to_server} to it, in {:?}",
        started.elapsed()
    );
}

#[test]
fn f3_a_cut_at_every_octet_loses_and_doubles_nothing_in_keep_mode() {
    cut_at_every_octet(Keep::Always);
}

#[test]
fn f3_a_cut_at_every_octet_loses_and_doubles_nothing_in_delete_mode() {
    cut_at_every_octet(Keep::Never);
}

#[test]
fn f9_replies_in_two_pieces_split_at_any_octet_are_the_same_replies() {
    let (bench, _temporary) = bench(Keep::Never);
    let run = |messages: usize, piece: usize| {
        let _fresh = fs::remove_dir_all(&bench.root);
        fs::create_dir_all(&bench.root).unwrap();
        let server = Server(Arc::new(Mutex::new(Maildrop::new(messages))));
        let (outcome, left) = bench.run(&server, Budget { piece, ..UNLIMITED });
        let what = format!("split after {piece} octets: {outcome:?}");
        assert_eq!(outcome.status(), Status::Ok, "{what}");
        let maildrop = server.0.lock().unwrap();
        assert_eq!(bench.stored("new"), maildrop.expected(), "{what}");
        assert_eq!(maildrop.deleted.len(), messages, "{what}");
        usize::MAX - left.from_server
    };
    // Each flight is one piece here, however many replies are in it.
    let octets = run(5, usize::MAX);
    for piece in drawn(octets - 1, FEW) {
        assert_eq!(run(5, piece + 1), octets);
    }
    eprintln!("{octets} octets from the server, split after them");
}
