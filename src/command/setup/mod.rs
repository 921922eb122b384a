//! `popfetch setup`: from an address and a password to an account, by questions with usual answers.
//!
//! Nothing is written before the last one.

mod attempt;
mod first;
mod folders;
mod given;
mod keep;
mod next;
mod server;
mod trust;
mod typed;

use super::context::Context;
use super::fail::{Failure, print};
use super::login;
use crate::cli::{Cli, Login, Setup};
use crate::command::ask::Asker;
use crate::discover::steps::{self, SignIn};
use crate::discover::{Address, Candidate};
use crate::exit::Status;
use crate::net::tls::TlsPolicy;
use crate::paths;
use crate::profile::draft::{self, Draft, Place, Reach};
use crate::profile::units::Period;
use crate::profile::{Config, Keep, Overrides, without_password};
use crate::secrets::Password;
use crate::secrets::keyring;
use crate::stop::echo;
use crate::term::quoted;
use crate::threads;
use attempt::Known;
use next::{Next, say_next};
use server::Chosen;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;
use typed::Typed;

/// What a person most likely wants who wants it deleted after some time.
const USUAL_DAYS: &str = "14";

/// Runs the command.
pub(super) fn run(context: &Context<'_>, arguments: &Setup) -> Result<Status, Failure> {
    let path = match &context.global.config {
        Some(path) => paths::in_full(path),
        None => paths::config_file()?,
    };
    // What is wrong with the file is said before anything is asked.
    let config = match path.exists() {
        true => Config::load(&path)?,
        false => Config::empty(),
    };
    let asker = Asker {
        yes: arguments.yes || arguments.print,
    };
    let policy = trust::policy_of(&arguments.sign_in)?;
    echo::last_words(Some("Nothing has been written."));
    let has_keyring = look_for_keyring();
    given::check(arguments, &config, &path, &has_keyring)?;
    let address = match &arguments.address {
        Some(text) => Address::parse(text).map_err(|wrong| {
            Failure::new(
                Status::Usage,
                format!("{}: {wrong}", without_password(text)),
                "popfetch setup ada@example.com",
            )
        })?,
        None if asker.yes => {
            return Err(Failure::new(
                Status::Usage,
                "it is not said whose mail is to be fetched",
                format!(
                    "name the address, as in popfetch setup ada@example.com{}{}",
                    if arguments.print {
                        " --print"
                    } else {
                        " --yes"
                    },
                    typed::config_option(context.global.config.as_deref())
                ),
            ));
        }
        None => asker.text("Your mail address", None, |text| {
            Address::parse(text).map_err(str::to_owned)
        })?,
    };
    let typed = Typed {
        arguments,
        config: context.global.config.as_deref(),
        address: address.whole(),
    };
    let Chosen { server, policy } = server::choose(&asker, &address, &typed, policy)?;
    let mut draft = begin(arguments, &config, &address, &server, policy)?;
    trust::check(&draft, &arguments.sign_in)?;
    refuse_second(&config, &draft, &path)?;
    let mut known = Known::of(&attempt::profile_of(&draft, &path)?.server);
    first::check(arguments.latest, known.takes_all.as_ref())?;
    let oauth = register(&asker, arguments, &draft, &has_keyring)?;
    let password = match &oauth {
        Some(_) => {
            trust::check_oauth(&draft)?;
            None
        }
        None if arguments.print && !arguments.sign_in.password_stdin => None,
        None => {
            let (password, seen) = attempt::sign_in(context, &asker, &mut draft, &path, &typed)?;
            first::check(arguments.latest, seen.takes_all.as_ref())?;
            known = seen;
            Some(password)
        }
    };
    questions(&asker, arguments, &config, &mut draft, &path, &known)?;
    draft.secret = match oauth {
        Some(place) => place,
        None if arguments.print && arguments.secret.is_none() => Place::Ask,
        None => {
            let has_keyring = has_keyring.answer();
            let password = password.as_ref();
            keep::choose(
                &asker,
                arguments.secret,
                has_keyring,
                &path,
                &draft.name,
                password,
            )?
        }
    };
    if arguments.print {
        print(draft.text())?;
        return Ok(Status::Ok);
    }
    let is_empty = known.messages == Some(0) && draft.reach == Reach::Inbox;
    let something_comes = !is_empty && draft.latest != Some(0);
    let next = Next {
        config: context.global.config.as_deref(),
        something_comes,
    };
    finish(context, &asker, &draft, password.as_ref(), &path, next)
}

