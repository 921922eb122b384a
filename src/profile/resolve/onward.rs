//! The table `deliver`.

use super::super::Server;
use super::super::deliver::Deliver;
use super::super::diagnose::ConfigError;
use super::super::file::DeliverTable;
use super::super::words::nearest;
use super::wrong::Wrong;
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
    pub(super) fn deliver(&self, server: &Server, wrong: &mut Wrong) -> Option<Option<Deliver>> {
        let Some(written) = key!(self.deliver) else {
            return Some(None);
        };
        let table = written.get_ref();
        let program = table.command.as_ref();
        let program = program.map(|command| self.program(command, table, wrong));
        let mbox = table.mbox.as_ref().map(|mbox| {
            let path = self.path(mbox.span(), mbox.get_ref(), server);
            wrong.note(path).map(|path| Mbox { path })
        });
        let to = match (program, mbox, &table.mbox) {
            (Some(program), None, _) => program.map(Recipient::Program),
            (None, Some(mbox), _) => {
                self.check_of_programs(table, wrong);
                mbox.map(Recipient::Mbox)
            }
            (Some(_), _, Some(mbox)) => wrong.note(Err(self.error_with(
                mbox.span(),
                "`deliver` says more than one thing that takes the messages".into(),
                "keep one of `command` and `mbox`".into(),
            ))),
            _ => wrong.note(Err(self.lacking(
                &["deliver.command", "deliver.mbox"],
                written.span(),
                "`deliver` does not say what takes the messages",
                "name a program, as in deliver = { command = [\"procmail\"] }, or a file, as in \
                 deliver = { mbox = \"~/mail/in\" }",
            ))),
        };
        let archive = match self.passes_through() {
            true => Archive::Passed,
            false => Archive::Kept,
        };
        Some(Some(Deliver { to: to?, archive }))
    }

    fn check_of_programs(&self, table: &DeliverTable, wrong: &mut Wrong) {
        let from_line = table.from_line.as_ref().map(Spanned::span);
        let deadline = table.deadline.as_ref().map(Spanned::span);
        for (key, span) in [("from-line", from_line), ("deadline", deadline)] {
            let Some(span) = span else { continue };
            let message = format!("`{key}` is for a `command` alone");
            wrong.note::<()>(Err(self.lacking(
                &["deliver.command"],
                span,
                message,
                "leave it out",
            )));
        }
    }

    fn program(
        &self,
        command: &Spanned<Vec<String>>,
        table: &DeliverTable,
        wrong: &mut Wrong,
    ) -> Option<Program> {
        let argv = wrong.note(self.argv_of_program(command));
        let deadline = self.seconds("deadline", table.deadline.as_ref(), DEADLINE);
        let deadline = wrong.note(deadline);
        Some(Program {
            argv: argv?,
            from_line: value(table.from_line.as_ref()).unwrap_or_default(),
            deadline: deadline?,
        })
    }

    fn argv_of_program(&self, command: &Spanned<Vec<String>>) -> Result<Vec<String>, ConfigError> {
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
        Ok(argv.clone())
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
