use super::folders::{ALL, in_all};
use super::{fetched, serving};
use crate::given::{assert_said, journal, letter, mail, run};
use crate::support::imap::{ImapServer, Kept, Mailbox, Twist};
use crate::support::run::{Home, Output};
use serde_json::Value;
use std::fs;

/// Three in INBOX, three in Archive, which is opened second, and three in Lists.
fn three_folders(keys: &str) -> (ImapServer, Home) {
    let (server, home) = serving(&mail(3), &format!("{ALL}{keys}"));
    server.plain_folder("Archive", &[11, 12, 13].map(letter));
    server.plain_folder("Lists", &[21, 22, 23].map(letter));
    (server, home)
}

#[test]
fn a_folder_whose_listing_makes_no_sense_is_named_and_the_others_come() {
    for (listing, told) in [
        (
            "* 1 FETCH (UID 2 RFC822.SIZE 9)\r\n* 2 FETCH (UID 1 RFC822.SIZE 9)\r\n",
            "must go up",
        ),
        (
            "* 1 FETCH (UID 2 RFC822.SIZE 9)\r\n* 2 FETCH (UID 2 RFC822.SIZE 9)\r\n\
             * 3 FETCH (UID 3 RFC822.SIZE 9)\r\n",
            "must go up",
        ),
        ("* 1 FETCH (RFC822.SIZE 9)\r\n", "without its UID"),
        (
            "* 1 FETCH (UID 1 RFC822.SIZE 9)\r\n* 2 FETCH (UID 0 RFC822.SIZE 9)\r\n",
            "that is none",
        ),
        ("* 1 FETCH (UID 1 RFC822.SIZE NIL)\r\n", "that is none"),
        (
            "* 1 FETCH (UID 1 RFC822.SIZE 18446744073709551616)\r\n",
            "that is none",
        ),
        (
            "* 1 FETCH (UID 1 RFC822.SIZE 9)\r\n* OK [UIDVALIDITY 5] new\r\n",
            "UIDVALIDITY changed",
        ),
    ] {
        for keys in ["keep = \"never\"\n", "pipelining = \"off\"\n"] {
            let (server, home) = three_folders(keys);
            let words = format!("{listing}{{tag}} OK done\r\n");
            server.twist("UID FETCH 1:*", 2, Twist::Instead(words.clone()));
            // It is listed once more, with nothing else under way.
            server.twist("UID FETCH 1:*", 4, Twist::Instead(words));
            let output = run(&home, &["fetch"], 1);
            assert_eq!(server.sessions().len(), 1, "{output:#?}");
            assert_said(&output, &["the folder Archive cannot be read", told]);
            assert!(!output.stderr.contains("counts"), "{output:#?}");
            assert_eq!(in_all(&home), 6, "{listing} {output:#?}");
            assert_eq!(server.other("Archive", |it| it.messages.len()), 3);
            server.mailbox(|it| it.twists.clear());
            assert_eq!(fetched(&home), 3, "{listing}");
            assert_eq!(in_all(&home), 9, "{listing}");
            assert_eq!(fetched(&home), 0, "{listing}");
        }
    }
}

#[test]
fn where_it_makes_sense_alone_the_server_is_asked_for_one_thing_at_a_time_and_all_folders_come() {
    let (server, home) = three_folders("");
    let words =
        "* 1 FETCH (UID 2 RFC822.SIZE 9)\r\n* 2 FETCH (UID 1 RFC822.SIZE 9)\r\n{tag} OK done\r\n";
    server.twist_once("UID FETCH 1:*", Twist::Instead(words.into()));
    let output = run(&home, &["fetch"], 0);
    assert_said(
        &output,
        &["must go up", "going on with one command at a time"],
    );
    assert_eq!(in_all(&home), 9, "{output:#?}");
}

#[test]
fn check_and_a_dry_run_name_a_folder_that_cannot_be_read_and_end_well() {
    let (server, home) = three_folders("");
    server.twist("EXAMINE", 2, Twist::Instead("{tag} NO not now\r\n".into()));
    for command in [
        &["check"][..],
        &["check", "--headers"],
        &["fetch", "--dry-run"],
    ] {
        // As the manual says: nothing is fetched by these.
        let output = run(&home, command, 0);
        assert_said(&output, &["the folder Archive cannot be read"]);
    }
}

#[test]
fn where_no_folder_can_be_read_the_run_fails_as_with_one() {
    let (server, home) = three_folders("");
    server.says("UID FETCH 1:*", "{tag} NO [SERVERBUG] oh\r\n");
    let output = run(&home, &["fetch"], 75);
    assert!(!output.stderr.contains("the others are"), "{output:#?}");
}

/// The accounts' `deleted` by their last events, and how many `deleted` events there are.
fn deletions(output: &Output) -> (u64, usize) {
    let lines = output.stdout.lines();
    let events: Vec<Value> = lines.map(|it| serde_json::from_str(it).unwrap()).collect();
    let of = |name: &str| events.iter().filter(|it| it["event"] == name).count();
    let account = events.iter().find(|it| it["event"] == "account").unwrap();
    (account["deleted"].as_u64().unwrap(), of("deleted"))
}

