//! One kind of server after the other, over seven sessions, with TOP and without: nothing is lost
//! or comes twice, and few messages are fetched or looked at only to find out that they are known.

use super::content::Content;
use super::runs::Trouble;
use super::server::{Manner, Notes, Sizes, Update};
use super::world::{DAY, World};
use popfetch::profile::Keep;
use std::fmt::Write as _;

/// Messages in the maildrop. From ten on, that all sizes are exact says something.
const MESSAGES: usize = 12;

const SESSIONS: usize = 7;

/// A server's behaviour.
struct Behaviour {
    what: &'static str,
    manner: Manner,
    keep: Keep,
    /// What happens before a session, which is counted from 1.
    before: fn(&mut World, usize),
    /// RETRs over all sessions at most, with TOP and without.
    most: [usize; 2],
}

impl Behaviour {
    fn new(what: &'static str, most: [usize; 2]) -> Self {
        Self {
            what,
            manner: Manner::default(),
            keep: Keep::Always,
            before: |_, _| {},
            most,
        }
    }

    fn sizes(mut self, sizes: Sizes) -> Self {
        self.manner.sizes = sizes;
        self
    }

    fn notes(mut self, notes: Notes) -> Self {
        self.manner.notes = notes;
        self
    }

    /// The profile says that what is stored is deleted, and the server does this then.
    fn deleting(mut self, update: Update) -> Self {
        self.keep = Keep::Never;
        self.manner.update = update;
        self
    }

    fn before(mut self, before: fn(&mut World, usize)) -> Self {
        self.before = before;
        self
    }

    /// Gives a line of the table, and what is wrong.
    fn play(&self, top: bool) -> (String, Option<String>) {
        let mut world = World::new(Manner { top, ..self.manner });
        world.keep = self.keep;
        let mut line = format!("{:<58}{:<5}", self.what, if top { "TOP" } else { "" });
        let mut retrieved = 0;
        for session in 1..=SESSIONS {
            world.history.now += 1;
            world.time += DAY;
            if session == 1 {
                for _ in 0..MESSAGES {
                    world.arrives(|serial| Content::new(serial, serial % 4 != 3));
                }
            }
            (self.before)(&mut world, session);
            if let Err(broken) = world.runs(Trouble::default()) {
                let wrong = format!("session {session}: {:?}: {}", broken.how, broken.text);
                return (line, Some(wrong));
            }
            let log = &world.maildrop().log;
            let _ = write!(line, "{:>4}/{:<3}", log.retrieved.len(), log.tops);
            retrieved += log.retrieved.len();
        }
        let (tree, contents) = (world.tree(), world.maildrop().contents.len());
        let missing = (0..contents).find(|serial| {
            let copies = world.copies.get(serial).copied().unwrap_or(1);
            tree.count(*serial) != copies
        });
        let most = self.most[usize::from(!top)];
        let left = world.maildrop().messages.len();
        let deletes = self.keep == Keep::Never && self.manner.update == Update::Deletes;
        let wrong = match missing {
            Some(serial) => Some(format!("letter {serial}: {} files", tree.count(serial))),
            None if retrieved > most => Some(format!("{retrieved} RETRs, more than {most}")),
            None if deletes && left > 0 => Some(format!("{left} are never deleted")),
            None => None,
        };
        (line, wrong)
    }
}

