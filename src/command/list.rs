//! `popfetch list`: the messages that were fetched, newest first.

mod beside;

use super::context::Context;
use super::fail::{Failure, print};
use super::maildirs::Maildirs;
use super::pager::page;
use super::results::{Counts, Results};
use crate::cli::{List, Since};
use crate::durable::Disk;
use crate::exit::Status;
use crate::mailbox::{self, Entry, Filter, Numbers, Which};
use crate::maildir::legible;
use crate::message::Flag;
use crate::paths;
use crate::profile::draft::shown;
use crate::report::{Event, Format, Report, Reporter};
use crate::term::{Column, Table, columns, escape_str, fit, json_line, size, wrap};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::{stderr, stdout};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What is listed of an account.
#[derive(Default)]
struct Listed {
    messages: u64,
    new: u64,
}

impl Counts for Listed {
    const FIELDS: &'static [&'static str] = &["messages", "new"];

    fn values(&self) -> Vec<u64> {
        vec![self.messages, self.new]
    }
}

/// Runs the command.
pub(super) fn run(context: &Context<'_>, arguments: &List) -> Result<Status, Failure> {
    let report = context.text_reporter();
    let which = match (&arguments.folder, arguments.all_folders) {
        (Some(name), _) => Which::One(name.clone()),
        (None, true) => Which::All,
        (None, false) => Which::Inbox,
    };
    // Before the thread is confined that needs it.
    let zone = TimeZone::system();
    let filter = Filter::new(
        arguments.new,
        arguments.from.as_deref(),
        arguments.subject.as_deref(),
        arguments.since.and_then(|since| moment(since, &zone)),
    );
    let maildir = arguments.maildir.as_deref().map(paths::in_full);
    let maildirs = Maildirs::open(
        context,
        &arguments.accounts,
        maildir.as_deref(),
        &which,
        &report,
    )?;
    maildirs.tell(&report);
    let mut listing = maildirs.confined(mailbox::list)?;
    listing.entries.retain(|entry| filter.takes(entry));
    if let Some(limit) = arguments.limit {
        listing.entries.truncate(limit);
    }
    let unread = maildirs.places.unread.iter().chain(&listing.unread);
    let unread: BTreeSet<&Path> = unread.map(PathBuf::as_path).collect();
    tell(&unread, &listing.unreadable, &report);
    let is_whole = unread.is_empty() && listing.unreadable.is_empty();
    let entries = &listing.entries;
    let looked = count(&maildirs, entries);
    let paths = || entries.iter().map(|entry| entry.path(&maildirs.places));
    match context.format {
        Format::Json => print(as_json(&maildirs, entries, &looked))?,
        Format::Paths => {
            let end: &[u8] = if context.global.null { b"\0" } else { b"\n" };
            let lines = paths().flat_map(|path| [path.as_os_str().as_bytes(), end].concat());
            print(lines.collect::<Vec<u8>>())?;
        }
        Format::Text => {
            // Where something could not be read, nobody knows whether there are none.
            let is_sure = is_whole && looked.failed().is_empty();
            // What shows nothing for that reason voids no number that somebody has seen.
            if is_sure || !entries.is_empty() {
                keep_numbers(paths().collect(), &report);
            }
            page(&as_table(&maildirs, entries, &zone))?;
            if !context.global.quiet {
                let is_shown = !entries.is_empty() || !is_sure;
                tell_beside(context, (arguments, &filter), &maildirs, &report, is_shown);
            }
        }
    }
    let status = looked.status();
    Ok(match is_whole {
        true => status,
        false => status.worst(Status::Partial),
    })
}

/// Since when, in seconds since 1970.
fn moment(since: Since, zone: &TimeZone) -> Option<i64> {
    match since {
        Since::Day(day) => Some(day.to_zoned(zone.clone()).ok()?.timestamp().as_second()),
        Since::Ago(period) => {
            let ago = i64::try_from(period.duration().as_secs()).unwrap_or(i64::MAX);
            Some(Timestamp::now().as_second().saturating_sub(ago))
        }
    }
}

/// What could not be read is said beside what could.
fn tell(unread: &BTreeSet<&Path>, unreadable: &[PathBuf], report: &Reporter) {
    // The first of them say where to look.
    const NAMED: usize = 3;
    let (named, more) = unreadable.split_at(unreadable.len().min(NAMED));
    for path in unread
        .iter()
        .copied()
        .chain(named.iter().map(PathBuf::as_path))
    {
        let text = format!("{} cannot be read, and is left out", shown(path));
        report.report("list", Event::Warning(&text));
    }
    if !more.is_empty() {
        let text = match more.len() {
            1 => "another file cannot be read, and is left out".to_owned(),
            more => format!("{more} more files cannot be read, and are left out"),
        };
        report.report("list", Event::Warning(&text));
    }
}

/// What is here beside what is listed. `is_shown`: something is listed, or could not be read.
fn tell_beside(
    context: &Context<'_>,
    (arguments, filter): (&List, &Filter),
    maildirs: &Maildirs,
    report: &Reporter,
    is_shown: bool,
) {
    let config = context.global.config.as_deref().map(paths::in_full);
    let config = config.as_deref();
    let elsewhere = maildirs.places.elsewhere;
    let mut text = beside::folders(arguments, filter, elsewhere, (is_shown, config));
    for (name, waiting) in &maildirs.waiting {
        text.push_str(&beside::waiting(name, *waiting, config));
    }
    let columns = columns(stderr());
    let lines = text.lines().map(|line| wrap("", line, columns) + "\n");
    report.print(&lines.collect::<String>());
}

