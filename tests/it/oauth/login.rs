//! Signing in: both flows, and what can go wrong in them.

use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{
    begin, configure, holds_a_sign_in, home, kept, server, sign_in, tells_no_secret, with_browser,
};
use crate::given::{assert_said, run};
use crate::support::certificate::{Authority, Wanted};
use crate::support::gate::Gate;
use crate::support::keyring::{Bus, Keyring};
use crate::support::process::{PATIENCE, within};
use crate::support::provider::{Provider, Scripted, browse, value};
use crate::support::run::Home;
use crate::support::tree;

#[test]
fn s47_a_sign_in_in_the_browser_is_all_that_a_fetch_needs_and_no_secret_of_it_is_told() {
    let (server, provider) = (server(1), Provider::start(3600, false));
    let mut home = home(&server, &provider);
    let output = run(&home, &["fetch"], 77);
    assert_said(
        &output,
        &["nobody has signed in", "hint: run: popfetch login a"],
    );
    assert!(server.sessions().is_empty());
    let output = sign_in(&mut home);
    assert_said(&output, &["open this address", "a: signed in"]);
    let asked = provider.queries().remove(0);
    for (name, wanted) in [
        ("response_type", "code"),
        ("client_id", "popfetch-test"),
        ("scope", "mail offline"),
        ("code_challenge_method", "S256"),
        ("login_hint", "ada"),
        ("tenant", "1"),
    ] {
        assert_eq!(value(&asked, name), wanted, "{name}");
    }
    assert!(value(&asked, "redirect_uri").starts_with("http://127.0.0.1:"));
    assert!(value(&asked, "state").len() >= 40);
    let mode = kept(&home).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let output = run(&home, &["fetch", "-vv"], 0);
    tells_no_secret(&output);
    tree::assert_holds(&home.maildir("a"), &crate::given::mail(2));
    let commands = [
        &["check"][..],
        &["account", "test", "a"],
        &["fetch", "--dry-run"],
        &["state", "mark-seen", "a"],
    ];
    for command in commands {
        tells_no_secret(&run(&home, command, 0));
    }
    // The token that came with the sign-in was good for all of them.
    assert_eq!(provider.forms().len(), 1);
}

#[test]
fn a_sign_in_can_be_forgotten() {
    let (server, provider) = (server(1), Provider::start(3600, false));
    let home = home(&server, &provider);
    run(&home, &["login", "a", "--device"], 0);
    run(&home, &["login", "a", "--remove"], 0);
    assert_said(&run(&home, &["fetch"], 77), &["nobody has signed in"]);
    assert_said(
        &run(&home, &["login", "a", "--remove"], 77),
        &["there is no sign-in"],
    );
}

#[test]
fn a_redirect_with_a_wrong_state_gets_a_page_and_neither_ends_nor_completes_the_sign_in() {
    let (server, provider) = (server(1), Provider::start(3600, false));
    let mut home = home(&server, &provider);
    with_browser(&mut home);
    let (running, url) = begin(&home);
    let query = url.split_once('?').unwrap().1;
    let port = query.split_once("127.0.0.1%3A").unwrap().1;
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    for path in [
        "/?code=evil&state=guessed",
        "/?code=evil",
        "/?error=access_denied&state=guessed",
        "/favicon.ico",
        "/elsewhere?code=evil&state=guessed",
    ] {
        let page = browse(&format!("http://127.0.0.1:{port}{path}"));
        assert!(page.starts_with("HTTP/1.1 404 "), "{path}: {page}");
    }
    assert!(provider.forms().is_empty());
    browse(&url);
    assert_eq!(running.wait().status, Some(0));
    assert_eq!(value(&provider.forms()[0], "code"), "c/ode");
}

