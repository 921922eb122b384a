//! What waits to be handed on when the config file, or a file of it, is not what it was.

use super::{TAKE, account, assert_taken_once, by_shell, mbox, spool, taken, write_config};
use crate::given::{assert_said, journal, mail, run};
use crate::support::message::Message;
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use crate::support::tree;
use std::fs;
use std::path::{Path, PathBuf};

const NEVER: &str = "keep = \"never\"";

const MAILDIR: &str = "maildir = \"~/Mail\"";

/// Takes messages as soon as there is a file `open`.
fn deliver() -> String {
    by_shell(&format!("test -e open || exit 75; {TAKE}"))
}

/// Two messages wait, stored as these keys say, and can be handed on from now on.
fn waiting(keys: &str) -> (Server, Home) {
    let (server, home) = account(2, &format!("{keys}\n{NEVER}\n{}", deliver()));
    run(&home, &["fetch"], 1);
    fs::write(home.path().join("open"), "").unwrap();
    (server, home)
}

fn change(server: &Server, home: &Home, keys: &str) {
    write_config(server, home, &format!("{NEVER}\n{keys}"));
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory.join("new")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn maildir(home: &Home) -> PathBuf {
    home.path().join("Mail")
}

/// What a hint says is to be typed behind these words.
fn command(output: &Output, begins: &str) -> Vec<String> {
    let text = output
        .stderr
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let at = text.find(begins).unwrap_or_else(|| panic!("{output:#?}"));
    let words = text[at..].split(' ').skip(1).take(4);
    words
        .map(|it| it.trim_end_matches([';', '.', ',']).to_owned())
        .collect()
}

fn follow(home: &Home, output: &Output, begins: &str) {
    let words = command(output, begins);
    home.popfetch(words.iter().map(String::as_str)).expect(0);
}

#[test]
fn what_waits_in_a_maildir_is_handed_on_from_there_whatever_becomes_of_maildir() {
    for keys in ["", "maildir = \"~/Other\""] {
        let (server, home) = waiting(MAILDIR);
        change(&server, &home, &format!("{keys}\n{}", deliver()));
        let output = run(&home, &["fetch"], 0);
        assert_said(&output, &["2 handed on", "2 deleted"]);
        assert_taken_once(&home, &mail(2));
        tree::assert_holds(&maildir(&home), &mail(2));
        assert_eq!(server.count("RETR"), 2, "{keys}");
    }
}

#[test]
fn what_its_owner_removed_from_the_maildir_before_is_not_handed_on_after_maildir_has_changed() {
    for keys in ["", "maildir = \"~/Other\""] {
        let (server, home) = waiting(MAILDIR);
        fs::remove_file(files(&maildir(&home)).remove(0)).unwrap();
        change(&server, &home, &format!("{keys}\n{}", deliver()));
        let output = run(&home, &["fetch"], 0);
        assert_said(&output, &["was removed from the Maildir", "1 handed on"]);
        assert_eq!(server.count("RETR"), 2, "{keys}");
        assert_eq!(taken(&home).len(), 1, "{keys}");
    }
}

#[test]
fn what_waits_in_a_maildir_that_is_away_waits_until_it_is_back() {
    for keys in ["", "maildir = \"~/Other\""] {
        let (server, home) = waiting(MAILDIR);
        let away = home.path().join("away");
        fs::rename(maildir(&home), &away).unwrap();
        change(&server, &home, &format!("{keys}\n{}", deliver()));
        let output = run(&home, &["fetch"], 1);
        assert_said(&output, &["waits to be handed on", "nobody can tell"]);
        assert_eq!(server.maildrop().count(), 2, "{keys}");
        assert_eq!(server.count("RETR"), 2, "{keys}");
        fs::rename(&away, maildir(&home)).unwrap();
        run(&home, &["fetch"], 0);
        assert_taken_once(&home, &mail(2));
        assert_eq!(server.maildrop().count(), 0, "{keys}");
    }
}

#[test]
fn what_waits_in_a_maildir_that_is_gone_for_good_is_given_up_or_fetched_again_as_the_hint_says() {
    for (word, times) in [("accept", 0), ("forget", 1)] {
        let (server, home) = waiting(MAILDIR);
        fs::remove_dir_all(maildir(&home)).unwrap();
        change(
            &server,
            &home,
            &format!("maildir = \"~/Other\"\n{}", deliver()),
        );
        let output = run(&home, &["fetch"], 1);
        follow(&home, &output, &format!("popfetch state {word} a uid-1"));
        follow(&home, &output, &format!("popfetch state {word} a uid-2"));
        run(&home, &["fetch"], 0);
        assert_eq!(taken(&home).len(), 2 * times, "{word}");
        assert_eq!(server.count("RETR"), 2 + 2 * times, "{word}");
    }
}

#[test]
fn what_waits_beside_the_state_leaves_it_when_a_maildir_is_named() {
    let (server, home) = waiting("");
    let spool = spool(&home);
    change(&server, &home, &format!("{MAILDIR}\n{}", deliver()));
    run(&home, &["fetch"], 0);
    assert_taken_once(&home, &mail(2));
    run(&home, &["fetch"], 0);
    assert_eq!(tree::count(&spool), 0);
    assert_eq!(server.count("RETR"), 2);
}

#[test]
fn what_waits_beside_the_state_without_deliver_is_not_left_where_nobody_reads_it() {
    let (server, home) = waiting("");
    let spool = spool(&home);
    change(&server, &home, MAILDIR);
    let output = run(&home, &["fetch"], 1);
    let place = spool.join("new");
    assert_said(&output, &["no `deliver` any more"]);
    let text = output
        .stderr
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(text.contains(place.to_str().unwrap()), "{output:#?}");
    assert_eq!(server.maildrop().count(), 2);
    let refused = run(&home, &["state", "accept", "a", "uid-1", "uid-2"], 1);
    assert_said(&refused, &["not accepted", "no other copy"]);
    // As the hint says.
    for file in files(&spool) {
        fs::rename(
            &file,
            maildir(&home).join("new").join(file.file_name().unwrap()),
        )
        .unwrap();
    }
    run(&home, &["state", "accept", "a", "uid-1", "uid-2"], 0);
    run(&home, &["fetch"], 0);
    tree::assert_holds(&maildir(&home), &mail(2));
    assert_eq!(server.maildrop().count(), 0);
    assert_eq!(server.count("RETR"), 2);
    run(&home, &["verify"], 0);
}

#[test]
fn what_waits_goes_to_what_takes_it_now() {
    for keys in ["", MAILDIR] {
        let (server, home) = waiting(keys);
        change(
            &server,
            &home,
            &format!("{keys}\ndeliver = {{ mbox = \"~/mail/in\" }}"),
        );
        let output = run(&home, &["fetch"], 0);
        assert_said(&output, &["2 handed on", "2 deleted"]);
        assert_eq!(mbox::messages(&home).len(), 2, "{keys}");
        assert!(taken(&home).is_empty(), "{keys}");
        assert_eq!(server.count("RETR"), 2, "{keys}");
    }
}

/// The run was killed between an mbox file's yes and the record of it.
#[test]
fn what_may_have_been_appended_to_a_file_that_is_not_named_any_more_is_named() {
    let keys = "deliver = { mbox = \"~/mail/in\" }";
    let (server, home) = account(1, &format!("{NEVER}\n{keys}"));
    run(&home, &["fetch"], 0);
    server.maildrop().replace(mail(1));
    let path = journal(&home);
    let text = fs::read_to_string(&path).unwrap();
    let handing = text.find("\ng\t").unwrap() + 1;
    let end = handing + text[handing..].find('\n').unwrap() + 1;
    let name = text.lines().find(|it| it.starts_with("I\t")).unwrap();
    let name = name.split('\t').nth(9).unwrap();
    fs::write(&path, &text[..end]).unwrap();
    fs::remove_file(path.with_extension("lock")).unwrap();
    fs::write(spool(&home).join("new").join(name), mail(1)[0].stored()).unwrap();
    change(&server, &home, &by_shell(TAKE));
    let output = run(&home, &["fetch"], 0);
    assert_said(&output, &["uid-1", "perhaps for the second time"]);
    assert_taken_once(&home, &mail(1));
}

#[test]
fn a_header_field_that_a_filter_has_added_meanwhile_is_handed_on_with_the_message() {
    let (server, home) = waiting(MAILDIR);
    let path = files(&maildir(&home)).remove(0);
    let before = fs::read_to_string(&path).unwrap();
    // As filters write it: a file in the place of the other.
    let draft = home.path().join("draft");
    fs::write(&draft, format!("X-Spam-Score: 0.1\n{before}")).unwrap();
    fs::rename(&draft, &path).unwrap();
    run(&home, &["fetch"], 0);
    let taken: Vec<Vec<u8>> = taken(&home).into_values().flatten().collect();
    assert_eq!(taken.len(), 2);
    let marked = format!("X-Spam-Score: 0.1\n{before}").into_bytes();
    assert!(taken.contains(&marked));
    assert_eq!(server.count("RETR"), 2);
    assert_eq!(files(&maildir(&home)).len(), 2);
}

#[test]
fn a_file_of_the_maildir_with_another_text_waits_and_does_not_stand_there_twice() {
    for (word, copies) in [("accept", 2), ("forget", 3)] {
        let (server, home) = waiting(MAILDIR);
        let path = files(&maildir(&home)).remove(0);
        fs::write(&path, "Subject: mine\n\nnot the same\n").unwrap();
        let output = run(&home, &["fetch"], 1);
        assert_said(&output, &["is not what was fetched", "1 handed on"]);
        assert_eq!(server.maildrop().count(), 1, "{word}");
        assert_eq!(server.count("RETR"), 2, "{word}");
        assert_eq!(files(&maildir(&home)).len(), 2, "{word}");
        follow(&home, &output, &format!("popfetch state {word} a "));
        run(&home, &["fetch"], 0);
        assert_eq!(files(&maildir(&home)).len(), copies, "{word}");
        let taken: Vec<Vec<u8>> = taken(&home).into_values().flatten().collect();
        let edited = b"Subject: mine\n\nnot the same\n".to_vec();
        assert_eq!(taken.contains(&edited), word == "accept");
        assert_eq!(taken.len(), 2, "{word}");
        if word == "forget" {
            assert_taken_once(&home, &mail(2));
        }
    }
}

#[test]
fn a_program_that_reads_while_its_mail_is_flagged_and_moved_gets_it_once() {
    let (_server, home) = waiting(MAILDIR);
    let maildir = maildir(&home);
    for (file, flags) in files(&maildir).into_iter().zip([":2,S", ":2,RS"]) {
        let mut name = file.file_name().unwrap().to_owned();
        name.push(flags);
        fs::rename(&file, maildir.join("cur").join(name)).unwrap();
    }
    run(&home, &["fetch"], 0);
    assert_taken_once(&home, &mail(2));
    assert!(files(&maildir).is_empty());
}

#[test]
fn forgetting_what_waits_beside_the_state_leaves_its_only_copy_alone_and_says_so() {
    for all in [false, true] {
        let (server, home) = waiting("");
        let what: &[&str] = if all { &["--all"] } else { &["uid-1"] };
        let arguments = [&["state", "forget", "a"][..], what].concat();
        let output = run(&home, &arguments, 1);
        assert_said(&output, &["not forgotten", "no other copy"]);
        server.maildrop().replace([]);
        // As the hint says.
        run(&home, &["fetch", "a"], 0);
        assert_taken_once(&home, &mail(2));
        assert_eq!(tree::count(&spool(&home)), 0);
        // Now there is nothing to be lost.
        run(&home, &arguments, 0);
        assert_eq!(server.count("RETR"), 2);
    }
}

#[test]
fn a_file_that_is_removed_from_beside_the_state_first_is_forgotten_and_fetched_again() {
    let (server, home) = waiting("");
    for file in files(&spool(&home)) {
        fs::remove_file(file).unwrap();
    }
    run(&home, &["state", "forget", "a", "--all"], 0);
    run(&home, &["fetch"], 0);
    assert_taken_once(&home, &mail(2));
    assert_eq!(server.count("RETR"), 4);
    assert_eq!(tree::count(&spool(&home)), 0);
}

#[test]
fn forgetting_what_waits_in_a_maildir_says_that_it_is_not_handed_on() {
    let (server, home) = waiting(MAILDIR);
    let output = run(&home, &["state", "forget", "a", "uid-1"], 0);
    assert_said(&output, &["had not been handed on"]);
    run(&home, &["fetch"], 0);
    assert_taken_once(&home, &mail(2));
    assert_eq!(server.count("RETR"), 3);
}

type Damage = fn(&Path);

#[test]
fn a_message_that_is_lost_where_it_waits_and_on_the_server_is_told_until_its_owner_gives_it_up() {
    let damages: [Damage; 2] = [
        |path| fs::remove_file(path).unwrap(),
        |path| fs::write(path, "torn").unwrap(),
    ];
    for damage in damages {
        let (server, home) = waiting("");
        let text = |path: &PathBuf| fs::read_to_string(path).unwrap();
        let first = files(&spool(&home));
        let first = first
            .iter()
            .find(|it| text(it).contains("Letter 1\n"))
            .unwrap();
        damage(first);
        server.maildrop().replace(mail(2).into_iter().skip(1));
        for _ in 0..2 {
            let output = run(&home, &["fetch"], 1);
            assert_said(&output, &["uid-1", "gone or damaged"]);
        }
        let quiet = run(&home, &["-q", "fetch"], 1);
        let again = run(&home, &["-q", "fetch"], 1);
        assert!(quiet.stderr.contains("uid-1") || again.stderr.is_empty());
        assert_eq!(again.stderr, "", "{again:#?}");
        let output = run(&home, &["fetch"], 1);
        follow(&home, &output, "popfetch state accept a uid-1");
        run(&home, &["fetch"], 0);
        run(&home, &["fetch"], 0);
        assert_eq!(tree::count(&spool(&home)), 0);
        let found: Vec<String> = taken(&home).into_keys().collect();
        assert_eq!(found, ["uid-2"]);
    }
}

#[test]
fn a_damaged_file_goes_once_its_message_has_been_fetched_again() {
    let (server, home) = waiting("");
    let damaged = files(&spool(&home)).remove(0);
    fs::write(&damaged, "torn").unwrap();
    let output = run(&home, &["fetch"], 0);
    assert_said(&output, &["is not what was fetched", "2 deleted"]);
    assert!(!damaged.exists());
    assert_eq!(tree::count(&spool(&home)), 0);
    assert_taken_once(&home, &mail(2));
    let messages: Vec<Message> = server.maildrop().messages();
    assert!(messages.is_empty());
}

#[test]
fn what_waits_for_an_account_whose_host_is_written_otherwise_is_named_until_its_state_is_moved() {
    let (server, home) = waiting("");
    server.maildrop().replace([]);
    let text = fs::read_to_string(home.config_file()).unwrap();
    let (host, local) = match text.contains("\"localhost\"") {
        true => ("\"localhost\"", "\"127.0.0.1\""),
        false => ("\"127.0.0.1\"", "\"localhost\""),
    };
    home.config(&text.replace(host, local));
    for words in [&["fetch"][..], &["account", "test"]] {
        let output = home.popfetch(words).run();
        assert_said(&output, &["2 messages wait to be handed on", "state move"]);
        assert_eq!(
            output.stderr.matches("state move").count(),
            1,
            "{output:#?}"
        );
        assert!(taken(&home).is_empty());
    }
    let output = run(&home, &["fetch"], 0);
    follow(&home, &output, "popfetch state move");
    let output = run(&home, &["fetch"], 0);
    assert_said(&output, &["2 handed on"]);
    assert_taken_once(&home, &mail(2));
    assert!(!output.stderr.contains("state move"), "{output:#?}");
}