#[test]
fn deletions_that_were_confirmed_count_whatever_becomes_of_another_folders() {
    for (command, nth, twist, told, left) in [
        (
            "UID EXPUNGE",
            2,
            Twist::Instead("{tag} NO [NOPERM] not you\r\n".into()),
            "did not delete all of 3 messages",
            3,
        ),
        (
            "UID FETCH 1:3 (UID)",
            2,
            Twist::Instead("{tag} NO [NOPERM] not you\r\n".into()),
            "did not delete all of 3 messages",
            0,
        ),
        (
            "UID EXPUNGE",
            3,
            Twist::Close,
            "did not confirm the deletion of 3 messages",
            3,
        ),
    ] {
        let (server, home) = three_folders("keep = \"never\"\n");
        server.twist(command, nth, twist);
        let output = run(&home, &["fetch", "--format", "json"], 0);
        assert_eq!(deletions(&output), (6, 6), "{output:#?}");
        let text = &output.stdout;
        assert!(text.contains(told), "{output:#?}");
        let count = |it: &mut Mailbox| {
            let others: usize = it.others.iter().map(|it| it.messages.len()).sum();
            it.messages.len() + others
        };
        assert_eq!(server.mailbox(count), left, "{output:#?}");
        server.mailbox(|it| it.twists.clear());
        let output = run(&home, &["fetch", "--now", "--format", "json"], 0);
        assert_eq!(deletions(&output).0, left as u64, "{output:#?}");
        assert_eq!(in_all(&home), 9);
    }
}

#[test]
fn latest_holds_for_a_folder_that_could_not_be_read_in_the_first_fetch() {
    const REFUSED: &str = "{tag} NO [UNAVAILABLE] not now\r\n";
    for (command, words) in [("EXAMINE", REFUSED), ("UID FETCH 1:*", REFUSED)] {
        let (server, home) = three_folders("latest = 1\n");
        server.other("Archive", |it| came(&mut it.messages, LONG_AGO));
        server.twist(command, 2, Twist::Instead(words.into()));
        let output = run(&home, &["fetch"], 1);
        assert_said(&output, &["4 older messages marked as seen"]);
        assert_eq!(in_all(&home), 2, "{output:#?}");
        // Still not.
        run(&home, &["fetch", "--now"], 1);
        server.mailbox(|it| it.twists.clear());
        let output = run(&home, &["fetch", "--dry-run", "--now"], 0);
        assert_said(&output, &["would fetch 1", "mark as seen 2"]);
        let output = run(&home, &["fetch", "--now"], 0);
        assert_said(&output, &["2 older messages marked as seen"]);
        assert_eq!(in_all(&home), 3, "{output:#?}");
        // From then on all that is new there comes.
        server.other("Archive", |it| {
            it.messages.push(Kept::new(8, &letter(14)));
            it.messages.push(Kept::new(9, &letter(15)));
        });
        assert_eq!(fetched(&home), 2);
    }
}

/// INTERNALDATEs before and after any first fetch.
const LONG_AGO: &str = "17-Jul-1996 02:44:25 -0700";
const SINCE: &str = "31-Dec-2037 00:00:00 +0000";

/// The server got these then.
fn came(messages: &mut [Kept], date: &str) {
    messages
        .iter_mut()
        .for_each(|it| it.internal_date = date.into());
}

/// Three messages that are old, in a folder that the first fetch could not read, and two that came since.
fn late_folder(keys: &str) -> (ImapServer, Home) {
    let (server, home) = three_folders(&format!("latest = 1\n{keys}"));
    server.other("Archive", |it| came(&mut it.messages, LONG_AGO));
    server.twist("EXAMINE", 2, Twist::Instead("{tag} NO not now\r\n".into()));
    run(&home, &["fetch"], 1);
    assert_eq!(in_all(&home), 2);
    server.mailbox(|it| it.twists.clear());
    server.other("Archive", |it| {
        let mut since = [Kept::new(8, &letter(14)), Kept::new(9, &letter(15))];
        came(&mut since, SINCE);
        it.messages.extend(since);
    });
    (server, home)
}

#[test]
fn latest_never_passes_over_what_came_after_the_first_fetch() {
    for keys in ["", "pipelining = \"off\"\n"] {
        let (_server, home) = late_folder(keys);
        let output = run(&home, &["fetch", "--dry-run", "--now"], 0);
        assert_said(&output, &["would fetch 3", "mark as seen 2"]);
        let output = run(&home, &["fetch", "--now"], 0);
        assert_said(&output, &["2 older messages marked as seen"]);
        assert_eq!(in_all(&home), 5, "{output:#?}");
        assert_eq!(fetched(&home), 0);
    }
}

