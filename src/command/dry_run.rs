//! `popfetch fetch --dry-run`: what a fetch would do, message by message.

use super::check::{HEADER_LIMIT, cells, whence, with_folder};
use super::context::Context;
use super::fail::{Failure, print, report_failure};
use super::lacking;
use super::results::{Counts, Results};
use crate::cli::Fetch;
use crate::exit::Status;
use crate::fetch::{Error, rehearse};
use crate::maildrop::Message;
use crate::message::Heading;
use crate::plan::{Decision, Why};
use crate::profile::{Keep, Overrides};
use crate::rules::{Decisive, Listed};
use crate::term::{Column, Table, columns, count, escape, escape_str, json_line, size, wrap};
use serde_json::json;
use std::collections::{HashMap, HashSet};

/// What a fetch would do with an account.
struct Plan {
    keep: Keep,
    latest: Option<u64>,
    /// It was not the profile that said so, but `--delete`.
    keep_was_typed: bool,
    messages: Vec<(Message, Decision)>,
    /// The places of those that would not be on the server afterwards, what is fetched included.
    deleted: HashSet<usize>,
    /// The rules that have decided, in words, by place.
    rules: HashMap<usize, Ruling>,
    /// Of those that would be fetched, by their place; not of all where they are many.
    headings: HashMap<usize, Heading>,
    /// How many would be handed on, of what waits and of what would be fetched.
    handed_on: u64,
    /// Messages that would be fetched, and whose folder shows only once they are here.
    unsorted: u64,
}

/// Nobody reads through more than these, and each costs the server a TOP.
const HEADINGS: usize = 100;

impl Plan {
    /// How many messages are to be treated like this.
    fn count(&self, action: impl Fn(&Decision) -> bool) -> u64 {
        let messages = self.messages.iter();
        messages.filter(|(_, decision)| action(decision)).count() as u64
    }
}

impl Counts for Plan {
    const FIELDS: &'static [&'static str] = &[
        "fetch", "octets", "hand_on", "delete", "mark", "seen", "skip",
    ];

    fn values(&self) -> Vec<u64> {
        let fetched = self
            .messages
            .iter()
            .filter(|(_, decision)| is_fetch(decision));
        let octets = fetched.filter_map(|(message, _)| message.octets);
        vec![
            self.count(is_fetch),
            octets.fold(0, u64::saturating_add),
            self.handed_on,
            self.deleted.len() as u64,
            self.count(|decision| matches!(decision, Decision::Mark)),
            self.count(|decision| matches!(decision, Decision::Seen | Decision::Doubt { .. })),
            self.count(|decision| matches!(decision, Decision::Skip(_))),
        ]
    }
}

fn is_fetch(decision: &Decision) -> bool {
    matches!(decision, Decision::Fetch(_))
}

