//! Appending messages (RFC 3501 section 6.3.11).

use super::wire::Step;
use super::{Answer, Error, Meaning, Phase, Session, SignedIn};
use crate::handover::{Post, Spot};
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
            let spot = spot_in(&answer);
            return Ok(Appended::Taken { made: false, spot });
        }
        if !has_code(&answer, &["TRYCREATE"]) {
            return self.refused(&mailbox, answer);
        }
        let made = self.create(&mailbox).map_err(Unappended::before)?;
        if !is_made(&made) {
            return Ok(match is_passing(&made) {
                true => Appended::NotNow(made),
                false => Appended::NoFolder(made),
            });
        }
        let answer = self.append_to(&mailbox, post)?;
        match answer.ok {
            true => {
                let spot = spot_in(&answer);
                Ok(Appended::Taken { made: true, spot })
            }
            false => self.refused(&mailbox, answer),
        }
    }

    pub(super) fn create(&mut self, mailbox: &str) -> Result<Answer, Error> {
        self.wire.send(Command::Create(mailbox))?;
        self.wire.answer(Phase::Appending)
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

/// Whether there is a mailbox once it was to be made: somebody else may have made it meanwhile (RFC 5530).
pub(super) fn is_made(answer: &Answer) -> bool {
    answer.ok || has_code(answer, &["ALREADYEXISTS"])
}

/// Where a server says that it has put a message (APPENDUID, RFC 4315 section 3).
fn spot_in(answer: &Answer) -> Option<Spot> {
    let mut words = code_of(answer)?.split(' ').filter(|word| !word.is_empty());
    words
        .next()
        .filter(|it| it.eq_ignore_ascii_case("APPENDUID"))?;
    let mut number = || words.next()?.parse().ok().filter(|number| *number > 0);
    let (validity, number) = (number()?, number()?);
    words.next().is_none().then_some(Spot { validity, number })
}

/// Whether the answer begins with one of these codes (RFC 3501 section 7.1, RFC 5530).
pub(super) fn has_code(answer: &Answer, codes: &[&str]) -> bool {
    let code = code_of(answer).and_then(|it| it.split(' ').next());
    code.is_some_and(|code| codes.iter().any(|it| it.eq_ignore_ascii_case(code)))
}

/// What stands in brackets at its beginning.
fn code_of(answer: &Answer) -> Option<&str> {
    answer.text.strip_prefix('[')?.split(']').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_where_it_has_put_a_message() {
        for (text, spot) in [
            ("[APPENDUID 38505 3955] done", Some((38505, 3955))),
            ("[appenduid 1 4294967295]", Some((1, u32::MAX))),
            ("[APPENDUID 0 1] done", None),
            ("[APPENDUID 1 2:3] done", None),
            ("[APPENDUID 1 4294967296] done", None),
            ("[APPENDUID 1] done", None),
            ("[APPENDUID 1 2 3] done", None),
            ("APPENDUID 1 2", None),
            ("[COPYUID 1 2] done", None),
        ] {
            let found = spot_in(&Answer::said(text));
            assert_eq!(found.map(|it| (it.validity, it.number)), spot, "{text}");
        }
    }
}
