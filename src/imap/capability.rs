//! What the server says it can do (RFC 3501 section 7.2.1).

use super::status::{number, words};

/// More capabilities than this are not read: real servers have under a hundred.
pub const CAPABILITY_LIMIT: usize = 512;

/// The capabilities of one state of a session; they may be others once somebody has signed in.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Capabilities {
    /// SASL-IR: AUTHENTICATE takes the first message along (RFC 4959).
    pub sasl_ir: bool,
    /// STARTTLS: TLS can be set up on this connection.
    pub start_tls: bool,
    /// LOGINDISABLED: LOGIN is not allowed (yet).
    pub login_disabled: bool,
    /// LITERAL+: a literal need not wait for the server's word (RFC 7888).
    pub literal_plus: bool,
    /// UIDPLUS: UID EXPUNGE removes what it names, and nothing else (RFC 4315).
    pub uid_plus: bool,
    /// ID: the server may be told who asks (RFC 2971).
    pub id: bool,
    /// IDLE: it says by itself what changes in the mailbox (RFC 2177).
    pub idle: bool,
    /// LIST tells what mailboxes are for, where it is asked to (RFC 6154, which takes LIST-EXTENDED for
    /// that).
    pub special_use: bool,
    /// LITERAL-: the same of literals of up to 4096 octets (RFC 7888).
    pub literal_minus: bool,
    /// APPENDLIMIT: a message that is appended has no more octets (RFC 7889).
    pub append_limit: Option<u64>,
    /// SASL mechanisms, upper case.
    pub mechanisms: Vec<String>,
    /// All of it as it came, for a person to look at; hostile text.
    pub announced: Vec<Vec<u8>>,
}

impl Capabilities {
    /// From the words behind CAPABILITY. Unknown ones are passed over.
    pub fn read(text: &[u8]) -> Self {
        let mut found = Self::default();
        let (mut first, mut second) = (false, false);
        let (mut special_use, mut list_extended) = (false, false);
        for word in words(text).take(CAPABILITY_LIMIT) {
            found.announced.push(word.to_vec());
            match word.to_ascii_uppercase().as_slice() {
                b"IMAP4REV1" => first = true,
                b"IMAP4REV2" => second = true,
                b"SASL-IR" => found.sasl_ir = true,
                b"STARTTLS" => found.start_tls = true,
                b"LOGINDISABLED" => found.login_disabled = true,
                b"LITERAL+" => found.literal_plus = true,
                b"UIDPLUS" => found.uid_plus = true,
                b"ID" => found.id = true,
                b"IDLE" => found.idle = true,
                b"SPECIAL-USE" => special_use = true,
                b"LIST-EXTENDED" => list_extended = true,
                b"LITERAL-" => found.literal_minus = true,
                upper => {
                    if let Some(limit) = upper.strip_prefix(b"APPENDLIMIT=") {
                        found.append_limit = number(limit);
                    }
                    if let Some(name) = upper.strip_prefix(b"AUTH=") {
                        found
                            .mechanisms
                            .push(String::from_utf8_lossy(name).into_owned());
                    }
                }
            }
        }
        found.special_use = special_use && (list_extended || second);
        // These are parts of the second revision (RFC 9051 appendix E); a server with both has it only
        // for who enables it.
        if second && !first {
            found.sasl_ir = true;
            found.uid_plus = true;
            found.id = true;
            found.literal_minus = true;
            found.idle = true;
        }
        found
    }

    /// Whether the server announces this SASL mechanism.
    pub fn has_mechanism(&self, name: &str) -> bool {
        self.mechanisms.iter().any(|mechanism| mechanism == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dovecots_capabilities_are_understood() {
        let dovecot = Capabilities::read(
            b"IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS LOGINDISABLED \
              AUTH=PLAIN auth=scram-sha-256",
        );
        assert!(dovecot.sasl_ir && dovecot.literal_plus && dovecot.start_tls && dovecot.id);
        assert!(dovecot.login_disabled && dovecot.idle && !dovecot.uid_plus);
        assert!(dovecot.has_mechanism("PLAIN") && dovecot.has_mechanism("SCRAM-SHA-256"));
        assert!(!dovecot.has_mechanism("LOGIN"));
        assert_eq!(dovecot.announced.len(), 11);
    }

    #[test]
    fn the_second_revision_has_in_it_what_the_first_announced_by_itself() {
        let second = Capabilities::read(b"IMAP4rev2 AUTH=PLAIN");
        assert!(second.sasl_ir && second.uid_plus && second.id && second.idle);
        assert!(!second.literal_plus);
        let both = Capabilities::read(b"IMAP4rev1 IMAP4rev2");
        assert!(!both.sasl_ir && !both.uid_plus);
    }

    #[test]
    fn capabilities_without_end_are_cut_short() {
        let many = "X ".repeat(100_000);
        let read = Capabilities::read(many.as_bytes());
        assert_eq!(read.announced.len(), CAPABILITY_LIMIT);
    }
}
