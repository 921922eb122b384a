//! The faults of the README's table by IMAP: what it says of popfetch there is so by this protocol, too.
//! T3 and T3b are in `tests/crash`. No mailbox has two messages with one UID (T4), or none (T5), but one may
//! have other UIDs in each session.

use std::time::{Duration, Instant};

use super::IMAP;
use crate::given::assert_said;
use crate::nineteen::scene::{DELETE, Scene};
use crate::nineteen::{disk, interrupted, listings, server};
use crate::support::imap::Twist;
use crate::support::script::Scene as Play;

#[test]
fn t1_killed_after_five_messages() {
    let scene = Scene::imap("pipelining = \"off\"\n");
    // The sixth never comes.
    scene.server.says("UID FETCH 6 (", "");
    interrupted::killed_after_five(&scene, |server| server.mailbox(|it| it.twists.clear()));
}

#[test]
fn t2_the_connection_is_closed_within_the_fourth_message() {
    let scene = Scene::imap("");
    scene.server.twist_once("UID FETCH 4 (", Twist::Cut(180));
    interrupted::cut_within_the_fourth(&scene);
}

#[test]
fn t5_the_uids_are_others_in_each_session() {
    let scene = Scene::imap("");
    listings::all_kept_in_every_run(&scene, |server| server.mailbox(|it| it.uid_validity += 1));
}

#[test]
fn t6_the_fourth_message_is_always_refused() {
    let scene = Scene::imap("");
    let refusal = "{tag} NO cannot be read\r\n";
    scene.server.says("UID FETCH 4 (", refusal);
    server::the_fourth_is_refused(&scene);
}

#[test]
fn t7_the_disk_is_full() {
    disk::a_full_disk(Scene::imap(DELETE));
}

#[test]
fn t8_fsync_fails() {
    disk::syncs_that_fail(&Scene::imap(DELETE));
}

#[test]
fn t11_the_reply_to_expunge_is_lost() {
    let scene = Scene::imap(DELETE);
    scene.server.twist_once("UID EXPUNGE", Twist::Cut(0));
    interrupted::no_reply_to_the_deletion(&scene);
}

#[test]
fn t11b_expunge_never_reaches_the_server() {
    let scene = Scene::imap(DELETE);
    scene.server.twist_once("UID EXPUNGE", Twist::Close);
    interrupted::no_deletion(&scene);
}

#[test]
fn t13_control_characters_in_the_refusal_of_a_password() {
    let scene = Scene::imap("");
    let nasty = "\x1b]0;all is well\x07\x1b[2J\u{9b}31m wrong \u{9b}1m password";
    let words = format!("{{tag}} NO [AUTHENTICATIONFAILED] {nasty}\r\n");
    scene.server.says("AUTHENTICATE", &words);
    server::a_refusal_with_control_characters(&scene);
}

/// A server that lets anybody in, and has opened the mailbox.
fn opened() -> Play {
    let hello = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello\r\n";
    let scene = Play::new().send(hello).expect("a1");
    let scene = scene.send("a1 OK [CAPABILITY IMAP4rev1] in\r\n");
    let opened = "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\na2 OK done\r\n";
    scene.expect("a2").send(opened).expect("a3")
}

#[test]
fn t14_one_octet_each_one_and_a_half_seconds() {
    let scene = opened().send("* 1 FETCH (UID 1 RFC822.SIZE 5000)\r\na3 OK done\r\n");
    let begun = "* 1 FETCH (UID 1 BODY[] {5000}\r\nSubject: x\r\n\r\n";
    server::a_message_in_drips(scene.expect("a4").send(begun), IMAP);
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
            let output = server::play(scene, &format!("{IMAP}timeout = \"2s\"\n"));
            assert_eq!(output.status, Some(75), "{words}{output:#?}");
            assert_said(&output, &["error: a: ", "too slow", state]);
            assert!(began.elapsed() < Duration::from_secs(20), "{words}{state}");
        }
    }
}

#[test]
fn t15_a_listing_of_one_endless_line() {
    server::an_endless_line(opened().send("* 1 FETCH (UID 1 FLAGS ("), IMAP);
}

#[test]
fn t16_a_new_message_under_a_used_uid() {
    listings::a_new_message_under_a_used_name(Scene::imap(DELETE));
}

#[test]
fn t17_the_connection_is_closed_within_the_listing() {
    let scene = Scene::imap(DELETE);
    scene.server.twist_once("UID EXPUNGE", Twist::Close);
    interrupted::cut_within_the_listing(
        &scene,
        |server| server.twist("UID FETCH 1:*", 0, Twist::Cut(60)),
        |server| server.mailbox(|it| it.twists.clear()),
    );
}

#[test]
fn t18_half_of_the_mailbox_is_listed_once() {
    listings::half_of_it_once(&Scene::imap(""));
}

#[test]
fn t19_all_uids_change() {
    listings::all_names_change(&Scene::imap(""), |server| {
        server.mailbox(|it| {
            it.uid_validity += 1;
            it.messages.iter_mut().for_each(|kept| kept.uid += 100);
        });
    });
}

#[test]
fn t20_the_state_file_is_cut_in_half() {
    disk::half_a_state_file(&Scene::imap(""));
}
