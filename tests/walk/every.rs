//! Every story of two messages and eight kinds of events, up to a length. Worlds that are equal
//! are gone on from once.

use super::content::Content;
use super::runs::{Check, How, Trouble};
use super::server::{Manner, Update};
use super::wander::asked;
use super::world::{Kept, World};
use popfetch::profile::Keep;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::Mutex;
use std::thread;

/// Events in a story; `WALK_LENGTH` asks for more.
const LENGTH: u64 = 5;

/// Failures of a kind that are shown.
const SHOWN: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Happens {
    /// A run that leaves everything on the server.
    RunKeep,
    /// A run that deletes what is stored.
    RunDelete,
    /// The same; the server deletes, and its reply to QUIT is lost.
    RunUnanswered,
    /// The first message's unique-id is a new message's of the same size.
    Reused,
    /// All messages get new unique-ids and a line in the header.
    Renamed,
    RestoreMaildir,
    RestoreState,
    /// A run that would delete, and the Maildir is not mounted.
    RunUnmounted,
}

const ALL: [Happens; 8] = [
    Happens::RunKeep,
    Happens::RunDelete,
    Happens::RunUnanswered,
    Happens::Reused,
    Happens::Renamed,
    Happens::RestoreMaildir,
    Happens::RestoreState,
    Happens::RunUnmounted,
];

impl Happens {
    fn to(self, world: &mut World) -> Check {
        world.history.now += 1;
        world.maildrop().manner.update = match self {
            Self::RunUnanswered => Update::LosesReplyAfter,
            _ => Update::Deletes,
        };
        world.keep = match self {
            Self::RunKeep => Keep::Always,
            _ => Keep::Never,
        };
        match self {
            Self::RunKeep | Self::RunDelete | Self::RunUnanswered => {
                world.runs(Trouble::default()).map(drop)?;
            }
            Self::Reused => reuse(world),
            Self::Renamed => world.renames_all(true),
            Self::RestoreMaildir => world.restores_maildir(0),
            Self::RestoreState => world.restores_state(0),
            Self::RunUnmounted => world.runs_unmounted(false)?,
        }
        Ok(())
    }
}

/// The first message goes, if it still is there, and another one comes in its place.
fn reuse(world: &mut World) {
    let maildrop = world.maildrop().clone();
    let first = maildrop.messages.iter().position(|one| one.serial != 1);
    let (unique_id, serial) = match first.map(|at| world.is_deleted(at)) {
        Some(message) => (message.unique_id, message.serial),
        None => ("id-0".to_owned(), 0),
    };
    let sizes = maildrop.sizes.get(&serial);
    let size = sizes.and_then(|sizes| sizes.last()).copied().unwrap_or(0);
    let make = |serial| maildrop.of_size(Content::new(serial, true), serial, size);
    world.arrives_as(make, unique_id);
}

/// The first message is stored, a backup of everything is made, and the second arrives.
fn begin() -> World {
    let mut world = World::new(Manner::default());
    world.arrives(|serial| Content::new(serial, true));
    world.runs(Trouble::default()).unwrap();
    world.backs_up_maildir();
    world.backs_up_state();
    world.arrives(|serial| Content::new(serial, true));
    world
}

/// The same for worlds that nothing that is to come can tell apart.
fn fingerprint(kept: &Kept, root: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    let maildrop = &kept.maildrop;
    (&maildrop.messages, &maildrop.sizes, &maildrop.contents).hash(&mut hasher);
    let mut history = kept.history.clone();
    history.without_times();
    history.hash(&mut hasher);
    let files: Vec<_> = kept.disk.files().collect();
    let is_journal = |path: &Path| path.extension().is_some_and(|end| end == "journal");
    let journal = files.iter().find(|(path, _)| is_journal(path));
    let length = journal.map(|(_, octets)| octets.len().to_string());
    let mut disk = Vec::new();
    let mut plain = Plain {
        root: root.display().to_string(),
        ids: HashMap::new(),
    };
    for (path, octets) in files {
        let text = String::from_utf8_lossy(octets);
        let lines = text.lines().map(|line| {
            // Each run begins with a line that says where and in which boot: all say the same, but for
            // the turn.
            if !is_journal(path) || !line.starts_with("B\t") {
                return plain.line(line.split('\t'));
            }
            let fields: Vec<&str> = line.split('\t').collect();
            match fields.as_slice() {
                [.., generation, turn, _] if fields.len() == 8 => {
                    plain.field(&format!("{generation}:{turn}"))
                }
                _ => String::new(),
            }
        });
        let mut lines: Vec<String> = lines.collect();
        lines.retain(|line| !line.is_empty());
        if let (Some("lock"), Some(length)) = (path.extension().and_then(OsStr::to_str), &length) {
            // What matters is whether it is the journal's.
            lines
                .iter_mut()
                .for_each(|line| *line = line.replace(length, "all"));
        }
        disk.push((plain.line(path.to_str().unwrap().split('\t')), lines));
    }
    disk.sort();
    disk.hash(&mut hasher);
    hasher.finish()
}

