use super::{ruled, set_rules, three, work};
use crate::given::{assert_said, journal, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

const OLD: &str = "age = \">30 days\"; then = \"delete\"";

fn dated(id: &str, date: &str) -> Message {
    let text = format!("From: x@shop.example\n{date}Subject: {id}\n\n{id}\n");
    Message::from_lf(id, text)
}

/// One that has come just now, and was written then, or long ago.
fn received(id: &str, is_old: bool) -> Message {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let time = jiff::Timestamp::from_second(now.as_secs().try_into().unwrap()).unwrap();
    let time = time.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
    let sent = if is_old {
        "Tue, 1 Jan 2019 10:00:00 +0000"
    } else {
        &time
    };
    let text = format!(
        "Received: from a.example by mx.example.org with ESMTPS id 1;\n\t{time}\n\
         From: x@shop.example\nDate: {sent}\nSubject: {id}\n\n{id}\n"
    );
    Message::from_lf(id, text)
}

/// A server and a home that has seen it empty: what the clock is worth shows only beside an earlier run.
fn begun(rule: &str) -> (Server, Home) {
    let (server, home) = ruled(Vec::new(), "", rule, Behaviour::new());
    run(&home, &[], 0);
    (server, home)
}

#[test]
fn a_rule_about_age_goes_by_the_date_of_the_message_and_deletes_none_without_one() {
    let (server, home) = begun(OLD);
    server.maildrop().add([
        dated("old", "Date: Tue, 1 Jan 2019 10:00:00 +0000\n"),
        dated("future", "Date: Tue, 1 Jan 2069 10:00:00 +0000\n"),
        dated("none", ""),
        dated("odd", "Date: yesterday\n"),
        received("new", true),
    ]);
    run(&home, &[], 0);
    // What came just now is new, whenever it says that it was written.
    let left = ["future", "none", "odd", "new"];
    assert_eq!(server.maildrop().unique_ids(), left);
    assert_eq!(tree::count(&home.maildir("a")), 4);
}

/// Readers of dates that are not strict make the year 2000 of them, or 1000.
#[test]
fn a_date_that_is_written_in_no_mail_s_form_is_no_age() {
    const FORMS: [&str; 17] = [
        "Thu Nov 26 10:00:00 UTC 2026",
        "Thu Nov 26 10:00:00 GMT 2026",
        "Thu Nov 26 10:00:00 Z 2026",
        "Thu Nov 26 10:00:00 +0100 2026",
        "Thu 26 Nov 10:00:00 UTC 2026",
        "26.11.2026 10:00",
        "11/26/2026 10:00",
        "2026/11/26 10:00:00",
        "2026-11-26T10:00:00Z",
        "20261126 10:00:00",
        "Nov 26 10:00:00",
        // The day of the week is another one: then what else is wrong?
        "Fri, 26 Nov 2020 10:00:01 +0000",
        "Thu, 26 Nov 20260 10:00:00 +0000",
        "26 Nov 2000 10:00:00",
        "26 Nov 2000 10:00:00 +0000 2026",
        "26 Nov 2000 10:00:00 +0000 (unclosed",
        "26 Nov 2000 10:00:00 +00",
    ];
    for then in ["delete", "skip"] {
        let (server, home) = begun(&format!("age = \">30 days\"; then = \"{then}\""));
        let form =
            |(n, form): (usize, &&str)| dated(&format!("odd-{n}"), &format!("Date: {form}\n"));
        server.maildrop().add(FORMS.iter().enumerate().map(form));
        let old = [
            "Tue, 1 Jan 2019 10:00:00 +0000",
            "1 Jan 19 10:00 EST",
            "Tue,\n  1 Jan 2019 10:00:00 -0000 (a (b) \\) c)",
        ];
        let old = old.iter().enumerate();
        let old = old.map(|(n, form)| dated(&format!("old-{n}"), &format!("Date: {form}\n")));
        server.maildrop().add(old.chain([received("new", false)]));
        run(&home, &[], 0);
        let there = server.maildrop().unique_ids();
        let count = |kind: &str| there.iter().filter(|id| id.starts_with(kind)).count();
        assert_eq!(count("odd"), FORMS.len(), "{there:?}");
        assert_eq!(
            count("old"),
            if then == "skip" { 3 } else { 0 },
            "{there:?}"
        );
        assert_eq!(tree::count(&home.maildir("a")), FORMS.len() + 1, "{then}");
    }
}

/// A sender's clock may be wrong, or be said to be. When a message came is what its server has written.
#[test]
fn a_message_is_no_older_than_its_server_says_and_of_no_age_where_that_cannot_be_read() {
    let (server, home) = begun(OLD);
    let date = "Date: Tue, 1 Jan 2019 10:00:00 +0000\n";
    let unreadable = "Received: by mx.example.org; 26.11.2026 10:00\n";
    server.maildrop().add([
        dated("unreadable", &format!("{unreadable}{date}")),
        received("late", true),
        dated(
            "old",
            &format!("Received: by mx.example.org; Tue, 1 Jan 2019 10:00:01 +0000\n{date}"),
        ),
        received("new", false),
    ]);
    run(&home, &[], 0);
    let left = ["unreadable", "late", "new"];
    assert_eq!(server.maildrop().unique_ids(), left);
    assert_eq!(tree::count(&home.maildir("a")), 3);
}

/// A clock that is years ahead, in each run: nothing has come in those years.
#[test]
fn no_message_is_older_than_the_time_between_it_and_the_newest_one() {
    for then in ["delete", "skip"] {
        let (server, home) = begun(&format!("age = \">30 days\"; then = \"{then}\""));
        let sent = |id: &str, day: u32| {
            let date = format!("{day} Jan 2019 10:00:00 +0000");
            let received = format!("Received: by mx.example.org;\n {date}\n");
            dated(id, &format!("{received}Date: {date}\n"))
        };
        server
            .maildrop()
            .add((1..=5).map(|n| sent(&format!("uid-{n}"), n)));
        run(&home, &[], 0);
        assert_eq!(server.maildrop().count(), 5, "{then}");
        assert_eq!(tree::count(&home.maildir("a")), 5, "{then}");
    }
}

/// Servers number messages as they come, some from the other end.
#[test]
fn the_newest_message_is_the_first_or_the_last() {
    for newest_first in [false, true] {
        let (server, home) = begun(OLD);
        let mut messages = vec![dated("old", "Date: Tue, 1 Jan 2019 10:00:00 +0000\n")];
        messages.insert(usize::from(!newest_first), received("new", false));
        server.maildrop().add(messages);
        run(&home, &[], 0);
        assert_eq!(server.maildrop().unique_ids(), ["new"], "{newest_first}");
    }
}

#[test]
fn a_clock_that_is_behind_the_mail_makes_no_message_young() {
    let (server, home) = begun("age = \"<30 days\"; then = \"skip\"");
    server.maildrop().add([
        received("new", false),
        dated(
            "ahead",
            "Received: by mx.example.org; 1 Jan 2069 10:00:00 +0000\n\
             Date: Tue, 1 Jan 2069 10:00:00 +0000\n",
        ),
    ]);
    run(&home, &[], 0);
    assert_eq!(tree::count(&home.maildir("a")), 2);
}

#[test]
fn a_dry_run_says_why_no_age_is_known() {
    let (server, home) = ruled(three(), "", OLD, Behaviour::new());
    let said = |why: &str| {
        let output = run(&home, &["fetch", "--dry-run"], 0);
        assert_said(&output, &["rules about ages decide nothing now", why]);
    };
    said("first run");
    server.maildrop().replace([]);
    run(&home, &[], 0);
    let none = || dated("none", "");
    server.maildrop().replace([none()]);
    said("says when the server has received it");
    let ahead = dated("ahead", "Date: Tue, 1 Jan 2069 10:00:00 +0000\n");
    server.maildrop().replace([none(), ahead]);
    said("later than it is by this machine's clock");
    server.maildrop().replace([none(), received("new", false)]);
    let output = run(&home, &["fetch", "--dry-run"], 0);
    assert!(!output.stderr.contains("ages"), "{output:#?}");
}

#[test]
fn a_first_run_deletes_and_leaves_nothing_for_its_age() {
    for (then, age) in [
        ("delete", ">30 days"),
        ("skip", ">30 days"),
        ("delete", "<2 days"),
    ] {
        let rule = format!("age = \"{age}\"; then = \"{then}\"");
        let (server, home) = ruled(three(), "", &rule, Behaviour::new());
        run(&home, &[], 0);
        assert_eq!(tree::count(&home.maildir("a")), 3, "{then}, {age}");
        assert_eq!(server.maildrop().count(), 3, "{then}, {age}");
    }
}

/// A machine that starts without a network, and with a clock that nobody has set.
#[test]
fn a_run_that_did_not_come_to_the_server_says_nothing_of_the_clock() {
    let rule = "age = \">30 days\"; then = \"delete\"";
    let old = "From: x@shop.example\nDate: Tue, 1 Jan 2019 10:00:00 +0000\nSubject: a\n\na\n";
    let messages = vec![Message::from_lf("old", old)];
    let closes = Behaviour::new().on("CAPA", Reply::End(Ending::Close));
    let closes = closes.on("USER", Reply::End(Ending::Close));
    let (server, home) = ruled(messages, "", rule, closes);
    let first = home.popfetch(["fetch"]).run();
    assert_ne!(first.status, Some(0), "{first:#?}");
    server.behave(Behaviour::new());
    run(&home, &["fetch", "--now"], 0);
    assert_eq!(server.maildrop().unique_ids(), ["old"]);
    assert_eq!(tree::count(&home.maildir("a")), 1);
}

#[test]
fn what_the_first_and_the_last_message_say_of_the_time_is_asked_once() {
    let (server, home) = begun("age = \">30 days\"; then = \"skip\"");
    let old = || dated("old", "Date: Tue, 1 Jan 2019 10:00:00 +0000\n");
    server.maildrop().add([old(), received("new", false)]);
    run(&home, &[], 0);
    let asked = ["TOP 1 0", "TOP 2 0", "TOP 1 0", "NOOP", "RETR 2"];
    assert_eq!(work(&server.last_session()), asked);
    // What is left is judged in each run, and nothing is asked for that.
    for _ in 0..2 {
        let output = run(&home, &[], 0);
        assert_said(&output, &["1 skipped (rule 1"]);
        assert!(work(&server.last_session()).is_empty(), "{output:#?}");
    }
    // Nor a second time of one that is new.
    server.maildrop().add([received("newer", false)]);
    run(&home, &[], 0);
    assert_eq!(work(&server.last_session()), ["TOP 3 0", "RETR 3"]);
    run(&home, &[], 0);
    assert!(work(&server.last_session()).is_empty());
    // Where nothing is open to rules, what is known stays known.
    set_rules(&server, &home, "", "");
    run(&home, &[], 0);
    assert_eq!(work(&server.last_session()), ["RETR 1"]);
    assert_eq!(tree::count(&home.maildir("a")), 3);
}

#[test]
fn what_is_known_of_the_time_stays_known_while_nothing_is_open_to_rules() {
    let (server, home) = begun(OLD);
    server
        .maildrop()
        .add([received("first", false), received("last", false)]);
    run(&home, &[], 0);
    assert_eq!(
        work(&server.last_session()),
        ["TOP 1 0", "TOP 2 0", "RETR 1", "RETR 2"]
    );
    for _ in 0..3 {
        run(&home, &[], 0);
        assert!(work(&server.last_session()).is_empty());
    }
    server.maildrop().add([received("newer", false)]);
    run(&home, &[], 0);
    assert_eq!(work(&server.last_session()), ["TOP 3 0", "RETR 3"]);
    // The first and the last one; of any other nobody will ask.
    run(&home, &[], 0);
    let text = fs::read_to_string(journal(&home)).unwrap();
    let is_known = |id: &str| {
        let told = text.lines().filter(|line| line.starts_with("h\t"));
        let mut told = told.filter(|line| line.split('\t').nth(2) == Some(id));
        let last = told.next_back().unwrap().split('\t').nth(5).unwrap();
        last.contains(|digit| digit != '0')
    };
    let known = ["first", "last", "newer"].map(is_known);
    assert_eq!(known, [true, false, true], "{text}");
}

#[test]
fn the_time_that_ages_are_counted_to_comes_in_the_flight_of_the_headers() {
    let (server, home) = begun(OLD);
    let new = |n: usize| received(&format!("uid-{n}"), false);
    server.maildrop().add((1..=1000).map(new));
    run(&home, &[], 0);
    let session = work(&server.last_session());
    let rest = (2..1000).map(|n| format!("TOP {n} 0"));
    let tops = ["TOP 1 0".to_owned(), "TOP 1000 0".to_owned()].into_iter();
    let retrs = (1..=1000).map(|n| format!("RETR {n}"));
    let wanted: Vec<String> = tops.chain(rest).chain(retrs).collect();
    assert!(session == wanted, "{:?}", &session[..10]);
    assert_eq!(session.len(), 2000);
    assert_eq!(tree::count(&home.maildir("a")), 1000);
}

#[test]
fn what_a_rule_about_age_has_left_once_is_not_new_to_check() {
    let (server, home) = begun("age = \">30 days\"; then = \"skip\"");
    let old = ["one", "two"].map(|id| dated(id, "Date: Tue, 1 Jan 2019 10:00:00 +0000\n"));
    server.maildrop().add(old);
    server.maildrop().add([received("new", false)]);
    run(&home, &["check", "-q"], 0);
    run(&home, &[], 0);
    assert_eq!(tree::count(&home.maildir("a")), 1);
    run(&home, &["check", "-q"], 1);
    assert!(work(&server.last_session()).is_empty());
    run(&home, &[], 0);
    assert_eq!(tree::count(&home.maildir("a")), 1);
}

/// The header of the last message has been asked for its time alone, as its size decided.
#[test]
fn what_is_known_of_a_message_by_its_time_alone_does_not_stand_for_its_header() {
    let rules = |bound| {
        format!("size = \">{bound}\"; then = \"skip\"\nage = \">30 days\"; then = \"skip\"")
    };
    let (server, home) = begun(&rules("1 kB"));
    let text = format!(
        "Received: from a.example by mx.example.org with ESMTPS id 1;\n\tTue, 1 Jan 2019 10:00:00 +0000\n\
         Date: Tue, 1 Jan 2019 10:00:00 +0000\nSubject: x\n\n{}\n",
        "x".repeat(2000)
    );
    server.maildrop().add([Message::from_lf("large", text)]);
    server.maildrop().add([received("new", false)]);
    run(&home, &[], 0);
    assert_eq!(tree::count(&home.maildir("a")), 1);
    set_rules(&server, &home, "", &rules("10 kB"));
    run(&home, &[], 0);
    assert_eq!(tree::count(&home.maildir("a")), 1, "it came, old as it is");
}
