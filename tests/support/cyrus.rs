//! Real Cyrus (Debian's cyrus-pop3d and cyrus-imapd, 3.6, with its own TLS and its passwords in a sasldb), from where
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

/// What it may serve its mail with, on a port of 127.0.0.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Protocol {
    Pop3s,
    Imaps,
}

/// A Cyrus with one maildrop.
pub struct Cyrus {
    // Fields are dropped in this order: the process ends before its directory goes.
    _daemon: Daemon,
    port: u16,
    authority: Authority,
    directory: TempDir,
}

impl Cyrus {
    /// Starts it for POP3S with these messages and more lines of config. None, after a loud word, where
    /// it is not there; under CI that is a failure.
    pub fn start(messages: &[Message], more: &str) -> Option<Self> {
        Self::serve(Protocol::Pop3s, messages, more)
    }

    /// The same for IMAPS.
    pub fn start_imap(messages: &[Message], more: &str) -> Option<Self> {
        Self::serve(Protocol::Imaps, messages, more)
    }

    fn serve(protocol: Protocol, messages: &[Message], more: &str) -> Option<Self> {
        unpacked(match protocol {
            Protocol::Pop3s => "usr/sbin/cyrmaster",
            Protocol::Imaps => "usr/lib/cyrus/bin/imapd",
        })?;
        let directory = scratch::directory();
        let authority = Authority::new();
        prepare(directory.path(), &authority, more);
        // A port that was free a moment ago may be another one's by now.
        let started = (0..5).find_map(|_| launch(directory.path(), protocol));
        let (daemon, port) = started.expect("cyrus does not start");
        deliver(&directory.path().join("lmtp"), messages);
        Some(Self {
            _daemon: daemon,
            port,
            authority,
            directory,
        })
    }

    /// Puts a new INBOX with these messages into the place of the one that there is, as one does who
    /// restores a mailbox: its UIDVALIDITY is another one.
    pub fn restore(&self, messages: &[Vec<u8>]) {
        let mut admin = self.sign_in("admin");
        // Nobody may delete a mailbox who has not been given the right to.
        admin.ask("SETACL user/ada admin lrx", b"");
        admin.ask("DELETE user/ada", b"");
        admin.ask("CREATE user/ada", b"");
        let mut ada = self.sign_in("ada");
        for message in messages {
            let lines = message.split(|octet| *octet == b'\n');
            let text = lines.collect::<Vec<_>>().join(&b"\r\n"[..]);
            ada.ask(&format!("APPEND INBOX {{{}+}}", text.len()), &text);
        }
    }

    fn sign_in(&self, user: &str) -> Plain {
        let stream = UnixStream::connect(self.directory.path().join("imap")).unwrap();
        let mut plain = Plain(BufReader::new(stream));
        plain.ask(&format!("LOGIN {user} secret"), b"");
        plain
    }

    /// What a client needs to know to sign in.
    pub fn account(&self) -> Account {
        Account::of_ada(self.port, Some(self.authority.pem_file()))
    }
}

/// IMAP in clear, over a socket in its directory.
struct Plain(BufReader<UnixStream>);

impl Plain {
    /// A command, with what follows its literal's length.
    fn ask(&mut self, command: &str, literal: &[u8]) {
        let mut octets = format!("t {command}\r\n").into_bytes();
        octets.extend(literal);
        if !literal.is_empty() {
            octets.extend(b"\r\n");
        }
        self.0.get_mut().write_all(&octets).unwrap();
        let mut line = String::new();
        while !line.starts_with("t ") {
            line.clear();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "{command}");
        }
        assert!(line.starts_with("t OK"), "{command}: {line}");
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
admins: admin
allowplaintext: yes
autocreate_post: yes
unixhierarchysep: yes
{more}",
        at = at.display()
    );
    fs::write(at.join("imapd.conf"), config).unwrap();
    let saslpasswd = servers().join("usr/sbin/saslpasswd2");
    let command = program_command(&saslpasswd, at);
    for user in ["ada", "admin"] {
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .arg("-f")
            .arg(at.join("sasldb2"))
            .args(["-p", "-c", "-u", "localhost", user])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"secret\n").unwrap();
        assert!(child.wait().unwrap().success());
    }
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

fn launch(at: &Path, protocol: Protocol) -> Option<(Daemon, u16)> {
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
    let (on_port, in_directory) = (format!("127.0.0.1:{port}"), at.display());
    let mut services = vec![service("lmtpd", "-a", &format!("{in_directory}/lmtp"))];
    match protocol {
        Protocol::Pop3s => services.push(service("pop3d", "-s", &on_port)),
        Protocol::Imaps => {
            services.push(service("imapd", "-s", &on_port));
            // The same program under another name.
            let plain = service("imapd", "", &format!("{in_directory}/imap"));
            services.push(plain.replacen("imapd", "plain", 1));
        }
    }
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
