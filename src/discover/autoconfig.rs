//! Autoconfig documents: what a domain, or the shared database, says about its servers.
//!
//! The form is Mozilla's (clientConfig 1.1). A document is fetched by https alone, and redirects are
//! followed within the domain alone: what comes in clear could be anybody's.

use super::address::Address;
use super::candidate::{Candidate, Origin};
use crate::net::{proxy::Way, tls::Roots};
use crate::profile::draft::Security;
use crate::server::Protocol;
use crate::stop::Stop;
use crate::term;
use crate::web::{self, Endpoint, Line};
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use std::time::Duration;

/// Real documents have some thousand octets.
const LARGEST: u64 = 64 << 10;

/// The database's own have some ten servers.
const SERVERS: usize = 32;

/// How long one document may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// From a domain to its web server's usual name, say.
const REDIRECTS: usize = 3;

/// What a document names.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Named {
    /// Servers of the protocol that was asked for, in the document's order.
    pub(super) servers: Vec<Candidate>,
    /// The first IMAP server.
    pub(super) imap: Option<String>,
}

/// The addresses of the domain's own document, the usual first.
pub(super) fn own_urls(address: &Address) -> [String; 2] {
    let (domain, whole) = (address.domain(), percent(&address.whole()));
    [
        format!("https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={whole}"),
        format!("https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml"),
    ]
}

/// The address of the shared database's document, which is told the domain alone.
pub(super) fn database_url(address: &Address) -> String {
    format!(
        "https://autoconfig.thunderbird.net/v1.1/{}",
        address.domain()
    )
}

/// Fetches and reads a document; `None` where there is none, or none that can be trusted.
pub(super) fn fetch(
    url: &str,
    address: &Address,
    protocol: Protocol,
    origin: Origin,
    stop: &Stop,
) -> Option<Named> {
    let line = Line {
        way: Way::default(),
        roots: Roots::System,
        timeout: TIMEOUT,
    };
    let mut endpoint = Endpoint::parse(url).ok()?;
    let first = endpoint.host().to_owned();
    for _ in 0..=REDIRECTS {
        let answer = web::get(&endpoint, LARGEST, &line, stop).ok()?;
        match answer.code {
            200 => return read(&answer.body, address, protocol, origin),
            301 | 302 | 303 | 307 | 308 => {
                let next = Endpoint::parse(&answer.location?).ok()?;
                let stays = next.host() == first || address.owns(next.host());
                if !next.is_https() || !stays {
                    return None;
                }
                endpoint = next;
            }
            _ => return None,
        }
    }
    None
}

/// Reads a document. One that declares a type of its own, and so entities, is no such document.
fn read(octets: &[u8], address: &Address, protocol: Protocol, origin: Origin) -> Option<Named> {
    let text = std::str::from_utf8(octets).ok()?;
    let mut reader = Reader::from_str(text);
    let mut named = Named::default();
    let mut server: Option<Draft> = None;
    let mut field: Option<(Field, String)> = None;
    let mut is_config = false;
    loop {
        match reader.read_event().ok()? {
            Event::DocType(_) => return None,
            Event::Start(tag) => match tag.local_name().as_ref() {
                "clientConfig" => is_config = true,
                "incomingServer" => server = Draft::of(&tag),
                name if server.is_some() => field = Field::of(name).map(|it| (it, String::new())),
                _ => {}
            },
            Event::Text(text) => {
                if let Some((_, value)) = &mut field {
                    value.push_str(&text);
                }
            }
            Event::GeneralRef(reference) => {
                let Some((_, value)) = &mut field else {
                    continue;
                };
                match reference.resolve_char_ref().ok()? {
                    Some(character) => value.push(character),
                    None => value.push_str(resolve_xml_entity(&reference)?),
                }
            }
            Event::End(tag) => {
                if let (Some((kind, value)), Some(server)) = (field.take(), &mut server) {
                    server.set(kind, value.trim());
                }
                if tag.local_name().as_ref() != "incomingServer" {
                    continue;
                }
                let Some(server) = server.take() else {
                    continue;
                };
                let is_wanted = server.protocol == protocol;
                let candidate = server.candidate(address, origin);
                if server.protocol == Protocol::Imap && named.imap.is_none() {
                    named.imap = candidate.as_ref().map(|it| it.host.clone());
                }
                if is_wanted && named.servers.len() < SERVERS {
                    named.servers.extend(candidate);
                }
            }
            Event::Eof => return is_config.then_some(named),
            _ => {}
        }
    }
}

#[derive(Clone, Copy)]
enum Field {
    Host,
    Port,
    Socket,
    User,
}

impl Field {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "hostname" => Self::Host,
            "port" => Self::Port,
            "socketType" => Self::Socket,
            "username" => Self::User,
            _ => return None,
        })
    }
}

/// An `incomingServer` that is being read.
#[derive(Default)]
struct Draft {
    protocol: Protocol,
    host: String,
    port: u16,
    security: Option<Security>,
    user: String,
}

impl Draft {
    /// `None` for a protocol that is neither POP3 nor IMAP.
    fn of(tag: &BytesStart<'_>) -> Option<Self> {
        let kind = tag.try_get_attribute("type").ok()??;
        let protocol = match kind.value.as_ref() {
            "pop3" => Protocol::Pop,
            "imap" => Protocol::Imap,
            _ => return None,
        };
        Some(Self {
            protocol,
            ..Self::default()
        })
    }

