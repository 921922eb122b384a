use crate::given::{assert_said, behaving, letter, mail, run, server, serving};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::message::Message;
use crate::support::run::{Home, Output};
use crate::support::tree;
use crate::support::wire::Ending;
use std::fs;

/// How many messages a run says it fetched.
fn fetched(home: &Home, arguments: &[&str]) -> usize {
    let mut all = vec!["--format", "paths"];
    all.extend(arguments);
    run(home, &all, 0).stdout.lines().count()
}

/// A listing in place of the right one.
fn listed(count: usize, line: impl Fn(usize) -> String) -> Reply {
    let lines: String = (1..=count).map(|n| line(n) + "\r\n").collect();
    Reply::raw(format!("+OK\r\n{lines}.\r\n"))
}

#[test]
fn d15a_t4_two_messages_with_one_unique_id_are_two_messages() {
    let (server, home) = server(0);
    let mut messages = mail(10);
    messages[6].unique_id = messages[3].unique_id.clone();
    server.maildrop().replace(messages.clone());
    assert_eq!(fetched(&home, &[]), 10);
    assert_eq!(fetched(&home, &[]), 0);
    tree::assert_holds(&home.maildir("a"), &messages);
}

#[test]
fn t4_even_of_the_same_size() {
    let (server, home) = server(0);
    let text = |word: &str| format!("Subject: {word}\n\n{word}\n");
    let messages = ["one", "two"].map(|word| Message::from_lf("same", text(word)));
    server.maildrop().replace(messages.clone());
    assert_eq!(fetched(&home, &[]), 2);
    assert_eq!(fetched(&home, &[]), 0);
    tree::assert_holds(&home.maildir("a"), &messages);
}

#[test]
fn r8_two_identical_copies_of_a_message_are_two_messages() {
    let (server, home) = server(0);
    let copies = [Message::from_lf("x", "a\n"), Message::from_lf("y", "a\n")];
    server.maildrop().replace(copies.clone());
    assert_eq!(fetched(&home, &[]), 2);
    assert_eq!(fetched(&home, &[]), 0);
    tree::assert_holds(&home.maildir("a"), &copies);
}

#[test]
fn d15_t5_without_unique_ids_the_content_tells_what_is_new() {
    for uidl in ["-ERR unknown command\r\n", "-ERR [SYS/PERM] never\r\n"] {
        let old = Behaviour::new().without("UIDL");
        let (server, home) = behaving(10, old.on("UIDL", Reply::raw(uidl)));
        assert_eq!(fetched(&home, &[]), 10);
        assert_eq!(fetched(&home, &[]), 0);
        tree::assert_holds(&home.maildir("a"), &mail(10));
        server.maildrop().add([letter(11)]);
        assert_eq!(fetched(&home, &[]), 1);
        tree::assert_holds(&home.maildir("a"), &mail(11));
    }
}

#[test]
fn without_unique_ids_no_message_has_lost_its_name() {
    let (_server, home) = behaving(12, Behaviour::new().without("UIDL"));
    assert_eq!(fetched(&home, &[]), 12);
    for _ in 0..2 {
        let output = run(&home, &[], 0);
        assert_said(&output, &["nothing new"]);
        assert!(!output.stderr.contains("under the name"), "{output:#?}");
    }
}

#[test]
fn what_has_no_unique_id_comes_also_when_nothing_beside_it_has_one() {
    let line = |n: usize| match n {
        2 => format!("{n}"),
        n => format!("{n} uid-{n}"),
    };
    let partly = Behaviour::new().on("UIDL", listed(3, line));
    let (server, home) = behaving(3, partly);
    assert_eq!(fetched(&home, &["fetch", "--delete"]), 3);
    assert_eq!(server.maildrop().count(), 0);
    server.maildrop().add([letter(4)]);
    server.behave(Behaviour::new().on("UIDL", listed(0, line)));
    assert_eq!(fetched(&home, &["fetch", "--delete"]), 1);
    assert_eq!(server.maildrop().count(), 0);
    tree::assert_holds(&home.maildir("a"), &mail(4));
}

/// One of which nothing but its size is known beside its name, when its state is lost.
#[test]
fn a_lost_state_takes_no_other_message_of_another_size_for_one_that_tells_nothing_of_itself() {
    let (server, home) = server(0);
    let plain = |text: &str| Message::new("1", format!("Subject: {text}\r\n\r\n{text}\r\n"));
    server.maildrop().replace([plain("first")]);
    assert_eq!(fetched(&home, &[]), 1);
    fs::remove_dir_all(home.state()).unwrap();
    let other = plain(&"another ".repeat(300));
    server.maildrop().replace([other.clone()]);
    assert_eq!(fetched(&home, &[]), 1);
    assert_eq!(fetched(&home, &[]), 0);
    tree::assert_holds(&home.maildir("a"), &[plain("first"), other]);
}

