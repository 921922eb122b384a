//! mpop: `~/.mpoprc` or `$XDG_CONFIG_HOME/mpop/config`, a command a line, and a file of unique-ids
//! for each account.

use super::files::{self, Surroundings};
use super::model::{Draft, Fate, Found, Line, Secret, Word};
use super::{Error, Wanted, argv, common, mda};
use crate::profile::units;
use crate::secrets::Password;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

mod keep;
mod unique_ids;
mod values;

use values::{number, period, seconds, size};

const TOOL: &str = "mpop";

/// An account as mpop would have it, with all that it inherits.
#[derive(Clone, Default)]
struct Account {
    values: BTreeMap<&'static str, String>,
}

/// Every command of mpop 1.4 that an account may have, with its argument's default where `on` may be
/// left out.
const COMMANDS: &[(&str, bool)] = &[
    ("host", false),
    ("port", false),
    ("source_ip", false),
    ("proxy_host", false),
    ("proxy_port", false),
    ("socket", false),
    ("timeout", false),
    ("pipelining", false),
    ("auth", true),
    ("user", false),
    ("password", false),
    ("passwordeval", false),
    ("ntlmdomain", false),
    ("tls", true),
    ("tls_starttls", true),
    ("tls_trust_file", false),
    ("tls_crl_file", false),
    ("tls_fingerprint", false),
    ("tls_key_file", false),
    ("tls_cert_file", false),
    ("tls_certcheck", true),
    ("tls_priorities", false),
    ("tls_host_override", false),
    ("tls_min_dh_prime_bits", false),
    ("tls_force_sslv3", true),
    ("tls_nocertcheck", false),
    ("tls_nostarttls", false),
    ("delivery", false),
    ("uidls_file", false),
    ("only_new", true),
    ("keep", true),
    ("killsize", false),
    ("skipsize", false),
    ("filter", false),
    ("received_header", true),
];

pub(super) fn read(wanted: Wanted<'_>) -> Result<Found, Error> {
    let Wanted {
        path, seen, around, ..
    } = wanted;
    let usual = [
        around.home.join(".mpoprc"),
        around.config_home().join("mpop/config"),
    ];
    let path = files::first(TOOL, path, &usual)?;
    let text = files::config(TOOL, &path)?;
    let mut parsed = parse(&path, &text, around)?;
    for (draft, account) in parsed.found.drafts.iter_mut().zip(&parsed.accounts) {
        unique_ids::take(draft, account, seen, around)?;
    }
    common::note_shared(&mut parsed.found.drafts, TOOL);
    Ok(parsed.found)
}

struct Parsed {
    found: Found,
    accounts: Vec<Account>,
}

