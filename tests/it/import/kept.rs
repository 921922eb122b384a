//! What fdm has fetched by IMAP, of which it keeps no list: it is in its Maildir, and known by what is in it.
//! With the tests' own server; `real` has fdm itself.

use crate::given::{assert_said, letter, mail, run};
use crate::support::imap::{ImapServer, Kept, Twist};
use crate::support::message::Message;
use crate::support::run::{Home, Output};
use crate::support::skip::is_root;
use crate::support::tree;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

/// The field that fdm puts before the first Received.
const OWN: &str =
    "Received: by host (fdm 1.9, account \"a\");\n\tFri, 27 Nov 2026 03:00:00 +0000\n";

/// A server with `mail`, and a home in which fdm has fetched `stored` of it from the account "a".
fn scene(mail: &[Message], stored: &[Message]) -> (ImapServer, Home) {
    let server = ImapServer::start(mail);
    let home = Home::new();
    let account = server.account();
    let text = format!(
        "set verify-certificates\n\
         account \"a\" imaps server \"{}\" port {} user \"{}\" pass \"{}\" new-only keep\n\
         match all action maildir \"%h/Mail\"\n",
        account.host, account.port, account.user, account.password
    );
    home.private_file(".fdm.conf", &text);
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(home.path().join("Mail").join(part)).unwrap();
    }
    for (n, message) in stored.iter().enumerate() {
        let text = String::from_utf8(message.stored()).unwrap();
        let text = text.replacen("Received:", &format!("{OWN}Received:"), 1);
        // What has been read is in cur/.
        let file = match n % 2 {
            0 => format!("Mail/new/1795395922.7_{n}_0.host"),
            _ => format!("Mail/cur/1795395922.7_{n}_0.host:2,S"),
        };
        home.private_file(&file, &text);
    }
    (server, home)
}

fn import(home: &Home, options: &[&str]) -> Output {
    run(home, &[&["import", "fdm", "-y"], options].concat(), 0)
}

fn fetch(home: &Home, server: &ImapServer, options: &[&str]) -> Output {
    let roots = server.account().roots.unwrap();
    let arguments = [&["fetch", "a"], options].concat();
    home.popfetch(arguments)
        .env("SSL_CERT_FILE", roots)
        .expect(0)
}

fn count(home: &Home) -> usize {
    tree::count(&home.path().join("Mail"))
}

/// A message that no server has put a Received field on, as in a folder of what one has sent.
fn sent(n: usize) -> Message {
    let text = format!("Message-ID: <s{n}@a>\nFrom: Ada <ada@a>\nSubject: Sent {n}\n\nSent {n}.\n");
    Message::from_lf(format!("sent-{n}"), text)
}

#[test]
fn of_20_messages_that_fdm_has_stored_none_comes_again_and_of_one_more_exactly_that() {
    let (server, home) = scene(&mail(20), &mail(20));
    let shown = import(&home, &["--format", "json"]).stdout;
    assert!(shown.contains("\"new\":20"), "{shown}");
    for said in ["a: nothing new, 20 here already", "a: nothing new"] {
        assert_said(&fetch(&home, &server, &[]), &[said]);
        assert_eq!(count(&home), 20);
    }
    // They are asked for once.
    assert_eq!(server.last_session().count("UID FETCH 1"), 1);
    server.mailbox(|it| it.messages.push(Kept::new(21, &letter(21))));
    for _ in 0..2 {
        fetch(&home, &server, &[]);
        assert_eq!(count(&home), 21);
    }
    run(&home, &["verify", "a"], 0);
}

#[test]
fn what_others_have_read_on_the_server_and_what_is_only_alike_comes() {
    let all = [mail(5), vec![sent(1), sent(2)]].concat();
    // Another body under one Message-ID, and one message that fdm has not stored but that was read.
    let other = Message::from_lf(
        "other",
        String::from_utf8(letter(3).stored()).unwrap() + "P.S.\n",
    );
    let stored = [mail(2), vec![other, letter(4), sent(1)]].concat();
    let (server, home) = scene(&all, &stored);
    server.mailbox(|it| it.messages.iter_mut().for_each(|kept| kept.seen = true));
    import(&home, &[]);
    fetch(&home, &server, &[]);
    let ours = tree::read(&home.path().join("Mail")).into_iter();
    let ours: Vec<_> = ours
        .filter(|it| it.name.contains("_pf"))
        .map(|it| it.octets)
        .collect();
    let expected = [letter(3), letter(5), sent(2)].map(|message| message.stored());
    assert_eq!(ours.len(), expected.len());
    assert!(expected.iter().all(|message| ours.contains(message)));
}

