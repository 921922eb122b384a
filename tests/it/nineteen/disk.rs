use std::fs;

use super::scene::{DELETE, Protocol, Scene, exit, row};
use crate::given::journal;
use crate::support::message::generate;
use crate::support::mounted::Mounted;
use crate::support::process::installed;

#[test]
fn t7_the_disk_is_full() {
    a_full_disk(Scene::new(DELETE, |server| server));
}

#[test]
fn t8_fsync_fails() {
    syncs_that_fail(&Scene::new(DELETE, |server| server));
}

#[test]
fn t20_the_state_file_is_cut_in_half() {
    half_a_state_file(&Scene::new("", |server| server));
}

/// T7, deleting.
pub fn a_full_disk<S: Protocol>(mut scene: Scene<S>) {
    // Four of them fit.
    scene.messages = generate(10, 14_000);
    scene.server.holds(&scene.messages);
    let Some(disk) = Mounted::tmpfs(&scene.home.path().join("Mail"), "size=64k") else {
        return;
    };
    let faulty = scene.fetch();
    let left = scene.tally().in_tmp;
    let gone = 10 - scene.server.left();
    assert!(scene.tally().delivered >= gone, "{:?}", scene.tally());
    disk.remount("size=1m");
    scene.fetch_well();
    let cell = format!("{}, {left} left in tmp/, {}", scene.tally(), exit(&faulty));
    row("T7", &cell, "0 duplicates, 0 lost, 0 left in tmp/, exit 74");
    scene.assert_left(0);
}

/// T8, deleting.
pub fn syncs_that_fail<S: Protocol>(scene: &Scene<S>) {
    if !installed("strace") {
        return;
    }
    // What fails is to be the messages' sync, not the making of the Maildir and of the state.
    scene.server.holds(&[]);
    scene.fetch_well();
    scene.server.holds(&scene.messages);
    let inject = ["-f", "-o", "/dev/null", "-e", "inject=fsync:error=EIO"];
    let faulty = scene
        .home
        .popfetch_under("strace", &inject, &["fetch"])
        .run();
    assert!(scene.server.asked_for() > 0, "{faulty:#?}");
    assert!(!scene.server.was_taken_leave_of(), "{faulty:#?}");
    let cell = format!(
        "{} deleted, {} left in tmp/, {}",
        scene.server.asked_to_delete(),
        scene.tally().in_tmp,
        exit(&faulty)
    );
    row("T8", &cell, "0 deleted, 0 left in tmp/, exit 74");
    scene.fetch_well();
    assert_eq!(scene.tally().to_string(), "0 duplicates, 0 lost");
    scene.assert_left(0);
}

/// T20.
pub fn half_a_state_file<S: Protocol>(scene: &Scene<S>) {
    scene.fetch_well();
    let path = journal(&scene.home);
    let mut octets = fs::read(&path).unwrap();
    octets.truncate(octets.len() / 2);
    fs::write(&path, &octets).unwrap();
    let output = scene.fetch_well();
    let noticed = match output.stderr.contains("state file was damaged") {
        true => "noticed and made again",
        false => "not noticed",
    };
    let cell = format!("{noticed}, {}", scene.tally());
    row("T20", &cell, "noticed and made again, 0 duplicates, 0 lost");
}