/// Reads a config's text.
fn parse(path: &Path, text: &str, around: &Surroundings) -> Result<Parsed, Error> {
    let file = Arc::new(path.to_owned());
    let mut lines: Vec<Line> = Vec::new();
    let mut defaults = Account::default();
    let mut accounts: Vec<(String, Account)> = Vec::new();
    let mut in_defaults = true;
    for (number, line) in (1..).zip(text.lines()) {
        let Some((command, argument)) = split(line) else {
            continue;
        };
        let mut push = |text: String, fate: Fate| {
            lines.push(Line {
                file: Arc::clone(&file),
                number,
                text,
                fate,
            });
        };
        match command {
            "defaults" => {
                (defaults, in_defaults) = (Account::default(), true);
                push(
                    line.trim().to_owned(),
                    Fate::taken("what follows is in each account below"),
                );
            }
            "account" => {
                let (name, bases) = match argument.split_once(':') {
                    Some((name, bases)) => (name.trim(), Some(bases)),
                    None => (argument.as_str(), None),
                };
                if name.is_empty() {
                    return Err(Error::syntax(path, number, "`account` needs a name"));
                }
                if accounts.iter().any(|(known, _)| known == name) {
                    return Err(Error::syntax(
                        path,
                        number,
                        "an account of this name stands further up",
                    ));
                }
                let mut account = defaults.clone();
                for base in bases.into_iter().flat_map(|bases| bases.split(',')) {
                    let base = base.trim();
                    let known = accounts.iter().find(|(known, _)| known == base);
                    let Some((_, known)) = known else {
                        let what = "it takes its settings from an account that is not further up";
                        return Err(Error::syntax(path, number, what));
                    };
                    account.values.extend(known.values.clone());
                }
                push(
                    line.trim().to_owned(),
                    Fate::taken(format!("account {name}")),
                );
                accounts.push((name.to_owned(), account));
                in_defaults = false;
            }
            "eval" => push(
                line.trim().to_owned(),
                Fate::nothing(
                    "a line that a command makes is not asked for: write what it says by hand",
                ),
            ),
            _ => {
                let known = COMMANDS.iter().find(|(known, _)| *known == command);
                let Some((command, may_lack)) = known else {
                    return Err(Error::syntax(path, number, "mpop has no such command"));
                };
                let argument = match (argument.is_empty(), *may_lack) {
                    (true, true) => "on".to_owned(),
                    _ => argument,
                };
                let account = match accounts.last_mut() {
                    Some((_, account)) if !in_defaults => account,
                    _ => &mut defaults,
                };
                let shown = match *command {
                    "password" => "password ***".to_owned(),
                    _ => line.trim().to_owned(),
                };
                let fate = fate(command, &argument, around)
                    .map_err(|what| Error::syntax(path, number, what))?;
                push(shown, fate);
                account.values.insert(command, argument);
            }
        }
    }
    let mut found = Found {
        files: vec![path.to_owned()],
        lines,
        ..Found::default()
    };
    let mut usable = Vec::new();
    for (name, account) in accounts {
        // An account without a host is there to be inherited from.
        if account.values.contains_key("host") && account.values.contains_key("user") {
            found.drafts.push(draft(&name, &account, around));
            usable.push(account);
        }
    }
    Ok(Parsed {
        found,
        accounts: usable,
    })
}

/// A command and its argument, out of its quotes.
fn split(line: &str) -> Option<(&str, String)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (command, argument) = line
        .split_once(|c: char| c.is_ascii_whitespace())
        .unwrap_or((line, ""));
    Some((command, bare(argument.trim()).to_owned()))
}

/// Without the quotes around all of it.
fn bare(text: &str) -> &str {
    let inner = text.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    inner.unwrap_or(text)
}

