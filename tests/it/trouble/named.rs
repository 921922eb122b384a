//! Files that a person names, and that are none.

use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;

use crate::given::{assert_said, mail, run, server};
use crate::support::tree;

/// Makes something at a path.
type Make = fn(&Path);

/// What may stand where a file is meant, and what makes it so.
const INSTEAD: [(&str, Make); 4] = [
    ("a pipe that nobody writes to", |path| {
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    }),
    ("a directory", |path| fs::create_dir(path).unwrap()),
    ("a device without end", |path| {
        std::os::unix::fs::symlink("/dev/zero", path).unwrap();
    }),
    ("a socket", |path| drop(UnixListener::bind(path).unwrap())),
];

fn clear(path: &Path) {
    if fs::remove_file(path).is_err() {
        let _nothing = fs::remove_dir(path);
    }
}

#[test]
fn a_config_file_that_is_no_file_is_named_and_holds_nobody_up() {
    let (server, home) = server(2);
    let path = home.config_file();
    for (what, make) in INSTEAD {
        clear(&path);
        make(&path);
        for arguments in [&["fetch"][..], &["account", "list"]] {
            let output = run(&home, arguments, 78);
            assert_said(&output, &[path.to_str().unwrap()]);
            assert!(!output.stderr.contains("panicked"), "{what}: {output:#?}");
        }
    }
    assert!(server.sessions().is_empty());
}

#[test]
fn a_config_file_may_be_a_pipe_that_somebody_writes_to() {
    let (_server, home) = server(2);
    let config = home.config_file();
    let line = format!("cat '{}' | \"$@\" --config /dev/stdin", config.display());
    let run = home.popfetch_under("sh", &["-c", &line, "sh"], &["fetch"]);
    run.expect(0);
    tree::assert_holds(&home.maildir("a"), &mail(2));
}

/// The same for what an account names, each with its key and the exit status.
#[test]
fn a_secret_or_a_certificate_that_is_no_file_is_named_and_holds_nobody_up() {
    let keys = [
        ("password-file", 77),
        ("password-netrc", 77),
        ("tls-roots", 78),
        ("tls-client-cert", 78),
        ("tls-client-key", 78),
    ];
    for (key, status) in keys {
        let (server, home) = server(2);
        let path = home.path().join("instead");
        let shown = format!("{path:?}");
        let config = home.account_config("a", &server.account());
        let is_other = |line: &&str| {
            let secret = key.starts_with("password") && line.starts_with("password");
            !secret && !line.starts_with(key)
        };
        let mut lines: Vec<String> = config.lines().filter(is_other).map(str::to_owned).collect();
        lines.push(format!("{key} = {shown}"));
        if key.starts_with("tls-client") {
            let roots = server.account().roots.unwrap();
            let other = match key {
                "tls-client-cert" => format!("tls-client-key = {roots:?}"),
                _ => format!("tls-client-cert = {roots:?}"),
            };
            lines.push(other);
        }
        home.config(&(lines.join("\n") + "\n"));
        for (what, make) in INSTEAD {
            clear(&path);
            make(&path);
            let output = home.popfetch(["fetch"]).run();
            assert_eq!(output.status, Some(status), "{key}, {what}: {output:#?}");
            assert_said(&output, &["instead", "hint: "]);
        }
        assert!(server.sessions().is_empty(), "{key}");
    }
}

/// Whatever cannot be opened for want of files, the password and the certificate are not to blame.
#[test]
fn e_6_a_password_that_cannot_be_read_for_want_of_files_is_not_called_wrong() {
    for key in ["password-file", "password-netrc", "password-command"] {
        let (server, home) = server(2);
        let account = server.account();
        let config = home.account_config("a", &account);
        let lines = config.lines().filter(|line| !line.starts_with("password"));
        let netrc = format!(
            "machine {} login {} password {}\n",
            account.host, account.user, account.password
        );
        let password = match key {
            "password-file" => home.private_file("secret", &account.password),
            _ => home.private_file("netrc", &netrc),
        };
        let value = match key {
            "password-command" => format!("[\"echo\", {:?}]", account.password),
            _ => format!("{password:?}"),
        };
        let lines: String = lines.map(|line| format!("{line}\n")).collect();
        home.config(&format!("{lines}{key} = {value}\n"));
        for files in 3..24 {
            let script = format!("ulimit -n {files}; exec \"$@\"");
            let run = home.popfetch_under("sh", &["-c", &script, "sh"], &["fetch"]);
            let output = run.run();
            match output.status {
                Some(0) => {}
                Some(74 | 75) => assert_said(&output, &["ulimit -n"]),
                // Without so many no program starts at all.
                Some(127) => assert!(output.stderr.contains("shared librar"), "{output:#?}"),
                _ => panic!("{key}, {files} files: {output:#?}"),
            }
        }
    }
}
