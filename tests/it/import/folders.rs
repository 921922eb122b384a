//! What a tool keeps a file for each folder of: which of them a given file is, and accounts that are parts of one
//! mailbox. With the tests' own server; `real` has the tools themselves.

use crate::given::{assert_said, letter, mail, run};
use crate::support::imap::ImapServer;
use crate::support::run::{Home, Output};
use crate::support::tree;
use std::fs;
use std::path::Path;

const STATE: &str = "FarUidValidity 1700000000\nNearUidValidity 1\nMaxPulledUid 1\n\n1 1 \n";

const OLDMAIL: &str = "1700000000/1\x001700000000\n";

/// A server with a message in INBOX and one in Archive, of which both have the same UIDVALIDITY and UID.
fn server() -> ImapServer {
    let server = ImapServer::start(&[letter(1)]);
    server.plain_folder("Archive", &[letter(2)]);
    server.other("Archive", |it| it.uid_validity = 1_700_000_000);
    server
}

/// mbsync has fetched what is in Archive.
fn mbsync(server: &ImapServer, channels: &str) -> Home {
    let home = Home::new();
    let account = server.account();
    let text = format!(
        "IMAPStore far\nHost {}\nPort {}\nUser {}\nPass {}\nSSLType IMAPS\nCertificateFile {}\n\n\
         MaildirStore near\nSubFolders Verbatim\nPath ~/Mail/\nInbox ~/Mail/INBOX\n\n{channels}",
        account.host,
        account.port,
        account.user,
        account.password,
        account.roots.unwrap().display(),
    );
    home.private_file(".mbsyncrc", &text);
    home.private_file("Mail/Archive/.mbsyncstate", STATE);
    home.private_file("old.state", STATE);
    let _missing = fs::remove_file(home.config_file());
    home
}

const ALL: &str = "Channel a\nFar :far:\nNear :near:\nPatterns *\nSync Pull\nSyncState *\n";

/// getmail has fetched what is in Archive.
fn getmail(server: &ImapServer, mailboxes: &str) -> Home {
    let home = Home::new();
    let account = server.account();
    let text = format!(
        "[retriever]\ntype = SimpleIMAPSSLRetriever\nserver = {}\nport = {}\nusername = {}\npassword = {}\n\
         ca_certs = {}\nmailboxes = {mailboxes}\n[destination]\ntype = Maildir\npath = ~/Mail/\n\
         [options]\nread_all = false\n",
        account.host,
        account.port,
        account.user,
        account.password,
        account.roots.as_ref().unwrap().display(),
    );
    home.private_file(".getmail/getmailrc", &text);
    home.private_file(&format!("old/{}", oldmail(server, "Archive")), OLDMAIL);
    let _missing = fs::remove_file(home.config_file());
    home
}

fn oldmail(server: &ImapServer, folder: &str) -> String {
    let account = server.account();
    let (host, port, user) = (account.host, account.port, account.user);
    format!("oldmail-{host}-{port}-{user}-{folder}")
}

fn import(home: &Home, tool: &str, seen: &Path, status: i32) -> Output {
    let seen = seen.to_str().unwrap();
    run(home, &["import", tool, "-y", "--seen", seen], status)
}

fn known(home: &Home) -> String {
    let config = fs::read_to_string(home.config_file()).unwrap();
    let (_, rest) = config.split_once("[accounts.").unwrap();
    let (name, _) = rest.split_once(']').unwrap();
    run(home, &["state", "show", name], 0).stdout
}

#[track_caller]
fn assert_archive_is_known_and_the_inbox_comes(home: &Home, maildir: &str) {
    let known = known(home);
    assert!(known.contains("Archive/1700000000/1"), "{known}");
    assert!(!known.contains("INBOX/1700000000/1"), "{known}");
    for _ in 0..2 {
        let said = run(home, &["fetch"], 0);
        let files = tree::read(&home.path().join(maildir));
        let [stored] = &files[..] else {
            panic!("{said:?}: {files:?}");
        };
        assert_eq!(stored.octets, letter(1).stored());
    }
}

/// The hint is followed to the letter.
#[test]
fn a_state_that_may_be_of_any_folder_is_refused_and_the_directory_that_is_asked_for_is_taken() {
    let server = server();
    let home = mbsync(&server, ALL);
    let output = import(&home, "mbsync", &home.path().join("old.state"), 64);
    assert_said(
        &output,
        &[
            "does not say which folder of `a`",
            "popfetch import mbsync --seen DIR",
        ],
    );
    assert!(!home.config_file().exists() && !home.state().exists());
    fs::create_dir(home.path().join("old")).unwrap();
    fs::rename(home.path().join("Mail"), home.path().join("old/Mail")).unwrap();
    // Not that one: it is called as in the config below the directory that both are in.
    let output = import(&home, "mbsync", &home.path().join("old"), 78);
    assert_said(&output, &["old/INBOX/.mbsyncstate", "--seen DIR"]);
    import(&home, "mbsync", &home.path().join("old/Mail"), 0);
    assert_archive_is_known_and_the_inbox_comes(&home, "Mail/INBOX");
}

