use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};

use crate::given::{assert_said, mail, run};
use crate::support::account::{Account, Security};
use crate::support::certificate::{Authority, Wanted};
use crate::support::gate::{Client, Gate, microsocks, server};
use crate::support::listener::ClosedPort;
use crate::support::maildrop::Maildrop;
use crate::support::process::PATIENCE;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

fn home_of(account: &Account, proxy: &str, keys: &str) -> Home {
    Home::of(account, &format!("proxy = \"{proxy}\"\n{keys}"))
}

fn plain(count: usize) -> Server {
    Server::builder(&Maildrop::new(mail(count)))
        .security(Security::Plain)
        .start()
}

/// A SOCKS5 server's part until the request is read: the kind of address, and its octets.
fn socks_request(client: &mut Client<'_>) -> (u8, Vec<u8>, u16) {
    let greeting = client.read(2);
    client.read(greeting[1].into());
    client.say([5, 0]);
    let kind = client.read(4)[3];
    let length = match kind {
        1 => 4,
        3 => client.read(1)[0].into(),
        _ => 16,
    };
    let address = client.read(length);
    let port = client.read(2);
    (kind, address, u16::from_be_bytes([port[0], port[1]]))
}

#[test]
fn a_real_socks_server_leads_to_the_server() {
    let Some((_daemon, port)) = microsocks(&[]) else {
        return;
    };
    let proxy = format!("socks5://127.0.0.1:{port}");
    let server = Server::start(&Maildrop::new(mail(3)));
    let home = home_of(&server.account(), &proxy, "keep = \"never\"\n");
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(3));
    assert_eq!(server.maildrop().count(), 0);
    // By address, and to where nobody is.
    let mut account = server.account();
    account.host = "127.0.0.1".into();
    run(&home_of(&account, &proxy, ""), &[], 0);
    let closed = ClosedPort::new();
    account.port = closed.port();
    let output = run(&home_of(&account, &proxy, ""), &[], 75);
    assert_said(
        &output,
        &[
            &proxy,
            "could not connect to the server",
            "refused",
            "hint: ",
        ],
    );
}

#[test]
fn a_real_socks_server_wants_the_right_user_and_password() {
    let Some((_daemon, port)) = microsocks(&["-u", "gate", "-P", "tr0ub4dor"]) else {
        return;
    };
    let server = Server::start(&Maildrop::new(mail(1)));
    let at = |login: &str| format!("socks5://{login}127.0.0.1:{port}");
    let home = home_of(&server.account(), &at("gate:tr0ub4dor@"), "");
    let output = run(&home, &["-vv"], 0);
    assert!(!output.stderr.contains("tr0ub4dor"), "{output:#?}");
    tree::assert_holds(&home.maildir("a"), &mail(1));
    for login in ["gate:tr0ub4d0r@", "ada:tr0ub4dor@", ""] {
        let output = run(&home_of(&server.account(), &at(login), ""), &["-vv"], 77);
        let named = at(&login
            .replace("tr0ub4dor", "***")
            .replace("tr0ub4d0r", "***"));
        assert_said(
            &output,
            &["error: a: ", &named, "refused the sign-in", "hint: "],
        );
        assert!(!output.stderr.contains("tr0ub4d"), "{output:#?}");
    }
    assert_eq!(server.sessions().len(), 1, "never around the proxy");
}

