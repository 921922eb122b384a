//! The same by IMAP, with Dovecot's imapd.

use super::{at_a_document, enter_to_the_end, home_in};
use crate::given::{letter, mail};
use crate::support::dns::{NameServer, Record};
use crate::support::dovecot::Dovecot;
use crate::support::run::Home;
use crate::support::terminal::Terminal;
use crate::support::tree;

const ALONE: &str = "There is no POP3 server that answers, but IMAP";

/// What `setup --print` finds.
fn printed(home: &Home, options: &[&str]) -> (String, String) {
    let mut arguments = vec!["setup", "ada@example.test", "--print"];
    arguments.extend(options);
    let output = home.popfetch(arguments).expect(0);
    (output.stdout, output.stderr)
}

/// Dovecot by IMAP at imap.example.test, and by POP3 at pop.example.test where that is wanted.
fn at_usual_names(with_pop: bool) -> Option<(Dovecot, NameServer, Home)> {
    let dovecot = Dovecot::start_with_imap(&mail(3), "")?;
    let [imap, _] = dovecot.imap_accounts();
    let mut names = vec![("imap.example.test:993".to_owned(), imap.port)];
    if with_pop {
        names.push(("pop.example.test:995".to_owned(), dovecot.account().port));
    }
    let dns = NameServer::start(&[]);
    let home = home_in(&names, &dns, dovecot.authority().pem_file());
    Some((dovecot, dns, home))
}

#[test]
fn from_an_address_and_a_password_to_mail_where_imap_alone_is_there() {
    let Some((_dovecot, _dns, home)) = at_usual_names(false) else {
        return;
    };
    let mut terminal = Terminal::start(&home, 80, &["setup"]);
    terminal.answer("Your mail address:", "ada@example.test");
    terminal.wait_for(ALONE);
    terminal.wait_for("Found imap.example.test, port 993, with TLS");
    terminal.answer("Password for ", "secret");
    terminal.wait_for("Signed in. 3 messages");
    terminal.answer("Which folders are to be fetched?", "");
    enter_to_the_end(&mut terminal);
    let (status, screen) = terminal.end();
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("are in the inbox"), "{screen}");
    assert!(
        screen.contains("more than the inbox: `folders`"),
        "{screen}"
    );
    let config = std::fs::read_to_string(home.config_file()).unwrap();
    assert!(config.contains("protocol = \"imap\"\n"), "{config}");
    let fetched = home.popfetch::<&str>([]).expect(0);
    assert!(fetched.stderr.contains("3 new messages"), "{fetched:?}");
    assert_eq!(tree::count(&home.path().join("Mail/example")), 3);
    let again = home.popfetch::<&str>([]).expect(0);
    assert_eq!(
        tree::count(&home.path().join("Mail/example")),
        3,
        "{again:?}"
    );
}

#[test]
fn what_comes_of_all_folders_is_told_with_what_shows_it() {
    let Some((mut dovecot, _dns, home)) = at_usual_names(false) else {
        return;
    };
    dovecot.deliver_into(".Entw&APw-rfe", &[letter(31), letter(32)]);
    let mut terminal = Terminal::start(&home, 80, &["setup"]);
    terminal.answer("Your mail address:", "ada@example.test");
    terminal.answer("Password for ", "secret");
    terminal.answer("Which folders are to be fetched?", "2");
    enter_to_the_end(&mut terminal);
    let (status, screen) = terminal.end();
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("list --all-folders"), "{screen}");
    let config = std::fs::read_to_string(home.config_file()).unwrap();
    assert!(config.contains("folders = [\"*\"]\n"), "{config}");
    let fetched = home.popfetch::<&str>([]).expect(0);
    assert!(fetched.stderr.contains("5 new messages ("), "{fetched:?}");
    assert!(
        fetched
            .stderr
            .contains("; 2 in Entw\u{fc}rfe) in ~/Mail/example"),
        "{fetched:?}"
    );
    let line = fetched.stderr.lines().find_map(|it| it.split_once("too: "));
    let listed = crate::hints::shell(&home, line.unwrap().1).expect(0);
    assert_eq!(listed.stdout.lines().count(), 5, "{listed:?}");
    assert!(listed.stdout.contains("[Entw\u{fc}rfe] "), "{listed:?}");
}

