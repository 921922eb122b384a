use super::super::testing::{listed, message};
use super::super::{Place, Planned};
use super::*;

const NORMAL: Text = Text {
    paint: Paint::PLAIN,
    quiet: false,
    verbose: false,
    columns: None,
};
const QUIET: Text = Text {
    quiet: true,
    ..NORMAL
};
const VERBOSE: Text = Text {
    verbose: true,
    ..NORMAL
};

fn say(text: Text, event: &Event<'_>) -> String {
    text.lines("work", event, &Account::default())
}

fn outcome(fetched: u64) -> Outcome {
    Outcome {
        fetched,
        octets: fetched * 300_000,
        ..Outcome::default()
    }
}

fn failure(status: Status, hint: Option<&str>) -> Option<Failure> {
    Some(Failure {
        status,
        message: "the server refused the sign-in: \"[AUTH] no\x1b[m\"".into(),
        hint: hint.map(str::to_owned),
        routine: false,
    })
}

#[test]
fn nothing_new_is_one_short_line_and_nothing_when_quiet() {
    let outcome = outcome(0);
    let event = Event::Finished(&outcome);
    assert_eq!(say(NORMAL, &event), "work: nothing new\n");
    assert_eq!(say(QUIET, &event), "");
}

#[test]
fn the_summary_names_what_there_is() {
    let mut account = Account::default();
    account.add(&Event::Planned(Planned {
        seen: 340,
        ..Planned::default()
    }));
    let skipped = Event::Skipped {
        message: listed(),
        reason: "larger than 25 MB",
    };
    account.add(&skipped);
    account.add(&skipped);
    let outcome = Outcome {
        skipped: 2,
        deleted: 3,
        failed: 1,
        ..outcome(12)
    };
    assert_eq!(
        NORMAL.lines("work", &Event::Finished(&outcome), &account),
        "work: 12 new messages (3.6 MB), 340 seen, 3 deleted, \
         2 skipped (larger than 25 MB), 1 failed\n"
    );
}

#[test]
fn one_message_is_singular() {
    let outcome = outcome(1);
    assert_eq!(
        say(NORMAL, &Event::Finished(&outcome)),
        "work: 1 new message (300 KB)\n"
    );
}

#[test]
fn a_failure_is_an_escaped_error_with_its_hint_even_when_quiet() {
    let outcome = Outcome {
        failure: failure(Status::NoPermission, Some("set a new password")),
        ..Outcome::default()
    };
    for text in [NORMAL, QUIET, VERBOSE] {
        assert_eq!(
            say(text, &Event::Finished(&outcome)),
            "error: work: the server refused the sign-in: \"[AUTH] no\\x1b[m\"\n\
             hint: set a new password\n"
        );
    }
}

#[test]
fn what_was_fetched_before_a_failure_is_said() {
    let outcome = Outcome {
        failure: failure(Status::Temporary, None),
        ..outcome(5)
    };
    let text = say(NORMAL, &Event::Finished(&outcome));
    assert!(
        text.starts_with("error: work: 5 messages fetched (1.5 MB), then: the server"),
        "{text}"
    );
}

#[test]
fn so_is_what_was_deleted_and_handed_on_before() {
    let before = |done: Outcome| {
        let failure = failure(Status::Interrupted, None);
        say(NORMAL, &Event::Finished(&Outcome { failure, ..done }))
    };
    let text = before(Outcome {
        handed: 4,
        deleted: 3,
        ..outcome(5)
    });
    let start = "work: 5 messages fetched (1.5 MB), 4 handed on, 3 deleted, then: the server";
    assert!(text.starts_with(start), "{text}");
    let text = before(Outcome {
        deleted: 3,
        ..Outcome::default()
    });
    assert!(
        text.starts_with("work: 3 deleted, then: the server"),
        "{text}"
    );
    let text = before(Outcome::default());
    assert!(text.starts_with("work: the server"), "{text}");
}

#[test]
fn being_stopped_is_no_error() {
    let outcome = Outcome {
        failure: failure(Status::Interrupted, None),
        ..outcome(5)
    };
    assert!(say(NORMAL, &Event::Finished(&outcome)).starts_with("work: 5 messages fetched"));
    assert_eq!(say(QUIET, &Event::Finished(&outcome)), "");
}

#[test]
fn each_message_has_a_line_when_verbose() {
    let message = message();
    let event = Event::Message(&message);
    assert_eq!(
        say(VERBOSE, &event),
        "work: fetched Ada <ada@example.com> — Hello (12 KB)\n"
    );
    assert_eq!(say(NORMAL, &event), "");
}

#[test]
fn a_hostile_subject_stays_on_its_line() {
    let mut message = message();
    message.header = b"Subject: =?utf-8?q?a=0D=0Aerror:_b=1B]0;c=07=E2=80=AE?=\r\n\r\n";
    let line = say(VERBOSE, &Event::Message(&message));
    assert_eq!(
        line.matches(['\n', '\r', '\x1b', '\x07', '\u{202e}'])
            .count(),
        1,
        "{line:?}"
    );
}

#[test]
fn warnings_pierce_quiet_and_notices_do_not() {
    assert_eq!(say(NORMAL, &Event::Notice("hm")), "work: hm\n");
    assert_eq!(say(QUIET, &Event::Notice("hm")), "");
    assert_eq!(
        say(QUIET, &Event::Warning("h\nm")),
        "warning: work: h\\nm\n"
    );
}

#[test]
fn a_failed_message_is_named_and_when_quiet_not_in_each_run() {
    let event = Event::Failed {
        message: listed(),
        reason: "no such message",
    };
    assert_eq!(
        say(NORMAL, &event),
        "error: work: message 7 (uid-7, 12 KB): no such message\n"
    );
    assert_eq!(say(QUIET, &event), "");
}

