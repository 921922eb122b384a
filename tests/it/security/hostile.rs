use std::fs;

use crate::given::{assert_said, behaving, mail, run};
use crate::support::account::Security;
use crate::support::behaviour::{Behaviour, Reply};
use crate::support::maildrop::Maildrop;
use crate::support::message::Message;
use crate::support::run::{Home, Output};
use crate::support::script::{Scene, Script};
use crate::support::server::Server;
use crate::support::tree;

const MIB: u64 = 1 << 20;

/// Runs it against a server that never comes to an end, which it does itself, soon and with little
/// memory, and as a violation of the protocol.
#[track_caller]
fn gives_up(scene: Scene, arguments: &[&str]) -> Output {
    let script = Script::plain(scene);
    let home = Home::new();
    // Otherwise it would try once more without.
    home.one_account(&script.account(), "pipelining = \"off\"\n");
    // It ends by itself, within the time that any run has.
    let output = home.popfetch(arguments.iter()).run();
    assert_eq!(output.status, Some(76), "{output:#?}");
    assert!(output.peak_memory < 64 * MIB, "{}", output.peak_memory);
    assert_said(&output, &["error: a: ", "hint: "]);
    output
}

/// As many lines as make a piece worth sending at once.
fn lines(line: &str) -> Vec<u8> {
    line.as_bytes().repeat(65_536 / line.len())
}

#[test]
fn s32_capabilities_without_end_are_given_up() {
    for line in ["X-MORE\r\n", "SASL PLAIN\r\n", "\r\n"] {
        let scene = Scene::new().send("+OK ready\r\n").expect("CAPA");
        let scene = scene.send("+OK\r\n").send_forever(lines(line));
        assert_said(
            &gives_up(scene, &["fetch"]),
            &["without end", "capabilities"],
        );
    }
}

#[test]
fn s31_a_listing_without_end_is_given_up_whatever_its_lines_are() {
    let stat = Scene::signed_in().expect("STAT").send("+OK 2 80\r\n");
    let uidl = stat.expect("UIDL").send("+OK\r\n");
    let list = uidl.clone().send(".\r\n").expect("LIST").send("+OK\r\n");
    let long = "y".repeat(3000) + "\r\n";
    for (scene, line) in [
        (&uidl, "1 again\r\n"),
        (&uidl, &long),
        (&list, "rubbish\r\n"),
    ] {
        let endless = scene.clone().send_forever(lines(line));
        assert_said(&gives_up(endless, &["fetch"]), &["listing"]);
    }
}

#[test]
fn s31_more_messages_than_anyone_has_are_given_up() {
    let many: String = (1..=1_000_100)
        .map(|n| format!("{n} {n:020}\r\n"))
        .collect();
    let stat = Scene::signed_in().expect("STAT").send("+OK 2 80\r\n");
    let scene = stat.expect("UIDL").send("+OK\r\n").send(many);
    let script = Script::plain(scene.send_forever("2000000 x\r\n"));
    let home = Home::of(&script.account(), "");
    let output = run(&home, &["fetch"], 76);
    eprintln!("a million lines: {} KiB", output.peak_memory / 1024);
    assert!(output.peak_memory < 96 * MIB, "{}", output.peak_memory);
}

#[test]
fn s36_a_header_without_end_is_given_up() {
    let scene = Scene::signed_in().expect("STAT").send("+OK 1 80\r\n");
    let scene = scene.expect("UIDL").send("+OK\r\n1 a\r\n.\r\n");
    let scene = scene.expect("LIST").send("+OK\r\n1 80\r\n.\r\n");
    let scene = scene.expect("TOP").send("+OK\r\nSubject: x\r\n");
    let output = gives_up(
        scene.send_forever(lines("X-More: y\r\n")),
        &["check", "--headers"],
    );
    assert_said(&output, &["without end", "header"]);
}

#[test]
fn s37_one_line_of_200_mib_costs_no_memory() {
    let (count, piece) = (200, vec![b'x'; 1 << 20]);
    let listed = count as u64 * MIB + 2;
    let scene = Scene::signed_in().expect("STAT").send("+OK 1 80\r\n");
    let scene = scene.expect("UIDL").send("+OK\r\n1 a\r\n.\r\n");
    let scene = scene
        .expect("LIST")
        .send(format!("+OK\r\n1 {listed}\r\n.\r\n"));
    let scene = scene
        .expect("RETR")
        .send("+OK\r\n")
        .send_times(piece, count);
    let scene = scene.send("\r\n.\r\n").expect("QUIT").send("+OK\r\n");
    let script = Script::plain(scene);
    let home = Home::of(&script.account(), "");
    // With JSON the header is looked at, and this is all one header line.
    let output = run(&home, &["--format", "json"], 0);
    script.assert_followed();
    let files = tree::new_files(&home.maildir("a"));
    assert_eq!(
        fs::metadata(&files[0]).unwrap().len(),
        count as u64 * MIB + 1
    );
    eprintln!("a line of 200 MiB: {} KiB", output.peak_memory / 1024);
    assert!(output.peak_memory > 0, "it was not measured");
    assert!(output.peak_memory < 64 * MIB, "{}", output.peak_memory);
}

