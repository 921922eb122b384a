//! What can go wrong in a session, and in which state it did.

mod words;

use super::answer::{Answer, Meaning};
use super::detour::Detour;
use super::method::Method;
use super::phase::Phase;
use super::upgrade::Upgrade;
use crate::exit::{Diagnose, Status};
use crate::imap;
use crate::maildrop::{MessageNumber, TooLarge};
use crate::net::{self, speech::Speech};
use crate::pop3;
use crate::sasl;
use words::{advice, in_brackets, other_way, refusal};

/// What was under way when a connection failed: a server that announces PIPELINING and cannot do it
/// closes, or falls silent, where it has got several commands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UnderWay {
    /// The command that was waited for, if any.
    One,
    /// Others went out before its reply, or it went out before theirs.
    Several {
        /// What was waited for had begun to arrive.
        begun: bool,
    },
}

/// How a server broke its protocol.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Violation {
    /// POP3.
    #[error(transparent)]
    Pop(#[from] pop3::Violation),
    /// IMAP.
    #[error(transparent)]
    Imap(#[from] imap::Violation),
}

/// Why something cannot be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unsendable {
    /// By POP3.
    #[error(transparent)]
    Pop(#[from] pop3::command::Unsendable),
    /// By IMAP.
    #[error(transparent)]
    Imap(#[from] imap::Unsendable),
}

/// Why a session ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection failed.
    #[error("{} while {phase}{}", .source, in_brackets(.message))]
    Net {
        /// What the session was about.
        phase: Phase,
        /// How it failed.
        source: net::Error,
        /// What it failed over.
        under_way: UnderWay,
        /// The message that the phase is about, where more is known of it than its number.
        message: Option<Box<str>>,
    },
    /// The server broke the protocol.
    #[error("{violation}{}{}", while_about(*phase, violation), in_brackets(.message))]
    Violation {
        /// What the session was about.
        phase: Phase,
        /// How it broke it.
        violation: Violation,
        /// As above.
        message: Option<Box<str>>,
    },
    /// The server goes on asking after the mechanism was cancelled.
    #[error("the server sent one challenge after the other while signing in")]
    Challenges,
    /// No greeting in clear, where TLS was to follow.
    #[error("no answer for {0} seconds while waiting for the server's greeting")]
    Silent(u64, Upgrade),
    /// The server announces no way to TLS by this command. Nothing but the question was sent.
    #[error("the server offers no {0}, which `tls = \"starttls\"` asks for")]
    NoStartTls(Upgrade),
    /// The server takes us for somebody in clear already, and for that no STARTTLS any more (RFC 3501
    /// section 6.2.1).
    #[error(
        "the server greets us in clear as somebody it knows (PREAUTH), and STARTTLS is past then"
    )]
    KnownInClear,
    /// It was refused. No credentials were sent.
    #[error("the server refused {command}: {answer}")]
    StartTlsRefused {
        /// By which command.
        command: Upgrade,
        /// What it said.
        answer: Answer,
    },
    /// The greeting was -ERR.
    #[error("the server turned us away: {0}")]
    Turned(Answer),
    /// The server has ended the session by itself, and said so.
    #[error("the server ended the session while {phase}: {answer}")]
    Ended {
        /// What the session was about.
        phase: Phase,
        /// What it said.
        answer: Answer,
        /// What it ended it over.
        under_way: UnderWay,
    },
    /// The sign-in was refused.
    #[error("{}: {answer}", refusal(.method, .token_status.as_deref()))]
    SignIn {
        /// How it was tried.
        method: Method,
        /// What it said.
        answer: Answer,
        /// It announces AUTH-RESP-CODE, so wrong credentials would have been told by `[AUTH]`
        /// (RFC 3206 section 6).
        would_say_auth: bool,
        /// The `status` that it gives for refusing a token (RFC 7628 section 3.2.2).
        token_status: Option<String>,
        /// What it has said by the mechanism's own means.
        judged: Option<Meaning>,
    },
    /// The server has refused the way to sign in, judged no password, and closed the connection: a
    /// new one is needed for another way.
    #[error("{source}")]
    Detour {
        /// The other way.
        detour: Detour,
        /// The refusal.
        source: Box<Error>,
    },
    /// User name or password is beyond ASCII, and the server takes neither SASL PLAIN nor UTF8.
    #[error("the {what} is not in ASCII, and the server takes nothing else: it has no UTF8")]
    BeyondAscii {
        /// Which one.
        what: &'static str,
    },
    /// The exchange broke the mechanism's rules, or was not over when the server let us in.
    #[error("{source} (signing in with {mechanism})")]
    Sasl {
        /// The mechanism's name.
        mechanism: &'static str,
        /// What is wrong.
        source: sasl::Error,
    },
    /// The server no longer takes the sign-in and the listings in one flight. What it has had of
    /// the credentials it has not judged.
    #[error("the server does not take the sign-in and the listings at once")]
    NotAhead,
    /// The server takes no password, and offers no other way that there is.
    #[error("the server takes no password on this connection (LOGINDISABLED)")]
    NoPasswords,
    /// APOP without a timestamp.
    #[error("the server's greeting has no timestamp, which APOP needs")]
    NoTimestamp,
    /// The server announces no way to sign in with a token, and nothing else must be tried with one.
    #[error("the server offers no way to sign in with an access token")]
    NoMethod,
    /// There is no folder of those that the account names.
    #[error("the server has no folder that `folders` names: {words}")]
    NoFolder {
        /// What the account names.
        words: String,
        /// Some of those that there are; hostile.
        there: String,
        /// The one of them that is most likely meant.
        near: Option<Box<str>>,
    },
    /// Of the folders that the account names each is left out as well.
    #[error("`exclude` leaves out every folder that `folders` names, and nothing is left to fetch")]
    NoFolderLeft,
    /// A command that must work was refused.
    #[error("the server refused {command}: {answer}")]
    Refused {
        /// The command.
        command: &'static str,
        /// What it said.
        answer: Answer,
    },
    /// The unique-id listing is empty, or makes no sense, although there are messages, and those of
    /// this server have unique-ids. What is known under them would be fetched again.
    #[error("the server lists messages, but no unique-ids of them")]
    NoUniqueIds,
    /// User name or password cannot be sent.
    #[error("the {what} cannot be sent: {source}")]
    Unsendable {
        /// Which one.
        what: &'static str,
        /// Why.
        source: Unsendable,
    },
    /// The maildrop is too large.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// What the session was about, where what the server sent does not say so.
