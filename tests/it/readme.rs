//! README.md by the letter: its commands as they stand, in an empty home, with the PATH of cron and
//! Cargo's own directory for programs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::given::{letter, mail};
use crate::support::account::Security;
use crate::support::certificate::{Authority, Wanted};
use crate::support::imap::ImapServer;
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::terminal::Terminal;
use crate::support::tree;

const README: &str = include_str!("../../README.md");

/// What stands in the README and is run elsewhere, or by nobody, and why.
const ELSEWHERE: [(&str, &str); 18] = [
    (
        "cargo install --locked --path .",
        "builds all anew; .ci/run builds the same in release",
    ),
    (
        "cargo run --release --example demo",
        ".ci/run, without a release build of its own",
    ),
    ("cargo test", ".ci/run"),
    ("cargo deb", ".ci/package"),
    ("popfetch setup", "setup::, snapshots::"),
    ("popfetch import", "import::"),
    ("popfetch man", "drift; a run of each page is below"),
    ("popfetch man popfetch.toml", "the same"),
    ("popfetch completions bash", "drift, completions::"),
    ("popfetch import fetchmail --dry-run", "import::"),
    ("popfetch --dry-run", "rules::told"),
    ("popfetch password set work", "keyring::"),
    ("popfetch login gmail", "oauth::login"),
    ("popfetch watch", "watch::"),
    ("popfetch watch --status", "watch::"),
    (
        "systemctl --user enable --now popfetch.timer",
        "needs a running systemd; unattended:: verifies the units",
    ),
    ("journalctl --user -u popfetch", "the same"),
    ("loginctl enable-linger", "the same"),
];

/// The lines that are meant for a shell, and what is called a command in the text.
fn commands() -> Vec<String> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    let mut text = String::new();
    for line in README.lines() {
        match (line.strip_prefix("```"), fence) {
            (Some(_), Some(_)) => fence = None,
            (Some(kind), None) => fence = Some(kind),
            (None, Some("sh")) => found.push(command_of(line)),
            (None, Some(_)) => found.extend(line.strip_prefix("*/10 * * * * ").map(str::to_owned)),
            (None, None) => text = text + line + " ",
        }
    }
    let quoted = text.split('`').skip(1).step_by(2);
    let programs = ["popfetch ", "cargo ", "loginctl ", "journalctl "];
    let is_command = |it: &&str| programs.iter().any(|program| it.starts_with(program));
    found.extend(quoted.filter(is_command).map(command_of));
    found
}

/// Without what is said about it.
fn command_of(line: &str) -> String {
    let line = line.split("  #").next().unwrap_or_default();
    line.trim().to_owned()
}

/// The world of the README: its account, on a host of its name.
struct World {
    home: Home,
    _server: Server,
    _authority: Authority,
}

/// The messages, of which the last one has something attached.
fn letters() -> Vec<Message> {
    let attached = "Message-ID: <last@example.org>\nFrom: Ada <ada@example.org>\nSubject: A drawing\n\
        Date: Tue, 24 Nov 2026 10:00:00 +0000\nMIME-Version: 1.0\n\
        Content-Type: multipart/mixed; boundary=\"b\"\n\n--b\n\nHere it is.\n--b\n\
        Content-Type: text/plain\nContent-Disposition: attachment; filename=\"drawing.txt\"\n\n\
        a line\n--b--\n";
    let mut letters = mail(2);
    letters.push(Message::from_lf("last", attached));
    letters
}

/// Whoever reads the README from the top, in an empty home.
fn world() -> World {
    let authority = Authority::new();
    let identity = authority.issue(&Wanted::default().names(&["pop.example.com"]));
    let server = Server::builder(&Maildrop::new(letters()))
        .credentials("ada", PASSWORD)
        .security(Security::identity(&identity, &authority))
        .start();
    let mut home = Home::new();
    let names = format!("pop.example.com:995=127.0.0.1:{}", server.port());
    home.env("POPFETCH_TEST_NAMES", &names);
    home.env("SSL_CERT_FILE", authority.pem_file().to_str().unwrap());
    home.env("PATH", "/usr/bin:/bin");
    for name in ["CONFIG", "STATE", "DATA", "CACHE"] {
        home.env(&format!("XDG_{name}_HOME"), "");
    }
    let programs = home.path().join(".cargo/bin");
    fs::create_dir_all(&programs).unwrap();
    symlink(home.program(), programs.join("popfetch")).unwrap();
    World {
        home,
        _server: server,
        _authority: authority,
    }
}

/// What stands before a command of the README where it is run.
const PLACE: &str = concat!(
    "PATH=$HOME/.cargo/bin:$PATH; cd ",
    env!("CARGO_MANIFEST_DIR"),
    "; "
);

/// The README's config file: its account of POP3, and that of IMAP.
fn configs() -> (&'static str, &'static str) {
    let (_, rest) = README.split_once("```toml\n").unwrap();
    let (config, _) = rest.split_once("```").unwrap();
    config.split_at(config.find("[accounts.home]").unwrap())
}

impl World {
    /// Writes the README's config file without the account of IMAP, and a `pass` for it that says what it was
    /// asked for.
    fn configure(&self) {
        let (config, _) = configs();
        self.home
            .private_file(".config/popfetch/config.toml", config);
        symlink("/bin/echo", self.home.path().join(".cargo/bin/pass")).unwrap();
    }

    /// Runs a line of the README as it stands there: all that it says.
    fn run(&self, line: &str) -> String {
        assert!(
            commands().iter().any(|it| it == line),
            "`{line}` is not in README.md"
        );
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{PLACE}{line}")]);
        let output = self.home.run_by(&mut shell).expect(0);
        output.stdout + &output.stderr
    }
}

