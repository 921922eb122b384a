//! Where the browser comes back to: a page on 127.0.0.1 that is there for one sign-in
//! (RFC 8252 section 7.3).

use super::Error;
use super::protocol::{field, word_of};
use crate::stop::Stop;
use std::collections::VecDeque;
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

/// So many are heard at once.
const GUESTS: usize = 100;

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
        let mut guests: VecDeque<Guest> = VecDeque::new();
        while Instant::now() < deadline {
            self.welcome(&mut guests);
            let mut still_here = VecDeque::new();
            for mut guest in guests {
                let path = match guest.listen() {
                    Ok(Some(path)) => path,
                    Ok(None) => {
                        still_here.push_back(guest);
                        continue;
                    }
                    Err(_) => continue,
                };
                let visit = visit(&path, state);
                // The browser may have gone; what it has brought counts all the same.
                let _ = answer(&guest.socket, &visit);
                match visit {
                    Visit::Code(code) => return Ok(code),
                    Visit::Refused(error) if error == "access_denied" => {
                        return Err(Error::Declined);
                    }
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
            guests = still_here;
            if let Some(reason) = stop.wait(POLL) {
                return Err(Error::Stopped(reason));
            }
        }
        Err(Error::Expired(limit.as_secs() / 60))
    }

    /// Takes in whoever waits; who came first goes where there are too many.
    fn welcome(&self, guests: &mut VecDeque<Guest>) {
        for _ in 0..GUESTS {
            // An error is a connection that has gone again, or none that waits.
            let Ok((socket, _)) = self.listener.accept() else {
                return;
            };
            if socket.set_nonblocking(true).is_ok() {
                guests.push_back(Guest::new(socket));
            }
            if guests.len() > GUESTS {
                guests.pop_front();
            }
        }
    }
}

/// Somebody who has connected and not said everything yet. They are heard side by side: whoever
/// says nothing holds up nobody.
struct Guest {
    socket: TcpStream,
    request: Zeroizing<Vec<u8>>,
    deadline: Instant,
}

impl Guest {
    fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            request: Zeroizing::new(Vec::with_capacity(LONGEST)),
            deadline: Instant::now() + REQUEST_TIMEOUT,
        }
    }

    /// The path of a GET, once all of it has come.
    fn listen(&mut self) -> io::Result<Option<Zeroizing<String>>> {
        let mut buffer = Zeroizing::new([0; 1024]);
        while !self.request.windows(4).any(|four| four == b"\r\n\r\n") {
            if Instant::now() > self.deadline || self.request.len() > LONGEST - buffer.len() {
                return Err(ErrorKind::InvalidData.into());
            }
            match self.socket.read(buffer.as_mut_slice()) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(octets) => {
                    let octets = buffer.get(..octets).unwrap_or_default();
                    self.request.extend_from_slice(octets);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        path_of(&self.request).map(Some)
    }
}

fn path_of(request: &[u8]) -> io::Result<Zeroizing<String>> {
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
    socket.set_nonblocking(false)?;
    socket.set_write_timeout(Some(REQUEST_TIMEOUT))?;
    let body = format!("{PAGE}{text}</p></body></html>\n");
    write!(
        socket,
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
