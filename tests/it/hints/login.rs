//! OAuth 2.0: sign-ins, tokens, and where they come from.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{Named, Scene, command_in, shell};
use crate::given::{assert_said, mail, run};
use crate::oauth::{configure, server};
use crate::support::certificate::Authority;
use crate::support::listener::ClosedPort;
use crate::support::maildrop::Maildrop;
use crate::support::provider::{Provider, Scripted};
use crate::support::run::{Home, Output};
use crate::support::server::Server;

fn home(server: &Server, provider: &Provider) -> Home {
    let home = Home::new();
    configure(&home, &server.account(), &provider.table());
    home
}

fn refusal(error: &str) -> Scripted {
    Scripted::Answer(400, format!("{{\"error\":\"{error}\"}}"))
}

const LOGIN: [&str; 3] = ["login", "a", "--device"];

#[track_caller]
fn hint_of(output: &Output) -> &str {
    let (_, hint) = output.stderr.split_once("hint: ").expect("no hint");
    hint
}

/// An account with a name that a shell would take apart, in a config file with a path of the same kind.
#[test]
fn hint_who_has_not_signed_in_yet_does_so_by_the_command_of_the_hint() {
    let provider = Provider::start(3600, false);
    for named in [Named::Usual, Named::Config] {
        let scene = Scene::new(Server::start(&Maildrop::new(mail(1))), named);
        scene.configure("");
        let path = match named {
            Named::Config => scene.home.path().join("other place/popfetch.toml"),
            _ => scene.home.config_file(),
        };
        let text = fs::read_to_string(&path).unwrap();
        let text = text.lines().filter(|line| !line.starts_with("password"));
        let text: Vec<&str> = text.collect();
        let table = provider.table();
        let table = table.replace("accounts.a.", &format!("accounts.{:?}.", scene.account()));
        fs::write(&path, format!("{}\n{table}", text.join("\n"))).unwrap();
        let told = scene.run(&["fetch"]);
        assert_eq!(told.status, Some(77), "{told:#?}");
        assert_said(&told, &["nobody has signed in to this account yet"]);
        let command = command_in(&told.stderr, "popfetch login ");
        shell(&scene.home, &format!("{command} --device")).expect(0);
        let told = scene.run(&["fetch"]);
        assert!(!told.stderr.contains("popfetch login"), "{told:#?}");
    }
}

#[test]
fn hint_what_wants_a_person_again_leads_to_the_sign_in() {
    for error in [
        "invalid_grant",
        "interaction_required",
        "login_required",
        "consent_required",
    ] {
        let (server, provider) = (server(1), Provider::start(0, false));
        let home = home(&server, &provider);
        run(&home, &LOGIN, 0);
        provider.answer_next(refusal(error));
        let told = run(&home, &["fetch"], 77);
        let command = command_in(&told.stderr, "popfetch login a");
        shell(&home, &format!("{command} --device")).expect(0);
    }
}

/// A fetch has a next run, and whoever signs in has not.
#[test]
fn hint_trouble_of_the_provider_passes_for_a_fetch_and_for_a_sign_in() {
    let (server, provider) = (server(1), Provider::start(0, false));
    let home = home(&server, &provider);
    for scripted in [
        Scripted::Answer(503, "{}".into()),
        refusal("temporarily_unavailable"),
    ] {
        provider.answer_next(scripted.clone());
        let told = run(&home, &LOGIN, 75);
        assert!(hint_of(&told).contains("try again in a while"), "{told:#?}");
        run(&home, &LOGIN, 0);
        provider.answer_next(scripted);
        let told = run(&home, &["fetch"], 75);
        assert!(
            hint_of(&told).contains("as the next fetch does"),
            "{told:#?}"
        );
    }
}

#[test]
fn hint_a_token_that_cannot_be_renewed_leads_to_the_scope_and_not_to_the_endpoints() {
    let (server, provider) = (server(1), Provider::start(3600, false));
    let home = home(&server, &provider);
    provider.answer_next(Scripted::Answer(
        200,
        "{\"access_token\":\"access-1\"}".into(),
    ));
    let told = run(&home, &LOGIN, 78);
    assert_said(&told, &["no refresh token", "`scope`", "offline_access"]);
    assert!(!told.stderr.contains("endpoints"), "{told:#?}");
}

