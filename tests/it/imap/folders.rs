use super::{fetched, fetched_with, serving};
use crate::given::{assert_said, letter, mail, run};
use crate::support::imap::{ImapServer, Twist};
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::tracer::{self, End};
use crate::support::tree;

/// What is in a folder of the account's Maildir is these messages.
#[track_caller]
fn assert_in(home: &Home, folder: &str, messages: &[Message]) {
    tree::assert_holds(&home.maildir("a").join(folder), messages);
}

/// How many messages the account's Maildir has in all of its folders.
pub(super) fn in_all(home: &Home) -> usize {
    let maildir = home.maildir("a");
    let entries = std::fs::read_dir(&maildir).unwrap();
    let folders = entries.map(|entry| entry.unwrap().path());
    let folders = folders.filter(|path| path.join("new").is_dir());
    tree::count(&maildir) + folders.map(|path| tree::count(&path)).sum::<usize>()
}

/// What is in Archive/2024.
fn archived() -> [Message; 3] {
    [11, 12, 13].map(letter)
}

/// What is in Sent Items.
fn sent() -> [Message; 2] {
    [21, 22].map(letter)
}

/// What is in the folders of the account's Maildir is what the server's folders of those names have.
#[track_caller]
fn assert_each_in_its_own(home: &Home) {
    assert_in(home, ".", &mail(3));
    assert_in(home, ".Archive.2024", &archived());
    assert_in(home, ".Sent Items", &sent());
}

/// Three in INBOX, three in Archive/2024, two in Sent Items.
fn office(keys: &str) -> (ImapServer, Home) {
    let (server, home) = serving(&mail(3), keys);
    server.plain_folder("Archive/2024", &archived());
    server.folder("Sent Items", "(\\Sent) \"/\" \"Sent Items\"", &sent());
    (server, home)
}

pub(super) const ALL: &str = "folders = [\"*\"]\n";

#[test]
fn each_folder_comes_into_the_maildirs_own_of_its_name_once() {
    for keys in [ALL.to_owned(), format!("{ALL}pipelining = \"off\"\n")] {
        let (server, home) = office(&keys);
        assert_eq!(fetched(&home), 8);
        assert_each_in_its_own(&home);
        assert!(home.maildir("a").join(".Sent Items/maildirfolder").exists());
        assert_eq!(fetched(&home), 0);
        server.other("Archive/2024", |it| {
            it.messages
                .push(crate::support::imap::Kept::new(9, &letter(14)));
        });
        assert_eq!(fetched(&home), 1);
        assert_in(
            &home,
            ".Archive.2024",
            &[letter(11), letter(12), letter(13), letter(14)],
        );
        let sessions = server.sessions();
        assert!(sessions.iter().all(|session| session.count("SELECT") == 0));
        run(&home, &["verify"], 0);
    }
}

#[test]
fn several_folders_with_nothing_new_take_one_flight_more_than_one() {
    let (server, home) = office(ALL);
    fetched(&home);
    // Sign-in; LIST; all folders; a folder's messages behind the command that opens it; LOGOUT.
    assert!(
        server.last_session().flights <= 5,
        "{:#?}",
        server.last_session()
    );
    fetched(&home);
    let session = server.last_session();
    assert!(session.flights <= 4, "{session:#?}");
    assert_eq!(session.count("UID FETCH"), 3, "{session:#?}");
}

#[test]
fn the_inbox_alone_is_asked_for_as_ever_and_what_is_known_of_it_stays_known() {
    let (server, home) = serving(&mail(3), "");
    server.plain_folder("Archive", &[letter(11)]);
    assert_eq!(fetched(&home), 3);
    assert_eq!(server.last_session().count("LIST"), 0);
    home.one_account(&server.account(), &format!("{}{ALL}", super::IMAP));
    assert_eq!(fetched(&home), 1);
    assert_in(&home, ".", &mail(3));
    home.one_account(&server.account(), super::IMAP);
    assert_eq!(fetched(&home), 0);
}

