//! What is on this machine: the Maildir, the state, the keyring. Nothing is made or changed.

use super::super::check::waiting_onward;
use super::super::{lacking, on_new};
use super::finding::{Check, Finding};
use crate::delivery::Room;
use crate::durable::{Dir, Disk, advice};
use crate::exit::{Diagnose, Status};
use crate::fetch;
use crate::handover::{Lmtp, Recipient};
use crate::maildir::{Ground, Maildir, Site};
use crate::moment::Moment;
use crate::profile::draft::shown;
use crate::profile::{Deliver, OnNew, PasswordSource, Profile};
use crate::report::Failure;
use crate::rules::FilterCommand;
use crate::secrets::{OAuth, Store, keyring};
use crate::state::{self, View};
use crate::stop::Stop;
use crate::term::{count, escape_str, size};
use rustix::fs::{Access, access};
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};

/// Looks at all of it.
pub(super) fn look(profile: &Profile, state: &Path, stop: &Stop) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !profile.maildir.as_os_str().is_empty() {
        look_at_maildir(profile, state, &mut findings);
    }
    let recipient = profile.deliver.as_ref();
    findings.extend(recipient.map(|it| look_at_recipient(it, stop)));
    findings.extend(profile.rules.filter().map(look_at_filter));
    findings.extend(profile.on_new.as_ref().map(look_at_on_new));
    findings.push(look_at_state(profile, state));
    findings.push(look_at_secret(&profile.password));
    findings
}

fn look_at_maildir(profile: &Profile, state: &Path, findings: &mut Vec<Finding>) {
    let site = match fetch::site(&Disk::new(), profile) {
        Ok(site) => site,
        Err(error) => return findings.push(Finding::fail(Check::Maildir, &error)),
    };
    let path = shown(&profile.maildir);
    // What a fetch would stop at comes first: another's Maildir, or a disk that is not mounted.
    let view = View::read(state, &profile.server.id());
    let check = |view: View| {
        if profile.dated.is_some() {
            view.check_before(&site, &profile.word())?;
        }
        view.check(&site, &profile.word())
    };
    let is_known = match view.map(check) {
        Ok(Err(error)) => return findings.push(Finding::fail(Check::Maildir, &error)),
        Ok(Ok(is_known)) => is_known,
        // The state has a line of its own.
        Err(_) => false,
    };
    match site.ground() {
        Ground::Nothing | Ground::Empty => findings.push(look_above(&site, &path)),
        Ground::Part if is_known => findings.push(Finding::warn(
            Check::Maildir,
            format!("{path} lacks one of tmp, new and cur"),
            "the next fetch makes it; what was in it is not there any more",
        )),
        // Opens what is there: nothing is made of anything else.
        ground => match open(&site, ground) {
            Err(error) => return findings.push(Finding::fail(Check::Maildir, &error)),
            Ok(maildir) => {
                findings.push(look_within(&maildir, &path));
                let wrong = profile.known_folders();
                let wrong = wrong.filter_map(|folder| maildir.check_folder(folder).err());
                findings.extend(wrong.map(|error| Finding::fail(Check::Folder, &error)));
                findings.push(who_delivers(&site, &profile.server.id()));
            }
        },
    }
    findings.extend(free_space(&profile.maildir));
}

/// Nothing is made, even where it is taken away meanwhile.
fn open(site: &Site, ground: Ground) -> Result<Maildir, crate::maildir::Error> {
    match ground {
        Ground::Whole => site.open(&Disk::new()),
        _ => site.settle(&Disk::new(), false),
    }
}

/// A Maildir that is there.
fn look_within(maildir: &Maildir, path: &str) -> Finding {
    let found = match maildir.check_move() {
        Ok(()) => Finding::ok(
            Check::Maildir,
            format!("{path} is there, can be written to, and files can be moved within it"),
        ),
        Err(error) => Finding::failed(
            Check::Maildir,
            Failure {
                status: Status::CannotCreate,
                message: format!("nothing can be moved from tmp/ to new/ in {path}: {error}"),
                hint: Some("tmp, new and cur of a Maildir are on one file system".to_owned()),
                routine: false,
            },
        ),
    };
    found.with("path", maildir.path().display().to_string())
}

/// A Maildir that is to be made.
fn look_above(site: &Site, shown_path: &str) -> Finding {
    let found = match site.check(&Disk::new(), false) {
        Ok(()) => Finding::ok(
            Check::Maildir,
            format!("{shown_path} is not there yet, and is made with the first mail"),
        ),
        Err(error) => Finding::fail(Check::Maildir, &error),
    };
    found.with("path", site.path().display().to_string())
}

