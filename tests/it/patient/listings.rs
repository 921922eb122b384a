use crate::given::{assert_said, letter, mail, plainly, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::message::Message;
use crate::support::tree;

const PART: usize = 120;

/// Gmail: the oldest messages that were not fetched yet, so many at a time.
fn gmail() -> Behaviour {
    let gmail = Behaviour::new().capabilities(&["UIDL", "SASL PLAIN", "X-GOOGLE-RICO"]);
    gmail.lists(PART).deletes_retrieved()
}

#[test]
fn b1_latest_and_mark_seen_are_refused_where_a_maildrop_is_listed_in_parts() {
    let (server, home) = plainly(PART + 5, gmail());
    home.one_account(&server.account(), "latest = 5\n");
    for arguments in [&["fetch"][..], &["state", "mark-seen", "a"]] {
        let output = run(&home, arguments, 78);
        assert_said(
            &output,
            &["a part at a time", "mail that arrives from now on"],
        );
    }
    assert_eq!(server.count("RETR"), 0);
    home.one_account(&server.account(), "");
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(PART + 5));
    // Once it knows the account, `latest` says nothing any more.
    home.one_account(&server.account(), "latest = 5\n");
    server.maildrop().add([letter(PART + 6)]);
    run(&home, &[], 0);
}

#[test]
fn b1_a_full_part_that_brings_nothing_is_told_and_makes_exit_1() {
    let (server, home) = plainly(0, gmail());
    let large = (0..PART).map(|n| Message::generated(format!("large-{n}"), 3000, n as u64));
    server.maildrop().replace(large.chain(mail(3)));
    home.one_account(&server.account(), "max-size = \"1 kB\"\n");
    let output = run(&home, &["-q"], 1);
    assert_said(
        &output,
        &["warning: a: ", "brings nothing to fetch", "max-size"],
    );
    let output = run(&home, &["-q"], 1);
    assert!(
        !output.stderr.contains("brings nothing"),
        "once a day: {output:#?}"
    );
    home.one_account(&server.account(), "");
    run(&home, &["-q"], 0);
    assert_eq!(tree::count(&home.maildir("a")), PART + 3);
}

#[test]
fn b1_a_refused_message_counts_once_in_a_run_of_several_parts() {
    let refusing = gmail().on("RETR 1", Reply::raw("-ERR no such message\r\n"));
    let (server, home) = plainly(3 * PART, refusing);
    for asked in 1..=3 {
        run(&home, &["fetch"], 1);
        assert_eq!(server.count("RETR 1"), asked);
    }
}

#[test]
fn b1_copies_in_two_parts_are_two_messages_whatever_keep_says() {
    for keep in ["never", "always"] {
        let (server, home) = plainly(PART, gmail());
        let copy = Message::new("uid-copy", letter(1).octets());
        let all: Vec<Message> = mail(PART + 3).into_iter().chain([copy]).collect();
        server.maildrop().replace(all.clone());
        home.one_account(&server.account(), &format!("keep = \"{keep}\"\n"));
        run(&home, &[], 0);
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &all);
    }
}

#[test]
fn d2b_a_message_without_a_size_or_that_is_only_counted_is_fetched_by_its_number() {
    let no_size = |octets: Vec<u8>| {
        let text = String::from_utf8(octets).unwrap();
        let lines = text.split_inclusive('\n');
        let lines = lines.map(|line| match line.starts_with("3 ") {
            true => "3 unknown\r\n",
            false => line,
        });
        lines.collect::<String>().into_bytes()
    };
    let no_line = |octets: Vec<u8>| {
        let text = String::from_utf8(octets).unwrap();
        let lines = text.split_inclusive('\n');
        let lines = lines.filter(|line| !line.starts_with("3 "));
        lines.collect::<String>().into_bytes()
    };
    for remade in [Reply::Remade(no_size), Reply::Remade(no_line)] {
        let behaviour = Behaviour::new().without("UIDL").on("LIST", remade);
        let (_server, home) = plainly(5, behaviour);
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(5));
    }
}

#[test]
fn d2b_unique_ids_that_are_announced_and_refused_are_done_without() {
    for refusal in ["-ERR\r\n", "-ERR unknown command\r\n"] {
        let behaviour = Behaviour::new().on("UIDL", Reply::raw(refusal));
        let (server, home) = plainly(5, behaviour);
        let output = run(&home, &[], 0);
        assert_said(&output, &["no unique-ids"]);
        tree::assert_holds(&home.maildir("a"), &mail(5));
        run(&home, &["-q"], 0);
        // What comes to have one is recognised.
        server.behave(Behaviour::new());
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(5));
    }
    // A word of passing trouble is one.
    let busy = Reply::raw("-ERR [SYS/TEMP] not now\r\n");
    let (_server, home) = plainly(5, Behaviour::new().on("UIDL", busy));
    run(&home, &[], 75);
    assert_eq!(tree::count(&home.maildir("a")), 0);
}
