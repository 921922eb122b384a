//! The programs that are measured, and how each is told to do the same work: fetch what is new over
//! TLS with the certificate checked, leave it on the server, store it in a Maildir, add no header
//! line where that can be had, and remember what was fetched.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::deliver;
use crate::mda::Way;
use crate::owner;
use crate::probe::{self, Retrieve};
use crate::storing;
use crate::support::account::Account;
use crate::support::run::Home;

/// Who is measured.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Program {
    Limit,
    Storing,
    Popfetch,
    Mpop,
    Fdm,
    Fetchmail,
    Getmail,
    Mbsync,
    Offlineimap,
}

/// How a program is to fetch.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    pub retrieve: Retrieve,
    /// What becomes of what it fetches.
    pub way: Way,
}

impl Manner {
    /// What is fetched is stored.
    pub fn stored(retrieve: Retrieve) -> Self {
        let way = Way::Stored;
        Self { retrieve, way }
    }
}

/// In popfetch's config, and the name of the Maildir in all homes.
pub fn account_name(index: usize) -> String {
    format!("a{index}")
}

impl Program {
    pub const ALL: [Self; 9] = [
        Self::Limit,
        Self::Storing,
        Self::Popfetch,
        Self::Mpop,
        Self::Fdm,
        Self::Fetchmail,
        Self::Getmail,
        Self::Mbsync,
        Self::Offlineimap,
    ];

    /// Its name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Storing => "storing limit",
            Self::Popfetch => "popfetch",
            Self::Mpop => "mpop",
            Self::Fdm => "fdm",
            Self::Fetchmail => "fetchmail + MDA",
            Self::Getmail => "getmail6",
            Self::Mbsync => "mbsync",
            Self::Offlineimap => "OfflineIMAP",
        }
    }

    /// The Debian package that it comes in, if it is a peer.
    pub fn package(self) -> Option<&'static str> {
        match self {
            Self::Limit | Self::Storing | Self::Popfetch => None,
            Self::Mpop => Some("mpop"),
            Self::Fdm => Some("fdm"),
            Self::Fetchmail => Some("fetchmail"),
            Self::Getmail => Some("getmail6"),
            Self::Mbsync => Some("isync"),
            Self::Offlineimap => Some("offlineimap3"),
        }
    }

    /// Whether it waits for each message before it asks for the next.
    pub fn goes_one_by_one(self) -> bool {
        matches!(
            self,
            Self::Fdm | Self::Fetchmail | Self::Getmail | Self::Offlineimap
        )
    }

    /// Whether it is measured by IMAP, or by POP3. By IMAP getmail waits in vain for a child of its own now and
    /// then, for minutes.
    pub fn speaks(self, by_imap: bool) -> bool {
        match self {
            Self::Limit | Self::Storing | Self::Popfetch | Self::Fetchmail => true,
            Self::Mpop | Self::Fdm | Self::Getmail => !by_imap,
            Self::Mbsync | Self::Offlineimap => by_imap,
        }
    }

    /// Whether it can be run here. Says so where not.
    pub fn is_here(self) -> bool {
        let file = match self {
            Self::Limit | Self::Storing | Self::Popfetch => return true,
            Self::Mpop => "mpop",
            Self::Fdm => "fdm",
            Self::Fetchmail => "fetchmail",
            Self::Getmail => "getmail",
            Self::Mbsync => "mbsync",
            Self::Offlineimap => "offlineimap",
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        let here = std::env::split_paths(&path).any(|at| at.join(file).is_file());
        if !here {
            eprintln!("{file} is not installed: left out");
        }
        here
    }

    /// The version that is measured.
    pub fn version(self) -> Option<String> {
        match self {
            Self::Limit | Self::Storing => None,
            Self::Popfetch => Some(env!("CARGO_PKG_VERSION").into()),
            _ => package_version(self.package()?),
        }
    }

    /// Exit statuses beside 0 that mean success.
    pub fn fine(self) -> &'static [i32] {
        match self {
            // fetchmail: there was no new mail.
            Self::Fetchmail => &[1],
            _ => &[],
        }
    }

    /// Prepares `home`, so that the command that comes back fetches from `accounts`, again and
    /// again. Only popfetch and the limits have more than one.
    pub fn prepare(self, home: &Home, accounts: &[Account], manner: Manner) -> Result<Command> {
        let Manner { retrieve, way } = manner;
        let by_imap = retrieve == Retrieve::ByImap;
        let mut directories = DirBuilder::new();
        directories.recursive(true).mode(0o700);
        for index in 0..accounts.len() {
            for directory in ["tmp", "new", "cur"] {
                directories.create(home.maildir(&account_name(index)).join(directory))?;
            }
        }
        let accounts = &trusting(home, accounts)?;
        let account = accounts.first().context("no account")?;
        let mda = match way {
            Way::Handed(mda) => Some(mda.argv(home)),
            Way::Stored | Way::Ruled => None,
        };
        let mut command = match self {
            Self::Limit => probe::command(&with_maildirs(home, accounts), retrieve)?,
            Self::Storing => {
                let stored = match by_imap {
                    true => Retrieve::StoredByImap,
                    false => Retrieve::Stored,
                };
                probe::command(&with_maildirs(home, accounts), stored)?
            }
            Self::Popfetch => {
                popfetch(home, accounts, by_imap, mda);
                if way == Way::Ruled {
                    rule(home)?;
                }
                let mut command = Command::new(env!("CARGO_BIN_EXE_popfetch"));
                command.args(["fetch", "--quiet"]);
                command
            }
            Self::Mpop => mpop(home, account),
            Self::Fdm => fdm(home, account),
            Self::Fetchmail => fetchmail(home, account, by_imap, mda)?,
            Self::Getmail => getmail(home, account, mda),
            Self::Mbsync => mbsync(home, account),
            Self::Offlineimap => offlineimap(home, account),
        };
        home.furnish(&mut command);
        if self == Self::Fdm {
            // It knows no other way to be told whom to trust.
            command.env("SSL_CERT_FILE", roots(account));
        }
        if let Some(by_file_system) = std::env::var_os(storing::SYNCFS) {
            command.env(storing::SYNCFS, by_file_system);
        }
        owner::give(home.path())?;
        Ok(command)
    }
}

