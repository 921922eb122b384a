//! From a mail address to the servers that may have its mail.
//!
//! The table that is built in is asked first; where it knows nobody, everybody else is asked at once:
//! the domain's mail exchanger, its SRV records, autoconfig documents, and servers of usual names.
//! What is named is tried before it is offered, and nobody who is slow, or dead, keeps the others
//! from being found. No password is needed for any of it.

mod address;
mod autoconfig;
mod candidate;
mod dns;
mod probe;
pub mod steps;
mod table;
mod turns;

pub use address::Address;
pub use candidate::{Candidate, Origin};
pub use probe::Dead;

use crate::net::tls::TlsPolicy;
use crate::profile::draft::Security;
use crate::profile::providers;
use crate::server::Protocol;
use crate::stop::Stop;
use crate::threads;
use dns::Resolver;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use turns::{Turns, Wanted};

/// How long a search takes at most: a person waits for it.
const PATIENCE: Duration = Duration::from_secs(8);

/// The user's name where nobody says another.
const WHOLE: &str = "%EMAILADDRESS%";

/// No source is believed to have more servers than these.
const OF_A_SOURCE: usize = 6;

/// What a search has found.
#[derive(Debug, Default)]
pub struct Finding {
    /// What people call the provider, where it is known.
    pub provider: Option<&'static str>,
    /// The servers that answer by the protocol that was asked for, the best first.
    pub servers: Vec<Candidate>,
    /// Those that were named and do not do.
    pub dead: Vec<(Candidate, Dead)>,
    /// An IMAP server.
    pub imap: Option<String>,
    /// The provider has no POP3: its name, and what to do instead.
    pub no_pop: Option<providers::NoPop>,
    /// The domain says itself that there is no POP3 (RFC 6186 section 3.4).
    pub declined: bool,
    /// No name server has answered.
    pub without_dns: bool,
}

/// What servers are tried with.
#[derive(Clone)]
struct Means {
    protocol: Protocol,
    policy: TlsPolicy,
    stop: Stop,
    /// Of all sources: two of them may name the same host.
    turns: Arc<Turns>,
    /// Whether the search goes on. Once it is over nobody connects any more: the sign-in may be next,
    /// at a server that has room for one.
    wanted: Wanted,
}

impl Means {
    fn new(protocol: Protocol, policy: &TlsPolicy) -> io::Result<Self> {
        let (policy, stop) = (policy.clone(), Stop::never()?);
        Ok(Self {
            protocol,
            policy,
            stop,
            turns: Arc::default(),
            wanted: Wanted::default(),
        })
    }
}

/// What one source has to say.
#[derive(Default)]
struct Said {
    finding: Finding,
    /// Nobody of these, and of the ones before, has anything more to say.
    source: Option<Origin>,
}

/// Looks for the servers of an address that speak `protocol`.
///
/// # Errors
/// The system has no means left to do so.
pub fn search(address: &Address, protocol: Protocol, policy: &TlsPolicy) -> io::Result<Finding> {
    let means = Means::new(protocol, policy)?;
    let known = table::of_address(address, protocol);
    if let Some(no_pop) = refused(address.domain(), protocol, known.as_ref()) {
        return Ok(Finding {
            no_pop: Some(no_pop),
            imap: known.and_then(|it| it.imap),
            ..Finding::default()
        });
    }
    let mut finding = Finding::default();
    if let Some(known) = known {
        finding = of_known(known, &means);
        if !finding.servers.is_empty() {
            return Ok(finding);
        }
    }
    let (sender, said) = mpsc::channel();
    let resolver = Resolver::of_system();
    spawn(&sender, Origin::MailExchanger, {
        let (address, resolver, means) = (address.clone(), resolver.clone(), means.clone());
        move || of_exchanger(&address, &resolver, &means)
    });
    spawn(&sender, Origin::Srv, {
        let (address, means) = (address.clone(), means.clone());
        move || of_srv(&address, &resolver, &means)
    });
    for (url, origin) in autoconfig::own_urls(address)
        .map(|url| (url, Origin::Autoconfig))
        .into_iter()
        .chain([(autoconfig::database_url(address), Origin::Database)])
    {
        let (address, means) = (address.clone(), means.clone());
        spawn(&sender, origin, move || {
            of_document(&url, &address, origin, &means)
        });
    }
    spawn(&sender, Origin::Guess, {
        let (address, means) = (address.clone(), means.clone());
        move || of_guesses(&address, &means)
    });
    drop(sender);
    collect(&said, &mut finding);
    means.wanted.end();
    finding.servers.sort_by_key(Candidate::rank);
    finding
        .servers
        .dedup_by(|b, a| a.host == b.host && a.port == b.port);
    Ok(finding)
}

