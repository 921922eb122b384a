//! Configs, each with what is shown of it: `tests/imports/TOOL/NAME.txt` has the files of a home
//! behind headings (`-- .mpoprc --`), and last what `popfetch import TOOL -n` prints
//! (`-- shown --`). `UPDATE=1` writes that.

use crate::support::run::Home;
use std::fs;
use std::path::Path;

const SHOWN: &str = "-- shown --\n";

#[test]
fn each_config_of_the_corpus_is_shown_line_by_line_as_it_is_meant() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/imports");
    let mut differing = Vec::new();
    let mut cases = 0;
    for tool in fs::read_dir(&corpus).unwrap() {
        let tool = tool.unwrap();
        for case in fs::read_dir(tool.path()).unwrap() {
            let case = case.unwrap().path();
            let text = fs::read_to_string(&case).unwrap();
            let (given, expected) = text.split_once(SHOWN).unwrap_or((&text, ""));
            let shown = shown(tool.file_name().to_str().unwrap(), given);
            cases += 1;
            if std::env::var_os("UPDATE").is_some() {
                fs::write(&case, format!("{given}{SHOWN}{shown}")).unwrap();
            } else if shown != expected {
                differing.push(format!("{}:\n{shown}", case.display()));
            }
        }
    }
    assert!(cases > 0, "there is no corpus");
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// What is printed, and after it what goes to stderr and the exit status where that is not 0.
fn shown(tool: &str, given: &str) -> String {
    let home = Home::new();
    let mut file = None;
    let mut text = String::new();
    let write = |file: Option<&str>, text: &mut String| {
        if let Some(file) = file {
            home.private_file(file, text);
        }
        text.clear();
    };
    for line in given.lines() {
        let name = line
            .strip_prefix("-- ")
            .and_then(|rest| rest.strip_suffix(" --"));
        match name {
            Some(name) => {
                write(file, &mut text);
                file = Some(name);
            }
            None => text.push_str(&format!("{}\n", line.replace("\\0", "\0"))),
        }
    }
    write(file, &mut text);
    let output = home
        .popfetch(["import", tool, "-n"])
        .env("XDG_CONFIG_HOME", home.path().join(".config"))
        .run();
    let mut shown = output.stdout;
    if output.status != Some(0) {
        shown.push_str(&format!(
            "{}status {}\n",
            output.stderr,
            output.status.unwrap()
        ));
    }
    shown.replace(home.path().to_str().unwrap(), "~")
}
