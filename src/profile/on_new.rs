//! What is run after a fetch that brought something.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A program that is told of new mail.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OnNew {
    /// The program and its arguments, never empty.
    pub argv: Vec<String>,
    /// How the paths end that it is given.
    pub paths: PathEnd,
    /// How long it may take.
    pub limit: Duration,
}

impl OnNew {
    /// How long it may take if nothing says otherwise: the first mail of years takes an indexer minutes.
    pub const LIMIT: Duration = Duration::from_secs(10 * 60);

    /// The program.
    pub fn program(&self) -> &str {
        self.argv.first().map_or("", String::as_str)
    }

    /// How long it may take, in seconds.
    pub fn seconds(&self) -> u64 {
        self.limit.as_secs()
    }
}

/// How a path ends where one follows the other.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PathEnd {
    /// LF: a line each.
    #[default]
    Newline,
    /// NUL, which no path can have in it.
    Nul,
}

impl PathEnd {
    /// The octet.
    pub fn octet(self) -> u8 {
        match self {
            Self::Newline => b'\n',
            Self::Nul => 0,
        }
    }
}
