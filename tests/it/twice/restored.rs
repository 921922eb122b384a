use std::fs;
use std::path::Path;

use super::{configure, letter, mail, restore, retrieved, saved, told};
use crate::given::{run, serving};
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::journal::rewrite;
use crate::support::maildrop::Maildrop;
use crate::support::process::installed;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::strace::{self, Call, calls};
use crate::support::tree;
use crate::support::wire::Ending;

/// How many messages two Maildirs hold together.
fn both(home: &Home) -> (usize, usize) {
    let count = |name| tree::count(&home.maildir(name));
    (count("first"), count("second"))
}

/// Twenty messages, ten of them in each of two Maildirs; and the state as it was after the first ten.
fn in_two_maildirs() -> (Server, Home, Vec<(std::path::PathBuf, Vec<u8>)>) {
    let (server, home) = serving(mail(10), Behaviour::new());
    configure(&home, &server, "first", "");
    run(&home, &[], 0);
    let backup = saved(&home.state());
    configure(&home, &server, "second", "");
    server.maildrop().add((11..=20).map(letter));
    run(&home, &[], 0);
    assert_eq!(both(&home), (10, 10));
    (server, home, backup)
}

#[test]
fn c2_a_state_restored_from_before_the_maildir_was_changed_brings_nothing_twice() {
    let (server, home, backup) = in_two_maildirs();
    restore(&home.state(), &backup);
    run(&home, &[], 0);
    assert_eq!((both(&home), retrieved(&server)), ((10, 10), 0));
    run(&home, &["verify"], 0);
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!((both(&home), server.maildrop().count()), ((10, 10), 0));
}

#[test]
fn c2_a_state_restored_after_the_maildir_was_changed_back_brings_nothing_twice() {
    for changed_back in ["before", "after"] {
        let (server, home, backup) = in_two_maildirs();
        let middle = saved(&home.state());
        configure(&home, &server, "first", "");
        server.maildrop().add((21..=30).map(letter));
        run(&home, &[], 0);
        assert_eq!(both(&home), (20, 10));
        match changed_back {
            // Of the second Maildir the state knows nothing: what was restored names only the first.
            "before" => restore(&home.state(), &middle),
            _ => {
                configure(&home, &server, "second", "");
                run(&home, &[], 0);
                restore(&home.state(), &middle);
            }
        }
        run(&home, &[], 0);
        assert_eq!(
            (both(&home), retrieved(&server)),
            ((20, 10), 0),
            "{changed_back}"
        );
        run(&home, &["verify"], 0);
        drop(backup);
    }
}

#[test]
fn c2_a_lost_state_beside_an_earlier_maildir_takes_in_what_is_in_the_one_at_hand() {
    let (server, home, _) = in_two_maildirs();
    let state = home.state();
    fs::remove_dir_all(&state).unwrap();
    run(&home, &[], 0);
    // Nobody remembers the first one any more, but what is in the second does not come again.
    assert_eq!(retrieved(&server), 10);
    tree::assert_holds(
        &home.maildir("second"),
        &[(11..=20).map(letter).collect(), mail(10)].concat(),
    );
}

#[test]
fn c2_an_earlier_maildir_that_is_gone_or_no_directory_any_more_is_in_nobodys_way() {
    for file in [false, true] {
        let (server, home, backup) = in_two_maildirs();
        fs::remove_dir_all(home.maildir("first")).unwrap();
        if file {
            fs::write(home.maildir("first"), "From nobody\n").unwrap();
        }
        restore(&home.state(), &backup);
        server.maildrop().add([letter(21)]);
        run(&home, &[], 0);
        assert_eq!(retrieved(&server), 1, "{file}");
        // What was in the one that is gone is told, and kept on the server.
        run(&home, &["fetch", "--delete"], 0);
        assert_eq!(server.maildrop().count(), 10, "{file}");
    }
}

/// Calls with a file's name, and those that tell where they stand in the session.
const CALLS: &str = "%file,landlock_restrict_self,connect";

/// Runs it, and fails if anything was refused to a thread that is confined.
fn assert_nothing_is_refused(
    home: &Home,
    arguments: &[&str],
    status: i32,
    what: &str,
) -> Vec<Call> {
    let trace = home.path().join("trace");
    strace::traced(home, &trace, CALLS, arguments).expect(status);
    let calls = calls(&fs::read_to_string(&trace).unwrap());
    let confined = |call: &&Call| call.name == "landlock_restrict_self" && call.succeeded();
    assert!(
        calls.iter().any(|call| confined(&call)),
        "{what}: it is never confined"
    );
    for confinement in calls.iter().filter(confined) {
        let after = calls
            .iter()
            .filter(|call| call.thread == confinement.thread && call.began > confinement.ended);
        for call in after {
            let refused = ["EACCES", "EPERM"]
                .iter()
                .any(|error| call.text.contains(error));
            assert!(!refused, "{what}: {}", call.text);
        }
    }
    calls
}

fn ages(journal: &Path, by: i64) {
    rewrite(journal, |fields| {
        let place = match fields[0].as_str() {
            "I" | "R" => 2,
            "B" => 1,
            _ => usize::MAX,
        };
        if let Some(time) = fields.get_mut(place)
            && let Ok(seconds) = time.parse::<i64>()
        {
            *time = (seconds - by).to_string();
        }
    });
}

