//! `action` and `match`, and what is said of each part of them.

use super::lex::{Kind, Token};
use super::parser::{Parser, Words};
use super::values::{Tags, Value};
use super::{Error, Fate, Surroundings};
use std::ops::Range;

/// What is done with a message.
pub(super) struct Action {
    pub(super) items: Vec<Item>,
}

pub(super) struct Item {
    pub(super) kind: ItemKind,
    /// The lines that say so.
    pub(super) lines: Range<usize>,
}

pub(super) enum ItemKind {
    Maildir(Value),
    /// A file that mail is appended to; `false` where it would be compressed.
    Mbox(Value, bool),
    /// What a shell runs with the mail on its standard input.
    Pipe(Value),
    Keep,
    /// Other actions, by their names.
    Named(Vec<String>),
    /// What has no counterpart, and why.
    Other(&'static str),
}

/// `match CONDITIONS action ...`.
pub(super) struct Rule {
    /// It depends on what is in a message.
    pub(super) conditional: bool,
    /// The accounts that it is for, where it says so.
    pub(super) accounts: Option<Vec<String>>,
    pub(super) items: Vec<Item>,
    pub(super) continues: bool,
    pub(super) lines: Range<usize>,
}

const NO_RULES: &str = "not by itself: all of an account's mail goes into its Maildir, unless you write rules about headers \
     (popfetch.toml(5), RULES)";
const OCTETS: &str = "messages are stored octet for octet";

/// Words of conditions, next to the units of sizes and times.
const CONDITIONS: &[&str] = &[
    "all",
    "not",
    "and",
    "or",
    "matched",
    "unmatched",
    "in",
    "headers",
    "header",
    "body",
    "case",
    "tagged",
    "exec",
    "pipe",
    "returns",
    "size",
    "string",
    "to",
    "age",
    "invalid",
    "in-cache",
    "key",
    "attachment",
    "count",
    "total-size",
    "any-size",
    "any-type",
    "any-name",
];

/// Words in what actions are given.
const ARGUMENTS: &[&str] = &[
    "value",
    "key",
    "server",
    "port",
    "from",
    "to",
    "user",
    "pass",
    "folder",
    "compress",
    "no-verify",
    "no-cram-md5",
    "no-login",
    "starttls",
    "insecure",
];

impl ItemKind {
    fn fate(&self, around: &Surroundings) -> Fate {
        let tags = Tags {
            account: Some(""),
            action: Some(""),
            ..Tags::new(around)
        };
        Fate::nothing(match self {
            Self::Maildir(value) if value.said(&tags).is_none() => {
                "its path is not the same for all mail of an account, as a Maildir's is here"
            }
            Self::Maildir(_) => NO_RULES,
            Self::Mbox(_, false) => "popfetch compresses no mbox file",
            Self::Mbox(..) => {
                "not taken over: `deliver` can append all mail of an account to an mbox file"
            }
            Self::Pipe(_) => {
                "not taken over: `deliver` can hand all mail of an account to a command"
            }
            Self::Keep => "`keep` is the same for all messages of an account",
            Self::Named(_) => NO_RULES,
            Self::Other(why) => why,
        })
    }
}

impl Parser<'_> {
    /// `action NAME ...`.
    pub(super) fn action(&mut self, words: &mut Words) -> Result<(), Error> {
        let start = words.at();
        words.next();
        let name = self.value(words, "an action has no name")?;
        let name = name.said(&Tags::new(self.around));
        let name = name.ok_or_else(|| words.wrong("the action's name is not known"))?;
        if self.actions.contains_key(&name) {
            return Err(words.wrong("an action of this name stands further up"));
        }
        self.users(words)?;
        let is_list = words.peek().is_some_and(|token| token.is_symbol('{'));
        let items = match is_list {
            true => {
                words.next();
                self.tell(words, start..words.at(), &Fate::nothing(NO_RULES));
                let mut items = Vec::new();
                loop {
                    let start = words.at();
                    if words.skip_symbol('}') {
                        self.tell(words, start..words.at(), &Fate::taken("the action ends"));
                        break items;
                    }
                    items.push(self.told(words, start)?);
                }
            }
            false => vec![self.told(words, start)?],
        };
        self.actions.insert(name, Action { items });
        Ok(())
    }

