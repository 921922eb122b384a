//! The keys about the program that is run after a fetch.

use super::wrong::Wrong;
use super::{Resolver, value};
use crate::profile::{OnNew, Server};
use toml::Spanned;

impl Resolver<'_> {
    pub(super) fn on_new(&self, server: &Server, wrong: &mut Wrong) -> Option<Option<OnNew>> {
        let limit = self.seconds("on-new-timeout", key!(self.on_new_timeout), OnNew::LIMIT);
        let limit = wrong.note(limit);
        let Some(command) = key!(self.on_new) else {
            // In the defaults they may be for accounts that have one.
            let paths = self.account.on_new_paths.as_ref().map(Spanned::span);
            let timeout = self.account.on_new_timeout.as_ref().map(Spanned::span);
            for (key, span) in [("on-new-paths", paths), ("on-new-timeout", timeout)] {
                let Some(span) = span else { continue };
                wrong.note::<()>(Err(self.lacking(
                    &["on-new"],
                    span,
                    format!("`{key}` has no meaning without `on-new`"),
                    "name the program that is run: on-new = [\"notmuch\", \"new\"]",
                )));
            }
            return Some(None);
        };
        // So that an account can do without the one of the defaults.
        if command.get_ref().is_empty() && self.account.on_new.is_some() {
            return Some(None);
        }
        let argv = wrong.note(self.argv(command, server, "[\"notmuch\", \"new\"]"));
        Some(Some(OnNew {
            argv: argv?,
            paths: value(key!(self.on_new_paths)).unwrap_or_default(),
            limit: limit?,
        }))
    }
}
