//! What takes messages once they are stored: `deliver`, `on-new`, `filter-command`.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use super::{Named, Scene, command_in, shell};
use crate::given::{assert_said, mail, run};
use crate::support::listener::ClosedPort;
use crate::support::lmtp::{Act, Lmtp};
use crate::support::maildrop::Maildrop;
use crate::support::process::make_program;
use crate::support::run::Output;
use crate::support::server::Server;
use crate::support::tree;

fn scene(keys: &str) -> Scene {
    let scene = Scene::new(Server::start(&Maildrop::new(mail(1))), Named::Config);
    scene.configure(keys);
    scene
}

#[track_caller]
fn hint_of(output: &Output) -> &str {
    let (_, hint) = output.stderr.split_once("hint: ").expect("no hint");
    hint
}

/// In each place that names a program, each cause has its own way on.
#[test]
fn hint_a_program_that_cannot_be_started_is_told_with_its_key_and_the_way_on() {
    let keys = |program: &str| {
        [
            (
                "deliver",
                format!("deliver = {{ command = [{program:?}] }}\n"),
            ),
            ("on-new", format!("on-new = [{program:?}]\n")),
            (
                "filter-command",
                format!("filter-command = [{program:?}]\n"),
            ),
        ]
    };
    for (program, way) in [
        ("no-such-program", "write its path in full in `KEY`"),
        ("/no/such/program", "there is no /no/such/program"),
        ("~/bin/take", "bin/take in its place"),
        ("take this", "each in quotes of its own"),
    ] {
        for (key, line) in keys(program) {
            let scene = scene(&line);
            let told = scene.run(&["fetch"]);
            let status = if key == "deliver" { 78 } else { 0 };
            assert_eq!(told.status, Some(status), "{told:#?}");
            assert_said(&told, &[&way.replace("KEY", key)]);
            assert!(!told.stderr.contains("os error"), "{told:#?}");
            // Whatever becomes of it, the message is here.
            assert_eq!(tree::count(&scene.maildir), 1);
        }
    }
}

#[test]
fn hint_a_program_that_may_not_be_run_takes_the_mail_after_the_command_of_the_hint() {
    let scene = scene("deliver = { command = [\"~/take it\"] }\n");
    let program = scene.home.path().join("take it");
    make_program(&program, "#!/bin/sh\ncat > \"$HOME/taken\"\n");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o600)).unwrap();
    scene.configure(&format!("deliver = {{ command = [{program:?}] }}\n"));
    let told = scene.fetch(78);
    shell(&scene.home, &command_in(&told.stderr, "chmod u+x")).expect(0);
    scene.fetch(0);
    assert!(scene.home.path().join("taken").exists());
}

#[test]
fn hint_each_way_in_which_an_lmtp_server_is_not_there_has_its_own_way_on() {
    let socket = |scene: &Scene| scene.home.path().join("lmtp");
    let by_socket = "deliver = { lmtp = \"unix:~/lmtp\", recipient = \"ada\" }\n";
    // No socket; one that a server has left; one that may not be written to is for its user alone.
    let none = scene(by_socket);
    let told = none.fetch(75);
    assert!(
        hint_of(&told).contains("there is no such socket"),
        "{told:#?}"
    );
    drop(UnixListener::bind(socket(&none)).unwrap());
    let told = none.fetch(75);
    assert!(
        hint_of(&told).contains("nobody listens to it: start"),
        "{told:#?}"
    );
    fs::remove_file(socket(&none)).unwrap();
    let lmtp = Lmtp::at(&socket(&none));
    none.fetch(0);
    assert_eq!(lmtp.taken().len(), 1);
    // A port.
    let closed = ClosedPort::new();
    let port =
        |port: u16| format!("deliver = {{ lmtp = \"127.0.0.1:{port}\", recipient = \"ada\" }}\n");
    let told = scene(&port(closed.port())).fetch(75);
    assert!(
        hint_of(&told).contains("nobody listens on this port"),
        "{told:#?}"
    );
    // Each says as well that nothing is lost.
    assert!(
        hint_of(&told).contains("what was fetched is kept"),
        "{told:#?}"
    );
    drop(TcpListener::bind("127.0.0.1:0").unwrap());
}

