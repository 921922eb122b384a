//! What several tools have in common on the way to a profile.

use super::files::Surroundings;
use super::model::{Draft, Fate, MAILDIR, Secret, Word};
use crate::profile::Auth;
use crate::profile::file::ProxyWord;

/// What somebody should know who fetches without TLS, which is at this port.
pub(super) fn plain(port: u16) -> String {
    format!(
        "there is no TLS, so that everybody on the way can read the password: try `tls = \"starttls\"`, or \
         leave `tls`, `port` and `allow-insecure` out for TLS on port {port}"
    )
}

pub(super) fn without_tls(draft: &mut Draft) {
    draft.text("tls", "none");
    draft.set("allow-insecure", Word::Flag(true));
}

/// A method of this word, as `auth` names it.
pub(super) fn auth(word: &str) -> Option<&'static str> {
    let known = Auth::ALL.iter().find(|(known, _)| *known == word);
    known.map(|(known, _)| *known)
}

/// Whether `auth` may be this.
pub(super) fn is_auth(word: &str) -> bool {
    auth(word).is_some()
}

/// A way of delivering that popfetch does not have.
pub(super) fn no_target(what: &str) -> Fate {
    Fate::nothing(format!(
        "popfetch hands nothing to {what}; mail goes into a Maildir, or by `deliver` to a program, an \
         mbox file or an LMTP server: see the account below"
    ))
}

/// Says so where the mail of an account goes into a Maildir that nobody has named.
pub(super) fn note_maildir(draft: &mut Draft, instead: &str) {
    if draft.get("maildir").is_none() && !draft.keys.iter().any(|(key, _)| *key == "deliver") {
        draft.differs.push(format!(
            "{instead}, popfetch stores it in a Maildir, here {MAILDIR}: see `maildir` and `deliver`"
        ));
    }
}

/// An LMTP server, whose recipients are named elsewhere and in other ways.
pub(super) fn lmtp_target() -> Fate {
    Fate::nothing(
        "mail goes into a Maildir unless you name the server and whose mail it is, as in deliver = { lmtp = \"localhost:24\", recipient = \"ada\" }",
    )
}

/// The tool waits longer for a silent server.
pub(super) fn note_timeout(draft: &mut Draft, tool: &str, seconds: u64) {
    draft.differs.push(format!(
        "{tool} waits {seconds} s for a silent server, popfetch 60 s: see `timeout`"
    ));
}

/// A SOCKS proxy by its host, which may be an address of IPv6 as it stands.
pub(super) fn socks(draft: &mut Draft, host: &str, port: &str) -> Fate {
    let url = match host.parse::<std::net::Ipv6Addr>() {
        Ok(address) => format!("socks5://[{address}]:{port}"),
        Err(_) => format!("socks5://{host}:{port}"),
    };
    match ProxyWord::try_from(url.clone()) {
        Ok(_) => draft.text("proxy", url),
        Err(_) => {
            let why = "popfetch reaches a SOCKS proxy by its host and port alone, and this one is left out, \
                       so that it connects without: see `proxy`";
            draft.differs.push(format!("the proxy {host}: {why}"));
            Fate::nothing(why)
        }
    }
}

/// The usual netrc file, where it knows the host.
pub(super) fn netrc(host: &str, around: &Surroundings) -> Secret {
    let path = around.home.join(".netrc");
    let text = super::files::config("netrc", &path);
    let knows = text.is_ok_and(|text| {
        let mut words = text.split_ascii_whitespace();
        std::iter::from_fn(|| words.next()).any(|word| word.eq_ignore_ascii_case(host))
    });
    match knows && !host.is_empty() {
        true => Secret::Key("password-netrc", Word::Flag(true)),
        false => Secret::Nowhere,
    }
}

/// Says so where one list of what was fetched counts for several mailboxes, as the tool knows them by host and user
/// alone: there may be another server behind another port.
pub(super) fn note_shared(drafts: &mut [Draft], tool: &str) {
    let key = |draft: &Draft| {
        let (file, first) = (draft.seen_file.clone()?, draft.names.first()?);
        let word = |key| draft.get(key).map(str::to_lowercase);
        Some((file, first.unique_id.clone(), word("host"), word("user")))
    };
    let keys: Vec<_> = drafts.iter().map(|it| (key(it), it.mailbox())).collect();
    for (draft, (own, mailbox)) in drafts.iter_mut().zip(&keys) {
        let is_shared = |(it, other): &(Option<_>, String)| it == own && other != mailbox;
        if own.is_some() && keys.iter().any(is_shared) {
            draft.differs.push(format!(
                "{tool} notes no port, and what it has fetched counts for another account of this user and host as \
                 well: if that is another mailbox, `popfetch state forget ACCOUNT --all` has all of it fetched"
            ));
        }
    }
}

/// A method that needs TLS is left to popfetch to choose where there is none.
pub(super) fn check_auth(draft: &mut Draft) {
    let needs_tls = |word: &str| {
        let known = Auth::ALL.iter().find(|(known, _)| *known == word);
        known.is_some_and(|(_, auth)| auth.needs_tls())
    };
    if draft.get("tls") == Some("none") && draft.get("auth").is_some_and(needs_tls) {
        draft.keys.retain(|(key, _)| *key != "auth");
        draft.differs.push(
            "the method to sign in with is for connections with TLS alone, and is left out".into(),
        );
    }
}