#[test]
fn a_name_is_the_proxys_to_resolve() {
    let authority = Authority::new();
    let identity = authority.issue(&Wanted::default().names(&["pop.behind.invalid"]));
    let behind = Server::builder(&Maildrop::new(mail(2)))
        .security(Security::identity(&identity, &authority))
        .start();
    let port = behind.port();
    let gate = Gate::start(move |client| {
        let (kind, name, asked) = socks_request(client);
        assert_eq!(
            (kind, name.as_slice(), asked),
            (3, &b"pop.behind.invalid"[..], port)
        );
        client.say([5, 0, 0, 3, 4, b'g', b'a', b't', b'e', 0, 1]);
        server(port)
    });
    let mut account = behind.account();
    account.host = "pop.behind.invalid".into();
    for proxy in ["socks5", "socks5h"] {
        let home = home_of(
            &account,
            &format!("{proxy}://localhost:{}", gate.port()),
            "",
        );
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(2));
    }
    let gate = Gate::start(move |client| {
        let head = client.read_head();
        let wanted = format!("CONNECT pop.behind.invalid:{port} HTTP/1.1\r\n");
        assert!(head.starts_with(&wanted), "{head}");
        client.say("HTTP/1.1 200 Connection established\r\nVia: gate\r\n\r\n");
        server(port)
    });
    let home = home_of(&account, &format!("http://localhost:{}", gate.port()), "");
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(2));
}

#[test]
fn s12_a_name_in_another_script_goes_out_in_its_ascii_form() {
    let authority = Authority::new();
    let identity = authority.issue(&Wanted::default().names(&["xn--bcher-kva.invalid"]));
    let behind = Server::builder(&Maildrop::new(mail(1)))
        .security(Security::identity(&identity, &authority))
        .start();
    let port = behind.port();
    let gate = Gate::start(move |client| {
        let (kind, name, _) = socks_request(client);
        assert_eq!((kind, name.as_slice()), (3, &b"xn--bcher-kva.invalid"[..]));
        client.say([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        server(port)
    });
    let proxy = format!("socks5://127.0.0.1:{}", gate.port());
    for host in ["bücher.invalid", "Bücher.Invalid.", "xn--bcher-kva.invalid"] {
        let account = Account {
            host: host.into(),
            ..behind.account()
        };
        let home = home_of(&account, &proxy, "");
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(1));
    }
}

#[test]
fn what_the_server_says_right_behind_the_proxy_is_not_lost() {
    let behind = plain(1);
    let port = behind.port();
    let greeted = move || {
        let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let mut greeting = Vec::new();
        while !greeting.ends_with(b"\n") {
            let mut octet = [0];
            server.read_exact(&mut octet).unwrap();
            greeting.extend(octet);
        }
        (server, greeting)
    };
    let http = Gate::start(move |client| {
        client.read_head();
        let (server, greeting) = greeted();
        client.say([b"HTTP/1.0 200\r\n\r\n", greeting.as_slice()].concat());
        Some(server)
    });
    let socks = Gate::start(move |client| {
        socks_request(client);
        let (server, greeting) = greeted();
        client.say([&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0], greeting.as_slice()].concat());
        Some(server)
    });
    for proxy in [
        format!("http://127.0.0.1:{}", http.port()),
        format!("socks5://127.0.0.1:{}", socks.port()),
    ] {
        let home = home_of(&behind.account(), &proxy, "");
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(1));
    }
}

#[test]
fn a_web_proxy_wants_the_right_user_and_password_and_repeats_them_in_vain() {
    let behind = plain(1);
    let port = behind.port();
    let right = BASE64_STANDARD.encode("gate:tr0ub4dor");
    let gate = Gate::start(move |client| {
        let head = client.read_head();
        let found = head
            .lines()
            .find_map(|l| l.strip_prefix("Proxy-Authorization: Basic "));
        if found == Some(&right) {
            client.say("HTTP/1.1 200 OK\r\n\r\n");
            return server(port);
        }
        let found = found.unwrap_or_default();
        let clear = BASE64_STANDARD.decode(found).unwrap();
        let clear = String::from_utf8(clear).unwrap();
        client.say(format!("HTTP/1.1 407 No {found} {clear}\r\n\r\n"));
        None
    });
    let at = |login: &str| format!("http://{login}127.0.0.1:{}", gate.port());
    run(
        &home_of(&behind.account(), &at("gate:tr0ub4dor@"), ""),
        &["-vv"],
        0,
    );
    for login in ["gate:hunter2@", ""] {
        let output = run(&home_of(&behind.account(), &at(login), ""), &["-vv"], 77);
        assert_said(&output, &["refused the sign-in: 407 No", "hint: "]);
        let secret = BASE64_STANDARD.encode("gate:hunter2");
        assert!(!output.stderr.contains("hunter2"), "{output:#?}");
        assert!(!output.stderr.contains(&secret), "{output:#?}");
    }
}

