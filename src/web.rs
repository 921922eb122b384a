//! HTTP by ureq, over the same connections as the mail: its proxies, its trust, its Ctrl-C.

use crate::net::{
    self, Channel, Protection, Route, Target,
    proxy::Way,
    tls::{Roots, TlsPolicy},
};
use crate::stop::Stop;
use crate::term::Veil;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use ureq::Agent;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};
use zeroize::Zeroizing;

/// Connecting, asking and being answered may take so long altogether: nobody's sign-in takes longer,
/// and cron waits for it.
const TIMEOUT: Duration = Duration::from_secs(30);

/// No answer has more octets. Real ones have under ten thousand, most of them the tokens.
const LARGEST: u64 = 256 << 10;

/// How much is read and written at once.
const BUFFER: usize = 16 << 10;

/// A URL with https, or with http on this very machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    url: String,
    host: String,
    port: u16,
    https: bool,
}

impl Endpoint {
    /// Reads a URL.
    ///
    /// # Errors
    /// It is none, or it is one that a secret cannot be sent to.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        const FORM: &str = "an endpoint is written as \"https://HOST/PATH\"";
        let (scheme, rest) = url.split_once("://").ok_or(FORM)?;
        let https = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(FORM),
        };
        let wrong = |c: char| !c.is_ascii_graphic() || "\"<>\\^`{|}#".contains(c);
        if url.contains(wrong) {
            return Err("an endpoint has no spaces, no `#` and no other special characters");
        }
        let place = rest.split(['/', '?']).next().unwrap_or_default();
        if place.contains('@') {
            return Err("an endpoint has no user and no password in it");
        }
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let port = port.parse().ok().filter(|port| *port != 0);
                (host, port.ok_or("a port is a number from 1 to 65535")?)
            }
            _ => (place, if https { 443 } else { 80 }),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(FORM);
        }
        let endpoint = Self {
            url: url.to_owned(),
            host: host.to_ascii_lowercase(),
            port,
            https,
        };
        if !https && !endpoint.is_local() {
            return Err(
                "an endpoint must begin with https://, unless it is on 127.0.0.1, ::1 or \
                        localhost",
            );
        }
        Ok(endpoint)
    }

    /// Its host, in small letters.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether what is said to it is encrypted.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// As it was written.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// On this very machine, so no proxy is asked.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.host.as_str(), "127.0.0.1" | "::1" | "localhost")
    }
}

/// How the endpoints are reached.
#[derive(Clone, Debug)]
pub struct Line {
    /// Through what, from where.
    pub way: Way,
    /// Whom to trust.
    pub roots: Roots,
    /// How long an answer may take at most.
    pub timeout: Duration,
}

/// What an endpoint answered.
pub struct Answer {
    /// Who answered.
    pub host: String,
    /// The HTTP status.
    pub code: u16,
    /// Where it says that the document is instead.
    pub location: Option<String>,
    /// The body, which may hold secrets.
    pub body: Zeroizing<Vec<u8>>,
    /// What was sent and must not be told where the server repeats it.
    pub veil: Veil,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What comes is no answer.
    #[error("the answer of {host} is not understood: {reason}")]
    Answer {
        /// Who answered.
        host: String,
        /// What is wrong with it; without any of it.
        reason: &'static str,
    },
    /// The host is not reached.
    #[error("cannot reach {host}")]
    Net {
        /// Which host.
        host: String,
        /// Why.
        source: Box<net::Error>,
    },
    /// Time-out of the whole exchange.
    #[error("{0} took too long to answer")]
    Slow(String),
    /// We were asked to stop.
    #[error("{0}")]
    Stopped(crate::stop::Reason),
}

/// Posts a form, and takes the answer whatever its status is; redirects are not followed.
pub fn post(endpoint: &Endpoint, form: &str, line: &Line, stop: &Stop) -> Result<Answer, Error> {
    ask(endpoint, Some(form), LARGEST, line, stop)
}

/// Gets a document of at most `largest` octets, and takes the answer whatever its status is;
/// redirects are not followed.
pub fn get(endpoint: &Endpoint, largest: u64, line: &Line, stop: &Stop) -> Result<Answer, Error> {
    ask(endpoint, None, largest, line, stop)
}

fn ask(
    endpoint: &Endpoint,
    form: Option<&str>,
    largest: u64,
    line: &Line,
    stop: &Stop,
) -> Result<Answer, Error> {
    let timeout = line.timeout.min(TIMEOUT);
    let problem = Arc::new(Mutex::new(None));
    let dialer = Dialer {
        endpoint: endpoint.clone(),
        line: line.clone(),
        stop: stop.clone(),
        problem: Arc::clone(&problem),
    };
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent(concat!("popfetch/", env!("CARGO_PKG_VERSION")))
        .accept(form.map_or("text/xml, application/xml", |_| "application/json"))
        .max_idle_connections(0)
        .max_idle_connections_per_host(0)
        .timeout_global(Some(timeout))
        .build();
    let agent = Agent::with_parts(config, dialer, Nowhere);
    let failed = |error: ureq::Error| {
        let met = problem
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        failure(endpoint, met, error)
    };
    let sent = match form {
        Some(form) => agent
            .post(endpoint.url())
            .header("Content-Type", "application/x-www-form-urlencoded")
            .send(form),
        None => agent.get(endpoint.url()).call(),
    };
    let mut response = sent.map_err(failed)?;
    let location = response.headers().get("Location");
    let location = location.and_then(|value| Some(value.to_str().ok()?.to_owned()));
    let body = response.body_mut().with_config().limit(largest);
    let body = Zeroizing::new(body.read_to_vec().map_err(failed)?);
    Ok(Answer {
        host: endpoint.host.clone(),
        code: response.status().as_u16(),
        location,
        body,
        veil: Veil::default(),
    })
}