#[test]
fn a_state_is_taken_for_the_folder_whose_place_or_name_it_has() {
    let server = server();
    let by_place = mbsync(&server, ALL);
    import(
        &by_place,
        "mbsync",
        &by_place.path().join("Mail/Archive/.mbsyncstate"),
        0,
    );
    assert_archive_is_known_and_the_inbox_comes(&by_place, "Mail/INBOX");
    let by_name = mbsync(&server, &ALL.replace("SyncState *\n", ""));
    for given in ["moved", "moved/:far:Archive_:near:Archive"] {
        by_name.private_file("moved/:far:Archive_:near:Archive", STATE);
        import(&by_name, "mbsync", &by_name.path().join(given), 0);
        assert_archive_is_known_and_the_inbox_comes(&by_name, "Mail/INBOX");
        fs::remove_dir_all(by_name.state()).unwrap();
        fs::remove_file(by_name.config_file()).unwrap();
        fs::remove_dir_all(by_name.path().join("Mail/INBOX")).unwrap();
    }
}

#[test]
fn of_an_account_with_one_folder_a_state_is_that_folders_unless_it_is_anothers() {
    let server = server();
    for lines in ["Patterns INBOX\n", ""] {
        let home = mbsync(&server, &ALL.replace("Patterns *\n", lines));
        home.private_file("x/:far:Archive_:near:Archive", STATE);
        for other in ["Mail/Archive/.mbsyncstate", "x/:far:Archive_:near:Archive"] {
            let output = import(&home, "mbsync", &home.path().join(other), 64);
            assert_said(&output, &["has fetched of Archive", "--seen FILE"]);
        }
        import(&home, "mbsync", &home.path().join("old.state"), 0);
        assert!(known(&home).contains("INBOX/1700000000/1"));
    }
}

#[test]
fn channels_of_one_mailbox_become_one_account_with_all_folders_and_states() {
    let server = server();
    let channels = "Channel in\nFar :far:\nNear :near:\nSyncState *\n\n\
                    Channel archive\nFar :far:Archive\nNear :near:Archive\nSyncState *\n\n\
                    Group all\nChannel in\nChannel archive\n";
    let home = mbsync(&server, channels);
    // Each of them has one folder, and yet it is not said which.
    let output = import(&home, "mbsync", &home.path().join("old.state"), 64);
    assert_said(&output, &["does not say which folder of `in`"]);
    let shown = run(&home, &["import", "mbsync", "-y"], 0).stdout;
    assert!(
        shown.contains("folders = [\"INBOX\", \"Archive\"]"),
        "{shown}"
    );
    let known = known(&home);
    assert!(
        known.contains("Archive/1700000000/1") && !known.contains("INBOX/1700000000/1"),
        "{known}"
    );
    run(&home, &["fetch"], 0);
    server.other("Archive", |it| {
        it.messages
            .push(crate::support::imap::Kept::new(2, &letter(3)));
    });
    run(&home, &["fetch"], 0);
    let maildir = home.path().join("Mail/INBOX");
    assert_eq!(tree::count(&maildir), 1);
    assert_eq!(tree::count(&maildir.join(".Archive")), 1);
}

/// The account is there from an import of before, with the first channel's folder alone.
#[test]
fn folders_that_an_account_of_the_config_does_not_fetch_are_named() {
    let server = server();
    let both = "Channel in\nFar :far:\nNear :near:\nSyncState *\n\n\
                Channel archive\nFar :far:Archive\nNear :near:Archive\nSyncState *\n";
    let home = mbsync(&server, both);
    run(&home, &["import", "mbsync", "-y", "--account", "in"], 0);
    let shown = run(&home, &["import", "mbsync", "-y"], 0).stdout;
    assert!(
        shown.contains("mbsync fetches, and `in` does not: \"Archive\""),
        "{shown}"
    );
    assert!(known(&home).contains("Archive/1700000000/1"));
}

