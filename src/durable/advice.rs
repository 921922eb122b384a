//! What a person can do where the system does not let a file or a directory be used.

use super::untrusted::Untrusted;
use crate::exit::scarcity;
use crate::paths;
use crate::term::quoted;
use rustix::fs::statvfs;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What to do about `error`, which came of `path`; `None` where nothing certain can be said.
pub fn advice(path: &Path, error: &io::Error) -> Option<String> {
    if let Some(untrusted) = untrusted(error) {
        return Some(of_untrusted(path, untrusted));
    }
    match error.kind() {
        io::ErrorKind::StorageFull if has_no_inodes(path) => Some(
            "the disk has room, but can take no more files (df -i): remove some".to_owned(),
        ),
        io::ErrorKind::StorageFull => Some("make room on the disk".to_owned()),
        io::ErrorKind::FileTooLarge => {
            Some("raise the limit of a file's size (ulimit -f)".to_owned())
        }
        io::ErrorKind::QuotaExceeded => {
            Some("make room on the disk, or ask for more: your share of it is used up".to_owned())
        }
        io::ErrorKind::ReadOnlyFilesystem => Some(
            "the disk is mounted for reading alone, as after an error of it: see what `dmesg` says, \
             and mount it for writing"
                .to_owned(),
        ),
        io::ErrorKind::NotADirectory => Some(match in_the_way(path) {
            Some(file) => format!("{} is a file and no directory: move it away", shown(&file)),
            None => "a part of the path is a file and no directory".to_owned(),
        }),
        io::ErrorKind::PermissionDenied => denied(path),
        _ => None,
    }
}

/// The same for what could not be written, whatever became of it: mail that is not stored is not lost.
pub fn unstored(path: &Path, error: &io::Error) -> String {
    let way = match scarcity(error) {
        Some(scarce) => scarce.to_owned(),
        None => {
            advice(path, error).unwrap_or_else(|| "check the disk: see what `dmesg` says".into())
        }
    };
    format!("{way}; what was not stored is still on the server")
}

fn untrusted(error: &io::Error) -> Option<Untrusted> {
    error.get_ref()?.downcast_ref::<Untrusted>().copied()
}

fn of_untrusted(path: &Path, reason: Untrusted) -> String {
    match reason {
        Untrusted::Open => format!("run: chmod o-w {}", shown(path)),
        Untrusted::Shareable => format!("run: chmod g-w {}", shown(path)),
        Untrusted::Foreign(owner) => of_another(there(path), owner),
        Untrusted::ForeignParent(owner) => format!(
            "run popfetch as that user, not as root: what root makes there user {owner} cannot use"
        ),
        Untrusted::Link | Untrusted::NotRegular | Untrusted::Shared => format!(
            "see what {} is, and move it away: popfetch takes a regular file of its own for this",
            shown(path)
        ),
    }
}

/// Where so many more files could be made, that there were none is hardly what was met.
const MANY: u64 = 64;

/// Whether it is the number of files that is used up. File systems without such a limit have none.
///
/// What of both is the scarcer is what was met, if it is scarce: by now what was half written is removed, and
/// a few files or blocks are free again.
fn has_no_inodes(path: &Path) -> bool {
    let disk = path.ancestors().find_map(|step| statvfs(step).ok());
    disk.is_some_and(|disk| {
        let inodes = u128::from(disk.f_favail) * u128::from(disk.f_blocks);
        let octets = u128::from(disk.f_bavail) * u128::from(disk.f_files);
        let are_scarce = disk.f_favail < (disk.f_files / 4).max(MANY);
        disk.f_files > 0 && are_scarce && inodes < octets
    })
}

/// The first step of the path that cannot be gone through, or written to, and whose it is.
fn denied(path: &Path) -> Option<String> {
    let us = rustix::process::geteuid().as_raw();
    // What is below a directory that may not be entered is not seen.
    let seen = path.ancestors().find_map(|step| {
        let metadata = fs::metadata(step).ok()?;
        Some((step, metadata))
    });
    let (step, metadata) = seen?;
    Some(match metadata.uid() == us {
        true => format!("run: chmod u+rwX {}", shown(step)),
        false => of_another(step, metadata.uid()),
    })
}

/// The path itself, or what is there above it: what is not there belongs to nobody.
fn there(path: &Path) -> &Path {
    let mut steps = path.ancestors();
    steps
        .find(|step| step.symlink_metadata().is_ok())
        .unwrap_or(path)
}

