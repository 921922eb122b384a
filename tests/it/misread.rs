//! What people took for something else: a word too short to be true, a value that meant another thing,
//! a mistake that was passed over in silence.

use crate::given::{assert_said, letter, mail, run, server};
use crate::rules::{ruled, set_rules, three};
use crate::support::behaviour::Behaviour;
use crate::support::message::Message;
use crate::support::run::{Home, Output};
use crate::support::server::Server;
use crate::support::tree;
use std::fs;

/// What is shown as JSON, of the events of this name.
fn events(output: &Output, name: &str) -> Vec<serde_json::Value> {
    let lines = output.stdout.lines();
    let events = lines.map(|it| serde_json::from_str::<serde_json::Value>(it).unwrap());
    events.filter(|it| it["event"] == name).collect()
}

#[track_caller]
fn refused(home: &Home, arguments: &[&str], status: i32, words: &[&str]) {
    let output = run(home, arguments, status);
    let said = output
        .stderr
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    for word in words {
        assert!(said.contains(word), "no {word:?} in {output:#?}");
    }
}

#[test]
fn a_dry_run_tells_the_deletion_of_what_it_would_fetch() {
    let (server, home) = server(3);
    for (arguments, deleted) in [
        (&["fetch", "-n", "--delete"][..], 3),
        (&["fetch", "-n"], 0),
        (&["fetch", "-n", "--delete-after", "1h"], 0),
    ] {
        let output = run(&home, arguments, 0);
        assert_said(&output, &["a: would fetch 3"]);
        assert_eq!(
            output.stderr.contains("delete 3"),
            deleted == 3,
            "{output:#?}"
        );
        let json = run(&home, &[&["--format", "json"], arguments].concat(), 0);
        let plans = events(&json, "plan");
        assert!(plans.iter().all(|it| it["action"] == "fetch"), "{json:#?}");
        let marked = plans.iter().filter(|it| it["delete"] == true);
        assert_eq!(marked.count(), deleted, "{json:#?}");
        assert_eq!(events(&json, "account")[0]["delete"], deleted);
        assert_eq!(events(&json, "summary")[0]["delete"], deleted);
    }
    run(&home, &["fetch"], 0);
    server.maildrop().add([letter(9)]);
    let output = run(&home, &["fetch", "-n", "--delete"], 0);
    assert_said(&output, &["would fetch 1 ", ", delete 4"]);
    let output = run(&home, &["fetch", "--delete"], 0);
    assert_said(&output, &["1 new message", "4 deleted"]);
}

#[test]
fn a_dry_run_s_deletions_are_those_that_rules_leave_to_it() {
    let rules =
        "from = \"*@shop.example\"; then = \"skip\"\nfrom = \"*@lists.example\"; then = \"delete\"";
    let (server, home) = ruled(three(), "keep = \"never\"\n", rules, Behaviour::new());
    let told = run(&home, &["fetch", "-n"], 0);
    assert_said(&told, &["would fetch 1 ", ", delete 2, skip 1"]);
    set_rules(&server, &home, "", rules);
    let told = run(&home, &["fetch", "-n"], 0);
    assert_said(&told, &["would fetch 1 ", ", delete 1, skip 1"]);
}

/// As in the fetch: all that bear one unique-id are deleted, or none is.
#[test]
fn a_dry_run_spares_those_that_share_their_unique_id_with_one_that_stays() {
    let [one, other] = [letter(1), letter(400)].map(|it| Message::new("same", it.octets()));
    let messages = vec![one, other, letter(2), letter(3)];
    let (server, home) = crate::given::serving(messages, Behaviour::new());
    let most = ["fetch", "--delete", "--max-size", "500B"];
    let told = run(&home, &[&most[..], &["-n"]].concat(), 0);
    let done = run(&home, &most, 0);
    assert_eq!(server.maildrop().count(), 2, "{done:#?}");
    assert_said(&told, &["would fetch 3 ", ", delete 2, skip 1"]);
}

