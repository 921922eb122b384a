//! What was measured, and what follows from it.

use serde::Serialize;

use crate::check::Kept;
use crate::measure::{Run, median};
use crate::program::Program;
use crate::workload::{Work, Workload};

/// All figures of one workload.
pub struct Group {
    pub workload: Workload,
    pub bars: Vec<Bar>,
    /// Octets of the journal, where that is what it is about.
    pub journal: Option<u64>,
}

/// All runs of one program in a group.
pub struct Bar {
    pub program: Program,
    /// What is different from the program's usual bar of a group, in words.
    pub variant: Option<&'static str>,
    pub runs: Vec<Run>,
    /// Seconds, where nothing was run but a smaller workload on the same line.
    pub estimated: Option<f64>,
    pub kept: Option<Kept>,
}

impl Bar {
    pub fn new(program: Program) -> Self {
        Self {
            program,
            variant: None,
            runs: Vec::new(),
            estimated: None,
            kept: None,
        }
    }

    /// The median.
    pub fn seconds(&self) -> f64 {
        let measured = || median(self.runs.iter().map(|run| run.seconds));
        self.estimated.unwrap_or_else(measured)
    }

    pub fn cpu(&self) -> f64 {
        median(self.runs.iter().map(|run| run.cpu))
    }

    /// The most of all runs.
    pub fn peak_memory(&self) -> u64 {
        let peaks = self.runs.iter().map(|run| run.peak_memory);
        peaks.max().unwrap_or_default()
    }

    /// The quickest and the slowest run.
    pub fn spread(&self) -> Option<(f64, f64)> {
        let mut seconds: Vec<f64> = self.runs.iter().map(|run| run.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        Some((*seconds.first()?, *seconds.last()?))
    }

    pub fn label(&self) -> String {
        match self.variant {
            Some(variant) => format!("{}, {variant}", self.program.name()),
            None => self.program.name().into(),
        }
    }
}

impl Group {
    pub fn new(workload: &Workload) -> Self {
        Self {
            workload: workload.clone(),
            bars: Vec::new(),
            journal: None,
        }
    }

    /// A program's usual bar.
    pub fn bar(&self, program: Program) -> Option<&Bar> {
        let mut bars = self.bars.iter();
        bars.find(|bar| bar.program == program && bar.variant.is_none())
    }

    /// How many times as long as `program` a bar takes.
    pub fn ratio(&self, bar: &Bar, program: Program) -> Option<f64> {
        Some(bar.seconds() / self.bar(program)?.seconds())
    }
}

/// Adds what programs that wait for each message would take for many of them, from what they took
/// for fewer on the same line.
pub fn estimate(groups: &mut [Group]) {
    let mut known = Vec::new();
    for group in &*groups {
        if let Work::Fetch(messages) = group.workload.work {
            let bars = group
                .bars
                .iter()
                .filter(|bar| bar.program.goes_one_by_one());
            let line = group.workload.line;
            known.extend(bars.map(|bar| (line, bar.program, messages, bar.seconds())));
        }
    }
    for group in groups {
        let Work::Fetch(messages) = group.workload.work else {
            continue;
        };
        let line = group.workload.line;
        for program in Program::ALL {
            if line.round_trip.is_zero() || group.bar(program).is_some() {
                continue;
            }
            let fewer = known
                .iter()
                .find(|known| (known.0, known.1) == (line, program));
            if let Some((_, _, fewer, seconds)) = fewer {
                let mut bar = Bar::new(program);
                bar.estimated = Some(seconds * messages as f64 / *fewer as f64);
                group.bars.push(bar);
            }
        }
    }
}

/// A bar as programs read it.
#[derive(Serialize)]
struct Flat<'a> {
    workload: String,
    program: String,
    version: Option<String>,
    median_seconds: f64,
    estimated: bool,
    of_limit: Option<f64>,
    of_storing_limit: Option<f64>,
    of_popfetch: Option<f64>,
    runs: &'a [Run],
    header_lines_added: bool,
    journal_octets: Option<u64>,
}

/// All figures, and what they were measured on.
pub fn json(groups: &[Group], machine: &str) -> serde_json::Result<String> {
    let figures: Vec<Flat> = groups.iter().flat_map(flat).collect();
    let all = serde_json::json!({ "machine": machine, "figures": figures });
    serde_json::to_string_pretty(&all)
}

fn flat(group: &Group) -> impl Iterator<Item = Flat<'_>> {
    group.bars.iter().map(|bar| Flat {
        workload: group.workload.to_string(),
        program: bar.label(),
        version: bar.program.version(),
        median_seconds: bar.seconds(),
        estimated: bar.estimated.is_some(),
        of_limit: group.ratio(bar, Program::Limit),
        of_storing_limit: group.ratio(bar, Program::Storing),
        of_popfetch: group.ratio(bar, Program::Popfetch),
        runs: &bar.runs,
        header_lines_added: bar.kept == Some(Kept::WithHeaders),
        journal_octets: group.journal,
    })
}
