//! The good lines of a journal that may be damaged, in the order in which they were written (E6).

use super::chain::{Chain, Link, Sum};
use super::journal;
use super::record::Entry;
use super::window::Window;
use crate::durable::Dir;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;

/// A good line.
struct Line {
    link: Link,
    place: u64,
}

/// Calls `each` with every good line that was written to this journal. What is exchanged comes back
/// into its order, what is repeated comes once, and what another journal or an older copy has
/// left there does not come at all.
pub(super) fn read(dir: &Dir, name: &OsStr, mut each: impl FnMut(Entry, u64)) -> io::Result<()> {
    let file = dir.read(name)?;
    let mut lines = Vec::new();
    let reading = journal::read_lines(&file, |line, place| {
        let is_good = Entry::read(line).is_some();
        if let Some(link) = Link::of(line).filter(|_| is_good) {
            lines.push(Line { link, place });
        }
        is_good
    })?;
    let Some(header) = reading.header else {
        // Of a version whose lines do not say where they stand.
        return journal::read(dir.read(name)?, each).map(drop);
    };
    lines.retain(|line| header.owns(&line.link));
    let mut window = Window::new(&file, Window::<std::fs::File>::WIDE);
    for place in in_order(&lines, header) {
        if let Some(entry) = window.entry(place)? {
            each(entry, place);
        }
    }
    Ok(())
}

/// The places of the lines, from the header on. Where a line is missing, what follows it comes in
/// the order of the file.
fn in_order(lines: &[Line], header: Chain) -> Vec<u64> {
    let mut order = Order::new(lines);
    order.follow(header.last());
    let sums: HashSet<Sum> = lines.iter().map(|line| line.link.own).collect();
    for (index, line) in lines.iter().enumerate() {
        // What follows a line that is here has been gone through with it, or it is a copy, or what
        // another course of events has left.
        let before = line.link.before;
        if before != header.last() && !sums.contains(&before) && order.give(index) {
            order.follow(line.link.own);
        }
    }
    order.places
}

struct Order<'a> {
    lines: &'a [Line],
    /// By what they follow, and then as they stand in the file.
    followers: Vec<(Sum, usize)>,
    given: Vec<bool>,
    places: Vec<u64>,
}

impl<'a> Order<'a> {
    fn new(lines: &'a [Line]) -> Self {
        let followers = lines.iter().map(|line| line.link.before).zip(0..);
        let mut followers: Vec<(Sum, usize)> = followers.collect();
        followers.sort_unstable();
        Self {
            lines,
            followers,
            given: vec![false; lines.len()],
            places: Vec::new(),
        }
    }

    /// Gives a line; whether it was not given before.
    fn give(&mut self, index: usize) -> bool {
        let (Some(given), Some(line)) = (self.given.get_mut(index), self.lines.get(index)) else {
            return false;
        };
        let is_new = !std::mem::replace(given, true);
        self.places.extend(is_new.then_some(line.place));
        is_new
    }

    fn follow(&mut self, mut sum: Sum) {
        while let Some((index, line)) = self.next(sum) {
            if !self.give(index) {
                return;
            }
            sum = line.link.own;
        }
    }

    /// The line that follows; where there are several, that which is followed by most.
    fn next(&self, sum: Sum) -> Option<(usize, &'a Line)> {
        let mut followers = self.followers_of(sum);
        let first = followers.next()?;
        let first_sum = first.1.link.own;
        let others = followers.filter(|(_, line)| line.link.own != first_sum);
        let mut best = first;
        let mut most = None;
        for other in others {
            let before = *most.get_or_insert_with(|| self.length(first));
            let length = self.length(other);
            if length > before {
                (best, most) = (other, Some(length));
            }
        }
        Some(best)
    }

    fn length(&self, (_, line): (usize, &'a Line)) -> usize {
        let next = |line: &&'a Line| Some(self.followers_of(line.link.own).next()?.1);
        std::iter::successors(Some(line), next)
            .take(self.lines.len())
            .count()
    }

    fn followers_of(&self, sum: Sum) -> impl Iterator<Item = (usize, &'a Line)> + '_ {
        let begin = self.followers.partition_point(|(before, _)| *before < sum);
        let followers = self.followers.iter().skip(begin);
        let followers = followers.take_while(move |(before, _)| *before == sum);
        followers.filter_map(|(_, index)| Some((*index, self.lines.get(*index)?)))
    }
}
