//! What is no TOML in a config file: all of it in one run, each mistake once, and what is left of the file
//! without it.
//!
//! The library goes on behind a mistake by guessing, so that one bracket that is never closed makes a dozen
//! more of all that follows, and a line without `=` hides what is wrong below it. So only its first word is
//! taken: the statement that it is about is cut out, and what is left is read again.

use std::ops::Range;

use toml::de::DeTable;
use zeroize::Zeroizing;

/// So many mistakes are told in full: nobody mends more from one screen. The rest is counted.
const TOLD: usize = 20;

/// So many octets are read again and again, at most, for the sake of all mistakes: that takes less than
/// a second, and finds a hundred in a file of ten kilobytes.
const PATIENCE: usize = 4 << 20;

/// A longer text was made by a program, which makes a mistake on every line or on none: its first is
/// enough, where a mistake for each octet would take a hundred times its memory.
const BY_HAND: usize = 256 << 10;

/// Stands in the place of a heading that cannot be read, so that what is below it falls to no other
/// table. It may be there more than once, as it is in double brackets.
const NAMELESS: &str = "[[_]]";

/// The table that it makes.
pub(super) const NAMELESS_TABLE: &str = "_";

/// A place that is no TOML.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Mistake {
    /// As the library says it, without any value.
    pub message: String,
    /// Octets of the text.
    pub span: Range<usize>,
}

/// A text without what is no TOML in it.
#[derive(Debug, Default)]
pub(super) struct Readable {
    /// As long as the text that was read, so that places in one are places in the other.
    pub text: Zeroizing<String>,
    /// In the order of the text.
    pub mistakes: Vec<Mistake>,
    /// What was cut out of tables: where each statement began.
    pub cuts: Vec<usize>,
    /// A table's heading was lost: any table may be missing, or one of its parts.
    pub lost_heading: bool,
}

impl Readable {
    /// Reads a text as far as it is TOML.
    pub(super) fn of(text: &str) -> Self {
        let mut readable = Self {
            text: Zeroizing::new(text.to_owned()),
            ..Self::default()
        };
        let mut found = Vec::new();
        let mut left = PATIENCE;
        let mut knows_all = true;
        while let Some(first) = first_mistake(&readable.text) {
            let cost = readable.text.len().saturating_mul(2);
            let may_go_on = readable.text.len() <= BY_HAND && left >= cost;
            let statement = may_go_on.then(|| Statement::around(&readable.text, &first, &mut left));
            left = left.saturating_sub(cost);
            found.push(match &statement {
                Some(statement) => statement.mistake(first),
                None => first,
            });
            if !statement.is_some_and(|it| readable.cut_out(&it)) {
                // What is left cannot be read, so nothing of it may be judged.
                readable.text = Zeroizing::new(" ".repeat(readable.text.len()));
                readable.lost_heading = true;
                knows_all = false;
                break;
            }
        }
        readable.mistakes = with_the_rest_counted(found, knows_all);
        readable
    }

    /// Makes blanks of it; false where there was nothing but blanks.
    fn cut_out(&mut self, statement: &Statement) -> bool {
        let Some((before, cut, after)) = parts(&self.text, &statement.lines) else {
            return false;
        };
        if cut.trim().is_empty() {
            return false;
        }
        let mut blank = Zeroizing::new(String::with_capacity(cut.len()));
        for c in cut.chars() {
            match c {
                '\n' => blank.push('\n'),
                c => blank.extend(std::iter::repeat_n(' ', c.len_utf8())),
            }
        }
        match statement.kind {
            Kind::Heading => {
                self.lost_heading = true;
                let room = cut.find('\n').unwrap_or(cut.len());
                match blank
                    .get(NAMELESS.len()..)
                    .filter(|_| room >= NAMELESS.len())
                {
                    Some(rest) => blank = Zeroizing::new(NAMELESS.to_owned() + rest),
                    // Its keys would fall to the table above.
                    None => return self.cut_out(&statement.with_its_table(&self.text)),
                }
            }
            Kind::Table => self.lost_heading = true,
            Kind::Endless => {
                self.lost_heading = true;
                self.cuts.push(statement.lines.start);
            }
            Kind::Value => self.cuts.push(statement.lines.start),
        }
        let text = Zeroizing::new([before, &blank, after].concat());
        // One heading too many that is called as those are that were cut out.
        let has_changed = *text != *self.text;
        self.text = text;
        has_changed
    }
}