#[test]
fn f4_whoever_connects_to_the_page_and_says_nothing_keeps_no_browser_waiting() {
    let (server, provider) = (server(1), Provider::start(3600, false));
    let mut home = home(&server, &provider);
    with_browser(&mut home);
    let (running, url) = begin(&home);
    let port = url.split_once("127.0.0.1%3A").unwrap().1;
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    let port = port.parse().unwrap();
    // A browser that connects ahead, a scanner, and somebody who stops in the middle.
    let idle: Vec<TcpStream> = (0..150)
        .map(|number| {
            let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
            if number % 2 == 0 {
                socket.write_all(b"GET /?code=evil HTTP/1.1\r\n").unwrap();
            }
            socket
        })
        .collect();
    // One after the other they would take minutes, and it waits for half of one.
    let page = browse(&url);
    assert!(page.contains("Back to the terminal"), "{page}");
    assert_eq!(running.wait().status, Some(0));
    drop(idle);
}

#[test]
fn who_says_no_in_the_browser_is_told_so() {
    let (server, provider) = (server(1), Provider::start(3600, false));
    let mut home = home(&server, &provider);
    with_browser(&mut home);
    let (running, url) = begin(&home);
    let encoded = |name: &str| {
        let from = url.split_once(&format!("{name}=")).unwrap().1;
        from.split('&').next().unwrap().to_owned()
    };
    let redirect = encoded("redirect_uri")
        .replace("%3A", ":")
        .replace("%2F", "/");
    browse(&format!(
        "{redirect}?error=access_denied&state={}",
        encoded("state")
    ));
    let output = running.wait();
    assert_eq!(output.status, Some(77), "{output:#?}");
    assert_said(&output, &["declined in the browser", "hint: "]);
}

#[test]
fn control_c_ends_a_sign_in_that_nobody_completes() {
    let (server, provider) = (server(1), Provider::start(3600, false));
    let mut home = home(&server, &provider);
    with_browser(&mut home);
    let (mut running, _) = begin(&home);
    running.signal(Signal::INT);
    assert_eq!(running.wait().status, Some(130));
}

#[test]
fn a_device_code_is_polled_for_as_the_provider_wants_it() {
    let (server, provider) = (server(1), Provider::start(3600, false));
    let home = home(&server, &provider);
    for error in ["authorization_pending", "slow_down"] {
        let body = format!("{{\"error\":\"{error}\"}}");
        provider.answer_next(Scripted::Answer(400, body));
    }
    let began = Instant::now();
    let output = run(&home, &["login", "a", "--device"], 0);
    // slow_down adds five seconds to each poll that follows (RFC 8628 section 3.5).
    assert!(began.elapsed().as_secs() >= 5);
    assert_said(&output, &["https://id.example.com/device", "ABCD-"]);
    assert!(!output.stderr.contains('\x1b'), "{output:#?}");
    tells_no_secret(&output);
    assert_eq!(provider.forms().len(), 3);
    run(&home, &["fetch"], 0);
}

#[test]
fn each_refusal_of_a_device_code_has_its_own_words_and_status() {
    let (server, provider) = (server(1), Provider::start(3600, false));
    let home = home(&server, &provider);
    for (code, error, status, words) in [
        (400, "access_denied", 77, "declined"),
        (400, "expired_token", 77, "nobody signed in within"),
        (401, "invalid_client", 78, "check `client-id`"),
        (400, "invalid_scope", 78, "check `scope`"),
        (400, "unauthorized_client", 78, "check `client-id`"),
        (503, "server_error", 75, "HTTP status 503"),
        (429, "slow", 75, "HTTP status 429"),
    ] {
        let body = format!("{{\"error\":\"{error}\",\"error_description\":\"\\u001b[31m!\"}}");
        provider.answer_next(Scripted::Answer(code, body));
        let output = run(&home, &["login", "a", "--device"], status);
        assert_said(&output, &["error: ", words]);
        assert!(!output.stderr.contains('\x1b'), "{output:#?}");
        tells_no_secret(&output);
    }
}

#[test]
fn without_a_screen_the_address_is_shown_and_another_way_is_hinted_at() {
    let (server, provider) = (server(1), Provider::start(3600, false));
    let home = home(&server, &provider);
    let mut running = home.popfetch(["login", "a"]).start();
    // Its handler for signals and its page are there before it says so.
    let said = || running.stderr_so_far().contains("--device").then_some(());
    within(PATIENCE, said).expect("no address");
    running.signal(Signal::INT);
    let output = running.wait();
    assert_eq!(output.status, Some(130));
    let address = provider.url("/authorize?tenant=1&response_type=code");
    assert_said(&output, &[&address, "--device"]);
}

