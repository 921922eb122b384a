//! What the server says it can do (RFC 2449 sections 5 and 6).

use super::quirks;

/// More lines than this in a reply to CAPA are not read: real ones have under twenty.
pub const CAPABILITY_LIMIT: usize = 256;

/// The capabilities of one state of a session; AUTHORIZATION's may differ from TRANSACTION's.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Capabilities {
    /// PIPELINING: commands may be sent before earlier ones are answered.
    pub pipelining: bool,
    /// UIDL is supported.
    pub uidl: bool,
    /// TOP is supported.
    pub top: bool,
    /// STLS: TLS can be set up on this connection (RFC 2595 section 4).
    pub stls: bool,
    /// USER and PASS are supported.
    pub user: bool,
    /// RESP-CODES: text in brackets is an extended response code.
    pub resp_codes: bool,
    /// AUTH-RESP-CODE: wrong credentials are always told by `[AUTH]`.
    pub auth_resp_code: bool,
    /// LOGIN-DELAY: seconds between two sign-ins, 0 where there is none (RFC 2449 section 6.5).
    pub login_delay: u32,
    /// UTF8: user name and password may be beyond ASCII after the UTF8 command (RFC 6856).
    pub utf8: bool,
    /// Google's own extensions: it is Gmail, which lists a maildrop in parts.
    pub google: bool,
    /// SASL mechanisms, upper case.
    pub sasl: Vec<String>,
    /// IMPLEMENTATION: the server's name for itself, hostile text. All that may follow from it is
    /// that less is asked for at once.
    pub implementation: Option<Vec<u8>>,
    /// EXPIRE: days that mail may stay; `None` where the server says nothing of it, or NEVER
    /// (RFC 2449 section 6.7).
    pub expire: Option<u32>,
    /// All of it as it came, for a person to look at; hostile text.
    pub announced: Vec<Vec<u8>>,
}

impl Capabilities {
    /// Takes in one line of the reply to CAPA. Unknown capabilities are passed over.
    pub fn read_line(&mut self, line: &[u8]) {
        if self.announced.len() >= CAPABILITY_LIMIT {
            return;
        }
        self.announced.push(line.to_vec());
        let mut words = line.split(|octet| *octet == b' ').filter(|w| !w.is_empty());
        let Some(tag) = words.next() else { return };
        match tag.to_ascii_uppercase().as_slice() {
            b"PIPELINING" => self.pipelining = true,
            b"UIDL" => self.uidl = true,
            b"TOP" => self.top = true,
            b"STLS" => self.stls = true,
            b"USER" => self.user = true,
            b"RESP-CODES" => self.resp_codes = true,
            b"AUTH-RESP-CODE" => self.auth_resp_code = true,
            b"LOGIN-DELAY" => {
                let delay = words.next().and_then(|word| std::str::from_utf8(word).ok());
                self.login_delay = delay.and_then(|word| word.parse().ok()).unwrap_or(0);
            }
            b"EXPIRE" => {
                let days = words.next().and_then(|word| std::str::from_utf8(word).ok());
                self.expire = days.and_then(|word| word.parse().ok());
            }
            b"UTF8" => self.utf8 = true,
            tag if tag.starts_with(b"X-GOOGLE-") => self.google = true,
            b"SASL" => self.sasl.extend(
                words
                    .filter(|word| word.is_ascii())
                    .map(|word| String::from_utf8_lossy(word).to_ascii_uppercase()),
            ),
            b"IMPLEMENTATION" => {
                self.implementation = line.get(tag.len() + 1..).map(<[u8]>::to_vec);
            }
            _ => {}
        }
    }

    /// Whether it throws away what is sent behind AUTH before its reply: see `quirks`.
    pub fn drops_what_follows_auth(&self) -> bool {
        let implementation = self.implementation.as_deref();
        implementation.is_some_and(quirks::drops_what_follows_auth)
    }

    /// Whether the server announces this SASL mechanism.
    pub fn has_mechanism(&self, name: &str) -> bool {
        self.sasl.iter().any(|mechanism| mechanism == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Capabilities {
        let mut capabilities = Capabilities::default();
        for line in lines {
            capabilities.read_line(line.as_bytes());
        }
        capabilities
    }

    #[test]
    fn r17_dovecots_capabilities_are_understood() {
        let dovecot = read(&[
            "CAPA",
            "TOP",
            "UIDL",
            "RESP-CODES",
            "PIPELINING",
            "AUTH-RESP-CODE",
            "USER",
            "SASL PLAIN LOGIN",
        ]);
        assert!(dovecot.pipelining && dovecot.uidl && dovecot.top && dovecot.user);
        assert!(dovecot.resp_codes && dovecot.auth_resp_code);
        assert!(dovecot.has_mechanism("PLAIN") && !dovecot.has_mechanism("SCRAM-SHA-256"));
    }

    #[test]
    fn q13_tags_and_mechanisms_are_known_in_lower_case() {
        let capabilities = read(&["pipelining", "sasl plain"]);
        assert!(capabilities.pipelining && capabilities.has_mechanism("PLAIN"));
    }

    #[test]
    fn q2_gmails_capabilities_are_understood() {
        let gmail = read(&[
            "USER",
            "EXPIRE 0",
            "LOGIN-DELAY 300",
            "X-GOOGLE-RICO",
            "SASL PLAIN",
        ]);
        assert_eq!((gmail.login_delay, gmail.google), (300, true));
        assert_eq!(gmail.expire, Some(0));
        assert_eq!(read(&["EXPIRE NEVER"]).expire, None);
        assert_eq!(read(&["EXPIRE 30 USER"]).expire, Some(30));
        for line in [
            "LOGIN-DELAY",
            "LOGIN-DELAY x",
            "LOGIN-DELAY -5",
            "LOGIN-DELAY 99999999999",
        ] {
            assert_eq!(read(&[line]).login_delay, 0, "{line}");
        }
        assert_eq!(read(&["login-delay 60 USER"]).login_delay, 60);
        assert!(read(&["UTF8 USER"]).utf8);
    }

    #[test]
    fn s32_an_endless_list_of_capabilities_stops_being_read() {
        let mut capabilities = Capabilities::default();
        for i in 0..100_000 {
            capabilities.read_line(format!("SASL M{i}").as_bytes());
        }
        assert_eq!(capabilities.sasl.len(), CAPABILITY_LIMIT);
        assert_eq!(capabilities.announced.len(), CAPABILITY_LIMIT);
    }
}
