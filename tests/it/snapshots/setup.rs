//! `popfetch setup`: the whole dialogue, and the providers at which there is something else to do.

use super::{WIDTHS, letters};
use crate::support::account::Security;
use crate::support::certificate::{Authority, Wanted};
use crate::support::dns::NameServer;
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::snapshot::Screens;
use crate::support::terminal::Terminal;
use std::os::unix::fs::symlink;

/// A world in which this host, on port 995, is the test's own server, with these messages for whoever signs
/// in with this name.
pub fn world(
    host: &str,
    user: &str,
    messages: Vec<Message>,
) -> (Authority, NameServer, Server, Home) {
    let authority = Authority::new();
    let identity = authority.issue(&Wanted::default().names(&[host]));
    let security = Security::identity(&identity, &authority);
    let server = Server::builder(&Maildrop::new(messages))
        .credentials(user, "secret")
        .security(security)
        .start();
    let dns = NameServer::start(&[]);
    let mut home = Home::short();
    let name = format!("{host}:995=127.0.0.1:{}", server.port());
    home.env("POPFETCH_TEST_NAMES", &name);
    home.env("POPFETCH_TEST_DNS", &dns.address());
    home.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    home.env("SSL_CERT_FILE", authority.pem_file().to_str().unwrap());
    // Whatever the machine has: what it is told to read mail with depends on it.
    symlink("/bin/true", home.path().join("bin/mutt")).unwrap();
    let path = format!("{}/bin:/usr/bin:/bin", home.path().display());
    home.env("PATH", &path);
    (authority, dns, server, home)
}

fn letters_at(host: &str) -> (Authority, NameServer, Server, Home) {
    world(host, "ada@example.test", letters())
}

/// The screens of it, with the program where a package would have put it.
pub fn screens(home: &Home, columns: u16) -> Screens<'_> {
    Screens::at(home, columns).with(env!("CARGO_BIN_EXE_popfetch"), "/usr/bin/popfetch")
}

#[test]
fn the_whole_dialogue() {
    for columns in WIDTHS {
        let (_authority, _dns, _server, home) = letters_at("pop.example.test");
        screens(&home, columns)
            .talk(&["setup"], 0, |terminal| {
                terminal.answer("Your mail address:", "ada");
                terminal.answer("Your mail address:", "ada@example.test");
                terminal.answer("Password for ", "nonsense");
                terminal.answer("Password for ", "nonsense");
                terminal.answer("Password for ", "");
                terminal.answer("]:", "");
                terminal.answer("Password for ", "secret");
                terminal.answer("Choice [1]:", "");
                terminal.answer("Choice [1]:", "2");
                terminal.answer("After how many days [14]:", "");
                terminal.answer("[example]:", "");
                terminal.answer("[~/Mail/example]:", "");
                terminal.answer("Choice [1]:", "");
                terminal.answer("Write it? (Y/n):", "");
            })
            .run(&[], 0)
            .hold("setup");
    }
}

#[test]
fn where_nothing_is_found() {
    for columns in WIDTHS {
        let (_authority, _dns, _server, home) = letters_at("pop.example.test");
        screens(&home, columns)
            .talk(&["setup", "ada@other.test"], 69, |terminal| {
                terminal.answer("[give up]:", "pop.other.test");
                terminal.answer("[give up]:", "");
            })
            .hold("setup-nothing");
    }
}

#[test]
fn providers_without_pop3() {
    for columns in WIDTHS {
        let (_authority, _dns, _server, home) = letters_at("pop.example.test");
        screens(&home, columns)
            .run(&["setup", "ada@icloud.com", "--protocol", "pop3"], 69)
            .run(&["setup", "ada@proton.me"], 69)
            .hold("setup-no-pop3");
    }
}

/// What setup says of a provider until it asks for something.
fn at_provider(name: &str, host: &str, address: &str, answers: impl Fn(&mut Terminal)) {
    for columns in WIDTHS {
        let (_authority, _dns, _server, home) = letters_at(host);
        screens(&home, columns)
            .talk(&["setup", address], 130, |terminal| {
                answers(terminal);
                terminal.press("\u{3}");
            })
            .hold(name);
    }
}

#[test]
fn a_provider_that_wants_an_app_password() {
    at_provider(
        "setup-app-password",
        "pop.mail.yahoo.com",
        "ada@yahoo.com",
        |terminal| {
            terminal.wait_for("Password for ");
            terminal.wait_for(": ");
        },
    );
}

#[test]
fn a_provider_where_pop3_must_be_switched_on() {
    at_provider(
        "setup-switch-on",
        "pop.gmx.net",
        "ada@gmx.net",
        |terminal| {
            terminal.answer("Password for ", "secret");
            terminal.wait_for("Password for ");
            terminal.wait_for(": ");
        },
    );
}

#[test]
fn a_provider_that_takes_an_app_password_or_oauth() {
    at_provider(
        "setup-gmail",
        "pop.gmail.com",
        "ada@gmail.com",
        |terminal| {
            terminal.answer("Choice [1]:", "2");
            terminal.answer("Client ID:", "123.apps.example");
            terminal.answer("Client secret:", "xyz");
            terminal.wait_for("All of it will be fetched");
            terminal.answer("Choice [1]:", "");
            terminal.answer("[gmail]:", "");
            terminal.answer("[~/Mail/gmail]:", "");
            terminal.wait_for("Write it? (Y/n):");
        },
    );
}

#[test]
fn a_provider_that_takes_oauth_alone() {
    at_provider(
        "setup-oauth",
        "outlook.office365.com",
        "ada@outlook.com",
        |terminal| {
            terminal.answer("Client ID:", "0123-4567");
            terminal.answer("Choice [1]:", "");
            terminal.answer("Choice [1]:", "");
            terminal.answer("[outlook]:", "");
            terminal.answer("[~/Mail/outlook]:", "");
            terminal.wait_for("Write it? (Y/n):");
        },
    );
}
