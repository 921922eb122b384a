//! Where all of an account's mail goes, whatever is in it.

use super::account::Account;
use super::parser::Parser;
use super::rules::{Item, ItemKind, Rule};
use super::values::Tags;
use std::ops::Range;
use std::path::PathBuf;

/// Items that one rule may come to, by actions that name others.
const MOST_ITEMS: usize = 1000;

/// Actions that may name one another, as in fdm.
const MOST_CALLS: usize = 5;

/// What becomes of all mail of an account.
#[derive(Default)]
pub(super) struct Target {
    pub(super) maildirs: Vec<Place>,
    /// What else takes all of it.
    pub(super) takers: Vec<(Taker, Place)>,
    /// Something takes it that cannot be said here.
    pub(super) is_more: bool,
    /// It stays on the server, by these lines.
    pub(super) kept: Vec<Range<usize>>,
    /// Some stays on the server, and some does not.
    pub(super) unsure: bool,
}

/// What takes mail that is no Maildir.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Taker {
    /// An mbox file.
    Mbox,
    /// A command for a shell.
    Pipe,
}

/// Where all mail goes to.
pub(super) struct Place {
    /// A path, or the command.
    pub(super) path: String,
    /// The lines of the rule and of its action.
    pub(super) lines: Vec<Range<usize>>,
}

impl Parser<'_> {
    /// What the rules do with all mail of an account.
    pub(super) fn target(&self, account: &Account) -> Target {
        let mut target = Target::default();
        let mut settled = false;
        let folder = account.only_folder();
        let account = account.name.as_str();
        for rule in self.rules.iter().filter(|rule| rule.is_for(account)) {
            let mut found = Vec::new();
            let mut all = true;
            for item in &rule.items {
                all &= self.flatten(item, None, 0, &mut found);
            }
            let keeps = found
                .iter()
                .any(|(item, _)| matches!(item.kind, ItemKind::Keep));
            if rule.conditional || !all {
                target.unsure |= keeps || !all;
                continue;
            }
            for (item, action) in found {
                match &item.kind {
                    ItemKind::Keep => {
                        target.kept.push(rule.lines.clone());
                        target.kept.push(item.lines.clone());
                    }
                    ItemKind::Maildir(value)
                    | ItemKind::Mbox(value, true)
                    | ItemKind::Pipe(value) => {
                        let tags = Tags {
                            account: Some(account),
                            action,
                            folder,
                            ..Tags::new(self.around)
                        };
                        let Some(text) = value.said(&tags) else {
                            target.is_more |= !matches!(item.kind, ItemKind::Maildir(_));
                            continue;
                        };
                        match item.kind {
                            ItemKind::Pipe(_) => target.is_taken_by(Taker::Pipe, text, rule, item),
                            ItemKind::Mbox(..) => {
                                let path = self.around.rewritten(&text);
                                target.is_taken_by(Taker::Mbox, path, rule, item);
                            }
                            _ => target.goes_to(self.around.rewritten(&text), rule, item),
                        }
                    }
                    ItemKind::Mbox(_, false) => target.is_more = true,
                    _ => {}
                }
            }
            if !rule.continues {
                settled = true;
                break;
            }
        }
        target.unsure |= !settled && !self.options.drops_unmatched;
        target
    }

    /// The Maildirs that any mail of an account may be in, and whether some are not known.
    pub(super) fn maildirs(&self, account: &Account) -> (Vec<PathBuf>, bool) {
        let mut paths = Vec::new();
        let mut is_unknown = false;
        let folders = account.all_folders();
        for rule in self.rules.iter().filter(|rule| rule.is_for(&account.name)) {
            let mut found = Vec::new();
            for item in &rule.items {
                is_unknown |= !self.flatten(item, None, 0, &mut found);
            }
            for (item, action) in found {
                let ItemKind::Maildir(value) = &item.kind else {
                    continue;
                };
                for folder in &folders {
                    let tags = Tags {
                        account: Some(&account.name),
                        action,
                        folder: Some(folder),
                        ..Tags::new(self.around)
                    };
                    match value.said(&tags) {
                        Some(text) => paths.push(self.around.path(&text)),
                        None => is_unknown = true,
                    }
                }
            }
        }
        (paths, is_unknown)
    }

    /// The items that an item comes to, with the action that each is of; `false` where there are too
    /// many.
    fn flatten<'p>(
        &'p self,
        item: &'p Item,
        action: Option<&'p str>,
        calls: usize,
        found: &mut Vec<(&'p Item, Option<&'p str>)>,
    ) -> bool {
        let ItemKind::Named(names) = &item.kind else {
            found.push((item, action));
            return found.len() <= MOST_ITEMS;
        };
        if calls == MOST_CALLS {
            return false;
        }
        names.iter().all(|wanted| {
            let known = self
                .actions
                .iter()
                .filter(|(name, _)| is_like(wanted, name));
            let mut items =
                known.flat_map(|(name, action)| action.items.iter().map(move |item| (name, item)));
            items.all(|(name, item)| self.flatten(item, Some(name), calls + 1, found))
        })
    }
}

impl Target {
    fn goes_to(&mut self, path: String, rule: &Rule, item: &Item) {
        let lines = vec![rule.lines.clone(), item.lines.clone()];
        match self.maildirs.iter_mut().find(|place| place.path == path) {
            Some(place) => place.lines.extend(lines),
            None => self.maildirs.push(Place { path, lines }),
        }
    }

    fn is_taken_by(&mut self, taker: Taker, path: String, rule: &Rule, item: &Item) {
        let lines = vec![rule.lines.clone(), item.lines.clone()];
        let is_it = |(other, place): &&mut (Taker, Place)| *other == taker && place.path == path;
        match self.takers.iter_mut().find(is_it) {
            Some((_, place)) => place.lines.extend(lines),
            None => self.takers.push((taker, Place { path, lines })),
        }
    }
}

impl Rule {
    fn is_for(&self, account: &str) -> bool {
        let accounts = self.accounts.as_ref();
        accounts.is_none_or(|names| names.iter().any(|name| is_like(name, account)))
    }
}

/// Whether a name is meant by a pattern with `*` and `?`.
fn is_like(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    // Where the last star stands, and how far the name has gone with it.
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(b'?') => (p, n) = (p + 1, n + 1),
            Some(octet) if Some(octet) == name.get(n) => (p, n) = (p + 1, n + 1),
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, n) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    let rest = pattern.get(p..).unwrap_or_default();
    rest.iter().all(|octet| *octet == b'*')
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn a_star_is_anything_and_a_question_mark_one_octet() {
        for (pattern, name) in [
            ("a", "a"),
            ("*", ""),
            ("a*c", "abbc"),
            ("*?", "x"),
            ("*b*d", "abcd"),
        ] {
            assert!(is_like(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("a", "b"),
            ("a?", "a"),
            ("a*c", "abb"),
            ("", "a"),
            ("ab", "a"),
        ] {
            assert!(!is_like(pattern, name), "{pattern} {name}");
        }
    }
}
