use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::channel;

use base64::prelude::{BASE64_STANDARD, Engine};

use super::can_give_files;
use crate::given::{assert_said, command, journal, mail, run, server};
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::process::{Daemon, PATIENCE, within};
use crate::support::run::{Home, Output};
use crate::support::script::{Scene, Script};
use crate::support::server::Server;
use crate::support::tree;

const SECRET: &str = "tr0ub4dor&3 staple";

/// The password as it is and in the forms in which SASL mechanisms send it.
fn forms(secret: &str) -> Vec<String> {
    let encoded = [
        BASE64_STANDARD.encode(secret),
        BASE64_STANDARD.encode(format!("\0ada\0{secret}")),
        BASE64_STANDARD.encode(format!("ada\0ada\0{secret}")),
        BASE64_STANDARD.encode(format!("ada:{secret}")),
    ];
    let bare = encoded.iter().map(|form| form.trim_end_matches('='));
    let bare: Vec<String> = bare.map(str::to_owned).collect();
    [vec![secret.to_owned()], encoded.to_vec(), bare].concat()
}

#[track_caller]
fn assert_secret_is_not_in(output: &Output, secret: &str) {
    for form in forms(secret) {
        for stream in [&output.stdout, &output.stderr] {
            assert!(!stream.contains(&form), "{form:?} is in {output:#?}");
        }
    }
}

/// A session in which every single-line answer repeats all that a server could repeat.
fn echoing(secret: &str, auth: &str, accepts: bool) -> Scene {
    let echo = forms(secret).join(" ");
    let ok = format!("+OK you said {echo}\r\n");
    let err = format!("-ERR [AUTH] you said {echo}\r\n");
    let lines = |lines: &str| format!("{ok}{lines}.\r\n");
    // It knows the password from an earlier session.
    let scene = Scene::new().send(format!("+OK ready {echo}\r\n"));
    let capabilities = format!("UIDL\r\nTOP\r\nUTF8\r\nSASL PLAIN\r\nIMPLEMENTATION {echo}\r\n");
    let mut scene = scene.expect("CAPA").send(lines(&capabilities));
    if !secret.is_ascii() {
        scene = scene.expect("UTF8").send(&ok);
    }
    let scene = match auth {
        "plain" => scene.expect("AUTH"),
        _ => scene.expect("USER").send(&ok).expect("PASS"),
    };
    if !accepts {
        return scene.send(err).expect_close();
    }
    let scene = scene.send(&ok).expect("CAPA").send(lines(&capabilities));
    let scene = scene.expect("STAT").send(format!("+OK 2 80 {echo}\r\n"));
    let scene = scene.expect("UIDL").send(lines("1 a\r\n2 b\r\n"));
    scene.expect("LIST").send(lines("1 40\r\n2 25\r\n"))
}

/// What follows where messages are fetched and deleted.
fn fetched(scene: Scene, secret: &str) -> Scene {
    let echo = forms(secret).join(" ");
    let scene = scene
        .expect("RETR")
        .send(format!("-ERR you said {echo}\r\n"));
    let body = format!("+OK you said {echo}\r\nSubject: hello\r\n\r\nhello\r\n.\r\n");
    let scene = scene.expect("RETR").send(body);
    let scene = scene
        .expect("DELE")
        .send(format!("-ERR you said {echo}\r\n"));
    scene
        .expect("QUIT")
        .send(format!("+OK you said {echo}\r\n"))
}

fn home_for(script: &Script, secret: &str, keys: &str) -> Home {
    let home = Home::new();
    let mut account = script.account();
    account.password = secret.into();
    home.one_account(&account, keys);
    home
}

#[test]
fn s47_a_password_that_the_server_repeats_is_not_printed_anywhere() {
    // The second would be changed by any escaping that came before the redaction.
    for secret in [SECRET, "qu\"o\\te'é tr0ub4dor"] {
        for accepts in [true, false] {
            for auth in ["plain", "user-pass"] {
                for format in ["text", "json", "paths"] {
                    let mut scene = echoing(secret, auth, accepts);
                    if accepts {
                        scene = fetched(scene, secret);
                    }
                    let script = Script::plain(scene);
                    let keys = format!("auth = {auth:?}\nkeep = \"never\"\n");
                    let home = home_for(&script, secret, &keys);
                    let status = if accepts { 1 } else { 77 };
                    let output = run(&home, &["-vv", "--format", format], status);
                    script.assert_followed();
                    assert_secret_is_not_in(&output, secret);
                    assert!(!output.stderr.contains("tr0ub4dor"), "{output:#?}");
                    assert!(!output.stdout.contains("tr0ub4dor"), "{output:#?}");
                    assert_said(&output, &["a: C: ", "a: S: ", "you said ****"]);
                }
            }
        }
    }
}

