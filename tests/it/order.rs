//! A message is deleted from the server only when it and its record are durable, whatever happens
//! to QUIT.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::maildrop::Maildrop;
use crate::support::message::{Message, generate};
use crate::support::process::{PATIENCE, within};
use crate::support::run::Home;
use crate::support::server::{CommandSeen, Server};
use crate::support::strace::{self, Call, calls};
use crate::support::tree;
use crate::support::wire::Ending;

const DELETE: &str = "keep = \"never\"\n";

/// What the journal says: for each unique-id the name of its intent, and whether it is settled.
#[derive(Default)]
struct Journal {
    intents: BTreeMap<String, (String, u64)>,
    settled: Vec<(u64, u64)>,
}

impl Journal {
    fn read(state: &Path) -> Self {
        let files = fs::read_dir(state).unwrap();
        let mut paths = files.map(|entry| entry.unwrap().path());
        let path = paths.find(|path| path.extension().is_some_and(|e| e == "journal"));
        let text = fs::read_to_string(path.expect("there is a journal")).unwrap();
        let mut journal = Self::default();
        for line in text.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let number = |field: usize| fields[field].parse().unwrap();
            match fields[0] {
                "I" => {
                    let name = fields[9].to_string();
                    journal.intents.insert(fields[3].into(), (name, number(1)));
                }
                "S" => journal.settled.push((number(1), number(2))),
                _ => (),
            }
        }
        journal
    }

    /// The name under which this message is recorded as seen.
    fn seen(&self, unique_id: &str) -> &str {
        let (name, id) = self.intents.get(unique_id).expect("there is an I line");
        let is_settled = |(first, last): &(u64, u64)| (*first..=*last).contains(id);
        assert!(
            self.settled.iter().any(is_settled),
            "there is no S line for {unique_id}"
        );
        name
    }
}

#[test]
fn a_message_is_in_new_while_the_server_takes_its_time_over_the_next() {
    let home = Home::on_disk();
    let maildir = home.maildir("a");
    let (sender, arrived) = channel();
    let server = Server::builder(&Maildrop::new(generate(2, 400)))
        .on_command(move |command| {
            if command.line == "RETR 2" {
                let first = || (tree::count(&maildir) == 1).then_some(());
                let seen = within(PATIENCE, first).is_some();
                sender.send(seen).unwrap();
            }
        })
        .start();
    home.one_account(&server.account(), "pipelining = \"off\"\n");
    home.popfetch(["fetch"]).expect(0);
    assert!(arrived.recv().unwrap(), "it waits for the second");
}

#[test]
fn d12_when_a_dele_arrives_its_message_is_complete_in_new_and_recorded_as_seen() {
    let messages = generate(150, 700);
    let maildrop = Maildrop::new(messages.clone());
    let home = Home::on_disk();
    let (maildir, state) = (home.maildir("a"), home.state());
    let originals = messages.clone();
    let checked = Arc::new(Mutex::new(0));
    let checks = Arc::clone(&checked);
    let check = move |seen: &CommandSeen| {
        let Some(number) = seen.line.strip_prefix("DELE ") else {
            return;
        };
        let message = &originals[number.parse::<usize>().unwrap() - 1];
        let unique_id = String::from_utf8(message.unique_id.clone()).unwrap();
        let journal = Journal::read(&state);
        let file = maildir.join("new").join(journal.seen(&unique_id));
        assert!(fs::read(&file).unwrap() == message.stored(), "{unique_id}");
        *checks.lock().unwrap() += 1;
    };
    let server = Server::builder(&maildrop).on_command(check).start();
    home.one_account(&server.account(), DELETE);
    home.popfetch(["fetch"]).expect(0);
    drop(server);
    assert_eq!(*checked.lock().unwrap(), 150);
    assert_eq!(maildrop.count(), 0);
    tree::assert_holds(&home.maildir("a"), &messages);
}

