use std::fs::{self, File, FileTimes};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{IMAP, fetched, serving};
use crate::given::{mail, run};
use crate::support::client::Client;
use crate::support::dovecot::Dovecot;
use crate::support::imap::{ImapServer, Twist};
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::tracer::{self, End};
use crate::support::tree;

/// What the messages have on the server, and what stands behind the names of their files.
const FLAGS: [(&str, &str); 6] = [
    ("", ""),
    ("\\Seen", ":2,S"),
    ("\\Answered \\Flagged \\Seen", ":2,FRS"),
    ("\\Draft", ":2,D"),
    ("\\Deleted \\Recent $Junk Seen", ""),
    ("\\FLAGGED $Forwarded NonJunk", ":2,F"),
];

fn with_flags(keys: &str) -> (ImapServer, Home) {
    let (server, home) = serving(&mail(FLAGS.len()), keys);
    server.mailbox(|it| {
        for (kept, (flags, _)) in it.messages.iter_mut().zip(FLAGS) {
            kept.flags = flags.into();
        }
    });
    (server, home)
}

/// Where in the Maildir the letters stand, and what is behind their names.
fn ends(maildir: &Path, messages: &[Message]) -> Vec<String> {
    let files = tree::read(maildir);
    let end = |message: &Message| {
        let file = files.iter().find(|file| file.octets == message.stored());
        let file = file.unwrap_or_else(|| panic!("{:?} is not there", message.unique_id));
        let info = file.name.find(':').map_or("", |at| &file.name[at..]);
        format!("{}{info}", file.subdirectory)
    };
    messages.iter().map(end).collect()
}

fn expected() -> Vec<String> {
    let part = |end: &str| if end.is_empty() { "new" } else { "cur" };
    let each = FLAGS.iter().map(|(_, end)| format!("{}{end}", part(end)));
    each.collect()
}

#[test]
fn flags_come_along_and_stay_as_they_are_on_the_server() {
    for (late, behind, keys) in [
        (false, false, ""),
        (false, true, ""),
        (true, true, ""),
        (false, true, "pipelining = \"off\"\n"),
    ] {
        let (server, home) = with_flags(keys);
        server.mailbox(|it| (it.answers_late, it.notes_behind) = (late, behind));
        let output = run(&home, &["fetch", "--format", "paths"], 0);
        let maildir = home.maildir("a");
        assert_eq!(ends(&maildir, &mail(6)), expected(), "{behind}");
        // What is told is where it is.
        assert!(output.stdout.lines().all(|path| Path::new(path).is_file()));
        assert_eq!(output.stdout.matches("/cur/").count(), 4, "{output:#?}");
        assert!(server.mailbox(|it| it.messages.iter().all(|kept| !kept.seen)));
        let sessions = server.sessions();
        assert!(sessions.iter().all(|it| it.count("UID STORE") == 0));
        assert_eq!(fetched(&home), 0);
        run(&home, &["verify"], 0);
        let listed = run(&home, &["list", "--format", "json"], 0);
        let flags = r#""flags":["flagged","replied","seen"]"#;
        assert!(listed.stdout.contains(flags), "{listed:#?}");
        let new = run(&home, &["list", "--new", "--format", "paths"], 0);
        assert_eq!(new.stdout.lines().count(), 4, "{new:#?}");
        // The files are looked for before anything is deleted.
        run(&home, &["fetch", "--now", "--delete"], 0);
        assert_eq!(server.uids().len(), 0);
        tree::assert_holds(&maildir, &mail(6));
    }
}

#[test]
fn flags_that_are_told_by_themselves_beside_the_message_count_as_well() {
    let (server, home) = serving(&mail(1), "");
    let size = mail(1)[0].octets().len();
    let text = String::from_utf8(mail(1)[0].octets()).unwrap();
    server.twist(
        "UID FETCH 1 ",
        0,
        Twist::Instead(format!(
            "* 1 FETCH (UID 1 BODY[] {{{size}}}\r\n{text})\r\n* 1 FETCH (FLAGS (\\Draft))\r\n\
             * 1 FETCH (UID 1 FLAGS (\\Seen))\r\n* 2 FETCH (UID 2 FLAGS (\\Flagged))\r\n{{tag}} OK done\r\n"
        )),
    );
    assert_eq!(fetched(&home), 1);
    assert_eq!(ends(&home.maildir("a"), &mail(1)), ["cur:2,S"]);
}

#[test]
fn who_wants_no_flags_gets_all_mail_as_new() {
    let (_server, home) = with_flags("flags = false\n");
    assert_eq!(fetched(&home), 6);
    assert_eq!(tree::new_files(&home.maildir("a")).len(), 6);
    let shown = run(&home, &["account", "show", "a"], 0);
    assert!(shown.stdout.contains("flags"), "{shown:#?}");
}