#[test]
fn where_both_are_there_it_is_pop3_unless_imap_is_asked_for() {
    let Some((_dovecot, _dns, home)) = at_usual_names(true) else {
        return;
    };
    let (account, said) = printed(&home, &[]);
    assert!(account.contains("pop.example.test"), "{account}");
    assert!(!account.contains("protocol"), "{account}");
    assert!(!said.contains("IMAP"), "{said}");
    let (account, said) = printed(&home, &["--protocol", "imap"]);
    assert!(account.contains("protocol = \"imap\"\n"), "{account}");
    assert!(account.contains("imap.example.test"), "{account}");
    assert!(!said.contains(ALONE), "{said}");
}

#[test]
fn pop3_that_was_asked_for_is_not_replaced_by_imap() {
    let Some((_dovecot, _dns, home)) = at_usual_names(false) else {
        return;
    };
    let arguments = ["setup", "ada@example.test", "--yes", "--protocol", "pop3"];
    let output = home.popfetch(arguments).expect(69);
    let hint = "There is an IMAP server, imap.example.test";
    assert!(output.stderr.contains(hint), "{output:?}");
    assert!(output.stderr.contains("--protocol imap"), "{output:?}");
}

#[test]
fn an_imap_server_is_found_by_the_domain_s_srv_record_which_is_asked_for_once() {
    let Some(dovecot) = Dovecot::start_with_imap(&mail(3), "") else {
        return;
    };
    let [imap, _] = dovecot.imap_accounts();
    let record = Record::Srv(0, 1, imap.port, "mx7.example.test");
    let dns = NameServer::start(&[("_imaps._tcp.example.test", record)]);
    let names = [(format!("mx7.example.test:{}", imap.port), imap.port)];
    let home = home_in(&names, &dns, dovecot.authority().pem_file());
    let (account, said) = printed(&home, &["--protocol", "imap"]);
    assert!(said.contains("named by the domain's SRV records"), "{said}");
    assert!(account.contains("protocol = \"imap\"\n"), "{account}");
    let asked = dns.asked();
    let about = asked.iter().filter(|it| it.contains("_imaps._tcp"));
    assert_eq!(about.count(), 1, "{asked:?}");
}

#[test]
fn an_imap_server_is_found_by_an_autoconfig_document() {
    let Some(dovecot) = Dovecot::start_with_imap(&mail(3), "") else {
        return;
    };
    let [_, imap] = dovecot.imap_accounts();
    let (_web, _dns, home) = at_a_document(&dovecot, "imap", imap.port);
    let (account, said) = printed(&home, &[]);
    assert!(said.contains(ALONE), "{said}");
    assert!(said.contains("with TLS after STARTTLS"), "{said}");
    assert!(account.contains("protocol = \"imap\"\n"), "{account}");
    assert!(account.contains("tls = \"starttls\"\n"), "{account}");
    assert!(account.contains("user = \"ada\"\n"), "{account}");
}

/// As Proton Mail Bridge is: on this machine, with a certificate of its own and STARTTLS.
#[test]
fn a_bridge_on_this_machine_is_taken_with_its_key_by_the_line_that_is_shown() {
    let Some(dovecot) = Dovecot::start_with_imap(&mail(3), "") else {
        return;
    };
    let [_, imap] = dovecot.imap_accounts();
    let dns = NameServer::start(&[]);
    let home = home_in(&[], &dns, "/etc/ssl/certs/ca-certificates.crt".into());
    let host = format!("127.0.0.1:{}", imap.port);
    let arguments = ["setup", "ada@proton.me", "--yes", "--host", &host];
    let output = home.popfetch(arguments).expect(69);
    let line = output
        .stderr
        .lines()
        .find(|line| line.contains("--tls-pin"));
    let line = line.unwrap_or_else(|| panic!("{output:?}"));
    let again = line.split_once(" setup ").unwrap().1;
    let words = ["setup"].into_iter().chain(again.split(' '));
    let printed = home.popfetch(words.chain(["--print"])).expect(0);
    assert!(
        printed.stdout.contains("protocol = \"imap\"\n"),
        "{printed:?}"
    );
    assert!(
        printed.stdout.contains("host = \"127.0.0.1\"\n"),
        "{printed:?}"
    );
}

#[test]
fn without_a_network_a_provider_of_imap_alone_is_spoken_of_as_such() {
    let dns = NameServer::start_that(crate::support::dns::Manner::Hangs, &[]);
    let home = home_in(&[], &dns, "/etc/ssl/certs/ca-certificates.crt".into());
    let output = home
        .popfetch(["setup", "ada@icloud.com", "--yes"])
        .expect(75);
    let known = "The IMAP server of Apple is imap.mail.me.com, but no name server answers";
    let said = output
        .stderr
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(said.contains(known), "{output:?}");
}
