use std::path::PathBuf;

use super::*;
use crate::profile::Roots;
use crate::profile::tables::File;
use crate::profile::{Auth, Keep, Order, PasswordSource, Pipelining, Tls};
use crate::term::Paint;

const MINIMAL: &str = "[accounts.work]\nhost = 'pop.example.com'\nuser = 'ada@example.com'\n";

fn resolve_with(text: &str, overrides: &Overrides) -> Result<Profile, ConfigError> {
    let source = Arc::new(Source {
        path: "/etc/popfetch/config.toml".into(),
        text: text.to_owned().into(),
    });
    let file = File::parse(text);
    let (name, account) = file.accounts.first_key_value().unwrap();
    profile(&source, name, account, &file.defaults, overrides)
}

fn resolve(text: &str) -> Result<Profile, ConfigError> {
    resolve_with(text, &Overrides::default())
}

/// The minimal account with further lines.
fn with(lines: &str) -> Result<Profile, ConfigError> {
    resolve(&format!("{MINIMAL}{lines}\n"))
}

fn error(lines: &str) -> String {
    with(lines).unwrap_err().render(Paint::PLAIN)
}

fn home() -> PathBuf {
    directories::BaseDirs::new().unwrap().home_dir().to_owned()
}

#[test]
fn host_and_user_are_enough() {
    let profile = with("").unwrap();
    assert_eq!(profile.server.id(), "ada@example.com@pop.example.com:995");
    assert!(matches!(&profile.tls, Tls::Implicit(p) if p.roots == Roots::System));
    assert_eq!(profile.password, PasswordSource::Prompt);
    assert_eq!(profile.maildir, home().join("Mail/work"));
    assert_eq!(profile.policy.keep, Keep::Always);
    assert_eq!(profile.auth, Auth::Auto);
    assert_eq!(profile.pipelining, Pipelining::Auto);
    assert_eq!(profile.timeout, Duration::from_secs(60));
    assert_eq!(
        (profile.policy.max_size, profile.policy.latest),
        (None, None)
    );
}

#[test]
fn a_missing_key_is_asked_for_with_the_line_to_add() {
    let shown = resolve("[accounts.work]\nuser = 'ada'\n")
        .unwrap_err()
        .render(Paint::PLAIN);
    assert!(shown.contains("account `work` has no `host`"), "{shown}");
    assert!(
        shown.contains("add a line to it: host = \"pop.example.com\""),
        "{shown}"
    );
    assert!(shown.contains("1 | [accounts.work]"), "{shown}");
}

#[test]
fn the_account_goes_before_the_defaults_and_the_command_line_before_both() {
    let text =
        format!("[defaults]\nkeep = 'never'\norder = 'newest-first'\n{MINIMAL}keep = '1 day'\n");
    let profile = resolve(&text).unwrap();
    assert_eq!(profile.policy.keep, Keep::For(Duration::from_secs(86_400)));
    assert_eq!(profile.policy.order, Order::NewestFirst);
    let overrides = Overrides {
        keep: Some(Keep::Always),
        maildir: Some("mail".into()),
        max_size: Some(5),
        ..Overrides::default()
    };
    let profile = resolve_with(&text, &overrides).unwrap();
    assert_eq!(profile.policy.keep, Keep::Always);
    assert_eq!(
        profile.maildir,
        std::env::current_dir().unwrap().join("mail")
    );
    assert_eq!(profile.policy.max_size, Some(5));
}

#[test]
fn the_password_comes_from_one_place() {
    let shown = error("password-keyring = true\npassword-file = 'secret'");
    assert!(
        shown.contains("the password comes from more than one place"),
        "{shown}"
    );
    assert!(shown.contains("5 | password-file = 'secret'"), "{shown}");
}

#[test]
fn an_accounts_password_replaces_the_defaults() {
    let text = format!("[defaults]\npassword-command = ['x']\n{MINIMAL}password-file = 'secret'\n");
    let profile = resolve(&text).unwrap();
    assert_eq!(
        profile.password,
        PasswordSource::File(home().join("secret"))
    );
    let text =
        format!("[defaults]\npassword-command = ['pass', '{{account}}', '{{print}}']\n{MINIMAL}");
    let argv = ["pass", "work", "{print}"].map(str::to_owned).to_vec();
    assert_eq!(
        resolve(&text).unwrap().password,
        PasswordSource::Command(argv)
    );
    assert_eq!(
        with("password-keyring = false").unwrap().password,
        PasswordSource::Prompt
    );
    assert!(error("password-command = []").contains("a command needs a program"));
}

#[test]
fn an_account_may_say_no_to_a_password_source_of_the_defaults() {
    for (default, own) in [
        ("password-keyring = true", "password-keyring = false"),
        ("password-netrc = true", "password-netrc = false"),
        ("password-netrc = '/n'", "password-netrc = false"),
    ] {
        let password = |own: &str| {
            let text = format!("[defaults]\n{default}\n{MINIMAL}{own}\n");
            resolve(&text).unwrap().password
        };
        assert_eq!(password(own), PasswordSource::Prompt);
        assert_ne!(password(""), PasswordSource::Prompt);
    }
    // It says nothing of the others.
    let text = format!("[defaults]\npassword-keyring = true\n{MINIMAL}password-netrc = false\n");
    assert_eq!(resolve(&text).unwrap().password, PasswordSource::Keyring);
}

