//! A random walk over what happens to a person's mail in a year.

use super::content::Content;
use super::disk::Fault;
use super::image::Octets;
use super::limits::Limit;
use super::random::Random;
use super::runs::{Broken, Check, How, Trouble};
use super::server::{Manner, Notes, Sizes, Update};
use super::tree::Tree;
use super::world::{DAY, World};
use popfetch::profile::Keep;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Events in a walk.
const EVENTS: usize = 30;

/// Walks that are tried, with the seeds from 0 on. `WALKS` asks for more, `WALK_SEED` for one, and
/// `WALK_WITHOUT` leaves out events, as in "RunFailing(Kill Restore", and what the server does to
/// "Notes" and "Sizes".
const WALKS: u64 = 2_000;

/// Failures of a kind that are shown, each with the shortest story that was found for it.
const SHOWN: usize = 3;

/// Something happens. Where it is to happen to one of several, `usize` picks that one, whatever
/// there is then: so an event means something even if those before it are left out.
#[derive(Clone, Copy, Debug)]
enum Happens {
    Arrive(usize),
    /// A message arrives once more by another way.
    ArriveAgain(usize),
    /// Another client deletes a message.
    Deleted(usize),
    /// A new message gets the unique-id of one that is gone, and its size perhaps.
    Reused(usize, bool),
    /// All messages get new unique-ids, and a line in the header perhaps.
    Renamed(bool),
    /// A reader opens a message.
    Seen(usize),
    /// A reader or server at home adds to a file's name.
    Grown(usize),
    /// A reader files a message in a folder.
    Filed(usize),
    /// The owner moves a message out of the Maildir.
    MovedOut(usize),
    BackUp(What),
    Restore(What, usize),
    RunUnmounted(bool),
    Run,
    RunCut(usize),
    RunFailing(Fault, usize),
    Days(i64),
    Keep(Keep),
    Sizes(Sizes),
    Update(Update),
}

#[derive(Clone, Copy, Debug)]
enum What {
    Maildir,
    State,
    Both,
}

/// One walk.
#[derive(Clone, Debug)]
struct Walk {
    manner: Manner,
    events: Vec<Happens>,
}

impl Walk {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut manner = Manner {
            sizes: [
                Sizes::Exact,
                Sizes::Exact,
                Sizes::LineFeeds,
                Sizes::Drifting,
            ][random.below(4)],
            notes: [Notes::None, Notes::Status, Notes::Mbox][random.below(3)],
            update: Update::Deletes,
            top: !random.one_in(4),
            pipelining: !random.one_in(3),
        };
        let mut events = vec![Happens::Arrive(3), Happens::Run];
        events.extend((0..EVENTS).map(|_| Happens::any(&mut random)));
        let without = env::var("WALK_WITHOUT").unwrap_or_default();
        let left_out = |event: &Happens| {
            let event = format!("{event:?}");
            without
                .split_whitespace()
                .any(|kind| event.starts_with(kind))
        };
        events.retain(|event| !left_out(event));
        if without.contains("Notes") {
            manner.notes = Notes::None;
        }
        if without.contains("Sizes") {
            manner.sizes = Sizes::Exact;
        }
        Self { manner, events }
    }

    /// Says how far it came, too.
    fn takes(&self) -> (usize, Check<BTreeMap<Limit, usize>>) {
        let mut world = World::new(self.manner);
        for (at, event) in self.events.iter().enumerate() {
            world.history.now += 1;
            if let Err(broken) = event.to(&mut world) {
                return (at, Err(broken));
            }
        }
        let ended = world.ends();
        (self.events.len(), ended.map(|()| world.met))
    }

    /// Leaves out what is not needed to break the promise in the same way.
    fn shortened(mut self, how: How) -> (Self, Broken) {
        let breaks = |walk: &Self| match walk.takes() {
            (at, Err(broken)) if broken.how == how => Some((at, broken)),
            _ => None,
        };
        let Some((at, mut last)) = breaks(&self) else {
            let text = "not every time".to_owned();
            return (self, Broken { how, text });
        };
        self.events.truncate(at + 1);
        let mut at = self.events.len();
        while at > 0 {
            at -= 1;
            let mut shorter = self.clone();
            shorter.events.remove(at);
            if let Some((end, broken)) = breaks(&shorter) {
                shorter.events.truncate(end + 1);
                at = at.min(shorter.events.len());
                (self, last) = (shorter, broken);
            }
        }
        (self, last)
    }
}

