//! Wrong answers, and people who go away: nothing is ever half written.

use super::{QUESTIONS, at_the_usual_name, enter, enter_to_the_end, home_in, made};
use crate::given::mail;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::dns::NameServer;
use crate::support::maildrop::Maildrop;
use crate::support::process::PATIENCE;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::terminal::Terminal;
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn nowhere() -> (NameServer, Home) {
    let dns = NameServer::start(&[]);
    let home = home_in(&[], &dns, "/etc/ssl/certs/ca-certificates.crt".into());
    (dns, home)
}

#[test]
fn an_address_that_is_none_is_asked_for_again() {
    let (_dns, home) = nowhere();
    let mut terminal = Terminal::start(&home, 80, &["setup"]);
    terminal.answer("Your mail address:", "ada");
    terminal.wait_for("an address has an @ in it");
    terminal.answer("Your mail address:", "ada@exa mple.test");
    terminal.wait_for("what stands behind the @ is no domain");
    terminal.wait_for("Your mail address:").press("\u{3}");
    let (_, screen) = terminal.end();
    assert_eq!(made(&home), [""; 0], "{screen}");
}

#[test]
fn where_no_server_is_found_it_is_named_by_hand_or_not_at_all() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let mut terminal = Terminal::start(&home, 80, &["setup", "ada@other.test"]);
    terminal.wait_for("No POP3 server was found for other.test.");
    terminal.answer("The server's name, if you know it", "nobody.example.test");
    terminal.wait_for("nobody.example.test:995: there is no such host");
    terminal.answer("The server's name, if you know it", "pop.example.test");
    terminal.wait_for("Found pop.example.test, port 995, with TLS; named by you.");
    terminal.answer("Password for ", "secret");
    terminal.wait_for("Signed in.").press("\u{3}");
    terminal.end();

    let mut terminal = Terminal::start(&home, 80, &["setup", "ada@other.test"]);
    terminal.answer("The server's name, if you know it", "");
    terminal.wait_for("error: No POP3 server was found for other.test");
    let (status, screen) = terminal.end();
    assert_eq!(status, 69, "{screen}");
    assert_eq!(made(&home), [""; 0], "{screen}");
}

#[test]
fn a_wrong_password_is_asked_for_again_and_the_users_name_on_a_wish() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let mut terminal = Terminal::start(&home, 80, &["setup", "ada@example.test"]);
    terminal.answer("Password for ", "wrong");
    terminal.wait_for("refused the sign-in");
    // What is typed at once is a password once more, and must not be seen.
    terminal.answer("Password for ", "wrong-too");
    terminal.wait_for("press Enter alone to change the user name");
    terminal.answer("Password for ", "");
    terminal.answer("Your user name at this server [ada@example.test]:", "ada");
    terminal.answer("Password for ", "secret");
    terminal.wait_for("Signed in.");
    enter_to_the_end(&mut terminal);
    let (status, screen) = terminal.end();
    assert_eq!(status, 0, "{screen}");
    let config = fs::read_to_string(home.config_file()).unwrap();
    assert!(config.contains("user = \"ada\"\n"), "{config}");
    let password = home.config_file().with_file_name("example.password");
    assert_eq!(fs::read_to_string(&password).unwrap(), "secret\n");
    assert!(!screen.contains("secret"), "{screen}");
    assert!(!screen.contains("wrong-too"), "{screen}");
    for path in [home.config_file(), password] {
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let directory = fs::metadata(home.config_file().parent().unwrap()).unwrap();
    assert_eq!(directory.permissions().mode() & 0o777, 0o700);
}

#[test]
fn an_empty_enter_in_place_of_the_password_is_asked_about_again() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let mut terminal = Terminal::start(&home, 80, &["setup", "ada@example.test"]);
    terminal.answer("Password for ", "");
    terminal.wait_for("nothing was typed");
    terminal.answer("Password for ", "secret");
    terminal.wait_for("Signed in.");
    enter_to_the_end(&mut terminal);
    let (status, screen) = terminal.end();
    assert_eq!(status, 0, "{screen}");
}

