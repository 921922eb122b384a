//! `kill -9` at any moment: the next run brings home what is missing, and nothing twice.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::given::gate;
use crate::support::account::Security;
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::message::{Message, generate};
use crate::support::process::PATIENCE;
use crate::support::run::{Home, Running};
use crate::support::series::{self, Random, SEED, drawn};
use crate::support::server::{CommandSeen, Server};
use crate::support::tree;

const MESSAGES: usize = 200;

/// A fresh maildrop with a server for it, and a fresh home.
struct Scene {
    messages: Vec<Message>,
    server: Server,
    home: Home,
    deletes: bool,
}

impl Scene {
    fn new(deletes: bool, customise: impl FnOnce(Builder) -> Builder) -> Self {
        let messages = generate(MESSAGES, 600);
        let server = customise(Server::builder(&Maildrop::new(messages.clone()))).start();
        // Whatever the kernel was told survives the process, on a disk or not.
        let home = Home::new();
        let keep = if deletes { "never" } else { "always" };
        home.one_account(&server.account(), &format!("keep = {keep:?}\n"));
        Self {
            messages,
            server,
            home,
            deletes,
        }
    }

    fn start(&self) -> Running {
        self.home.popfetch(["fetch"]).start()
    }

    /// Runs to the end, checks that everything is there once, and that nothing is left to do.
    fn finish(&self, what: &str) {
        // A server notices that its client is gone before it lets the next one in.
        self.server.sessions();
        let second = self.home.popfetch(["fetch"]).run();
        assert_eq!(second.status, Some(0), "{what}: {second:#?}");
        let maildir = self.home.maildir("a");
        tree::assert_tmp_is_empty(&maildir);
        assert_eq!(tree::count(&maildir), MESSAGES, "{what}");
        tree::assert_holds(&maildir, &self.messages);
        let third = self.home.popfetch(["--format", "paths"]).run();
        assert_eq!(
            (third.status, third.stdout.as_str()),
            (Some(0), ""),
            "{what}"
        );
        let last = self.server.last_session();
        assert_eq!((last.count("RETR"), last.count("DELE")), (0, 0), "{what}");
        let left = if self.deletes { 0 } else { MESSAGES };
        assert_eq!(self.server.maildrop().count(), left, "{what}");
    }
}

type Builder = crate::support::server::ServerBuilder;

/// With all commands at once, and with one at a time: the second is slower, and so meets more of
/// the moments between two messages.
const MANNERS: [&[&str]; 2] = [&["UIDL", "USER", "PIPELINING"], &["UIDL", "USER"]];

/// A scene that tells when the first run asks for the unique-ids.
fn watched_scene(deletes: bool, manner: usize) -> (Scene, Receiver<()>) {
    let (tell, listing) = channel();
    let tell = Mutex::new(tell);
    let hook = move |seen: &CommandSeen| {
        if seen.session == 0 && seen.line == "UIDL" {
            // Not every test wants to know.
            let _unheard = tell.lock().unwrap().send(());
        }
    };
    let behaviour = Behaviour::new().capabilities(MANNERS[manner]);
    let scene = Scene::new(deletes, |server| {
        server
            .security(Security::Plain)
            .behaviour(behaviour)
            .on_command(hook)
    });
    (scene, listing)
}

/// How long a whole fetch takes, altogether and from the listing on.
fn whole_fetch(deletes: bool, manner: usize) -> [Duration; 2] {
    let (scene, listing) = watched_scene(deletes, manner);
    let started = Instant::now();
    let running = scene.start();
    listing.recv_timeout(PATIENCE).unwrap();
    let listed = Instant::now();
    let output = running.wait();
    assert_eq!(output.status, Some(0), "{output:#?}");
    let took = [started.elapsed(), listed.elapsed()];
    scene.finish("no kill at all");
    took
}

