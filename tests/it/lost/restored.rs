use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Scene, statuses};
use crate::given::{assert_said, letter};
use crate::support::behaviour::Behaviour;
use crate::support::message::Message;
use crate::support::tree;

const KEEP: &[&str] = &["fetch"];
const DELETE: &[&str] = &["fetch", "--delete"];

/// Six messages.
fn six() -> Vec<Message> {
    (1..=6).map(letter).collect()
}

fn scene(messages: Vec<Message>) -> Scene {
    Scene::new(messages, Behaviour::new(), "")
}

/// As a backup copies a tree.
pub fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(copied.unwrap().success());
}

/// As a backup is restored.
pub fn restore(backup: &Path, maildir: &Path) {
    fs::remove_dir_all(maildir).unwrap();
    copy(backup, maildir);
}

/// Moves what is in new/ to cur/, as a reader does, and gives the paths.
pub fn read_all(maildir: &Path) -> Vec<PathBuf> {
    let read = tree::new_files(maildir).into_iter().map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let to = maildir.join("cur").join(format!("{name}:2,S"));
        fs::rename(&path, &to).unwrap();
        to
    });
    read.collect()
}

#[test]
fn a1_what_a_restored_backup_lacks_is_fetched_again_and_not_deleted_before() {
    for before in [1, 3, 5] {
        for (then, read) in [(KEEP, false), (DELETE, false), (DELETE, true)] {
            let scene = scene((1..=before).map(letter).collect());
            let (maildir, backup) = (scene.home.maildir("a"), scene.home.path().join("backup"));
            scene.settle(&["fetch"]);
            copy(&maildir, &backup);
            scene.server.maildrop().add((before + 1..=6).map(letter));
            scene.settle(&["fetch"]);
            restore(&backup, &maildir);
            if read {
                read_all(&maildir);
            }
            let missing = 6 - before;
            let scene = Scene {
                messages: six(),
                ..scene
            };
            let output = scene.run(then);
            assert_eq!(output.status, Some(0), "{output:#?}");
            assert_said(
                &output,
                &["older than the state", &format!("{missing} message")],
            );
            scene.assert_all_are_here();
            let kept = if then == KEEP { 6 } else { 0 };
            assert_eq!(scene.server.maildrop().count(), kept, "{output:#?}");
            scene.settle(DELETE);
            assert_eq!(scene.server.maildrop().count(), 0);
            scene.assert_all_are_here();
        }
    }
}

#[test]
fn a1_what_was_removed_before_the_backup_stays_removed_and_what_came_since_comes_back() {
    let scene = scene((1..=3).map(letter).collect());
    let (maildir, backup) = (scene.home.maildir("a"), scene.home.path().join("backup"));
    scene.settle(&["fetch"]);
    fs::remove_file(&read_all(&maildir)[0]).unwrap();
    copy(&maildir, &backup);
    scene.server.maildrop().add((4..=6).map(letter));
    scene.settle(&["fetch"]);
    restore(&backup, &maildir);
    scene.settle(&["fetch"]);
    assert_eq!(scene.files().len(), 5);
    for n in 4..=6 {
        assert_eq!(scene.copies(&letter(n)), 1);
    }
    scene.home.popfetch(DELETE).expect(0);
    assert_eq!(scene.server.maildrop().count(), 0);
}

#[test]
fn a1_a_backup_that_knows_nothing_of_the_account_is_not_its_maildir() {
    let scene = scene(six());
    let maildir = scene.home.maildir("a");
    scene.settle(&["fetch"]);
    fs::remove_dir_all(&maildir).unwrap();
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(maildir.join(part)).unwrap();
    }
    for arguments in [KEEP, DELETE] {
        let output = scene.run(arguments);
        assert_eq!(output.status, Some(73), "{output:#?}");
        assert_said(&output, &["popfetch state accept a"]);
        assert_eq!(scene.server.maildrop().count(), 6);
        assert_eq!(fs::read_dir(&maildir).unwrap().count(), 3);
    }
    scene
        .home
        .popfetch(["state", "accept", "a", "--fetch-again"])
        .expect(0);
    scene.settle(DELETE);
    scene.assert_all_are_here();
    assert_eq!(scene.server.maildrop().count(), 0);
}

