use super::{from, ruled, set_rules, three, work};
use crate::given::{assert_said, run};
use crate::support::behaviour::Behaviour;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::tree;
use serde_json::Value;

const RULES: &str = "from = \"*@lists.example\"; then = { folder = \".Lists\" }\n\
                     from = { contains = \"@shop\" }; then = \"skip\"\n\
                     size = \">1 MB\"; then = \"delete\"";

#[test]
fn a_dry_run_says_which_rule_decides_about_each_message_and_leaves_no_trace() {
    let (server, home) = ruled(three(), "", RULES, Behaviour::new());
    let output = run(&home, &["fetch", "--dry-run", "--format", "json"], 0);
    let lines = output
        .stdout
        .lines()
        .map(|it| serde_json::from_str(it).unwrap());
    let plans: Vec<Value> = lines.filter(|it: &Value| it["event"] == "plan").collect();
    let said: Vec<_> = plans
        .iter()
        .map(|it| {
            (
                it["action"].as_str().unwrap(),
                it["reason"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("fetch", "rule 1 (from = \"*@lists.example\"), into .Lists"),
            ("skip", "rule 2 (from contains \"@shop\")"),
            ("fetch", "not fetched before"),
        ]
    );
    let shown = run(&home, &["fetch", "--dry-run"], 0).stdout;
    assert!(
        shown.contains("rule 1") && shown.contains("rule 2"),
        "{shown}"
    );
    // Before the subject: behind it, it would be cut at 80 columns.
    assert!(shown.contains("[.Lists: rule 1"), "{shown}");
    assert!(!home.maildir("a").exists() && !home.state().exists());
    assert_eq!(server.count("RETR") + server.count("DELE"), 0);
}

#[test]
fn an_account_shows_its_rules_to_people_and_programs() {
    let (_server, home) = ruled(three(), "", RULES, Behaviour::new());
    let shown = run(&home, &["account", "show", "a"], 0).stdout;
    assert!(
        shown.contains("2. from contains \"@shop\": skip"),
        "{shown}"
    );
    let json = run(&home, &["account", "show", "a", "--format", "json"], 0).stdout;
    let object: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    let rules = &object["rules"];
    assert_eq!(rules[0]["then"], "folder");
    assert_eq!(rules[0]["folder"], ".Lists");
    assert_eq!(rules[2]["when"], "size > 1 MB");
}

#[test]
fn rules_of_the_defaults_hold_for_accounts_that_have_none() {
    let (server, home) = ruled(three(), "", "", Behaviour::new());
    let defaults = "\n[[defaults.rules]]\nfrom = \"*@shop.example\"\nthen = \"skip\"\n";
    home.one_account(&server.account(), defaults);
    assert_said(&run(&home, &[], 0), &["2 new messages", "1 skipped"]);
    let own = format!("[[accounts.a.rules]]\nsize = \">1 GB\"\nthen = \"skip\"\n{defaults}");
    home.one_account(&server.account(), &own);
    assert_said(&run(&home, &[], 0), &["1 new message"]);
}

#[test]
fn what_is_wrong_with_a_rule_is_shown_where_it_stands_and_nothing_is_asked() {
    for (rules, said) in [
        ("then = \"delete\"", &["would delete all mail"][..]),
        (
            "from = \"*@a\"",
            &["needs to say what is done", "then = \"skip\""],
        ),
        (
            "form = \"*@a\"; then = \"skip\"",
            &["no key `form`", "did you mean `from`?"],
        ),
        (
            "from = \"*@a\"; then = \"delet\"",
            &["`delet` is not known", "did you mean `delete`?"],
        ),
        (
            "from = \"*@a\"; then = \"drop\"",
            &["`drop` is not known", "{ folder = \".Lists\" }"],
        ),
        (
            "from = { regex = \"a(b\" }; then = \"skip\"",
            &["no regular expression", "regex = "],
        ),
        (
            "from = { regex = \"(a{1000}){1000}\" }; then = \"skip\"",
            &["stands for too much", "256 KiB"],
        ),
        (
            &format!(
                "from = {{ contains = \"{}\" }}; then = \"skip\"",
                "a".repeat(1001)
            ),
            &["longer than 1000 bytes"],
        ),
        (
            &format!(
                "from = {{ regex = \"{}a{}\" }}; then = \"skip\"",
                "(".repeat(40),
                ")".repeat(40)
            ),
            &["no regular expression", "nest", "30"],
        ),
        (
            "size = \"25 MB\"; then = \"skip\"",
            &["`size` is written as in"],
        ),
        (
            "age = \">3 months\"; then = \"skip\"",
            &["`age` is written as in", "months"],
        ),
        (
            "size = [\">2 MB\", \"<1 MB\"]; then = \"skip\"",
            &["no message has such a size"],
        ),
        (
            "header = { nam = \"X\" }; then = \"skip\"",
            &["`header` is a table"],
        ),
        (
            "from = \"*@a\"; then = { folder = \"Lists\" }",
            &["begins with a dot"],
        ),
        (
            "size = \">1 MB\"; then = \"skip\"\nsize = \">2 MB\"; then = \"delete\"",
            &["never decides", "rule 1"],
        ),
    ] {
        let (server, home) = ruled(three(), "", rules, Behaviour::new());
        let output = run(&home, &[], 78);
        assert_said(&output, said);
        // The place: a line with its number, and marks below it.
        assert_said(&output, &["config.toml:", "^"]);
        assert!(server.sessions().is_empty(), "{rules}");
    }
}

/// The engine takes time in proportion to the text; the test would not end with another.
#[test]
fn a_header_and_a_regular_expression_that_were_made_for_one_another_hold_up_nothing() {
    let subject = format!("{}!", "a".repeat(60_000));
    let text = format!(
        "From: x@y.example\nDate: Mon, 23 Nov 2026 10:00:00 +0000\nSubject: {subject}\n\ntext\n"
    );
    let long = Message::from_lf("long", text);
    let slow = [
        "(a|aa)+$b",
        "(a*)*b",
        "(.*)(.*)(.*)(.*)x",
        "(?:a?){30}a{30}b",
    ];
    let rule = |slow: &&str| format!("subject = {{ regex = {slow:?} }}; then = \"skip\"");
    let rules: Vec<String> = slow.iter().map(rule).collect();
    let (server, home) = ruled(vec![long.clone()], "", &rules.join("\n"), Behaviour::new());
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &[long]);
    assert_eq!(server.count("TOP"), 1);
}

#[test]
fn rules_that_say_the_contrary_of_one_another_are_decided_by_the_first() {
    let rules = "from = \"*@shop.example\"; then = \"fetch\"\n\
                 from = { contains = \"shop\" }; then = \"delete\"\n\
                 from = { regex = \"lists\" }; then = \"skip\"\n\
                 from = \"*@lists.example\"; then = { folder = \".Lists\" }";
    let (server, home) = ruled(three(), "", rules, Behaviour::new());
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &three()[1..]);
    assert_eq!(server.maildrop().count(), 3);
    assert_eq!(tree::count(&home.maildir("a").join(".Lists")), 0);
}

