use std::fs;
use std::path::{Path, PathBuf};

use super::restored::{copy, read_all, restore};
use crate::given::{assert_said, letter, mail, plainly, serving};
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use crate::support::tree;

/// An account that deletes what it has fetched, as its owner names it on the command line.
struct Scene {
    server: Server,
    home: Home,
    maildir: PathBuf,
    /// By a URL, and not by a config file.
    by_url: bool,
}

impl Scene {
    /// Six messages are fetched and kept, four more wait, and from now on all are to be deleted.
    fn new(by_url: bool) -> Self {
        let (server, home) = Server::builder(&Maildrop::new(mail(6))).with_home("");
        let maildir = home.maildir("a");
        let scene = Self {
            server,
            home,
            maildir,
            by_url,
        };
        if by_url {
            fs::remove_file(scene.home.config_file()).unwrap();
            fs::create_dir(scene.home.path().join("Mail")).unwrap();
        }
        let fetched = scene.fetch("--keep");
        assert_eq!(fetched.status, Some(0), "{fetched:#?}");
        read_all(&scene.maildir);
        scene.server.maildrop().add((7..=10).map(letter));
        scene
    }

    fn fetch(&self, keep: &str) -> Output {
        self.server.sessions();
        if !self.by_url {
            return self.home.popfetch(["fetch", keep]).run();
        }
        let account = self.server.account();
        let url = self.url();
        let roots = account.roots.unwrap();
        let arguments = [
            "fetch",
            keep,
            &url,
            "--password-stdin",
            "--tls-roots",
            roots.to_str().unwrap(),
            "--maildir",
            self.maildir.to_str().unwrap(),
        ];
        self.home.popfetch(arguments).stdin("secret\n").run()
    }

    fn url(&self) -> String {
        format!("pops://ada@localhost:{}", self.server.port())
    }

    /// What a hint names between backquotes and begins so, with more words behind it, run to the
    /// letter.
    fn follow(&self, hint: &Output, beginning: &str, more: &str) -> Output {
        let mut commands = hint.stderr.split('`');
        let command = commands.find(|it| it.starts_with(beginning));
        let command = command.unwrap_or_else(|| panic!("no {beginning:?} in {hint:#?}"));
        // Where the Maildir is gone the hint has the answers already; here each is given.
        let command = command.trim_end_matches(" --fetch-again");
        // Long lines are wrapped for people only.
        let line = command.strip_prefix("popfetch ").unwrap();
        let words = line.split_whitespace().chain(more.split_whitespace());
        let words = words.map(|word| word.trim_matches('\'').to_owned());
        self.home.popfetch(words.collect::<Vec<_>>()).run()
    }

    #[track_caller]
    fn assert_refuses(&self, stands: &str) -> Output {
        let before = everything_at(&self.maildir);
        let mut last = None;
        for _ in 0..2 {
            let output = self.fetch("--delete");
            assert_eq!(output.status, Some(73), "{stands}: {output:#?}");
            assert_eq!(
                everything_at(&self.maildir),
                before,
                "{stands}: {output:#?}"
            );
            assert_eq!(self.server.maildrop().count(), 10, "{stands}");
            assert_eq!(self.server.count("DELE"), 0, "{stands}");
            last = Some(output);
        }
        last.unwrap()
    }

    /// How many of the ten are in the Maildir; each may be there once.
    #[track_caller]
    fn here(&self) -> usize {
        let files = tree::read(&self.maildir);
        let count = |message: &Message| {
            let octets = message.stored();
            let copies = files.iter().filter(|file| file.octets == octets).count();
            assert!(copies < 2, "{copies} times: {files:#?}");
            copies
        };
        (1..=10).map(|n| count(&letter(n))).sum()
    }
}

/// All paths below this one, and what the files hold.
fn everything_at(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(path) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries.map(|entry| entry.unwrap().path()) {
        found.push((entry.clone(), fs::read(&entry).unwrap_or_default()));
        found.extend(everything_at(&entry));
    }
    found.sort();
    found
}

