//! `popfetch account test`: everything that a fetch needs is looked at, and nothing is changed.

mod finding;
mod local;
mod server;

use super::context::Context;
use super::fail::{Failure, print};
use super::results::{Counts, Results};
use super::stranded;
use crate::cli::SignIn;
use crate::exit::Status;
use crate::paths;
use crate::profile::Profile;
use crate::report::{self, Event, Outcome, Report};
use crate::term::{columns, escape_str};
use finding::Finding;
use server::{Examined, Heard};
use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::Arc;

/// Accounts that are tested together.
const JOBS: usize = 4;

/// Runs the command.
pub(super) fn run(
    context: &Context<'_>,
    accounts: &[String],
    sign_in: &SignIn,
) -> Result<Status, Failure> {
    let report = context.text_reporter();
    let overrides = Context::look_overrides(sign_in);
    let prepared = context.ready(accounts, &overrides, &report)?;
    stranded::tell(context, &*report);
    let state = paths::state_dir()?;
    let heard = Arc::new(Heard::new(Arc::clone(&report) as Arc<dyn Report>));
    let mut environment = context.environment_as(&report, Arc::clone(&heard) as Arc<dyn Report>)?;
    environment.stop = environment.stop.without_grace();
    // What takes a file is looked at first: once a server is reached no other can be opened.
    let profiles = prepared.ready.iter().map(|ready| &ready.profile);
    let mut sheets: Vec<Sheet> = profiles
        .map(|profile| Sheet::new(profile, local::look(profile, &state, &environment.stop)))
        .collect();
    let results = prepared.each(JOBS, &environment, |account| server::look(account, &heard));
    report.clear();
    let results: Vec<_> = results
        .into_iter()
        .zip(&mut sheets)
        .map(|(result, sheet)| result.map(|result| Ok(sheet.take_in(result))))
        .collect();
    let looked = Results::new(prepared, results);
    if context.is_json() {
        let sheets: HashMap<&str, &Sheet> = sheets.iter().map(|it| (&*it.name, it)).collect();
        print(looked.json_with(|name, _| {
            let findings = sheets.get(name).map(|sheet| &sheet.findings);
            let findings = findings.into_iter().flatten();
            findings.flat_map(|finding| finding.json(name)).collect()
        }))?;
    } else {
        for sheet in &sheets {
            print(sheet.text(context))?;
        }
    }
    // In full, with what to do, below what they stand in.
    for sheet in &sheets {
        sheet.tell_failures(report.as_ref());
    }
    Ok(looked.status())
}

/// All that was found of an account.
struct Sheet {
    name: String,
    /// Whose maildrop it is.
    server: String,
    findings: Vec<Finding>,
    /// The report knows of the first of them.
    told: bool,
}

/// What waits in a maildrop that could be looked at.
struct Tested {
    messages: u64,
    octets: u64,
}

impl Counts for Tested {
    const FIELDS: &'static [&'static str] = &["messages", "octets"];

    fn values(&self) -> Vec<u64> {
        vec![self.messages, self.octets]
    }
}

impl Sheet {
    fn new(profile: &Profile, findings: Vec<Finding>) -> Self {
        Self {
            name: profile.name.clone(),
            server: profile.server.id(),
            findings,
            told: false,
        }
    }

    /// What the session has shown goes before what is on this machine. The worst that has failed is
    /// the account's own failure.
    fn take_in(
        &mut self,
        looked: Result<Examined, report::Failure>,
    ) -> Result<Tested, report::Failure> {
        let mut waiting = None;
        match looked {
            Ok(examined) => {
                waiting = examined.waiting;
                self.findings.splice(0..0, examined.findings);
            }
            Err(failure) => {
                self.told = true;
                self.findings.insert(0, local::unready(&failure));
            }
        }
        let failures = self.findings.iter().filter_map(Finding::failure);
        let worst = failures.reduce(|one, other| match one.status.worst(other.status) {
            status if status == one.status => one,
            _ => other,
        });
        match (worst, waiting) {
            (Some(failure), _) => Err(failure.clone()),
            (None, Some((messages, octets))) => Ok(Tested { messages, octets }),
            (None, None) => Ok(Tested {
                messages: 0,
                octets: 0,
            }),
        }
    }

    /// With `--quiet`, what is worth a look.
    fn text(&self, context: &Context<'_>) -> String {
        let quiet = context.global.quiet;
        let wanted = self.findings.iter().filter(|it| !(quiet && it.is_ok()));
        let paint = context.paint_for(std::io::stdout().is_terminal());
        let columns = columns(std::io::stdout());
        let lines: String = wanted.map(|it| it.lines(paint, columns)).collect();
        match lines.is_empty() {
            true => lines,
            false => {
                let heading = escape_str(&format!("{} ({})", self.name, self.server));
                format!("{}\n{lines}", paint.bold(&heading))
            }
        }
    }

    fn tell_failures(&self, report: &dyn Report) {
        let told = usize::from(self.told);
        let failures = self.findings.iter().skip(told);
        for failure in failures.filter_map(Finding::failure) {
            let outcome = Outcome {
                failure: Some(failure.clone()),
                ..Outcome::default()
            };
            report.report(&self.name, Event::Finished(&outcome));
        }
    }
}
