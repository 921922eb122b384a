use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::*;
use crate::exit::Diagnose;
use crate::term::Paint;

const TWO: &str = "
[accounts.work]
host = 'pop.example.com'
user = 'ada'
[accounts.home]
host = 'pop.example.org'
user = 'ada'
[accounts.old]
host = 'pop.example.net'
user = 'ada'
disabled = true
";

/// A config file with this text and mode, in a directory of its own.
fn write(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    (dir, path)
}

fn load(text: &str) -> Config {
    let (_dir, path) = write(text, 0o600);
    Config::load(&path).unwrap()
}

fn names(accounts: &[&str]) -> Vec<String> {
    accounts.iter().map(|name| (*name).to_owned()).collect()
}

fn for_urls() -> Overrides {
    Overrides {
        maildir: Some("/m".into()),
        ..Overrides::default()
    }
}

#[test]
fn accounts_come_in_the_order_of_the_file() {
    let config = load(TWO);
    assert_eq!(
        config.accounts().collect::<Vec<_>>(),
        ["work", "home", "old"]
    );
    assert!(config.path().unwrap().is_absolute());
}

#[test]
fn a_disabled_account_is_used_only_when_named() {
    let config = load(TWO);
    let chosen = |accounts: &[&str]| -> Vec<String> {
        let chosen = select(&config, &names(accounts), &Overrides::default()).unwrap();
        chosen
            .into_iter()
            .map(|(name, p)| p.map(|_| name).unwrap())
            .collect()
    };
    assert_eq!(chosen(&[]), ["work", "home"]);
    assert_eq!(chosen(&["old", "work"]), ["old", "work"]);
    let config = load(&TWO.replace(
        "[accounts.work]",
        "[defaults]\ndisabled = true\n[accounts.work]",
    ));
    assert!(config.is_disabled("work"));
}

#[test]
fn a_bad_account_leaves_the_others_alone() {
    let config = load(&TWO.replace("user = 'ada'\n[accounts.home]", "[accounts.home]"));
    let chosen = select(&config, &[], &Overrides::default()).unwrap();
    assert!(
        chosen[0]
            .1
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("has no `user`")
    );
    assert!(chosen[1].1.is_ok());
}

#[test]
fn an_unknown_key_in_one_account_leaves_the_others_alone() {
    let config = load(&TWO.replace(
        "user = 'ada'\n[accounts.home]",
        "usr = 'ada'\n[accounts.home]",
    ));
    let names: Vec<_> = config.accounts().collect();
    assert_eq!(names, ["work", "home", "old"]);
    let chosen = select(&config, &[], &Overrides::default()).unwrap();
    let error = chosen[0].1.as_ref().unwrap_err();
    let text = error.render(Paint::PLAIN);
    assert!(text.contains("there is no key `usr`"), "{text}");
    assert!(text.contains("config.toml:4:1"), "{text}");
    assert!(text.ends_with("hint: did you mean `user`?"), "{text}");
    assert!(chosen[1].1.is_ok());
    let config = load("[accounts.a]\nusr = 'ada'\ndisabled = true\n");
    assert!(
        select(&config, &[], &Overrides::default())
            .unwrap()
            .is_empty()
    );
    let (_dir, path) = write("[defaults]\nprot = 1\n[accounts.a]\n", 0o600);
    assert!(Config::load(&path).is_err());
}

#[test]
fn a_file_named_by_hand_is_not_offered_to_be_made() {
    let dir = tempfile::tempdir().unwrap();
    let hint = |path: &Path| {
        let error = Config::find(Some(path), &[]).unwrap_err();
        (error.to_string(), error.hint().unwrap())
    };
    let (text, missing) = hint(&dir.path().join("none.toml"));
    assert!(text.ends_with("none.toml does not exist"), "{text}");
    assert_eq!(missing, "check the path given with --config");
    let (_, directory) = hint(dir.path());
    assert!(directory.contains("DIRECTORY/config.toml"), "{directory}");
}

#[test]
fn an_unknown_account_is_answered_with_the_nearest_or_all() {
    let config = load(TWO);
    let hint = |name: &str| {
        let error = config.profile(name, &Overrides::default()).unwrap_err();
        assert_eq!(error.status().code(), 78);
        error.hint().unwrap()
    };
    assert_eq!(hint("wrok"), "did you mean `work`?");
    assert_eq!(hint("xyz"), "the config file has: work, home, old");
}

#[test]
fn the_same_maildrop_is_not_taken_twice() {
    let config = load(TWO);
    let accounts = names(&["work", "pops://ada@POP.example.com", "work", "home"]);
    let chosen = select(&config, &accounts, &for_urls()).unwrap();
    let ok: Vec<bool> = chosen.iter().map(|(_, profile)| profile.is_ok()).collect();
    // The second `work` is the first one, said twice.
    assert_eq!(ok, [true, false, true]);
    let error = chosen[1].1.as_ref().unwrap_err().to_string();
    assert_eq!(
        error,
        "account `ada@pop.example.com` is the same mailbox as `work`"
    );
}

#[test]
fn one_standard_input_cannot_serve_two_accounts() {
    let overrides = Overrides {
        password: Some(PasswordSource::Stdin),
        ..Overrides::default()
    };
    let config = load(TWO);
    let error = select(&config, &[], &overrides).unwrap_err();
    assert_eq!(error.status().code(), 64);
    let chosen = select(&config, &names(&["work", "work"]), &overrides).unwrap();
    assert_eq!(chosen.len(), 1);
    assert!(chosen[0].1.is_ok());
}

