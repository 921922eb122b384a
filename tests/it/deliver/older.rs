//! The state is lost, or older than the mbox file: what the file has is not appended once more.

use super::mbox::{append_mine, file, messages};
use super::{serving, spool, write_config};
use crate::given::{assert_said, journal, letter, mail, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::maildrop::Maildrop;
use crate::support::message::{Message, stored};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;
use std::fs;
use std::path::Path;

const KEYS: &str = "deliver = { mbox = \"~/mail/in\" }";

pub(super) fn sorted(home: &Home) -> Vec<Vec<u8>> {
    let mut found = messages(home);
    found.sort();
    found
}

pub(super) fn wanted(messages: &[Message]) -> Vec<Vec<u8>> {
    let mut wanted: Vec<Vec<u8>> = messages.iter().map(Message::stored).collect();
    wanted.sort();
    wanted
}

pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &to),
            false => drop(fs::copy(&path, &to).unwrap()),
        }
    }
}

/// The state as it is now is what will be restored.
fn back_up(home: &Home) {
    copy(&home.state(), &home.path().join("backup"));
}

fn restore(home: &Home) {
    fs::remove_dir_all(home.state()).unwrap();
    copy(&home.path().join("backup"), &home.state());
}

/// Three messages are in the file, two of them since the state that is restored then, and a fourth is on
/// the server.
fn restored() -> (Server, Home) {
    let (server, home) = serving(mail(1), Behaviour::new(), KEYS);
    run(&home, &[], 0);
    back_up(&home);
    server.maildrop().replace(mail(3));
    run(&home, &[], 0);
    restore(&home);
    server.maildrop().replace(mail(4));
    (server, home)
}

#[test]
fn d39_what_was_appended_since_the_state_that_was_restored_is_not_appended_again() {
    let (_server, home) = restored();
    let output = run(&home, &[], 0);
    assert_eq!(sorted(&home), wanted(&mail(4)));
    assert_said(
        &output,
        &["uid-2: it was in ", "already", "in the file already"],
    );
    let before = fs::read(file(&home)).unwrap();
    let output = run(&home, &[], 0);
    assert!(!output.stderr.contains("already"), "{output:#?}");
    assert_eq!(fs::read(file(&home)).unwrap(), before);
}

/// The file has three messages when the state is lost. One of them is kept on the server for now by
/// `behaviour` or these keys, and comes in the next run.
fn comes_later(behaviour: Behaviour, keys: &str, then: &[&str]) {
    let (server, home) = serving(mail(3), Behaviour::new(), KEYS);
    run(&home, &[], 0);
    fs::remove_dir_all(home.state()).unwrap();
    server.maildrop().replace(mail(4));
    server.behave(behaviour);
    write_config(&server, &home, &format!("{KEYS}\n{keys}"));
    home.popfetch(["fetch"]).run();
    assert_eq!(sorted(&home), wanted(&mail(4)));
    server.behave(Behaviour::new());
    write_config(&server, &home, KEYS);
    if !then.is_empty() {
        run(&home, then, 0);
    }
    let output = run(&home, &["fetch", "--now"], 0);
    assert_said(&output, &["it was in "]);
    assert_eq!(sorted(&home), wanted(&mail(4)));
    // Now all of it is accounted for.
    server.maildrop().add([letter(5)]);
    let output = run(&home, &[], 0);
    assert!(!output.stderr.contains("it was in "), "{output:#?}");
    assert_eq!(sorted(&home), wanted(&mail(5)));
    let text = fs::read_to_string(journal(&home)).unwrap();
    let octets = fs::metadata(file(&home)).unwrap().len();
    let last = text.lines().rfind(|it| it.starts_with("m\t")).unwrap();
    assert!(last.starts_with(&format!("m\t{octets}\t")), "{last}");
}

#[test]
fn d39_what_a_server_refuses_for_now_is_found_in_the_file_when_it_comes() {
    let refusal = Reply::raw("-ERR not now\r\n");
    comes_later(Behaviour::new().on("RETR 2", refusal), "", &[]);
}

