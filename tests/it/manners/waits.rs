use std::fs;
use std::process::Command;

use super::{assert_silent, pass, remembered};
use crate::given::{assert_said, mail, plainly, run};
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::maildrop::Maildrop;
use crate::support::process::installed;
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use crate::support::tree;

const HOURS: i64 = 60 * 60;

/// Refuses each sign-in with this answer, by PASS and by AUTH.
fn refusing(answer: &str) -> Behaviour {
    let reply = Reply::raw(format!("{answer}\r\n"));
    Behaviour::new().on("PASS", reply.clone()).on("AUTH", reply)
}

/// Runs it on a terminal.
fn on_a_terminal(home: &Home, arguments: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_popfetch");
    let mut command = Command::new("script");
    home.furnish(&mut command);
    let line = format!("{program} {arguments} --color never --no-progress");
    let ended = command.args(["-qec", &line, "/dev/null"]).output().unwrap();
    Output {
        status: ended.status.code(),
        stdout: String::from_utf8(ended.stdout).unwrap(),
        stderr: String::from_utf8(ended.stderr).unwrap(),
        peak_memory: 0,
    }
}

fn with_password(server: &Server, home: &Home, password: &str) {
    let mut account = server.account();
    account.password = password.into();
    home.one_account(&account, "");
}

#[test]
fn f14_a_locked_maildrop_is_not_asked_for_again_before_the_other_client_may_be_done() {
    let (server, home) = plainly(2, Behaviour::new());
    let other_client = server.maildrop().try_lock().unwrap();
    let first = run(&home, &[], 75);
    assert_said(
        &first,
        &["error: a: ", "maildrop is locked", "another program"],
    );
    assert_eq!(server.sessions().len(), 1);
    for (arguments, connections) in [(&["-q"][..], 1), (&[], 1), (&["fetch", "a"], 1)] {
        let early = run(&home, arguments, 75);
        assert_eq!(server.sessions().len(), connections, "{arguments:?}");
        match arguments {
            ["-q"] => assert_silent(&early),
            _ => assert_said(
                &early,
                &[
                    "error: a: not tried: ",
                    "another session had the mailbox at ",
                    "due in ",
                    "--now",
                ],
            ),
        }
    }
    // Each refusal in a row is waited for longer: half a minute is not enough any more.
    pass(&home, 40);
    run(&home, &["-q"], 75);
    assert_eq!(server.sessions().len(), 2);
    pass(&home, 40);
    assert_silent(&run(&home, &["-q"], 75));
    assert_eq!(server.sessions().len(), 2);
    drop(other_client);
    pass(&home, 110);
    run(&home, &["-q"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(2));
    // And it begins anew once the account has worked.
    let _other_client = server.maildrop().try_lock().unwrap();
    run(&home, &["-q"], 75);
    pass(&home, 40);
    run(&home, &["-q"], 75);
    assert_eq!(server.sessions().len(), 5);
}

#[test]
fn b2_what_has_passed_by_the_fourth_run_is_fetched_in_the_fourth_run() {
    // Dovecot whose storage is away for a moment. mpop and fetchmail ask it in each run.
    for words in [
        "-ERR [SYS/TEMP] internal error\r\n",
        "-ERR system busy, try again later\r\n",
        "-ERR zut alors\r\n",
    ] {
        let behaviour = Behaviour::new().on("RETR", Reply::raw(words));
        let (server, home) = plainly(5, behaviour.clone());
        for _ in 0..3 {
            let output = run(&home, &[], 75);
            assert!(!output.stderr.contains("not tried"), "{output:#?}");
        }
        server.behave(Behaviour::new());
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(5));
        // It is left alone all the same where that does not pass, from the fourth refusal on.
        server.maildrop().add([crate::given::letter(6)]);
        server.behave(behaviour);
        (0..4).for_each(|_| _ = run(&home, &[], 75));
        let sessions = server.sessions().len();
        assert_said(
            &run(&home, &[], 75),
            &["not tried: the server let us in, and sent no messages, at "],
        );
        assert_eq!(server.sessions().len(), sessions);
    }
}