#[test]
fn c2_nothing_is_refused_to_a_thread_once_it_is_confined_in_no_mode() {
    if !installed("strace") {
        return;
    }
    let server = Server::builder(&Maildrop::new(mail(5)))
        .security(Security::Plain)
        .start();
    let home = Home::new();
    configure(&home, &server, "first", "");
    let check = |arguments: &[&str], status: i32, what: &str| {
        assert_nothing_is_refused(&home, arguments, status, what);
    };
    check(&["fetch"], 0, "a first run");
    let first = saved(&home.state());
    server.maildrop().add((6..=10).map(letter));
    check(&["fetch"], 0, "new mail");
    // Sizes that changed are looked at by TOP; what is due is looked for in the Maildir.
    let resized = mail(10).into_iter().map(|it| {
        let octets = it.size() + 7;
        it.listed_as(octets)
    });
    server.maildrop().replace(resized);
    check(&["fetch"], 0, "doubts by TOP");
    server.behave(Behaviour::new().without("TOP"));
    server.maildrop().replace(mail(10));
    check(&["fetch"], 0, "doubts by RETR");
    server.behave(Behaviour::new());
    restore(&home.state(), &first);
    check(&["fetch"], 0, "a restored state");
    configure(&home, &server, "second", "");
    server.maildrop().add((11..=15).map(letter));
    check(&["fetch"], 0, "another Maildir");
    restore(&home.state(), &first);
    check(&["fetch"], 0, "a restored state beside an earlier Maildir");
    assert_eq!(both(&home), (10, 5));
    // Old messages, in both Maildirs, and folders in them.
    for (maildir, folder) in [("first", ".Archive"), ("second", "Kept")] {
        let folder = home.maildir(maildir).join(folder);
        for part in ["tmp", "new", "cur"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        let file = tree::new_files(&home.maildir(maildir)).remove(0);
        let name = format!("{}:2,S", file.file_name().unwrap().to_str().unwrap());
        fs::rename(&file, folder.join("cur").join(name)).unwrap();
    }
    check(&["fetch", "--delete"], 0, "old messages are deleted");
    assert_eq!(server.maildrop().count(), 0);

    // The Maildir is restored from a backup.
    server.maildrop().add((16..=18).map(letter));
    let maildir = home.maildir("second");
    let root = saved(&maildir);
    check(&["fetch"], 0, "before the backup is put back");
    restore(&maildir, &root);
    for file in tree::new_files(&maildir) {
        if fs::read(&file).unwrap() == letter(17).stored() {
            fs::remove_file(file).unwrap();
        }
    }
    check(&["fetch"], 0, "a restored Maildir");
    assert_eq!(retrieved(&server), 1);

    // By its age.
    ages(&crate::given::journal(&home), 30 * 24 * 60 * 60);
    configure(&home, &server, "second", "keep = \"14 days\"\n");
    check(&["fetch"], 0, "keep for some days");

    // A run that is killed in the middle.
    configure(&home, &server, "second", "");
    server.maildrop().add((19..=25).map(letter));
    server.behave(Behaviour::new().on_occurrences("RETR", 4..5, Reply::End(Ending::Close)));
    home.popfetch(["fetch"]).run();
    server.behave(Behaviour::new());
    undo_the_end(&home);
    check(&["fetch"], 0, "a recovery");
    check(&["state", "mark-seen", "a"], 0, "mark-seen");
    let output = run(&home, &["-q"], 0);
    assert_eq!(told(&output), Vec::<&str>::new());
}

/// The journal as a power cut leaves it between the last intents and what came after them. Without
/// its mark nobody knows how long it was.
pub fn undo_the_end(home: &Home) {
    let path = crate::given::journal(home);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines
        .iter()
        .rposition(|line| line.starts_with("I\t"))
        .unwrap();
    let kept: String = lines[..=last]
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(&path, kept).unwrap();
    fs::remove_file(path.with_extension("lock")).unwrap();
}

#[test]
fn c2_a_lost_state_finds_what_is_in_a_folder_that_is_a_link_or_has_no_new() {
    for is_link in [true, false] {
        let (server, home) = serving(mail(10), Behaviour::new());
        configure(&home, &server, "first", "");
        run(&home, &[], 0);
        let maildir = home.maildir("first");
        let folder = match is_link {
            true => home.path().join("old"),
            false => maildir.join(".Old"),
        };
        fs::create_dir_all(folder.join("cur")).unwrap();
        if is_link {
            fs::create_dir_all(folder.join("new")).unwrap();
            std::os::unix::fs::symlink(&folder, maildir.join(".Old")).unwrap();
        }
        for file in tree::new_files(&maildir) {
            let name = file.file_name().unwrap();
            fs::rename(&file, folder.join("cur").join(name)).unwrap();
        }
        fs::remove_dir_all(home.state()).unwrap();
        run(&home, &[], 0);
        assert_eq!((tree::count(&maildir), retrieved(&server)), (0, 0));
    }
}
