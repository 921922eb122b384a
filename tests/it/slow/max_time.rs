use std::time::{Duration, Instant};

use crate::given::{assert_said, command, mail, run, server};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::tree;
use crate::support::wire::Ending;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn f12_a_run_whose_time_is_over_commits_what_it_has_and_is_temporary() {
    let (server, home) = server(10);
    server.behave(Behaviour::new().on("RETR 6", Reply::End(Ending::Stall)));
    let began = Instant::now();
    let output = run(&home, &["fetch", "--max-time", "1s"], 75);
    assert!(began.elapsed() < MINUTE / 2, "{:?}", began.elapsed());
    assert_said(&output, &["error: a: 5 messages fetched", "--max-time"]);
    tree::assert_holds(&home.maildir("a"), &mail(5));
    tree::assert_tmp_is_empty(&home.maildir("a"));
    server.behave(Behaviour::new());
    run(&home, &["fetch", "--max-time", "1 min"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(10));
    assert_eq!(server.last_session().count("RETR"), 5);
}

#[test]
fn f12_e_2_a_run_whose_report_nobody_reads_ends_with_its_time_and_the_next_one_brings_the_rest() {
    let (server, home) = server(1000);
    // Nobody reads what it writes.
    let (_unread, writer) = std::io::pipe().unwrap();
    let began = Instant::now();
    let mut command = command(&home, &["--format", "paths", "fetch", "--max-time", "1s"]);
    let output = command.stdout(writer).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(75), "{stderr}");
    assert!(began.elapsed() < MINUTE / 2, "{:?}", began.elapsed());
    // The server notices that its client is gone before it lets the next one in.
    server.sessions();
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &server.maildrop().messages());
    tree::assert_tmp_is_empty(&home.maildir("a"));
}
