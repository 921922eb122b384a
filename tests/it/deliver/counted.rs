//! What was handed on counts as often as it was put there, neither more nor less: whatever was lost, fetched again,
//! tried twice, or forgotten by a damaged journal.

use super::folder::{TO_GMAIL, config, scene};
use super::lost_answers::{NEVER, ages, answer_lost, has};
use super::{TAKE, by_shell, mbox, spool, taken, write_config};
use crate::given::{assert_said, compact, journal, mail, run};
use crate::lost::restored;
use crate::support::depot::{Act, Depot};
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;
use std::fs;

const WITH_UIDS: &str = "IMAP4rev1 LITERAL+ AUTH=PLAIN SASL-IR UIDPLUS";

const WITHOUT_UIDS: &str = "IMAP4rev1 LITERAL+ AUTH=PLAIN SASL-IR";

const MAILDIR: &str = "maildir = \"~/Mail/a\"\n";

/// Beyond the time in which a slow server may be storing what it was given.
const LATER: i64 = 130;

/// What a machine sends each day: with the very same octets, and no word of where it came from.
fn daily(name: &str) -> Message {
    let text =
        "From: cron@example.com\nDate: Mon, 23 Nov 2020 09:10:02 +0000\nSubject: sent\n\nDone.\n";
    Message::from_lf(name, text)
}

#[test]
fn d42_a_message_that_differs_by_its_last_carriage_return_is_not_taken_for_the_other() {
    for capabilities in [WITH_UIDS, WITHOUT_UIDS] {
        for (one, other) in [("\r\r\n", "\r\n"), ("\r\n", "\r\r\n"), ("\r\n\r", "\r\n")] {
            let twins = [("uid-1", one), ("uid-2", other)].map(|(name, end)| {
                let text =
                    format!("From: a@x\r\nMessage-ID: <twin@x>\r\nSubject: x\r\n\r\nbody{end}");
                Message::new(name, text)
            });
            let (server, home, depot) = scene(twins.to_vec(), NEVER);
            depot.announce(capabilities);
            depot.behave_times("lost", Act::Close, 1);
            run(&home, &["fetch", "a"], 1);
            depot.behave_well();
            ages(&home, LATER);
            let output = run(&home, &["fetch", "a"], 0);
            assert_eq!(depot.taken().len(), 2, "{one:?} {other:?}: {output:#?}");
            assert_eq!(server.maildrop().count(), 0);
        }
    }
}

/// The Maildir is as it was at that time.
fn back(home: &Home) {
    restored::restore(&home.path().join("copy"), &home.maildir("a"));
}

fn back_up(home: &Home) {
    restored::copy(&home.maildir("a"), &home.path().join("copy"));
}

/// Of two copies one was handed on and deleted, the other waits, and both are lost with the Maildir.
#[test]
fn what_waits_is_handed_on_though_its_twin_was_and_both_were_lost() {
    for renames in [false, true] {
        let keys = format!("{MAILDIR}{NEVER}\n");
        let (server, home, depot) = scene(mail(1), &keys);
        run(&home, &["fetch", "a"], 0);
        back_up(&home);
        let octets = mail(2)[1].octets();
        let twin = |name: &str| Message::new(name, octets.clone());
        server.maildrop().add([twin("one"), twin("two")]);
        let busy = Act::Say("{tag} NO [INUSE] not now\r\n".into());
        depot.behave_times("APPEND", busy, 1);
        home.popfetch(["fetch", "a"]).run();
        depot.behave_well();
        assert_eq!(depot.taken().len(), 2);
        back(&home);
        // What waits is under its name, or has another one by now.
        let left = server.maildrop().messages();
        assert_eq!(left.len(), 1);
        if renames {
            server
                .maildrop()
                .replace([Message::new("three", octets.clone())]);
        }
        for _ in 0..2 {
            run(&home, &["fetch", "--now", "a"], 0);
        }
        assert_eq!(
            (depot.taken().len(), server.maildrop().count()),
            (3, 0),
            "{renames}"
        );
    }
}

/// What messages are handed on to, and how many it has.
type Recipient = (String, fn(&Home, &Depot) -> usize);

fn recipients() -> [Recipient; 3] {
    [
        (TO_GMAIL.to_owned(), |_, depot| depot.taken().len()),
        (
            "deliver = { mbox = \"~/mail/in\" }\n".to_owned(),
            |home, _| mbox::messages(home).len(),
        ),
        (by_shell(TAKE) + "\n", |home, _| {
            taken(home).values().map(Vec::len).sum()
        }),
    ]
}

