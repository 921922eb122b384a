use std::fs;

use super::{IMAP, fetched};
use crate::given::{assert_said, letter, mail, run};
use crate::support::dovecot::Dovecot;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::token_endpoint::{Token, TokenEndpoint};
use crate::support::tree;

#[test]
fn three_hundred_messages_of_dovecots_arrive_as_they_are_and_once() {
    let Some(dovecot) = Dovecot::start_with_imap(&mail(300), "") else {
        return;
    };
    for account in dovecot.imap_accounts() {
        let home = Home::new();
        let start_tls = account.port == dovecot.imap_accounts()[1].port;
        let tls = if start_tls {
            "tls = \"starttls\"\n"
        } else {
            ""
        };
        home.one_account(&account, &format!("{IMAP}{tls}"));
        assert_eq!(fetched(&home), 300, "{}", dovecot.log());
        tree::assert_holds(&home.maildir("a"), &mail(300));
        assert_eq!(fetched(&home), 0);
        assert_eq!(dovecot.count(), 300);
    }
    // Nobody has seen them.
    assert_eq!(dovecot.new_files().len(), 300);
    let home = Home::of(&dovecot.imap_accounts()[0], IMAP);
    let output = run(&home, &["fetch", "--delete"], 0);
    assert_said(&output, &["300"]);
    // Neither is the deletion in doubt, nor had anything to be tried in another manner.
    for words in ["did not confirm", "going on"] {
        assert!(!output.stderr.contains(words), "{output:#?}");
    }
    assert_eq!(dovecot.count(), 0, "{}", dovecot.log());
    tree::assert_holds(&home.maildir("a"), &mail(300));
}

/// Two folders with a mark, in the way of Debian's own config.
const MARKS: &str = "namespace inbox {
  inbox = yes
  mailbox Gesendet {
    special_use = \\Sent
  }
  mailbox Trash {
    special_use = \\Trash
  }
}
";

#[test]
fn dovecots_folders_come_into_the_maildirs_own_and_are_known_again_wherever_they_go() {
    let Some(mut dovecot) = Dovecot::start_with_imap(&mail(20), MARKS) else {
        return;
    };
    let numbered =
        |numbers: std::ops::Range<usize>| -> Vec<Message> { numbers.map(letter).collect() };
    let folders = [
        (".Archive.2024", numbered(100..150)),
        (".Entw&APw-rfe", numbered(200..203)),
        (".Gesendet", numbered(300..310)),
        (".Trash", numbered(400..402)),
    ];
    for (folder, messages) in &folders {
        dovecot.deliver_into(folder, messages);
    }
    let [account, _] = dovecot.imap_accounts();
    let keys = format!("{IMAP}folders = [\"*\"]\nexclude = [\"\\\\Trash\"]\n");
    let home = Home::of(&account, &keys);
    let held = |folder: &str, messages: &[Message]| {
        tree::assert_holds(&home.maildir("a").join(folder), messages);
    };
    assert_eq!(fetched(&home), 83, "{}", dovecot.log());
    held(".", &mail(20));
    for (folder, messages) in folders.iter().take(3) {
        held(folder, messages);
    }
    assert!(!home.maildir("a").join(".Trash").exists());
    assert_eq!(fetched(&home), 0);
    // Somebody files the inbox away, by another way than ours.
    let archive = dovecot.maildir().join(".Archive.2024/cur");
    for file in dovecot.new_files() {
        let name = file.file_name().unwrap().to_str().unwrap();
        fs::rename(&file, archive.join(format!("{name}:2,"))).unwrap();
    }
    assert_eq!(fetched(&home), 0, "{}", dovecot.log());
    held(".", &mail(20));
    held(".Archive.2024", &folders[0].1);
    // By the server's own mark, and by letters.
    let other = Home::of(
        &account,
        &format!("{IMAP}folders = [\"\\\\Sent\", \"Entwürfe\"]\n"),
    );
    assert_eq!(fetched(&other), 13);
    run(&home, &["fetch", "--now", "--delete"], 0);
    for (folder, left) in [
        (".", 0),
        (".Archive.2024", 0),
        (".Gesendet", 0),
        (".Trash", 2),
    ] {
        assert_eq!(
            dovecot.count_in(folder),
            left,
            "{folder}: {}",
            dovecot.log()
        );
    }
    run(&home, &["verify"], 0);
}

const MECHANISMS: &str = "auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256
passdb {
  driver = passwd-file
  args = {at}/users
}
";

