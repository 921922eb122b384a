//! A message counts as handed on to a folder where that shows what an earlier try with it has left there. What was
//! there before, what others have put there, and what is somewhere else is no sign of that, as it may be the very
//! message that is to be handed on, where both accounts are one mailbox.

use super::folder::{TO_GMAIL, config, scene, stored};
use super::lost_answers::{NEVER, ages, answer_lost, has};
use super::spool;
use crate::given::{assert_said, compact, journal, mail, run};
use crate::support::account::Account;
use crate::support::depot::{Act, Depot, Taken};
use crate::support::journal::rewrite;
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use crate::support::tree;

/// "gmail" has not kept what it was given, and its answer never comes.
fn lost(home: &Home, depot: &Depot) {
    depot.behave_times("lost", Act::Close, 1);
    run(home, &["fetch", "a"], 1);
    depot.behave_well();
}

fn at_once(home: &Home) -> Output {
    run(home, &["fetch", "--now", "a"], 0)
}

/// What its server had is there twice, and that is named.
fn assert_named(server: &Server, home: &Home, depot: &Depot, count: usize, what: &str) {
    let output = at_once(home);
    assert_said(&output, &["uid-1: account gmail does not tell", "twice"]);
    assert_eq!(depot.taken().len(), count, "{what}: {output:#?}");
    assert_eq!(server.maildrop().count(), 0, "{what}");
    let output = at_once(home);
    assert_eq!(depot.taken().len(), count, "{what}: {output:#?}");
}

#[test]
fn d42_what_was_there_before_a_message_was_tried_is_not_taken_for_it() {
    for folder in ["INBOX", "Work"] {
        for compacts in [false, true] {
            let (server, home, depot) = scene(mail(1), NEVER);
            depot.has_folders(&[("INBOX", ""), ("Work", "")]);
            depot.change(|taken| taken.push(Taken::into(folder, mail(1)[0].octets())));
            lost(&home, &depot);
            if compacts {
                compact(&server, &home);
            }
            assert_named(&server, &home, &depot, 2, folder);
        }
    }
}

#[test]
fn d42_what_waits_when_the_state_is_lost_is_handed_on_whatever_is_there() {
    let (server, home, depot) = scene(mail(1), NEVER);
    has(&depot, mail(1)[0].octets());
    depot.behave("greeting", Act::Close);
    home.popfetch(["fetch", "a"]).run();
    depot.behave_well();
    std::fs::remove_file(journal(&home)).unwrap();
    assert_eq!(tree::count(&spool(&home)), 1);
    let output = at_once(&home);
    assert_said(&output, &["account gmail does not tell", "twice"]);
    assert_eq!((depot.taken().len(), server.maildrop().count()), (2, 0));
}

#[test]
fn d42_what_a_try_has_left_is_found_after_a_compaction_and_in_a_folder_that_was_made_for_it() {
    for (is_made, compacts) in [(false, false), (false, true), (true, false), (true, true)] {
        let (server, home, depot) = scene(mail(1), NEVER);
        // Something else, without which nothing would show.
        has(&depot, mail(2)[1].octets());
        depot.behave("end", Act::Hang);
        if is_made {
            let keys = "deliver = { account = \"gmail\", folder = \"Old\" }\nkeep = \"never\"\n";
            let others = "timeout = \"2 s\"\n";
            config(&server, &home, &depot.account(), keys, others);
            let missing = Act::Say("{tag} NO [NONEXISTENT] no such folder\r\n".into());
            depot.behave_also("EXAMINE", missing, 1);
        }
        run(&home, &["fetch", "a"], 1);
        depot.behave_well();
        if compacts {
            compact(&server, &home);
        }
        let output = at_once(&home);
        assert_said(&output, &["since an earlier try"]);
        assert!(!output.stderr.contains("twice"), "{output:#?}");
        assert_eq!((depot.taken().len(), server.maildrop().count()), (2, 0));
    }
}

#[test]
fn d42_a_folder_that_is_made_before_its_first_message_is_named() {
    let (server, home, depot) = scene(mail(2), NEVER);
    let keys = "deliver = { account = \"gmail\", folder = \"Old\" }\nkeep = \"never\"\n";
    config(&server, &home, &depot.account(), keys, "");
    let missing = Act::Say("{tag} NO [NONEXISTENT] no such folder\r\n".into());
    depot.behave_times("EXAMINE", missing, 1);
    let output = run(&home, &["fetch", "a"], 0);
    assert_eq!(
        output.stderr.matches("was made for it").count(),
        1,
        "{output:#?}"
    );
    assert_eq!(depot.octets(), stored(&mail(2)));
    assert_eq!((depot.count("CREATE"), depot.count("APPEND")), (1, 2));
}

