//! fetchmail's grammar: statements out of words.

use super::keywords::{KEYWORDS, Keyword, Place, Takes};
use super::tokens::{Kind, Token};
use crate::import::Error;
use std::path::Path;

/// A statement.
#[derive(Debug)]
pub(super) struct Statement {
    /// Counted from 1.
    pub(super) line: usize,
    /// As it is written, without passwords.
    pub(super) text: String,
    pub(super) says: Says,
}

/// What a statement says.
#[derive(Debug)]
pub(super) enum Says {
    Defaults,
    Poll { name: String, skip: bool },
    Option(Setting),
}

/// A keyword with what is behind it.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) key: &'static str,
    pub(super) place: Place,
    /// There is a `no` before it.
    pub(super) no: bool,
    pub(super) values: Vec<zeroize::Zeroizing<String>>,
    /// `user`, `is` and `to`: what is named is on the server.
    pub(super) there: bool,
}

pub(super) fn statements(path: &Path, tokens: &[Token]) -> Result<Vec<Statement>, Error> {
    let mut reader = Reader {
        path,
        tokens,
        at: 0,
    };
    let mut statements = Vec::new();
    while let Some(token) = reader.peek() {
        let (from, line) = (reader.at, token.line);
        let says = reader.statement()?;
        let words = tokens.get(from..reader.at).unwrap_or_default();
        let secret = match &says {
            Says::Option(setting) => {
                matches!(setting.key, "password" | "esmtppassword" | "properties")
            }
            _ => false,
        };
        let shown = words.iter().map(|word| match (&word.kind, secret) {
            (Kind::Text(_), true) => "***",
            _ => word.raw.as_str(),
        });
        let text = shown.collect::<Vec<&str>>().join(" ");
        statements.push(Statement { line, text, says });
    }
    Ok(statements)
}