#[test]
fn of_two_copies_on_the_server_one_comes_where_fdm_has_stored_one() {
    for message in [letter(1), sent(1)] {
        let (server, home) = scene(&[message.clone(), message.clone()], &[message]);
        import(&home, &[]);
        for _ in 0..2 {
            fetch(&home, &server, &[]);
            assert_eq!(count(&home), 2);
        }
    }
}

#[test]
fn what_fdm_has_stored_is_deleted_on_its_owners_word_alone() {
    let (server, home) = scene(&mail(12), &mail(10));
    import(&home, &[]);
    for _ in 0..2 {
        let output = fetch(&home, &server, &["--delete"]);
        assert!(!output.stderr.contains("not deleted"), "{output:#?}");
        assert_eq!(server.uids().len(), 10);
    }
    import(&home, &["--may-delete"]);
    fetch(&home, &server, &["--delete"]);
    assert_eq!((server.uids().len(), count(&home)), (0, 12));
}

#[test]
fn an_import_from_fdm_that_is_repeated_adds_what_it_has_stored_since() {
    let (server, home) = scene(&mail(3), &mail(2));
    for before_or_after in 0..3 {
        let output = import(&home, &[]);
        match before_or_after {
            0 => assert_said(&output, &["2 fetched messages taken over"]),
            _ => assert_said(&output, &["0 fetched messages taken over, 2 known before"]),
        }
        if before_or_after > 0 {
            fetch(&home, &server, &[]);
            assert_eq!(count(&home), 3);
        }
    }
    server.mailbox(|it| it.messages.push(Kept::new(4, &letter(4))));
    home.private_file(
        "Mail/new/1795395999.7_0_0.host",
        &String::from_utf8(letter(4).stored()).unwrap(),
    );
    let output = import(&home, &[]);
    assert_said(&output, &["1 fetched message taken over, 2 known before"]);
    fetch(&home, &server, &[]);
    assert_eq!(count(&home), 4);
}

#[test]
fn a_first_fetch_that_is_cut_off_or_broken_stores_nothing_twice() {
    let close = Twist::Close;
    let garbage = Twist::Instead("* 15 FETCH (UID 16 BODY[] {2}\r\nhi)\r\n{tag} OK\r\n".into());
    for twist in [close, Twist::Cut(100), garbage] {
        let (server, home) = scene(&mail(30), &mail(20));
        import(&home, &[]);
        server.twist_once("UID FETCH 15 ", twist);
        let roots = server.account().roots.unwrap();
        let _whatever = home
            .popfetch(["fetch", "a"])
            .env("SSL_CERT_FILE", &roots)
            .run();
        assert!(
            server.mailbox(|it| it.once.is_empty()),
            "nothing was broken"
        );
        for _ in 0..2 {
            fetch(&home, &server, &["--now"]);
            assert_eq!(count(&home), 30);
        }
    }
}

#[test]
fn what_is_no_message_in_its_maildir_is_passed_over_and_what_cannot_be_read_changes_nothing() {
    let (server, home) = scene(&mail(2), &mail(1));
    let cur = home.path().join("Mail/cur");
    fs::create_dir(cur.join("directory")).unwrap();
    symlink("/dev/zero", cur.join("endless")).unwrap();
    fs::write(cur.join(".hidden"), "x").unwrap();
    let shown = run(&home, &["import", "fdm", "-n"], 0).stdout;
    assert!(shown.contains("1 message in ~/Mail:"), "{shown}");
    if !is_root() {
        let path = home.private_file("Mail/cur/1.secret", "x");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
        let output = run(&home, &["import", "fdm", "-y"], 74);
        assert_said(&output, &["cannot read", "1.secret", "nothing was changed"]);
        assert!(!home.config_file().exists() && !home.state().exists());
        fs::remove_file(path).unwrap();
    }
    import(&home, &[]);
    fetch(&home, &server, &[]);
    assert_eq!(
        fs::read_dir(home.path().join("Mail/new")).unwrap().count(),
        2
    );
}

#[test]
fn where_the_state_is_lost_the_next_fetch_stops_before_what_fdm_has_stored_comes_again() {
    let (server, home) = scene(&mail(12), &mail(12));
    import(&home, &[]);
    fetch(&home, &server, &[]);
    fs::remove_dir_all(home.state()).unwrap();
    let roots = server.account().roots.unwrap();
    let output = home
        .popfetch(["fetch", "a"])
        .env("SSL_CERT_FILE", roots)
        .expect(78);
    assert_said(&output, &["fdm"]);
    import(&home, &[]);
    fetch(&home, &server, &[]);
    assert_eq!(count(&home), 12);
}
