//! What to try next when a session has not gone well: each way once in a run, but for those that
//! have brought something.
//!
//! Trouble is the session's, and a message is left out only where a session broke over it that had
//! nothing else to do first; and it is to blame only once others came without it.

use super::Error;
use super::broken::{Broken, Over};
use super::endings::Care;
use super::key::Key;
use super::reach::Manner;
use crate::maildrop::Message;
use crate::source::{Given, Phase};
use crate::state::{FailureKind, Store};
use std::collections::HashSet;

/// Sessions in a run: with a server that lists a maildrop in parts these bring some 15,000
/// messages at Gmail. What is left is for the next run.
const MOST_SESSIONS: u32 = 50;

/// A server that was left in the middle of a session may hold the maildrop for that session until it
/// notices, although it was given time for that. It is asked again so often.
const MOMENTS: u32 = 2;

/// After so many sessions in a row that broke before anything came, it is the server.
const BROKEN_IN_A_ROW: usize = 3;

/// Messages behind which the server was not in step, and that are left out and fetched alone.
const MOST_DOUBTFUL: usize = 8;

/// What to try next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Next {
    /// Another session as this one, which has brought something.
    GoOn,
    /// One command at a time.
    OneAtATime,
    /// One at a time, and the server must show that it is in step behind each message.
    InStep,
    /// One at a time and in step, past the lines between the answers that say nothing.
    PastIdleLines,
    /// Sign in before anything else is asked.
    SignInFirst,
    /// As before, with a look behind each message.
    WithALook,
    /// Without this message.
    Without(Message),
    /// Without this one, which is fetched alone once the others have come.
    Alone(Message),
    /// With fewer headers to look at.
    FewerHeaders,
    /// Without the header of this message for rules, or without any.
    WithoutHeaders(Option<Message>),
    /// Without CAPA.
    WithoutCapabilities,
    /// With UTF8.
    WithUtf8,
    /// The same once more, a moment later.
    AfterAMoment,
    /// Nothing more in this run.
    GiveUp,
}

/// What a session has brought.
#[derive(Clone, Copy, Default)]
pub(super) struct Brought {
    /// Messages to be stored.
    pub(super) arrived: u64,
    pub(super) given: Given,
}

/// The way through a run's sessions.
pub(super) struct Course {
    pub(super) manner: Manner,
    pub(super) care: Care,
    sessions: u32,
    moments: u32,
    /// Sessions broke over these, and nothing has come since that would clear the server.
    suspects: Vec<Message>,
    doubtful: usize,
    /// Pipelining may be to blame for the end of a session that had got so far, which the next one
    /// shows.
    suspects_pipelining: Option<(Phase, Given)>,
}

impl Course {
    pub(super) fn new(manner: Manner) -> Self {
        Self {
            manner,
            care: Care::Usual,
            sessions: 1,
            moments: 0,
            suspects: Vec::new(),
            doubtful: 0,
            suspects_pipelining: None,
        }
    }

    /// Another part of the maildrop, or of what the server gives in a session.
    pub(super) fn may_go_on(&mut self) -> bool {
        self.sessions += 1;
        self.sessions <= MOST_SESSIONS
    }

    pub(super) fn is_first(&self) -> bool {
        self.sessions == 1
    }

    /// A session is over that has brought this: whether that shows pipelining to be to blame for the end
    /// of the one before.
    ///
    /// It is not where the server may have had enough: of messages, octets or commands, whichever way
    /// they are asked for.
    pub(super) fn learn(&mut self, brought: &Brought, is_well: bool, store: &mut Store) -> bool {
        if brought.arrived > 0 {
            for message in self.suspects.drain(..) {
                store.failed(&message, FailureKind::Dropped);
            }
        }
        // What broke in any other manner as well was not broken by this one.
        let broken = self.suspects_pipelining.take().filter(|_| is_well);
        let shown = broken.is_some_and(|(phase, earlier)| brought.given.is_past(&earlier, phase));
        if shown {
            store.failed_pipelining();
        }
        shown
    }

