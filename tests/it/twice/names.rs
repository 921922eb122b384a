use std::fs;
use std::path::PathBuf;

use super::{letter, mail, restore, retrieved, saved, serving};
use crate::given::{assert_said, journals, run};
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

/// A maildrop that is reached as the account "a", and by another name as the account "b". Both
/// deliver to one Maildir unless they are kept `apart`.
struct Scene {
    maildrop: Maildrop,
    home: Home,
    first: Server,
    second: Server,
    texts: [String; 2],
}

/// What the second name differs in.
#[derive(Clone, Copy, Debug)]
enum Other {
    Host,
    Port,
    Case,
}

impl Scene {
    fn new(other: Other, apart: bool) -> Self {
        let maildrop = Maildrop::new(mail(20));
        let user = match other {
            Other::Case => "Ada",
            _ => "ada",
        };
        let first = serving(&maildrop, "ada", Behaviour::new());
        let second = serving(&maildrop, user, Behaviour::new());
        let home = Home::new();
        let mut account = second.account();
        match other {
            Other::Host => (account.host, account.port) = ("127.0.0.1".into(), first.port()),
            Other::Port | Other::Case => {}
        }
        let mut text = home.account_config("b", &account);
        if !apart {
            let maildir = |name| format!("maildir = {:?}\n", home.maildir(name));
            text = text.replace(&maildir("b"), &maildir("a"));
        }
        let texts = [home.account_config("a", &first.account()), text];
        home.config(&texts.concat());
        Self {
            maildrop,
            home,
            first,
            second,
            texts,
        }
    }

    /// The server that the second account reaches.
    fn reached(&self, other: Other) -> &Server {
        match other {
            Other::Host => &self.first,
            Other::Port | Other::Case => &self.second,
        }
    }

    /// What the state of the first account is called.
    fn id(&self) -> String {
        format!("ada@localhost:{}", self.first.port())
    }

    fn holds(&self, maildir: &str, count: usize) {
        tree::assert_holds(&self.home.maildir(maildir), &mail(count));
    }

    /// Without the first account, which is called otherwise now.
    fn forget_the_first(&self) {
        self.home.config(&self.texts[1]);
    }
}

const OTHERS: [Other; 3] = [Other::Host, Other::Port, Other::Case];

#[test]
fn c3_the_hosts_case_and_its_trailing_dot_make_no_other_maildrop() {
    let maildrop = Maildrop::new(mail(20));
    let server = serving(&maildrop, "ada", Behaviour::new());
    let home = Home::new();
    for host in ["localhost", "LOCALHOST", "localhost.", "LocalHost."] {
        let mut account = server.account();
        account.host = host.into();
        home.one_account(&account, "");
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(20));
        assert_eq!(journals(&home).len(), 1, "{host}");
    }
}

#[test]
fn c3_a_maildrop_under_another_name_is_told_before_anything_is_fetched() {
    for other in OTHERS {
        let scene = Scene::new(other, true);
        run(&scene.home, &["fetch", "a"], 0);
        scene.maildrop.add((21..=25).map(letter));
        let rehearsed = run(&scene.home, &["fetch", "--dry-run", "b"], 78);
        let output = run(&scene.home, &["fetch", "b"], 78);
        // But that a rehearsal goes on as one.
        let told = rehearsed.stderr.replace("-new b --dry-run`", "-new b`");
        assert_eq!(told, output.stderr);
        let id = scene.id();
        assert_said(
            &output,
            &[
                "20 of the 25 messages",
                &id,
                &format!("popfetch state move {id} b"),
                "popfetch fetch --as-new b",
            ],
        );
        assert_eq!(retrieved(scene.reached(other)), 0, "{other:?}");
        assert_eq!(tree::count(&scene.home.maildir("b")), 0, "{other:?}");
        // It is asked again as often as it is not answered.
        run(&scene.home, &["fetch", "b"], 78);
        assert_eq!(tree::count(&scene.home.maildir("b")), 0, "{other:?}");
    }
}

