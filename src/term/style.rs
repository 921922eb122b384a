//! Colour, and how wide the terminal is.

use std::ffi::OsStr;
use std::os::fd::AsFd;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Color {
    /// On a terminal that can show it, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }

    /// Decides for one stream; `terminal` says whether that is a terminal.
    pub fn paint(self, terminal: bool) -> Paint {
        let no_color = std::env::var_os("NO_COLOR");
        let term = std::env::var_os("TERM");
        self.decide(terminal, no_color.as_deref(), term.as_deref())
    }

    fn decide(self, terminal: bool, no_color: Option<&OsStr>, term: Option<&OsStr>) -> Paint {
        let wanted = match self {
            Self::Always => true,
            Self::Never => false,
            // https://no-color.org: set and not empty.
            Self::Auto => {
                terminal && no_color.is_none_or(OsStr::is_empty) && term.is_none_or(|t| t != "dumb")
            }
        };
        Paint(wanted)
    }
}

/// Puts colour on words, or leaves them alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Paint(bool);

impl Paint {
    /// Leaves everything alone.
    pub const PLAIN: Self = Self(false);

    /// For `error:`.
    pub fn error(self, text: &str) -> String {
        self.sgr("1;31", text)
    }

    /// For `warning:`.
    pub fn warning(self, text: &str) -> String {
        self.sgr("1;33", text)
    }

    /// For `hint:` and `note:`.
    pub fn hint(self, text: &str) -> String {
        self.sgr("1;36", text)
    }

    /// For headings.
    pub fn bold(self, text: &str) -> String {
        self.sgr("1", text)
    }

    fn sgr(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// The columns of the terminal that `stream` is; `None` where it is none, or does not know.
pub fn columns(stream: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// The rows of the terminal that `stream` is; `None` where it is none, or does not know.
pub fn rows(stream: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_row > 0).then_some(usize::from(size.ws_row))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(terminal: bool, no_color: Option<&str>, term: Option<&str>) -> bool {
        let decided = Color::Auto.decide(terminal, no_color.map(OsStr::new), term.map(OsStr::new));
        decided != Paint::PLAIN
    }

    #[test]
    fn colour_is_for_terminals_that_want_it() {
        assert!(auto(true, None, Some("xterm")));
        assert!(auto(true, Some(""), None));
        assert!(!auto(false, None, Some("xterm")));
        assert!(!auto(true, Some("1"), Some("xterm")));
        assert!(!auto(true, None, Some("dumb")));
    }

    #[test]
    fn always_and_never_ask_nobody() {
        assert_eq!(
            Color::Always.decide(false, Some(OsStr::new("1")), None),
            Paint(true)
        );
        assert_eq!(Color::Never.decide(true, None, None), Paint::PLAIN);
    }

    #[test]
    fn plain_paint_adds_nothing() {
        assert_eq!(Paint::PLAIN.error("error"), "error");
        assert_eq!(Paint(true).error("error"), "\x1b[1;31merror\x1b[0m");
    }

    #[test]
    fn a_file_has_no_columns() {
        assert_eq!(columns(tempfile::tempfile().unwrap()), None);
    }
}
