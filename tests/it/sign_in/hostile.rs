//! What a hostile server can do in the midst of a sign-in (facts S21, S24, S25).

use base64::prelude::{BASE64_STANDARD, Engine};

use super::{attempts, auth_key, offering, serving, sign_in};
use crate::given::{assert_said, run};
use crate::support::behaviour::Reply;
use crate::support::run::{Home, Output};
use crate::support::scram::{Proof, Scram};
use crate::support::script::{Scene, Script};

/// What is wrong with the server's SCRAM, and what is said of it.
fn impostors() -> Vec<(Scram, &'static str)> {
    let with = |change: fn(&mut Scram)| {
        let mut scram = Scram::default();
        change(&mut scram);
        scram
    };
    vec![
        (with(|s| s.iterations = "1".into()), "1 rounds of hashing"),
        (
            with(|s| s.iterations = "2147483648".into()),
            "2147483648 rounds of hashing",
        ),
        (with(|s| s.nonce = String::new()), "nonce"),
        (with(|s| s.iterations = "4096,m=more".into()), "extension"),
        (with(|s| s.iterations = "4096,".into()), "rules of SCRAM"),
        (with(|s| s.proof = Proof::Impostor), "could not prove"),
        (
            with(|s| s.proof = Proof::None),
            "before the sign-in was complete",
        ),
    ]
}

#[test]
fn s21_a_server_that_breaks_scram_gets_no_more_of_us() {
    for (scram, said) in impostors() {
        for auth in ["", "scram-sha-256"] {
            let early = scram.proof == Proof::None;
            let behaviour = offering("PLAIN LOGIN SCRAM-SHA-256").scram(scram.clone());
            let (server, home) = serving(behaviour, auth);
            let output = run(&home, &["-vv"], 76);
            assert_said(&output, &[said, "SCRAM-SHA-256", "hint: "]);
            let session = server.last_session();
            assert_eq!(attempts(&session), 1, "{session:#?}");
            // It is told that it is over, unless it thinks so itself.
            let last = session.commands.last().unwrap();
            assert_eq!(last == "*", !early, "{session:#?}");
            assert_eq!(server.sessions().len(), 1);
        }
    }
}

#[test]
fn s21_a_yes_before_the_server_has_said_anything_does_not_count() {
    for auth in ["scram-sha-256", "scram-sha-1", "cram-md5"] {
        let behaviour = offering("").on("AUTH", Reply::raw("+OK welcome\r\n"));
        let (server, home) = serving(behaviour, auth);
        let output = run(&home, &[], 76);
        assert_said(&output, &["before the sign-in was complete"]);
        assert_eq!(server.last_session().commands.len(), 2);
    }
}

/// A script that announces all mechanisms and answers AUTH with `scene`'s steps.
fn asking(auth: &str, scene: impl FnOnce(Scene) -> Scene) -> (Script, Home) {
    let start = Scene::new().send("+OK ready\r\n").expect("CAPA");
    let start = start.send("+OK\r\nSASL PLAIN\r\n.\r\n").expect("AUTH");
    // Not about TLS, but CRAM-MD5 is to be had with it alone.
    let script = Script::tls(scene(start));
    let home = Home::new();
    home.one_account(&script.account(), &auth_key(&home, auth));
    (script, home)
}

const METHODS: [&str; 7] = [
    "plain",
    "login",
    "external",
    "oauthbearer",
    "xoauth2",
    "cram-md5",
    "scram-sha-256",
];

#[test]
fn s24_no_method_answers_challenges_for_ever() {
    for auth in METHODS {
        let (script, home) = asking(auth, |scene| {
            (0..20).fold(scene, |scene, _| scene.send("+ bW9yZQ==\r\n").expect_any())
        });
        let output = run(&home, &[], 76);
        assert_said(&output, &["error: a: ", "hint: "]);
        let received = script.played()[0].received.clone();
        assert!(received.len() <= 6, "{auth}: {received:#?}");
        assert_eq!(received.last().map(String::as_str), Some("*"), "{auth}");
    }
}

#[test]
fn s24_a_flood_of_challenges_ends_soon_with_little_memory() {
    for (auth, challenge) in [
        ("login", "+ bW9yZQ==\r\n"),
        ("xoauth2", "+ \r\n"),
        ("cram-md5", "+ \x1b[2J %%\r\n"),
        ("scram-sha-256", "+ bW9yZQ==\r\n"),
    ] {
        let (_script, home) = asking(auth, |scene| scene.send_forever(challenge));
        assert_harmless(&run(&home, &["-vv"], 76));
        let (_script, home) = asking(auth, |scene| {
            scene.send([b"+ ".as_slice(), &vec![b'A'; 1 << 20], b"\r\n"].concat())
        });
        assert_harmless(&run(&home, &["-vv"], 76));
    }
}

#[track_caller]
fn assert_harmless(output: &Output) {
    assert!(output.peak_memory < 64 << 20, "{output:#?}");
    assert!(!output.stderr.contains('\x1b'), "{output:#?}");
}

