//! Where what messages are handed on to is the mailbox that they come from, by a name that does not show it, the copies
//! are fetched in the next run: they are not handed on again, and not deleted.

use super::folder::{TO_GMAIL, config, in_dovecot, scene};
use super::lost_answers::{NEVER, has};
use super::spool;
use crate::given::{assert_said, compact, mail, run};
use crate::support::depot::{Act, Depot, Taken, lf};
use crate::support::dovecot::Dovecot;
use crate::support::imap::{ImapServer, Kept};
use crate::support::message::{Message, generate};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tracer;
use crate::support::tree;
use std::fs;

const PLAIN: &str = "IMAP4rev1 LITERAL+ AUTH=PLAIN SASL-IR";

/// One mailbox, by two servers: what "gmail" has been given since is listed by the other one, too.
fn show(server: &Server, depot: &Depot, known: &mut usize) {
    let taken = depot.taken();
    let fresh = taken.iter().skip(*known).map(|it| {
        let name = format!("new-{}", it.uid);
        Message::new(name, it.octets.clone())
    });
    server.maildrop().add(fresh);
    *known = taken.len();
}

/// The same, with these messages in it; how many of them are shown.
fn one_mailbox(
    messages: &[Message],
    capabilities: &str,
    keys: &str,
) -> (Server, Home, Depot, usize) {
    let (server, home, depot) = scene(messages.to_vec(), keys);
    depot.announce(capabilities);
    for message in messages {
        has(&depot, message.octets());
    }
    (server, home, depot, messages.len())
}

#[test]
fn d41_the_copies_in_ones_own_mailbox_are_not_handed_on_again_and_that_is_told_in_each_run() {
    for (capabilities, compacts) in [
        (PLAIN.to_owned() + " UIDPLUS", false),
        (PLAIN.to_owned(), true),
    ] {
        for count in [3, 20] {
            let (server, home, depot, mut known) = one_mailbox(&mail(count), &capabilities, "");
            run(&home, &["fetch", "a"], 0);
            assert_eq!(depot.taken().len(), 2 * count);
            show(&server, &depot, &mut known);
            if compacts {
                compact(&server, &home);
            }
            let output = run(&home, &["fetch", "a"], 0);
            let said = format!("{count} messages are not handed on");
            assert_said(&output, &[&said, "account gmail", "`deliver`"]);
            for _ in 0..2 {
                show(&server, &depot, &mut known);
                let output = run(&home, &["fetch", "a"], 0);
                assert_said(&output, &[&said]);
            }
            assert_eq!(
                (depot.taken().len(), server.maildrop().count()),
                (2 * count, 2 * count)
            );
            assert_eq!(tree::count(&spool(&home)), 0);
        }
    }
}

#[test]
fn d41_more_copies_than_a_run_looks_at_wait_for_the_next_one() {
    let (server, home, depot, mut known) =
        one_mailbox(&mail(252), &(PLAIN.to_owned() + " UIDPLUS"), "");
    run(&home, &["fetch", "a"], 0);
    show(&server, &depot, &mut known);
    depot.behave("greeting", Act::Close);
    // A run looks at 50 messages that may be known by another name.
    for _ in 0..6 {
        home.popfetch(["fetch", "a"]).run();
    }
    assert_eq!(tree::count(&spool(&home)), 252);
    depot.behave_well();
    let output = home.popfetch(["fetch", "a"]).run();
    let words = [
        "250 messages are not handed on",
        "2 messages more may have come back",
    ];
    assert_said(&output, &words);
    assert_eq!(tree::count(&spool(&home)), 2);
    let output = run(&home, &["fetch", "a"], 0);
    assert_said(&output, &["252 messages are not handed on"]);
    assert_eq!(tree::count(&spool(&home)), 0);
    assert_eq!((depot.taken().len(), server.maildrop().count()), (504, 504));
}

#[test]
fn d41_a_copy_that_is_not_listed_any_more_is_handed_on() {
    for is_listed in [false, true] {
        let (server, home, depot) = scene(mail(1), "");
        run(&home, &["fetch", "a"], 0);
        has(&depot, mail(1)[0].octets());
        server
            .maildrop()
            .add([Message::new("twin", mail(1)[0].octets())]);
        depot.behave("greeting", Act::Close);
        home.popfetch(["fetch", "a"]).run();
        assert_eq!(tree::count(&spool(&home)), 1);
        depot.behave_well();
        if !is_listed {
            server.maildrop().replace(mail(1));
        }
        let output = run(&home, &["fetch", "a"], 0);
        let is_withheld = output.stderr.contains("not handed on");
        assert_eq!(is_withheld, is_listed, "{output:#?}");
        let count = if is_listed { 2 } else { 3 };
        assert_eq!(depot.taken().len(), count, "{output:#?}");
        assert_eq!(tree::count(&spool(&home)), 0);
    }
}

