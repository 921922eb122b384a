//! What is the same for all tools: formats, questions, passwords, files that cannot be read.

use super::taken::{count, mpop};
use crate::given::{assert_said, fdm_config, run, server};
use crate::support::keyring::Keyring;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::skip::is_root;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const NAMES: &[&str] = &["uid-1", "uid-2"];

/// fdm's config for the server, as the account "a", and its unique-ids.
fn fdm(home: &Home, server: &Server) {
    let account = server.account();
    let text = format!(
        "set verify-certificates\naccount \"a\" pop3s server \"{}\" port {}\n\tuser \"{}\" pass \"{}\"\n\
         \tnew-only cache \"{}\" keep\nmatch all action maildir \"{}\"\n",
        account.host,
        account.port,
        account.user,
        account.password,
        home.path().join("cache").display(),
        home.maildir("a").display(),
    );
    home.private_file(".fdm.conf", &text);
    home.private_file("cache", "5 uid-1\n5 uid-2\n");
    let _missing = fs::remove_file(home.config_file());
}

fn objects(text: &str) -> Vec<serde_json::Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn as_json_each_line_account_and_import_is_an_object_without_a_password() {
    let (server, home) = server(2);
    fdm(&home, &server);
    let output = run(&home, &["import", "fdm", "-y", "--format", "json"], 0);
    let password = server.account().password;
    assert!(!format!("{output:?}").contains(&password), "{output:?}");
    let objects = objects(&output.stdout);
    let of = |event: &str| {
        objects
            .iter()
            .filter(|it| it["event"] == event)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("line").len() + 2, objects.len());
    let fates = ["taken", "changed", "no-counterpart"];
    assert!(of("line").iter().all(|line| {
        line["tool"] == "fdm" && line["line"].is_u64() && fates.iter().any(|it| line["fate"] == *it)
    }));
    let [account] = &of("account")[..] else {
        panic!("{objects:?}");
    };
    assert_eq!(
        (&account["account"], &account["seen"]),
        (&"a".into(), &2.into())
    );
    assert_eq!(
        (&account["standing"], &account["moves_password"]),
        (&"new".into(), &true.into())
    );
    let [imported] = &of("imported")[..] else {
        panic!("{objects:?}");
    };
    assert_eq!(
        (&imported["new"], &imported["written"]),
        (&2.into(), &true.into())
    );
}

#[test]
fn without_a_terminal_or_yes_and_in_a_dry_run_nothing_is_changed() {
    let (server, home) = server(2);
    for (arguments, status) in [
        (&["import", "fdm"][..], 64),
        (&["import", "fdm", "-n"], 0),
        (&["import", "fdm", "--dry-run", "--yes"], 0),
    ] {
        fdm(&home, &server);
        let output = run(&home, arguments, status);
        assert!(output.stdout.contains("account a: "), "{output:?}");
        if status == 64 {
            assert_said(&output, &["nothing was taken over", "--yes"]);
        }
        assert!(!home.config_file().exists() && !home.state().exists());
        assert!(server.sessions().is_empty());
    }
}

#[test]
fn a_password_moves_into_the_keyring_and_is_shown_nowhere() {
    let Some(keyring) = Keyring::unlocked() else {
        return;
    };
    let (server, mut home) = server(3);
    keyring.serve(&mut home);
    mpop(&home, &server, "on", NAMES);
    let password = server.account().password;
    let output = run(&home, &["import", "mpop", "-y"], 0);
    assert!(!format!("{output:?}").contains(&password), "{output:?}");
    let config = fs::read_to_string(home.config_file()).unwrap();
    assert!(config.contains("password-keyring = true"), "{config}");
    assert!(!config.contains(&password), "{config}");
    run(&home, &["fetch", "a"], 0);
    assert_eq!(count(&home), 1);
}

