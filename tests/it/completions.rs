use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::given::run;
use crate::support::process::find;
use crate::support::run::Home;
use crate::support::skip::{Lack, skip};
use crate::support::terminal::Terminal;

/// Names that shells have trouble with; the last would run a program.
const NAMES: [&str; 5] = [
    "work",
    "home",
    "ada@example.com",
    "my mail",
    "$(touch made)",
];

/// A home with accounts of these names and another config file, in which the program can be found.
fn home() -> Home {
    let mut home = Home::new();
    let section = |name: &str| {
        format!(
            "[accounts.{name:?}]\nhost = \"pop.example.com\"\nuser = \"ada\"\nkeep = \"no such\"\n"
        )
    };
    home.config(&NAMES.map(section).concat());
    home.private_file("other.toml", &section("zwei"));
    let programs = home.program().parent().unwrap().to_owned();
    let path = env::var_os("PATH").unwrap();
    let all = env::split_paths(&path);
    let all = env::join_paths([programs].into_iter().chain(all)).unwrap();
    home.env("PATH", all.to_str().unwrap());
    home
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("completions")
        .join(name)
}

/// What is typed, and what stands there once TAB was pressed.
const TYPED: [(&str, &str); 13] = [
    ("popfetch fetch wo", "popfetch fetch work "),
    ("popfetch wo", "popfetch work "),
    (
        "popfetch fetch -j 2 home wo",
        "popfetch fetch -j 2 home work ",
    ),
    ("popfetch check ada@ex", "popfetch check ada@example.com "),
    ("popfetch verify my", "popfetch verify my\\ mail "),
    (
        "popfetch account remove wo",
        "popfetch account remove work ",
    ),
    (
        "popfetch state mark-seen ho",
        "popfetch state mark-seen home ",
    ),
    ("popfetch password set wo", "popfetch password set work "),
    (
        "popfetch --config other.toml fetch zw",
        "popfetch --config other.toml fetch zwei ",
    ),
    // No account stands there.
    ("popfetch import wo", "popfetch import wo"),
    ("popfetch setup wo", "popfetch setup wo"),
    (
        "popfetch fetch --max-size wo",
        "popfetch fetch --max-size wo",
    ),
    // Commands and options are there as before.
    ("popfetch fetch --dry", "popfetch fetch --dry-run "),
];

/// A shell that shows between `<` and `>` what stands on its line once Ctrl-G is pressed, and takes that
/// away.
fn complete(terminal: &mut Terminal, typed: &str) -> String {
    let before = terminal.screen().len();
    terminal.press(&format!("{typed}\t\u{7}")).wait_for("\n<");
    terminal.wait_for(">\n");
    let screen = terminal.screen();
    let line = screen[before..].split("\n<").nth(1).unwrap();
    line.split(">\n").next().unwrap().to_owned()
}

#[test]
fn bash_completes_the_accounts_of_the_config_file() {
    let home = home();
    let bash = find("bash").expect("everybody has it");
    let mut terminal = Terminal::start_program(&home, 200, &bash, &["--norc", "--noprofile", "-i"]);
    let file = script("popfetch.bash");
    terminal.press(&format!(
        "source {file:?}; PS1='> '; bind 'set enable-bracketed-paste off'\n"
    ));
    terminal.press("bind -x '\"\\C-g\":printf \"\\n<%s>\\n\" \"$READLINE_LINE\"; READLINE_LINE='; echo rea''dy\n");
    terminal.wait_for("ready");
    for (typed, wanted) in TYPED {
        assert_eq!(complete(&mut terminal, typed), wanted);
    }
    fs::create_dir_all(home.path().join("Mail/ada")).unwrap();
    for (typed, wanted) in [
        (
            "popfetch fetch --maildir ~/Ma",
            "popfetch fetch --maildir ~/Mail/",
        ),
        (
            "popfetch fetch --maildir Ma",
            "popfetch fetch --maildir Mail/",
        ),
        ("popfetch hel", "popfetch help "),
    ] {
        assert_eq!(complete(&mut terminal, typed), wanted);
    }
    // Behind `password` there are two words, and no options before one is begun.
    terminal.press("popfetch password \t\t").wait_for("remove");
    terminal.press("\u{15}");
    let screen = terminal.screen();
    let offered = screen
        .rsplit("popfetch password")
        .nth(1)
        .unwrap_or_default();
    assert!(!offered.contains("--format"), "{offered}");
    // Options of `fetch` are there without the word as well, which the other two do not know.
    assert_eq!(
        complete(&mut terminal, "popfetch -n wo"),
        "popfetch -n work "
    );
    // All of them are offered where nothing was typed, and none is run.
    terminal
        .press("popfetch login \t\t")
        .wait_for("ada@example.com");
    terminal.press("\u{15}");
    assert_eq!(
        complete(&mut terminal, "popfetch login \\$"),
        "popfetch login \\$\\(touch\\ made\\) "
    );
    assert!(!home.path().join("made").exists());
    // Where there is no config file, or no sense in it, nothing is said.
    for config in [None, Some("what = is this")] {
        fs::remove_file(home.config_file()).unwrap();
        if let Some(config) = config {
            home.config(config);
        } else {
            home.config("");
            fs::remove_file(home.config_file()).unwrap();
        }
        let before = terminal.screen().len();
        assert_eq!(
            complete(&mut terminal, "popfetch fetch wo"),
            "popfetch fetch wo"
        );
        let shown = terminal.screen()[before..].to_owned();
        assert!(!shown.contains("error"), "{shown}");
        home.config("");
    }
}

