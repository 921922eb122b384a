//! The tools themselves fetch from Dovecot; then popfetch takes over.

use crate::given::{letter, mail};
use crate::support::account::Account;
use crate::support::dovecot::Dovecot;
use crate::support::process::{installed, make_program};
use crate::support::run::Home;
use crate::support::skip::is_root;
use crate::support::tree;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// getmail and its like do not run as root.
const NOBODY: u32 = 65534;

const MESSAGES: usize = 100;

/// A tool that somebody comes from.
struct Peer {
    /// What `popfetch import` calls it.
    word: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    by_imap: bool,
    /// Its config, by name and text, for keeping mail on the server or not.
    config: fn(&Scene, bool) -> (&'static str, String),
}

struct Scene {
    dovecot: Dovecot,
    home: Home,
    account: Account,
}

impl Scene {
    fn maildir(&self) -> PathBuf {
        self.home.path().join("Mail")
    }

    fn count(&self) -> usize {
        tree::count(&self.maildir())
    }

    fn roots(&self) -> String {
        self.account.roots.as_ref().unwrap().display().to_string()
    }

    /// The tool fetches all there is.
    fn fetched_by(peer: &Peer, keep: bool) -> Option<Self> {
        if !installed(peer.program) || !installed("taskset") {
            return None;
        }
        let (dovecot, mut account) = match peer.by_imap {
            true => {
                let dovecot = Dovecot::start_with_imap(&mail(MESSAGES), "")?;
                let [account, _] = dovecot.imap_accounts();
                (dovecot, account)
            }
            false => {
                let dovecot = Dovecot::start(&mail(MESSAGES))?;
                let account = dovecot.account();
                (dovecot, account)
            }
        };
        let home = Home::new();
        // The authority's file is in a directory of the tests' own, which others cannot enter.
        let roots = home.path().join("ca.pem");
        fs::copy(account.roots.as_ref().unwrap(), &roots).unwrap();
        account.roots = Some(roots);
        let scene = Self {
            dovecot,
            home,
            account,
        };
        for part in ["tmp", "new", "cur"] {
            fs::create_dir_all(scene.maildir().join(part)).unwrap();
        }
        let (name, text) = (peer.config)(&scene, keep);
        scene.home.private_file(name, &text);
        if !scene.run(peer) {
            return Self::fetched_by(peer, keep);
        }
        assert_eq!(scene.count(), MESSAGES, "{}", scene.dovecot.log());
        let left = if keep { MESSAGES } else { 0 };
        assert_eq!(scene.dovecot.count(), left, "{}", scene.dovecot.log());
        Some(scene)
    }

    /// `false` where getmail has lost sight of a child that ended too soon, as it may on a machine
    /// with much to do: then all begins anew.
    fn run(&self, peer: &Peer) -> bool {
        // On one processor it seldom does.
        let mut command = Command::new("taskset");
        self.home.furnish(&mut command);
        command.env_remove("XDG_CONFIG_HOME");
        // fdm's config names no authority: this one is the system's.
        command.env("SSL_CERT_FILE", self.roots());
        command.args(["-c", "0", peer.program]).args(peer.arguments);
        if is_root() {
            give(self.home.path(), NOBODY);
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command.output().unwrap();
        if is_root() {
            give(self.home.path(), 0);
        }
        let lost = String::from_utf8_lossy(&output.stderr).contains("waiting child pid");
        assert!(lost || output.status.success(), "{output:#?}");
        !lost
    }

    fn import(&self, peer: &Peer, more: &[&str]) {
        let arguments = ["import", peer.word, "--yes"]
            .into_iter()
            .chain(more.iter().copied());
        let run = self.home.popfetch(arguments);
        run.env("XDG_CONFIG_HOME", self.home.path().join(".config"))
            .expect(0);
    }

    fn fetch(&self) -> String {
        let config = self.home.path().join(".config/popfetch/config.toml");
        let run = self.home.popfetch(["--config", config.to_str().unwrap()]);
        run.env("SSL_CERT_FILE", self.roots()).expect(0).stderr
    }
}

/// All that is in a directory, to another user.
fn give(path: &Path, user: u32) {
    chown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), user);
        }
    } else {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o700)).unwrap();
    }
}

/// 100 are left on the server: none comes again, of one that is new exactly that, and 50 that were
/// deleted meanwhile change nothing.
fn nothing_comes_again(peer: &Peer) {
    let Some(mut scene) = Scene::fetched_by(peer, true) else {
        return;
    };
    scene.import(peer, &[]);
    let said = scene.fetch();
    assert_eq!(scene.count(), MESSAGES, "{said}");
    scene.dovecot.deliver(&[letter(MESSAGES + 1)]);
    let said = scene.fetch();
    assert_eq!(scene.count(), MESSAGES + 1, "{said}");
    scene.dovecot.lose_oldest(50);
    scene.import(peer, &[]);
    let said = scene.fetch();
    assert_eq!(scene.count(), MESSAGES + 1, "{said}");
    assert_eq!(scene.dovecot.count(), MESSAGES - 49);
}

