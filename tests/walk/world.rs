//! A person, a Maildir, a state directory and a server, and what can happen to them.

use super::content::Content;
use super::limits::{History, Knowledge, Limit};
use super::server::{Maildrop, Manner, Message, Server};
use super::tree::{Saved, Tree};
use popfetch::profile::Keep;
use popfetch::stop::Stop;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use tempfile::TempDir;

pub const DAY: i64 = 24 * 60 * 60;

/// A backup of the Maildir.
#[derive(Clone, Hash)]
pub struct MaildirBackup {
    saved: Saved,
    then: usize,
}

/// A backup of the state directory.
#[derive(Clone, Hash)]
pub struct StateBackup {
    saved: Saved,
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
    /// One of each at a time: who has gone back to one has none of a future that never was.
    pub maildir_backup: Option<MaildirBackup>,
    pub state_backup: Option<StateBackup>,
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
    pub maildir_backup: Option<MaildirBackup>,
    pub state_backup: Option<StateBackup>,
}

impl World {
    pub fn new(manner: Manner) -> Self {
        // In memory where the system has that: very many small files are made.
        let memory = Path::new("/dev/shm");
        let temp = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        let temp = temp.unwrap();
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
            maildir_backup: None,
            state_backup: None,
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
            maildir_backup: self.maildir_backup.clone(),
            state_backup: self.state_backup.clone(),
        }
    }

    pub fn go_back(&mut self, kept: &Kept) {
        self.maildrop().clone_from(&kept.maildrop);
        self.maildrop().maildir = self.maildir();
        kept.disk.write(&self.root);
        self.keep = kept.keep;
        self.time = kept.time;
        self.history = kept.history.clone();
        self.maildir_backup = kept.maildir_backup.clone();
        self.state_backup = kept.state_backup.clone();
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
            self.maildir_backup = Some(MaildirBackup {
                saved: Saved::read(&self.maildir()),
                then: self.history.settled,
            });
        }
    }

    pub fn backs_up_state(&mut self) {
        self.state_backup = Some(StateBackup {
            saved: Saved::read(&self.root.join("state")),
            knowledge: self.history.knowledge.clone(),
        });
    }

    pub fn restores_maildir(&mut self) {
        if let Some(backup) = self.maildir_backup.clone() {
            backup.saved.write(&self.maildir());
            let tree = self.tree();
            self.history.restores_maildir(&tree, backup.then);
        }
    }

    pub fn restores_state(&mut self) {
        if let Some(backup) = self.state_backup.clone() {
            backup.saved.write(&self.root.join("state"));
            self.history.restores_state(&backup.knowledge);
        }
    }
}