/// The lines that a mistake is about.
#[derive(Debug)]
struct Statement {
    lines: Range<usize>,
    kind: Kind,
    /// What is not closed in it, and where that is seen.
    unclosed: Option<Mistake>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// The heading of a table.
    Heading,
    /// A heading with all that is below it.
    Table,
    /// A key and its value, or what should be.
    Value,
    /// A text of many lines that never ends, and takes all that follows into it.
    Endless,
}

impl Statement {
    /// The statement that the first mistake of a text is in.
    fn around(text: &str, first: &Mistake, left: &mut usize) -> Self {
        let begins = beginning(text, first.span.start, left);
        let rest = text.get(begins..).unwrap_or_default();
        let content = rest.find('\n').unwrap_or(rest.len());
        let lines = begins..(begins + content + 1).min(text.len());
        let line = text.get(lines.clone()).unwrap_or_default();
        let is_there = first.span.start <= begins + content;
        if rest.trim_start().starts_with('[') {
            let kind = Kind::Heading;
            return Self {
                lines,
                kind,
                unclosed: None,
            };
        }
        if is_there && unclosed(line).is_none() {
            let kind = Kind::Value;
            return Self {
                lines,
                kind,
                unclosed: None,
            };
        }
        let many = Self::of_many_lines(text, &lines, left);
        // What is wrong in the line itself comes before what is lacking behind it.
        let unclosed = many
            .unclosed
            .filter(|_| !is_there || many.kind == Kind::Endless);
        Self { unclosed, ..many }
    }

    /// A list, a table in braces or a text that goes on below its first line.
    fn of_many_lines(text: &str, first: &Range<usize>, left: &mut usize) -> Self {
        let rest = text.get(first.start..).unwrap_or_default();
        let value = |end: usize, unclosed| Self {
            lines: first.start..first.start + end,
            kind: Kind::Value,
            unclosed,
        };
        let Some(message) = unclosed(rest) else {
            // It ends somewhere: where nothing is open any more.
            let ends = line_ends(rest).find(|end| {
                *left = left.saturating_sub(*end);
                *left == 0 || unclosed(rest.get(..*end).unwrap_or_default()).is_none()
            });
            return value(ends.unwrap_or(rest.len()), None);
        };
        if message.contains("multi-line") {
            let line = text.get(first.clone()).unwrap_or_default();
            let at = line
                .find("\"\"\"")
                .or_else(|| line.find("'''"))
                .unwrap_or(0);
            let at = first.start + at;
            return Self {
                lines: first.start..text.len(),
                kind: Kind::Endless,
                unclosed: Some(Mistake {
                    message: "this text of many lines is not closed".to_owned(),
                    span: at..at + 3,
                }),
            };
        }
        let end = line_ends(rest)
            .find(|end| !goes_on(rest, *end))
            .unwrap_or(rest.len());
        let at = first.start + rest.get(..end).unwrap_or_default().trim_end().len();
        let mistake = Mistake {
            message,
            span: at..at,
        };
        value(end, Some(mistake))
    }

    /// What is told of it.
    fn mistake(&self, first: Mistake) -> Mistake {
        self.unclosed.clone().unwrap_or(first)
    }

    /// The whole table below a heading.
    fn with_its_table(&self, text: &str) -> Self {
        let below = text.get(self.lines.end..).unwrap_or_default();
        let mut at = 0;
        for line in below.split_inclusive('\n') {
            if is_heading(line) {
                break;
            }
            at += line.len();
        }
        Self {
            lines: self.lines.start..self.lines.end + at,
            kind: Kind::Table,
            unclosed: None,
        }
    }
}

fn parts<'t>(text: &'t str, middle: &Range<usize>) -> Option<(&'t str, &'t str, &'t str)> {
    let (before, after) = (text.get(..middle.start)?, text.get(middle.end..)?);
    Some((before, text.get(middle.clone())?, after))
}

/// The first mistake in the order of the text, which is not the order in which they are met.
fn first_mistake(text: &str) -> Option<Mistake> {
    let first_met = match DeTable::parse(text) {
        Ok(_) => return None,
        Err(error) => error,
    };
    let all = match text.len() <= BY_HAND {
        true => DeTable::parse_recoverable(text).1,
        false => vec![first_met],
    };
    let places = all.into_iter().map(|error| Mistake {
        span: error.span().unwrap_or(0..0),
        message: error.message().to_owned(),
    });
    let mut first = places.min_by_key(|mistake| mistake.span.start)?;
    if first.message == "duplicate key"
        && let Some(line) = line_of_the_same(text, &first.span)
    {
        first.message = format!("duplicate key: the first is in line {line}");
    }
    Some(first)
}