/// 50 are deleted between the tool's last run and the first of ours.
fn what_was_deleted_meanwhile_changes_nothing(peer: &Peer) {
    let Some(mut scene) = Scene::fetched_by(peer, true) else {
        return;
    };
    scene.dovecot.lose_oldest(50);
    scene.dovecot.deliver(&[letter(MESSAGES + 1)]);
    scene.import(peer, &[]);
    let said = scene.fetch();
    assert_eq!(scene.count(), MESSAGES + 1, "{said}");
}

/// The tool deletes what it has fetched, and five more come.
fn exactly_what_is_new_comes(peer: &Peer) {
    let Some(mut scene) = Scene::fetched_by(peer, false) else {
        return;
    };
    let new: Vec<_> = (1..=5).map(|n| letter(MESSAGES + n)).collect();
    scene.dovecot.deliver(&new);
    scene.import(peer, &[]);
    let said = scene.fetch();
    assert_eq!(scene.count(), MESSAGES + 5, "{said}");
    // As the tool did.
    assert_eq!(scene.dovecot.count(), 0, "{said}");
}

const MPOP: Peer = Peer {
    word: "mpop",
    program: "mpop",
    arguments: &[],
    by_imap: false,
    config: |scene, keep| {
        let text = format!(
            "defaults\ntls on\ntls_starttls off\ntls_trust_file {}\n\naccount default\nhost \
             localhost\nport {}\nuser {}\npassword {}\ndelivery maildir ~/Mail\nkeep {}\n\
             received_header off\n",
            scene.roots(),
            scene.account.port,
            scene.account.user,
            scene.account.password,
            if keep { "on" } else { "off" },
        );
        (".mpoprc", text)
    },
};

#[test]
fn of_100_messages_that_mpop_kept_none_comes_again() {
    nothing_comes_again(&MPOP);
}

#[test]
fn of_messages_that_mpop_kept_and_others_deleted_none_comes_again() {
    what_was_deleted_meanwhile_changes_nothing(&MPOP);
}

#[test]
fn of_messages_behind_those_that_mpop_deleted_each_comes_once() {
    exactly_what_is_new_comes(&MPOP);
}

const GETMAIL: Peer = Peer {
    word: "getmail",
    program: "getmail",
    arguments: &[],
    by_imap: false,
    config: |scene, keep| {
        let text = format!(
            "[retriever]\ntype = SimplePOP3SSLRetriever\nserver = localhost\nport = {}\n\
             username = {}\npassword = {}\nca_certs = {}\ntimeout = 5\n\n[destination]\ntype = Maildir\n\
             path = ~/Mail/\n\n[options]\nread_all = false\ndelete = {}\n",
            scene.account.port,
            scene.account.user,
            scene.account.password,
            scene.roots(),
            !keep,
        );
        (".config/getmail/getmailrc", text)
    },
};

#[test]
fn of_100_messages_that_getmail_kept_none_comes_again() {
    nothing_comes_again(&GETMAIL);
}

#[test]
fn of_messages_that_getmail_kept_and_others_deleted_none_comes_again() {
    what_was_deleted_meanwhile_changes_nothing(&GETMAIL);
}

#[test]
fn of_messages_behind_those_that_getmail_deleted_each_comes_once() {
    exactly_what_is_new_comes(&GETMAIL);
}

const FDM: Peer = Peer {
    word: "fdm",
    program: "fdm",
    arguments: &["-f", ".fdm.conf", "fetch"],
    by_imap: false,
    // Its home is the one of the passwd file, which nobody does not have.
    config: |scene, keep| {
        let home = scene.home.path().display();
        let text = format!(
            "set verify-certificates\nset no-received\nset lock-file \"{home}/lock\"\n\
             set maximum-size 64M\n\
             account \"a\" pop3s server \"localhost\" port {} user \"{}\" pass \"{}\"\n\
             \tnew-only cache \"{home}/fdm.cache\"{}\n\
             action \"in\" maildir \"{home}/Mail\"\nmatch all action \"in\"\n",
            scene.account.port,
            scene.account.user,
            scene.account.password,
            if keep { " keep" } else { "" },
        );
        (".fdm.conf", text)
    },
};

#[test]
fn of_100_messages_that_fdm_kept_none_comes_again() {
    nothing_comes_again(&FDM);
}

