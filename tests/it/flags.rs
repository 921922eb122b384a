//! Every global option with every command, by the command line's own description: it is taken, or
//! refused in a sentence, and never passed over.

use crate::given::mail;
use crate::support::account::Security;
use crate::support::maildrop::Maildrop;
use crate::support::run::{Home, Output};
use crate::support::server::Server;

/// Each command with what it has to be given, as it is typed.
fn commands() -> Vec<Vec<String>> {
    fn collect(command: &clap::Command, words: &[String], all: &mut Vec<Vec<String>>) {
        let mut words = words.to_vec();
        words.push(command.get_name().to_owned());
        let parts: Vec<_> = command.get_subcommands().collect();
        if !parts.is_empty() {
            parts.iter().for_each(|part| collect(part, &words, all));
            return;
        }
        for argument in command.get_positionals() {
            if !argument.is_required_set() {
                continue;
            }
            let values = argument.get_possible_values();
            let word = match (argument.get_id().as_str(), values.first()) {
                (_, Some(value)) => value.get_name(),
                ("new", _) => "b",
                _ => "a",
            };
            words.push(word.to_owned());
        }
        all.push(words);
    }
    let mut all = Vec::new();
    let root = popfetch::cli::Cli::command();
    root.get_subcommands()
        .for_each(|command| collect(command, &[], &mut all));
    assert!(all.len() > 15, "{all:?}");
    all
}

/// What a command that changes things is asked for in full.
fn with_its_own(mut words: Vec<String>) -> Vec<String> {
    let more: &[&str] = match words.join(" ").as_str() {
        "setup" => &["ada@example.test", "--print", "--host", "127.0.0.1:1"],
        "state forget a" => &["--all"],
        "login a" => &["--remove"],
        "import fdm" => &["--dry-run"],
        "watch" => &["--status"],
        "account remove a" => &["--yes"],
        _ => &[],
    };
    words.extend(more.iter().map(|&word| word.to_owned()));
    words
}

fn run_with(words: &[String], options: &[&str]) -> Output {
    let (_server, home) = Server::builder(&Maildrop::new(mail(2)))
        .security(Security::Plain)
        .with_home("");
    let options = options.iter().map(|&option| option.to_owned());
    let line: Vec<String> = words.iter().cloned().chain(options).collect();
    home.popfetch(line).stdin("").run()
}

fn is_refused(output: &Output, option: &str) -> bool {
    output.status == Some(64) && output.stderr.contains(option) && output.stdout.is_empty()
}

#[test]
fn json_is_written_or_refused_by_each_command() {
    for words in commands().into_iter().map(with_its_own) {
        let output = run_with(&words, &["--format", "json"]);
        let is_json = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok();
        assert!(
            output.stdout.lines().all(is_json) || is_refused(&output, "--format json"),
            "{words:?}: {output:#?}"
        );
    }
}

#[test]
fn paths_are_written_by_fetch_and_list_and_refused_by_all_others() {
    for words in commands().into_iter().map(with_its_own) {
        for (options, option) in [
            (&["--format", "paths"][..], "--format paths"),
            (&["-0"], "--null"),
        ] {
            let output = run_with(&words, options);
            match words[0].as_str() {
                "fetch" => assert!(output.stdout.contains("/new/"), "{output:#?}"),
                // Nothing was fetched: see `reading`.
                "list" => assert!(!is_refused(&output, option), "{output:#?}"),
                _ => assert!(is_refused(&output, option), "{words:?}: {output:#?}"),
            }
        }
    }
}

#[test]
fn a_config_file_that_is_not_there_is_missed_by_each_command_that_has_a_use_for_it() {
    for words in commands().into_iter().map(with_its_own) {
        let output = run_with(&words, &["--config", "/nowhere/config.toml"]);
        match words[0].as_str() {
            // These have none, and setup and import make one.
            "completions" | "man" | "schema" | "setup" | "import" => {}
            // Its name tells one watch from another.
            "watch" => assert_eq!(output.status, Some(1), "{output:#?}"),
            // A file and a number need none.
            "show" => assert_eq!(output.status, Some(1), "{output:#?}"),
            _ => {
                assert_eq!(output.status, Some(78), "{words:?}: {output:#?}");
                assert!(
                    output.stderr.contains("/nowhere/config.toml"),
                    "{output:#?}"
                );
            }
        }
    }
}

#[test]
fn colour_is_given_to_each_error_where_it_is_asked_for_and_nowhere_else() {
    for words in commands().into_iter().map(with_its_own) {
        let output = run_with(&words, &["--color", "never", "--no-progress", "-v"]);
        let all = output.stdout.clone() + &output.stderr;
        assert!(!all.contains('\u{1b}'), "{words:?}: {output:#?}");
        let wrong = run_with(&words, &["--config", "/nowhere/c", "--color", "always"]);
        let has_error = wrong.stderr.contains("error");
        assert_eq!(
            wrong.stderr.contains('\u{1b}'),
            has_error,
            "{words:?}: {wrong:#?}"
        );
    }
}

#[test]
fn quiet_leaves_nothing_but_data_and_trouble() {
    for words in commands().into_iter().map(with_its_own) {
        let output = run_with(&words, &["-q"]);
        let is_trouble = |line: &str| {
            let known = ["error: ", "warning: ", "  hint: ", "hint: "];
            known.iter().any(|word| line.starts_with(word)) || line.starts_with("  ")
        };
        if output.status == Some(0) {
            assert!(
                output.stderr.lines().all(is_trouble),
                "{words:?}: {output:#?}"
            );
        }
    }
}

#[test]
fn where_there_is_no_terminal_the_help_is_laid_out_for_as_many_columns_as_the_environment_says() {
    for command in [&["--help"][..], &["setup", "--help"], &["-h"]] {
        let mut home = Home::new();
        home.env("COLUMNS", "60");
        let narrow = home.popfetch(command.iter().copied()).expect(0).stdout;
        let wide = Home::new().popfetch(command.iter().copied()).expect(0);
        let examples = wide
            .stdout
            .lines()
            .filter(|line| line.starts_with("  popfetch "));
        let examples = examples.filter_map(|line| line.trim_start().split("  ").next());
        let mut count = 0;
        for example in examples {
            count += 1;
            let is_whole = |line: &str| line.trim_start().starts_with(example);
            assert!(narrow.lines().any(is_whole), "{example}: {narrow}");
        }
        assert!(count > 2 || command == ["-h"], "{}", wide.stdout);
        let alone = narrow.lines().filter(|line| line.len() > 60);
        let broken = alone.filter(|line| !line.contains("popfetch "));
        assert_eq!(broken.count(), 0, "{narrow}");
    }
}