#[test]
fn s38_messages_of_any_shape_arrive_octet_for_octet_and_stop_no_later_run() {
    let many_lines = "X-Line: 1\n".repeat(1_000_000);
    let messages = [
        Message::from_lf("no header", "just words\n"),
        Message::from_lf("header only", "Subject: s\nFrom: a@example.com\n"),
        Message::from_lf("header and a blank line", "Subject: s\n\n"),
        Message::from_lf("body only", "\nall body\n"),
        Message::from_lf("blank", "\n"),
        Message::new("empty", ""),
        Message::from_lf(
            "mbox",
            "From ada@example.com Mon Nov 23 10:00:00 2026\nSubject: s\n\nx\n",
        ),
        Message::from_lf("mbox body", "Subject: s\n\nFrom here to there\n>From x\n"),
        Message::from_lf("colons", ":::\n: x\n:\n\n"),
        Message::from_lf("folded", " starts folded\n\t\n still\nSubject: s\n\nx\n"),
        Message::new("no line end", "Subject: s\r\n\r\nno line end"),
        Message::new("line ends", "Subject: s\r\rx\n\ny\r\n\0\r\n\r"),
        Message::new("high", (0..=255).collect::<Vec<u8>>()),
        Message::from_lf("many", &many_lines),
        Message::from_lf("long", format!("Subject: {}\n\nx\n", "s".repeat(1 << 20))),
    ];
    let server = Server::builder(&Maildrop::new(messages.clone()))
        .security(Security::Plain)
        .start();
    for format in ["text", "json", "paths"] {
        let home = Home::of(&server.account(), "");
        let arguments = ["-v", "--format", format];
        let output = run(&home, &arguments, 0);
        assert!(output.peak_memory < 64 * MIB, "{}", output.peak_memory);
        tree::assert_holds(&home.maildir("a"), &messages);
        // The next run knows them all, and reads none again.
        run(&home, &arguments, 0);
        assert_eq!(server.last_session().count("RETR"), 0);
        run(&home, &["check", "--headers", "--format", "json"], 0);
    }
}

#[test]
fn s35_s59_no_name_of_a_server_or_a_message_becomes_a_path() {
    let traversal = [
        "../../../escaped",
        "/tmp/escaped",
        "..",
        ".",
        "a/b",
        "c:2,S",
        "%2e%2e%2f",
    ];
    let messages: Vec<Message> = traversal
        .iter()
        .map(|name| {
            let text = format!("Message-ID: <{name}>\nSubject: {name}\nFrom: {name}\n\n{name}\n");
            Message::from_lf(name, text)
        })
        .collect();
    let server = Server::builder(&Maildrop::new(messages.clone()))
        .security(Security::Plain)
        .start();
    let mut account = server.account();
    let home = Home::new();
    for user in ["../../ada", "/ada", ".hidden/ada", "a%2f..", ".."] {
        // Nor does the user's, from which the state file has its name.
        let server = Server::builder(server.maildrop())
            .security(Security::Plain)
            .credentials(user, "secret")
            .start();
        account = server.account();
        home.one_account(&account, "");
        run(&home, &["--format", "json"], 0);
    }
    assert_eq!(account.user, "..");
    let before = ["Mail", "a.password", "config", "state"];
    let mut found: Vec<_> = fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, before);
    let parts = fs::read_dir(home.maildir("a")).unwrap().count();
    assert_eq!(parts, 4, "tmp, new, cur, popfetch-maildir");
    for file in tree::read(&home.maildir("a")) {
        let safe = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        assert!(file.name.chars().all(safe), "{:?}", file.name);
    }
    for entry in fs::read_dir(home.state()).unwrap() {
        let entry = entry.unwrap();
        assert!(entry.file_type().unwrap().is_file(), "{entry:?}");
        let name = entry.file_name().into_string().unwrap();
        assert!(!name.starts_with('.'), "{name:?}");
    }
}

#[test]
fn s44_sizes_that_no_sum_can_hold_are_borne() {
    for size in [
        "18446744073709551615",
        "18446744073709551616",
        "9223372036854775808",
        "-1",
    ] {
        let list = format!("+OK\r\n1 {size}\r\n2 {size}\r\n3 {size}\r\n.\r\n");
        let huge = Behaviour::new()
            .on("STAT", Reply::raw(format!("+OK 4294967295 {size}\r\n")))
            .on("LIST", Reply::raw(list));
        let (server, home) = behaving(3, huge);
        for arguments in [
            &["check"][..],
            &["account", "test", "a"],
            &["fetch", "-n"],
            &["fetch"],
        ] {
            let output = run(&home, arguments, 0);
            assert!(output.peak_memory < 64 * MIB, "{}", output.peak_memory);
        }
        tree::assert_holds(&home.maildir("a"), &mail(3));
        assert_eq!(server.maildrop().count(), 3);
    }
}

#[test]
fn s61_nothing_is_unpacked_or_decoded_on_the_way() {
    // A gzip of zeros, in base64 and raw: what it would unpack to is no concern of a fetch.
    let mut gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xec\xc1\x01\x01".to_vec();
    gzip.extend([0; 5000]);
    let head = "Subject: =?utf-8?b?AAAA?=\r\nContent-Encoding: gzip\r\n\
                Content-Transfer-Encoding: base64\r\n\r\n";
    let text = [
        head.as_bytes(),
        b"H4sIAAAAAAACA+3BAQEAAACAkP6v7ggK\r\n",
        &gzip,
        b"\r\n",
    ];
    let message = Message::new("bomb", text.concat());
    let offers = Behaviour::new().capabilities(&["UIDL", "SASL PLAIN", "COMPRESS DEFLATE", "UTF8"]);
    let (server, home) = behaving(0, offers);
    server.maildrop().replace([message.clone()]);
    run(&home, &["--format", "json"], 0);
    tree::assert_holds(&home.maildir("a"), &[message]);
    assert_eq!(server.count("COMPRESS") + server.count("UTF8"), 0);
}
