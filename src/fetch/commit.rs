//! The disk's side of a fetch: group commit.
//!
//! Messages are committed many at a time: one that is complete waits a moment for others, and while
//! one batch is on its way to the disk the next one gathers. For each batch, in this order: the
//! files (E2), the journal with this batch's intents and the last batch's seen lines in one sync
//! (E1, E4), the names, new/ (E3).

use super::{Account, Error};
use crate::delivery::Target;
use crate::delivery::{self, Complete};
use crate::maildrop::Message;
use crate::report::{self, Event};
use crate::state::{Judgement, Placed, Same, Settled, Store};
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Messages in a batch at most: each is an open file. Twice as many as were tried at first,
/// as half as many syncs of the journal and of new/ (fact D6) made a fetch of 2,000 messages a tenth
/// faster.
const BATCH: usize = 128;

/// Octets in a batch, more or less: a batch of large messages must not keep the small ones behind
/// it waiting.
const BATCH_OCTETS: u64 = 8 * 1024 * 1024;

/// How long a message waits for others to be committed with it. With each batch the journal and
/// new/ are synced, which costs as much for one message as for many; a person hardly notices.
const GATHERING: Duration = Duration::from_millis(200);

/// What the disk's side came to.
#[derive(Default)]
pub(super) struct Committed {
    /// Messages that are stored now.
    pub(super) recorded: Vec<Placed>,
    /// Messages that turned out to be here already.
    pub(super) same: Vec<Same>,
    /// Messages that are stored already, or second copies of such: other messages are to be looked at
    /// before, those that count as these records.
    pub(super) rivals: Vec<(Complete, Vec<u32>)>,
    /// Messages that turned out to be others than those that they counted as, and of which rules have yet to
    /// say whether they come.
    pub(super) others: Vec<Complete>,
    /// Messages delivered, and their octets.
    pub(super) fetched: u64,
    pub(super) octets: u64,
    /// Messages whose ends were doubtful, and that are delivered all the same.
    pub(super) doubtful: u64,
    /// What went wrong. Nothing is committed after it.
    pub(super) error: Option<Error>,
}

impl Committed {
    pub(super) fn add(&mut self, more: Self) {
        self.recorded.extend(more.recorded);
        self.same.extend(more.same);
        self.rivals.extend(more.rivals);
        self.others.extend(more.others);
        self.fetched += more.fetched;
        self.octets += more.octets;
        self.doubtful += more.doubtful;
        self.error = self.error.take().or(more.error);
    }
}

/// Commits what comes until nothing more does, or until something fails.
pub(super) fn run(
    store: &mut Store,
    target: &Target,
    incoming: &Receiver<Complete>,
    account: &Account<'_>,
    last_word: bool,
) -> Committed {
    let mut committer = Committer {
        store,
        target,
        account,
        last_word,
        done: Committed::default(),
    };
    let ended = committer.commit_all(incoming);
    committer.done.error = ended.err();
    committer.done
}

struct Committer<'a> {
    store: &'a mut Store,
    target: &'a Target,
    account: &'a Account<'a>,
    /// What could be looked at was: a rival is a second copy.
    last_word: bool,
    done: Committed,
}

