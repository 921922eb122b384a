use std::fs;

use super::{ALL, Named, Scene};
use crate::given::{assert_said, letter, mail};
use crate::support::maildrop::Maildrop;
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
