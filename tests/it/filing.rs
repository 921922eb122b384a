//! `file-mode`, `file-group`, `file-time` and `size-in-name`: how a message's file is made.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::given::{assert_said, letter, mail, plainly, run, serving};
use crate::support::behaviour::Behaviour;
use crate::support::message::Message;
use crate::support::process::installed;
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use crate::support::skip::is_root;
use crate::support::strace;
use crate::support::tracer::{self, End};
use crate::support::tree;

/// When [`letter`]s were sent, in seconds since 1970.
const SENT: i64 = 1_795_428_000;

const ALL: &str = "file-mode = \"0640\"\nfile-time = \"date\"\nsize-in-name = true\n";

fn with_keys(count: usize, keys: &str) -> (Server, Home) {
    let (server, home) = plainly(count, Behaviour::new());
    home.one_account(&server.account(), keys);
    (server, home)
}

/// The name says how long the file is, in new/ and in tmp/ alike or not at all.
#[track_caller]
fn assert_sized(maildir: &Path) {
    for file in tree::read(maildir) {
        let end = format!(",S={}", file.octets.len());
        let name = file.name.split(':').next().unwrap();
        assert!(name.ends_with(&end), "{}", file.name);
        assert_eq!(name.matches(",S=").count(), 1, "{}", file.name);
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

/// As a mail reader does with what it has seen.
fn read_all(maildir: &Path) {
    for path in tree::new_files(maildir) {
        let name = path.file_name().unwrap().to_str().unwrap();
        fs::rename(&path, maildir.join("cur").join(format!("{name}:2,S"))).unwrap();
    }
}

#[track_caller]
fn assert_nothing_new(server: &Server, home: &Home, count: usize) {
    run(home, &["fetch"], 0);
    assert_eq!(server.last_session().count("RETR"), 0);
    tree::assert_holds(&home.maildir("a"), &mail(count));
}

#[test]
fn without_these_keys_files_are_made_as_ever() {
    let (_server, home) = with_keys(2, "");
    let began = std::time::SystemTime::now() - std::time::Duration::from_secs(5);
    run(&home, &["fetch"], 0);
    for path in tree::new_files(&home.maildir("a")) {
        assert_eq!(mode(&path), 0o600);
        assert!(!path.to_str().unwrap().contains(','), "{path:?}");
        assert!(fs::metadata(&path).unwrap().modified().unwrap() >= began);
    }
}

#[test]
fn the_size_stands_in_the_name_and_every_command_finds_the_message_by_it() {
    let (server, home) = with_keys(3, "size-in-name = true\n");
    let output = run(&home, &["--format", "paths"], 0);
    let maildir = home.maildir("a");
    tree::assert_holds(&maildir, &mail(3));
    assert_sized(&maildir);
    let told: Vec<PathBuf> = output.stdout.lines().map(PathBuf::from).collect();
    let mut sorted = told.clone();
    sorted.sort();
    assert_eq!(sorted, tree::new_files(&maildir));
    assert_nothing_new(&server, &home, 3);
    let verified = run(&home, &["verify"], 0);
    assert!(!verified.stdout.contains("missing"), "{verified:#?}");
    let listed = run(&home, &["list"], 0);
    assert!(listed.stdout.contains("Letter 2"), "{listed:#?}");
    read_all(&maildir);
    assert_nothing_new(&server, &home, 3);
    run(&home, &["verify"], 0);
    // The files are looked for before anything is deleted.
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!(server.maildrop().count(), 0);
    tree::assert_holds(&maildir, &mail(3));
}

#[test]
fn a_file_of_another_length_than_its_name_tells_keeps_its_message_on_the_server() {
    let (server, home) = with_keys(2, "size-in-name = true\n");
    run(&home, &["fetch"], 0);
    let files = tree::new_files(&home.maildir("a"));
    fs::write(&files[0], "Subject: cut\n").unwrap();
    run(&home, &["verify"], 1);
    home.popfetch(["fetch", "--delete"]).run();
    assert_eq!(server.maildrop().count(), 1);
}

#[test]
fn a_lost_state_is_made_again_from_names_with_a_size_and_nothing_comes_twice() {
    for reads in [false, true] {
        let (server, home) = with_keys(4, ALL);
        run(&home, &["fetch"], 0);
        let maildir = home.maildir("a");
        if reads {
            read_all(&maildir);
        }
        fs::remove_dir_all(home.state()).unwrap();
        home.popfetch(["fetch"]).run();
        tree::assert_holds(&maildir, &mail(4));
        assert_eq!(server.last_session().count("RETR"), 0);
        run(&home, &["verify"], 0);
    }
}

#[test]
fn turning_the_keys_on_or_off_fetches_nothing_again_and_renames_nothing() {
    let (server, home) = with_keys(2, "");
    run(&home, &["fetch"], 0);
    for (keys, count) in [(ALL, 3), ("", 4), (ALL, 5)] {
        let before = tree::new_files(&home.maildir("a"));
        server.maildrop().add([letter(count)]);
        home.one_account(&server.account(), keys);
        run(&home, &["fetch"], 0);
        assert_eq!(server.last_session().count("RETR"), 1);
        let after = tree::new_files(&home.maildir("a"));
        assert!(before.iter().all(|path| after.contains(path)), "{after:?}");
        let new = after.iter().find(|path| !before.contains(path)).unwrap();
        let is_sized = new.to_str().unwrap().contains(",S=");
        assert_eq!((is_sized, mode(new) == 0o640), (keys == ALL, keys == ALL));
        assert_nothing_new(&server, &home, count);
    }
    run(&home, &["verify"], 0);
}

#[test]
fn what_a_kill_leaves_in_tmp_is_placed_as_it_was_to_be_whatever_the_config_says_by_then() {
    for (number, keys) in [(0, ALL), (0, ""), (2, ALL), (2, ""), (3, ALL)] {
        let (server, home) = with_keys(4, ALL);
        let Some(end) = tracer::kill_at_rename(&home, number) else {
            return;
        };
        assert!(matches!(end, End::Killed(_)), "{number}");
        let maildir = home.maildir("a");
        assert_eq!(tree::new_files(&maildir).len(), number);
        home.one_account(&server.account(), keys);
        run(&home, &["fetch"], 0);
        assert_eq!(server.last_session().count("RETR"), 0, "{number}");
        tree::assert_holds(&maildir, &mail(4));
        assert_sized(&maildir);
        for path in tree::new_files(&maildir) {
            assert_eq!(mode(&path), 0o640, "{path:?}");
            assert_eq!(fs::metadata(&path).unwrap().mtime(), SENT, "{path:?}");
        }
        assert_nothing_new(&server, &home, 4);
        run(&home, &["verify"], 0);
    }
}

#[test]
fn files_have_the_mode_that_is_asked_for_and_new_directories_what_follows_from_it() {
    for (asked, file, directory) in [
        ("0600", 0o600, 0o700),
        ("0640", 0o640, 0o750),
        ("640", 0o640, 0o750),
        ("0660", 0o660, 0o750),
        ("0644", 0o644, 0o755),
        ("0620", 0o620, 0o700),
    ] {
        let (_server, home) = with_keys(2, &format!("file-mode = \"{asked}\"\n{RULE}"));
        run(&home, &["fetch"], 0);
        let maildir = home.maildir("a");
        let two = maildir.join(".Two");
        let files = [tree::new_files(&maildir), tree::new_files(&two)].concat();
        assert_eq!(files.len(), 2, "{files:?}");
        for path in files {
            assert_eq!(mode(&path), file, "{asked}: {path:?}");
        }
        for path in [&maildir, &two] {
            for path in ["", "tmp", "new", "cur"].map(|part| path.join(part)) {
                assert_eq!(mode(&path), directory, "{asked}: {path:?}");
            }
        }
        // What is above it may have other mail in it, and what is ours stays ours.
        assert_eq!(mode(maildir.parent().unwrap()), 0o700);
        let own = fs::read_dir(&maildir).unwrap().map(|it| it.unwrap().path());
        for own in own.filter(|path| path.is_file()) {
            assert_eq!(mode(&own), 0o600, "{own:?}");
        }
        run(&home, &["fetch"], 0);
        run(&home, &["verify"], 0);
    }
}

/// The second letter goes to a folder.
const RULE: &str = "[[accounts.a.rules]]\nsubject = \"Letter 2\"\nthen = { folder = \".Two\" }\n";

#[test]
fn directories_that_are_there_keep_their_modes() {
    let (_server, home) = with_keys(1, "file-mode = \"0644\"\n");
    let maildir = home.maildir("a");
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(maildir.join(part)).unwrap();
        fs::set_permissions(maildir.join(part), fs::Permissions::from_mode(0o700)).unwrap();
    }
    run(&home, &["fetch"], 0);
    for part in ["tmp", "new", "cur"] {
        assert_eq!(mode(&maildir.join(part)), 0o700);
    }
    assert_eq!(mode(&tree::new_files(&maildir)[0]), 0o644);
}

#[test]
fn files_and_new_directories_have_the_group_that_is_asked_for_by_name_or_number() {
    // Root may give to any; everybody else to their own.
    let groups = rustix::process::getgroups().unwrap();
    let own = rustix::process::getegid();
    let other = groups.into_iter().find(|group| *group != own);
    let number = match is_root() {
        true => 4_242,
        false => other.unwrap_or(own).as_raw(),
    };
    let known = fs::read_to_string("/etc/group").unwrap();
    let named = known.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?.parse::<u32>().ok()?);
        (is_root() && name != "root" || id == number).then(|| (format!("\"{name}\""), id))
    });
    let mut ways = vec![
        (number.to_string(), number),
        (format!("\"{number}\""), number),
    ];
    ways.extend(named);
    for (way, id) in ways {
        let (_server, home) = with_keys(1, &format!("file-mode = \"0640\"\nfile-group = {way}\n"));
        run(&home, &["fetch"], 0);
        let maildir = home.maildir("a");
        let file = tree::new_files(&maildir).remove(0);
        assert_eq!(
            (mode(&file), fs::metadata(&file).unwrap().gid()),
            (0o640, id),
            "{way}"
        );
        for part in ["", "tmp", "new", "cur"] {
            let found = fs::metadata(maildir.join(part)).unwrap();
            assert_eq!(
                (found.gid(), found.mode() & 0o7777),
                (id, 0o750),
                "{way}: {part}"
            );
        }
        assert_eq!(
            fs::metadata(maildir.parent().unwrap()).unwrap().gid(),
            own.as_raw()
        );
    }
}

