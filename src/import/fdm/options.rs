//! `set OPTION ...`.

use super::lex::Kind;
use super::parser::{Parser, Words};
use super::values::{self, Tags};
use super::{Error, Fate};
use crate::import::model::Word;
use crate::profile::units;
use std::time::Duration;

/// What options say about all accounts.
#[derive(Default)]
pub(super) struct Options {
    /// `socks5://...` or `http://...`, with its port.
    pub(super) proxy: Option<String>,
    pub(super) timeout: Option<String>,
    pub(super) max_size: Option<String>,
    pub(super) verifies: bool,
    /// `unmatched-mail drop`.
    pub(super) drops_unmatched: bool,
}

impl Parser<'_> {
    pub(super) fn set(&mut self, words: &mut Words) -> Result<(), Error> {
        let start = words.at();
        words.next();
        let Some(Kind::Word(option)) = words.next().map(|token| token.kind) else {
            return Err(words.wrong("set names no option"));
        };
        let fate = self.option(words, &option)?;
        let first = self.lines.len();
        self.tell(words, start..words.at(), &fate);
        let lines = self.lines.get_mut(first..).unwrap_or_default();
        if let ("proxy", [line]) = (option.as_str(), lines) {
            let has_login = self
                .options
                .proxy
                .as_ref()
                .is_none_or(|it| it.contains('@'));
            if has_login {
                line.text = "set proxy ***".to_owned();
            }
        }
        Ok(())
    }

    fn option(&mut self, words: &mut Words, option: &str) -> Result<Fate, Error> {
        let privileges = "popfetch stores mail as you, and changes to no other user";
        Ok(match option {
            "maximum-size" => {
                let octets = self.counted(words, values::octets)?;
                match octets {
                    Some(octets @ 1..) => {
                        let size = units::octets(octets);
                        self.options.max_size = Some(size.clone());
                        Fate::Changed(
                            format!("max-size = {}", Word::Text(size)),
                            "what is larger stays on the server, and the run goes on".into(),
                        )
                    }
                    Some(0) => return Err(words.wrong("a size is more than nothing")),
                    None => Fate::nothing("a command says it, which is not run"),
                }
            }
            "timeout" => match self.counted(words, values::seconds)? {
                Some(seconds @ 1..=1_000_000) => {
                    let text = units::duration(Duration::from_secs(seconds));
                    self.options.timeout = Some(text.clone());
                    Fate::key("timeout", &Word::Text(text))
                }
                Some(_) => return Err(words.wrong("this is no time to wait")),
                None => Fate::nothing("a command says it, which is not run"),
            },
            "proxy" => {
                let said = self
                    .value(words, "the proxy is missing")?
                    .said(&Tags::new(self.around));
                match said.as_deref().map(proxy) {
                    Some(Some(url)) => {
                        let fate = Fate::taken("proxy");
                        self.options.proxy = Some(url);
                        fate
                    }
                    Some(None) => {
                        return Err(words.wrong("a proxy is socks5:// or http:// and a host"));
                    }
                    None => Fate::nothing("a command says it, which is not run"),
                }
            }
            "verify-certificates" => {
                self.options.verifies = true;
                Fate::taken("certificates are always verified")
            }
            "unmatched-mail" => {
                self.options.drops_unmatched = match words.next() {
                    Some(token) if token.is("drop") => true,
                    Some(token) if token.is("keep") => false,
                    _ => return Err(words.wrong("unmatched-mail is drop or keep")),
                };
                Fate::nothing("all mail is stored; what is deleted then, `keep` says")
            }
            "delete-oversized" => Fate::nothing("nothing is deleted that was not fetched"),
            "queue-high" | "queue-low" => {
                self.value(words, "the number is missing")?;
                Fate::nothing("how much waits to be stored is up to popfetch")
            }
            "parallel-accounts" => {
                self.value(words, "the number is missing")?;
                Fate::nothing("`popfetch fetch --jobs` says how many at a time")
            }
            "purge-after" => {
                if !words.skip("none") {
                    self.value(words, "the number is missing")?;
                }
                Fate::nothing(
                    "the server deletes at the end of a session; nothing is fetched again \
                               where one is cut off",
                )
            }
            "allow-multiple" => Fate::nothing("an account has one run at a time"),
            "lock-file" => {
                self.value(words, "the path is missing")?;
                Fate::nothing("each account has a lock of its own, in the state directory")
            }
            "lock-timeout" => {
                self.counted(words, values::seconds)?;
                Fate::nothing("a run does not wait for another of the same account")
            }
            "lock-wait" => Fate::nothing("a run does not wait for another of the same account"),
            "lock-types" | "lock-type" => {
                while words.skip_any(&["fcntl", "flock", "dotlock", "none"]) {}
                Fate::nothing("a Maildir needs no locks")
            }
            "command-user" | "default-user" => {
                self.value(words, "the user is missing")?;
                Fate::nothing(privileges)
            }
            "lookup-order" => {
                while words.skip_any(&["passwd", "courier"]) {}
                Fate::nothing(privileges)
            }
            "no-received" => Fate::taken("no line is added to any message"),
            "no-create" => Fate::nothing("a Maildir that is not there is made"),
            "file-umask" => {
                if !words.skip("user") {
                    self.value(words, "the umask is missing")?;
                }
                Fate::Changed(
                    "files that only their owner can read".into(),
                    "mail is stored with mode 0600 unless `file-mode` says otherwise".into(),
                )
            }
            "file-group" => {
                if !words.skip("user") {
                    self.value(words, "the group is missing")?;
                }
                Fate::Changed(
                    "files that only their owner can read".into(),
                    "mail is stored with mode 0600 unless `file-mode` says otherwise".into(),
                )
            }
            "ignore-errors" => Fate::nothing(
                "a message that cannot be stored is an error, and stays on the server",
            ),
            "strip-characters" => {
                self.value(words, "the characters are missing")?;
                Fate::nothing("nothing of a message goes into a path or a command")
            }
            _ => return Err(words.wrong("fdm has no such option")),
        })
    }

    /// A number with its unit; `None` where a command says it.
    fn counted(
        &self,
        words: &mut Words,
        unit: impl Fn(&str) -> Option<u64>,
    ) -> Result<Option<u64>, Error> {
        let value = self.value(words, "the number is missing")?;
        let per = match self.unit(words) {
            Some(word) => {
                unit(&word).ok_or_else(|| words.wrong("this unit is for something else"))?
            }
            None => 1,
        };
        let Some(text) = value.text else {
            return Ok(None);
        };
        let number = text.parse::<u64>().ok();
        let number = number.and_then(|number| number.checked_mul(per));
        let number = number.ok_or_else(|| words.wrong("this is no number"))?;
        Ok(Some(number))
    }
}

