//! Which server: what is found is shown, and where nothing is, it is named by hand.

use super::trust::Distrusted;
use super::typed::Typed;
use crate::command::ask::Asker;
use crate::command::fail::Failure;
use crate::discover::{self, Address, Candidate, Dead, Finding, Origin};
use crate::exit::Status;
use crate::net::Error;
use crate::net::tls::TlsPolicy;
use crate::profile::draft::Security;
use crate::profile::providers::NoPop;
use crate::server::Protocol;
use crate::stop::echo;
use crate::term::count;
use std::io;

/// A server, and whom to trust there.
pub(super) struct Chosen {
    pub(super) server: Candidate,
    pub(super) policy: TlsPolicy,
}

/// Finds the server, or has it named.
pub(super) fn choose(
    asker: &Asker,
    address: &Address,
    typed: &Typed<'_>,
    policy: TlsPolicy,
) -> Result<Chosen, Failure> {
    let protocol = typed.arguments.protocol.unwrap_or_default();
    let (finding, protocol) = match &typed.arguments.host {
        Some(named) => by_hand(asker, address, named, typed, &policy)
            .map_err(|wrong| usage(&wrong, protocol))?,
        None => {
            let domain = address.domain();
            let search = || {
                asker.say(&format!("Looking for the mail server of {domain} ..."));
                discover::search(address, protocol, &policy)
            };
            let finding = echo::deaf(search).map_err(system)?;
            let by_imap = match typed.arguments.protocol {
                None if may_have_imap_alone(&finding) => imap_alone(asker, address, &policy)?,
                _ => None,
            };
            by_imap.map_or((finding, protocol), |it| (it, Protocol::Imap))
        }
    };
    if let Some(no_pop) = &finding.no_pop {
        return Err(nobody(no_pop, &finding, protocol, typed));
    }
    let example = protocol.example();
    let mut nothing = match settled(asker, address, &finding, &policy)? {
        Some(chosen) => return Ok(chosen),
        None => Nothing::of(address, &finding, protocol, typed),
    };
    if asker.yes {
        return Err(nothing.failure());
    }
    loop {
        nothing.say(asker);
        let host = asker.text(
            &format!("The server's name, if you know it (as in {example})"),
            Some("give up"),
            |host| Ok::<_, String>(host.to_owned()),
        );
        let host = match host {
            Ok(host) if host != "give up" => host,
            // What was said before is the reason, and not that nobody knew an answer.
            _ => return Err(nothing.failure()),
        };
        match by_hand(asker, address, &host, typed, &policy) {
            Err(wrong) => asker.object(&wrong),
            Ok((finding, protocol)) => match settled(asker, address, &finding, &policy)? {
                Some(chosen) => return Ok(chosen),
                None => nothing = Nothing::of(address, &finding, protocol, typed),
            },
        }
    }
}

/// Whether nothing stands in POP3's place there: no server, and none that is merely not trusted.
fn may_have_imap_alone(finding: &Finding) -> bool {
    let is_named = finding.imap.is_some() || finding.no_pop.is_some();
    is_named && !is_there(finding) && !finding.without_dns
}

/// What there is by IMAP, where there is a server.
fn imap_alone(
    asker: &Asker,
    address: &Address,
    policy: &TlsPolicy,
) -> Result<Option<Finding>, Failure> {
    let search = || discover::search(address, Protocol::Imap, policy);
    let finding = echo::deaf(search).map_err(system)?;
    // Of a provider that has IMAP alone, what is wrong there is what there is to say.
    let is_known = finding.dead.iter().any(|it| it.0.origin == Origin::Table);
    if finding.servers.is_empty() && !is_known {
        return Ok(None);
    }
    if !finding.servers.is_empty() {
        asker.say(BY_IMAP);
    }
    Ok(Some(finding))
}

const BY_IMAP: &str = "There is no POP3 server that answers, but IMAP: the account will use that.";

/// That a provider has no server to connect to, and what to type instead.
fn nobody(no_pop: &NoPop, finding: &Finding, protocol: Protocol, typed: &Typed<'_>) -> Failure {
    let name = no_pop.name();
    let again = match (no_pop.bridge(), &finding.imap) {
        (Some(bridge), _) => Some(Some(bridge.to_owned())),
        (None, Some(_)) => Some(None),
        (None, None) => None,
    };
    let line = again.map(|host| {
        typed.again(|it| {
            it.protocol = Some(Protocol::Imap);
            it.host = host;
        })
    });
    let hint = match line {
        Some(line) => format!("{}:\n\n    {line}", no_pop.way()),
        None => no_pop.way().to_owned(),
    };
    let text = format!(
        "{name} has no {}: there is nothing to connect to",
        protocol.name()
    );
    Failure::new(Status::Unavailable, text, hint)
}