#[test]
fn a_sign_in_is_kept_in_the_keyring_unless_told_otherwise() {
    let Some(keyring) = Keyring::unlocked() else {
        return;
    };
    let (server, provider) = (server(2), Provider::start(60, true));
    let mut home = Home::new();
    let table = provider.table().replace("store = \"file\"\n", "");
    configure(&home, &server.account(), &table);
    keyring.serve(&mut home);
    run(&home, &["login", "a", "--device"], 0);
    assert!(!holds_a_sign_in(&home));
    // Out of date at once, so it is renewed, and the new one kept there again.
    run(&home, &["fetch"], 0);
    assert_eq!(value(&provider.forms()[1], "refresh_token"), "refresh-1");
    run(&home, &["fetch"], 77);
    assert_eq!(value(&provider.forms()[2], "refresh_token"), "refresh-2");
    run(&home, &["login", "a", "--remove"], 0);
    assert_said(&run(&home, &["fetch", "a"], 77), &["nobody has signed in"]);
}

#[test]
fn without_a_keyring_that_is_said_before_anybody_signs_in() {
    let Some(bus) = Bus::start() else {
        return;
    };
    let (server, provider) = (server(1), Provider::start(3600, true));
    let mut home = Home::new();
    let table = provider.table().replace("store = \"file\"\n", "");
    configure(&home, &server.account(), &table);
    bus.serve(&mut home);
    for command in [&["fetch"][..], &["login", "a", "--device"]] {
        let output = run(&home, command, 77);
        assert_said(&output, &["keyring", "store = \"file\"", "token-command"]);
    }
    assert!(server.sessions().is_empty());
    assert!(provider.forms().is_empty());
}

#[test]
fn a_locked_keyring_keeps_no_sign_in_and_nobody_waits_for_it() {
    let Some(locked) = Keyring::locked() else {
        return;
    };
    let (server, provider) = (server(1), Provider::start(3600, true));
    let mut home = Home::new();
    let table = provider.table().replace("store = \"file\"\n", "");
    configure(&home, &server.account(), &table);
    locked.serve(&mut home);
    let login = home.popfetch(["login", "a", "--device"]);
    let output = login.limit(Duration::from_secs(20)).expect(77);
    assert_said(&output, &["keyring", "store = \"file\"", "token-command"]);
    tells_no_secret(&output);
}

#[test]
fn a_provider_must_prove_who_it_is_to_an_authority_of_the_system() {
    let authority = Authority::new();
    let (server, provider) = (
        server(1),
        Provider::start_tls(authority.localhost().server_config()),
    );
    let home = home(&server, &provider);
    let output = run(&home, &["login", "a", "--device"], 69);
    assert_said(&output, &["the certificate of localhost is not trusted"]);
    assert!(provider.forms().is_empty());
    let login = home.popfetch(["login", "a", "--device"]);
    login.env("SSL_CERT_FILE", authority.pem_file()).expect(0);
    run(&home, &["fetch"], 0);
}

#[test]
fn the_accounts_proxy_leads_to_the_provider_too() {
    let authority = Authority::new();
    let identity = authority.issue(&Wanted::default().names(&["id.behind.invalid"]));
    let (server, provider) = (server(1), Provider::start_tls(identity.server_config()));
    let port = provider.port();
    let gate = Gate::start(move |client| {
        let head = client.read_head();
        assert!(
            head.starts_with("CONNECT id.behind.invalid:443 HTTP/1.1\r\n"),
            "{head}"
        );
        client.say("HTTP/1.1 200 OK\r\n\r\n");
        Some(TcpStream::connect(("127.0.0.1", port)).unwrap())
    });
    let home = Home::new();
    let table = provider
        .table()
        .replace(&provider.url(""), "https://id.behind.invalid");
    let proxy = format!("proxy = \"http://127.0.0.1:{}\"\n", gate.port());
    configure(&home, &server.account(), &format!("{proxy}{table}"));
    let login = home.popfetch(["login", "a", "--device"]);
    login.env("SSL_CERT_FILE", authority.pem_file()).expect(0);
    assert_eq!(provider.forms().len(), 1);
}
