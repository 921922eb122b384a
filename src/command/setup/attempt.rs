//! Trying the sign-in, before anything is written.

use super::server::waits;
use crate::command::ask::Asker;
use crate::command::context::Context;
use crate::command::fail::Failure;
use crate::discover::steps;
use crate::exit::Status;
use crate::fetch::{self, Account, look};
use crate::paths;
use crate::profile::draft::Draft;
use crate::profile::{Config, Overrides, Profile};
use crate::report::{self, Report};
use crate::secrets::{self, Credential, Password};
use crate::stop::Stop;
use std::io;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A person mistypes a password now and then; after so many servers begin to shut people out.
const TRIES: usize = 3;

/// The profile that a draft means.
pub(super) fn profile_of(draft: &Draft, path: &Path) -> Result<Profile, Failure> {
    let config = Config::from_text(path, Zeroizing::new(draft.text()))?;
    Ok(config.profile(&draft.name, &Overrides::default())?)
}

/// Asks for the password until the server lets us in; then `draft` has the user's name that does.
pub(super) fn sign_in(
    context: &Context<'_>,
    asker: &Asker,
    draft: &mut Draft,
    path: &Path,
    from_stdin: bool,
) -> Result<Password, Failure> {
    for attempt in 1.. {
        let mut profile = profile_of(draft, path)?;
        // The account has no name yet that its owner knows.
        profile.name = format!("{}@{}", profile.server.user, profile.server.host);
        let password = match from_stdin || !secrets::can_ask() {
            true => secrets::from_line(&mut io::stdin().lock())?,
            false => secrets::prompt(&profile.name, &profile.server)?,
        };
        profile.name.clone_from(&draft.user);
        let failure = match waiting(context, &profile, &password)? {
            Ok((messages, octets)) => {
                asker.say(&waits(messages, octets));
                return Ok(password);
            }
            Err(failure) => failure,
        };
        let hint = steps::of_host(&draft.host).map(|steps| steps.text.to_owned());
        let hint = hint.or(failure.hint).unwrap_or_default();
        let refused = failure.status == Status::NoPermission;
        let failure = Failure::new(failure.status, failure.message, hint);
        if !refused || from_stdin || asker.yes || attempt >= TRIES {
            return Err(failure);
        }
        eprint!("{}", failure.render(context.paint()));
        let user = draft.user.clone();
        draft.user = asker.text("Your user name at this server", Some(&user), |user| {
            crate::profile::checked_user(user).map_err(str::to_owned)
        })?;
    }
    Err(Failure::new(
        Status::Internal,
        "no sign-in was tried",
        "try again",
    ))
}

/// Messages and octets on the server.
type Waiting = Result<(u64, u64), report::Failure>;

/// Signs in and lists the maildrop. Nothing is written: not even that the server refused us.
fn waiting(
    context: &Context<'_>,
    profile: &Profile,
    password: &Password,
) -> Result<Waiting, Failure> {
    let report = context.text_reporter();
    let stop = Stop::never().map_err(|error| {
        Failure::new(
            Status::Internal,
            format!("cannot connect: {error}"),
            "try again",
        )
    })?;
    let mut environment = context.environment_with(stop, Arc::clone(&report) as Arc<dyn Report>)?;
    // A directory that is never made.
    environment.state = paths::state_dir()?.join("setup").into();
    let account = Account {
        profile,
        credential: Credential::Password(password),
        environment: &environment,
    };
    let looked = look(&account, |look| {
        let octets = look.maildrop.total_octets();
        let messages = look.maildrop.len() as u64;
        look.leave();
        (messages, octets)
    });
    report.clear();
    Ok(looked.map_err(|error| fetch::failure(&error)))
}
