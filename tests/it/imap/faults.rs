//! What loses mail, keeps it from arriving or doubles it elsewhere, by IMAP: the same rows as by POP3, under
//! their numbers. A6, B1, B6 and B7 have none here: UIDs do not move up, mailboxes are not listed in parts, and
//! no message is without a short UID. A3 is in `killed` and `tests/crash`, B5 in `nineteen`, C3 and C5 in
//! `moved`, and C2 and C6 know of no protocol.

use std::fs;

use super::{fetched, fetched_with, serving};
use crate::given::{assert_said, letter, mail, run};
use crate::lost::restored::{copy, read_all, restore};
use crate::patient::disk::limited;
use crate::support::imap::{ImapServer, Kept, Twist};
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::tree;
use crate::twice::with_lines_above;

const ONE_AT_A_TIME: &str = "pipelining = \"off\"\n";
const DELETE: &[&str] = &["fetch", "--delete", "--now"];

fn add(server: &ImapServer, numbers: std::ops::RangeInclusive<usize>) {
    server.mailbox(|it| {
        it.messages
            .extend(numbers.map(|n| Kept::new(u32::try_from(n).unwrap(), &letter(n))));
    });
}

/// Runs that delete until nothing is left, two at most; all of these are here once then.
#[track_caller]
fn all_are_here_in_the_end(server: &ImapServer, home: &Home, messages: &[Message]) {
    for _ in 0..2 {
        run(home, DELETE, 0);
    }
    assert_eq!(server.uids(), [0; 0]);
    tree::assert_holds(&home.maildir("a"), messages);
}

#[test]
fn a1_what_a_restored_backup_lacks_is_fetched_again_and_not_deleted_before() {
    for then in [&["fetch"] as &[&str], DELETE] {
        let (server, home) = serving(&mail(3), "");
        let (maildir, backup) = (home.maildir("a"), home.path().join("backup"));
        assert_eq!(fetched(&home), 3);
        copy(&maildir, &backup);
        add(&server, 4..=6);
        assert_eq!(fetched(&home), 3);
        restore(&backup, &maildir);
        let output = run(&home, then, 0);
        assert_said(&output, &["older than the state", "3 messages"]);
        tree::assert_holds(&maildir, &mail(6));
        all_are_here_in_the_end(&server, &home, &mail(6));
    }
}

#[test]
fn a1_what_is_not_as_long_as_it_was_is_not_deleted_from_the_server() {
    for is_state_lost in [false, true] {
        for length in [0, 20] {
            let (server, home) = serving(&mail(6), "");
            let maildir = home.maildir("a");
            fetched(&home);
            for file in read_all(&maildir).iter().step_by(2) {
                fs::File::options()
                    .write(true)
                    .open(file)
                    .unwrap()
                    .set_len(length)
                    .unwrap();
            }
            if is_state_lost {
                fs::remove_dir_all(home.state()).unwrap();
            }
            let output = home.popfetch(DELETE).run();
            let whole = tree::read(&maildir);
            for n in 1..=6 {
                let is_left = server.uids().contains(&u32::try_from(n).unwrap());
                let is_here = whole.iter().any(|it| it.octets == letter(n).stored());
                assert!(is_left || is_here, "{n} is lost: {output:#?}");
            }
        }
    }
}

#[test]
fn a2_where_the_maildir_is_empty_nothing_is_touched_until_it_is_back() {
    let (server, home) = serving(&mail(6), "keep = \"never\"\n");
    let (maildir, away) = (home.maildir("a"), home.path().join("away"));
    run(&home, &["fetch", "--keep"], 0);
    add(&server, 7..=10);
    fs::rename(&maildir, &away).unwrap();
    fs::create_dir(&maildir).unwrap();
    for _ in 0..2 {
        run(&home, &["fetch"], 73);
        assert_eq!(fs::read_dir(&maildir).unwrap().count(), 0);
        assert_eq!(server.uids().len(), 10);
    }
    fs::remove_dir(&maildir).unwrap();
    fs::rename(&away, &maildir).unwrap();
    all_are_here_in_the_end(&server, &home, &mail(10));
}

/// As long as it is listed, and cut: a server that has lost the end of it.
fn cut(message: &Message) -> Message {
    let octets = message.octets();
    let half = &octets[..octets.len() / 2];
    Message::new(&message.unique_id, half).listed_as(message.listed_size())
}

#[test]
fn a4_a_message_that_is_cut_short_every_time_is_kept_on_the_server_until_its_owner_asks_again() {
    for keys in ["", ONE_AT_A_TIME] {
        let mut broken = mail(6);
        broken[2] = cut(&letter(3));
        let (server, home) = serving(&broken, keys);
        for _ in 0..2 {
            home.popfetch(DELETE).run();
        }
        assert_eq!(server.uids(), [3], "{keys}");
        server.mailbox(|it| it.messages[0].message = letter(3));
        run(&home, &["state", "forget", "a", "INBOX/1700000000/3"], 0);
        run(&home, DELETE, 0);
        assert_eq!(server.uids(), [0; 0]);
        let here = tree::read(&home.maildir("a"));
        for n in 1..=6 {
            let copies = here.iter().filter(|it| it.octets == letter(n).stored());
            assert_eq!(copies.count(), 1, "{n} {keys}");
        }
    }
}

