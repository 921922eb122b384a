//! For scripts: nothing is asked, and everything can be said.

use super::{at_a_record, at_the_usual_name, home_in, made};
use crate::support::dns::{NameServer, Record};
use crate::support::run::Home;
use crate::support::skip::is_root;
use crate::support::terminal::{Terminal, everything};
use crate::support::tree;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

#[test]
fn with_yes_and_a_password_in_a_pipe_nothing_is_asked() {
    let Some((_dovecot, _dns, home)) = at_a_record() else {
        return;
    };
    let line = [
        "setup",
        "ada@example.test",
        "--yes",
        "--password-stdin",
        "--name",
        "home",
        "--latest",
        "2",
        "--delete-after",
        "14 days",
        "--maildir",
        "post",
    ];
    let output = home.popfetch(line).stdin("secret\n").expect(0);
    assert_eq!(output.stdout, "");
    let config = fs::read_to_string(home.config_file()).unwrap();
    assert!(
        config.starts_with("[accounts.home]\nhost = \"mx7.example.test\"\n"),
        "{config}"
    );
    assert!(
        config.contains("keep = \"14 days\"\nlatest = 2\n"),
        "{config}"
    );
    home.popfetch(["fetch"]).expect(0);
    assert_eq!(tree::count(&home.path().join("post")), 2);
}

#[test]
fn with_print_the_account_is_data_and_nothing_is_written() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let output = home
        .popfetch(["setup", "ada@example.test", "--print"])
        .expect(0);
    assert_eq!(
        output.stdout,
        "[accounts.example]\nhost = \"pop.example.test\"\nuser = \"ada@example.test\"\n\
         maildir = \"~/Mail/example\"\nkeep = \"always\"\n"
    );
    assert_eq!(made(&home), [""; 0]);
}

#[test]
fn in_the_background_of_a_terminal_it_does_not_wait_to_be_brought_back() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    // timeout(1) puts what it starts into a process group of its own, which the terminal is not.
    let program = home.program().to_str().unwrap();
    let line = ["20", program, "setup", "ada@example.test", "--print"];
    let terminal = Terminal::start_program(&home, 80, Path::new("timeout"), &line);
    let (status, screen) = terminal.end();
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("host = \"pop.example.test\""), "{screen}");
}

/// The SHA-256 of the key in the authority's or server's certificate, as `--tls-pin` takes it.
fn pin_of(port: u16) -> String {
    // Whom nobody trusts is told with its pin.
    let home = crate::support::run::Home::new();
    let url = format!("pops://ada@127.0.0.1:{port}");
    let output = home
        .popfetch(["check", &url, "--password-stdin"])
        .stdin("secret\n")
        .run();
    let pin = output.stderr.split("sha256:").nth(1).expect("no pin");
    let digits: String = pin.chars().take_while(char::is_ascii_hexdigit).collect();
    assert_eq!(digits.len(), 64, "{output:#?}");
    format!("sha256:{digits}")
}

#[test]
fn what_the_command_line_says_of_the_sign_in_is_tried_and_written() {
    let Some((dovecot, _dns, mut home)) = at_the_usual_name() else {
        return;
    };
    // Only the pin speaks for it.
    home.env("SSL_CERT_FILE", "/dev/null");
    let pin = pin_of(dovecot.account().port);
    let line = [
        "setup",
        "ada@example.test",
        "--yes",
        "--password-stdin",
        "--auth",
        "user-pass",
        "--tls-roots",
        "pinned",
        "--tls-pin",
        &pin,
        "--timeout",
        "5 min",
    ];
    home.popfetch(line).stdin("secret\n").expect(0);
    let config = fs::read_to_string(home.config_file()).unwrap();
    for key in [
        "auth = \"user-pass\"\n",
        "tls-roots = \"pinned\"\n",
        &format!("tls-pin = [\"{pin}\"]\n"),
        "timeout = \"5 min\"\n",
    ] {
        assert!(config.contains(key), "{key}: {config}");
    }
    let output = home.popfetch(["fetch", "-vv"]).expect(0);
    assert!(output.stderr.contains("USER "), "{output:#?}");
    assert_eq!(tree::count(&home.path().join("Mail/example")), 3);
}