/// Both are `localhost`, each at the other end of a command.
#[test]
fn what_was_fetched_by_another_tunnel_is_not_taken_for_that_of_an_account_of_the_config() {
    let home = Home::new();
    let _missing = fs::remove_file(home.config_file());
    let of = |name: &str| {
        format!(
            "IMAPStore {name}\nUser jane\nTunnel \"ssh {name} imap\"\n\nMaildirStore {name}-near\nInbox ~/{name}\n\n\
             Channel {name}\nFar :{name}:\nNear :{name}-near:\nSyncState *\n\n"
        )
    };
    home.private_file(".mbsyncrc", &(of("work") + &of("home")));
    home.private_file("home/.mbsyncstate", STATE);
    for more in [&[][..], &["--account", "home"]] {
        let shown = run(&home, &[&["import", "mbsync", "-y"], more].concat(), 0).stdout;
        assert!(shown.contains("nothing is taken over of it"), "{shown}");
        assert!(!known(&home).contains("INBOX/1700000000/1"));
    }
}

#[test]
fn getmails_file_of_one_folder_is_not_taken_for_another() {
    let server = server();
    let home = getmail(&server, "(\"INBOX\", \"Archive\")");
    let renamed = home.private_file("old/renamed", OLDMAIL);
    let output = import(&home, "getmail", &renamed, 64);
    assert_said(
        &output,
        &[
            "does not say which folder",
            "popfetch import getmail --seen DIR",
        ],
    );
    assert!(!home.config_file().exists() && !home.state().exists());
    let name = format!("old/{}", oldmail(&server, "Archive"));
    for given in ["old", &name] {
        import(&home, "getmail", &home.path().join(given), 0);
        assert_archive_is_known_and_the_inbox_comes(&home, "Mail");
        fs::remove_dir_all(home.state()).unwrap();
        fs::remove_file(home.config_file()).unwrap();
        fs::remove_dir_all(home.path().join("Mail")).unwrap();
    }
    let home = getmail(&server, "(\"INBOX\",)");
    let output = import(&home, "getmail", &home.path().join(&name), 64);
    assert_said(&output, &["has fetched of the folder Archive"]);
    let renamed = home.private_file("old/renamed", OLDMAIL);
    import(&home, "getmail", &renamed, 0);
    assert!(known(&home).contains("INBOX/1700000000/1"));
}

#[test]
fn a_list_that_is_not_there_is_named_whichever_tool_it_should_be_of() {
    let server = server();
    let home = mbsync(&server, ALL);
    let there = getmail(&server, "ALL");
    let rc = fs::read_to_string(there.path().join(".getmail/getmailrc")).unwrap();
    home.private_file(".getmail/getmailrc", &rc);
    let fdm = "account \"a\" pop3s server \"localhost\" user \"u\" pass \"p\"\nmatch all action maildir \"%h/M\"\n";
    home.private_file(".fdm.conf", fdm);
    home.private_file(
        ".fetchmailrc",
        "poll localhost proto pop3 user u ssl keep\n",
    );
    home.private_file(".mpoprc", "account a\nhost localhost\nuser u\ntls on\n");
    let prefs = "user_pref(\"mail.account.account1.server\", \"server1\");\n\
                 user_pref(\"mail.server.server1.hostname\", \"localhost\");\n\
                 user_pref(\"mail.server.server1.type\", \"pop3\");\n\
                 user_pref(\"mail.server.server1.userName\", \"u\");\n";
    home.private_file(".thunderbird/x.default/prefs.js", prefs);
    for tool in [
        "fdm",
        "fetchmail",
        "getmail",
        "mbsync",
        "mpop",
        "thunderbird",
    ] {
        run(&home, &["import", tool, "-n"], 0);
        let output = import(&home, tool, &home.path().join("no/such/file"), 78);
        let hint = format!("popfetch import {tool} --seen FILE");
        assert_said(&output, &["there is no file", "no/such/file", &hint]);
        assert!(!home.config_file().exists() && !home.state().exists());
    }
}

/// Of a first fetch that stops since none of what is there is known.
#[test]
fn what_the_first_fetch_advises_works_where_there_is_a_file_for_each_folder() {
    let server = ImapServer::start(&mail(10));
    let home = mbsync(&server, ALL);
    fs::create_dir(home.path().join("old")).unwrap();
    fs::rename(home.path().join("Mail"), home.path().join("old/Mail")).unwrap();
    run(&home, &["import", "mbsync", "-y"], 0);
    let output = run(&home, &["fetch"], 78);
    assert_said(&output, &["import mbsync --seen FILE", "the directory"]);
    let names: String = (1..=9).map(|uid| format!("{uid} {uid} \n")).collect();
    home.private_file(
        "old/Mail/INBOX/.mbsyncstate",
        &STATE.replace("1 1 \n", &names),
    );
    import(&home, "mbsync", &home.path().join("old/Mail"), 0);
    run(&home, &["fetch"], 0);
    assert_eq!(tree::count(&home.path().join("Mail/INBOX")), 1);
}