impl Happens {
    fn any(random: &mut Random) -> Self {
        let pick = random.below(1 << 16);
        match random.below(100) {
            0..14 => Self::Arrive(1 + pick % 3),
            14..16 => Self::ArriveAgain(pick),
            16..20 => Self::Deleted(pick),
            20..25 => Self::Reused(pick, !random.one_in(3)),
            25..29 => Self::Renamed(random.one_in(2)),
            29..33 => Self::Seen(pick),
            33..36 => Self::Grown(pick),
            36..39 => Self::Filed(pick),
            39..43 => Self::MovedOut(pick),
            43..49 => Self::BackUp(What::any(random)),
            49..55 => Self::Restore(What::any(random), pick % 3),
            55..57 => Self::RunUnmounted(random.one_in(2)),
            57..72 => Self::Run,
            72..77 => Self::RunCut(1 + pick % [200, 1500, 6000][random.below(3)]),
            77..85 => Self::RunFailing(fault(random), pick % 60),
            85..89 => Self::Days(1 + (pick % 16) as i64),
            89..94 => Self::Keep(match random.below(3) {
                0 => Keep::Always,
                1 => Keep::Never,
                _ => Keep::For(Duration::from_secs(14 * DAY.unsigned_abs())),
            }),
            94..96 => {
                Self::Sizes([Sizes::Exact, Sizes::LineFeeds, Sizes::Drifting][random.below(3)])
            }
            _ => Self::Update(
                [
                    Update::Deletes,
                    Update::OnlySays,
                    Update::LosesReplyAfter,
                    Update::LosesReplyBefore,
                ][random.below(4)],
            ),
        }
    }

    fn to(self, world: &mut World) -> Check {
        match self {
            Self::Arrive(count) => {
                for _ in 0..count {
                    world.arrives(|serial| plain(serial).lengthened(serial * 7 % 40));
                }
            }
            Self::ArriveAgain(pick) => {
                let of = one_of(&world.maildrop().contents, pick).cloned();
                of.into_iter().for_each(|content| {
                    world.arrives(|serial| content.second_copy(serial));
                });
            }
            Self::Deleted(pick) => {
                let count = world.maildrop().messages.len();
                if count > 0 {
                    world.is_deleted(pick % count);
                }
            }
            Self::Reused(pick, same_size) => reuse(world, pick, same_size),
            Self::Renamed(adds) => world.renames_all(adds),
            Self::Seen(pick) => rename(world, pick, |path, _| {
                let name = format!("{}:2,FS", base(path));
                path.parent().unwrap().with_file_name("cur").join(name)
            }),
            Self::Grown(pick) => rename(world, pick, |path, (octets, lines)| {
                let addition = match pick % 3 {
                    0 => format!(",S={octets}"),
                    1 => ",U=7".to_owned(),
                    _ => format!(",S={octets},W={}", octets + lines),
                };
                let name = format!("{}{addition}:2,S", base(path));
                path.parent().unwrap().with_file_name("cur").join(name)
            }),
            Self::Filed(pick) => rename(world, pick, |path, _| {
                Path::new(".Archive/cur").join(format!("{}:2,S", base(path)))
            }),
            Self::MovedOut(pick) => {
                if let Some(file) = pick_file(&world.tree(), pick) {
                    world.reads(&file, None);
                }
            }
            Self::BackUp(what) => {
                what.maildir().then(|| world.backs_up_maildir());
                what.state().then(|| world.backs_up_state());
            }
            Self::Restore(What::Maildir, pick) => world.restores_maildir(pick),
            Self::Restore(What::State, pick) => world.restores_state(pick),
            Self::Restore(What::Both, pick) => world.restores_both(pick),
            Self::RunUnmounted(lost_and_found) => world.runs_unmounted(lost_and_found)?,
            Self::Run => world.runs(Trouble::default()).map(drop)?,
            Self::RunCut(octets) => {
                let cut = Some(octets);
                world.runs(Trouble { cut, disk: None }).map(drop)?;
            }
            Self::RunFailing(fault, at) => {
                let disk = Some((fault, at));
                world.runs(Trouble { cut: None, disk }).map(drop)?;
            }
            Self::Days(days) => world.time += days * DAY,
            Self::Keep(keep) => world.keep = keep,
            Self::Sizes(sizes) => world.maildrop().manner.sizes = sizes,
            Self::Update(update) => world.maildrop().manner.update = update,
        }
        Ok(())
    }
}

