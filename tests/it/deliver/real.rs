//! Programs that people have.

use super::serving;
use crate::given::run;
use crate::support::behaviour::Behaviour;
use crate::support::message::{Message, generate};
use crate::support::process::installed;
use crate::support::run::Home;
use crate::support::tree;
use std::fs;
use std::path::PathBuf;

const MESSAGES: usize = 300;

/// Messages with a header each, as what is none is repaired by procmail.
fn letters() -> Vec<Message> {
    let bodies = generate(MESSAGES, 900).into_iter();
    let letters = bodies.enumerate().map(|(n, body)| {
        let body = String::from_utf8(body.stored()).unwrap();
        let text = format!("Subject: {n}\nMessage-ID: <{n}@x>\n\n{body}From here\n.\n");
        Message::from_lf(format!("uid-{n}"), text)
    });
    letters.collect()
}

fn empty_maildir(home: &Home) -> PathBuf {
    let maildir = home.path().join("box");
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(maildir.join(part)).unwrap();
    }
    maildir
}

#[test]
fn procmail_takes_300_messages_octet_for_octet() {
    if !installed("procmail") {
        return;
    }
    let letters = letters();
    let (server, home) = serving(letters.clone(), Behaviour::new(), "");
    let maildir = empty_maildir(&home);
    let default = format!("DEFAULT={}/", maildir.display());
    let deliver = format!(
        "deliver = {{ command = [\"procmail\", \"-p\", {default:?}, \"/dev/null\"] }}\nkeep = \"never\""
    );
    super::write_config(&server, &home, &deliver);
    run(&home, &[], 0);
    tree::assert_holds(&maildir, &letters);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn maildrop_takes_300_messages_octet_for_octet() {
    if !installed("maildrop") {
        return;
    }
    let letters = letters();
    let (server, home) = serving(letters.clone(), Behaviour::new(), "");
    let maildir = empty_maildir(&home);
    let filter = home.private_file("filter", &format!("to \"{}\"\n", maildir.display()));
    let deliver = format!("deliver = {{ command = [\"maildrop\", {filter:?}] }}\nkeep = \"never\"");
    super::write_config(&server, &home, &deliver);
    run(&home, &[], 0);
    tree::assert_holds(&maildir, &letters);
    assert_eq!(server.maildrop().count(), 0);
}
