use std::os::unix::fs::{PermissionsExt, symlink};

use super::{letter, mail, named, retrieved};
use crate::given::{assert_said, run, serving};
use crate::support::behaviour::Behaviour;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

/// Messages with unique-ids that look alike to whoever compares them carelessly.
fn alike() -> Vec<Message> {
    let long = "u".repeat(320);
    let ids: [&[u8]; 10] = [
        &[long.as_bytes(), b"1"].concat(),
        &[long.as_bytes(), b"2"].concat(),
        &long.as_bytes()[..300],
        b"a\xffb",
        b"a\\xffb",
        "caf\u{e9}".as_bytes(),
        b"caf\xe9",
        b"-v",
        b"$HOME;'`id`",
        b"--all",
    ];
    let ids = ids.into_iter().zip(1..);
    ids.map(|(id, n)| named(letter(n), id)).collect()
}

/// The unique-ids as the table of `state show` has them.
fn shown(home: &Home) -> Vec<String> {
    let output = run(home, &["state", "show", "a"], 0);
    let lines = output.stdout.lines();
    let rows = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.map(|row| row[row.len() - 2].to_owned()).collect()
}

fn fetched() -> (Server, Home) {
    let (server, home) = serving(alike(), Behaviour::new());
    run(&home, &[], 0);
    (server, home)
}

#[test]
fn j_state_forget_forgets_the_message_that_is_named_and_no_other() {
    let (server, home) = fetched();
    let ids = shown(&home);
    assert_eq!(ids.len(), 10);
    for (n, id) in ids.iter().enumerate() {
        let output = run(&home, &["state", "forget", "a", "--", id], 0);
        assert_said(&output, &["1 message forgotten"]);
        run(&home, &[], 0);
        assert_eq!(retrieved(&server), 1, "{id}");
        let copies: Vec<Message> = alike()[..=n].to_vec();
        tree::assert_holds(&home.maildir("a"), &[alike(), copies].concat());
    }
}

#[test]
fn j_state_accept_takes_the_same_unique_ids_and_the_hint_has_them_whole() {
    for n in 0..10 {
        let (server, home) = fetched();
        let file = tree::new_files(&home.maildir("a"))
            .into_iter()
            .find(|file| std::fs::read(file).unwrap() == alike()[n].stored());
        std::fs::write(file.unwrap(), "").unwrap();
        let output = run(&home, &["fetch", "--delete"], 0);
        assert_eq!(server.maildrop().count(), 1, "{n}");
        // As a shell reads it.
        let (_, hint) = output
            .stderr
            .split_once("If that is as it should be: popfetch ")
            .unwrap();
        let hint = hint.lines().next().unwrap();
        let words = std::process::Command::new("sh")
            .args(["-c", &format!("printf '%s\\n' {hint}")])
            .output()
            .unwrap();
        let words = String::from_utf8(words.stdout).unwrap();
        let words: Vec<&str> = words.lines().collect();
        let output = run(&home, &words, 0);
        assert_said(&output, &["1 message accepted"]);
        run(&home, &["fetch", "--delete"], 0);
        assert_eq!(server.maildrop().count(), 0, "{hint}");
    }
}

#[test]
fn j_a_maildir_that_is_a_link_to_one_works_now_and_later() {
    let (server, home) = serving(mail(12), Behaviour::new());
    let disk = home.path().join("disk");
    std::fs::create_dir_all(disk.join("mail")).unwrap();
    std::fs::create_dir_all(home.path().join("Mail")).unwrap();
    symlink(disk.join("mail"), home.maildir("a")).unwrap();
    run(&home, &[], 0);
    tree::assert_holds(&disk.join("mail"), &mail(12));
    run(&home, &["verify"], 0);
    // By its own path, too, it is the same Maildir.
    let text = std::fs::read_to_string(home.config_file()).unwrap();
    let link = format!("maildir = {:?}", home.maildir("a"));
    home.config(&text.replace(&link, &format!("maildir = {:?}", disk.join("mail"))));
    server.maildrop().add([letter(13)]);
    let output = run(&home, &["fetch"], 0);
    assert!(!output.stderr.contains("stays where it is"), "{output:#?}");
    home.config(&text);
    std::fs::remove_dir_all(home.state()).unwrap();
    run(&home, &["fetch"], 0);
    assert_eq!(retrieved(&server), 0);
    tree::assert_holds(&disk.join("mail"), &mail(13));
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn j_a_state_directory_that_a_group_may_write_to_is_refused_with_a_hint_that_helps() {
    for mode in [0o770, 0o720, 0o2770] {
        let (server, home) = serving(mail(3), Behaviour::new());
        run(&home, &[], 0);
        let set = |mode| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(home.state(), mode).unwrap();
        };
        set(mode);
        for arguments in [&["fetch"][..], &["state", "forget", "a", "uid-1"]] {
            let output = run(&home, arguments, 78);
            assert_said(&output, &["a group can write to it (chmod g-w)", "hint: "]);
            assert_said(&output, &[home.state().to_str().unwrap()]);
        }
        assert_eq!(server.sessions().len(), 1, "it connected");
        // As told.
        set(mode & !0o020);
        run(&home, &["fetch"], 0);
        assert_eq!(retrieved(&server), 0);
    }
}
