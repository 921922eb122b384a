use super::{fetched, from, ruled, set_rules, three};
use crate::given::{assert_said, journal, run};
use crate::support::behaviour::Behaviour;
use crate::support::dovecot::Dovecot;
use crate::support::message::Message;
use crate::support::tree;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const LISTS: &str = "from = \"*@lists.example\"; then = { folder = \".Lists\" }";

#[test]
fn a_folder_is_a_maildir_of_its_own_and_its_messages_are_reported_where_they_are() {
    let (_server, home) = ruled(three(), "", LISTS, Behaviour::new());
    let output = run(&home, &["--format", "paths"], 0);
    let folder = home.maildir("a").join(".Lists");
    for part in ["tmp", "new", "cur"] {
        let mode = fs::metadata(folder.join(part))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700, "{part}");
    }
    assert_eq!(fs::read(folder.join("maildirfolder")).unwrap(), b"");
    let there = tree::new_files(&folder);
    assert_eq!(there.len(), 1);
    assert!(
        output.stdout.contains(there[0].to_str().unwrap()),
        "{output:#?}"
    );
    tree::assert_holds(&folder, &three()[..1]);
    tree::assert_holds(&home.maildir("a"), &three()[1..]);
}

#[test]
fn what_is_in_a_folder_is_deleted_verified_and_found_again_as_anything_else() {
    let (server, home) = fetched(three(), LISTS);
    let verified = run(&home, &["verify"], 0);
    assert_said(&verified, &["3 intact"]);
    // The state is lost: the folder is read as well.
    fs::remove_file(journal(&home)).unwrap();
    run(&home, &[], 0);
    assert_eq!(server.last_session().count("RETR"), 0);
    assert_eq!(tree::count(&home.maildir("a")), 2);
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!(server.maildrop().count(), 0);
    tree::assert_holds(&home.maildir("a").join(".Lists"), &three()[..1]);
}

