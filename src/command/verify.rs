//! `popfetch verify`: whether what was recorded is still there, unchanged.

mod lines;

use super::context::Context;
use super::fail::{Failure, print, report_failure};
use super::results::{Counts, Results, account_line};
use crate::cli::Verify;
use crate::durable::{Dir, Disk};
use crate::exit::Status;
use crate::fetch::{Error, failure, open_state};
use crate::maildir::{AccountTag, Search, Site};
use crate::paths;
use crate::plan::Keep;
use crate::profile::{Overrides, Profile};
use crate::report::{Event, Report, Reporter};
use crate::state::{self, Claim, Inspected, MessageId, Moment, Names, Store, inspect};
use crate::stop::echo;
use crate::term::{Column, Table, columns, count, escape_str};
use crate::verify::{Finding, Recorded, verify};
use lines::{as_json, as_row};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What became of an account's messages.
#[derive(Default)]
struct Verified {
    /// What names the account on the command line.
    word: String,
    /// A Maildir is away, or another one is in its place.
    is_away: bool,
    /// Another one is in the place of one that messages were delivered to.
    is_hidden: bool,
    /// A folder that cannot be looked into.
    unread: Option<PathBuf>,
    recorded: u64,
    intact: u64,
    accepted: u64,
    handed_on: u64,
    removed: u64,
    missing: u64,
    changed: u64,
    unreadable: u64,
    /// How many are not deleted from the server before their owner has seen to them.
    held: u64,
    /// No message is deleted from the server unless a run is told to.
    keeps_all: bool,
    /// How many of the removed are newly noted as such.
    noted: u64,
    /// Something is wrong with one that was not deleted from the server.
    can_come_again: bool,
}

impl Counts for Verified {
    const FIELDS: &'static [&'static str] = &[
        "recorded",
        "intact",
        "accepted",
        "handed_on",
        "removed",
        "missing",
        "changed",
        "unreadable",
    ];

    fn values(&self) -> Vec<u64> {
        vec![
            self.recorded,
            self.intact,
            self.accepted,
            self.handed_on,
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
    let printed = match (context.is_json(), context.global.verbose > 0) {
        (true, _) => Printed::Lines,
        (false, true) => Printed::Rows,
        (false, false) => Printed::RowsOfDamage,
    };
    let verifier = Verifier {
        state: paths::state_dir()?,
        disk: Disk::new(),
        moment: Moment::now(),
        accept: arguments.accept,
        report: &report,
    };
    let mut accounts = Vec::new();
    for (name, profile) in context.selected(&arguments.accounts, &overrides, &report)? {
        let verified = profile.and_then(|profile| {
            let verified = echo::at_work(|| verifier.verify(&profile)).map(|(verified, found)| {
                let word = profile.word_with_maildir();
                let keeps_all = profile.policy.keep == Keep::Always;
                let verified = Verified {
                    word,
                    keeps_all,
                    ..verified
                };
                (verified, found)
            });
            verified.map_err(|error| report_failure(&*report, &name, &error))
        });
        report.clear();
        if let Ok((_, Some(found))) = &verified {
            found.print(&name, printed)?;
        }
        let verified = verified.map(|(verified, _)| verified);
        if context.is_json() {
            print(account_line(&name, &verified))?;
        }
        accounts.push((name, verified));
    }
    report.clear();
    let looked = Results::of(accounts);
    if context.is_json() {
        print(looked.summary_line())?;
    }
    for (name, verified) in looked.found() {
        tell(context, name, verified);
    }
    Ok(looked.status())
}

/// What is printed of the findings.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Printed {
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
    report: &'a Reporter,
}

