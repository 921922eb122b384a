//! Whom a server's words blame, what the run exits with, and how long the server is left alone.

use super::{pass, remembered};
use crate::given::{assert_said, mail, plainly, run};
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::run::{Home, Output};
use crate::support::tree;
use std::fs;

/// An old server that takes USER and PASS, and announces no response codes.
fn old(command: &str, words: &str) -> Behaviour {
    let reply = Reply::raw(format!("-ERR {words}\r\n"));
    let old = Behaviour::new().capabilities(&["UIDL", "USER"]);
    old.on(command, reply)
}

/// Seconds for which the server is left alone from now on.
fn wait(home: &Home) -> i64 {
    let line = fs::read_to_string(remembered(home).unwrap()).unwrap();
    line.split('\t').nth(5).unwrap().parse().unwrap()
}

fn blames_the_password(output: &Output) -> bool {
    output.stderr.contains("check user and password")
}

#[test]
fn d1_a_wrong_password_is_left_alone_for_long_whatever_the_server_advises() {
    // tpop3d, then others.
    for words in [
        "Lies! Try again!",
        "Invalid password. Please try again later.",
        "authentication failed, wait a moment",
        "no",
    ] {
        let (server, home) = plainly(1, old("PASS", words));
        let output = run(&home, &[], 77);
        assert!(blames_the_password(&output), "{output:#?}");
        assert!(wait(&home) >= 720, "{words}: {}", wait(&home));
        pass(&home, 600);
        run(&home, &["-q"], 77);
        assert_eq!(server.count("PASS"), 1, "{words}");
    }
}

#[test]
fn d1_trouble_that_passes_blames_no_password_and_is_waited_for() {
    for (words, least) in [
        ("Exceeded the login limit for a 15 minute period", 900),
        ("Login rate limit exceeded", 300),
        ("Too many connections", 24),
        ("server overloaded", 24),
        ("under maintenance", 24),
        ("Temporary authentication failure", 24),
        ("internal server error", 24),
        ("Unable to open mailbox", 24),
    ] {
        let (server, home) = plainly(1, old("PASS", words));
        let output = run(&home, &[], 75);
        assert_said(&output, &[words, "hint: "]);
        assert!(!blames_the_password(&output), "{output:#?}");
        assert!(wait(&home) >= least, "{words}: {}", wait(&home));
        run(&home, &["-q"], 75);
        assert_eq!(server.count("PASS"), 1, "{words}");
        // It works as soon as the server does.
        server.behave(Behaviour::new());
        pass(&home, 2000);
        run(&home, &["-q"], 0);
        tree::assert_holds(&home.maildir("a"), &mail(1));
    }
}

#[test]
fn d1_a_refused_listing_is_an_answer_and_nobody_signs_in_again_for_it() {
    for command in ["STAT", "UIDL", "LIST"] {
        for words in [
            "Exceeded the login limit for a 15 minute period",
            "server overloaded",
            "Unable to open mailbox",
            "[SYS/TEMP] x",
            "not today",
        ] {
            let (server, home) = plainly(1, Behaviour::new());
            // With the sign-in and the listings in one flight, as from the second run on.
            run(&home, &[], 0);
            let refused = Reply::raw(format!("-ERR {words}\r\n"));
            server.behave(Behaviour::new().on(command, refused));
            let output = run(&home, &[], 75);
            assert_said(&output, &[words.trim_start_matches("[SYS/TEMP] ")]);
            assert!(!blames_the_password(&output), "{output:#?}");
            assert_eq!(server.sessions().len(), 2, "{command}: {words}");
            if words != "not today" {
                run(&home, &["-q"], 75);
                assert_eq!(server.sessions().len(), 2, "{command}: {words}");
            }
            server.behave(Behaviour::new());
            run(&home, &["fetch", "--now"], 0);
        }
    }
}

#[test]
fn d1_a_server_that_turns_us_away_is_left_alone_as_long_as_it_says() {
    let greeting = "-ERR connecting too often, come back in 40 minutes\r\n";
    let (server, home) = plainly(1, Behaviour::new().greeting(greeting));
    run(&home, &[], 75);
    assert_eq!(wait(&home), 2400);
    pass(&home, 2000);
    run(&home, &["-q"], 75);
    assert_eq!(server.sessions().len(), 1);
}

/// The moments at which a server can refuse before it has sent a message.
const MOMENTS: [&str; 6] = ["greeting", "USER", "PASS", "STAT", "LIST", "UIDL"];

fn refusing_at(moment: &str, words: &str) -> Behaviour {
    match moment {
        "greeting" => Behaviour::new().greeting(format!("-ERR {words}\r\n")),
        command => old(command, words),
    }
}

#[test]
fn d1_what_a_server_says_by_a_code_is_waited_for_alike_wherever_it_says_so() {
    for (words, (least, most)) in [
        ("[SYS/TEMP] back soon", (24, 36)),
        ("[IN-USE] locked", (24, 36)),
        ("[LOGIN-DELAY] not yet", (300, 300)),
        ("[LOGIN-DELAY] wait 10 minutes", (600, 600)),
    ] {
        for moment in MOMENTS.into_iter().chain(["AUTH"]) {
            let case = format!("{moment} {words}");
            let behaviour = match moment {
                "AUTH" => Behaviour::new().on("AUTH", Reply::raw(format!("-ERR {words}\r\n"))),
                moment => refusing_at(moment, words),
            };
            let (server, home) = plainly(1, behaviour);
            let output = run(&home, &[], 75);
            assert!(!blames_the_password(&output), "{case} {output:#?}");
            assert_eq!(server.sessions().len(), 1, "{case}");
            let wait = wait(&home);
            assert!((least..=most).contains(&wait), "{case}: {wait}");
            // Who runs it by hand reads when it is due, and how to have it tried now.
            let output = run(&home, &[], 75);
            assert_said(&output, &["not tried: ", "due in ", "--now"]);
            assert_eq!(server.sessions().len(), 1, "{case}");
            server.behave(Behaviour::new());
            run(&home, &["fetch", "--now"], 0);
            tree::assert_holds(&home.maildir("a"), &mail(1));
        }
    }
}

#[test]
fn d1_a_run_every_five_minutes_has_the_mail_by_the_fourth_run_if_the_trouble_has_passed() {
    for words in ["[SYS/TEMP] back soon", "[IN-USE] locked"] {
        for moment in MOMENTS {
            let (server, home) = plainly(1, refusing_at(moment, words));
            for sessions in 1..=3 {
                run(&home, &["-q"], 75);
                assert_eq!(server.sessions().len(), sessions, "{moment} {words}");
                pass(&home, 5 * 60);
            }
            server.behave(Behaviour::new());
            run(&home, &["-q"], 0);
            tree::assert_holds(&home.maildir("a"), &mail(1));
        }
    }
}

#[test]
fn d1_only_a_greeting_that_gives_no_reason_is_taken_for_a_closed_door() {
    for (words, is_open) in [
        ("Download exceed", true),
        ("too many connections", false),
        ("[IN-USE] locked", true),
        ("connecting too often", true),
        ("", false),
        ("go away", false),
    ] {
        let greeting = format!("-ERR {words}\r\n");
        let (_server, home) = plainly(1, Behaviour::new().greeting(greeting));
        for _ in 0..3 {
            run(&home, &["--now"], 75);
        }
        let output = run(&home, &["--now"], 75);
        let shut_out = output.stderr.contains("shuts out your address");
        assert_eq!(shut_out, !is_open, "{output:#?}");
        if words == "Download exceed" {
            assert!(output.stderr.contains("for too much"), "{output:#?}");
        }
    }
}
