//! Real servers besides Dovecot, each with one maildrop: GNU mailutils' pop3d, popa3d and Courier's
//! pop3d.
//!
//! `.ci/servers` unpacks them into `target/servers`, or into the directory that
//! POPFETCH_TEST_SERVERS names; as packages they would conflict with each other and with Dovecot.
//! They run from there, as inetd would start them. What they need, found by trying:
//! - mailutils takes users from a file of our own, and then wants the group `mail`. As somebody else
//!   than root it gets it in a user namespace in which that group is the user's own.
//! - popa3d knows the system's users, PAM and /var/mail alone, and changes root directory and user.
//!   So it is given all of these in a mount namespace of its own. That takes root.
//! - Courier's `courierpop3d` comes after the sign-in, which a daemon does for it; here the front
//!   does.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::inetd::{Door, Inetd};
use super::message::Message;
use super::scratch;
use super::skip::{Lack, skip};
use super::tree;

/// A server and its maildrop.
pub struct RealServer {
    // Fields are dropped in this order: the children end before their directory goes.
    front: Inetd,
    maildrop: Maildrop,
    directory: TempDir,
}

enum Maildrop {
    Mbox(PathBuf),
    Maildir(PathBuf),
}

const NOBODY: u32 = 65534;

/// "secret" as crypt(3) has it.
const CRYPTED: &str = "$6$popfetch$\
    4DB8fAKIAGf6g/kXKt20VVdL9yFgonRbwL1kHQQojEZ21c416bEsCTxmCRsMsSZQKaQ7F3V1RNONBScxbOavE1";