#[test]
fn ctrl_d_in_place_of_a_password_leaves_the_error_a_line_of_its_own() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let mut terminal = Terminal::start(&home, 80, &["setup", "ada@example.test"]);
    terminal.wait_for("Password for ").press("\u{4}");
    let (status, screen) = terminal.end();
    assert_eq!(status, 77, "{screen}");
    assert!(screen.contains("\nerror: "), "{screen}");
}

/// A server that offers SCRAM, at which setup signs in.
fn with_scram(behaviour: Behaviour) -> (Server, NameServer, Home) {
    let capabilities = ["TOP", "UIDL", "USER", "SASL PLAIN SCRAM-SHA-256"];
    let server = Server::builder(&Maildrop::new(mail(2)))
        .behaviour(behaviour.capabilities(&capabilities))
        .credentials("ada@example.test", "secret")
        .start();
    let dns = NameServer::start(&[]);
    let home = home_in(&[], &dns, server.account().roots.unwrap());
    (server, dns, home)
}

#[test]
fn a_mistyped_password_that_the_other_way_refuses_as_well_leaves_the_way_to_sign_in_open() {
    let (server, _dns, home) = with_scram(Behaviour::new());
    let host = format!("localhost:{}", server.port());
    let mut terminal = Terminal::start(&home, 80, &["setup", "ada@example.test", "--host", &host]);
    terminal.answer("Password for ", "wrong");
    terminal.answer("Try the same password by another way (plain)? (Y/n)", "");
    // Whoever types at once types the password, which must not be seen.
    terminal.answer("Password for ", "secret");
    terminal.wait_for("Signed in.");
    enter(&mut terminal, &QUESTIONS);
    let (status, screen) = terminal.end();
    assert_eq!(status, 0, "{screen}");
    assert!(!screen.contains("secret"), "{screen}");
    let config = fs::read_to_string(home.config_file()).unwrap();
    assert!(!config.contains("auth"), "{config}");
    let last = server.last_session().commands;
    assert!(
        last.iter().any(|it| it.starts_with("AUTH SCRAM-SHA-256")),
        "{last:?}"
    );
}

#[test]
fn the_other_way_is_written_where_it_lets_in_what_the_first_has_refused() {
    let behaviour = Behaviour::new().on("AUTH SCRAM-SHA-256", Reply::raw("-ERR [AUTH] no\r\n"));
    let (server, _dns, home) = with_scram(behaviour);
    let host = format!("localhost:{}", server.port());
    let mut terminal = Terminal::start(&home, 80, &["setup", "ada@example.test", "--host", &host]);
    terminal.answer("Password for ", "wrong");
    terminal.answer("Try the same password by another way (plain)? (Y/n)", "");
    terminal.answer("Password for ", "secret");
    terminal.answer("Try the same password by another way (plain)? (Y/n)", "");
    terminal.wait_for("Signed in.");
    enter(&mut terminal, &QUESTIONS);
    let (status, screen) = terminal.end();
    assert_eq!(status, 0, "{screen}");
    let config = fs::read_to_string(home.config_file()).unwrap();
    assert!(config.contains("auth = \"plain\"\n"), "{config}");
}

#[test]
fn whoever_goes_away_at_any_question_leaves_nothing_behind() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let questions = [
        ("Your mail address:", "ada@example.test"),
        ("Password for ", "secret"),
        ("What is to be fetched first?", ""),
        ("What becomes of mail on the server", ""),
        ("What shall the account be called?", ""),
        ("Where does the mail go (a Maildir)?", ""),
        ("Where is the password to be kept?", ""),
        ("Write it?", ""),
    ];
    for columns in [80, 60, 40] {
        for last in 0..questions.len() {
            let mut terminal = Terminal::start(&home, columns, &["setup"]);
            for (question, answer) in &questions[..last] {
                terminal.answer(question, answer);
            }
            terminal.wait_for(questions[last].0);
            let key = if last % 2 == 0 { "\u{3}" } else { "\u{4}" };
            terminal.press(key);
            let (status, screen) = terminal.see_a_clean_end();
            assert!(status == 130 || key != "\u{3}" && status != 0, "{screen}");
            assert_eq!(made(&home), [""; 0], "{screen}");
            let said = "\nNothing has been written.";
            assert!(key != "\u{3}" || screen.ends_with(said), "{screen}");
        }
    }
}

