//! A journal as a run may write it, line by line, and what its lines mean.

use super::sealed::{self, ACCOUNT};
use super::told::{Fate, Message, Remembered};
use popfetch::maildir::{AccountTag, JournalId, Stamp, UniqueName};
use popfetch::maildrop::Identity;
use popfetch::state::{Known, Standing};

/// Whose grammar the lines have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    Todays,
    First,
}

/// Lines as a fetch may write them, one a step, and what they mean.
pub struct Story {
    version: Version,
    /// The header and each step's line.
    pub lines: Vec<Vec<u8>>,
    told: Vec<Message>,
    /// Intents that are neither carried out nor dropped.
    open: Vec<usize>,
}

impl Story {
    /// The low five bits of a step are what happens, the others to which message.
    pub fn new(version: Version, steps: &[u8]) -> Self {
        let header = match version {
            Version::Todays => sealed::header(),
            Version::First => sealed::header_of_version_1(),
        };
        let mut story = Self {
            version,
            lines: vec![header],
            told: Vec::new(),
            open: Vec::new(),
        };
        for step in steps.iter().take(40) {
            let line = story.step(step & 31, usize::from(step >> 5));
            story.lines.push(sealed::line(line.as_bytes()));
        }
        story
    }

    fn time(&self) -> i64 {
        1_795_000_000 + i64::try_from(self.lines.len()).unwrap()
    }

    fn step(&mut self, what: u8, which: usize) -> String {
        let line = match what {
            0..=5 => Some(self.intend(which)),
            6 => Some(self.mark(which)),
            7 => self.carry_out_last(),
            8 => self.carry_out_all(),
            9 => self.drop_intent(which),
            10 => Some(format!(
                "F\t{}\tnever%20there\t{which}\t0\trefused\t{which}",
                self.time()
            )),
            11 => Some(format!("N\t{}", self.time())),
            12 => Some(self.begin_run(which)),
            13 => Some(self.find(which)),
            14..=20 => self.change(what, which),
            _ if self.version == Version::Todays => self.change_todays(what, which),
            _ => None,
        };
        line.unwrap_or_else(|| format!("L\t{}", self.time()))
    }

    fn begin_run(&self, which: usize) -> String {
        let begun = format!("B\t{}\tboot\t/home/ada/Mail%20{which}", self.time());
        match (self.version, which) {
            (Version::First, _) => begun,
            (Version::Todays, 0) => format!("{begun}\t-\t0"),
            (Version::Todays, _) => format!("{begun}\t{which:016x}\t{which}"),
        }
    }

    fn intend(&mut self, which: usize) -> String {
        let (id, time) = (self.told.len(), self.time());
        let unique_id = unique_id(id, which);
        let octets = which as u64 * 1000;
        let name = self.name_of(&unique_id, octets);
        let file = self.file(&name, octets);
        let line = format!(
            "I\t{id}\t{time}\t{}\t{octets}\t0\t{file}",
            sealed::escaped(&unique_id)
        );
        self.tell(Some(unique_id), octets, Some(name), Fate::Intended);
        self.open.push(id);
        line
    }

    /// Of a message that is found in the Maildir nobody knows how it was listed.
    fn find(&mut self, which: usize) -> String {
        let (id, time) = (self.told.len(), self.time());
        let unique_id = unique_id(id, which);
        let octets = which as u64 * 1000;
        let name = self.name_of(&unique_id, octets);
        let file = self.file(&name, octets);
        self.tell(None, octets, Some(name), Fate::Stored);
        self.told[id].lost_id = Some(unique_id);
        format!("R\t{id}\t{time}\t{file}")
    }

    fn mark(&mut self, which: usize) -> String {
        let (id, time) = (self.told.len(), self.time());
        let unique_id = unique_id(id, which);
        let (octets, escaped) = (which as u64, sealed::escaped(&unique_id));
        self.tell(Some(unique_id), octets, None, Fate::Marked);
        let line = format!("M\t{id}\t{time}\t{escaped}\t{octets}\t0");
        match (self.version, which % 2) {
            (Version::First, _) => line,
            (Version::Todays, 0) => format!("{line}\tlatest"),
            (Version::Todays, _) => format!("{line}\trequest"),
        }
    }

