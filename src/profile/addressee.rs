//! The account that another account's messages are handed to.

use super::config::Config;
use super::deliver::Deliver;
use super::diagnose::ConfigError;
use super::mailbox::{HandingOn, is_same_mailbox};
use super::overrides::Overrides;
use super::problem::{Problem, Within};
use super::words::nearest;
use super::{Profile, Typed, resolve};
use std::collections::HashSet;

impl Config {
    /// The account that another one's messages are handed to, if they are.
    pub(super) fn addressee(&self, profile: &Profile) -> Result<Option<Box<Profile>>, ConfigError> {
        let Some(folder) = profile.deliver.as_ref().and_then(Deliver::folder) else {
            return Ok(None);
        };
        let wrong = |what: String, hint: &str| {
            Err(self.wrong_deliver(&profile.name, what, hint.to_owned()))
        };
        let accounts = &self.file.accounts;
        let (Some(source), Some((name, account))) = (
            &self.source,
            accounts.get_key_value(folder.account.as_str()),
        ) else {
            let what = format!("there is no account `{}` to deliver to", folder.account);
            let known: Vec<String> = self.accounts().map(str::to_owned).collect();
            let near = nearest(&folder.account, &known);
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            let hint = hint.unwrap_or_else(|| "`account` names another table of this file".into());
            return wrong(what, &hint);
        };
        let overrides = Overrides::default();
        let other = resolve::profile(source, name, account, &self.file.defaults, &overrides)?;
        if !other.server.protocol.takes_messages() {
            return wrong(
                format!(
                    "account `{}` is one of POP3, which takes no messages",
                    folder.account
                ),
                "the account that takes them needs protocol = \"imap\"",
            );
        }
        if is_same_mailbox(&other.server, &profile.server) {
            return wrong(
                format!(
                    "account `{}` is the same mailbox by another name",
                    folder.account
                ),
                "name an account of another mailbox",
            );
        }
        // One after the other, each would bring its mail back to where it came from.
        if let Some(last) = self.brings_back(profile, &other) {
            return wrong(
                format!("mail would go round: it comes back from account `{last}`"),
                "let one of these accounts keep its mail",
            );
        }
        let named = self.path().filter(|_| self.is_named);
        Ok(Some(Box::new(Profile {
            typed: Typed::account(named, &overrides),
            ..other
        })))
    }

    /// The account that brings what `first` is given back to where `profile` fetches it: each mailbox is followed, by
    /// whichever of its accounts it is fetched.
    fn brings_back(&self, profile: &Profile, first: &Profile) -> Option<String> {
        let mut seen = HashSet::from([first.name.clone()]);
        let mut ahead = vec![first.clone()];
        while let Some(at) = ahead.pop() {
            for next in self.handing_on_from(at) {
                let Some(folder) = next.deliver.as_ref().and_then(Deliver::folder) else {
                    continue;
                };
                let goes_round = [&profile.name, &first.name, &next.name];
                if goes_round.contains(&&folder.account) {
                    return Some(next.name);
                }
                if !seen.insert(folder.account.clone()) {
                    continue;
                }
                let further = self.resolved(&folder.account);
                if let Some(further) = further {
                    if is_same_mailbox(&further.server, &profile.server) {
                        return Some(next.name);
                    }
                    ahead.push(further);
                }
            }
        }
        None
    }

    /// This account, and the others of its mailbox that hand on.
    fn handing_on_from(&self, account: Profile) -> Vec<Profile> {
        let all = self.handing_on.get_or_init(|| {
            let is_disabled = |name: &str| self.is_disabled(name);
            HandingOn::of(&self.file.accounts, &self.file.defaults.value, is_disabled)
        });
        let others = all.perhaps_of(&account.server);
        let others = others.filter(|name| *name != account.name);
        let others = others.filter_map(|name| self.resolved(name));
        let mut found: Vec<Profile> = others
            .filter(|it| is_same_mailbox(&it.server, &account.server))
            .collect();
        found.push(account);
        found
    }

    fn resolved(&self, name: &str) -> Option<Profile> {
        let (name, account) = self.file.accounts.get_key_value(name)?;
        let source = self.source.as_ref()?;
        let overrides = Overrides::default();
        resolve::profile(source, name, account, &self.file.defaults, &overrides).ok()
    }

    /// An error at the account that `deliver` names.
    fn wrong_deliver(&self, name: &str, message: String, help: String) -> ConfigError {
        let own = self.file.accounts.get(name);
        let own = own.and_then(|account| account.value.deliver.as_ref());
        let written = own.or(self.file.defaults.value.deliver.as_ref());
        let account = written.and_then(|it| Some(it.get_ref().account.as_ref()?.span()));
        let (Some(source), Some(span)) = (&self.source, account) else {
            return ConfigError::UnknownAccount {
                name: name.to_owned(),
                known: Vec::new(),
            };
        };
        ConfigError::Invalid(Box::new(Problem {
            source: source.clone(),
            span,
            message,
            help: Some(help),
            unknown_key: false,
            within: Within::Account(name.to_owned()),
            lacks: &[],
        }))
    }
}
