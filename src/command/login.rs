//! `popfetch login`: signing in by OAuth 2.0, in the browser or with another device.

use super::context::{Context, stop_on_signals};
use super::fail::Failure;
use crate::cli::Login;
use crate::exit::Status;
use crate::oauth::{self, Client, DevicePrompt};
use crate::profile::{OAuth, Overrides, PasswordSource, Profile};
use crate::secrets::logins::{self, LoginError};
use crate::secrets::{Store, lock_login};
use crate::state::Moment;
use crate::stop::Stop;
use crate::system;
use crate::term::escape_str;
use crate::threads;
use std::process::{Command, Stdio};

/// Runs the command.
pub(super) fn run(context: &Context<'_>, arguments: &Login) -> Result<Status, Failure> {
    let overrides = Overrides {
        stores_nothing: true,
        ..Overrides::default()
    };
    let profile = context.profile(&arguments.account, &overrides)?;
    let (client, store) = login_of(&profile)?;
    let place = match store {
        Store::Keyring => "the system keyring",
        Store::File => "a file for you alone",
    };
    let name = escape_str(&profile.name);
    let say = |text: &str| {
        if !context.global.quiet {
            eprintln!("{name}: {text}");
        }
    };
    if arguments.remove {
        let _turn = Stop::never()
            .ok()
            .and_then(|stop| lock_login(&profile.server, &stop));
        return match logins::remove(&profile.server, store) {
            Ok(()) => {
                say(&format!("sign-in removed from {place}"));
                Ok(Status::Ok)
            }
            Err(LoginError::Missing) => Err(Failure::new(
                Status::NoPermission,
                format!("there is no sign-in for account `{}`", profile.name),
                "there is nothing to remove",
            )),
            Err(error) => Err(error.into()),
        };
    }
    if arguments.device && client.device.is_none() {
        return Err(Failure::new(
            Status::Config,
            "this provider has no device flow for mail",
            "leave out --device, on a machine that has a browser (Google's device flow does \
             not reach mail); or name the provider's `device-endpoint`",
        ));
    }
    // Nobody should sign in only to hear that it cannot be kept.
    match logins::load(&profile.server, store, true) {
        Ok(_) | Err(LoginError::Missing | LoginError::Damaged) => {}
        Err(error) => return Err(error.into()),
    }
    let stop = stop_on_signals()?;
    let (line, now) = (profile.line(), || Moment::now().now);
    let grant = if arguments.device {
        oauth::device_login(client, &line, &stop, show, now)
    } else {
        let user = &profile.server.user;
        oauth::browser_login(client, user, &line, &stop, open_browser, now)
    };
    let grant = grant?;
    let _lock = lock_login(&profile.server, &stop);
    logins::store(&profile.server, store, &grant)?;
    say(&format!("signed in; kept in {place}"));
    Ok(Status::Ok)
}

/// What to type where: part of the question, so it is shown to those who want quiet, too.
fn show(prompt: &DevicePrompt) {
    eprintln!(
        "open {} on any device and enter the code {}",
        escape_str(&prompt.verification_uri),
        escape_str(&prompt.user_code)
    );
}

/// Tells the address, and opens it where there is a screen.
fn open_browser(url: &str) {
    eprintln!("to sign in, open this address in a browser:\n\n    {url}\n");
    let has = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !has("DISPLAY") && !has("WAYLAND_DISPLAY") {
        eprintln!(
            "it must be a browser of this machine; where there is none, try --device (Ctrl-C ends \
             this)"
        );
        return;
    }
    let mut command = Command::new(system::OPENER);
    command.arg(url).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    // The address stands above for where this does not work.
    if let Ok(mut child) = command.spawn() {
        // Without a thread it is waited for by whoever ends us.
        let _ = threads::detach(move || child.wait());
    }
}

/// For an account that is to be signed in to, what its table says; an error for any other.
fn login_of(profile: &Profile) -> Result<(&Client, Store), Failure> {
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
            "in the config file, put in the place of its password: oauth = { client-id = \"...\" }, \
             with `client-secret` where the provider gives one, and `provider` where the server does \
             not tell it; see popfetch man popfetch.toml",
        )),
    }
}
