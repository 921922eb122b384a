use crate::given::{assert_said, mail, plainly, run, serving};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::tree;
use crate::support::wire::Ending;

/// Closes behind the third message of each session.
fn closes_behind_three() -> Behaviour {
    Behaviour::new().gives(3, Reply::End(Ending::Close))
}

#[test]
fn d1_a_server_that_ends_each_session_after_some_messages_is_told_of_once_a_run() {
    let (_server, home) = serving(mail(15), closes_behind_three());
    let output = run(&home, &["--now"], 0);
    let told = output.stderr.matches("connecting once more for the rest");
    assert_eq!(told.count(), 1, "{output:#?}");
    tree::assert_holds(&home.maildir("a"), &mail(15));
}

#[test]
fn c7_another_maildir_is_no_news_where_nothing_was_ever_fetched_and_is_told_once_elsewhere() {
    for fetched in [false, true] {
        let refuses = Behaviour::new().on("RETR", Reply::raw("-ERR [SYS/TEMP] not now\r\n"));
        let (server, home) = plainly(2, refuses);
        if fetched {
            server.behave(Behaviour::new());
        }
        let _ = home.popfetch(["--now"]).run();
        let text = std::fs::read_to_string(home.config_file()).unwrap();
        let (old, new) = (home.maildir("a"), home.maildir("b"));
        home.config(&text.replace(&format!("{old:?}"), &format!("{new:?}")));
        server.behave(Behaviour::new().greeting("-ERR [SYS/TEMP] not now\r\n"));
        for turn in 0..3 {
            let output = run(&home, &["--now"], 75);
            let is_told = output.stderr.contains("stays where it is");
            assert_eq!(is_told, fetched && turn == 0, "{output:#?}");
        }
    }
}

#[test]
fn ux_the_first_mail_says_where_it_is_also_behind_a_run_that_failed() {
    let refuses = Behaviour::new().on("RETR", Reply::raw("-ERR [SYS/TEMP] not now\r\n"));
    let (server, home) = plainly(2, refuses);
    let _ = home.popfetch(["--now"]).run();
    server.behave(Behaviour::new());
    let output = run(&home, &["--now"], 0);
    let place = home.maildir("a");
    let place = place.file_name().unwrap().to_str().unwrap();
    assert_said(&output, &["2 new messages", " in ", place]);
    server.maildrop().replace(mail(3));
    let output = run(&home, &["--now"], 0);
    assert!(!output.stderr.contains(" in "), "{output:#?}");
}

#[test]
fn e6_a_state_that_is_made_again_with_nothing_unknown_says_no_number() {
    let (_server, home) = plainly(2, Behaviour::new());
    run(&home, &[], 0);
    let journal = crate::given::journal(&home);
    let mut octets = std::fs::read(&journal).unwrap();
    let half = octets.len() / 2;
    // A line of no consequence in the middle is damaged.
    let end = octets[half..].iter().position(|it| *it == b'\n').unwrap() + half;
    octets.splice(end + 1..end + 1, *b"nonsense\n");
    std::fs::write(&journal, octets).unwrap();
    let output = run(&home, &[], 0);
    assert_said(&output, &["the state file was damaged"]);
    assert!(!output.stderr.contains("0 messages"), "{output:#?}");
}
