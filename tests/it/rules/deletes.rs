use super::{from, ruled, set_rules, three, work};
use crate::given::{assert_said, journal, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::message::Message;
use crate::support::tree;
use crate::support::wire::Ending;
use serde_json::Value;
use std::fs;

const SHOP: &str = "from = \"*@shop.example\"; then = \"delete\"";

fn objects(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn what_a_rule_deletes_is_deleted_unread_behind_all_else_whatever_keep_says() {
    for keys in ["", "keep = \"14 days\"\n", "keep = \"never\"\n"] {
        let (server, home) = ruled(three(), keys, SHOP, Behaviour::new());
        let output = run(&home, &["--format", "json"], 0);
        let mut wire = vec![
            "TOP 1 0", "TOP 2 0", "TOP 3 0", "TOP 2 0", "NOOP", "RETR 1", "RETR 3",
        ];
        match keys.contains("never") {
            true => wire.extend(["DELE 3", "DELE 2", "DELE 1"]),
            false => wire.push("DELE 2"),
        }
        assert_eq!(work(&server.last_session()), wire);
        tree::assert_holds(&home.maildir("a"), &[from("lists", 1), from("boss", 3)]);
        let objects = objects(&output.stdout);
        let by_rule: Vec<_> = objects.iter().filter(|it| it["rule"].is_string()).collect();
        assert_eq!(by_rule.len(), 1, "{output:#?}");
        assert_eq!(by_rule[0]["event"], "deleted");
        assert_eq!(by_rule[0]["unique_id"], "uid-2");
        assert_eq!(by_rule[0]["rule"], "rule 1 (from = \"*@shop.example\")");
        let account = objects.iter().find(|it| it["event"] == "account").unwrap();
        assert_eq!(account["deleted_by_rules"], 1);
        let stored = if keys.contains("never") { 2 } else { 0 };
        assert_eq!(account["deleted"], stored);
    }
}

#[test]
fn a_deletion_by_a_rule_is_told_and_is_in_the_journal_before_the_server_hears_of_it() {
    let (server, home) = ruled(three(), "", SHOP, Behaviour::new());
    let output = run(&home, &["-v"], 0);
    assert_said(
        &output,
        &[
            "2 new messages",
            "1 deleted by rules",
            "deleted message 2",
            "rule 1 (from",
        ],
    );
    assert_eq!(server.maildrop().unique_ids(), ["uid-1", "uid-3"]);
    let text = fs::read_to_string(journal(&home)).unwrap();
    let line = text.lines().find(|it| it.contains("\trule\t")).unwrap();
    let fields: Vec<_> = line.split('\t').collect();
    assert_eq!((fields[0], fields[3]), ("M", "uid-2"), "{line}");
    let shown = run(&home, &["state", "show", "a"], 0).stdout;
    assert!(shown.contains("deleted by rule"), "{shown}");
    assert_eq!(run(&home, &[], 0).stderr.matches("deleted").count(), 0);
}

#[test]
fn looking_deletes_nothing() {
    let (server, home) = ruled(three(), "", SHOP, Behaviour::new());
    for arguments in [&["--dry-run"][..], &["check"], &["fetch", "--keep"]] {
        run(&home, arguments, 0);
        assert_eq!(server.count("DELE"), 0, "{arguments:?}");
        assert_eq!(server.maildrop().count(), 3);
    }
    // What --keep has left goes with the next run.
    run(&home, &[], 0);
    assert_eq!(server.maildrop().unique_ids(), ["uid-1", "uid-3"]);
}

#[test]
fn what_was_only_left_is_looked_at_again_before_it_is_deleted() {
    let skip = "from = \"*@shop.example\"; then = \"skip\"";
    let (server, home) = ruled(three(), "", skip, Behaviour::new());
    run(&home, &[], 0);
    set_rules(&server, &home, "", SHOP);
    run(&home, &[], 0);
    assert_eq!(
        work(&server.last_session()),
        ["TOP 2 0", "TOP 2 0", "NOOP", "DELE 2"]
    );
}

#[test]
fn a_header_that_is_refused_cut_or_no_header_deletes_nothing() {
    let header = "Received: x\r\nFrom: x@shop.example\r\n";
    for (top, comes) in [
        ("-ERR no such message\r\n".to_owned(), true),
        (format!("+OK\r\n{header}.\r\n"), true),
        ("+OK\r\n.\r\n".to_owned(), true),
        (
            "+OK\r\n\r\nFrom: x@shop.example\r\n\r\n.\r\n".to_owned(),
            true,
        ),
        (format!("+OK\r\n{header}\r\n.\r\n"), false),
    ] {
        let behaviour = Behaviour::new().on("TOP 2 0", Reply::raw(&top));
        let (server, home) = ruled(three(), "", SHOP, behaviour);
        run(&home, &[], 0);
        assert_eq!(server.count("DELE"), usize::from(!comes), "{top:?}");
        let expected = if comes { 3 } else { 2 };
        assert_eq!(tree::count(&home.maildir("a")), expected, "{top:?}");
    }
}

#[test]
fn a_server_that_is_out_of_step_behind_the_headers_deletes_nothing_on_their_word() {
    // A header too many: from there on each stands under its neighbour's number.
    let twice = "+OK\r\nFrom: x@shop.example\r\n\r\n.\r\n+OK\r\nFrom: x@shop.example\r\n\r\n.\r\n";
    let behaviour = Behaviour::new().on_occurrences("TOP 1 0", 0..1, Reply::raw(twice));
    let (server, home) = ruled(three(), "", SHOP, behaviour);
    home.popfetch(["fetch"]).run();
    for session in &server.sessions()[..1] {
        assert_eq!(session.count("DELE"), 0, "{session:#?}");
    }
    run(&home, &[], 0);
    assert_eq!(server.maildrop().unique_ids(), ["uid-1", "uid-3"]);
    tree::assert_holds(&home.maildir("a"), &[from("lists", 1), from("boss", 3)]);
}

#[test]
fn a_server_that_never_deletes_is_asked_five_times() {
    let refuses = Behaviour::new().on("DELE", Reply::raw("-ERR read-only\r\n"));
    let confirms = Behaviour::new().on("DELE", Reply::raw("+OK\r\n"));
    for behaviour in [refuses, confirms] {
        let (server, home) = ruled(three(), "", SHOP, behaviour);
        for _ in 0..7 {
            home.popfetch(["fetch"]).run();
        }
        let asked = server.count("DELE");
        assert!((5..=6).contains(&asked), "{asked}");
        // `keep` has no say where a rule deletes.
        let output = home.popfetch(["fetch"]).run();
        assert_said(&output, &["asked five times", "then = \"skip\""]);
        assert!(!output.stderr.contains("keep ="), "{output:#?}");
        assert_eq!(server.maildrop().count(), 3);
        assert_eq!(tree::count(&home.maildir("a")), 2);
    }
}

#[test]
fn the_state_says_that_a_message_is_not_deleted_where_the_server_has_refused_it() {
    let refuses = Behaviour::new().on("DELE", Reply::raw("-ERR read-only\r\n"));
    let lost = Behaviour::new().on_occurrences("QUIT", 0..1, Reply::End(Ending::Close));
    for (behaviour, status) in [
        (refuses, "not deleted"),
        (lost, "deletion asked"),
        (Behaviour::new(), "deleted by rule"),
    ] {
        let (_server, home) = ruled(three(), "", SHOP, behaviour);
        home.popfetch(["fetch"]).run();
        let shown = run(&home, &["state", "show", "a", "--format", "json"], 0);
        let shown = objects(&shown.stdout);
        let of_shop = shown.iter().find(|it| it["unique_ids"][0] == "uid-2");
        assert_eq!(of_shop.unwrap()["status"], status);
    }
}

#[test]
fn a_unique_id_that_had_vanished_is_anothers_when_it_comes_back_in_the_same_size() {
    let skip = "from = \"*@shop.example\"; then = \"skip\"";
    let (server, home) = ruled(three(), "", skip, Behaviour::new());
    run(&home, &[], 0);
    let of_shop = server.maildrop().messages().remove(1);
    server.maildrop().replace([from("boss", 3)]);
    run(&home, &[], 0);
    let text = String::from_utf8(of_shop.stored()).unwrap();
    let another = Message::from_lf("uid-2", text.replace("shop.example", "boss.example"));
    assert_eq!(another.octets().len(), of_shop.octets().len());
    server
        .maildrop()
        .replace([another.clone(), from("boss", 3)]);
    run(&home, &[], 0);
    assert_eq!(tree::count(&home.maildir("a")), 3);
    // One that was there all the time is not asked about again.
    server
        .maildrop()
        .replace([from("boss", 3), from("shop", 5)]);
    run(&home, &[], 0);
    run(&home, &[], 0);
    assert!(work(&server.last_session()).is_empty());
}

#[test]
fn a_deletion_whose_confirmation_was_lost_is_asked_for_again_and_nothing_is_downloaded() {
    let lost = Behaviour::new().on_occurrences("QUIT", 0..1, Reply::End(Ending::Close));
    let (server, home) = ruled(three(), "", SHOP, lost);
    run(&home, &[], 0);
    assert_eq!(server.maildrop().count(), 3);
    let output = run(&home, &[], 0);
    assert_said(&output, &["nothing new", "1 deleted by rules"]);
    assert_eq!(
        work(&server.last_session()),
        ["TOP 2 0", "TOP 2 0", "NOOP", "DELE 2"]
    );
}

#[test]
fn another_message_under_the_unique_id_of_one_that_was_deleted_is_judged_by_itself() {
    let (server, home) = ruled(three(), "", SHOP, Behaviour::new());
    run(&home, &[], 0);
    let again = Message::from_lf("uid-2", from("boss", 9).octets());
    server.maildrop().add([again]);
    run(&home, &[], 0);
    assert_eq!(tree::count(&home.maildir("a")), 3);
    assert_eq!(server.maildrop().count(), 3);
}

/// Some servers lose a request, and answer another one twice.
#[test]
fn a_header_that_came_for_another_message_deletes_and_leaves_nothing_there() {
    let top = |message: &Message| {
        let text = String::from_utf8(message.octets()).unwrap();
        let header = text.split("\r\n\r\n").next().unwrap().to_owned();
        format!("+OK\r\n{header}\r\n\r\n.\r\n")
    };
    let [one, two, three] = [from("lists", 1), from("shop", 2), from("boss", 3)];
    for then in ["delete", "skip"] {
        // The answers to TOP 1, 2 and 3 are the headers of 1, 1 and 2; or those of 2 and 3 are exchanged.
        for (second, third) in [(&one, &two), (&three, &two)] {
            let behaviour = Behaviour::new()
                .on_occurrences("TOP 2 0", 0..1, Reply::raw(top(second)))
                .on_occurrences("TOP 3 0", 0..1, Reply::raw(top(third)));
            let rule = format!("from = \"*@shop.example\"; then = \"{then}\"");
            let messages = vec![one.clone(), two.clone(), three.clone()];
            let (server, home) = ruled(messages, "", &rule, behaviour);
            run(&home, &[], 0);
            run(&home, &[], 0);
            assert!(server.maildrop().unique_ids().contains(&"uid-3".to_owned()));
            let files = tree::new_files(&home.maildir("a"));
            let here = |message: &Message| {
                files
                    .iter()
                    .any(|file| tree::sha256(file) == message.stored_sha256())
            };
            assert!(here(&three), "{then}: {files:?}");
        }
    }
}

#[test]
fn a_message_whose_size_is_listed_twice_and_differently_is_not_deleted_for_its_size() {
    for sizes in ["1 90000\r\n1 200", "1 200\r\n1 90000"] {
        let listing = format!("+OK\r\n{sizes}\r\n2 90000\r\n.\r\n");
        let behaviour = Behaviour::new().on("LIST", Reply::raw(listing));
        let messages = vec![from("shop", 1), from("shop", 2)];
        let rule = "size = \">8 kB\"; then = \"delete\"";
        let (server, home) = ruled(messages, "", rule, behaviour);
        run(&home, &[], 0);
        assert_eq!(server.maildrop().unique_ids(), ["uid-1"], "{sizes:?}");
        tree::assert_holds(&home.maildir("a"), &[from("shop", 1)]);
    }
}
