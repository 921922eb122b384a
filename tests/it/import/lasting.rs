//! Imported names through all that a state goes through.

use super::taken::{count, mpop};
use crate::given::{assert_said, compact, id_of, journal, letter, mail, run, server};
use crate::support::journal::rewrite;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tracer::{self, End};
use std::fs;
use std::process::Stdio;

/// A server with 12 messages, all of which mpop has kept.
fn kept() -> (Server, Home) {
    let (server, home) = server(12);
    let names: Vec<String> = (1..=12).map(|n| format!("uid-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    mpop(&home, &server, "on", &names);
    (server, home)
}

#[test]
fn imported_names_stay_what_they_are_when_the_journal_is_written_afresh() {
    for fetched_before in [false, true] {
        let (server, home) = kept();
        run(&home, &["import", "mpop", "-y"], 0);
        if fetched_before {
            run(&home, &["fetch", "a"], 0);
        }
        let shown = run(&home, &["state", "show", "a"], 0).stdout;
        for _ in 0..2 {
            compact(&server, &home);
            assert_eq!(run(&home, &["state", "show", "a"], 0).stdout, shown);
        }
        server.maildrop().add([letter(13)]);
        run(&home, &["fetch", "a"], 0);
        assert_eq!(count(&home), 1);
        // They are not deleted, and once they are released they are.
        run(&home, &["fetch", "--delete", "a"], 0);
        assert_eq!(server.maildrop().count(), 12);
        run(&home, &["import", "mpop", "-y", "--may-delete"], 0);
        compact(&server, &home);
        run(&home, &["fetch", "--delete", "a"], 0);
        assert_eq!((count(&home), server.maildrop().count()), (1, 0));
    }
}

#[test]
fn a_journal_that_is_written_afresh_still_stops_the_first_fetch_of_what_is_not_known() {
    let (server, home) = server(10);
    mpop(&home, &server, "on", &["other-1"]);
    run(&home, &["import", "mpop", "-y"], 0);
    compact(&server, &home);
    run(&home, &["fetch", "a"], 78);
    assert_eq!(count(&home), 0);
}

#[test]
fn imported_names_move_with_the_state() {
    for fetched_before in [false, true] {
        let (server, home) = kept();
        run(&home, &["import", "mpop", "-y"], 0);
        if fetched_before {
            run(&home, &["fetch", "a"], 0);
        }
        let mut account = server.account();
        account.host = "127.0.0.1".into();
        home.config(&home.account_config("b", &account));
        let output = run(&home, &["state", "move", &id_of(&server), "b"], 0);
        assert_said(&output, &["12 messages"]);
        server.maildrop().add([letter(13)]);
        run(&home, &["fetch", "--delete", "b"], 0);
        assert_eq!(crate::support::tree::count(&home.maildir("b")), 1);
        // What another tool has stored stays, as before.
        assert_eq!(server.maildrop().count(), 12);
    }
}

#[test]
fn imported_names_are_shown_and_there_is_no_file_of_them_to_verify() {
    let (server, home) = kept();
    run(&home, &["import", "mpop", "-y"], 0);
    server.maildrop().add([letter(13)]);
    run(&home, &["fetch", "a"], 0);
    let shown = run(&home, &["state", "show", "a"], 0).stdout;
    for n in 1..=12 {
        let line = shown
            .lines()
            .find(|line| line.ends_with(&format!("  uid-{n}")));
        let line = line.unwrap_or_else(|| panic!("no uid-{n}: {shown}"));
        assert!(line.contains("imported"), "{line}");
    }
    assert_eq!(shown.matches("imported").count(), 12, "{shown}");
    run(&home, &["verify", "a"], 0);
}

#[test]
fn an_import_after_a_fetch_adds_what_is_not_known_and_forgets_nothing() {
    let (server, home) = server(3);
    home.one_account(&server.account(), "");
    run(&home, &["fetch", "a"], 0);
    let config = fs::read(home.config_file()).unwrap();
    server.maildrop().add([letter(4), letter(5)]);
    // It was there before, so it is not written.
    mpop(&home, &server, "on", &["uid-1", "uid-2", "uid-3", "uid-4"]);
    fs::write(home.config_file(), &config).unwrap();
    let output = run(&home, &["import", "mpop", "-y", "--may-delete"], 0);
    assert_said(&output, &["1 fetched message taken over, 3 known before"]);
    assert_eq!(fs::read(home.config_file()).unwrap(), config);
    run(&home, &["fetch", "a"], 0);
    crate::support::tree::assert_holds(&home.maildir("a"), &[mail(3), vec![letter(5)]].concat());
    run(&home, &["verify", "a"], 0);
    run(&home, &["fetch", "--delete", "a"], 0);
    assert_eq!((count(&home), server.maildrop().count()), (4, 0));
}

/// The names are in the journal before the account is in the config: whichever call is the last,
/// there is no account without them, and the next import makes it whole.
#[test]
fn an_import_that_is_killed_at_any_call_leaves_no_account_without_its_names() {
    let mut killed = 0;
    let calls = tracer::at_every_call(16, |number| {
        let (server, home) = kept();
        let mut command = tracer::command(env!("CARGO_BIN_EXE_popfetch"));
        home.furnish(command.args(["import", "mpop", "-y"]));
        command.stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let (end, calls) = tracer::kill_at(&mut command, number)?;
        let what = format!("call {number}: {end:?}");
        let source = fs::read(home.path().join(".mpoprc")).unwrap();
        if let Ok(config) = fs::read_to_string(home.config_file()) {
            assert!(config.contains("[accounts.a]"), "{what}: {config}");
            run(&home, &["fetch", "a"], 0);
            assert_eq!(count(&home), 0, "{what}");
        }
        run(&home, &["import", "mpop", "-y"], 0);
        run(&home, &["fetch", "a"], 0);
        assert_eq!(count(&home), 0, "{what}");
        assert_eq!(server.maildrop().count(), 12, "{what}");
        assert_eq!(fs::read(home.path().join(".mpoprc")).unwrap(), source);
        match end {
            End::Killed(_) => killed += 1,
            End::Exited(status) => assert_eq!(status, 0),
        }
        Some(calls)
    });
    assert!(
        calls.is_none() || killed > 10,
        "so few are no import: {killed}"
    );
}

/// The whole state, or the journal alone.
fn lose(home: &Home, whole: bool) {
    match whole {
        true => fs::remove_dir_all(home.state()).unwrap(),
        false => fs::remove_file(journal(home)).unwrap(),
    }
}

/// The Maildir says that there was an import.
#[test]
fn where_imported_names_are_lost_with_the_state_nothing_is_fetched_before_their_owner_has_spoken() {
    for (whole, fetched_before, again) in [
        (false, false, false),
        (true, false, true),
        (true, true, false),
        (false, true, true),
    ] {
        let (server, home) = kept();
        run(&home, &["import", "mpop", "-y"], 0);
        let mut before = 0;
        if fetched_before {
            server.maildrop().add([letter(13)]);
            run(&home, &["fetch", "a"], 0);
            before = 1;
        }
        lose(&home, whole);
        for arguments in [&["fetch", "-n", "a"][..], &["fetch", "a"], &["fetch", "a"]] {
            let output = run(&home, arguments, 78);
            assert_said(
                &output,
                &[
                    "lost what mpop had fetched",
                    "of the listed messages may be among that",
                    "`popfetch import mpop",
                    "`popfetch fetch --as-new a",
                ],
            );
            assert_eq!(count(&home), before);
        }
        // What is new is not told from what is lost.
        server.maildrop().add([letter(14)]);
        run(&home, &["fetch", "a"], 78);
        let (ways_on, after): (&[&[&str]], usize) = match again {
            true => (&[&["import", "mpop", "-y"], &["fetch", "a"]], before + 1),
            false => (&[&["fetch", "--as-new", "a"]], before + 13),
        };
        for arguments in ways_on {
            run(&home, arguments, 0);
        }
        for _ in 0..2 {
            run(&home, &["fetch", "a"], 0);
            assert_eq!(count(&home), after);
        }
        // From here on it is a state as any other.
        server.maildrop().add([letter(15)]);
        run(&home, &["fetch", "a"], 0);
        assert_eq!(count(&home), after + 1);
    }
}

#[test]
fn a_state_from_before_an_import_that_is_restored_stops_as_one_that_is_lost() {
    let (server, home) = server(3);
    home.one_account(&server.account(), "");
    run(&home, &["fetch", "a"], 0);
    let backup = fs::read(journal(&home)).unwrap();
    let lock: Vec<_> = fs::read_dir(home.state())
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    let lock: Vec<_> = lock
        .into_iter()
        .filter(|it| it.is_file())
        .map(|it| (fs::read(&it).unwrap(), it))
        .collect();
    server.maildrop().add([letter(4), letter(5)]);
    let config = fs::read(home.config_file()).unwrap();
    mpop(&home, &server, "on", &["uid-4"]);
    fs::write(home.config_file(), &config).unwrap();
    run(&home, &["import", "mpop", "-y"], 0);
    for (octets, path) in lock {
        fs::write(path, octets).unwrap();
    }
    fs::write(journal(&home), backup).unwrap();
    run(&home, &["fetch", "a"], 78);
    assert_eq!(count(&home), 3);
    run(&home, &["import", "mpop", "-y"], 0);
    run(&home, &["fetch", "a"], 0);
    assert_eq!(count(&home), 4);
}

/// Of a damaged journal nobody can tell which names are gone with it.
#[test]
fn a_journal_with_imported_names_that_is_damaged_stops_until_they_come_again() {
    let (server, home) = kept();
    run(&home, &["import", "mpop", "-y"], 0);
    server.maildrop().add([letter(13)]);
    run(&home, &["fetch", "a"], 0);
    let text = fs::read_to_string(journal(&home)).unwrap();
    fs::write(journal(&home), text.replace("uid-7", "uid-X")).unwrap();
    for _ in 0..2 {
        run(&home, &["fetch", "a"], 78);
        assert_eq!(count(&home), 1);
    }
    run(&home, &["import", "mpop", "-y"], 0);
    for _ in 0..2 {
        run(&home, &["fetch", "a"], 0);
        assert_eq!(count(&home), 1);
    }
}

/// The Maildir was out of reach when the names came, or they came by an earlier version.
#[test]
fn a_maildir_that_does_not_know_of_an_import_learns_of_it_in_the_next_fetch() {
    let (server, home) = kept();
    run(&home, &["import", "mpop", "-y"], 0);
    fs::remove_dir_all(home.maildir("a")).unwrap();
    run(&home, &["fetch", "a"], 0);
    lose(&home, true);
    run(&home, &["fetch", "a"], 78);
    assert_eq!(count(&home), 0);
    let roster = home.maildir("a").join("popfetch-maildir");
    assert!(fs::read_to_string(roster).unwrap().contains(":mpop"));
    let _server = server;
}

/// Nothing but the journal has the names: where it is lost, they are imported once more.
#[test]
fn names_of_a_lost_journal_are_imported_again() {
    let (server, home) = kept();
    run(&home, &["import", "mpop", "-y"], 0);
    server.maildrop().add([letter(13)]);
    run(&home, &["fetch", "a"], 0);
    fs::remove_file(journal(&home)).unwrap();
    run(&home, &["import", "mpop", "-y"], 0);
    run(&home, &["fetch", "a"], 0);
    assert_eq!(count(&home), 1);
}

/// fetchmail's config for the account "a", with these unique-ids.
fn fetchmail(home: &Home, server: &Server, names: std::ops::RangeInclusive<usize>) {
    let account = server.account();
    let config = format!(
        "poll {} proto pop3 port {} user \"{}\" pass \"{}\" ssl keep\n",
        account.host, account.port, account.user, account.password,
    );
    home.private_file(".fetchmailrc", &config);
    let owner = format!("{}@{}", account.user, account.host);
    let names = names.map(|n| format!("{owner} uid-{n}\n"));
    home.private_file(".fetchids", &names.collect::<String>());
}

#[test]
fn where_the_names_of_two_tools_are_lost_both_are_named_and_both_are_waited_for() {
    for first in ["mpop", "fetchmail"] {
        let (server, home) = server(12);
        mpop(&home, &server, "on", &["uid-1", "uid-2", "uid-3", "uid-4"]);
        fetchmail(&home, &server, 5..=12);
        run(&home, &["import", "mpop", "-y"], 0);
        run(&home, &["import", "fetchmail", "-y"], 0);
        run(&home, &["fetch", "a"], 0);
        lose(&home, true);
        let both = [
            "lost what fetchmail and mpop had fetched",
            "`popfetch import fetchmail` and `popfetch import mpop`",
        ];
        for arguments in [&["fetch", "-n", "a"][..], &["fetch", "a"]] {
            assert_said(&run(&home, arguments, 78), &both);
        }
        let second = if first == "mpop" { "fetchmail" } else { "mpop" };
        run(&home, &["import", first, "-y"], 0);
        for _ in 0..2 {
            let said = format!("lost what {second} had fetched");
            assert_said(&run(&home, &["fetch", "a"], 78), &[&said]);
            assert_eq!(count(&home), 0);
        }
        run(&home, &["import", second, "-y"], 0);
        for _ in 0..2 {
            run(&home, &["fetch", "a"], 0);
            assert_eq!(count(&home), 0);
        }
    }
}

/// The journal with other times in its lines of imports, and the Maildir's line with the same.
fn redate(home: &Home, to: i64) {
    let roster = home.maildir("a").join("popfetch-maildir");
    for path in [journal(home), roster] {
        rewrite(&path, |fields| {
            let is_import = fields[0] == "i";
            for (place, field) in fields.iter_mut().enumerate() {
                if field.ends_with(":mpop") {
                    *field = format!("{to}:mpop");
                } else if place == 1 && is_import {
                    *field = to.to_string();
                }
            }
        });
    }
}

/// The first import was by a clock that was years ahead.
#[test]
fn an_import_after_the_clock_was_set_back_is_lost_with_a_journal_from_before_it() {
    for time in [2_000_000_000, i64::MAX - 1] {
        let (server, home) = server(12);
        let names: Vec<String> = (1..=12).map(|n| format!("uid-{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        mpop(&home, &server, "on", &names[..6]);
        run(&home, &["import", "mpop", "-y"], 0);
        redate(&home, time);
        let state = fs::read_dir(home.state()).unwrap();
        let state = state.map(|it| it.unwrap().path()).filter(|it| it.is_file());
        let between: Vec<_> = state.map(|it| (fs::read(&it).unwrap(), it)).collect();
        let config = fs::read(home.config_file()).unwrap();
        mpop(&home, &server, "on", &names);
        fs::write(home.config_file(), config).unwrap();
        run(&home, &["import", "mpop", "-y"], 0);
        for (octets, path) in between {
            fs::write(path, octets).unwrap();
        }
        assert_said(
            &run(&home, &["fetch", "a"], 78),
            &["lost what mpop had fetched"],
        );
        assert_eq!(count(&home), 0);
    }
}

/// No name is missing, so that nothing is new in the next import; it ends the stop all the same.
#[test]
fn a_journal_whose_damage_is_in_another_line_stops_until_its_names_come_again() {
    for time in [None, Some(i64::MAX - 1)] {
        let (server, home) = kept();
        run(&home, &["import", "mpop", "-y"], 0);
        if let Some(time) = time {
            redate(&home, time);
        }
        server.maildrop().add([letter(13)]);
        run(&home, &["fetch", "a"], 0);
        let text = fs::read_to_string(journal(&home)).unwrap();
        let run_line = text.lines().find(|it| it.starts_with("B\t")).unwrap();
        let damaged = run_line.replacen("B\t", "B\t9", 1);
        fs::write(journal(&home), text.replace(run_line, &damaged)).unwrap();
        run(&home, &["fetch", "a"], 0);
        server.maildrop().add([letter(14)]);
        run(&home, &["fetch", "a"], 78);
        let output = run(&home, &["import", "mpop", "-y"], 0);
        assert_said(&output, &["0 fetched messages taken over, 12 known before"]);
        for _ in 0..2 {
            run(&home, &["fetch", "a"], 0);
            assert_eq!(count(&home), 2);
        }
    }
}
