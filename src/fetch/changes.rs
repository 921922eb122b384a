//! What has become of the known messages since the last listing, in words.

use super::Account;
use crate::maildrop::Maildrop;
use crate::plan::Plan;
use crate::report::Event;
use crate::state::Changes;
use crate::term::count;
use std::ops::Range;

impl Account<'_> {
    /// What is stored is known again by its content where the server lists it under other names, as after `state move`,
    /// and that shows only once it is here.
    pub(super) fn tell_known_by_content(&self, stored: u64) {
        if stored > 0 {
            self.tell(Event::Notice(&format!(
                "none of these messages bears a name that is known, and {} stored: what is here already is known again \
                 by what is in it, once a fetch has downloaded it, and is not stored a second time",
                match stored {
                    1 => "1 is".to_owned(),
                    several => format!("{several} are"),
                }
            )));
        }
    }

    /// A maildrop whose messages are all others than before: that is told before they are fetched.
    pub(super) fn tell_changes(&self, changes: &Changes, plan: &Plan, maildrop: &Maildrop) {
        let new = (plan.listed() - plan.known()) as u64;
        let all_changed = changes.present == 0
            && changes.newly_absent >= ENOUGH
            && new >= changes.newly_absent / 2;
        if all_changed && changes.moved {
            self.tell_known_by_content(changes.newly_absent - changes.marked);
        } else if all_changed {
            self.tell(Event::Warning(&format!(
                "none of {} known messages is listed any more under the name that it had, and {new} others \
                 are: the server may have given all of them new unique-ids. They are fetched to see whether \
                 they are the same",
                changes.newly_absent
            )));
        }
        if changes.marked == 0 {
            return;
        }
        let marked = format!(
            "{} that {} marked as seen, and never fetched,",
            count(changes.marked, "message"),
            if changes.marked == 1 { "was" } else { "were" }
        );
        let name = self.profile.word_to_sign_in();
        let way = format!("to pass over what is there now: popfetch state mark-seen {name}");
        let (is, come) = match changes.marked {
            1 => ("is", "comes"),
            _ => ("are", "come"),
        };
        if all_changed {
            self.tell(Event::Warning(&format!(
                "{marked} {is} among them and {come} as new; {way}"
            )));
        } else if let Some((folder, new)) = renewed(changes, plan, maildrop) {
            let new = count(new, "new message");
            self.tell(Event::Warning(&format!(
                "{marked} {is} not listed any more, and the folder {folder} has nothing but {new}: it may be \
                 what they were in, under another name or with other numbers, and then they {come} as new; \
                 {way}"
            )));
        }
    }
}

/// So many messages may be old ones under new names.
const ENOUGH: u64 = 10;

/// A folder that nothing is known in, and that may be what is listed no more, as one that was renamed is: what
/// people call it, and how many messages it has.
fn renewed(changes: &Changes, plan: &Plan, maildrop: &Maildrop) -> Option<(Box<str>, u64)> {
    let new: Vec<usize> = plan.open_to_rules().map(|(place, _)| place).collect();
    let behind = |place| new.partition_point(|it| *it < place);
    let renewed = maildrop.folders().filter(|range| {
        let len = range.len();
        let is_new = behind(range.end) - behind(range.start) == len;
        is_new && len as u64 >= ENOUGH && len as u64 >= changes.newly_absent / 2
    });
    let largest = renewed.max_by_key(Range::len)?;
    let folder = maildrop.message(largest.start)?.folder?;
    Some((folder.name.clone(), largest.len() as u64))
}
