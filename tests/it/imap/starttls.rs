use super::{IMAP, fetched};
use crate::given::{assert_said, mail, run};
use crate::support::imap::{ImapServer, Twist};
use crate::support::run::Home;
use crate::support::tree;

fn serving() -> (ImapServer, Home) {
    let server = ImapServer::start_in_clear(&mail(3));
    let home = Home::of(&server.account(), &format!("{IMAP}tls = \"starttls\"\n"));
    (server, home)
}

/// Fails if anything but the way to TLS was asked for.
#[track_caller]
fn assert_nothing_was_sent(server: &ImapServer) {
    for session in server.sessions() {
        let harmless = |command: &String| ["CAPABILITY", "STARTTLS"].contains(&command.as_str());
        assert!(session.commands.iter().all(harmless), "{session:#?}");
    }
}

#[test]
fn what_was_said_before_tls_is_forgotten() {
    let (server, home) = serving();
    // Somebody in between takes away what is announced in clear.
    server.mailbox(|it| it.greeting = "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED]".into());
    assert_eq!(fetched(&home), 3);
    tree::assert_holds(&home.maildir("a"), &mail(3));
    let session = server.last_session();
    assert_eq!(session.commands[..2], ["STARTTLS", "CAPABILITY"]);
    assert!(
        session.commands[2].starts_with("AUTHENTICATE PLAIN "),
        "{session:#?}"
    );
}

#[test]
fn without_tls_nobody_is_signed_in() {
    for (greeting, answer, status) in [
        ("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN]", None, 69),
        // Who is somebody already cannot go on to TLS.
        ("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hello", None, 69),
        (
            "* OK [CAPABILITY IMAP4rev1 STARTTLS]",
            Some("{tag} NO not today\r\n"),
            69,
        ),
        (
            "* OK [CAPABILITY IMAP4rev1 STARTTLS]",
            Some("{tag} BAD what?\r\n"),
            69,
        ),
        // What stands behind the answer was not said by whoever the TLS is with.
        (
            "* OK [CAPABILITY IMAP4rev1 STARTTLS]",
            Some("{tag} OK begin\r\n* CAPABILITY AUTH=PLAIN\r\na2 OK\r\n"),
            76,
        ),
    ] {
        let (server, home) = serving();
        server.mailbox(|it| it.greeting = greeting.into());
        if let Some(words) = answer {
            server.twist("STARTTLS", 0, Twist::Instead(words.into()));
        }
        let output = home.popfetch(["fetch"]).run();
        assert_nothing_was_sent(&server);
        assert!(output.status.is_some_and(|it| it >= 69), "{output:#?}");
        if status == 69 {
            assert_eq!(output.status, Some(69), "{greeting} {output:#?}");
            assert_said(&output, &["STARTTLS", "hint: nothing was sent in clear"]);
            assert!(!output.stderr.contains("995"), "{output:#?}");
            let announced = greeting.contains("STARTTLS");
            assert!(
                !announced || !output.stderr.contains("offers no"),
                "{output:#?}"
            );
        }
    }
}

#[test]
fn who_is_known_to_the_server_signs_in_no_more() {
    let server = ImapServer::start(&mail(3));
    server.mailbox(|it| it.greeting = "* PREAUTH [CAPABILITY IMAP4rev1 UIDPLUS] hello".into());
    let home = Home::of(&server.account(), IMAP);
    run(&home, &["fetch"], 0);
    tree::assert_holds(&home.maildir("a"), &mail(3));
    let session = server.last_session();
    assert_eq!(session.commands[0], "EXAMINE \"INBOX\"", "{session:#?}");
}

#[test]
fn a_sign_in_that_needs_tls_says_nothing_about_the_password() {
    let (server, home) = serving_at_once();
    server.says(
        "AUTHENTICATE",
        "{tag} NO [PRIVACYREQUIRED] not in clear\r\n",
    );
    let output = run(&home, &["fetch"], 69);
    assert_said(&output, &["not in clear", "tls ="]);
    assert!(!output.stderr.contains("check user"), "{output:#?}");
}

fn serving_at_once() -> (ImapServer, Home) {
    super::serving(&mail(1), "")
}