fn while_about(phase: Phase, violation: &Violation) -> String {
    match violation {
        Violation::Imap(imap::Violation::NoGreeting(_)) => String::new(),
        _ => format!(" while {phase}"),
    }
}

impl Error {
    /// The server broke the protocol while the session was about this.
    pub(super) fn violation(phase: Phase, violation: impl Into<Violation>) -> Self {
        Self::Violation {
            phase,
            violation: violation.into(),
            message: None,
        }
    }

    /// Whether the server sends lines that say nothing, and the answers behind them.
    pub fn is_over_idle_lines(&self) -> bool {
        matches!(
            self,
            Self::Violation {
                violation: Violation::Pop(pop3::Violation::Idle),
                ..
            }
        )
    }

    /// What the server's answer means, where it was one that ended the session.
    pub fn meaning(&self) -> Option<Meaning> {
        Some(match self {
            Self::Turned(answer) => Meaning::of(Phase::Greeting, answer),
            Self::Ended { .. } if self.ends_over_a_message() => return None,
            // Whoever was let in and has got what there was is not refused by an end of which no reason
            // is known: a server that is restarted, say.
            Self::Ended { phase, answer, .. } if phase.is_of_mailbox() => {
                return Meaning::recognised(Phase::Greeting, answer);
            }
            Self::Ended { answer, .. } => Meaning::of(Phase::Greeting, answer),
            Self::Refused { answer, .. } => Meaning::of(Phase::Listing, answer),
            Self::Detour { source, .. } => return source.meaning(),
            Self::SignIn {
                judged: Some(meaning),
                ..
            } => *meaning,
            Self::SignIn {
                token_status: Some(_),
                ..
            } => Meaning::Credentials,
            Self::SignIn {
                answer,
                would_say_auth,
                ..
            } => Meaning::of_sign_in(answer, *would_say_auth),
            Self::Violation { .. } => Meaning::Disorder,
            _ => return None,
        })
    }

