use std::fs;
use std::path::Path;

use super::{Mailbox, letter, make};
use crate::support::process::installed;
use crate::support::samples;
use crate::support::skip::{Lack, skip};
use crate::support::strace::{calls, traced};

/// Whether a text could control a terminal, or hide what it says.
fn is_harmless(text: &str) -> bool {
    let bad = |c: char| {
        (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{200b}'
    };
    !text.chars().any(bad)
}

/// Lists the messages, and shows each in all ways that are for people; gives what stood in the list.
fn read_all(mail: &Mailbox, count: usize) -> String {
    let root = mail.root.to_str().unwrap();
    let list = mail.run(&["list", "--maildir", root], 0);
    assert!(
        is_harmless(&list.stdout) && is_harmless(&list.stderr),
        "{list:?}"
    );
    assert_eq!(list.stdout.lines().count(), count);
    for number in 1..=count {
        let number = number.to_string();
        for how in [&["--peek"][..], &["--headers"]] {
            let shown = mail.run(&[&["show", &number], how].concat(), 0);
            assert!(is_harmless(&shown.stdout), "{number}: {:?}", shown.stdout);
            assert_eq!(shown.stderr, "", "{number}");
        }
        let json = mail.run(&["show", &number, "--format", "json"], 0);
        serde_json::from_str::<serde_json::Value>(&json.stdout).unwrap();
    }
    list.stdout
}

fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let multipart = "Content-Type: multipart/mixed; boundary=a\n\n";
    let deep: String = (0..20_000)
        .map(|i| format!("Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n"))
        .collect();
    let unending: String = (0..20_000)
        .map(|i| format!("--a\nContent-Type: multipart/mixed; boundary=b{i}\n\nx\n\n"))
        .collect();
    let html = |text: String| format!("Content-Type: text/html\n\n{text}").into_bytes();
    vec![
        ("empty", Vec::new()),
        ("NULs", vec![0; 10_000]),
        ("no text at all", (0..=255).cycle().take(100_000).collect()),
        ("levels", deep.into_bytes()),
        ("multiparts without an end", (multipart.to_owned() + &unending).into_bytes()),
        ("parts", (multipart.to_owned() + &"--a\n\nx\n".repeat(50_000)).into_bytes()),
        ("messages in messages", "Content-Type: message/rfc822\n\n".repeat(100_000).into_bytes()),
        ("a huge header", format!("Subject: {}\n\nx", "word ".repeat(1_000_000)).into_bytes()),
        ("many fields", ("X: y\n".repeat(500_000) + "\nx").into_bytes()),
        ("encoded words", format!("Subject: {}\n\nx", "=?utf-8?b?".repeat(100_000)).into_bytes()),
        (
            "escapes and bidi",
            "From: \u{1b}]0;x\u{7} <a@b>\nSubject: =?utf-8?q?=1B[2J=E2=80=AE?=\nTo: \u{202e}\n\
             X\u{1b}[31m: y\nContent-Disposition: attachment; filename=\"\u{1b}[31m\u{202e}gpj.exe\"\n\n\u{9b}31m\u{1b}[31m"
                .into(),
        ),
        ("broken charset", b"Content-Type: text/plain; charset=utf-7\n\n+AAAA-\xff\xfe".to_vec()),
        ("odd", b"Content-Type: text/plain; charset=\"iso-2022-kr\"\n\n\x0e\xff\x1b$)C".to_vec()),
        ("unclosed", b"Content-Transfer-Encoding: base64\n\n====A==".to_vec()),
        ("divs", html("<div>".repeat(200_000))),
        ("tables", html("<table><tr><td>".repeat(100_000))),
        ("lists and quotations", html("<ul><li><blockquote>".repeat(100_000))),
        ("an open attribute", html("<a href=\"".repeat(200_000))),
        ("links", html((0..50_000).map(|i| format!("<a href=x{i}>y</a>")).collect())),
        ("HTML with escapes", html("&#27;[31m&#x202e;\u{1b}<a href='\u{1b}[2J'>x</a>".into())),
    ]
}

#[test]
fn hostile_mail_is_shown_without_a_failure_and_without_an_escape() {
    let mail = Mailbox::new();
    let all = hostile();
    for (number, (name, octets)) in all.iter().enumerate() {
        mail.put(
            &format!("new/17640000{number:02}.{}.host", name.replace(' ', "-")),
            octets,
        );
    }
    read_all(&mail, all.len());
}

#[test]
fn all_samples_are_listed_and_shown() {
    let Some(messages) = samples::load() else {
        return;
    };
    let mail = Mailbox::new();
    for (number, message) in messages.iter().enumerate() {
        mail.put(&format!("new/1764000{number:03}.s.host"), message.octets());
    }
    read_all(&mail, messages.len());
}

#[test]
fn what_is_no_message_is_left_out_and_said() {
    let mail = Mailbox::new();
    mail.put("cur/1764000001.a.host:2,S", letter(1, "a@example.com", "a"));
    std::os::unix::fs::symlink("/etc/passwd", mail.root.join("cur/1764000002.b.host")).unwrap();
    fs::create_dir(mail.root.join("cur/1764000003.c.host")).unwrap();
    let root = mail.root.to_str().unwrap();
    let output = mail.run(&["list", "--maildir", root], 1);
    assert_eq!(output.stdout.lines().count(), 1);
    for name in ["1764000002.b.host", "1764000003.c.host"] {
        let said = format!("cur/{name} cannot be read, and is left out");
        assert!(output.stderr.contains(&said), "{output:#?}");
    }
}