    fn set(&mut self, field: Field, value: &str) {
        match field {
            Field::Host => self.host = value.to_owned(),
            Field::Port => self.port = value.parse().unwrap_or_default(),
            Field::Socket => {
                self.security = match value {
                    "SSL" => Some(Security::Implicit),
                    "STARTTLS" => Some(Security::StartTls),
                    "plain" => Some(Security::Clear),
                    _ => None,
                }
            }
            // The first of several is the preferred one.
            Field::User if self.user.is_empty() => self.user = value.to_owned(),
            Field::User => {}
        }
    }

    fn candidate(&self, address: &Address, origin: Origin) -> Option<Candidate> {
        let user = match self.user.as_str() {
            "" => "%EMAILADDRESS%",
            user => user,
        };
        let at = (self.host.as_str(), self.port, self.security?);
        Candidate::new(address, self.protocol, at, user, origin)
    }
}

/// For a value within a URL.
fn percent(text: &str) -> String {
    let mut out = String::new();
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~@".contains(&octet);
    term::percent(&mut out, text.as_bytes(), plain);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> Address {
        Address::parse("ada@example.com").unwrap()
    }

    fn named(text: &str) -> Option<Named> {
        read(
            text.as_bytes(),
            &address(),
            Protocol::Pop,
            Origin::Autoconfig,
        )
    }

    const DOCUMENT: &str = r#"<?xml version="1.0"?>
<clientConfig version="1.1">
  <!-- by hand -->
  <emailProvider id="example.com">
    <domain>example.com</domain>
    <displayName>A &amp; B &unknown;</displayName>
    <incomingServer type="imap">
      <hostname>imap.example.com</hostname><port>993</port>
      <socketType>SSL</socketType><username>%EMAILADDRESS%</username>
    </incomingServer>
    <incomingServer type="pop3">
      <hostname> pop.%EMAILDOMAIN% </hostname>
      <port>995</port>
      <socketType>SSL</socketType>
      <username>%EMAILLOCALPART%&#43;mail</username>
      <username>another</username>
      <authentication>password-cleartext</authentication>
    </incomingServer>
    <incomingServer type="pop3">
      <hostname>old.example.com</hostname><port>110</port><socketType>plain</socketType>
    </incomingServer>
    <incomingServer type="exchange"><hostname>ews.example.com</hostname></incomingServer>
    <outgoingServer type="smtp"><hostname>smtp.example.com</hostname></outgoingServer>
  </emailProvider>
</clientConfig>"#;

    #[test]
    fn a_document_names_servers_in_its_order() {
        let named = named(DOCUMENT).unwrap();
        assert_eq!(named.imap.as_deref(), Some("imap.example.com"));
        let [first, second] = &named.servers[..] else {
            panic!("{named:?}");
        };
        assert_eq!((first.host.as_str(), first.port), ("pop.example.com", 995));
        assert_eq!(first.user, "ada+mail");
        assert_eq!(first.security, Security::Implicit);
        assert_eq!(
            (second.host.as_str(), second.port),
            ("old.example.com", 110)
        );
        assert_eq!(second.user, "ada@example.com");
        assert_eq!(second.security, Security::Clear);
    }

    #[test]
    fn a_document_with_entities_of_its_own_is_none() {
        let bomb = "<?xml version=\"1.0\"?><!DOCTYPE clientConfig [<!ENTITY a \"aaaa\">\
                    <!ENTITY b \"&a;&a;&a;\">]>";
        assert_eq!(
            named(&DOCUMENT.replace("<?xml version=\"1.0\"?>", bomb)),
            None
        );
        assert_eq!(named(&DOCUMENT.replace(">995<", ">&b;<")), None);
    }

    #[test]
    fn a_page_that_is_shown_for_anything_is_no_document() {
        assert_eq!(
            named("<!DOCTYPE html><html><body>Welcome!</body></html>"),
            None
        );
        assert_eq!(named("<html><body>Welcome!</body></html>"), None);
        assert_eq!(named("{}"), None);
        assert_eq!(named(""), None);
        assert_eq!(named("<clientConfig><incomingServer"), None);
        assert_eq!(
            read(
                b"<clientConfig>\xff</clientConfig>",
                &address(),
                Protocol::Pop,
                Origin::Database
            ),
            None
        );
    }

    #[test]
    fn a_server_that_makes_no_sense_is_left_out() {
        for (good, bad) in [
            ("pop.%EMAILDOMAIN%", "pop.example.com/x"),
            ("pop.%EMAILDOMAIN%", "a\u{1b}b"),
            (">995<", ">70000<"),
            (">995<", "><"),
            (
                ">SSL</socketType>\n      <username>%EMAILLOCALPART%",
                ">SSL</socketType>\n      <username>a\nDELE 1",
            ),
        ] {
            let text = DOCUMENT.replace(good, bad);
            assert_ne!(text, DOCUMENT, "{good}");
            let named = named(&text).unwrap();
            assert_eq!(named.servers.len(), 1, "{bad}: {named:?}");
        }
        let many = "<incomingServer type=\"pop3\"><hostname>h</hostname><port>995</port>\
                    <socketType>SSL</socketType></incomingServer>";
        let text = format!("<clientConfig>{}</clientConfig>", many.repeat(1000));
        assert_eq!(named(&text).unwrap().servers.len(), SERVERS);
    }

    #[test]
    fn the_address_is_told_to_its_own_domain_alone() {
        let plus = Address::parse("a+b&c@example.com").unwrap();
        let [own, well_known] = own_urls(&plus);
        assert!(
            own.ends_with("?emailaddress=a%2Bb%26c@example.com"),
            "{own}"
        );
        assert!(!well_known.contains("a+b"), "{well_known}");
        assert!(database_url(&plus).ends_with("/v1.1/example.com"));
        for url in own_urls(&plus) {
            assert!(Endpoint::parse(&url).is_ok(), "{url}");
        }
    }
}