#[test]
fn several_accounts_have_a_total() {
    let mut totals = Totals::default();
    totals.add("home", &outcome(1));
    assert_eq!(NORMAL.total(&totals), "");
    totals.add(
        "home",
        &Outcome {
            failure: failure(Status::Temporary, None),
            ..outcome(2)
        },
    );
    assert_eq!(
        NORMAL.total(&totals),
        "1 of 2 accounts: 3 new messages (900 KB); failed: home\n"
    );
    assert_eq!(QUIET.total(&totals), "");
}

#[test]
fn the_total_says_what_became_of_messages_as_an_accounts_line_does() {
    let both = Outcome {
        deleted: 8,
        handed: 2,
        there: 7,
        waiting: 3,
        known: 1,
        deleted_by_rules: 4,
        ..Outcome::default()
    };
    let line = summary(&both, &Account::default());
    let mut totals = Totals::default();
    totals.add("home", &both);
    totals.add("work", &Outcome::default());
    assert_eq!(NORMAL.total(&totals), format!("2 accounts: {line}\n"));
    assert_eq!(
        line,
        "nothing new, 1 here already, 2 handed on, 7 in the file already, 3 not handed on yet, 8 deleted, \
         4 deleted by rules"
    );
}

#[test]
fn what_was_not_looked_at_is_not_said_to_have_nothing_new() {
    let mut totals = Totals::default();
    for name in ["home", "work\x1b"] {
        let failure = failure(Status::Temporary, None);
        let outcome = Outcome {
            failure,
            ..Outcome::default()
        };
        totals.add(name, &outcome);
    }
    assert_eq!(
        NORMAL.total(&totals),
        "0 of 2 accounts fetched; failed: home, work\\x1b\n"
    );
    totals.add("third", &outcome(0));
    let total = NORMAL.total(&totals);
    assert_eq!(
        total,
        "1 of 3 accounts: nothing new; failed: home, work\\x1b\n"
    );
}

#[test]
fn the_result_names_the_maildir_that_was_made() {
    let place = |is_made| Place {
        path: "/home/ada/Mail/work".into(),
        shown: "~/Mail/work".into(),
        is_made,
        list: "popfetch list work --all-folders".into(),
    };
    let account = Account {
        place: Some(place(true)),
        ..Account::default()
    };
    let (some, none) = (outcome(2), outcome(0));
    let say = |outcome| NORMAL.lines("work", &Event::Finished(outcome), &account);
    assert_eq!(say(&some), "work: 2 new messages (600 KB) in ~/Mail/work\n");
    assert_eq!(say(&none), "work: nothing new\n");
    // It was made by a run that failed.
    let account = Account {
        place: Some(place(false)),
        ..account
    };
    let say = |outcome| NORMAL.lines("work", &Event::Finished(outcome), &account);
    assert_eq!(say(&some), "work: 2 new messages (600 KB)\n");
    let some = Outcome {
        is_first_mail: true,
        ..outcome(2)
    };
    assert_eq!(say(&some), "work: 2 new messages (600 KB) in ~/Mail/work\n");
}

#[test]
fn the_result_names_the_folders_that_new_mail_is_in_and_at_first_what_shows_it() {
    let mut account = Account {
        place: Some(Place {
            path: "/home/ada/Mail/work".into(),
            shown: "~/Mail/work".into(),
            is_made: false,
            list: "popfetch list work --all-folders".into(),
        }),
        ..Account::default()
    };
    let add = |account: &mut Account, folder: &str, recovered| {
        let path = format!("/home/ada/Mail/work/{folder}/new/1.host");
        account.add(&Event::Message(&Message {
            path: std::path::Path::new(&path),
            recovered,
            ..message()
        }));
    };
    for folder in [".Sent", ".", ".Entw&APw-rfe.2024", ".Sent"] {
        add(&mut account, folder, false);
    }
    add(&mut account, ".Lists", true);
    let say = |account: &Account, outcome: &Outcome| {
        NORMAL.lines("work", &Event::Finished(outcome), account)
    };
    assert_eq!(
        say(&account, &outcome(4)),
        "work: 4 new messages (1.2 MB; 2 in Sent, 1 in Entwürfe.2024)\n"
    );
    let first = Outcome {
        is_first_mail: true,
        ..outcome(4)
    };
    assert_eq!(
        say(&account, &first),
        "work: 4 new messages (1.2 MB; 2 in Sent, 1 in Entwürfe.2024) in ~/Mail/work\n\
         work: to see what is in folders, too: popfetch list work --all-folders\n"
    );
    for folder in [".A", ".A", ".B", ".C"] {
        add(&mut account, folder, false);
    }
    assert_eq!(
        say(&account, &outcome(8)),
        "work: 8 new messages (2.4 MB; 2 in A, 2 in Sent, 1 in B, 2 in 2 other folders)\n"
    );
    (0..2000).for_each(|at| add(&mut account, &format!(".c{at}"), false));
    let said = say(&account, &outcome(2008));
    assert!(said.contains(", 2002 in many others)"), "{said}");
}

#[test]
fn who_was_stopped_has_not_failed() {
    let mut totals = Totals::default();
    for (name, status) in [("dan", Status::Interrupted), ("eve", Status::Temporary)] {
        let outcome = Outcome {
            failure: failure(status, None),
            ..Outcome::default()
        };
        totals.add(name, &outcome);
    }
    assert_eq!(
        NORMAL.total(&totals),
        "0 of 2 accounts fetched; failed: eve; stopped: dan\n"
    );
}