#[test]
fn c3_after_the_state_was_moved_nothing_comes_again_and_old_mail_is_deleted() {
    for other in OTHERS {
        for by_name in [true, false] {
            let scene = Scene::new(other, false);
            let (home, server) = (&scene.home, scene.reached(other));
            run(home, &["fetch", "a"], 0);
            run(home, &["fetch", "b"], 78);
            let id = scene.id();
            if !by_name {
                scene.forget_the_first();
            }
            let old = if by_name { "a" } else { id.as_str() };
            let output = run(home, &["state", "move", old, "b"], 0);
            assert_said(&output, &["20 messages", &id]);
            scene.maildrop.add([letter(21)]);
            let output = run(home, &["fetch", "-q", "b"], 0);
            assert!(!output.stderr.contains("Maildir"), "{output:#?}");
            assert_eq!(retrieved(server), 1, "{other:?}");
            scene.holds("a", 21);
            run(home, &["verify", "b"], 0);
            run(home, &["fetch", "--delete", "b"], 0);
            assert_eq!(scene.maildrop.count(), 0, "{other:?} {by_name}");
            scene.holds("a", 21);
        }
    }
}

#[test]
fn c3_what_was_moved_is_found_again_after_the_state_is_lost() {
    for moved_to in [Other::Host, Other::Port] {
        let scene = Scene::new(moved_to, false);
        let (home, server) = (&scene.home, scene.reached(moved_to));
        run(home, &["fetch", "a"], 0);
        run(home, &["state", "move", "a", "b"], 0);
        scene.forget_the_first();
        scene.maildrop.add([letter(21)]);
        run(home, &["fetch", "b"], 0);
        fs::remove_dir_all(home.state()).unwrap();
        run(home, &["fetch", "b"], 0);
        assert_eq!(retrieved(server), 0, "{moved_to:?}");
        scene.holds("a", 21);
        run(home, &["fetch", "--delete", "b"], 0);
        assert_eq!(scene.maildrop.count(), 0, "{moved_to:?}");
    }
}

#[test]
fn c3_what_was_moved_stays_in_its_own_maildir_and_keep_acts_on_it() {
    let scene = Scene::new(Other::Port, true);
    let home = &scene.home;
    run(home, &["fetch", "a"], 0);
    run(home, &["state", "move", "a", "b"], 0);
    scene.maildrop.add([letter(21)]);
    run(home, &["fetch", "b"], 0);
    assert_eq!(retrieved(&scene.second), 1);
    scene.holds("a", 20);
    // What its owner removed there is deleted like the rest.
    fs::remove_file(tree::new_files(&home.maildir("a")).remove(3)).unwrap();
    run(home, &["fetch", "--delete", "b"], 0);
    assert_eq!(scene.maildrop.count(), 0);
    assert_eq!(tree::count(&home.maildir("b")), 1);
}

#[test]
fn an_account_whose_state_was_moved_away_goes_on_by_itself_in_each_later_run() {
    let scene = Scene::new(Other::Port, false);
    let home = &scene.home;
    // Too few to be known as another account's.
    scene.maildrop.replace(mail(3));
    run(home, &["fetch", "a"], 0);
    run(home, &["state", "move", "a", "b"], 0);
    for name in ["a", "a", "a", "b", "b", "a"] {
        run(home, &["fetch", "--now", name], 0);
        scene.holds("a", 3);
    }
    scene.maildrop.add([letter(4)]);
    run(home, &["fetch", "--now", "a"], 0);
    scene.holds("a", 4);
}

