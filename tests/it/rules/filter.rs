use super::{from, ruled, three, work};
use crate::given::{assert_said, run};
use crate::support::behaviour::Behaviour;
use crate::support::tree;

/// A filter that says what is to become of the shop's and of the list's mail.
fn filter(shop: u8, list: u8) -> String {
    let script = format!(
        "cat > header; grep -q @shop.example header && exit {shop}; \
         grep -q @lists.example header && exit {list}; exit 0"
    );
    format!("filter-command = [\"sh\", \"-c\", \"{script}\"]\n")
}

#[test]
fn a_filter_reads_headers_and_its_exit_status_decides() {
    let (server, home) = ruled(three(), &filter(1, 2), "", Behaviour::new());
    let output = run(&home, &["-v"], 0);
    assert_said(
        &output,
        &[
            "1 new message",
            "1 deleted by rules",
            "1 skipped (filter command `sh`)",
        ],
    );
    let wire = [
        "TOP 1 0", "TOP 2 0", "TOP 3 0", "TOP 2 0", "TOP 1 0", "NOOP", "RETR 3", "DELE 2",
    ];
    assert_eq!(work(&server.last_session()), wire);
    assert_eq!(server.maildrop().unique_ids(), ["uid-1", "uid-3"]);
    tree::assert_holds(&home.maildir("a"), &three()[2..]);
    // Asked once about each.
    run(&home, &[], 0);
    assert!(work(&server.last_session()).is_empty());
}

#[test]
fn a_filter_gets_the_header_alone_and_decides_where_no_rule_does() {
    let rules = "from = \"*@shop.example\"; then = \"fetch\"";
    let (server, home) = ruled(three(), &filter(1, 1), rules, Behaviour::new());
    run(&home, &[], 0);
    assert_eq!(server.maildrop().unique_ids(), ["uid-2", "uid-3"]);
    let seen = std::fs::read_to_string(home.path().join("header")).unwrap();
    let letter = String::from_utf8(from("boss", 3).stored()).unwrap();
    let (header, _) = letter.split_once("\n\n").unwrap();
    assert_eq!(seen, format!("{header}\n\n"));
}

#[test]
fn a_filter_that_fails_or_has_not_read_the_header_deletes_nothing_and_that_is_said() {
    for script in [
        "cat; exit 75",
        "exit 1",
        "exit 2",
        "cat; kill -9 $$",
        "no-such-program-here",
    ] {
        let key = format!("filter-command = [\"sh\", \"-c\", \"{script}\"]\n");
        let (server, home) = ruled(three(), &key, "", Behaviour::new());
        let output = run(&home, &[], 0);
        assert_said(
            &output,
            &["3 new messages", "filter command has said nothing"],
        );
        assert_eq!(server.count("DELE"), 0, "{script}");
    }
}

#[test]
fn a_dry_run_asks_the_filter_and_keep_and_dry_runs_delete_nothing() {
    let (server, home) = ruled(three(), &filter(1, 2), "", Behaviour::new());
    let output = run(&home, &["fetch", "--dry-run", "--format", "json"], 0);
    for action in [
        "\"action\":\"delete\"",
        "\"action\":\"skip\"",
        "filter command",
    ] {
        assert!(output.stdout.contains(action), "{output:#?}");
    }
    run(&home, &["fetch", "--keep"], 0);
    assert_eq!(server.count("DELE"), 0);
    assert_eq!(server.maildrop().count(), 3);
}

#[test]
fn a_config_that_others_can_write_to_runs_no_filter() {
    use std::os::unix::fs::PermissionsExt;
    let (_server, home) = ruled(three(), &filter(0, 0), "", Behaviour::new());
    let mode = std::fs::Permissions::from_mode(0o660);
    std::fs::set_permissions(home.config_file(), mode).unwrap();
    run(&home, &[], 78);
}

#[test]
fn what_a_filter_says_for_people_reaches_no_terminal_raw_and_with_quiet_none_where_it_works() {
    let says = |status: u8| {
        format!(
            "filter-command = [\"sh\", \"-c\", \"cat > /dev/null; printf '\\\\033]0;owned\\\\007 no list\\\\n' >&2; \
             exit {status}\"]\n"
        )
    };
    let (_server, home) = ruled(three(), &says(75), "", Behaviour::new());
    let output = run(&home, &[], 0);
    assert_said(
        &output,
        &["has said nothing about 3 messages", "it says:", "no list"],
    );
    assert!(!output.stderr.contains('\u{1b}'), "{output:#?}");
    let (_server, home) = ruled(three(), &says(0), "", Behaviour::new());
    let output = run(&home, &["-q"], 0);
    assert!(!output.stderr.contains("no list"), "{output:#?}");
}

#[test]
fn a_filter_that_opens_its_standard_input_by_its_name_reads_the_header() {
    let script = "grep -q @shop.example /dev/stdin && exit 2; exit 0";
    let key = format!("filter-command = [\"sh\", \"-c\", \"{script}\"]\n");
    let (_server, home) = ruled(three(), &key, "", Behaviour::new());
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &[from("lists", 1), from("boss", 3)]);
}

#[test]
fn what_a_filter_says_nothing_about_is_fetched_only_where_it_is_not_too_large() {
    let big = from("boss", 9000);
    let failing = "filter-command = [\"sh\", \"-c\", \"cat > /dev/null; exit 3\"]\n";
    let keys = format!("{failing}max-size = \"5 kB\"\n");
    let mixed = [three(), vec![big.clone()]].concat();
    for (messages, said) in [
        (
            three(),
            "has said nothing about 3 messages, fetched therefore: ",
        ),
        (
            mixed,
            "has said nothing about 4 messages, of which 3 are fetched and 1 stays on the server \
             (`max-size`): ",
        ),
        (
            vec![big],
            "has said nothing about 1 message, which stays on the server (`max-size`): ",
        ),
    ] {
        let (_server, home) = ruled(messages, &keys, "", Behaviour::new());
        let output = run(&home, &["-q"], 0);
        assert_said(&output, &[said, "exit status: 3"]);
    }
}