/// Runs it as somebody who is in no group but their own.
fn run_as_anybody(home: &Home, arguments: &[&str]) -> Output {
    if !is_root() {
        return home.popfetch(arguments).run();
    }
    let mut waiting = vec![home.path().to_owned()];
    while let Some(path) = waiting.pop() {
        chown(&path, Some(65534), Some(65534)).unwrap();
        if path.is_dir() && !path.is_symlink() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|it| it.unwrap().path()));
        }
    }
    let options = ["--reuid=65534", "--regid=65534", "--clear-groups", "--"];
    home.popfetch_under("setpriv", &options, arguments).run()
}

#[test]
fn a_group_that_one_is_no_member_of_ends_the_run_before_it_connects_and_says_so() {
    if is_root() && !installed("setpriv") {
        return;
    }
    for (group, words) in [
        ("4242", ["you are not a member of it", "usermod -aG 4242"]),
        (
            "\"no-such-group\"",
            [
                "there is no group `no-such-group` on this machine",
                "/etc/group",
            ],
        ),
    ] {
        let (server, home) = with_keys(1, &format!("file-mode = \"0640\"\nfile-group = {group}\n"));
        for arguments in [
            &["fetch"][..],
            &["fetch", "--dry-run"],
            &["account", "test"],
        ] {
            let output = run_as_anybody(&home, arguments);
            assert_ne!(output.status, Some(0), "{arguments:?}: {output:#?}");
            let said = format!("{}{}", output.stdout, output.stderr);
            let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
            for word in words {
                assert!(said.contains(word), "{arguments:?}: no {word:?} in {said}");
            }
            if arguments[0] == "fetch" {
                assert_eq!(output.status, Some(78), "{output:#?}");
                assert_eq!(server.sessions().len(), 0, "{arguments:?}");
            }
        }
        assert_eq!(tree::count(&home.maildir("a")), 0);
        assert!(!home.maildir("a").exists());
    }
}

