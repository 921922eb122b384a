//! What somebody meets in the first days: the words on the screen are true for the case at hand, and
//! what they tell to type does what the command in its place would have done.

use std::fs;
use std::os::unix::fs::chown;

use crate::given::{assert_said, mail, run, server};
use crate::support::account::Security;
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::mounted::Mounted;
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use crate::support::skip::{Lack, is_root, skip};
use crate::support::terminal::Terminal;
use crate::support::tree;

/// The command that a hint names, up to the backtick.
fn follow(home: &Home, told: &Output, start: &str, status: i32) -> Output {
    let command = crate::hints::command_in(&told.stderr, start);
    crate::hints::shell(home, &command).expect(status)
}

#[test]
fn hint_as_new_fetches_as_the_command_that_was_stopped_would_have_fetched() {
    let maildrop = Maildrop::new(mail(12));
    let (former, latter) = (Server::start(&maildrop), Server::start(&maildrop));
    let home = Home::new();
    let accounts = home.account_config("a", &former.account())
        + &home.account_config("b", &latter.account())
        + "keep = \"never\"\n";
    home.config(&accounts);
    run(&home, &["fetch", "a"], 0);
    let typed = [
        "fetch",
        "b",
        "--keep",
        "--latest",
        "5",
        "--max-size",
        "1 MB",
    ];
    let told = home
        .popfetch(typed.iter().copied().chain(["-n"]))
        .expect(78);
    let said = follow(&home, &told, "popfetch fetch --as-new", 0);
    assert_said(&said, &["b: would fetch 5"]);
    assert_eq!(tree::count(&home.maildir("b")), 0, "a dry run stays one");
    let told = run(&home, &typed, 78);
    follow(&home, &told, "popfetch fetch --as-new", 0);
    assert_eq!(tree::count(&home.maildir("b")), 5);
    assert_eq!(latter.maildrop().count(), 12, "--keep was typed");
}

#[test]
fn what_deleting_takes_of_earlier_fetches_is_said_where_people_decide() {
    let (_server, home) = server(3);
    run(&home, &["fetch"], 0);
    let output = run(&home, &["fetch", "--delete"], 0);
    assert_said(&output, &["nothing new, 3 deleted"]);
    for command in ["fetch", "setup"] {
        let help = run(&home, &[command, "--help"], 0).stdout;
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = "once it is safely stored, and all that was fetched earlier";
        assert!(help.contains(said), "{help}");
    }
    let readme = include_str!("../../README.md");
    assert!(readme.contains("and so is all that was fetched earlier"));
}

#[test]
fn d25_what_a_disk_has_room_for_is_fetched_and_the_rest_is_said_to_be_left() {
    let sizes: Vec<u64> = (0..266).map(|at| 20_000 + at * 70).collect();
    let messages = (0..).zip(&sizes);
    let messages = messages.map(|(at, size)| Message::generated(format!("uid-{at}"), *size, at));
    let messages: Vec<Message> = messages.collect();
    for size in ["size=3m", "size=5m"] {
        let server = Server::builder(&Maildrop::new(messages.iter().cloned()));
        let (server, home) = server.security(Security::Plain).with_home("");
        // Mail and state share the disk, as they do at home.
        let Some(disk) = Mounted::tmpfs(home.path(), size) else {
            return;
        };
        home.one_account(&server.account(), "");
        let output = home.popfetch(["fetch"]).expect(74);
        let stored = tree::count(&home.maildir("a"));
        let left = 266 - stored;
        assert!(stored >= 80, "{stored} of {size}: {output:#?}");
        assert_said(
            &output,
            &[
                "no space left",
                &format!("{stored} fetched, {left} left on the server"),
                "make room on the disk",
            ],
        );
        assert!(!output.stderr.contains("too large"), "{output:#?}");
        disk.remount("size=20m");
        let output = home.popfetch(["fetch"]).expect(0);
        assert!(!output.stderr.contains("earlier run"), "{output:#?}");
        tree::assert_holds(&home.maildir("a"), &messages);
    }
}

#[test]
fn hint_a_word_that_is_nearly_an_account_is_told_with_the_config_file() {
    let (server, home) = server(1);
    let text = home.account_config("work", &server.account());
    let path = home.private_file("other place/popfetch.toml", &text);
    let told = home
        .popfetch(["--config", path.to_str().unwrap(), "wrok"])
        .expect(64);
    follow(&home, &told, "popfetch work", 0);
    assert_eq!(tree::count(&home.maildir("work")), 1);
    let told = home
        .popfetch(["--config", path.to_str().unwrap(), "xyzzy"])
        .expect(64);
    assert_said(
        &told,
        &[&format!(
            "popfetch account list --config '{}'",
            path.display()
        )],
    );
}

