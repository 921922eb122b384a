use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{letter, mail, retrieved};
use crate::given::{run, serving};
use crate::support::behaviour::Behaviour;
use crate::support::process::installed;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

fn fetched() -> (Server, Home) {
    let (server, home) = serving(mail(12), Behaviour::new());
    run(&home, &[], 0);
    (server, home)
}

/// Moves the files, as mail readers and other programs do, each in another way; some of them into
/// folders.
fn stir(maildir: &Path) {
    let additions: [&dyn Fn(u64) -> String; 6] = [
        &|_| ",U=1:2,S".into(),
        &|size| format!(",S={size},W={}:2,", size + 9),
        &|_| ":2,FRS".into(),
        &|size| format!(",S={size}:2,Sab"),
        &|_| ";2,S".into(),
        &|_| ",U=4".into(),
    ];
    let folders = ["", ".Archive", "Archive", ".Archive.2026", "Lists/rust", ""];
    let files = tree::new_files(maildir);
    assert_eq!(files.len(), 12);
    for (n, file) in files.iter().enumerate() {
        let folder = maildir.join(folders[n / 2]);
        for part in ["tmp", "new", "cur"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        let size = file.metadata().unwrap().len();
        let addition = additions[n % 6](size);
        let part = if addition.contains("2,") {
            "cur"
        } else {
            "new"
        };
        let name = file.file_name().unwrap().to_str().unwrap();
        fs::rename(file, folder.join(part).join(format!("{name}{addition}"))).unwrap();
    }
}

/// All that lies below, in new/ or cur/, however deep.
fn everywhere(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(everywhere(&path)),
            false => files.push(path),
        }
    }
    files.retain(|path| {
        !path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("popfetch-")
    });
    files
}

#[test]
fn c7_verify_finds_what_others_renamed_and_moved_into_folders() {
    let (_server, home) = fetched();
    stir(&home.maildir("a"));
    let output = run(&home, &["verify"], 0);
    assert_eq!(output.stderr, "a: 12 recorded messages: 12 intact\n");
}

#[test]
fn c7_a_state_that_is_made_again_finds_them_too() {
    let (server, home) = fetched();
    stir(&home.maildir("a"));
    fs::remove_dir_all(home.state()).unwrap();
    server.maildrop().add([letter(13)]);
    run(&home, &[], 0);
    assert_eq!(retrieved(&server), 1);
    assert_eq!(everywhere(&home.maildir("a")).len(), 13);
    let output = run(&home, &["verify"], 0);
    assert_eq!(output.stderr, "a: 13 recorded messages: 13 intact\n");
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn c7_a_recovery_finds_them_too() {
    let (server, home) = fetched();
    stir(&home.maildir("a"));
    super::restored::undo_the_end(&home);
    server.maildrop().add([letter(13)]);
    run(&home, &[], 0);
    assert_eq!(retrieved(&server), 1);
    assert_eq!(everywhere(&home.maildir("a")).len(), 13);
    let output = run(&home, &["verify"], 0);
    assert_eq!(output.stderr, "a: 13 recorded messages: 13 intact\n");
}

#[test]
fn c7_what_is_due_is_deleted_wherever_its_file_is() {
    let (server, home) = fetched();
    stir(&home.maildir("a"));
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!(server.maildrop().count(), 0);
    // A file that was cut in a folder is found, too.
    let (server, home) = fetched();
    stir(&home.maildir("a"));
    let file = fs::read_dir(home.maildir("a").join(".Archive/cur"))
        .unwrap()
        .next();
    fs::write(file.unwrap().unwrap().path(), "").unwrap();
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!(server.maildrop().count(), 1);
}

/// What a program prints of a Maildir of six messages, beside the file in its root.
fn read_by(program: &str, arguments: &[&str], files: &[(&str, &str)]) -> Option<String> {
    if !installed(program) {
        return None;
    }
    let (_server, home) = serving(mail(6), Behaviour::new());
    run(&home, &[], 0);
    let maildir = home.maildir("a");
    let roster = fs::read(maildir.join("popfetch-maildir")).unwrap();
    let here = |text: &str| text.replace("{maildir}", maildir.to_str().unwrap());
    for (name, text) in files {
        home.private_file(name, &here(text));
    }
    let mut command = Command::new(program);
    home.furnish(&mut command);
    let output = command
        .args(arguments.iter().map(|it| here(it)))
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).replace(maildir.to_str().unwrap(), "Mail");
    assert!(output.status.success(), "{text}");
    assert_eq!(
        fs::read(maildir.join("popfetch-maildir")).unwrap(),
        roster,
        "{text}"
    );
    run(&home, &["verify"], 0);
    Some(text)
}

#[test]
fn a2_the_file_in_the_maildirs_root_is_no_message_to_notmuch_and_mbsync() {
    let config = "[database]\npath={maildir}\n[user]\nname=Ada\nprimary_email=ada@example.com\n";
    let notmuch = [(".notmuch-config", config)];
    if let Some(text) = read_by("notmuch", &["new"], &notmuch) {
        assert!(text.contains("Added 6 new messages"), "{text}");
        assert!(
            text.contains("Ignoring non-mail file: Mail/popfetch-maildir"),
            "{text}"
        );
        assert!(!text.contains("rror"), "{text}");
    }
    let config = "MaildirStore near\nInbox {maildir}\n\nMaildirStore far\nPath {maildir}/../far/\n\
                  Inbox {maildir}/../far/INBOX\n\nChannel c\nFar :far:\nNear :near:\nPatterns INBOX\n\
                  Create Both\nSyncState *\n";
    // It makes no store where there is no directory.
    let mbsync = [("mbsyncrc", config), ("Mail/far/.keep", "")];
    if let Some(text) = read_by("mbsync", &["-V", "-c", "mbsyncrc", "c"], &mbsync) {
        assert!(text.contains("near side: 6 messages"), "{text}");
    }
}
