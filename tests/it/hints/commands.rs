use std::fs;

use super::{ALL, Named, Scene};
use crate::given::{assert_said, letter, mail};
use crate::support::maildrop::Maildrop;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

fn scenes() -> impl Iterator<Item = Scene> {
    let of = |named| Scene::new(Server::start(&Maildrop::new(mail(3))), named);
    ALL.into_iter().map(of)
}

#[test]
fn hint_a_maildir_that_is_gone_can_be_taken_as_it_is() {
    for scene in scenes() {
        scene.fetch(0);
        fs::remove_dir_all(&scene.maildir).unwrap();
        let told = scene.fetch(73);
        let decided = scene.follow(&told, "popfetch state accept");
        assert_eq!(decided.status, Some(0), "{decided:#?}");
        scene.fetch(0);
        assert_eq!(tree::count(&scene.maildir), 3, "{:?}", scene.named);
    }
}

#[test]
fn hint_a_maildir_that_is_gone_can_be_fetched_anew() {
    for scene in scenes() {
        scene.fetch(0);
        fs::remove_dir_all(&scene.maildir).unwrap();
        let told = scene.fetch(73);
        let forgotten = scene.follow(&told, "popfetch state forget");
        assert_eq!(forgotten.status, Some(0), "{forgotten:#?}");
        scene.fetch(0);
        assert_eq!(tree::count(&scene.maildir), 3, "{:?}", scene.named);
    }
}

#[test]
fn hint_what_verify_misses_can_be_accepted_or_fetched_again() {
    for scene in scenes() {
        scene.fetch(0);
        fs::remove_file(tree::new_files(&scene.maildir).remove(0)).unwrap();
        // Without its own file it is not known to be the Maildir.
        fs::remove_file(scene.maildir.join("popfetch-maildir")).unwrap();
        let told = scene.run(&["verify"]);
        assert_eq!(told.status, Some(1), "{told:#?}");
        let accepted = scene.follow(&told, "popfetch state accept");
        assert_eq!(accepted.status, Some(0), "{accepted:#?}");
        fs::write(tree::new_files(&scene.maildir).remove(0), "cut").unwrap();
        let told = scene.run(&["verify"]);
        let unknown = scene.follow(&told, "popfetch state forget");
        assert_eq!(unknown.status, Some(1), "UNIQUE-ID is none: {unknown:#?}");
        let shown = scene.follow(&unknown, "popfetch state show");
        assert_eq!(shown.status, Some(0), "{shown:#?}");
        assert!(shown.stdout.contains("uid-2"), "{shown:#?}");
    }
}

#[test]
fn hint_a_maildrop_with_another_name_is_moved_or_fetched_as_new() {
    for way in ["popfetch state move", "popfetch fetch --as-new"] {
        for named in ALL {
            let maildrop = Maildrop::new(mail(12));
            let former = Scene::new(Server::start(&maildrop), Named::Usual);
            former.fetch(0);
            let server = Server::start(&maildrop);
            let scene = Scene {
                server,
                home: former.home,
                named,
                maildir: former.maildir.with_file_name("the other"),
            };
            scene.configure("");
            let told = scene.fetch(78);
            let done = scene.follow(&told, way);
            assert_eq!(done.status, Some(0), "{named:?} {done:#?}");
            scene.server.maildrop().add([letter(13)]);
            scene.fetch(0);
            let here = if way.ends_with("new") { 13 } else { 1 };
            assert_eq!(tree::count(&scene.maildir), here, "{named:?} {way}");
        }
    }
}

#[test]
fn hint_a_refused_password_is_told_with_the_place_that_it_is_from() {
    for scene in scenes() {
        if scene.named == Named::Url {
            continue;
        }
        let file = scene.home.path().join("a.password");
        fs::write(&file, "wrong\n").unwrap();
        let told = scene.fetch(77);
        assert_said(&told, &["check user and password", file.to_str().unwrap()]);
        let again = scene.fetch(77);
        assert_said(
            &again,
            &["not tried", "a changed password is tried at once"],
        );
        assert!(!again.stderr.contains("login"), "{again:#?}");
        scene.configure("");
        // What is remembered of a password may be the same of another one.
        let output = scene.run(&["fetch", "--now"]);
        assert_eq!(output.status, Some(0), "{output:#?}");
    }
}

/// `--config` and its file stand in what is told to be typed.
#[test]
fn hint_words_of_other_tools_below_a_command_lead_to_ours_and_name_the_config_file() {
    let home = Home::new();
    home.private_file(
        "other.toml",
        "[accounts.work]\nhost = \"h\"\nuser = \"u\"\n",
    );
    for (line, hint) in [
        (&["account", "add"][..], "that is popfetch setup"),
        (
            &["account", "rm", "work"],
            "that is popfetch account remove ACCOUNT",
        ),
        (&["account", "check"], "that is popfetch account test"),
        (
            &["state", "reset", "work"],
            "that is popfetch state forget ACCOUNT --all",
        ),
        (
            &["password", "store", "work"],
            "that is popfetch password set ACCOUNT",
        ),
        (
            &["state", "forget", "work"],
            "popfetch state forget ACCOUNT --all",
        ),
    ] {
        let output = home.popfetch(line).expect(64);
        assert_said(&output, &[hint]);
        let output = home
            .popfetch(["--config", "other.toml"].iter().chain(line))
            .expect(64);
        assert_said(&output, &[&format!("{hint} --config other.toml")]);
    }
}