#[test]
fn the_place_that_messages_pass_through_is_not_called_the_maildir() {
    let (server, home) = server(2);
    let account = server.account();
    let keeping = home.account_config("a", &account);
    let maildir = format!("maildir = {:?}\n", home.maildir("a"));
    assert!(keeping.contains(&maildir));
    let mbox = format!("deliver = {{ mbox = {:?} }}\n", home.path().join("in"));
    home.config(&(keeping.replace(&maildir, "") + &mbox));
    run(&home, &["fetch"], 0);
    home.config(&(keeping.clone() + &mbox));
    let output = run(&home, &["fetch"], 0);
    assert!(!output.stderr.contains("spool"), "{output:#?}");
    assert_said(&output, &["was to be handed on, and is not in the Maildir"]);
    let output = run(&home, &["fetch"], 0);
    assert!(!output.stderr.contains("handed on, and"), "{output:#?}");
    // From a Maildir the mail does stay where it is.
    home.config(&(keeping.replace(&maildir, "") + &mbox));
    run(&home, &["fetch"], 0);
    let other = maildir.replace("/a\"", "/b\"");
    home.config(&keeping.replace(&maildir, &other));
    let output = run(&home, &["fetch"], 0);
    assert!(!output.stderr.contains("spool"), "{output:#?}");
}

#[test]
fn a_size_without_a_unit_is_refused_wherever_it_is_written() {
    let (server, home) = server(2);
    refused(
        &home,
        &["fetch", "--max-size", "25"],
        64,
        &["--max-size", "needs a unit", "\"25 MB\""],
    );
    refused(
        &home,
        &["fetch", "--max-size", "0"],
        64,
        &["more than zero"],
    );
    for keys in [
        "max-size = \"25\"",
        "max-size = 26214400",
        "[[accounts.a.rules]]\nsize = \">25\"\nthen = \"skip\"",
    ] {
        home.one_account(&server.account(), keys);
        for arguments in [&["-q"][..], &["check"], &["-n"]] {
            refused(&home, arguments, 78, &["a size needs a unit", "\"25 MB\""]);
        }
    }
    assert_eq!(server.maildrop().count(), 2);
    run(&home, &["fetch", "--help"], 0);
}

#[test]
fn what_max_size_leaves_is_not_new_to_check_and_is_told() {
    let (server, home) = server(2);
    server
        .maildrop()
        .add([Message::generated("large", 9000, 1)]);
    home.one_account(&server.account(), "max-size = \"5 kB\"");
    let told = run(&home, &["check", "--headers"], 0);
    assert_said(&told, &["a: 1 message is larger than `max-size`"]);
    let json = run(&home, &["check", "--format", "json"], 0);
    assert_eq!(events(&json, "account")[0]["new"], 2);
    assert_eq!(events(&json, "account")[0]["messages"], 3);
    run(&home, &["check", "-q"], 0);
    run(&home, &["fetch"], 0);
    // Else `popfetch check -q && popfetch fetch` would fetch nothing each time.
    run(&home, &["check", "-q"], 1);
    let test = run(&home, &["account", "test"], 0);
    assert!(
        test.stdout.contains("3 messages") && test.stdout.contains(", 0 new"),
        "{test:#?}"
    );
    home.one_account(&server.account(), "");
    run(&home, &["check", "-q"], 0);
}

#[test]
fn quotes_that_a_word_processor_has_bent_and_names_that_need_some_are_told_so() {
    let (server, home) = server(1);
    let config = home.account_config("a", &server.account());
    home.config(&config.replace("user = \"", "user = \u{201c}"));
    refused(
        &home,
        &["fetch"],
        78,
        &["straight quotes", "write \" in the place of"],
    );
    home.config(&(config.clone() + "keep = \u{201c}never\u{201d}\n"));
    refused(&home, &["fetch"], 78, &["straight quotes"]);
    home.config(&config.replace("[accounts.a]", "[accounts.my mail]"));
    refused(&home, &["fetch"], 78, &["[accounts.\"my mail\"]"]);
    home.config(&config.replace("[accounts.a]", "[accounts.\"my mail\"]"));
    run(&home, &["fetch"], 0);
}

#[test]
fn options_that_take_a_value_or_take_none_say_what_to_write() {
    let (_server, home) = server(1);
    let keep = ["takes no value", "--delete-after 14d", "keep = \"always\""];
    for words in [
        &["--keep", "never"][..],
        &["--keep=never"],
        &["fetch", "--keep", "14d"],
        &["fetch", "--delete", "always"],
    ] {
        refused(&home, words, 64, &keep);
    }
    refused(
        &home,
        &["fetch", "a", "--maildir"],
        64,
        &["`--maildir` needs a value", "~/Mail/work"],
    );
    refused(
        &home,
        &["fetch", "--latest"],
        64,
        &["`--latest` needs a value", "--latest N"],
    );
    let url = ["popfetch 'pops://USER@pop.example.org' --maildir DIR"; 1];
    let url = url.map(|it| it.replace('\'', ""));
    let url: Vec<&str> = url.iter().map(String::as_str).collect();
    refused(&home, &["pop.example.org", "--maildir"], 64, &url);
    refused(&home, &["pop.example.org", "--maildir", "x"], 64, &url);
    // An account may be called so.
    let config = fs::read_to_string(home.config_file()).unwrap();
    home.config(&config.replace("[accounts.a]", "[accounts.never]"));
    run(&home, &["--keep", "never"], 0);
}

