//! The IMAP protocol core (RFC 3501, RFC 9051), without any input or output of its own.
//!
//! Octets go in, events come out, and commands become octets to be sent. Nothing here opens a
//! socket, reads a clock or knows what a file is; `source::imap` drives it over a channel. A test
//! holds this module to that.
//!
//! | concept | file | source |
//! |---|---|---|
//! | commands and their encoding, literals | [`command`] | RFC 3501 sections 4.3 and 6, RFC 2177, 4315, 4959, 7888 |
//! | sets of UIDs | [`uid_set`] | RFC 3501 section 9, `sequence-set` |
//! | responses with a status, and their codes | [`status`] | RFC 3501 section 7.1, RFC 4315, 5530 |
//! | responses with data; FETCH, item by item | [`data`], [`items`] | RFC 3501 sections 7.2 to 7.4 |
//! | LIST, and the form of mailboxes' names | [`mailbox_list`] | RFC 3501 sections 5.1.3 and 7.2.2 |
//! | appending, and looking for what was appended | [`append`] | RFC 3501 sections 6.3.11 and 6.4.4 |
//! | capabilities | [`capability`] | RFC 3501 section 7.2.1 |
//! | what a message is called from session to session | [`name`] | RFC 3501 section 2.3.1.1 |
//! | what breaks the protocol, and limits | [`violation`] | |
//! | the connection: what is pending, what came | [`connection`], [`event`] | RFC 3501 sections 2.2 and 5.5 |
//!
//! Only what fetching and appending need is understood. The octets of a message are handed on as they come and are
//! never collected; everything else that a server may send has a limit with a name.

pub mod append;
pub mod capability;
pub mod command;
pub mod connection;
pub mod data;
mod date_time;
pub mod event;
pub mod items;
pub mod mailbox_list;
pub mod name;
pub mod status;
pub mod uid_set;
pub mod violation;

pub use append::{Append, Search, to_utf7};
pub use capability::Capabilities;
pub use command::{Command, Unsendable};
pub use connection::Connection;
pub use data::Data;
pub use event::Event;
pub use items::{Fetched, Section};
pub use mailbox_list::ListedMailbox;
pub use name::Scope;
pub use status::{Code, Condition, Status};
pub use uid_set::UidSet;
pub use violation::Violation;
