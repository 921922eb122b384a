use crate::given::run;
use crate::support::run::Home;

/// A home whose one account has this line more.
fn with_line(line: &str) -> Home {
    let home = Home::new();
    home.config(&format!(
        "[accounts.a]\nhost = \"127.0.0.1\"\nuser = \"ada\"\n{line}\n"
    ));
    home
}

#[test]
fn s47_whatever_is_wrong_with_a_value_that_may_hold_a_secret_it_is_not_quoted() {
    for line in [
        r#"proxy = "socks5:/u:hunter22@h:1""#,
        r#"proxy = "socks5:u:hunter22@h:1""#,
        r#"proxy = "u:hunter22@h:1""#,
        r#"proxy = "http:/u:hunter22@h:1""#,
        r#"proxy = "socks5//u:hunter22@h:1""#,
        r#"proxy = "socks5://u:hunter22""#,
        r#"proxy = ["u:hunter22@h"]"#,
        r#"proxy = u:hunter22@h"#,
        r#"proxy "hunter22""#,
        r#"oauth.client-secret.x = "hunter22""#,
        r#"oauth.client-id.x = "hunter22""#,
        r#"oauth = "hunter22""#,
        r#"oauth = { provider = "hunter22" }"#,
        r#"oauth.provider = "hunter22""#,
        r#"oauth.token-endpoint = "hunter22""#,
        "[accounts.a.oauth]\nprovider = \"hunter22\"",
        "[accounts.a.oauth]\nscope = [\"hunter22\"]",
        "[accounts.a.oauth]\nstore = hunter22",
        r#"tls-server-name = "u:hunter22@h""#,
        r#"source-address = "u:hunter22@h""#,
    ] {
        let home = with_line(line);
        for command in [
            &["check"][..],
            &["account", "show", "a"],
            &["--format", "json"],
        ] {
            let output = home.popfetch(command).run();
            assert_eq!(output.status, Some(78), "{line}: {output:#?}");
            for stream in [&output.stdout, &output.stderr] {
                assert!(!stream.contains("hunter22"), "{line}: {output:#?}");
                assert!(!stream.contains("struct"), "{line}: {output:#?}");
            }
        }
    }
}

#[test]
fn s47_what_is_wrong_beside_a_secret_on_lines_of_their_own_is_still_shown() {
    let home = with_line(
        "maildir = 7\noauth = { provider = \"google\" }\nproxy = \"socks5://u:hunter22@h:1\"",
    );
    let output = run(&home, &["check"], 78);
    assert!(output.stderr.contains("maildir = 7"), "{output:#?}");
}

#[test]
fn s47_a_password_that_is_typed_where_an_account_belongs_is_not_repeated() {
    let home = with_line("");
    for (words, status) in [
        (&["ada:hunter22@host"][..], 64),
        (&["fetch", "ada:hunter22@host"], 78),
        (&["check", "ada:hunter22@host"], 78),
        (&["check", "pops://ada:hunter22"], 64),
        (&["check", "pop://ada:hunter22"], 64),
        (&["setup", "ada:hunter22@host"], 64),
        (&["account", "show", "ada:hunter22@host"], 78),
        (&["state", "ada:hunter22@host"], 64),
        (&["state", "list", "a", "ada:hunter22@host"], 64),
        (&["login", "ada:hunter22@host"], 78),
    ] {
        let output = home.popfetch(words).run();
        assert!(!output.stderr.contains("hunter22"), "{output:#?}");
        assert!(!output.stdout.contains("hunter22"), "{output:#?}");
        assert_eq!(output.status, Some(status), "{words:?}: {output:#?}");
    }
    // What is advised is a line that popfetch takes.
    let said = run(&home, &["ada:hunter22@host"], 64).stderr;
    assert!(
        said.contains("popfetch pops://ada@host --maildir DIR"),
        "{said}"
    );
}
