use rustls::version::{TLS12, TLS13};

use crate::given::{assert_said, mail, run};
use crate::support::account::Security;
use crate::support::certificate::{Authority, Identity, Wanted};
use crate::support::maildrop::Maildrop;
use crate::support::run::Home;
use crate::support::script::{Scene, Script};
use crate::support::server::Server;
use crate::support::tree;

fn serving(security: Security) -> Server {
    Server::builder(&Maildrop::new(mail(1)))
        .security(security)
        .start()
}

fn without_roots(server: &Server) -> String {
    let account = server.account();
    format!(
        "[accounts.a]\nhost = {:?}\nport = {}\nuser = {:?}\n",
        account.host, account.port, account.user
    )
}

#[test]
fn a_refused_certificate_is_told_with_what_is_in_it_and_with_the_line_to_pin_its_key() {
    let authority = Authority::new();
    let identity = authority.issue(
        &Wanted::default()
            .expired()
            .names(&["localhost", "a.example"]),
    );
    let server = serving(Security::identity(&identity, &authority));
    let output = run(&Home::of(&server.account(), ""), &[], 69);
    assert_said(
        &output,
        &[
            "certificate of localhost is not trusted: it expired on 2001-01-01",
            "it is for localhost, a.example,",
            "was issued by \"CN=popfetch test authority\"",
            "is valid from 2000-01-01 to 2001-01-01",
            "by another way",
        ],
    );
    // What the hint says is what works: the lines as they stand there.
    let (_, rest) = output.stderr.split_once("tls-pin = ").unwrap();
    let pin = rest.split(';').next().unwrap();
    assert!(
        output.stderr.contains("tls-roots = \"pinned\""),
        "{output:#?}"
    );
    let home = Home::new();
    let keys = format!("tls-roots = \"pinned\"\ntls-pin = {pin}\n");
    home.config(&(without_roots(&server) + &keys));
    home.popfetch(["check", "--password-stdin"])
        .stdin("secret\n")
        .expect(0);
}

#[test]
fn a_name_that_does_not_fit_is_told_beside_the_one_that_was_expected() {
    let authority = Authority::new();
    let names: Vec<String> = (1..=40).map(|n| format!("pop{n}.example.com")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let identity = authority.issue(&Wanted::default().names(&names));
    let server = serving(Security::identity(&identity, &authority));
    let output = run(&Home::of(&server.account(), ""), &[], 69);
    assert_said(
        &output,
        &[
            "certificate of localhost",
            "it is for pop1.example.com, ",
            "and 35 more",
        ],
    );
}

#[test]
fn s11_a_certificate_that_is_an_authoritys_is_refused_in_words_and_with_the_line_to_pin_it() {
    let identity = Identity::self_made_authority(&Wanted::default());
    let authority = Authority::new();
    let server = serving(Security::identity(&identity, &authority));
    let output = run(&Home::of(&server.account(), ""), &[], 69);
    let words = [
        "an authority's certificate and not a server's",
        "tls-pin = \"sha256:",
    ];
    assert_said(&output, &words);
}

#[test]
fn s45_the_words_of_a_self_signed_certificate_are_not_printed_raw() {
    let evil = "\x1b[2J\u{9b}31m\u{202e}evil\" hint: run rm\r\nerror: b";
    let identity = Identity::self_signed(&Wanted::default().common_name(evil));
    let authority = Authority::new();
    let server = serving(Security::identity(&identity, &authority));
    for format in ["text", "json"] {
        let arguments = ["--format", format];
        let output = run(&Home::of(&server.account(), ""), &arguments, 69);
        for text in [&output.stdout, &output.stderr] {
            let raw = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.contains(raw), "{output:#?}");
        }
        assert_said(&output, &["evil"]);
        let lines = output.stderr.lines();
        assert!(
            !lines.clone().any(|line| line.starts_with("error: b")),
            "{output:#?}"
        );
        assert_eq!(lines.filter(|line| line.contains("evil")).count(), 1);
    }
}

