//! Responses with a status, and the codes in them (RFC 3501 section 7.1).

/// What a status response says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Condition {
    /// OK.
    Ok,
    /// NO: the command was understood, and refused.
    No,
    /// BAD: the command was not understood.
    Bad,
    /// PREAUTH: somebody is signed in already. Only a greeting says so.
    PreAuth,
    /// BYE: the server ends the session.
    Bye,
}

/// A status response, without the tag or `*` before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Status<'a> {
    /// See there.
    pub condition: Condition,
    /// All that stands behind it, its code in brackets included; hostile.
    pub text: &'a [u8],
}

/// A response code that is acted upon.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Code<'a> {
    /// CAPABILITY with what follows.
    Capability(&'a [u8]),
    /// UIDVALIDITY; 0 is no value of it, and told here as it came.
    UidValidity(u32),
    /// UIDNEXT: the next message has no lower UID; 0 is no value of it, likewise.
    UidNext(u32),
    /// READ-ONLY.
    ReadOnly,
    /// Any other.
    Other,
}

impl<'a> Status<'a> {
    /// What is behind a tag or `*`, if it is a status response.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let end = line.iter().position(|octet| *octet == b' ');
        let (word, text) = line.split_at(end.unwrap_or(line.len()));
        let condition = match word.to_ascii_uppercase().as_slice() {
            b"OK" => Condition::Ok,
            b"NO" => Condition::No,
            b"BAD" => Condition::Bad,
            b"PREAUTH" => Condition::PreAuth,
            b"BYE" => Condition::Bye,
            _ => return None,
        };
        let text = text.trim_ascii_start();
        Some(Self { condition, text })
    }

    /// Its code, if it has one.
    pub fn code(&self) -> Option<Code<'a>> {
        let inside = self.text.strip_prefix(b"[")?;
        let end = inside.iter().position(|octet| *octet == b']')?;
        let inside = inside.get(..end)?;
        let end = inside.iter().position(|octet| *octet == b' ');
        let (word, arguments) = inside.split_at(end.unwrap_or(inside.len()));
        Some(match word.to_ascii_uppercase().as_slice() {
            b"CAPABILITY" => Code::Capability(arguments),
            b"UIDVALIDITY" => match number(arguments.trim_ascii()) {
                Some(value) => Code::UidValidity(value),
                None => Code::UidValidity(0),
            },
            b"UIDNEXT" => Code::UidNext(number(arguments.trim_ascii()).unwrap_or(0)),
            b"READ-ONLY" => Code::ReadOnly,
            _ => Code::Other,
        })
    }
}

/// The words of a text between spaces.
pub(super) fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let words = text.split(|octet| *octet == b' ');
    words.filter(|word| !word.is_empty())
}

/// A number of digits alone that fits.
pub(super) fn number<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(digits).ok().filter(|_| is_number)?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_of_five_words() {
        for (line, condition, text) in [
            ("OK done", Condition::Ok, "done"),
            ("ok", Condition::Ok, ""),
            (
                "No [UNAVAILABLE]  later",
                Condition::No,
                "[UNAVAILABLE]  later",
            ),
            ("BAD  what?", Condition::Bad, "what?"),
            ("PREAUTH hello", Condition::PreAuth, "hello"),
            ("BYE", Condition::Bye, ""),
        ] {
            let text = text.as_bytes();
            let status = Status { condition, text };
            assert_eq!(Status::parse(line.as_bytes()), Some(status), "{line}");
        }
        for line in ["", "OKAY", "1 EXISTS", "CAPABILITY IMAP4rev1", " OK"] {
            assert_eq!(Status::parse(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn a_code_stands_in_brackets_before_the_words() {
        let code = |line: &'static str| Status::parse(line.as_bytes()).unwrap().code();
        let capabilities = Code::Capability(b" IMAP4rev1 ID");
        assert_eq!(code("OK [capability IMAP4rev1 ID] in"), Some(capabilities));
        assert_eq!(code("OK [UIDVALIDITY 17]"), Some(Code::UidValidity(17)));
        for zero in ["0", "", "-1", "x", "4294967296", "1 2"] {
            let line = format!("OK [UIDVALIDITY {zero}] hm");
            let status = Status::parse(line.as_bytes()).unwrap();
            assert_eq!(status.code(), Some(Code::UidValidity(0)), "{zero}");
        }
        assert_eq!(code("OK [UIDNEXT 4] is next"), Some(Code::UidNext(4)));
        assert_eq!(code("OK [UIDNEXT x]"), Some(Code::UidNext(0)));
        assert_eq!(code("OK [READ-ONLY] it is"), Some(Code::ReadOnly));
        assert_eq!(code("NO [UNAVAILABLE] no"), Some(Code::Other));
        assert_eq!(code("OK [UIDVALIDITY 17"), None);
        assert_eq!(code("OK no [UIDVALIDITY 17]"), None);
    }
}
