//! What waits to be handed on is what is on the disk, whatever is recorded of it.

use super::{account, assert_taken_once, by_shell, serving, spool, taken, write_config};
use crate::given::{assert_said, mail, run};
use crate::support::behaviour::Behaviour;
use crate::support::lmtp::{Act, Lmtp};
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;
use std::fs;
use std::path::{Path, PathBuf};

/// Takes messages as soon as there is a file `open`.
fn when_open() -> String {
    let script = format!("test -e open || exit 75; {}", super::TAKE);
    format!("{}\nkeep = \"never\"", by_shell(&script))
}

/// Four messages wait in the spool, and can be handed on from now on.
fn waiting() -> (Server, Home) {
    let (server, home) = account(4, &when_open());
    let output = run(&home, &["fetch"], 1);
    assert_said(&output, &["not handed on yet"]);
    fs::write(home.path().join("open"), "").unwrap();
    (server, home)
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory.join("new")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_message_whose_file_is_gone_from_the_spool_is_fetched_again_and_handed_on_once() {
    for gone in [1, 4] {
        let (server, home) = waiting();
        for path in files(&spool(&home)).iter().take(gone) {
            fs::remove_file(path).unwrap();
        }
        let verified = home.popfetch(["--format", "json", "verify"]).run();
        assert!(
            verified.stdout.contains(&format!("\"missing\":{gone}")),
            "{verified:#?}"
        );
        let output = home.popfetch(["fetch"]).run();
        assert_said(&output, &["its file is gone", "fetched again", "4 deleted"]);
        assert_taken_once(&home, &mail(4));
        assert_eq!(server.maildrop().count(), 0);
        assert_eq!(server.count("RETR"), 4 + gone);
    }
}

#[test]
fn where_the_spool_itself_is_gone_no_answer_has_a_message_deleted_that_was_never_handed_on() {
    for answer in [&[][..], &["--fetch-again"], &["--leave"]] {
        let (server, home) = waiting();
        fs::remove_dir_all(home.state().join("spool")).unwrap();
        let output = run(&home, &["fetch"], 73);
        assert_said(
            &output,
            &["waited to be handed on", "popfetch state accept a"],
        );
        assert!(!output.stderr.contains("--leave"), "{output:#?}");
        let command = [&["state", "accept", "a"], answer].concat();
        let output = run(&home, &command, 0);
        assert_said(&output, &["the next fetch takes the 4 missing messages"]);
        run(&home, &["fetch"], 0);
        assert_taken_once(&home, &mail(4));
        assert_eq!(server.maildrop().count(), 0);
        assert_eq!(tree::count(&spool(&home)), 0);
    }
}

#[test]
fn a_file_that_is_not_what_was_fetched_is_not_handed_on_and_its_message_is_fetched_again() {
    let empty = |_: Vec<u8>| Vec::new();
    let short = |it: Vec<u8>| it[..50].to_vec();
    let long = |it: Vec<u8>| [&it[..], b"more\n"].concat();
    let other = |it: Vec<u8>| it.iter().rev().copied().collect();
    let damages: [fn(Vec<u8>) -> Vec<u8>; 4] = [empty, short, long, other];
    for damage in damages {
        let (server, home) = waiting();
        let path = files(&spool(&home)).remove(0);
        fs::write(&path, damage(fs::read(&path).unwrap())).unwrap();
        let output = home.popfetch(["fetch"]).run();
        assert_said(&output, &["is not what was fetched", "4 deleted"]);
        assert_taken_once(&home, &mail(4));
        assert_eq!(server.maildrop().count(), 0);
        assert_eq!(server.count("RETR"), 5);
    }
}

/// Nobody has any use for it any more, and it would be looked for in each run.
#[test]
fn the_damaged_file_of_a_message_that_is_forgotten_then_leaves_the_spool() {
    let (server, home) = waiting();
    let path = files(&spool(&home)).remove(0);
    fs::write(&path, "").unwrap();
    server.maildrop().replace([]);
    run(&home, &["fetch"], 1);
    assert_eq!(taken(&home).len(), 3);
    assert!(path.exists());
    run(&home, &["state", "forget", "a", "--all"], 0);
    run(&home, &["fetch"], 0);
    assert!(!path.exists());
}

fn to_lmtp(messages: Vec<Message>) -> (Server, Home, Lmtp) {
    let (server, home) = serving(messages, Behaviour::new(), "");
    let lmtp = Lmtp::at(&home.path().join("lmtp"));
    let table = "lmtp = \"unix:~/lmtp\", recipient = \"ada\", deadline = \"2 s\"";
    write_config(
        &server,
        &home,
        &format!("deliver = {{ {table} }}\nkeep = \"never\""),
    );
    (server, home, lmtp)
}

#[test]
fn an_answer_that_comes_before_the_end_of_the_message_is_not_taken_for_one_to_it() {
    for early in ["250 stale", "552 5.3.4 too much"] {
        let (server, home, lmtp) = to_lmtp(mail(1));
        lmtp.behave("DATA", Act::Say(format!("354 go on\r\n{early}\r\n")));
        let output = run(&home, &[], 1);
        assert_said(&output, &["before it had the whole message", early]);
        assert_eq!(server.maildrop().count(), 1, "{early}");
        assert_eq!(tree::count(&spool(&home)), 1, "{early}");
        lmtp.behave_well();
        run(&home, &["fetch", "--now"], 0);
        assert_eq!(lmtp.taken(), [mail(1)[0].stored()], "{early}");
        assert_eq!(server.maildrop().count(), 0, "{early}");
    }
}

#[test]
fn what_waits_when_a_maildir_is_named_is_handed_on_from_where_it_is() {
    let (server, home) = waiting();
    write_config(
        &server,
        &home,
        &format!("maildir = \"~/Mail\"\n{}", when_open()),
    );
    let output = run(&home, &["fetch"], 0);
    assert_said(&output, &["4 handed on", "4 deleted"]);
    assert_taken_once(&home, &mail(4));
    assert_eq!(server.count("RETR"), 4);
}

#[test]
fn what_may_be_in_a_folder_that_cannot_be_read_waits_until_it_can_be() {
    let keys = format!("maildir = \"~/Mail\"\n{}", when_open());
    let (server, home) = account(1, &keys);
    run(&home, &["fetch"], 1);
    fs::write(home.path().join("open"), "").unwrap();
    let maildir = home.path().join("Mail");
    let path = files(&maildir).remove(0);
    let folder = maildir.join(".F");
    fs::create_dir_all(folder.join("new")).unwrap();
    let aside = home.path().join("aside");
    fs::rename(&path, &aside).unwrap();
    // Nobody may look into that, not even who may look into everything.
    fs::write(folder.join("cur"), "").unwrap();
    let output = run(&home, &["fetch"], 1);
    assert_said(&output, &["may be in a folder that cannot be read"]);
    assert_eq!(server.maildrop().count(), 1);
    fs::remove_file(folder.join("cur")).unwrap();
    fs::create_dir(folder.join("cur")).unwrap();
    fs::rename(&aside, folder.join("cur").join(path.file_name().unwrap())).unwrap();
    run(&home, &["fetch"], 0);
    assert_taken_once(&home, &mail(1));
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn a_message_that_its_owner_has_removed_from_the_maildir_is_not_handed_on_nor_fetched_again() {
    let keys = format!("maildir = \"~/Mail\"\n{}", when_open());
    let (server, home) = account(2, &keys);
    run(&home, &["fetch"], 1);
    fs::write(home.path().join("open"), "").unwrap();
    fs::remove_file(files(&home.path().join("Mail")).remove(0)).unwrap();
    let output = run(&home, &["fetch"], 0);
    assert_said(&output, &["was removed from the Maildir", "1 handed on"]);
    assert_eq!(server.count("RETR"), 2);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn what_waits_without_deliver_waits_no_more_once_it_is_accepted_as_the_hint_says() {
    let maildir = "maildir = \"~/Mail\"";
    let (server, home) = account(2, &format!("{maildir}\n{}", when_open()));
    run(&home, &["fetch"], 1);
    write_config(&server, &home, maildir);
    let output = home.popfetch(["fetch"]).run();
    assert_said(&output, &["popfetch state accept a "]);
    run(&home, &["state", "accept", "a", "uid-1", "uid-2"], 0);
    let output = run(&home, &["fetch"], 0);
    assert!(!output.stderr.contains("state accept"), "{output:#?}");
    assert!(taken(&home).is_empty());
}
