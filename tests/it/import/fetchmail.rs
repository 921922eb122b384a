//! What is wrong, large or elsewhere in fetchmail's files.

use crate::given::{assert_said, run, server};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;
use std::fs;
use std::path::Path;

/// A config for the server, as the account "a".
fn config(home: &Home, server: &Server) -> String {
    let account = server.account();
    format!(
        "poll a via {} proto pop3 port {} user \"{}\" pass \"{}\" ssl keep sslcertfile {} mda \
         \"getmail_maildir {}\"\n",
        account.host,
        account.port,
        account.user,
        account.password,
        account.roots.as_ref().unwrap().display(),
        home.maildir("a").display(),
    )
}

/// Unique-ids as fetchmail writes them, user and host in capitals.
fn ids(server: &Server, names: impl Iterator<Item = String>) -> String {
    let account = server.account();
    let owner = format!("{}@{}", account.user, account.host).to_uppercase();
    names.map(|name| format!("{owner} {name}\n")).collect()
}

fn count(home: &Home) -> usize {
    tree::count(&home.maildir("a"))
}

#[test]
fn a_hundred_thousand_of_fetchmails_unique_ids_are_taken_over_in_whatever_case_the_account_is() {
    let (server, home) = server(3);
    fs::remove_file(home.config_file()).unwrap();
    home.private_file(".fetchmailrc", &config(&home, &server));
    let names = (2..=100_001).map(|n| format!("uid-{n}"));
    home.private_file(".fetchids", &ids(&server, names));
    for _ in 0..2 {
        run(&home, &["import", "fetchmail", "-y"], 0);
        run(&home, &["fetch", "a"], 0);
        assert_eq!((count(&home), server.maildrop().count()), (1, 3));
    }
}

#[test]
fn fetchmails_files_are_found_where_its_variables_say() {
    for (variable, directory, rc) in [
        ("HOME_ETC", "etc", ".fetchmailrc"),
        ("FETCHMAILHOME", "fm", "fetchmailrc"),
    ] {
        let (server, home) = server(3);
        fs::remove_file(home.config_file()).unwrap();
        let place = |name: &str| format!("{directory}/{name}");
        home.private_file(&place(rc), &config(&home, &server));
        let names = (1..=2).map(|n| format!("uid-{n}"));
        home.private_file(&place(".fetchids"), &ids(&server, names));
        let import = home.popfetch(["import", "fetchmail", "-y"]);
        import.env(variable, home.path().join(directory)).expect(0);
        run(&home, &["fetch", "a"], 0);
        assert_eq!(count(&home), 1, "{variable}");
    }
}

#[test]
fn what_is_wrong_in_fetchmails_files_or_in_the_way_changes_nothing() {
    let (server, home) = server(1);
    let ours = "# mine\n[accounts.b]\nhost = 'x'\nuser = 'y'\n";
    home.config(ours);
    let rc = config(&home, &server);
    let right = ids(&server, std::iter::once("uid-1".to_owned()));
    let large = "#".repeat((1 << 20) + 1);
    let wrong: [(&str, &[u8], i32, &str); 9] = [
        (
            ".fetchmailrc",
            b"poll h user u pass tr0ub4dor tr0ub4dor\n",
            78,
            "line 1",
        ),
        (
            ".fetchmailrc",
            b"poll h\nuser u pass 'tr0ub4dor more\n",
            78,
            "line 2",
        ),
        (
            ".fetchmailrc",
            b"poll h # caf\xe9\nuser u pass 'caf\xe9'\n",
            78,
            "line 2: this is no UTF-8",
        ),
        (".fetchmailrc", b"\x7fELF\x02\x01", 78, "line 1"),
        (".fetchmailrc", large.as_bytes(), 78, "larger than 1 MiB"),
        (".fetchids", b"u@h 1\nu@h\n", 65, "line 2"),
        (
            ".fetchids",
            b"u@h 1\nu@h 2",
            65,
            "line 2: the file ends in the middle",
        ),
        (".fetchids", b"\x00\x01binary\n", 65, "line 1"),
        (".fetchids", b" 1 localhost ada\nx\n", 65, "line 1"),
    ];
    for (file, octets, status, said) in wrong {
        home.private_file(".fetchmailrc", &rc);
        home.private_file(".fetchids", &right);
        fs::write(home.path().join(file), octets).unwrap();
        let output = run(&home, &["import", "fetchmail", "-y"], status);
        assert_said(
            &output,
            &["error: ", file, said, "hint: ", "nothing was changed"],
        );
        assert!(!output.stderr.contains("tr0ub4dor"), "{}", output.stderr);
        unchanged(&home, ours);
    }
    // A directory stands where the file should.
    home.private_file(".fetchmailrc", &rc);
    fs::remove_file(home.path().join(".fetchids")).unwrap();
    fs::create_dir(home.path().join(".fetchids")).unwrap();
    let output = run(&home, &["import", "fetchmail", "-y"], 74);
    assert_said(
        &output,
        &["cannot read", ".fetchids", "nothing was changed"],
    );
    unchanged(&home, ours);
    // Another maildrop has the name.
    fs::remove_dir(home.path().join(".fetchids")).unwrap();
    let taken = "[accounts.a]\nhost = 'x'\nuser = 'y'\n";
    home.config(taken);
    let output = run(&home, &["import", "fetchmail", "-y"], 78);
    assert_said(
        &output,
        &["has an account `a` already", "nothing was changed"],
    );
    unchanged(&home, taken);
}

/// The config file is as it was, and there is no state.
fn unchanged(home: &Home, config: &str) {
    let path: &Path = &home.config_file();
    assert_eq!(fs::read_to_string(path).unwrap(), config);
    assert!(!home.state().exists());
}
