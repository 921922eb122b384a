use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use crate::given::{assert_said, run, server};
use crate::support::account::Account;
use crate::support::run::Home;
use crate::support::tree;

fn nowhere() -> Account {
    Account::of_ada(9, None)
}

#[test]
fn an_unknown_key_is_shown_with_its_place_and_the_nearest_known_one() {
    let home = Home::of(&nowhere(), "timout = \"5s\"\n");
    let output = run(&home, &[], 78);
    assert_said(&output, &["no key `timout`", "`timeout`", "config.toml:"]);
    assert!(output.stderr.contains('^'), "a caret: {output:#?}");
}

#[test]
fn a_misspelt_password_key_does_not_show_the_password() {
    let home = Home::new();
    home.config("[accounts.a]\nhost = \"h.example\"\nuser = \"ada\"\npasword = \"tr0ub4dor\"\n");
    let output = run(&home, &[], 78);
    assert_said(&output, &["`pasword`", "`password`"]);
    assert!(!output.stderr.contains("tr0ub4dor"), "{output:#?}");
}

#[test]
fn a_value_of_the_wrong_type_is_said_in_plain_words() {
    let home = Home::new();
    home.config("[accounts.a]\nhost = \"h.example\"\nuser = \"ada\"\nport = \"995\"\n");
    let output = run(&home, &[], 78);
    assert_said(&output, &["a number from 1 to 65535", "port = \"995\""]);
    assert!(!output.stderr.contains("u16"), "{output:#?}");
}

#[test]
fn a_list_in_the_place_of_a_table_is_told_as_that() {
    for (text, wanted) in [
        (
            "deliver = \"procmail\"",
            "this is a text; expected a table, as in deliver = {",
        ),
        (
            "deliver = [\"procmail\"]",
            "this is a list; expected a table, as in deliver = {",
        ),
        (
            "deliver = [[\"procmail\"]]",
            "this is a list; expected a table, as in deliver = {",
        ),
        (
            "oauth = [\"google\"]",
            "this is a list; expected a table, as in oauth = {",
        ),
        (
            "rules = [[\"x\"]]",
            "this is a list; expected a table, as in [[accounts.NAME.rules]]",
        ),
        ("disabled = 1", "this is a number; expected true or false"),
    ] {
        let home = Home::new();
        home.config(&format!(
            "[accounts.a]\nhost = \"h.example\"\nuser = \"ada\"\n{text}\n"
        ));
        let output = run(&home, &[], 78);
        assert_said(&output, &[wanted]);
        for word in ["struct", "invalid type", "sequence"] {
            assert!(!output.stderr.contains(word), "{output:#?}");
        }
    }
    let home = Home::new();
    home.config("[[accounts]]\nhost = \"h.example\"\nuser = \"ada\"\n");
    let output = run(&home, &[], 78);
    assert_said(
        &output,
        &["expected tables, each below a line like [accounts.home]"],
    );
}

#[test]
fn a_key_that_is_there_twice_is_told_with_the_place_of_the_first() {
    let home = Home::new();
    home.config("[accounts.a]\nhost = \"h.example\"\nuser = \"ada\"\nhost = \"i.example\"\n");
    let output = run(&home, &[], 78);
    assert_said(&output, &["duplicate key: the first is in line 2"]);
}

#[test]
fn what_is_no_number_on_the_command_line_is_said_in_plain_words() {
    let home = Home::new();
    for arguments in [["list", "--limit", "x"], ["show", "--part", "x"]] {
        let output = run(&home, &arguments, 64);
        assert_said(&output, &["this is not a whole number such as 100"]);
    }
}

#[test]
fn a_missing_host_is_named_with_the_account_and_a_line_to_add() {
    let home = Home::new();
    home.config("[accounts.work]\nuser = \"ada\"\n");
    let output = run(&home, &[], 78);
    assert_said(&output, &["account `work` has no `host`", "host = "]);
}

#[test]
fn an_unknown_account_is_named_with_the_nearest_known_one() {
    let home = Home::new();
    home.config("[accounts.work]\nhost = \"h.example\"\nuser = \"ada\"\n");
    let output = run(&home, &["fetch", "wrok"], 78);
    assert_said(&output, &["no account `wrok`", "work"]);
}

