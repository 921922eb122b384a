//! The faults of the README's table by IMAP: what it says of popfetch there is so by this protocol, too.
//! T3 and T3b are in `tests/crash`. No mailbox has two messages with one UID (T4), or none (T5), but one may
//! have other UIDs in each session.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::IMAP;
use crate::given::{assert_said, journal, letter, mail};
use crate::nineteen::scene::{Tally, exit};
use crate::support::account::Security;
use crate::support::imap::{ImapServer, Kept, Twist};
use crate::support::message::{Message, generate};
use crate::support::mounted::Mounted;
use crate::support::process::{PATIENCE, installed, within};
use crate::support::readme;
use crate::support::run::{Home, Output};
use crate::support::script::{Scene as Play, Script};
use crate::support::tree;

const DELETE: &str = "keep = \"never\"\n";

/// A server with ten messages, and a home that has fetched none of them.
struct Scene {
    messages: Vec<Message>,
    server: ImapServer,
    home: Home,
}

impl Scene {
    fn new(keys: &str) -> Self {
        let messages = mail(10);
        let (server, home) = super::serving(&messages, keys);
        Self {
            messages,
            server,
            home,
        }
    }

    fn fetch(&self) -> Output {
        self.server.sessions();
        self.home.popfetch(["fetch"]).run()
    }

    fn fetch_well(&self) -> Output {
        let output = self.fetch();
        assert_eq!(output.status, Some(0), "{output:#?}");
        output
    }

    fn tally(&self) -> Tally {
        Tally::of(&self.home, &self.messages)
    }

    fn left(&self) -> usize {
        self.server.uids().len()
    }

    /// Puts these in the place of what is there, with UIDs from 1 on.
    fn holds(&self, messages: &[Message]) {
        let kept = (1..).zip(messages);
        let kept = kept.map(|(uid, message)| Kept::new(uid, message)).collect();
        self.server.mailbox(|it| it.messages = kept);
    }

    /// Messages that the last session asked for.
    fn asked_for(&self) -> usize {
        let session = self.server.last_session();
        let whole = session.commands.iter();
        whole
            .filter(|command| command.contains("BODY.PEEK[]"))
            .count()
    }
}

#[track_caller]
fn is_as_the_readme_says(fault: &str, measured: &str) {
    assert_eq!(measured, readme::says(fault), "{fault}");
}

#[test]
fn t1_killed_after_five_messages() {
    let scene = Scene::new("pipelining = \"off\"\n");
    // The sixth never comes.
    scene.server.says("UID FETCH 6 (", "");
    let mut running = scene.home.popfetch(["fetch"]).start();
    let delivered = || (tree::count(&scene.home.maildir("a")) == 5).then_some(());
    within(PATIENCE, delivered).expect("five messages are delivered");
    running.signal(Signal::KILL);
    assert_eq!(running.wait().status, None);
    scene.server.mailbox(|it| it.twists.clear());
    scene.fetch_well();
    is_as_the_readme_says("T1", &scene.tally().to_string());
    assert_eq!(scene.left(), 10);
}

#[test]
fn t2_the_connection_is_closed_within_the_fourth_message() {
    let scene = Scene::new("");
    scene.server.twist_once("UID FETCH 4 (", Twist::Cut(180));
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
    is_as_the_readme_says("T2", &cell);
}

#[test]
fn t5_the_uids_are_others_in_each_session() {
    let scene = Scene::new("");
    for _ in 0..3 {
        scene.fetch_well();
        scene.server.mailbox(|it| it.uid_validity += 1);
    }
    is_as_the_readme_says("T5", &scene.tally().to_string());
    assert_eq!(scene.left(), 10);
}

#[test]
fn t6_the_fourth_message_is_always_refused() {
    let scene = Scene::new("");
    scene
        .server
        .says("UID FETCH 4 (", "{tag} NO cannot be read\r\n");
    let faulty = scene.fetch();
    let tally = scene.tally();
    assert_eq!((tally.twice, tally.foreign, tally.in_tmp), (0, 0, 0));
    let named = match faulty.stderr.contains("message 4 ") {
        true => "the other named",
        false => "the other not named",
    };
    let delivered = tally.delivered;
    let cell = format!("{delivered} of 10 delivered, {named}, {}", exit(&faulty));
    is_as_the_readme_says("T6", &cell);
}

#[test]
fn t7_the_disk_is_full() {
    let mut scene = Scene::new(DELETE);
    // Four of them fit.
    scene.messages = generate(10, 14_000);
    scene.holds(&scene.messages);
    let Some(disk) = Mounted::tmpfs(&scene.home.path().join("Mail"), "size=64k") else {
        return;
    };
    let faulty = scene.fetch();
    let left = scene.tally().in_tmp;
    let gone = 10 - scene.left();
    assert!(scene.tally().delivered >= gone, "{:?}", scene.tally());
    disk.remount("size=1m");
    scene.fetch_well();
    let cell = format!("{}, {left} left in tmp/, {}", scene.tally(), exit(&faulty));
    is_as_the_readme_says("T7", &cell);
    assert_eq!(scene.left(), 0);
}

