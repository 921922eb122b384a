//! Real Cyrus (Debian's cyrus-pop3d, 3.6, with its own TLS and its passwords in a sasldb), from where
//! `.ci/servers` has unpacked it.
//!
//! What it needs to run from a temporary directory, found by trying:
//! - `cyrmaster` starts everything; its services are given with their whole paths, and what they are
//!   linked with is found by the environment, the SASL library's plugins by SASL_PATH.
//! - It becomes `cyrus_user`: nobody where root starts it, else whoever does.
//! - Mail comes by LMTP, over a socket in that directory, and makes the mailbox (`autocreate_post`).

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::account::Account;
use super::certificate::Authority;
use super::message::Message;
use super::process::{Daemon, PATIENCE, listens, within};
use super::real_servers::{is_root, program_command, servers, unpacked};
use super::scratch;

const NOBODY: u32 = 65534;

/// A Cyrus with one maildrop, for POP3S on a port of 127.0.0.1.
pub struct Cyrus {
    // Fields are dropped in this order: the process ends before its directory goes.
    _daemon: Daemon,
    port: u16,
    authority: Authority,
    _directory: TempDir,
}

impl Cyrus {
    /// Starts it with these messages and more lines of config. None, after a loud word, where it is
    /// not there; under CI that is a failure.
    pub fn start(messages: &[Message], more: &str) -> Option<Self> {
        unpacked("usr/sbin/cyrmaster")?;
        let directory = scratch::directory();
        let authority = Authority::new();
        prepare(directory.path(), &authority, more);
        // A port that was free a moment ago may be another one's by now.
        let started = (0..5).find_map(|_| launch(directory.path()));
        let (daemon, port) = started.expect("cyrus does not start");
        deliver(&directory.path().join("lmtp"), messages);
        Some(Self {
            _daemon: daemon,
            port,
            authority,
            _directory: directory,
        })
    }

    /// What a client needs to know to sign in.
    pub fn account(&self) -> Account {
        Account {
            host: "localhost".into(),
            port: self.port,
            user: "ada".into(),
            password: "secret".into(),
            roots: Some(self.authority.pem_file()),
        }
    }
}

fn prepare(at: &Path, authority: &Authority, more: &str) {
    for part in ["conf", "spool"] {
        fs::create_dir(at.join(part)).unwrap();
    }
    for part in ["db", "socket", "proc", "log", "msg", "lock", "user"] {
        fs::create_dir(at.join("conf").join(part)).unwrap();
    }
    authority.localhost().write_to(at);
    let user = match is_root() {
        true => "nobody".to_owned(),
        false => {
            let output = Command::new("id").arg("-un").output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        }
    };
    let config = format!(
        "configdirectory: {at}/conf
defaultpartition: default
partition-default: {at}/spool
cyrus_user: {user}
servername: localhost
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {at}/sasldb2
tls_server_cert: {at}/cert.pem
tls_server_key: {at}/key.pem
autocreate_quota: 0
autocreate_post: yes
unixhierarchysep: yes
{more}",
        at = at.display()
    );
    fs::write(at.join("imapd.conf"), config).unwrap();
    let saslpasswd = servers().join("usr/sbin/saslpasswd2");
    let command = program_command(&saslpasswd, at);
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .arg("-f")
        .arg(at.join("sasldb2"))
        .args(["-p", "-c", "-u", "localhost", "ada"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"secret\n").unwrap();
    assert!(child.wait().unwrap().success());
    if is_root() {
        give_away(at);
    }
}

/// All of it to nobody.
fn give_away(path: &Path) {
    chown(path, Some(NOBODY), None).unwrap();
    if path.is_dir() {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        for entry in fs::read_dir(path).unwrap() {
            give_away(&entry.unwrap().path());
        }
    }
}

fn launch(at: &Path) -> Option<(Daemon, u16)> {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = probe.local_addr().unwrap().port();
    drop(probe);
    let service = |name: &str, options: &str, listen: &str| {
        let program = servers().join("usr/lib/cyrus/bin").join(name);
        format!(
            "  {name} cmd=\"{} -C {}/imapd.conf {options}\" listen=\"{listen}\" prefork=0\n",
            program.display(),
            at.display()
        )
    };
    let services = [
        service("pop3d", "-s", &format!("127.0.0.1:{port}")),
        service("lmtpd", "-a", &format!("{}/lmtp", at.display())),
    ];
    let config = format!(
        "START {{\n}}\nSERVICES {{\n{}}}\nEVENTS {{\n}}\n",
        services.concat()
    );
    fs::write(at.join("cyrus.conf"), config).unwrap();
    let mut words = program_command(&servers().join("usr/sbin/cyrmaster"), at);
    let machine = std::env::consts::ARCH;
    let plugins = servers().join(format!("usr/lib/{machine}-linux-gnu/sasl2"));
    words.insert(2, format!("SASL_PATH={}", plugins.display()));
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).arg("-D");
    for (option, file) in [("-C", "imapd.conf"), ("-M", "cyrus.conf"), ("-p", "pid")] {
        command.arg(option).arg(at.join(file));
    }
    let log = fs::File::create(at.join("log")).unwrap();
    command
        .current_dir(at)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap());
    let mut daemon = Daemon::start(command.stderr(log));
    let id = daemon.child().id();
    let up = within(PATIENCE, || {
        if daemon.has_ended() {
            return Some(false);
        }
        (listens(id) && at.join("lmtp").exists()).then_some(true)
    });
    (up == Some(true)).then_some((daemon, port))
}

/// Delivers by LMTP (RFC 2033).
fn deliver(socket: &Path, messages: &[Message]) {
    let mut stream = UnixStream::connect(socket).unwrap();
    let mut replies = BufReader::new(stream.try_clone().unwrap());
    let mut expect = |code: &str| {
        loop {
            let mut line = String::new();
            replies.read_line(&mut line).unwrap();
            assert!(line.starts_with(code), "{line:?}");
            if line.as_bytes().get(3) != Some(&b'-') {
                return;
            }
        }
    };
    let mut say = |octets: &[u8]| stream.write_all(octets).unwrap();
    expect("220");
    say(b"LHLO test\r\n");
    expect("250");
    for message in messages {
        for line in ["MAIL FROM:<ada@example.com>", "RCPT TO:<ada>"] {
            say(format!("{line}\r\n").as_bytes());
            expect("250");
        }
        say(b"DATA\r\n");
        expect("354");
        let mut data = Vec::new();
        for line in message.stored().split_inclusive(|octet| *octet == b'\n') {
            if line.starts_with(b".") {
                data.push(b'.');
            }
            data.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
            data.extend_from_slice(b"\r\n");
        }
        say(&data);
        say(b".\r\n");
        expect("250");
    }
    say(b"QUIT\r\n");
}