/// What is known before the sign-in.
fn begin(
    arguments: &Setup,
    config: &Config,
    address: &Address,
    server: &Candidate,
    policy: TlsPolicy,
) -> Result<Draft, Failure> {
    let user = match &arguments.user {
        Some(user) => given::user_of(user)?,
        None => server.user.clone(),
    };
    let name = arguments.name.clone();
    let name = name.unwrap_or_else(|| free_name(config, address));
    Ok(Draft {
        maildir: format!("~/Mail/{name}"),
        name,
        protocol: server.protocol,
        host: server.host.clone(),
        port: server.port,
        security: server.security,
        roots: policy.roots,
        pins: policy.pins,
        auth: arguments.sign_in.auth.unwrap_or_default(),
        timeout: arguments.sign_in.timeout.map(Period::duration),
        user,
        reach: Reach::default(),
        keep: match (arguments.delete, arguments.delete_after) {
            (true, _) => Keep::Never,
            (_, Some(after)) => Keep::For(after.duration()),
            _ => Keep::Always,
        },
        latest: arguments.latest,
        secret: Place::Ask,
    })
}

/// The first name that a person would give it and that is free.
fn free_name(config: &Config, address: &Address) -> String {
    let labels = address.domain().split('.');
    let label = labels
        .clone()
        .find(|label| !["mail", "pop", "pop3", "imap", "www"].contains(label));
    let label = label.unwrap_or("home");
    let taken = |name: &str| config.accounts().any(|it| it == name) || is_command(name);
    let numbered = (2..1000).map(|number| format!("{label}-{number}"));
    let mut names = [label.to_owned()].into_iter().chain(numbered);
    names
        .find(|name| !taken(name))
        .unwrap_or_else(|| label.to_owned())
}

/// An account that there is already would not be fetched twice.
fn refuse_second(config: &Config, draft: &Draft, path: &Path) -> Result<(), Failure> {
    let server = attempt::profile_of(draft, path)?.server;
    let second = config.accounts().find(|name| {
        let profile = config.profile(name, &Overrides::default());
        profile.is_ok_and(|profile| profile.server == server)
    });
    match second {
        None => Ok(()),
        Some(name) => Err(Failure::new(
            Status::Config,
            format!("{} is set up already, as account `{name}`", server.id()),
            format!("popfetch account test {}", quoted(name)),
        )),
    }
}

/// Says what the provider wants, and, for OAuth 2.0, asks what the program is registered as.
fn register(
    asker: &Asker,
    arguments: &Setup,
    draft: &Draft,
    has_keyring: &Keyring,
) -> Result<Option<Place>, Failure> {
    let Some(steps) = steps::of(draft.protocol, &draft.host) else {
        return Ok(None);
    };
    eprintln!();
    asker.say(steps.text);
    let provider = match steps.sign_in {
        SignIn::OAuth(provider) => provider,
        SignIn::AppPasswordOrOAuth(provider) if !asker.yes => {
            let options = [
                "an app password",
                "OAuth 2.0, in the browser (needs a registration of your own, once)",
            ];
            match asker.choose("How do you want to sign in?", &options, 0)? {
                0 => return Ok(None),
                _ => provider,
            }
        }
        _ => return Ok(None),
    };
    if arguments.yes {
        return Err(Failure::new(
            Status::Usage,
            format!(
                "{} signs in with OAuth 2.0, which needs a person",
                steps.provider
            ),
            "leave out --yes",
        ));
    }
    eprintln!();
    asker.steps(steps::registration(provider));
    eprintln!();
    let id = if arguments.print {
        "...".to_owned()
    } else {
        asker.text("Client ID", None, filled)?
    };
    let client_secret = match provider {
        "google" if arguments.print => Some("...".to_owned()),
        "google" => Some(asker.text("Client secret", None, filled)?),
        _ => None,
    };
    Ok(Some(Place::OAuth {
        provider,
        client_id: id,
        client_secret,
        in_file: !has_keyring.answer(),
    }))
}

fn filled(text: &str) -> Result<String, String> {
    match text.is_empty() || text.chars().any(char::is_whitespace) {
        true => Err("it is one word".to_owned()),
        false => Ok(text.to_owned()),
    }
}

