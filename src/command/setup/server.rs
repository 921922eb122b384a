//! Which server: what is found is shown, and where nothing is, it is named by hand.

use crate::command::ask::Asker;
use crate::command::fail::Failure;
use crate::discover::{self, Address, Candidate, Dead, Finding, Origin};
use crate::exit::Status;
use crate::net::tls::TlsPolicy;
use crate::profile::draft::Security;
use crate::term::count;
use std::io;

/// Finds the server, or has it named.
pub(super) fn choose(
    asker: &Asker,
    address: &Address,
    named: Option<&str>,
    policy: &TlsPolicy,
) -> Result<Vec<Candidate>, Failure> {
    let finding = match named {
        Some(named) => by_hand(address, named, policy).map_err(|wrong| usage(&wrong))?,
        None => {
            let domain = address.domain();
            asker.say(&format!("Looking for the mail server of {domain} ..."));
            discover::search(address, policy).map_err(system)?
        }
    };
    if let Some(no_pop) = finding.no_pop {
        return Err(no_pop.into());
    }
    if let Some(server) = accepted(asker, address, &finding)? {
        let others = finding.servers.iter().filter(|it| **it != server);
        let others = others.filter(|it| it.security != Security::Clear).cloned();
        return Ok([server.clone()].into_iter().chain(others).collect());
    }
    let reason = nothing(address, &finding);
    if asker.yes {
        return Err(Failure::new(
            Status::Unavailable,
            reason,
            "if you know the server, name it: --host HOST",
        ));
    }
    asker.say(&reason);
    loop {
        let host = asker.text(
            "The server's name, if you know it (as in pop.example.com)",
            Some("give up"),
            |host| Ok::<_, String>(host.to_owned()),
        )?;
        if host == "give up" {
            return Err(Failure::new(
                Status::Unavailable,
                format!("no POP3 server is known for {}", address.domain()),
                "your provider's help pages name it, under POP3 or \"incoming mail server\"; \
                 nothing has been written",
            ));
        }
        match by_hand(address, &host, policy) {
            Err(wrong) => asker.say(&format!("  {wrong}")),
            Ok(finding) => match accepted(asker, address, &finding)? {
                Some(server) => return Ok(vec![server]),
                None => asker.say(&nothing(address, &finding)),
            },
        }
    }
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
fn nothing(address: &Address, finding: &Finding) -> String {
    let domain = address.domain();
    let mut lines = Vec::new();
    if let Some(Candidate {
        origin: Origin::Hand,
        host,
        ..
    }) = finding.dead.first().map(|(candidate, _)| candidate)
    {
        lines.push(format!("No POP3 server answers at {host}."));
    } else if finding.declined {
        lines.push(format!("{domain} says that it has no POP3."));
    } else if finding.servers.is_empty() {
        lines.push(format!("No POP3 server was found for {domain}."));
    }
    if let Some(provider) = finding.provider {
        lines.push(format!("The provider is {provider}."));
    }
    if let Some(imap) = &finding.imap {
        lines.push(format!(
            "There is an IMAP server, {imap}; popfetch cannot fetch from it yet."
        ));
    }
    for (candidate, dead) in &finding.dead {
        let Candidate { host, port, .. } = candidate;
        let why = match dead {
            Dead::NoSuchHost => "there is no such host".to_owned(),
            Dead::Silent => "it does not answer".to_owned(),
            Dead::NotPop => "what answers is no POP3, or not in this way".to_owned(),
            Dead::Certificate(why) => {
                format!(
                    "it cannot be trusted: {why} (for a server of your own: --tls-roots FILE, or \
                     --tls-roots pinned --tls-pin PIN)"
                )
            }
        };
        lines.push(format!("  {host}:{port}: {why}"));
    }
    if finding.without_dns {
        lines.push("No name server answers: is there a network?".to_owned());
    }
    lines.join("\n")
}

/// Tries HOST or HOST:PORT.
fn by_hand(address: &Address, named: &str, policy: &TlsPolicy) -> Result<Finding, String> {
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
    let finding = discover::try_by_hand(address, host, port, policy);
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
            "Signed in. 1 message ({}) is there.",
            crate::term::size(octets)
        ),
        _ => format!(
            "Signed in. {} ({}) are there.",
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
