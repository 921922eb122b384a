//! Sessions as servers of many kinds hold them, told in their words, with invented mail. What is
//! odd about them is what facts Q1 to Q23 say of such servers.

use crate::entry::connection::Asked;

/// A session: what was asked, and what came.
pub struct Session {
    pub name: &'static str,
    pub greeting: &'static [u8],
    pub exchanges: &'static [(Asked, &'static [u8])],
    /// The messages that are in it.
    pub messages: &'static [&'static [u8]],
}

impl Session {
    pub fn asked(&self) -> Vec<Asked> {
        self.exchanges.iter().map(|(asked, _)| *asked).collect()
    }

    /// All that the server sends, end to end.
    pub fn wire(&self) -> Vec<u8> {
        let responses = self.exchanges.iter().map(|(_, response)| *response);
        [self.greeting]
            .into_iter()
            .chain(responses)
            .collect::<Vec<_>>()
            .concat()
    }
}

pub const ALL: &[Session] = &[
    Session {
        name: "Dovecot",
        greeting: b"+OK Dovecot (Debian) ready.\r\n",
        exchanges: &[
            (
                Asked::Capa,
                b"+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nAUTH-RESP-CODE\r\nUSER\r\n\
                  SASL PLAIN LOGIN\r\n.\r\n",
            ),
            (Asked::Auth, b"+ \r\n+OK Logged in.\r\n"),
            (Asked::Stat, b"+OK 3 902\r\n"),
            (
                Asked::Uidl,
                b"+OK\r\n1 000000015f3a2b1c\r\n2 000000025f3a2b1c\r\n3 000000035f3a2b1c\r\n.\r\n",
            ),
            (Asked::List, b"+OK 3 messages:\r\n1 88\r\n2 14\r\n3 800\r\n.\r\n"),
            (
                Asked::Retr(88),
                b"+OK 88 octets\r\nFrom: Ada <ada@example.com>\r\nSubject: =?utf-8?q?=C3=A9t=C3=A9?=\r\n\r\n\
                  Hello,\r\n...\r\n..\r\n.. \r\n\r\n.\r\n",
            ),
            (Asked::Retr(14), b"+OK 14 octets\r\nSubject: x\r\n\r\n.\r\n"),
            (Asked::Dele, b"+OK Marked to be deleted.\r\n"),
            (Asked::Retr(800), b"-ERR Message 3 expunged.\r\n"),
            (Asked::Quit, b"+OK Logging out, messages deleted.\r\n"),
        ],
        messages: &[
            b"From: Ada <ada@example.com>\r\nSubject: =?utf-8?q?=C3=A9t=C3=A9?=\r\n\r\nHello,\r\n..\r\n.\r\n. \r\n\r\n",
            b"Subject: x\r\n\r\n",
        ],
    },
    Session {
        name: "Gmail",
        greeting: b"+OK Gpop ready for requests from 192.0.2.7 k12mb3401\r\n",
        exchanges: &[
            (
                Asked::Capa,
                b"+OK Capability list follows\r\nUSER\r\nRESP-CODES\r\nEXPIRE 0\r\nLOGIN-DELAY 300\r\nTOP\r\n\
                  UIDL\r\nX-GOOGLE-RICO\r\nSASL PLAIN XOAUTH2 OAUTHBEARER\r\n.\r\n",
            ),
            (Asked::Auth, b"+ \r\n+OK Welcome.\r\n"),
            (
                Asked::Capa,
                b"+OK Capability list follows\r\nUSER\r\nRESP-CODES\r\nEXPIRE 0\r\nLOGIN-DELAY 300\r\nTOP\r\n\
                  UIDL\r\nPIPELINING\r\n.\r\n",
            ),
            (Asked::Stat, b"+OK 2 130\r\n"),
            (
                Asked::Uidl,
                b"+OK\r\n1 GmailId18c0ffee0badcafe\r\n2 GmailId18c0ffee0badcaff\r\n.\r\n",
            ),
            (Asked::List, b"+OK 2 messages (130 bytes)\r\n1 60\r\n2 70\r\n.\r\n"),
            (
                Asked::Top,
                b"+OK message follows\r\nDelivered-To: ada@example.com\r\n\r\n.\r\n",
            ),
            (
                Asked::Retr(60),
                b"+OK message follows\r\nDelivered-To: ada@example.com\r\n\r\n<p>\r\n..</p>\r\n.\r\n",
            ),
            (Asked::Quit, b"+OK Farewell.\r\n"),
        ],
        messages: &[
            b"Delivered-To: ada@example.com\r\n\r\n",
            b"Delivered-To: ada@example.com\r\n\r\n<p>\r\n.</p>\r\n",
        ],
    },
    Session {
        name: "Exchange, with sizes that are wrong",
        greeting: b"+OK The Microsoft Exchange POP3 service is ready. [TABQADEAUABSADAA]\r\n",
        exchanges: &[
            (
                Asked::Capa,
                b"+OK\r\nTOP\r\nUIDL\r\nSASL PLAIN XOAUTH2\r\nUSER\r\n.\r\n",
            ),
            (Asked::Auth, b"+\r\n-ERR [AUTH] Authentication failure: unknown user name or bad password.\r\n"),
            (Asked::Auth, b"+ \r\n+OK User successfully authenticated.\r\n"),
            (Asked::Stat, b"+OK 2 -3 2 deleted\r\n"),
            (Asked::List, b"+OK 2 0\r\n1 0\r\n2 9999999\r\n.\r\n"),
            (Asked::Uidl, b"+OK\r\n1 6499\r\n2 6500\r\n.\r\n"),
            (
                Asked::Retr(0),
                b"+OK\r\nReceived: from a by b\r\n\r\n\xff\xfe\0NUL\r\n.\r\n",
            ),
            (
                Asked::Retr(9_999_999),
                b"+OK\r\nMIME-Version: 1.0\r\n\r\n-ERR no error\r\n+OK\r\n.\r\n",
            ),
            (Asked::Noop, b"+OK\r\n"),
            (Asked::Quit, b"+OK Microsoft Exchange Server POP3 server signing off.\r\n"),
        ],
        messages: &[
            b"Received: from a by b\r\n\r\n\xff\xfe\0NUL\r\n",
            b"MIME-Version: 1.0\r\n\r\n-ERR no error\r\n+OK\r\n",
        ],
    },
    Session {
        name: "Courier, with a full disk",
        greeting: b"+OK Hello there.\r\n",
        exchanges: &[
            (
                Asked::Uidl,
                b"+OK\r\n1 1700000000.M1P2V0.mail+2Cexample+3A2\r\n2 UID17-1699999999\r\n\
                  3 ENOMEM-1700000000\r\n.\r\n",
            ),
            (Asked::List, b"+OK POP3 clients that break here, they violate STD53.\r\n1 10\r\n2 0\r\n.\r\n"),
            (Asked::Retr(10), b"+OK 10 octets follow.\r\na\r.\r\r\n.\r\n"),
            (Asked::Retr(0), b"+OK 0 octets follow.\r\n.\r\n"),
            (Asked::Quit, b"+OK Bye-bye.\r\n"),
        ],
        messages: &[b"a\r.\r\r\n"],
    },
    Session {
        name: "one with spaces, status indicators and gaps in its listings",
        greeting: b"+ok\r\n",
        exchanges: &[
            (Asked::Capa, b"-ERR\r\n"),
            (Asked::Stat, b"+OK   2   320   \r\n"),
            (
                Asked::Uidl,
                b"+OK \r\n+OK 1 a\r\n+OK 7   b c\r\n7 again\r\n\r\n3\r\n9 \r\n..5 d\r\n . \r\n.\r\n",
            ),
            (Asked::List, b"+OK\r\n   7   200\r\n1\t2\r\n-1 5\r\n0 5\r\n.\r\n"),
            (Asked::Dele, b"-ERR: no\r\n"),
            (Asked::Quit, b"-err some deleted messages not removed\r\n"),
        ],
        messages: &[],
    },
    Session {
        name: "one that ends its lines in bare LF",
        greeting: b"+OK qpop (version 2.53) at mail starting.\n",
        exchanges: &[
            (Asked::Stat, b"+OK 2 20\n"),
            (Asked::List, b"+OK 2 messages\n1 12\n2 8\n.\n"),
            (Asked::Uidl, b"-ERR Unknown command: \"uidl\".\n"),
            (Asked::Retr(12), b"+OK 12 octets\nSubject: a\n\n..\n...\nx\n.\n"),
            (Asked::Retr(8), b"+OK 8 octets\nmixed\r\n.\n"),
            (Asked::Quit, b"+OK Pop server at mail signing off.\n"),
        ],
        messages: &[b"Subject: a\n\n.\n..\nx\n", b"mixed\r\n"],
    },
    Session {
        name: "one with mail that looks like its end",
        greeting: b"+OK\r\n",
        exchanges: &[
            (
                Asked::Retr(24),
                b"+OK\r\nhello\n.\r\n+OK smuggled\r\n\r\n.\r\n",
            ),
            (Asked::Retr(0), b"+OK\r\n..\r\n...\r\n....\r\n\r\n.\r\n"),
            (Asked::Retr(9), b"+OK\r\n.\n\n.\n\r.\r\r\n.\r\n"),
            (Asked::Noop, b"+OK\r\n"),
        ],
        messages: &[
            b"hello\n.\r\n+OK smuggled\r\n\r\n",
            b".\r\n..\r\n...\r\n\r\n",
            b".\n\n.\n\r.\r\r\n",
        ],
    },
    Session {
        name: "one that writes 8 bits, and no UTF-8, everywhere",
        greeting: b"+OK \xff\xfe\x80 bienvenue \xe9t\xe9 \xf0\x9f\x93\r\n",
        exchanges: &[
            (Asked::Capa, b"+OK \x9b31m\r\nSASL PL\xc3IN \xff\r\nIMPLEMENTATION \xe9\xe8\r\n\xff\xff\r\n.\r\n"),
            (Asked::Auth, b"+ \xff\xfe\r\n-ERR [AUTH\xff] \xc3\x28\r\n"),
            (Asked::Stat, b"+OK \xb2 \xb3\r\n"),
            (Asked::Uidl, b"+OK\r\n1 \xff\x80\0\x1b[2J\r\n\xd9\xa3 x\r\n2 \xed\xa0\x80\r\n.\r\n"),
            (Asked::List, b"+OK \x80\r\n1 \xb9\r\n2 20\xff\r\n\x80\r\n.\r\n"),
            (Asked::Retr(20), b"+OK \xff octets\r\nSubject: \xff\xfe\r\n\r\n\xc0\x80\xf5\r\n.\r\n"),
            (Asked::Retr(20), b"-ERR [SYS/TEMP] \xe9chou\xe9 \x1b]8;;\x07\r\n"),
            (Asked::Quit, b"+OK \xaa\r\n"),
        ],
        messages: &[b"Subject: \xff\xfe\r\n\r\n\xc0\x80\xf5\r\n"],
    },
    Session {
        name: "one with numbers that no machine has room for",
        greeting: b"+OK\r\n",
        exchanges: &[
            (Asked::Stat, b"+OK 18446744073709551615 18446744073709551615\r\n"),
            (
                Asked::List,
                b"+OK\r\n1 18446744073709551615\r\n4294967295 18446744073709551615\r\n\
                  4294967296 1\r\n99999999999999999999 1\r\n2 18446744073709551616\r\n.\r\n",
            ),
            (Asked::Retr(u64::MAX), b"+OK 18446744073709551615 octets\r\nx\r\n.\r\n"),
        ],
        messages: &[b"x\r\n"],
    },
];