#[test]
fn d42_a_server_whose_numbers_cannot_be_believed_has_nothing_that_counts() {
    let octets = || mail(1)[0].octets();
    for (what, before, after) in [
        ("no UIDNEXT", (1, Some(0)), (1, Some(0))),
        ("UIDNEXT is low", (1, Some(1)), (1, Some(1))),
        ("no UIDVALIDITY", (0, None), (0, None)),
        ("another life of the folder", (1, None), (2, None)),
        ("UIDs that run backwards", (1, Some(100)), (1, None)),
    ] {
        let (server, home, depot) = scene(mail(1), NEVER);
        has(&depot, octets());
        depot.says(before.0, before.1);
        answer_lost(&home, &depot);
        depot.says(after.0, after.1);
        assert_named(&server, &home, &depot, 3, what);
    }
}

#[test]
fn d42_a_note_of_an_earlier_version_or_of_another_folder_is_no_sign() {
    for what in ["earlier version", "other folder"] {
        let (server, home, depot) = scene(mail(1), NEVER);
        depot.has_folders(&[("INBOX", ""), ("Work", "")]);
        answer_lost(&home, &depot);
        if what == "earlier version" {
            rewrite(&journal(&home), |fields| {
                if fields[0] == "g" {
                    fields.truncate(4);
                }
            });
        } else {
            let keys = "deliver = { account = \"gmail\", folder = \"Work\" }\nkeep = \"never\"\n";
            config(&server, &home, &depot.account(), keys, "");
            depot.change(|taken| taken.push(Taken::into("Work", mail(1)[0].octets())));
        }
        let count = depot.taken().len() + 1;
        assert_named(&server, &home, &depot, count, what);
    }
}

#[test]
fn d42_a_doubt_stays_when_the_next_try_comes_to_nothing_or_its_answer_is_lost_as_well() {
    for (what, step, act) in [
        ("lost", "end", Act::Hang),
        ("refused", "APPEND", Act::Say("{tag} NO no\r\n".into())),
        (
            "later",
            "APPEND",
            Act::Say("{tag} NO [INUSE] no\r\n".into()),
        ),
    ] {
        for compacts in [false, true] {
            let (server, home, depot) = scene(mail(1), NEVER);
            depot.announce("IMAP4rev1 UIDPLUS AUTH=PLAIN SASL-IR");
            answer_lost(&home, &depot);
            depot.behave(step, act.clone());
            // Nobody can tell.
            depot.behave_also("SEARCH", Act::Say("{tag} NO not now\r\n".into()), 1);
            home.popfetch(["fetch", "--now", "a"]).run();
            depot.behave_well();
            if compacts {
                compact(&server, &home);
            }
            let mut said = home.popfetch(["fetch", "--now", "a"]).run().stderr;
            said += &home.popfetch(["fetch", "--now", "a"]).run().stderr;
            assert!(said.contains("may be there twice"), "{what}: {said}");
            assert_eq!(server.maildrop().count(), 0, "{what}: {said}");
        }
    }
}

#[test]
fn d42_a_message_without_message_id_whose_header_the_server_has_changed_is_named() {
    let anonymous = Message::from_lf("uid-1", "Subject: x\nTo: y\n\nz\n");
    let (server, home, depot) = scene(vec![anonymous], NEVER);
    answer_lost(&home, &depot);
    depot.change(|taken| {
        let text = String::from_utf8(taken[0].octets.clone()).unwrap();
        taken[0].octets = format!("X-Spam: no, of course not\r\n{text}").into_bytes();
    });
    assert_named(&server, &home, &depot, 2, "anonymous");
}

const PLAIN: &str = "IMAP4rev1 LITERAL+ AUTH=PLAIN SASL-IR";

/// Beyond the time in which a slow server may be storing what it was given.
const LATER: i64 = 130;

#[test]
fn d42_a_twin_with_another_end_that_is_put_there_since_is_not_taken_for_it() {
    for capabilities in [PLAIN.to_owned() + " UIDPLUS", PLAIN.to_owned()] {
        let twins = [("uid-1", ""), ("uid-2", "\n")].map(|(name, end)| {
            let text = format!("From: a@x\nMessage-ID: <twin@x>\nSubject: x\n\nbody\n{end}");
            Message::from_lf(name, &text)
        });
        let (server, home, depot) = scene(twins.to_vec(), NEVER);
        depot.announce(&capabilities);
        lost(&home, &depot);
        assert_eq!(depot.taken().len(), 1, "{capabilities}");
        ages(&home, LATER);
        let output = run(&home, &["fetch", "a"], 0);
        assert_eq!(depot.taken().len(), 2, "{capabilities}: {output:#?}");
        assert_eq!(server.maildrop().count(), 0);
    }
}

#[test]
fn d42_what_a_server_has_and_does_not_find_yet_is_found_there() {
    let anonymous = Message::from_lf("uid-1", "Subject: x\nTo: y\n\nz\n");
    for message in [mail(1).remove(0), anonymous] {
        let (server, home, depot) = scene(vec![message], NEVER);
        answer_lost(&home, &depot);
        ages(&home, LATER);
        depot.behave("SEARCH", Act::Say("* SEARCH\r\n{tag} OK done\r\n".into()));
        let output = run(&home, &["fetch", "a"], 0);
        assert_said(&output, &["since an earlier try"]);
        assert_eq!((depot.taken().len(), server.maildrop().count()), (1, 0));
    }
}

