//! Which accounts of the config file are one mailbox, as far as that shows.

use super::file::Account;
use super::salvage::Salvaged;
use super::{Server, providers};
use std::collections::{BTreeMap, HashMap};
use toml::Spanned;

/// The accounts that hand on to others, by their users' names, and once more by what such a name begins with where it
/// has a domain: each account asks for some of them, and there may be thousands.
#[derive(Debug)]
pub(super) struct HandingOn(HashMap<String, Vec<Named>>);

/// An account, as it is written.
#[derive(Clone, Debug)]
struct Named {
    name: String,
    host: String,
}

impl HandingOn {
    /// Those of a file. One that is disabled counts where it says itself what takes its mail.
    pub(super) fn of(
        accounts: &BTreeMap<Spanned<String>, Salvaged<Account>>,
        defaults: &Account,
        is_disabled: impl Fn(&str) -> bool,
    ) -> Self {
        let mut all: HashMap<String, Vec<Named>> = HashMap::new();
        for (name, account) in accounts {
            let (name, account) = (name.get_ref(), &account.value);
            let inherited = defaults.deliver.as_ref().filter(|_| !is_disabled(name));
            let deliver = account.deliver.as_ref().or(inherited);
            let own = account.user.as_ref().or(defaults.user.as_ref());
            let host = account.host.as_ref().or(defaults.host.as_ref());
            if let (Some(own), Some(host)) = (own, host)
                && deliver.is_some_and(|it| it.get_ref().account.is_some())
            {
                let user = user(own.get_ref());
                let named = Named {
                    name: name.clone(),
                    host: host.get_ref().to_lowercase(),
                };
                if let Some((start, _)) = user.split_once('@') {
                    let of_start = all.entry(with_any_domain(start)).or_default();
                    of_start.push(named.clone());
                }
                all.entry(user).or_default().push(named);
            }
        }
        Self(all)
    }

    /// The names of those that may be this mailbox, by what is written of them.
    pub(super) fn perhaps_of(&self, server: &Server) -> impl Iterator<Item = &str> {
        let user = user(&server.user);
        let otherwise = match user.split_once('@') {
            Some((start, _)) => start.to_owned(),
            None => with_any_domain(&user),
        };
        let alike = [user, otherwise].into_iter();
        let alike = alike.filter_map(|user| self.0.get(&user)).flatten();
        let alike = alike.filter(|it| is_same_place(&it.host, &server.host));
        alike.map(|it| it.name.as_str())
    }
}

/// Whether two accounts are the same mailbox, as far as that shows: by POP3 and by IMAP, say.
pub(super) fn is_same_mailbox(one: &Server, other: &Server) -> bool {
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

/// What stands for the names of all users that begin so.
fn with_any_domain(start: &str) -> String {
    format!("{start}@")
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