#[test]
fn hint_a_maildir_that_is_gone_is_told_with_both_ways_on() {
    for (way, stored) in [("--fetch-again", 4), ("--leave", 0)] {
        let (_server, home) = server(4);
        run(&home, &[], 0);
        fs::remove_dir_all(home.maildir("a")).unwrap();
        let told = run(&home, &[], 73);
        let command = format!("popfetch state accept a {way}");
        follow(&home, &told, &command, 0);
        run(&home, &[], 0);
        assert_eq!(tree::count(&home.maildir("a")), stored, "{way}");
    }
}

#[test]
fn hint_where_there_is_no_keyring_nobody_is_told_to_unlock_it() {
    let (server, mut home) = server(1);
    home.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    let text = home.account_config("a", &server.account());
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("password-file"));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    home.config(&format!("{text}password-keyring = true\n"));
    for (arguments, way) in [
        (&["fetch", "a"][..], "password-file"),
        (&["password", "remove", "a"], "a desktop session has one"),
        (&["password", "set", "a"], "password-file"),
    ] {
        let output = home.popfetch(arguments).stdin("secret\n").expect(77);
        assert_said(&output, &["there is none in this session", way]);
        assert!(!output.stderr.contains("unlock"), "{output:#?}");
        assert!(!output.stderr.contains("zbus"), "{output:#?}");
    }
    home.config(&format!(
        "{text}[accounts.a.oauth]\nclient-id = \"x\"\nscope = \"mail\"\nauthorization-endpoint = \
         \"https://localhost/a\"\ntoken-endpoint = \"https://localhost/t\"\n"
    ));
    for arguments in [
        &["fetch", "a"][..],
        &["login", "a"],
        &["login", "a", "--remove"],
    ] {
        let output = home.popfetch(arguments).expect(77);
        assert_said(
            &output,
            &["there is none in this session", "store = \"file\""],
        );
        assert!(!output.stderr.contains("unlock"), "{output:#?}");
    }
}