    fn carry_out_last(&mut self) -> Option<String> {
        let id = self.open.pop()?;
        self.told[id].fate = Fate::Stored;
        Some(format!("S\t{id}\t{id}"))
    }

    fn carry_out_all(&mut self) -> Option<String> {
        let (first, last) = (*self.open.first()?, *self.open.last()?);
        for id in self.open.drain(..) {
            self.told[id].fate = Fate::Stored;
        }
        Some(format!("S\t{first}\t{last}"))
    }

    fn drop_intent(&mut self, which: usize) -> Option<String> {
        let place = which % self.open.len().max(1);
        let id = *self.open.get(place)?;
        self.open.remove(place);
        self.told[id].fate = Fate::Dropped;
        Some(format!("X\t{id}"))
    }

    /// What both versions say of a message.
    fn change(&mut self, what: u8, which: usize) -> Option<String> {
        let time = self.time();
        let fates: &[Fate] = match what {
            18 => &[Fate::Stored, Fate::Marked, Fate::Lost],
            19 => &[Fate::Stored, Fate::Marked, Fate::Intended],
            _ => &[Fate::Stored],
        };
        let id = self.one_of(fates, which)?;
        let lines = self.lines.len();
        let message = &mut self.told[id];
        Some(match what {
            14 | 15 => {
                message.deleted = true;
                message.standing = Standing::Deleted;
                format!("D\t{id}\t{time}")
            }
            16 => {
                message
                    .unique_ids
                    .push(format!("alias {lines} of {id}").into());
                message.relist(id, time, true)
            }
            17 => {
                if message.unique_ids.is_empty() {
                    return None;
                }
                message.size += 1;
                message.relist(id, time, false)
            }
            18 => {
                message.fate = Fate::Dropped;
                format!("G\t{id}")
            }
            19 => {
                let count = which % 4;
                message.absent = count > 0;
                message.standing = match count {
                    0 => Standing::Here,
                    _ => Standing::Absent,
                };
                format!("V\t{id}\t{time}\t{count}")
            }
            _ => {
                message.accept();
                format!("O\t{id}\t{time}")
            }
        })
    }

    /// What the first version could not say.
    fn change_todays(&mut self, what: u8, which: usize) -> Option<String> {
        let time = self.time();
        match what {
            21 if which.is_multiple_of(2) => return Some(format!("W\t{which}")),
            21 => return Some(format!("C\t{which}\t1\t0\t{which}\t{}", which / 4)),
            22 => {
                return Some(format!(
                    "H\t/home/ada/Mail%20{which}\t{which:016x}\tadopted"
                ));
            }
            23 => {
                return Some(format!(
                    "H\t/home/ada/Mail%20{which}\t{which:016x}\taccepted"
                ));
            }
            24 => return Some(format!("J\tada{which}@old.example:995\t{which:016x}")),
            25 => return Some(format!("T\t{time}")),
            26 if !which.is_multiple_of(2) => {
                let id = self.one_of(&[Fate::Lost], which)?;
                let message = &mut self.told[id];
                (message.fate, message.standing) = (Fate::Stored, Standing::Here);
                (message.held, message.unsure) = (false, false);
                return Some(format!("a\t{id}"));
            }
            _ => {}
        }
        let id = self.one_of(&[Fate::Stored], which)?;
        let message = &mut self.told[id];
        Some(match what {
            26 => {
                (message.fate, message.standing) = (Fate::Lost, Standing::Lost);
                format!("A\t{id}")
            }
            27 => {
                message.standing = Standing::Asked;
                format!("Q\t{id}\t{time}")
            }
            28 => {
                message.futile += 1;
                format!("P\t{id}\t{time}")
            }
            29 => {
                (message.absent, message.standing) = (true, Standing::Absent);
                format!("Z\t{id}\t{time}")
            }
            30 if which.is_multiple_of(2) => {
                message.held = true;
                format!("U\t{id}")
            }
            30 => {
                let name = message.name.clone()?;
                format!("E\t{id}\t{}", self.file(&name, 7))
            }
            _ => {
                self.told[id..].iter_mut().for_each(|it| it.unsure = true);
                format!("Y\t{id}\t{}", self.told.len() - 1)
            }
        })
    }