/// A server of these, if there is one and the person agrees.
fn settled(
    asker: &Asker,
    address: &Address,
    finding: &Finding,
    policy: &TlsPolicy,
) -> Result<Option<Chosen>, Failure> {
    let Some(distrusted) = Distrusted::of(finding) else {
        let policy = policy.clone();
        let server = accepted(asker, address, finding)?;
        return Ok(server.map(|server| Chosen { server, policy }));
    };
    // Without encryption it is worth even less. An answer that does not come is no agreement.
    let asked = (!asker.yes).then(|| distrusted.ask(asker));
    let Some(Ok(Some(policy))) = asked else {
        return Ok(None);
    };
    let Candidate {
        host,
        port,
        protocol,
        ..
    } = distrusted.server;
    let again = discover::try_by_hand(address, host, Some(*port), *protocol, &policy);
    let server = accepted(asker, address, &again.map_err(system)?)?;
    Ok(server.map(|server| Chosen { server, policy }))
}

/// The best server, if the person agrees where that has to be asked.
fn accepted(
    asker: &Asker,
    address: &Address,
    finding: &Finding,
) -> Result<Option<Candidate>, Failure> {
    let Some(server) = finding.servers.first() else {
        return Ok(None);
    };
    let found = format!(
        "Found {}, port {}, with {}; {}.",
        server.host,
        server.port,
        server.protection(),
        match (server.origin, finding.provider) {
            (Origin::Table | Origin::MailExchanger, Some(name)) =>
                format!("{} ({name})", server.origin),
            (origin, _) => origin.to_string(),
        }
    );
    asker.say(&found);
    if server.security == Security::Clear {
        asker.say(
            "It offers no encryption: your password and your mail could be read, and changed, by \
             anybody on the way.",
        );
        // Asked twice, and never taken for granted.
        let sure = !asker.yes
            && asker.agree("Use it all the same?", false)?
            && asker.agree("Send the password without encryption: are you sure?", false)?;
        return Ok(sure.then(|| server.clone()));
    }
    if !server.origin.is_secure() && !address.owns(&server.host) {
        asker.say(&format!(
            "It is in another domain than {}, and nothing but DNS, which can be forged, says so.",
            address.domain()
        ));
        let known = !asker.yes && asker.agree("Is it your provider's?", false)?;
        return Ok(known.then(|| server.clone()));
    }
    Ok(Some(server.clone()))
}

/// Why there is no server.
struct Nothing {
    status: Status,
    head: Vec<String>,
    tried: Vec<String>,
    hint: String,
    /// One that was named and is not trusted.
    distrusted: Option<Failure>,
}

impl Nothing {
    fn of(address: &Address, finding: &Finding, protocol: Protocol, typed: &Typed<'_>) -> Self {
        let speech = protocol.name();
        let domain = address.domain();
        let by_hand = |it: &&(Candidate, Dead)| it.0.origin == Origin::Hand;
        let named = finding.dead.iter().find(by_hand);
        let offline = finding.without_dns && named.is_none();
        let mut head = Vec::new();
        if let Some((Candidate { host, .. }, _)) = named {
            head.push(format!("No {speech} server can be used at {host}."));
        } else if offline {
            let known = finding.dead.iter().find(|it| it.0.origin == Origin::Table);
            head.push(match known {
                Some((Candidate { host, .. }, _)) => format!(
                    "The {speech} server of {} is {host}, but no name server answers, so that it cannot \
                     be reached.",
                    finding.provider.unwrap_or(domain)
                ),
                None => format!(
                    "No name server answers, so that the mail server of {domain} cannot be looked for."
                ),
            });
        } else if finding.declined {
            head.push(format!("{domain} says that it has no {speech}."));
        } else if let Some(server) = finding.servers.first() {
            head.push(format!("{} is not used unless you agree.", server.host));
        } else {
            head.push(format!("No {speech} server was found for {domain}."));
        }
        if let Some(provider) = finding.provider.filter(|_| !offline) {
            head.push(format!("The provider is {provider}."));
        }
        let imap = finding.imap.as_ref().filter(|_| protocol == Protocol::Pop);
        if let Some(imap) = imap {
            head.push(format!(
                "There is an IMAP server, {imap}: --protocol imap uses it."
            ));
        }
        let tried = finding.dead.iter().filter(|_| !offline);
        let line = |(server, dead): &(Candidate, Dead)| {
            let why = why(server.protocol, dead);
            format!("{}:{}: {why}", server.host, server.port)
        };
        // One that DNS alone leads to may be anybody's, and is not recommended.
        let mistrusted = finding.dead.iter().find(|(server, dead)| {
            let is_theirs = server.origin.is_secure() || address.owns(&server.host);
            is_theirs && dead.distrust().is_some()
        });
        let found = finding.servers.first();
        let in_clear = found.is_some_and(|it| it.security == Security::Clear);
        let hint = match (named, mistrusted) {
            _ if offline => "is there a network? Run the same command again then".to_owned(),
            _ if in_clear => "leave out --yes and --print, to be asked".to_owned(),
            (Some(_), _) => {
                format!(
                    "check the name and the port: your provider's help pages have them, under \
                     {speech} or \"incoming mail server\""
                )
            }
            (None, Some((server, _))) => format!(
                "if that is your server, name it, to see its key:\n\n    {}",
                typed.at(server, |_| ())
            ),
            (None, None) => {
                format!(
                    "if you know the server, name it: --host HOST; your provider's help pages \
                     have it, under {speech} or \"incoming mail server\""
                )
            }
        };
        Self {
            status: if offline {
                Status::Temporary
            } else {
                Status::Unavailable
            },
            head,
            tried: tried.map(line).collect(),
            hint,
            distrusted: Distrusted::of(finding).map(|it| it.failure(typed)),
        }
    }

