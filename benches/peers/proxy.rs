//! A long line: what goes through it arrives half a round trip later, and no faster than the line
//! carries.
//!
//! What it counts, and what it does not:
//!
//! - Octets read from one side at some moment are written to the other half a round trip later, in
//!   their order. With a rate, each direction carries so many octets a second, and what does not
//!   fit waits.
//! - TCP's own handshake costs a round trip. On loopback `connect` returns at once, so what a
//!   client sends before it has heard anything comes a whole round trip later still, and the server
//!   is connected to one and a half round trips after the client connected, when the handshake's
//!   last packet would arrive. So for a client that speaks first, the answer is there two round
//!   trips after `connect`, and so is the greeting of a server that speaks first.
//! - Not counted: lost packets, TCP's slow start, and the limits of its windows. Up to [`IN_FLIGHT`]
//!   pieces may be under way.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::measure::median;
use crate::support::listener::Listener;

/// Pieces of at most [`PIECE`] octets that one direction of a connection holds.
const IN_FLIGHT: usize = 1024;
const PIECE: usize = 64 * 1024;
/// No smaller piece is sent over a real line where there is more.
const PACKET: usize = 1400;

/// How often a line is measured at most.
const SURVEYS: usize = 3;

/// How long a line is, and how wide.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Line {
    pub round_trip: Duration,
    /// Octets a second in each direction; None if it makes no difference.
    pub rate: Option<u64>,
}

/// A port of 127.0.0.1 at the near end of a line.
pub struct Proxy {
    listener: Listener,
    line: Arc<Mutex<Line>>,
}

/// When, and what; None is the end of the stream.
type Piece = (Instant, Option<Vec<u8>>);

impl Proxy {
    /// A line to this port of 127.0.0.1.
    pub fn start(port: u16, line: Line) -> Self {
        let line = Arc::new(Mutex::new(line));
        let shared = Arc::clone(&line);
        let listener = Listener::start(move |_, client| {
            let line = *shared.lock().unwrap_or_else(PoisonError::into_inner);
            // An end of the connection that fails is the end of the other one.
            let _over = carry(&client, port, line);
            let _over = client.shutdown(Shutdown::Both);
        });
        Self { listener, line }
    }

    pub fn port(&self) -> u16 {
        self.listener.port()
    }

    /// Makes it another line for the connections to come.
    pub fn become_line(&self, line: Line) {
        *self.line.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }
}

/// Carries one connection to its end.
fn carry(client: &TcpStream, port: u16, line: Line) -> io::Result<()> {
    let begun = Instant::now();
    client.set_nodelay(true)?;
    let heard = AtomicBool::new(false);
    let heard = &heard;
    let half = line.round_trip / 2;
    let (sent, to_server) = sync_channel(IN_FLIGHT);
    let (answered, to_client) = sync_channel(IN_FLIGHT);
    thread::scope(|scope| {
        scope.spawn(move || {
            let first = line.round_trip + half;
            let delay = || {
                if heard.load(Ordering::SeqCst) {
                    half
                } else {
                    first
                }
            };
            take_in(client, &sent, line.rate, delay);
        });
        wait_until(begun + line.round_trip + half);
        let server = match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
            Ok(server) => Arc::new(server),
            Err(error) => {
                // The thread above reads from it.
                let _over = client.shutdown(Shutdown::Both);
                return Err(error);
            }
        };
        let _slower = server.set_nodelay(true);
        let also = Arc::clone(&server);
        scope.spawn(move || give_out(&also, &to_server, || ()));
        scope.spawn(move || take_in(&server, &answered, line.rate, || half));
        give_out(client, &to_client, || heard.store(true, Ordering::SeqCst));
        Ok(())
    })
}

/// Reads until the stream or its other end is over, and says when each piece is to arrive.
fn take_in(
    mut from: &TcpStream,
    queue: &SyncSender<Piece>,
    rate: Option<u64>,
    delay: impl Fn() -> Duration,
) {
    // A piece arrives as a whole, so on a narrow line it must be small: what it carries in 5 ms.
    let few = |rate| usize::try_from(rate / 200).unwrap_or(PIECE);
    let size = rate.map_or(PIECE, few).clamp(PACKET, PIECE);
    let mut piece = vec![0; size];
    let mut free = Instant::now();
    let mut last = free;
    loop {
        let octets = from.read(&mut piece).unwrap_or(0);
        free = free.max(Instant::now());
        if let Some(rate) = rate {
            free += Duration::from_secs_f64(octets as f64 / rate as f64);
        }
        last = last.max(free + delay());
        let octets = piece.get(..octets).filter(|octets| !octets.is_empty());
        let is_end = octets.is_none();
        if queue.send((last, octets.map(Vec::from))).is_err() || is_end {
            return;
        }
    }
}