#[test]
fn without_a_config_the_hint_shows_one() {
    let home = Home::new();
    let output = run(&home, &[], 78);
    assert_said(
        &output,
        &["config.toml", "[accounts.", "host = ", "user = "],
    );
}

#[test]
fn a_config_that_others_can_read_may_hold_no_password() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    home.config("[accounts.a]\nhost = \"h.example\"\nuser = \"ada\"\npassword = \"tr0ub4dor\"\n");
    fs::set_permissions(home.config_file(), fs::Permissions::from_mode(0o644)).unwrap();
    let output = run(&home, &[], 78);
    assert_said(&output, &["holds a password", "chmod 600"]);
    assert!(!output.stderr.contains("tr0ub4dor"), "{output:#?}");
}

#[test]
fn tls_none_needs_a_second_word() {
    let home = Home::new();
    home.config(
        "[accounts.a]\nhost = \"localhost\"\nuser = \"ada\"\npassword-file = \"x\"\ntls = \"none\"\n",
    );
    let output = run(&home, &[], 78);
    assert_said(&output, &["without TLS", "allow-insecure = true"]);
}

#[test]
fn f32_one_account_that_is_wrong_keeps_no_other_from_its_mail() {
    let (server, home) = server(2);
    let text = home.account_config("a", &server.account());
    home.config(&(text + "[accounts.b]\nuser = \"ada\"\n"));
    let output = run(&home, &[], 78);
    assert_said(&output, &["account `b` has no `host`", "a: 2 new messages"]);
    tree::assert_holds(&home.maildir("a"), &server.maildrop().messages());
}

/// A Maildir that cannot be used is found out before any password goes anywhere.
#[track_caller]
fn maildir_is_refused(prepare: impl FnOnce(&Home) -> String, status: i32, words: &[&str]) {
    let (server, home) = server(1);
    let maildir = prepare(&home);
    let text = home.account_config("a", &server.account());
    let own = format!("maildir = {:?}", home.maildir("a"));
    home.config(&text.replace(&own, &format!("maildir = {maildir:?}")));
    let output = run(&home, &[], status);
    assert_said(&output, &["error: a: ", "hint: "]);
    assert_said(&output, words);
    assert!(server.sessions().is_empty(), "{:#?}", server.sessions());
}

#[test]
fn a_file_in_the_maildirs_place_is_refused() {
    let prepare = |home: &Home| {
        let file = home.private_file("Mail/file", "not a directory");
        file.display().to_string()
    };
    maildir_is_refused(prepare, 78, &["Mail/file is not a Maildir"]);
}

#[test]
fn a_directory_of_other_things_is_refused() {
    let prepare = |home: &Home| {
        let file = home.private_file("Documents/thesis.txt", "dear reader");
        file.parent().unwrap().display().to_string()
    };
    maildir_is_refused(prepare, 78, &["Documents is not a Maildir"]);
}

#[test]
fn a_dangling_symlink_is_refused() {
    let prepare = |home: &Home| {
        let link = home.path().join("link");
        symlink("/nonexistent/disk", &link).unwrap();
        link.display().to_string()
    };
    maildir_is_refused(prepare, 73, &["link"]);
}

#[test]
fn a_place_where_nothing_can_be_created_is_refused() {
    // Not even root can make a directory in /proc.
    maildir_is_refused(|_| "/proc/mail".into(), 73, &["/proc/mail"]);
}

#[test]
fn a_maildir_that_has_gone_is_not_made_again() {
    let (server, home) = server(1);
    run(&home, &[], 0);
    fs::rename(home.maildir("a"), home.path().join("elsewhere")).unwrap();
    let output = run(&home, &[], 73);
    assert_said(
        &output,
        &[
            "is gone",
            "if its disk is not mounted",
            "popfetch state accept a",
        ],
    );
    assert!(!home.maildir("a").exists());
    assert_eq!(server.sessions().len(), 1);
}

#[test]
fn without_a_password_and_a_terminal_it_ends_at_once() {
    let (server, home) = server(1);
    let text = home.account_config("a", &server.account());
    let lines = text.lines().filter(|l| !l.starts_with("password-file"));
    let lines: Vec<_> = lines.collect();
    home.config(&(lines.join("\n") + "\n"));
    let run = home.popfetch(["fetch"]).limit(Duration::from_secs(10));
    let output = run.expect(77);
    assert_said(&output, &["error: a: ", "no terminal", "password-command"]);
    assert!(server.sessions().is_empty());
}