/// Leaves out what differs from one world to the next and means nothing.
struct Plain {
    root: String,
    /// Ids and turns that are made at random, in the order they are met.
    ids: HashMap<String, usize>,
}

impl Plain {
    /// A line without its checksum, and without the clock and the counter in names.
    fn line<'a>(&mut self, fields: impl Iterator<Item = &'a str>) -> String {
        let fields: Vec<String> = fields.map(|field| self.field(field)).collect();
        let is_checksum =
            |field: &String| field.len() == 8 && field.bytes().all(|o| o.is_ascii_hexdigit());
        let fields = match fields.split_last() {
            Some((last, rest)) if !rest.is_empty() && is_checksum(last) => rest,
            _ => fields.as_slice(),
        };
        fields.join(" ")
    }

    fn field(&mut self, field: &str) -> String {
        let field = field.replace(&self.root, "");
        if is_turns(&field) {
            let words = field.split(' ').map(|word| {
                let (generation, turn) = word.split_once(':').unwrap_or(("", word));
                let next = self.ids.len();
                let turn = self.ids.entry(turn.to_owned()).or_insert(next);
                format!("{generation}:turn {turn}")
            });
            return words.collect::<Vec<_>>().join(" ");
        }
        if field.len() == 16 && field.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            let next = self.ids.len();
            return format!("id {}", self.ids.entry(field).or_insert(next));
        }
        match field.split_once("_pf") {
            Some((before, behind)) => {
                let directory = before.rsplit_once('/').map_or("", |(it, _)| it);
                format!("{directory}/{behind}")
            }
            None => field,
        }
    }
}

/// Whether these are turns, as in a Maildir's own file.
fn is_turns(field: &str) -> bool {
    field.split(' ').all(|word| {
        let parts = word.split_once(':');
        parts.is_some_and(|(generation, turn)| {
            let is_number = generation.parse::<u64>().is_ok();
            is_number && turn.len() == 8 && turn.bytes().all(|octet| octet.is_ascii_hexdigit())
        })
    })
}

#[derive(Default)]
struct Found {
    /// Each world, and after how many events it was reached first.
    known: HashMap<u64, usize>,
    stories: usize,
    broken: BTreeMap<How, Vec<String>>,
}

/// Plays the stories of up to so many events that begin with an event of `mine`, in a place of its
/// own: a Maildir is known by its path, too.
fn explore(mine: &[Happens], length: u64, found: &Mutex<Found>) {
    let mut world = begin();
    let mut worlds = vec![(world.keep_world(), Vec::new())];
    for _ in 0..length {
        let mut new = Vec::new();
        for (kept, story) in worlds {
            let next = if story.is_empty() { mine } else { &ALL };
            for event in next {
                world.go_back(&kept);
                let story = [story.as_slice(), &[*event]].concat();
                let ended = event.to(&mut world).and_then(|()| {
                    let kept = world.keep_world();
                    let fingerprint = fingerprint(&kept, &world.root);
                    let mut found = found.lock().unwrap();
                    found.stories += 1;
                    let before = found.known.get(&fingerprint);
                    if before.is_some_and(|before| *before <= story.len()) {
                        return Ok(());
                    }
                    found.known.insert(fingerprint, story.len());
                    drop(found);
                    new.push((kept, story.clone()));
                    world.ends()
                });
                if let Err(broken) = ended {
                    let text = format!("{story:?}: {}", broken.text);
                    let mut found = found.lock().unwrap();
                    found.broken.entry(broken.how).or_default().push(text);
                }
            }
        }
        worlds = new;
    }
}

#[test]
fn a1_a2_a5_c1_c4_every_short_story_of_two_messages_ends_with_each_of_them_here_once() {
    let length = asked("WALK_LENGTH").unwrap_or(LENGTH);
    let found = Mutex::new(Found::default());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for part in ALL.chunks(ALL.len().div_ceil(threads)) {
            let found = &found;
            scope.spawn(move || explore(part, length, found));
        }
    });
    let stories = found.lock().unwrap().stories;
    eprintln!("{stories} stories of up to {length} events");
    let Found { broken, .. } = found.into_inner().unwrap();
    for (how, stories) in &broken {
        eprintln!("{how:?} in {} stories:", stories.len());
        // The first are the shortest.
        stories
            .iter()
            .take(SHOWN)
            .for_each(|story| eprintln!("    {story}"));
    }
    assert!(broken.is_empty(), "the promise is broken");
}