impl Committer<'_> {
    fn commit_all(&mut self, incoming: &Receiver<Complete>) -> Result<(), Error> {
        while let Some(first) = self.next(incoming)? {
            let most = BATCH.min(self.account.environment.room / 2).max(1);
            let batch = gather(first, incoming, most);
            self.commit(batch)?;
        }
        self.settle()
    }

    /// The next message. While none comes, what is committed is settled.
    fn next(&mut self, incoming: &Receiver<Complete>) -> Result<Option<Complete>, Error> {
        match incoming.recv_timeout(GATHERING) {
            Ok(complete) => Ok(Some(complete)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                self.settle()?;
                match incoming.recv_timeout(GATHERING) {
                    Err(RecvTimeoutError::Timeout) => {
                        self.note_reported();
                        self.store.flush()?;
                        Ok(incoming.recv().ok())
                    }
                    received => Ok(received.ok()),
                }
            }
        }
    }

    fn commit(&mut self, batch: Vec<Complete>) -> Result<(), Error> {
        let mut news = Vec::with_capacity(batch.len());
        let doubts_clock = self.store.doubts_clock();
        for complete in batch {
            let complete = self.account.sorted(complete, doubts_clock);
            match self.store.judge_whole(&complete)? {
                Judgement::Another if self.account.may_leave(&complete) => {
                    self.done.others.push(complete);
                }
                Judgement::New | Judgement::Another => news.push(complete),
                Judgement::Stored => {}
                Judgement::Rival(_) if self.last_word => news.push(complete),
                Judgement::Rival(ids) => self.done.rivals.push((complete, ids)),
            }
        }
        let (synced, failed) = delivery::sync_all(news);
        let (intended, settled) = self.store.intend(synced)?;
        self.tell(settled);
        let (delivered, unplaced) = self.target.place(intended);
        self.note_reported();
        self.store.record(delivered)?;
        if !unplaced.is_empty() {
            // Where a name may have stayed its intent does, and the next run sees what became of it.
            let gone = unplaced.iter().filter(|failed| self.target.discard(failed));
            let gone: Vec<_> = gone.collect();
            self.store.withdraw(&gone)?;
        }
        let named = unplaced
            .into_iter()
            .map(|failed| (failed.message, failed.error));
        self.fail_on(failed.into_iter().chain(named))
    }

    /// One message that cannot be stored ends the fetch: the disk is in trouble, and the session
    /// must not come to QUIT (E10). The rest of its batch is settled first.
    fn fail_on(&mut self, failed: impl Iterator<Item = (Message, io::Error)>) -> Result<(), Error> {
        let mut first = None;
        for (message, error) in failed {
            let reason = format!("it could not be stored: {error}");
            let message = super::listed(&message);
            self.account.tell(Event::Failed {
                message,
                reason: &reason,
            });
            first.get_or_insert(error);
        }
        let Some(source) = first else {
            return Ok(());
        };
        self.settle()?;
        let path = self.target.path().to_owned();
        Err(delivery::Error::Write { path, source }.into())
    }

    /// What was told so far need not be told by the next run, if it has been read.
    fn note_reported(&mut self) {
        if self.account.environment.report.is_written() {
            self.store.reported();
        }
    }

    fn settle(&mut self) -> Result<(), Error> {
        let settled = self.store.settle()?;
        self.tell(settled);
        Ok(())
    }

    fn tell(&mut self, settled: Vec<Settled>) {
        for settled in settled {
            let (delivered, recorded) = match settled {
                Settled::Known(same) => {
                    self.done.same.push(same);
                    continue;
                }
                Settled::Delivered(delivered, recorded) => (delivered, recorded),
            };
            if recorded.is_none() {
                self.done.doubtful += 1;
                self.account.tell_doubtful(&delivered);
            }
            self.done.recorded.extend(recorded);
            let synced = delivered.synced();
            self.done.fetched += 1;
            self.done.octets += synced.octets();
            let path: &Path = delivered.path();
            self.account.tell(Event::Message(&report::Message {
                listed: super::listed(synced.message()),
                octets: synced.octets(),
                path,
                sha256: &synced.digests().stored,
                header: synced.header(),
                recovered: false,
            }));
        }
    }
}

/// The message, and those that come with it. The disk begins with each at once: asked for in this
/// thread rather than the network's, a fetch of 2,000 messages took 13 % less time on ext4.
fn gather(first: Complete, incoming: &Receiver<Complete>, most: usize) -> Vec<Complete> {
    let until = Instant::now() + GATHERING;
    let mut octets = first.octets();
    first.begin_sync();
    let mut batch = vec![first];
    while batch.len() < most && octets < BATCH_OCTETS {
        let left = until.saturating_duration_since(Instant::now());
        let Ok(complete) = incoming.recv_timeout(left) else {
            break;
        };
        octets += complete.octets();
        complete.begin_sync();
        batch.push(complete);
    }
    batch
}
