//! What is at the other end: the name, its addresses, TLS, what the server can and what it lists.

use super::finding::{Check, Finding};
use crate::exit::Diagnose;
use crate::fetch::{Account, Look, examine, postponed};
use crate::moment::Moment;
use crate::net::dial::Addresses;
use crate::net::facts::{Certificate, TlsFacts};
use crate::net::{self, Facts};
use crate::profile::{Keep, Profile, Proxy, Tls};
use crate::report::{Event, Report};
use crate::server::Protocol;
use crate::stop::Stop;
use crate::term::{count, size, without_numbers};
use serde_json::json;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// A certificate that ends within so many days is worth a word: those that are renewed by a program are
/// renewed a month before.
const SOON: i64 = 14;

/// So many folders are named of those that an account has chosen.
const FOLDERS: usize = 12;

const A_DAY: i64 = 24 * 60 * 60;

/// What sessions have shown on their way, account by account.
pub(super) struct Heard {
    report: Arc<dyn Report>,
    accounts: Mutex<HashMap<String, OfAccount>>,
}

#[derive(Default)]
struct OfAccount {
    connection: Option<Facts>,
    /// Before the sign-in.
    announced: Vec<String>,
    expire: Option<u32>,
    method: Option<String>,
}

impl Heard {
    pub(super) fn new(report: Arc<dyn Report>) -> Self {
        Self {
            report,
            accounts: Mutex::default(),
        }
    }

    fn take(&self, name: &str) -> OfAccount {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.remove(name).unwrap_or_default()
    }
}

impl Report for Heard {
    fn report(&self, name: &str, event: Event<'_>) {
        if let Event::Opened { .. } | Event::SignedIn { .. } = event {
            let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
            let account = accounts.entry(name.to_owned()).or_default();
            match &event {
                Event::Opened {
                    connection,
                    announced,
                    expire,
                } => {
                    account.connection = Some(connection());
                    account.announced = announced();
                    account.expire = *expire;
                }
                Event::SignedIn { method } => account.method = Some(method.to_string()),
                _ => {}
            }
        }
        self.report.report(name, event);
    }
}

/// What was found, and what waits: messages and their octets.
pub(super) struct Examined {
    pub(super) findings: Vec<Finding>,
    pub(super) waiting: Option<(u64, u64)>,
}

/// Signs in and out, and looks at everything on the way.
pub(super) fn look(account: &Account<'_>, heard: &Heard) -> Examined {
    let (profile, stop) = (account.profile, &account.environment.stop);
    let mut findings = Vec::new();
    // A name service may take its time, and somebody looks on.
    let event = Event::Connecting {
        host: &profile.server.host,
        port: profile.server.port,
    };
    account.environment.report.report(&profile.name, event);
    if let Some(error) = postponed(account) {
        let text = format!("a fetch by a timer is not tried: {error}");
        findings.push(Finding::warn(
            Check::Wait,
            text,
            error.hint().unwrap_or_default(),
        ));
    }
    let addresses = match look_up(profile, stop, &mut findings) {
        Ok(addresses) => addresses,
        Err(error) => {
            findings.push(Finding::fail(Check::Name, &error));
            return Examined {
                findings,
                waiting: None,
            };
        }
    };
    let examined = examine(account, |look| {
        let seen = heard.take(&profile.name);
        // Whoever wants it to end waits for no others.
        let addresses = addresses.filter(|_| stop.requested().is_none());
        if let Some(addresses) = &addresses {
            let peer = seen.connection.as_ref().and_then(|it| it.peer);
            try_addresses(addresses, peer, profile, stop, &mut findings);
        }
        look_at_connection(profile, &seen, &mut findings);
        let waiting = match look {
            Ok(look) => Some(look_within(look, &seen, profile, &mut findings)),
            Err(error) => {
                findings.push(failed(&seen, &error));
                None
            }
        };
        Examined { findings, waiting }
    });
    examined.unwrap_or_else(|error| Examined {
        findings: vec![Finding::fail(Check::Connection, &error)],
        waiting: None,
    })
}

/// Where it has come to an end.
fn failed(seen: &OfAccount, error: &dyn Diagnose) -> Finding {
    let check = match (&seen.connection, &seen.method) {
        (None, _) => Check::Connection,
        (_, None) => Check::SignIn,
        _ => Check::Listing,
    };
    Finding::fail(check, error)
}

/// The host's addresses, where it is connected to directly.
fn look_up(
    profile: &Profile,
    stop: &Stop,
    findings: &mut Vec<Finding>,
) -> Result<Option<Addresses>, net::Error> {
    let (host, port) = (&profile.server.host, profile.server.port);
    let through = match &profile.way.proxy {
        None => None,
        Some(Proxy::Server(server)) => Some(format!("{host} is reached through {server}")),
        Some(Proxy::Command(_)) => Some(format!("{host} is reached through `proxy-command`")),
    };
    if let Some(text) = through {
        findings.push(Finding::ok(Check::Name, text));
        return Ok(None);
    }
    let found = Addresses::look_up(host, port, profile.way.source_address, stop)?;
    let addresses: Vec<String> = found.all().iter().map(|it| it.ip().to_string()).collect();
    let number = count_addresses(addresses.len());
    let name = Finding::ok(Check::Name, format!("{host} has {number}"));
    findings.push(name.with("addresses", json!(addresses)));
    Ok(Some(found))
}

