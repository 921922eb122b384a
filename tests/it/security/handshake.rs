use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use popfetch::net::channel::HandshakeError;
use popfetch::net::{Error, Socket};
use popfetch::stop::Stop;
use rustls::pki_types::ServerName;
use rustls::server::ServerSessionMemoryCache;
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConfig, ServerConnection,
};

use crate::given::{assert_said, mail, run};
use crate::support::account::{Account, Security};
use crate::support::behaviour::Behaviour;
use crate::support::certificate::{Authority, Identity, Wanted, provider};
use crate::support::maildrop::Maildrop;
use crate::support::run::Home;
use crate::support::server::{How, Server};
use crate::support::tree;

fn serving(identity: &Identity, authority: &Authority, behaviour: Behaviour) -> Server {
    Server::builder(&Maildrop::new(mail(1)))
        .security(Security::identity(identity, authority))
        .behaviour(behaviour)
        .start()
}

#[test]
fn s11_a_name_in_the_subject_alone_or_with_a_nul_in_it_is_no_name() {
    let authority = Authority::new();
    for wanted in [
        Wanted::default().names(&[]).common_name("localhost"),
        Wanted::default()
            .names(&["pop.example.com"])
            .common_name("localhost"),
        Wanted::default().names(&["localhost\0.evil.example"]),
        Wanted::default().names(&["localhost."]),
        Wanted::default().names(&["*.localhost", "*"]),
        Wanted::default().names(&["localhost.evil.example"]),
    ] {
        let identity = authority.issue(&wanted);
        let server = serving(&identity, &authority, Behaviour::new());
        let output = run(&Home::of(&server.account(), ""), &[], 69);
        assert_said(&output, &["certificate of localhost is not trusted"]);
        assert!(!output.stderr.contains('\0'), "{output:#?}");
        let session = server.last_session();
        assert_eq!(session.commands, Vec::<String>::new());
        assert!(matches!(session.ended, How::Failed(_)), "{session:#?}");
    }
}

#[test]
fn s12_what_the_server_calls_itself_and_a_trailing_dot_change_nothing() {
    let authority = Authority::new();
    let boasting = Behaviour::new()
        .greeting("+OK pop.example.com ready\r\n")
        .capabilities(&["UIDL", "SASL PLAIN", "IMPLEMENTATION pop.example.com"]);
    let other = authority.issue(&Wanted::default().names(&["pop.example.com"]));
    let server = serving(&other, &authority, boasting.clone());
    let output = run(&Home::of(&server.account(), ""), &[], 69);
    assert_said(
        &output,
        &["certificate of localhost", "it is for pop.example.com"],
    );
    assert_eq!(server.last_session().commands, Vec::<String>::new());

    let server = serving(&authority.localhost(), &authority, boasting);
    for host in ["localhost.", "LOCALHOST", "LocalHost."] {
        let mut account = server.account();
        account.host = host.into();
        let home = Home::of(&account, "");
        run(&home, &[], 0);
        tree::assert_holds(&home.maildir("a"), &mail(1));
    }
    // A name is compared in the form that certificates have.
    let other = authority.issue(&Wanted::default().names(&["xn--bcher-kva.example"]));
    let server = serving(&other, &authority, Behaviour::new());
    let accented = Home::of(&server.account(), "tls-server-name = \"Bücher.example.\"\n");
    run(&accented, &[], 0);
    let wrong = Home::of(&server.account(), "tls-server-name = \"bü cher\"\n");
    assert_said(&run(&wrong, &[], 78), &["tls-server-name", "no host name"]);
}

#[test]
fn s45_the_names_in_a_certificate_are_not_printed_raw() {
    let authority = Authority::new();
    let names = ["\x1b[2J\x07evil\r\n.example", "error: a: hint: \t\x7f"];
    let identity = authority.issue(&Wanted::default().names(&names));
    let server = serving(&identity, &authority, Behaviour::new());
    for format in ["text", "json"] {
        let arguments = ["-vv", "--format", format];
        let output = run(&Home::of(&server.account(), ""), &arguments, 69);
        for text in [&output.stdout, &output.stderr] {
            assert!(
                !text.contains(|c: char| c.is_control() && c != '\n'),
                "{output:#?}"
            );
        }
        let told = output.stderr.lines().filter(|line| line.contains("evil"));
        assert_eq!(told.count(), 1, "{output:#?}");
    }
}

