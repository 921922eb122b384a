//! HTTP by ureq, over the same connections as the mail: its proxies, its trust, its Ctrl-C.

use super::protocol::{Answer, veil_of};
use super::{Endpoint, Error, Line};
use crate::net::{self, Channel, Protection, Route, Target, proxy::Way, tls::TlsPolicy};
use crate::stop::Stop;
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

/// Posts a form, and takes the answer whatever its status is; redirects are not followed.
pub(super) fn post(
    endpoint: &Endpoint,
    form: &str,
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
        .accept("application/json")
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
    let request = agent
        .post(endpoint.url())
        .header("Content-Type", "application/x-www-form-urlencoded");
    let mut response = request.send(form).map_err(failed)?;
    let body = response.body_mut().with_config().limit(LARGEST);
    let body = Zeroizing::new(body.read_to_vec().map_err(failed)?);
    Ok(Answer {
        host: endpoint.host.clone(),
        code: response.status().as_u16(),
        body,
        veil: veil_of(form),
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