/// `show` takes the numbers that a person has seen last.
fn keep_numbers(paths: Vec<PathBuf>, report: &Reporter) {
    let kept = paths::cache_dir()
        .map_err(std::io::Error::other)
        .and_then(|cache| Numbers::keep(&Disk::new(), &cache, &paths));
    if let Err(error) = kept {
        let text = format!(
            "the numbers of this list cannot be kept, and `popfetch show` does not know them: {error}"
        );
        report.report("list", Event::Warning(&text));
    }
}

fn count(maildirs: &Maildirs, entries: &[Entry]) -> Results<Listed> {
    let accounts = maildirs.accounts.iter().map(|(name, result)| {
        let listed = result.clone().map(|()| {
            let own = entries
                .iter()
                .filter(|entry| maildirs.owner_of(entry) == Some(name.as_str()));
            own.fold(Listed::default(), |listed, entry| Listed {
                messages: listed.messages + 1,
                new: listed.new + u64::from(entry.is_new()),
            })
        });
        (name.clone(), listed)
    });
    Results::of(accounts.collect())
}

fn as_table(maildirs: &Maildirs, entries: &[Entry], zone: &TimeZone) -> String {
    let columns = columns(stdout());
    let are_several = maildirs.are_several();
    let mut layout = vec![Column::Right, Column::Left, Column::Left];
    if are_several {
        layout.push(Column::Left);
    }
    layout.extend([Column::Flexible, Column::Right, Column::Flexible]);
    let mut table = Table::new(&layout);
    // The subject says more than the rest of a long name; below each other both have room.
    let most = columns.map_or(usize::MAX, |columns| (columns / 4).clamp(12, 40));
    let dates = Dates::new(zone, columns.is_some());
    for (place, entry) in entries.iter().enumerate() {
        let heading = &entry.glance.heading;
        let shown = |text: Option<&str>| text.map_or_else(|| "-".to_owned(), escape_str);
        let from = heading.from.as_deref().map(name_of);
        let mut row = vec![
            (place + 1).to_string(),
            marks(entry),
            dates.shown(entry.time),
        ];
        if are_several {
            let account = escape_str(maildirs.owner_of(entry).unwrap_or("-"));
            row.push(fit(&account, most / 2));
        }
        let subject = shown(heading.subject.as_deref());
        let subject = match maildirs.folder_of(entry) {
            Some(folder) => format!("[{}] {subject}", escape_str(&legible(folder))),
            None => subject,
        };
        row.extend([fit(&shown(from), most), size(entry.octets), subject]);
        table.row(row);
    }
    table.render_in_two(columns)
}

/// The name of a sender, or else the address.
fn name_of(from: &str) -> &str {
    match from.rsplit_once(" <") {
        Some((name, _)) if !name.trim().is_empty() => name.trim(),
        _ => from,
    }
}

fn marks(entry: &Entry) -> String {
    let flags = [
        (Flag::Replied, 'R'),
        (Flag::Flagged, 'F'),
        (Flag::Trashed, 'T'),
    ];
    let flags = flags.iter().filter(|(flag, _)| entry.flags.has(*flag));
    let mut marks: String = entry.is_new().then_some('N').into_iter().collect();
    marks.extend(flags.map(|(_, mark)| mark));
    marks.extend(entry.glance.attachments.then_some('@'));
    marks
}

/// How dates are written: for a terminal as short as ls writes them, here and now.
struct Dates<'a> {
    zone: &'a TimeZone,
    /// Since when the year need not be said; none where it is always said.
    recent: Option<i64>,
}

impl<'a> Dates<'a> {
    fn new(zone: &'a TimeZone, is_short: bool) -> Self {
        let half_a_year = Timestamp::now().to_zoned(zone.clone());
        let half_a_year = half_a_year.checked_sub(6.months()).ok();
        Self {
            zone,
            recent: half_a_year
                .filter(|_| is_short)
                .map(|it| it.timestamp().as_second()),
        }
    }

    fn shown(&self, seconds: i64) -> String {
        let Ok(time) = Timestamp::from_second(seconds) else {
            return "?".to_owned();
        };
        let time = time.to_zoned(self.zone.clone());
        let form = match self.recent {
            None => "%Y-%m-%d %H:%M",
            Some(recent) if seconds >= recent => "%b %e %H:%M",
            Some(_) => "%b %e  %Y",
        };
        time.strftime(form).to_string()
    }
}

fn as_json(maildirs: &Maildirs, entries: &[Entry], looked: &Results<Listed>) -> Vec<u8> {
    let mut data = Vec::new();
    for entry in entries {
        let (heading, path) = (&entry.glance.heading, entry.path(&maildirs.places));
        let object = json!({
            "event": "message",
            "account": maildirs.owner_of(entry),
            "folder": maildirs.folder_of(entry),
            "path": path.to_string_lossy(),
            "date": heading.date,
            "from": heading.from,
            "subject": heading.subject,
            "message_id": entry.glance.message_id,
            "octets": entry.octets,
            "flags": entry.flags.words().collect::<Vec<_>>(),
            "new": entry.is_new(),
            "attachments": entry.glance.attachments,
        });
        data.extend(json_line(&object).unwrap_or_default());
    }
    data.extend(looked.json(|_, _| Vec::new()));
    data
}
