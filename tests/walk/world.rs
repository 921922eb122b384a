//! A person, a Maildir, a state directory and a server, and what can happen to them.

use super::content::Content;
use super::limits::{History, Knowledge, Limit};
use super::scratch;
use super::server::{Maildrop, Manner, Message, Server};
use super::tree::{Saved, Tree};
use popfetch::profile::Keep;
use popfetch::stop::Stop;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use tempfile::TempDir;

pub const DAY: i64 = 24 * 60 * 60;

/// A backup of the Maildir.
#[derive(Clone, Hash)]
pub struct MaildirBackup {
    saved: Saved,
    /// When it was made.
    made: usize,
    then: usize,
    /// What its owner had moved out before.
    moved_out: BTreeSet<usize>,
}

/// A backup of the state directory.
#[derive(Clone, Hash)]
pub struct StateBackup {
    saved: Saved,
    made: usize,
    knowledge: Knowledge,
}

pub struct World {
    _temp: TempDir,
    pub(super) root: PathBuf,
    pub(super) stop: Stop,
    pub(super) server: Server,
    pub keep: Keep,
    /// Seconds since 1970.
    pub time: i64,
    pub(super) boots: u32,
    pub history: History,
    /// The last few of each, the newest last.
    pub maildir_backups: Vec<MaildirBackup>,
    pub state_backups: Vec<StateBackup>,
    /// Contents of which the server had this many copies at once; one of all others.
    pub copies: BTreeMap<usize, usize>,
    /// Limits that were met.
    pub met: BTreeMap<Limit, usize>,
}

/// A world that can be gone back to.
#[derive(Clone)]
pub struct Kept {
    pub maildrop: Maildrop,
    pub disk: Saved,
    pub keep: Keep,
    pub time: i64,
    pub history: History,
    pub maildir_backups: Vec<MaildirBackup>,
    pub state_backups: Vec<StateBackup>,
}

impl World {
    pub fn new(manner: Manner) -> Self {
        let temp = scratch::directory();
        let root = temp.path().join("root");
        let world = Self {
            _temp: temp,
            stop: Stop::never().unwrap(),
            server: Server {
                maildrop: Arc::new(Mutex::new(Maildrop {
                    manner,
                    maildir: root.join("mail"),
                    ..Maildrop::default()
                })),
                left: Arc::new(Mutex::new(usize::MAX)),
            },
            root,
            keep: Keep::Always,
            time: 1_795_395_922,
            boots: 0,
            history: History::default(),
            maildir_backups: Vec::new(),
            state_backups: Vec::new(),
            copies: BTreeMap::new(),
            met: BTreeMap::new(),
        };
        fs::create_dir_all(&world.root).unwrap();
        world
    }