#[test]
fn s47_a_repeated_password_is_not_shown_in_what_breaks_the_protocol_either() {
    for secret in [SECRET, "qu\"o\\te'é tr0ub4dor"] {
        for form in forms(secret) {
            // The third is cut short for the error message, in the midst of the password.
            for filler in ["", "what is ", &"x".repeat(57)] {
                let scene = Scene::new().send("+OK ready\r\n").expect("CAPA");
                let mut scene = scene.send("+OK\r\nUTF8\r\n.\r\n");
                if !secret.is_ascii() {
                    scene = scene.expect("UTF8").send("+OK\r\n");
                }
                let scene = scene.expect("USER").send("+OK\r\n");
                let scene = scene.expect("PASS").send(format!("{filler}{form}?\r\n"));
                let script = Script::plain(scene.expect_close());
                let home = home_for(&script, secret, "");
                let output = run(&home, &["-vv", "--format", "json"], 76);
                assert_secret_is_not_in(&output, secret);
                assert!(!output.stderr.contains("tr0"), "{output:#?}");
                assert!(!output.stdout.contains("tr0"), "{output:#?}");
            }
        }
    }
}

#[test]
fn s47_a_greeting_that_refuses_us_by_our_password_does_not_show_it() {
    for status in ["-ERR", "+OKAY", "220"] {
        let greeting = format!("{status} {}\r\n", forms(SECRET).join(" "));
        let script = Script::plain(Scene::new().send(greeting).expect_close());
        let home = home_for(&script, SECRET, "");
        let output = home.popfetch(["-vv", "--format", "json"]).run();
        assert_secret_is_not_in(&output, SECRET);
        assert_said(&output, &["error: a: ", "****"]);
    }
}

#[test]
fn s47_looking_and_testing_print_no_password_either() {
    for command in [
        &["check", "a"][..],
        &["account", "test", "a"],
        &["fetch", "-n"],
    ] {
        for (accepts, auth) in [(true, "plain"), (false, "plain"), (false, "user-pass")] {
            let script = Script::plain(echoing(SECRET, auth, accepts));
            let home = home_for(&script, SECRET, &format!("auth = {auth:?}\n"));
            let output = home.popfetch([command, &["-vv"]].concat()).run();
            assert_said(&output, &["a: S: +OK ready", "you said ****"]);
            assert_secret_is_not_in(&output, SECRET);
        }
    }
}

#[test]
fn j_a_password_that_comes_back_cut_in_hex_or_as_in_a_url_is_not_printed() {
    let hex: String = SECRET.bytes().map(|octet| format!("{octet:02X}")).collect();
    for (said, parts) in [
        // Servers that show the beginning of a command that they do not know.
        ("bad command: PASS tr0ub4dor", &["tr0"][..]),
        ("bad command: PASS tr0ub4dor&3 sta...", &["tr0", "&3"]),
        // Webmail gateways and log-minded servers.
        ("<tr0ub4dor%263%20staple> refused", &["tr0", "staple"]),
        ("pass=tr0ub4dor%263+staple", &["tr0", "staple"]),
        (&format!("0x{hex} refused"), &["7472", "7461706C"]),
    ] {
        for status in ["-ERR", "no"] {
            let scene = Scene::new().send("+OK ready\r\n").expect("CAPA");
            let scene = scene.send("-ERR what\r\n").expect("USER").send("+OK\r\n");
            let scene = scene.expect("PASS").send(format!("{status} {said}\r\n"));
            let script = Script::plain(scene.expect_close());
            let home = home_for(&script, SECRET, "");
            let output = home.popfetch(["-vv"]).run();
            assert_said(&output, &["****"]);
            for part in parts {
                assert!(!output.stderr.contains(part), "{part}: {output:#?}");
            }
        }
    }
}

#[test]
fn s47_a_password_of_digits_spoils_no_number() {
    let (_server, home) = Server::builder(&Maildrop::new([]))
        .security(Security::Plain)
        .credentials("ada", "0")
        .behaviour(Behaviour::new().on("LIST", Reply::raw("-ERR nothing there\r\n")))
        .with_home("");
    // What STAT says of an empty maildrop excuses a server that does not list nothing.
    run(&home, &[], 0);
}

