//! The limit: a client that signs in, asks for every message at once, reads the octets and stores
//! nothing. No fetcher can be faster than this on the same server and line.
//!
//! As a process of its own, in the role [`ROLE`], so that it is measured as the programs are.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use memchr::memmem;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::storing::{self, Keeper};
use crate::support::account::Account;
use crate::support::certificate::provider;

/// The word by which this benchmark knows that it is to be the probe.
pub const ROLE: &str = "probe";

/// Commands under way: enough for any line, and few enough that the server's socket takes them
/// all while the server itself waits for us to read.
const AHEAD: usize = 1000;
/// Commands in one write.
const BURST: usize = 250;
/// Octets read from the socket at a time.
const READ: usize = 256 * 1024;
/// Of a multi-line response, and then of its end (RFC 1939 section 3).
const END: &[u8] = b"\r\n.\r\n";

/// What the probe does after the listings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Retrieve {
    Nothing,
    OneByOne,
    Pipelined,
    /// By IMAP, by one command for all of them.
    ByImap,
    /// The same, and what comes is kept as below.
    StoredByImap,
    /// Pipelined, and what comes is kept durably in a Maildir: see [`storing`].
    Stored,
}

impl Retrieve {
    const ALL: [(&str, Self); 6] = [
        ("nothing", Self::Nothing),
        ("one-by-one", Self::OneByOne),
        ("pipelined", Self::Pipelined),
        ("by-imap", Self::ByImap),
        ("stored-by-imap", Self::StoredByImap),
        ("stored", Self::Stored),
    ];
}

/// What came over the line, of all accounts together.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Came {
    pub messages: usize,
    /// Status lines, byte-stuffing and termination octets included.
    pub octets: u64,
}

/// The probe as a program, for accounts of one server, all at once, each with its Maildir.
pub fn command(accounts: &[(Account, PathBuf)], retrieve: Retrieve) -> Result<Command> {
    let (first, _) = accounts.first().context("no account")?;
    let roots = first.roots.as_ref().context("a server without TLS")?;
    let mut names = Retrieve::ALL.iter();
    let word = names
        .find(|(_, known)| *known == retrieve)
        .map(|(word, _)| word);
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(ROLE).arg(word.context("no such way")?);
    command.arg(first.port.to_string()).arg(roots);
    for (account, maildir) in accounts {
        command
            .arg(&account.user)
            .arg(&account.password)
            .arg(maildir);
    }
    Ok(command)
}

/// What the probe printed.
pub fn result(stdout: &str) -> Result<Came> {
    let (messages, octets) = stdout
        .trim()
        .split_once(' ')
        .context("the probe said nothing")?;
    Ok(Came {
        messages: messages.parse()?,
        octets: octets.parse()?,
    })
}

/// In the role of the probe: does what the arguments say, and prints what came.
pub fn be_probe(arguments: impl Iterator<Item = OsString>) -> Result<()> {
    let words: Result<Vec<String>, OsString> = arguments.map(OsString::into_string).collect();
    let words = words.map_err(|word| anyhow::anyhow!("{word:?}"))?;
    let [way, port, roots, accounts @ ..] = words.as_slice() else {
        anyhow::bail!("{ROLE} WAY PORT ROOTS USER PASSWORD MAILDIR...");
    };
    let mut names = Retrieve::ALL.iter();
    let retrieve = names
        .find(|(word, _)| word == way)
        .context("no such way")?
        .1;
    let port = port.parse()?;
    let config = config(roots)?;
    let read: Result<Vec<Came>> = thread::scope(|scope| {
        let mut sessions = Vec::new();
        for account in accounts.chunks_exact(3) {
            let config = Arc::clone(&config);
            sessions.push(scope.spawn(move || session(port, config, account, retrieve)));
        }
        let ended = sessions.into_iter().map(|session| {
            let ended = session.join();
            ended.map_err(|_| anyhow::anyhow!("a session panicked"))?
        });
        ended.collect()
    });
    let read = read?;
    println!(
        "{} {}",
        read.iter().map(|read| read.messages).sum::<usize>(),
        read.iter().map(|read| read.octets).sum::<u64>()
    );
    Ok(())
}