#[test]
fn a_folder_that_a_reader_has_made_and_filled_is_left_as_it_is() {
    let (_server, home) = ruled(three(), "", "", Behaviour::new());
    run(&home, &[], 0);
    let folder = home.maildir("a").join(".Lists");
    for part in ["new", "cur"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    fs::write(folder.join("cur/1.other:2,S"), "theirs").unwrap();
    let (server, _) = ruled(vec![from("lists", 4)], "", "", Behaviour::new());
    set_rules(&server, &home, "", LISTS);
    run(&home, &[], 0);
    assert_eq!(fs::read(folder.join("cur/1.other:2,S")).unwrap(), b"theirs");
    assert_eq!(tree::new_files(&folder).len(), 1);
    assert!(!folder.join("maildirfolder").exists());
}

#[test]
fn a_folder_that_cannot_be_made_stops_the_fetch_before_anything_is_asked() {
    let (server, home) = ruled(three(), "", "", Behaviour::new());
    run(&home, &["state", "show", "a"], 0);
    fs::create_dir_all(home.maildir("a").join("new")).unwrap();
    for part in ["tmp", "cur"] {
        fs::create_dir(home.maildir("a").join(part)).unwrap();
    }
    fs::write(home.maildir("a").join(".Lists"), "a file").unwrap();
    set_rules(&server, &home, "", LISTS);
    let output = run(&home, &[], 73);
    assert_said(&output, &[".Lists"]);
    assert!(server.sessions().is_empty());
}

#[test]
fn a_server_that_does_not_let_us_in_leaves_no_folder_behind() {
    let refuses = Behaviour::new().greeting("-ERR go away\r\n");
    let (_server, home) = ruled(three(), "", LISTS, refuses);
    assert_ne!(home.popfetch(["fetch"]).run().status, Some(0));
    assert!(!home.maildir("a").exists());
}

#[test]
fn a_name_of_a_folder_that_leads_out_of_the_maildir_is_refused() {
    for name in ["../x", ".a/../../x", "/tmp/x", "..", ".", "new", ".a..b"] {
        let rule = format!("from = \"*\"; then = {{ folder = {name:?} }}");
        let (server, home) = ruled(three(), "", &rule, Behaviour::new());
        let output = run(&home, &[], 78);
        assert_said(&output, &["folder", "then = "]);
        assert!(server.sessions().is_empty(), "{name}");
    }
}

#[test]
fn of_a_message_whose_header_says_folder_names_none_is_taken() {
    let text = "From: x@lists.example\nFolder: ../../x\nList-Id: <.Evil/../x>\n\nhello\n";
    let (_server, home) = fetched(vec![Message::from_lf("1", text)], LISTS);
    assert_eq!(tree::count(&home.maildir("a").join(".Lists")), 1);
    let names = fs::read_dir(home.maildir("a")).unwrap();
    assert_eq!(
        names.count(),
        5,
        "tmp, new, cur, the Maildir's own file and the folder"
    );
}

#[test]
fn dovecot_takes_top_and_gives_what_rules_sort_leave_and_delete() {
    let Some(dovecot) = Dovecot::start(&three()) else {
        return;
    };
    let home = crate::support::run::Home::new();
    let rules = "[[accounts.a.rules]]\nfrom = \"*@lists.example\"\nthen = { folder = \".Lists\" }\n\
                 [[accounts.a.rules]]\nfrom = \"*@shop.example\"\nthen = \"delete\"\n\
                 [[accounts.a.rules]]\nsubject = { regex = \"^letter [3-5]$\" }\nthen = \"skip\"\n";
    home.one_account(&dovecot.account(), rules);
    let output = run(&home, &[], 0);
    assert_said(
        &output,
        &["1 new message", "1 deleted by rules", "1 skipped"],
    );
    tree::assert_holds(&home.maildir("a").join(".Lists"), &three()[..1]);
    tree::assert_holds(&home.maildir("a"), &[]);
    let output = run(&home, &[], 0);
    assert_said(&output, &["nothing new", "1 skipped"]);
}

/// Another disk, or a link to what is not there: the messages are where nobody sees them.
#[test]
fn what_is_in_a_folder_that_something_else_hides_is_not_deleted_from_the_server() {
    let rules = "from = \"*@lists.example\"; then = { folder = \".Lists\" }";
    for hidden in [true, false] {
        let (server, home) = fetched(three(), rules);
        let folder = home.maildir("a").join(".Lists");
        fs::rename(&folder, home.path().join("aside")).unwrap();
        if hidden {
            std::os::unix::fs::symlink("/nonexistent/there", &folder).unwrap();
        }
        set_rules(&server, &home, "", "");
        home.popfetch(["fetch", "--delete"]).run();
        // Whoever removes a folder with all that is in it has removed its messages.
        let left: &[&str] = if hidden { &["uid-1"] } else { &[] };
        assert_eq!(server.maildrop().unique_ids(), left, "{hidden}");
    }
}

/// Another disk, or a link to what is not there: nobody has removed what is only out of sight.
#[test]
fn what_is_in_a_folder_that_something_else_hides_is_not_said_to_be_removed() {
    for hidden in [true, false] {
        let (_server, home) = fetched(three(), LISTS);
        let folder = home.maildir("a").join(".Lists");
        fs::rename(&folder, home.path().join("aside")).unwrap();
        if hidden {
            std::os::unix::fs::symlink("/nonexistent/there", &folder).unwrap();
        }
        let (status, said) = match hidden {
            true => (1, &["1 missing", ".Lists", "cannot be looked into"][..]),
            false => (0, &["1 removed"][..]),
        };
        assert_said(&run(&home, &["verify"], status), said);
    }
}

/// An archive that its owner has moved to a disk, which is not mounted.
#[test]
fn what_may_be_in_a_folder_that_leads_nowhere_is_neither_deleted_from_the_server_nor_removed() {
    for name in [".Archive", "Archive", ".#lock"] {
        let (server, home) = fetched(three(), "");
        let maildir = home.maildir("a");
        let file = tree::new_files(&maildir).remove(0);
        fs::rename(&file, home.path().join("aside")).unwrap();
        std::os::unix::fs::symlink("/nonexistent/there", maildir.join(name)).unwrap();
        let is_seen = name == ".#lock";
        let verified = run(&home, &["verify"], i32::from(!is_seen));
        let said = if is_seen { "1 removed" } else { "1 missing" };
        assert_said(&verified, &[said]);
        home.popfetch(["fetch", "--delete"]).run();
        assert_eq!(server.maildrop().count(), usize::from(!is_seen), "{name}");
    }
}

/// The folder was in the Maildir that the account had before.
#[test]
fn a_folder_of_an_earlier_maildir_that_something_else_hides_counts_as_well() {
    let (server, home) = fetched(three(), LISTS);
    let folder = home.maildir("a").join(".Lists");
    fs::rename(&folder, home.path().join("aside")).unwrap();
    fs::write(&folder, "another thing").unwrap();
    let config = home.account_config("a", &server.account());
    let config = config
        .replace("Mail/a", "Mail/b")
        .replace("Mail/{account}", "Mail/b");
    home.config(&format!("{config}\nkeep = \"never\"\n"));
    home.popfetch(["fetch"]).run();
    assert_eq!(server.maildrop().unique_ids(), ["uid-1"]);
}