fn with_maildirs(home: &Home, accounts: &[Account]) -> Vec<(Account, PathBuf)> {
    let accounts = accounts.iter().enumerate();
    accounts
        .map(|(index, account)| (account.clone(), home.maildir(&account_name(index))))
        .collect()
}

/// Its default settings, all syncs included.
fn popfetch(home: &Home, accounts: &[Account], by_imap: bool, mda: Option<Vec<String>>) {
    let named = accounts.iter().enumerate();
    let protocol = if by_imap { "protocol = \"imap\"\n" } else { "" };
    let config =
        named.map(|(index, account)| home.account_config(&account_name(index), account) + protocol);
    let config: String = config.collect();
    home.config(&match mda {
        None => config,
        Some(argv) => {
            // In place of the Maildir.
            let lines = config.lines().filter(|it| !it.starts_with("maildir = "));
            let lines: String = lines.map(|line| format!("{line}\n")).collect();
            format!("{lines}deliver = {{ command = {argv:?} }}\n")
        }
    });
}

/// A rule of its first account that has to look at each header, and is about none.
fn rule(home: &Home) -> Result<()> {
    let config = fs::read_to_string(home.config_file())?;
    let name = account_name(0);
    let rule = format!("[[accounts.{name}.rules]]\nfrom = \"*@nobody.example\"\nthen = \"skip\"\n");
    home.config(&(config + &rule));
    Ok(())
}

fn mpop(home: &Home, account: &Account) -> Command {
    let text = format!(
        "account a\nhost {}\nport {}\nuser {}\npassword {}\ntls on\ntls_starttls off\n\
         tls_trust_file {}\nkeep on\nreceived_header off\ndelivery maildir {}\nuidls_file {}\n",
        account.host,
        account.port,
        account.user,
        account.password,
        roots(account),
        home.maildir(&account_name(0)).display(),
        home.path().join("uidls").display(),
    );
    let mut command = Command::new("mpop");
    command.arg("--quiet");
    command
        .arg("--file")
        .arg(home.private_file("mpoprc", &text));
    command.arg("a");
    command
}

fn fdm(home: &Home, account: &Account) -> Command {
    let text = format!(
        "set no-received\nset verify-certificates\nset lock-file {:?}\n\
         account \"a\" pop3s server {:?} port {} user {:?} pass {:?} new-only cache {:?} keep\n\
         action \"store\" maildir {:?}\nmatch all action \"store\"\n",
        home.path().join("fdm.lock"),
        account.host,
        account.port,
        account.user,
        account.password,
        home.path().join("fdm.cache"),
        home.maildir(&account_name(0)),
    );
    let mut command = Command::new("fdm");
    command.arg("-q");
    command.arg("-f").arg(home.private_file("fdm.conf", &text));
    command.args(["-a", "a", "fetch"]);
    command
}

/// Its usual MDAs are other packages; ours writes the file and nothing else.
fn fetchmail(
    home: &Home,
    account: &Account,
    by_imap: bool,
    mda: Option<Vec<String>>,
) -> Result<Command> {
    // By IMAP it takes what is unread for what is new, unless it is to fetch all.
    let (protocol, fetches) = match by_imap {
        true => ("imap", " fetchall"),
        false => ("pop3", ""),
    };
    let remembers = if by_imap { "" } else { " uidl" };
    let ours = || -> Result<String> {
        Ok(format!(
            "{} {} {}",
            std::env::current_exe()?.display(),
            deliver::ROLE,
            home.maildir(&account_name(0)).display()
        ))
    };
    let mda = mda.map_or_else(ours, |argv| Ok(argv.join(" ")))?;
    let text = format!(
        "set no syslog\nset invisible\nset idfile {:?}\nset pidfile {:?}\n\
         poll {} protocol {protocol} service {}{remembers}\n  user {:?} password {:?}\n  \
         ssl sslcertfile {:?} sslcertck\n  keep{fetches} no rewrite\n  mda {:?}\n",
        home.path().join("fetchids"),
        home.path().join("fetchmail.pid"),
        account.host,
        account.port,
        account.user,
        account.password,
        roots(account),
        mda,
    );
    let mut command = Command::new("fetchmail");
    command.arg("--silent");
    command
        .arg("-f")
        .arg(home.private_file("fetchmailrc", &text));
    Ok(command)
}