/// A proxy with its port, which fdm takes from the scheme where it is left out.
fn proxy(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (scheme, port) = match scheme {
        "socks" | "socks5" => ("socks5", 1080),
        "http" => ("http", 80),
        _ => return None,
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (login, place) = match rest.rsplit_once('@') {
        Some((login, place)) => (Some(login), place),
        None => (None, rest),
    };
    if place.is_empty() {
        return None;
    }
    // Octets that stand for something else in ours.
    let login = login.map(|login| format!("{}@", login.replace('%', "%25")));
    let login = login.unwrap_or_default();
    let has_port = place.rsplit_once(':').is_some_and(|(_, port)| {
        !port.is_empty() && port.bytes().all(|octet| octet.is_ascii_digit())
    });
    Some(match has_port {
        true => format!("{scheme}://{login}{place}"),
        false => format!("{scheme}://{login}{}:{port}", place.trim_end_matches(':')),
    })
}

#[cfg(test)]
mod tests {
    use super::proxy;

    #[test]
    fn a_proxy_gets_the_port_that_fdm_would_take() {
        assert_eq!(proxy("http://h/").unwrap(), "http://h:80");
        assert_eq!(proxy("socks://u:p%@h").unwrap(), "socks5://u:p%25@h:1080");
        assert_eq!(proxy("socks5://h:1/").unwrap(), "socks5://h:1");
        assert_eq!(proxy("ftp://h"), None);
    }
}