    fn one_of(&self, fates: &[Fate], which: usize) -> Option<usize> {
        let fits = |id: &usize| fates.contains(&self.told[*id].fate);
        let fitting: Vec<usize> = (0..self.told.len()).filter(fits).collect();
        fitting.get(which % fitting.len().max(1)).copied()
    }

    fn tell(&mut self, unique_id: Option<Vec<u8>>, size: u64, name: Option<String>, fate: Fate) {
        self.told.push(Message {
            time: self.time(),
            octets: unique_id.is_some().then_some(size),
            unique_ids: unique_id.into_iter().collect(),
            lost_id: None,
            size,
            name,
            fate,
            standing: Standing::Here,
            futile: 0,
            deleted: false,
            absent: false,
            unsure: false,
            held: false,
            gone: false,
        });
    }

    /// A name in the Maildir that is the same in every run.
    fn name_of(&self, unique_id: &[u8], octets: u64) -> String {
        let identity = match self.version {
            Version::Todays => Identity::new(ACCOUNT, unique_id),
            Version::First => Identity::of_version_1(ACCOUNT, unique_id, Some(octets), 0),
        };
        let stamp = Stamp {
            account: AccountTag::new(ACCOUNT),
            journal: JournalId([7; 8]),
        };
        let name = UniqueName::new(stamp, Some(identity));
        let (_, token) = name.as_str().split_once("_pf").unwrap();
        let (token, _) = token.split_once('.').unwrap();
        let journal = match self.version {
            Version::Todays => "X0707070707070707",
            Version::First => "",
        };
        format!("{}.M1P2Q3{journal}_pf{token}.host", self.time())
    }

    /// What stands in a line about a file.
    fn file(&self, name: &str, octets: u64) -> String {
        let digest = format!("{octets:064x}");
        let file = format!("{octets}\t{digest}\t-\t{name}");
        match self.version {
            Version::First => file,
            Version::Todays => format!("{file}\t=3:{octets:0114x}"),
        }
    }

    /// What is shown of each message that is remembered.
    pub fn messages(&self) -> Vec<Remembered> {
        let living = self.told.iter().filter(|m| m.fate != Fate::Dropped);
        living.map(Message::remembered).collect()
    }

    /// A maildrop that lists every message under each of its unique-ids.
    pub fn listed(&self) -> Vec<(Vec<u8>, Option<u64>)> {
        let ids = |m: &Message| {
            let octets = Some(m.size);
            let ids = m.all_ids().into_iter();
            ids.map(move |id| (id, octets))
        };
        self.told.iter().flat_map(ids).collect()
    }

    /// What is to be known of that maildrop.
    pub fn known(&self) -> Vec<Known> {
        let known = |m: &Message| {
            let ids = m.all_ids().len();
            let mut known = vec![Known::New(None); ids];
            // An earlier unique-id may be another message's by now.
            known[ids - 1] = m.known(self.version);
            known
        };
        self.told.iter().flat_map(known).collect()
    }
}

/// A unique-id that no other message has, with an octet that needs escaping or not.
fn unique_id(id: usize, which: usize) -> Vec<u8> {
    const ODD: [u8; 16] = *b"-%\t\n\xff\0 a/.:~!\x7f\r\x80";
    [&[ODD[(id + which) % 16]], format!("{id}").as_bytes()].concat()
}
