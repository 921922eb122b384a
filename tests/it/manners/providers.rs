use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use popfetch::durable::Disk;
use popfetch::fetch::{Account, Connect, Environment, Route};
use popfetch::net::program::Tell;
use popfetch::net::{Channel, Error, Socket};
use popfetch::profile::{Config, Overrides, Profile};
use popfetch::report::{Event, Outcome, Report};
use popfetch::secrets::{Credential, Password};
use popfetch::state::Moment;
use popfetch::stop::Stop;

use crate::given::{assert_said, mail, plainly, run};
use crate::support::behaviour::Behaviour;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

/// Every server is the one of the test, whatever its name.
#[derive(Clone, Copy)]
struct Here(u16);

impl Connect for Here {
    fn route(&self, _: &Profile, _: &Stop, _: Tell) -> Result<Box<dyn Route>, Error> {
        Ok(Box::new(*self))
    }
}

impl Route for Here {
    fn connect(&self, stop: &Stop) -> Result<Box<dyn Channel>, Error> {
        let stream = TcpStream::connect(("127.0.0.1", self.0)).unwrap();
        stream.set_nonblocking(true).unwrap();
        Ok(Box::new(Socket::plain(stream, stop.clone())))
    }
}

struct Silent;

impl Report for Silent {
    fn report(&self, _account: &str, _event: Event<'_>) {}
}

/// Fetches as if the server were `host`.
fn fetch_from(host: &str, server: &Server, home: &Home, password: &str) -> Outcome {
    let config = Config::find(Some(&home.config_file()), &[]).unwrap();
    let mut profile = config.profile("a", &Overrides::default()).unwrap();
    profile.server.host = host.into();
    let environment = Environment {
        state: home.state().into(),
        disk: Disk::new(),
        stop: Stop::never().unwrap(),
        report: Arc::new(Silent),
        connect: Arc::new(Here(server.port())),
        confined: true,
        at_once: true,
        as_new: false,
        quiet: false,
        room: 256,
        transcript: false,
        moment: Moment::now(),
    };
    let account = Account {
        profile: &profile,
        credential: Credential::Password(std::borrow::Cow::Owned(Password::new(password.into()))),
        addressee: None,
        environment: &environment,
    };
    account.fetch()
}

#[test]
fn a_provider_that_refuses_a_sign_in_is_known_to_want_something() {
    for (host, wanted) in [
        ("pop.gmail.com", "app password"),
        ("outlook.office365.com", "OAuth 2.0 alone"),
        ("pop.mail.yahoo.com", "app password"),
        ("pop.qq.com", "authorization code"),
        ("pop.free.fr", "before the @"),
        ("pop.example.com", "check user and password"),
    ] {
        let (server, home) = plainly(1, Behaviour::new());
        let outcome = fetch_from(host, &server, &home, "wrong");
        let failure = outcome.failure.unwrap();
        assert_eq!(failure.status.code(), 77, "{host}");
        assert!(failure.message.contains("refused the sign-in"), "{host}");
        let hint = failure.hint.unwrap();
        assert!(hint.contains(wanted), "{host}: {hint}");
    }
    // Where it is not about the credentials, no other ones are asked for.
    let (server, home) = plainly(1, Behaviour::new());
    let _other_client = server.maildrop().try_lock().unwrap();
    let failure = fetch_from("pop.gmail.com", &server, &home, "secret").failure;
    assert!(failure.unwrap().hint.unwrap().contains("another program"));
}

#[test]
fn q1_gmail_is_known_by_its_name_too_and_fetched_in_parts() {
    let gmail = Behaviour::new().lists(120).deletes_retrieved();
    let (server, home) = plainly(150, gmail);
    let outcome = fetch_from("pop.gmail.com", &server, &home, "secret");
    assert_eq!(outcome.fetched, 150, "{outcome:?}");
    assert_eq!(server.sessions().len(), 2);
    tree::assert_holds(&home.maildir("a"), &mail(150));
}

#[test]
fn who_has_no_pop3_is_said_at_once_without_a_password_or_a_connection() {
    for (host, name, instead) in [
        ("imap.mail.me.com", "iCloud", "IMAP"),
        ("icloud.com", "iCloud", "IMAP"),
        ("pop.proton.me", "Proton", "Bridge"),
        ("mail.tutanota.com", "Tuta", "apps"),
    ] {
        let home = Home::new();
        // A command that would leave its mark if it were run.
        home.config(&format!(
            "[accounts.a]\nhost = {host:?}\nuser = \"ada\"\n\
             password-command = [\"touch\", \"asked\"]\n"
        ));
        let began = Instant::now();
        for arguments in [&["fetch"][..], &["check"], &["account", "test"]] {
            let output = run(&home, arguments, 69);
            assert_said(
                &output,
                &["error: a: ", name, "has no POP3", "hint: ", instead],
            );
        }
        assert!(began.elapsed() < Duration::from_secs(20));
        assert!(!home.path().join("asked").exists());
        assert!(!home.maildir("a").exists());
    }
}