#[test]
fn d39_what_is_too_large_for_now_is_found_in_the_file_when_it_comes() {
    let (server, home) = serving(mail(3), Behaviour::new(), KEYS);
    run(&home, &[], 0);
    fs::remove_dir_all(home.state()).unwrap();
    server.maildrop().replace([letter(0), letter(3)]);
    let most = letter(0).octets().len();
    write_config(&server, &home, &format!("{KEYS}\nmax-size = \"{most} B\""));
    run(&home, &[], 0);
    let all: Vec<Message> = (0..4).map(letter).collect();
    assert_eq!(sorted(&home), wanted(&all));
    write_config(&server, &home, KEYS);
    run(&home, &[], 0);
    assert_eq!(sorted(&home), wanted(&all));
}

#[test]
fn d39_what_a_rule_leaves_for_now_is_found_in_the_file_when_it_comes() {
    let keys = "[[accounts.a.rules]]\nsubject = \"Letter 2\"\nthen = \"skip\"";
    comes_later(Behaviour::new(), keys, &[]);
}

#[test]
fn d39_what_latest_passes_over_is_found_in_the_file_when_it_is_asked_for() {
    let forget = ["state", "forget", "a", "uid-2"];
    comes_later(Behaviour::new(), "latest = 2", &forget);
}

/// A listing is a part of the maildrop, and says nothing of the others.
#[test]
fn d39_what_is_in_a_later_part_of_the_maildrop_is_found_in_the_file_when_it_comes() {
    let (server, home) = serving(mail(3), Behaviour::new(), KEYS);
    run(&home, &[], 0);
    fs::remove_dir_all(home.state()).unwrap();
    server.maildrop().replace([letter(1), letter(4)]);
    let google = Behaviour::new().capabilities(&["UIDL", "TOP", "USER", "X-GOOGLE-RICO"]);
    server.behave(google);
    run(&home, &[], 0);
    server.maildrop().replace(mail(4));
    run(&home, &[], 0);
    assert_eq!(sorted(&home), wanted(&mail(4)));
}

#[test]
fn the_same_after_a_mail_reader_has_rewritten_the_file() {
    let (_server, home) = restored();
    let text = fs::read_to_string(file(&home)).unwrap();
    let text = text.replace("Subject: ", "Status: RO\nX-UID: 7\nSubject: ");
    fs::write(file(&home), text).unwrap();
    run(&home, &[], 0);
    let text = fs::read_to_string(file(&home)).unwrap();
    let text = text.replace("Status: RO\nX-UID: 7\n", "");
    fs::write(file(&home), text).unwrap();
    assert_eq!(sorted(&home), wanted(&mail(4)));
}

#[test]
fn a_state_that_is_lost_appends_nothing_again_that_is_in_the_file() {
    let (server, home) = serving(mail(3), Behaviour::new(), KEYS);
    run(&home, &[], 0);
    fs::remove_dir_all(home.state()).unwrap();
    server.maildrop().replace(mail(4));
    run(&home, &[], 0);
    assert_eq!(sorted(&home), wanted(&mail(4)));
    // The same with a Maildir beside it, which has all of them.
    let keys = format!("maildir = \"~/Mail/a\"\n{KEYS}");
    write_config(&server, &home, &keys);
    fs::remove_dir_all(home.state()).unwrap();
    run(&home, &[], 0);
    server.maildrop().replace(mail(5));
    fs::remove_dir_all(home.state()).unwrap();
    run(&home, &[], 0);
    assert_eq!(sorted(&home), wanted(&mail(5)));
}

#[test]
fn a_message_that_waited_when_the_state_was_backed_up_is_not_appended_again() {
    let (_server, home) = serving(mail(2), Behaviour::new(), KEYS);
    fs::create_dir_all(file(&home)).unwrap();
    home.popfetch(["fetch"]).run();
    assert_eq!(tree::count(&spool(&home)), 2);
    back_up(&home);
    fs::remove_dir(file(&home)).unwrap();
    run(&home, &[], 0);
    restore(&home);
    let output = run(&home, &[], 0);
    assert_eq!(sorted(&home), wanted(&mail(2)));
    assert_said(&output, &["already"]);
}

