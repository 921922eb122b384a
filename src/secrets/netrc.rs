//! Finds a password in a netrc file, as ftp, curl and fetchmail know it.
//!
//! Words are separated by white space, in quotation marks if need be; a backslash takes away the
//! meaning of the octet behind it. What is not understood is an error, because a password of two
//! words without quotation marks would otherwise be cut short in silence.

use zeroize::Zeroizing;

/// A line that is not understood, counted from 1. What it says is not kept: it may be a password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Malformed(pub(super) usize);

/// What is said of one machine, still in quotation marks; without a name it is the default.
#[derive(Default)]
struct Entry<'a> {
    machine: Option<&'a [u8]>,
    login: Option<&'a [u8]>,
    password: Option<&'a [u8]>,
}

impl Entry<'_> {
    fn is_for(&self, user: &str) -> bool {
        self.login
            .is_none_or(|login| *plain(login) == user.as_bytes())
    }
}

/// The password of the first entry for `host` and `user`, or else of a default for that user. An
/// entry without a login is for any user.
pub(super) fn find(
    text: &[u8],
    host: &str,
    user: &str,
) -> Result<Option<Zeroizing<Vec<u8>>>, Malformed> {
    let entries = entries(text)?;
    let of_host = |entry: &&Entry<'_>| {
        entry
            .machine
            .is_some_and(|name| plain(name).eq_ignore_ascii_case(host.as_bytes()))
    };
    let of_any = |entry: &&Entry<'_>| entry.machine.is_none();
    let found = entries
        .iter()
        .filter(of_host)
        .chain(entries.iter().filter(of_any))
        .filter(|entry| entry.is_for(user))
        .find_map(|entry| entry.password);
    Ok(found.map(plain))
}

fn entries(text: &[u8]) -> Result<Vec<Entry<'_>>, Malformed> {
    let mut words = Words { text, rest: text };
    let mut entries: Vec<Entry<'_>> = Vec::new();
    while let Some(word) = words.next()? {
        match (word, entries.last_mut()) {
            (comment, _) if comment.starts_with(b"#") => {
                words.skip_line();
            }
            (b"machine", _) => entries.push(Entry {
                machine: Some(words.value()?),
                ..Entry::default()
            }),
            (b"default", _) => entries.push(Entry::default()),
            (b"macdef", _) => words.skip_macro(),
            (b"login" | b"user", Some(entry)) => entry.login = Some(words.value()?),
            (b"password" | b"passwd", Some(entry)) => entry.password = Some(words.value()?),
            (b"account", Some(_)) => {
                words.value()?;
            }
            _ => return Err(words.malformed()),
        }
    }
    Ok(entries)
}

struct Words<'a> {
    text: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    /// The next word as it is written; None at the end.
    fn next(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        self.rest = self.rest.trim_ascii_start();
        let quoted = self.rest.first() == Some(&b'"');
        let mut escaped = false;
        for (at, octet) in self.rest.iter().enumerate() {
            match octet {
                b'\n' if quoted => return Err(self.malformed()),
                b'\n' => return Ok(Some(self.take(at))),
                _ if escaped => escaped = false,
                octet if !quoted && octet.is_ascii_whitespace() => return Ok(Some(self.take(at))),
                b'\\' => escaped = true,
                b'"' if quoted && at > 0 => return Ok(Some(self.take(at + 1))),
                _ => {}
            }
        }
        match self.rest.len() {
            0 => Ok(None),
            _ if quoted => Err(self.malformed()),
            all => Ok(Some(self.take(all))),
        }
    }

    /// The word that must follow.
    fn value(&mut self) -> Result<&'a [u8], Malformed> {
        self.next()?.ok_or_else(|| self.malformed())
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn skip_line(&mut self) -> &'a [u8] {
        let end = self.rest.iter().position(|octet| *octet == b'\n');
        self.take(end.map_or(self.rest.len(), |end| end + 1))
    }

    /// A macro ends with an empty line.
    fn skip_macro(&mut self) {
        while !self.skip_line().trim_ascii().is_empty() {}
    }

    fn malformed(&self) -> Malformed {
        let done = self.text.len() - self.rest.len();
        let lines = self.text.iter().take(done).filter(|o| **o == b'\n');
        Malformed(lines.count() + 1)
    }
}

/// A word without its quotation marks and backslashes.
fn plain(word: &[u8]) -> Zeroizing<Vec<u8>> {
    let inner = word.strip_prefix(b"\"");
    let inner = inner.and_then(|inner| inner.strip_suffix(b"\""));
    // As large as it can get: what grows leaves copies behind that nobody wipes.
    let mut plain = Zeroizing::new(Vec::with_capacity(word.len()));
    let mut octets = inner.unwrap_or(word).iter();
    while let Some(octet) = octets.next() {
        match octet {
            b'\\' => plain.extend(octets.next()),
            octet => plain.push(*octet),
        }
    }
    plain
}

#[cfg(test)]
#[path = "netrc_tests.rs"]
mod tests;
