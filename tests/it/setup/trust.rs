//! Servers whose certificate this machine does not trust: of one's own, of another name, too old.

use super::{QUESTIONS, enter, made};
use crate::given::mail;
use crate::support::account::Security;
use crate::support::certificate::{Authority, Identity, Wanted};
use crate::support::maildrop::Maildrop;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::terminal::Terminal;
use crate::support::tree;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A server with this certificate, and no file for the client to trust.
fn serving(identity: &Identity) -> Server {
    let config = identity.server_config();
    let security = Security::Custom {
        config,
        roots: PathBuf::from("/dev/null"),
    };
    Server::builder(&Maildrop::new(mail(3)))
        .security(security)
        .start()
}

fn after_stls(identity: &Identity) -> Server {
    let config = identity.server_config();
    let security = Security::StartTls {
        config,
        roots: PathBuf::from("/dev/null"),
    };
    Server::builder(&Maildrop::new(mail(3)))
        .security(security)
        .start()
}

fn at(server: &Server) -> String {
    format!("localhost:{}", server.port())
}

/// What is said in one line, however it was broken.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The command that the hint gives, without the period or whatever stands around it.
fn told_command(said: &str) -> String {
    let begins = "/popfetch setup ";
    let line = said.lines().rfind(|line| line.contains(begins));
    let line = line.expect("no command is told");
    let from = line.find('/').unwrap();
    line[from..].to_owned()
}

