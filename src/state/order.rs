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
    let before = std::iter::once(header.last()).chain(lines.iter().map(|line| line.link.own));
    if lines
        .iter()
        .zip(before)
        .all(|(line, it)| line.link.before == it)
    {
        return lines.iter().map(|line| line.place).collect();
    }
    let mut order = Order::new(lines);
    order.follow(None, header.last());
    let sums: HashSet<Sum> = lines.iter().map(|line| line.link.own).collect();
    let missing =
        |line: &Line| line.link.before != header.last() && !sums.contains(&line.link.before);
    order.go_on_with(missing);
    // What follows a line that is here has been gone through with it, or it is a copy, or what
    // another course of events has left; unless it only seems to follow that, by a sum that the missing line had
    // as well.
    let left = order.abandoned(header.last());
    order.go_on_with(|line| !left.contains(&line.link.own));
    order.places
}

struct Order<'a> {
    lines: &'a [Line],
    /// By what they follow, and then as they stand in the file.
    followers: Vec<(Sum, usize)>,
    /// Sums that several lines have, which are no copies of each other: among 100,000 lines there are such as
    /// likely as not.
    shared: HashSet<Sum>,
    given: Vec<bool>,
    places: Vec<u64>,
}

impl<'a> Order<'a> {
    fn new(lines: &'a [Line]) -> Self {
        let followers = lines.iter().map(|line| line.link.before).zip(0..);
        let mut followers: Vec<(Sum, usize)> = followers.collect();
        followers.sort_unstable();
        let mut own: Vec<(Sum, Sum)> = lines
            .iter()
            .map(|line| (line.link.own, line.link.before))
            .collect();
        own.sort_unstable();
        own.dedup();
        let pairs = own.iter().zip(own.iter().skip(1));
        let shared = pairs.filter(|(one, two)| one.0 == two.0);
        Self {
            lines,
            followers,
            shared: shared.map(|(one, _)| one.0).collect(),
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

    /// Gives the lines that are such, each with what follows it.
    fn go_on_with(&mut self, is_such: impl Fn(&Line) -> bool) {
        for (index, line) in self.lines.iter().enumerate() {
            if is_such(line) && self.give(index) {
                self.follow(Some(index), line.link.own);
            }
        }
    }

    /// The sums of copies, and of what another course of events has left behind a line that was given.
    fn abandoned(&self, header: Sum) -> HashSet<Sum> {
        let given = self.lines.iter().zip(&self.given);
        let given = given.filter(|(_, given)| **given);
        let mut wanted: Vec<Sum> = given.map(|(line, _)| line.link.own).collect();
        wanted.push(header);
        let mut left: HashSet<Sum> = HashSet::new();
        while let Some(sum) = wanted.pop() {
            for (index, line) in self.followers_of(sum) {
                if self.given.get(index) == Some(&false) && left.insert(line.link.own) {
                    wanted.push(line.link.own);
                }
            }
        }
        left
    }

    /// Gives what follows a line, which is none for the header, and has this sum.
    fn follow(&mut self, mut at: Option<usize>, mut sum: Sum) {
        while let Some((index, line)) = self.next(at, sum) {
            if !self.give(index) {
                return;
            }
            (at, sum) = (Some(index), line.link.own);
        }
    }

    /// The line that follows; where there are several, that which is followed by most.
    fn next(&self, at: Option<usize>, sum: Sum) -> Option<(usize, &'a Line)> {
        // Which of several lines of this sum it follows shows by where it stands alone.
        let open = |(index, _): &(usize, &Line)| self.given.get(*index) == Some(&false);
        let mut followers = self.followers_of(sum).filter(open);
        if self.shared.contains(&sum) {
            let at = at.unwrap_or_default();
            return followers.min_by_key(|(index, _)| index.abs_diff(at));
        }
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

    /// How many lines follow one another from this one on.
    fn length(&self, from: (usize, &'a Line)) -> usize {
        let next = |(index, line): &(usize, &'a Line)| {
            let sum = line.link.own;
            let behind = self.lines.get(index + 1).map(|line| (index + 1, line));
            behind
                .filter(|(_, line)| line.link.before == sum)
                .or_else(|| self.followers_of(sum).next())
        };
        std::iter::successors(Some(from), next)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of this sum behind one of that sum; its place is its number in the file.
    fn line(before: u32, own: u32, place: u64) -> Line {
        let text = format!("x\t<{before:08x}0000\t{own:08x}");
        let link = Link::of(text.as_bytes()).unwrap();
        Line { link, place }
    }

    fn header() -> Chain {
        Chain::behind(b"header\t00000000").unwrap()
    }

    /// Lines of these sums, one behind the other.
    fn chained(sums: &[u32]) -> Vec<Line> {
        let before = std::iter::once(&0).chain(sums);
        let pairs = before.zip(sums).zip(0..);
        pairs
            .map(|((before, own), at)| line(*before, *own, at))
            .collect()
    }

    /// 1 stands for two lines of one sum by chance, the first near the beginning and the second near the end.
    fn with_a_chance_sum() -> Vec<u32> {
        let mut sums: Vec<u32> = (0..1000).map(|n| n + 100).collect();
        (sums[10], sums[900]) = (1, 1);
        sums
    }

    #[test]
    fn e6_two_lines_that_have_one_sum_by_chance_cost_no_line_of_a_journal_in_order() {
        let lines = chained(&with_a_chance_sum());
        assert_eq!(in_order(&lines, header()), (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn e6_two_lines_that_have_one_sum_by_chance_cost_no_line_of_a_damaged_journal() {
        let sums = with_a_chance_sum();
        // Without the later one of the two, what followed it looks like another course behind the first.
        for damage in [0, 5, 10, 11, 500, 901, 998] {
            let mut lines = chained(&sums);
            lines.remove(damage);
            let wanted: Vec<u64> = (0..1000).filter(|at| *at != damage as u64).collect();
            let mut given = in_order(&lines, header());
            given.sort_unstable();
            assert_eq!(given, wanted, "{damage}");
            let mut lines = chained(&sums);
            lines.swap(damage, damage + 1);
            let mut given = in_order(&lines, header());
            given.sort_unstable();
            assert_eq!(given, (0..1000).collect::<Vec<_>>(), "{damage}");
        }
    }

    #[test]
    fn e6_of_two_courses_of_events_the_longer_one_counts() {
        let mut lines = chained(&[1, 2, 3, 4, 5]);
        lines.insert(1, line(1, 9, 77));
        assert_eq!(in_order(&lines, header()), [0, 1, 2, 3, 4]);
    }
}