/// What everyone on the machine may read of a process, and what its own user may.
fn seen_of(process: u32) -> String {
    let read = |name: &str| {
        let path = format!("/proc/{process}/{name}");
        match fs::read(&path) {
            Ok(octets) => String::from_utf8_lossy(&octets).into_owned(),
            // The kernel keeps it from us, as it does from others.
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => String::new(),
            Err(error) => panic!("{path}: {error}"),
        }
    };
    let seen = read("cmdline") + &read("environ");
    assert!(!seen.is_empty(), "nothing to be seen of {process}");
    seen
}

#[test]
fn s48_no_password_is_in_the_arguments_or_the_environment_of_any_process() {
    let (at_retr, arrived) = channel();
    let (go_on, waiting) = channel();
    let waiting = Mutex::new(waiting);
    let server = Server::builder(&Maildrop::new(mail(1)))
        .security(Security::Plain)
        .credentials("ada", SECRET)
        .on_command(move |seen| {
            if seen.line.starts_with("RETR") {
                at_retr.send(()).unwrap();
                let _gone = waiting.lock().unwrap().recv_timeout(PATIENCE);
            }
        })
        .start();
    let home = Home::new();
    let first = home.account_config("a", &server.account());
    let mut other = server.account();
    other.user = "bob".into();
    let second = home.account_config("b", &other);
    let lines = second.lines().filter(|l| !l.starts_with("password-file"));
    let lines: Vec<&str> = lines.collect();
    // When it runs, popfetch holds the first account's password already.
    let script = "echo $$ > started; while [ ! -e go ]; do sleep 0.01; done; cat a.password";
    let command = format!("password-command = [\"sh\", \"-c\", {script:?}]\n");
    home.config(&format!("{first}{}\n{command}", lines.join("\n")));

    let mut running = home.popfetch(["fetch"]).start();
    let child: u32 = within(PATIENCE, || {
        let text = fs::read_to_string(home.path().join("started")).ok()?;
        text.trim().parse().ok()
    })
    .unwrap();
    let mut seen = vec![seen_of(child), seen_of(running.id())];
    fs::write(home.path().join("go"), "").unwrap();
    arrived.recv_timeout(PATIENCE).unwrap();
    seen.push(seen_of(running.id()));
    go_on.send(()).unwrap();
    assert_eq!(running.wait().status, Some(77), "bob has another password");
    tree::assert_holds(&home.maildir("a"), &mail(1));
    for (text, form) in seen
        .iter()
        .flat_map(|t| forms(SECRET).into_iter().map(move |f| (t, f)))
    {
        assert!(!text.contains(&form), "{form:?} is in {text:?}");
    }
}

#[test]
fn s48_there_is_no_way_to_give_a_password_as_an_argument() {
    let (server, home) = server(1);
    let url = format!("pops://ada:hunter2@localhost:{}", server.port());
    for arguments in [
        &["fetch", "--password", "hunter2"][..],
        &["fetch", "--password=hunter2"],
        &["check", &url],
        &["fetch", &url, "--maildir", "m"],
    ] {
        let output = run(&home, arguments, 64);
        assert!(!output.stderr.contains("hunter2"), "{output:#?}");
    }
    assert!(server.sessions().is_empty());
}

#[test]
fn s49_a_crash_leaves_no_core_and_no_debugger_gets_in() {
    let (server, home) = server(1);
    home.config(&format!(
        "[accounts.a]\nhost = \"localhost\"\nport = {}\nuser = \"ada\"\nmaildir = {:?}\n\
         password-command = [\"sh\", \"-c\", \"echo > started; sleep 600\"]\n",
        server.port(),
        home.maildir("a")
    ));
    let mut command = command(&home, &["fetch"]);
    let path = std::env::var_os("PATH").unwrap();
    command
        .env("PATH", path)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // What belongs to root in /proc although the process does not is closed to its own user: so
    // the kernel shows that it is not dumpable. To see it, root has to become somebody else.
    if rustix::process::geteuid().is_root() {
        let program = home.path().join("popfetch");
        // Not by ourselves: a process that another test starts meanwhile would inherit the open
        // file, and what is open for writing cannot be run.
        let mut copy = std::process::Command::new("cp");
        copy.arg(env!("CARGO_BIN_EXE_popfetch")).arg(&program);
        assert!(copy.status().unwrap().success());
        give_away(home.path(), SOMEBODY);
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let environment: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        command = std::process::Command::new(program);
        command.args(arguments).env_clear().envs(environment);
        command.current_dir(home.path()).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.uid(SOMEBODY).gid(SOMEBODY);
    }
    let mut running = Daemon::start(&mut command);
    let started = home.path().join("started");
    within(PATIENCE, || started.exists().then_some(())).unwrap();
    let process = format!("/proc/{}", running.child().id());
    let limits = fs::read_to_string(format!("{process}/limits")).unwrap();
    let core = limits.lines().find(|l| l.starts_with("Max core file size"));
    let values: Vec<&str> = core.unwrap().split_whitespace().skip(4).take(2).collect();
    assert_eq!(values, ["0", "0"], "{limits}");
    assert_eq!(fs::metadata(format!("{process}/environ")).unwrap().uid(), 0);
    assert_eq!(fs::metadata(format!("{process}/mem")).unwrap().uid(), 0);
}

