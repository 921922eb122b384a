//! `popfetch state show`: how each message stands.

use super::remembered;
use crate::command::context::Context;
use crate::command::fail::{Failure, print};
use crate::exit::Status;
use crate::profile::Overrides;
use crate::state::{Inspected, InspectedMessage, MarkedBy, Onward, Standing};
use crate::term::{Column, Table, columns, count, escape_str, hex, json_line, size, unique_id};
use serde_json::json;

pub(super) fn show(context: &Context<'_>, name: &str) -> Result<Status, Failure> {
    let overrides = Overrides {
        stores_nothing: true,
        ..Overrides::default()
    };
    let profile = context.profile(name, &overrides)?;
    let remembered = remembered(&profile)?;
    if context.is_json() {
        return in_parts(&remembered, |message| json_of(&profile.name, message))
            .map(|()| Status::Ok);
    }
    let mut table = Table::new(&[
        Column::Left,
        Column::Right,
        Column::Left,
        Column::Left,
        Column::Flexible,
    ]);
    for message in remembered.messages() {
        table.measure(&row_of(&message?));
    }
    let fitted = table.fit(columns(std::io::stdout()));
    in_parts(&remembered, |message| fitted.line(&row_of(message)).into())?;
    if !context.global.quiet {
        eprintln!(
            "{}: {} remembered",
            escape_str(&profile.name),
            count(remembered.count() as u64, "message")
        );
    }
    Ok(Status::Ok)
}

/// Prints a line of each message. A million lines at once would take more memory than all that they
/// are made of.
fn in_parts(
    remembered: &Inspected,
    line: impl Fn(&InspectedMessage) -> Vec<u8>,
) -> Result<(), Failure> {
    const PART: usize = 256 * 1024;
    let mut lines = Vec::new();
    for message in remembered.messages() {
        lines.extend(line(&message?));
        if lines.len() > PART {
            print(&lines)?;
            lines.clear();
        }
    }
    print(&lines)
}

fn row_of(message: &InspectedMessage) -> [String; 5] {
    let stored = message.stored.as_ref();
    let octets = stored.map(|(_, octets, _)| *octets).or(message.listed);
    let ids: Vec<String> = message.unique_ids.iter().map(|id| unique_id(id)).collect();
    let name = stored.map_or("", |(name, ..)| name.as_str());
    [
        date(message.time),
        octets.map_or_else(|| "?".to_owned(), size),
        status(message).to_owned(),
        match ids.is_empty() {
            true => "-".to_owned(),
            false => ids.join(" "),
        },
        escape_str(name),
    ]
}

/// How a message stands, in a word.
fn status(message: &InspectedMessage) -> &'static str {
    match (&message.stored, &message.marked, message.standing) {
        (None, Some(MarkedBy::Import { .. }), Standing::Deleted) => "deleted",
        (None, Some(MarkedBy::Import { .. }), Standing::Asked) => "deletion asked",
        (None, Some(MarkedBy::Import { .. }), _) => "imported",
        (None, Some(MarkedBy::Latest), _) => "passed over",
        (None, Some(MarkedBy::Rule(_)), Standing::Deleted) => "deleted by rule",
        (None, Some(MarkedBy::Rule(_)), Standing::Asked) => "deletion asked",
        (None, Some(MarkedBy::Rule(_)), Standing::Absent) => "absent",
        // DELE was refused, or a session ended before it.
        (None, Some(MarkedBy::Rule(_)), _) => "not deleted",
        (None, ..) => "marked",
        (Some(_), ..) if message.onward == Onward::Waits => "to be handed on",
        (Some(_), _, Standing::Deleted) => "deleted",
        (Some(_), _, Standing::Asked) => "deletion asked",
        (Some(_), _, Standing::Absent) => "absent",
        (Some(_), _, Standing::Lost) => "lost",
        (Some(_), _, Standing::Here) if message.held => "doubtful",
        (Some(_), _, Standing::Here) if message.copy => "copy",
        (Some(_), _, Standing::Here) if message.returned => "came back",
        (Some(_), _, Standing::Here) if matches!(message.onward, Onward::Done { .. }) => {
            "handed on"
        }
        (Some(_), _, Standing::Here) => "stored",
    }
}

fn json_of(name: &str, message: &InspectedMessage) -> Vec<u8> {
    let ids: Vec<_> = message
        .unique_ids
        .iter()
        .map(|id| String::from_utf8_lossy(id))
        .collect();
    let object = json!({
        "event": "remembered",
        "account": name,
        "time": date(message.time),
        "unique_ids": ids,
        "listed": message.listed,
        "octets": message.stored.as_ref().map(|(_, octets, _)| octets),
        "name": message.stored.as_ref().map(|(name, _, _)| name.as_str()),
        "sha256": message.stored.as_ref().map(|(_, _, sha256)| hex(sha256)),
        "deleted": message.is_deleted(),
        "status": status(message),
    });
    json_line(&object).unwrap_or_default()
}

/// Seconds since 1970 as a date.
pub(in crate::command) fn date(seconds: i64) -> String {
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) => time.to_string(),
        Err(_) => "?".to_owned(),
    }
}