#[test]
fn dovecot_lets_us_in_by_each_method_with_the_right_password_alone() {
    let users = [("users", "ada:{PLAIN}secret\n")];
    let Some(dovecot) = Dovecot::start_with_imap_letting_in(&mail(2), MECHANISMS, &users) else {
        return;
    };
    let [account, _] = dovecot.imap_accounts();
    for (auth, command) in [
        ("", "AUTHENTICATE SCRAM-SHA-256"),
        ("auth = \"scram-sha-1\"\n", "AUTHENTICATE SCRAM-SHA-1"),
        ("auth = \"plain\"\n", "AUTHENTICATE PLAIN ****"),
        ("auth = \"login\"\n", "AUTHENTICATE LOGIN"),
        ("auth = \"cram-md5\"\n", "AUTHENTICATE CRAM-MD5"),
        ("auth = \"user-pass\"\n", "LOGIN ada ****"),
    ] {
        let home = Home::of(&account, &format!("{IMAP}{auth}"));
        let output = run(&home, &["-vv"], 0);
        assert_said(&output, &[&format!("C: {command}")]);
        tree::assert_holds(&home.maildir("a"), &mail(2));
        home.private_file("a.password", "not the secret");
        let output = run(&home, &["fetch", "--now"], 77);
        assert_said(&output, &["refused the sign-in", "hint: "]);
    }
}

#[test]
fn a_password_of_any_letters_is_sent_as_it_is() {
    let users = [("users", "ada:{PLAIN}p\u{e4}ss \"w\\rd\n")];
    let Some(dovecot) = Dovecot::start_with_imap_letting_in(&mail(1), MECHANISMS, &users) else {
        return;
    };
    let [mut account, _] = dovecot.imap_accounts();
    account.password = "p\u{e4}ss \"w\\rd".into();
    for auth in ["plain", "user-pass", "scram-sha-256"] {
        let home = Home::of(&account, &format!("{IMAP}auth = {auth:?}\n"));
        assert_eq!(fetched(&home), 1, "{auth} {}", dovecot.log());
    }
}

#[test]
fn a_token_is_taken_and_a_refused_one_is_told() {
    let endpoint = TokenEndpoint::start(vec![Token {
        token: "token-of-ada".into(),
        user: "ada".into(),
        active: true,
    }]);
    let Some(dovecot) = Dovecot::start_taking_tokens_by_imap(&mail(3), &endpoint) else {
        return;
    };
    let [mut account, _] = dovecot.imap_accounts();
    for auth in ["oauthbearer", "xoauth2"] {
        account.password = "token-of-ada".into();
        let keys = format!("{IMAP}auth = {auth:?}\n");
        let home = Home::of(&account, &keys);
        assert_eq!(fetched(&home), 3, "{}", dovecot.log());
        account.password = "another".into();
        let home = Home::of(&account, &keys);
        let output = run(&home, &["fetch"], 77);
        assert_said(&output, &["refused the access token"]);
    }
}

#[test]
fn messages_of_any_octets_come_as_dovecot_has_them() {
    let messages = [
        Message::new("1", "Subject: no line end"),
        Message::new("2", "Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n"),
        Message::new(
            "3",
            "Subject: eight bits\r\n\r\n\u{fc}\u{20ac}\r\n{5}\r\na1 OK\r\n)\r\n",
        ),
        Message::new("4", "\r\n\r\nno header\r\n"),
        Message::new(
            "5",
            format!("Subject: long\r\n\r\n{}\r\n", "x".repeat(300_000)),
        ),
    ];
    let Some(dovecot) = Dovecot::start_with_imap(&messages, "") else {
        return;
    };
    let home = Home::of(&dovecot.imap_accounts()[0], IMAP);
    assert_eq!(fetched(&home), messages.len(), "{}", dovecot.log());
    let expected = messages.iter().map(|message| {
        let text = String::from_utf8(message.octets()).unwrap();
        (text.replace("\r\n", "\n").into_bytes(), text)
    });
    tree::assert_holds_octets(&home.maildir("a"), expected);
    assert_eq!(fetched(&home), 0);
}

#[test]
fn a_mailbox_that_is_made_anew_has_other_names_and_brings_nothing_twice() {
    let Some(dovecot) = Dovecot::start_with_imap(&mail(40), "") else {
        return;
    };
    let home = Home::of(&dovecot.imap_accounts()[0], IMAP);
    assert_eq!(fetched(&home), 40);
    dovecot.forget_uids();
    let list = |home: &Home| {
        let output = home.popfetch(["fetch", "--now", "-vv"]).expect(0).stderr;
        let line = output.lines().find(|line| line.contains("[UIDVALIDITY "));
        line.unwrap_or_default().to_owned()
    };
    let after = list(&home);
    assert!(after.contains("[UIDVALIDITY "), "{after}");
    tree::assert_holds(&home.maildir("a"), &mail(40));
    assert_eq!(fetched(&home), 0);
}