#[test]
fn t8_fsync_fails() {
    if !installed("strace") {
        return;
    }
    let scene = Scene::new(DELETE);
    // What fails is to be the messages' sync, not the making of the Maildir and of the state.
    scene.holds(&[]);
    scene.fetch_well();
    scene.holds(&scene.messages);
    let inject = ["-f", "-o", "/dev/null", "-e", "inject=fsync:error=EIO"];
    let faulty = scene
        .home
        .popfetch_under("strace", &inject, &["fetch"])
        .run();
    assert!(scene.asked_for() > 0, "{faulty:#?}");
    assert_eq!(scene.server.last_session().count("LOGOUT"), 0);
    let cell = format!(
        "{} deleted, {} left in tmp/, {}",
        scene.server.last_session().count("UID STORE"),
        scene.tally().in_tmp,
        exit(&faulty)
    );
    is_as_the_readme_says("T8", &cell);
    scene.fetch_well();
    assert_eq!(scene.tally().to_string(), "0 duplicates, 0 lost");
    assert_eq!(scene.left(), 0);
}

#[test]
fn t11_the_reply_to_expunge_is_lost() {
    let scene = Scene::new(DELETE);
    scene.server.twist_once("UID EXPUNGE", Twist::Cut(0));
    let faulty = scene.fetch();
    scene.fetch_well();
    let cell = format!("{}, {}", scene.tally(), exit(&faulty));
    is_as_the_readme_says("T11", &cell);
    assert_eq!(scene.left(), 0);
}

#[test]
fn t11b_expunge_never_reaches_the_server() {
    let scene = Scene::new(DELETE);
    scene.server.twist_once("UID EXPUNGE", Twist::Close);
    scene.fetch();
    assert_eq!(scene.left(), 10, "nothing was deleted");
    scene.fetch_well();
    let cell = format!(
        "{}, {} deleted, {} downloaded again",
        scene.tally(),
        10 - scene.left(),
        scene.asked_for(),
    );
    is_as_the_readme_says("T11b", &cell);
}

#[test]
fn t13_control_characters_in_the_refusal_of_a_password() {
    let scene = Scene::new("");
    let nasty = "\x1b]0;all is well\x07\x1b[2J\u{9b}31m wrong \u{9b}1m password";
    let words = format!("{{tag}} NO [AUTHENTICATIONFAILED] {nasty}\r\n");
    scene.server.says("AUTHENTICATE", &words);
    let output = scene.fetch();
    let shown = output.stdout.clone() + &output.stderr;
    let raw = shown.chars().filter(|c| c.is_control() && *c != '\n');
    let raw = raw.count();
    let words = ["all is well", "wrong", "password"];
    let text = match words.iter().all(|word| shown.contains(word)) {
        true => "text shown",
        false => "text not shown",
    };
    let cell = format!("{raw} reach the terminal, {text}, {}", exit(&output));
    is_as_the_readme_says("T13", &cell);
}

/// A server that lets anybody in, and has opened the mailbox.
fn opened() -> Play {
    let hello = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello\r\n";
    let scene = Play::new().send(hello).expect("a1");
    let scene = scene.send("a1 OK [CAPABILITY IMAP4rev1] in\r\n");
    let opened = "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\na2 OK done\r\n";
    scene.expect("a2").send(opened).expect("a3")
}

/// Fetches from a script, which is played again where the run connects again.
fn play(script: Play, keys: &str) -> Output {
    let script = Script::start(Security::Plain, [script.clone(), script]);
    let home = Home::of(&script.account(), &format!("{IMAP}{keys}"));
    home.popfetch(["fetch"])
        .limit(Duration::from_secs(45))
        .run()
}

#[test]
fn t14_one_octet_each_one_and_a_half_seconds() {
    let scene = opened().send("* 1 FETCH (UID 1 RFC822.SIZE 5000)\r\na3 OK done\r\n");
    let begun = "* 1 FETCH (UID 1 BODY[] {5000}\r\nSubject: x\r\n\r\n";
    let scene = scene.expect("a4").send(begun);
    let drips = scene.drip([b'x'; 60], Duration::from_millis(1500));
    let output = play(drips, "timeout = \"5s\"\n");
    let words = ["error: a: ", "too slow", "while fetching message 1"];
    assert_said(&output, &words);
    assert!(output.peak_memory < 64 << 20, "{output:#?}");
    is_as_the_readme_says("T14", &format!("gives up, {}", exit(&output)));
}

