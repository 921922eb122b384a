//! The config file as a whole, read so that what is wrong in one account leaves the others alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::Account;
use super::proxy::holds_password;
use super::salvage::{self, Fault, Salvaged};
use super::shape::{self, Shape};
use super::syntax::{Mistake, NAMELESS_TABLE, Readable};

/// The whole file.
#[derive(Debug, Default)]
pub(super) struct File {
    /// `[defaults]`: any account key; it holds for each account that does not say otherwise.
    pub defaults: Salvaged<Account>,
    /// `[accounts.NAME]`: one table an account; what is wrong in one leaves the others alone.
    pub accounts: BTreeMap<Spanned<String>, Salvaged<Account>>,
    /// Those of the accounts that are not written as one.
    pub shapes: BTreeMap<String, Shape>,
    /// What is wrong outside of all these tables.
    pub faults: Vec<Fault>,
    /// What is no TOML; all else is what is left without it.
    pub mistakes: Vec<Mistake>,
    /// Of which accounts, because of these, nothing can be said.
    pub torn: Torn,
    /// The accounts that have `disabled = true`, whatever else is in them.
    pub disabled: BTreeSet<String>,
    /// Whether any account has the key `password`, or a password in its `proxy`.
    pub holds_password: bool,
    /// Whether any account has `password-command`, `proxy-command`, `filter-command`, `deliver`, `on-new` or
    /// `oauth.token-command`.
    pub runs_commands: bool,
}

/// What was lost with statements that are no TOML.
#[derive(Debug, Default)]
pub(super) struct Torn {
    /// Something of these accounts.
    accounts: BTreeSet<String>,
    /// Something that may belong to any account.
    any: bool,
    /// Something of the defaults, or a whole table.
    defaults: bool,
}

impl Torn {
    /// Whether all that is written of an account could be read.
    pub(super) fn spares(&self, account: &str) -> bool {
        !self.any && !self.accounts.contains(account)
    }

    /// Whether all of the defaults could be read: otherwise what an account lacks might stand there.
    pub(super) fn knows_defaults(&self) -> bool {
        !self.defaults
    }

    fn of(readable: &Readable, root: &DeTable<'_>) -> Self {
        let mut torn = Self {
            defaults: readable.lost_heading,
            ..Self::default()
        };
        let mut places = Vec::new();
        for (name, value) in root {
            let owner = [name.get_ref().as_ref()];
            tables_in(value, &owner, &mut places);
        }
        // Tables in braces, and those that are there for others to be in, have no heading.
        let is_heading = |at: usize| readable.text.as_bytes().get(at) == Some(&b'[');
        let mut headings: Vec<_> = places.into_iter().filter(|it| is_heading(it.0)).collect();
        headings.sort();
        for cut in &readable.cuts {
            let above = headings.partition_point(|(at, _)| at < cut);
            let heading = above.checked_sub(1).and_then(|at| headings.get(at));
            let path = heading.map_or([].as_slice(), |(_, path)| path);
            match path {
                [table, name, ..] if table == "accounts" => {
                    torn.accounts.insert(name.clone());
                }
                [table, ..] if table == "defaults" => torn.defaults = true,
                [table, ..] if table == NAMELESS_TABLE => {}
                _ => torn.any = true,
            }
        }
        torn
    }
}

/// Where tables begin, with what each is the table of.
fn tables_in(value: &Spanned<DeValue<'_>>, path: &[&str], found: &mut Vec<(usize, Vec<String>)>) {
    match value.get_ref() {
        DeValue::Table(table) => {
            let names = path.iter().map(|name| (*name).to_owned());
            found.push((value.span().start, names.collect()));
            for (name, value) in table {
                let path = [path, &[name.get_ref().as_ref()]].concat();
                tables_in(value, &path, found);
            }
        }
        DeValue::Array(list) => {
            for value in list {
                tables_in(value, path, found);
            }
        }
        _ => {}
    }
}

