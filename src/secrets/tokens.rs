//! Access tokens for accounts that sign in by OAuth 2.0: got before any work begins, and renewed
//! once when the server refuses one.

use super::error::{Helper, SecretError};
use super::helper;
use super::logins::{self, LoginError, LoginLock};
use super::password::Password;
use super::{OAuth, Store, Wanted};
use crate::exit::{Diagnose, Status};
use crate::moment::Moment;
use crate::oauth::{self, Client, Grant, Line, MARGIN};
use crate::server::Server;
use crate::stop::Stop;
use std::borrow::Cow;
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often someone who waits for a token looks whether to stop.
const POLL: Duration = Duration::from_millis(100);

/// How long another process is waited for that renews the same sign-in: longer than a provider is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where an account's tokens come from, and the one that it has.
pub struct Login {
    account: String,
    source: Source,
    /// What changes when a person signs in anew, and not with each token.
    identity: String,
    held: Mutex<Held>,
}

struct Held {
    token: Password,
    renewed: bool,
}

enum Source {
    Command(Vec<String>),
    Kept(Box<Kept>),
}

/// A sign-in, where it is kept, and who is asked for what it is worth.
struct Kept {
    account: String,
    server: Server,
    client: Client,
    line: Line,
    store: Store,
    grant: Mutex<Grant>,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No password, or no token from a program.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// No sign-in is kept, or it cannot be read or written.
    #[error("{source}")]
    Login {
        /// Whose.
        account: String,
        /// Why.
        source: LoginError,
    },
    /// Whoever gives tokens gave none.
    #[error("{source}")]
    OAuth {
        /// To whom.
        account: String,
        /// Why.
        source: oauth::Error,
    },
    /// Nothing tells when to stop.
    #[error("this cannot be stopped by a signal")]
    Stop(#[source] io::Error),
}

impl Diagnose for Error {
    fn status(&self) -> Status {
        match self {
            Self::Secret(error) => error.status(),
            Self::Login { source, .. } => source.status(),
            Self::OAuth { source, .. } => source.status(),
            Self::Stop(_) => Status::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Login {
                account,
                source: LoginError::Missing | LoginError::Damaged,
            } => Some(format!("run: popfetch login {account}")),
            Self::OAuth { account, source } if source.is_over() => Some(format!(
                "the sign-in was withdrawn or has expired; run: popfetch login {account}"
            )),
            Self::OAuth { account, source } if source.wants_person() => Some(format!(
                "the provider wants somebody to sign in again; run: popfetch login {account}"
            )),
            Self::Secret(error) => error.hint(),
            Self::Login { source, .. } => source.hint(),
            Self::OAuth { source, .. } => source.hint(),
            Self::Stop(_) => None,
        }
    }
}

impl Login {
    /// A token that is good for a while. The token endpoint is asked only where the one that is
    /// kept is not.
    pub fn obtain(
        wanted: Wanted<'_>,
        oauth: &OAuth,
        interactive: bool,
        stop: Option<&Stop>,
    ) -> Result<Self, Error> {
        let (source, identity, token) = match oauth {
            OAuth::Command(argv) => {
                let token = helper::run(Helper::Token, argv, interactive, stop)?;
                let identity = token.reveal().to_owned();
                (Source::Command(argv.clone()), identity, token)
            }
            OAuth::Login { client, store } => {
                let grant = logins::load(wanted.server, *store, interactive);
                let grant = grant.map_err(|source| Error::Login {
                    account: wanted.word.clone(),
                    source,
                })?;
                let identity = format!("{} {}", client.id, grant.login);
                let good = grant.expires.saturating_sub(MARGIN) > Moment::now().now;
                let token = Password::new(grant.access_token.to_string());
                let source = Source::Kept(Box::new(Kept {
                    account: wanted.word.clone(),
                    server: wanted.server.clone(),
                    client: (**client).clone(),
                    line: wanted.line,
                    store: *store,
                    grant: Mutex::new(grant),
                }));
                let stop = match stop {
                    Some(stop) => stop.clone(),
                    None => Stop::never().map_err(Error::Stop)?,
                };
                let token = if good { token } else { source.another(&stop)? };
                (source, identity, token)
            }
        };
        Ok(Self {
            account: wanted.account.to_owned(),
            source,
            identity,
            held: Mutex::new(Held {
                token,
                renewed: false,
            }),
        })
    }

    /// The token, or the one that has taken its place.
    fn token(&self) -> Password {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.token.clone()
    }

    /// Another token, once; `None` where there is no other. It takes files, and so is not for
    /// threads that have given them up.
    fn renew(&self, stop: &Stop) -> Result<Option<Password>, Error> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut held.renewed, true) {
            return Ok(None);
        }
        let token = self.source.another(stop)?;
        // What a server has refused it will refuse again.
        if token == held.token {
            return Ok(None);
        }
        held.token = token.clone();
        Ok(Some(token))
    }
}

impl Source {
    fn another(&self, stop: &Stop) -> Result<Password, Error> {
        match self {
            Self::Command(argv) => Ok(helper::run(Helper::Token, argv, false, Some(stop))?),
            Self::Kept(kept) => kept.another(stop),
        }
    }
}

