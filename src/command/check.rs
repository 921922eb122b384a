//! `popfetch check`: what waits, without downloading it.

use super::context::Context;
use super::fail::{Failure, print, report_failure};
use super::lacking;
use super::listen;
use super::results::{Counts, Results};
use crate::cli::Check;
use crate::durable::Disk;
use crate::exit::Status;
use crate::fetch::{Account, Error, Look, look};
use crate::maildir::leave;
use crate::maildrop::Message;
use crate::message::Heading;
use crate::paths::in_full;
use crate::profile::{Profile, config_option};
use crate::report;
use crate::term::{
    Column, Table, columns, count as count_of, escape_str, fit, json_line, quoted, size, wrap,
};
use serde_json::{Value, json};
use std::path::Path;

/// Accounts that are looked at together.
const JOBS: usize = 4;

/// Octets of a header that are read: enough for date, sender and subject behind long routing.
pub(super) const HEADER_LIMIT: usize = 64 * 1024;

/// What waits in an account.
struct Waiting {
    messages: u64,
    octets: u64,
    new: u64,
    new_octets: u64,
    /// Larger than `max-size`: they stay, and are not new each time.
    too_large: u64,
    headings: Vec<(Message, Heading)>,
    /// Fetched before, and not handed on yet: they are here, and in no Maildir.
    onward: u64,
}

impl Counts for Waiting {
    const FIELDS: &'static [&'static str] = &["messages", "octets", "new", "new_octets"];

    fn values(&self) -> Vec<u64> {
        vec![self.messages, self.octets, self.new, self.new_octets]
    }
}

/// Runs the command.
pub(super) fn run(context: &Context<'_>, arguments: &Check) -> Result<Status, Failure> {
    if arguments.listen {
        return listen::run(context, arguments);
    }
    let report = context.text_reporter();
    let overrides = Context::look_overrides(&arguments.sign_in);
    let prepared = context.ready(&arguments.accounts, &overrides, &report)?;
    let mut environment = context.environment(&report)?;
    environment.stop = environment.stop.without_grace();
    environment.at_once = context.at_once(arguments.now, &arguments.accounts);
    let results = prepared.each(JOBS, &environment, |account| {
        if !context.global.quiet {
            lacking::tell(account);
        }
        check(account, arguments.headers)
    });
    report.clear();
    let looked = Results::new(prepared, results);
    let status = looked.status();
    if context.global.quiet {
        let new: u64 = looked.found().map(|(_, waiting)| waiting.new).sum();
        let answer = if new > 0 { Status::Ok } else { Status::Partial };
        return Ok(if status == Status::Ok { answer } else { status });
    }
    print(if context.is_json() {
        looked.json(headings_as_json)
    } else {
        as_table(&looked.found().collect::<Vec<_>>())
    })?;
    let passed_over = looked.found().filter(|(_, waiting)| waiting.too_large > 0);
    for (name, Waiting { too_large, .. }) in passed_over {
        let text = match too_large {
            1 => "1 message is larger than `max-size`, and stays on the server unless a rule has it fetched"
                .to_owned(),
            several => format!(
                "{several} messages are larger than `max-size`, and stay on the server unless a rule has \
                 them fetched"
            ),
        };
        let text = format!("{}: {text}", escape_str(name));
        eprintln!("{}", wrap("", &text, columns(std::io::stderr())));
    }
    let config = context.global.config.as_deref().map(in_full);
    for (name, waiting) in looked.found().filter(|(_, waiting)| waiting.onward > 0) {
        let text = onward_in_words(name, waiting.onward, config.as_deref());
        eprintln!("{}", wrap("", &text, columns(std::io::stderr())));
    }
    Ok(status)
}

/// What waits here to be handed on. What cannot be counted is told by the run that hands it on.
pub(super) fn waiting_onward(profile: &Profile) -> u64 {
    match profile.has_maildir() {
        true => 0,
        false => leave::count(&Disk::new(), &profile.maildir).unwrap_or_default(),
    }
}

/// Says that messages wait to be handed on.
fn onward_in_words(name: &str, waiting: u64, config: Option<&Path>) -> String {
    let (wait, why) = match waiting {
        1 => ("waits", "why it still waits"),
        _ => ("wait", "why they still wait"),
    };
    format!(
        "{}: {} {wait} to be handed on: popfetch fetch{} {} says {why}",
        escape_str(name),
        count_of(waiting, "message"),
        config_option(config),
        quoted(name),
    )
}

fn check(account: &Account<'_>, headers: bool) -> Result<Waiting, report::Failure> {
    let report = &*account.environment.report;
    let failed = |error: Error| report_failure(report, &account.profile.name, &error);
    let looked = look(account, |look| wait_for(look, headers));
    let looked = looked.and_then(|waiting| waiting).map_err(failed);
    looked.map(|waiting| Waiting {
        onward: waiting_onward(account.profile),
        ..waiting
    })
}

