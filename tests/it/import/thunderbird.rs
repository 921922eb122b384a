//! Thunderbird's profiles, with files as its sources write them: `popstate.dat` of 2021 and later has no
//! line end at its end.

use crate::given::{assert_said, letter, mail, run, server};
use crate::support::imap::ImapServer;
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use crate::support::skip::is_root;
use crate::support::tree;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const PROFILE: &str = ".thunderbird/ab12cd34.default-release";

/// A profile with the server as the account "ada", and with `more` settings of it; `lines` are those of
/// its popstate.dat.
fn profile(home: &Home, server: &Server, more: &[(&str, &str)], lines: &[String]) {
    let account = server.account();
    let port = account.port.to_string();
    let quoted = |text: &str| format!("\"{text}\"");
    let mut prefs = String::from(
        "// Mozilla User Preferences\n\nuser_pref(\"mail.account.account1.server\", \"server1\");\n\
         user_pref(\"mail.accountmanager.accounts\", \"account1\");\n",
    );
    let own = [
        ("type", quoted("pop3")),
        ("hostname", quoted(&account.host)),
        ("userName", quoted(&account.user)),
        ("port", port),
        ("socketType", "3".to_owned()),
        ("directory-rel", quoted("[ProfD]Mail/pop.example.net")),
    ];
    let more = more
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    for (name, value) in own.into_iter().chain(more) {
        prefs.push_str(&format!(
            "user_pref(\"mail.server.server1.{name}\", {value});\n"
        ));
    }
    let list = "[Profile0]\nName=default-release\nIsRelative=1\nPath=ab12cd34.default-release\nDefault=1\n";
    home.private_file(".thunderbird/profiles.ini", list);
    home.private_file(&format!("{PROFILE}/prefs.js"), &prefs);
    home.private_file(&state(), &popstate(server, lines));
    let _missing = fs::remove_file(home.config_file());
}

fn state() -> String {
    format!("{PROFILE}/Mail/pop.example.net/popstate.dat")
}