/// Writes each piece when its time has come.
fn give_out(mut to: &TcpStream, queue: &Receiver<Piece>, before_the_first: impl Fn()) {
    let mut first = true;
    for (due, octets) in queue {
        wait_until(due);
        if std::mem::take(&mut first) {
            before_the_first();
        }
        let Some(octets) = octets else {
            let _over = to.shutdown(Shutdown::Write);
            return;
        };
        if to.write_all(&octets).is_err() {
            // Ends the reading from it, and so the other direction.
            let _over = to.shutdown(Shutdown::Both);
            return;
        }
    }
}

fn wait_until(due: Instant) {
    thread::sleep(due.saturating_duration_since(Instant::now()));
}

/// A line as a client finds it.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub line: Line,
    /// From `connect` to the echo of the first octet: two round trips.
    pub first_echo: Duration,
    /// Of an octet on an open connection.
    pub round_trip: Duration,
    /// Octets a second, where they are limited.
    pub rate: Option<f64>,
}

/// Measures a line by the echo of single octets, and of many; an error if it is more than a tenth off each
/// time, as on a machine that is busy with something else.
pub fn survey(line: Line) -> Result<Found> {
    let mut found = measure(line)?;
    for _ in 1..SURVEYS {
        if found.is_as_asked() {
            break;
        }
        found = measure(line)?;
    }
    ensure!(found.is_as_asked(), "the line is not as asked: {found:?}");
    Ok(found)
}

fn measure(line: Line) -> Result<Found> {
    let echo = Listener::start(|_, socket| {
        let mut piece = vec![0; PIECE];
        let mut socket = &*socket;
        while let Ok(octets @ 1..) = socket.read(&mut piece) {
            let read = piece.get(..octets).unwrap_or_default();
            if socket.write_all(read).is_err() {
                break;
            }
        }
    });
    let proxy = Proxy::start(echo.port(), line);
    let mut first_echoes = Vec::new();
    let mut round_trips = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port()))?;
        socket.set_nodelay(true)?;
        let mut echo = |begun: Instant| -> io::Result<f64> {
            let mut octet = [1];
            socket.write_all(&octet)?;
            socket.read_exact(&mut octet)?;
            Ok(begun.elapsed().as_secs_f64())
        };
        first_echoes.push(echo(begun)?);
        for _ in 0..3 {
            round_trips.push(echo(Instant::now())?);
        }
    }
    let rate = match line.rate {
        Some(rate) => Some(measure_rate(proxy.port(), line.round_trip, rate)?),
        None => None,
    };
    Ok(Found {
        line,
        rate,
        first_echo: Duration::from_secs_f64(median(first_echoes)),
        round_trip: Duration::from_secs_f64(median(round_trips)),
    })
}

/// Sends as much as the line carries in half a second, and returns how many octets a second come
/// back, the way there and back left out.
fn measure_rate(port: u16, round_trip: Duration, rate: u64) -> Result<f64> {
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    let octets = vec![b'x'; usize::try_from(rate / 2)?];
    let (mut one, mut other) = (&socket, &socket);
    // The connection is open once an octet has come back.
    one.write_all(b"x")?;
    one.read_exact(&mut [0])?;
    let begun = Instant::now();
    let mut back = vec![0; octets.len()];
    thread::scope(|scope| {
        let sending = scope.spawn(|| one.write_all(&octets));
        other.read_exact(&mut back)?;
        sending.join().unwrap_or(Ok(()))
    })?;
    let taken = begun.elapsed().saturating_sub(round_trip);
    Ok(octets.len() as f64 / taken.as_secs_f64())
}

impl Found {
    fn is_as_asked(&self) -> bool {
        let wanted = self.line.round_trip;
        let close = |found: Duration, wanted: Duration| found.abs_diff(wanted) <= wanted / 10;
        // Without a delay there is nothing to be a tenth of.
        let is_as_long = wanted.is_zero()
            || (close(self.round_trip, wanted) && close(self.first_echo, wanted * 2));
        let is_as_wide = match (self.rate, self.line.rate) {
            (Some(found), Some(wanted)) => (found / wanted as f64 - 1.0).abs() <= 0.1,
            _ => true,
        };
        is_as_long && is_as_wide
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.round_trip.as_millis() {
            0 => f.write_str("no delay")?,
            ms => write!(f, "{ms} ms")?,
        }
        match self.rate {
            Some(rate) if rate % 1_000_000 == 0 => write!(f, ", {} MB/s", rate / 1_000_000),
            Some(rate) => write!(f, ", {} kB/s", rate / 1000),
            None => Ok(()),
        }
    }
}