impl Verifier<'_> {
    fn verify(&self, profile: &Profile) -> Result<(Verified, Option<Found>), Error> {
        let nothing = || (Verified::default(), None);
        let id = profile.server.id();
        let directory = match Dir::open(&self.disk, &self.state) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(nothing()),
            opened => opened.map_err(|source| state::Error::Io {
                path: self.state.clone(),
                source,
            })?,
        };
        let mut inspected = inspect(&directory, &id)?;
        if inspected.damaged {
            return Err(state::Error::Unverifiable(self.state.clone()).into());
        }
        let (mut recorded, mut octets) = total(&inspected)?;
        if recorded == 0 {
            return Ok(nothing());
        }
        let store = match self.accept {
            true => {
                let directory = state::open_directory(&self.disk, &self.state)?;
                let (store, ..) = open_state(&self.disk, directory, profile, &self.moment, false)?;
                Some(store)
            }
            false => None,
        };
        if store.is_some() {
            // Only what is read under the lock can be noted: before, another run may have written
            // the journal afresh, with other ids.
            inspected = inspect(&directory, &id)?;
            (recorded, octets) = total(&inspected)?;
        }
        self.tell(profile, Event::Verifying { octets });
        let former = || inspected.former().iter().map(String::as_str);
        let tags = former().chain([id.as_str()]).map(AccountTag::new);
        let mut search = Search::new(tags.collect());
        // One that nothing was ever delivered to lacks nothing.
        if inspected.maildirs().contains(&profile.maildir) || inspected.maildirs().is_empty() {
            search.add(&self.disk, &profile.maildir)?;
        } else {
            let _ = search.add(&self.disk, &profile.maildir);
        }
        for other in inspected.maildirs() {
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
            !site.is_ok_and(|site| {
                former()
                    .chain([id.as_str()])
                    .any(|account| site.roster.of(account, &[]).is_some())
            })
        };
        let is_hidden = inspected.homes().iter().any(|(path, id)| {
            let site = Site::look(&self.disk, path);
            site.is_ok_and(|site| site.roster.id.is_some_and(|other| other != *id))
        });
        let is_away = is_hidden || inspected.maildirs().iter().any(lacks_line);
        let boot = match is_away {
            true => "",
            false => &self.moment.boot,
        };
        let findings = verify(&inspected, &mut search, boot, read)?;
        let mut found = Found {
            inspected,
            search,
            findings,
        };
        let mut verified = Verified {
            is_away,
            is_hidden,
            unread: found.search.unread().map(Path::to_owned),
            recorded,
            intact: recorded.saturating_sub(found.findings.len() as u64),
            ..Verified::default()
        };
        let damaged = found.damaged()?;
        match store {
            Some(mut store) => {
                verified.held = store.hold(&damaged)?;
                verified.noted = found.accept(store)?;
            }
            None if damaged.is_empty() => {}
            None => match self.hold(profile, &damaged) {
                Ok(held) => verified.held = held,
                Err(error) => self.tell(
                    profile,
                    Event::Warning(&format!(
                        "that cannot be noted, so a run that deletes may delete the server's copies: \
                         {}",
                        failure(&error).message
                    )),
                ),
            },
        }
        found.each(|message, finding, _| {
            verified.add(message, finding);
            Ok::<_, Error>(())
        })?;
        Ok((verified, Some(found)))
    }

    /// The journal alone is changed: the Maildir is only read.
    fn hold(&self, profile: &Profile, damaged: &Names) -> Result<u64, Error> {
        let directory = state::open_directory(&self.disk, &self.state)?;
        let (id, word) = (profile.server.id(), profile.word_with_maildir());
        let mut store = Claim::take(directory, &id, &word, &self.moment)?.without_maildir()?;
        let held = store.hold(damaged)?;
        store.close()?;
        Ok(held)
    }

    fn tell(&self, profile: &Profile, event: Event<'_>) {
        self.report.report(&profile.name, event);
    }
}

/// How many messages are recorded, and their octets.
fn total(inspected: &Inspected) -> Result<(u64, u64), Error> {
    let (mut recorded, mut octets) = (0, 0_u64);
    for it in inspected.messages() {
        if let Some(message) = Recorded::of(&it?) {
            recorded += 1;
            octets = octets.saturating_add(message.octets);
        }
    }
    Ok((recorded, octets))
}

/// What is not intact of an account, and where to read more about it.
struct Found {
    inspected: Inspected,
    search: Search,
    findings: Vec<(MessageId, Finding)>,
}

