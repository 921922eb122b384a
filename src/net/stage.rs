//! Where names lead to in the tests, and what they do not wait for. Programs that are built without debug assertions, as those for
//! use are, do not have this.

use super::Error;
use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

/// Names and the addresses that they lead to, as in `pop.example.test:995=127.0.0.1:4000`, with
/// spaces between them; `*` stands for any name, and a name that comes twice has two addresses. One
/// with [`NOBODY`] for an address is looked up without end.
const NAMES: &str = "POPFETCH_TEST_NAMES";

/// A name service that does not answer.
const NOBODY: &str = "nobody";

/// Seconds over which a server's least rate is measured.
const RATE_OVER: &str = "POPFETCH_TEST_RATE_OVER";

/// Milliseconds for which a question for a password stands.
const ANSWER_WITHIN: &str = "POPFETCH_TEST_ANSWER_WITHIN";

/// Where this name leads to, if the tests say where names lead to at all. What they do not name does
/// not exist, but for what is this machine anyway: no test goes out into the world.
pub(super) fn addresses_of(host: &str, port: u16) -> Option<Result<Vec<SocketAddr>, Error>> {
    let names = std::env::var(NAMES).ok()?;
    if host == "localhost" || host.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    let of = |name: &str| {
        let wanted = format!("{name}:{port}=");
        let addresses = names
            .split(' ')
            .filter_map(|it| it.strip_prefix(&wanted)?.parse().ok());
        Some(addresses.collect::<Vec<_>>()).filter(|it| !it.is_empty())
    };
    let addresses = of(host).or_else(|| of("*"));
    Some(addresses.ok_or(Error::NoSuchHost { host: host.into() }))
}

/// Whether nobody ever says where this name leads to.
pub(super) fn is_without_answer(host: &str, port: u16) -> bool {
    let names = std::env::var(NAMES).unwrap_or_default();
    let wanted = format!("{host}:{port}={NOBODY}");
    names.split(' ').any(|it| it == wanted)
}

/// Asks such a name service.
pub(super) fn ask_nobody(_: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
    loop {
        thread::park();
    }
}

/// How long a question for a password stands in tests, if they say so.
pub(crate) fn answer_within() -> Option<Duration> {
    let milliseconds = std::env::var(ANSWER_WITHIN).ok()?.parse().ok()?;
    Some(Duration::from_millis(milliseconds))
}

/// Over how long the tests measure the least rate of a server, if they say so.
pub(crate) fn rate_over() -> Option<Duration> {
    let seconds = std::env::var(RATE_OVER).ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}
