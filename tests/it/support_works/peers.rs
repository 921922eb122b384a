use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::client::Client;
use crate::support::dovecot::Dovecot;
use crate::support::keyring::{Bus, Keyring};
use crate::support::message::generate;
use crate::support::process::installed;
use crate::support::run::Home;
use crate::support::script::{Scene, Script};
use crate::support::{dovecot, samples};

#[test]
fn a_script_plays_and_names_the_first_mismatch() {
    let script = Script::tls(Scene::signed_in().expect("STAT").send("nonsense\0").reset());
    let mut client = Client::connect(&script.account()).unwrap();
    client.line().unwrap();
    client.ask("CAPA").unwrap();
    client.ok("USER ada");
    client.ok("PASS secret");
    client.send("STAT\r\n").unwrap();
    client.rest().1.unwrap_err();
    let received = script.assert_followed();
    assert_eq!(received, ["CAPA", "USER ada", "PASS secret", "STAT"]);

    let script = Script::plain(Scene::new().send("+OK\r\n").expect("CAPA"));
    let mut client = Client::connect(&script.account()).unwrap();
    client.send("NOOP\r\n").unwrap();
    client.rest().1.unwrap();
    drop(client);
    let mismatch = script.played().pop().unwrap().mismatch.unwrap();
    assert!(
        mismatch.contains("CAPA") && mismatch.contains("NOOP"),
        "{mismatch}"
    );
}

#[test]
fn a_script_can_send_forever_and_ends_with_its_client() {
    let script = Script::plain(Scene::new().send_forever("x\r\n"));
    let mut client = Client::connect(&script.account()).unwrap();
    assert_eq!(client.line().unwrap(), "x");
    drop(client);
    script.assert_followed();
}

#[test]
fn dovecot_serves_the_samples_in_their_order() {
    let Some(messages) = samples::load() else {
        return;
    };
    let Some(mut server) = Dovecot::start(&messages) else {
        return;
    };
    let mut client = Client::sign_in(&server.account());
    assert!(
        client.ok("STAT").starts_with("+OK 120 "),
        "{}",
        server.log()
    );
    for (index, message) in messages.iter().enumerate() {
        let received = client.retrieve(index + 1);
        let name = String::from_utf8_lossy(&message.unique_id);
        assert!(received == dovecot::stored(message), "{name}");
    }
    client.ok("DELE 1");
    client.ok("QUIT");
    assert_eq!(server.count(), 119);
    server.deliver(&generate(1, 400));
    let mut client = Client::sign_in(&server.account());
    assert!(client.ok("STAT").starts_with("+OK 120 "));
    assert_eq!(client.retrieve(120), generate(1, 400)[0].stored());
}

fn secret_tool(address: &str, arguments: &[&str], input: &str) -> (bool, String) {
    let mut child = Command::new("secret-tool")
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("DBUS_SESSION_BUS_ADDRESS", address)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[test]
fn a_private_keyring_stores_and_looks_up() {
    if !installed("secret-tool") {
        return;
    }
    let Some(keyring) = Keyring::unlocked() else {
        return;
    };
    let store = [
        "store",
        "--label=x",
        "service",
        "popfetch",
        "username",
        "ada",
    ];
    let lookup = ["lookup", "service", "popfetch", "username", "ada"];
    assert!(!secret_tool(keyring.bus_address(), &lookup, "").0);
    assert!(secret_tool(keyring.bus_address(), &store, "s3cret").0);
    let found = secret_tool(keyring.bus_address(), &lookup, "");
    assert_eq!(found, (true, "s3cret".into()));
}

#[test]
fn a_locked_keyring_gives_nothing_and_takes_nothing() {
    if !installed("secret-tool") {
        return;
    }
    let Some(keyring) = Keyring::locked() else {
        return;
    };
    let store = [
        "store",
        "--label=x",
        "service",
        "popfetch",
        "username",
        "ada",
    ];
    assert!(!secret_tool(keyring.bus_address(), &store, "s3cret").0);
}

#[test]
fn a_bus_without_keyring_answers_with_an_error_at_once() {
    if !installed("secret-tool") {
        return;
    }
    let Some(bus) = Bus::start() else { return };
    assert!(!secret_tool(bus.address(), &["lookup", "service", "popfetch"], "").0);
}

#[test]
fn a_home_runs_a_program_with_nothing_of_this_environment() {
    let mut home = Home::with_program("/bin/sh");
    home.env("EXTRA", "1");
    let output = home
        .popfetch(["-c", "env | sort; cat; echo no >&2; exit 3"])
        .stdin("typed")
        .expect(3);
    assert!(output.stdout.contains("EXTRA=1\n") && output.stdout.ends_with("typed"));
    assert!(
        output
            .stdout
            .contains(&format!("HOME={}\n", home.path().display()))
    );
    assert!(!output.stdout.contains("CARGO"));
    assert_eq!(output.stderr, "no\n");
}

#[test]
fn peak_memory_of_a_run_is_that_of_the_program() {
    let home = Home::with_program("/bin/sh");
    // The shell reads 30 MB into a variable.
    let script = "x=$(head -c 30000000 /dev/zero | tr '\\0' a); sleep 1";
    let output = home.popfetch(["-c", script]).expect(0);
    assert!(output.peak_memory > 30_000_000, "{}", output.peak_memory);
}

#[test]
#[should_panic(expected = "does not end")]
fn a_run_that_hangs_is_killed() {
    let home = Home::with_program("/bin/sh");
    let run = home.popfetch(["-c", "sleep 600 & wait"]);
    run.limit(Duration::from_millis(100)).run();
}

#[test]
fn the_real_binary_is_found() {
    Home::new().popfetch(["--version"]).run();
}