#[test]
fn f2_a_web_proxy_that_repeats_the_password_where_its_words_are_cut_shows_nothing_of_it() {
    // A proxy that repeats the head of the request, as Squid does in its pages.
    let behind = plain(1);
    for filler in [0, 60, 80, 95] {
        let gate = Gate::start(move |client| {
            let head = client.read_head();
            let found = head
                .lines()
                .find_map(|line| line.strip_prefix("Proxy-Authorization: Basic "));
            let found = found.unwrap_or_default();
            let clear = String::from_utf8(BASE64_STANDARD.decode(found).unwrap()).unwrap();
            let password = clear.strip_prefix("gate:").unwrap();
            let hex: String = password
                .bytes()
                .map(|octet| format!("{octet:02x}"))
                .collect();
            let filler = "x".repeat(filler);
            client.say(format!(
                "HTTP/1.1 407 {filler} {password} {found} {hex}\r\n\r\n"
            ));
            None
        });
        let proxy = format!(
            "http://gate:correct-horse-battery@127.0.0.1:{}",
            gate.port()
        );
        let output = run(&home_of(&behind.account(), &proxy, ""), &["-vv"], 77);
        assert_said(&output, &["refused the sign-in: 407 ", "****"]);
        let token = BASE64_STANDARD.encode("gate:correct-horse-battery");
        for part in [
            "corre",
            "horse",
            "batt",
            token.get(..6).unwrap(),
            "636f7272",
        ] {
            assert!(!output.stderr.contains(part), "{part}: {output:#?}");
        }
    }
}

#[test]
fn a_proxy_that_is_not_there_is_temporary_and_never_gone_around() {
    let server = plain(1);
    for scheme in ["socks5", "http"] {
        let closed = ClosedPort::new();
        let proxy = format!("{scheme}://127.0.0.1:{}", closed.port());
        let output = run(&home_of(&server.account(), &proxy, ""), &[], 75);
        assert_said(
            &output,
            &["error: a: ", &proxy, "cannot connect", "hint: ", "`proxy`"],
        );
        let proxy = format!("{scheme}://proxy.invalid:1080");
        let output = home_of(&server.account(), &proxy, "")
            .popfetch([""; 0])
            .run();
        assert!(matches!(output.status, Some(69 | 75)), "{output:#?}");
        assert_said(&output, &[&proxy]);
    }
    assert!(server.sessions().is_empty());
}

/// Runs against a proxy that answers the request with this.
fn answered(scheme: &str, answer: impl AsRef<[u8]> + Send + Sync + 'static, status: i32) -> String {
    let server = plain(1);
    let http = scheme == "http";
    let gate = Gate::start(move |client| {
        if http {
            client.read_head();
        } else {
            socks_request(client);
        }
        client.say(&answer);
        None
    });
    let proxy = format!("{scheme}://127.0.0.1:{}", gate.port());
    let home = home_of(&server.account(), &proxy, "timeout = \"5s\"\n");
    let output = run(&home, &[], status);
    assert_said(&output, &["error: a: ", &proxy, "hint: "]);
    assert!(server.sessions().is_empty(), "{output:#?}");
    output.stderr
}

