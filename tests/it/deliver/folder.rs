//! Each message is appended to a folder of another account.

use super::lost_answers::ages;
use super::{serving, spool, write_config};
use crate::given::{assert_said, letter, mail, run};
use crate::support::account::Account;
use crate::support::behaviour::Behaviour;
use crate::support::depot::{Act, Depot, Taken};
use crate::support::dovecot::Dovecot;
use crate::support::maildrop::Maildrop;
use crate::support::message::{Message, generate};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tracer;
use crate::support::tree;
use std::fs;
use std::time::Duration;

/// Of the calls of a run, so many are killed at.
const FEW: usize = 16;

/// The account "a" with these keys hands its mail to the account "gmail", which is on that server.
pub(super) fn config(server: &Server, home: &Home, other: &Account, keys: &str, others: &str) {
    write_config(server, home, keys);
    let own = fs::read_to_string(home.config_file()).unwrap();
    let other = home.account_config("gmail", other);
    home.config(&format!(
        "{own}{other}protocol = \"imap\"\ndisabled = true\n{others}"
    ));
}

pub(super) const TO_GMAIL: &str = "deliver = { account = \"gmail\", folder = \"INBOX\" }\n";

pub(super) fn scene(messages: Vec<Message>, keys: &str) -> (Server, Home, Depot) {
    let (server, home) = serving(messages, Behaviour::new(), "");
    let depot = Depot::start();
    let keys = format!("{TO_GMAIL}{keys}");
    config(
        &server,
        &home,
        &depot.account(),
        &keys,
        "timeout = \"2 s\"\n",
    );
    (server, home, depot)
}

pub(super) fn stored(messages: &[Message]) -> Vec<Vec<u8>> {
    let mut stored: Vec<Vec<u8>> = messages.iter().map(Message::stored).collect();
    stored.sort_unstable();
    stored
}

/// Octets beyond ASCII, a line that looks like a command, and no end of the last line.
fn awkward() -> Vec<Message> {
    let mut messages = mail(3);
    let text = "Message-ID: <awkward@x>\nDate: Sun, 22 Nov 2020 09:10:12 +0200\n\na2 LOGOUT\n{5+}\nJos\u{e9}\n";
    messages.push(Message::from_lf("awkward", text));
    messages
}

#[test]
fn each_message_is_appended_once_and_then_deleted_in_the_same_session() {
    for capabilities in [
        "IMAP4rev1 LITERAL+ AUTH=PLAIN SASL-IR",
        "IMAP4rev1 LITERAL- AUTH=PLAIN SASL-IR",
        "IMAP4rev1 AUTH=PLAIN SASL-IR",
    ] {
        let (server, home, depot) = scene(awkward(), "keep = \"never\"");
        depot.announce(capabilities);
        let output = run(&home, &["fetch", "a"], 0);
        assert_said(&output, &["4 handed on", "4 deleted"]);
        assert_eq!(depot.octets(), stored(&awkward()), "{capabilities}");
        assert_eq!(server.maildrop().count(), 0);
        assert_eq!(tree::count(&spool(&home)), 0);
        run(&home, &["fetch", "a"], 0);
        assert_eq!(depot.taken().len(), 4);
        // Nothing is looked for that nobody can have appended.
        assert_eq!((depot.count("APPEND"), depot.count("UID SEARCH")), (4, 0));
        assert_eq!((depot.sessions().len(), depot.count("EXAMINE")), (1, 1));
    }
}

#[test]
fn its_date_is_the_messages_and_it_has_no_flags() {
    let (_server, home, depot) = scene(awkward(), "");
    run(&home, &["fetch", "a"], 0);
    let dates: Vec<String> = depot.taken().into_iter().map(|it| it.date).collect();
    assert!(
        dates.contains(&"22-Nov-2020 07:10:12 +0000".to_owned()),
        "{dates:?}"
    );
    assert!(
        depot
            .sessions()
            .concat()
            .iter()
            .all(|it| !it.contains("\\Seen"))
    );
}

