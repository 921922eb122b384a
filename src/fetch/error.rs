//! What can end an account's fetch.

use super::room::Shortage;
use super::tell::{listed, too_early};
use crate::delivery;
use crate::exit::Diagnose;
use crate::handover::Unable;
use crate::maildrop::{Maildrop, MessageNumber};
use crate::net;
use crate::profile::providers::NoPop;
use crate::report;
use crate::secrets;
use crate::source::{self, Answer, Meaning, Phase, UnderWay};
use crate::state::{self, Early, RefusalKind};
use crate::stop;
use std::time::Duration;

/// How long a server is left alone at least that has given us as much, or let us in as often, as it
/// does, where it does not say for how long.
const LIMIT_WAIT: Duration = Duration::from_secs(5 * 60);

/// What ended an account's fetch.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server cannot be reached.
    #[error(transparent)]
    Connect(net::Error),
    /// The sign-in was refused, and more can be said than the server does.
    #[error("{source}")]
    Advised {
        /// What to look into.
        hint: String,
        /// What it said.
        source: Box<source::Error>,
    },
    /// The Maildir cannot be used.
    #[error(transparent)]
    Delivery(#[from] delivery::Error),
    /// The server is to be left alone for now.
    #[error("{}", too_early(.early))]
    Early {
        /// Why, and for how long.
        early: Early,
        /// What names the account on the command line, where it signs in by OAuth 2.0.
        login: Option<String>,
    },
    /// Something stands where only a reply can stand.
    #[error("the server is out of step: what it sends does not answer what it was asked")]
    NotInStep,
    /// The system has no thread for the account.
    #[error("cannot start a thread for this account: {0}")]
    NoThread(std::io::Error),
    /// Another account's state knows the maildrop.
    #[error(
        "{known} of the {listed} messages of this mailbox are known under another name of it, {other}"
    )]
    KnownElsewhere {
        /// How many are known.
        known: usize,
        /// How many are listed.
        listed: usize,
        /// The other account's id.
        other: String,
        /// What names this one on the command line.
        name: String,
        /// The same, with what it takes to sign in.
        again: String,
    },
    /// None of the names that another tool knew is listed.
    #[error("{}", none_imported(*listed, tool, *has_list))]
    NoneImported {
        /// How many are listed.
        listed: u32,
        /// Where the names were imported from.
        tool: String,
        /// It keeps a list of what it has fetched.
        has_list: bool,
        /// `--config` and its file, where that was given.
        config: String,
        /// What names the account on the command line, with what it takes to sign in.
        again: String,
        /// The account as `popfetch state` takes it, ready to be typed.
        word: String,
    },
    /// The names that another tool knew are lost.
    #[error(
        "the state has lost what {} had fetched, and {new} of the listed messages may be among that",
        tools.join(" and ")
    )]
    ImportsLost {
        /// How many would be fetched.
        new: usize,
        /// Where the names were imported from.
        tools: Vec<String>,
        /// Each of them keeps a list of what it has fetched.
        have_lists: bool,
        /// `--config` and its file, where that was given.
        config: String,
        /// What names the account on the command line, with what it takes to sign in.
        again: String,
    },
    /// Nothing can be remembered of messages without unique-ids.
    #[error(
        "the server gives messages no unique-ids, so that `{0}` could not remember which ones to pass \
         over"
    )]
    NoMemory(&'static str),
    /// What a part of the maildrop shows last is not the newest.
    #[error(
        "the server lists its mailbox a part at a time, and shows no more of it while a part is \
         passed over, so that `{0}` would keep the rest from coming"
    )]
    InParts(&'static str),
    /// The disk has no room for these, which are not asked for.
    #[error("{0}")]
    NoRoom(Shortage),
    /// A message is far larger than the server said.
    #[error("{0} has no end: it is far larger than the server listed it")]
    Oversized(String),
    /// The server has this message for clients alone that speak UTF8 (RFC 6856).
    #[error("the server sends {0} only after the UTF8 command")]
    NeedsUtf8(String),
    /// The provider has no POP3.
    #[error(transparent)]
    NoPop(#[from] NoPop),
    /// The server sends no messages, or no more of them, and none of them is to blame.
    #[error("the server refuses to send messages: {0}")]
    Refusing(Answer),
    /// The session failed.
    #[error(transparent)]
    Session(#[from] source::Error),
    /// The server has refused the access token, and there is no other to be had.
    #[error("{0}")]
    Renewal(secrets::Error),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] state::Error),
    /// What is stored cannot be handed on.
    #[error("{}", .0.what)]
    Unhanded(Unable),
    /// We were asked to stop.
    #[error("{0}")]
    Stopped(stop::Reason),
    /// The thread that stores messages ended in a way it should not.
    #[error("the thread that stores messages failed")]
    Thread,
}