#[test]
fn what_is_fetched_again_into_the_spool_is_not_handed_on_again_and_does_not_stay_there() {
    for keep in ["", NEVER] {
        for (deliver, count) in recipients() {
            let (server, home, depot) = scene(mail(1), "");
            let others = "timeout = \"2 s\"\n";
            let keys = format!("{deliver}{keep}\n{MAILDIR}");
            config(&server, &home, &depot.account(), &keys, others);
            run(&home, &["fetch", "a"], 0);
            back_up(&home);
            server.maildrop().replace(mail(4));
            run(&home, &["fetch", "a"], 0);
            let before = count(&home, &depot);
            back(&home);
            server.maildrop().replace(mail(4));
            // The run that misses them is not let in.
            let locked = server.maildrop().try_lock().unwrap();
            let output = home.popfetch(["fetch", "a"]).run();
            drop(locked);
            assert_said(&output, &["is older than the state"]);
            config(
                &server,
                &home,
                &depot.account(),
                &format!("{deliver}{keep}\n"),
                others,
            );
            for is_first in [true, false, false] {
                let output = run(&home, &["fetch", "--now", "a"], 0);
                let comes = output.stderr.contains("3 new messages");
                assert_eq!(comes, is_first, "{output:#?}");
            }
            assert_eq!(count(&home, &depot), before, "{keep} {deliver}");
            assert_eq!(tree::count(&spool(&home)), 0, "{keep} {deliver}");
        }
    }
}

/// What "gmail" has been given since is listed by the other server, too.
fn show(server: &Server, depot: &Depot, known: &mut usize) {
    let taken = depot.taken();
    let fresh = taken.iter().skip(*known);
    let fresh = fresh.map(|it| Message::new(format!("new-{}", it.uid), it.octets.clone()));
    server.maildrop().add(fresh);
    *known = taken.len();
}

#[test]
fn d43_what_is_fetched_again_in_ones_own_mailbox_brings_no_more_copies() {
    for capabilities in [WITH_UIDS, WITHOUT_UIDS] {
        for compacts in [false, true] {
            let (server, home, depot) = scene(mail(1), MAILDIR);
            depot.announce(capabilities);
            has(&depot, mail(1)[0].octets());
            let mut known = 1;
            run(&home, &["fetch", "a"], 0);
            show(&server, &depot, &mut known);
            fs::remove_dir_all(home.maildir("a")).unwrap();
            run(&home, &["state", "accept", "a", "--fetch-again"], 0);
            let mut counts = Vec::new();
            for _ in 0..4 {
                run(&home, &["fetch", "a"], 0);
                if compacts {
                    compact(&server, &home);
                }
                show(&server, &depot, &mut known);
                counts.push(depot.taken().len());
            }
            assert_eq!(counts, [2; 4], "{capabilities} {compacts}");
            // Another one like it has nothing to do with that, and is not withheld for ever.
            assert_eq!(server.maildrop().count(), 2);
        }
    }
}

#[test]
fn d43_what_was_put_there_twice_counts_twice_so_that_the_next_ones_like_it_are_handed_on() {
    for compacts in [false, true] {
        let (server, home, depot) = scene(vec![daily("day-0")], NEVER);
        depot.announce(WITH_UIDS);
        answer_lost(&home, &depot);
        depot.behave("SEARCH", Act::Say("{tag} NO not now\r\n".into()));
        let output = run(&home, &["fetch", "--now", "a"], 0);
        depot.behave_well();
        assert_said(&output, &["it may be there twice now"]);
        assert_eq!(depot.taken().len(), 2);
        for day in 1..3 {
            if compacts {
                compact(&server, &home);
            }
            server.maildrop().add([daily(&format!("day-{day}"))]);
            let output = run(&home, &["fetch", "a"], 0);
            assert_said(&output, &["1 handed on", "1 deleted"]);
            assert_eq!(depot.taken().len(), 2 + day, "{output:#?}");
        }
    }
}

