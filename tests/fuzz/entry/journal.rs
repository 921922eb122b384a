//! The journal: any octets, any lines with good checksums, and journals as popfetch writes them,
//! cut and damaged.

use super::sealed::{self, ACCOUNT};
use popfetch::delivery::{AccountTag, UniqueName};
use popfetch::maildrop::{Identity, Joiner, Maildrop};
use popfetch::pop3::MessageNumber;
use popfetch::state::{Examined, Known, Shown, examine};

/// The first octet says what the others are: `r` a journal as it is, `l` lines that get their
/// checksums here, `s` the steps of a story (see [`Story`]), with an octet before them that says
/// where to cut and which bit to flip.
pub fn run(octets: &[u8]) {
    match octets {
        [b'r', journal @ ..] => check_octets(journal),
        [b'l', lines @ ..] => check_lines(lines),
        [b's', place, steps @ ..] => check_story(steps, usize::from(*place)),
        _ => {}
    }
}

/// Whatever is read, the good beginning says the same by itself.
pub fn check_octets(journal: &[u8]) {
    let Some(whole) = examine(journal, ACCOUNT) else {
        return;
    };
    let good = usize::try_from(whole.good).unwrap();
    assert!(good <= journal.len());
    assert_eq!(journal[..good].last(), Some(&b'\n'));
    assert_eq!(good == journal.len(), !whole.torn && !whole.damaged);
    let beginning = examine(&journal[..good], ACCOUNT).unwrap();
    assert!(!beginning.torn && !beginning.damaged);
    assert_eq!(beginning.good, whole.good);
    if !whole.damaged {
        assert_eq!(
            beginning.messages, whole.messages,
            "a torn end says nothing"
        );
    }
    recognise(whole);
    recognise(beginning);
}

/// Lines whose checksums are right, whatever is in them.
pub fn check_lines(lines: &[u8]) {
    // No line of ours is longer than 16 KiB.
    let lines = lines.split(|octet| *octet == b'\n').take(200);
    let lines: Vec<_> = lines
        .map(|line| sealed::line(&line[..line.len().min(16_000)]))
        .collect();
    let journal = [sealed::header(), lines.concat()].concat();
    check_octets(&journal);
    // Each line that is good stays so whatever follows it.
    let half = journal.len() / 2;
    if let Some(beginning) = examine(&journal[..half], ACCOUNT) {
        let whole = examine(&journal, ACCOUNT).unwrap();
        assert!(whole.good >= beginning.good);
    }
}

/// What becomes of a journal that popfetch has written: whole, cut here and there in its last
/// line, with a flipped bit, and with a tail of zeros.
pub fn check_story(steps: &[u8], place: usize) {
    let story = Story::new(steps);
    let whole = story.lines.concat();
    let header = story.lines[0].len();
    assert_tells(&whole, &story);

    let shorter = Story::new(&steps[..steps.len().saturating_sub(1)]);
    let kept = shorter.lines.concat().len();
    // Some of the places, for speed; the next step's cuts come with the next step.
    for cut in (kept..whole.len()).skip(place % 7).step_by(7) {
        assert_tells(&whole[..cut], &shorter);
    }
    assert!(examine(&whole[..place % header], ACCOUNT).is_none());

    let bit = place * 8191 % (whole.len() * 8);
    assert_loses_only_what_is_damaged(&story.lines, bit / 8, bit % 8);

    let zeros = [whole.clone(), vec![0; place * 100]].concat();
    let read = examine(&zeros, ACCOUNT).unwrap();
    assert_eq!(shown(&read.messages), story.messages());
    assert_eq!(read.good, whole.len() as u64);
    assert_eq!(read.torn || read.damaged, place > 0);
}

/// All that was written in full is there, and nothing else.
pub fn assert_tells(journal: &[u8], story: &Story) {
    let read = examine(journal, ACCOUNT).unwrap();
    let good = story.lines.concat().len();
    assert!(!read.damaged, "a crash cuts, and does no more");
    assert_eq!(read.torn, journal.len() > good);
    assert_eq!(read.good, good as u64);
    assert_eq!(shown(&read.messages), story.messages());
    assert_eq!(recognise_story(read, story), story.known());
}