#[test]
fn reading_opens_no_connection_and_is_confined_before_it_opens_a_message() {
    if !installed("strace") {
        return skip(Lack::Tool, "strace is not installed");
    }
    let mail = Mailbox::new();
    mail.put("new/1764000001.a.host", letter(1, "a@example.com", "a"));
    let trace = mail.home.path().join("trace");
    let root = mail.root.to_str().unwrap();
    let which = "socket,connect,landlock_restrict_self,openat";
    for arguments in [
        &["list", "--maildir", root][..],
        &["show", "1@example.com", "--maildir", root],
    ] {
        traced(&mail.home, &trace, which, arguments).expect(0);
        let text = fs::read_to_string(&trace).unwrap();
        let all = calls(&text);
        assert!(!all.iter().any(|call| call.name == "connect"), "{text}");
        let confined = all
            .iter()
            .find(|call| call.name == "landlock_restrict_self");
        let Some(confined) = confined.filter(|call| call.succeeded()) else {
            return skip(Lack::Tool, "this kernel has no Landlock");
        };
        let opened = all.iter().find(|call| {
            call.name == "openat" && call.text.contains("1764000001") && call.succeeded()
        });
        let opened = opened.expect("it was read");
        assert!(confined.ended < opened.began, "{text}");
    }
}

/// A link is not followed, so that nobody can read it here, not even root.
fn put_out_of_sight(part: &Path) {
    let away = part.with_extension("away");
    fs::rename(part, &away).unwrap();
    std::os::unix::fs::symlink(&away, part).unwrap();
}

#[test]
fn a_directory_that_cannot_be_read_is_named_and_the_rest_is_listed() {
    let mail = Mailbox::new();
    mail.put(
        "new/1764000001.a.host",
        letter(1, "a@example.com", "in new"),
    );
    mail.put(
        "cur/1764000002.b.host:2,S",
        letter(2, "a@example.com", "in cur"),
    );
    let folder = mail.root.join(".Lists");
    make(&folder);
    fs::write(
        folder.join("new/1764000003.c.host"),
        letter(3, "a@example.com", "in a folder"),
    )
    .unwrap();
    let root = mail.root.to_str().unwrap().to_owned();
    let list =
        |more: &[&str], status| mail.run(&[&["list", "--maildir", &root], more].concat(), status);
    put_out_of_sight(&mail.root.join("cur"));
    let output = list(&[], 1);
    assert!(output.stdout.contains("in new"), "{output:#?}");
    assert_eq!(output.stdout.lines().count(), 1);
    assert!(
        output
            .stderr
            .contains("cur cannot be read, and is left out"),
        "{output:#?}"
    );
    put_out_of_sight(&folder.join("new"));
    let output = list(&["--all-folders"], 1);
    assert!(output.stdout.contains("in new"), "{output:#?}");
    for part in ["/cur cannot", ".Lists/new cannot"] {
        assert!(output.stderr.contains(part), "{part}: {output:#?}");
    }
    // Where nothing can be read that is what is said, and not that there are none.
    put_out_of_sight(&mail.root.join("new"));
    let output = list(&[], 74);
    assert!(!output.stderr.contains("no messages"), "{output:#?}");
    let output = list(&["--folder", "Lists"], 1);
    assert!(!output.stderr.contains("no messages"), "{output:#?}");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let mail = Mailbox::new();
    mail.put("new/1764000001.a.host", letter(1, "a@example.com", "of a"));
    // What is neither a message nor away: its header cannot be had, by root either.
    for number in 2..7 {
        fs::create_dir(mail.root.join(format!("cur/176400000{number}.b.host:2,S"))).unwrap();
    }
    let root = mail.root.to_str().unwrap().to_owned();
    let output = mail.run(&["list", "--maildir", &root], 1);
    assert!(output.stdout.contains("of a"), "{output:#?}");
    let named = output.stderr.matches(".b.host:2,S cannot be read").count();
    assert_eq!(named, 3, "{output:#?}");
    let more = "2 more files cannot be read, and are left out";
    assert!(output.stderr.contains(more), "{output:#?}");
}

#[test]
fn an_account_that_cannot_be_read_keeps_no_other_from_being_listed() {
    let mail = Mailbox::new();
    mail.put("new/1764000001.a.host", letter(1, "a@example.com", "of a"));
    let other = mail.home.path().join("other");
    make(&other);
    for part in ["new", "cur"] {
        put_out_of_sight(&other.join(part));
    }
    mail.home.config(&format!(
        "[accounts.a]\nhost = \"h\"\nuser = \"a\"\nmaildir = {:?}\n\
         [accounts.b]\nhost = \"h\"\nuser = \"b\"\nmaildir = {other:?}\n",
        mail.root
    ));
    let output = mail.run(&["list"], 74);
    assert!(output.stdout.contains("of a"), "{output:#?}");
    assert!(
        output.stderr.contains("error: b: cannot read"),
        "{output:#?}"
    );
}