#[test]
fn words_of_other_tools_lead_to_ours() {
    let home = Home::new();
    for (line, wanted) in [
        ("server = \"h\"", "did you mean `host`?"),
        ("username = \"u\"", "did you mean `user`?"),
        (
            "ssl = true",
            "leave it out: TLS is on, on port 995, or 993 with protocol = \"imap\"",
        ),
        ("pass = \"x1y2\"", "did you mean `password`?"),
        ("passwordeval = \"x\"", "that is password-command = ["),
        ("delete = true", "that is keep = \"never\""),
        ("path = \"~/Mail\"", "did you mean `maildir`?"),
        ("tls = true", "TLS is on without this line"),
        ("tls = 1", "`tls` is \"implicit\""),
        ("tls = \"STARTTLS\"", "did you mean `starttls`?"),
        ("tls = \"SSL\"", "did you mean `implicit`?"),
        ("tls = \"wrong\"", "it can be: implicit, starttls, none"),
        ("keep = \"allways\"", "did you mean `always`?"),
        ("keep = \"Never\"", "did you mean `never`?"),
        ("max_size = \"1 MB\"", "did you mean `max-size`?"),
    ] {
        home.config(&format!(
            "[accounts.work]\nhost = \"h\"\nuser = \"u\"\n{line}\n"
        ));
        let output = run(&home, &[], 78);
        assert_said(&output, &["account `work`", wanted]);
        assert!(!output.stderr.contains("x1y2"), "{output:?}");
    }
    home.config("host = \"h\"\nuser = \"u\"\n");
    assert_said(
        &run(&home, &[], 78),
        &["put `host` below a line [accounts.NAME]"],
    );
}

#[test]
fn a_backslash_that_toml_does_not_take_is_told_with_both_ways_to_write_it() {
    let home = Home::new();
    for (line, is_shown) in [
        ("folders = [\"INBOX\", \"\\Sent\", \"\\Junk\"]", true),
        ("password = \"x1\\y2\"", false),
    ] {
        home.config(&format!(
            "[accounts.work]\nprotocol = \"imap\"\nhost = \"h\"\nuser = \"u\"\n{line}\n"
        ));
        let output = run(&home, &[], 78);
        assert_said(&output, &["backslash", "\"\\\\Sent\"", "'\\Sent'"]);
        assert!(!output.stderr.contains("expected"), "{output:#?}");
        assert_eq!(output.stderr.matches("error: ").count(), 1, "{output:#?}");
        assert_eq!(output.stderr.contains(line), is_shown, "{output:#?}");
    }
    home.config(
        "[accounts.work]\nprotocol = \"imap\"\nhost = \"h\"\nuser = \"u\"\nfolders = [\"\\trash\"]\n",
    );
    assert_said(&run(&home, &[], 78), &["written twice"]);
}

/// Each once, with line and column, and no more is said of an account than what could be read of it: `a`
/// has a host, though it is not in quotes, and so may `d`, whose heading is torn; `b` is whole.
#[test]
fn all_that_is_no_toml_is_told_in_one_run_and_what_is_whole_is_checked() {
    let home = Home::new();
    home.config(
        "[accounts.a]\nhost = pop.example.com\nuser: \"ada\"\n\
         password-command = [\"pass\", \"show\"\n\n\
         [accounts.b]\nhost = \"h\"\nuser = \"u\"\ntimout = \"5s\"\n\n\
         [accounts.c@example.com]\nuser = \"u\"\n[accounts.d\nuser = \"u\"\n",
    );
    let output = run(&home, &[], 78);
    let errors: Vec<_> = output.stderr.matches("error: ").collect();
    assert_eq!(errors.len(), 6, "{output:#?}");
    let places = ["2:8", "3:5", "4:35", "9:1", "11:12", "13:12"];
    let found = places.map(|place| output.stderr.find(&format!("config.toml:{place}\n")));
    assert!(found.iter().all(Option::is_some), "{found:?} {output:#?}");
    assert!(found.is_sorted(), "{found:?} {output:#?}");
    assert_said(&output, &["there is no key `timout`", "did you mean"]);
    assert_said(&output, &["`=` stands between a key and its value"]);
    assert!(!output.stderr.contains("has no `host`"), "{output:#?}");
}