#[test]
fn a_folder_to_deliver_to_is_one_and_no_pattern() {
    let (server, home) = server(1);
    let taker = "[accounts.b]\nprotocol = \"imap\"\nhost = \"imap.example.org\"\nuser = \"b\"\n";
    for (folder, meant) in [("Old/*", "\"Old\""), ("*", "\"INBOX\"")] {
        let keys = format!("deliver = {{ account = \"b\", folder = \"{folder}\" }}\n");
        home.config(&(home.account_config("a", &server.account()) + &keys + taker));
        refused(
            &home,
            &["fetch", "a"],
            78,
            &["`folder` is the name of one folder", meant],
        );
    }
    assert_eq!(tree::count(&home.maildir("a")), 0);
}

#[test]
fn a_program_that_is_not_there_is_told_by_a_dry_run_and_by_account_test() {
    let server = Server::start(&crate::support::maildrop::Maildrop::new(mail(1)));
    let home = Home::new();
    home.one_account(&server.account(), "on-new = [\"notmch\", \"new\"]\n");
    refused(
        &home,
        &["fetch", "-n"],
        0,
        &["a: `on-new`: cannot start `notmch`", "not installed"],
    );
    let test = run(&home, &["account", "test"], 0);
    assert!(test.stdout.contains("warn  on-new"), "{test:#?}");
    let json = run(&home, &["account", "test", "--format", "json"], 0);
    let found = events(&json, "check");
    let found = found.iter().find(|it| it["check"] == "on-new").unwrap();
    assert_eq!(
        (&found["verdict"], found["path"].is_null()),
        (&"warn".into(), true)
    );
    home.one_account(&server.account(), "on-new = [\"true\"]\n");
    let test = run(&home, &["account", "test"], 0);
    assert!(test.stdout.contains("ok    on-new"), "{test:#?}");
    home.one_account(&server.account(), "deliver = { command = [\"procmai\"] }\n");
    refused(
        &home,
        &["fetch", "-n"],
        0,
        &["a: `deliver`: cannot start `procmai`"],
    );
    home.one_account(&server.account(), "filter-command = [\"spamcheck\"]\n");
    for arguments in [&["fetch", "-n"][..], &["check"]] {
        let said = [
            "a: `filter-command`: cannot start `spamcheck`",
            "not installed",
            "fetched as without it",
        ];
        refused(&home, arguments, 0, &said);
    }
    let quiet = run(&home, &["check", "-q"], 0);
    assert_eq!(quiet.stderr, "");
    let test = run(&home, &["account", "test"], 0);
    assert!(test.stdout.contains("warn  filter-command"), "{test:#?}");
    home.one_account(&server.account(), "deliver = { command = [\"procmai\"] }\n");
    refused(
        &home,
        &["check"],
        0,
        &["a: `deliver`: cannot start `procmai`"],
    );
    home.one_account(
        &server.account(),
        "deliver = { command = [\"cat\"] }\nfilter-command = [\"true\"]\n",
    );
    let test = run(&home, &["account", "test"], 0);
    assert!(test.stdout.contains("ok    filter-command"), "{test:#?}");
    let output = run(&home, &["fetch", "-n"], 0);
    assert!(!output.stderr.contains("cannot start"), "{output:#?}");
}

