//! A private D-Bus session with a GNOME keyring of its own; nothing of the user's is touched.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::process::{Daemon, PATIENCE, installed, within};
use super::run::Home;
use super::scratch;

/// A Secret Service that programs with [`Keyring::bus_address`] use.
pub struct Keyring {
    // Fields are dropped in this order.
    daemon: Daemon,
    bus: Bus,
}

/// A D-Bus session; by itself one without a Secret Service.
pub struct Bus {
    _daemon: Daemon,
    environment: Vec<(String, String)>,
    address: String,
    _directory: TempDir,
}

impl Keyring {
    /// One whose default collection is unlocked and empty. None where
    /// gnome-keyring or dbus is not installed: then the test is skipped.
    pub fn unlocked() -> Option<Self> {
        Some(Self::on(Bus::start()?, true))
    }

    /// One that has a collection which nobody unlocks, as after a login without password or under
    /// cron. There is no prompter on the bus, so nothing can be asked either.
    pub fn locked() -> Option<Self> {
        // The first daemon makes the collection, the second finds it and lacks its password.
        let Self { daemon, bus } = Self::unlocked()?;
        drop(daemon);
        Some(Self::on(bus, false))
    }

    /// Leads all runs of `home` to this keyring.
    pub fn serve(&self, home: &mut Home) {
        self.bus.serve(home);
    }

    /// The D-Bus address, for DBUS_SESSION_BUS_ADDRESS.
    pub fn bus_address(&self) -> &str {
        &self.bus.address
    }

    fn on(bus: Bus, unlock: bool) -> Self {
        // The name of an earlier daemon must be free, or the new one leaves again.
        bus.wait_for_secret_service(false);
        let mut daemon = start_daemon(&bus.environment, unlock);
        bus.wait_for_secret_service(true);
        assert!(!daemon.has_ended(), "gnome-keyring-daemon ended");
        Self { daemon, bus }
    }
}

impl Bus {
    /// A bus on which nobody answers. None as for [`Keyring::unlocked`].
    pub fn start() -> Option<Self> {
        let needed = ["dbus-daemon", "dbus-send", "gnome-keyring-daemon"];
        needed.into_iter().all(installed).then(start_bus)
    }

    /// Leads all runs of `home` to this bus.
    pub fn serve(&self, home: &mut Home) {
        home.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
    }

    /// The D-Bus address, for DBUS_SESSION_BUS_ADDRESS.
    pub fn address(&self) -> &str {
        &self.address
    }

    fn wait_for_secret_service(&self, there: bool) {
        let done = within(Duration::from_secs(30), || {
            (has_owner(&self.environment) == there).then_some(())
        });
        let state = if there { "missing from" } else { "still on" };
        assert!(done.is_some(), "the Secret Service is {state} the bus");
    }
}

/// No service directories: the bus starts nothing by itself, so no program of the machine (a
/// prompter, the user's keyring) can come in.
const BUS_CONFIG: &str = r#"<!DOCTYPE busconfig PUBLIC
  "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=DIRECTORY</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

fn start_bus() -> Bus {
    let directory = scratch::directory();
    let at = directory.path();
    for name in ["run", "home", "data", "config"] {
        fs::create_dir(at.join(name)).unwrap();
        fs::set_permissions(at.join(name), fs::Permissions::from_mode(0o700)).unwrap();
    }
    let config_file = at.join("bus.conf");
    let run = at.join("run").display().to_string();
    fs::write(&config_file, BUS_CONFIG.replace("DIRECTORY", &run)).unwrap();
    let mut environment = environment(at);
    let mut command = Command::new("dbus-daemon");
    command.arg(format!("--config-file={}", config_file.display()));
    command.args(["--print-address=1", "--nofork", "--nopidfile"]);
    command.env_clear().envs(environment.clone());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut bus = Daemon::start(&mut command);
    let stdout = bus.child().stdout.take().unwrap();
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut address = String::new();
        let _read = BufReader::new(stdout).read_line(&mut address);
        let _gone = send.send(address);
    });
    let address = receive.recv_timeout(PATIENCE);
    let address = address.expect("dbus-daemon says nothing");
    assert!(!address.trim().is_empty(), "dbus-daemon ended");
    let address = address.trim().to_string();
    environment.push(("DBUS_SESSION_BUS_ADDRESS".into(), address.clone()));
    Bus {
        _daemon: bus,
        environment,
        address,
        _directory: directory,
    }
}

fn environment(at: &Path) -> Vec<(String, String)> {
    let mut environment = vec![("PATH".into(), std::env::var("PATH").unwrap())];
    for (name, directory) in [
        ("HOME", "home"),
        ("XDG_RUNTIME_DIR", "run"),
        ("XDG_DATA_HOME", "data"),
        ("XDG_CONFIG_HOME", "config"),
    ] {
        environment.push((name.into(), at.join(directory).display().to_string()));
    }
    environment
}

fn start_daemon(environment: &[(String, String)], unlock: bool) -> Daemon {
    let mut command = Command::new("gnome-keyring-daemon");
    command.args(["--foreground", "--components=secrets"]);
    if unlock {
        command.arg("--unlock");
    }
    command.env_clear().envs(environment.iter().cloned());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut keyring = Daemon::start(&mut command);
    // The keyring's own password, up to the end of the input.
    let mut stdin = keyring.child().stdin.take().unwrap();
    let _not_read_without_unlock = stdin.write_all(b"password of the keyring");
    keyring
}

fn has_owner(environment: &[(String, String)]) -> bool {
    let output = Command::new("dbus-send")
        .env_clear()
        .envs(environment.iter().cloned())
        .args(["--session", "--print-reply", "--reply-timeout=2000"])
        .arg("--dest=org.freedesktop.DBus")
        .args(["/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner"])
        .arg("string:org.freedesktop.secrets")
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).contains("boolean true")
}