#[test]
fn c3_as_new_fetches_all_of_it_once() {
    let scene = Scene::new(Other::Port, true);
    let home = &scene.home;
    run(home, &["fetch", "a"], 0);
    run(home, &["fetch", "b"], 78);
    run(home, &["fetch", "--as-new", "b"], 0);
    assert_eq!(retrieved(&scene.second), 20);
    scene.holds("b", 20);
    run(home, &["fetch", "b"], 0);
    assert_eq!(retrieved(&scene.second), 0);
    run(home, &["fetch", "a"], 0);
    scene.holds("a", 20);
    scene.holds("b", 20);
}

#[test]
fn c3_another_maildrop_of_the_same_host_is_fetched_without_a_word() {
    let scene = Scene::new(Other::Case, true);
    let home = &scene.home;
    run(home, &["fetch", "a"], 0);
    let others = (31..=50).map(letter).map(|it| super::named(it, "x"));
    // Servers that number from 1 give everybody's messages the same unique-ids.
    let alike = others
        .zip(1..)
        .map(|(it, n)| super::named(it, format!("uid-{n}")));
    scene.maildrop.replace(alike);
    run(home, &["fetch", "b"], 0);
    assert_eq!(retrieved(&scene.second), 20);
}

#[test]
fn c3_moving_twice_and_moving_back_keep_all() {
    let scene = Scene::new(Other::Port, false);
    let third = serving(&scene.maildrop, "ada", Behaviour::new());
    let home = &scene.home;
    let text = home.account_config("c", &third.account());
    let maildir = |name| format!("maildir = {:?}\n", home.maildir(name));
    let text = text.replace(&maildir("c"), &maildir("a"));
    home.config(&(scene.texts.concat() + &text));
    run(home, &["fetch", "a"], 0);
    for (old, new, server) in [
        ("a", "b", &scene.second),
        ("b", "c", &third),
        ("c", "a", &scene.first),
        ("a", "c", &third),
    ] {
        run(home, &["state", "move", old, new], 0);
        let next = scene.maildrop.count() + 1;
        scene.maildrop.add([letter(next)]);
        run(home, &["fetch", new], 0);
        assert_eq!(retrieved(server), 1, "{old} {new}");
        scene.holds("a", next);
    }
    fs::remove_dir_all(home.state()).unwrap();
    run(home, &["fetch", "c"], 0);
    assert_eq!(retrieved(&third), 0);
    run(home, &["fetch", "--delete", "c"], 0);
    assert_eq!(scene.maildrop.count(), 0);
}

#[test]
fn c3_both_memories_are_one_after_a_move() {
    let scene = Scene::new(Other::Port, true);
    let home = &scene.home;
    run(home, &["fetch", "a"], 0);
    scene.maildrop.replace((21..=40).map(letter));
    run(home, &["fetch", "b"], 0);
    scene.maildrop.replace(mail(41));
    run(home, &["state", "move", "a", "b"], 0);
    run(home, &["fetch", "b"], 0);
    assert_eq!(retrieved(&scene.second), 1);
    run(home, &["fetch", "--delete", "b"], 0);
    assert_eq!(scene.maildrop.count(), 0);
}

/// All files of the state but the locks' contents, which say when the last run was.
fn journals_of(home: &Home) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = saved(&home.state());
    files.retain(|(path, _)| path.extension().is_some_and(|end| end == "journal"));
    files.sort();
    files
}

