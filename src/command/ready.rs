//! The accounts of a run, each with what it is signed in with: asked for at the terminal before any work
//! begins, or got in the account's own thread.

use super::fail::{Failure, report_failure};
use super::pool::{Place, in_parallel};
use super::process;
use crate::exit::{Diagnose, at_hand};
use crate::fetch::{self, Account, Addressee, Environment, TurnedAway};
use crate::handover::Unable;
use crate::profile::{Auth, OAuth, PasswordSource, Profile};
use crate::report::{self, Event, Outcome, Report};
use crate::sandbox;
use crate::secrets::{self, Asking, Credential, Login, Password, Question};
use crate::stop::Stop;
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

/// The accounts of a run.
#[derive(Default)]
pub(super) struct Prepared {
    pub(super) ready: Vec<Ready>,
    /// Those that cannot be worked on, which the report has been told.
    pub(super) failed: Vec<(String, report::Failure)>,
    /// Nothing is fetched, so that no failure is remembered.
    pub(super) stores_nothing: bool,
}

impl Prepared {
    /// One account.
    pub(super) fn of_one(profile: Profile) -> Result<Self, Failure> {
        let ready = Ready::later(profile).map_err(|failed| Failure::of(failed.1))?;
        Ok(Self {
            ready: vec![ready],
            ..Self::default()
        })
    }

    /// Calls `work` with each account that is ready, `jobs` of them at a time, once there is what it
    /// is signed in with; the failure where there is not, which the report has been told. The accounts'
    /// threads confine themselves; this one waits for them, and needs no file any more either once
    /// no account is left that may want a new access token.
    pub(super) fn each<R: Send>(
        &self,
        jobs: usize,
        environment: &Environment,
        work: impl Fn(&Account<'_>) -> R + Sync,
    ) -> Vec<Option<Result<R, report::Failure>>> {
        let (ask, questions) = mpsc::channel();
        // Each account has its own way to ask, which ends with its work.
        let items: Vec<_> = self.ready.iter().map(|ready| ready.with(&ask)).collect();
        drop(ask);
        let (jobs, room) = process::share_files(jobs.min(items.len()));
        let environment = Environment {
            room,
            ..environment.clone()
        };
        let shared = Environment {
            // Others come after, in the same thread.
            confined: false,
            ..environment.clone()
        };
        let doors = Doors::default();
        let work = |item: &Item<'_>, place| {
            let environment = match place {
                Place::Alone => &environment,
                Place::Shared => &shared,
            };
            item.work(environment, self.stores_nothing, &doors, &work)
        };
        let prepare = |item: &Item<'_>| item.ready.get_ready(&environment.stop);
        let meanwhile = || {
            secrets::answer(questions, &environment.stop);
            sandbox::confine(&[], &[], &[]);
        };
        in_parallel(jobs, &items, prepare, work, meanwhile)
    }
}

/// An account that is ready to be signed in to.
pub(super) struct Ready {
    pub(super) profile: Profile,
    /// Once it was asked for.
    secret: OnceLock<Result<Secret, Box<dyn Diagnose>>>,
    /// The account that its messages are handed to.
    addressee: Option<Box<Ready>>,
}

/// Who was turned away in a run by accounts that others hand their messages to, by the accounts' ids.
#[derive(Default)]
struct Doors(Mutex<HashMap<String, TurnedAway>>);

impl Doors {
    fn of(&self, profile: &Profile) -> TurnedAway {
        let mut doors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        doors.entry(profile.server.id()).or_default().clone()
    }
}

/// What an account is signed in with.
enum Secret {
    Password(Password),
    Login(Arc<Login>),
}

/// How often someone who waits for a secret looks whether to stop.
const LOOK: Duration = Duration::from_millis(50);

/// How long it waits for those who have heard of it as well.
const PARTING: Duration = Duration::from_millis(300);

/// An account that is not, and why.
pub(super) type Unready = Box<(Profile, Box<dyn Diagnose>)>;