#[test]
fn s13_pins_alone_count_only_where_that_is_said() {
    let expired = Identity::self_signed(&Wanted::default().expired().names(&["elsewhere"]));
    let authority = Authority::new();
    let server = serving(Security::identity(&expired, &authority));
    let hex: Vec<_> = expired
        .spki_sha256
        .iter()
        .map(|o| format!("{o:02x}"))
        .collect();
    let pin = format!("tls-pin = \"{}\"\n", hex.concat());
    let wrong = format!("tls-pin = \"{}\"\n", "ab".repeat(32));
    let home = Home::new();
    let check = |keys: String, status| {
        home.config(&(without_roots(&server) + &keys));
        let run = home.popfetch(["check", "--password-stdin"]);
        run.stdin("secret\n").expect(status)
    };
    check(format!("tls-roots = \"pinned\"\n{pin}"), 0);
    let output = check(format!("tls-roots = \"pinned\"\n{wrong}"), 69);
    assert_said(&output, &["its key sha256:", "none of those in `tls-pin`"]);
    check(pin, 69);
    let output = check("tls-roots = \"pinned\"\n".into(), 78);
    assert_said(&output, &["there is no `tls-pin`", "^"]);
    let option = ["check", "--tls-roots", "pinned"];
    home.config(&without_roots(&server));
    assert_said(&run(&home, &option, 64), &["has no `tls-pin`"]);
}

#[test]
fn s13_a_pinned_key_must_be_the_one_that_signs() {
    // Another server shows the certificate that is pinned, but has another key.
    let authority = Authority::new();
    let pinned = authority.localhost();
    let thief = pinned.with_key_of(&authority.localhost());
    let server = serving(Security::Custom {
        config: thief.config_unchecked(),
        roots: authority.pem_file(),
    });
    let hex: Vec<_> = pinned
        .spki_sha256
        .iter()
        .map(|o| format!("{o:02x}"))
        .collect();
    let home = Home::new();
    let keys = format!("tls-roots = \"pinned\"\ntls-pin = \"{}\"\n", hex.concat());
    home.config(&(without_roots(&server) + &keys));
    let run = home.popfetch(["check", "--password-stdin"]);
    run.stdin("secret\n").expect(69);
    assert_eq!(server.last_session().commands, Vec::<String>::new());
}

#[test]
fn s15_the_oldest_version_of_tls_can_be_1_3() {
    let authority = Authority::new();
    let serving = |version| {
        let config = authority.localhost().server_config_for(&[version]);
        let roots = authority.pem_file();
        serving(Security::Custom { config, roots })
    };
    let (old, new) = (serving(&TLS12), serving(&TLS13));
    let only = "tls-min-version = \"1.3\"\n";
    let output = run(&Home::of(&old.account(), only), &[], 69);
    assert_said(
        &output,
        &["localhost offers no TLS 1.3", "`tls-min-version`"],
    );
    let home = Home::of(&new.account(), only);
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(1));
    run(
        &Home::of(&old.account(), "tls-min-version = \"1.2\"\n"),
        &[],
        0,
    );
    for wrong in ["\"1.1\"", "1.3", "\"TLSv1.3\""] {
        let home = Home::of(&new.account(), &format!("tls-min-version = {wrong}\n"));
        assert_said(&run(&home, &[], 78), &["tls-min-version", "^"]);
    }
}