#[test]
fn names_patterns_uses_and_exceptions_say_which_folders_come() {
    for (keys, count) in [
        ("folders = [\"INBOX\", \"Archive/*\"]\n", 6),
        (
            "folders = [\"*\"]\nexclude = [\"archive\", \"\\\\Sent\"]\n",
            6,
        ),
        (
            "folders = [\"*\"]\nexclude = [\"Archive/*\", \"\\\\Sent\"]\n",
            3,
        ),
        ("folders = [\"\\\\Sent\"]\n", 2),
        ("folders = \"Sent Items\"\n", 2),
    ] {
        let (_server, home) = office(keys);
        assert_eq!(fetched(&home), count, "{keys}");
    }
}

#[test]
fn all_may_go_into_one_folder_and_what_a_rule_says_goes_before_it() {
    let rule = "rules = [{ subject = \"Letter 12\", then = { folder = \".Twelve\" } }]\n";
    for (into, folder) in [("inbox", "."), (".Work", ".Work")] {
        let keys = format!("{ALL}into = \"{into}\"\n{rule}");
        let (_server, home) = office(&keys);
        assert_eq!(fetched(&home), 8, "{into}");
        let mut others = mail(3);
        others.extend([11, 13, 21, 22].map(letter));
        assert_in(&home, folder, &others);
        assert_in(&home, ".Twelve", &[letter(12)]);
    }
}

#[test]
fn e11_a_message_that_was_moved_to_another_folder_is_not_new() {
    for moved in [1, 3] {
        let (server, home) = office(ALL);
        fetched(&home);
        let kept = server.mailbox(|it| it.messages.split_off(3 - moved));
        server.other("Archive/2024", |it| {
            it.messages.extend((9..).zip(kept).map(|(uid, mut kept)| {
                kept.uid = uid;
                kept
            }));
        });
        assert_eq!(fetched(&home), 0);
        assert_eq!(fetched(&home), 0);
        assert_in(&home, ".", &mail(3));
        assert_in(&home, ".Archive.2024", &archived());
    }
}

#[test]
fn e11_a_folder_with_another_uidvalidity_comes_again_to_be_compared_and_is_not_delivered() {
    let (server, home) = office(ALL);
    fetched(&home);
    server.other("Archive/2024", |it| it.uid_validity += 1);
    assert_eq!(fetched(&home), 0);
    assert_eq!(server.last_session().count("UID FETCH 3 (UID FLAGS"), 1);
    assert_in(&home, ".Archive.2024", &archived());
}

#[test]
fn a_uidvalidity_that_changes_in_the_session_loses_and_doubles_nothing() {
    for pipelining in ["", "pipelining = \"off\"\n"] {
        let (server, home) = office(&format!("{ALL}{pipelining}"));
        // The second time is for the messages.
        server.twist(
            "EXAMINE \"Archive/2024\"",
            2,
            Twist::Instead("* OK [UIDVALIDITY 5] other\r\n{tag} OK done\r\n".into()),
        );
        let output = run(&home, &["fetch"], 76);
        assert_said(&output, &["UIDVALIDITY changed"]);
        server.mailbox(|it| it.twists.clear());
        run(&home, &["fetch", "--now"], 0);
        assert_each_in_its_own(&home);
        assert_eq!(fetched(&home), 0);
    }
}

#[test]
fn a_folder_that_cannot_be_opened_is_named_and_the_others_come() {
    for pipelining in ["", "pipelining = \"off\"\n"] {
        let (server, home) = office(&format!("{ALL}{pipelining}"));
        let no = "{tag} NO [NOPERM] not yours\r\n";
        server.twist("EXAMINE \"Archive/2024\"", 0, Twist::Instead(no.into()));
        let output = run(&home, &["fetch"], 1);
        assert_said(&output, &["Archive/2024", "not yours"]);
        assert_in(&home, ".", &mail(3));
        assert_in(&home, ".Sent Items", &sent());
        server.mailbox(|it| it.twists.clear());
        assert_eq!(fetched(&home), 3);
        // What is known of it is not gone, however often that happens.
        server.twist("EXAMINE \"Archive/2024\"", 0, Twist::Instead(no.into()));
        for _ in 0..4 {
            run(&home, &["fetch", "--now"], 1);
        }
        server.mailbox(|it| it.twists.clear());
        assert_eq!(fetched(&home), 0);
    }
}