#[test]
fn hint_a_state_directory_of_roots_is_told_with_the_command_that_gives_it_back() {
    let (_server, home) = server(1);
    let everybody = "nobody";
    if !is_root() {
        skip(
            Lack::Root,
            format_args!("only root can give a directory away"),
        );
        return;
    }
    let state = home.state();
    fs::create_dir_all(&state).unwrap();
    std::process::Command::new("chown")
        .args(["-R", everybody])
        .arg(home.path())
        .status()
        .unwrap();
    chown(&state, Some(0), Some(0)).unwrap();
    fs::set_permissions(&state, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let output = home
        .popfetch_under(
            "setpriv",
            &["--reuid=65534", "--clear-groups", "--"],
            &["fetch"],
        )
        .run();
    let command = format!("sudo chown -R 65534 {}", state.display());
    assert_said(&output, &["cannot use the state directory", &command]);
}

#[test]
fn hint_no_directory_of_the_systems_is_to_be_given_away_and_the_doctor_sees_what_a_fetch_would() {
    let (_server, home) = server(1);
    if !is_root() {
        skip(
            Lack::Root,
            format_args!("only root can give a directory away"),
        );
        return;
    }
    let above = home.state().parent().unwrap().to_owned();
    fs::create_dir_all(&above).unwrap();
    std::process::Command::new("chown")
        .args(["-R", "nobody"])
        .arg(home.path())
        .status()
        .unwrap();
    let nobody = |arguments: &[&str]| {
        home.popfetch_under(
            "setpriv",
            &["--reuid=65534", "--clear-groups", "--"],
            arguments,
        )
        .run()
    };
    for directory in ["/", "/etc", "/usr"] {
        for command in ["list", "fetch"] {
            let output = nobody(&[command, "--maildir", directory]);
            assert!(!output.stderr.contains("chown"), "{output:#?}");
            assert_said(&output, &["use a directory of your own"]);
        }
    }
    // The fetches have begun it.
    fs::remove_dir_all(home.state()).unwrap();
    chown(&above, Some(0), Some(0)).unwrap();
    let output = nobody(&["account", "test"]);
    assert!(
        output.stdout.contains("cannot use the state file"),
        "{output:#?}"
    );
    assert_said(&nobody(&["fetch"]), &["cannot use the state file"]);
}

#[test]
fn an_import_of_what_is_not_there_says_so_and_says_it_once() {
    let home = Home::new();
    let output = home
        .popfetch(["import", "getmail", "/nonexistent"])
        .expect(78);
    assert_said(
        &output,
        &["there is no file /nonexistent", "import getmail PATH"],
    );
    for word in ["os error", "readable for you", "No such file"] {
        assert!(!output.stderr.contains(word), "{output:#?}");
    }
}

#[test]
fn no_number_of_the_systems_errors_is_shown() {
    let (_server, home) = server(1);
    let output = run(&home, &["fetch", "--tls-roots", "/no/such/ca.pem"], 78);
    assert_said(&output, &["No such file"]);
    assert!(!output.stderr.contains("os error"), "{output:#?}");
}

#[test]
fn an_import_shows_where_the_password_goes_and_asks_as_everything_asks() {
    let mut home = Home::new();
    home.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    home.private_file(
        ".mpoprc",
        "account work\nhost pop.example.com\nuser ada\npassword secret\ntls on\nskipsize 30720\n\
         delivery exchange /home/ada/a-very-long-path-of-an-exchange-folder\n",
    );
    for columns in [40, 60, 80] {
        let mut terminal = Terminal::start(&home, columns, &["import", "mpop"]);
        terminal.answer("Take this over? (y/N): ", "n");
        let (_, ended) = terminal.end();
        for line in ended.lines().filter(|line| !line.starts_with("    ")) {
            assert!(
                line.trim_end().chars().count() <= usize::from(columns),
                "{line}\n{ended}"
            );
        }
        let wanted = [
            "password-file = ",
            "max-size = \"30 KiB\"",
            "its mail goes into ~/Mail/work",
        ];
        for wanted in wanted {
            assert!(ended.contains(wanted), "{wanted}\n{ended}");
        }
        assert!(!ended.contains("password-keyring"), "{ended}");
    }
}

#[test]
fn headings_and_accounts_fit_the_terminal() {
    let letters = (1..=3).map(|number| {
        let from = "Ada Lovelace of the Analytical Engine <ada@engine.example.com>";
        let subject = "你好吗你好吗 on the engine, and what else it may be used for in time";
        Message::new(
            format!("uid-{number}"),
            format!(
                "From: {from}\r\nDate: Thu, 26 Nov 2026 09:00:00 +0000\r\nSubject: \
                 {subject}\r\n\r\nHello\r\n"
            ),
        )
    });
    let (_server, home) = Server::builder(&Maildrop::new(letters)).with_home("");
    for columns in [40, 60, 80, 120] {
        for arguments in [
            &["check", "--headers", "--no-progress"][..],
            &["fetch", "-n", "--no-progress"],
            &["account", "list"],
        ] {
            let terminal = Terminal::start(&home, columns, arguments);
            let (_, screen) = terminal.end();
            for line in screen.lines() {
                let width = unicode_width::UnicodeWidthStr::width(line.trim_end());
                assert!(
                    width <= usize::from(columns),
                    "{columns} {arguments:?}: {line}\n{screen}"
                );
            }
            let shows = arguments[0] == "account" || screen.contains("你好吗你好吗 on");
            assert!(shows, "{columns} {arguments:?}: {screen}");
        }
    }
}

#[test]
fn hint_a_password_file_that_others_can_read_is_told_with_the_way_beside_it() {
    let (_server, home) = server(1);
    let path = home.path().join("a.password");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let output = home.popfetch(["account", "test", "a"]).run();
    let at = output.stdout.find("can be read by others").unwrap();
    let beside = output.stdout[at..].lines().nth(1).unwrap_or_default();
    assert!(beside.contains("chmod 600"), "{output:#?}");
}

#[test]
fn a4_an_empty_message_is_fetched_without_a_warning_wherever_it_stands() {
    for at in [0, 6, 12] {
        let mut messages = mail(12);
        // As Dovecot lists one and sends it.
        messages.insert(at, Message::new("empty", "\r\n").listed_as(0));
        let (_server, home) =
            Server::builder(&Maildrop::new(messages.iter().cloned())).with_home("");
        let output = run(&home, &[], 0);
        assert!(!output.stderr.contains("whole"), "{output:#?}");
        tree::assert_holds(&home.maildir("a"), &messages);
    }
}