/// The path itself, or what is there above it.
fn nearest(path: &Path) -> PathBuf {
    let found = path.ancestors().find(|it| it.is_dir());
    found.unwrap_or(Path::new("/")).to_owned()
}

fn who_delivers(site: &Site, id: &str) -> Finding {
    let others = site.roster.deliverers().map(|it| &it.account);
    let others: Vec<String> = others.filter(|it| *it != id).cloned().collect();
    let text = match others.as_slice() {
        [] if site.roster.id.is_some() => "this account alone delivers there".to_owned(),
        [] => "popfetch has not delivered there yet".to_owned(),
        others => {
            let others: Vec<_> = others.iter().map(|it| escape_str(it)).collect();
            format!("beside this account: {}", others.join(", "))
        }
    };
    Finding::ok(Check::Deliveries, text).with("others", json!(others))
}

/// What is run after a fetch, which brings mail without it as well.
fn look_at_on_new(hook: &OnNew) -> Finding {
    let name = escape_str(hook.program());
    match on_new::find(hook) {
        Ok(path) => {
            let text = format!("`{name}` is run on new mail: {}", shown(&path));
            Finding::ok(Check::OnNew, text).with("path", path.display().to_string())
        }
        Err((what, hint)) => Finding::warn(Check::OnNew, what, hint).with("path", json!(null)),
    }
}

/// What decides where no rule does; mail comes without it as well.
fn look_at_filter(filter: &FilterCommand) -> Finding {
    let name = escape_str(filter.program());
    match lacking::find_filter(filter) {
        Ok(path) => {
            let text = format!("`{name}` decides where no rule does: {}", shown(&path));
            Finding::ok(Check::Filter, text).with("path", path.display().to_string())
        }
        Err((what, hint)) => Finding::warn(Check::Filter, what, hint).with("path", json!(null)),
    }
}

/// What takes the mail once it is stored. No message is given to it.
fn look_at_recipient(deliver: &Deliver, stop: &Stop) -> Finding {
    let program = match &deliver.to {
        Recipient::Program(program) => program,
        Recipient::Mbox(mbox) => {
            let found = look_at_mbox(&mbox.path);
            let found = found.with("path", mbox.path.display().to_string());
            return found.with("keeps", deliver.keeps());
        }
        Recipient::Folder(folder) => {
            let name = escape_str(&folder.account);
            let text = format!(
                "mail is appended to the folder {}; whether it lets you in: popfetch account test {name}",
                escape_str(&folder.to_string()),
            );
            let found = Finding::ok(Check::Deliver, text).with("to", name);
            return found
                .with("folder", folder.folder.as_str())
                .with("keeps", deliver.keeps());
        }
        Recipient::Lmtp(lmtp) => return greet(lmtp, stop).with("keeps", deliver.keeps()),
        Recipient::Stdout => {
            let text = "mail is written to standard output, which promises nothing";
            return Finding::ok(Check::Deliver, text).with("keeps", deliver.keeps());
        }
    };
    let name = escape_str(program.name());
    let found = match program.find() {
        Ok(path) => Finding::ok(
            Check::Deliver,
            format!("`{name}` takes the mail: {}", shown(&path)),
        )
        .with("path", path.display().to_string()),
        Err(unable) => {
            Finding::fail(Check::Deliver, &fetch::Error::Unhanded(unable)).with("path", json!(null))
        }
    };
    found.with("keeps", deliver.keeps())
}

/// Connects to it, and says LHLO and QUIT.
fn greet(lmtp: &Lmtp, stop: &Stop) -> Finding {
    let place = escape_str(&lmtp.place.to_string());
    let recipient = escape_str(&lmtp.recipient);
    let found = match lmtp.test(stop) {
        Ok(greeting) => Finding::ok(
            Check::Deliver,
            format!("{place} takes the mail for {recipient}: {greeting}"),
        ),
        Err(unable) => {
            // Where somebody wants it to end, the network is not to blame.
            let stopped = stop.requested().map(fetch::Error::Stopped);
            let error = stopped.unwrap_or(fetch::Error::Unhanded(unable));
            Finding::fail(Check::Deliver, &error)
        }
    };
    found.with("lmtp", place)
}