/// Which folders, how much first, what on the server, the name, where the mail goes.
fn questions(
    asker: &Asker,
    arguments: &Setup,
    config: &Config,
    draft: &mut Draft,
    path: &Path,
    server: &Known,
) -> Result<(), Failure> {
    draft.reach = folders::ask(asker, draft)?;
    if arguments.latest.is_none() {
        let takes_all = server.takes_all.as_ref();
        // What is in other folders nobody has counted.
        let in_each = draft.reach != Reach::Inbox;
        let waiting = server.messages.filter(|_| !in_each);
        draft.latest = first::ask(asker, (waiting, in_each), takes_all)?;
    }
    if !arguments.keep && !arguments.delete && arguments.delete_after.is_none() {
        let options = [
            "it stays there",
            "it is deleted after some days",
            "it is deleted at once, as is what was fetched earlier and is still there",
        ];
        let what = "What becomes of mail on the server once it is fetched?";
        draft.keep = match asker.choose(what, &options, 0)? {
            0 => Keep::Always,
            1 => asker.text("After how many days", Some(USUAL_DAYS), |days| {
                // A period with its unit, as the config file takes it, says as much.
                let period = format!("{days} days").parse::<Period>();
                let period = period.or_else(|_| days.parse::<Period>());
                let period = period.map_err(|_| "a number of days, please".to_owned())?;
                Ok(Keep::For(period.duration()))
            })?,
            _ => Keep::Never,
        };
    }
    let usual = draft.name.clone();
    if !asker.yes {
        eprintln!();
    }
    draft.name = match arguments.name {
        // Whether it can be one is checked in the same way.
        Some(_) => Asker { yes: true }.text("--name", Some(&usual), |name| {
            named(config, draft, name, path)
        }),
        None => asker.text("What shall the account be called?", Some(&usual), |name| {
            named(config, draft, name, path)
        }),
    }?;
    let usual = match &arguments.maildir {
        Some(given) => given.display().to_string(),
        None => format!("~/Mail/{}", draft.name),
    };
    let given = Asker {
        yes: asker.yes || arguments.maildir.is_some(),
    };
    let maildir = given.text(
        "Where does the mail go (a Maildir)?",
        Some(&usual),
        |text| {
            let maildir = match &arguments.maildir {
                Some(given) => std::path::absolute(given).map_err(|error| error.to_string())?,
                None => draft::path_of(text)?,
            };
            given::check_maildir(&maildir, draft, path).map_err(|wrong| wrong.text())?;
            Ok(maildir)
        },
    )?;
    draft.maildir = draft::shown(&maildir);
    Ok(())
}

fn named(config: &Config, draft: &Draft, name: &str, path: &Path) -> Result<String, String> {
    if config.accounts().any(|it| it == name) {
        return Err(format!("there is an account `{name}` already"));
    }
    if is_command(name) {
        return Err(format!(
            "`{name}` is a command of popfetch, and would be taken for it"
        ));
    }
    let draft = Draft {
        name: name.to_owned(),
        ..draft.clone()
    };
    match attempt::profile_of(&draft, path) {
        Ok(_) => Ok(name.to_owned()),
        Err(failure) => Err(failure.text()),
    }
}

/// Whether `popfetch NAME` is something else than to fetch an account.
fn is_command(name: &str) -> bool {
    let commands = Cli::command();
    let mut commands = commands.get_subcommands();
    name == "help" || commands.any(|it| it.get_name() == name)
}

/// The last question; then all is written, and what comes next is said.
fn finish(
    context: &Context<'_>,
    asker: &Asker,
    draft: &Draft,
    password: Option<&Password>,
    path: &Path,
    next: Next<'_>,
) -> Result<Status, Failure> {
    let shown = draft::shown(path);
    if !asker.yes {
        eprintln!();
        asker.say(&format!("This goes into {shown}:"));
        let text = draft.text();
        let lines: Vec<String> = text.lines().map(|line| format!("    {line}")).collect();
        asker.say(&format!("\n{}\n", lines.join("\n")));
        if !asker.agree("Write it?", true)? {
            asker.say("Nothing has been written.");
            return Ok(Status::Ok);
        }
    }
    echo::last_words(None);
    keep::write(draft, password, path)?;
    asker.say(&format!("Account `{}` is in {shown}.", draft.name));
    if matches!(draft.secret, Place::OAuth { .. }) {
        let login = Login {
            account: draft.name.clone(),
            device: matches!(&draft.secret, Place::OAuth { provider, .. } if *provider == "microsoft")
                && !has_screen(),
            remove: false,
        };
        eprintln!();
        login::run(context, &login)?;
    }
    eprintln!();
    say_next(asker, draft, &next);
    Ok(Status::Ok)
}

fn has_screen() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Whether there is a keyring, which is looked for while a person types.
struct Keyring(std::cell::OnceCell<bool>, mpsc::Receiver<bool>);

/// How long an answer is waited for once it is needed.
const KEYRING_PATIENCE: Duration = Duration::from_secs(2);

fn look_for_keyring() -> Keyring {
    let (sender, answer) = mpsc::channel();
    let look = move || sender.send(keyring::answers());
    if let Err(Some(here)) = threads::detach(look) {
        // Nobody waits for the answer yet.
        let _ = here();
    }
    Keyring(std::cell::OnceCell::new(), answer)
}

impl Keyring {
    fn answer(&self) -> bool {
        let wait = || self.1.recv_timeout(KEYRING_PATIENCE).unwrap_or(false);
        *self.0.get_or_init(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_called_by_its_domain_and_like_no_other() {
        let text = "[accounts.gmail]\n[accounts.gmail-2]\n".to_owned();
        let config = Config::from_text(Path::new("/c"), zeroize::Zeroizing::new(text)).unwrap();
        let name = |text| free_name(&config, &Address::parse(text).unwrap());
        assert_eq!(name("ada@gmail.com"), "gmail-3");
        assert_eq!(name("ada@example.co.uk"), "example");
        assert_eq!(name("ada@mail.example.com"), "example");
    }
}
