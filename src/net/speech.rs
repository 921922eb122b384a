//! What another server than the expected one gives itself away by: its first words.

/// A protocol that is met where another was expected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Speech {
    /// HTTP.
    Http,
    /// IMAP.
    Imap,
    /// POP3.
    Pop3,
    /// SMTP, or FTP.
    Smtp,
    /// SSH.
    Ssh,
}

impl Speech {
    /// What these first octets of a server's are, if that is plain to see.
    pub fn of(octets: &[u8]) -> Option<Self> {
        let begins = |word: &str| {
            let start = octets.get(..word.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
        };
        let begin = |words: &[&str]| words.iter().any(|word| begins(word));
        [
            (Self::Imap, &["* OK", "* PREAUTH", "* BYE"][..]),
            (Self::Smtp, &["220 ", "220-", "421 ", "554 ", "554-"]),
            (Self::Http, &["HTTP/", "<!DOCTYPE", "<html"]),
            (Self::Pop3, &["+OK", "-ERR"]),
            (Self::Ssh, &["SSH-"]),
        ]
        .into_iter()
        .find_map(|(speech, words)| begin(words).then_some(speech))
    }

    /// Who speaks so.
    pub fn speaker(self) -> &'static str {
        match self {
            Self::Http => "a web server",
            Self::Imap => "an IMAP server",
            Self::Pop3 => "a POP3 server",
            Self::Smtp => "an SMTP server, which takes mail and gives none",
            Self::Ssh => "an SSH server",
        }
    }

    /// The key or the port that would be right.
    pub fn way_on(self) -> &'static str {
        match self {
            Self::Pop3 => {
                "an account of POP3 has protocol = \"pop3\", which is the default, and port 995, or 110 \
                 with tls = \"starttls\"; the port of IMAP is 993, or 143 with tls = \"starttls\""
            }
            Self::Imap => {
                "an account of IMAP has protocol = \"imap\", and port 993, or 143 with tls = \
                 \"starttls\"; the port of POP3 is 995, or 110 with tls = \"starttls\""
            }
            Self::Http | Self::Smtp | Self::Ssh => {
                "set `host` and `port` to those of POP3 (995, or 110 with tls = \"starttls\") or, with \
                 protocol = \"imap\", of IMAP (993, or 143)"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d4_a_server_is_known_by_its_first_words() {
        for (words, speech) in [
            ("* OK [CAPABILITY IMAP4rev1] ready\r\n", Some(Speech::Imap)),
            ("* PREAUTH welcome\r\n", Some(Speech::Imap)),
            ("220 mx.example.com ESMTP Postfix\r\n", Some(Speech::Smtp)),
            ("220-mx.example.com ESMTP Exim\r\n", Some(Speech::Smtp)),
            ("HTTP/1.1 400 Bad Request\r\n", Some(Speech::Http)),
            ("SSH-2.0-OpenSSH_9.2\r\n", Some(Speech::Ssh)),
            ("+OK ready\r\n", Some(Speech::Pop3)),
            ("\x15\x03\x01", None),
            ("* hello", None),
            ("", None),
        ] {
            assert_eq!(Speech::of(words.as_bytes()), speech, "{words}");
        }
    }
}