#[test]
fn a_rules_folder_has_them_in_its_own_cur() {
    let (_server, home) = with_flags("[[accounts.a.rules]]\nthen = { folder = \".All\" }\n");
    assert_eq!(fetched(&home), 6);
    let folder = home.maildir("a").join(".All");
    assert_eq!(ends(&folder, &mail(6)), expected());
    fs::remove_dir_all(home.state()).unwrap();
    home.popfetch(["fetch", "--now"]).run();
    assert_eq!(tree::count(&folder), 6, "nothing comes twice");
    assert_eq!(tree::count(&home.maildir("a")), 0);
}

#[test]
fn whatever_a_server_says_of_flags_and_dates_the_message_arrives() {
    let size = mail(1)[0].octets().len();
    let text = String::from_utf8(mail(1)[0].octets()).unwrap();
    let many = "\\Answered $x ".repeat(2_000);
    let deep = format!("{}\\Seen{}", "(".repeat(60), ")".repeat(60));
    for (notes, end) in [
        ("FLAGS () INTERNALDATE \"\"", "new"),
        ("FLAGS NIL INTERNALDATE NIL", "new"),
        ("FLAGS \\Seen INTERNALDATE soon", "new"),
        (
            "FLAGS (\"\\Seen\" /../x:2,S) INTERNALDATE \"31-Feb-2026 00:00:00 +0000\"",
            "new",
        ),
        (
            "FLAGS (\\Seen \\Seen) FLAGS (\\Seen) INTERNALDATE \"31-Dec-9999 23:59:59 +0000\"",
            "cur:2,S",
        ),
        ("INTERNALDATE (1 (2)) X-GM-LABELS (\"\\\\Seen\" a)", "new"),
        (&format!("FLAGS ({many})"), "cur:2,R"),
        (&format!("FLAGS {deep}"), "new"),
    ] {
        for behind in [false, true] {
            let (server, home) = serving(&mail(1), "");
            let body = format!("BODY[] {{{size}}}\r\n{text}");
            let items = match behind {
                true => format!("{body} {notes}"),
                false => format!("{notes} {body}"),
            };
            let answer = format!("* 1 FETCH (UID 1 {items})\r\n{{tag}} OK done\r\n");
            server.twist("UID FETCH 1 ", 0, Twist::Instead(answer));
            assert_eq!(fetched(&home), 1, "{notes}");
            assert_eq!(ends(&home.maildir("a"), &mail(1)), [end], "{notes}");
            tree::assert_holds(&home.maildir("a"), &mail(1));
        }
    }
}

/// The times of the files of the letters, in seconds since 1970.
fn times(home: &Home) -> Vec<i64> {
    let mut paths = files(&home.maildir("a"));
    paths.sort_by_key(|path| fs::metadata(path).unwrap().len());
    let time = |path: &PathBuf| fs::metadata(path).unwrap().mtime();
    paths.iter().map(time).collect()
}

