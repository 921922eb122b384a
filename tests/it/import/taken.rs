//! What an import leaves behind, with the tests' own server.

use crate::given::{assert_said, mail, run, server, serving};
use crate::support::behaviour::Behaviour;
use crate::support::message::Message;
use crate::support::run::Home;
use crate::support::server::Server;
use crate::support::tree;
use std::fs;

/// mpop's config for the server, as the account "a", and its unique-ids.
pub fn mpop(home: &Home, server: &Server, keep: &str, names: &[&str]) {
    let account = server.account();
    let text = format!(
        "account a\nhost {}\nport {}\ntls on\ntls_starttls off\ntls_trust_file {}\nuser {}\npassword {}\n\
         delivery maildir {}\nkeep {keep}\n",
        account.host,
        account.port,
        account.roots.as_ref().unwrap().display(),
        account.user,
        account.password,
        home.maildir("a").display(),
    );
    home.private_file(".mpoprc", &text);
    let mut list = format!(" {} {} {}\n", names.len(), account.host, account.user);
    for name in names {
        list.push_str(&format!("{name} 1000000000\n"));
    }
    let path = format!(".mpop_uidls/{}_at_{}", account.user, account.host);
    home.private_file(&path, &list);
    let _missing = fs::remove_file(home.config_file());
}

pub(super) fn count(home: &Home) -> usize {
    tree::count(&home.maildir("a"))
}

#[test]
fn of_a_kept_maildrop_of_which_nothing_is_known_nothing_is_fetched_before_its_owner_has_spoken() {
    let (server, home) = server(10);
    mpop(&home, &server, "on", &["other-1", "other-2"]);
    run(&home, &["import", "mpop", "-y"], 0);
    for arguments in [&["fetch", "-n", "a"][..], &["fetch", "a"], &["fetch", "a"]] {
        let output = run(&home, arguments, 78);
        assert_said(
            &output,
            &["none of the 10 messages", "--as-new a", "import mpop"],
        );
    }
    assert_eq!(count(&home), 0);
    run(&home, &["fetch", "--as-new", "a"], 0);
    assert_eq!(count(&home), 10);
    run(&home, &["fetch", "a"], 0);
}

#[test]
fn importing_again_from_the_right_file_lets_the_fetch_go_on() {
    let (server, home) = server(10);
    mpop(&home, &server, "on", &["other-1"]);
    run(&home, &["import", "mpop", "-y"], 0);
    run(&home, &["fetch", "a"], 78);
    let account = server.account();
    let list = format!(" 9 {} {}\n{}", account.host, account.user, "uid-");
    let ids: Vec<String> = (1..=9).map(|n| n.to_string()).collect();
    let right = home.private_file("right", &format!("{list}{}\n", ids.join("\nuid-")));
    run(
        &home,
        &["import", "mpop", "-y", "--seen", right.to_str().unwrap()],
        0,
    );
    run(&home, &["fetch", "a"], 0);
    assert_eq!(count(&home), 1);
}

#[test]
fn a_tool_that_deleted_or_a_small_maildrop_stops_nothing() {
    for (messages, keep) in [(10, "off"), (9, "on")] {
        let (server, home) = server(messages);
        mpop(&home, &server, keep, &["other-1"]);
        run(&home, &["import", "mpop", "-y"], 0);
        run(&home, &["fetch", "a"], 0);
        assert_eq!(count(&home), messages);
    }
}

#[test]
fn what_was_imported_is_deleted_only_where_its_owner_lets_it_be() {
    for (more, left) in [(&[][..], 3), (&["--may-delete"][..], 0)] {
        let (server, home) = server(3);
        mpop(&home, &server, "30d", &["uid-1", "uid-2", "uid-3"]);
        let arguments: Vec<&str> = ["import", "mpop", "-y"]
            .iter()
            .chain(more)
            .copied()
            .collect();
        run(&home, &arguments, 0);
        run(&home, &["fetch", "a"], 0);
        assert_eq!((count(&home), server.maildrop().count()), (0, left));
    }
}

#[test]
fn an_import_that_is_repeated_changes_nothing_and_may_still_release() {
    let (server, home) = server(3);
    mpop(&home, &server, "off", &["uid-1", "uid-2", "uid-3"]);
    run(&home, &["import", "mpop", "-y"], 0);
    let before = (fs::read(home.config_file()).unwrap(), tree_of(&home));
    run(&home, &["import", "mpop", "-y"], 0);
    assert_eq!(
        (fs::read(home.config_file()).unwrap(), tree_of(&home)),
        before
    );
    run(&home, &["fetch", "a"], 0);
    assert_eq!((count(&home), server.maildrop().count()), (0, 3));
    run(&home, &["import", "mpop", "-y", "--may-delete"], 0);
    run(&home, &["fetch", "a"], 0);
    assert_eq!((count(&home), server.maildrop().count()), (0, 0));
}

/// The octets of the account's journal.
fn tree_of(home: &Home) -> Vec<u8> {
    fs::read(crate::given::journal(home)).unwrap()
}

#[test]
fn a_slash_that_getmail_wrote_as_a_dash_is_the_same_unique_id() {
    let letters = ["a/1", "a/2", "a-3"].map(|id| Message::new(id, mail(1)[0].octets()));
    let (server, home) = serving(letters.to_vec(), Behaviour::new());
    fs::remove_file(home.config_file()).unwrap();
    let account = server.account();
    let text = format!(
        "[retriever]\ntype = SimplePOP3Retriever\nserver = {}\nport = {}\nusername = {}\npassword = \
         {}\n[destination]\ntype = Maildir\npath = {}\n",
        account.host,
        account.port,
        account.user,
        account.password,
        home.maildir("a").display(),
    );
    home.private_file(".getmail/getmailrc", &text);
    let oldmail = format!(
        ".getmail/oldmail-{}-{}-{}",
        account.host, account.port, account.user
    );
    home.private_file(&oldmail, "a-1\u{0}1\na-3\u{0}1\n");
    run(&home, &["import", "getmail", "-y"], 0);
    for _ in 0..2 {
        run(&home, &["fetch"], 0);
        assert_eq!(count(&home), 1);
    }
}

