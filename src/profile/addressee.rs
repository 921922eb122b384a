//! The account that another account's messages are handed to.

use super::config::Config;
use super::deliver::Deliver;
use super::diagnose::ConfigError;
use super::overrides::Overrides;
use super::problem::{Problem, Within};
use super::words::nearest;
use super::{Profile, Server, Typed, providers, resolve};
use std::collections::{HashMap, HashSet};

/// The accounts that hand on to others, by their users' names without domains: each is looked up as often as there are
/// accounts, of which there may be thousands.
pub(super) type HandingOn = HashMap<String, Vec<Named>>;

/// An account, as it is written.
#[derive(Debug)]
pub(super) struct Named {
    name: String,
    user: String,
    host: String,
}

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
        let server = &account.server;
        let all = self.handing_on.get_or_init(|| self.accounts_handing_on());
        let alike = all.get(start_of(&user(&server.user))).into_iter().flatten();
        let alike = alike.filter(|it| {
            it.name != account.name
                && is_same_user(&it.user, &user(&server.user))
                && is_same_place(&it.host, &server.host)
        });
        let others = alike.filter_map(|it| self.resolved(&it.name));
        let mut found: Vec<Profile> = others
            .filter(|it| is_same_mailbox(&it.server, server))
            .collect();
        found.push(account);
        found
    }

    fn accounts_handing_on(&self) -> HandingOn {
        let defaults = &self.file.defaults.value;
        let mut all = HandingOn::new();
        for (name, account) in &self.file.accounts {
            let account = &account.value;
            // One that is left alone has what it has by accident, perhaps.
            let is_left = self.is_disabled(name.get_ref());
            let inherited = defaults.deliver.as_ref().filter(|_| !is_left);
            let deliver = account.deliver.as_ref().or(inherited);
            let own = account.user.as_ref().or(defaults.user.as_ref());
            let host = account.host.as_ref().or(defaults.host.as_ref());
            if let (Some(own), Some(host)) = (own, host)
                && deliver.is_some_and(|it| it.get_ref().account.is_some())
            {
                let user = user(own.get_ref());
                let start = start_of(&user).to_owned();
                all.entry(start).or_default().push(Named {
                    name: name.get_ref().clone(),
                    user,
                    host: host.get_ref().to_lowercase(),
                });
            }
        }
        all
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

/// Whether two accounts are the same mailbox, as far as that shows: by POP3 and by IMAP, say.
fn is_same_mailbox(one: &Server, other: &Server) -> bool {
    let usual = |it: &Server| [it.protocol.tls_port(), it.protocol.plain_port()].contains(&it.port);
    // At the ends of tunnels there are others behind each port.
    let may_be_tunnels = place(&one.host) == LOOPBACK;
    let is_one_port = one.port == other.port || !may_be_tunnels && usual(one) && usual(other);
    let is_there = place(&one.host) == place(&other.host) && is_one_port
        || is_same_provider(&one.host, &other.host);
    is_same_user(&user(&one.user), &user(&other.user)) && is_there
}

/// Whether two hosts may be one place's, whatever their ports.
fn is_same_place(one: &str, other: &str) -> bool {
    // Two spellings of a name beyond ASCII show only once they are resolved.
    !one.is_ascii() || place(one) == place(other) || is_same_provider(one, other)
}

fn is_same_provider(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|it| providers::of_host(it).map(|it| it.name));
    one.is_some() && one == other
}

/// A user's name without its case, and without Gmail's other way to see the same mail.
fn user(name: &str) -> String {
    let name = name.to_lowercase();
    name.strip_prefix("recent:")
        .map_or(name.clone(), str::to_owned)
}

/// What is left of a user's name without its domain.
fn start_of(user: &str) -> &str {
    user.split_once('@').map_or(user, |(start, _)| start)
}

/// Whether two names are one user's at a place: many servers take them with their domain and without.
fn is_same_user(one: &str, other: &str) -> bool {
    match (one.split_once('@'), other.split_once('@')) {
        (Some((start, _)), None) => start == other,
        (None, Some((start, _))) => start == one,
        (None, None) | (Some(_), Some(_)) => one == other,
    }
}

const LOOPBACK: &str = "localhost";

/// A host without what tells the servers of one place apart. `mail` may be another one, that has been moved from.
fn place(host: &str) -> &str {
    const KINDS: [&str; 6] = ["imap", "imap4", "imaps", "pop", "pop3", "pops"];
    if matches!(host, "127.0.0.1" | "::1") {
        return LOOPBACK;
    }
    match host.split_once('.') {
        Some((kind, rest)) if KINDS.contains(&kind) && rest.contains('.') => rest,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_same_user, place};

    #[test]
    fn a_user_is_the_same_with_a_domain_and_without() {
        for (one, other, same) in [
            ("ada", "ada", true),
            ("ada", "ada@example.com", true),
            ("ada@example.com", "ada", true),
            ("ada@example.com", "ada@example.org", false),
            ("ada", "bob@example.com", false),
        ] {
            assert_eq!(is_same_user(one, other), same, "{one} {other}");
        }
    }

    #[test]
    fn the_servers_of_one_place_are_told_apart_by_their_kind() {
        for (host, there) in [
            ("imap.example.com", "example.com"),
            ("pop3.example.com", "example.com"),
            ("example.com", "example.com"),
            ("mail.example.com", "mail.example.com"),
            ("mail.com", "mail.com"),
            ("a.example.com", "a.example.com"),
            ("::1", "localhost"),
        ] {
            assert_eq!(place(host), there);
        }
    }
}