/// All, or every other one.
const PARTS: [usize; 2] = [1, 2];

/// What is left of a file's octets.
type Remains = fn(&[u8]) -> Vec<u8>;

/// What a full disk or a crash without syncs leaves of a file.
const REMAINS: [Remains; 4] = [
    |_| Vec::new(),
    |octets| octets[..octets.len() / 2].to_vec(),
    |octets| octets[..octets.len() - 1].to_vec(),
    |octets| [octets, b"x"].concat(),
];

#[test]
fn a1_what_is_not_as_long_as_it_was_is_not_deleted_from_the_server() {
    for part in PARTS {
        for (remains, read) in REMAINS.iter().zip([false, true, false, true]) {
            let scene = scene(six());
            let maildir = scene.home.maildir("a");
            scene.settle(&["fetch"]);
            let files = match read {
                true => read_all(&maildir),
                false => tree::new_files(&maildir),
            };
            for file in files.iter().step_by(part) {
                fs::write(file, remains(&fs::read(file).unwrap())).unwrap();
            }
            let broken = files.len().div_ceil(part);
            let output = scene.run(DELETE);
            assert_eq!(scene.server.maildrop().count(), broken, "{output:#?}");
            assert_said(&output, &["not deleted", "popfetch state accept a uid-"]);
            // Told once; what its owner accepts goes.
            let again = scene.run(&["fetch", "--delete", "-q"]);
            assert!(!again.stderr.contains("not deleted"), "{again:#?}");
            let ids = scene.server.maildrop().unique_ids();
            let accept = ["state", "accept", "a"].into_iter();
            let accept = accept.chain(ids.iter().map(String::as_str));
            scene.home.popfetch(accept).expect(0);
            scene.home.popfetch(DELETE).expect(0);
            assert_eq!(scene.server.maildrop().count(), 0);
        }
    }
}

#[test]
fn a1_an_empty_file_is_no_proof_where_the_state_is_lost_as_well() {
    for part in PARTS {
        for read in [false, true] {
            let scene = scene(six());
            let maildir = scene.home.maildir("a");
            scene.settle(&["fetch"]);
            let files = match read {
                true => read_all(&maildir),
                false => tree::new_files(&maildir),
            };
            for file in files.iter().step_by(part) {
                fs::write(file, "").unwrap();
            }
            fs::remove_dir_all(scene.home.state()).unwrap();
            let broken = files.len().div_ceil(part);
            let outputs = scene.settle(DELETE);
            assert!(statuses(&outputs).iter().all(|it| *it == 0), "{outputs:#?}");
            assert_said(
                &outputs[0],
                &["the state file was lost, or is on another machine"],
            );
            assert_eq!(scene.server.maildrop().count(), 0, "{outputs:#?}");
            for message in six() {
                assert_eq!(scene.copies(&message), 1, "{outputs:#?}");
            }
            // The empty ones are not ours to remove.
            assert_eq!(scene.files().len(), 6 + broken);
        }
    }
}

#[test]
fn a1_the_age_of_what_a_rebuilt_state_knows_begins_with_the_rebuilding() {
    let scene = scene(six());
    let maildir = scene.home.maildir("a");
    scene.settle(&["fetch"]);
    // The names say that they were delivered long ago.
    for file in tree::new_files(&maildir) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let (_, rest) = name.split_once('.').unwrap();
        fs::rename(
            &file,
            maildir.join("new").join(format!("1500000000.{rest}")),
        )
        .unwrap();
    }
    fs::remove_dir_all(scene.home.state()).unwrap();
    scene
        .home
        .one_account(&scene.server.account(), "keep = \"14 days\"\n");
    let outputs = scene.settle(&["fetch"]);
    assert_eq!(scene.server.maildrop().count(), 6, "{outputs:#?}");
    scene.assert_all_are_here();
}

/// How compressed files begin.
const MAGIC: [(&str, &[u8]); 5] = [
    ("gzip", b"\x1f\x8b\x08"),
    ("bzip2", b"BZh9"),
    ("xz", b"\xfd7zXZ\0"),
    ("zstd", b"\x28\xb5\x2f\xfd"),
    ("lz4", b"\x04\x22\x4d\x18"),
];

