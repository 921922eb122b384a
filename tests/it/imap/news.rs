use std::time::Duration;

use rustix::process::Signal;

use super::{IMAP, serving};
use crate::given::{letter, mail};
use crate::support::dovecot::Dovecot;
use crate::support::imap::{ImapServer, Kept, Session, Twist};
use crate::support::process::{PATIENCE, within};
use crate::support::run::{Home, Running};
use crate::support::tree;

fn watch(home: &Home) -> Running {
    let watch = home.popfetch(["watch"]);
    watch.limit(Duration::from_secs(120)).start()
}

/// Waits until it is so; what the watch has said by then, where it never is.
#[track_caller]
fn until(watch: &Running, what: &str, condition: impl Fn() -> bool) {
    let so = within(PATIENCE, || condition().then_some(()));
    assert!(so.is_some(), "{what}: {}", watch.stderr_so_far());
}

#[track_caller]
fn until_stored(watch: &Running, home: &Home, count: usize) {
    until(watch, &format!("{count} are stored"), || {
        tree::count(&home.maildir("a")) == count
    });
}

#[track_caller]
fn end(mut watch: Running) {
    watch.signal(Signal::TERM);
    let output = watch.wait();
    assert_eq!(output.status, Some(0), "{output:#?}");
}

fn push(server: &ImapServer, number: usize) {
    let kept = Kept::new(u32::try_from(number).unwrap(), &letter(number));
    server.mailbox(|it| it.messages.push(kept));
}

/// The sessions in which somebody stays, and the others.
fn parted(server: &ImapServer) -> (Vec<Session>, Vec<Session>) {
    let sessions = server.sessions_so_far().into_iter();
    sessions.partition(|session| session.count("IDLE") > 0)
}

/// Somebody stays, and what had come before was fetched.
#[track_caller]
fn until_heard(watch: &Running, server: &ImapServer) {
    until(watch, "somebody listens", || {
        let (staying, others) = parted(server);
        let fetches = others.iter().filter(|it| it.count("EXAMINE") > 0);
        fetches.filter(|it| it.ended).count() == 2 && staying.iter().any(|it| !it.ended)
    });
}

#[test]
fn mail_is_fetched_when_it_comes() {
    let (server, home) = serving(&mail(2), "");
    let watch = watch(&home);
    until_heard(&watch, &server);
    until(&watch, "the status says who listens", || {
        let told = home.popfetch(["watch", "--status"]).run().stdout;
        told.contains("as soon as the server says") && told.trim_end().ends_with("(IDLE): a")
    });
    server.mailbox(|it| drop(it.messages.remove(0)));
    push(&server, 3);
    until_stored(&watch, &home, 3);
    push(&server, 4);
    until_stored(&watch, &home, 4);
    end(watch);
    let (staying, _) = parted(&server);
    assert_eq!(staying.len(), 1, "{staying:#?}");
    assert_eq!(staying[0].count("SELECT"), 0);
    tree::assert_holds(&home.maildir("a"), &mail(4));
}

#[test]
fn what_comes_is_news_to_who_stays_and_what_goes_is_none() {
    for (comes, told) in [(false, "EXPUNGE"), (true, "EXISTS")] {
        let (server, home) = serving(&mail(3), "");
        let listener = home.popfetch(["check", "--listen", "a"]).start();
        until(&listener, "somebody listens", || {
            !parted(&server).0.is_empty()
        });
        match comes {
            true => push(&server, 4),
            false => server.mailbox(|it| it.messages.clear()),
        }
        until(&listener, "it is told", || {
            parted(&server).0[0].news.contains(told)
        });
        // Behind that the server ends the session: whatever else there was to say is said by then.
        server.mailbox(|it| it.idle_says = "* BYE closing\r\n".into());
        let output = listener.wait();
        let words: Vec<&str> = output.stdout.lines().collect();
        assert_eq!(words.first(), Some(&"listening"), "{output:#?}");
        assert_eq!(words.contains(&"mail"), comes, "{output:#?}");
    }
}

#[test]
fn a_server_that_says_nothing_is_asked_at_each_turn_and_not_for_more() {
    for (capabilities, refusal, asked) in [
        ("IMAP4rev1 AUTH=PLAIN", "", 0),
        ("IMAP4rev1 IDLE AUTH=PLAIN", "{tag} BAD what?\r\n", 1),
        ("IMAP4rev1 IDLE AUTH=PLAIN", "{tag} NO not now\r\n", 1),
        ("IMAP4rev1 IDLE AUTH=PLAIN", "{tag} OK done\r\n", 1),
        ("IMAP4rev1 IDLE AUTH=PLAIN", "* BYE\r\n", 1),
        ("IMAP4rev1 IDLE AUTH=PLAIN", "+ \r\n+ \r\n", 1),
        (
            "IMAP4rev1 IDLE AUTH=PLAIN",
            "+ \r\n{tag} OK\r\n* 9 EXISTS\r\n",
            1,
        ),
        ("IMAP4rev1 IDLE AUTH=PLAIN", "+ \r\na77 OK done\r\n", 1),
    ] {
        let (server, home) = serving(&mail(1), "every = \"1 s\"\n");
        server.mailbox(|it| {
            it.capabilities = capabilities.into();
            it.greeting = "* OK ready".into();
        });
        if !refusal.is_empty() {
            server.says("IDLE", refusal);
        }
        let watch = watch(&home);
        until_stored(&watch, &home, 1);
        until(&watch, "it was asked", || parted(&server).0.len() == asked);
        for count in [2, 3] {
            push(&server, count);
            until_stored(&watch, &home, count);
        }
        // Nobody tries it again for a while.
        assert_eq!(parted(&server).0.len(), asked, "{refusal}");
        end(watch);
    }
}

