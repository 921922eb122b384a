//! A line for each message that is not intact.

use super::super::state::show::date;
use crate::term::{escape, escape_str, hex, json_line, size};
use crate::verify::{Finding, Recorded};
use serde_json::json;
use std::path::Path;

fn word(finding: &Finding) -> &'static str {
    match finding {
        Finding::Accepted => "accepted",
        Finding::Changed(_) => "changed",
        Finding::HandedOn => "handed on",
        Finding::Intact => "intact",
        Finding::Missing => "missing",
        Finding::Removed => "removed",
        Finding::Unreadable(_) => "unreadable",
    }
}

/// For people, in columns.
pub(super) fn as_row(message: &Recorded<'_>, finding: &Finding, path: &Path) -> [String; 5] {
    let unique_ids = message.inspected.unique_ids.iter();
    let unique_ids: Vec<String> = unique_ids.map(|id| escape(id)).collect();
    let place = match finding {
        Finding::Accepted | Finding::Changed(_) => path.display().to_string(),
        Finding::Unreadable(error) => format!("{}: {error}", path.display()),
        _ => message.name.as_str().to_owned(),
    };
    [
        word(finding).to_owned(),
        date(message.inspected.time),
        size(message.octets),
        match unique_ids.as_slice() {
            [] => "-".to_owned(),
            ids => ids.join(" "),
        },
        escape_str(&place),
    ]
}

/// For programs.
pub(super) fn as_json(
    account: &str,
    message: &Recorded<'_>,
    finding: &Finding,
    path: &Path,
) -> Vec<u8> {
    let inspected = message.inspected;
    let unique_ids = inspected.unique_ids.iter();
    let unique_ids: Vec<_> = unique_ids.map(|id| String::from_utf8_lossy(id)).collect();
    let (changed, error) = match finding {
        Finding::Changed(changed) => (Some(changed), None),
        Finding::Unreadable(error) => (None, Some(error.to_string())),
        Finding::Accepted
        | Finding::HandedOn
        | Finding::Intact
        | Finding::Missing
        | Finding::Removed => (None, None),
    };
    let is_there = matches!(finding, Finding::Accepted) || changed.is_some() || error.is_some();
    let path = Some(path).filter(|_| is_there);
    let object = json!({
        "event": word(finding),
        "account": account,
        "time": date(inspected.time),
        "unique_ids": unique_ids,
        "name": message.name.as_str(),
        "octets": message.octets,
        "sha256": hex(message.sha256),
        "deleted": inspected.is_deleted(),
        "path": path.map(|path| path.to_string_lossy()),
        "found_octets": changed.map(|changed| changed.octets),
        "found_sha256": changed.map(|changed| hex(&changed.sha256)),
        "error": error,
    });
    json_line(&object).unwrap_or_default()
}
