use std::io::Write;
use std::net::TcpListener;

use crate::given::{assert_said, mail, run};
use crate::support::account::Security;
use crate::support::maildrop::Maildrop;
use crate::support::run::Home;
use crate::support::server::Server;

fn home_of(port: u16, keys: &str) -> Home {
    let home = Home::new();
    let server = Server::builder(&Maildrop::new(mail(1)))
        .security(Security::Plain)
        .start();
    let mut account = server.account();
    (account.host, account.port) = ("127.0.0.1".into(), port);
    home.one_account(&account, keys);
    home
}

#[test]
fn a_connection_comes_from_the_source_address() {
    for source in ["127.0.0.2", "127.0.0.1"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let home = home_of(port, &format!("source-address = \"{source}\"\n"));
        let running = home.popfetch(["fetch"]).start();
        let (mut socket, peer) = listener.accept().unwrap();
        socket.write_all(b"-ERR enough\r\n").unwrap();
        assert_eq!(peer.ip().to_string(), source);
        assert_eq!(running.wait().status, Some(75));
        let shown = run(&home, &["account", "show", "a"], 0);
        assert!(shown.stdout.contains(source), "{shown:#?}");
    }
}

#[test]
fn a_source_address_that_cannot_be_is_a_config_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for (source, words) in [
        ("192.0.2.1", "cannot connect from 192.0.2.1"),
        ("::1", "no address that can be reached from ::1"),
        ("localhost", "an IP address of this machine"),
        ("127.0.0.1:80", "an IP address of this machine"),
    ] {
        let home = home_of(port, &format!("source-address = \"{source}\"\n"));
        let output = run(&home, &[], 78);
        assert_said(&output, &[words]);
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "somebody connected");
}
