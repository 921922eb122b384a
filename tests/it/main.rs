//! All integration tests, in one binary because linking takes longer than running them.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unreachable_pub
)]

#[path = "../support/mod.rs"]
mod support;

/// Proves that the support does what the other tests rely on.
mod support_works;

/// An account that is taken out of the config file.
mod account_remove;
/// What is fetched, and what is told.
mod choose;
/// What a shell offers for TAB.
mod completions;
/// What the program may still touch once it talks to a server.
mod confined;
/// Sockets, proxies and certificates on the way to a server.
mod connecting;
/// Ctrl-C, from the first look-up to the last question.
mod ctrl_c;
/// What ends a run that waits for a secret.
mod cut_off;
/// What is stored is handed on to a program.
mod deliver;
/// Whether an account works, looked at without a trace.
mod doctor;
/// Networks and servers that fail.
mod faults;
/// How a message's file is made, where its owner wants it otherwise.
mod filing;
/// Every global option with every command.
mod flags;
/// What many tests begin with.
mod given;
/// A hint is true for its case, and works when it is followed to the letter.
mod hints;
/// Which message is which.
mod identity;
/// IMAP: the same promise by another protocol.
mod imap;
/// Moving in from another tool.
mod import;
/// The kernel kills the program, or refuses it a system call.
mod injected;
/// Where passwords come from.
mod keyring;
/// Mail is never lost: what is recorded is not believed where the disk or the server says otherwise.
mod lost;
/// Servers that want to be left alone, and people who want to hear of it once.
mod manners;
/// What people took for something else.
mod misread;
/// Others are at work in the Maildir.
mod neighbours;
/// The first days with the program.
mod newcomer;
/// The nineteen faults of the README.
mod nineteen;
/// A run that comes to nothing leaves nothing.
mod nothing_made;
/// OAuth 2.0, from the browser to the fetch.
mod oauth;
/// What is run once new mail is stored.
mod on_new;
/// Server trouble is the session's, and a message's fault only where that is shown.
mod patient;
/// Messages that cannot be had.
mod poison;
/// Questions for passwords.
mod prompts;
/// Whoever reads the report, and does not, or is gone.
mod readers;
/// Reading what was fetched, with no connection.
mod reading;
/// The commands of the README, as they stand there.
mod readme;
/// Real servers besides Dovecot.
mod real_servers;
/// Rules about messages before they are downloaded.
mod rules;
/// The samples arrive octet for octet, once.
mod samples;
/// Few files and threads.
mod scarce;
/// `popfetch schema` against what is really written.
mod schema;
/// What stands on a terminal, narrow and wide.
mod screens;
/// Secrets that are slow to come.
mod secrets;
/// No one is let in.
mod security;
/// From an address to an account.
mod setup;
/// Signing in and listing in one flight.
mod shortcut;
/// How someone signs in.
mod sign_in;
/// Slow and clumsy servers, and signals.
mod slow;
/// Whole screens, as they are checked in.
mod snapshots;
/// Who is at the other end of the line.
mod tls;
/// Everything that can be wrong from the first line of the config to the last octet on the disk.
mod trouble;
/// Nothing is delivered twice.
mod twice;
/// Where nobody looks on: many accounts, units, cron.
mod unattended;
/// What is recorded, held against what is there.
mod verify;
/// Fetched again and again, by a process that stays.
mod watch;

/// Nothing is deleted before it is durable, and QUIT may fail.
mod order;

/// `kill -9` at any moment loses and doubles nothing.
mod kill;

/// A connection cut anywhere loses and doubles nothing.
mod cut;

/// Runs and accounts at the same time do not disturb each other.
mod parallel;

/// Neither a huge message nor a huge maildrop takes much memory.
mod memory;
/// A Maildir for each year.
mod years;