/// Kills `kills` runs, each of them somewhere between its start and its end: one in four counts
/// from the start of the program, the others from the listing, after which most things happen.
fn kill_at_random_moments(deletes: bool) {
    let kills = if series::is_whole() { 100 } else { 24 };
    let took = [0, 1].map(|manner| whole_fetch(deletes, manner));
    let (mut random, seed) = (Random::seeded(), series::seed());
    let (mut killed, mut missed, mut progress) = (0, 0, [0; 4]);
    while killed < kills {
        let (manner, from_listing) = (killed % 2, usize::from(killed % 4 != 0));
        let delay = took[manner][from_listing].mul_f64(random.fraction());
        let (scene, listing) = watched_scene(deletes, manner);
        let mut running = scene.start();
        if from_listing == 1 {
            listing.recv_timeout(PATIENCE).unwrap();
        }
        // No waiting for luck: the moment itself is what is tried.
        thread::sleep(delay);
        running.signal(Signal::KILL);
        let what = format!(
            "{SEED}={seed}, kill {killed}, {delay:?} after the {}",
            ["start", "listing"][from_listing]
        );
        match running.wait().status {
            None => killed += 1,
            Some(status) => {
                assert_eq!(status, 0, "{what}: it was done before, and not well");
                missed += 1;
                assert!(missed < 10 * kills, "{what}: too fast to be killed");
                continue;
            }
        }
        let reached = match tree::read(&scene.home.maildir("a")).as_slice() {
            [] => 0,
            files if files.iter().all(|file| file.subdirectory == "tmp") => 1,
            files if files.iter().any(|file| file.subdirectory == "tmp") => 2,
            _ => 3,
        };
        progress[reached] += 1;
        scene.finish(&what);
    }
    eprintln!(
        "{kills} runs of {took:?} killed, {missed} done before; by then {} had no file, {} had \
         some in tmp/ only, {} in tmp/ and new/, {} in new/ only",
        progress[0], progress[1], progress[2], progress[3]
    );
}

#[test]
fn t1_kills_at_random_moments_lose_and_double_nothing_in_keep_mode() {
    kill_at_random_moments(false);
}

#[test]
fn t1_kills_at_random_moments_lose_and_double_nothing_in_delete_mode() {
    kill_at_random_moments(true);
}

/// Kills the run at that command, and lets the server carry it out all the same.
fn kill_at(deletes: bool, behaviour: Behaviour, command: &str, what: &str) {
    let (gate, hook) = gate(command);
    let scene = Scene::new(deletes, |server| {
        server.behaviour(behaviour).on_command(hook)
    });
    let mut running = scene.start();
    gate.wait(what);
    running.signal(Signal::KILL);
    assert_eq!(running.wait().status, None, "{what}");
    gate.open();
    scene.finish(what);
}

#[test]
fn a_kill_at_an_exact_command_loses_and_doubles_nothing() {
    let (mut random, seed) = (Random::seeded(), series::seed());
    let mut commands: Vec<String> = vec![
        "QUIT".into(),
        "UIDL".into(),
        "RETR 1".into(),
        "DELE 1".into(),
        format!("RETR {MESSAGES}"),
        format!("DELE {MESSAGES}"),
    ];
    for keyword in ["RETR", "DELE"] {
        commands.extend((0..4).map(|_| format!("{keyword} {}", 2 + random.below(MESSAGES - 2))));
    }
    let mut kills = Vec::new();
    for command in &commands {
        for capabilities in MANNERS {
            for deletes in [false, true] {
                if deletes || !command.starts_with("DELE") {
                    kills.push((command, capabilities, deletes));
                }
            }
        }
    }
    let places = drawn(kills.len(), 20);
    for place in &places {
        let (command, capabilities, deletes) = kills[*place];
        let what = format!("{SEED}={seed}, kill at {command}, deletes {deletes}, {capabilities:?}");
        let behaviour = Behaviour::new().capabilities(capabilities);
        kill_at(deletes, behaviour, command, &what);
    }
    eprintln!("{} runs killed at exact commands", places.len());
}

#[test]
fn kill_after_kill_the_work_goes_forward_and_ends() {
    let (mut random, seed) = (Random::seeded(), series::seed());
    let [took, _] = whole_fetch(true, 0);
    let scene = Scene::new(true, |server| server);
    let mut seen = Vec::new();
    for round in 0..30 {
        let mut running = scene.start();
        thread::sleep(took.mul_f64(random.fraction()));
        running.signal(Signal::KILL);
        running.wait();
        scene.server.sessions();
        let delivered = tree::count(&scene.home.maildir("a"));
        assert!(
            seen.last().is_none_or(|before| *before <= delivered),
            "{SEED}={seed}, round {round}: {seen:?}, then {delivered}"
        );
        seen.push(delivered);
    }
    scene.finish(&format!("{SEED}={seed}"));
}
