//! From an account's table, the defaults and the command line to a [`Profile`].
//!
//! The rules that span several keys are here. Each error points at the value that breaks it.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;

use super::address::{checked_user, normal_host};
use super::diagnose::ConfigError;
use super::file::{Account, TlsMode};
use super::overrides::Overrides;
use super::problem::{Problem, Source, Within};
use super::salvage::Salvaged;
use super::units::{Octets, Period};
use super::{Auth, Policy, Profile, Protocol, Server};
use crate::maildir::Filing;

/// Where new messages go if nothing says otherwise.
pub(crate) const MAILDIR: &str = "~/Mail/{account}";
/// How long the server may be silent if nothing says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(60);
/// How long `watch` waits between two fetches if nothing says otherwise.
pub const EVERY: Duration = Duration::from_secs(10 * 60);

/// Resolves one account of the file.
pub(crate) fn profile(
    source: &Arc<Source>,
    name: &Spanned<String>,
    account: &Salvaged<Account>,
    defaults: &Salvaged<Account>,
    overrides: &Overrides,
) -> Result<Profile, ConfigError> {
    let faults = account.faults.iter().chain(&defaults.faults);
    let mut wrong = Wrong::beside(faults);
    let within = || Within::Account(name.get_ref().clone());
    for fault in &account.faults {
        wrong.add(Problem::from_toml(source.clone(), within(), &fault.error));
    }
    let resolver = Resolver {
        source,
        name,
        account: &account.value,
        defaults: &defaults.value,
    };
    let profile = resolver.profile(&mut wrong);
    if !wrong.is_empty() {
        wrong.lay_to(&of_defaults(source, defaults));
    }
    if let Some(error) = wrong.into_error() {
        return Err(error);
    }
    let mut profile =
        profile.ok_or_else(|| resolver.error(name.span(), "it cannot be made sense of"))?;
    overrides.apply(&mut profile)?;
    Ok(profile)
}

/// What is wrong with the defaults, whatever an account adds to them.
fn of_defaults(source: &Arc<Source>, defaults: &Salvaged<Account>) -> Vec<Problem> {
    let name = Spanned::new(0..0, "any".to_owned());
    let mut wrong = Wrong::beside(defaults.faults.iter());
    let resolver = Resolver {
        source,
        name: &name,
        account: &Account::default(),
        defaults: &defaults.value,
    };
    resolver.profile(&mut wrong);
    let problems = wrong.into_problems().into_iter();
    // What an account can add is for it to add.
    let is_its_own = |it: &Problem| it.lacks.is_empty() && it.span != name.span();
    problems.filter(is_its_own).collect()
}

/// `$self.$key`, or the default's where the account has none.
macro_rules! key {
    ($self:ident . $key:ident) => {
        $self.account.$key.as_ref().or($self.defaults.$key.as_ref())
    };
}

mod folders;
mod line;
mod oauth;
mod on_new;
mod onward;
mod password;
mod place;
mod rules;
mod wrong;

use wrong::Wrong;

pub(super) struct Resolver<'a> {
    source: &'a Arc<Source>,
    name: &'a Spanned<String>,
    account: &'a Account,
    defaults: &'a Account,
}

