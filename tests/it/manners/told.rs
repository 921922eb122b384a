use std::fs;
use std::os::unix::fs::MetadataExt;

use super::{assert_silent, pass, remembered};
use crate::given::{assert_said, behaving, plainly, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::wire::Ending;

const DAY: i64 = 24 * 60 * 60;

fn broken() -> Behaviour {
    Behaviour::new().on("STAT", Reply::End(Ending::Close))
}

#[test]
fn with_quiet_a_failure_is_told_once_then_daily_and_then_its_end() {
    let (server, home) = behaving(1, broken());
    let first = run(&home, &["-q"], 75);
    assert_said(&first, &["error: a: ", "closed the connection", "hint: "]);
    for _ in 0..3 {
        pass(&home, 600);
        assert_silent(&run(&home, &["-q"], 75));
    }
    pass(&home, DAY);
    let reminder = run(&home, &["-q"], 75);
    assert_said(
        &reminder,
        &["error: a: ", "closed the connection", "(failing since 2"],
    );
    assert_silent(&run(&home, &["-q"], 75));
    // Another failure is news.
    server.behave(Behaviour::new().on("STAT", Reply::raw("rubbish\r\n")));
    assert_said(&run(&home, &["-q"], 76), &["error: a: "]);
    assert_silent(&run(&home, &["-q"], 76));
    server.behave(Behaviour::new());
    let end = run(&home, &["-q"], 0);
    let line = end.stderr.strip_suffix('\n').unwrap();
    assert!(
        line.starts_with("a: works again; it had failed since 2"),
        "{end:#?}"
    );
    assert_silent(&run(&home, &["-q"], 0));
}

#[test]
fn without_quiet_each_failure_is_told_and_no_end() {
    let (server, home) = plainly(1, broken());
    let first = run(&home, &[], 75);
    assert_said(&first, &["closed the connection"]);
    assert_eq!(run(&home, &[], 75).stderr, first.stderr);
    server.behave(Behaviour::new());
    let end = run(&home, &[], 0);
    assert!(!end.stderr.contains("works again"), "{end:#?}");
}

#[test]
fn who_was_told_at_the_terminal_does_not_keep_it_from_cron() {
    let (_server, home) = plainly(1, broken());
    run(&home, &[], 75);
    assert_said(&run(&home, &["-q"], 75), &["closed the connection"]);
}

#[test]
fn programs_are_told_each_time() {
    let (server, home) = plainly(1, broken());
    for _ in 0..2 {
        let output = run(&home, &["-q", "--format", "json"], 75);
        assert!(
            output.stdout.contains("closed the connection"),
            "{output:#?}"
        );
    }
    server.behave(Behaviour::new());
    let output = run(&home, &["-q", "--format", "json"], 0);
    assert!(
        output.stdout.contains("\"event\":\"notice\""),
        "{output:#?}"
    );
}

#[test]
fn an_account_that_always_works_is_written_about_once_and_only_of_a_shortcut() {
    let (server, home) = plainly(1, Behaviour::new().without("PIPELINING"));
    run(&home, &["-q"], 0);
    assert!(remembered(&home).is_none());
    server.behave(Behaviour::new());
    run(&home, &["-q"], 0);
    let written = || fs::metadata(remembered(&home).unwrap()).unwrap().ino();
    let once = written();
    run(&home, &["-q"], 0);
    assert_eq!(written(), once);
}

#[test]
fn a_maildir_that_is_gone_is_told_once_as_well() {
    let (_server, home) = plainly(1, Behaviour::new());
    run(&home, &[], 0);
    fs::rename(home.maildir("a"), home.path().join("elsewhere")).unwrap();
    assert_said(&run(&home, &["-q"], 73), &["error: a: "]);
    assert_silent(&run(&home, &["-q"], 73));
    fs::rename(home.path().join("elsewhere"), home.maildir("a")).unwrap();
    assert_said(&run(&home, &["-q"], 0), &["a: works again"]);
}

#[test]
fn a_password_that_cannot_be_had_is_told_once_as_well() {
    let (server, home) = plainly(1, Behaviour::new());
    let keys = "password-command = [\"sh\", \"-c\", \"exit 3\"]\n";
    let config = home.account_config("a", &server.account());
    let lines = config
        .lines()
        .filter(|line| !line.starts_with("password-file"));
    let without: Vec<&str> = lines.collect();
    home.config(&format!("{}\n{keys}", without.join("\n")));
    let first = home.popfetch(["-q"]).run();
    assert_said(&first, &["error: a: ", "hint: "]);
    let status = first.status.unwrap();
    assert_ne!(status, 0);
    assert_silent(&run(&home, &["-q"], status));
    // A person is told each time, and so is who only looks.
    assert_said(&run(&home, &[], status), &["error: a: "]);
    assert_said(&run(&home, &["check", "-q"], status), &["error: a: "]);
    home.config(&config);
    assert_said(&run(&home, &["-q"], 0), &["a: works again"]);
}

#[test]
fn each_account_is_told_of_for_itself() {
    let (bad, home) = plainly(1, broken());
    let (good, _) = plainly(1, Behaviour::new());
    let accounts = [("a", bad.account()), ("b", good.account())];
    let configs = accounts.map(|(name, account)| home.account_config(name, &account));
    home.config(&configs.concat());
    assert_said(&run(&home, &["-q"], 75), &["error: a: "]);
    let second = run(&home, &["-q"], 75);
    assert!(!second.stderr.contains("error: "), "{second:#?}");
    good.behave(broken());
    let third = run(&home, &["-q"], 75);
    assert_said(&third, &["error: b: "]);
    assert!(!third.stderr.contains("error: a"), "{third:#?}");
}