fn files(maildir: &Path) -> Vec<PathBuf> {
    let parts = ["new", "cur"].iter();
    let files = parts.flat_map(|part| fs::read_dir(maildir.join(part)).unwrap());
    files.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_file_is_as_old_as_the_message_is_on_the_server_unless_asked_otherwise() {
    // The letters are dated 23 November 2026, 10:00 UTC.
    const SENT: i64 = 1_795_428_000;
    const WITH: [(&str, Option<i64>); 6] = [
        ("17-Jul-1996 02:44:25 -0700", Some(837_596_665)),
        (" 1-Sep-2026 10:00:00 +0530", Some(1_788_237_000)),
        // None of these is when a server got mail.
        ("01-Jan-1970 00:00:00 +0000", None),
        ("17-Jul-2999 02:44:25 -0700", None),
        ("17-Jul-1996 02:44:25", None),
        ("99-Xxx-0000 99:99:99 +9999", None),
    ];
    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let began = i64::try_from(began.as_secs()).unwrap() - 5;
    for (word, behind) in [
        ("", false),
        ("received", true),
        ("arrival", false),
        ("date", true),
    ] {
        let keys = match word {
            "" => String::new(),
            word => format!("file-time = {word:?}\n"),
        };
        let (server, home) = serving(&mail(WITH.len()), &keys);
        server.mailbox(|it| {
            it.notes_behind = behind;
            for (kept, (date, _)) in it.messages.iter_mut().zip(WITH) {
                kept.internal_date = date.into();
                kept.flags = "\\Seen".into();
            }
        });
        assert_eq!(fetched(&home), WITH.len());
        for (found, (date, received)) in times(&home).into_iter().zip(WITH) {
            match (word, received) {
                ("date", _) => assert_eq!(found, SENT, "{date}"),
                ("arrival", _) | (_, None) => assert!(found >= began, "{keys}{date}: {found}"),
                (_, Some(received)) => assert_eq!(found, received, "{keys}{date}"),
            }
        }
        run(&home, &["verify"], 0);
    }
}

/// Of the kills at some hundred calls.
const FEW: usize = 16;

/// A reader has seen all that is there by now, as a mail program does that was open all the time.
fn read_all(maildir: &Path) {
    for part in ["new", "cur"] {
        let Ok(files) = fs::read_dir(maildir.join(part)) else {
            return;
        };
        for path in files.map(|it| it.unwrap().path()) {
            let name = path.file_name().unwrap().to_str().unwrap();
            let (base, flags) = name.split_once(":2,").unwrap_or((name, ""));
            let to = format!("{base}:2,{}S", flags.trim_end_matches('S'));
            fs::rename(&path, maildir.join("cur").join(to)).unwrap();
        }
    }
}

#[test]
fn a_kill_at_every_system_call_loses_and_doubles_nothing_that_has_flags() {
    for (keep, reads) in [("always", false), ("always", true), ("never", true)] {
        let keys = format!("keep = {keep:?}\nsize-in-name = true\n");
        let calls = tracer::at_every_call(FEW, |number| {
            let (server, home) = with_flags(&keys);
            let (end, calls) = tracer::kill_at(&mut tracer::fetch(&home), number)?;
            let what = format!("{keys}call {number}: {end:?}");
            assert!(matches!(end, End::Killed(_) | End::Exited(0)), "{what}");
            server.sessions();
            let maildir = home.maildir("a");
            if reads {
                read_all(&maildir);
            }
            run(&home, &["fetch"], 0);
            tree::assert_holds(&maildir, &mail(6));
            if !reads {
                assert_eq!(ends(&maildir, &mail(6)), expected(), "{what}");
            }
            assert_eq!(fetched(&home), 0, "{what}");
            run(&home, &["verify"], 0);
            let left = if keep == "never" { 0 } else { 6 };
            assert_eq!(server.uids().len(), left, "{what}");
            Some(calls)
        });
        assert!(calls.is_none_or(|calls| calls > 60), "{calls:?}");
    }
}

#[test]
fn what_a_kill_left_in_tmp_gets_the_flags_that_it_was_to_have() {
    for number in [0, 1, 3] {
        let (server, home) = with_flags("");
        let Some(end) = tracer::kill_at_rename(&home, number) else {
            return;
        };
        assert!(matches!(end, End::Killed(_)), "{number}");
        // Whatever the server says by now.
        server.mailbox(|it| it.messages.iter_mut().for_each(|kept| kept.flags.clear()));
        home.one_account(&server.account(), &format!("{IMAP}flags = false\n"));
        run(&home, &["fetch"], 0);
        assert_eq!(server.last_session().count("UID FETCH 1 "), 0);
        assert_eq!(ends(&home.maildir("a"), &mail(6)), expected());
        assert_eq!(fetched(&home), 0);
    }
}

#[test]
fn flags_that_another_client_has_set_come_from_dovecot() {
    let Some(dovecot) = Dovecot::start_with_imap(&mail(6), "") else {
        return;
    };
    let received = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for file in files(&dovecot.maildir()) {
        let file = File::options().append(true).open(file).unwrap();
        file.set_times(FileTimes::new().set_modified(received))
            .unwrap();
    }
    let account = &dovecot.imap_accounts()[0];
    let mut client = Client::connect(account).unwrap();
    let mut ask = |command: &str| {
        client.send(format!("x {command}\r\n")).unwrap();
        loop {
            let line = client.line().unwrap();
            if line.starts_with("x ") {
                return assert!(line.starts_with("x OK"), "{command}: {line}");
            }
        }
    };
    ask("LOGIN ada secret");
    ask("SELECT INBOX");
    for (number, (flags, _)) in (1..).zip(FLAGS) {
        let flags = flags.replace("\\Recent ", "");
        ask(&format!("STORE {number} FLAGS ({flags})"));
    }
    ask("LOGOUT");
    let home = Home::of(account, IMAP);
    assert_eq!(fetched(&home), 6, "{}", dovecot.log());
    assert_eq!(
        ends(&home.maildir("a"), &mail(6)),
        expected(),
        "{}",
        dovecot.log()
    );
    assert_eq!(times(&home), [1_700_000_000; 6]);
    assert_eq!(fetched(&home), 0);
    run(&home, &["fetch", "--now", "--delete"], 0);
    assert_eq!(dovecot.count(), 0);
    tree::assert_holds(&home.maildir("a"), &mail(6));
}