#[test]
fn a_folder_that_goes_away_between_its_listing_and_its_messages_keeps_no_other_from_coming() {
    for pipelining in ["", "pipelining = \"off\"\n"] {
        let (server, home) = office(&format!("{ALL}{pipelining}"));
        let no = "{tag} NO [NONEXISTENT] gone\r\n";
        server.twist("EXAMINE \"Archive/2024\"", 2, Twist::Instead(no.into()));
        let output = home.popfetch(["fetch"]).run();
        assert_in(&home, ".", &mail(3));
        assert_in(&home, ".Sent Items", &sent());
        assert!(!output.stderr.contains("going on"), "{output:#?}");
        server.mailbox(|it| it.twists.clear());
        run(&home, &["fetch", "--now"], 0);
        assert_in(&home, ".Archive.2024", &archived());
    }
}

#[test]
fn what_a_server_sends_of_another_folder_than_the_one_it_refused_is_not_taken_for_it() {
    for keys in [
        "",
        "[[accounts.a.rules]]\nfrom = \"nobody\"\nthen = \"delete\"\n",
    ] {
        let (server, home) = office(&format!("{ALL}keep = \"never\"\n{keys}"));
        server.mailbox(|it| it.keeps_open = true);
        let no = "{tag} NO [INUSE] not now\r\n";
        server.twist("EXAMINE \"Archive/2024\"", 2, Twist::Instead(no.into()));
        home.popfetch(["fetch"]).run();
        server.mailbox(|it| it.twists.clear());
        run(&home, &["fetch", "--now"], 0);
        assert_each_in_its_own(&home);
    }
}

#[test]
fn a_name_that_no_folder_has_is_told_with_what_there_is() {
    let (_server, home) = office("folders = [\"INBOX\", \"Archiv\", \"Work/*\"]\n");
    let output = run(&home, &["fetch"], 1);
    assert_said(
        &output,
        &["`Archiv`", "`Work/*`", "Archive/2024", "Sent Items"],
    );
    assert_in(&home, ".", &mail(3));
    let (_server, home) = office("folders = [\"Archiv\"]\n");
    let output = run(&home, &["fetch"], 78);
    assert_said(&output, &["Archiv", "Archive/2024"]);
}

#[test]
fn a_name_that_was_mistyped_is_told_with_the_one_that_is_meant() {
    for (keys, status, said) in [
        (
            "folders = [\"INBOX\", \"archive/2024\"]\n",
            1,
            "did you mean `Archive/2024`?",
        ),
        (
            "folders = [\"Sent Itmes\"]\n",
            78,
            "did you mean `Sent Items`?",
        ),
        (
            "folders = [\"archive/*\"]\n",
            78,
            "did you mean `Archive/2024`?",
        ),
        (
            "folders = [\"INBOX\", \"archive/*\"]\n",
            0,
            "did you mean `Archive/2024`?",
        ),
        (
            "folders = [\"*\"]\nexclude = [\"Sent items\"]\n",
            0,
            "no folder out for `Sent items`",
        ),
        // It may never have been there, and is as likely mistyped.
        (
            "folders = [\"*\"]\nexclude = [\"Work\"]\n",
            0,
            "no folder out for `Work`, as the server has none that it names; it has these: ",
        ),
    ] {
        let (_server, home) = office(keys);
        let output = run(&home, &["fetch"], status);
        assert_said(&output, &[said]);
        let is_right = keys.contains("Work");
        assert_ne!(
            output.stderr.contains("did you mean"),
            is_right,
            "{output:#?}"
        );
    }
}

#[test]
fn where_all_is_left_out_that_is_said() {
    for keys in [
        "folders = [\"INBOX\"]\nexclude = [\"INBOX\"]\n",
        "folders = [\"Archive/*\", \"\\\\Junk\"]\nexclude = [\"*\"]\n",
    ] {
        let (_server, home) = office(keys);
        for command in ["fetch", "check"] {
            let output = run(&home, &[command], 78);
            assert_said(
                &output,
                &["`exclude` leaves out every folder", "hint: take out"],
            );
        }
    }
}

