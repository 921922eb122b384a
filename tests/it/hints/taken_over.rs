//! `popfetch import`.

use std::fs;

use super::{command_in, shell};
use crate::given::{assert_said, fdm_config, server};
use crate::support::run::Home;

/// Two accounts of fdm's, in a file that is not the usual one, and unique-ids that are nobody's.
fn two(home: &Home, accounts: [&crate::support::account::Account; 2]) {
    let text = fdm_config(home, ["a", "b b"].into_iter().zip(accounts));
    home.private_file("old fdm/conf", &text);
    home.private_file("their ids", "5 uid-1\n");
    fs::remove_file(home.config_file()).unwrap();
}

/// With the path and the config file that were named, without which it would read others.
#[test]
fn hint_whose_the_unique_ids_are_is_said_by_the_command_of_the_hint_as_it_stands() {
    let (first, home) = server(3);
    let (second, _) = server(4);
    two(&home, [&first.account(), &second.account()]);
    let line = "popfetch import fdm \"$HOME/old fdm/conf\" --seen \"$HOME/their ids\" \
                --config \"$HOME/my config.toml\" -y";
    let told = shell(&home, line).expect(64);
    assert_said(&told, &["which of 2 accounts"]);
    let command = command_in(&told.stderr, "popfetch import fdm");
    shell(&home, &format!("{command} -y")).expect(0);
    let config = fs::read_to_string(home.path().join("my config.toml")).unwrap();
    assert!(config.contains("[accounts.a]"), "{config}");
    assert!(!home.config_file().exists());
}

#[test]
fn hint_a_config_that_is_elsewhere_is_named_as_the_hint_says_for_the_same_config_of_ours() {
    let (first, home) = server(3);
    let (second, _) = server(4);
    two(&home, [&first.account(), &second.account()]);
    fs::remove_file(home.path().join("their ids")).unwrap();
    let line = "popfetch import fdm --config \"$HOME/my config.toml\" -y";
    let told = shell(&home, line).expect(78);
    let command = command_in(&told.stderr, "popfetch import fdm");
    assert!(command.ends_with(" PATH"), "{command}");
    let command = command.replace("PATH", "\"$HOME/old fdm/conf\"");
    shell(&home, &format!("{command} -y")).expect(0);
    let config = fs::read_to_string(home.path().join("my config.toml")).unwrap();
    assert!(config.contains("[accounts.\"b b\"]"), "{config}");
}

#[test]
fn hint_an_account_that_is_not_in_it_is_told_with_those_that_are() {
    let (first, home) = server(3);
    let (second, _) = server(4);
    two(&home, [&first.account(), &second.account()]);
    let line = "popfetch import fdm \"$HOME/old fdm/conf\" --account c -y";
    let told = shell(&home, line).expect(64);
    assert_said(
        &told,
        &["there is a, b b", "name one of these by --account"],
    );
    shell(&home, &line.replace("--account c", "--account 'b b'")).expect(0);
}

#[test]
fn hint_without_a_terminal_the_option_that_is_named_takes_it_over() {
    let (first, home) = server(3);
    let (second, _) = server(4);
    two(&home, [&first.account(), &second.account()]);
    let line = "popfetch import fdm \"$HOME/old fdm/conf\"";
    let told = shell(&home, line).expect(64);
    assert_said(&told, &["add --yes"]);
    assert!(!home.config_file().exists());
    shell(&home, &format!("{line} --yes")).expect(0);
}
