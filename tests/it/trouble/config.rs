use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use crate::given::{assert_said, run, server};
use crate::support::account::Account;
use crate::support::run::Home;
use crate::support::tree;

fn nowhere() -> Account {
    Account {
        host: "localhost".into(),
        port: 9,
        user: "ada".into(),
        password: "secret".into(),
        roots: None,
    }
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
        ("ssl = true", "leave it out: TLS is on"),
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
    let home = Home::new();
    home.config(
        "[accounts.work]\nhost = \"pops://pop.example.com\"\nuser = \"\"\nport = 0\nmaildir = \"$HOME/Mail\"\n\
         on-new = [\"\"]\nfilter-command = [\"\"]\n\
         [accounts.club]\nuser = \"bob\"\nmaildir = \"~/{acount}\"\npassword-command = [\"\"]\n\
         [[accounts.club.rules]]\nfrom = \"a\"\n[[accounts.club.rules]]\nfrom = \"b\"\n",
    );
    let output = run(&home, &["fetch"], 78);
    let of = |name: &str| {
        output
            .stderr
            .matches(&format!("error: account `{name}`"))
            .count()
    };
    assert_eq!((of("work"), of("club")), (6, 5), "{}", output.stderr);
    assert_said(
        &output,
        &["a port is a number", "`$` stands for nothing", "acount"],
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