/// The mailbox of "a" and of "gmail" is one, and what is handed on goes into a folder that is fetched as well; the
/// server does not say where it puts it.
#[test]
fn d41_copies_in_another_folder_of_ones_own_mailbox_are_not_handed_on_again() {
    for keep in ["always", "never"] {
        let source = ImapServer::start(&mail(3));
        source.plain_folder("Arch", &[]);
        let depot = Depot::start();
        depot.announce(PLAIN);
        depot.says(1_800_000_000, None);
        depot.has_folders(&[("INBOX", ""), ("Arch", "")]);
        depot.change(|taken| {
            taken.extend(mail(3).iter().map(|it| Taken::into("INBOX", it.octets())));
        });
        let home = Home::new();
        let own = home.account_config("a", &source.account());
        let own: Vec<&str> = own
            .lines()
            .filter(|it| !it.starts_with("maildir"))
            .collect();
        let gmail = home.account_config("gmail", &depot.account());
        home.config(&format!(
            "{}\nprotocol = \"imap\"\nfolders = [\"*\"]\nkeep = \"{keep}\"\n\
             deliver = {{ account = \"gmail\", folder = \"Arch\" }}\n{gmail}protocol = \"imap\"\n\
             disabled = true\n",
            own.join("\n")
        ));
        let mut said = String::new();
        for _ in 0..4 {
            said += &run(&home, &["fetch", "a"], 0).stderr;
            let taken = depot.taken().into_iter().filter(|it| it.folder == "Arch");
            let kept = taken.map(|it| Kept::new(it.uid, &Message::new("", it.octets)));
            source.other("Arch", |it| it.messages = kept.collect());
        }
        let there = source.other("Arch", |it| it.messages.len());
        assert_eq!(there, 3, "{keep}: {said}");
        // What has left the server is known again there, and is not to be handed on.
        let told = if keep == "always" { 3 } else { 0 };
        assert_eq!(said.matches("not handed on").count(), told, "{said}");
    }
}

/// The search of the server knows nothing of what has come of late, as an index may be late.
#[test]
fn d41_copies_that_a_search_does_not_find_yet_are_not_handed_on_again() {
    for capabilities in [PLAIN.to_owned() + " UIDPLUS", PLAIN.to_owned()] {
        let source = ImapServer::start(&mail(1));
        let (home, depot) = (Home::new(), Depot::start());
        depot.announce(&capabilities);
        depot.says(source.mailbox(|it| it.uid_validity), None);
        has(&depot, mail(1)[0].octets());
        let nothing = Act::Say("* SEARCH\r\n{tag} OK done\r\n".into());
        depot.behave("SEARCH", nothing);
        let own = home.account_config("a", &source.account());
        let own = own.lines().filter(|it| !it.starts_with("maildir"));
        let own = own.collect::<Vec<&str>>().join("\n");
        let gmail = home.account_config("gmail", &depot.account());
        home.config(&format!(
            "{own}\nprotocol = \"imap\"\n{TO_GMAIL}{gmail}protocol = \"imap\"\ndisabled = true\n"
        ));
        for _ in 0..4 {
            let output = run(&home, &["fetch", "a"], 0);
            let taken = depot.taken();
            assert_eq!(taken.len(), 2, "{capabilities}: {output:#?}");
            let kept = taken.into_iter();
            let kept = kept.map(|it| Kept::new(it.uid, &Message::new("", it.octets)));
            source.mailbox(|it| it.messages = kept.collect());
        }
    }
}

/// Mail that has moved from elsewhere has the date of that day.
#[test]
fn d41_copies_of_what_has_no_message_id_and_another_date_are_not_handed_on_again() {
    let anonymous = Message::from_lf(
        "anonymous",
        "Received: from x by y; Mon, 23 Nov 2020 09:10:02 +0000\nSubject: x\n\ny\n",
    );
    let (server, home, depot, mut known) = one_mailbox(&[anonymous], PLAIN, "");
    for _ in 0..4 {
        let output = run(&home, &["fetch", "a"], 0);
        assert_eq!(depot.taken().len(), 2, "{output:#?}");
        show(&server, &depot, &mut known);
    }
}