/// What becomes of a command, whichever accounts it is for.
fn fate(command: &str, argument: &str, around: &Surroundings) -> Result<Fate, String> {
    let mut draft = Draft::default();
    Ok(match command {
        "host" => draft.text("host", argument),
        "user" => draft.text("user", argument),
        "port" => draft.set("port", Word::Number(number(argument, 65535)?)),
        "source_ip" => match argument {
            "" => Fate::taken("no source-address"),
            _ => draft.text("source-address", argument),
        },
        "proxy_host" => match argument {
            "" => Fate::taken("no proxy"),
            _ => Fate::taken("proxy"),
        },
        "proxy_port" => Fate::taken("the port in proxy"),
        "socket" => Fate::nothing("popfetch connects by TCP; `proxy-command` may reach a socket"),
        "timeout" => match argument {
            "off" => Fate::Changed(
                "timeout = \"60 s\"".into(),
                "a server that is silent for ever holds up everything".into(),
            ),
            _ => draft.text("timeout", seconds(number(argument, u64::from(u32::MAX))?)),
        },
        "pipelining" => match argument {
            "off" => draft.text("pipelining", "off"),
            "on" => Fate::Changed(
                "pipelining = \"auto\"".into(),
                "it is used where the server announces it".into(),
            ),
            "auto" => draft.text("pipelining", "auto"),
            _ => return Err("`pipelining` is auto, on or off".into()),
        },
        "auth" => auth(argument),
        "password" => Fate::Changed(
            "moved out of the config".into(),
            "see the account below".into(),
        ),
        "passwordeval" => draft.set("password-command", Word::List(argv::of_shell(argument))),
        "ntlmdomain" => Fate::nothing("popfetch has no NTLM"),
        "tls" | "tls_starttls" | "tls_nostarttls" => Fate::taken(match (command, argument) {
            ("tls", "off") => "tls = \"none\", unless changed further down",
            ("tls", _) => "TLS, after STLS unless tls_starttls is off",
            (_, "off") | ("tls_nostarttls", _) => "TLS from the first octet",
            _ => "tls = \"starttls\"",
        }),
        "tls_trust_file" => match argument {
            "system" => draft.text("tls-roots", "system"),
            "" => Fate::Changed(
                "tls-roots = \"system\"".into(),
                "certificates are verified".into(),
            ),
            _ => draft.text("tls-roots", around.rewritten(argument)),
        },
        "tls_crl_file" => Fate::nothing("popfetch reads no revocation lists"),
        "tls_fingerprint" => match argument {
            "" => Fate::taken("no tls-pin"),
            _ => Fate::nothing(
                "this is the hash of a certificate, and `tls-pin` that of a key, which stays when \
                 certificates change: `popfetch account test` shows it",
            ),
        },
        "tls_key_file" => match argument {
            "" => Fate::taken("no tls-client-key"),
            _ => draft.text("tls-client-key", around.rewritten(argument)),
        },
        "tls_cert_file" => match argument {
            "" => Fate::taken("no tls-client-cert"),
            _ => draft.text("tls-client-cert", around.rewritten(argument)),
        },
        "tls_certcheck" if argument == "on" => Fate::taken("certificates are always verified"),
        "tls_certcheck" | "tls_nocertcheck" => Fate::Changed(
            "certificates are verified".into(),
            "a server that anybody can play may get the password; for one with a certificate of \
             its own there are `tls-roots` and `tls-pin`"
                .into(),
        ),
        "tls_priorities" | "tls_min_dh_prime_bits" | "tls_force_sslv3" => {
            Fate::nothing("TLS 1.2 and 1.3 with safe ciphers alone; see `tls-min-version`")
        }
        "tls_host_override" => match argument {
            "" => Fate::taken("no tls-server-name"),
            _ => draft.text("tls-server-name", argument),
        },
        "delivery" => delivery(argument, around, &mut draft)?,
        "uidls_file" => Fate::taken("where the unique-ids are read from"),
        "only_new" if argument == "off" => Fate::nothing(
            "what was fetched is not fetched again; `popfetch state forget` does so once",
        ),
        "only_new" => Fate::taken("only new mail is fetched"),
        "keep" => match argument {
            "on" => draft.text("keep", "always"),
            "off" => draft.text("keep", "never"),
            _ => draft.text("keep", period(argument)?),
        },
        "killsize" if argument == "off" => Fate::taken("nothing is deleted unread"),
        "killsize" => Fate::nothing(
            "not by itself, as it deletes mail unread: write a rule about its size (popfetch.toml(5), RULES)",
        ),
        "skipsize" => match size(argument)? {
            None => Fate::taken("no max-size"),
            Some(0 | 1) => Fate::nothing("it would leave all mail on the server"),
            // mpop passes over what is as large, popfetch what is larger: nobody chose the size for the
            // sake of that octet.
            Some(octets) => draft.text("max-size", units::octets(octets)),
        },
        "filter" => match argument {
            "" => Fate::taken("no filter"),
            _ => Fate::nothing(
                "not by itself, as it may delete mail: `filter-command` reads headers and decides by the same exit statuses (popfetch.toml(5), RULES)",
            ),
        },
        "received_header" if argument == "off" => Fate::taken("no line is added to any message"),
        "received_header" => Fate::Changed(
            "no line is added to any message".into(),
            "messages are stored octet for octet".into(),
        ),
        _ => return Err("mpop has no such command".into()),
    })
}

/// mpop's words for methods are SASL's; "user" stands for the commands USER and PASS.
fn method(argument: &str) -> String {
    match argument.to_ascii_lowercase().as_str() {
        "user" => "user-pass".to_owned(),
        word => word.to_owned(),
    }
}

/// What becomes of the method.
fn auth(argument: &str) -> Fate {
    let word = method(argument);
    match word.as_str() {
        "on" => Fate::key("auth", &Word::Text("auto".into())),
        "gssapi" | "ntlm" | "digest-md5" => {
            Fate::nothing(format!("popfetch has no {}", word.to_uppercase()))
        }
        "xoauth2" | "oauthbearer" => Fate::nothing(
            "tokens: give the account a table `oauth` with `token-command`, or see `popfetch login`",
        ),
        "apop" => Fate::taken("auth = \"apop\", where there is TLS"),
        _ if common::is_auth(&word) => Fate::key("auth", &Word::Text(word)),
        _ => Fate::nothing("popfetch has no such method; it takes the best that the server offers"),
    }
}

