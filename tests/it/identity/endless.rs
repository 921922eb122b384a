use std::time::{Duration, Instant};

use crate::given::{assert_said, behaving, mail, run};
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::run::Home;
use crate::support::script::{Scene, Script};
use crate::support::tree;

/// A server that answers `command`, which the scene has come to, with these lines over and over.
#[track_caller]
fn assert_given_up(scene: Scene, command: &str, line: &str) {
    let block = line.repeat(1 + 32 * 1024 / line.len());
    let scene = scene.expect(command).send("+OK\r\n").send_forever(block);
    // After a violation it tries once more, without sending ahead.
    let script = Script::start(Security::Plain, [scene.clone(), scene]);
    let home = Home::of(&script.account(), "");
    let began = Instant::now();
    let output = run(&home, &[], 76);
    assert!(began.elapsed() < Duration::from_secs(60));
    assert!(output.peak_memory < 64 << 20, "{output:#?}");
    assert_said(&output, &["error: a: ", "a listing without end"]);
    tree::assert_holds(&home.maildir("a"), &[]);
}

#[test]
fn s31_a_listing_without_end_is_given_up_even_where_its_lines_mean_nothing() {
    let listing = || Scene::signed_in().expect("STAT").send("+OK 1 1\r\n");
    assert_given_up(listing(), "UIDL", "1 a\r\n");
    assert_given_up(listing(), "UIDL", "\r\n");
    let overlong = "x".repeat(30_000) + "\r\n";
    assert_given_up(listing(), "UIDL", &overlong);
    let scan = listing().expect("UIDL").send("-ERR unknown\r\n");
    assert_given_up(scan, "LIST", "0 0\r\n");
}

#[test]
fn s32_capabilities_without_end_are_given_up() {
    let greeting = || Scene::new().send("+OK\r\n");
    assert_given_up(greeting(), "CAPA", "SASL X-MORE\r\n");
    assert_given_up(greeting(), "CAPA", "\r\n");
}

#[test]
fn s44_numbers_that_no_machine_has_room_for_harm_nothing() {
    let most = u64::MAX;
    let lines = |with: &dyn Fn(usize) -> String| -> String {
        let lines = (1..=4).map(|n| format!("{n} {}\r\n", with(n)));
        format!(
            "+OK {most} messages ({most} octets)\r\n{}.\r\n",
            lines.collect::<String>()
        )
    };
    let behaviour = Behaviour::new()
        .on("STAT", Reply::raw(format!("+OK {most} {most}\r\n")))
        .on("LIST", Reply::raw(lines(&|_| most.to_string())))
        .on("UIDL", Reply::raw(lines(&|n| format!("uid-{n}"))));
    let (server, home) = behaving(4, behaviour);

    // Four times the largest number, where a sum is asked for.
    let output = run(&home, &["check"], 0);
    assert_said(&output, &[]);
    let output = run(&home, &["fetch", "--dry-run"], 0);
    assert!(output.peak_memory < 64 << 20, "{output:#?}");

    for arguments in [&["--format", "json"][..], &["--format", "json"]] {
        let output = run(&home, arguments, 0);
        assert!(output.peak_memory < 64 << 20, "{output:#?}");
        tree::assert_holds(&home.maildir("a"), &mail(4));
    }
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!(server.maildrop().count(), 0);
    tree::assert_holds(&home.maildir("a"), &mail(4));
}