#[test]
fn of_messages_that_fdm_kept_and_others_deleted_none_comes_again() {
    what_was_deleted_meanwhile_changes_nothing(&FDM);
}

#[test]
fn of_messages_behind_those_that_fdm_deleted_each_comes_once() {
    exactly_what_is_new_comes(&FDM);
}

const FETCHMAIL: Peer = Peer {
    word: "fetchmail",
    program: "fetchmail",
    arguments: &[],
    by_imap: false,
    config: |scene, keep| {
        // getmail's own program does the same, and takes a second for twelve messages.
        let program = scene.home.path().join("getmail_maildir");
        let text = "#!/bin/sh\ncat > \"$(mktemp \"$1/new/XXXXXXXXXX\")\"\n";
        make_program(&program, text);
        let text = format!(
            "defaults proto pop3 uidl timeout 60\npoll localhost with port {}\n user '{}' there has password \
             \"{}\", wants ssl and {}keep\n sslcertfile {} mda \"{} {}/\"\n",
            scene.account.port,
            scene.account.user,
            scene.account.password,
            if keep { "" } else { "no " },
            scene.roots(),
            program.display(),
            scene.maildir().display(),
        );
        (".fetchmailrc", text)
    },
};

#[test]
fn of_100_messages_that_fetchmail_kept_none_comes_again() {
    nothing_comes_again(&FETCHMAIL);
}

#[test]
fn of_messages_that_fetchmail_kept_and_others_deleted_none_comes_again() {
    what_was_deleted_meanwhile_changes_nothing(&FETCHMAIL);
}

#[test]
fn of_messages_behind_those_that_fetchmail_deleted_each_comes_once() {
    exactly_what_is_new_comes(&FETCHMAIL);
}

const GETMAIL_BY_IMAP: Peer = Peer {
    by_imap: true,
    config: |scene, keep| {
        let (name, text) = (GETMAIL.config)(scene, keep);
        (name, text.replace("SimplePOP3SSL", "SimpleIMAPSSL"))
    },
    ..GETMAIL
};

#[test]
fn of_100_messages_that_getmail_kept_by_imap_none_comes_again() {
    nothing_comes_again(&GETMAIL_BY_IMAP);
}

const MBSYNC: Peer = Peer {
    word: "mbsync",
    program: "mbsync",
    arguments: &["--all"],
    by_imap: true,
    config: |scene, _| {
        let text = format!(
            "IMAPAccount a\nHost localhost\nPort {}\nUser {}\nPass {}\nSSLType IMAPS\n\
             SystemCertificates no\nCertificateFile {}\n\n\
             IMAPStore far\nAccount a\n\nMaildirStore near\nPath ~/Folders/\nInbox ~/Mail\n\n\
             Channel a\nFar :far:\nNear :near:\nPatterns INBOX\nSync Pull\nSyncState *\n",
            scene.account.port,
            scene.account.user,
            scene.account.password,
            scene.roots(),
        );
        fs::create_dir_all(scene.home.path().join("Folders")).unwrap();
        (".mbsyncrc", text)
    },
};

#[test]
fn of_100_messages_that_mbsync_fetched_none_comes_again() {
    nothing_comes_again(&MBSYNC);
}

#[test]
fn of_messages_that_mbsync_fetched_and_others_deleted_none_comes_again() {
    what_was_deleted_meanwhile_changes_nothing(&MBSYNC);
}

/// mbsync as it is unless told otherwise: it goes both ways, and deletes nothing there.
const MBSYNC_BOTH_WAYS: Peer = Peer {
    config: |scene, keep| {
        let (name, text) = (MBSYNC.config)(scene, keep);
        (name, text.replace("Sync Pull\n", "Sync All\n"))
    },
    ..MBSYNC
};

#[test]
fn of_messages_that_mbsync_fetched_and_that_were_deleted_here_none_comes_again() {
    for peer in [&MBSYNC, &MBSYNC_BOTH_WAYS] {
        let Some(mut scene) = Scene::fetched_by(peer, true) else {
            return;
        };
        let files = tree::new_files(&scene.maildir());
        assert_eq!(files.len(), MESSAGES);
        for path in files.iter().take(2) {
            fs::remove_file(path).unwrap();
        }
        assert!(scene.run(peer));
        assert_eq!(scene.dovecot.count(), MESSAGES);
        scene.import(peer, &[]);
        scene.dovecot.deliver(&[letter(MESSAGES + 1)]);
        let said = scene.fetch();
        assert_eq!(scene.count(), MESSAGES - 1, "{said}");
    }
}

