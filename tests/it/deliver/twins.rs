//! Messages with the very same octets, as a machine sends each day: each is handed on, unless more of them are there
//! than popfetch has put there.

use super::folder::{TO_GMAIL, config, scene, stored};
use super::lost_answers::{NEVER, has};
use super::{spool, write_config};
use crate::given::{assert_said, compact, journal, mail, run};
use crate::support::depot::{Act, Depot, Taken};
use crate::support::imap::{ImapServer, Kept};
use crate::support::journal::{rewrite, sealed};
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;
use std::fs;

const WITH_UIDS: &str = "IMAP4rev1 LITERAL+ AUTH=PLAIN SASL-IR UIDPLUS";

const WITHOUT_UIDS: &str = "IMAP4rev1 LITERAL+ AUTH=PLAIN SASL-IR";

/// The same message by another name: without a Received field, as what a machine stores.
fn twin(name: &str) -> Message {
    let text =
        "From: cron@example.com\nDate: Mon, 23 Nov 2020 09:10:02 +0000\nSubject: sent\n\nDone.\n";
    Message::from_lf(name, text)
}

/// Its owner moves all that is in the inbox of "gmail" to another folder of it.
fn file_away(depot: &Depot, folder: &str) {
    depot.change(|taken| {
        let moved = taken
            .iter()
            .map(|it| Taken::into(folder, it.octets.clone()));
        *taken = moved.collect();
    });
}

#[test]
fn d43_a_message_like_one_that_its_owner_has_filed_away_there_is_handed_on() {
    for capabilities in [WITH_UIDS, WITHOUT_UIDS] {
        for (folder, uses) in [("Archive", ""), ("Bin", "\\Trash"), ("Everything", "\\All")] {
            let (server, home, depot) = scene(vec![twin("day-0")], NEVER);
            depot.announce(capabilities);
            depot.has_folders(&[("INBOX", ""), (folder, uses)]);
            run(&home, &["fetch", "a"], 0);
            for day in 1..3 {
                file_away(&depot, folder);
                server.maildrop().add([twin(&format!("day-{day}"))]);
                let output = run(&home, &["fetch", "a"], 0);
                assert_said(&output, &["1 handed on", "1 deleted"]);
                assert!(!output.stderr.contains("not handed on"), "{output:#?}");
                // It might be one that was there before anything was put there.
                let is_named = output.stderr.contains("it may be there twice now");
                assert_eq!(is_named, capabilities == WITH_UIDS, "{output:#?}");
            }
            assert_eq!(depot.taken().len(), 3, "{capabilities} {folder}");
            assert_eq!(server.maildrop().count(), 0);
        }
    }
}

#[test]
fn d43_a_message_like_those_that_are_where_they_were_put_is_handed_on_without_a_word() {
    for capabilities in [WITH_UIDS, WITHOUT_UIDS] {
        // One mailbox shows all, those of the inbox once more.
        for folders in [&[("INBOX", "")][..], &[("INBOX", ""), ("All", "\\All")]] {
            let (server, home, depot) = scene(vec![twin("day-0")], NEVER);
            depot.announce(capabilities);
            depot.has_folders(folders);
            run(&home, &["fetch", "a"], 0);
            for day in 1..3 {
                server.maildrop().add([twin(&format!("day-{day}"))]);
                let output = run(&home, &["fetch", "a"], 0);
                let says = |words: &str| output.stderr.contains(words);
                assert!(!says("not handed on") && !says("twice"), "{output:#?}");
            }
            assert_eq!(depot.taken().len(), 3, "{capabilities} {folders:?}");
        }
    }
}

/// "a" by IMAP, and "b" by POP3, both hand on to "gmail", whose numbers are those of "a" as well.
fn beside_another(capabilities: &str) -> (ImapServer, Server, Home, Depot) {
    let (own, other) = (
        ImapServer::start(&[twin("1")]),
        Maildrop::new(vec![twin("b-1")]),
    );
    let other = Server::builder(&other).start();
    let (home, depot) = (Home::new(), Depot::start());
    depot.announce(capabilities);
    depot.says(own.mailbox(|it| it.uid_validity), None);
    let without = |config: String| {
        let lines = config.lines().filter(|line| !line.starts_with("maildir"));
        lines.collect::<Vec<&str>>().join("\n")
    };
    let a = without(home.account_config("a", &own.account()));
    let b = without(home.account_config("b", &other.account()));
    let gmail = home.account_config("gmail", &depot.account());
    home.config(&format!(
        "{a}\nprotocol = \"imap\"\n{TO_GMAIL}{b}\n{TO_GMAIL}{gmail}protocol = \"imap\"\ndisabled = true\n"
    ));
    (own, other, home, depot)
}

