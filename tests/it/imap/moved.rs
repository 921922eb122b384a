use super::folders::in_all;
use super::{IMAP, fetched, serving};
use crate::given::{assert_said, letter, mail, run};
use crate::support::dovecot::Dovecot;
use crate::support::imap::Twist;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::tree;

#[test]
fn who_goes_over_from_pop3_is_told_and_has_nothing_twice() {
    let Some(mut dovecot) = Dovecot::start_with_imap(&mail(30), "") else {
        return;
    };
    let home = Home::of(&dovecot.account(), "");
    assert_eq!(fetched(&home), 30);
    // The same mailbox, into the same Maildir.
    let [imap, _] = dovecot.imap_accounts();
    let before = home.account_config("a", &dovecot.account());
    let after = home.account_config("b", &imap) + IMAP;
    let maildir = format!("{:?}", home.maildir("a"));
    let after = after.replace(&format!("{:?}", home.maildir("b")), &maildir);
    home.config(&(before + &after));
    let output = run(&home, &["fetch", "b"], 78);
    assert_said(&output, &["30 of the 30 messages", "popfetch state move"]);
    run(&home, &["state", "move", "a", "b"], 0);
    dovecot.deliver(&[letter(31)]);
    let output = home
        .popfetch(["fetch", "--now", "--format", "paths", "b"])
        .expect(0);
    assert_eq!(output.stdout.lines().count(), 1, "{output:#?}");
    // Nothing is gone from the server: IMAP names what is there in its own way.
    assert_said(
        &output,
        &["b: none of these messages bears a name that is known, and 30 are stored"],
    );
    for untrue in ["warning", "gone", "listed any more"] {
        assert!(!output.stderr.contains(untrue), "{output:#?}");
    }
    tree::assert_holds(&home.maildir("a"), &mail(31));
    let output = home
        .popfetch(["fetch", "--now", "--format", "paths", "b"])
        .expect(0);
    assert_eq!(output.stdout, "");
}

#[test]
fn c3_an_inbox_that_pop3_has_fetched_does_not_come_again_with_all_folders() {
    let Some(mut dovecot) = Dovecot::start_with_imap(&mail(12), "") else {
        return;
    };
    let archived: Vec<_> = (21..=50).map(letter).collect();
    dovecot.deliver_into(".Archive", &archived);
    let home = Home::of(&dovecot.account(), "");
    assert_eq!(fetched(&home), 12);
    // The same account by IMAP, whose state nobody has moved.
    let [imap, starttls] = dovecot.imap_accounts();
    let all = format!("{IMAP}folders = [\"*\"]\n");
    home.one_account(&imap, &all);
    let output = run(&home, &["fetch"], 78);
    assert_said(&output, &["12 of the 42 messages", "popfetch state move"]);
    assert_eq!(tree::count(&home.maildir("a")), 12);
    let old = dovecot.account();
    let old = format!("{}@{}:{}", old.user, old.host, old.port);
    run(&home, &["state", "move", &old, "a"], 0);
    assert_eq!(fetched(&home), 30);
    tree::assert_holds(&home.maildir("a"), &mail(12));
    // And by its other port.
    home.one_account(&starttls, &format!("{all}tls = \"starttls\"\n"));
    let output = run(&home, &["fetch"], 78);
    assert_said(&output, &["42 of the 42 messages"]);
}

#[test]
fn the_account_may_keep_its_name_and_the_state_is_named_as_it_was() {
    // As the manual says it.
    let Some(mut dovecot) = Dovecot::start_with_imap(&mail(30), "") else {
        return;
    };
    let home = Home::of(&dovecot.account(), "");
    assert_eq!(fetched(&home), 30);
    let [imap, _] = dovecot.imap_accounts();
    home.one_account(&imap, IMAP);
    let old = dovecot.account();
    let old = format!("{}@{}:{}", old.user, old.host, old.port);
    run(&home, &["state", "move", &old, "a"], 0);
    dovecot.deliver(&[letter(31)]);
    assert_eq!(fetched(&home), 1);
    tree::assert_holds(&home.maildir("a"), &mail(31));
    assert_eq!(fetched(&home), 0);
}

#[test]
fn uids_that_name_other_messages_now_are_new_whatever_their_sizes_and_however_many() {
    let (server, home) = serving(&mail(3), "folders = [\"*\"]\n");
    let before: Vec<_> = (101..=220).map(letter).collect();
    server.plain_folder("Archive", &before);
    assert_eq!(fetched(&home), 123);
    // The folder is away for a listing, and deals out its UIDs anew.
    let mut archive = server.mailbox(|it| it.others.remove(0));
    fetched(&home);
    for (n, kept) in (301..).zip(&mut archive.messages) {
        kept.message = match n % 2 {
            // As long as what was there, so that the size says nothing.
            0 => {
                let text = String::from_utf8(kept.message.stored()).unwrap();
                Message::from_lf("x", text.replace("@mail.", "@mbox."))
            }
            _ => letter(n),
        };
    }
    server.mailbox(|it| it.others.push(archive));
    let output = run(&home, &["fetch", "--now"], 0);
    assert_said(&output, &["120 new messages", "3 seen"]);
    assert_eq!(in_all(&home), 243);
    assert_eq!(fetched(&home), 0);
}

#[test]
fn a_message_that_took_anothers_place_under_its_uid_and_header_comes_before_it_is_deleted() {
    // An attachment was taken off on the server, say.
    let (server, home) = serving(&[letter(70)], "keep = \"never\"\n");
    server.twist_once("UID STORE", Twist::Instead("{tag} NO not now\r\n".into()));
    run(&home, &["fetch"], 0);
    let text = String::from_utf8(letter(70).stored()).unwrap();
    let other = Message::from_lf("x", text.replace(&"x".repeat(20), "y"));
    server.mailbox(|it| it.messages[0].message = other.clone());
    run(&home, &["fetch", "--now"], 0);
    tree::assert_holds(&home.maildir("a"), &[letter(70), other]);
    assert!(server.uids().is_empty());
}

#[test]
fn c5_what_was_passed_over_is_told_before_it_comes_in_a_folder_that_was_renamed() {
    for renames in [true, false] {
        let (server, home) = serving(&mail(3), "folders = [\"*\"]\nlatest = 2\n");
        let archived: Vec<_> = (21..=40).map(letter).collect();
        server.plain_folder("Archive", &archived);
        assert_eq!(fetched(&home), 4);
        server.other("Archive", |it| match renames {
            true => {
                it.name = "Old".into();
                it.line = it.line.replace("Archive", "Old");
            }
            false => it.uid_validity += 1,
        });
        let output = run(&home, &["fetch", "--now"], 0);
        let folder = if renames { "Old" } else { "Archive" };
        assert_said(
            &output,
            &[
                "18 messages that were marked as seen",
                &format!("the folder {folder} has nothing but 20 new messages"),
                "popfetch state mark-seen a",
            ],
        );
    }
}
