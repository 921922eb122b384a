use rustix::process::Signal;

use super::scene::{Scene, exit, row};
use crate::given::gate;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::process::{PATIENCE, within};
use crate::support::tree;
use crate::support::wire::Ending;

#[test]
fn t1_killed_after_five_messages() {
    let (gate, hook) = gate("RETR 6");
    // One command at a time, so that the sixth is asked for when five have come.
    let old = Behaviour::new().without("PIPELINING");
    let scene = Scene::new("", |server| server.behaviour(old).on_command(hook));
    let mut running = scene.home.popfetch(["fetch"]).start();
    gate.wait("RETR 6");
    let delivered = || (tree::count(&scene.home.maildir("a")) == 5).then_some(());
    within(PATIENCE, delivered).expect("five messages are delivered");
    running.signal(Signal::KILL);
    assert_eq!(running.wait().status, None);
    gate.open();
    scene.fetch_well();
    row("T1", &scene.tally().to_string(), "0 duplicates, 0 lost");
    assert_eq!(scene.server.maildrop().count(), 10);
}

#[test]
fn t2_the_connection_is_closed_within_the_fourth_message() {
    let half = b"+OK\r\nFrom: Ada <ada@example.com>\r\nSubject: Letter 4\r\n\r\nThis is".into();
    let cut = Behaviour::new().on("RETR 4", Reply::RawThenEnd(half, Ending::Close));
    let scene = Scene::faulty_once("", cut);
    let faulty = scene.fetch();
    let after = scene.tally();
    assert_eq!((after.twice, after.in_tmp), (0, 0), "{after:?} {faulty:#?}");
    let cut_short = after.foreign;
    scene.fetch_well();
    let cell = format!(
        "{cut_short} cut short, {}, {}",
        scene.tally(),
        exit(&faulty)
    );
    row("T2", &cell, "0 cut short, 0 duplicates, 0 lost, exit 0");
    assert!(faulty.stderr.contains("message 4"), "{faulty:#?}");
}

#[test]
fn t11_the_reply_to_quit_is_lost() {
    let lost = Behaviour::new().on("QUIT", Reply::EffectThenEnd(Ending::Close));
    let scene = Scene::faulty_once("keep = \"never\"\n", lost);
    let faulty = scene.fetch();
    scene.fetch_well();
    let cell = format!("{}, {}", scene.tally(), exit(&faulty));
    row("T11", &cell, "0 duplicates, 0 lost, exit 0");
    assert_eq!(scene.server.maildrop().count(), 0);
}

#[test]
fn t11b_quit_never_reaches_the_server() {
    let lost = Behaviour::new().on("QUIT", Reply::End(Ending::Close));
    let scene = Scene::faulty_once("keep = \"never\"\n", lost);
    scene.fetch();
    assert_eq!(scene.server.maildrop().count(), 10, "nothing was deleted");
    scene.fetch_well();
    let cell = format!(
        "{}, {} deleted, {} downloaded again",
        scene.tally(),
        10 - scene.server.maildrop().count(),
        scene.server.last_session().count("RETR"),
    );
    row(
        "T11b",
        &cell,
        "0 duplicates, 0 lost, 10 deleted, 0 downloaded again",
    );
}

#[test]
fn t17_the_connection_is_closed_within_the_unique_id_listing() {
    let scene = Scene::new("keep = \"never\"\n", |server| {
        let torn = Reply::RawThenEnd(b"+OK\r\n1 uid-1\r\n2 uid".into(), Ending::Close);
        let stays = Behaviour::new().on("QUIT", Reply::End(Ending::Close));
        server
            .session(0, stays)
            .session(1, Behaviour::new().on("UIDL", torn.clone()))
            // It is asked once more behind the sign-in, and then with one thing after the other.
            .session(2, Behaviour::new().on("UIDL", torn.clone()))
            .session(3, Behaviour::new().on("UIDL", torn))
    });
    // All ten are known and to be deleted when their listing breaks off.
    scene.fetch_well();
    let faulty = scene.fetch();
    let deleted = 10 - scene.server.maildrop().count();
    assert_eq!(scene.server.last_session().count("DELE"), 0);
    scene.fetch_well();
    let cell = format!("{}, {deleted} deleted, {}", scene.tally(), exit(&faulty));
    row("T17", &cell, "0 duplicates, 0 lost, 0 deleted, exit 75");
    assert_eq!(scene.server.last_session().count("RETR"), 0);
    assert_eq!(scene.server.maildrop().count(), 0);
}
