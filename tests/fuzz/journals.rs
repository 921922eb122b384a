use crate::entry::journal::{assert_loses_only_what_is_damaged, assert_tells, check_story};
use crate::entry::sealed::{self, ACCOUNT};
use crate::entry::story::{Story, Version};
use popfetch::maildrop::Joiner;
use popfetch::pop3::MessageNumber;
use popfetch::state::{Known, examine};

const VERSIONS: [Version; 2] = [Version::Todays, Version::First];

/// Messages, of which one is only intended, and something of every kind of line.
const STEPS: [u8; 37] = [
    12, 7, 1, 34, 67, 8, 3, 7, 5, 6, 13, 45, 9, 10, 11, 14, 16, 17, 48, 19, 20, 21, 53, 22, 23, 24,
    25, 31, 29, 28, 27, 30, 62, 26, 58, 26, 18,
];

#[test]
fn d32_a_journal_cut_at_any_octet_tells_every_line_before_it_and_nothing_else() {
    for version in VERSIONS {
        let story = Story::new(version, &STEPS);
        let whole = story.lines.concat();
        let mut end = 0;
        for (steps, line) in story.lines.iter().enumerate() {
            let before = Story::new(version, &STEPS[..steps.saturating_sub(1)]);
            for cut in end..end + line.len() {
                match steps {
                    0 => assert!(examine(&whole[..cut], ACCOUNT).is_none(), "cut at {cut}"),
                    _ => assert_tells(&whole[..cut], &before),
                }
            }
            end += line.len();
        }
        assert_eq!(end, whole.len());
        assert_tells(&whole, &story);
    }
}

#[test]
fn the_story_that_is_cut_has_a_line_of_every_kind_that_there_is() {
    let story = Story::new(Version::Todays, &STEPS);
    for kind in b"BWHJLIREMSXKDQPVZUYAaGCFNOT" {
        let has = |line: &Vec<u8>| line[..2] == [*kind, b'\t'];
        assert!(story.lines.iter().any(has), "{}", char::from(*kind));
    }
}

#[test]
fn d32_any_flipped_bit_of_a_journal_costs_its_line_and_no_other_and_is_noticed() {
    for version in VERSIONS {
        let lines = Story::new(version, &STEPS[..9]).lines;
        let length = lines.concat().len();
        for bit in 0..8 * length {
            assert_loses_only_what_is_damaged(&lines, bit / 8, bit % 8);
        }
    }
}

#[test]
fn d36_zeros_behind_a_journal_of_any_length_say_nothing() {
    for version in VERSIONS {
        for steps in 0..STEPS.len() {
            // Up to more than the longest line that is read at once.
            for zeros in [0, 1, 41, 164, 255] {
                check_story(version, &STEPS[..steps], zeros);
            }
        }
    }
}

#[test]
fn d32_lines_that_claim_to_be_far_ahead_are_none_of_ours() {
    let ahead = [1, 2, 3, 4000].map(|n| n * 1_000_000);
    let line = |id: &u32| sealed::line(format!("M\t{id}\t0\tuid-{id}\t1\t0\trequest").as_bytes());
    let journal = [sealed::header(), ahead.iter().flat_map(line).collect()].concat();
    let mut joiner = Joiner::default();
    for (id, number) in ahead.iter().zip(1..) {
        let number = MessageNumber::new(number).unwrap();
        let unique_id = format!("uid-{id}");
        joiner.unique_id(number, unique_id.as_bytes()).unwrap();
        joiner.scan(number, 1).unwrap();
    }
    let mut view = examine(&journal, ACCOUNT).unwrap().view;
    let listing = joiner.finish(ACCOUNT, true);
    let known: Vec<_> = view.recognise(&listing).collect();
    // One gap may be that wide, for lines that are lost; but nothing may fill the memory.
    let new = Known::New(None);
    assert_eq!(known, [Known::Marked, new, new, new]);
}
