//! The way to a server: found once, with all that takes a file; connected by as often as needed.

use super::dial::{Addresses, CONNECT_TIMEOUT};
use super::program::{Launcher, Tell};
use super::proxy::{self, Proxy, ProxyKind, ProxyServer, Refusal, Way};
use super::stream::Talk;
use super::tls::{Security, TlsPolicy};
use super::{Channel, Error, Facts, Moved, Socket, Stream, socks, tunnel};
use crate::stop::Stop;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How a server is to be reached.
pub struct Target<'a> {
    /// Its name or address.
    pub host: &'a str,
    /// Its TCP port.
    pub port: u16,
    /// Whether and how the connection is protected.
    pub protection: Protection<'a>,
    /// By which way.
    pub way: &'a Way,
    /// How long it may take to accept a connection, and again for a handshake.
    pub timeout: Duration,
}

/// Whether and how a connection is protected.
#[derive(Clone, Copy)]
pub enum Protection<'a> {
    /// TLS from the first octet (RFC 8314 section 3).
    Implicit(&'a TlsPolicy),
    /// TLS after STLS (RFC 2595): the channel waits for [`Channel::start_tls`].
    StartTls(&'a TlsPolicy),
    /// No TLS.
    None,
}

/// See the [module](self). Connecting by it needs no file any more, neither the resolver's nor a
/// certificate store.
pub struct Route {
    hop: Hop,
    host: String,
    port: u16,
    security: Option<Arc<Security>>,
    start_tls: bool,
    timeout: Duration,
}

/// Where the first connection goes.
enum Hop {
    Command(Launcher),
    Proxy(ProxyServer, Addresses),
    Straight(Addresses),
}

impl Route {
    /// Finds the way. What a program in between prints for people is told by `tell`.
    pub fn find(target: &Target<'_>, stop: &Stop, tell: Tell) -> Result<Self, Error> {
        let Target {
            host, port, way, ..
        } = *target;
        let (policy, start_tls) = match target.protection {
            Protection::Implicit(policy) => (Some(policy), false),
            Protection::StartTls(policy) => (Some(policy), true),
            Protection::None => (None, false),
        };
        let security = policy.map(|policy| Security::new(policy, host, port, target.timeout));
        let look_up = |host: &str, port| Addresses::look_up(host, port, way.source_address, stop);
        let hop = match &way.proxy {
            Some(Proxy::Command(argv)) => {
                let argv = proxy::expand(argv, host, port).map_err(Error::Placeholder)?;
                Hop::Command(Launcher::new(argv, tell))
            }
            Some(Proxy::Server(proxy)) => {
                let addresses = look_up(&proxy.host, proxy.port);
                Hop::Proxy(
                    proxy.clone(),
                    addresses.map_err(|e| at_proxy(proxy, e.into()))?,
                )
            }
            None => Hop::Straight(look_up(host, port)?),
        };
        Ok(Self {
            hop,
            host: host.to_owned(),
            port,
            security: security.transpose()?.map(Arc::new),
            start_tls,
            timeout: target.timeout,
        })
    }

    /// Connects, and verifies who is there, where that is done before the first octet.
    pub fn connect(&self, stop: &Stop) -> Result<Box<dyn Channel>, Error> {
        let mut socket = Socket::plain(self.open(stop)?, stop.clone());
        match &self.security {
            None => Ok(Box::new(socket)),
            Some(security) if self.start_tls => Ok(Box::new(Upgradable {
                socket,
                security: Arc::clone(security),
            })),
            Some(security) => {
                security.shake_hands(&mut socket)?;
                Ok(Box::new(socket))
            }
        }
    }

    fn open(&self, stop: &Stop) -> Result<Stream, Error> {
        match &self.hop {
            Hop::Command(launcher) => {
                let (stream, program) = launcher.launch()?;
                Ok(Stream::Program(stream, program))
            }
            Hop::Straight(addresses) => Ok(addresses.dial(self.timeout, stop)?.into()),
            Hop::Proxy(proxy, addresses) => {
                let stream = addresses.dial(self.timeout, stop);
                let mut stream = stream
                    .map_err(|error| at_proxy(proxy, error.into()))?
                    .into();
                // The proxy answers when it has connected, or has given up.
                let timeout = self.timeout.min(2 * CONNECT_TIMEOUT);
                let talk = Talk {
                    stream: &mut stream,
                    deadline: Instant::now() + timeout,
                    stop,
                };
                let ask = match proxy.kind {
                    ProxyKind::Http => tunnel::ask,
                    ProxyKind::Socks5 => socks::ask,
                };
                ask(talk, &self.host, self.port, proxy.login.as_ref())
                    .map_err(|refusal| at_proxy(proxy, refusal).after(timeout))?;
                Ok(stream)
            }
        }
    }
}

fn at_proxy(proxy: &ProxyServer, refusal: Refusal) -> Error {
    match refusal {
        Refusal::Net(Error::Stopped(reason)) => Error::Stopped(reason),
        refusal => Error::Proxy {
            proxy: proxy.to_string(),
            source: Box::new(refusal),
        },
    }
}

/// A channel in clear until STLS.
struct Upgradable {
    socket: Socket,
    security: Arc<Security>,
}

impl Channel for Upgradable {
    fn exchange(
        &mut self,
        output: &[u8],
        input: &mut [u8],
        deadline: Instant,
    ) -> Result<Moved, Error> {
        self.socket.exchange(output, input, deadline)
    }

    fn push(&mut self, output: &[u8], input: &mut [u8], deadline: Instant) -> Result<Moved, Error> {
        self.socket.push(output, input, deadline)
    }

    fn start_tls(&mut self) -> Result<(), Error> {
        // In TLS it is the client that speaks first: what is here already was never encrypted.
        if self.socket.has_unread()? {
            return Err(Error::Injected);
        }
        self.security.shake_hands(&mut self.socket)
    }

    fn tls_exporter(&self) -> Option<[u8; 32]> {
        self.socket.tls_exporter()
    }

    fn facts(&self) -> Facts {
        self.socket.facts()
    }

    fn close(&mut self) {
        self.socket.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::tls::Roots;
    use std::io::Write;
    use std::net::TcpListener;
    use std::thread;

    #[test]
    fn s5_octets_in_clear_that_have_arrived_keep_the_handshake_from_beginning() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let policy = TlsPolicy {
            roots: Roots::Bundled,
            ..TlsPolicy::default()
        };
        let timeout = Duration::from_secs(20);
        let security = Security::new(&policy, "localhost", 110, timeout).unwrap();
        let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.set_nonblocking(true).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let mut channel = Upgradable {
            socket: Socket::plain(stream, Stop::never().unwrap()),
            security: Arc::new(security),
        };
        assert!(!channel.socket.has_unread().unwrap());
        server.write_all(b"+OK\r\n").unwrap();
        let deadline = Instant::now() + timeout;
        while !channel.socket.has_unread().unwrap() {
            assert!(Instant::now() < deadline, "nothing arrives");
            thread::yield_now();
        }
        assert!(matches!(channel.start_tls(), Err(Error::Injected)));
        // Not an octet of a handshake was sent.
        drop(channel);
        let sent = std::io::Read::read(&mut server, &mut [0; 10]);
        assert!(matches!(sent, Ok(0) | Err(_)), "{sent:?}");
    }

    #[test]
    fn a_channel_that_is_not_meant_for_it_is_never_upgraded() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.set_nonblocking(true).unwrap();
        drop(listener);
        let mut socket = Socket::plain(stream, Stop::never().unwrap());
        assert!(matches!(socket.start_tls(), Err(Error::Tls(_))));
    }
}