fn play(behaviours: &[Behaviour]) {
    let (mut table, mut wrong) = (String::new(), String::new());
    for behaviour in behaviours {
        for top in [true, false] {
            let (line, problem) = behaviour.play(top);
            let _ = writeln!(table, "{line}");
            if let Some(problem) = problem {
                let what = behaviour.what;
                let _ = writeln!(wrong, "{what}, TOP {top}: {problem}");
            }
        }
    }
    eprintln!("RETRs/TOPs in each of {SESSIONS} sessions:\n{table}");
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn c1_stable_sizes_cost_each_message_one_retr() {
    play(&[
        Behaviour::new("exact sizes", [12, 12]),
        Behaviour::new("exact sizes, deleting", [12, 12]).deleting(Update::Deletes),
        Behaviour::new("line ends count for one", [12, 12]).sizes(Sizes::LineFeeds),
        Behaviour::new("line ends count for one, deleting", [12, 12])
            .sizes(Sizes::LineFeeds)
            .deleting(Update::Deletes),
        // Before each DELE it must be the same; after five there are no more.
        Behaviour::new("exact sizes, says that it deletes", [12, 84]).deleting(Update::OnlySays),
        Behaviour::new("exact sizes, replies to QUIT are lost", [12, 84])
            .deleting(Update::LosesReplyBefore),
    ]);
}

#[test]
fn c1_header_fields_that_the_server_adds_after_the_first_session_make_no_other_message() {
    play(&[
        Behaviour::new("Status added", [12, 24]).notes(Notes::Status),
        Behaviour::new("X-UID, X-IMAPbase, X-Keywords, Lines added", [12, 24]).notes(Notes::Mbox),
        Behaviour::new("Status added, says that it deletes", [12, 84])
            .notes(Notes::Status)
            .deleting(Update::OnlySays),
        Behaviour::new("X-UID, ... added, says that it deletes", [12, 84])
            .notes(Notes::Mbox)
            .deleting(Update::OnlySays),
        Behaviour::new("Status added, kept at first, then deleted", [12, 36])
            .notes(Notes::Status)
            .before(deletes_from_the_fourth_on),
    ]);
}

#[test]
fn c1_sizes_that_drift_are_found_to_be_no_evidence() {
    let drifting = |what, most| Behaviour::new(what, most).sizes(Sizes::Drifting);
    play(&[
        // A size that changes once is a server's that writes into what was read; one that changes
        // again is an estimate. So this takes two sessions of doubts.
        drifting("estimates", [12, 36]),
        drifting("estimates, deleting", [12, 12]).deleting(Update::Deletes),
        drifting("estimates, says that it deletes", [12, 84]).deleting(Update::OnlySays),
        drifting("estimates, replies to QUIT are lost", [12, 84])
            .deleting(Update::LosesReplyBefore),
        drifting("estimates, kept at first, then deleted", [12, 48])
            .before(deletes_from_the_fourth_on),
    ]);
}

fn deletes_from_the_fourth_on(world: &mut World, session: usize) {
    if session == 4 {
        world.keep = Keep::Never;
    }
}

#[test]
fn a5_c1_a_reused_unique_id_is_another_message() {
    play(&[
        Behaviour::new("reused with another size", [13, 13]).before(|world, session| {
            if session == 3 {
                world.is_deleted(4);
                world.arrives_as(|serial| letter(serial).lengthened(100), "id-4".to_owned());
            }
        }),
        Behaviour::new("reused with the same size, seen as absent", [13, 13]).before(
            |world, session| match session {
                3 => drop(world.is_deleted(4)),
                4 => reuses(world, 4),
                _ => {}
            },
        ),
        Behaviour::new("reused with the same size, then all deleted", [13, 26]).before(
            |world, session| {
                if session == 3 {
                    world.is_deleted(4);
                    reuses(world, 4);
                    world.keep = Keep::Never;
                }
            },
        ),
        Behaviour::new("reused with the same size after our deletion", [13, 13])
            .deleting(Update::Deletes)
            .before(|world, session| {
                if session == 3 {
                    reuses(world, 4);
                }
            }),
        // Fault A5: asked for, and nobody knows whether it was done.
        Behaviour::new("reused with the same size, reply to QUIT lost", [13, 13])
            .deleting(Update::Deletes)
            .before(|world, session| {
                let lost = session == 1;
                world.maildrop().manner.update = match lost {
                    true => Update::LosesReplyAfter,
                    false => Update::Deletes,
                };
                if session == 3 {
                    reuses(world, 4);
                }
            }),
    ]);
}

fn letter(serial: usize) -> Content {
    Content::new(serial, true)
}

/// A new message gets another's unique-id and size.
fn reuses(world: &mut World, serial: usize) {
    let maildrop = world.maildrop().clone();
    let size = *maildrop.sizes[&serial].last().unwrap();
    let make = |new| maildrop.of_size(letter(new), new, size);
    world.arrives_as(make, format!("id-{serial}"));
}

#[test]
fn c4_new_unique_ids_for_all_messages_bring_nothing_again() {
    play(&[
        Behaviour::new("all ids changed", [24, 24]).before(|world, session| {
            if session == 3 {
                world.renames_all(false);
            }
        }),
        Behaviour::new("all ids changed, a header line added", [24, 24]).before(
            |world, session| {
                if session == 3 {
                    world.renames_all(true);
                }
            },
        ),
        Behaviour::new("all ids changed twice, then all deleted", [36, 48]).before(
            |world, session| match session {
                3 | 4 => world.renames_all(true),
                5 => world.keep = Keep::Never,
                _ => {}
            },
        ),
        Behaviour::new("restored after our deletion, ids changed", [24, 24])
            .deleting(Update::Deletes)
            .before(restores_with_new_ids),
        Behaviour::new("restored after our deletion, the same ids", [12, 24])
            .deleting(Update::Deletes)
            .before(|world, session| {
                if session == 3 {
                    let listed = |serial| world.is_listed(serial, format!("id-{serial}"));
                    (0..MESSAGES).for_each(listed);
                }
            }),
    ]);
}

fn restores_with_new_ids(world: &mut World, session: usize) {
    if session == 3 {
        (0..MESSAGES).for_each(|serial| world.is_listed(serial, format!("old-{serial}")));
        world.renames_all(true);
    }
}

#[test]
fn c1_two_copies_that_are_listed_at_once_are_both_delivered_once() {
    play(&[
        Behaviour::new("two copies under one id", [14, 26]).before(|world, session| {
            if session == 1 {
                world.copies.insert(4, 2);
                world.is_listed(4, "id-4".to_owned());
            }
        }),
        Behaviour::new("two copies under two ids", [14, 26]).before(|world, session| {
            if session == 1 {
                world.copies.insert(4, 2);
                world.is_listed(4, "copy".to_owned());
            }
        }),
        // Their name says too little: in each session both are looked at, so that another one that takes
        // the place of either is noticed.
        Behaviour::new("two messages under one id", [13, 25]).before(|world, session| {
            if session == 1 {
                world.arrives_as(letter, "id-4".to_owned());
            }
        }),
        Behaviour::new("two ways to one maildrop, the second later", [13, 13]).before(
            |world, session| {
                if session == 3 {
                    let content = world.maildrop().contents[4].clone();
                    world.is_deleted(4);
                    world.arrives(|serial| content.second_copy(serial));
                }
            },
        ),
    ]);
}

/// Some servers renumber what is left at each DELE.
#[test]
fn a6_deletions_go_from_the_highest_number_down_and_nothing_is_asked_for_after_them() {
    for top in [true, false] {
        let mut world = World::new(Manner {
            top,
            ..Manner::default()
        });
        for session in 1..=3 {
            (0..MESSAGES).for_each(|_| {
                world.arrives(letter);
            });
            world.history.now += 1;
            world.runs(Trouble::default()).unwrap();
            let log = world.maildrop().log.clone();
            assert!(!log.out_of_order, "session {session}, TOP {top}");
            // In the second one, what is old is deleted beside what is new.
            world.keep = Keep::Never;
        }
        assert!(world.maildrop().messages.is_empty());
    }
}