#[test]
fn a4_a_message_that_is_cut_short_once_arrives_whole() {
    for keys in ["", ONE_AT_A_TIME] {
        let (server, home) = serving(&mail(6), keys);
        server.twist_once("UID FETCH 3 ", Twist::Instead(comes(3, &cut(&letter(3)))));
        run(&home, DELETE, 0);
        all_are_here_in_the_end(&server, &home, &mail(6));
    }
}

/// An answer that brings this message under a UID.
fn comes(uid: u32, message: &Message) -> String {
    let octets = message.octets();
    let (size, text) = (octets.len(), String::from_utf8(octets).unwrap());
    format!("* 3 FETCH (UID {uid} BODY[] {{{size}}}\r\n{text})\r\n{{tag}} OK done\r\n")
}

#[test]
fn a4_messages_that_are_exchanged_are_asked_for_again_before_anything_is_deleted() {
    for keys in ["", ONE_AT_A_TIME] {
        let (server, home) = serving(&mail(6), keys);
        server.twist_once("UID FETCH 3 ", Twist::Instead(comes(4, &letter(4))));
        home.popfetch(DELETE).run();
        all_are_here_in_the_end(&server, &home, &mail(6));
    }
}

/// Another message of the very same size, with another header.
fn another() -> Message {
    let text = String::from_utf8(letter(3).octets()).unwrap();
    let text = text.replace("<3@", "<9@").replace("Letter 3", "Better 3");
    Message::new("uid-3", text)
}

#[test]
fn a5_a_new_message_under_an_old_uid_is_fetched_before_it_is_deleted() {
    assert_eq!(another().size(), letter(3).size());
    // What was never away as far as anybody could see is looked at before it is deleted.
    for (is_listed_empty, then) in [
        (true, &["fetch", "--now"] as &[&str]),
        (true, DELETE),
        (false, DELETE),
    ] {
        let (server, home) = serving(&[letter(3)], "");
        server.twist_once("UID EXPUNGE", Twist::Cut(0));
        home.popfetch(DELETE).run();
        server.mailbox(|it| it.messages.clear());
        if is_listed_empty {
            run(&home, DELETE, 0);
        }
        server.mailbox(|it| it.messages = Kept::all(&[another()]));
        run(&home, then, 0);
        tree::assert_holds(&home.maildir("a"), &[letter(3), another()]);
        all_are_here_in_the_end(&server, &home, &[letter(3), another()]);
    }
}

#[test]
fn b2_a_temporary_refusal_is_the_sessions_and_blames_no_message() {
    for words in [
        "NO [UNAVAILABLE] Internal error occurred. Refer to server log for more information.",
        "NO [LIMIT] Download exceed the limit",
        "NO [SERVERBUG] This should never happen",
        "NO system busy, try again later",
    ] {
        for keys in ["", ONE_AT_A_TIME] {
            let (server, home) = serving(&mail(30), keys);
            server.mailbox(|it| {
                let refusal = Twist::Instead(format!("{{tag}} {words}\r\n"));
                let asked = |uid| (format!("UID FETCH {uid} ("), 0, refusal.clone());
                it.twists = (1..=30).map(asked).collect();
            });
            for _ in 0..4 {
                let output = run(&home, &["fetch", "--now"], 75);
                let errors = output.stderr.lines().filter(|it| it.starts_with("error:"));
                assert_eq!(errors.count(), 1, "{output:#?}");
            }
            server.mailbox(|it| it.twists.clear());
            assert_eq!(fetched(&home), 30, "{words}");
            tree::assert_holds(&home.maildir("a"), &mail(30));
        }
    }
}

#[test]
fn b2_sixty_messages_arrive_where_a_session_gives_ten() {
    for twist in [
        Twist::Close,
        Twist::Instead("{tag} NO [LIMIT] enough\r\n".into()),
        Twist::Instead("* BYE enough for now\r\n".into()),
    ] {
        for keys in ["", ONE_AT_A_TIME] {
            let (server, home) = serving(&mail(60), keys);
            server.mailbox(|it| {
                let tenth = |n| ("UID FETCH ".to_owned(), n, twist.clone());
                // The listing is one as well.
                it.twists = (12..80).map(tenth).collect();
            });
            let mut runs = 0;
            while tree::count(&home.maildir("a")) < 60 {
                runs += 1;
                assert!(runs <= 6, "{twist:?} {keys:?}");
                home.popfetch(["fetch", "--now"]).run();
            }
            server.mailbox(|it| it.twists.clear());
            assert_eq!(fetched(&home), 0, "{twist:?}");
            tree::assert_holds(&home.maildir("a"), &mail(60));
        }
    }
}

