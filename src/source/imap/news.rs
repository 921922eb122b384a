//! IDLE (RFC 2177): the server says what comes into the inbox while nobody asks.

use super::wire::Step;
use super::{Answer, Error, Phase, Session, SignedIn};
use crate::imap::{Command, Violation};
use crate::source::News;
use crate::source::folders::INBOX;
use crate::source::link::Progress;
use crate::system::uptime;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// IDLE is begun anew after so long at the latest. Servers end a session after 30 minutes of silence, which is
/// why RFC 2177 says 29; but routers on the way forget a connection after ten or so, and then nothing comes
/// and nothing fails until somebody sends something.
const RENEWAL: Duration = Duration::from_secs(9 * 60);

/// How often to look at the clock that goes on while the machine sleeps: the one that waits are made by
/// stands still then, and the connection is likely to be dead.
const LOOK: Duration = Duration::from_secs(30);

/// Servers end an IDLE that takes them too long, or when they close; it can be begun anew.
fn ended(answer: Answer) -> Error {
    Error::Refused {
        command: "IDLE",
        answer,
    }
}

/// How many messages are known to be in the mailbox.
#[derive(Default)]
struct Known {
    exists: u32,
    recent: u32,
}

impl Session<SignedIn> {
    /// See [`crate::source::Source::wait_for_news`].
    pub(in crate::source) fn wait_for_news(
        &mut self,
        renewal: Duration,
        mut each: impl FnMut(News) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.know_capabilities()?;
        if !self.capabilities.idle {
            return Ok(());
        }
        let (answer, opened) = self.examine(INBOX, Phase::Listing)?;
        if !answer.ok {
            return Err(Error::Refused {
                command: "EXAMINE",
                answer,
            });
        }
        let mut known = Known {
            exists: opened.exists.unwrap_or_default(),
            recent: opened.recent.unwrap_or_default(),
        };
        let mut is_listening = false;
        loop {
            self.wire.send(Command::Idle)?;
            let may_go_on = self.read_news(&mut known, None, &mut each)?;
            match may_go_on {
                Some(Step::Challenge) => {}
                // It could before.
                Some(Step::Done(answer)) if is_listening => return Err(ended(answer)),
                // It has refused, or ended what had not begun.
                _ => return Ok(()),
            }
            if !is_listening && each(News::Listening).is_break() {
                return Ok(());
            }
            is_listening = true;
            let until = uptime() + renewal.min(RENEWAL);
            match self.read_news(&mut known, Some(until), &mut each)? {
                Some(Step::Silence) => {}
                Some(Step::Done(answer)) => return Err(ended(answer)),
                None => return Ok(()),
                Some(_) => return Err(Error::violation(Phase::News, Violation::Unsolicited)),
            }
            // For as long as it was silent nobody has waited for it.
            self.wire
                .link
                .progresses(Progress::Step { answered: false });
            self.wire.done();
            match self.read_news(&mut known, None, &mut each)? {
                Some(Step::Done(answer)) if answer.ok => {}
                Some(Step::Done(answer)) => return Err(ended(answer)),
                _ => return Ok(()),
            }
        }
    }

    /// Tells of what comes, up to what ends this part of the dialogue; `None` where nobody wants to hear
    /// more. It has no end of its own until then, by the clock that goes on while the machine sleeps.
    fn read_news(
        &mut self,
        known: &mut Known,
        until: Option<Duration>,
        each: &mut impl FnMut(News) -> ControlFlow<()>,
    ) -> Result<Option<Step>, Error> {
        loop {
            let left = until.map(|until| until.saturating_sub(uptime()));
            let deadline = left.map(|left| Instant::now() + left.min(LOOK));
            match self.wire.next_until(Phase::News, deadline)? {
                Step::Silence if left.is_some_and(|left| left > LOOK) => {}
                Step::Octets => {
                    self.wire.octets();
                }
                end @ (Step::Silence | Step::Done(_) | Step::Challenge) => return Ok(Some(end)),
                step => {
                    if known.takes(&step) && each(News::Mail).is_break() {
                        return Ok(None);
                    }
                }
            }
        }
    }
}

impl Known {
    /// Takes in what was told of the mailbox; whether mail has come. What goes is no news.
    fn takes(&mut self, step: &Step) -> bool {
        match step {
            Step::Exists(count) => std::mem::replace(&mut self.exists, *count) < *count,
            Step::Recent(count) => std::mem::replace(&mut self.recent, *count) < *count,
            Step::Gone(count) => {
                let gone = u32::try_from(*count).unwrap_or(u32::MAX);
                self.exists = self.exists.saturating_sub(gone);
                false
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_that_comes_is_news_and_mail_that_goes_is_none() {
        let mut known = Known::default();
        known.takes(&Step::Exists(5));
        for (step, is_news) in [
            (Step::Exists(5), false),
            (Step::Gone(1), false),
            (Step::Exists(4), false),
            (Step::Gone(2), false),
            // One has come beside, which shows in the count alone.
            (Step::Exists(3), true),
            (Step::Recent(1), true),
            (Step::Recent(1), false),
            (Step::Recent(0), false),
            (Step::Exists(4), true),
            (Step::Gone(u64::MAX), false),
            (Step::Exists(0), false),
            (Step::Silence, false),
        ] {
            assert_eq!(known.takes(&step), is_news, "{step:?} {}", known.exists);
        }
    }
}
