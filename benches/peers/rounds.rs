//! Runs the programs in turn, round after round, so that whatever else the machine does hits all of
//! them alike.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};

use crate::check::{Expected, Kept};
use crate::figures::{Bar, Group};
use crate::maildrops::{Made, Maildrops, contents};
use crate::mda::Way;
use crate::measure::{self, Run, median};
use crate::probe::{self, Retrieve};
use crate::program::{Manner, Program, account_name};
use crate::proxy::{Line, Proxy};
use crate::support::account::Account;
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::workload::{PER_ACCOUNT, Work, Workload};

/// A program whose run takes so long is not run more than [`FEW`] times.
const LONG: f64 = 10.0;
const FEW: usize = 3;

/// What the benchmark works with.
pub struct Bench {
    /// Started when it is first needed.
    maildrops: Option<Maildrops>,
    pub rounds: usize,
    /// SIGINT or SIGTERM came.
    pub stop: Arc<AtomicBool>,
    /// What the programs have fetched, until all is measured: where many files were removed not
    /// long ago, ext4 takes several times as long to make new ones, whoever makes them.
    homes: RefCell<Vec<Home>>,
}

/// What is to be fetched, from where, and what must come of it.
struct Task<'a> {
    accounts: Vec<Account>,
    expected: Vec<Expected>,
    messages: usize,
    octets: u64,
    manner: Manner,
    bench: &'a Bench,
}

impl Bench {
    pub fn new(rounds: usize, stop: Arc<AtomicBool>) -> Self {
        Self {
            maildrops: None,
            rounds,
            stop,
            homes: RefCell::default(),
        }
    }

    /// Measures one workload.
    pub fn measure(&mut self, workload: &Workload) -> Result<Group> {
        match workload.work {
            Work::Fetch(messages) => self.fetch(workload, messages, Way::Stored),
            Work::FetchByImap(messages) => self.fetch_by_imap(workload, messages),
            Work::HandedOn(mda, messages) => self.fetch(workload, messages, Way::Handed(mda)),
            Work::Ruled(messages) => self.ruled(workload, messages),
            Work::NothingNew(messages) => self.nothing_new(workload, messages),
            Work::Accounts(accounts) => self.accounts(workload, accounts),
            Work::NoPipelining(messages) => self.no_pipelining(workload, messages),
            Work::Known(ids) => crate::known::measure(self, workload, ids),
        }
    }

    fn fetch(&mut self, workload: &Workload, messages: usize, way: Way) -> Result<Group> {
        let made = self.maildrop(&format!("m{messages}"), messages)?;
        let (_proxy, account) = through(&made.account, workload.line);
        let retrieve = Retrieve::Pipelined;
        let task = Task {
            manner: Manner { retrieve, way },
            ..self.task(&[made], vec![account], retrieve)
        };
        task.fetched_by_all(workload)
    }

    fn fetch_by_imap(&mut self, workload: &Workload, messages: usize) -> Result<Group> {
        let made = self.maildrop(&format!("m{messages}"), messages)?;
        let (_proxy, account) = through(&made.by_imap, workload.line);
        let task = self.task(&[made], vec![account], Retrieve::ByImap);
        task.fetched_by_all(workload)
    }

    /// With a rule about headers, and without.
    fn ruled(&mut self, workload: &Workload, messages: usize) -> Result<Group> {
        let made = self.maildrop(&format!("m{messages}"), messages)?;
        let (_proxy, account) = through(&made.account, workload.line);
        let retrieve = Retrieve::Pipelined;
        let task = |way| Task {
            manner: Manner { retrieve, way },
            ..self.task(std::slice::from_ref(&made), vec![account.clone()], retrieve)
        };
        let (plain, ruled) = (task(Way::Stored), task(Way::Ruled));
        let mut bars = [Bar::new(Program::Popfetch), Bar::new(Program::Popfetch)];
        for round in 0..self.rounds {
            for (bar, task) in bars.iter_mut().zip([&ruled, &plain]) {
                task.fetched_by(bar, round)?;
            }
        }
        let [ruled, mut plain] = bars;
        plain.variant = Some("a run without rules");
        let mut group = Group::new(workload);
        group.bars = vec![ruled, plain];
        Ok(group)
    }

