//! Who hands messages on: a thread that may start programs and open files, and has nothing to do with
//! the server. The thread that has is confined, and asks it.

use super::reach::beside;
use super::{Account, Error};
use crate::handover::{Answer, Errand, Owner, Porter};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// The way to who hands messages on.
pub(super) enum Courier {
    /// Nothing is handed on.
    Nobody,
    /// The thread itself, where it is not confined.
    Here(Box<Porter>, Option<Answer>),
    /// Another thread, one message at a time.
    Apart(Sender<Errand>, Receiver<Answer>),
}

impl Courier {
    /// Asks for something. What came of the one before must have been asked for.
    pub(super) fn send(&mut self, errand: Errand) -> Result<(), Error> {
        match self {
            Self::Nobody => Err(Error::Thread),
            Self::Here(porter, answer) => {
                *answer = Some(porter.run(&errand));
                Ok(())
            }
            Self::Apart(errands, _) => errands.send(errand).map_err(|_| Error::Thread),
        }
    }

    /// What came of it; `None` where that is not known within this time.
    pub(super) fn answer(&mut self, limit: Duration) -> Result<Option<Answer>, Error> {
        match self {
            Self::Nobody => Err(Error::Thread),
            Self::Here(_, answer) => Ok(answer.take()),
            Self::Apart(_, answers) => match answers.recv_timeout(limit) {
                Ok(answer) => Ok(Some(answer)),
                Err(RecvTimeoutError::Timeout) => Ok(None),
                Err(RecvTimeoutError::Disconnected) => Err(Error::Thread),
            },
        }
    }
}

impl Account<'_> {
    /// As [`Account::apart`], with somebody who hands messages on.
    pub(super) fn apart_with_courier<R: Send>(
        &self,
        work: impl FnOnce(Courier) -> R + Send,
    ) -> Result<R, Error> {
        let profile = self.profile;
        let Some(deliver) = &profile.deliver else {
            return self.apart(|| work(Courier::Nobody));
        };
        let owner = Owner {
            account: profile.name.clone(),
            user: profile.server.user.clone(),
            host: profile.server.host.clone(),
        };
        let (disk, stop) = (self.environment.disk.clone(), self.environment.stop.clone());
        let mut porter = Porter::new(deliver.to.clone(), owner, &profile.maildir, disk, stop);
        if !self.environment.confined {
            return Ok(work(Courier::Here(Box::new(porter), None)));
        }
        let (errands, asked) = channel();
        let (answers, answered) = channel();
        let work = move || work(Courier::Apart(errands, answered));
        beside(work, move || {
            for errand in asked {
                // Who asked may have ended.
                let _ = answers.send(porter.run(&errand));
            }
        })
    }
}
