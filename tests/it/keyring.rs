//! Where passwords come from: the keyring, a command, a file, standard input.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use crate::given::{assert_said, mail, run, server};
use crate::support::keyring::{Bus, Keyring};
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use crate::support::tree;

/// A server, and a home whose account gets its password in the way that `keys` say.
fn with_keys(keys: &str) -> (Server, Home) {
    let (server, home) = server(2);
    let text = home.account_config("a", &server.account());
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("password-file"));
    let lines: Vec<&str> = lines.collect();
    home.config(&format!("{}\n{keys}\n", lines.join("\n")));
    (server, home)
}

/// Ends with 77 within a time that cron can bear, without a word to the server.
#[track_caller]
fn has_no_password(server: &Server, home: &Home, words: &[&str]) -> Output {
    let began = Instant::now();
    let output = run(home, &["fetch"], 77);
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    assert_said(&output, &["error: a: ", "hint: "]);
    assert_said(&output, words);
    assert!(server.sessions().is_empty());
    output
}

#[test]
fn a_password_from_a_pipe_goes_into_the_keyring_and_out_again() {
    let Some(keyring) = Keyring::unlocked() else {
        return;
    };
    let (server, mut home) = with_keys("password-keyring = true");
    keyring.serve(&mut home);
    has_no_password(
        &server,
        &home,
        &["no password for account `a`", "password set a"],
    );
    let set = home.popfetch(["password", "set", "a"]).stdin("secret\n");
    let output = set.expect(0);
    assert_said(&output, &["a: password stored"]);
    assert!(!output.stderr.contains("secret"), "{output:#?}");
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(2));
    run(&home, &["password", "remove", "a"], 0);
    let output = run(&home, &[], 77);
    assert_said(&output, &["no password for account `a`"]);
    run(&home, &["password", "remove", "a"], 77);
}

#[test]
fn where_the_keyring_is_not_looked_into_no_password_is_put_there() {
    let Some(keyring) = Keyring::unlocked() else {
        return;
    };
    for key in ["", "password-file = \"~/a.password\""] {
        let (_server, mut home) = with_keys(key);
        keyring.serve(&mut home);
        let set = home.popfetch(["password", "set", "a"]).stdin("secret\n");
        let output = set.expect(78);
        assert_said(&output, &["password-keyring = true below [accounts.a]"]);
        // As it says.
        let text = fs::read_to_string(home.config_file()).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("password-"));
        let lines: Vec<&str> = lines.collect();
        home.config(&format!("{}\npassword-keyring = true\n", lines.join("\n")));
        let set = home.popfetch(["password", "set", "a"]).stdin("secret\n");
        set.expect(0);
        run(&home, &[], 0);
    }
}

#[test]
fn a_new_password_replaces_the_old_one() {
    let Some(keyring) = Keyring::unlocked() else {
        return;
    };
    let (_server, mut home) = with_keys("password-keyring = true");
    keyring.serve(&mut home);
    for (password, status) in [("wrong", 77), ("secret", 0)] {
        let set = home
            .popfetch(["password", "set", "a", "-q"])
            .stdin(password);
        assert_eq!(set.expect(0).stderr, "");
        // What is remembered of a password may be the same of another one.
        run(&home, &["fetch", "--now"], status);
    }
}

#[test]
fn a_locked_keyring_ends_the_run_under_cron() {
    let Some(keyring) = Keyring::locked() else {
        return;
    };
    let (server, mut home) = with_keys("password-keyring = true");
    keyring.serve(&mut home);
    // What it holds can be listed without unlocking it, and this is not among it.
    let instead = ["password-command", "password-file", "password-credential"];
    has_no_password(&server, &home, &["keyring", "password set a"]);
    has_no_password(&server, &home, &instead);
    // Unlocking it takes a prompt that nobody can see.
    let set = home.popfetch(["password", "set", "a"]).stdin("secret\n");
    let output = set.limit(Duration::from_secs(30)).expect(77);
    assert_said(&output, &["error: ", "keyring", "hint: unlock"]);
}

#[test]
fn a_bus_without_a_keyring_ends_the_run_too() {
    let Some(bus) = Bus::start() else {
        return;
    };
    let (server, mut home) = with_keys("password-keyring = true");
    bus.serve(&mut home);
    has_no_password(&server, &home, &["keyring", "password-file"]);
}

#[test]
fn so_does_the_lack_of_any_bus() {
    let (server, mut home) = with_keys("password-keyring = true");
    home.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    has_no_password(&server, &home, &["keyring", "password-file"]);
}

#[test]
fn a_password_command_is_run_without_a_shell_and_its_first_line_counts() {
    let command = "password-command = [\"printf\", \"%s\\\\n\", \"secret\", \"user: ada\"]";
    let (_server, home) = with_keys(command);
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(2));
}

#[test]
fn s29_a_password_command_that_fails_is_named_and_nothing_is_sent() {
    for (command, words) in [
        ("[\"false\"]", &["`false` failed"][..]),
        (
            "[\"/nonexistent/pass\", \"show\"]",
            &["cannot run", "/nonexistent/pass"],
        ),
        ("[\"true\"]", &["password is empty"]),
        ("[\"printf\", \"a\\\\000b\"]", &["line break or NUL"]),
    ] {
        let (server, home) = with_keys(&format!("password-command = {command}"));
        has_no_password(&server, &home, words);
    }
}

