//! What takes messages once they are stored.

use crate::handover::{Archive, Folder, Recipient};
use std::path::Path;

/// What takes messages once they are stored, and what becomes of them then.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Deliver {
    /// What takes them.
    pub to: Recipient,
    /// Whether they stay in the Maildir as well.
    pub archive: Archive,
    /// The ids of other accounts ([`Server::id`](crate::profile::Server::id)) that append to the same
    /// file, as far as the config file says.
    pub beside: Vec<String>,
}

impl Deliver {
    /// The file that messages are appended to, if they are.
    pub fn file(&self) -> Option<&Path> {
        match &self.to {
            Recipient::Mbox(mbox) => Some(&mbox.path),
            Recipient::Program(_)
            | Recipient::Lmtp(_)
            | Recipient::Folder(_)
            | Recipient::Stdout => None,
        }
    }

    /// The folder of another account that messages are appended to, if they are.
    pub fn folder(&self) -> Option<&Folder> {
        match &self.to {
            Recipient::Folder(folder) => Some(folder),
            Recipient::Program(_) | Recipient::Mbox(_) | Recipient::Lmtp(_) | Recipient::Stdout => {
                None
            }
        }
    }

    /// Whether messages are in their owner's Maildir as well.
    pub fn keeps(&self) -> bool {
        self.archive == Archive::Kept
    }
}