/// A server that has answered is running, and may be connected to.
#[test]
fn hint_what_an_lmtp_server_says_is_not_taken_for_none_that_is_there() {
    let scene = scene("deliver = { lmtp = \"unix:~/lmtp\", recipient = \"ada\" }\n");
    let lmtp = Lmtp::at(&scene.home.path().join("lmtp"));
    for (greeting, said, way) in [
        ("421 too busy\r\n", "it takes no mail now", "this will pass"),
        (
            "554 not from you\r\n",
            "it takes no mail from here",
            "for whoever runs it",
        ),
    ] {
        lmtp.behave("greeting", Act::Say(greeting.into()));
        for told in [scene.fetch(75), scene.run(&["account", "test"])] {
            let all = told.stdout.clone() + &told.stderr;
            assert!(all.contains(said) && all.contains(way), "{told:#?}");
            assert!(!all.contains("is the LMTP server running"), "{told:#?}");
        }
    }
    lmtp.behave("greeting", Act::Say("hello\r\n".into()));
    let told = scene.run(&["account", "test"]);
    assert!(
        told.stdout
            .contains("does not answer as an LMTP server does"),
        "{told:#?}"
    );
    lmtp.behave_well();
    scene.run(&["fetch", "--now"]);
    assert_eq!(lmtp.taken().len(), 1);
}

/// The test of an account says what a fetch says.
#[test]
fn hint_the_doctor_has_the_words_of_a_fetch_for_what_takes_no_mail() {
    for keys in [
        "deliver = { command = [\"no-such-program\"] }\n",
        "deliver = { lmtp = \"unix:~/lmtp\", recipient = \"ada\" }\n",
    ] {
        let scene = scene(keys);
        let told = scene.run(&["fetch"]);
        let told = hint_of(&told).trim().to_owned();
        let tested = scene.run(&["account", "test"]);
        assert!(tested.stdout.contains(&told), "{told}: {tested:#?}");
        assert!(!tested.stdout.contains("os error"), "{tested:#?}");
    }
}

#[test]
fn hint_a_locked_mbox_file_is_told_with_the_file_that_locks_it() {
    let scene = scene("deliver = { mbox = \"~/box\" }\n");
    let lock = scene.home.path().join("box.lock");
    // Of a machine that nobody here can ask.
    fs::write(&lock, "1:another-machine").unwrap();
    let told = scene.run(&["fetch"]);
    assert_eq!(told.status, Some(1), "{told:#?}");
    assert_said(&told, &["locked by another program, as ", "box.lock says"]);
    fs::remove_file(&lock).unwrap();
    scene.fetch(0);
    assert!(scene.home.path().join("box").exists());
}

/// Both commands of it: the one that has the unique-ids, and the one that is told of each.
#[test]
fn hint_what_waits_for_a_deliver_that_is_gone_is_settled_by_the_commands_of_the_hint() {
    let scene = scene("deliver = { command = [\"sh\", \"-c\", \"exit 75\"] }\n");
    scene.run(&["fetch"]);
    scene.configure("");
    let told = scene.run(&["fetch"]);
    assert_eq!(told.status, Some(1), "{told:#?}");
    assert_said(&told, &["has no `deliver` any more"]);
    let warning = format!("hint: {}", told.stderr);
    let shown = shell(&scene.home, &command_in(&warning, "popfetch state show")).expect(0);
    assert!(shown.stdout.contains("uid-1"), "{shown:#?}");
    let accept = command_in(&warning, "popfetch state accept");
    assert!(accept.contains("UNIQUE-ID"), "{accept}");
    shell(&scene.home, &accept.replace("UNIQUE-ID", "uid-1")).expect(0);
    let told = scene.run(&["fetch"]);
    assert_eq!(
        (told.status, told.stderr.contains("deliver")),
        (Some(0), false)
    );
}

#[test]
fn hint_what_was_refused_again_and_again_is_tried_by_the_command_that_is_named() {
    let script = "cat > /dev/null; test -e \"$HOME/open\" || exit 77";
    let scene = scene(&format!(
        "deliver = {{ command = [\"sh\", \"-c\", {script:?}] }}\n"
    ));
    for _ in 0..3 {
        scene.run(&["fetch"]);
    }
    let told = scene.run(&["fetch"]);
    assert_said(&told, &["refused 3 times", "at once with popfetch --now"]);
    fs::write(scene.home.path().join("open"), "").unwrap();
    let config = scene.home.path().join("other place/popfetch.toml");
    let line = format!("popfetch --now --config '{}'", config.display());
    let done = shell(&scene.home, &line).expect(0);
    assert_said(&done, &["1 handed on"]);
    run(&scene.home, &["--config", config.to_str().unwrap()], 0);
}
