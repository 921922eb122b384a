use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::given::{assert_said, command, gate, journals, letter, mail, run, server};
use crate::support::account::Account;
use crate::support::behaviour::Behaviour;
use crate::support::listener::ClosedPort;
use crate::support::maildrop::Maildrop;
use crate::support::process::{PATIENCE, within};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::terminal::everything;
use crate::support::tree;
use rustix::process::Signal;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::PermissionsExt;

/// Nothing of a Maildir or a journal, nor the directory above the Maildir.
#[track_caller]
fn assert_nothing_made(home: &Home, case: &str) {
    assert!(!home.path().join("Mail").exists(), "{case}: Mail is there");
    assert_eq!(journals(home), Vec::<std::path::PathBuf>::new(), "{case}");
}

/// What is in the directory, itself left out.
fn within_directory(path: &Path) -> Vec<String> {
    everything(path).into_iter().map(|(name, _)| name).collect()
}

/// Ways in which a first run comes to nothing, each with the status that it ends with.
fn dead_ends(account: &Account) -> Vec<(&'static str, Account, i32)> {
    let closed = ClosedPort::new();
    let refused = Account {
        port: closed.port(),
        ..account.clone()
    };
    let nameless = Account {
        host: "no-such-host.invalid".into(),
        ..account.clone()
    };
    let wrong = Account {
        password: "not the password".into(),
        ..account.clone()
    };
    let untrusted = Account {
        roots: Some("bundled".into()),
        ..account.clone()
    };
    vec![
        ("nobody listens", refused, 75),
        ("no such name", nameless, 69),
        ("a wrong password", wrong, 77),
        ("a certificate that is not trusted", untrusted, 69),
    ]
}

#[test]
fn a_first_run_that_does_not_get_in_leaves_no_maildir_and_no_journal() {
    let (server, home) = server(2);
    for (case, account, status) in dead_ends(&server.account()) {
        home.one_account(&account, "");
        run(&home, &["fetch"], status);
        assert_nothing_made(&home, case);
        for arguments in [
            &["fetch"][..],
            &["fetch", "-q"],
            &["state", "mark-seen", "a"],
        ] {
            let output = home.popfetch(arguments).run();
            assert_ne!(output.status, Some(0), "{case}: {output:#?}");
            assert_nothing_made(&home, case);
        }
    }
    // Nor does what is asked of such an account.
    for arguments in [
        &["state", "accept", "a", "17"][..],
        &["state", "forget", "a", "17"],
    ] {
        run(&home, arguments, 1);
        assert_nothing_made(&home, "nothing is known");
    }
    // Nothing of that is in the way of a run that gets in, which then makes both.
    home.one_account(&server.account(), "");
    let output = run(&home, &["fetch", "--now"], 0);
    assert_said(&output, &["2 new messages"]);
    tree::assert_holds(&home.maildir("a"), &mail(2));
    assert_eq!(journals(&home).len(), 1);
}

#[test]
fn a_first_run_that_is_interrupted_while_it_connects_leaves_neither() {
    let (gate, hook) = gate("CAPA");
    let (_server, home) = Server::builder(&Maildrop::new(mail(1)))
        .on_command(hook)
        .with_home("");
    let mut running = home.popfetch(["fetch"]).start();
    gate.wait("CAPA");
    assert!(home.maildir("a").join("new").is_dir());
    running.signal(Signal::INT);
    let output = running.wait();
    gate.open();
    assert_eq!(output.status, Some(130), "{output:#?}");
    assert_nothing_made(&home, "interrupted");
}

#[test]
fn what_was_there_before_a_run_that_does_not_get_in_stays() {
    let (server, home) = server(1);
    let (_, account, _) = dead_ends(&server.account()).remove(0);
    home.one_account(&account, "");
    let maildir = home.maildir("a");
    // An empty directory, made by its owner and for others to read.
    fs::create_dir_all(&maildir).unwrap();
    fs::set_permissions(&maildir, fs::Permissions::from_mode(0o750)).unwrap();
    home.popfetch(["fetch"]).run();
    assert_eq!(within_directory(&maildir), Vec::<String>::new());
    assert_eq!(
        fs::metadata(&maildir).unwrap().permissions().mode() & 0o777,
        0o750
    );
    // A whole Maildir with nothing in it.
    for part in ["tmp", "new", "cur"] {
        fs::DirBuilder::new()
            .mode(0o700)
            .create(maildir.join(part))
            .unwrap();
    }
    home.popfetch(["fetch"]).run();
    for part in ["tmp", "new", "cur"] {
        assert!(maildir.join(part).is_dir(), "{part}");
    }
    assert_eq!(journals(&home).len(), 0);
}