#[test]
fn a_password_that_pop3_cannot_carry_is_refused_and_not_shown() {
    for value in ["''", r#""hunter2\r\nDELE 1""#, r#""hunter2\u0000""#] {
        let shown = error(&format!("password = {value}"));
        assert!(shown.contains("a password cannot be empty"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn a_line_break_in_user_or_host_is_refused() {
    for (key, bad) in [
        ("user", r#""a\r\nQUIT""#),
        ("user", r#""a\u0000""#),
        ("host", r#""a\n""#),
    ] {
        let other = if key == "user" {
            "host = 'h'"
        } else {
            "user = 'u'"
        };
        let text = format!("[accounts.work]\n{other}\n{key} = {bad}\n");
        assert!(resolve(&text).is_err(), "{text}");
    }
}

#[test]
fn no_tls_must_be_allowed_in_so_many_words() {
    assert!(error("tls = 'none'").contains("add `allow-insecure = true`"));
    assert!(with("tls = 'none'\nallow-insecure = false").is_err());
    let profile = with("tls = 'none'\nallow-insecure = true").unwrap();
    assert!(matches!(profile.tls, Tls::None));
    assert_eq!(profile.server.port, 110);
    assert!(matches!(
        with("allow-insecure = true").unwrap().tls,
        Tls::Implicit(_)
    ));
}

#[test]
fn a_tls_option_without_tls_is_an_error() {
    for line in [
        "tls-roots = 'bundled'",
        "tls-server-name = 'a.example'",
        &format!("tls-pin = '{}'", "ab".repeat(32)),
    ] {
        let shown = error(&format!("tls = 'none'\nallow-insecure = true\n{line}"));
        assert!(
            shown.contains("has no meaning with `tls = \"none\"`"),
            "{shown}"
        );
    }
    let overrides = Overrides {
        tls_roots: Some(Roots::Bundled),
        ..Overrides::default()
    };
    let text = format!("{MINIMAL}tls = 'none'\nallow-insecure = true\n");
    assert!(resolve_with(&text, &overrides).is_err());
    let Tls::Implicit(policy) = resolve_with(MINIMAL, &overrides).unwrap().tls else {
        panic!("no TLS");
    };
    assert_eq!(policy.roots, Roots::Bundled);
}

#[test]
fn paths_have_placeholders_and_a_base() {
    let maildir = |value: &str| with(&format!("maildir = '{value}'")).map(|p| p.maildir);
    assert_eq!(maildir("m/{account}").unwrap(), home().join("m/work"));
    assert_eq!(
        maildir("~/{user}/{host}").unwrap(),
        home().join("ada@example.com/pop.example.com")
    );
    assert_eq!(maildir("/m/{}{1}{").unwrap(), PathBuf::from("/m/{}{1}{"));
    assert!(error("maildir = '/m/{acount}'").contains("did you mean `{account}`?"));
    for word in ["unique-id", "account_2", "account2", "un.known"] {
        let said = error(&format!("maildir = '/m/{{{word}}}'"));
        let wanted = format!("`{{{word}}}` stands for nothing in a path here");
        assert!(said.contains(&wanted), "{said}");
    }
    assert!(error("maildir = '$HOME/Mail'").contains("write `~/`"));
    assert!(error("password-file = '~/${USER}'").contains("stands for nothing"));
    assert!(maildir("~bob/m").is_err());
    assert!(maildir("").is_err());
    let text = "[accounts.work]\nhost = 'h'\nuser = '../../x'\nmaildir = '/m/{user}'\n";
    assert!(resolve(text).is_err());
    let text = "[accounts.work]\nhost = 'h'\nuser = '{host}'\nmaildir = '/m/{user}'\n";
    assert_eq!(resolve(text).unwrap().maildir, PathBuf::from("/m/{host}"));
}

#[test]
fn a_name_that_could_be_mistaken_is_refused() {
    for name in ["", "a/b", "-q", "..", "pops://a@b", "a\\u0007b"] {
        let text = MINIMAL.replace("accounts.work", &format!("accounts.\"{name}\""));
        assert!(resolve(&text).is_err(), "{name:?}");
    }
    let text = MINIMAL.replace("accounts.work", "accounts.'ada@example.com'");
    assert_eq!(resolve(&text).unwrap().name, "ada@example.com");
}

#[test]
fn a_port_or_timeout_of_nothing_is_refused() {
    assert!(error("port = 0").contains("from 1 to 65535"));
    assert!(error("timeout = '10 ms'").contains("at least one second"));
    assert_eq!(with("port = 1995").unwrap().server.port, 1995);
}

#[test]
fn s26_a_nul_in_a_path_or_a_command_is_refused() {
    for line in [
        r#"maildir = "~/Mail\u0000""#,
        r#"password-file = "secret\u0000""#,
        r#"password-command = ["pass", "mail\u0000"]"#,
        r#"tls-roots = "ca\u0000.pem""#,
    ] {
        assert!(error(line).contains("cannot have a NUL in it"), "{line}");
    }
}

#[test]
fn a_credential_and_a_netrc_file_are_named_in_the_config() {
    let from = |line: &str| with(line).unwrap().password;
    assert_eq!(
        from("password-credential = 'mail-{account}'"),
        PasswordSource::Credential("mail-work".into())
    );
    let netrc = PasswordSource::Netrc(home().join(".netrc"));
    assert_eq!(from("password-netrc = true"), netrc);
    assert_eq!(from("password-netrc = '~/.netrc'"), netrc);
    assert_eq!(from("password-netrc = false"), PasswordSource::Prompt);
    for name in ["", "..", "a/b"] {
        let shown = error(&format!("password-credential = '{name}'"));
        assert!(shown.contains("no name of a systemd credential"), "{shown}");
        assert!(shown.contains("^^"), "{shown}");
    }
    let shown = error("password-netrc = true\npassword-credential = 'mail'");
    assert!(shown.contains("more than one place"), "{shown}");
}
