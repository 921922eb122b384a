//! Configs, each with what is shown of it: `tests/imports/TOOL/NAME.txt` has the files of a home
//! behind headings (`-- .mpoprc --`), and last what `popfetch import TOOL -n` prints
//! (`-- shown --`). `UPDATE=1` writes that.

use crate::support::process::installed;
use crate::support::run::Home;
use std::fs;
use std::path::Path;
use std::process::Command;

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
    let mut home = Home::new();
    // Whoever runs this may have a keyring.
    home.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
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

/// fdm itself says whether a config is one of its own; it runs the commands in it, includes what is in
/// the home of the passwd file, and seldom knows Courier, so that configs with these are not shown to
/// it.
#[test]
fn what_is_read_as_a_config_of_fdm_is_one_and_what_is_refused_is_none() {
    if !installed("fdm") {
        return;
    }
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/imports/fdm");
    let mut asked = 0;
    for case in fs::read_dir(&corpus).unwrap() {
        let case = case.unwrap().path();
        let text = fs::read_to_string(&case).unwrap();
        let config = text.strip_prefix("-- .fdm.conf --\n");
        let Some(config) = config.and_then(|it| it.split_once("\n-- ")) else {
            continue;
        };
        let config = format!("{}\n", config.0);
        if ["$(", "%(", "include", "netrc", "courier"]
            .iter()
            .any(|it| text.contains(it))
        {
            continue;
        }
        let home = Home::new();
        let path = home.private_file("fdm.conf", &config);
        let output = Command::new("fdm").arg("-nf").arg(path).output().unwrap();
        // Of what is wrong beside the config, fdm knows nothing here.
        let refused = text.contains("fdm.conf, line ") && text.contains("\nstatus 78\n");
        assert_eq!(
            !output.status.success(),
            refused,
            "{}: {output:?}",
            case.display()
        );
        asked += 1;
    }
    assert!(asked > 10, "{asked}");
}