#[test]
fn hint_a_refused_code_is_told_to_whoever_signs_in_with_what_to_do() {
    let (server, provider) = (server(1), Provider::start(3600, false));
    let home = home(&server, &provider);
    for (error, status, way) in [
        ("invalid_grant", 77, "run the same command again"),
        ("expired_token", 77, "run the same command again"),
        ("invalid_client", 78, "`client-id`"),
        ("unsupported_response_type", 77, "what the provider says"),
    ] {
        provider.answer_next(refusal(error));
        let told = run(&home, &LOGIN, status);
        assert!(hint_of(&told).contains(way), "{error}: {told:#?}");
    }
    run(&home, &LOGIN, 0);
}

/// What is wrong on the way to the provider is nothing of the account's `host` and `port`.
#[test]
fn hint_a_provider_that_is_not_reached_is_no_matter_of_the_mail_servers_keys() {
    let (server, provider) = (server(1), Provider::start(3600, false));
    let to = |url: String| {
        let home = Home::new();
        let table = provider.table();
        let own = format!("token-endpoint = {:?}", provider.url("/token"));
        let table = table.replace(&own, &format!("token-endpoint = {url:?}"));
        let own = format!("device-endpoint = {:?}", provider.url("/device"));
        let other = url.replace("/token", "/device");
        let table = table.replace(&own, &format!("device-endpoint = {other:?}"));
        configure(&home, &server.account(), &table);
        home.popfetch(LOGIN).run()
    };
    let closed = ClosedPort::new();
    let told = to(format!("http://127.0.0.1:{}/token", closed.port()));
    assert_said(
        &told,
        &["cannot reach 127.0.0.1", "the endpoints in the account's"],
    );
    assert!(!told.stderr.contains("`port`"), "{told:#?}");
    // One that speaks no TLS.
    let plain = provider.url("/token").replace("http:", "https:");
    let told = to(plain);
    assert_said(&told, &["usually on port 443"]);
    assert!(!hint_of(&told).contains("POP3"), "{told:#?}");
    // And one that nobody vouches for.
    let authority = Authority::new();
    let unknown = Provider::start_tls(authority.localhost().server_config());
    let told = to(unknown.url("/token"));
    assert_said(&told, &["this system's list of authorities", "\"bundled\""]);
    assert!(!hint_of(&told).contains("tls-pin"), "{told:#?}");
}

#[test]
fn hint_a_sign_in_whose_file_others_can_read_is_closed_by_the_command_of_the_hint() {
    let (server, provider) = (server(1), Provider::start(3600, false));
    let home = home(&server, &provider);
    run(&home, &LOGIN, 0);
    let kept = fs::read_dir(home.path().join("data/popfetch/logins")).unwrap();
    let kept = kept.map(|it| it.unwrap().path());
    let kept = kept.filter(|it| it.extension().is_some_and(|it| it == "login"));
    let kept: Vec<_> = kept.collect();
    let [file] = kept.as_slice() else {
        panic!("{kept:?}");
    };
    fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    let told = run(&home, &["fetch"], 77);
    shell(&home, &command_in(&told.stderr, "chmod 600")).expect(0);
    run(&home, &["fetch"], 0);
    // Where another file cannot take its place, that is said.
    let directory = file.parent().unwrap();
    fs::set_permissions(directory, fs::Permissions::from_mode(0o777)).unwrap();
    let told = run(&home, &["fetch"], 77);
    let way = format!("{} must be a directory", directory.display());
    assert!(hint_of(&told).contains(&way), "{told:#?}");
}

#[test]
fn hint_a_sign_in_is_not_told_of_ways_that_are_for_passwords() {
    let (server, provider) = (server(1), Provider::start(3600, false));
    let home = Home::new();
    let table = provider.table().replace("store = \"file\"\n", "");
    configure(&home, &server.account(), &table);
    for line in [&["login", "a"][..], &["fetch"], &["account", "test"]] {
        let told = run(&home, line, 77);
        let all = format!("{}{}", told.stdout, told.stderr);
        assert!(all.contains("store = \"file\""), "{told:#?}");
        assert!(!all.contains("--password-stdin"), "{told:#?}");
        assert!(!all.contains("password-file"), "{told:#?}");
    }
    let text = fs::read_to_string(home.config_file()).unwrap();
    home.config(&(text + "store = \"file\"\n"));
    run(&home, &LOGIN, 0);
    run(&home, &["fetch"], 0);
}
