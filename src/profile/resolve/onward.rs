//! The table `deliver`.

use super::super::Server;
use super::super::deliver::Deliver;
use super::super::diagnose::ConfigError;
use super::super::file::DeliverTable;
use super::super::words::nearest;
use super::{Resolver, value};
use crate::handover::{Archive, Lmtp, Mbox, Place, Program, Recipient, unknown_word};
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

impl Resolver<'_> {
    /// What takes messages, if the account or the defaults say so.
    pub(super) fn deliver(&self, server: &Server) -> Result<Option<Deliver>, ConfigError> {
        let Some(written) = key!(self.deliver) else {
            return Ok(None);
        };
        let table = written.get_ref();
        let to = match (&table.command, &table.mbox, &table.lmtp) {
            (Some(command), None, None) => Recipient::Program(self.program(command, table)?),
            (None, Some(mbox), None) => Recipient::Mbox(self.mbox(mbox, server)?),
            (None, None, Some(lmtp)) => Recipient::Lmtp(self.lmtp(lmtp, table, server)?),
            (None, None, None) => {
                return Err(self.error_with(
                    written.span(),
                    "`deliver` does not say what takes the messages".into(),
                    "name a program, as in deliver = { command = [\"procmail\"] }, a file, as in \
                     deliver = { mbox = \"~/mail/in\" }, or a mail server, as in deliver = { lmtp = \
                     \"unix:/run/dovecot/lmtp\", recipient = \"ada\" }"
                        .into(),
                ));
            }
            (_, mbox, lmtp) => {
                let span = lmtp.as_ref().or(mbox.as_ref()).map(Spanned::span);
                return Err(self.error_with(
                    span.unwrap_or(written.span()),
                    "`deliver` says more than one thing that takes the messages".into(),
                    "keep one of `command`, `mbox` and `lmtp`".into(),
                ));
            }
        };
        self.refuse_others(&to, table)?;
        let archive = match self.passes_through() {
            true => Archive::Passed,
            false => Archive::Kept,
        };
        Ok(Some(Deliver { to, archive }))
    }

    /// Keys that say something of another kind of recipient.
    fn refuse_others(&self, to: &Recipient, table: &DeliverTable) -> Result<(), ConfigError> {
        let is_lmtp = matches!(to, Recipient::Lmtp(_));
        let is_program = matches!(to, Recipient::Program(_));
        let keys = [
            (
                "from-line",
                table.from_line.as_ref().map(Spanned::span),
                is_program,
                "a `command`",
            ),
            (
                "deadline",
                table.deadline.as_ref().map(Spanned::span),
                is_program || is_lmtp,
                "a `command` or `lmtp`",
            ),
            (
                "recipient",
                table.recipient.as_ref().map(Spanned::span),
                is_lmtp,
                "`lmtp`",
            ),
            (
                "allow-insecure",
                table.allow_insecure.as_ref().map(Spanned::span),
                is_lmtp,
                "`lmtp`",
            ),
        ];
        for (key, span, is_right, of) in keys {
            if let Some(span) = span.filter(|_| !is_right) {
                let wrong = format!("`{key}` is for {of} alone");
                return Err(self.error_with(span, wrong, "leave it out".into()));
            }
        }
        Ok(())
    }

    fn lmtp(
        &self,
        lmtp: &Spanned<String>,
        table: &DeliverTable,
        server: &Server,
    ) -> Result<Lmtp, ConfigError> {
        let wrong = |text: &str| {
            let help = "as in \"unix:/run/dovecot/lmtp\" or \"localhost:24\"".to_owned();
            self.error_with(lmtp.span(), text.to_owned(), help)
        };
        let place = match lmtp.get_ref().strip_prefix("unix:") {
            Some(path) => Place::Unix(self.path(lmtp.span(), path, server)?),
            None => {
                let parts = lmtp.get_ref().rsplit_once(':');
                let parts = parts.and_then(|(host, port)| Some((host, port.parse().ok()?)));
                let (host, port) = parts
                    .filter(|(_, port)| *port > 0)
                    .ok_or_else(|| wrong("`lmtp` is a socket or a host with a port"))?;
                let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
                let host = bare.unwrap_or(host).to_owned();
                if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/') {
                    return Err(wrong("`lmtp` is a socket or a host with a port"));
                }
                Place::Tcp { host, port }
            }
        };
        let is_allowed = value(table.allow_insecure.as_ref()).unwrap_or_default();
        if let Place::Tcp { host, .. } = &place
            && !is_allowed
            && !is_this_machine(host)
        {
            return Err(self.error_with(
                lmtp.span(),
                "LMTP has no TLS: all mail could be read on its way to another machine".into(),
                "name a socket or localhost; on a network that nobody else listens to, add \
                 allow-insecure = true here"
                    .into(),
            ));
        }
        let Some(recipient) = &table.recipient else {
            let help = "add recipient = \"ada\", as the server knows whoever gets the mail";
            return Err(self.error_with(
                lmtp.span(),
                "`deliver` does not say whose mail it is".into(),
                help.into(),
            ));
        };
        self.check_braces(recipient.span(), recipient.get_ref())?;
        let is_address = |c: char| !c.is_control() && !c.is_whitespace() && c != '<' && c != '>';
        if recipient.get_ref().is_empty() || !recipient.get_ref().chars().all(is_address) {
            let wrong = "`recipient` is an address or a user's name, without spaces and brackets";
            return Err(self.error(recipient.span(), wrong));
        }
        Ok(Lmtp {
            place,
            recipient: recipient.get_ref().clone(),
            deadline: self.deadline(table)?,
        })
    }

    fn mbox(&self, mbox: &Spanned<String>, server: &Server) -> Result<Mbox, ConfigError> {
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
        for word in argv {
            self.check_braces(command.span(), word)?;
        }
        Ok(Program {
            argv: argv.clone(),
            from_line: value(table.from_line.as_ref()).unwrap_or_default(),
            deadline: self.deadline(table)?,
        })
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
        match &table.deadline {
            Some(deadline) if deadline.get_ref().duration() < Duration::from_secs(1) => {
                Err(self.error(deadline.span(), "`deadline` must be at least one second"))
            }
            Some(deadline) => Ok(deadline.get_ref().duration()),
            None => Ok(DEADLINE),
        }
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

/// Whether what goes to a host stays on this machine.
fn is_this_machine(host: &str) -> bool {
    let address: Option<IpAddr> = host.parse().ok();
    host.eq_ignore_ascii_case("localhost") || address.is_some_and(|it| it.is_loopback())
}
