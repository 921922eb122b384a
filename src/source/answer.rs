//! What a server's refusal means: the one place where that is decided, for every command alike.
//!
//! The extended response code counts first (RFC 2449 section 8, RFC 3206), the words that people
//! have found in front of them second; they are data, in [`words`]. What is not known is taken as the
//! occasion suggests: behind a password it is a refused password, so that nobody is locked out by
//! trying it again, and behind RETR it is about that message.

mod words;

use super::phase::Phase;
use crate::exit::Status;
use crate::pop3::ResponseCode;
use std::fmt;
use std::time::Duration;
use words::{CODES, DESPITE_AUTH, ROWS};

/// Nothing that a server asks for keeps us away for longer.
const LONGEST_WAIT: Duration = Duration::from_secs(6 * 60 * 60);

/// So many words may stand in a gap: further apart they need not belong together.
const GAP: usize = 4;

/// What a server has answered a command with, kept: for errors, and for what needs no more than "ok".
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// `+OK`, or `OK`.
    pub ok: bool,
    /// It made nothing of the command: `BAD` of IMAP.
    pub bad: bool,
    /// The extended response code of POP3.
    pub code: Option<ResponseCode>,
    /// The server's words, a code in brackets among them, invalid UTF-8 replaced; hostile.
    pub text: String,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text.as_str() {
            "" => f.write_str("it gave no reason"),
            // Whatever stands between the quotation marks is the server's, to the last of them.
            text => write!(f, "\"{}\"", text.replace('"', "'")),
        }
    }
}

/// What is the matter, as far as the server has said it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Meaning {
    /// Trouble of the server's that passes by itself.
    Passing,
    /// Another session holds the maildrop.
    InUse,
    /// It has given us as much, or let us in as often, as it does in a certain time.
    Limit,
    /// It does not do what it was asked for, or not so, or not now. It has judged nothing else.
    Command,
    /// The credentials, or what their owner may do with them.
    Credentials,
    /// Somebody must mend it.
    Permanent,
    /// The message that it was asked for, and no other.
    Message,
    /// It wants the UTF8 command first (RFC 6856).
    Utf8,
    /// It was no answer.
    Disorder,
}

/// What the server was asked for, as far as it matters for what its words mean.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Occasion {
    /// Nothing yet, or what it can.
    Door,
    SignIn,
    Listing,
    /// RETR, TOP, DELE, QUIT.
    Messages,
}

/// A row of the table: words that mean the same on these occasions.
struct Row {
    at: &'static [Occasion],
    meaning: Meaning,
    /// Each of several words in a row; `a|b` is one of the two, `a*` begins so, and at `..` may be
    /// up to [`GAP`] others.
    words: &'static [&'static str],
}

impl Meaning {
    /// What a refusal means.
    pub fn of(phase: Phase, answer: &Answer) -> Self {
        Self::recognised(phase, answer).unwrap_or(match phase.into() {
            Occasion::Door | Occasion::Listing => Self::Passing,
            Occasion::SignIn => Self::Credentials,
            Occasion::Messages => Self::Message,
        })
    }

    /// The same, `None` where neither code nor words are known.
    pub fn recognised(phase: Phase, answer: &Answer) -> Option<Self> {
        let occasion = phase.into();
        let (code, text) = code_and_text(&answer.text);
        let words = words_of(text);
        match coded(occasion, answer.code, code) {
            Some(Self::Credentials) => Some(first(DESPITE_AUTH, occasion, &words))
                .flatten()
                .or(Some(Self::Credentials)),
            Some(meaning) => Some(meaning),
            None => first(ROWS, occasion, &words).or(answer.bad.then_some(Self::Command)),
        }
    }

    /// What a refused sign-in means. `would_say_auth`: the server announces AUTH-RESP-CODE, so that
    /// what it says without `[AUTH]`, and without a word about them, is not about the credentials
    /// (RFC 3206 section 6).
    pub fn of_sign_in(answer: &Answer, would_say_auth: bool) -> Self {
        Self::recognised(Phase::SignIn, answer).unwrap_or(match would_say_auth {
            true => Self::Passing,
            false => Self::Credentials,
        })
    }

    /// The exit status of a run that cannot go on for it, or cannot begin.
    pub fn status(self) -> Status {
        match self {
            Self::Passing | Self::InUse | Self::Limit | Self::Message | Self::Utf8 => {
                Status::Temporary
            }
            // A command that lets nobody in.
            Self::Credentials | Self::Command => Status::NoPermission,
            Self::Permanent => Status::Unavailable,
            Self::Disorder => Status::Protocol,
        }
    }

    /// Whether it is the session's trouble, and no fault of the message at hand: the others would
    /// be refused as well.
    pub fn is_the_sessions(self) -> bool {
        matches!(self, Self::Passing | Self::InUse | Self::Limit)
    }
}

impl Answer {
    /// A refusal in these words.
    pub(super) fn said(text: &str) -> Self {
        Self {
            ok: false,
            bad: false,
            code: None,
            text: text.to_owned(),
        }
    }

