//! Where the password is to be kept, and the writing of all of it.

use super::attempt::profile_of;
use crate::cli::Secret;
use crate::command::ask::Asker;
use crate::command::fail::Failure;
use crate::exit::Status;
use crate::profile::draft::{self, Draft, DraftError, Place};
use crate::profile::edit;
use crate::secrets::keyring;
use crate::secrets::{self, Helper, Password};
use std::path::Path;

/// Asks where the password is to be kept. The keyring is offered where there is one.
pub(super) fn choose(
    asker: &Asker,
    wanted: Option<Secret>,
    has_keyring: bool,
    config: &Path,
    name: &str,
    password: Option<&Password>,
) -> Result<Place, Failure> {
    let file = || Place::File(draft::shown(&edit::password_file(config, name)));
    match wanted {
        Some(Secret::Keyring) => return check_keyring(has_keyring).map(|()| Place::Keyring),
        Some(Secret::File) => return Ok(file()),
        Some(Secret::Ask) => return Ok(Place::Ask),
        None => {}
    }
    let Place::File(path) = file() else {
        return Ok(Place::Ask);
    };
    let in_file = format!("in a file for you alone, {path}");
    let mut options = vec![
        in_file.as_str(),
        "with a program that prints it (pass, a password manager)",
        "nowhere: I am asked each time (not for a timer)",
    ];
    let mut places = vec![Some(file()), None, Some(Place::Ask)];
    if has_keyring {
        options.insert(0, "in the system keyring (may be locked when a timer runs)");
        places.insert(0, Some(Place::Keyring));
    }
    let choice = asker.choose("Where is the password to be kept?", &options, 0)?;
    match places.into_iter().nth(choice).flatten() {
        Some(place) => Ok(place),
        None => asker.text("The command", Some("pass show mail"), |line| {
            let argv = words(line).ok_or("a quotation mark is left open")?;
            match secrets::printed_by(Helper::Password, &argv, true, None) {
                Ok(printed) if password.is_some_and(|it| *it != printed) => Err(format!(
                    "what `{line}` prints is not the password that the server has just taken"
                )),
                Ok(_) => Ok(Place::Command(argv)),
                Err(error) => Err(error.to_string()),
            }
        }),
    }
}

/// Fails where `--secret keyring` has none.
pub(super) fn check_keyring(has_keyring: bool) -> Result<(), Failure> {
    match has_keyring {
        true => Ok(()),
        false => Err(Failure::new(
            Status::NoPermission,
            "--secret keyring: no keyring answers in this session",
            "use --secret file",
        )),
    }
}

/// A line as a shell would split it, quotation marks alone.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut open) = (Vec::new(), None::<String>, None);
    for character in line.chars() {
        match (open, character) {
            (Some(mark), it) if it == mark => open = None,
            (None, '"' | '\'') => {
                open = Some(character);
                word.get_or_insert_default();
            }
            (None, it) if it.is_whitespace() => words.extend(word.take()),
            (_, it) => word.get_or_insert_default().push(it),
        }
    }
    words.extend(word);
    (open.is_none() && !words.is_empty()).then_some(words)
}

/// Writes the password, then the account. Where the second fails, the first is taken back.
pub(super) fn write(
    draft: &Draft,
    password: Option<&Password>,
    config: &Path,
) -> Result<(), Failure> {
    let profile = profile_of(draft, config)?;
    let file = match (&draft.secret, password) {
        (Place::File(_), Some(password)) => match &profile.password {
            crate::profile::PasswordSource::File(path) => {
                let line = zeroize::Zeroizing::new(format!("{}\n", password.reveal()));
                edit::replace_file(path, line.as_bytes(), || Ok::<_, DraftError>(()))?;
                Some(path.clone())
            }
            _ => None,
        },
        (Place::Keyring, Some(password)) => {
            keyring::store(&profile.server, password)?;
            None
        }
        _ => None,
    };
    draft::add_to_file(config, draft).map_err(|error| {
        if let Some(file) = file {
            draft::remove_private(&file);
        } else if draft.secret == Place::Keyring {
            // It is of no use to anybody, and asks for a passphrase at most.
            let _ = keyring::remove(&profile.server);
        }
        error.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_as_people_write_it() {
        let split = |line| words(line).map(|words| words.join("|"));
        assert_eq!(
            split("pass show mail/work"),
            Some("pass|show|mail/work".into())
        );
        assert_eq!(
            split(" sh -c 'echo \"a b\"' \"\""),
            Some("sh|-c|echo \"a b\"|".into())
        );
        assert_eq!(split("sh -c 'echo"), None);
        assert_eq!(split("  "), None);
    }
}