#[test]
fn where_latest_is_none_a_folder_read_late_takes_no_new_mail_of_others_with_it() {
    let (server, home) = three_folders("latest = 0\n");
    server.other("Archive", |it| came(&mut it.messages, LONG_AGO));
    server.twist("EXAMINE", 2, Twist::Instead("{tag} NO not now\r\n".into()));
    run(&home, &["fetch"], 1);
    server.mailbox(|it| {
        it.twists.clear();
        it.messages.push(Kept::new(8, &letter(4)));
    });
    let output = run(&home, &["fetch", "--now"], 0);
    assert_said(&output, &["3 older messages marked as seen"]);
    assert_eq!(in_all(&home), 1, "{output:#?}");
}

#[test]
fn what_the_server_does_not_say_the_age_of_comes_whatever_latest_says() {
    for words in [
        "{tag} NO [NOPERM] not that\r\n",
        "{tag} OK nothing to say\r\n",
        "* 1 FETCH (UID 1 INTERNALDATE NIL)\r\n* 2 FETCH (INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")\r\n\
         * 3 FETCH (UID 99 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")\r\n{tag} OK done\r\n",
        // Contradicts itself.
        "* 1 FETCH (UID 1 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")\r\n\
         * 1 FETCH (UID 1 INTERNALDATE \"31-Dec-2037 00:00:00 +0000\")\r\n{tag} OK done\r\n",
    ] {
        let (server, home) = late_folder("");
        server.says("UID FETCH 1:* (UID INTERNALDATE)", words);
        let output = run(&home, &["fetch", "--now"], 0);
        assert_eq!(in_all(&home), 7, "{words} {output:#?}");
    }
}

#[test]
fn a_connection_lost_over_the_ages_of_messages_passes_nothing_over_and_settles_nothing() {
    let (server, home) = late_folder("");
    server.twist("UID FETCH 1:* (UID INTERNALDATE)", 0, Twist::Close);
    run(&home, &["fetch", "--now"], 75);
    server.mailbox(|it| it.twists.clear());
    let output = run(&home, &["fetch", "--now"], 0);
    assert_said(&output, &["2 older messages marked as seen"]);
    assert_eq!(in_all(&home), 5, "{output:#?}");
}

#[test]
fn of_a_folder_that_is_listed_in_part_latest_passes_over_what_is_older_there_and_in_the_rest_later()
{
    let (server, home) = late_folder("");
    let words = "* 1 FETCH (UID 1 RFC822.SIZE 200)\r\n* 2 FETCH (UID 2 RFC822.SIZE 200)\r\n\
                 {tag} NO [UNAVAILABLE] that is all for now\r\n";
    server.twist("UID FETCH 1:* (UID RFC822", 2, Twist::Instead(words.into()));
    let output = run(&home, &["fetch", "--now"], 1);
    assert_said(&output, &["1 older message marked as seen"]);
    assert_eq!(in_all(&home), 3, "{output:#?}");
    server.mailbox(|it| it.twists.clear());
    run(&home, &["fetch", "--now"], 0);
    // The newest of the older ones, and those that came since.
    assert_eq!(in_all(&home), 6);
    assert_eq!(fetched(&home), 0);
}

#[test]
fn a_state_from_before_a_folder_was_read_passes_over_nothing_that_came_since() {
    let (server, home) = late_folder("");
    let journal = journal(&home);
    let before = fs::read(&journal).unwrap();
    assert_eq!(fetched(&home), 3);
    server.other("Archive", |it| {
        let mut more = [Kept::new(10, &letter(16)), Kept::new(11, &letter(17))];
        came(&mut more, SINCE);
        it.messages.extend(more);
    });
    fs::write(&journal, before).unwrap();
    let output = run(&home, &["fetch", "--now"], 0);
    let entries = fs::read_dir(home.maildir("a").join(".Archive/new")).unwrap();
    let here: Vec<_> = entries
        .map(|it| fs::read(it.unwrap().path()).unwrap())
        .collect();
    for number in [14, 15, 16, 17] {
        assert!(
            here.contains(&letter(number).stored()),
            "{number} {output:#?}"
        );
    }
}

#[test]
fn mark_seen_ends_what_latest_has_to_do_with_a_folder_that_could_not_be_read() {
    let (server, home) = three_folders("latest = 1\n");
    server.twist("EXAMINE", 2, Twist::Instead("{tag} NO not now\r\n".into()));
    run(&home, &["fetch"], 1);
    server.mailbox(|it| it.twists.clear());
    run(&home, &["state", "mark-seen", "a"], 0);
    server.other("Archive", |it| {
        it.messages.push(Kept::new(8, &letter(14)));
        it.messages.push(Kept::new(9, &letter(15)));
    });
    assert_eq!(fetched(&home), 2);
}

#[test]
fn a_folder_that_is_new_comes_whole_whatever_the_first_fetch_passed_over() {
    let (server, home) = three_folders("latest = 1\n");
    assert_eq!(fetched(&home), 3);
    server.plain_folder("Receipts", &[31, 32].map(letter));
    assert_eq!(fetched(&home), 2);
}
