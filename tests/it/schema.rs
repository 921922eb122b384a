//! `popfetch schema`: what it says of each line, held against the lines that are written.

use boon::{Compiler, Schemas};
use serde_json::{Value, json};

use crate::given::plainly;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

/// The schema as it is printed, or one that takes no field which it does not describe.
fn printed(is_strict: bool) -> Value {
    let text = Home::new().popfetch(["schema"]).expect(0).stdout;
    let mut schema: Value = serde_json::from_str(&text).unwrap();
    let commands = schema["$defs"].as_object_mut().unwrap();
    for (command, lines) in commands {
        // What `account` writes are all keys of the config file, of which the schema has some.
        let is_open = command == "account list";
        // The fields that several lines have are no command, and one command refers to another.
        let Some(lines) = lines.get_mut("oneOf") else {
            continue;
        };
        for line in lines.as_array_mut().unwrap() {
            if is_strict && !is_open {
                line["additionalProperties"] = json!(false);
            }
        }
    }
    schema
}

/// All that is described, each with the command that writes it.
fn lines(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let definitions = schema["$defs"].as_object().unwrap().iter();
    definitions.flat_map(|(command, definition)| {
        let lines = definition["oneOf"].as_array().into_iter().flatten();
        lines.map(move |line| (command, line))
    })
}

/// Fails unless each of the lines is one that the schema describes for this command; the events.
fn hold(schema: &Value, command: &str, lines: &str) -> Vec<String> {
    let mut compiler = Compiler::new();
    compiler.add_resource("s.json", schema.clone()).unwrap();
    let mut schemas = Schemas::new();
    let place = format!("s.json#/$defs/{}", command.replace(' ', "%20"));
    let compiled = compiler.compile(&place, &mut schemas).unwrap();
    let events = lines.lines().map(|line| {
        let object: Value = serde_json::from_str(line).unwrap();
        if let Err(error) = schemas.validate(&object, compiled) {
            panic!("{command}: {line}\n{error:#}");
        }
        object["event"].as_str().unwrap().to_owned()
    });
    events.collect()
}

/// Runs a command for programs; what it writes is held to the schema, and its events are these at least.
fn says(home: &Home, (command, status): (&str, i32), arguments: &[&str], events: &[&str]) {
    let mut all = arguments.to_vec();
    all.extend(["--format", "json"]);
    let output = home.popfetch(&all).expect(status);
    let found = hold(&printed(true), command, &output.stdout);
    for event in events {
        assert!(
            found.iter().any(|it| it == event),
            "{arguments:?}: {event} of {found:?}"
        );
    }
}

fn account(behaviour: Behaviour, keys: &str) -> (Server, Home) {
    let (server, home) = plainly(3, behaviour);
    home.one_account(&server.account(), keys);
    (server, home)
}

#[test]
fn what_a_fetch_writes_is_what_the_schema_says() {
    let refuses = Behaviour::new().on("RETR 2", Reply::raw("-ERR [SYS/PERM] damaged\r\n"));
    let (server, home) = account(refuses, "max-size = \"20 KB\"\nkeep = \"never\"\n");
    let large = format!("Subject: large\n\n{}", "x\n".repeat(20_000));
    server
        .maildrop()
        .add([crate::support::message::Message::from_lf("large", large)]);
    let plan = ["plan", "account", "summary"];
    says(
        &home,
        ("fetch --dry-run", 0),
        &["fetch", "--dry-run"],
        &plan,
    );
    let all = [
        "message", "deleted", "skipped", "failed", "warning", "account", "summary",
    ];
    says(&home, ("fetch", 1), &["fetch"], &all);
    says(&home, ("verify", 0), &["verify"], &["account", "summary"]);
    says(
        &home,
        ("state show", 0),
        &["state", "show", "a"],
        &["remembered"],
    );
    let stored = tree::new_files(&home.maildir("a"));
    std::fs::write(&stored[0], "other").unwrap();
    std::fs::remove_file(&stored[1]).unwrap();
    says(
        &home,
        ("verify", 1),
        &["verify"],
        &["changed", "account", "summary"],
    );
}