/// Servers that a person names: `host` alone, or with a port.
///
/// # Errors
/// The system has no means left to do so.
pub fn try_by_hand(
    address: &Address,
    host: &str,
    port: Option<u16>,
    protocol: Protocol,
    policy: &TlsPolicy,
) -> io::Result<Finding> {
    let means = Means::new(protocol, policy)?;
    let usual = [
        (protocol.tls_port(), Security::Implicit),
        (protocol.plain_port(), Security::Clear),
    ];
    let named = |port| [(port, Security::Implicit), (port, Security::Clear)];
    let candidates = port
        .map_or(usual, named)
        .into_iter()
        .filter_map(|(port, security)| {
            let at = (host, port, security);
            Candidate::new(address, protocol, at, WHOLE, Origin::Hand)
        });
    let mut finding = tried(candidates.collect(), &means);
    finding.servers.sort_by_key(Candidate::rank);
    finding
        .servers
        .dedup_by(|b, a| a.host == b.host && a.port == b.port);
    Ok(finding)
}

/// Has a source asked in a thread of its own, which may outlive the search; here and now where there
/// is none to be had.
fn spawn(sender: &Sender<Said>, source: Origin, ask: impl FnOnce() -> Finding + Send + 'static) {
    let sender = sender.clone();
    let started = threads::detach(move || {
        let said = Said {
            finding: ask(),
            source: Some(source),
        };
        // The search may be over.
        let _ = sender.send(said);
    });
    if let Err(Some(here)) = started {
        here();
    }
}

/// Takes what is said until nobody who is left could say anything better.
fn collect(said: &mpsc::Receiver<Said>, finding: &mut Finding) {
    let deadline = Instant::now() + PATIENCE;
    // The domain's own document is looked for in two places.
    let mut waiting = vec![
        Origin::MailExchanger,
        Origin::Srv,
        Origin::Autoconfig,
        Origin::Autoconfig,
        Origin::Database,
        Origin::Guess,
    ];
    while !waiting.is_empty() {
        let left = deadline.saturating_duration_since(Instant::now());
        let said = match said.recv_timeout(left) {
            Ok(said) => said,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
        };
        if let Some(place) = waiting.iter().position(|it| Some(*it) == said.source) {
            waiting.remove(place);
        }
        finding.add(said.finding);
        let encrypted = finding
            .servers
            .iter()
            .filter(|it| it.security != Security::Clear);
        let best = encrypted.map(|it| it.origin).min();
        let no_pop = finding.no_pop.as_ref().map(|_| Origin::MailExchanger);
        let best = [best, no_pop].into_iter().flatten().min();
        if best.is_some_and(|best| waiting.iter().all(|it| *it >= best)) {
            return;
        }
    }
}

impl Finding {
    fn add(&mut self, other: Self) {
        self.provider = self.provider.or(other.provider);
        self.servers.extend(other.servers);
        for (candidate, dead) in other.dead {
            let known = self.dead.iter().map(|(it, _)| it).chain(&self.servers);
            if !known.into_iter().any(|it| it.is_at(&candidate)) {
                self.dead.push((candidate, dead));
            }
        }
        self.imap = self.imap.take().or(other.imap);
        self.no_pop = self.no_pop.take().or(other.no_pop);
        self.declined |= other.declined;
        self.without_dns |= other.without_dns;
    }
}

