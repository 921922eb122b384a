//! What was looked at, how it is, and what to do about it.

use crate::exit::{Diagnose, Status};
use crate::fetch;
use crate::report::Failure;
use crate::term::{Paint, escape_up_to, json_line, wrap_item};
use serde_json::{Map, Value, json};

/// Columns for what was looked at.
const CHECK: usize = 12;

/// What is told of a server's words, in characters.
const TEXT_LIMIT: usize = 1000;

/// What is looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(test, derive(clap::ValueEnum))]
pub(super) enum Check {
    /// The host's name.
    Name,
    /// Each of its addresses.
    Address,
    /// Whether it is connected to.
    Connection,
    /// Its TLS.
    Tls,
    /// Who vouches for it.
    Chain,
    /// How long its certificate is good.
    Expiry,
    /// What to pin it by.
    Pin,
    /// What it says it can do.
    Capa,
    /// The same after the sign-in.
    CapaAfter,
    /// Whether there is something to sign in with.
    Password,
    /// The sign-in.
    SignIn,
    /// Whether it lists.
    Listing,
    /// What it lists.
    List,
    /// Whether messages have unique-ids.
    Uidl,
    /// How much time it wants between two sign-ins.
    LoginDelay,
    /// When it deletes by itself.
    Expire,
    /// What a fetch would stop at.
    Fetch,
    /// Whether it is left alone for now.
    Wait,
    /// Where mail is stored.
    Maildir,
    /// The folders of the Maildir that rules or `into` name.
    Folder,
    /// What takes mail.
    Deliver,
    /// Who else delivers there.
    Deliveries,
    /// What decides where no rule does.
    Filter,
    /// What is run after a fetch.
    OnNew,
    /// The room on the disk.
    Space,
    /// What is remembered.
    State,
    /// The keyring.
    Keyring,
}

impl Check {
    fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Address => "address",
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Chain => "chain",
            Self::Expiry => "expiry",
            Self::Pin => "pin",
            Self::Capa => "capa",
            Self::CapaAfter => "capa-after",
            Self::Password => "password",
            Self::SignIn => "sign-in",
            Self::Listing => "listing",
            Self::List => "list",
            Self::Uidl => "uidl",
            Self::LoginDelay => "login-delay",
            Self::Expire => "expire",
            Self::Fetch => "fetch",
            Self::Wait => "wait",
            Self::Maildir => "maildir",
            Self::Folder => "folder",
            Self::Deliver => "deliver",
            Self::Deliveries => "deliveries",
            Self::Filter => "filter-command",
            Self::OnNew => "on-new",
            Self::Space => "space",
            Self::State => "state",
            Self::Keyring => "keyring",
        }
    }
}

/// How it is.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// A fetch works, but somebody should look at it. What to do.
    Warn(String),
    /// No fetch works.
    Fail(Failure),
}

/// One thing that was looked at.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    /// What, in a word.
    pub(super) check: Check,
    pub(super) verdict: Verdict,
    /// How it is, in words; hostile text until it is shown.
    text: String,
    /// The same for programs.
    data: Vec<(&'static str, Value)>,
    /// To be copied: a line of its own that is never broken.
    is_line: bool,
}

impl Finding {
    pub(super) fn ok(check: Check, text: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Ok,
            text: text.into(),
            data: Vec::new(),
            is_line: false,
        }
    }

    pub(super) fn warn(check: Check, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warn(hint.into()),
            ..Self::ok(check, text)
        }
    }

    pub(super) fn fail(check: Check, error: &dyn Diagnose) -> Self {
        Self::failed(check, fetch::failure(error))
    }

    pub(super) fn failed(check: Check, failure: Failure) -> Self {
        Self {
            text: failure.message.clone(),
            verdict: Verdict::Fail(failure),
            ..Self::ok(check, "")
        }
    }

    /// The same with a value for programs.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.data.push((name, value.into()));
        self
    }

    /// A line to be copied.
    pub(super) fn line(check: Check, text: impl Into<String>) -> Self {
        Self {
            is_line: true,
            ..Self::ok(check, text)
        }
    }

    /// What failed here.
    pub(super) fn failure(&self) -> Option<&Failure> {
        match &self.verdict {
            Verdict::Fail(failure) => Some(failure),
            Verdict::Ok | Verdict::Warn(_) => None,
        }
    }

    pub(super) fn is_ok(&self) -> bool {
        matches!(self.verdict, Verdict::Ok)
    }

    /// Its lines, each with its LF.
    pub(super) fn lines(&self, paint: Paint, columns: Option<usize>) -> String {
        let (word, colour): (_, fn(Paint, &str) -> String) = match self.verdict {
            Verdict::Ok => ("ok  ", |_, word| word.to_owned()),
            Verdict::Warn(_) => ("warn", |paint, word| paint.warning(word)),
            Verdict::Fail(_) => ("fail", |paint, word| paint.error(word)),
        };
        let label = format!("  {word}  {:CHECK$}", self.check.word());
        let text = escape_up_to(&self.text, TEXT_LIMIT);
        let mut text = match self.is_line {
            true => format!("{label}{text}\n"),
            false => wrap_item(&label, &text, columns) + "\n",
        };
        let hint = match &self.verdict {
            Verdict::Ok => None,
            Verdict::Warn(hint) => Some(hint),
            Verdict::Fail(failure) => failure.hint.as_ref().filter(|hint| !hint.is_empty()),
        };
        if let Some(hint) = hint {
            let margin = " ".repeat(label.len());
            text += &(wrap_item(&margin, &escape_up_to(hint, TEXT_LIMIT), columns) + "\n");
        }
        // Colour takes no column, so it comes last.
        text.replacen(word, &colour(paint, word), 1)
    }

    /// An event for programs, which has the same first fields whatever was looked at.
    pub(super) fn json(&self, account: &str) -> Vec<u8> {
        let mut object = Map::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("event", json!("check"));
        put("account", json!(account));
        put("check", json!(self.check.word()));
        let (verdict, status, hint) = match &self.verdict {
            Verdict::Ok => ("ok", Status::Ok, None),
            Verdict::Warn(hint) => ("warn", Status::Ok, Some(hint)),
            Verdict::Fail(failure) => ("fail", failure.status, failure.hint.as_ref()),
        };
        put("verdict", json!(verdict));
        put("text", json!(self.text));
        put("hint", json!(hint.filter(|hint| !hint.is_empty())));
        put("status", json!(status.code()));
        for (name, value) in &self.data {
            put(name, value.clone());
        }
        json_line(&object).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;
    use std::collections::BTreeSet;

    #[test]
    fn the_schema_has_a_word_for_each_thing_that_is_looked_at_and_no_other() {
        let schema: Value = serde_json::from_str(include_str!("../schema.json")).unwrap();
        let path = "/$defs/account test/oneOf/0/properties/check/enum";
        let known = schema.pointer(path).and_then(Value::as_array).unwrap();
        let known: BTreeSet<&str> = known.iter().filter_map(Value::as_str).collect();
        let words = Check::value_variants().iter().map(|check| check.word());
        assert_eq!(known, words.collect());
    }
}
