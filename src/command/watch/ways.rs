//! How a watch hears of mail, account by account: from a server that says so by itself, or by asking every so often.

use crate::profile::units::duration;
use crate::term::escape_str;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Accounts that are named at most: the line that they are written in is read in one piece.
pub(super) const NAMED: usize = 5;

/// So many are told: a config with more intervals was made by a program.
pub(super) const MOST_WAYS: usize = 8;

/// What is written before the names of those whose servers say when mail has come.
const TOLD: &str = "told";

/// Accounts of which it hears in the same way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Way {
    /// How often it asks; `None` where the server says by itself that mail has come.
    every: Option<Duration>,
    count: usize,
    /// The first of them.
    pub(super) names: Vec<String>,
}

impl Way {
    /// Those of these accounts, of which each is asked every so often, and of which the servers of these say by
    /// themselves that mail has come.
    pub(super) fn of<'a>(
        accounts: impl Iterator<Item = (&'a str, Duration)>,
        told: &BTreeSet<&str>,
    ) -> Vec<Self> {
        let mut groups: BTreeMap<Option<Duration>, Vec<&str>> = BTreeMap::new();
        for (name, every) in accounts {
            let every = (!told.contains(name)).then_some(every);
            groups.entry(every).or_default().push(name);
        }
        let ways = groups.into_iter().map(|(every, names)| Self {
            every,
            count: names.len(),
            names: names.iter().take(NAMED).map(ToString::to_string).collect(),
        });
        ways.take(MOST_WAYS).collect()
    }

    /// What stands before its names where it is written.
    pub(super) fn word(&self) -> String {
        let way = self
            .every
            .map_or_else(|| TOLD.to_owned(), |it| it.as_secs().to_string());
        format!("{way}:{}", self.count)
    }

    /// Reads them as they are written, where `names` gives so many fields; what is not understood is left out.
    pub(super) fn read(names: &mut impl FnMut(usize) -> Vec<String>) -> Vec<Self> {
        let mut ways = Vec::new();
        while let Some(word) = names(1).pop() {
            let Some((way, count)) = word.split_once(':') else {
                break;
            };
            let every = (way != TOLD).then(|| way.parse().map(Duration::from_secs));
            let (Ok(every), Ok(count)) = (every.transpose(), count.parse()) else {
                break;
            };
            ways.push(Self {
                every,
                count,
                names: names(count),
            });
        }
        ways
    }

    /// A line for people.
    pub(super) fn line(&self) -> String {
        let names: Vec<_> = self.names.iter().map(|name| escape_str(name)).collect();
        let more = if self.count > names.len() {
            ", ..."
        } else {
            ""
        };
        let names = names.join(", ");
        match self.every {
            None => format!(
                "mail is fetched as soon as the server says that it is there (IDLE): {names}{more}"
            ),
            Some(every) => format!(
                "the server is asked every {}: {names}{more}",
                duration(every)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_of_the_ways_reads_back_as_the_same() {
        let names: Vec<String> = (0..9).map(|n| format!("account {n}: x")).collect();
        let every = |n: usize| Duration::from_secs([600, 3600][n % 2]);
        let accounts = names.iter().enumerate();
        let accounts = accounts.map(|(n, name)| (name.as_str(), every(n)));
        let told = BTreeSet::from([names[0].as_str(), names[5].as_str()]);
        let ways = Way::of(accounts, &told);
        let mut fields = Vec::new();
        for way in &ways {
            fields.push(way.word());
            fields.extend(way.names.clone());
        }
        let mut fields = fields.into_iter();
        let mut read = |count: usize| fields.by_ref().take(count.min(NAMED)).collect();
        assert_eq!(Way::read(&mut read), ways);
        let lines: Vec<String> = ways.iter().map(Way::line).collect();
        assert!(
            lines[0].ends_with("(IDLE): account 0: x, account 5: x"),
            "{lines:?}"
        );
        assert!(
            lines[1].starts_with("the server is asked every 10 min: account 2"),
            "{lines:?}"
        );
        assert!(lines[2].contains("every 1 h: "), "{lines:?}");
    }
}
