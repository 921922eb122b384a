use std::time::Duration;

use super::scene::{Protocol, Scene, exit, row};
use crate::given::assert_said;
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::run::{Home, Output};
use crate::support::script::{Scene as Play, Script};

#[test]
fn t6_the_fourth_message_is_always_refused() {
    let refuses = Behaviour::new().on("RETR 4", Reply::raw("-ERR cannot be read\r\n"));
    the_fourth_is_refused(&Scene::new("", |server| server.behaviour(refuses)));
}

#[test]
fn t13_control_characters_in_the_refusal_of_a_password() {
    let nasty = b"-ERR \x1b]0;all is well\x07\x1b[2J\x9b31m wrong \xc2\x9b1m password\r\n";
    let refuses = Behaviour::new().capabilities(&["UIDL", "USER"]);
    let refuses = refuses.on("PASS", Reply::raw(nasty));
    a_refusal_with_control_characters(&Scene::new("", |server| server.behaviour(refuses)));
}

#[test]
fn t14_one_octet_each_one_and_a_half_seconds() {
    let scene = Play::signed_in();
    let scene = scene.expect("STAT").send("+OK 1 5000\r\n");
    let scene = scene.expect("UIDL").send("+OK\r\n1 a\r\n.\r\n");
    let scene = scene.expect("LIST").send("+OK\r\n1 5000\r\n.\r\n");
    let scene = scene.expect("RETR").send("+OK\r\nSubject: x\r\n\r\n");
    a_message_in_drips(scene, "");
}

#[test]
fn t15_a_unique_id_listing_of_one_endless_line() {
    let scene = Play::signed_in().expect("STAT").send("+OK 1 5000\r\n");
    let scene = scene.expect("UIDL").send("+OK\r\n1 ");
    an_endless_line(scene, "");
}

/// T6.
pub fn the_fourth_is_refused<S: Protocol>(scene: &Scene<S>) {
    let faulty = scene.fetch();
    let tally = scene.tally();
    assert_eq!((tally.twice, tally.foreign, tally.in_tmp), (0, 0, 0));
    let named = match faulty.stderr.contains("message 4 ") {
        true => "the other named",
        false => "the other not named",
    };
    let cell = format!(
        "{} of 10 delivered, {named}, {}",
        tally.delivered,
        exit(&faulty)
    );
    row("T6", &cell, "9 of 10 delivered, the other named, exit 1");
}

/// T13, on a server that says "all is well", "wrong" and "password" there.
pub fn a_refusal_with_control_characters<S: Protocol>(scene: &Scene<S>) {
    let output = scene.fetch();
    let shown = output.stdout.clone() + &output.stderr;
    let raw = shown
        .chars()
        .filter(|c| c.is_control() && *c != '\n')
        .count();
    let words = ["all is well", "wrong", "password"];
    let text = match words.iter().all(|word| shown.contains(word)) {
        true => "text shown",
        false => "text not shown",
    };
    let cell = format!("{raw} reach the terminal, {text}, {}", exit(&output));
    row("T13", &cell, "0 reach the terminal, text shown, exit 77");
}

/// Fetches from a script, which is played again where the run connects again.
pub fn play(script: Play, keys: &str) -> Output {
    let script = Script::start(Security::Plain, [script.clone(), script]);
    let home = Home::of(&script.account(), keys);
    home.popfetch(["fetch"])
        .limit(Duration::from_secs(45))
        .run()
}

/// T14, behind what begins the first message.
pub fn a_message_in_drips(begun: Play, keys: &str) {
    let drips = begun.drip([b'x'; 60], Duration::from_millis(1500));
    // The run has 45 seconds, as the others had; the server drips for twice as long.
    let output = play(drips, &format!("{keys}timeout = \"5s\"\n"));
    let words = ["error: a: ", "too slow", "while fetching message 1"];
    assert_said(&output, &words);
    assert!(output.peak_memory < 64 << 20, "{output:#?}");
    row(
        "T14",
        &format!("gives up, {}", exit(&output)),
        "gives up, exit 75",
    );
}

/// T15, behind what begins a line of the listing.
pub fn an_endless_line(begun: Play, keys: &str) {
    const PIECE: usize = 1 << 16;
    let scene = begun.send_times(vec![b'x'; PIECE], 300_000_000 / PIECE);
    let output = play(scene, keys);
    assert_said(&output, &["error: a: ", "while listing the mailbox"]);
    assert!(output.peak_memory > 0, "it was not measured");
    let memory = match output.peak_memory {
        ..=0x400_0000 => "less than 64 MiB of memory".to_owned(),
        more => format!("{} MiB of memory", more >> 20),
    };
    eprintln!("{} KiB of memory at most", output.peak_memory >> 10);
    let cell = format!("gives up, {memory}, {}", exit(&output));
    row(
        "T15",
        &cell,
        "gives up, less than 64 MiB of memory, exit 76",
    );
}
