//! fetchmail's keywords.

use Place::{Global, Server, User};

/// What a keyword takes behind it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Takes {
    Nothing,
    Text,
    Texts,
    Number,
    Numbers,
    /// Digits, or the name of a service.
    Service,
    /// A number of headers to pass over, perhaps, and the name of one.
    Header,
    /// One of these words.
    One(&'static [&'static str]),
    /// Names there and here, and `here` or `there`.
    Names,
}

/// Where a keyword may stand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    Global,
    Server,
    User,
}

/// A keyword: how it may be written, its own name first; where; what it takes; whether there may be
/// a `no` before it.
pub(super) struct Keyword(
    pub(super) &'static [&'static str],
    pub(super) Place,
    pub(super) Takes,
    pub(super) bool,
);

const PROTOCOLS: &[&str] = &[
    "auto", "AUTO", "pop2", "POP2", "sdps", "SDPS", "pop3", "POP3", "imap", "IMAP", "apop", "APOP",
    "rpop", "RPOP", "etrn", "ETRN", "odmr", "ODMR", "kpop", "KPOP",
];

const METHODS: &[&str] = &[
    "any",
    "password",
    "gssapi",
    "kerberos",
    "kerberos4",
    "kerberos_v4",
    "kerberos5",
    "kerberos_v5",
    "ssh",
    "implicit",
    "external",
    "otp",
    "opie",
    "cram",
    "cram-md5",
    "msn",
    "ntlm",
    "oauthbearer",
    "xoauth2",
];

/// Words that are none of the above and belong to it.
const OTHERS: &[&str] = &[
    "set", "no", "defaults", "server", "poll", "skip", "here", "there", "accept", "reject",
];

