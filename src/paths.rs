//! Where popfetch keeps its files, by the XDG Base Directory rules.

use std::path::{Path, PathBuf};

use directories::BaseDirs;
use thiserror::Error;

use crate::exit::{Diagnose, Status};

/// The config file: `$XDG_CONFIG_HOME/popfetch/config.toml`, by default under `~/.config`.
///
/// The path is absolute; nothing is looked up in the working directory. Whether the file exists
/// is not checked.
pub fn config_file() -> Result<PathBuf, NoHome> {
    let base = BaseDirs::new().ok_or(NoHome)?;
    Ok(base.config_dir().join("popfetch").join("config.toml"))
}

/// The home directory.
pub fn home() -> Result<PathBuf, NoHome> {
    let base = BaseDirs::new().ok_or(NoHome)?;
    Ok(base.home_dir().to_owned())
}

/// The directory for state: `$XDG_STATE_HOME/popfetch`, by default under `~/.local/state`.
///
/// The path is absolute; it is not created.
pub fn state_dir() -> Result<PathBuf, NoHome> {
    let base = BaseDirs::new().ok_or(NoHome)?;
    // Systems without a place for state (macOS, Windows) have one for the program's local data.
    let dir = base.state_dir().unwrap_or_else(|| base.data_local_dir());
    Ok(dir.join("popfetch"))
}

/// In the directory of the state: where messages of accounts without a Maildir wait to be handed on.
pub const SPOOL: &str = "spool";

/// Where messages of this account wait for what takes them, where it has no Maildir: below the directory
/// for state, under `name`, which is that of its state's files.
pub fn spool_dir(name: &str) -> Result<PathBuf, NoHome> {
    Ok(state_dir()?.join(SPOOL).join(name))
}

/// The directory for what is kept beside the state: `$XDG_DATA_HOME/popfetch`, by default under
/// `~/.local/share`.
///
/// The path is absolute; it is not created.
pub fn data_dir() -> Result<PathBuf, NoHome> {
    let base = BaseDirs::new().ok_or(NoHome)?;
    Ok(base.data_dir().join("popfetch"))
}

/// The directory for what may be deleted at any time: `$XDG_CACHE_HOME/popfetch`, by default under
/// `~/.cache`.
///
/// The path is absolute; it is not created.
pub fn cache_dir() -> Result<PathBuf, NoHome> {
    let base = BaseDirs::new().ok_or(NoHome)?;
    Ok(base.cache_dir().join("popfetch"))
}

/// `path` with a leading `~/` (or a lone `~`) replaced by the home directory, and, if it is then
/// still relative, taken from `base`. `~name/` is not understood and refused.
pub(crate) fn absolute(path: &Path, base: &Path) -> Result<PathBuf, PathError> {
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(PathError::Nul);
    }
    let mut parts = path.components();
    let first = parts.next().map(|part| part.as_os_str());
    match first {
        None => Err(PathError::Empty),
        Some(tilde) if tilde == "~" => {
            let home = BaseDirs::new().ok_or(NoHome)?;
            Ok(home.home_dir().join(parts.as_path()))
        }
        Some(user) if user.as_encoded_bytes().starts_with(b"~") => Err(PathError::OtherHome),
        Some(_) => Ok(base.join(path)),
    }
}

/// A path of the command line as it is from every directory, to be typed or written down.
pub(crate) fn in_full(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// A path of the command line with a leading `~/` replaced as in [`absolute`]: shells leave it alone
/// behind a `=`. Any other is as it was.
pub(crate) fn with_home(path: PathBuf) -> Result<PathBuf, PathError> {
    match path.as_os_str().as_encoded_bytes().starts_with(b"~") {
        true => absolute(&path, Path::new("/")),
        false => Ok(path),
    }
}

/// As [`absolute`], with a relative path taken from the home directory.
pub(crate) fn in_home(path: &Path) -> Result<PathBuf, PathError> {
    if path.is_absolute() {
        return absolute(path, Path::new("/"));
    }
    let home = BaseDirs::new().ok_or(NoHome)?;
    absolute(path, home.home_dir())
}

/// The system does not say where the person's home directory is.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("no home directory is known")]
pub struct NoHome;

impl Diagnose for NoHome {
    fn status(&self) -> Status {
        Status::Config
    }

    fn hint(&self) -> Option<String> {
        Some("set the environment variable HOME, or name the config file with --config".into())
    }
}

/// Why a path in the config file or on the command line cannot be used.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub(crate) enum PathError {
    #[error("the path is empty")]
    Empty,
    #[error("a path cannot have a NUL in it")]
    Nul,
    #[error("{0}, so `~` has no meaning")]
    NoHome(#[from] NoHome),
    #[error("only your own home can be written as `~/`; write the other path in full")]
    OtherHome,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_is_taken_from_the_base() {
        let base = Path::new("/etc/popfetch");
        let path = |text: &str| absolute(Path::new(text), base);
        assert_eq!(path("a/b"), Ok("/etc/popfetch/a/b".into()));
        assert_eq!(path("/a/b"), Ok("/a/b".into()));
        assert_eq!(path(""), Err(PathError::Empty));
        assert_eq!(path("~bob/Mail"), Err(PathError::OtherHome));
    }

    #[test]
    fn a_tilde_is_the_home_directory() {
        let home = BaseDirs::new().unwrap().home_dir().to_owned();
        let path = |text: &str| absolute(Path::new(text), Path::new("/x"));
        assert_eq!(path("~/Mail/a"), Ok(home.join("Mail/a")));
        assert_eq!(path("~"), Ok(home));
        assert_eq!(path("Mail/~"), Ok("/x/Mail/~".into()));
    }

    #[test]
    fn what_a_shell_has_left_alone_on_the_command_line_is_understood_as_it_would_have_been() {
        let home = BaseDirs::new().unwrap().home_dir().to_owned();
        let path = |text: &str| with_home(text.into());
        assert_eq!(path("~/Mail/a"), Ok(home.join("Mail/a")));
        assert_eq!(path("~"), Ok(home));
        assert_eq!(path("~bob/Mail"), Err(PathError::OtherHome));
        for other in ["Mail/~", "./~bob", "/a", "a"] {
            assert_eq!(path(other), Ok(other.into()));
        }
    }

    #[test]
    fn the_files_have_absolute_places() {
        assert!(config_file().unwrap().ends_with("popfetch/config.toml"));
        assert!(config_file().unwrap().is_absolute());
        assert!(state_dir().unwrap().is_absolute());
    }
}
