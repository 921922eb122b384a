//! The figures as Markdown.

use std::fmt::Write;

use crate::check::Kept;
use crate::figures::{Bar, Group};
use crate::known;
use crate::program::Program;
use crate::proxy::Found;
use crate::workload::{Work, grouped};

/// What was measured, on what, and how.
pub fn markdown(groups: &[Group], machine: &str, lines: &[Found]) -> String {
    let timed: Vec<&Group> = groups.iter().filter(|group| !is_known(group)).collect();
    let known: Vec<&Group> = groups.iter().filter(|group| is_known(group)).collect();
    let mut parts = vec![format!("Measured on {machine}.{}", surveyed(lines))];
    if !timed.is_empty() {
        parts.push(summary(&timed));
        parts.extend(remarks(&timed));
    }
    if !known.is_empty() {
        parts.push(of_known(&known));
    }
    if !timed.is_empty() {
        parts.push(details(&timed));
    }
    parts.join("\n\n") + "\n"
}

/// What a visitor wants to know: the programs, and the works that at least two of them do; the fastest
/// stands out.
pub fn brief(groups: &[Group]) -> String {
    let programs: Vec<Program> = Program::ALL
        .into_iter()
        .filter(|program| !matches!(program, Program::Limit | Program::Storing))
        .collect();
    let mut text = String::from("| work |");
    for program in &programs {
        let _ = write!(text, " {} |", program.name());
    }
    text += "\n|---|";
    text += &"---|".repeat(programs.len());
    let is_shown_first = |group: &&Group| group.workload.is_shown_first();
    for group in groups.iter().filter(is_shown_first) {
        let times = programs.iter().filter_map(|program| group.bar(*program));
        let least = times.map(Bar::seconds).fold(f64::INFINITY, f64::min);
        let _ = write!(text, "\n| {} |", group.workload.title());
        for program in &programs {
            let cell = match group.bar(*program) {
                Some(bar) if bar.seconds() <= least => format!("**{}**", seconds(bar.seconds())),
                Some(bar) if bar.estimated.is_some() => format!("{}\\*", seconds(bar.seconds())),
                Some(bar) => seconds(bar.seconds()),
                None => "-".into(),
            };
            let _ = write!(text, " {cell} |");
        }
    }
    text + "\n"
}

fn is_known(group: &Group) -> bool {
    matches!(group.workload.work, Work::Known(_))
}

fn surveyed(lines: &[Found]) -> String {
    let found = lines.iter().map(|found| {
        let said = format!(
            " The line of {} was measured to have a round trip of {:.1} ms, and a first answer {:.1} \
             ms after `connect`.",
            found.line,
            milliseconds(found.round_trip),
            milliseconds(found.first_echo)
        );
        match found.rate {
            Some(rate) => format!("{said} It carried {:.2} MB/s.", rate / 1e6),
            None => said,
        }
    });
    found.collect()
}

