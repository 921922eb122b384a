//! The part of `popfetch watch` that stays with a server: `popfetch check --listen`, which the watch starts
//! for an account and which says on standard output, a word a line, what it hears.

use super::context::Context;
use super::fail::{Failure, report_failure};
use super::results::{Counts, Results};
use crate::cli::Check;
use crate::exit::Status;
use crate::fetch::wait_for_news;
use crate::source::News;
use crate::system;
use std::io::{Write, stdout};
use std::ops::ControlFlow;

/// It is listening from now on.
pub(super) const LISTENING: &str = "listening";

/// Mail has come.
pub(super) const MAIL: &str = "mail";

/// Nothing was counted.
struct Heard;

impl Counts for Heard {
    const FIELDS: &'static [&'static str] = &[];

    fn values(&self) -> Vec<u64> {
        Vec::new()
    }
}

/// Runs it. [`Status::Ok`] means that the server says nothing by itself.
pub(super) fn run(context: &Context<'_>, arguments: &Check) -> Result<Status, Failure> {
    system::end_with_parent();
    let report = context.text_reporter();
    let overrides = Context::look_overrides(&arguments.sign_in);
    let prepared = context.ready(&arguments.accounts, &overrides, &report)?;
    let environment = context.environment(&report)?;
    let results = prepared.each(1, &environment, |account| {
        let report = &*account.environment.report;
        let heard = wait_for_news(account, say);
        let heard = heard.map_err(|error| report_failure(report, &account.profile.name, &error));
        heard.map(|()| Heard)
    });
    report.clear();
    Ok(Results::new(prepared, results).status())
}

/// Nobody need stay for who does not read.
fn say(news: News) -> ControlFlow<()> {
    let word = match news {
        News::Listening => LISTENING,
        News::Mail => MAIL,
    };
    let mut out = stdout().lock();
    match writeln!(out, "{word}").and_then(|()| out.flush()) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}
