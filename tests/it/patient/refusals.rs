use crate::given::{assert_said, behaving, letter, mail, plainly, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::run::{Home, Output};
use crate::support::series::mixed;
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;

const ONE_AT_A_TIME: &str = "pipelining = \"off\"\n";

fn asked(server: &Server) -> Vec<String> {
    let commands = server.last_session().commands.into_iter();
    commands.filter(|c| c.starts_with("RETR")).collect()
}

fn lines(text: &str) -> usize {
    text.lines()
        .filter(|line| line.starts_with("error:"))
        .count()
}

#[test]
fn b2_a_temporary_refusal_is_the_sessions_and_blames_no_message() {
    // Dovecot when its storage is away; Yahoo's and others' words for a daily limit.
    for answer in [
        "-ERR [SYS/TEMP] Internal error occurred. Refer to server log for more information.",
        "-ERR Download exceed the limit",
        "-ERR system busy, try again later",
    ] {
        for keys in ["", ONE_AT_A_TIME] {
            let refusing = Reply::raw(format!("{answer}\r\n"));
            let (server, home) = behaving(30, Behaviour::new().on("RETR", refusing));
            home.one_account(&server.account(), keys);
            for _ in 0..4 {
                let output = run(&home, &["fetch", "--now"], 75);
                assert_eq!(lines(&output.stderr), 1, "{output:#?}");
                assert_said(
                    &output,
                    &["refuses to send messages", &answer[5..20], "hint: "],
                );
            }
            assert!(
                keys.is_empty() || asked(&server).len() == 1,
                "{:?}",
                asked(&server)
            );
            assert_eq!(server.last_session().count("QUIT"), 1);
            // It is waited for, and nothing is passed over once it works again.
            let sessions = server.sessions().len();
            run(&home, &[], 75);
            assert_eq!(server.sessions().len(), sessions);
            server.behave(Behaviour::new());
            run(&home, &["fetch", "--now"], 0);
            tree::assert_holds(&home.maildir("a"), &mail(30));
        }
    }
}

#[test]
fn b2_refusals_in_a_row_in_words_that_nobody_knows_are_the_sessions() {
    for keys in ["", ONE_AT_A_TIME] {
        let refusing = Reply::raw("-ERR zut alors\r\n");
        let (server, home) = behaving(400, Behaviour::new().on("RETR", refusing));
        home.one_account(&server.account(), keys);
        for _ in 0..4 {
            let output = run(&home, &["fetch", "--now"], 75);
            assert_eq!(lines(&output.stderr), 1, "{output:#?}");
            assert_said(&output, &["zut alors"]);
            // Five, and one from among the others.
            assert!(keys.is_empty() || asked(&server).len() == 6);
        }
        server.behave(Behaviour::new());
        run(&home, &["fetch", "--now"], 0);
        assert_eq!(tree::count(&home.maildir("a")), 400);
    }
}

#[test]
fn b2_a_server_that_closes_on_every_message_blames_none_of_them() {
    let (server, home) = plainly(10, Behaviour::new().on("RETR", Reply::End(Ending::Close)));
    for _ in 0..4 {
        let before = server.sessions().len();
        let output = run(&home, &["fetch", "--now"], 75);
        assert_eq!(lines(&output.stderr), 1, "{output:#?}");
        assert!(server.sessions().len() - before <= 4);
    }
    server.behave(Behaviour::new());
    run(&home, &["fetch", "--now"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(10));
}

#[test]
fn b2_sixty_messages_arrive_where_a_session_gives_ten() {
    // A provider's limit for a session, told in one way or another, or by closing.
    for reply in [
        Reply::raw("-ERR Download exceed\r\n"),
        Reply::raw("-ERR [SYS/TEMP] enough\r\n"),
        Reply::raw("-ERR zut alors\r\n"),
        Reply::End(Ending::Close),
    ] {
        for keys in ["", ONE_AT_A_TIME] {
            let (server, home) = plainly(60, Behaviour::new().gives(10, reply.clone()));
            home.one_account(&server.account(), keys);
            let mut runs = 0;
            while tree::count(&home.maildir("a")) < 60 {
                runs += 1;
                assert!(runs <= 6, "{reply:?} {:?}", server.sessions().len());
                home.popfetch(["-q"]).run();
            }
            assert!(runs <= 3, "{reply:?} {keys:?}: {runs} runs");
            tree::assert_holds(&home.maildir("a"), &mail(60));
        }
    }
}

#[test]
fn b2_messages_that_are_refused_among_others_keep_none_from_arriving() {
    // Whatever they have in common, the others come.
    for keys in ["", ONE_AT_A_TIME] {
        let mut behaviour = Behaviour::new();
        for n in 3..=9 {
            let reply = Reply::raw("-ERR no such file\r\n");
            behaviour = behaviour.on(&format!("RETR {n}"), reply);
        }
        let (_server, home) = plainly(20, behaviour);
        let account = _server.account();
        home.one_account(&account, keys);
        for _ in 0..2 {
            home.popfetch(["fetch", "--now", "-q"]).run();
        }
        let mut expected = mail(20);
        expected.drain(2..9);
        tree::assert_holds(&home.maildir("a"), &expected);
    }
}

/// A server that refuses these of 30 messages, always and in these words.
fn refusing(numbers: &[usize], words: &str) -> Behaviour {
    let refuse = |behaviour: Behaviour, n: &usize| {
        behaviour.on(&format!("RETR {n}"), Reply::raw(format!("{words}\r\n")))
    };
    numbers.iter().fold(Behaviour::new(), refuse)
}

/// The others arrive by the second run, and from then on those that are refused are named as what is
/// missing, in words that are about them, and are where they were.
fn assert_they_alone_are_missing(numbers: &[usize], words: &str, keys: &str) {
    let case = format!("{numbers:?} {words} {keys}");
    let (server, home) = plainly(30, refusing(numbers, words));
    home.one_account(&server.account(), keys);
    home.popfetch(["fetch"]).run();
    let output = home.popfetch(["fetch", "--now"]).run();
    assert_eq!(output.status, Some(1), "{case} {output:#?}");
    for n in numbers {
        let name = format!("(uid-{n}, ");
        assert!(output.stderr.contains(&name), "{case} {name} {output:#?}");
    }
    let mut expected = mail(30);
    let mut n = 0;
    expected.retain(|_| {
        n += 1;
        !numbers.contains(&n)
    });
    tree::assert_holds(&home.maildir("a"), &expected);
    if keys.contains("never") {
        assert_eq!(server.maildrop().count(), numbers.len(), "{case}");
    }
    // What comes later is not kept from coming either.
    server.maildrop().add([letter(31)]);
    run(&home, &[], 1);
    expected.push(letter(31));
    tree::assert_holds(&home.maildir("a"), &expected);
}

#[test]
fn b2_messages_that_are_refused_for_good_are_named_wherever_they_are() {
    // A file that is gone, a mailbox that is damaged: Dovecot, Courier, and words of nobody's.
    let some: [&[usize]; 9] = [
        &[30],
        &[29, 30],
        &[25, 26, 27, 28, 29, 30],
        &[17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30],
        &[1],
        &[1, 2, 3, 4, 5, 6, 7],
        &[10, 11, 12, 13, 14, 15, 16],
        &[1, 2, 3, 4, 5, 12, 13, 26, 27, 28, 29, 30],
        &[1, 30],
    ];
    for [numbers, words, keys] in mixed([some.len(), 2, 2], 18) {
        let words = ["-ERR zut alors", "-ERR [SYS/PERM] no such file"][words];
        assert_they_alone_are_missing(some[numbers], words, ["", ONE_AT_A_TIME][keys]);
    }
    // The first ones keep their numbers where others are deleted.
    for numbers in [some[4], some[5]] {
        assert_they_alone_are_missing(numbers, "-ERR zut alors", "keep = \"never\"\n");
    }
}

#[test]
fn b2_messages_that_are_refused_for_now_at_the_end_of_others_are_named_and_not_counted() {
    let words = "-ERR [SYS/TEMP] cannot read it";
    for numbers in [&[30][..], &[29, 30], &[14, 15], &[22, 24, 26, 27, 28]] {
        for keys in ["", ONE_AT_A_TIME] {
            assert_they_alone_are_missing(numbers, words, keys);
        }
    }
    // They are asked for in each run, as the server says that it will pass.
    let (server, home) = plainly(10, refusing(&[9, 10], words));
    (0..5).for_each(|_| _ = run(&home, &[], 1));
    server.behave(Behaviour::new());
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(10));
}

#[test]
fn b2_where_all_is_refused_nothing_shows_that_the_messages_are_to_blame() {
    let all: Vec<usize> = (1..=6).collect();
    let (server, home) = plainly(6, refusing(&all, "-ERR zut alors"));
    (0..3).for_each(|_| _ = run(&home, &[], 75));
    server.maildrop().add([letter(7)]);
    let output = run(&home, &["fetch", "--now"], 1);
    tree::assert_holds(&home.maildir("a"), &[letter(7)]);
    assert_said(&output, &["(uid-1, ", "(uid-6, ", "zut alors"]);
}

/// The messages are named, and nothing else is told of them; mail that comes later arrives.
#[track_caller]
fn assert_they_are_to_blame(server: &Server, home: &Home, output: &Output, count: usize) {
    let named = |n: &usize| [format!("(uid-{n}, "), format!(": uid-{n}: ")];
    let named = (1..=count).filter(|n| named(n).iter().any(|it| output.stderr.contains(it)));
    let more = format!("{} more are passed over", count.saturating_sub(3));
    let named = named.count()
        + if output.stderr.contains(&more) {
            count - 3
        } else {
            0
        };
    assert_eq!(named, count, "{output:#?}");
    assert!(!output.stderr.contains("works again"), "{output:#?}");
    // After three runs they are passed over for a day, and named.
    (0..3).for_each(|_| _ = run(home, &[], 1));
    assert_eq!(asked(server), Vec::<String>::new());
    server.maildrop().add([letter(count + 1)]);
    run(home, &[], 1);
    tree::assert_holds(&home.maildir("a"), &[letter(count + 1)]);
}

#[test]
fn b2_a_mailbox_of_nothing_but_messages_that_are_gone_for_good_is_not_asked_to_be_tried_later() {
    // Dovecot whose files are lost, Courier, and others' words for one message.
    let others = [
        "-ERR [SYS/PERM] message is not available",
        "-ERR no such message",
        "-ERR message 1 is corrupted",
        "-ERR Message not found",
    ];
    for [words, count, keys] in mixed([others.len(), 4, 2], 16) {
        let (words, count) = (others[words], [1, 2, 6, 20][count]);
        let keys = ["", ONE_AT_A_TIME][keys];
        let all: Vec<usize> = (1..=count).collect();
        let (server, home) = plainly(count, refusing(&all, words));
        home.one_account(&server.account(), keys);
        let output = run(&home, &[], 1);
        assert_they_are_to_blame(&server, &home, &output, count);
    }
}

#[test]
fn b2_words_that_nobody_knows_are_about_the_messages_once_they_have_lasted_for_a_day() {
    for count in [2, 6, 20] {
        for quiet in [&[][..], &["-q"]] {
            let all: Vec<usize> = (1..=count).collect();
            let (server, home) = plainly(count, refusing(&all, "-ERR zut alors"));
            for _ in 0..4 {
                run(&home, quiet, 75);
            }
            crate::manners::pass(&home, 25 * 60 * 60);
            let output = run(&home, quiet, 1);
            assert_they_are_to_blame(&server, &home, &output, count);
        }
    }
    // What the server says will pass is its own however long it lasts.
    let all: Vec<usize> = (1..=3).collect();
    let (server, home) = plainly(3, refusing(&all, "-ERR [SYS/TEMP] zut alors"));
    run(&home, &[], 75);
    crate::manners::pass(&home, 25 * 60 * 60);
    run(&home, &[], 75);
    server.behave(Behaviour::new());
    run(&home, &["fetch", "--now"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(3));
}

/// The fourth of ten messages has been refused three times.
fn passed_over() -> (Server, Home) {
    let refusing = Reply::raw("-ERR no such file\r\n");
    let (server, home) = behaving(10, Behaviour::new().on("RETR 4", refusing));
    for _ in 0..3 {
        run(&home, &[], 1);
    }
    (server, home)
}

#[test]
fn b2_what_is_passed_over_makes_exit_1_and_is_told_once_a_day_when_quiet() {
    let (_server, home) = passed_over();
    let output = run(&home, &[], 1);
    assert_said(&output, &["1 skipped", "refused by the server 3 times"]);
    let output = run(&home, &["-q"], 1);
    assert_said(
        &output,
        &["a: ", "uid-4", "refused by the server 3 times", "--now"],
    );
    let output = run(&home, &["-q"], 1);
    assert_eq!(output.stderr, "", "{output:#?}");
    crate::manners::pass(&home, 25 * 60 * 60);
    let output = run(&home, &["-q"], 1);
    assert_said(&output, &["uid-4"]);
}

#[test]
fn b2_now_asks_for_what_is_passed_over() {
    let (server, home) = passed_over();
    run(&home, &[], 1);
    assert_eq!(asked(&server), Vec::<String>::new());
    run(&home, &["fetch", "--now"], 1);
    assert_eq!(asked(&server), ["RETR 4"]);
    server.behave(Behaviour::new());
    run(&home, &["fetch", "--now"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(10));
}

#[test]
fn b2_state_forget_clears_the_count_of_a_message_that_was_never_fetched() {
    for arguments in [
        &["state", "forget", "a", "uid-4"][..],
        &["state", "forget", "a", "--all"],
    ] {
        let (server, home) = passed_over();
        run(&home, arguments, 0);
        run(&home, &[], 1);
        assert!(asked(&server).contains(&"RETR 4".to_owned()));
    }
}

#[test]
fn b2_a_refusal_counts_once_in_a_run_however_many_sessions_it_has() {
    // Gmail's parts: 100 at a time, and one of them refused in each.
    let refusing = Reply::raw("-ERR no such file\r\n");
    let behaviour = Behaviour::new().on("RETR 1", refusing);
    let (server, home) = plainly(
        30,
        behaviour.gives(10, Reply::raw("-ERR Download exceed\r\n")),
    );
    run(&home, &[], 1);
    assert_eq!(server.count("RETR 1"), 1);
    server.maildrop().add([letter(31)]);
    run(&home, &[], 1);
    run(&home, &[], 1);
    assert_eq!(server.count("RETR 1"), 3, "it is not passed over yet");
}
