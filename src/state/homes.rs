//! The Maildirs that an account's messages were delivered to, and in which runs.

use super::clock::EARLIEST;
use super::record::Taken;
use crate::maildir::{MaildirId, Nonce, Nonces};
use std::path::{Path, PathBuf};

/// A Maildir, as the journal names it. Its id says which it is; the path only where to look.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Home {
    /// `None` for one of the first version's that nobody has looked at since.
    pub(super) id: Option<MaildirId>,
    pub(super) path: PathBuf,
    /// What is missing in it was removed by its owner. Not so where it was taken for the Maildir of
    /// old only because it stands at its path.
    pub(super) vouches: bool,
}

/// A run that wrote to the journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Run {
    pub(super) time: i64,
    pub(super) boot: String,
    /// Which of the homes it delivered to.
    pub(super) home: usize,
    /// The Maildir's generation while it delivered.
    pub(super) generation: u64,
    /// What it drew, if it delivered.
    pub(super) nonce: Option<Nonce>,
}

/// See the [module](self).
#[derive(Default)]
pub(super) struct Homes {
    pub(super) all: Vec<Home>,
    pub(super) runs: Vec<Run>,
    /// The first of the last runs whose times are believable: none is later than the next one's.
    in_order: usize,
    /// The Maildir's generation, as far as the journal knows.
    pub(super) generation: u64,
    /// What is behind it.
    pub(super) nonces: Nonces,
}

impl Homes {
    pub(super) fn begin_run(
        &mut self,
        time: i64,
        boot: String,
        path: PathBuf,
        id: Option<MaildirId>,
        (generation, nonce): (u64, Option<Nonce>),
    ) {
        let home = Home {
            id,
            path,
            // In the first version nobody looked.
            vouches: id.is_some(),
        };
        let known = self.all.iter().position(|known| *known == home);
        let home = known.unwrap_or_else(|| {
            self.all.push(home);
            self.all.len() - 1
        });
        self.generation = self.generation.max(generation);
        if let Some(nonce) = nonce {
            self.nonces.add(generation, nonce);
        }
        match self.runs.last() {
            _ if time < EARLIEST => self.in_order = self.runs.len() + 1,
            Some(last) if last.time > time => self.in_order = self.runs.len(),
            _ => {}
        }
        self.runs.push(Run {
            time,
            boot,
            home,
            generation,
            nonce,
        });
    }

    pub(super) fn set_generation(&mut self, generation: u64) {
        self.generation = generation;
        if let Some(run) = self.runs.last_mut() {
            run.generation = generation;
        }
    }

    /// From when on a message has certainly been here that a run recorded at this time, by a clock that
    /// may have been wrong: then it is the time of a later run by which it was right again, if there
    /// is any.
    pub(super) fn age_begins(&self, time: i64, run: u32) -> Option<i64> {
        let last = self.runs.last().map_or(i64::MAX, |run| run.time);
        let was_set_back = self.run(run).is_some_and(|run| run.time > last) && last >= EARLIEST;
        if time >= EARLIEST && !was_set_back {
            return Some(time);
        }
        let later = usize::try_from(run).ok()?.checked_add(1)?;
        Some(self.runs.get(later.max(self.in_order))?.time)
    }

    /// Whether a run that begins now must say so, for ages that no run before could be measured by.
    pub(super) fn lacks_a_time(&self, now: i64) -> bool {
        let wrong = |run: &Run| run.time > now || run.time < EARLIEST;
        now >= EARLIEST && self.runs.last().is_some_and(wrong)
    }

    /// The Maildir at this path, or with this id, is so from here on.
    pub(super) fn name(&mut self, path: &Path, id: MaildirId, taken: Taken) {
        for home in &mut self.all {
            let is_it = match taken {
                Taken::Adopted => home.id.is_none() && home.path == path,
                Taken::Accepted => home.id == Some(id) || home.path == path,
            };
            if is_it {
                home.id = Some(id);
                home.vouches = taken == Taken::Accepted;
            }
        }
    }

    pub(super) fn last_run(&self) -> u32 {
        u32::try_from(self.runs.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    pub(super) fn run(&self, run: u32) -> Option<&Run> {
        self.runs.get(usize::try_from(run).ok()?)
    }

    /// The Maildir that a run delivered to.
    pub(super) fn of_run(&self, run: u32) -> Option<&Home> {
        self.all.get(self.run(run)?.home)
    }

    /// Whether two runs delivered to the same Maildir.
    pub(super) fn are_of_one(&self, one: u32, other: u32) -> bool {
        let (Some(one), Some(other)) = (self.of_run(one), self.of_run(other)) else {
            return false;
        };
        one == other || (one.id.is_some() && one.id == other.id)
    }

    /// All paths, each once.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = self.all.iter().map(|home| home.path.clone()).collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// Whether the journal has ever named a Maildir by its id.
    pub(super) fn has_ids(&self) -> bool {
        self.all.iter().any(|home| home.id.is_some())
    }
}