#[test]
fn t14_a_server_that_says_for_ever_that_it_is_still_there() {
    let listed = "* 1 FETCH (UID 1 RFC822.SIZE 50)\r\n";
    let mail = "* 1 FETCH (UID 1 BODY[] {5}\r\nX: y\n)\r\n";
    let listed_all = || {
        opened()
            .send(format!("{listed}a3 OK done\r\n"))
            .expect("a4")
    };
    for (scene, state) in [
        (opened(), "listing the mailbox"),
        (opened().send(listed), "listing the mailbox"),
        (listed_all(), "fetching message 1"),
        (listed_all().send(mail), "fetching message 1"),
    ] {
        for words in [
            "* OK still here\r\n",
            "* 1 EXISTS\r\n",
            "* 1 FETCH (FLAGS (\\Seen))\r\n",
        ] {
            // More than a slow line brings, and nothing of what it was asked for.
            let dribble = words.repeat(40_000 / words.len());
            let began = Instant::now();
            let scene = scene.clone().drip(dribble, Duration::from_millis(1));
            let output = play(scene, "timeout = \"2s\"\n");
            assert_eq!(output.status, Some(75), "{words}{output:#?}");
            assert_said(&output, &["error: a: ", "too slow", state]);
            assert!(began.elapsed() < Duration::from_secs(20), "{words}{state}");
        }
    }
}

#[test]
fn t15_a_listing_of_one_endless_line() {
    const PIECE: usize = 1 << 16;
    let scene = opened().send("* 1 FETCH (UID 1 FLAGS (");
    let scene = scene.send_times(vec![b'x'; PIECE], 300_000_000 / PIECE);
    let output = play(scene, "");
    assert_said(&output, &["error: a: ", "while listing the mailbox"]);
    assert!(output.peak_memory > 0, "it was not measured");
    let memory = match output.peak_memory {
        ..=0x400_0000 => "less than 64 MiB of memory".to_owned(),
        more => format!("{} MiB of memory", more >> 20),
    };
    let cell = format!("gives up, {memory}, {}", exit(&output));
    is_as_the_readme_says("T15", &cell);
}

#[test]
fn t16_a_new_message_under_a_used_uid() {
    let mut scene = Scene::new(DELETE);
    let first = scene.messages[0].clone();
    scene.holds(std::slice::from_ref(&first));
    scene.fetch_well();
    assert_eq!(scene.left(), 0);
    // Nine more come to a mailbox that has forgotten which UIDs it gave out.
    let others: Vec<_> = (2..=10).map(letter).collect();
    scene.holds(&others);
    scene.messages = std::iter::once(first).chain(others).collect();
    scene.fetch_well();
    let unseen = scene.tally().lost();
    let cell = format!("{}, {unseen} deleted unseen", scene.tally());
    is_as_the_readme_says("T16", &cell);
    assert_eq!(scene.left(), 0);
}

#[test]
fn t17_the_connection_is_closed_within_the_listing() {
    let scene = Scene::new(DELETE);
    scene.server.twist_once("UID EXPUNGE", Twist::Close);
    // All ten are known and to be deleted when their listing breaks off.
    scene.fetch_well();
    scene.server.twist("UID FETCH 1:*", 0, Twist::Cut(60));
    let faulty = scene.fetch();
    let deleted = 10 - scene.left();
    assert_eq!(scene.server.last_session().count("UID STORE"), 0);
    scene.server.mailbox(|it| it.twists.clear());
    scene.fetch_well();
    let cell = format!("{}, {deleted} deleted, {}", scene.tally(), exit(&faulty));
    is_as_the_readme_says("T17", &cell);
    assert_eq!(scene.asked_for(), 0);
    assert_eq!(scene.left(), 0);
}

#[test]
fn t18_half_of_the_mailbox_is_listed_once() {
    let scene = Scene::new("");
    scene.fetch_well();
    scene.holds(&scene.messages[..5]);
    scene.fetch_well();
    scene.holds(&scene.messages);
    scene.fetch_well();
    is_as_the_readme_says("T18", &scene.tally().to_string());
    assert_eq!(scene.asked_for(), 0);
}

#[test]
fn t19_all_uids_change() {
    let scene = Scene::new("");
    scene.fetch_well();
    scene.server.mailbox(|it| {
        it.uid_validity += 1;
        it.messages.iter_mut().for_each(|kept| kept.uid += 100);
    });
    scene.fetch_well();
    is_as_the_readme_says("T19", &scene.tally().to_string());
    assert_eq!(scene.left(), 10);
}

#[test]
fn t20_the_state_file_is_cut_in_half() {
    let scene = Scene::new("");
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
    is_as_the_readme_says("T20", &format!("{noticed}, {}", scene.tally()));
}
