use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::{Named, Scene};
use crate::given::{assert_said, mail};
use crate::support::maildrop::Maildrop;
use crate::support::server::Server;
use crate::support::tree;

fn scene() -> Scene {
    Scene::new(Server::start(&Maildrop::new(mail(2))), Named::Config)
}

#[test]
fn hint_a_state_directory_that_others_can_write_to_is_closed_by_the_command_of_the_hint() {
    for (mode, command) in [(0o770, "chmod g-w"), (0o707, "chmod o-w")] {
        let scene = scene();
        fs::create_dir_all(scene.home.state()).unwrap();
        fs::set_permissions(scene.home.state(), fs::Permissions::from_mode(mode)).unwrap();
        let told = scene.fetch(78);
        let closed = scene.follow(&told, command);
        assert_eq!(closed.status, Some(0), "{closed:#?}");
        scene.fetch(0);
    }
}

#[test]
fn hint_a_file_in_the_place_of_a_directory_is_named() {
    let scene = scene();
    let state = scene.home.path().join("state");
    fs::write(&state, "").unwrap();
    let told = scene.fetch(74);
    let said = format!(
        "{} is a file and no directory: move it away",
        state.display()
    );
    assert_said(&told, &[&said]);
    fs::remove_file(&state).unwrap();
    fs::create_dir_all(&scene.maildir).unwrap();
    for part in ["cur", "new"] {
        fs::create_dir(scene.maildir.join(part)).unwrap();
    }
    fs::write(scene.maildir.join("tmp"), "").unwrap();
    let told = scene.fetch(73);
    assert_said(&told, &["/tmp' is a file and no directory: move it away"]);
    fs::remove_file(scene.maildir.join("tmp")).unwrap();
    fs::write(scene.maildir.join("cur/of another program"), "").unwrap();
    // Now it is a part of one, and the hint has the command that makes it whole.
    let told = scene.fetch(78);
    let made = scene.follow(&told, "mkdir -p");
    assert_eq!(made.status, Some(0), "{made:#?}");
    scene.fetch(0);
    assert_eq!(tree::count(&scene.maildir), 3);
}

#[test]
fn hint_what_is_in_the_way_of_the_maildirs_own_file_is_named_and_not_the_maildir() {
    for before in [false, true] {
        for kind in ["a link", "a directory"] {
            let scene = scene();
            if before {
                scene.fetch(0);
            } else {
                for part in ["tmp", "new", "cur"] {
                    fs::create_dir_all(scene.maildir.join(part)).unwrap();
                }
            }
            let file = scene.maildir.join("popfetch-maildir");
            let kept = scene.home.path().join("kept");
            let _none_yet = fs::rename(&file, &kept);
            match kind {
                "a link" => symlink("elsewhere", &file).unwrap(),
                _ => fs::create_dir(&file).unwrap(),
            }
            let output = scene.fetch(73);
            assert_said(&output, &["popfetch-maildir"]);
            // Done as it says, the mail is where it was, and comes once.
            fs::rename(&file, scene.home.path().join("away")).unwrap();
            let _none_yet = fs::rename(&kept, &file);
            scene.fetch(0);
            assert_eq!(tree::count(&scene.maildir), 2);
        }
    }
}

#[test]
fn hint_whoever_holds_an_account_is_named_with_what_ends_it() {
    let scene = scene();
    scene.fetch(0);
    let lock = fs::read_dir(scene.home.state()).unwrap();
    let lock = lock.map(|entry| entry.unwrap().path());
    let lock = lock.filter(|path| path.extension().is_some_and(|it| it == "lock"));
    let lock = lock.last().unwrap();
    let lock = fs::File::options()
        .read(true)
        .write(true)
        .open(lock)
        .unwrap();
    lock.lock().unwrap();
    let told = scene.fetch(75);
    assert_said(
        &told,
        &[
            "another popfetch holds this account",
            "hint: wait until it is done",
        ],
    );
    // What another test starts just now may hold the file open for a moment longer.
    lock.unlock().unwrap();
    scene.fetch(0);
}

#[test]
fn hint_a_damaged_journal_is_made_again_once_the_maildir_that_cannot_be_read_is_mended() {
    let scene = scene();
    scene.fetch(0);
    // It delivers to another one now, and the first one cannot be read.
    let first = scene.maildir.join("new");
    let kept = scene.maildir.join("kept");
    let second = scene.home.path().join("Mail/second");
    scene.configure(&format!("[defaults]\nmaildir = {second:?}\n"));
    let config = fs::read_to_string(scene.home.path().join("other place/popfetch.toml")).unwrap();
    let own = format!("maildir = {:?}\n", scene.maildir);
    let config = config.replacen(&own, "", 1);
    scene
        .home
        .private_file("other place/popfetch.toml", &config);
    scene.fetch(0);
    let journal = fs::read_dir(scene.home.state()).unwrap();
    let mut paths = journal.map(|entry| entry.unwrap().path());
    let journal = paths.find(|path| path.extension().is_some_and(|it| it == "journal"));
    let journal = journal.unwrap();
    let mut octets = fs::read(&journal).unwrap();
    let middle = octets.len() / 2;
    octets[middle] ^= 4;
    fs::write(&journal, octets).unwrap();
    fs::rename(&first, &kept).unwrap();
    symlink("new", &first).unwrap();
    let told = scene.fetch(65);
    assert_said(&told, &["mend the Maildir first", "in the box"]);
    // Done, and nothing comes twice.
    fs::remove_file(&first).unwrap();
    fs::rename(&kept, &first).unwrap();
    scene.fetch(0);
    assert_eq!(tree::count(&scene.maildir), 2);
    assert_eq!(tree::count(&second), 0);
}
