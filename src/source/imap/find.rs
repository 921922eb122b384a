//! Looking for a message that may have been appended (RFC 3501 section 6.4.4).

use super::wire::Step;
use super::{Answer, Error, Meaning, Phase, Session, SignedIn};
use crate::handover::{LONGEST_HEADER, Likeness, Post, Spot};
use crate::imap::{Command, ListedMailbox, Search, Violation, to_utf7};
use crate::source::Found;
use crate::source::folders::INBOX;
use std::collections::VecDeque;
use std::num::NonZeroU32;

/// More mailboxes than this are not looked through, but for a few: people have dozens.
const LOOK_LIMIT: usize = 1000;

/// A server that lists more of them lists them without end.
const LIST_LIMIT: usize = 100_000;

/// More messages of a mailbox with the same Message-ID, or of the same size, are not compared: each takes the time of
/// an answer, and its octets.
const CANDIDATES: usize = 64;

/// A server that makes more or fewer octets of a message changes what makes it the same, too.
const CLOSE: u64 = 1024;

/// What a mailbox has.
#[derive(Debug, Default)]
struct Looked {
    /// Messages that are the same, and are not known to be others.
    copies: Vec<Spot>,
    /// There may be more.
    is_unclear: bool,
    /// It was looked for by its size alone, which servers may estimate: that it was not found says little.
    is_by_size: bool,
}

/// Messages that may be the one that is looked for. The newest are the likeliest.
#[derive(Debug, Default)]
struct Newest {
    all: VecDeque<Spot>,
    /// There are older ones.
    has_more: bool,
}

impl Newest {
    fn push(&mut self, spot: Spot) {
        self.all.push_back(spot);
        if self.all.len() > CANDIDATES {
            self.all.pop_front();
            self.has_more = true;
        }
    }
}

/// What is looked for.
struct Sought<'a> {
    post: &'a mut Post,
    /// Where the next message of its folder was to be before it was first tried.
    from: Option<Spot>,
    /// Others of that folder.
    others: &'a [Spot],
    /// Its INTERNALDATE, where it is what a try may have left: all else has one of its own.
    date: Option<i64>,
}

impl Session<SignedIn> {
    /// Looks for a message: in the mailbox that it was for and in the one that has all messages, where the
    /// server has one; else in each.
    ///
    /// What looks like it may be what a try has left only in that mailbox, and only where no message can have been
    /// when it was first tried: all else may be another, or what it was fetched from, where the mailbox is the very
    /// same.
    pub(in crate::source) fn find(
        &mut self,
        folder: &str,
        post: &mut Post,
        from: Option<Spot>,
        others: &[Spot],
    ) -> Result<Found, Error> {
        self.know_capabilities()?;
        let mut sought = Sought {
            date: from.map(|_| post.date()),
            post,
            from,
            others,
        };
        let wanted = to_utf7(folder);
        let (listed, is_listed) = self.list_mailboxes()?;
        let is_wanted = |it: &ListedMailbox| is_same_name(&it.name, wanted.as_bytes());
        let has_all = listed.iter().any(|it| it.has("\\All"));
        let mut is_unclear = !is_listed && !has_all;
        let seen = self.look_in(&wanted, &mut sought)?;
        // A mailbox that is not there has nothing in it.
        let is_there = !is_listed
            || is_same_name(wanted.as_bytes(), INBOX.as_bytes())
            || listed.iter().any(is_wanted);
        is_unclear |= seen
            .as_ref()
            .map_or(is_there, |it| it.is_unclear || it.is_by_size);
        let here = seen.map(|it| it.copies).unwrap_or_default();
        let is_since = |spot: &&Spot| from.is_some_and(|from| spot.is_behind(from));
        let since: Vec<Spot> = here.iter().filter(is_since).copied().collect();
        if !since.is_empty() {
            return Ok(Found::Since(since));
        }
        let mut most = here.len();
        // UIDs of other mailboxes say nothing about this one.
        (sought.from, sought.others) = (None, &[]);
        let looked_at = listed.iter().filter(|it| match has_all {
            // Spam and what was thrown away may not be in it.
            true => has_its_own(it),
            false => it.can_be_opened(),
        });
        for other in looked_at.filter(|it| !is_wanted(it)) {
            // One whose name cannot be said may have it.
            let seen = match other.argument() {
                Some(name) => self.look_in(name, &mut sought)?,
                None => None,
            };
            most = most.max(seen.as_ref().map_or(0, |it| it.copies.len()));
            is_unclear |= seen.is_none_or(|it| it.is_unclear);
        }
        Ok(match (most, is_unclear) {
            (0, true) => Found::CannotTell,
            (0, false) => Found::NotThere,
            (most, _) => Found::Like { most, here },
        })
    }