impl RealServer {
    /// GNU mailutils' pop3d with a fresh mbox. None, after a loud word, where it is not there or
    /// cannot run; under CI that is a failure. So are all of these.
    pub fn mailutils(messages: &[Message]) -> Option<Self> {
        let program = unpacked("usr/sbin/pop3d")?;
        let directory = scratch::directory();
        let at = directory.path();
        let mut command = program_command(&program, at);
        if !is_root() {
            fs::write(at.join("group"), "mail:x:0:\n").unwrap();
            let script = "mount --bind \"$0\" /etc/group && exec \"$@\"";
            let options = ["--map-root-user", "--mount"];
            command = unshared(&options, script, &at.join("group"), command)?;
        }
        let users = format!(
            "ada:{CRYPTED}:{NOBODY}:{NOBODY}::{}:/bin/sh\n",
            at.display()
        );
        fs::create_dir(at.join("users")).unwrap();
        fs::write(at.join("users/example.com"), users).unwrap();
        let config = format!(
            "logging {{ syslog no; }};
auth {{
  authentication clear; authentication generic;
  authorization clear; authorization virtdomain;
}};
virtdomain {{ passwd-dir \"{}/users\"; }};
tcp-wrappers {{ enable no; }};
",
            at.display()
        );
        fs::write(at.join("config"), config).unwrap();
        let config = format!("--config-file={}/config", at.display());
        command.extend(["--inetd".into(), config]);
        let mbox = write_mbox(at.join("INBOX"), messages);
        Some(Self::start(
            "ada@example.com",
            Door::Servers,
            command,
            Maildrop::Mbox(mbox),
            directory,
        ))
    }

    /// popa3d with a fresh mbox.
    pub fn popa3d(messages: &[Message]) -> Option<Self> {
        let program = unpacked("usr/sbin/popa3d")?;
        if !is_root() {
            skip(
                Lack::Root,
                "popa3d changes its root directory and user, which takes root",
            );
            return None;
        }
        let directory = scratch::directory();
        let at = directory.path();
        for part in ["mail", "pam.d"] {
            fs::create_dir(at.join(part)).unwrap();
        }
        let users =
            ["ada", "popa3d"].map(|user| format!("{user}:x:{NOBODY}:{NOBODY}::/:/bin/sh\n"));
        fs::write(at.join("passwd"), users.concat()).unwrap();
        let pam = "auth required pam_permit.so\naccount required pam_permit.so\n";
        fs::write(at.join("pam.d/popa3d"), pam).unwrap();
        let script = "mount --bind \"$0/passwd\" /etc/passwd &&
            mount --bind \"$0/pam.d\" /etc/pam.d &&
            mount --bind \"$0/mail\" /var/mail &&
            mount -t tmpfs -o mode=755 tmpfs /var/lib &&
            mkdir /var/lib/popa3d &&
            exec \"$@\"";
        let command = unshared(&["--mount"], script, at, program_command(&program, at))?;
        let mbox = write_mbox(at.join("mail/ada"), messages);
        chown(&mbox, Some(NOBODY), Some(NOBODY)).unwrap();
        Some(Self::start(
            "ada",
            Door::Servers,
            command,
            Maildrop::Mbox(mbox),
            directory,
        ))
    }

    /// Courier's pop3d with a fresh Maildir.
    pub fn courier(messages: &[Message]) -> Option<Self> {
        let program = unpacked("usr/lib/courier/courier/courierpop3d")?;
        let directory = scratch::directory();
        let maildir = directory.path().join("Maildir");
        for subdirectory in ["tmp", "new", "cur"] {
            fs::create_dir_all(maildir.join(subdirectory)).unwrap();
        }
        for (index, message) in messages.iter().enumerate() {
            let name = format!("{}.M{index}P1.test", 1_700_000_000 + index);
            fs::write(maildir.join("new").join(name), message.stored()).unwrap();
        }
        let mut command = program_command(&program, directory.path());
        // Where the daemon leaves word of the sign-in; behind "env -i".
        let word = ["AUTHENTICATED=ada", "TCPREMOTEIP=127.0.0.1"];
        command.splice(2..2, word.map(String::from));
        command.push(maildir.to_str().unwrap().into());
        Some(Self::start(
            "ada",
            Door::Ours,
            command,
            Maildrop::Maildir(maildir),
            directory,
        ))
    }

    fn start(
        user: &str,
        door: Door,
        command: Vec<String>,
        maildrop: Maildrop,
        directory: TempDir,
    ) -> Self {
        let log = directory.path().join("log");
        let front = Inetd::start(user, door, move || {
            let log = fs::OpenOptions::new().create(true).append(true).open(&log);
            let mut child = Command::new(&command[0]);
            child.args(&command[1..]).stderr(log.unwrap());
            child
        });
        Self {
            front,
            maildrop,
            directory,
        }
    }

    /// The TLS in front of it.
    pub fn front(&self) -> &Inetd {
        &self.front
    }

    /// How many messages it has on the disk, once no session is running any more.
    pub fn count(&self) -> usize {
        self.front.sessions();
        match &self.maildrop {
            Maildrop::Mbox(mbox) => {
                let octets = fs::read(mbox).unwrap();
                let lines = octets.split(|octet| *octet == b'\n');
                lines.filter(|line| line.starts_with(b"From ")).count()
            }
            Maildrop::Maildir(maildir) => tree::count(maildir),
        }
    }

    /// What it said on standard error, for failure messages.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

/// A program that `.ci/servers` has unpacked.
pub(super) fn unpacked(program: &str) -> Option<PathBuf> {
    let path = servers().join(program);
    if path.is_file() {
        return Some(path);
    }
    skip(
        Lack::Tool,
        format!("there is no {}; see .ci/servers", path.display()),
    );
    None
}

pub(super) fn servers() -> PathBuf {
    let named = std::env::var_os("POPFETCH_TEST_SERVERS");
    let directory = named.unwrap_or_else(|| "target/servers".into());
    Path::new(env!("CARGO_MANIFEST_DIR")).join(directory)
}

/// The program with the libraries that were unpacked with it, and nothing of our environment.
pub(super) fn program_command(program: &Path, home: &Path) -> Vec<String> {
    let parts = ["usr/lib", "lib"].map(|part| servers().join(part).display().to_string());
    let machine = std::env::consts::ARCH;
    let libraries = parts.map(|part| format!("{part}/{machine}-linux-gnu:{part}"));
    [
        "/usr/bin/env".into(),
        "-i".into(),
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin".into(),
        format!("TMPDIR={}", home.display()),
        format!("LD_LIBRARY_PATH={}", libraries.join(":")),
        program.display().to_string(),
    ]
    .into()
}

/// `command` in namespaces of its own, after what `script` does there with `at`.
fn unshared(
    options: &[&str],
    script: &str,
    at: &Path,
    command: Vec<String>,
) -> Option<Vec<String>> {
    let mut unshared = vec!["unshare".to_owned()];
    unshared.extend(options.iter().map(|option| (*option).to_owned()));
    unshared.extend(["sh", "-c", script].map(String::from));
    unshared.push(at.display().to_string());
    let mut trial = Command::new("unshare");
    let output = trial
        .args(&unshared[1..])
        .arg("true")
        .stdin(Stdio::null())
        .output();
    let why = match output {
        Ok(output) if output.status.success() => {
            unshared.extend(command);
            return Some(unshared);
        }
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => format!("unshare: {error}"),
    };
    skip(
        Lack::Tool,
        format!("there are no namespaces to be had here: {why}"),
    );
    None
}

/// As a delivery agent with the traditional format does it.
fn write_mbox(path: PathBuf, messages: &[Message]) -> PathBuf {
    let mut mbox = Vec::new();
    for message in messages {
        mbox.extend_from_slice(b"From ada@example.com Mon Nov 23 10:00:00 2026\n");
        mbox.extend_from_slice(&message.stored());
        mbox.push(b'\n');
    }
    fs::write(&path, mbox).unwrap();
    path
}

pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