    /// Whether it is for clients alone that take messages in UTF-8 (RFC 6856).
    pub fn asks_for_utf8(&self) -> bool {
        self.code == Some(ResponseCode::Utf8)
    }

    /// Whether it wants TLS first (RFC 5530).
    pub(super) fn wants_tls(&self) -> bool {
        self.has_code("PRIVACYREQUIRED")
    }

    /// Whether what it was asked for has been removed meanwhile (RFC 5530).
    pub(super) fn tells_of_removal(&self) -> bool {
        self.has_code("EXPUNGEISSUED")
    }

    fn has_code(&self, code: &str) -> bool {
        code_and_text(&self.text).0.eq_ignore_ascii_case(code)
    }

    /// How long the server wants to be left alone, where its words say so.
    pub fn wanted_wait(&self) -> Option<Duration> {
        let words = words_of(code_and_text(&self.text).1);
        let pairs = words.iter().zip(words.iter().skip(1));
        let mut waits = pairs
            .filter_map(|(number, unit)| duration(number, unit))
            .chain(words.iter().filter_map(|word| {
                let digits = word.chars().take_while(char::is_ascii_digit).count();
                duration(word.get(..digits)?, word.get(digits..)?)
            }));
        waits.next().map(|wait| wait.min(LONGEST_WAIT))
    }
}

impl From<Phase> for Occasion {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Greeting | Phase::StartTls | Phase::Capabilities => Self::Door,
            Phase::SignIn => Self::SignIn,
            Phase::Listing => Self::Listing,
            Phase::Message(_)
            | Phase::Header(_)
            | Phase::Step
            | Phase::Appending
            | Phase::Deleting(_)
            | Phase::Quit
            | Phase::News => Self::Messages,
        }
    }
}

/// What a response code means: RFC 2449's and RFC 3206's, then those of one vendor or another.
fn coded(occasion: Occasion, code: Option<ResponseCode>, written: &str) -> Option<Meaning> {
    Some(match code {
        Some(ResponseCode::SysTemporary) => Meaning::Passing,
        Some(ResponseCode::InUse) => Meaning::InUse,
        Some(ResponseCode::LoginDelay) => Meaning::Limit,
        Some(ResponseCode::Utf8) => Meaning::Utf8,
        // Of one message: the others may well be had.
        Some(ResponseCode::SysPermanent) if occasion == Occasion::Messages => Meaning::Message,
        Some(ResponseCode::SysPermanent) => Meaning::Permanent,
        // Elsewhere nobody has shown any credentials, or they have been taken.
        Some(ResponseCode::Auth) if occasion == Occasion::SignIn => Meaning::Credentials,
        Some(ResponseCode::Auth) => return None,
        None => {
            let known = CODES
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(written));
            match known?.1 {
                Meaning::Permanent if occasion == Occasion::Messages => Meaning::Message,
                Meaning::Credentials if occasion != Occasion::SignIn => return None,
                meaning => meaning,
            }
        }
    })
}

fn first(rows: &[Row], occasion: Occasion, words: &[String]) -> Option<Meaning> {
    let here = rows.iter().filter(|row| row.at.contains(&occasion));
    let mut matching = here.filter(|row| row.words.iter().any(|pattern| contains(words, pattern)));
    matching.next().map(|row| row.meaning)
}

/// The response code in its brackets, whether it is known or not, and the text behind it.
fn code_and_text(text: &str) -> (&str, &str) {
    let inside = text.strip_prefix('[');
    inside
        .and_then(|inside| inside.split_once(']'))
        .unwrap_or(("", text))
}

/// The words of a text in lower case, without what stands between them.
fn words_of(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace(['\'', '\u{2019}'], "");
    let words = text.split(|c: char| !c.is_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn contains(words: &[String], pattern: &str) -> bool {
    let pattern: Vec<&str> = pattern.split(' ').collect();
    (0..words.len()).any(|start| begins(words.get(start..).unwrap_or_default(), &pattern))
}

fn begins(words: &[String], pattern: &[&str]) -> bool {
    match (pattern, words) {
        ([], _) => true,
        (["..", rest @ ..], _) => (0..=GAP.min(words.len()))
            .any(|skipped| begins(words.get(skipped..).unwrap_or_default(), rest)),
        ([wanted, rest @ ..], [word, behind @ ..]) => {
            wanted.split('|').any(|wanted| is(word, wanted)) && begins(behind, rest)
        }
        (_, []) => false,
    }
}

fn is(word: &str, wanted: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(beginning) => word.starts_with(beginning),
        None => word == wanted,
    }
}

fn duration(number: &str, unit: &str) -> Option<Duration> {
    let count: u64 = number.parse().ok()?;
    let seconds = match unit {
        "millisecond" | "milliseconds" | "ms" => return Some(Duration::from_millis(count)),
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 60 * 60,
        _ => return None,
    };
    Some(Duration::from_secs(count.saturating_mul(seconds)))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wordings_tests;