/// Whether root's can only have come here by mistake, so that it may be given back with all that is in
/// it. Who follows that for a directory of the system's, as / or /etc, has a machine that is broken.
fn is_astray(path: &Path, home: &Path, ours: &[PathBuf]) -> bool {
    // What `..` or a link leads out of the home is not in it.
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (path, home) = (real(path), real(home));
    let inside = path != home && path.starts_with(&home) && home.parent().is_some();
    let has_parts = |path: &Path| {
        let names = ["tmp", "new", "cur"];
        names.into_iter().all(|name| path.join(name).is_dir())
    };
    let is_maildir = has_parts(&path) || path.parent().is_some_and(has_parts);
    let mut ours = ours.iter().map(|it| real(it));
    // The state's directory, what is in it, or one in the home on the way to it.
    let is_ours = |it: &PathBuf| path.starts_with(it) || (inside && it.starts_with(&path));
    (inside && is_maildir) || ours.any(|it| is_ours(&it))
}

fn is_mistake(path: &Path) -> bool {
    let config = paths::config_file().ok();
    let config = config.and_then(|file| file.parent().map(Path::to_owned));
    let ours: Vec<_> = [paths::state_dir().ok(), paths::data_dir().ok(), config]
        .into_iter()
        .flatten()
        .collect();
    paths::home().is_ok_and(|home| is_astray(path, &home, &ours))
}

fn of_another(path: &Path, owner: u32) -> String {
    let is_mistake = owner == 0 && is_mistake(path);
    let path = shown(path);
    match owner {
        0 if is_mistake => format!(
            "{path} is root's, as where popfetch ran by sudo once: sudo chown -R {} {path}",
            rustix::process::geteuid().as_raw()
        ),
        0 => format!("{path} is root's: use a directory of your own"),
        _ => format!(
            "{path} belongs to user {owner}: run popfetch as that user, or use a directory of your own"
        ),
    }
}

fn in_the_way(path: &Path) -> Option<std::path::PathBuf> {
    let found = path.ancestors().find(|step| {
        let metadata = fs::metadata(step);
        metadata.is_ok_and(|it| !it.is_dir())
    });
    found.map(Path::to_owned)
}

fn shown(path: &Path) -> String {
    quoted(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &Path, kind: io::ErrorKind) -> String {
        advice(path, &kind.into()).unwrap_or_default()
    }

    #[test]
    fn hint_each_refusal_of_the_system_has_a_way_on() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("a file");
        fs::write(&file, "").unwrap();
        let below = file.join("below");
        let said = of(&below, io::ErrorKind::NotADirectory);
        assert_eq!(
            said,
            format!(
                "'{}' is a file and no directory: move it away",
                file.display()
            )
        );
        assert!(of(&file, io::ErrorKind::StorageFull).contains("make room"));
        assert!(of(&file, io::ErrorKind::FileTooLarge).contains("ulimit -f"));
        assert!(of(&file, io::ErrorKind::QuotaExceeded).contains("your share"));
        assert!(of(&file, io::ErrorKind::ReadOnlyFilesystem).contains("dmesg"));
        let said = of(&file.with_file_name("new"), io::ErrorKind::PermissionDenied);
        assert_eq!(said, format!("run: chmod u+rwX {}", home.path().display()));
        for (reason, said) in [
            (Untrusted::Open, "chmod o-w"),
            (Untrusted::Shareable, "chmod g-w"),
            (Untrusted::Foreign(0), "use a directory of your own"),
            (Untrusted::Foreign(12345), "belongs to user 12345"),
            (Untrusted::ForeignParent(12345), "not as root"),
            (Untrusted::Link, "move it away"),
        ] {
            let text = advice(&file, &reason.into()).unwrap();
            assert!(text.contains(said), "{text}");
        }
        assert_eq!(advice(&file, &io::Error::other("odd")), None);
    }

    #[test]
    fn hint_nothing_but_what_is_ours_in_the_home_is_to_be_given_away() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        let state = home.join(".local/state/popfetch");
        let maildir = home.join("Mail/work");
        let foreign = dir.path().join("mail");
        for path in [&maildir, &foreign] {
            for part in ["tmp", "new", "cur"] {
                fs::create_dir_all(path.join(part)).unwrap();
            }
        }
        fs::create_dir_all(&state).unwrap();
        fs::create_dir_all(home.join("Music")).unwrap();
        let ours = [state.clone()];
        for path in [
            &maildir,
            &maildir.join("cur"),
            &state,
            &state.join("journal"),
            &home.join(".local/state"),
        ] {
            assert!(is_astray(path, &home, &ours), "{}", path.display());
        }
        for path in [
            Path::new("/"),
            Path::new("/etc"),
            dir.path(),
            &home,
            &home.join("Music"),
            &home.join("Music/../.."),
            &foreign,
        ] {
            assert!(!is_astray(path, &home, &ours), "{}", path.display());
        }
        assert!(!is_astray(Path::new("/etc"), Path::new("/"), &ours));
        assert_eq!(there(&foreign.join("no/such")), foreign);
    }

    #[test]
    fn hint_what_is_not_there_is_nobodys_to_give_away() {
        let said = of_untrusted(Path::new("/no/such"), Untrusted::Foreign(0));
        assert_eq!(said, "/ is root's: use a directory of your own");
    }
}