#[test]
fn c3_a_move_that_makes_no_sense_is_refused_and_changes_nothing() {
    let scene = Scene::new(Other::Port, true);
    let home = &scene.home;
    let output = run(home, &["state", "move", "a", "b"], 78);
    assert_said(&output, &["no state to move", "hint: "]);
    run(home, &["fetch", "a"], 0);
    let before = journals_of(home);
    for (arguments, status) in [
        (&["a", "a"][..], 64),
        (&[scene.id().as_str(), "a"], 64),
        (&["b", "a"], 78),
        (&["nobody@localhost:995", "a"], 78),
        (&["nobody", "a"], 78),
        (&["a", "nobody"], 78),
    ] {
        let output = run(home, &[&["state", "move"][..], arguments].concat(), status);
        assert_said(&output, &["error: ", "hint: "]);
        assert_eq!(journals_of(home), before, "{arguments:?}");
    }
    // Damaged, on either side.
    scene.maildrop.replace((21..=40).map(letter));
    run(home, &["fetch", "b"], 0);
    let good = saved(&home.state());
    for place in [0, 1] {
        restore(&home.state(), &good);
        let path = &journals(home)[place];
        let mut octets = fs::read(path).unwrap();
        let middle = octets.len() / 2;
        octets[middle] ^= 0x04;
        fs::write(path, octets).unwrap();
        let before = journals_of(home);
        let output = home.popfetch(["state", "move", "a", "b"]).run();
        assert!([Some(65), Some(78)].contains(&output.status), "{output:#?}");
        assert_said(&output, &["damaged", "hint: "]);
        assert_eq!(journals_of(home), before);
    }
}

#[test]
fn what_is_asked_of_a_state_that_never_was_leaves_nothing_behind() {
    let (_server, home) = crate::given::plainly(1, Default::default());
    for (line, status) in [
        (
            &["state", "move", "nobody@nowhere.example:995", "a"][..],
            78,
        ),
        (&["state", "forget", "a", "--all"], 1),
        (&["state", "forget", "a", "17"], 1),
        (&["state", "accept", "a", "17"], 1),
    ] {
        run(&home, line, status);
        assert!(!home.state().exists(), "{line:?}");
    }
}

#[test]
fn a_message_that_is_not_remembered_is_named_beside_those_that_are() {
    for command in ["accept", "forget"] {
        let maildrop = Maildrop::new([super::named(letter(1), "k1")]);
        let server = serving(&maildrop, "ada", Behaviour::new());
        let home = Home::of(&server.account(), "");
        run(&home, &["fetch"], 0);
        let output = run(&home, &["state", command, "a", "nope", "k1"], 1);
        assert_said(
            &output,
            &["1 message ", "not remembered: nope", "state show a"],
        );
        assert!(!output.stderr.contains("k1"), "{output:#?}");
    }
}

#[test]
fn c3_neither_account_is_moved_while_a_run_holds_it() {
    let scene = Scene::new(Other::Port, true);
    let home = &scene.home;
    run(home, &["fetch", "a"], 0);
    scene.maildrop.replace((21..=40).map(letter));
    run(home, &["fetch", "b"], 0);
    let before = journals_of(home);
    for (path, _) in saved(&home.state()) {
        if path.extension().is_none_or(|end| end != "lock") {
            continue;
        }
        let file = fs::File::open(&path).unwrap();
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
        let output = run(home, &["state", "move", "a", "b"], 75);
        assert_said(&output, &["another popfetch holds this account"]);
        // Not by its end: what another test starts has a copy of it, for a moment.
        rustix::fs::flock(&file, rustix::fs::FlockOperation::Unlock).unwrap();
        assert_eq!(journals_of(home), before);
    }
    run(home, &["state", "move", "a", "b"], 0);
}

#[test]
fn c3_a_move_that_was_interrupted_is_made_again_and_nothing_comes_twice() {
    let scene = Scene::new(Other::Port, false);
    let home = &scene.home;
    run(home, &["fetch", "a"], 0);
    let before = journals_of(home);
    run(home, &["state", "move", "a", "b"], 0);
    // The power went before the old journal was put aside.
    for (path, octets) in &before {
        fs::write(path, octets).unwrap();
    }
    for _ in 0..2 {
        let output = home.popfetch(["state", "move", "a", "b"]).run();
        assert!([Some(0), Some(78)].contains(&output.status), "{output:#?}");
    }
    scene.maildrop.add([letter(21)]);
    run(home, &["fetch", "b"], 0);
    assert_eq!(retrieved(&scene.second), 1);
    run(home, &["fetch", "--delete", "b"], 0);
    assert_eq!(scene.maildrop.count(), 0);
    scene.holds("a", 21);
}
