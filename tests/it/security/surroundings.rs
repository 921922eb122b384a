use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;

use crate::given::{assert_said, mail, run, server};
use crate::support::run::Home;
use crate::support::tree;

#[test]
fn s62_a_config_in_the_working_directory_is_never_loaded() {
    let (server, home) = server(1);
    let text = fs::read_to_string(home.config_file()).unwrap();
    fs::remove_file(home.config_file()).unwrap();
    // The home is the working directory of every run.
    for name in [
        "config.toml",
        "popfetch.toml",
        ".popfetch.toml",
        "popfetch/config.toml",
        "config.toml/popfetch/config.toml",
    ] {
        let root = home.path().join(name.split('/').next().unwrap());
        home.private_file(name, &text);
        assert_said(&run(&home, &[], 78), &["hint: "]);
        // Not even where the environment names it in a way that would depend on it.
        for directory in [".", "config.toml", ""] {
            let run = home.popfetch(["fetch"]).env("XDG_CONFIG_HOME", directory);
            run.expect(78);
        }
        match root.is_dir() {
            true => fs::remove_dir_all(root).unwrap(),
            false => fs::remove_file(root).unwrap(),
        }
    }
    assert!(server.sessions().is_empty());
}

#[test]
fn s62_relative_paths_are_in_the_home_and_not_in_the_working_directory() {
    let (server, home) = server(1);
    let text = home.account_config("a", &server.account());
    let own = format!("maildir = {:?}", home.maildir("a"));
    home.config(&text.replace(&own, "maildir = \"mail\""));
    let elsewhere = home.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let line = ["-C", elsewhere.to_str().unwrap()];
    let output = home.popfetch_under("env", &line, &[]).expect(0);
    assert!(output.stderr.contains("1 new message"), "{output:?}");
    tree::assert_holds(&home.path().join("mail"), &mail(1));
    assert_eq!(fs::read_dir(elsewhere).unwrap().count(), 0);
}

#[test]
fn s62_a_maildir_that_is_beside_the_config_file_stays_there_and_is_told() {
    let (server, home) = server(1);
    let text = home.account_config("a", &server.account());
    let own = format!("maildir = {:?}", home.maildir("a"));
    home.config(&text.replace(&own, "maildir = \"mail\""));
    let beside = home.path().join("config/popfetch/mail");
    fs::create_dir(&beside).unwrap();
    let output = run(&home, &[], 0);
    assert!(
        output.stderr.contains("write this one in full"),
        "{output:?}"
    );
    tree::assert_holds(&beside, &mail(1));
    assert!(!home.path().join("mail").exists());
}

#[test]
fn s64_proxies_and_key_logs_of_the_environment_are_ignored() {
    let (server, mut home) = server(1);
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "SOCKS_PROXY"] {
        home.env(name, &url);
        home.env(&name.to_lowercase(), &url);
    }
    let keys = home.path().join("keys.log");
    home.env("SSLKEYLOGFILE", keys.to_str().unwrap());
    home.env("RUST_LOG", "trace");
    home.env("RUSTLS_LOG", "trace");
    let output = run(&home, &[], 0);
    assert_eq!(output.stderr.lines().count(), 1, "{output:#?}");
    tree::assert_holds(&home.maildir("a"), &mail(1));
    assert_eq!(server.sessions().len(), 1);
    assert!(!keys.exists(), "the keys of the session were logged");
    proxy.set_nonblocking(true).unwrap();
    let error = proxy.accept().unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::WouldBlock,
        "nobody asked the proxy"
    );
}

#[test]
fn s64_the_systems_authorities_can_be_others_and_the_manual_says_so() {
    let (server, mut home) = server(1);
    let mut account = server.account();
    let ours = account.roots.replace("system".into()).unwrap();
    home.one_account(&account, "");
    run(&home, &[], 69);
    home.env("SSL_CERT_FILE", ours.to_str().unwrap());
    run(&home, &[], 0);
    tree::assert_holds(&home.maildir("a"), &mail(1));
    // Where the profile says which authorities count, the environment has no say.
    account.roots = Some("bundled".into());
    home.one_account(&account, "");
    run(&home, &[], 69);
    let page = include_str!("../../../man/popfetch.toml.5");
    assert!(page.contains("SSL_CERT_FILE"));
}

#[test]
fn s19_no_variable_of_the_environment_switches_verification_off() {
    let (server, mut home) = server(1);
    for name in [
        "POPFETCH_INSECURE",
        "POPFETCH_TLS",
        "NO_VERIFY",
        "NODE_TLS_REJECT_UNAUTHORIZED",
    ] {
        home.env(name, "0");
    }
    let mut account = server.account();
    account.roots = Some("bundled".into());
    home.one_account(&account, "allow-insecure = true\n");
    run(&home, &[], 69);
    let nothing: Vec<String> = Vec::new();
    assert_eq!(server.last_session().commands, nothing);
    for option in [
        "--insecure",
        "--no-verify",
        "--no-check-certificate",
        "--allow-insecure",
    ] {
        run(&Home::new(), &["fetch", option], 64);
    }
}