#[test]
fn what_other_programs_append_in_between_is_no_message_of_ours() {
    let (server, home) = serving(mail(2), Behaviour::new(), KEYS);
    run(&home, &[], 0);
    append_mine(
        &home,
        "From cron Mon Nov 23 10:00:00 2026\nSubject: Letter 3\n\nx\n\n",
    );
    server.maildrop().replace(mail(3));
    run(&home, &[], 0);
    assert_eq!(messages(&home).len(), 4);
    assert_eq!(messages(&home)[3], letter(3).stored());
}

#[test]
fn two_messages_that_are_alike_are_two() {
    let twins = [
        letter(1),
        Message {
            unique_id: b"uid-9".to_vec(),
            ..letter(1)
        },
    ];
    let (server, home) = serving(twins.to_vec(), Behaviour::new(), KEYS);
    run(&home, &[], 0);
    assert_eq!(sorted(&home), wanted(&twins));
    // One of them is in the file when the state is lost: the other one is appended.
    let all = fs::read(file(&home)).unwrap();
    fs::write(file(&home), &all[..all.len() / 2]).unwrap();
    fs::remove_dir_all(home.state()).unwrap();
    run(&home, &[], 0);
    assert_eq!(sorted(&home), wanted(&twins));
    // And none where both are.
    fs::remove_dir_all(home.state()).unwrap();
    server.maildrop().replace(twins.to_vec());
    run(&home, &[], 0);
    assert_eq!(sorted(&home), wanted(&twins));
}

#[test]
fn a_message_that_another_one_only_begins_like_is_appended() {
    let (server, home) = serving(mail(1), Behaviour::new(), KEYS);
    run(&home, &[], 0);
    let mut octets = letter(1).octets();
    octets.extend(b"and more\r\n");
    let longer = Message::new("uid-longer", &octets);
    fs::remove_dir_all(home.state()).unwrap();
    server.maildrop().replace([longer.clone()]);
    run(&home, &[], 0);
    assert_eq!(messages(&home), [letter(1).stored(), stored(&octets)]);
    // The other way round.
    fs::write(file(&home), "").unwrap();
    fs::remove_dir_all(home.state()).unwrap();
    run(&home, &[], 0);
    fs::remove_dir_all(home.state()).unwrap();
    server.maildrop().replace(mail(1));
    run(&home, &[], 0);
    assert_eq!(messages(&home), [longer.stored(), letter(1).stored()]);
}

#[test]
fn what_is_forgotten_on_purpose_is_appended_again() {
    let (_server, home) = serving(mail(2), Behaviour::new(), KEYS);
    run(&home, &[], 0);
    run(&home, &["state", "forget", "a", "uid-1"], 0);
    run(&home, &[], 0);
    assert_eq!(messages(&home).len(), 3);
}

/// Accounts "a" and "b" with servers of their own, which append to one file.
pub(super) fn two(keys: &str, one: &[Message], other: &[Message]) -> (Server, Server, Home) {
    let (a, home) = serving(one.to_vec(), Behaviour::new(), keys);
    let b = Server::start(&Maildrop::new(other.to_vec()));
    let own = fs::read_to_string(home.config_file()).unwrap();
    let config = home.account_config("b", &b.account());
    let lines = config.lines().filter(|line| !line.starts_with("maildir"));
    let lines: Vec<&str> = lines.collect();
    home.config(&format!("{own}\n{}\n{keys}\n", lines.join("\n")));
    (a, b, home)
}

#[test]
fn what_two_accounts_of_one_file_have_alike_is_appended_for_both() {
    let (_a, b, home) = two(KEYS, &mail(2), &mail(1));
    run(&home, &["fetch", "b"], 0);
    run(&home, &["fetch", "a"], 0);
    b.maildrop().replace(mail(2));
    run(&home, &["fetch", "b"], 0);
    let both: Vec<Message> = mail(2).into_iter().chain(mail(2)).collect();
    assert_eq!(sorted(&home), wanted(&both));
    // Nor does it come again where both states are lost.
    fs::remove_dir_all(home.state()).unwrap();
    run(&home, &[], 0);
    assert_eq!(sorted(&home), wanted(&both));
}