#[test]
fn b3_a_server_that_closes_over_what_is_sent_ahead_is_asked_one_at_a_time_in_the_same_run() {
    let (server, home) = serving(&mail(5), "");
    server.mailbox(|it| it.closes_on_flights = true);
    let output = run(&home, &["fetch", "--now"], 0);
    assert_said(&output, &["one command at a time"]);
    tree::assert_holds(&home.maildir("a"), &mail(5));
    // It is remembered.
    add(&server, 6..=8);
    let sessions = server.sessions().len();
    assert_eq!(fetched(&home), 3);
    assert_eq!(server.sessions().len(), sessions + 1);
}

#[test]
fn b4_a_message_that_no_file_can_hold_keeps_no_other_from_arriving_or_from_being_deleted() {
    let mut messages = mail(10);
    messages[2] = Message::generated("uid-3", 3 << 20, 1);
    let (server, home) = serving(&messages, "");
    let output = limited(&home, 2048, "fetch --delete");
    assert_eq!(output.status, Some(74), "{output:#?}");
    assert_said(&output, &["larger than a file may be", "hint: "]);
    assert_eq!(server.last_session().count("UID FETCH 3 ("), 0);
    assert_eq!(server.uids(), [3]);
    all_are_here_in_the_end(&server, &home, &messages);
}

#[test]
fn b8_a_server_that_asks_for_what_came_with_authenticate_gets_it_again() {
    let (server, home) = serving(&mail(3), "");
    server.mailbox(|it| it.asks_again = true);
    assert_eq!(fetched(&home), 3);
}

/// What servers write into messages once they were read.
const WRITTEN: [&str; 2] = [
    "Status: RO\nX-Status: A\n",
    "X-Keywords:                 \n",
];

#[test]
fn c1_header_lines_that_the_server_adds_make_no_new_message() {
    for written in WRITTEN {
        let (server, home) = serving(&mail(30), "");
        fetched(&home);
        server.mailbox(|it| {
            for kept in &mut it.messages {
                kept.message = with_lines_above(&kept.message, written);
            }
        });
        assert_eq!(fetched(&home), 0);
        tree::assert_holds(&home.maildir("a"), &mail(30));
        all_are_here_in_the_end(&server, &home, &mail(30));
    }
}

#[test]
fn c1_sizes_that_are_estimates_are_no_reason_to_download_all_in_every_run() {
    let (server, home) = serving(&mail(40), "");
    for n in 0..6 {
        server.mailbox(|it| {
            for (kept, message) in it.messages.iter_mut().zip(mail(40)) {
                let size = message.size() + 1 + n * 7 % 5 + n;
                kept.message = message.listed_as(size);
            }
        });
        fetched(&home);
        let asked = server.last_session();
        let asked = asked.commands.iter().filter(|it| it.contains("PEEK[]"));
        assert_eq!(asked.count(), if n == 0 { 40 } else { 0 }, "run {n}");
        tree::assert_holds(&home.maildir("a"), &mail(40));
    }
}

/// So many as another server has them.
fn moved(count: usize, added: &str) -> Vec<Message> {
    let messages = mail(count);
    let moved = messages.iter().map(|it| with_lines_above(it, added));
    moved.collect()
}

#[test]
fn c4_a_mailbox_that_was_restored_or_moved_brings_nothing_twice() {
    for added in [
        "",
        "Received: from old.example.com by new.example.com; Tue, 24 Nov 2026 08:00:00 +0000\n",
        "X-Provider-Spam: no\n",
    ] {
        for before in [&["fetch"] as &[&str], DELETE] {
            let (server, home) = serving(&mail(12), "");
            run(&home, before, 0);
            server.mailbox(|it| {
                it.uid_validity += 1;
                it.messages = Kept::all(&moved(12, added));
            });
            assert_eq!(fetched(&home), 0, "{added:?}");
            tree::assert_holds(&home.maildir("a"), &mail(12));
            all_are_here_in_the_end(&server, &home, &mail(12));
        }
    }
}

#[test]
fn c7_what_a_reader_renamed_is_found_by_verify_and_by_a_state_that_is_made_again() {
    for suffix in [":2,S", ",U=1:2,S", ",S=300,W=310:2,"] {
        let (server, home) = serving(&mail(4), "");
        let maildir = home.maildir("a");
        fetched(&home);
        for file in tree::new_files(&maildir) {
            let name = file.file_name().unwrap().to_str().unwrap();
            fs::rename(&file, maildir.join("cur").join(format!("{name}{suffix}"))).unwrap();
        }
        let output = run(&home, &["verify"], 0);
        assert_said(&output, &["4 recorded messages: 4 intact"]);
        fs::remove_dir_all(home.state()).unwrap();
        assert_eq!(fetched_with(&home, &[]).stdout, "", "{suffix}");
        all_are_here_in_the_end(&server, &home, &mail(4));
    }
}

#[test]
fn c8_forgotten_and_fetched_again_and_the_state_restored_there_is_no_third_copy() {
    let (_server, home) = serving(&mail(3), "");
    let backup = home.path().join("state-before");
    fetched(&home);
    copy(&home.state(), &backup);
    run(&home, &["state", "forget", "a", "INBOX/1700000000/2"], 0);
    assert_eq!(fetched(&home), 1);
    restore(&backup, &home.state());
    assert_eq!(fetched(&home), 0);
    assert_eq!(tree::count(&home.maildir("a")), 4);
}