/// Runs the command.
pub(super) fn run(
    context: &Context<'_>,
    arguments: &Fetch,
    overrides: &Overrides,
) -> Result<Status, Failure> {
    let report = context.text_reporter();
    let prepared = context.ready(&arguments.accounts, overrides, &report)?;
    let mut environment = context.environment(&report)?;
    environment.stop = environment.stop.without_grace();
    environment.at_once = context.at_once(arguments.now, &arguments.accounts);
    environment.as_new = arguments.as_new;
    let jobs = usize::from(arguments.jobs.0);
    let results = prepared.each(jobs, &environment, |account| {
        lacking::tell(account);
        let looked = rehearse(account, |mut look| {
            let messages: Vec<_> = (0..look.plan.listed())
                .filter_map(|place| Some((look.maildrop.message(place)?, look.plan.at(place)?)))
                .collect();
            let deleted = look.deleted(account.profile.policy);
            let mut headings = HashMap::new();
            let own = &account.profile.rules;
            let rules = (0..look.plan.listed()).filter_map(|place| {
                let rule = own.numbered(look.plan.rule_at(place)?)?;
                Some((place, Ruling::of(rule)))
            });
            let mut rules: HashMap<usize, Ruling> = rules.collect();
            let sorts = !own.folders().is_empty();
            let mut unsorted: HashSet<usize> = messages
                .iter()
                .enumerate()
                .filter(|(place, (_, decision))| {
                    sorts && is_fetch(decision) && !rules.contains_key(place)
                })
                .map(|(place, _)| place)
                .collect();
            if !context.is_json() && !context.global.quiet {
                let fetched = messages.iter().enumerate();
                let fetched = fetched.filter(|(_, (_, decision))| is_fetch(decision));
                let wanted: Vec<_> = fetched
                    .take(HEADINGS)
                    .map(|(place, (message, _))| (place, message))
                    .collect();
                let numbers = wanted.iter().map(|(_, message)| message.number);
                look.session
                    .headers(numbers, HEADER_LIMIT, |number, header| {
                        let found = wanted.iter().find(|(_, it)| it.number == number);
                        let (Some((place, message)), Some(header)) = (found, header) else {
                            return;
                        };
                        headings.insert(*place, Heading::parse(&header));
                        if !unsorted.contains(place) {
                            return;
                        }
                        // By its age it may go elsewhere, and that shows when it comes.
                        let listed = Listed {
                            octets: message.octets,
                            now: None,
                            is_fetched_otherwise: true,
                        };
                        let ruling = own.folder_of(listed, &header).map(Ruling::of);
                        if ruling.is_some() || !own.ask_ages() {
                            unsorted.remove(place);
                        }
                        rules.extend(ruling.map(|ruling| (*place, ruling)));
                    })?;
            }
            let fetched = messages.iter().filter(|(_, decision)| is_fetch(decision));
            let handed_on = match account.profile.deliver.is_some() && look.is_taken {
                true => look.waiting + fetched.count() as u64,
                false => 0,
            };
            look.leave();
            Ok::<_, Error>(Plan {
                keep: account.profile.policy.keep,
                latest: account.profile.policy.latest,
                keep_was_typed: overrides.keep.is_some(),
                messages,
                deleted,
                rules,
                headings,
                handed_on,
                unsorted: unsorted.len() as u64,
            })
        });
        let looked = looked.and_then(|plan| plan);
        looked.map_err(|error| report_failure(&*environment.report, &account.profile.name, &error))
    });
    report.clear();
    let looked = Results::new(prepared, results);
    print(if context.is_json() {
        looked.json(plan_as_json)
    } else {
        as_table(&looked, context.global.verbose > 0).into_bytes()
    })?;
    if !context.global.quiet {
        for (name, plan) in looked.found() {
            eprintln!("{}: {}", escape_str(name), summary(&plan.values()));
            if plan.unsorted > 0 {
                let text = format!(
                    "{}: rules tell the folder of {} only once it is here",
                    escape_str(name),
                    match plan.unsorted {
                        1 => "1 message".to_owned(),
                        several => format!("each of {several} messages"),
                    }
                );
                eprintln!("{}", wrap("", &text, columns(std::io::stderr())));
            }
        }
        let (worked, failed) = (looked.found().count(), looked.failed());
        let all = (worked + failed.len()) as u64;
        if all > 1 && worked > 0 {
            let accounts = match failed.is_empty() {
                true => count(all, "account"),
                false => format!("{worked} of {}", count(all, "account")),
            };
            let mut text = format!("{accounts}: {}", summary(&looked.sums()));
            if !failed.is_empty() {
                let names: Vec<_> = failed.iter().map(|name| escape_str(name)).collect();
                text.push_str(&format!("; failed: {}", names.join(", ")));
            }
            eprintln!("{}", wrap("", &text, columns(std::io::stderr())));
        }
    }
    Ok(looked.status())
}

/// A rule that has decided on a message.
struct Ruling {
    rule: String,
    /// Where it has the message stored, if elsewhere than others.
    folder: Option<String>,
}

impl Ruling {
    fn of(decisive: Decisive<'_>) -> Self {
        let folder = decisive.rule.action.folder();
        Self {
            rule: decisive.to_string(),
            folder: folder.map(ToString::to_string),
        }
    }

    /// Why a message is treated as it is.
    fn reason(&self) -> String {
        match &self.folder {
            Some(folder) => format!("{}, into {folder}", self.rule),
            None => self.rule.clone(),
        }
    }

    /// What stands before a subject: the folder first, as conditions are as long as their owner likes.
    fn shown(&self) -> String {
        match &self.folder {
            Some(folder) => format!("[{}: {}] ", escape_str(folder), escape_str(&self.rule)),
            None => format!("[{}] ", escape_str(&self.rule)),
        }
    }
}

/// The numbers of [`Counts::values`] in words.
fn summary(values: &[u64]) -> String {
    let [fetch, octets, hand_on, delete, mark, _, skip] = *values else {
        return String::new();
    };
    let mut parts = vec![match fetch {
        0 => "would fetch nothing".to_owned(),
        _ => format!("would fetch {fetch} ({})", size(octets)),
    }];
    for (number, word) in [
        (hand_on, "hand on"),
        (delete, "delete"),
        (mark, "mark as seen"),
        (skip, "skip"),
    ] {
        if number > 0 {
            parts.push(format!("{word} {number}"));
        }
    }
    parts.join(", ")
}

