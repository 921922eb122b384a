//! T3 and T3b of the README's table: the power goes while the server handles QUIT, or EXPUNGE. What is on the
//! disk by then is all that there is, because the server deletes; the rest of the nineteen is in
//! `tests/it/nineteen`.

use popfetch::profile::Protocol;
use std::collections::BTreeSet;
use std::path::Path;

use super::explore::{Explorer, Mode, Recording};
use super::image::{Image, Octets, Taken};
use super::readme;

const MESSAGES: usize = 10;

/// What is not synced when the power goes, and survives it all the same.
#[derive(Clone, Copy, Debug)]
enum Survives {
    Everything,
    Nothing,
    /// What lies below this directory, which is a file system of its own.
    Below(&'static str),
}

impl Survives {
    fn holds_for(self, path: &Path) -> bool {
        match self {
            Self::Everything => true,
            Self::Nothing => false,
            Self::Below(directory) => path.starts_with(directory),
        }
    }
}

/// What became of the mail, at worst.
#[derive(Debug, Default, Eq, PartialEq)]
struct Worst {
    twice: usize,
    lost: usize,
}

impl Worst {
    fn cell(&self) -> String {
        format!("{} duplicates, {} lost", self.twice, self.lost)
    }
}

/// A fetch that deletes, up to the moment at which the server has done so.
fn until_deleted(protocol: Protocol) -> (Explorer, Image, Recording) {
    let mut explorer = Explorer::new(Mode::Delete, MESSAGES);
    explorer.protocol = protocol;
    let (before, mut recording) = explorer.record_first();
    let [(at, deleted)] = &recording.updates[..] else {
        panic!("not deleted at once: {:?}", recording.updates);
    };
    assert_eq!(deleted.len(), MESSAGES);
    recording.steps.truncate(*at);
    (explorer, before, recording)
}

/// Lets the power go there, and fetches again from a maildrop that is empty by now.
fn cut_power(mut explorer: Explorer, image: &Image, survivors: &[Survives]) -> Worst {
    let deleted: BTreeSet<usize> = (0..MESSAGES).collect();
    let mut worst = Worst::default();
    for survives in survivors {
        for octets in [Octets::Dropped, Octets::Zeroed, Octets::Halved] {
            let keeps = |path: &Path| survives.holds_for(path);
            image.write_where(&explorer.root(), keeps, octets);
            let (mut stored, expected) = explorer.recover(&deleted);
            let mut lost = 0;
            for message in &expected {
                match stored.iter().position(|octets| octets == message) {
                    Some(place) => drop(stored.remove(place)),
                    None => lost += 1,
                }
            }
            worst.lost = worst.lost.max(lost);
            worst.twice = worst.twice.max(stored.len());
        }
    }
    worst
}

fn replay<'a>(before: &Image, steps: impl IntoIterator<Item = &'a Taken>) -> Image {
    let mut image = before.clone();
    steps.into_iter().for_each(|step| image.take(step));
    image
}

#[test]
fn t3_the_power_goes_while_the_server_handles_quit() {
    for protocol in [Protocol::Pop, Protocol::Imap] {
        let (explorer, before, recording) = until_deleted(protocol);
        let image = replay(&before, &recording.steps);
        let survivors = [Survives::Everything, Survives::Nothing];
        let cell = cut_power(explorer, &image, &survivors).cell();
        assert_eq!(cell, "0 duplicates, 0 lost", "{protocol:?}");
        readme::hold("T3", &cell);
    }
}

/// A sync within one of the two directories makes nothing in the other durable: the image counts
/// each sync for its own file or directory only, and here one side keeps what the other loses.
#[test]
fn t3b_the_same_with_the_state_on_another_file_system() {
    for protocol in [Protocol::Pop, Protocol::Imap] {
        let (explorer, before, recording) = until_deleted(protocol);
        let image = replay(&before, &recording.steps);
        let survivors = [Survives::Below("state"), Survives::Below("mail")];
        let cell = cut_power(explorer, &image, &survivors).cell();
        assert_eq!(cell, "0 duplicates, 0 lost", "{protocol:?}");
        readme::hold("T3b", &cell);
    }
}

#[test]
fn t3b_would_tell_if_new_were_not_synced() {
    let (explorer, before, recording) = until_deleted(Protocol::Pop);
    let is_sync_of_new =
        |step: &&Taken| matches!(step, Taken::SyncDirectory(path) if path.ends_with("new"));
    assert!(recording.steps.iter().any(|step| is_sync_of_new(&step)));
    let others = recording.steps.iter().filter(|step| !is_sync_of_new(step));
    let image = replay(&before, others);
    let survivors = [Survives::Below("state")];
    let worst = cut_power(explorer, &image, &survivors);
    assert!(worst.lost > 0, "{worst:?}");
}
