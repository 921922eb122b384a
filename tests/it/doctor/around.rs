use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::time::Duration;

use super::findings;
use crate::given::{assert_said, behaving, id_of, mail, run, server};
use crate::import::taken::mpop;
use crate::support::account::Account;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::gate::microsocks;
use crate::support::keyring::Keyring;
use crate::support::listener::ClosedPort;
use crate::support::maildrop::Maildrop;
use crate::support::mounted::Mounted;
use crate::support::process::within;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::terminal::everything;
use popfetch::durable::Disk;
use popfetch::state::{self, Claim, Moment};

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

/// What a fetch says that nobody attends to, and what the test of the account says of the same.
#[track_caller]
fn said_by_both(home: &Home, server: &Server, status: i32, check: &str) {
    let before = server.sessions().len();
    let fetched = run(home, &["fetch", "-q"], status);
    assert_eq!(
        server.sessions().len(),
        before,
        "it is refused before it connects"
    );
    let error = fetched.stderr.lines().next().unwrap_or_default().to_owned();
    let found = findings(home, status);
    assert_eq!(found.verdict(check), "fail", "{:#?}", found.0);
    let text = found.of(check)["text"].as_str().unwrap();
    let error = error.trim_start_matches("error: a: ");
    assert_eq!(text, error, "{fetched:#?}");
    assert!(found.of(check)["hint"].is_string(), "{:#?}", found.0);
}

fn made_maildir(home: &Home) -> PathBuf {
    let maildir = home.maildir("a");
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(maildir.join(part)).unwrap();
    }
    maildir
}

#[test]
fn whatever_on_this_machine_a_fetch_is_refused_for_is_told_alike() {
    let lists = "[[accounts.a.rules]]\nfrom = \"*\"\nthen = { folder = \".Lists\" }\n";
    type Prepare = fn(&Home);
    let cases: [(&str, Prepare, i32, &str); 6] = [
        (
            "",
            |home| {
                home.private_file("Mail/a", "no directory");
            },
            78,
            "maildir",
        ),
        (
            "",
            |home| {
                fs::create_dir(home.path().join("Mail")).unwrap();
                symlink("/nonexistent/disk", home.maildir("a")).unwrap();
            },
            73,
            "maildir",
        ),
        (
            "",
            |home| {
                home.private_file("Mail/a/thesis.txt", "dear reader");
            },
            78,
            "maildir",
        ),
        (
            lists,
            |home| {
                fs::write(made_maildir(home).join(".Lists"), "no directory").unwrap();
            },
            73,
            "folder",
        ),
        (
            "",
            |home| {
                fs::create_dir_all(home.state().parent().unwrap()).unwrap();
                fs::write(home.state(), "no directory").unwrap();
            },
            74,
            "state",
        ),
        (
            "",
            |home| {
                fs::create_dir_all(home.state()).unwrap();
                fs::set_permissions(home.state(), fs::Permissions::from_mode(0o770)).unwrap();
            },
            78,
            "state",
        ),
    ];
    for (lines, prepare, status, check) in cases {
        let (server, home) = server(1);
        home.one_account(&server.account(), lines);
        prepare(&home);
        said_by_both(&home, &server, status, check);
    }
}

#[test]
fn a_file_that_nothing_can_be_appended_to_fails() {
    let (server, home) = server(1);
    let account = home.account_config("a", &server.account());
    fs::create_dir_all(home.path().join("in")).unwrap();
    home.config(&(account + "deliver = { mbox = \"~/in\" }\n"));
    let found = findings(&home, 73);
    assert_eq!(found.amiss(), ["deliver"]);
    assert!(
        found.of("deliver")["text"]
            .as_str()
            .unwrap()
            .contains("not a regular file")
    );
    let fetched = home.popfetch(["fetch"]).run();
    assert_ne!(fetched.status, Some(0), "{fetched:#?}");
}

#[test]
fn an_account_that_another_fetch_holds_is_told_with_its_process_and_the_lock_left_alone() {
    let (server, home) = server(1);
    run(&home, &["fetch"], 0);
    let dir = state::open_directory(&Disk::new(), &home.state()).unwrap();
    let claim = Claim::take(dir, &id_of(&server), "a", &Moment::now()).unwrap();
    assert_said(
        &run(&home, &["fetch"], 75),
        &["another popfetch holds this account"],
    );
    let found = findings(&home, 0);
    let state = found.of("state");
    assert_eq!(state["verdict"], "warn", "{state}");
    let text = state["text"].as_str().unwrap();
    assert!(
        text.contains("another popfetch holds this account (process "),
        "{text}"
    );
    drop(claim);
    // Whatever another test starts has a copy of the lock from here, for a moment.
    let is_free = || (findings(&home, 0).verdict("state") == "ok").then_some(());
    within(Duration::from_secs(20), is_free).expect("the lock is free");
}

#[test]
fn a_server_that_is_left_alone_for_now_is_warned_of_with_what_a_timer_would_say() {
    let (server, home) = server(1);
    let mut account = server.account();
    account.password = "wrong".into();
    home.one_account(&account, "");
    run(&home, &["fetch"], 77);
    let sessions = server.sessions().len();
    let refused = run(&home, &["fetch"], 77);
    assert_eq!(server.sessions().len(), sessions);
    assert_said(&refused, &["not tried"]);
    let found = findings(&home, 77);
    assert_eq!(found.verdict("wait"), "warn");
    assert!(
        found.of("wait")["text"]
            .as_str()
            .unwrap()
            .contains("not tried")
    );
    // Of 16 other passwords 15 are tried at once; of as many other ways to sign in, nearly all.
    home.one_account(&server.account(), "auth = \"plain\"\n");
    let found = findings(&home, 0);
    assert!(
        found.0.iter().all(|it| it["check"] != "wait"),
        "{:#?}",
        found.0
    );
}

#[test]
fn a_mailbox_of_which_an_import_knows_nothing_fails_as_the_fetch_of_it_does() {
    let (server, home) = server(10);
    mpop(&home, &server, "on", &["other-1", "other-2"]);
    run(&home, &["import", "mpop", "-y"], 0);
    let fetched = run(&home, &["fetch", "a"], 78);
    let found = findings(&home, 78);
    assert_eq!(found.amiss(), ["fetch"]);
    let text = found.of("fetch")["text"].as_str().unwrap();
    assert!(text.starts_with("none of the 10 messages"), "{text}");
    assert_said(&fetched, &[text]);
    let hint = found.of("fetch")["hint"].as_str().unwrap();
    assert!(hint.contains("--as-new a"), "{hint}");
}

#[test]
fn the_newest_alone_of_a_mailbox_without_unique_ids_fails_and_so_does_a_dry_run() {
    let (_server, home) = Server::builder(&Maildrop::new(mail(3)))
        .behaviour(Behaviour::new().on("UIDL", Reply::raw("-ERR unknown command\r\n")))
        .with_home("latest = 1\n");
    let fetched = home.popfetch(["fetch"]).run();
    let status = fetched.status.unwrap();
    assert_ne!(status, 0, "{fetched:#?}");
    run(&home, &["fetch", "--dry-run"], status);
    let found = findings(&home, status);
    assert_eq!(found.verdict("fetch"), "fail");
    assert_said(&fetched, &[found.of("fetch")["text"].as_str().unwrap()]);
}