#[test]
fn a_socks_server_that_refuses_says_why_and_for_how_long() {
    for (code, status, words) in [
        (1, 75, "general failure"),
        (2, 69, "its rules do not allow it"),
        (3, 75, "network unreachable"),
        (4, 75, "host unreachable"),
        (5, 75, "connection refused"),
        (6, 75, "timed out"),
        (7, 69, "knows no CONNECT"),
        (8, 69, "no such kind of address"),
        (77, 69, "(77)"),
    ] {
        let said = answered("socks5", [5, code, 0, 1, 0, 0, 0, 0, 0, 0], status);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_socks_server_that_answers_as_none_does_is_refused_within_bounds() {
    for (answer, status) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], 69),
        (b"\x04\x5a\0\x01\0\0\0\0\0\0", 69),
        (b"\x05\0\0\x02\0\0\0\0\0\0", 69),
        (b"\x05\0\0\x01\0\0", 75),
        (b"\x05\0\0\x03\xff", 75),
        (b"", 75),
    ] {
        answered("socks5", answer, status);
    }
    for (greeting, status) in [
        (&b"+OK ready\r\n"[..], 69),
        (b"\x05\x01", 69),
        (b"\x05\xff", 77),
        (b"\x05", 75),
    ] {
        let server = plain(1);
        let gate = Gate::start(move |client| {
            client.read(3);
            client.say(greeting);
            None
        });
        let proxy = format!("socks5://127.0.0.1:{}", gate.port());
        let output = run(&home_of(&server.account(), &proxy, ""), &[], status);
        assert_said(&output, &[&proxy, "hint: "]);
        assert_eq!(gate.heard(), [[5, 1, 0]], "nothing more is said");
    }
}

#[test]
fn a_web_proxy_that_refuses_says_why_and_for_how_long() {
    for (line, status) in [
        ("403 Forbidden", 69),
        ("405 Method Not Allowed", 69),
        ("301 Elsewhere", 69),
        ("407 Who are you", 77),
        ("429 Too Many Requests", 75),
        ("502 Bad Gateway", 75),
        ("504 Gateway Timeout", 75),
    ] {
        let said = answered("http", format!("HTTP/1.1 {line}\r\n\r\nbody"), status);
        assert!(said.contains(line), "{said}");
    }
}

#[test]
fn s45_a_web_proxy_that_answers_as_none_does_is_refused_within_bounds() {
    for (answer, status) in [
        (b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), 69),
        (b"\x05\0".to_vec(), 69),
        (b"HTTP/1.1 OK\r\n\r\n".to_vec(), 69),
        (b"HTTP/1.1 2000 OK\r\n\r\n".to_vec(), 69),
        (b"HTTP/1.1 200 OK\r\nVia: x\r\n".to_vec(), 75),
        ([&b"HTTP/1.1 200 "[..], &b"x".repeat(1 << 20)].concat(), 69),
        (
            [&b"HTTP/1.1 200 OK\r\n"[..], &b"X: y\r\n".repeat(1 << 16)].concat(),
            69,
        ),
    ] {
        answered("http", answer, status);
    }
    let said = answered(
        "http",
        "HTTP/1.1 403 \x1b[2J\u{9b}\u{202e}evil\rerror: b\r\n\r\n",
        69,
    );
    let raw = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(said.contains("evil") && !said.contains(raw), "{said:?}");
}

#[test]
fn a_proxy_that_says_nothing_is_given_up() {
    let server = plain(1);
    let gate = Gate::start(|client| {
        client.read(3);
        client.wait_for_close();
        None
    });
    let proxy = format!("socks5://127.0.0.1:{}", gate.port());
    let home = home_of(&server.account(), &proxy, "timeout = \"2s\"\n");
    let run = home.popfetch([""; 0]).limit(Duration::from_secs(20));
    let output = run.expect(75);
    assert_said(&output, &[&proxy, "no answer for 2 seconds"]);
}