fn getmail(home: &Home, account: &Account, mda: Option<Vec<String>>) -> Command {
    let destination = match mda.as_deref() {
        Some([program, words @ ..]) => {
            let words: String = words.iter().map(|word| format!("{word:?}, ")).collect();
            format!("type = MDA_external\npath = {program}\narguments = ({words})")
        }
        _ => {
            let maildir = home.maildir(&account_name(0));
            format!("type = Maildir\npath = {}/", maildir.display())
        }
    };
    let text = format!(
        "[retriever]\ntype = SimplePOP3SSLRetriever\nserver = {}\nport = {}\nusername = {}\n\
         password = {}\nca_certs = {}\n[destination]\n{}\n[options]\n\
         read_all = false\ndelete = false\ndelivered_to = false\nreceived = false\nverbose = 0\n",
        account.host,
        account.port,
        account.user,
        account.password,
        roots(account),
        destination,
    );
    home.private_file("getmail/getmailrc", &text);
    let mut command = Command::new("getmail");
    command.arg("--getmaildir").arg(home.path().join("getmail"));
    command
}

/// One way, and with its syncs.
fn mbsync(home: &Home, account: &Account) -> Command {
    let text = format!(
        "IMAPAccount a\nHost {}\nPort {}\nUser {}\nPass {}\nSSLType IMAPS\nCertificateFile {}\n\n\
         IMAPStore far\nAccount a\n\nMaildirStore near\nPath {}/\nInbox {}\n\n\
         Channel a\nFar :far:\nNear :near:\nPatterns INBOX\nSync Pull\nSyncState *\n",
        account.host,
        account.port,
        account.user,
        account.password,
        roots(account),
        home.path().display(),
        home.maildir(&account_name(0)).display(),
    );
    let mut command = Command::new("mbsync");
    command.arg("--quiet");
    command
        .arg("--config")
        .arg(home.private_file("mbsyncrc", &text));
    command.arg("a");
    command
}

/// One way, and with its syncs, which are its default.
fn offlineimap(home: &Home, account: &Account) -> Command {
    let maildir = account_name(0);
    let text = format!(
        "[general]\naccounts = a\nmetadata = {}\nui = quiet\n\n\
         [Account a]\nlocalrepository = near\nremoterepository = far\n\n\
         [Repository near]\ntype = Maildir\nlocalfolders = {}\n\
         nametrans = lambda name: {{{maildir:?}: 'INBOX'}}.get(name, name)\n\n\
         [Repository far]\ntype = IMAP\nremotehost = {}\nremoteport = {}\nremoteuser = {}\nremotepass = {}\n\
         ssl = yes\nsslcacertfile = {}\nreadonly = True\nfolderfilter = lambda name: name == 'INBOX'\n\
         nametrans = lambda name: {{'INBOX': {maildir:?}}}.get(name, name)\n",
        home.path().join("offlineimap").display(),
        home.path().join("Mail").display(),
        account.host,
        account.port,
        account.user,
        account.password,
        roots(account),
    );
    let mut command = Command::new("offlineimap");
    command.arg("-o");
    command
        .arg("-c")
        .arg(home.private_file("offlineimaprc", &text));
    command
}

/// The accounts, with whom to trust in a file of the home's.
fn trusting(home: &Home, accounts: &[Account]) -> Result<Vec<Account>> {
    let file = home.path().join("ca.pem");
    let first = accounts.first().context("no account")?;
    fs::copy(first.roots.as_ref().context("no TLS")?, &file)?;
    let trusting = accounts.iter().map(|account| Account {
        roots: Some(file.clone()),
        ..account.clone()
    });
    Ok(trusting.collect())
}

fn roots(account: &Account) -> String {
    let roots = account.roots.as_deref().unwrap_or("/nowhere".as_ref());
    roots.display().to_string()
}

/// The version of a Debian package without Debian's own part.
pub fn package_version(package: &str) -> Option<String> {
    let mut command = Command::new("dpkg-query");
    command.args(["-W", "-f", "${Version}", package]);
    let version = said(&mut command)?;
    let version = version.split_once(':').map_or(&*version, |(_, rest)| rest);
    let upstream = version.rsplit_once('-').map_or(version, |(first, _)| first);
    Some(upstream.split("+dfsg").next()?.to_owned())
}

fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