/// What would be done, and to which message; of those that are seen only with `verbose`.
fn as_table(looked: &Results<Plan>, verbose: bool) -> String {
    let several = looked.found().count() > 1;
    let columns = columns(std::io::stdout());
    let mut table = Table::new(&[
        Column::Flexible,
        Column::Left,
        Column::Right,
        Column::Left,
        Column::Flexible,
        Column::Flexible,
    ]);
    for (name, plan) in looked.found() {
        for (place, (message, decision)) in plan.messages.iter().enumerate() {
            if !verbose && matches!(decision, Decision::Seen) {
                continue;
            }
            let (action, mut why) = words(*decision, plan);
            let rule = plan.rules.get(&place);
            why = rule.map(Ruling::reason).unwrap_or(why);
            let octets = message.octets.map_or_else(|| "?".to_owned(), size);
            let id = || {
                let id = message.unique_id.as_deref();
                id.map_or_else(|| "-".to_owned(), escape)
            };
            let [date, from, what] = match plan.headings.get(&place) {
                Some(heading) => {
                    let [date, from, subject] = cells(heading, columns);
                    // Behind the subject it would be cut first.
                    let rule = rule.map_or_else(|| whence(message), Ruling::shown);
                    [date, from, rule + &subject]
                }
                None => [String::new(), id(), why],
            };
            let name = if several {
                escape_str(name)
            } else {
                String::new()
            };
            table.row([name, action.to_owned(), octets, date, from, what]);
        }
    }
    let text = table.render_in_two(columns);
    // With one account its column is empty, and so is a gap; what stands below a line stays indented.
    match several {
        true => text,
        false => text
            .lines()
            .map(|line| match line.strip_prefix("    ") {
                Some(below) => format!("  {below}\n"),
                None => format!("{}\n", line.trim_start()),
            })
            .collect(),
    }
}

fn plan_as_json(name: &str, plan: &Plan) -> Vec<u8> {
    let messages = plan.messages.iter().enumerate();
    let lines = messages.flat_map(|(place, (message, decision))| {
        let (action, why) = words(*decision, plan);
        let rule = plan.rules.get(&place);
        let reason = rule.map_or(why, Ruling::reason);
        json_of(
            name,
            message,
            (action, plan.deleted.contains(&place)),
            &reason,
        )
    });
    lines.collect()
}

fn json_of(name: &str, message: &Message, (action, deleted): (&str, bool), why: &str) -> Vec<u8> {
    let unique_id = message.unique_id.as_deref().map(String::from_utf8_lossy);
    let object = json!({
        "event": "plan",
        "account": name,
        "number": message.number.value(),
        "unique_id": unique_id,
        "octets": message.octets,
        "action": action,
        "delete": deleted,
        "reason": why,
    });
    // A value of strings and numbers can always be written.
    json_line(&with_folder(object, message)).unwrap_or_default()
}

fn words(decision: Decision, plan: &Plan) -> (&'static str, String) {
    match decision {
        Decision::Delete => {
            let why = match plan.keep {
                Keep::For(period) => {
                    let period = crate::profile::units::duration(period);
                    format!("stored at least {period} ago")
                }
                _ if plan.keep_was_typed => "stored, and --delete".to_owned(),
                _ => "stored, and keep = \"never\"".to_owned(),
            };
            ("delete", why)
        }
        Decision::Discard => ("delete", "a rule says so".to_owned()),
        Decision::Fetch(Why::New) => ("fetch", "not fetched before".to_owned()),
        Decision::Fetch(Why::Again) => ("fetch", "failed before, is tried again".to_owned()),
        Decision::Fetch(Why::Lost) => ("fetch", "its file is lost".to_owned()),
        Decision::Doubt { due } => {
            let why = "is listed otherwise than before: is it the same?";
            let then = if due { " Then it is deleted" } else { "" };
            ("look", format!("{why}{then}"))
        }
        Decision::Mark => (
            "mark",
            match plan.latest {
                Some(latest) => format!("not one of the newest {latest}: marked as seen"),
                None => "older than the newest: marked as seen".to_owned(),
            },
        ),
        Decision::Seen => ("seen", "fetched or marked as seen before".to_owned()),
        Decision::Skip(reason) => ("skip", reason.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_what_would_be_done() {
        assert_eq!(
            summary(&[12, 3_450_000, 0, 3, 0, 7, 1]),
            "would fetch 12 (3.4 MB), delete 3, skip 1"
        );
        assert_eq!(summary(&[0, 0, 0, 0, 0, 7, 0]), "would fetch nothing");
        assert_eq!(
            summary(&[0, 0, 3, 2, 0, 7, 0]),
            "would fetch nothing, hand on 3, delete 2"
        );
        assert_eq!(
            summary(&[1, 10, 0, 0, 4, 0, 0]),
            "would fetch 1 (10 B), mark as seen 4"
        );
    }
}