#[test]
fn a_dry_run_counts_what_waits_to_be_handed_on_and_what_is_deleted_for_it() {
    let server = Server::start(&crate::support::maildrop::Maildrop::new(mail(3)));
    let home = Home::new();
    let handing = |command: &str, keep: &str| {
        let deliver = format!("deliver = {{ command = {command} }}\nkeep = {keep}\n");
        home.one_account(&server.account(), &deliver);
    };
    // What is not there takes nothing, and so nothing is deleted.
    handing("[\"procmai\"]", "\"never\"");
    let output = run(&home, &["fetch", "-n"], 0);
    assert_said(&output, &["a: `deliver`: cannot start `procmai`"]);
    assert!(
        output.stderr.ends_with("KB)\n") || output.stderr.ends_with(" B)\n"),
        "{output:#?}"
    );
    handing("[\"false\"]", "\"never\"");
    let output = run(&home, &["fetch", "-n"], 0);
    assert_said(&output, &["hand on 3, delete 3"]);
    run(&home, &["fetch"], 1);
    handing("[\"cat\"]", "\"always\"");
    let output = run(&home, &["fetch", "-n", "--now"], 0);
    assert_eq!(output.stderr, "a: would fetch nothing, hand on 3\n");
    handing("[\"cat\"]", "\"never\"");
    let output = run(&home, &["fetch", "-n", "--now"], 0);
    assert_eq!(
        output.stderr,
        "a: would fetch nothing, hand on 3, delete 3\n"
    );
    let json = run(&home, &["fetch", "-n", "--now", "--format", "json"], 0);
    assert_eq!(events(&json, "account")[0]["hand_on"], 3);
    let output = run(&home, &["fetch", "--now"], 0);
    assert_eq!(output.stderr, "a: nothing new, 3 handed on, 3 deleted\n");
    assert_eq!(server.maildrop().count(), 0);
}

#[test]
fn a_dry_run_names_the_number_that_latest_has() {
    let (_server, home) = server(3);
    let output = run(&home, &["fetch", "-n", "--latest", "1"], 0);
    assert!(
        output.stdout.contains("not one of the newest 1"),
        "{output:#?}"
    );
}

/// A text of many words as one line.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_maildir_that_is_not_there_is_told_by_what_was_fetched_and_folders_by_their_names() {
    let (_server, home) = server(1);
    refused(
        &home,
        &["list"],
        73,
        &["nothing was fetched into it yet: popfetch fetch a"],
    );
    run(&home, &["fetch"], 0);
    let none = "it has no folders beside the inbox";
    refused(&home, &["list", "--folder", "Lists"], 1, &[none]);
    for folder in ["Lists", "Work"] {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(home.maildir("a").join(format!(".{folder}")).join(part)).unwrap();
        }
    }
    refused(
        &home,
        &["list", "--folder", "Zzz"],
        1,
        &["it has these: Lists, Work"],
    );
    fs::remove_dir_all(home.maildir("a")).unwrap();
    refused(
        &home,
        &["list"],
        73,
        &["mail was fetched before", "popfetch fetch a makes it"],
    );
    let lost = ["state", "accept", "a", "--lost-maildir"];
    refused(&home, &lost, 64, &["--fetch-again", "--leave"]);
}

#[test]
fn a_password_that_is_none_is_told_with_the_place_that_it_was_read_from() {
    let (server, home) = server(1);
    let config = home.account_config("a", &server.account());
    let file = home.private_file("a.password", "");
    home.config(&config);
    let place = format!("the password is empty (from {})", file.display());
    refused(&home, &["fetch"], 77, &[&place]);
    home.private_file("a.password", "a\0b\n");
    refused(&home, &["fetch"], 77, &["NUL in it (from ", "a.password)"]);
    let key = format!("password-file = {:?}", file.to_str().unwrap());
    home.config(&config.replace(&key, "password-command = [\"true\"]"));
    refused(
        &home,
        &["fetch"],
        77,
        &["(from `true`, the `password-command`)"],
    );
}

#[test]
fn the_words_of_toml_are_those_of_the_manual_and_an_old_tls_is_called_so() {
    let (server, home) = server(1);
    for (key, words) in [
        ("tls-min-version = \"1.1\"", "TLS 1.0 and 1.1 are not safe"),
        ("tls-min-version = 1.2", "expected a text in quotes"),
        ("keep = never", "a text stands in quotes: keep = \"...\""),
        ("keep = \"never", "invalid text"),
    ] {
        home.one_account(&server.account(), &format!("{key}\n"));
        let output = run(&home, &["fetch"], 78);
        let said = flat(&output.stderr);
        assert!(
            said.contains(words) && !said.contains("string"),
            "{output:#?}"
        );
    }
}