fn milliseconds(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// A row a workload, a column a program.
fn summary(groups: &[&Group]) -> String {
    let took_part = |program: &Program| groups.iter().any(|group| group.bar(*program).is_some());
    let programs: Vec<Program> = Program::ALL.into_iter().filter(took_part).collect();
    let mut text = String::from("| work |");
    for program in &programs {
        let version = program.version().map(|version| format!(" {version}"));
        let _ = write!(text, " {}{} |", program.name(), version.unwrap_or_default());
    }
    text += "\n|---|";
    text += &"---|".repeat(programs.len());
    for group in groups {
        let _ = write!(text, "\n| {} |", group.workload.title());
        for program in &programs {
            let cell = group.bar(*program).map(|bar| summary_cell(group, bar));
            let _ = write!(text, " {} |", cell.unwrap_or_else(|| "-".into()));
        }
    }
    text
}

fn summary_cell(group: &Group, bar: &Bar) -> String {
    let time = seconds(bar.seconds());
    let star = if bar.estimated.is_some() { "\\*" } else { "" };
    let times = |program| group.ratio(bar, program).map(|ratio| format!("{ratio:.1}"));
    match (bar.program, times(Program::Limit), times(Program::Popfetch)) {
        (Program::Popfetch, Some(limit), _) if let Some(storing) = times(Program::Storing) => {
            format!("**{time}** ({limit} × limit, {storing} × storing limit)")
        }
        (Program::Popfetch, Some(limit), _) => format!("**{time}** ({limit} × limit)"),
        (Program::Popfetch, None, _) => format!("**{time}**"),
        (Program::Limit | Program::Storing, ..) | (_, _, None) => time + star,
        (_, _, Some(ratio)) => format!("{time}{star} ({ratio} ×)"),
    }
}

/// What the cells do not say.
fn remarks(groups: &[&Group]) -> Vec<String> {
    let mut said = vec![
        "Medians of the seconds from start to exit; in brackets how many times as long as popfetch \
         takes it is, and for popfetch how many times the limits."
            .to_owned(),
    ];
    let bars = || groups.iter().flat_map(|group| &group.bars);
    if bars().any(|bar| bar.estimated.is_some()) {
        said.push("\\* Estimated from fewer messages on the same line.".into());
    }
    let mut adding: Vec<&str> = bars()
        .filter(|bar| bar.kept == Some(Kept::WithHeaders))
        .map(|bar| bar.program.name())
        .collect();
    adding.sort_unstable();
    adding.dedup();
    if !adding.is_empty() {
        said.push(format!(
            "Every Maildir was compared octet for octet with the maildrop. Of {}, which cannot be \
             kept from adding header lines, all but those was compared.",
            adding.join(" and ")
        ));
    } else {
        said.push("Every Maildir was compared octet for octet with the maildrop.".into());
    }
    for group in groups {
        let Some(popfetch) = group.bar(Program::Popfetch) else {
            continue;
        };
        if let Some(alone) = group.bars.iter().find(|bar| bar.variant.is_some()) {
            said.push(format!(
                "{}: popfetch takes {:.2} times as long as {} takes ({}).",
                group.workload.title(),
                popfetch.seconds() / alone.seconds(),
                alone.variant.unwrap_or_default(),
                seconds(alone.seconds())
            ));
        }
        let trip = group.workload.line.round_trip.as_secs_f64();
        if matches!(
            group.workload.work,
            Work::NoPipelining(_) | Work::NothingNew(_)
        ) && trip > 0.0
        {
            said.push(format!(
                "{}: popfetch takes the time of {:.1} round trips.",
                group.workload.title(),
                popfetch.seconds() / trip
            ));
        }
    }
    said
}

/// Every bar with its spread, CPU time and memory.
fn details(groups: &[&Group]) -> String {
    let mut text = String::from(
        "<details><summary>Spread, CPU time and memory</summary>\n\n\
         | work | program | median | from, to | runs | × limit | × storing limit | × popfetch | CPU | peak memory |\n\
         |---|---|---|---|---|---|---|---|---|---|",
    );
    for group in groups {
        for bar in group.bars.iter().filter(|bar| bar.estimated.is_none()) {
            let ratio = |program| {
                let ratio = group.ratio(bar, program);
                ratio.map_or_else(|| "-".into(), |ratio| format!("{ratio:.2}"))
            };
            let (least, most) = bar.spread().unwrap_or_default();
            let _ = write!(
                text,
                "\n| {} | {} | {} | {}, {} | {} | {} | {} | {} | {} | {} |",
                group.workload.title(),
                bar.label(),
                seconds(bar.seconds()),
                seconds(least),
                seconds(most),
                bar.runs.len(),
                ratio(Program::Limit),
                ratio(Program::Storing),
                ratio(Program::Popfetch),
                seconds(bar.cpu()),
                mebibytes(bar.peak_memory())
            );
        }
    }
    text += "\n\nCPU is that of the program and all it starts, in user and system mode; peak memory is \
             that of its largest process, in the worst of the runs.\n\n</details>";
    text
}

/// Start-up with very many known messages.
fn of_known(groups: &[&Group]) -> String {
    let mut text = String::from(
        "| known unique-ids | journal | all listed | CPU | memory | none listed | CPU | memory |\n\
         |---|---|---|---|---|---|---|---|",
    );
    let mut marked = false;
    for group in groups {
        let Work::Known(ids) = group.workload.work else {
            continue;
        };
        marked |= ids > known::FETCHED;
        let star = if ids > known::FETCHED { "†" } else { "" };
        let journal = mebibytes(group.journal.unwrap_or_default());
        let _ = write!(text, "\n| {}{star} | {journal} |", grouped(ids));
        for bar in &group.bars {
            let _ = write!(
                text,
                " {} | {} | {} |",
                seconds(bar.seconds()),
                seconds(bar.cpu()),
                mebibytes(bar.peak_memory())
            );
        }
    }
    text += "\n\nA whole run that finds nothing new, against a server that still lists all known \
             messages, and one that lists none.";
    if marked {
        text += " † Marked as seen by `popfetch state mark-seen`, not fetched.";
    }
    text
}

/// Three digits.
pub fn seconds(seconds: f64) -> String {
    match seconds {
        many if many >= 99.5 => format!("{many:.0} s"),
        some if some >= 9.95 => format!("{some:.1} s"),
        one if one >= 0.995 => format!("{one:.2} s"),
        few => format!("{few:.3} s"),
    }
}

fn mebibytes(octets: u64) -> String {
    format!("{:.1} MiB", octets as f64 / f64::from(1 << 20))
}