#[test]
fn rules_in_single_brackets_are_told_to_be_written_in_double_ones() {
    let (server, home) = ruled(three(), "", "", Behaviour::new());
    for key in ["accounts.a", "defaults"] {
        let rules = format!("\n[{key}.rules]\nfrom = \"*@a\"\nthen = \"skip\"\n");
        home.one_account(&server.account(), &rules);
        let output = run(&home, &[], 78);
        assert_said(&output, &[&format!("[[{key}.rules]]"), "config.toml:"]);
        assert!(!output.stderr.contains("\"two\""), "{output:#?}");
    }
}

#[test]
fn a_dry_run_names_the_folder_where_it_has_the_header_and_says_so_where_it_has_not() {
    let rules = "from = \"*@lists.example\"; then = { folder = \".Lists\" }";
    let (_server, home) = ruled(three(), "", rules, Behaviour::new());
    let shown = run(&home, &["fetch", "--dry-run"], 0);
    assert!(shown.stdout.contains("[.Lists: rule 1"), "{shown:#?}");
    assert_eq!(shown.stdout.matches("rule 1").count(), 1, "{shown:#?}");
    assert!(!shown.stderr.contains("once it is here"), "{shown:#?}");
    // Programs are given no headings, and no header is asked for.
    let lines = run(&home, &["fetch", "--dry-run", "--format", "json"], 0);
    assert_said(
        &lines,
        &["the folder of each of 3 messages only once it is here"],
    );
    let many: Vec<_> = (1..=101).map(|n| from("lists", n)).collect();
    let (_server, home) = ruled(many, "", rules, Behaviour::new());
    let shown = run(&home, &["fetch", "--dry-run"], 0);
    assert_said(&shown, &["the folder of 1 message only once it is here"]);
}

/// `popfetch check -q work && popfetch fetch work` would fetch nothing each time, for what a rule has left
/// once. What no fetch has met yet waits, as its header has not been asked for.
#[test]
fn what_rules_have_left_once_is_not_new_to_check() {
    let rules = "size = \">5 kB\"; then = \"skip\"\nfrom = \"*@shop.example\"; then = \"skip\"";
    let (server, home) = ruled(three(), "", rules, Behaviour::new());
    let new = |home: &Home| {
        let shown = run(home, &["check", "--format", "json"], 0).stdout;
        let lines = shown.lines().map(|it| serde_json::from_str(it).unwrap());
        let accounts: Vec<serde_json::Value> = lines.collect();
        let of_a = accounts.iter().find(|it| it["account"] == "a").unwrap();
        of_a["new"].as_u64().unwrap()
    };
    assert_eq!(new(&home), 3);
    run(&home, &[], 0);
    assert_eq!(server.maildrop().count(), 3);
    assert_eq!(new(&home), 0);
    run(&home, &["check", "-q"], 1);
    assert!(
        !run(&home, &["check", "--headers"], 0)
            .stdout
            .contains("Letter 2")
    );
    // By its size it is left as well, and nobody has to ask for its header.
    server
        .maildrop()
        .add([Message::generated("large", 9000, 1)]);
    run(&home, &["check", "-q"], 1);
    assert!(work(&server.last_session()).is_empty());
    server.maildrop().add([from("shop", 4)]);
    run(&home, &["check", "-q"], 0);
    run(&home, &[], 0);
    run(&home, &["check", "-q"], 1);
    let tested = run(&home, &["account", "test"], 0).stdout;
    assert!(
        !tested.contains("1 new") && !tested.contains("2 new"),
        "{tested}"
    );
    // Other rules ask something else of it, so that it may come.
    set_rules(
        &server,
        &home,
        "",
        "from = \"*@nobody.example\"; then = \"skip\"",
    );
    run(&home, &["check", "-q"], 0);
    run(&home, &[], 0);
    assert_eq!(tree::count(&home.maildir("a")), 5);
}
