use std::fs;

use super::scene::{Scene, exit, row};
use crate::given::journal;
use crate::support::message::generate;
use crate::support::mounted::Mounted;
use crate::support::process::installed;

const DELETE: &str = "keep = \"never\"\n";

#[test]
fn t7_the_disk_is_full() {
    let mut scene = Scene::new(DELETE, |server| server);
    // Four of them fit.
    scene.messages = generate(10, 14_000);
    scene.server.maildrop().replace(scene.messages.clone());
    let Some(disk) = Mounted::tmpfs(&scene.home.path().join("Mail"), "size=64k") else {
        return;
    };
    let faulty = scene.fetch();
    let left = scene.tally().in_tmp;
    let gone = 10 - scene.server.maildrop().count();
    assert!(scene.tally().delivered >= gone, "{:?}", scene.tally());
    disk.remount("size=1m");
    scene.fetch_well();
    let cell = format!("{}, {left} left in tmp/, {}", scene.tally(), exit(&faulty));
    row("T7", &cell, "0 duplicates, 0 lost, 0 left in tmp/, exit 74");
    assert_eq!(scene.server.maildrop().count(), 0);
}

#[test]
fn t8_fsync_fails() {
    if !installed("strace") {
        return;
    }
    let scene = Scene::new(DELETE, |server| server);
    // What fails is to be the messages' sync, not the making of the Maildir and of the state.
    scene.server.maildrop().replace([]);
    scene.fetch_well();
    scene.server.maildrop().replace(scene.messages.clone());
    let inject = ["-f", "-o", "/dev/null", "-e", "inject=fsync:error=EIO"];
    let faulty = scene
        .home
        .popfetch_under("strace", &inject, &["fetch"])
        .run();
    let session = scene.server.last_session();
    assert!(session.count("RETR") > 0, "{session:#?} {faulty:#?}");
    assert_eq!(session.count("QUIT"), 0);
    let cell = format!(
        "{} deleted, {} left in tmp/, {}",
        session.count("DELE"),
        scene.tally().in_tmp,
        exit(&faulty)
    );
    row("T8", &cell, "0 deleted, 0 left in tmp/, exit 74");
    scene.fetch_well();
    assert_eq!(scene.tally().to_string(), "0 duplicates, 0 lost");
    assert_eq!(scene.server.maildrop().count(), 0);
}

#[test]
fn t20_the_state_file_is_cut_in_half() {
    let scene = Scene::new("", |server| server);
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
