//! What is to be done, over which line, and by which programs: read from names such as
//! `2000@50ms` or `nothing-new-300@50ms@2MB/s`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::mda::Mda;
use crate::program::Program;
use crate::proxy::Line;

/// Messages in each of the maildrops of [`Work::Accounts`].
pub const PER_ACCOUNT: usize = 300;

/// What is measured where nothing else is asked for.
pub const USUAL: &[&str] = &[
    "2000",
    "2000@50ms",
    "300@50ms",
    "imap-2000",
    "imap-2000@50ms",
    "nothing-new-300@50ms",
    "100000",
    "nothing-new-100000",
    "accounts-8@50ms",
    "no-pipelining-300@50ms",
    "rules-1000@50ms",
    "procmail-300",
    "dovecot-lda-300",
    "known-1000",
    "known-10000",
    "known-100000",
    "known-1000000",
];

/// How long one message may keep a program that waits for each, beside its round trip; and how
/// long a whole run of such a program may then take to be worth measuring.
const ONE_BY_ONE: Duration = Duration::from_millis(5);
const WORTH_WAITING: Duration = Duration::from_secs(60);

/// One group of figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    pub work: Work,
    pub line: Line,
    name: String,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Work {
    /// All messages of a maildrop are new.
    Fetch(usize),
    /// The same by IMAP.
    FetchByImap(usize),
    /// All of them have been fetched before.
    NothingNew(usize),
    /// So many maildrops, all of them new.
    Accounts(usize),
    /// As [`Work::Fetch`], from a server that answers one command at a time.
    NoPipelining(usize),
    /// As [`Work::Fetch`], and a rule asks for each header first.
    Ruled(usize),
    /// As [`Work::Fetch`], and a program takes each message.
    HandedOn(Mda, usize),
    /// A state that knows so many messages.
    Known(usize),
}

impl Workload {
    /// Whether `program` is measured at it: one that waits for each message is not, where that
    /// would take minutes.
    pub fn suits(&self, program: Program) -> bool {
        if !program.speaks(matches!(self.work, Work::FetchByImap(_))) {
            return false;
        }
        let stores = matches!(
            self.work,
            Work::Fetch(_) | Work::FetchByImap(_) | Work::Accounts(_)
        );
        if program == Program::Storing {
            return stores;
        }
        match self.work {
            Work::Fetch(messages) | Work::FetchByImap(messages) | Work::NothingNew(messages) => {
                let each = self.line.round_trip + ONE_BY_ONE;
                !program.goes_one_by_one() || each * messages as u32 <= WORTH_WAITING
            }
            Work::HandedOn(mda, _) => {
                let used_with = match mda {
                    Mda::Procmail => Program::Fetchmail,
                    Mda::DovecotLda => Program::Getmail,
                };
                (program == Program::Popfetch || program == used_with) && mda.is_here()
            }
            Work::Ruled(_) => program == Program::Popfetch,
            Work::Accounts(_) | Work::NoPipelining(_) | Work::Known(_) => {
                matches!(program, Program::Limit | Program::Popfetch)
            }
        }
    }

    /// Whether it is one of the few that README.md shows.
    pub fn is_shown_first(&self) -> bool {
        match self.work {
            Work::Fetch(messages) => messages >= 1000,
            Work::FetchByImap(_) => self.line != Line::default(),
            Work::NothingNew(_) => true,
            _ => false,
        }
    }

    /// What the figures of the tables are of, in words.
    pub fn title(&self) -> String {
        let work = match self.work {
            Work::Fetch(n) => format!("{} messages, {} MB", grouped(n), megabytes(n)),
            Work::FetchByImap(n) => {
                format!("{} messages, {} MB, by IMAP", grouped(n), megabytes(n))
            }
            Work::NothingNew(n) => format!("nothing new, {} kept", grouped(n)),
            Work::Accounts(n) => format!("{n} accounts of {PER_ACCOUNT} messages"),
            Work::NoPipelining(n) => format!("{} messages, no PIPELINING", grouped(n)),
            Work::Ruled(n) => format!("{} messages, a rule about headers", grouped(n)),
            Work::HandedOn(mda, n) => format!("{} messages to {}", grouped(n), mda.name()),
            Work::Known(n) => format!("{} known unique-ids", grouped(n)),
        };
        format!("{work}, {}", self.line)
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl FromStr for Workload {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut parts = name.split('@');
        let work = work(parts.next().unwrap_or_default());
        let work = work.ok_or_else(|| anyhow::anyhow!("there is no workload {name:?}"))?;
        let mut line = Line::default();
        for part in parts {
            let number = |unit| part.strip_suffix(unit)?.parse::<u64>().ok();
            match (number("ms"), number("kB/s"), number("MB/s")) {
                (Some(ms), _, _) => line.round_trip = Duration::from_millis(ms),
                (_, Some(kilo), _) if kilo > 0 => line.rate = Some(kilo * 1000),
                (_, _, Some(mega)) if mega > 0 => line.rate = Some(mega * 1_000_000),
                _ => anyhow::bail!("{part:?} of {name:?} is no line: 50ms, 500kB/s, 2MB/s"),
            }
        }
        if matches!(work, Work::Known(_)) && line != Line::default() {
            anyhow::bail!("{name:?}: known unique-ids are measured without a line");
        }
        let name = name.to_owned();
        Ok(Self { work, line, name })
    }
}

fn work(name: &str) -> Option<Work> {
    let (kind, number) = name.rsplit_once('-').unwrap_or(("", name));
    let number = number.parse().ok().filter(|number| *number > 0)?;
    Some(match kind {
        "" if !name.starts_with('-') => Work::Fetch(number),
        "imap" => Work::FetchByImap(number),
        "nothing-new" => Work::NothingNew(number),
        "accounts" => Work::Accounts(number),
        "no-pipelining" => Work::NoPipelining(number),
        "rules" => Work::Ruled(number),
        "procmail" => Work::HandedOn(Mda::Procmail, number),
        "dovecot-lda" => Work::HandedOn(Mda::DovecotLda, number),
        "known" => Work::Known(number),
        _ => return None,
    })
}

/// Octets of a message on average: as in a mailbox of letters, or, where there are very many, of
/// notices.
pub fn mean_size(messages: usize) -> u64 {
    if messages < 10_000 { 13_000 } else { 2_580 }
}

fn megabytes(messages: usize) -> String {
    let octets = mean_size(messages) as f64 * messages as f64;
    match octets / 1e6 {
        few if few < 10.0 => format!("{few:.1}"),
        many => format!("{many:.0}"),
    }
}

/// 100,000 rather than 100000.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