    /// What to try after a session that has brought this and broken off.
    pub(super) fn after(
        &mut self,
        broken: &Broken,
        brought: &Brought,
        passed: &mut HashSet<Key>,
        store: &mut Store,
    ) -> Next {
        let is_idle = !self.manner.lenient && broken.error.is_over_idle_lines();
        let next = match &*broken.over {
            // Once in a run, so that it is none of those that bring something.
            _ if is_idle => Next::PastIdleLines,
            Over::Message(message) => {
                self.after_break(message, &broken.error, brought.arrived, passed, store)
            }
            Over::End { message, .. } if self.can_do_without(message, passed) => {
                self.doubtful += 1;
                Next::Alone(message.clone())
            }
            Over::End { .. } => Next::GiveUp,
            Over::Flight => Next::SignInFirst,
            Over::Headers(message) if self.may_go_on() => Next::WithoutHeaders(message.clone()),
            Over::Headers(_) => Next::GiveUp,
            Over::Step => {
                store.failed_pipelining();
                Next::InStep
            }
            Over::Itself => self.after_error(&broken.error, brought),
        };
        match &next {
            Next::OneAtATime => self.go_plainly(),
            Next::InStep => {
                self.go_plainly();
                self.care = Care::EachMessage;
            }
            Next::PastIdleLines => self.go_past_idle_lines(),
            Next::SignInFirst => (self.manner.ahead, self.manner.shortcut) = (false, None),
            Next::WithALook => self.care = Care::EachMessage,
            Next::Without(message) => {
                passed.insert(Key::of(message));
            }
            Next::Alone(message) => {
                passed.insert(Key::of(message));
                self.go_plainly();
                self.care = Care::EachMessage;
            }
            Next::WithoutCapabilities => self.manner.capabilities = false,
            Next::WithUtf8 => self.manner.utf8 = true,
            Next::AfterAMoment => self.moments -= 1,
            Next::WithoutHeaders(None) => self.go_plainly(),
            Next::GoOn | Next::FewerHeaders | Next::WithoutHeaders(_) | Next::GiveUp => {}
        }
        let begins_anew = [Next::AfterAMoment, Next::GiveUp].contains(&next);
        if !begins_anew {
            self.moments = MOMENTS;
        }
        next
    }

    fn after_error(&mut self, error: &Error, brought: &Brought) -> Next {
        let (manner, arrived) = (self.manner, brought.arrived);
        match error {
            _ if self.moments > 0 && error.is_in_use() => Next::AfterAMoment,
            _ if manner.capabilities && error.closed_on(Phase::Capabilities) => {
                Next::WithoutCapabilities
            }
            // In the midst of a message, behind others, it is the line as likely as not.
            _ if arrived > 0 && error.broke_over_several() == Some(true) && self.may_go_on() => {
                Next::GoOn
            }
            _ if manner.pipelining && error.broke_over_several().is_some() => {
                let phase = error
                    .phase()
                    .filter(|_| error.broke_over_several() == Some(false));
                self.suspects_pipelining = phase.map(|phase| (phase, brought.given));
                Next::OneAtATime
            }
            _ if arrived == 0 && error.broke_over_headers() && self.may_go_on() => {
                Next::FewerHeaders
            }
            // A message before may be to blame, which shows once each of them is looked behind.
            _ if self.care == Care::Usual && error.is_disorder_among_messages() => Next::WithALook,
            _ if !manner.utf8 && error.needs_utf8() => Next::WithUtf8,
            Error::Refusing(_) if arrived > 0 && self.may_go_on() => Next::GoOn,
            _ => Next::GiveUp,
        }
    }

    /// The connection broke over a message, with nothing else under way.
    fn after_break(
        &mut self,
        message: &Message,
        error: &Error,
        arrived: u64,
        passed: &mut HashSet<Key>,
        store: &mut Store,
    ) -> Next {
        let kind = FailureKind::Dropped;
        let is_known = store.has_failed(message);
        let is_its_own = matches!(error, Error::Oversized(_));
        let closed = error.is_closed();
        if closed && arrived > 0 && !is_known && self.may_go_on() {
            // It may have had enough of us, rather than of this message.
            return Next::GoOn;
        }
        // Silence behind others that came is about this one, as far as anything shows it.
        if is_known || is_its_own || (arrived > 0 && !closed) {
            store.failed(message, kind);
        } else {
            store.suspect(message, kind);
            self.suspects.push(message.clone());
        }
        // Of one without identity nothing is remembered, and the next run would stop at it again.
        let is_nameless = !Key::of(message).is_lasting();
        let may_go_on =
            (closed || is_its_own || is_nameless) && self.suspects.len() < BROKEN_IN_A_ROW;
        match may_go_on && !passed.contains(&Key::of(message)) && self.may_go_on() {
            true => Next::Without(message.clone()),
            false => Next::GiveUp,
        }
    }

    fn can_do_without(&self, message: &Message, passed: &HashSet<Key>) -> bool {
        let key = Key::of(message);
        key.is_lasting() && self.doubtful < MOST_DOUBTFUL && !passed.contains(&key)
    }

    /// What such a line is must show of itself, so that nothing else may be under way.
    pub(super) fn go_past_idle_lines(&mut self) {
        self.go_plainly();
        self.manner.lenient = true;
        self.care = Care::EachMessage;
    }

    fn go_plainly(&mut self) {
        self.manner.pipelining = false;
        (self.manner.ahead, self.manner.shortcut) = (false, None);
    }
}
