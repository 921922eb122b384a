//! The config file as a whole, read so that what is wrong in one account leaves the others alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::{Deserialize, IgnoredAny, IntoDeserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::Account;
use super::proxy::holds_password;

/// The whole file.
#[derive(Debug, Default)]
pub(super) struct File {
    /// `[defaults]`: any account key; it holds for each account that does not say otherwise.
    pub defaults: Account,
    /// `[accounts.NAME]`: one table an account; what is wrong in one leaves the others alone.
    pub accounts: BTreeMap<Spanned<String>, Result<Account, Vec<toml::de::Error>>>,
    /// The accounts that have `disabled = true`, whatever else is in them.
    pub disabled: BTreeSet<String>,
    /// Whether any account has the key `password`, or a password in its `proxy`.
    pub holds_password: bool,
    /// Whether any account has `password-command`, `proxy-command`, `filter-command`, `deliver`, `on-new` or
    /// `oauth.token-command`.
    pub runs_commands: bool,
}

/// The file's two tables, the accounts still as they are written.
#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Tables {
    #[serde(default)]
    defaults: Account,
    #[serde(default)]
    accounts: BTreeMap<Spanned<String>, IgnoredAny>,
}

impl File {
    /// Reads a file's text.
    ///
    /// # Errors
    ///
    /// It is no TOML, there is something wrong in `[defaults]`, or there is another table. What is
    /// wrong in an account is an error of that account.
    pub(super) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let root = DeTable::parse(text)?;
        let written = root.get_ref().get("accounts").cloned();
        let Tables { defaults, accounts } =
            Tables::deserialize(toml::de::Deserializer::from(root))?;
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
        let proxy_password = written
            .into_iter()
            .flat_map(|table| table.values())
            .any(|account| of_proxy(account.get_ref()))
            || defaults.proxy.as_ref().is_some_and(|proxy| {
                let server = proxy.get_ref().0.as_ref();
                server.is_some_and(|server| server.login.is_some())
            });
        let read =
            |name: &Spanned<String>| match written.and_then(|t| t.get(name.get_ref().as_str())) {
                Some(account) => read_account(account),
                None => Ok(Account::default()),
            };
        let disabled =
            |account: &DeValue<'_>| account.get("disabled").and_then(|d| d.get_ref().as_bool());
        let disabled = written
            .into_iter()
            .flatten()
            .filter(|(_, account)| disabled(account.get_ref()) == Some(true));
        Ok(Self {
            disabled: disabled
                .map(|(name, _)| name.get_ref().to_string())
                .collect(),
            holds_password: defaults.password.is_some() || has("password") || proxy_password,
            runs_commands: defaults.password_command.is_some()
                || defaults.proxy_command.is_some()
                || defaults.on_new.is_some()
                || defaults.filter_command.is_some()
                || has("filter-command")
                || runs_for_tokens(&defaults)
                || defaults.deliver.is_some()
                || has("deliver")
                || has_token_command
                || has("password-command")
                || has("proxy-command")
                || has("on-new"),
            accounts: accounts
                .into_keys()
                .map(|name| {
                    let account = read(&name);
                    (name, account)
                })
                .collect(),
            defaults,
        })
    }
}

/// Reads an account; where that fails, key by key, so that all that is wrong is told at once.
fn read_account(written: &Spanned<DeValue<'_>>) -> Result<Account, Vec<toml::de::Error>> {
    let first = match Account::deserialize(written.clone().into_deserializer()) {
        Ok(account) => return Ok(account),
        Err(error) => error,
    };
    let Some(table) = written.get_ref().as_table() else {
        return Err(vec![first]);
    };
    let mut errors: Vec<_> = table
        .iter()
        .filter_map(|(key, value)| {
            let mut one = DeTable::new();
            one.insert(key.clone(), value.clone());
            let one = Spanned::new(written.span(), DeValue::Table(one));
            Account::deserialize(one.into_deserializer()).err()
        })
        .collect();
    errors.sort_by_key(|error| error.span().map_or(0, |span| span.start));
    match errors.is_empty() {
        true => Err(vec![first]),
        false => Err(errors),
    }
}

fn runs_for_tokens(account: &Account) -> bool {
    let oauth = account.oauth.as_ref();
    oauth.is_some_and(|oauth| oauth.get_ref().token_command.is_some())
}