/// What the table knows, tried.
fn of_known(known: table::Known, means: &Means) -> Finding {
    let mut candidates = known.servers;
    // Where the table knows of no encryption there may be some by now.
    let better: Vec<_> = candidates
        .iter()
        .filter(|it| it.security == Security::Clear)
        .map(|it| Candidate {
            port: it.protocol.tls_port(),
            security: Security::Implicit,
            ..it.clone()
        })
        .collect();
    candidates.splice(0..0, better);
    let mut finding = tried(candidates, means);
    finding.servers.sort_by_key(Candidate::rank);
    finding.provider = Some(known.name);
    finding.imap = known.imap;
    finding
}

/// That a provider has no server to connect to: by no protocol at all, or by POP3 where that is wanted.
fn refused(
    host: &str,
    protocol: Protocol,
    known: Option<&table::Known>,
) -> Option<providers::NoPop> {
    let is_there = protocol == Protocol::Imap && known.is_some_and(|it| !it.servers.is_empty());
    providers::check(host).err().filter(|_| !is_there)
}

fn of_exchanger(address: &Address, resolver: &Resolver, means: &Means) -> Finding {
    let Ok(exchangers) = resolver.mx(address.domain()) else {
        return Finding {
            without_dns: true,
            ..Finding::default()
        };
    };
    for host in &exchangers {
        let known = table::of_exchanger(host, address, means.protocol);
        if let Some(no_pop) = refused(host, means.protocol, known.as_ref()) {
            return Finding {
                no_pop: Some(no_pop),
                imap: known.and_then(|it| it.imap),
                ..Finding::default()
            };
        }
        if let Some(known) = known {
            return of_known(known, means);
        }
    }
    Finding::default()
}

/// RFC 6186: the server may be in any domain, which a person must be shown.
fn of_srv(address: &Address, resolver: &Resolver, means: &Means) -> Finding {
    let domain = address.domain();
    let ask = |service: &str| resolver.srv(&format!("{service}.{domain}"));
    let ask = &ask;
    let services: &[&str] = match means.protocol {
        Protocol::Pop => &["_pop3s._tcp", "_pop3._tcp", "_imaps._tcp"],
        Protocol::Imap => &["_imaps._tcp", "_imap._tcp"],
    };
    let asked = services.iter().map(|service| move || ask(service));
    let mut answers = threads::all(asked.collect()).into_iter();
    let [over_tls, in_clear, imap] =
        [(); 3].map(|()| answers.next().unwrap_or(Err(dns::Silence::NoAnswer)));
    let without_dns = over_tls.is_err() && in_clear.is_err();
    let (over_tls, in_clear) = (over_tls.unwrap_or_default(), in_clear.unwrap_or_default());
    let none = |records: &[dns::Srv]| records.iter().any(|it| it.host.is_empty());
    let declined = none(&over_tls) && none(&in_clear);
    let over_tls = over_tls.into_iter().map(|it| (it, Security::Implicit));
    let in_clear = in_clear.into_iter().map(|it| (it, Security::StartTls));
    let candidates = over_tls.chain(in_clear).filter_map(|(srv, security)| {
        let at = (srv.host.as_str(), srv.port, security);
        Candidate::new(address, means.protocol, at, WHOLE, Origin::Srv)
    });
    let imap = imap
        .unwrap_or_default()
        .into_iter()
        .find(|it| !it.host.is_empty());
    Finding {
        imap: imap.map(|it| it.host),
        declined,
        without_dns,
        ..tried(candidates.collect(), means)
    }
}

fn of_document(url: &str, address: &Address, origin: Origin, means: &Means) -> Finding {
    let Some(named) = autoconfig::fetch(url, address, means.protocol, origin, &means.stop) else {
        return Finding::default();
    };
    Finding {
        imap: named.imap,
        ..tried(named.servers, means)
    }
}

