//! Whole screens as they are checked in: what a person sees, compared character by character.
//!
//! A screen is what a terminal of a certain width shows in the end, so that bars which came and went
//! are not in it. `UPDATE=1` writes the files anew; then somebody reads them.

use std::fs;
use std::path::{Path, PathBuf};

use super::run::Home;
use super::terminal::{Terminal, shown_at};

/// Runs one after the other at a terminal of so many columns, as they are kept in one file.
pub struct Screens<'a> {
    home: &'a Home,
    columns: u16,
    text: String,
    /// What differs from run to run, and what stands there in its place.
    words: Vec<(String, String)>,
    mask: fn(String) -> String,
}

impl<'a> Screens<'a> {
    /// None yet. The home is shown as `/home/ada`, which is as long.
    pub fn at(home: &'a Home, columns: u16) -> Self {
        let path = home.path().to_str().unwrap().to_owned();
        let shown = "/home/ada".to_owned();
        assert_eq!(path.len(), shown.len(), "{path}: see Home::short");
        Self {
            home,
            columns,
            text: String::new(),
            words: vec![(path, shown)],
            mask: |text| text,
        }
    }

    /// From now on this is shown in place of that, wherever the terminal is sent it. Where popfetch may
    /// break a line because of it both are of one length.
    pub fn with(mut self, found: impl ToString, shown: &str) -> Self {
        self.words.push((found.to_string(), shown.to_owned()));
        self
    }

    /// The same for what only a function finds, in what the terminal is sent.
    pub fn with_mask(mut self, mask: fn(String) -> String) -> Self {
        self.mask = mask;
        self
    }

    /// A port, which is of five digits on any system whose range is the usual one.
    pub fn with_port(self, port: u16) -> Self {
        self.with(port, "10995")
    }

    /// A run to its end, and its exit status.
    pub fn run(self, arguments: &[&str], status: i32) -> Self {
        self.talk(arguments, status, |_| ())
    }

    /// The same with a person who answers.
    pub fn talk(
        mut self,
        arguments: &[&str],
        status: i32,
        answer: impl FnOnce(&mut Terminal),
    ) -> Self {
        let mut terminal = Terminal::start(self.home, self.columns, arguments);
        answer(&mut terminal);
        let (ended, octets) = terminal.end_raw();
        let mut text = String::from_utf8(octets).unwrap();
        for (found, shown) in &self.words {
            text = text.replace(found, shown);
        }
        let (seen, _) = shown_at(self.columns, (self.mask)(text).as_bytes());
        assert_eq!(ended, status, "{arguments:?}:\n{seen}");
        self.add(arguments, &seen, status);
        self
    }

    /// The text of several accounts by their names, but for the last line: which one ends first is chance.
    pub fn in_order(mut self) -> Self {
        let runs: Vec<_> = self.text.split("\n\n").map(by_name).collect();
        self.text = runs.join("\n\n");
        self
    }

    /// What was seen of a run by other means.
    pub fn add(&mut self, arguments: &[&str], seen: &str, status: i32) {
        let line = [&["popfetch"], arguments].concat().join(" ");
        let status = match status {
            0 => String::new(),
            status => format!("[{status}]\n"),
        };
        self.text.push_str(&format!("$ {line}\n{seen}\n{status}\n"));
    }

    /// Compares what was seen with the file of this name.
    #[track_caller]
    pub fn hold(self, name: &str) {
        let name = format!("{name}.{}.txt", self.columns);
        hold(&directory().join(name), &self.text());
    }

    /// The same with a drawing of what was seen, in this file of the repository.
    #[track_caller]
    pub fn hold_drawn(self, file: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        hold(&path, &drawn(&self.text(), self.columns));
    }

    fn text(&self) -> String {
        let lines: Vec<_> = self.text.trim_end().lines().map(str::trim_end).collect();
        lines.join("\n") + "\n"
    }
}

/// A terminal with this text, as SVG: what was typed behind a prompt stands out.
fn drawn(text: &str, columns: u16) -> String {
    const ADVANCE: f64 = 7.83;
    const LINE: usize = 18;
    const MARGIN: usize = 16;
    let width = (f64::from(columns) * ADVANCE).ceil() as usize + 2 * MARGIN;
    let height = text.lines().count() * LINE + 2 * MARGIN;
    let mut drawn = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<style>\n\
         text {{ font: 13px ui-monospace, monospace; fill: #c9d1d9; white-space: pre }}\n\
         .typed {{ font-weight: bold; fill: #7ee787 }}\n</style>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"#0d1117\"/>\n"
    );
    for (place, line) in text.lines().enumerate() {
        let y = MARGIN + place * LINE + 13;
        let class = if line.starts_with("$ ") {
            " class=\"typed\""
        } else {
            ""
        };
        let line = line.replace('&', "&amp;").replace('<', "&lt;");
        drawn += &format!("<text x=\"{MARGIN}\" y=\"{y}\"{class}>{line}</text>\n");
    }
    drawn + "</svg>\n"
}

/// The blocks of a screen, each an account's line or error with what belongs to it, in their order.
fn by_name(run: &str) -> String {
    let lines: Vec<&str> = run.lines().collect();
    let is_total = |line: &&str| line.contains(" accounts");
    let end = lines.iter().position(is_total).unwrap_or(lines.len());
    let (text, rest) = lines.split_at(end);
    let begins = |line: &str| {
        let name = line.strip_prefix("error: ").unwrap_or(line);
        let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '-');
        line.split(':').next() != Some("hint")
            && name.split_once(':').is_some_and(|(name, _)| is_name(name))
    };
    let first = text.iter().position(|line| begins(line)).unwrap_or(end);
    let (before, text) = text.split_at(first);
    let mut blocks: Vec<(String, Vec<&str>)> = Vec::new();
    for line in text {
        match blocks.last_mut() {
            Some((_, block)) if !begins(line) => block.push(line),
            _ => blocks.push((line.replace("error: ", ""), vec![line])),
        }
    }
    blocks.sort();
    let blocks = blocks.into_iter().flat_map(|(_, lines)| lines);
    let lines: Vec<_> = before
        .iter()
        .copied()
        .chain(blocks)
        .chain(rest.iter().copied())
        .collect();
    lines.join("\n")
}

/// Where the files are.
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/screens")
}

#[track_caller]
fn hold(path: &Path, seen: &str) {
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(directory()).unwrap();
        fs::write(path, seen).unwrap();
        return;
    }
    let kept = fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == seen,
        "{} is not what is seen (UPDATE=1 cargo test --test it snapshots:: writes it):\n{}",
        path.display(),
        differences(&kept, seen)
    );
}

/// Both, line by line, with a mark where they differ.
fn differences(kept: &str, seen: &str) -> String {
    let count = kept.lines().count().max(seen.lines().count());
    let (mut kept, mut seen) = (kept.lines(), seen.lines());
    let mut text = String::new();
    for _ in 0..count {
        match (kept.next(), seen.next()) {
            (Some(one), Some(other)) if one == other => text.push_str(&format!("  {one}\n")),
            (one, other) => {
                one.into_iter()
                    .for_each(|it| text.push_str(&format!("- {it}\n")));
                other
                    .into_iter()
                    .for_each(|it| text.push_str(&format!("+ {it}\n")));
            }
        }
    }
    text
}
