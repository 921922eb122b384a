//! Tokens from run to run: renewed before they expire, and once when the server refuses one.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{configure, home, kept, server, sign_in_by_device, tells_no_secret};
use crate::given::{assert_said, mail, run};
use crate::support::dovecot::Dovecot;
use crate::support::listener::ClosedPort;
use crate::support::provider::{Provider, Scripted, value};
use crate::support::run::Home;
use crate::support::token_endpoint::{Token, TokenEndpoint};
use crate::support::tree;

#[test]
fn a_token_is_renewed_before_it_expires_and_a_changed_refresh_token_takes_the_old_ones_place() {
    // Good for less than five minutes, so never good enough.
    let (server, provider) = (server(3), Provider::start(200, true));
    let home = home(&server, &provider);
    sign_in_by_device(&home);
    // access-2 is refused, access-3 is what the forced renewal brings.
    let output = run(&home, &["fetch", "-vv"], 0);
    tells_no_secret(&output);
    let used: Vec<_> = provider.forms()[1..]
        .iter()
        .map(|form| value(form, "refresh_token").to_owned())
        .collect();
    assert_eq!(used, ["refresh-1", "refresh-2"]);
    let text = fs::read_to_string(kept(&home)).unwrap();
    assert!(
        text.contains("refresh-3") && text.contains("access-3"),
        "{text}"
    );
    assert!(!text.contains("refresh-2"), "{text}");
}

#[test]
fn f16_s25_a_refused_token_is_renewed_once_and_then_the_run_ends_with_77() {
    let (server, provider) = (server(9), Provider::start(3600, false));
    let home = home(&server, &provider);
    sign_in_by_device(&home);
    let output = run(&home, &["fetch", "-vv"], 77);
    assert_said(
        &output,
        &[
            "trying once with a new one",
            "refused the access token (status \"invalid_token\")",
            "hint: ",
        ],
    );
    tells_no_secret(&output);
    let auths: Vec<_> = server.sessions().iter().map(|s| s.count("AUTH")).collect();
    assert_eq!(auths, [1, 1]);
    assert_eq!(provider.forms().len(), 2);
    // Under cron the server is now left alone, although the token is another one.
    let output = run(&home, &["-q", "fetch"], 77);
    assert_eq!((server.sessions().len(), output.stderr.as_str()), (2, ""));
    let output = run(&home, &["fetch"], 77);
    assert_said(
        &output,
        &[
            "not tried: the server refused the sign-in",
            "popfetch login",
        ],
    );
    assert_eq!((server.sessions().len(), provider.forms().len()), (2, 2));
    // A new sign-in is tried at once.
    sign_in_by_device(&home);
    run(&home, &["-q", "fetch"], 77);
    assert_eq!(server.sessions().len(), 4);
}

