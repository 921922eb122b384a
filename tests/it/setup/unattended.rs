//! For scripts: nothing is asked, and everything can be said.

use super::{at_a_record, at_the_usual_name, home_in, made};
use crate::support::dns::{NameServer, Record};
use crate::support::tree;
use std::fs;

#[test]
fn with_yes_and_a_password_in_a_pipe_nothing_is_asked() {
    let Some((_dovecot, _dns, home)) = at_a_record() else {
        return;
    };
    let line = [
        "setup",
        "ada@example.test",
        "--yes",
        "--password-stdin",
        "--name",
        "home",
        "--latest",
        "2",
        "--delete-after",
        "14 days",
        "--maildir",
        "post",
    ];
    let output = home.popfetch(line).stdin("secret\n").expect(0);
    assert_eq!(output.stdout, "");
    let config = fs::read_to_string(home.config_file()).unwrap();
    assert!(
        config.starts_with("[accounts.home]\nhost = \"mx7.example.test\"\n"),
        "{config}"
    );
    assert!(
        config.contains("keep = \"14 days\"\nlatest = 2\n"),
        "{config}"
    );
    home.popfetch(["fetch"]).expect(0);
    assert_eq!(tree::count(&home.path().join("post")), 2);
}

#[test]
fn with_print_the_account_is_data_and_nothing_is_written() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let output = home
        .popfetch(["setup", "ada@example.test", "--print"])
        .expect(0);
    assert_eq!(
        output.stdout,
        "[accounts.example]\nhost = \"pop.example.test\"\nuser = \"ada@example.test\"\n\
         maildir = \"~/Mail/example\"\nkeep = \"always\"\n"
    );
    assert_eq!(made(&home), [""; 0]);
}

#[test]
fn a_wrong_password_in_a_pipe_ends_it() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let line = ["setup", "ada@example.test", "--yes", "--password-stdin"];
    let output = home.popfetch(line).stdin("wrong\n").expect(77);
    assert!(output.stderr.contains("refused the sign-in"), "{output:?}");
    assert_eq!(made(&home), [""; 0]);
}

#[test]
fn without_a_terminal_and_without_answers_nothing_is_guessed() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let output = home.popfetch(["setup"]).expect(64);
    assert!(
        output.stderr.contains("nothing has been written"),
        "{output:?}"
    );
    let output = home.popfetch(["setup", "ada"]).expect(64);
    assert!(
        output.stderr.contains("an address has an @ in it"),
        "{output:?}"
    );
    let output = home.popfetch(["setup", "--yes"]).expect(64);
    assert!(output.stderr.contains("Your mail address"), "{output:?}");
    let answers = "ada@example.test\nsecret\n\n\n\n\n\n\n";
    home.popfetch(["setup"]).stdin(answers).expect(0);
    assert!(home.config_file().exists());
}

#[test]
fn a_server_in_another_domain_is_not_taken_on_the_word_of_dns() {
    let record = Record::Srv(0, 1, 995, "pop.elsewhere.test");
    let dns = NameServer::start(&[("_pop3s._tcp.example.test", record)]);
    let Some((dovecot, _, _)) = at_the_usual_name() else {
        return;
    };
    let names = [("pop.elsewhere.test:995".to_owned(), dovecot.account().port)];
    let authority = dovecot.authority().pem_file();
    let home = home_in(&names, &dns, authority);
    let line = ["setup", "ada@example.test", "--yes", "--password-stdin"];
    let output = home.popfetch(line).stdin("secret\n").expect(69);
    assert!(output.stderr.contains("--host HOST"), "{output:?}");
    assert!(made(&home).is_empty());
}