fn delivery(argument: &str, around: &Surroundings, draft: &mut Draft) -> Result<Fate, String> {
    let (method, place) = argument
        .split_once(|c: char| c.is_ascii_whitespace())
        .unwrap_or((argument, ""));
    let place = bare(place.trim());
    Ok(match method {
        "maildir" if !place.is_empty() => draft.text("maildir", around.rewritten(place)),
        "mda" if !place.is_empty() => mda::of_line(draft, place),
        "mbox" if !place.is_empty() => mda::mbox(draft, around.rewritten(place)),
        "mda" | "mbox" | "exchange" => common::no_target(method),
        _ => return Err("`delivery` is maildir, mda, mbox or exchange, and where to".into()),
    })
}

fn draft(name: &str, account: &Account, around: &Surroundings) -> Draft {
    let get = |command: &str| account.values.get(command).map(String::as_str);
    let filled = |command: &str| get(command).filter(|value| !value.is_empty());
    let mut draft = Draft {
        name: name.to_owned(),
        ..Draft::default()
    };
    draft.text("host", get("host").unwrap_or_default());
    if let Some(port) = filled("port").and_then(|port| port.parse().ok()) {
        draft.set("port", Word::Number(port));
    }
    draft.text("user", get("user").unwrap_or_default());
    let tls = get("tls") == Some("on");
    let starttls = get("tls_starttls") != Some("off") && get("tls_nostarttls").is_none();
    if !tls {
        common::without_tls(&mut draft);
        draft.differs.push(common::plain(995));
    } else if starttls {
        draft.text("tls", "starttls");
    }
    draft.secret = match (filled("password"), filled("passwordeval")) {
        (Some(password), _) => Secret::Inline(Password::new(password.to_owned())),
        (None, Some(command)) => {
            Secret::Key("password-command", Word::List(argv::of_shell(command)))
        }
        (None, None) => common::netrc(get("host").unwrap_or_default(), around),
    };
    for command in [
        "auth",
        "source_ip",
        "timeout",
        "pipelining",
        "tls_trust_file",
        "tls_host_override",
        "tls_cert_file",
        "tls_key_file",
        "delivery",
        "keep",
        "skipsize",
    ] {
        if let Some(value) = filled(command) {
            set(&mut draft, command, value, around);
        }
    }
    if let Some(host) = filled("proxy_host") {
        let port = filled("proxy_port").unwrap_or("1080");
        common::socks(&mut draft, host, port);
    }
    keep::set(&mut draft, account);
    if draft.get("timeout").is_none() {
        common::note_timeout(&mut draft, TOOL, 180);
    }
    common::check_auth(&mut draft);
    draft
}

/// The keys of one command, as its line said.
fn set(draft: &mut Draft, command: &str, value: &str, around: &Surroundings) {
    let text = |draft: &mut Draft, key: &'static str, value: String| {
        draft.text(key, value);
    };
    match command {
        "auth" => {
            let word = method(value);
            let is_taken = matches!(auth(value), Fate::Taken(_));
            if word != "on" && is_taken {
                text(draft, "auth", word);
            }
        }
        "source_ip" => text(draft, "source-address", value.to_owned()),
        "timeout" => {
            if let Ok(number) = value.parse() {
                text(draft, "timeout", seconds(number));
            }
        }
        "pipelining" if value == "off" => text(draft, "pipelining", "off".into()),
        "tls_trust_file" if value != "system" => {
            text(draft, "tls-roots", around.rewritten(value));
        }
        "tls_host_override" => text(draft, "tls-server-name", value.to_owned()),
        "tls_cert_file" => text(draft, "tls-client-cert", around.rewritten(value)),
        "tls_key_file" => text(draft, "tls-client-key", around.rewritten(value)),
        "delivery" => {
            let _ = delivery(value, around, draft);
        }
        "keep" => {
            let word = match value {
                "on" => Ok("always".into()),
                "off" => Ok("never".into()),
                other => period(other),
            };
            if let Ok(word) = word {
                text(draft, "keep", word);
            }
        }
        "skipsize" => {
            if let Ok(Some(octets @ 2..)) = size(value) {
                text(draft, "max-size", units::octets(octets));
            }
        }
        _ => {}
    }
}