/// What the `pass` of this world says: `echo` of what it was asked for.
const PASSWORD: &str = "show mail/work";

/// The lines that are run below.
const RUN: [&str; 13] = [
    "popfetch pops://ada@pop.example.com --maildir ~/Mail/ada",
    "popfetch",
    "popfetch work",
    "popfetch check --headers",
    "popfetch list",
    "popfetch show 1",
    "popfetch show 1 --save ~/attachments",
    "popfetch account test",
    "popfetch verify",
    "popfetch --format json",
    "mkdir -p ~/.config/systemd/user",
    "cp contrib/systemd/user/popfetch* ~/.config/systemd/user/",
    "\"$HOME/.cargo/bin/popfetch\" -q",
];

#[test]
fn each_command_of_the_readme_is_run_by_some_test() {
    let found = commands();
    assert!(found.len() > 20, "{found:#?}");
    for command in &found {
        let is_run = RUN.contains(&command.as_str());
        let is_elsewhere = ELSEWHERE.iter().any(|(it, _)| it == command);
        assert!(
            is_run != is_elsewhere,
            "`{command}`: run: {is_run}, elsewhere: {is_elsewhere}"
        );
    }
    for command in RUN.iter().chain(ELSEWHERE.iter().map(|(it, _)| it)) {
        assert!(
            found.iter().any(|it| it == command),
            "`{command}` is not in README.md"
        );
    }
}

#[test]
fn the_commands_of_every_day_do_what_the_readme_says() {
    let world = world();
    let home = &world.home;
    world.configure();
    assert!(world.run("popfetch check --headers").contains("A drawing"));
    assert!(!home.path().join("Mail/work").exists());
    world.run("popfetch");
    assert_eq!(tree::count(&home.path().join("Mail/work")), 3);
    assert!(home.path().join(".local/state/popfetch").is_dir());
    world.run("popfetch work");
    assert_eq!(tree::count(&home.path().join("Mail/work")), 3);
    assert!(
        world
            .run("popfetch list")
            .lines()
            .next()
            .unwrap()
            .contains("A drawing")
    );
    assert!(world.run("popfetch show 1").contains("Here it is."));
    world.run("popfetch show 1 --save ~/attachments");
    let saved = fs::read_to_string(home.path().join("attachments/drawing.txt")).unwrap();
    assert_eq!(saved.trim_end(), "a line");
    assert!(world.run("popfetch account test").contains("work"));
    assert!(world.run("popfetch verify").contains("3 intact"));
    let said = world.run("popfetch --format json");
    let last = said.lines().rfind(|line| line.starts_with('{')).unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!(last["event"], "summary");
}

/// As it stands, but for where the server is and for its password.
#[test]
fn the_account_of_imap_brings_its_folders_into_those_of_their_names() {
    let server = ImapServer::start(&mail(2));
    server.plain_folder("Archive/2026", &[letter(11)]);
    server.folder("Gesendet", "(\\Sent) \"/\" \"Gesendet\"", &[letter(21)]);
    server.plain_folder("Drafts", &[letter(31)]);
    let account = server.account();
    let (_, config) = configs();
    let place = format!(
        "host = {:?}\nport = {}\ntls-roots = {:?}",
        account.host,
        account.port,
        account.roots.unwrap()
    );
    let config = config.replace("host = \"imap.example.org\"", &place);
    let config = config.replace(
        "[\"pass\", \"show\", \"mail/home\"]",
        &format!("[\"echo\", {:?}]", account.password),
    );
    let home = Home::new();
    home.config(&config);
    home.popfetch(["fetch"]).expect(0);
    let maildir = home.path().join("Mail/home");
    tree::assert_holds(&maildir, &mail(2));
    tree::assert_holds(&maildir.join(".Archive.2026"), &[letter(11)]);
    tree::assert_holds(&maildir.join(".Gesendet"), &[letter(21)]);
    assert!(!maildir.join(".Drafts").exists());
}

#[test]
fn the_line_without_a_config_file_asks_for_the_password_and_fetches() {
    let world = world();
    let line = "popfetch pops://ada@pop.example.com --maildir ~/Mail/ada";
    let typed = format!("{PLACE}{line}");
    let shell = Path::new("sh");
    let mut terminal = Terminal::start_program(&world.home, 80, shell, &["-c", &typed]);
    terminal.answer("Password for ", PASSWORD);
    let (status, screen) = terminal.end();
    assert_eq!(status, 0, "{screen}");
    assert_eq!(tree::count(&world.home.path().join("Mail/ada")), 3);
}

#[test]
fn the_line_for_cron_is_silent_and_fetches_with_crons_own_path() {
    let world = world();
    world.configure();
    // The PATH of the world is that of cron already; `pass` is where programs usually are.
    let config = world.home.path().join(".config/popfetch/config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("\"pass\"", "\"echo\"")).unwrap();
    let line = README
        .lines()
        .find(|line| line.starts_with("*/10 * * * * "));
    let command = line.unwrap().strip_prefix("*/10 * * * * ").unwrap();
    let mut shell = Command::new("sh");
    let output = world.home.run_by(shell.args(["-c", command])).expect(0);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    assert_eq!(tree::count(&world.home.path().join("Mail/work")), 3);
}

#[test]
fn the_units_are_copied_where_systemd_looks_for_them() {
    let world = world();
    world.run("mkdir -p ~/.config/systemd/user");
    world.run("cp contrib/systemd/user/popfetch* ~/.config/systemd/user/");
    let timer = world
        .home
        .path()
        .join(".config/systemd/user/popfetch.timer");
    assert!(timer.is_file());
}
