use std::fs;

use serde_json::Value;

use super::{Mailbox, letter, make};
use crate::support::process::installed;
use crate::support::skip::{Lack, skip};

fn three() -> Mailbox {
    let mail = Mailbox::new();
    mail.put(
        "cur/1764000001.a.host:2,RS",
        letter(3, "Ada Lovelace <ada@example.com>", "first"),
    );
    mail.put(
        "new/1764000002.b.host",
        letter(5, "bob@example.org", "=?iso-8859-1?q?Gr=FC=DFe?="),
    );
    mail.put(
        "cur/1764000003.c.host,S=9:2,F",
        letter(1, "=?utf-8?b?5pel5pys?= <c@example.com>", "third")
            .replace("To:", "Content-Type: multipart/mixed; boundary=x\nTo:"),
    );
    // Neither of these is a message.
    mail.put("tmp/1764000004.d.host", letter(9, "d@example.com", "half"));
    mail.put("cur/.hidden", "x");
    mail
}

#[test]
fn messages_are_listed_newest_first_with_what_their_headers_say() {
    let mail = three();
    assert_eq!(
        mail.list(&[]),
        "1  N    2025-11-05 12:00  bob@example.org  154 B  Grüße\n\
         2  R    2025-11-03 12:00  Ada Lovelace     148 B  first\n\
         3  NF@  2025-11-01 12:00  日本             196 B  third\n"
    );
}

#[test]
fn what_is_listed_can_be_chosen() {
    let mail = three();
    let subjects = |arguments: &[&str]| {
        let all = mail.list(&[&["--format", "json"], arguments].concat());
        let lines = all.lines().map(|line| serde_json::from_str(line).unwrap());
        let messages = lines.filter(|line: &Value| line["event"] == "message");
        let subjects = messages.map(|it| it["subject"].as_str().unwrap().to_owned());
        subjects.collect::<Vec<_>>()
    };
    assert_eq!(subjects(&["--new"]), ["Grüße", "third"]);
    assert_eq!(subjects(&["--from", "ADA"]), ["first"]);
    assert_eq!(subjects(&["--from", "example.com"]), ["first", "third"]);
    assert_eq!(subjects(&["--subject", "grüsse"]), [""; 0]);
    assert_eq!(subjects(&["--subject", "GRÜ"]), ["Grüße"]);
    assert_eq!(subjects(&["--since", "2025-11-03"]), ["Grüße", "first"]);
    assert_eq!(subjects(&["--since", "1 day"]), [""; 0]);
    assert_eq!(subjects(&["--limit", "1"]), ["Grüße"]);
    assert_eq!(
        subjects(&["--new", "--limit", "5", "--from", "c@"]),
        ["third"]
    );
    mail.run(&["list", "--since", "soon", "--maildir", "x"], 64);
}

#[test]
fn a_date_that_lies_ahead_of_the_delivery_does_not_stay_on_top_for_ever() {
    let mail = three();
    let late = letter(1, "spam@example.com", "from the future").replace("2025", "2099");
    mail.put("new/1762000000.e.host", late);
    let list = mail.list(&[]);
    assert!(
        list.lines().nth(2).unwrap().contains("from the future"),
        "{list}"
    );
}

#[test]
fn programs_get_objects_and_paths() {
    let mail = three();
    let json = mail.list(&["--format", "json"]);
    let first: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    let path = mail.root.join("new/1764000002.b.host");
    assert_eq!(
        first,
        serde_json::json!({
            "event": "message", "account": null, "folder": null, "path": path.to_str().unwrap(),
            "date": "2025-11-05T12:00:00+00:00", "from": "bob@example.org", "subject": "Grüße",
            "message_id": "5@example.com", "octets": 154, "flags": [], "new": true,
            "attachments": false,
        })
    );
    let last: Value = serde_json::from_str(json.lines().nth(2).unwrap()).unwrap();
    assert_eq!(last["flags"], serde_json::json!(["flagged"]));
    assert_eq!(last["attachments"], true);
    let paths = mail.list(&["-0", "--new"]);
    let paths: Vec<_> = paths.split_terminator('\0').collect();
    assert_eq!(paths.len(), 2);
    assert_eq!(paths[0], path.to_str().unwrap());
}

