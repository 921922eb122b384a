use crate::given::{mail, server};
use crate::support::account::Security;
use crate::support::certificate::{Authority, Wanted};
use crate::support::maildrop::Maildrop;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::terminal::Terminal;

/// What stands there, with what differs from run to run as words.
fn screen(home: &Home, server: &Server, columns: u16, status: i32) -> String {
    let (ended, screen) = Terminal::start(home, columns, &["account", "test", "a"]).end();
    assert_eq!(ended, status, "{screen}");
    let screen = screen.replace(&server.port().to_string(), "PORT");
    let lines = screen
        .lines()
        .filter(|line| !line.contains("free for mail"));
    let masked = lines.map(|line| match line.split_once("sha256:") {
        Some((before, _)) => format!("{before}PIN\n"),
        None => format!("{line}\n"),
    });
    // The bar that was there before.
    let masked: String = masked.collect();
    masked.rsplit("\x1b[2K").next().unwrap().replace('\r', "")
}

/// The screen without the number of days that are left, and that.
fn days(screen: &str) -> (String, u64) {
    let (before, after) = screen.split_once(" days").unwrap();
    let (before, days) = before.rsplit_once(' ').unwrap();
    (format!("{before} N days{after}"), days.parse().unwrap())
}

#[test]
fn the_doctor_at_60_columns() {
    let (server, home) = server(3);
    let shown = screen(&home, &server, 60, 0);
    let (shown, days) = days(&shown);
    assert!(days > 10_000);
    assert_eq!(
        shown,
        "\
a (ada@localhost:PORT)
  ok    name        localhost has 1 address
  ok    address     127.0.0.1:PORT answers
  ok    tls         TLS 1.3
  ok    chain       for localhost, 127.0.0.1, ::1, signed by
                    CN=popfetch test authority
  ok    expiry      the certificate is valid until
                    2099-01-01, N days
  ok    pin         tls-pin = \"PIN
  ok    capa        before the sign-in: TOP, UIDL,
                    RESP-CODES, AUTH-RESP-CODE, PIPELINING,
                    USER, SASL PLAIN, IMPLEMENTATION test
  ok    sign-in     signed in by PLAIN
  ok    capa-after  after the sign-in: the same
  ok    list        3 messages (762 B) in the mailbox, 3 new
  ok    uidl        messages have unique-ids
  ok    login-delay none is asked for
  ok    expire      the server says nothing of removing mail
                    by itself
  ok    maildir     ~/Mail/a is not there yet, and is made
                    with the first mail
  ok    state       nothing is remembered yet: the first
                    fetch begins it
  ok    keyring     this account does not need it
"
    );
}

#[test]
fn what_fails_is_told_below_with_what_to_do() {
    let authority = Authority::new();
    let expired = authority.issue(&Wanted::default().expired());
    let (server, home) = Server::builder(&Maildrop::new(mail(1)))
        .security(Security::identity(&expired, &authority))
        .with_home("");
    let shown = screen(&home, &server, 80, 69);
    for line in [
        "  fail  connection  the certificate of localhost is not trusted: it expired on\n",
        "\nerror: a: the certificate of localhost is not trusted: it expired on 2001-01-01;\n",
        "\nhint: whoever runs the server must renew it; this machine's clock says\n",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    let (server, home) = crate::given::server(1);
    let mut account = server.account();
    account.password = "wrong".into();
    home.one_account(&account, "");
    let shown = screen(&home, &server, 80, 77);
    assert!(
        shown.contains("  fail  sign-in     the server refused the sign-in"),
        "{shown}"
    );
}