#[test]
fn d13_t11b_a_quit_that_never_arrived_makes_the_next_run_delete_again_without_a_download() {
    for ending in [Ending::Close, Ending::Reset] {
        let messages = generate(10, 500);
        let maildrop = Maildrop::new(messages.clone());
        let lost = Behaviour::new().on("QUIT", Reply::End(ending));
        let server = Server::builder(&maildrop).session(0, lost).start();
        let home = Home::on_disk();
        home.one_account(&server.account(), DELETE);
        home.popfetch(["fetch"]).expect(0);
        assert_eq!(maildrop.count(), 10, "{ending:?}: nothing was deleted");
        home.popfetch(["fetch"]).expect(0);
        let session = server.last_session();
        assert_eq!((session.count("DELE"), session.count("RETR")), (10, 0));
        assert_eq!(maildrop.count(), 0);
        tree::assert_holds(&home.maildir("a"), &messages);
    }
}

#[test]
fn d13_t11_a_quit_whose_reply_is_lost_costs_nothing() {
    for ending in [Ending::Close, Ending::Cut, Ending::Reset] {
        let messages = generate(10, 500);
        let maildrop = Maildrop::new(messages.clone());
        let lost = Behaviour::new().on("QUIT", Reply::EffectThenEnd(ending));
        let server = Server::builder(&maildrop).session(0, lost).start();
        let home = Home::on_disk();
        home.one_account(&server.account(), DELETE);
        home.popfetch(["fetch"]).expect(0);
        assert_eq!(maildrop.count(), 0, "{ending:?}: it had its effect");
        let second = home.popfetch(["--format", "paths"]).expect(0);
        assert_eq!(second.stdout, "");
        let session = server.last_session();
        assert_eq!((session.count("DELE"), session.count("RETR")), (0, 0));
        tree::assert_holds(&home.maildir("a"), &messages);
    }
}

#[test]
fn a_duration_keeps_what_is_younger_and_delete_takes_it_without_a_download() {
    let messages = generate(5, 500);
    let maildrop = Maildrop::new(messages.clone());
    let server = Server::start(&maildrop);
    let home = Home::on_disk();
    home.one_account(&server.account(), "");
    for _ in 0..2 {
        home.popfetch(["fetch", "--delete-after", "14d"]).expect(0);
        assert_eq!(maildrop.count(), 5);
    }
    assert_eq!((server.count("RETR"), server.count("DELE")), (5, 0));
    home.popfetch(["fetch", "--delete"]).expect(0);
    assert_eq!(maildrop.count(), 0);
    assert_eq!((server.count("RETR"), server.count("DELE")), (5, 5));
    tree::assert_holds(&home.maildir("a"), &messages);
}

#[test]
fn new_mail_beside_old_is_fetched_and_only_what_is_stored_is_deleted() {
    let maildrop = Maildrop::new(generate(3, 500));
    // The second message is refused; it must stay.
    let refuses = Behaviour::new().on("RETR 2", Reply::raw("-ERR not now\r\n"));
    let server = Server::builder(&maildrop).session(0, refuses).start();
    let home = Home::on_disk();
    home.one_account(&server.account(), DELETE);
    home.popfetch(["fetch"]).expect(1);
    assert_eq!(maildrop.unique_ids(), ["uid-000002"]);
    home.popfetch(["fetch"]).expect(0);
    assert_eq!(maildrop.count(), 0);
    tree::assert_holds(&home.maildir("a"), &generate(3, 500));
}

/// The first call after line `after` that is as wanted.
fn after<'a>(
    calls: &'a [Call],
    after: usize,
    what: &str,
    wanted: impl Fn(&Call) -> bool,
) -> &'a Call {
    let found = calls.iter().find(|call| call.began > after && wanted(call));
    found.unwrap_or_else(|| panic!("after line {after} of the trace there is no {what}"))
}

fn traced_fetch(home: &Home, trace: &Path) -> Vec<Call> {
    let calls_of_interest = "fsync,fdatasync,renameat2,sendto,write,writev,openat";
    strace::traced(home, trace, calls_of_interest, &["fetch"]).expect(0);
    calls(&fs::read_to_string(trace).unwrap())
}