#[test]
fn d43_of_a_copy_is_not_said_that_an_account_has_it_that_was_never_asked() {
    let (server, home, depot, mut known) =
        one_mailbox(&mail(1), &(PLAIN.to_owned() + " UIDPLUS"), "");
    run(&home, &["fetch", "a"], 0);
    show(&server, &depot, &mut known);
    let output = run(&home, &["fetch", "a"], 0);
    assert_said(&output, &["1 message is not handed on", "account gmail"]);
    let keys = "deliver = { mbox = \"~/in\" }\nkeep = \"never\"\n";
    config(&server, &home, &depot.account(), keys, "");
    for _ in 0..2 {
        let output = run(&home, &["fetch", "--now", "a"], 0);
        let words = [
            "1 message is not handed on",
            "and the account that `deliver` named then shows",
            "popfetch state forget a new-2",
        ];
        assert_said(&output, &words);
        assert!(!output.stderr.contains("gmail"), "{output:#?}");
    }
}

#[test]
fn d41_copies_that_were_not_handed_on_stay_when_what_they_are_copies_of_is_deleted() {
    let (server, home, depot, mut known) =
        one_mailbox(&mail(3), &(PLAIN.to_owned() + " UIDPLUS"), "");
    run(&home, &["fetch", "a"], 0);
    show(&server, &depot, &mut known);
    run(&home, &["fetch", "a"], 0);
    let keys = format!("{TO_GMAIL}{NEVER}");
    config(&server, &home, &depot.account(), &keys, "");
    for _ in 0..2 {
        home.popfetch(["fetch", "--now", "a"]).run();
        assert_eq!(server.maildrop().count(), 3);
    }
    run(
        &home,
        &["state", "accept", "a", "new-4", "new-5", "new-6"],
        0,
    );
    run(&home, &["fetch", "--now", "a"], 0);
    assert_eq!((server.maildrop().count(), depot.taken().len()), (0, 6));
}

#[test]
fn two_messages_with_the_same_octets_are_both_handed_on_whenever_they_come() {
    for capabilities in [PLAIN.to_owned() + " UIDPLUS", PLAIN.to_owned()] {
        for is_later in [false, true] {
            let (server, home, depot) = scene(mail(2), NEVER);
            depot.announce(&capabilities);
            let twin = Message::new("twin", mail(1)[0].octets());
            if is_later {
                config(&server, &home, &depot.account(), TO_GMAIL, "");
                run(&home, &["fetch", "a"], 0);
            }
            server.maildrop().add([twin]);
            let output = run(&home, &["fetch", "a"], 0);
            assert!(!output.stderr.contains("not handed on"), "{output:#?}");
            assert_eq!(depot.taken().len(), 3, "{is_later}: {output:#?}");
        }
    }
}

/// The mailbox of "ada" at Dovecot, by one protocol as the account "a" and by IMAP as "gmail".
fn two_names(dovecot: &Dovecot, protocol: &str, keys: &str) -> Home {
    let home = Home::new();
    let [other, one] = dovecot.imap_accounts();
    let (own, tls) = match protocol {
        "imap" => (one, "tls = \"starttls\"\n"),
        _ => (dovecot.account(), ""),
    };
    let own = home.account_config("a", &own);
    let own: Vec<&str> = own
        .lines()
        .filter(|it| !it.starts_with("maildir"))
        .collect();
    let other = home.account_config("gmail", &other);
    home.config(&format!(
        "{}\nprotocol = \"{protocol}\"\n{tls}{keys}{other}protocol = \"imap\"\ndisabled = true\n",
        own.join("\n")
    ));
    home
}

#[test]
fn d41_dovecot_keeps_ones_own_mailbox_from_growing_with_each_run() {
    for protocol in ["pop3", "imap"] {
        let Some(dovecot) = Dovecot::start_with_imap(&mail(3), "") else {
            return;
        };
        let home = two_names(&dovecot, protocol, TO_GMAIL);
        for _ in 0..3 {
            let output = run(&home, &["fetch", "a"], 0);
            let count = in_dovecot(&dovecot).len();
            assert_eq!(count, 6, "{protocol}: {output:#?}");
        }
    }
}