impl Resolver<'_> {
    /// All keys are looked at, whatever is wrong with others.
    fn profile(&self, wrong: &mut Wrong) -> Option<Profile> {
        wrong.note(self.check_name());
        let tls = self.tls(wrong);
        let server = self.server(wrong);
        // With this one in its place, what else is wrong shows as well.
        let any = Server {
            protocol: self.protocol(),
            host: "pop.example.com".to_owned(),
            port: self.protocol().tls_port(),
            user: "ada@example.com".to_owned(),
        };
        let at = server.as_ref().unwrap_or(&any);
        let auth = wrong.note(self.auth());
        let timeout = wrong.note(self.seconds("timeout", key!(self.timeout), TIMEOUT));
        let deliver = self.deliver(at, wrong);
        let maildir = match (key!(self.maildir), &deliver) {
            (Some(maildir), _) => wrong.note(self.maildir(maildir.span(), maildir.get_ref(), at)),
            (None, Some(None)) => wrong.note(self.maildir(self.name.span(), MAILDIR, at)),
            (None, Some(Some(_))) => wrong.note(self.spool(at)).map(|spool| (spool, None)),
            (None, None) => None,
        };
        let (maildir, dated) = maildir.unzip();
        let policy = Policy {
            keep: value(key!(self.keep)).unwrap_or_default(),
            max_size: value(key!(self.max_size)).map(Octets::get),
            latest: value(key!(self.latest)),
            order: value(key!(self.order)).unwrap_or_default(),
            ..Policy::default()
        };
        let password = self.password(at, auth.unwrap_or_default(), wrong);
        let every = wrong.note(self.seconds("every", key!(self.every), EVERY));
        let on_new = self.on_new(at, wrong);
        let way = self.way(at, wrong);
        let rules = self.rules(wrong);
        let (folders, into) = self.folders(wrong).unzip();
        Some(Profile {
            password: password?,
            every: every?,
            on_new: on_new?,
            way: way?,
            tls: tls?,
            auth: auth?,
            maildir: maildir?,
            dated: dated.flatten(),
            filing: match deliver.as_ref().and_then(Option::as_ref) {
                Some(deliver) if !deliver.keeps() => Filing::default(),
                _ => self.filing(),
            },
            folders: folders?,
            into: into?,
            deliver: deliver?,
            policy,
            rules: rules?,
            pipelining: value(key!(self.pipelining)).unwrap_or_default(),
            timeout: timeout?,
            ..Profile::new(self.name.get_ref().clone(), server?)
        })
    }

    /// How files are made in a Maildir.
    fn filing(&self) -> Filing {
        Filing {
            mode: value(key!(self.file_mode)).map(|word| word.0),
            group: key!(self.file_group).map(|word| word.get_ref().0.clone()),
            time: value(key!(self.file_time)).unwrap_or_default(),
            sized: value(key!(self.size_in_name)).unwrap_or_default(),
            flagged: value(key!(self.flags)).unwrap_or(true),
        }
    }

    /// The name becomes part of paths and of the command line.
    fn check_name(&self) -> Result<(), ConfigError> {
        let name = self.name.get_ref();
        let wrong = if name.is_empty() {
            "an account needs a name"
        } else if name.contains('/') {
            "an account's name cannot have a `/` in it, because it names the Maildir"
        } else if name.chars().any(char::is_control) {
            "an account's name cannot have control characters"
        } else if name.starts_with('-') {
            "an account's name cannot begin with `-`, because it would look like an option"
        } else if name == "." || name == ".." {
            "an account cannot be called that, because it names the Maildir"
        } else {
            return Ok(());
        };
        Err(self.error(self.name.span(), wrong))
    }

    fn server(&self, wrong: &mut Wrong) -> Option<Server> {
        let host =
            key!(self.host).ok_or_else(|| self.missing(&["host"], self.protocol().example()));
        let host = host.and_then(|host| {
            normal_host(host.get_ref()).map_err(|error| self.error(host.span(), error))
        });
        let user = key!(self.user).ok_or_else(|| self.missing(&["user"], "ada@example.com"));
        let user = user.and_then(|user| {
            checked_user(user.get_ref()).map_err(|error| self.error(user.span(), error))
        });
        let port = match key!(self.port) {
            Some(port) if *port.get_ref() == 0 => {
                Err(self.error(port.span(), "a port is a number from 1 to 65535"))
            }
            Some(port) => Ok(*port.get_ref()),
            None => Ok(match self.tls_mode() {
                TlsMode::Implicit => self.protocol().tls_port(),
                TlsMode::StartTls | TlsMode::None => self.protocol().plain_port(),
            }),
        };
        let (host, user, port) = (wrong.note(host), wrong.note(user), wrong.note(port));
        Some(Server {
            protocol: self.protocol(),
            host: host?,
            port: port?,
            user: user?,
        })
    }

    /// What `protocol` says.
    fn protocol(&self) -> Protocol {
        value(key!(self.protocol)).unwrap_or_default()
    }

    fn auth(&self) -> Result<Auth, ConfigError> {
        let Some(word) = key!(self.auth) else {
            return Ok(Auth::default());
        };
        let auth = *word.get_ref();
        if auth.needs_tls() && self.tls_mode() == TlsMode::None {
            return Err(self.error_with(
                word.span(),
                format!(
                    "`auth = \"{}\"` is for connections with TLS alone",
                    auth.word()
                ),
                "remove `tls = \"none\"`, or choose another method".into(),
            ));
        }
        if auth == Auth::Apop && self.protocol() == Protocol::Imap {
            return Err(self.error_with(
                word.span(),
                "`auth = \"apop\"` is a method of POP3, and `protocol` says \"imap\"".into(),
                "leave `auth` out: then the best method that the server has is taken".into(),
            ));
        }
        if auth == Auth::External && key!(self.tls_client_cert).is_none() {
            return Err(self.lacking(
                &["tls-client-cert"],
                word.span(),
                "`auth = \"external\"` signs in with a certificate of yours, and there is none",
                "name it: tls-client-cert = \"/path/to/me.pem\"",
            ));
        }
        Ok(auth)
    }

    /// A program and its arguments, with what stands in for the account's own words.
    fn argv(
        &self,
        command: &Spanned<Vec<String>>,
        server: &Server,
        example: &str,
    ) -> Result<Vec<String>, ConfigError> {
        let argv = command.get_ref().iter();
        let argv: Vec<_> = argv.map(|word| self.expand(word, server)).collect();
        if argv.first().is_none_or(String::is_empty) {
            let wrong = format!("a command needs a program, as in {example}");
            return Err(self.error(command.span(), wrong));
        }
        if argv.iter().any(|word| word.contains('\0')) {
            return Err(self.error(command.span(), "a command cannot have a NUL in it"));
        }
        Ok(argv)
    }

    /// A time of a second or more.
    fn seconds(
        &self,
        key: &str,
        period: Option<&Spanned<Period>>,
        usual: Duration,
    ) -> Result<Duration, ConfigError> {
        match period {
            Some(period) if period.get_ref().duration() < Duration::from_secs(1) => {
                let wrong = format!("`{key}` must be at least one second");
                Err(self.error(period.span(), wrong))
            }
            Some(period) => Ok(period.get_ref().duration()),
            None => Ok(usual),
        }
    }

    fn missing(&self, key: &'static [&'static str; 1], example: &str) -> ConfigError {
        let [word] = key;
        ConfigError::Invalid(Box::new(Problem {
            help: Some(format!("add a line to it: {word} = \"{example}\"")),
            // The message says it better.
            within: Within::File,
            lacks: key,
            ..self.problem(
                self.name.span(),
                format!("account `{}` has no `{word}`", self.name.get_ref()),
                None,
            )
        }))
    }

    /// Something that is wrong because none of these keys is there.
    fn lacking(
        &self,
        keys: &'static [&'static str],
        span: Range<usize>,
        message: impl Into<String>,
        help: &str,
    ) -> ConfigError {
        ConfigError::Invalid(Box::new(Problem {
            lacks: keys,
            ..self.problem(span, message.into(), Some(help.to_owned()))
        }))
    }

    pub(super) fn error(&self, span: Range<usize>, message: impl Into<String>) -> ConfigError {
        ConfigError::Invalid(Box::new(self.problem(span, message.into(), None)))
    }

    pub(super) fn error_with(
        &self,
        span: Range<usize>,
        message: String,
        help: String,
    ) -> ConfigError {
        ConfigError::Invalid(Box::new(self.problem(span, message, Some(help))))
    }

    fn problem(&self, span: Range<usize>, message: String, help: Option<String>) -> Problem {
        Problem {
            source: self.source.clone(),
            span,
            message,
            help,
            unknown_key: false,
            within: Within::Account(self.name.get_ref().clone()),
            lacks: &[],
        }
    }
}

fn value<T: Copy>(key: Option<&Spanned<T>>) -> Option<T> {
    key.map(|value| *value.get_ref())
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
