use rustix::process::Signal;

use super::scene::{DELETE, Protocol, Scene, exit, row};
use crate::given::gate;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::process::{PATIENCE, within};
use crate::support::run::Output;
use crate::support::tree;
use crate::support::wire::Ending;

#[test]
fn t1_killed_after_five_messages() {
    let (gate, hook) = gate("RETR 6");
    // One command at a time, so that the sixth is asked for when five have come.
    let old = Behaviour::new().without("PIPELINING");
    let scene = Scene::new("", |server| server.behaviour(old).on_command(hook));
    killed_after_five(&scene, |_| gate.open());
}

#[test]
fn t2_the_connection_is_closed_within_the_fourth_message() {
    let half = b"+OK\r\nFrom: Ada <ada@example.com>\r\nSubject: Letter 4\r\n\r\nThis is".into();
    let cut = Behaviour::new().on("RETR 4", Reply::RawThenEnd(half, Ending::Close));
    let faulty = cut_within_the_fourth(&Scene::faulty_once("", cut));
    assert!(faulty.stderr.contains("message 4"), "{faulty:#?}");
}

#[test]
fn t11_the_reply_to_quit_is_lost() {
    let lost = Behaviour::new().on("QUIT", Reply::EffectThenEnd(Ending::Close));
    no_reply_to_the_deletion(&Scene::faulty_once(DELETE, lost));
}

#[test]
fn t11b_quit_never_reaches_the_server() {
    let lost = Behaviour::new().on("QUIT", Reply::End(Ending::Close));
    no_deletion(&Scene::faulty_once(DELETE, lost));
}

#[test]
fn t17_the_connection_is_closed_within_the_unique_id_listing() {
    let scene = Scene::new(DELETE, |server| {
        let torn = Reply::RawThenEnd(b"+OK\r\n1 uid-1\r\n2 uid".into(), Ending::Close);
        let stays = Behaviour::new().on("QUIT", Reply::End(Ending::Close));
        server
            .session(0, stays)
            .session(1, Behaviour::new().on("UIDL", torn.clone()))
            // It is asked once more behind the sign-in, and then with one thing after the other.
            .session(2, Behaviour::new().on("UIDL", torn.clone()))
            .session(3, Behaviour::new().on("UIDL", torn))
    });
    cut_within_the_listing(&scene, |_| (), |_| ());
}

/// T1, on a server that holds the sixth message back until it `goes_on`.
pub fn killed_after_five<S: Protocol>(scene: &Scene<S>, goes_on: impl FnOnce(&S)) {
    let mut running = scene.home.popfetch(["fetch"]).start();
    let delivered = || (tree::count(&scene.home.maildir("a")) == 5).then_some(());
    within(PATIENCE, delivered).expect("five messages are delivered");
    running.signal(Signal::KILL);
    assert_eq!(running.wait().status, None);
    goes_on(&scene.server);
    scene.fetch_well();
    row("T1", &scene.tally().to_string(), "0 duplicates, 0 lost");
    scene.assert_left(10);
}

/// T2, on a server that does so once; the first run.
pub fn cut_within_the_fourth<S: Protocol>(scene: &Scene<S>) -> Output {
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
    faulty
}

/// T11, on a server that deletes and does not say so once.
pub fn no_reply_to_the_deletion<S: Protocol>(scene: &Scene<S>) {
    let faulty = scene.fetch();
    scene.fetch_well();
    let cell = format!("{}, {}", scene.tally(), exit(&faulty));
    row("T11", &cell, "0 duplicates, 0 lost, exit 0");
    scene.assert_left(0);
}

/// T11b, on a server that is not told to delete once.
pub fn no_deletion<S: Protocol>(scene: &Scene<S>) {
    scene.fetch();
    scene.assert_left(10);
    scene.fetch_well();
    let cell = format!(
        "{}, {} deleted, {} downloaded again",
        scene.tally(),
        10 - scene.server.left(),
        scene.server.asked_for(),
    );
    row(
        "T11b",
        &cell,
        "0 duplicates, 0 lost, 10 deleted, 0 downloaded again",
    );
}

/// T17, on a server that deletes nothing in the first run, `breaks` in the second and `mends` before the third.
pub fn cut_within_the_listing<S: Protocol>(
    scene: &Scene<S>,
    breaks: impl FnOnce(&S),
    mends: impl FnOnce(&S),
) {
    // All ten are known and to be deleted when their listing breaks off.
    scene.fetch_well();
    breaks(&scene.server);
    let faulty = scene.fetch();
    let deleted = 10 - scene.server.left();
    assert_eq!(scene.server.asked_to_delete(), 0);
    mends(&scene.server);
    scene.fetch_well();
    let cell = format!("{}, {deleted} deleted, {}", scene.tally(), exit(&faulty));
    row("T17", &cell, "0 duplicates, 0 lost, 0 deleted, exit 75");
    assert_eq!(scene.server.asked_for(), 0);
    scene.assert_left(0);
}
