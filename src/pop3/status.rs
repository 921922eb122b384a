//! Status indicators and extended response codes (RFC 1939 section 3; RFC 2449 section 8;
//! RFC 3206).

/// The first line of every response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reply<'a> {
    /// `+OK` rather than `-ERR`.
    pub ok: bool,
    /// The extended response code, where there is one that means something to us.
    pub code: Option<ResponseCode>,
    /// The text after the status indicator, the code included: the server's own words, hostile.
    pub text: &'a [u8],
}

/// Extended response codes (RFC 2449 section 8.1, RFC 3206, RFC 6856 section 2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ResponseCode {
    /// The credentials are wrong.
    Auth,
    /// The credentials are right, but another session holds the maildrop.
    InUse,
    /// The last sign-in was too short a while ago.
    LoginDelay,
    /// Something is wrong that a person must mend.
    SysPermanent,
    /// Something is wrong that will pass.
    SysTemporary,
    /// The server wants the UTF8 command first.
    Utf8,
}

/// What the response to a command looks like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    /// One line.
    Single,
    /// One line, then lines up to the termination octet.
    Lines,
    /// One line, then a message of about so many octets up to the termination octet.
    Body { octets: u64 },
    /// Challenges, then one line (RFC 5034).
    Sasl,
}

impl<'a> Reply<'a> {
    /// Reads a status line without its line ending. `None` if it is neither `+OK` nor `-ERR`.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        let (ok, rest) = match (strip_prefix(line, b"+OK"), strip_prefix(line, b"-ERR")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return None,
        };
        let text = match rest {
            [] => rest,
            [b' ' | b'\t', text @ ..] => text.trim_ascii_start(),
            // `+OKAY` is no status indicator; `-ERR:` and `+OK,` are, as some servers write.
            [next, ..] if next.is_ascii_alphanumeric() => return None,
            _ => rest,
        };
        Some(Self {
            ok,
            code: ResponseCode::parse(text),
            text,
        })
    }
}

impl ResponseCode {
    /// Reads `[CODE]` at the beginning of a reply's text. An unknown code is plain text, an
    /// unknown sub-level counts as its parent (RFC 2449 section 8.1).
    fn parse(text: &[u8]) -> Option<Self> {
        let inside = text.strip_prefix(b"[")?;
        let end = memchr::memchr(b']', inside)?;
        let code = inside.get(..end)?.to_ascii_uppercase();
        let mut levels = code.split(|octet| *octet == b'/');
        match (levels.next()?, levels.next()) {
            (b"AUTH", _) => Some(Self::Auth),
            (b"IN-USE", _) => Some(Self::InUse),
            (b"LOGIN-DELAY", _) => Some(Self::LoginDelay),
            (b"SYS", Some(b"PERM")) => Some(Self::SysPermanent),
            // SYS alone, or with a level that did not exist in 2002: let time try first.
            (b"SYS", _) => Some(Self::SysTemporary),
            (b"UTF8", _) => Some(Self::Utf8),
            _ => None,
        }
    }
}

/// `strip_prefix`, whatever the case of the letters (tolerated: see `quirks`).
fn strip_prefix<'a>(line: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = line.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r2_a_status_indicator_is_known_in_any_case_and_without_text() {
        for (line, ok, text) in [
            (&b"+OK"[..], true, &b""[..]),
            (b"+OK maildrop ready", true, b"maildrop ready"),
            (b"+ok", true, b""),
            (b"-ERR", false, b""),
            (b"-err  no", false, b"no"),
            (b"-ERR: no", false, b": no"),
        ] {
            let reply = Reply::parse(line).unwrap();
            assert_eq!((reply.ok, reply.text), (ok, text), "{line:?}");
        }
    }

    #[test]
    fn s8_what_is_no_status_indicator_is_refused() {
        for line in [
            &b""[..],
            b"OK",
            b"+OKAY",
            b"* PREAUTH",
            b"HTTP/1.1 400",
            b"220 smtp",
            b"+",
            b" +OK",
        ] {
            assert_eq!(Reply::parse(line), None, "{line:?}");
        }
    }

    #[test]
    fn r18_response_codes_are_read_in_any_case_and_only_at_the_beginning() {
        use ResponseCode::*;
        for (line, code) in [
            (&b"-ERR [IN-USE] busy"[..], Some(InUse)),
            (b"-ERR [login-delay] wait", Some(LoginDelay)),
            (b"-ERR [SYS/TEMP] later", Some(SysTemporary)),
            (b"-ERR [SYS/PERM/DISK] never", Some(SysPermanent)),
            (b"-ERR [SYS/NEW] hm", Some(SysTemporary)),
            (b"-ERR [AUTH] no", Some(Auth)),
            (b"-ERR [XYZ] no", None),
            (b"-ERR no [AUTH]", None),
            (b"-ERR [AUTH no", None),
        ] {
            assert_eq!(Reply::parse(line).unwrap().code, code, "{line:?}");
        }
    }
}