#[test]
fn accounts_of_the_config_file_are_listed_together_and_each_by_its_name() {
    let mail = three();
    let other = mail.home.path().join("Mail/b");
    make(&other);
    fs::write(
        other.join("new/1764000009.z.host"),
        letter(4, "z@example.com", "of b"),
    )
    .unwrap();
    let section = |name: &str, more: &str| {
        format!("[accounts.{name}]\nhost = \"pop.example.com\"\nuser = \"{name}\"\n{more}\n")
    };
    mail.home
        .config(&(section("a", "") + &section("b", "") + &section("c", "disabled = true")));
    let list = mail.run(&["list"], 0).stdout;
    let of_b: Vec<_> = list.lines().filter(|line| line.contains("  b  ")).collect();
    assert_eq!((list.lines().count(), of_b.len()), (4, 1), "{list}");
    assert!(of_b[0].starts_with("2  N"), "{list}");
    let only = mail.run(&["list", "b", "--format", "json"], 0).stdout;
    let lines: Vec<Value> = only
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    assert_eq!(lines.len(), 3, "{only}");
    assert_eq!(
        (&lines[0]["account"], &lines[1]["messages"]),
        (&"b".into(), &1.into())
    );
    assert_eq!(
        (&lines[2]["event"], &lines[2]["new"]),
        (&"summary".into(), &1.into())
    );
    // One that nothing was fetched for keeps no other from being read.
    fs::remove_dir_all(&other).unwrap();
    let output = mail.run(&["list"], 73);
    assert_eq!(output.stdout.lines().count(), 3);
    assert!(
        output.stderr.contains("there is no Maildir at"),
        "{output:#?}"
    );
    assert!(
        output
            .stderr
            .contains("nothing was fetched into it yet: popfetch fetch "),
        "{output:#?}"
    );
    assert!(!other.exists());
}

#[test]
fn folders_are_listed_where_they_are_asked_for() {
    let mail = three();
    make(&mail.root.join(".Lists.rust"));
    mail.put(
        ".Lists.rust/cur/1764000008.f.host:2,S",
        letter(8, "f@example.com", "in a folder"),
    );
    assert_eq!(mail.list(&[]).lines().count(), 3);
    let all = mail.list(&["--all-folders"]);
    assert!(
        all.lines()
            .next()
            .unwrap()
            .ends_with("[Lists.rust] in a folder"),
        "{all}"
    );
    assert_eq!(all.lines().count(), 4);
    assert_eq!(mail.list(&["--folder", "Lists.rust"]).lines().count(), 1);
    assert_eq!(mail.list(&["--folder", ".Lists.rust"]).lines().count(), 1);
    assert_eq!(mail.list(&["--folder", "INBOX"]), mail.list(&[]));
    let root = mail.root.to_str().unwrap();
    let output = mail.run(&["list", "--folder", "nowhere", "--maildir", root], 1);
    assert!(
        output.stderr.contains("there is no folder nowhere"),
        "{output:#?}"
    );
    assert!(!output.stderr.contains("did you mean"), "{output:#?}");
    let output = mail.run(&["list", "--folder", "lits.rust", "--maildir", root], 1);
    assert!(
        output.stderr.contains("did you mean --folder Lists.rust?"),
        "{output:#?}"
    );
}

#[test]
fn mail_that_lies_in_folders_is_told_where_they_are_not_listed() {
    let mail = three();
    make(&mail.root.join(".Lists"));
    make(&mail.root.join(".Sent"));
    mail.put(
        ".Lists/new/1764000008.f.host",
        letter(8, "f@example.com", "a"),
    );
    let root = mail.root.to_str().unwrap();
    let told = |arguments: &[&str]| {
        let list = ["list", "--maildir", root];
        mail.run(&[&list, arguments].concat(), 0).stderr
    };
    assert_eq!(
        told(&[]),
        "1 new message lies in folders: --all-folders lists it as well\n"
    );
    mail.put(
        ".Lists/cur/1764000006.e.host:2,S",
        letter(8, "f@example.com", "read"),
    );
    // A reader has seen that it is there, and nobody has read it.
    mail.put(
        ".Lists/cur/1764000007.e.host:2,",
        letter(8, "f@example.com", "old"),
    );
    mail.put(
        ".Sent/cur/1764000009.g.host:2,S",
        letter(9, "g@example.com", "b"),
    );
    assert_eq!(
        told(&[]),
        "4 messages (2 new) lie in folders: --all-folders lists them as well\n"
    );
    assert_eq!(
        told(&["--new"]),
        "2 new messages lie in folders: --all-folders lists them as well\n"
    );
    let new = mail.list(&["--new", "--all-folders"]);
    assert_eq!(new.lines().count(), 4, "two here and those two: {new}");
    assert_eq!(
        told(&["--subject", "third"]),
        "4 messages (2 new) in folders are not looked at: --all-folders looks there as well\n"
    );
    for silent in [
        &["--all-folders"][..],
        &["--folder", "Sent"],
        &["-q"],
        &["--format", "json"],
        &["--format", "paths"],
    ] {
        assert_eq!(told(silent), "", "{silent:?}");
    }
}