#[test]
fn who_says_no_at_the_end_has_nothing_written() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let mut terminal = Terminal::start(&home, 80, &["setup", "ada@example.test"]);
    terminal.answer("Password for ", "secret");
    terminal.answer("What is to be fetched first?", "4");
    terminal
        .wait_for("a number from 1 to 2, please")
        .answer("Choice [1]:", "2");
    terminal.answer("What becomes of mail on the server", "2");
    terminal.answer("After how many days [14]:", "soon");
    terminal.wait_for("a number of days, please");
    terminal.answer("After how many days [14]:", "30 days");
    terminal.answer("What shall the account be called?", "a/b");
    terminal.wait_for("an account's name cannot have a `/` in it");
    terminal.answer("What shall the account be called?", "home");
    terminal.answer("Where does the mail go (a Maildir)? [~/Mail/home]:", "post");
    terminal.answer("Where is the password to be kept?", "3");
    terminal.wait_for("[accounts.home]");
    terminal.wait_for("maildir = \"~/post\"");
    terminal.wait_for("keep = \"30 days\"");
    terminal.wait_for("latest = 0");
    terminal.answer("Write it? (Y/n):", "perhaps");
    terminal.wait_for("y or n, please");
    terminal.answer("Write it? (Y/n):", "n");
    terminal.wait_for("Nothing has been written.");
    let (status, screen) = terminal.end();
    assert_eq!(status, 0, "{screen}");
    assert_eq!(made(&home), [""; 0], "{screen}");
}

#[test]
fn a_config_file_that_is_there_keeps_its_words_and_gets_one_more_account() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let before = "# the office\n[accounts.example] # old\nhost = \"h\"\nuser = \"u\"\n";
    home.config(before);
    let mut terminal = Terminal::start(&home, 80, &["setup", "ada@example.test"]);
    terminal.answer("Password for ", "secret");
    terminal.answer("What is to be fetched first?", "");
    terminal.answer("What becomes of mail on the server", "");
    terminal.answer("What shall the account be called? [example-2]:", "example");
    terminal.wait_for("there is an account `example` already");
    terminal.answer("What shall the account be called? [example-2]:", "");
    terminal.answer("Where does the mail go (a Maildir)?", "");
    terminal.answer("Where is the password to be kept?", "");
    terminal.answer("Write it?", "");
    let (status, screen) = terminal.end();
    assert_eq!(status, 0, "{screen}");
    let after = fs::read_to_string(home.config_file()).unwrap();
    assert!(after.starts_with(before), "{after}");
    assert!(
        after.contains("\n[accounts.example-2]\nhost = \"pop.example.test\"\n"),
        "{after}"
    );
    // The same maildrop is not set up twice.
    let again = home
        .popfetch(["setup", "ada@example.test", "--print"])
        .expect(78);
    assert!(
        again
            .stderr
            .contains("set up already, as account `example-2`"),
        "{again:?}"
    );
}

#[test]
fn a_config_file_that_changes_meanwhile_loses_nothing() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let mut terminal = Terminal::start(&home, 80, &["setup", "ada@example.test"]);
    terminal.answer("Password for ", "secret");
    enter(&mut terminal, &QUESTIONS[..5]);
    terminal.wait_for("Write it?");
    home.config("[accounts.example]\nhost = \"h\"\nuser = \"u\"\n");
    terminal.press("\n");
    terminal.wait_for("there is an account `example` already");
    let (status, screen) = terminal.end();
    assert_eq!(status, 78, "{screen}");
    let config = fs::read_to_string(home.config_file()).unwrap();
    assert_eq!(config, "[accounts.example]\nhost = \"h\"\nuser = \"u\"\n");
    assert!(
        !home
            .config_file()
            .with_file_name("example.password")
            .exists(),
        "{screen}"
    );
}