#[test]
fn what_is_deleted_is_deleted_folder_by_folder_and_nothing_else_is() {
    for pipelining in ["", "pipelining = \"off\"\n"] {
        let (server, home) = office(&format!("{ALL}keep = \"never\"\n{pipelining}"));
        // Somebody else has marked this one, and its UID is in the other folders, too.
        server.other("Sent Items", |it| it.messages[1].deleted = true);
        let skip = "rules = [{ subject = \"Letter 22\", then = \"skip\" }]\n";
        home.one_account(
            &server.account(),
            &format!("{}{ALL}keep = \"never\"\n{skip}{pipelining}", super::IMAP),
        );
        assert_eq!(fetched(&home), 7);
        assert!(server.uids().is_empty());
        assert!(server.other("Archive/2024", |it| it.messages.is_empty()));
        let left = server.other("Sent Items", |it| it.messages.len());
        assert_eq!(left, 1);
        assert_eq!(fetched(&home), 0);
    }
}

#[test]
fn a_folder_that_takes_no_changes_keeps_what_is_in_it_and_nothing_else() {
    let (server, home) = office(&format!("{ALL}keep = \"never\"\n"));
    let no = "{tag} NO [NOPERM] read only\r\n";
    server.twist("SELECT \"Sent Items\"", 0, Twist::Instead(no.into()));
    let output = run(&home, &["fetch"], 0);
    assert_said(&output, &["refused to delete 2 messages"]);
    assert!(server.uids().is_empty());
    assert!(server.other("Archive/2024", |it| it.messages.is_empty()));
    let left = server.other("Sent Items", |it| it.messages.len());
    assert_eq!(left, 2);
    assert_eq!(fetched_with(&home, &["--keep"]).stdout, "");
}

#[test]
fn the_newest_are_those_of_each_folder() {
    let (_server, home) = office(&format!("{ALL}latest = 1\n"));
    assert_eq!(fetched(&home), 3);
    assert_in(&home, ".", &[letter(3)]);
    assert_in(&home, ".Archive.2024", &[letter(13)]);
    assert_in(&home, ".Sent Items", &[letter(22)]);
    assert_eq!(fetched(&home), 0);
}

#[test]
fn s26_names_that_were_made_to_do_harm_do_none() {
    let (server, home) = serving(&mail(1), ALL);
    let long = "x".repeat(300);
    for (name, line, number) in [
        ("..", "() \"/\" \"..\"", 11),
        ("../../etc", "() \".\" \"../../etc\"", 12),
        ("a.b", "() NIL \"a.b\"", 13),
        ("a_b", "() \"/\" a_b", 14),
        ("/", "() NIL \"/\"", 15),
        ("a\"b\\c", "() \"/\" \"a\\\"b\\\\c\"", 16),
        (long.as_str(), &format!("() \"/\" {long}"), 17),
        ("new", "() \"/\" new", 18),
    ] {
        server.folder(name, line, &[letter(number)]);
    }
    // A command cannot have them, or they are none.
    server.folder("\u{1}", "() \"/\" \"a\u{1}b\"", &[letter(19)]);
    server.folder("x", "() \"/\" {3}\r\na\0b", &[letter(20)]);
    server.folder("y", "(\\Noselect) \"/\" y", &[letter(20)]);
    server.folder("z", "() \"//\" z", &[letter(20)]);
    let output = run(&home, &["fetch"], 1);
    assert_said(
        &output,
        &[
            "has characters that popfetch does not send",
            "one name in a Maildir",
        ],
    );
    assert!(!output.stderr.contains('\u{1}'), "{output:#?}");
    assert_eq!(in_all(&home), 9);
    assert_in(&home, ".a_b", &[letter(13), letter(14)]);
    assert!(!home.maildir("a").join("../.etc").exists());
    home.popfetch(["fetch", "--now"]).expect(1);
    assert_eq!(in_all(&home), 9);
    run(&home, &["verify"], 0);
}

#[test]
fn s26_a_list_without_end_ends() {
    let (server, home) = serving(&mail(1), ALL);
    let lines: String = (0..100_100)
        .map(|number| format!("* LIST () \"/\" f{number}\r\n"))
        .collect();
    server.twist("LIST", 0, Twist::Before(lines));
    let output = run(&home, &["fetch"], 76);
    assert_said(&output, &["folders without end"]);
}

