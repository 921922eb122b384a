//! Which folders of the server are read, and where their messages go.

use super::Resolver;
use super::wrong::Wrong;
use crate::profile::folders::{Destination, FolderWords};
use crate::profile::{ConfigError, Protocol};
use crate::source::folders::Folders;
use toml::Spanned;

impl Resolver<'_> {
    /// What the account has of these keys, or else the defaults.
    pub(super) fn folders(&self, wrong: &mut Wrong) -> Option<(Folders, Destination)> {
        if self.protocol() == Protocol::Pop {
            // The defaults may have them for the accounts that can do with them.
            let own = [
                self.account
                    .folders
                    .as_ref()
                    .map(|it| ("folders", it.span())),
                self.account
                    .exclude
                    .as_ref()
                    .map(|it| ("exclude", it.span())),
                self.account.into.as_ref().map(|it| ("into", it.span())),
            ];
            for (key, span) in own.into_iter().flatten() {
                wrong.note::<()>(Err(self.error_with(
                    span,
                    format!(
                        "`{key}` is about folders on the server, and POP3 knows the inbox alone"
                    ),
                    "remove it, or add protocol = \"imap\", if the server has that".into(),
                )));
            }
            return Some((Folders::default(), Destination::default()));
        }
        let wanted = key!(self.folders);
        if let Some(none) = wanted.filter(|it| it.get_ref().0.is_empty()) {
            return wrong.note(Err(self.error_with(
                none.span(),
                "an empty list of folders fetches nothing".into(),
                "name one at least, as in folders = [\"INBOX\"]".into(),
            )));
        }
        let excluded = key!(self.exclude);
        if let (None, Some(own)) = (wanted, self.account.exclude.as_ref()) {
            return wrong.note(Err(self.lacking(
                &["folders"],
                own.span(),
                "`exclude` leaves out some of what `folders` names, and without that the inbox alone is \
                 fetched",
                "add a line to it: folders = [\"*\"]",
            )));
        }
        let words = |key: &Spanned<FolderWords>| key.get_ref().0.clone();
        let folders = wanted.map_or_else(Folders::default, |wanted| {
            Folders::new(words(wanted), excluded.map(words).unwrap_or_default())
        });
        let into = wrong.note(self.destination())?;
        Some((folders, into))
    }

    fn destination(&self) -> Result<Destination, ConfigError> {
        let Some(into) = key!(self.into) else {
            return Ok(Destination::default());
        };
        if self.passes_through() && matches!(into.get_ref(), Destination::Folder(_)) {
            return Err(self.lacking(
                &["maildir"],
                into.span(),
                "there is no Maildir to have this folder: `deliver` takes the messages",
                "name a Maildir beside `deliver`, as in maildir = \"~/Mail/{account}\", or remove the key",
            ));
        }
        Ok(into.get_ref().clone())
    }
}
