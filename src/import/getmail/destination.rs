//! What takes the mail: a section `destination`.

use super::{Account, expanded, is_true};
use crate::import::files::Surroundings;
use crate::import::model::{Draft, Fate};
use crate::import::{common, ini, mda};

impl Account {
    /// The file that mail is appended to.
    pub(super) fn mbox(&self, draft: &mut Draft, around: &Surroundings) -> Fate {
        match self.get("destination", "path") {
            Some(path) if !path.is_empty() => mda::mbox(draft, expanded(path, around)),
            _ => Fate::nothing("it names no file"),
        }
    }

    /// The server that takes the mail, where it is told for whom.
    pub(super) fn lmtp(&self, draft: &mut Draft) -> Fate {
        /// Python's own.
        const PORT: u64 = 2003;
        let get = |key: &str| self.get("destination", key);
        let port = get("port").map_or(Ok(PORT), str::parse);
        match (get("host"), port, get("override")) {
            (Some(host), Ok(port), Some(recipient)) if !host.is_empty() => {
                mda::lmtp(draft, host, port, recipient)
            }
            _ => common::lmtp_target(),
        }
    }

    /// The program that takes the mail.
    pub(super) fn program(&self, draft: &mut Draft) -> Fate {
        let get = |key: &str| self.get("destination", key);
        let mut argv = vec![get("path").unwrap_or_default().to_owned()];
        argv.extend(get("arguments").and_then(ini::tuple).unwrap_or_default());
        let fate = mda::of_words(draft, argv);
        let from_line = get("unixfrom").is_some_and(is_true);
        match fate {
            Fate::Taken(_) if from_line => mda::with_from_line(draft),
            fate => fate,
        }
    }
}