#[test]
fn a_url_in_a_report_has_no_password() {
    let chosen = select(
        &Config::empty(),
        &names(&["pops://ada:hunter2@host"]),
        &for_urls(),
    )
    .unwrap();
    let (name, profile) = &chosen[0];
    assert_eq!(name, "pops://ada:***@host");
    let error = profile.as_ref().unwrap_err();
    assert!(!format!("{error:?} {}", error.render(Paint::PLAIN)).contains("hunter2"));
    assert_eq!(error.status().code(), 64);
}

#[test]
fn a_password_in_a_file_that_others_can_read_is_refused() {
    let text = TWO.replace("[accounts.home]", "password = 'hunter2'\n[accounts.home]");
    for mode in [0o640, 0o604, 0o620, 0o666] {
        let (_dir, path) = write(&text, mode);
        let error = Config::load(&path).unwrap_err();
        assert!(matches!(error, ConfigError::Exposed { .. }), "{mode:o}");
        assert!(error.hint().unwrap().starts_with("run: chmod 600 "));
        assert_eq!(error.status().code(), 78);
    }
    let (_dir, path) = write(&text, 0o600);
    let config = Config::load(&path).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    let (_dir, path) = write(TWO, 0o644);
    assert!(Config::load(&path).is_ok());
}

#[test]
fn a_password_in_a_directory_that_anyone_can_write_to_is_refused() {
    let (dir, path) = write("[defaults]\npassword = 'hunter2'\n", 0o600);
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(
        Config::load(&path),
        Err(ConfigError::Exposed { .. })
    ));
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    assert!(Config::load(&path).is_ok());
}

#[test]
fn what_is_too_large_or_no_text_is_no_config_file() {
    let (_dir, path) = write(&"#".repeat((16 << 20) + 1), 0o600);
    let error = Config::load(&path).unwrap_err();
    assert!(
        error.render(Paint::PLAIN).contains("larger than 16 MiB"),
        "{error}"
    );
    let (_dir, path) = write("", 0o600);
    fs::write(&path, b"a = '\xff'").unwrap();
    let error = Config::load(&path).unwrap_err();
    assert!(error.hint().unwrap().contains("UTF-8"), "{error}");
}

#[test]
fn without_a_config_file_the_first_steps_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    let error = Config::usual(&path).unwrap_err();
    let hint = error.hint().unwrap();
    assert!(hint.contains(path.to_str().unwrap()), "{hint}");
    assert!(
        hint.contains("pops://ada@pop.example.com --maildir"),
        "{hint}"
    );
    let (_, sample) = hint.split_once("\n\n").unwrap();
    let (sample, _) = sample.split_once("\n\nor").unwrap();
    let config = load(sample);
    assert!(config.profile("home", &Overrides::default()).is_ok());

    let (_dir, path) = write("# nothing yet\n", 0o600);
    let error = Config::find(Some(&path), &[]).unwrap_err();
    assert!(error.to_string().ends_with("names none"), "{error}");
}

#[test]
fn urls_alone_need_no_config_file() {
    let urls = names(&["pops://ada@host"]);
    assert_eq!(Config::find(None, &urls).unwrap().path(), None);
}

#[test]
fn f5_a_file_that_others_can_change_is_refused_where_it_says_what_is_run_or_sent() {
    let runs = "[defaults]\npassword-command = ['pass']\n";
    let proxied = "[accounts.a]\nhost = 'h'\nuser = 'u'\nproxy-command = ['nc', '%h', '%p']\n";
    let sent = "[accounts.a]\nhost = 'h'\nuser = 'u'\npassword-keyring = true\n";
    for (text, mode, refused) in [
        (runs, 0o644, false),
        (runs, 0o664, true),
        (proxied, 0o646, true),
        (proxied, 0o644, false),
        (sent, 0o644, false),
        (sent, 0o646, true),
    ] {
        let (_dir, path) = write(text, mode);
        let loaded = Config::load(&path);
        assert_eq!(loaded.is_err(), refused, "{text} {mode:o}");
        if let Err(error) = loaded {
            assert!(
                error.to_string().contains("others can change it"),
                "{error}"
            );
            assert!(error.hint().unwrap().contains("chmod go-w"), "{error}");
        }
    }
}

#[test]
fn f5_a_file_in_whose_place_others_can_put_another_is_refused() {
    let text = "[defaults]\npassword-command = ['pass']\n";
    let (dir, path) = write(text, 0o644);
    let chmod =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let below = dir.path().join("below");
    fs::create_dir(&below).unwrap();
    let deep = below.join("config.toml");
    fs::copy(&path, &deep).unwrap();
    let link = tempfile::tempdir().unwrap();
    let linked = link.path().join("config.toml");
    std::os::unix::fs::symlink(&deep, &linked).unwrap();
    let all = [&path, &deep, &linked];
    for path in all {
        assert!(Config::load(path).is_ok(), "{path:?}");
    }
    chmod(dir.path(), 0o777);
    for path in all {
        let error = Config::load(path).unwrap_err();
        assert!(
            error.to_string().contains("anyone may replace the file"),
            "{error}"
        );
        let hint = error.hint().unwrap();
        assert!(hint.contains(dir.path().to_str().unwrap()), "{hint}");
    }
    chmod(dir.path(), 0o1777);
    for path in all {
        assert!(Config::load(path).is_ok(), "{path:?}");
    }
}