fn popstate(server: &Server, lines: &[String]) -> String {
    let account = server.account();
    let heading = format!("*{} {}", account.host, account.user);
    let head = [
        "# POP3 State File",
        "# This is a generated file!  Do not edit.",
        "",
        &heading,
    ];
    let lines = lines.iter().map(String::as_str);
    head.into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

fn kept(numbers: impl Iterator<Item = usize>) -> Vec<String> {
    numbers
        .map(|n| format!("k uid-{n} {}", 1_700_000_000 + n))
        .collect()
}

const LEAVE: (&str, &str) = ("leave_on_server", "true");

/// Thunderbird's passwords are not read, so that the account's is asked for.
fn fetch(home: &Home, server: &Server, options: &[&str], status: i32) -> Output {
    let account = server.account();
    let arguments = ["fetch", "--password-stdin", &account.user].into_iter();
    home.popfetch(arguments.chain(options.iter().copied()))
        .env("SSL_CERT_FILE", account.roots.as_ref().unwrap())
        .stdin(format!("{}\n", account.password))
        .expect(status)
}

fn count(home: &Home, server: &Server) -> usize {
    let maildir = home.path().join("Mail").join(server.account().user);
    if maildir.exists() {
        tree::count(&maildir)
    } else {
        0
    }
}

#[test]
fn of_300_messages_that_thunderbird_has_none_is_fetched_again_and_of_one_more_exactly_that() {
    for gone in [0, 50] {
        let (server, home) = server(300);
        profile(&home, &server, &[LEAVE], &kept(1..=300));
        run(&home, &["import", "thunderbird", "-y"], 0);
        server.maildrop().replace(mail(300).split_off(gone));
        fetch(&home, &server, &[], 0);
        assert_eq!(count(&home, &server), 0);
        server.maildrop().replace((gone + 1..=301).map(letter));
        for _ in 0..2 {
            fetch(&home, &server, &[], 0);
            assert_eq!(
                (count(&home, &server), server.maildrop().count()),
                (1, 301 - gone)
            );
        }
    }
}

#[test]
fn what_thunderbird_has_in_part_is_fetched_whole_and_what_it_would_delete_is_left() {
    let lines = ["k uid-1 1", "d uid-2 1", "b uid-3 1", "f uid-4 1"].map(str::to_owned);
    let by_age = [
        LEAVE,
        ("delete_by_age_from_server", "true"),
        ("num_days_to_leave_on_server", "3"),
    ];
    for (more, left) in [(&[][..], 5), (&["--may-delete"][..], 3)] {
        let (server, home) = server(5);
        profile(&home, &server, &by_age, &lines);
        let arguments = ["import", "thunderbird", "-y"].into_iter();
        let arguments: Vec<&str> = arguments.chain(more.iter().copied()).collect();
        let shown = run(&home, &arguments, 0).stdout;
        assert!(
            shown.contains("keep = \"3 days\"") && shown.contains("fetched whole"),
            "{shown}"
        );
        fetch(&home, &server, &[], 0);
        // Two in part and one new; those that are older than three days go where they may.
        assert_eq!(
            (count(&home, &server), server.maildrop().count()),
            (3, left)
        );
    }
}

#[test]
fn of_an_account_whose_popstate_is_another_ones_nothing_is_fetched_before_its_owner_has_spoken() {
    let (server, home) = server(10);
    profile(&home, &server, &[LEAVE], &["k other-1 1".to_owned()]);
    run(&home, &["import", "thunderbird", "-y"], 0);
    let output = fetch(&home, &server, &[], 78);
    assert_said(
        &output,
        &[
            "none of the 10 messages",
            "import thunderbird --seen FILE",
            "--as-new",
        ],
    );
    assert_eq!(count(&home, &server), 0);
    let right = home.private_file("right.dat", &popstate(&server, &kept(1..=9)));
    run(
        &home,
        &[
            "import",
            "thunderbird",
            "-y",
            "--seen",
            right.to_str().unwrap(),
        ],
        0,
    );
    fetch(&home, &server, &[], 0);
    assert_eq!(count(&home, &server), 1);
}

#[test]
fn an_import_from_thunderbird_that_is_repeated_changes_nothing_and_its_own_files_are_as_they_were()
{
    let (server, home) = server(3);
    profile(&home, &server, &[LEAVE], &kept(1..=2));
    let theirs = || {
        let files = [
            "prefs.js".to_owned(),
            "Mail/pop.example.net/popstate.dat".to_owned(),
        ];
        files.map(|file| fs::read(home.path().join(PROFILE).join(file)).unwrap())
    };
    let before = theirs();
    run(&home, &["import", "thunderbird", "-n"], 0);
    assert!(!home.config_file().exists() && !home.state().exists());
    let output = run(
        &home,
        &["import", "thunderbird", "-y", "--format", "json"],
        0,
    );
    assert!(
        output.stdout.contains("\"event\":\"imported\"") && output.stdout.contains("\"new\":2")
    );
    let ours = || {
        (
            fs::read(home.config_file()).unwrap(),
            fs::read(crate::given::journal(&home)).unwrap(),
        )
    };
    let first = ours();
    run(&home, &["import", "thunderbird", "-y"], 0);
    assert!(ours() == first && theirs() == before);
}

#[test]
fn a_hundred_thousand_lines_of_popstate_are_taken_over() {
    let (server, home) = server(3);
    profile(&home, &server, &[LEAVE], &kept(1..=100_000));
    run(&home, &["import", "thunderbird", "-y"], 0);
    fetch(&home, &server, &[], 0);
    assert_eq!(count(&home, &server), 0);
}

#[test]
fn what_is_wrong_in_thunderbirds_files_or_in_the_way_changes_nothing() {
    let (server, home) = server(1);
    let prefs = format!("{PROFILE}/prefs.js");
    let ours = "# mine\n[accounts.b]\nhost = 'x'\nuser = 'y'\n";
    let huge = "#".repeat((32 << 20) + 1);
    let wrong: [(&str, &[u8], i32, &str); 9] = [
        (
            &prefs,
            b"user_pref(\"a\", \"tr0ub4dor\"",
            78,
            "line 1: the file ends in the middle",
        ),
        (
            &prefs,
            b"// c\nuser_pref(\"a\", tr0ub4dor);\n",
            78,
            "line 2",
        ),
        (
            &prefs,
            b"// c\n\nuser_pref(\"a\", \"caf\xe9\");\n",
            78,
            "line 3: this is no UTF-8",
        ),
        (&prefs, b"\x7fELF\x02\x01", 78, "line 1"),
        (&prefs, huge.as_bytes(), 78, "larger than 32 MiB"),
        (".thunderbird/profiles.ini", b"Path=x\n", 78, "line 1"),
        (
            &state(),
            b"*localhost ada\nk uid-1 17\nk uid-2",
            65,
            "line 3: the file ends in the middle",
        ),
        (&state(), b"\x00\x01binary\n", 65, "line 1"),
        (&state(), b"u@h 1\n", 65, "line 1"),
    ];
    for (file, octets, status, said) in wrong {
        profile(&home, &server, &[LEAVE], &kept(1..=1));
        home.config(ours);
        fs::write(home.path().join(file), octets).unwrap();
        let output = run(&home, &["import", "thunderbird", "-y"], status);
        assert_said(&output, &["error: ", said, "hint: ", "nothing was changed"]);
        assert!(!output.stderr.contains("tr0ub4dor"), "{}", output.stderr);
        assert_eq!(fs::read_to_string(home.config_file()).unwrap(), ours);
        assert!(!home.state().exists());
    }
    if !is_root() {
        profile(&home, &server, &[LEAVE], &kept(1..=1));
        let path = home.path().join(state());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
        let output = run(&home, &["import", "thunderbird", "-y"], 74);
        assert_said(
            &output,
            &["cannot read", "popstate.dat", "nothing was changed"],
        );
    }
}

/// Its copies of an IMAP account's folders are mbox files with an index each.
#[test]
fn an_account_of_imap_is_taken_over_with_its_folders_and_thunderbirds_copies_are_as_they_were() {
    let server = ImapServer::start(&mail(3));
    server.plain_folder("Archive", &[letter(4)]);
    server.folder("Junk", "(\\Junk) \"/\" \"Junk\"", &[letter(5)]);
    let home = Home::new();
    let account = server.account();
    let prefs = format!(
        "user_pref(\"mail.account.account1.server\", \"server1\");\n\
         user_pref(\"mail.accountmanager.accounts\", \"account1\");\n\
         user_pref(\"mail.server.server1.type\", \"imap\");\n\
         user_pref(\"mail.server.server1.hostname\", \"{}\");\n\
         user_pref(\"mail.server.server1.port\", {});\n\
         user_pref(\"mail.server.server1.socketType\", 3);\n\
         user_pref(\"mail.server.server1.userName\", \"{}\");\n\
         user_pref(\"mail.server.server1.directory-rel\", \"[ProfD]ImapMail/imap.example.net\");\n",
        account.host, account.port, account.user
    );
    home.private_file(
        ".thunderbird/profiles.ini",
        "[Profile0]\nIsRelative=1\nPath=ab12cd34.default-release\n",
    );
    let files = ["prefs.js", "ImapMail/imap.example.net/INBOX"].map(|it| format!("{PROFILE}/{it}"));
    home.private_file(&files[0], &prefs);
    home.private_file(
        &files[1],
        "From - Fri Nov 27 03:00:00 2026\nSubject: x\n\nx\n",
    );
    let theirs = || {
        files
            .each_ref()
            .map(|it| fs::read(home.path().join(it)).unwrap())
    };
    let before = theirs();
    // A list of unique-ids is nothing that an account of IMAP has.
    run(
        &home,
        &["import", "thunderbird", "-y", "--seen", "/dev/null"],
        0,
    );
    let inbox = home.path().join("Mail").join(&account.user);
    for _ in 0..2 {
        home.popfetch(["fetch", "--password-stdin", &account.user])
            .env("SSL_CERT_FILE", account.roots.as_ref().unwrap())
            .stdin(format!("{}\n", account.password))
            .expect(0);
        let counts = [inbox.clone(), inbox.join(".Archive"), inbox.join(".Junk")];
        assert_eq!(
            counts.map(|it| if it.exists() { tree::count(&it) } else { 0 }),
            [3, 1, 0]
        );
    }
    assert_eq!(theirs(), before);
}

#[test]
fn a_profile_is_named_by_its_directory_by_its_settings_or_by_the_list_that_it_is_in() {
    let (server, home) = server(1);
    profile(&home, &server, &[LEAVE], &kept(1..=1));
    for path in [
        "",
        "profiles.ini",
        "ab12cd34.default-release",
        "ab12cd34.default-release/prefs.js",
    ] {
        let path = home.path().join(".thunderbird").join(path);
        let shown = run(
            &home,
            &["import", "thunderbird", path.to_str().unwrap(), "-n"],
            0,
        )
        .stdout;
        assert!(
            shown.contains("1 message that thunderbird has fetched"),
            "{shown}"
        );
    }
}

/// The second of two accounts of one host has a directory, and has not fetched yet: the first has the
/// directory that the host's name stands for.
#[test]
fn what_thunderbird_has_of_one_account_is_not_taken_for_another_of_the_same_host() {
    for may_delete in [&[][..], &["--may-delete"]] {
        let (server, home) = server(3);
        profile(
            &home,
            &server,
            &[("directory-rel", "\"[ProfD]Mail/own\"")],
            &[],
        );
        let account = server.account();
        let prefs = home.path().join(PROFILE).join("prefs.js");
        let text = fs::read_to_string(&prefs).unwrap();
        let second = [
            ("account.account2.server", "\"server2\""),
            ("accountmanager.accounts", "\"account2,account1\""),
            ("server.server2.type", "\"pop3\""),
            ("server.server2.hostname", &format!("{:?}", account.host)),
            ("server.server2.userName", "\"jane\""),
            ("server.server2.leave_on_server", "true"),
            (
                "server.server2.directory-rel",
                &format!("\"[ProfD]Mail/{}\"", account.host),
            ),
        ];
        let second = second.map(|(name, value)| format!("user_pref(\"mail.{name}\", {value});\n"));
        fs::write(&prefs, text + &second.concat()).unwrap();
        let jane = popstate(&server, &kept(1..=3)).replace(&account.user, "jane");
        home.private_file(
            &format!("{PROFILE}/Mail/{}/popstate.dat", account.host),
            &jane,
        );
        let import = ["import", "thunderbird", "-y"].into_iter();
        let import: Vec<&str> = import.chain(may_delete.iter().copied()).collect();
        let shown = run(&home, &import, 0).stdout;
        assert_eq!(
            shown
                .matches("3 messages that thunderbird has fetched")
                .count(),
            1,
            "{shown}"
        );
        fetch(&home, &server, &[], 0);
        assert_eq!(count(&home, &server), 3, "{may_delete:?}");
    }
}

/// A file in the account's own directory that another user's name stands in is taken on its owner's word.
#[test]
fn another_users_popstate_in_the_accounts_own_directory_is_taken_when_its_owner_names_it() {
    let (server, home) = server(3);
    profile(&home, &server, &[LEAVE], &[]);
    let other = popstate(&server, &kept(1..=3)).replace(&server.account().user, "someone");
    let file = home.private_file(&state(), &other);
    let shown = run(&home, &["import", "thunderbird", "-n"], 0).stdout;
    let command = shown.split('`').find(|it| it.contains(" --seen "));
    let command = command.unwrap_or_else(|| panic!("no command in {shown}"));
    assert!(command.ends_with(file.to_str().unwrap()), "{command}");
    let mut words: Vec<&str> = command.split(' ').skip(1).collect();
    words.push("-y");
    run(&home, &words, 0);
    fetch(&home, &server, &[], 0);
    assert_eq!(count(&home, &server), 0);
}

#[test]
fn settings_by_the_hundred_thousand_and_accounts_by_the_thousand_are_read() {
    let home = Home::new();
    let mut prefs = String::new();
    let mut pref = |name: &str, value: &str| {
        prefs.push_str(&format!("user_pref(\"mail.{name}\", {value});\n"));
    };
    let list: Vec<String> = (0..1000).map(|n| format!("account{n}")).collect();
    pref(
        "accountmanager.accounts",
        &format!("\"{}\"", list.join(",")),
    );
    for n in 0..1000 {
        pref(
            &format!("account.account{n}.server"),
            &format!("\"server{n}\""),
        );
        for (name, value) in [("type", "\"pop3\""), ("hostname", "\"h\"")] {
            pref(&format!("server.server{n}.{name}"), value);
        }
        pref(&format!("server.server{n}.userName"), &format!("\"u{n}\""));
    }
    for n in 0..195_000 {
        pref(&format!("account.account{}.x{n}", n % 1000), "1");
    }
    let directory = ".thunderbird/ab12cd34.default-release";
    home.private_file(&format!("{directory}/prefs.js"), &prefs);
    let path = home.path().join(directory);
    let import = ["import", "thunderbird", path.to_str().unwrap(), "-n"];
    let shown = run(&home, &import, 0).stdout;
    assert_eq!(shown.matches("\naccount ").count(), 1000);
    assert_eq!(shown.matches("popfetch sends no mail").count(), 195_000);
}

/// A list without a heading of either account could be of both.
#[test]
fn a_list_that_says_nobodys_name_is_not_taken_for_the_accounts_of_two_profiles() {
    let home = Home::new();
    let _missing = fs::remove_file(home.config_file());
    for (profile, user) in [("one", "ada"), ("two", "bob")] {
        let prefs = format!(
            "user_pref(\"mail.account.account1.server\", \"server1\");\n\
             user_pref(\"mail.server.server1.hostname\", \"pop.example.net\");\n\
             user_pref(\"mail.server.server1.type\", \"pop3\");\n\
             user_pref(\"mail.server.server1.userName\", \"{user}\");\n"
        );
        home.private_file(&format!(".thunderbird/{profile}.default/prefs.js"), &prefs);
    }
    let list = home.private_file("list", "*old.example.net jane\nk 1 1700000000\n");
    let list = list.to_str().unwrap();
    let taken = |more: &[&str]| {
        let import = ["import", "thunderbird", "-n", "--seen", list];
        let shown = run(&home, &[&import, more].concat(), 0).stdout;
        shown
            .matches("1 message that thunderbird has fetched")
            .count()
    };
    assert_eq!(taken(&[]), 0);
    assert_eq!(taken(&["--account", "ada"]), 1);
}
