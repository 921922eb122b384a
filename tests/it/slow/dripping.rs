use std::time::{Duration, Instant};

use crate::given::{assert_said, run};
use crate::support::account::Security;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::script::{Scene, Script};
use crate::support::tree;

/// The least rate is measured over so many seconds here, and over five minutes elsewhere.
const OVER: &str = "2";

fn home(script: &Script) -> Home {
    let mut home = Home::new();
    home.env("POPFETCH_TEST_RATE_OVER", OVER);
    home.one_account(&script.account(), "");
    home
}

/// A session that has come to the first RETR of a new message.
fn listing(messages: &[Message]) -> Scene {
    let lines = |field: &dyn Fn(&Message) -> String| {
        let numbered = messages.iter().zip(1..);
        let lines = numbered.map(|(it, number)| format!("{number} {}\r\n", field(it)));
        format!("+OK\r\n{}.\r\n", lines.collect::<String>())
    };
    let total: usize = messages.iter().map(|it| it.octets().len()).sum();
    let scene = Scene::signed_in().expect("STAT");
    let scene = scene.send(format!("+OK {} {total}\r\n", messages.len()));
    let ids = lines(&|it| String::from_utf8(it.unique_id.clone()).unwrap());
    let sizes = lines(&|it| it.octets().len().to_string());
    scene.expect("UIDL").send(ids).expect("LIST").send(sizes)
}

fn served(scene: Scene, number: usize, message: &Message) -> Scene {
    let scene = scene.expect(&format!("RETR {number}")).send("+OK\r\n");
    scene.send(message.octets()).send(".\r\n")
}

fn letters() -> [Message; 3] {
    ["a", "b", "c"]
        .map(|id| Message::from_lf(id, format!("Subject: {id}\n\n{}", "x\n".repeat(1500))))
}

/// 66 octets a second, each in time for `timeout`, and no end.
fn drip(scene: Scene) -> Scene {
    scene.drip([b'x'; 3000], Duration::from_millis(15))
}

#[test]
fn b5_a_server_that_drips_for_minutes_is_left_and_what_came_whole_is_kept() {
    // A server that is fast at first, as one behind an overloaded filter.
    let mail = letters();
    let drips = served(listing(&mail), 1, &mail[0]);
    let drips = drip(drips.expect("RETR 2").send("+OK\r\nSubject: b\r\n\r\n"));
    let well = served(served(listing(&mail), 2, &mail[1]), 3, &mail[2]);
    let well = well.expect("QUIT").send("+OK\r\n");
    let script = Script::start(Security::Plain, [drips, well]);
    let home = home(&script);
    let output = run(&home, &[], 75);
    let said = [
        "error: a: 1 message fetched",
        "below 200 bytes a second",
        "fetching message 2",
        "hint: what came whole is kept",
    ];
    assert_said(&output, &said);
    tree::assert_holds(&home.maildir("a"), &mail[..1]);
    tree::assert_tmp_is_empty(&home.maildir("a"));
    // The message is not to blame: it is the first that the next run asks for.
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail);
    assert_eq!(script.played()[1].mismatch, None);
}

#[test]
fn b5_a_server_that_drips_its_listing_or_a_header_is_left_as_well() {
    let listed = Scene::signed_in().expect("STAT").send("+OK 3 9\r\n");
    let listed = drip(listed.expect("UIDL").send("+OK\r\n1 a\r\n"));
    // A look reads headers.
    let mail = letters();
    let header = listing(&mail).expect("TOP 1 0").send("+OK\r\nX: ");
    let header = drip(header);
    for (scene, arguments, state) in [
        (listed, &["fetch"][..], "listing the mailbox"),
        (
            header,
            &["check", "--headers"],
            "reading the header of message 1",
        ),
    ] {
        let script = Script::plain(scene);
        let home = home(&script);
        let output = run(&home, arguments, 75);
        assert_said(&output, &["error: a: ", "below 200 bytes a second", state]);
        assert_eq!(script.played().len(), 1);
    }
}

#[test]
fn b5_a_slow_modem_is_waited_for() {
    // Some 300 octets a second, for longer than the rate is measured.
    let mail = letters();
    let mut scene = listing(&mail[..1]).expect("RETR").send("+OK\r\n");
    for piece in mail[0].octets().chunks(100) {
        scene = scene.pause(Duration::from_millis(300)).send(piece);
    }
    let scene = scene.send(".\r\n").expect("QUIT").send("+OK\r\n");
    let script = Script::plain(scene);
    let home = home(&script);
    let began = Instant::now();
    run(&home, &[], 0);
    assert!(began.elapsed() > Duration::from_secs(5), "it was no test");
    tree::assert_holds(&home.maildir("a"), &mail[..1]);
}