    /// Whether a message is at a place of a folder, whatever a search finds: an index may be late.
    pub(in crate::source) fn has_at(
        &mut self,
        folder: &str,
        post: &mut Post,
        spot: Spot,
    ) -> Result<bool, Error> {
        let (answer, opened) = self.examine(&to_utf7(folder), Phase::Appending)?;
        if !answer.ok || opened.uid_validity != Some(spot.validity) {
            return Ok(false);
        }
        Ok(self.likeness_of(spot, post)? == Some(Likeness::Same))
    }

    /// What there is, as far as it is looked at, and whether that is all.
    fn list_mailboxes(&mut self) -> Result<(Vec<ListedMailbox>, bool), Error> {
        self.wire.send(Command::List {
            uses: self.capabilities.special_use,
        })?;
        let (mut listed, mut count) = (Vec::new(), 0);
        loop {
            match self.wire.next(Phase::Appending)? {
                Step::Listed(mailbox) => {
                    count += 1;
                    if count > LIST_LIMIT {
                        let violation = Violation::EndlessList;
                        return Err(Error::violation(Phase::Appending, violation));
                    }
                    // Those that have what is in no other may come last.
                    let is_to_be_looked_at = match has_its_own(&mailbox) {
                        true => listed.len() < 2 * LOOK_LIMIT,
                        false => listed.len() < LOOK_LIMIT,
                    };
                    if is_to_be_looked_at {
                        listed.push(mailbox);
                    }
                }
                Step::Octets => {
                    self.wire.octets();
                }
                Step::Done(answer) => return Ok((listed, answer.ok && count <= LOOK_LIMIT)),
                _ => {}
            }
        }
    }

    /// What a mailbox has of it; `None` where it cannot be looked through.
    fn look_in(&mut self, mailbox: &str, sought: &mut Sought<'_>) -> Result<Option<Looked>, Error> {
        let (answer, opened) = self.examine(mailbox, Phase::Appending)?;
        if !answer.ok {
            return cannot_look("EXAMINE", answer);
        }
        // Nothing is known of where a message is without it.
        let validity = opened.uid_validity.unwrap_or(0);
        let from = sought.from.filter(|it| it.validity == validity);
        self.wire.send(Command::Search(Search {
            message_id: sought.post.message_id(),
            date: sought.date,
            octets: sought.post.octets(),
        }))?;
        let mut spots = Newest::default();
        let answer = loop {
            match self.wire.next(Phase::Appending)? {
                Step::Found(more) => {
                    let more = more.into_iter().map(|number| Spot { validity, number });
                    more.filter(|it| !sought.others.contains(it))
                        .for_each(|it| spots.push(it));
                }
                Step::Octets => {
                    self.wire.octets();
                }
                Step::Done(answer) => break answer,
                _ => {}
            }
        };
        if !answer.ok {
            return cannot_look("UID SEARCH", answer);
        }
        let mut looked = Looked {
            copies: Vec::new(),
            is_unclear: spots.has_more,
            is_by_size: from.is_none()
                && sought.post.message_id().is_none()
                && opened.exists != Some(0),
        };
        for spot in spots.all.iter().rev() {
            match self.likeness_of(*spot, sought.post)? {
                Some(Likeness::Same) => looked.copies.push(*spot),
                // It may be it, as the server has changed it, or another copy of the same mail.
                Some(Likeness::Body) | None => looked.is_unclear = true,
                // So may one that says that it is the same message, as some servers make bodies anew.
                Some(Likeness::Other) => looked.is_unclear |= sought.post.message_id().is_some(),
            }
        }
        let is_found = |from| looked.copies.iter().any(|it| it.is_behind(from));
        // Where there are too many, these would be some of them again.
        let is_over = spots.has_more || opened.exists == Some(0);
        if let Some(from) = from.filter(|from| !is_over && !is_found(*from)) {
            self.look_behind(from, &spots.all, sought, &mut looked)?;
        }
        Ok(Some(looked))
    }

    /// Looks at what has come since, one by one: an index that a server searches may be late, and what it has made
    /// anew may have another Message-ID. `seen`: these were looked at.
    fn look_behind(
        &mut self,
        from: Spot,
        seen: &VecDeque<Spot>,
        sought: &mut Sought<'_>,
        looked: &mut Looked,
    ) -> Result<(), Error> {
        let Some(first) = NonZeroU32::new(from.number) else {
            return Ok(());
        };
        self.wire.send(Command::FetchSizesFrom(first))?;
        let mut spots = Newest::default();
        let answer = loop {
            match self.wire.next(Phase::Appending)? {
                Step::Fetched(fetched) => {
                    let Some(number) = fetched.uid else {
                        continue;
                    };
                    let spot = Spot { number, ..from };
                    let is_new = spot.is_behind(from)
                        && !seen.contains(&spot)
                        && !spots.all.contains(&spot)
                        && !sought.others.contains(&spot);
                    if is_new && fetched.size.is_none_or(|it| may_be(sought.post, it)) {
                        spots.push(spot);
                    }
                }
                Step::Octets => {
                    self.wire.octets();
                }
                Step::Done(answer) => break answer,
                _ => {}
            }
        };
        if !answer.ok {
            looked.is_unclear |= cannot_look("UID FETCH", answer)?.is_none();
            return Ok(());
        }
        looked.is_unclear |= spots.has_more;
        for spot in spots.all.iter().rev() {
            match self.likeness_of(*spot, sought.post)? {
                Some(Likeness::Same) => looked.copies.push(*spot),
                Some(Likeness::Body) | None => looked.is_unclear = true,
                Some(Likeness::Other) => {}
            }
        }
        Ok(())
    }