#[test]
fn a_pin_that_is_another_server_s_finds_none() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let pin = format!("sha256:{}", "00".repeat(32));
    let line = ["setup", "ada@example.test", "--print", "--tls-pin", &pin];
    let output = home.popfetch(line).stdin("").run();
    assert_ne!(output.status, Some(0), "{output:#?}");
    assert_eq!(made(&home), [""; 0]);
}

#[test]
fn what_setup_cannot_do_of_the_command_line_is_refused_before_anything_is_asked() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    for (options, said) in [
        (&["--auth", "external"][..], "--auth external"),
        (&["--auth", "xoauth2"], "--auth xoauth2"),
        (&["--tls-roots", "pinned"], "--tls-pin"),
        (&["--timeout", "10 ms"], "--timeout"),
    ] {
        let line = [&["setup", "ada@example.test", "--yes"], options].concat();
        let output = home.popfetch(line).stdin("").expect(64);
        assert!(output.stderr.contains(said), "{said}: {output:#?}");
        assert!(!output.stderr.contains("Password"), "{output:#?}");
        assert_eq!(made(&home), [""; 0]);
    }
}

#[test]
fn e_6_without_any_thread_to_be_had_setup_finds_a_server_all_the_same() {
    for at in [at_the_usual_name, at_a_record] {
        let Some((_dovecot, _dns, mut home)) = at() else {
            return;
        };
        // No machine has so much room for a thread's stack.
        home.env("RUST_MIN_STACK", "70368744177664");
        let line = ["setup", "ada@example.test", "--yes", "--password-stdin"];
        let printed = home.popfetch([&line[..2], &["--print"]].concat()).expect(0);
        assert!(printed.stdout.contains("example.test"), "{printed:#?}");
        // What a server sends is met in a thread of its own alone.
        let output = home.popfetch(line).stdin("secret\n").expect(75);
        assert!(output.stderr.contains("ulimit -u"), "{output:#?}");
        assert!(!output.stderr.contains("panicked"), "{output:#?}");
        assert_eq!(made(&home), [""; 0]);
    }
}

#[test]
fn a_wrong_password_in_a_pipe_ends_it() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let line = ["setup", "ada@example.test", "--yes", "--password-stdin"];
    let output = home.popfetch(line).stdin("wrong\n").expect(77);
    assert!(output.stderr.contains("refused the sign-in"), "{output:?}");
    assert_eq!(made(&home), [""; 0]);
}

#[test]
fn without_a_terminal_and_without_answers_nothing_is_guessed() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let output = home.popfetch(["setup"]).expect(64);
    assert!(
        output.stderr.contains("nothing has been written"),
        "{output:?}"
    );
    let output = home.popfetch(["setup", "ada"]).expect(64);
    assert!(
        output.stderr.contains("an address has an @ in it"),
        "{output:?}"
    );
    let output = home.popfetch(["setup", "--yes"]).expect(64);
    assert!(
        output.stderr.contains("setup ada@example.com --yes"),
        "{output:?}"
    );
    let answers = "ada@example.test\nsecret\n\n\n\n\n\n\n";
    home.popfetch(["setup"]).stdin(answers).expect(0);
    assert!(home.config_file().exists());
}

#[test]
fn a_server_in_another_domain_is_not_taken_on_the_word_of_dns() {
    let record = Record::Srv(0, 1, 995, "pop.elsewhere.test");
    let dns = NameServer::start(&[("_pop3s._tcp.example.test", record)]);
    let Some((dovecot, _, _)) = at_the_usual_name() else {
        return;
    };
    let names = [("pop.elsewhere.test:995".to_owned(), dovecot.account().port)];
    let authority = dovecot.authority().pem_file();
    let home = home_in(&names, &dns, authority);
    let line = ["setup", "ada@example.test", "--yes", "--password-stdin"];
    let output = home.popfetch(line).stdin("secret\n").expect(69);
    assert!(output.stderr.contains("--host HOST"), "{output:?}");
    assert!(made(&home).is_empty());
}

