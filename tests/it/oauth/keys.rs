//! The table `oauth`: what is in it, what is wrong with it, and what is shown of it.

use super::{configure, home, server, tells_no_secret};
use crate::given::{assert_said, run};
use crate::support::provider::Provider;
use crate::support::run::Home;

#[test]
fn what_is_wrong_in_the_table_is_shown_at_its_place() {
    let server = server(1);
    let endpoint = "token-endpoint = \"https://id.example.com/t\"\nscope = \"mail\"\n";
    for (keys, words) in [
        ("provider = \"google\"", "needs a `client-id`"),
        ("provider = \"google\"", "console.cloud.google.com"),
        ("provider = \"microsoft\"", "entra.microsoft.com"),
        ("provider = \"yahoo\"", "google, microsoft"),
        ("client-id = \"x\"", "there is no `token-endpoint`"),
        (
            "client-id = \"x\"\ntoken-endpoint = \"https://h/t\"",
            "there is no `scope`",
        ),
        (
            "client-id = \"x\"\ntoken-endpoint = \"http://example.com/t\"",
            "must begin with https://",
        ),
        (
            "client-id = \"x\"\ntoken-endpoint = \"h\"",
            "https://HOST/PATH",
        ),
        ("store = \"cloud\"", "keyring, file"),
        ("client-secret = 31415926", "a text in quotes"),
        ("token-command = []", "needs a program"),
        (
            "token-command = [\"x\"]\nclient-id = \"x\"",
            "with `token-command`",
        ),
        ("no-such-key = 1", "no-such-key"),
    ] {
        let home = Home::new();
        configure(
            &home,
            &server.account(),
            &format!("[accounts.a.oauth]\n{keys}\n"),
        );
        let output = run(&home, &["fetch"], 78);
        assert_said(&output, &["config.toml", words]);
        // A line that may hold a secret is not shown; what else is wrong is, at its place.
        assert!(output.stderr.contains("^"), "{output:#?}");
        assert!(!output.stderr.contains("| client-secret"), "{output:#?}");
        assert!(!output.stderr.contains("31415926"));
    }
    let home = Home::new();
    let table = format!("auth = \"plain\"\n[accounts.a.oauth]\nclient-id = \"x\"\n{endpoint}");
    configure(&home, &server.account(), &table);
    assert_said(
        &run(&home, &["fetch"], 78),
        &["does not sign in with a token", "^"],
    );
    let table =
        format!("password-keyring = true\n[accounts.a.oauth]\nclient-id = \"x\"\n{endpoint}");
    let home = Home::new();
    configure(&home, &server.account(), &table);
    assert_said(&run(&home, &["fetch"], 78), &["more than one place", "^"]);
    assert!(server.sessions().is_empty());
}

#[test]
fn account_show_tells_where_tokens_come_from_and_no_secret() {
    let (server, provider) = (server(1), Provider::start(3600, false));
    let home = home(&server, &provider);
    for format in [
        &["account", "show", "a"][..],
        &["account", "show", "a", "--format", "json"],
    ] {
        tells_no_secret(&run(&home, format, 0));
    }
    let shown = run(&home, &["account", "show", "a"], 0).stdout;
    let place = format!("an access token from {}", provider.url("/token"));
    assert!(
        shown.contains(&place) && shown.contains("a file for you alone"),
        "{shown}"
    );
}

#[test]
fn the_well_known_providers_need_no_more_than_a_client_id() {
    let server = server(1);
    for (provider, token, device) in [
        ("google", "https://oauth2.googleapis.com/token", false),
        (
            "microsoft",
            "https://login.microsoftonline.com/common/oauth2/v2.0/token",
            true,
        ),
    ] {
        let home = Home::new();
        let table = format!("[accounts.a.oauth]\nprovider = {provider:?}\nclient-id = \"x\"\n");
        configure(&home, &server.account(), &table);
        let shown = run(&home, &["account", "show", "a"], 0).stdout;
        assert!(
            shown.contains(token) && shown.contains("keyring"),
            "{shown}"
        );
        if !device {
            let output = run(&home, &["login", "a", "--device"], 78);
            assert_said(&output, &["no device flow for mail", "leave out --device"]);
        }
    }
}

#[test]
fn login_is_for_accounts_with_the_table() {
    let server = server(1);
    let home = Home::of(&server.account(), "");
    let output = run(&home, &["login", "a"], 78);
    assert_said(&output, &["has no `oauth` table", "oauth = { client-id"]);
}

#[test]
fn hint_what_login_wants_in_the_place_of_the_password_is_taken_there() {
    let server = server(1);
    let home = Home::new();
    home.one_account(&server.account(), "");
    let told = run(&home, &["login", "a"], 78);
    let hint = told.stderr.split_once("its password: ").unwrap().1;
    let table = hint[..=hint.find('}').unwrap()].replace('\n', " ");
    // Wherever its password stands, with what follows it.
    let table = table.replace(" }", ", provider = \"google\" }");
    let config = std::fs::read_to_string(home.config_file()).unwrap();
    let lines = config
        .lines()
        .map(|line| match line.starts_with("password") {
            true => table.as_str(),
            false => line,
        });
    home.config(&lines.collect::<Vec<_>>().join("\n"));
    let output = run(&home, &["login", "a", "--device"], 78);
    assert_said(&output, &["no device flow for mail"]);
}

#[test]
fn hint_an_account_that_gets_its_tokens_from_a_command_has_nothing_to_sign_in_to() {
    let server = server(1);
    let home = Home::new();
    let config = home.account_config("a", &server.account());
    let lines = config
        .lines()
        .map(|line| match line.starts_with("password") {
            true => "oauth = { token-command = [\"echo\", \"token\"] }",
            false => line,
        });
    home.config(&lines.collect::<Vec<_>>().join("\n"));
    let output = run(&home, &["login", "a"], 78);
    assert_said(
        &output,
        &[
            "gets its tokens from `token-command`",
            "nothing to sign in to",
        ],
    );
    run(&home, &["account", "show", "a"], 0);
}