#[test]
fn accounts_that_are_not_written_as_one_are_told_once_and_how_to_write_them() {
    let home = Home::new();
    let keys = "host = \"pop.example.com\"\nuser = \"ada\"\npassword-netrc = true\n";
    let of_another = "[[accounts.work.rules]]\nsize = \"> 25 MB\"\nthen = \"skip\"\n";
    for (config, wanted) in [
        (
            format!("[accounts]\n{keys}"),
            "error: the keys of an account stand below a heading with its name, as in [accounts.home]",
        ),
        (
            format!("[[accounts.a]]\n{keys}"),
            "error: account `a`: an account has a heading in single brackets --> config.toml:1:12 | \
             1 | [[accounts.a]] | ^ | hint: write [accounts.a]",
        ),
        (
            "[accounts]\n\"a b\" = 1\n".to_owned(),
            "error: account `a b`: an account has a heading of its own, with its keys below",
        ),
        (
            format!("[accounts.a]\n{keys}{of_another}"),
            "hint: if this is `a`'s, write `a` in the place of `work`; if it is an account, put \
             [accounts.work] above this, with `host` and `user`",
        ),
    ] {
        home.config(&config);
        let output = run(&home, &["account", "list"], 78);
        let path = home.config_file().display().to_string();
        let shown = flat(&output.stderr.replace(&path, "config.toml"));
        let bare = |text: &str| text.replace(" |", "");
        assert!(bare(&shown).contains(&bare(wanted)), "{output:#?}");
        assert_eq!(shown.matches("error:").count(), 1, "{output:#?}");
        assert!(!shown.contains("add a line to it"), "{output:#?}");
    }
}

#[test]
fn rules_below_a_name_that_no_account_has_keep_every_account_from_fetching_without_them() {
    let (server, home) = server(2);
    home.one_account(&server.account(), "keep = \"never\"");
    let config = fs::read_to_string(home.config_file()).unwrap();
    let stray = "\n[[accounts.work.rules]]\nsubject = \"*\"\nthen = \"skip\"\n";
    home.config(&format!("{config}{stray}"));
    for arguments in [&["fetch"][..], &["fetch", "a"], &["fetch", "-n"]] {
        let words = [
            "there is no account `work`",
            "write `a` in the place of `work`",
        ];
        refused(&home, arguments, 78, &words);
    }
    assert_eq!((server.sessions().len(), server.maildrop().count()), (0, 2));
    home.config(&format!("{config}{}", stray.replace("work", "a")));
    run(&home, &["fetch"], 0);
    assert_eq!(server.maildrop().count(), 2);
}

#[test]
fn the_status_of_a_watch_without_a_config_says_so() {
    let home = Home::new();
    let output = run(&home, &["watch", "--status"], 1);
    let said = flat(&output.stdout);
    assert!(
        said.contains("does not exist") && said.contains("popfetch setup"),
        "{output:#?}"
    );
}

#[test]
fn a_dry_run_after_the_state_was_moved_says_that_mail_is_known_by_its_content() {
    let (former, home) = server(3);
    run(&home, &["fetch"], 0);
    let renamed = former.maildrop().messages();
    let renamed = renamed
        .iter()
        .enumerate()
        .map(|(n, it)| Message::new(format!("other-{n}"), it.octets()));
    let latter = Server::start(&crate::support::maildrop::Maildrop::new(renamed));
    home.one_account(&latter.account(), "");
    run(
        &home,
        &["state", "move", &crate::given::id_of(&former), "a"],
        0,
    );
    refused(
        &home,
        &["fetch", "-n"],
        0,
        &[
            "would fetch 3",
            "3 are stored",
            "is not stored a second time",
        ],
    );
    refused(&home, &["fetch"], 0, &["nothing new, 3 here already"]);
    let output = run(&home, &["fetch", "-n"], 0);
    assert!(!output.stderr.contains("a second time"), "{output:#?}");
}

#[test]
fn words_that_are_nearly_those_of_the_command_line_are_told() {
    let home = Home::new();
    let _missing = std::fs::remove_file(home.config_file());
    for (line, told) in [
        (&["-dry-run"][..], "did you mean `--dry-run`?"),
        (&["fetch", "-max-time=3"], "did you mean `--max-time`?"),
        (&["fetch", "--jobs", "x"], "it is a number from 1 to 64"),
        (&["fetch", "--jobs", "0"], "it is a number from 1 to 64"),
        (
            &[
                "pops://ada@pop.example.org",
                "--keep",
                "never",
                "--maildir",
                "m",
            ],
            "`--keep` takes no value",
        ),
        (&["state", "mark-seen", "--all"], "name the accounts"),
    ] {
        let output = home.popfetch(line).expect(64);
        assert!(output.stderr.contains(told), "{line:?}: {output:#?}");
    }
}