#[test]
fn the_time_of_a_file_is_when_its_message_was_sent_as_far_as_that_can_be() {
    let received = "Received: by mx.example.org; Mon, 23 Nov 2026 10:00:01 +0000\n";
    let message = |id: &str, header: &str| {
        Message::from_lf(id, format!("{header}Subject: {id}\n\nThis is {id}.\n"))
    };
    let messages = vec![
        message(
            "dated",
            &format!("{received}Date: Mon, 23 Nov 2026 10:00:00 +0000\n"),
        ),
        message("undated", received),
        message(
            "early",
            &format!("{received}Date: Thu, 1 Jan 1970 00:00:00 +0000\n"),
        ),
        message(
            "late",
            &format!("{received}Date: Fri, 1 Jan 2100 00:00:00 +0000\n"),
        ),
        message("neither", ""),
        // Nothing of the body is a date.
        Message::from_lf(
            "body",
            "Subject: body\n\nDate: Mon, 23 Nov 2026 10:00:00 +0000\n",
        ),
    ];
    let (server, home) = serving(messages.clone(), Behaviour::new());
    home.one_account(&server.account(), "file-time = \"date\"\n");
    let before = tree_time();
    run(&home, &["fetch"], 0);
    let maildir = home.maildir("a");
    tree::assert_holds(&maildir, &messages);
    for path in tree::new_files(&maildir) {
        let text = fs::read_to_string(&path).unwrap();
        let found = fs::metadata(&path).unwrap();
        let is = |id: &str| text.contains(&format!("Subject: {id}\n"));
        match () {
            () if is("dated") => assert_eq!((found.mtime(), found.mtime_nsec()), (SENT, 0)),
            () if is("neither") || is("body") => assert!(found.mtime() >= before, "{text}"),
            () => assert_eq!(found.mtime(), SENT + 1, "{text}"),
        }
        assert_eq!(mode(&path), 0o600);
    }
    run(&home, &["verify"], 0);
}