fn wait_for(mut look: Look, headers: bool) -> Result<Waiting, Error> {
    let mut waiting = count(&look);
    if headers {
        let new: Vec<Message> = new_of(&look).collect();
        let mut headings = Vec::new();
        let numbers = new.iter().map(|message| message.number);
        let read = look.session.headers(numbers, HEADER_LIMIT, |_, header| {
            headings.push(Heading::parse(&header.unwrap_or_default()));
        });
        read?;
        waiting.headings = new.into_iter().zip(headings).collect();
    }
    look.leave();
    Ok(waiting)
}

fn new_of(look: &Look) -> impl Iterator<Item = Message> + '_ {
    let coming = look.plan.coming();
    coming.filter_map(|place| look.maildrop.message(place))
}

fn count(look: &Look) -> Waiting {
    let octets = |messages: &mut dyn Iterator<Item = Option<u64>>| {
        messages.flatten().fold(0, u64::saturating_add)
    };
    Waiting {
        messages: look.maildrop.len() as u64,
        octets: octets(&mut look.maildrop.octets()),
        new: new_of(look).count() as u64,
        new_octets: octets(&mut new_of(look).map(|message| message.octets)),
        onward: 0,
        too_large: (look.plan.waiting().count() - look.plan.coming().count()) as u64,
        headings: Vec::new(),
    }
}

fn as_table(found: &[(&str, &Waiting)]) -> Vec<u8> {
    if found.is_empty() {
        return Vec::new();
    }
    let mut text = String::new();
    let mut table = Table::new(&[
        Column::Flexible,
        Column::Right,
        Column::Right,
        Column::Right,
        Column::Right,
    ]);
    table.row(["ACCOUNT", "MESSAGES", "SIZE", "NEW", "NEW SIZE"]);
    for (name, waiting) in found {
        table.row([
            escape_str(name),
            waiting.messages.to_string(),
            size(waiting.octets),
            waiting.new.to_string(),
            size(waiting.new_octets),
        ]);
    }
    text.push_str(&table.render(columns(std::io::stdout())));
    let mut headings = Table::new(&[
        Column::Flexible,
        Column::Left,
        Column::Right,
        Column::Flexible,
        Column::Flexible,
    ]);
    let mut any = false;
    let columns = columns(std::io::stdout());
    for (name, waiting) in found {
        for (message, heading) in &waiting.headings {
            any = true;
            let [date, from, subject] = cells(heading, columns);
            headings.row([
                escape_str(name),
                date,
                message.octets.map_or_else(|| "?".to_owned(), size),
                from,
                whence(message) + &subject,
            ]);
        }
    }
    if any {
        text.push('\n');
        text.push_str(&headings.render_in_two(columns));
    }
    text.into_bytes()
}

/// Date, sender and subject for a table.
pub(super) fn cells(heading: &Heading, columns: Option<usize>) -> [String; 3] {
    let shown = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), escape_str);
    // The subject says more than the rest of a long name; below each other both have room.
    let most = match columns {
        Some(columns @ 72..) => (columns / 4).min(40),
        Some(_) => 40,
        None => usize::MAX,
    };
    let from = fit(&shown(&heading.from), most);
    let date: String = shown(&heading.date).chars().take(16).collect();
    [date.replace('T', " "), from, shown(&heading.subject)]
}

/// What stands before the subject of a message that is in another folder than the inbox.
pub(super) fn whence(message: &Message) -> String {
    let folder = message.folder.as_ref().filter(|it| !it.parts.is_empty());
    folder.map_or_else(String::new, |it| format!("[{}] ", escape_str(&it.name)))
}

fn headings_as_json(name: &str, waiting: &Waiting) -> Vec<u8> {
    let mut data = Vec::new();
    for (message, heading) in &waiting.headings {
        let unique_id = message.unique_id.as_deref().map(String::from_utf8_lossy);
        let object = json!({
            "event": "waiting",
            "account": name,
            "number": message.number.value(),
            "unique_id": unique_id,
            "octets": message.octets,
            "date": heading.date,
            "from": heading.from,
            "subject": heading.subject,
        });
        let object = with_folder(object, message);
        data.extend(json_line(&object).unwrap_or_default());
    }
    data
}

/// The same object with the server's folder that the message is in, where folders have a part in it.
pub(super) fn with_folder(mut object: Value, message: &Message) -> Value {
    if let (Some(fields), Some(folder)) = (object.as_object_mut(), &message.folder) {
        fields.insert("folder".to_owned(), json!(folder.name));
    }
    object
}