#[test]
fn d5_d6_d8_to_d13_the_kernel_sees_file_journal_name_directory_journal_and_only_then_dele_and_quit()
{
    if !crate::support::process::installed("strace") {
        return;
    }
    let messages: Vec<Message> = generate(20, 3000);
    let maildrop = Maildrop::new(messages.clone());
    let plain = Server::builder(&maildrop).security(Security::Plain).start();
    let home = Home::on_disk();
    home.one_account(&plain.account(), DELETE);
    let trace: PathBuf = home.path().join("trace");
    let calls = traced_fetch(&home, &trace);
    let text = fs::read_to_string(&trace).unwrap();

    let journal = Journal::read(&home.state());
    let quit = after(&calls, 0, "QUIT", |call| call.sends("QUIT"));
    for (index, message) in messages.iter().enumerate() {
        let unique_id = String::from_utf8(message.unique_id.clone()).unwrap();
        let name = journal.seen(&unique_id);
        let (_, id) = &journal.intents[&unique_id];
        let in_journal = |call: &Call| call.text.contains(".journal>");
        let file = after(&calls, 0, "sync of the file", |call| {
            call.is_sync() && call.text.contains(&format!("/tmp/{name}>"))
        });
        let intent = after(&calls, file.ended, "intent", |call| {
            call.name == "write" && in_journal(call) && call.text.contains(name)
        });
        let synced = after(&calls, intent.ended, "sync of the intent", |call| {
            call.is_sync() && in_journal(call)
        });
        let renamed = after(&calls, synced.ended, "rename", |call| {
            call.name == "renameat2" && call.text.contains(name)
        });
        let directory = after(&calls, renamed.ended, "sync of new/", |call| {
            call.is_sync() && call.text.contains("/new>")
        });
        let settled = after(&calls, directory.ended, "S line", |call| {
            call.name == "write" && in_journal(call) && settles(&call.text, *id)
        });
        let recorded = after(&calls, settled.ended, "sync of the S line", |call| {
            call.is_sync() && in_journal(call)
        });
        let delete = format!("DELE {}\\r\\n", index + 1);
        let deleted = after(&calls, 0, "DELE", |call| call.sends(&delete));
        assert!(recorded.ended < deleted.began, "{unique_id}:\n{text}");
        assert!(deleted.began < quit.began, "{unique_id}:\n{text}");
        // No name appears, and nothing is deleted, at any other time.
        let named = calls
            .iter()
            .filter(|call| call.name == "renameat2" && call.text.contains(name));
        assert_eq!(named.count(), 1, "{unique_id}");
        let deletions = calls.iter().filter(|call| call.sends(&delete)).count();
        assert_eq!(deletions, 1, "{unique_id}");
    }
    assert_eq!(maildrop.count(), 0);
    tree::assert_holds(&home.maildir("a"), &messages);
}

#[test]
fn d6_a_message_is_delivered_while_the_next_one_is_waited_for() {
    let messages = generate(5, 500);
    let maildrop = Maildrop::new(messages.clone());
    let home = Home::new();
    let maildir = home.maildir("a");
    let here = move |seen: &CommandSeen| {
        let Some(number) = seen.line.strip_prefix("RETR ") else {
            return;
        };
        // The server does not go on before all that it has sent has arrived.
        let before = number.parse::<usize>().unwrap() - 1;
        let arrived = within(PATIENCE, || (tree::count(&maildir) >= before).then_some(()));
        assert!(arrived.is_some(), "before {}", seen.line);
    };
    let behaviour = Behaviour::new().without("PIPELINING");
    let server = Server::builder(&maildrop).behaviour(behaviour);
    let server = server.security(Security::Plain).on_command(here).start();
    home.one_account(&server.account(), DELETE);
    home.popfetch(["fetch"]).expect(0);
    drop(server);
    tree::assert_holds(&home.maildir("a"), &messages);
}

/// Whether what is written to the journal holds an S line with this id in its range.
fn settles(written: &str, id: u64) -> bool {
    let text = written.replace("\\n", "\n").replace("\\t", "\t");
    text.split(['\n', '"']).any(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |field: usize| fields.get(field)?.parse::<u64>().ok();
        fields[0] == "S"
            && number(1)
                .zip(number(2))
                .is_some_and(|(first, last)| (first..=last).contains(&id))
    })
}
