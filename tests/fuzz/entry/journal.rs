//! The journal: any octets, any lines with good checksums, and journals as popfetch writes them,
//! or as its first version did, cut and damaged.

use super::sealed::{self, ACCOUNT};
use super::story::{Story, Version};
use super::told::Remembered;
use popfetch::maildrop::{Joiner, Maildrop};
use popfetch::pop3::MessageNumber;
use popfetch::state::{Examined, InspectedMessage, Known, examine};

/// The first octet says what the others are: `r` a journal as it is, `l` lines that get their
/// checksums here, `s` the steps of a story (see [`Story`]), `o` those of one that the first version
/// wrote; with an octet before the steps that says where to cut and which bit to flip.
pub fn run(octets: &[u8]) {
    match octets {
        [b'r', journal @ ..] => check_octets(journal),
        [b'l', lines @ ..] => check_lines(lines),
        [b's', place, steps @ ..] => check_story(Version::Todays, steps, usize::from(*place)),
        [b'o', place, steps @ ..] => check_story(Version::First, steps, usize::from(*place)),
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
    for header in [sealed::header(), sealed::header_of_version_1()] {
        check_sealed(&[header, lines.concat()].concat());
    }
}

fn check_sealed(journal: &[u8]) {
    check_octets(journal);
    // Each line that is good stays so whatever follows it.
    let half = journal.len() / 2;
    if let Some(beginning) = examine(&journal[..half], ACCOUNT) {
        let whole = examine(journal, ACCOUNT).unwrap();
        assert!(whole.good >= beginning.good);
    }
}

/// What becomes of a journal that popfetch has written: whole, cut here and there in its last
/// line, with a flipped bit, and with a tail of zeros.
pub fn check_story(version: Version, steps: &[u8], place: usize) {
    let story = Story::new(version, steps);
    let whole = story.lines.concat();
    let header = story.lines[0].len();
    assert_tells(&whole, &story);

    let shorter = Story::new(version, &steps[..steps.len().saturating_sub(1)]);
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

/// What [`InspectedMessage`] says without its private number.
fn shown(messages: &[InspectedMessage]) -> Vec<Remembered> {
    let remembered = |shown: &InspectedMessage| Remembered {
        time: shown.time,
        unique_ids: shown.unique_ids.clone(),
        listed: shown.listed,
        name: shown.stored.as_ref().map(|(name, ..)| name.as_str().into()),
        standing: shown.standing,
        // What was never fetched has nothing to settle, whatever range it stands in.
        settled: shown.settled && shown.stored.is_some(),
        held: shown.held,
        gone: shown.gone,
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
