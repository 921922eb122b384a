use std::collections::BTreeMap;

use super::{letter, mail, retrieved, with_lines_above};
use crate::given::{run, serving};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::message::Message;
use crate::support::tree;

/// What mbox servers write into the messages after they were read first: mailutils, UW and tpop3d.
const WRITTEN: [&str; 3] = [
    "X-IMAPbase: 1700000000 50\nX-UID: 7\nStatus: RO\n",
    "Status: O\nX-Status: A\n",
    "X-Keywords:                          \nX-UIDL: abcdef\n",
];

#[test]
fn c1_header_lines_that_the_server_adds_make_no_new_message() {
    for written in WRITTEN {
        for behaviour in [Behaviour::new(), Behaviour::new().without("TOP")] {
            let (server, home) = serving(mail(50), behaviour);
            run(&home, &[], 0);
            let changed: Vec<_> = mail(50)
                .iter()
                .map(|it| with_lines_above(it, written))
                .collect();
            server.maildrop().replace(changed.clone());
            let output = run(&home, &[], 0);
            assert!(!output.stderr.contains("new unique-id"), "{output:#?}");
            tree::assert_holds(&home.maildir("a"), &mail(50));
            // Once is enough, and what is due is deleted in spite of it.
            server.maildrop().add([letter(51)]);
            run(&home, &[], 0);
            assert_eq!(retrieved(&server), 1, "{written:?}");
            // Without TOP a run looks at fifty whole messages, and no more.
            run(&home, &["fetch", "--delete"], 0);
            run(&home, &["fetch", "--delete"], 0);
            assert_eq!(server.maildrop().count(), 0, "{written:?}");
            tree::assert_holds(&home.maildir("a"), &mail(51));
        }
    }
}

/// The same messages, and listings that are off by another number each time.
fn estimated(run: u64) -> Vec<Message> {
    let estimate = |message: Message| {
        let octets = message.size() + 1 + run * 7 % 5 + run;
        message.listed_as(octets)
    };
    mail(40).into_iter().map(estimate).collect()
}

#[test]
fn c1_sizes_that_are_estimates_are_no_reason_to_download_all_in_every_run() {
    // A size that changes once may be that of a server which writes into its messages.
    let (with_top, without) = ([0, 0, 0, 0, 0], [40, 40, 0, 0, 0]);
    for (behaviour, expected) in [
        (Behaviour::new(), with_top),
        (Behaviour::new().without("TOP"), without),
    ] {
        let (server, home) = serving(estimated(0), behaviour);
        run(&home, &[], 0);
        let mut downloaded = Vec::new();
        for n in 1..6 {
            server.maildrop().replace(estimated(n));
            run(&home, &[], 0);
            downloaded.push(retrieved(&server));
            tree::assert_holds(&home.maildir("a"), &mail(40));
        }
        assert_eq!(downloaded, expected);
    }
}

#[test]
fn c1_a_server_that_does_not_delete_and_whose_sizes_drift_delivers_each_message_once() {
    let deaf = Behaviour::new().on("DELE", Reply::raw("+OK marked\r\n"));
    let (server, home) = serving(Vec::new(), deaf);
    for n in 0..8 {
        let drifted = mail(3).into_iter().map(|it| {
            let octets = it.size() + n;
            it.listed_as(octets)
        });
        server.maildrop().replace(drifted);
        home.popfetch(["fetch", "--delete"]).run();
        let mut copies = BTreeMap::new();
        for file in tree::read(&home.maildir("a")) {
            *copies.entry(file.octets).or_insert(0) += 1;
        }
        assert_eq!(copies.values().collect::<Vec<_>>(), [&1; 3], "run {n}");
    }
    tree::assert_holds(&home.maildir("a"), &mail(3));
}

#[test]
fn c1_another_message_under_a_known_unique_id_is_delivered_in_spite_of_it() {
    for behaviour in [Behaviour::new(), Behaviour::new().without("TOP")] {
        let (server, home) = serving(mail(3), behaviour);
        run(&home, &[], 0);
        let other = super::named(letter(9), "uid-2");
        let written = with_lines_above(&letter(1), WRITTEN[0]);
        server
            .maildrop()
            .replace([written, other.clone(), letter(3)]);
        run(&home, &[], 0);
        let all = [mail(3), vec![other]].concat();
        tree::assert_holds(&home.maildir("a"), &all);
        run(&home, &[], 0);
        assert_eq!(retrieved(&server), 0);
        tree::assert_holds(&home.maildir("a"), &all);
    }
}
