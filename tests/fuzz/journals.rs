use crate::entry::journal::{Story, assert_loses_only_what_is_damaged, assert_tells, check_story};
use crate::entry::sealed::{self, ACCOUNT};
use popfetch::maildrop::Joiner;
use popfetch::pop3::MessageNumber;
use popfetch::state::{Known, examine};

/// Three messages, of which one is only intended, and something of every other kind of line.
const STEPS: [u8; 16] = [
    0x10, 0x23, 0x05, 0x04, 0xb0, 0x05, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x31, 0x07, 0x42, 0x2b,
];

#[test]
fn d32_a_journal_cut_at_any_octet_tells_every_line_before_it_and_nothing_else() {
    let story = Story::new(&STEPS);
    let whole = story.lines.concat();
    let mut end = 0;
    for (steps, line) in story.lines.iter().enumerate() {
        let before = Story::new(&STEPS[..steps.saturating_sub(1)]);
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

#[test]
fn d32_any_flipped_bit_of_a_journal_costs_its_line_and_no_other_and_is_noticed() {
    let lines = Story::new(&STEPS[..9]).lines;
    let length = lines.concat().len();
    for bit in 0..8 * length {
        assert_loses_only_what_is_damaged(&lines, bit / 8, bit % 8);
    }
}

#[test]
fn d36_zeros_behind_a_journal_of_any_length_say_nothing() {
    for steps in 0..STEPS.len() {
        // Up to more than the longest line that is read at once.
        for zeros in [0, 1, 41, 164, 255] {
            check_story(&STEPS[..steps], zeros);
        }
    }
}

#[test]
fn d32_lines_that_claim_to_be_far_ahead_are_none_of_ours() {
    let ahead = [1, 2, 3, 4000].map(|n| n * 1_000_000);
    let line = |id: &u32| sealed::line(format!("M\t{id}\t0\tuid-{id}\t1\t0").as_bytes());
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