    fn nothing_new(&mut self, workload: &Workload, messages: usize) -> Result<Group> {
        let made = self.maildrop(&format!("m{messages}"), messages)?;
        let proxy = Proxy::start(made.account.port, Line::default());
        let account = match workload.line == Line::default() {
            true => made.account.clone(),
            false => at_port(&made.account, proxy.port()),
        };
        let task = self.task(&[made], vec![account], Retrieve::Nothing);
        let mut prepared = Vec::new();
        for program in programs(workload) {
            let home = Home::on_disk();
            let command = program.prepare(&home, &task.accounts, task.manner)?;
            if program != Program::Limit {
                task.run(program, &command, &home)?;
            }
            prepared.push((program, home, command));
        }
        proxy.become_line(workload.line);
        let mut group = Group::new(workload);
        group.bars = prepared.iter().map(|(one, ..)| Bar::new(*one)).collect();
        for round in 0..self.rounds {
            for (bar, (program, home, command)) in group.bars.iter_mut().zip(&prepared) {
                let (run, kept) = task.run(*program, command, home)?;
                note(bar, run, kept, round);
            }
        }
        let homes = prepared.into_iter().map(|(_, home, _)| home);
        self.homes.borrow_mut().extend(homes);
        Ok(group)
    }

    /// All accounts at once, and each alone.
    fn accounts(&mut self, workload: &Workload, number: usize) -> Result<Group> {
        let mut made = Vec::new();
        for index in 0..number {
            made.push(self.maildrop(&format!("one-of-many-{index}"), PER_ACCOUNT)?);
        }
        let port = made.first().context("no account")?.account.port;
        let proxy = Proxy::start(port, workload.line);
        let account = |made: &Made| at_port(&made.account, proxy.port());
        let all = made.iter().map(account).collect();
        let task = self.task(&made, all, Retrieve::Pipelined);
        let alone = made.iter().map(|made| {
            let made = std::slice::from_ref(made);
            let account = made.iter().map(account).collect();
            self.task(made, account, Retrieve::Pipelined)
        });
        let alone: Vec<Task> = alone.collect();
        let mut group = Group::new(workload);
        let programs = [Program::Limit, Program::Storing, Program::Popfetch];
        let [mut limit, mut storing, mut popfetch] = programs.map(Bar::new);
        let mut ones: Vec<Bar> = alone.iter().map(|_| Bar::new(Program::Popfetch)).collect();
        for round in 0..self.rounds {
            task.fetched_by(&mut limit, round)?;
            task.fetched_by(&mut storing, round)?;
            task.fetched_by(&mut popfetch, round)?;
            for (bar, task) in ones.iter_mut().zip(&alone) {
                task.fetched_by(bar, round)?;
            }
        }
        let slowest = ones
            .into_iter()
            .max_by(|one, other| one.seconds().total_cmp(&other.seconds()));
        let mut slowest = slowest.context("no account")?;
        slowest.variant = Some("the slowest account alone");
        group.bars = vec![limit, storing, popfetch, slowest];
        Ok(group)
    }

    /// Dovecot always announces PIPELINING, and within TLS nobody can take it away; so this one is
    /// the server of the tests.
    fn no_pipelining(&mut self, workload: &Workload, messages: usize) -> Result<Group> {
        let contents = contents(messages, 1000);
        let server = Server::builder(&Maildrop::new(contents.clone()))
            .behaviour(Behaviour::new().without("PIPELINING"))
            .start();
        let (_proxy, account) = through(&server.account(), workload.line);
        let task = Task {
            expected: vec![Expected::of(&contents)],
            messages,
            octets: contents.iter().map(|message| message.size()).sum(),
            accounts: vec![account],
            manner: Manner::stored(Retrieve::OneByOne),
            bench: self,
        };
        task.fetched_by_all(workload)
    }

    /// The maildrop that belongs to `user`, read once already.
    fn maildrop(&mut self, user: &str, messages: usize) -> Result<Made> {
        self.check_stop()?;
        let maildrops = match &mut self.maildrops {
            Some(maildrops) => maildrops,
            none => none.insert(Maildrops::start()?),
        };
        maildrops.maildrop(user, messages, |made| {
            let accounts = std::slice::from_ref(&made.account);
            let home = Home::on_disk();
            let manner = Manner::stored(Retrieve::Pipelined);
            let command = Program::Limit.prepare(&home, accounts, manner)?;
            let (_, stdout) = measure::run(&command, &[])?;
            let came = probe::result(&stdout)?;
            ensure!(
                came.messages == made.messages && came.octets >= made.octets,
                "of {} messages, {} octets, came {came:?}",
                made.messages,
                made.octets
            );
            Ok(())
        })
    }