#[test]
fn b2_what_is_said_of_a_refusal_that_is_waited_for_is_what_the_server_said() {
    let listing = |words: &str| Behaviour::new().on("STAT", Reply::raw(words));
    let closing = Behaviour::new().on("AUTH", Reply::End(crate::support::wire::Ending::Close));
    for (behaviour, said) in [
        (
            refusing("-ERR something is odd"),
            "the server did not let us in",
        ),
        (
            refusing("-ERR login allowed only every 15 minutes"),
            "asked too often, or for too much,",
        ),
        (
            refusing("-ERR [LOGIN-DELAY] wait"),
            "asked too often, or for too much,",
        ),
        (
            listing("-ERR Download exceed\r\n"),
            "asked too often, or for too much,",
        ),
        (closing, "closed the connection over the sign-in"),
        (
            Behaviour::new().greeting("-ERR not you\r\n"),
            "the server did not let us in",
        ),
        (refusing("-ERR [SYS/PERM] no"), "refused us for good"),
        (refusing("-ERR [AUTH] no"), "refused the sign-in"),
    ] {
        let (_server, home) = plainly(5, behaviour);
        home.popfetch(["fetch"]).run();
        let output = home.popfetch(["fetch"]).run();
        assert_said(&output, &["not tried: ", said]);
        assert!(!output.stderr.contains("busy"), "{output:#?}");
    }
}

#[test]
fn q15_f14_a_lock_that_is_told_in_words_or_by_closing_is_waited_for_as_well() {
    let locked = refusing("-ERR maildrop lock busy!  Is another session active?");
    let old = locked.capabilities(&["UIDL", "USER"]);
    let delayed = Reply::raw("-ERR login allowed only every 15 minutes\r\n");
    let closing = Reply::End(crate::support::wire::Ending::Close);
    for behaviour in [
        old,
        Behaviour::new().on("STAT", delayed),
        Behaviour::new().on("AUTH", closing),
    ] {
        let (server, home) = plainly(1, behaviour);
        run(&home, &["-q"], 75);
        assert_silent(&run(&home, &["-q"], 75));
        assert_eq!(server.sessions().len(), 1);
    }
}

#[test]
fn f13_a_greeting_of_err_is_waited_for_and_asked_about_after_the_third() {
    for (greeting, status) in [
        ("-ERR too many connections\r\n", 75),
        ("-ERR [SYS/TEMP] restarting\r\n", 75),
        ("-ERR [SYS/PERM] not from your network\r\n", 69),
    ] {
        let (server, home) = plainly(1, Behaviour::new().greeting(greeting));
        for connections in 1..=3 {
            let output = run(&home, &[], status);
            assert_said(&output, &["turned us away"]);
            let asked = output.stderr.contains("3 times in a row: ask the provider");
            assert_eq!(
                asked,
                connections == 3 && !greeting.contains('['),
                "{output:#?}"
            );
            let early = run(&home, &[], status);
            assert_said(&early, &["not tried", "--now"]);
            assert_eq!(server.sessions().len(), connections);
            pass(&home, 2 * HOURS);
        }
    }
}

#[test]
fn s27_f16_a_refused_password_is_not_sent_again_until_it_changes() {
    let (server, home) = plainly(1, Behaviour::new());
    with_password(&server, &home, "correct horse");
    let first = run(&home, &["-q"], 77);
    assert_said(&first, &["error: a: ", "refused the sign-in", "hint: "]);
    assert_silent(&run(&home, &["-q"], 77));
    let early = run(&home, &[], 77);
    assert_said(
        &early,
        &["not tried: the server refused the sign-in at ", "--now"],
    );
    assert_eq!(server.sessions().len(), 1);
    // A quarter of an hour, half an hour, one hour, and so on to six; a run every ten minutes for
    // ten days would have been 1440 sign-ins.
    let (mut tries, mut waited) = (1, 0);
    while waited < 24 * HOURS {
        pass(&home, HOURS);
        waited += HOURS;
        run(&home, &["-q"], 77);
        tries = server.sessions().len();
    }
    assert!((5..12).contains(&tries), "{tries}");
    assert_eq!(server.count("AUTH"), tries);
    // Of 16 other ones 15 are tried at once, and then the right one: it is another one again.
    let another = (0..8).any(|number| {
        with_password(&server, &home, &format!("correct horse {number}"));
        home.popfetch(["-q"]).run();
        server.sessions().len() > tries
    });
    assert!(another, "no change of the password is noticed");
    with_password(&server, &home, "secret");
    assert_said(
        &run(&home, &["fetch", "-q", "--now"], 0),
        &["a: works again"],
    );
    tree::assert_holds(&home.maildir("a"), &mail(1));
    with_password(&server, &home, "correct horse");
    run(&home, &["-q"], 77);
}

