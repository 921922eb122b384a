//! What an account's fetch that has ended early comes to, and what a person can do about it.

use super::Error;
use crate::exit::at_hand::{either, takes};
use crate::exit::{Diagnose, Status};
use crate::source::{self, Meaning};
use crate::state::{RefusalKind, Why};

impl Diagnose for Error {
    fn status(&self) -> Status {
        match self {
            Self::Early { early, .. } => match early.why {
                Why::Refused(RefusalKind::Credentials, _) => Status::NoPermission,
                Why::Refused(RefusalKind::Permanent, _) => Status::Unavailable,
                Why::Refused(..) | Why::LoginDelay(_) => Status::Temporary,
            },
            Self::NeedsUtf8(_) | Self::Oversized(_) | Self::NotInStep => Status::Protocol,
            Self::Refusing(_) => Status::Temporary,
            Self::KnownElsewhere { .. }
            | Self::NoneImported { .. }
            | Self::ImportsLost { .. }
            | Self::InParts(_)
            | Self::NoMemory(_) => Status::Config,
            Self::NoRoom(_) => Status::Io,
            Self::Unhanded(unable) => unable.status,
            Self::NoThread(_) => Status::Temporary,
            Self::Stopped(reason) => reason.status(),
            other => other.cause().map_or(Status::Internal, Diagnose::status),
        }
    }

    fn is_routine(&self) -> bool {
        // What is waited for was told when it began.
        matches!(self, Self::Early { .. }) || self.cause().is_some_and(Diagnose::is_routine)
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Advised { hint, .. } => Some(hint.clone()),
            Self::Early { early, login } => Some(match (early.why, login) {
                (Why::Refused(RefusalKind::Credentials, _), Some(word)) => format!(
                    "a new sign-in is tried at once: popfetch login {word}; {}",
                    at_once("try with the one that there is")
                ),
                (Why::Refused(RefusalKind::Credentials, _), None) => format!(
                    "a changed password is tried at once, as a rule; {}",
                    at_once("try the same one again")
                ),
                _ => at_once("try at once"),
            }),
            Self::NoThread(_) => Some(format!(
                "raise the limit of processes (ulimit -u), or end some of yours{}",
                either(
                    "jobs",
                    "; where there are several accounts, --jobs 1 takes one at a time",
                    ""
                )
            )),
            Self::NotInStep => Some(
                "the next run fetches what is missing; run with -vv to see what the server sends"
                    .to_owned(),
            ),
            Self::NoMemory("latest") => {
                Some("leave `latest` out; `max-size` and `keep` work with this server".to_owned())
            }
            Self::NoMemory(_) => Some(
                "fetch what is there once; it is recognised by its content from then on".to_owned(),
            ),
            Self::InParts(_) => Some(
                "leave it out; Gmail has a setting of its own for that: Forwarding and POP/IMAP, \
                 \"Enable POP for mail that arrives from now on\""
                    .to_owned(),
            ),
            Self::Unhanded(unable) => Some(unable.hint.clone()),
            Self::NoRoom(_) => Some(
                "make room on the disk, raise the limit (ulimit -f) where there is one, or set \
                 `max-size`; what was not fetched is still on the server"
                    .to_owned(),
            ),
            Self::Refusing(_) => Some(
                match self.meaning() {
                    Some(Meaning::Limit) => {
                        "it sends only so much in a certain time; the next run goes on, and \
                         popfetch --now tries at once"
                    }
                    _ => "what is missing stays on the server; the next run asks again",
                }
                .to_owned(),
            ),
            // What went on under way may be what it cannot do.
            other if other.broke_over_several().is_some() => Some(
                "if this goes on, set pipelining = \"off\" in the account's profile; the next run \
                 takes up where this one ended"
                    .to_owned(),
            ),
            Self::KnownElsewhere {
                other, name, again, ..
            } => Some(format!(
                "if it is the same mailbox, `popfetch state move {} {name}` brings over what was \
                 fetched; if it is another one, `popfetch fetch --as-new {again}` fetches it as a \
                 mailbox of its own",
                crate::term::quoted(other)
            )),
            Self::NoneImported {
                tool,
                config,
                again,
                word,
                has_list,
                ..
            } => Some(format!(
                "{}`popfetch state mark-seen {word}` takes all that is there for fetched; `popfetch fetch --as-new {again}` takes it for new",
                match has_list {
                    true => format!(
                        "`popfetch import {tool}{config} --seen FILE`, with the file where {tool} kept this \
                         account's unique-ids, or the directory where it kept one for each folder, brings them \
                         over; "
                    ),
                    false => String::new(),
                }
            )),
            Self::ImportsLost {
                tools,
                have_lists,
                config,
                again,
                ..
            } => {
                let commands = tools.iter();
                let commands = commands.map(|tool| format!("`popfetch import {tool}{config}`"));
                let commands: Vec<String> = commands.collect();
                let (bring, it) = match tools.as_slice() {
                    [tool] => ("brings", tool.as_str()),
                    _ => ("bring", "each"),
                };
                let file = match have_lists {
                    true => format!(", with the file where {it} kept this account's unique-ids"),
                    false => String::new(),
                };
                Some(format!(
                    "{} {bring} it over again{file}; `popfetch fetch --as-new {again}` fetches all that is not known",
                    commands.join(" and ")
                ))
            }
            Self::Oversized(_) => Some(
                "if it is meant to be so large, set `max-size` to more than its size".to_owned(),
            ),
            other => other.cause().and_then(Diagnose::hint),
        }
    }
}

/// What has a server asked that is left alone for a while.
fn at_once(what: &str) -> String {
    match takes("now") {
        true => format!("add --now to {what}"),
        false => format!("to {what}: popfetch --now"),
    }
}

impl Error {
    /// What counts as the same failure, in a word.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Connect(_) | Self::NoPop(_) => "connect",
            Self::Delivery(_) | Self::NoRoom(_) => "maildir",
            Self::State(_) => "state",
            Self::NotInStep | Self::Refusing(_) => "session",
            Self::KnownElsewhere { .. }
            | Self::NoneImported { .. }
            | Self::ImportsLost { .. }
            | Self::InParts(_)
            | Self::NoMemory(_) => "state",
            Self::NeedsUtf8(_) | Self::Oversized(_) => "message",
            Self::Unhanded(_) => "deliver",
            Self::Renewal(_) => "password",
            Self::Early { .. } | Self::NoThread(_) | Self::Stopped(_) | Self::Thread => "run",
            Self::Advised { .. } => "sign-in",
            Self::Session(source) => match source {
                source::Error::Net { .. } => "line",
                source::Error::Turned(_) => "greeting",
                source::Error::SignIn { .. } => "sign-in",
                _ => "session",
            },
        }
    }
}