impl What {
    fn any(random: &mut Random) -> Self {
        [Self::Maildir, Self::State, Self::Both][random.below(3)]
    }

    fn maildir(self) -> bool {
        matches!(self, Self::Maildir | Self::Both)
    }

    fn state(self) -> bool {
        matches!(self, Self::State | Self::Both)
    }
}

fn fault(random: &mut Random) -> Fault {
    let octets = [
        Octets::Kept,
        Octets::Dropped,
        Octets::Halved,
        Octets::Zeroed,
    ];
    match random.below(7) {
        0 => Fault::Once,
        1 => Fault::Full,
        2 => Fault::NoSync,
        3 | 4 => Fault::Kill,
        _ => Fault::PowerCut(octets[random.below(4)], random.next()),
    }
}

/// Some messages have no Message-ID.
fn plain(serial: usize) -> Content {
    Content::new(serial, serial % 8 != 5)
}

fn reuse(world: &mut World, pick: usize, same_size: bool) {
    let maildrop = world.maildrop().clone();
    let free = world.history.free_ids(&maildrop);
    let Some((unique_id, bearer)) = one_of(&free, pick).cloned() else {
        return;
    };
    let size = maildrop.sizes.get(&bearer).and_then(|sizes| sizes.last());
    let size = size.copied().filter(|_| same_size).unwrap_or(0);
    let make = |serial| maildrop.of_size(plain(serial), serial, size);
    world.arrives_as(make, unique_id);
}

/// Gives one of the files the name that `to` makes of its name and its octets and lines.
fn rename(world: &mut World, pick: usize, to: impl FnOnce(&Path, (usize, usize)) -> PathBuf) {
    if let Some(file) = pick_file(&world.tree(), pick) {
        let stored = fs::read_to_string(world.maildir().join(&file)).unwrap();
        let to = to(&file, (stored.len(), stored.lines().count()));
        world.reads(&file, Some(&to));
    }
}

fn pick_file(tree: &Tree, pick: usize) -> Option<PathBuf> {
    // By their letters: names come from the clock.
    let mut files: Vec<_> = tree
        .files
        .iter()
        .map(|(path, serial)| (serial, path))
        .collect();
    files.sort();
    one_of(&files, pick).map(|(_, path)| (*path).clone())
}

fn base(path: &Path) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.split(':').next().unwrap().to_owned()
}

fn one_of<T>(all: &[T], pick: usize) -> Option<&T> {
    all.get(pick % all.len().max(1))
}

/// A number from the environment.
pub fn asked(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(value.parse().expect("a number"))
}

#[test]
fn a1_a2_a3_a5_c1_c4_c8_whatever_happens_in_a_year_nothing_is_lost_and_nothing_comes_twice() {
    let (first, walks) = match asked("WALK_SEED") {
        Some(seed) => (seed, 1),
        None => (0, asked("WALKS").unwrap_or(WALKS)),
    };
    let (next, found) = (AtomicU64::new(first), Mutex::new(Vec::new()));
    let met = Mutex::new(BTreeMap::new());
    let wander = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= first + walks {
            return;
        }
        match Walk::new(seed).takes().1 {
            Ok(more) => {
                let mut met = met.lock().unwrap();
                more.iter()
                    .for_each(|(limit, count)| *met.entry(*limit).or_insert(0) += count);
            }
            Err(broken) => found.lock().unwrap().push((seed, broken.how)),
        }
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        (0..threads).for_each(|_| drop(scope.spawn(wander)));
    });
    let (mut found, met) = (found.into_inner().unwrap(), met.into_inner().unwrap());
    eprintln!("{walks} walks; limits that were met: {met:?}");
    if found.is_empty() {
        return;
    }
    found.sort_by_key(|(seed, how)| (*how, *seed));
    let mut kinds = BTreeMap::new();
    for (seed, how) in &found {
        let seen = kinds.entry(*how).or_insert(0);
        *seen += 1;
        if *seen <= SHOWN {
            let (walk, broken) = Walk::new(*seed).shortened(*how);
            eprintln!(
                "\nWALK_SEED={seed}: {how:?}: {}\n{:?}",
                broken.text, walk.manner
            );
            walk.events
                .iter()
                .for_each(|event| eprintln!("    {event:?}"));
        }
    }
    panic!(
        "{} of {walks} walks break the promise: {kinds:?}",
        found.len()
    );
}
