//! How an account's server is reached: the way to it, the confinement once it is known, the session.

use super::conduct::Conduct;
use super::{Account, Error};
use crate::durable::Dir;
use crate::exit::Diagnose;
use crate::net::program::Tell;
use crate::net::{self, Channel, Protection, Target};
use crate::profile::providers::{self, Access, Provider};
use crate::profile::{PasswordSource, Pipelining, Profile, TIMEOUT, Tls};
use crate::report::Event;
use crate::sandbox;
use crate::secrets::{Credential, OAuth, Password};
use crate::server::Server;
use crate::source::{
    self, Credentials, Detour, Door, Entry, Meaning, Options, Secret, Shortcut, Source,
};
use crate::state::Moment;
use crate::stop::Stop;
use std::os::fd::BorrowedFd;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// How long pipelining stays off after it failed with a server, in seconds (fact F29).
const UNPIPELINED_FOR: i64 = 30 * 24 * 60 * 60;

/// How long a server may be silent before it first says something of the mailbox: some index it
/// then, and a sign-in may be delayed on purpose. Other fetchers wait for 180 to 900 seconds.
const PATIENCE: Duration = Duration::from_secs(180);

/// How servers are reached.
pub trait Connect: Send + Sync {
    /// Finds the way to the account's server. All that takes a file is done here. What a program
    /// in between says to people is told by `tell`.
    fn route(
        &self,
        profile: &Profile,
        stop: &Stop,
        tell: Tell,
    ) -> Result<Box<dyn Route>, net::Error>;
}

/// The way to a server.
pub trait Route {
    /// A channel on which the server is about to send its greeting.
    fn connect(&self, stop: &Stop) -> Result<Box<dyn Channel>, net::Error>;
}

/// Over the network.
pub struct Network;

impl Connect for Network {
    fn route(
        &self,
        profile: &Profile,
        stop: &Stop,
        tell: Tell,
    ) -> Result<Box<dyn Route>, net::Error> {
        let target = Target {
            host: &profile.server.host,
            port: profile.server.port,
            protection: match &profile.tls {
                Tls::Implicit(policy) => Protection::Implicit(policy),
                Tls::StartTls(policy) => Protection::StartTls(policy),
                Tls::None => Protection::None,
            },
            way: &profile.way,
            timeout: profile.timeout,
        };
        Ok(Box::new(net::Route::find(&target, stop, tell)?))
    }
}

impl Route for net::Route {
    fn connect(&self, stop: &Stop) -> Result<Box<dyn Channel>, net::Error> {
        net::Route::connect(self, stop)
    }
}

/// What is tried with a server; less after it has shown that it cannot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) pipelining: bool,
    pub(super) capabilities: bool,
    pub(super) utf8: bool,
    /// The server sends lines that say nothing between its answers.
    pub(super) lenient: bool,
    pub(super) ahead: bool,
    pub(super) shortcut: Option<Shortcut>,
}

/// How long a server may be silent before it first says something of the mailbox. Who wants less
/// than what is usual gets it everywhere, and so does who wants more.
fn patience(timeout: Duration) -> Duration {
    match timeout < TIMEOUT {
        true => timeout,
        false => timeout.max(PATIENCE),
    }
}