#[test]
fn d42_what_a_slow_server_may_still_be_storing_is_named_where_it_is_appended_again_at_once() {
    let (server, home, depot) = scene(mail(1), NEVER);
    lost(&home, &depot);
    let output = at_once(&home);
    assert_said(&output, &["uid-1: account gmail does not tell", "twice"]);
    assert_eq!((depot.taken().len(), server.maildrop().count()), (1, 0));
}

/// Two accounts with the very same octets, which hand them to one folder.
fn two_accounts(capabilities: &str) -> (Server, Server, Home, Depot) {
    two_accounts_by(capabilities, TO_GMAIL)
}

/// The same, the second one with this `deliver`: "gmail2" is another name of "gmail".
fn two_accounts_by(capabilities: &str, deliver: &str) -> (Server, Server, Home, Depot) {
    let (server, home, depot) = scene(mail(1), NEVER);
    depot.announce(capabilities);
    let other = Server::builder(&Maildrop::new(mail(1))).start();
    let b = home.account_config("b", &other.account());
    let lines = b.lines().filter(|line| !line.starts_with("maildir"));
    let b: Vec<&str> = lines.collect();
    let again = Account {
        user: "ada@example.com".into(),
        ..depot.account()
    };
    let again = home.account_config("gmail2", &again);
    let others = format!(
        "timeout = \"2 s\"\n{again}protocol = \"imap\"\ndisabled = true\n{}\n{deliver}{NEVER}\n",
        b.join("\n")
    );
    let keys = format!("{TO_GMAIL}{NEVER}");
    config(&server, &home, &depot.account(), &keys, &others);
    (server, other, home, depot)
}

#[test]
fn d42_what_another_account_has_put_there_since_is_not_taken_for_ones_own() {
    for (capabilities, is_named) in [
        (format!("{PLAIN} UIDPLUS"), false),
        (PLAIN.to_owned(), true),
    ] {
        let (server, other, home, depot) = two_accounts(&capabilities);
        lost(&home, &depot);
        run(&home, &["fetch", "b"], 0);
        assert_eq!(depot.taken().len(), 1);
        ages(&home, LATER);
        let output = run(&home, &["fetch", "a"], 0);
        assert_eq!(output.stderr.contains("twice"), is_named, "{output:#?}");
        assert_eq!(depot.taken().len(), 2, "{capabilities}: {output:#?}");
        assert_eq!(server.maildrop().count() + other.maildrop().count(), 0);
    }
}

#[test]
fn d42_what_another_account_had_put_there_before_is_not_taken_for_ones_own() {
    let (_server, other, home, depot) = two_accounts(PLAIN);
    run(&home, &["fetch", "a"], 0);
    depot.behave_times("lost", Act::Close, 1);
    run(&home, &["fetch", "b"], 1);
    let output = run(&home, &["fetch", "--now", "b"], 0);
    assert_said(&output, &["twice"]);
    assert_eq!((depot.taken().len(), other.maildrop().count()), (2, 0));
}

#[test]
fn d42_what_another_account_has_put_there_is_not_taken_for_ones_own_whatever_the_config_says_today()
{
    for what in ["another name", "no account any more"] {
        let deliver = match what {
            "another name" => TO_GMAIL.replace("gmail", "gmail2"),
            _ => TO_GMAIL.to_owned(),
        };
        let (server, other, home, depot) = two_accounts_by(&format!("{PLAIN} UIDPLUS"), &deliver);
        lost(&home, &depot);
        run(&home, &["fetch", "b"], 0);
        assert_eq!((depot.taken().len(), other.maildrop().count()), (1, 0));
        if what != "another name" {
            let keys = format!("{TO_GMAIL}{NEVER}");
            config(&server, &home, &depot.account(), &keys, "");
        }
        ages(&home, LATER);
        let output = run(&home, &["fetch", "a"], 0);
        assert_eq!(depot.taken().len(), 2, "{what}: {output:#?}");
        assert_eq!(server.maildrop().count(), 0);
    }
}

#[test]
fn d42_what_another_account_puts_there_while_it_is_looked_for_is_not_taken_for_ones_own() {
    let (server, other, home, depot) = two_accounts(&format!("{PLAIN} UIDPLUS"));
    lost(&home, &depot);
    ages(&home, LATER);
    let go_on = home.path().join("go-on");
    depot.behave_times("greeting", Act::Once(go_on.clone()), 1);
    let running = home.popfetch(["fetch", "a"]).start();
    assert!(depot.is_reached("greeting"), "{}", running.stderr_so_far());
    run(&home, &["fetch", "b"], 0);
    std::fs::write(&go_on, "").unwrap();
    let output = running.wait();
    assert_eq!(depot.taken().len(), 2, "{output:#?}");
    assert_eq!(server.maildrop().count() + other.maildrop().count(), 0);
}