#[test]
fn t5_without_unique_ids_messages_are_deleted_all_the_same() {
    let (server, home) = behaving(10, Behaviour::new().without("UIDL"));
    assert_eq!(fetched(&home, &["fetch", "--keep"]), 10);
    assert_eq!(fetched(&home, &["fetch", "--delete"]), 0);
    assert_eq!(server.maildrop().count(), 0);
    server.maildrop().add([letter(11)]);
    assert_eq!(fetched(&home, &["fetch", "--delete"]), 1);
    assert_eq!(server.maildrop().count(), 0);
    tree::assert_holds(&home.maildir("a"), &mail(11));
}

#[test]
fn s65_a_status_header_that_the_server_rewrites_makes_no_new_message() {
    let (server, home) = behaving(0, Behaviour::new().without("UIDL"));
    let message = |status: &str| {
        let text = format!("From: a@example.com\n{status}Subject: s\n\nbody\n");
        Message::from_lf("none", text)
    };
    for status in ["", "Status: O\n", "Status: RO\nX-Status: A\n"] {
        server.maildrop().replace([message(status)]);
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &[message("")]);
    }
}

#[test]
fn t16_a_reused_unique_id_with_another_size_is_another_message() {
    let (server, home) = server(1);
    run(&home, &["fetch", "--delete"], 0);
    let mut other = letter(50);
    other.unique_id = b"uid-1".into();
    server.maildrop().replace([other.clone()]);
    assert_eq!(fetched(&home, &["fetch", "--delete"]), 1);
    tree::assert_holds(&home.maildir("a"), &[letter(1), other]);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn t16_after_a_confirmed_deletion_even_with_the_same_size() {
    let text = |word: &str| format!("Subject: {word}\n\n{word}\n");
    let [one, two] = ["one", "two"].map(|word| Message::from_lf("same", text(word)));
    for keep in ["--delete", "--keep"] {
        let (server, home) = server(0);
        server.maildrop().replace([one.clone()]);
        assert_eq!(fetched(&home, &["fetch", "--delete"]), 1);
        assert_eq!(server.maildrop().count(), 0);
        server.maildrop().replace([two.clone()]);
        assert_eq!(fetched(&home, &["fetch", keep]), 1);
        assert_eq!(fetched(&home, &["fetch", keep]), 0);
        tree::assert_holds(&home.maildir("a"), &[one.clone(), two.clone()]);
        assert_eq!(server.maildrop().count(), usize::from(keep == "--keep"));
    }
}

#[test]
fn f27_a_server_that_confirms_and_does_not_delete_brings_nothing_twice() {
    let void = Behaviour::new().on("DELE", Reply::raw("+OK marked\r\n"));
    let (server, home) = behaving(2, void);
    for _ in 0..8 {
        run(&home, &["fetch", "--delete"], 0);
    }
    tree::assert_holds(&home.maildir("a"), &mail(2));
    assert_eq!(server.count("DELE"), 2 * 5);
    let output = run(&home, &["fetch", "--delete"], 0);
    assert_said(
        &output,
        &["asked five times, and not deleted by the server"],
    );
}

#[test]
fn d17_t18_a_short_listing_makes_nothing_forgotten() {
    let (server, home) = server(10);
    assert_eq!(fetched(&home, &[]), 10);
    for _ in 0..5 {
        server.maildrop().replace(mail(5));
        assert_eq!(fetched(&home, &[]), 0);
    }
    server.maildrop().replace(mail(10));
    assert_eq!(fetched(&home, &[]), 0);
    tree::assert_holds(&home.maildir("a"), &mail(10));
}

#[test]
fn d4_t17_a_listing_that_breaks_off_is_no_listing() {
    let (server, home) = server(10);
    run(&home, &[], 0);
    let torn = Reply::RawThenEnd(
        b"+OK\r\n1 uid-1\r\n2 ui".into(),
        crate::support::wire::Ending::Close,
    );
    server.behave(Behaviour::new().on("UIDL", torn));
    assert_said(&run(&home, &["fetch", "--delete"], 75), &["listing"]);
    assert_eq!(server.count("DELE"), 0);
    server.behave(Behaviour::new());
    assert_eq!(fetched(&home, &[]), 0);
}

#[test]
fn d18_t19_unique_ids_that_all_changed_bring_nothing_twice() {
    for keep in ["--keep", "--delete-after=1d"] {
        let (server, home) = server(10);
        assert_eq!(fetched(&home, &["fetch", keep]), 10);
        for round in 0..2 {
            let mut renamed = mail(10);
            for message in &mut renamed {
                message.unique_id.extend(format!("-{round}").as_bytes());
            }
            server.maildrop().replace(renamed);
            assert_eq!(fetched(&home, &["fetch", keep]), 0);
            // It is known under the new one now, and need not be read again.
            run(&home, &["fetch", keep], 0);
            assert_eq!(server.last_session().count("RETR"), 0);
        }
        tree::assert_holds(&home.maildir("a"), &mail(10));
    }
}

#[test]
fn t19_what_is_known_under_a_new_unique_id_is_deleted_under_it() {
    let (server, home) = server(3);
    run(&home, &[], 0);
    let mut renamed = mail(3);
    renamed.iter_mut().for_each(|m| m.unique_id.push(b'x'));
    server.maildrop().replace(renamed);
    assert_eq!(fetched(&home, &["fetch", "--delete"]), 0);
    assert_eq!(server.maildrop().count(), 0);
    tree::assert_holds(&home.maildir("a"), &mail(3));
}

#[test]
fn f18_uidl_refused_after_it_had_worked_fetches_nothing_again() {
    let (server, home) = server(5);
    run(&home, &[], 0);
    let refused = Behaviour::new().on("UIDL", Reply::raw("-ERR not now\r\n"));
    for behaviour in [refused, Behaviour::new().without("UIDL")] {
        server.behave(behaviour);
        let output = run(&home, &[], 75);
        assert_said(&output, &["error: a: the server refused UIDL", "hint: "]);
        assert_eq!(server.last_session().count("RETR"), 0);
    }
    server.behave(Behaviour::new());
    assert_eq!(fetched(&home, &[]), 0);
}

#[test]
fn f18_an_announced_uidl_that_is_refused_for_now_is_a_passing_fault_from_the_start() {
    let refused = Behaviour::new().on("UIDL", Reply::raw("-ERR [SYS/TEMP] not now\r\n"));
    let (server, home) = behaving(5, refused);
    run(&home, &[], 75);
    assert_eq!(server.last_session().count("RETR"), 0);
}

#[test]
fn j_an_empty_unique_id_listing_beside_messages_fetches_nothing_again() {
    let nameless: [fn(usize) -> String; 2] = [|_| String::new(), |n| format!("{n}")];
    let empty = [listed(0, |_| String::new())];
    for reply in empty
        .into_iter()
        .chain(nameless.map(|line| listed(5, line)))
    {
        let (server, home) = server(5);
        run(&home, &[], 0);
        let announced = Behaviour::new().on("UIDL", reply.clone());
        let once = Behaviour::new().without("UIDL").on("UIDL", reply);
        for behaviour in [announced, once] {
            server.behave(behaviour);
            let output = run(&home, &["fetch", "--delete"], 75);
            let words = "error: a: the server lists messages, but no unique-ids of them";
            assert_said(&output, &[words, "hint: "]);
            let session = server.last_session();
            assert_eq!((session.count("RETR"), session.count("DELE")), (0, 0));
        }
        server.behave(Behaviour::new());
        assert_eq!(fetched(&home, &[]), 0);
    }
}

#[test]
fn j_a_unique_id_listing_that_names_nothing_from_the_start_is_done_without() {
    let nameless: [fn(usize) -> String; 2] = [|n| format!("{n}"), |n| format!("{n} ")];
    let empty = [listed(0, |_| String::new())];
    for reply in empty
        .into_iter()
        .chain(nameless.map(|line| listed(5, line)))
    {
        let (server, home) = behaving(5, Behaviour::new().on("UIDL", reply));
        let output = run(&home, &[], 0);
        assert_said(&output, &["no unique-ids", "5 new messages"]);
        assert_said(&run(&home, &[], 0), &["nothing new"]);
        tree::assert_holds(&home.maildir("a"), &mail(5));
        // Once it names them they are recognised.
        server.behave(Behaviour::new());
        assert_eq!(fetched(&home, &[]), 0);
        assert_eq!(fetched(&home, &["fetch", "--delete"]), 0);
        assert_eq!(server.last_session().count("RETR"), 0);
        assert_eq!(server.maildrop().count(), 0);
        tree::assert_holds(&home.maildir("a"), &mail(5));
    }
}

#[test]
fn j_what_has_no_unique_id_among_others_that_have_one_is_named() {
    let line = |n: usize| match n {
        2 | 4 => format!("{n}"),
        n => format!("{n} uid-{n}"),
    };
    let (_server, home) = behaving(5, Behaviour::new().on("UIDL", listed(5, line)));
    let output = run(&home, &[], 0);
    assert_said(
        &output,
        &["gives 2 messages no unique-id", "5 new messages"],
    );
    // Once a day.
    let output = run(&home, &[], 0);
    assert_said(&output, &["nothing new"]);
    assert!(!output.stderr.contains("no unique-id"), "{output:#?}");
}

#[test]
fn j_what_has_no_unique_id_among_others_that_have_one_is_not_passed_over_and_that_is_said() {
    let line = |n: usize| match n {
        2 | 4 => format!("{n}"),
        n => format!("{n} uid-{n}"),
    };
    let partly = || Behaviour::new().on("UIDL", listed(6, line));
    let (server, home) = behaving(6, partly());
    home.one_account(&server.account(), "latest = 1\n");
    let output = run(&home, &[], 0);
    assert_said(
        &output,
        &["3 older messages marked as seen", "3 new messages"],
    );
    assert_said(&run(&home, &[], 0), &["nothing new"]);
    let (_server, home) = behaving(6, partly());
    let output = run(&home, &["state", "mark-seen", "a"], 0);
    let words = "the server gives 2 messages no unique-id, by which they could be passed over: the next fetch \
                 brings them";
    assert_said(&output, &[words, "4 messages marked as seen"]);
    assert_said(&run(&home, &[], 0), &["2 new messages"]);
    assert_said(&run(&home, &[], 0), &["nothing new"]);
}

#[test]
fn s34_a_malformed_line_spoils_nothing_but_itself() {
    let long = "y".repeat(3000);
    for bad in [
        "4",
        "4 ",
        "four uid-4",
        "-4 uid-4",
        "99999999999999999999 x",
        "",
        &long,
    ] {
        let line = |n: usize| match n {
            4 => bad.to_string(),
            n => format!("{n} uid-{n}"),
        };
        let (server, home) = behaving(6, Behaviour::new().on("UIDL", listed(6, line)));
        assert_eq!(fetched(&home, &[]), 6, "{bad:.9}");
        assert_eq!(fetched(&home, &[]), 0, "{bad:.9}");
        tree::assert_holds(&home.maildir("a"), &mail(6));
        // Only the nameless one had to be read again to see that it is no other.
        assert_eq!(server.last_session().count("RETR"), 1, "{bad:.9}");
        server.behave(Behaviour::new());
        assert_eq!(fetched(&home, &[]), 0, "{bad:.9}");
        tree::assert_holds(&home.maildir("a"), &mail(6));
    }
}

#[test]
fn q6_odd_but_readable_listings_are_read() {
    let odd: [fn(usize) -> String; 4] = [
        |n| format!("{n}   uid-{n}"),
        |n| format!("+OK {n} uid-{n}"),
        |n| format!("{n} uid {n} with spaces"),
        |n| format!("{n} {}", "u".repeat(200 + n)),
    ];
    for line in odd {
        let (server, home) = behaving(4, Behaviour::new().on("UIDL", listed(4, line)));
        assert_eq!(fetched(&home, &[]), 4, "{}", line(1));
        assert_eq!(fetched(&home, &[]), 0, "{}", line(1));
        assert_eq!(server.last_session().count("RETR"), 0, "{}", line(1));
    }
}

#[test]
fn s32_s33_numbers_beyond_the_maildrop_harm_nothing() {
    let line = |n: usize| match n {
        2 => "1 another".to_string(),
        5 => "4000000000 far".into(),
        6 => "0 zero".into(),
        n => format!("{n} uid-{n}"),
    };
    let (server, home) = behaving(4, Behaviour::new().on("UIDL", listed(6, line)));
    let output: Output = home.popfetch(["fetch", "--delete"]).run();
    assert!(matches!(output.status, Some(0 | 1)), "{output:#?}");
    assert!(output.peak_memory < 64 << 20);
    tree::assert_holds(&home.maildir("a"), &mail(4));
    assert_eq!(server.maildrop().count(), 0);
}

/// One of several with one unique-id, all as long, as long as the numbers are.
fn same(n: usize) -> Message {
    let text = format!(
        "Received: from x by y with SMTP id {n}; Mon, 23 Nov 2026 10:00:01 +0000\n\
         Message-ID: <{n}@x>\nFrom: a@x\nDate: Mon, 23 Nov 2026 10:00:00 +0000\n\n\
         This is letter {n}.\n"
    );
    Message::from_lf("same", text)
}

#[test]
fn r8_one_unique_id_for_messages_that_are_no_copies_keeps_none_from_coming() {
    for behaviour in [Behaviour::new(), Behaviour::new().without("TOP")] {
        let (server, home) = behaving(0, behaviour);
        server.maildrop().replace((11..=15).map(same));
        assert_said(&run(&home, &[], 0), &["5 new messages"]);
        // One goes, and another of the same size comes.
        for (first, last) in [(12, 16), (13, 17), (14, 18)] {
            server.maildrop().replace((first..=last).map(same));
            assert_said(&run(&home, &[], 0), &["1 new message "]);
            assert_said(&run(&home, &[], 0), &["nothing new"]);
        }
        let all = (11..=18).map(same).collect::<Vec<_>>();
        tree::assert_holds(&home.maildir("a"), &all);
    }
}

/// Messages of one unique-id and one size, of which no server says which way they came.
fn namesakes(count: usize, has_ids: bool) -> Vec<Message> {
    let id = |n| match has_ids {
        true => format!("Message-ID: <{n}@example.com>\n"),
        false => String::new(),
    };
    let text = |n| {
        format!(
            "From: Ada\nSubject: Letter {n}\n{}\nThis is letter {n}.\n",
            id(n)
        )
    };
    let all = (1..=count).map(|n| Message::from_lf("same", text(n)));
    all.collect()
}

#[test]
fn r8_one_of_several_under_one_unique_id_may_go_and_none_of_the_others_comes_again() {
    for (has_top, has_ids) in [(true, true), (true, false), (false, true), (false, false)] {
        let behaviour = match has_top {
            true => Behaviour::new(),
            false => Behaviour::new().without("TOP"),
        };
        let all = namesakes(7, has_ids);
        let (server, home) = serving(all[..6].to_vec(), behaviour);
        run(&home, &[], 0);
        // The first goes, in each run, and once another one of that size comes.
        for gone in 1..5 {
            server.maildrop().replace(all[gone..6].to_vec());
            run(&home, &[], 0);
            tree::assert_holds(&home.maildir("a"), &all[..6]);
        }
        server.maildrop().replace(all[5..].to_vec());
        run(&home, &[], 0);
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &all);
    }
}