    fn task(&self, made: &[Made], accounts: Vec<Account>, retrieve: Retrieve) -> Task<'_> {
        Task {
            accounts,
            expected: made.iter().map(|made| made.expected.clone()).collect(),
            messages: made.iter().map(|made| made.messages).sum(),
            octets: made.iter().map(|made| made.octets).sum(),
            manner: Manner::stored(retrieve),
            bench: self,
        }
    }

    /// Starts a run on a disk that has nothing left to write.
    pub fn calm(&self) -> Result<()> {
        self.check_stop()?;
        rustix::fs::sync();
        Ok(())
    }

    fn check_stop(&self) -> Result<()> {
        ensure!(!self.stop.load(Ordering::SeqCst), "stopped");
        Ok(())
    }
}

impl Task<'_> {
    fn fetched_by_all(&self, workload: &Workload) -> Result<Group> {
        let mut group = Group::new(workload);
        group.bars = programs(workload).map(Bar::new).collect();
        for round in 0..self.bench.rounds {
            for bar in &mut group.bars {
                let long = median(bar.runs.iter().map(|run| run.seconds)) > LONG;
                if round < FEW || !long {
                    self.fetched_by(bar, round)?;
                }
            }
        }
        Ok(group)
    }

    /// One run in a new home.
    fn fetched_by(&self, bar: &mut Bar, round: usize) -> Result<()> {
        let (run, kept) = match self.fetch_anew(bar.program) {
            // It may fail by chance, which ought not to cost all that was measured.
            Err(error) if bar.program.package().is_some() => {
                eprintln!("{error:#}: once more");
                self.fetch_anew(bar.program)?
            }
            fetched => fetched?,
        };
        note(bar, run, kept, round);
        Ok(())
    }

    fn fetch_anew(&self, program: Program) -> Result<(Run, Option<Kept>)> {
        let home = Home::on_disk();
        let command = program.prepare(&home, &self.accounts, self.manner)?;
        let ran = self.run(program, &command, &home);
        self.bench.homes.borrow_mut().push(home);
        ran
    }

    /// One run, and what it left is checked.
    fn run(
        &self,
        program: Program,
        command: &std::process::Command,
        home: &Home,
    ) -> Result<(Run, Option<Kept>)> {
        self.bench.calm()?;
        let (run, stdout) = measure::run(command, program.fine())?;
        if matches!(program, Program::Limit | Program::Storing) {
            let came = probe::result(&stdout)?;
            let wanted = match self.manner.retrieve {
                Retrieve::Nothing => 0,
                _ => self.octets,
            };
            ensure!(
                came.messages == self.messages && came.octets >= wanted,
                "the limit probe read {came:?}"
            );
            if program == Program::Storing {
                let mut kept = 0;
                for index in 0..self.accounts.len() {
                    let new = home.maildir(&account_name(index)).join("new");
                    kept += std::fs::read_dir(new)?.count();
                }
                ensure!(kept == self.messages, "{kept} messages were kept");
            }
            return Ok((run, None));
        }
        let mut kept = Kept::Whole;
        for (index, expected) in self.expected.iter().enumerate() {
            let found = expected.check(&home.maildir(&account_name(index)));
            let found = found.with_context(|| format!("what {} fetched", program.name()))?;
            if found == Kept::WithHeaders {
                kept = found;
            }
        }
        Ok((run, Some(kept)))
    }
}

fn programs(workload: &Workload) -> impl Iterator<Item = Program> {
    let suit = Program::ALL.into_iter().filter(|one| workload.suits(*one));
    suit.filter(|one| one.is_here())
}

fn note(bar: &mut Bar, run: Run, kept: Option<Kept>, round: usize) {
    eprintln!(
        "  {}. {}: {:.3} s, {:.2} s of CPU, {:.1} MiB",
        round + 1,
        bar.label(),
        run.seconds,
        run.cpu,
        run.peak_memory as f64 / f64::from(1 << 20)
    );
    bar.runs.push(run);
    bar.kept = kept;
}

/// The account as it is reached over a line, and the line, which ends when it is dropped.
fn through(account: &Account, line: Line) -> (Option<Proxy>, Account) {
    if line == Line::default() {
        return (None, account.clone());
    }
    let proxy = Proxy::start(account.port, line);
    let account = at_port(account, proxy.port());
    (Some(proxy), account)
}

fn at_port(account: &Account, port: u16) -> Account {
    Account {
        port,
        ..account.clone()
    }
}