/// Now, by the clock of the file system, in seconds since 1970, and a bit before.
fn tree_time() -> i64 {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap() - 2
}

#[test]
fn mode_group_and_time_are_there_before_the_sync_that_makes_them_durable() {
    if !installed("strace") {
        return;
    }
    let group = rustix::process::getegid().as_raw();
    let (_server, home) = with_keys(1, &format!("{ALL}file-group = {group}\n"));
    let trace = home.path().join("trace");
    const CALLS: &str = "fchown,fchmod,utimensat,fsync,fdatasync,renameat2,rename,renameat";
    strace::traced(&home, &trace, CALLS, &["fetch"]).expect(0);
    let tmp = home.maildir("a").join("tmp");
    let tmp = format!("{}/", tmp.to_str().unwrap());
    let calls = strace::calls(&fs::read_to_string(trace).unwrap());
    let of_file = calls.iter().filter(|call| call.text.contains(&tmp));
    let order: Vec<&str> = of_file.map(|call| call.name.as_str()).collect();
    assert_eq!(order, ["fchown", "fchmod", "utimensat", "fsync"], "{tmp}");
}

#[test]
fn values_that_make_no_sense_are_refused_and_it_is_said_why() {
    let (server, home) = with_keys(1, "");
    for (keys, words) in [
        ("file-mode = 640", "octal digits and quotes"),
        ("file-mode = 0o640", "octal digits and quotes"),
        ("file-mode = \"rw-r-----\"", "octal digits and quotes"),
        ("file-mode = \"0750\"", "not to be executed"),
        ("file-mode = \"0440\"", "the mode begins with 6"),
        ("file-mode = \"0666\"", "anyone could change the mail"),
        ("file-mode = \"2640\"", "set-group-ID"),
        ("file-group = \"\"", "a group's name"),
        ("file-group = -1", "a group's name"),
        ("file-group = 4294967295", "too large"),
        ("file-group = true", "a group's name"),
        ("file-time = \"sent\"", "received"),
        ("size-in-name = \"yes\"", "true or false"),
    ] {
        home.one_account(&server.account(), &format!("{keys}\n"));
        let output = run(&home, &["fetch"], 78);
        let said = output
            .stderr
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(said.contains(words), "{keys}: {said}");
    }
    assert_eq!(server.sessions().len(), 0);
}

#[test]
fn account_show_says_what_is_asked_for_and_nothing_where_it_is_as_ever() {
    let (server, home) = with_keys(1, "");
    let shown = run(&home, &["account", "show", "a"], 0).stdout;
    for key in ["file-mode", "file-group", "file-time", "size-in-name"] {
        assert!(!shown.contains(key), "{shown}");
    }
    home.one_account(&server.account(), &format!("{ALL}file-group = \"mail\"\n"));
    let shown = run(&home, &["account", "show", "a"], 0).stdout;
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in [
        "file-mode 0640",
        "file-group mail",
        "file-time date",
        "size-in-name true",
    ] {
        assert!(words(&shown).contains(line), "{line}: {shown}");
    }
    let json = run(&home, &["--format", "json", "account", "show", "a"], 0).stdout;
    for field in [
        "\"file_mode\":\"0640\"",
        "\"file_group\":\"mail\"",
        "\"file_time\":\"date\"",
        "\"size_in_name\":true",
    ] {
        assert!(json.contains(field), "{field}: {json}");
    }
}

#[test]
fn the_defaults_hold_for_every_account_and_what_only_passes_through_is_as_ever() {
    let (server, home) = plainly(2, Behaviour::new());
    let account = home.account_config("a", &server.account());
    let lines = account.lines().filter(|line| !line.starts_with("maildir"));
    let account: String = lines.map(|line| format!("{line}\n")).collect();
    home.config(&format!(
        "[defaults]\n{ALL}file-group = \"no-such-group\"\n{account}deliver = {{ mbox = \"~/mbox\" }}\n"
    ));
    run(&home, &["fetch"], 0);
    let mbox = fs::read_to_string(home.path().join("mbox")).unwrap();
    assert_eq!(mbox.matches("Subject: Letter").count(), 2, "{mbox}");
    let output = run(&home, &["fetch"], 0);
    assert_said(&output, &["nothing new"]);
    home.config(&format!(
        "[defaults]\n{ALL}{account}maildir = \"~/Mail/b\"\n"
    ));
    server.maildrop().add([letter(3)]);
    run(&home, &["fetch"], 0);
    assert_sized(&home.maildir("b"));
}
