//! mbsync (isync): sections of keywords in `~/.mbsyncrc`, and in or beside each mailbox of the Maildir a file
//! that says which UIDs it has fetched. A channel from an IMAP store to a Maildir is an account, together with
//! those of the same mailbox.

use super::model::{Draft, Fate, Found, Line, Secret, Word};
use super::{Error, Wanted, argv, common, files};
use crate::import::files::Surroundings;
use crate::secrets::Password;
use channel::Channel;
use sections::Sections;
use std::path::Path;
use std::sync::Arc;

mod channel;
mod fate;
mod sections;
mod state;
mod store;

const TOOL: &str = "mbsync";

pub(super) fn read(wanted: Wanted<'_>) -> Result<Found, Error> {
    let Wanted { path, around, .. } = wanted;
    let usual = [
        around.home.join(".mbsyncrc"),
        around.config_home().join("isyncrc"),
    ];
    let path = files::first(TOOL, path, &usual)?;
    let text = files::config(TOOL, &path)?;
    let sections = Sections::parse(&path, &text)?;
    let mut found = Found {
        files: vec![path.clone()],
        lines: lines(&path, &sections, around),
        ..Found::default()
    };
    let channels = sections.of("Channel");
    let channels = channels.filter_map(|section| Channel::of(section, &sections));
    let mut channels: Vec<Channel<'_>> = channels.collect();
    // What is wrong with all of them is an error, which says it of the first.
    if channels.iter().any(|it| lack(it).is_none()) {
        channels.retain(|it| lack(it).is_none());
    }
    let drafts = channels.iter().map(|it| draft(&path, it, around));
    found.drafts = drafts.collect::<Result<_, _>>()?;
    state::take(&mut found.drafts, &channels, wanted)?;
    Ok(found)
}

fn lines(path: &Path, sections: &Sections, around: &Surroundings) -> Vec<Line> {
    let file = Arc::new(path.to_owned());
    let lines = sections.all().flat_map(|section| {
        let head = section.head().map(|(number, text)| {
            let fate = match Channel::of(section, sections) {
                Some(channel) => match lack(&channel) {
                    None => Fate::taken(format!("account {}", section.name)),
                    Some(lack) => Fate::nothing(format!("{lack}; this one is left out")),
                },
                None if section.kind == "Channel" => Fate::nothing(
                    "it is not from an IMAP server into a Maildir, and popfetch goes no other way",
                ),
                None => Fate::taken("what follows belongs to it"),
            };
            (number, text.to_owned(), fate)
        });
        let entries = section.entries.iter().map(|entry| {
            let text = match entry.keyword.as_str() {
                "Pass" => "Pass ***".to_owned(),
                _ => entry.text.clone(),
            };
            (entry.line, text, fate::of(entry, around))
        });
        head.into_iter().chain(entries)
    });
    lines
        .map(|(number, text, fate)| Line {
            file: Arc::clone(&file),
            number,
            text,
            fate,
        })
        .collect()
}

/// What an account has to have and is not said.
fn lack(channel: &Channel<'_>) -> Option<&'static str> {
    let has = |keyword| channel.of_account(keyword).is_some();
    match (has("Host") || has("Tunnel"), has("User"), has("UserCmd")) {
        (false, _, _) => Some("the account of its IMAP store has no `Host`"),
        (true, true, _) => None,
        (true, false, true) => {
            Some("a user's name that a command says is not asked for: write `User` in its place")
        }
        (true, false, false) => Some("the account of its IMAP store has no `User`"),
    }
}

fn draft(path: &Path, channel: &Channel<'_>, around: &Surroundings) -> Result<Draft, Error> {
    let get = |keyword| channel.of_account(keyword);
    let wrong = |what: &str| Error::syntax(path, channel.line(), what);
    let mut draft = Draft {
        name: channel.name().to_owned(),
        // What it has fetched stays on the server unless it was deleted here.
        left: true,
        ..Draft::default()
    };
    if let Some(lack) = lack(channel) {
        return Err(wrong(lack));
    }
    draft.text("protocol", "imap");
    draft.text("host", get("Host").unwrap_or("localhost"));
    if let Some(port) = get("Port") {
        let port = port.parse().ok().filter(|port| (1..=65535).contains(port));
        let port = port.ok_or_else(|| wrong("the `Port` of its account is no port"))?;
        draft.set("port", Word::Number(port));
    }
    draft.text("user", get("User").unwrap_or_default());
    set_tls(&mut draft, channel, around);
    draft.secret = secret(channel);
    if let Some(auth) = channel.auth() {
        draft.text("auth", auth);
    }
    if let Some(command) = get("Tunnel") {
        draft.set("proxy-command", Word::List(argv::of_shell(command)));
    }
    if let Some(seconds @ 1..) = get("Timeout").and_then(|it| it.parse().ok()) {
        draft.text("timeout", fate::seconds(seconds));
    }
    channel.set_folders(&mut draft, around);
    draft.text("keep", "always");
    if let Some(octets) = channel.max_size() {
        draft.text("max-size", crate::profile::units::octets(octets));
    }
    if channel.expires() {
        draft.differs.push(
            "messages that mbsync has let go of (MaxMessages) come again where the server still has them: see \
             `latest`"
                .into(),
        );
    }
    if !channel.only_pulls() {
        draft.differs.push(
            "mbsync synchronises in both directions here, popfetch fetches alone: nothing that you do in the \
             Maildir changes the server"
                .into(),
        );
    }
    common::check_auth(&mut draft);
    Ok(draft)
}

fn set_tls(draft: &mut Draft, channel: &Channel<'_>, around: &Surroundings) {
    let get = |keyword| channel.of_account(keyword);
    let kind = get("SSLType").or(get("TLSType")).map(str::to_lowercase);
    match kind.as_deref() {
        Some("imaps") => {}
        Some("none") => {
            common::without_tls(draft);
            draft.differs.push(common::plain(993));
        }
        None if get("Tunnel").is_some() => common::without_tls(draft),
        _ => drop(draft.text("tls", "starttls")),
    }
    if let Some(path) = get("CertificateFile") {
        draft.text("tls-roots", fate::roots(path, around));
    }
    for (theirs, ours) in [
        ("ClientCertificate", "tls-client-cert"),
        ("ClientKey", "tls-client-key"),
    ] {
        if let Some(path) = get(theirs) {
            draft.text(ours, around.rewritten(path));
        }
    }
}

fn secret(channel: &Channel<'_>) -> Secret {
    let get = |keyword| channel.of_account(keyword);
    let by_token = channel.auth().is_some_and(|it| fate::TOKENS.contains(&it));
    match (get("Pass"), get("PassCmd")) {
        (Some(password), _) => Secret::Inline(Password::new(password.to_owned())),
        (None, Some(command)) => {
            let command = command.strip_prefix('+').unwrap_or(command);
            Secret::Key("password-command", Word::List(argv::of_shell(command)))
        }
        (None, None) if by_token => Secret::Login,
        (None, None) => Secret::Nowhere,
    }
}