#[test]
fn a_config_file_that_cannot_be_read_is_said_before_anything_is_asked() {
    let (_dns, home) = nowhere();
    home.config("[accounts.a\nhost = 1\n");
    let terminal = Terminal::start(&home, 80, &["setup"]);
    let (status, screen) = terminal.end();
    assert_eq!(status, 78, "{screen}");
    assert!(!screen.contains("Your mail address"), "{screen}");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    for columns in [80_u16, 60, 40] {
        let mut terminal = Terminal::start(&home, columns, &["setup", "ada@example.test"]);
        for _ in 0..2 {
            terminal.answer("Password for ", "wrong");
        }
        terminal.answer("Password for ", "");
        terminal.answer("Your user name at this server", "");
        terminal.answer("Password for ", "secret");
        terminal.wait_for("Signed in.");
        terminal.answer("What is to be fetched first?", "");
        terminal.answer("What becomes of mail on the server", "");
        terminal.answer("What shall the account be called?", "");
        terminal.answer("Where does the mail go (a Maildir)?", "");
        terminal
            .wait_for("Where is the password to be kept?")
            .press("\u{3}");
        let (_, screen) = terminal.end();
        for line in screen.split("^C").next().unwrap().lines() {
            // What a bar left has been wiped off.
            let line = line.rsplit(['\r', '\u{1b}']).next().unwrap();
            let line = line.strip_prefix("[2K").unwrap_or(line);
            let width = line.chars().count();
            // A word is never cut; only a path or an address is longer than half a line.
            let longest = line.split(' ').map(|word| word.chars().count()).max();
            let fits = width <= usize::from(columns) || longest > Some(usize::from(columns) / 2);
            assert!(fits, "{width}: {line}\n\n{screen}");
        }
    }
}

#[test]
fn a_program_that_prints_another_password_is_asked_for_again() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let mut terminal = Terminal::start(&home, 80, &["setup", "ada@example.test"]);
    terminal.answer("Password for ", "secret");
    enter(&mut terminal, &QUESTIONS[..4]);
    terminal.answer("Where is the password to be kept?", "2");
    terminal.answer("The command [pass show mail]:", "echo wrong");
    terminal.wait_for("is not the password that the server has just taken");
    terminal.answer("The command [pass show mail]:", "echo secret");
    terminal.answer("Write it?", "");
    let (status, screen) = terminal.end();
    assert_eq!(status, 0, "{screen}");
    home.popfetch(["fetch"]).expect(0);
}

#[test]
fn what_is_typed_while_servers_are_tried_is_not_shown_and_answers_nothing() {
    // A server that takes connections and says nothing.
    let silent = crate::support::listener::Listener::start(|_, socket| {
        let _ = std::io::Read::read(&mut &*socket, &mut [0; 4096]);
        let _ = std::io::Read::read(&mut &*socket, &mut [0; 4096]);
    });
    let (_dns, home) = nowhere();
    let host = format!("localhost:{}", silent.port());
    let mut terminal = Terminal::start(&home, 80, &["setup", "ada@x.test", "--host", &host]);
    terminal.wait_for("Trying localhost:");
    // The line is written just before the echo goes.
    let quiet = crate::support::process::within(PATIENCE, || (!terminal.echoes()).then_some(()));
    assert!(quiet.is_some(), "{}", terminal.screen());
    terminal.press("geheim\n");
    terminal.answer("The server's name, if you know it", "");
    let (status, screen) = terminal.end();
    assert_eq!(status, 69, "{screen}");
    assert!(!screen.contains("geheim"), "{screen}");
    assert!(!screen.contains("there is no such host"), "{screen}");
}

#[test]
fn a_maildir_that_cannot_be_is_asked_for_again() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    home.private_file("file", "no directory");
    let mut terminal = Terminal::start(&home, 80, &["setup", "ada@example.test"]);
    terminal.answer("Password for ", "secret");
    enter(&mut terminal, &QUESTIONS[..3]);
    terminal.answer(QUESTIONS[3], "~/file/mail");
    terminal.wait_for("is not a Maildir");
    terminal.answer(QUESTIONS[3], "~/${HOME}/mail");
    terminal.wait_for("stands for nothing");
    terminal.answer(QUESTIONS[3], "~/mail");
    enter(&mut terminal, &QUESTIONS[4..]);
    let (status, screen) = terminal.end();
    assert_eq!(status, 0, "{screen}");
    home.popfetch(["fetch"]).expect(0);
    assert!(home.path().join("mail/new").is_dir());
}
