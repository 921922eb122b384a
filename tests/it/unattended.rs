//! Where nobody looks on: units of systemd, a cron, many accounts that several processes share.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::given::{mail, plainly, run, server};
use crate::support::account::Security;
use crate::support::behaviour::Behaviour;
use crate::support::maildrop::Maildrop;
use crate::support::process::{Daemon, find, installed, within};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::skip::needs_root;
use crate::support::tree;

fn units(whose: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("contrib/systemd").join(whose)
}

/// How the units start the program.
fn start(whose: &str) -> &'static str {
    match whose {
        "user" => "ExecStart=popfetch",
        _ => "ExecStart=/usr/bin/popfetch",
    }
}

#[test]
fn the_units_are_what_systemd_takes_without_a_word() {
    if !installed("systemd-analyze") {
        return;
    }
    let home = Home::new();
    for whose in ["user", "system"] {
        let directory = home.path().join(whose);
        fs::create_dir(&directory).unwrap();
        let mut copied = Vec::new();
        for unit in fs::read_dir(units(whose)).unwrap() {
            let unit = unit.unwrap().path();
            let is_unit = |end: &str| unit.extension().is_some_and(|it| it == end);
            if !is_unit("service") && !is_unit("timer") {
                continue;
            }
            // Only what is there can be started, and the tests' own program is.
            let text = fs::read_to_string(&unit).unwrap();
            let program = home.program().to_str().unwrap();
            assert_eq!(text.contains(start(whose)), is_unit("service"), "{unit:?}");
            let copy = directory.join(unit.file_name().unwrap());
            let started = format!("ExecStart={program}");
            fs::write(&copy, text.replace(start(whose), &started)).unwrap();
            copied.push(copy);
        }
        assert!(copied.len() >= 3, "{copied:?}");
        for unit in copied {
            let output = Command::new("systemd-analyze")
                .args(["verify", "--man=no", &format!("--{whose}")])
                .arg(&unit)
                .env("XDG_RUNTIME_DIR", home.path())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                output.status.success() && said.is_empty(),
                "{unit:?}: {said}"
            );
        }
    }
}