/// Dovecot's zlib plugin, and what looks like it.
#[test]
fn a1_a_file_that_its_reader_has_compressed_is_as_it_was() {
    for (tool, magic) in MAGIC {
        let scene = scene(six());
        let maildir = scene.home.maildir("a");
        scene.settle(&["fetch"]);
        for (place, file) in tree::new_files(&maildir).iter().enumerate() {
            let octets = fs::read(file).unwrap();
            // The name of one says another size, one is empty, and one is not compressed at all.
            let size = octets.len() + usize::from(place == 0);
            let compressed = match place {
                1 => Vec::new(),
                2 => b"Subject: no\n".to_vec(),
                _ => [magic, &[7; 20]].concat(),
            };
            let name = file.file_name().unwrap().to_str().unwrap();
            let to = maildir.join("cur").join(format!("{name},S={size}:2,S"));
            fs::remove_file(file).unwrap();
            fs::write(to, compressed).unwrap();
        }
        let output = scene.home.popfetch(DELETE).run();
        let left = scene.server.maildrop().count();
        assert_eq!(left, 3, "{tool}: {output:#?}");
        assert_said(&output, &["3 messages not deleted"]);
    }
}

#[test]
fn a1_what_its_owner_moved_to_a_folder_is_as_it_was() {
    let scene = scene(six());
    let maildir = scene.home.maildir("a");
    scene.settle(&["fetch"]);
    let folder = maildir.join(".Archive");
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    for file in tree::new_files(&maildir) {
        let to = folder.join("cur").join(file.file_name().unwrap());
        fs::rename(file, to).unwrap();
    }
    scene.home.popfetch(DELETE).expect(0);
    assert_eq!(scene.server.maildrop().count(), 0);
}

/// "It is right as it is" is not "it is gone".
#[test]
fn a1_what_was_accepted_while_it_was_there_comes_back_where_a_restored_backup_lacks_it() {
    let scene = scene((1..=3).map(letter).collect());
    let (maildir, backup) = (scene.home.maildir("a"), scene.home.path().join("backup"));
    scene.settle(&["fetch"]);
    copy(&maildir, &backup);
    scene.server.maildrop().add([letter(4)]);
    scene.settle(&["fetch"]);
    let id = String::from_utf8(letter(4).unique_id).unwrap();
    let accept = ["state", "accept", "a", &id];
    scene.home.popfetch(accept).expect(0);
    restore(&backup, &maildir);
    let scene = Scene {
        messages: (1..=4).map(letter).collect(),
        ..scene
    };
    let output = scene.run(DELETE);
    assert_said(&output, &["older than the state", "1 message"]);
    scene.settle(DELETE);
    scene.assert_all_are_here();
    assert_eq!(scene.server.maildrop().count(), 0);
}

#[test]
fn a1_what_is_damaged_in_a_folder_that_is_a_link_or_has_no_new_is_not_deleted_from_the_server() {
    for is_link in [true, false] {
        let scene = scene(six());
        let maildir = scene.home.maildir("a");
        scene.settle(&["fetch"]);
        let folder = match is_link {
            true => scene.home.path().join("old"),
            false => maildir.join(".Old"),
        };
        fs::create_dir_all(folder.join("cur")).unwrap();
        if is_link {
            fs::create_dir_all(folder.join("new")).unwrap();
            symlink(&folder, maildir.join(".Old")).unwrap();
        }
        let file = read_all(&maildir).remove(0);
        fs::write(&file, b"cut short").unwrap();
        fs::rename(&file, folder.join("cur").join(file.file_name().unwrap())).unwrap();
        let output = scene.home.popfetch(DELETE).expect(0);
        assert_eq!(scene.server.maildrop().count(), 1, "{output:#?}");
        assert_said(&output, &["1 message not deleted"]);
    }
}

/// A Maildir and a state of one moment, kept beside them.
struct Backup {
    maildir: PathBuf,
    state: PathBuf,
}

impl Backup {
    fn make(scene: &Scene, name: &str) -> Self {
        let part = |part| scene.home.path().join(format!("{name}-{part}"));
        let backup = Self {
            maildir: part("maildir"),
            state: part("state"),
        };
        copy(&scene.home.maildir("a"), &backup.maildir);
        copy(&scene.home.state(), &backup.state);
        backup
    }

    fn restore_maildir(&self, scene: &Scene) {
        restore(&self.maildir, &scene.home.maildir("a"));
    }

