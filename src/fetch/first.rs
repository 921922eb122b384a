//! Which folders are listed for the first time: of these, `latest` passes over what is older.

use crate::maildrop::{Maildrop, MessageNumber};
use crate::rules::SKEW;
use crate::source::{self, Source};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is listed for the first time.
pub(super) enum FirstListings {
    /// All of it, but for folders that could not be read.
    All { unread: BTreeSet<Box<str>> },
    /// Folders that could not be read in the first listing of all.
    Late(Late),
}

/// See [`FirstListings::Late`].
#[derive(Default)]
pub(super) struct Late {
    /// Those that are listed to their ends.
    pub(super) whole: BTreeSet<Box<str>>,
    /// The places of the messages that were there at the first listing of all: how many such are behind each in
    /// its folder.
    older: BTreeMap<usize, u64>,
}

impl FirstListings {
    /// Of the listing at hand. `first`: nothing is known of the account; `awaited`: nor of these folders, since
    /// then. Where it is not `asked`, nothing of those is passed over.
    pub(super) fn of(
        first: bool,
        awaited: &BTreeMap<Box<str>, i64>,
        maildrop: &Maildrop,
        asked: Option<(&mut Source, i64)>,
    ) -> Result<Self, source::Error> {
        if first {
            let unread = maildrop.unread().map(Box::from).collect();
            return Ok(Self::All { unread });
        }
        // Most of the time there is none, and there may be a hundred thousand folders.
        if awaited.is_empty() {
            return Ok(Self::Late(Late::default()));
        }
        let listed = maildrop.folder_names();
        let listed = listed.filter(|it| awaited.contains_key(*it));
        let mut whole: BTreeSet<Box<str>> = listed.map(Box::from).collect();
        // A part of it may be listed all the same.
        maildrop.unread().for_each(|it| drop(whole.take(it)));
        let older = match asked {
            Some((source, now)) => older(source, awaited, maildrop, now)?,
            None => BTreeMap::new(),
        };
        Ok(Self::Late(Late { whole, older }))
    }

    /// Nothing: whoever asks passes over nothing for being old.
    pub(super) fn none() -> Self {
        Self::Late(Late::default())
    }

    /// How many of those that are old enough to be passed over are behind each message in its folder, place by
    /// place; none of a message that is not.
    pub(super) fn newer(&self, maildrop: &Maildrop) -> impl Iterator<Item = Option<u64>> {
        let (all, late) = match self {
            Self::All { .. } => (Some(maildrop.newer().map(Some)), None),
            Self::Late(late) => (None, Some(late)),
        };
        let places = 0..maildrop.len();
        let late = late.map(|it| places.map(|place| it.older.get(&place).copied()));
        let newer = all.into_iter().flatten().chain(late.into_iter().flatten());
        // Of what has no unique-id nobody could say later that it was passed over.
        newer
            .enumerate()
            .map(|(place, newer)| newer.filter(|_| maildrop.has_name(place)))
    }
}

/// The messages of folders that are listed late, as far as they were there at the first listing of all, as in
/// [`Late::older`]: what came since is nobody's to pass over, and neither is what the server does not say
/// the time of.
fn older(
    source: &mut Source,
    awaited: &BTreeMap<Box<str>, i64>,
    maildrop: &Maildrop,
    now: i64,
) -> Result<BTreeMap<usize, u64>, source::Error> {
    let mut older = BTreeMap::new();
    for places in maildrop.folders() {
        let folder = maildrop.folder(places.start);
        let since = folder.and_then(|it| awaited.get(&it.name)).copied();
        // The clock was wrong then where that is yet to come.
        let since = since.filter(|it| *it <= now);
        let Some((since, one)) = since.zip(maildrop.number(places.start)) else {
            continue;
        };
        let mut arrivals: HashMap<MessageNumber, i64> = HashMap::new();
        source.arrivals(one, |number, time| {
            let latest = arrivals.entry(number).or_insert(time);
            *latest = time.max(*latest);
        })?;
        // The server has another clock than we have.
        let since = since.saturating_sub(SKEW);
        let mut behind = 0;
        for place in places.rev() {
            let arrival = maildrop
                .number(place)
                .and_then(|number| arrivals.get(&number));
            if arrival.is_some_and(|time| *time < since) {
                older.insert(place, behind);
                behind += 1;
            }
        }
    }
    Ok(older)
}
