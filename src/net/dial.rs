//! From a host name to a connected TCP socket.

use super::Error;
use crate::stop::Stop;
use crate::threads;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with, sockopt};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How long the name service may take. getaddrinfo has no deadline of its own.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(20);

/// How often someone who waits for it looks whether to stop.
const LOOK: Duration = Duration::from_millis(50);

/// How long one address may take to answer at most.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long an address has before the next one is tried beside it (RFC 8305 section 5): an IPv6
/// that leads nowhere must not cost a person more than that.
const HEAD_START: Duration = Duration::from_millis(250);

/// More addresses than this are not tried: a name service could send hundreds.
const ADDRESS_LIMIT: usize = 8;

/// Where a host's name leads to.
pub struct Addresses {
    /// The host's name.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    all: Vec<SocketAddr>,
    source: Option<IpAddr>,
}

impl Addresses {
    /// Asks the system's resolver. With a `source`, an address of this machine to connect from,
    /// addresses of the other kind are left out.
    pub fn look_up(
        host: &str,
        port: u16,
        source: Option<IpAddr>,
        stop: &Stop,
    ) -> Result<Self, Error> {
        #[cfg(debug_assertions)]
        let mut all = match super::stage::addresses_of(host, port) {
            Some(_) if super::stage::is_without_answer(host, port) => {
                look_up(host, port, stop, super::stage::ask_nobody)?
            }
            Some(addresses) => addresses?,
            None => look_up(host, port, stop, resolve)?,
        };
        #[cfg(not(debug_assertions))]
        let mut all = look_up(host, port, stop, resolve)?;
        if let Some(source) = source {
            all.retain(|address| address.is_ipv4() == source.is_ipv4());
            if all.is_empty() {
                let host = host.to_owned();
                return Err(Error::OtherKind { host, from: source });
            }
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            all: interleaved(all),
            source,
        })
    }

    /// The addresses, in the order in which they are tried.
    pub fn all(&self) -> &[SocketAddr] {
        &self.all
    }

    /// Whether each of these answers, all asked at once.
    pub fn try_each(
        &self,
        addresses: &[SocketAddr],
        timeout: Duration,
        stop: &Stop,
    ) -> Vec<io::Result<()>> {
        let timeout = timeout.min(CONNECT_TIMEOUT);
        thread::scope(|scope| {
            let dial = |address: &SocketAddr| {
                let address = *address;
                move || first_to_answer(&[address], self.source, timeout, stop).map(drop)
            };
            let begun: Vec<_> = addresses
                .iter()
                .map(|address| threads::start(scope, dial(address)))
                .collect();
            let ended = begun.into_iter().map(|begun| match begun {
                Ok(thread) => thread.join().ok().flatten(),
                Err(alone) => alone.map(|dial| dial()),
            });
            ended
                .map(|tried| tried.unwrap_or_else(|| Err(io::ErrorKind::Other.into())))
                .collect()
        })
    }

    /// Connects to the one of them that answers first, each within `timeout`. The socket does not
    /// block, and sends small commands without delay.
    pub fn dial(&self, timeout: Duration, stop: &Stop) -> Result<TcpStream, Error> {
        let timeout = timeout.min(CONNECT_TIMEOUT);
        let answered = first_to_answer(&self.all, self.source, timeout, stop);
        answered.map_err(|source| match (stop.requested(), self.source) {
            (Some(reason), _) => Error::Stopped(reason),
            (None, Some(address)) if source.kind() == io::ErrorKind::AddrNotAvailable => {
                Error::Source { address, source }
            }
            (None, _) => Error::Connect {
                host: self.host.clone(),
                port: self.port,
                source,
            },
        })
    }
}