    /// Whether the server's code or words are known, rather than taken for the most likely.
    pub fn is_known(&self) -> bool {
        let phase = match self {
            Self::Turned(_) | Self::Ended { .. } => Phase::Greeting,
            Self::Refused { .. } => Phase::Listing,
            _ => Phase::SignIn,
        };
        self.answer()
            .is_some_and(|answer| Meaning::recognised(phase, answer).is_some())
    }

    /// The same, with what is known of the message that it is about: a number is the server's for this
    /// session alone.
    pub fn about(mut self, known: impl Fn(MessageNumber) -> Option<String>) -> Self {
        if let Self::Net { phase, message, .. } | Self::Violation { phase, message, .. } = &mut self
            && let Phase::Message(number) | Phase::Header(number) | Phase::Deleting(number) = phase
            && message.is_none()
        {
            *message = known(*number).map(Into::into);
        }
        self
    }

    /// The answer itself.
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Turned(answer)
            | Self::Ended { answer, .. }
            | Self::Refused { answer, .. }
            | Self::SignIn { answer, .. } => Some(answer),
            Self::Detour { source, .. } => source.answer(),
            _ => None,
        }
    }

    /// Whether the server ends the session over a message or its header, as others close there without a word (fact
    /// F20), and says nothing of itself or of us that would end any session.
    fn ends_over_a_message(&self) -> bool {
        matches!(
            self,
            Self::Ended { phase: phase @ (Phase::Message(_) | Phase::Header(_)), answer, .. }
                if !Meaning::recognised(*phase, answer).is_some_and(Meaning::is_the_sessions)
        )
    }

    /// Where the connection was lost, how, and what was under way.
    pub fn lost(&self) -> Option<(Phase, &net::Error, UnderWay)> {
        match self {
            Self::Net {
                phase,
                source,
                under_way,
                ..
            } => Some((*phase, source, *under_way)),
            Self::Ended {
                phase, under_way, ..
            } if self.ends_over_a_message() => Some((*phase, &net::Error::Closed, *under_way)),
            _ => None,
        }
    }

    /// Whether the server has closed the connection.
    pub(super) fn is_closed(&self) -> bool {
        matches!(
            self,
            Self::Net {
                source: net::Error::Closed | net::Error::Io(_),
                ..
            }
        )
    }
}

