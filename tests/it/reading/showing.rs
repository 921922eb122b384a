use std::fs;
use std::os::unix::fs::symlink;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::{Mailbox, letter, make};

fn rich() -> String {
    format!(
        "From: Ada <ada@example.com>\nTo: me@example.com\nCc: =?utf-8?q?J=C3=BCrgen?= <j@example.com>\n\
         Subject: =?utf-8?b?5pel5pys6Kqe?=\nDate: Mon, 3 Nov 2025 12:00:00 +0000\nX-Spam: no\n\
         Message-ID: <rich@example.com>\nContent-Type: multipart/mixed; boundary=m\n\n--m\n\
         Content-Type: multipart/alternative; boundary=a\n\n--a\nContent-Type: text/plain; charset=utf-8\n\n\
         plain text\n--a\nContent-Type: text/html\n\n<p>See <a href=\"https://example.com/x\">this</a></p>\n--a--\n\
         --m\nContent-Type: application/pdf; name=\"../../report.pdf\"\nContent-Transfer-Encoding: base64\n\
         Content-Disposition: attachment\n\n{}\n--m\nContent-Type: message/rfc822\n\nSubject: inside\n\nwithin\n--m--\n",
        BASE64_STANDARD.encode(b"%PDF\0\x1b[31m")
    )
}

fn one() -> Mailbox {
    let mail = Mailbox::new();
    mail.put("new/1764000001.a.host", rich());
    mail.list(&[]);
    mail
}

#[test]
fn a_message_is_shown_with_the_fields_that_matter_its_text_and_what_is_attached() {
    let mail = one();
    assert_eq!(
        mail.run(&["show", "1"], 0).stdout,
        "Date: Mon, 3 Nov 2025 12:00:00 +0000\nFrom: Ada <ada@example.com>\nTo: me@example.com\n\
         Cc: Jürgen <j@example.com>\nSubject: 日本語\n\nplain text\n\n\
         [3] report.pdf (application/pdf, 10 B)\n[4] part-4.eml (message/rfc822, 23 B)\n"
    );
}

#[test]
fn a_message_that_has_only_html_is_text_with_its_links_below() {
    let mail = Mailbox::new();
    mail.put(
        "new/1764000001.a.host",
        "Subject: x\nContent-Type: text/html; charset=utf-8\n\n<html><style>p{}</style><p>See \
         <a href='https://example.com/x'>this</a> &amp; that<img src='https://example.com/t.gif' alt='logo'>",
    );
    mail.list(&[]);
    assert_eq!(
        mail.run(&["show", "1"], 0).stdout,
        "Subject: x\n\nSee this[1] & that[logo]\n\n[1] https://example.com/x\n"
    );
}

#[test]
fn showing_marks_as_seen_without_losing_a_flag_and_peeking_does_not() {
    let mail = one();
    mail.run(&["show", "1", "--peek"], 0);
    assert_eq!(mail.files(), ["new/1764000001.a.host"]);
    mail.run(&["show", "1"], 0);
    assert_eq!(mail.files(), ["cur/1764000001.a.host:2,S"]);
    // Once more: it is found under its new name, and nothing changes.
    mail.run(&["show", "1"], 0);
    assert_eq!(mail.files(), ["cur/1764000001.a.host:2,S"]);
    fs::remove_file(mail.root.join("cur/1764000001.a.host:2,S")).unwrap();
    mail.put(
        "cur/1764000002.b.host,S=7:2,FT",
        letter(4, "b@example.com", "b"),
    );
    mail.list(&[]);
    mail.run(&["show", "1"], 0);
    assert_eq!(mail.files(), ["cur/1764000002.b.host,S=7:2,FST"]);
}

#[test]
fn what_popfetch_has_fetched_is_still_known_after_it_was_shown() {
    use crate::given::mail;
    use crate::support::account::Security;
    use crate::support::maildrop::Maildrop;
    use crate::support::run::Home;
    use crate::support::server::Server;
    let server = Server::builder(&Maildrop::new(mail(3)))
        .security(Security::Plain)
        .start();
    let home = Home::new();
    home.one_account(&server.account(), "");
    home.popfetch(["fetch"]).expect(0);
    assert_eq!(home.popfetch(["list"]).expect(0).stdout.lines().count(), 3);
    home.popfetch(["show", "2"]).expect(0);
    let new = home
        .popfetch(["list", "--new", "--format", "paths"])
        .expect(0);
    assert_eq!(new.stdout.lines().count(), 2);
    home.popfetch(["verify"]).expect(0);
    home.popfetch(["fetch"]).expect(0);
    assert_eq!(server.count("RETR"), 3);
}