fn none_imported(listed: u32, tool: &str, has_list: bool) -> String {
    match has_list {
        true => {
            format!("none of the {listed} messages of this mailbox is one that {tool} has fetched")
        }
        false => format!(
            "{tool} keeps no list of what it has fetched here, and nobody knows which of the {listed} messages of \
             this mailbox that is"
        ),
    }
}

impl Error {
    pub(super) fn cause(&self) -> Option<&dyn Diagnose> {
        Some(match self {
            Self::Connect(error) => error,
            Self::Advised { source, .. } => source.as_ref(),
            Self::Delivery(error) => error,
            Self::Session(error) => error,
            Self::Renewal(error) => error,
            Self::State(error) => error,
            Self::NoPop(error) => error,
            Self::Early { .. }
            | Self::NoThread(_)
            | Self::NotInStep
            | Self::KnownElsewhere { .. }
            | Self::NoneImported { .. }
            | Self::ImportsLost { .. }
            | Self::InParts(_)
            | Self::NeedsUtf8(_)
            | Self::NoMemory(_)
            | Self::NoRoom(_)
            | Self::Oversized(_)
            | Self::Refusing(_)
            | Self::Stopped(_)
            | Self::Thread
            | Self::Unhanded(_) => return None,
        })
    }

    /// The same, where it is about a message that the session knows by its number alone, with what
    /// `maildrop` lists of it.
    pub(super) fn about(self, maildrop: &Maildrop) -> Self {
        let known = |number: MessageNumber| {
            let mut numbers = maildrop.numbers().zip(0..);
            let (_, place) = numbers.find(|(other, _)| *other == number)?;
            let known = report::known(&listed(&maildrop.message(place)?));
            Some(known).filter(|known| !known.is_empty())
        };
        match self {
            Self::Session(error) => Self::Session(error.about(known)),
            other => other,
        }
    }

    /// Whether the server has refused an access token that another one may do better than.
    pub(super) fn refuses_token(&self) -> bool {
        matches!(self.session(), Some(error @ source::Error::SignIn { .. })
            if error.meaning() == Some(Meaning::Credentials))
    }

    /// Whether the server closed the connection at this point.
    pub(super) fn closed_on(&self, wanted: Phase) -> bool {
        matches!(self.lost(), Some((phase, net::Error::Closed, _)) if phase == wanted)
    }

    /// Whether the server took the sign-in for something else, so that trying it once more is no
    /// second try.
    pub(super) fn is_unjudged(&self) -> bool {
        matches!(self.session(), Some(source::Error::NotAhead))
    }

    /// Whether it happened with the server, rather than on the way to it.
    pub(super) fn is_the_servers_word(&self) -> bool {
        self.session().is_some()
    }

