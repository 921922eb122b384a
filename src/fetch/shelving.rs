//! Which folder of the Maildir a message goes to, and what is told of the folders on the server.

use super::conduct::Missed;
use super::run::Run;
use super::{Account, Error};
use crate::delivery::Target;
use crate::maildir::{Folder, Maildir};
use crate::maildrop::{Maildrop, Message, RemoteFolder, Shortfall};
use crate::report::{Event, Outcome};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Account<'_> {
    /// Opens the folders that a Maildir has elsewhere, behind links, as a confined thread reaches none of
    /// them. What cannot be opened is found out when a message is to go there.
    pub(super) fn open_linked_folders(&self, maildir: &Maildir) {
        if self.profile.follows_folders() {
            for folder in maildir.linked_folders() {
                let _ = maildir.open_folders([&folder]);
            }
        }
    }

    /// Opens the folders of the Maildir that these messages go to, where no rule says otherwise.
    pub(super) fn open_homes(&self, target: &Target, messages: &[Message]) -> Result<(), Error> {
        let mut homes: BTreeMap<Folder, Arc<RemoteFolder>> = BTreeMap::new();
        let mut last: Option<&Arc<RemoteFolder>> = None;
        for message in messages {
            let Some(folder) = &message.folder else {
                continue;
            };
            // Those of one folder come together.
            if last.is_some_and(|last| Arc::ptr_eq(last, folder)) {
                continue;
            }
            last = Some(folder);
            let Some(home) = self.profile.home_of(Some(folder)) else {
                continue;
            };
            let first = homes.entry(home).or_insert_with(|| folder.clone());
            if self.profile.follows_folders() && first != folder {
                self.tell(Event::Notice(&format!(
                    "the folders {first} and {folder} of the server have one name in a Maildir: the \
                     messages of both go to the same folder there"
                )));
            }
        }
        Ok(target.open_folders(homes.keys())?)
    }

    /// What was asked for and is not in the listing is told, as nobody would miss it.
    pub(super) fn tell_shortfalls(&self, maildrop: &Maildrop) -> Vec<Missed> {
        let mut missed = Vec::new();
        for shortfall in &maildrop.shortfalls {
            let text = shortfall.to_string();
            let name = match shortfall {
                Shortfall::Unmatched {
                    is_pattern: true, ..
                }
                | Shortfall::NotLeftOut { .. } => {
                    self.tell(Event::Notice(&text));
                    continue;
                }
                Shortfall::Unmatched { word, .. } => word.clone(),
                Shortfall::Unread { folder, .. } => folder.to_string(),
            };
            if !self.environment.quiet {
                self.tell(Event::Warning(&text));
            }
            missed.push(Missed { name, text });
        }
        missed
    }

    /// The same in a fetch, which has not done all that it should.
    pub(super) fn note_shortfalls(
        &self,
        maildrop: &Maildrop,
        run: &mut Run<'_>,
        outcome: &mut Outcome,
    ) {
        let missed = self.tell_shortfalls(maildrop);
        outcome.held_up += missed.len() as u64;
        run.holds.extend(missed);
    }
}
