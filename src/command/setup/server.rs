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
    let finding = match &typed.arguments.host {
        Some(named) => by_hand(asker, address, named, &policy).map_err(|wrong| usage(&wrong))?,
        None => {
            let domain = address.domain();
            let search = || {
                asker.say(&format!("Looking for the mail server of {domain} ..."));
                discover::search(address, &policy)
            };
            echo::deaf(search).map_err(system)?
        }
    };
    if let Some(no_pop) = finding.no_pop {
        return Err(no_pop.into());
    }
    let mut nothing = match settled(asker, address, &finding, &policy)? {
        Some(chosen) => return Ok(chosen),
        None => Nothing::of(address, &finding, typed),
    };
    if asker.yes {
        return Err(nothing.failure());
    }
    loop {
        nothing.say(asker);
        let host = asker.text(
            "The server's name, if you know it (as in pop.example.com)",
            Some("give up"),
            |host| Ok::<_, String>(host.to_owned()),
        );
        let host = match host {
            Ok(host) if host != "give up" => host,
            // What was said before is the reason, and not that nobody knew an answer.
            _ => return Err(nothing.failure()),
        };
        match by_hand(asker, address, &host, &policy) {
            Err(wrong) => asker.object(&wrong),
            Ok(finding) => match settled(asker, address, &finding, &policy)? {
                Some(chosen) => return Ok(chosen),
                None => nothing = Nothing::of(address, &finding, typed),
            },
        }
    }
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
    let Candidate { host, port, .. } = distrusted.server;
    let again = discover::try_by_hand(address, host, Some(*port), &policy);
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
        server.security,
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
    fn of(address: &Address, finding: &Finding, typed: &Typed<'_>) -> Self {
        let domain = address.domain();
        let by_hand = |it: &&(Candidate, Dead)| it.0.origin == Origin::Hand;
        let named = finding.dead.iter().find(by_hand);
        let offline = finding.without_dns && named.is_none();
        let mut head = Vec::new();
        if let Some((Candidate { host, .. }, _)) = named {
            head.push(format!("No POP3 server can be used at {host}."));
        } else if offline {
            let known = finding.dead.iter().find(|it| it.0.origin == Origin::Table);
            head.push(match known {
                Some((Candidate { host, .. }, _)) => format!(
                    "The POP3 server of {} is {host}, but no name server answers, so that it cannot \
                     be reached.",
                    finding.provider.unwrap_or(domain)
                ),
                None => format!(
                    "No name server answers, so that the mail server of {domain} cannot be looked for."
                ),
            });
        } else if finding.declined {
            head.push(format!("{domain} says that it has no POP3."));
        } else if let Some(server) = finding.servers.first() {
            head.push(format!("{} is not used unless you agree.", server.host));
        } else {
            head.push(format!("No POP3 server was found for {domain}."));
        }
        if let Some(provider) = finding.provider.filter(|_| !offline) {
            head.push(format!("The provider is {provider}."));
        }
        if let Some(imap) = &finding.imap {
            head.push(format!(
                "There is an IMAP server, {imap}: an account with protocol = \"imap\" in the config file, \
                 written by hand, fetches its inbox (popfetch man popfetch.toml)."
            ));
        }
        let tried = finding.dead.iter().filter(|_| !offline);
        let line = |(server, dead): &(Candidate, Dead)| {
            format!("{}:{}: {}", server.host, server.port, why(dead))
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
                "check the name and the port: your provider's help pages have them, under \
                 POP3 or \"incoming mail server\""
                    .to_owned()
            }
            (None, Some((server, _))) => format!(
                "if that is your server, name it, to see its key:\n\n    {}",
                typed.again(|it| it.host = Some(format!("{}:{}", server.host, server.port)))
            ),
            (None, None) => {
                "if you know the server, name it: --host HOST; your provider's help pages \
                 have it, under POP3 or \"incoming mail server\""
                    .to_owned()
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
fn why(dead: &Dead) -> String {
    let error = match dead {
        Dead::NotPop => return "what answers is no POP3, or not in this way".to_owned(),
        Dead::NoStls => return "it takes no STLS, and so no encryption".to_owned(),
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
        Error::NotTls { .. } => "what answers is no POP3, or not in this way".to_owned(),
        Error::Closed | Error::Io(_) | Error::Handshake(_) => {
            "it closes the connection, or does not speak POP3".to_owned()
        }
        _ => "it does not answer".to_owned(),
    }
}

/// Tries HOST or HOST:PORT.
fn by_hand(
    asker: &Asker,
    address: &Address,
    named: &str,
    policy: &TlsPolicy,
) -> Result<Finding, String> {
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
    let finding = echo::deaf(|| {
        asker.say(&format!("Trying {named} ..."));
        discover::try_by_hand(address, host, port, policy)
    });
    let finding = finding.map_err(|error| error.to_string())?;
    match finding.servers.is_empty() && finding.dead.is_empty() {
        true => Err(format!("{named} is no host name")),
        false => Ok(finding),
    }
}

/// What waits, in words.
pub(super) fn waits(messages: u64, octets: u64) -> String {
    match messages {
        0 => "Signed in. No mail is there.".to_owned(),
        1 => format!(
            "Signed in. 1 message ({}, as the server counts) is there.",
            crate::term::size(octets)
        ),
        _ => format!(
            "Signed in. {} ({}, as the server counts) are there.",
            count(messages, "message"),
            crate::term::size(octets)
        ),
    }
}

fn usage(wrong: &str) -> Failure {
    Failure::new(
        Status::Usage,
        format!("--host: {wrong}"),
        "give a name such as pop.example.com, or pop.example.com:995",
    )
}

fn system(error: io::Error) -> Failure {
    Failure::new(
        Status::Internal,
        format!("cannot look for a server: {error}"),
        "try again, or name the server: --host HOST",
    )
}
