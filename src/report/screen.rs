//! The terminal that the bars are drawn on.

use crate::term::{columns, rows};
use indicatif::TermLike;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The columns of `^C`, and one in which the cursor stays: a line that is full is broken by what comes
/// next.
const FOR_CTRL_C: usize = 3;

/// Where a terminal does not know its size.
const USUAL: (usize, u16) = (80, 24);

/// Standard error, a little narrower than it is.
///
/// indicatif leaves the cursor at the right end of the last bar. There the `^C` that a terminal shows
/// would go into the next line, and the bar would be looked for in the wrong one and never be taken away.
#[derive(Debug, Default)]
pub(super) struct Screen(Mutex<Frame>);

/// What is drawn, which goes out at once, or it would flicker.
#[derive(Debug, Default)]
struct Frame {
    text: String,
    written: Written,
}

/// How far a line of a frame is. indicatif writes a line in two parts, the second one spaces up to the
/// width, and takes for granted that the terminal then goes to the next line by itself.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Written {
    #[default]
    Nothing,
    Half,
    Whole,
}

impl Frame {
    fn write(&mut self, text: &str) {
        if self.written == Written::Whole {
            self.text.push('\n');
        }
        self.written = match self.written {
            Written::Half => Written::Whole,
            Written::Nothing | Written::Whole => Written::Half,
        };
        self.text.push_str(text);
    }
}

impl Screen {
    fn frame(&self) -> MutexGuard<'_, Frame> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what is no part of a line.
    fn add(&self, text: std::fmt::Arguments<'_>) -> io::Result<()> {
        let mut frame = self.frame();
        frame.written = Written::Nothing;
        frame.text.write_fmt(text).map_err(io::Error::other)
    }

    /// Moves the cursor (ECMA-48, CUU to CUB); 0 would be 1.
    fn go(&self, count: usize, direction: char) -> io::Result<()> {
        match count {
            0 => Ok(()),
            count => self.add(format_args!("\u{1b}[{count}{direction}")),
        }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        let columns = columns(io::stderr()).unwrap_or(USUAL.0);
        u16::try_from(columns.saturating_sub(FOR_CTRL_C).max(1)).unwrap_or(u16::MAX)
    }

    fn height(&self) -> u16 {
        let rows = rows(io::stderr()).and_then(|rows| u16::try_from(rows).ok());
        rows.unwrap_or(USUAL.1)
    }

    fn move_cursor_up(&self, count: usize) -> io::Result<()> {
        self.go(count, 'A')
    }

    fn move_cursor_down(&self, count: usize) -> io::Result<()> {
        self.go(count, 'B')
    }

    fn move_cursor_right(&self, count: usize) -> io::Result<()> {
        self.go(count, 'C')
    }

    fn move_cursor_left(&self, count: usize) -> io::Result<()> {
        self.go(count, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.add(format_args!("{text}\n"))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.frame().write(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.add(format_args!("\r\u{1b}[2K"))
    }

    fn flush(&self) -> io::Result<()> {
        let Frame { text, .. } = mem::take(&mut *self.frame());
        let mut stderr = io::stderr().lock();
        stderr.write_all(text.as_bytes())?;
        stderr.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bar_has_a_line_and_the_cursor_stays_behind_the_last_one() {
        let screen = Screen::default();
        for part in ["work [==>", "   ", "home [>", " "] {
            screen.write_str(part).unwrap();
        }
        assert_eq!(screen.frame().text, "work [==>   \nhome [> ");
        screen.clear_line().unwrap();
        screen.write_str("work [===]").unwrap();
        assert!(screen.frame().text.ends_with("\r\u{1b}[2Kwork [===]"));
    }
}
