//! Who hands messages on: see [`Aside`].

use super::appender::Appender;
use super::aside::Aside;
use super::{Account, Error};
use crate::handover::{Answer, Append, Errand, Ledger, Owner, Porter, Recipient};
use crate::state::{Neighbours, Store};

/// The way to who hands messages on.
pub(super) type Courier = Aside<Errand, Answer>;

impl Account<'_> {
    /// Starts somebody who hands messages on, where they are handed on.
    pub(super) fn courier(&self, store: &mut Store) -> Result<Option<Courier>, Error> {
        let profile = self.profile;
        let Some(deliver) = &profile.deliver else {
            return Ok(None);
        };
        let owner = Owner {
            account: profile.name.clone(),
            user: profile.server.user.clone(),
            host: profile.server.host.clone(),
        };
        // What waits may be where messages were stored before `maildir` was changed.
        let mut roots = store.paths_of_maildirs();
        roots.push(profile.maildir.clone());
        let (disk, stop) = (self.environment.disk.clone(), self.environment.stop.clone());
        let neighbours = Neighbours::new(
            disk.clone(),
            self.environment.state.to_path_buf(),
            profile.server.id(),
            deliver.beside.clone(),
        );
        let (others, all) = (neighbours.clone(), neighbours.clone());
        let ledger = Ledger::new(
            move || neighbours.appended(),
            store.unfinished()?,
            move || others.unfinished(),
        );
        let appender = match (&deliver.to, &self.addressee) {
            (Recipient::Folder(folder), Some(addressee)) => {
                let appender =
                    Appender::new(folder.clone(), addressee.clone(), self.environment, all);
                Some(Box::new(appender) as Box<dyn Append>)
            }
            _ => None,
        };
        let porter = Porter::new(deliver.to.clone(), owner, roots, ledger, (disk, stop));
        let mut porter = porter.by(appender);
        Aside::start(move |errand: Errand| porter.run(&errand)).map(Some)
    }
}