#[test]
fn f6_f16_what_is_remembered_of_a_password_does_not_tell_it() {
    const PASSWORD: &str = "tr0ub4dor&3";
    let (server, home) = plainly(1, Behaviour::new());
    with_password(&server, &home, PASSWORD);
    run(&home, &[], 77);
    let path = remembered(&home).unwrap();
    let line = fs::read_to_string(&path).unwrap();
    assert!(!line.contains(PASSWORD), "{line}");
    let longest_tag = line.split('\t').nth(8).unwrap();
    assert_eq!(longest_tag.len(), 1, "4 bits and no more: {line}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    // Nor does each refusal tell a little more of it.
    run(&home, &["fetch", "--now"], 77);
    let again = fs::read_to_string(&path).unwrap();
    let hash = |line: &str| {
        line.split('\t')
            .skip(7)
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(hash(&again), hash(&line));
}

#[test]
fn f17_a_refusal_for_good_is_69_and_not_repeated() {
    let (server, home) = plainly(1, refusing("-ERR [SYS/PERM] your account is closed"));
    let first = run(&home, &["-q"], 69);
    assert_said(&first, &["your account is closed", "ask the provider"]);
    assert_silent(&run(&home, &["-q"], 69));
    pass(&home, 600);
    assert_silent(&run(&home, &["-q"], 69));
    assert_eq!(server.sessions().len(), 1);
    assert_eq!(server.count("AUTH"), 1);
}

#[test]
fn r23_without_auth_where_it_would_be_said_the_password_is_not_to_blame() {
    // AUTH-RESP-CODE is announced, so this is no refused password: a busy server.
    let (server, home) = plainly(1, refusing("-ERR something is odd"));
    run(&home, &["-q"], 75);
    assert_said(&run(&home, &[], 75), &["the server did not let us in"]);
    assert_eq!(server.sessions().len(), 1);
}

#[test]
fn f15_a_login_delay_is_kept_to_without_a_connection() {
    for capabilities in [
        ["UIDL", "SASL PLAIN", "LOGIN-DELAY 300"],
        ["UIDL", "SASL PLAIN", "LOGIN-DELAY 300 USER"],
    ] {
        let before = Behaviour::new().capabilities_before(&capabilities[..2]);
        let (server, home) = plainly(2, before.capabilities_after(&capabilities));
        run(&home, &["-q"], 0);
        assert_silent(&run(&home, &["-q"], 75));
        let early = run(&home, &[], 75);
        assert_said(
            &early,
            &[
                "error: a: ",
                "5 min between two sign-ins",
                "next poll allowed in ",
            ],
        );
        let seconds = early.stderr.split("allowed in ").nth(1).unwrap();
        let seconds: i64 = seconds.split(' ').next().unwrap().parse().unwrap();
        assert!((200..=300).contains(&seconds), "{early:#?}");
        assert_eq!(server.sessions().len(), 1);
        // A second before it is over, the run waits for that second.
        pass(&home, 299);
        run(&home, &["-q"], 0);
        assert_eq!(server.sessions().len(), 2);
        run(&home, &["fetch", "--now"], 0);
        assert_eq!(server.sessions().len(), 3);
    }
}

#[test]
fn f15_a_look_is_early_like_a_fetch_and_delays_none() {
    let (server, home) = plainly(
        1,
        Behaviour::new().capabilities(&["UIDL", "SASL PLAIN", "LOGIN-DELAY 300"]),
    );
    run(&home, &["check", "-q"], 0);
    run(&home, &["fetch", "-q"], 0);
    run(&home, &["check"], 75);
    run(&home, &["fetch", "--dry-run"], 75);
    assert_eq!(server.sessions().len(), 2);
    run(&home, &["check", "--now"], 0);
    run(&home, &["account", "test"], 0);
    assert_eq!(server.sessions().len(), 4);
}

#[test]
fn s27_a_look_remembers_a_refused_password_as_well() {
    let (server, home) = plainly(1, Behaviour::new());
    with_password(&server, &home, "correct horse");
    // The directory of states is a fetch's to make; a look in it writes nothing but this.
    fs::create_dir_all(home.state()).unwrap();
    run(&home, &["check"], 77);
    run(&home, &["check"], 77);
    run(&home, &["fetch"], 77);
    assert_eq!(server.sessions().len(), 1);
    // Who tests an account wants to know now.
    run(&home, &["account", "test"], 77);
    assert_eq!(server.sessions().len(), 2);
}

#[test]
fn s27_so_does_what_marks_messages_as_seen() {
    let (server, home) = plainly(1, Behaviour::new());
    with_password(&server, &home, "correct horse");
    run(&home, &["state", "mark-seen", "a"], 77);
    run(&home, &["fetch"], 77);
    assert_eq!(server.sessions().len(), 1);
}

#[test]
fn a_person_at_a_terminal_who_names_the_account_is_not_held_back() {
    if !installed("script") {
        return;
    }
    let (server, home) = plainly(1, Behaviour::new());
    let other_client = server.maildrop().try_lock().unwrap();
    run(&home, &[], 75);
    let early = on_a_terminal(&home, "fetch");
    assert_eq!(early.status, Some(75), "{early:#?}");
    assert!(early.stdout.contains("not tried"), "{early:#?}");
    assert_eq!(server.sessions().len(), 1);
    let asked = on_a_terminal(&home, "fetch a");
    assert!(asked.stdout.contains("maildrop is locked"), "{asked:#?}");
    assert_eq!(server.sessions().len(), 2);
    drop(other_client);
    let asked = on_a_terminal(&home, "fetch a");
    assert_eq!(asked.status, Some(0), "{asked:#?}");
}

#[test]
fn a_file_that_is_lost_or_damaged_costs_nothing() {
    let (server, home) = plainly(1, Behaviour::new());
    with_password(&server, &home, "correct horse");
    run(&home, &[], 77);
    let path = remembered(&home).unwrap();
    fs::write(&path, b"popfetch-manners\t\xff\x00").unwrap();
    run(&home, &[], 77);
    fs::remove_file(&path).unwrap();
    run(&home, &[], 77);
    assert_eq!(server.sessions().len(), 3);
    // A link is not followed, and what it points to is left as it is.
    let other = home.private_file("other", "mine");
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&other, &path).unwrap();
    run(&home, &[], 77);
    assert_eq!(fs::read_to_string(&other).unwrap(), "mine");
}

#[test]
fn q16_accounts_are_held_back_each_for_itself() {
    let (busy, home) = plainly(1, Behaviour::new());
    let good = Server::builder(&Maildrop::new(mail(2))).security(Security::Plain);
    let good = good.start();
    home.config(
        &(home.account_config("a", &busy.account()) + &home.account_config("b", &good.account())),
    );
    let _other_client = busy.maildrop().try_lock().unwrap();
    run(&home, &["-q"], 75);
    let second = run(&home, &[], 75);
    assert_said(&second, &["error: a: not tried", "b: nothing new"]);
    assert_eq!((busy.sessions().len(), good.sessions().len()), (1, 2));
    tree::assert_holds(&home.maildir("b"), &mail(2));
}

#[test]
fn d31_what_a_clock_that_was_years_ahead_has_noted_holds_nothing_up() {
    const TEN_YEARS: i64 = 3650 * 24 * HOURS;
    let (server, home) = plainly(1, refusing("-ERR [AUTH] wrong"));
    run(&home, &[], 77);
    run(&home, &[], 77);
    assert_eq!(server.sessions().len(), 1, "it is left alone");
    pass(&home, -TEN_YEARS);
    run(&home, &[], 77);
    assert_eq!(server.sessions().len(), 2);
    // The clock goes ten years ahead instead.
    pass(&home, TEN_YEARS);
    run(&home, &[], 77);
    assert_eq!(server.sessions().len(), 3);
}
