//! The table `deliver`.

use super::super::Server;
use super::super::deliver::Deliver;
use super::super::diagnose::ConfigError;
use super::super::file::DeliverTable;
use super::super::words::nearest;
use super::{Resolver, value};
use crate::handover::{Archive, Mbox, Program, Recipient, unknown_word};
use crate::maildrop::file_name;
use crate::paths;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;

/// How long a program may take for a message if nothing says otherwise: what hangs is found out, and
/// what calls a filter that learns is not ended for it.
const DEADLINE: Duration = Duration::from_secs(5 * 60);

impl Resolver<'_> {
    /// What takes messages, if the account or the defaults say so.
    pub(super) fn deliver(&self, server: &Server) -> Result<Option<Deliver>, ConfigError> {
        let Some(written) = key!(self.deliver) else {
            return Ok(None);
        };
        let table = written.get_ref();
        let to = match (&table.command, &table.mbox) {
            (Some(command), None) => Recipient::Program(self.program(command, table)?),
            (None, Some(mbox)) => Recipient::Mbox(self.mbox(mbox, table, server)?),
            (Some(_), Some(mbox)) => {
                return Err(self.error_with(
                    mbox.span(),
                    "`deliver` says more than one thing that takes the messages".into(),
                    "keep one of `command` and `mbox`".into(),
                ));
            }
            (None, None) => {
                return Err(self.error_with(
                    written.span(),
                    "`deliver` does not say what takes the messages".into(),
                    "name a program, as in deliver = { command = [\"procmail\"] }, or a file, as in \
                     deliver = { mbox = \"~/mail/in\" }"
                        .into(),
                ));
            }
        };
        let archive = match self.passes_through() {
            true => Archive::Passed,
            false => Archive::Kept,
        };
        Ok(Some(Deliver { to, archive }))
    }

    fn mbox(
        &self,
        mbox: &Spanned<String>,
        table: &DeliverTable,
        server: &Server,
    ) -> Result<Mbox, ConfigError> {
        let of_programs = [
            table
                .from_line
                .as_ref()
                .map(|key| ("from-line", key.span())),
            table.deadline.as_ref().map(|key| ("deadline", key.span())),
        ];
        if let Some((key, span)) = of_programs.into_iter().flatten().next() {
            let wrong = format!("`{key}` is for a `command` alone");
            return Err(self.error_with(span, wrong, "leave it out".into()));
        }
        let path = self.path(mbox.span(), mbox.get_ref(), server)?;
        Ok(Mbox { path })
    }

    fn program(
        &self,
        command: &Spanned<Vec<String>>,
        table: &DeliverTable,
    ) -> Result<Program, ConfigError> {
        let argv = command.get_ref();
        if argv.first().is_none_or(String::is_empty) {
            let wrong = "a command needs a program, as in [\"procmail\", \"-f-\"]";
            return Err(self.error(command.span(), wrong));
        }
        if argv.iter().any(|word| word.contains('\0')) {
            return Err(self.error(command.span(), "a command cannot have a NUL in it"));
        }
        if let Some((word, known)) = argv.iter().find_map(|word| unknown_word(word)) {
            let names: Vec<String> = known.iter().map(|&name| name.to_owned()).collect();
            let help = match nearest(&word.to_lowercase(), &names) {
                Some(near) => format!("did you mean `{{{near}}}`?"),
                None => format!("there are {{{}}}", names.join("}, {")),
            };
            let wrong = format!("`{{{word}}}` stands for nothing in a command here");
            return Err(self.error_with(command.span(), wrong, help));
        }
        let deadline = match &table.deadline {
            Some(deadline) if deadline.get_ref().duration() < Duration::from_secs(1) => {
                return Err(self.error(deadline.span(), "`deadline` must be at least one second"));
            }
            Some(deadline) => deadline.get_ref().duration(),
            None => DEADLINE,
        };
        Ok(Program {
            argv: argv.clone(),
            from_line: value(table.from_line.as_ref()).unwrap_or_default(),
            deadline,
        })
    }

    /// Whether messages are in no Maildir of their owner's.
    pub(super) fn passes_through(&self) -> bool {
        key!(self.deliver).is_some() && key!(self.maildir).is_none()
    }

    /// Where messages are stored that only pass through.
    pub(super) fn spool(&self, server: &Server) -> Result<PathBuf, ConfigError> {
        let spool = paths::spool_dir(&file_name(&server.id()));
        spool.map_err(|error| self.error(self.name.span(), error.to_string()))
    }
}