#[test]
fn d42_a_folder_that_was_made_anew_and_gives_its_numbers_once_more_hides_nothing() {
    for is_named in [false, true] {
        let one = Message::from_lf("uid-1", "Subject: x\nTo: y\n\nz\n");
        let one = if is_named { mail(1).remove(0) } else { one };
        let others =
            (7..10).map(|n| Message::from_lf(format!("old-{n}"), format!("Subject: {n}\n\n{n}\n")));
        let (server, home, depot) = scene(others.collect(), NEVER);
        depot.announce(WITH_UIDS);
        run(&home, &["fetch", "a"], 0);
        depot.is_made_anew();
        server.maildrop().add([one]);
        answer_lost(&home, &depot);
        ages(&home, LATER);
        let output = run(&home, &["fetch", "a"], 0);
        let count = depot.taken().len();
        assert!(
            count == 1 || output.stderr.contains("twice"),
            "{count}: {output:#?}"
        );
    }
}

#[test]
fn d42_a_message_that_a_search_by_its_date_alone_does_not_find_is_named() {
    let anonymous = Message::from_lf("uid-1", "Subject: x\nTo: y\n\nz\n");
    let (server, home, depot) = scene(vec![anonymous], NEVER);
    depot.says(1, Some(0));
    answer_lost(&home, &depot);
    ages(&home, LATER);
    depot.behave("SEARCH", Act::Say("* SEARCH\r\n{tag} OK done\r\n".into()));
    let output = run(&home, &["fetch", "a"], 0);
    assert_said(&output, &["uid-1: account gmail does not tell", "twice"]);
    assert_eq!((depot.taken().len(), server.maildrop().count()), (2, 0));
}

/// The lines of one message about its handing on are gone with a sector of the disk.
#[test]
fn what_a_damaged_journal_does_not_tell_is_looked_for_or_named() {
    for maildir in [MAILDIR, ""] {
        for (deliver, count) in recipients() {
            let (server, home, depot) = scene(mail(3), "");
            let keys = format!("{deliver}{maildir}");
            config(&server, &home, &depot.account(), &keys, "");
            run(&home, &["fetch", "a"], 0);
            assert_eq!(count(&home, &depot), 3);
            let path = journal(&home);
            let text = fs::read_to_string(&path).unwrap();
            let lines = text.split_inclusive('\n').map(|line| {
                let is_one = ["g\t1\t", "d\t1\t"].iter().any(|it| line.starts_with(it));
                if is_one {
                    "\0".repeat(line.len() - 1) + "\n"
                } else {
                    line.to_owned()
                }
            });
            fs::write(&path, lines.collect::<String>()).unwrap();
            let output = home.popfetch(["fetch", "--now", "a"]).run();
            let more = home.popfetch(["fetch", "--now", "a"]).run();
            let said = output.stderr + &more.stderr;
            let is_told = said.contains("second time") || said.contains("there twice");
            let has = count(&home, &depot);
            assert!(
                has == 3 || has == 4 && is_told,
                "{deliver} {maildir}: {has} {said}"
            );
            assert!(!said.contains("so that it was not handed on"), "{said}");
        }
    }
}

/// Both accounts are one mailbox, and the originals are deleted: the copies are all that is left.
#[test]
fn d41_nothing_says_of_what_is_the_last_copy_that_it_is_one_of_something_else() {
    let (server, home, depot) = scene(mail(2), "");
    depot.announce(WITH_UIDS);
    mail(2).iter().for_each(|it| has(&depot, it.octets()));
    run(&home, &["fetch", "a"], 0);
    let copies = mail(2).into_iter().enumerate();
    let copies = copies.map(|(at, it)| Message::new(format!("copy-{at}"), it.octets()));
    let copies: Vec<Message> = copies.collect();
    server.maildrop().add(copies.clone());
    run(&home, &["fetch", "a"], 0);
    server.maildrop().replace(copies);
    let keys = format!("{TO_GMAIL}{NEVER}\n");
    config(&server, &home, &depot.account(), &keys, "");
    let output = run(&home, &["fetch", "a"], 0);
    // Once, and with all that can be done.
    assert_said(
        &output,
        &[
            "2 messages are not handed on",
            "popfetch state forget a copy-0 copy-1",
        ],
    );
    assert_eq!(output.stderr.matches("copy-0").count(), 3, "{output:#?}");
    write_config(&server, &home, &format!("{MAILDIR}{NEVER}\n"));
    let output = run(&home, &["fetch", "--now", "a"], 0);
    let words = [
        "2 messages not deleted from the server",
        "the last ones",
        "popfetch state forget a copy-0 copy-1",
        "popfetch state accept a copy-0 copy-1",
    ];
    assert_said(&output, &words);
    run(&home, &["state", "forget", "a", "copy-0", "copy-1"], 0);
    run(&home, &["fetch", "a"], 0);
    assert_eq!(tree::count(&home.maildir("a")), 2);
}
