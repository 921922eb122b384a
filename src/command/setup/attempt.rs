//! Trying the sign-in, before anything is written.

use super::server::waits;
use super::typed::Typed;
use crate::command::ask::Asker;
use crate::command::context::Context;
use crate::command::fail::Failure;
use crate::discover::steps;
use crate::exit::{Diagnose, Status};
use crate::fetch::{self, Account, look};
use crate::paths;
use crate::profile::draft::Draft;
use crate::profile::{Auth, Config, Overrides, Profile};
use crate::report::{self, Report};
use crate::secrets::{self, Credential, Password, SecretError};
use crate::server::Server;
use crate::stop::{Stop, echo};
use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A person mistypes a password now and then; after so many servers begin to shut people out.
const TRIES: usize = 3;

/// What is known of the mailbox before the questions about it.
pub(super) struct Known {
    /// How many messages are there; None before the first sign-in.
    pub(super) messages: Option<u64>,
    /// Why the first fetch takes all of it.
    pub(super) takes_all: Option<fetch::Error>,
}

impl Known {
    /// What the name of the server tells.
    pub(super) fn of(server: &Server) -> Self {
        Self {
            messages: None,
            takes_all: fetch::takes_all(server),
        }
    }
}

/// The profile that a draft means.
pub(super) fn profile_of(draft: &Draft, path: &Path) -> Result<Profile, Failure> {
    let config = Config::from_text(path, Zeroizing::new(draft.text()))?;
    Ok(config.profile(&draft.name, &Overrides::default())?)
}

/// Asks for the password until the server lets us in; then `draft` has the user's name that does, and the
/// way to sign in where only another one than its own did with the same password.
/// The password, and what there is.
pub(super) fn sign_in(
    context: &Context<'_>,
    asker: &Asker,
    draft: &mut Draft,
    path: &Path,
    typed: &Typed<'_>,
) -> Result<(Password, Known), Failure> {
    let from_stdin = typed.arguments.sign_in.password_stdin;
    for attempt in 1..=TRIES {
        let password = match from_stdin || !secrets::can_ask() {
            true => from_pipe(typed)?,
            false => ask(asker, draft, path, attempt > 1)?,
        };
        let refusal = match try_in(context, asker, draft, path, &password)? {
            Ok(known) => return Ok((password, known)),
            Err(refusal) => refusal,
        };
        let other = refusal.other.clone();
        if refusal.failure.status != Status::NoPermission
            || from_stdin
            || asker.yes
            || attempt == TRIES
        {
            return Err(refusal.in_the_end(typed));
        }
        refusal.say(context);
        let Some((_, method)) = other else { continue };
        let question = format!("Try the same password by another way ({})?", method.word());
        if !asker.agree(&question, true)? {
            continue;
        }
        let before = std::mem::replace(&mut draft.auth, method);
        match try_in(context, asker, draft, path, &password)? {
            Ok(known) => return Ok((password, known)),
            // It was the password: of the first way nothing is known yet.
            Err(refusal) if refusal.failure.status == Status::NoPermission => {
                draft.auth = before;
                refusal.say(context);
            }
            Err(refusal) => return Err(refusal.in_the_end(typed)),
        }
    }
    Err(Failure::new(
        Status::Internal,
        "no sign-in was tried",
        "try again",
    ))
}

/// Asks for the password, and for the user's name where that is wished for: whoever types a password once
/// more on a question that is not about it would type it for all to see.
fn ask(asker: &Asker, draft: &mut Draft, path: &Path, is_again: bool) -> Result<Password, Failure> {
    let wish = "Type the password again, or press Enter alone to change the user name.";
    let mut may_wish = is_again && !asker.yes;
    if may_wish {
        asker.say(wish);
    }
    loop {
        let server = profile_of(draft, path)?.server;
        // The account has no name yet that its owner knows.
        let name = format!("{}@{}", server.user, server.host);
        match secrets::prompt_once(&name, &server)? {
            Some(password) => return Ok(password),
            None if may_wish => {
                let user = draft.user.clone();
                draft.user = asker.text("Your user name at this server", Some(&user), |user| {
                    crate::profile::checked_user(user).map_err(str::to_owned)
                })?;
            }
            None => {
                asker.object("nothing was typed");
                may_wish = !asker.yes;
                if may_wish {
                    asker.say(wish);
                }
            }
        }
    }
}