struct Reader<'a> {
    path: &'a Path,
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn wrong(&self, what: &str) -> Error {
        let token = self.peek().or_else(|| self.tokens.last());
        Error::syntax(self.path, token.map_or(1, |token| token.line), what)
    }

    /// The next word, if it is this keyword.
    fn skip(&mut self, word: &str) -> bool {
        let found = self.keyword() == Some(word);
        self.at += usize::from(found);
        found
    }

    fn keyword(&self) -> Option<&'a str> {
        let token = self.peek()?;
        matches!(token.kind, Kind::Keyword).then_some(token.raw.as_str())
    }

    fn text(&mut self) -> Option<zeroize::Zeroizing<String>> {
        let Kind::Text(text) = &self.peek()?.kind else {
            return None;
        };
        self.at += 1;
        Some(text.clone())
    }

    fn number(&mut self) -> Option<zeroize::Zeroizing<String>> {
        let Kind::Number(number) = self.peek()?.kind else {
            return None;
        };
        self.at += 1;
        Some(number.to_string().into())
    }

    fn statement(&mut self) -> Result<Says, Error> {
        let word = self.keyword();
        let word = word.ok_or_else(|| self.wrong("fetchmail has no such keyword"))?;
        match word {
            "defaults" => {
                self.at += 1;
                return Ok(Says::Defaults);
            }
            "poll" | "server" | "skip" => {
                self.at += 1;
                let name = self.text();
                let name = name.ok_or_else(|| self.wrong("a server's name is missing"))?;
                return Ok(Says::Poll {
                    name: name.to_string(),
                    skip: word == "skip",
                });
            }
            _ => {}
        }
        let global = self.skip("set");
        let no = self.skip("no");
        let word = self.keyword();
        let known = KEYWORDS.iter().find(|Keyword(words, place, ..)| {
            word.is_some_and(|word| words.contains(&word)) && (*place == Place::Global) == global
        });
        let Some(Keyword([key, ..], place, takes, negated)) = known else {
            return Err(self.wrong("fetchmail has no such keyword here"));
        };
        if no && !negated {
            return Err(self.wrong("there can be no `no` before this"));
        }
        self.at += 1;
        if global {
            self.skip_equals();
        }
        let mut setting = Setting {
            key,
            place: *place,
            no,
            values: Vec::new(),
            there: false,
        };
        if !no {
            self.values(&mut setting, *takes)?;
        }
        Ok(Says::Option(setting))
    }

    fn skip_equals(&mut self) {
        let is_equals = self
            .peek()
            .is_some_and(|token| matches!(token.kind, Kind::Equals));
        self.at += usize::from(is_equals);
    }

    fn values(&mut self, setting: &mut Setting, takes: Takes) -> Result<(), Error> {
        let values = &mut setting.values;
        match takes {
            Takes::Nothing => return Ok(()),
            Takes::Text => values.extend(self.text()),
            Takes::Number => values.extend(self.number()),
            Takes::Service => values.extend(self.number().or_else(|| self.text())),
            Takes::Texts => values.extend(std::iter::from_fn(|| self.text())),
            Takes::Numbers => values.extend(std::iter::from_fn(|| self.number())),
            Takes::Header => {
                self.number();
                values.extend(self.text());
            }
            Takes::One(words) => {
                let word = self.keyword().filter(|word| words.contains(word));
                self.at += usize::from(word.is_some());
                values.extend(word.map(|word| word.to_owned().into()));
            }
            Takes::Names => return self.names(setting),
        }
        // `starttls=must` need not stand in quotes.
        let is_equals = |token: &Token| matches!(token.kind, Kind::Equals);
        if setting.key == "sslmode" && self.peek().is_some_and(is_equals) {
            self.at += 1;
            let more = self.text().unwrap_or_default();
            if let Some(value) = values.first_mut() {
                value.push('=');
                value.push_str(&more);
            }
        }
        match values.is_empty() {
            true => Err(self.wrong("what a keyword takes is missing, or is of another kind")),
            false => Ok(()),
        }
    }

    /// Names, each perhaps with another after `=`, and whose they are.
    fn names(&mut self, setting: &mut Setting) -> Result<(), Error> {
        let mut mapped = false;
        while let Some(name) = self.text() {
            setting.values.push(name);
            if let Some(Kind::Equals) = self.peek().map(|token| &token.kind) {
                self.at += 1;
                let name = self.text();
                let name = name.ok_or_else(|| self.wrong("a name is missing"))?;
                setting.values.push(name);
                mapped = true;
            }
        }
        let one = setting.values.len() == 1;
        if setting.values.is_empty() {
            return Err(self.wrong("a name is missing"));
        }
        let here = self.skip("here");
        let there = !here && setting.key != "to" && one && self.skip("there");
        setting.there = there || (setting.key == "user" && !here);
        match setting.there && (mapped || !one) {
            true => Err(self.wrong("there is one name of a user there, and `here` is missing")),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::keywords::is_keyword;
    use super::*;
    use crate::import::files::Surroundings;
    use crate::import::model::{Draft, Fate};
    use std::sync::Arc;

    /// The keywords of 6.4.37 (manual), of 6.5 and of 7 (lexer, fetchmailconf and README.PWMD), as they
    /// stand there.
    const OF_6_4: &str = "accept aka and antispam any auth authenticate auto bad-header batchlimit bouncemail \
        bsmtp checkalias cram cram-md5 daemon defaults dns dropdelivered dropstatus envelope esmtpname \
        esmtppassword etrn expunge external fastuidl fetchall fetchdomains fetchlimit fetchsizelimit flush \
        folder folders forcecr gssapi has here idfile idle implicit imap interface interval invisible is keep \
        kerberos kerberos4 kerberos5 kerberos_v4 kerberos_v5 kpop limit limitflush lmtp local localdomains \
        logfile mda mimedec mimedecode monitor msn no ntlm odmr opie options otp pass pass8 pass8bits password \
        pidfile plugin plugout poll pop2 pop3 port post postconnect postmaster pre preauth preauthenticate \
        preconnect principal properties proto protocol qvirtual reject rewrite sdps server service set \
        showdots skip smtp smtpaddress smtphost smtpname softbounce spambounce ssh ssl sslcert sslcertck \
        sslcertfile sslcertpath sslcommonname sslfingerprint sslkey sslproto stripcr syslog there timeout to \
        tracepolls uidl user username via wants warnings with";
    const SINCE: &str = "apop forceidle idletimeout oauthbearer passwordeval passwordfd passwordfile \
        pinentry_timeout pwmd_file pwmd_socket pwmd_socket_args retrieve-error rpop sslmode xoauth2";

    /// Words without a meaning.
    const NOISE: &[&str] = &["and", "has", "options", "wants", "with"];

    #[test]
    fn each_keyword_of_fetchmail_6_4_6_5_and_7_is_known_and_something_becomes_of_it() {
        let words = OF_6_4.split_whitespace().chain(SINCE.split_whitespace());
        for word in words.filter(|word| !NOISE.contains(word)) {
            assert!(is_keyword(word), "{word}");
        }
        let config = Config {
            path: Arc::default(),
            statements: &[],
            accounts: Vec::new(),
            left_out: Vec::new(),
            idfile: None,
        };
        for Keyword(words, place, _, may_be_no) in KEYWORDS {
            for no in [false, *may_be_no] {
                let setting = Setting {
                    key: words[0],
                    place: *place,
                    no,
                    values: vec!["1".to_owned().into()],
                    there: false,
                };
                let around = Surroundings::default();
                let fate = config.take(&setting, &mut Draft::default(), &around);
                let unknown = Fate::nothing("fetchmail has no such keyword");
                assert_ne!(fate, unknown, "nothing becomes of {}", words[0]);
            }
        }
    }
}
