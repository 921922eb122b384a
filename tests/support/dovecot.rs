//! Real Dovecot (Debian's dovecot-pop3d and dovecot-imapd, 2.3), to be sure that not only our own server understands
//! us.
//!
//! What it needs to run from a temporary directory, found by trying:
//! - As root, the login processes must not be root ("This process must not be run as root"), and
//!   no mail user may have uid 0. So Debian's own `dovenull` and `dovecot` are left in place, the
//!   mail belongs to nobody (65534), and the temporary directory is open to all, since those
//!   users walk through it. Keys and config stay root's.
//! - As anybody else, all of it runs as that user, and nothing can change root directory.
//! - Wrong passwords are answered at once: without `auth_failure_delay` and without the penalty that
//!   grows with each.
//! - `base_dir` and `state_dir` are its own, or a system's Dovecot would be disturbed.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::account::Account;
use super::certificate::{Authority, Wanted};
use super::message::Message;
use super::process::{Daemon, PATIENCE, installed, within};
use super::scratch;
use super::skip::{Lack, skip};
use super::token_endpoint::TokenEndpoint;
use super::tree;

const NOBODY: u32 = 65534;

/// A Dovecot with one maildrop, for POP3S on a port of 127.0.0.1, and for IMAP where that is asked for.
pub struct Dovecot {
    // Fields are dropped in this order: the process ends before its directory goes.
    daemon: Daemon,
    port: u16,
    stls_port: u16,
    imap_ports: [u16; 2],
    authority: Authority,
    directory: TempDir,
    delivered: usize,
}

impl Dovecot {
    /// Starts it with these messages, which it numbers in their order and gives unique-ids of its
    /// own. None, after a loud word, where Dovecot is not installed; under CI that is a failure.
    pub fn start(messages: &[Message]) -> Option<Self> {
        Self::start_letting_in(messages, PASSWORD, &[])
    }

    /// The same with more lines of config, in which `{at}` is the directory that has `ca.pem`, the
    /// authority of its certificate.
    pub fn start_with(messages: &[Message], more: &str) -> Option<Self> {
        Self::start_letting_in(messages, &format!("{PASSWORD}{more}"), &[])
    }

    /// The same with IMAP beside POP3.
    pub fn start_with_imap(messages: &[Message], more: &str) -> Option<Self> {
        Self::start_letting_in(messages, &format!("{PASSWORD}{IMAP}{more}"), &[])
    }

    /// The same, with another word on who may sign in, and how.
    pub fn start_with_imap_letting_in(
        messages: &[Message],
        who: &str,
        files: &[(&str, &str)],
    ) -> Option<Self> {
        Self::start_letting_in(messages, &format!("{who}{IMAP}"), files)
    }

    /// The same, for users who sign in with tokens that this endpoint knows.
    pub fn start_taking_tokens(messages: &[Message], endpoint: &TokenEndpoint) -> Option<Self> {
        Self::start_letting_in(messages, TOKEN, &[("oauth2.conf", &tokens_of(endpoint))])
    }

    /// The same with IMAP beside POP3.
    pub fn start_taking_tokens_by_imap(
        messages: &[Message],
        endpoint: &TokenEndpoint,
    ) -> Option<Self> {
        let who = format!("{TOKEN}{IMAP}");
        Self::start_letting_in(messages, &who, &[("oauth2.conf", &tokens_of(endpoint))])
    }

    /// The same, with another word on who may sign in, and how: config text, in which `{at}` is the
    /// directory that these files (names and contents) are put into.
    pub fn start_letting_in(
        messages: &[Message],
        who: &str,
        files: &[(&str, &str)],
    ) -> Option<Self> {
        if !installed("dovecot") || !installed("doveadm") {
            return None;
        }
        if who.contains(IMAP) && !Path::new("/usr/lib/dovecot/imap").exists() {
            skip(Lack::Tool, "there is no dovecot-imapd");
            return None;
        }
        let directory = scratch::directory();
        open_to_all(directory.path());
        let authority = Authority::new();
        let names = ["localhost", "127.0.0.1", "::1", "*.example.test"];
        let wanted = Wanted::default().names(&names);
        authority.issue(&wanted).write_to(directory.path());
        fs::copy(authority.pem_file(), directory.path().join("ca.pem")).unwrap();
        let maildir = directory.path().join("mail/Maildir");
        for subdirectory in ["tmp", "new", "cur"] {
            fs::create_dir_all(maildir.join(subdirectory)).unwrap();
        }
        fs::create_dir(directory.path().join("run")).unwrap();
        for part in [
            "mail",
            "mail/Maildir",
            "mail/Maildir/tmp",
            "mail/Maildir/new",
            "mail/Maildir/cur",
        ] {
            give_to_nobody(&directory.path().join(part));
        }
        deliver(&maildir, 0, messages);
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        // The free port may be taken before Dovecot has it: then once more.
        let started = (0..3).find_map(|_| launch(directory.path(), who));
        let Some((daemon, [port, stls_port, imaps, imap])) = started else {
            panic!("dovecot does not start:\n{}", read_log(directory.path()));
        };
        Some(Self {
            daemon,
            port,
            stls_port,
            imap_ports: [imaps, imap],
            authority,
            directory,
            delivered: messages.len(),
        })
    }

