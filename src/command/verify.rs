//! `popfetch verify`: whether what was recorded is still there, unchanged.

use super::context::Context;
use super::fail::{Failure, print, report_failure};
use super::looked::{Counts, Looked};
use super::state::{date, open_store};
use crate::cli::Verify;
use crate::durable::{Dir, Disk};
use crate::exit::Status;
use crate::fetch::Error;
use crate::maildir::{AccountTag, Search, Site};
use crate::paths;
use crate::profile::{Overrides, Profile};
use crate::report::{Event, Report, Reporter};
use crate::state::{self, Moment, Store, inspect};
use crate::term::{Column, Table, columns, count, escape, escape_str, hex, json_line, size};
use crate::verify::{Finding, Recorded, recorded, verify};
use serde_json::json;
use std::io::ErrorKind;
use std::path::PathBuf;

/// What became of an account's messages.
#[derive(Default)]
struct Verified {
    /// What names the account on the command line.
    word: String,
    /// A Maildir is away, or another one is in its place.
    is_away: bool,
    recorded: u64,
    intact: u64,
    removed: u64,
    missing: u64,
    changed: u64,
    unreadable: u64,
    /// How many of the removed are newly accepted as such.
    accepted: u64,
    /// Something is wrong with one that was not deleted from the server.
    can_come_again: bool,
    /// Rows for people, of damage, and of what was removed on request.
    rows: Vec<[String; 5]>,
    /// Lines for programs, of all that is not intact.
    lines: Vec<u8>,
}

impl Counts for Verified {
    const FIELDS: &'static [&'static str] = &[
        "recorded",
        "intact",
        "removed",
        "missing",
        "changed",
        "unreadable",
    ];

    fn values(&self) -> Vec<u64> {
        vec![
            self.recorded,
            self.intact,
            self.removed,
            self.missing,
            self.changed,
            self.unreadable,
        ]
    }

    fn status(&self) -> Status {
        match self.missing + self.changed + self.unreadable {
            0 => Status::Ok,
            _ => Status::Partial,
        }
    }
}

/// Runs the command.
pub(super) fn run(context: &Context<'_>, arguments: &Verify) -> Result<Status, Failure> {
    let report = context.text_reporter();
    let overrides = Overrides {
        maildir: arguments.maildir.clone(),
        ..Overrides::default()
    };
    let verifier = Verifier {
        state: paths::state_dir()?,
        disk: Disk::new(),
        moment: Moment::now(),
        accept: arguments.accept,
        shown: match (context.is_json(), context.global.verbose > 0) {
            (true, _) => Shown::Lines,
            (false, true) => Shown::Rows,
            (false, false) => Shown::RowsOfDamage,
        },
        report: &report,
    };
    let mut accounts = Vec::new();
    for (name, profile) in context.selected(&arguments.accounts, &overrides, &report)? {
        let verified = profile.and_then(|profile| {
            let verified = verifier.verify(&profile).map(|verified| Verified {
                word: profile.word_with_maildir(),
                ..verified
            });
            verified.map_err(|error| report_failure(&*report, &name, &error))
        });
        accounts.push((name, verified));
    }
    report.clear();
    let looked = Looked::of(accounts);
    print(if context.is_json() {
        looked.json(|_, verified| verified.lines.clone())
    } else {
        as_table(&looked).into_bytes()
    })?;
    for (name, verified) in looked.found() {
        tell(context, name, verified);
    }
    Ok(looked.status())
}

/// What is made of the findings: one of them, as all of a million may be gone.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Shown {
    Lines,
    Rows,
    RowsOfDamage,
}

struct Verifier<'a> {
    state: PathBuf,
    disk: Disk,
    moment: Moment,
    /// What is missing was removed on purpose.
    accept: bool,
    shown: Shown,
    report: &'a Reporter,
}

