use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::findings;
use crate::given::{assert_said, behaving, mail, run, server};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::listener::ClosedPort;
use crate::support::maildrop::Maildrop;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::terminal::everything;

#[test]
fn i13_a_sound_account_is_ok_in_all_and_every_part_is_named() {
    let (server, home) = server(3);
    let found = findings(&home, 0);
    assert_eq!(found.amiss(), Vec::<&str>::new());
    for check in [
        "name",
        "address",
        "tls",
        "chain",
        "expiry",
        "pin",
        "capa",
        "sign-in",
        "capa-after",
        "list",
        "uidl",
        "login-delay",
        "expire",
        "maildir",
        "space",
        "state",
        "keyring",
    ] {
        assert_eq!(found.verdict(check), "ok", "{check}");
    }
    assert_eq!(found.of("tls")["version"], "TLS 1.3");
    assert_eq!(found.of("list")["messages"], 3);
    assert_eq!(found.of("list")["new"], 3);
    let account = found.0.iter().find(|it| it["event"] == "account").unwrap();
    assert_eq!(
        (&account["messages"], &account["status"]),
        (&3.into(), &0.into())
    );
    // The line that it gives to be copied is the one that is believed.
    let pin = found.of("pin")["pin"].as_str().unwrap().to_owned();
    let config = home.account_config("a", &server.account());
    let (config, _) = config.split_once("tls-roots").unwrap();
    home.config(&format!(
        "{config}tls-roots = \"pinned\"\ntls-pin = \"{pin}\"\n"
    ));
    run(&home, &["fetch"], 0);
}

#[test]
fn i13_nothing_is_changed_or_created_whatever_is_found() {
    let (server, home) = behaving(
        2,
        Behaviour::new().on("LIST", Reply::raw("-ERR broken\r\n")),
    );
    let before = everything(home.path());
    run(&home, &["account", "test"], 75);
    assert!(everything(home.path()) == before);
    assert!(!home.state().exists() && !home.maildir("a").exists());
    // Not even that a password was refused, where there is a state that could hold it.
    let mut account = server.account();
    account.password = "wrong".into();
    home.one_account(&account, "");
    fs::create_dir_all(home.state()).unwrap();
    fs::set_permissions(home.state(), fs::Permissions::from_mode(0o700)).unwrap();
    let before = everything(home.path());
    run(&home, &["account", "test"], 77);
    assert!(everything(home.path()) == before);
}

#[test]
fn i13_a_refused_sign_in_fails_and_the_rest_is_looked_at_all_the_same() {
    let (server, home) = server(1);
    let mut account = server.account();
    account.password = "wrong".into();
    home.one_account(&account, "");
    let found = findings(&home, 77);
    assert_eq!(found.amiss(), ["sign-in"]);
    let failed = found.of("sign-in");
    assert_eq!(failed["status"], 77);
    assert!(failed["hint"].is_string(), "{failed}");
    assert!(found.of("capa")["text"].as_str().unwrap().contains("SASL"));
    assert_eq!(found.verdict("maildir"), "ok");
    let text = run(&home, &["account", "test"], 77);
    assert_said(&text, &["error: a: ", "refused the sign-in", "hint: "]);
    assert!(!format!("{text:?}").contains("wrong"), "{text:?}");
}

#[test]
fn i13_a_password_that_cannot_be_had_fails_and_the_maildir_is_looked_at_all_the_same() {
    let (server, home) = server(1);
    let account = server.account();
    home.config(&format!(
        "[accounts.a]\nhost = \"localhost\"\nport = {}\nuser = \"ada\"\n\
         password-command = [\"false\"]\nmaildir = \"{}\"\n",
        account.port,
        home.maildir("a").display()
    ));
    let found = findings(&home, 77);
    assert_eq!(found.amiss(), ["password"]);
    assert_eq!(found.verdict("maildir"), "ok");
}

#[test]
fn i13_a_server_that_is_not_there_fails_with_its_address() {
    let (server, home) = server(1);
    let port = ClosedPort::new();
    let mut account = server.account();
    account.port = port.port();
    home.one_account(&account, "");
    let found = findings(&home, 75);
    assert_eq!(found.verdict("name"), "ok");
    assert_eq!(found.verdict("address"), "warn");
    assert_eq!(found.verdict("connection"), "fail");
    assert!(
        found.0.iter().all(|it| it["check"] != "tls"),
        "{:#?}",
        found.0
    );
}

#[test]
fn i13_what_a_server_wants_and_cannot_is_told() {
    let (_server, home) = behaving(
        2,
        Behaviour::new()
            .capabilities(&["SASL PLAIN", "EXPIRE 30", "LOGIN-DELAY 300"])
            .on("UIDL", Reply::raw("-ERR unknown command\r\n")),
    );
    let found = findings(&home, 0);
    assert_eq!(found.amiss(), ["uidl", "expire"]);
    assert_eq!(found.of("login-delay")["seconds"], 300);
    assert_eq!(found.of("expire")["days"], 30);
    // Who deletes mail before is not warned.
    let output = run(&home, &["account", "test", "a"], 0);
    assert!(output.stdout.contains("after 30 days"), "{output:?}");
}

#[test]
fn i13_a_maildir_that_cannot_be_written_to_fails() {
    let (server, home) = server(1);
    run(&home, &["fetch"], 0);
    let found = findings(&home, 0);
    assert!(
        found.of("maildir")["text"]
            .as_str()
            .unwrap()
            .contains("can be written to")
    );
    assert_eq!(found.verdict("deliveries"), "ok");
    assert_eq!(found.of("state")["messages"], 1);
    // One part is gone, which a fetch makes again; then a file is in its place.
    let new = home.maildir("a").join("new");
    fs::remove_dir_all(&new).unwrap();
    assert_eq!(findings(&home, 0).verdict("maildir"), "warn");
    assert!(!new.exists());
    fs::write(&new, "a file").unwrap();
    assert_eq!(findings(&home, 73).verdict("maildir"), "fail");
    assert_eq!(server.maildrop().count(), 1);
}

#[test]
fn i13_who_else_delivers_to_the_maildir_is_named() {
    let (first, home) = server(1);
    let second = Server::start(&Maildrop::new(mail(2)));
    let shared = format!("maildir = {:?}", home.maildir("a"));
    let (a, b) = (first.account(), second.account());
    home.config(
        &[
            home.account_config("a", &a),
            home.account_config("b", &b)
                .replace(&format!("maildir = {:?}", home.maildir("b")), &shared),
        ]
        .concat(),
    );
    run(&home, &["fetch"], 0);
    let found = findings(&home, 0);
    let others = found.of("deliveries")["others"].as_array().unwrap();
    assert_eq!(others.len(), 1, "{others:?}");
    assert!(
        others[0]
            .as_str()
            .unwrap()
            .ends_with(&format!(":{}", second.port()))
    );
}

#[test]
fn i13_each_address_of_a_name_is_tried() {
    let server = Server::start(&Maildrop::new(mail(1)));
    let home = Home::new();
    let mut account = server.account();
    account.host = "127.0.0.1".into();
    home.one_account(&account, "");
    let found = findings(&home, 0);
    assert_eq!(
        found.of("address")["address"],
        format!("127.0.0.1:{}", server.port())
    );
    assert_eq!(
        server.sessions().len(),
        1,
        "one connection does for one address"
    );
}