    /// Whether asking in another way would change nothing: we were stopped, or the server has said
    /// what is the matter.
    pub(super) fn is_explained(&self) -> bool {
        match self {
            // A refused listing is an answer, unless it may have been asked for too early.
            Self::Session(error @ source::Error::Refused { .. }) => {
                error.meaning() != Some(Meaning::Command)
            }
            Self::Session(source::Error::Net { source, .. }) => {
                matches!(source, net::Error::Stopped(_) | net::Error::Dripping(_))
            }
            Self::Session(source::Error::TooLarge(_)) => true,
            _ => false,
        }
    }

    /// Whether the listing was refused in words that are not known.
    pub(super) fn is_refused_without_reason(&self) -> bool {
        match self.session() {
            Some(source::Error::Refused { answer, .. }) => {
                Meaning::recognised(Phase::Listing, answer).is_none()
            }
            _ => false,
        }
    }

    /// Whether the message at hand may be what broke the connection, rather than other commands,
    /// the disk or the person: the server closed it, fell silent, or sends without end. One that
    /// drips does so over minutes, and as likely as not over all messages.
    pub(super) fn is_over_a_message(&self) -> bool {
        match self.lost() {
            Some((Phase::Message(_), source, UnderWay::One)) => {
                !matches!(source, net::Error::Stopped(_) | net::Error::Dripping(_))
            }
            _ => matches!(self, Self::Oversized(_)),
        }
    }

    /// Whether the server sends lines that say nothing, and the answers behind them.
    pub(super) fn is_over_idle_lines(&self) -> bool {
        matches!(self, Self::Session(error) if error.is_over_idle_lines())
    }

    /// Whether the server has closed the connection.
    pub(super) fn is_closed(&self) -> bool {
        matches!(
            self.lost(),
            Some((_, net::Error::Closed | net::Error::Io(_), _))
        )
    }

    /// Whether the connection was lost over the sign-in and what was sent with it.
    pub(super) fn broke_over_flight(&self) -> bool {
        matches!(
            self.lost(),
            Some((Phase::SignIn, _, UnderWay::Several { .. }))
        )
    }

    /// Whether the connection was lost while several commands were under way, and then whether what
    /// was waited for had begun to arrive. Not over a sign-in, which nobody makes twice.
    pub(super) fn broke_over_several(&self) -> Option<bool> {
        match self.lost()? {
            (Phase::SignIn, ..) => None,
            (_, source, UnderWay::Several { begun }) if is_closed_or_silent(source) => Some(begun),
            _ => None,
        }
    }

    /// Whether the connection was lost over headers or a step behind them.
    pub(super) fn broke_over_headers(&self) -> bool {
        matches!(
            self.lost(),
            Some((Phase::Header(_) | Phase::Step, source, _)) if is_closed_or_silent(source)
        )
    }

    /// What was being waited for when the connection was lost.
    pub(super) fn phase(&self) -> Option<Phase> {
        self.lost().map(|(phase, ..)| phase)
    }

    /// Whether it is the session's own refusal to send messages.
    pub(super) fn is_refusing(&self) -> bool {
        matches!(self, Self::Refusing(_))
    }

    /// Whether the server does not let us in for now.
    pub(super) fn is_turned_away(&self) -> bool {
        !self.is_refusing()
            && self.refusal().is_some_and(|kind| {
                !matches!(kind, RefusalKind::Credentials | RefusalKind::Permanent)
            })
    }

    /// Whether another session that begins with UTF8 would get further.
    pub(super) fn needs_utf8(&self) -> bool {
        match self {
            Self::NeedsUtf8(_) => true,
            Self::Session(source::Error::Refused { answer, .. }) => answer.asks_for_utf8(),
            _ => false,
        }
    }

    /// Whether the server would let us in if no other session held the maildrop.
    pub(super) fn is_in_use(&self) -> bool {
        self.meaning() == Some(Meaning::InUse)
    }