/// Why the server did not let us in.
struct Refusal {
    failure: Failure,
    /// What the hint says before it names another way to sign in, and that.
    other: Option<(String, Auth)>,
}

impl Refusal {
    /// A question comes in the place of what the hint would lead to.
    fn say(self, context: &Context<'_>) {
        let failure = match self.other {
            Some((before, _)) => self.failure.with_hint(before),
            None => self.failure,
        };
        eprint!("{}", failure.render(context.paint()));
    }

    fn in_the_end(self, typed: &Typed<'_>) -> Failure {
        match self.other {
            Some((before, method)) => self.failure.with_hint(format!(
                "{before}: try\n\n    {}",
                typed.again(|setup| setup.sign_in.auth = Some(method))
            )),
            None => self.failure,
        }
    }
}

/// Signs in as the draft says, and tells what waits there.
fn try_in(
    context: &Context<'_>,
    asker: &Asker,
    draft: &Draft,
    path: &Path,
    password: &Password,
) -> Result<Result<Known, Refusal>, Failure> {
    let mut profile = profile_of(draft, path)?;
    profile.name.clone_from(&draft.user);
    let failure = match echo::deaf(|| waiting(context, &profile, password))? {
        Ok((messages, octets, takes_all)) => {
            asker.say(&waits(draft.protocol, messages, octets));
            return Ok(Ok(Known {
                messages: Some(messages),
                takes_all,
            }));
        }
        Err(failure) => failure,
    };
    let steps = steps::of(draft.protocol, &draft.host).map(|steps| steps.text.to_owned());
    let other = failure.hint.as_deref().filter(|_| steps.is_none());
    let other = other.and_then(other_method);
    let hint = steps.or(failure.hint).unwrap_or_default();
    let failure = Failure::new(failure.status, failure.message, hint);
    Ok(Err(Refusal { failure, other }))
}

/// What a hint says before it names another method, as in "...: try auth = \"plain\" (--auth plain)".
fn other_method(hint: &str) -> Option<(String, Auth)> {
    let (before, rest) = hint.split_once("try auth = ")?;
    let (_, word) = rest.split_once("(--auth ")?;
    let word = word.split(')').next()?;
    let before = before.trim_end_matches([' ', ';', ':', ',']);
    Some((before.to_owned(), Auth::of_word(word)?))
}

/// The password in standard input, for which nobody is asked.
fn from_pipe(typed: &Typed<'_>) -> Result<Password, Failure> {
    match secrets::from_line(&mut io::stdin().lock()) {
        Err(SecretError::Empty) => {
            let line = typed.again(|setup| setup.sign_in.password_stdin = true);
            Err(Failure::new(
                SecretError::Empty.status(),
                "there is no password in standard input",
                format!(
                    "have a program write it there, as in pass show mail | popfetch setup; here:\n\n    \
                     COMMAND | {line}"
                ),
            ))
        }
        password => Ok(password?),
    }
}

/// Messages and octets on the server, and why the first fetch takes all of them.
type Waiting = Result<(u64, u64, Option<fetch::Error>), report::Failure>;

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
        credential: Credential::Password(Cow::Borrowed(password)),
        environment: &environment,
        addressee: None,
    };
    let looked = look(&account, |look| {
        let octets = look.maildrop.total_octets();
        let messages = look.maildrop.len() as u64;
        let takes_all = look.takes_all();
        look.leave();
        (messages, octets, takes_all)
    });
    report.clear();
    Ok(looked.map_err(|error| fetch::failure(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_method_is_read_from_the_hint_that_names_it() {
        let hint =
            "check user and password; if they are right: try auth = \"plain\" (--auth plain)";
        let before = "check user and password; if they are right".to_owned();
        assert_eq!(
            other_method(hint),
            Some((before, Auth::of_word("plain").unwrap()))
        );
        assert_eq!(other_method("check user and password"), None);
        assert_eq!(other_method("try auth = \"x\" (--auth nonsense)"), None);
    }
}
