use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::{Named, Scene, shell};
use crate::given::{assert_said, mail, server};
use crate::support::maildrop::Maildrop;
use crate::support::process::make_program;
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use crate::support::tree;

/// What is said where the password comes by this key.
fn with_key(key: &str, status: i32) -> (Home, Output) {
    let (server, home) = server(1);
    let text = home.account_config("a", &server.account());
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("password-file"));
    let text: Vec<&str> = lines.collect();
    home.config(&format!("{}\n{key}\n", text.join("\n")));
    let output = home.popfetch(["fetch"]).expect(status);
    assert!(server.sessions().is_empty());
    (home, output)
}

#[test]
fn hint_each_way_in_which_a_password_command_cannot_be_started_has_its_own_way_on() {
    let home = crate::support::scratch::directory();
    let script = |name: &str, text: &str, mode: u32| {
        let path = home.path().join(name);
        make_program(&path, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let plain = script("plain", "echo secret\n", 0o600);
    let lost = script("lost", "#!/no/such/shell\necho secret\n", 0o700);
    let odd = script("odd", "\u{1}", 0o700);
    for (program, said) in [
        (
            "pass-of-nobody",
            "PATH, which is short under cron: write its path in full",
        ),
        ("~/bin/pass", "bin/pass in its place"),
        ("$HOME/bin/pass", "bin/pass in its place"),
        (
            "pass show mail",
            "a list of the program and its arguments, each in quotes",
        ),
        ("/no/such/pass", "there is no /no/such/pass"),
        (lost.as_str(), "its first line (#!) names"),
        (plain.as_str(), "run: chmod u+x "),
        (odd.as_str(), "must name what runs it"),
    ] {
        let key = format!("password-command = [{program:?}]");
        let (_, output) = with_key(&key, 77);
        assert_said(
            &output,
            &["cannot run the password command", said, "hint: "],
        );
    }
}

#[test]
fn hint_a_password_command_that_may_not_be_run_may_be_after_the_command_of_the_hint() {
    let home = crate::support::scratch::directory();
    let path = home.path().join("my pass");
    make_program(&path, "#!/bin/sh\necho secret\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let (ours, output) = with_key(&format!("password-command = [{path:?}]"), 77);
    let command = super::command_in(&output.stderr, "chmod u+x");
    shell(&ours, &command).expect(0);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o100, 0o100);
}

#[test]
fn hint_a_token_command_is_called_that() {
    let (_, output) = with_key("oauth = { token-command = [\"no-such-helper\"] }", 77);
    assert_said(
        &output,
        &["the token command `no-such-helper`", "`token-command`"],
    );
    let (_, output) = with_key("oauth = { token-command = [\"false\"] }", 77);
    assert_said(
        &output,
        &[
            "the token command `false` failed",
            "run the command by itself",
        ],
    );
}

#[test]
fn hint_a_password_file_that_is_missing_is_made_by_the_command_of_the_hint() {
    let server = Server::start(&Maildrop::new(mail(1)));
    let scene = Scene::new(server, Named::Config);
    let file = scene.home.path().join("a.password");
    fs::remove_file(&file).unwrap();
    let told = scene.fetch(77);
    let made = scene.follow(&told, "(umask 077 &&");
    assert_eq!(made.status, Some(0), "{made:#?}");
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    scene.fetch(0);
    assert_eq!(tree::count(&scene.maildir), 1);
}

#[test]
fn hint_a_password_file_whose_directory_is_missing_is_made_with_it_for_its_owner_alone() {
    let (ours, output) = with_key("password-file = \"~/my secrets/mail/a\"", 77);
    let command = super::command_in(&output.stderr, "(umask 077 &&");
    shell(&ours, &command).stdin("secret\n").expect(0);
    for (name, mode) in [
        ("my secrets", 0o700),
        ("my secrets/mail", 0o700),
        ("my secrets/mail/a", 0o600),
    ] {
        let path = ours.path().join(name);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, mode, "{name}");
    }
    let text = fs::read_to_string(ours.path().join("my secrets/mail/a")).unwrap();
    assert_eq!(text, "secret\n");
}

#[test]
fn hint_a_netrc_file_that_is_missing_is_made_by_the_command_and_the_line_of_the_hint() {
    let (server, home) = server(1);
    let account = server.account();
    let text = home.account_config("a", &account);
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("password-file"));
    let lines: Vec<&str> = lines.collect();
    home.config(&format!("{}\npassword-netrc = true\n", lines.join("\n")));
    let told = home.popfetch(["fetch"]).expect(77);
    assert_said(&told, &["there is no netrc file"]);
    let line = super::command_in(&told.stderr, "machine ").replace("...", &account.password);
    assert!(line.contains(&format!("login {}", account.user)), "{line}");
    let command = super::command_in(&told.stderr, "(umask 077 &&");
    shell(&home, &command).stdin(line + "\n").expect(0);
    home.popfetch(["fetch"]).expect(0);
    assert_eq!(tree::count(&home.maildir("a")), 1);
}