pub(super) const KEYWORDS: &[Keyword] = &[
    Keyword(&["daemon"], Global, Takes::Number, false),
    Keyword(&["logfile"], Global, Takes::Text, false),
    Keyword(&["idfile"], Global, Takes::Text, false),
    Keyword(&["pidfile"], Global, Takes::Text, false),
    Keyword(&["postmaster"], Global, Takes::Text, false),
    Keyword(&["bouncemail"], Global, Takes::Nothing, true),
    Keyword(&["spambounce"], Global, Takes::Nothing, true),
    Keyword(&["softbounce"], Global, Takes::Nothing, true),
    Keyword(&["syslog"], Global, Takes::Nothing, true),
    Keyword(&["invisible"], Global, Takes::Nothing, true),
    Keyword(&["showdots"], Global, Takes::Nothing, true),
    Keyword(&["properties"], Global, Takes::Text, false),
    Keyword(&["pinentry_timeout"], Global, Takes::Number, false),
    Keyword(&["via"], Server, Takes::Text, false),
    Keyword(&["aka"], Server, Takes::Texts, false),
    Keyword(&["localdomains", "local"], Server, Takes::Texts, false),
    Keyword(&["protocol", "proto"], Server, Takes::One(PROTOCOLS), false),
    Keyword(&["service", "port"], Server, Takes::Service, false),
    Keyword(&["interval"], Server, Takes::Number, false),
    Keyword(
        &["auth", "authenticate", "preauth", "preauthenticate"],
        Server,
        Takes::One(METHODS),
        false,
    ),
    Keyword(&["timeout"], Server, Takes::Number, false),
    Keyword(&["idletimeout"], Server, Takes::Number, false),
    Keyword(&["envelope"], Server, Takes::Header, true),
    Keyword(&["qvirtual"], Server, Takes::Text, false),
    Keyword(&["interface"], Server, Takes::Text, false),
    Keyword(&["monitor"], Server, Takes::Text, false),
    Keyword(&["plugin"], Server, Takes::Text, false),
    Keyword(&["plugout"], Server, Takes::Text, false),
    Keyword(&["dns"], Server, Takes::Nothing, true),
    Keyword(&["checkalias"], Server, Takes::Nothing, true),
    Keyword(&["uidl"], Server, Takes::Nothing, true),
    Keyword(&["tracepolls"], Server, Takes::Nothing, true),
    Keyword(&["principal"], Server, Takes::Text, false),
    Keyword(&["esmtpname"], Server, Takes::Text, false),
    Keyword(&["esmtppassword"], Server, Takes::Text, false),
    Keyword(
        &["bad-header"],
        Server,
        Takes::One(&["accept", "reject"]),
        false,
    ),
    Keyword(
        &["retrieve-error", "retrieveerror"],
        Server,
        Takes::Text,
        false,
    ),
    Keyword(&["pwmd_socket"], User, Takes::Text, false),
    Keyword(&["pwmd_socket_args"], User, Takes::Text, false),
    Keyword(&["pwmd_file"], User, Takes::Text, false),
    Keyword(&["user", "username"], User, Takes::Names, false),
    Keyword(&["is"], User, Takes::Names, false),
    Keyword(&["to"], User, Takes::Names, false),
    Keyword(&["password", "pass"], User, Takes::Text, false),
    Keyword(&["passwordfile"], User, Takes::Text, false),
    Keyword(&["passwordfd"], User, Takes::Number, false),
    Keyword(&["passwordeval"], User, Takes::Text, false),
    Keyword(&["folder", "folders"], User, Takes::Texts, false),
    Keyword(&["smtphost", "smtp"], User, Takes::Texts, false),
    Keyword(&["fetchdomains"], User, Takes::Texts, false),
    Keyword(&["smtpaddress"], User, Takes::Text, false),
    Keyword(&["smtpname"], User, Takes::Text, false),
    Keyword(&["antispam"], User, Takes::Numbers, false),
    Keyword(&["mda"], User, Takes::Text, false),
    Keyword(&["bsmtp"], User, Takes::Text, false),
    Keyword(&["lmtp"], User, Takes::Nothing, false),
    Keyword(&["preconnect", "pre"], User, Takes::Text, false),
    Keyword(&["postconnect", "post"], User, Takes::Text, false),
    Keyword(&["keep"], User, Takes::Nothing, true),
    Keyword(&["flush"], User, Takes::Nothing, true),
    Keyword(&["limitflush"], User, Takes::Nothing, true),
    Keyword(&["fetchall"], User, Takes::Nothing, true),
    Keyword(&["rewrite"], User, Takes::Nothing, true),
    Keyword(&["forcecr"], User, Takes::Nothing, true),
    Keyword(&["stripcr"], User, Takes::Nothing, true),
    Keyword(&["pass8bits", "pass8"], User, Takes::Nothing, true),
    Keyword(&["dropstatus"], User, Takes::Nothing, true),
    Keyword(&["dropdelivered"], User, Takes::Nothing, true),
    Keyword(&["mimedecode", "mimedec"], User, Takes::Nothing, true),
    Keyword(&["idle"], User, Takes::Nothing, true),
    Keyword(&["forceidle"], User, Takes::Nothing, true),
    Keyword(&["ssl"], User, Takes::Nothing, true),
    Keyword(&["sslkey"], User, Takes::Text, false),
    Keyword(&["sslcert"], User, Takes::Text, false),
    Keyword(&["sslproto"], User, Takes::Text, false),
    Keyword(&["sslmode"], User, Takes::Text, false),
    Keyword(&["sslcertck"], User, Takes::Nothing, true),
    Keyword(&["sslcertfile"], User, Takes::Text, false),
    Keyword(&["sslcertpath"], User, Takes::Text, false),
    Keyword(&["sslcommonname"], User, Takes::Text, false),
    Keyword(&["sslfingerprint"], User, Takes::Text, false),
    Keyword(&["limit"], User, Takes::Number, false),
    Keyword(&["warnings"], User, Takes::Number, false),
    Keyword(&["fetchlimit"], User, Takes::Number, false),
    Keyword(&["fetchsizelimit"], User, Takes::Number, false),
    Keyword(&["fastuidl"], User, Takes::Number, false),
    Keyword(&["batchlimit"], User, Takes::Number, false),
    Keyword(&["expunge"], User, Takes::Number, false),
    Keyword(&["properties"], User, Takes::Text, false),
];

/// Whether it is a word of the grammar.
pub(super) fn is_keyword(word: &str) -> bool {
    let known = |keyword: &Keyword| keyword.0.contains(&word);
    OTHERS.contains(&word)
        || PROTOCOLS.contains(&word)
        || METHODS.contains(&word)
        || KEYWORDS.iter().any(known)
}
