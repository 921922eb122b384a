//! Unique-ids that are used again: rules are asked about another message as about any that is new.

use super::{from, ruled, work};
use crate::given::{assert_said, run};
use crate::lost::restored;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

/// Another message under the first one's unique-id: hardly longer, or much.
fn another(is_longer: bool) -> Message {
    let other = match is_longer {
        true => from("shop", 3000),
        false => from("shop", 2),
    };
    Message {
        unique_id: b"uid-1".to_vec(),
        ..other
    }
}

/// How the other one came to its name.
const WAYS: [(bool, bool); 3] = [(false, true), (true, false), (true, true)];

/// The first one is stored, and another one has its name; `was_absent`: no message had it for a run.
fn taken_over(
    keys: &str,
    rules: &str,
    behaviour: Behaviour,
    (is_longer, was_absent): (bool, bool),
) -> (Server, Home) {
    let behaviour = match keys.contains("never") {
        true => behaviour.on_occurrences("DELE 1", 0..1, Reply::raw("-ERR not now\r\n")),
        false => behaviour,
    };
    let (server, home) = ruled(vec![from("list", 1)], keys, rules, behaviour);
    run(&home, &[], 0);
    if was_absent {
        server.maildrop().replace([]);
        run(&home, &[], 0);
    }
    server.maildrop().replace([another(is_longer)]);
    (server, home)
}

fn behaviours() -> [Behaviour; 2] {
    [Behaviour::new(), Behaviour::new().without("TOP")]
}

#[test]
fn what_a_rule_leaves_stays_under_a_unique_id_that_was_anothers_and_is_fetched_once_at_most() {
    for behaviour in behaviours() {
        for way in WAYS {
            let rules = "from = \"*@shop.example\"; then = \"skip\"";
            let keys = "keep = \"never\"\n";
            let (server, home) = taken_over(keys, rules, behaviour.clone(), way);
            assert_said(&run(&home, &[], 0), &["1 skipped (rule 1"]);
            let again = run(&home, &[], 0);
            assert_said(&again, &["nothing new", "1 skipped (rule 1"]);
            let session = server.last_session();
            let asked = work(&session);
            let is_asked = asked.iter().any(|line| line.starts_with("RETR"));
            assert!(!is_asked, "{way:?}: {asked:?}");
            assert_eq!(server.maildrop().unique_ids(), ["uid-1"], "{way:?}");
            tree::assert_holds(&home.maildir("a"), &[from("list", 1)]);
            // Rules that say otherwise have it come, and it is known from then on.
            super::set_rules(
                &server,
                &home,
                "",
                "from = \"*@list.example\"; then = \"skip\"",
            );
            assert_said(&run(&home, &[], 0), &["1 new message"]);
            let all = [from("list", 1), another(way.0)];
            tree::assert_holds(&home.maildir("a"), &all);
            assert_said(&run(&home, &[], 0), &["nothing new"]);
            assert_eq!(work(&server.last_session()).len(), 0, "{way:?}");
        }
    }
}

#[test]
fn what_a_rule_deletes_is_deleted_under_a_unique_id_that_was_anothers() {
    for behaviour in behaviours() {
        for way in WAYS {
            let rules = "from = \"*@shop.example\"; then = \"delete\"";
            let (server, home) = taken_over("", rules, behaviour.clone(), way);
            assert_said(&run(&home, &[], 0), &["1 deleted by rules"]);
            assert_eq!(server.maildrop().count(), 0, "{way:?}");
            tree::assert_holds(&home.maildir("a"), &[from("list", 1)]);
        }
    }
}

#[test]
fn what_is_too_large_stays_under_a_unique_id_that_was_anothers_and_is_not_fetched() {
    for behaviour in behaviours() {
        for was_absent in [false, true] {
            let keys = "keep = \"never\"\nmax-size = \"2 kB\"\n";
            let (server, home) = taken_over(keys, "", behaviour.clone(), (true, was_absent));
            for _ in 0..2 {
                assert_said(&run(&home, &[], 0), &["1 skipped (larger than 2 kB)"]);
                let asked = work(&server.last_session());
                assert!(!asked.iter().any(|line| line.starts_with("RETR")));
            }
            assert_eq!(server.maildrop().unique_ids(), ["uid-1"]);
            tree::assert_holds(&home.maildir("a"), &[from("list", 1)]);
        }
    }
}

#[test]
fn what_goes_to_a_folder_and_what_no_rule_is_about_comes_under_a_unique_id_that_was_anothers() {
    for behaviour in behaviours() {
        for way in WAYS {
            let rules = "from = \"*@boss.example\"; then = \"skip\"\n\
                         from = \"*@shop.example\"; then = { folder = \".Shop\" }";
            let (server, home) = taken_over("", rules, behaviour.clone(), way);
            assert_said(&run(&home, &[], 0), &["1 in Shop"]);
            assert_said(&run(&home, &[], 0), &["nothing new"]);
            assert_eq!(server.maildrop().count(), 1);
        }
    }
}

#[test]
fn a_filter_is_asked_about_another_message_under_a_known_unique_id() {
    for behaviour in behaviours() {
        let keys = "keep = \"never\"\nfilter-command = [\"sh\", \"-c\", \"grep -q shop.example && exit 2; exit 0\"]\n";
        let (server, home) = taken_over(keys, "", behaviour, (true, false));
        for _ in 0..2 {
            assert_said(&run(&home, &[], 0), &["nothing new", "1 skipped"]);
        }
        assert_eq!(server.maildrop().unique_ids(), ["uid-1"]);
    }
}

#[test]
fn rules_and_max_size_hold_for_another_message_under_the_unique_id_of_one_whose_file_is_lost() {
    for behaviour in behaviours() {
        for (keys, rules) in [
            (
                "keep = \"never\"\n",
                "from = \"*@shop.example\"; then = \"skip\"",
            ),
            ("keep = \"never\"\nmax-size = \"2 kB\"\n", ""),
        ] {
            let what = format!("{keys:?}");
            let (server, home) = ruled(
                vec![from("list", 2), from("list", 1)],
                "",
                rules,
                behaviour.clone(),
            );
            let (maildir, copy) = (home.maildir("a"), home.path().join("copy"));
            server.maildrop().replace([from("list", 2)]);
            run(&home, &[], 0);
            restored::copy(&maildir, &copy);
            server
                .maildrop()
                .replace([from("list", 2), from("list", 1)]);
            run(&home, &[], 0);
            restored::restore(&copy, &maildir);
            server.maildrop().replace([from("list", 2), another(true)]);
            super::set_rules(&server, &home, keys, rules);
            for _ in 0..3 {
                run(&home, &[], 0);
                assert!(
                    server.maildrop().unique_ids().contains(&"uid-1".to_owned()),
                    "{what}"
                );
            }
            let session = server.last_session();
            let is_asked = work(&session).iter().any(|line| line.starts_with("RETR"));
            assert!(!is_asked, "{what}");
            tree::assert_holds(&maildir, &[from("list", 2)]);
        }
    }
}
