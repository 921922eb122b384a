//! What the command line says of the sign-in and of whom to trust, for an account that is not there yet.

use crate::cli::SignIn;
use crate::command::fail::Failure;
use crate::exit::Status;
use crate::net::tls::TlsPolicy;
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
    Ok(TlsPolicy {
        roots,
        pins: sign_in.tls_pin.clone(),
        ..TlsPolicy::default()
    })
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