/// What an account lacks may stand in a line, or below a heading, that cannot be read.
#[test]
fn nothing_is_said_to_be_lacking_that_may_stand_where_the_file_cannot_be_read() {
    let home = Home::new();
    let account = "[accounts.a]\nhost = \"h\"\nuser = \"u\"\ntls = \"none\"\n";
    for (defaults, is_whole) in [
        ("[defaults]\nallow-insecure = yes\n", false),
        ("[defaults\nallow-insecure = true\n", false),
        ("[accounts.b]\nhost = \"h\"\nuser = u\n", true),
    ] {
        home.config(&format!("{defaults}{account}"));
        let output = run(&home, &[], 78);
        let said = output.stderr.contains("without TLS");
        assert_eq!(said, is_whole, "{output:#?}");
        assert_eq!(
            output.stderr.matches("error: ").count(),
            1 + usize::from(said)
        );
    }
}

#[test]
fn of_a_text_that_is_no_toml_at_all_some_lines_are_told_and_the_rest_counted() {
    let home = Home::new();
    home.config(&"poll pop.example.com user ada\n".repeat(50));
    let output = run(&home, &[], 78);
    assert_eq!(output.stderr.matches("error: ").count(), 21, "{output:#?}");
    assert_said(&output, &["and 30 more places that are no TOML"]);
}

#[test]
fn all_that_is_wrong_in_an_account_is_told_in_one_run() {
    let home = Home::new();
    home.config("[accounts.work]\nserver = \"h\"\nuser = \"u\"\ntls = \"ssl\"\nport = \"995\"\n");
    let output = run(&home, &[], 78);
    let errors = output.stderr.matches("error: account `work`: ").count();
    assert_eq!(errors, 3, "{output:?}");
    assert_said(
        &output,
        &["`host`", "`implicit`", "a number from 1 to 65535"],
    );
}

/// Also what shows only once all keys are read, and in each account.
#[test]
fn what_makes_no_sense_in_several_accounts_is_told_in_one_run_in_the_order_of_the_file() {
    assert_titles(
        "[accounts.work]\nhost = \"pops://pop.example.com\"\nuser = \"\"\nport = 0\nmaildir = \"$HOME/Mail\"\n\
         on-new = [\"\"]\nfilter-command = [\"\"]\n\
         [accounts.club]\nuser = \"bob\"\nmaildir = \"~/{acount}\"\npassword-command = [\"\"]\n\
         [[accounts.club.rules]]\nfrom = \"a\"\n[[accounts.club.rules]]\nfrom = \"b\"\n",
        &[
            "account `work`: ... host",
            "account `work`: ... user",
            "account `work`: a port is a number",
            "account `work`: `$` stands for nothing",
            "account `work`: a command needs a program",
            "account `work`: a command is a program",
            "account `club` has no `host`",
            "account `club`: `{acount}` stands for nothing",
            "account `club`: a command needs a program",
            "account `club`: a rule needs to say",
            "account `club`: a rule needs to say",
        ],
    );
}

/// Config text, and each title of its errors in the order in which a fetch tells them.
#[track_caller]
fn titles(text: &str) -> Vec<String> {
    let home = Home::new();
    home.config(text);
    let output = run(&home, &["fetch"], 78);
    let errors = output.stderr.lines().filter_map(|line| {
        let title = line.strip_prefix("error: ")?;
        Some(title.to_owned())
    });
    errors.collect()
}

/// Each title begins or ends with the words in its place, and there is no other.
#[track_caller]
fn assert_titles(text: &str, wanted: &[&str]) {
    let told = titles(text);
    let fits = told.len() == wanted.len()
        && told
            .iter()
            .zip(wanted)
            .all(|(told, wanted)| wanted.split(" ... ").all(|part| told.contains(part)));
    assert!(fits, "{text}\n{told:#?}\n{wanted:#?}");
}

#[test]
fn a_value_of_the_wrong_type_hides_nothing_else_that_is_wrong_in_its_account() {
    assert_titles(
        "[accounts.work]\nport = \"995\"\nhost = \"pops://h.example\"\nuser = \"\"\n\
         maildir = \"$HOME/Mail\"\nevery = \"0 s\"\n",
        &[
            "account `work`: ... a number from 1 to 65535",
            "account `work`: ... host",
            "account `work`: ... user",
            "account `work`: ... `$` stands for nothing",
            "account `work`: must be more than zero",
        ],
    );
}