#[test]
fn the_lines_that_setup_ends_with_carry_the_config_file_and_work() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let other = home.path().join("my files/mail.toml");
    let file = other.to_str().unwrap();
    let line = [
        "setup",
        "ada@example.test",
        "--yes",
        "--password-stdin",
        "--config",
        file,
    ];
    let output = home.popfetch(line).stdin("secret\n").expect(0);
    let option = format!(" --config '{file}'");
    let lines = output.stderr.lines().skip_while(|line| *line != "Next:");
    let ours = lines.filter(|line| line.ends_with(&option)).map(str::trim);
    let mut ours: Vec<&str> = ours.collect();
    assert!(
        ours[1].contains(" list ") && ours[2].contains(" show 1 "),
        "{ours:?}"
    );
    let timer = ours
        .pop()
        .and_then(|line| line.strip_prefix("*/10 * * * * "));
    ours.extend(timer);
    assert_eq!(ours.len(), 4, "{output:#?}");
    for line in ours {
        let mut command = std::process::Command::new("sh");
        home.furnish(&mut command);
        let ran = command.args(["-c", line]).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
    }
    assert_eq!(tree::count(&home.path().join("Mail/example")), 3);
}

#[test]
fn an_account_is_not_called_like_a_command() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let line = ["setup", "ada@example.test", "--print", "--name", "fetch"];
    let output = home.popfetch(line).expect(64);
    assert!(output.stderr.contains("is a command"), "{output:#?}");
}

#[test]
fn without_a_network_that_is_the_reason_and_what_is_known_is_said() {
    // A machine whose name server is behind a line that is down.
    let dns = NameServer::start_that(crate::support::dns::Manner::Hangs, &[]);
    let home = home_in(&[], &dns, "/etc/ssl/certs/ca-certificates.crt".into());
    for (address, known) in [("ada@gmail.com", "pop.gmail.com"), ("ada@example.test", "")] {
        let output = home.popfetch(["setup", address, "--print"]).expect(75);
        let said = &output.stderr;
        assert!(
            said.to_lowercase().contains("no name server answers"),
            "{said}"
        );
        assert!(said.contains("is there a network?"), "{said}");
        assert!(said.contains(known), "{said}");
        for wrong in ["No POP3 server", "--host HOST", "os error"] {
            assert!(!said.contains(wrong), "{wrong}: {said}");
        }
    }
}

/// A home that knows no server, with the files that are in the way.
fn nowhere_with_obstacles() -> (NameServer, Home) {
    let dns = NameServer::start(&[]);
    let home = home_in(&[], &dns, "/etc/ssl/certs/ca-certificates.crt".into());
    home.private_file("file", "no directory");
    home.private_file("Documents/thesis.txt", "dear reader");
    (dns, home)
}

#[test]
fn a_maildir_that_cannot_be_is_said_before_anybody_is_asked_and_nothing_is_written() {
    let (_dns, home) = nowhere_with_obstacles();
    let other = Home::new();
    let link = other.path().join("link");
    symlink("/nonexistent/disk", &link).unwrap();
    let (link, below) = (link.to_str().unwrap(), link.join("below"));
    let before = everything(home.path());
    for (maildir, status, said) in [
        ("file", 78, "is not a Maildir"),
        ("file/below", 78, "is not a Maildir"),
        ("file/far/below", 78, "is not a Maildir"),
        ("Documents", 78, "is not a Maildir"),
        (link, 73, "leads nowhere"),
        (below.to_str().unwrap(), 73, "leads nowhere"),
        ("a$b", 78, "stands for nothing"),
        ("{box}", 78, "stands for nothing"),
    ] {
        for more in [&["--yes", "--password-stdin"][..], &[], &["--print"]] {
            let line = [&["setup", "ada@example.test", "--maildir", maildir], more].concat();
            let output = home.popfetch(line).stdin("secret\n").expect(status);
            assert!(output.stderr.contains(said), "{maildir}: {output:#?}");
            assert!(output.stderr.contains("hint: "), "{maildir}: {output:#?}");
            assert!(!output.stderr.contains("Password"), "{output:#?}");
            assert!(everything(home.path()) == before, "{maildir}");
        }
    }
}

