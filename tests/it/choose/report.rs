use std::path::Path;

use serde_json::Value;

use crate::given::{mail, run, server};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::message::Message;
use crate::support::run::Output;
use crate::support::tree;

fn objects(output: &Output) -> Vec<Value> {
    let lines = output.stdout.lines();
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
    lines.map(parse).collect()
}

fn events<'a>(objects: &'a [Value], event: &str) -> Vec<&'a Value> {
    objects.iter().filter(|o| o["event"] == event).collect()
}

#[test]
fn json_has_a_line_for_each_message_that_says_where_it_is_and_what() {
    let (server, home) = server(0);
    let encoded = "From: =?utf-8?q?J=C3=BCrgen?= <j@example.com>\nSubject: =?utf-8?b?R3LDvMOfZQ==?=\n\
                   Date: Mon, 23 Nov 2026 10:00:00 +0200\n\nHi\n";
    let messages = [
        Message::from_lf("one", encoded),
        Message::from_lf("two", "no header at all, just words\n"),
    ];
    server.maildrop().replace(messages.clone());
    let output = run(&home, &["--format", "json", "fetch", "--delete"], 0);
    let objects = objects(&output);
    let found = events(&objects, "message");
    assert_eq!(found.len(), 2);
    for (object, message) in found.iter().zip(&messages) {
        assert_eq!(object["account"], "a");
        let path = Path::new(object["path"].as_str().unwrap());
        assert_eq!(std::fs::read(path).unwrap(), message.stored());
        let hex: String = tree::sha256(path)
            .iter()
            .map(|o| format!("{o:02x}"))
            .collect();
        assert_eq!(object["sha256"], hex.as_str());
        assert_eq!(object["octets"], message.stored().len());
        assert_eq!(
            object["unique_id"].as_str().unwrap().as_bytes(),
            message.unique_id
        );
    }
    assert_eq!(found[0]["from"], "Jürgen <j@example.com>");
    assert_eq!(found[0]["subject"], "Grüße");
    assert_eq!(found[0]["date"], "2026-11-23T10:00:00+02:00");
    for field in ["from", "subject", "date"] {
        assert_eq!(found[1][field], Value::Null, "{field}");
    }
    let deleted: Vec<_> = events(&objects, "deleted")
        .iter()
        .map(|o| &o["unique_id"])
        .collect();
    assert_eq!(deleted, ["one", "two"]);
    let account = events(&objects, "account")[0];
    assert_eq!(
        (&account["fetched"], &account["deleted"]),
        (&2.into(), &2.into())
    );
    assert_eq!(account["status"], 0);
    assert_eq!(objects.last().unwrap()["event"], "summary");
}

#[test]
fn json_has_the_status_of_each_account_and_the_worst_of_all() {
    let (first, home) = server(1);
    let (second, _) = server(2);
    let text = home.account_config("a", &first.account());
    home.config(&(text + &home.account_config("b", &second.account())));
    first.behave(Behaviour::new().on("AUTH", Reply::raw("-ERR [AUTH] no\r\n")));
    second.behave(Behaviour::new().on("RETR 1", Reply::raw("-ERR gone\r\n")));
    let objects = objects(&run(&home, &["--format", "json"], 77));
    let status = |name: &str| {
        let accounts = events(&objects, "account");
        let account = accounts.iter().find(|o| o["account"] == name).unwrap();
        account["status"].clone()
    };
    assert_eq!((status("a"), status("b")), (77.into(), 1.into()));
    let summary = objects.last().unwrap();
    assert_eq!(
        (&summary["status"], &summary["fetched"]),
        (&77.into(), &1.into())
    );
    assert_eq!(events(&objects, "failed").len(), 1);
}

#[test]
fn json_has_an_event_for_each_message_that_is_skipped() {
    let (server, home) = server(1);
    server
        .maildrop()
        .add([Message::generated("large", 9000, 1)]);
    let output = run(&home, &["--format", "json", "fetch", "--max-size", "1k"], 0);
    let objects = objects(&output);
    let skipped = events(&objects, "skipped");
    assert_eq!(skipped.len(), 1);
    assert_eq!(skipped[0]["unique_id"], "large");
    assert!(
        skipped[0]["reason"]
            .as_str()
            .unwrap()
            .contains("larger than")
    );
}

#[test]
fn paths_are_those_of_the_new_files_and_nothing_else() {
    for (arguments, end) in [(&["--format", "paths"][..], '\n'), (&["-0"], '\0')] {
        let (server, home) = server(3);
        let output = run(&home, arguments, 0);
        assert!(output.stdout.ends_with(end));
        let mut paths: Vec<&Path> = output.stdout.split_terminator(end).map(Path::new).collect();
        paths.sort();
        assert_eq!(paths, tree::new_files(&home.maildir("a")));
        assert_eq!(run(&home, arguments, 0).stdout, "");
        tree::assert_holds(&home.maildir("a"), &mail(3));
        drop(server);
    }
}

#[test]
fn quiet_says_nothing_when_there_is_nothing_to_say() {
    let (_server, home) = server(3);
    for _ in 0..2 {
        let output = run(&home, &["-q"], 0);
        assert_eq!((&output.stdout[..], &output.stderr[..]), ("", ""));
    }
}

#[test]
fn text_is_for_stderr_and_names_the_account() {
    let (_server, home) = server(3);
    let output = run(&home, &[], 0);
    assert_eq!(output.stdout, "");
    assert!(
        output.stderr.starts_with("a: 3 new messages"),
        "{output:#?}"
    );
    let output = run(&home, &[], 0);
    assert_eq!(output.stderr, "a: nothing new\n");
}