const SOMEBODY: u32 = 54321;

fn give_away(path: &std::path::Path, user: u32) {
    std::os::unix::fs::lchown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path).unwrap() {
            give_away(&entry.unwrap().path(), user);
        }
    }
}

fn with_inline_password() -> (Server, Home) {
    let (server, home) = server(1);
    let text = home.account_config("a", &server.account());
    let lines = text.lines().filter(|l| !l.starts_with("password-file"));
    let lines: Vec<&str> = lines.collect();
    home.config(&format!("{}\npassword = \"secret\"\n", lines.join("\n")));
    fs::remove_file(home.path().join("a.password")).unwrap();
    (server, home)
}

#[test]
fn s50_a_config_that_holds_a_password_is_used_only_where_nobody_else_can_get_at_it() {
    let (server, home) = with_inline_password();
    let (file, directory) = (home.config_file(), home.path().join("config/popfetch"));
    let set = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for mode in [0o644, 0o640, 0o620, 0o602, 0o666, 0o604] {
        set(&file, mode);
        let output = run(&home, &[], 78);
        assert_said(&output, &["holds a password", "chmod 600"]);
    }
    set(&file, 0o600);
    set(&directory, 0o777);
    assert_said(&run(&home, &[], 78), &["anyone may replace the file"]);
    set(&directory, 0o700);
    assert!(server.sessions().is_empty());
    for mode in [0o600, 0o400] {
        set(&file, mode);
        run(&home, &[], 0);
    }
}

#[test]
fn s50_a_config_with_a_password_that_is_another_persons_is_refused_even_to_root() {
    if !can_give_files() {
        return;
    }
    let (server, home) = with_inline_password();
    give_away(&home.config_file(), SOMEBODY);
    assert_said(&run(&home, &[], 78), &["belongs to someone else"]);
    assert!(server.sessions().is_empty());
    give_away(&home.config_file(), 0);
    run(&home, &[], 0);
}

/// What the file's own mode says is worth nothing where its directory is another person's, or any above
/// it: who owns that puts another file there. Root's are in nobody else's hands.
#[test]
fn s50_a_config_below_another_persons_directory_is_refused_even_to_root_and_below_roots_is_not() {
    if !can_give_files() {
        return;
    }
    let own = |path: &std::path::Path, user| {
        std::os::unix::fs::chown(path, Some(user), Some(user)).unwrap();
    };
    let (server, home) = server(1);
    let text = fs::read_to_string(home.config_file()).unwrap();
    let secret = home.path().join("a.password");
    let theirs = home.path().join("theirs");
    let deep = theirs.join("deep");
    fs::create_dir_all(&deep).unwrap();
    let plain = home.private_file("theirs/deep/config.toml", &text);
    let linked = home.path().join("linked.toml");
    symlink(&plain, &linked).unwrap();
    let moved = deep.join("a.password");
    fs::copy(&secret, &moved).unwrap();
    for directory in [&theirs, &deep] {
        own(directory, SOMEBODY);
        for config in [&plain, &linked] {
            let output = run(&home, &["--config", config.to_str().unwrap()], 78);
            let way = format!(
                "keep it in a directory of your own; {} belongs to someone else",
                directory.display()
            );
            assert_said(
                &output,
                &["the owner of a directory above it may replace it", &way],
            );
        }
        home.config(&text.replace(secret.to_str().unwrap(), moved.to_str().unwrap()));
        let output = run(&home, &[], 77);
        let way = format!(
            "keep it where only you can write; {} is",
            directory.display()
        );
        assert_said(
            &output,
            &["others can put another file in the place of", &way],
        );
        own(directory, 0);
    }
    assert!(server.sessions().is_empty());
    run(&home, &["--config", linked.to_str().unwrap()], 0);
    run(&home, &[], 0);
    // A user's run takes what lies in root's directories, as in /etc, and not in a third person's.
    Command::new("chown")
        .args(["-R", "nobody"])
        .arg(home.path())
        .status()
        .unwrap();
    let as_nobody = |config: &std::path::Path, status| {
        let line = ["check", "--config", config.to_str().unwrap()];
        let options = ["--reuid=65534", "--clear-groups", "--"];
        home.popfetch_under("setpriv", &options, &line)
            .expect(status)
    };
    give_away(&theirs, 0);
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o644)).unwrap();
    for directory in [&theirs, &deep] {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    }
    as_nobody(&plain, 0);
    own(&theirs, SOMEBODY);
    let output = as_nobody(&plain, 78);
    assert_said(
        &output,
        &["the owner of a directory above it may replace it"],
    );
}