#[test]
fn zsh_completes_the_accounts_of_the_config_file() {
    let Some(zsh) = find("zsh") else {
        return skip(Lack::Tool, "zsh is not installed");
    };
    let home = home();
    let functions = home.path().join("functions");
    fs::create_dir(&functions).unwrap();
    fs::copy(script("_popfetch"), functions.join("_popfetch")).unwrap();
    let mut terminal = Terminal::start_program(&home, 200, &zsh, &["-f", "-i", "+o", "PROMPT_SP"]);
    terminal.press(&format!(
        "PS1='> '; fpath=({functions:?} $fpath); autoload -U compinit; compinit -u -D\n"
    ));
    terminal.press(
        "show() { zle -I; print -r -- $'\\n'\"<$BUFFER>\"; BUFFER= }; zle -N show; bindkey '^G' show\n",
    );
    terminal.press("unset zle_bracketed_paste; echo rea''dy\n");
    terminal.wait_for("ready");
    for (typed, wanted) in TYPED {
        assert_eq!(complete(&mut terminal, typed), wanted);
    }
    assert!(!home.path().join("made").exists());
}

#[test]
fn fish_completes_the_accounts_of_the_config_file() {
    let Some(fish) = find("fish") else {
        return skip(Lack::Tool, "fish is not installed");
    };
    let home = home();
    let file = script("popfetch.fish");
    let mut command = Command::new(fish);
    let mut asked = format!("source {file:?}\n");
    for (typed, _) in TYPED {
        asked += &format!("echo '<'; complete -C '{typed}'\n");
    }
    command.args(["--no-config", "--command", &asked]);
    let output = home.run_by(&mut command).expect(0);
    let answers: Vec<&str> = output.stdout.split("<\n").skip(1).collect();
    for ((typed, wanted), answer) in TYPED.iter().zip(answers) {
        let word = wanted.trim_end().rsplit_once(' ').unwrap().1;
        let word = word.replace("\\ ", " ");
        let is_offered = answer.lines().any(|line| {
            let offered = line.split('\t').next().unwrap();
            offered == word || (word == "mail" && offered == "my mail")
        });
        assert_eq!(is_offered, wanted.ends_with(' '), "{typed}: {answer}");
    }
    assert_eq!(output.stderr, "");
}

#[test]
fn the_names_of_accounts_are_listed_alone_whatever_else_is_wrong_with_them() {
    let home = home();
    let output = run(&home, &["account", "list", "--names"], 0);
    let mut names: Vec<&str> = output.stdout.lines().collect();
    names.sort_unstable();
    let mut wanted = NAMES.to_vec();
    wanted.sort_unstable();
    assert_eq!(names, wanted);
    assert_eq!(output.stderr, "");
    home.config("[accounts.\"a\\u001b[31mb\"]\nhost = \"h\"\nuser = \"u\"\n");
    let output = run(&home, &["account", "list", "--names"], 0);
    assert!(!output.stdout.contains('\u{1b}'), "{output:?}");
}
