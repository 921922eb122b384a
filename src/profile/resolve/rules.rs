//! The tables of `rules`, as rules that make sense together.

use super::Resolver;
use super::wrong::Wrong;
use crate::profile::ConfigError;
use crate::profile::rule_table::{RuleTable, Then};
use crate::profile::units;
use crate::rules::{Action, Bounds, Conditions, Field, FilterCommand, Rule, Rules, Test};
use std::time::Duration;
use toml::Spanned;

impl Resolver<'_> {
    /// The account's own rules, or else the defaults'.
    pub(super) fn rules(&self, wrong: &mut Wrong) -> Option<Rules> {
        let tables = key!(self.rules).map_or(&[][..], |tables| tables.get_ref());
        let rules = tables.iter().map(|table| wrong.note(self.rule(table)));
        // All are looked at before one that is nothing ends it.
        let rules: Vec<Option<Rule>> = rules.collect();
        let filter = key!(self.filter_command).map(|command| {
            let argv = command.get_ref();
            let is_none = argv.first().is_none_or(String::is_empty)
                || argv.iter().any(|word| word.contains('\0'));
            let good = (!is_none)
                .then(|| FilterCommand::new(argv.clone()))
                .ok_or_else(|| {
                    let wrong =
                        "a command is a program and its arguments, as in [\"my-filter\", \"-x\"]";
                    self.error(command.span(), wrong)
                });
            wrong.note(good)
        });
        let rules = Rules::new(rules.into_iter().collect::<Option<_>>()?).map_err(|fault| {
            let span = tables.get(fault.place).map(Spanned::span);
            self.error(span.unwrap_or_default(), fault.reason.to_string())
        });
        let rules = wrong.note(rules)?;
        Some(match filter {
            Some(filter) => rules.with_filter(filter?),
            None => rules,
        })
    }

    fn rule(&self, table: &Spanned<RuleTable>) -> Result<Rule, ConfigError> {
        let written = table.get_ref();
        let Some(then) = &written.then else {
            return Err(self.lacking(
                &["rules.then"],
                table.span(),
                "a rule needs to say what is done",
                "add a line to it: then = \"skip\"",
            ));
        };
        let mut header = Vec::new();
        for (field, text) in [
            (Field::From, &written.from),
            (Field::To, &written.to),
            (Field::Subject, &written.subject),
            (Field::ListId, &written.list_id),
        ] {
            header.extend(text.as_ref().map(|text| Test {
                field,
                pattern: Some(text.get_ref().0.clone()),
            }));
        }
        let others = written.header.iter().flat_map(|it| &it.get_ref().0);
        header.extend(others.map(|(name, pattern)| Test {
            field: Field::Named(name.clone()),
            pattern: pattern.clone(),
        }));
        let place = then.span();
        let then = then.get_ref();
        if matches!(then, Then::Folder(_)) && self.passes_through() {
            return Err(self.lacking(
                &["maildir"],
                place,
                "there is no Maildir to have this folder: `deliver` takes the messages",
                "name a Maildir beside `deliver`, as in maildir = \"~/Mail/{account}\", or remove the \
                 rule: what takes the messages can sort them",
            ));
        }
        let size = written.size.as_ref().map(|it| it.get_ref().0);
        let age = written.age.as_ref().map(|it| it.get_ref().0);
        let conditions = Conditions {
            size: size.unwrap_or_default(),
            age: age.unwrap_or_default(),
            header,
        };
        Ok(Rule {
            text: in_words(&conditions),
            conditions,
            action: match then {
                Then::Fetch => Action::Fetch,
                Then::Skip => Action::Skip,
                Then::Delete => Action::Delete,
                Then::Folder(folder) => Action::Folder(folder.clone()),
            },
        })
    }
}

fn in_words(conditions: &Conditions) -> String {
    let mut parts = Vec::new();
    let mut add = |what: &str, bounds: Bounds, words: &dyn Fn(u64) -> String| {
        parts.extend(bounds.over.map(|it| format!("{what} > {}", words(it))));
        parts.extend(bounds.under.map(|it| format!("{what} < {}", words(it))));
    };
    add("size", conditions.size, &units::octets);
    add("age", conditions.age, &|seconds| {
        units::duration(Duration::from_secs(seconds))
    });
    parts.extend(conditions.header.iter().map(ToString::to_string));
    match parts.is_empty() {
        true => "every message".to_owned(),
        false => parts.join(", "),
    }
}
