//! What the config file may say.

use super::{TAKE, account, by_shell};
use crate::given::{assert_said, run};

#[test]
fn what_is_wrong_is_shown_where_it_stands() {
    for (keys, words) in [
        ("deliver = { }", "does not say what takes"),
        ("deliver = { command = [] }", "a command needs a program"),
        ("deliver = { command = [\"a\\u0000b\"] }", "NUL"),
        (
            "deliver = { command = [\"a\", \"{usr}\"] }",
            "did you mean `{user}`?",
        ),
        (
            "deliver = { command = [\"a\"], deadline = \"0 s\" }",
            "more than zero",
        ),
        ("deliver = { comand = [\"a\"] }", "command"),
    ] {
        let (server, home) = account(1, keys);
        let output = run(&home, &[], 78);
        assert_said(&output, &[words]);
        assert!(server.sessions().is_empty(), "{keys}");
    }
}

#[test]
fn an_account_shows_what_takes_its_mail_in_place_of_a_maildir() {
    let (_server, home) = account(
        1,
        "deliver = { command = [\"procmail\", \"-d\", \"{user}\"] }",
    );
    let shown = run(&home, &["account", "show", "a"], 0);
    let shown = shown.stdout;
    assert!(
        shown.contains("the program `procmail -d {user}`"),
        "{shown}"
    );
    assert!(!shown.contains("spool"), "{shown}");
    let json = run(&home, &["--format", "json", "account", "show", "a"], 0).stdout;
    assert!(
        json.contains("\"command\":[\"procmail\",\"-d\",\"{user}\"]"),
        "{json}"
    );
    assert!(json.contains("\"maildir\":null"), "{json}");
}

#[test]
fn the_doctor_says_where_the_program_is_and_that_there_is_none() {
    let (_server, home) = account(1, "deliver = { command = [\"sh\", \"-c\", \"exit 1\"] }");
    let tested = run(&home, &["account", "test"], 0);
    assert!(
        tested.stdout.contains("`sh` takes the mail: "),
        "{tested:#?}"
    );
    let (_server, home) = account(1, "deliver = { command = [\"no-such-program\"] }");
    let tested = run(&home, &["account", "test"], 78);
    assert!(
        tested.stdout.contains("cannot start `no-such-program`"),
        "{tested:#?}"
    );
}

#[test]
fn the_state_and_verify_say_what_was_handed_on_and_what_waits() {
    let script =
        format!("test $POPFETCH_UNIQUE_ID = uid-1 && {{ cat > /dev/null; exit 75; }}; {TAKE}");
    let (_server, home) = account(2, &by_shell(&script));
    run(&home, &[], 1);
    let shown = run(&home, &["state", "show", "a"], 0).stdout;
    assert!(shown.contains("to be handed on"), "{shown}");
    assert!(shown.contains("  handed on"), "{shown}");
    let verified = run(&home, &["--format", "json", "verify"], 0).stdout;
    assert!(verified.contains("\"handed_on\":1"), "{verified}");
    assert!(verified.contains("\"intact\":1"), "{verified}");
    assert!(verified.contains("\"removed\":0"), "{verified}");
}