#[test]
fn r8_what_did_not_come_under_a_shared_unique_id_comes_where_one_of_its_size_has() {
    for (has_top, has_ids) in [(true, true), (true, false), (false, true), (false, false)] {
        for keep in ["always", "never"] {
            let refusing = Behaviour::new().on("RETR 1", Reply::raw("-ERR not now\r\n"));
            let ending = Behaviour::new().on("RETR 1", Reply::End(Ending::Close));
            for mut first in [refusing, ending] {
                let mut behaviour = Behaviour::new();
                if !has_top {
                    (first, behaviour) = (first.without("TOP"), behaviour.without("TOP"));
                }
                let all = namesakes(2, has_ids);
                let (server, home) = serving(all.clone(), first);
                let keys = format!("keep = \"{keep}\"\norder = \"newest-first\"\n");
                home.one_account(&server.account(), &keys);
                home.popfetch(["-q"]).run();
                server.behave(behaviour);
                run(&home, &["--now"], 0);
                run(&home, &["--now"], 0);
                tree::assert_holds(&home.maildir("a"), &all);
            }
        }
    }
}

#[test]
fn r8_of_many_under_one_unique_id_without_top_a_few_are_looked_at_in_each_run_and_none_never() {
    let (server, home) = behaving(0, Behaviour::new().without("TOP"));
    server.maildrop().replace((100..125).map(same));
    assert_said(&run(&home, &[], 0), &["25 new messages"]);
    server.maildrop().replace((100..124).chain([200]).map(same));
    let mut runs = 0;
    while tree::count(&home.maildir("a")) < 26 {
        runs += 1;
        assert!(runs < 100, "it never comes");
        let output = run(&home, &[], 0);
        assert!(!output.stderr.contains("may be others"), "{output:#?}");
        let asked = server.last_session().count("RETR");
        assert!(asked <= 11, "{asked}");
    }
}
