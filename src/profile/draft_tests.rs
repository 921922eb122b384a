use super::*;
use crate::profile::{Config, Overrides, PasswordSource};
use std::fs;
use std::time::Duration;
use zeroize::Zeroizing;

fn draft() -> Draft {
    Draft {
        protocol: Default::default(),
        name: "home".into(),
        host: "pop.example.com".into(),
        port: 995,
        security: Security::Implicit,
        roots: Roots::System,
        pins: Vec::new(),
        auth: Auth::Auto,
        timeout: None,
        user: "ada@example.com".into(),
        maildir: "~/Mail/home".into(),
        reach: Reach::default(),
        keep: Keep::Always,
        latest: None,
        secret: Place::Ask,
    }
}

#[test]
fn an_account_is_a_table_of_few_lines() {
    assert_eq!(
        draft().text(),
        "[accounts.home]\nhost = \"pop.example.com\"\nuser = \"ada@example.com\"\n\
         maildir = \"~/Mail/home\"\nkeep = \"always\"\n"
    );
}

#[test]
fn the_folders_that_were_chosen_are_those_that_are_fetched_whatever_the_defaults_say() {
    let defaults = "[defaults]\nfolders = [\"Work\"]\nexclude = [\"*\"]\n";
    for (reach, folders, excluded) in [
        (Reach::Inbox, &["INBOX"][..], &[][..]),
        (Reach::AllButJunk, &["*"], &["\\Junk", "\\Trash"]),
        (Reach::AllMail, &["\\All"], &[]),
        (Reach::All, &["*"], &[]),
    ] {
        let draft = Draft {
            protocol: Protocol::Imap,
            port: 993,
            reach,
            ..draft()
        };
        for before in ["", defaults] {
            let text = draft.added_to(before).unwrap();
            let config = Config::from_text(Path::new("/c"), Zeroizing::new(text)).unwrap();
            let profile = config.profile("home", &Overrides::default()).unwrap();
            let words = |words: &[&str]| words.iter().map(|it| it.parse().unwrap()).collect();
            let wanted = crate::source::folders::Folders::new(words(folders), words(excluded));
            assert_eq!(profile.folders, wanted, "{before}");
        }
        assert_eq!(draft.text().contains("folders"), reach != Reach::Inbox);
    }
}

#[test]
fn what_is_written_means_what_was_answered() {
    for (security, port) in [
        (Security::Implicit, 995),
        (Security::StartTls, 2110),
        (Security::Clear, 110),
    ] {
        let draft = Draft {
            name: "ada@example.com".into(),
            security,
            port,
            keep: Keep::For(Duration::from_secs(14 * 86_400)),
            latest: Some(0),
            secret: Place::Command(vec!["pass".into(), "a \"b\"".into()]),
            ..draft()
        };
        let text = Zeroizing::new(draft.text());
        let config = Config::from_text(Path::new("/c"), text).unwrap();
        let profile = config
            .profile("ada@example.com", &Overrides::default())
            .unwrap();
        assert_eq!(profile.server.port, port);
        assert_eq!(profile.tls.policy().is_some(), security != Security::Clear);
        assert_eq!(profile.policy.keep, draft.keep);
        assert_eq!(profile.policy.latest, Some(0));
        let argv = vec!["pass".to_owned(), "a \"b\"".to_owned()];
        assert_eq!(profile.password, PasswordSource::Command(argv));
    }
}

#[test]
fn nothing_else_in_the_file_is_touched() {
    let before = "# mine\r\n[accounts.work]   # the office\nuser = 'x'\nhost=\"h\"\n\n# the end";
    let after = draft().added_to(before).unwrap();
    assert!(
        after
            .replace('\r', "")
            .starts_with(&before.replace('\r', "")),
        "{after}"
    );
    for line in [
        "# mine",
        "[accounts.work]   # the office",
        "user = 'x'",
        "host=\"h\"",
        "# the end",
    ] {
        assert!(after.contains(line), "{line}: {after}");
    }
    let config = Config::from_text(Path::new("/c"), Zeroizing::new(after.clone())).unwrap();
    assert_eq!(
        config.accounts().collect::<Vec<_>>(),
        ["work", "home"],
        "{after}"
    );
}

#[test]
fn what_defaults_say_is_said_otherwise_where_it_must_be() {
    let before = "[defaults]\ntls = \"starttls\"\nport = 110\nkeep = \"never\"\n";
    let after = draft().added_to(before).unwrap();
    let config = Config::from_text(Path::new("/c"), Zeroizing::new(after)).unwrap();
    let profile = config.profile("home", &Overrides::default()).unwrap();
    assert_eq!(profile.server.port, 995);
    assert!(matches!(profile.tls, crate::profile::Tls::Implicit(_)));
    assert_eq!(profile.policy.keep, Keep::Always);
}

#[test]
fn accounts_on_one_line_get_another() {
    let before = "accounts = { work = { host = \"h\", user = \"u\" } }\n";
    let after = draft().added_to(before).unwrap();
    let config = Config::from_text(Path::new("/c"), Zeroizing::new(after.clone())).unwrap();
    assert_eq!(config.accounts().count(), 2, "{after}");
}

#[test]
fn a_name_that_is_taken_and_a_file_that_is_broken_are_left_alone() {
    let taken = draft().added_to("[accounts.home]\nhost = \"h\"\n");
    assert!(matches!(taken, Err(DraftError::Taken(_))));
    assert!(matches!(
        draft().added_to("[accounts"),
        Err(DraftError::Broken(_))
    ));
    assert!(matches!(
        draft().added_to("accounts = 3"),
        Err(DraftError::Broken(_))
    ));
}

#[test]
fn a_file_that_changes_meanwhile_is_left_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config.toml");
    fs::write(&path, "one").unwrap();
    let written = edit::replace_file(&path, b"two", || Err(DraftError::Changed(path.clone())));
    assert!(matches!(written, Err(DraftError::Changed(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), "one");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_is_a_link_stays_one() {
    let home = tempfile::tempdir().unwrap();
    let real = home.path().join("real.toml");
    fs::write(&real, "# mine\n").unwrap();
    let path = home.path().join("config.toml");
    std::os::unix::fs::symlink(&real, &path).unwrap();
    add_to_file(&path, &draft()).unwrap();
    assert!(path.is_symlink());
    assert!(
        fs::read_to_string(&real)
            .unwrap()
            .starts_with("# mine\n\n[accounts.home]\n")
    );
}