#[test]
fn a_password_is_not_put_where_nothing_reads_it() {
    for (key, said) in [
        ("password-file = \"~/a.password\"", "(umask 077 && cat > "),
        ("password-command = [\"echo\", \"secret\"]", "`echo`"),
        ("password-netrc = true", ".netrc"),
        ("password-credential = \"mail\"", "LoadCredential="),
        ("password = \"secret\"", "the config file"),
        ("oauth = { token-command = [\"token\"] }", "token-command"),
    ] {
        let (server, home) = server(1);
        let text = home.account_config("a", &server.account());
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("password-file"));
        let lines: Vec<&str> = lines.collect();
        home.config(&format!("{}\n{key}\n", lines.join("\n")));
        let set = home.popfetch(["password", "set", "a"]).stdin("secret\n");
        let output = set.expect(78);
        assert_said(&output, &["error: ", "hint: ", said]);
        assert!(!output.stderr.contains("stored"), "{output:#?}");
    }
}

#[test]
fn hint_what_others_can_read_is_closed_by_the_command_of_the_hint() {
    let server = Server::start(&Maildrop::new(mail(1)));
    let scene = Scene::new(server, Named::Config);
    let file = scene.home.path().join("a.password");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let told = scene.fetch(77);
    scene.follow(&told, "chmod 600");
    scene.fetch(0);
    // The config file itself, whose path a shell would take apart.
    scene.configure("password = \"secret\"\n");
    let config = scene.home.path().join("other place/popfetch.toml");
    let text = fs::read_to_string(&config).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("password-file"));
    fs::write(&config, lines.collect::<Vec<_>>().join("\n")).unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).unwrap();
    let told = scene.fetch(78);
    scene.follow(&told, "chmod 600");
    scene.fetch(0);
}

#[test]
fn hint_without_a_terminal_or_keyring_a_url_is_given_its_password_by_a_pipe() {
    let server = Server::start(&Maildrop::new(mail(1)));
    let scene = Scene::new(server, Named::Url);
    let told = scene
        .home
        .popfetch(["fetch", &scene.url(), "--maildir", "M"]);
    let told = told.expect(77);
    assert_said(&told, &["no terminal to ask for it", "--password-stdin"]);
    assert!(
        !told.stderr.contains("password set"),
        "there is no keyring: {told:#?}"
    );
    scene.fetch(0);
}

/// A path as it is written for a shell, and what its file would be printed by.
#[test]
fn hint_a_word_for_a_shell_in_a_password_command_is_to_be_written_as_the_hint_says() {
    for written in ["~/pw file", "$HOME/pw", "${HOME}/pw"] {
        let (server, home) = server(1);
        let name = written.rsplit('/').next().unwrap();
        home.private_file(name, &format!("{}\n", server.account().password));
        let text = home.account_config("a", &server.account());
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("password-file"));
        let text: Vec<&str> = lines.collect();
        let config = |path: &str| {
            let text = text.join("\n");
            home.config(&format!("{text}\npassword-command = [\"cat\", {path:?}]\n"));
        };
        config(written);
        let output = home.popfetch(["fetch"]).expect(77);
        let wanted = home.path().join(name);
        let wanted = wanted.to_str().unwrap();
        assert_said(
            &output,
            &["the password command `cat` failed", "hint: ", written],
        );
        assert_said(&output, &[&format!("write {wanted} in its place")]);
        config(wanted);
        home.popfetch(["fetch"]).expect(0);
    }
    // Not where it is a shell that sees them, and not where nothing can be said for certain.
    let (_, output) = with_key(
        "password-command = [\"sh\", \"-c\", \"cat $HOME/none\"]",
        77,
    );
    assert_said(&output, &["run the command by itself"]);
    let (_, output) = with_key("password-command = [\"cat\", \"$PASSWORDS/a\"]", 77);
    assert_said(&output, &["`$PASSWORDS/a`", "have a shell do it"]);
    let (_, output) = with_key("password-command = [\"cat\", \"a$\"]", 77);
    assert_said(&output, &["run the command by itself"]);
}

#[test]
fn hint_a_variable_or_a_word_in_braces_is_refused_in_every_path_of_the_config_file() {
    for (key, words) in [
        ("maildir", true),
        ("password-file", true),
        ("password-netrc", true),
        ("tls-roots", false),
        ("tls-client-cert", false),
    ] {
        let home = Home::new();
        let config = |value: &str| {
            home.config(&format!(
                "[accounts.a]\nhost = \"localhost\"\nuser = \"u\"\n{key} = {value:?}\n"
            ));
        };
        for value in ["$HOME/x", "/x/${USER}", "~/{acount}"] {
            config(value);
            let output = home.popfetch(["account", "show", "a"]).expect(78);
            assert_said(&output, &["stands for nothing in a path here", key]);
        }
        config("~/{account}");
        let shown = home.popfetch(["account", "show", "a"]).run();
        assert_eq!(
            shown.status,
            Some(if words { 0 } else { 78 }),
            "{key}: {shown:#?}"
        );
        config("~/x");
        home.popfetch(["account", "show", "a"]).expect(0);
    }
}

#[test]
fn hint_a_tilde_behind_an_equals_sign_is_the_home_directory_on_the_command_line() {
    let (_server, home) = server(1);
    fs::rename(home.config_file(), home.path().join("own.toml")).unwrap();
    home.popfetch(["--config=~/own.toml", "fetch", "--maildir=~/there"])
        .expect(0);
    assert_eq!(tree::count(&home.path().join("there")), 1);
}
