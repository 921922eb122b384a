use crate::given::mail;
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
