//! What is known of well-known providers: whether they have POP3 at all, and how to sign in.
//!
//! By the server's name, never by the address: a maildrop of one's own may take in mail for an
//! address anywhere. The manual page popfetch.toml(5) has the same table for people.

use crate::exit::{Diagnose, Status};
use crate::server::{Protocol, Server};

/// What is known of a provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Provider {
    /// What people call it.
    pub name: &'static str,
    /// Its servers, and the domains that they are in.
    pub hosts: &'static [&'static str],
    /// How mail is fetched from it.
    pub access: Access,
}

/// How mail is fetched from a provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// Not by POP3.
    None {
        /// How it can be read instead.
        way: &'static str,
        /// What the config file says then, behind that.
        config: &'static str,
    },
    /// By POP3.
    Pop {
        /// What to look into when a sign-in is refused.
        sign_in: &'static str,
        /// A session lists only a part of the maildrop (fact Q1).
        in_batches: bool,
    },
}

/// A provider that has no POP3.
#[derive(Debug, thiserror::Error)]
#[error("{name} has no POP3: there is nothing to connect to")]
pub struct NoPop {
    name: &'static str,
    way: &'static str,
    config: &'static str,
}

impl NoPop {
    /// What people call the provider.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How its mail can be read at all.
    pub fn way(&self) -> &'static str {
        self.way
    }

    /// HOST:PORT of a program of the provider's that serves mail by IMAP on the person's own machine.
    pub fn bridge(&self) -> Option<&'static str> {
        (self.name == "Proton Mail").then_some("127.0.0.1:1143")
    }
}

impl Diagnose for NoPop {
    fn status(&self) -> Status {
        Status::Unavailable
    }

    fn hint(&self) -> Option<String> {
        Some(format!("{}{}", self.way, self.config))
    }
}

/// The provider that this server (in its normal form) belongs to.
pub fn of_host(host: &str) -> Option<&'static Provider> {
    let belongs = |known: &str| {
        let below = host.strip_suffix(known);
        below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    PROVIDERS
        .iter()
        .find(|provider| provider.hosts.iter().any(|known| belongs(known)))
}

/// What is known of whom this server belongs to; what is known is about POP3.
pub fn of(server: &Server) -> Option<&'static Provider> {
    match server.protocol {
        Protocol::Pop => of_host(&server.host),
        Protocol::Imap => None,
    }
}

/// What to look into when this server refuses a sign-in, where that is known.
pub fn sign_in(server: &Server) -> Option<&'static str> {
    match server.protocol {
        Protocol::Pop => match of_host(&server.host)?.access {
            Access::Pop { sign_in, .. } => Some(sign_in),
            Access::None { .. } => None,
        },
        Protocol::Imap => {
            let mut known = BY_IMAP.iter();
            let found = known.find(|(hosts, _)| hosts.contains(&&*server.host));
            found.map(|(_, sign_in)| *sign_in)
        }
    }
}

/// Fails where this server cannot be there.
pub fn check_server(server: &Server) -> Result<(), NoPop> {
    match server.protocol {
        Protocol::Pop => check(&server.host),
        Protocol::Imap => Ok(()),
    }
}

/// Fails where there is no POP3 to be found.
pub fn check(host: &str) -> Result<(), NoPop> {
    match of_host(host) {
        Some(Provider {
            name,
            access: Access::None { way, config },
            ..
        }) => Err(NoPop { name, way, config }),
        _ => Ok(()),
    }
}

const fn pop(
    name: &'static str,
    hosts: &'static [&'static str],
    sign_in: &'static str,
) -> Provider {
    let access = Access::Pop {
        sign_in,
        in_batches: false,
    };
    Provider {
        name,
        hosts,
        access,
    }
}

const fn none(
    name: &'static str,
    hosts: &'static [&'static str],
    way: &'static str,
    config: &'static str,
) -> Provider {
    Provider {
        name,
        hosts,
        access: Access::None { way, config },
    }
}

const APP_PASSWORD: &str = "this provider wants an app password, made in the account's security \
                            settings, in place of the account's own";

const SWITCHED_ON: &str = "POP3 must be switched on in the web mail's settings first; then check \
                           user and password";

const SECOND_FACTOR: &str = "POP3 must be switched on in the web mail's settings first; then check user \
                             and password, which has to be an app password where the account has \
                             two-factor authentication";

const PAID_PLAN: &str = "POP3 must be switched on in the web mail's settings first, and free plans since \
                         2019 do without it; then check user and password";

const LOCAL_PART: &str = "`user` is the part of the address before the @ here; then check the \
                          password";

const CODE: &str = "the password is the 16-letter authorization code that the web mail's settings \
                    show once POP3 is switched on there, not the account's own";

/// The servers of IMAP that want something else than the account's own password, and what that is.
static BY_IMAP: &[(&[&str], &str)] = &[
    (
        &["imap.gmail.com", "imap.googlemail.com"],
        "Gmail takes OAuth 2.0 or an app password (https://myaccount.google.com/apppasswords), never the \
         account's own",
    ),
    (
        &["outlook.office365.com", "imap-mail.outlook.com"],
        "Microsoft takes OAuth 2.0 alone, no password of any kind",
    ),
    (
        &[
            "imap.mail.me.com",
            "imap.mail.yahoo.com",
            "imap.aol.com",
            "imap.mail.att.net",
            "imap.fastmail.com",
            "imap.mail.ru",
        ],
        APP_PASSWORD,
    ),
    (
        &["imap.yandex.com", "imap.yandex.ru"],
        "IMAP must be switched on in the web mail's settings first, and the password is an app password, \
         made in the account's security settings",
    ),
];