impl Account<'_> {
    /// Calls `work`, which may confine itself, in a thread of its own: this one has nothing to do
    /// with the server, and keeps what the work is no longer trusted with.
    pub(super) fn apart<R: Send>(&self, work: impl FnOnce() -> R + Send) -> Result<R, Error> {
        if !self.environment.confined {
            return Ok(work());
        }
        thread::scope(|scope| {
            let thread = thread::Builder::new().spawn_scoped(scope, work);
            match thread.map_err(Error::NoThread)?.join() {
                Ok(result) => Ok(result),
                Err(panic) => resume_unwind(panic),
            }
        })
    }

    /// Finds the way to the server. From here on no file is opened but in `directories`, and of
    /// those that are `readable`, and where the environment says so none can be; nor is any directory made
    /// but in what is `growing`.
    pub(super) fn route(
        &self,
        directories: &[&Dir],
        growing: Option<&Dir>,
        readable: &[BorrowedFd<'_>],
    ) -> Result<Box<dyn Route>, Error> {
        let profile = self.profile;
        providers::check_server(&profile.server)?;
        self.tell(Event::Connecting {
            host: &profile.server.host,
            port: profile.server.port,
        });
        if matches!(profile.tls, Tls::None) {
            self.tell(Event::Warning(
                "the connection is not encrypted: tls = \"none\"",
            ));
        }
        let (report, name) = (self.environment.report.clone(), profile.name.clone());
        let tell: Tell = Arc::new(move |line: &str| {
            let text = format!("the proxy command says: {line}");
            report.report(&name, Event::Notice(&text));
        });
        let route = self
            .environment
            .connect
            .route(profile, &self.environment.stop, tell);
        let route = route.map_err(Error::Connect)?;
        if self.environment.confined {
            let directories: Vec<_> = directories.iter().map(|dir| dir.as_fd()).collect();
            let growing: Vec<_> = growing.iter().map(|dir| dir.as_fd()).collect();
            sandbox::confine(&directories, &growing, readable);
        }
        Ok(route)
    }

    /// Signs in; once more, over another connection, where the server refuses an access token that
    /// can be renewed (fact F16).
    pub(super) fn sign_in(
        &self,
        route: &dyn Route,
        manner: Manner,
        conduct: &mut Conduct,
    ) -> Result<Source, Error> {
        let current = self.credential.current();
        let session = self.sign_in_with(&current, route, manner, conduct);
        let error = match session {
            Err(error) if error.refuses_token() => error,
            session => return session,
        };
        let Some(another) = self.credential.renew().map_err(Error::Renewal)? else {
            return Err(error);
        };
        self.tell(Event::Notice(
            "the server refused the access token: trying once with a new one",
        ));
        self.sign_in_with(&another, route, manner, conduct)
    }

    fn sign_in_with(
        &self,
        secret: &Password,
        route: &dyn Route,
        manner: Manner,
        conduct: &mut Conduct,
    ) -> Result<Source, Error> {
        let secret = match &self.credential {
            Credential::Password(_) => self.profile.auth.secret(secret.reveal()),
            Credential::Tokens(_) => Secret::Token(secret.reveal()),
        };
        let mut session = self.connect(secret, route, manner, conduct.detour(), conduct);
        // Nobody has judged the password yet. There are not more detours.
        for _ in 0..2 {
            let Err(Error::Session(source::Error::Detour { detour, .. })) = session else {
                break;
            };
            self.check_stop()?;
            session = self.connect(secret, route, manner, Some(detour), conduct);
        }
        let (source, entry) = session.inspect_err(|error| {
            if error.meaning() == Some(Meaning::Command) {
                conduct.saw_detour(None);
            }
        })?;
        conduct.let_in();
        if conduct.saw_detour(entry.detour)
            && let Some(remark) = entry.detour.and_then(Detour::remark)
        {
            self.tell(Event::Notice(remark));
        }
        Ok(source)
    }

    fn connect(
        &self,
        secret: Secret<'_>,
        route: &dyn Route,
        manner: Manner,
        detour: Option<Detour>,
        conduct: &mut Conduct,
    ) -> Result<(Source, Entry), Error> {
        let profile = self.profile;
        let channel = route.connect(&self.environment.stop);
        let options = Options {
            timeout: profile.timeout,
            patience: patience(profile.timeout),
            pipelining: manner.pipelining,
            capabilities: manner.capabilities,
            utf8: manner.utf8,
            start_tls: matches!(profile.tls, Tls::StartTls(_)),
            ahead: manner.ahead,
            shortcut: manner.shortcut,
            lists_in_parts: self.lists_in_parts(),
            detour,
            lenient: manner.lenient,
            folders: profile.folders.clone(),
            transcript: self.transcript(),
        };
        let credentials = Credentials {
            auth: profile.auth,
            user: &profile.server.user,
            secret,
            host: &profile.server.host,
            port: profile.server.port,
        };
        let channel = channel.map_err(Error::Connect)?;
        let door = Door::reach(profile.server.protocol, channel, options, &credentials)?;
        conduct.announced(door.login_delay());
        self.tell(Event::Opened {
            connection: &|| door.connection(),
            announced: &|| door.announced(),
            expire: door.expire(),
        });
        let signed_in = door.sign_in(credentials);
        let (source, entry) = signed_in.map_err(|error| self.advise(error))?;
        self.tell(Event::SignedIn {
            method: &entry.method,
        });
        Ok((source, entry))
    }

    /// What a provider is known to want goes before the general advice, and where the secret is from
    /// behind it.
    fn advise(&self, error: source::Error) -> Error {
        if error.meaning() != Some(Meaning::Credentials) {
            return Error::Session(error);
        }
        let known = providers::sign_in(&self.profile.server).map(str::to_owned);
        let known = known.or_else(|| error.hint());
        let parts = [known, self.profile.secret_in_words()];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        Error::Advised {
            hint: parts.join("; "),
            source: Box::new(error),
        }
    }

    /// Whether `popfetch login` is how the account is signed in.
    pub(super) fn signs_in_by_login(&self) -> bool {
        matches!(
            self.profile.password,
            PasswordSource::OAuth(OAuth::Login { .. })
        )
    }

    /// Whether the provider is known to list a maildrop in parts (fact Q1).
    pub(super) fn lists_in_parts(&self) -> bool {
        is_in_batches(providers::of(&self.profile.server))
    }

    pub(super) fn manner(&self, unpipelined: Option<i64>) -> Manner {
        let now = self.environment.moment.now;
        let failed = unpipelined.is_some_and(|noted| Moment::counts(noted, UNPIPELINED_FOR, now));
        Manner {
            pipelining: self.profile.pipelining == Pipelining::Auto && !failed,
            capabilities: true,
            utf8: false,
            lenient: false,
            ahead: false,
            shortcut: None,
        }
    }
}

/// Whether the provider at this host is known to list a maildrop in parts (fact Q1).
pub(super) fn lists_in_parts(server: &Server) -> bool {
    is_in_batches(providers::of(server))
}

fn is_in_batches(provider: Option<&Provider>) -> bool {
    matches!(
        provider.map(|provider| provider.access),
        Some(Access::Pop {
            in_batches: true,
            ..
        })
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b9_a_mailbox_is_waited_for_for_three_minutes_and_for_longer_where_timeout_says_so() {
        for (timeout, wait) in [
            (60, 180),
            (61, 180),
            (180, 180),
            (300, 300),
            (10, 10),
            (1, 1),
        ] {
            let timeout = Duration::from_secs(timeout);
            assert_eq!(patience(timeout).as_secs(), wait, "{timeout:?}");
        }
    }
}
