use std::process::Command;

use crate::given::{assert_said, behaving, letter, run};
use crate::support::behaviour::Behaviour;
use crate::support::message::Message;
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use crate::support::tree;

/// Ten messages, the third of which has so many octets.
fn with_a_large_one(octets: u64) -> (Server, Home) {
    let (server, home) = behaving(10, Behaviour::new());
    let mut messages = server.maildrop().messages();
    messages[2] = Message::generated("uid-3", octets, 1);
    server.maildrop().replace(messages);
    (server, home)
}

fn all_but_the_third(server: &Server) -> Vec<Message> {
    let mut messages = server.maildrop().messages();
    messages.remove(2);
    messages
}

/// A fetch of which no file may be larger than so many KiB.
pub fn limited(home: &Home, kibibytes: u64, arguments: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_popfetch");
    let mut command = Command::new("bash");
    home.furnish(&mut command);
    let line = format!("ulimit -f {kibibytes}; exec {program} {arguments}");
    let ended = command.args(["-c", &line]).output().unwrap();
    Output {
        status: ended.status.code(),
        stdout: String::from_utf8(ended.stdout).unwrap(),
        stderr: String::from_utf8(ended.stderr).unwrap(),
        peak_memory: 0,
    }
}

#[test]
fn b4_a_message_that_no_file_can_hold_keeps_no_other_from_arriving_or_from_being_deleted() {
    let (server, home) = with_a_large_one(3 << 20);
    let expected = all_but_the_third(&server);
    let output = limited(&home, 2048, "fetch --delete");
    assert_eq!(output.status, Some(74), "{output:#?}");
    assert_said(
        &output,
        &["error: a: ", "uid-3", "larger than a file may be", "hint: "],
    );
    assert_eq!(server.count("RETR 3"), 0);
    tree::assert_holds(&home.maildir("a"), &expected);
    assert_eq!(server.maildrop().unique_ids(), ["uid-3"]);
    // And so in each run, until it fits.
    server.maildrop().add([letter(11)]);
    let output = limited(&home, 2048, "fetch --delete");
    assert_eq!(output.status, Some(74), "{output:#?}");
    assert_eq!(server.maildrop().unique_ids(), ["uid-3"]);
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!(server.maildrop().count(), 0);
    assert_eq!(tree::count(&home.maildir("a")), 11);
}
