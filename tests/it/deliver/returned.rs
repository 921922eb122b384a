//! What comes back under another name once it had left the server is not deleted where nothing of it is here:
//! it may be the last copy, as where both accounts are one mailbox, by names that do not show it.

use super::folder::{TO_GMAIL, config, scene};
use super::{TAKE, by_shell, mbox, serving, spool, taken, write_config};
use crate::given::{Gate, assert_said, compact, gate, mail, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::depot::{Act, Depot};
use crate::support::lmtp::Lmtp;
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;
use rustix::process::Signal;
use std::fs;

const NEVER: &str = "keep = \"never\"\n";

/// So many messages, by unique-ids that begin with this.
fn named(name: &str, count: usize) -> Vec<Message> {
    let letters = mail(count).into_iter().enumerate();
    letters
        .map(|(at, it)| Message::new(format!("{name}-{at}"), it.octets()))
        .collect()
}

/// A fetch, whatever it comes to.
fn fetch(home: &Home) -> Output {
    home.popfetch(["fetch", "--now", "a"]).run()
}

/// The same messages as a mail server or a program has put them into the mailbox: by one hop more.
fn put_back(name: &str, count: usize) -> Vec<Message> {
    let hop = "Return-Path: <ada@example.com>\r\nReceived: from localhost by mx.example.org with LMTP id 7;\r\n\
               \tMon, 23 Nov 2026 10:00:09 +0000\r\n";
    let messages = named(name, count).into_iter();
    messages
        .map(|it| Message::new(&it.unique_id, [hop.as_bytes(), &it.octets()].concat()))
        .collect()
}

/// What messages are handed on to: its name, `deliver`, and how many it has.
type Recipient = (&'static str, String, Box<dyn Fn(&Home) -> usize>);

/// All kinds that are no account.
fn recipients(home: &Home) -> [Recipient; 3] {
    let lmtp = Lmtp::at(&home.path().join("lmtp"));
    let to_lmtp = "deliver = { lmtp = \"unix:~/lmtp\", recipient = \"ada\" }".to_owned();
    let to_mbox = "deliver = { mbox = \"~/mail/in\" }".to_owned();
    [
        (
            "program",
            by_shell(TAKE),
            Box::new(|home| taken(home).len()),
        ),
        ("mbox", to_mbox, Box::new(|home| mbox::messages(home).len())),
        ("lmtp", to_lmtp, Box::new(move |_| lmtp.taken().len())),
    ]
}

/// As many as there are come back, and stay until their owner says, in one word, that they may go.
fn assert_stay(server: &Server, home: &Home, depot: &Depot, count: usize, what: &str) {
    let has = |_: &Home| depot.taken().len();
    assert_these_stay(server, home, &has, count, what);
}

fn assert_these_stay(
    server: &Server,
    home: &Home,
    has: &dyn Fn(&Home) -> usize,
    count: usize,
    what: &str,
) {
    let output = fetch(home);
    assert_said(
        &output,
        &[
            &format!("{count} messages not deleted from the server: they came back"),
            "popfetch state accept a --came-back",
        ],
    );
    for compacts in [false, true] {
        if compacts {
            compact(server, home);
        }
        let output = fetch(home);
        assert_eq!(server.maildrop().count(), count, "{what}: {output:#?}");
    }
    assert_eq!(has(home), count, "{what}");
    let output = run(home, &["state", "accept", "a", "--came-back"], 0);
    assert_said(&output, &[&format!("{count} messages accepted")]);
    let output = fetch(home);
    assert_eq!(server.maildrop().count(), 0, "{what}: {output:#?}");
    assert_eq!(has(home), count, "{what}");
}

/// A fetch that is killed before it hears the answer to QUIT, which the server carries out.
fn killed_at_quit(server: &Server, home: &Home, gate: &Gate) {
    let mut running = home.popfetch(["fetch", "a"]).start();
    gate.wait("QUIT");
    running.signal(Signal::KILL);
    running.wait();
    gate.open();
    server.sessions();
}

#[test]
fn d41_what_comes_back_once_it_was_handed_on_stays_whatever_is_known_of_its_deletion() {
    for (what, keys, behaviour) in [
        ("confirmed", NEVER, Behaviour::new()),
        (
            "answer lost",
            NEVER,
            Behaviour::new().on("QUIT", Reply::EffectThenEnd(Ending::Close)),
        ),
        ("by another client", "", Behaviour::new()),
    ] {
        let (server, home, depot) = scene(named("old", 5), keys);
        server.behave(behaviour);
        fetch(&home);
        assert_eq!(depot.taken().len(), 5, "{what}");
        server.behave(Behaviour::new());
        server.maildrop().replace(named("new", 5));
        config(
            &server,
            &home,
            &depot.account(),
            &format!("{TO_GMAIL}{NEVER}"),
            "",
        );
        let output = run(&home, &["state", "show", "a"], 0);
        assert!(!output.stdout.contains("came back"), "{output:#?}");
        assert_stay(&server, &home, &depot, 5, what);
    }
}

#[test]
fn d41_what_comes_back_after_a_kill_while_its_deletion_was_confirmed_stays() {
    let (gate, hook) = gate("QUIT");
    let server = Server::builder(&Maildrop::new(named("old", 3)));
    let server = server.on_command(hook).start();
    let (home, depot) = (Home::new(), Depot::start());
    let keys = format!("{TO_GMAIL}{NEVER}");
    config(&server, &home, &depot.account(), &keys, "");
    killed_at_quit(&server, &home, &gate);
    server.maildrop().replace(named("new", 3));
    assert_stay(&server, &home, &depot, 3, "killed");
}

#[test]
fn d41_what_has_no_name_stays_once_its_deletion_was_asked_for() {
    let nameless = || Behaviour::new().without("UIDL");
    for (what, behaviour) in [
        ("confirmed", nameless()),
        (
            "answer lost",
            nameless().on("QUIT", Reply::EffectThenEnd(Ending::Close)),
        ),
    ] {
        let (server, home, depot) = scene(mail(3), NEVER);
        server.behave(behaviour);
        fetch(&home);
        assert_eq!(server.maildrop().count(), 0, "{what}");
        server.behave(nameless());
        server.maildrop().replace(mail(3));
        assert_stay(&server, &home, &depot, 3, what);
    }
}

#[test]
fn d41_what_has_no_name_goes_where_nobody_has_asked_for_its_deletion_before() {
    let (server, home, depot) = scene(mail(3), NEVER);
    server.behave(Behaviour::new().without("UIDL"));
    depot.announce("IMAP4rev1 AUTH=PLAIN SASL-IR");
    depot.behave(
        "APPEND",
        Act::Say("{tag} NO [UNAVAILABLE] not now\r\n".into()),
    );
    run(&home, &["fetch", "a"], 1);
    assert_eq!(server.maildrop().count(), 3);
    depot.behave_well();
    run(&home, &["fetch", "--now", "a"], 0);
    assert_eq!((server.maildrop().count(), depot.taken().len()), (0, 3));
}

#[test]
fn d41_what_a_program_a_file_or_a_mail_server_puts_back_into_the_mailbox_stays() {
    let nameless = || Behaviour::new().without("UIDL");
    let cut = |behaviour: Behaviour| behaviour.on("QUIT", Reply::EffectThenEnd(Ending::Close));
    for at in 0..3 {
        for (how, behaviour, after) in [
            ("confirmed", Behaviour::new(), Behaviour::new()),
            ("answer lost", cut(Behaviour::new()), Behaviour::new()),
            ("nameless", nameless(), nameless()),
            ("nameless, answer lost", cut(nameless()), nameless()),
        ] {
            let (server, home) = serving(named("old", 3), behaviour, "");
            let (what, deliver, has) = recipients(&home).into_iter().nth(at).unwrap();
            let what = format!("{what}, {how}");
            write_config(&server, &home, &format!("{NEVER}{deliver}"));
            fetch(&home);
            assert_eq!((server.maildrop().count(), has(&home)), (0, 3), "{what}");
            server.behave(after);
            server.maildrop().replace(put_back("new", 3));
            assert_these_stay(&server, &home, &has, 3, &what);
        }
    }
}

#[test]
fn d41_what_a_program_has_put_back_stays_after_a_kill_while_its_deletion_was_confirmed() {
    let (gate, hook) = gate("QUIT");
    let server = Server::builder(&Maildrop::new(named("old", 3)));
    let server = server.on_command(hook).start();
    let home = Home::new();
    write_config(&server, &home, &format!("{NEVER}{}", by_shell(TAKE)));
    fs::create_dir(home.path().join("taken")).unwrap();
    killed_at_quit(&server, &home, &gate);
    server.maildrop().replace(put_back("new", 3));
    assert_these_stay(&server, &home, &|home| taken(home).len(), 3, "killed");
}

#[test]
fn d41_what_was_handed_on_stays_under_another_name_whatever_it_was_handed_on_to() {
    for at in 0..3 {
        let (server, home) = serving(named("old", 3), Behaviour::new(), "");
        let (what, deliver, has) = recipients(&home).into_iter().nth(at).unwrap();
        write_config(&server, &home, &deliver);
        run(&home, &["fetch", "a"], 0);
        assert_eq!(server.maildrop().count(), 3, "{what}");
        server.maildrop().replace(named("new", 3));
        write_config(&server, &home, &format!("{NEVER}{deliver}"));
        assert_these_stay(&server, &home, &has, 3, what);
    }
}

#[test]
fn d41_what_was_handed_on_stays_though_the_config_file_says_nothing_of_that_any_more() {
    let cut = || Behaviour::new().on("QUIT", Reply::EffectThenEnd(Ending::Close));
    for (keys, behaviour) in [
        ("", Behaviour::new()),
        (NEVER, Behaviour::new()),
        (NEVER, cut()),
    ] {
        for later in ["", "deliver = { mbox = \"~/mail/other\" }\n"] {
            let what = format!("{keys:?}, {later:?}");
            let (server, home, depot) = scene(named("old", 3), keys);
            server.behave(behaviour.clone());
            fetch(&home);
            assert_eq!(depot.taken().len(), 3, "{what}");
            server.behave(Behaviour::new());
            server.maildrop().replace(named("new", 3));
            let keys = format!("{NEVER}{later}");
            config(&server, &home, &depot.account(), &keys, "");
            assert_stay(&server, &home, &depot, 3, &what);
        }
    }
}

#[test]
fn d41_what_comes_back_by_the_name_that_it_had_stays() {
    for at in 0..3 {
        let (server, home) = serving(named("old", 3), Behaviour::new(), "");
        let (what, deliver, has) = recipients(&home).into_iter().nth(at).unwrap();
        write_config(&server, &home, &format!("{NEVER}{deliver}"));
        fetch(&home);
        assert_eq!((server.maildrop().count(), has(&home)), (0, 3), "{what}");
        server.maildrop().replace(named("old", 3));
        assert_these_stay(&server, &home, &has, 3, what);
        let (server, home) = serving(named("old", 3), Behaviour::new(), "");
        let (what, deliver, has) = recipients(&home).into_iter().nth(at).unwrap();
        write_config(&server, &home, &deliver);
        fetch(&home);
        server.maildrop().replace([]);
        fetch(&home);
        server.maildrop().replace(named("old", 3));
        write_config(&server, &home, &format!("{NEVER}{deliver}"));
        assert_these_stay(
            &server,
            &home,
            &has,
            3,
            &format!("{what}, by another client"),
        );
    }
    // Both accounts are one mailbox, with unique-ids that are made of headers.
    let (server, home, depot) = scene(named("old", 3), NEVER);
    fetch(&home);
    server.maildrop().replace(named("old", 3));
    assert_stay(&server, &home, &depot, 3, "an account");
}

/// QUIT without a reply, and the very next listing has them all: they have not left.
#[test]
fn e11_what_was_handed_on_and_is_listed_again_after_a_lost_answer_is_deleted() {
    for at in 0..3 {
        let lost = Behaviour::new().on("QUIT", Reply::End(Ending::Close));
        let (server, home) = serving(named("old", 3), lost, "");
        let (what, deliver, has) = recipients(&home).into_iter().nth(at).unwrap();
        write_config(&server, &home, &format!("{NEVER}{deliver}"));
        fetch(&home);
        assert_eq!((server.maildrop().count(), has(&home)), (3, 3), "{what}");
        server.behave(Behaviour::new());
        run(&home, &["fetch", "a"], 0);
        assert_eq!((server.maildrop().count(), has(&home)), (0, 3), "{what}");
    }
}

#[test]
fn what_a_server_refuses_to_delete_is_asked_about_again_though_nothing_of_it_is_here() {
    let (server, home) = serving(named("old", 1), Behaviour::new(), "");
    write_config(&server, &home, &format!("{NEVER}{}", by_shell(TAKE)));
    server.behave(Behaviour::new().on_occurrences("DELE 1", 0..1, Reply::raw("-ERR not now\r\n")));
    fetch(&home);
    assert_eq!(server.maildrop().count(), 1);
    run(&home, &["fetch", "a"], 0);
    assert_eq!((server.maildrop().count(), taken(&home).len()), (0, 1));
}

#[test]
fn d41_what_is_renumbered_goes_where_it_is_here_and_stays_where_it_is_not() {
    for is_removed in [false, true] {
        let (server, home) = serving(named("old", 3), Behaviour::new(), "");
        write_config(&server, &home, "maildir = \"~/Mail/a\"\n");
        fetch(&home);
        if is_removed {
            remove_all(&home);
        }
        server.maildrop().replace(named("new", 3));
        write_config(&server, &home, "keep = \"never\"\nmaildir = \"~/Mail/a\"\n");
        match is_removed {
            true => assert_these_stay(&server, &home, &|_| 3, 3, "removed"),
            false => {
                run(&home, &["fetch", "a"], 0);
                assert_eq!(server.maildrop().count(), 0);
                let output = run(&home, &["state", "show", "a"], 0);
                assert!(!output.stdout.contains("came back"), "{output:#?}");
            }
        }
    }
}

#[test]
fn d31_d41_what_one_run_has_missed_has_left_whatever_the_clock_says_in_the_next() {
    // These come within one second as a rule.
    for _ in 0..3 {
        let (server, home) = serving(named("old", 1), Behaviour::new(), "");
        write_config(&server, &home, "maildir = \"~/Mail/a\"\n");
        fetch(&home);
        remove_all(&home);
        server.maildrop().replace([]);
        fetch(&home);
        server.maildrop().replace(named("old", 1));
        write_config(&server, &home, "keep = \"never\"\nmaildir = \"~/Mail/a\"\n");
        let output = fetch(&home);
        assert_said(
            &output,
            &["1 message not deleted from the server: it came back"],
        );
        assert_eq!(server.maildrop().count(), 1);
    }
}

#[test]
fn that_what_came_back_may_go_says_nothing_of_what_has_another_reason_to_stay() {
    let (server, home) = serving(named("old", 2), Behaviour::new(), "");
    write_config(&server, &home, "keep = \"never\"\nmaildir = \"~/Mail/a\"\n");
    fetch(&home);
    assert_eq!(server.maildrop().count(), 0);
    let entries = fs::read_dir(home.maildir("a").join("new")).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (changed, removed) = (&files[0], &files[1]);
    let text = fs::read_to_string(changed).unwrap();
    fs::write(changed, text.replace("letter", "LETTER")).unwrap();
    home.popfetch(["verify", "a"]).run();
    fs::remove_file(removed).unwrap();
    server.maildrop().replace(named("new", 2));
    let output = fetch(&home);
    assert_said(&output, &["it came back", "`verify` has found"]);
    let output = run(&home, &["state", "accept", "a", "--came-back"], 0);
    assert_said(&output, &["1 message accepted"]);
    let output = fetch(&home);
    assert_eq!(server.maildrop().count(), 1, "{output:#?}");
}

#[test]
fn that_what_came_back_may_go_says_nothing_of_what_waits_to_be_handed_on() {
    let (server, home, depot) = scene(named("old", 1), NEVER);
    depot.announce("IMAP4rev1 AUTH=PLAIN SASL-IR");
    depot.behave(
        "APPEND",
        Act::Say("{tag} NO [UNAVAILABLE] not now\r\n".into()),
    );
    run(&home, &["fetch", "a"], 1);
    server.maildrop().replace(named("new", 1));
    fetch(&home);
    for entry in fs::read_dir(spool(&home).join("new")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    run(&home, &["state", "accept", "a", "--came-back"], 1);
    depot.behave_well();
    fetch(&home);
    fetch(&home);
    assert_eq!(depot.taken().len(), 1);
}

#[test]
fn d41_what_somebody_puts_back_on_the_server_stays_unless_it_is_in_the_maildir() {
    for (is_lost, is_removed) in [(false, false), (false, true), (true, false), (true, true)] {
        let what = format!("answer lost: {is_lost}, removed here: {is_removed}");
        let (server, home) = serving(named("old", 3), Behaviour::new(), "");
        write_config(&server, &home, "keep = \"never\"\nmaildir = \"~/Mail/a\"\n");
        if is_lost {
            server.behave(Behaviour::new().on("QUIT", Reply::EffectThenEnd(Ending::Close)));
        }
        fetch(&home);
        assert_eq!(server.maildrop().count(), 0, "{what}");
        server.behave(Behaviour::new());
        if is_removed {
            for entry in fs::read_dir(home.maildir("a").join("new")).unwrap() {
                fs::remove_file(entry.unwrap().path()).unwrap();
            }
        }
        server.maildrop().replace(named("new", 3));
        let output = fetch(&home);
        let left = if is_removed { 3 } else { 0 };
        assert_eq!(server.maildrop().count(), left, "{what}: {output:#?}");
        assert_eq!(tree::count(&home.maildir("a")), 3 - left, "{what}");
        if is_removed {
            assert_said(&output, &["not deleted from the server: they came back"]);
            run(&home, &["state", "accept", "a", "--came-back"], 0);
            fetch(&home);
            assert_eq!(server.maildrop().count(), 0, "{what}");
        }
    }
}

/// Its owner removes what an account of its own Maildir has.
fn remove_all(home: &Home) {
    for entry in fs::read_dir(home.maildir("a").join("new")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
}

#[test]
fn d41_what_somebody_puts_back_stays_after_a_kill_while_its_deletion_was_confirmed() {
    let (gate, hook) = gate("QUIT");
    let server = Server::builder(&Maildrop::new(named("old", 3)));
    let server = server.on_command(hook).start();
    let home = Home::new();
    write_config(&server, &home, "keep = \"never\"\nmaildir = \"~/Mail/a\"\n");
    killed_at_quit(&server, &home, &gate);
    assert_eq!(server.maildrop().count(), 0);
    remove_all(&home);
    server.maildrop().replace(named("new", 3));
    assert_these_stay(&server, &home, &|_| 3, 3, "killed");
}

#[test]
fn d41_what_another_client_has_removed_and_somebody_puts_back_stays() {
    let (server, home) = serving(named("old", 9), Behaviour::new(), "");
    write_config(&server, &home, "maildir = \"~/Mail/a\"\n");
    fetch(&home);
    let (gone, kept) = (named("old", 2), named("old", 9).split_off(2));
    server.maildrop().replace(kept.clone());
    fetch(&home);
    remove_all(&home);
    let back = gone.into_iter().zip(["new-0", "new-1"]);
    let back = back.map(|(it, name)| Message::new(name, it.octets()));
    server.maildrop().replace(kept.into_iter().chain(back));
    write_config(&server, &home, "keep = \"never\"\nmaildir = \"~/Mail/a\"\n");
    assert_these_stay(&server, &home, &|_| 2, 2, "removed by another client");
}

#[test]
fn where_nothing_has_come_back_there_is_nothing_to_accept() {
    let (_server, home, _depot) = scene(mail(1), NEVER);
    run(&home, &["state", "accept", "a", "--came-back"], 1);
    run(&home, &["fetch", "a"], 0);
    let output = run(&home, &["state", "accept", "a", "--came-back"], 1);
    assert_said(&output, &["nothing that came back is missing here"]);
}
