//! What stands for something else in the words of a command, and what a program finds in its
//! environment.

use super::{Letter, Owner};
use crate::durable::line::escape;

/// What may stand in braces.
const NAMES: [&str; 5] = ["account", "user", "host", "unique-id", "octets"];

/// The values for one message.
pub struct Words {
    values: [String; 5],
    unique_id: String,
}

impl Words {
    /// For this message.
    pub fn new(owner: &Owner, letter: &Letter) -> Self {
        // What a server makes up must not become an option, nor a word of two lines.
        let unique_id = letter.unique_id.as_deref().map(escape).unwrap_or_default();
        let argument = match unique_id.strip_prefix('-') {
            Some(rest) => format!("%2D{rest}"),
            None => unique_id.clone(),
        };
        Self {
            values: [
                owner.account.clone(),
                owner.user.clone(),
                owner.host.clone(),
                argument,
                letter.octets.to_string(),
            ],
            unique_id,
        }
    }

    /// A word of the config file with the values in it. In one pass, so that a value that looks like
    /// another name stays as it is.
    pub fn fill(&self, template: &str) -> String {
        let mut filled = String::new();
        let mut rest = template;
        while let Some(at) = rest.find('{') {
            let (before, from) = rest.split_at(at);
            filled.push_str(before);
            let is_shells = before.ends_with('$');
            let known = NAMES.iter().zip(&self.values).find_map(|(name, value)| {
                let behind = from.strip_prefix('{')?.strip_prefix(name)?;
                Some((value.as_str(), behind.strip_prefix('}')?))
            });
            let (value, behind) = known
                .filter(|_| !is_shells)
                .unwrap_or_else(|| from.split_at(1));
            filled.push_str(value);
            rest = behind;
        }
        filled + rest
    }

    /// The variables of a program's environment.
    pub fn environment(&self) -> Vec<(&'static str, &str)> {
        let [account, user, host, _, octets] = &self.values;
        vec![
            ("POPFETCH_ACCOUNT", account),
            ("POPFETCH_USER", user),
            ("POPFETCH_HOST", host),
            ("POPFETCH_UNIQUE_ID", &self.unique_id),
            ("POPFETCH_OCTETS", octets),
        ]
    }
}

/// The first word in braces that stands for nothing, and the names that do. A shell's `${name}` is the
/// shell's.
pub fn unknown_word(template: &str) -> Option<(String, &'static [&'static str])> {
    let of_a_name = |c: char| c.is_ascii_alphabetic() || c == '-' || c == '_';
    let opened = template.match_indices('{').filter_map(|(at, _)| {
        let (before, from) = template.split_at(at);
        let (name, _) = from.strip_prefix('{')?.split_once('}')?;
        (!before.ends_with('$')).then_some(name)
    });
    let mut names = opened.filter(|name| !name.is_empty() && name.chars().all(of_a_name));
    let unknown = names.find(|name| !NAMES.contains(name))?;
    Some((unknown.to_owned(), &NAMES))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(unique_id: &str) -> Words {
        let owner = Owner {
            account: "work".into(),
            user: "ada{host}".into(),
            host: "pop.example.com".into(),
        };
        let letter = Letter {
            path: "/m".into(),
            octets: 12,
            sha256: [0; 32],
            unique_id: Some(unique_id.as_bytes().into()),
            time: 0,
            keeping: crate::handover::Keeping::Ours,
        };
        Words::new(&owner, &letter)
    }

    #[test]
    fn words_in_braces_are_filled_in_once_and_a_shells_are_left_alone() {
        let filled = words("u1").fill("-a{account}:{user}:{unique-id}:{octets}{}{ ${host} {x");
        assert_eq!(filled, "-awork:ada{host}:u1:12{}{ ${host} {x");
    }

    #[test]
    fn what_a_server_calls_a_message_is_no_option_and_has_no_line_break() {
        assert_eq!(words("-rf a\nb").fill("{unique-id}"), "%2Drf%20a%0Ab");
        let words = words("-rf");
        let environment = words.environment();
        assert!(environment.contains(&("POPFETCH_UNIQUE_ID", "-rf")));
    }

    #[test]
    fn a_word_in_braces_that_stands_for_nothing_is_found() {
        let unknown = |text| unknown_word(text).map(|(word, _)| word);
        assert_eq!(unknown("{account}{usr}"), Some("usr".into()));
        assert_eq!(unknown("a{b-c}d"), Some("b-c".into()));
        for fine in [
            "{user}@{host}",
            "${usr}",
            "{}",
            "{ a }",
            "{1,2}",
            "{usr",
            "}{",
        ] {
            assert_eq!(unknown(fine), None, "{fine}");
        }
    }
}