fn config(roots: &str) -> Result<Arc<ClientConfig>> {
    let mut trusted = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(roots)? {
        trusted.add(certificate?)?;
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn session(
    port: u16,
    config: Arc<ClientConfig>,
    account: &[String],
    retrieve: Retrieve,
) -> Result<Came> {
    let [user, password, maildir] = account else {
        anyhow::bail!("no account");
    };
    let mut wire = Wire::connect(port, config)?;
    match retrieve {
        Retrieve::ByImap => return by_imap(&mut wire, user, password, None),
        Retrieve::StoredByImap => {
            return storing::beside(Path::new(maildir), |keeper| {
                by_imap(&mut wire, user, password, Some(keeper))
            });
        }
        _ => {}
    }
    wire.line().context("greeting")?;
    let secret = format!("\0{user}\0{password}");
    let secret = BASE64_STANDARD.encode(secret);
    let sign_in = format!("AUTH PLAIN {secret}\r\n");
    if retrieve == Retrieve::OneByOne {
        wire.send(sign_in.as_bytes())?;
        wire.line().context("AUTH")?;
        wire.send(b"UIDL\r\n")?;
        wire.multi_line().context("UIDL")?;
        wire.send(b"LIST\r\n")?;
    } else {
        wire.send(format!("{sign_in}UIDL\r\nLIST\r\n").as_bytes())?;
        wire.line().context("AUTH")?;
        wire.multi_line().context("UIDL")?;
    }
    let listing = wire.multi_line().context("LIST")?;
    // Without the status line and the termination octet.
    let messages = memmem::find_iter(&listing, b"\r\n").count() - 2;
    let octets = match retrieve {
        Retrieve::Nothing | Retrieve::ByImap | Retrieve::StoredByImap => 0,
        Retrieve::OneByOne => wire.retrieve(messages, 1, 1, None)?,
        Retrieve::Pipelined => wire.retrieve(messages, AHEAD, BURST, None)?,
        Retrieve::Stored => storing::beside(Path::new(maildir), |keeper| {
            wire.retrieve(messages, AHEAD, BURST, Some(keeper))
        })?,
    };
    wire.send(b"QUIT\r\n")?;
    wire.line().context("QUIT")?;
    Ok(Came { messages, octets })
}

/// Signs in, opens and lists in one flight, and then asks for everything.
fn by_imap(
    wire: &mut Wire,
    user: &str,
    password: &str,
    keeper: Option<&mut Keeper>,
) -> Result<Came> {
    wire.until(b"\r\n").context("greeting")?;
    let secret = BASE64_STANDARD.encode(format!("\0{user}\0{password}"));
    let flight = format!(
        "a AUTHENTICATE PLAIN {secret}\r\nb EXAMINE INBOX\r\nc UID FETCH 1:* (UID RFC822.SIZE)\r\n"
    );
    wire.send(flight.as_bytes())?;
    for tag in ["a", "b", "c"] {
        wire.answer(tag, None)?;
    }
    wire.send(b"d UID FETCH 1:* (UID BODY.PEEK[])\r\n")?;
    let came = wire.answer("d", keeper)?;
    wire.send(b"e LOGOUT\r\n")?;
    wire.answer("e", None)?;
    Ok(came)
}

/// A TLS connection, and what has been read from it but not yet used.
struct Wire {
    tls: ClientConnection,
    socket: TcpStream,
    encrypted: Vec<u8>,
    unread: Vec<u8>,
}

impl Wire {
    fn connect(port: u16, config: Arc<ClientConfig>) -> Result<Self> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        socket.set_nodelay(true)?;
        Ok(Self {
            tls: ClientConnection::new(config, ServerName::try_from("localhost")?)?,
            socket,
            encrypted: vec![0; READ],
            unread: Vec::new(),
        })
    }

    fn send(&mut self, octets: &[u8]) -> Result<()> {
        self.tls.writer().write_all(octets)?;
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.socket)?;
        }
        Ok(())
    }

    /// Reads what there is, at least one octet, into `unread`.
    fn receive(&mut self) -> Result<()> {
        let before = self.unread.len();
        while self.unread.len() == before {
            self.flush()?;
            let octets = self.socket.read(&mut self.encrypted)?;
            ensure!(octets > 0, "the server closes the connection");
            let mut encrypted = self.encrypted.get(..octets).unwrap_or_default();
            while !encrypted.is_empty() {
                self.tls.read_tls(&mut encrypted)?;
                self.tls.process_new_packets()?;
                match self.tls.reader().read_to_end(&mut self.unread) {
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error)?,
                    _ => (),
                }
            }
        }
        Ok(())
    }

    /// A single-line response, which must be +OK.
    fn line(&mut self) -> Result<()> {
        let response = self.until(b"\r\n")?;
        let said = String::from_utf8_lossy(&response);
        ensure!(response.starts_with(b"+OK"), "{said}");
        Ok(())
    }

    /// A multi-line response, which must be +OK, as it came.
    fn multi_line(&mut self) -> Result<Vec<u8>> {
        let response = self.until(END)?;
        ensure!(response.starts_with(b"+OK"), "refused");
        Ok(response)
    }

    /// Reads up to the answer to an IMAP command, which must be OK; the literals in it.
    fn answer(&mut self, tag: &str, mut keeper: Option<&mut Keeper>) -> Result<Came> {
        let mut came = Came::default();
        loop {
            let line = self.until(b"\r\n")?;
            if let Some(said) = line.strip_prefix(format!("{tag} ").as_bytes()) {
                let text = String::from_utf8_lossy(said);
                ensure!(said.starts_with(b"OK"), "{text}");
                return Ok(came);
            }
            let text = String::from_utf8_lossy(&line);
            let announced = text
                .strip_suffix("}\r\n")
                .and_then(|it| it.rsplit_once('{'));
            if let Some((_, octets)) = announced {
                let octets: usize = octets.parse()?;
                self.pass(octets, keeper.as_deref_mut())?;
                came.messages += 1;
                came.octets += octets as u64;
            }
        }
    }

    /// Reads so many octets, and keeps them where somebody does.
    fn pass(&mut self, octets: usize, mut keeper: Option<&mut Keeper>) -> Result<()> {
        let mut left = octets;
        loop {
            let here = left.min(self.unread.len());
            if let Some(keeper) = &mut keeper {
                keeper.take(self.unread.get(..here).unwrap_or_default());
            }
            self.unread.drain(..here);
            left -= here;
            if left == 0 {
                return keeper.map_or(Ok(()), Keeper::end);
            }
            self.receive()?;
        }
    }

    fn until(&mut self, end: &[u8]) -> Result<Vec<u8>> {
        let mut searched = 0;
        loop {
            let rest = self.unread.get(searched..).unwrap_or_default();
            if let Some(at) = memmem::find(rest, end) {
                let response = searched + at + end.len();
                return Ok(self.unread.drain(..response).collect());
            }
            searched = self.unread.len().saturating_sub(end.len() - 1);
            self.receive()?;
        }
    }

    /// Asks for all messages, `burst` at a time, with never more than `ahead` unanswered, and
    /// returns how many octets the answers had.
    fn retrieve(
        &mut self,
        messages: usize,
        ahead: usize,
        burst: usize,
        mut keeper: Option<&mut Keeper>,
    ) -> Result<u64> {
        let end = memmem::Finder::new(END);
        let (mut asked, mut answered, mut octets) = (0, 0, 0);
        let mut begins = true;
        while answered < messages {
            while asked < messages && asked - answered + burst.min(messages - asked) <= ahead {
                let next = (asked + burst).min(messages);
                let commands: String = (asked + 1..=next)
                    .map(|n| format!("RETR {n}\r\n"))
                    .collect();
                self.send(commands.as_bytes())?;
                asked = next;
            }
            self.receive()?;
            let mut rest = self.unread.as_slice();
            loop {
                if begins && !rest.is_empty() {
                    ensure!(rest.starts_with(b"+"), "RETR {} is refused", answered + 1);
                    begins = false;
                }
                let Some(at) = end.find(rest) else { break };
                if let Some(keeper) = &mut keeper {
                    keeper.take(rest.get(..at).unwrap_or_default());
                    keeper.end()?;
                }
                rest = rest.get(at + END.len()..).unwrap_or_default();
                answered += 1;
                begins = true;
            }
            // The end may be cut in two.
            let keep = match begins {
                true => 0,
                false => rest.len().min(END.len() - 1),
            };
            let used = self.unread.len() - keep;
            if let Some(keeper) = &mut keeper {
                keeper.take(rest.get(..rest.len() - keep).unwrap_or_default());
            }
            octets += used as u64;
            self.unread.drain(..used);
        }
        Ok(octets)
    }
}