#[test]
fn d43_a_message_like_one_that_another_account_has_put_there_is_handed_on() {
    for capabilities in [WITH_UIDS, WITHOUT_UIDS] {
        let (own, _other, home, depot) = beside_another(capabilities);
        run(&home, &["fetch", "a"], 0);
        run(&home, &["fetch", "b"], 0);
        own.mailbox(|it| it.messages.push(Kept::new(2, &twin("2"))));
        let output = run(&home, &["fetch", "a"], 0);
        assert_said(&output, &["1 handed on"]);
        assert_eq!(depot.taken().len(), 3, "{capabilities}: {output:#?}");
    }
}

#[test]
fn d43_a_message_that_has_the_number_that_another_one_was_put_at_is_handed_on_once_that_is_filed_away()
 {
    let (own, _other, home, depot) = beside_another(WITH_UIDS);
    depot.has_folders(&[("INBOX", ""), ("Archive", "")]);
    run(&home, &["fetch", "b"], 0);
    run(&home, &["fetch", "a"], 0);
    file_away(&depot, "Archive");
    own.mailbox(|it| it.messages.push(Kept::new(2, &twin("2"))));
    let output = run(&home, &["fetch", "a"], 0);
    assert_said(&output, &["1 handed on"]);
    assert_eq!(depot.taken().len(), 3, "{output:#?}");
}

#[test]
fn d43_what_was_never_handed_on_does_not_count_as_handed_on() {
    let (server, home, depot) = scene(mail(1), "");
    let maildir = "maildir = \"~/Mail/a\"\n";
    write_config(&server, &home, maildir);
    run(&home, &["fetch", "a"], 0);
    // As its owner has put it there by hand.
    has(&depot, mail(1)[0].octets());
    let keys = format!("{maildir}{TO_GMAIL}");
    config(&server, &home, &depot.account(), &keys, "");
    let twin = Message::new("twin", mail(1)[0].octets());
    server.maildrop().add([twin]);
    let output = run(&home, &["fetch", "a"], 0);
    assert_said(&output, &["1 handed on"]);
    assert_eq!(depot.taken().len(), 2, "{output:#?}");
}

#[test]
fn d43_what_was_given_up_while_it_waited_does_not_count_as_handed_on() {
    let keys = "maildir = \"~/Mail/a\"\n";
    let (server, home, depot) = scene(mail(1), keys);
    depot.behave("greeting", Act::Close);
    home.popfetch(["fetch", "a"]).run();
    for file in tree::new_files(&home.maildir("a")) {
        fs::remove_file(file).unwrap();
    }
    depot.behave_well();
    let output = run(&home, &["fetch", "a"], 0);
    assert_said(
        &output,
        &["removed from the Maildir before it could be handed on"],
    );
    has(&depot, mail(1)[0].octets());
    server
        .maildrop()
        .add([Message::new("twin", mail(1)[0].octets())]);
    let output = run(&home, &["fetch", "a"], 0);
    assert_said(&output, &["1 handed on"]);
    assert_eq!(depot.taken().len(), 2, "{output:#?}");
}

/// The journal as a kill leaves it between two lines of one write, and no file.
#[test]
fn d43_what_a_kill_has_left_of_a_message_that_was_never_stored_does_not_count_as_handed_on() {
    for later in ["day-0", "day-1"] {
        let (server, home, depot) = scene(vec![twin("day-0")], "");
        depot.behave("greeting", Act::Close);
        home.popfetch(["fetch", "a"]).run();
        rewrite(&journal(&home), |fields| {
            if matches!(fields[0].as_str(), "w" | "S" | "k" | "g") {
                *fields = vec!["N".to_owned(), "0".to_owned()];
            }
        });
        for file in tree::new_files(&spool(&home)) {
            fs::remove_file(file).unwrap();
        }
        depot.behave_well();
        // As its owner has put it there by hand.
        has(&depot, twin("").octets());
        server.maildrop().replace([twin(later)]);
        let output = run(&home, &["fetch", "a"], 0);
        assert_said(&output, &["1 handed on"]);
        assert_eq!(depot.taken().len(), 2, "{output:#?}");
    }
}