    /// One item, with the lines from `start` on.
    fn told(&mut self, words: &mut Words, start: usize) -> Result<Item, Error> {
        let kind = self.item(words)?;
        let first = self.lines.len();
        self.tell(words, start..words.at(), &kind.fate(self.around));
        Ok(Item {
            kind,
            lines: first..self.lines.len(),
        })
    }

    fn item(&self, words: &mut Words) -> Result<ItemKind, Error> {
        let Some(Kind::Word(word)) = words.next().map(|token| token.kind) else {
            return Err(words.wrong("an action is missing"));
        };
        Ok(match word.as_str() {
            "maildir" => ItemKind::Maildir(self.value(words, "a path is missing")?),
            "keep" => ItemKind::Keep,
            "action" | "actions" => ItemKind::Named(self.names(words)?),
            "drop" => ItemKind::Other("all mail is stored, and none is dropped"),
            "none" => ItemKind::Other("nothing is done"),
            "stdout" => ItemKind::Other("mail goes into a Maildir; `--format paths` prints where"),
            "mbox" => {
                let path = self.value(words, "a path is missing")?;
                ItemKind::Mbox(path, !words.skip_any(&["compress"]))
            }
            "pipe" => ItemKind::Pipe(self.value(words, "a command is missing")?),
            "write" | "append" => {
                self.arguments(words)?;
                ItemKind::Other(
                    "not taken over: `deliver` can append all mail of an account to an mbox file",
                )
            }
            "exec" => {
                self.arguments(words)?;
                ItemKind::Other(
                    "not taken over: `deliver` can hand all mail of an account to a command",
                )
            }
            "smtp" | "imap" | "imaps" => {
                self.arguments(words)?;
                ItemKind::Other("mail goes to no server")
            }
            "rewrite" | "add-header" => {
                self.arguments(words)?;
                ItemKind::Other(OCTETS)
            }
            "remove-header" | "remove-headers" => {
                self.values(words, "a header is missing")?;
                ItemKind::Other(OCTETS)
            }
            "tag" | "add-to-cache" | "to-cache" | "remove-from-cache" => {
                self.arguments(words)?;
                ItemKind::Other("not yet: there are no rules that could ask for it")
            }
            _ => return Err(words.wrong("fdm has no such action")),
        })
    }

    fn arguments(&self, words: &mut Words) -> Result<(), Error> {
        loop {
            if Self::is_value_next(words) && !Self::is_definition_next(words) {
                self.value(words, "a value is missing")?;
            } else if !words.skip_any(ARGUMENTS) {
                return Ok(());
            }
        }
    }

    fn names(&self, words: &mut Words) -> Result<Vec<String>, Error> {
        let values = self.values(words, "an action's name is missing")?;
        let tags = Tags::new(self.around);
        let names = values.into_iter().filter_map(|value| value.said(&tags));
        Ok(names.collect())
    }

    fn users(&self, words: &mut Words) -> Result<(), Error> {
        if words.skip_any(&["user", "users"]) {
            self.values(words, "a user is missing")?;
        }
        Ok(())
    }