fn count_addresses(number: usize) -> String {
    match number {
        1 => "1 address".to_owned(),
        _ => format!("{number} addresses"),
    }
}

/// Those that the session did not take are tried as well.
fn try_addresses(
    addresses: &Addresses,
    peer: Option<SocketAddr>,
    profile: &Profile,
    stop: &Stop,
    findings: &mut Vec<Finding>,
) {
    let others = addresses.all().iter().filter(|it| Some(**it) != peer);
    let others: Vec<SocketAddr> = others.copied().collect();
    let mut tried = others
        .iter()
        .zip(addresses.try_each(&others, profile.timeout, stop));
    for address in addresses.all() {
        let answer = match Some(*address) == peer {
            true => Ok(()),
            false => tried.next().map_or(Ok(()), |(_, answer)| answer),
        };
        let found = match answer {
            Ok(()) => Finding::ok(Check::Address, format!("{address} answers")),
            Err(error) => Finding::warn(
                Check::Address,
                format!("{address} does not answer: {}", reason(&error)),
                match peer {
                    Some(_) => "others are taken instead, a quarter of a second later",
                    None => "check the network, and `host` and `port` in the configuration",
                },
            ),
        };
        findings.push(found.with("address", address.to_string()));
    }
}

/// What the system says, without its number.
fn reason(error: &std::io::Error) -> String {
    without_numbers(&error.to_string())
}

fn look_at_connection(profile: &Profile, seen: &OfAccount, findings: &mut Vec<Finding>) {
    let Some(connection) = &seen.connection else {
        return;
    };
    match &connection.tls {
        Some(tls) => look_at_tls(tls, way_to_tls(profile), findings),
        None => findings.push(Finding::warn(
            Check::Tls,
            "the connection is not encrypted",
            format!(
                "set tls = \"implicit\" (port {}) or \"starttls\" where the server can",
                profile.server.protocol.tls_port()
            ),
        )),
    }
    let before = &seen.announced;
    findings.push(capabilities(Check::Capa, "before the sign-in", before));
    if let Some(method) = &seen.method {
        let found = Finding::ok(Check::SignIn, format!("signed in by {method}"));
        findings.push(found.with("method", method.clone()));
    }
}

/// By which command it came to TLS, if by one.
fn way_to_tls(profile: &Profile) -> &'static str {
    match (&profile.tls, profile.server.protocol) {
        (Tls::StartTls(_), Protocol::Pop) => " after STLS",
        (Tls::StartTls(_), Protocol::Imap) => " after STARTTLS",
        _ => "",
    }
}

fn look_at_tls(tls: &TlsFacts, how: &str, findings: &mut Vec<Finding>) {
    let version = Finding::ok(Check::Tls, format!("{}{how}", tls.version));
    findings.push(version.with("version", tls.version));
    if let Some(own) = tls.chain.first() {
        findings.push(look_at_chain(own, &tls.chain));
        findings.push(look_at_expiry(own, Moment::now().now));
    }
    if let Some(pin) = &tls.pin {
        let line = Finding::line(Check::Pin, format!("tls-pin = \"{pin}\""));
        findings.push(line.with("pin", pin.to_string()));
    }
}

fn look_at_chain(own: &Certificate, chain: &[Certificate]) -> Finding {
    let issuers: Vec<&str> = chain.iter().map(|it| it.issuer.as_str()).collect();
    let names = match own.names.as_str() {
        "" => own.subject.clone(),
        names => names.to_owned(),
    };
    let text = format!("for {names}, signed by {}", issuers.join(", by "));
    let shown = chain.iter().map(|it| json!([it.subject, it.issuer]));
    Finding::ok(Check::Chain, text).with("chain", shown.collect::<Vec<_>>())
}

fn look_at_expiry(own: &Certificate, now: i64) -> Finding {
    let days = own.not_after.saturating_sub(now).div_euclid(A_DAY);
    let date = Moment::day(own.not_after);
    let text = format!("the certificate is valid until {date}, {}", left(days));
    let found = match days < SOON {
        true => Finding::warn(
            Check::Expiry,
            text,
            "whoever runs the server must renew it soon",
        ),
        false => Finding::ok(Check::Expiry, text),
    };
    found.with("days", days)
}

fn left(days: i64) -> String {
    match days {
        ..0 => "which is over".to_owned(),
        0 => "today".to_owned(),
        1 => "1 day".to_owned(),
        _ => format!("{days} days"),
    }
}

fn capabilities(check: Check, when: &str, announced: &[String]) -> Finding {
    let text = match announced {
        [] => format!("{when}: the server does not say what it can do"),
        lines => format!("{when}: {}", lines.join(", ")),
    };
    Finding::ok(check, text).with("capabilities", json!(announced))
}

