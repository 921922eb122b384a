use std::fs;

use crate::given::{assert_said, letter, mail, run, server};
use crate::support::keyring::Keyring;
use crate::support::maildrop::Maildrop;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::terminal::{Terminal, everything};
use crate::support::tree;

/// Two accounts with words of their owner's around them.
fn two() -> (Server, Home, String) {
    let (server, other) = (server(2), Server::start(&Maildrop::new(mail(1))));
    let (server, home) = server;
    let a = home.account_config("a", &server.account());
    let b = home.account_config("b", &other.account());
    let rest = format!("# the others\n{b}# the end\n");
    home.config(&format!("# mine\n\n# the first one\n{a}\n{rest}"));
    drop(other);
    (server, home, format!("# mine\n\n{rest}"))
}

#[test]
fn removing_an_account_takes_its_section_and_leaves_mail_and_memory() {
    let (server, home, rest) = two();
    run(&home, &["fetch", "a"], 0);
    let mail_before = everything(&home.maildir("a"));
    let output = run(&home, &["account", "remove", "a", "--yes"], 0);
    assert_said(
        &output,
        &[
            "a is removed",
            "stays remembered",
            "its mail stays in ~/Mail/a; on the server nothing changes",
        ],
    );
    assert_eq!(fs::read_to_string(home.config_file()).unwrap(), rest);
    assert!(everything(&home.maildir("a")) == mail_before);
    let files: Vec<String> = everything(&home.state())
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert!(files.iter().any(|it| it.ends_with(".journal")), "{files:?}");
    assert!(
        files.iter().all(|it| !it.ends_with(".manners")),
        "{files:?}"
    );
    // Set up again, it goes on where it was.
    home.one_account(&server.account(), "");
    server.maildrop().add([letter(3)]);
    run(&home, &["fetch", "a"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(3));
    assert_eq!(server.last_session().count("RETR"), 1);
}

#[test]
fn with_forget_nothing_is_left_of_it_and_its_mail_is_known_all_the_same() {
    let (server, home, _) = two();
    run(&home, &["fetch", "a"], 0);
    let output = run(&home, &["account", "remove", "a", "--yes", "--forget"], 0);
    assert_said(&output, &["the record of what was fetched is removed"]);
    assert_eq!(everything(&home.state()), []);
    home.one_account(&server.account(), "");
    run(&home, &["fetch", "a"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(2));
}

#[test]
fn what_a_run_without_a_server_left_goes_with_the_account() {
    let (server, home) = server(1);
    let mut account = server.account();
    account.host = "no-such-host.invalid".into();
    home.one_account(&account, "");
    home.popfetch(["fetch", "-q"]).run();
    assert!(!everything(&home.state()).is_empty());
    run(&home, &["account", "remove", "a", "--yes"], 0);
    assert_eq!(everything(&home.state()), []);
}

#[test]
fn it_asks_first_and_a_no_or_no_answer_changes_nothing() {
    let (_server, home, _) = two();
    run(&home, &["fetch", "a"], 0);
    let before = everything(home.path());
    for answer in ["n\n", "\n", "no\n"] {
        let output = home
            .popfetch(["account", "remove", "a"])
            .stdin(answer)
            .expect(0);
        assert_said(&output, &["Remove it?", "nothing was changed"]);
        assert!(everything(home.path()) == before, "{answer:?}");
    }
    run(&home, &["account", "remove", "a"], 64);
    run(&home, &["account", "remove", "nobody", "--yes"], 78);
    assert!(everything(home.path()) == before);
    let mut terminal = Terminal::start(&home, 60, &["account", "remove", "a"]);
    terminal.wait_for("The mail in ~/Mail/a stays");
    terminal.answer("Remove it? (y/N):", "y");
    let (status, screen) = terminal.end();
    assert_eq!(status, 0, "{screen}");
    assert!(
        screen.lines().all(|line| line.chars().count() <= 60),
        "{screen}"
    );
}

#[test]
fn a_password_that_setup_keeps_goes_with_it_and_another_accounts_does_not() {
    let (server, home) = server(1);
    let beside = home.private_file("config/popfetch/a.password", "secret\n");
    let config = |name: &str, port: u16| {
        format!(
            "[accounts.{name}]\nhost = \"localhost\"\nport = {port}\nuser = \"ada\"\n\
             password-file = {beside:?}\nmaildir = {:?}\n",
            home.maildir(name)
        )
    };
    home.config(&(config("a", server.port()) + &config("b", 1)));
    run(&home, &["account", "remove", "a", "--yes"], 0);
    assert!(beside.exists(), "account b needs it");
    let output = run(&home, &["account", "remove", "b", "--yes"], 0);
    assert_said(
        &output,
        &["its password is removed: ~/config/popfetch/a.password"],
    );
    assert!(!beside.exists());
    // The same with a config file that is named by a relative path.
    home.private_file("config/popfetch/a.password", "secret\n");
    home.config(&config("a", server.port()));
    let there = beside.parent().unwrap();
    let removal = ["account", "remove", "a", "--yes", "--config", "config.toml"];
    home.popfetch(removal).below(there).expect(0);
    assert!(!beside.exists());
    // One that lies elsewhere is its owner's.
    home.one_account(&server.account(), "");
    let output = run(&home, &["account", "remove", "a", "--yes"], 0);
    assert_said(&output, &["its password stays in ~/a.password"]);
    assert!(home.path().join("a.password").exists());
}

#[test]
fn an_account_with_a_wrong_setting_can_be_removed() {
    let (_server, home) = server(1);
    home.config(
        "[accounts.a]\nhost = \"h\"\ntls = true\n\n[accounts.b]\nhost = \"h\"\nuser = \"u\"\n",
    );
    run(&home, &["account", "remove", "a", "--yes"], 0);
    let left = fs::read_to_string(home.config_file()).unwrap();
    assert_eq!(left, "[accounts.b]\nhost = \"h\"\nuser = \"u\"\n");
}

#[test]
fn a_password_in_the_keyring_goes_with_the_account_that_alone_uses_it() {
    let Some(keyring) = Keyring::unlocked() else {
        return;
    };
    let (server, mut home) = server(1);
    keyring.serve(&mut home);
    let config = |name: &str| {
        let text = home.account_config(name, &server.account());
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("password-file"));
        let text: Vec<&str> = lines.collect();
        format!("{}\npassword-keyring = true\n", text.join("\n"))
    };
    let (text, secret) = (config("a"), server.account().password + "\n");
    home.config(&text);
    home.popfetch(["password", "set", "a"])
        .stdin(&secret)
        .expect(0);
    run(&home, &["fetch"], 0);
    run(&home, &["account", "remove", "a", "--yes"], 0);
    home.config(&text);
    let output = run(&home, &["fetch"], 77);
    assert_said(&output, &["the system keyring has no password"]);
    // Where the keyring cannot be asked, what may still be in it is named.
    home.popfetch(["password", "set", "a"])
        .stdin(&secret)
        .expect(0);
    let output = home
        .popfetch(["account", "remove", "a", "--yes"])
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/no/such/bus")
        .expect(0);
    assert_said(
        &output,
        &["a is removed", "may still be in the system keyring"],
    );
    home.config(&text);
    run(&home, &["fetch"], 0);
}

#[test]
fn who_delivers_to_an_account_that_is_removed_is_named() {
    let (_server, home, _) = two();
    let config = fs::read_to_string(home.config_file()).unwrap();
    let config = config.replace("[accounts.b]", "[accounts.b]\nprotocol = \"imap\"");
    let config = config.replace(
        "[accounts.a]",
        "[accounts.a]\ndeliver = { account = \"b\" }",
    );
    home.config(&config);
    let said = "account a delivers to b, and cannot be fetched without it";
    let asked = home.popfetch(["account", "remove", "b"]).stdin("n\n");
    assert_said(&asked.expect(0), &[said, "nothing was changed"]);
    assert_said(
        &run(&home, &["account", "remove", "b", "--yes"], 0),
        &[said],
    );
    run(&home, &["fetch", "a"], 78);
}