    fn restore_state(&self, scene: &Scene) {
        restore(&self.state, &scene.home.state());
    }

    fn restore(&self, scene: &Scene) {
        self.restore_maildir(scene);
        self.restore_state(scene);
    }
}

/// The first three letters are in a backup of everything, `first` are fetched behind it in as many
/// runs and are in a newer backup, and after the older one was restored `then` are, likewise. Gives
/// the newer one.
fn parted(first: &[usize], then: &[usize]) -> (Scene, Backup) {
    let scene = scene((1..=3).map(letter).collect());
    scene.settle(&["fetch"]);
    let older = Backup::make(&scene, "older");
    let deliver = |letters: &[usize]| {
        for n in letters {
            if !scene
                .server
                .maildrop()
                .unique_ids()
                .contains(&format!("uid-{n}"))
            {
                scene.server.maildrop().add([letter(*n)]);
            }
            scene.home.popfetch(["fetch"]).expect(0);
        }
    };
    deliver(first);
    let newer = Backup::make(&scene, "newer");
    older.restore(&scene);
    deliver(then);
    let mut all = [&[1, 2, 3], first, then].concat();
    all.sort_unstable();
    all.dedup();
    let scene = Scene {
        messages: all.into_iter().map(letter).collect(),
        ..scene
    };
    (scene, newer)
}

/// How many runs deliver before and after both are restored.
const PARTED: [(&[usize], &[usize]); 5] = [
    (&[4], &[5]),
    (&[4, 5], &[6]),
    (&[4], &[5, 6]),
    (&[4, 5, 6], &[7, 8, 9]),
    (&[4], &[]),
];

#[test]
fn a1_a_newer_maildir_restored_after_both_were_loses_nothing_and_brings_nothing_twice() {
    for (first, then) in PARTED {
        for arguments in [KEEP, DELETE] {
            let (scene, newer) = parted(first, then);
            newer.restore_maildir(&scene);
            scene.run(arguments);
            scene.settle(arguments);
            scene.assert_all_are_here();
            scene.settle(DELETE);
            assert_eq!(scene.server.maildrop().count(), 0, "{first:?} {then:?}");
            scene.assert_all_are_here();
        }
    }
}

#[test]
fn a1_a_newer_state_restored_after_both_were_loses_nothing_and_brings_nothing_twice() {
    for (first, then) in PARTED {
        for arguments in [KEEP, DELETE] {
            let (scene, newer) = parted(first, then);
            newer.restore_state(&scene);
            scene.run(arguments);
            scene.settle(arguments);
            scene.assert_all_are_here();
            scene.settle(DELETE);
            assert_eq!(scene.server.maildrop().count(), 0, "{first:?} {then:?}");
            scene.assert_all_are_here();
        }
    }
}

#[test]
fn a1_a_maildir_of_between_two_restorations_of_both_is_found_out() {
    let (scene, first) = parted(&[4], &[5]);
    let older = Backup {
        maildir: scene.home.path().join("older-maildir"),
        state: scene.home.path().join("older-state"),
    };
    let second = Backup::make(&scene, "second");
    older.restore(&scene);
    scene.server.maildrop().add([letter(6)]);
    let scene = Scene {
        messages: (1..=6).map(letter).collect(),
        ..scene
    };
    scene.home.popfetch(["fetch"]).expect(0);
    for backup in [&second, &first, &second] {
        backup.restore_maildir(&scene);
        scene.settle(KEEP);
        scene.assert_all_are_here();
    }
    scene.settle(DELETE);
    assert_eq!(scene.server.maildrop().count(), 0);
    scene.assert_all_are_here();
}

#[test]
fn a1_what_was_removed_before_the_two_parted_stays_removed_and_is_deleted() {
    let scene = scene((1..=3).map(letter).collect());
    scene.settle(&["fetch"]);
    fs::remove_file(&read_all(&scene.home.maildir("a"))[0]).unwrap();
    let older = Backup::make(&scene, "older");
    scene.server.maildrop().add([letter(4)]);
    scene.settle(&["fetch"]);
    let newer = Backup::make(&scene, "newer");
    older.restore(&scene);
    scene.server.maildrop().add([letter(5)]);
    scene.settle(&["fetch"]);
    newer.restore_maildir(&scene);
    scene.settle(&["fetch"]);
    assert_eq!(scene.files().len(), 4);
    scene.home.popfetch(DELETE).expect(0);
    assert_eq!(scene.files().len(), 4);
    assert_eq!(scene.server.maildrop().count(), 0);
}

