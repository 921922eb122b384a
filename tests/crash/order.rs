//! A journal whose lines are whole, one by one, and not where they were written: it is never taken
//! for whole.

use super::account::try_open;
use super::explore::{Explorer, Mode};
use super::image::{Image, Octets};
use super::rebuild::{fetched, go_on, path};
use popfetch::durable::Disk;
use std::collections::BTreeSet;
use std::fs;

type Lines = Vec<String>;

/// Changes two lines of a journal, where it can.
type Change = fn(&Text, usize, usize) -> Option<Lines>;

/// What can befall lines of a journal.
const ALL: [Change; 7] = [
    exchanged, moved, repeated, dropped, twice_over, spliced, mixed,
];

/// A journal, and another one of the same account.
struct Text {
    own: Lines,
    other: Lines,
}

/// Gives the number of journals.
pub fn disorder_every_line() -> usize {
    let other = lines(&fetched(Mode::Keep));
    let mut explorer = fetched(Mode::Keep);
    let own = lines(&explorer);
    assert_ne!(own, other);
    let text = Text { own, other };
    let before = Image::read(&explorer.root());
    let mut journals = 0;
    for (way, change) in ALL.iter().enumerate() {
        for one in 1..text.own.len() {
            for two in 1..text.own.len() {
                let Some(lines) = change(&text, one, two) else {
                    continue;
                };
                let what = format!("way {way}, lines {one} and {two}: {lines:#?}");
                before.write(&explorer.root(), |_| true, Octets::Kept);
                fs::write(path(&explorer, "journal"), lines.concat()).unwrap();
                let now = explorer.now;
                let (store, _, opened) = try_open(&mut explorer, &Disk::new(), now).unwrap();
                assert!(opened.is_rebuilt, "nothing was noticed: {what}");
                store.close().unwrap();
                go_on(&mut explorer, &BTreeSet::new(), &what);
                journals += 1;
            }
        }
    }
    journals
}

fn lines(explorer: &Explorer) -> Lines {
    let text = fs::read_to_string(path(explorer, "journal")).unwrap();
    text.split_inclusive('\n').map(str::to_owned).collect()
}

fn exchanged(text: &Text, one: usize, two: usize) -> Option<Lines> {
    let mut lines = text.own.clone();
    lines.swap(one, two);
    (one < two).then_some(lines)
}

fn moved(text: &Text, from: usize, to: usize) -> Option<Lines> {
    let mut lines = text.own.clone();
    let line = lines.remove(from);
    lines.insert(to, line);
    // Next to each other they are exchanged.
    (from.abs_diff(to) > 1).then_some(lines)
}

fn repeated(text: &Text, line: usize, to: usize) -> Option<Lines> {
    let mut lines = text.own.clone();
    lines.insert(to, text.own[line].clone());
    Some(lines)
}

/// From one line to another, at the end as well: its length is noted.
fn dropped(text: &Text, from: usize, to: usize) -> Option<Lines> {
    let mut lines = text.own.clone();
    (from <= to).then(|| lines.drain(from..=to).count())?;
    Some(lines)
}

/// The end of the journal, once more.
fn twice_over(text: &Text, from: usize, to: usize) -> Option<Lines> {
    let (own, end) = (&text.own, text.own.get(from..)?);
    (to == 1).then(|| [own, end].concat())
}

fn spliced(text: &Text, line: usize, to: usize) -> Option<Lines> {
    let mut lines = text.own.clone();
    lines.insert(to, text.other.get(line)?.clone());
    Some(lines)
}

/// Another journal's lines in the place of its own.
fn mixed(text: &Text, from: usize, to: usize) -> Option<Lines> {
    let mut lines = text.own.clone();
    let other = text.other.get(from..=to.max(from))?.to_vec();
    (from <= to).then(|| lines.splice(from..=to, other).count())?;
    Some(lines)
}