#[test]
fn mpops_word_for_user_and_pass_is_ours() {
    let (server, home) = server(1);
    mpop(&home, &server, "on", &[]);
    let path = home.path().join(".mpoprc");
    let text = fs::read_to_string(&path).unwrap() + "auth user\n";
    home.private_file(".mpoprc", &text);
    run(&home, &["import", "mpop", "-y"], 0);
    let config = fs::read_to_string(home.config_file()).unwrap();
    assert!(config.contains("auth = \"user-pass\"\n"), "{config}");
}

#[test]
fn what_stands_beside_getmailrc_is_named_with_the_command_that_takes_it() {
    let home = Home::new();
    let account = |user: &str| {
        format!(
            "[retriever]\ntype = SimplePOP3SSLRetriever\nserver = pop.example.com\nusername = {user}\n\
             [destination]\ntype = Maildir\npath = ~/Mail/{user}/\n"
        )
    };
    for (name, text) in [
        ("getmailrc", account("ada")),
        ("work", account("bob")),
        ("notes", "buy milk\n".to_owned()),
    ] {
        home.private_file(&format!(".getmail/{name}"), &text);
    }
    let output = run(&home, &["import", "getmail", "--dry-run"], 0);
    let said = format!("{}{}", output.stdout, output.stderr);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let work = home.path().join(".getmail/work");
    let command = format!("popfetch import getmail {}", work.display());
    assert!(said.contains(&command), "{said}");
    assert!(!said.contains("/notes"), "{said}");
    run(
        &home,
        &["import", "getmail", work.to_str().unwrap(), "--dry-run"],
        0,
    );
}

#[test]
fn what_is_wrong_in_the_source_or_in_the_way_changes_nothing() {
    let (server, home) = server(1);
    let wrong: [(&str, &[u8], i32); 6] = [
        (".mpoprc", b"account a\nhost h\nfoo bar\n", 78),
        (".mpoprc", b"account a\nhost \xff\n", 78),
        (".mpoprc", b"", 78),
        (".mpop_uidls/ada_at_localhost", b" 2 localhost ada\nx\n", 65),
        (".mpop_uidls/ada_at_localhost", b" 1 localhost ada\nx", 65),
        (".mpop_uidls/ada_at_localhost", b"\x00\x01binary", 65),
    ];
    for (file, octets, status) in wrong {
        home.config("# mine\n[accounts.b]\nhost = 'x'\nuser = 'y'\n");
        mpop(&home, &server, "on", &["uid-1"]);
        home.config("# mine\n[accounts.b]\nhost = 'x'\nuser = 'y'\n");
        let account = server.account();
        let file = file.replace("ada_at", &format!("{}_at", account.user));
        fs::write(home.path().join(file), octets).unwrap();
        let output = run(&home, &["import", "mpop", "-y"], status);
        assert_said(
            &output,
            &["error: ", "hint: ", "nothing was changed"].map(|word| match status {
                78 if octets.is_empty() && word.starts_with("nothing") => "no POP3 account",
                _ => word,
            }),
        );
        assert!(!home.state().exists());
        assert!(
            fs::read_to_string(home.config_file())
                .unwrap()
                .ends_with("'y'\n")
        );
    }
    // Another maildrop has the name.
    mpop(&home, &server, "on", &["uid-1"]);
    home.config("[accounts.a]\nhost = 'x'\nuser = 'y'\n");
    let output = run(&home, &["import", "mpop", "-y"], 78);
    assert_said(
        &output,
        &["has an account `a` already", "nothing was changed"],
    );
    assert!(!home.state().exists());
}

#[test]
fn a_hundred_thousand_unique_ids_are_taken_over() {
    let (server, home) = server(3);
    let ids: Vec<String> = (1..=100_000).map(|n| format!("uid-{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    mpop(&home, &server, "on", &ids);
    run(&home, &["import", "mpop", "-y"], 0);
    run(&home, &["fetch", "a"], 0);
    assert_eq!(count(&home), 0);
}

#[test]
fn an_imported_name_that_was_gone_and_is_back_with_another_length_is_another_message() {
    let (server, home) = server(4);
    mpop(&home, &server, "on", &["uid-1", "uid-2", "uid-3"]);
    run(&home, &["import", "mpop", "-y"], 0);
    run(&home, &["fetch", "a"], 0);
    assert_eq!(count(&home), 1);
    // Only read, a message may become longer, and is the same.
    let letters = mail(4);
    let longer = |n: usize| {
        let mut octets = letters[n].octets();
        octets.extend(b"more\r\n");
        Message::new(format!("uid-{}", n + 1), octets)
    };
    server.maildrop().replace([
        longer(0),
        letters[1].clone(),
        letters[2].clone(),
        letters[3].clone(),
    ]);
    run(&home, &["fetch", "a"], 0);
    assert_eq!(count(&home), 1);
    // One goes and comes back as it was, and one as another.
    server.maildrop().replace([longer(0), letters[3].clone()]);
    run(&home, &["fetch", "a"], 0);
    server
        .maildrop()
        .replace([longer(0), letters[1].clone(), longer(2), letters[3].clone()]);
    for _ in 0..2 {
        run(&home, &["fetch", "a"], 0);
        assert_eq!(count(&home), 2);
    }
}
