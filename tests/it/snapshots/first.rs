//! What is read before there is any mail: the first run, words of other tools, a config file with errors.

use super::WIDTHS;
use crate::support::process::make_program;
use crate::support::run::Home;
use crate::support::snapshot::Screens;

#[test]
fn the_first_run() {
    let home = Home::short();
    for columns in WIDTHS {
        Screens::at(&home, columns).run(&[], 78).hold("first-run");
    }
}

#[test]
fn words_of_other_tools() {
    let home = Home::short();
    for columns in WIDTHS {
        let mut screens = Screens::at(&home, columns);
        for words in [
            &["-k"][..],
            &["-a"],
            &["-c"],
            &["-d", "300"],
            &["--idle"],
            &["-s"],
            &["sync"],
            &["test"],
            &["version"],
            &["rm", "work"],
            &["work"],
            &["ftech"],
            &["ada@example.com"],
            &["man", "fetch"],
        ] {
            screens = screens.run(words, 64);
        }
        screens.hold("habits");
    }
}

#[test]
fn keys_of_other_tools() {
    let home = Home::short();
    home.config(
        "[accounts.work]\nserver = \"pop.example.com\"\nusername = \"ada\"\nssl = true\n\
         pass = \"x\"\npasswordeval = \"pass show mail\"\ndelete = true\npath = \"~/Mail\"\n",
    );
    for columns in WIDTHS {
        Screens::at(&home, columns)
            .run(&[], 78)
            .hold("foreign-keys");
    }
}

#[test]
fn all_that_is_wrong_with_a_config_file() {
    let home = Home::short();
    home.config(
        "[accounts.work]\nhost = \"pop.example.com\"\nuser = \"ada\"\ntls = true\n\
         keep = \"allways\"\n\n[accounts.home]\nhost = \"pop.example.com\"\nuser = \"eve\"\n\
         tls = \"STARTTLS\"\ntimout = \"5 min\"\n\n[accounts.club]\nhost = \"pop.example.com\"\n\
         user = \"bob\"\nmaildir = \"$HOME/Mail\"\n\n[accounts.choir]\nuser = \"ada\"\n",
    );
    for columns in WIDTHS {
        Screens::at(&home, columns)
            .run(&[], 78)
            .hold("config-errors");
    }
}

#[test]
fn a_password_where_there_is_no_keyring() {
    let mut home = Home::short();
    home.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    home.config("[accounts.work]\nhost = \"pop.example.com\"\nuser = \"ada\"\n");
    for columns in WIDTHS {
        Screens::at(&home, columns)
            .run(&["password", "set", "work"], 77)
            .hold("password-set");
    }
}

#[test]
fn the_manual_on_a_terminal() {
    let home = Home::short();
    // What stands for man shows how it was called, and the first words that it was given.
    make_program(
        &home.path().join("bin/man"),
        "#!/bin/sh\necho \"man $*\"\ngrep -i -m 2 '^\\.sh'\ncat > /dev/null\n",
    );
    Screens::at(&home, 80)
        .run(&["man"], 0)
        .run(&["man", "popfetch.toml"], 0)
        .hold("man");
}

#[test]
fn the_help() {
    let home = Home::short();
    for columns in WIDTHS {
        Screens::at(&home, columns)
            .run(&["--help"], 0)
            .run(&["state", "accept", "-h"], 0)
            .hold("help");
    }
}

#[test]
fn lines_that_make_no_sense() {
    let home = Home::short();
    for columns in WIDTHS {
        let mut screens = Screens::at(&home, columns);
        for words in [
            &["show"][..],
            &["fetch", "--max-time", "0"],
            &["fetch", "--max-time"],
            &["fetch", "--timeout", "soon", "work"],
            &["fetch", "--keep", "--delete"],
            &["fetch", "--jobs", "0"],
            &["list", "--since", "yesterday"],
            &["account", "add"],
            &["account", "rm", "work"],
            &["state", "forget", "work"],
            &["password"],
        ] {
            screens = screens.run(words, 64);
        }
        screens.hold("usage");
    }
}
