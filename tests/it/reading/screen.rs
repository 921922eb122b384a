use std::fs;

use super::{Mailbox, letter};
use crate::support::process::make_program;
use crate::support::terminal::Terminal;

fn some(count: u32) -> Mailbox {
    let mail = Mailbox::new();
    for number in 1..=count {
        let subject =
            format!("日本語の件名 {number} and a subject that is far too long for any terminal");
        let from = "Ada Augusta King, Countess of Lovelace <ada@example.com>";
        let text = letter(
            number,
            &format!("\"{}\" <ada@example.com>", &from[..35]),
            &subject,
        );
        mail.put(&format!("new/17640000{number:02}.a.host"), text);
    }
    mail
}

fn width(line: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(line)
}

#[test]
fn a_list_fits_the_terminal_narrow_and_wide() {
    let mail = some(5);
    for columns in [80, 60, 40] {
        let root = mail.root.to_str().unwrap();
        let terminal = Terminal::start(&mail.home, columns, &["list", "--maildir", root]);
        let (status, screen) = terminal.end();
        assert_eq!(status, 0, "{screen}");
        let lines: Vec<_> = screen.lines().collect();
        // Below 72 columns the subject stands on a line of its own.
        assert_eq!(lines.len(), if columns < 72 { 10 } else { 5 }, "{screen}");
        for line in lines {
            assert!(width(line) <= usize::from(columns), "{columns}: {line}");
        }
        assert!(screen.contains("日本語の件名 5"), "{screen}");
    }
}

#[test]
fn a_list_that_is_longer_than_the_terminal_is_shown_by_the_pager_and_a_short_one_is_not() {
    let mut mail = some(28);
    let pager = mail.home.path().join("pager");
    make_program(&pager, "#!/bin/sh\necho PAGED; exec cat\n");
    mail.home.env("PAGER", pager.to_str().unwrap());
    let root = mail.root.to_str().unwrap();
    let (status, screen) = Terminal::start(&mail.home, 80, &["list", "--maildir", root]).end();
    assert_eq!((status, screen.lines().count()), (0, 29), "{screen}");
    assert!(screen.starts_with("PAGED\n"), "{screen}");
    let short = ["list", "--limit", "5", "--maildir", root];
    let (_, screen) = Terminal::start(&mail.home, 80, &short).end();
    assert!(!screen.contains("PAGED"), "{screen}");
    // One that is not there is no reason to show nothing.
    mail.home.env("PAGER", "no-such-pager");
    let (status, screen) = Terminal::start(&mail.home, 80, &["list", "--maildir", root]).end();
    assert_eq!(status, 0);
    assert!(
        screen
            .lines()
            .filter(|line| line.contains("日本語"))
            .count()
            == 28,
        "{screen}"
    );
}

#[test]
fn on_a_terminal_a_message_is_broken_between_words_and_what_is_raw_is_made_harmless() {
    let mail = Mailbox::new();
    let path = mail.put(
        "new/1764000001.a.host",
        format!(
            "Subject: x\n\n> {}\nred \u{1b}[31m\u{202e}\n",
            "word ".repeat(40)
        ),
    );
    let path = path.to_str().unwrap();
    for columns in [80, 40] {
        let (status, screen) =
            Terminal::start(&mail.home, columns, &["show", "--peek", path]).end();
        assert_eq!(status, 0, "{screen}");
        assert!(screen.contains("red \\x1b[31m\\u{202e}"), "{screen}");
        let quoted = screen
            .lines()
            .filter(|line| line.starts_with("> word"))
            .count();
        assert!(quoted >= 200 / usize::from(columns), "{screen}");
        assert!(
            screen
                .lines()
                .all(|line| width(line) <= usize::from(columns)),
            "{screen}"
        );
    }
    let (_, screen) = Terminal::start(&mail.home, 80, &["show", "--peek", "--raw", path]).end();
    assert!(
        screen.contains("\\x1b[31m") && !screen.contains('\u{1b}'),
        "{screen:?}"
    );
    fs::write(path, "Content-Type: application/pdf\n\n%PDF\0").unwrap();
    let (status, screen) = Terminal::start(&mail.home, 80, &["show", "--part", "1", path]).end();
    assert_eq!(status, 64, "{screen}");
    assert!(screen.contains("--save DIR"), "{screen}");
}