/// A maildrop that is open; ends the session.
fn look_within(
    mut look: Look,
    seen: &OfAccount,
    profile: &Profile,
    findings: &mut Vec<Finding>,
) -> (u64, u64) {
    let after = look.session.traits();
    let announced = look.session.announced();
    findings.push(match announced == seen.announced {
        true => Finding::ok(Check::CapaAfter, "after the sign-in: the same")
            .with("capabilities", json!(announced)),
        false => capabilities(Check::CapaAfter, "after the sign-in", &announced),
    });
    let octets = look.maildrop.total_octets();
    let messages = look.maildrop.len() as u64;
    let new = look.plan.coming().count() as u64;
    let text = format!(
        "{} ({}) in {}, {new} new",
        count(messages, "message"),
        size(octets),
        place_of(&look)
    );
    let list = Finding::ok(Check::List, text).with("messages", messages);
    findings.push(list.with("octets", octets).with("new", new));
    if after.has_options {
        findings.push(look_at_unique_ids(look.maildrop.has_unique_ids));
    }
    findings.extend(look.maildrop.shortfalls.iter().map(|shortfall| {
        let hint = "`folders` in the config file says which are fetched";
        Finding::warn(Check::List, shortfall.to_string(), hint)
    }));
    if after.has_options {
        findings.push(look_at_login_delay(after.login_delay));
        let expire = after.expire.or(seen.expire);
        findings.push(look_at_expire(expire, profile.policy.keep).with("days", json!(expire)));
    }
    if let Some(error) = look.stop.take() {
        findings.push(Finding::fail(Check::Fetch, &error));
    }
    look.leave();
    (messages, octets)
}

/// Where the messages are: in these folders, of an account that has chosen some.
fn place_of(look: &Look) -> String {
    let names: Vec<&str> = look.maildrop.folder_names().take(FOLDERS + 1).collect();
    match names.get(FOLDERS) {
        _ if names.is_empty() => "the mailbox".to_owned(),
        None => format!("the folders {}", names.join(", ")),
        Some(_) => format!(
            "{} folders ({}, ...)",
            look.maildrop.folder_names().count(),
            names.get(..FOLDERS).unwrap_or_default().join(", ")
        ),
    }
}

fn look_at_unique_ids(are_there: bool) -> Finding {
    let found = match are_there {
        true => Finding::ok(Check::Uidl, "messages have unique-ids"),
        false => Finding::warn(
            Check::Uidl,
            "the server gives messages no unique-ids",
            "each fetch reads every message again, and recognises those that are here by their \
             content",
        ),
    };
    found.with("unique_ids", are_there)
}

fn look_at_login_delay(delay: u32) -> Finding {
    let text = match delay {
        0 => "none is asked for".to_owned(),
        1.. => {
            format!("{delay} s from one sign-in to the next; earlier runs wait for the next turn")
        }
    };
    Finding::ok(Check::LoginDelay, text).with("seconds", delay)
}

/// EXPIRE: how long mail may stay where it is to be left.
fn look_at_expire(days: Option<u32>, keep: Keep) -> Finding {
    match (days, keep) {
        (None, _) => Finding::ok(
            Check::Expire,
            "the server says nothing of removing mail by itself",
        ),
        (Some(days), Keep::Never) => {
            let text = format!("the server keeps mail for {days} days; popfetch deletes it before");
            Finding::ok(Check::Expire, text)
        }
        (Some(0), _) => Finding::warn(
            Check::Expire,
            "the server says that it removes mail once it was fetched (EXPIRE 0)",
            "what `keep` leaves there may go all the same",
        ),
        (Some(days), _) => Finding::warn(
            Check::Expire,
            format!("the server removes mail after {days} days by itself (EXPIRE)"),
            "fetch more often than that; `keep` cannot leave it there for longer",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_ends_within_two_weeks_is_a_warning() {
        let own = Certificate {
            subject: String::new(),
            issuer: String::new(),
            names: String::new(),
            not_after: 100 * A_DAY,
        };
        for (day, ok, words) in [
            (0, true, "100 days"),
            (86, true, "14 days"),
            (87, false, "13 days"),
            (99, false, "1 day"),
            (101, false, "which is over"),
        ] {
            let found = look_at_expiry(&own, day * A_DAY);
            assert_eq!(found.is_ok(), ok, "{day}");
            let lines = found.lines(crate::term::Paint::PLAIN, None);
            assert!(lines.contains(words), "{lines}");
        }
    }

    #[test]
    fn a_server_that_removes_mail_by_itself_is_a_warning_to_who_leaves_it_there() {
        let days = std::time::Duration::from_secs(14 * 24 * 60 * 60);
        for (expire, keep, ok) in [
            (None, Keep::Always, true),
            (Some(30), Keep::Always, false),
            (Some(30), Keep::For(days), false),
            (Some(0), Keep::For(days), false),
            (Some(0), Keep::Never, true),
        ] {
            assert_eq!(look_at_expire(expire, keep).is_ok(), ok, "{expire:?}");
        }
    }
}
