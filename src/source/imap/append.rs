//! Appending messages (RFC 3501 section 6.3.11), and looking for one that may have been appended.

use super::wire::Step;
use super::{Answer, Error, Meaning, Phase, Session, SignedIn};
use crate::handover::{Likeness, Post};
use crate::imap::command::ARGUMENT_LIMIT;
use crate::imap::{Append, Command, ListedMailbox, Search, Violation, to_utf7};
use crate::source::header::ENDLESS_HEADER;
use crate::source::{Appended, Found, Unappended};
use std::num::NonZeroU32;

/// What is read of a message at once.
const PIECE: usize = 64 * 1024;

/// More folders than this are not looked through, but for a few: people have dozens.
const LOOK_LIMIT: usize = 1000;

/// A server that lists more folders lists them without end.
const LIST_LIMIT: usize = 100_000;

/// More messages with the same Message-ID, or of the same day and size, are not compared.
const CANDIDATES: usize = 64;

/// What the answer to APPEND comes with.
enum Said {
    Answer(Answer),
    /// It waits for the octets.
    GoOn,
}

impl Session<SignedIn> {
    /// Appends a message to a mailbox, which is made where the server asks for that.
    pub(in crate::source) fn append(
        &mut self,
        folder: &str,
        post: &mut Post,
    ) -> Result<Appended, Unappended> {
        if post.has_nul() {
            let why = "it has NUL octets in it, which IMAP cannot carry (RFC 3501 section 4.3)";
            return Ok(Appended::Never(why.to_owned()));
        }
        self.prepare().map_err(Unappended::before)?;
        if let Some(limit) = self.capabilities.append_limit
            && post.octets() > limit
        {
            let octets = post.octets();
            let why = format!("it has {octets} octets, and the server takes up to {limit}");
            return Ok(Appended::Never(why));
        }
        let mailbox = to_utf7(folder);
        let answer = self.append_to(&mailbox, post)?;
        if answer.ok {
            self.state.has_appended = true;
            return Ok(Appended::Taken { made: false });
        }
        if !has_code(&answer, &["TRYCREATE"]) {
            return Ok(judged(answer));
        }
        let sent = self.wire.send(Command::Create(&mailbox));
        sent.map_err(Unappended::before)?;
        let made = self.wire.answer(Phase::Appending);
        let made = made.map_err(Unappended::before)?;
        if !made.ok {
            return Ok(Appended::NotNow(made));
        }
        let answer = self.append_to(&mailbox, post)?;
        match answer.ok {
            true => Ok(Appended::Taken { made: true }),
            false => Ok(judged(answer)),
        }
    }

    fn prepare(&mut self) -> Result<(), Error> {
        self.know_capabilities()?;
        self.wire.takes_literals = self.capabilities.literal_plus;
        Ok(())
    }

    fn append_to(&mut self, mailbox: &str, post: &mut Post) -> Result<Answer, Unappended> {
        post.rewind().map_err(Unappended::File)?;
        // What it says of a mailbox that is not there is said before the octets, unless they are already on
        // their way: a message that is refused then has to be sent for nothing, or cut off.
        let is_short = post.octets() <= PIECE as u64;
        let at_once =
            self.capabilities.takes_at_once(post.octets()) && (is_short || self.state.has_appended);
        let append = Append {
            mailbox,
            date: post.date(),
            octets: post.octets(),
            at_once,
        };
        let sent = self.wire.send(Command::Append(append));
        sent.map_err(Unappended::before)?;
        if !at_once
            && let Said::Answer(answer) = self.asked_for_octets().map_err(Unappended::before)?
        {
            return match answer.ok {
                // It cannot have taken what it does not have.
                true => Err(unsolicited(Unappended::before)),
                false => Ok(answer),
            };
        }
        let mut piece = Vec::with_capacity(2 * PIECE);
        let mut left = post.octets();
        while left > 0 {
            piece.clear();
            post.read(PIECE, &mut piece).map_err(Unappended::File)?;
            left = match left.checked_sub(piece.len() as u64) {
                Some(left) if !piece.is_empty() => left,
                // It has another length than it had.
                _ => return Err(Unappended::File(std::io::ErrorKind::InvalidData.into())),
            };
            let early = self.wire.push(&piece, Phase::Appending);
            let is_whole = left == 0 && self.wire.is_sent();
            // Some servers may not wait for the end of the line.
            let failed = |error| match is_whole {
                true => Unappended::behind(error),
                false => Unappended::before(error),
            };
            let Some(answer) = early.map_err(failed)? else {
                continue;
            };
            if answer.ok && !is_whole {
                return Err(unsolicited(Unappended::behind));
            }
            // It waits for octets still, whatever it says.
            if left > 0 {
                return Err(Unappended::Cut(judged(answer)));
            }
            return match self.wire.push(b"\r\n", Phase::Appending) {
                Err(_) if !answer.ok => Err(Unappended::Cut(judged(answer))),
                _ => Ok(answer),
            };
        }
        let early = self.wire.push(b"\r\n", Phase::Appending);
        match early.map_err(Unappended::behind)? {
            Some(answer) => Ok(answer),
            None => self
                .wire
                .answer(Phase::Appending)
                .map_err(Unappended::behind),
        }
    }