    /// What kind of refusal it is that the server is left alone for afterwards.
    pub(super) fn refusal(&self) -> Option<RefusalKind> {
        // Some servers close where others refuse (fact Q13).
        if self.closed_on(Phase::SignIn) {
            return Some(RefusalKind::Closed);
        }
        // Or the way in which it was asked did not suit it, which the next run finds out.
        if self.is_refused_without_reason() {
            return None;
        }
        Some(match self.meaning()? {
            Meaning::Limit => RefusalKind::Limit,
            Meaning::InUse => RefusalKind::InUse,
            _ if self.is_refusing() => RefusalKind::Withheld,
            Meaning::Credentials => RefusalKind::Credentials,
            Meaning::Permanent => RefusalKind::Permanent,
            Meaning::Command if matches!(self.session()?, source::Error::SignIn { .. }) => {
                RefusalKind::Credentials
            }
            Meaning::Passing => match self.session()? {
                error if error.is_known() => RefusalKind::Passing,
                _ => RefusalKind::Unexplained,
            },
            Meaning::Command | Meaning::Message | Meaning::Utf8 | Meaning::Disorder => return None,
        })
    }

    /// What the server's answer means, where it was one that ended a session.
    pub(super) fn meaning(&self) -> Option<Meaning> {
        if let Self::Refusing(answer) = self {
            return Meaning::recognised(Phase::Listing, answer).or(Some(Meaning::Passing));
        }
        self.session()?.meaning()
    }

    /// Seconds that the server is to be left alone for at least: what it asks for, or what it takes
    /// until a limit has moved on.
    pub(super) fn wanted_wait(&self) -> i64 {
        let answer = match self {
            Self::Refusing(answer) => Some(answer),
            _ => self.session().and_then(source::Error::answer),
        };
        let asked = answer.and_then(source::Answer::wanted_wait);
        let least = match self.meaning() {
            Some(Meaning::Limit) => LIMIT_WAIT,
            _ => Duration::ZERO,
        };
        let wait = asked.unwrap_or(least);
        i64::try_from(wait.as_secs()).unwrap_or(i64::MAX)
    }

    /// Whether the server turned us away and did not say why in a way that we know.
    pub(super) fn is_unexplained(&self) -> bool {
        // That it has enough, or that somebody else is in, is a reason.
        matches!(self.session(), Some(source::Error::Turned(answer)) if answer.code.is_none())
            && matches!(
                self.refusal(),
                Some(RefusalKind::Unexplained | RefusalKind::Passing)
            )
    }

    /// Since when it is known to last, where it is not this run that tells.
    pub(super) fn lasts_since(&self) -> Option<i64> {
        match self {
            Self::State(state::Error::HeldLong { holder, .. }) => Some(holder.since),
            _ => None,
        }
    }

    fn lost(&self) -> Option<(Phase, &net::Error, UnderWay)> {
        self.session()?.lost()
    }

    fn session(&self) -> Option<&source::Error> {
        match self {
            Self::Advised { source, .. } => Some(source),
            Self::Session(source) => Some(source),
            _ => None,
        }
    }

    /// Whether they did so where messages arrive.
    pub(super) fn is_disorder_among_messages(&self) -> bool {
        match self {
            Self::Session(source::Error::Violation { phase, .. }) => {
                matches!(phase, Phase::Message(_) | Phase::Step)
            }
            Self::NotInStep => true,
            _ => false,
        }
    }

    /// Whether replies and commands got out of step.
    pub(super) fn is_disorder(&self) -> bool {
        match self {
            Self::Session(source::Error::Violation { phase, .. }) => {
                matches!(
                    phase,
                    Phase::Listing
                        | Phase::Message(_)
                        | Phase::Header(_)
                        | Phase::Step
                        | Phase::Deleting(_)
                )
            }
            Self::NotInStep => true,
            _ => false,
        }
    }
}

fn is_closed_or_silent(source: &net::Error) -> bool {
    matches!(
        source,
        net::Error::Closed | net::Error::Io(_) | net::Error::TimedOut(_) | net::Error::TooSlow(_)
    )
}
