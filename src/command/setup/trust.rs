//! What the command line says of the sign-in and of whom to trust, for an account that is not there yet.

use super::typed::Typed;
use crate::cli::SignIn;
use crate::command::ask::Asker;
use crate::command::fail::Failure;
use crate::discover::{Candidate, Dead, Finding, Origin};
use crate::exit::Status;
use crate::net::tls::TlsPolicy;
use crate::net::{Cause, Distrust, Error};
use crate::profile::draft::{Draft, Security};
use crate::profile::units::Period;
use crate::profile::{Auth, Roots};
use std::time::Duration;

/// Whom to trust at the servers that are looked for.
pub(super) fn policy_of(sign_in: &SignIn) -> Result<TlsPolicy, Failure> {
    let roots = match &sign_in.tls_roots {
        None => Roots::System,
        Some(Roots::File(path)) => {
            let absolute = std::path::absolute(path);
            let path = absolute
                .map_err(|error| usage(&format!("--tls-roots: {error}"), "name a PEM file"))?;
            Roots::File(path)
        }
        Some(Roots::Pinned) if sign_in.tls_pin.is_empty() => {
            return Err(usage(
                "--tls-roots: \"pinned\" trusts pins alone, and there is none",
                "give one with --tls-pin, or name a PEM file",
            ));
        }
        Some(roots) => roots.clone(),
    };
    let policy = TlsPolicy {
        roots,
        pins: sign_in.tls_pin.clone(),
        ..TlsPolicy::default()
    };
    if let Roots::File(_) = policy.roots {
        // A mistyped path is no fault of any server's.
        policy.check()?;
    }
    Ok(policy)
}

/// How the key of a server is found where the server is.
const KEY_OF_SERVER: &str = "openssl x509 -in CERTIFICATE -noout -pubkey | \
                             openssl pkey -pubin -outform der | sha256sum";

/// A server whose certificate is not trusted.
pub(super) struct Distrusted<'a> {
    pub(super) server: &'a Candidate,
    pub(super) error: &'a Error,
    pub(super) distrust: &'a Distrust,
}

impl<'a> Distrusted<'a> {
    /// The first that was named by hand, unless another one can be used.
    pub(super) fn of(finding: &'a Finding) -> Option<Self> {
        if finding
            .servers
            .iter()
            .any(|it| it.security != Security::Clear)
        {
            return None;
        }
        finding.dead.iter().find_map(|(server, dead)| match dead {
            Dead::Net(error) if server.origin == Origin::Hand => Some(Self {
                server,
                error,
                distrust: dead.distrust()?,
            }),
            _ => None,
        })
    }

    /// What is wrong, and what the owner of the server, or of this machine, does about it.
    pub(super) fn failure(&self, typed: &Typed<'_>) -> Failure {
        let hint = match self.distrust.pin {
            None => self.advice(),
            Some(pin) => format!(
                "{}. Its key is {pin}; once you have made sure by another way that this is the \
                 server's, this trusts it and no other:\n\n    {}\n\n{}",
                self.advice(),
                typed.with_pin(self.server, pin),
                compared()
            ),
        };
        Failure::new(Status::Unavailable, self.error.to_string(), hint)
    }

    /// Asks whether to trust the key all the same.
    pub(super) fn ask(&self, asker: &Asker) -> Result<Option<TlsPolicy>, Failure> {
        let Some(pin) = self.distrust.pin else {
            return Ok(None);
        };
        asker.say(&format!("{}.", capital(&self.error.to_string())));
        asker.say(&format!("{}.", capital(&self.advice())));
        eprintln!();
        asker.say(&format!("Its key is\n    {pin}\n{}", compared()));
        let trusted = asker.agree("Trust this key, and no other?", false)?;
        Ok(trusted.then(|| TlsPolicy {
            roots: Roots::Pinned,
            pins: vec![pin],
            ..TlsPolicy::default()
        }))
    }

    fn advice(&self) -> String {
        match &self.distrust.cause {
            Cause::WrongName(names) if !names.is_empty() => {
                "if the server has one of these names, give it: --host NAME; otherwise it is another \
                 server: do not go on"
                    .to_owned()
            }
            Cause::WrongName(_) => {
                "whoever runs the server must put in a certificate with its name".to_owned()
            }
            Cause::UnknownAuthority => {
                "if your organisation or you have an authority, name its certificate: --tls-roots \
                 FILE; if this machine's list may be old, --tls-roots bundled is Mozilla's; \
                 otherwise someone may be between you and the server: do not go on"
                    .to_owned()
            }
            cause => cause.advice(),
        }
    }
}

fn compared() -> String {
    format!(
        "Whoever runs the server can compare it with what this says there:\n    {KEY_OF_SERVER}"
    )
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|it| it.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// Whether the server that was found, and a password, will do for what was asked for.
pub(super) fn check(draft: &Draft, sign_in: &SignIn) -> Result<(), Failure> {
    let auth = draft.auth;
    let word = auth.word();
    if matches!(auth, Auth::External | Auth::OAuthBearer | Auth::XOAuth2) {
        return Err(usage(
            &format!("--auth {word}: setup signs in with a password, and this takes none"),
            "leave the option out; in the config file, `auth` says so afterwards, beside what it takes",
        ));
    }
    if draft.security == Security::Clear {
        let asked = [
            (!sign_in.tls_pin.is_empty(), "--tls-pin"),
            (sign_in.tls_roots.is_some(), "--tls-roots"),
        ];
        let asked = asked
            .iter()
            .find_map(|(is_so, option)| is_so.then_some(*option));
        if let Some(option) = asked {
            return Err(usage(
                &format!("{option}: {} takes no TLS", draft.host),
                "leave the option out, or name another server: --host HOST",
            ));
        }
        if auth.needs_tls() {
            return Err(usage(
                &format!("--auth {word}: {} takes no TLS", draft.host),
                "choose another method, or leave the option out",
            ));
        }
    }
    let too_short = |timeout: Period| timeout.duration() < Duration::from_secs(1);
    if sign_in.timeout.is_some_and(too_short) {
        return Err(usage(
            "--timeout: it must be at least one second",
            "as in --timeout \"5 min\"",
        ));
    }
    Ok(())
}

/// Whether the method that was asked for is one of OAuth 2.0.
pub(super) fn check_oauth(draft: &Draft) -> Result<(), Failure> {
    match draft.auth {
        Auth::Auto => Ok(()),
        auth => Err(usage(
            &format!("--auth {}: OAuth 2.0 takes no password", auth.word()),
            "leave the option out, or choose an app password",
        )),
    }
}

fn usage(text: &str, hint: &str) -> Failure {
    Failure::new(Status::Usage, text, hint)
}