#[test]
fn a_maildir_where_nothing_may_be_written_is_said_before_anybody_is_asked() {
    let (_dns, home) = nowhere_with_obstacles();
    let locked = home.path().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o500)).unwrap();
    let line = [
        "setup",
        "ada@example.test",
        "--yes",
        "--maildir",
        "locked/mail",
    ];
    let started = match is_root() {
        // Root may write everywhere.
        true => {
            let given = Command::new("chown")
                .args(["-R", "65534"])
                .arg(home.path())
                .status();
            assert!(given.unwrap().success());
            home.popfetch_under("setpriv", &["--reuid=65534", "--clear-groups", "--"], &line)
        }
        false => home.popfetch(line),
    };
    let output = started.stdin("secret\n").expect(73);
    assert!(
        output.stderr.contains("cannot create the Maildir"),
        "{output:#?}"
    );
}

#[test]
fn a_name_a_user_a_secret_or_a_config_file_that_cannot_be_is_said_before_anybody_is_asked() {
    let (_dns, home) = nowhere_with_obstacles();
    home.config("[accounts.here]\nhost = \"pop.example.com\"\nuser = \"bob\"\n");
    let before = everything(home.path());
    for (options, status, said) in [
        (
            &["--name", "here"][..],
            64,
            "there is an account `here` already",
        ),
        (&["--name", "a/b"], 64, "cannot have a `/`"),
        (&["--name", "fetch"], 64, "is a command"),
        (&["--user", ""], 64, "--user"),
        (&["--secret", "keyring"], 77, "no keyring answers"),
        (&["--config", "file/config.toml"], 74, "cannot write"),
    ] {
        let line = [
            &["setup", "ada@example.test", "--yes", "--password-stdin"],
            options,
        ]
        .concat();
        let output = home.popfetch(line).stdin("secret\n").expect(status);
        assert!(output.stderr.contains(said), "{options:?}: {output:#?}");
        assert!(output.stderr.contains("hint: "), "{options:?}: {output:#?}");
        assert!(!output.stderr.contains("No POP3 server"), "{output:#?}");
        assert!(everything(home.path()) == before, "{options:?}");
    }
}

#[test]
fn with_yes_an_address_that_is_not_there_is_asked_for_with_the_line_to_type() {
    let (_dns, home) = nowhere_with_obstacles();
    for option in ["--yes", "--print"] {
        let output = home.popfetch(["setup", option]).stdin("").expect(64);
        let wanted = format!("popfetch setup ada@example.com {option}");
        assert!(output.stderr.contains(&wanted), "{output:#?}");
    }
}

/// Root may write there, the system says, and nothing can be made there all the same.
#[test]
fn a_maildir_that_cannot_be_made_is_said_before_anything_is_asked() {
    let dns = NameServer::start(&[]);
    let home = home_in(&[], &dns, "/dev/null".into());
    for maildir in ["/proc/mail", "/proc/self/fdinfo/a/b"] {
        let line = ["setup", "ada@example.test", "--yes", "--maildir", maildir];
        let output = home.popfetch(line).run();
        assert!(matches!(output.status, Some(73 | 78)), "{output:#?}");
        assert!(output.stderr.contains("--maildir"), "{output:#?}");
        assert!(output.stderr.contains(maildir), "{output:#?}");
    }
    assert_eq!(made(&home), [""; 0]);
}

#[test]
fn what_was_made_to_try_a_maildir_is_gone_again() {
    let dns = NameServer::start(&[]);
    let home = home_in(&[], &dns, "/dev/null".into());
    let line = ["setup", "ada@example.test", "--yes", "--maildir", "new/box"];
    // Nothing is found, and nothing was written.
    let output = home.popfetch(line).run();
    assert_ne!(output.status, Some(0), "{output:#?}");
    assert!(!output.stderr.contains("--maildir"), "{output:#?}");
    assert_eq!(made(&home), [""; 0]);
}

#[test]
fn a_path_that_a_shell_has_left_alone_is_one_in_the_home_directory() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let arguments = ["setup", "ada@example.test", "--print", "--maildir=~/post"];
    let output = home.popfetch(arguments).expect(0);
    assert!(
        output.stdout.contains("maildir = \"~/post\"\n"),
        "{output:?}"
    );
}
