use std::sync::Arc;

use super::*;
use crate::profile::problem::Source;
use crate::profile::tables::File;

fn shown(text: &str) -> String {
    let source = Arc::new(Source {
        path: "config.toml".into(),
        text: text.to_owned().into(),
    });
    let file = File::parse(text);
    let problem = match file.mistakes.first() {
        Some(mistake) => Problem::of_syntax(source, mistake),
        None => Problem::from_toml(source, Within::File, &error_of(file).unwrap()),
    };
    ConfigError::Invalid(Box::new(problem)).render(Paint::PLAIN)
}

/// What is wrong with the file, or else with an account in it.
fn error_of(file: File) -> Option<toml::de::Error> {
    let accounts = file.accounts.into_values();
    let mut tables = accounts.chain([file.defaults]);
    let outside = file.faults.into_iter().next();
    let fault = outside.or_else(|| tables.find_map(|it| it.faults.into_iter().next()));
    fault.map(|fault| fault.error)
}

#[test]
fn a_misspelt_key_is_shown_with_the_nearest_known_one() {
    assert_eq!(
        shown("[accounts.work]\nhost = 'h'\npasword-file = '~/.secret'\n"),
        "\
error: there is no key `pasword-file`
 --> config.toml:3:1
3 | pasword-file = ...
  | ^^^^^^^^^^^^
hint: did you mean `password-file`?"
    );
}

#[test]
fn a_misspelt_table_is_shown_with_the_known_ones() {
    let text = shown("[account.work]\nhost = 'h'\n");
    assert!(text.contains("there is no key `account`"), "{text}");
    assert!(text.contains("did you mean `accounts`?"), "{text}");
}

#[test]
fn an_unknown_value_is_shown_with_the_known_ones() {
    let text = shown("[defaults]\norder = 'random'\n");
    assert!(text.contains("`random` is not known here"), "{text}");
    assert!(
        text.contains("2 | order = 'random'\n  |         ^^^^^^^^"),
        "{text}"
    );
    assert!(
        text.contains("it can be: oldest-first, newest-first"),
        "{text}"
    );
}

#[test]
fn a_wrong_type_is_told_in_plain_words() {
    let text = shown("[defaults]\nport = '995'\n");
    assert!(text.contains("expected a number from 1 to 65535"), "{text}");
    let text = shown("[defaults]\nport = 70000\n");
    assert!(text.contains("expected a number from 1 to 65535"), "{text}");
    let text = shown("[defaults]\nkeep = '14'\n");
    assert!(text.contains("a duration needs a unit"), "{text}");
    let text = shown("[defaults]\ntimeout = 60\n");
    assert!(text.contains("a duration needs a unit"), "{text}");
    assert!(
        text.contains("2 | timeout = 60\n  |           ^^"),
        "{text}"
    );
    let text = shown("[defaults]\nmax-size = 'big'\n");
    assert!(text.contains("not a size"), "{text}");
    let text = shown("[defaults]\ntls-pin = 'abcd'\n");
    assert!(text.contains("this one has 2"), "{text}");
    let text = shown("[defaults]\npassword-command = 'pass show mail'\n");
    assert!(text.contains("expected a list, as in"), "{text}");
    let text = shown("[defaults]\ndisabled = 'yes'\n");
    assert!(text.contains("expected true or false"), "{text}");
}

#[test]
fn a_syntax_error_is_shown_at_its_place() {
    let text = shown("[accounts.work]\nhost = pop.example.com\n");
    assert!(text.contains("config.toml:2:"), "{text}");
    assert!(text.contains("2 | host = pop.example.com"), "{text}");
    let text = shown("[accounts.work\n");
    assert!(text.contains("config.toml:1:"), "{text}");
}

#[test]
fn a_password_is_never_shown_whatever_is_wrong_around_it() {
    for text in [
        "[defaults]\npassword = hunter2\n",
        "[defaults]\npassword = 'hunter2\n",
        "[defaults]\npassword = ['hunter2']\n",
        "[defaults]\npassword = 'hunter2' x\n",
        "[defaults]\npassword = 'a'\npassword = 'hunter2'\n",
        "[defaults]\npassword: hunter2\n",
        "[defaults]\npassword hunter2\n",
        "[defaults]\nPassword = 'hunter2'\n",
        "[defaults]\npasswd = 'hunter2'\n",
        "[defaults]\npasword = hunter2\n",
        "[defaults]\npwd = 'hunter2'\n",
        "[defaults]\nkennwort = 'hunter2'\n",
        "accounts.work.password = hunter2\n",
        "[accounts]\nwork = { host = 'h', password = 'hunter2', prot = 1 }\n",
        "[accounts]\nwork = { host = 'h', \"password\" = 'hunter2', port = 'x' }\n",
        "[defaults]\npassword = \"\"\"\nhunter2\n",
        "[defaults]\npassword = '''\nhunter2''' x\n",
        "[defaults]\npassword = [\n'hunter2',\n]\n",
        "[defaults]\npassword = [\n'hunter2' x\n]\n",
        "[defaults]\npassword = {\nx = 'hunter2' y }\n",
    ] {
        let shown = shown(text);
        assert!(!shown.contains("hunter2"), "{text}\n{shown}");
        assert!(shown.contains("config.toml:"), "{shown}");
    }
}

#[test]
fn hidden_characters_of_the_file_are_not_shown_raw() {
    for text in [
        "[defaults]\norder = '\u{202e}desrever'\n",
        "[defaults]\n\"ke\\u001b[31my\" = 'x'\n",
        "[defaults]\nkeep = '\u{200b}'\n",
        "[defaults]\nhost = 'a\u{1b}[31m'\n",
        "[defaults]\norder = \"a\\u001b[31m\\u009bb\"\n",
    ] {
        let shown = shown(text);
        let raw = |c: &char| (c.is_control() && *c != '\n') || "\u{202e}\u{200b}".contains(*c);
        assert!(!shown.chars().any(|c| raw(&c)), "{shown:?}");
    }
}

#[test]
fn colour_is_the_callers_choice() {
    let error = ConfigError::UnknownAccount {
        name: "a".into(),
        known: vec!["work".into()],
    };
    assert!(!error.render(Paint::PLAIN).contains('\u{1b}'));
    let paint = crate::term::Color::Always.paint(false);
    assert!(error.render(paint).contains('\u{1b}'));
    assert_eq!(without_colour("\u{1b}[1m  |\u{1b}[0m"), "  |");
}

proptest::proptest! {
    #[test]
    fn no_file_whatever_is_in_it_makes_the_report_fail(
        text in "(\\[defaults\\]\n|port = |keep = |tls-pin = )?[\\[\\]{}='\",.#\na-zé世\t\u{1b}\u{202e}0-9-]{0,40}"
    ) {
        if error_of(File::parse(&text)).is_some() {
            proptest::prop_assert!(shown(&text).contains("config.toml:"));
        }
    }
}

#[test]
fn a_password_that_stands_where_an_account_should_is_not_repeated() {
    for value in ["'hunter2'", "\"hunt\\\"er2, expected x\"", "31415926"] {
        let text = shown(&format!("[accounts]\nhost = 'h'\npassword = {value}\n"));
        let text = text + &shown(&format!("[accounts]\npassword = {value}\n"));
        assert!(text.contains("below a heading with its name"), "{text}");
        for part in ["hunt", "er2", "3141"] {
            assert!(!text.contains(part), "{text}");
        }
    }
}