/// What stands somewhere, in words, and what makes it so.
type Ground = (&'static str, fn(&Path));

/// What may stand where a disk is not mounted, or was lost.
const GROUNDS: [Ground; 7] = [
    ("nothing", |_| ()),
    ("an empty directory", |path| fs::create_dir(path).unwrap()),
    ("another disk", |path| {
        fs::create_dir_all(path.join("lost+found")).unwrap();
    }),
    ("dot files", |path| {
        fs::create_dir(path).unwrap();
        fs::write(path.join(".directory"), "[Desktop Entry]").unwrap();
    }),
    ("a home directory", |path| {
        fs::create_dir_all(path.join("tmp")).unwrap();
        fs::write(path.join("notes.txt"), "mine").unwrap();
    }),
    ("a Maildir", |path| {
        for part in ["tmp", "new", "cur"] {
            fs::create_dir_all(path.join(part)).unwrap();
        }
    }),
    ("another account's Maildir", |path| {
        let (_server, home) = serving(vec![letter(21), letter(22)], Behaviour::new());
        home.popfetch(["fetch"]).expect(0);
        copy(&home.maildir("a"), path);
    }),
];

/// Those in which a Maildir is never made.
const OTHER: [&str; 3] = ["another disk", "dot files", "a home directory"];

/// The Maildir is away, and this stands there.
fn put_away(scene: &Scene, ground: fn(&Path)) -> PathBuf {
    let away = scene.home.path().join("away");
    fs::rename(&scene.maildir, &away).unwrap();
    ground(&scene.maildir);
    away
}

#[test]
fn a2_where_the_maildir_is_not_what_it_was_nothing_is_touched_until_it_is_back() {
    for by_url in [false, true] {
        for (stands, ground) in GROUNDS {
            let scene = Scene::new(by_url);
            let away = put_away(&scene, ground);
            let output = scene.assert_refuses(stands);
            assert_said(&output, &["mount", "state accept", "state forget"]);
            // What a fetch would do is to stop.
            let rehearsed = scene.fetch("--dry-run");
            assert_eq!(rehearsed.status, Some(73), "{stands}: {rehearsed:#?}");
            assert_said(&rehearsed, &["mount", "state accept", "state forget"]);
            if scene.maildir.exists() {
                fs::remove_dir_all(&scene.maildir).unwrap();
            }
            fs::rename(&away, &scene.maildir).unwrap();
            let output = scene.fetch("--delete");
            assert_eq!(output.status, Some(0), "{output:#?}");
            assert_said(&output, &["4 new messages"]);
            assert_eq!((scene.here(), scene.server.maildrop().count()), (10, 0));
        }
    }
}

#[test]
fn a2_what_is_missing_in_an_accepted_maildir_is_fetched_again() {
    for by_url in [false, true] {
        for (stands, ground) in GROUNDS {
            let scene = Scene::new(by_url);
            put_away(&scene, ground);
            let output = scene.assert_refuses(stands);
            // To the letter: there is something to decide, and nothing is changed before that.
            let accept = "popfetch state accept";
            let undecided = scene.follow(&output, accept, "");
            assert_eq!(undecided.status, Some(64), "{stands}: {undecided:#?}");
            assert_said(&undecided, &["6 of 6", "--fetch-again", "--leave"]);
            scene.assert_refuses(stands);
            let accepted = scene.follow(&output, accept, "--fetch-again");
            assert_eq!(accepted.status, Some(0), "{stands}: {accepted:#?}");
            let output = scene.fetch("--delete");
            assert_eq!(output.status, Some(0), "{stands}: {output:#?}");
            assert_said(&output, &["10 new messages"]);
            assert_eq!((scene.here(), scene.server.maildrop().count()), (10, 0));
        }
    }
}

#[test]
fn a2_what_is_missing_in_an_accepted_maildir_may_be_left() {
    for by_url in [false, true] {
        for (stands, ground) in GROUNDS {
            let scene = Scene::new(by_url);
            put_away(&scene, ground);
            let output = scene.assert_refuses(stands);
            let accepted = scene.follow(&output, "popfetch state accept", "--leave");
            assert_eq!(accepted.status, Some(0), "{stands}: {accepted:#?}");
            let output = scene.fetch("--delete");
            assert_eq!(output.status, Some(0), "{stands}: {output:#?}");
            assert_said(&output, &["4 new messages"]);
            assert_eq!((scene.here(), scene.server.maildrop().count()), (4, 0));
        }
    }
}

#[test]
fn a2_an_account_that_is_forgotten_begins_anew() {
    for by_url in [false, true] {
        for (stands, ground) in GROUNDS {
            let scene = Scene::new(by_url);
            put_away(&scene, ground);
            let output = scene.assert_refuses(stands);
            let forgotten = scene.follow(&output, "popfetch state forget", "");
            assert_eq!(forgotten.status, Some(0), "{stands}: {forgotten:#?}");
            assert_said(&forgotten, &["6 messages forgotten"]);
            let output = scene.fetch("--delete");
            // Where other things are, a Maildir is still not made.
            if OTHER.contains(&stands) {
                assert_eq!(output.status, Some(78), "{stands}: {output:#?}");
                assert_said(&output, &["name an empty or a new directory"]);
                assert_eq!(scene.server.maildrop().count(), 10);
                continue;
            }
            assert_eq!(output.status, Some(0), "{stands}: {output:#?}");
            assert_said(&output, &["10 new messages"]);
            assert_eq!((scene.here(), scene.server.maildrop().count()), (10, 0));
        }
    }
}

#[test]
fn a2_an_account_without_history_makes_a_maildir_only_where_nothing_else_is() {
    for (stands, ground) in GROUNDS {
        let (server, home) = plainly(3, Behaviour::new());
        let maildir = home.maildir("a");
        fs::create_dir_all(maildir.parent().unwrap()).unwrap();
        ground(&maildir);
        let before = everything_at(&maildir);
        let output = home.popfetch(["fetch", "--delete"]).run();
        if OTHER.contains(&stands) {
            assert_eq!(output.status, Some(78), "{stands}: {output:#?}");
            assert_eq!(everything_at(&maildir), before, "{stands}");
            assert_eq!(server.maildrop().count(), 3, "{stands}");
        } else {
            assert_eq!(output.status, Some(0), "{stands}: {output:#?}");
            assert_eq!(server.maildrop().count(), 0, "{stands}");
        }
    }
}

#[test]
fn a2_a_maildir_that_was_moved_with_its_file_is_the_same() {
    for by_url in [false, true] {
        let mut scene = Scene::new(by_url);
        let moved = scene.home.path().join("moved");
        fs::rename(&scene.maildir, &moved).unwrap();
        let refused = scene.assert_refuses("nothing");
        assert_said(&refused, &["if it was moved, set `maildir`"]);
        scene.maildir = moved;
        if !by_url {
            let config = fs::read_to_string(scene.home.config_file()).unwrap();
            let old = scene.home.maildir("a");
            let new = scene.maildir.to_str().unwrap();
            scene
                .home
                .config(&config.replace(old.to_str().unwrap(), new));
        }
        let output = scene.fetch("--delete");
        assert_eq!(output.status, Some(0), "{output:#?}");
        assert_said(&output, &["4 new messages"]);
        assert_eq!((scene.here(), scene.server.maildrop().count()), (10, 0));
    }
}

#[test]
fn a2_another_maildir_for_what_is_new_is_made_and_told_once() {
    for by_url in [false, true] {
        for ground in [GROUNDS[0].1, GROUNDS[1].1, GROUNDS[5].1, GROUNDS[6].1] {
            let mut scene = Scene::new(by_url);
            let old = std::mem::replace(&mut scene.maildir, scene.home.path().join("other"));
            ground(&scene.maildir);
            if !by_url {
                let config = fs::read_to_string(scene.home.config_file()).unwrap();
                let new = scene.maildir.to_str().unwrap();
                scene
                    .home
                    .config(&config.replace(old.to_str().unwrap(), new));
            }
            let output = scene.fetch("--delete");
            assert_eq!(output.status, Some(0), "{output:#?}");
            assert_said(&output, &["the Maildir was", "4 new messages"]);
            assert_eq!((scene.here(), scene.server.maildrop().count()), (4, 0));
            assert_eq!(tree::count(&old), 6, "{output:#?}");
            let again = scene.fetch("--delete");
            assert_eq!(again.status, Some(0), "{again:#?}");
            assert!(!again.stderr.contains("the Maildir was"), "{again:#?}");
        }
    }
}

/// The old one is away as well: what is there cannot be seen.
#[test]
fn a2_what_is_in_an_earlier_maildir_that_is_away_is_not_deleted() {
    let mut scene = Scene::new(false);
    let old = std::mem::replace(&mut scene.maildir, scene.home.path().join("other"));
    fs::rename(&old, scene.home.path().join("away")).unwrap();
    let config = fs::read_to_string(scene.home.config_file()).unwrap();
    let new = scene.maildir.to_str().unwrap();
    scene
        .home
        .config(&config.replace(old.to_str().unwrap(), new));
    let output = scene.fetch("--delete");
    assert_eq!((scene.here(), scene.server.maildrop().count()), (4, 6));
    assert_said(&output, &["6 messages not deleted"]);
    fs::rename(scene.home.path().join("away"), &old).unwrap();
    scene.fetch("--delete");
    assert_eq!(scene.server.maildrop().count(), 0);
}

/// As where each year has its own, and last year's is restored from a backup.
#[test]
fn a1_what_an_earlier_maildir_lacks_since_it_was_restored_is_not_deleted() {
    let mut scene = Scene::new(false);
    let backup = scene.home.path().join("backup");
    copy(&scene.maildir, &backup);
    scene.fetch("--keep");
    assert_eq!(scene.here(), 10);
    let old = std::mem::replace(&mut scene.maildir, scene.home.path().join("other"));
    restore(&backup, &old);
    let config = fs::read_to_string(scene.home.config_file()).unwrap();
    let new = scene.maildir.to_str().unwrap();
    scene
        .home
        .config(&config.replace(old.to_str().unwrap(), new));
    for _ in 0..2 {
        let output = scene.fetch("--delete");
        assert_eq!(scene.server.maildrop().count(), 4, "{output:#?}");
    }
}

/// A disk that is away, an account that was forgotten meanwhile as the hint has it, and the disk again,
/// over what has come since.
fn mounted_over(by_url: bool, keep: &str) -> Scene {
    let scene = Scene::new(by_url);
    let away = put_away(&scene, |_| ());
    let output = scene.assert_refuses("nothing");
    scene.follow(&output, "popfetch state forget", "");
    assert_eq!(scene.fetch(keep).status, Some(0));
    fs::rename(&scene.maildir, scene.home.path().join("beneath")).unwrap();
    fs::rename(&away, &scene.maildir).unwrap();
    scene
}

#[test]
fn a2_a_disk_that_is_mounted_over_what_has_come_meanwhile_is_told_and_deletes_nothing() {
    for by_url in [false, true] {
        let scene = mounted_over(by_url, "--keep");
        let output = scene.fetch("--delete");
        assert_eq!(output.status, Some(0), "{output:#?}");
        assert_said(
            &output,
            &[
                "10 messages were delivered to",
                "state accept --fetch-again",
            ],
        );
        // Six are here from before, and four beneath the disk alone.
        assert_eq!((scene.here(), scene.server.maildrop().count()), (6, 10));
        let again = scene.fetch("--keep");
        assert!(!again.stderr.contains("were delivered to"), "{again:#?}");

        let verified = verify(&scene);
        assert_eq!(verified.status, Some(1), "{verified:#?}");
        assert_said(
            &verified,
            &["10 missing", "unmount it", "state accept --leave"],
        );
        let accepted = scene.follow(&verified, "popfetch state accept --fetch-again", "");
        assert_eq!(accepted.status, Some(0), "{accepted:#?}");
        assert_eq!(scene.fetch("--keep").status, Some(0));
        assert_eq!(verify(&scene).status, Some(0));
        for n in 1..=10 {
            let octets = letter(n).stored();
            let files = tree::read(&scene.maildir);
            assert!(files.iter().any(|file| file.octets == octets), "{n}");
        }
    }
}

#[test]
fn a2_what_lies_beneath_a_disk_is_intact_once_the_disk_is_away_again() {
    let scene = mounted_over(false, "--delete");
    scene.fetch("--delete");
    let verified = verify(&scene);
    assert_eq!(verified.status, Some(1), "{verified:#?}");
    // As told.
    fs::rename(&scene.maildir, scene.home.path().join("unmounted")).unwrap();
    fs::rename(scene.home.path().join("beneath"), &scene.maildir).unwrap();
    let verified = verify(&scene);
    assert_eq!(verified.status, Some(0), "{verified:#?}");
    assert_said(&verified, &["10 intact"]);
    assert_eq!(scene.here(), 10);
}

fn verify(scene: &Scene) -> Output {
    let url = scene.url();
    let maildir = scene.maildir.to_str().unwrap();
    let arguments = match scene.by_url {
        true => vec!["verify", &url, "--maildir", maildir],
        false => vec!["verify"],
    };
    scene.home.popfetch(arguments).run()
}