#[test]
fn a_message_stays_in_a_maildir_of_its_own_as_well() {
    let (_server, home, depot) = scene(mail(3), "maildir = \"~/Mail/a\"");
    run(&home, &["fetch", "a"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(3));
    assert_eq!(depot.octets(), stored(&mail(3)));
}

#[test]
fn a_message_with_nul_octets_waits_and_is_named_and_the_others_go() {
    let mut messages = mail(2);
    messages.push(Message::from_lf("nul", "Subject: x\n\na\0b\n"));
    let (server, home, depot) = scene(messages, "keep = \"never\"");
    let output = run(&home, &["fetch", "a"], 1);
    assert_said(&output, &["message (nul, ", "account gmail: ", "NUL"]);
    assert_eq!(depot.octets(), stored(&mail(2)));
    assert_eq!(server.maildrop().count(), 1);
}

#[test]
fn a_message_that_is_too_large_is_refused_and_kept() {
    let large = Message::generated("large", 9000, 1);
    for (capabilities, act) in [
        (
            "IMAP4rev1 LITERAL+ AUTH=PLAIN SASL-IR APPENDLIMIT=5000",
            None,
        ),
        (
            "IMAP4rev1 AUTH=PLAIN SASL-IR",
            Some("{tag} NO [TOOBIG] too much\r\n"),
        ),
        (
            "IMAP4rev1 AUTH=PLAIN SASL-IR",
            Some("{tag} BAD [TOOBIG] too much\r\n"),
        ),
        (
            "IMAP4rev1 AUTH=PLAIN SASL-IR",
            Some("{tag} NO [LIMIT] too much\r\n"),
        ),
    ] {
        let (server, home, depot) = scene(vec![large.clone()], "keep = \"never\"");
        depot.announce(capabilities);
        if let Some(act) = act {
            depot.behave("APPEND", Act::Say(act.into()));
        }
        let output = run(&home, &["fetch", "a", "--format", "json"], 1);
        assert_said(&output, &["large", "account gmail"]);
        assert!(
            output.stdout.contains("\"event\":\"failed\""),
            "{output:#?}"
        );
        assert_eq!(server.maildrop().count(), 1);
        assert!(depot.taken().is_empty());
    }
}

#[test]
fn a_server_that_is_full_or_busy_gets_it_in_the_next_run() {
    for step in ["APPEND", "lost"] {
        for code in ["[OVERQUOTA] full", "[UNAVAILABLE] no", "[INUSE] locked"] {
            let (server, home, depot) = scene(mail(2), "keep = \"never\"");
            depot.announce("IMAP4rev1 AUTH=PLAIN SASL-IR");
            depot.behave(step, Act::Say(format!("{{tag}} NO {code}\r\n")));
            let output = run(&home, &["fetch", "a"], 1);
            assert_said(&output, &["account gmail", code, "2 not handed on yet"]);
            assert_eq!(server.maildrop().count(), 2);
            depot.behave_well();
            run(&home, &["fetch", "a"], 0);
            assert_eq!(depot.octets(), stored(&mail(2)), "{code}");
            assert_eq!(server.maildrop().count(), 0);
        }
    }
}

#[test]
fn a_folder_that_is_not_there_is_made_once_and_that_is_said() {
    for capabilities in [
        "IMAP4rev1 LITERAL+ AUTH=PLAIN SASL-IR",
        "IMAP4rev1 AUTH=PLAIN SASL-IR",
    ] {
        let (server, home, depot) = scene(mail(3), "");
        depot.announce(capabilities);
        let keys = "deliver = { account = \"gmail\", folder = \"Entw\u{fc}rfe & R\" }\n";
        config(&server, &home, &depot.account(), keys, "");
        let output = run(&home, &["fetch", "a"], 0);
        assert_said(&output, &["was made"]);
        assert_eq!(depot.count("CREATE \"Entw&APw-rfe &- R\""), 1);
        assert_eq!(depot.octets(), stored(&mail(3)));
    }
}

#[test]
fn a_folder_that_another_has_made_meanwhile_is_used() {
    let keys = "deliver = { account = \"gmail\", folder = \"Bills\" }\n";
    let (server, home, depot) = scene(mail(2), "");
    config(&server, &home, &depot.account(), keys, "");
    depot.behave(
        "CREATE",
        Act::Say("{tag} NO [ALREADYEXISTS] there\r\n".into()),
    );
    run(&home, &["fetch", "a"], 0);
    assert_eq!(depot.octets(), stored(&mail(2)));
}

#[test]
fn a_password_that_is_refused_is_tried_once_whoever_hands_messages_on() {
    let (server, home, depot) = scene(mail(1), "");
    let second = Server::builder(&Maildrop::new(vec![letter(50)])).start();
    let others = home.account_config("b", &second.account()) + TO_GMAIL;
    config(&server, &home, &depot.account(), TO_GMAIL, &others);
    depot.behave(
        "AUTHENTICATE",
        Act::Say("{tag} NO [AUTHENTICATIONFAILED] no\r\n".into()),
    );
    let output = run(&home, &["fetch", "--now", "--jobs", "2"], 77);
    assert_eq!(
        output.stderr.matches("account gmail").count(),
        2,
        "{output:#?}"
    );
    assert_eq!(depot.count("AUTHENTICATE"), 1);
    depot.behave_well();
    run(&home, &["fetch", "--now"], 0);
    assert_eq!(depot.octets().len(), 2);
}

#[test]
fn what_the_defaults_deliver_to_is_not_delivered_to_itself() {
    let (server, home, depot) = scene(mail(2), "");
    let own = home.account_config("a", &server.account());
    let other = home.account_config("gmail", &depot.account());
    home.config(&format!(
        "[defaults]\n{TO_GMAIL}\n{own}{other}protocol = \"imap\"\ndisabled = true\ninto = \".Work\"\n"
    ));
    run(&home, &["fetch", "a"], 0);
    assert_eq!(depot.octets(), stored(&mail(2)));
    // Nor are its folders without a Maildir.
    run(&home, &["account", "show", "gmail"], 0);
}

#[test]
fn a_folder_that_takes_nothing_is_named_once_for_all_messages() {
    // What cannot be opened either takes nothing, whatever the words.
    for (step, said) in [
        ("CREATE", "{tag} NO [CANNOT] Invalid mailbox name\r\n"),
        ("APPEND", "{tag} NO [NOPERM] not yours\r\n"),
        ("APPEND", "{tag} NO it is no folder\r\n"),
    ] {
        let (server, home, depot) = scene(mail(3), "keep = \"never\"");
        depot.announce("IMAP4rev1 AUTH=PLAIN SASL-IR");
        let keys = "deliver = { account = \"gmail\", folder = \"Odd\" }\nkeep = \"never\"\n";
        config(&server, &home, &depot.account(), keys, "");
        depot.behave(step, Act::Say(said.into()));
        let output = run(&home, &["fetch", "a"], 69);
        assert_said(
            &output,
            &["account gmail", "`Odd`", "takes no messages", "`deliver`"],
        );
        assert_eq!(output.stderr.matches("`Odd`").count(), 1, "{output:#?}");
        assert_eq!(depot.count("APPEND"), 1);
        assert_eq!(server.maildrop().count(), 3);
        depot.behave_well();
        run(&home, &["fetch", "a"], 0);
        assert_eq!(depot.octets(), stored(&mail(3)));
        assert_eq!(server.maildrop().count(), 0);
    }
}

#[test]
fn what_a_folder_is_for_is_not_taken_for_its_name() {
    let (server, home, depot) = scene(mail(1), "");
    let keys = "deliver = { account = \"gmail\", folder = '\\Sent' }\n";
    config(&server, &home, &depot.account(), keys, "");
    let output = run(&home, &["fetch", "a"], 78);
    assert_said(
        &output,
        &["`\\Sent` says what a folder is for", "as the server"],
    );
    assert!(depot.taken().is_empty());
}

#[test]
fn a_server_that_fails_before_it_has_a_message_loses_nothing_and_doubles_nothing() {
    for step in ["greeting", "AUTHENTICATE", "APPEND", "midst"] {
        for act in [
            Act::Close,
            Act::Hang,
            Act::Say("hello\r\n".into()),
            Act::Last("* BYE going down\r\n".into()),
            Act::Say(format!("* OK {}", "x".repeat(100_000))),
        ] {
            let (server, home, depot) = scene(mail(2), "keep = \"never\"");
            depot.announce("IMAP4rev1 AUTH=PLAIN SASL-IR");
            depot.behave(step, act.clone());
            let output = home.popfetch(["fetch", "a"]).run();
            assert_ne!(output.status, Some(0), "{step} {act:?}: {output:#?}");
            assert_said(&output, &["account gmail"]);
            assert_eq!(server.maildrop().count(), 2, "{step} {act:?}");
            assert!(depot.taken().is_empty());
            depot.behave_well();
            run(&home, &["fetch", "--now", "a"], 0);
            assert_eq!(depot.octets(), stored(&mail(2)), "{step} {act:?}");
            assert_eq!(server.maildrop().count(), 0, "{step} {act:?}");
        }
    }
}

#[test]
fn where_the_answer_is_lost_it_is_looked_for_and_not_appended_again() {
    for (act, times) in [
        (Act::Close, 1),
        (Act::Close, 9),
        (Act::Hang, 1),
        (Act::Last("* BYE enough\r\n".into()), 9),
        (Act::Say("thanks\r\n".into()), 1),
    ] {
        let (server, home, depot) = scene(awkward(), "keep = \"never\"");
        depot.behave_times("end", act.clone(), times);
        home.popfetch(["fetch", "a"]).run();
        depot.behave_well();
        for _ in 0..2 {
            run(&home, &["fetch", "--now", "a"], 0);
        }
        assert_eq!(depot.octets(), stored(&awkward()), "{act:?}");
        assert_eq!(server.maildrop().count(), 0, "{act:?}");
    }
}

#[test]
fn a_message_without_a_message_id_is_found_by_its_date_and_size() {
    let anonymous = Message::from_lf("anonymous", "Subject: x\n\ny\n");
    let (server, home, depot) = scene(vec![anonymous.clone()], "keep = \"never\"");
    depot.behave_times("end", Act::Close, 1);
    let output = run(&home, &["fetch", "a"], 0);
    assert_said(&output, &["since an earlier try"]);
    assert_eq!(depot.octets(), stored(&[anonymous]));
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn what_was_moved_away_meanwhile_is_found_wherever_it_is_and_named() {
    for folders in [
        &[("INBOX", ""), ("Archive", ""), ("Old", "\\Noselect")][..],
        &[
            ("INBOX", ""),
            ("[Gmail]/All Mail", "\\All"),
            ("Archive", ""),
        ],
    ] {
        let (server, home, depot) = scene(mail(1), "keep = \"never\"");
        depot.has_folders(folders);
        depot.behave("end", Act::Hang);
        run(&home, &["fetch", "a"], 1);
        depot.change(|taken| taken[0].folder = "Archive".into());
        depot.behave_well();
        run(&home, &["fetch", "a"], 1);
        let output = run(&home, &["fetch", "--now", "a"], 0);
        assert_said(&output, &["account gmail does not tell", "twice"]);
        assert_eq!((depot.taken().len(), server.maildrop().count()), (2, 0));
        let searched = depot.count("UID SEARCH");
        assert_eq!(searched, 4, "{folders:?}");
    }
}

/// Messages that are easily taken for one another: the second for the first.
fn alike() -> Vec<[Message; 2]> {
    let copy = |name: &str, text: &str| Message::from_lf(name, text);
    let head = "Message-ID: <same@x>\nSubject: x\n";
    let dated = "Received: by x; Sun, 22 Nov 2020 09:10:12 +0200\nSubject: x\n";
    let same = |header: &str, bodies: [&str; 2]| {
        let text = |body: &str| format!("{header}\n{body}\n");
        [
            copy("one", &text(bodies[0])),
            copy("other", &text(bodies[1])),
        ]
    };
    vec![
        // Another field, as a copy of a mailing list has.
        [
            copy("one", &format!("X-Copy: 1\n{head}\ny\n")),
            copy("other", &format!("X-Copy: 2\n{head}\ny\n")),
        ],
        same(head, ["y", "z"]),
        same(head, ["y", "y\n\nthe attachment"]),
        // By date and size alone.
        same(dated, ["y", "z"]),
        // One stands in the other: as sent, and as it came back.
        [
            copy(
                "one",
                &format!("Received: by x; Sun, 22 Nov 2020 09:10:12 +0200\n{head}\ny\n"),
            ),
            copy("other", &format!("{head}\ny\n")),
        ],
    ]
}

#[test]
fn another_message_is_not_taken_for_it_however_alike() {
    for [one, other] in alike() {
        for (step, act) in [
            ("lost", Act::Close),
            ("lost", Act::Say("{tag} NO not now\r\n".into())),
            ("APPEND", Act::Say("{tag} NO [OVERQUOTA] full\r\n".into())),
        ] {
            let both = [one.clone(), other.clone()];
            let (server, home, depot) = scene(vec![one.clone()], "keep = \"never\"");
            run(&home, &["fetch", "a"], 0);
            server.maildrop().replace(vec![other.clone()]);
            depot.announce("IMAP4rev1 AUTH=PLAIN SASL-IR");
            depot.behave_times(step, act.clone(), 1);
            home.popfetch(["fetch", "--now", "a"]).run();
            run(&home, &["fetch", "--now", "a"], 0);
            assert_eq!(depot.octets(), stored(&both), "{step} {act:?}");
            assert_eq!(server.maildrop().count(), 0);
        }
    }
}

#[test]
fn what_is_odd_about_a_message_does_not_make_it_come_twice() {
    let long = "x".repeat(600 * 1024);
    for (name, text) in [
        ("empty", String::new()),
        (
            "long header",
            format!("Message-ID: <a@x>\nX: {long}\n\nbody\n"),
        ),
        ("header alone", "Message-ID: <a@x>\nSubject: y".to_owned()),
        ("body alone", format!("\n{long}")),
        (
            "blanks",
            "Message-ID: <a@x>\nSubject: y \n\n\n\n".to_owned(),
        ),
    ] {
        let message = Message::from_lf(name, text);
        let (server, home, depot) = scene(vec![message.clone()], "keep = \"never\"");
        depot.behave_times("end", Act::Close, 1);
        let output = run(&home, &["fetch", "a"], 0);
        assert_said(&output, &["since an earlier try"]);
        assert_eq!(depot.octets(), stored(&[message]), "{name}");
        assert_eq!(server.maildrop().count(), 0);
    }
}

#[test]
fn a_server_that_says_yes_before_it_has_a_message_does_not_have_it() {
    let (server, home, depot) = scene(mail(1), "keep = \"never\"");
    depot.announce("IMAP4rev1 AUTH=PLAIN SASL-IR");
    depot.behave("APPEND", Act::Say("{tag} OK early\r\n".into()));
    run(&home, &["fetch", "a"], 1);
    assert_eq!(server.maildrop().count(), 1);
    depot.behave_well();
    run(&home, &["fetch", "--now", "a"], 0);
    assert_eq!(depot.octets(), stored(&mail(1)));
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn among_very_many_folders_it_is_looked_for_as_far_as_people_have_them() {
    for (last, named) in [("", true), ("\\All", false)] {
        let (server, home, depot) = scene(mail(1), "keep = \"never\"");
        let folders: Vec<String> = (0..1100).map(|n| format!("x{n}")).collect();
        let mut folders: Vec<(&str, &str)> = folders.iter().map(|it| (it.as_str(), "")).collect();
        folders.extend([("INBOX", ""), ("everything", last)]);
        depot.has_folders(&folders);
        depot.behave_times("lost", Act::Hang, 1);
        run(&home, &["fetch", "a"], 1);
        ages(&home, 130);
        let output = run(&home, &["fetch", "a"], 0);
        assert_eq!(
            output.stderr.contains("does not tell"),
            named,
            "{output:#?}"
        );
        assert_eq!(depot.octets(), stored(&mail(1)));
        assert_eq!(server.maildrop().count(), 0);
    }
}

#[test]
fn a_server_that_stores_it_late_has_it_once() {
    let (server, home, depot) = scene(mail(1), "keep = \"never\"");
    depot.behave_times("lost", Act::Close, 1);
    let output = run(&home, &["fetch", "a"], 1);
    assert_said(
        &output,
        &["account gmail", "a later run looks for it there first"],
    );
    assert_eq!(depot.count("APPEND"), 1);
    let late = mail(1)[0].octets();
    depot.change(|taken| {
        taken.push(Taken::into("INBOX", late));
    });
    let output = run(&home, &["fetch", "--now", "a"], 0);
    assert_said(&output, &["since an earlier try"]);
    assert_eq!(depot.octets(), stored(&mail(1)));
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn where_nobody_can_tell_one_message_may_be_there_twice_and_is_named() {
    let (server, home, depot) = scene(mail(3), "keep = \"never\"");
    depot.behave("end", Act::Hang);
    run(&home, &["fetch", "a"], 1);
    depot.behave("SEARCH", Act::Say("{tag} NO not here\r\n".into()));
    let output = run(&home, &["fetch", "--now", "a"], 0);
    assert_said(&output, &["uid-", "account gmail does not tell"]);
    assert_eq!(depot.taken().len(), 4);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn a_server_that_answers_twice_gets_each_message_once() {
    let (server, home, depot) = scene(awkward(), "keep = \"never\"");
    depot.behave(
        "end",
        Act::Say("{tag} OK taken\r\n{tag} OK taken\r\n".into()),
    );
    home.popfetch(["fetch", "a"]).run();
    depot.behave_well();
    for _ in 0..2 {
        run(&home, &["fetch", "--now", "a"], 0);
    }
    assert_eq!(depot.octets(), stored(&awkward()));
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn a_password_that_is_refused_is_the_other_accounts_and_what_was_fetched_waits() {
    let (server, home, depot) = scene(mail(2), "keep = \"never\"");
    depot.behave(
        "AUTHENTICATE",
        Act::Say("{tag} NO [AUTHENTICATIONFAILED] no\r\n".into()),
    );
    let output = run(&home, &["fetch", "a"], 77);
    assert_said(
        &output,
        &["account gmail", "refused", "hint: ", "is kept until"],
    );
    assert_eq!(server.maildrop().count(), 2);
    depot.behave_well();
    run(&home, &["fetch", "--now", "a"], 0);
    assert_eq!(server.count("RETR"), 2);
    assert_eq!(depot.octets(), stored(&mail(2)));
    fs::remove_file(home.path().join("gmail.password")).unwrap();
    server.maildrop().replace(mail(3));
    let output = home.popfetch(["fetch", "--now", "a"]).run();
    assert_said(&output, &["account gmail", "gmail.password"]);
}

#[test]
fn an_account_without_a_password_is_not_told_of_an_option_that_gives_anothers() {
    let (server, home, depot) = scene(mail(1), "");
    config(&server, &home, &depot.account(), TO_GMAIL, "");
    let text = fs::read_to_string(home.config_file()).unwrap();
    let lines = text.lines().filter(|line| !line.contains("gmail.password"));
    home.config(&lines.collect::<Vec<_>>().join("\n"));
    let output = home.popfetch(["fetch", "a"]).run();
    assert_said(&output, &["account gmail: a password is needed", "hint: "]);
    assert!(!output.stderr.contains("password-stdin"), "{output:#?}");
}

#[test]
fn an_account_that_cannot_take_messages_is_an_error_of_the_config_file() {
    let (server, home, depot) = scene(mail(1), "");
    let gmail = depot.account();
    for (keys, others, said) in [
        (
            "deliver = { account = \"gmial\" }\n",
            "",
            "did you mean `gmail`?",
        ),
        ("deliver = { account = \"a\" }\n", "", "to itself"),
        (
            "deliver = { account = \"gmail\", folder = \"\" }\n",
            "",
            "name of a folder",
        ),
        (
            "deliver = { mbox = \"~/x\", account = \"gmail\" }\n",
            "",
            "more than one thing",
        ),
        (
            "deliver = { mbox = \"~/x\", folder = \"x\" }\n",
            "",
            "`folder` is for",
        ),
        (TO_GMAIL, "deliver = { account = \"a\" }\n", "go round"),
    ] {
        config(&server, &home, &gmail, keys, others);
        let output = home.popfetch(["fetch", "a"]).run();
        assert_eq!(output.status, Some(78), "{keys}{others}: {output:#?}");
        assert_said(&output, &[said]);
    }
    // The same mailbox under other names, at once or at the end of a chain.
    let imap = |name: &str, user: &str, keys: &str| {
        let user = user.to_owned();
        let account = home.account_config(
            name,
            &Account {
                user,
                ..depot.account()
            },
        );
        format!("{account}protocol = \"imap\"\ndisabled = true\n{keys}")
    };
    for (chain, said) in [
        (
            imap("a", "ada", "deliver = { account = \"t\" }\n") + &imap("t", "ada", ""),
            "the same mailbox",
        ),
        (
            imap("a", "ada", "deliver = { account = \"b\" }\n")
                + &imap("b", "bob", "deliver = { account = \"c\" }\n")
                + &imap("c", "ada", ""),
            "go round",
        ),
        // Each is named by a second table of its mailbox.
        (
            imap("a", "ada", "deliver = { account = \"tb\" }\n")
                + &imap("b", "bob", "deliver = { account = \"ta\" }\n")
                + &imap("ta", "ada", "")
                + &imap("tb", "bob@localhost", ""),
            "it comes back from account `b`",
        ),
        (
            imap("a", "ada", "deliver = { account = \"tb\" }\n")
                + &imap("b", "bob", "deliver = { account = \"tc\" }\n")
                + &imap("c", "cy", "deliver = { account = \"ta\" }\n")
                + &imap("ta", "ada", "")
                + &imap("tb", "bob", "")
                + &imap("tc", "cy", ""),
            "it comes back from account `c`",
        ),
    ] {
        home.config(&chain);
        let output = home.popfetch(["fetch", "a"]).run();
        assert_eq!(output.status, Some(78), "{chain}: {output:#?}");
        assert_said(&output, &[said]);
    }
    write_config(&server, &home, "deliver = { account = \"pop\" }\n");
    let own = fs::read_to_string(home.config_file()).unwrap();
    home.config(&(own + &home.account_config("pop", &gmail)));
    let output = run(&home, &["fetch", "a"], 78);
    assert_said(&output, &["takes no messages", "protocol = \"imap\""]);
    // By whichever protocol: its mail would come back to where it was fetched.
    home.config(
        "[accounts.a]\nhost = \"pop.gmail.com\"\nuser = \"ada@gmail.com\"\n\
         deliver = { account = \"gmail\" }\n\
         [accounts.gmail]\nprotocol = \"imap\"\nhost = \"imap.gmail.com\"\nuser = \"ada@gmail.com\"\n",
    );
    let output = run(&home, &["fetch", "a"], 78);
    assert_said(&output, &["`gmail` is the same mailbox by another name"]);
    // Behind the ends of tunnels, and where mail has moved to, there may be two servers.
    for (one, other, status) in [
        (("127.0.0.1", 110), ("127.0.0.1", 143), 0),
        (("localhost", 1143), ("::1", 1143), 78),
        (("mail.example.com", 995), ("imap.example.com", 993), 0),
        (("pop.example.com", 995), ("imap.example.com", 993), 78),
        (("mail.example.com", 995), ("mail.example.com", 993), 78),
    ] {
        let server = |(host, port): (&str, u16)| {
            format!("host = \"{host}\"\nport = {port}\nuser = \"ada@example.com\"\n")
        };
        home.config(&format!(
            "[accounts.a]\n{}deliver = {{ account = \"t\" }}\n[accounts.t]\nprotocol = \"imap\"\n{}",
            server(one),
            server(other)
        ));
        run(&home, &["account", "show", "a"], status);
    }
}

#[test]
fn what_is_shown_of_an_account_names_the_folder() {
    let (_server, home, _depot) = scene(mail(1), "");
    let output = run(&home, &["account", "show", "a"], 0);
    assert!(
        output.stdout.contains("the folder INBOX of account gmail"),
        "{output:#?}"
    );
    let output = run(&home, &["account", "show", "a", "--format", "json"], 0);
    assert!(
        output.stdout.contains("\"folder\":\"INBOX\""),
        "{output:#?}"
    );
    let output = home.popfetch(["account", "test", "a"]).run();
    assert!(
        output
            .stdout
            .contains("to the folder INBOX of account gmail"),
        "{output:#?}"
    );
    run(&home, &["fetch", "--dry-run", "a"], 0);
}

const MANUAL: &str = include_str!("../../../man/popfetch.1.in");

/// What stands in the manual for who comes from Gmail's own fetching: the config file, and the commands.
fn recipe() -> [String; 2] {
    let (_, section) = MANUAL
        .split_once(".SH GMAIL NO LONGER FETCHES YOUR OTHER ACCOUNTS\n")
        .unwrap();
    let (section, _) = section.split_once(".SH ").unwrap();
    let blocks = section.split(".nf\n.RS 4\n").skip(1);
    let blocks = blocks.map(|it| it.split_once(".RE").unwrap().0.replace('\\', ""));
    blocks.collect::<Vec<_>>().try_into().unwrap()
}

#[test]
fn the_manuals_way_from_pop_to_gmail_works_as_it_stands() {
    let [config, commands] = recipe();
    let (server, home) = serving(mail(3), Behaviour::new(), "");
    let depot = Depot::start();
    let mut text = String::new();
    for line in config.lines() {
        // Servers of the tests' own, in the place of those that it names.
        let account = match line {
            "host = \"pop.example.com\"" => server.account(),
            "host = \"imap.gmail.com\"" => depot.account(),
            _ if line.starts_with("user = ") || line.starts_with("password") => continue,
            _ => {
                text += &format!("{line}\n");
                continue;
            }
        };
        let keys = home.account_config(
            if text.contains("gmail]") {
                "gmail"
            } else {
                "work"
            },
            &account,
        );
        let keys = keys
            .lines()
            .filter(|line| !line.starts_with(['[']) && !line.starts_with("maildir"));
        text += &format!("{}\n", keys.collect::<Vec<_>>().join("\n"));
    }
    home.config(&text);
    let mut ran = 0;
    for command in commands
        .lines()
        .filter(|line| !line.starts_with("popfetch password set"))
    {
        let arguments = command.strip_prefix("popfetch ").unwrap().split(' ');
        let output = home.popfetch(arguments).expect(0);
        if command == "popfetch fetch --dry-run work" {
            assert!(depot.taken().is_empty(), "{output:#?}");
            assert_eq!(server.maildrop().count(), 3);
        }
        ran += 1;
    }
    assert_eq!(ran, 3);
    assert_eq!(depot.octets(), stored(&mail(3)));
    assert_eq!(server.maildrop().count(), 0);
}

/// The messages that Dovecot has, lines ending with LF.
pub(super) fn in_dovecot(dovecot: &Dovecot) -> Vec<Vec<u8>> {
    let files = [dovecot.maildir().join("new"), dovecot.maildir().join("cur")];
    let files = files.iter().flat_map(|it| fs::read_dir(it).unwrap());
    let read = files.map(|it| crate::support::depot::lf(&fs::read(it.unwrap().path()).unwrap()));
    let mut messages: Vec<Vec<u8>> = read.collect();
    messages.sort_unstable();
    messages
}

fn to_dovecot(messages: &[Message], dovecot: &Dovecot) -> (Server, Home) {
    let (server, home) = serving(messages.to_vec(), Behaviour::new(), "");
    let [account, _] = dovecot.imap_accounts();
    config(
        &server,
        &home,
        &account,
        &format!("keep = \"never\"\n{TO_GMAIL}"),
        "",
    );
    (server, home)
}

#[test]
fn dovecot_gets_three_hundred_messages_as_they_are_and_once() {
    let Some(dovecot) = Dovecot::start_with_imap(&[], "") else {
        return;
    };
    let (server, home) = to_dovecot(&mail(300), &dovecot);
    let output = run(&home, &["fetch", "a"], 0);
    assert_said(&output, &["300 handed on", "300 deleted"]);
    assert!(
        in_dovecot(&dovecot) == stored(&mail(300)),
        "{}",
        dovecot.log()
    );
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn dovecot_has_each_message_once_after_a_kill_at_any_system_call() {
    let Some(dovecot) = Dovecot::start_with_imap(&[], "") else {
        return;
    };
    let messages = generate(5, 600);
    let calls = tracer::at_every_call(FEW, |number| {
        let (server, home) = to_dovecot(&messages, &dovecot);
        let (what, calls) = tracer::killed_fetch(&home, number)?;
        server.sessions();
        let good = home.popfetch(["fetch", "--now", "a"]).run();
        assert_eq!(good.status, Some(0), "{what}: {good:#?}");
        assert!(
            in_dovecot(&dovecot) == stored(&messages),
            "{what}: {good:#?}"
        );
        assert_eq!(server.maildrop().count(), 0, "{what}");
        for directory in ["new", "cur"] {
            for entry in fs::read_dir(dovecot.maildir().join(directory)).unwrap() {
                fs::remove_file(entry.unwrap().path()).unwrap();
            }
        }
        Some(calls)
    });
    eprintln!("{calls:?} calls");
    assert!(calls.is_none_or(|calls| calls > 100), "{calls:?}");
}

#[test]
fn a_large_message_is_appended_whole_in_little_memory() {
    const MIB: u64 = 1 << 20;
    // Twice what the whole run may take.
    let large = Message::generated("large", 96 * MIB, 1);
    let Some(dovecot) = Dovecot::start_with_imap(&[], "") else {
        return;
    };
    let (server, _) = serving(vec![large.clone()], Behaviour::new(), "");
    let home = Home::on_disk();
    let [account, _] = dovecot.imap_accounts();
    config(&server, &home, &account, TO_GMAIL, "");
    let output = home
        .popfetch(["fetch", "a"])
        .limit(Duration::from_secs(600));
    let output = output.expect(0);
    let [message] = &in_dovecot(&dovecot)[..] else {
        panic!("{}", dovecot.log());
    };
    assert!(*message == large.stored());
    eprintln!("{} KiB of memory at most", output.peak_memory / 1024);
    assert!(output.peak_memory < 48 * MIB, "{}", output.peak_memory);
}