    /// Tells it, unless a question has told it already.
    fn say(&self, asker: &Asker) {
        if self.distrusted.is_none() {
            asker.say(&self.head.join("\n"));
            asker.list(&self.tried);
        }
    }

    fn failure(self) -> Failure {
        let lines = [self.head, self.tried].concat();
        let failure = Failure::new(self.status, lines.join("\n"), self.hint);
        self.distrusted.unwrap_or(failure)
    }
}

/// What is wrong with a server.
fn why(protocol: Protocol, dead: &Dead) -> String {
    let speech = protocol.name();
    let other = || format!("what answers is no {speech}, or not in this way");
    let error = match dead {
        Dead::OtherSpeech => return other(),
        Dead::NoStartTls => {
            let command = match protocol {
                Protocol::Pop => "STLS",
                Protocol::Imap => "STARTTLS",
            };
            return format!("it takes no {command}, and so no encryption");
        }
        Dead::Net(error) => error.as_ref(),
    };
    match error {
        Error::NoSuchHost { .. } => "there is no such host".to_owned(),
        Error::Lookup { .. } => "its name cannot be looked up: is there a network?".to_owned(),
        Error::Connect { source, .. } => match source.kind() {
            io::ErrorKind::ConnectionRefused => {
                "it refuses the connection: nothing listens on this port".to_owned()
            }
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
                "there is no way to it: is there a network?".to_owned()
            }
            _ => "it does not answer".to_owned(),
        },
        Error::Certificate { reason, .. } => format!("its certificate is not trusted: {reason}"),
        Error::OldTls { versions, .. } => format!("it offers {versions}"),
        Error::NotTls {
            speech: Some(speech),
            ..
        } => format!("it is {}", speech.speaker()),
        Error::NotTls { .. } => other(),
        Error::Closed | Error::Io(_) | Error::Handshake(_) => {
            format!("it closes the connection, or does not speak {speech}")
        }
        _ => "it does not answer".to_owned(),
    }
}

/// Tries HOST or HOST:PORT, for IMAP where no POP3 is there and nobody has said which.
fn by_hand(
    asker: &Asker,
    address: &Address,
    named: &str,
    typed: &Typed<'_>,
    policy: &TlsPolicy,
) -> Result<(Finding, Protocol), String> {
    let protocol = typed.arguments.protocol;
    let (host, port) = match named.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => {
            let port = port.parse().ok().filter(|port| *port != 0);
            (
                host,
                Some(port.ok_or("a port is a number from 1 to 65535")?),
            )
        }
        _ => (named, None),
    };
    let ask = |protocol| discover::try_by_hand(address, host, port, protocol, policy);
    let found = echo::deaf(|| {
        asker.say(&format!("Trying {named} ..."));
        let first = protocol.unwrap_or_default();
        let finding = ask(first)?;
        if protocol.is_none() && !is_there(&finding) {
            let by_imap = ask(Protocol::Imap)?;
            if is_there(&by_imap) {
                asker.say(BY_IMAP);
                return Ok((by_imap, Protocol::Imap));
            }
        }
        Ok::<_, io::Error>((finding, first))
    });
    let (finding, protocol) = found.map_err(|error| error.to_string())?;
    match finding.servers.is_empty() && finding.dead.is_empty() {
        true => Err(format!("{named} is no host name")),
        false => Ok((finding, protocol)),
    }
}

/// Whether a server is there, be it one that is not trusted.
fn is_there(finding: &Finding) -> bool {
    !finding.servers.is_empty() || finding.dead.iter().any(|it| it.1.distrust().is_some())
}

/// What waits, in words.
pub(super) fn waits(protocol: Protocol, messages: u64, octets: u64) -> String {
    let place = match protocol.has_folders() {
        // The others are not looked at.
        true => "in the inbox",
        false => "there",
    };
    let are = match messages {
        0 => return format!("Signed in. No mail is {place}."),
        1 => "is",
        _ => "are",
    };
    format!(
        "Signed in. {} ({}, as the server counts) {are} {place}.",
        count(messages, "message"),
        crate::term::size(octets)
    )
}

fn usage(wrong: &str, protocol: Protocol) -> Failure {
    let (host, port) = (protocol.example(), protocol.tls_port());
    Failure::new(
        Status::Usage,
        format!("--host: {wrong}"),
        format!("give a name such as {host}, or {host}:{port}"),
    )
}

fn system(error: io::Error) -> Failure {
    Failure::new(
        Status::Internal,
        format!("cannot look for a server: {error}"),
        "try again, or name the server: --host HOST",
    )
}