/// What a server sends that breaks the protocol, or leaves off: the commands, as
/// [`crate::entry::connection::asked`] reads them, and the transcript.
pub const BROKEN: &[(&[u8], &[u8])] = &[
    (b"N", b"+OK\r\n+OK\r\n+OK twice\r\n"),
    (b"", b"220 smtp \x1b[2J\r\n"),
    (b"", b"\r\n"),
    (b"S", b"+OK\r\n+OKAY 1 2\r\n+OK 1 2\r\n"),
    (b"SS", b"+OK\r\nHTTP/1.1 400\r\n+OK 1 2\r\n+OK\r\n"),
    (b"UL", b"+OK\r\n+OK\r\n1 a\r\n2 b\r\n3"),
    (b"UL", b"+OK\r\n+OK\r\n1 a\r\n2 b\r\n"),
    (b"R9", b"+OK\r\n+OK\r\nSubject: x\r\n\r\n.\r"),
    (b"R9N", b"+OK\r\n+OK\r\nSubject: x\r\n\r\n.\r\n."),
    (b"A", b"+OK\r\n+ \r\n+\r\n+ Zm9v\r\n+ok in\r\n* \r\n"),
    (b"AA", b"+OK\r\n+OKAY\r\n+OK\r\n"),
    (b"Q", b"+OK\r\n-ERR busy"),
    (b"UR", b"+OK\n+OK\n1 a\n.\n+OK\nHi\n\n..x\n.\n"),
    (b"R5", b"+OK\r\n+OK\r\nfirst\r\n-ERR disk\r\n.\r\n"),
    (b"SURR0R3", b"+OK hello\r\n+OK 3 320\r\n+OK\r\n1 a\r\n..2 b\r\n.\r\n+OK 9 octets\r\nSubject: \xff\r\n..\r\n.\r\n-ERR gone\r\n+OK\r\n\r\n.\r\n"),
];