#[test]
fn a_connection_that_breaks_is_not_made_again_at_once_and_the_turns_go_on() {
    let (server, home) = serving(&mail(1), "every = \"1 s\"\n");
    server.twist("IDLE", 0, Twist::Close);
    let watch = watch(&home);
    for count in [2, 3, 4] {
        until_stored(&watch, &home, count - 1);
        push(&server, count);
    }
    until_stored(&watch, &home, 4);
    assert_eq!(parted(&server).0.len(), 1);
    end(watch);
}

#[test]
fn who_stays_shows_from_time_to_time_that_the_line_is_alive_and_leaves_a_dead_one() {
    let (server, home) = serving(&mail(1), "every = \"1 s\"\ntimeout = \"1 s\"\n");
    let watch = watch(&home);
    until(&watch, "renewed", || {
        let (staying, _) = parted(&server);
        staying
            .iter()
            .any(|it| it.count("DONE") >= 2 && it.count("IDLE") >= 3)
    });
    assert_eq!(parted(&server).0.len(), 1);
    server.mailbox(|it| it.is_dead_when_idle = true);
    until(&watch, "it is left", || parted(&server).0[0].ended);
    push(&server, 2);
    until_stored(&watch, &home, 2);
    end(watch);
}

#[test]
fn a_server_that_never_stops_saying_that_mail_comes_is_not_asked_without_end() {
    let (server, home) = serving(&mail(1), "");
    server.mailbox(|it| {
        it.idle_says =
            "* 3 EXISTS\r\n* 1 EXPUNGE\r\n* 9 RECENT\r\n* 0 RECENT\r\n* OK here\r\n".into();
    });
    let watch = watch(&home);
    until(&watch, "it is asked again", || parted(&server).1.len() >= 3);
    let before = parted(&server).1.len();
    std::thread::sleep(Duration::from_secs(1));
    assert!(parted(&server).1.len() <= before + 1);
    push(&server, 2);
    until_stored(&watch, &home, 2);
    end(watch);
}

#[test]
fn who_stays_ends_with_the_watch_whatever_ends_that() {
    for signal in [Signal::TERM, Signal::INT, Signal::KILL] {
        let (server, home) = serving(&mail(1), "");
        let mut watch = watch(&home);
        until_heard(&watch, &server);
        watch.signal(signal);
        let output = watch.wait();
        assert_eq!(
            output.status == Some(0),
            signal != Signal::KILL,
            "{output:#?}"
        );
        // It waits until all have ended.
        assert_eq!(server.sessions().len(), 3);
    }
}

#[test]
fn another_config_ends_who_stays_for_an_account_that_is_gone() {
    let (server, home) = serving(&mail(1), "");
    let (other, _) = serving(&mail(1), "");
    let mut watch = watch(&home);
    until_heard(&watch, &server);
    home.config(&(home.account_config("b", &other.account()) + IMAP));
    watch.signal(Signal::HUP);
    until_heard(&watch, &other);
    until(&watch, "nobody stays", || {
        server.sessions_so_far().iter().all(|it| it.ended)
    });
    assert_eq!(server.sessions().len(), 3);
    end(watch);
}

#[test]
fn nobody_stays_for_an_account_that_does_not_read_the_inbox() {
    let (server, home) = serving(
        &mail(1),
        "every = \"1 s\"\nfolders = [\"*\"]\nexclude = [\"INBOX\"]\n",
    );
    let watch = watch(&home);
    until(&watch, "it has had its turns", || {
        parted(&server).1.len() >= 3
    });
    assert_eq!(parted(&server).0.len(), 0);
    end(watch);
}

#[test]
fn dovecot_says_when_mail_comes() {
    let Some(mut dovecot) = Dovecot::start_with_imap(&mail(2), "") else {
        return;
    };
    let home = Home::of(&dovecot.imap_accounts()[0], IMAP);
    let watch = watch(&home);
    until_stored(&watch, &home, 2);
    for count in [3, 4] {
        // Until it listens mail is found by the fetch that follows; the second one is told of.
        dovecot.deliver(&[letter(count)]);
        until_stored(&watch, &home, count);
    }
    end(watch);
    tree::assert_holds(&home.maildir("a"), &mail(4));
}