/// Asks the system's resolver, in a thread of its own so that it cannot hang the account.
fn look_up(
    host: &str,
    port: u16,
    stop: &Stop,
    resolve: fn(&str, u16) -> io::Result<Vec<SocketAddr>>,
) -> Result<Vec<SocketAddr>, Error> {
    let (sender, answer) = mpsc::channel();
    let name = host.to_owned();
    let ask = move || {
        // Nobody may be waiting any more; then nobody wants to know.
        let _ = sender.send(resolve(&name, port));
    };
    let answered = match thread::Builder::new().spawn(ask) {
        Ok(_) => wait_for(&answer, stop)?,
        // Without a deadline rather than not at all.
        Err(_) => Ok(resolve(host, port)),
    };
    match answered {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(Ok(_)) => Err(Error::NoSuchHost { host: host.into() }),
        Ok(Err(source)) if is_final(&source) => Err(Error::NoSuchHost { host: host.into() }),
        Ok(Err(source)) => Err(Error::Lookup {
            host: host.into(),
            source,
        }),
        Err(_) => Err(Error::Lookup {
            host: host.into(),
            source: io::ErrorKind::TimedOut.into(),
        }),
    }
}

fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok((host, port).to_socket_addrs()?.collect())
}

/// The answer, unless it does not come in time, or somebody wants us to stop before.
fn wait_for<T>(answer: &Receiver<T>, stop: &Stop) -> Result<Result<T, RecvTimeoutError>, Error> {
    let until = Instant::now() + LOOKUP_TIMEOUT;
    loop {
        if let Some(reason) = stop.requested() {
            return Err(Error::Stopped(reason));
        }
        match answer.recv_timeout(LOOK) {
            Err(RecvTimeoutError::Timeout) if Instant::now() < until => {}
            answer => return Ok(answer),
        }
    }
}

/// Whether the resolver said that there is no such name, rather than that it cannot tell now.
/// std gives getaddrinfo's EAI codes as text only.
fn is_final(error: &io::Error) -> bool {
    let text = error.to_string();
    [
        "Name or service not known",
        "No address associated",
        "nodename nor servname",
    ]
    .iter()
    .any(|known| text.contains(known))
}

/// The two kinds of addresses interleaved, beginning with the resolver's first (RFC 8305 section 4):
/// where one kind leads nowhere, its many addresses must not keep the other waiting, or out.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut interleaved = Vec::new();
    loop {
        let pair = [first.next(), second.next()];
        if pair == [None, None] || interleaved.len() >= ADDRESS_LIMIT {
            interleaved.truncate(ADDRESS_LIMIT);
            return interleaved;
        }
        interleaved.extend(pair.into_iter().flatten());
    }
}

/// A connection that is being made.
struct Attempt {
    socket: OwnedFd,
    deadline: Instant,
}

/// Tries the addresses in their order, the next one when the one before has failed or has had its
/// head start; those already begun go on meanwhile.
fn first_to_answer(
    addresses: &[SocketAddr],
    source: Option<IpAddr>,
    timeout: Duration,
    stop: &Stop,
) -> io::Result<TcpStream> {
    let mut waiting = addresses.iter().peekable();
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    let mut next = Instant::now();
    loop {
        if Instant::now() >= next
            && let Some(address) = waiting.next()
        {
            match begin(*address, source) {
                Ok(socket) => {
                    let now = Instant::now();
                    next = now + HEAD_START;
                    let deadline = now + timeout;
                    attempts.push(Attempt { socket, deadline });
                }
                Err(error) => {
                    failure = error.into();
                    continue;
                }
            }
        }
        let deadlines = attempts.iter().map(|attempt| attempt.deadline);
        let next_one = waiting.peek().map(|_| next);
        let Some(until) = deadlines.chain(next_one).min() else {
            return Err(failure);
        };
        let ready = wait_for_any(&attempts, until, stop)?;
        for (attempt, is_ready) in std::mem::take(&mut attempts).into_iter().zip(ready) {
            let failed = match is_ready {
                true => match sockopt::socket_error(&attempt.socket)? {
                    Ok(()) => return connected(attempt.socket),
                    Err(error) => error.into(),
                },
                false if Instant::now() >= attempt.deadline => io::ErrorKind::TimedOut.into(),
                false => {
                    attempts.push(attempt);
                    continue;
                }
            };
            failure = failed;
            next = Instant::now();
        }
    }
}

/// Begins to connect; when the socket can be written to, it has come to an end, good or bad.
fn begin(address: SocketAddr, source: Option<IpAddr>) -> Result<OwnedFd, Errno> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    if let Some(source) = source {
        bind(&socket, &SocketAddr::new(source, 0))?;
    }
    match connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(error) => Err(error),
    }
}

