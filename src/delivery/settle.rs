//! What a crash left of deliveries, and what a lost state can be made from: a Maildir's answers.

use super::Error;
use crate::maildir::{AccountTag, Folder, JournalId, Maildir, PlacedName, Search, UniqueName};
use crate::message::{Examined, Flags};
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

/// A delivery that had begun: its intent is recorded, and nothing else.
#[derive(Clone, Copy)]
pub struct Interrupted<'a> {
    /// The file's name in tmp/.
    pub name: &'a UniqueName,
    /// Whether its size was to be told by its name where it was to be placed.
    pub sized: bool,
    /// Its flags.
    pub flags: Flags,
    /// The folder that it was to go to; none is the Maildir itself.
    pub folder: Option<&'a Folder>,
    /// Octets as they were to be stored.
    pub octets: u64,
    /// Their SHA-256.
    pub sha256: &'a [u8; 32],
}

impl Interrupted<'_> {
    fn placed_name(&self) -> PlacedName {
        PlacedName {
            name: self.name.clone(),
            size: self.sized.then_some(self.octets),
            flags: self.flags,
        }
    }
}

/// What has become of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It is there, durable.
    Delivered,
    /// There is nothing of it.
    Nothing,
}

/// Settles deliveries to one Maildir, which is `None` where it is gone: a file that is whole in tmp/
/// moves on, and what a mail reader has taken from new/ counts wherever it is. `search` has looked for
/// all of them. Durable on return (E9).
pub fn settle(
    maildir: Option<&Maildir>,
    tags: &[AccountTag],
    interrupted: &[Interrupted<'_>],
    search: &Search,
) -> Result<Vec<Fate>, Error> {
    let mut in_tmp = HashSet::new();
    if let Some(maildir) = maildir {
        for tag in tags {
            maildir.for_each_in_tmp(*tag, |name| {
                in_tmp.insert(name);
            })?;
        }
    }
    let mut fates = Vec::with_capacity(interrupted.len());
    for it in interrupted {
        let in_tmp = maildir.filter(|_| in_tmp.contains(it.name));
        fates.push(match (in_tmp, search.contains(it.name)) {
            (Some(maildir), false) if is_whole(maildir, it) => {
                match (
                    maildir.roll_forward(&it.placed_name(), it.folder),
                    it.folder,
                ) {
                    (Ok(()), _) => Fate::Delivered,
                    // A folder that cannot be made any more, as where a file has taken its name: the
                    // message is fetched again, and goes where the rules say then.
                    (Err(Error::Create { .. } | Error::Unusable { .. }), Some(_)) => Fate::Nothing,
                    (Err(error), _) => return Err(error),
                }
            }
            (_, false) => Fate::Nothing,
            (half, true) => {
                if let Some(maildir) = half {
                    maildir.remove_tmp(it.name)?;
                }
                match search.sync(it.name) {
                    Ok(()) => {}
                    // A reader has moved it on in between.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(source) => {
                        let path = search.path(it.name).unwrap_or_default();
                        return Err(Error::Write { path, source });
                    }
                }
                Fate::Delivered
            }
        });
    }
    if let Some(maildir) = maildir {
        maildir.sync_new()?;
    }
    Ok(fates)
}

fn is_whole(maildir: &Maildir, it: &Interrupted<'_>) -> bool {
    maildir
        .examine_tmp(it.name)
        .is_ok_and(|examined| examined.octets == it.octets && examined.digests.stored == *it.sha256)
}

/// Removes an account's files from tmp/, once all that was interrupted is settled. Those of journals
/// that are not among `ours` may be being written.
pub fn sweep(maildir: &Maildir, tags: &[AccountTag], ours: &[JournalId]) -> Result<(), Error> {
    let mut stale: Vec<UniqueName> = Vec::new();
    for tag in tags {
        maildir.for_each_in_tmp(*tag, |name| {
            if name.journal().is_none_or(|journal| ours.contains(&journal)) {
                stale.push(name);
            }
        })?;
    }
    stale.iter().try_for_each(|name| maildir.remove_tmp(name))
}

/// A message that is stored.
pub struct Surveyed {
    /// The file's name.
    pub name: UniqueName,
    /// Where it is.
    pub path: PathBuf,
    /// What its octets tell.
    pub examined: Examined,
}

/// Calls `each` with every stored message whose name is not `known`, those first that lie outside of
/// `here`.
///
/// # Errors
/// Also where a folder cannot be read: what is in there would be delivered twice.
pub fn survey(
    mut search: Search,
    here: &Path,
    known: impl Fn(&str) -> bool,
    mut each: impl FnMut(Surveyed),
) -> Result<(), Error> {
    if let Some(path) = search.unread() {
        let path = path.to_owned();
        let source = io::Error::other("this folder's messages cannot be told");
        return Err(Error::Unusable { path, source });
    }
    let names = search.look_for_names(|name| !known(name))?;
    let paths = names.into_iter().map(|name| {
        let path = search.path(&name).unwrap_or_default();
        (path.starts_with(here), name, path)
    });
    let mut unknown: Vec<(bool, UniqueName, PathBuf)> = paths.collect();
    unknown
        .sort_unstable_by(|one, other| (one.0, one.1.as_str()).cmp(&(other.0, other.1.as_str())));
    for (_, name, path) in unknown {
        let examined = match search.examine(&name) {
            Ok(examined) => examined,
            // A mail reader moved or removed it just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(Error::Unusable { path, source }),
        };
        // A file that was cut to nothing is no proof that its message was ever stored.
        if examined.octets > 0 {
            each(Surveyed {
                name,
                path,
                examined,
            });
        }
    }
    Ok(())
}