#[test]
fn a_value_that_cannot_be_read_is_not_told_as_missing_as_well() {
    assert_titles(
        "[accounts.a]\nserver = \"h.example\"\nuser = 5\n\
         [accounts.b]\nhost = \"h\"\nuser = \"u\"\ntls = \"none\"\nallow-insecure = \"yes\"\n\
         [accounts.c]\nhost = \"h\"\nuser = \"u\"\ntls-roots = \"pinned\"\ntls-pin = 5\n\
         [accounts.d]\nhost = \"h\"\nuser = \"u\"\non-new-paths = \"nul\"\non-new = \"notmuch new\"\n\
         [accounts.e]\nhost = \"h\"\nuser = \"u\"\noauth = { provider = \"google\", client_id = \"x\" }\n\
         [accounts.f]\nhost = \"h\"\nuser = \"u\"\ndeliver = { comand = [\"x\"], deadline = \"0 s\" }\n",
        &[
            "account `a`: there is no key `server`",
            "account `a`: ... a text in quotes",
            "account `b`: ... true or false",
            "account `c`: ... a pin in quotes",
            "account `d`: ... a list, as in",
            "account `e`: there is no key `client_id`",
            "account `f`: there is no key `comand`",
            "account `f`: must be more than zero",
        ],
    );
}

#[test]
fn keys_that_belong_together_do_not_hide_each_others_faults() {
    assert_titles(
        "[accounts.tls]\nhost = \"h\"\nuser = \"u\"\ntls = \"starttls\"\ntls-roots = \"$X/ca.pem\"\n\
         tls-server-name = \"a b\"\ntls-client-cert = \"{x}/me.pem\"\ntls-client-key = \"$K\"\n\
         [accounts.plain]\nhost = \"h\"\nuser = \"u\"\ntls = \"none\"\ntls-min-version = \"1.3\"\n\
         tls-server-name = \"h\"\n\
         [accounts.password]\nhost = \"h\"\nuser = \"u\"\npassword-command = []\n\
         password-credential = \"a/b\"\npassword-file = \"$HOME/pw\"\n\
         [accounts.deliver]\nhost = \"h\"\nuser = \"u\"\n\
         deliver = { command = [\"x\", \"{sendr}\"], deadline = \"0 s\" }\n\
         [accounts.mbox]\nhost = \"h\"\nuser = \"u\"\n\
         deliver = { mbox = \"$HOME/in\", from-line = true, deadline = \"9 s\" }\n\
         [accounts.way]\nhost = \"h\"\nuser = \"u\"\nsource-address = \"127.0.0.1\"\n\
         proxy-command = [\"ssh\", \"%x\"]\n\
         [accounts.rules]\nhost = \"h\"\nuser = \"u\"\nfilter-command = []\nrules = [{ from = \"a\" }]\n\
         [accounts.on]\nhost = \"h\"\nuser = \"u\"\non-new = [\"\"]\non-new-timeout = \"0 s\"\n\
         [accounts.oauth]\nhost = \"h\"\nuser = \"u\"\noauth = { token-endpoint = \"http://x\", scope = \"s\" }\n",
        &[
            "account `tls`: ... `$` stands for nothing",
            "account `tls`: ",
            "account `tls`: ... `{x}` stands for nothing",
            "account `tls`: ... `$` stands for nothing",
            "account `plain`: ... without TLS anyone",
            "account `plain`: `tls-min-version` has no meaning",
            "account `plain`: `tls-server-name` has no meaning",
            "account `password`: a command needs a program",
            "account `password`: ... systemd credential",
            "account `password`: `$` stands for nothing",
            "account `password`: the password comes from more than one place",
            "account `deliver`: `{sendr}` stands for nothing",
            "account `deliver`: must be more than zero",
            "account `mbox`: `$` stands for nothing",
            "account `mbox`: `from-line` is for",
            "account `mbox`: `deadline` is for",
            "account `way`: `source-address` has no meaning",
            "account `way`: `%x` stands for nothing",
            "account `rules`: a command is a program",
            "account `rules`: a rule needs to say",
            "account `on`: a command needs a program",
            "account `on`: must be more than zero",
            "account `oauth`: OAuth 2.0 needs a `client-id`",
            "account `oauth`: ",
        ],
    );
}

