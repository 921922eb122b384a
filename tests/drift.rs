//! The manual page and the completions say what the command line says.
//!
//! They are made from [`Cli::command`] and committed, so that nobody needs a tool to read them.
//! A test makes each anew and compares; `UPDATE=1 cargo test --test drift` writes them.
//!
//! What a person has to write of the manual page is in man/popfetch.1.in; `@COMMANDS@` and
//! `@GLOBAL@` in it are replaced by what clap knows. Accounts are completed by functions of ours, in
//! completions/accounts.*.in, because those of clap_complete that ask the program are not stable yet.

#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;

use clap::{Arg, Command};
use clap_complete::{Generator, Shell, generate};
use clap_mangen::Man;
use popfetch::cli::Cli;

const TEMPLATE: &str = include_str!("../man/popfetch.1.in");
const README: &str = include_str!("../README.md");

/// Compares the file at `path` with what it should be, or writes it where asked to.
fn hold(path: &str, wanted: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if env::var_os("UPDATE").is_some() {
        fs::write(&file, wanted).unwrap();
        return;
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    let differing = found
        .lines()
        .zip(wanted.lines())
        .position(|(one, other)| one != other);
    let shorter = found.lines().count().min(wanted.lines().count());
    assert!(
        found == wanted,
        "{path} is out of date from line {}: run `UPDATE=1 cargo test --test drift`",
        differing.unwrap_or(shorter) + 1
    );
}

fn built() -> Command {
    let mut command = Cli::command();
    command.build();
    command
}

/// Text as roff: no line is taken for a request, and a hyphen stays one.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    let lines = text.lines().map(|line| match line.chars().next() {
        Some('.' | '\'') => format!("\\&{line}\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

/// The options of a command: those that every command takes, or all others.
fn options(command: &Command, global: bool) -> String {
    let mut shown = command
        .clone()
        .disable_help_flag(true)
        .disable_version_flag(true);
    let arguments: Vec<_> = command.get_arguments().cloned().collect();
    for argument in arguments {
        let general =
            argument.is_global_set() || matches!(argument.get_id().as_str(), "help" | "version");
        let hidden = argument.is_hide_set() || general != global;
        let heading = argument.get_help_heading().map(str::to_owned);
        shown = shown.mut_arg(argument.get_id(), |shown| {
            let shown = shown.hide(hidden);
            if heading.is_some() {
                shown.help_heading(None)
            } else {
                shown
            }
        });
    }
    let mut section = Vec::new();
    Man::new(shown)
        .render_options_section(&mut section)
        .unwrap();
    let section = String::from_utf8(section).unwrap();
    // The page has a heading of its own, and sets up the apostrophe itself.
    let set_up = [".SH", ".ie", ".el"];
    let mut text = String::new();
    for line in section.lines() {
        match line {
            line if set_up.iter().any(|request| line.starts_with(request)) => {}
            "" if text.ends_with(".br\n") => {}
            "" => text.push_str(".sp\n"),
            ".RS 14" => text.push_str(".PD 0\n.RS 7\n"),
            ".RE" => text.push_str(".RE\n.PD\n"),
            line => {
                let line = line.replace("\\fI<", "\\fI").replace(">\\fR", "\\fR");
                text.push_str(&format!("{line}\n"));
            }
        }
    }
    text
}

/// A command and, in the order of the help, those below it.
fn commands(command: &Command) -> String {
    let mut text = String::new();
    for command in command.get_subcommands() {
        if command.has_subcommands() {
            text.push_str(&commands(command));
            continue;
        }
        let usage = command.clone().render_usage().to_string();
        let usage = usage
            .trim_start_matches("Usage: ")
            .replace(" [OPTIONS]", "");
        let about = command
            .get_long_about()
            .or(command.get_about())
            .map(ToString::to_string);
        text.push_str(&format!(".SS \"{}\"\n", roff(&usage).trim_end()));
        text.push_str(&format!(
            "{}.\n",
            roff(&about.unwrap_or_default()).trim_end()
        ));
        text.push_str(&options(command, false));
        if let Some(after) = command.get_after_help() {
            text.push_str(&remarks(&after.to_string()));
        }
    }
    text
}

/// What stands below a command's options: sentences, and indented examples with what they are for.
fn remarks(text: &str) -> String {
    let mut remarks = String::new();
    // Lines of prose that follow each other are one paragraph.
    let mut within = false;
    for line in text.lines() {
        let goes_on = within;
        within = !line.is_empty() && !line.starts_with(' ');
        if line.is_empty() {
            continue;
        }
        match line.strip_prefix("  ") {
            // What the example above it is for, where that has no room beside it.
            Some(purpose) if purpose.starts_with("  ") => remarks.push_str(&roff(purpose.trim())),
            Some(example) => {
                let (command, purpose) = example.split_once("  ").unwrap_or((example, ""));
                remarks.push_str(&format!(
                    ".TP\n\\fB{}\\fR\n{}",
                    roff(command).trim_end(),
                    roff(purpose.trim())
                ));
            }
            None if goes_on => remarks.push_str(&roff(line)),
            None => remarks.push_str(&format!(".PP\n{}", roff(line))),
        }
    }
    remarks
}

#[test]
fn a_purpose_in_a_line_of_its_own_belongs_to_the_example_above_it() {
    let text = "Examples:\n  popfetch a  for a\n  true | popfetch b\n              for b";
    let wanted = ".PP\nExamples:\n.TP\n\\fBpopfetch a\\fR\nfor a\n\
                  .TP\n\\fBtrue | popfetch b\\fR\nfor b\n";
    assert_eq!(remarks(text), wanted);
}

fn completion(shell: impl Generator) -> String {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "popfetch", &mut script);
    let mut script = String::from_utf8(script).unwrap();
    // The generators offer what is hidden as well: among other words, and in lines of its own.
    for hidden in hidden() {
        script = script.replace(&format!(" --{hidden}"), "");
        let of_it = [format!("'--{hidden}["), format!(" -l {hidden} ")];
        let is_of_it = |line: &&str| of_it.iter().any(|it| line.contains(it.as_str()));
        script = script
            .split_inclusive('\n')
            .filter(|line| !is_of_it(line))
            .collect();
        script = script.replace(&format!(" {hidden} "), " ");
    }
    script
}

/// The long names of options that are nobody's to type.
fn hidden() -> BTreeSet<String> {
    fn of(command: &Command) -> Vec<String> {
        let options = command.get_arguments().filter(|it| it.is_hide_set());
        let names = options.filter_map(|it| it.get_long().map(str::to_owned));
        names
            .chain(command.get_subcommands().flat_map(of))
            .collect()
    }
    of(&built()).into_iter().collect()
}

/// The commands that take an account, as they are typed, and those that do not.
fn with_accounts() -> (Vec<String>, Vec<String>) {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for command in built().get_subcommands() {
        match command.has_subcommands() {
            true => with.extend(
                command
                    .get_subcommands()
                    .filter(|it| takes_account(it))
                    .map(|it| format!("{} {}", command.get_name(), it.get_name())),
            ),
            false if takes_account(command) => with.push(command.get_name().to_owned()),
            false => without.push(command.get_name().to_owned()),
        }
    }
    (with, without)
}

fn takes_account(command: &Command) -> bool {
    command.get_positionals().any(is_account)
}

fn is_account(argument: &Arg) -> bool {
    let help = argument.get_help().map(ToString::to_string);
    help.is_some_and(|it| it.to_lowercase().contains("account") || it == "Whose state it is")
}

/// Options that take a value, of all commands.
fn valued(command: &Command) -> BTreeSet<String> {
    let options = command.get_opts().flat_map(|option| {
        let long = option.get_long().map(|it| format!("--{it}"));
        long.into_iter()
            .chain(option.get_short().map(|it| format!("-{it}")))
    });
    let below = command.get_subcommands().flat_map(valued);
    options.chain(below).collect()
}

/// Options whose value is a file or a directory.
const PATHS: &str = "--config --maildir --save --seen --tls-roots";

fn bash() -> String {
    let script = completion(Shell::Bash);
    let end = script.rfind("\nif [[").unwrap();
    let (functions, registration) = script.split_at(end);
    let (with, without) = with_accounts();
    let with: Vec<String> = with.iter().map(|it| format!("\"{it}\"")).collect();
    let valued: Vec<String> = valued(&built()).into_iter().collect();
    let accounts = include_str!("../completions/accounts.bash.in")
        .replace("@VALUES@", &valued.join(" "))
        .replace("@PATHS@", PATHS)
        .replace("@COMMANDS@", &format!("        {}", with.join(" | ")))
        .replace("@OTHERS@", &without.join(" | "));
    let registration = registration.replace("-F _popfetch ", "-F _popfetch_and_accounts ");
    format!("{functions}{accounts}{}", registration.trim_start())
}

fn zsh() -> String {
    let script = completion(Shell::Zsh);
    let positionals: Vec<String> = leaves(&built())
        .iter()
        .flat_map(|command| command.get_positionals())
        .filter(|it| is_account(it))
        .map(|it| format!(":{} -- ", it.get_id()))
        .collect();
    let lines = script.lines().map(|line| {
        let is_one = positionals.iter().any(|it| line.contains(it.as_str()));
        let line = match is_one {
            true => line.replace(":_default' \\", ":_popfetch_accounts' \\"),
            false => line.replace(
                ":_popfetch_commands\"",
                ":_popfetch_commands_and_accounts\"",
            ),
        };
        line + "\n"
    });
    let script: String = lines.collect();
    let end = script.rfind("if [ \"$funcstack").unwrap();
    let (functions, registration) = script.split_at(end);
    let accounts = include_str!("../completions/accounts.zsh.in");
    format!("{functions}{accounts}{registration}")
}

fn leaves(command: &Command) -> Vec<&Command> {
    match command.has_subcommands() {
        true => command.get_subcommands().flat_map(leaves).collect(),
        false => vec![command],
    }
}

fn fish() -> String {
    let mut script = completion(Shell::Fish) + include_str!("../completions/accounts.fish.in");
    let mut offer = |condition: &str| {
        script.push_str(&format!(
            "complete -c popfetch -n \"{condition}\" -f -a \"(__popfetch_accounts)\" -d Account\n"
        ));
    };
    offer("__fish_popfetch_needs_command");
    for command in with_accounts().0 {
        match command.split_once(' ') {
            Some((above, below)) => offer(&format!(
                "__fish_popfetch_using_subcommand {above}; and __fish_seen_subcommand_from {below}"
            )),
            None => offer(&format!("__fish_popfetch_using_subcommand {command}")),
        }
    }
    script
}

#[test]
fn the_manual_page_is_what_the_command_line_says() {
    let command = built();
    let page = TEMPLATE
        .replace("@COMMANDS@\n", &commands(&command))
        .replace("@GLOBAL@\n", &options(&command, true))
        .replace("@VERSION@", env!("CARGO_PKG_VERSION"));
    hold("man/popfetch.1", &page);
}

#[test]
fn the_completions_are_what_the_command_line_says() {
    hold("completions/popfetch.bash", &bash());
    hold("completions/_popfetch", &zsh());
    hold("completions/popfetch.fish", &fish());
}

#[test]
fn no_completion_offers_what_is_hidden() {
    let hidden = hidden();
    assert!(hidden.contains("config-on-stdin"), "{hidden:?}");
    for script in [bash(), zsh(), fish()] {
        for name in &hidden {
            assert!(!script.contains(name.as_str()), "{name}");
            assert!(
                !script.contains("text is standard input"),
                "the help of {name}"
            );
        }
    }
}

/// A page's sections, of both macro packages.
fn sections(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter_map(|line| {
        [".SH ", ".SS ", ".Sh ", ".Ss "]
            .iter()
            .find_map(|request| line.strip_prefix(request))
    });
    let plain = |text: &str| text.replace("\\-", "-").trim_matches('"').to_owned();
    headings.map(plain).collect()
}

/// Words in capitals, two or more letters each, that stand as a heading would: "RULES", "THE MAILDIR".
fn in_capitals(text: &str) -> String {
    let is_of_it = |word: &&str| {
        let letters = word.trim_matches([',', '.', ')', '?', ';', ':']);
        letters.len() > 1 && letters.chars().all(|c| c.is_ascii_uppercase() || c == '-')
    };
    let words = text.split_whitespace().take_while(is_of_it);
    let words: Vec<&str> = words.collect();
    words
        .join(" ")
        .trim_end_matches([',', '.', ')', '?', ';', ':'])
        .to_owned()
}

#[test]
fn each_section_that_a_page_refers_to_is_there() {
    let config = include_str!("../man/popfetch.toml.5");
    let ours = sections(TEMPLATE);
    let of_config = sections(config);
    let mut references = 0;
    let mut refer = |text: &str, what: &str, to: &BTreeSet<String>| {
        references += 1;
        assert!(to.contains(text), "{what}: there is no section {text:?}");
    };
    // popfetch(1): in bold capitals, of more than one word or behind "see"; or "see RULES in popfetch.toml(5)".
    let page = TEMPLATE.replace("\\-", "-").replace('\n', " ");
    for (at, _) in page.match_indices("see \\fB") {
        let bold = page[at + 7..].split("\\fR").next().unwrap();
        if !bold.is_empty() && in_capitals(bold).len() + 1 >= bold.len() {
            refer(bold, "popfetch(1)", &ours);
        }
    }
    for (at, _) in page.match_indices(" in .BR popfetch.toml") {
        let before: Vec<&str> = page[..at].rsplit(' ').collect();
        let capitals =
            |word: &&&str| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase());
        let mut name: Vec<&str> = before.iter().take_while(capitals).copied().collect();
        name.reverse();
        if !name.is_empty() {
            refer(&name.join(" "), "popfetch(1)", &of_config);
        }
    }
    // popfetch.toml(5): by a macro of its own, or "under IMAP" of popfetch(1).
    for line in config.lines() {
        if let Some(name) = line.strip_prefix(".Sx ") {
            refer(
                name.trim_end_matches([' ', '.', ',', ';']),
                "popfetch.toml(5)",
                &of_config,
            );
        }
        let under = line.strip_prefix("under ").map(in_capitals);
        if let Some(name) = under.filter(|it| !it.is_empty()) {
            refer(&name, "popfetch.toml(5)", &ours);
        }
    }
    // README.md: "`popfetch man`, GUARANTEES".
    for (at, found) in README.match_indices("`popfetch man`, ") {
        let name = in_capitals(&README[at + found.len()..]);
        if !name.is_empty() {
            refer(&name, "README.md", &ours);
        }
    }
    assert!(references > 12, "{references}");
}

#[test]
fn the_synopsis_names_every_command() {
    let synopsis = TEMPLATE.split(".SH DESCRIPTION").next().unwrap();
    for command in built().get_subcommands().filter(|it| !it.is_hide_set()) {
        let name = command.get_name().replace('-', "\\-");
        let named = [format!("popfetch {name}\\fR"), format!("\\fB{name}\\fR")];
        assert!(
            named.iter().any(|it| synopsis.contains(it.as_str())),
            "{name}"
        );
    }
}

#[test]
fn the_manual_page_has_every_exit_status_of_the_help() {
    let help = built().render_long_help().to_string();
    let statuses = help
        .lines()
        .skip_while(|line| !line.starts_with("Exit status"));
    let statuses = statuses.skip(1).take_while(|line| !line.is_empty());
    let mut count = 0;
    for status in statuses {
        let number = status.split_whitespace().next().unwrap();
        assert!(
            TEMPLATE.contains(&format!(".TP\n.B {number}\n")),
            "man/popfetch.1.in does not describe the exit status {number}"
        );
        count += 1;
    }
    assert_eq!(count, 13);
}
