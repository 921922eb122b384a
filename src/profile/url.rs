//! An account given as a URL, for use without a config file: `pops://user@host:port`, or `imaps:`.
//!
//! The form is RFC 2384's, with `pops` for TLS from the first octet. Being on a command line, it
//! may not carry a password.

use super::address::{checked_user, normal_host, percent_decoded, without_password};
use super::diagnose::ConfigError;
use super::overrides::Overrides;
use super::{PasswordSource, Profile, Protocol, Server, Typed};

/// What a URL should look like.
const FORM: &str = "write it as pops://USER@HOST or pops://USER@HOST:PORT (imaps:// for IMAP)";

/// Whether an account given on the command line is a URL rather than a name.
pub(crate) fn is_url(account: &str) -> bool {
    account.contains("://")
}

/// The profile that a URL and the options beside it stand for. The config file has no part in it.
pub(crate) fn profile(url: &str, overrides: &Overrides) -> Result<Profile, ConfigError> {
    let wrong = |message: &str, hint: &str| ConfigError::CommandLine {
        message: format!("{}: {message}", without_password(url)),
        hint: hint.to_owned(),
    };
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let unprotected = |scheme: &str| {
        let hint = format!(
            "use {scheme}://, which is TLS from the first octet; a server where TLS begins later \
             (STARTTLS) needs an account in the config file, with tls = \"starttls\", and one without \
             TLS tls = \"none\" and allow-insecure = true"
        );
        wrong(
            "this would send the password and the mail unprotected",
            &hint,
        )
    };
    let protocol = match scheme.to_ascii_lowercase().as_str() {
        "pops" => Protocol::Pop,
        "imaps" => Protocol::Imap,
        "pop" | "pop3" => return Err(unprotected("pops")),
        "imap" => return Err(unprotected("imaps")),
        _ => return Err(wrong("this is not a scheme for POP3 or IMAP", FORM)),
    };
    let server = server(protocol, rest).map_err(|message| wrong(message, FORM))?;
    if overrides.maildir.is_none() && !overrides.stores_nothing {
        return Err(wrong(
            "where should the mail go?",
            "add --maildir DIR, for example --maildir ~/Mail/ada",
        ));
    }
    let mut profile = Profile {
        password: PasswordSource::PromptOrKeyring,
        typed: Typed::url(overrides),
        ..Profile::new(format!("{}@{}", server.user, server.host), server)
    };
    overrides.apply(&mut profile)?;
    Ok(profile)
}