/// Three messages of one mailbox by two names, and their copies, which are not handed on.
fn with_copies() -> (Server, Home, Depot) {
    let (server, home, depot) = scene(mail(3), "");
    depot.announce(WITH_UIDS);
    mail(3).iter().for_each(|it| has(&depot, it.octets()));
    run(&home, &["fetch", "a"], 0);
    let copies = mail(3).into_iter().enumerate();
    let copies = copies.map(|(at, it)| Message::new(format!("copy-{at}"), it.octets()));
    server.maildrop().add(copies.collect::<Vec<_>>());
    run(&home, &["fetch", "a"], 0);
    (server, home, depot)
}

fn assert_copies_stay(server: &Server, home: &Home, depot: &Depot) {
    let keys = format!("{TO_GMAIL}{NEVER}\n");
    config(server, home, &depot.account(), &keys, "");
    let output = run(home, &["fetch", "a"], 0);
    let words = [
        "3 messages are not handed on: each has the same octets",
        "popfetch state forget a copy-0 copy-1 copy-2",
        "popfetch state accept a copy-0 copy-1 copy-2",
    ];
    assert_said(&output, &words);
    assert!(!output.stderr.contains("came back"), "{output:#?}");
    let output = run(home, &["state", "show", "a"], 0);
    assert_eq!(output.stdout.matches("  copy  ").count(), 3, "{output:#?}");
    let output = run(home, &["state", "accept", "a", "--came-back"], 1);
    assert_said(&output, &["nothing that came back is missing here"]);
    for compacts in [true, false] {
        let output = run(home, &["fetch", "--now", "a"], 0);
        assert_said(&output, &["3 messages are not handed on"]);
        assert_eq!(server.maildrop().count(), 3, "{output:#?}");
        if compacts {
            compact(server, home);
        }
    }
    run(home, &["state", "accept", "a", "copy-1"], 0);
    let output = run(home, &["fetch", "--now", "a"], 0);
    assert_said(&output, &["2 messages are not handed on", "1 deleted"]);
    assert_eq!((server.maildrop().count(), depot.taken().len()), (2, 6));
}

#[test]
fn d41_a_copy_stays_until_its_owner_says_of_it_alone_that_it_may_go() {
    let (server, home, depot) = with_copies();
    assert_copies_stay(&server, &home, &depot);
}

#[test]
fn d41_a_copy_that_an_earlier_version_has_left_stays_likewise() {
    let (server, home, depot) = with_copies();
    let journal = journal(&home);
    let text = fs::read_to_string(&journal).unwrap();
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut fields: Vec<&str> = line.split('\t').collect();
        fields.pop();
        fields.pop_if(|field| field.starts_with('<'));
        if fields[0] == "d" && fields.last() == Some(&"copy") {
            fields.pop();
            lines.push(format!("t\t{}", fields[1]));
        }
        lines.push(fields.join("\t"));
    }
    let text = sealed(lines.iter().map(String::as_str));
    fs::write(&journal, text).unwrap();
    assert_copies_stay(&server, &home, &depot);
}

#[test]
fn d43_what_was_handed_on_and_is_fetched_once_more_is_not_handed_on_again_however_often() {
    let keys = "maildir = \"~/Mail/a\"\n";
    let (_server, home, depot) = scene(mail(2), keys);
    run(&home, &["fetch", "a"], 0);
    for _ in 0..3 {
        fs::remove_dir_all(home.maildir("a")).unwrap();
        run(&home, &["state", "accept", "a", "--fetch-again"], 0);
        let output = run(&home, &["fetch", "a"], 0);
        assert_said(&output, &["2 new messages"]);
        assert_eq!(depot.octets(), stored(&mail(2)));
    }
}
