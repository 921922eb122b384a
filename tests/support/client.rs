//! A POP3 client of a few lines, to prove the servers with something that is not popfetch.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::account::Account;
use super::certificate::provider;

/// A connection that knows lines and multi-line responses, no more.
pub struct Client {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Client {
    /// Connects, with TLS if the account names roots.
    pub fn connect(account: &Account) -> io::Result<Self> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, account.port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(60)))?;
        let stream: Box<dyn Stream> = match &account.roots {
            None => Box::new(socket),
            Some(roots) => Box::new(encrypt(socket, roots)?),
        };
        Ok(Self {
            stream,
            buffer: Vec::new(),
        })
    }

    /// Connects, reads the greeting and signs in with USER and PASS.
    pub fn sign_in(account: &Account) -> Self {
        let mut client = Self::connect(account).unwrap();
        client.line().unwrap();
        client.ok(&format!("USER {}", account.user));
        client.ok(&format!("PASS {}", account.password));
        client
    }

    /// Sends octets as they are.
    pub fn send(&mut self, octets: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(octets.as_ref())?;
        self.stream.flush()
    }

    /// Sends a command and returns the line that answers it, without its line end.
    pub fn ask(&mut self, command: &str) -> io::Result<String> {
        self.send(format!("{command}\r\n"))?;
        self.line()
    }

    /// The same for a command that must succeed.
    pub fn ok(&mut self, command: &str) -> String {
        let answer = self.ask(command).unwrap();
        assert!(answer.starts_with("+OK"), "{command}: {answer}");
        answer
    }

    /// Sends a command and returns the body of its multi-line response, still byte-stuffed,
    /// without the termination octet.
    pub fn body(&mut self, command: &str) -> Vec<u8> {
        self.ok(command);
        let mut body = Vec::new();
        loop {
            match self.raw_line().unwrap() {
                line if line == b".\r\n" => return body,
                line => body.extend_from_slice(&line),
            }
        }
    }

    /// RETR as a client must store it: byte-unstuffed, each CRLF made LF.
    pub fn retrieve(&mut self, number: usize) -> Vec<u8> {
        let mut stored = Vec::new();
        for line in self
            .body(&format!("RETR {number}"))
            .split_inclusive(|octet| *octet == b'\n')
        {
            let line = line.strip_prefix(b".").unwrap_or(line);
            match line.strip_suffix(b"\r\n") {
                Some(line) => stored.extend_from_slice(&[line, b"\n"].concat()),
                None => stored.extend_from_slice(line),
            }
        }
        stored
    }

    /// The next line, without its line end.
    pub fn line(&mut self) -> io::Result<String> {
        let line = self.raw_line()?;
        Ok(String::from_utf8_lossy(&line).trim_end().to_string())
    }

    /// Everything up to the end of the connection, and how it ended.
    pub fn rest(&mut self) -> (Vec<u8>, io::Result<()>) {
        let mut rest = std::mem::take(&mut self.buffer);
        let end = self.stream.read_to_end(&mut rest).map(|_| ());
        (rest, end)
    }

    /// Reads to the end of the connection, keeping nothing; returns how many octets that were.
    pub fn skim(&mut self) -> io::Result<u64> {
        let kept = std::mem::take(&mut self.buffer).len() as u64;
        Ok(kept + io::copy(&mut self.stream, &mut io::sink())?)
    }

    fn raw_line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.buffer) {
                return Ok(self.buffer.drain(..=end).collect());
            }
            let mut piece = [0; 1 << 14];
            match self.stream.read(&mut piece)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => self.buffer.extend_from_slice(&piece[..n]),
            }
        }
    }
}

fn encrypt(
    socket: TcpStream,
    roots: &Path,
) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut store = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(&fs::read(roots)?).unwrap();
    store.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(store)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, socket);
    stream.conn.complete_io(&mut stream.sock)?;
    Ok(stream)
}