impl Verifier<'_> {
    fn verify(&self, profile: &Profile) -> Result<Verified, Error> {
        let id = profile.server.id();
        let directory = match Dir::open(&self.disk, &self.state) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Verified::default()),
            opened => opened.map_err(|source| state::Error::Io {
                path: self.state.clone(),
                source,
            })?,
        };
        let mut inspected = inspect(&directory, &id)?;
        if inspected.damaged {
            return Err(state::Error::Unverifiable(self.state.clone()).into());
        }
        if recorded(&inspected.messages).is_empty() {
            return Ok(Verified::default());
        }
        let store = match self.accept {
            true => Some(open_store(&self.disk, &self.state, profile, &self.moment)?),
            false => None,
        };
        if store.is_some() {
            // Only what is read under the lock can be noted: before, another run may have written
            // the journal afresh, with other ids.
            inspected = inspect(&directory, &id)?;
        }
        let messages = recorded(&inspected.messages);
        let octets = messages.iter().map(|message| message.octets);
        self.tell(
            profile,
            Event::Verifying {
                octets: octets.fold(0, u64::saturating_add),
            },
        );
        let former = inspected.former.iter().map(String::as_str);
        let tags = former.chain([id.as_str()]).map(AccountTag::new);
        let mut search = Search::new(tags.collect());
        search.add(&self.disk, &profile.maildir)?;
        for other in &inspected.maildirs {
            if *other != profile.maildir {
                // One that was used earlier and is not there holds nothing.
                let _ = search.add(&self.disk, other);
            }
        }
        search.look(|_| true)?;
        let read = |octets| self.tell(profile, Event::Received { octets });
        // Where a Maildir is away, or another one is in its place, nobody has removed what it held.
        let lacks_line = |path: &PathBuf| {
            let site = Site::look(&self.disk, path);
            let former = || inspected.former.iter().map(String::as_str);
            !site.is_ok_and(|site| {
                former()
                    .chain([id.as_str()])
                    .any(|account| site.roster.of(account, &[]).is_some())
            })
        };
        let mut homes = inspected.maildirs.iter().chain([&profile.maildir]);
        let is_away = homes.any(lacks_line);
        let boot = match is_away {
            true => "",
            false => &self.moment.boot,
        };
        let mut findings = verify(&messages, &mut search, boot, read)?;
        let mut verified = Verified {
            is_away,
            ..Verified::default()
        };
        if let Some(store) = store {
            verified.accepted = accept(store, &messages, &mut findings)?;
        }
        for (message, finding) in messages.iter().zip(&findings) {
            verified.add(&profile.name, message, finding, self.shown);
        }
        Ok(verified)
    }

    fn tell(&self, profile: &Profile, event: Event<'_>) {
        self.report.report(&profile.name, event);
    }
}

