//! The answer to an APPEND is lost: the message is looked for before it is appended again, and where the server
//! does not tell whether it has it, that is said.

use super::folder::{scene, stored};
use crate::given::{assert_said, journal, journals, mail, run};
use crate::support::depot::{Act, Depot, Taken};
use crate::support::journal::rewrite;
use crate::support::message::Message;
use crate::support::process::PATIENCE;
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use rustix::process::Signal;
use std::thread;
use std::time::Instant;

pub(super) const NEVER: &str = "keep = \"never\"";

/// It has these octets, too.
pub(super) fn has(depot: &Depot, octets: Vec<u8>) {
    depot.change(|taken| {
        taken.push(Taken::into("INBOX", octets));
    });
}

/// What was last tried was tried so many seconds before, as the journals have it.
pub(super) fn ages(home: &Home, by: i64) {
    for journal in journals(home) {
        rewrite(&journal, |fields| {
            if matches!(fields[0].as_str(), "k" | "g") {
                let time: i64 = fields[2].parse().unwrap();
                fields[2] = (time - by).to_string();
            }
        });
    }
}

/// "gmail" takes what it is given, and its answer never comes.
pub(super) fn answer_lost(home: &Home, depot: &Depot) {
    depot.behave("end", Act::Hang);
    run(home, &["fetch", "a"], 1);
    depot.behave_well();
}

/// Killed once "gmail" has so many messages, while it waits for the answer to the last of them.
pub(super) fn killed(home: &Home, depot: &Depot, count: usize) {
    depot.behave("end", Act::Hang);
    let mut running = home.popfetch(["fetch", "--now", "a"]).start();
    assert!(depot.gets(count), "{}", running.stderr_so_far());
    running.signal(Signal::KILL);
    running.wait();
    depot.behave_well();
}

fn at_once(home: &Home) -> Output {
    home.popfetch(["fetch", "--now", "a"]).run()
}