fn failure(endpoint: &Endpoint, met: Option<net::Error>, error: ureq::Error) -> Error {
    let host = endpoint.host.clone();
    match (met, error) {
        (Some(net::Error::Stopped(reason)), _) => Error::Stopped(reason),
        (Some(source), _) => Error::Net {
            host,
            source: Box::new(source),
        },
        (None, ureq::Error::Timeout(_)) => Error::Slow(host),
        (None, ureq::Error::Io(error)) if error.kind() == std::io::ErrorKind::TimedOut => {
            Error::Slow(host)
        }
        (None, ureq::Error::BodyExceedsLimit(_)) => Error::Answer {
            host,
            reason: "it is far too large",
        },
        (None, _) => Error::Answer {
            host,
            reason: "it is no HTTP",
        },
    }
}

/// Connects in the house's own way.
struct Dialer {
    endpoint: Endpoint,
    line: Line,
    stop: Stop,
    /// What went wrong below HTTP.
    problem: Arc<Mutex<Option<net::Error>>>,
}

impl Dialer {
    fn dial(&self) -> Result<Box<dyn Channel>, net::Error> {
        let policy = TlsPolicy {
            roots: self.line.roots.clone(),
            ..TlsPolicy::default()
        };
        let straight = Way::default();
        let target = Target {
            host: &self.endpoint.host,
            port: self.endpoint.port,
            protection: match self.endpoint.https {
                true => Protection::Implicit(&policy),
                false => Protection::None,
            },
            way: match self.endpoint.is_local() {
                true => &straight,
                false => &self.line.way,
            },
            timeout: self.line.timeout.min(TIMEOUT),
        };
        Route::find(&target, &self.stop, Arc::new(|_: &str| ()))?.connect(&self.stop)
    }
}

impl Connector<()> for Dialer {
    type Out = Octets;

    fn connect(
        &self,
        _: &ConnectionDetails,
        _: Option<()>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let channel = self.dial().map_err(|error| note(&self.problem, error))?;
        Ok(Some(Octets {
            channel: Mutex::new(channel),
            buffers: LazyBuffers::new(BUFFER, BUFFER),
            request: Zeroizing::default(),
            https: self.endpoint.https,
            problem: Arc::clone(&self.problem),
        }))
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialer")
    }
}

/// Remembers what went wrong, for which ureq has no place.
fn note(problem: &Mutex<Option<net::Error>>, error: net::Error) -> ureq::Error {
    *problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    ureq::Error::ConnectionFailed
}

/// A connection as ureq wants it.
struct Octets {
    channel: Mutex<Box<dyn Channel>>,
    buffers: LazyBuffers,
    /// What is still to be sent of the request.
    request: Zeroizing<Vec<u8>>,
    https: bool,
    problem: Arc<Mutex<Option<net::Error>>>,
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Octets")
    }
}

impl Drop for Octets {
    fn drop(&mut self) {
        let channel = self.channel.get_mut();
        channel.unwrap_or_else(PoisonError::into_inner).close();
    }
}

impl Transport for Octets {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        // Nothing is answered before the request is complete, so it goes out with the first wait.
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.request.extend_from_slice(output);
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let left = timeout.not_zero().map_or(TIMEOUT, |left| *left);
        let deadline = Instant::now() + left.min(TIMEOUT);
        let channel = self.channel.get_mut();
        let channel = channel.unwrap_or_else(PoisonError::into_inner);
        let input = self.buffers.input_append_buf();
        let moved = channel.exchange(&self.request, input, deadline);
        match moved {
            Ok(moved) => {
                self.request.drain(..moved.sent);
                self.buffers.input_appended(moved.received);
                Ok(moved.received > 0)
            }
            // How an answer without a length ends.
            Err(net::Error::Closed) => Ok(false),
            Err(net::Error::TimedOut(_)) => Err(ureq::Error::Timeout(timeout.reason)),
            Err(error) => Err(note(&self.problem, error)),
        }
    }

    fn is_open(&mut self) -> bool {
        false
    }

    fn is_tls(&self) -> bool {
        self.https
    }
}

/// Names are looked up where connections are made.
#[derive(Debug)]
struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(
        &self,
        _: &Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_https_or_on_this_machine() {
        for (url, host, port) in [
            ("https://Login.example.com/t?x=1", "login.example.com", 443),
            ("https://h:8443/t", "h", 8443),
            ("http://127.0.0.1:80/t", "127.0.0.1", 80),
            ("http://[::1]:81/t", "::1", 81),
            ("http://localhost", "localhost", 80),
        ] {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!((endpoint.host.as_str(), endpoint.port), (host, port));
        }
        for url in [
            "",
            "h",
            "ftp://h",
            "https://",
            "https://h:0",
            "http://example.com/t",
            "http://127.0.0.1.example.com/t",
            "https://u:p@h/",
            "https://h/\r\n",
            "https://h/#x",
            "http://127.0.0.1@example.com/",
        ] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }
}