    fn asked_for_octets(&mut self) -> Result<Said, Error> {
        loop {
            match self.wire.next(Phase::Appending)? {
                Step::Challenge => return Ok(Said::GoOn),
                Step::Done(answer) => return Ok(Said::Answer(answer)),
                Step::Octets => {
                    self.wire.octets();
                }
                _ => {}
            }
        }
    }

    /// Looks for a message: in the mailbox that it was for and in the one that has all messages, where the
    /// server has one; else in each.
    pub(in crate::source) fn find(
        &mut self,
        folder: &str,
        post: &mut Post,
    ) -> Result<Found, Error> {
        self.prepare()?;
        let wanted = to_utf7(folder);
        let (listed, is_listed) = self.list_mailboxes()?;
        let is_wanted = |name: &str| {
            name == wanted
                || name.eq_ignore_ascii_case(&wanted) && name.eq_ignore_ascii_case("INBOX")
        };
        let all = listed.iter().find(|it| it.has("\\All"));
        let mut names = vec![wanted.clone()];
        let others = listed.iter().filter(|it| match all {
            // Spam and what was thrown away are not in it.
            Some(_) => has_its_own(it),
            None => !it.has("\\Noselect") && !it.has("\\NonExistent"),
        });
        let is_plain = |it: &&ListedMailbox| {
            it.name.len() <= ARGUMENT_LIMIT && it.name.iter().all(|it| matches!(it, b' '..=b'~'))
        };
        let others = others.filter(is_plain);
        let others = others.filter_map(|it| String::from_utf8(it.name.clone()).ok());
        names.extend(others.filter(|name| !is_wanted(name)));
        let mut is_unclear = !is_listed && all.is_none();
        for name in names {
            match self.find_in(&name, post)? {
                Found::NotThere => {}
                Found::There => return Ok(Found::There),
                // A mailbox that is not there has nothing in it.
                Found::CannotTell => {
                    is_unclear |= listed.iter().any(|it| it.name == name.as_bytes())
                }
            }
        }
        Ok(match is_unclear {
            true => Found::CannotTell,
            false => Found::NotThere,
        })
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

    fn find_in(&mut self, mailbox: &str, post: &mut Post) -> Result<Found, Error> {
        let mut answer = self.examine(mailbox)?;
        if !answer.ok && self.capabilities.id {
            // There are servers that open nothing for who has not said what it is (fact Q25).
            self.wire.send(Command::Id)?;
            self.wire.answer(Phase::Appending)?;
            answer = self.examine(mailbox)?;
        }
        if !answer.ok {
            return cannot_tell("EXAMINE", answer);
        }
        self.wire.send(Command::Search(Search {
            message_id: post.message_id(),
            date: post.date(),
            octets: post.octets(),
        }))?;
        let mut uids = Vec::new();
        let answer = loop {
            match self.wire.next(Phase::Appending)? {
                Step::Found(more) => uids.extend(more),
                Step::Octets => {
                    self.wire.octets();
                }
                Step::Done(answer) => break answer,
                _ => {}
            }
        };
        if !answer.ok {
            return cannot_tell("UID SEARCH", answer);
        }
        let mut is_unclear = uids.len() > CANDIDATES;
        // The newest are the likeliest.
        let uids = uids.iter().rev().filter_map(|uid| NonZeroU32::new(*uid));
        for uid in uids.take(CANDIDATES) {
            match self.likeness_of(uid, post)? {
                Some(Likeness::Same) => return Ok(Found::There),
                // It may be it, as the server has changed it, or another copy of the same mail.
                Some(Likeness::Body) | None => is_unclear = true,
                Some(Likeness::Other) => {}
            }
        }
        Ok(match is_unclear {
            true => Found::CannotTell,
            false => Found::NotThere,
        })
    }

    fn examine(&mut self, mailbox: &str) -> Result<Answer, Error> {
        self.wire.send(Command::Examine(mailbox))?;
        self.wire.answer(Phase::Appending)
    }

    /// How alike a message is; of many with the same size the header is looked at first. `None` where it does
    /// not come, or ours cannot be read.
    fn likeness_of(&mut self, uid: NonZeroU32, post: &mut Post) -> Result<Option<Likeness>, Error> {
        if post.shows_by_header() {
            let mut header = Vec::new();
            let is_all = self.read_of(Command::FetchHeader(uid), uid, |octets| {
                header.extend_from_slice(octets);
                header.len() <= ENDLESS_HEADER
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
            true
        })?;
        Ok(comparison.end().ok().filter(|_| is_all && is_readable))
    }

    /// Reads what is asked for of one message; whether all of it has come.
    ///
    /// # Errors
    /// As ever; and where `take` wants no more, which is a header without an end.
    fn read_of(
        &mut self,
        command: Command<'_>,
        uid: NonZeroU32,
        mut take: impl FnMut(&[u8]) -> bool,
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
                    if is_its_own && !take(octets) {
                        let violation = Violation::EndlessHeader;
                        return Err(Error::violation(Phase::Appending, violation));
                    }
                }
                Step::Done(answer) => return Ok(has_come && answer.ok),
                _ => {}
            }
        }
    }
}

