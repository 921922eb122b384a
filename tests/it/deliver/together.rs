//! Handing on together with rules, `on-new`, reading, and the end of an account.

use super::{TAKE, assert_taken_once, by_shell, serving, spool, taken, write_config};
use crate::given::{assert_said, compact, journal, mail, run};
use crate::rules::three;
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::terminal::everything;
use crate::support::tree;
use std::fs;

type Change = fn(&Server, &Home);

const MAILDIR: &str = "maildir = \"~/Mail/a\"";

const LISTS_TO_A_FOLDER: &str = "[[accounts.a.rules]]\nfrom = \"*@lists.example\"\n\
                                 then = { folder = \".Lists\" }";

const SHOPS_GO: &str = "[[accounts.a.rules]]\nfrom = \"*@shop.example\"\nthen = \"delete\"";

const BOSS_STAYS: &str = "[[accounts.a.rules]]\nfrom = \"*@boss.example\"\nthen = \"skip\"";

/// Takes nothing while there is no file `open`.
const WHEN_OPEN: &str = "test -e open || { cat > /dev/null; exit 75; }; ";

fn name(message: &Message) -> String {
    String::from_utf8(message.unique_id.clone()).unwrap()
}

#[test]
fn a_message_that_a_rule_puts_into_a_folder_is_handed_on_from_there_and_stays() {
    let keys = format!("keep = \"never\"\n{MAILDIR}\n{}\n", by_shell(TAKE));
    let keys = format!("{keys}{LISTS_TO_A_FOLDER}");
    let (server, home) = serving(three(), Behaviour::new(), &keys);
    run(&home, &[], 0);
    assert_taken_once(&home, &three());
    tree::assert_holds(&home.maildir("a").join(".Lists"), &three()[..1]);
    tree::assert_holds(&home.maildir("a"), &three()[1..]);
    assert_eq!(server.maildrop().count(), 0);
    let verified = run(&home, &["verify"], 0);
    assert_said(&verified, &["3 intact"]);
}

