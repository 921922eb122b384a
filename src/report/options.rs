//! What goes where in the report of a run.

use crate::term::Color;

/// What goes to stdout. Text for people is on stderr with each of them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Format {
    /// Nothing.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
    /// The path of each new file.
    Paths,
}

/// How a run is to be reported.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What goes to stdout.
    pub format: Format,
    /// End paths with NUL instead of LF.
    pub null: bool,
    /// Only problems on stderr. Leaves stdout as it is.
    pub quiet: bool,
    /// From 1 on a line for each message; from 2 on no progress bars, as something else (the
    /// transcript) fills the screen.
    pub verbosity: u8,
    /// Progress bars, where stderr is a terminal.
    pub progress: bool,
    /// Nobody waits for whoever reads the report but [`Reporter::finish`](super::Reporter::finish).
    pub queued: bool,
    /// Colour on stderr.
    pub color: Color,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            format: Format::Text,
            null: false,
            quiet: false,
            verbosity: 0,
            progress: true,
            queued: false,
            color: Color::Auto,
        }
    }
}