impl Ready {
    /// Gets what an account is signed in with.
    pub(super) fn new(profile: Profile) -> Result<Self, Unready> {
        match obtain(&profile, None) {
            Ok(secret) => Ok(Self {
                profile,
                secret: OnceLock::from(Ok(secret)),
                addressee: None,
            }),
            Err(error) => Err(Box::new((profile, error))),
        }
    }

    /// The same, but where no person is asked for it that is left to the account's own thread: it
    /// may take a minute, and keeps no other account waiting.
    pub(super) fn later(profile: Profile) -> Result<Self, Unready> {
        let addressee = profile.addressee.clone();
        let mut ready = Self::later_alone(profile)?;
        if let Some(addressee) = addressee {
            match Self::later_alone(*addressee) {
                Ok(addressee) => ready.addressee = Some(Box::new(addressee)),
                Err(failed) => return Err(Box::new((ready.profile, failed.1))),
            }
        }
        Ok(ready)
    }

    fn later_alone(profile: Profile) -> Result<Self, Unready> {
        let may_ask = match &profile.password {
            PasswordSource::Stdin => true,
            PasswordSource::Prompt
            | PasswordSource::PromptOrKeyring
            | PasswordSource::Command(_)
            | PasswordSource::OAuth(OAuth::Command(_)) => secrets::can_ask(),
            _ => false,
        };
        match may_ask {
            true => Self::new(profile),
            false => Ok(Self {
                profile,
                secret: OnceLock::new(),
                addressee: None,
            }),
        }
    }

    /// Gets what is needed, unless somebody wants us to stop first.
    fn get_ready(&self, stop: &Stop) {
        self.secret.get_or_init(|| {
            let profile = self.profile.clone();
            let (sender, answer) = mpsc::channel();
            // In a thread: keyrings hear of no signal.
            let asks = stop.clone();
            let ask = move || {
                let _ = sender.send(obtain(&profile, Some(&asks)));
            };
            if thread::Builder::new().spawn(ask).is_err() {
                return obtain(&self.profile, Some(stop))
                    .map_err(|error| unless_stopped(error, stop));
            }
            loop {
                if let Some(reason) = stop.requested() {
                    // A program is ended, with what it started, if that is quick.
                    let _ = answer.recv_timeout(PARTING);
                    return Err(Box::new(fetch::Error::Stopped(reason)));
                }
                match answer.recv_timeout(LOOK) {
                    Ok(secret) => return secret.map_err(|error| unless_stopped(error, stop)),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(Box::new(fetch::Error::Thread));
                    }
                }
            }
        });
    }

    /// As the account that another's messages are handed to. That it has no secret keeps nothing from being
    /// fetched.
    fn as_addressee(
        &self,
        ask: Option<&Sender<Question>>,
        stop: &Stop,
        doors: &Doors,
    ) -> Addressee {
        self.get_ready(stop);
        let unable = |error: &dyn Diagnose| {
            // It gives the password of the account that is fetched.
            let failure = at_hand::without("password-stdin", || fetch::failure(error));
            let hint = failure.hint.map(|hint| format!("{hint}; "));
            Unable {
                what: format!("account {}: {}", self.profile.name, failure.message),
                hint: format!(
                    "{}what was fetched is kept until it can be handed on",
                    hint.unwrap_or_default()
                ),
                status: failure.status,
            }
        };
        let credential = match self.secret.get() {
            Some(Ok(Secret::Password(password))) => {
                Ok(Credential::Password(Cow::Owned(password.clone())))
            }
            Some(Ok(Secret::Login(login))) => match ask {
                Some(questions) => Ok(Credential::Tokens(Asking {
                    login: Arc::clone(login),
                    questions: questions.clone(),
                    stop: stop.clone(),
                })),
                None => Err(unable(&fetch::Error::Thread)),
            },
            Some(Err(error)) => Err(unable(error.as_ref())),
            None => Err(unable(&fetch::Error::Thread)),
        };
        Addressee {
            profile: Arc::new(self.profile.clone()),
            credential,
            turned_away: doors.of(&self.profile),
        }
    }

    /// With a way to ask for another token, where it may have any.
    fn with<'a>(&'a self, ask: &Sender<Question>) -> Item<'a> {
        let has_tokens = |ready: &Self| matches!(ready.profile.password, PasswordSource::OAuth(_));
        let has_tokens = has_tokens(self) || self.addressee.as_deref().is_some_and(has_tokens);
        let ask = has_tokens.then(|| ask.clone());
        Item {
            ready: self,
            ask: Mutex::new(ask),
        }
    }
}