/// Answers a client's first octets with these, and waits for it to go away.
fn answers_hello(answer: &'static [u8]) -> (u16, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let hello = socket.read(&mut [0; 4096]).unwrap();
        assert!(hello > 0);
        socket.write_all(answer).unwrap();
        let mut rest = Vec::new();
        let _reset = socket.read_to_end(&mut rest);
        assert!(rest.len() < 100, "an alert at most: {rest:?}");
    });
    (port, serving)
}

#[test]
fn s15_older_versions_of_tls_are_refused_by_name() {
    // A ServerHello of TLS 1.1, of TLS 1.0 and of SSL 3, each with a cipher of its time; and the
    // alert of a server that knows nothing as new as we offer.
    const HELLO: usize = 47;
    let hello = |minor: u8| -> &'static [u8] {
        let mut octets = vec![0x16, 3, minor, 0, 42, 2, 0, 0, 38, 3, minor];
        octets.extend([7; 32]);
        octets.extend([0, 0, 0x2f, 0]);
        assert_eq!(octets.len(), HELLO);
        octets.leak()
    };
    let alert: &[u8] = &[0x15, 3, 1, 0, 2, 2, 70];
    for answer in [hello(2), hello(1), hello(0), alert] {
        let (port, serving) = answers_hello(answer);
        let account = Account::of_ada(port, Some("bundled".into()));
        let output = run(&Home::of(&account, ""), &[], 69);
        assert_said(&output, &["error: a: ", "TLS 1.2", "hint: "]);
        serving.join().unwrap();
    }
}

#[test]
fn s16_a_handshake_that_hangs_ends_at_its_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let (_silent, _) = listener.accept().unwrap();
    let authority = Authority::new();
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate()).unwrap();
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let tls = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = Socket::tls(stream, tls, Stop::never().unwrap());
    let began = Instant::now();
    let result = socket.handshake(began + Duration::from_millis(200));
    assert!(
        matches!(result, Err(HandshakeError::Net(Error::TimedOut(_)))),
        "{result:?}"
    );
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
}

/// What a server saw of a handshake.
#[derive(Debug)]
struct Seen {
    kind: Option<HandshakeKind>,
    early_data: bool,
}

/// Shakes hands, tells what it saw, and goes away at the first command.
fn shake_hands(listener: TcpListener, config: Arc<ServerConfig>, seen: Sender<Seen>) {
    for socket in listener.incoming().take(4) {
        let mut socket = socket.unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        while tls.is_handshaking() {
            tls.complete_io(&mut socket).unwrap();
        }
        let early_data = tls.early_data().is_some();
        let kind = tls.handshake_kind();
        let mut stream = rustls::Stream::new(&mut tls, &mut socket);
        stream.write_all(b"+OK ready\r\n").unwrap();
        // The client takes in the tickets with the greeting; CAPA makes us close, and it comes
        // again without CAPA, which is when it could resume.
        let read = stream.read(&mut [0; 1000]).unwrap();
        assert!(read > 0);
        seen.send(Seen { kind, early_data }).unwrap();
        tls.send_close_notify();
        let _gone = tls.complete_io(&mut socket);
    }
}

#[test]
fn s18_no_session_is_resumed_and_nothing_is_sent_early() {
    for version in [&TLS13, &TLS12] {
        let authority = Authority::new();
        let identity = authority.localhost();
        let mut config = Arc::unwrap_or_clone(identity.server_config_for(&[version]));
        // All that a client needs to resume, and to send data early.
        config.session_storage = ServerSessionMemoryCache::new(100);
        config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().unwrap();
        config.send_tls13_tickets = 4;
        config.max_early_data_size =
            u32::from(version.version == rustls::ProtocolVersion::TLSv1_3) * 16_384;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, told) = channel();
        let serving = thread::spawn(move || shake_hands(listener, Arc::new(config), seen));
        let account = |user: &str| Account {
            host: "localhost".into(),
            port,
            user: user.into(),
            password: "secret".into(),
            roots: Some(authority.pem_file()),
        };
        let home = Home::new();
        let text = home.account_config("a", &account("ada"));
        home.config(&(text + &home.account_config("b", &account("bob"))));
        run(&home, &["fetch", "--jobs", "1"], 75);
        serving.join().unwrap();
        let handshakes: Vec<Seen> = told.iter().collect();
        assert_eq!(handshakes.len(), 4, "two of each account: {handshakes:?}");
        for seen in handshakes {
            assert_eq!(seen.kind, Some(HandshakeKind::Full), "{seen:?}");
            assert!(!seen.early_data, "{seen:?}");
        }
    }
}