/// A flipped bit costs the line it is in, and the next one where it took the end away.
pub fn assert_loses_only_what_is_damaged(lines: &[Vec<u8>], at: usize, bit: usize) {
    let mut damaged = lines.concat();
    let was_end = damaged[at] == b'\n';
    damaged[at] ^= 1 << bit;
    let mut end = 0;
    let hit = lines.iter().position(|line| {
        end += line.len();
        at < end
    });
    let hit = hit.unwrap();
    let read = examine(&damaged, ACCOUNT);
    if hit == 0 {
        assert!(read.is_none(), "without its header it is no journal");
        return;
    }
    let read = read.unwrap();
    let lost = hit..=hit + usize::from(was_end);
    let others = (0..lines.len()).filter(|place| !lost.contains(place));
    let others: Vec<_> = others.map(|place| lines[place].clone()).collect();
    let expected = examine(&others.concat(), ACCOUNT).unwrap();
    assert_eq!(read.messages, expected.messages);
    assert!(read.torn || read.damaged, "damage is noticed");
    assert_eq!(read.good, lines[..hit].concat().len() as u64);
    assert_eq!(recognise(read), recognise(expected));
}

/// What [`Shown`] says without its private number.
type Remembered = (i64, Vec<Box<[u8]>>, Option<u64>, Option<String>, bool);

fn shown(messages: &[Shown]) -> Vec<Remembered> {
    let remembered = |shown: &Shown| {
        (
            shown.time,
            shown.unique_ids.clone(),
            shown.listed,
            shown.stored.as_ref().map(|(name, ..)| name.as_str().into()),
            shown.deleted,
        )
    };
    messages.iter().map(remembered).collect()
}

/// What is known of some message or other.
fn recognise(read: Examined) -> Vec<Known> {
    let mut view = read.view;
    let listed: Vec<_> = read
        .messages
        .iter()
        .flat_map(|shown| {
            let sizes = shown.unique_ids.iter().map(|id| (id, shown.listed));
            sizes.map(|(id, octets)| (id.to_vec(), octets)).take(3)
        })
        .take(100)
        .collect();
    let _ = (view.is_first(), view.unpipelined(), view.has_unique_ids());
    view.recognise(&maildrop(&listed)).collect()
}

fn recognise_story(mut read: Examined, story: &Story) -> Vec<Known> {
    read.view.recognise(&maildrop(&story.listed())).collect()
}

fn maildrop(listed: &[(Vec<u8>, Option<u64>)]) -> Maildrop {
    let mut joiner = Joiner::default();
    for ((unique_id, octets), number) in listed.iter().zip(1..) {
        let number = MessageNumber::new(number).unwrap();
        joiner.unique_id(number, unique_id).unwrap();
        if let Some(octets) = octets {
            joiner.scan(number, *octets).unwrap();
        }
    }
    joiner.finish(ACCOUNT, true)
}

/// Lines as a fetch may write them, one a step, and what they mean.
pub struct Story {
    /// The header and each step's line.
    pub lines: Vec<Vec<u8>>,
    told: Vec<Message>,
    /// Intents that are neither carried out nor dropped.
    open: Vec<usize>,
}

struct Message {
    time: i64,
    unique_ids: Vec<Vec<u8>>,
    octets: u64,
    name: Option<String>,
    deletions: u8,
    reappeared: bool,
    fate: Fate,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Fate {
    Intended,
    Stored,
    Marked,
    Gone,
}

impl Story {
    /// The low four bits of a step are what happens, the others to which message.
    pub fn new(steps: &[u8]) -> Self {
        let mut story = Self {
            lines: vec![sealed::header()],
            told: Vec::new(),
            open: Vec::new(),
        };
        for step in steps.iter().take(40) {
            let line = story.step(step & 15, usize::from(step >> 4));
            story.lines.push(sealed::line(line.as_bytes()));
        }
        story
    }

    fn step(&mut self, what: u8, which: usize) -> String {
        let time = 1_795_000_000 + i64::try_from(self.lines.len()).unwrap();
        let stored = |fate: Fate| move |m: &Message| m.fate == fate;
        let chosen = |told: &[Message], fits: &dyn Fn(&Message) -> bool| {
            let fitting: Vec<_> = (0..told.len()).filter(|id| fits(&told[*id])).collect();
            fitting.get(which % fitting.len().max(1)).copied()
        };
        match what {
            0..=3 => self.intend(time, which),
            4 => self.mark(time, which),
            5 | 6 => match self.open.pop() {
                Some(id) => {
                    self.told[id].fate = Fate::Stored;
                    format!("S\t{id}\t{id}")
                }
                None => format!("L\t{time}"),
            },
            7 if !self.open.is_empty() => {
                let id = self.open.remove(which % self.open.len());
                self.told[id].fate = Fate::Gone;
                format!("X\t{id}")
            }
            8 => match chosen(&self.told, &stored(Fate::Stored)) {
                Some(id) => {
                    self.told[id].deletions += 1;
                    format!("D\t{id}\t{time}")
                }
                None => format!("N\t{time}"),
            },
            9 => match chosen(&self.told, &stored(Fate::Stored)) {
                Some(id) => self.alias(id, time),
                None => format!("B\t{time}\tboot\t/home/ada/Mail"),
            },
            10 => match chosen(&self.told, &|m| {
                matches!(m.fate, Fate::Stored | Fate::Marked)
            }) {
                Some(id) => {
                    self.told[id].fate = Fate::Gone;
                    format!("G\t{id}")
                }
                None => format!("L\t{time}"),
            },
            11 if !self.told.is_empty() => {
                format!("V\t{}\t{time}\t{}", which % self.told.len(), which % 4)
            }
            12 => format!("F\t{time}\tnever%20there\t{which}\t0\trefused\t{which}"),
            _ => format!("B\t{time}\tboot\t/home/ada/Mail%20{which}"),
        }
    }

