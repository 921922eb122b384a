use std::fs;
use std::os::unix::fs::MetadataExt;

use super::{age, assert_silent, pass, remembered};
use crate::given::{assert_said, behaving, letter, plainly, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::process::{PATIENCE, within};
use crate::support::wire::Ending;
use rustix::process::Signal;

const DAY: i64 = 24 * 60 * 60;

fn broken() -> Behaviour {
    Behaviour::new().on("STAT", Reply::End(Ending::Close))
}

/// A failure that does not pass by itself, at the same point.
fn clumsy() -> Behaviour {
    Behaviour::new().on("STAT", Reply::raw("rubbish\r\n"))
}

#[test]
fn b5_with_quiet_a_passing_failure_is_told_in_the_third_run_then_daily_and_then_its_end() {
    let (server, home) = behaving(1, broken());
    for _ in 0..2 {
        assert_silent(&run(&home, &["-q"], 75));
        pass(&home, 600);
    }
    let words = ["error: a: ", "closed the connection", "(failing since 2"];
    assert_said(
        &run(&home, &["-q"], 75),
        &[&words[..], &["hint: "]].concat(),
    );
    for _ in 0..3 {
        pass(&home, 600);
        assert_silent(&run(&home, &["-q"], 75));
    }
    pass(&home, DAY);
    assert_said(&run(&home, &["-q"], 75), &words);
    assert_silent(&run(&home, &["-q"], 75));
    // Another failure is news.
    server.behave(clumsy());
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
fn b5_a_passing_failure_that_is_over_soon_is_never_told_and_neither_is_its_end() {
    let (server, home) = behaving(1, broken());
    assert_silent(&run(&home, &["-q"], 75));
    pass(&home, 600);
    assert_silent(&run(&home, &["-q"], 75));
    server.behave(Behaviour::new());
    assert_silent(&run(&home, &["-q"], 0));
    // Runs that are far apart tell it in the second.
    server.behave(broken());
    assert_silent(&run(&home, &["-q"], 75));
    pass(&home, 60 * 60);
    assert_said(
        &run(&home, &["-q"], 75),
        &["error: a: ", "(failing since 2"],
    );
}

/// A server that cannot read one of its messages.
fn refusing() -> Behaviour {
    Behaviour::new().on("RETR 2", Reply::raw("-ERR message is damaged\r\n"))
}

#[test]
fn b5_a_message_that_is_refused_is_told_once_then_daily_and_then_its_end() {
    let (server, home) = behaving(3, refusing());
    let first = run(&home, &["-q"], 1);
    assert_said(&first, &["warning: a: uid-2: ", "message is damaged"]);
    // Refused, and then passed over.
    for _ in 0..4 {
        pass(&home, 600);
        assert_silent(&run(&home, &["-q"], 1));
    }
    pass(&home, DAY);
    assert_said(&run(&home, &["-q"], 1), &["warning: a: uid-2: "]);
    assert_silent(&run(&home, &["-q"], 1));
    // A person is told each time.
    assert_said(&run(&home, &[], 1), &["uid-2"]);
    server.behave(Behaviour::new());
    let end = run(&home, &["-q", "fetch", "--now"], 0);
    assert_said(
        &end,
        &["a: what was passed over since 2", "has come, or is gone"],
    );
    assert_silent(&run(&home, &["-q"], 0));
}

#[test]
fn b5_an_account_that_works_again_is_told_of_although_a_message_is_passed_over() {
    let (server, home) = behaving(3, refusing());
    run(&home, &["-q"], 1);
    server.behave(clumsy());
    assert_said(&run(&home, &["-q"], 76), &["error: a: "]);
    server.behave(refusing());
    let end = run(&home, &["-q"], 1);
    assert_said(&end, &["a: works again"]);
    assert!(!end.stderr.contains("damaged"), "{end:#?}");
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
    for _ in 0..5 {
        run(&home, &[], 75);
    }
    assert_said(&run(&home, &["-q"], 75), &["closed the connection"]);
}

#[test]
fn programs_are_told_each_time() {
    let (server, home) = plainly(1, broken());
    for _ in 0..3 {
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
    let (bad, home) = plainly(1, clumsy());
    let (good, _) = plainly(1, Behaviour::new());
    let accounts = [("a", bad.account()), ("b", good.account())];
    let configs = accounts.map(|(name, account)| home.account_config(name, &account));
    home.config(&configs.concat());
    assert_said(&run(&home, &["-q"], 76), &["error: a: "]);
    let second = run(&home, &["-q"], 76);
    assert!(!second.stderr.contains("error: "), "{second:#?}");
    good.behave(clumsy());
    let third = run(&home, &["-q"], 76);
    assert_said(&third, &["error: b: "]);
    assert!(!third.stderr.contains("error: a"), "{third:#?}");
}

#[test]
fn b5_an_account_that_is_held_for_hours_is_told_of_once_a_day() {
    // A server that never answers, and a run that waits for it.
    let (server, home) = plainly(1, Behaviour::new().on("STAT", Reply::End(Ending::Stall)));
    home.one_account(&server.account(), "timeout = \"1 hour\"\n");
    let mut hangs = home.popfetch(["fetch"]).start();
    let asked = || {
        server
            .sessions_so_far()
            .iter()
            .any(|it| it.count("STAT") > 0)
    };
    within(PATIENCE, || asked().then_some(())).unwrap();
    let pid = hangs.id();
    assert_silent(&run(&home, &["-q"], 75));
    let files = fs::read_dir(home.state()).unwrap();
    let mut paths = files.map(|file| file.unwrap().path());
    let lock = paths.find(|path| path.extension().is_some_and(|it| it == "lock"));
    age(&lock.unwrap(), &[2], 3 * 60 * 60);
    let told = run(&home, &["-q"], 75);
    let process = format!("(process {pid}, since 2");
    let way_on = format!("kill {pid}");
    let words = [
        "error: a: another popfetch has held this account for 3 hours ",
        &process,
        &way_on,
    ];
    assert_said(&told, &words);
    assert_silent(&run(&home, &["-q"], 75));
    // A person is told each time.
    assert_said(&run(&home, &[], 75), &words);
    pass(&home, DAY);
    assert_said(&run(&home, &["-q"], 75), &words);
    // What the hint says works, and then it is over.
    hangs.signal(Signal::TERM);
    assert_eq!(hangs.wait().status, Some(143));
    server.behave(Behaviour::new());
    server.sessions();
    let end = run(&home, &["-q"], 0);
    assert_said(&end, &["a: works again"]);
}

#[test]
fn two_things_that_go_on_for_long_are_both_told_on_the_day_that_they_begin() {
    let refused = Reply::raw("-ERR some deleted messages not removed\r\n");
    let behaviour = Behaviour::new().without("TOP").on("QUIT", refused);
    let (server, home) = behaving(1, behaviour);
    let rule = "[[accounts.a.rules]]\nsubject = \"Letter*\"\nthen = \"skip\"\n";
    home.one_account(&server.account(), &format!("keep = \"never\"\n{rule}"));
    let both = ["rules about headers", "did not delete all"];
    assert_said(&run(&home, &["-q"], 0), &both);
    server.maildrop().add([letter(2)]);
    assert_silent(&run(&home, &["-q"], 0));
}