/// `user@host[:port]`, with an optional slash behind it.
fn server(protocol: Protocol, rest: &str) -> Result<Server, &'static str> {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    // The last @, because people write their address as it is: pops://ada@example.com@host.
    let (user, place) = rest.rsplit_once('@').ok_or("there is no user in it")?;
    if user.contains(':') {
        return Err("a password on the command line could be seen by others");
    }
    if user.contains(';') {
        return Err("parameters such as `;AUTH=` are not supported: see --auth");
    }
    if place.contains('/') {
        return Err(
            "nothing but a port can stand behind the host: for folders an account of the config file has \
             `folders`",
        );
    }
    // An IPv6 address has colons of its own, inside brackets.
    let after_address = place.rfind(']').map_or(0, |at| at + 1);
    let colon = place
        .get(after_address..)
        .and_then(|rest| rest.find(':'))
        .map(|at| at + after_address);
    let (host, port) = match colon {
        None => (place, protocol.tls_port()),
        Some(at) => {
            let (host, port) = place.split_at(at);
            let port = port.trim_start_matches(':');
            let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
            let port = port.parse().ok().filter(|port| digits && *port != 0);
            (
                host,
                port.ok_or("the port is not a number from 1 to 65535")?,
            )
        }
    };
    Ok(Server {
        protocol,
        host: normal_host(host)?,
        port,
        user: checked_user(&percent_decoded(user)?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maildrop_can_be_written_as_a_url_again() {
        for url in [
            "pops://ada@pop.example.com",
            "pops://ada@example.com@pop.example.com:1995",
            "pops://a%3Ab%2F%25@[::1]",
            "imaps://ada@imap.example.com",
            "imaps://ada@imap.example.com:995",
        ] {
            assert_eq!(read(url).unwrap().url(), url);
        }
    }

    fn read(url: &str) -> Result<Server, String> {
        let overrides = Overrides {
            maildir: Some("/m".into()),
            ..Overrides::default()
        };
        profile(url, &overrides)
            .map(|profile| profile.server)
            .map_err(|error| error.to_string())
    }

    fn is(host: &str, port: u16, user: &str) -> Result<Server, String> {
        Ok(Server {
            protocol: Protocol::Pop,
            host: host.into(),
            port,
            user: user.into(),
        })
    }

    #[test]
    fn a_url_names_user_host_and_port() {
        assert_eq!(
            read("pops://ada@pop.example.com"),
            is("pop.example.com", 995, "ada")
        );
        assert_eq!(
            read("POPS://ada@POP.example.com:1995/"),
            is("pop.example.com", 1995, "ada")
        );
        let imap = read("IMAPS://ada@imap.example.com").unwrap();
        assert_eq!((imap.protocol, imap.port), (Protocol::Imap, 993));
        assert_eq!(imap.id(), "ada@imap.example.com:993+imap");
        assert_eq!(read("pops://ada@[::1]:1995"), is("::1", 1995, "ada"));
        assert_eq!(read("pops://ada@[::1]"), is("::1", 995, "ada"));
    }

    #[test]
    fn an_address_can_be_the_user_escaped_or_not() {
        let ada = is("pop.example.com", 995, "ada@example.com");
        assert_eq!(read("pops://ada%40example.com@pop.example.com"), ada);
        assert_eq!(read("pops://ada@example.com@pop.example.com"), ada);
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        let error = read("pops://ada:hunter2@pop.example.com").unwrap_err();
        assert!(error.contains("a password on the command line"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
        let error = read("pops://ada:hunt@er2@pop.example.com").unwrap_err();
        assert!(!error.contains("er2"), "{error}");
    }

    #[test]
    fn what_could_smuggle_a_command_is_refused() {
        for url in [
            "pops://ada%0d%0aQUIT@host",
            "pops://a%00@host",
            "pops://a@ho%0ast",
        ] {
            assert!(read(url).is_err(), "{url}");
        }
    }

    #[test]
    fn what_is_no_url_of_a_maildrop_is_refused() {
        for url in [
            "pops://",
            "pops://host",
            "pops://@host",
            "pops://ada@",
            "pops://ada@host:0",
            "pops://ada@host:99999",
            "pops://ada@host:+5",
            "pops://ada@host:",
            "pops://ada;AUTH=+APOP@host",
            "pops://a%4@host",
            "pops://a%zz@host",
            "pops://ada@host/path",
            "imaps://ada@host/INBOX",
            "imaps://ada@host/;UIDVALIDITY=1",
            "https://ada@host",
        ] {
            assert!(read(url).is_err(), "{url}");
        }
        let error = read("imaps://ada@host/INBOX").unwrap_err();
        assert!(error.contains("`folders`"), "{error}");
        for scheme in ["pop", "imap"] {
            let error = read(&format!("{scheme}://ada@host")).unwrap_err();
            assert!(error.contains("unprotected"), "{error}");
        }
    }

    #[test]
    fn a_url_needs_a_maildir_only_where_mail_is_stored() {
        let error = profile("pops://ada@host", &Overrides::default()).unwrap_err();
        assert!(error.to_string().contains("where should the mail go"));
        let overrides = Overrides {
            stores_nothing: true,
            ..Overrides::default()
        };
        assert!(profile("pops://ada@host", &overrides).is_ok());
    }
}
