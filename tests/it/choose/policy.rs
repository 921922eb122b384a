use crate::given::{assert_said, letter, mail, run, server};
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;

fn with_keys(count: usize, keys: &str) -> (Server, Home) {
    let (server, home) = server(count);
    home.one_account(&server.account(), keys);
    (server, home)
}

fn retrieved(server: &Server) -> Vec<String> {
    let commands = server.last_session().commands.into_iter();
    commands.filter(|c| c.starts_with("RETR")).collect()
}

#[test]
fn mail_stays_on_the_server_unless_told_otherwise() {
    for keys in ["", "keep = \"always\"\n"] {
        let (server, home) = with_keys(3, keys);
        run(&home, &[], 0);
        assert_eq!(server.maildrop().count(), 3);
        assert_eq!(server.count("DELE"), 0);
    }
}

#[test]
fn the_profile_and_then_the_command_line_decide_what_is_deleted() {
    for (keys, option, left) in [
        ("keep = \"never\"\n", "", 0),
        ("keep = \"never\"\n", "--keep", 3),
        ("keep = \"14 days\"\n", "", 3),
        ("", "--delete", 0),
        ("keep = \"14 days\"\n", "--delete", 0),
        ("keep = \"never\"\n", "--delete-after=14 days", 3),
    ] {
        let (server, home) = with_keys(3, keys);
        let arguments = ["fetch", option];
        let arguments = &arguments[..1 + usize::from(!option.is_empty())];
        run(&home, arguments, 0);
        assert_eq!(server.maildrop().count(), left, "{keys}{option}");
        tree::assert_holds(&home.maildir("a"), &mail(3));
    }
}

#[test]
fn what_was_kept_is_deleted_later_without_a_second_download() {
    let (server, home) = server(3);
    run(&home, &[], 0);
    let output = run(&home, &["fetch", "--delete"], 0);
    assert_said(&output, &["nothing new", "3 deleted"]);
    assert_eq!(server.last_session().count("RETR"), 0);
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn nothing_is_deleted_before_its_time() {
    let (server, home) = server(3);
    run(&home, &["fetch", "--delete-after", "2 s"], 0);
    assert_eq!(server.maildrop().count(), 3);
    // Time passes; asked again and again, as cron does.
    for _ in 0..100 {
        run(&home, &["fetch", "--delete-after", "2 s"], 0);
        if server.maildrop().count() == 0 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(server.maildrop().count(), 0);
    assert_eq!(server.count("RETR"), 3);
    tree::assert_holds(&home.maildir("a"), &mail(3));
}

#[test]
fn a_message_above_max_size_waits_until_it_may_come() {
    let (server, home) = with_keys(2, "max-size = \"4 kB\"\n");
    server
        .maildrop()
        .add([Message::generated("large", 20_000, 1)]);
    let output = run(&home, &["fetch", "--delete"], 0);
    assert_said(&output, &["2 new messages", "1 skipped (larger than 4 kB)"]);
    tree::assert_holds(&home.maildir("a"), &mail(2));
    assert_eq!(server.maildrop().unique_ids(), ["large"]);
    let output = run(&home, &["fetch", "--max-size", "1 MB"], 0);
    assert_said(&output, &["1 new message"]);
    assert_eq!(tree::count(&home.maildir("a")), 3);
}

#[test]
fn latest_takes_the_newest_at_first_and_all_newer_ones_later() {
    for (keys, arguments) in [
        ("latest = 2\n", &["fetch"][..]),
        ("", &["fetch", "--latest", "2"]),
    ] {
        let (server, home) = with_keys(6, keys);
        let output = run(&home, arguments, 0);
        assert_said(
            &output,
            &["2 new messages", "4 older messages marked as seen"],
        );
        assert_eq!(retrieved(&server), ["RETR 5", "RETR 6"]);
        server.maildrop().add([7, 8, 9].map(letter));
        run(&home, arguments, 0);
        assert_eq!(retrieved(&server), ["RETR 7", "RETR 8", "RETR 9"]);
        tree::assert_holds(&home.maildir("a"), &mail(9)[4..]);
    }
}

#[test]
fn what_was_only_marked_as_seen_is_never_deleted() {
    let (server, home) = server(6);
    run(&home, &["fetch", "--latest", "2", "--delete"], 0);
    run(&home, &["fetch", "--delete"], 0);
    assert_eq!(
        server.maildrop().unique_ids(),
        ["uid-1", "uid-2", "uid-3", "uid-4"]
    );
}

#[test]
fn newest_first_is_the_order_on_the_wire() {
    for (keys, arguments) in [
        ("order = \"newest-first\"\n", &["fetch"][..]),
        ("", &["fetch", "--newest-first"]),
    ] {
        let (server, home) = with_keys(4, keys);
        run(&home, arguments, 0);
        assert_eq!(retrieved(&server), ["RETR 4", "RETR 3", "RETR 2", "RETR 1"]);
        tree::assert_holds(&home.maildir("a"), &mail(4));
    }
    let (server, home) = server(3);
    run(&home, &[], 0);
    assert_eq!(retrieved(&server), ["RETR 1", "RETR 2", "RETR 3"]);
}
