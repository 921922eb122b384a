//! Where passwords come from.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::error::{ATTENDED, Helper, SecretError};
use super::password::{BYTE_ORDER_MARK, LIMIT, Password};
use super::{PasswordSource, Wanted, helper, keyring, netrc};
#[cfg(debug_assertions)]
use crate::net::stage;
use crate::private;
use crate::server::Server;
use crate::stop::{Stop, echo};
use crate::term::{columns, visible, wrap};

/// Gets an account's password from where its profile says.
///
/// `interactive` says that a person can be asked: then a prompt is possible, and a password
/// command may use the terminal. Takes no longer than a minute without a person. Accounts must be
/// asked for one after another where that is so, because they share the terminal. A password command
/// is ended where somebody wants us to `stop`.
///
/// # Errors
///
/// There is no password, or none that can be sent. No error holds any part of one.
pub fn obtain(
    wanted: &Wanted<'_>,
    interactive: bool,
    stop: Option<&Stop>,
) -> Result<Password, SecretError> {
    let place = match wanted.source {
        PasswordSource::Command(argv) => {
            let program = argv.first().map_or("", String::as_str);
            format!("`{program}`, the `password-command`")
        }
        PasswordSource::Credential(name) => format!("the credential `{name}`"),
        PasswordSource::File(path) | PasswordSource::Netrc(path) => path.display().to_string(),
        PasswordSource::Inline(_) => "`password` in the config file".to_owned(),
        PasswordSource::Stdin => "standard input".to_owned(),
        _ => return obtain_from(wanted, interactive, stop),
    };
    obtain_from(wanted, interactive, stop).map_err(|error| match error {
        fault @ (SecretError::Empty
        | SecretError::LineBreak
        | SecretError::NotText
        | SecretError::TooLong) => SecretError::Unfit {
            fault: Box::new(fault),
            place,
        },
        error => error,
    })
}

fn obtain_from(
    wanted: &Wanted<'_>,
    interactive: bool,
    stop: Option<&Stop>,
) -> Result<Password, SecretError> {
    let Wanted {
        account, server, ..
    } = *wanted;
    match wanted.source {
        PasswordSource::Command(argv) => helper::run(Helper::Password, argv, interactive, stop),
        PasswordSource::Credential(name) => {
            from_credential(name, std::env::var_os("CREDENTIALS_DIRECTORY"))
        }
        PasswordSource::File(path) => from_file(path),
        PasswordSource::Netrc(path) => from_netrc(path, server),
        PasswordSource::Inline(password) => password.clone().checked(),
        PasswordSource::Keyring => keyring::load(server, interactive)
            .and_then(Password::checked)
            .map_err(|error| error.of_account(wanted)),
        // No password: tokens are got by whoever can renew them.
        PasswordSource::OAuth(_) => Err(SecretError::Empty),
        PasswordSource::Prompt | PasswordSource::PromptOrKeyring if interactive => {
            asked_in_time(account, server)
        }
        PasswordSource::Prompt => Err(SecretError::NobodyToAsk { word: None }),
        // Whatever the keyring says, the person never asked for it.
        PasswordSource::PromptOrKeyring => keyring::load(server, interactive)
            .and_then(Password::checked)
            .map_err(|error| SecretError::NobodyToAsk {
                word: Some(wanted.word.clone())
                    .filter(|_| matches!(error, SecretError::KeyringMissing { .. })),
            }),
        PasswordSource::Stdin if io::stdin().is_terminal() => asked_in_time(account, server),
        PasswordSource::Stdin => from_line(&mut io::stdin().lock()),
    }
}

/// Whether a question stood unanswered in this run: nobody is there to answer the next one.
static NOBODY_IS_THERE: AtomicBool = AtomicBool::new(false);

/// Asks for an account's password as [`prompt`] does, but not for ever: accounts that need nobody wait
/// for the answer.
fn asked_in_time(account: &str, server: &Server) -> Result<Password, SecretError> {
    let limit = patience();
    let unanswered = || SecretError::Unanswered(limit);
    if NOBODY_IS_THERE.load(Ordering::Relaxed) {
        return Err(unanswered());
    }
    let answer = ask_until(account, server, Some(Instant::now() + limit));
    answer.map_err(|error| match error {
        SecretError::Empty => SecretError::NotTyped,
        SecretError::Terminal(error) if error.kind() == io::ErrorKind::TimedOut => {
            NOBODY_IS_THERE.store(true, Ordering::Relaxed);
            unanswered()
        }
        error => error,
    })
}

/// How long a question stands: as long as a program may take that asks by itself. Tests do not wait for
/// minutes; programs that are built for use do.
fn patience() -> Duration {
    #[cfg(debug_assertions)]
    if let Some(limit) = stage::answer_within() {
        return limit;
    }
    ATTENDED
}

/// Asks for an account's password on the terminal, without echo.
///
/// # Errors
///
/// There is no terminal, or nothing usable was typed.
pub fn prompt(account: &str, server: &Server) -> Result<Password, SecretError> {
    prompt_once(account, server)?.ok_or(SecretError::NotTyped)
}

/// The same where Enter alone means something: it is `None`.
///
/// # Errors
///
/// There is no terminal, or nothing usable was typed.
pub fn prompt_once(account: &str, server: &Server) -> Result<Option<Password>, SecretError> {
    match ask_until(account, server, None) {
        Err(SecretError::Empty) => Ok(None),
        password => password.map(Some),
    }
}