#[test]
fn without_a_keyring_a_password_moves_into_a_file_that_only_its_owner_can_read() {
    let (server, mut home) = server(3);
    home.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    mpop(&home, &server, "on", NAMES);
    let password = server.account().password;
    let output = run(&home, &["import", "mpop", "-y"], 0);
    assert!(!format!("{output:?}").contains(&password), "{output:?}");
    let files = || {
        let directory = home.config_file().parent().unwrap().to_owned();
        let entries = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = entries
            .filter(|it| it.extension().is_some_and(|end| end == "password"))
            .collect();
        files.sort();
        files
    };
    let [file] = &files()[..] else {
        panic!("{:?}", files());
    };
    assert_eq!(
        fs::metadata(file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(fs::read_to_string(file).unwrap(), format!("{password}\n"));
    let config = fs::read_to_string(home.config_file()).unwrap();
    assert!(!config.contains(&password), "{config}");
    run(&home, &["fetch", "a"], 0);
    assert_eq!(count(&home), 1);
    // Once more, and there is no second one.
    run(&home, &["import", "mpop", "-y"], 0);
    assert_eq!(files().len(), 1);
}

#[test]
fn a_command_for_the_password_stays_a_command() {
    let (server, home) = server(3);
    fdm(&home, &server);
    let path = home.path().join(".fdm.conf");
    let text = fs::read_to_string(&path).unwrap();
    let password = server.account().password;
    home.private_file("pw", &format!("{password}\n"));
    let command = format!("pass $(cat {})", home.path().join("pw").display());
    let text = text.replace(&format!("pass \"{password}\""), &command);
    home.private_file(".fdm.conf", &text);
    let roots = server.account().roots.unwrap();
    run(&home, &["import", "fdm", "-y"], 0);
    let config = fs::read_to_string(home.config_file()).unwrap();
    assert!(config.contains("password-command = [\"cat\", "), "{config}");
    let fetch = home
        .popfetch(["fetch", "a"])
        .env("SSL_CERT_FILE", roots.to_str().unwrap());
    fetch.expect(0);
    assert_eq!(count(&home), 1);
}

#[test]
fn files_that_cannot_be_read_are_named_and_nothing_is_changed() {
    let (server, home) = server(2);
    for file in [".fdm.conf", "cache"] {
        fdm(&home, &server);
        let path = home.path().join(file);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let output = run(&home, &["import", "fdm", "-y"], 74);
        assert_said(&output, &[path.to_str().unwrap(), "nothing was changed"]);
        fs::remove_dir(&path).unwrap();
        if !is_root() {
            fdm(&home, &server);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
            let output = run(&home, &["import", "fdm", "-y"], 74);
            assert_said(&output, &[path.to_str().unwrap(), "nothing was changed"]);
            fs::remove_file(&path).unwrap();
        }
        assert!(!home.config_file().exists() && !home.state().exists());
    }
}

#[test]
fn what_is_wrong_in_fdms_files_is_told_with_its_line_and_changes_nothing() {
    let (server, home) = server(2);
    let wrong: [(&str, &[u8], i32, &str); 9] = [
        (
            ".fdm.conf",
            b"account \"a\" pop3 server \"h\" user \"u\" pass \"\xff\"\n",
            78,
            "line 1",
        ),
        (
            ".fdm.conf",
            b"set no-create\naccount \"a\" pop3 ser",
            78,
            "line 2",
        ),
        (".fdm.conf", b"defaults\ntls on\n", 78, "line 1"),
        (".fdm.conf", b"", 78, "no POP3 or IMAP account"),
        ("cache", b"5 uid-1\n5 uid", 65, "line 2"),
        ("cache", b"5 uid-1\n7 uid-2\n", 65, "line 2"),
        ("cache", b"TDB file\n\0\0\0", 65, "line 1"),
        ("cache", b" 1 localhost ada\nuid-1\n", 65, "line 1"),
        ("cache", b"uid-1\0\x31\n", 65, "line 1"),
    ];
    for (file, octets, status, said) in wrong {
        fdm(&home, &server);
        fs::write(home.path().join(file), octets).unwrap();
        let output = run(&home, &["import", "fdm", "-y"], status);
        assert_said(&output, &["error: ", "hint: ", said]);
        assert!(
            !home.config_file().exists() && !home.state().exists(),
            "{said}"
        );
    }
    // Another maildrop has the name.
    fdm(&home, &server);
    home.config("# mine\n[accounts.a]\nhost = 'x'\nuser = 'y'\n");
    let output = run(&home, &["import", "fdm", "-y"], 78);
    assert_said(
        &output,
        &["has an account `a` already", "nothing was changed"],
    );
    assert!(!home.state().exists());
}

#[test]
fn a_hundred_thousand_unique_ids_of_fdm_are_taken_over() {
    let (server, home) = server(3);
    fdm(&home, &server);
    let ids = (1..=100_000).map(|n| format!("uid-{n}"));
    let cache: String = ids.map(|id| format!("{} {id}\n", id.len())).collect();
    home.private_file("cache", &cache);
    run(&home, &["import", "fdm", "-y"], 0);
    let roots = server.account().roots.unwrap();
    let fetch = home
        .popfetch(["fetch", "a"])
        .env("SSL_CERT_FILE", roots.to_str().unwrap());
    fetch.expect(0);
    assert_eq!(count(&home), 0);
}

/// The hint of the guard is followed to the letter.
#[test]
fn the_first_fetch_that_stops_says_a_way_on_that_works() {
    let (server, home) = server(10);
    mpop(&home, &server, "on", &["other-1"]);
    run(&home, &["import", "mpop", "-y"], 0);
    let output = run(&home, &["fetch", "a"], 78);
    assert_said(
        &output,
        &["10 messages", "import mpop --seen FILE", "fetch --as-new a"],
    );
    assert_eq!(count(&home), 0);
}

/// A file that does not say whose unique-ids it has is for one account of several; the hint is followed
/// to the letter.
#[test]
fn a_file_of_unique_ids_without_an_owner_is_taken_for_one_account_at_a_time() {
    let (first, home) = server(3);
    let (second, _) = server(4);
    let accounts = [("a", first.account()), ("b", second.account())];
    let named = accounts.iter().map(|(name, account)| (*name, account));
    let text = fdm_config(&home, named);
    home.private_file(".fdm.conf", &text);
    fs::remove_file(home.config_file()).unwrap();
    let file = |name: &str, ids: usize| {
        let ids = (1..=ids).map(|n| format!("5 uid-{n}\n"));
        let path = home.private_file(name, &ids.collect::<String>());
        path.to_str().unwrap().to_owned()
    };
    let (of_a, of_b) = (file("of a", 2), file("of b", 3));
    let output = run(&home, &["import", "fdm", "-y", "--seen", &of_a], 64);
    let hint = format!("popfetch import fdm --account a --seen '{of_a}'");
    assert_said(&output, &["which of 2 accounts", &hint]);
    assert!(!home.config_file().exists() && !home.state().exists());
    for (name, seen) in [("a", &of_a), ("b", &of_b)] {
        let arguments = ["import", "fdm", "--account", name, "--seen", seen, "-y"];
        let output = run(&home, &arguments, 0);
        assert!(
            output.stdout.contains("other accounts are left out"),
            "{}",
            output.stdout
        );
    }
    // Of two servers with an authority each, one can be asked at a time.
    for (name, account) in &accounts {
        let fetch = home.popfetch(["fetch", name]);
        let roots = account.roots.as_ref().unwrap();
        fetch
            .env("SSL_CERT_FILE", roots.to_str().unwrap())
            .expect(0);
        assert_eq!(
            crate::support::tree::count(&home.maildir(name)),
            1,
            "{name}"
        );
    }
    let output = run(&home, &["import", "fdm", "--account", "c", "-n"], 64);
    assert_said(&output, &["no account `c`", "a, b", "--account"]);
}
