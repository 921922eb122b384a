//! The config file as a whole, read so that what is wrong in one account leaves the others alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::Account;
use super::proxy::holds_password;
use super::salvage::{self, Fault, Salvaged};

/// The whole file.
#[derive(Debug, Default)]
pub(super) struct File {
    /// `[defaults]`: any account key; it holds for each account that does not say otherwise.
    pub defaults: Salvaged<Account>,
    /// `[accounts.NAME]`: one table an account; what is wrong in one leaves the others alone.
    pub accounts: BTreeMap<Spanned<String>, Salvaged<Account>>,
    /// What is wrong outside of all these tables.
    pub faults: Vec<Fault>,
    /// The accounts that have `disabled = true`, whatever else is in them.
    pub disabled: BTreeSet<String>,
    /// Whether any account has the key `password`, or a password in its `proxy`.
    pub holds_password: bool,
    /// Whether any account has `password-command`, `proxy-command`, `filter-command`, `deliver`, `on-new` or
    /// `oauth.token-command`.
    pub runs_commands: bool,
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
    /// Reads a file's text.
    ///
    /// # Errors
    ///
    /// It is no TOML. What is wrong otherwise stands beside what could be read.
    pub(super) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let mut root = DeTable::parse(text)?;
        let mut taken = |name: &str| {
            let is_table = root.get_ref().get(name)?.get_ref().is_table();
            is_table.then(|| root.get_mut().remove(name)).flatten()
        };
        let (defaults, written) = (taken("defaults"), taken("accounts"));
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
        Ok(Self {
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
            faults: outside.faults,
            defaults,
        })
    }
}

fn runs_for_tokens(account: &Account) -> bool {
    let oauth = account.oauth.as_ref();
    oauth.is_some_and(|oauth| oauth.get_ref().token_command.is_some())
}
