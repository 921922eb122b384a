use super::{letter, mail, named, renamed, retrieved, told, with_lines_above};
use crate::given::{assert_said, run, serving};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;
use crate::support::wire::Ending;

/// A line that a provider adds on top when it moves the mail.
const ADDED: &str =
    "Received: from old.example.com by new.example.com; Tue, 24 Nov 2026 08:00:00 +0000\n";
const TAGGED: &str = "X-Provider-Spam: no\n";

/// The same messages as another server has them.
fn moved(messages: &[Message], added: &str) -> Vec<Message> {
    let messages: Vec<_> = messages
        .iter()
        .map(|it| with_lines_above(it, added))
        .collect();
    renamed(&messages, "new")
}

#[test]
fn c4_new_unique_ids_for_all_messages_are_told_and_bring_nothing_twice() {
    for added in ["", ADDED, TAGGED] {
        let (server, home) = serving(mail(60), Behaviour::new());
        run(&home, &[], 0);
        server.maildrop().replace(moved(&mail(60), added));
        let output = run(&home, &["-q"], 0);
        assert_said(
            &output,
            &[
                "none of 60 known messages is listed any more",
                "60 others are",
            ],
        );
        tree::assert_holds(&home.maildir("a"), &mail(60));
        let output = run(&home, &["-q"], 0);
        assert_eq!(
            (told(&output), retrieved(&server)),
            (Vec::new(), 0),
            "{added:?}"
        );
        run(&home, &["fetch", "--delete"], 0);
        assert_eq!(server.maildrop().count(), 0, "{added:?}");
        tree::assert_holds(&home.maildir("a"), &mail(60));
    }
}

#[test]
fn what_popfetch_had_deleted_itself_is_no_message_that_is_gone_from_the_server() {
    // The deletion has its effect, and the answer is lost.
    let lost = Behaviour::new().on("QUIT", Reply::EffectThenEnd(Ending::Close));
    let server = Server::builder(&Maildrop::new(mail(12)))
        .session(0, lost)
        .start();
    let home = Home::of(&server.account(), "keep = \"never\"\n");
    run(&home, &["fetch"], 0);
    assert_eq!(server.maildrop().count(), 0);
    let new: Vec<Message> = (21..=50).map(letter).collect();
    server.maildrop().add(new.clone());
    let output = run(&home, &["fetch", "--now"], 0);
    let octets = output.stderr.split(['(', ')']).nth(1).unwrap_or_default();
    let said = format!("a: 30 new messages ({octets}), 30 deleted\n");
    assert_eq!(output.stderr, said);
    tree::assert_holds(&home.maildir("a"), &[mail(12), new].concat());
}

#[test]
fn c4_what_no_server_has_stamped_does_not_come_again_as_long_as_it_is_the_same_to_the_octet() {
    let sent = |n| {
        let text = format!(
            "Message-ID: <{n}@example.net>\nFrom: Ada <ada@example.com>\n\
             Date: Mon, 23 Nov 2026 09:58:00 +0000\nSubject: Letter {n}\n\nThis is letter {n}.\n"
        );
        Message::from_lf(format!("uid-{n}"), text)
    };
    let sent: Vec<Message> = (1..=12).map(sent).collect();
    let (server, home) = serving(sent.clone(), Behaviour::new());
    run(&home, &[], 0);
    server.maildrop().replace(renamed(&sent, "new"));
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &sent);
    // With a field more nothing shows that it is.
    let tagged = moved(&sent, TAGGED);
    let tagged = renamed(&tagged, "newer");
    server.maildrop().replace(tagged.clone());
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &[sent, tagged].concat());
}

#[test]
fn c4_what_had_been_deleted_does_not_come_again_with_a_restored_maildrop() {
    for added in ["", ADDED, TAGGED] {
        let (server, home) = serving(mail(12), Behaviour::new());
        run(&home, &["fetch", "--delete"], 0);
        assert_eq!(server.maildrop().count(), 0);
        server.maildrop().add([letter(13)]);
        run(&home, &[], 0);
        server.maildrop().replace(moved(&mail(12), added));
        server
            .maildrop()
            .add([named(letter(13), "uid-13"), letter(14)]);
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(14));
        run(&home, &[], 0);
        assert_eq!(retrieved(&server), 0, "{added:?}");
        tree::assert_holds(&home.maildir("a"), &mail(14));
    }
}

#[test]
fn c4_what_a_reader_had_removed_here_does_not_come_again_either() {
    let (server, home) = serving(mail(12), Behaviour::new());
    run(&home, &[], 0);
    for file in tree::new_files(&home.maildir("a")) {
        std::fs::remove_file(file).unwrap();
    }
    server.maildrop().replace(moved(&mail(12), ADDED));
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &[]);
}

#[test]
fn c4_two_copies_that_are_listed_at_once_are_both_delivered() {
    let (server, home) = serving(mail(12), Behaviour::new());
    run(&home, &[], 0);
    // The old one is still there, so the new one is a copy.
    server.maildrop().add([named(letter(3), "copy")]);
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &[mail(12), vec![letter(3)]].concat());
}

#[test]
fn c4_a_few_messages_that_were_moved_and_back_are_the_same() {
    let (server, home) = serving(mail(12), Behaviour::new());
    run(&home, &[], 0);
    let mut messages = mail(12);
    messages[2] = named(messages[2].clone(), "moved-back");
    messages[7] = named(with_lines_above(&messages[7], TAGGED), "moved-back-too");
    server.maildrop().replace(messages);
    let output = run(&home, &["-q"], 0);
    assert_eq!(told(&output), Vec::<&str>::new());
    tree::assert_holds(&home.maildir("a"), &mail(12));
}

#[test]
fn c5_what_was_passed_over_is_told_before_it_comes_as_new_with_how_to_pass_over_it_again() {
    for by in ["latest", "mark-seen"] {
        let (server, home) = serving(mail(30), Behaviour::new());
        match by {
            "latest" => {
                home.one_account(&server.account(), "latest = 5\n");
                run(&home, &[], 0);
            }
            _ => {
                run(&home, &["state", "mark-seen", "a"], 0);
                server.maildrop().add((31..=35).map(letter));
                run(&home, &[], 0);
            }
        }
        assert_eq!(tree::count(&home.maildir("a")), 5, "{by}");
        let known = server.maildrop().messages();
        server.maildrop().replace(moved(&known, TAGGED));
        // As told: whoever reads it before the run that fetches them can pass over them.
        let output = run(&home, &["-q"], 0);
        let marked = known.len() - 5;
        assert_said(
            &output,
            &[
                &format!("none of {} known messages is listed any more", known.len()),
                &marked.to_string(),
                "popfetch state mark-seen a",
            ],
        );
        assert_eq!(tree::count(&home.maildir("a")), known.len(), "{by}");
    }
}

#[test]
fn c5_mark_seen_passes_over_all_that_has_new_unique_ids() {
    let (server, home) = serving(mail(30), Behaviour::new());
    run(&home, &["state", "mark-seen", "a"], 0);
    server.maildrop().replace(moved(&mail(30), TAGGED));
    let output = run(&home, &["state", "mark-seen", "a"], 0);
    assert_said(&output, &["30 messages marked as seen"]);
    server.maildrop().add([letter(31)]);
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &[letter(31)]);
}
