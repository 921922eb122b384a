//! A Maildir for each year: `maildir = "~/Mail/{account}/{year}"`.

use crate::given::{assert_said, letter, mail, run, server};
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;
use std::fs;
use std::path::PathBuf;

fn configure(server: &Server, home: &Home, maildir: &str) {
    let config = home.account_config("a", &server.account());
    let lines = config.lines().filter(|line| !line.starts_with("maildir"));
    let lines: Vec<&str> = lines.collect();
    home.config(&format!("{}\nmaildir = \"{maildir}\"\n", lines.join("\n")));
}

const YEARS: &str = "~/Mail/{account}/{year}";

fn year(home: &Home, year: &str) -> PathBuf {
    home.path().join("Mail/a").join(year)
}

/// The Maildir of the year at hand, once there is one.
fn this_year(home: &Home) -> PathBuf {
    let entries = fs::read_dir(home.path().join("Mail/a")).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|it| it.unwrap().path()).collect();
    paths.retain(|path| *path != year(home, "2025"));
    assert_eq!(paths.len(), 1, "{paths:?}");
    paths.remove(0)
}

/// Two messages came in 2025, and a third one is on the server.
fn since_2025() -> (Server, Home) {
    let (server, home) = server(2);
    configure(&server, &home, "~/Mail/a/2025");
    run(&home, &["fetch"], 0);
    server.maildrop().add([letter(3)]);
    configure(&server, &home, YEARS);
    (server, home)
}

#[test]
fn mail_is_stored_by_the_year_and_the_month_of_the_clock_on_the_wall() {
    let (server, home) = server(2);
    configure(&server, &home, "~/Mail/{account}/{year}-{month}");
    run(&home, &["fetch"], 0);
    let path = this_year(&home);
    let name = path.file_name().unwrap().to_str().unwrap();
    let parts: Vec<&str> = name.split('-').collect();
    assert_eq!(parts.iter().map(|it| it.len()).collect::<Vec<_>>(), [4, 2]);
    assert!(parts[0].parse::<u32>().unwrap() >= 2026, "{name}");
    assert!(
        (1..=12).contains(&parts[1].parse::<u32>().unwrap()),
        "{name}"
    );
    tree::assert_holds(&path, &mail(2));
}

#[test]
fn words_that_stand_for_nothing_are_refused_and_other_braces_are_themselves() {
    let (server, home) = server(1);
    configure(&server, &home, "~/Mail/{account}/{yaer}");
    assert_said(&run(&home, &["fetch"], 78), &["did you mean `{year}`?"]);
    configure(&server, &home, "~/Mail/{account}/{day}");
    let output = run(&home, &["fetch"], 78);
    assert_said(&output, &["{account}, {user}, {host}, {year} and {month}"]);
    configure(&server, &home, "~/Mail/{a b}{");
    run(&home, &["fetch"], 0);
    tree::assert_holds(&home.path().join("Mail/{a b}{"), &mail(1));
}

#[test]
fn a_new_year_has_a_maildir_of_its_own_and_all_of_them_are_read() {
    let (server, home) = since_2025();
    run(&home, &["fetch", "--delete"], 0);
    tree::assert_holds(&year(&home, "2025"), &mail(2));
    tree::assert_holds(&this_year(&home), &[letter(3)]);
    assert_eq!(server.count("RETR"), 3);
    assert_eq!(server.maildrop().count(), 0);
    let listed = run(&home, &["--format", "paths", "list", "a"], 0);
    assert_eq!(listed.stdout.lines().count(), 3, "{listed:#?}");
    let text = run(&home, &["list"], 0).stdout;
    for subject in ["Letter 1", "Letter 2", "Letter 3"] {
        assert!(text.contains(subject), "{text}");
    }
    let shown = run(&home, &["show", "<1@mail.example.com>"], 0).stdout;
    assert!(shown.contains("This is letter 1."), "{shown}");
    assert_said(&run(&home, &["verify"], 0), &["3 intact"]);
    run(&home, &["fetch"], 0);
}

#[test]
fn before_a_year_has_brought_any_mail_the_one_before_is_read() {
    let (server, home) = since_2025();
    server.maildrop().replace(mail(2));
    run(&home, &["fetch"], 0);
    let listed = run(&home, &["--format", "paths", "list"], 0);
    assert_eq!(listed.stdout.lines().count(), 2, "{listed:#?}");
}

#[test]
fn a_new_year_is_not_begun_while_the_one_before_is_away() {
    let (server, home) = since_2025();
    let away = home.path().join("away");
    fs::rename(year(&home, "2025"), &away).unwrap();
    let sessions = server.sessions().len();
    for command in [
        &["fetch"][..],
        &["fetch", "--dry-run"],
        &["account", "test"],
    ] {
        let output = run(&home, command, 73);
        let text = format!("{}{}", output.stdout, output.stderr);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("is not begun while it is away"), "{text}");
        assert!(text.contains("state accept a"), "{text}");
    }
    assert_eq!(tree::count(&home.path().join("Mail")), 0);
    assert_eq!(server.count("RETR"), 2);
    assert!(server.sessions().len() <= sessions + 1);
    fs::rename(&away, year(&home, "2025")).unwrap();
    run(&home, &["fetch"], 0);
    tree::assert_holds(&this_year(&home), &[letter(3)]);
}

#[test]
fn where_the_one_before_is_gone_for_good_its_owner_says_so_and_the_new_one_is_begun() {
    let (server, home) = since_2025();
    fs::remove_dir_all(year(&home, "2025")).unwrap();
    run(&home, &["fetch"], 73);
    run(&home, &["state", "accept", "a"], 0);
    run(&home, &["fetch"], 0);
    tree::assert_holds(&this_year(&home), &[letter(3)]);
    assert_eq!(server.count("RETR"), 3);
}

#[test]
fn a_state_that_is_lost_knows_the_years_before_from_their_maildirs() {
    // In the new year's first run, and later.
    for later in [false, true] {
        let (server, home) = since_2025();
        if later {
            run(&home, &["fetch"], 0);
        }
        fs::remove_dir_all(home.state()).unwrap();
        let before = server.count("RETR");
        run(&home, &["fetch"], 0);
        tree::assert_holds(&year(&home, "2025"), &mail(2));
        tree::assert_holds(&this_year(&home), &[letter(3)]);
        assert_eq!(server.count("RETR") - before, usize::from(!later));
        assert_said(&run(&home, &["verify"], 0), &["3 intact"]);
    }
}