/// Servers of usual names. What answers in clear alone is no find: anybody could.
fn of_guesses(address: &Address, means: &Means) -> Finding {
    let protocol = means.protocol;
    let names: &[&str] = match protocol {
        Protocol::Pop => &["pop", "mail", "pop3"],
        Protocol::Imap => &["imap", "mail"],
    };
    let candidates = names.iter().flat_map(|name| {
        let host = format!("{name}.{}", address.domain());
        let ways = [
            (protocol.tls_port(), Security::Implicit),
            (protocol.plain_port(), Security::StartTls),
        ];
        ways.map(|(port, security)| {
            let at = (host.as_str(), port, security);
            Candidate::new(address, protocol, at, WHOLE, Origin::Guess)
        })
    });
    let candidates = candidates.flatten().collect();
    // Whoever looks for IMAP has these among the candidates.
    let beside: &[&str] = match protocol {
        Protocol::Pop => &["imap", "mail"],
        Protocol::Imap => &[],
    };
    let imap = beside.iter().map(|name| {
        let (host, means) = (format!("{name}.{}", address.domain()), means.clone());
        let ask: Box<dyn FnOnce() -> _ + Send> =
            Box::new(move || probe::imap(&host, &means).then_some(host));
        threads::detach(ask)
    });
    let imap = imap.collect::<Vec<_>>();
    let mut finding = tried(candidates, means);
    finding.imap = imap
        .into_iter()
        .filter_map(|it| match it {
            Ok(thread) => thread.join().ok().flatten().flatten(),
            Err(here) => here.and_then(|ask| ask()),
        })
        .next();
    // What is not there was a guess, and is nobody's fault.
    finding.dead.retain(|(_, dead)| dead.is_about_trust());
    finding
}

/// Tries servers, all hosts at once, until none of those that are left could be better. At one host the
/// next one goes when the one before has ended or has had its head start.
fn tried(mut candidates: Vec<Candidate>, means: &Means) -> Finding {
    candidates.truncate(OF_A_SOURCE);
    let (sender, answers) = mpsc::channel();
    let mut waiting: Vec<(usize, Candidate)> = candidates.into_iter().enumerate().collect();
    let wanted = Wanted::default();
    // Nobody begins before all have drawn.
    let drawn = waiting.clone().into_iter();
    let drawn: Vec<_> = drawn.map(|it| (means.turns.draw(&it.1.host), it)).collect();
    for (mut ticket, (place, candidate)) in drawn {
        let (sender, means, wanted) = (sender.clone(), means.clone(), wanted.clone());
        let started = threads::detach(move || {
            if ticket.wait(&[&means.wanted, &wanted]) {
                let tried = probe::server(candidate, &means);
                // Who hears of it first must find the host free.
                drop(ticket);
                // The search may be over.
                let _ = sender.send((place, tried));
            }
        });
        if let Err(Some(here)) = started {
            here();
        }
    }
    drop(sender);
    let (mut servers, mut dead) = (Vec::new(), Vec::new());
    while let Ok((place, tried)) = answers.recv() {
        waiting.retain(|(it, _)| *it != place);
        match tried {
            Ok(server) => {
                // A port that greets in one way greets in no other.
                waiting.retain(|(_, it)| !it.is_at(&server));
                servers.push((place, server));
            }
            Err((candidate, why)) => {
                if why.is_about_trust() {
                    waiting.retain(|(_, it)| !it.is_at(&candidate));
                }
                dead.push((why.rank(), place, (candidate, why)));
            }
        }
        let encrypted = servers
            .iter()
            .filter(|(_, it)| it.security != Security::Clear);
        let best = encrypted.map(|(place, it)| (it.rank(), *place)).min();
        let could_be = |(place, it): &(usize, Candidate)| (it.rank_at_best(), *place);
        if waiting.is_empty()
            || best.is_some_and(|best| waiting.iter().all(|it| could_be(it) > best))
        {
            break;
        }
    }
    wanted.end();
    servers.sort_by_key(|(place, _)| *place);
    // Not in the order in which they ended, which is another one each time.
    dead.sort_by_key(|(rank, place, _)| (*rank, *place));
    let mut finding = Finding {
        servers: servers.into_iter().map(|(_, server)| server).collect(),
        ..Finding::default()
    };
    finding.add(Finding {
        dead: dead.into_iter().map(|(_, _, it)| it).collect(),
        ..Finding::default()
    });
    finding
}