#[test]
fn a_list_that_shows_nothing_tells_what_shows_the_mail_that_is_here() {
    let mail = Mailbox::new();
    make(&mail.root.join(".Lists"));
    mail.put(
        ".Lists/cur/1764000008.f.host:2,S",
        letter(8, "f@example.com", "a"),
    );
    mail.put(
        ".Lists/new/1764000009.f.host",
        letter(9, "f@example.com", "b"),
    );
    let root = mail.root.to_str().unwrap();
    for (arguments, said, shown) in [
        (
            &[][..],
            "no messages in the inbox; 2 messages (1 new) lie in folders:",
            2,
        ),
        (
            &["--new"],
            "no new messages in the inbox; 1 new message lies in folders:",
            1,
        ),
        (
            &["--from", "F@example"],
            "no such messages in the inbox; 2 messages (1 new) in folders are not looked at:",
            2,
        ),
    ] {
        let list = ["list", "--maildir", root];
        let told = mail.run(&[&list, arguments].concat(), 0);
        assert!(told.stderr.starts_with(said), "{told:#?}");
        let command = told.stderr.lines().nth(1).unwrap().trim();
        let followed = crate::hints::shell(&mail.home, command).expect(0);
        assert_eq!(followed.stdout.lines().count(), shown, "{followed:#?}");
    }
}

#[test]
fn folders_are_shown_and_asked_for_as_people_read_their_names() {
    let mail = Mailbox::new();
    make(&mail.root.join(".Entw&APw-rfe.2024"));
    mail.put(
        ".Entw&APw-rfe.2024/cur/1764000008.f.host:2,S",
        letter(8, "f@example.com", "a"),
    );
    let all = mail.list(&["--all-folders"]);
    assert!(all.ends_with("[Entwürfe.2024] a\n"), "{all}");
    for name in [
        "Entwürfe.2024",
        ".Entwürfe.2024",
        "Entwürfe/2024",
        "Entw&APw-rfe.2024",
    ] {
        let list = mail.list(&["--folder", name]);
        assert_eq!(list, all, "{name}");
    }
    // Programs get the name that its directory has.
    let json = mail.list(&["--all-folders", "--format", "json"]);
    assert!(json.contains("\"folder\":\"Entw&APw-rfe.2024\""), "{json}");
}

#[test]
fn a_list_that_fails_leaves_the_numbers_of_the_one_before() {
    let mail = three();
    mail.home.config(&format!(
        "[accounts.a]\nhost = \"pop.example.test\"\nuser = \"ada\"\nmaildir = {:?}\n",
        mail.root
    ));
    mail.run(&["list"], 0);
    let shown = mail.run(&["show", "1"], 0).stdout;
    mail.run(&["list", "--folder", "nowhere"], 1);
    assert_eq!(mail.run(&["show", "1"], 0).stdout, shown);
}

#[test]
fn nothing_to_list_is_said_to_people_and_is_no_failure() {
    let mail = Mailbox::new();
    let root = mail.root.to_str().unwrap();
    let output = mail.run(&["list", "--maildir", root], 0);
    assert_eq!(
        (output.stdout.as_str(), output.stderr.as_str()),
        ("", "no messages\n")
    );
    let output = mail.run(&["list", "-q", "--maildir", root], 0);
    assert_eq!(output.stderr, "");
}

#[test]
fn other_readers_count_the_same_messages() {
    if !installed("mlist") {
        return skip(Lack::Tool, "mblaze is not installed");
    }
    let mail = three();
    let count = |arguments: &[&str]| {
        let mut command = std::process::Command::new("mlist");
        command.args(arguments).arg(&mail.root);
        mail.home
            .run_by(&mut command)
            .expect(0)
            .stdout
            .lines()
            .count()
    };
    assert_eq!(mail.list(&[]).lines().count(), count(&[]));
    // What mblaze calls unseen is in new/ or without S.
    assert_eq!(mail.list(&["--new"]).lines().count(), count(&["-s"]));
    mail.run(&["show", "1"], 0);
    assert_eq!(mail.list(&["--new"]).lines().count(), count(&["-s"]));
}
