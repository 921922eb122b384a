//! What is remembered, as a line:
//!
//! ```text
//! popfetch-manners  signed-in  login-delay
//!     kind  time  wait  count  salt  tag           the refusal that is waited for
//!     status  kind  since  told                    the failure that goes on
//!     shortcut  noted                              how to sign in quickly, and since when
//!     detour  noted                                how to sign in at all, likewise
//!     runs                                         that have failed in a row
//!     names  since  told                           what is passed over, each by a hash
//!     noted                                        that the server sends lines that say nothing
//!     crc
//! ```
//! All times are seconds since 1970, all waits seconds; `-` stands for none. The detour came later
//! than the rest, and what is below it later still: lines without these are read as well.

use super::super::refusal::RefusalKind;
use super::super::trouble::{Misses, Trouble};
use super::Manners;
use super::credentials::Refusal;
use crate::durable::line::{seal, unseal};

impl Manners {
    pub(super) fn line(&self) -> Vec<u8> {
        let number = |number: Option<i64>| number.map_or("-".to_owned(), |n| n.to_string());
        let mut fields = vec![
            "popfetch-manners".to_owned(),
            number(self.signed_in),
            self.login_delay.to_string(),
        ];
        match &self.refusal {
            None => fields.extend(["-"; 6].map(str::to_owned)),
            Some(refusal) => fields.extend([
                refusal.kind.word().to_owned(),
                refusal.time.to_string(),
                refusal.wait.to_string(),
                refusal.count.to_string(),
                format!("{:016x}", refusal.salt),
                format!("{:x}", refusal.tag),
            ]),
        }
        match &self.trouble {
            None => fields.extend(["-"; 4].map(str::to_owned)),
            Some(trouble) => fields.extend([
                trouble.status.to_string(),
                trouble.kind.clone(),
                trouble.since.to_string(),
                number(trouble.told),
            ]),
        }
        for noted in [&self.shortcut, &self.detour] {
            match noted {
                None => fields.extend(["-"; 2].map(str::to_owned)),
                Some((word, time)) => fields.extend([word.clone(), time.to_string()]),
            }
        }
        fields.push(self.trouble.as_ref().map_or(0, |it| it.runs).to_string());
        match &self.misses {
            None => fields.extend(["-"; 3].map(str::to_owned)),
            Some(misses) => {
                let names: Vec<&str> = misses.names.iter().map(String::as_str).collect();
                fields.extend([
                    names.join(","),
                    misses.since.to_string(),
                    number(misses.told),
                ]);
            }
        }
        fields.push(number(self.idle_lines));
        let mut line = Vec::new();
        seal(fields.join("\t"), &mut line);
        line
    }
}

pub(super) fn parse(line: &[u8]) -> Option<Manners> {
    let text = unseal(line.strip_suffix(b"\n")?)?;
    let fields: Vec<&str> = text.split('\t').collect();
    let [
        "popfetch-manners",
        signed_in,
        login_delay,
        refused,
        refused_at,
        wait,
        count,
        salt,
        tag,
        status,
        kind,
        since,
        told,
        shortcut,
        shortcut_noted,
        ref later @ ..,
    ] = fields[..]
    else {
        return None;
    };
    let time = |field: &str| match field {
        "-" => Some(None),
        field => field.parse().ok().map(Some),
    };
    let refusal = match refused {
        "-" => None,
        kind => Some(Refusal {
            kind: RefusalKind::of(kind)?,
            time: refused_at.parse().ok()?,
            wait: wait.parse().ok()?,
            count: count.parse().ok()?,
            salt: u64::from_str_radix(salt, 16).ok()?,
            // Earlier versions kept four digits: of more than can be, none is that of any secret.
            tag: u8::from_str_radix(tag, 16).unwrap_or(u8::MAX),
        }),
    };
    let noted = |word: &str, time: &str| match word {
        "-" => Some(None),
        word => Some(Some((word.to_owned(), time.parse().ok()?))),
    };
    let mut idle_lines = None;
    let (detour, runs, misses) = match *later {
        [] => (None, 1, None),
        [word, noted_at] => (noted(word, noted_at)?, 1, None),
        [word, noted_at, runs, names, since, told, ref latest @ ..] => {
            idle_lines = match latest {
                [] => None,
                [noted_at] => time(noted_at)?,
                _ => return None,
            };
            let misses = match names {
                "-" => None,
                names => Some(Misses {
                    names: names.split(',').map(str::to_owned).collect(),
                    since: since.parse().ok()?,
                    told: time(told)?,
                }),
            };
            (noted(word, noted_at)?, runs.parse().ok()?, misses)
        }
        _ => return None,
    };
    let trouble = match (status, kind) {
        // Earlier versions kept it here that something was passed over.
        ("-", _) | (_, "passed-over") => None,
        (status, kind) => Some(Trouble {
            status: status.parse().ok()?,
            kind: kind.to_owned(),
            since: since.parse().ok()?,
            told: time(told)?,
            runs,
        }),
    };
    Some(Manners {
        signed_in: time(signed_in)?,
        login_delay: login_delay.parse().ok()?,
        refusal,
        trouble,
        misses,
        shortcut: noted(shortcut, shortcut_noted)?,
        detour,
        idle_lines,
    })
}
