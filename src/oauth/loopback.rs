//! Where the browser comes back to: a page on 127.0.0.1 that is there for one sign-in
//! (RFC 8252 section 7.3).

use super::Error;
use super::protocol::{field, word_of};
use crate::stop::Stop;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How often to look whether someone has come.
const POLL: Duration = Duration::from_millis(50);

/// A browser sends its request at once; whoever does not is no browser.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// No request line has more octets than this.
const LONGEST: usize = 16 << 10;

const PAGE: &str = "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>popfetch</title>\
                    <body style=\"font-family: sans-serif; margin: 4em\"><h1>popfetch</h1><p>";

/// The page, waiting.
pub struct Loopback {
    listener: TcpListener,
    port: u16,
}

/// What a request has brought.
enum Visit {
    /// The browser, with a code.
    Code(Zeroizing<String>),
    /// The browser, with the provider's refusal.
    Refused(String),
    /// Somebody else, or something else of the browser's (an icon).
    Other(&'static str),
}

impl Loopback {
    /// Listens on a port that is free.
    pub fn open() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    /// The address that the provider is to send the browser to; `host` is 127.0.0.1 or its name.
    pub fn address(&self, host: &str) -> String {
        format!("http://{host}:{}/", self.port)
    }

    /// Waits for the browser and the code it brings. A request with another `state` than ours gets
    /// a page that says so, and ends nothing: any page in the browser, and any program on the
    /// machine, can send one, and must be able neither to slip a code in nor to end the sign-in.
    pub(super) fn code(
        &self,
        state: &str,
        host: &str,
        limit: Duration,
        stop: &Stop,
    ) -> Result<Zeroizing<String>, Error> {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            let socket = match self.listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == ErrorKind::WouldBlock => match stop.wait(POLL) {
                    Some(reason) => return Err(Error::Stopped(reason)),
                    None => continue,
                },
                // A connection that has gone again, as likely as not.
                Err(_) => continue,
            };
            let Ok(path) = path_of(&socket) else {
                continue;
            };
            let visit = visit(&path, state);
            // The browser may have gone; what it has brought counts all the same.
            let _ = answer(&socket, &visit);
            match visit {
                Visit::Code(code) => return Ok(code),
                Visit::Refused(error) if error == "access_denied" => return Err(Error::Declined),
                Visit::Refused(error) => {
                    return Err(Error::Refused {
                        host: host.to_owned(),
                        error,
                        description: String::new(),
                    });
                }
                Visit::Other(_) => {}
            }
        }
        Err(Error::Expired(limit.as_secs() / 60))
    }
}

/// The path of a GET.
fn path_of(mut socket: &TcpStream) -> io::Result<Zeroizing<String>> {
    socket.set_nonblocking(false)?;
    let deadline = Instant::now() + REQUEST_TIMEOUT;
    let mut request = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut buffer = Zeroizing::new([0; 1024]);
    let ended = |request: &[u8]| request.windows(4).any(|four| four == b"\r\n\r\n");
    while !ended(&request) {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || request.len() > LONGEST - buffer.len() {
            return Err(ErrorKind::InvalidData.into());
        }
        socket.set_read_timeout(Some(left))?;
        match socket.read(buffer.as_mut_slice())? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            octets => request.extend_from_slice(buffer.get(..octets).unwrap_or_default()),
        }
    }
    let line = request.split(|octet| *octet == b'\r').next();
    let line = std::str::from_utf8(line.unwrap_or_default());
    let line = line.map_err(|_| ErrorKind::InvalidData)?;
    match line.split(' ').collect::<Vec<_>>()[..] {
        ["GET", path, _] => Ok(Zeroizing::new(path.to_owned())),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

fn visit(path: &str, state: &str) -> Visit {
    let Some(query) = path.strip_prefix("/?") else {
        return Visit::Other("There is nothing here.");
    };
    if field(query, "state").as_deref() != Some(state) {
        return Visit::Other("This does not belong to the sign-in that popfetch is waiting for.");
    }
    match (field(query, "code"), field(query, "error")) {
        (_, Some(error)) => Visit::Refused(word_of(&error)),
        (Some(code), None) if !code.is_empty() => Visit::Code(Zeroizing::new(code)),
        _ => Visit::Other("There is no code in this."),
    }
}

fn answer(mut socket: &TcpStream, visit: &Visit) -> io::Result<()> {
    let (status, text) = match visit {
        Visit::Code(_) => ("200 OK", "Back to the terminal: this page can be closed."),
        Visit::Refused(_) => ("200 OK", "The provider refuses; the terminal says more."),
        Visit::Other(text) => ("404 Not Found", *text),
    };
    socket.set_write_timeout(Some(REQUEST_TIMEOUT))?;
    let body = format!("{PAGE}{text}</p></body></html>\n");
    write!(
        socket,
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