    /// How alike a message is. Its size is asked for first: of one that is far larger nothing has to come;
    /// then, of many with the same size, its header. `None` where it does not come, or ours cannot be read.
    fn likeness_of(&mut self, spot: Spot, post: &mut Post) -> Result<Option<Likeness>, Error> {
        let Some(uid) = NonZeroU32::new(spot.number) else {
            return Ok(Some(Likeness::Other));
        };
        if let Some(octets) = self.size_of(uid)?
            && !post.may_have(octets)
        {
            return Ok(Some(Likeness::Other));
        }
        if post.shows_by_header() {
            let mut header = Vec::new();
            let is_all = self.read_of(Command::FetchHeader(uid), uid, |octets| {
                if header.len() <= LONGEST_HEADER {
                    header.extend_from_slice(octets);
                }
            })?;
            if !is_all {
                return Ok(None);
            }
            if !post.has_header(&header) {
                return Ok(Some(Likeness::Other));
            }
        }
        let Ok(mut comparison) = post.compare() else {
            return Ok(None);
        };
        let mut is_readable = true;
        let is_all = self.read_of(Command::FetchBody(uid), uid, |octets| {
            is_readable &= comparison.take(octets).is_ok();
        })?;
        Ok(comparison.end().ok().filter(|_| is_all && is_readable))
    }

    /// How many octets a message has; `None` where the server does not say it.
    fn size_of(&mut self, uid: NonZeroU32) -> Result<Option<u64>, Error> {
        self.wire.send(Command::FetchSize(uid))?;
        let mut size = None;
        loop {
            match self.wire.next(Phase::Appending)? {
                Step::Fetched(fetched) if fetched.uid == Some(uid.get()) => {
                    size = fetched.size.or(size);
                }
                Step::Octets => {
                    self.wire.octets();
                }
                Step::Done(_) => return Ok(size),
                _ => {}
            }
        }
    }

    /// Reads what is asked for of one message; whether all of it has come.
    fn read_of(
        &mut self,
        command: Command<'_>,
        uid: NonZeroU32,
        mut take: impl FnMut(&[u8]),
    ) -> Result<bool, Error> {
        self.wire.send(command)?;
        let (mut is_its_own, mut has_come) = (false, false);
        loop {
            match self.wire.next(Phase::Appending)? {
                Step::Begins(_, told) => {
                    is_its_own = !has_come && told.is_none_or(|it| it == uid.get());
                    has_come |= is_its_own;
                }
                Step::Octets => {
                    let octets = self.wire.octets();
                    if is_its_own {
                        take(octets);
                    }
                }
                Step::Done(answer) => return Ok(has_come && answer.ok),
                _ => {}
            }
        }
    }
}

/// Whether a message that a search by its Message-ID, if it has one, has not found may be it by its octets.
fn may_be(post: &Post, octets: u64) -> bool {
    match post.message_id() {
        Some(_) => post.octets().abs_diff(octets) <= CLOSE,
        None => post.may_have(octets),
    }
}

/// Whether it has all messages, or some that are not in the one that has all.
fn has_its_own(mailbox: &ListedMailbox) -> bool {
    ["\\All", "\\Junk", "\\Trash"]
        .iter()
        .any(|it| mailbox.has(it))
}

/// INBOX is the same in whatever case (RFC 3501 section 5.1).
pub(super) fn is_same_name(one: &[u8], other: &[u8]) -> bool {
    let is_inbox = |name: &[u8]| name.eq_ignore_ascii_case(INBOX.as_bytes());
    one == other || is_inbox(one) && is_inbox(other)
}

/// A mailbox that cannot be looked through now, by a server in trouble, may be later; another never.
fn cannot_look(command: &'static str, answer: Answer) -> Result<Option<Looked>, Error> {
    match Meaning::of(Phase::Appending, &answer).is_the_sessions() {
        true => Err(Error::Refused { command, answer }),
        false => Ok(None),
    }
}
