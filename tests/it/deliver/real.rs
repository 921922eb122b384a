//! Programs that people have.

use super::serving;
use crate::given::run;
use crate::support::behaviour::Behaviour;
use crate::support::message::{Message, generate};
use crate::support::process::installed;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::skip::{Lack, is_root, skip};
use crate::support::tree;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const MESSAGES: usize = 100;

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

/// All are there at the end of the first run, and on the server no longer at the end of the second: what a program
/// takes once the server was left, as it had waited for long, is deleted by the next run.
fn assert_all_are_taken(server: &Server, home: &Home, (maildir, letters): (&Path, &[Message])) {
    run(home, &[], 0);
    tree::assert_holds(maildir, letters);
    run(home, &[], 0);
    tree::assert_holds(maildir, letters);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn procmail_takes_100_messages_octet_for_octet() {
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
    assert_all_are_taken(&server, &home, (&maildir, &letters));
}

#[test]
fn maildrop_takes_100_messages_octet_for_octet() {
    if !installed("maildrop") {
        return;
    }
    let letters = letters();
    let (server, home) = serving(letters.clone(), Behaviour::new(), "");
    let maildir = empty_maildir(&home);
    let filter = home.private_file("filter", &format!("to \"{}\"\n", maildir.display()));
    let deliver = format!("deliver = {{ command = [\"maildrop\", {filter:?}] }}\nkeep = \"never\"");
    super::write_config(&server, &home, &deliver);
    assert_all_are_taken(&server, &home, (&maildir, &letters));
}

#[test]
fn dovecots_own_program_takes_100_messages_octet_for_octet() {
    const LDA: &str = "/usr/lib/dovecot/dovecot-lda";
    if !Path::new(LDA).exists() || !installed("setpriv") {
        return skip(Lack::Tool, format_args!("dovecot-lda is not installed"));
    }
    let letters = letters();
    let (server, home) = serving(letters.clone(), Behaviour::new(), "");
    let maildir = empty_maildir(&home);
    let place = home.path().join("lda");
    fs::create_dir(&place).unwrap();
    let at = place.display();
    let config = format!(
        "log_path = {at}/log\nbase_dir = {at}/run\nssl = no\nprotocols =\n\
         mail_location = maildir:{}\npostmaster_address = a@example.com\nhostname = localhost\n",
        maildir.display()
    );
    let config = home.private_file("dovecot.conf", &config);
    let mut command = vec![
        LDA.to_owned(),
        "-c".to_owned(),
        config.display().to_string(),
    ];
    if is_root() {
        // It takes no mail for root.
        let nobody = [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
        ];
        command.splice(0..0, nobody.map(str::to_owned));
        let open = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        open(home.path(), 0o755);
        open(&place, 0o777);
        open(&config, 0o644);
        for part in ["", "tmp", "new", "cur"] {
            open(&maildir.join(part), 0o777);
        }
    }
    let deliver = format!("deliver = {{ command = {command:?} }}\nkeep = \"never\"");
    super::write_config(&server, &home, &deliver);
    assert_all_are_taken(&server, &home, (&maildir, &letters));
}