impl Found {
    fn each<E: From<state::Error>>(
        &self,
        mut each: impl FnMut(&Recorded<'_>, &Finding, &Path) -> Result<(), E>,
    ) -> Result<(), E> {
        let ids = self.findings.iter().map(|(id, _)| *id);
        let pairs = self.inspected.messages_of(ids).zip(&self.findings);
        for (it, (_, finding)) in pairs {
            let it = it?;
            if let Some(message) = Recorded::of(&it) {
                let path = self.search.path(message.name).unwrap_or_default();
                each(&message, finding, &path)?;
            }
        }
        Ok(())
    }

    /// Lines of what is not intact. All of a million messages may be gone, so that no more than a few
    /// lines are kept.
    fn print(&self, account: &str, printed: Printed) -> Result<(), Failure> {
        const PART: usize = 256 * 1024;
        let is_row = |finding: &Finding| finding.is_damage() || printed != Printed::RowsOfDamage;
        let mut table = Table::new(&[
            Column::Left,
            Column::Left,
            Column::Right,
            Column::Left,
            // Uncut, to be copied; it is the last one.
            Column::Left,
        ]);
        if printed != Printed::Lines {
            self.each(|message, finding, path| {
                if is_row(finding) {
                    table.measure(&as_row(message, finding, path));
                }
                Ok::<_, Failure>(())
            })?;
        }
        let fitted = table.fit(columns(std::io::stdout()));
        let mut lines = Vec::new();
        self.each(|message, finding, path| {
            lines.extend(match printed {
                Printed::Lines => as_json(account, message, finding, path),
                _ if is_row(finding) => fitted.line(&as_row(message, finding, path)).into(),
                _ => Vec::new(),
            });
            if lines.len() > PART {
                print(&lines)?;
                lines.clear();
            }
            Ok::<_, Failure>(())
        })?;
        print(&lines)
    }

    /// The names of the files that are there, and not as they were stored.
    fn damaged(&self) -> Result<Names, Error> {
        let mut names = Names::default();
        self.each(|message, finding, _| {
            if matches!(finding, Finding::Changed(_) | Finding::Unreadable(_)) {
                names.insert(message.name);
            }
            Ok::<_, Error>(())
        })?;
        Ok(names)
    }

    /// Notes that what is absent was removed on purpose; gives how many messages that is news of.
    fn accept(&mut self, mut store: Store) -> Result<u64, Error> {
        let mut absent = Vec::new();
        self.each(|message, finding, _| {
            if finding.is_absent() && !message.inspected.gone {
                absent.push(message.inspected.id());
            }
            Ok::<_, Error>(())
        })?;
        store.note_gone(absent.iter().copied())?;
        store.close()?;
        let missing = self.findings.iter_mut().map(|(_, finding)| finding);
        let missing = missing.filter(|finding| finding.is_absent());
        missing.for_each(|finding| *finding = Finding::Removed);
        Ok(absent.len() as u64)
    }
}

impl Verified {
    fn add(&mut self, message: &Recorded<'_>, finding: &Finding) {
        *match finding {
            Finding::Accepted => &mut self.accepted,
            Finding::Changed(_) => &mut self.changed,
            Finding::HandedOn => &mut self.handed_on,
            Finding::Intact => &mut self.intact,
            Finding::Missing => &mut self.missing,
            Finding::Removed => &mut self.removed,
            Finding::Unreadable(_) => &mut self.unreadable,
        } += 1;
        self.can_come_again |= finding.is_damage() && !message.inspected.is_deleted();
    }
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
        .map(|(field, number)| format!("{number} {}", field.replace('_', " ")))
        .collect();
    let recorded = count(verified.recorded, "recorded message");
    eprintln!("{name}: {recorded}: {}", counts.join(", "));
    if verified.noted > 0 {
        let noted = count(verified.noted, "message");
        eprintln!("{name}: {noted} noted as removed on purpose");
    }
    let hint = context.paint().hint("hint:");
    let word = escape_str(&verified.word);
    if verified.missing > 0 && verified.is_hidden {
        eprintln!(
            "{hint} what is missing was delivered to another Maildir at the same path: if a disk is \
             mounted over that one, unmount it to get at it. To fetch again what the server still \
             has: `popfetch state accept --fetch-again {word}`; if you have removed what is missing: \
             `popfetch state accept --leave {word}`"
        );
    } else if verified.missing > 0 && verified.is_away {
        eprintln!(
            "{hint} if the disk of the Maildir is not mounted, mount it; if you have removed what is \
             missing: popfetch state accept --leave {word}"
        );
    } else if let Some(unread) = verified.unread.as_ref().filter(|_| verified.missing > 0) {
        eprintln!(
            "{hint} {} cannot be looked into, and what is missing may be there: mount its disk, or \
             remove it where it leads nowhere, and verify again",
            escape_str(&unread.display().to_string())
        );
    } else if verified.missing > 0 {
        eprintln!("{hint} if you have removed what is missing: popfetch verify {word} --accept");
    }
    if verified.held > 0 {
        let held = count(verified.held, "message");
        eprintln!(
            "{name}: {held} not deleted from the server{how} before you have seen to {them}",
            how = if verified.keeps_all {
                ", not even by --delete,"
            } else {
                ""
            },
            them = if verified.held == 1 { "it" } else { "them" }
        );
        eprintln!("{hint} to take one as it is: popfetch state accept {word} UNIQUE-ID");
    }
    if verified.can_come_again {
        eprintln!(
            "{hint} to fetch one again that is still on the server: popfetch state forget {word} \
             UNIQUE-ID"
        );
    }
}
