//! How a proxy is written in the config file: `socks5://[USER:PASSWORD@]HOST:PORT`, or `http://...`.

use super::ProxyServer;
use super::address::{normal_host, percent_decoded};
use crate::net::proxy::{Login, ProxyKind};
use zeroize::Zeroizing;

/// The value of `proxy`; `none` is the word for none.
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct ProxyWord(pub Option<ProxyServer>);

impl TryFrom<String> for ProxyWord {
    type Error = String;

    /// No error repeats any part of the text: there may be a password in it.
    fn try_from(text: String) -> Result<Self, String> {
        let text = Zeroizing::new(text);
        if *text == "none" {
            return Ok(Self(None));
        }
        let form = "`proxy` is written as \"socks5://HOST:PORT\" or \"http://HOST:PORT\"";
        let (scheme, rest) = text.split_once("://").ok_or(form)?;
        let kind = match scheme {
            "http" => ProxyKind::Http,
            // Names are always the proxy's to resolve, which others call socks5h.
            "socks5" | "socks5h" => ProxyKind::Socks5,
            _ => return Err(form.to_owned()),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, rest),
        };
        let (host, port) = place.rsplit_once(':').ok_or(form)?;
        let digits = port.bytes().all(|octet| octet.is_ascii_digit());
        let port = port.parse().ok().filter(|port| digits && *port != 0);
        Ok(Self(Some(ProxyServer {
            kind,
            host: normal_host(host)?,
            port: port.ok_or("the port of a proxy is a number from 1 to 65535")?,
            login: login.map(read_login).transpose()?,
        })))
    }
}

fn read_login(text: &str) -> Result<Login, String> {
    let (user, password) = text
        .split_once(':')
        .ok_or("a proxy's user needs a password: USER:PASSWORD@HOST:PORT")?;
    let decoded = |part: &str| {
        let decoded = percent_decoded(part).map(Zeroizing::new);
        decoded.map_err(|_| "`%` in a proxy's user or password must be written as `%25`")
    };
    let (user, password) = (decoded(user)?, decoded(password)?);
    if user.is_empty() || password.is_empty() {
        return Err("a proxy's user and password cannot be empty".to_owned());
    }
    if user.chars().chain(password.chars()).any(char::is_control) {
        return Err("a proxy's user and password cannot have control characters".to_owned());
    }
    Ok(Login {
        user: user.to_string(),
        password,
    })
}

/// Whether there is a URL with a password in this text, or what may be meant as one: `ada:x@h`.
pub(super) fn holds_password(text: &str) -> bool {
    let in_url = text.split("://").skip(1).any(|rest| {
        let login = rest.rsplit_once('@').map(|(login, _)| login);
        login.is_some_and(|login| login.contains(':'))
    });
    let mut words = text.split(|c: char| c.is_whitespace() || "\"'`".contains(c));
    in_url
        || words.any(|word| {
            let login = word.rsplit_once('@').map(|(login, _)| login);
            login.is_some_and(|login| login.contains(':'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<ProxyServer>, String> {
        ProxyWord::try_from(text.to_owned()).map(|word| word.0)
    }

    #[test]
    fn a_proxy_is_a_scheme_a_host_and_a_port() {
        for (text, shown) in [
            (
                "socks5://Proxy.example.com:1080",
                "socks5://proxy.example.com:1080",
            ),
            ("socks5h://[::1]:1080/", "socks5://[::1]:1080"),
            ("http://127.0.0.1:3128", "http://127.0.0.1:3128"),
            ("socks5://ada:s%40e:cret@h:1", "socks5://ada:***@h:1"),
        ] {
            assert_eq!(read(text).unwrap().unwrap().to_string(), shown, "{text}");
        }
        let login = read("socks5://a%3Ab:s%40e:c@ret@h:1")
            .unwrap()
            .unwrap()
            .login;
        let login = login.unwrap();
        assert_eq!(
            (login.user.as_str(), login.password.as_str()),
            ("a:b", "s@e:c@ret")
        );
        assert_eq!(read("none"), Ok(None));
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_repeating_it() {
        for text in [
            "",
            "h:1080",
            "socks4://h:1",
            "https://h:1",
            "socks5://h",
            "socks5://h:0",
            "socks5://h:65536",
            "socks5://h:+1",
            "socks5://h:",
            "socks5://tr0ub4dor@h:1",
            "socks5://ada:@h:1",
            "socks5://:tr0ub4dor@h:1",
            "socks5://ada:tr0ub4dor%zz@h:1",
            "socks5://ada:tr0ub4dor%0d%0a@h:1",
            "socks5://ada:tr0ub4dor@h h:1",
            "http://a/b:1",
        ] {
            let error = read(text).unwrap_err();
            assert!(!error.contains("tr0ub4dor"), "{text}: {error}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_seen() {
        assert!(holds_password("proxy = 'socks5://ada:secret@h:1'"));
        assert!(holds_password("socks5://ada:s@cret@h:1"));
        assert!(holds_password("host = 'ada:secret@h'"));
        assert!(!holds_password("socks5://h:1080"));
        assert!(!holds_password("user = 'ada@example.com:1'"));
    }
}