#[test]
fn f16_a_refused_token_is_renewed_although_the_thread_has_given_up_its_files() {
    let (server, provider) = (server(2), Provider::start(3600, true));
    let home = home(&server, &provider);
    sign_in_by_device(&home);
    run(&home, &["fetch"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(2));
    assert_eq!(server.sessions().len(), 2);
    assert!(
        fs::read_to_string(kept(&home))
            .unwrap()
            .contains("refresh-2")
    );
    // What was brought by the renewal is used from now on.
    run(&home, &["check"], 0);
    assert_eq!((server.sessions().len(), provider.forms().len()), (3, 2));
}

#[test]
fn s47_all_that_a_token_endpoint_can_say_has_its_own_words_and_status() {
    let (server, provider) = (server(1), Provider::start(0, false));
    let home = home(&server, &provider);
    sign_in_by_device(&home);
    let refusal = |error: &str| {
        let body = format!("{{\"error\":\"{error}\",\"error_description\":\"\\u009b\\u202eno\"}}");
        Scripted::Answer(400, body)
    };
    let text = |code, body: &str| Scripted::Answer(code, body.into());
    let cases = [
        (refusal("invalid_grant"), 77, "run: popfetch login a"),
        (refusal("invalid_client"), 78, "check `client-id`"),
        (refusal("anything"), 77, "refuses: anything"),
        (text(500, "tr0ub4dor"), 75, "HTTP status 500"),
        (text(429, "{}"), 75, "HTTP status 429"),
        (text(200, "<html>tr0ub4dor"), 76, "not the JSON"),
        (
            text(200, "{\"access_token\":\"tr0ub4dor\\n\"}"),
            76,
            "access token is none",
        ),
        (text(400, "tr0ub4dor"), 76, "neither a token nor a refusal"),
        (text(302, "{}"), 76, "neither a token nor a refusal"),
        (text(200, &" ".repeat(300_000)), 76, "far too large"),
        (Scripted::Endless, 76, "far too large"),
        (Scripted::Garbage, 76, "no HTTP"),
    ];
    for (scripted, status, words) in cases {
        provider.answer_next(scripted.clone());
        let output = home.popfetch(["fetch", "-vv"]).run();
        assert_eq!(output.status, Some(status), "{scripted:.60?}: {output:#?}");
        assert_said(&output, &["error: a: ", words]);
        assert!(!output.stderr.contains(['\x1b', '\u{9b}', '\u{202e}']));
        tells_no_secret(&output);
        assert!(server.sessions().is_empty());
    }
    let closed = ClosedPort::new();
    let [open, closed] = [provider.port(), closed.port()].map(|port| format!(":{port}/"));
    let table = provider.table().replace(&open, &closed);
    configure(&home, &server.account(), &table);
    assert_said(&run(&home, &["fetch"], 75), &["cannot reach 127.0.0.1"]);
}

#[test]
fn f2_a_token_endpoint_that_repeats_what_it_was_sent_shows_nothing_of_it() {
    let (server, provider) = (server(1), Provider::start(0, false));
    let home = home(&server, &provider);
    sign_in_by_device(&home);
    // A provider that quotes the form of the request in its refusal.
    for (error, described) in [
        (
            "invalid_grant",
            "bad token refresh-1 of clientsecret".to_owned(),
        ),
        ("invalid_grant", format!("{} refresh-1", "x".repeat(194))),
        ("refresh-1", "no".to_owned()),
        ("cli\\u0007entsecret", "no".to_owned()),
    ] {
        let body = format!("{{\"error\":\"{error}\",\"error_description\":\"{described}\"}}");
        provider.answer_next(Scripted::Answer(400, body));
        let output = run(&home, &["fetch", "-vv"], 77);
        tells_no_secret(&output);
        assert!(!output.stderr.contains("refre"), "{output:#?}");
        assert_said(&output, &["error: a: ", " refuses: "]);
    }
}

#[test]
fn a_token_endpoint_that_says_nothing_is_given_up() {
    let (server, provider) = (server(1), Provider::start(0, false));
    let home = home(&server, &provider);
    sign_in_by_device(&home);
    configure(
        &home,
        &server.account(),
        &format!("timeout = \"2s\"\n{}", provider.table()),
    );
    provider.answer_next(Scripted::Silent);
    let output = run(&home, &["fetch"], 75);
    assert_said(&output, &["127.0.0.1 took too long to answer", "hint: "]);
    assert!(server.sessions().is_empty());
}

#[test]
fn a_run_that_was_overtaken_by_another_uses_what_that_one_has_brought() {
    let (server, provider) = (server(1), Provider::start(3600, true));
    let home = home(&server, &provider);
    sign_in_by_device(&home);
    let file = kept(&home);
    let newer = fs::read_to_string(&file)
        .unwrap()
        .replace("refresh-1", "refresh-9");
    let (before, rest) = newer.split_once("\"expires\":").unwrap();
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap();
    let old = format!("{before}\"expires\":0{}", &rest[digits..]).replace("refresh-9", "refresh-1");
    fs::write(&file, old).unwrap();
    provider.answer_next(Scripted::Overtaken(file.clone(), newer.clone()));
    run(&home, &["fetch"], 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), newer);
    assert_eq!(server.sessions().len(), 1);
}

#[test]
fn a_file_that_others_can_read_or_that_is_damaged_is_not_used() {
    let (server, provider) = (server(1), Provider::start(3600, false));
    let home = home(&server, &provider);
    sign_in_by_device(&home);
    let file = kept(&home);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    assert_said(&run(&home, &["fetch"], 77), &["hint: run: chmod 600 "]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&file, "{\"refresh_token\":\"tr0ub4dor\"}").unwrap();
    let output = run(&home, &["fetch"], 77);
    assert_said(&output, &["damaged", "popfetch login a"]);
    tells_no_secret(&output);
    assert!(server.sessions().is_empty());
}

#[test]
fn a_persons_own_command_gives_the_token_and_is_asked_again_when_that_is_refused() {
    let server = server(2);
    let home = Home::new();
    let command = "n=$(cat n 2>/dev/null || echo 0); n=$((n+1)); echo $n > n; echo access-$n";
    let table = format!(
        "[accounts.a.oauth]\ntoken-command = [\"sh\", \"-c\", \"cd {}; {command}\"]\n",
        home.path().display()
    );
    configure(&home, &server.account(), &table);
    tells_no_secret(&run(&home, &["fetch", "-vv"], 0));
    assert_eq!(server.sessions().len(), 2);
    // One that knows no other token is not asked for a third time, nor the server twice.
    let table = "[accounts.a.oauth]\ntoken-command = [\"echo\", \"access-1\"]\n";
    configure(&home, &server.account(), table);
    run(&home, &["fetch"], 77);
    assert_eq!(server.sessions().len(), 3);
}

#[test]
fn s25_dovecot_lets_us_in_with_what_popfetch_login_has_brought() {
    let provider = Provider::start(3600, false);
    let endpoint = TokenEndpoint::start(vec![Token {
        token: "access-2".into(),
        user: "ada".into(),
        active: true,
    }]);
    let Some(dovecot) = Dovecot::start_taking_tokens(&mail(2), &endpoint) else {
        return;
    };
    let home = Home::new();
    configure(&home, &dovecot.account(), &provider.table());
    sign_in_by_device(&home);
    // Dovecot does not know the first token, and so has it renewed.
    let output = run(&home, &["-vv", "fetch"], 0);
    tells_no_secret(&output);
    assert_eq!(tree::count(&home.maildir("a")), 2);
    assert_eq!(endpoint.asked(), ["access-1", "access-2"]);
}