#[test]
fn what_the_units_start_is_a_command_line_of_ours() {
    let (_server, home) = plainly(1, Behaviour::new());
    let mut seen = 0;
    for whose in ["user", "system"] {
        for unit in fs::read_dir(units(whose)).unwrap() {
            let text = fs::read_to_string(unit.unwrap().path()).unwrap();
            let lines = text.lines().filter(|line| line.starts_with("ExecStart="));
            for line in lines {
                let line = line.strip_prefix(start(whose)).unwrap().replace("%i", "3");
                let mut words: Vec<_> = line.split_whitespace().collect();
                // A watch would stay.
                let status = match words.first() {
                    Some(&"watch") => {
                        words.push("--status");
                        1
                    }
                    _ => 0,
                };
                run(&home, &words, status);
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 5);
}

/// A server, and a home with these accounts, each another mailbox on it by another port.
fn shared_out(names: &[&str]) -> (Vec<Server>, Home) {
    let home = Home::new();
    let start = |_: &&str| {
        let maildrop = Maildrop::new(mail(1));
        Server::builder(&maildrop).security(Security::Plain).start()
    };
    let servers: Vec<_> = names.iter().map(start).collect();
    let accounts = names.iter().zip(&servers);
    let config = accounts.map(|(name, server)| home.account_config(name, &server.account()));
    home.config(&config.collect::<String>());
    (servers, home)
}

#[test]
fn the_parts_of_the_accounts_are_all_of_them_each_once_and_may_be_empty() {
    let names = ["work", "home", "club", "bank"];
    let (servers, home) = shared_out(&names);
    let mut fetched = Vec::new();
    for part in 0..8 {
        let shard = format!("{part}/8");
        let output = run(&home, &["--shard", &shard, "--format", "json"], 0);
        let events = output.stdout.lines();
        let events = events.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let accounts = events.filter(|event| event["event"] == "account");
        let accounts: Vec<_> = accounts
            .map(|event| event["account"].as_str().unwrap().to_owned())
            .collect();
        // What is named and is of another part is left alone as well.
        let again = run(
            &home,
            &["fetch", "work", "--shard", &shard, "--format", "json"],
            0,
        );
        let is_in = accounts.contains(&"work".to_owned());
        assert_eq!(
            again.stdout.contains("\"account\":\"work\""),
            is_in,
            "{shard}"
        );
        fetched.extend(accounts);
    }
    fetched.sort();
    assert_eq!(fetched, ["bank", "club", "home", "work"]);
    assert!(servers.iter().all(|server| server.count("RETR") == 1));
    // By `printf work | sha256sum`: the same for ever, on each machine.
    assert_eq!(part_of_work(&home), "6/8");
    run(&home, &["--shard", "8/8"], 64);
    run(&home, &["--shard", "1"], 64);
}

fn part_of_work(home: &Home) -> String {
    let parts = (0..8).map(|part| format!("{part}/8"));
    let mut parts = parts.filter(|shard| {
        let words = ["fetch", "work", "--shard", shard, "--format", "json"];
        run(home, &words, 0).stdout.contains("\"account\":\"work\"")
    });
    parts.next().unwrap()
}

#[test]
fn a_watch_of_a_part_leaves_the_other_accounts_alone() {
    let names = ["work", "home"];
    let (servers, home) = shared_out(&names);
    let watch = home.popfetch(["watch", "--shard", "2/4"]).start();
    let there = within(Duration::from_secs(60), || {
        (tree::count(&home.maildir("work")) == 1).then_some(())
    });
    assert!(there.is_some(), "{}", watch.stderr_so_far());
    assert!(
        watch.stderr_so_far().contains("watching 1 account"),
        "{}",
        watch.stderr_so_far()
    );
    assert_eq!(servers[1].sessions_so_far().len(), 0);
}

#[test]
fn ten_thousand_accounts_may_stand_in_a_config_file() {
    let home = Home::new();
    let account = |n: usize| {
        format!(
            "[accounts.customer{n}]\nhost = \"pop{}.example.com\"\nuser = \"customer{n}@example.com\"\n\
             password-file = \"/etc/popfetch/secrets/customer{n}\"\nmaildir = \"/srv/mail/customer{n}\"\n\
             keep = \"14 days\"\n",
            n % 7
        )
    };
    home.config(&(0..10_000).map(account).collect::<String>());
    let output = run(&home, &["account", "list", "--names"], 0);
    assert_eq!(output.stdout.lines().count(), 10_000);
    let last = run(&home, &["account", "show", "customer9999"], 0);
    assert!(last.stdout.contains("/srv/mail/customer9999"), "{last:#?}");
}

#[test]
fn a_line_of_a_verbose_run_begins_with_the_time_where_nobody_looks_on() {
    let (_server, home) = plainly(2, Behaviour::new());
    let output = run(&home, &["fetch", "-v"], 0);
    let is_timed = |line: &str| {
        let form: String = line
            .chars()
            .take(20)
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .collect();
        form == "0000-00-00 00:00:00 "
    };
    assert!(output.stderr.lines().count() > 3, "{output:#?}");
    assert!(output.stderr.lines().all(is_timed), "{output:#?}");
    let output = run(&home, &["fetch"], 0);
    assert!(
        !output.stderr.is_empty() && !output.stderr.lines().any(is_timed),
        "{output:#?}"
    );
}

#[test]
fn a_real_cron_runs_it() {
    if !needs_root("cron is for root to start") || !installed("cron") {
        return;
    }
    // -q has nothing to say of it.
    let (server, home) = server(3);
    let directory = home.path().join("cron.d");
    fs::create_dir(&directory).unwrap();
    // Once, when cron begins: nobody waits for a minute to be over.
    let program = home.program().display();
    let surroundings = format!(
        "HOME={0}\nXDG_CONFIG_HOME={0}/config\nXDG_STATE_HOME={0}/state\n",
        home.path().display()
    );
    let said = home.path().join("said");
    let said_to = said.display();
    let line = format!("@reboot root {program} -q > {said_to} 2>&1; echo $? >> {said_to}\n");
    fs::write(directory.join("popfetch"), surroundings + &line).unwrap();
    // In surroundings of its own, so that the machine's own jobs are not run.
    let script = "mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/spool && \
                  mkdir -p /var/spool/cron/crontabs && mount --bind \"$1\" /etc/cron.d && exec \"$0\" -f";
    let cron = find("cron").unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", script]);
    command.arg(cron).arg(&directory);
    let mut cron = Daemon::start(&mut command);
    let ended = within(Duration::from_secs(60), || {
        let text = fs::read_to_string(&said).unwrap_or_default();
        (text.ends_with('\n') || cron.has_ended()).then_some(text)
    });
    assert_eq!(ended.as_deref(), Some("0\n"));
    tree::assert_holds(&home.maildir("a"), &mail(3));
    assert_eq!(server.sessions().len(), 1);
}
