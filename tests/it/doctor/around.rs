use std::fs;

use super::findings;
use crate::given::{assert_said, behaving, run, server};
use crate::support::account::Account;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::gate::microsocks;
use crate::support::keyring::Keyring;
use crate::support::listener::ClosedPort;
use crate::support::mounted::Mounted;
use crate::support::run::Home;
use crate::support::terminal::everything;

/// A host with three addresses, at one of which nobody listens.
#[test]
fn each_of_several_addresses_of_a_name_is_told_and_a_dead_one_warned_of() {
    let (server, mut home) = server(2);
    let closed = ClosedPort::new();
    let (port, dead) = (server.port(), closed.port());
    let account = Account {
        host: "pop.example.test".into(),
        port: 995,
        ..server.account()
    };
    // The certificate of the test server is localhost's.
    home.one_account(&account, "tls-server-name = \"localhost\"\n");
    let at = |port: u16| format!("pop.example.test:995=127.0.0.1:{port}");
    home.env(
        "POPFETCH_TEST_NAMES",
        &format!("{} {} {}", at(dead), at(port), at(port)),
    );
    let found = findings(&home, 0);
    assert_eq!(found.of("name")["addresses"].as_array().unwrap().len(), 3);
    let addresses: Vec<_> = found
        .0
        .iter()
        .filter(|it| it["check"] == "address")
        .collect();
    assert_eq!(addresses.len(), 3, "{addresses:#?}");
    let verdicts: Vec<_> = addresses
        .iter()
        .map(|it| it["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(verdicts, ["warn", "ok", "ok"]);
    assert!(
        addresses[0]["text"]
            .as_str()
            .unwrap()
            .contains("does not answer")
    );
    assert!(addresses[0]["hint"].is_string());
    assert_eq!(found.verdict("sign-in"), "ok");
}

#[test]
fn behind_a_proxy_the_way_is_named_and_no_address_is_tried() {
    let Some((_daemon, port)) = microsocks(&[]) else {
        return;
    };
    let (server, home) = server(1);
    let proxy = format!("proxy = \"socks5h://127.0.0.1:{port}\"\n");
    home.one_account(&server.account(), &proxy);
    let found = findings(&home, 0);
    let name = found.of("name")["text"].as_str().unwrap();
    assert!(
        name.contains("is reached through") && name.contains(&port.to_string()),
        "{name}"
    );
    assert!(
        found.0.iter().all(|it| it["check"] != "address"),
        "{:#?}",
        found.0
    );
    assert_eq!(server.sessions().len(), 1);
    assert_eq!(found.of("list")["messages"], 1);
}

#[test]
fn a_proxy_that_is_not_there_fails_as_the_connection_and_is_named() {
    let (server, home) = server(1);
    let closed = ClosedPort::new();
    let proxy = format!("proxy = \"socks5h://127.0.0.1:{}\"\n", closed.port());
    home.one_account(&server.account(), &proxy);
    let output = run(&home, &["account", "test"], 75);
    assert_said(
        &output,
        &["error: a: ", &closed.port().to_string(), "`proxy`"],
    );
    assert_eq!(server.sessions().len(), 0);
}

/// Names in capabilities and refusals that would write to a terminal, and a password that comes back.
#[test]
fn what_a_hostile_server_says_is_shown_harmless_and_without_the_password() {
    let behaviour = Behaviour::new()
        .on(
            "CAPA",
            Reply::raw("+OK\r\nUSER\r\nUIDL\r\nIMPLEMENTATION \x1b]0;pwned\x07secret\r\n.\r\n"),
        )
        .on(
            "LIST",
            Reply::raw("-ERR \x1b[2J\u{202e} no secret here\r\n"),
        );
    let (server, home) = behaving(1, behaviour);
    let password = server.account().password;
    for arguments in [
        &["account", "test"][..],
        &["account", "test", "--format", "json"],
        &["account", "test", "-v"],
    ] {
        let output = home.popfetch(arguments).run();
        assert_ne!(output.status, Some(0), "{output:#?}");
        let all = format!("{}{}", output.stdout, output.stderr);
        assert!(
            !all.contains('\u{1b}') && !all.contains('\u{7}') && !all.contains('\u{202e}'),
            "{all}"
        );
        assert!(!all.contains(&password), "{all}");
    }
}

#[test]
fn a_keyring_that_answers_is_ok_and_one_that_does_not_is_warned_of_with_a_way_on() {
    let (server, mut home) = server(1);
    let text = home.account_config("a", &server.account());
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("password-file"));
    let text: Vec<&str> = lines.collect();
    home.config(&format!("{}\npassword-keyring = true\n", text.join("\n")));
    let found = findings(&home, 77);
    assert_eq!(found.verdict("keyring"), "warn");
    assert_eq!(found.of("keyring")["answers"], false);
    assert!(
        found.of("keyring")["hint"]
            .as_str()
            .unwrap()
            .contains("password-file")
    );
    let Some(keyring) = Keyring::unlocked() else {
        return;
    };
    keyring.serve(&mut home);
    let found = findings(&home, 77);
    assert_eq!(found.verdict("keyring"), "ok");
    home.popfetch(["password", "set", "a"])
        .stdin(server.account().password + "\n")
        .expect(0);
    let before = everything(&home.state());
    let found = findings(&home, 0);
    assert_eq!(found.amiss(), Vec::<&str>::new());
    assert!(everything(&home.state()) == before);
}

#[test]
fn a_disk_that_is_nearly_full_is_warned_of() {
    let (server, home) = server(1);
    let Some(disk) = Mounted::tmpfs(&home.path().join("small"), "size=8m") else {
        return;
    };
    let text = home.account_config("a", &server.account());
    let own = format!("{:?}", home.maildir("a"));
    let at = format!("{:?}", disk.path().join("a"));
    home.config(&text.replace(&own, &at));
    let found = findings(&home, 0);
    assert_eq!(found.amiss(), ["space"]);
    assert!(found.of("space")["octets"].as_u64().unwrap() <= 8 << 20);
    assert!(
        found.of("space")["hint"]
            .as_str()
            .unwrap()
            .contains("make room")
    );
}

#[test]
fn a_maildir_whose_new_is_on_another_file_system_fails_and_says_so() {
    let (_server, home) = server(1);
    make(&home);
    let Some(_disk) = Mounted::tmpfs(&home.maildir("a").join("new"), "size=80m,mode=700") else {
        return;
    };
    let found = findings(&home, 73);
    assert_eq!(found.verdict("maildir"), "fail");
    let text = found.of("maildir")["text"].as_str().unwrap();
    assert!(text.contains("from tmp/ to new/"), "{text}");
    assert!(
        found.of("maildir")["hint"]
            .as_str()
            .unwrap()
            .contains("one file system")
    );
    // The fetch agrees, and loses nothing.
    let output = home.popfetch(["fetch"]).run();
    assert_ne!(output.status, Some(0), "{output:#?}");
}

fn make(home: &Home) {
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(home.maildir("a").join(part)).unwrap();
    }
}