    fn intend(&mut self, time: i64, which: usize) -> String {
        let id = self.told.len();
        let unique_id = unique_id(id, which);
        let octets = which as u64 * 1000;
        let identity = Identity::new(ACCOUNT, &unique_id, Some(octets), 0);
        let name = name_of(identity, time);
        let digest = format!("{id:064x}");
        let line = format!(
            "I\t{id}\t{time}\t{}\t{octets}\t0\t{octets}\t{digest}\t-\t{name}",
            sealed::escaped(&unique_id),
        );
        self.tell(time, unique_id, octets, Some(name), Fate::Intended);
        self.open.push(id);
        line
    }

    fn mark(&mut self, time: i64, which: usize) -> String {
        let id = self.told.len();
        let unique_id = unique_id(id, which);
        let octets = which as u64;
        let escaped = sealed::escaped(&unique_id);
        self.tell(time, unique_id, octets, None, Fate::Marked);
        format!("M\t{id}\t{time}\t{escaped}\t{octets}\t0")
    }

    fn alias(&mut self, id: usize, time: i64) -> String {
        let unique_id = format!("alias {} of {id}", self.lines.len()).into_bytes();
        let message = &mut self.told[id];
        message.reappeared |= message.deletions > 0;
        let escaped = sealed::escaped(&unique_id);
        message.unique_ids.push(unique_id);
        format!("K\t{id}\t{time}\t{escaped}\t{}\t0", message.octets)
    }

    fn tell(&mut self, time: i64, id: Vec<u8>, octets: u64, name: Option<String>, fate: Fate) {
        self.told.push(Message {
            time,
            unique_ids: vec![id],
            octets,
            name,
            deletions: 0,
            reappeared: false,
            fate,
        });
    }

    fn messages(&self) -> Vec<Remembered> {
        let living = self.told.iter().filter(|m| m.fate != Fate::Gone);
        let remembered = living.map(|m| {
            let unique_ids = m.unique_ids.iter().map(|id| id.as_slice().into());
            let octets = Some(m.octets);
            let deleted = m.deletions > 0;
            (
                m.time,
                unique_ids.collect(),
                octets,
                m.name.clone(),
                deleted,
            )
        });
        remembered.collect()
    }

    /// A maildrop that lists every message under each of its unique-ids.
    fn listed(&self) -> Vec<(Vec<u8>, Option<u64>)> {
        let ids = |m: &Message| {
            let octets = Some(m.octets);
            let ids = m.unique_ids.clone().into_iter();
            ids.map(move |id| (id, octets))
        };
        self.told.iter().flat_map(ids).collect()
    }

    /// What is to be known of that maildrop.
    fn known(&self) -> Vec<Known> {
        let known = |m: &Message| {
            let known = match m.fate {
                Fate::Intended | Fate::Gone => Known::New(None),
                Fate::Marked => Known::Marked,
                Fate::Stored if m.deletions > 0 && !m.reappeared => Known::Doubtful,
                Fate::Stored => Known::Stored {
                    since: m.time,
                    deletions: m.deletions,
                },
            };
            std::iter::repeat_n(known, m.unique_ids.len())
        };
        self.told.iter().flat_map(known).collect()
    }
}

/// A name in the Maildir that is the same in every run.
fn name_of(identity: Identity, time: i64) -> String {
    let name = UniqueName::new(AccountTag::new(ACCOUNT), Some(identity));
    let (_, token) = name.as_str().split_once("_pf").unwrap();
    let (token, _) = token.split_once('.').unwrap();
    format!("{time}.M1P2Q3_pf{token}.host")
}

/// A unique-id that no other message has, with an octet that needs escaping or not.
fn unique_id(id: usize, which: usize) -> Vec<u8> {
    const ODD: [u8; 16] = *b"-%\t\n\xff\0 a/.:~!\x7f\r\x80";
    [&[ODD[which % 16]], format!("{id}").as_bytes()].concat()
}
