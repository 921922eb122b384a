use crate::entry::journal::{Story, assert_loses_only_what_is_damaged, assert_tells, check_story};
use crate::entry::sealed::ACCOUNT;
use popfetch::state::examine;

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
    let lines = Story::new(&STEPS).lines;
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
