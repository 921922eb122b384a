//! The parts that several lines of the journal have: what was listed, what was stored, folders and paths.

use super::{Listing, Stored};
use crate::durable::line::{escape, unescape};
use crate::maildir::{Folder, PlacedName, UniqueName, flags_of, size_in};
use crate::message::{Digests, Evidence};
use crate::term::{hex, unhex};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

impl Listing {
    pub(super) fn read<'a>(next: &mut impl FnMut() -> Option<&'a str>) -> Option<Self> {
        let unique_id = match next()? {
            "-" => None,
            escaped => Some(unescape(escaped)?.into_boxed_slice()),
        };
        let octets = match next()? {
            "-" => None,
            digits => Some(digits.parse().ok()?),
        };
        let turn = next()?.parse().ok()?;
        Some(Self {
            unique_id,
            octets,
            turn,
        })
    }
}

impl Folder {
    /// As [`Fields`] writes it.
    pub(super) fn read(escaped: &str) -> Option<Self> {
        let name = String::from_utf8(unescape(escaped)?).ok()?;
        Self::parse(&name).ok()
    }
}

impl Stored {
    pub(super) fn read<'a>(next: &mut impl FnMut() -> Option<&'a str>) -> Option<Self> {
        let octets = next()?.parse().ok()?;
        let stored = unhex(next()?.as_bytes())?;
        let content = match next()? {
            "-" => stored,
            hex => unhex(hex.as_bytes())?,
        };
        let placed = OsStr::new(next()?);
        let name = UniqueName::parse(placed)?;
        let sized = size_in(placed) == Some(octets);
        let flags = flags_of(placed);
        let evidence = match next() {
            None | Some("-") => None,
            Some(evidence) => Some(Evidence::parse(evidence)?),
        };
        let folder = match next() {
            None => None,
            Some(escaped) => Some(Folder::read(escaped)?),
        };
        let digests = Digests { stored, content };
        Some(Self {
            octets,
            digests,
            name,
            sized,
            flags,
            evidence,
            folder,
        })
    }
}

/// Writes the fields of a part of a line.
pub(super) struct Fields<'a, T>(pub(super) &'a T);

impl std::fmt::Display for Fields<'_, Listing> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0.unique_id {
            Some(unique_id) => f.write_str(&escape(unique_id))?,
            None => f.write_char('-')?,
        }
        match self.0.octets {
            Some(octets) => write!(f, "\t{octets}\t{}", self.0.turn),
            None => write!(f, "\t-\t{}", self.0.turn),
        }
    }
}

impl std::fmt::Display for Fields<'_, Stored> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Stored {
            octets,
            digests,
            name,
            sized,
            flags,
            evidence,
            folder,
        } = self.0;
        write!(f, "{octets}\t{}\t", hex(&digests.stored))?;
        if digests.content == digests.stored {
            f.write_char('-')?;
        } else {
            f.write_str(&hex(&digests.content))?;
        }
        let placed = PlacedName {
            name: name.clone(),
            size: sized.then_some(*octets),
            flags: *flags,
        };
        write!(f, "\t{placed}\t")?;
        match evidence {
            Some(evidence) => evidence.fmt(f)?,
            None => f.write_char('-')?,
        }
        match folder {
            Some(folder) => write!(f, "\t{}", escape(folder.as_str().as_bytes())),
            None => Ok(()),
        }
    }
}

/// Which of two words this is.
pub(super) fn either(word: &str, yes: &str, no: &str) -> Option<bool> {
    (word == yes || word == no).then_some(word == yes)
}

pub(super) fn escape_path(path: &Path) -> String {
    escape(path.as_os_str().as_bytes())
}

pub(super) fn unescape_path(text: &str) -> Option<PathBuf> {
    Some(Path::new(OsStr::from_bytes(&unescape(text)?)).to_owned())
}