    /// `match ...`.
    pub(super) fn rule(&mut self, words: &mut Words) -> Result<(), Error> {
        let start = words.at();
        words.next();
        let (conditional, accounts) = self.conditions(words)?;
        let mut rule = Rule {
            conditional: conditional || self.open.iter().any(|outer| outer.conditional),
            accounts,
            items: Vec::new(),
            continues: false,
            lines: 0..0,
        };
        let is_nested = words.skip_symbol('{');
        if !is_nested {
            words.next();
            let has_name = |words: &Words| {
                let (first, second) = (words.peek(), words.peek_second());
                let braces = first.is_some_and(|token| token.is_symbol('{'));
                match braces {
                    true => second.is_some_and(Token::is_value),
                    false => first.is_some_and(Token::is_value),
                }
            };
            if has_name(words) {
                let kind = ItemKind::Named(self.names(words)?);
                rule.items.push(Item { kind, lines: 0..0 });
            } else if words.skip_symbol('{') {
                while !words.skip_symbol('}') {
                    let kind = self.item(words)?;
                    rule.items.push(Item { kind, lines: 0..0 });
                }
            } else {
                let kind = self.item(words)?;
                rule.items.push(Item { kind, lines: 0..0 });
            }
            rule.continues = words.skip("continue");
        }
        let fate = match &rule.items[..] {
            [] if !rule.conditional => Fate::taken("the rules up to its brace"),
            [only] if !rule.conditional => only.kind.fate(self.around),
            _ => Fate::nothing(NO_RULES),
        };
        let first = self.lines.len();
        self.tell(words, start..words.at(), &fate);
        rule.lines = first..self.lines.len();
        match is_nested {
            true if self.open.len() >= super::parser::MOST_NESTED => {
                return Err(words.wrong("more rules stand within one another than in any config"));
            }
            true => self.open.push(rule),
            false => self.rules.push(self.within(rule)),
        }
        Ok(())
    }

    /// A rule with the accounts of those that it stands within.
    fn within(&self, mut rule: Rule) -> Rule {
        for outer in &self.open {
            match (&rule.accounts, &outer.accounts) {
                // Both would have to hold.
                (Some(_), Some(_)) => rule.conditional = true,
                (None, Some(accounts)) => rule.accounts = Some(accounts.clone()),
                (_, None) => {}
            }
        }
        rule
    }

    /// The brace behind the last of nested rules.
    pub(super) fn close(&mut self, words: &mut Words) -> Result<(), Error> {
        let start = words.at();
        let Some(rule) = self.open.pop() else {
            return Err(words.wrong("no rule's brace is open here"));
        };
        words.next();
        let fate = match rule.conditional {
            true => Fate::nothing("not yet: the rule that ends here has none"),
            false => Fate::taken("the rules end"),
        };
        self.tell(words, start..words.at(), &fate);
        Ok(())
    }

    /// What stands before the actions: whether it is more than accounts, and these.
    fn conditions(&self, words: &mut Words) -> Result<(bool, Option<Vec<String>>), Error> {
        let tags = Tags::new(self.around);
        let mut conditional = false;
        let mut accounts = None;
        let mut any = false;
        loop {
            let Some(token) = words.peek() else {
                return Err(words.wrong("a rule has no action"));
            };
            match &token.kind {
                Kind::Word(word) if word == "action" || word == "actions" => break,
                Kind::Symbol('{') => break,
                Kind::Word(word) if word == "user" || word == "users" => self.users(words)?,
                Kind::Word(word) if word == "account" || word == "accounts" => {
                    words.next();
                    let values = self.values(words, "an account's name is missing")?;
                    let names = values.iter().map(|value| value.said(&tags));
                    let names: Option<Vec<String>> = names.collect();
                    let plain = |name: &String| !name.contains(['[', '\\']);
                    conditional |= accounts.is_some() || any;
                    conditional |= !names.as_ref().is_some_and(|names| names.iter().all(plain));
                    accounts = names;
                }
                Kind::Word(word) if word == "all" && !any => {
                    words.next();
                }
                Kind::Word(word) if word == "tag" && any => break,
                Kind::Word(word) if CONDITIONS.contains(&word.as_str()) => {
                    conditional = true;
                    words.next();
                }
                Kind::Word(_) => {
                    self.unit(words)
                        .ok_or_else(|| words.wrong("this is no condition of fdm's"))?;
                }
                Kind::Symbol('(' | ')' | ',' | '<' | '>' | '=' | '!' | '+') => {
                    words.next();
                }
                Kind::Symbol(_) => return Err(words.wrong("this is no condition of fdm's")),
                _ => {
                    conditional = true;
                    self.value(words, "a condition is missing")?;
                }
            }
            any = true;
        }
        match any {
            true => Ok((conditional, accounts)),
            false => Err(words.wrong("a rule has no condition")),
        }
    }
}