    pub fn maildrop(&self) -> MutexGuard<'_, Maildrop> {
        self.server.maildrop.lock().unwrap()
    }

    pub fn tree(&self) -> Tree {
        Tree::read(&self.maildir(), &self.maildrop().contents)
    }

    pub fn maildir(&self) -> PathBuf {
        self.root.join("mail")
    }

    pub fn keep_world(&self) -> Kept {
        Kept {
            maildrop: self.maildrop().clone(),
            disk: Saved::read(&self.root),
            keep: self.keep,
            time: self.time,
            history: self.history.clone(),
            maildir_backups: self.maildir_backups.clone(),
            state_backups: self.state_backups.clone(),
        }
    }

    pub fn go_back(&mut self, kept: &Kept) {
        self.maildrop().clone_from(&kept.maildrop);
        self.maildrop().maildir = self.maildir();
        kept.disk.write(&self.root);
        self.keep = kept.keep;
        self.time = kept.time;
        self.history = kept.history.clone();
        self.maildir_backups = kept.maildir_backups.clone();
        self.state_backups = kept.state_backups.clone();
    }

    // On the server.

    /// A message of its own arrives; gives its content's place in the list of all.
    pub fn arrives(&mut self, make: impl FnOnce(usize) -> Content) -> usize {
        let serial = self.maildrop().contents.len();
        self.arrives_as(make, format!("id-{serial}"))
    }

    pub fn arrives_as(&mut self, make: impl FnOnce(usize) -> Content, unique_id: String) -> usize {
        let mut maildrop = self.maildrop();
        let serial = maildrop.contents.len();
        maildrop.contents.push(make(serial));
        drop(maildrop);
        self.is_listed(serial, unique_id);
        serial
    }

    /// A content that is known stands in the maildrop under this unique-id.
    pub fn is_listed(&mut self, serial: usize, unique_id: String) {
        let message = Message {
            serial,
            unique_id,
            added: super::content::Added::default(),
        };
        self.history.named(&message);
        self.maildrop().messages.push(message);
    }

    /// Another client deletes a message.
    pub fn is_deleted(&mut self, at: usize) -> Message {
        self.maildrop().messages.remove(at)
    }

    /// All messages get new unique-ids, and another line in their header if `adds`.
    pub fn renames_all(&mut self, adds: bool) {
        self.history.eras += 1;
        let era = self.history.eras;
        let mut maildrop = self.maildrop();
        for message in &mut maildrop.messages {
            message.unique_id = format!("era{era}-{}", message.serial);
            if adds {
                let migrated = super::content::MIGRATED;
                let line = format!(
                    "Received: from old by new {migrated} {era}.{}",
                    message.serial
                );
                message.added.top.insert(0, line);
            }
        }
        let named = maildrop.messages.clone();
        drop(maildrop);
        named.iter().for_each(|message| self.history.named(message));
    }

    // At home.

    /// A reader does something to a file: gives it another name, or removes it.
    pub fn reads(&mut self, file: &Path, to: Option<&Path>) {
        let maildir = self.maildir();
        let Some(to) = to else {
            let serial = self.tree().files.get(file).copied().flatten();
            fs::remove_file(maildir.join(file)).unwrap();
            serial
                .into_iter()
                .for_each(|serial| self.history.moves_out(serial));
            return;
        };
        let folder = maildir.join(to.parent().unwrap());
        for part in ["tmp", "new", "cur"] {
            fs::create_dir_all(folder.with_file_name(part)).unwrap();
        }
        fs::rename(maildir.join(file), maildir.join(to)).unwrap();
    }

    pub fn backs_up_maildir(&mut self) {
        // Before that it has no line of the account, and is no Maildir of its.
        if self.history.knowledge.has_stored {
            self.maildir_backups.push(MaildirBackup {
                saved: Saved::read(&self.maildir()),
                made: self.history.now,
                then: self.history.settled,
                moved_out: self.history.moved_out.clone(),
            });
            drop_oldest(&mut self.maildir_backups);
        }
    }

    pub fn backs_up_state(&mut self) {
        self.state_backups.push(StateBackup {
            saved: Saved::read(&self.root.join("state")),
            made: self.history.now,
            knowledge: self.history.knowledge.clone(),
        });
        drop_oldest(&mut self.state_backups);
    }

    /// Restores one of the backups of the Maildir; 0 is the newest.
    pub fn restores_maildir(&mut self, pick: usize) {
        if let Some(backup) = back(&self.maildir_backups, pick).cloned() {
            backup.saved.write(&self.maildir());
            let tree = self.tree();
            self.history
                .restores_maildir(&tree, backup.then, &backup.moved_out);
        }
    }

    /// Restores one of the backups of the state; 0 is the newest.
    pub fn restores_state(&mut self, pick: usize) {
        if let Some(backup) = back(&self.state_backups, pick).cloned() {
            backup.saved.write(&self.root.join("state"));
            self.history.restores_state(&backup.knowledge);
        }
    }

    /// Restores both as they were at one moment, where there are such backups.
    pub fn restores_both(&mut self, pick: usize) {
        let made = back(&self.maildir_backups, pick).map(|backup| backup.made);
        let mut states = self.state_backups.iter().rev();
        let of_then = states.position(|backup| Some(backup.made) == made);
        self.restores_maildir(pick);
        self.restores_state(of_then.unwrap_or(pick));
    }
}

/// Backups that are kept at most.
const BACKUPS: usize = 3;

fn drop_oldest<T>(backups: &mut Vec<T>) {
    let many = backups.len().saturating_sub(BACKUPS);
    backups.drain(..many);
}

fn back<T>(backups: &[T], pick: usize) -> Option<&T> {
    backups.iter().rev().nth(pick % backups.len().max(1))
}
