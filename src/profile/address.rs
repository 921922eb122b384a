//! What a host name and a user's name may look like, wherever they come from, and how what holds
//! them is shown.

use crate::term::unpercent;
use std::net::Ipv6Addr;

/// A host name or address as it is used for connecting, for the certificate and as a key:
/// lower case, without a trailing dot, an IPv6 address without brackets.
pub(crate) fn normal_host(text: &str) -> Result<String, &'static str> {
    let host = text.strip_suffix('.').unwrap_or(text);
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    if let Ok(address) = bare.unwrap_or(host).parse::<Ipv6Addr>() {
        return Ok(address.to_string());
    }
    if host.is_empty() {
        return Err("the host is empty");
    }
    if host.contains("://") {
        return Err("the host is a name or an address alone, without `://`");
    }
    if host.contains(':') {
        return Err("the host stands alone; the port has a key of its own, `port`");
    }
    if !host.is_ascii() {
        // The form that DNS and certificates have (RFC 5891 section 5).
        return match idna::domain_to_ascii_strict(host) {
            Ok(ascii) => normal_host(&ascii),
            Err(_) => Err("this is no host name"),
        };
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if !host.chars().all(fits) || host.split('.').any(str::is_empty) {
        return Err("this is no host name");
    }
    Ok(host.to_ascii_lowercase())
}

/// The user's name exactly as given, if it can be sent in a POP3 command.
pub(crate) fn checked_user(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        return Err("the user's name is empty");
    }
    // A line break would let the name carry commands of its own (CVE-2012-0036).
    if text.chars().any(char::is_control) {
        return Err("the user's name cannot have line breaks or other control characters");
    }
    Ok(text.to_owned())
}

/// RFC 3986 section 2.1.
pub(super) fn percent_decoded(text: &str) -> Result<String, &'static str> {
    let octets = unpercent(text).ok_or("`%` must be followed by two hexadecimal digits")?;
    String::from_utf8(octets).map_err(|_| "the user's name is not UTF-8")
}

/// What was typed with what may be a password replaced by `***`, for error messages: a URL, or
/// nearly one.
pub(crate) fn without_password(typed: &str) -> String {
    let (scheme, rest) = match typed.find("://") {
        Some(at) => typed.split_at(at + 3),
        None => ("", typed),
    };
    if let Some((login, host)) = rest.rsplit_once('@') {
        return match login.split_once(':') {
            Some((user, _)) => format!("{scheme}{user}:***@{host}"),
            None => typed.to_owned(),
        };
    }
    // Without a host: `pops://ada:secret`, but not `pops://host:995` or an IPv6 address.
    let is_port = |text: &str| {
        text.trim_end_matches('/')
            .bytes()
            .all(|b| b.is_ascii_digit())
    };
    match rest.split_once(':') {
        Some((user, secret)) if !scheme.is_empty() && !user.contains('[') && !is_port(secret) => {
            format!("{scheme}{user}:***")
        }
        _ => typed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_form_however_it_is_written() {
        assert_eq!(
            normal_host("POP.Example.COM."),
            Ok("pop.example.com".into())
        );
        assert_eq!(normal_host("192.0.2.1"), Ok("192.0.2.1".into()));
        assert_eq!(normal_host("[2001:DB8::0:1]"), Ok("2001:db8::1".into()));
        assert_eq!(normal_host("::1"), Ok("::1".into()));
        for text in ["bücher.example", "BÜCHER.Example.", "bu\u{308}cher.example"] {
            assert_eq!(
                normal_host(text),
                Ok("xn--bcher-kva.example".into()),
                "{text}"
            );
        }
        // What looks like a full stop to a reader is one (UTS 46).
        assert_eq!(
            normal_host("例え。テスト"),
            Ok("xn--r8jz45g.xn--zckzah".into())
        );
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            ".",
            "a..b",
            "a b",
            "a\r\nQUIT",
            "a\0",
            "a/b",
            "pop.example.com:995",
        ] {
            assert!(normal_host(text).is_err(), "{text:?}");
        }
        assert!(normal_host("pops://pop.example.com").is_err());
        for text in [
            "bü cher.example",
            "bü\u{200b}..example",
            "ü/a",
            "a\u{202e}b.example",
        ] {
            assert!(normal_host(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_user_cannot_carry_a_command() {
        assert_eq!(
            checked_user("ada@example.com"),
            Ok("ada@example.com".into())
        );
        assert_eq!(checked_user("ada of works"), Ok("ada of works".into()));
        for text in ["", "ada\r\nDELE 1", "ada\n", "ada\0"] {
            assert!(checked_user(text).is_err(), "{text:?}");
        }
    }
}