#[test]
fn an_account_that_has_fetched_keeps_its_journal_when_its_server_is_gone() {
    let (server, home) = server(2);
    run(&home, &["fetch"], 0);
    let before = fs::read(&journals(&home)[0]).unwrap();
    let (_, account, _) = dead_ends(&server.account()).remove(2);
    home.one_account(&account, "");
    run(&home, &["fetch"], 77);
    assert_eq!(fs::read(&journals(&home)[0]).unwrap(), before);
    tree::assert_holds(&home.maildir("a"), &mail(2));
    // Nor is a Maildir kept that was made at another place, and that nothing has come to.
    let elsewhere = home.path().join("Mail/elsewhere");
    let config = fs::read_to_string(home.config_file()).unwrap();
    let old = format!("{:?}", home.maildir("a"));
    home.config(&config.replace(&old, &format!("{elsewhere:?}")));
    run(&home, &["fetch", "--now"], 77);
    assert!(!elsewhere.exists());
    // That a run was there is remembered, and that nothing has come to it.
    home.one_account(&server.account(), "");
    let config = fs::read_to_string(home.config_file()).unwrap();
    home.config(&config.replace(&old, &format!("{elsewhere:?}")));
    run(&home, &["fetch", "--now"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(2));
    assert_eq!(tree::count(&elsewhere), 0);
}

#[test]
fn an_empty_mailbox_that_was_seen_is_remembered_with_its_maildir() {
    let (_server, home) = server(0);
    run(&home, &["fetch"], 0);
    assert_eq!(journals(&home).len(), 1);
    assert!(home.maildir("a").join("new").is_dir());
    // Where it is missed, it may be on a disk that is not mounted: nothing says that it is this account's.
    fs::remove_dir_all(home.maildir("a")).unwrap();
    let output = run(&home, &["list"], 73);
    assert_said(
        &output,
        &["nothing was fetched into it yet: it is made with the first mail"],
    );
    let output = run(&home, &["fetch", "a", "--now"], 0);
    assert_eq!(output.stderr, "a: nothing new\n");
    assert!(!home.maildir("a").join("popfetch-maildir").exists());
}

/// Two accounts deliver to one Maildir that is not there yet, and one of them does not get in.
#[test]
fn a_maildir_that_is_new_to_an_account_is_its_own_though_nothing_new_comes() {
    let (server, home) = server(3);
    run(&home, &["fetch"], 0);
    let elsewhere = home.account_config("a", &server.account());
    let elsewhere = elsewhere.replace("Mail/a\"", "Mail/b\"");
    home.config(&elsewhere);
    let (old, new) = (home.maildir("a"), home.maildir("b"));
    // Before it is made the way is told, and it works.
    let output = run(&home, &["list"], 73);
    assert_said(&output, &["popfetch fetch a makes it"]);
    let output = run(&home, &["verify"], 0);
    assert_eq!(output.stderr, "a: 3 recorded messages: 3 intact\n");
    let output = run(&home, &["fetch"], 0);
    assert_said(&output, &["the Maildir was", "nothing new"]);
    assert!(new.join("cur").is_dir());
    for _ in 0..2 {
        run(&home, &["list"], 0);
        let output = run(&home, &["verify"], 0);
        assert_eq!(output.stderr, "a: 3 recorded messages: 3 intact\n");
        let output = run(&home, &["fetch", "--now"], 0);
        assert_eq!(output.stderr, "a: nothing new\n");
    }
    // What its owner removes from the old one is removed, and new mail comes into the new one.
    let file = everything(&old.join("new")).remove(0).0;
    fs::remove_file(old.join("new").join(file)).unwrap();
    server.maildrop().add([letter(4)]);
    run(&home, &["fetch", "--now"], 0);
    tree::assert_holds(&new, &[letter(4)]);
    let output = run(&home, &["verify"], 0);
    assert_eq!(
        output.stderr,
        "a: 4 recorded messages: 3 intact, 1 removed\n"
    );
}

#[test]
fn a_maildir_behind_a_link_that_leads_nowhere_is_told_before_and_by_a_fetch_and_how_to_mend_it() {
    let (_server, home) = server(3);
    let behind = home.path().join("disk");
    fs::create_dir(home.path().join("Mail")).unwrap();
    std::os::unix::fs::symlink(&behind, home.maildir("a")).unwrap();
    for arguments in [&["fetch", "-n"][..], &["fetch"], &["fetch"]] {
        let output = run(&home, arguments, 73);
        assert_said(
            &output,
            &[
                "cannot create the Maildir",
                "is a link that leads nowhere: if its disk is not mounted, mount it",
            ],
        );
    }
    fs::create_dir(&behind).unwrap();
    run(&home, &["fetch"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(3));
}

#[test]
fn an_account_that_does_not_get_in_takes_no_maildir_from_under_another() {
    let (gate, hook) = gate("RETR 1");
    let server = Server::builder(&Maildrop::new(mail(2)))
        .on_command(hook)
        .start();
    let home = Home::new();
    let good = home.account_config("good", &server.account());
    let (_, dead, _) = dead_ends(&server.account()).remove(0);
    let bad = home.account_config("bad", &dead);
    let shared = format!("{:?}", home.path().join("Mail/all"));
    let own = |name: &str| format!("{:?}", home.maildir(name));
    home.config(&(good.replace(&own("good"), &shared) + &bad.replace(&own("bad"), &shared)));
    // The good one has it open, and has delivered nothing yet.
    let running = home.popfetch(["fetch", "good"]).start();
    gate.wait("RETR 1");
    run(&home, &["fetch", "bad"], 75);
    assert!(home.path().join("Mail/all/new").is_dir());
    gate.open();
    let output = running.wait();
    assert_eq!(output.status, Some(0), "{output:#?}");
    tree::assert_holds(&home.path().join("Mail/all"), &mail(2));
}

/// The same where it is the other one that has made it.
#[test]
fn a_maildir_that_others_have_opened_meanwhile_is_theirs() {
    let (gate, hook) = gate("CAPA");
    let slow = Server::builder(&Maildrop::new(mail(1)))
        .behaviour(Behaviour::new())
        .on_command(hook)
        .start();
    let (open, home) = server(2);
    let shared = format!("{:?}", home.path().join("Mail/all"));
    let own = |name: &str| format!("{:?}", home.maildir(name));
    let maker = Account {
        user: "maker".into(),
        ..slow.account()
    };
    let first = home.account_config("first", &maker);
    let second = home.account_config("second", &open.account());
    home.config(
        &(first.replace(&own("first"), &shared) + &second.replace(&own("second"), &shared)),
    );
    let mut running = home.popfetch(["fetch", "first"]).start();
    gate.wait("CAPA");
    let root = home.path().join("Mail/all");
    assert!(within(PATIENCE, || root.join("cur").is_dir().then_some(())).is_some());
    run(&home, &["fetch", "second"], 0);
    running.signal(Signal::INT);
    assert_eq!(running.wait().status, Some(130));
    gate.open();
    tree::assert_holds(&root, &mail(2));
    run(&home, &["verify", "second"], 0);
}

/// Another program delivers to a Maildir that a run has made and would take back.
#[test]
fn mail_of_others_in_a_maildir_that_was_made_keeps_it() {
    let (gate, hook) = gate("CAPA");
    let server = Server::builder(&Maildrop::new(mail(1)))
        .on_command(hook)
        .start();
    for place in ["new/theirs", "cur/theirs:2,S", "tmp/theirs", ".Archive"] {
        let home = Home::of(&server.account(), "");
        let mut child = command(&home, &["fetch", "-q"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let root = home.maildir("a");
        assert!(
            within(PATIENCE, || root.join("cur").is_dir().then_some(())).is_some(),
            "{place}"
        );
        fs::write(root.join(place), "theirs").unwrap();
        let id = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(id, Signal::INT).unwrap();
        child.wait().unwrap();
        assert!(root.join(place).exists(), "{place}");
        for part in ["tmp", "new", "cur"] {
            assert!(root.join(part).is_dir(), "{place}: {part}");
        }
    }
    drop(gate);
}

/// Several accounts make their Maildirs below one directory, which one of them has made.
#[test]
fn of_several_accounts_that_do_not_get_in_nothing_is_left_above_their_maildirs_either() {
    let (server, home) = server(1);
    let names = ["a", "b", "c", "d", "e", "f"];
    let configs = names.iter().enumerate().map(|(number, name)| {
        let user = format!("ada{number}");
        let mut ends = dead_ends(&server.account());
        let (_, end, _) = ends.swap_remove(if number % 2 == 0 { 0 } else { 2 });
        home.account_config(name, &Account { user, ..end })
    });
    home.config(&configs.collect::<String>());
    home.popfetch(["fetch"]).expect(77);
    assert_nothing_made(&home, "several");
    // What somebody else has put there stays.
    fs::create_dir(home.path().join("Mail")).unwrap();
    home.popfetch(["fetch", "--now"]).expect(77);
    assert_eq!(within_directory(&home.path().join("Mail")), [""; 0]);
}

#[test]
fn a_folder_that_cannot_be_made_leaves_no_maildir_either() {
    let (server, home) = server(1);
    let rule = "[[accounts.a.rules]]\nfrom = \"*\"\nthen = { folder = \".Lists\" }\n";
    home.one_account(&server.account(), rule);
    let maildir = home.maildir("a");
    // It is whole, and empty but for what is in the way.
    for part in ["tmp", "new", "cur"] {
        fs::DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(maildir.join(part))
            .unwrap();
    }
    fs::write(maildir.join(".Lists"), "no directory").unwrap();
    home.popfetch(["fetch"]).expect(73);
    assert_eq!(journals(&home), Vec::<std::path::PathBuf>::new());
}