fn ask_until(
    account: &str,
    server: &Server,
    until: Option<Instant>,
) -> Result<Password, SecretError> {
    let Server { user, host, .. } = server;
    // An account given as a URL is called by the same two.
    let question = match account == format!("{user}@{host}") {
        true => format!("Password for {user} at {host}"),
        false => format!("Password for {account} ({user} at {host})"),
    };
    let question = wrap("", &visible(&question), columns(io::stderr())) + ": ";
    echo::hidden(|terminal| ask(&question, terminal, until))
        .map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => SecretError::Interrupted,
            GONE | io::ErrorKind::UnexpectedEof => SecretError::NotTyped,
            _ => SecretError::Terminal(error),
        })
        .and_then(|secret| Password::new(secret).checked())
}

/// Asks a silent terminal; one that is not silent yet is silenced by the question.
fn ask(question: &str, terminal: Option<File>, until: Option<Instant>) -> io::Result<String> {
    let mut config = rpassword::ConfigBuilder::new();
    if let Some(terminal) = terminal {
        let answer = Answer {
            terminal: terminal.try_clone()?,
            until,
            has_begun: false,
        };
        config = config.input_reader(answer);
        config = config.output_writer(terminal);
    }
    rpassword::prompt_password_with_config(question, config.build())
}

/// Says that nothing more will be typed: the library takes an end of file for an empty line.
const GONE: io::ErrorKind = io::ErrorKind::ConnectionAborted;

/// What is typed at a terminal, as long as that may take.
struct Answer {
    terminal: File,
    until: Option<Instant>,
    /// Something was typed.
    has_begun: bool,
}

impl Read for Answer {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        while let Some(until) = self.until {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // Below the question, where what comes next begins.
                let _ = self.terminal.write_all(b"\n");
                return Err(io::ErrorKind::TimedOut.into());
            }
            let left = Timespec::try_from(left).ok();
            let mut waits = [PollFd::new(&self.terminal, PollFlags::IN)];
            match poll(&mut waits, left.as_ref()) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => break,
                Err(error) => return Err(error.into()),
            }
        }
        let read = self.terminal.read(octets)?;
        if read == 0 {
            // Ctrl-D shows nothing: what comes next would stand behind the question.
            let _ = self.terminal.write_all(b"\n");
            if !self.has_begun {
                // Whoever goes away has not typed an empty line.
                return Err(GONE.into());
            }
        }
        self.has_begun = true;
        Ok(read)
    }
}

/// Reads one line and not an octet more, so that the rest stays for others.
///
/// # Errors
///
/// Reading fails, or the line is no usable password.
pub fn from_line(input: &mut impl Read) -> Result<Password, SecretError> {
    let mut line = Zeroizing::new(Vec::with_capacity(LIMIT));
    let mut octet = [0];
    while line.len() < LIMIT {
        match input.read(&mut octet) {
            Ok(0) => return Password::first_line(&line),
            Ok(_) if octet == *b"\n" => return Password::first_line(&line),
            Ok(_) => line.extend_from_slice(&octet),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(SecretError::Stdin(error)),
        }
    }
    Err(SecretError::TooLong)
}

fn from_file(path: &Path) -> Result<Password, SecretError> {
    Password::first_line(&read(path, private::OTHERS)?)
}

/// Whether systemd can have a credential of this name.
pub fn is_credential_name(name: &str) -> bool {
    let wrong = |c: char| c == '/' || c == ':' || c.is_control();
    !name.is_empty() && name.len() <= 255 && name != "." && name != ".." && !name.contains(wrong)
}

/// The first line of a credential (systemd.exec(5), `LoadCredential=`). `directory`: where the
/// service manager says that they are.
fn from_credential(name: &str, directory: Option<OsString>) -> Result<Password, SecretError> {
    let directory = directory
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .ok_or_else(|| SecretError::NoCredentials(name.to_owned()))?;
    // To the group it may look open: where root owns it, an access list lets the service's user
    // in, and its mask is shown in the group's place.
    match read(&directory.join(name), 0o027) {
        Err(SecretError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Err(SecretError::CredentialMissing(name.to_owned()))
        }
        octets => Password::first_line(&octets?),
    }
}

fn from_netrc(path: &Path, server: &Server) -> Result<Password, SecretError> {
    let octets = read(path, private::OTHERS).map_err(|error| match error {
        SecretError::TooLong => SecretError::File {
            path: path.to_owned(),
            source: io::Error::other("it is larger than 64 KiB"),
        },
        SecretError::File { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            SecretError::NetrcAbsent {
                path: path.to_owned(),
                host: server.host.clone(),
                user: server.user.clone(),
            }
        }
        error => error,
    })?;
    let octets = octets.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&octets);
    let found = netrc::find(octets, &server.host, &server.user);
    let found = found.map_err(|netrc::Malformed(line)| SecretError::Netrc {
        path: path.to_owned(),
        line,
    })?;
    let secret = found.ok_or_else(|| SecretError::NetrcMissing {
        path: path.to_owned(),
        host: server.host.clone(),
        user: server.user.clone(),
    })?;
    let secret = std::str::from_utf8(&secret).map_err(|_| SecretError::NotText)?;
    Password::new(secret.to_owned()).checked()
}

fn read(path: &Path, open: u32) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let path_of = || path.to_owned();
    private::read(path, open).map_err(|error| match error {
        private::Error::Exposed => SecretError::Exposed(path_of()),
        private::Error::Io(source) => SecretError::File {
            path: path_of(),
            source,
        },
        private::Error::NotYours => SecretError::NotYours(path_of()),
        private::Error::Replaceable(directory) => SecretError::Replaceable {
            path: path_of(),
            directory,
        },
        private::Error::TooLong => SecretError::TooLong,
    })
}

#[cfg(test)]
#[path = "obtain_tests.rs"]
mod tests;