#[test]
fn a_proxy_that_says_nothing_can_be_interrupted() {
    let server = plain(1);
    let (told, asked) = channel();
    let told = Mutex::new(told);
    let gate = Gate::start(move |client| {
        client.read_head();
        told.lock().unwrap().send(()).unwrap();
        client.wait_for_close();
        None
    });
    let proxy = format!("http://127.0.0.1:{}", gate.port());
    let home = home_of(&server.account(), &proxy, "");
    let mut running = home.popfetch(["fetch"]).start();
    asked.recv_timeout(PATIENCE).unwrap();
    running.signal(rustix::process::Signal::TERM);
    let output = running.wait();
    assert_eq!(output.status, Some(143), "{output:#?}");
}

#[test]
fn s50_a_config_with_a_proxys_password_must_be_private() {
    let server = plain(1);
    let home = home_of(&server.account(), "socks5://gate:tr0ub4dor@127.0.0.1:9", "");
    let path = home.path().join("config/popfetch/config.toml");
    let shown = run(&home, &["account", "show", "a"], 0);
    assert!(
        shown.stdout.contains("socks5://gate:***@127.0.0.1:9"),
        "{shown:#?}"
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let output = run(&home, &[], 78);
    assert_said(&output, &["chmod 600"]);
    let text = fs::read_to_string(&path).unwrap();
    let (account, _) = text.split_once("proxy = ").unwrap();
    let defaults = "[defaults]\nproxy = \"http://gate:tr0ub4dor@127.0.0.1:9\"\n";
    home.config(&format!("{defaults}{account}"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    run(&home, &[], 78);
    // Without one it may be as it is.
    let closed = ClosedPort::new();
    home.config(&format!(
        "{account}proxy = \"socks5://127.0.0.1:{}\"\n",
        closed.port()
    ));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    run(&home, &[], 75);
}

#[test]
fn a_proxy_that_makes_no_sense_is_a_config_error_without_its_password() {
    let server = plain(1);
    for proxy in [
        "127.0.0.1:1080",
        "socks4://127.0.0.1:1080",
        "socks5://127.0.0.1",
        "socks5://gate@127.0.0.1:1080",
        "socks5://gate:tr0ub4dor@127.0.0.1:port",
        "socks5://gate:tr0ub4dor%0d@127.0.0.1:1",
    ] {
        let output = run(&home_of(&server.account(), proxy, ""), &[], 78);
        assert_said(&output, &["config.toml:"]);
        assert!(!output.stderr.contains("tr0ub4dor"), "{output:#?}");
    }
    // An account of its own mind.
    let home = home_of(&server.account(), "none", "");
    let text = fs::read_to_string(home.path().join("config/popfetch/config.toml")).unwrap();
    let closed = ClosedPort::new();
    let proxy = format!("socks5://127.0.0.1:{}", closed.port());
    let defaults = format!("[defaults]\nproxy = \"{proxy}\"\n");
    home.config(&format!("{defaults}{text}"));
    run(&home, &[], 0);
    home.config(&format!(
        "{defaults}{}",
        text.replace("proxy = \"none\"\n", "")
    ));
    run(&home, &[], 75);
}

#[test]
fn hint_a_web_proxy_that_takes_no_passwords_is_not_said_to_want_some() {
    for ways in [
        "Proxy-Authenticate: NTLM\r\nProxy-Authenticate: Negotiate\r\n",
        "proxy-authenticate: Digest realm=\"basic\", nonce=\"x\"\r\n",
    ] {
        let head = format!("HTTP/1.1 407 Authenticate\r\n{ways}\r\n");
        let said = answered("http", head, 77);
        assert!(
            said.contains("a way to sign in that popfetch does not"),
            "{said}"
        );
    }
    for ways in [
        "Proxy-Authenticate: NTLM\r\nProxy-Authenticate: Basic realm=\"a\"\r\n",
        "",
    ] {
        let head = format!("HTTP/1.1 407 Authenticate\r\n{ways}\r\n");
        let said = answered("http", head, 77);
        assert!(
            said.contains("put user and password into `proxy`"),
            "{said}"
        );
    }
}
