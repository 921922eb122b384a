//! The table `deliver`.

use super::super::Server;
use super::super::deliver::Deliver;
use super::super::diagnose::ConfigError;
use super::super::file::DeliverTable;
use super::super::words::nearest;
use super::wrong::Wrong;
use super::{Resolver, value};
use crate::handover::{Archive, Folder, Lmtp, Mbox, Place, Program, Recipient, unknown_word};
use crate::maildrop::file_name;
use crate::paths;
use std::net::IpAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;

/// How long a program or a server may take for a message if nothing says otherwise: what hangs is found out, and
/// what calls a filter that learns is not ended for it.
const DEADLINE: Duration = Duration::from_secs(5 * 60);

/// A folder's name is no longer: servers take lines of 8,000 octets (RFC 7162 section 4), and modified UTF-7
/// makes more of it.
const FOLDER_LIMIT: usize = 1000;

impl Resolver<'_> {
    /// What takes messages, if the account or the defaults say so.
    pub(super) fn deliver(&self, server: &Server, wrong: &mut Wrong) -> Option<Option<Deliver>> {
        let Some(written) = self.deliver_table() else {
            return Some(None);
        };
        let table = written.get_ref();
        let others = (&table.command, &table.mbox, &table.lmtp);
        let to = match others {
            (None, None, None) if table.account.is_some() => {
                let folder = table.account.as_ref().map(|it| self.other_folder(it, table));
                folder.and_then(|it| wrong.note(it)).map(Recipient::Folder)
            }
            _ if table.account.is_some() => {
                let span = table.account.as_ref().map_or(written.span(), Spanned::span);
                wrong.note(Err(self.more_than_one(span)))
            }
            (Some(command), None, None) => {
                self.program(command, table, wrong).map(Recipient::Program)
            }
            (None, Some(mbox), None) if mbox.get_ref() == "-" => Some(Recipient::Stdout),
            (None, Some(mbox), None) => {
                let path = wrong.note(self.path(mbox.span(), mbox.get_ref(), server));
                path.map(|path| Recipient::Mbox(Mbox { path }))
            }
            (None, None, Some(lmtp)) => self.lmtp(lmtp, table, server, wrong).map(Recipient::Lmtp),
            (None, None, None) => wrong.note(Err(self.lacking(
                &[
                    "deliver.command",
                    "deliver.mbox",
                    "deliver.lmtp",
                    "deliver.account",
                ],
                written.span(),
                "`deliver` does not say what takes the messages",
                "name a program, as in deliver = { command = [\"procmail\"] }, a file, as in \
                 deliver = { mbox = \"~/mail/in\" }, a mail server, as in deliver = { lmtp = \
                 \"unix:/run/dovecot/lmtp\", recipient = \"ada\" }, or another account, as in deliver = \
                 { account = \"gmail\" }",
            ))),
            (_, mbox, lmtp) => {
                let span = lmtp.as_ref().or(mbox.as_ref()).map(Spanned::span);
                wrong.note(Err(self.more_than_one(span.unwrap_or(written.span()))))
            }
        };
        self.refuse_others(table, wrong);
        let archive = match self.passes_through() {
            true => Archive::Passed,
            false => Archive::Kept,
        };
        Some(Some(Deliver {
            to: to?,
            archive,
            beside: Vec::new(),
        }))
    }

    fn more_than_one(&self, span: Range<usize>) -> ConfigError {
        self.error_with(
            span,
            "`deliver` says more than one thing that takes the messages".into(),
            "keep one of `command`, `mbox`, `lmtp` and `account`".into(),
        )
    }

    /// A folder of another account, which [`super::super::Config::profile`] looks for.
    fn other_folder(
        &self,
        account: &Spanned<String>,
        table: &DeliverTable,
    ) -> Result<Folder, ConfigError> {
        if account.get_ref() == self.name.get_ref() {
            return Err(self.error_with(
                account.span(),
                format!(
                    "account `{}` cannot be delivered to itself",
                    self.name.get_ref()
                ),
                "name another account, or leave `deliver` out".into(),
            ));
        }
        let folder = table.folder.as_ref();
        let name = folder.map_or("INBOX", |folder| folder.get_ref());
        if name.is_empty() || name.chars().any(char::is_control) || name.len() > FOLDER_LIMIT {
            let span = folder.map_or(account.span(), Spanned::span);
            let text = "`folder` is the name of a folder, as in \"INBOX\" or \"Old mail\"";
            return Err(self.error(span, text));
        }
        // Of what `folders` understands this is one folder, and nobody knows its name before it is asked for.
        if let Some(span) = folder.map(Spanned::span).filter(|_| name.starts_with('\\')) {
            return Err(self.error_with(
                span,
                format!("`{name}` says what a folder is for, and `folder` is the name of one"),
                format!(
                    "write its name as the server of account `{}` has it, as in \"Sent\"",
                    account.get_ref()
                ),
            ));
        }
        if let Some(span) = folder.map(Spanned::span).filter(|_| name.contains('*')) {
            return Err(self.error_with(
                span,
                "`folder` is the name of one folder, and `*` stands for anything in `folders` alone".into(),
                format!(
                    "write the one folder's name, as in \"{}\"",
                    match name.replace('*', "").trim_end_matches('/') {
                        "" => "INBOX",
                        name => name,
                    }
                ),
            ));
        }
        Ok(Folder {
            account: account.get_ref().clone(),
            folder: name.to_owned(),
        })
    }

    /// Keys that say something of another kind of recipient.
    fn refuse_others(&self, table: &DeliverTable, wrong: &mut Wrong) {
        let is_lmtp = table.lmtp.is_some();
        let is_program = table.command.is_some();
        let is_account = table.account.is_some();
        let folder = table.folder.as_ref().map(Spanned::span);
        let span = |key: Option<Range<usize>>, is_right: bool| key.filter(|_| !is_right);
        let from_line = table.from_line.as_ref().map(Spanned::span);
        let deadline = table.deadline.as_ref().map(Spanned::span);
        let recipient = table.recipient.as_ref().map(Spanned::span);
        let insecure = table.allow_insecure.as_ref().map(Spanned::span);
        const PROGRAM: &[&str] = &["deliver.command"];
        const LMTP: &[&str] = &["deliver.lmtp"];
        const ACCOUNT: &[&str] = &["deliver.account"];
        let keys = [
            (
                "from-line",
                span(from_line, is_program),
                "a `command`",
                PROGRAM,
            ),
            (
                "deadline",
                span(deadline, is_program || is_lmtp),
                "a `command` or `lmtp`",
                PROGRAM,
            ),
            ("folder", span(folder, is_account), "`account`", ACCOUNT),
            ("recipient", span(recipient, is_lmtp), "`lmtp`", LMTP),
            ("allow-insecure", span(insecure, is_lmtp), "`lmtp`", LMTP),
        ];
        for (key, span, of, lacks) in keys {
            let Some(span) = span else { continue };
            let message = format!("`{key}` is for {of} alone");
            wrong.note::<()>(Err(self.lacking(lacks, span, message, "leave it out")));
        }
    }

    fn lmtp(
        &self,
        lmtp: &Spanned<String>,
        table: &DeliverTable,
        server: &Server,
        wrong: &mut Wrong,
    ) -> Option<Lmtp> {
        let place = wrong.note(self.place(lmtp, table, server));
        let recipient = wrong.note(self.recipient(lmtp, table));
        let deadline = wrong.note(self.deadline(table));
        Some(Lmtp {
            place: place?,
            recipient: recipient?,
            deadline: deadline?,
        })
    }

    /// Where mail is handed to: a socket, or a port of this machine as a rule.
    fn place(
        &self,
        lmtp: &Spanned<String>,
        table: &DeliverTable,
        server: &Server,
    ) -> Result<Place, ConfigError> {
        let help = "as in \"unix:/run/dovecot/lmtp\" or \"localhost:24\"";
        let is_none = || {
            let text = "`lmtp` is a socket or a host with a port".to_owned();
            self.error_with(lmtp.span(), text, help.to_owned())
        };
        if let Some(path) = lmtp.get_ref().strip_prefix("unix:") {
            return Ok(Place::Unix(self.path(lmtp.span(), path, server)?));
        }
        let parts = lmtp.get_ref().rsplit_once(':');
        let parts = parts.and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = parts.filter(|(_, port)| *port > 0).ok_or_else(is_none)?;
        let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/') {
            return Err(is_none());
        }
        let is_allowed = value(table.allow_insecure.as_ref()).unwrap_or_default();
        if !is_allowed && !is_this_machine(host) {
            return Err(self.error_with(
                lmtp.span(),
                "LMTP has no TLS: all mail could be read on its way to another machine".into(),
                "name a socket or localhost; on a network that nobody else listens to, add \
                 allow-insecure = true here"
                    .into(),
            ));
        }
        let host = host.to_owned();
        Ok(Place::Tcp { host, port })
    }

    fn recipient(
        &self,
        lmtp: &Spanned<String>,
        table: &DeliverTable,
    ) -> Result<String, ConfigError> {
        let Some(recipient) = &table.recipient else {
            let help = "add recipient = \"ada\", as the server knows whoever gets the mail";
            let text = "`deliver` does not say whose mail it is";
            return Err(self.lacking(&["deliver.recipient"], lmtp.span(), text, help));
        };
        self.check_braces(recipient.span(), recipient.get_ref())?;
        let is_address = |c: char| !c.is_control() && !c.is_whitespace() && c != '<' && c != '>';
        if recipient.get_ref().is_empty() || !recipient.get_ref().chars().all(is_address) {
            let text = "`recipient` is an address or a user's name, without spaces and brackets";
            return Err(self.error(recipient.span(), text));
        }
        Ok(recipient.get_ref().clone())
    }

    fn program(
        &self,
        command: &Spanned<Vec<String>>,
        table: &DeliverTable,
        wrong: &mut Wrong,
    ) -> Option<Program> {
        let argv = wrong.note(self.argv_of_program(command));
        let deadline = wrong.note(self.deadline(table));
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
        for word in argv {
            self.check_braces(command.span(), word)?;
        }
        Ok(argv.clone())
    }

    /// Words in braces must stand for something.
    fn check_braces(&self, span: Range<usize>, text: &str) -> Result<(), ConfigError> {
        let Some((word, known)) = unknown_word(text) else {
            return Ok(());
        };
        let names: Vec<String> = known.iter().map(|&name| name.to_owned()).collect();
        let help = match nearest(&word.to_lowercase(), &names) {
            Some(near) => format!("did you mean `{{{near}}}`?"),
            None => format!("there are {{{}}}", names.join("}, {")),
        };
        let wrong = format!("`{{{word}}}` stands for nothing here");
        Err(self.error_with(span, wrong, help))
    }

    fn deadline(&self, table: &DeliverTable) -> Result<Duration, ConfigError> {
        self.seconds("deadline", table.deadline.as_ref(), DEADLINE)
    }

    /// `deliver`, if it is for this account: what is for every account is not for the one that it names.
    fn deliver_table(&self) -> Option<&Spanned<DeliverTable>> {
        let written = key!(self.deliver)?;
        let named = written.get_ref().account.as_ref();
        let names_this = named.is_some_and(|it| it.get_ref() == self.name.get_ref());
        (self.account.deliver.is_some() || !names_this).then_some(written)
    }

    /// Whether messages are in no Maildir of their owner's.
    pub(super) fn passes_through(&self) -> bool {
        self.deliver_table().is_some() && key!(self.maildir).is_none()
    }

    /// Where messages are stored that only pass through.
    pub(super) fn spool(&self, server: &Server) -> Result<PathBuf, ConfigError> {
        let spool = paths::spool_dir(&file_name(&server.id()));
        spool.map_err(|error| self.error(self.name.span(), error.to_string()))
    }
}

/// Whether what goes to a host stays on this machine.
fn is_this_machine(host: &str) -> bool {
    let address: Option<IpAddr> = host.parse().ok();
    host.eq_ignore_ascii_case("localhost") || address.is_some_and(|it| it.is_loopback())
}