#[test]
fn d41_dovecot_keeps_a_mailbox_from_growing_that_two_accounts_fetch_and_hand_on_to() {
    for keep in ["", NEVER] {
        let Some(dovecot) = Dovecot::start_with_imap(&mail(3), "") else {
            return;
        };
        let keys = format!("{TO_GMAIL}{keep}\n");
        let [_, one] = dovecot.imap_accounts();
        let home = two_names(&dovecot, "pop3", &keys);
        let b = home.account_config("b", &one);
        let b: Vec<&str> = b.lines().filter(|it| !it.starts_with("maildir")).collect();
        let b = format!(
            "{}\nprotocol = \"imap\"\ntls = \"starttls\"\n{keys}",
            b.join("\n")
        );
        let config = fs::read_to_string(home.config_file()).unwrap();
        home.config(&(config + &b));
        let mut counts = Vec::new();
        let mut said = String::new();
        for _ in 0..6 {
            said += &home.popfetch(["fetch", "--now", "a"]).run().stderr;
            said += &home.popfetch(["fetch", "--now", "b"]).run().stderr;
            counts.push(in_dovecot(&dovecot).len());
        }
        let last = counts.iter().skip(3);
        assert!(
            last.clone().all(|it| *it == counts[5]),
            "{keep} {counts:?} {said}"
        );
        assert!(counts[5] >= 3 && counts[5] <= 24, "{counts:?}");
    }
}

#[test]
fn d41_dovecot_keeps_what_has_come_back_in_ones_own_mailbox_whatever_its_header() {
    let mut messages = mail(1);
    let sent = "From: a@x\nDate: Mon, 23 Nov 2020 09:10:02 +0000\nSubject: sent\n\nbody\n";
    messages.push(Message::from_lf("sent", sent));
    for protocol in ["pop3", "imap"] {
        let Some(dovecot) = Dovecot::start_with_imap(&messages, "") else {
            return;
        };
        let home = two_names(&dovecot, protocol, &format!("{TO_GMAIL}{NEVER}\n"));
        for _ in 0..3 {
            let output = home.popfetch(["fetch", "--now", "a"]).run();
            let there = in_dovecot(&dovecot);
            let is_there = |it: &Message| there.contains(&it.stored());
            assert!(messages.iter().all(is_there), "{protocol}: {output:#?}");
            let most = messages.len() + usize::from(protocol == "pop3");
            assert!(there.len() <= most, "{protocol}: {output:#?}");
        }
    }
}

#[test]
fn d42_dovecot_keeps_each_message_of_ones_own_mailbox_after_a_kill_at_any_system_call() {
    let messages = generate(4, 600);
    let Some(mut dovecot) = Dovecot::start_with_imap(&[], "") else {
        return;
    };
    for protocol in ["pop3", "imap"] {
        let calls = tracer::at_every_call(8, |number| {
            dovecot.deliver(&messages);
            let keys = "deliver = { account = \"gmail\", folder = \"Old\" }\nkeep = \"never\"\n";
            let home = two_names(&dovecot, protocol, keys);
            let (what, calls) = tracer::killed_fetch(&home, number)?;
            let good = home.popfetch(["fetch", "--now", "a"]).run();
            assert_eq!(good.status, Some(0), "{protocol} {what}: {good:#?}");
            let root = dovecot.maildir();
            let folders = [root.to_owned(), root.join(".Old")];
            let places = folders
                .iter()
                .flat_map(|it| [it.join("new"), it.join("cur")]);
            let files = places.filter_map(|it| fs::read_dir(it).ok()).flatten();
            let files: Vec<_> = files.map(|it| it.unwrap().path()).collect();
            let there: Vec<Vec<u8>> = files.iter().map(|it| lf(&fs::read(it).unwrap())).collect();
            for message in &messages {
                let count = there.iter().filter(|it| **it == message.stored()).count();
                // Nor is deleted what nobody knows to be still the message itself.
                let words = ["may be there twice", "may be the last cop"];
                let is_named = words.iter().any(|words| good.stderr.contains(words));
                assert!(
                    count == 1 || count == 2 && is_named,
                    "{protocol} {what}: {count} of {message:?}: {good:#?}"
                );
            }
            files.iter().for_each(|it| fs::remove_file(it).unwrap());
            Some(calls)
        });
        assert!(calls.is_none_or(|calls| calls > 50), "{calls:?}");
    }
}
