//! What the servers have in common that say what a test wants them to say: the script, and who is connected.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::process::{PATIENCE, within};

/// What a server does at a step, in place of the good answer.
#[derive(Clone, Debug)]
pub enum Act {
    /// Sends this; `{tag}` is the command's.
    Say(String),
    /// Sends this and closes the connection.
    Last(String),
    /// Closes the connection.
    Close,
    /// Says nothing more until the client goes.
    Hang,
    /// Goes on as if nothing were the matter, once there is such a file.
    Once(PathBuf),
}

/// See the module.
#[derive(Default)]
pub struct Scripted {
    /// Acts by step, each for so many times.
    script: Mutex<BTreeMap<&'static str, (Act, usize)>>,
    sessions: Mutex<Vec<Vec<String>>>,
    at_work: AtomicUsize,
    ends: AtomicBool,
}

impl Scripted {
    /// From now on that is done at this step for so many times, and what is good at the others.
    pub fn behave(&self, step: &'static str, act: Act, times: usize) {
        *self.script.lock().unwrap() = BTreeMap::from([(step, (act, times))]);
    }

    /// That as well is done at this step for so many times.
    pub fn behave_also(&self, step: &'static str, act: Act, times: usize) {
        self.script.lock().unwrap().insert(step, (act, times));
    }

    /// From now on all goes well.
    pub fn behave_well(&self) {
        self.script.lock().unwrap().clear();
    }

    /// Whether something else than what is good is done at this step.
    pub fn has(&self, step: &'static str) -> bool {
        self.script.lock().unwrap().contains_key(step)
    }

    /// Serves a client in a thread of its own, with the commands that it has said for `serve` to note; whether
    /// others are wanted.
    pub fn attend(
        self: &Arc<Self>,
        serve: impl FnOnce(&mut Vec<String>) -> std::io::Result<()> + Send + 'static,
    ) -> bool {
        if self.ends.load(Ordering::SeqCst) {
            return false;
        }
        self.at_work.fetch_add(1, Ordering::SeqCst);
        let scripted = Arc::clone(self);
        thread::spawn(move || {
            let mut commands = Vec::new();
            // Whoever is killed is gone in the midst of anything.
            let _ = serve(&mut commands);
            scripted.sessions.lock().unwrap().push(commands);
            scripted.at_work.fetch_sub(1, Ordering::SeqCst);
        });
        true
    }

    /// Nobody else is served: the next one who comes ends the server.
    pub fn end(&self) {
        self.ends.store(true, Ordering::SeqCst);
    }

    /// How many are connected.
    pub fn at_work(&self) -> usize {
        self.at_work.load(Ordering::SeqCst)
    }

    /// Waits until nobody is connected any more.
    pub fn settle(&self) {
        let idle = || (self.at_work() == 0).then_some(());
        assert!(within(PATIENCE, idle).is_some(), "a session does not end");
    }

    /// The commands of each session, once nobody is connected any more.
    pub fn sessions(&self) -> Vec<Vec<String>> {
        self.settle();
        self.sessions.lock().unwrap().clone()
    }

    /// Says what is said at a step; whether the session goes on.
    pub fn answer<S: Read + Write>(
        &self,
        stream: &mut BufReader<S>,
        (step, tag): (&'static str, &str),
        good: &str,
    ) -> std::io::Result<bool> {
        let mut say = |text: &str| {
            let text = text.replace("{tag}", tag);
            stream.get_mut().write_all(text.as_bytes())
        };
        match self.act_at(step) {
            None => say(good).map(|()| true),
            Some(Act::Say(text)) => say(&text).map(|()| true),
            Some(Act::Last(text)) => say(&text).map(|()| false),
            Some(Act::Once(path)) => {
                within(PATIENCE, || path.exists().then_some(()));
                say(good).map(|()| true)
            }
            Some(Act::Close) => Ok(false),
            Some(Act::Hang) => {
                std::io::copy(stream, &mut std::io::sink())?;
                Ok(false)
            }
        }
    }

    fn act_at(&self, step: &'static str) -> Option<Act> {
        let mut script = self.script.lock().unwrap();
        let (act, times) = script.get_mut(step)?;
        let act = act.clone();
        *times -= 1;
        if *times == 0 {
            script.remove(step);
        }
        Some(act)
    }
}
