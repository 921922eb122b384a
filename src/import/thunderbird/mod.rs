//! Thunderbird: profiles in a handful of places, in each `prefs.js` with its accounts, and for each POP3
//! account a `popstate.dat` in the directory of its mail. Of an IMAP account it has copies, in files of its
//! own, and the account's settings alone are taken.
//!
//! ```text
//! profiles.ini ─> prefs.js ─> settings ─> servers of accounts ─> drafts
//!      profiles       prefs                    server, fate         └─< popstate.dat
//! ```
//! Its mail and its passwords (`logins.json`, which is encrypted) are not read.

use super::files;
use super::model::{Draft, Fate, Found, Line, Word};
use super::{Error, Wanted};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod fate;
mod popstate;
mod prefs;
mod profiles;
mod server;

use fate::is_secret;
use popstate::{Known, Owner, Place};
use prefs::{Pref, Prefs, Value};
use server::Server;

const TOOL: &str = "thunderbird";

/// Profiles that are read at most; a person has one or two.
const MOST_PROFILES: usize = 100;

/// Ports of POP3 and IMAP.
const USUAL: [u64; 4] = [995, 110, 993, 143];

/// Accounts that are read at most, of all profiles.
const MOST: usize = 1000;

pub(super) fn read(wanted: Wanted<'_>) -> Result<Found, Error> {
    let Wanted {
        path, seen, around, ..
    } = wanted;
    let mut found = Found::default();
    let paths = profiles::find(path, around)?.into_iter();
    let profiles = paths.take(MOST_PROFILES).map(|path| {
        let prefs = Prefs::parse(&path, &files::large_config(TOOL, &path)?)?;
        Ok((path, prefs))
    });
    let profiles = profiles.collect::<Result<Vec<_>, Error>>()?;
    let is_one = seen.is_some() && is_one(&profiles, wanted)?;
    for (path, prefs) in profiles {
        let profile = Profile::new(&path, &prefs);
        found.lines.extend(profile.lines());
        let mut drafts = Vec::new();
        let mailboxes = profile.servers.iter();
        for server in mailboxes.filter(|it| it.is_pop() || it.is_imap()) {
            if found.drafts.len() + drafts.len() < MOST {
                drafts.push((server, server.draft(&path)?));
            }
        }
        for (server, mut draft) in drafts {
            server.heed_filters(profile.directory(), &mut draft);
            match seen {
                _ if server.is_imap() => {}
                Some(seen) => {
                    let said = is_one && wanted.means(&draft);
                    profile.take_given(server, seen, said, &mut draft)?;
                }
                None => profile.take_seen(server, &mut draft)?,
            }
            found.drafts.push(draft);
        }
        found.files.push(path);
    }
    unite(&mut found.drafts);
    Ok(found)
}

/// Whether one mailbox alone of all profiles is meant that has a list of what was fetched: so a list that does not say
/// whose it is can only be of that.
fn is_one(profiles: &[(PathBuf, Prefs)], wanted: Wanted<'_>) -> Result<bool, Error> {
    let mut mailboxes = HashSet::new();
    for (path, prefs) in profiles {
        let profile = Profile::new(path, prefs);
        for server in profile.servers.iter().filter(|it| it.is_pop()) {
            let draft = server.draft(path)?;
            if wanted.means(&draft) {
                mailboxes.insert(draft.mailbox());
            }
        }
    }
    Ok(mailboxes.len() == 1)
}

/// A maildrop that is in several profiles by other ports has been fetched by each of them: what any has is known. By a
/// port that is not usual another server may be behind the same name.
fn unite(drafts: &mut [Draft]) {
    for index in 0..drafts.len() {
        let (before, rest) = drafts.split_at_mut(index);
        let Some(draft) = rest.first_mut() else {
            return;
        };
        let is_usual = |draft: &Draft| {
            let port = draft.keys.iter().find(|(key, _)| *key == "port");
            port.is_none_or(|(_, port)| USUAL.iter().any(|it| *port == Word::Number(*it)))
        };
        let same = |other: &&mut Draft| {
            let keys = ["protocol", "host", "user"];
            other.mailbox() != draft.mailbox()
                && keys.iter().all(|key| other.get(key) == draft.get(key))
                && is_usual(other)
                && is_usual(draft)
        };
        let Some(first) = before.iter_mut().find(same) else {
            continue;
        };
        let known: BTreeSet<_> = first.names.iter().map(|it| it.unique_id.clone()).collect();
        let more = draft
            .names
            .iter()
            .filter(|it| !known.contains(&it.unique_id));
        first.names.extend(more.cloned());
        first.left |= draft.left;
        if let Some(file) = draft.seen_file.clone() {
            let also = format!(
                "what another profile has of it is known too: {}",
                file.display()
            );
            first.differs.push(also);
            first.seen_file.get_or_insert(file);
        }
    }
}

/// A profile, every server in its place.
struct Profile<'a> {
    file: Arc<PathBuf>,
    prefs: &'a Prefs,
    /// Those of its accounts.
    servers: Vec<Server<'a>>,
    /// The places of these by their keys, of which a setting has one.
    places: HashMap<&'a str, usize>,
    /// The accounts by their keys.
    accounts: HashSet<String>,
    /// Hosts and users of those that fetch by POP3.
    owners: Vec<(Vec<&'a str>, Vec<&'a str>)>,
}