/// Notes that what is absent was removed on purpose; gives how many messages that is news of.
fn accept(
    mut store: Store,
    messages: &[Recorded<'_>],
    findings: &mut [Finding],
) -> Result<u64, Error> {
    let pairs = messages.iter().zip(findings.iter());
    let absent = pairs.filter(|(message, finding)| finding.is_absent() && !message.shown.gone);
    let absent: Vec<_> = absent.map(|(message, _)| message.shown).collect();
    store.note_gone(absent.iter().copied())?;
    store.close()?;
    let missing = findings.iter_mut().filter(|finding| finding.is_absent());
    missing.for_each(|finding| *finding = Finding::Removed);
    Ok(absent.len() as u64)
}

impl Verified {
    fn add(&mut self, account: &str, message: &Recorded<'_>, finding: &Finding, shown: Shown) {
        self.recorded += 1;
        let (status, count) = match finding {
            Finding::Changed { .. } => ("changed", &mut self.changed),
            Finding::Intact => ("intact", &mut self.intact),
            Finding::Missing => ("missing", &mut self.missing),
            Finding::Removed => ("removed", &mut self.removed),
            Finding::Unreadable { .. } => ("unreadable", &mut self.unreadable),
        };
        *count += 1;
        if matches!(finding, Finding::Intact) {
            return;
        }
        self.can_come_again |= finding.is_damage() && !message.shown.is_deleted();
        if shown == Shown::Lines {
            let line = as_json(account, status, message, finding);
            self.lines.extend(line);
            return;
        }
        if shown == Shown::RowsOfDamage && !finding.is_damage() {
            return;
        }
        let unique_ids = message.shown.unique_ids.iter();
        let unique_ids: Vec<String> = unique_ids.map(|id| escape(id)).collect();
        let place = match finding {
            Finding::Changed { path, .. } => path.display().to_string(),
            Finding::Unreadable { path, error } => format!("{}: {error}", path.display()),
            _ => message.name.as_str().to_owned(),
        };
        self.rows.push([
            status.to_owned(),
            date(message.shown.time),
            size(message.octets),
            match unique_ids.as_slice() {
                [] => "-".to_owned(),
                ids => ids.join(" "),
            },
            escape_str(&place),
        ]);
    }
}

fn as_json(account: &str, status: &str, message: &Recorded<'_>, finding: &Finding) -> Vec<u8> {
    let shown = message.shown;
    let unique_ids = shown.unique_ids.iter();
    let unique_ids: Vec<_> = unique_ids.map(|id| String::from_utf8_lossy(id)).collect();
    let (path, found, error) = match finding {
        Finding::Changed {
            path,
            octets,
            sha256,
        } => (Some(path), Some((*octets, hex(sha256))), None),
        Finding::Unreadable { path, error } => (Some(path), None, Some(error.to_string())),
        Finding::Intact | Finding::Missing | Finding::Removed => (None, None, None),
    };
    let object = json!({
        "event": status,
        "account": account,
        "time": date(shown.time),
        "unique_ids": unique_ids,
        "name": message.name.as_str(),
        "octets": message.octets,
        "sha256": hex(message.sha256),
        "deleted": shown.is_deleted(),
        "path": path.map(|path| path.to_string_lossy()),
        "found_octets": found.as_ref().map(|(octets, _)| octets),
        "found_sha256": found.as_ref().map(|(_, sha256)| sha256),
        "error": error,
    });
    json_line(&object).unwrap_or_default()
}

fn as_table(looked: &Looked<Verified>) -> String {
    let mut table = Table::new(&[
        Column::Left,
        Column::Left,
        Column::Right,
        Column::Left,
        // Uncut, to be copied; it is the last one.
        Column::Left,
    ]);
    for (_, verified) in looked.found() {
        for row in &verified.rows {
            table.row(row.clone());
        }
    }
    table.render(columns(std::io::stdout()))
}

fn tell(context: &Context<'_>, name: &str, verified: &Verified) {
    let damaged = verified.status() != Status::Ok;
    if context.global.quiet && !damaged {
        return;
    }
    let name = escape_str(name);
    if verified.recorded == 0 {
        eprintln!("{name}: nothing is recorded yet");
        return;
    }
    let counts = Verified::FIELDS.iter().zip(verified.values()).skip(1);
    let counts = counts.filter(|(field, number)| *number > 0 || **field == "intact");
    let counts: Vec<String> = counts
        .map(|(field, number)| format!("{number} {field}"))
        .collect();
    let recorded = count(verified.recorded, "recorded message");
    eprintln!("{name}: {recorded}: {}", counts.join(", "));
    if verified.accepted > 0 {
        let accepted = count(verified.accepted, "message");
        eprintln!("{name}: {accepted} noted as removed on purpose");
    }
    let hint = context.paint().hint("hint:");
    let word = escape_str(&verified.word);
    if verified.missing > 0 && verified.is_away {
        eprintln!(
            "{hint} if the disk of the Maildir is not mounted, mount it; if you have removed what is \
             missing: popfetch state accept --leave {word}"
        );
    } else if verified.missing > 0 {
        eprintln!("{hint} if you have removed what is missing: popfetch verify {word} --accept");
    }
    if verified.can_come_again {
        eprintln!(
            "{hint} to fetch one again that is still on the server: popfetch state forget {word} \
             UNIQUE-ID"
        );
    }
}