    /// New mail arrives.
    pub fn deliver(&mut self, messages: &[Message]) {
        deliver(&self.maildir(), self.delivered, messages);
        self.delivered += messages.len();
    }

    /// Mail arrives in another folder, which is made where it is not there: the name of its directory, as in
    /// `.Archive.2024`.
    pub fn deliver_into(&mut self, folder: &str, messages: &[Message]) {
        let folder = self.maildir().join(folder);
        fs::create_dir_all(&folder).unwrap();
        give_to_nobody(&folder);
        for part in ["tmp", "new", "cur"].map(|part| folder.join(part)) {
            fs::create_dir_all(&part).unwrap();
            give_to_nobody(&part);
        }
        deliver(&folder, self.delivered, messages);
        self.delivered += messages.len();
    }

    /// How many messages are in such a folder now.
    pub fn count_in(&self, folder: &str) -> usize {
        tree::count(&self.maildir().join(folder))
    }

    /// Somebody deletes the oldest messages by another way.
    pub fn lose_oldest(&mut self, count: usize) {
        let maildir = self.maildir();
        let mut files: Vec<_> = ["new", "cur"]
            .iter()
            .flat_map(|part| fs::read_dir(maildir.join(part)).unwrap())
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort_unstable_by_key(|path| path.file_name().map(ToOwned::to_owned));
        files
            .iter()
            .take(count)
            .for_each(|path| fs::remove_file(path).unwrap());
    }

    /// The mailbox is made anew, with the same messages: without its list of UIDs Dovecot makes another, with
    /// another UIDVALIDITY.
    pub fn forget_uids(&self) {
        for entry in fs::read_dir(self.maildir()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::remove_file(path).unwrap();
            }
        }
    }

    /// What a client needs to know to sign in.
    pub fn account(&self) -> Account {
        Account::of_ada(self.port, Some(self.authority.pem_file()))
    }

    /// The same for the port on which TLS comes with STLS.
    pub fn stls_account(&self) -> Account {
        Account {
            port: self.stls_port,
            ..self.account()
        }
    }

    /// The same for IMAP with TLS from the first octet, and for the port on which it comes with STARTTLS;
    /// the account's keys need `protocol = "imap"`.
    pub fn imap_accounts(&self) -> [Account; 2] {
        self.imap_ports.map(|port| Account {
            port,
            ..self.account()
        })
    }

    /// The authority of its certificate, which is for localhost and all of example.test.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// How many messages are on the server now.
    pub fn count(&self) -> usize {
        tree::count(&self.maildir())
    }

    /// The socket at which it takes mail by LMTP, where the config says so.
    pub fn lmtp_socket(&self) -> PathBuf {
        self.directory.path().join("run/lmtp")
    }

    /// The files of new mail.
    pub fn new_files(&self) -> Vec<PathBuf> {
        tree::new_files(&self.maildir())
    }

    /// What Dovecot logged, for failure messages.
    pub fn log(&self) -> String {
        read_log(self.directory.path())
    }

    /// Where its mail is.
    pub fn maildir(&self) -> PathBuf {
        self.directory.path().join("mail/Maildir")
    }
}

/// What Dovecot is told of an endpoint.
fn tokens_of(endpoint: &TokenEndpoint) -> String {
    format!(
        "tokeninfo_url = {}\nusername_attribute = username\nactive_attribute = active\n\
         active_value = true\n",
        endpoint.url()
    )
}

/// One password for everybody.
const PASSWORD: &str = "passdb {
  driver = static
  args = password=secret
}
";

/// Whoever has a token.
const TOKEN: &str = "auth_mechanisms = xoauth2 oauthbearer
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {at}/oauth2.conf
}
";

