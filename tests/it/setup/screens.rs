//! What a newcomer reads, as it stands on a terminal of 60 columns.

use super::{at_the_usual_name, enter_to_the_end, home_in};
use crate::support::dns::NameServer;
use crate::support::run::Home;
use crate::support::terminal::Terminal;

/// The screen after a run, with the home's path as one word.
fn screen(home: &Home, arguments: &[&str], status: i32) -> String {
    let (ended, screen) = Terminal::start(home, 60, arguments).end();
    assert_eq!(ended, status, "{screen}");
    screen.replace(home.path().to_str().unwrap(), "HOME")
}

fn newcomer() -> (NameServer, Home) {
    let dns = NameServer::start(&[]);
    let home = home_in(&[], &dns, "/etc/ssl/certs/ca-certificates.crt".into());
    (dns, home)
}

#[test]
fn the_first_run_says_what_to_do() {
    let (_dns, home) = newcomer();
    let screen = screen(&home, &[], 78);
    // How long the home's path is decides where lines are broken.
    let words: Vec<_> = screen.split_whitespace().collect();
    assert_eq!(
        words.join(" "),
        "error: there is no account to work with: HOME/config/popfetch/config.toml does not exist \
         hint: popfetch setup asks for your address and does the rest; or put this into \
         HOME/config/popfetch/config.toml, and popfetch will ask for the password: \
         [accounts.home] host = \"pop.example.com\" user = \"ada@example.com\" \
         or fetch without a config file: popfetch pops://ada@pop.example.com --maildir ~/Mail/ada"
    );
    let sample = "\n\n    [accounts.home]\n    host = \"pop.example.com\"\n    \
                  user = \"ada@example.com\"\n\nor";
    assert!(screen.contains(sample), "{screen}");
    assert!(screen.lines().all(|line| line.len() <= 60), "{screen}");
}

#[test]
fn habits_of_other_tools_are_answered_in_a_sentence() {
    let (_dns, home) = newcomer();
    for (arguments, wanted) in [
        (
            &["sync"][..],
            "error: there is neither a command nor an account `sync`\n\
             hint: that is popfetch alone, or popfetch fetch ACCOUNT\n",
        ),
        (
            &["--all"],
            "error: there is no option `--all` here\n\
             hint: all accounts are fetched unless some are named; to get\n  \
             mail again that was fetched before: popfetch state forget\n  ACCOUNT --all\n",
        ),
        (
            &["fetch", "-d", "300"],
            "error: there is no option `-d` here\n\
             hint: popfetch watch stays, and fetches each account when it\n  \
             is due; or a timer starts popfetch, which ends when it is\n  \
             done: crontab -e, and a line like */10 * * * *\n  \
             \"$HOME/.cargo/bin/popfetch\" -q, with the path that command\n  \
             -v popfetch shows; see also popfetch man, EXAMPLES\n",
        ),
    ] {
        assert_eq!(screen(&home, arguments, 64), wanted);
    }
}

#[test]
fn setup_ends_with_the_lines_to_go_on_with_and_the_fetch_says_where_the_mail_is() {
    let Some((_dovecot, _dns, home)) = at_the_usual_name() else {
        return;
    };
    let mut terminal = Terminal::start(&home, 60, &["setup", "ada@example.test"]);
    terminal.answer(
        "Password for ada@example.test at pop.example.test:",
        "secret",
    );
    enter_to_the_end(&mut terminal);
    let (status, screen) = terminal.end();
    assert_eq!(status, 0, "{screen}");
    let next = screen.split("Next:\n").nth(1).unwrap();
    let program = home.program().display();
    assert_eq!(
        next,
        format!(
            "  {program}\n      fetch it\n  mutt -f ~/Mail/example\n      \
             read it; or with notmuch, or import it into\n      Thunderbird\n  \
             crontab -e\n      have it fetched by a timer, with this line:\n      \
             */10 * * * * {program} -q\n"
        )
    );
    let fetched = home.popfetch(["example"]).expect(0);
    let (head, tail) = fetched.stderr.split_once(" (").unwrap();
    assert_eq!(head, "example: 3 new messages");
    assert!(tail.ends_with(" in ~/Mail/example\n"), "{fetched:?}");
    let again = home.popfetch(["example"]).expect(0);
    assert_eq!(again.stderr, "example: nothing new\n");
}