/// The file's two tables, which have been taken out where they are tables.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Tables {
    #[serde(default, rename = "defaults")]
    _defaults: IgnoredTable,
    #[serde(default, rename = "accounts")]
    _accounts: IgnoredTable,
}

/// A table, whatever is in it.
type IgnoredTable = BTreeMap<String, IgnoredAny>;

impl File {
    /// Reads a file's text. What is wrong stands beside what could be read.
    pub(super) fn parse(text: &str) -> Self {
        let readable = Readable::of(text);
        let mut root = DeTable::parse_recoverable(&readable.text).0;
        let torn = Torn::of(&readable, root.get_ref());
        if readable.lost_heading {
            root.get_mut().remove(NAMELESS_TABLE);
        }
        let mut taken = |name: &str| {
            let is_table = root.get_ref().get(name)?.get_ref().is_table();
            is_table.then(|| root.get_mut().remove(name)).flatten()
        };
        let (defaults, mut written) = (taken("defaults"), taken("accounts"));
        let nameless = written
            .as_mut()
            .and_then(|accounts| shape::take_nameless(salvage::table_in(accounts.get_mut())?));
        // Of defaults that are torn, it cannot be said what they say.
        let defaults = defaults.filter(|_| torn.knows_defaults());
        let defaults: Salvaged<Account> =
            defaults.map_or_else(Salvaged::default, |defaults| salvage::read(&defaults));
        let root = Spanned::new(root.span(), DeValue::Table(root.into_inner()));
        let outside: Salvaged<Tables> = salvage::read(&root);
        let written = written
            .as_ref()
            .and_then(|table| table.get_ref().as_table());
        let has = |key: &str| {
            let tables = written.into_iter().flat_map(|table| table.values());
            tables
                .into_iter()
                .any(|account| account.get_ref().get(key).is_some())
        };
        let has_token_command = written
            .into_iter()
            .flat_map(|table| table.values())
            .filter_map(|account| account.get_ref().get("oauth"))
            .any(|oauth| oauth.get_ref().get("token-command").is_some());
        let of_proxy = |account: &DeValue<'_>| {
            let proxy = account.get("proxy").map(|proxy| proxy.get_ref().clone());
            proxy.is_some_and(|proxy| proxy.as_str().is_some_and(holds_password))
        };
        let its = &defaults.value;
        let proxy_password = written
            .into_iter()
            .flat_map(|table| table.values())
            .any(|account| of_proxy(account.get_ref()))
            || its.proxy.as_ref().is_some_and(|proxy| {
                let server = proxy.get_ref().0.as_ref();
                server.is_some_and(|server| server.login.is_some())
            });
        let disabled =
            |account: &DeValue<'_>| account.get("disabled").and_then(|d| d.get_ref().as_bool());
        let accounts = || written.into_iter().flatten();
        Self {
            disabled: accounts()
                .filter(|(_, account)| disabled(account.get_ref()) == Some(true))
                .map(|(name, _)| name.get_ref().to_string())
                .collect(),
            holds_password: its.password.is_some() || has("password") || proxy_password,
            runs_commands: its.password_command.is_some()
                || its.proxy_command.is_some()
                || its.on_new.is_some()
                || its.filter_command.is_some()
                || has("filter-command")
                || runs_for_tokens(its)
                || its.deliver.is_some()
                || has("deliver")
                || has_token_command
                || has("password-command")
                || has("proxy-command")
                || has("on-new"),
            accounts: accounts()
                .map(|(name, account)| {
                    let place = Spanned::new(name.span(), name.get_ref().to_string());
                    (place, salvage::read(account))
                })
                .collect(),
            shapes: shape::shapes(written),
            faults: outside.faults,
            mistakes: readable.mistakes.into_iter().chain(nameless).collect(),
            torn,
            defaults,
        }
    }
}

fn runs_for_tokens(account: &Account) -> bool {
    let oauth = account.oauth.as_ref();
    oauth.is_some_and(|oauth| oauth.get_ref().token_command.is_some())
}