#[test]
fn what_a_password_command_printed_is_never_shown() {
    let script = "password-command = [\"sh\", \"-c\", \"echo tr0ub4dor; exit 3\"]";
    let (server, home) = with_keys(script);
    let output = has_no_password(&server, &home, &["failed"]);
    assert!(!output.stderr.contains("tr0ub4dor\n"), "{output:#?}");
}

#[test]
fn a_password_file_must_be_ones_own_secret() {
    let (server, home) = server(2);
    run(&home, &[], 0);
    let file = home.path().join("a.password");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let output = run(&home, &[], 77);
    assert_said(
        &output,
        &["error: a: ", "can be read by others", "chmod 600"],
    );
    assert_eq!(server.sessions().len(), 1);
    fs::remove_file(&file).unwrap();
    assert_said(&run(&home, &[], 77), &["cannot read the password file"]);
}

#[test]
fn s26_spaces_belong_to_a_password_and_a_line_end_does_not() {
    let maildrop = crate::support::maildrop::Maildrop::new(mail(1));
    let (_server, home) = Server::builder(&maildrop)
        .credentials("ada", " two  words ")
        .with_home("");
    for line_end in ["", "\n", "\r\n", "\nlogin: ada\n"] {
        home.private_file("a.password", &format!(" two  words {line_end}"));
        run(&home, &[], 0);
    }
}

#[test]
fn a_password_can_come_from_standard_input_without_any_config() {
    let (server, home) = server(2);
    fs::remove_file(home.config_file()).unwrap();
    let account = server.account();
    let url = format!("pops://ada@localhost:{}", account.port);
    let roots = account.roots.unwrap();
    let maildir = home.path().join("inbox");
    let arguments = [
        "fetch",
        &url,
        "--password-stdin",
        "--tls-roots",
        roots.to_str().unwrap(),
        "--maildir",
        maildir.to_str().unwrap(),
    ];
    let output = home.popfetch(arguments).stdin("secret\n").expect(0);
    assert_said(&output, &["2 new messages"]);
    tree::assert_holds(&maildir, &mail(2));
    let output = home.popfetch(arguments).expect(77);
    assert_said(&output, &["password is empty"]);
}

#[test]
fn s26_a_url_cannot_smuggle_in_a_command() {
    let (server, home) = server(1);
    let url = format!("pops://ada%0d%0aDELE%201@localhost:{}", server.port());
    let run = home.popfetch(["check", &url, "--password-stdin"]);
    let output = run.stdin("secret\n").run();
    assert!(matches!(output.status, Some(64 | 78)), "{output:#?}");
    assert!(server.sessions().is_empty());
}

#[test]
fn standard_input_holds_one_password_only() {
    let (first, home) = server(1);
    let (second, _) = server(1);
    let text = home.account_config("a", &first.account());
    home.config(&(text + &home.account_config("b", &second.account())));
    let fetch = home.popfetch(["fetch", "--password-stdin"]);
    let output = fetch.stdin("secret\n").expect(64);
    assert_said(&output, &["has one password", "name one account"]);
    assert!(first.sessions().is_empty() && second.sessions().is_empty());
}

#[test]
fn s47_a_password_from_a_credential_or_a_netrc_file_signs_in_and_is_not_shown() {
    let (server, mut home) = with_keys("password-credential = \"mail\"");
    has_no_password(
        &server,
        &home,
        &["no systemd service", "LoadCredential=mail:"],
    );
    home.private_file("credentials/mail", "secret\n");
    let directory = home.path().join("credentials");
    home.env("CREDENTIALS_DIRECTORY", directory.to_str().unwrap());
    let output = run(&home, &["-vv"], 0);
    assert!(!output.stderr.contains("secret"), "{output:#?}");
    tree::assert_holds(&home.maildir("a"), &mail(2));

    let (server, home) = with_keys("password-netrc = true");
    home.private_file(".netrc", "machine localhost login bob password secret\n");
    let output = has_no_password(&server, &home, &["machine localhost, login ada"]);
    assert!(!output.stderr.contains("secret"), "{output:#?}");
    home.private_file(
        ".netrc",
        "machine localhost login ada password \"secret\"\n",
    );
    let output = run(&home, &["-vv"], 0);
    assert!(!output.stderr.contains("secret"), "{output:#?}");
    tree::assert_holds(&home.maildir("a"), &mail(2));
}

#[test]
fn account_show_tells_where_each_password_comes_from() {
    for (keys, words, program) in [
        (
            "password-credential = \"mail\"",
            "in the systemd credential `mail`",
            "credential",
        ),
        ("password-netrc = \"~/n\"", "in the netrc file ", "netrc"),
        (
            "password-keyring = true",
            "in the system keyring",
            "keyring",
        ),
    ] {
        let (_server, home) = with_keys(keys);
        let shown = run(&home, &["account", "show", "a"], 0).stdout;
        assert!(shown.contains(words), "{shown}");
        let shown = run(&home, &["account", "show", "a", "--format", "json"], 0).stdout;
        assert!(
            shown.contains(&format!("\"password_from\":\"{program}\"")),
            "{shown}"
        );
    }
}