impl Secret {
    /// The same for who signs in; `None` where nobody can be asked for another token.
    fn credential(&self, ask: Option<Sender<Question>>, stop: &Stop) -> Option<Credential<'_>> {
        match (self, ask) {
            (Self::Password(password), _) => Some(Credential::Password(Cow::Borrowed(password))),
            (Self::Login(login), Some(questions)) => Some(Credential::Tokens(Asking {
                login: Arc::clone(login),
                questions,
                stop: stop.clone(),
            })),
            (Self::Login(_), None) => None,
        }
    }
}

/// Why there is no secret: a stop that cut the asking off goes before what that looked like.
fn unless_stopped(error: Box<dyn Diagnose>, stop: &Stop) -> Box<dyn Diagnose> {
    match stop.requested() {
        Some(reason) => Box::new(fetch::Error::Stopped(reason)),
        None => error,
    }
}

fn obtain(profile: &Profile, stop: Option<&Stop>) -> Result<Secret, Box<dyn Diagnose>> {
    let interactive = secrets::can_ask();
    // The client's certificate is all that is needed.
    if profile.auth == Auth::External {
        return Ok(Secret::Password(Password::new(String::new())));
    }
    let wanted = profile.wanted();
    let secret = match wanted.source {
        PasswordSource::OAuth(oauth) => Login::obtain(wanted, oauth, interactive, stop)
            .map(|login| Secret::Login(Arc::new(login))),
        _ => secrets::obtain_password(&wanted, interactive, stop)
            .map(Secret::Password)
            .map_err(secrets::Error::from),
    };
    secret.map_err(|error| Box::new(error) as Box<dyn Diagnose>)
}

/// An account on its way to its thread.
struct Item<'a> {
    ready: &'a Ready,
    ask: Mutex<Option<Sender<Question>>>,
}

impl Item<'_> {
    fn work<R>(
        &self,
        environment: &Environment,
        stores_nothing: bool,
        doors: &Doors,
        work: &impl Fn(&Account<'_>) -> R,
    ) -> Result<R, report::Failure> {
        let ready = self.ready;
        ready.get_ready(&environment.stop);
        let ask = self
            .ask
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let secret = match ready.secret.get() {
            Some(Ok(secret)) => secret,
            Some(Err(error)) => {
                let says_little = environment.quiet && !stores_nothing;
                let state = says_little.then_some(&*environment.state);
                let report = &*environment.report;
                return Err(report_unready(
                    report,
                    state,
                    &ready.profile,
                    error.as_ref(),
                ));
            }
            None => {
                let error = fetch::Error::Thread;
                return Err(report_failure(
                    &*environment.report,
                    &ready.profile.name,
                    &error,
                ));
            }
        };
        let addressee = ready.addressee.as_deref().filter(|_| !stores_nothing);
        let addressee = addressee.map(|it| it.as_addressee(ask.as_ref(), &environment.stop, doors));
        let Some(credential) = secret.credential(ask, &environment.stop) else {
            let error = fetch::Error::Thread;
            return Err(report_failure(
                &*environment.report,
                &ready.profile.name,
                &error,
            ));
        };
        Ok(work(&Account {
            profile: &ready.profile,
            credential,
            environment,
            addressee,
        }))
    }
}

/// Tells the report that an account cannot be tried. Who has a fetch say little hears of it once: what
/// was told is in `state`.
pub(super) fn report_unready(
    report: &dyn Report,
    state: Option<&Path>,
    profile: &Profile,
    error: &dyn Diagnose,
) -> report::Failure {
    let mut failure = fetch::failure(error);
    if let Some(state) = state {
        fetch::not_tried(state, profile, &mut failure);
    }
    let outcome = Outcome {
        failure: Some(failure.clone()),
        ..Outcome::default()
    };
    report.report(&profile.name, Event::Finished(&outcome));
    failure
}
