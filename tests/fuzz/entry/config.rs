//! The config file and the accounts of the command line: any text.

use popfetch::exit::Diagnose;
use popfetch::profile::{
    Config, ConfigError, Overrides, PasswordSource, Profile, Roots, Tls, select,
};
use popfetch::term::Paint;
use std::path::Path;
use std::time::Duration;

/// Both as a config file and as an account on the command line.
pub fn run(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    check_file(&text);
    check_account(&text);
}

/// A config file of this text is an error that can be shown, or each of its accounts is one, or is
/// fit for use. Gives what a person would see of the errors.
pub fn check_file(text: &str) -> Vec<String> {
    let path = Path::new("/etc/popfetch/config.toml");
    let config = match Config::from_text(path, text.to_owned().into()) {
        Ok(config) => config,
        Err(error) => return vec![rendered(&error)],
    };
    let mut errors = Vec::new();
    let names: Vec<_> = config.accounts().map(str::to_owned).collect();
    for name in &names {
        config.is_disabled(name);
        match config.profile(name, &Overrides::default()) {
            Ok(profile) => {
                // It names a directory, and can be given on the command line.
                assert_eq!(profile.name, *name);
                assert!(!name.contains('/') && !name.starts_with('-'));
                assert!(name != "." && name != "..");
                assert_valid(&profile);
            }
            Err(error) => errors.push(rendered(&error)),
        }
    }
    let selected = select(&config, &[], &Overrides::default()).unwrap();
    let enabled = names.iter().filter(|name| !config.is_disabled(name));
    assert!(selected.iter().map(|(name, _)| name).eq(enabled));
    for (one, _) in &selected {
        let unknown = config.profile(&format!("{one}x"), &Overrides::default());
        if let Err(error) = unknown {
            errors.push(rendered(&error));
        }
    }
    errors
}

/// The same of an account that is given on the command line.
pub fn check_account(text: &str) {
    let overrides = Overrides {
        maildir: Some("/home/ada/Mail".into()),
        ..Overrides::default()
    };
    let accounts = [text.to_owned()];
    for (_, profile) in select(&Config::empty(), &accounts, &overrides).unwrap() {
        match profile {
            Ok(profile) => assert_valid(&profile),
            Err(error) => {
                rendered(&error);
            }
        }
    }
}

/// The error as it is shown in black and white, in colour, in a line, and with its hint.
fn rendered(error: &ConfigError) -> String {
    let plain = error.render(Paint::PLAIN);
    assert_shows_nothing_hidden(&plain);
    assert!(!plain.trim().is_empty());
    let line = error.to_string();
    assert_shows_nothing_hidden(&line);
    let hint = error.hint().unwrap_or_default();
    assert_shows_nothing_hidden(&hint);
    assert!(matches!(error.status().code(), 64 | 78), "{line}");
    plain + &line + &hint
}

fn assert_shows_nothing_hidden(text: &str) {
    let hidden = |c: char| {
        let reorders = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}');
        (c.is_control() && c != '\n') || reorders
    };
    assert!(!text.contains(hidden), "{}", text.escape_debug());
}

/// Everything that the rest of the program takes for granted.
fn assert_valid(profile: &Profile) {
    let Profile { name, server, .. } = profile;
    assert!(!name.is_empty() && !name.contains(char::is_control));
    let host = |c: char| c.is_ascii_digit() || c.is_ascii_lowercase() || "-._:".contains(c);
    assert!(!server.host.is_empty() && server.host.chars().all(host));
    assert!(!server.host.ends_with('.'), "{}", server.host);
    assert!(server.port > 0);
    assert!(!server.user.is_empty() && !server.user.contains(char::is_control));
    assert_usable(&profile.maildir);
    assert!(profile.timeout >= Duration::from_secs(1));
    // What is waited for must lie within what the clock can tell.
    assert!(
        std::time::Instant::now()
            .checked_add(profile.timeout)
            .is_some()
    );
    assert!(profile.policy.max_size != Some(0));
    if let Tls::Implicit(policy) = &profile.tls {
        if let Roots::File(path) = &policy.roots {
            assert_usable(path);
        }
        if let Some(name) = &policy.server_name {
            assert!(!name.is_empty() && name.chars().all(host));
        }
    }
    match &profile.password {
        PasswordSource::Command(argv) => {
            assert!(!argv[0].is_empty());
            assert!(argv.iter().all(|word| !word.contains('\0')), "{argv:?}");
        }
        PasswordSource::File(path) => assert_usable(path),
        PasswordSource::Inline(password) => assert!(password.can_be_sent()),
        _ => {}
    }
}

/// A path that the system can be asked about.
fn assert_usable(path: &Path) {
    assert!(path.is_absolute(), "{path:?}");
    assert!(
        !path.as_os_str().as_encoded_bytes().contains(&0),
        "{path:?}"
    );
}