impl<'a> Profile<'a> {
    fn new(path: &Path, prefs: &'a Prefs) -> Self {
        let accounts = accounts(prefs);
        let servers = accounts.iter().filter_map(|account| {
            let key = prefs.text(&format!("mail.account.{account}.server"))?;
            Some(Server::new(key, prefs))
        });
        let servers: Vec<_> = servers.collect();
        let mut places = HashMap::new();
        for (place, server) in servers.iter().enumerate() {
            places.entry(server.key).or_insert(place);
        }
        let owners = servers.iter().filter(|it| it.is_pop());
        let owners = owners.map(|it| (it.hosts(), it.users())).collect();
        Self {
            file: Arc::new(path.to_owned()),
            prefs,
            servers,
            places,
            accounts: accounts.into_iter().collect(),
            owners,
        }
    }

    fn directory(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("/"))
    }

    /// Reads what its owner says that an account has fetched.
    fn take_given(
        &self,
        server: &Server<'_>,
        path: &Path,
        is_said: bool,
        draft: &mut Draft,
    ) -> Result<(), Error> {
        let place = match is_said {
            true => Place::Said,
            false => Place::Guessed,
        };
        if let Some(known) = self.known(server, path, place)? {
            server::tell(&known, draft);
            draft.names = known.seen;
            draft.seen_file = Some(path.to_owned());
        }
        Ok(())
    }

    /// Finds what an account has fetched.
    fn take_seen(&self, server: &Server<'_>, draft: &mut Draft) -> Result<(), Error> {
        for (path, place) in server.states(self.directory()) {
            let Some(known) = self.known(server, &path, place)? else {
                continue;
            };
            match &known.stranger {
                None => {
                    server::tell(&known, draft);
                    draft.names = known.seen;
                    draft.seen_file = Some(path);
                    return Ok(());
                }
                Some(whose) if place == Place::Own => server::tell_stranger(&path, whose, draft),
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn known(
        &self,
        server: &Server<'_>,
        path: &Path,
        place: Place,
    ) -> Result<Option<Known>, Error> {
        let Some(octets) = files::seen(TOOL, path)? else {
            return Ok(None);
        };
        let owner = Owner {
            hosts: &server.hosts(),
            users: &server.users(),
            others: &self.owners,
            place,
        };
        popstate::read(path, &octets, owner).map(Some)
    }

    /// Settings that are about fetching mail have a line each; those between them are counted.
    fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        let mut others = 0;
        for (place, pref) in self.prefs.all.iter().enumerate() {
            let fate = self.fate(pref);
            if fate.is_some() {
                others = 0;
            } else {
                others += 1;
            }
            let (text, fate) = match fate {
                Some(_) if self.prefs.is_superseded(place) => {
                    (shown(pref), Fate::nothing("it stands again further down"))
                }
                Some(fate) => (shown(pref), fate),
                None => {
                    let text = match others {
                        1 => "a setting of another kind".to_owned(),
                        _ => format!("{others} settings of other kinds"),
                    };
                    (text, Fate::nothing("not about fetching mail"))
                }
            };
            match lines.last_mut() {
                Some(last) if others > 1 => last.text = text,
                _ => lines.push(Line {
                    file: Arc::clone(&self.file),
                    number: pref.line,
                    text,
                    fate,
                }),
            }
        }
        lines
    }

    fn fate(&self, pref: &Pref) -> Option<Fate> {
        let name = pref.name.as_str();
        if let Some(rest) = name.strip_prefix("mail.server.") {
            let (key, setting) = rest.split_once('.')?;
            if key == "default" {
                return fate::is_known(setting)
                    .then(|| Fate::taken("in each account below that does not say it itself"));
            }
            let place = self.places.get(key);
            return Some(match place.and_then(|place| self.servers.get(*place)) {
                Some(server) => server.fate(setting),
                None => Fate::nothing("it is of an account that was removed"),
            });
        }
        if let Some(rest) = name.strip_prefix("mail.account.") {
            let (account, setting) = rest.split_once('.')?;
            let used = self.accounts.contains(account);
            return Some(match setting {
                _ if !used => Fate::nothing("it is of an account that was removed"),
                "server" => Fate::taken("the account's server"),
                _ => Fate::nothing("popfetch sends no mail"),
            });
        }
        match name {
            "mail.accountmanager.accounts" => Some(Fate::taken("the accounts below")),
            "mailnews.tcptimeout" => Some(server::timeout(self.prefs, &mut Draft::default())),
            "network.proxy.socks"
            | "network.proxy.socks_port"
            | "network.proxy.type"
            | "network.proxy.socks_version" => {
                Some(server::proxy(self.prefs, &mut Draft::default()))
            }
            _ => None,
        }
    }
}

/// The accounts by their keys, in the order they are shown in; in profiles of long ago nothing lists
/// them.
fn accounts(prefs: &Prefs) -> Vec<String> {
    let mut known = HashSet::new();
    if let Some(list) = prefs.text("mail.accountmanager.accounts") {
        let listed = list.split(',').map(str::trim).filter(|it| !it.is_empty());
        let listed = listed.filter(|it| known.insert(*it)).take(MOST);
        return listed.map(str::to_owned).collect();
    }
    let servers = prefs.all.iter().filter_map(|pref| {
        let rest = pref.name.strip_prefix("mail.account.")?;
        rest.strip_suffix(".server").map(str::to_owned)
    });
    let servers: BTreeSet<String> = servers.collect();
    servers.into_iter().take(MOST).collect()
}

/// A setting, without a password.
fn shown(pref: &Pref) -> String {
    const LONGEST: usize = 60;
    let name = &pref.name;
    let value = match &pref.value {
        Value::Text(_) if is_secret(name) => "***".to_owned(),
        Value::Text(text) if text.chars().count() > LONGEST => {
            format!("\"{}...\"", text.chars().take(LONGEST).collect::<String>())
        }
        Value::Text(text) => format!("\"{text}\""),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
    };
    format!("{name} {value}")
}
