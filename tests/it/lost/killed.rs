use std::fs;
use std::path::Path;

use super::Scene;
use super::restored::{copy, restore};
use crate::given::{journal, letter};
use crate::support::behaviour::Behaviour;
use crate::support::message::Message;
use crate::support::series::mixed;
use crate::support::tracer::{self, End};

const MESSAGES: usize = 6;

/// What becomes of the Maildir after the kill.
type Aftermath = fn(&Path);

/// Each of these takes away what a message in tmp/ would be completed from.
const AFTERMATHS: [(&str, Aftermath); 4] = [
    ("tmp/ is cleaned", |maildir| {
        for file in fs::read_dir(maildir.join("tmp")).unwrap() {
            fs::remove_file(file.unwrap().path()).unwrap();
        }
    }),
    ("tmp/ is emptied by a full disk", |maildir| {
        for file in fs::read_dir(maildir.join("tmp")).unwrap() {
            fs::write(file.unwrap().path(), "").unwrap();
        }
    }),
    ("it is copied without tmp/", |maildir| {
        let copied = maildir.with_file_name("copied");
        copy(maildir, &copied);
        fs::remove_dir_all(copied.join("tmp")).unwrap();
        fs::create_dir(copied.join("tmp")).unwrap();
        fs::remove_dir_all(maildir).unwrap();
        fs::rename(copied, maildir).unwrap();
    }),
    ("it is copied as it is", |maildir| {
        let copied = maildir.with_file_name("copied");
        copy(maildir, &copied);
        fs::remove_dir_all(maildir).unwrap();
        fs::rename(copied, maildir).unwrap();
    }),
];

#[test]
fn a3_a_message_that_a_kill_kept_from_its_name_is_fetched_again_if_its_file_is_gone() {
    for [keep, way, number, after] in mixed([2, 2, 4, AFTERMATHS.len()], 20) {
        let (keep, pipelining) = (["always", "never"][keep], ["auto", "off"][way]);
        let (number, (aftermath, happens)) = ([0, 1, 3, 5][number], AFTERMATHS[after]);
        let keys = format!("keep = {keep:?}\npipelining = {pipelining:?}\n");
        let messages: Vec<Message> = (1..=MESSAGES).map(letter).collect();
        let scene = Scene::new(messages, Behaviour::new(), &keys);
        let Some(end) = tracer::kill_at_rename(&scene.home, number) else {
            return;
        };
        let what = format!("{keys}{number}, {aftermath}");
        assert!(matches!(end, End::Killed(_)), "{what}: {end:?}");
        scene.server.sessions();
        happens(&scene.home.maildir("a"));
        let outputs = scene.settle(&["fetch"]);
        // None where all that was missing stood in tmp/.
        assert!(outputs.len() <= 1, "{what}: {outputs:#?}");
        assert!(outputs.iter().all(|it| it.status == Some(0)), "{what}");
        scene.assert_all_are_here();
        let left = if keep == "never" { 0 } else { MESSAGES };
        assert_eq!(
            scene.server.maildrop().count(),
            left,
            "{what}: {outputs:#?}"
        );
        scene.settle(&["fetch", "--delete"]);
        assert_eq!(scene.server.maildrop().count(), 0, "{what}");
        scene.assert_all_are_here();
    }
}

#[test]
fn a3_where_its_disk_is_not_mounted_after_a_kill_nothing_is_touched_until_it_is() {
    for number in [0, 3] {
        let messages: Vec<Message> = (1..=MESSAGES).map(letter).collect();
        let scene = Scene::new(messages, Behaviour::new(), "keep = \"never\"\n");
        let Some(End::Killed(_)) = tracer::kill_at_rename(&scene.home, number) else {
            return;
        };
        let (maildir, away) = (scene.home.maildir("a"), scene.home.path().join("away"));
        fs::rename(&maildir, &away).unwrap();
        fs::create_dir(&maildir).unwrap();
        for _ in 0..2 {
            let output = scene.home.popfetch(["fetch", "--delete"]).run();
            assert_eq!(output.status, Some(73), "{number}: {output:#?}");
            assert_eq!(fs::read_dir(&maildir).unwrap().count(), 0);
            assert_eq!(scene.server.maildrop().count(), MESSAGES);
        }
        fs::remove_dir(&maildir).unwrap();
        fs::rename(&away, &maildir).unwrap();
        scene.settle(&["fetch"]);
        scene.assert_all_are_here();
        assert_eq!(scene.server.maildrop().count(), 0);
    }
}

#[test]
fn a3_what_comes_for_the_second_time_and_is_killed_is_fetched_whatever_line_is_damaged_then() {
    for keep in ["always", "never"] {
        let keys = format!("keep = {keep:?}\ndeliver = {{ mbox = \"~/in\" }}\n");
        let messages: Vec<Message> = (1..=3).map(letter).collect();
        let scene = Scene::new(messages, Behaviour::new(), "");
        let later = scene.messages.split_at(1).1;
        scene.server.maildrop().replace([letter(1)]);
        let usual = "keep = \"always\"\ndeliver = { mbox = \"~/in\" }\n";
        scene.home.one_account(&scene.server.account(), usual);
        let (maildir, backup) = (scene.home.maildir("a"), scene.home.path().join("backup"));
        scene.home.popfetch(["fetch"]).expect(0);
        copy(&maildir, &backup);
        scene.server.maildrop().add(later.iter().cloned());
        scene.home.popfetch(["fetch"]).expect(0);
        restore(&backup, &maildir);
        scene.home.one_account(&scene.server.account(), &keys);
        let Some(End::Killed(_)) = tracer::kill_at_rename(&scene.home, 0) else {
            return;
        };
        scene.server.sessions();
        // One of which nobody needs anything.
        let journal = journal(&scene.home);
        let text = fs::read_to_string(&journal).unwrap();
        let line = text.lines().find(|line| line.starts_with("r\t")).unwrap();
        fs::write(&journal, text.replacen(line, &"0".repeat(line.len()), 1)).unwrap();
        let outputs = scene.settle(&["fetch"]);
        scene.assert_all_are_here();
        let appended = fs::read_to_string(scene.home.path().join("in")).unwrap();
        for message in &scene.messages {
            let octets = String::from_utf8(message.stored()).unwrap();
            assert_eq!(appended.matches(&octets).count(), 1, "{outputs:#?}");
        }
        let left = if keep == "never" { 0 } else { 3 };
        assert_eq!(scene.server.maildrop().count(), left, "{outputs:#?}");
    }
}