#[test]
fn certificates_have_a_hint_for_each_cause_that_is_true_for_it() {
    let (authority, other) = (Authority::new(), Authority::new());
    let expired = authority.issue(&Wanted::default().expired());
    let early = authority.issue(&Wanted::default().not_yet_valid());
    let renamed = authority.issue(&Wanted::default().names(&["*.example.com", "pop.example.com"]));
    let nameless = authority.issue(&Wanted::default().names(&[]));
    let unknown = other.issue(&Wanted::default());
    let pinned = [
        "tls-roots = \"pinned\"",
        "--tls-roots pinned --tls-pin sha256:",
    ];
    for (identity, words, wrong) in [
        (expired, ["must renew it", "clock says 20"], "authority"),
        (early, ["valid only from 2098", "clock says 20"], "renew"),
        (
            renamed,
            ["set `host`", "tls-server-name = \"pop.example.com\""],
            "clock",
        ),
        (
            nameless,
            ["set `host`", "put in one with its name"],
            "clock",
        ),
        (
            Identity::self_signed(&Wanted::default()),
            ["signed by itself alone", "of one's own"],
            "ca.pem",
        ),
        (
            Identity::self_made_authority(&Wanted::default()),
            ["an authority's certificate", "signed by itself alone"],
            "ca.pem",
        ),
        (unknown, ["/path/to/ca.pem", "\"bundled\""], "renew"),
    ] {
        let server = serving(Security::identity(&identity, &authority));
        let output = run(&Home::of(&server.account(), ""), &[], 69);
        assert_said(&output, &words);
        assert_said(&output, &pinned);
        assert!(
            !output
                .stderr
                .split_once("hint: ")
                .unwrap()
                .1
                .contains(wrong),
            "{output:#?}"
        );
    }
    // Where the name that is proposed is taken, it works.
    let server = serving(Security::identity(
        &authority.issue(&Wanted::default().names(&["pop.example.com"])),
        &authority,
    ));
    run(
        &Home::of(&server.account(), "tls-server-name = \"pop.example.com\"\n"),
        &[],
        0,
    );
}

#[test]
fn a_certificate_of_a_server_given_by_url_is_pinned_with_the_options_of_the_hint() {
    let identity = Identity::self_signed(&Wanted::default());
    let server = serving(Security::identity(&identity, &Authority::new()));
    let home = Home::new();
    let url = format!("pops://ada@localhost:{}", server.port());
    let check = |options: &[&str]| {
        let arguments = [&["check", url.as_str(), "--password-stdin"], options].concat();
        home.popfetch(arguments).stdin("secret\n").run()
    };
    let refused = check(&[]);
    assert_eq!(refused.status, Some(69), "{refused:#?}");
    let (_, options) = refused.stderr.split_once("(with a URL: ").unwrap();
    let options: Vec<&str> = options.split(')').next().unwrap().split(' ').collect();
    assert_eq!(options.len(), 4, "{options:?}");
    let accepted = check(&options);
    assert_eq!(accepted.status, Some(0), "{accepted:#?}");
    let other = format!("sha256:{}", "ab".repeat(32));
    let output = check(&["--tls-roots", "pinned", "--tls-pin", &other]);
    assert_eq!(output.status, Some(69), "{output:#?}");
    assert_said(
        &output,
        &["its key sha256:", "has a new key", "do not go on"],
    );
    assert_eq!(check(&["--tls-pin", "sha256:abcd"]).status, Some(64));
}

#[test]
fn d4_a_port_that_is_another_protocols_is_named_with_the_one_that_is_right() {
    for (greeting, clear, encrypted) in [
        // Dovecot's imap-login, Postfix, nginx, OpenSSH, Dovecot's pop3-login.
        (
            "* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n",
            "an IMAP server",
            "an IMAP server",
        ),
        (
            "220 mx.example.com ESMTP Postfix\r\n",
            "an SMTP server",
            "an SMTP server",
        ),
        (
            "HTTP/1.1 400 Bad Request\r\n",
            "a web server",
            "a web server",
        ),
        ("SSH-2.0-OpenSSH_9.2\r\n", "an SSH server", "an SSH server"),
        ("+OK Dovecot ready.\r\n", "a POP3 server", ""),
    ] {
        let script = Script::plain(Scene::new().send(greeting).expect_close());
        let account = script.account();
        let home = Home::new();
        home.config(&format!(
            "[accounts.a]\nhost = {:?}\nport = {}\nuser = \"ada\"\n",
            account.host, account.port
        ));
        let output = home
            .popfetch(["check", "--password-stdin"])
            .stdin("secret\n")
            .expect(69);
        assert_said(
            &output,
            &["does not speak TLS on this port", clear, "995", "starttls"],
        );
        if encrypted.is_empty() {
            continue;
        }
        for script in [
            Script::tls(Scene::new().send(greeting).expect_close()),
            Script::plain(Scene::new().send(greeting).expect_close()),
        ] {
            let output = run(&Home::of(&script.account(), ""), &[], 76);
            assert_said(&output, &["hint: this is ", encrypted, "995"]);
        }
    }
}
