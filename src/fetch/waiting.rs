//! What is told of messages that wait to be handed on, or should have been.

use super::hand::Hand;
use super::tell::argument;
use super::{Account, Error, Missed};
use crate::handover::Letter;
use crate::maildrop::file_name;
use crate::paths::spool_dir;
use crate::report::{Event, Listed, Outcome};
use crate::state::{Store, Waiting, Whereabouts};
use crate::term::escape;

impl Account<'_> {
    /// What waits at the end of a run is told, and counts.
    pub(super) fn note_waiting(
        &self,
        store: &mut Store,
        hand: &mut Hand,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        outcome.waiting = store.count_waiting() as u64;
        if outcome.waiting == 0 {
            return Ok(());
        }
        for Waiting {
            id, delay, file, ..
        } in store.waiting()?
        {
            let (Whereabouts::There(letter), Some(delay)) = (file, delay) else {
                continue;
            };
            if !hand.tried.contains(&id) && !self.is_due_again(Some(delay)) {
                let times = delay.count;
                let why = format!(
                    "it was refused {times} times, and waits; tried once a day, and at once with popfetch --now"
                );
                self.miss(hand, &letter, &why);
            }
        }
        if hand.is_over() && hand.unable.is_none() {
            let text = format!(
                "{} to be handed on; the next run tries again",
                waits(outcome.waiting)
            );
            self.tell(Event::Notice(&text));
        }
        Ok(())
    }

    /// It waits although it should not.
    pub(super) fn miss(&self, hand: &mut Hand, letter: &Letter, why: &str) {
        let missed = missed(letter, why);
        if !self.environment.quiet {
            self.tell(Event::Warning(&missed.text));
        }
        hand.misses.push(missed);
    }

    /// Messages wait for what the config file does not name any more.
    pub(super) fn tell_unwanted(&self, store: &mut Store, hand: &mut Hand, outcome: &mut Outcome) {
        let waiting = store.count_waiting() as u64;
        if waiting == 0 {
            return;
        }
        outcome.waiting = waiting;
        // What cannot be looked at may be there.
        let waits_alone = store.only_here().is_ok_and(|only| !only.is_empty());
        if waits_alone {
            store.keep_maildir();
        }
        let otherwise = match waits_alone {
            true => match spool_dir(&file_name(&self.profile.server.id())) {
                Ok(spool) => format!(
                    "or move the files in {}/new to {}/new, and then say of each",
                    spool.display(),
                    self.profile.maildir.display()
                ),
                Err(_) => "or say of each".to_owned(),
            },
            false => "or say of each that it is fine where it is".to_owned(),
        };
        let text = format!(
            "{} to be handed on, and the config file has no `deliver` any more: not deleted from the \
             server. Put it back for one more run, {otherwise}: `popfetch state accept {} UNIQUE-ID`; \
             their unique-ids are in `popfetch state show {}`",
            waits(waiting),
            self.profile.word_with_maildir(),
            self.profile.word()
        );
        if !self.environment.quiet {
            self.tell(Event::Warning(&text));
        }
        let name = "no deliver".to_owned();
        hand.misses.push(Missed { name, text });
    }

    pub(super) fn tell_interrupted(&self, letter: &Letter) {
        self.tell(Event::Warning(&format!(
            "{} was being handed on when the last run was ended, and nobody knows whether it was taken: \
             it is handed on now, perhaps for the second time",
            name_of(letter)
        )));
    }

    /// Nobody knows that it was not handed on, and nobody can be asked.
    pub(super) fn tell_guessed(&self, letter: &Letter) {
        self.tell(Event::Warning(&format!(
            "what is known of {} does not tell whether it was handed on, as the state was damaged or lost: it is \
             handed on now, perhaps for the second time",
            name_of(letter)
        )));
    }

    pub(super) fn tell_lost(&self, hand: &mut Hand, letter: &Letter, what: &str) {
        hand.has_lost = true;
        let text = format!(
            "{}: {what}; it is fetched again if the server still has it",
            name_of(letter)
        );
        // Who hears of a failure once hears at the end whether it is one.
        self.tell(match self.environment.quiet {
            true => Event::Notice(&text),
            false => Event::Warning(&text),
        });
    }

    /// What was lost and has not come again is told, and counts; what has come again leaves nothing behind.
    pub(super) fn note_lost(
        &self,
        store: &mut Store,
        hand: &mut Hand,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        for (letter, is_guessed) in store.lost_before_handing()? {
            outcome.failed += 1;
            let why = format!(
                "its file is gone or damaged, and it has not been fetched again: {}. If \
                 the server has it no more, and you have it elsewhere or can do without it: {}",
                match is_guessed {
                    true => "nobody knows whether it was handed on",
                    false => "it was not handed on",
                },
                self.to_say("accept", &letter)
            );
            self.miss(hand, &letter, &why);
        }
        if std::mem::take(&mut hand.has_lost) {
            store.sweep_passed()?;
        }
        Ok(())
    }

    /// The command by which its owner says something of a message.
    pub(super) fn to_say(&self, what: &str, letter: &Letter) -> String {
        let id = letter.unique_id.as_deref();
        let id = id.map_or_else(|| " UNIQUE-ID".to_owned(), argument);
        format!(
            "popfetch state {what} {}{id}",
            self.profile.word_with_maildir()
        )
    }
}

pub(super) fn missed(letter: &Letter, why: &str) -> Missed {
    let name = name_of(letter);
    let text = format!("{name}: {why}");
    Missed { name, text }
}

/// How many wait, as a sentence begins.
pub(super) fn waits(number: u64) -> String {
    match number {
        1 => "1 message waits".to_owned(),
        _ => format!("{number} messages wait"),
    }
}

pub(super) fn listed(letter: &Letter) -> Listed<'_> {
    Listed {
        number: None,
        unique_id: letter.unique_id.as_deref(),
        octets: Some(letter.octets),
        folder: None,
    }
}

/// What a line for people calls it.
pub(super) fn name_of(letter: &Letter) -> String {
    match &letter.unique_id {
        Some(unique_id) => escape(unique_id),
        None => letter.path.display().to_string(),
    }
}
