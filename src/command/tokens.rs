//! Access tokens for accounts that sign in by OAuth 2.0: got before any work begins, and renewed
//! once when the server refuses one.

use super::fail::Failure;
use crate::exit::{Diagnose, Status};
use crate::fetch::{RenewalError, Sign, Tokens};
use crate::oauth::{self, Client, Grant, Line, MARGIN};
use crate::profile::logins::{self, LoginError, Turn};
use crate::profile::oauth::{OAuth, Store, roots};
use crate::profile::secret::{self, Helper, Password, SecretError};
use crate::profile::{Profile, Server};
use crate::report::{Event, Report};
use crate::state::Moment;
use crate::stop::Stop;
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often someone who waits for a token looks whether to stop.
const POLL: Duration = Duration::from_millis(100);

/// How long another process is waited for that renews the same sign-in: longer than a provider is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where an account's tokens come from, and the one that it has.
pub(super) struct Login {
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
pub(super) enum Error {
    #[error(transparent)]
    Command(#[from] SecretError),
    #[error("{source}")]
    Login { account: String, source: LoginError },
    #[error("{source}")]
    OAuth {
        account: String,
        source: oauth::Error,
    },
    #[error("this cannot be stopped by a signal")]
    Stop(#[source] io::Error),
}

impl Diagnose for Error {
    fn status(&self) -> Status {
        match self {
            Self::Command(error) => error.status(),
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
            Self::Command(error) => error.hint(),
            Self::Login { source, .. } => source.hint(),
            Self::OAuth { source, .. } => source.hint(),
            Self::Stop(_) => None,
        }
    }
}

impl Login {
    /// A token that is good for a while. The token endpoint is asked only where the one that is
    /// kept is not.
    pub(super) fn obtain(
        profile: &Profile,
        oauth: &OAuth,
        interactive: bool,
        stop: Option<&Stop>,
    ) -> Result<Self, Error> {
        let (source, identity, token) = match oauth {
            OAuth::Command(argv) => {
                let token = secret::printed_by(Helper::Token, argv, interactive, stop)?;
                let identity = token.reveal().to_owned();
                (Source::Command(argv.clone()), identity, token)
            }
            OAuth::Login { client, store } => {
                let grant = logins::load(&profile.server, *store, interactive);
                let grant = grant.map_err(|source| Error::Login {
                    account: profile.word(),
                    source,
                })?;
                let identity = format!("{} {}", client.id, grant.login);
                let good = grant.expires.saturating_sub(MARGIN) > Moment::now().now;
                let token = Password::new(grant.access_token.to_string());
                let source = Source::Kept(Box::new(Kept {
                    account: profile.word(),
                    server: profile.server.clone(),
                    client: (**client).clone(),
                    line: line_of(profile),
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
            Self::Command(argv) => Ok(secret::printed_by(Helper::Token, argv, false, Some(stop))?),
            Self::Kept(kept) => kept.another(stop),
        }
    }
}

impl Kept {
    fn another(&self, stop: &Stop) -> Result<Password, Error> {
        let mut grant = self.grant.lock().unwrap_or_else(PoisonError::into_inner);
        let _turn = turn(&self.server, stop);
        let now = Moment::now().now;
        // Another process may have had its turn since this was read.
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
pub(super) fn turn(server: &Server, stop: &Stop) -> Option<Turn> {
    let turn = Turn::of(server).ok()?;
    let until = Instant::now() + PATIENCE;
    while !turn.try_take().ok()? {
        if Instant::now() > until || stop.wait(POLL).is_some() {
            return None;
        }
    }
    Some(turn)
}

/// The way to the provider.
pub(super) fn line_of(profile: &Profile) -> Line {
    Line {
        way: profile.way.clone(),
        roots: roots(profile.tls.policy().map(|policy| &policy.roots)),
        timeout: profile.timeout,
    }
}

/// An account's question for another token.
pub(super) struct Question<'a> {
    login: &'a Login,
    answer: SyncSender<Result<Option<Password>, Error>>,
}

/// Answers questions until nobody is left who could ask. This is for a thread that never has to
/// do with a mail server: the threads that do have given up all files by then, and all that one
/// of them can get from here is another token for its own account.
pub(super) fn answer(questions: Receiver<Question<'_>>, stop: &Stop) {
    for question in questions {
        // Who has stopped waiting wants no answer.
        let _ = question.answer.send(question.login.renew(stop));
    }
}

/// An account's tokens, as its confined thread sees them.
pub(super) struct Asking<'a, 'q> {
    pub(super) login: &'q Login,
    pub(super) questions: Sender<Question<'q>>,
    pub(super) stop: Stop,
    pub(super) name: &'a str,
    pub(super) report: &'a dyn Report,
}

impl Tokens for Asking<'_, '_> {
    fn identity(&self) -> Sign<'_> {
        match &self.login.source {
            Source::Command(_) => Sign::Token(&self.login.identity),
            Source::Kept(_) => Sign::Login(&self.login.identity),
        }
    }

    fn token(&self) -> Password {
        self.login.token()
    }

    fn renew(&self) -> Result<Option<Password>, RenewalError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let question = Question {
            login: self.login,
            answer: sender,
        };
        if self.questions.send(question).is_err() {
            return Ok(None);
        }
        loop {
            match receiver.recv_timeout(POLL) {
                Ok(Ok(Some(token))) => {
                    let text = "the server refused the access token: trying once with a new one";
                    self.report.report(self.name, Event::Notice(text));
                    return Ok(Some(token));
                }
                Ok(Ok(None)) | Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Ok(Err(error)) => return Err(Box::new(error)),
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(reason) = self.stop.requested() {
                        let source = oauth::Error::Stopped(reason);
                        let account = self.name.to_owned();
                        return Err(Box::new(Error::OAuth { account, source }));
                    }
                }
            }
        }
    }
}

/// For an account that is to be signed in to, what its table says; an error for any other.
pub(super) fn login_of(profile: &Profile) -> Result<(&Client, Store), Failure> {
    use crate::profile::PasswordSource;
    match &profile.password {
        PasswordSource::OAuth(OAuth::Login { client, store }) => Ok((client, *store)),
        PasswordSource::OAuth(OAuth::Command(_)) => Err(Failure::new(
            Status::Config,
            format!(
                "account `{}` gets its tokens from `token-command`",
                profile.name
            ),
            "there is nothing to sign in to",
        )),
        _ if profile.typed.is_url() => Err(Failure::new(
            Status::Config,
            "an account given as a URL has no `oauth` table",
            "popfetch setup makes an account in the config file that signs in so",
        )),
        _ => Err(Failure::new(
            Status::Config,
            format!("account `{}` has no `oauth` table", profile.name),
            format!(
                "in the config file, put in the place of its password: [accounts.{}.oauth] with \
                 `client-id`, `client-secret` where the provider gives one, and `provider` where \
                 the server does not tell it; see popfetch man popfetch.toml",
                toml_key(&profile.name)
            ),
        )),
    }
}

/// A name as TOML takes it for a key.
fn toml_key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    match name.chars().all(bare) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}
