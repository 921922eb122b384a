use std::time::Duration;

use super::scene::{Scene, exit, row};
use crate::given::assert_said;
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::run::{Home, Output};
use crate::support::script::{Scene as Play, Script};

#[test]
fn t6_the_fourth_message_is_always_refused() {
    let refuses = Behaviour::new().on("RETR 4", Reply::raw("-ERR cannot be read\r\n"));
    let scene = Scene::new("", |server| server.behaviour(refuses));
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

#[test]
fn t13_control_characters_in_the_refusal_of_a_password() {
    let nasty = b"-ERR \x1b]0;all is well\x07\x1b[2J\x9b31m wrong \xc2\x9b1m password\r\n";
    let refuses = Behaviour::new().capabilities(&["UIDL", "USER"]);
    let refuses = refuses.on("PASS", Reply::raw(nasty));
    let scene = Scene::new("", |server| server.behaviour(refuses));
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
fn play(script: Play, keys: &str) -> Output {
    let script = Script::start(Security::Plain, [script.clone(), script]);
    let home = Home::of(&script.account(), keys);
    home.popfetch(["fetch"])
        .limit(Duration::from_secs(45))
        .run()
}

#[test]
fn t14_one_octet_each_one_and_a_half_seconds() {
    let scene = Play::signed_in();
    let scene = scene.expect("STAT").send("+OK 1 5000\r\n");
    let scene = scene.expect("UIDL").send("+OK\r\n1 a\r\n.\r\n");
    let scene = scene.expect("LIST").send("+OK\r\n1 5000\r\n.\r\n");
    let scene = scene.expect("RETR").send("+OK\r\nSubject: x\r\n\r\n");
    let drips = scene.drip([b'x'; 60], Duration::from_millis(1500));
    // The run has 45 seconds, as the others had; the server drips for twice as long.
    let output = play(drips, "timeout = \"5s\"\n");
    let words = ["error: a: ", "too slow", "while fetching message 1"];
    assert_said(&output, &words);
    assert!(output.peak_memory < 64 << 20, "{output:#?}");
    row(
        "T14",
        &format!("gives up, {}", exit(&output)),
        "gives up, exit 75",
    );
}

#[test]
fn t15_a_unique_id_listing_of_one_endless_line() {
    const PIECE: usize = 1 << 16;
    let scene = Play::signed_in().expect("STAT").send("+OK 1 5000\r\n");
    let scene = scene.expect("UIDL").send("+OK\r\n1 ");
    let scene = scene.send_times(vec![b'x'; PIECE], 300_000_000 / PIECE);
    let output = play(scene, "");
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