/// Whether it has all messages, or some that are not in the one that has all.
fn has_its_own(mailbox: &ListedMailbox) -> bool {
    ["\\All", "\\Junk", "\\Trash"]
        .iter()
        .any(|it| mailbox.has(it))
}

/// A mailbox that cannot be looked through now, by a server in trouble, may be later; another never.
fn cannot_tell(command: &'static str, answer: Answer) -> Result<Found, Error> {
    match Meaning::of(Phase::Appending, &answer).is_the_sessions() {
        true => Err(Error::Refused { command, answer }),
        false => Ok(Found::CannotTell),
    }
}

/// The server has said that it took a message before it had all of it.
fn unsolicited(becomes: impl FnOnce(Error) -> Unappended) -> Unappended {
    becomes(Error::violation(Phase::Appending, Violation::Unsolicited))
}

/// What a refusal means: of a server that is full, or busy, another message would be refused as well.
fn judged(answer: Answer) -> Appended {
    if has_code(&answer, &["TOOBIG", "LIMIT"]) {
        return Appended::Refused(answer);
    }
    let is_passing = has_code(&answer, &["OVERQUOTA", "UNAVAILABLE", "INUSE", "SERVERBUG"]);
    match is_passing || Meaning::of(Phase::Appending, &answer).is_the_sessions() {
        true => Appended::NotNow(answer),
        false => Appended::Refused(answer),
    }
}

/// Whether the answer begins with one of these codes in brackets (RFC 3501 section 7.1, RFC 5530).
fn has_code(answer: &Answer, codes: &[&str]) -> bool {
    let inside = answer.text.strip_prefix('[');
    let code = inside.and_then(|it| it.split([']', ' ']).next());
    code.is_some_and(|code| codes.iter().any(|it| it.eq_ignore_ascii_case(code)))
}
