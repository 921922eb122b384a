//! Appending messages (RFC 3501 section 6.3.11).

use super::wire::Step;
use super::{Answer, Error, Meaning, Phase, Session, SignedIn};
use crate::handover::Post;
use crate::imap::{Append, Command, Violation, to_utf7};
use crate::source::{Appended, Unappended};

/// What is read of a message at once.
const PIECE: usize = 64 * 1024;

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
        self.know_capabilities().map_err(Unappended::before)?;
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
            return self.refused(&mailbox, answer);
        }
        let sent = self.wire.send(Command::Create(&mailbox));
        sent.map_err(Unappended::before)?;
        let made = self.wire.answer(Phase::Appending);
        let made = made.map_err(Unappended::before)?;
        if !made.ok {
            return Ok(match is_passing(&made) {
                true => Appended::NotNow(made),
                false => Appended::NoFolder(made),
            });
        }
        let answer = self.append_to(&mailbox, post)?;
        match answer.ok {
            true => Ok(Appended::Taken { made: true }),
            false => self.refused(&mailbox, answer),
        }
    }

    /// What a refusal means: where the mailbox cannot be opened either, it is not about the message.
    fn refused(&mut self, mailbox: &str, answer: Answer) -> Result<Appended, Unappended> {
        let answer = match judged(answer) {
            Appended::Refused(answer) if !is_of_message(&answer) => answer,
            judged => return Ok(judged),
        };
        if has_code(&answer, &["NONEXISTENT", "NOPERM"]) {
            return Ok(Appended::NoFolder(answer));
        }
        let opened = self.examine(mailbox, Phase::Appending);
        let (opened, _) = opened.map_err(Unappended::before)?;
        Ok(match opened.ok {
            true => Appended::Refused(answer),
            false if is_passing(&opened) => Appended::NotNow(opened),
            false => Appended::NoFolder(answer),
        })
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
}

/// The server has said that it took a message before it had all of it.
fn unsolicited(becomes: impl FnOnce(Error) -> Unappended) -> Unappended {
    becomes(Error::violation(Phase::Appending, Violation::Unsolicited))
}

/// What a refusal means: of a server that is full, or busy, another message would be refused as well.
fn judged(answer: Answer) -> Appended {
    match !is_of_message(&answer) && is_passing(&answer) {
        true => Appended::NotNow(answer),
        false => Appended::Refused(answer),
    }
}

fn is_of_message(answer: &Answer) -> bool {
    has_code(answer, &["TOOBIG", "LIMIT"])
}

fn is_passing(answer: &Answer) -> bool {
    has_code(answer, &["OVERQUOTA", "UNAVAILABLE", "INUSE", "SERVERBUG"])
        || Meaning::of(Phase::Appending, answer).is_the_sessions()
}

/// Whether the answer begins with one of these codes in brackets (RFC 3501 section 7.1, RFC 5530).
fn has_code(answer: &Answer, codes: &[&str]) -> bool {
    let inside = answer.text.strip_prefix('[');
    let code = inside.and_then(|it| it.split([']', ' ']).next());
    code.is_some_and(|code| codes.iter().any(|it| it.eq_ignore_ascii_case(code)))
}