/// A server with five letters in the inbox and five in Archive, and the home of somebody who fetches both.
fn with_two_folders() -> Option<Scene> {
    let mut dovecot = Dovecot::start_with_imap(&mail(5), "")?;
    let other: Vec<_> = (6..=10).map(letter).collect();
    dovecot.deliver_into(".Archive", &other);
    let [mut account, _] = dovecot.imap_accounts();
    let home = Home::new();
    let roots = home.path().join("ca.pem");
    fs::copy(account.roots.as_ref().unwrap(), &roots).unwrap();
    account.roots = Some(roots);
    Some(Scene {
        dovecot,
        home,
        account,
    })
}

impl Scene {
    /// The letters that popfetch has stored, wherever they are.
    fn come(&self) -> usize {
        let folders = ["Mail", "Mail/.Archive"].map(|it| tree::read(&self.home.path().join(it)));
        let files = folders.iter().flatten();
        files.filter(|file| file.name.contains("_pf")).count()
    }

    /// Nothing comes that the tool has fetched, and what is new comes from both folders.
    fn assert_goes_on_with_both_folders(&mut self, peer: &Peer) {
        self.import(peer, &[]);
        let said = self.fetch();
        assert_eq!(self.come(), 0, "{said}");
        self.dovecot.deliver(&[letter(11)]);
        self.dovecot.deliver_into(".Archive", &[letter(12)]);
        for _ in 0..2 {
            let said = self.fetch();
            assert_eq!(self.come(), 2, "{said}");
        }
    }
}

/// As many have it for Gmail.
#[test]
fn of_a_channel_for_each_folder_mbsync_has_fetched_all_are_fetched_from_then_on() {
    let Some(mut scene) = with_two_folders().filter(|_| installed("mbsync")) else {
        return;
    };
    for part in ["Mail", "Folders/Archive"] {
        for part in ["tmp", "new", "cur"].map(|it| format!("{part}/{it}")) {
            fs::create_dir_all(scene.home.path().join(part)).unwrap();
        }
    }
    let (name, text) = (MBSYNC.config)(&scene, true);
    let (stores, _) = text.split_once("Channel a\n").unwrap();
    let channel = |name: &str, folder: &str| {
        format!(
            "Channel {name}\nFar :far:{folder}\nNear :near:{folder}\nSync Pull\nSyncState *\n\n"
        )
    };
    let channels = channel("in", "") + &channel("archive", "Archive");
    let group = "Group all\nChannel in\nChannel archive\n";
    scene
        .home
        .private_file(name, &format!("{stores}{channels}{group}"));
    assert!(scene.run(&MBSYNC));
    let archive = tree::count(&scene.home.path().join("Folders/Archive"));
    assert_eq!((scene.count(), archive), (5, 5), "{}", scene.dovecot.log());
    scene.assert_goes_on_with_both_folders(&MBSYNC);
}

#[test]
fn of_two_files_of_getmails_for_one_mailbox_all_folders_are_fetched_from_then_on() {
    let Some(mut scene) = with_two_folders().filter(|_| installed("getmail")) else {
        return;
    };
    let peer = Peer {
        arguments: &["--rcfile", "inbox", "--rcfile", "archive"],
        ..GETMAIL_BY_IMAP
    };
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(scene.maildir().join(part)).unwrap();
    }
    let (_, text) = (peer.config)(&scene, true);
    for (file, folder) in [("inbox", "INBOX"), ("archive", "Archive")] {
        let text = text.replace(
            "timeout = 5\n",
            &format!("timeout = 5\nmailboxes = (\"{folder}\",)\n"),
        );
        scene
            .home
            .private_file(&format!(".config/getmail/{file}"), &text);
    }
    while !scene.run(&peer) {}
    assert_eq!(scene.count(), 10, "{}", scene.dovecot.log());
    scene.assert_goes_on_with_both_folders(&peer);
}

const FDM_BY_IMAP: Peer = Peer {
    by_imap: true,
    // With the Received field of its own. Where it deletes, it asks for all that there is.
    config: |scene, keep| {
        let (name, text) = (FDM.config)(scene, keep);
        let home = scene.home.path().display();
        let text = text
            .replace("set no-received\n", "")
            .replace("pop3s", "imaps");
        let cache = format!("new-only cache \"{home}/fdm.cache\"");
        let text = text.replace(&cache, if keep { "new-only" } else { "" });
        (name, text)
    },
    ..FDM
};

#[test]
fn of_100_messages_that_fdm_kept_by_imap_none_comes_again() {
    nothing_comes_again(&FDM_BY_IMAP);
}

#[test]
fn of_messages_that_fdm_kept_by_imap_and_others_deleted_none_comes_again() {
    what_was_deleted_meanwhile_changes_nothing(&FDM_BY_IMAP);
}

#[test]
fn of_messages_behind_those_that_fdm_deleted_by_imap_each_comes_once() {
    exactly_what_is_new_comes(&FDM_BY_IMAP);
}
