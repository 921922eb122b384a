//! SRV and MX records, asked of the system's name servers. The system's own resolver gives addresses
//! alone, and a packet there and back is all that it takes; reading and writing packets is
//! simple-dns's.

use crate::net::tls::random_octets;
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, Question, RCODE, TYPE};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// Where the system's name servers are written down (resolv.conf(5)).
const CONFIG: &str = "/etc/resolv.conf";

/// More name servers than the C library asks are not asked either.
const SERVERS: usize = 3;

/// How long one server has to answer, and how often each is asked.
const TIMEOUT: Duration = Duration::from_millis(1500);
const ROUNDS: usize = 2;

/// No answer of these kinds needs more records.
const RECORDS: usize = 16;

/// Name servers.
#[derive(Clone, Debug)]
pub(super) struct Resolver(Vec<SocketAddr>);

/// An SRV record (RFC 2782).
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Srv {
    pub(super) priority: u16,
    /// Smaller for what is to be preferred, so that records sort.
    pub(super) lightness: u16,
    pub(super) host: String,
    pub(super) port: u16,
}

/// Why nothing is known.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Silence {
    /// No server has answered, or none sensibly.
    NoAnswer,
}

impl Resolver {
    /// Those of the system; its own machine where none are named (resolv.conf(5)).
    pub(super) fn of_system() -> Self {
        #[cfg(debug_assertions)]
        if let Some(server) = for_tests() {
            return Self(vec![server]);
        }
        let file = std::fs::File::open(CONFIG);
        let mut text = String::new();
        if let Ok(file) = file {
            // What cannot be read names nobody.
            let _ = file.take(64 << 10).read_to_string(&mut text);
        }
        Self::of_config(&text)
    }

    fn of_config(text: &str) -> Self {
        let addresses = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some("nameserver")).then(|| words.next()?.parse::<IpAddr>().ok())?
        });
        let mut servers: Vec<_> = addresses
            .take(SERVERS)
            .map(|address| SocketAddr::new(address, 53))
            .collect();
        if servers.is_empty() {
            servers.push(SocketAddr::from((Ipv4Addr::LOCALHOST, 53)));
        }
        Self(servers)
    }

    /// The services of this name, those to be preferred first. A record whose target is "." says that
    /// there is no such service: it has an empty host.
    pub(super) fn srv(&self, name: &str) -> Result<Vec<Srv>, Silence> {
        let mut found = self.ask(name, TYPE::SRV, |data| match data {
            RData::SRV(srv) => Some(Srv {
                priority: srv.priority,
                lightness: u16::MAX - srv.weight,
                host: srv.target.to_string().to_ascii_lowercase(),
                port: srv.port,
            }),
            _ => None,
        })?;
        found.sort();
        Ok(found)
    }

    /// The domain's mail exchangers, those to be preferred first.
    pub(super) fn mx(&self, domain: &str) -> Result<Vec<String>, Silence> {
        let mut found = self.ask(domain, TYPE::MX, |data| match data {
            RData::MX(mx) => {
                let host = mx.exchange.to_string().to_ascii_lowercase();
                Some((mx.preference, host))
            }
            _ => None,
        })?;
        found.sort();
        Ok(found.into_iter().map(|(_, host)| host).collect())
    }

    fn ask<T>(
        &self,
        name: &str,
        kind: TYPE,
        read: impl Fn(&RData<'_>) -> Option<T>,
    ) -> Result<Vec<T>, Silence> {
        let id = random_octets().ok_or(Silence::NoAnswer)?;
        let [first, second, ..] = id;
        let id = u16::from_be_bytes([first, second]);
        let query = query(id, name, kind).ok_or(Silence::NoAnswer)?;
        for server in (0..ROUNDS).flat_map(|_| &self.0) {
            let Ok(answer) = exchange(*server, &query, id) else {
                continue;
            };
            let Some(packet) = parse(&answer, id, name, kind) else {
                continue;
            };
            match packet.rcode() {
                RCODE::NoError => {
                    let records = packet.answers.iter().filter_map(|it| read(&it.rdata));
                    return Ok(records.take(RECORDS).collect());
                }
                RCODE::NameError => return Ok(Vec::new()),
                _ => {}
            }
        }
        Err(Silence::NoAnswer)
    }
}

