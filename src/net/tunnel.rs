//! HTTP CONNECT (RFC 9110 section 9.3.6): a tunnel through a web proxy.

use super::proxy::{Lack, Login, Refusal};
use super::stream::Talk;
use crate::term::Veil;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::Zeroizing;

/// A longer head of a reply is none. Real ones have some hundred octets.
const HEAD_LIMIT: usize = 16 * 1024;

/// What is told of a proxy's words, in characters.
const REASON_LIMIT: usize = 100;

/// Asks for a tunnel to `host:port`.
pub(super) fn ask(
    mut talk: Talk<'_>,
    host: &str,
    port: u16,
    login: Option<&Login>,
) -> Result<(), Refusal> {
    let server = match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    };
    let mut request = Zeroizing::new(format!("CONNECT {server} HTTP/1.1\r\nHost: {server}\r\n"));
    let token = login.map(|login| {
        let pair = Zeroizing::new(format!("{}:{}", login.user, *login.password));
        Zeroizing::new(BASE64.encode(pair.as_bytes()))
    });
    if let Some(token) = &token {
        request.push_str("Proxy-Authorization: Basic ");
        request.push_str(token);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    talk.send(request.as_bytes())?;
    let head = head(&mut talk)?;
    let (status, reason) = status(&head).ok_or(Refusal::Gibberish("an HTTP proxy"))?;
    let mut veil = Veil::default();
    if let (Some(token), Some(login)) = (&token, login) {
        veil.cover_message(token);
        veil.cover(&login.password);
    }
    let reason: String = veil.hide_in(reason).chars().take(REASON_LIMIT).collect();
    let said = format!("{status} {reason}");
    match status {
        200..=299 => Ok(()),
        407 => Err(Refusal::Login {
            said,
            lack: match (takes_passwords(&head), login) {
                (false, _) => Lack::Method,
                (true, None) => Lack::Login,
                (true, Some(_)) => Lack::Right,
            },
        }),
        408 | 429 | 500..=599 => Err(Refusal::Unreachable(said)),
        _ => Err(Refusal::Refused(said)),
    }
}

/// The status line and the header, to the empty line and not an octet further: what follows is the
/// server's.
fn head(talk: &mut Talk<'_>) -> Result<Vec<u8>, Refusal> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && !head.ends_with(b"\n\n") {
        let mut octet = [0];
        talk.receive(&mut octet)?;
        head.extend(octet);
        let http = head.iter().zip(b"HTTP/1.").all(|(one, other)| one == other);
        if !http || head.len() > HEAD_LIMIT {
            return Err(Refusal::Gibberish("an HTTP proxy"));
        }
    }
    Ok(head)
}

/// Whether user and password would do (RFC 7617): where it names other ways to sign in alone they would
/// not (RFC 9110, section 11.7.1). One that names none may take them.
fn takes_passwords(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let ways = lines.filter(|(name, _)| name.trim() == "proxy-authenticate");
    let mut ways = ways.flat_map(|(_, ways)| ways.split(',')).peekable();
    let is_basic = |way: &str| way.split_whitespace().next() == Some("basic");
    ways.peek().is_none() || ways.any(is_basic)
}

/// The code of a status line and the words behind it.
fn status(head: &[u8]) -> Option<(u16, String)> {
    let line = head.split(|octet| *octet == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    let mut words = line.trim_end().splitn(3, ' ');
    words.next()?;
    let code = words.next().filter(|code| code.len() == 3)?;
    let code = code.parse().ok().filter(|code| (100..600).contains(code))?;
    let reason = words.next().unwrap_or_default();
    Some((code, reason.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_has_a_code_of_three_digits() {
        let read = |line: &str| status(line.as_bytes());
        let ok = Some((200, "Connection established".to_owned()));
        assert_eq!(read("HTTP/1.1 200 Connection established\r\n\r\n"), ok);
        assert_eq!(read("HTTP/1.0 403\r\n\r\n"), Some((403, String::new())));
        for line in [
            "HTTP/1.1",
            "HTTP/1.1 2000 x",
            "HTTP/1.1 -20",
            "HTTP/1.1 999",
            "HTTP/1.1 0x1",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
