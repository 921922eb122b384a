use super::*;
use crate::profile::units::{Octets, Period};

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

fn fetch(line: &str) -> Fetch {
    match parse(line).unwrap().command {
        Some(Command::Fetch(fetch)) => fetch,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_description_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn no_command_is_fine_and_takes_the_global_options() {
    let cli = parse("popfetch -q --format json").unwrap();
    assert!(cli.command.is_none());
    assert!(cli.global.quiet);
    assert_eq!(cli.global.format, Format::Json);
}

#[test]
fn global_options_may_stand_behind_the_command() {
    let cli = parse("popfetch fetch work -vv --config /c --color never").unwrap();
    assert_eq!(cli.global.verbose, 2);
    assert_eq!(cli.global.color, Color::Never);
    assert_eq!(cli.global.config, Some("/c".into()));
}

#[test]
fn durations_and_sizes_are_read_as_in_the_config_file() {
    let fetch = fetch("popfetch fetch --delete-after 14d --max-size 25MB --tls-roots bundled");
    let days = std::time::Duration::from_secs(14 * 86_400);
    assert_eq!(fetch.delete_after.map(Period::duration), Some(days));
    assert_eq!(fetch.max_size.map(Octets::get), Some(25_000_000));
    assert_eq!(fetch.sign_in.tls_roots, Some(Roots::Bundled));
    let error = parse("popfetch fetch --delete-after 14").unwrap_err();
    assert!(error.to_string().contains("needs a unit"), "{error}");
}

/// Shells leave it alone behind a `=`.
#[test]
fn the_home_directory_is_understood_in_each_path_that_an_option_takes() {
    let home = crate::paths::home().unwrap();
    let lines = [
        "popfetch --config",
        "popfetch fetch --maildir",
        "popfetch fetch --tls-roots",
        "popfetch check --tls-roots",
        "popfetch list --maildir",
        "popfetch show 1 --maildir",
        "popfetch show 1 --save",
        "popfetch import mpop --seen",
        "popfetch setup --maildir",
        "popfetch setup --tls-roots",
        "popfetch account test --tls-roots",
        "popfetch state mark-seen a --maildir",
        "popfetch state mark-seen a --tls-roots",
        "popfetch state forget a --all --maildir",
        "popfetch state accept a --maildir",
        "popfetch state move a b --maildir",
        "popfetch verify --maildir",
    ];
    for line in lines {
        let parsed = format!("{:?}", parse(&format!("{line}=~/there")).unwrap());
        let wanted = format!("{:?}", home.join("there"));
        assert!(parsed.contains(&wanted), "{line}: {parsed}");
        let error = parse(&format!("{line}=~bob/there")).unwrap_err();
        let said = "only your own home can be written as `~/`";
        assert!(error.to_string().contains(said), "{line}: {error}");
    }
    // No option that takes one is missing there.
    fn look(command: &clap::Command, before: &str, lines: &[&str]) {
        for argument in command.get_arguments() {
            let names = argument.get_value_names().unwrap_or_default();
            let takes_one = ["DIR", "FILE", "ROOTS"]
                .iter()
                .any(|it| names.contains(&(*it).into()));
            if let (true, Some(option)) = (takes_one, argument.get_long()) {
                let is_it = |line: &&&str| {
                    line.starts_with(before) && line.ends_with(&format!("--{option}"))
                };
                assert!(lines.iter().any(|line| is_it(&line)), "{before} --{option}");
            }
        }
        for below in command.get_subcommands() {
            look(below, &format!("{before} {}", below.get_name()), lines);
        }
    }
    look(&Cli::command(), "popfetch", &lines);
}

#[test]
fn a_number_that_makes_no_sense_is_answered_in_plain_words() {
    for wrong in ["-1", "1.5", "many"] {
        let error = parse(&format!("popfetch fetch --latest {wrong}")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("not a whole number such as 100"), "{text}");
    }
    assert_eq!(fetch("popfetch fetch --latest 0").latest, Some(0));
}

#[test]
fn a_message_cannot_be_both_kept_and_deleted() {
    assert!(parse("popfetch fetch --keep --delete").is_err());
    assert!(parse("popfetch fetch --delete --delete-after 1d").is_err());
}

#[test]
fn eight_accounts_at_once_unless_told_otherwise() {
    assert_eq!(fetch("popfetch fetch").jobs.0, 8);
    assert!(parse("popfetch fetch --jobs 0").is_err());
    assert!(parse("popfetch fetch --jobs 65").is_err());
}

#[test]
fn forgetting_needs_to_know_what() {
    assert!(parse("popfetch state forget work").is_err());
    assert!(parse("popfetch state forget work --all").is_ok());
    assert!(parse("popfetch state forget work id1 id2").is_ok());
    assert!(parse("popfetch state forget work id1 --all").is_err());
}

#[test]
fn there_is_no_option_for_a_password() {
    assert!(parse("popfetch fetch --password hunter2").is_err());
}

#[test]
fn each_option_and_command_has_a_help_text() {
    fn look(command: &clap::Command) {
        let name = command.get_name();
        assert!(command.get_about().is_some(), "{name}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{name} {argument}");
        }
        command.get_subcommands().for_each(look);
    }
    look(&Cli::command());
}

#[test]
fn no_command_is_the_same_as_fetch() {
    let bare = format!("{:?}", Fetch::default());
    assert_eq!(bare, format!("{:?}", fetch("popfetch fetch")));
}