#[test]
fn a_number_means_what_the_last_list_showed_whatever_has_come_or_moved_since() {
    let mail = Mailbox::new();
    mail.put("new/1764000001.a.host", letter(1, "a@example.com", "older"));
    mail.put("new/1764000002.b.host", letter(2, "b@example.com", "newer"));
    mail.list(&["--from", "a@"]);
    mail.put(
        "new/1764000003.c.host",
        letter(3, "c@example.com", "newest"),
    );
    let shown = |number: &str| mail.run(&["show", number, "--peek"], 0).stdout;
    assert!(shown("1").contains("Subject: older"));
    // A reader moves it, into a folder even.
    make(&mail.root.join(".Archive"));
    fs::rename(
        mail.root.join("new/1764000001.a.host"),
        mail.root.join(".Archive/cur/1764000001.a.host:2,RS"),
    )
    .unwrap();
    assert!(shown("1").contains("Subject: older"));
    let output = mail.run(&["show", "2"], 1);
    assert!(
        output
            .stderr
            .contains("there is no message 2 in the last list"),
        "{output:#?}"
    );
    fs::remove_file(mail.root.join(".Archive/cur/1764000001.a.host:2,RS")).unwrap();
    let output = mail.run(&["show", "1"], 1);
    assert!(
        output.stderr.contains("is not there any more"),
        "{output:#?}"
    );
    // The list of numbers is a cache, and JSON for programs leaves it alone.
    mail.list(&[]);
    mail.list(&["--format", "json", "--limit", "1"]);
    assert!(shown("2").contains("Subject: newer"));
    fs::remove_dir_all(mail.home.path().join("cache")).unwrap();
    let output = mail.run(&["show", "1"], 1);
    assert!(output.stderr.contains("popfetch list"), "{output:#?}");
}

#[test]
fn a_path_and_a_message_id_work_as_well() {
    let mail = one();
    let path = mail.root.join("new/1764000001.a.host");
    let path = path.to_str().unwrap();
    let root = mail.root.to_str().unwrap();
    for id in ["<rich@example.com>", "rich@example.com"] {
        let shown = mail
            .run(&["show", id, "--peek", "--maildir", root], 0)
            .stdout;
        assert!(shown.contains("plain text"));
    }
    mail.run(&["show", "other@example.com", "--maildir", root], 1);
    assert!(mail.run(&["show", path], 0).stdout.contains("plain text"));
    // It has another name by now, which is found by the one that was printed.
    assert!(mail.run(&["show", path], 0).stdout.contains("plain text"));
    let elsewhere = mail.home.path().join("saved.eml");
    fs::write(&elsewhere, rich()).unwrap();
    assert!(
        mail.run(&["show", "./saved.eml"], 0)
            .stdout
            .contains("plain text")
    );
    assert!(elsewhere.exists());
    let output = mail.run(&["show", "nothing"], 1);
    assert!(
        output.stderr.contains("there is no message `nothing`"),
        "{output:#?}"
    );
}

#[test]
fn attachments_are_saved_under_safe_names_and_nothing_is_overwritten() {
    let mail = one();
    let place = mail.home.path().join("saved");
    fs::create_dir(&place).unwrap();
    let victim = mail.home.path().join("victim");
    fs::write(&victim, "mine").unwrap();
    fs::write(place.join("report.pdf"), "old").unwrap();
    symlink(&victim, place.join("report-2.pdf")).unwrap();
    let output = mail.run(&["show", "1", "--save", "saved"], 0);
    assert_eq!(output.stdout, "saved/report-3.pdf\nsaved/part-4.eml\n");
    assert_eq!(
        fs::read(place.join("report-3.pdf")).unwrap(),
        b"%PDF\0\x1b[31m"
    );
    assert_eq!(fs::read(place.join("report.pdf")).unwrap(), b"old");
    assert_eq!(fs::read(&victim).unwrap(), b"mine");
    assert_eq!(
        fs::read(place.join("part-4.eml")).unwrap(),
        b"Subject: inside\n\nwithin"
    );
    let output = mail.run(
        &[
            "show", "1", "--part", "1", "--save", "other", "--format", "json",
        ],
        0,
    );
    let line: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        (&line["event"], &line["path"]),
        (&"saved".into(), &"other/part-1.txt".into())
    );
    assert_eq!(
        fs::read(mail.home.path().join("other/part-1.txt")).unwrap(),
        b"plain text"
    );
}

#[test]
fn parts_the_html_the_header_and_the_message_itself_are_written_to_a_pipe_as_they_are() {
    let mail = one();
    let show = |arguments: &[&str]| mail.run(&[&["show", "1"], arguments].concat(), 0).stdout;
    assert_eq!(show(&["--raw"]), rich());
    assert_eq!(show(&["--part", "1"]), "plain text");
    assert_eq!(show(&["--part", "3"]), "%PDF\0\u{1b}[31m");
    assert_eq!(
        show(&["--html"]),
        "<p>See <a href=\"https://example.com/x\">this</a></p>"
    );
    let headers = show(&["--headers"]);
    assert!(
        headers.contains("X-Spam: no\n") && headers.contains("Subject: 日本語\n"),
        "{headers}"
    );
    // Without attachments nothing is made, and that is said.
    let path = mail.put("cur/1764000009.z.host:2,S", letter(2, "b@example.com", "b"));
    let output = mail.run(&["show", path.to_str().unwrap(), "--save", "none"], 0);
    assert_eq!(output.stdout, "");
    assert_eq!(output.stderr, "nothing is attached to it\n");
    assert!(!mail.home.path().join("none").exists());
    let output = mail.run(&["show", "1", "--part", "9"], 1);
    assert!(output.stderr.contains("it has 4 parts"), "{output:#?}");
}

#[test]
fn programs_get_a_message_as_an_object() {
    let mail = one();
    let output = mail.run(&["show", "1", "--format", "json"], 0);
    let it: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        (&it["event"], &it["text"]),
        (&"message".into(), &"plain text".into())
    );
    assert_eq!(it["message_id"], "rich@example.com");
    assert_eq!(it["flags"], serde_json::json!(["seen"]));
    assert!(
        it["path"]
            .as_str()
            .unwrap()
            .ends_with("/cur/1764000001.a.host:2,S")
    );
    let attached: Vec<_> = it["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["attachment"])
        .collect();
    assert_eq!(attached, [false, false, true, true]);
}