#[test]
fn a1_a_newer_maildir_restored_after_an_older_one_brings_nothing_twice() {
    let scene = scene((1..=3).map(letter).collect());
    scene.settle(&["fetch"]);
    let older = Backup::make(&scene, "older");
    scene.server.maildrop().add([letter(4)]);
    scene.settle(&["fetch"]);
    let newer = Backup::make(&scene, "newer");
    let scene = Scene {
        messages: (1..=4).map(letter).collect(),
        ..scene
    };
    for backup in [&older, &newer, &older, &newer] {
        backup.restore_maildir(&scene);
        scene.settle(&["fetch"]);
        scene.assert_all_are_here();
    }
    scene.settle(DELETE);
    assert_eq!(scene.server.maildrop().count(), 0);
    scene.assert_all_are_here();
}

/// The journal alone loses its end, or all of it, and is made again from the Maildir; then the Maildir comes
/// from a backup that is older than that.
#[test]
fn a1_after_a_journal_that_was_made_again_an_older_maildir_is_known_for_one() {
    for journal_is in ["older", "removed", "damaged"] {
        for between in [false, true] {
            let scene = scene(vec![letter(1)]);
            let state = scene.home.state();
            scene.run(&["fetch"]);
            let mut journals = fs::read_dir(&state)
                .unwrap()
                .map(|file| file.unwrap().path());
            let journal = journals.find(|path| path.extension().is_some_and(|it| it == "journal"));
            let journal = journal.unwrap();
            let (maildir, backup) = (scene.home.maildir("a"), scene.home.path().join("backup"));
            copy(&maildir, &backup);
            let older = fs::read(&journal).unwrap();
            scene.server.maildrop().add([letter(2)]);
            scene.run(&["fetch"]);
            match journal_is {
                "older" => fs::write(&journal, &older).unwrap(),
                "removed" => fs::remove_file(&journal).unwrap(),
                _ => {
                    // A line before the last: those behind it stay.
                    let mut octets = fs::read(&journal).unwrap();
                    octets[older.len() + 3] ^= 1;
                    fs::write(&journal, octets).unwrap();
                }
            }
            scene.run(&["fetch"]);
            restore(&backup, &maildir);
            if between {
                scene.run(&["fetch"]);
            }
            for _ in 0..3 {
                scene.run(DELETE);
            }
            let there = scene.copies(&letter(2));
            let left = scene.server.maildrop().unique_ids();
            assert!(
                there == 1 || left.contains(&"uid-2".to_owned()),
                "{journal_is}, {between}: {there}, {left:?}"
            );
            assert!(there <= 1, "{journal_is}, {between}: {there}");
        }
    }
}

/// What was left before stays so, and that is said, with a way on.
#[test]
fn a2_what_was_left_before_is_named_where_all_that_is_missing_is_to_come_again() {
    let scene = Scene::new((1..=3).map(letter).collect(), Behaviour::new(), "");
    let maildir = scene.home.maildir("a");
    let aside = scene.home.path().join("aside");
    scene.settle(&["fetch"]);
    fs::rename(&maildir, &aside).unwrap();
    scene
        .home
        .popfetch(["state", "accept", "a", "--leave"])
        .expect(0);
    fs::remove_dir_all(&maildir).unwrap();
    fs::rename(&aside, &maildir).unwrap();
    scene.settle(&["fetch"]);
    fs::remove_dir_all(&maildir).unwrap();
    let again = scene
        .home
        .popfetch(["state", "accept", "a", "--fetch-again"]);
    let again = again.expect(0);
    assert_said(&again, &["3 messages that were left or handed on before"]);
    assert_said(&again, &["popfetch state forget a UNIQUE-ID"]);
    for n in 1..=3 {
        let id = format!("uid-{n}");
        scene
            .home
            .popfetch(["state", "forget", "a", id.as_str()])
            .expect(0);
    }
    scene.settle(&["fetch", "--delete"]);
    scene.assert_all_are_here();
}