/// The line, from 1, that has the key or the heading of this place before.
fn line_of_the_same(text: &str, place: &Range<usize>) -> Option<usize> {
    let until = text.get(..place.start)?;
    let begins = until.rfind('\n').map_or(0, |at| at + 1);
    let here = text.get(begins..)?.lines().next()?;
    let above = || text.get(..begins).unwrap_or_default().lines().enumerate();
    let found = if is_heading(here) {
        let heading = |line: &str| line.split_once(']').map(|(name, _)| name.trim().to_owned());
        let ours = heading(here)?;
        above().find(|(_, line)| heading(line).as_ref() == Some(&ours))
    } else {
        let key = text.get(place.clone())?.trim();
        let is_it = |line: &str| {
            let rest = line.trim_start().strip_prefix(key);
            rest.is_some_and(|rest| rest.trim_start().starts_with('='))
        };
        let mut within: Vec<_> = above().collect();
        within.reverse();
        let mut within = within.into_iter().take_while(|(_, line)| !is_heading(line));
        within.find(|(_, line)| is_it(line))
    };
    found.map(|(index, _)| index + 1)
}

/// Where the statement begins that has this place in it: all lines above make sense by themselves.
fn beginning(text: &str, place: usize, left: &mut usize) -> usize {
    let until = text.get(..place).unwrap_or(text);
    let starts: Vec<usize> = std::iter::once(0)
        .chain(until.match_indices('\n').map(|(at, _)| at + 1))
        .collect();
    let mut makes_sense = |start: usize| {
        *left = left.saturating_sub(start);
        *left > 0 && DeTable::parse(text.get(..start).unwrap_or_default()).is_ok()
    };
    match starts.last().copied() {
        Some(last) if makes_sense(last) => last,
        _ => {
            let count = starts.partition_point(|start| makes_sense(*start));
            let last = count.checked_sub(1).and_then(|at| starts.get(at));
            last.copied().unwrap_or(0)
        }
    }
}

/// What is still open at the end of a text.
fn unclosed(text: &str) -> Option<String> {
    let errors = DeTable::parse_recoverable(text).1;
    let mut messages = errors.iter().map(toml::de::Error::message);
    let at_the_end = |it: &&str| {
        let is_open = ["unclosed array, ", "unclosed inline table, "]
            .iter()
            .any(|begin| it.starts_with(begin));
        is_open || it.starts_with("invalid multi-line")
    };
    messages.rfind(at_the_end).map(str::to_owned)
}

/// The places behind each line of a text.
fn line_ends(text: &str) -> impl Iterator<Item = usize> {
    let mut end = 0;
    text.split_inclusive('\n').map(move |line| {
        end += line.len();
        end
    })
}

/// Whether a list or a table in braces, which is closed nowhere, goes on behind this end of a line.
fn goes_on(text: &str, end: usize) -> bool {
    let (above, below) = (text.get(..end), text.get(end..));
    let last = above.unwrap_or_default().lines().next_back();
    let last = last.unwrap_or_default();
    // A comment; a `#` in quotes is of no harm here.
    let last = last.split('#').next().unwrap_or_default().trim_end();
    let next = below.unwrap_or_default().lines().next().unwrap_or_default();
    let is_open = last.is_empty() || last.ends_with(['[', '{', ',']);
    let is_part = next.trim_start().starts_with(['"', '\'', ',', '#']);
    (is_open || is_part) && !is_heading(next) && !next.trim().is_empty()
}

/// Whether a line is the heading of a table, or should be.
fn is_heading(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('[') && !line.contains(['"', '\'', ',']) || line.starts_with("[accounts")
}

/// The mistakes that are told, with one for all that are not.
fn with_the_rest_counted(mut found: Vec<Mistake>, knows_all: bool) -> Vec<Mistake> {
    let rest = found.split_off(TOLD.min(found.len()));
    let Some(first) = rest.first() else {
        return found;
    };
    let count = rest.len();
    let at_least = if knows_all { "" } else { "at least " };
    let places = if count == 1 { "place" } else { "places" };
    found.push(Mistake {
        message: format!("and {at_least}{count} more {places} that are no TOML, from here on"),
        span: first.span.clone(),
    });
    found
}

#[cfg(test)]
#[path = "syntax_tests.rs"]
mod tests;