/// Beside POP3.
const IMAP: &str = "protocols = pop3 imap
service imap-login {
  {chroot}
  inet_listener imap {
    address = 127.0.0.1
    port = {imap}
  }
  inet_listener imaps {
    address = 127.0.0.1
    port = {imaps}
    ssl = yes
  }
}
";

/// With the ports for POP3S, POP3, IMAPS and IMAP.
fn launch(directory: &Path, who: &str) -> Option<(Daemon, [u16; 4])> {
    let probe = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let probes = [probe(), probe(), probe(), probe()];
    let ports = probes.each_ref().map(|p| p.local_addr().unwrap().port());
    drop(probes);
    let config_file = directory.join("dovecot.conf");
    fs::write(&config_file, config(directory, ports, who)).unwrap();
    let mut command = Command::new("dovecot");
    command.env(
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    );
    command.arg("-F").arg("-c").arg(&config_file);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut daemon = Daemon::start(&mut command);
    // That somebody listens there proves nothing: it may be who has taken the port meanwhile. This
    // is logged when Dovecot itself listens.
    let up = within(PATIENCE, || {
        if daemon.has_ended() {
            return Some(false);
        }
        read_log(directory).contains("starting up").then_some(true)
    });
    (up == Some(true)).then_some((daemon, ports))
}

fn config(directory: &Path, ports: [u16; 4], who: &str) -> String {
    let [port, stls_port, imaps, imap] = ports;
    let at = directory.display();
    let chroot = if is_root() { "" } else { "chroot =" };
    let mut who = who.replace("{at}", &at.to_string());
    for (word, value) in [
        ("{chroot}", chroot),
        ("{imaps}", &imaps.to_string()),
        ("{imap}", &imap.to_string()),
    ] {
        who = who.replace(word, value);
    }
    let (users, ids) = match is_root() {
        true => (String::new(), format!("uid={NOBODY} gid={NOBODY}")),
        false => {
            let (user, group) = (id("-un"), id("-gn"));
            let users = format!(
                "default_internal_user = {user}\ndefault_internal_group = {group}\n\
                 default_login_user = {user}\nservice anvil {{\n  chroot =\n}}\n"
            );
            (users, format!("uid={} gid={}", id("-u"), id("-g")))
        }
    };
    format!(
        "base_dir = {at}/run
state_dir = {at}/run
log_path = {at}/log
instance_name = popfetch-test
protocols = pop3
listen = 127.0.0.1
ssl = required
ssl_cert = <{at}/cert.pem
ssl_key = <{at}/key.pem
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = 0
mail_location = maildir:{at}/mail/Maildir
mailbox_list_index = no
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
{users}
{who}userdb {{
  driver = static
  args = {ids} home={at}/mail
}}
service pop3-login {{
  {chroot}
  inet_listener pop3 {{
    address = 127.0.0.1
    port = {stls_port}
  }}
  inet_listener pop3s {{
    address = 127.0.0.1
    port = {port}
    ssl = yes
  }}
}}
"
    )
}

/// Dovecot numbers new files by the time that their names begin with.
fn deliver(maildir: &Path, before: usize, messages: &[Message]) {
    for (index, message) in messages.iter().enumerate() {
        let number = before + index + 1;
        let name = format!("{}.M{number}P1.test", 1_700_000_000 + number);
        let (tmp, new) = (
            maildir.join("tmp").join(&name),
            maildir.join("new").join(&name),
        );
        fs::write(&tmp, message.octets()).unwrap();
        give_to_nobody(&tmp);
        fs::rename(tmp, new).unwrap();
    }
}

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

fn open_to_all(directory: &Path) {
    if is_root() {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn give_to_nobody(path: &Path) {
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

fn id(option: &str) -> String {
    let output = Command::new("id").arg(option).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().into()
}

fn read_log(directory: &Path) -> String {
    fs::read_to_string(directory.join("log")).unwrap_or_default()
}

/// What a Maildir must hold of `message` when Dovecot served it: like [`Message::stored`], except
/// that Dovecot sends a lone LF as CRLF, and so adds no line end to a message that ends in LF, and
/// an empty message as one empty line.
pub fn stored(message: &Message) -> Vec<u8> {
    let mut octets = message.stored();
    let sent = message.octets();
    if sent.is_empty() {
        octets.push(b'\n');
    } else if sent.ends_with(b"\n") && !sent.ends_with(b"\r\n") {
        octets.pop();
    }
    octets
}