#[test]
fn thousands_of_folders_are_read_and_the_empty_ones_leave_nothing_behind() {
    let (server, home) = serving(&mail(1), ALL);
    for number in 0..1000 {
        server.plain_folder(&format!("f{number:04}"), &[]);
    }
    server.other("f0500", |it| {
        it.messages
            .push(crate::support::imap::Kept::new(1, &letter(9)));
    });
    assert_eq!(fetched(&home), 2);
    assert_in(&home, ".f0500", &[letter(9)]);
    assert!(!home.maildir("a").join(".f0499").exists());
}

#[test]
fn pop3_has_no_folders_and_that_is_said() {
    let (server, home) = serving(&mail(1), "");
    home.one_account(&server.account(), "folders = [\"Archive\"]\n");
    let output = run(&home, &["fetch"], 78);
    assert_said(
        &output,
        &["POP3 knows the inbox alone", "protocol = \"imap\""],
    );
}

#[test]
fn what_looks_without_fetching_tells_the_folders_and_what_is_short() {
    let (server, home) = office(&format!("{ALL}max-size = \"1 MB\"\n"));
    let no = "{tag} NO [NOPERM] not yours\r\n";
    server.twist("EXAMINE \"Sent Items\"", 0, Twist::Instead(no.into()));
    for arguments in [
        &["check"][..],
        &["check", "--headers"],
        &["fetch", "--dry-run"],
        &["account", "test", "a"],
    ] {
        let output = home.popfetch(arguments).run();
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(said.contains("Sent Items"), "{output:#?}");
        assert!(said.contains("not yours"), "{output:#?}");
    }
    for arguments in [["fetch", "--dry-run"], ["check", "--headers"]] {
        let output = home.popfetch(arguments).run();
        assert!(
            output.stdout.contains("[Archive/2024] Letter 12"),
            "{output:#?}"
        );
    }
    for arguments in [
        &["fetch", "--dry-run", "--format", "json"][..],
        &["check", "--headers", "--format", "json"],
        &["fetch", "--now", "--format", "json"],
    ] {
        let output = home.popfetch(arguments).run();
        let folder = "\"folder\":\"Archive/2024\"";
        assert_eq!(output.stdout.matches(folder).count(), 3, "{output:#?}");
    }
    server.mailbox(|it| it.twists.clear());
    assert_eq!(run(&home, &["state", "mark-seen", "a"], 0).status, Some(0));
    assert_eq!(fetched(&home), 0);
    let output = run(&home, &["account", "show", "a"], 0);
    assert!(output.stdout.contains("folders     *\n"), "{output:#?}");
    let output = home.popfetch(["account", "test", "a"]).run();
    let folders = "in the folders INBOX, Archive/2024, Sent Items, 0 new";
    assert!(output.stdout.contains(folders), "{output:#?}");
}

/// Of the kills at some hundred calls.
const FEW: usize = 16;

fn kill_at_every_call(keep: &str) {
    let keys = format!("{ALL}keep = {keep:?}\n");
    let calls = tracer::at_every_call(FEW, |number| {
        let (server, home) = office(&keys);
        let (end, calls) = tracer::kill_at(&mut tracer::fetch(&home), number)?;
        let what = format!("{keep}, call {number}: {end:?}");
        assert!(matches!(end, End::Killed(_) | End::Exited(0)), "{what}");
        server.sessions();
        run(&home, &["fetch"], 0);
        assert_each_in_its_own(&home);
        assert_eq!(fetched(&home), 0, "{what}");
        let left = server.uids().len() + server.other("Sent Items", |it| it.messages.len());
        assert_eq!(left, if keep == "never" { 0 } else { 5 }, "{what}");
        Some(calls)
    });
    assert!(calls.is_none_or(|calls| calls > 60), "{calls:?}");
}

#[test]
fn a_kill_at_every_system_call_loses_and_doubles_nothing_in_any_folder() {
    kill_at_every_call("always");
    kill_at_every_call("never");
}