/// A file that messages are appended to, or that is to be made.
fn look_at_mbox(path: &Path) -> Finding {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let checked = match path.metadata() {
        Ok(metadata) if !metadata.is_file() => Err(io::ErrorKind::InvalidInput.into()),
        Ok(_) => access(path, Access::READ_OK | Access::WRITE_OK).map_err(io::Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    // A lock is made beside it.
    let checked = checked.and_then(|()| Disk::new().check_directory(directory));
    let shown_path = shown(path);
    let Err(error) = checked else {
        return Finding::ok(Check::Deliver, format!("mail is appended to {shown_path}"));
    };
    let message = match error.kind() {
        io::ErrorKind::InvalidInput => format!("{shown_path} is not a regular file"),
        _ => format!("nothing can be appended to {shown_path}: {error}"),
    };
    let way = advice(path, &error).unwrap_or_else(|| "name another file in `deliver`".to_owned());
    Finding::failed(
        Check::Deliver,
        Failure {
            status: Status::CannotCreate,
            message,
            hint: Some(format!("{way}; until then what is fetched waits")),
            routine: false,
        },
    )
}

fn free_space(path: &Path) -> Option<Finding> {
    let dir = Dir::open_linked(&Disk::new(), &nearest(path)).ok()?;
    let octets = dir.available().ok()?;
    let text = format!("{} free for mail", size(octets));
    let found = match octets < Room::RESERVE {
        true => Finding::warn(
            Check::Space,
            text,
            "make room: mail stays on the server until then",
        ),
        false => Finding::ok(Check::Space, text),
    };
    Some(found.with("octets", octets))
}

fn look_at_state(profile: &Profile, state: &Path) -> Finding {
    let nothing = || {
        Finding::ok(
            Check::State,
            "nothing is remembered yet: the first fetch begins it",
        )
    };
    let dir = match Dir::open(&Disk::new(), state) {
        Ok(dir) => dir,
        // Where it is to be made; who owns what is above it is all the same to a fetch.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match Disk::new().check_directory(state) {
                Ok(()) => nothing().with("messages", 0),
                Err(error) => state_error(state, error),
            };
        }
        Err(error) => return state_error(state, error),
    };
    let usable = dir.check_private().and_then(|()| dir.check_writable());
    if let Err(error) = usable {
        return state_error(state, error);
    }
    if let Some(error) = state::held(&dir, &profile.server.id(), Moment::now().now) {
        return Finding::warn(
            Check::State,
            error.to_string(),
            error.hint().unwrap_or_default(),
        );
    }
    match state::inspect(&dir, &profile.server.id()) {
        Err(error) => Finding::fail(Check::State, &error),
        Ok(found) if found.damaged => Finding::warn(
            Check::State,
            "the state file is damaged",
            "the next fetch makes it again from its good lines and the Maildir, and says so",
        ),
        Ok(found) if found.count() == 0 => nothing().with("messages", 0),
        Ok(found) => {
            let messages = found.count() as u64;
            let waiting = match waiting_onward(profile) {
                0 => "",
                1 => ", of which 1 waits to be handed on",
                more => &format!(", of which {more} wait to be handed on"),
            };
            let text = format!(
                "{} remembered in {}{waiting}",
                count(messages, "message"),
                shown(state)
            );
            Finding::ok(Check::State, text).with("messages", messages)
        }
    }
}

fn state_error(path: &Path, source: io::Error) -> Finding {
    Finding::fail(
        Check::State,
        &state::Error::Io {
            path: path.to_owned(),
            source,
        },
    )
}

/// Where the secret comes from. Whether it is there shows when it is asked for.
fn look_at_secret(source: &PasswordSource) -> Finding {
    let uses_keyring = matches!(
        source,
        PasswordSource::Keyring
            | PasswordSource::OAuth(OAuth::Login {
                store: Store::Keyring,
                ..
            })
    );
    if !uses_keyring {
        return Finding::ok(Check::Keyring, "this account does not need it")
            .with("answers", json!(null));
    }
    match keyring::answers() {
        true => Finding::ok(Check::Keyring, "it answers").with("answers", true),
        false => Finding::warn(
            Check::Keyring,
            "it does not answer in this session",
            match source {
                PasswordSource::OAuth(_) => {
                    "unlock it; where there is none, as under cron, set store = \"file\" in the account's \
                     `oauth` table"
                }
                _ => {
                    "unlock it; where there is none, as under cron, use `password-file` or \
                     `password-command`"
                }
            },
        )
        .with("answers", false),
    }
}

/// What an account cannot be signed in without.
pub(super) fn unready(failure: &Failure) -> Finding {
    Finding::failed(Check::Password, failure.clone())
}
