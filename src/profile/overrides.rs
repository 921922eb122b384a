//! What the command line changes in every profile of a run.

use crate::handover::Archive;
use crate::paths;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::diagnose::ConfigError;
use super::{Auth, Keep, Order, PasswordSource, Pin, Profile, Roots, Shard};

/// What the command line says about each account of this run; it goes before the config file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--maildir`; a relative path is taken from the working directory.
    pub maildir: Option<PathBuf>,
    /// `--keep`, `--delete`, `--delete-after`.
    pub keep: Option<Keep>,
    /// `--timeout`.
    pub timeout: Option<Duration>,
    /// `--max-size`, in octets.
    pub max_size: Option<u64>,
    /// `--latest`.
    pub latest: Option<u64>,
    /// `--newest-first`.
    pub order: Option<Order>,
    /// `--auth`.
    pub auth: Option<Auth>,
    /// `--password-stdin`.
    pub password: Option<PasswordSource>,
    /// `--tls-roots`; a relative path is taken from the working directory.
    pub tls_roots: Option<Roots>,
    /// `--tls-pin`; in place of those of the config file.
    pub tls_pins: Vec<Pin>,
    /// What else was typed for this run and holds for a command in its place as well, each option
    /// behind a space.
    pub beside: String,
    /// `--shard`: which of the accounts are worked on.
    pub shard: Option<Shard>,
    /// The command stores no mail, so a URL needs no `--maildir`.
    pub stores_nothing: bool,
}

impl Overrides {
    /// Applies the simple ones and makes their paths absolute.
    pub(crate) fn apply(&self, profile: &mut Profile) -> Result<(), ConfigError> {
        if let Some(maildir) = &self.maildir {
            profile.maildir = from_here(maildir, "--maildir")?;
            profile.dated = None;
            if let Some(deliver) = &mut profile.deliver {
                deliver.archive = Archive::Kept;
            }
        }
        if let Some(password) = &self.password {
            profile.password = password.clone();
        }
        if let Some(auth) = self.auth {
            profile.auth = possible(auth, profile)?;
        }
        if !self.tls_pins.is_empty() {
            let Some(policy) = profile.tls.policy_mut() else {
                return Err(ConfigError::CommandLine {
                    message: format!("--tls-pin: account `{}` uses no TLS", profile.name),
                    hint: "leave the option out, or name other accounts".into(),
                });
            };
            policy.pins.clone_from(&self.tls_pins);
        }
        if let Some(roots) = &self.tls_roots {
            let Some(policy) = profile.tls.policy_mut() else {
                return Err(ConfigError::CommandLine {
                    message: format!("--tls-roots: account `{}` uses no TLS", profile.name),
                    hint: "leave the option out, or name other accounts".into(),
                });
            };
            if *roots == Roots::Pinned && policy.pins.is_empty() {
                return Err(ConfigError::CommandLine {
                    message: format!("--tls-roots: account `{}` has no `tls-pin`", profile.name),
                    hint: "\"pinned\" trusts pins alone: give one with --tls-pin".into(),
                });
            }
            policy.roots = match roots {
                Roots::File(path) => Roots::File(from_here(path, "--tls-roots")?),
                other => other.clone(),
            };
        }
        profile.timeout = self.timeout.unwrap_or(profile.timeout);
        let policy = &mut profile.policy;
        policy.keep = self.keep.unwrap_or(policy.keep);
        // "Leave all messages on the server, whatever the profile says": rules are in the profile.
        if self.keep == Some(Keep::Always) {
            profile.rules = profile.rules.sparing();
        }
        policy.order = self.order.unwrap_or(policy.order);
        policy.max_size = self.max_size.or(policy.max_size);
        policy.latest = self.latest.or(policy.latest);
        Ok(())
    }
}

/// The method, where the account can be signed in to by it.
fn possible(auth: Auth, profile: &Profile) -> Result<Auth, ConfigError> {
    let (option, name) = (format!("--auth {}", auth.word()), &profile.name);
    let impossible = |message: String, hint: &str| {
        Err(ConfigError::CommandLine {
            message,
            hint: hint.into(),
        })
    };
    let policy = profile.tls.policy();
    let is_bearer = matches!(auth, Auth::OAuthBearer | Auth::XOAuth2);
    if policy.is_none() && auth.needs_tls() {
        return impossible(
            format!("{option}: account `{name}` uses no TLS"),
            "choose another method, or leave the option out",
        );
    }
    if auth == Auth::External && policy.is_none_or(|policy| policy.client.is_none()) {
        return impossible(
            format!("{option}: account `{name}` has no certificate to sign in with"),
            "it is named in the config file, by `tls-client-cert`",
        );
    }
    if matches!(profile.password, PasswordSource::OAuth(_)) && !is_bearer && auth != Auth::Auto {
        return impossible(
            format!("{option}: account `{name}` signs in with an access token"),
            "leave the option out, or give \"oauthbearer\" or \"xoauth2\"",
        );
    }
    Ok(auth)
}

/// An absolute path from one given on the command line.
fn from_here(path: &Path, option: &str) -> Result<PathBuf, ConfigError> {
    let absolute = std::env::current_dir()
        .map_err(|error| error.to_string())
        .and_then(|here| paths::absolute(path, &here).map_err(|error| error.to_string()));
    absolute.map_err(|error| ConfigError::CommandLine {
        message: format!("{option} {}: {error}", path.display()),
        hint: "give an absolute path".into(),
    })
}