#[test]
fn what_is_handed_on_and_noticed_is_what_the_schema_says() {
    let (_server, home) = account(Behaviour::new(), "deliver = { command = [\"cat\"] }\n");
    says(
        &home,
        ("fetch", 0),
        &["fetch"],
        &["message", "handed", "account", "summary"],
    );
    says(&home, ("fetch", 0), &["fetch"], &["account", "summary"]);
    says(
        &home,
        ("account show", 0),
        &["account", "show", "a"],
        &["profile"],
    );
    says(
        &home,
        ("account list", 0),
        &["account", "list"],
        &["profile"],
    );
}

#[test]
fn what_looking_and_reading_write_is_what_the_schema_says() {
    let (server, home) = account(Behaviour::new(), "");
    let waiting = ["waiting", "account", "summary"];
    says(&home, ("check", 0), &["check", "--headers"], &waiting);
    let checks = ["check", "account", "summary"];
    says(&home, ("account test", 0), &["account", "test"], &checks);
    home.popfetch(["fetch"]).expect(0);
    says(
        &home,
        ("list", 0),
        &["list"],
        &["message", "account", "summary"],
    );
    // Numbers are those of a list that people have seen.
    home.popfetch(["list"]).expect(0);
    says(&home, ("show", 0), &["show", "1"], &["message"]);
    let part = ["show", "1", "--part", "1", "--save", "."];
    says(&home, ("show", 0), &part, &["saved"]);
    // Nobody listens there any more.
    drop(server);
    for (command, line) in [
        ("fetch", &["fetch"][..]),
        ("check", &["check"]),
        ("fetch --dry-run", &["-n"]),
    ] {
        says(&home, (command, 75), line, &["account", "summary"]);
    }
}

#[test]
fn what_an_import_writes_is_what_the_schema_says() {
    let home = Home::new();
    let keys = "account work\nhost pop.example.com\nuser ada\ntls on\nkeep on\npassword secret\n";
    home.private_file(".mpoprc", keys);
    says(
        &home,
        ("import", 0),
        &["import", "mpop", "--dry-run"],
        &["line", "account"],
    );
    says(
        &home,
        ("import", 0),
        &["import", "mpop", "--yes"],
        &["imported"],
    );
}

#[test]
fn each_line_of_the_schema_has_an_example_that_is_one() {
    let schema = printed(true);
    for (command, line) in lines(&schema) {
        let event = line["properties"]["event"]["const"].as_str().unwrap();
        let examples = line["examples"].as_array();
        let Some(example) = examples.and_then(|it| it.first()) else {
            panic!("{command}: {event} has no example");
        };
        assert_eq!(hold(&schema, command, &example.to_string()), [event]);
    }
}

#[test]
fn what_several_lines_have_is_described_once() {
    let schema = printed(false);
    let mut described = std::collections::BTreeSet::new();
    for (command, line) in lines(&schema) {
        for (name, field) in line["properties"].as_object().unwrap() {
            let is_new = described.insert((name.clone(), field.to_string()));
            let is_long = field.get("description").is_some();
            assert!(is_new || !is_long, "{command}: {name} should be a $ref");
        }
    }
    assert!(described.len() > 100, "{}", described.len());
}

#[test]
fn the_example_lines_of_the_manual_are_such_lines() {
    let manual = Home::new().popfetch(["man"]).expect(0).stdout;
    let (_, formats) = manual.split_once(".SH OUTPUT FORMATS").unwrap();
    let (_, example) = formats.split_once(".EX\n").unwrap();
    let (example, _) = example.split_once(".EE").unwrap();
    let events = hold(&printed(true), "fetch", &example.replace(",\n", ","));
    assert_eq!(events, ["message", "skipped", "account", "summary"]);
}
