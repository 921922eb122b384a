//! What comes back under another name once it had left the server is not deleted where nothing of it is here:
//! it may be the last copy, as where both accounts are one mailbox, by names that do not show it.

use super::folder::{TO_GMAIL, config, scene};
use super::{TAKE, by_shell, serving, taken, write_config};
use crate::given::{assert_said, compact, gate, mail, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::depot::{Act, Depot};
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

/// As many as there are come back, and stay until their owner says, in one word, that they may go.
fn assert_stay(server: &Server, home: &Home, depot: &Depot, count: usize, what: &str) {
    let output = fetch(home);
    assert_said(
        &output,
        &[
            &format!("{count} messages not deleted from the server: it came back"),
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
    assert_eq!(depot.taken().len(), count, "{what}");
    let output = run(home, &["state", "accept", "a", "--came-back"], 0);
    assert_said(&output, &[&format!("{count} messages accepted")]);
    let output = fetch(home);
    assert_eq!(server.maildrop().count(), 0, "{what}: {output:#?}");
    assert_eq!(depot.taken().len(), count, "{what}");
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
    let mut running = home.popfetch(["fetch", "a"]).start();
    gate.wait("QUIT");
    running.signal(Signal::KILL);
    running.wait();
    gate.open();
    server.sessions();
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
fn d41_what_programs_were_given_goes_whatever_it_is_called_now() {
    let keys = format!("keep = \"never\"\n{}", by_shell(TAKE));
    let (server, home) = serving(named("old", 3), Behaviour::new(), &keys);
    server.behave(Behaviour::new().on("QUIT", Reply::End(Ending::Close)));
    fetch(&home);
    assert_eq!(server.maildrop().count(), 3);
    server.behave(Behaviour::new());
    server.maildrop().replace(named("new", 3));
    run(&home, &["fetch", "--now", "a"], 0);
    assert_eq!((server.maildrop().count(), taken(&home).len()), (0, 3));
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
            assert_said(&output, &["not deleted from the server: it came back"]);
            run(&home, &["state", "accept", "a", "--came-back"], 0);
            fetch(&home);
            assert_eq!(server.maildrop().count(), 0, "{what}");
        }
    }
}

#[test]
fn where_nothing_has_come_back_there_is_nothing_to_accept() {
    let (_server, home, _depot) = scene(mail(1), NEVER);
    run(&home, &["state", "accept", "a", "--came-back"], 1);
    run(&home, &["fetch", "a"], 0);
    let output = run(&home, &["state", "accept", "a", "--came-back"], 1);
    assert_said(&output, &["nothing has come back"]);
}
