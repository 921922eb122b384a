//! Which deliveries a Maildir or a journal has behind it (E13).
//!
//! A generation is a number, and two histories that parted, as where Maildir and state were both
//! restored from a backup, come to the same numbers. So each run that delivers draws a *nonce* as
//! well, which nothing else has: what a history has its nonce of is a part of it.

use crate::term::{hex, unhex};
use std::collections::BTreeSet;
use std::fmt;
use std::io;

/// So many of the newest are always kept. Of older ones, two for each power of two of their age.
const ALL_OF: u64 = 64;

/// More deliveries than this no Maildir has seen.
pub(super) const GENERATIONS: u64 = 1 << 62;

/// A run that delivered, told from every other one: four octets at random.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Nonce(pub [u8; 4]);

impl Nonce {
    /// One that nothing else has.
    pub fn draw() -> io::Result<Self> {
        let [a, b, c, d, ..] = random()?;
        Ok(Self([a, b, c, d]))
    }

    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(unhex(text.as_bytes())?))
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// The nonces of a history, each with the generation that its run left behind.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Nonces(BTreeSet<(u64, Nonce)>);

impl Nonces {
    /// A run has drawn this nonce, and raised the generation to this, or once more since.
    pub fn add(&mut self, generation: u64, nonce: Nonce) {
        // While it is at work the generation is odd.
        let left_behind = generation.saturating_add(generation & 1);
        self.0.insert((left_behind, nonce));
    }

    /// What is behind the other is behind this as well.
    pub fn take_in(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }

    /// Whether there is none, as before there were any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last, with its generation.
    pub fn newest(&self) -> Option<(u64, Nonce)> {
        self.0.last().copied()
    }

    /// The first, with its generation.
    pub fn oldest(&self) -> Option<(u64, Nonce)> {
        self.0.first().copied()
    }

    /// Whether this run is a part of the history, as far as that is known.
    pub fn has(&self, nonce: (u64, Nonce)) -> bool {
        self.0.contains(&nonce)
    }

    /// Whether no nonce of this generation, or of later ones, has been left out.
    pub fn are_all_from(&self, generation: u64) -> bool {
        let newest = self.newest().map_or(0, |(newest, _)| newest);
        age(newest, generation) < ALL_OF
    }

    /// The generation of the last run that both histories have.
    pub fn last_common(&self, other: &Self) -> Option<u64> {
        let common = self.0.intersection(&other.0);
        common.last().map(|(generation, _)| *generation)
    }

    /// Few enough for a line, however long the history is.
    pub fn thinned(&self) -> Self {
        let newest = self.newest().map_or(0, |(newest, _)| newest);
        let group = |(generation, _): &(u64, Nonce)| match age(newest, *generation) {
            age if age < ALL_OF => None,
            age => age.checked_ilog2(),
        };
        let groups: Vec<Option<u32>> = self.0.iter().map(group).collect();
        let before = std::iter::once(None).chain(groups.iter().copied());
        let behind = groups.iter().skip(1).copied().chain([None]);
        let around = groups.iter().zip(before.zip(behind));
        // The oldest and the newest of each group.
        let is_kept =
            around.map(|(own, (before, behind))| own.is_none() || before != *own || behind != *own);
        let kept = self.0.iter().zip(is_kept);
        Self(
            kept.filter(|(_, kept)| *kept)
                .map(|(nonce, _)| *nonce)
                .collect(),
        )
    }

    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let nonce = |word: &str| {
            let (generation, nonce) = word.split_once(':')?;
            let generation = generation.parse().ok().filter(|it| *it < GENERATIONS)?;
            Some((generation, Nonce::parse(nonce)?))
        };
        text.split(' ').map(nonce).collect::<Option<_>>().map(Self)
    }
}

/// How many runs lie between, at most.
fn age(newest: u64, generation: u64) -> u64 {
    newest.saturating_sub(generation) / 2
}

impl fmt::Display for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (generation, nonce)) in self.0.iter().enumerate() {
            let between = if place > 0 { " " } else { "" };
            write!(f, "{between}{generation}:{nonce}")?;
        }
        Ok(())
    }
}

/// Eight octets that nothing else has.
pub fn random() -> io::Result<[u8; 8]> {
    let mut octets = [0; 8];
    let got = rustix::rand::getrandom(&mut octets, rustix::rand::GetRandomFlags::empty())?;
    match got {
        8 => Ok(octets),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(runs: u32) -> Nonces {
        let mut nonces = Nonces::default();
        for run in 0..runs {
            nonces.add(u64::from(run) * 2 + 1, Nonce(run.to_be_bytes()));
        }
        nonces
    }

    #[test]
    fn a1_the_turns_of_any_number_of_runs_fit_in_a_line_and_are_read_as_they_were_written() {
        for runs in [1, 2, 64, 65, 200, 100_000] {
            let all = history(runs);
            let thinned = all.thinned();
            assert_eq!(Nonces::parse(&thinned.to_string()), Some(thinned.clone()));
            assert!(thinned.to_string().len() < 2048, "{runs}");
            assert_eq!(thinned.newest(), all.newest());
            assert_eq!(thinned.oldest(), all.oldest());
            for nonce in &all.0 {
                assert!(
                    thinned.has(*nonce) || !thinned.are_all_from(nonce.0),
                    "{nonce:?}"
                );
            }
        }
    }

    #[test]
    fn a1_turns_that_are_thinned_again_and_again_still_reach_back_at_each_age() {
        let mut nonces = Nonces::default();
        for run in 0..10_000_u32 {
            nonces.add(u64::from(run) * 2 + 1, Nonce(run.to_be_bytes()));
            nonces = nonces.thinned();
        }
        for age in [64_u64, 200, 1000, 5000] {
            let newest = 20_000;
            let mut older = nonces.0.iter().map(|(generation, _)| newest - generation);
            assert!(older.any(|it| (age * 2..=age * 8).contains(&it)), "{age}");
        }
    }

    #[test]
    fn a1_what_is_no_turn_is_not_read_as_one() {
        for text in [
            "",
            "1",
            "1:",
            "x:00000000",
            "1:0000000",
            "1:00000000 ",
            "9223372036854775808:00000000",
        ] {
            assert_eq!(Nonces::parse(text), None, "{text}");
        }
    }
}
