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
use std::path::{Path, PathBuf};

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
    for (draft, cache) in found.drafts.iter().filter(|(draft, _)| wanted.means(draft)) {
        check_cache(draft, cache.as_deref(), seen, &found.drafts)?;
    }
    for (draft, cache) in &mut found.drafts {
        if !wanted.means(draft) {
            continue;
        }
        match draft.get("protocol") {
            None => seen::take(draft, cache.as_deref(), seen)?,
            Some(_) => draft.kept.look()?,
        }
        if draft.kept.has_more {
            draft.differs.push(format!(
                "only {} of the messages there are looked at: others come again, where the server still has them",
                draft.kept.messages
            ));
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

/// A cache does not say whose unique-ids are in it, and another account's may be the same by chance.
fn check_cache(
    draft: &Draft,
    cache: Option<&Path>,
    given: Option<&Path>,
    drafts: &[(Draft, Option<PathBuf>)],
) -> Result<(), Error> {
    let of = |path: &Path| {
        let path = path.to_owned();
        let has_it = move |(_, cache): &&(Draft, Option<PathBuf>)| cache.as_ref() == Some(&path);
        drafts.iter().filter(has_it).map(|(draft, _)| draft)
    };
    match (given, cache) {
        (Some(given), cache) if cache != Some(given) => match of(given).next() {
            Some(other) if other.mailbox() != draft.mailbox() => Err(Error::Another {
                path: given.to_owned(),
                whose: format!("`{}`", other.name),
                tool: TOOL,
            }),
            _ => Ok(()),
        },
        (None, Some(cache)) => Error::check_whose(TOOL, cache, of(cache)),
        _ => Ok(()),
    }
}
