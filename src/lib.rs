//! popfetch brings mail home: it signs in to POP3 and IMAP accounts, downloads the messages that it has
//! not downloaded before, stores them in a Maildir, and then leaves them on the server or deletes
//! them, as each account's profile says. A message is never lost and never delivered twice,
//! whatever fails and whenever it fails, within the limits that the manual page states.
//!
//! This page is the map of the sources. The library holds everything; `main.rs` calls
//! [`command::main`] and nothing else.
//!
//! # How data flows
//!
//! ```text
//! command line ─> profile ───> source ─────> plan ─────> delivery ────> state
//!  cli, command    config file  sign in,      what to     tmp/, sync,    journal,
//!                  and URLs,    list, RETR,   fetch,      new/           proofs
//!                  validated    DELE, QUIT    skip,
//!                                             delete
//!                  └─────────────── fetch: one account ───────────────┘
//!                                       └─> report: text, JSON, paths
//! ```
//! Data flows one way and layers never look up; `tests/layers.rs` reads the sources and says so.
//!
//! | module | what it is responsible for |
//! |---|---|
//! | [`cli`] | the command line as clap sees it: types and help texts, no logic |
//! | [`command`] | one file a command; the environment, standard output, errors as text |
//! | [`profile`] | config file, URLs and options become a validated [`Profile`](profile::Profile) |
//! | [`secrets`] | where passwords and sign-ins are, and what an account signs in with |
//! | [`import`] | other tools' configs and unique-ids become drafts of accounts, names, and remarks |
//! | [`fetch`] | one account from the lock on its state to the reply to QUIT; network and disk side by side |
//! | [`source`] | where mail comes from, an arm for each protocol, and what it is like; [`source::pop`], [`source::imap`]: the states of a protocol as types, over a channel |
//! | [`plan`] | what to fetch, skip, mark and delete: pure, without clock, disk or network |
//! | [`rules`] | which messages come, and into which folder, which stay, and which are deleted unread: pure |
//! | [`delivery`] | the spool, and the steps from octets to a message that is placed for good, as types |
//! | [`handover`] | what takes a message once it is stored: programs, mbox files, LMTP servers, folders of other accounts, standard output |
//! | [`maildir`] | Maildirs: layout, names, who delivers, finding anybody's mail again |
//! | [`message`] | what a message is known by: its heading, the fields of its identity, its hashes; how it ended; its text and parts |
//! | [`mailbox`] | reading with no connection: which messages there are, one of them, its attachments |
//! | [`state`] | what was fetched: one journal an account, its lock, recovery, rebuilding, compaction |
//! | [`verify`] | whether what is recorded is still in the Maildir, unchanged |
//! | [`report`] | turns the events of a fetch into lines, bars, JSON objects or paths |
//! | [`maildrop`] | the maildrop as one session lists it; what makes a message the same next time |
//! | [`pop3`] | the protocol core: octets in, events out, no input or output of its own |
//! | [`imap`] | the same of IMAP: a message's octets are streamed, all else has a limit |
//! | [`sasl`] | SASL mechanisms, likewise |
//! | [`input`] | what has come over a connection and was not read yet: a buffer of a fixed size |
//! | [`net`] | names, addresses, proxies, TCP and TLS: a channel of octets |
//! | [`web`] | HTTP over `net`: a form that is posted, a document that is got |
//! | [`discover`] | from a mail address to the servers that may have its mail |
//! | [`oauth`] | OAuth 2.0: a person's sign-in in the browser, and access tokens from then on |
//! | [`durable`] | the only place that creates, syncs, renames and removes files |
//! | [`server`] | a maildrop's address, under which state and secrets are kept |
//! | [`paths`] | where files belong (XDG) |
//! | [`moment`] | when something happens, and in which boot of the machine |
//! | [`named`] | reads files that a person names, whatever they are |
//! | [`private`] | reads files that must be secret |
//! | [`process`] | programs that are started, and ended with what they have started |
//! | [`sandbox`] | Landlock: a thread gives up the file system but for its own directories |
//! | [`system`] | what only Linux tells, of boots, processes and locks: where a port begins |
//! | [`stop`] | SIGINT and SIGTERM, the time a run may take, and what else signals ask for |
//! | [`threads`] | threads where the system may have none left to give |
//! | [`facts`] | no code: what the rest stands on, by the numbers that comments and tests bear |
//! | [`exit`] | exit statuses, what every error can say about itself, and which options a hint may name |
//! | [`term`] | foreign text made harmless, sizes in words, widths, colours, tables |
//!
//! # The order of effects
//!
//! ```text
//! RETR body ─> Complete ──> Synced ───> Intent ──────> Delivered ─────> Recorded ──> DELE ─> QUIT
//!   tmp/ file   termination  file fsync  journal line   named in new/,   journal line
//!   growing     octet seen   (E2)        synced (E1)    new/ synced (E3) synced (E4)
//! ```
//! Each word is a type that only the step before it can make:
//! [`delivery::Complete`], [`delivery::Synced`], [`state::Intent`], [`delivery::Delivered`],
//! [`state::Recorded`]. [`Source::delete`](source::Source::delete) takes nothing but
//! [`state::Recorded`], so deleting what is not durable and recorded does not compile. For a message
//! of an earlier session the way is [`state::Same`] ─> [`state::Recorded`]: the session has shown that
//! it is the same, and its file was looked for. Of a message that another tool has fetched there is no
//! file of ours: [`state::Elsewhere`] stands for its owner's word that it may be deleted. Of a message that
//! a rule has deleted unread there is none at all: [`rules::Hit`] says that each condition was seen to hold
//! in the session at hand, and [`state::Ruled`] that this is recorded.
//! What is to be handed on as well is [`state::Placed`] until that is done, and [`state::Recorded`] then. That a
//! deletion is asked for is recorded and synced before DELE ([`Store::begin_deleting`](state::Store::begin_deleting)).
//! The steps are taken for a batch at a time (group commit, `fetch/commit.rs`): many files whose
//! syncs overlap with the download, one sync of the journal, one of new/.
//!
//! # The durability rules
//!
//! | rule | | where |
//! |---|---|---|
//! | E1 | The intent (identity and Maildir name) is in the journal and synced before the file can appear in new/. | [`Store::intend`](state::Store::intend), [`Target::place`](delivery::Target::place) |
//! | E2 | A file gets its name in new/ only when it is complete, its termination octet seen, and synced. | `delivery/spool.rs` |
//! | E3 | new/ itself, or cur/ where the message has flags, is synced before a message is recorded as seen. | `delivery/target.rs` |
//! | E4 | "Seen" is in the journal before DELE is sent; the proof exists only after the journal's sync. It is written right after E3, so that a kill takes nothing of it. | [`Store::record`](state::Store::record), [`Store::settle`](state::Store::settle), `source/pop/update.rs`, `source/imap/update.rs` |
//! | E5 | A unique-id is forgotten only a year after its deletion was confirmed or it was absent from several complete listings, and while no listing has it; never because a QUIT failed. | [`Store::note_absences`](state::Store::note_absences), `state/compact.rs` |
//! | E6 | A torn last line of the journal is dropped. Any other damage: the file is kept under another name, the state made again from its good lines and the Maildir, the user told. | `state/claim.rs`, `state/rebuild.rs` |
//! | E7 | Compaction is a new file, its sync, a rename, the directory's sync. The lock is a file of its own, never renamed, and removed with its account alone, by whoever holds it. | `state/compact.rs`, `state/lock.rs`, `state/removal.rs` |
//! | E8 | Without a reply to QUIT, and the close behind it, nothing counts as deleted; by IMAP, without a look after EXPUNGE that shows that it is gone. The next listing tells, and DELE is sent again without a second download. | [`source::Update`] |
//! | E9 | After a failed sync the message counts as not stored: its name is unlinked, then, once that is durable, its intent withdrawn. An intent that a crash left counts as stored once its file and directory are synced; one that is nowhere is fetched again. | [`delivery::sync_all`], `fetch/commit.rs`, `state/recover.rs` |
//! | E10 | QUIT is a commit point even when nothing is deleted: after any failure of ours the connection is closed without it. | `fetch/session.rs`, [`Source::end`](source::Source::end) |
//! | E11 | A message's name is account and unique-id. Its listed size is evidence, and so are its body and a few header fields; what is doubtful is looked at in the session at hand, and before a message of an earlier session is deleted it must have been seen to be the same there. | [`maildrop::Identity`], `message/fields.rs`, `state/recognition.rs`, `state/doubt.rs`, `state/beside.rs`, `fetch/doubts.rs` |
//! | E12 | A message is delivered as any other only if its end was orderly; otherwise it has no proof that DELE takes. Two with the same octets are read once more. After a violation of the protocol, what the session recorded is doubtful. | [`message::Ending`], `fetch/endings.rs`, `fetch/echoes.rs`, [`Store::distrust_session`](state::Store::distrust_session) |
//! | E13 | The Maildir's own file says who delivers to it, and a generation that is raised before and after the deliveries of a run, with a nonce drawn for each: no line, or another number or other nonces than the journal's are found out before anything is touched. | `maildir/roster.rs`, `maildir/nonces.rs`, `state/custody.rs`, `state/parting.rs`, `state/succession.rs` |
//! | E14 | Before a message of an earlier session is deleted its file is looked for: there, as long as it was; or absent from a Maildir that is seen, with its line, and not back since it may have left the server, by its name or another (fact D41). | [`Store::vouch`](state::Store::vouch), [`maildir::Search`] |
//!
//! What is handed on has no names by which it could be looked up. In a folder of another account a message that may be
//! there is looked for by its Message-ID, or else by size and our date, and among what has come since, and all of it is
//! compared (`source/imap/find.rs`, `handover/post/comparison.rs`). It counts as there only under a UID that was free
//! before the first try (`g`) and that no other message got, as the journals of all accounts say, which are read after
//! the folder (`d`; fact D42, `source/imap/standing.rs`, `state/neighbours/folder.rs`).
//! An mbox file gets each message once. How long it was is recorded before (`g`), and what a kill has left of a message
//! is cut off, by whichever account appends there first. That holds even if the message's own file is gone by then,
//! except for a half that ends with an empty line, as nothing shows that it is only half. Up to where the file is
//! accounted for is recorded after it (`m`), and a state that is older, or lost, finds there what it does not know (fact
//! D39, `handover/mbox.rs`).
//! What was tried once without a clear answer stays known as that until it has been taken, and so does what is
//! fetched in its place (fact D40, `state/attempts.rs`).
//!
//! The journal and the file in the Maildir agree only together; where one of them is older, the newer
//! one is right about what was done, and the disk about what is there.
//!
//! What the rules and the rest of the code stand on (RFCs, servers, disks, attacks, and earlier faults) is
//! in [`facts`], by number.
//!
//! # Where to start reading
//!
//! [`fetch`] (`fetch/mod.rs`) is the story: [`Account::fetch`](fetch::Account::fetch) names every
//! step in order. From there go down: to [`source`] and [`pop3`] with RFC 1939 at hand, to
//! [`delivery`] and then [`state`] for what happens on the disk (`state/record.rs` has the
//! journal's grammar), to [`plan`] for the rules about messages.
//!
//! # How to add ...
//!
//! - **a protocol**: a module below `source/`, its arms in [`source::Door`], [`source::Source`] and
//!   `source/retrieval.rs`, and in [`source::Traits`] what others have to know of it; its word, its ports and its
//!   scheme in [`server::Protocol`]. What it shares with others stands beside it in `source/`.
//! - **a sign-in method**: for SASL a variant of [`sasl::Mechanism`] and what it says in
//!   [`sasl::exchange`] (messages that follow from nothing are a line there; more is a file of its
//!   own), for anything else its dialogue in `source/pop/sign_in.rs` or `source/imap/sign_in.rs`. Its word in
//!   [`source::Auth::ALL`] and when it is chosen in `source/method.rs`. The server's side in
//!   `tests/support/sasl.rs`, and a row in `tests/it/sign_in/`. `man/popfetch.toml.5` under `auth`,
//!   and the table in `man/popfetch.1.in`.
//! - **the words of a server**: in the row of `source/answer/words.rs` that says what they mean, and
//!   as they were met in `source/answer/wordings_tests.rs`; the first row that fits decides.
//! - **a config key**: a field in `profile/file.rs`; what it means in [`plan::Policy`] or
//!   [`profile::Profile`], made in `profile/resolve.rs`; its line in `profile/shown.rs`, for
//!   `account show` and JSON; its description in `man/popfetch.toml.5`. Tests compare the keys with
//!   the page and with what is shown. If it has an option as well, `cli/fetch.rs`,
//!   `command/fetch.rs` and [`profile::Overrides`].
//! - **a condition of rules**: its key in `profile/rule_table.rs`, what it asks in [`rules::Conditions`], the
//!   answer in `rules/judge.rs`, and its entry in `man/popfetch.toml.5`, where a test looks for it.
//! - **a provider**: a row in `profile/providers.rs` (by IMAP in its `BY_IMAP`), and its entry in
//!   `man/popfetch.toml.5`, where a test looks for it; its servers in `discover/ours.tsv`, where `providers.tsv` does not
//!   have them, and what `setup` says to do there in `discover/steps.rs`.
//! - **a provider's OAuth 2.0**: a `Preset` in `profile/resolve/oauth.rs`, and a sentence on how to get a
//!   client id in the same entry of the page.
//! - **an event**: a variant of [`report::Event`]; what people see of it in `report/text.rs`, what
//!   programs see in `report/json.rs`; its fields in `man/popfetch.1.in` and `command/schema.json`; then tell it in
//!   [`fetch`].
//! - **a command or an option**: `cli.rs`, a file in `command/`, then
//!   `UPDATE=1 cargo test --test drift` for the manual page and the completions.
#![cfg_attr(
    test,
    allow(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
        clippy::expect_used
    )
)]

pub mod cli;
pub mod command;
pub mod delivery;
pub mod discover;
pub mod durable;
pub mod exit;
#[doc = include_str!("facts.md")]
pub mod facts {}
pub mod fetch;
pub mod handover;
pub mod imap;
pub mod import;
pub mod input;
pub mod mailbox;
pub mod maildir;
pub mod maildrop;
pub mod message;
pub mod moment;
pub mod named;
pub mod net;
pub mod oauth;
pub mod paths;
pub mod plan;
pub mod pop3;
pub mod private;
pub mod process;
pub mod profile;
pub mod report;
pub mod rules;
pub mod sandbox;
pub mod sasl;
pub mod secrets;
pub mod server;
pub mod source;
pub mod state;
pub mod stop;
pub mod system;
pub mod term;
pub mod threads;
pub mod verify;
pub mod web;

#[allow(dead_code, unreachable_pub)]
#[cfg(test)]
#[path = "../tests/support/skip.rs"]
mod skip;