/// Tests bring a name server of their own; a program that is to be used has no such thing.
#[cfg(debug_assertions)]
fn for_tests() -> Option<SocketAddr> {
    std::env::var("POPFETCH_TEST_DNS").ok()?.parse().ok()
}

fn query(id: u16, name: &str, kind: TYPE) -> Option<Vec<u8>> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new(name).ok()?;
    let question = Question::new(name, QTYPE::TYPE(kind), CLASS::IN.into(), false);
    packet.questions.push(question);
    packet.build_bytes_vec().ok()
}

/// The answer, if it is one to this question.
fn parse<'a>(octets: &'a [u8], id: u16, name: &str, kind: TYPE) -> Option<Packet<'a>> {
    let packet = Packet::parse(octets).ok()?;
    let question = packet.questions.first()?;
    let answers_it = packet.id() == id
        && packet.has_flags(PacketFlag::RESPONSE)
        && question.qname.to_string().eq_ignore_ascii_case(name)
        && question.qtype == QTYPE::TYPE(kind);
    answers_it.then_some(packet)
}

fn exchange(server: SocketAddr, query: &[u8], id: u16) -> io::Result<Vec<u8>> {
    let any = match server {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any)?;
    // Nobody but the server is heard from here on.
    socket.connect(server)?;
    socket.send(query)?;
    let deadline = Instant::now() + TIMEOUT;
    let mut octets = vec![0; 4096];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        let length = socket.recv(&mut octets)?;
        let answer = octets.get(..length).unwrap_or_default();
        // Another's answer, or none: the right one may still come.
        if answer.get(..2) != Some(&id.to_be_bytes()) {
            continue;
        }
        if simple_dns::header_buffer::has_flags(answer, PacketFlag::TRUNCATION).unwrap_or(false) {
            return over_tcp(server, query);
        }
        return Ok(answer.to_vec());
    }
}

/// What does not fit into a datagram (RFC 7766).
fn over_tcp(server: SocketAddr, query: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&server, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let length = u16::try_from(query.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), query].concat())?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_name_servers_are_read() {
        let text = "search example.com\n# x\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n\
                    nameserver nonsense\noptions edns0\n";
        let servers: Vec<_> = Resolver::of_config(text).0;
        assert_eq!(
            servers,
            ["192.0.2.1:53", "[2001:db8::1]:53"].map(|s| s.parse().unwrap())
        );
        let nobody = Resolver::of_config("").0;
        assert_eq!(nobody, ["127.0.0.1:53".parse().unwrap()]);
    }

    #[test]
    fn an_answer_to_another_question_is_none() {
        let reply = |id, name| {
            let mut packet = Packet::new_reply(id);
            let kind = QTYPE::TYPE(TYPE::MX);
            let name = Name::new_unchecked(name);
            packet
                .questions
                .push(Question::new(name, kind, CLASS::IN.into(), false));
            packet.build_bytes_vec().unwrap()
        };
        let read = |octets: &[u8]| parse(octets, 7, "example.com", TYPE::MX).is_some();
        assert!(read(&reply(7, "Example.com")));
        assert!(!read(&reply(8, "example.com")));
        assert!(!read(&reply(7, "example.org")));
        assert!(!read(&query(7, "example.com", TYPE::MX).unwrap()));
        assert!(!read(b""));
    }

    #[test]
    fn a_server_that_says_nothing_is_given_up() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let resolver = Resolver(vec![socket.local_addr().unwrap()]);
        let began = Instant::now();
        assert_eq!(resolver.mx("example.com"), Err(Silence::NoAnswer));
        assert!(began.elapsed() < 3 * TIMEOUT);
    }
}
