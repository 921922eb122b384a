//! fdm: `~/.fdm.conf` or `/etc/fdm.conf`, a language of its own, and for each POP3 account with
//! `new-only` a file of unique-ids. Of an IMAP account it keeps no list: what it has fetched is flagged as
//! read on the server, beside what was read by other programs (`UID SEARCH UNSEEN`), and is in its Maildirs.
//!
//! ```text
//! text ─> tokens ─> statements ─> accounts, options, actions, rules ─> drafts
//!     lex      parser: macros,          account, options, rules      draft
//!              includes, ifdef
//! ```
//! Commands in a config are never run.

use super::files::{self, Surroundings};
use super::model::{Draft, Fate, Found, Line};
use super::{Error, Wanted, argv, common};
use std::path::PathBuf;

mod account;
mod draft;
mod lex;
mod options;
mod parser;
mod rules;
mod seen;
mod target;
mod values;

use parser::Parser;

const TOOL: &str = "fdm";

pub(super) fn read(wanted: Wanted<'_>) -> Result<Found, Error> {
    let Wanted {
        path, seen, around, ..
    } = wanted;
    let usual = [
        around.home.join(".fdm.conf"),
        PathBuf::from("/etc/fdm.conf"),
    ];
    let path = files::first(TOOL, path, &usual)?;
    let mut parser = Parser::new(&path, around);
    parser.file(&path)?;
    let mut found = parser.found()?;
    let has_list = |draft: &&Draft| draft.get("protocol").is_none();
    let meant = found.drafts.iter().map(|(draft, _)| draft);
    let meant = meant.filter(has_list);
    if let Some(path) = seen {
        Error::check_whose(TOOL, path, meant.filter(|draft| wanted.means(draft)))?;
    }
    for (draft, cache) in &mut found.drafts {
        if !wanted.means(draft) {
            continue;
        }
        match draft.get("protocol") {
            None => seen::take(draft, cache.as_deref(), seen)?,
            Some(_) => draft.kept.look()?,
        }
        if draft.kept.messages > 0 {
            draft.differs.push(
                "what fdm has fetched and you have removed from there since, or moved elsewhere, comes again"
                    .into(),
            );
        }
    }
    Ok(Found {
        files: found.files,
        drafts: found.drafts.into_iter().map(|(draft, _)| draft).collect(),
        lines: found.lines,
    })
}
