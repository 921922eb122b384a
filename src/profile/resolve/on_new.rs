//! The keys about the program that is run after a fetch.

use super::{Resolver, value};
use crate::profile::diagnose::ConfigError;
use crate::profile::{OnNew, Server};
use toml::Spanned;

impl Resolver<'_> {
    pub(super) fn on_new(&self, server: &Server) -> Result<Option<OnNew>, ConfigError> {
        let limit = self.seconds("on-new-timeout", key!(self.on_new_timeout), OnNew::LIMIT)?;
        let Some(command) = key!(self.on_new) else {
            // In the defaults they may be for accounts that have one.
            let alone = [
                (
                    "on-new-paths",
                    self.account.on_new_paths.as_ref().map(Spanned::span),
                ),
                (
                    "on-new-timeout",
                    self.account.on_new_timeout.as_ref().map(Spanned::span),
                ),
            ];
            return match alone.into_iter().find_map(|(key, span)| Some((key, span?))) {
                Some((key, span)) => Err(self.error_with(
                    span,
                    format!("`{key}` has no meaning without `on-new`"),
                    "name the program that is run: on-new = [\"notmuch\", \"new\"]".into(),
                )),
                None => Ok(None),
            };
        };
        // So that an account can do without the one of the defaults.
        if command.get_ref().is_empty() && self.account.on_new.is_some() {
            return Ok(None);
        }
        Ok(Some(OnNew {
            argv: self.argv(command, server, "[\"notmuch\", \"new\"]")?,
            paths: value(key!(self.on_new_paths)).unwrap_or_default(),
            limit,
        }))
    }
}