impl Diagnose for Error {
    fn status(&self) -> Status {
        match self {
            Self::Net { source, .. } => source.status(),
            Self::Detour { source, .. } => source.status(),
            Self::Violation { .. } | Self::Challenges | Self::NotAhead | Self::TooLarge(_) => {
                Status::Protocol
            }
            Self::NoStartTls(_) | Self::KnownInClear | Self::StartTlsRefused { .. } => {
                Status::Unavailable
            }
            Self::Silent(..) | Self::NoUniqueIds => Status::Temporary,
            // A command that works everywhere else is refused for now.
            Self::Refused { .. } if self.meaning() == Some(Meaning::Command) => Status::Temporary,
            Self::Turned(_) | Self::Ended { .. } | Self::Refused { .. } | Self::SignIn { .. } => {
                self.meaning().map_or(Status::Temporary, Meaning::status)
            }
            Self::Sasl { source, .. } => match source {
                sasl::Error::Unbindable => Status::Unavailable,
                _ => Status::Protocol,
            },
            Self::NoMethod | Self::NoPasswords | Self::NoTimestamp => Status::Unavailable,
            Self::Unsendable { .. }
            | Self::BeyondAscii { .. }
            | Self::NoFolder { .. }
            | Self::NoFolderLeft => Status::Config,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Net { source, .. } => return source.hint(),
            Self::Detour { source, .. } => return source.hint(),
            Self::Silent(_, upgrade) => {
                return Some(format!(
                    "if the server expects TLS from the first octet, as on port {}, set tls = \
                     \"implicit\"; otherwise the next run tries again",
                    upgrade.implicit_port()
                ));
            }
            Self::NoStartTls(upgrade)
            | Self::StartTlsRefused {
                command: upgrade, ..
            } => return Some(upgrade.hint()),
            Self::KnownInClear => return Some(Upgrade::StartTls.hint()),
            Self::Violation {
                phase: Phase::Greeting,
                violation: Violation::Pop(pop3::Violation::NoStatus(line)),
                ..
            } if let Some(speech) = Speech::of(line) => {
                return Some(format!("this is {}: {}", speech.speaker(), speech.way_on()));
            }
            Self::Violation {
                phase: Phase::Greeting,
                violation: Violation::Imap(imap::Violation::NoGreeting(line)),
                ..
            } if let Some(speech) = Speech::of(line) => {
                let (speaker, way_on) = (speech.speaker(), speech.way_on());
                return Some(format!(
                    "this is {speaker}, and `protocol` says \"imap\": {way_on}"
                ));
            }
            Self::Violation {
                phase: Phase::Greeting | Phase::StartTls | Phase::Capabilities,
                violation: Violation::Imap(_),
                ..
            } => {
                "is this an IMAP server? Check the host and the port, or run with -vv to see what it \
                 says; nothing was deleted"
            }
            Self::Violation {
                phase: Phase::Greeting | Phase::StartTls | Phase::Capabilities,
                ..
            } => {
                "is this a POP3 server? Check the host and the port, or run with -vv to see what it \
                 says; nothing was deleted"
            }
            Self::Violation {
                phase: Phase::Quit, ..
            } => "the next run sees what became of it; run with -vv to see what the server says",
            Self::Violation { .. } | Self::Challenges => {
                "run with -vv to see what the server says; this session has deleted nothing"
            }
            Self::Sasl { source, .. } => match source {
                sasl::Error::Unbindable => {
                    "it needs TLS 1.3; without \"-plus\" in `auth` it is done where both sides can"
                }
                sasl::Error::Signature
                | sasl::Error::Unfinished
                | sasl::Error::Mismatch
                | sasl::Error::Downgraded => {
                    "do not go on before you know what is between you and the server"
                }
                _ => "run with -vv to see what the server says; nothing was deleted",
            },
            Self::SignIn { .. } | Self::Turned(_) | Self::Ended { .. } | Self::Refused { .. } => {
                match self.meaning() {
                    Some(Meaning::Credentials) => match self {
                        Self::SignIn { method, .. } => return Some(advice(*method)),
                        _ => "ask the provider",
                    },
                    Some(Meaning::Command) => match self {
                        Self::SignIn { method, .. } => return Some(other_way(*method)),
                        _ => "try later; nothing was deleted",
                    },
                    Some(Meaning::InUse) => "another program is reading this mailbox; try later",
                    Some(Meaning::Limit) => "it was asked too often, or for too much; try later",
                    Some(Meaning::Permanent) if self.answer().is_some_and(Answer::wants_tls) => {
                        "this says nothing about the password: set tls = \"implicit\" or \"starttls\"; \
                         if it is so already, ask the provider"
                    }
                    Some(Meaning::Permanent) => "ask the provider",
                    Some(_) if self.is_known() => {
                        "this will pass, and has nothing to do with the password; try later"
                    }
                    _ => "try later",
                }
            }
            Self::NotAhead => "the next run asks the server again what it can",
            Self::NoMethod => {
                "check `host`; a server without OAuth 2.0 wants a password, and then the account has \
                 one in the place of its table `oauth`"
            }
            Self::NoPasswords => {
                "with -vv you see what it offers instead; `tls` must not be \"none\" for most servers, \
                 and some want an access token (`oauth`)"
            }
            Self::NoTimestamp => {
                "leave `auth` out: then the best method that the server has is taken"
            }
            Self::NoUniqueIds => "try later; nothing was deleted",
            Self::NoFolder { there, near, .. } => {
                return Some(match near {
                    Some(near) => format!("did you mean `{near}`? It has these: {there}"),
                    None => format!("it has these: {there}"),
                });
            }
            Self::NoFolderLeft => "take out of `exclude` what is to be fetched",
            Self::TooLarge(_) => {
                "no mailbox has so many; is it the right server? Run with -vv to see what it says"
            }
            Self::Unsendable {
                source: Unsendable::Imap(_),
                ..
            } => "ask the provider for another way to sign in, or see `auth` (--auth)",
            Self::Unsendable { .. } => {
                "POP3 takes a line of 255 octets; ask the provider for another way to sign in, or see \
                 `auth` in the manual of the config file"
            }
            Self::BeyondAscii { .. } => {
                "set a password of ASCII characters, or ask the provider for such a user name"
            }
        };
        Some(hint.to_owned())
    }
}
