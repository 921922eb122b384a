//! Imported names through all that a state goes through.

use super::taken::{count, mpop};
use crate::given::{assert_said, journal, letter, mail, run, server};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tracer::{self, End};
use popfetch::durable::Disk;
use popfetch::state::{self, Claim, Moment};
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

fn id(server: &Server) -> String {
    let account = server.account();
    format!("{}@{}:{}", account.user, account.host, account.port)
}

/// The journal is written afresh, as it is once most of its lines are superseded.
fn compact(server: &Server, home: &Home) {
    let directory = state::open_directory(&Disk::new(), &home.state()).unwrap();
    let claim = Claim::take(directory, &id(server), "a", &Moment::now()).unwrap();
    claim.without_maildir().unwrap().compact().unwrap();
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
        let output = run(&home, &["state", "move", &id(&server), "b"], 0);
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
    assert_said(&output, &["1 fetched message new here, 3 known before"]);
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
    for number in 0..1000 {
        let (server, home) = kept();
        let mut command = tracer::command(env!("CARGO_BIN_EXE_popfetch"));
        home.furnish(command.args(["import", "mpop", "-y"]));
        command.stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let Some(end) = tracer::kill_at(&mut command, number) else {
            return;
        };
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
            End::Exited(status) => {
                assert_eq!(status, 0);
                assert!(killed > 10, "so few are no import: {killed}");
                return;
            }
        }
    }
    panic!("still killed after {killed} calls");
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