/// The table: from vendors' pages and Thunderbird's list of providers, autoconfig.thunderbird.net.
static PROVIDERS: &[Provider] = &[
    Provider {
        name: "Gmail",
        hosts: &["pop.gmail.com", "pop.googlemail.com", "gmail.com"],
        access: Access::Pop {
            sign_in: "Gmail takes OAuth 2.0 or an app password \
                      (https://myaccount.google.com/apppasswords), never the account's own; and \
                      POP must be switched on in Gmail's settings",
            in_batches: true,
        },
    },
    pop(
        "Outlook.com, Microsoft 365",
        &[
            "outlook.office365.com",
            "pop-mail.outlook.com",
            "outlook.com",
            "hotmail.com",
            "live.com",
        ],
        "Microsoft takes OAuth 2.0 alone, no password of any kind; and POP must \
         be switched on in the mail settings",
    ),
    pop(
        "Yahoo",
        &["pop.mail.yahoo.com", "pop.mail.yahoo.co.jp"],
        APP_PASSWORD,
    ),
    pop(
        "AOL, Verizon",
        &["pop.aol.com", "pop.verizon.net"],
        APP_PASSWORD,
    ),
    pop("AT&T", &["inbound.att.net"], APP_PASSWORD),
    pop("Fastmail", &["pop.fastmail.com"], APP_PASSWORD),
    pop("Yandex", &["pop.yandex.com", "pop.yandex.ru"], APP_PASSWORD),
    pop("Mail.ru", &["pop.mail.ru"], APP_PASSWORD),
    pop(
        "Zoho",
        &[
            "pop.zoho.com",
            "pop.zoho.eu",
            "pop.zoho.in",
            "poppro.zoho.com",
            "poppro.zoho.eu",
        ],
        PAID_PLAN,
    ),
    pop("GMX", &["pop.gmx.net", "pop.gmx.com"], SECOND_FACTOR),
    pop("web.de", &["pop3.web.de"], SECOND_FACTOR),
    pop("Naver", &["pop.naver.com"], SWITCHED_ON),
    pop(
        "QQ, 163, 126",
        &["pop.qq.com", "pop.163.com", "pop.126.com"],
        CODE,
    ),
    pop("Free", &["pop.free.fr"], LOCAL_PART),
    pop("La Poste", &["pop.laposte.net"], LOCAL_PART),
    pop("o2.pl", &["poczta.o2.pl"], LOCAL_PART),
    none(
        "iCloud Mail",
        &["mail.me.com", "icloud.com", "me.com", "mac.com"],
        "iCloud Mail can be read by IMAP alone, with an app password",
        ": in the config file its account has protocol = \"imap\" and host = \"imap.mail.me.com\"",
    ),
    none(
        "Proton Mail",
        &["proton.me", "protonmail.com", "protonmail.ch", "pm.me"],
        "Proton Mail can be read in its own apps, or through Proton Mail Bridge",
        ", with protocol = \"imap\" in the config file",
    ),
    none(
        "Tuta",
        &[
            "tuta.com",
            "tuta.io",
            "tutanota.com",
            "tutanota.de",
            "tutamail.com",
            "keemail.me",
        ],
        "Tuta can be read in its own apps alone",
        "",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../man/popfetch.toml.5");

    #[test]
    fn a_provider_is_known_by_its_server_and_its_domain() {
        let name = |host| of_host(host).map(|provider| provider.name);
        assert_eq!(name("pop.gmail.com"), Some("Gmail"));
        assert_eq!(name("imap.mail.me.com"), Some("iCloud Mail"));
        assert_eq!(name("pop.proton.me"), Some("Proton Mail"));
        assert_eq!(name("pop.example.com"), None);
        assert_eq!(name("nothotmail.com"), None);
        // Bridge, and whatever else listens there.
        assert_eq!(name("127.0.0.1"), None);
    }

    #[test]
    fn by_imap_nobody_is_sent_to_settings_of_pop() {
        let advice = |protocol, host: &str| {
            sign_in(&Server {
                protocol,
                host: host.into(),
                port: 993,
                user: "ada".into(),
            })
        };
        for (hosts, text) in BY_IMAP {
            assert!(!text.contains("POP"), "{text}");
            assert_eq!(advice(Protocol::Imap, hosts[0]), Some(*text));
        }
        let by_pop = advice(Protocol::Pop, "pop.gmail.com").unwrap();
        assert!(by_pop.contains("POP must be switched on"), "{by_pop}");
        assert_eq!(advice(Protocol::Imap, "imap.example.com"), None);
    }

    #[test]
    fn who_has_no_pop3_is_told_what_there_is_instead() {
        for (host, instead) in [
            ("imap.mail.me.com", "IMAP"),
            ("icloud.com", "IMAP"),
            ("mail.protonmail.com", "Bridge"),
            ("mail.tutanota.com", "apps"),
        ] {
            let error = check(host).unwrap_err();
            assert_eq!(error.status(), Status::Unavailable);
            assert!(error.to_string().contains("has no POP3"));
            assert!(error.hint().unwrap().contains(instead), "{host}");
        }
        assert!(check("pop.gmail.com").is_ok());
    }

    #[test]
    fn the_manual_page_has_each_provider_and_server() {
        for provider in PROVIDERS {
            assert!(PAGE.contains(provider.name), "{}", provider.name);
            let Access::Pop { .. } = provider.access else {
                continue;
            };
            let server = provider.hosts.first().unwrap();
            assert!(PAGE.contains(server), "{server}");
        }
    }
}
