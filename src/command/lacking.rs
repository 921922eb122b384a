//! The programs that an account's mail would meet and that are not there: told before there is any.

use super::on_new;
use crate::fetch::Account;
use crate::handover::Unable;
use crate::net::program::find;
use crate::report::Event;
use crate::rules::FilterCommand;
use crate::term::without_numbers;
use std::path::PathBuf;

/// Warns of each of them.
pub(super) fn tell(account: &Account<'_>) {
    let profile = account.profile;
    let warn = |key: &str, what: &str, way: &str| {
        let text = format!("`{key}`: {what} ({way})");
        let report = &account.environment.report;
        report.report(&profile.name, Event::Warning(&text));
    };
    if let Some(Err(unable)) = profile.deliver.as_ref().map(|it| it.to.find()) {
        let Unable { what, hint, .. } = unable;
        warn("deliver", &without_numbers(&what), &hint);
    }
    if let Some(Err((what, way))) = profile.rules.filter().map(find_filter) {
        warn("filter-command", &what, &way);
    }
    if let Some(Err((what, way))) = profile.on_new.as_ref().map(on_new::find) {
        warn("on-new", &what, &way);
    }
}

/// Where the program of `filter-command` is, by the rules by which it is started; or what is wrong, and what
/// to do.
pub(super) fn find_filter(filter: &FilterCommand) -> Result<PathBuf, (String, String)> {
    let way = "until then what no rule decides is fetched as without it";
    find("filter-command", filter.program()).map_err(|(what, how)| (what, format!("{how}; {way}")))
}