#[test]
fn each_rule_says_all_that_is_wrong_in_it() {
    assert_titles(
        "[accounts.a]\nhost = \"h\"\nuser = \"u\"\nport = 0\n\
         [[accounts.a.rules]]\nsize = 5\nthen = \"drop\"\n\
         [[accounts.a.rules]]\nfrom = \"x\"\nsubjct = \"y\"\n",
        &[
            "account `a`: a port is a number",
            "account `a`: ... size",
            "account `a`: `drop` is not known here",
            "account `a`: a rule needs to say what is done",
            "account `a`: there is no key `subjct`",
        ],
    );
}

#[test]
fn an_account_at_the_top_is_told_where_it_belongs_and_hides_nothing() {
    let home = Home::new();
    home.config(
        "[work]\nhost = \"h\"\nuser = \"u\"\n[\"two words\"]\nhost = \"h\"\n\
         [accounts.club]\nhost = \"h\"\nuser = \"u\"\nport = 0\n",
    );
    let output = run(&home, &["fetch"], 78);
    let said = [
        "error: there is no table [work]",
        "hint: an account's table is named in full: [accounts.work]",
        "error: there is no table [\"two words\"]",
        "hint: an account's table is named in full: [accounts.\"two words\"]",
        "error: account `club`: a port is a number",
    ];
    let mut rest = output.stderr.as_str();
    for words in said {
        let Some((_, after)) = rest.split_once(words) else {
            panic!("{words}\n{}", output.stderr);
        };
        rest = after;
    }
    // Followed to the letter.
    let text = fs::read_to_string(home.config_file()).unwrap();
    let text = text.replace("[work]", "[accounts.work]");
    home.config(&text.replace("[\"two words\"]", "[accounts.\"two words\"]"));
    let output = run(&home, &["account", "show", "work"], 0);
    assert!(output.stdout.contains("host"), "{output:#?}");
}

#[test]
fn a_fault_in_the_defaults_is_told_once_and_not_for_each_account() {
    let accounts = "[accounts.a]\nhost = \"h\"\nuser = \"u\"\n\
                    [accounts.b]\nhost = \"i\"\nuser = \"u\"\ntimeout = \"0 s\"\n";
    assert_titles(
        &format!("[defaults]\nport = 0\nmaildir = \"$HOME/Mail\"\n{accounts}"),
        &[
            "[defaults]: a port is a number",
            "[defaults]: `$` stands for nothing",
            "account `b`: must be more than zero",
        ],
    );
    // Values of a wrong type, beside those of the accounts.
    assert_titles(
        &format!("[defaults]\nport = \"x\"\ntimout = \"5 s\"\nevery = \"0 s\"\n{accounts}"),
        &[
            "[defaults]: ... a number from 1 to 65535",
            "[defaults]: there is no key `timout`",
            "[defaults]: must be more than zero",
            "account `b`: must be more than zero",
        ],
    );
    // An account of its own word is not concerned.
    let home = Home::new();
    home.config("[defaults]\nport = 0\n[accounts.a]\nhost = \"h\"\nuser = \"u\"\nport = 995\n");
    run(&home, &["account", "show", "a"], 0);
}

#[test]
fn what_the_defaults_ask_of_each_account_is_told_with_each() {
    assert_titles(
        "[defaults]\ntls = \"none\"\n\
         [accounts.a]\nhost = \"h\"\nuser = \"u\"\n[accounts.b]\nhost = \"i\"\nuser = \"u\"\n",
        &[
            "account `a`: without TLS anyone",
            "account `b`: without TLS anyone",
        ],
    );
}

#[test]
fn what_is_no_text_is_said_with_its_line() {
    let home = Home::new();
    home.config("");
    fs::write(
        home.config_file(),
        b"[accounts.a]\nhost = \"h\"\nuser = \"\xe9\"\n",
    )
    .unwrap();
    assert_said(&run(&home, &[], 78), &["line 3 is not UTF-8"]);
    home.config("[accounts.ada@example.com]\nhost = \"h\"\n");
    assert_said(&run(&home, &[], 78), &["[accounts.\"ada@example.com\"]"]);
}