#[test]
fn s24_a_challenge_that_is_no_base64_is_cancelled_and_the_server_told_so() {
    for (auth, status) in [("cram-md5", 76), ("scram-sha-256", 76), ("external", 77)] {
        let (script, home) = asking(auth, |scene| {
            let scene = scene.send("+ not base64\r\n").expect("*");
            scene.send("-ERR cancelled\r\n").expect_close()
        });
        run(&home, &[], status);
        script.assert_followed();
    }
}

#[test]
fn s24_after_a_cancellation_a_yes_does_not_count() {
    for auth in ["cram-md5", "scram-sha-256", "plain"] {
        let (script, home) = asking(auth, |scene| {
            let scene = scene.send("+ not base64\r\n").expect("*");
            scene.send("+OK all the same\r\n").expect_close()
        });
        run(&home, &[], 76);
        script.assert_followed();
    }
}

#[test]
fn s25_whatever_the_reason_a_refused_token_is_answered_once_and_told_harmlessly() {
    let nasty = r#"{"status":"\u001b]52;c;eA==\u0007 in\u009bva\u202elid secret"}"#;
    for (auth, answer) in [("oauthbearer", "AQ=="), ("xoauth2", "")] {
        for (json, told) in [
            (
                r#"{"status":"401","schemes":"bearer"}"#,
                Some("status \"401\""),
            ),
            (nasty, Some("invalid ****\"")),
            ("no JSON at all", None),
            (&format!("{{\"status\":{}", "[".repeat(3000)), None),
            ("", None),
        ] {
            let challenge = format!("+ {}\r\n", BASE64_STANDARD.encode(json));
            let (script, home) = asking(auth, |scene| {
                let scene = scene.send("+ \r\n").expect_any().send(challenge);
                scene.expect_any().send("-ERR no\r\n").expect_close()
            });
            let output = run(&home, &["-vv"], 77);
            let received = script.assert_followed();
            assert_eq!(received[3], answer, "{received:#?}");
            assert_said(&output, &["refused the access token", "hint: "]);
            assert_said(&output, told.as_slice());
            assert_harmless(&output);
            for hidden in ["\u{9b}", "\u{202e}", "\x07", "valid secret"] {
                assert!(!output.stderr.contains(hidden), "{output:#?}");
            }
        }
    }
}

#[test]
fn f2_a_refused_token_that_the_server_repeats_is_not_shown_in_part_either() {
    // A server that gives the token back as the reason.
    for filler in [0, 54, 58] {
        let json = format!("{{\"status\":\"{}valid secret\"}}", "x".repeat(filler));
        let challenge = format!("+ {}\r\n", BASE64_STANDARD.encode(json));
        let (script, home) = asking("xoauth2", |scene| {
            let scene = scene.send("+ \r\n").expect_any().send(challenge);
            scene.expect_any().send("-ERR no\r\n").expect_close()
        });
        let output = run(&home, &[], 77);
        script.assert_followed();
        assert!(!output.stderr.contains("secr"), "{output:#?}");
    }
}

#[test]
fn s25_a_yes_after_a_token_was_refused_does_not_count() {
    for auth in ["oauthbearer", "xoauth2"] {
        let (script, home) = asking(auth, |scene| {
            let scene = scene.send("+ \r\n").expect_any();
            let scene = scene.send("+ eyJzdGF0dXMiOiI0MDEifQ==\r\n").expect_any();
            scene.send("+OK all the same\r\n").expect_close()
        });
        run(&home, &[], 76);
        script.assert_followed();
    }
}

#[test]
fn s47_what_was_said_to_prove_a_secret_is_hidden_when_the_server_repeats_it() {
    for auth in ["login", "cram-md5", "xoauth2", "oauthbearer", "plain"] {
        // First learn what is said, then have it repeated: the same again each time.
        let prompt = format!("+ {}\r\n", BASE64_STANDARD.encode("<1@example.com>"));
        let steps = |scene: Scene| match auth {
            "plain" => scene,
            "login" => scene.send(&prompt).expect_any().send(&prompt).expect_any(),
            _ => scene.send(&prompt).expect_any(),
        };
        let refuse = |scene: Scene, words: &str| {
            scene
                .send(format!("-ERR [AUTH] you said {words}\r\n"))
                .expect_close()
        };
        let (script, home) = asking(auth, |scene| refuse(steps(scene), "no"));
        run(&home, &[], 77);
        let said = script.assert_followed().last().unwrap().clone();
        let said = said.rsplit(' ').next().unwrap();
        let port = script.account().port;
        let (script, home) = asking(auth, |scene| refuse(steps(scene), said));
        // OAUTHBEARER names the port, which is another now.
        let same = auth != "oauthbearer" || port == script.account().port;
        let output = run(&home, &["-vv"], 77);
        script.assert_followed();
        assert!(!same || !output.stderr.contains(said), "{output:#?}");
        assert!(
            !same || output.stderr.contains("you said ****"),
            "{output:#?}"
        );
    }
}

#[test]
fn a_server_that_does_not_speak_of_sasl_at_all_is_not_asked_for_more_than_was_chosen() {
    let (server, home) = serving(offering("").without("SASL"), "login");
    // It has judged no password, and time will not teach it AUTH.
    assert_said(&run(&home, &[], 77), &["nothing about the password"]);
    assert_eq!(sign_in(&server.last_session()), ["AUTH LOGIN"]);
}