#[test]
fn hint_a_directory_named_as_the_config_file_leads_to_the_file() {
    let home = Home::new();
    let output = home.popfetch(["fetch", "--config", "/"]).expect(78);
    assert_said(
        &output,
        &[
            "/ is a directory, and no config file",
            "name the file in it",
        ],
    );
    fs::create_dir_all(home.path().join("etc")).unwrap();
    home.private_file(
        "etc/config.toml",
        "[accounts.work]\nhost = \"h\"\nuser = \"u\"\n",
    );
    let output = home
        .popfetch(["account", "list", "--config", "etc"])
        .expect(78);
    assert_said(&output, &["name the file in it: --config etc/config.toml"]);
    home.popfetch(["account", "list", "--config", "etc/config.toml"])
        .expect(0);
}

#[test]
fn hint_a_password_that_no_keyring_can_keep_is_not_told_to_come_in_by_a_pipe() {
    let home = Home::new();
    home.config("[accounts.work]\nhost = \"h\"\nuser = \"u\"\n");
    for command in ["set", "remove"] {
        let output = home
            .popfetch(["password", command, "work"])
            .stdin("x\n")
            .expect(77);
        assert_said(&output, &["`password-file`"]);
        assert!(!output.stderr.contains("--password-stdin"), "{output:#?}");
    }
}

#[test]
fn hint_without_a_config_file_a_list_names_the_maildir_that_it_can_read() {
    let home = Home::new();
    let output = home.popfetch(["list"]).expect(78);
    assert_said(&output, &["popfetch list --maildir"]);
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(home.path().join("box").join(part)).unwrap();
    }
    home.popfetch(["list", "--maildir", "box"]).expect(0);
    let output = home.popfetch(["list", "--maildir", "bax"]).expect(73);
    assert_said(&output, &["the directory that has new and cur in it"]);
}

#[test]
fn hint_an_account_with_nearly_this_name_is_offered_wherever_one_is_named() {
    let home = Home::new();
    home.config("[accounts.work]\nhost = \"h\"\nuser = \"u\"\n");
    for line in [
        &["fetch", "wrok"][..],
        &["list", "wrok"],
        &["verify", "wrok"],
        &["account", "remove", "wrok"],
        &["account", "show", "wrok"],
        &["state", "forget", "wrok", "--all"],
    ] {
        let output = home.popfetch(line).expect(78);
        assert_said(
            &output,
            &["there is no account `wrok`", "did you mean `work`?"],
        );
    }
    let output = home.popfetch(["fetch", "ada@pop.example.com"]).expect(78);
    assert_said(
        &output,
        &["popfetch pops://ada@pop.example.com --maildir DIR"],
    );
}

#[test]
fn hint_numbers_of_the_last_list_are_named_and_a_new_list_is_made_of_the_same_file() {
    let scene = Scene::new(Server::start(&Maildrop::new(mail(2))), Named::Config);
    scene.fetch(0);
    let none = scene.run_alone(&["show", "1"]);
    assert_said(
        &none,
        &["there is none; to make one: popfetch list --config"],
    );
    assert_eq!(scene.follow(&none, "popfetch list").status, Some(0));
    let beyond = scene.run_alone(&["show", "3"]);
    assert_eq!(beyond.status, Some(1), "{beyond:#?}");
    assert_said(&beyond, &["its numbers are 1 to 2"]);
    fs::remove_file(tree::new_files(&scene.maildir).remove(1)).unwrap();
    fs::remove_file(tree::new_files(&scene.maildir).remove(0)).unwrap();
    let moved = scene.run_alone(&["show", "1"]);
    assert_eq!(moved.status, Some(1), "{moved:#?}");
    let listed = scene.follow(&moved, "popfetch list");
    assert_eq!(listed.status, Some(0), "{listed:#?}");
    assert_said(&moved, &["--all-folders"]);
}

/// Whoever has nothing yet is told how to begin, whatever was typed.
#[test]
fn hint_without_a_config_file_every_command_that_needs_one_leads_to_setup_first() {
    let home = Home::new();
    for line in [
        "",
        "-n",
        "fetch",
        "fetch work",
        "check",
        "watch",
        "list",
        "verify",
        "verify work",
        "account list",
        "account show work",
        "account test",
        "account remove work",
        "state show work",
        "state mark-seen work",
        "state forget work --all",
        "state accept work",
        "state move work home",
        "login work",
        "password set work",
        "password remove work",
    ] {
        let told = home.popfetch(line.split_whitespace()).expect(78);
        assert_said(&told, &["there is no account to work with"]);
        assert_said(&told, &["hint: popfetch setup "]);
    }
    let told = home.popfetch(["show", "1"]).expect(1);
    assert_said(&told, &["hint: popfetch setup ", "popfetch list --maildir"]);
    // One that is named, and is not there, is another matter.
    for line in ["fetch", "show 1", "account remove work"] {
        let line = format!("{line} --config none.toml");
        let told = home.popfetch(line.split_whitespace()).run();
        assert!(!told.stderr.contains("popfetch setup"), "{told:#?}");
    }
}
