//! The account that another account's messages are handed to.

use super::config::Config;
use super::deliver::Deliver;
use super::diagnose::ConfigError;
use super::overrides::Overrides;
use super::problem::{Problem, Within};
use super::words::nearest;
use super::{Profile, Server, Typed, providers, resolve};

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
        let mut next = other.deliver.as_ref().and_then(Deliver::folder).cloned();
        let mut seen = 0;
        while let Some(folder) = next.take() {
            seen += 1;
            let further = accounts.get_key_value(folder.account.as_str());
            let further = further.and_then(|(name, account)| {
                let defaults = &self.file.defaults;
                resolve::profile(source, name, account, defaults, &overrides).ok()
            });
            let comes_back = further
                .as_ref()
                .is_some_and(|it| is_same_mailbox(&it.server, &profile.server));
            if folder.account == profile.name || comes_back || seen > accounts.len() {
                return wrong(
                    format!(
                        "mail would go round: it comes back from account `{}`",
                        other.name
                    ),
                    "let one of these accounts keep its mail",
                );
            }
            let deliver = further.and_then(|it| it.deliver);
            next = deliver.as_ref().and_then(Deliver::folder).cloned();
        }
        let named = self.path().filter(|_| self.is_named);
        Ok(Some(Box::new(Profile {
            typed: Typed::account(named, &overrides),
            ..other
        })))
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
    let provider = |it: &Server| providers::of_host(&it.host).map(|it| it.name);
    // Gmail's other way to see the same mail.
    let user = |it: &Server| {
        let user = it.user.to_lowercase();
        user.strip_prefix("recent:")
            .map_or(user.clone(), str::to_owned)
    };
    // At the ends of tunnels there are others behind each port.
    let may_be_tunnels = place(&one.host) == LOOPBACK;
    let is_one_port = one.port == other.port || !may_be_tunnels && usual(one) && usual(other);
    let is_there = place(&one.host) == place(&other.host) && is_one_port
        || provider(one).is_some() && provider(one) == provider(other);
    is_same_user(&user(one), &user(other)) && is_there
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