#[test]
fn s51_no_command_that_shows_settings_shows_a_password() {
    let (_server, home) = with_inline_password();
    run(&home, &[], 0);
    let text = fs::read_to_string(home.config_file()).unwrap();
    home.config(&text.replace("\"secret\"", &format!("{SECRET:?}")));
    for format in ["text", "json"] {
        for command in [
            &["account", "show", "a"][..],
            &["account", "list"],
            &["state", "show", "a"],
        ] {
            let output = run(&home, &[command, &["--format", format]].concat(), 0);
            assert!(output.stdout.contains("localhost") || command[0] == "state");
            assert_secret_is_not_in(&output, SECRET);
        }
        // A fault beside it is shown with its line, and not with the password's.
        home.config(&(text.replace("\"secret\"", &format!("{SECRET:?}")) + "keep = \"x\"\n"));
        let output = run(&home, &["account", "show", "a", "--format", format], 78);
        assert_said(&output, &["keep = \"x\""]);
        assert_secret_is_not_in(&output, SECRET);
        home.config(&text.replace("\"secret\"", &format!("{SECRET:?}")));
    }
}

/// The commands are those of the section REPORTING A FAULT, and stand there as they are run here.
#[test]
fn s47_what_the_manual_wants_in_a_report_holds_no_secret_and_nothing_of_a_message() {
    let text = "Received: from a.example by b.example; Mon, 23 Nov 2026 10:00:01 +0000\n\
                Subject: lunch\nX-Private: in the header\n\nonly between the two of us\n";
    let behaviour = Behaviour::new().on("RETR 2", Reply::raw(format!("-ERR {SECRET}\r\n")));
    let messages = ["one", "two"].map(|id| Message::from_lf(id, text));
    let server = Server::builder(&Maildrop::new(messages))
        .credentials("ada", SECRET)
        .behaviour(behaviour);
    let (_server, home) = server.with_home("");
    let manual = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/man/popfetch.1.in"));
    let manual = manual.unwrap().replace("\\-", "-");
    let (_, section) = manual.split_once(".SH REPORTING A FAULT\n").unwrap();
    for (command, status) in [
        ("--version", 0),
        ("account show work", 0),
        ("account test work --format json", 0),
        ("fetch work -vv --keep", 1),
    ] {
        let line = format!("popfetch {command}\n");
        assert!(section.contains(&line), "{line}");
        let words = command.replace("work", "a");
        let output = run(&home, &words.split(' ').collect::<Vec<_>>(), status);
        assert_secret_is_not_in(&output, SECRET);
        for foreign in ["tr0ub4dor", "in the header", "two of us"] {
            let said = format!("{}{}", output.stdout, output.stderr);
            assert!(!said.contains(foreign), "{command}: {said}");
        }
    }
    let journal = fs::read_to_string(journal(&home)).unwrap();
    for foreign in ["tr0ub4dor", "lunch", "in the header", "two of us"] {
        assert!(!journal.contains(foreign), "{journal}");
    }
}

#[test]
fn a_password_in_a_url_is_shown_by_no_command_that_takes_no_url() {
    let home = Home::new();
    home.config("[accounts.work]\nhost = \"localhost\"\nuser = \"ada\"\n");
    let url = "pops://ada:tr0ub4dor@localhost";
    for arguments in [
        &["state", "move", url, "work"][..],
        &["state", "move", "work", url],
        &["show", url],
        &["show", url, "--maildir", "nowhere"],
        &["account", "show", url],
        &["account", "remove", url, "--yes"],
        &["login", url],
        &["password", "set", url],
    ] {
        let output = home.popfetch(arguments).run();
        assert_ne!(output.status, Some(0), "{arguments:?}");
        assert_secret_is_not_in(&output, "tr0ub4dor");
    }
}