#[test]
fn what_waits_in_a_folder_is_handed_on_wherever_its_reader_has_put_it_meanwhile() {
    let script = format!("{WHEN_OPEN}{TAKE}");
    let keys = format!("keep = \"never\"\n{MAILDIR}\n{}\n", by_shell(&script));
    let keys = format!("{keys}{LISTS_TO_A_FOLDER}");
    let (server, home) = serving(three(), Behaviour::new(), &keys);
    run(&home, &[], 1);
    assert_eq!(server.maildrop().count(), 3);
    let folder = home.maildir("a").join(".Lists");
    for file in tree::new_files(&folder) {
        let mut name = file.file_name().unwrap().to_owned();
        name.push(":2,S");
        fs::rename(&file, folder.join("cur").join(name)).unwrap();
    }
    fs::write(home.path().join("open"), "").unwrap();
    run(&home, &[], 0);
    assert_taken_once(&home, &three());
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn what_a_rule_deletes_or_leaves_is_handed_to_nobody() {
    let keys = format!(
        "keep = \"never\"\n{}\n{SHOPS_GO}\n{BOSS_STAYS}",
        by_shell(TAKE)
    );
    let (server, home) = serving(three(), Behaviour::new(), &keys);
    let output = run(&home, &[], 0);
    assert_said(&output, &["1 handed on"]);
    assert_taken_once(&home, &three()[..1]);
    let left = server.maildrop().messages();
    assert_eq!(left.iter().map(name).collect::<Vec<_>>(), ["uid-3"]);
    run(&home, &[], 0);
    assert_taken_once(&home, &three()[..1]);
}

#[test]
fn a_folder_of_a_rule_needs_a_maildir_to_be_in() {
    for deliver in [
        by_shell(TAKE),
        "deliver = { mbox = \"~/mail/in\" }".to_owned(),
    ] {
        let keys = format!("{deliver}\n{LISTS_TO_A_FOLDER}");
        let (server, home) = serving(three(), Behaviour::new(), &keys);
        let output = run(&home, &[], 78);
        assert_said(
            &output,
            &["no Maildir to have this folder", "name a Maildir"],
        );
        assert!(server.sessions().is_empty());
        // As the hint says.
        write_config(&server, &home, &format!("{MAILDIR}\n{keys}"));
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a").join(".Lists"), &three()[..1]);
    }
}

/// The lines of both are in one journal.
#[test]
fn what_waits_and_what_headers_told_outlives_a_compaction_and_a_damaged_journal() {
    let changes: [(&str, Change); 3] = [
        ("as it is", |_, _| {}),
        ("compacted", |server, home| {
            compact(server, home);
            compact(server, home);
        }),
        ("damaged", |_, home| {
            let journal = journal(home);
            let text = fs::read_to_string(&journal).unwrap();
            // The line of the run: all else can be made again.
            let lines = text.split_inclusive('\n');
            let begun = |line: &&str| line.starts_with("B\t");
            let without: String = lines.filter(|line| !begun(line)).collect();
            assert!(without.len() < text.len());
            fs::write(&journal, without).unwrap();
        }),
    ];
    for (maildir, (what, change)) in ["", MAILDIR]
        .into_iter()
        .flat_map(|it| changes.map(|to| (it, to)))
    {
        let what = format!("{what}, {maildir}");
        let script = format!("test $POPFETCH_UNIQUE_ID = uid-2 && {{ {WHEN_OPEN} }}; {TAKE}");
        let keys = format!(
            "keep = \"never\"\n{maildir}\n{}\n{BOSS_STAYS}",
            by_shell(&script)
        );
        let (server, home) = serving(three(), Behaviour::new(), &keys);
        run(&home, &[], 1);
        let lines = fs::read_to_string(journal(&home)).unwrap();
        for letter in ["w", "k", "d", "h"] {
            let begins = format!("{letter}\t");
            assert!(
                lines.lines().any(|line| line.starts_with(&begins)),
                "{letter}"
            );
        }
        change(&server, &home);
        let again = home.popfetch(["fetch"]).run();
        assert_eq!(again.status, Some(1), "{what}: {again:#?}");
        let last = server.last_session();
        assert_eq!((last.count("RETR"), last.count("DELE")), (0, 0), "{what}");
        assert_eq!(last.count("TOP"), 0, "{what}");
        fs::write(home.path().join("open"), "").unwrap();
        let good = home.popfetch(["fetch"]).run();
        assert_eq!(good.status, Some(0), "{what}: {good:#?}");
        assert_taken_once(&home, &three()[..2]);
        if maildir.is_empty() {
            assert_eq!(tree::count(&spool(&home)), 0, "{what}");
        }
        let left = server.maildrop().messages();
        assert_eq!(
            left.iter().map(name).collect::<Vec<_>>(),
            ["uid-3"],
            "{what}"
        );
    }
}

#[test]
fn a_program_for_new_mail_is_told_how_many_there_are_and_no_paths_where_nothing_stays() {
    let hook = "env | grep ^POPFETCH_ | sort > told; wc -c >> told";
    let keys = format!("on-new = [\"sh\", \"-c\", {hook:?}]\n{}", by_shell(TAKE));
    let (_server, home) = serving(mail(3), Behaviour::new(), &keys);
    run(&home, &[], 0);
    let told = fs::read_to_string(home.path().join("told")).unwrap();
    assert!(told.contains("POPFETCH_NEW=3\n"), "{told}");
    assert!(!told.contains("POPFETCH_MAILDIR"), "{told}");
    assert_eq!(told.lines().last().map(str::trim), Some("0"), "{told}");
}

#[test]
fn with_a_maildir_beside_it_such_a_program_reads_the_paths_in_it() {
    let keys = format!("{MAILDIR}\non-new = [\"sh\", \"-c\", \"cat > told\"]\n");
    let keys = format!("{keys}{}", by_shell(TAKE));
    let (_server, home) = serving(mail(2), Behaviour::new(), &keys);
    run(&home, &[], 0);
    let told = fs::read_to_string(home.path().join("told")).unwrap();
    assert_eq!(told.lines().count(), 2, "{told}");
    assert!(
        told.lines().all(|path| fs::metadata(path).is_ok()),
        "{told}"
    );
}

#[test]
fn an_account_that_keeps_no_mail_has_nothing_to_read_and_says_so_where_it_is_asked() {
    let (_server, home) = serving(mail(2), Behaviour::new(), &by_shell(TAKE));
    run(&home, &[], 0);
    for command in [&["list"][..], &["list", "a"]] {
        let output = run(&home, command, 78);
        assert_said(&output, &["a: it has no Maildir", "`deliver`"]);
        assert!(!output.stderr.contains("spool"), "{output:#?}");
    }
    // Beside others it is passed over, unless it is named.
    let other = Server::start(&Maildrop::new(mail(3)));
    let a = fs::read_to_string(home.config_file()).unwrap();
    home.config(&format!(
        "{a}\n{}",
        home.account_config("b", &other.account())
    ));
    run(&home, &["fetch", "b"], 0);
    let listed = run(&home, &["--format", "paths", "list"], 0);
    assert_eq!(listed.stdout.lines().count(), 3, "{listed:#?}");
    assert_eq!(listed.stderr, "", "{listed:#?}");
    run(&home, &["list", "a", "b"], 78);
}

#[test]
fn removing_an_account_keeps_what_waits_and_takes_the_place_it_has_passed_through() {
    let script = format!("{WHEN_OPEN}{TAKE}");
    let (server, home) = serving(mail(2), Behaviour::new(), &by_shell(&script));
    run(&home, &[], 1);
    let output = run(&home, &["account", "remove", "a", "--yes", "--forget"], 0);
    assert_said(&output, &["waits to be handed on", "2 messages"]);
    assert_eq!(tree::count(&spool(&home)), 2);
    server.maildrop().replace([]);
    // Set up again, it goes on with them although they are nowhere else, and their names are forgotten.
    write_config(&server, &home, &by_shell(&script));
    fs::write(home.path().join("open"), "").unwrap();
    run(&home, &[], 0);
    let mut found: Vec<Vec<u8>> = taken(&home).into_values().flatten().collect();
    found.sort();
    let mut wanted: Vec<Vec<u8>> = mail(2).iter().map(Message::stored).collect();
    wanted.sort();
    assert!(found == wanted, "{:?}", taken(&home));
    let output = run(&home, &["account", "remove", "a", "--yes", "--forget"], 0);
    assert!(!output.stderr.contains("waits"), "{output:#?}");
    let left = everything(&home.state());
    assert!(left.is_empty(), "{left:?}");
}