/// Runs a line as a shell would, in a home of its own, with the password in a pipe.
fn by_shell(home: &Home, line: &str) -> (Option<i32>, String) {
    let directory = home.program().parent().unwrap();
    let path = format!("{}:/usr/bin:/bin", directory.display());
    let mut command = Command::new("sh");
    home.furnish(&mut command);
    command.env("PATH", path).args(["-c", line]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[test]
fn setup_says_why_a_certificate_is_not_trusted_and_the_command_that_it_gives_works_to_the_letter() {
    let authority = Authority::new();
    let own = Wanted::default();
    for (identity, cause) in [
        (Identity::self_signed(&own), "signed by itself alone"),
        (
            authority.issue(&own),
            "no authority that this machine trusts",
        ),
        (
            Identity::self_signed(&Wanted::default().expired()),
            "whoever runs the server must renew it",
        ),
        (
            authority.issue(&Wanted::default().names(&["pop.other.example"])),
            "it is for pop.other.example",
        ),
    ] {
        for server in [serving(&identity), after_stls(&identity)] {
            let home = Home::new();
            let host = at(&server);
            let line = [
                "setup",
                "bob@x.test",
                "--user",
                "ada",
                "--host",
                &host,
                "--yes",
                "--password-stdin",
                "--name",
                "my own",
            ];
            let output = home.popfetch(line).stdin("secret\n").expect(69);
            let said = flat(&output.stderr);
            assert!(said.contains(cause), "{cause}: {said}");
            assert!(said.contains("is not trusted"), "{said}");
            for wrong in [
                "No POP3 server",
                "does not answer",
                "no answer",
                "--host HOST",
            ] {
                assert!(!said.contains(wrong), "{wrong}: {said}");
            }
            assert_eq!(made(&home), [""; 0]);
            let again = told_command(&output.stderr);
            assert!(again.contains("--name 'my own'"), "{again}");
            let (status, said) = by_shell(&home, &format!("echo secret | {again}"));
            assert_eq!(status, Some(0), "{again}\n{said}");
            let fetched = home.popfetch(["fetch"]).expect(0);
            assert_eq!(
                tree::count(&home.path().join("Mail/my own")),
                3,
                "{fetched:?}"
            );
        }
    }
}

#[test]
fn at_a_terminal_a_key_is_trusted_once_its_owner_says_so_and_not_by_enter() {
    let identity = Identity::self_signed(&Wanted::default());
    let server = serving(&identity);
    for (answer, is_trusted) in [("", false), ("y", true)] {
        let home = Home::new();
        let host = at(&server);
        let line = ["setup", "bob@x.test", "--user", "ada", "--host", &host];
        let mut terminal = Terminal::start(&home, 80, &line);
        terminal.wait_for("is not trusted");
        terminal.wait_for("sha256:");
        terminal.answer("(y/N):", answer);
        if !is_trusted {
            terminal.answer("The server's name, if you know it", "");
            terminal.wait_for("--tls-roots pinned --tls-pin sha256:");
            let (status, screen) = terminal.end();
            assert_eq!(status, 69, "{screen}");
            assert!(!screen.contains("Password"), "{screen}");
            assert_eq!(made(&home), [""; 0]);
            continue;
        }
        terminal.answer("Password for ", "secret");
        enter(&mut terminal, &QUESTIONS);
        let (status, screen) = terminal.end();
        assert_eq!(status, 0, "{screen}");
        let config = fs::read_to_string(home.config_file()).unwrap();
        assert!(config.contains("tls-roots = \"pinned\"\n"), "{config}");
        home.popfetch(["fetch"]).expect(0);
    }
}

#[test]
fn each_host_and_port_has_one_line_and_a_named_port_keeps_nobody_waiting() {
    let identity = Identity::self_signed(&Wanted::default());
    let server = serving(&identity);
    let home = Home::new();
    let named = at(&server);
    let line = ["setup", "bob@x.test", "--host", &named, "--print"];
    let began = Instant::now();
    let output = home.popfetch(line).expect(69);
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    let trusted = authority_of_server();
    let began = Instant::now();
    let (server, file) = &trusted;
    let host = at(server);
    let line = [
        "setup",
        "bob@x.test",
        "--host",
        &host,
        "--tls-roots",
        file,
        "--print",
    ];
    let found = home.popfetch(line).expect(0);
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    assert!(
        found.stderr.contains(&format!("Trying {host} ...")),
        "{found:?}"
    );
    let times = output.stderr.matches(&named).count();
    assert_eq!(
        times, 2,
        "where it is tried, and in the command: {output:?}"
    );
}

fn authority_of_server() -> (Server, String) {
    let server = Server::start(&Maildrop::new(mail(1)));
    let file = server.account().roots.unwrap().display().to_string();
    (server, file)
}

#[test]
fn a_file_of_roots_that_cannot_be_loaded_is_said_before_anything_is_asked() {
    let home = Home::new();
    let none = home.private_file("none.pem", "");
    let der = home.private_file("ca.der", "0\u{1}\u{2}");
    for file in [Path::new("/nope.pem"), &none, &der] {
        let file = file.to_str().unwrap();
        let terminal = Terminal::start(&home, 80, &["setup", "--tls-roots", file]);
        let (status, screen) = terminal.end();
        assert_eq!(status, 78, "{screen}");
        assert!(flat(&screen).contains(file), "{screen}");
        assert!(screen.contains("cannot load"), "{screen}");
        assert!(!screen.contains("Your mail address"), "{screen}");
        assert!(!screen.contains("No POP3 server"), "{screen}");
    }
}

#[test]
fn setup_says_what_a_host_is_that_is_no_pop3_server() {
    use crate::support::listener::ClosedPort;
    let home = Home::new();
    let closed = ClosedPort::new();
    let host = format!("localhost:{}", closed.port());
    let output = home
        .popfetch(["setup", "bob@x.test", "--host", &host, "--print"])
        .expect(69);
    let said = flat(&output.stderr);
    assert!(said.contains("it refuses the connection"), "{said}");
    assert!(!said.contains("os error"), "{said}");
    assert!(!said.contains("name it: --host HOST"), "{said}");
    assert_eq!(said.matches(&host).count(), 2, "{said}");
}

#[test]
fn with_yes_an_empty_standard_input_says_how_the_password_comes_in() {
    let (server, file) = authority_of_server();
    let home = Home::new();
    let host = at(&server);
    for option in [&[][..], &["--password-stdin"]] {
        let line = [
            &[
                "setup",
                "ada@x.test",
                "--user",
                "ada",
                "--yes",
                "--host",
                &host,
            ][..],
            &["--tls-roots", &file],
            option,
        ]
        .concat();
        let output = home.popfetch(&line).stdin("").expect(77);
        let said = flat(&output.stderr);
        assert!(said.contains("COMMAND | "), "{said}");
        assert!(said.contains("--password-stdin"), "{said}");
        let again = told_command(&output.stderr);
        let (status, said) = by_shell(&home, &format!("echo secret | {again}"));
        assert_eq!(status, Some(0), "{again}\n{said}");
        fs::remove_dir_all(home.config_file().parent().unwrap()).unwrap();
    }
}