#[test]
fn d42_what_a_slow_server_may_still_be_storing_is_not_appended_by_a_run_that_is_seconds_later() {
    let (server, home, depot) = scene(mail(1), NEVER);
    depot.behave_times("lost", Act::Close, 1);
    run(&home, &["fetch", "a"], 1);
    for _ in 0..2 {
        let output = run(&home, &["fetch", "a"], 1);
        assert_said(&output, &["a later run looks for it there first"]);
    }
    assert_eq!(depot.count("APPEND"), 1);
    has(&depot, mail(1)[0].octets());
    let output = run(&home, &["fetch", "a"], 0);
    assert_said(&output, &["since an earlier try"]);
    assert_eq!(depot.octets(), stored(&mail(1)));
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn d42_what_was_never_sent_or_was_refused_is_not_taken_for_its_like_that_is_there() {
    for step in ["greeting", "AUTHENTICATE", "APPEND"] {
        for act in [
            Act::Close,
            Act::Say("{tag} NO [UNAVAILABLE] later\r\n".into()),
        ] {
            let (server, home, depot) = scene(mail(1), NEVER);
            depot.announce("IMAP4rev1 AUTH=PLAIN SASL-IR");
            // Somebody else's, or the very message, where both accounts are one mailbox.
            has(&depot, mail(1)[0].octets());
            depot.behave(step, act.clone());
            let output = home.popfetch(["fetch", "a"]).run();
            assert_ne!(output.status, Some(0), "{step} {act:?}: {output:#?}");
            depot.behave_well();
            let output = run(&home, &["fetch", "--now", "a"], 0);
            assert_said(&output, &["1 handed on"]);
            assert_eq!(depot.taken().len(), 2, "{step} {act:?}: {output:#?}");
            assert_eq!(server.maildrop().count(), 0);
        }
    }
}

#[test]
fn d42_a_target_that_is_down_meanwhile_does_not_end_the_doubt() {
    let (server, home, depot) = scene(mail(1), NEVER);
    depot.behave("end", Act::Hang);
    run(&home, &["fetch", "a"], 1);
    depot.behave("greeting", Act::Close);
    home.popfetch(["fetch", "--now", "a"]).run();
    depot.behave_well();
    let output = run(&home, &["fetch", "--now", "a"], 0);
    assert_said(&output, &["since an earlier try"]);
    assert_eq!(depot.octets(), stored(&mail(1)));
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn d42_it_is_appended_again_two_minutes_after_the_last_try_however_often_it_was_looked_for_since() {
    for is_killed in [false, true] {
        let (server, home, depot) = scene(mail(1), NEVER);
        if is_killed {
            killed(&home, &depot, 1);
            depot.change(Vec::clear);
        } else {
            depot.behave_times("lost", Act::Close, 1);
            run(&home, &["fetch", "a"], 1);
        }
        run(&home, &["fetch", "a"], 1);
        assert!(depot.taken().is_empty(), "{is_killed}");
        ages(&home, 60);
        run(&home, &["fetch", "a"], 1);
        assert!(depot.taken().is_empty(), "{is_killed}");
        ages(&home, 60);
        run(&home, &["fetch", "a"], 0);
        assert_eq!(depot.octets(), stored(&mail(1)), "{is_killed}");
        assert_eq!(server.maildrop().count(), 0);
    }
}

#[test]
fn d42_watch_does_not_append_it_again_within_seconds() {
    let (server, home, depot) = scene(mail(1), "keep = \"never\"\nevery = \"1 s\"");
    depot.behave_times("lost", Act::Close, 1);
    let mut watch = home.popfetch(["watch", "a"]).start();
    let until = Instant::now() + PATIENCE;
    while server.sessions_so_far().len() < 4 {
        assert!(Instant::now() < until, "{}", watch.stderr_so_far());
        thread::sleep(std::time::Duration::from_millis(50));
    }
    watch.signal(Signal::TERM);
    watch.wait();
    assert_eq!(depot.count("APPEND"), 1);
    assert_eq!(server.maildrop().count(), 1);
}

#[test]
fn d42_what_a_server_has_made_anew_is_named_when_it_is_appended_again() {
    let (server, home, depot) = scene(mail(1), NEVER);
    answer_lost(&home, &depot);
    depot.change(|taken| {
        let text = String::from_utf8(taken[0].octets.clone()).unwrap();
        taken[0].octets = text.replace("This is", "Dies ist").into_bytes();
    });
    let output = run(&home, &["fetch", "a"], 1);
    assert_said(&output, &["nobody knows whether it was taken"]);
    let output = run(&home, &["fetch", "--now", "a"], 0);
    assert_said(&output, &["uid-1", "account gmail does not tell", "twice"]);
    assert_eq!(depot.taken().len(), 2);
    assert_eq!(server.maildrop().count(), 0);
}

/// Two messages with the very same octets.
fn twins() -> Vec<Message> {
    let octets = mail(1)[0].octets();
    vec![
        Message::new("one", octets.clone()),
        Message::new("other", octets),
    ]
}

#[test]
fn d42_of_two_messages_with_the_same_octets_one_is_not_taken_for_the_other() {
    for is_late in [false, true] {
        let (server, home, depot) = scene(twins(), NEVER);
        depot.behave_times("lost", Act::Close, 1);
        run(&home, &["fetch", "a"], 1);
        assert_eq!(depot.taken().len(), 1);
        if is_late {
            has(&depot, twins()[0].octets());
        }
        ages(&home, 130);
        let output = run(&home, &["fetch", "a"], 0);
        let is_found = output.stderr.contains("since an earlier try");
        assert_eq!(is_found, is_late, "{output:#?}");
        assert_eq!(depot.octets(), stored(&twins()), "{is_late}");
        assert_eq!(server.maildrop().count(), 0);
    }
}

#[test]
fn d42_what_shows_in_all_mail_as_well_is_one_copy() {
    let (server, home, depot) = scene(twins(), NEVER);
    depot.has_folders(&[("INBOX", ""), ("everything", "\\All")]);
    depot.behave_times("lost", Act::Close, 1);
    run(&home, &["fetch", "a"], 1);
    run(&home, &["fetch", "--now", "a"], 0);
    assert_eq!(depot.octets(), stored(&twins()));
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn d42_where_a_folder_cannot_be_looked_through_nobody_can_tell() {
    let long = "x".repeat(5000);
    for (folders, refuses) in [
        (vec![("INBOX", ""), ("Caf\u{e9}", "")], false),
        (vec![("INBOX", ""), (long.as_str(), "")], false),
        (
            vec![
                ("INBOX", ""),
                ("All", "\\All"),
                ("Papierk\u{f6}rbe", "\\Trash"),
            ],
            false,
        ),
        (vec![("Inbox", "")], true),
        (vec![("Other", "")], true),
    ] {
        let (server, home, depot) = scene(mail(1), NEVER);
        depot.behave_times("lost", Act::Close, 1);
        run(&home, &["fetch", "a"], 1);
        depot.has_folders(&folders);
        if refuses {
            depot.behave("EXAMINE", Act::Say("{tag} NO not you\r\n".into()));
        }
        let output = at_once(&home);
        assert_said(&output, &["account gmail does not tell"]);
        assert_eq!(depot.octets(), stored(&mail(1)), "{folders:.40?}");
        assert_eq!(server.maildrop().count(), 0);
    }
}

#[test]
fn d42_nothing_that_has_the_same_message_id_is_read_once_its_size_says_that_it_is_another() {
    let (server, home, depot) = scene(mail(1), NEVER);
    depot.behave_times("lost", Act::Close, 1);
    run(&home, &["fetch", "a"], 1);
    let mut large = mail(1)[0].octets();
    large.extend(vec![b'x'; 3 << 20]);
    has(&depot, large);
    let output = at_once(&home);
    assert_said(&output, &["account gmail does not tell"]);
    let sessions = depot.sessions().concat();
    assert!(
        sessions.iter().all(|it| !it.contains("BODY")),
        "{sessions:?}"
    );
    assert_eq!((depot.taken().len(), server.maildrop().count()), (2, 0));
}

#[test]
fn d42_of_very_many_with_the_same_message_id_only_the_newest_are_read() {
    let (server, home, depot) = scene(mail(1), NEVER);
    depot.behave_times("lost", Act::Close, 1);
    run(&home, &["fetch", "a"], 1);
    for n in 0..70 {
        let mut other = mail(1)[0].octets();
        other.extend(format!("{n}\r\n").bytes());
        has(&depot, other);
    }
    let before = depot.sessions().len();
    let output = at_once(&home);
    assert_said(&output, &["account gmail does not tell"]);
    let sessions = depot.sessions().split_off(before).concat();
    let read = sessions.iter().filter(|it| it.contains("BODY")).count();
    assert_eq!(read, 64);
    assert_eq!((depot.taken().len(), server.maildrop().count()), (71, 0));
}

#[test]
fn those_that_have_waited_longest_have_their_turn_before_those_that_were_tried_last() {
    let (server, home, depot) = scene(mail(6), NEVER);
    depot.announce("IMAP4rev1 AUTH=PLAIN SASL-IR");
    depot.behave(
        "APPEND",
        Act::Say("{tag} NO [UNAVAILABLE] not now\r\n".into()),
    );
    // Three in each run, as it is not the messages then.
    for _ in 0..2 {
        run(&home, &["fetch", "a"], 1);
    }
    assert_eq!(depot.count("APPEND"), 6);
    rewrite(&journal(&home), |fields| {
        if fields[0] == "k" && fields[1].parse::<u32>().unwrap() >= 3 {
            let time: i64 = fields[2].parse().unwrap();
            fields[2] = (time - 1000).to_string();
        }
    });
    depot.behave_well();
    run(&home, &["fetch", "a"], 0);
    let texts = depot.taken().into_iter();
    let texts: Vec<String> = texts
        .map(|it| String::from_utf8(it.octets).unwrap())
        .collect();
    let turns = texts.iter().map(|text| {
        let letters = mail(6).into_iter();
        let octets = text.as_bytes();
        letters.take_while(|it| it.octets() != octets).count() + 1
    });
    assert_eq!(turns.collect::<Vec<_>>(), [4, 5, 6, 1, 2, 3]);
    assert_eq!(server.maildrop().count(), 0);
}

/// So many messages with the very same octets, the first of which is lost on its way; the others are taken.
fn alike(count: usize) -> (Server, Home, Depot, Vec<Message>) {
    let octets = mail(1)[0].octets();
    let messages = (0..count).map(|n| Message::new(format!("uid-{n}"), octets.clone()));
    let messages: Vec<Message> = messages.collect();
    let (server, home, depot) = scene(messages.clone(), NEVER);
    depot.behave_times("lost", Act::Close, 1);
    run(&home, &["fetch", "a"], 1);
    assert_eq!(depot.taken().len(), count - 1);
    (server, home, depot, messages)
}

#[test]
fn d42_what_shows_in_several_folders_is_one_copy() {
    // Where all mail has spam and trash as well, and where nothing says that there are views.
    for (folders, moved, shown) in [
        (
            [("INBOX", ""), ("everything", "\\All"), ("Bin", "\\Trash")],
            "Bin",
            None,
        ),
        (
            [("INBOX", ""), ("everything", "\\All"), ("Spam", "\\Junk")],
            "Spam",
            None,
        ),
        (
            [("INBOX", ""), ("Work", ""), ("Starred", "")],
            "Work",
            Some("Starred"),
        ),
        (
            [("INBOX", ""), ("Work", ""), ("Starred", "")],
            "INBOX",
            Some("Starred"),
        ),
    ] {
        let (server, home, depot, messages) = alike(2);
        depot.has_folders(&folders);
        depot.change(|taken| {
            taken[0].folder = moved.into();
            let shown = shown.map(|folder| Taken {
                folder: folder.into(),
                ..taken[0].clone()
            });
            taken.extend(shown);
        });
        let output = run(&home, &["fetch", "--now", "a"], 0);
        assert_said(&output, &["account gmail does not tell"]);
        depot.change(|taken| taken.retain(|it| Some(&*it.folder) != shown));
        assert_eq!(depot.octets(), stored(&messages), "{folders:?}");
        assert_eq!(server.maildrop().count(), 0);
    }
}

#[test]
fn d42_of_very_many_alike_none_is_taken_for_another() {
    let (server, home, depot, messages) = alike(66);
    depot.has_folders(&[("INBOX", ""), ("Work", "")]);
    depot.change(|taken| taken[0].folder = "Work".into());
    let output = run(&home, &["fetch", "--now", "a"], 0);
    assert_said(&output, &["account gmail does not tell"]);
    assert_eq!(depot.octets(), stored(&messages));
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn d42_one_that_was_forgotten_and_handed_on_again_is_no_sign_of_another() {
    let (server, home, depot, messages) = alike(2);
    server.maildrop().add([messages[1].clone()]);
    run(&home, &["state", "forget", "a", "uid-1"], 0);
    run(&home, &["fetch", "a"], 1);
    assert_eq!(depot.taken().len(), 2);
    run(&home, &["fetch", "--now", "a"], 0);
    assert_eq!(depot.taken().len(), 3);
    assert_eq!(server.maildrop().count(), 0);
}