/// Which of the attempts have come to an end; none if it is `until` before.
fn wait_for_any(attempts: &[Attempt], until: Instant, stop: &Stop) -> io::Result<Vec<bool>> {
    let sockets = attempts.iter().map(|attempt| &attempt.socket);
    let mut fds: Vec<_> = sockets
        .map(|socket| PollFd::new(socket, PollFlags::OUT))
        .collect();
    fds.push(stop.poll_fd());
    wait(&mut fds, until)?;
    if stop.requested().is_some() {
        return Err(io::ErrorKind::Interrupted.into());
    }
    let attempts = fds.iter().take(attempts.len());
    Ok(attempts.map(|fd| !fd.revents().is_empty()).collect())
}

fn connected(socket: OwnedFd) -> io::Result<TcpStream> {
    let stream = TcpStream::from(socket);
    // Commands are small and answered one flight at a time: waiting to fill a packet costs 40 ms.
    stream.set_nodelay(true)?;
    // A peer that vanished without a word is noticed while nothing is pending, too.
    sockopt::set_socket_keepalive(&stream, true)?;
    Ok(stream)
}

/// Polls until something is ready (`true`) or the deadline has passed (`false`).
pub(super) fn wait(fds: &mut [PollFd<'_>], deadline: Instant) -> io::Result<bool> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(fds, Some(&timeout)) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            // A signal: the stop descriptor will say so at the next turn, if it is ours.
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skip::{Lack, skip};
    use crate::stop::Reason;
    use rustix::net::{getsockname, listen, socket};
    use std::net::TcpListener;

    /// An address whose connections are never completed, and what keeps it so: its queue is full.
    fn silent(ip: [u8; 4]) -> (SocketAddr, OwnedFd, TcpStream) {
        let listener = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&listener, &SocketAddr::from((ip, 0))).unwrap();
        listen(&listener, 0).unwrap();
        let address = SocketAddr::try_from(getsockname(&listener).unwrap()).unwrap();
        let first = TcpStream::connect(address).unwrap();
        (address, listener, first)
    }

    fn answering() -> (SocketAddr, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        (listener.local_addr().unwrap(), listener)
    }

    fn refusing() -> SocketAddr {
        answering().0
    }

    fn try_all(addresses: &[SocketAddr], timeout: Duration) -> io::Result<SocketAddr> {
        let stop = Stop::never().unwrap();
        first_to_answer(addresses, None, timeout, &stop)?.peer_addr()
    }

    #[test]
    fn f1_an_address_that_leads_nowhere_does_not_keep_the_next_one_waiting() {
        let (nowhere, _listener, _first) = silent([127, 0, 0, 2]);
        let (good, _good) = answering();
        let began = Instant::now();
        let found = try_all(&[nowhere, good], CONNECT_TIMEOUT).unwrap();
        assert_eq!(found, good);
        assert!(began.elapsed() < CONNECT_TIMEOUT / 2, "it waited");
    }

    #[test]
    fn f1_a_slow_address_is_not_given_up_for_the_next_one() {
        // The kernel asks again after a second: by then there is room in the queue.
        let (slow, listener, _first) = silent([127, 0, 0, 2]);
        let (nowhere, _listener, _other) = silent([127, 0, 0, 3]);
        let room = thread::spawn(move || {
            thread::sleep(2 * HEAD_START);
            rustix::net::accept(&listener).unwrap();
            listener
        });
        assert_eq!(try_all(&[slow, nowhere], CONNECT_TIMEOUT).unwrap(), slow);
        room.join().unwrap();
    }

    #[test]
    fn f2_a_refusing_address_is_followed_by_the_next_and_the_last_failure_is_told() {
        let (good, _good) = answering();
        assert_eq!(try_all(&[refusing(), good], CONNECT_TIMEOUT).unwrap(), good);
        let failed = try_all(&[refusing(), refusing()], CONNECT_TIMEOUT);
        let kind = failed.map_err(|error| error.kind());
        assert_eq!(kind, Err(io::ErrorKind::ConnectionRefused));
    }

    #[test]
    fn f2_addresses_that_all_lead_nowhere_are_given_up() {
        let (one, _one, _first) = silent([127, 0, 0, 2]);
        let (two, _two, _second) = silent([127, 0, 0, 3]);
        let failed = try_all(&[one, two], Duration::from_millis(100));
        let kind = failed.map_err(|error| error.kind());
        assert_eq!(kind, Err(io::ErrorKind::TimedOut));
        let none = try_all(&[], CONNECT_TIMEOUT).map_err(|error| error.kind());
        assert_eq!(none, Err(io::ErrorKind::NotFound));
    }

    #[test]
    fn f1_an_ipv6_that_leads_nowhere_costs_its_head_start_and_is_closed() {
        let Ok(listener) = socket(AddressFamily::INET6, SocketType::STREAM, None) else {
            return skip(Lack::Tool, "there is no IPv6");
        };
        let v6 = SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 0));
        if bind(&listener, &v6).is_err() {
            return skip(Lack::Tool, "there is no IPv6");
        }
        listen(&listener, 0).unwrap();
        let nowhere = SocketAddr::try_from(getsockname(&listener).unwrap()).unwrap();
        let _first = TcpStream::connect(nowhere).unwrap();
        let (good, _good) = answering();
        // Whatever the resolver's order within a kind, IPv6 comes first where it put it first.
        let interleaved = interleaved(vec![nowhere, good]);
        let began = Instant::now();
        assert_eq!(try_all(&interleaved, CONNECT_TIMEOUT).unwrap(), good);
        assert!(began.elapsed() >= HEAD_START, "IPv6 had no head start");
        let table = std::fs::read_to_string("/proc/self/net/tcp6").unwrap();
        let peer = format!(":{:04X} 02 ", nowhere.port());
        assert!(!table.contains(&peer), "still being made: {table}");
    }

    #[test]
    fn the_kinds_of_addresses_follow_the_source() {
        let look_up = |source: &str| {
            let stop = Stop::never().unwrap();
            let found = Addresses::look_up("127.0.0.1", 1, Some(source.parse().unwrap()), &stop);
            found.map(|addresses| addresses.all)
        };
        assert_eq!(
            look_up("127.0.0.2").unwrap(),
            ["127.0.0.1:1".parse().unwrap()]
        );
        assert!(matches!(look_up("::1"), Err(Error::OtherKind { .. })));
    }

    #[test]
    fn e_3_a_signal_is_heard_while_a_name_is_looked_up() {
        let stop = Stop::never().unwrap();
        // A name service that is silent for as long as it likes.
        let silent = |_: &str, _| -> io::Result<Vec<SocketAddr>> {
            thread::sleep(3 * LOOKUP_TIMEOUT);
            Ok(Vec::new())
        };
        let began = Instant::now();
        let looked = thread::scope(|scope| {
            let looking = scope.spawn(|| look_up("host.example", 995, &stop, silent));
            stop.ask(Reason::Interrupt);
            looking.join().unwrap()
        });
        assert!(matches!(looked, Err(Error::Stopped(Reason::Interrupt))));
        assert!(began.elapsed() < LOOKUP_TIMEOUT / 4, "it waited");
    }

    #[test]
    fn f1_the_kinds_of_addresses_take_turns() {
        let all = ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "1.1.1.2:1"];
        let all = all.map(|text| text.parse().unwrap());
        let interleaved = interleaved(all.to_vec()).into_iter();
        let interleaved: Vec<String> = interleaved.map(|address| address.to_string()).collect();
        let wanted = ["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1", "[::3]:1"];
        assert_eq!(interleaved, wanted);
    }

    #[test]
    fn f1_many_addresses_of_one_kind_leave_room_for_the_other() {
        let v6 = (1..=20).map(|n| SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, n], 1)));
        let v4 = SocketAddr::from(([127, 0, 0, 1], 1));
        let interleaved = interleaved(v6.chain([v4]).collect());
        assert_eq!(interleaved.len(), ADDRESS_LIMIT);
        assert_eq!(interleaved[1], v4);
    }
}