impl Kept {
    fn another(&self, stop: &Stop) -> Result<Password, Error> {
        let mut grant = self.grant.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = lock_login(&self.server, stop);
        let now = Moment::now().now;
        // Another process may have had the lock since this was read.
        match logins::load(&self.server, self.store, false) {
            Ok(kept) if kept.access_token != grant.access_token => {
                *grant = kept;
                if grant.expires.saturating_sub(MARGIN) > now {
                    return Ok(Password::new(grant.access_token.to_string()));
                }
            }
            Err(source @ LoginError::Missing) => {
                let account = self.account.clone();
                return Err(Error::Login { account, source });
            }
            _ => {}
        }
        let new = oauth::refresh(&self.client, &grant, &self.line, stop, now);
        if new.as_ref().is_err_and(oauth::Error::is_over) {
            // Another run may have been faster all the same, where there are no locks.
            let kept = logins::load(&self.server, self.store, false);
            let newer = kept
                .ok()
                .filter(|kept| kept.refresh_token != grant.refresh_token && kept.expires > now);
            if let Some(newer) = newer {
                *grant = newer;
                return Ok(Password::new(grant.access_token.to_string()));
            }
        }
        let new = new.map_err(|source| Error::OAuth {
            account: self.account.clone(),
            source,
        })?;
        // Before it is used: a refresh token that was changed and is lost locks us out. Without
        // a change all that is lost is a request to the provider.
        let kept = logins::store(&self.server, self.store, &new);
        if new.refresh_token != grant.refresh_token {
            kept.map_err(|source| Error::Login {
                account: self.account.clone(),
                source,
            })?;
        }
        *grant = new;
        Ok(Password::new(grant.access_token.to_string()))
    }
}

/// Waits until no other process renews, replaces or removes the sign-in, and keeps all others from
/// it. `None` where there are no locks, or none is to be had in time: then it goes on without.
pub fn lock_login(server: &Server, stop: &Stop) -> Option<LoginLock> {
    let lock = LoginLock::of(server).ok()?;
    let until = Instant::now() + PATIENCE;
    while !lock.try_take().ok()? {
        if Instant::now() > until || stop.wait(POLL).is_some() {
            return None;
        }
    }
    Some(lock)
}

/// An account's question for another token.
pub struct Question {
    login: Arc<Login>,
    answer: SyncSender<Result<Option<Password>, Error>>,
}

/// Answers questions until nobody is left who could ask. This is for a thread that never has to
/// do with a mail server: the threads that do have given up all files by then, and all that one
/// of them can get from here is another token for its own account.
pub fn answer(questions: Receiver<Question>, stop: &Stop) {
    for question in questions {
        // Who has stopped waiting wants no answer.
        let _ = question.answer.send(question.login.renew(stop));
    }
}

/// What tells one sign-in from another.
#[derive(Clone, Copy, Debug)]
pub enum Sign<'a> {
    /// The password itself.
    Password(&'a str),
    /// Its name, which proves nothing. It changes when a person signs in anew, and not with each token.
    Login(&'a str),
    /// The token itself, where a program gives it.
    Token(&'a str),
}

/// What an account signs in with, as its confined thread has it.
#[derive(Clone)]
pub enum Credential<'a> {
    /// A password, for as long as the account has it.
    Password(Cow<'a, Password>),
    /// Access tokens, which run out.
    Tokens(Asking),
}

/// A way to ask for another token.
#[derive(Clone)]
pub struct Asking {
    /// Whose tokens they are.
    pub login: Arc<Login>,
    /// Goes to [`answer`].
    pub questions: Sender<Question>,
    /// Ends the waiting.
    pub stop: Stop,
}

impl Credential<'_> {
    /// What tells it from another that the same account may have some other day.
    pub fn identity(&self) -> Sign<'_> {
        match self {
            Self::Password(password) => Sign::Password(password.reveal()),
            Self::Tokens(Asking { login, .. }) => match &login.source {
                Source::Command(_) => Sign::Token(&login.identity),
                Source::Kept(_) => Sign::Login(&login.identity),
            },
        }
    }

    /// What to sign in with now.
    pub fn current(&self) -> Password {
        match self {
            Self::Password(password) => password.clone().into_owned(),
            Self::Tokens(asking) => asking.login.token(),
        }
    }

    /// Something else, as the server has refused this; `None` where there is nothing else. It needs no
    /// file that a confined thread cannot open.
    pub fn renew(&self) -> Result<Option<Password>, Error> {
        match self {
            Self::Password(_) => Ok(None),
            Self::Tokens(asking) => asking.renew(),
        }
    }
}

impl Asking {
    fn renew(&self) -> Result<Option<Password>, Error> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let question = Question {
            login: Arc::clone(&self.login),
            answer: sender,
        };
        if self.questions.send(question).is_err() {
            return Ok(None);
        }
        loop {
            match receiver.recv_timeout(POLL) {
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(reason) = self.stop.requested() {
                        let source = oauth::Error::Stopped(reason);
                        let account = self.login.account.clone();
                        return Err(Error::OAuth { account, source });
                    }
                }
            }
        }
    }
}
