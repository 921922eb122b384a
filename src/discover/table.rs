//! The providers that are known without asking anybody: `providers.tsv` (the facts of Thunderbird's
//! database, with source and date in its head) and `ours.tsv` (what we know beyond it).

use super::address::Address;
use super::candidate::{Candidate, Origin};
use crate::profile::draft::Security;
use crate::server::Protocol;

static FACTS: [&str; 2] = [include_str!("ours.tsv"), include_str!("providers.tsv")];

/// What is known of a provider.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Known {
    /// What people call it.
    pub(super) name: &'static str,
    /// Its servers of the protocol that was asked for; none where it has none, as far as is known.
    pub(super) servers: Vec<Candidate>,
    /// Its first IMAP server.
    pub(super) imap: Option<String>,
}

/// The provider of the address's own domain.
pub(super) fn of_address(address: &Address, protocol: Protocol) -> Option<Known> {
    of_domain(address.domain(), address, protocol, Origin::Table)
}

/// The provider that a mail exchanger belongs to: of its names the longest that is known.
pub(super) fn of_exchanger(host: &str, address: &Address, protocol: Protocol) -> Option<Known> {
    let mut name = host;
    while name.contains('.') {
        let known = of_domain(name, address, protocol, Origin::MailExchanger);
        if known.is_some() {
            return known;
        }
        name = name.split_once('.').map_or("", |(_, above)| above);
    }
    None
}

fn of_domain(domain: &str, address: &Address, protocol: Protocol, origin: Origin) -> Option<Known> {
    let mut known: Option<Known> = None;
    for row in FACTS.iter().flat_map(|facts| rows(facts)) {
        if !row.domains.split(',').any(|it| it == domain) {
            continue;
        }
        let known = known.get_or_insert_with(|| Known {
            name: row.name,
            servers: Vec::new(),
            imap: None,
        });
        if row.protocol == Protocol::Imap.word() && known.imap.is_none() {
            known.imap = Some(address.fill(row.host));
        }
        if row.protocol == protocol.word() {
            let at = (row.host, row.port, row.security);
            known
                .servers
                .extend(Candidate::new(address, protocol, at, row.user, origin));
        }
    }
    known
}

struct Row {
    domains: &'static str,
    name: &'static str,
    protocol: &'static str,
    host: &'static str,
    port: u16,
    security: Security,
    user: &'static str,
}

fn rows(facts: &'static str) -> impl Iterator<Item = Row> {
    facts.lines().filter_map(|line| {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        Some(Row {
            domains: next()?,
            name: next()?,
            protocol: next()?,
            host: next()?,
            // The line of headings has no number here, and goes with it.
            port: next()?.parse().ok()?,
            security: match next()? {
                "SSL" => Security::Implicit,
                "STARTTLS" => Security::StartTls,
                _ => Security::Clear,
            },
            user: next()?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn known(text: &str) -> Option<Known> {
        of_address(&Address::parse(text).unwrap(), Protocol::Pop)
    }

    /// Reads the file anew, so that the table is not compared with itself.
    #[test]
    fn each_of_the_163_providers_leads_to_its_host_or_to_a_word_that_there_is_none() {
        let mut providers: BTreeMap<&str, Vec<Vec<&str>>> = BTreeMap::new();
        for line in FACTS[1].lines().skip(3) {
            let fields: Vec<&str> = line.split('\t').collect();
            providers.entry(fields[0]).or_default().push(fields);
        }
        assert_eq!(providers.len(), 163);
        let ours: Vec<&str> = rows(FACTS[0]).flat_map(|r| r.domains.split(',')).collect();
        let mut leads = 0;
        for (domains, servers) in providers {
            for domain in domains.split(',') {
                let found = known(&format!("ada@{domain}")).unwrap();
                let pop: Vec<_> = servers.iter().filter(|s| s[2] == "pop3").collect();
                if ours.contains(&domain) {
                    assert!(!found.servers.is_empty(), "{domain}");
                    continue;
                }
                let hosts: Vec<_> = found
                    .servers
                    .iter()
                    .map(|server| (server.host.clone(), server.port))
                    .collect();
                for server in &pop {
                    let host = server[3].replace("%EMAILDOMAIN%", domain);
                    let port: u16 = server[4].parse().unwrap();
                    assert!(hosts.contains(&(host, port)), "{domain}: {hosts:?}");
                    leads += 1;
                }
                match pop.is_empty() {
                    true => assert!(found.imap.is_some(), "{domain}"),
                    false => assert!(found.servers.iter().all(|s| !s.user.contains('%'))),
                }
            }
        }
        assert!(leads > 600, "{leads}");
    }

    #[test]
    fn the_users_name_has_the_form_that_the_provider_wants() {
        let user = |text| known(text).unwrap().servers[0].user.clone();
        assert_eq!(user("ada@gmx.de"), "ada@gmx.de");
        assert_eq!(user("ada@free.fr"), "ada");
        assert_eq!(user("ada@miomio.jp"), "ada.miomio.jp");
        assert_eq!(
            known("ada@inbox.lv").unwrap().servers[0].host,
            "mail.inbox.lv"
        );
    }

    #[test]
    fn a_domain_is_known_by_its_mail_exchanger() {
        let of = |exchanger| {
            let known = of_exchanger(
                exchanger,
                &Address::parse("ada@firm.example").unwrap(),
                Protocol::Pop,
            )?;
            Some((known.servers[0].host.clone(), known.servers[0].user.clone()))
        };
        let ada = |host: &str| Some((host.to_owned(), "ada@firm.example".to_owned()));
        assert_eq!(
            of("firm-example.mail.protection.outlook.com"),
            ada("outlook.office365.com")
        );
        assert_eq!(of("aspmx.l.google.com"), ada("pop.gmail.com"));
        assert_eq!(of("in1-smtp.messagingengine.com"), ada("pop.fastmail.com"));
        assert_eq!(of("mx.firm.example"), None);
    }

    #[test]
    fn who_has_imap_alone_has_its_server_there() {
        let ada = Address::parse("ada@icloud.com").unwrap();
        assert!(of_address(&ada, Protocol::Pop).unwrap().servers.is_empty());
        let known = of_address(&ada, Protocol::Imap).unwrap();
        let server = known.servers.first().unwrap();
        assert_eq!(
            (server.host.as_str(), server.port),
            ("imap.mail.me.com", 993)
        );
        assert_eq!(server.protocol, Protocol::Imap);
    }

    #[test]
    fn nobody_knows_everybody() {
        assert_eq!(known("ada@example.com"), None);
        assert_eq!(known("ada@com"), None);
        assert_eq!(known("ada@domains"), None);
    }
}
