//! Marking a message as seen, as mail readers do: from new/ to cur/, and an S behind its name.

use super::places::is_part;
use crate::durable::{Dir, Disk};
use crate::maildir::seen_name;
use std::io;
use std::path::{Path, PathBuf};

/// Marks the message at `path` as seen and tells where it is from now on. A file that lies in no
/// Maildir stays as it is, and so does one that is seen already. The file's octets are not touched, no
/// flag is lost, and nothing is replaced.
pub fn mark_seen(disk: &Disk, path: &Path) -> io::Result<PathBuf> {
    let stays = || Ok(path.to_owned());
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return stays();
    };
    let (Some(root), Some(part)) = (parent.parent(), parent.file_name()) else {
        return stays();
    };
    let Some(target) = seen_name(name).filter(|_| is_part(part)) else {
        return stays();
    };
    let cur = match Dir::open(disk, &root.join("cur")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return stays(),
        opened => opened?,
    };
    let from = Dir::open(disk, parent)?;
    match from.publish_as(name, &cur, &target) {
        // Another reader was faster, with this message or with one of the same name.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists
            ) =>
        {
            return stays();
        }
        moved => moved?,
    }
    // The name in new/ must not be gone before the one in cur/ is there, whatever happens to the power.
    cur.sync()?;
    Ok(cur.path().join(target))
}
